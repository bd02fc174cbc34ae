/* Who is told of what, and how often (RFC 1996 section 3.6), and who is asked what it has, with the
 * clock in the test's hand and a peer that is a few lines here. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "endpoints/message.h"
#include "resolver/control/base/json.h"
#include "resolver/control/service/replica.h"
#include "resolver/control/service/secondary.h"
#include "resolver/control/service/zone_notice.h"
#include "resolver/log.h"
#include "rules/zone/serial.h"
#include "tests/lib/served_zones.h"
#include "tests/lib/soa_answer.h"

enum { MESSAGES = 512 };

/* What is due is sent a slot of the wheel later at most. */
enum { SLOT_MS = 2, SOON_MS = NOTICE_LOOK_MS + SLOT_MS, RETRY_MS = 1000 + SLOT_MS };

#define OTHER "113.0.203.in-addr.arpa."

struct fixture {
	struct served_zones served;
	struct host peers[2];
	struct tsig_settings key;
	struct secondaries *secondaries;
	uint64_t now_ms;
	uint64_t next_ms; /* when it wants to be called again */
	unsigned count;   /* messages since the last look */
	struct exchange_message sent[MESSAGES];
};

/* A second of the day is as long as one of the other clock. */
static struct instant now(const struct fixture *f)
{
	return (struct instant){f->now_ms, SERVED_NOW + f->now_ms / 1000 - 5};
}

static void follow(struct fixture *f)
{
	secondaries_follow(f->secondaries, f->served.table, now(f));
	served_forget(&f->served);
}

/* Another PTR at an address. */
static void change(struct fixture *f, const char *address, const char *target)
{
	served_point(&f->served, address, target, SERVED_NOW);
	follow(f);
}

static int setup(void **state)
{
	struct fixture *f = calloc(1, sizeof *f);
	struct transfer_settings *entry = &f->served.entry;

	served_init(&f->served);
	model_add_pool(f->served.model, "public", "198.51.100.0/24");
	model_add_pool(f->served.model, "other", "203.0.113.0/24");
	assert_int_equal(host_parse(&f->peers[0], "192.0.2.1", 53), 0);
	assert_int_equal(host_parse(&f->peers[1], "192.0.2.2", 53), 0);
	f->key = (struct tsig_settings){.name = "k.test", .secret = "Zm9vYmFy"};
	entry->notify.items = f->peers;
	entry->notify.count = 1;
	f->served.model->keys.items = &f->key;
	f->served.model->keys.count = 1;
	f->now_ms = 5000;
	f->secondaries = secondaries_new(f->now_ms);
	log_configure(LOG_ERROR, LOG_TEXT);
	served_compile(&f->served, SERVED_NOW);
	*state = f;
	return 0;
}

static int teardown(void **state)
{
	struct fixture *f = *state;

	secondaries_free(f->secondaries);
	served_release(&f->served);
	log_configure(LOG_INFO, LOG_TEXT);
	free(f);
	return 0;
}

/* ---- time, and what is sent in it ---- */

static void on_message(void *context, const struct exchange_message *message)
{
	struct fixture *f = context;

	assert_true(f->count < MESSAGES);
	f->sent[f->count++] = *message;
}

/* What is sent in so many milliseconds, which go by one by one. */
static unsigned pass(struct fixture *f, uint64_t ms)
{
	f->count = 0;
	for (uint64_t end = f->now_ms + ms; f->now_ms < end;) {
		f->now_ms++;
		secondaries_send(f->secondaries, f->served.table, now(f), on_message, f);
		f->next_ms = secondaries_next_ms(f->secondaries);
		assert_true(f->next_ms > f->now_ms);
	}
	return f->count;
}

/* ---- a peer ---- */

static const struct exchange_message *message_about(const struct fixture *f, const char *text)
{
	struct name zone = test_name(text);

	for (unsigned i = f->count; i-- > 0;)
		if (memcmp(f->sent[i].bytes + MESSAGE_HEADER, zone.wire, zone.length) == 0)
			return &f->sent[i];
	fail_msg("nothing was sent about %s", text);
	return NULL;
}

