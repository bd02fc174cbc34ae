/* Questions in flight: who joins whom, what counts as an answer, and where an answer that is no
 * good sends the question. Silence and suspicion have a file of their own (test_lookup_walk.c). */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "tests/lib/world.h"

#define assert_ended(asked, as, why)                                                               \
	do {                                                                                       \
		assert_true((asked)->done);                                                        \
		assert_int_equal((asked)->value.outcome, as);                                      \
		assert_int_equal((asked)->value.error, why);                                       \
	} while (0)

/* ---- asking ---- */

static void the_first_target_answers_and_the_second_is_left_alone(void **state)
{
	(void)state;
	struct world_asked *q = world_ask(&w, "a.test");
	assert_false(q->done);
	world_run(&w, 2 * MS);
	assert_answered_by(q, 0);
	assert_int_equal(q->done_us - q->asked_us, MS);
	assert_int_equal(w.servers[1].got, 0);
	assert_int_equal(wire_u16(q->value.wire + 6), 1);
}

static void the_question_goes_out_in_lower_case_with_rd_and_our_opt(void **state)
{
	static const uint8_t name[] = {3, 'a', 'b', 'c', 4, 't', 'e', 's', 't', 0, 0, 1, 0, 1};

	(void)state;
	world_ask(&w, "aBc.TEST");
	assert_int_equal(message_flags(w.last_query), FLAG_RD);
	assert_memory_equal(w.last_query + 12, name, sizeof name);
	assert_int_equal(wire_u16(w.last_query + 10), 1);
	assert_int_equal(w.last_length, 12 + sizeof name + 11);
	assert_int_equal(wire_u16(w.last_query + 12 + sizeof name + 3), 1232);
	assert_int_equal(wire_u16(w.last_query + 12 + sizeof name + 7), 0); /* DO */
}

static void do_and_cd_go_upstream_as_they_came(void **state)
{
	(void)state;
	w.dnssec_ok = w.checking_disabled = true;
	world_ask(&w, "a.test");
	assert_int_equal(message_flags(w.last_query), FLAG_RD | FLAG_CD);
	assert_int_equal(wire_u16(w.last_query + w.last_length - 4), 0x8000);
}

static void identical_questions_are_asked_once(void **state)
{
	(void)state;
	struct world_asked *a = world_ask(&w, "a.test"), *b = world_ask(&w, "A.test");
	assert_int_equal(w.sent, 1);
	assert_int_equal(w.table.asked, 2);
	assert_int_equal(w.table.coalesced, 1);
	world_run(&w, 2 * MS);
	assert_answered_by(a, 0);
	assert_answered_by(b, 0);
	assert_int_equal(w.results, 1);
}

static void another_do_or_cd_bit_is_another_question(void **state)
{
	(void)state;
	world_ask(&w, "a.test");
	w.dnssec_ok = true;
	world_ask(&w, "a.test");
	w.checking_disabled = true;
	world_ask(&w, "a.test");
	world_ask(&w, "b.test");
	assert_int_equal(w.sent, 4);
	assert_int_equal(w.table.coalesced, 0);
}

static void after_the_answer_it_is_asked_anew(void **state)
{
	(void)state;
	world_ask(&w, "a.test");
	world_run(&w, 2 * MS);
	struct world_asked *q = world_ask(&w, "a.test");
	assert_int_equal(w.sent, 2);
	world_run(&w, 2 * MS);
	assert_answered_by(q, 0);
}

static void more_than_lookup_max_is_refused(void **state)
{
	(void)state;
	w.table.lookup_max = 3;
	world_ask(&w, "a.test");
	world_ask(&w, "b.test");
	assert_non_null(world_ask(&w, "c.test"));
	assert_non_null(world_ask(&w, "c.test")); /* joins */
	assert_null(world_ask(&w, "d.test"));
	world_run(&w, 2 * MS);
	assert_non_null(world_ask(&w, "d.test"));
}

static void one_waiter_may_leave_and_the_others_are_told(void **state)
{
	(void)state;
	struct world_asked *a = world_ask(&w, "a.test"), *b = world_ask(&w, "a.test"),
			   *c = world_ask(&w, "a.test");
	lookup_leave(&b->waiter);
	lookup_leave(&b->waiter); /* fine twice */
	struct world_asked *d = world_ask(&w, "a.test");
	world_run(&w, 2 * MS);
	assert_true(a->done && !b->done && c->done && d->done);
}

