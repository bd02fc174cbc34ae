/* What a forger would have to guess beyond port and id: cookies and the letters' case, and that
 * nobody who is well-behaved, or only different, loses a question by them. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "tests/endpoints/world_fixture.h"

static const uint8_t ours[8] = {1, 2, 3, 4, 5, 6, 7, 8};
static const uint8_t theirs[40] = "abcdefghijklmnopqrstuvwxyz0123456789ABC";

static int with_cookies(void **state)
{
	(void)state;
	world_init(&w, 2);
	w.table.cookies = true;
	for (unsigned i = 0; i < 2; i++)
		memcpy(&w.targets[i].guard.client_cookie, ours, sizeof ours);
	return 0;
}

static int with_case(void **state)
{
	(void)state;
	world_init(&w, 2);
	w.table.random_case = true;
	return 0;
}

static struct packet *last_reply(void)
{
	assert_true(w.packet_count > 0);
	return &w.packets[w.packet_count - 1];
}

/* Ends a reply with an OPT that has a cookie. */
static void put_cookie(struct packet *packet, uint8_t rcode, const uint8_t client[8], size_t server)
{
	uint8_t opt[] = {0,
			 0,
			 TYPE_OPT,
			 4,
			 208,
			 rcode,
			 0,
			 0,
			 0,
			 0,
			 (uint8_t)(12 + server),
			 0,
			 OPTION_COOKIE,
			 0,
			 (uint8_t)(8 + server)};

	wire_put16(packet->wire + 10, 1);
	memcpy(packet->wire + packet->length, opt, sizeof opt);
	packet->length += sizeof opt;
	memcpy(packet->wire + packet->length, client, 8);
	memcpy(packet->wire + packet->length + 8, theirs, server);
	packet->length += 8 + (unsigned)server;
}

static size_t cookie_sent(void)
{
	size_t opt = MESSAGE_HEADER + name_wire_length(w.last_query + MESSAGE_HEADER) + 4;

	if (w.last_length == opt + MESSAGE_OPT)
		return 0;
	assert_int_equal(wire_u16(w.last_query + opt + 11), OPTION_COOKIE);
	assert_int_equal(opt + 15 + wire_u16(w.last_query + opt + 13), w.last_length);
	assert_int_equal(wire_u16(w.last_query + opt + 9) + opt + 11, w.last_length);
	assert_memory_equal(w.last_query + opt + 15, ours, 8);
	assert_memory_equal(w.last_query + opt + 23, theirs, w.last_length - opt - 23);
	return wire_u16(w.last_query + opt + 13);
}

static void learn_cookie(size_t server)
{
	struct asked *q = world_ask_new(&w);

	put_cookie(last_reply(), 0, ours, server);
	world_run(&w, 2 * MS);
	assert_answered_by(q, 0);
}

/* ---- cookies ---- */

static void a_target_is_sent_our_cookie_and_then_its_own_too(void **state)
{
	(void)state;
	world_ask_new(&w);
	assert_int_equal(cookie_sent(), 8);
	world_run(&w, 2 * MS);
	w.targets[0].guard.cookieless_until_us = 0;
	learn_cookie(16);
	struct asked *q = world_ask_new(&w);
	assert_int_equal(cookie_sent(), 24);
	put_cookie(last_reply(), 0, ours, 16);
	world_run(&w, 2 * MS);
	assert_answered_by(q, 0);
}

static void server_cookies_have_8_to_32_bytes(void **state)
{
	static const struct {
		size_t bytes;
		bool taken;
	} cases[] = {{1, false}, {7, false}, {8, true}, {32, true}, {33, false}};

	(void)state;
	for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
		uint64_t before = w.table.mismatched;
		struct asked *q = world_ask_new(&w);
		put_cookie(last_reply(), 0, ours, cases[i].bytes);
		world_run(&w, 2 * MS);
		assert_int_equal(q->done, cases[i].taken);
		assert_int_equal(w.table.mismatched - before, !cases[i].taken);
		if (!cases[i].taken)
			continue;
		world_ask_new(&w);
		assert_int_equal(cookie_sent(), 8 + cases[i].bytes);
		put_cookie(last_reply(), 0, ours, cases[i].bytes);
		world_run(&w, 2 * MS);
	}
}

