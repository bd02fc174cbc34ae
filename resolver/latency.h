/* The sources of answers, and how long clients wait for them. The waiting time is sampled: about
 * one answer of each timed source in a loop round, from reading its packet until sending. So an
 * idle server measures every answer, a busy one a few of hundreds, and the clock is read once a
 * round. The answer is drawn at random in each round, because those that a round reads first wait
 * longer than the last. */
#ifndef SLUICE_LATENCY_H
#define SLUICE_LATENCY_H

#include <stdbool.h>
#include <stdint.h>

#include "endpoints/histogram.h"

/* An answer with a stale part is STALE; the source of any other is its newest part. */
#define RESPONSE_SOURCE_MAP(X)                                                                     \
	X(ZONE, "zone") /* only a private zone or other data of our own */                         \
	X(CACHE, "cache")                                                                          \
	X(FORWARDED, "forwarded") /* a target's new reply */                                       \
	X(STALE, "stale")                                                                          \
	X(NONE, "none") /* errors, and data about this server */
enum response_source {
#define X(name, text) RESPONSE_##name,
	RESPONSE_SOURCE_MAP(X)
#undef X
		RESPONSE_SOURCES,
	LATENCY_SOURCES = RESPONSE_FORWARDED + 1, /* how many are timed: the first ones */
};
const char *response_source_text(enum response_source source);

struct latency_draw {
	uint32_t count;      /* answers in this round */
	uint32_t drawn;      /* the number of the measured one */
	uint64_t arrived_us; /* when its query came; 0: it is not answered yet */
};

/* One worker's. */
struct latency {
	bool on;
	uint64_t random;
	struct latency_draw draws[RESPONSE_SOURCES];
	struct histogram sources[LATENCY_SOURCES];
};

void latency_init(struct latency *latency, uint64_t seed); /* starts switched off */
void latency_switch(struct latency *latency, bool on);
/* Call it before an answer is sent; true: it is the measured one, so call latency_note. */
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
/* Whether any answer of the round must be measured, once all are sent. */
static inline bool latency_is_due(const struct latency *latency)
{
	return latency->on &&
	       (latency->draws[RESPONSE_ZONE].count | latency->draws[RESPONSE_CACHE].count |
		latency->draws[RESPONSE_FORWARDED].count) != 0;
}
void latency_end_round(struct latency *latency, uint64_t now_us);

#endif
