/* Writes DNS messages, front to back:
 *
 *     message_begin      | header | question |
 *     message_add_...                        | answer | authority | additional |
 *     message_finish     fills in the header                                   | OPT |
 *
 * An RRset or record that does not fit is left out as a whole and noted in `overflow`. Such a
 * reply, or one longer than transport and client allow, ends as header, question and OPT with TC
 * set: half an RRset is useless (RFC 2181 section 9), and the client asks again by TCP.
 *
 * Owners are compressed if the caller knows an offset to point to. Names inside rdata never are,
 * and compressed ones are written out (RFC 3597 section 4). */
#include "endpoints/message.h"

#include <assert.h>
#include <string.h>

enum {
	POINTER_REACH = 0x4000, /* pointers reach only lower offsets */
};

void message_begin(struct message *message, uint8_t *buffer, size_t capacity,
		   const uint8_t *question, uint16_t question_length)
{
	assert(capacity >= MESSAGE_HEADER + (size_t)question_length + MESSAGE_OPT);
	*message = (struct message){
		.wire = buffer,
		.length = MESSAGE_HEADER + (size_t)question_length,
		.capacity = capacity < MESSAGE_MAX ? capacity : MESSAGE_MAX,
		.question_length = question_length,
	};
	memset(buffer, 0, MESSAGE_HEADER);
	if (question_length > 0)
		memcpy(buffer + MESSAGE_HEADER, question, question_length);
}

struct message_mark message_mark(const struct message *message)
{
	struct message_mark mark = {.length = message->length, .overflow = message->overflow};

	memcpy(mark.counts, message->counts, sizeof mark.counts);
	return mark;
}

void message_rewind(struct message *message, const struct message_mark *mark)
{
	assert(mark->length <= message->length);
	message->length = mark->length;
	message->overflow = mark->overflow;
	memcpy(message->counts, mark->counts, sizeof message->counts);
}

/* ---- pieces: each returns false and writes nothing if it does not fit ---- */

static bool put_bytes(struct message *message, const void *bytes, size_t length)
{
	if (length > message->capacity - message->length)
		return false;
	if (length > 0)
		memcpy(message->wire + message->length, bytes, length);
	message->length += length;
	return true;
}

static bool put_owner(struct message *message, size_t owner_at, const uint8_t *owner)
{
	if (owner_at == 0)
		return put_bytes(message, owner, name_wire_length(owner));
	if (owner_at < POINTER_REACH) {
		uint8_t pointer[2];
		wire_put16(pointer, (uint16_t)(0xc000 | owner_at));
		return put_bytes(message, pointer, sizeof pointer);
	}
	uint8_t name[NAME_WIRE_MAX];
	size_t length =
		wire_read_name(message->wire, message->length, owner_at, WIRE_HEADER, name, NULL);
	assert(length > 0);
	return put_bytes(message, name, length);
}

static bool put_fixed(struct message *message, uint16_t type, uint16_t class, uint32_t ttl,
		      size_t rdata_length)
{
	uint8_t fixed[RECORD_FIXED];

	wire_put16(fixed, type);
	wire_put16(fixed + 2, class);
	wire_put32(fixed + 4, ttl);
	wire_put16(fixed + 8, (uint16_t)rdata_length);
	return put_bytes(message, fixed, sizeof fixed);
}

static size_t message_give_up(struct message *message, size_t length)
{
	message->length = length;
	message->overflow = true;
	return 0;
}

/* ---- records ---- */

/* Copies the whole set, and then changes owners and TTLs that differ from the stored ones. */
static size_t add_rrset_pointing(struct message *message, const struct rrset *rrset,
				 size_t owner_at, uint32_t ttl_max)
{
	size_t at = message->length;

	if (!put_bytes(message, rrset->wire, rrset->length))
		return message_give_up(message, at);
	size_t first = at + RECORD_HEADER;
	if (owner_at == MESSAGE_HEADER && rrset->ttl <= ttl_max)
		return first;
	for (unsigned i = 0; i < rrset->count; i++) {
		uint8_t *record = message->wire + at;
		wire_put16(record, (uint16_t)(0xc000 | owner_at));
		if (rrset->ttl > ttl_max)
			wire_put32(record + 6, ttl_max);
		at += RECORD_HEADER + (size_t)wire_u16(record + 10);
	}
	assert(at == message->length);
	return first;
}

/* Adds the records one by one: the first with its owner written out, the others with a pointer to
 * it, or also written out if a pointer does not reach it. */
static size_t add_rrset_spelled(struct message *message, const struct rrset *rrset, size_t owner_at,
				const uint8_t *owner, uint32_t ttl_max)
{
	size_t start = message->length, first = 0;
	const uint8_t *record = rrset->wire;

	for (unsigned i = 0; i < rrset->count; i++) {
		size_t here = message->length;
		size_t bytes = RECORD_HEADER - 2 + (size_t)wire_u16(record + 10);
		if (!put_owner(message, owner_at, owner))
			return message_give_up(message, start);
		size_t fixed = message->length;
		if (!put_bytes(message, record + 2, bytes))
			return message_give_up(message, start);
		if (rrset->ttl > ttl_max)
			wire_put32(message->wire + fixed + 4, ttl_max);
		if (i == 0) {
			first = fixed + RECORD_FIXED;
			owner_at = here;
		}
		record += 2 + bytes;
	}
	return first;
}

