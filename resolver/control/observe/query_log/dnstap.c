/* The messages of dnstap.proto are filled on the stack, with pointers to bytes and texts.
 * libprotobuf-c packs a message into a buffer without knowing the buffer's size. So every part of
 * the message has a bound, and DNSTAP_MAX is the sum of the bounds. */
#include "resolver/control/observe/query_log/dnstap.h"

#include <assert.h>
#include <string.h>

#include "endpoints/message.h"
#include "resolver/control/observe/query_log/dnstap.pb-c.h"
#include "rules/rcode.h"
#include "rules/wire.h"

enum { QUERY_MAX = MESSAGE_HEADER + MESSAGE_QUESTION_MAX };

static_assert(DNSTAP_IDENTITY_MAX + QUERY_MAX + DNSTAP_RULE_MAX + 512 <= DNSTAP_OTHER_MAX,
	      "512: the version, addresses, numbers, and what is ahead of every field");

/* protobuf-c lacks const, but only reads these bytes. */
static ProtobufCBinaryData bytes_of(const void *data, size_t length)
{
	return (ProtobufCBinaryData){.len = length, .data = (uint8_t *)(uintptr_t)data};
}

static Dnstap__Policy__Action action_of(const struct query_record *record)
{
	if (record->source != RESPONSE_ZONE)
		return record->turned_away && record->length == 0 ? DNSTAP__POLICY__ACTION__DROP
								  : DNSTAP__POLICY__ACTION__PASS;
	return record->rcode == RCODE_NXDOMAIN ? DNSTAP__POLICY__ACTION__NXDOMAIN
					       : DNSTAP__POLICY__ACTION__LOCAL_DATA;
}

static size_t append(char rule[DNSTAP_RULE_MAX], size_t at, const char *text)
{
	size_t length = strnlen(text, DNSTAP_RULE_MAX - at);

	memcpy(rule + at, text, length);
	return at + length;
}

/* Writes "office/contoso" for a rule, or the name of a zone or network. Returns the length. */
static size_t write_rule(const struct query_record *record, char rule[DNSTAP_RULE_MAX])
{
	size_t length = 0;

	if (record->rule) {
		length = append(rule, length, record->rule->ruleset);
		length = append(rule, length, "/");
	}
	return append(rule, length, record->object);
}

/* `rule`: room for the name. */
static void fill_policy(Dnstap__Policy *policy, const struct query_record *record,
			char rule[DNSTAP_RULE_MAX])
{
	dnstap__policy__init(policy);
	policy->type = (char *)(uintptr_t)query_record_decider(record);
	if (record->object) {
		policy->has_rule = true;
		policy->rule = bytes_of(rule, write_rule(record, rule));
	}
	policy->has_action = policy->has_match = true;
	policy->action = action_of(record);
	policy->match = record->turned_away ? DNSTAP__POLICY__MATCH__CLIENT_IP
					    : DNSTAP__POLICY__MATCH__QNAME;
}

/* Rebuilds the query's header and question, as far as known. Returns the length. */
static size_t write_query(const struct query_record *record, uint8_t query[QUERY_MAX])
{
	memset(query, 0, MESSAGE_HEADER);
	wire_put16(query, record->id);
	wire_put16(query + 2, record->flags);
	wire_put16(query + 4, record->question_length > 0);
	memcpy(query + MESSAGE_HEADER, query_record_question(record), record->question_length);
	return MESSAGE_HEADER + record->question_length;
}

static void fill_response(Dnstap__Message *message, const struct query_entry *entry)
{
	const struct query_record *record = entry->record;
	uint64_t left_ns = (uint64_t)entry->arrived.tv_nsec + entry->took_us * 1000;

	message->type = DNSTAP__MESSAGE__TYPE__CLIENT_RESPONSE;
	message->has_response_time_sec = message->has_response_time_nsec = true;
	message->response_time_sec = (uint64_t)entry->arrived.tv_sec + left_ns / 1000000000;
	message->response_time_nsec = (uint32_t)(left_ns % 1000000000);
	message->has_response_message = record->message_length > 0;
	message->response_message = bytes_of(query_record_message(record), record->message_length);
}

static void fill_message(Dnstap__Message *message, const struct query_entry *entry,
			 uint8_t query[QUERY_MAX])
{
	const struct query_record *record = entry->record;
	bool is_v4 = entry->client.family == 4;

	dnstap__message__init(message);
	message->type = DNSTAP__MESSAGE__TYPE__CLIENT_QUERY;
	message->has_socket_family = message->has_socket_protocol = true;
	message->socket_family = is_v4 ? DNSTAP__SOCKET_FAMILY__INET : DNSTAP__SOCKET_FAMILY__INET6;
	message->socket_protocol =
		record->tcp ? DNSTAP__SOCKET_PROTOCOL__TCP : DNSTAP__SOCKET_PROTOCOL__UDP;
	message->has_query_address = true;
	message->query_address = bytes_of(entry->client.bytes, is_v4 ? 4 : 16);
	message->has_query_port = entry->port > 0;
	message->query_port = entry->port;
	message->has_query_time_sec = message->has_query_time_nsec = true;
	message->query_time_sec = (uint64_t)entry->arrived.tv_sec;
	message->query_time_nsec = (uint32_t)entry->arrived.tv_nsec;
	message->has_query_message = true;
	message->query_message = bytes_of(query, write_query(record, query));
	if (record->length > 0)
		fill_response(message, entry);
}

size_t dnstap_write(const struct query_entry *entry, const char *json, size_t json_length,
		    const char *identity, uint8_t frame[DNSTAP_MAX])
{
	static const char version[] = "sluice " SLUICE_VERSION;
	Dnstap__Dnstap dnstap = DNSTAP__DNSTAP__INIT;
	Dnstap__Message message;
	Dnstap__Policy policy;
	uint8_t query[QUERY_MAX];
	char rule[DNSTAP_RULE_MAX];

	assert(json_length < QUERY_ENTRY_TEXT_MAX);
	if (identity) {
		dnstap.has_identity = true;
		dnstap.identity = bytes_of(identity, strnlen(identity, DNSTAP_IDENTITY_MAX));
	}
	dnstap.has_version = dnstap.has_extra = true;
	dnstap.version = bytes_of(version, sizeof version - 1);
	dnstap.extra = bytes_of(json, json_length);
	fill_message(&message, entry, query);
	fill_policy(&policy, entry->record, rule);
	message.policy = &policy;
	dnstap.message = &message;
	return dnstap__dnstap__pack(&dnstap, frame);
}
