#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "rules/policy/ruleset.h"
#include "tests/lib/model_builder.h"
#include "tests/lib/random.h"

static const struct route_source source = {"hub/out", {4, {10, 10, 0, 20}}};
static const struct route_context context = {
	.key = &test_key,
	.sources = &source,
	.source_count = 1,
};

static int setup(void **state)
{
	struct model *model = model_start();

	model_add_ruleset(model, "onprem", "", "");
	*state = model;
	return 0;
}

static int teardown(void **state)
{
	model_free(*state);
	return 0;
}

static struct forwarding_rule *rule(struct model *model, const char *domain)
{
	return model_add_rule(model, &model->rulesets.items[0], domain, domain, "192.0.2.1");
}

static struct ruleset *compile(const struct model *model)
{
	struct ruleset *ruleset =
		ruleset_compile(&model->rulesets.items[0], &context, model->reserved_domains.items,
				model->reserved_domains.count);

	assert_non_null(ruleset);
	return ruleset;
}

/* The domain of the rule that matches, which the label must lead to. */
static const char *find(const struct ruleset *ruleset, const char *text)
{
	struct name name = test_name(text), domain;
	unsigned label = 999;
	const struct rule *found = ruleset_find(ruleset, &name, &label);

	if (!found)
		return "none";
	domain = test_name(found->domain);
	assert_int_equal(name_suffix_length(&name, label), domain.length);
	assert_memory_equal(name_suffix_wire(&name, label), domain.wire, domain.length);
	return found->domain;
}

static void the_longest_suffix_beats_the_catch_all(void **state)
{
	rule(*state, ".");
	rule(*state, "corp.");
	rule(*state, "a.b.corp.");
	struct ruleset *ruleset = compile(*state);
	assert_string_equal(find(ruleset, "x.a.b.corp."), "a.b.corp.");
	assert_string_equal(find(ruleset, "a.b.corp."), "a.b.corp.");
	assert_string_equal(find(ruleset, "b.corp."), "corp.");
	assert_string_equal(find(ruleset, "xa.b.corp."), "corp.");
	assert_string_equal(find(ruleset, "xcorp."), ".");
	assert_string_equal(find(ruleset, "."), ".");
	ruleset_unref(ruleset);
}

static void nothing_matches_in_an_empty_ruleset(void **state)
{
	struct ruleset *ruleset = compile(*state);

	assert_string_equal(find(ruleset, "a.b."), "none");
	assert_string_equal(find(ruleset, "."), "none");
	assert_int_equal(ruleset_rule_count(ruleset), 0);
	ruleset_unref(ruleset);
}

static struct target_group *add_group(struct model *model, const char *name, const char *address)
{
	struct target_group *group = arena_alloc(&model->arena, sizeof *group);
	struct target_server *target = arena_alloc(&model->arena, sizeof *target);

	assert_int_equal(address_parse(&target->address, address), 0);
	target->port = DNS_PORT;
	group->name = name;
	group->targets.items = target;
	group->targets.count = 1;
	model->rulesets.items[0].target_groups.items = group;
	model->rulesets.items[0].target_groups.count = 1;
	return group;
}

static void count_upstream(void *count, struct upstream *upstream)
{
	++*(size_t *)count;
	(void)upstream;
}

