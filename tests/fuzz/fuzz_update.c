/* UPDATE messages, one after the other, in a zone in which machines register: each is a byte that
 * says who sends it, two bytes of its length, and the packet. */
#include "resolver/update/judge.h"
#include "rules/reverse.h"
#include "tests/fuzz/fuzz.h"
#include "tests/lib/update_world.h"
#include "tests/lib/zone_text.h"

enum { NAMES_MAX = 5, TTL = 10, HEAD = 3 };

static const char manual[] = "www 300 A 10.1.9.9\nalias 300 CNAME www\n*.wild 300 A 10.1.9.8\n";

static const struct {
	const char *key, *address;
} clients[] = {
	{"dhcp", "10.1.0.2"},
	{"web.corp.test", "10.1.0.3"},
	{"lab.corp.test", "10.1.0.4"},
	{"other", "10.1.0.5"},
	{NULL, "10.1.0.5"},
	{NULL, "10.1.0.6"},
	{NULL, "2001:db8:1::5"},
	{NULL, "10.2.0.5"},
};
enum { CLIENTS = sizeof clients / sizeof *clients };

/* ---- the message by itself ---- */

static enum rcode check_message(const uint8_t *packet, size_t length)
{
	uint8_t response[UPDATE_RESPONSE_MAX];
	enum rcode rcode = RCODE_NOERROR;
	struct update update;
	struct arena arena;

	arena_init(&arena);
	if (update_read(&update, &arena, &zone_text_key, packet, length, &rcode) ==
	    REQUEST_SILENT) {
		FUZZ_CHECK(length < MESSAGE_HEADER || packet[2] & 0x80);
		arena_release(&arena);
		return rcode;
	}
	size_t made = update_respond(response, &update.request, packet, rcode, 1232);
	FUZZ_CHECK(made == MESSAGE_HEADER + update.request.question_length +
				   (update.request.edns ? (size_t)MESSAGE_OPT : 0));
	FUZZ_CHECK(memcmp(response, packet, 2) == 0 && response[2] & 0x80);
	FUZZ_CHECK((response[2] & 0x78) == (packet[2] & 0x78));
	if (rcode == RCODE_NOERROR) {
		FUZZ_CHECK(length <= UPDATE_BYTES_MAX);
		FUZZ_CHECK(update.prerequisite_count == wire_u16(packet + 6));
		FUZZ_CHECK(update.update_count == wire_u16(packet + 8));
		FUZZ_CHECK(update.prerequisite_count + update.update_count <= UPDATE_RECORDS_MAX);
		FUZZ_CHECK(!update.request.tsig_at || update.request.tsig_at < length);
	}
	arena_release(&arena);
	return rcode;
}

/* ---- what there is of it ---- */

static struct prefix prefix_of(const char *text)
{
	struct prefix prefix;

	FUZZ_CHECK(prefix_parse(&prefix, text) == 0);
	return prefix;
}

static bool is_registrable(const struct address *address)
{
	const struct prefix four = prefix_of("10.1.0.0/16"), six = prefix_of("2001:db8:1::/48");

	return prefix_contains(&four, address) || prefix_contains(&six, address);
}

static struct address address_in(uint16_t type, const uint8_t *rdata)
{
	struct address address = {.family = type == TYPE_A ? 4 : 6};

	memcpy(address.bytes, rdata, type == TYPE_A ? 4 : 16);
	return address;
}

static void check_record(uint16_t type, const uint8_t *rdata, size_t length)
{
	const struct name zone = zone_text_name("corp.test");
	struct address address;
	struct name target;

	switch (type) {
	case TYPE_A:
	case TYPE_AAAA:
		FUZZ_CHECK(length == (type == TYPE_A ? 4 : 16));
		address = address_in(type, rdata);
		FUZZ_CHECK(is_registrable(&address));
		break;
	case TYPE_PTR:
		FUZZ_CHECK(name_from_wire(&target, &zone_text_key, rdata, length, 0, NULL) == 0);
		FUZZ_CHECK(target.length == length && name_is_under(&target, &zone));
		break;
	case TYPE_TXT: FUZZ_CHECK(length == 35 && rdata[0] == 34); break;
	default: FUZZ_CHECK(type == TYPE_DHCID && length <= UPDATE_DHCID_MAX);
	}
}

