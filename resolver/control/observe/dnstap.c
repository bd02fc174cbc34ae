/* Protocol Buffers: a field is its number and wire type in one varint, then a varint, four bytes
 * (little endian), or a length and so many bytes. A message inside another is such bytes, so its
 * length comes ahead: it is written as three bytes and filled in, which a varint may be (with
 * leading zeros), and which is enough for two megabytes. */
#include "resolver/control/observe/dnstap.h"

#include <assert.h>
#include <string.h>

#include "endpoints/message.h"
#include "rules/rcode.h"
#include "rules/wire.h"

enum { VARINT = 0, BYTES = 2, FIXED32 = 5 }; /* wire types */

/* dnstap.proto, as far as it is used. */
enum {
	DNSTAP_IDENTITY = 1,
	DNSTAP_VERSION = 2,
	DNSTAP_EXTRA = 3,
	DNSTAP_MESSAGE = 14,
	DNSTAP_TYPE = 15
};
enum { TYPE_MESSAGE = 1 };
enum {
	MESSAGE_TYPE = 1,
	MESSAGE_SOCKET_FAMILY = 2,
	MESSAGE_SOCKET_PROTOCOL = 3,
	MESSAGE_QUERY_ADDRESS = 4,
	MESSAGE_QUERY_PORT = 6,
	MESSAGE_QUERY_TIME_SEC = 8,
	MESSAGE_QUERY_TIME_NSEC = 9,
	MESSAGE_QUERY_MESSAGE = 10,
	MESSAGE_RESPONSE_TIME_SEC = 12,
	MESSAGE_RESPONSE_TIME_NSEC = 13,
	MESSAGE_RESPONSE_MESSAGE = 14,
	MESSAGE_POLICY = 15,
};
enum { CLIENT_QUERY = 5, CLIENT_RESPONSE = 6 };
enum { INET = 1, INET6 = 2 };
enum { UDP = 1, TCP = 2 };
enum { POLICY_TYPE = 1, POLICY_RULE = 2, POLICY_ACTION = 3, POLICY_MATCH = 4 };
enum { ACTION_NXDOMAIN = 1, ACTION_PASS = 3, ACTION_DROP = 4, ACTION_LOCAL_DATA = 6 };
enum { MATCH_QNAME = 1, MATCH_CLIENT_IP = 2 };

struct frame {
	uint8_t *bytes;
	size_t length;
};

static void put_varint(struct frame *frame, uint64_t value)
{
	for (; value > 0x7f; value >>= 7)
		frame->bytes[frame->length++] = (uint8_t)(value | 0x80);
	frame->bytes[frame->length++] = (uint8_t)value;
}

static void put_number(struct frame *frame, unsigned field, uint64_t value)
{
	put_varint(frame, field << 3 | VARINT);
	put_varint(frame, value);
}

static void put_fixed(struct frame *frame, unsigned field, uint32_t value)
{
	put_varint(frame, field << 3 | FIXED32);
	for (unsigned i = 0; i < 4; i++)
		frame->bytes[frame->length++] = (uint8_t)(value >> (8 * i));
}

static void put_raw(struct frame *frame, const void *bytes, size_t length)
{
	memcpy(frame->bytes + frame->length, bytes, length);
	frame->length += length;
}

static void put_bytes(struct frame *frame, unsigned field, const void *bytes, size_t length)
{
	put_varint(frame, field << 3 | BYTES);
	put_varint(frame, length);
	put_raw(frame, bytes, length);
}

static void put_text(struct frame *frame, unsigned field, const char *text)
{
	if (text)
		put_bytes(frame, field, text, strlen(text));
}

/* Returns where its length goes. */
static size_t begin(struct frame *frame, unsigned field)
{
	put_varint(frame, field << 3 | BYTES);
	frame->length += 3;
	return frame->length - 3;
}

static void end(struct frame *frame, size_t at)
{
	size_t length = frame->length - at - 3;

	assert(length < 1 << 21);
	frame->bytes[at] = (uint8_t)(length | 0x80);
	frame->bytes[at + 1] = (uint8_t)(length >> 7 | 0x80);
	frame->bytes[at + 2] = (uint8_t)(length >> 14);
}

static void put_time(struct frame *frame, unsigned seconds, unsigned nanoseconds,
		     const struct timespec *time)
{
	put_number(frame, seconds, (uint64_t)time->tv_sec);
	put_fixed(frame, nanoseconds, (uint32_t)time->tv_nsec);
}