static void a_reply_with_another_client_cookie_is_ignored(void **state)
{
	const uint8_t wrong[8] = {1, 2, 3, 4, 5, 6, 7, 9};

	(void)state;
	struct asked *q = world_ask_new(&w);
	struct packet good = *last_reply(), bad = good;
	put_cookie(&good, 0, ours, 16);
	put_cookie(&bad, 0, wrong, 16);
	assert_false(pending_on_reply(&w.table, &w.udp, &w.upstreams[0].host, bad.wire, bad.length,
				      w.now));
	assert_false(q->done);
	assert_int_equal(w.targets[0].answered, 0);
	assert_true(pending_on_reply(&w.table, &w.udp, &w.upstreams[0].host, good.wire, good.length,
				     w.now));
	assert_answered_by(q, 0);
}

static void who_speaks_none_is_sent_none_for_a_quarter_of_an_hour(void **state)
{
	(void)state;
	struct asked *q = world_ask_new(&w);
	assert_int_equal(cookie_sent(), 8);
	world_run(&w, 2 * MS);
	assert_answered_by(q, 0);
	assert_int_equal(w.servers[0].got_tcp, 0);
	world_ask_new(&w);
	assert_int_equal(cookie_sent(), 0);
	world_run(&w, TARGET_COOKIELESS_US - 3 * MS);
	world_ask_new(&w);
	assert_int_equal(cookie_sent(), 0);
	world_run(&w, 2 * MS);
	world_ask_new(&w);
	assert_int_equal(cookie_sent(), 8);
}

static void our_cookie_alone_is_an_echo_and_no_server_cookie(void **state)
{
	(void)state;
	struct asked *q = world_ask_new(&w);
	put_cookie(last_reply(), 0, ours, 0);
	world_run(&w, 2 * MS);
	assert_answered_by(q, 0);
	assert_false(target_speaks_cookies(&w.targets[0].guard));
}

static void a_speaker_without_its_cookie_is_asked_by_tcp(void **state)
{
	(void)state;
	learn_cookie(16);
	struct asked *q = world_ask_new(&w);
	world_run(&w, 1 * MS);
	assert_false(q->done);
	assert_int_equal(w.table.doubted, 1);
	assert_int_equal(w.servers[0].got_tcp, 1);
	assert_int_equal(cookie_sent(), 0);
	world_run(&w, 2 * MS);
	assert_answered_by(q, 0);
	assert_int_equal(w.servers[1].got, 0);
}

static void eight_without_in_a_row_and_it_speaks_none_any_more(void **state)
{
	(void)state;
	learn_cookie(16);
	for (unsigned i = 0; i < 2 * TARGET_COOKIES_MISSED - 1; i++) {
		struct asked *q = world_ask_new(&w);
		if (i + 1 == TARGET_COOKIES_MISSED) /* one that has it: counted anew */
			put_cookie(last_reply(), 0, ours, 16);
		world_run(&w, 4 * MS);
		assert_answered_by(q, 0);
		assert_true(target_speaks_cookies(&w.targets[0].guard));
	}
	world_ask_new(&w);
	world_run(&w, 4 * MS);
	assert_false(target_speaks_cookies(&w.targets[0].guard));
	assert_int_equal(w.table.doubted, 2 * TARGET_COOKIES_MISSED - 1);
	w.servers[0].got_tcp = 0;
	world_ask_new(&w);
	assert_int_equal(cookie_sent(), 0);
	world_run(&w, 2 * MS);
	assert_int_equal(w.servers[0].got_tcp, 0);
}

static void a_speaker_without_tcp_has_its_turn_by_udp_once_more(void **state)
{
	(void)state;
	learn_cookie(16);
	w.leg.upstream_count = 1;
	struct asked *q = world_ask_new(&w);
	w.servers[0].lose = 1; /* the one by TCP */
	world_run(&w, 1 * MS);
	assert_int_equal(w.servers[0].got_tcp, 1);
	assert_false(q->done);
	world_run(&w, TARGET_PATIENCE_US + 2 * MS);
	assert_answered_by(q, 0);
	assert_int_equal(w.servers[0].got_tcp, 1);
}

