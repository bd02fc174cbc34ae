/* Rows of a state as parts of a model, by their groups: what is found where, and what is in nothing
 * any more. */
#include "resolver/control/resource/part.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "rules/schema/schema.h"
#include "tests/lib/part_case.h"

enum { NETWORK = 1, RULESET = 8, RULE = 10 };

#define RULE_OF(name)                                                                              \
	"{\"name\": \"" name "\", \"domain\": \"" name                                             \
	".test.\", \"targets\": [{\"address\": \"192.0.2.1\"}]}"

static const void *find(const struct part_case *world, unsigned kind, const char *group,
			const char *name, const char *inside)
{
	const struct path path = {kind_of_id(kind), group, {name, inside}};

	return part_find(world->model, &path);
}

/* ---- paths ---- */

static void a_path_has_its_group_in_every_form(void **state)
{
	const struct path rule = {kind_of_id(RULE),
				  "B\xc3\xb6"
				  "blingen",
				  {"Hub", "a"}};
	const struct path root = part_root(&rule);
	char key[PATH_MAX_BYTES], text[PATH_URL_MAX];
	struct arena arena;

	(void)state;
	arena_init(&arena);
	assert_int_equal(path_key(&rule, key), 0);
	assert_string_equal(key, "b%c3%b6blingen/hub/a");
	assert_string_equal(path_url(&rule, text), "rulesets/B%C3%B6blingen/Hub/rules/a");
	assert_string_equal(path_url(&root, text), "rulesets/B%C3%B6blingen/Hub");
	assert_string_equal(key_url(rule.kind, key, text), "rulesets/b%c3%b6blingen/hub/rules/a");
	assert_string_equal(path_text(&rule, &arena), "rulesets[B\xc3\xb6"
						      "blingen/Hub].rules[a]");
	assert_string_equal(part_key_group(key, &arena), "b\xc3\xb6"
							 "blingen");
	assert_string_equal(part_key_name(key, &arena), "a");
	arena_release(&arena);
}

static void what_is_at_the_top_has_a_group_and_nothing_else(void **state)
{
	(void)state;
	for (size_t i = 0; i < KIND_COUNT; i++)
		assert_int_equal(schema_field(kind_field(&kinds[i])->group, "resource_group") !=
					 NULL,
				 kinds[i].parent == NULL);
}

static void what_is_missing_is_said_to_be_elsewhere(void **state)
{
	struct part_case *world = *state;
	struct path path = {kind_of_id(NETWORK), "munich", {"hub", NULL}};
	char text[PART_WHY_MAX];
	const void *hub;

	part_case_load(world,
		       "virtual_networks = ({ name = \"hub\"; resource_group = \"berlin\"; },"
		       "{ name = \"lone\"; });",
		       NULL, 0);
	hub = find(world, NETWORK, NULL, "HUB", NULL);
	assert_non_null(hub);
	assert_ptr_equal(find(world, NETWORK, "Berlin", "hub", NULL), hub);
	assert_null(find(world, NETWORK, "munich", "hub", NULL));
	assert_null(find(world, NETWORK, GROUP_NONE, "hub", NULL));
	assert_ptr_equal(part_named(world->declared, path.kind, "hub"), hub);
	assert_int_equal(part_namesakes(world->declared, path.kind, "HUB", text), 1);
	assert_string_equal(text, "berlin/hub");
	assert_string_equal(part_missing(world->declared, &path, text),
			    "there is no virtual network \"hub\" here; it is in the resource group "
			    "\"berlin\": virtual_networks/berlin/hub");
	path.names[0] = "lone";
	assert_string_equal(
		part_missing(world->declared, &path, text),
		"there is no virtual network \"lone\" here; it is in no resource group: "
		"virtual_networks/-/lone");
	path.names[0] = "none";
	assert_string_equal(part_missing(world->declared, &path, text),
			    "there is no virtual network \"none\"");
}

/* ---- rows ---- */

