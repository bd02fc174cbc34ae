/* A transfer is a sequence of parts, each of which gives sets until it has no more:
 *
 *     whole      SOA │ all other sets of the apex's zone │ PTRs of a reverse zone │ SOA
 *     changes    SOA │ for each version: old SOA, removed, next SOA, new records │ SOA
 *     current    SOA
 *
 * Between two records a part keeps its position: in a zone, in a delta, or an address. Sets are
 * sent one record at a time, because a set may be larger than a message. */
#include "resolver/transfer/stream.h"

#include <assert.h>
#include <string.h>

#include "rules/wire.h"
#include "rules/zone/serial.h"

struct stream_part {
	/* The next set with its owner; false: the part's end. next NULL: the end of the
	 * sequence. */
	bool (*next)(struct transfer_stream *stream, const struct rrset **set);
	bool once; /* the part has one set */
};

/* ---- parts ---- */

static bool next_soa(struct transfer_stream *stream, const struct rrset **set)
{
	stream->owner = stream->zone->name.wire;
	*set = zone_soa(stream->zone->zone);
	return true;
}

static bool next_other(struct transfer_stream *stream, const struct rrset **set)
{
	while (zone_next(stream->zone->zone, &stream->sets, &stream->owner, set))
		if ((*set)->type != TYPE_SOA)
			return true;
	return false;
}

static bool next_ptr(struct transfer_stream *stream, const struct rrset **set)
{
	struct address address;

	*set = owned_cursor_ptr(&stream->ptrs, stream->table->policy->owned, &address);
	if (*set) {
		transfer_zone_owner(stream->zone, &address, stream->spelled);
		stream->owner = stream->spelled;
	}
	return *set;
}

/* ---- versions, one after the other ---- */

/* Gives a single record of a delta. */
static void give_copy(struct transfer_stream *stream, const struct transfer_delta *delta,
		      size_t *at, const struct rrset **set)
{
	transfer_delta_read(delta, at, &stream->owner, &stream->at);
	stream->left = 1;
	*set = NULL;
}

/* The SOA before new records: that of the version after the delta. */
static bool next_version_soa(struct transfer_stream *stream, const struct rrset **set)
{
	const struct transfer_zone *zone = stream->zone;
	size_t at = 0;

	if (stream->version + 1 == zone->past_count)
		return next_soa(stream, set);
	give_copy(stream, zone->past[stream->version + 1], &at, set);
	return true;
}

/* The position in the delta says what comes next: the old SOA, removed records, the next SOA or new
 * records. */
static bool next_version(struct transfer_stream *stream, const struct rrset **set)
{
	while (stream->version < stream->zone->past_count) {
		const struct transfer_delta *delta = stream->zone->past[stream->version];

		if (stream->delta_at == delta->fresh && !stream->soa_given) {
			stream->soa_given = true;
			return next_version_soa(stream, set);
		}
		if (stream->delta_at < delta->end) {
			give_copy(stream, delta, &stream->delta_at, set);
			return true;
		}
		stream->version++;
		stream->delta_at = 0;
		stream->soa_given = false;
	}
	return false;
}

static const struct stream_part whole_reverse[] = {
	{next_soa, true}, {next_other, false}, {next_ptr, false}, {next_soa, true}, {NULL, false}};
static const struct stream_part whole_private[] = {
	{next_soa, true}, {next_other, false}, {next_soa, true}, {NULL, false}};
static const struct stream_part changes[] = {
	{next_soa, true}, {next_version, false}, {next_soa, true}, {NULL, false}};
static const struct stream_part current[] = {{next_soa, true}, {NULL, false}};

/* ---- the sequence ---- */

enum stream_kind transfer_stream_kind(const struct transfer_zone *zone, uint32_t serial,
				      size_t *version)
{
	size_t at = zone->past_count, bytes = 0;

	*version = 0;
	if (serial == zone->serial || serial_is_newer(serial, zone->serial))
		return STREAM_CURRENT;
	while (at > 0 && zone->past[at - 1]->serial != serial)
		bytes += transfer_delta_bytes(zone->past[--at]);
	if (at == 0)
		return STREAM_WHOLE;
	*version = at - 1;
	bytes += transfer_delta_bytes(zone->past[at - 1]);
	return bytes > STREAM_SMALL && bytes > zone->content.bytes ? STREAM_WHOLE : STREAM_CHANGES;
}