static void rules_ask_the_servers_of_the_group_that_they_name(void **state)
{
	struct model *model = *state;
	struct ruleset *before, *after;
	size_t upstreams = 0;

	for (int i = 0; i < 2; i++) {
		struct forwarding_rule *named = rule(model, i ? "b." : "a.");

		named->targets.count = 0;
		named->target_group = "DC";
	}
	struct target_group *group = add_group(model, "dc", "192.0.2.7");
	before = compile(model);
	for (size_t i = 0; i < 2; i++) {
		const struct rule *compiled = ruleset_rule(before, i);
		const struct leg *leg = &compiled->route.legs[0];
		char text[HOST_TEXT_MAX];

		assert_int_equal(leg->upstream_count, 1);
		assert_string_equal(host_print(&leg->upstreams[0].host, text), "192.0.2.7:53");
		assert_string_equal(compiled->target_group, "DC");
	}
	assert_ptr_equal(ruleset_rule(before, 0)->route.legs, ruleset_rule(before, 1)->route.legs);
	ruleset_each_upstream(before, count_upstream, &upstreams);
	assert_int_equal(upstreams, 1);
	group->targets.items[0].port = 5353;
	after = compile(model);
	assert_true(ruleset_fingerprint(before) != ruleset_fingerprint(after));
	ruleset_unref(before);
	ruleset_unref(after);
}

static void a_disabled_rule_lets_shorter_ones_match(void **state)
{
	rule(*state, "corp.");
	rule(*state, "b.corp.")->state = RULE_DISABLED;
	rule(*state, "off.")->state = RULE_DISABLED;
	struct ruleset *ruleset = compile(*state);
	assert_string_equal(find(ruleset, "x.b.corp."), "corp.");
	assert_string_equal(find(ruleset, "off."), "none");
	assert_int_equal(ruleset_rule_count(ruleset), 3);
	ruleset_unref(ruleset);
}

static void a_disabled_catch_all_matches_nothing(void **state)
{
	rule(*state, ".")->state = RULE_DISABLED;
	struct ruleset *ruleset = compile(*state);
	assert_string_equal(find(ruleset, "x."), "none");
	assert_string_equal(find(ruleset, "."), "none");
	ruleset_unref(ruleset);
}

static void a_reserved_domain_is_not_captured_by_a_shorter_rule(void **state)
{
	rule(*state, ".");
	rule(*state, "held.corp.");
	rule(*state, "x.internal.");
	model_add_reserved(*state, "corp.");
	model_add_reserved(*state, "internal.");
	struct ruleset *ruleset = compile(*state);
	assert_string_equal(find(ruleset, "www.corp."), "none");
	assert_string_equal(find(ruleset, "corp."), "none");
	assert_string_equal(find(ruleset, "www.xcorp."), ".");
	/* A longer rule is not held back. */
	assert_string_equal(find(ruleset, "a.held.corp."), "held.corp.");
	assert_string_equal(find(ruleset, "a.x.internal."), "x.internal.");
	assert_string_equal(find(ruleset, "y.internal."), "none");
	assert_int_equal(ruleset_rule_count(ruleset), 3);
	ruleset_unref(ruleset);
}

static void a_rule_for_the_reserved_suffix_itself_captures_it_when_enabled(void **state)
{
	rule(*state, ".");
	rule(*state, "corp.");
	rule(*state, "off.")->state = RULE_DISABLED;
	model_add_reserved(*state, "corp.");
	model_add_reserved(*state, "off.");
	struct ruleset *ruleset = compile(*state);
	assert_string_equal(find(ruleset, "www.corp."), "corp.");
	assert_string_equal(find(ruleset, "www.off."), "none");
	ruleset_unref(ruleset);
}

static void next_walks_every_entry_from_long_to_short(void **state)
{
	struct name name = test_name("x.a.b.corp.");
	unsigned label;

	rule(*state, ".");
	rule(*state, "b.corp.")->state = RULE_DISABLED;
	model_add_reserved(*state, "corp.");
	struct ruleset *ruleset = compile(*state);
	const struct rule *entry = ruleset_next(ruleset, &name, 0, &label);
	assert_string_equal(entry->domain, "b.corp.");
	assert_int_equal(label, 2);
	assert_false(entry->enabled || entry->reserved);
	entry = ruleset_next(ruleset, &name, label + 1, &label);
	assert_string_equal(entry->domain, "corp.");
	assert_null(entry->name);
	assert_true(entry->reserved);
	entry = ruleset_next(ruleset, &name, label + 1, &label);
	assert_string_equal(entry->domain, ".");
	assert_int_equal(label, name.labels);
	ruleset_unref(ruleset);
}

