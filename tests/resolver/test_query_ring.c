/* A worker's ring: what is appended is read once and in order, what does not fit is lost and
 * counted, and a mark is passed when the reader is behind it. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <pthread.h>
#include <sched.h>
#include <string.h>

#include "resolver/query_ring.h"

static int set_up(void **state)
{
	static struct query_rings rings;

	*state = &rings;
	return query_rings_init(&rings, 2);
}

static int tear_down(void **state)
{
	query_rings_release(*state);
	return 0;
}

/* A record with its number as a question of so many bytes; false: it was lost. */
static bool append(struct query_ring *ring, uint32_t number, size_t length)
{
	struct query_record *record = query_ring_has_room(ring, length)
					      ? query_ring_append_at_once(ring, length)
					      : query_ring_append(ring, length);

	if (!record)
		return false;
	record->arrived_us = number;
	record->message_length = record->text_length = 0;
	record->question_length = (uint16_t)length;
	memset(record->data, (int)(number % 251), length);
	return true;
}

/* The next one's number, or -1. */
static int64_t read_one(struct query_ring *ring, uint64_t *at, uint64_t *left_us)
{
	const struct query_record *record = query_ring_read(ring, at, left_us);

	if (!record)
		return -1;
	for (size_t i = 0; i < record->question_length; i++)
		assert_int_equal(query_record_question(record)[i], record->arrived_us % 251);
	return (int64_t)record->arrived_us;
}

static void what_is_appended_is_read_after_the_commit_with_its_time(void **state)
{
	struct query_ring *ring = &((struct query_rings *)*state)->rings[0];
	uint64_t at = 0, left_us = 0;

	assert_true(append(ring, 1, 20));
	assert_true(append(ring, 2, 300));
	assert_int_equal(read_one(ring, &at, &left_us), -1);
	query_ring_commit_at(ring, 1000);
	assert_true(append(ring, 3, 20));
	assert_int_equal(read_one(ring, &at, &left_us), 1);
	assert_int_equal(left_us, 1000);
	assert_int_equal(read_one(ring, &at, &left_us), 2);
	assert_int_equal(read_one(ring, &at, &left_us), -1);
	query_ring_commit_at(ring, 2000);
	assert_int_equal(read_one(ring, &at, &left_us), 3);
	assert_int_equal(left_us, 2000);
}

static void records_are_aligned_for_copies_by_blocks(void **state)
{
	struct query_ring *ring = &((struct query_rings *)*state)->rings[0];

	for (uint32_t i = 0; i < 100; i++) {
		const struct query_record *record = query_ring_append(ring, i);

		assert_int_equal((uintptr_t)record->data % QUERY_RING_ALIGN, 0);
		assert_true(record->bytes >= sizeof *record + i);
	}
	query_ring_commit_at(ring, 1);
}

static void what_does_not_fit_is_lost_and_counted_until_the_reader_gives_back(void **state)
{
	struct query_rings *rings = *state;
	struct query_ring *ring = &rings->rings[0];
	uint64_t at = 0, left_us;
	uint32_t kept = 0;

	while (append(ring, kept, 100))
		kept++;
	assert_true(kept > QUERY_RING_BYTES / 300);
	assert_false(append(ring, 0, 100));
	query_ring_commit_at(ring, 1);
	assert_int_equal(query_rings_lost(rings), 2);
	for (uint32_t i = 0; i < kept; i++)
		assert_int_equal(read_one(ring, &at, &left_us), i);
	assert_int_equal(read_one(ring, &at, &left_us), -1);
	assert_false(append(ring, 0, 100)); /* read, but not given back */
	query_ring_give_back(ring, at);
	assert_true(append(ring, 7, 100));
	query_ring_commit_at(ring, 2);
	assert_int_equal(read_one(ring, &at, &left_us), 7);
	assert_int_equal(query_rings_lost(rings), 3);
}