static uint32_t serial_in(const struct exchange_message *message)
{
	struct record_view record;
	size_t at;

	assert_int_equal(message_flags(message->bytes), OPCODE_NOTIFY << 11 | FLAG_AA);
	assert_true(wire_skip_name(message->bytes, message->length, MESSAGE_HEADER, WIRE_HEADER,
				   &at, NULL) > 0);
	assert_int_equal(wire_u16(message->bytes + at), TYPE_SOA);
	struct message_walk walk = message_walk_from(message->bytes, message->length, at + 4);
	assert_int_equal(message_read_record(&walk, &record), 0);
	assert_int_equal(record.type, TYPE_SOA);
	return wire_u32(message->bytes + record.rdata + record.rdata_length - 20);
}

/* The answer as BIND gives it: the header and the question. Returns its length. */
static size_t answer(const struct exchange_message *message, unsigned rcode,
		     uint8_t bytes[EXCHANGE_MAX])
{
	size_t end;

	wire_skip_name(message->bytes, message->length, MESSAGE_HEADER, WIRE_HEADER, &end, NULL);
	memcpy(bytes, message->bytes, end + 4);
	wire_put16(bytes + 2, (uint16_t)(FLAG_QR | FLAG_AA | OPCODE_NOTIFY << 11 | rcode));
	wire_put16(bytes + 6, 0);
	wire_put16(bytes + 8, 0);
	wire_put16(bytes + 10, 0);
	return end + 4;
}

static bool deliver(struct fixture *f, const struct host *from, const uint8_t *bytes, size_t length)
{
	uint8_t *exact = malloc(length ? length : 1); /* so that reading on is seen */

	memcpy(exact, bytes, length);
	bool taken =
		secondaries_receive(f->secondaries, f->served.table, from, exact, length, now(f));
	free(exact);
	return taken;
}

static size_t sign(const struct exchange_message *message, const struct tsig_key *key,
		   uint64_t now_s, uint8_t bytes[EXCHANGE_MAX])
{
	size_t length = answer(message, RCODE_NOERROR, bytes);

	return soa_answer_sign(message, key, SERVED_NOW, now_s, bytes, length);
}

static bool say(struct fixture *f, const struct exchange_message *message, unsigned rcode)
{
	uint8_t bytes[EXCHANGE_MAX] = {0};
	size_t length = answer(message, rcode, bytes);

	return deliver(f, &message->peer, bytes, length);
}

static bool say_signed(struct fixture *f, const struct exchange_message *message,
		       const struct tsig_key *key, uint64_t now_s)
{
	uint8_t bytes[EXCHANGE_MAX] = {0};
	size_t length = sign(message, key, now_s, bytes);

	return deliver(f, &message->peer, bytes, length);
}

/* Everybody is told, and says so. */
static void settle(struct fixture *f)
{
	follow(f);
	pass(f, 2 * NOTICE_LOOK_MS);
	for (unsigned i = 0; i < f->count; i++)
		assert_true(f->served.entry.key ? say_signed(f, &f->sent[i],
							     f->served.table->acl->keys, SERVED_NOW)
						: say(f, &f->sent[i], RCODE_NOERROR));
	if (!f->served.entry.behind_after_s)
		assert_int_equal(secondaries_next_ms(f->secondaries), UINT64_MAX);
	pass(f, NOTICE_APART_MS);
	assert_int_equal(f->count, 0);
}

/* "waiting", "answered" or "given up", and what it was told: "answered 0" */
static const char *state_of(struct fixture *f, const char *zone, unsigned peer)
{
	static char text[64];
	char host[HOST_TEXT_MAX];
	json_t *rows = json_array(), *row;
	size_t i;

	text[0] = '\0';
	secondaries_report(f->secondaries, rows);
	json_array_foreach(rows, i, row)
	{
		if (strcmp(json_string_value(json_object_get(row, "zone")), zone) != 0 ||
		    strcmp(json_string_value(json_object_get(row, "peer")),
			   host_print(&f->peers[peer], host)) != 0)
			continue;
		json_t *rcode = json_object_get(row, "answer");
		snprintf(text, sizeof text, "%s", json_string_value(json_object_get(row, "state")));
		if (json_is_integer(rcode))
			snprintf(text + strlen(text), sizeof text - strlen(text), " %d",
				 (int)json_integer_value(rcode));
	}
	json_decref(rows);
	return text;
}

/* ---- when ---- */