static void of_two_rules_for_one_domain_the_first_stays(void **state)
{
	rule(*state, "corp.")->name = "first";
	rule(*state, "CORP")->name = "second";
	struct ruleset *ruleset = compile(*state);
	struct name name = test_name("corp.");
	unsigned label;
	assert_string_equal(ruleset_find(ruleset, &name, &label)->name, "first");
	ruleset_unref(ruleset);
}

/* ---- fingerprints ---- */

static uint64_t fingerprint(const struct model *model)
{
	struct ruleset *ruleset = compile(model);
	uint64_t print = ruleset_fingerprint(ruleset);

	ruleset_unref(ruleset);
	return print;
}

static void the_fingerprint_changes_with_everything_it_was_compiled_from(void **state)
{
	struct model *model = *state;
	struct forwarding_ruleset *ruleset = &model->rulesets.items[0];
	uint64_t prints[9];
	size_t count = 0;

	rule(model, "corp.");
	prints[count++] = fingerprint(model);
	assert_true(prints[0] == fingerprint(model));
	ruleset->rules.items[0].state = RULE_DISABLED;
	prints[count++] = fingerprint(model);
	ruleset->rules.items[0].follow_cname = true;
	prints[count++] = fingerprint(model);
	ruleset->rules.items[0].name = "other";
	prints[count++] = fingerprint(model);
	ruleset->rules.items[0].domain = "other.";
	prints[count++] = fingerprint(model);
	ruleset->rules.items[0].targets.items[0].protocol = PROTOCOL_TCP;
	prints[count++] = fingerprint(model);
	ruleset->name = "renamed";
	prints[count++] = fingerprint(model);
	model_add_reserved(model, "corp.");
	prints[count++] = fingerprint(model);
	rule(model, "more.");
	prints[count++] = fingerprint(model);
	for (size_t i = 0; i < count; i++)
		for (size_t k = 0; k < i; k++)
			assert_true(prints[i] != prints[k]);
}

static void a_reference_keeps_it(void **state)
{
	rule(*state, "corp.");
	struct ruleset *ruleset = compile(*state), *held = ruleset_ref(ruleset);
	assert_ptr_equal(held, ruleset);
	ruleset_unref(ruleset);
	assert_string_equal(find(held, "x.corp."), "corp.");
	assert_string_equal(ruleset_name(held), "onprem");
	ruleset_unref(held);
	ruleset_unref(NULL);
}

/* ---- against a naive matcher ---- */

enum { ALPHABET = 5, DEPTH_MAX = 6, RULES = 400, RESERVED = 20, NAMES = 20000, DOMAIN_TEXT = 64 };

static char *random_domain(uint64_t *random, char text[DOMAIN_TEXT])
{
	static const char *const labels[ALPHABET] = {"a", "b", "aa", "ab", "corp"};
	unsigned depth = random_below(random, DEPTH_MAX + 1);
	size_t used = 0;

	for (unsigned i = 0; i < depth; i++)
		used += (size_t)snprintf(text + used, DOMAIN_TEXT - used, "%s.",
					 labels[random_below(random, ALPHABET)]);
	if (!depth)
		text[used++] = '.';
	text[used] = '\0';
	return text;
}

/* Whether domain is name or ends it after a dot; both with a final dot. */
static bool naive_under(const char *name, const char *domain)
{
	size_t n = strlen(name), d = strlen(domain);

	if (strcmp(domain, ".") == 0)
		return true;
	return n >= d && strcmp(name + n - d, domain) == 0 && (n == d || name[n - d - 1] == '.');
}

