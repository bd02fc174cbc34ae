/* A record in words, for people and programs. The JSON line is written by hand, because every query
 * has one, always with the same members. */
#include "resolver/control/observe/query_log/query_entry.h"

#include <arpa/inet.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "rules/rcode.h"
#include "rules/text.h"
#include "rules/wire.h"
#include "rules/zone/record.h"

enum { QUESTION_FIXED = 4 /* bytes of a question after its name */ };

/* ---- from the record ---- */

static struct timespec time_of_day(uint64_t monotonic_us, int64_t clock_ns)
{
	int64_t ns = (int64_t)monotonic_us * 1000 + clock_ns;

	return (struct timespec){.tv_sec = ns / 1000000000, .tv_nsec = ns % 1000000000};
}

static const char *network_of(const struct query_record *record)
{
	const struct policy *policy = record->binding->policy;

	return record->network < policy->network_count ? policy->networks[record->network].name
						       : NULL;
}

void query_entry_init(struct query_entry *entry, struct query_record *record, uint64_t left_us,
		      int64_t clock_ns)
{
	const uint8_t *question = query_record_question(record);
	size_t length = record->question_length;

	entry->record = record;
	entry->arrived = time_of_day(record->arrived_us, clock_ns);
	entry->took_us = left_us > record->arrived_us ? left_us - record->arrived_us : 0;
	entry->client = record->client;
	entry->port = record->tcp ? 0 : ntohs(record->port);
	entry->network = network_of(record);
	entry->rcode = record->length > 0 ? record->rcode : -1;
	entry->name_length = 0;
	entry->type = entry->class = 0;
	if (length <= QUESTION_FIXED)
		return;
	entry->name_length = (uint8_t)(length - QUESTION_FIXED);
	memcpy(entry->name, question, entry->name_length);
	entry->type = wire_u16(question + entry->name_length);
	entry->class = wire_u16(question + entry->name_length + 2);
}

static void blank_cookies(uint8_t *options, size_t length)
{
	for (size_t at = 0; length - at >= MESSAGE_OPTION;) {
		size_t bytes = wire_u16(options + at + 2);

		at += MESSAGE_OPTION;
		if (bytes > length - at)
			return;
		if (wire_u16(options + at - MESSAGE_OPTION) == OPTION_COOKIE)
			memset(options + at, 0, bytes);
		at += bytes;
	}
}

/* Blanks the cookies in the record's reply. The server wrote the reply, and repeats no other
 * options of a client in it. */
static void hide_cookies(struct query_record *record)
{
	struct message_walk walk =
		message_walk_from(record->data, record->message_length,
				  MESSAGE_HEADER + (size_t)record->question_length);
	struct record_view view;

	while (walk.at < walk.length && message_reread_record(&walk, &view) == 0)
		if (view.type == TYPE_OPT)
			blank_cookies(record->data + view.rdata, view.rdata_length);
}

void query_entry_hide_client(struct query_entry *entry)
{
	bool is_v4 = entry->client.family == 4;

	entry->client =
		address_mask(&entry->client, is_v4 ? QUERY_PRIVATE_BITS_V4 : QUERY_PRIVATE_BITS_V6);
	entry->port = 0;
	hide_cookies(entry->record);
}

/* ---- as JSON ---- */

struct json_line {
	char *text;
	size_t length;
};

static inline void add(struct json_line *line, const char *text, size_t length)
{
	if (length >= QUERY_ENTRY_TEXT_MAX - line->length)
		length = QUERY_ENTRY_TEXT_MAX - line->length - 1;
	memcpy(line->text + line->length, text, length);
	line->length += length;
}

#define ADD(line, literal) add(line, literal, sizeof(literal) - 1)

static bool is_plain(char c)
{
	return c >= ' ' && c < 0x7f && c != '"' && c != '\\';
}

/* Escapes the character at `text` (RFC 8259 section 7); returns its length. Bytes that are not
 * UTF-8, and invisible characters, are written by number. */