static void badcookie_is_asked_once_more_with_what_it_brought_and_then_by_tcp(void **state)
{
	(void)state;
	struct asked *q = world_ask_new(&w);
	last_reply()->wire[3] |= RCODE_BADCOOKIE & 15;
	put_cookie(last_reply(), RCODE_BADCOOKIE >> 4, ours, 16);
	world_run(&w, 1 * MS);
	assert_int_equal(w.servers[0].got, 2);
	assert_int_equal(w.servers[0].got_tcp, 0);
	assert_int_equal(cookie_sent(), 24);
	last_reply()->wire[3] |= RCODE_BADCOOKIE & 15;
	put_cookie(last_reply(), RCODE_BADCOOKIE >> 4, ours, 16);
	world_run(&w, 1 * MS);
	assert_int_equal(w.servers[0].got, 3);
	assert_int_equal(w.servers[0].got_tcp, 1);
	world_run(&w, 2 * MS);
	assert_answered_by(q, 0);
	assert_int_equal(w.servers[1].got, 0);
}

static void without_the_setting_there_are_no_cookies(void **state)
{
	(void)state;
	w.table.cookies = false;
	world_ask_new(&w);
	assert_int_equal(cookie_sent(), 0);
}

static void plain_questions_and_tcp_have_none(void **state)
{
	(void)state;
	w.servers[0].does = TRUNCATES;
	world_ask_new(&w);
	world_run(&w, 1 * MS);
	assert_int_equal(w.servers[0].got_tcp, 1);
	assert_int_equal(cookie_sent(), 0);
	world_run(&w, 5 * MS);
	w.servers[0].does = FORMERRS;
	world_ask_new(&w);
	assert_int_equal(cookie_sent(), 8);
	world_run(&w, 2 * MS);
	assert_int_equal(w.last_length,
			 MESSAGE_HEADER + name_wire_length(w.last_query + MESSAGE_HEADER) + 4);
}

static void formerr_to_a_cookie_is_asked_with_an_opt_without_and_then_plain(void **state)
{
	static const enum deed deeds[] = {FORMERRS_OPTIONS, FORMERRS, FORMERRS_BARE};

	(void)state;
	for (size_t i = 0; i < sizeof deeds / sizeof deeds[0]; i++) {
		bool knows_edns = deeds[i] == FORMERRS_OPTIONS;

		w.servers[0] = (struct server){.does = deeds[i], .delay_us = 1 * MS};
		w.targets[0].guard.cookieless_until_us = 0;
		struct asked *q = world_ask_new(&w);
		assert_int_equal(cookie_sent(), 8);
		world_run(&w, 1 * MS);
		assert_int_equal(cookie_sent(), 0); /* and there is an OPT */
		world_run(&w, 3 * MS);
		assert_answered_by(q, 0);
		assert_int_equal(w.servers[0].got, knows_edns ? 2 : 3);
		assert_int_equal(w.servers[0].got_plain, !knows_edns);
		assert_int_equal(target_is_plain(&w.targets[0], w.now), !knows_edns);
		assert_int_equal(w.servers[0].got_tcp, 0);
		w.targets[0].plain_until_us = 0;
	}
	world_ask_new(&w);
	assert_int_equal(cookie_sent(), 0); /* it has been learnt */
	assert_int_equal(w.servers[1].got, 0);
}

/* Its cookie is missing in the FORMERR, which may be forged, so it is asked by TCP. Without that it
 * has its turn by UDP. */
