/* What is made of a secondary's answers, with the clock and the answers in the test's hand. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "resolver/control/base/json.h"
#include "resolver/control/service/replica.h"
#include "tests/lib/model_builder.h"
#include "tests/lib/soa_answer.h"

enum { AFTER_S = 60, BEGIN_S = 1700000000, HOUR_S = 3600 };

struct fixture {
	struct replica replica;
	struct replica_zone zone;
	struct name name;
	struct tsig_key key;
	bool is_signed;
	uint64_t now_s; /* since the beginning, on both clocks */
	struct exchange_message question;
	unsigned asked;
	unsigned news[REPLICA_FOLLOWS + 1];
	enum replica_news latest;
};

static struct instant now(const struct fixture *f)
{
	return (struct instant){f->now_s * 1000, BEGIN_S + f->now_s};
}

static void follow(struct fixture *f, uint32_t after_s)
{
	replica_follow(&f->replica, after_s, f->zone.serial, now(f));
}

static void publish(struct fixture *f, uint32_t serial)
{
	f->zone = (struct replica_zone){serial, now(f)};
	replica_expect(&f->replica, serial, now(f));
}

static int setup(void **state)
{
	struct fixture *f = calloc(1, sizeof *f);
	const struct tsig_settings settings = {.name = "k.test", .secret = "Zm9vYmFy"};

	f->name = test_name("a.test.");
	assert_true(tsig_key_init(&f->key, &settings));
	replica_init(&f->replica);
	f->now_s = 100;
	f->zone = (struct replica_zone){5, now(f)};
	follow(f, AFTER_S);
	*state = f;
	return 0;
}

static int teardown(void **state)
{
	free(*state);
	return 0;
}

/* ---- a peer ---- */

static bool deliver(struct fixture *f, const uint8_t *bytes, size_t length)
{
	uint8_t *exact = malloc(length ? length : 1); /* so that reading on is seen */
	struct exchange_answer answer;
	enum replica_news news = REPLICA_NO_NEWS;

	memcpy(exact, bytes, length);
	bool taken = exchange_read(&answer, exact, length) &&
		     replica_receive(&f->replica, &f->zone, &answer, now(f), &news);
	free(exact);
	f->news[news]++;
	if (news != REPLICA_NO_NEWS)
		f->latest = news;
	return taken;
}

static bool answer(struct fixture *f, unsigned flags, uint16_t rtype, uint32_t serial)
{
	uint8_t bytes[EXCHANGE_MAX];
	size_t length = soa_answer(&f->question, flags, rtype, serial, bytes);

	if (f->is_signed && !f->replica.bare)
		length = soa_answer_sign(&f->question, &f->key, BEGIN_S + f->now_s,
					 BEGIN_S + f->now_s, bytes, length);
	return deliver(f, bytes, length);
}

static void say(struct fixture *f, uint32_t serial)
{
	assert_true(answer(f, SOA_ANSWER_FINE, TYPE_SOA, serial));
}

/* ---- time ---- */

static bool is_due(const struct fixture *f)
{
	return f->replica.due_ms <= f->now_s * 1000;
}

static void ask(struct fixture *f)
{
	replica_ask(&f->replica, &f->name, f->is_signed ? &f->key : NULL, now(f), &f->question);
	f->asked++;
}

/* Until the next question has been asked; how long that took. */
static unsigned next_question(struct fixture *f)
{
	unsigned waited = 0;

	for (; !is_due(f); waited++) {
		assert_true(waited < 2 * HOUR_S);
		f->now_s++;
	}
	ask(f);
	return waited;
}

/* So many seconds with a peer that has `serial`; SILENT: it does not answer. */
enum { SILENT = 0 };
static void pass(struct fixture *f, unsigned seconds, uint32_t serial)
{
	while (seconds-- > 0) {
		f->now_s++;
		if (!is_due(f))
			continue;
		ask(f);
		if (serial != SILENT)
			say(f, serial);
	}
}

