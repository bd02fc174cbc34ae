/* Reads an UPDATE in two passes: the first walks over everything and finds the OPT and the TSIG, so
 * that both are known even if a record is wrong; the second checks and copies each record.
 *
 * In an UPDATE a record of any type may have no rdata (classes ANY and NONE). So the walk checks
 * only owners and bounds, and rdata is checked where there must be some.
 *
 * Not here: checking a TSIG (resolver/transfer/tsig.h), and options of an OPT, which the worker has
 * read before (endpoints/message.h). */
#include "resolver/update/message.h"

#include <string.h>

#include "rules/wire.h"
#include "rules/zone/record.h"

/* An UPDATE's own sections, which have other names in a query. */
#define PREREQUISITES SECTION_ANSWER
#define UPDATES       SECTION_AUTHORITY

struct reader {
	struct update *update;
	struct arena *arena;
	const struct hash_key *key;
	const uint8_t *packet;
	size_t length;
	struct message_walk walk;
	uint16_t counts[SECTION_COUNT];
};

/* ---- the first pass ---- */

static int read_record(struct message_walk *walk, struct record_view *record)
{
	walk->jumps += MESSAGE_JUMPS_RECORD;
	if (wire_skip_name(walk->packet, walk->length, walk->at, WIRE_HEADER, NULL, &walk->jumps) ==
	    0)
		return ERR_INVALID;
	return message_reread_record(walk, record);
}

static bool read_additional(struct reader *reader, bool last, const struct record_view *record)
{
	struct request *request = &reader->update->request;
	const uint8_t *owner = reader->packet + record->owner;

	if (record->type == TYPE_TSIG) {
		if (!last || record->class != CLASS_ANY)
			return false;
		request->tsig_at = (uint16_t)record->owner;
	} else if (record->type == TYPE_OPT) {
		if (request->edns || *owner != 0)
			return false;
		message_read_opt_fields(request, owner + 1);
	}
	return true;
}

/* Stops at the first malformed record, because later ones cannot be found. */
static bool walk_all(struct reader *reader)
{
	struct record_view record;
	bool fine = true;

	for (enum section section = PREREQUISITES; section < SECTION_COUNT; section++) {
		for (unsigned i = 0; i < reader->counts[section]; i++) {
			if (read_record(&reader->walk, &record) < 0)
				return false;
			if (section == SECTION_ADDITIONAL)
				fine = read_additional(reader, i + 1U == reader->counts[section],
						       &record) &&
				       fine;
		}
	}
	return fine && reader->walk.at == reader->length;
}

/* ---- the second pass ---- */

/* A record's class says whether it must be without rdata (RFC 2136 sections 3.2.5 and 3.4.1.3).
 * take_rdata checks whether rdata fits the type. Only an added record may have a TTL. */
static bool record_is_well_formed(const struct reader *reader, enum section section,
				  const struct record_view *record)
{
	bool is_update = section == UPDATES;
	bool has_ttl = wire_u32(reader->packet + record->ttl_at) != 0;
	bool names_all = record->type == TYPE_ANY;

	switch (record->class) {
	case CLASS_IN: return (is_update || !has_ttl) && record_type_is_data(record->type);
	case CLASS_ANY:
		return !has_ttl && record->rdata_length == 0 &&
		       (names_all || record_type_is_data(record->type));
	case CLASS_NONE:
		if (is_update)
			return !has_ttl && record_type_is_data(record->type);
		return !has_ttl && record->rdata_length == 0 &&
		       (names_all || record_type_is_data(record->type));
	default: return false;
	}
}

/* The length of the rdata with uncompressed names. The rdata must fit its type. */
static size_t spelled_length(const struct reader *reader, const struct record_view *record)
{
	size_t at = record->rdata, end = at + record->rdata_length, length = 0;
	const char *layout = record_has_names(record->type) ? record_layout(record->type) : "";

	for (; *layout != '\0'; layout++) {
		size_t from = at;

		if (!record_skip_element(*layout, reader->packet, &at, end, WIRE_HEADER, NULL))
			break;
		length += *layout == 'n' ? wire_skip_name(reader->packet, end, from, WIRE_HEADER,
							  NULL, NULL)
					 : at - from;
	}
	return length + (end - at);
}

static size_t copy_name(const struct reader *reader, size_t at, size_t end, uint8_t *to)
{
	uint8_t name[NAME_WIRE_MAX];
	size_t length = wire_read_name(reader->packet, end, at, WIRE_HEADER, name, NULL);

	for (size_t i = 0; i < length; i++) /* length bytes are below 'A' */
		to[i] = name_lower(name[i]);
	return length;
}

static void copy_rdata(const struct reader *reader, const struct record_view *record, uint8_t *to)
{
	size_t at = record->rdata, end = at + record->rdata_length;
	const char *layout = record_has_names(record->type) ? record_layout(record->type) : "";

	for (; *layout != '\0'; layout++) {
		size_t from = at;

		if (!record_skip_element(*layout, reader->packet, &at, end, WIRE_HEADER, NULL))
			break;
		if (*layout == 'n') {
			to += copy_name(reader, from, end, to);
		} else {
			memcpy(to, reader->packet + from, at - from);
			to += at - from;
		}
	}
	memcpy(to, reader->packet + at, end - at);
}