static void with_its_last_waiter_a_question_ends_and_its_answer_still_counts(void **state)
{
	(void)state;
	struct world_asked *q = world_ask(&w, "a.test");
	lookup_leave(&q->waiter);
	assert_int_equal(w.table.lookup_count, 0);
	assert_int_equal(w.table.flight_count, 1);
	world_run(&w, 2 * MS);
	assert_false(q->done);
	assert_int_equal(w.results, 0);
	assert_int_equal(w.table.late, 1);
	assert_int_equal(w.targets[0].answered, 1);
}

struct leaver {
	struct waiter waiter;
	struct waiter *other;
	struct world_asked *again;
};

static void on_done_leave_other(struct waiter *waiter, void *value, uint64_t now_us)
{
	struct leaver *leaver = (struct leaver *)waiter;

	(void)value;
	(void)now_us;
	lookup_leave(leaver->other);
	leaver->again = world_ask(&w, "a.test");
}

static void a_waiter_may_make_others_leave_and_ask_again(void **state)
{
	struct name name;
	struct leaver leaver = {.waiter = {.on_done = on_done_leave_other}};
	struct lookup_key key = {.leg = &w.leg, .name = &name, .type = TYPE_A};

	(void)state;
	assert_int_equal(name_from_text(&name, &w.key, "a.test"), 0);
	assert_int_equal(lookup_ask(&w.table, &key, &w.held_of[0], &leaver.waiter, w.now + DEADLINE,
				    true, w.now),
			 0);
	struct world_asked *other = world_ask(&w, "a.test");
	leaver.other = &other->waiter;
	world_run(&w, 2 * MS);
	assert_false(other->done);
	assert_int_equal(w.sent, 2);
	assert_answered_by(leaver.again, 0);
}

static void holders_are_held_by_questions_and_flights(void **state)
{
	(void)state;
	struct world_asked *q = world_ask(&w, "a.test");
	assert_int_equal(w.held, 2);
	lookup_leave(&q->waiter);
	assert_int_equal(w.held, 1);
	world_run(&w, 2 * MS);
	assert_int_equal(w.held, 0);
}

static void clients_who_keep_asking_do_not_keep_an_old_policy(void **state)
{
	(void)state;
	w.servers[0].does = SILENT;
	world_ask(&w, "a.test");
	w.policy = 1;
	for (unsigned i = 0; i < 3; i++) {
		world_run(&w, DEADLINE - 100 * MS);
		assert_non_null(world_ask(&w, "a.test"));
	}
	assert_int_equal(w.table.coalesced, 2); /* with the first question, then with the second */
	assert_int_equal(w.held_of[0], 0);
	assert_true(w.held_of[1] > 0);
}

static void clients_who_keep_asking_do_not_gather_flights(void **state)
{
	(void)state;
	w.servers[0].does = SILENT;
	for (unsigned i = 0; i < 120; i++) {
		assert_non_null(world_ask(&w, "a.test"));
		world_run(&w, 500 * MS);
		assert_true(w.table.flight_count <= 20);
	}
	world_run(&w, 2 * DEADLINE);
	assert_int_equal(w.table.flight_count, 0);
	assert_int_equal(w.held, 0);
}

static void releasing_the_table_lets_waiters_go(void **state)
{
	(void)state;
	struct world_asked *q = world_ask(&w, "a.test");
	lookups_release(&w.table);
	assert_null(q->waiter.link);
	assert_int_equal(w.held, 0);
}

/* ---- what is an answer ---- */

/* The reply that the server has put on its way, to be tampered with. */
static struct world_packet *reply(void)
{
	assert_int_equal(w.packet_count, 1);
	return &w.packets[0];
}

static bool offer(const struct world_packet *packet, void *socket, const struct host *peer)
{
	struct world_packet copy = *packet;
	return lookup_on_reply(&w.table, socket, peer, copy.wire, copy.length, w.now);
}