static void who_does_not_answer_is_told_five_times_in_31_seconds(void **state)
{
	static const unsigned after_ms[] = {NOTICE_LOOK_MS, 1000, 2000, 4000, 8000};
	struct fixture *f = *state;

	settle(f);
	change(f, "198.51.100.7", "a.test.");
	for (unsigned i = 0; i < NOTICE_TRIES; i++) {
		uint64_t due_ms = f->now_ms + after_ms[i];
		while (pass(f, 1) == 0)
			;
		assert_in_range(f->now_ms, due_ms, due_ms + SLOT_MS);
		assert_int_equal(f->count, 1);
		assert_int_equal(serial_in(&f->sent[0]), f->served.table->fresh[0]->serial);
		assert_true(host_equal(&f->sent[0].peer, &f->peers[0]));
	}
	assert_int_equal(pass(f, 15999 - SLOT_MS), 0);
	assert_string_equal(state_of(f, SERVED_REVERSE, 0), "waiting 0");
	assert_int_equal(pass(f, 2 * SLOT_MS + 1), 0);
	assert_string_equal(state_of(f, SERVED_REVERSE, 0), "given up 0");
	assert_int_equal(pass(f, 100000), 0);
	assert_int_equal(f->next_ms, UINT64_MAX);
	/* Until there is something else to tell. */
	change(f, "198.51.100.7", "b.test.");
	assert_int_equal(pass(f, SOON_MS), 1);
}

static void any_answer_ends_it(void **state)
{
	static const unsigned rcodes[] = {RCODE_NOERROR, RCODE_NOTIMP, RCODE_REFUSED};
	struct fixture *f = *state;

	settle(f);
	for (unsigned i = 0; i < 3; i++) {
		char text[32];
		change(f, "198.51.100.7", i % 2 ? "a.test." : "b.test.");
		assert_int_equal(pass(f, SOON_MS), 1);
		assert_int_equal(pass(f, RETRY_MS), 1); /* the second one is answered */
		assert_true(say(f, &f->sent[0], rcodes[i]));
		snprintf(text, sizeof text, "answered %u", rcodes[i]);
		assert_string_equal(state_of(f, SERVED_REVERSE, 0), text);
		assert_int_equal(pass(f, 100000), 0);
	}
}

/* None of these is the answer, and each leaves the notice as it was. */
static void what_is_not_the_answer_ends_nothing(void **state)
{
	struct fixture *f = *state;
	struct host elsewhere = f->peers[1], port = f->peers[0];
	uint8_t good[EXCHANGE_MAX], bytes[EXCHANGE_MAX];

	settle(f);
	change(f, "198.51.100.7", "a.test.");
	uint8_t early[] = {0, 0, 0xa4, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0};
	assert_false(deliver(f, &f->peers[0], early, sizeof early)); /* to what was not asked */
	assert_int_equal(pass(f, SOON_MS), 1);
	size_t length = answer(&f->sent[0], RCODE_NOERROR, good);
	port.port++;
	assert_false(deliver(f, &elsewhere, good, length));
	assert_false(deliver(f, &port, good, length));
	for (size_t cut = 0; cut < length - 4; cut++)
		assert_false(deliver(f, &f->peers[0], good, cut));
	memcpy(bytes, good, length);
	bytes[1] ^= 1; /* another id */
	assert_false(deliver(f, &f->peers[0], bytes, length));
	memcpy(bytes, good, length);
	bytes[2] &= 0x7f; /* a question */
	assert_false(deliver(f, &f->peers[0], bytes, length));
	memcpy(bytes, good, length);
	bytes[2] &= 0x87; /* QUERY */
	assert_false(deliver(f, &f->peers[0], bytes, length));
	memcpy(bytes, good, length);
	bytes[MESSAGE_HEADER + 1] ^= 1; /* another zone */
	assert_false(deliver(f, &f->peers[0], bytes, length));
	assert_int_equal(pass(f, 999 - SLOT_MS), 0);
	assert_int_equal(pass(f, 2 * SLOT_MS), 1);            /* all that did not count as one */
	assert_false(deliver(f, &f->peers[0], good, length)); /* the first one's id, by now */
	assert_true(say(f, &f->sent[0], RCODE_NOERROR));
	assert_false(say(f, &f->sent[0], RCODE_NOERROR)); /* once */
}