/* "behind 5", and " because REASON" */
static const char *state_of(struct fixture *f)
{
	static char text[256];
	json_t *row = json_object();

	replica_put(&f->replica, row);
	const json_t *has = json_object_get(row, "has"), *reason = json_object_get(row, "reason");
	snprintf(text, sizeof text, "%s", json_string_value(json_object_get(row, "copy")));
	if (json_is_integer(has))
		snprintf(text + strlen(text), sizeof text - strlen(text), " %lld",
			 json_integer_value(has));
	if (json_is_string(reason))
		snprintf(text + strlen(text), sizeof text - strlen(text), " because %s",
			 json_string_value(reason));
	json_decref(row);
	return text;
}

static const char *news_text(struct fixture *f)
{
	static char text[REPLICA_TEXT_MAX + NAME_TEXT_MAX];

	replica_print_news(&f->replica, f->latest, "a.test.", f->zone.serial, now(f), text);
	return text;
}

/* ---- current and behind ---- */

static void who_has_the_serial_is_current_and_is_asked_once_an_hour(void **state)
{
	struct fixture *f = *state;

	assert_string_equal(state_of(f), "pending");
	assert_int_equal(next_question(f), 5);
	assert_int_equal(message_flags(f->question.bytes), 0);
	say(f, 5);
	assert_string_equal(state_of(f), "current 5");
	pass(f, 24 * HOUR_S, 5);
	assert_int_equal(f->asked, 1 + 24);
	publish(f, 6);
	assert_string_equal(state_of(f), "pending 5");
	assert_int_equal(next_question(f), 5);
	say(f, 6);
	assert_string_equal(state_of(f), "current 6");
	assert_int_equal(f->news[REPLICA_NO_NEWS], 2 + 24);
}

/* Nothing has changed: it is behind from when that was seen. */
static void who_loses_its_copy_is_behind_a_minute_after_that_is_seen(void **state)
{
	static const unsigned apart_s[] = {HOUR_S - 5, 10, 20, 30};
	struct fixture *f = *state;

	pass(f, 10, 5);
	for (unsigned i = 0; i < sizeof apart_s / sizeof *apart_s; i++) {
		assert_int_equal(next_question(f), apart_s[i]);
		assert_true(answer(f, FLAG_QR | RCODE_SERVFAIL, TYPE_SOA, 5));
		assert_int_equal(f->news[REPLICA_FELL_BEHIND], i == 3);
	}
	assert_string_equal(news_text(f), "is behind for a.test.: SERVFAIL: its copy has expired, "
					  "or never came, for 60 s now; its own log says why it "
					  "does not transfer");
	next_question(f);
	say(f, 5);
	assert_string_equal(state_of(f), "current 5");
	assert_int_equal(f->news[REPLICA_FOLLOWS], 1);
}

/* What it lacked while it was silent nobody knows. */
static void who_was_silent_and_then_has_no_copy_is_behind_a_minute_after_that(void **state)
{
	struct fixture *f = *state;

	pass(f, 10, 5);
	pass(f, HOUR_S + 2 * AFTER_S, SILENT);
	assert_string_equal(state_of(f), "unknown 5 because it does not answer");
	next_question(f);
	assert_true(answer(f, FLAG_QR | RCODE_SERVFAIL, TYPE_SOA, 5));
	assert_string_equal(state_of(f), "pending because SERVFAIL: its copy has expired, or never "
					 "came");
	for (unsigned waited = 0; waited < AFTER_S;) {
		assert_int_equal(f->news[REPLICA_FELL_BEHIND], 0);
		waited += next_question(f);
		assert_true(answer(f, FLAG_QR | RCODE_SERVFAIL, TYPE_SOA, 5));
	}
	assert_int_equal(f->news[REPLICA_FELL_BEHIND], 1);
	assert_non_null(strstr(news_text(f), "for 60 s now"));
}

static void who_comes_back_with_a_disk_of_before_is_behind(void **state)
{
	struct fixture *f = *state;

	pass(f, 10, 5);
	next_question(f);
	say(f, 4);
	assert_string_equal(state_of(f), "pending 4");
	pass(f, AFTER_S, 4);
	assert_string_equal(state_of(f), "behind 4");
}

static void one_lost_packet_does_not_make_questions_unsigned(void **state)
{
	struct fixture *f = *state;

	f->is_signed = true;
	pass(f, 10, 5);
	next_question(f);
	next_question(f);
	assert_false(f->replica.bare);
	next_question(f);
	assert_true(f->replica.bare);
	/* By another view than that of the key, perhaps. */
	say(f, 4);
	assert_false(f->replica.bare);
	next_question(f);
	say(f, 5);
	assert_string_equal(state_of(f), "current 5");
}