/* As it was asked, as far as that is known: header and question. */
static void put_query(struct frame *frame, const struct query_record *record)
{
	uint8_t query[MESSAGE_HEADER + MESSAGE_QUESTION_MAX] = {0};

	wire_put16(query, record->id);
	wire_put16(query + 2, record->flags);
	wire_put16(query + 4, record->question_length > 0);
	memcpy(query + MESSAGE_HEADER, query_record_question(record), record->question_length);
	put_bytes(frame, MESSAGE_QUERY_MESSAGE, query, MESSAGE_HEADER + record->question_length);
}

static unsigned action_of(const struct query_entry *entry)
{
	const struct query_record *record = entry->record;

	if (entry->source != QUERY_SOURCE_OWN)
		return record->turned_away && record->length == 0 ? ACTION_DROP : ACTION_PASS;
	return record->rcode == RCODE_NXDOMAIN ? ACTION_NXDOMAIN : ACTION_LOCAL_DATA;
}

/* "office/contoso" of a rule, a zone's or a network's name */
static void put_object(struct frame *frame, const struct query_record *record)
{
	const char *ruleset = record->rule ? record->rule->ruleset : "";
	size_t length = strlen(ruleset), slash = record->rule != NULL;

	put_varint(frame, POLICY_RULE << 3 | BYTES);
	put_varint(frame, length + slash + strlen(record->object));
	put_raw(frame, ruleset, length);
	put_raw(frame, "/", slash);
	put_raw(frame, record->object, strlen(record->object));
}

static void put_policy(struct frame *frame, const struct query_entry *entry)
{
	const struct query_record *record = entry->record;
	size_t at = begin(frame, MESSAGE_POLICY);

	put_text(frame, POLICY_TYPE,
		 record->turned_away ? "admission"
				     : decided_text((enum decided_by)record->decided));
	if (record->object)
		put_object(frame, record);
	put_number(frame, POLICY_ACTION, action_of(entry));
	put_number(frame, POLICY_MATCH, record->turned_away ? MATCH_CLIENT_IP : MATCH_QNAME);
	end(frame, at);
}

static void put_message(struct frame *frame, const struct query_entry *entry)
{
	const struct query_record *record = entry->record;
	size_t at = begin(frame, DNSTAP_MESSAGE);
	uint64_t left_ns = (uint64_t)entry->arrived.tv_nsec + entry->took_us * 1000;
	const struct timespec left = {entry->arrived.tv_sec + (time_t)(left_ns / 1000000000),
				      (long)(left_ns % 1000000000)};
	bool is_v4 = entry->client.family == 4;

	put_number(frame, MESSAGE_TYPE, record->length > 0 ? CLIENT_RESPONSE : CLIENT_QUERY);
	put_number(frame, MESSAGE_SOCKET_FAMILY, is_v4 ? INET : INET6);
	put_number(frame, MESSAGE_SOCKET_PROTOCOL, record->tcp ? TCP : UDP);
	put_bytes(frame, MESSAGE_QUERY_ADDRESS, entry->client.bytes, is_v4 ? 4 : 16);
	if (entry->port)
		put_number(frame, MESSAGE_QUERY_PORT, entry->port);
	put_time(frame, MESSAGE_QUERY_TIME_SEC, MESSAGE_QUERY_TIME_NSEC, &entry->arrived);
	put_query(frame, record);
	if (record->length > 0)
		put_time(frame, MESSAGE_RESPONSE_TIME_SEC, MESSAGE_RESPONSE_TIME_NSEC, &left);
	if (record->message_length > 0)
		put_bytes(frame, MESSAGE_RESPONSE_MESSAGE, query_record_message(record),
			  record->message_length);
	put_policy(frame, entry);
	end(frame, at);
}

size_t dnstap_write(const struct query_entry *entry, const char *json, size_t json_length,
		    const char *identity, uint8_t bytes[DNSTAP_MAX])
{
	struct frame frame = {.bytes = bytes};

	put_text(&frame, DNSTAP_IDENTITY, identity);
	put_text(&frame, DNSTAP_VERSION, "sluice " SLUICE_VERSION);
	put_bytes(&frame, DNSTAP_EXTRA, json, json_length);
	put_message(&frame, entry);
	put_number(&frame, DNSTAP_TYPE, TYPE_MESSAGE);
	return frame.length;
}