/* By the notice's key, at a time that is not long gone, and over this answer. */
static void a_signed_notice_wants_a_signed_answer(void **state)
{
	struct fixture *f = *state;
	uint8_t bytes[EXCHANGE_MAX];

	f->served.entry.key = "k.test";
	served_compile(&f->served, SERVED_NOW);
	settle(f);
	change(f, "198.51.100.7", "a.test.");
	assert_int_equal(pass(f, SOON_MS), 1);
	const struct exchange_message *message = &f->sent[0];
	const struct tsig_key *key = f->served.table->acl->keys;
	assert_false(say(f, message, RCODE_NOERROR));
	assert_false(say_signed(f, message, key, SERVED_NOW + 2 * TSIG_FUDGE_S));
	size_t length = sign(message, key, SERVED_NOW, bytes);
	bytes[3] ^= RCODE_REFUSED;
	assert_false(deliver(f, &message->peer, bytes, length));
	bytes[3] ^= RCODE_REFUSED;
	bytes[length - 7] ^= 1; /* of the MAC */
	assert_false(deliver(f, &message->peer, bytes, length));
	assert_int_equal(pass(f, RETRY_MS), 1);
	assert_false(deliver(f, &message->peer, bytes, length));
	assert_true(say_signed(f, &f->sent[0], key, SERVED_NOW));
	assert_string_equal(state_of(f, SERVED_REVERSE, 0), "answered 0");
}

/* Compiles the configuration again, which makes its keys anew; the addresses stay. */
static void reload(struct fixture *f)
{
	owned_unref(f->served.model->owned);
	f->served.model->owned = owned_ref(f->served.policy->owned);
	served_compile(&f->served, SERVED_NOW);
	follow(f);
}

static void an_answer_counts_after_a_reload_with_the_same_key(void **state)
{
	struct fixture *f = *state;

	f->served.entry.key = "k.test";
	served_compile(&f->served, SERVED_NOW);
	settle(f);
	change(f, "198.51.100.7", "a.test.");
	assert_int_equal(pass(f, SOON_MS), 1);
	struct exchange_message message = f->sent[0];
	reload(f);
	assert_true(say_signed(f, &message, f->served.table->acl->keys, SERVED_NOW));
	assert_string_equal(state_of(f, SERVED_REVERSE, 0), "answered 0");

	change(f, "198.51.100.7", "b.test.");
	assert_int_equal(pass(f, NOTICE_APART_MS), 1);
	message = f->sent[0];
	struct tsig_key before = *f->served.table->acl->keys;
	f->key.secret = "YmFyZm9v";
	reload(f);
	assert_false(say_signed(f, &message, &before, SERVED_NOW));
}

/* ---- which ---- */

static void many_changes_are_one_notice_and_one_a_second(void **state)
{
	struct fixture *f = *state;

	settle(f);
	change(f, "198.51.100.7", "a.test.");
	unsigned sent = 0;
	for (unsigned i = 0; i < 100; i++) { /* of 2 s */
		change(f, "198.51.100.7", i % 2 ? "a.test." : "b.test.");
		sent += pass(f, 20);
		for (unsigned l = 0; l < f->count; l++)
			assert_true(say(f, &f->sent[l], RCODE_NOERROR));
	}
	assert_int_equal(sent, 2);
	assert_int_equal(pass(f, RETRY_MS), 1);
	assert_int_equal(serial_in(&f->sent[0]), f->served.table->fresh[0]->serial);
}

static void a_change_while_it_waits_begins_anew(void **state)
{
	struct fixture *f = *state;

	settle(f);
	change(f, "198.51.100.7", "a.test.");
	assert_int_equal(pass(f, 8000), 4);
	change(f, "198.51.100.7", "b.test.");
	assert_int_equal(pass(f, 31000 + 5 * SOON_MS), NOTICE_TRIES);
	assert_string_equal(state_of(f, SERVED_REVERSE, 0), "given up 0");
}

static void each_zone_and_peer_has_its_own(void **state)
{
	struct fixture *f = *state;

	f->served.entry.notify.count = 2;
	served_compile(&f->served, SERVED_NOW);
	follow(f);
	assert_int_equal(pass(f, SOON_MS), 4);
	assert_int_equal(serial_in(message_about(f, SERVED_REVERSE)), SERVED_NOW);
	assert_int_equal(serial_in(message_about(f, OTHER)), SERVED_NOW);
	assert_true(say(f, message_about(f, OTHER), RCODE_NOERROR));
	assert_int_equal(pass(f, RETRY_MS), 3);
	for (unsigned i = 0; i < f->count; i++)
		assert_true(say(f, &f->sent[i], RCODE_NOERROR));
	change(f, "203.0.113.1", "a.test.");
	assert_int_equal(pass(f, RETRY_MS), 2);
	assert_true(host_equal(&f->sent[0].peer, &f->peers[1]) !=
		    host_equal(&f->sent[1].peer, &f->peers[1]));
}

