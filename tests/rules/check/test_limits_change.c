/* A change is checked as the whole is, but for rules that were found good before. */
#include "rules/check/limits.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "rules/zone/zone.h"
#include "tests/lib/addresses.h"
#include "tests/lib/model_builder.h"

struct fixture {
	struct model *declared, *before, *after;
	struct faults faults;
};

/* Two models of one file, whose rulesets have versions. */
static int setup(void **state)
{
	struct fixture *f = calloc(1, sizeof *f);
	struct forwarding_ruleset *ruleset;

	f->declared = model_start();
	model_add_network(f->declared, "hub", "10.10.0.0/16");
	model_add_network(f->declared, "spoke", "10.20.0.0/16");
	model_add_resolver(f->declared, "r", "hub", "127.0.0.1:5300");
	for (int i = 0; i < 2; i++) {
		ruleset = model_add_ruleset(f->declared, i ? "two" : "one", "r/out",
					    i ? "spoke" : "hub");
		model_add_rule(f->declared, ruleset, "corp", i ? "b." : "a.", "192.0.2.1");
		ruleset->version = model_next_version();
	}
	model_add_default(f->declared, "192.0.2.53");
	f->before = model_compose(f->declared, NULL, 0);
	f->after = model_compose(f->declared, NULL, 0);
	faults_init(&f->faults);
	*state = f;
	model_place_endpoints(f->before);
	model_place_endpoints(f->after);
	limits_check(f->before, &f->faults);
	return f->faults.errors == 0 ? 0 : -1;
}

static int teardown(void **state)
{
	struct fixture *f = *state;

	model_free(f->before);
	model_free(f->after);
	model_free(f->declared);
	faults_release(&f->faults);
	free(f);
	return 0;
}

/* A name that no rule may have, for both models: they share the rules. */
static void spoil_rule(struct fixture *f, int ruleset)
{
	f->declared->rulesets.items[ruleset].rules.items[0].name = "1st";
}

static size_t errors_of_change(struct fixture *f, const struct model *before)
{
	size_t errors = f->faults.errors;

	limits_check_change(f->after, before, &f->faults);
	return f->faults.errors - errors;
}

static void rules_that_were_found_good_are_not_looked_at_again(void **state)
{
	struct fixture *f = *state;

	spoil_rule(f, 0);
	assert_int_equal(errors_of_change(f, f->before), 0);
	assert_int_equal(errors_of_change(f, NULL), 1);
}

static void rules_of_another_version_are(void **state)
{
	struct fixture *f = *state;

	spoil_rule(f, 0);
	spoil_rule(f, 1);
	/* They share the list of rulesets, too; so it is the model before that had another one. */
	f->before->rulesets.items =
		arena_alloc_array(&f->before->arena, 2, sizeof *f->before->rulesets.items);
	memcpy(f->before->rulesets.items, f->after->rulesets.items,
	       2 * sizeof *f->before->rulesets.items);
	f->before->rulesets.items[1].version = model_next_version();
	assert_int_equal(errors_of_change(f, f->before), 1);
}

static void those_of_another_file_are(void **state)
{
	struct fixture *f = *state;

	spoil_rule(f, 0);
	f->before->declared = NULL;
	assert_int_equal(errors_of_change(f, f->before), 1);
	f->before->declared = f->declared;
}

static void everything_else_is_checked_in_every_change(void **state)
{
	struct fixture *f = *state;

	f->declared->rulesets.items[0].links.items[0].virtual_network = "none";
	f->declared->rulesets.items[1].name = "one";
	assert_int_equal(errors_of_change(f, f->before), 2);
}

/* Two addresses of the file, of which a start refuses the second. */
static void addresses_of_the_file_are_compared_with_pools_and_not_with_each_other(void **state)
{
	struct fixture *f = *state;
	struct owned_item *items = arena_alloc_array(&f->after->arena, 2, sizeof *items);

	for (int i = 0; i < 2; i++)
		items[i] = (struct owned_item){
			.name = "same", .address = address_of("10.10.9.9"), .ttl = NOT_GIVEN};
	f->after->addresses.items = items;
	f->after->addresses.count = 2;
	assert_int_equal(errors_of_change(f, f->before), 0);
	assert_int_equal(errors_of_change(f, NULL), 2);
	items[1].address = address_of("10.99.0.9"); /* in no network any more */
	assert_int_equal(errors_of_change(f, f->before), 1);
	f->after->addresses.count = 0;
}

/* The version with so many addresses at that owner. */
static struct zone *with_set(struct zone *before, const char *owner, unsigned addresses)
{
	static const struct origin origin;
	struct zone_draft *draft = zone_edit(before);
	struct name name = test_name(owner);
	struct faults faults;
	struct zone *zone;

	faults_init(&faults);
	assert_int_equal(zone_draft_put(draft, &origin, name.wire, TYPE_A, &faults), 0);
	for (unsigned i = 0; i < addresses; i++) {
		const uint8_t address[] = {10, 0, 0, (uint8_t)i};

		assert_int_equal(zone_draft_add(draft, 300, address, sizeof address), 0);
	}
	zone = zone_commit(draft, 1, &faults);
	assert_non_null(zone);
	faults_release(&faults);
	return zone;
}

/* A zone of the model is what it was, but for one set. */
static void of_a_zone_only_the_sets_that_changed_are_looked_at(void **state)
{
	struct fixture *f = *state;
	struct model *models[] = {f->before, f->after};
	struct name apex = test_name("z.test");
	struct zone *empty = zone_new(&test_key, &apex, 1), *old, *good, *bad;
	struct private_zone zones[2] = {{.name = "z.test"}, {.name = "z.test"}};

	old = with_set(empty, "old.z.test", 30); /* more than is allowed */
	good = with_set(old, "new.z.test", 20);
	bad = with_set(old, "new.z.test", 21);
	for (size_t i = 0; i < 2; i++) {
		models[i]->private_zones.items = &zones[i];
		models[i]->private_zones.count = 1;
		models[i]->zones_by_name = NULL;
	}
	zones[0].zone = zones[1].zone = old;
	assert_int_equal(errors_of_change(f, f->before), 0);
	assert_int_equal(errors_of_change(f, NULL), 1);
	zones[1].zone = good;
	assert_int_equal(errors_of_change(f, f->before), 0);
	zones[1].zone = bad;
	assert_int_equal(errors_of_change(f, f->before), 1);
	assert_int_equal(errors_of_change(f, NULL), 2);
	for (size_t i = 0; i < 2; i++)
		models[i]->private_zones.count = 0;
	zone_unref(empty);
	zone_unref(old);
	zone_unref(good);
	zone_unref(bad);
}

int main(void)
{
#define TEST(function) cmocka_unit_test_setup_teardown(function, setup, teardown)
	const struct CMUnitTest tests[] = {
		TEST(rules_that_were_found_good_are_not_looked_at_again),
		TEST(rules_of_another_version_are),
		TEST(those_of_another_file_are),
		TEST(everything_else_is_checked_in_every_change),
		TEST(addresses_of_the_file_are_compared_with_pools_and_not_with_each_other),
		TEST(of_a_zone_only_the_sets_that_changed_are_looked_at),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
