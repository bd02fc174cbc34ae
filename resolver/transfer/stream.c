/* A transfer is a row of parts, each of which gives sets until it has no more:
 *
 *     whole      SOA │ all other sets of the apex's zone │ PTRs of a reverse zone │ SOA
 *     changes    SOA │ for each version passed through: old SOA, gone, next SOA, new │ SOA
 *     current    SOA
 *
 * Each rests where it is between two records: a place in a zone or in a delta, or an address. Sets
 * are taken apart into records, because a set may be larger than the message it is put into. */
#include "resolver/transfer/stream.h"

#include <assert.h>
#include <string.h>

#include "rules/wire.h"
#include "rules/zone/serial.h"

struct stream_part {
	/* The next set with its owner; false when there is none, and the part is over. NULL: the
	 * row's end. */
	bool (*next)(struct transfer_stream *stream, const struct rrset **set);
	bool once; /* it has one set */
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
		transfer_zone_spell(stream->zone, &address, stream->spelled);
		stream->owner = stream->spelled;
	}
	return *set;
}

/* ---- versions, one after the other ---- */

/* A record that is no set in memory. */
static void give_copy(struct transfer_stream *stream, const struct transfer_delta *delta,
		      size_t *at, const struct rrset **set)
{
	transfer_delta_read(delta, at, &stream->owner, &stream->at);
	stream->left = 1;
	*set = NULL;
}

/* The SOA that stands ahead of what is new: that of the version it leads to. */
static bool next_version_soa(struct transfer_stream *stream, const struct rrset **set)
{
	const struct transfer_zone *zone = stream->zone;
	size_t at = 0;

	if (stream->version + 1 == zone->past_count)
		return next_soa(stream, set);
	give_copy(stream, zone->past[stream->version + 1], &at, set);
	return true;
}

/* Where it is in the copies says which of the four it is at: the old SOA, what is gone, the next
 * SOA, what is new. */
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

/* ---- the row ---- */

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

/* Goes to the next set, of this part or those behind it. */
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
	const uint8_t *rest = stream->at + 2; /* behind the pointer that every record begins with */
	size_t length = RECORD_FIXED + (size_t)wire_u16(rest + RECORD_FIXED - 2);

	*record = (struct stream_record){stream->owner, rest, length};
	stream->at = rest + length;
	stream->left--;
	return true;
}
