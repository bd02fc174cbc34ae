/* Who is told of what, and how often (RFC 1996 section 3.6), with the clock in the test's hand and
 * a peer that is a few lines here. */
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
#include "resolver/control/service/zone_notice.h"
#include "resolver/log.h"
#include "rules/zone/serial.h"
#include "tests/lib/served_zones.h"

enum { MESSAGES = 256 };

#define OTHER "113.0.203.in-addr.arpa."

struct fixture {
	struct served_zones served;
	struct host peers[2];
	struct tsig_settings key;
	struct zone_notices *notices;
	uint64_t now_ms;
	uint64_t next_ms; /* when it wants to be called again */
	unsigned count;   /* messages since the last look */
	struct notify_message sent[MESSAGES];
};

static void follow(struct fixture *f)
{
	zone_notices_follow(f->notices, f->served.table, f->now_ms, SERVED_NOW);
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
	f->notices = zone_notices_new();
	f->now_ms = 5000;
	log_configure(LOG_ERROR, LOG_TEXT);
	served_compile(&f->served, SERVED_NOW);
	*state = f;
	return 0;
}

static int teardown(void **state)
{
	struct fixture *f = *state;

	zone_notices_free(f->notices);
	served_release(&f->served);
	log_configure(LOG_INFO, LOG_TEXT);
	free(f);
	return 0;
}

/* ---- time, and what is sent in it ---- */

static void on_message(void *context, const struct notify_message *message)
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
		f->next_ms = zone_notices_send(f->notices, f->served.table, f->now_ms, SERVED_NOW,
					       on_message, f);
		assert_true(f->next_ms > f->now_ms);
	}
	return f->count;
}

/* ---- a peer ---- */

static const struct notify_message *message_about(const struct fixture *f, const char *text)
{
	struct name zone = test_name(text);

	for (unsigned i = f->count; i-- > 0;)
		if (memcmp(f->sent[i].bytes + MESSAGE_HEADER, zone.wire, zone.length) == 0)
			return &f->sent[i];
	fail_msg("nothing was sent about %s", text);
	return NULL;
}

static uint32_t serial_in(const struct notify_message *message)
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
static size_t answer(const struct notify_message *message, unsigned rcode,
		     uint8_t bytes[NOTICE_MAX])
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
	bool taken = zone_notices_receive(f->notices, from, exact, length, SERVED_NOW);
	free(exact);
	return taken;
}

static size_t sign(const struct notify_message *message, const struct tsig_key *key, uint64_t now_s,
		   uint8_t bytes[NOTICE_MAX])
{
	struct record_view record;
	struct tsig_context tsig;
	size_t at;

	wire_skip_name(message->bytes, message->length, MESSAGE_HEADER, WIRE_HEADER, &at, NULL);
	struct message_walk walk = message_walk_from(message->bytes, message->length, at + 4);
	assert_int_equal(wire_u16(message->bytes + 10), 1);
	for (unsigned i = 0; i < 2; i++)
		assert_int_equal(message_read_record(&walk, &record), 0);
	assert_int_equal(record.type, TYPE_TSIG);
	assert_int_equal(tsig_check(&tsig, key, 1, message->bytes, message->length, record.owner,
				    SERVED_NOW),
			 TSIG_FINE);
	size_t length = answer(message, RCODE_NOERROR, bytes);
	return tsig_sign(&tsig, bytes, length, NOTICE_MAX, now_s);
}

static bool say(struct fixture *f, const struct notify_message *message, unsigned rcode)
{
	uint8_t bytes[NOTICE_MAX] = {0};
	size_t length = answer(message, rcode, bytes);

	return deliver(f, &message->peer, bytes, length);
}

static bool say_signed(struct fixture *f, const struct notify_message *message,
		       const struct tsig_key *key, uint64_t now_s)
{
	uint8_t bytes[NOTICE_MAX] = {0};
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
	assert_false(zone_notices_wait(f->notices));
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
	zone_notices_report(f->notices, rows);
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
	static const unsigned after_ms[] = {0, 1000, 2000, 4000, 8000};
	struct fixture *f = *state;

	settle(f);
	change(f, "198.51.100.7", "a.test.");
	assert_int_equal(pass(f, NOTICE_LOOK_MS - 1), 0);
	for (unsigned i = 0; i < NOTICE_TRIES; i++) {
		if (i > 0)
			assert_int_equal(pass(f, after_ms[i] - 1), 0);
		assert_int_equal(pass(f, 1), 1);
		assert_int_equal(serial_in(&f->sent[0]), f->served.table->fresh[0]->serial);
		assert_true(host_equal(&f->sent[0].peer, &f->peers[0]));
	}
	assert_int_equal(pass(f, 15999), 0);
	assert_string_equal(state_of(f, SERVED_REVERSE, 0), "waiting 0");
	assert_int_equal(pass(f, 1), 0);
	assert_string_equal(state_of(f, SERVED_REVERSE, 0), "given up 0");
	assert_int_equal(f->next_ms, UINT64_MAX);
	assert_int_equal(pass(f, 100000), 0);
	/* Until there is something else to tell. */
	change(f, "198.51.100.7", "b.test.");
	assert_int_equal(pass(f, NOTICE_LOOK_MS), 1);
}

