/* Failover: when silence moves a question on, what a suspect gets, how it comes back, and that slow
 * is not dead. Times are what a client would see. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "tests/lib/world.h"

static bool suspect(unsigned i)
{
	return target_is_suspect(&w.targets[i]);
}

static uint64_t took(const struct world_asked *asked)
{
	return asked->done_us - asked->asked_us;
}

#define assert_about(us, expected_us) assert_in_range(us, (expected_us), (expected_us) + 2 * MS)

/* ---- silence ---- */

/* As if it had been asked and had answered, often enough for a token, and can be probed. */
static void give_history(struct target *target)
{
	struct target_question known = {
		.type = TYPE_A, .length = 7, .name = {5, 'k', 'n', 'o', 'w', 'n'}};

	for (unsigned i = 0; i < TARGET_TOKEN; i++)
		target_on_ask(target);
	target_on_answer(target, MS, w.now);
	target_learn(target, &known, w.now);
	world_run(&w, MS);
}

static void a_silent_target_costs_its_allowance_once(void **state)
{
	(void)state;
	world_warm_up(&w, 100);
	w.servers[0].does = SILENT;
	struct world_asked *q = world_ask(&w, "a.test");
	world_run(&w, 30 * MS);
	assert_answered_by(q, 1);
	assert_about(took(q), 21 * MS); /* the least allowance, and the way to the second */
	assert_false(suspect(0));       /* it may be the name */
	assert_int_equal(w.servers[0].got, 2);
	q = world_ask(&w, "b.test"); /* in doubt, it is not asked what another can be */
	world_run(&w, 5 * MS);
	assert_answered_by(q, 1);
	assert_about(took(q), 1 * MS);
	world_run(&w, 10 * MS);
	assert_true(suspect(0)); /* and said nothing to what it knows, either */
	assert_int_equal(w.servers[0].got, 2);
}

static void one_that_never_answered_costs_100_ms(void **state)
{
	(void)state;
	w.servers[0].does = SILENT;
	for (unsigned i = 0; i < TARGET_UNANSWERED; i++) {
		assert_false(suspect(0)); /* it may be slow for its first name */
		struct world_asked *q = world_ask_new(&w);
		world_run(&w, 102 * MS);
		assert_answered_by(q, 1);
		assert_about(took(q), 101 * MS);
	}
	assert_true(suspect(0));
}

static void one_that_is_slow_for_its_first_name_is_never_suspect(void **state)
{
	(void)state;
	w.servers[0].delay_us = 300 * MS;
	struct world_asked *q = world_ask(&w, "a.test");
	world_run(&w, SECOND);
	assert_answered_by(q, 1);
	assert_int_equal(w.targets[0].answered, 1);
	assert_int_equal(w.targets[0].suspicions, 0);
}

static void three_that_wait_at_one_that_never_answered_are_enough(void **state)
{
	(void)state;
	w.servers[0].does = SILENT;
	for (unsigned i = 0; i < 4; i++)
		world_ask_new(&w);
	assert_int_equal(w.servers[0].got, 3);
	world_run(&w, 2 * MS);
	assert_answered_by(&w.asked[3], 1); /* no more of them have to find it out */
	world_run(&w, 100 * MS);
	assert_true(suspect(0));
}

static void targets_are_tried_in_their_order(void **state)
{
	(void)state;
	world_warm_up(&w, 100);
	for (unsigned i = 1; i < 3; i++)
		give_history(&w.targets[i]);
	w.servers[0].does = w.servers[1].does = SILENT;
	struct world_asked *q = world_ask(&w, "a.test");
	world_run(&w, 60 * MS);
	assert_answered_by(q, 2);
	assert_about(took(q), 45 * MS);
	assert_in_range(w.servers[1].got, 2, 3); /* and what it is probed with */
}

static void everything_that_waits_at_a_new_suspect_goes_on_at_once(void **state)
{
	struct world_asked *q[5];

	(void)state;
	world_warm_up(&w, 100);
	w.servers[0].does = SILENT;
	for (unsigned i = 0; i < 5; i++) {
		q[i] = world_ask_new(&w);
		world_run(&w, 4 * MS);
	}
	atomic_store(&w.targets[0].tokens, 0);
	world_run(&w, 30 * MS);
	for (unsigned i = 0; i < 5; i++) { /* all when its probes have waited: 20 ms and 4 RTTs */
		assert_answered_by(q[i], 1);
		assert_true(q[i]->done_us <= q[0]->asked_us + 46 * MS);
	}
	assert_int_equal(w.targets[0].suspicions, 1);
}

static void without_a_token_a_question_waits_for_the_probes(void **state)
{
	(void)state;
	world_warm_up(&w, 100);
	atomic_store(&w.targets[0].tokens, 0);
	w.servers[0].does = SILENT;
	struct world_asked *q = world_ask(&w, "a.test");
	world_run(&w, 50 * MS);
	assert_answered_by(q, 1);
	assert_about(took(q), 45 * MS);
	assert_true(suspect(0));
}

static void a_slow_name_among_live_ones_waits_and_is_answered(void **state)
{
	(void)state;
	world_warm_up(&w, 100);
	atomic_store(&w.targets[0].tokens, -1000);
	w.servers[0].delay_us = 300 * MS;
	struct world_asked *slow = world_ask(&w, "slow.test");
	w.servers[0].delay_us = MS;
	for (unsigned i = 0; i < 60; i++) {
		world_run(&w, 5 * MS);
		world_ask_new(&w);
	}
	world_run(&w, 5 * MS);
	assert_answered_by(slow, 0);
	assert_int_equal(took(slow), 300 * MS);
	assert_int_equal(w.targets[0].suspicions, 0);
	assert_int_equal(w.servers[1].got, 0);
}

static void after_patience_a_question_leaves_a_target_that_answers_others(void **state)
{
	(void)state;
	world_warm_up(&w, 100);
	atomic_store(&w.targets[0].tokens, -1000);
	w.servers[0].lose = 1;
	struct world_asked *lost = world_ask(&w, "lost.test");
	for (unsigned i = 0; i < 170; i++) {
		world_run(&w, 5 * MS);
		world_ask_new(&w);
	}
	assert_answered_by(lost, 1);
	assert_about(took(lost), 801 * MS);
	assert_false(suspect(0));
	assert_int_equal(w.servers[1].got, 1);
}