/* One packet that is lost says nothing. */
static void who_is_silent_for_a_minute_is_not_known_any_more(void **state)
{
	struct fixture *f = *state;

	pass(f, 10, 5);
	next_question(f);
	next_question(f);
	assert_string_equal(state_of(f), "current 5 because it does not answer");
	say(f, 5);
	assert_string_equal(state_of(f), "current 5");
	next_question(f);
	pass(f, 2 * AFTER_S, SILENT);
	assert_string_equal(state_of(f), "unknown 5 because it does not answer");
	assert_int_equal(f->news[REPLICA_FELL_BEHIND], 0);
}

/* At the time when it may be behind it is asked, whatever the distance has grown to. */
static void who_lacks_a_change_for_a_minute_is_behind_and_that_is_said_once(void **state)
{
	static const unsigned apart_s[] = {5, 10, 20, 25, 80, 160, 300, 300, 300};
	struct fixture *f = *state;

	pass(f, 10, 5);
	publish(f, 8);
	for (unsigned i = 0; i < sizeof apart_s / sizeof *apart_s; i++) {
		assert_int_equal(next_question(f), apart_s[i]);
		assert_string_equal(state_of(f), i < 4 ? "pending 5" : "behind 5");
		say(f, 5);
		if (i == 3)
			assert_string_equal(news_text(f),
					    "is behind for a.test.: it has serial 5 of 8, for 60 s "
					    "now; its own log says why it does not transfer");
	}
	assert_int_equal(f->news[REPLICA_FELL_BEHIND], 1);
	next_question(f);
	say(f, 8);
	assert_string_equal(state_of(f), "current 8");
	assert_string_equal(news_text(f), "is up to date again for a.test.: it has serial 8");
	assert_int_equal(f->news[REPLICA_FOLLOWS], 1);
	publish(f, 9);
	pass(f, 10, 9);
	assert_int_equal(f->news[REPLICA_FOLLOWS], 1);
}

/* Its newest serial nobody ever has. */
static void who_follows_a_zone_that_changes_all_the_time_is_not_behind(void **state)
{
	struct fixture *f = *state;
	uint32_t begin = f->zone.serial - (uint32_t)f->now_s;

	for (unsigned i = 0; i < HOUR_S; i++) { /* a serial a second; it is 50 s late */
		publish(f, begin + (uint32_t)f->now_s + 1);
		pass(f, 1, begin + (uint32_t)f->now_s - 50);
		assert_int_not_equal(f->replica.state, REPLICA_BEHIND);
	}
	assert_in_range(f->asked, HOUR_S / 12, HOUR_S / 4);
	uint32_t stuck = begin + (uint32_t)f->now_s - 50;
	unsigned seconds = 0;
	for (; f->replica.state != REPLICA_BEHIND; seconds++) { /* it stands still */
		publish(f, begin + (uint32_t)f->now_s + 1);
		pass(f, 1, stuck);
	}
	assert_in_range(seconds, 1, AFTER_S + 10);
	assert_int_equal(f->news[REPLICA_FELL_BEHIND], 1);
	/* It is mended, and still has never the newest. */
	for (unsigned i = 0; i < 30; i++) {
		publish(f, begin + (uint32_t)f->now_s + 1);
		pass(f, 1, begin + (uint32_t)f->now_s - 20);
	}
	assert_int_equal(f->news[REPLICA_FOLLOWS], 1);
	assert_string_equal(replica_state_texts[f->replica.state], "pending");
}

/* It takes one change, and not the next: what it lacks is as old as that one. */
static void what_it_lacks_is_the_first_serial_after_its_own(void **state)
{
	struct fixture *f = *state;

	pass(f, 10, 5);
	publish(f, 6);
	f->now_s += 3;
	publish(f, 7);
	next_question(f);
	say(f, 6);
	assert_string_equal(state_of(f), "pending 6");
	for (uint64_t end = f->replica.lacked_at.ms / 1000 + AFTER_S; f->now_s < end;)
		pass(f, 1, 6);
	assert_string_equal(state_of(f), "behind 6");
}

