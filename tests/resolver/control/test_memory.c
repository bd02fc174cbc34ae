/* What the management plane does when there is no memory: it refuses, and what answers DNS goes on.
 * The linker puts our malloc in the place of the C library's (Makefile). */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "resolver/control/resource/change_error.h"
#include "resolver/control/resource/group.h"
#include "resolver/control/resource/resources.h"
#include "resolver/control/service/serial_book.h"
#include "tests/lib/addresses_fixture.h"

void *__real_malloc(size_t size);
void *__real_calloc(size_t count, size_t size);
void *__wrap_malloc(size_t size);
void *__wrap_calloc(size_t count, size_t size);

enum { ENOUGH = -1 };
static int left = ENOUGH; /* so many more are had, and then none */

static bool is_out(void)
{
	if (left > 0)
		left--;
	else if (left == 0)
		return true;
	return false;
}

void *__wrap_malloc(size_t size)
{
	return is_out() ? NULL : __real_malloc(size);
}

void *__wrap_calloc(size_t count, size_t size)
{
	return is_out() ? NULL : __real_calloc(count, size);
}

/* ---- changes ---- */

#define ADDRESS "198.51.100.40"

/* The only one of the state, in its only group: each of its tables becomes empty without it. */
static void add_lone(struct addresses_fixture *fixture)
{
	static const struct edit_value values[] = {{"name", "lone"},
						   {"resource_group", "g"},
						   {"address", ADDRESS},
						   {"domain_name_label", "lone"}};
	struct address_draft *draft = edit_begin(fixture->resources, "test");
	const struct owned_resource *resource;

	assert_int_equal(edit_add(draft, KIND_ADDRESS, values, 4, &resource), 0);
	assert_int_equal(
		edit_point(draft, resource,
			   &(struct owned_item){.reverse_fqdn = "l.test", .ttl = NOT_GIVEN}),
		0);
	assert_int_equal(edit_commit(draft), 0);
	edit_free(draft);
}

/* Removes it, adds another one in its place, and then thinks better of it. */
static void change_and_undo(struct addresses_fixture *fixture, int allocations)
{
	static const struct edit_value values[] = {{"name", "other"}, {"address", ADDRESS}};
	struct address_draft *draft = edit_begin(fixture->resources, "test");

	assert_int_equal(edit_remove_group(draft, "g", "11111111-2222-3333-4444-555555555555"), 0);
	assert_null(addresses_fixture_at(fixture, ADDRESS));
	left = allocations;
	int err = edit_add(draft, KIND_ADDRESS, values, 2, NULL);
	(void)err;
	edit_free(draft);
	left = ENOUGH;
}

static bool takes_changes(struct addresses_fixture *fixture)
{
	static const struct edit_value values[] = {{"name", "more"}};
	struct address_draft *draft = edit_begin(fixture->resources, "test");
	bool open = edit_add(draft, KIND_ADDRESS, values, 1, NULL) == 0;

	edit_free(draft);
	return open;
}

static bool is_whole(struct addresses_fixture *fixture)
{
	const struct owned_resource *resource = addresses_by_name(fixture->resources, "g", "lone");
	struct resource_group group;

	return resource && resource->item.reverse_fqdn &&
	       strcmp(addresses_fixture_at(fixture, ADDRESS)->item.id, resource->item.id) == 0 &&
	       group_find(fixture->resources, "g", &group) &&
	       group_size(fixture->resources, "g") == 1;
}

static void a_change_without_memory_leaves_everything_as_it_was(void **state)
{
	struct addresses_fixture *fixture = *state;

	add_lone(fixture);
	for (int allocations = 0; allocations < 100; allocations++) {
		change_and_undo(fixture, allocations);
		resources_forget(fixture->resources);
		assert_true(addresses_fixture_serves(fixture, ADDRESS, "l.test.", 3600));
		assert_true(addresses_fixture_resolves(fixture, "lone.east.cloudapp.azure.com",
						       ADDRESS));
		assert_true(takes_changes(fixture));
		assert_true(is_whole(fixture));
	}
}

/* ---- tables ---- */

static void a_serial_that_there_is_no_memory_for_is_not_kept_and_ends_nothing(void **state)
{
	struct addresses_fixture *fixture = *state;
	struct transfer_zone zone = {.text = (char[]){"z.test."}, .serial = 7};
	const struct transfer_zone *zones[] = {&zone};
	struct serial_book book = {0};
	struct serial_keeper keeper;
	struct kept_serial kept;
	uv_loop_t loop;

	assert_int_equal(uv_loop_init(&loop), 0);
	assert_int_equal(
		serial_book_open(&book, &loop, resources_store(fixture->resources), &keeper), 0);
	for (int allocations = 0; allocations < 4; allocations++) {
		left = allocations;
		keeper.keep(keeper.context, zones, 1);
		left = ENOUGH;
		if (allocations == 0)
			assert_false(keeper.recall(keeper.context, zone.text, &kept));
	}
	keeper.keep(keeper.context, zones, 1);
	assert_true(keeper.recall(keeper.context, zone.text, &kept));
	assert_int_equal(kept.serial, 7);
	uv_close((uv_handle_t *)&book.rest, NULL);
	uv_run(&loop, UV_RUN_DEFAULT);
	assert_int_equal(uv_loop_close(&loop), 0);
	serial_book_release(&book);
}

int main(void)
{
#define TEST(name)                                                                                 \
	cmocka_unit_test_setup_teardown(name, addresses_fixture_set_up, addresses_fixture_tear_down)
	const struct CMUnitTest tests[] = {
		TEST(a_change_without_memory_leaves_everything_as_it_was),
		TEST(a_serial_that_there_is_no_memory_for_is_not_kept_and_ends_nothing),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