/* Reads every rule for every name, the way a person would. */
static const char *naive_find(const struct model *model, const char *name)
{
	const struct forwarding_ruleset *ruleset = &model->rulesets.items[0];
	const char *best = "none";
	size_t longest = 0;

	for (size_t i = 0; i < ruleset->rules.count; i++) {
		const struct forwarding_rule *r = &ruleset->rules.items[i];

		if (r->state == RULE_ENABLED && naive_under(name, r->domain) &&
		    strlen(r->domain) > longest) {
			best = r->domain;
			longest = strlen(r->domain);
		}
	}
	for (size_t i = 0; i < model->reserved_domains.count; i++) {
		const char *domain = model->reserved_domains.items[i];

		if (naive_under(name, domain) && strlen(domain) > longest)
			return "none";
	}
	return best;
}

static void it_finds_what_reading_every_rule_finds(void **state)
{
	struct model *model = *state;
	struct forwarding_ruleset *rules = &model->rulesets.items[0];
	uint64_t random = 20240229;
	unsigned matched = 0;
	char text[DOMAIN_TEXT];

	for (unsigned i = 0; i < RULES; i++) {
		bool known = false;

		random_domain(&random, text);
		for (size_t k = 0; k < rules->rules.count; k++)
			known = known || strcmp(rules->rules.items[k].domain, text) == 0;
		if (!known)
			rule(model, text)->state =
				random_below(&random, 3) ? RULE_ENABLED : RULE_DISABLED;
	}
	for (unsigned i = 0; i < RESERVED; i++)
		model_add_reserved(model, random_domain(&random, text));
	struct ruleset *ruleset = compile(model);
	for (unsigned i = 0; i < NAMES; i++) {
		random_domain(&random, text);
		const char *expected = naive_find(model, text);
		assert_string_equal(find(ruleset, text), expected);
		matched += strcmp(expected, "none") != 0;
	}
	assert_in_range(matched, NAMES / 10, NAMES - NAMES / 100); /* it tried both */
	ruleset_unref(ruleset);
}

static void names_above_rules_are_no_memory_that_decisions_read(void **state)
{
	struct suffix_table special;
	struct route_context within = context;
	struct arena arena;
	struct name test = test_name("test."), above = test_name("c.d.e.f.g7.test.");
	char text[NAME_TEXT_MAX];

	arena_init(&arena);
	assert_int_equal(suffix_table_init(&special, &arena, 1), 0);
	assert_int_equal(suffix_table_add(&special, &arena, &test, &special), 0);
	within.special = &special;
	for (unsigned i = 0; i < 1000; i++) {
		snprintf(text, sizeof text, "a.b.c.d.e.f.g%u.test.", i);
		rule(*state, text);
	}
	struct ruleset *plain = compile(*state);
	struct ruleset *ruleset =
		ruleset_compile(&((struct model *)*state)->rulesets.items[0], &within, NULL, 0);
	assert_non_null(ruleset);
	assert_false(ruleset_has_below(plain, &above));
	assert_true(ruleset_has_below(ruleset, &above));
	assert_int_equal(ruleset_bytes(ruleset), ruleset_bytes(plain));
	ruleset_unref(ruleset);
	ruleset_unref(plain);
	arena_release(&arena);
}

int main(void)
{
#define TEST(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
	const struct CMUnitTest tests[] = {
		TEST(the_longest_suffix_beats_the_catch_all),
		TEST(nothing_matches_in_an_empty_ruleset),
		TEST(rules_ask_the_servers_of_the_group_that_they_name),
		TEST(a_disabled_rule_lets_shorter_ones_match),
		TEST(a_disabled_catch_all_matches_nothing),
		TEST(a_reserved_domain_is_not_captured_by_a_shorter_rule),
		TEST(a_rule_for_the_reserved_suffix_itself_captures_it_when_enabled),
		TEST(next_walks_every_entry_from_long_to_short),
		TEST(of_two_rules_for_one_domain_the_first_stays),
		TEST(the_fingerprint_changes_with_everything_it_was_compiled_from),
		TEST(a_reference_keeps_it),
		TEST(it_finds_what_reading_every_rule_finds),
		TEST(names_above_rules_are_no_memory_that_decisions_read),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
