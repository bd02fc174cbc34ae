/* What a forger would have to guess beyond port and id, the letters' case, and that
 * nobody who is well-behaved, or only different, loses a question by them. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "tests/lib/world.h"

static int with_case(void **state)
{
	(void)state;
	world_init(&w, 2);
	w.table.random_case = true;
	return 0;
}

static struct world_packet *last_reply(void)
{
	assert_true(w.packet_count > 0);
	return &w.packets[w.packet_count - 1];
}

static unsigned capitals(const uint8_t *name, size_t length)
{
	unsigned count = 0;

	for (size_t i = 0; i < length; i++)
		count += name[i] >= 'A' && name[i] <= 'Z';
	return count;
}

static unsigned capitals_asked(void)
{
	return capitals(w.last_query + MESSAGE_HEADER,
			name_wire_length(w.last_query + MESSAGE_HEADER));
}

static void lower(struct world_packet *packet)
{
	for (unsigned i = MESSAGE_HEADER; i < packet->length; i++)
		packet->wire[i] = name_lower(packet->wire[i]);
}

/* A name with so many letters that all of them small is out of the question. */
static struct world_asked *ask_letters(void)
{
	char text[80];

	snprintf(text, sizeof text, "n%u.abcdefghijklmnopqrstuvwxyz.abcdefghijklmnopqrstuvwxyz",
		 w.asked_count);
	return world_ask(&w, text);
}

static void learn_case(void)
{
	for (unsigned i = 0; i < TARGET_CASE_SURE; i++) {
		assert_false(target_ignores_case(&w.targets[0]));
		struct world_asked *q = ask_letters();
		assert_true(capitals_asked() > 0);
		world_run(&w, 2 * MS);
		assert_answered_by(q, 0);
	}
	assert_true(target_ignores_case(&w.targets[0]));
}

/* One that comes when its question has ended has no open question's id. */
static void only_what_cannot_be_a_late_answer_is_somebody_elses(void **state)
{
	char text[TARGET_OTHER_TEXT];

	(void)state;
	ask_letters();
	struct world_packet late = *last_reply(), wrong = *last_reply();
	wire_put16(late.wire, (uint16_t)(wire_u16(late.wire) + 1));
	world_deliver(&w, late);
	assert_int_equal(w.targets[0].mismatched, 1);
	assert_string_equal(target_other_text(&w.targets[0], w.now, text),
			    "answers come that match no open question; they may be late");
	wrong.wire[MESSAGE_HEADER + 1] = 'x';
	world_deliver(&w, wrong);
	assert_int_equal(w.targets[0].mismatched, 2);
	assert_string_equal(target_other_text(&w.targets[0], w.now, text),
			    "something else answers: 192.0.2.1:1000");
}

static void an_answer_is_handed_on_in_lower_case(void **state)
{
	(void)state;
	struct world_asked *q = ask_letters();
	world_run(&w, 2 * MS);
	assert_answered_by(q, 0);
	assert_int_equal(capitals(q->value.wire + MESSAGE_HEADER, q->value.length - MESSAGE_HEADER),
			 0);
}

static void append(struct world_packet *packet, const void *bytes, size_t length)
{
	assert_true(packet->length + length <= sizeof packet->wire);
	memcpy(packet->wire + packet->length, bytes, length);
	packet->length += (unsigned)length;
}

/* The owner is the question's name, or what is there already. */
static void append_record(struct world_packet *packet, bool owned, uint16_t type,
			  const uint8_t *rdata, size_t length)
{
	uint8_t fixed[RECORD_HEADER] = {0xc0, 12, 0, 0, 0, CLASS_IN, 0, 0, 1, 44};

	wire_put16(fixed + 2, type);
	wire_put16(fixed + 10, (uint16_t)length);
	append(packet, fixed + (owned ? 2 : 0), sizeof fixed - (owned ? 2 : 0));
	append(packet, rdata, length);
}