static void check_owner(const uint8_t *owner, bool reverse)
{
	struct prefix prefix;
	struct name name;
	unsigned rest;

	FUZZ_CHECK(name_from_wire(&name, &zone_text_key, owner, name_wire_length(owner), 0, NULL) ==
		   0);
	FUZZ_CHECK(memcmp(name.wire, owner, name.length) == 0); /* in lower case */
	FUZZ_CHECK(owner[1] != '*' || owner[0] != 1);
	FUZZ_CHECK(!reverse || (reverse_parse(&name, &prefix, &rest) && rest == 0 &&
				is_registrable(&prefix.address)));
}

static void check_registered(const struct zone *zone, bool reverse)
{
	struct zone_cursor cursor = {0};
	const struct rrset *set;
	const uint8_t *owner;

	FUZZ_CHECK(zone_owners(zone) <= NAMES_MAX + 1);
	while (zone_next(zone, &cursor, &owner, &set)) {
		const uint8_t *at = set->wire;

		if (set->type == TYPE_SOA)
			continue;
		check_owner(owner, reverse);
		FUZZ_CHECK(set->count <= UPDATE_SET_MAX && set->ttl == TTL);
		FUZZ_CHECK((set->type == TYPE_A || set->type == TYPE_AAAA) <= !reverse);
		FUZZ_CHECK((set->type == TYPE_PTR) <= reverse);
		for (unsigned i = 0; i < set->count; i++) {
			size_t length = wire_u16(at + RECORD_HEADER - 2);

			check_record(set->type, at + RECORD_HEADER, length);
			at += RECORD_HEADER + length;
		}
	}
}

/* ---- what a client without a key may change ---- */

static int on_change(void *context, const uint8_t *owner, const struct rrset *was,
		     const struct rrset *is)
{
	const struct address *own = context;
	const struct rrset *either = is ? is : was;
	uint8_t wire[REVERSE_WIRE_MAX];

	if (either->type == TYPE_SOA)
		return 0;
	if (either->type == TYPE_PTR) {
		reverse_wire(own, wire);
		FUZZ_CHECK(name_wire_equal(owner, wire));
		return 0;
	}
	FUZZ_CHECK(either->type == (own->family == 4 ? TYPE_A : TYPE_AAAA));
	FUZZ_CHECK(!was || (was->count == 1 && memcmp(was->wire + RECORD_HEADER, own->bytes,
						      address_bits(own) / 8) == 0));
	FUZZ_CHECK(!is || (is->count == 1 && memcmp(is->wire + RECORD_HEADER, own->bytes,
						    address_bits(own) / 8) == 0));
	return 0;
}

static void check_changes(const struct update_world *world, enum rcode rcode, struct zone *before,
			  struct zone *reverse_before)
{
	struct address own = world->client.address;
	bool changed = before != world->registered || reverse_before != world->reverse;

	FUZZ_CHECK(rcode == RCODE_NOERROR || !changed);
	FUZZ_CHECK(before == world->registered || reverse_before == world->reverse);
	if (world->client.key)
		return;
	zone_walk_changes(before, world->registered, on_change, &own);
	zone_walk_changes(reverse_before, world->reverse, on_change, &own);
}

static void give(struct update_world *world, unsigned who, const uint8_t *packet, size_t length)
{
	struct zone *before = zone_ref(world->registered), *reverse = zone_ref(world->reverse);
	enum rcode read = check_message(packet, length), rcode;

	update_world_client(world, clients[who % CLIENTS].key, clients[who % CLIENTS].address);
	rcode = update_world_give(world, packet, length);
	FUZZ_CHECK(read == RCODE_NOERROR || rcode == read);
	FUZZ_CHECK(rcode != RCODE_NOERROR || !world->client.key || who % CLIENTS != 3 ||
		   before == world->registered);
	check_changes(world, rcode, before, reverse);
	check_registered(world->registered, false);
	check_registered(world->reverse, true);
	zone_unref(before);
	zone_unref(reverse);
}

const double fuzz_byte_us = 40;

int fuzz_one(const uint8_t *data, size_t size)
{
	struct fuzz_input input = {data, data + size};
	struct update_world world;

	update_world_init(&world, manual, NAMES_MAX);
	while (fuzz_left(&input) >= HEAD) {
		unsigned who = fuzz_u8(&input);
		size_t length = (size_t)fuzz_u8(&input) << 8;
		uint8_t *packet;

		length |= fuzz_u8(&input);
		if (length > fuzz_left(&input))
			length = fuzz_left(&input);
		/* A copy that ends where its memory ends: a byte too far is seen. */
		packet = malloc(length ? length : 1);
		FUZZ_CHECK(packet);
		if (length)
			memcpy(packet, input.at, length);
		input.at += length;
		give(&world, who, packet, length);
		free(packet);
	}
	update_world_release(&world);
	return 0;
}