static void any_answer_ends_it(void **state)
{
	static const unsigned rcodes[] = {RCODE_NOERROR, RCODE_NOTIMP, RCODE_REFUSED};
	struct fixture *f = *state;

	settle(f);
	for (unsigned i = 0; i < 3; i++) {
		char text[32];
		change(f, "198.51.100.7", i % 2 ? "a.test." : "b.test.");
		assert_int_equal(pass(f, NOTICE_LOOK_MS), 1);
		assert_int_equal(pass(f, 1000), 1); /* the second one is answered */
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
	uint8_t good[NOTICE_MAX], bytes[NOTICE_MAX];

	settle(f);
	change(f, "198.51.100.7", "a.test.");
	uint8_t early[] = {0, 0, 0xa4, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0};
	assert_false(deliver(f, &f->peers[0], early, sizeof early)); /* to what was not asked */
	assert_int_equal(pass(f, NOTICE_LOOK_MS), 1);
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
	assert_int_equal(pass(f, 999), 0);
	assert_int_equal(pass(f, 1), 1);                      /* all that did not count as one */
	assert_false(deliver(f, &f->peers[0], good, length)); /* the first one's id, by now */
	assert_true(say(f, &f->sent[0], RCODE_NOERROR));
	assert_false(say(f, &f->sent[0], RCODE_NOERROR)); /* once */
}

/* By the notice's key, at a time that is not long gone, and over this answer. */
static void a_signed_notice_wants_a_signed_answer(void **state)
{
	struct fixture *f = *state;
	uint8_t bytes[NOTICE_MAX];

	f->served.entry.key = "k.test";
	served_compile(&f->served, SERVED_NOW);
	settle(f);
	change(f, "198.51.100.7", "a.test.");
	assert_int_equal(pass(f, NOTICE_LOOK_MS), 1);
	const struct notify_message *message = &f->sent[0];
	const struct tsig_key *key = f->served.table->acl->keys;
	assert_false(say(f, message, RCODE_NOERROR));
	assert_false(say_signed(f, message, key, SERVED_NOW + 2 * TSIG_FUDGE_S));
	size_t length = sign(message, key, SERVED_NOW, bytes);
	bytes[3] ^= RCODE_REFUSED;
	assert_false(deliver(f, &message->peer, bytes, length));
	bytes[3] ^= RCODE_REFUSED;
	bytes[length - 7] ^= 1; /* of the MAC */
	assert_false(deliver(f, &message->peer, bytes, length));
	assert_int_equal(pass(f, 1000), 1);
	assert_false(deliver(f, &message->peer, bytes, length));
	assert_true(say_signed(f, &f->sent[0], key, SERVED_NOW));
	assert_string_equal(state_of(f, SERVED_REVERSE, 0), "answered 0");
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
	assert_int_equal(pass(f, 1000), 1);
	assert_int_equal(
		serial_in(&f->sent[0]),
		transfer_table_find(f->served.table, &f->served.table->fresh[0]->name)->serial);
}

static void a_change_while_it_waits_begins_anew(void **state)
{
	struct fixture *f = *state;

	settle(f);
	change(f, "198.51.100.7", "a.test.");
	assert_int_equal(pass(f, 8000), 4);
	change(f, "198.51.100.7", "b.test.");
	assert_int_equal(pass(f, 31000 + NOTICE_LOOK_MS), NOTICE_TRIES);
	assert_string_equal(state_of(f, SERVED_REVERSE, 0), "given up 0");
}

static void each_zone_and_peer_has_its_own(void **state)
{
	struct fixture *f = *state;

	f->served.entry.notify.count = 2;
	served_compile(&f->served, SERVED_NOW);
	follow(f);
	assert_int_equal(pass(f, NOTICE_LOOK_MS), 4);
	assert_int_equal(serial_in(message_about(f, SERVED_REVERSE)), SERVED_NOW);
	assert_int_equal(serial_in(message_about(f, OTHER)), SERVED_NOW);
	assert_true(say(f, message_about(f, OTHER), RCODE_NOERROR));
	assert_int_equal(pass(f, 1000), 3);
	for (unsigned i = 0; i < f->count; i++)
		assert_true(say(f, &f->sent[i], RCODE_NOERROR));
	change(f, "203.0.113.1", "a.test.");
	assert_int_equal(pass(f, 1000), 2);
	assert_true(host_equal(&f->sent[0].peer, &f->peers[1]) !=
		    host_equal(&f->sent[1].peer, &f->peers[1]));
}

/* What the table does not say is new costs nothing: it is not even looked at. */
static void a_change_looks_at_nothing_but_what_has_changed(void **state)
{
	struct fixture *f = *state;
	struct name name = test_name(OTHER);

	settle(f);
	change(f, "198.51.100.7", "a.test.");
	assert_int_equal(f->served.table->fresh_count, 1);
	assert_int_equal(pass(f, NOTICE_LOOK_MS), 1);
	assert_true(say(f, &f->sent[0], RCODE_NOERROR));
	struct transfer_zone *other =
		(struct transfer_zone *)(uintptr_t)transfer_table_find(f->served.table, &name);
	other->serial++; /* behind everybody's back */
	change(f, "198.51.100.7", "b.test.");
	assert_int_equal(pass(f, 2000), 2);
	message_about(f, SERVED_REVERSE);
	assert_memory_equal(f->sent[0].bytes + MESSAGE_HEADER, f->sent[1].bytes + MESSAGE_HEADER,
			    25);
	assert_true(say(f, &f->sent[1], RCODE_NOERROR));
	/* A table that was served and not followed has all looked at. */
	f->served.table->version += 2;
	follow(f);
	assert_int_equal(pass(f, NOTICE_LOOK_MS), 1);
	message_about(f, OTHER);
}

static void a_reload_keeps_what_was_told_and_drops_who_is_gone(void **state)
{
	struct fixture *f = *state;

	settle(f);
	f->served.entry.notify.count = 2;
	served_compile(&f->served, SERVED_NOW);
	follow(f);
	assert_int_equal(pass(f, 1000), 2);
	assert_true(host_equal(&f->sent[0].peer, &f->peers[1]));
	assert_true(host_equal(&f->sent[1].peer, &f->peers[1]));
	assert_string_equal(state_of(f, SERVED_REVERSE, 0), "answered 0");
	f->served.entry.notify.count = 1;
	served_compile(&f->served, SERVED_NOW);
	follow(f);
	assert_string_equal(state_of(f, SERVED_REVERSE, 1), "");
	assert_int_equal(pass(f, 100000), 0);
	zone_notices_follow(f->notices, NULL, f->now_ms, SERVED_NOW);
	assert_string_equal(state_of(f, SERVED_REVERSE, 0), "");
	assert_int_equal(pass(f, 1), 0);
}

static void a_crowd_is_told_64_at_a_time(void **state)
{
	struct fixture *f = *state;

	for (unsigned i = 0; i < 100; i++) {
		char name[16], prefix[32];
		snprintf(name, sizeof name, "p%u", i);
		snprintf(prefix, sizeof prefix, "52.%u.0.0/16", i);
		model_add_pool(f->served.model, name, prefix);
	}
	served_compile(&f->served, SERVED_NOW);
	follow(f);
	assert_int_equal(pass(f, NOTICE_LOOK_MS), NOTICE_AT_ONCE);
	assert_int_equal(f->next_ms, f->now_ms + NOTICE_AGAIN_MS);
	unsigned first = f->count;
	assert_int_equal(first + pass(f, NOTICE_AGAIN_MS), 102);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(who_does_not_answer_is_told_five_times_in_31_seconds),
		TEST(any_answer_ends_it),
		TEST(what_is_not_the_answer_ends_nothing),
		TEST(a_signed_notice_wants_a_signed_answer),
		TEST(many_changes_are_one_notice_and_one_a_second),
		TEST(a_change_while_it_waits_begins_anew),
		TEST(each_zone_and_peer_has_its_own),
		TEST(a_change_looks_at_nothing_but_what_has_changed),
		TEST(a_reload_keeps_what_was_told_and_drops_who_is_gone),
		TEST(a_crowd_is_told_64_at_a_time),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
