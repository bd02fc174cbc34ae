/* Reads DNS messages. Checks every offset and allocates nothing.
 *
 *      0        12                             nearly every request:
 *      | header | qname 0 | type | class |     a question, and perhaps one OPT without options
 *               | 0 | 41 | payload | 0 version DO | 0 |
 *
 * This shape is recognised by its counts and its length; any other is walked record by record. A
 * wrong request is still read as far as possible, because the error is answered with its question,
 * and with an OPT if it had one (RFC 6891 section 6.1.1).
 *
 * Not here: the meaning of a question or an update, checking a TSIG, SIG(0) (skipped like any
 * record), and options other than NSID and cookies. */
#include "endpoints/message.h"

/* Reads a record's fixed fields, which begin at `fixed`; false: they or the rdata are not within
 * the message. */
static bool read_fields(const struct message_walk *walk, size_t fixed, struct record_view *record)
{
	const uint8_t *packet = walk->packet;

	if (fixed > walk->length || walk->length - fixed < RECORD_FIXED)
		return false;
	uint32_t ttl = wire_u32(packet + fixed + 4);
	*record = (struct record_view){
		.owner = walk->at,
		.type = wire_u16(packet + fixed),
		.class = wire_u16(packet + fixed + 2),
		.ttl = ttl & 0x80000000 ? 0 : ttl,
		.ttl_at = fixed + 4,
		.rdata = fixed + RECORD_FIXED,
		.rdata_length = wire_u16(packet + fixed + 8),
	};
	return record->rdata_length <= walk->length - record->rdata;
}

/* Reads a record up to its rdata. */
static inline bool read_head(struct message_walk *walk, struct record_view *record)
{
	size_t fixed;

	walk->jumps += MESSAGE_JUMPS_RECORD;
	return wire_skip_name(walk->packet, walk->length, walk->at, WIRE_HEADER, &fixed,
			      &walk->jumps) != 0 &&
	       read_fields(walk, fixed, record);
}

int message_read_record(struct message_walk *walk, struct record_view *record)
{
	if (!read_head(walk, record))
		return ERR_INVALID;
	size_t end = record->rdata + record->rdata_length;
	if (!record_rdata_fits(record->type, walk->packet, record->rdata, end, WIRE_HEADER,
			       &walk->jumps))
		return ERR_INVALID;
	walk->at = end;
	return 0;
}

int message_reread_record(struct message_walk *walk, struct record_view *record)
{
	const uint8_t *packet = walk->packet;
	size_t at = walk->at;

	while (at < walk->length && packet[at] != 0 && packet[at] <= WIRE_LABEL_MAX)
		at += 1 + (size_t)packet[at];
	if (at >= walk->length || !read_fields(walk, at + (packet[at] == 0 ? 1 : 2), record))
		return ERR_INVALID;
	walk->at = record->rdata + record->rdata_length;
	return 0;
}

/* ---- the letters of our question ---- */

static bool has_capitals(const uint8_t *label)
{
	for (unsigned i = 1; i <= label[0]; i++)
		if (name_lower(label[i]) != label[i])
			return true;
	return false;
}

/* The slot that has the label or is free for it. There are more slots than a name has labels. */
static uint8_t *slot_of(struct message_letters *letters, const uint8_t *label)
{
	uint32_t hash = 0;

	for (unsigned i = 0; i <= label[0]; i++)
		hash = (hash ^ label[i]) * 0x01000193;
	uint8_t slot = (uint8_t)(hash >> 24);
	for (;; slot++) {
		size_t at = letters->slots[slot];
		const uint8_t *there = letters->name + (at > 0 ? at - 1 : 0);

		if (at == 0 ||
		    (there[0] == label[0] && memcmp(there, label, 1 + (size_t)label[0]) == 0))
			return &letters->slots[slot];
	}
}

static void index_labels(struct message_letters *letters)
{
	const uint8_t *name = letters->name;

	memset(letters->slots, 0, sizeof letters->slots);
	for (size_t at = 0; name[at] != 0; at += 1 + (size_t)name[at])
		if (has_capitals(name + at))
			*slot_of(letters, name + at) = (uint8_t)(at + 1);
	letters->indexed = true;
}