void transfer_stream_begin(struct transfer_stream *stream, const struct transfer_table *table,
			   const struct transfer_zone *zone, enum stream_kind kind, size_t version)
{
	*stream = (struct transfer_stream){.table = table, .zone = zone, .version = version};
	switch (kind) {
	case STREAM_WHOLE: stream->parts = zone->reverse ? whole_reverse : whole_private; break;
	case STREAM_CHANGES: stream->parts = changes; break;
	case STREAM_CURRENT: stream->parts = current; break;
	}
	if (zone->reverse)
		owned_cursor_begin(&stream->ptrs, &zone->prefix);
}

/* Moves to the next set, of this part or a later one. */
static bool next_set(struct transfer_stream *stream)
{
	const struct stream_part *part;
	const struct rrset *set;

	while ((part = &stream->parts[stream->step])->next) {
		bool more = part->next(stream, &set);

		if (!more || part->once)
			stream->step++;
		if (!more)
			continue;
		if (set) {
			stream->at = set->wire;
			stream->left = set->count;
		}
		return true;
	}
	return false;
}

bool transfer_stream_next(struct transfer_stream *stream, struct stream_record *record)
{
	if (stream->left == 0 && !next_set(stream))
		return false;
	const uint8_t *rest = stream->at + 2; /* after the pointer at the start of every record */
	size_t length = RECORD_FIXED + (size_t)wire_u16(rest + RECORD_FIXED - 2);

	*record = (struct stream_record){stream->owner, rest, length};
	stream->at = rest + length;
	stream->left--;
	return true;
}

/* ---- messages ---- */

static size_t room_of(const struct tsig_context *tsig)
{
	return tsig ? tsig_room(tsig) : 0;
}

struct message_end transfer_message_end(const struct query *query, const struct policy_hold *hold,
					const struct tsig_context *tsig)
{
	return (struct message_end){
		.rcode = RCODE_NOERROR,
		.ede = EDE_NONE,
		.payload = (uint16_t)hold->policy->udp_payload_max,
		.tcp = query->tcp,
		.limit = query->limit - room_of(tsig),
	};
}

void transfer_writer_init(struct transfer_writer *writer, const struct query *query,
			  const struct policy_hold *hold, const struct tsig_context *tsig,
			  const struct transfer_zone *zone)
{
	memset(writer, 0, sizeof *writer);
	writer->query = query;
	writer->hold = hold;
	writer->zone = zone;
	writer->is_signed = tsig;
	if (tsig)
		writer->tsig = *tsig;
}

void transfer_writer_begin(struct transfer_writer *writer, enum stream_kind kind, size_t version)
{
	writer->kind = kind;
	writer->records = 0;
	transfer_stream_begin(&writer->stream, writer->hold->transfers, writer->zone, kind,
			      version);
	writer->has_record = transfer_stream_next(&writer->stream, &writer->record);
}

/* Adds the records that fit below `limit`, at least one. */
static void fill(struct transfer_writer *writer, struct message *message, size_t limit)
{
	size_t apex_length = writer->zone->name.length;

	while (writer->has_record) {
		const struct stream_record *record = &writer->record;
		size_t lead = name_wire_length(record->owner) - apex_length;
		bool first = message->counts[SECTION_ANSWER] == 0;

		if (!first && message->length + lead + 2 + record->rest_length > limit)
			return;
		if (message_add_below(message, SECTION_ANSWER, record->owner, lead, MESSAGE_HEADER,
				      record->rest, record->rest_length) == 0)
			return;
		writer->records++;
		writer->has_record = transfer_stream_next(&writer->stream, &writer->record);
	}
}

size_t transfer_writer_next(struct transfer_writer *writer, uint8_t *buffer, size_t limit,
			    uint64_t time_s)
{
	const struct query *query = writer->query;
	const struct tsig_context *tsig = writer->is_signed ? &writer->tsig : NULL;
	struct message_end end = transfer_message_end(query, writer->hold, tsig);
	size_t rest = message_opt_room(&query->request, query->tcp) + room_of(tsig);
	struct message message;

	end.authoritative = true;
	message_begin(&message, buffer, MESSAGE_MAX - rest, query->question,
		      query->request.question_length);
	fill(writer, &message, limit - rest);
	if (message.counts[SECTION_ANSWER] == 0)
		return 0;
	message.capacity = MESSAGE_MAX;
	message.overflow = false; /* the record that did not fit goes into the next message */
	size_t length = message_finish(&message, &query->request, &end);
	if (tsig)
		length = tsig_sign(&writer->tsig, buffer, length, query->limit, time_s);
	writer->messages++;
	writer->bytes += length;
	return length;
}
