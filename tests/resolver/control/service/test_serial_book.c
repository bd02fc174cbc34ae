/* Serials in a state: what a new process finds after a rest, and after a kill. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "resolver/control/service/serial_book.h"
#include "tests/lib/addresses_fixture.h"

struct world {
	struct addresses_fixture *fixture;
	uv_loop_t loop;
	struct serial_book book;
	struct serial_keeper keeper;
};

static void open_book(struct world *world)
{
	memset(&world->book, 0, sizeof world->book);
	assert_int_equal(uv_loop_init(&world->loop), 0);
	assert_int_equal(serial_book_open(&world->book, &world->loop,
					  resources_store(world->fixture->resources),
					  &world->keeper),
			 0);
}

static void close_book(struct world *world)
{
	uv_close((uv_handle_t *)&world->book.rest, NULL);
	uv_run(&world->loop, UV_RUN_DEFAULT);
	assert_int_equal(uv_loop_close(&world->loop), 0);
	serial_book_release(&world->book);
}

static int setup(void **state)
{
	struct world *world = calloc(1, sizeof *world);

	world->fixture = addresses_fixture_new(FIXTURE_WORLD);
	open_book(world);
	*state = world;
	return 0;
}

static int teardown(void **state)
{
	struct world *world = *state;

	close_book(world);
	addresses_fixture_free(world->fixture);
	free(world);
	return 0;
}

/* Ends without a word, and begins again. */
static void kill_it(struct world *world)
{
	close_book(world);
	addresses_fixture_restart(world->fixture);
	open_book(world);
}

static void keep(struct world *world, const char *name, uint32_t serial, uint64_t digest,
		 bool reverse)
{
	struct transfer_zone zone = {.text = (char *)(uintptr_t)name,
				     .serial = serial,
				     .content = {.digest = digest},
				     .reverse = reverse};
	const struct transfer_zone *zones[] = {&zone};

	world->keeper.keep(world->keeper.context, zones, 1);
}

static void recalls(struct world *world, const char *zone, uint32_t serial, uint32_t reserved,
		    uint64_t digest)
{
	struct kept_serial kept;

	assert_true(world->keeper.recall(world->keeper.context, zone, &kept));
	assert_int_equal(kept.serial, serial);
	assert_int_equal(kept.reserved, reserved);
	assert_int_equal(kept.digest, digest);
}

static bool knows(struct world *world, const char *zone)
{
	struct kept_serial kept;

	return world->keeper.recall(world->keeper.context, zone, &kept);
}

static void what_rests_is_found_as_it_was(void **state)
{
	struct world *world = *state;

	assert_false(knows(world, "z.test."));
	keep(world, "z.test.", 100, UINT64_MAX, true);
	keep(world, "y.test.", 7, 8, true);
	serial_book_rest(&world->book);
	kill_it(world);
	recalls(world, "z.test.", 100, 100, UINT64_MAX);
	recalls(world, "y.test.", 7, 7, 8);
	assert_false(knows(world, "x.test."));
}

static void after_a_kill_nothing_that_was_given_out_is_beyond_what_was_reserved(void **state)
{
	struct world *world = *state;

	keep(world, "z.test.", 100, 1, true);
	serial_book_rest(&world->book);
	for (uint32_t serial = 101; serial <= 101 + SERIAL_RESERVE; serial++)
		keep(world, "z.test.", serial, serial, true);
	kill_it(world);
	recalls(world, "z.test.", 101, 101 + SERIAL_RESERVE, 101); /* one write */
	kill_it(world);
	recalls(world, "z.test.", 101, 101 + SERIAL_RESERVE, 101);
}

static void one_beyond_what_was_reserved_is_written_first(void **state)
{
	struct world *world = *state;
	uint32_t beyond = 102 + SERIAL_RESERVE;

	keep(world, "z.test.", 100, 1, true);
	serial_book_rest(&world->book);
	keep(world, "z.test.", 101, 2, true);
	keep(world, "z.test.", beyond, 3, true);
	kill_it(world);
	recalls(world, "z.test.", beyond, beyond + SERIAL_RESERVE, 3);
}

/* As of a zone that another one's serial goes on in. */
static void a_first_serial_ahead_of_the_clock_is_written(void **state)
{
	struct world *world = *state;
	uint32_t ahead = (uint32_t)time(NULL) + 1000;

	keep(world, "z.test.", ahead, 1, true);
	keep(world, "y.test.", ahead - 2000, 1, true);
	kill_it(world);
	recalls(world, "z.test.", ahead, ahead + SERIAL_RESERVE, 1);
	assert_false(knows(world, "y.test."));
}