static size_t add_escaped(struct json_line *line, const char *text)
{
	char escaped[TEXT_SHOWN_MAX];
	size_t length = text_show_json(text, escaped);

	add(line, escaped, strlen(escaped));
	return length;
}

static void add_string(struct json_line *line, const char *text)
{
	if (!text) {
		ADD(line, "null");
		return;
	}
	ADD(line, "\"");
	while (*text) {
		size_t plain = 0;

		while (is_plain(text[plain]))
			plain++;
		add(line, text, plain);
		text += plain;
		if (*text)
			text += add_escaped(line, text);
	}
	ADD(line, "\"");
}

/* A word of our own: nothing in it needs escaping. */
static void add_word(struct json_line *line, const char *word)
{
	if (!word) {
		ADD(line, "null");
		return;
	}
	ADD(line, "\"");
	add(line, word, strlen(word));
	ADD(line, "\"");
}

/* Writes at least `least` digits, with leading zeros. */
static void add_digits(struct json_line *line, uint64_t number, size_t least)
{
	char digits[24], *end = digits + sizeof digits, *at = end;

	do
		*--at = (char)('0' + number % 10);
	while (number /= 10, number > 0 || (size_t)(end - at) < least);
	add(line, at, (size_t)(end - at));
}

#define ADD_STRING(line, key, text)   (ADD(line, ",\"" key "\":"), add_string(line, text))
#define ADD_WORD(line, key, word)     (ADD(line, ",\"" key "\":"), add_word(line, word))
#define ADD_NUMBER(line, key, number) (ADD(line, ",\"" key "\":"), add_digits(line, number, 1))
#define ADD_NULL(line, key)           ADD(line, ",\"" key "\":null")

/* Calls gmtime_r and strftime only once a second. */
static void add_time(struct json_line *line, const struct timespec *time)
{
	static _Thread_local time_t second = -1;
	static _Thread_local char text[32];
	struct tm tm;

	if (time->tv_sec != second) {
		second = time->tv_sec;
		gmtime_r(&second, &tm);
		strftime(text, sizeof text, "%Y-%m-%dT%H:%M:%S.", &tm);
	}
	ADD(line, "{\"time\":\"");
	add(line, text, strlen(text));
	add_digits(line, (uint64_t)time->tv_nsec / 1000, 6);
	ADD(line, "Z\"");
}

static void add_asker(struct json_line *line, const struct query_entry *entry)
{
	char text[ADDRESS_TEXT_MAX];
	const uint8_t *bytes = entry->client.bytes;

	ADD(line, ",\"client\":");
	if (entry->client.family == 4) { /* most clients, and inet_ntop is slow */
		for (unsigned i = 0; i < 4; i++) {
			add(line, i ? "." : "\"", 1);
			add_digits(line, bytes[i], 1);
		}
		ADD(line, "\"");
	} else {
		add_word(line, address_print(&entry->client, text));
	}
	if (entry->port)
		ADD_NUMBER(line, "port", entry->port);
	else
		ADD_NULL(line, "port");
}

static const char *class_word(uint16_t class, char text[16])
{
	if (class == CLASS_IN || class == CLASS_CH)
		return class == CLASS_IN ? "IN" : "CH";
	snprintf(text, 16, "CLASS%u", class); /* RFC 3597 section 5 */
	return text;
}

static void add_question(struct json_line *line, const struct query_entry *entry)
{
	char name[NAME_TEXT_MAX], type[16], class[16];

	if (entry->name_length == 0) {
		ADD_NULL(line, "name");
		ADD_NULL(line, "type");
		ADD_NULL(line, "class");
		return;
	}
	ADD_STRING(line, "name", name_wire_to_text(entry->name, name));
	ADD_WORD(line, "type", record_type_print(entry->type, type, sizeof type));
	ADD_WORD(line, "class", class_word(entry->class, class));
}

/* The text that explains an error; "": none. */
static const char *explanation(const struct query_record *record,
			       char text[MESSAGE_EDE_TEXT_MAX + 1])
{
	memcpy(text, query_record_text(record), record->text_length);
	text[record->text_length] = '\0';
	return text;
}

