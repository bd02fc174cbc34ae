/* SipHash-1-3: one round for eight bytes, three at the end. This is the variant for hash tables: it
 * is no signature, but without the key a name's place cannot be predicted.
 *
 * The seed is the first eight bytes of the message (little-endian), so the result is exactly
 * SipHash-1-3(key, seed || data). So chaining a name's labels is as safe as the hash itself, and
 * published values for messages of at least eight bytes can be checked.
 *
 * SipHash-2-4, with twice the rounds, is for signatures. */
#include "rules/hash.h"

#include <endian.h>
#include <string.h>

struct sip {
	uint64_t v0, v1, v2, v3;
};

static inline uint64_t rotate(uint64_t word, unsigned bits)
{
	return word << bits | word >> (64 - bits);
}

static inline void sip_round(struct sip *s)
{
	s->v0 += s->v1;
	s->v2 += s->v3;
	s->v1 = rotate(s->v1, 13) ^ s->v0;
	s->v3 = rotate(s->v3, 16) ^ s->v2;
	s->v0 = rotate(s->v0, 32);
	s->v2 += s->v1;
	s->v0 += s->v3;
	s->v1 = rotate(s->v1, 17) ^ s->v2;
	s->v3 = rotate(s->v3, 21) ^ s->v0;
	s->v2 = rotate(s->v2, 32);
}

static inline void sip_absorb(struct sip *s, uint64_t block)
{
	s->v3 ^= block;
	sip_round(s);
	s->v0 ^= block;
}

static inline uint64_t load64(const uint8_t *at)
{
	uint64_t word;

	memcpy(&word, at, sizeof word);
	return le64toh(word);
}

/* Up to seven bytes as a little-endian number, with fixed-size overlapping loads, because a memcpy
 * of unknown length is a call. */
static inline uint64_t load_tail(const uint8_t *at, size_t length)
{
	uint32_t low, high;

	if (length >= 4) {
		memcpy(&low, at, sizeof low);
		memcpy(&high, at + length - 4, sizeof high);
		return le32toh(low) | (uint64_t)le32toh(high) << (8 * (length - 4));
	}
	if (length == 0)
		return 0;
	/* 1: all three are the same byte; 2: the last two are; 3: all differ. */
	return at[0] | (uint64_t)at[length / 2] << (8 * (length / 2)) |
	       (uint64_t)at[length - 1] << (8 * (length - 1));
}

static struct sip sip_begin(const struct hash_key *key)
{
	return (struct sip){
		key->k0 ^ 0x736f6d6570736575,
		key->k1 ^ 0x646f72616e646f6d,
		key->k0 ^ 0x6c7967656e657261,
		key->k1 ^ 0x7465646279746573,
	};
}

uint64_t hash_bytes(const struct hash_key *key, uint64_t seed, const void *data, size_t length)
{
	struct sip s = sip_begin(key);
	const uint8_t *at = data;
	size_t left = length;

	sip_absorb(&s, seed);
	for (; left >= 8; left -= 8, at += 8)
		sip_absorb(&s, load64(at));
	sip_absorb(&s, load_tail(at, left) | (uint64_t)(length + sizeof seed) << 56);

	s.v2 ^= 0xff;
	sip_round(&s);
	sip_round(&s);
	sip_round(&s);
	return s.v0 ^ s.v1 ^ s.v2 ^ s.v3;
}

static void sip_absorb_twice(struct sip *s, uint64_t block)
{
	s->v3 ^= block;
	sip_round(s);
	sip_round(s);
	s->v0 ^= block;
}

uint64_t hash_sign(const struct hash_key *key, const void *data, size_t length)
{
	struct sip s = sip_begin(key);
	const uint8_t *at = data;
	size_t left = length;

	for (; left >= 8; left -= 8, at += 8)
		sip_absorb_twice(&s, load64(at));
	sip_absorb_twice(&s, load_tail(at, left) | (uint64_t)length << 56);

	s.v2 ^= 0xff;
	for (unsigned i = 0; i < 4; i++)
		sip_round(&s);
	return s.v0 ^ s.v1 ^ s.v2 ^ s.v3;
}