/* What a server writes that copies the question's labels: a CNAME by a DNAME, and names above. */
static void names_in_an_answer_keep_none_of_our_letters(void **state)
{
	static const uint8_t end[] = "\4HoSt\4tEST", soa_numbers[20] = {1}, mx[] = {0, 10};
	uint8_t rdata[200], sent[100];

	(void)state;
	struct world_asked *q = ask_letters();
	struct world_packet *packet = last_reply();
	size_t length = name_wire_length(packet->wire + MESSAGE_HEADER), first = 3, above = 27;
	memcpy(sent, packet->wire + MESSAGE_HEADER, length);
	assert_true(capitals(sent + first, above) > 0);
	packet->length = MESSAGE_HEADER + (unsigned)length + 4;
	wire_put16(packet->wire + 6, 3);
	wire_put16(packet->wire + 8, 2);
	memcpy(rdata, sent, first + above);
	memcpy(rdata + first + above, end, sizeof end);
	append_record(packet, false, TYPE_CNAME, rdata, first + above + sizeof end);
	append(packet, sent + first, length - first); /* an owner, written out */
	append_record(packet, true, TYPE_A, soa_numbers, 4);
	memcpy(rdata, mx, sizeof mx);
	memcpy(rdata + sizeof mx, sent, length);
	append_record(packet, false, TYPE_MX, rdata, sizeof mx + length);
	size_t at = length - first;
	memcpy(rdata, sent + first, at);
	memcpy(rdata + at, sent, length);
	memcpy(rdata + at + length, soa_numbers, sizeof soa_numbers);
	append_record(packet, false, TYPE_SOA, rdata, at + length + sizeof soa_numbers);
	append_record(packet, false, TYPE_NSEC, sent, length); /* its letters are signed */
	world_run(&w, 2 * MS);
	assert_answered_by(q, 0);
	const uint8_t *wire = q->value.wire;
	unsigned left = capitals(wire + MESSAGE_HEADER, q->value.length - MESSAGE_HEADER - length);
	assert_int_equal(left, 5); /* the server's own: HoSt, tEST */
	assert_memory_equal(wire + q->value.length - length, sent, length);
}

static void who_changes_letters_also_by_tcp_is_let_alone(void **state)
{
	(void)state;
	w.servers[0].lowers = true;
	struct world_asked *q = ask_letters();
	world_run(&w, 1 * MS);
	assert_false(q->done);
	assert_int_equal(w.servers[0].got_tcp, 1);
	assert_true(capitals_asked() > 0);
	world_run(&w, 1 * MS);
	assert_answered_by(q, 0);
	assert_int_equal(w.servers[0].got, 2);
	assert_int_equal(w.servers[1].got, 0);
	assert_int_equal(w.table.guarded, 1);
	for (unsigned i = 0; i < 3; i++) {
		q = ask_letters();
		assert_int_equal(capitals_asked(), 0);
		world_run(&w, 1 * MS);
		assert_answered_by(q, 0);
	}
	world_run(&w, TARGET_CASE_OFF_US - 5 * MS);
	ask_letters();
	assert_int_equal(capitals_asked(), 0);
	world_run(&w, 2 * MS);
	ask_letters();
	assert_true(capitals_asked() > 0);
}

/* What was forged had port and id right; and of what is asked by TCP the letters come back. */
static void one_forged_reply_in_other_letters_switches_nothing_off(void **state)
{
	(void)state;
	struct world_asked *q = ask_letters();
	struct world_packet forged = *last_reply();
	lower(&forged);
	for (unsigned i = 0; i < 2 * TARGET_CASE_ROW; i++)
		assert_false(lookup_on_reply(&w.table, &w.udp, &w.upstreams[0].host, forged.wire,
					     forged.length, w.now));
	assert_false(q->done);
	assert_int_equal(w.servers[0].got_tcp, 1);
	world_run(&w, 2 * MS);
	assert_answered_by(q, 0);
	assert_int_equal(w.servers[0].got, 2);
	ask_letters();
	assert_true(capitals_asked() > 0);
}