static void forgeries_are_ignored_and_the_question_waits_on(void **state)
{
	(void)state;
	struct world_asked *q = world_ask(&w, "a.test");
	struct world_packet good = *reply(), bad;
	struct host peer = w.upstreams[0].host;
	struct lookup_socket elsewhere = {0};

	assert_false(offer(&good, &elsewhere, &peer)); /* another port of ours */
	assert_false(offer(&good, &w.udp, &w.upstreams[1].host));
	peer.port++;
	assert_false(offer(&good, &w.udp, &peer));
	peer.port--;
	bad = good;
	bad.wire[1] ^= 1;
	assert_false(offer(&bad, &w.udp, &peer)); /* id */
	bad = good;
	bad.wire[2] &= 0x7f;
	assert_false(offer(&bad, &w.udp, &peer)); /* not a reply */
	bad = good;
	bad.wire[13] ^= 1;
	assert_false(offer(&bad, &w.udp, &peer)); /* qname */
	bad = good;
	bad.wire[12 + 8 + 1] ^= 1;
	assert_false(offer(&bad, &w.udp, &peer)); /* qtype */
	bad = good;
	bad.wire[12 + 8 + 3] ^= 1;
	assert_false(offer(&bad, &w.udp, &peer)); /* qclass */
	bad = good;
	bad.wire[5] = 0;
	assert_false(offer(&bad, &w.udp, &peer)); /* no question */
	bad.wire[5] = 2;
	assert_false(offer(&bad, &w.udp, &peer)); /* two */
	bad = good;
	bad.length = 12 + 11;
	assert_false(offer(&bad, &w.udp, &peer)); /* cut within the question */
	bad.length = 11;
	assert_false(offer(&bad, &w.udp, &peer));
	assert_int_equal(w.table.mismatched, 12);
	assert_int_equal(w.targets[0].answered, 0);
	assert_false(q->done);
	assert_true(offer(&good, &w.udp, &peer));
	assert_answered_by(q, 0);
	assert_int_equal(w.servers[1].got, 0);
}

static void the_replys_question_may_be_in_any_case(void **state)
{
	(void)state;
	struct world_asked *q = world_ask(&w, "a.test");
	reply()->wire[13] = 'A';
	world_run(&w, 2 * MS);
	assert_answered_by(q, 0);
}

static void a_duplicate_reply_is_not_an_answer(void **state)
{
	(void)state;
	world_ask(&w, "a.test");
	struct world_packet copy = *reply();
	world_run(&w, 2 * MS);
	assert_false(offer(&copy, &w.udp, &w.upstreams[0].host));
	assert_int_equal(w.targets[0].answered, 1);
}

static void a_reply_that_cannot_be_read_sends_the_question_on(void **state)
{
	(void)state;
	w.servers[0].does = MANGLED;
	struct world_asked *q = world_ask(&w, "a.test");
	world_run(&w, 3 * MS);
	assert_answered_by(q, 1);
	assert_int_equal(w.targets[0].last_error, TARGET_ERROR_MANGLED);
	assert_int_equal(w.targets[0].answered, 1);
}

static void another_opcode_is_a_mangled_reply(void **state)
{
	(void)state;
	struct world_asked *q = world_ask(&w, "a.test");
	reply()->wire[2] |= 0x10;
	world_run(&w, 3 * MS);
	assert_answered_by(q, 1);
	assert_int_equal(w.targets[0].last_error, TARGET_ERROR_MANGLED);
}

/* ---- errors ---- */

static void servfail_refused_notimp_and_lame_go_to_the_next(void **state)
{
	static const struct {
		enum deed does;
		enum target_error error;
	} cases[] = {{SERVFAILS, TARGET_ERROR_SERVFAIL},
		     {REFUSES, TARGET_ERROR_REFUSED},
		     {NOTIMPS, TARGET_ERROR_NOTIMP},
		     {FORMERRS_ALWAYS, TARGET_ERROR_FORMERR},
		     {LAME, TARGET_ERROR_LAME}};

	(void)state;
	for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
		w.servers[0].does = cases[i].does;
		struct world_asked *q = world_ask_new(&w);
		world_run(&w, 5 * MS);
		assert_answered_by(q, 1);
		assert_int_equal(w.targets[0].last_error, cases[i].error);
		assert_false(target_is_suspect(&w.targets[0])); /* says nothing of other domains */
	}
	w.servers[0].does = ANSWERS;
	struct world_asked *q = world_ask_new(&w);
	world_run(&w, 5 * MS);
	assert_answered_by(q, 0);
}

static void nodata_without_a_soa_is_an_answer(void **state)
{
	(void)state;
	w.servers[0].does = NODATA;
	struct world_asked *q = world_ask(&w, "a.test");
	world_run(&w, 3 * MS);
	assert_answered_by(q, 0);
}

static void yxdomain_is_an_answer(void **state)
{
	(void)state;
	w.servers[0].does = YXDOMAINS;
	struct world_asked *q = world_ask(&w, "a.test");
	world_run(&w, 3 * MS);
	assert_answered_by(q, 0);
}