/* Stops at a pointer: its destination is an earlier name or the question. */
static void lower_name(struct message_letters *letters, uint8_t *name)
{
	for (; name[0] != 0 && name[0] < 64; name += 1 + (size_t)name[0]) {
		if (!has_capitals(name))
			continue;
		if (!letters->indexed)
			index_labels(letters);
		if (*slot_of(letters, name) == 0)
			continue;
		for (unsigned i = 1; i <= name[0]; i++)
			name[i] = name_lower(name[i]);
	}
}

void message_lower_letters(struct message_letters *letters, uint8_t *packet,
			   const struct record_view *record)
{
	const char *layout = "2114442n";
	size_t at = record->rdata, end = record->rdata + record->rdata_length;

	lower_name(letters, packet + record->owner);
	if (record->type != TYPE_RRSIG) {
		if (!record_has_names(record->type))
			return;
		layout = record_layout(record->type);
	}
	for (; *layout != '\0'; layout++) {
		size_t from = at;

		if (!record_skip_element(*layout, packet, &at, end, WIRE_HEADER, NULL))
			return;
		if (*layout == 'n')
			lower_name(letters, packet + from);
	}
}

/* ---- a client's question ---- */

struct request_reader {
	struct request *request;
	const struct name *name; /* the qname, once it is read */
	const uint8_t *packet;
	size_t length, at;
	unsigned questions;
	uint16_t counts[SECTION_COUNT];
};

/* The qname has no pointer, because there is no name before it to point to. */
static bool read_question(struct request_reader *reader, struct name *name,
			  const struct hash_key *key)
{
	size_t end;

	if (name_from_wire(name, key, reader->packet, reader->length, MESSAGE_HEADER, &end) < 0)
		return false;
	if (reader->length - end < 4)
		return false;
	reader->request->type = wire_u16(reader->packet + end);
	reader->request->class = wire_u16(reader->packet + end + 2);
	reader->at = end + 4;
	reader->request->question_length = (uint16_t)(reader->at - MESSAGE_HEADER);
	return true;
}

void message_read_opt_fields(struct request *request, const uint8_t *fields)
{
	uint16_t payload = wire_u16(fields + 2);

	request->edns = true;
	request->payload = payload < MESSAGE_UDP_MIN ? MESSAGE_UDP_MIN : payload;
	request->edns_version = fields[5];
	request->dnssec_ok = fields[6] & 0x80;
}

/* The first cookie counts (RFC 7873 section 5.2). */
static bool read_cookie(struct request *request, const uint8_t *cookie, size_t length)
{
	if (request->cookie_length > 0)
		return true;
	if (length != MESSAGE_COOKIE_CLIENT &&
	    (length < MESSAGE_COOKIE_CLIENT + MESSAGE_COOKIE_SERVER_MIN ||
	     length > MESSAGE_COOKIE_MAX))
		return false;
	request->cookie_length = (uint8_t)length;
	memcpy(request->cookie, cookie,
	       length < MESSAGE_COOKIE_REPLY ? length : MESSAGE_COOKIE_REPLY);
	return true;
}

static bool read_options(struct request *request, const uint8_t *options, size_t length)
{
	while (length > 0) {
		if (length < 4)
			return false;
		size_t bytes = 4 + (size_t)wire_u16(options + 2);
		if (bytes > length)
			return false;
		if (wire_u16(options) == OPTION_NSID)
			request->nsid = true;
		else if (wire_u16(options) == OPTION_COOKIE &&
			 !read_cookie(request, options + 4, bytes - 4))
			return false;
		options += bytes;
		length -= bytes;
	}
	return true;
}

static bool read_opt(struct request_reader *reader, enum section section,
		     const struct record_view *record)
{
	struct request *request = reader->request;

	if (section != SECTION_ADDITIONAL || request->edns || reader->packet[record->owner] != 0)
		return false;
	message_read_opt_fields(request, reader->packet + record->owner + 1);
	/* The format of another version's options is unknown. */
	if (request->edns_version > 0)
		return true;
	return read_options(request, reader->packet + record->rdata, record->rdata_length);
}