static void who_changes_letters_and_refuses_tcp_loses_no_question(void **state)
{
	(void)state;
	w.leg.upstream_count = 1;
	w.servers[0].lowers = true;
	w.servers[0].by_tcp = UNREACHABLE;
	for (unsigned i = 1; i <= TARGET_CASE_ROW; i++) {
		struct world_asked *q = ask_letters();
		assert_true(capitals_asked() > 0);
		world_run(&w, 4 * MS);
		assert_answered_by(q, 0);
		assert_in_range(q->done_us - q->asked_us, 3 * MS, 4 * MS);
		assert_int_equal(w.servers[0].got_tcp, i);
		assert_int_equal(w.servers[0].got, 3 * i);
	}
	struct world_asked *q = ask_letters();
	assert_int_equal(capitals_asked(), 0);
	world_run(&w, 1 * MS);
	assert_answered_by(q, 0);
}

static void who_changes_letters_and_has_no_tcp_loses_no_question(void **state)
{
	struct world_asked *asked[2 * TARGET_CASE_ROW];

	(void)state;
	w.leg.upstream_count = 1;
	w.servers[0].lowers = true;
	w.servers[0].by_tcp = SILENT;
	for (unsigned i = 0; i < 2 * TARGET_CASE_ROW; i++) {
		asked[i] = ask_letters();
		world_run(&w, 50 * MS);
	}
	world_run(&w, DEADLINE);
	for (unsigned i = 0; i < 2 * TARGET_CASE_ROW; i++)
		assert_answered_by(asked[i], 0);
	assert_in_range(w.servers[0].got_tcp, 1, TARGET_CASE_ROW + 3);
	ask_letters();
	assert_int_equal(capitals_asked(), 0);
}

/* Two seconds for an answer, by UDP and by TCP: asked by TCP only when the letters have come, it
 * would answer when the client is gone. */
static void who_changes_letters_and_is_slow_is_asked_by_tcp_when_patience_is_over(void **state)
{
	struct world_asked *q;

	(void)state;
	w.leg.upstream_count = 1;
	w.servers[0].lowers = true;
	w.servers[0].delay_us = 2 * SECOND;
	q = ask_letters();
	world_run(&w, 2900 * MS);
	assert_answered_by(q, 0);
	assert_int_equal(w.servers[0].got_tcp, 1);
	ask_letters();
	assert_int_equal(capitals_asked(), 0);
}

/* Its letters come when TCP has failed long ago, or has said nothing for as long as it may take. */
static void who_changes_letters_is_slow_and_has_no_tcp_loses_no_question(void **state)
{
	static const enum deed by_tcp[] = {UNREACHABLE, SILENT};

	(void)state;
	w.leg.upstream_count = 1;
	w.servers[0].lowers = true;
	w.servers[0].delay_us = 1800 * MS;
	for (unsigned i = 0; i < 2; i++) {
		struct world_asked *q;

		w.servers[0].by_tcp = by_tcp[i];
		q = ask_letters();
		assert_true(capitals_asked() > 0);
		world_run(&w, 3700 * MS);
		assert_answered_by(q, 0);
		assert_int_equal(w.servers[0].got_tcp, i + 1);
	}
}

/* Silence alone brings no TCP to who is known to repeat letters. */
static void who_keeps_letters_is_not_asked_by_tcp_when_it_is_slow(void **state)
{
	struct world_asked *q;

	(void)state;
	w.leg.upstream_count = 1;
	learn_case();
	w.servers[0].delay_us = 2 * SECOND;
	q = ask_letters();
	world_run(&w, 2100 * MS);
	assert_answered_by(q, 0);
	assert_int_equal(w.servers[0].got_tcp, 0);
}

static void a_reply_in_the_letters_sent_ends_the_row(void **state)
{
	(void)state;
	w.servers[0].by_tcp = UNREACHABLE;
	for (unsigned i = 1; i < 3 * TARGET_CASE_ROW; i++) {
		w.servers[0].lowers = i % TARGET_CASE_ROW != 0;
		struct world_asked *q = ask_letters();
		assert_true(capitals_asked() > 0);
		world_run(&w, 4 * MS);
		assert_answered_by(q, 0);
	}
}