static void add_error(struct json_line *line, const struct query_record *record)
{
	char text[MESSAGE_EDE_TEXT_MAX + 1];

	if (record->ede == EDE_NONE)
		ADD_NULL(line, "ede");
	else
		ADD_NUMBER(line, "ede", (uint64_t)record->ede);
	ADD_STRING(line, "text", record->text_length ? explanation(record, text) : NULL);
}

const char *query_record_decider(const struct query_record *record)
{
	return record->turned_away ? "admission" : decided_word((enum decided_by)record->decided);
}

static void add_decision(struct json_line *line, const struct query_entry *entry)
{
	const struct query_record *record = entry->record;

	ADD_WORD(line, "decided_by", query_record_decider(record));
	ADD_STRING(line, "object", record->object);
	ADD_STRING(line, "ruleset", record->rule ? record->rule->ruleset : NULL);
	ADD_WORD(line, "answered_from", response_source_text(record->source));
}

static void add_upstream(struct json_line *line, const struct upstream *upstream)
{
	char host[HOST_TEXT_MAX];

	if (!upstream) {
		ADD_NULL(line, "target");
		ADD_NULL(line, "protocol");
		ADD_NULL(line, "outbound_endpoint");
		return;
	}
	ADD_WORD(line, "target", host_print(&upstream->host, host));
	ADD_WORD(line, "protocol", upstream->protocol == PROTOCOL_TCP ? "tcp" : "udp");
	ADD_STRING(line, "outbound_endpoint", upstream->endpoint);
}

size_t query_entry_print(const struct query_entry *entry, char text[QUERY_ENTRY_TEXT_MAX])
{
	const struct query_record *record = entry->record;
	struct json_line line = {.text = text};
	char rcode[RCODE_TEXT_MAX];

	add_time(&line, &entry->arrived);
	add_asker(&line, entry);
	ADD_STRING(&line, "network", entry->network);
	ADD_STRING(&line, "endpoint", record->binding->endpoint);
	ADD_WORD(&line, "transport", record->tcp ? "tcp" : "udp");
	add_question(&line, entry);
	ADD_WORD(&line, "rcode",
		 entry->rcode < 0 ? NULL : rcode_print((unsigned)entry->rcode, rcode));
	add_error(&line, record);
	add_decision(&line, entry);
	add_upstream(&line, record->upstream);
	ADD_NUMBER(&line, "hops", record->hops);
	ADD_NUMBER(&line, "bytes", record->length);
	ADD_NUMBER(&line, "microseconds", entry->took_us);
	ADD(&line, "}");
	line.text[line.length] = '\0';
	return line.length;
}

const char *query_entry_tell(const struct query_entry *entry, char *text, size_t size)
{
	const struct query_record *record = entry->record;
	char name[NAME_TEXT_MAX] = "?", type[16], address[ADDRESS_TEXT_MAX], rcode[RCODE_TEXT_MAX];
	char host[HOST_TEXT_MAX], error[MESSAGE_EDE_TEXT_MAX + 1];

	if (entry->name_length > 0)
		name_wire_to_text(entry->name, name);
	snprintf(text, size,
		 "%s %s from %s took %" PRIu64 ".%03" PRIu64 " s: %s, %s%s%s%s%s%s%s%s%s", name,
		 record_type_print(entry->type, type, sizeof type),
		 address_print(&entry->client, address), entry->took_us / 1000000,
		 entry->took_us / 1000 % 1000,
		 entry->rcode < 0 ? "no answer" : rcode_print((unsigned)entry->rcode, rcode),
		 record->turned_away ? "turned away"
				     : decided_text((enum decided_by)record->decided),
		 record->object ? " " : "", record->rule ? record->rule->ruleset : "",
		 record->rule ? "/" : "", record->object ? record->object : "",
		 record->upstream ? ", target " : "",
		 record->upstream ? host_print(&record->upstream->host, host) : "",
		 record->text_length ? "; " : "",
		 record->text_length ? explanation(record, error) : "");
	return text;
}
