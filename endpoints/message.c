/* Reading DNS messages, with every offset checked and nothing allocated.
 *
 *      0        12                             a request, as nearly all of them look:
 *      | header | qname 0 | type | class |     a question, and perhaps one OPT without options
 *               | 0 | 41 | payload | 0 version DO | 0 |
 *
 * That shape is recognised by its counts and its length; anything else is walked record by record.
 * A request that is wrong is still read as far as it goes, because the error is answered with its
 * question and, where it brought an OPT, with an OPT (RFC 6891 section 6.1.1).
 *
 * Not here: what the question means, TSIG and SIG(0) (they are walked over like any record), and
 * options other than NSID. */
#include "endpoints/message.h"

#include <string.h>

enum {
	OPT_FIXED = 11, /* bytes of an OPT without options */
	OPTION_NSID = 3,
	RECORD_FIXED = 10, /* bytes between owner and rdata */
	POINTER = 0xc0,
};

/* A pointer must lead to before the start of the run of labels that it ends, so a walk always goes
 * backward and comes to its end. */
size_t message_read_name(const uint8_t *packet, size_t length, size_t at,
			 uint8_t wire[NAME_WIRE_MAX], size_t *end)
{
	size_t written = 0, run = at;
	bool jumped = false;
	while (at < length) {
		size_t label = packet[at];
		if ((label & POINTER) == POINTER) {
			if (length - at < 2)
				return 0;
			size_t to = (label & 0x3f) << 8 | packet[at + 1];
			if (end && !jumped)
				*end = at + 2;
			if (to >= run)
				return 0;
			jumped = true;
			run = at = to;
			continue;
		}
		size_t bytes = label + 1;
		if (label > 63 || bytes > length - at || bytes > NAME_WIRE_MAX - written)
			return 0;
		if (wire)
			memcpy(wire + written, packet + at, bytes);
		written += bytes;
		at += bytes;
		if (label > 0)
			continue;
		if (end && !jumped)
			*end = at;
		return written;
	}
	return 0;
}

/* Whether rdata is what its layout says, to the last byte, with all names well formed. */
static bool rdata_valid(const uint8_t *packet, const struct record_view *record)
{
	const char *layout = record_layout(record->type);
	if (!layout)
		return true;
	size_t at = record->rdata, end = at + record->rdata_length;
	for (; *layout; layout++) {
		if (*layout == '*')
			return true;
		if (*layout == 'n') {
			if (message_read_name(packet, end, at, NULL, &at) == 0)
				return false;
			continue;
		}
		if (at >= end)
			return false;
		size_t bytes = *layout == 's' ? (size_t)packet[at] + 1 : (size_t)(*layout - '0');
		if (bytes > end - at)
			return false;
		at += bytes;
	}
	return at == end;
}

int message_read_record(const uint8_t *packet, size_t length, size_t *at,
			struct record_view *record)
{
	size_t fixed;
	if (message_read_name(packet, length, *at, NULL, &fixed) == 0)
		return ERR_INVALID;
	if (length - fixed < RECORD_FIXED)
		return ERR_INVALID;
	uint32_t ttl = message_u32(packet + fixed + 4);
	*record = (struct record_view){
		.owner = *at,
		.type = message_u16(packet + fixed),
		.class = message_u16(packet + fixed + 2),
		.ttl = ttl & 0x80000000 ? 0 : ttl,
		.ttl_at = fixed + 4,
		.rdata = fixed + RECORD_FIXED,
		.rdata_length = message_u16(packet + fixed + 8),
	};
	if (record->rdata_length > length - record->rdata)
		return ERR_INVALID;
	if (!rdata_valid(packet, record))
		return ERR_INVALID;
	*at = record->rdata + record->rdata_length;
	return 0;
}

/* ---- a client's question ---- */

struct reader {
	struct request *request;
	const uint8_t *packet;
	size_t length, at;
	uint16_t counts[SECTION_COUNT];
};

/* A pointer in a question could only lead into the header. The label run and its pointer take as
 * many bytes as the name itself only where there is no pointer: what one stands for takes one byte
 * or at least three, never two. */
static bool read_question(struct reader *reader, struct name *name, const struct hash_key *key)
{
	size_t end;
	if (name_from_wire(name, key, reader->packet, reader->length, MESSAGE_HEADER, &end) < 0)
		return false;
	if (end != MESSAGE_HEADER + (size_t)name->length || reader->length - end < 4)
		return false;
	reader->request->type = message_u16(reader->packet + end);
	reader->request->class = message_u16(reader->packet + end + 2);
	reader->at = end + 4;
	reader->request->question_length = (uint16_t)(reader->at - MESSAGE_HEADER);
	return true;
}