/* ---- loss ---- */

static void a_packet_lost_at_the_only_target_is_sent_again_after_the_allowance(void **state)
{
	(void)state;
	world_warm_up(&w, 100);
	w.servers[0].lose = 1;
	struct world_asked *q = world_ask(&w, "a.test");
	world_run(&w, 30 * MS);
	assert_answered_by(q, 0);
	assert_about(took(q), 21 * MS);
	assert_false(suspect(0));
}

static void so_it_is_when_others_are_answered_meanwhile(void **state)
{
	(void)state;
	world_warm_up(&w, 100);
	w.servers[0].lose = 1;
	struct world_asked *q = world_ask(&w, "lost.test");
	for (unsigned i = 0; i < 10; i++) {
		world_run(&w, 5 * MS);
		world_ask_new(&w);
	}
	assert_answered_by(q, 0);
	assert_about(took(q), 21 * MS);
	assert_int_equal(w.targets[0].suspicions, 0);
}

/* Three packets to each target, but for one that is still to come: it would only come three times.
 */
static void what_has_not_left_yet_is_not_sent_again(void **state)
{
	(void)state;
	w.upstreams[0].protocol = w.upstreams[1].protocol = PROTOCOL_TCP;
	world_warm_up(&w, 10);
	w.servers[0].does = HOLDS;
	w.servers[1].does = SILENT;
	struct world_asked *q = world_ask(&w, "a.test");
	for (uint64_t us = 0; us < 3500 * MS; us += 2 * MS) { /* they live */
		target_on_answer(&w.targets[0], MS, w.now);
		target_on_answer(&w.targets[1], MS, w.now);
		world_run(&w, 2 * MS);
	}
	assert_false(q->done);
	assert_int_equal(w.servers[0].got, 1);
	assert_in_range(w.servers[1].got, LOOKUP_SENDS - 1, LOOKUP_SENDS);
}

/* Nor is it used up: it is there when the server is. */
static void what_has_not_left_for_long_is_waited_for(void **state)
{
	(void)state;
	w.upstreams[0].protocol = PROTOCOL_TCP;
	world_warm_up(&w, 10);
	w.impatient = true;
	w.servers[0].does = HOLDS;
	struct world_asked *q = world_ask(&w, "a.test");
	for (uint64_t us = 0; us < 3500 * MS; us += 2 * MS) {
		target_on_answer(&w.targets[0], MS, w.now);
		world_run(&w, 2 * MS);
	}
	assert_false(q->done);
	assert_int_equal(w.servers[0].got, 1);
	world_run(&w, DEADLINE);
	assert_int_equal(q->value.outcome, ASK_SILENT);
}

static void a_lone_question_to_a_dead_target_waits_while_that_is_probed(void **state)
{
	(void)state;
	world_warm_up(&w, 100);
	w.servers[0].does = SILENT;
	struct world_asked *q = world_ask(&w, "a.test");
	world_run(&w, DEADLINE + 2 * MS);
	assert_true(q->done);
	assert_int_equal(q->value.outcome, ASK_SILENT);
	assert_int_equal(q->value.error, TARGET_ERROR_SILENCE);
	assert_in_range(w.servers[0].got - w.targets[0].probes, 1, 2);
	assert_in_range(w.targets[0].probes, 9, 15); /* after 100 ms, in the end after 500 */
	assert_about(took(q), DEADLINE);
}

/* ---- suspects ---- */

static void a_suspect_is_probed_every_100_ms_and_later_every_500(void **state)
{
	(void)state;
	world_warm_up(&w, 100);
	w.servers[0].does = SILENT;
	world_ask_new(&w);
	world_run(&w, 45 * MS);
	assert_true(suspect(0));
	w.servers[0].got = 0;
	for (unsigned i = 0; i < 40; i++) {
		world_ask_new(&w);
		world_run(&w, 10 * MS);
	}
	assert_in_range(w.servers[0].got, 6, 8); /* what is known, and a question, after 100 ms */
	for (unsigned i = 0; i < 300; i++) {
		world_ask_new(&w);
		world_run(&w, 10 * MS);
	}
	w.servers[0].got = 0;
	for (unsigned i = 0; i < 200; i++) {
		world_ask_new(&w);
		world_run(&w, 10 * MS);
	}
	assert_in_range(w.servers[0].got, 6, 8); /* after 500 ms */
	assert_int_equal(w.servers[1].got, 1 + 40 + 300 + 200);
}

static void it_is_first_again_at_its_first_sign_of_life(void **state)
{
	(void)state;
	world_warm_up(&w, 100);
	w.servers[0].does = SILENT;
	for (unsigned i = 0; i < 500; i++) {
		world_ask_new(&w);
		world_run(&w, 10 * MS);
	}
	w.servers[0].does = ANSWERS;
	for (unsigned i = 0; i < 52; i++) {
		world_ask_new(&w);
		world_run(&w, 10 * MS);
	}
	assert_false(suspect(0));
	struct world_asked *q = world_ask(&w, "a.test");
	w.servers[1].got = 0;
	world_run(&w, 10 * MS);
	assert_answered_by(q, 0);
	assert_int_equal(w.servers[1].got, 0);
}

static void a_late_answer_is_a_sign_of_life(void **state)
{
	(void)state;
	world_warm_up(&w, 100);
	w.servers[0].delay_us = 300 * MS;
	struct world_asked *q = world_ask(&w, "a.test");
	world_run(&w, 50 * MS);
	assert_answered_by(q, 1);
	assert_true(suspect(0)); /* it is slow for what it knows, too */
	assert_int_equal(w.table.late, 0);
	world_run(&w, 260 * MS);
	assert_int_equal(w.table.late, 1);
	assert_false(suspect(0));
	assert_true(target_allowance_us(&w.targets[0]) > 300 * MS);
}

static void a_copys_answer_may_be_the_first(void **state)
{
	(void)state;
	world_warm_up(&w, 100);
	w.servers[0].does = SILENT;
	world_ask_new(&w);
	world_run(&w, 150 * MS);
	w.servers[0].does = ANSWERS;
	w.servers[1].delay_us = 15 * MS;
	struct world_asked *q = world_ask(&w, "a.test");
	world_run(&w, 5 * MS);
	assert_answered_by(q, 0);
	world_run(&w, 20 * MS);
	assert_int_equal(w.table.late, 1);
	assert_int_equal(w.results, 102);
}

