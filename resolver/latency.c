/* While the measuring is switched off, answers are neither numbered nor drawn: an answer and the
 * end of a round cost one comparison each. */
#include "resolver/latency.h"

#include <string.h>

const char *response_source_text(enum response_source source)
{
	static const char *const texts[] = {
#define X(name, text) [RESPONSE_##name] = text,
		RESPONSE_SOURCE_MAP(X)
#undef X
	};
	return texts[source];
}

void latency_init(struct latency *latency, uint64_t seed)
{
	memset(latency, 0, sizeof *latency);
	latency->random = seed | 1;
	latency_switch(latency, false);
}

void latency_switch(struct latency *latency, bool on)
{
	if (latency->on && on)
		return;
	latency->on = on;
	for (unsigned i = 0; i < RESPONSE_SOURCES; i++)
		latency->draws[i] = (struct latency_draw){.drawn = on ? 0 : UINT32_MAX};
}

/* xorshift64, because guessing it gains nothing. */
static uint64_t next_random(struct latency *latency)
{
	uint64_t x = latency->random;

	x ^= x << 13;
	x ^= x >> 7;
	x ^= x << 17;
	return latency->random = x;
}

/* Draws for the next round, which is expected to have as many answers as this one. */
void latency_end_round(struct latency *latency, uint64_t now_us)
{
	for (unsigned i = 0; i < LATENCY_SOURCES; i++) {
		struct latency_draw *draw = &latency->draws[i];

		if (draw->count == 0)
			continue;
		if (draw->arrived_us != 0)
			histogram_add(&latency->sources[i],
				      now_us > draw->arrived_us ? now_us - draw->arrived_us : 0);
		*draw = (struct latency_draw){
			.drawn = (uint32_t)(next_random(latency) % draw->count)};
	}
}
