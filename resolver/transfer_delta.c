/* A set of one zone is looked for in the other by its owner and type: most are there and the same.
 * Of those that are not, the records that the other does not have are copied. */
#include "resolver/transfer_delta.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "rules/name.h"
#include "rules/serial.h"
#include "rules/wire.h"

struct writing {
	struct transfer_delta *delta;
	size_t room;
	const struct zone *other;
	const struct hash_key *key;
};

static size_t record_bytes(const uint8_t *record)
{
	return RECORD_HEADER + (size_t)wire_u16(record + RECORD_HEADER - 2);
}

static int put_record(struct writing *writing, const uint8_t *owner, const uint8_t *record)
{
	struct transfer_delta *delta = writing->delta;
	size_t name = name_wire_length(owner), bytes = record_bytes(record);

	if (writing->room - delta->end < name + bytes) {
		size_t room = 2 * writing->room + name + bytes;
		uint8_t *larger = realloc(delta->bytes, room);

		if (!larger)
			return ERR_NOMEM;
		delta->bytes = larger;
		writing->room = room;
	}
	assert(delta->bytes);
	memcpy(delta->bytes + delta->end, owner, name);
	memcpy(delta->bytes + delta->end + name, record, bytes);
	delta->end += name + bytes;
	return 0;
}

static bool has_record(const struct rrset *set, const uint8_t *record)
{
	const uint8_t *at = set ? set->wire : NULL;
	size_t bytes = record_bytes(record);

	for (unsigned i = 0; set && i < set->count; i++, at += record_bytes(at))
		if (record_bytes(at) == bytes && memcmp(at, record, bytes) == 0)
			return true;
	return false;
}

static int put_missing(void *context, const uint8_t *owner, const struct rrset *set)
{
	struct writing *writing = context;
	struct name name;
	int err = name_from_wire(&name, writing->key, owner, name_wire_length(owner), 0, NULL);

	assert(err == 0); /* a zone's owners are names */
	if (set->type == TYPE_SOA)
		return 0;
	const struct rrset *other = zone_find_exact(writing->other, &name, set->type);
	if (other && other->length == set->length &&
	    memcmp(other->wire, set->wire, set->length) == 0)
		return 0;
	const uint8_t *record = set->wire;
	for (unsigned i = 0; !err && i < set->count; i++, record += record_bytes(record))
		if (!has_record(other, record))
			err = put_record(writing, owner, record);
	return err;
}

struct transfer_delta *transfer_delta_new(const struct zone *before, const struct zone *after,
					  const struct hash_key *key)
{
	struct transfer_delta *delta = calloc(1, sizeof *delta);
	struct writing writing = {.delta = delta, .other = after, .key = key};

	if (!delta)
		return NULL;
	delta->references = 1;
	int err = put_record(&writing, zone_apex(before)->wire, zone_soa(before)->wire);
	delta->gone = delta->end;
	if (!err)
		err = zone_walk(before, put_missing, &writing);
	delta->fresh = delta->end;
	writing.other = before;
	if (!err)
		err = zone_walk(after, put_missing, &writing);
	if (!err)
		return delta;
	transfer_delta_unref(delta);
	return NULL;
}

struct transfer_delta *transfer_delta_ref(struct transfer_delta *delta)
{
	if (delta)
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
