/* A keyed hash (SipHash-1-3), so that a client that chooses names cannot choose collisions. A
 * server draws a key once for everything that DNS clients choose; tests pass a fixed one. Hashes
 * that two processes compare have a constant key. */
#ifndef SLUICE_HASH_H
#define SLUICE_HASH_H

#include <stddef.h>
#include <stdint.h>

struct hash_key {
	uint64_t k0, k1;
};

/* Hashes `length` bytes: SipHash-1-3 of the seed's eight bytes, little-endian, and the data. The
 * seed chains hashes: the hash of a whole is the hash of a part with the hash of the rest as its
 * seed, as for a name's suffixes (name.h). */
uint64_t hash_bytes(const struct hash_key *key, uint64_t seed, const void *data, size_t length);

/* SipHash-2-4 of the data: a signature for DNS cookies (RFC 9018 section 4.4). */
uint64_t hash_sign(const struct hash_key *key, const void *data, size_t length);

#endif