static void a_silent_copy_says_nothing_new(void **state)
{
	(void)state;
	world_warm_up(&w, 100);
	w.servers[0].does = SILENT;
	world_ask_new(&w);
	world_run(&w, 150 * MS);
	uint64_t timeouts = w.targets[0].timeouts;
	world_ask_new(&w); /* and its copy */
	world_run(&w, SECOND);
	assert_int_equal(w.targets[0].timeouts, timeouts);
	assert_int_equal(w.table.flight_count, 0);
}

/* ---- all suspect ---- */

static void all_silent(void)
{
	world_warm_up(&w, 100);
	give_history(&w.targets[1]);
	for (unsigned i = 0; i < 2; i++)
		w.servers[i].does = SILENT;
	world_ask_new(&w);
	world_run(&w, 300 * MS);
	assert_true(suspect(0) && suspect(1));
}

static void when_all_are_suspect_questions_wait_for_a_sign_of_life(void **state)
{
	struct world_asked *q[20];

	(void)state;
	all_silent();
	world_run(&w, 2 * SECOND);
	for (unsigned i = 0; i < 20; i++) {
		q[i] = world_ask_new(&w);
		world_run(&w, 5 * MS);
	}
	world_run(&w, 500 * MS);
	for (unsigned i = 0; i < 20; i++)
		assert_false(q[i]->done);
	w.servers[1].does = ANSWERS;
	world_run(&w, 520 * MS);
	uint64_t first_us = UINT64_MAX, last_us = 0;
	for (unsigned i = 0; i < 20; i++) {
		assert_answered_by(q[i], 1);
		first_us = q[i]->done_us < first_us ? q[i]->done_us : first_us;
		last_us = q[i]->done_us > last_us ? q[i]->done_us : last_us;
	}
	assert_int_equal(last_us, first_us); /* all at once, and by no timer */
	assert_false(suspect(1));
	assert_true(leg_is_dark(&w.leg) == false);
}

static void when_all_are_suspect_each_question_has_a_packet_of_its_own(void **state)
{
	(void)state;
	all_silent();
	world_run(&w, 2 * SECOND);
	uint64_t probes = w.targets[0].probes + w.targets[1].probes;
	w.servers[0].got = w.servers[1].got = 0;
	for (unsigned i = 0; i < 100; i++) {
		world_ask_new(&w);
		world_run(&w, 10 * MS);
	}
	probes = w.targets[0].probes + w.targets[1].probes - probes;
	assert_in_range(w.servers[0].got + w.servers[1].got - probes, 100, 105);
	assert_in_range(probes, 4, 10);
}

static void which_brings_it_its_answer_where_they_are_suspect_wrongly(void **state)
{
	(void)state;
	all_silent();
	w.servers[0].does = w.servers[1].does = ANSWERS;
	struct world_asked *q = world_ask_new(&w);
	world_run(&w, 2 * MS);
	assert_true(q->done);
	assert_about(took(q), MS);
	assert_false(suspect(0) && suspect(1));
}

static void life_that_another_worker_saw_is_noticed(void **state)
{
	(void)state;
	all_silent();
	world_run(&w, 2 * SECOND);
	struct world_asked *q = world_ask_new(&w);
	world_run(&w, 20 * MS);
	assert_false(q->done);
	w.servers[1].does = ANSWERS;
	target_on_answer(&w.targets[1], MS, w.now);
	world_run(&w, 15 * MS);
	assert_answered_by(q, 1);
}

/* Half a second is fifty looks, and only a look that probes takes a question out of the line, where
 * a walk over all of them would take out 12000 each time. */
static void looking_after_those_who_wait_costs_the_same_however_many_they_are(void **state)
{
	(void)state;
	all_silent();
	world_run(&w, 2 * SECOND);
	w.servers[0].got = 0;
	unsigned first = w.asked_count;
	for (unsigned i = 0; i < 12000; i++)
		assert_non_null(world_ask_new(&w));
	world_run(&w, 1 * SECOND);
	uint64_t steps = w.table.stalled_steps, probes = w.targets[0].probes;
	world_run(&w, 500 * MS);
	assert_in_range(w.table.stalled_steps - steps, 1, 4);
	assert_in_range(w.targets[0].probes - probes, 1, 2); /* of one client */
	w.servers[1].does = ANSWERS;
	w.servers[1].delay_us = 0;
	w.servers[1].got = 0;
	target_on_answer(&w.targets[1], MS, w.now);
	world_run(&w, 15 * MS); /* not all at once: no receive buffer holds that */
	assert_in_range(w.servers[1].got, 1, 2 * LOOKUP_STALLED_REVIVED);
	world_run(&w, SECOND);
	for (unsigned i = first; i < w.asked_count; i++)
		assert_answered_by(&w.asked[i], 1);
}

/* Its sends to the one that answers are used up; then somebody else asks the same. */
/* As where a target's address leads back to us. */
static void who_joins_with_every_send_does_not_bring_the_next_at_once(void **state)
{
	unsigned sent = 0;

	(void)state;
	w.servers[0].does = SILENT;
	world_ask(&w, "a.test");
	for (unsigned ms = 0; ms < 2000; ms++, world_run(&w, 1 * MS))
		for (; sent < w.sent; sent++)
			world_ask(&w, "a.test");
	assert_in_range(w.sent, 3, 6);
}

static void who_joins_a_stalled_question_sends_it_on_to_one_that_came_back(void **state)
{
	(void)state;
	all_silent();
	struct world_asked *first = world_ask(&w, "a.test");
	world_run(&w, 500 * MS);
	for (unsigned i = 0; i < 3; i++) { /* still silent for this name, but not for others */
		target_on_answer(&w.targets[0], MS, w.now);
		world_run(&w, 900 * MS);
	}
	assert_false(first->done);
	target_on_answer(&w.targets[0], MS, w.now);
	w.servers[0].does = ANSWERS;
	w.servers[0].got = 0;
	struct world_asked *second = world_ask(&w, "a.test");
	world_run(&w, 5 * MS);
	assert_true(first->done && second->done);
}