/* What the table does not say is new costs nothing: it is not even looked at. */
static void a_change_looks_at_nothing_but_what_has_changed(void **state)
{
	struct fixture *f = *state;

	settle(f);
	change(f, "198.51.100.7", "a.test.");
	assert_int_equal(f->served.table->fresh_count, 1);
	assert_int_equal(pass(f, SOON_MS), 1);
	assert_true(say(f, &f->sent[0], RCODE_NOERROR));
	struct transfer_zone *other =
		(struct transfer_zone *)(uintptr_t)served_zone(&f->served, OTHER);
	other->serial++; /* behind everybody's back */
	change(f, "198.51.100.7", "b.test.");
	assert_int_equal(pass(f, 2 * RETRY_MS), 2);
	message_about(f, SERVED_REVERSE);
	assert_memory_equal(f->sent[0].bytes + MESSAGE_HEADER, f->sent[1].bytes + MESSAGE_HEADER,
			    25);
	assert_true(say(f, &f->sent[1], RCODE_NOERROR));
	/* A table that was served and not followed has all looked at. */
	f->served.table->version += 2;
	follow(f);
	assert_int_equal(pass(f, SOON_MS), 1);
	message_about(f, OTHER);
}

static void a_reload_keeps_what_was_told_and_drops_who_is_gone(void **state)
{
	struct fixture *f = *state;

	settle(f);
	f->served.entry.notify.count = 2;
	served_compile(&f->served, SERVED_NOW);
	follow(f);
	assert_int_equal(pass(f, RETRY_MS), 2);
	assert_true(host_equal(&f->sent[0].peer, &f->peers[1]));
	assert_true(host_equal(&f->sent[1].peer, &f->peers[1]));
	assert_string_equal(state_of(f, SERVED_REVERSE, 0), "answered 0");
	f->served.entry.notify.count = 1;
	served_compile(&f->served, SERVED_NOW);
	follow(f);
	assert_string_equal(state_of(f, SERVED_REVERSE, 1), "");
	assert_int_equal(pass(f, 100000), 0);
	secondaries_follow(f->secondaries, NULL, now(f));
	assert_string_equal(state_of(f, SERVED_REVERSE, 0), "");
	assert_int_equal(pass(f, 1), 0);
}

/* Each is a reverse zone more. */
static void add_pools(struct fixture *f, unsigned count)
{
	for (unsigned i = 0; i < count; i++) {
		char name[16], prefix[32];
		snprintf(name, sizeof name, "p%u", i);
		snprintf(prefix, sizeof prefix, "52.%u.0.0/16", i);
		model_add_pool(f->served.model, name, prefix);
	}
}

static void a_crowd_is_told_64_at_a_time(void **state)
{
	struct fixture *f = *state;

	add_pools(f, 100);
	served_compile(&f->served, SERVED_NOW);
	follow(f);
	assert_int_equal(pass(f, SOON_MS), SECONDARY_AT_ONCE);
	assert_int_equal(f->next_ms, f->now_ms + SECONDARY_AGAIN_MS);
	unsigned first = f->count;
	assert_int_equal(first + pass(f, SECONDARY_AGAIN_MS), 102);
}

/* ---- what they have ---- */

enum { AFTER_S = 60, ASKED_MS = 5000 };

static unsigned lines;
static char last_line[512];

static void on_line(enum log_level level, const char *event, const char *text, const char *shown)
{
	(void)shown;
	(void)level;
	lines++;
	snprintf(last_line, sizeof last_line, "%s: %s", event, text);
}

/* Everybody is asked from now on; all have what there is. */
static void begin_asking(struct fixture *f)
{
	f->served.entry.behind_after_s = AFTER_S;
	served_compile(&f->served, SERVED_NOW);
	settle(f);
	lines = 0;
	log_listen(on_line);
}

static int end_asking(void **state)
{
	log_listen(NULL);
	return teardown(state);
}