size_t message_add_rrset(struct message *message, enum section section, const struct rrset *rrset,
			 size_t owner_at, const uint8_t *owner, uint32_t ttl_max)
{
	assert(rrset->count > 0);
	bool pointing = owner_at > 0 && owner_at < POINTER_REACH;
	size_t rdata = pointing ? add_rrset_pointing(message, rrset, owner_at, ttl_max)
				: add_rrset_spelled(message, rrset, owner_at, owner, ttl_max);
	if (rdata > 0)
		message->counts[section] = (uint16_t)(message->counts[section] + rrset->count);
	return rdata;
}

/* Copies rdata element by element, with names written out. */
static bool put_rdata(struct message *message, const uint8_t *packet,
		      const struct record_view *record)
{
	const char *layout = record_layout(record->type);
	size_t at = record->rdata, end = at + record->rdata_length;

	for (; layout && *layout; layout++) {
		uint8_t name[NAME_WIRE_MAX];
		const uint8_t *from = packet + at;
		size_t start = at, bytes;
		if (*layout == 'n') {
			from = name;
			bytes = wire_read_name(packet, end, start, WIRE_HEADER, name, &at);
			if (bytes == 0)
				return false;
		} else {
			if (!record_skip_element(*layout, packet, &at, end, WIRE_HEADER, NULL))
				return false;
			bytes = at - start;
		}
		if (!put_bytes(message, from, bytes))
			return false;
	}
	return put_bytes(message, packet + at, end - at);
}

size_t message_copy_record(struct message *message, enum section section, const uint8_t *packet,
			   size_t length, const struct record_view *record, size_t owner_at,
			   const uint8_t *owner, uint32_t ttl)
{
	assert(record->rdata <= length && record->rdata_length <= length - record->rdata);
	size_t start = message->length;
	uint8_t own[NAME_WIRE_MAX];
	if (owner_at == 0 && !owner) {
		if (wire_read_name(packet, length, record->owner, WIRE_HEADER, own, NULL) == 0)
			return message_give_up(message, start);
		owner = own;
	}
	if (!put_owner(message, owner_at, owner) ||
	    !put_fixed(message, record->type, record->class, ttl, 0))
		return message_give_up(message, start);
	size_t rdata = message->length;
	if (!put_rdata(message, packet, record))
		return message_give_up(message, start);
	wire_put16(message->wire + rdata - 2, (uint16_t)(message->length - rdata));
	message->counts[section]++;
	return rdata;
}

size_t message_add_record(struct message *message, enum section section, uint16_t type,
			  uint16_t class, uint32_t ttl, size_t owner_at, const uint8_t *owner,
			  const uint8_t *rdata, size_t rdata_length)
{
	size_t start = message->length;

	if (rdata_length > UINT16_MAX || !put_owner(message, owner_at, owner) ||
	    !put_fixed(message, type, class, ttl, rdata_length) ||
	    !put_bytes(message, rdata, rdata_length))
		return message_give_up(message, start);
	message->counts[section]++;
	return message->length - rdata_length;
}

size_t message_add_below(struct message *message, enum section section, const uint8_t *lead,
			 size_t lead_length, size_t suffix_at, const uint8_t *rest,
			 size_t rest_length)
{
	assert(suffix_at > 0);
	size_t start = message->length;
	if (!put_bytes(message, lead, lead_length) || !put_owner(message, suffix_at, NULL) ||
	    !put_bytes(message, rest, rest_length))
		return message_give_up(message, start);
	message->counts[section]++;
	return message->length - rest_length + RECORD_FIXED;
}

/* ---- the end ---- */

/* Appends an option when it fits below `room`, and counts it into the OPT's rdata. */
static bool put_option(struct message *message, size_t room, size_t opt_at, uint16_t code,
		       const uint8_t *lead, size_t lead_length, const char *text,
		       size_t text_length)
{
	size_t bytes = lead_length + text_length;

	if (message->length + MESSAGE_OPTION + bytes > room)
		return false;
	uint8_t *option = message->wire + message->length;
	wire_put16(option, code);
	wire_put16(option + 2, (uint16_t)bytes);
	if (lead_length > 0)
		memcpy(option + MESSAGE_OPTION, lead, lead_length);
	if (text_length > 0)
		memcpy(option + MESSAGE_OPTION + lead_length, text, text_length);
	message->length += MESSAGE_OPTION + bytes;
	uint8_t *rdata_length = message->wire + opt_at + MESSAGE_OPT - 2;
	wire_put16(rdata_length, (uint16_t)(wire_u16(rdata_length) + MESSAGE_OPTION + bytes));
	return true;
}