static void a_zones_first_change_is_reserved_though_its_first_serial_was_not_written(void **state)
{
	struct world *world = *state;

	keep(world, "z.test.", 100, 1, true);
	keep(world, "z.test.", 101, 2, true);
	kill_it(world);
	recalls(world, "z.test.", 101, 101 + SERIAL_RESERVE, 2);
}

static void a_rest_after_a_kill_settles_it(void **state)
{
	struct world *world = *state;

	keep(world, "z.test.", 100, 1, true);
	keep(world, "z.test.", 101, 2, true);
	kill_it(world);
	recalls(world, "z.test.", 101, 101 + SERIAL_RESERVE, 2);
	keep(world, "z.test.", 500, 2, true);
	serial_book_rest(&world->book);
	kill_it(world);
	recalls(world, "z.test.", 500, 500, 2);
}

static void a_private_zone_is_written_as_it_is(void **state)
{
	struct world *world = *state;

	keep(world, "z.test.", 100, 1, false);
	keep(world, "z.test.", 101, 2, false);
	kill_it(world);
	recalls(world, "z.test.", 101, 101, 2);
}

static void a_private_zone_that_is_edited_is_written_ahead(void **state)
{
	struct world *world = *state;
	struct transfer_zone zone = {.text = (char *)(uintptr_t) "z.test.", .editable = true};
	const struct transfer_zone *zones[] = {&zone};

	for (zone.serial = 100; zone.serial < 110; zone.serial++) {
		zone.content.digest = zone.serial;
		world->keeper.keep(world->keeper.context, zones, 1);
	}
	kill_it(world);
	recalls(world, "z.test.", 101, 101 + SERIAL_RESERVE, 101);
}

/* A zone that a reload left out and another brought back, in one process. */
static void a_zone_that_comes_back_is_as_it_was_last(void **state)
{
	struct world *world = *state;

	keep(world, "z.test.", 100, 1, true);
	keep(world, "z.test.", 140, 2, true);
	recalls(world, "z.test.", 140, 140, 2);
}

/* Another book on the same state, as a successor has it, gives this serial out. */
static void another_keeps(struct world *world, const char *zone, uint32_t serial, uint64_t digest)
{
	struct world other = {.fixture = world->fixture};

	open_book(&other);
	keep(&other, zone, serial, digest, true);
	serial_book_rest(&other.book);
	close_book(&other);
}

static void a_book_that_is_handed_over_is_at_rest_and_writes_nothing(void **state)
{
	struct world *world = *state;

	keep(world, "z.test.", 100, 1, true);
	keep(world, "z.test.", 101, 2, true);
	serial_book_hand_over(&world->book);
	another_keeps(world, "z.test.", 200, 3);
	keep(world, "z.test.", 102, 4, true);
	keep(world, "y.test.", 7, 8, true);
	keep(world, "y.test.", 8, 9, true);
	serial_book_rest(&world->book);
	assert_false(uv_is_active((uv_handle_t *)&world->book.rest));
	kill_it(world);
	recalls(world, "z.test.", 200, 200, 3);
	assert_false(knows(world, "y.test."));
}

static void what_was_handed_over_was_written(void **state)
{
	struct world *world = *state;

	keep(world, "z.test.", 100, 1, true);
	keep(world, "z.test.", 101, 2, true);
	serial_book_hand_over(&world->book);
	kill_it(world);
	recalls(world, "z.test.", 101, 101, 2);
}

static void a_book_that_is_taken_goes_by_what_the_other_one_has_left(void **state)
{
	struct world *world = *state;

	keep(world, "z.test.", 100, 1, true);
	serial_book_hand_over(&world->book);
	keep(world, "z.test.", 101, 2, true);
	another_keeps(world, "z.test.", 200, 3);
	serial_book_take(&world->book);
	recalls(world, "z.test.", 200, 200, 3);
	keep(world, "z.test.", 201, 4, true);
	serial_book_rest(&world->book);
	kill_it(world);
	recalls(world, "z.test.", 201, 201, 4);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(what_rests_is_found_as_it_was),
		TEST(after_a_kill_nothing_that_was_given_out_is_beyond_what_was_reserved),
		TEST(one_beyond_what_was_reserved_is_written_first),
		TEST(a_first_serial_ahead_of_the_clock_is_written),
		TEST(a_zones_first_change_is_reserved_though_its_first_serial_was_not_written),
		TEST(a_rest_after_a_kill_settles_it),
		TEST(a_private_zone_is_written_as_it_is),
		TEST(a_private_zone_that_is_edited_is_written_ahead),
		TEST(a_zone_that_comes_back_is_as_it_was_last),
		TEST(a_book_that_is_handed_over_is_at_rest_and_writes_nothing),
		TEST(what_was_handed_over_was_written),
		TEST(a_book_that_is_taken_goes_by_what_the_other_one_has_left),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
