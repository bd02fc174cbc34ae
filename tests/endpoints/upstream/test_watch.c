/* What a waiter that watches is told of its question: each packet, where to, when, and what came of
 * it. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "rules/rcode.h"
#include "rules/text.h"
#include "tests/lib/world.h"

static struct lookup_watch watch;

static struct world_asked *ask_watched(const char *name)
{
	memset(&watch, 0, sizeof watch);
	w.asked[w.asked_count].waiter.watch = &watch;
	return world_ask(&w, name);
}

/* "0 udp plain FORMERR 5+1; 0 tcp answered NOERROR 6+1": which server, how, what came of it and
 * why, and when: sent so many ms after the start, and so long under way. */
static const char *tries(void)
{
#define X(name, text) text,
	static const char *const ends[] = {LOOKUP_TRY_MAP(X)};
#undef X
	static char text[1024];
	char rcode[RCODE_TEXT_MAX];

	*text = '\0';
	for (unsigned i = 0; i < watch.count; i++) {
		const struct lookup_try *try = &watch.tries[i];
		bool failed = try->end == LOOKUP_TRY_FAILED || try->end == LOOKUP_TRY_UNSENT;

		text_append(text, sizeof text, "%s%u %s %s", i > 0 ? "; " : "", try->upstream,
			    try->tcp ? "tcp" : "udp", ends[try->end]);
		if (failed)
			text_append(text, sizeof text, " %s", target_error_text(try->error));
		else if (try->end != LOOKUP_TRY_SILENT)
			text_append(text, sizeof text, " %s", rcode_print(try->rcode, rcode));
		text_append(text, sizeof text, " %u", (unsigned)((try->sent_us - START) / MS));
		if (try->ended_us)
			text_append(text, sizeof text, "+%u",
				    (unsigned)((try->ended_us - try->sent_us) / MS));
	}
	return text;
}

static void an_answer_is_one_try(void **state)
{
	(void)state;
	const struct world_asked *asked = ask_watched("a.test");
	world_run(&w, 2 * MS);
	assert_true(asked->done);
	assert_string_equal(tries(), "0 udp answered NOERROR 0+1");
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
	assert_string_equal(tries(), "0 udp failed REFUSED 0+1; 1 udp failed network error 1+1; "
				     "2 udp answered NOERROR 2+1");
}

static void silence_has_no_end(void **state)
{
	(void)state;
	w.servers[0].does = SILENT;
	ask_watched("a.test");
	world_run(&w, SECOND);
	assert_int_equal(watch.count, 2);
	assert_true(watch.tries[1].sent_us >= START + TARGET_ALLOWANCE_FIRST_US);
	assert_memory_equal(tries(), "0 udp silent 0; 1 udp answered ", 31);
}

static void what_is_asked_in_another_way_says_so(void **state)
{
	(void)state;
	w.servers[0].does = TRUNCATES;
	ask_watched("a.test");
	world_run(&w, 5 * MS);
	assert_string_equal(tries(), "0 udp truncated NOERROR 0+1; 0 tcp answered NOERROR 1+1");
	w.servers[0].does = FORMERRS;
	ask_watched("b.test");
	world_run(&w, 5 * MS);
	assert_string_equal(tries(), "0 udp plain FORMERR 5+1; 0 udp answered NOERROR 6+1");
	w.servers[0].does = BADVERS; /* its upper bits are in the OPT */
	atomic_store(&w.targets[0].plain_until_us, 0);
	ask_watched("c.test");
	world_run(&w, 5 * MS);
	assert_string_equal(tries(), "0 udp plain BADVERS 10+1; 0 udp answered NOERROR 11+1");
}

static void what_could_not_be_sent_says_why(void **state)
{
	(void)state;
	w.servers[0].does = UNSENDABLE;
	ask_watched("a.test");
	world_run(&w, 5 * MS);
	assert_string_equal(tries(), "0 udp unsent source address unusable 0+0; "
				     "1 udp answered NOERROR 0+1");
}

/* By UDP each packet waits for the end of its loop round. If its question ends before, the packet
 * still leaves; if it is crowded out, it does not. */
static void what_is_gathered_leaves_unless_it_is_crowded_out(void **state)
{
	(void)state;
	w.servers[0].does = HOLDS;
	w.table.target_max = 1;
	struct world_asked *asked = ask_watched("a.test");
	struct lookup_watch first = watch;
	asked->waiter.watch = &first;
	ask_watched("b.test");
	lookup_expire(&asked->waiter, w.now);
	assert_int_equal(first.tries[0].end, LOOKUP_TRY_SILENT);
	assert_int_equal(first.tries[0].packets, 1);
	world_run(&w, 5 * MS);
	assert_string_equal(tries(), "0 udp unsent no room for the question 0+0; "
				     "1 udp answered NOERROR 0+1");
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
	assert_string_equal(tries(), "0 udp answered NOERROR 0+20");
}

static void who_has_left_is_told_nothing_more(void **state)
{
	(void)state;
	w.servers[0].does = SILENT;
	struct world_asked *asked = ask_watched("a.test");
	world_ask(&w, "a.test");
	lookup_leave(&asked->waiter);
	world_run(&w, SECOND);
	assert_string_equal(tries(), "0 udp silent 0");
}

/* The packet that cannot be sent gets the memory of the question by TCP. */
static void what_is_over_keeps_its_count(void **state)
{
	(void)state;
	w.servers[0].does = TRUNCATES;
	w.servers[0].by_tcp = SILENT;
	w.servers[1].does = REFUSES;
	w.servers[2].does = UNSENDABLE;
	ask_watched("a.test");
	world_run(&w, SECOND);
	assert_true(watch.count > 3);
	assert_true(watch.tries[1].tcp);
	assert_int_equal(watch.tries[1].end, LOOKUP_TRY_SILENT);
	assert_int_equal(watch.tries[1].packets, 1);
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
		TWO(what_is_gathered_leaves_unless_it_is_crowded_out),
		ONE(who_joins_sees_what_is_under_way),
		TWO(who_has_left_is_told_nothing_more),
		THREE(what_is_over_keeps_its_count),
		THREE(of_very_many_the_first_are_told),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