static void rows_are_in_the_group_of_their_key(void **state)
{
	static const struct state_put rows[] = {
		{RULESET, "berlin/hub", "{\"name\": \"Hub\", \"resource_group\": \"Berlin\"}", {0}},
		{RULE, "berlin/hub/a", RULE_OF("a"), {0}},
		{RULESET, "-/old", "{\"name\": \"old\"}", {0}},
		{RULE, "-/old/b", RULE_OF("b"), {0}},
	};
	struct part_case *world = *state;

	part_case_load(world, "region = \"west\";", rows, 4);
	assert_int_equal(world->faults.count, 0);
	assert_string_equal(
		part_group(kind_of_id(RULESET), find(world, RULESET, NULL, "hub", NULL)), "Berlin");
	assert_string_equal(
		part_group(kind_of_id(RULESET), find(world, RULESET, NULL, "old", NULL)),
		GROUP_NONE);
	assert_non_null(find(world, RULE, "berlin", "hub", "a"));
	assert_null(find(world, RULE, GROUP_NONE, "hub", "a"));
	assert_non_null(find(world, RULE, GROUP_NONE, "old", "b"));
	assert_null(find(world, RULE, "berlin", "old", "b"));
}

static void a_row_that_says_another_group_than_its_key_is_passed_over(void **state)
{
	static const struct state_put rows[] = {
		{RULESET, "berlin/hub", "{\"name\": \"hub\"}", {0}},
		{RULESET, "-/two", "{\"name\": \"two\", \"resource_group\": \"berlin\"}", {0}},
	};
	struct part_case *world = *state;

	part_case_load(world, "region = \"west\";", rows, 2);
	assert_int_equal(world->parts.count, 0);
	assert_true(
		part_case_says(world, "a row at \"berlin/hub\" which was not written by sluice"));
	assert_true(part_case_says(world, "a row at \"-/two\" which was not written by sluice"));
}

static void what_is_inside_goes_with_the_one_of_its_group(void **state)
{
	static const struct state_put rows[] = {{RULE, "munich/hub/a", RULE_OF("a"), {0}},
						{RULE, "-/gone/b", RULE_OF("b"), {0}}};
	struct part_case *world = *state;

	part_case_load(world, "rulesets = ({ name = \"hub\"; resource_group = \"Berlin\"; });",
		       rows, 2);
	assert_int_equal(world->parts.count, 0);
	assert_true(world->parts.passed_over);
	assert_true(part_case_says(
		world, "is not in the configuration any more (the one of that name is in the "
		       "group \"Berlin\"), but 1 resource inside it is in the state; not served "
		       "until it is there "
		       "again; to remove it: DELETE /v1/rulesets/munich/hub/rules/a"));
	assert_true(part_case_says(world, "is not in the configuration any more, but 1 resource"));
}

static void the_state_repeats_the_file_in_the_same_group_only(void **state)
{
	static const struct state_put rows[] = {
		{RULESET, "berlin/hub", "{\"name\": \"HUB\", \"resource_group\": \"BERLIN\"}", {0}},
		{RULESET, "berlin/two", "{\"name\": \"two\", \"resource_group\": \"berlin\"}", {0}},
	};
	struct part_case *world = *state;

	part_case_load(world,
		       "rulesets = ({ name = \"hub\"; resource_group = \"Berlin\"; }, { name = "
		       "\"two\"; });",
		       rows, 2);
	assert_true(part_case_says(world, "is in the state, too, and says the same there"));
	assert_int_equal(world->faults.count, 1);
	assert_int_equal(world->parts.count, 2);
	assert_non_null(world->parts.items[0]->declared); /* hub */
	assert_null(world->parts.items[1]->declared); /* a second one, which the check refuses */
}

