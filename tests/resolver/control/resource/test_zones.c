/* What private zones say: of the file and of rows, kept from one model to the next, and changed set
 * by set. */
#include "resolver/control/resource/home.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "rules/schema/record_set.h"
#include "tests/lib/part_case.h"

enum { ZONE = 6, RECORD_SET = 16, NOW_S = 1000 };

#define A(name, address) "{\"name\": \"" name ":A\", \"records\": [\"" address "\"]}"
#define CONFIG                                                                                     \
	"private_zones = ({ name = \"filed.test\"; record_sets = ("                                \
	"{ name = \"www:A\"; records = [ \"10.0.0.1\" ]; }); });"

static const struct hash_key key;

static struct home_rows rows_for(struct part_case *world, struct model *model)
{
	return (struct home_rows){.source = world->state->source,
				  .model = model,
				  .parts = &world->parts,
				  .key = &key,
				  .now_s = NOW_S};
}

/* The rows, beside a file that says CONFIG, as a start reads them. */
static void load(struct part_case *world, const struct state_put *rows, size_t count)
{
	char error[SOURCE_ERROR_MAX];
	struct home_rows read;

	part_case_load(world, CONFIG, rows, count);
	read = rows_for(world, world->model);
	assert_int_equal(homes_load(&read, &world->faults, error), 0);
}

static const struct zone *zone_of(const struct model *model, const char *name)
{
	const struct path path = {kind_of_id(ZONE), GROUP_NONE, {name, NULL}};
	const struct private_zone *zone = part_find(model, &path);

	assert_non_null(zone);
	assert_non_null(zone->zone);
	return zone->zone;
}

static bool has(const struct model *model, const char *zone, const char *set)
{
	return record_set_is_there(zone_of(model, zone), set);
}

static struct home_change change_of(struct part_case *world, struct model *model)
{
	return (struct home_change){
		.model = model, .before = world->model, .now_s = NOW_S, .faults = &world->faults};
}

static int put(struct homes_draft *draft, const char *zone, const char *set, const char *json)
{
	const struct path path = {kind_of_id(RECORD_SET), GROUP_NONE, {zone, set}};
	json_t *values = json ? json_loads(json, 0, NULL) : NULL;
	const struct resource_edit edit = {.path = path, .values = values};
	int err = homes_put(draft, &edit);

	json_decref(values);
	return err;
}

/* ---- rows ---- */

static const struct state_put rows[] = {
	{ZONE, "-/own.test", "{\"name\": \"own.test\"}", {0}},
	{ZONE, "-/bare.test", "{\"name\": \"bare.test\"}", {0}},
	{RECORD_SET, "-/own.test/a:a", A("a", "10.0.0.2"), {0}},
	{RECORD_SET, "-/filed.test/b:a", A("b", "10.0.0.3"), {0}},
	{RECORD_SET, "-/gone.test/c:a", A("c", "10.0.0.4"), {0}},
};
enum { ROWS = sizeof rows / sizeof *rows };

static void zones_say_what_the_file_and_the_rows_say(void **state)
{
	struct part_case *world = *state;

	load(world, rows, ROWS);
	assert_true(has(world->model, "own.test", "a:A"));
	assert_true(has(world->model, "filed.test", "www:A"));
	assert_true(has(world->model, "filed.test", "b:A"));
	assert_int_equal(zone_record_sets(zone_of(world->model, "bare.test")), 1); /* its SOA */
	assert_false(has(world->declared, "filed.test", "b:A"));
	assert_true(world->parts.passed_over);
	assert_int_equal(world->faults.count, 1);
	assert_int_equal(
		part_case_says(world, "is not in the configuration any more, but 1 record set"), 1);
}

static void a_row_that_repeats_the_file_is_a_warning_and_another_a_fault(void **state)
{
	static const struct state_put same[] = {
		{RECORD_SET, "-/filed.test/www:a", A("www", "10.0.0.1"), {0}}};
	static const struct state_put other[] = {
		{RECORD_SET, "-/filed.test/www:a", A("www", "10.0.0.9"), {0}}};
	const struct path zone = {kind_of_id(ZONE), GROUP_NONE, {"filed.test", NULL}};
	struct part_case *world = *state;
	char error[SOURCE_ERROR_MAX];
	struct home_rows read;

	load(world, same, 1);
	assert_int_equal(part_case_says(world, "is in the state, too, and says the same there"), 1);
	assert_int_equal(world->faults.errors, 0);
	assert_int_equal(state_try(world->state, other, 1, NULL), 0);
	read = rows_for(world, world->model);
	assert_int_equal(homes_read(&read, &zone, &world->faults, error), ERR_FAULTS);
	assert_int_equal(part_case_says(world, "says something else there; remove one of them"), 1);
}