/* Cuts the text at the start of a character, because it is UTF-8 (RFC 8914 section 2). */
static size_t ede_text_length(const char *text)
{
	size_t length = text ? strnlen(text, MESSAGE_EDE_TEXT_MAX + 1) : 0;

	if (length <= MESSAGE_EDE_TEXT_MAX)
		return length;
	length = MESSAGE_EDE_TEXT_MAX;
	while (length > 0 && ((unsigned char)text[length] & 0xc0) == 0x80)
		length--;
	return length;
}

/* Writes an OPT (RFC 6891 section 6.1): the upper bits of the rcode, version 0, the client's DO.
 * Then the options that fit: the cookie, EDE with or without its text, and NSID. */
static void put_opt(struct message *message, const struct request *request,
		    const struct message_end *end, size_t room)
{
	size_t at = message->length;
	uint32_t ttl = (uint32_t)end->rcode >> 4 << 24 | (request->dnssec_ok ? 0x8000 : 0);
	bool fits = put_bytes(message, "", 1) && put_fixed(message, TYPE_OPT, end->payload, ttl, 0);

	assert(fits);
	(void)fits;
	if (request->cookie_answered)
		put_option(message, room, at, OPTION_COOKIE, request->cookie, MESSAGE_COOKIE_REPLY,
			   NULL, 0);
	if (end->ede != EDE_NONE) {
		uint8_t code[2];
		wire_put16(code, (uint16_t)end->ede);
		if (!put_option(message, room, at, OPTION_EDE, code, 2, end->ede_text,
				ede_text_length(end->ede_text)))
			put_option(message, room, at, OPTION_EDE, code, 2, NULL, 0);
	}
	if (request->nsid && end->nsid)
		put_option(message, room, at, OPTION_NSID, NULL, 0, end->nsid,
			   strnlen(end->nsid, NAME_WIRE_MAX));
}

static uint16_t reply_flags(const struct request *request, const struct message_end *end,
			    bool truncated)
{
	unsigned rcode = (unsigned)end->rcode;

	if (rcode > FLAG_RCODE && !request->edns)
		rcode = RCODE_SERVFAIL; /* without an OPT there is no place for its upper bits */
	unsigned flags = FLAG_QR | (rcode & FLAG_RCODE) | (request->flags & FLAG_OPCODE);
	if ((flags & FLAG_OPCODE) >> 11 == OPCODE_QUERY) /* else the flags may mean other things */
		flags |= FLAG_RA | (request->flags & (FLAG_RD | FLAG_CD));
	flags |= end->authoritative ? FLAG_AA : 0;
	flags |= truncated ? FLAG_TC : 0;
	return (uint16_t)flags;
}

size_t message_opt_room(const struct request *request, bool tcp)
{
	size_t cookie =
		request->cookie_answered && !tcp ? MESSAGE_OPTION + MESSAGE_COOKIE_REPLY : 0;

	return request->edns ? MESSAGE_OPT + cookie : 0;
}

size_t message_finish(struct message *message, const struct request *request,
		      const struct message_end *end)
{
	size_t room = end->limit < message->capacity ? end->limit : message->capacity;
	bool shrink =
		message->overflow || message->length + message_opt_room(request, end->tcp) > room;

	if (shrink) {
		message->length = MESSAGE_HEADER + (size_t)message->question_length;
		memset(message->counts, 0, sizeof message->counts);
	}
	if (request->edns)
		put_opt(message, request, end, room);
	uint8_t *header = message->wire;
	wire_put16(header, request->id);
	wire_put16(header + 2, reply_flags(request, end, shrink || end->truncated));
	wire_put16(header + 4, message->question_length > 0);
	wire_put16(header + 6, message->counts[SECTION_ANSWER]);
	wire_put16(header + 8, message->counts[SECTION_AUTHORITY]);
	wire_put16(header + 10,
		   (uint16_t)(message->counts[SECTION_ADDITIONAL] + (request->edns ? 1 : 0)));
	return message->length;
}

size_t message_write_query(uint8_t buffer[MESSAGE_QUERY_MAX], uint16_t id, const uint8_t *qname,
			   size_t qname_length, uint16_t type, bool checking_disabled,
			   bool dnssec_ok, bool edns)
{
	assert(qname_length > 0 && qname_length <= NAME_WIRE_MAX);
	memset(buffer, 0, MESSAGE_HEADER);
	wire_put16(buffer, id);
	wire_put16(buffer + 2, (uint16_t)(FLAG_RD | (checking_disabled ? FLAG_CD : 0)));
	wire_put16(buffer + 4, 1);
	uint8_t *at = buffer + MESSAGE_HEADER;
	memcpy(at, qname, qname_length);
	at += qname_length;
	wire_put16(at, type);
	wire_put16(at + 2, CLASS_IN);
	at += 4;
	if (edns) {
		wire_put16(buffer + 10, 1);
		at[0] = 0;
		wire_put16(at + 1, TYPE_OPT);
		wire_put16(at + 3, MESSAGE_UPSTREAM_PAYLOAD);
		wire_put32(at + 5, dnssec_ok ? 0x8000 : 0);
		wire_put16(at + 9, 0);
		at += MESSAGE_OPT;
	}
	return (size_t)(at - buffer);
}