/* An OPT's fixed part (RFC 6891 section 6.1.2): its class is the payload, its TTL holds version and
 * flags. `fields` points to the type. */
static void read_opt_fields(struct request *request, const uint8_t *fields)
{
	uint16_t payload = message_u16(fields + 2);
	request->edns = true;
	request->payload = payload < MESSAGE_UDP_MIN ? MESSAGE_UDP_MIN : payload;
	request->edns_version = fields[5];
	request->dnssec_ok = fields[6] & 0x80;
}

static bool read_options(struct request *request, const uint8_t *options, size_t length)
{
	while (length > 0) {
		if (length < 4)
			return false;
		size_t bytes = 4 + (size_t)message_u16(options + 2);
		if (bytes > length)
			return false;
		if (message_u16(options) == OPTION_NSID)
			request->nsid = true;
		options += bytes;
		length -= bytes;
	}
	return true;
}

static bool read_opt(struct reader *reader, enum section section, const struct record_view *record)
{
	struct request *request = reader->request;
	if (section != SECTION_ADDITIONAL || request->edns || reader->packet[record->owner] != 0)
		return false;
	read_opt_fields(request, reader->packet + record->owner + 1);
	/* What another version's options look like is not ours to say. */
	if (request->edns_version > 0)
		return true;
	return read_options(request, reader->packet + record->rdata, record->rdata_length);
}

/* Walks everything behind the question; false when any of it is not as it must be. */
static bool read_records(struct reader *reader)
{
	bool fine = true;
	for (enum section section = SECTION_ANSWER; section < SECTION_COUNT; section++) {
		for (unsigned i = 0; i < reader->counts[section]; i++) {
			struct record_view record;
			if (message_read_record(reader->packet, reader->length, &reader->at,
						&record) < 0)
				return false;
			if (record.type == TYPE_OPT)
				fine = read_opt(reader, section, &record) && fine;
		}
	}
	return fine && reader->at == reader->length;
}

/* The usual request: nothing behind the question, or one OPT without options. True when it was
 * that; the OPT's version is not looked at. */
static bool read_plain_rest(struct reader *reader)
{
	const uint8_t *rest = reader->packet + reader->at;
	size_t left = reader->length - reader->at;
	if (reader->counts[SECTION_ANSWER] != 0 || reader->counts[SECTION_AUTHORITY] != 0)
		return false;
	if (reader->counts[SECTION_ADDITIONAL] == 0)
		return left == 0;
	if (reader->counts[SECTION_ADDITIONAL] != 1 || left != OPT_FIXED || rest[0] != 0)
		return false;
	if (message_u16(rest + 1) != TYPE_OPT || message_u16(rest + 9) != 0)
		return false;
	read_opt_fields(reader->request, rest + 1);
	return true;
}

static bool sections_allowed(const struct reader *reader)
{
	if (reader->counts[SECTION_ANSWER] != 0)
		return false;
	unsigned authority = reader->counts[SECTION_AUTHORITY];
	return authority == 0 || (authority == 1 && reader->request->type == TYPE_IXFR);
}

static enum request_state request_error(enum rcode *rcode, enum rcode is)
{
	*rcode = is;
	return REQUEST_ERROR;
}

enum request_state message_read_request(struct request *request, struct name *name,
					const struct hash_key *key, const uint8_t *packet,
					size_t length, enum rcode *rcode)
{
	*request = (struct request){.payload = MESSAGE_UDP_MIN};
	if (length < MESSAGE_HEADER || message_flags(packet) & FLAG_QR)
		return REQUEST_SILENT;
	request->id = message_u16(packet);
	request->flags = message_flags(packet);
	struct reader reader = {.request = request, .packet = packet, .length = length};
	for (unsigned i = 0; i < SECTION_COUNT; i++)
		reader.counts[i] = message_u16(packet + 6 + (size_t)2 * i);
	reader.at = MESSAGE_HEADER;

	unsigned questions = message_u16(packet + 4);
	bool fine = questions == 1 && read_question(&reader, name, key) &&
		    (read_plain_rest(&reader) || read_records(&reader));
	if (questions == 0)
		read_records(&reader); /* only for the OPT that the error answers */

	if ((request->flags & FLAG_OPCODE) >> 11 != OPCODE_QUERY)
		return request_error(rcode, RCODE_NOTIMP);
	if (!fine || !sections_allowed(&reader))
		return request_error(rcode, RCODE_FORMERR);
	if (request->edns_version > 0)
		return request_error(rcode, RCODE_BADVERS);
	return REQUEST_FINE;
}
