/* A record as a frame of dnstap, read back by the same messages. */
#include "resolver/control/observe/query_log/dnstap.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdlib.h>
#include <string.h>

#include "resolver/control/observe/query_log/dnstap.pb-c.h"
#include "tests/lib/query_case.h"

static struct {
	uint8_t frame[DNSTAP_MAX], guard[16];
} memory;

/* Of `record`, which took 12345 us. To be freed. */
static Dnstap__Dnstap *written(struct query_record *record, const char *identity)
{
	static const uint8_t untouched[sizeof memory.guard];
	char json[QUERY_ENTRY_TEXT_MAX];
	struct query_entry entry;
	Dnstap__Dnstap *dnstap;
	size_t length;

	query_entry_init(&entry, record, 5012345, 1700000000000000000);
	length =
		dnstap_write(&entry, json, query_entry_print(&entry, json), identity, memory.frame);
	assert_in_range(length, 1, DNSTAP_MAX);
	assert_memory_equal(memory.guard, untouched, sizeof untouched);
	dnstap = dnstap__dnstap__unpack(NULL, length, memory.frame);
	assert_non_null(dnstap);
	assert_int_equal(dnstap->type, DNSTAP__DNSTAP__TYPE__MESSAGE);
	assert_int_equal(dnstap->extra.len, strlen(json));
	assert_memory_equal(dnstap->extra.data, json, strlen(json));
	return dnstap;
}

static void assert_bytes(ProtobufCBinaryData data, const char *text)
{
	assert_int_equal(data.len, strlen(text));
	assert_memory_equal(data.data, text, data.len);
}

static void a_frame_has_the_question_the_times_and_the_decision(void **state)
{
	static struct rule rule = {.ruleset = "office"};
	struct query_record *record = query_case_record("why");
	Dnstap__Dnstap *dnstap;
	Dnstap__Message *message;

	(void)state;
	record->rule = &rule;
	record->id = 0x1234;
	dnstap = written(record, "here");
	message = dnstap->message;
	assert_bytes(dnstap->identity, "here");
	assert_bytes(dnstap->version, "sluice " SLUICE_VERSION);
	assert_int_equal(message->type, DNSTAP__MESSAGE__TYPE__CLIENT_RESPONSE);
	assert_int_equal(message->socket_family, DNSTAP__SOCKET_FAMILY__INET);
	assert_int_equal(message->socket_protocol, DNSTAP__SOCKET_PROTOCOL__UDP);
	assert_bytes(message->query_address, "\12\12\1\317");
	assert_int_equal(message->query_port, 4711);
	assert_int_equal(message->query_time_sec, 1700000005);
	assert_int_equal(message->query_time_nsec, 0);
	assert_int_equal(message->response_time_sec, 1700000005);
	assert_int_equal(message->response_time_nsec, 12345000);
	assert_int_equal(message->query_message.len, MESSAGE_HEADER + record->question_length);
	assert_memory_equal(message->query_message.data, "\x12\x34\0\0\0\1\0\0\0\0\0\0\3WwW", 16);
	assert_false(message->has_response_message);
	assert_string_equal(message->policy->type, "rule");
	assert_bytes(message->policy->rule, "office/contoso");
	assert_int_equal(message->policy->action, DNSTAP__POLICY__ACTION__PASS);
	assert_int_equal(message->policy->match, DNSTAP__POLICY__MATCH__QNAME);
	dnstap__dnstap__free_unpacked(dnstap, NULL);
}

static void what_was_dropped_is_a_query_without_a_reply(void **state)
{
	struct query_record *record = query_case_record("");
	Dnstap__Dnstap *dnstap;

	(void)state;
	record->length = record->rcode = 0;
	record->turned_away = true;
	record->object = NULL;
	dnstap = written(record, NULL);
	assert_false(dnstap->has_identity);
	assert_int_equal(dnstap->message->type, DNSTAP__MESSAGE__TYPE__CLIENT_QUERY);
	assert_false(dnstap->message->has_response_time_sec);
	assert_false(dnstap->message->policy->has_rule);
	assert_string_equal(dnstap->message->policy->type, "admission");
	assert_int_equal(dnstap->message->policy->action, DNSTAP__POLICY__ACTION__DROP);
	assert_int_equal(dnstap->message->policy->match, DNSTAP__POLICY__MATCH__CLIENT_IP);
	dnstap__dnstap__free_unpacked(dnstap, NULL);
}

static char *long_text(size_t length)
{
	char *text = calloc(1, length + 1);

	assert_non_null(text);
	memset(text, 'x', length);
	return text;
}

static void the_longest_of_everything_fits_or_is_cut(void **state)
{
	char *text = long_text(MESSAGE_EDE_TEXT_MAX), *name = long_text(1000),
	     *identity = long_text(1000);
	struct query_record *record = query_case_record_with_reply(QUERY_RING_MESSAGE_MAX, text);
	struct rule rule = {.ruleset = name};
	Dnstap__Dnstap *dnstap;

	(void)state;
	record->rule = &rule;
	record->object = name;
	assert_int_equal(address_parse(&record->client, "2001:db8::ffff"), 0);
	dnstap = written(record, identity);
	assert_int_equal(dnstap->identity.len, DNSTAP_IDENTITY_MAX);
	assert_int_equal(dnstap->message->policy->rule.len, DNSTAP_RULE_MAX);
	assert_int_equal(dnstap->message->response_message.len, QUERY_RING_MESSAGE_MAX);
	dnstap__dnstap__free_unpacked(dnstap, NULL);
	free(identity);
	free(name);
	free(text);
}

/* With privacy an answer's message says as little of its client as its address. */
static void a_hidden_client_has_no_cookie_in_the_reply(void **state)
{
	static const uint8_t cookie[] = "\0\0\x29\4\xd0\0\0\0\0\0\x22" /* OPT */
					"\0\x0f\0\2\0\3"               /* EDE: stale */
					"\0\x0a\0\x18"
					"clientcookieserverseries";
	size_t question = query_case_record("")->question_length;
	size_t at = MESSAGE_HEADER + question;
	struct query_record *record = query_case_record_with_reply(at + sizeof cookie - 1, "");
	struct query_entry entry;
	Dnstap__Dnstap *dnstap;
	const uint8_t *message;

	(void)state;
	memcpy(record->data + at, cookie, sizeof cookie - 1);
	query_entry_init(&entry, record, 0, 0);
	query_entry_hide_client(&entry);
	dnstap = written(record, NULL);
	message = dnstap->message->response_message.data;
	assert_int_equal(dnstap->message->response_message.len, at + sizeof cookie - 1);
	assert_memory_equal(message + at, cookie, sizeof cookie - 1 - 24);
	for (size_t i = at + sizeof cookie - 1 - 24; i < at + sizeof cookie - 1; i++)
		assert_int_equal(message[i], 0);
	dnstap__dnstap__free_unpacked(dnstap, NULL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_frame_has_the_question_the_times_and_the_decision),
		cmocka_unit_test(what_was_dropped_is_a_query_without_a_reply),
		cmocka_unit_test(the_longest_of_everything_fits_or_is_cut),
		cmocka_unit_test(a_hidden_client_has_no_cookie_in_the_reply),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
