/* Items of the configuration file beside rows of the state: both are found and listed together, by
 * every connection, and the state takes no row that has a key of an item. */
#include "resolver/control/store/file_rows.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "rules/base.h"
#include "tests/lib/state_case.h"

#define ID "00000000-0000-4000-8000-0000000000"

struct item {
	unsigned kind;
	const char *path;
	struct source_keys keys;
};

/* The file's items have even addresses, the state's rows odd ones. */
static const struct item items[] = {
	{KIND_ADDRESS, "-/two", {.id = ID "02", .address = {4, {10, 0, 0, 2}}, .group = ""}},
	{KIND_ADDRESS,
	 "web/four",
	 {.id = ID "04", .address = {4, {10, 0, 0, 4}}, .group = "web", .host = "four.east"}},
	{KIND_SERVICE, "-/six", {.id = ID "06", .address = {4, {10, 0, 0, 6}}}},
};
static const struct state_put rows[] = {
	{KIND_ADDRESS, "-/one", "{}", {.id = ID "01", .address = {4, {10, 0, 0, 1}}, .group = ""}},
	{KIND_ADDRESS,
	 "web/three",
	 "{}",
	 {.id = ID "03", .address = {4, {10, 0, 0, 3}}, .group = "web"}},
	{KIND_ADDRESS, "-/five", "{}", {.id = ID "05", .address = {4, {10, 0, 0, 5}}, .group = ""}},
};

static struct file_rows *filled(size_t count)
{
	char error[SOURCE_ERROR_MAX];
	struct file_rows *filed = file_rows_new(error);

	assert_non_null(filed);
	for (size_t i = 0; i < count; i++)
		assert_int_equal(
			file_rows_add(filed, items[i].kind, items[i].path, &items[i].keys, error),
			0);
	assert_int_equal(file_rows_end(filed, error), 0);
	return filed;
}

static void attach(struct source *source, struct file_rows *filed)
{
	char error[SOURCE_ERROR_MAX];

	assert_int_equal(source->calls->attach(source, filed, error), 0);
}

static int set_up(void **state)
{
	struct state_case *world = state_case_new();
	struct file_rows *filed = filled(COUNT(items));

	*state = world;
	state_case_open(world);
	assert_int_equal(state_try(world, rows, COUNT(rows), NULL), 0);
	attach(world->source, filed);
	file_rows_free(filed); /* the source keeps them */
	return 0;
}

static int tear_down(void **state)
{
	state_case_free(*state);
	return 0;
}

/* "10.0.0.1 " for a row of the state, "10.0.0.2=1 " for the first item. */
struct heard {
	char text[256];
	size_t used;
};

static int hear(void *context, const struct source_resource *row)
{
	struct heard *heard = context;
	char address[ADDRESS_TEXT_MAX], number[32] = "";

	if (row->number)
		snprintf(number, sizeof number, "=%zu", row->number);
	assert_int_equal(row->json == NULL, row->number > 0);
	heard->used +=
		(size_t)snprintf(heard->text + heard->used, sizeof heard->text - heard->used,
				 "%s%s ", address_print(&row->keys->address, address), number);
	return 0;
}

static int hear_alike(void *context, const struct source_resource *row)
{
	struct heard *heard = context;

	assert_string_equal(row->json, "{}");
	heard->used += (size_t)snprintf(heard->text + heard->used, sizeof heard->text - heard->used,
					"%s=%zu ", row->path, row->number);
	return 0;
}

static void check_page(struct source *source, const struct source_page *page, const char *expected)
{
	struct heard heard = {.used = 0};
	char error[SOURCE_ERROR_MAX];

	assert_int_equal(source->calls->page(source, page, hear, &heard, error), 0);
	assert_string_equal(heard.text, expected);
}

static void check_found(struct source *source, enum source_by by, const char *text,
			const char *expected)
{
	struct heard heard = {.used = 0};
	char error[SOURCE_ERROR_MAX];

	assert_int_equal(
		source->calls->find(source, by, KIND_ADDRESS, text, NULL, hear, &heard, error), 0);
	assert_string_equal(heard.text, expected);
}

static void both_are_found_and_listed_in_one_order(void **state)
{
	struct state_case *world = *state;
	struct source *source = world->source;
	const struct address first = {0}, third = {4, {10, 0, 0, 3}};
	size_t count;

	check_found(source, SOURCE_BY_ID, ID "02", "10.0.0.2=1 ");
	check_found(source, SOURCE_BY_ID, ID "01", "10.0.0.1 ");
	check_found(source, SOURCE_BY_HOST, "four.east", "10.0.0.4=2 ");
	check_found(source, SOURCE_BY_PATH, "web/four", "10.0.0.4=2 ");
	check_found(source, SOURCE_BY_ROW, "web/four", "");
	check_found(source, SOURCE_BY_ROW, "web/three", "10.0.0.3 ");
	check_page(source, &(struct source_page){.address = &first, .limit = 99},
		   "10.0.0.1 10.0.0.2=1 10.0.0.3 10.0.0.4=2 10.0.0.5 10.0.0.6=3 ");
	check_page(source,
		   &(struct source_page){.kind = KIND_ADDRESS, .address = &third, .limit = 99},
		   "10.0.0.4=2 10.0.0.5 ");
	check_page(source,
		   &(struct source_page){.kind = KIND_ADDRESS, .address = &first, .limit = 2},
		   "10.0.0.1 10.0.0.2=1 ");
	check_page(source,
		   &(struct source_page){
			   .kind = KIND_ADDRESS, .group = "web", .address = &first, .limit = 99},
		   "10.0.0.3 10.0.0.4=2 ");
	check_page(source, &(struct source_page){.kind = KIND_ADDRESS, .limit = 99},
		   "10.0.0.5 10.0.0.1 10.0.0.2=1 10.0.0.4=2 10.0.0.3 ");
	assert_int_equal(source->calls->count(source, KIND_ADDRESS, "web", &count, world->error),
			 0);
	assert_int_equal(count, 2);
}

