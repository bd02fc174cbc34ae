/* What a forger would have to guess beyond port and id, the letters' case, and that
 * nobody who is well-behaved, or only different, loses a question by them. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "tests/endpoints/world_fixture.h"

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

static void no_data_that_may_be_the_letters_fault_is_nothing_beside_another_target(void **state)
{
	(void)state;
	w.servers[0].does = NODATA;
	struct asked *q = ask_letters();
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

#define CASE(name) cmocka_unit_test_setup_teardown(name, with_case, release)

int main(void)
{
	const struct CMUnitTest tests[] = {
		CASE(eight_answers_in_the_letters_sent_prove_that_it_keeps_them),
		CASE(an_answer_is_handed_on_in_lower_case),
		CASE(who_changes_letters_is_answered_for_and_let_alone),
		CASE(a_keeper_that_changes_letters_is_asked_by_tcp_and_let_alone),
		CASE(no_data_while_it_is_tried_is_asked_again_in_lower_case),
		CASE(no_data_that_may_be_the_letters_fault_is_nothing_beside_another_target),
		CASE(no_data_of_a_keeper_is_an_answer),
		CASE(a_name_without_letters_proves_nothing),
		CASE(questions_by_tcp_and_without_the_setting_are_in_lower_case),
		CASE(every_letter_has_a_coin_of_its_own),
		CASE(joiners_of_a_question_in_capitals_share_its_answer),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
