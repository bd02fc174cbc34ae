/* Serials and digests. The next process compares digests, too, so their key is fixed: they detect
 * operators' changes, and nobody gains from a collision. */
#include "rules/zone/serial.h"

#include <string.h>

#include "rules/wire.h"
#include "rules/zone/layout.h"

enum { SOA_NUMBERS = 20 }; /* bytes at the end of a SOA's data, beginning with the serial */

static const struct hash_key digest_key = {UINT64_C(0x736c756963652d7a),
					   UINT64_C(0x6f6e652d64696765)};

uint32_t serial_next(uint32_t before, uint64_t now_s)
{
	uint32_t now = (uint32_t)now_s;
	uint32_t next = serial_is_newer(now, before) ? now : before + 1;

	return next ? next : 1;
}

/* ---- zones ---- */

const struct rrset *zone_soa(const struct zone *zone)
{
	return zone_find_exact(zone, zone_apex(zone), TYPE_SOA);
}

uint32_t zone_serial(const struct zone *zone)
{
	size_t length;
	const uint8_t *rdata = rrset_rdata(zone_soa(zone), &length);

	return wire_u32(rdata + length - SOA_NUMBERS);
}

static int copy_set(struct zone_builder *builder, const uint8_t *owner, const struct rrset *set,
		    uint32_t serial, struct faults *faults)
{
	static const struct origin origin;
	const uint8_t *record = set->wire;
	uint8_t soa[2 * NAME_WIRE_MAX + SOA_NUMBERS];
	int err = 0;

	for (unsigned i = 0; !err && i < set->count; i++) {
		const uint8_t *rdata = record + RECORD_HEADER;
		size_t length = wire_u16(record + RECORD_HEADER - 2);

		record = rdata + length;
		if (set->type == TYPE_SOA && length <= sizeof soa) {
			memcpy(soa, rdata, length);
			wire_put32(soa + length - SOA_NUMBERS, serial);
			rdata = soa;
		}
		err = zone_builder_add(builder, &origin, owner, set->type, set->ttl, rdata, length,
				       faults);
	}
	return err;
}

static struct zone *build_with_serial(const struct zone *zone, uint32_t serial)
{
	static const struct origin origin;
	struct zone_builder *builder = zone_builder_new(&zone->key, zone_apex(zone));
	struct zone_cursor cursor = {0};
	struct faults faults;
	struct zone *copy;
	const uint8_t *owner;
	const struct rrset *set;
	int err = 0;

	if (!builder)
		return NULL;
	faults_init(&faults);
	while (!err && zone_next(zone, &cursor, &owner, &set))
		err = copy_set(builder, owner, set, serial, &faults);
	copy = zone_builder_finish(builder, &origin, &faults);
	faults_release(&faults);
	return copy;
}

struct zone *zone_with_serial(const struct zone *zone, uint32_t serial)
{
	return zone_is_editable(zone) ? zone_version_with_serial(zone, serial)
				      : build_with_serial(zone, serial);
}

/* ---- digests ---- */

static uint64_t digest_more(uint64_t digest, const void *bytes, size_t length)
{
	return hash_bytes(&digest_key, digest, bytes, length);
}

/* Sums over the records, so that their order does not matter; leaves out a SOA's serial. */
static uint64_t digest_records(uint64_t owner, const struct rrset *set)
{
	const uint8_t *record = set->wire;
	uint64_t sum = 0;

	for (unsigned i = 0; i < set->count; i++) {
		size_t length = RECORD_HEADER + (size_t)wire_u16(record + RECORD_HEADER - 2);
		size_t head = set->type == TYPE_SOA ? length - SOA_NUMBERS : length;
		uint64_t digest = digest_more(owner, record, head);

		if (head < length)
			digest = digest_more(digest, record + head + 4, SOA_NUMBERS - 4);
		sum += digest;
		record += length;
	}
	return sum;
}

uint64_t digest_of_set(const uint8_t *owner, const struct rrset *set)
{
	return digest_records(digest_more(0, owner, name_wire_length(owner)), set);
}

static size_t set_bytes(const uint8_t *owner, const struct rrset *set)
{
	return set->length + (size_t)set->count * name_wire_length(owner);
}

void zone_content_add(struct zone_content *content, const uint8_t *owner, const struct rrset *set)
{
	content->digest += digest_of_set(owner, set);
	content->bytes += set_bytes(owner, set);
}

void zone_content_take(struct zone_content *content, const uint8_t *owner, const struct rrset *set)
{
	content->digest -= digest_of_set(owner, set);
	content->bytes -= set_bytes(owner, set);
}

static int add_set(void *content, const uint8_t *owner, const struct rrset *set)
{
	zone_content_add(content, owner, set);
	return 0;
}

struct zone_content zone_content(const struct zone *zone)
{
	struct zone_content content = {0};

	if (zone_is_editable(zone))
		return zone->content;
	zone_walk(zone, add_set, &content);
	return content;
}

uint64_t digest_of_ptr(const struct address *address, const struct rrset *ptr)
{
	return digest_records(digest_more(address->family, address->bytes, sizeof address->bytes),
			      ptr);
}