static void an_answer_that_was_long_on_its_way_does_not_say_how_it_is_now(void **state)
{
	struct fixture *f = *state;

	next_question(f);
	f->now_s += AFTER_S; /* the control thread was busy, too: nothing was asked since */
	say(f, 4);
	assert_string_equal(state_of(f), "pending 4");
	assert_true(is_due(f));
	ask(f);
	say(f, 4);
	assert_string_equal(state_of(f), "behind 4");
}

/* ---- serials ---- */

static void serials_wrap_at_the_end_of_all_numbers(void **state)
{
	struct fixture *f = *state;

	publish(f, UINT32_MAX - 1);
	pass(f, 10, UINT32_MAX - 1);
	publish(f, 3);
	pass(f, AFTER_S + 1, UINT32_MAX - 1);
	assert_string_equal(state_of(f), "behind 4294967294");
	pass(f, HOUR_S, 3);
	assert_string_equal(state_of(f), "current 3");
	publish(f, UINT32_C(3) + 0x80000000); /* neither comes behind the other */
	pass(f, 2 * AFTER_S + 30, 3);
	assert_string_equal(state_of(f), "ahead 3");
}

static void who_has_a_higher_serial_than_ours_is_ahead(void **state)
{
	struct fixture *f = *state;

	next_question(f);
	say(f, 9);
	assert_string_equal(state_of(f), "pending 9");
	pass(f, 2 * AFTER_S, 9);
	assert_string_equal(state_of(f), "ahead 9");
	assert_int_equal(f->news[REPLICA_GOT_AHEAD], 1);
	assert_non_null(
		strstr(news_text(f), "is ahead for a.test.: it has serial 9, and ours is 5:"));
	publish(f, 6); /* that is no help */
	pass(f, HOUR_S, 9);
	assert_string_equal(state_of(f), "ahead 9");
	publish(f, 10);
	next_question(f);
	say(f, 9);
	assert_int_equal(f->news[REPLICA_FOLLOWS], 0);
	pass(f, AFTER_S, 10);
	assert_string_equal(state_of(f), "current 10");
	assert_int_equal(f->news[REPLICA_FOLLOWS], 1);
	assert_int_equal(f->news[REPLICA_GOT_AHEAD] + f->news[REPLICA_FELL_BEHIND], 1);
}

static void a_serial_that_is_set_back_is_what_it_lacks(void **state)
{
	struct fixture *f = *state;

	publish(f, 8);
	f->now_s += AFTER_S;
	publish(f, 3);
	next_question(f);
	say(f, 2);
	assert_string_equal(state_of(f), "pending 2");
	pass(f, AFTER_S + 1, 2);
	assert_string_equal(state_of(f), "behind 2");
}

/* ---- no serial ---- */

static void who_has_no_copy_to_answer_with_is_behind(void **state)
{
	static const struct {
		unsigned flags;
		uint16_t rtype;
		const char *text;
	} rows[] = {
		{FLAG_QR | RCODE_SERVFAIL, 0,
		 "behind because SERVFAIL: its copy has expired, or never came"},
		{FLAG_QR, 0, "behind because it is not authoritative for the zone"},
		{FLAG_QR, TYPE_SOA, "behind because it is not authoritative for the zone"},
		{FLAG_QR | FLAG_AA | RCODE_NXDOMAIN, 0, "behind because it has no SOA of the zone"},
		{FLAG_QR | FLAG_AA, 0, "behind because it has no SOA of the zone"},
		{FLAG_QR | FLAG_AA, TYPE_CNAME, "behind because it has no SOA of the zone"},
	};
	struct fixture *f = *state;

	for (unsigned i = 0; i < sizeof rows / sizeof *rows; i++) {
		publish(f, 10 + i);
		pass(f, AFTER_S - 1, 9 + i);
		assert_string_not_equal(replica_state_texts[f->replica.state], "behind");
		next_question(f);
		assert_true(answer(f, rows[i].flags, rows[i].rtype, 10 + i));
		assert_string_equal(state_of(f), rows[i].text);
		assert_int_equal(f->news[REPLICA_FELL_BEHIND], i + 1);
		pass(f, HOUR_S, 10 + i);
		assert_int_equal(f->replica.state, REPLICA_CURRENT);
		assert_int_equal(f->news[REPLICA_FOLLOWS], i + 1);
	}
}

