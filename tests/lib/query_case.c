#include "tests/lib/query_case.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <arpa/inet.h>
#include <string.h>

static const uint8_t question[] = "\3WwW\7contoso\4corp\0\0\34\0\1"; /* AAAA IN */
static struct policy_network networks[] = {{.name = "hub"}};
static struct policy policy = {.networks = networks, .network_count = 1};
static const struct query_binding binding = {
	.endpoint = "hub-resolver/in", .policy = &policy, .network = 0};
static struct {
	_Alignas(struct query_record)
		uint8_t bytes[sizeof(struct query_record) + QUERY_RING_MESSAGE_MAX + 1024];
} memory;

static struct query_record *fill(size_t reply, const char *text)
{
	struct query_record *record = (struct query_record *)(void *)memory.bytes;
	size_t ahead = reply ? MESSAGE_HEADER : 0;

	memset(&memory, 0, sizeof memory);
	record->arrived_us = 5000000;
	record->binding = &binding;
	record->object = "contoso";
	record->decided = DECIDED_RULE;
	assert_int_equal(address_parse(&record->client, "10.10.1.207"), 0);
	record->port = htons(4711);
	record->source = RESPONSE_NONE;
	record->rcode = RCODE_SERVFAIL;
	record->ede = EDE_OTHER;
	record->length = (uint16_t)(reply ? reply : 77);
	record->question_length = sizeof question - 1;
	record->message_length = (uint16_t)reply;
	record->text_length = (uint16_t)strlen(text);
	memcpy(record->data + ahead, question, record->question_length);
	memcpy(record->data + (reply ? reply : record->question_length), text, strlen(text));
	return record;
}

struct query_record *query_case_record(const char *text)
{
	return fill(0, text);
}

struct query_record *query_case_record_with_reply(size_t length, const char *text)
{
	return fill(length, text);
}