/* The first has refused it, the second is dead and waited for; then the first would answer. */
static void who_joins_later_has_an_error_of_a_while_ago_asked_anew(void **state)
{
	(void)state;
	world_warm_up(&w, 100);
	give_history(&w.targets[1]);
	w.servers[0].does = SERVFAILS;
	w.servers[1].does = SILENT;
	struct world_asked *first = world_ask(&w, "a.test");
	world_run(&w, 500 * MS);
	w.servers[0].does = ANSWERS;
	w.servers[0].got = 0;
	struct world_asked *soon = world_ask(&w, "a.test");
	world_run(&w, 400 * MS);
	assert_int_equal(w.servers[0].got, 0); /* RFC 9520 section 3.2: not within a second */
	world_run(&w, 200 * MS);
	struct world_asked *later = world_ask(&w, "a.test");
	world_run(&w, 5 * MS);
	assert_answered_by(first, 0);
	assert_answered_by(soon, 0);
	assert_answered_by(later, 0);
}

static void without_a_sign_of_life_it_ends_silent_at_the_deadline(void **state)
{
	(void)state;
	all_silent();
	assert_true(leg_is_dark(&w.leg));
	struct world_asked *q = world_ask_new(&w);
	world_run(&w, DEADLINE - MS);
	assert_false(q->done);
	world_run(&w, 3 * MS);
	assert_true(q->done);
	assert_int_equal(q->value.outcome, ASK_SILENT);
}

static void who_may_not_wait_fails_at_once_when_all_are_suspect(void **state)
{
	(void)state;
	all_silent();
	w.impatient = true;
	w.sent = 0;
	struct world_asked *q = world_ask_new(&w);
	world_run(&w, 2 * MS);
	assert_true(q->done);
	assert_int_equal(q->value.outcome, ASK_FAILED);
	assert_int_equal(q->value.error, TARGET_ERROR_SILENCE);
	assert_true(q->value.hasty);
	assert_int_equal(w.sent, 0);
}

static void who_may_not_wait_fails_when_the_last_becomes_suspect(void **state)
{
	(void)state;
	world_warm_up(&w, 100);
	give_history(&w.targets[1]);
	w.impatient = true;
	w.servers[0].does = w.servers[1].does = SILENT;
	struct world_asked *q = world_ask_new(&w);
	world_run(&w, 70 * MS);
	assert_true(q->done);
	assert_int_equal(q->value.outcome, ASK_FAILED);
	assert_about(took(q),
		     60 * MS); /* a copy to the second after 20, and that is probed after 40 */
}

static void what_waiting_would_not_mend_is_not_hasty(void **state)
{
	(void)state;
	w.impatient = true;
	w.servers[0].does = UNSENDABLE;
	w.servers[1].does = SERVFAILS;
	struct world_asked *q = world_ask_new(&w);
	world_run(&w, 5 * MS);
	assert_int_equal(q->value.outcome, ASK_FAILED);
	assert_false(q->value.hasty);
	target_on_unreachable(&w.targets[0], TARGET_ERROR_NETWORK, w.now);
	q = world_ask_new(&w);
	world_run(&w, 5 * MS);
	assert_int_equal(q->value.outcome, ASK_FAILED);
	assert_false(q->value.hasty);
}

static void who_may_wait_does_not_join_who_may_not(void **state)
{
	(void)state;
	all_silent();
	struct world_asked *patient = world_ask(&w, "a.test");
	w.impatient = true;
	struct world_asked *impatient = world_ask(&w, "a.test");
	world_run(&w, 2 * MS);
	assert_true(impatient->done && !patient->done);
}

static void a_stalled_question_that_is_left_is_gone(void **state)
{
	(void)state;
	all_silent();
	struct world_asked *a = world_ask_new(&w), *b = world_ask_new(&w), *c = world_ask_new(&w);
	lookup_leave(&c->waiter); /* the last of the list */
	lookup_leave(&a->waiter);
	struct world_asked *d = world_ask_new(&w);
	w.servers[0].does = w.servers[1].does = ANSWERS;
	world_ask_new(&w);
	world_run(&w, 20 * MS);
	assert_true(!a->done && b->done && !c->done && d->done);
}

static void a_question_joined_late_waits_until_its_own_deadline(void **state)
{
	(void)state;
	w.servers[0].does = w.servers[1].does = SILENT;
	struct world_asked *early = world_ask(&w, "a.test");
	world_run(&w, 3 * SECOND);
	struct world_asked *late = world_ask(&w, "a.test");
	world_run(&w, DEADLINE - 3 * SECOND);
	lookup_expire(&early->waiter, w.now);
	assert_true(early->done);
	assert_int_equal(early->value.outcome, ASK_SILENT);
	assert_false(late->done);
	world_run(&w, 3 * SECOND - 2 * MS);
	assert_false(late->done);
	world_run(&w, 4 * MS);
	assert_true(late->done);
}

static void a_late_answer_of_an_only_target_is_an_answer(void **state)
{
	(void)state;
	world_warm_up(&w, 100);
	w.servers[0].delay_us = 1500 * MS;
	struct world_asked *q = world_ask(&w, "a.test");
	world_run(&w, 1500 * MS + MS);
	assert_answered_by(q, 0);
	assert_int_equal(w.table.late, 0);
	world_run(&w, 2 * SECOND);
	assert_int_equal(w.table.flight_count, 0);
}

static void the_last_of_those_who_wait_ends_the_question(void **state)
{
	(void)state;
	w.servers[0].does = w.servers[1].does = SILENT;
	struct world_asked *q = world_ask(&w, "a.test");
	world_run(&w, SECOND);
	lookup_expire(&q->waiter, w.now);
	assert_true(q->done);
	assert_int_equal(q->value.outcome, ASK_SILENT);
	assert_int_equal(w.table.lookup_count, 0);
}

static void an_outage_of_the_only_target_loses_nothing_shorter_than_the_deadline(void **state)
{
	(void)state;
	world_warm_up(&w, 100);
	unsigned first = w.asked_count;
	for (unsigned i = 0; i < 200 * 6; i++) {
		w.servers[0].does = i >= 200 && i < 200 * 4 ? SILENT : ANSWERS;
		world_ask_new(&w);
		world_run(&w, 5 * MS);
	}
	world_run(&w, DEADLINE);
	for (unsigned i = first; i < w.asked_count; i++)
		assert_answered_by(&w.asked[i], 0);
}

/* ---- as the yardstick does it ---- */