static void the_longest_fits_at_every_place(void **state)
{
	struct query_ring *ring = &((struct query_rings *)*state)->rings[0];
	uint64_t at = 0, left_us;

	for (uint32_t i = 0; i < 1000; i++) {
		assert_true(append(ring, i, i % 3 ? i : QUERY_RING_MESSAGE_MAX));
		query_ring_commit_at(ring, i);
		assert_int_equal(read_one(ring, &at, &left_us), i);
		assert_int_equal(left_us, i);
		query_ring_give_back(ring, at);
	}
}

static void a_mark_is_passed_when_what_was_there_has_been_given_back(void **state)
{
	struct query_rings *rings = *state;
	struct query_ring *ring = &rings->rings[1];
	uint64_t mark[2], at = 0, left_us;

	query_rings_mark(rings, mark);
	assert_true(query_rings_passed(rings, mark));
	assert_true(append(ring, 1, 20)); /* not committed yet */
	query_ring_publish(ring);
	query_rings_mark(rings, mark);
	assert_false(query_rings_passed(rings, mark));
	assert_true(atomic_load(&rings->awaited));
	query_ring_commit_at(ring, 1);
	assert_true(append(ring, 2, 20)); /* after the mark */
	query_ring_commit_at(ring, 2);
	assert_int_equal(read_one(ring, &at, &left_us), 1);
	assert_false(query_rings_passed(rings, mark));
	query_ring_give_back(ring, at);
	assert_true(query_rings_passed(rings, mark));
}

static void what_is_wanted_is_seen_at_once(void **state)
{
	struct query_rings *rings = *state;

	assert_int_equal(query_ring_wanted(&rings->rings[1]), 0);
	assert_int_equal(query_ring_message_length(&rings->rings[1], 100), 0);
	query_rings_want(rings, QUERY_WANTED_ALL | QUERY_WANTED_MESSAGES);
	assert_int_equal(query_ring_wanted(&rings->rings[1]),
			 QUERY_WANTED_ALL | QUERY_WANTED_MESSAGES);
	assert_int_equal(query_ring_message_length(&rings->rings[1], 100), 100);
	assert_int_equal(query_ring_message_length(&rings->rings[1], QUERY_RING_MESSAGE_MAX + 1),
			 0);
}

enum { MANY = 200000 };

static uint64_t now_us(void *context)
{
	(void)context;
	return 1;
}

static void *produce(void *context)
{
	struct query_ring *ring = context;

	for (uint32_t i = 0; i < MANY; i++) {
		append(ring, i, i % 500);
		if (i % 7 == 0)
			query_ring_commit(ring, now_us);
	}
	query_ring_commit(ring, now_us);
	return NULL;
}

static void beside_a_worker_each_is_read_in_order_or_counted_as_lost(void **state)
{
	struct query_rings *rings = *state;
	struct query_ring *ring = &rings->rings[0];
	uint64_t at = 0, left_us, seen = 0;
	int64_t last = -1;
	pthread_t worker;
	bool ended = false;

	assert_int_equal(pthread_create(&worker, NULL, produce, ring), 0);
	for (;;) {
		int64_t number = read_one(ring, &at, &left_us);

		if (number >= 0) {
			assert_true(number > last);
			last = number;
			seen++;
			continue;
		}
		query_ring_give_back(ring, at);
		if (ended)
			break;
		ended = seen + query_rings_lost(rings) >= MANY - 7;
		if (ended)
			pthread_join(worker, NULL);
		sched_yield();
	}
	assert_int_equal(seen + query_rings_lost(rings), MANY);
	assert_true(seen > 0);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
	const struct CMUnitTest tests[] = {
		TEST(what_is_appended_is_read_after_the_commit_with_its_time),
		TEST(records_are_aligned_for_copies_by_blocks),
		TEST(what_does_not_fit_is_lost_and_counted_until_the_reader_gives_back),
		TEST(the_longest_fits_at_every_place),
		TEST(a_mark_is_passed_when_what_was_there_has_been_given_back),
		TEST(what_is_wanted_is_seen_at_once),
		TEST(beside_a_worker_each_is_read_in_order_or_counted_as_lost),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
