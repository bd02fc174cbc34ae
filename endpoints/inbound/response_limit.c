/* Each prefix and kind of answer has a token bucket for one second. The bucket is one number: when
 * it will be full again (GCRA), at most a second ahead. There is no list of prefixes: by a keyed
 * hash each prefix has a cell in each of two rows, takes from both, and is over its limit when both
 * are empty. So a flood limits another prefix only if they share both cells, or if two floods share
 * one cell each with it. Nothing has to age or be allocated.
 *
 * Not here: the reply that is sent instead (inbound/admission.c). */
#include "endpoints/inbound/response_limit.h"

#include <stdatomic.h>
#include <stdlib.h>

#include "endpoints/message.h"

enum { ROWS = 2, CELLS = 1 << 14 };
static const uint64_t second_ns = 1000000000;

struct response_limit {
	struct hash_key key;
	_Atomic uint64_t full_ns[ROWS][CELLS];
};

struct response_limit *response_limit_new(const struct hash_key *key)
{
	struct response_limit *limit = calloc(1, sizeof *limit);

	if (limit)
		limit->key = *key;
	return limit;
}

void response_limit_free(struct response_limit *limit)
{
	free(limit);
}

enum response_kind response_kind(const uint8_t *wire)
{
	uint16_t flags = message_flags(wire);

	switch (flags & FLAG_RCODE) {
	case RCODE_NOERROR:
		return wire_u16(wire + 6) > 0 || (flags & FLAG_TC) ? RESPONSE_ANSWER
								   : RESPONSE_NEGATIVE;
	case RCODE_NXDOMAIN: return RESPONSE_NEGATIVE;
	default: return RESPONSE_ERROR;
	}
}

static uint32_t rate_of(const struct response_limit_settings *settings, enum response_kind kind)
{
	switch (kind) {
	case RESPONSE_ANSWER: return settings->answers_per_second;
	case RESPONSE_NEGATIVE: return settings->negatives_per_second;
	case RESPONSE_ERROR: break;
	}
	return settings->errors_per_second;
}

bool response_limit_is_on(const struct response_limit_settings *settings)
{
	return settings->answers_per_second || settings->negatives_per_second ||
	       settings->errors_per_second;
}

bool response_limit_take(struct response_limit *limit,
			 const struct response_limit_settings *settings,
			 const struct address *client, enum response_kind kind, uint64_t now_us)
{
	uint32_t rate = rate_of(settings, kind);
	uint64_t now = now_us * 1000, empty = now + second_ns, full[ROWS];
	bool fits = false;

	if (rate == 0)
		return true;
	struct address prefix =
		address_mask(client, client->family == 6 ? settings->ipv6_prefix_length
							 : settings->ipv4_prefix_length);
	uint64_t hash = hash_bytes(&limit->key, (uint64_t)client->family << 8 | (uint64_t)kind,
				   prefix.bytes, sizeof prefix.bytes);
	const size_t cells[ROWS] = {hash % CELLS, (hash >> 32) % CELLS};
	for (unsigned row = 0; row < ROWS; row++) {
		full[row] = atomic_load_explicit(&limit->full_ns[row][cells[row]],
						 memory_order_relaxed);
		full[row] = (full[row] > now ? full[row] : now) + second_ns / rate;
		fits |= full[row] <= empty;
	}
	for (unsigned row = 0; row < ROWS && fits; row++) /* another prefix may have emptied one */
		atomic_store_explicit(&limit->full_ns[row][cells[row]],
				      full[row] < empty ? full[row] : empty, memory_order_relaxed);
	return fits;
}