/* It is what clients' SERVFAIL is put down to: the others may be slow, or the name nobody's. */
static void an_error_that_somebody_answered_is_known_whoever_is_silent_after_it(void **state)
{
	(void)state;
	w.servers[0].does = REFUSES;
	w.servers[1].does = w.servers[2].does = SILENT;
	struct world_asked *q = world_ask(&w, "a.test");
	world_run(&w, 5000 * MS);
	assert_true(q->done);
	assert_int_equal(q->value.outcome, ASK_FAILED);
	assert_int_equal(q->value.said.error, TARGET_ERROR_REFUSED);
	assert_ptr_equal(q->value.said.by, &w.upstreams[0]);
	w.servers[0].does = SILENT;
	q = world_ask(&w, "b.test");
	world_run(&w, 5000 * MS);
	assert_true(q->done);
	assert_null(q->value.said.by);
}

static void a_target_that_answers_nothing_but_errors_is_known_until_it_answers(void **state)
{
	char name[16];

	(void)state;
	w.servers[0].does = REFUSES;
	for (unsigned i = 0; i < FAILURES_ROW; i++) {
		assert_int_equal(target_answers(&w.targets[0], w.now), TARGET_ERROR_NONE);
		snprintf(name, sizeof name, "n%u.test", i);
		struct world_asked *q = world_ask(&w, name);
		world_run(&w, 10 * MS);
		assert_answered_by(q, 1);
	}
	world_run(&w, FAILURES_AGE_S * 1000 * MS);
	assert_int_equal(target_answers(&w.targets[0], w.now), TARGET_ERROR_REFUSED);
	assert_int_equal(target_answers(&w.targets[1], w.now), TARGET_ERROR_NONE);
	w.servers[0].does = ANSWERS;
	world_ask(&w, "fine.test");
	world_run(&w, 10 * MS);
	assert_int_equal(target_answers(&w.targets[0], w.now), TARGET_ERROR_NONE);
}

static void errors_of_all_targets_are_a_failure_at_once(void **state)
{
	(void)state;
	w.servers[0].does = SERVFAILS;
	w.servers[1].does = LAME;
	w.servers[2].does = REFUSES;
	struct world_asked *q = world_ask(&w, "a.test");
	world_run(&w, 4 * MS);
	assert_ended(q, ASK_FAILED, TARGET_ERROR_REFUSED);
	assert_ptr_equal(q->value.upstream, &w.upstreams[2]);
	assert_int_equal(w.sent, 3);
}

static void a_target_that_cannot_be_sent_to_is_passed_over(void **state)
{
	(void)state;
	w.servers[0].does = UNSENDABLE;
	struct world_asked *q = world_ask(&w, "a.test");
	world_run(&w, 2 * MS);
	assert_answered_by(q, 1);
	assert_int_equal(w.targets[0].last_error, TARGET_ERROR_SOURCE);
	assert_false(target_is_suspect(&w.targets[0]));
}

static void without_room_for_its_flight_it_fails_and_blames_no_source(void **state)
{
	(void)state;
	w.table.lookup_max = 1;
	w.table.flight_count += LOOKUP_FLIGHTS;
	struct world_asked *q = world_ask(&w, "a.test");
	w.table.flight_count -= LOOKUP_FLIGHTS;
	world_run(&w, 2 * MS);
	assert_ended(q, ASK_FAILED, TARGET_ERROR_ROOM);
	assert_int_equal(w.targets[0].last_error, TARGET_ERROR_ROOM);
	assert_int_equal(w.sent, 0);
}

static void when_none_can_be_sent_to_it_fails_but_not_before_asking_returns(void **state)
{
	(void)state;
	w.servers[0].does = w.servers[1].does = UNSENDABLE;
	struct world_asked *q = world_ask(&w, "a.test"); /* asserts that it is not done */
	struct world_asked *joined = world_ask(&w, "a.test");
	world_run(&w, 2 * MS);
	assert_ended(q, ASK_FAILED, TARGET_ERROR_SOURCE);
	assert_ended(joined, ASK_FAILED, TARGET_ERROR_SOURCE);
	assert_true(q->value.sourceless);
	assert_int_equal(w.sent, 0);
}