static bool is_question(const struct exchange_message *message)
{
	return message_flags(message->bytes) == 0;
}

static bool say_serial(struct fixture *f, const struct exchange_message *question, uint32_t serial)
{
	uint8_t bytes[EXCHANGE_MAX];
	size_t length = soa_answer(question, SOA_ANSWER_FINE, TYPE_SOA, serial, bytes);

	return deliver(f, &question->peer, bytes, length);
}

/* Of all that was sent: NOTIFY is answered, and to a question the peer says that it has the serial
 * of the zone `back` versions ago. */
static void answer_all(struct fixture *f, uint32_t back)
{
	for (unsigned i = 0; i < f->count; i++) {
		const struct exchange_message *message = &f->sent[i];
		struct exchange_answer question;
		uint8_t bytes[EXCHANGE_MAX];

		if (!is_question(message)) {
			assert_true(say(f, message, RCODE_NOERROR));
			continue;
		}
		memcpy(bytes, message->bytes, message->length);
		bytes[2] |= FLAG_QR >> 8;
		assert_true(exchange_read(&question, bytes, message->length));
		char text[NAME_TEXT_MAX];
		const struct transfer_zone *zone =
			served_zone(&f->served, name_to_text(&question.zone, text));
		assert_true(say_serial(f, message, zone->serial - back));
	}
}

static void live(struct fixture *f, unsigned seconds, uint32_t back)
{
	while (seconds-- > 0) {
		pass(f, 1000);
		answer_all(f, back);
	}
}

static const char *copy_of(struct fixture *f, const char *zone)
{
	static char text[64];
	json_t *rows = json_array(), *row;
	size_t i;

	text[0] = '\0';
	secondaries_report(f->secondaries, rows);
	json_array_foreach(rows, i, row) if (strcmp(json_string_value(json_object_get(row, "zone")),
						    zone) == 0)
		snprintf(text, sizeof text, "%s", json_string_value(json_object_get(row, "copy")));
	json_decref(rows);
	return text;
}

static void who_answers_and_does_not_transfer_is_told_once_and_again_when_it_does(void **state)
{
	struct fixture *f = *state;

	begin_asking(f);
	live(f, 10, 0);
	assert_string_equal(copy_of(f, SERVED_REVERSE), "current");
	change(f, "198.51.100.7", "a.test.");
	live(f, AFTER_S - 1, 1);
	assert_string_equal(copy_of(f, SERVED_REVERSE), "pending");
	assert_int_equal(lines, 0);
	live(f, 600, 1);
	assert_string_equal(copy_of(f, SERVED_REVERSE), "behind");
	assert_string_equal(copy_of(f, OTHER), "current");
	assert_int_equal(lines, 1);
	assert_non_null(strstr(last_line, "secondary: 192.0.2.1:53 is behind for " SERVED_REVERSE
					  ": it has serial "));
	live(f, 300, 0);
	assert_int_equal(lines, 2);
	assert_non_null(strstr(last_line, "secondary: 192.0.2.1:53 is up to date again for"));
	assert_string_equal(copy_of(f, SERVED_REVERSE), "current");
	/* Nothing waits but what is asked once an hour. */
	assert_true(secondaries_next_ms(f->secondaries) > f->now_ms + 2400 * UINT64_C(1000));
}

static void the_question_goes_where_the_notify_went_and_only_from_there_it_is_answered(void **state)
{
	struct fixture *f = *state;
	struct host elsewhere, port;
	uint8_t bytes[EXCHANGE_MAX];

	begin_asking(f);
	live(f, 10, 0);
	assert_int_equal(host_parse(&f->peers[0], "192.0.2.1:5301", 53), 0);
	assert_int_equal(address_parse(&f->served.entry.source, "192.0.2.200"), 0);
	served_compile(&f->served, SERVED_NOW);
	follow(f);
	pass(f, SOON_MS);
	answer_all(f, 0);
	assert_int_equal(pass(f, ASKED_MS), 2);
	const struct exchange_message *question = message_about(f, OTHER);
	assert_true(is_question(question));
	assert_true(host_equal(&question->peer, &f->peers[0]));
	assert_true(address_equal(&question->source, &f->served.entry.source));
	size_t length = soa_answer(question, SOA_ANSWER_FINE, TYPE_SOA, SERVED_NOW, bytes);
	elsewhere = port = question->peer;
	port.port = 53;
	elsewhere.address.bytes[3]++;
	assert_false(deliver(f, &port, bytes, length));
	assert_false(deliver(f, &elsewhere, bytes, length));
	bytes[2] ^= OPCODE_NOTIFY << 3; /* it answers no NOTIFY */
	assert_false(deliver(f, &question->peer, bytes, length));
	bytes[2] ^= OPCODE_NOTIFY << 3;
	bytes[MESSAGE_HEADER + 1] ^= 1; /* of another zone */
	assert_false(deliver(f, &question->peer, bytes, length));
	bytes[MESSAGE_HEADER + 1] ^= 1;
	assert_string_equal(copy_of(f, OTHER), "pending");
	assert_true(deliver(f, &question->peer, bytes, length));
	assert_string_equal(copy_of(f, OTHER), "current");
}