/* A TSIG must be the last record, so there is at most one (RFC 8945 section 5.1). */
static bool read_tsig(struct request_reader *reader, enum section section, bool last,
		      const struct record_view *record)
{
	if (section != SECTION_ADDITIONAL || !last || record->class != CLASS_ANY)
		return false;
	reader->request->tsig_at = (uint16_t)record->owner;
	return true;
}

/* Reads the serial of the client's copy of the zone (RFC 1995 section 3); false: the SOA belongs to
 * another zone. The record must be well formed. */
static bool read_serial(struct request_reader *reader, const struct record_view *record)
{
	enum { NUMBERS = 20 }; /* bytes at the end of the rdata, the serial first */
	struct request *request = reader->request;
	uint8_t owner[NAME_WIRE_MAX];

	if (record->class != request->class ||
	    wire_read_name(reader->packet, reader->length, record->owner, WIRE_HEADER, owner,
			   NULL) == 0 ||
	    !name_wire_equal(owner, reader->name->wire))
		return false;
	request->has_serial = true;
	request->serial = wire_u32(reader->packet + record->rdata + record->rdata_length - NUMBERS);
	return true;
}

/* Reads records that have a meaning in a request; false: one is wrong. */
static bool read_special(struct request_reader *reader, enum section section, bool last,
			 const struct record_view *record)
{
	if (record->type == TYPE_OPT)
		return read_opt(reader, section, record);
	if (record->type == TYPE_TSIG)
		return read_tsig(reader, section, last, record);
	if (record->type == TYPE_SOA && section == SECTION_AUTHORITY &&
	    reader->request->type == TYPE_IXFR)
		return read_serial(reader, record);
	return true;
}

/* Whether an OPT's fixed part follows right after the question. */
static bool is_opt_next(const struct request_reader *reader)
{
	const uint8_t *rest = reader->packet + reader->at;

	return reader->counts[SECTION_ANSWER] == 0 && reader->counts[SECTION_AUTHORITY] == 0 &&
	       reader->counts[SECTION_ADDITIONAL] > 0 &&
	       reader->length - reader->at >= MESSAGE_OPT && rest[0] == 0 &&
	       wire_u16(rest + 1) == TYPE_OPT;
}

/* Walks everything after the question; false: something is wrong. */
static bool read_records(struct request_reader *reader)
{
	struct message_walk walk = message_walk_from(reader->packet, reader->length, reader->at);
	bool fine = true;

	for (enum section section = SECTION_ANSWER; section < SECTION_COUNT; section++) {
		for (unsigned i = 0; i < reader->counts[section]; i++) {
			struct record_view record;
			if (message_read_record(&walk, &record) < 0)
				return false;
			bool last = i + 1U == reader->counts[section];
			fine = read_special(reader, section, last, &record) && fine;
		}
	}
	return fine && walk.at == walk.length;
}

/* Reads the usual request: nothing after the question, or one OPT without options. False: it is
 * another one. Does not check the OPT's version. */
static bool read_plain_rest(struct request_reader *reader)
{
	const uint8_t *rest = reader->packet + reader->at;
	size_t left = reader->length - reader->at;

	if (reader->counts[SECTION_ANSWER] != 0 || reader->counts[SECTION_AUTHORITY] != 0)
		return false;
	if (reader->counts[SECTION_ADDITIONAL] == 0)
		return left == 0;
	if (reader->counts[SECTION_ADDITIONAL] != 1 || left != MESSAGE_OPT ||
	    !is_opt_next(reader) || wire_u16(rest + 9) != 0)
		return false;
	message_read_opt_fields(reader->request, rest + 1);
	return true;
}

/* Walks everything after the question of a request that is no QUERY. An update's question is its
 * zone section. False: a record leaves the packet, bytes follow the last record, or an OPT or TSIG
 * is wrong. Skips rdata, because an update's prerequisites and deletions have none of their type
 * (RFC 2136 sections 2.4 and 2.5). */
