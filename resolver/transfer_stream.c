/* A transfer is a row of parts, each of which gives sets until it has no more:
 *
 *     whole, reverse    SOA │ rest of the apex │ PTRs           │ SOA
 *     whole, private    SOA │ all other sets                    │ SOA
 *     changes           SOA │ old SOA │ gone   │ SOA │ new      │ SOA
 *                   of a private zone the four in the middle for each version passed through
 *     current           SOA
 *
 * Each rests where it is between two records: a place in a zone, or an address. Sets are taken
 * apart into records, because a set may be larger than the message it is put into. */
#include "resolver/transfer_stream.h"

#include <assert.h>
#include <string.h>

#include "rules/reverse.h"
#include "rules/serial.h"
#include "rules/wire.h"

struct stream_part {
	/* The next set with its owner; false when there is none, and the part is over. NULL: the
	 * row's end. */
	bool (*next)(struct transfer_stream *stream, const struct rrset **set);
	bool once; /* it has one set */
};

enum { SOA_NUMBERS = 20 };

static const uint8_t *apex_of(const struct transfer_stream *stream)
{
	return stream->zone->name.wire;
}

/* ---- parts ---- */

static bool next_soa(struct transfer_stream *stream, const struct rrset **set)
{
	stream->owner = apex_of(stream);
	*set = zone_soa(stream->zone->zone);
	return true;
}

/* The SOA as it is now with the serial that it had: what else it says was the same, or the past
 * would have been let go. A set of its own, in place of one in memory. */
static bool next_old_soa(struct transfer_stream *stream, const struct rrset **set)
{
	const struct rrset *soa = zone_soa(stream->zone->zone);
	uint8_t *copy = stream->soa;

	assert(soa->length <= sizeof stream->soa);
	memcpy(copy, soa->wire, soa->length);
	wire_put32(copy + soa->length - SOA_NUMBERS, stream->past->serial);
	stream->owner = apex_of(stream);
	stream->at = copy;
	stream->left = 1;
	*set = NULL;
	return true;
}

static bool next_other(struct transfer_stream *stream, const struct rrset **set)
{
	while (zone_next(stream->zone->zone, &stream->sets, &stream->owner, set))
		if ((*set)->type != TYPE_SOA)
			return true;
	return false;
}

static void spell(struct transfer_stream *stream, const struct address *address)
{
	static const struct hash_key any;
	char text[NAME_TEXT_MAX];
	struct name name;
	int err = name_from_text(&name, &any, reverse_text(address, text));
	/* Of a classless zone the octet alone, and the apex behind it. */
	size_t own = stream->zone->classless ? 1U + name.wire[0] : name.length;

	assert(err == 0);
	(void)err;
	memcpy(stream->spelled, name.wire, own);
	if (stream->zone->classless)
		memcpy(stream->spelled + own, apex_of(stream), stream->zone->name.length);
	stream->owner = stream->spelled;
}

static bool next_ptr(struct transfer_stream *stream, const struct rrset **set)
{
	struct address address;

	*set = owned_cursor_ptr(&stream->ptrs, stream->table->policy->owned, &address);
	if (*set)
		spell(stream, &address);
	return *set;
}

static bool next_change(struct transfer_stream *stream, const struct rrset **set, bool gone)
{
	struct address address;
	const struct rrset *was, *is;

	while (owned_cursor_change(&stream->ptrs, stream->past->owned, stream->table->policy->owned,
				   &address, &was, &is)) {
		*set = gone ? was : is;
		if (!*set)
			continue;
		spell(stream, &address);
		return true;
	}
	return false;
}

static bool next_gone(struct transfer_stream *stream, const struct rrset **set)
{
	return next_change(stream, set, true);
}

static bool next_new(struct transfer_stream *stream, const struct rrset **set)
{
	return next_change(stream, set, false);
}

/* ---- a private zone's versions, one after the other ---- */

static void give_copy(struct transfer_stream *stream, size_t *at, const struct rrset **set)
{
	transfer_delta_read(stream->past->delta, at, &stream->owner, &stream->at);
	stream->left = 1;
	*set = NULL;
}

/* The SOA that stands ahead of what is new: the next version's. */
static bool next_version_soa(struct transfer_stream *stream, const struct rrset **set)
{
	const struct transfer_past *last = &stream->zone->past[stream->zone->past_count - 1];
	const struct transfer_past *here = stream->past;
	size_t at = 0;

	if (here == last)
		return next_soa(stream, set);
	stream->past = here + 1;
	give_copy(stream, &at, set);
	stream->past = here;
	return true;
}

/* Where it is in the copies says which of the four it is at: the old SOA, what is gone, the next
 * SOA, what is new. */
static bool next_version(struct transfer_stream *stream, const struct rrset **set)
{
	const struct transfer_past *end = stream->zone->past + stream->zone->past_count;

	while (stream->past < end) {
		const struct transfer_delta *delta = stream->past->delta;

		if (stream->delta_at == delta->fresh && !stream->soa_given) {
			stream->soa_given = true;
			return next_version_soa(stream, set);
		}
		if (stream->delta_at < delta->end) {
			give_copy(stream, &stream->delta_at, set);
			return true;
		}
		stream->past++;
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
	{next_soa, true},  {next_old_soa, true}, {next_gone, false}, {next_soa, true},
	{next_new, false}, {next_soa, true},     {NULL, false}};
static const struct stream_part versions[] = {
	{next_soa, true}, {next_version, false}, {next_soa, true}, {NULL, false}};
static const struct stream_part current[] = {{next_soa, true}, {NULL, false}};

/* ---- the row ---- */

enum stream_kind transfer_stream_kind(const struct transfer_zone *zone, uint32_t serial,
				      const struct transfer_past **past)
{
	*past = NULL;
	if (serial == zone->serial || serial_is_newer(serial, zone->serial))
		return STREAM_CURRENT;
	for (size_t i = 0; i < zone->past_count; i++)
		if (zone->past[i].serial == serial)
			*past = &zone->past[i];
	return *past ? STREAM_CHANGES : STREAM_WHOLE;
}

static void begin_part(struct transfer_stream *stream)
{
	stream->sets = (struct zone_cursor){0};
	if (stream->zone->reverse)
		owned_cursor_begin(&stream->ptrs, &stream->zone->prefix);
}

void transfer_stream_begin(struct transfer_stream *stream, const struct transfer_table *table,
			   const struct transfer_zone *zone, enum stream_kind kind,
			   const struct transfer_past *past)
{
	*stream = (struct transfer_stream){.table = table, .zone = zone, .past = past};
	switch (kind) {
	case STREAM_WHOLE: stream->parts = zone->reverse ? whole_reverse : whole_private; break;
	case STREAM_CHANGES: stream->parts = zone->reverse ? changes : versions; break;
	case STREAM_CURRENT: stream->parts = current; break;
	}
	begin_part(stream);
}

/* Goes to the next set, of this part or those behind it. */
static bool next_set(struct transfer_stream *stream)
{
	const struct stream_part *part;
	const struct rrset *set;

	while ((part = &stream->parts[stream->step])->next) {
		bool more = part->next(stream, &set);

		if (!more || part->once) {
			stream->step++;
			begin_part(stream);
		}
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