/* What is served may be newer than what was followed, and a secondary have it. */
static void who_has_what_is_not_followed_yet_is_not_ahead(void **state)
{
	struct fixture *f = *state;

	begin_asking(f);
	live(f, 10, 0);
	change(f, "198.51.100.7", "a.test.");
	pass(f, SOON_MS);
	answer_all(f, 0);
	assert_int_equal(pass(f, ASKED_MS), 1);
	served_point(&f->served, "198.51.100.7", "b.test.", SERVED_NOW);
	answer_all(f, 0);
	assert_string_equal(copy_of(f, SERVED_REVERSE), "current");
	follow(f);
	live(f, 10, 0);
	assert_string_equal(copy_of(f, SERVED_REVERSE), "current");
	assert_int_equal(lines, 0);
}

/* Between the moment when a zone is served no more and that when it is followed. */
static void a_zone_that_goes_while_its_secondary_is_asked_goes_with_it(void **state)
{
	struct fixture *f = *state;

	begin_asking(f);
	live(f, 10, 0);
	change(f, "198.51.100.7", "a.test.");
	pass(f, SOON_MS);
	assert_int_equal(pass(f, ASKED_MS), 3);
	const struct exchange_message question = f->sent[2];
	assert_true(is_question(&question));
	struct transfer_table *table = f->served.table;
	f->served.table = NULL;
	pass(f, 60000);
	f->served.table = table;
	assert_int_equal(f->served.model->address_pools.count, 2);
	f->served.model->address_pools.count = 0;
	served_compile(&f->served, SERVED_NOW);
	pass(f, 60000);
	follow(f);
	assert_false(say_serial(f, &question, SERVED_NOW));
	assert_int_equal(pass(f, 100000), 0);
	assert_int_equal(secondaries_next_ms(f->secondaries), UINT64_MAX);
	f->served.model->address_pools.count = 2;
}

static void a_reload_asks_those_who_are_new_and_no_longer_those_who_are_gone(void **state)
{
	struct fixture *f = *state;

	begin_asking(f);
	live(f, 10, 0);
	change(f, "198.51.100.7", "a.test.");
	live(f, 2 * AFTER_S, 1);
	assert_string_equal(copy_of(f, SERVED_REVERSE), "behind");
	/* The same peer, now with a key: what is known of it stays. */
	f->served.entry.key = "k.test";
	served_compile(&f->served, SERVED_NOW);
	follow(f);
	assert_string_equal(copy_of(f, SERVED_REVERSE), "behind");
	do
		pass(f, 1000);
	while (f->count == 0 || !is_question(&f->sent[0]));
	assert_int_equal(wire_u16(f->sent[0].bytes + 10), 2); /* an OPT and a TSIG */
	f->served.entry.notify.count = 0;
	served_compile(&f->served, SERVED_NOW);
	follow(f);
	assert_int_equal(pass(f, 400000), 0);
	f->served.entry.notify.count = 2;
	served_compile(&f->served, SERVED_NOW);
	follow(f);
	assert_int_equal(pass(f, SOON_MS), 4);
	assert_int_equal(lines, 1);
}

/* A thousand zones at four peers that are all down. */
struct crowd {
	unsigned notices, questions;
};

static void count_message(void *context, const struct exchange_message *message)
{
	struct crowd *crowd = context;

	if (is_question(message))
		crowd->questions++;
	else
		crowd->notices++;
}

static struct crowd minute(struct fixture *f)
{
	struct crowd crowd = {0}, before = crowd;