/* It might be one that finds only what is spelled as in its file. */
static void no_data_while_it_is_tried_is_asked_again_in_lower_case(void **state)
{
	(void)state;
	w.servers[0].does = NODATA;
	struct world_asked *q = ask_letters();
	assert_true(capitals_asked() > 0);
	world_run(&w, 1 * MS);
	assert_false(q->done);
	assert_int_equal(w.servers[0].got, 2);
	assert_int_equal(capitals_asked(), 0);
	w.servers[0].does = ANSWERS;
	world_run(&w, 2 * MS);
	assert_answered_by(q, 0);
	ask_letters(); /* the next ten seconds' questions are not tried with */
	assert_int_equal(capitals_asked(), 0);
	world_run(&w, TARGET_CASE_PAUSE_US);
	ask_letters();
	assert_true(capitals_asked() > 0);
}

/* A copy of the question, also in capitals, leaves at the end of the allowance. */
static void errors_to_two_packets_bring_one_in_lower_case(void **state)
{
	(void)state;
	w.leg.upstream_count = 1;
	w.servers[0].does = SERVFAILS;
	w.servers[0].delay_us = TARGET_ALLOWANCE_FIRST_US + 10 * MS;
	struct world_asked *q = ask_letters();
	world_run(&w, TARGET_ALLOWANCE_FIRST_US + 5 * MS);
	assert_int_equal(w.servers[0].got, 2);
	assert_true(capitals_asked() > 0);
	world_run(&w, 2 * TARGET_ALLOWANCE_FIRST_US + 10 * MS);
	assert_true(q->done);
	assert_int_equal(w.servers[0].got, 3);
	assert_int_equal(capitals_asked(), 0);
}

/* A reply in other letters has brought a copy by TCP, and the true reply by UDP is lost. */
static void no_data_by_tcp_is_asked_again_in_lower_case_by_udp(void **state)
{
	(void)state;
	w.leg.upstream_count = 1;
	w.servers[0].does = NODATA;
	struct world_asked *q = ask_letters();
	struct world_packet *reply = last_reply();
	struct world_packet forged = *reply;
	reply->due_us = UINT64_MAX;
	lower(&forged);
	assert_false(lookup_on_reply(&w.table, &w.udp, &w.upstreams[0].host, forged.wire,
				     forged.length, w.now));
	assert_int_equal(w.servers[0].got_tcp, 1);
	w.servers[0].does = ANSWERS;
	world_run(&w, 1 * MS);
	assert_int_equal(w.servers[0].got, 3);
	assert_int_equal(capitals_asked(), 0);
	world_run(&w, 1 * MS);
	assert_answered_by(q, 0);
}

static void no_data_that_may_be_the_letters_fault_is_nothing_beside_another_target(void **state)
{
	(void)state;
	w.servers[0].does = NODATA;
	struct world_asked *q = ask_letters();
	w.servers[0].does = SERVFAILS;
	world_run(&w, 5 * MS);
	assert_answered_by(q, 1);
}

static void no_data_of_a_keeper_is_an_answer(void **state)
{
	(void)state;
	learn_case();
	w.servers[0].does = NODATA;
	unsigned got = w.servers[0].got;
	struct world_asked *q = ask_letters();
	world_run(&w, 2 * MS);
	assert_answered_by(q, 0);
	assert_int_equal(w.servers[0].got, got + 1);
}

static void a_name_without_letters_proves_nothing(void **state)
{
	(void)state;
	for (unsigned i = 0; i < 2 * TARGET_CASE_SURE; i++) {
		char text[16];
		snprintf(text, sizeof text, "%u.0-9", i);
		world_ask(&w, text);
		world_run(&w, 2 * MS);
	}
	assert_int_equal(w.targets[0].case_answered, 0);
}

static void questions_by_tcp_and_without_the_setting_are_in_lower_case(void **state)
{
	(void)state;
	w.servers[0].does = TRUNCATES;
	ask_letters();
	world_run(&w, 1 * MS);
	assert_int_equal(w.servers[0].got_tcp, 1);
	assert_int_equal(capitals_asked(), 0);
	world_run(&w, 5 * MS);
	w.table.random_case = false;
	ask_letters();
	assert_int_equal(capitals_asked(), 0);
}

