/* Some servers end a connection after one or several answers, or when they have too many
 * connections. Some answer one question after the other:
 *
 *     ends after n answers       pipelines of n, and one connection more for each such end
 *     answers slowly             pipelines of as many questions as it answers while one waits
 *                                too long, but at least 32; several connections
 *     accepts k connections      k connections; now and then one more is tried
 *
 * The learned limits grow again when a server does more. */
#include "endpoints/outbound/capacity.h"

enum {
	IN_VAIN_MAX = 8,       /* connections in vain: it no longer answers */
	IN_VAIN_FIRST_MAX = 2, /* if it never answered: a second try, with one question alone */
};

void outbound_capacity_init(struct outbound_capacity *capacity)
{
	*capacity = (struct outbound_capacity){.pipeline = OUTBOUND_CAPACITY_PIPELINE,
					       .parallel = 1,
					       .doubted = OUTBOUND_CAPACITY_CONNECTIONS,
					       .connections = OUTBOUND_CAPACITY_CONNECTIONS};
}

static bool is_short(const struct outbound_capacity *capacity)
{
	return capacity->pipeline < OUTBOUND_CAPACITY_PIPELINE_SLOW;
}

enum outbound_dial outbound_capacity_dial(struct outbound_capacity *capacity, unsigned live,
					  unsigned silent, uint64_t now_us)
{
	if (live - silent >=
	    (is_short(capacity) ? capacity->parallel : OUTBOUND_CAPACITY_PIPELINES))
		return OUTBOUND_DIAL_NO;
	if (live < capacity->connections)
		return live < capacity->doubted ? OUTBOUND_DIAL_MORE : OUTBOUND_DIAL_DOUBTED;
	if (now_us < capacity->full_us + (live == silent ? OUTBOUND_CAPACITY_SILENT_US
							 : OUTBOUND_CAPACITY_FULL_US))
		return OUTBOUND_DIAL_NO;
	capacity->full_us = now_us;
	return live == silent ? OUTBOUND_DIAL_MORE : OUTBOUND_DIAL_TRIAL;
}

void outbound_capacity_on_full(struct outbound_capacity *capacity, unsigned live, uint64_t now_us)
{
	unsigned before = capacity->connections;

	capacity->doubted = OUTBOUND_CAPACITY_CONNECTIONS;
	if (live == 0)
		capacity->accepted = 0;
	if (live < capacity->accepted)
		live = capacity->accepted--;
	capacity->connections = live > 0 ? live : OUTBOUND_CAPACITY_CONNECTIONS;
	if (capacity->connections < before)
		capacity->full_us = now_us;
}

void outbound_capacity_on_answer(struct outbound_capacity *capacity, uint64_t answered)
{
	if (answered > capacity->pipeline && capacity->pipeline < OUTBOUND_CAPACITY_PIPELINE)
		capacity->pipeline++;
	capacity->in_vain = 0;
	capacity->answers = true;
}

void outbound_capacity_on_accepted(struct outbound_capacity *capacity, unsigned proven)
{
	if (capacity->accepted < proven)
		capacity->accepted = proven;
	if (capacity->connections < proven)
		capacity->connections = proven;
}

/* A single end may come from a restart or from one question. A second end after the same number of
 * answers shows the pipeline, and more connections must do the rest. */
void outbound_capacity_on_end(struct outbound_capacity *capacity, uint64_t answered)
{
	bool again = answered == capacity->ended_after;

	capacity->ended_after = answered;
	if (!again)
		return;
	if (!is_short(capacity))
		capacity->parallel = 1;
	else if (capacity->parallel < OUTBOUND_CAPACITY_CONNECTIONS)
		capacity->parallel++;
	if (answered < capacity->pipeline)
		capacity->pipeline = answered > 0 ? (unsigned)answered : 1;
}

/* Does not count the end if others are live and the server has never answered: it may have been
 * full before it could answer this one. */
void outbound_capacity_on_end_in_vain(struct outbound_capacity *capacity, bool others)
{
	capacity->in_vain += capacity->answers || !others;
}

void outbound_capacity_on_doubt(struct outbound_capacity *capacity, unsigned live, uint64_t now_us)
{
	if (capacity->pipeline == 1 && capacity->ended_after == 1)
		outbound_capacity_on_full(capacity, live, now_us);
	else
		capacity->doubted = live;
}

void outbound_capacity_on_stay(struct outbound_capacity *capacity)
{
	capacity->doubted = OUTBOUND_CAPACITY_CONNECTIONS;
}

uint64_t outbound_capacity_pause_us(const struct outbound_capacity *capacity)
{
	return capacity->answers && capacity->in_vain > 1 ? OUTBOUND_CAPACITY_PAUSE_US : 0;
}

unsigned outbound_capacity_on_slow(struct outbound_capacity *capacity, uint64_t answered)
{
	unsigned pipeline = OUTBOUND_CAPACITY_PIPELINE_SLOW;

	if (answered > pipeline)
		pipeline = answered < OUTBOUND_CAPACITY_PIPELINE ? (unsigned)answered
								 : OUTBOUND_CAPACITY_PIPELINE;
	if (pipeline < capacity->pipeline)
		capacity->pipeline = pipeline;
	return pipeline;
}

bool outbound_capacity_is_hopeless(const struct outbound_capacity *capacity)
{
	return capacity->in_vain >= (capacity->answers ? IN_VAIN_MAX : IN_VAIN_FIRST_MAX);
}