static bool read_update(struct request_reader *reader)
{
	struct message_walk walk = message_walk_from(reader->packet, reader->length, reader->at);
	bool fine = true;

	for (enum section section = SECTION_ANSWER; section < SECTION_COUNT; section++) {
		for (unsigned i = 0; i < reader->counts[section]; i++) {
			struct record_view record;
			bool last = i + 1U == reader->counts[section];

			if (!read_head(&walk, &record))
				return false;
			walk.at = record.rdata + record.rdata_length;
			if (record.type == TYPE_OPT)
				fine = read_opt(reader, section, &record) && fine;
			else if (record.type == TYPE_TSIG)
				fine = read_tsig(reader, section, last, &record) && fine;
		}
	}
	return fine && walk.at == walk.length;
}

static bool sections_allowed(const struct request_reader *reader)
{
	if (reader->counts[SECTION_ANSWER] != 0)
		return false;
	unsigned authority = reader->counts[SECTION_AUTHORITY];
	return authority == 0 || (authority == 1 && reader->request->has_serial);
}

static enum request_state request_error(enum rcode *rcode, enum rcode is)
{
	*rcode = is;
	return REQUEST_ERROR;
}

/* Reads header and question. False: do not answer. */
static bool reader_begin(struct request_reader *reader, struct request *request, struct name *name,
			 const struct hash_key *key, const uint8_t *packet, size_t length)
{
	memset(request, 0, offsetof(struct request, cookie));
	request->payload = MESSAGE_UDP_MIN;
	if (length < MESSAGE_HEADER || message_flags(packet) & FLAG_QR)
		return false;
	request->id = wire_u16(packet);
	request->flags = message_flags(packet);
	*reader = (struct request_reader){.request = request,
					  .name = name,
					  .packet = packet,
					  .length = length,
					  .at = MESSAGE_HEADER,
					  .questions = wire_u16(packet + 4)};
	for (unsigned i = 0; i < SECTION_COUNT; i++)
		reader->counts[i] = wire_u16(packet + 6 + (size_t)2 * i);
	if (reader->questions == 1)
		(void)read_question(reader, name, key);
	return true;
}

bool message_read_question(struct request *request, struct name *name, const struct hash_key *key,
			   const uint8_t *packet, size_t length)
{
	struct request_reader reader;

	if (!reader_begin(&reader, request, name, key, packet, length))
		return false;
	if (request->question_length > 0 && is_opt_next(&reader))
		message_read_opt_fields(request, packet + reader.at + 1);
	return true;
}

/* Reads a request that is no QUERY. */
static __attribute__((noinline)) enum request_state read_other(struct request_reader *reader,
							       enum rcode *rcode)
{
	const struct request *request = reader->request;
	bool fine = (request->question_length > 0 || reader->questions == 0) && read_update(reader);

	if (!request_is_update(request))
		return request_error(rcode, RCODE_NOTIMP);
	if (!fine || request->question_length == 0)
		return request_error(rcode, RCODE_FORMERR);
	if (request->edns_version > 0)
		return request_error(rcode, RCODE_BADVERS);
	return REQUEST_UPDATE;
}

enum request_state message_read_request(struct request *request, struct name *name,
					const struct hash_key *key, const uint8_t *packet,
					size_t length, enum rcode *rcode)
{
	struct request_reader reader;

	if (!reader_begin(&reader, request, name, key, packet, length))
		return REQUEST_SILENT;
	if ((request->flags & FLAG_OPCODE) >> 11 != OPCODE_QUERY)
		return read_other(&reader, rcode);
	bool fine =
		request->question_length > 0 && (read_plain_rest(&reader) || read_records(&reader));
	bool wants_cookie =
		reader.questions == 0 && read_records(&reader) && request->cookie_length > 0;

	if (wants_cookie && request->edns_version == 0 && sections_allowed(&reader))
		return request_error(rcode, RCODE_NOERROR);
	if (!fine || !sections_allowed(&reader))
		return request_error(rcode, RCODE_FORMERR);
	if (request->edns_version > 0)
		return request_error(rcode, RCODE_BADVERS);
	return REQUEST_FINE;
}