static void a_speaker_that_says_formerr_is_doubted_first(void **state)
{
	(void)state;
	learn_cookie(16);
	w.leg.upstream_count = 1;
	w.servers[0] = (struct server){.does = FORMERRS_OPTIONS, .delay_us = 1 * MS};
	struct asked *q = world_ask_new(&w);
	world_run(&w, 1 * MS);
	assert_int_equal(w.table.doubted, 1);
	w.packet_count = 0; /* what TCP brings is lost */
	world_run(&w, TARGET_PATIENCE_US + 4 * MS);
	assert_answered_by(q, 0);
	assert_int_equal(w.servers[0].got_tcp, 1);
	assert_int_equal(w.servers[0].got_plain, 0);
	assert_int_equal(cookie_sent(), 0);
	assert_false(target_is_plain(&w.targets[0], w.now));
}

/* ---- case ---- */

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

static void lower(struct packet *packet)
{
	for (unsigned i = MESSAGE_HEADER; i < packet->length; i++)
		packet->wire[i] = name_lower(packet->wire[i]);
}

/* A name with so many letters that all of them small is out of the question. */
static struct asked *ask_letters(void)
{
	char text[80];

	snprintf(text, sizeof text, "n%u.abcdefghijklmnopqrstuvwxyz.abcdefghijklmnopqrstuvwxyz",
		 w.asked_count);
	return world_ask(&w, text);
}

static void learn_case(void)
{
	for (unsigned i = 0; i < TARGET_CASE_SURE; i++) {
		assert_false(target_keeps_case(&w.targets[0].guard));
		struct asked *q = ask_letters();
		assert_true(capitals_asked() > 0);
		world_run(&w, 2 * MS);
		assert_answered_by(q, 0);
	}
	assert_true(target_keeps_case(&w.targets[0].guard));
}

static void eight_answers_in_the_letters_sent_prove_that_it_keeps_them(void **state)
{
	(void)state;
	learn_case();
	assert_int_equal(w.table.doubted, 0);
	assert_int_equal(w.servers[0].got_tcp, 0);
}

static void an_answer_is_handed_on_in_lower_case(void **state)
{
	(void)state;
	struct asked *q = ask_letters();
	world_run(&w, 2 * MS);
	assert_answered_by(q, 0);
	assert_int_equal(capitals(q->value.wire + MESSAGE_HEADER, q->value.length - MESSAGE_HEADER),
			 0);
}

static void who_changes_letters_is_answered_for_and_let_alone(void **state)
{
	(void)state;
	struct asked *q = ask_letters();
	lower(last_reply());
	world_run(&w, 2 * MS);
	assert_answered_by(q, 0);
	assert_int_equal(w.servers[0].got, 1);
	ask_letters();
	assert_int_equal(capitals_asked(), 0);
	world_run(&w, TARGET_CASE_OFF_US - 3 * MS);
	ask_letters();
	assert_int_equal(capitals_asked(), 0);
	world_run(&w, 2 * MS);
	ask_letters();
	assert_true(capitals_asked() > 0);
}

static void a_keeper_that_changes_letters_is_asked_by_tcp_and_let_alone(void **state)
{
	(void)state;
	learn_case();
	struct asked *q = ask_letters();
	lower(last_reply());
	world_run(&w, 1 * MS);
	assert_false(q->done);
	assert_int_equal(w.servers[0].got_tcp, 1);
	assert_int_equal(capitals_asked(), 0);
	world_run(&w, 2 * MS);
	assert_answered_by(q, 0);
	assert_int_equal(w.table.doubted, 1);
	ask_letters();
	assert_int_equal(capitals_asked(), 0);
	assert_false(target_keeps_case(&w.targets[0].guard));
}

