/* Seeded random numbers for tests, so that a failure can be repeated. */
#ifndef SLUICE_TESTS_RANDOM_H
#define SLUICE_TESTS_RANDOM_H

#include <stdint.h>
#include <string.h>

#include "endpoints/entropy.h"

/* xorshift64*; the state must not be 0. */
static inline uint64_t random_u64(uint64_t *state)
{
	*state ^= *state >> 12;
	*state ^= *state << 25;
	*state ^= *state >> 27;
	return *state * 0x2545f4914f6cdd1d;
}

static inline unsigned random_below(uint64_t *state, unsigned n)
{
	return (unsigned)((random_u64(state) >> 33) % n);
}

/* splitmix64. */
static inline void random_fill(void *context, uint8_t *buffer, size_t length)
{
	uint64_t *state = context;

	while (length > 0) {
		uint64_t z = *state += 0x9e3779b97f4a7c15;
		z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9;
		z = (z ^ z >> 27) * 0x94d049bb133111eb;
		z ^= z >> 31;
		size_t part = length < sizeof z ? length : sizeof z;
		memcpy(buffer, &z, part);
		buffer += part;
		length -= part;
	}
}

/* The same ids, ports and choices in every run with that seed. */
static inline void entropy_init_seeded(struct entropy *entropy, uint64_t *state)
{
	*entropy = (struct entropy){.fill = random_fill, .context = state};
}

#endif