static void the_state_takes_no_row_with_a_key_of_an_item(void **state)
{
	static const struct state_put taken[] = {
		{KIND_ADDRESS, "-/new", "{}", {.id = ID "02", .address = {4, {10, 0, 0, 9}}}},
		{KIND_ADDRESS, "-/new", "{}", {.id = ID "09", .address = {4, {10, 0, 0, 6}}}},
		{KIND_ADDRESS, "-/new", "{}", {.id = ID "09", .host = "four.east"}},
		{KIND_ADDRESS, "-/two", "{}", {.id = ID "09"}},
		{KIND_ADDRESS, "-/one", "{}", {.id = ID "01", .address = {4, {10, 0, 0, 2}}}},
	};
	static const struct state_put other[] = {
		{KIND_SERVICE, "-/two", "{}", {.id = ID "11"}},
		{KIND_GROUP, "-/two", "{}", {.id = NULL}},
		{KIND_ADDRESS, "-/one", "{\"a\": 1}", {.id = ID "01"}},
	};
	struct state_case *world = *state;

	for (size_t i = 0; i < COUNT(taken); i++)
		assert_int_equal(state_try(world, &taken[i], 1, NULL), ERR_EXISTS);
	assert_int_equal(state_try(world, other, COUNT(other), NULL), 0);
	attach(world->source, NULL);
	assert_int_equal(state_try(world, &taken[3], 1, NULL), 0);
}

static void rows_alike_come_with_the_number_of_the_item(void **state)
{
	static const struct state_put alike[] = {
		{KIND_ADDRESS, "-/a", "{}", {.id = ID "06", .address = {4, {10, 0, 0, 2}}}},
		{KIND_ADDRESS, "web/four", "{}", {.id = ID "08", .address = {4, {10, 0, 0, 8}}}},
		{KIND_SERVICE, "-/h", "{}", {.id = ID "10", .address = {4, {10, 0, 0, 10}}}},
	};
	struct state_case *world = *state;
	struct file_rows *filed = filled(COUNT(items));
	struct heard heard = {.used = 0};

	attach(world->source, NULL);
	assert_int_equal(state_try(world, alike, COUNT(alike), NULL), 0);
	attach(world->source, filed);
	file_rows_free(filed);
	assert_int_equal(
		world->source->calls->alike(world->source, hear_alike, &heard, world->error), 0);
	assert_string_equal(heard.text, "-/a=1 web/four=2 -/a=3 ");
}

static void other_connections_have_them_too_and_a_later_file_replaces_them(void **state)
{
	struct state_case *world = *state;
	struct source *source = world->source;
	struct source *other = source->calls->another(source, world->error), *view;
	struct file_rows *later = filled(1);

	check_found(other, SOURCE_BY_ID, ID "04", "10.0.0.4=2 ");
	source->calls->join(source, other);
	view = source->calls->view(source, world->error);
	attach(source, later);
	file_rows_free(later);
	check_found(source, SOURCE_BY_ID, ID "04", "");
	check_found(source, SOURCE_BY_ID, ID "02", "10.0.0.2=1 ");
	check_found(view, SOURCE_BY_ID, ID "04", "10.0.0.4=2 ");
	source_close(view);
}

static void without_a_state_the_items_can_be_read(void **state)
{
	struct state_case *world = *state;
	struct source *empty = source_open_empty(world->error);
	struct file_rows *filed = filled(COUNT(items));
	uint64_t revision;

	assert_non_null(empty);
	attach(empty, filed);
	file_rows_free(filed);
	check_found(empty, SOURCE_BY_ID, ID "04", "10.0.0.4=2 ");
	check_page(empty, &(struct source_page){.kind = KIND_SERVICE, .limit = 9}, "10.0.0.6=3 ");
	assert_int_not_equal(empty->calls->begin(empty, "test", &revision, world->error), 0);
	source_close(empty);
}

#define T(test) cmocka_unit_test_setup_teardown(test, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		T(both_are_found_and_listed_in_one_order),
		T(the_state_takes_no_row_with_a_key_of_an_item),
		T(rows_alike_come_with_the_number_of_the_item),
		T(other_connections_have_them_too_and_a_later_file_replaces_them),
		T(without_a_state_the_items_can_be_read),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
