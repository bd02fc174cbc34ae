/* What a waiter that watches is told of its question: each packet, where to, when, and what came of
 * it. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "tests/lib/world.h"

static struct lookup_watch watch;

static struct world_asked *ask_watched(const char *name)
{
	memset(&watch, 0, sizeof watch);
	w.asked[w.asked_count].waiter.watch = &watch;
	return world_ask(&w, name);
}

static void assert_try(unsigned i, unsigned upstream, bool tcp, enum lookup_try_end end,
		       uint64_t sent_ms, uint64_t took_ms)
{
	const struct lookup_try *try = &watch.tries[i];

	assert_true(i < watch.count);
	assert_int_equal(try->upstream, upstream);
	assert_int_equal(try->tcp, tcp);
	assert_int_equal(try->end, end);
	assert_int_equal(try->sent_us, START + sent_ms * MS);
	assert_int_equal(try->ended_us, end == LOOKUP_TRY_SILENT ? 0 : try->sent_us + took_ms * MS);
}

static void an_answer_is_one_try(void **state)
{
	(void)state;
	const struct world_asked *asked = ask_watched("a.test");
	world_run(&w, 2 * MS);
	assert_true(asked->done);
	assert_int_equal(watch.count, 1);
	assert_try(0, 0, false, LOOKUP_TRY_ANSWERED, 0, 1);
	assert_int_equal(watch.tries[0].rcode, RCODE_NOERROR);
	assert_false(watch.joined);
	world_ask(&w, "b.test"); /* nobody's */
	world_run(&w, 2 * MS);
	assert_int_equal(watch.count, 1);
}

static void errors_lead_on_and_are_named(void **state)
{
	(void)state;
	w.servers[0].does = REFUSES;
	w.servers[1].does = UNREACHABLE;
	ask_watched("a.test");
	world_run(&w, 5 * MS);
	assert_int_equal(watch.count, 3);
	assert_try(0, 0, false, LOOKUP_TRY_FAILED, 0, 1);
	assert_int_equal(watch.tries[0].error, TARGET_ERROR_REFUSED);
	assert_try(1, 1, false, LOOKUP_TRY_FAILED, 1, 1);
	assert_int_equal(watch.tries[1].error, TARGET_ERROR_NETWORK);
	assert_try(2, 2, false, LOOKUP_TRY_ANSWERED, 2, 1);
}

static void silence_has_no_end(void **state)
{
	(void)state;
	w.servers[0].does = SILENT;
	ask_watched("a.test");
	world_run(&w, SECOND);
	assert_int_equal(watch.count, 2);
	assert_try(0, 0, false, LOOKUP_TRY_SILENT, 0, 0);
	assert_int_equal(watch.tries[1].upstream, 1);
	assert_int_equal(watch.tries[1].end, LOOKUP_TRY_ANSWERED);
	assert_true(watch.tries[1].sent_us >= START + TARGET_ALLOWANCE_FIRST_US);
}

static void what_is_asked_in_another_way_says_so(void **state)
{
	(void)state;
	w.servers[0].does = TRUNCATES;
	ask_watched("a.test");
	world_run(&w, 5 * MS);
	assert_int_equal(watch.count, 2);
	assert_try(0, 0, false, LOOKUP_TRY_TRUNCATED, 0, 1);
	assert_try(1, 0, true, LOOKUP_TRY_ANSWERED, 1, 1);
	w.servers[0].does = FORMERRS;
	ask_watched("b.test");
	world_run(&w, 5 * MS);
	assert_int_equal(watch.count, 2);
	assert_try(0, 0, false, LOOKUP_TRY_PLAIN, 5, 1);
	assert_int_equal(watch.tries[0].rcode, RCODE_FORMERR);
	assert_try(1, 0, false, LOOKUP_TRY_ANSWERED, 6, 1);
	w.servers[0].does = BADVERS;
	atomic_store(&w.targets[0].plain_until_us, 0);
	ask_watched("c.test");
	world_run(&w, 5 * MS);
	assert_int_equal(watch.count, 2);
	assert_try(0, 0, false, LOOKUP_TRY_PLAIN, 10, 1);
	assert_int_equal(watch.tries[0].rcode, RCODE_BADVERS); /* its upper bits are in the OPT */
	assert_try(1, 0, false, LOOKUP_TRY_ANSWERED, 11, 1);
}

static void what_could_not_be_sent_says_why(void **state)
{
	(void)state;
	w.servers[0].does = UNSENDABLE;
	ask_watched("a.test");
	world_run(&w, 5 * MS);
	assert_int_equal(watch.count, 2);
	assert_try(0, 0, false, LOOKUP_TRY_UNSENT, 0, 0);
	assert_int_equal(watch.tries[0].error, TARGET_ERROR_SOURCE);
	assert_try(1, 1, false, LOOKUP_TRY_ANSWERED, 0, 1);
}

static void who_joins_sees_what_is_under_way(void **state)
{
	(void)state;
	w.servers[0].delay_us = 20 * MS;
	world_ask(&w, "a.test");
	world_run(&w, 10 * MS);
	const struct world_asked *asked = ask_watched("a.test");
	assert_true(watch.joined);
	world_run(&w, 20 * MS);
	assert_true(asked->done);
	assert_int_equal(watch.count, 1);
	assert_try(0, 0, false, LOOKUP_TRY_ANSWERED, 0, 20);
}

static void who_has_left_is_told_nothing_more(void **state)
{
	(void)state;
	w.servers[0].does = SILENT;
	struct world_asked *asked = ask_watched("a.test");
	world_ask(&w, "a.test");
	lookup_leave(&asked->waiter);
	world_run(&w, SECOND);
	assert_int_equal(watch.count, 1);
	assert_int_equal(watch.tries[0].end, LOOKUP_TRY_SILENT);
}

static void of_very_many_the_first_are_told(void **state)
{
	(void)state;
	for (unsigned i = 0; i < 3; i++)
		w.servers[i].does = UNREACHABLE;
	ask_watched("a.test");
	world_run(&w, DEADLINE);
	assert_int_equal(watch.count, LOOKUP_TRIES_MAX);
	assert_true(watch.dropped > 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		ONE(an_answer_is_one_try),
		THREE(errors_lead_on_and_are_named),
		TWO(silence_has_no_end),
		ONE(what_is_asked_in_another_way_says_so),
		TWO(what_could_not_be_sent_says_why),
		ONE(who_joins_sees_what_is_under_way),
		TWO(who_has_left_is_told_nothing_more),
		THREE(of_very_many_the_first_are_told),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