/* Of two of one name each is read again by its own path, whichever goes. */
static void a_refresh_is_of_the_one_in_that_group(void **state)
{
	static const struct state_put rows[] = {
		{RULESET,
		 "berlin/hub",
		 "{\"name\": \"hub\", \"resource_group\": \"berlin\"}",
		 {0}}};
	static const struct state_put moved[] = {
		{RULESET, "munich/hub", "{\"name\": \"hub\", \"resource_group\": \"munich\"}", {0}},
		{RULESET, "berlin/hub", NULL, {0}}};
	const struct path to_path = {kind_of_id(RULESET), "munich", {"hub", NULL}};
	const struct path from_path = {kind_of_id(RULESET), "berlin", {"hub", NULL}};
	const struct path *const to = &to_path, *const from = &from_path;
	struct part_case *world = *state;
	char error[SOURCE_ERROR_MAX];

	part_case_load(world, "region = \"west\";", rows, 1);
	assert_int_equal(state_try(world->state, moved, 1, NULL), 0);
	assert_int_equal(parts_refresh(&world->parts, world->state->source, &to, 1, false, 0,
				       world->declared, &world->faults, error),
			 0);
	assert_int_equal(world->parts.count, 2);
	assert_int_equal(state_try(world->state, moved + 1, 1, NULL), 0);
	assert_int_equal(parts_refresh(&world->parts, world->state->source, &from, 1, true, 0,
				       world->declared, &world->faults, error),
			 0);
	assert_int_equal(world->parts.count, 1);
	part_case_compose(world);
	assert_null(find(world, RULESET, "berlin", "hub", NULL));
	assert_non_null(find(world, RULESET, "munich", "hub", NULL));
}

/* Two edits of one item, which write its name in different letters, are about one row. */
static void a_refresh_reads_each_row_once_and_keeps_the_others(void **state)
{
	static const struct state_put rows[] = {{RULESET, "-/hub", "{\"name\": \"hub\"}", {0}},
						{RULE, "-/hub/a", RULE_OF("a"), {0}},
						{RULE, "-/hub/b", RULE_OF("b"), {0}},
						{RULE, "-/hub/d", RULE_OF("d"), {0}}};
	static const struct state_put edited[] = {{RULE, "-/hub/a", NULL, {0}},
						  {RULE, "-/hub/c", RULE_OF("c"), {0}}};
	const struct path hub = {kind_of_id(RULESET), GROUP_NONE, {"hub", NULL}};
	const struct path a = {kind_of_id(RULE), GROUP_NONE, {"hub", "a"}};
	const struct path c = {kind_of_id(RULE), GROUP_NONE, {"HUB", "C"}};
	const struct path again = {kind_of_id(RULE), GROUP_NONE, {"hub", "c"}};
	const struct path *const paths[] = {&again, &hub, &c, &a, &hub};
	const char *const names[] = {"b", "c", "d"};
	struct part_case *world = *state;
	char error[SOURCE_ERROR_MAX];
	const void *kept;

	part_case_load(world, "region = \"west\";", rows, 4);
	kept = world->parts.items[0]->rows.items[2]->item;
	assert_int_equal(state_try(world->state, edited, 2, NULL), 0);
	assert_int_equal(parts_refresh(&world->parts, world->state->source, paths, 5, false, 0,
				       world->declared, &world->faults, error),
			 0);
	assert_int_equal(world->faults.count, 0);
	assert_int_equal(world->parts.items[0]->rows.count, 4);
	assert_ptr_equal(world->parts.items[0]->rows.items[1]->item, kept); /* b is shared */
	part_case_compose(world);
	assert_null(find(world, RULE, GROUP_NONE, "hub", "a"));
	for (size_t i = 0; i < 3; i++)
		assert_string_equal(
			part_name(kind_of_id(RULE), find(world, RULE, GROUP_NONE, "hub", names[i])),
			names[i]);
	assert_null(find(world, RULE, GROUP_NONE, "hub", "e"));
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, part_case_set_up, part_case_tear_down)
	const struct CMUnitTest tests[] = {
		TEST(a_path_has_its_group_in_every_form),
		TEST(what_is_at_the_top_has_a_group_and_nothing_else),
		TEST(what_is_missing_is_said_to_be_elsewhere),
		TEST(rows_are_in_the_group_of_their_key),
		TEST(a_row_that_says_another_group_than_its_key_is_passed_over),
		TEST(what_is_inside_goes_with_the_one_of_its_group),
		TEST(the_state_repeats_the_file_in_the_same_group_only),
		TEST(a_refresh_is_of_the_one_in_that_group),
		TEST(a_refresh_reads_each_row_once_and_keeps_the_others),
	};

	return cmocka_run_group_tests_name("part", tests, NULL, NULL);
}