static void a_source_is_missing_only_where_no_target_could_be_asked(void **state)
{
	(void)state;
	w.servers[0].does = SERVFAILS;
	w.servers[1].does = UNSENDABLE;
	struct world_asked *q = world_ask(&w, "a.test");
	world_run(&w, 2 * MS);
	assert_ended(q, ASK_FAILED, TARGET_ERROR_SOURCE);
	assert_false(q->value.sourceless);
}

static void a_network_error_goes_to_the_next_at_once_and_is_remembered(void **state)
{
	(void)state;
	world_warm_up(&w, 100);
	w.servers[0].does = UNREACHABLE;
	struct world_asked *q = world_ask(&w, "a.test");
	world_run(&w, 3 * MS);
	assert_answered_by(q, 1);
	assert_int_equal(q->done_us - q->asked_us, 2 * MS);
	assert_true(target_is_suspect(&w.targets[0]));
	q = world_ask(&w, "b.test");
	world_run(&w, 3 * MS);
	assert_answered_by(q, 1);
	assert_int_equal(q->done_us - q->asked_us, MS);
}

static void a_question_refused_everywhere_waits_for_a_restart(void **state)
{
	(void)state;
	w.servers[0].does = UNREACHABLE;
	struct world_asked *q = world_ask(&w, "a.test");
	world_run(&w, 50 * MS);
	assert_false(q->done);
	assert_int_equal(w.servers[0].got, 1); /* and does not hammer */
	w.servers[0].does = ANSWERS;
	world_run(&w, 100 * MS);
	assert_answered_by(q, 0);
}

static void a_refusal_that_lasts_ends_at_the_deadline_as_a_network_error(void **state)
{
	(void)state;
	w.servers[0].does = UNREACHABLE;
	struct world_asked *q = world_ask(&w, "a.test");
	world_run(&w, DEADLINE - MS);
	assert_false(q->done);
	world_run(&w, 3 * MS);
	assert_ended(q, ASK_SILENT, TARGET_ERROR_NETWORK);
	assert_in_range(w.servers[0].got, 12, 15); /* after 100 ms at first, after 500 in the end */
}

static void an_error_and_nothing_but_a_dead_target_beside_is_a_failure_soon(void **state)
{
	(void)state;
	world_warm_up(&w, 100);
	w.servers[0].does = SERVFAILS;
	w.servers[1].does = UNREACHABLE;
	struct world_asked *q = world_ask(&w, "a.test");
	world_run(&w, 5 * MS);
	assert_ended(q, ASK_FAILED, TARGET_ERROR_NETWORK);
	world_run(&w, 2 * SECOND); /* the suspect's second of copies is over */
	w.servers[1].does = SILENT;
	world_ask_new(&w); /* takes the next 100 ms' copy */
	q = world_ask_new(&w);
	world_run(&w, 2 * MS);
	assert_ended(q, ASK_FAILED, TARGET_ERROR_SERVFAIL);
}

/* ---- TC ---- */

static void tc_is_asked_by_tcp_at_the_same_target(void **state)
{
	(void)state;
	w.servers[0].does = TRUNCATES;
	struct world_asked *q = world_ask(&w, "a.test");
	w.servers[0].delay_us = 50 * MS; /* TCP takes its time, */
	world_run(&w, 60 * MS);
	assert_int_equal(target_allowance_us(&w.targets[0]), 20 * MS); /* that is no sample */
	assert_answered_by(q, 0);
	assert_false(message_flags(q->value.wire) & FLAG_TC);
	assert_int_equal(w.servers[0].got, 2);
	assert_int_equal(w.servers[0].got_tcp, 1);
	assert_int_equal(w.servers[1].got, 0);
}

static void when_tcp_fails_the_next_target_is_asked(void **state)
{
	static const enum deed deeds[] = {UNREACHABLE, UNSENDABLE, SERVFAILS, TRUNCATES};

	(void)state;
	w.servers[0].does = TRUNCATES;
	for (size_t i = 0; i < sizeof deeds / sizeof deeds[0]; i++) {
		w.servers[0].by_tcp = deeds[i];
		struct world_asked *q = world_ask_new(&w);
		world_run(&w, 5 * MS);
		assert_answered_by(q, 1);
		assert_int_equal(w.servers[1].got, i + 1);
		assert_false(target_is_suspect(&w.targets[0])); /* its UDP is well */
	}
}