static void at_200_a_second_an_outage_costs_no_question_more_than_25_ms(void **state)
{
	uint64_t worst = 0;

	(void)state;
	world_warm_up(&w, 100);
	unsigned first = w.asked_count, first_target = 0;
	for (unsigned i = 0; i < 200 * 12; i++) {
		w.servers[0].does = i >= 600 && i < 1600 ? SILENT : ANSWERS;
		world_ask_new(&w);
		world_run(&w, 5 * MS);
	}
	world_run(&w, SECOND);
	for (unsigned i = first; i < w.asked_count; i++) {
		assert_int_equal(w.asked[i].value.outcome, ASK_ANSWERED);
		if (took(&w.asked[i]) > worst)
			worst = took(&w.asked[i]);
		first_target += i >= first + 1600 && w.asked[i].value.upstream == &w.upstreams[0];
	}
	assert_in_range(worst, 20 * MS, 25 * MS);
	assert_true(first_target >= 2400 - 1600 - 110); /* back within 550 ms */
	assert_int_equal(w.targets[0].suspicions, 1);
}

/* The first target is gone for so long, and there for so long, again and again. */
static uint64_t worst_of_flapping(unsigned per_second, uint64_t period_us, unsigned *by_the_first)
{
	uint64_t worst = 0;

	world_release(&w);
	world_init(&w, 2);
	world_warm_up(&w, 100);
	unsigned first = w.asked_count;
	uint64_t begun = w.now - period_us / 3;
	for (unsigned i = 0; i < 2000; i++) {
		w.servers[0].does = (w.now - begun) / period_us % 2 == 1 ? SILENT : ANSWERS;
		world_ask_new(&w);
		world_run(&w, SECOND / per_second);
	}
	world_run(&w, DEADLINE);
	*by_the_first = 0;
	for (unsigned i = first; i < w.asked_count; i++) {
		assert_int_equal(w.asked[i].value.outcome, ASK_ANSWERED);
		*by_the_first += w.asked[i].value.upstream == &w.upstreams[0];
		if (took(&w.asked[i]) > worst)
			worst = took(&w.asked[i]);
	}
	return worst;
}

static void a_target_that_comes_and_goes_does_not_take_the_questions_with_it(void **state)
{
	static const unsigned periods_ms[] = {30, 100, 300, 1000, 3000};
	unsigned by_the_first;

	(void)state;
	for (size_t i = 0; i < sizeof periods_ms / sizeof periods_ms[0]; i++) {
		uint64_t often = worst_of_flapping(200, periods_ms[i] * MS, &by_the_first);
		assert_in_range(often, 20 * MS, 30 * MS);
		assert_in_range(by_the_first, 200, 1100); /* and it has a share */
		uint64_t seldom = worst_of_flapping(20, periods_ms[i] * MS, &by_the_first);
		print_message("every %u ms: at most %u us, %u us at 20 a second\n", periods_ms[i],
			      (unsigned)often, (unsigned)seldom);
		assert_true(seldom <= TARGET_PATIENCE_US + 2 * MS);
	}
}

/* 10,000 questions, 20 % of the names take 300 ms: what that costs in packets and in trust. */
static void slow_names(unsigned per_second, unsigned percent, unsigned *extra, unsigned *suspicions,
		       unsigned *elsewhere)
{
	w.servers[0].slow_percent = percent;
	w.servers[0].slow_us = 300 * MS;
	w.sent = 0;
	for (unsigned i = 0; i < 10000; i++) {
		world_ask_new(&w);
		world_run(&w, SECOND / per_second);
	}
	world_run(&w, 2 * SECOND);
	*elsewhere = 0;
	for (unsigned i = 0; i < w.asked_count; i++) {
		assert_true(w.asked[i].done && w.asked[i].value.outcome == ASK_ANSWERED);
		assert_true(took(&w.asked[i]) <= 301 * MS);
		*elsewhere += w.asked[i].value.upstream != &w.upstreams[0];
	}
	*extra = w.sent - 10000;
	*suspicions = (unsigned)w.targets[0].suspicions;
}

static void slow_is_not_dead(void **state)
{
	static const unsigned rates[] = {1000, 200, 20, 5, 1};
	unsigned extra, suspicions, elsewhere;

	(void)state;
	for (size_t i = 0; i < sizeof rates / sizeof rates[0]; i++) {
		world_release(&w);
		world_init(&w, 2);
		world_warm_up(&w, 0);
		slow_names(rates[i], 20, &extra, &suspicions, &elsewhere);
		print_message("%u/s: %u extra, %u suspicions, %u answered elsewhere\n", rates[i],
			      extra, suspicions, elsewhere);
		assert_true(extra <= 200);
		assert_int_equal(suspicions, 0);
		assert_true(elsewhere <= extra); /* by copies, until it is known how slow it is */
	}
}

static void few_slow_names_cost_at_most_2_percent_too(void **state)
{
	static const unsigned percents[] = {1, 2, 5, 10, 50};
	unsigned extra, suspicions, elsewhere;

	(void)state;
	for (size_t i = 0; i < sizeof percents / sizeof percents[0]; i++) {
		world_release(&w);
		world_init(&w, 2);
		slow_names(20, percents[i], &extra, &suspicions, &elsewhere);
		print_message("%u %%: %u extra, %u suspicions, %u answered elsewhere\n",
			      percents[i], extra, suspicions, elsewhere);
		assert_true(extra <= 200);
	}
}

/* ---- an endpoint's limit ---- */

/* Upstreams from..to leave by an endpoint of one question a second. */
static void limit_endpoint(struct meter *meter, unsigned from, unsigned to)
{
	meter_init(meter, 1, &w.key);
	for (unsigned i = from; i < to; i++)
		w.upstreams[i].meter = meter;
}

static struct meter meter;

static void an_endpoint_over_its_limit_hands_over_to_the_next(void **state)
{
	(void)state;
	limit_endpoint(&meter, 0, 1);
	for (unsigned i = 0; i < 50; i++)
		world_ask_new(&w);
	world_run(&w, 5 * MS);
	for (unsigned i = 0; i < 50; i++)
		assert_true(w.asked[i].done && w.asked[i].value.outcome == ASK_ANSWERED);
	assert_in_range(w.servers[0].got, 1, 10);
	assert_int_equal(w.servers[0].got + w.servers[1].got, 50);
	assert_int_equal(w.table.over_limit_outbound, w.servers[1].got);
	assert_int_equal(w.targets[0].errors, 0); /* it has done nothing */
	assert_false(suspect(0));
}

