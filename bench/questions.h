/* An endless, repeatable stream of questions, drawn from a mix of six kinds.
 *
 *     host      h17.priv.test         a host of the private zone, drawn evenly
 *     absent    x17.priv.test         a name that the private zone does not have
 *     popular   p3.r4.corp.test       forwarded; drawn by Zipf's law (s = 1), so mostly cached
 *     unique    u17.r9.corp.test      forwarded, never asked before
 *     missing   x17.r9.corp.test      forwarded, never asked before, NXDOMAIN
 *     ptr       17.0.64.100.in-addr.arpa   the PTR of an address of ours, drawn evenly
 *
 * The random generator is seeded, so two runs ask the same questions. */
#ifndef BENCH_QUESTIONS_H
#define BENCH_QUESTIONS_H

#include <stdbool.h>
#include <stdint.h>

#include "bench/answer.h"

enum question_kind {
	ASK_HOST,
	ASK_ABSENT,
	ASK_POPULAR,
	ASK_UNIQUE,
	ASK_MISSING,
	ASK_PTR,
	ASK_KINDS
};

struct questions_setup {
	const char *mix;  /* zone, nxdomain, hit, miss, mixed or ptr */
	uint32_t hosts;   /* h0 ... of the zone */
	uint32_t rules;   /* r1 ... of the ruleset */
	uint32_t popular; /* how many popular names there are */
	uint32_t first;   /* number of the first unique name */
	uint32_t ptrs;    /* of addresses from 100.64.0.0 on */
};

struct questions; /* opaque */

struct questions *questions_new(const struct questions_setup *setup); /* NULL: no such mix */
void questions_free(struct questions *questions);
void questions_next(struct questions *questions, struct bench_question *question);
/* Every popular name once, to fill a cache; false after the last. */
bool questions_next_popular(struct questions *questions, struct bench_question *question);
/* The names of the mixes, in one line. */
const char *questions_mixes(void);

/* xorshift64*: fast, repeatable, and good enough to choose names and ids of a bench. */
static inline uint32_t random_step(uint64_t *state)
{
	*state ^= *state >> 12;
	*state ^= *state << 25;
	*state ^= *state >> 27;
	return (uint32_t)((*state * 0x2545f4914f6cdd1dULL) >> 32);
}

#endif