static void who_refuses_or_is_silent_is_unknown_and_asked_once_an_hour(void **state)
{
	struct fixture *f = *state;

	pass(f, AFTER_S - 1, SILENT);
	assert_string_equal(state_of(f), "pending because it does not answer");
	pass(f, 2 * AFTER_S, SILENT);
	assert_string_equal(state_of(f), "unknown because it does not answer");
	pass(f, 2 * HOUR_S, SILENT);
	f->asked = 0;
	pass(f, 24 * HOUR_S, SILENT);
	assert_int_equal(f->asked, 24);
	next_question(f);
	assert_true(answer(f, FLAG_QR | RCODE_REFUSED, 0, 0));
	assert_string_equal(state_of(f), "unknown because it refuses the question: REFUSED");
	next_question(f);
	assert_true(answer(f, FLAG_QR | FLAG_AA | FLAG_TC, 0, 0));
	assert_string_equal(state_of(f), "unknown because its answer is truncated");
	assert_int_equal(f->news[REPLICA_FELL_BEHIND] + f->news[REPLICA_FOLLOWS], 0);
	publish(f, 6); /* sooner, after a change */
	assert_int_equal(next_question(f), 5);
	say(f, 6);
	assert_string_equal(state_of(f), "current 6");
	assert_int_equal(f->news[REPLICA_FOLLOWS], 0);
}

static void who_was_behind_is_so_while_it_is_silent(void **state)
{
	struct fixture *f = *state;

	pass(f, AFTER_S + 5, 4);
	pass(f, HOUR_S, SILENT);
	assert_string_equal(state_of(f), "behind 4 because it does not answer");
	f->asked = 0;
	pass(f, HOUR_S, SILENT);
	assert_int_equal(f->asked, 12);
	assert_int_equal(f->news[REPLICA_FELL_BEHIND], 1);
}

static void who_is_not_to_be_asked_is_not(void **state)
{
	struct fixture *f = *state;

	follow(f, 0);
	publish(f, 6);
	assert_string_equal(state_of(f), "unknown because it is not asked (behind_after_s is 0)");
	pass(f, 24 * HOUR_S, 6);
	assert_int_equal(f->asked, 0);
	follow(f, 2); /* of a peer that is asked again: its time begins now */
	assert_string_equal(state_of(f), "pending");
	assert_int_equal(next_question(f), 2);
	say(f, 5);
	assert_string_equal(state_of(f), "behind 5");
}

/* ---- which answers count ---- */

static void what_is_not_the_answer_changes_nothing(void **state)
{
	struct fixture *f = *state;
	uint8_t good[EXCHANGE_MAX], bytes[EXCHANGE_MAX];

	next_question(f);
	size_t length = soa_answer(&f->question, SOA_ANSWER_FINE, TYPE_SOA, 5, good);
	size_t end = length - 36; /* of the question */
	static const struct {
		size_t at; /* behind the question's end where negative */
		int from_end;
		uint8_t change;
	} rows[] = {
		{1, 0, 1},    /* another id */
		{2, 0, 0x80}, /* a question */
		{0, -3, 1},   /* of another type */
		{0, -1, 2},   /* and class */
		{5, 0, 1},    /* of no question */
		{5, 0, 3},    /* of two */
	};
	for (unsigned i = 0; i < sizeof rows / sizeof *rows; i++) {
		memcpy(bytes, good, length);
		bytes[rows[i].from_end ? end + (size_t)(ptrdiff_t)rows[i].from_end : rows[i].at] ^=
			rows[i].change;
		assert_false(deliver(f, bytes, length));
	}
	for (size_t cut = 0; cut < end; cut++)
		assert_false(deliver(f, good, cut));
	assert_string_equal(state_of(f), "pending");
	assert_true(deliver(f, good, length));
	assert_string_equal(state_of(f), "current 5");
	assert_false(deliver(f, good, length)); /* once */
}