static void over_the_limit_of_every_endpoint_a_question_fails_at_once(void **state)
{
	unsigned failed = 0;

	(void)state;
	limit_endpoint(&meter, 0, 2);
	for (unsigned i = 0; i < 50; i++)
		world_ask_new(&w);
	world_run(&w, 5 * MS);
	for (unsigned i = 0; i < 50; i++) {
		assert_true(w.asked[i].done);
		if (w.asked[i].value.outcome == ASK_ANSWERED)
			continue;
		failed++;
		assert_int_equal(w.asked[i].value.outcome, ASK_FAILED);
		assert_int_equal(w.asked[i].value.error, TARGET_ERROR_OVER);
	}
	assert_in_range(failed, 40, 49);
	assert_int_equal(w.sent, 50 - failed);
}

/* Else they would wait for a sign of life that changes nothing. */
static void over_the_limit_of_one_and_the_other_suspect_it_fails_at_once_too(void **state)
{
	(void)state;
	world_warm_up(&w, 100);
	target_on_unreachable(&w.targets[1], TARGET_ERROR_NETWORK, w.now);
	w.servers[1].does = SILENT;
	limit_endpoint(&meter, 0, 2);
	for (unsigned i = 0; i < 50; i++)
		world_ask_new(&w);
	world_run(&w, 50 * MS);
	for (unsigned i = 10; i < 60; i++) {
		const struct world_asked *q = &w.asked[i];

		assert_true(q->done);
		assert_true(q->value.outcome == ASK_ANSWERED ||
			    q->value.error == TARGET_ERROR_OVER);
	}
}

static void who_is_proven_has_a_part_of_the_limit_that_others_cannot_use_up(void **state)
{
	(void)state;
	limit_endpoint(&meter, 0, 2);
	for (unsigned i = 0; i < 50; i++)
		world_ask_new(&w);
	w.proven = true;
	struct world_asked *q = world_ask_new(&w);
	world_run(&w, 5 * MS);
	assert_true(q->done);
	assert_int_equal(q->value.outcome, ASK_ANSWERED);
}

static void a_question_goes_on_for_who_is_proven_and_joined_it(void **state)
{
	(void)state;
	w.servers[0].does = SILENT;
	limit_endpoint(&meter, 0, 2);
	for (unsigned i = 0; i < 50; i++)
		world_ask_new(&w);
	struct world_asked *first = &w.asked[0];
	assert_int_equal(w.servers[0].got, w.sent);
	w.proven = true;
	struct world_asked *q = world_ask(&w, "n0.test");
	world_run(&w, 200 * MS);
	assert_int_equal(w.table.coalesced, 1);
	assert_true(first->done && q->done);
	assert_int_equal(q->value.outcome, ASK_ANSWERED);
	assert_int_equal(w.servers[1].got, 1);
}

static void over_the_limit_with_all_suspect_it_fails_at_once_too(void **state)
{
	(void)state;
	all_silent();
	limit_endpoint(&meter, 0, 2);
	unsigned first = w.asked_count, failed = 0;
	for (unsigned i = 0; i < 50; i++)
		world_ask_new(&w);
	world_run(&w, 5 * MS);
	for (unsigned i = first; i < first + 50; i++) {
		failed += w.asked[i].done;
		if (w.asked[i].done)
			assert_int_equal(w.asked[i].value.error, TARGET_ERROR_OVER);
	}
	assert_in_range(failed, 40, 49); /* the others have had their packet, and wait */
}

static void copies_are_within_the_limit_too(void **state)
{
	(void)state;
	world_warm_up(&w, 100);
	w.servers[0].does = SILENT;
	world_ask_new(&w);
	world_run(&w, 100 * MS);
	assert_true(suspect(0));
	world_run(&w, 100 * MS);
	limit_endpoint(&meter, 0, 1);
	w.sent = w.servers[0].got = w.servers[1].got = w.targets[0].probes = 0;
	for (unsigned i = 0; i < 50; i++)
		world_ask_new(&w);
	assert_int_equal(w.servers[0].got, 2); /* what it is probed with, and a question */
	for (unsigned i = 0; i < 5; i++) {     /* the next turns have no token of the endpoint's */
		world_run(&w, 101 * MS);
		for (unsigned n = 0; n < 50; n++)
			world_ask_new(&w);
	}
	assert_int_equal(w.servers[1].got, 6 * 50);
	assert_in_range(w.targets[0].probes, 4, 6);
	assert_in_range(w.servers[0].got - w.targets[0].probes, 1, 2); /* copies of six */
}

/* ---- the maximum of a target ---- */

static void ask_as(uint8_t client, unsigned count)
{
	w.client = (struct address){4, {10, 0, 0, client}};
	while (count-- > 0)
		world_ask_new(&w);
}

static void assert_no_room(const struct world_asked *q)
{
	assert_true(q->done);
	assert_int_equal(q->value.outcome, ASK_FAILED);
	assert_int_equal(q->value.error, TARGET_ERROR_ROOM);
}

/* The target answers others all the time: what waits at it now does so for longer than usual. */
static void wait_for_longer_than_usual(void)
{
	atomic_store(&w.targets[0].srtt_us, MS);
	atomic_store(&w.targets[0].heard_us, w.now + SECOND);
	atomic_store(&w.targets[0].tokens, 0);
	world_run(&w, 30 * MS);
}

static void ask_one_more_than_two(void)
{
	w.table.target_max = 2;
	w.servers[0].delay_us = 100 * MS;
	ask_as(1, 2);
	wait_for_longer_than_usual();
	ask_as(1, 1);
}

static void the_oldest_at_a_target_makes_room_and_goes_on_to_the_next(void **state)
{
	(void)state;
	ask_one_more_than_two();
	assert_int_equal(w.targets[0].waiting, 2);
	assert_int_equal(w.servers[1].got, 0); /* not in the middle of another's way */
	world_run(&w, 5 * MS);
	assert_answered_by(&w.asked[0], 1);
	world_run(&w, 100 * MS);
	assert_answered_by(&w.asked[1], 0);
	assert_answered_by(&w.asked[2], 0);
	assert_int_equal(w.table.crowded_out, 1);
	assert_int_equal(w.targets[0].last_error, TARGET_ERROR_NONE);
	assert_false(suspect(0));
}