/* Letters and nothing but letters, each of them about every other time; 64 coins. */
static void every_letter_has_a_coin_of_its_own(void **state)
{
	enum { NAME = 70, ROUNDS = 400 };
	static const char text[] =
		"`az{-09@[.abcdefghijklmnopqrstuvwxyzabcdefghijklmnopqrstuvwxyz.a";
	unsigned up[NAME] = {0}, same = 0;

	(void)state;
	w.targets[0].case_answered = TARGET_CASE_SURE;
	for (unsigned round = 0; round < ROUNDS; round++) {
		struct world_asked *q = world_ask(&w, text);
		const uint8_t *name = w.last_query + MESSAGE_HEADER;
		for (unsigned i = 0; i < sizeof text - 1; i++) {
			uint8_t sent = name[i + 1];
			bool letter = text[i] >= 'a' && text[i] <= 'z';
			if (text[i] != '.')
				assert_int_equal(name_lower(sent), text[i]);
			assert_true(letter || text[i] == '.' || sent == (uint8_t)text[i]);
			up[i] += letter && sent != (uint8_t)text[i];
		}
		same += (name[12] ^ name[13]) & 0x20 ? 0 : 1;
		world_run(&w, 2 * MS);
		assert_answered_by(q, 0);
	}
	for (unsigned i = 0; i < sizeof text - 1; i++)
		if (text[i] >= 'a' && text[i] <= 'z')
			assert_in_range(up[i], ROUNDS / 2 - 60, ROUNDS / 2 + 60);
	assert_in_range(same, ROUNDS / 2 - 60, ROUNDS / 2 + 60);
}

static void joiners_of_a_question_in_capitals_share_its_answer(void **state)
{
	(void)state;
	struct world_asked *a = ask_letters();
	struct world_asked *b =
		world_ask(&w, "N0.ABCDEFGHIJKLMNOPQRSTUVWXYZ.abcdefghijklmnopqrstuvwxyz");
	assert_int_equal(w.sent, 1);
	world_run(&w, 2 * MS);
	assert_answered_by(a, 0);
	assert_answered_by(b, 0);
}

/* ---- near misses ---- */

static unsigned told;

static void on_near_misses(void *context, const struct upstream *upstream, uint64_t now_us)
{
	assert_ptr_equal(context, &w);
	assert_ptr_equal(upstream, &w.upstreams[0]);
	assert_int_equal(now_us, w.now);
	told++;
}

static int with_watch(void **state)
{
	(void)state;
	world_init(&w, 2);
	w.table.on_near_misses = on_near_misses;
	told = 0;
	return 0;
}

/* From a server, with another id than any question's. */
static void miss(unsigned server, unsigned times)
{
	struct world_packet forged = *last_reply();

	for (unsigned i = 0; i < times; i++) {
		do
			wire_put16(forged.wire, (uint16_t)(wire_u16(forged.wire) + 1));
		while (lookup_find_flight(&w.table, &w.udp, wire_u16(forged.wire)));
		assert_false(lookup_on_reply(&w.table, &w.udp, &w.upstreams[server].host,
					     forged.wire, forged.length, w.now));
	}
}

static void eight_near_misses_and_what_is_open_there_is_asked_by_tcp_as_well(void **state)
{
	(void)state;
	w.servers[0].delay_us = 10 * MS;
	w.servers[0].by_tcp = SILENT;
	struct world_asked *a = world_ask_new(&w), *b = world_ask_new(&w);
	miss(0, 7);
	assert_int_equal(w.servers[0].got_tcp, 0);
	struct world_asked *late = world_ask_new(&w);
	miss(0, 1);
	assert_int_equal(w.servers[0].got_tcp, 2);
	miss(0, 100); /* and each of them once */
	assert_int_equal(w.servers[0].got_tcp, 3);
	assert_int_equal(w.table.guarded, 3);
	assert_int_equal(w.table.near_missed, 108);
	assert_int_equal(told, 2);
	world_run(&w, 10 * MS);
	assert_answered_by(a, 0); /* by UDP */
	assert_answered_by(b, 0);
	assert_answered_by(late, 0);
	assert_int_equal(w.servers[1].got, 0);
	assert_int_equal(w.targets[0].errors, 0);
}

