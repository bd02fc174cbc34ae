/* A client's packet with a signature, or one that is signed here: read, verified, and answered with
 * a signature that the client verifies; and the SOA that an IXFR question brings. The first byte
 * says how it is signed and which byte of it is changed, the second how far our clock is ahead; the
 * rest is the packet. */
#include "endpoints/message.h"
#include "resolver/transfer/tsig.h"
#include "tests/fuzz/fuzz.h"

enum { NOW = 1700000000, STEP_S = 50, KEYS = 3 };

static const struct hash_key hash = {1, 2};

static const struct tsig_key *all_keys(void)
{
	static const struct tsig_settings settings[KEYS] = {
		{.name = "k.test", .secret = "Zm9vYmFy"},
		{.name = "old.test", .secret = "Zm9vYmFy", .algorithm = TSIG_HMAC_SHA1},
		{.name = "long.test", .secret = "Zm9vYmFy", .algorithm = TSIG_HMAC_SHA512},
	};
	static struct tsig_key keys[KEYS];

	for (unsigned i = 0; i < KEYS && !keys[i].secret_length; i++)
		FUZZ_CHECK(tsig_key_init(&keys[i], &settings[i]));
	return keys;
}

static bool read_request(const uint8_t *packet, size_t length, struct request *request,
			 struct name *name)
{
	enum rcode rcode;

	return message_read_request(request, name, &hash, packet, length, &rcode) == REQUEST_FINE;
}

/* The SOA is the one record of the authority section, it is the zone's, and its serial is 20 bytes
 * ahead of its end. */
static void check_serial(const uint8_t *packet, size_t length, const struct request *request,
			 const struct name *name)
{
	struct message_walk walk = message_walk_from(
		packet, length, MESSAGE_HEADER + (size_t)request->question_length);
	struct record_view record;
	struct name owner;

	FUZZ_CHECK(!request->has_serial || request->type == TYPE_IXFR);
	FUZZ_CHECK(wire_u16(packet + 8) == request->has_serial);
	if (!request->has_serial)
		return;
	FUZZ_CHECK(message_read_record(&walk, &record) == 0);
	FUZZ_CHECK(record.type == TYPE_SOA && record.class == request->class);
	FUZZ_CHECK(name_from_wire(&owner, &hash, packet, length, record.owner, NULL) == 0);
	FUZZ_CHECK(name_equal(&owner, name));
	FUZZ_CHECK(record.rdata_length >= 22);
	FUZZ_CHECK(request->serial == wire_u32(packet + record.rdata + record.rdata_length - 20));
}

/* A signed answer; whoever asked with that MAC finds it good, and a changed one not. */
static void check_answer(struct tsig_context context, enum tsig_error error, unsigned changed)
{
	struct tsig_context client = context;
	uint8_t answer[MESSAGE_HEADER + TSIG_ROOM_MAX] = {0, 7, 0x80};
	size_t room = tsig_room(&context);

	FUZZ_CHECK(room <= TSIG_ROOM_MAX);
	size_t length = tsig_sign(&context, answer, MESSAGE_HEADER, sizeof answer, NOW);
	FUZZ_CHECK(length == MESSAGE_HEADER + room);
	FUZZ_CHECK(wire_u16(answer + 10) == 1);
	if (error != TSIG_FINE)
		return;
	FUZZ_CHECK(tsig_check_answer(&client, answer, length, MESSAGE_HEADER, NOW) == TSIG_FINE);
	client = context;
	client.chained = false;
	answer[2 + changed % 8] ^= 1;
	FUZZ_CHECK(tsig_check_answer(&client, answer, length, MESSAGE_HEADER, NOW) != TSIG_FINE);
}

/* RFC 8945 section 3. */
static bool is_error(enum tsig_error error)
{
	switch (error) {
	case TSIG_FINE:
	case TSIG_FORMERR:
	case TSIG_BADSIG:
	case TSIG_BADKEY:
	case TSIG_BADTIME:
	case TSIG_BADTRUNC: return true;
	}
	return false;
}

/* What came with a signature. */
static enum tsig_error check_signature(uint8_t *packet, size_t length, size_t tsig_at,
				       uint64_t now_s, unsigned changed)
{
	struct tsig_context context, again;
	enum tsig_error error =
		tsig_check(&context, all_keys(), KEYS, packet, length, tsig_at, now_s);

	FUZZ_CHECK(context.error == error);
	FUZZ_CHECK(is_error(error));
	FUZZ_CHECK(error == TSIG_FORMERR || error == TSIG_BADKEY || context.key);
	FUZZ_CHECK(tsig_check(&again, NULL, 0, packet, length, tsig_at, now_s) ==
		   (error == TSIG_FORMERR && !context.key ? TSIG_FORMERR : TSIG_BADKEY));
	if (error != TSIG_FORMERR)
		check_answer(context, error, changed);
	if (error != TSIG_FINE)
		return error;
	size_t at = 2 + changed % (tsig_at - 2); /* but for the id, which is hashed as it was */
	packet[at] ^= 1;
	FUZZ_CHECK(tsig_check(&again, all_keys(), KEYS, packet, length, tsig_at, now_s) !=
		   TSIG_FINE);
	packet[at] ^= 1;
	return TSIG_FINE;
}

/* What came without one, and is signed here. */
static void sign_and_check(const uint8_t *packet, size_t length, unsigned key, uint64_t ahead_s,
			   unsigned changed)
{
	uint8_t *copy = malloc(length + TSIG_ROOM_MAX);
	struct tsig_context context;
	struct request request;
	struct name name;

	FUZZ_CHECK(copy);
	memcpy(copy, packet, length);
	tsig_begin(&context, &all_keys()[key], wire_u16(packet));
	size_t made = tsig_sign(&context, copy, length, length + TSIG_ROOM_MAX, NOW);
	if (made <= MESSAGE_MAX && length <= UINT16_MAX - TSIG_ROOM_MAX) {
		FUZZ_CHECK(read_request(copy, made, &request, &name));
		FUZZ_CHECK(request.tsig_at == length);
		check_serial(copy, made, &request, &name);
		FUZZ_CHECK(check_signature(copy, made, length, NOW + ahead_s, changed) ==
			   (ahead_s <= TSIG_FUDGE_S ? TSIG_FINE : TSIG_BADTIME));
	}
	free(copy);
}

const double fuzz_byte_us = 0.25;

int fuzz_one(const uint8_t *data, size_t size)
{
	struct fuzz_input input = {data, data + size};
	unsigned how = fuzz_u8(&input), ahead_s = fuzz_u8(&input) % 16 * STEP_S;
	size_t length = fuzz_left(&input);
	/* A copy that ends where its memory ends: a byte too far is seen. */
	uint8_t *packet = malloc(length ? length : 1);
	struct request request;
	struct name name;

	FUZZ_CHECK(packet);
	if (length)
		memcpy(packet, input.at, length);
	if (length <= MESSAGE_MAX && read_request(packet, length, &request, &name)) {
		check_serial(packet, length, &request, &name);
		if (request.tsig_at)
			check_signature(packet, length, request.tsig_at, NOW + ahead_s, how);
		else
			sign_and_check(packet, length, how % KEYS, ahead_s, how);
	}
	free(packet);
	return 0;
}
