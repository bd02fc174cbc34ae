/* Questions that nobody waits for: one at a time of each, and no more than there are places. What
 * the table of lookups does with them is told in test_resolve.c and in the scenarios. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "resolver/resolve/refresh.h"
#include "tests/lib/model_builder.h"
#include "tests/lib/stage.h"

enum { S = 1000 * 1000 };

static int setup(void **state)
{
	struct model *model = model_start();
	struct stage *stage = stage_new();

	model_add_network(model, "hub", "10.10.0.0/16");
	model_add_default(model, "192.0.2.53");
	assert_non_null(stage);
	assert_true(stage_load(stage, model));
	model_free(model);
	*state = stage;
	return 0;
}

static int teardown(void **state)
{
	stage_free(*state);
	return 0;
}

static int ask(struct stage *stage, const char *text, bool dnssec_ok)
{
	struct name name = test_name(text);
	const struct lookup_key key = {.leg = stage_policy(stage)->default_route->legs,
				       .name = &name,
				       .type = TYPE_A,
				       .dnssec_ok = dnssec_ok};

	return refresh_ask(&stage->resolver.refreshes, &stage->lookups, &key, &stage->hold->hold,
			   stage->now_us + S, true, stage->now_us);
}

static int ask_numbered(struct stage *stage, unsigned i)
{
	char text[32];

	snprintf(text, sizeof text, "n%u.example.", i);
	return ask(stage, text, false);
}

static void a_question_is_under_way_once(void **state)
{
	struct stage *stage = *state;

	assert_int_equal(ask(stage, "a.example.", false), 0);
	assert_int_equal(ask(stage, "a.example.", false), ERR_EXISTS);
	assert_int_equal(ask(stage, "a.example.", true), 0);
	assert_int_equal(ask(stage, "b.example.", false), 0);
	assert_int_equal(stage->lookups.lookup_count, 3);
	stage_pass(stage, 2ULL * S); /* it has ended */
	assert_int_equal(ask(stage, "a.example.", false), 0);
}

static void one_more_than_there_are_places_is_refused_until_one_is_free(void **state)
{
	struct stage *stage = *state;

	for (unsigned round = 0; round < 2; round++) {
		for (unsigned i = 0; i < REFRESHES; i++)
			assert_int_equal(ask_numbered(stage, i), 0);
		assert_int_equal(ask_numbered(stage, REFRESHES), ERR_LIMIT);
		stage_pass(stage, 2ULL * S);
	}
}

static void full_lookups_take_no_place(void **state)
{
	struct stage *stage = *state;

	stage->lookups.lookup_max = 1;
	assert_int_equal(ask_numbered(stage, 0), 0);
	assert_int_equal(ask_numbered(stage, 1), ERR_LIMIT);
	stage->lookups.lookup_max = LOOKUP_MAX;
	for (unsigned i = 1; i < REFRESHES; i++)
		assert_int_equal(ask_numbered(stage, i), 0);
}

static void leaving_frees_every_place_and_ends_every_question(void **state)
{
	struct stage *stage = *state;

	for (unsigned round = 0; round < 2; round++) {
		for (unsigned i = 0; i < REFRESHES; i++)
			assert_int_equal(ask_numbered(stage, i), 0);
		refreshes_leave(&stage->resolver.refreshes);
		assert_int_equal(stage->lookups.lookup_count, 0);
	}
}

int main(void)
{
#define TEST(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
	const struct CMUnitTest tests[] = {
		TEST(a_question_is_under_way_once),
		TEST(one_more_than_there_are_places_is_refused_until_one_is_free),
		TEST(full_lookups_take_no_place),
		TEST(leaving_frees_every_place_and_ends_every_question),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
