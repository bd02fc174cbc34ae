/* What a zone that goes out keeps of its past, and what that costs. */
#include "resolver/transfer/zone.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

#include "resolver/transfer/stream.h"
#include "tests/lib/served_zones.h"

static void the_past_reaches_256_versions_back_and_no_further(void **state)
{
	struct served_zones *f = *state;

	served_compile(f, SERVED_NOW);
	for (unsigned i = 1; i <= TRANSFER_PAST + 1; i++)
		served_point(f, "198.51.100.7", i % 2 ? "a.test." : "b.test.", SERVED_NOW + i);
	assert_int_equal(served_zone(f, SERVED_REVERSE)->past_count, TRANSFER_PAST);
	assert_int_equal(served_zone(f, SERVED_REVERSE)->past[0]->serial, SERVED_NOW + 1);
}

/* Gives each of so many addresses from 51.0.0.0 on this name. */
static void advance_many(struct served_zones *f, unsigned count, const char *target, uint64_t now_s)
{
	struct owned_draft *draft = owned_edit(f->policy->owned);
	char address[32];

	for (unsigned i = 0; i < count; i++) {
		snprintf(address, sizeof address, "51.%u.%u.%u", i >> 16, i >> 8 & 255, i & 255);
		served_set_ptr(draft, address, target);
	}
	served_advance(f, draft, now_s);
}

static size_t held(const struct transfer_zone *of)
{
	size_t bytes = 0;

	for (size_t i = 0; i < of->past_count; i++)
		bytes += transfer_delta_bytes(of->past[i]);
	return bytes;
}

#define WIDE       "51.in-addr.arpa."
#define LONG_LABEL "abcdefghijklmnopqrstuvwxyzabcdefghijklmnopqrstuvwxyzabcdefghijk"
#define LONG_NAME  LONG_LABEL "." LONG_LABEL "." LONG_LABEL "."

/* Six zones share what there is. */
static void what_is_kept_of_the_past_is_bounded_in_bytes(void **state)
{
	enum { MANY = 4000 }; /* PTRs of some 230 bytes, gone and new in each change */
	struct served_zones *f = *state;
	size_t most = 0, fewest = SIZE_MAX;

	model_add_pool(f->model, "wide", "51.0.0.0/8");
	served_compile(f, SERVED_NOW);
	const size_t share = TRANSFER_PAST_BYTES / f->table->count;
	for (unsigned i = 1; i <= 24; i++) {
		advance_many(f, MANY, i % 2 ? "a." LONG_NAME : "b." LONG_NAME, SERVED_NOW + i);
		const struct transfer_zone *of = served_zone(f, WIDE);
		assert_int_equal(of->past_bytes, held(of));
		assert_true(of->past_bytes <= share);
		most = of->past_bytes > most ? of->past_bytes : most;
		fewest = of->past_count < fewest ? of->past_count : fewest;
	}
	const struct transfer_zone *of = served_zone(f, WIDE);
	assert_true(of->past_count > 0 && of->past_count < 24);
	assert_true(most > share / 2);
	assert_int_equal(of->past[of->past_count - 1]->serial,
			 SERVED_NOW + 23); /* the latest are there */
	/* A small change beside it costs little, and takes nothing from the others. */
	served_point(f, "198.51.100.7", "a.test.", SERVED_NOW + 30);
	assert_true(served_zone(f, SERVED_REVERSE)->past_bytes < 512);
	assert_ptr_equal(served_zone(f, WIDE), of);
}

static void a_change_that_is_too_large_to_be_kept_ends_the_past(void **state)
{
	enum { MANY = 60000 };
	struct served_zones *f = *state;
	size_t version;

	model_add_pool(f->model, "wide", "51.0.0.0/8");
	served_compile(f, SERVED_NOW);
	advance_many(f, 1, "a.test.", SERVED_NOW + 1);
	assert_int_equal(served_zone(f, WIDE)->past_count, 1);
	advance_many(f, MANY, "a." LONG_NAME, SERVED_NOW + 2);
	assert_int_equal(served_zone(f, WIDE)->past_count, 0);
	assert_int_equal(served_zone(f, WIDE)->past_bytes, 0);
	assert_int_equal(served_zone(f, WIDE)->serial, SERVED_NOW + 2);
	assert_int_equal(transfer_stream_kind(served_zone(f, WIDE), SERVED_NOW + 1, &version),
			 STREAM_WHOLE);
	advance_many(f, 1, "b.test.", SERVED_NOW + 3);
	assert_int_equal(transfer_stream_kind(served_zone(f, WIDE), SERVED_NOW + 2, &version),
			 STREAM_CHANGES);
}

/* Nor is it made and thrown away: it is given up as soon as it is seen to be too large. */
static void a_delta_ends_where_its_room_does(void **state)
{
	struct served_zones *f = *state;

	served_compile(f, SERVED_NOW);
	served_point(f, "198.51.100.7", "a.test.", SERVED_NOW + 1);
	const struct transfer_zone *of = served_zone(f, SERVED_REVERSE);
	size_t bytes = transfer_delta_bytes(of->past[0]);
	struct transfer_delta *delta =
		transfer_delta_of_ptrs(of, f->before->policy->owned, f->policy->owned, bytes);
	assert_non_null(delta);
	assert_int_equal(transfer_delta_bytes(delta), bytes);
	transfer_delta_unref(delta);
	assert_null(
		transfer_delta_of_ptrs(of, f->before->policy->owned, f->policy->owned, bytes - 1));
	assert_null(transfer_delta_of_zones(of->zone, of->apex, 16));
}

/* More zones are less for each, also for those that did not change. */
static void a_share_that_becomes_smaller_is_kept_to(void **state)
{
	enum { MANY = 4000, ZONES = 60 };
	struct served_zones *f = *state;

	model_add_pool(f->model, "wide", "51.0.0.0/8");
	served_compile(f, SERVED_NOW);
	for (unsigned i = 1; i <= 4; i++)
		advance_many(f, MANY, i % 2 ? "a." LONG_NAME : "b." LONG_NAME, SERVED_NOW + i);
	assert_int_equal(served_zone(f, WIDE)->past_count, 4);
	uint32_t serial = served_zone(f, WIDE)->serial;
	f->model->owned = owned_ref(f->policy->owned);
	for (unsigned i = 0; i < ZONES; i++) {
		char name[16], prefix[32];
		snprintf(name, sizeof name, "p%u", i);
		snprintf(prefix, sizeof prefix, "52.%u.0.0/16", i);
		model_add_pool(f->model, name, prefix);
	}
	served_compile(f, SERVED_NOW + 10);
	assert_int_equal(served_zone(f, WIDE)->serial, serial);
	assert_true(served_zone(f, WIDE)->past_bytes <= TRANSFER_PAST_BYTES / f->table->count);
	assert_true(served_zone(f, WIDE)->past_count < 4);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, served_set_up, served_tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(the_past_reaches_256_versions_back_and_no_further),
		TEST(what_is_kept_of_the_past_is_bounded_in_bytes),
		TEST(a_change_that_is_too_large_to_be_kept_ends_the_past),
		TEST(a_delta_ends_where_its_room_does),
		TEST(a_share_that_becomes_smaller_is_kept_to),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
