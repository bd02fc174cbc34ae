/* Where answers are from, and how long clients wait for them. That is sampled: of each source about
 * one answer a loop round, from when its packet was read until it was sent. So an idle server
 * measures every answer, a busy one a few of hundreds, and the clock is read once a round, however
 * many that are. Which one of a round is drawn anew each time: the first of a batch waits longer
 * than the last. */
#ifndef SLUICE_LATENCY_H
#define SLUICE_LATENCY_H

#include <stdbool.h>
#include <stdint.h>

#include "endpoints/histogram.h"

/* By the newest part of an answer. */
#define RESPONSE_SOURCE_MAP(X)                                                                     \
	X(ZONE, "zone") /* a private zone or other data of our own, alone */                       \
	X(CACHE, "cache")                                                                          \
	X(FORWARDED, "forwarded") /* what a target has just said */                                \
	X(STALE, "stale")                                                                          \
	X(NONE, "none") /* errors, and what the server says of itself */
enum response_source {
#define X(name, text) RESPONSE_##name,
	RESPONSE_SOURCE_MAP(X)
#undef X
		RESPONSE_SOURCES,
	LATENCY_SOURCES = RESPONSE_FORWARDED + 1, /* so many are timed, the first ones */
};
const char *response_source_text(enum response_source source);

struct latency_draw {
	uint32_t count;      /* answers in this round */
	uint32_t drawn;      /* the one that is measured */
	uint64_t arrived_us; /* when that came; 0: it has not been answered yet */
};

/* Of one worker. */
struct latency {
	bool on;
	uint64_t random;
	struct latency_draw draws[RESPONSE_SOURCES];
	struct histogram sources[LATENCY_SOURCES];
};

void latency_init(struct latency *latency, uint64_t seed); /* off */
void latency_switch(struct latency *latency, bool on);
/* An answer is about to be sent; true: it is the one that is measured, from arrived_us. */
static inline bool latency_draws(struct latency *latency, enum response_source source)
{
	struct latency_draw *draw = &latency->draws[source];

	return draw->count++ == draw->drawn;
}
static inline void latency_note(struct latency *latency, enum response_source source,
				uint64_t arrived_us)
{
	latency->draws[source].arrived_us = arrived_us;
}
/* All of a round's answers have been sent; whether any is measured. */
static inline bool latency_is_due(const struct latency *latency)
{
	return latency->on &&
	       (latency->draws[RESPONSE_ZONE].count | latency->draws[RESPONSE_CACHE].count |
		latency->draws[RESPONSE_FORWARDED].count) != 0;
}
void latency_end_round(struct latency *latency, uint64_t now_us);

#endif