static enum rcode take_rdata(struct reader *reader, const struct record_view *record,
			     struct update_record *taken)
{
	size_t end = record->rdata + record->rdata_length;
	uint8_t *bytes;

	if (!record_rdata_fits(record->type, reader->packet, record->rdata, end, WIRE_HEADER,
			       &reader->walk.jumps))
		return RCODE_FORMERR;
	taken->data.length = spelled_length(reader, record);
	bytes = arena_alloc_bytes(reader->arena, taken->data.length);
	if (!bytes)
		return RCODE_SERVFAIL;
	copy_rdata(reader, record, bytes);
	taken->data.bytes = bytes;
	return RCODE_NOERROR;
}

static enum rcode take_record(struct reader *reader, enum section section,
			      struct update_record *taken)
{
	struct record_view record;

	if (read_record(&reader->walk, &record) < 0 ||
	    name_from_wire(&taken->owner, reader->key, reader->packet, reader->length, record.owner,
			   NULL) < 0 ||
	    !record_is_well_formed(reader, section, &record))
		return RCODE_FORMERR;
	taken->type = record.type;
	taken->class = record.class;
	reader->update->outside |= !name_is_under(&taken->owner, &reader->update->zone);
	if (record.class == CLASS_IN || (record.class == CLASS_NONE && section == UPDATES))
		return take_rdata(reader, &record, taken);
	return RCODE_NOERROR;
}

static enum rcode take_section(struct reader *reader, enum section section,
			       struct update_record **records, size_t *count)
{
	enum rcode rcode = RCODE_NOERROR;
	size_t all = reader->counts[section];

	*records = arena_alloc_array(reader->arena, all, sizeof **records);
	if (!*records)
		return RCODE_SERVFAIL;
	for (*count = 0; *count < all && rcode == RCODE_NOERROR; ++*count)
		rcode = take_record(reader, section, &(*records)[*count]);
	return rcode;
}

static enum rcode take_all(struct reader *reader)
{
	struct update *update = reader->update;
	enum rcode rcode = take_section(reader, PREREQUISITES, &update->prerequisites,
					&update->prerequisite_count);

	return rcode != RCODE_NOERROR
		       ? rcode
		       : take_section(reader, UPDATES, &update->updates, &update->update_count);
}

/* ---- the whole ---- */

static enum rcode read_all(struct reader *reader)
{
	const struct request *request = &reader->update->request;
	size_t records = (size_t)reader->counts[PREREQUISITES] + reader->counts[UPDATES];
	size_t start = MESSAGE_HEADER + (size_t)request->question_length;

	if (request->question_length == 0) /* not exactly one zone, or an unreadable one */
		return RCODE_FORMERR;
	reader->walk = message_walk_from(reader->packet, reader->length, start);
	if (!walk_all(reader) || request->type != TYPE_SOA)
		return RCODE_FORMERR;
	if (request->edns_version > 0)
		return RCODE_BADVERS;
	if (request->class != CLASS_IN)
		return RCODE_NOTAUTH;
	if (reader->length > UPDATE_BYTES_MAX || records > UPDATE_RECORDS_MAX)
		return RCODE_REFUSED;
	reader->walk = message_walk_from(reader->packet, reader->length, start);
	return take_all(reader);
}

enum request_state update_read(struct update *update, struct arena *arena,
			       const struct hash_key *key, const uint8_t *packet, size_t length,
			       enum rcode *rcode)
{
	struct reader reader = {update, arena, key, packet, length, {0}, {0}};

	update->prerequisites = update->updates = NULL;
	update->prerequisite_count = update->update_count = 0;
	update->outside = false;
	if (!message_read_question(&update->request, &update->zone, key, packet, length))
		return REQUEST_SILENT;
	/* An OPT right after the question was read already, and is read again. */
	update->request.edns = false;
	for (unsigned i = 0; i < SECTION_COUNT; i++)
		reader.counts[i] = wire_u16(packet + 6 + (size_t)2 * i);
	*rcode = read_all(&reader);
	return *rcode == RCODE_NOERROR ? REQUEST_FINE : REQUEST_ERROR;
}

size_t update_respond(uint8_t response[UPDATE_RESPONSE_MAX], const struct request *request,
		      const uint8_t *packet, enum rcode rcode, uint16_t payload)
{
	const struct message_end end = {
		.rcode = rcode, .ede = EDE_NONE, .payload = payload, .limit = UPDATE_RESPONSE_MAX};
	struct message message;

	message_begin(&message, response, UPDATE_RESPONSE_MAX, packet + MESSAGE_HEADER,
		      request->question_length);
	return message_finish(&message, request, &end);
}