static void where_there_is_no_next_target_the_oldest_fails(void **state)
{
	(void)state;
	ask_one_more_than_two();
	world_run(&w, 3 * MS);
	assert_no_room(&w.asked[0]);
	world_run(&w, 100 * MS);
	assert_answered_by(&w.asked[1], 0);
	assert_answered_by(&w.asked[2], 0);
}

/* Else one that takes its time for all of them would be asked in vain, all the time. */
static void what_is_about_to_be_answered_does_not_make_room_for_its_like(void **state)
{
	(void)state;
	w.table.target_max = 10;
	w.servers[0].delay_us = 50 * MS;
	ask_as(1, 20);
	world_run(&w, 3 * MS);
	for (unsigned i = 10; i < 20; i++)
		assert_no_room(&w.asked[i]);
	world_run(&w, 60 * MS);
	for (unsigned i = 0; i < 10; i++)
		assert_answered_by(&w.asked[i], 0);
	assert_int_equal(w.targets[0].asked, 10);
}

/* Of one client's many and another's few the few stay, though they are older. */
static void the_greediest_at_a_target_makes_room(void **state)
{
	(void)state;
	w.table.target_max = 20;
	w.servers[0].delay_us = 50 * MS;
	ask_as(1, 5);
	ask_as(2, 15);
	ask_as(3, 4);
	world_run(&w, 60 * MS);
	for (unsigned i = 0; i < 24; i++) {
		if (i >= 5 && i < 9)
			assert_no_room(&w.asked[i]);
		else
			assert_answered_by(&w.asked[i], 0);
	}
}

static void a_newcomer_whose_client_has_most_there_is_the_one_to_go(void **state)
{
	(void)state;
	w.table.target_max = 40;
	w.servers[0].delay_us = 50 * MS;
	for (uint8_t client = 1; client <= 16; client++)
		ask_as(client, 1);
	ask_as(99, 30);
	world_run(&w, 3 * MS);
	for (unsigned i = 40; i < 46; i++)
		assert_no_room(&w.asked[i]);
	world_run(&w, 60 * MS);
	for (unsigned i = 0; i < 40; i++)
		assert_answered_by(&w.asked[i], 0);
	assert_int_equal(w.targets[0].asked, 40); /* what had to go at once was not asked */
}

/* Its answer is not awaited by anybody: it only counted. */
static void who_was_left_gives_its_place_first(void **state)
{
	(void)state;
	w.table.target_max = 2;
	w.servers[0].delay_us = 100 * MS;
	ask_as(1, 1);
	lookup_leave(&w.asked[0].waiter);
	wait_for_longer_than_usual();
	ask_as(1, 2);
	world_run(&w, 150 * MS);
	assert_answered_by(&w.asked[1], 0);
	assert_answered_by(&w.asked[2], 0);
	assert_int_equal(w.table.late, 0);
}

/* It asks somebody else meanwhile, and may come back. */
static void who_makes_room_where_it_does_not_wait_any_more_may_ask_there_again(void **state)
{
	(void)state;
	w.table.target_max = 1;
	w.servers[0].lose = 1;
	w.servers[0].delay_us = 30 * MS;
	w.servers[1].does = SERVFAILS;
	w.servers[1].delay_us = 200 * MS;
	ask_as(1, 1);
	world_run(&w, 150 * MS); /* the first never answered: so the second is asked */
	ask_as(1, 1);
	assert_int_equal(w.table.crowded_out, 1);
	world_run(&w, 250 * MS);
	assert_int_equal(w.servers[1].got, 1);
	assert_answered_by(&w.asked[0], 0);
	assert_answered_by(&w.asked[1], 0);
}

static void what_is_asked_by_tcp_for_want_of_room_in_a_reply_counts_too(void **state)
{
	(void)state;
	w.table.target_max = 5;
	w.servers[0].does = TRUNCATES;
	w.servers[0].by_tcp = SILENT;
	ask_as(1, 5);
	world_run(&w, 5 * MS);
	assert_int_equal(w.servers[0].got_tcp, 5);
	assert_int_equal(w.targets[0].waiting, 0); /* and says nothing of it */
	ask_as(1, 1);
	assert_int_equal(w.table.crowded_out, 1);
	world_run(&w, SECOND);
	ask_as(1, 1);
	assert_int_equal(w.table.crowded_out, 1);
}

static void what_is_asked_by_tcp_for_that_stays_with_a_new_suspect(void **state)
{
	(void)state;
	world_warm_up(&w, 100);
	w.servers[0].does = TRUNCATES;
	struct world_asked *q = world_ask(&w, "a.test");
	w.servers[0].delay_us = 300 * MS;
	world_run(&w, 2 * MS);
	assert_int_equal(w.servers[0].got_tcp, 1);
	w.servers[0].does = UNREACHABLE;
	w.servers[0].delay_us = MS;
	world_ask(&w, "b.test");
	world_run(&w, 2 * MS);
	assert_true(suspect(0));
	world_run(&w, 300 * MS);
	assert_answered_by(q, 0);
}

static void who_joins_one_that_made_room_sends_it_on(void **state)
{
	(void)state;
	w.table.target_max = 1;
	w.servers[0].delay_us = 100 * MS;
	world_ask(&w, "a.test");
	wait_for_longer_than_usual();
	world_ask(&w, "b.test");
	struct world_asked *joins = world_ask_until(&w, "a.test", w.now + 2 * DEADLINE);
	assert_int_equal(w.servers[1].got, 1);
	world_run(&w, 150 * MS);
	assert_answered_by(&w.asked[0], 1);
	assert_answered_by(&w.asked[1], 0);
	assert_answered_by(joins, 1);
}

static void where_every_target_is_at_its_maximum_each_question_ends_and_soon(void **state)
{
	unsigned answered = 0, turned_away = 0;

	(void)state;
	w.table.target_max = 10;
	w.servers[0].delay_us = w.servers[1].delay_us = w.servers[2].delay_us = 10 * MS;
	ask_as(1, 1000);
	world_run(&w, 30 * MS);
	for (unsigned i = 0; i < 1000; i++) {
		answered += w.asked[i].value.outcome == ASK_ANSWERED;
		turned_away += w.asked[i].value.error == TARGET_ERROR_ROOM;
		assert_true(w.asked[i].done);
	}
	assert_int_equal(answered, 30);
	assert_int_equal(turned_away, 970);
	assert_in_range(w.table.crowded_out, 970 * 3, 3000);
}