/* A SOA that is somebody else's, or does not hold together, is none. */
static void a_soa_that_is_not_the_zones_is_none(void **state)
{
	struct fixture *f = *state;
	uint8_t bytes[EXCHANGE_MAX];

	for (unsigned i = 0; i < 5; i++) {
		next_question(f);
		size_t length = soa_answer(&f->question, SOA_ANSWER_FINE, TYPE_SOA, 5, bytes);
		uint8_t *record = bytes + length - 36;

		if (i == 0)
			record[1] = 0x0e; /* its owner: "test." */
		else if (i == 1)
			record[5] = CLASS_CH;
		else if (i == 2)
			record[11]--, length--; /* its numbers: a byte short */
		else if (i == 3)
			record[13] = (uint8_t)(record + 12 - bytes); /* a name that is itself */
		else
			length -= 3; /* the message ends in it */
		assert_true(deliver(f, bytes, length));
		assert_int_equal(f->replica.finding, REPLICA_NO_SOA);
		assert_false(f->replica.has_serial);
	}
}

static void a_signed_question_wants_a_signed_answer(void **state)
{
	struct fixture *f = *state;
	uint8_t bytes[EXCHANGE_MAX];

	f->is_signed = true;
	next_question(f);
	size_t length = soa_answer(&f->question, SOA_ANSWER_FINE, TYPE_SOA, 4, bytes);
	assert_true(deliver(f, bytes, length)); /* anybody's */
	assert_string_equal(state_of(f), "pending");
	length = soa_answer_sign(&f->question, &f->key, BEGIN_S + f->now_s, BEGIN_S + f->now_s,
				 bytes, length);
	bytes[length - 7] ^= 1; /* of the MAC */
	assert_true(deliver(f, bytes, length));
	assert_string_equal(state_of(f), "pending");
	say(f, 5); /* the real one comes later, and counts */
	assert_string_equal(state_of(f), "current 5");
	assert_false(f->replica.bare);
}

/* Its key may be wrong, and that may be why it cannot transfer. */
static void after_a_refusal_the_next_question_is_signed_or_not_the_other_way_about(void **state)
{
	struct fixture *f = *state;
	uint8_t bytes[EXCHANGE_MAX];

	f->is_signed = true;
	assert_int_equal(next_question(f), 5);
	assert_int_equal(wire_u16(f->question.bytes + 10), 2);
	size_t length = soa_answer(&f->question, FLAG_QR | RCODE_NOTAUTH, 0, 0, bytes);
	assert_true(deliver(f, bytes, length));
	next_question(f);
	assert_int_equal(wire_u16(f->question.bytes + 10), 1); /* an OPT alone */
	assert_true(answer(f, FLAG_QR | RCODE_REFUSED, 0, 0));
	next_question(f);
	assert_false(f->replica.bare);
	next_question(f); /* there was no answer */
	assert_true(f->replica.bare);
	say(f, 5);
	assert_string_equal(state_of(f), "current 5");
	publish(f, 6);
	next_question(f);
	assert_false(f->replica.bare);
	say(f, 6);
	assert_string_equal(state_of(f), "current 6");
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(who_has_the_serial_is_current_and_is_asked_once_an_hour),
		TEST(who_lacks_a_change_for_a_minute_is_behind_and_that_is_said_once),
		TEST(who_loses_its_copy_is_behind_a_minute_after_that_is_seen),
		TEST(who_was_silent_and_then_has_no_copy_is_behind_a_minute_after_that),
		TEST(one_lost_packet_does_not_make_questions_unsigned),
		TEST(who_comes_back_with_a_disk_of_before_is_behind),
		TEST(who_is_silent_for_a_minute_is_not_known_any_more),
		TEST(who_follows_a_zone_that_changes_all_the_time_is_not_behind),
		TEST(what_it_lacks_is_the_first_serial_after_its_own),
		TEST(an_answer_that_was_long_on_its_way_does_not_say_how_it_is_now),
		TEST(serials_wrap_at_the_end_of_all_numbers),
		TEST(who_has_a_higher_serial_than_ours_is_ahead),
		TEST(a_serial_that_is_set_back_is_what_it_lacks),
		TEST(who_has_no_copy_to_answer_with_is_behind),
		TEST(who_refuses_or_is_silent_is_unknown_and_asked_once_an_hour),
		TEST(who_was_behind_is_so_while_it_is_silent),
		TEST(who_is_not_to_be_asked_is_not),
		TEST(what_is_not_the_answer_changes_nothing),
		TEST(a_soa_that_is_not_the_zones_is_none),
		TEST(a_signed_question_wants_a_signed_answer),
		TEST(after_a_refusal_the_next_question_is_signed_or_not_the_other_way_about),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