static void what_tcp_says_then_is_an_answer(void **state)
{
	(void)state;
	struct world_asked *q = world_ask_new(&w);
	miss(0, 8);
	w.packets[0].due_us = UINT64_MAX; /* UDP's is lost */
	world_run(&w, 1 * MS);
	assert_answered_by(q, 0);
	assert_int_equal(w.servers[0].got, 2);
}

/* The eighth near miss brings a copy by TCP, which fails after the packet in lower case has
 * left. */
static void a_copy_by_tcp_that_fails_brings_no_second_packet_in_lower_case(void **state)
{
	(void)state;
	w.table.random_case = true;
	w.leg.upstream_count = 1;
	w.servers[0].does = SERVFAILS;
	w.servers[0].by_tcp = HOLDS;
	struct world_asked *q = ask_letters();
	miss(0, 8);
	assert_int_equal(w.servers[0].got_tcp, 1);
	uint16_t tcp = wire_u16(w.last_query);
	w.servers[0].delay_us = 10 * MS;
	world_run(&w, 1 * MS);
	assert_int_equal(w.servers[0].got, 3);
	assert_int_equal(capitals_asked(), 0);
	struct flight *flight = lookup_find_flight(&w.table, &w.tcp, tcp);
	assert_non_null(flight);
	lookup_on_error(flight, TARGET_ERROR_NETWORK, w.now);
	world_run(&w, DEADLINE);
	assert_true(q->done);
	assert_int_equal(w.servers[0].got, 3);
}

static void another_name_is_a_near_miss(void **state)
{
	(void)state;
	world_ask_new(&w);
	struct world_packet forged = *last_reply();
	forged.wire[MESSAGE_HEADER + 1] ^= 1;
	for (unsigned i = 0; i < 8; i++)
		assert_false(lookup_on_reply(&w.table, &w.udp, &w.upstreams[0].host, forged.wire,
					     forged.length, w.now));
	assert_int_equal(w.servers[0].got_tcp, 1);
}

static void near_misses_are_of_one_second(void **state)
{
	(void)state;
	w.leg.upstream_count = 1;
	w.servers[0].delay_us = 3 * SECOND;
	world_ask_new(&w);
	struct world_packet forged = *last_reply();
	wire_put16(forged.wire + 4, 0); /* no question */
	for (unsigned i = 0; i < 15; i++) {
		if (i == 7)
			world_run(&w, SECOND);
		assert_int_equal(w.table.guarded, 0);
		lookup_on_reply(&w.table, &w.udp, &w.upstreams[0].host, forged.wire, forged.length,
				w.now);
	}
	assert_int_equal(w.table.guarded, 1);
}

static void what_is_elsewhere_is_none_of_it(void **state)
{
	(void)state;
	world_ask_new(&w);
	miss(1, 100); /* nothing is open at that server */
	struct world_packet good = *last_reply();
	struct lookup_socket elsewhere = {0};
	for (unsigned i = 0; i < 100; i++)
		assert_false(lookup_on_reply(&w.table, &elsewhere, &w.upstreams[0].host, good.wire,
					     good.length, w.now));
	assert_int_equal(w.table.guarded, 0);
	assert_int_equal(w.table.near_missed, 0);
	assert_int_equal(w.table.mismatched, 200);
	assert_int_equal(told, 0);
}

/* From another address, with the question and its id; and from its own, with another id. */
static void a_flood_of_forged_replies_is_counted_and_changes_nothing(void **state)
{
	enum { FLOOD = 100 * 1000 };
	(void)state;
	struct host other = w.upstreams[0].host;
	other.address.bytes[3] ^= 0x80;
	w.servers[0].delay_us = 10 * MS;
	world_ask_new(&w);
	world_run(&w, 20 * MS);
	struct world_asked *q = world_ask_new(&w);
	struct world_packet forged = *last_reply();
	struct target before = w.targets[0];
	for (unsigned i = 0; i < FLOOD; i++)
		assert_false(lookup_on_reply(&w.table, &w.udp, &other, forged.wire, forged.length,
					     w.now));
	miss(0, FLOOD);
	struct target after = w.targets[0];
	assert_int_equal(after.mismatched, 2 * FLOOD);
	assert_true(host_equal(&after.other, &other));
	after.mismatched = after.mismatched_us = after.other_us = 0;
	after.other = before.other;
	after.asked = before.asked; /* by TCP as well, as ever after near misses */
	after.waiting = before.waiting;
	assert_memory_equal(&after, &before, sizeof after);
	world_run(&w, 10 * MS);
	assert_answered_by(q, 0);
	q = world_ask_new(&w);
	world_run(&w, 10 * MS);
	assert_answered_by(q, 0);
	assert_int_equal(w.servers[1].got, 0);
	assert_int_equal(w.targets[0].suspicions + w.targets[0].errors, 0);
}

