/* A change is checked as the whole is, but for rules that were found good before. */
#include "rules/check/limits.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

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

int main(void)
{
#define TEST(function) cmocka_unit_test_setup_teardown(function, setup, teardown)
	const struct CMUnitTest tests[] = {
		TEST(rules_that_were_found_good_are_not_looked_at_again),
		TEST(rules_of_another_version_are),
		TEST(those_of_another_file_are),
		TEST(everything_else_is_checked_in_every_change),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