static void silent_tcp_goes_to_the_next_after_patience_and_is_no_suspicion(void **state)
{
	(void)state;
	w.servers[0].does = TRUNCATES;
	w.servers[0].by_tcp = SILENT;
	struct world_asked *q = world_ask(&w, "a.test");
	world_run(&w, 795 * MS);
	assert_false(q->done);
	world_run(&w, 10 * MS);
	assert_answered_by(q, 1);
	assert_false(target_is_suspect(&w.targets[0]));
}

static void with_no_other_target_it_is_told_that_there_was_a_tc(void **state)
{
	(void)state;
	w.servers[0].does = w.servers[1].does = TRUNCATES;
	w.servers[0].by_tcp = UNREACHABLE;
	w.servers[1].by_tcp = REFUSES;
	struct world_asked *q = world_ask(&w, "a.test");
	world_run(&w, 10 * MS);
	assert_true(q->done);
	assert_int_equal(q->value.outcome, ASK_TRUNCATED);
	assert_ptr_equal(q->value.upstream, &w.upstreams[1]);
	assert_int_equal(q->value.length, 0);
}

static void a_tcp_target_is_asked_by_tcp(void **state)
{
	(void)state;
	w.upstreams[0].protocol = PROTOCOL_TCP;
	struct world_asked *q = world_ask(&w, "a.test");
	world_run(&w, 3 * MS);
	assert_answered_by(q, 0);
	assert_int_equal(w.servers[0].got_tcp, 1);
	w.servers[0].does = UNREACHABLE; /* and here TCP is its health */
	world_ask(&w, "b.test");
	world_run(&w, 3 * MS);
	assert_true(target_is_suspect(&w.targets[0]));
}

/* ---- FORMERR ---- */

static void formerr_to_an_opt_is_asked_once_more_without_and_remembered(void **state)
{
	static const enum deed deeds[] = {FORMERRS, NOTIMPS_OPT, BADVERS};

	(void)state;
	for (size_t i = 0; i < sizeof deeds / sizeof deeds[0]; i++) {
		w.servers[0].does = deeds[i];
		atomic_store(&w.targets[0].plain_until_us, 0);
		target_on_opt_read(&w.targets[0]);
		w.servers[0].got = w.servers[0].got_plain = 0;
		for (unsigned row = 1; row <= TARGET_PLAIN_ROW; row++) {
			struct world_asked *q = world_ask_new(&w);
			world_run(&w, 5 * MS);
			assert_answered_by(q, 0);
			assert_int_equal(w.servers[0].got, 2 * row);
			assert_int_equal(w.servers[0].got_plain, row);
		}
		struct world_asked *q = world_ask_new(&w);
		world_run(&w, 5 * MS);
		assert_answered_by(q, 0);
		assert_int_equal(w.servers[0].got, 2 * TARGET_PLAIN_ROW + 1);
		assert_int_equal(w.servers[0].got_plain, TARGET_PLAIN_ROW + 1);
	}
	world_run(&w, TARGET_PLAIN_US);
	w.servers[0].got = w.servers[0].got_plain = 0;
	world_ask_new(&w);
	assert_int_equal(w.servers[0].got_plain, 0); /* forgotten */
	assert_int_equal(w.servers[1].got, 0);
}

/* Its first answer among them, or one name again and again: whatever is asked next has an OPT. */
static void one_name_s_formerr_takes_edns_from_no_other(void **state)
{
	(void)state;
	w.dnssec_ok = true;
	for (unsigned i = 0; i < 2 * TARGET_PLAIN_ROW; i++) {
		w.servers[0].does = FORMERRS;
		struct world_asked *q = world_ask(&w, "odd.test");
		world_run(&w, 5 * MS);
		assert_answered_by(q, 0);
		assert_int_equal(w.servers[0].got_plain, i + 1);
	}
	w.servers[0].got = w.servers[0].got_plain = 0;
	w.servers[0].does = ANSWERS;
	for (unsigned i = 1; i <= 24; i++) {
		struct world_asked *q = world_ask_new(&w);
		world_run(&w, 5 * MS);
		assert_answered_by(q, 0);
		assert_int_equal(w.servers[0].got, i);
	}
	assert_int_equal(w.servers[0].got_plain, 0);
}

static void a_row_of_formerrs_ends_with_an_answer_to_an_opt(void **state)
{
	(void)state;
	for (unsigned i = 1; i < 3 * TARGET_PLAIN_ROW; i++) {
		w.servers[0].does = i % TARGET_PLAIN_ROW ? FORMERRS : ANSWERS;
		struct world_asked *q = world_ask_new(&w);
		world_run(&w, 5 * MS);
		assert_answered_by(q, 0);
		assert_false(target_is_plain(&w.targets[0], w.now));
	}
}