/* It might be one that finds only what is spelled as in its file. */
static void no_data_while_it_is_tried_is_asked_again_in_lower_case(void **state)
{
	(void)state;
	w.servers[0].does = NODATA;
	struct asked *q = ask_letters();
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

/* It was a good answer, as far as anybody knows: better than none. */
static void no_data_is_the_answer_where_asking_again_does_not_help(void **state)
{
	static const enum deed deeds[] = {UNSENDABLE, SERVFAILS, SILENT};

	(void)state;
	w.leg.upstream_count = 1;
	for (size_t i = 0; i < sizeof deeds / sizeof deeds[0]; i++) {
		w.servers[0].does = NODATA;
		struct asked *q = ask_letters();
		assert_true(capitals_asked() > 0);
		w.servers[0].does = deeds[i];
		world_run(&w, 3 * TARGET_PATIENCE_US + 5 * MS);
		assert_answered_by(q, 0);
		assert_true(q->value.unsure);
		assert_int_equal(
			capitals(q->value.wire + MESSAGE_HEADER, q->value.length - MESSAGE_HEADER),
			0);
		w.targets[0].suspect_us = 0;
		world_run(&w, TARGET_CASE_PAUSE_US);
	}
}

static void no_data_that_may_be_the_letters_fault_is_nothing_beside_another_target(void **state)
{
	(void)state;
	w.servers[0].does = NODATA;
	struct asked *q = ask_letters();
	w.servers[0].does = SERVFAILS;
	world_run(&w, 5 * MS);
	assert_answered_by(q, 1);
	assert_false(q->value.unsure);
}

static void no_data_of_a_keeper_is_an_answer(void **state)
{
	(void)state;
	learn_case();
	w.servers[0].does = NODATA;
	unsigned got = w.servers[0].got;
	struct asked *q = ask_letters();
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
	assert_int_equal(w.targets[0].guard.case_kept, 0);
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
	w.targets[0].guard.case_kept = TARGET_CASE_SURE;
	for (unsigned round = 0; round < ROUNDS; round++) {
		struct asked *q = world_ask(&w, text);
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
	struct asked *a = ask_letters();
	struct asked *b = world_ask(&w, "N0.ABCDEFGHIJKLMNOPQRSTUVWXYZ.abcdefghijklmnopqrstuvwxyz");
	assert_int_equal(w.sent, 1);
	world_run(&w, 2 * MS);
	assert_answered_by(a, 0);
	assert_answered_by(b, 0);
}

#define COOKIES(name) cmocka_unit_test_setup_teardown(name, with_cookies, release)
#define CASE(name)    cmocka_unit_test_setup_teardown(name, with_case, release)

int main(void)
{
	const struct CMUnitTest tests[] = {
		COOKIES(a_target_is_sent_our_cookie_and_then_its_own_too),
		COOKIES(server_cookies_have_8_to_32_bytes),
		COOKIES(a_reply_with_another_client_cookie_is_ignored),
		COOKIES(who_speaks_none_is_sent_none_for_a_quarter_of_an_hour),
		COOKIES(our_cookie_alone_is_an_echo_and_no_server_cookie),
		COOKIES(a_speaker_without_its_cookie_is_asked_by_tcp),
		COOKIES(eight_without_in_a_row_and_it_speaks_none_any_more),
		COOKIES(a_speaker_without_tcp_has_its_turn_by_udp_once_more),
		COOKIES(badcookie_is_asked_once_more_with_what_it_brought_and_then_by_tcp),
		COOKIES(without_the_setting_there_are_no_cookies),
		COOKIES(plain_questions_and_tcp_have_none),
		COOKIES(formerr_to_a_cookie_is_asked_with_an_opt_without_and_then_plain),
		COOKIES(a_speaker_that_says_formerr_is_doubted_first),
		CASE(eight_answers_in_the_letters_sent_prove_that_it_keeps_them),
		CASE(an_answer_is_handed_on_in_lower_case),
		CASE(who_changes_letters_is_answered_for_and_let_alone),
		CASE(a_keeper_that_changes_letters_is_asked_by_tcp_and_let_alone),
		CASE(no_data_while_it_is_tried_is_asked_again_in_lower_case),
		CASE(no_data_is_the_answer_where_asking_again_does_not_help),
		CASE(no_data_that_may_be_the_letters_fault_is_nothing_beside_another_target),
		CASE(no_data_of_a_keeper_is_an_answer),
		CASE(a_name_without_letters_proves_nothing),
		CASE(questions_by_tcp_and_without_the_setting_are_in_lower_case),
		CASE(every_letter_has_a_coin_of_its_own),
		CASE(joiners_of_a_question_in_capitals_share_its_answer),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
