/* Two walks over the differences: one for removed records, one for new ones. Of a set in both
 * versions only records that the other version lacks are copied. */
#include "resolver/transfer/delta.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "resolver/transfer/zone.h"
#include "rules/name.h"
#include "rules/wire.h"
#include "rules/zone/serial.h"

struct delta_writer {
	struct transfer_delta *delta;
	size_t room, bytes_max;
	bool fresh; /* writes new records; false: removed ones */
};

size_t transfer_delta_bytes(const struct transfer_delta *delta)
{
	return sizeof *delta + sizeof delta + delta->end;
}

static size_t record_bytes(const uint8_t *record)
{
	return RECORD_HEADER + (size_t)wire_u16(record + RECORD_HEADER - 2);
}

static int make_room(struct delta_writer *writer, size_t bytes)
{
	struct transfer_delta *delta = writer->delta;
	size_t room = 2 * writer->room + bytes;

	if (transfer_delta_bytes(delta) + bytes > writer->bytes_max)
		return ERR_NO_SPACE;
	if (writer->room - delta->end >= bytes)
		return 0;
	uint8_t *larger = realloc(delta->bytes, room);
	if (!larger)
		return ERR_NOMEM;
	delta->bytes = larger;
	writer->room = room;
	return 0;
}

static int put_record(struct delta_writer *writer, const uint8_t *owner, const uint8_t *record)
{
	struct transfer_delta *delta = writer->delta;
	size_t name = name_wire_length(owner), bytes = record_bytes(record);
	int err = make_room(writer, name + bytes);

	if (err)
		return err;
	assert(delta->bytes);
	memcpy(delta->bytes + delta->end, owner, name);
	memcpy(delta->bytes + delta->end + name, record, bytes);
	delta->end += name + bytes;
	return 0;
}

/* ---- zones ---- */

static bool has_record(const struct rrset *set, const uint8_t *record)
{
	const uint8_t *at = set ? set->wire : NULL;
	size_t bytes = record_bytes(record);

	for (unsigned i = 0; set && i < set->count; i++, at += record_bytes(at))
		if (record_bytes(at) == bytes && memcmp(at, record, bytes) == 0)
			return true;
	return false;
}

static int put_missing(void *context, const uint8_t *owner, const struct rrset *was,
		       const struct rrset *is)
{
	struct delta_writer *writer = context;
	const struct rrset *set = writer->fresh ? is : was, *other = writer->fresh ? was : is;
	const uint8_t *record = set ? set->wire : NULL;
	int err = 0;

	if (!set || set->type == TYPE_SOA)
		return 0;
	for (unsigned i = 0; !err && i < set->count; i++, record += record_bytes(record))
		if (!has_record(other, record))
			err = put_record(writer, owner, record);
	return err;
}

static int write_zones(struct delta_writer *writer, const struct zone *before,
		       const struct zone *after)
{
	int err = zone_walk_changes(before, after, put_missing, writer);

	writer->delta->fresh = writer->delta->end;
	writer->fresh = true;
	return err ? err : zone_walk_changes(before, after, put_missing, writer);
}

/* ---- PTRs of our addresses ---- */

/* Writes the PTRs of `having` that `other` lacks, or has with another target or TTL. */
static int write_ptrs(struct delta_writer *writer, const struct transfer_zone *zone,
		      const struct owned *having, const struct owned *other)
{
	uint8_t owner[TRANSFER_OWNER_MAX];
	struct owned_cursor cursor;
	struct address address;
	const struct rrset *set, *instead;
	int err = 0;

	owned_cursor_begin(&cursor, &zone->prefix);
	while (!err && owned_cursor_change(&cursor, having, other, &address, &set, &instead)) {
		if (!set)
			continue;
		transfer_zone_owner(zone, &address, owner);
		assert(set->count == 1);
		err = put_record(writer, owner, set->wire);
	}
	return err;
}

/* ---- the interface ---- */

/* Begins with the old SOA. */
static struct transfer_delta *begin(struct delta_writer *writer, const struct zone *before)
{
	struct transfer_delta *delta = calloc(1, sizeof *delta);

	if (!delta)
		return NULL;
	delta->references = 1;
	delta->serial = zone_serial(before);
	writer->delta = delta;
	if (put_record(writer, zone_apex(before)->wire, zone_soa(before)->wire) == 0)
		return delta;
	transfer_delta_unref(delta);
	return NULL;
}

/* Gives back unused memory. */
static struct transfer_delta *end(struct transfer_delta *delta, int err)
{
	uint8_t *exact = err ? NULL : realloc(delta->bytes, delta->end);

	if (exact) {
		delta->bytes = exact;
		return delta;
	}
	transfer_delta_unref(delta);
	return NULL;
}

struct transfer_delta *transfer_delta_of_zones(const struct zone *before, const struct zone *after,
					       size_t bytes_max)
{
	struct delta_writer writer = {.bytes_max = bytes_max};
	struct transfer_delta *delta = begin(&writer, before);

	return delta ? end(delta, write_zones(&writer, before, after)) : NULL;
}

struct transfer_delta *transfer_delta_of_ptrs(const struct transfer_zone *zone,
					      const struct owned *before, const struct owned *after,
					      size_t bytes_max)
{
	struct delta_writer writer = {.bytes_max = bytes_max};
	struct transfer_delta *delta = begin(&writer, zone->zone);

	if (!delta)
		return NULL;
	int err = write_ptrs(&writer, zone, before, after);
	delta->fresh = delta->end;
	if (!err)
		err = write_ptrs(&writer, zone, after, before);
	return end(delta, err);
}

struct transfer_delta *transfer_delta_ref(struct transfer_delta *delta)
{
	delta->references++;
	return delta;
}

void transfer_delta_unref(struct transfer_delta *delta)
{
	if (!delta || --delta->references > 0)
		return;
	free(delta->bytes);
	free(delta);
}

void transfer_delta_read(const struct transfer_delta *delta, size_t *at, const uint8_t **owner,
			 const uint8_t **record)
{
	assert(*at < delta->end);
	*owner = delta->bytes + *at;
	*record = *owner + name_wire_length(*owner);
	*at += (size_t)(*record - *owner) + record_bytes(*record);
}