/* Nothing but an id speaks for twelve bytes. */
static void a_bare_formerr_counts_for_its_question_only(void **state)
{
	(void)state;
	w.servers[0].does = FORMERRS_BARE;
	for (unsigned i = 1; i <= 3; i++) {
		struct world_asked *q = world_ask_new(&w);
		world_run(&w, 5 * MS);
		assert_answered_by(q, 0);
		assert_int_equal(w.servers[0].got, 2 * i);
		assert_int_equal(w.servers[0].got_plain, i);
		assert_false(target_is_plain(&w.targets[0], w.now));
	}
	assert_int_equal(w.servers[1].got, 0);
}

static void bare_errors_are_errors(void **state)
{
	static const struct {
		enum deed does;
		enum target_error error;
		unsigned got;
	} cases[] = {{SERVFAILS_BARE, TARGET_ERROR_SERVFAIL, 1},
		     {REFUSES_BARE, TARGET_ERROR_REFUSED, 1},
		     {NOTIMPS_BARE, TARGET_ERROR_NOTIMP, 2}};

	(void)state;
	for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
		w.servers[0] = (struct world_server){.does = cases[i].does, .delay_us = 1 * MS};
		struct world_asked *q = world_ask_new(&w);
		world_run(&w, 5 * MS);
		assert_answered_by(q, 1);
		assert_int_equal(w.servers[0].got, cases[i].got);
		assert_int_equal(w.targets[0].last_error, cases[i].error);
		assert_int_equal(w.targets[0].srtt_us, 0);
	}
	w.servers[0].does = ANSWERS;
	struct world_packet bare;
	struct world_asked *q = world_ask_new(&w);
	bare = w.packets[w.packet_count - 1];
	bare.length = MESSAGE_HEADER;
	assert_false(offer(&bare, &w.udp, &w.upstreams[0].host)); /* NOERROR */
	world_run(&w, 5 * MS);
	assert_answered_by(q, 0);
}

static void who_has_answered_with_an_opt_is_asked_with_one(void **state)
{
	(void)state;
	w.dnssec_ok = true;
	w.servers[0].opts = true;
	struct world_asked *q = world_ask_new(&w);
	world_run(&w, 5 * MS);
	assert_int_equal(q->value.edns, ASK_EDNS_FINE);
	for (unsigned i = 1; i <= 3; i++) {
		w.servers[0].does = i == 2 ? NOTIMPS_OPT : FORMERRS;
		w.servers[0].got_plain = 0;
		q = world_ask_new(&w);
		world_run(&w, 5 * MS);
		assert_answered_by(q, 0);
		assert_int_equal(q->value.edns, ASK_EDNS_REFUSED);
		assert_int_equal(w.servers[0].got_plain, 1);
		assert_int_equal(w.servers[0].got, 1 + 2 * i);
	}
	assert_int_equal(w.servers[1].got, 0);
}

static void an_answer_without_edns_says_so_where_dnssec_is_wanted(void **state)
{
	(void)state;
	w.servers[0].does = FORMERRS;
	for (unsigned i = 0; i < 2 * TARGET_PLAIN_ROW; i++) {
		w.dnssec_ok = i % 2 == 1;
		struct world_asked *q = world_ask_new(&w);
		world_run(&w, 5 * MS);
		assert_int_equal(q->value.edns, w.dnssec_ok ? ASK_EDNS_NONE : ASK_EDNS_FINE);
	}
}

/* Of two packets with an OPT, as after a loss. */
static void two_formerrs_are_asked_plainly_once(void **state)
{
	(void)state;
	w.servers[0].does = FORMERRS;
	w.servers[0].delay_us = 120 * MS; /* more than the first allowance */
	w.leg.upstream_count = 1;
	struct world_asked *q = world_ask_new(&w);
	world_run(&w, 119 * MS);
	assert_int_equal(w.servers[0].got, 2);
	world_run(&w, SECOND);
	assert_answered_by(q, 0);
	assert_int_equal(w.servers[0].got_plain, 1);
}

static void formerr_to_everything_is_not_remembered_as_plain(void **state)
{
	(void)state;
	w.servers[0].does = FORMERRS_ALWAYS;
	struct world_asked *q = world_ask(&w, "a.test");
	world_run(&w, 5 * MS);
	assert_answered_by(q, 1);
	assert_int_equal(w.servers[0].got, 2);
	assert_false(target_is_plain(&w.targets[0], w.now));
}

