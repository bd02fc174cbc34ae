/* A keyed hash (SipHash-1-3), so that nobody who chooses the names can choose the collisions. The
 * key is drawn once per process and handed to whoever hashes; tests hand in a fixed one. */
#ifndef SLUICE_HASH_H
#define SLUICE_HASH_H

#include <stddef.h>
#include <stdint.h>

struct hash_key {
	uint64_t k0, k1;
};

/* Hashes `length` bytes. `seed` chains: the hash of a whole is the hash of a part with the hash of
 * the rest as its seed, which is how a name's suffixes get theirs (name.h). It is SipHash-1-3 of
 * the seed's eight bytes, little-endian, and the data behind them. */
uint64_t hash_bytes(const struct hash_key *key, uint64_t seed, const void *data, size_t length);

/* SipHash-2-4 of the data alone: a signature, as DNS cookies need it (RFC 9018 section 4.4). */
uint64_t hash_sign(const struct hash_key *key, const void *data, size_t length);

#endif