/* Its question and id, but not its letters: a guess of half of it. */
static void what_comes_from_elsewhere_has_to_repeat_all_of_the_question(void **state)
{
	(void)state;
	struct host other = w.upstreams[0].host;
	other.port++;
	world_ask_new(&w);
	struct world_packet forged = *last_reply();
	forged.wire[MESSAGE_HEADER + 1] ^= 1;
	assert_false(lookup_on_reply(&w.table, &w.udp, &other, forged.wire, forged.length, w.now));
	assert_int_equal(w.targets[0].mismatched, 0);
}

/* It can have each of its own questions asked twice, no more. */
static void a_hostile_target_gains_one_packet_a_question(void **state)
{
	(void)state;
	for (unsigned i = 0; i < 50; i++) {
		world_ask_new(&w);
		miss(0, 50);
		world_run(&w, 2 * MS);
	}
	assert_int_equal(w.servers[0].got, 100);
	assert_int_equal(w.servers[0].got_tcp, 50);
}

#define MISS(name) cmocka_unit_test_setup_teardown(name, with_watch, release)
#define CASE(name) cmocka_unit_test_setup_teardown(name, with_case, release)

int main(void)
{
	const struct CMUnitTest tests[] = {
		CASE(only_what_cannot_be_a_late_answer_is_somebody_elses),
		CASE(an_answer_is_handed_on_in_lower_case),
		CASE(names_in_an_answer_keep_none_of_our_letters),
		CASE(who_changes_letters_also_by_tcp_is_let_alone),
		CASE(one_forged_reply_in_other_letters_switches_nothing_off),
		CASE(who_changes_letters_and_refuses_tcp_loses_no_question),
		CASE(who_changes_letters_and_has_no_tcp_loses_no_question),
		CASE(who_changes_letters_and_is_slow_is_asked_by_tcp_when_patience_is_over),
		CASE(who_changes_letters_is_slow_and_has_no_tcp_loses_no_question),
		CASE(who_keeps_letters_is_not_asked_by_tcp_when_it_is_slow),
		CASE(a_reply_in_the_letters_sent_ends_the_row),
		MISS(eight_near_misses_and_what_is_open_there_is_asked_by_tcp_as_well),
		MISS(what_tcp_says_then_is_an_answer),
		MISS(a_copy_by_tcp_that_fails_brings_no_second_packet_in_lower_case),
		MISS(another_name_is_a_near_miss),
		MISS(near_misses_are_of_one_second),
		MISS(what_is_elsewhere_is_none_of_it),
		MISS(a_flood_of_forged_replies_is_counted_and_changes_nothing),
		MISS(what_comes_from_elsewhere_has_to_repeat_all_of_the_question),
		MISS(a_hostile_target_gains_one_packet_a_question),
		CASE(no_data_while_it_is_tried_is_asked_again_in_lower_case),
		CASE(errors_to_two_packets_bring_one_in_lower_case),
		CASE(no_data_by_tcp_is_asked_again_in_lower_case_by_udp),
		CASE(no_data_that_may_be_the_letters_fault_is_nothing_beside_another_target),
		CASE(no_data_of_a_keeper_is_an_answer),
		CASE(a_name_without_letters_proves_nothing),
		CASE(questions_by_tcp_and_without_the_setting_are_in_lower_case),
		CASE(every_letter_has_a_coin_of_its_own),
		CASE(joiners_of_a_question_in_capitals_share_its_answer),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
