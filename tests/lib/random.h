/* Numbers for randomised tests: seeded, so that a failure comes again. */
#ifndef SLUICE_TESTS_RANDOM_H
#define SLUICE_TESTS_RANDOM_H

#include <stdint.h>

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

#endif