/* Who has no place there waits for the suspect, where it was asked before: its answer may be late.
 */
static void what_leaves_a_suspect_finds_room_at_the_next_or_waits(void **state)
{
	(void)state;
	world_warm_up(&w, 100);
	w.servers[0].does = SILENT;
	w.servers[1].delay_us = 10 * MS;
	atomic_store(&w.targets[0].tokens, 0);
	ask_as(1, 10);
	w.table.target_max = 5;
	world_run(&w, 60 * MS);
	assert_true(suspect(0));
	assert_int_equal(w.table.crowded_out, 5);
	for (unsigned i = 100; i < 110; i++) {
		if (i < 105)
			assert_answered_by(&w.asked[i], 1);
		else
			assert_false(w.asked[i].done);
	}
	w.servers[0].does = ANSWERS;
	world_run(&w, SECOND);
	for (unsigned i = 105; i < 110; i++)
		assert_answered_by(&w.asked[i], 0);
}

/* But for the one that asks the suspect whether it is back. */
static void who_has_no_room_where_all_others_are_suspect_fails_at_once(void **state)
{
	(void)state;
	world_warm_up(&w, 100);
	w.servers[1].does = SILENT;
	target_on_unreachable(&w.targets[1], TARGET_ERROR_NETWORK, w.now - 2 * SECOND);
	w.table.target_max = 2;
	ask_as(1, 6);
	world_run(&w, 5 * MS);
	assert_int_equal(w.servers[1].got, 1);
	unsigned waiting = 0;
	for (unsigned i = 102; i < 106; i++) {
		waiting += !w.asked[i].done;
		if (w.asked[i].done)
			assert_no_room(&w.asked[i]);
	}
	assert_int_equal(waiting, 1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TWO(a_silent_target_costs_its_allowance_once),
		TWO(one_that_never_answered_costs_100_ms),
		TWO(one_that_is_slow_for_its_first_name_is_never_suspect),
		TWO(three_that_wait_at_one_that_never_answered_are_enough),
		THREE(targets_are_tried_in_their_order),
		TWO(everything_that_waits_at_a_new_suspect_goes_on_at_once),
		TWO(without_a_token_a_question_waits_for_the_probes),
		TWO(a_slow_name_among_live_ones_waits_and_is_answered),
		TWO(after_patience_a_question_leaves_a_target_that_answers_others),
		ONE(a_packet_lost_at_the_only_target_is_sent_again_after_the_allowance),
		ONE(so_it_is_when_others_are_answered_meanwhile),
		ONE(a_lone_question_to_a_dead_target_waits_while_that_is_probed),
		TWO(a_suspect_is_probed_every_100_ms_and_later_every_500),
		TWO(it_is_first_again_at_its_first_sign_of_life),
		TWO(a_late_answer_is_a_sign_of_life),
		TWO(a_copys_answer_may_be_the_first),
		TWO(a_silent_copy_says_nothing_new),
		TWO(when_all_are_suspect_questions_wait_for_a_sign_of_life),
		TWO(when_all_are_suspect_each_question_has_a_packet_of_its_own),
		TWO(which_brings_it_its_answer_where_they_are_suspect_wrongly),
		TWO(life_that_another_worker_saw_is_noticed),
		TWO(looking_after_those_who_wait_costs_the_same_however_many_they_are),
		ONE(who_joins_with_every_send_does_not_bring_the_next_at_once),
		TWO(who_joins_a_stalled_question_sends_it_on_to_one_that_came_back),
		TWO(who_joins_later_has_an_error_of_a_while_ago_asked_anew),
		TWO(without_a_sign_of_life_it_ends_silent_at_the_deadline),
		TWO(a_question_joined_late_waits_until_its_own_deadline),
		TWO(what_has_not_left_yet_is_not_sent_again),
		ONE(what_has_not_left_for_long_is_waited_for),
		ONE(a_late_answer_of_an_only_target_is_an_answer),
		TWO(the_last_of_those_who_wait_ends_the_question),
		TWO(who_may_not_wait_fails_at_once_when_all_are_suspect),
		TWO(who_may_not_wait_fails_when_the_last_becomes_suspect),
		TWO(what_waiting_would_not_mend_is_not_hasty),
		TWO(who_may_wait_does_not_join_who_may_not),
		TWO(a_stalled_question_that_is_left_is_gone),
		ONE(an_outage_of_the_only_target_loses_nothing_shorter_than_the_deadline),
		TWO(at_200_a_second_an_outage_costs_no_question_more_than_25_ms),
		TWO(a_target_that_comes_and_goes_does_not_take_the_questions_with_it),
		TWO(slow_is_not_dead),
		TWO(few_slow_names_cost_at_most_2_percent_too),
		TWO(an_endpoint_over_its_limit_hands_over_to_the_next),
		TWO(over_the_limit_of_every_endpoint_a_question_fails_at_once),
		TWO(over_the_limit_of_one_and_the_other_suspect_it_fails_at_once_too),
		TWO(who_is_proven_has_a_part_of_the_limit_that_others_cannot_use_up),
		TWO(a_question_goes_on_for_who_is_proven_and_joined_it),
		TWO(over_the_limit_with_all_suspect_it_fails_at_once_too),
		TWO(copies_are_within_the_limit_too),
		TWO(the_oldest_at_a_target_makes_room_and_goes_on_to_the_next),
		ONE(where_there_is_no_next_target_the_oldest_fails),
		ONE(what_is_about_to_be_answered_does_not_make_room_for_its_like),
		ONE(the_greediest_at_a_target_makes_room),
		ONE(a_newcomer_whose_client_has_most_there_is_the_one_to_go),
		ONE(who_was_left_gives_its_place_first),
		TWO(who_makes_room_where_it_does_not_wait_any_more_may_ask_there_again),
		ONE(what_is_asked_by_tcp_for_want_of_room_in_a_reply_counts_too),
		TWO(what_is_asked_by_tcp_for_that_stays_with_a_new_suspect),
		TWO(who_joins_one_that_made_room_sends_it_on),
		THREE(where_every_target_is_at_its_maximum_each_question_ends_and_soon),
		TWO(what_leaves_a_suspect_finds_room_at_the_next_or_waits),
		TWO(who_has_no_room_where_all_others_are_suspect_fails_at_once),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