/* The check refuses two of one name; until then each is found by its own path. */
static void of_two_of_one_name_each_has_its_own_sets(void **state)
{
	static const struct state_put two[] = {
		{ZONE,
		 "berlin/own.test",
		 "{\"name\": \"own.test\", \"resource_group\": \"berlin\"}",
		 {0}},
		{ZONE, "-/own.test", "{\"name\": \"own.test\"}", {0}},
		{ZONE,
		 "munich/own.test",
		 "{\"name\": \"own.test\", \"resource_group\": \"munich\"}",
		 {0}},
		{RECORD_SET, "-/own.test/a:a", A("a", "10.0.0.2"), {0}},
		{RECORD_SET, "munich/own.test/b:a", A("b", "10.0.0.2"), {0}},
	};
	static const char *const groups[] = {GROUP_NONE, "Berlin", "munich"};
	struct part_case *world = *state;

	load(world, two, sizeof two / sizeof *two);
	for (size_t i = 0; i < 3; i++) {
		const struct path path = {kind_of_id(ZONE), groups[i], {"own.test", NULL}};
		const struct private_zone *zone = part_find(world->model, &path);

		assert_non_null(zone);
		assert_int_equal(record_set_is_there(zone->zone, "a:A"), i == 0);
		assert_int_equal(record_set_is_there(zone->zone, "b:A"), i == 2);
	}
	assert_int_equal(world->faults.count, 0);
}

/* ---- from one model to the next ---- */

static void zones_are_kept_and_one_that_is_made_again_is_read(void **state)
{
	const struct path own = {kind_of_id(ZONE), GROUP_NONE, {"own.test", NULL}};
	struct part_case *world = *state;
	char error[SOURCE_ERROR_MAX];
	struct home_rows read;
	struct model *next;

	load(world, rows, ROWS);
	next = model_compose(world->declared, world->parts.items, world->parts.count);
	assert_false(has(next, "filed.test", "b:A"));
	homes_keep(next, world->model);
	assert_ptr_equal(zone_of(next, "filed.test"), zone_of(world->model, "filed.test"));
	assert_ptr_equal(zone_of(next, "own.test"), zone_of(world->model, "own.test"));
	read = rows_for(world, next);
	assert_int_equal(homes_read(&read, &own, &world->faults, error), 0);
	assert_ptr_not_equal(zone_of(next, "own.test"), zone_of(world->model, "own.test"));
	assert_true(has(next, "own.test", "a:A"));
	model_free(next);
}

/* ---- edits ---- */

static void edits_are_in_the_model_that_gets_them_and_in_no_other(void **state)
{
	struct part_case *world = *state;
	struct home_change change;
	struct homes_draft draft;
	struct model *next;

	load(world, rows, ROWS);
	next = model_same(world->model);
	change = change_of(world, next);
	assert_int_equal(homes_edit(&draft, &change), 0);
	assert_int_equal(put(&draft, "own.test", "a:A", NULL), 0);
	assert_int_equal(put(&draft, "filed.test", "new:A", A("new", "10.0.0.5")), 0);
	assert_int_equal(put(&draft, "own.test", "d:A", A("d", "10.0.0.6")), 0);
	assert_int_equal(put(&draft, "own.test", "d:A", NULL), 0);
	assert_int_equal(put(&draft, "nowhere.test", "d:A", NULL), 0); /* it is not there */
	assert_int_equal(homes_commit(&draft), 0);
	assert_false(has(next, "own.test", "a:A"));
	assert_false(has(next, "own.test", "d:A"));
	assert_true(has(next, "filed.test", "new:A"));
	assert_true(has(world->model, "own.test", "a:A"));
	assert_false(has(world->model, "filed.test", "new:A"));
	assert_ptr_equal(zone_of(next, "bare.test"), zone_of(world->model, "bare.test"));
	/* It has what it shares as long as it needs that. */
	model_free(world->model);
	world->model = model_same(next);
	model_free(next);
	assert_true(has(world->model, "filed.test", "new:A"));
}

static void all_that_does_not_fit_is_told_and_of_a_missing_zone_once(void **state)
{
	struct part_case *world = *state;
	struct home_change change;
	struct homes_draft draft;
	size_t before;

	load(world, rows, ROWS);
	before = world->faults.errors;
	change = change_of(world, world->model);
	assert_int_equal(homes_edit(&draft, &change), 0);
	assert_int_equal(put(&draft, "no.test", "x:A", NULL), 0);
	assert_int_equal(put(&draft, "no.test", "a:A", A("a", "10.0.0.1")), ERR_FAULTS);
	assert_int_equal(put(&draft, "no.test", "b:A", A("b", "10.0.0.1")), ERR_FAULTS);
	assert_int_equal(put(&draft, "own.test", "b:A", A("b", "10.0.0")), ERR_FAULTS);
	assert_int_equal(put(&draft, "filed.test", "e:CNAME",
			     "{\"name\": \"e:CNAME\", \"records\": [\"a.test.\"]}"),
			 0);
	assert_int_equal(put(&draft, "filed.test", "e:A", A("e", "10.0.0.1")), 0);
	assert_int_equal(homes_commit(&draft), ERR_FAULTS);
	assert_int_equal(
		part_case_says(world, "there is no private zone \"no.test\"; make it first"), 1);
	assert_int_equal(world->faults.errors - before, 3);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, part_case_set_up, part_case_tear_down)
	const struct CMUnitTest tests[] = {
		TEST(zones_say_what_the_file_and_the_rows_say),
		TEST(a_row_that_repeats_the_file_is_a_warning_and_another_a_fault),
		TEST(of_two_of_one_name_each_has_its_own_sets),
		TEST(zones_are_kept_and_one_that_is_made_again_is_read),
		TEST(edits_are_in_the_model_that_gets_them_and_in_no_other),
		TEST(all_that_does_not_fit_is_told_and_of_a_missing_zone_once),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