static void random_replies_lead_nowhere(void **state)
{
	(void)state;
	for (unsigned i = 0; i < 2000; i++) {
		w.servers[0].delay_us = w.servers[1].delay_us = MS;
		world_ask_new(&w);
		struct world_packet *packet = &w.packets[w.packet_count - 1];
		size_t from = i % 4 == 0 ? 0 : MESSAGE_HEADER + 12;
		for (unsigned n = 0; n < 4; n++) {
			size_t at = from + world_random(&w) % (packet->length - from);
			packet->wire[at] = (uint8_t)world_random(&w);
		}
		packet->wire[7] = (uint8_t)(world_random(&w) % 4);
		packet->length -= (unsigned)(world_random(&w) % 8);
		world_run(&w, 3 * MS);
	}
	world_run(&w, DEADLINE);
	assert_int_equal(w.results, 2000);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TWO(the_first_target_answers_and_the_second_is_left_alone),
		ONE(the_question_goes_out_in_lower_case_with_rd_and_our_opt),
		ONE(do_and_cd_go_upstream_as_they_came),
		ONE(identical_questions_are_asked_once),
		ONE(another_do_or_cd_bit_is_another_question),
		ONE(after_the_answer_it_is_asked_anew),
		ONE(more_than_lookup_max_is_refused),
		ONE(one_waiter_may_leave_and_the_others_are_told),
		ONE(with_its_last_waiter_a_question_ends_and_its_answer_still_counts),
		ONE(a_waiter_may_make_others_leave_and_ask_again),
		ONE(holders_are_held_by_questions_and_flights),
		ONE(clients_who_keep_asking_do_not_keep_an_old_policy),
		ONE(clients_who_keep_asking_do_not_gather_flights),
		ONE(releasing_the_table_lets_waiters_go),
		TWO(forgeries_are_ignored_and_the_question_waits_on),
		ONE(the_replys_question_may_be_in_any_case),
		ONE(a_duplicate_reply_is_not_an_answer),
		TWO(a_reply_that_cannot_be_read_sends_the_question_on),
		TWO(another_opcode_is_a_mangled_reply),
		TWO(servfail_refused_notimp_and_lame_go_to_the_next),
		TWO(nodata_without_a_soa_is_an_answer),
		TWO(yxdomain_is_an_answer),
		THREE(errors_of_all_targets_are_a_failure_at_once),
		THREE(an_error_that_somebody_answered_is_known_whoever_is_silent_after_it),
		THREE(a_target_that_answers_nothing_but_errors_is_known_until_it_answers),
		TWO(a_target_that_cannot_be_sent_to_is_passed_over),
		TWO(without_room_for_its_flight_it_fails_and_blames_no_source),
		TWO(when_none_can_be_sent_to_it_fails_but_not_before_asking_returns),
		TWO(a_source_is_missing_only_where_no_target_could_be_asked),
		TWO(a_network_error_goes_to_the_next_at_once_and_is_remembered),
		ONE(a_question_refused_everywhere_waits_for_a_restart),
		ONE(a_refusal_that_lasts_ends_at_the_deadline_as_a_network_error),
		TWO(an_error_and_nothing_but_a_dead_target_beside_is_a_failure_soon),
		TWO(tc_is_asked_by_tcp_at_the_same_target),
		TWO(when_tcp_fails_the_next_target_is_asked),
		TWO(silent_tcp_goes_to_the_next_after_patience_and_is_no_suspicion),
		TWO(with_no_other_target_it_is_told_that_there_was_a_tc),
		TWO(a_tcp_target_is_asked_by_tcp),
		TWO(formerr_to_an_opt_is_asked_once_more_without_and_remembered),
		TWO(formerr_to_everything_is_not_remembered_as_plain),
		TWO(a_bare_formerr_counts_for_its_question_only),
		TWO(one_name_s_formerr_takes_edns_from_no_other),
		TWO(a_row_of_formerrs_ends_with_an_answer_to_an_opt),
		TWO(bare_errors_are_errors),
		TWO(who_has_answered_with_an_opt_is_asked_with_one),
		TWO(an_answer_without_edns_says_so_where_dnssec_is_wanted),
		TWO(two_formerrs_are_asked_plainly_once),
		TWO(random_replies_lead_nowhere),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