	for (uint64_t end_ms = f->now_ms + 60000; f->now_ms < end_ms;) {
		uint64_t next_ms = secondaries_next_ms(f->secondaries);
		if (next_ms > end_ms) {
			f->now_ms = end_ms;
			break;
		}
		f->now_ms = next_ms;
		secondaries_send(f->secondaries, f->served.table, now(f), count_message, &crowd);
		assert_in_range(crowd.notices + crowd.questions - before.notices - before.questions,
				0, SECONDARY_AT_ONCE + 1);
		before = crowd;
	}
	return crowd;
}

static void a_thousand_zones_at_four_dead_peers_are_no_storm(void **state)
{
	struct fixture *f = *state;
	struct host peers[4];

	for (unsigned i = 0; i < 998; i++) {
		char name[16], prefix[32];
		snprintf(name, sizeof name, "p%u", i);
		snprintf(prefix, sizeof prefix, "52.%u.%u.0/24", i / 256, i % 256);
		model_add_pool(f->served.model, name, prefix);
	}
	for (unsigned i = 0; i < 4; i++) {
		peers[i] = f->peers[0];
		peers[i].address.bytes[3] = (uint8_t)(10 + i);
	}
	f->served.entry.notify.items = peers;
	f->served.entry.notify.count = 4;
	f->served.entry.behind_after_s = AFTER_S;
	served_compile(&f->served, SERVED_NOW);
	follow(f);
	lines = 0;
	log_listen(on_line);
	struct crowd first = minute(f);
	assert_int_equal(first.notices, 4000 * NOTICE_TRIES);
	assert_in_range(first.questions, 4000 * 3, 4000 * 4); /* 5, 15, 35, 60 s after it */
	assert_in_range(lines, SECONDARY_LINES, 2 * SECONDARY_LINES + 2);
	for (unsigned i = 0; i < 120; i++)
		minute(f);
	struct crowd hour = {0};
	for (unsigned i = 0; i < 60; i++)
		hour.questions += minute(f).questions;
	assert_int_equal(hour.questions, 4000);
	assert_in_range(lines, SECONDARY_LINES + 1, 2 * SECONDARY_LINES + 2);
	assert_string_equal(copy_of(f, SERVED_REVERSE), "unknown");
}

static void of_many_lines_at_once_the_rest_is_a_number(void **state)
{
	struct fixture *f = *state;

	add_pools(f, 18);
	begin_asking(f);
	live(f, AFTER_S + 5, 1);
	assert_int_equal(lines, SECONDARY_LINES);
	live(f, 10, 1);
	assert_int_equal(lines, SECONDARY_LINES + 1);
	assert_string_equal(last_line,
			    "secondary: and 12 more are behind; sluice status --all names them");
	live(f, 600, 1);
	assert_int_equal(lines, SECONDARY_LINES + 1);
}

#define TEST(name)   cmocka_unit_test_setup_teardown(name, setup, teardown)
#define ASKING(name) cmocka_unit_test_setup_teardown(name, setup, end_asking)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(who_does_not_answer_is_told_five_times_in_31_seconds),
		TEST(any_answer_ends_it),
		TEST(what_is_not_the_answer_ends_nothing),
		TEST(a_signed_notice_wants_a_signed_answer),
		TEST(an_answer_counts_after_a_reload_with_the_same_key),
		TEST(many_changes_are_one_notice_and_one_a_second),
		TEST(a_change_while_it_waits_begins_anew),
		TEST(each_zone_and_peer_has_its_own),
		TEST(a_change_looks_at_nothing_but_what_has_changed),
		TEST(a_reload_keeps_what_was_told_and_drops_who_is_gone),
		TEST(a_crowd_is_told_64_at_a_time),
		ASKING(who_answers_and_does_not_transfer_is_told_once_and_again_when_it_does),
		ASKING(the_question_goes_where_the_notify_went_and_only_from_there_it_is_answered),
		ASKING(who_has_what_is_not_followed_yet_is_not_ahead),
		ASKING(a_zone_that_goes_while_its_secondary_is_asked_goes_with_it),
		ASKING(a_reload_asks_those_who_are_new_and_no_longer_those_who_are_gone),
		ASKING(a_thousand_zones_at_four_dead_peers_are_no_storm),
		ASKING(of_many_lines_at_once_the_rest_is_a_number),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
