/* Limits the queries per second of one endpoint, inbound or outbound, by a token bucket that all
 * workers share. Each endpoint has one, in a registry that outlives policies, like targets
 * (target.h). Workers change only relaxed atomics, and time is a parameter.
 *
 *     tokens    |<─ 100 ms' worth: for all ─>|<─ 25: for the modest ─>|<─ 62.5: for the proven ─>|
 *               full                         reserve                  kept                   empty
 *
 * It is fair between clients: a query passes only if the bucket holds more than
 *
 *     kept + reserve * (what its client took lately) / (what the greediest took lately)
 *
 * so the greediest client finds the bucket empty one reserve earlier than a modest one. Clients
 * that want more than there is converge to the same use, because one that is ahead must wait for a
 * fuller bucket. A client that wants less than that share always finds tokens: this is max-min
 * fairness.
 *
 * Addresses can be forged by the thousand, and each of them is a modest client. So half of the rate
 * belongs to clients whose address is proven (by TCP, or by a server cookie of RFC 7873): they have
 * a second bucket of half the rate, with the same fairness. A token from it is also taken from the
 * first one, from the kept part, so that both together never exceed the limit. Beyond their half,
 * proven clients take from the first bucket like others, and what they do not use is for everybody.
 * A proven and an unproven client with the same address count as two, so a forger uses up nothing
 * of the real client's share.
 *
 * address_client defines what a client is. There is no list of clients: their use is a small keyed
 * count-min sketch of decaying counters. A batch takes all its tokens at once if the first bucket
 * then still holds, above the kept part, at least half of what fits there and at least the reserve.
 * An endpoint far from its limit always has that much: a batch costs an atomic operation (one more
 * if it gives tokens back) and a query a decrement. With less in the bucket each query takes its
 * own token and touches the sketch, because tokens held by a worker would be missing for others.
 * Without a limit queries cost nothing. */
#ifndef SLUICE_METER_H
#define SLUICE_METER_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include "rules/hash.h"
#include "rules/prefix.h"

enum {
	METER_ROWS = 4, /* a client shares all of its counters with another once in 2^32 */
	METER_CELLS = 256,
	METER_LOTS = 16, /* workers with a lot of their own; more workers share them */
	METER_LINE = 64, /* bytes */
};

struct meter_lot {                                  /* tokens that a worker has taken in advance */
	_Alignas(METER_LINE) _Atomic uint64_t held; /* how many, and for which millisecond */
};

struct meter {
	struct meter *next; /* in the registry */
	char *name;
	bool outbound;
	unsigned references;
	uint64_t listed; /* for the control thread: number of the last list with it (snapshot.c) */
	struct hash_key key;
	_Atomic uint64_t rate; /* queries a second; 0: no limit */
	/* Written by every batch. `due`: GCRA's theoretical arrival time minus the bucket's size,
	 * in sixteenths of a nanosecond (meter.c). */
	_Alignas(METER_LINE) _Atomic uint64_t due;
	_Atomic uint64_t proven_due; /* the same for the proven clients' half */
	/* Written only while the bucket is too empty to give a batch all its tokens at once. */
	_Alignas(METER_LINE) _Atomic uint64_t greediest;
	_Atomic uint64_t refused; /* queries refused since the meter was made */
	_Atomic uint64_t usage[METER_ROWS][METER_CELLS];
	struct meter_lot lots[METER_LOTS];
	struct { /* only for the thread that reports refusals */
		uint64_t refused, next_us;
		bool is_over;
	} told;
};

void meter_init(struct meter *meter, uint64_t rate, const struct hash_key *key);
void meter_set_rate(struct meter *meter, uint64_t rate); /* a changed rate fills the bucket */

/* A batch of incoming queries. meter_begin takes tokens for at most `want` of them, meter_admit
 * decides about each query, and meter_end gives back the tokens that were not used. */
struct meter_round {
	struct meter *meter; /* NULL: no limit */
	uint64_t now_us;
	uint64_t token; /* a token's time at this rate, in sixteenths of a nanosecond */
	bool easy;      /* there was plenty: `left` tokens were taken, for any client */
	unsigned left;  /* tokens taken and not used */
};

void meter_begin_metered(struct meter_round *round, struct meter *meter, unsigned want,
			 uint64_t now_us);
bool meter_admit_tightly(const struct meter_round *round, const struct address *client,
			 bool proven);
void meter_give_back(struct meter_round *round);

/* `meter` may be NULL: no limit. */
static inline void meter_begin(struct meter_round *round, struct meter *meter, unsigned want,
			       uint64_t now_us)
{
	round->meter = NULL;
	if (meter && atomic_load_explicit(&meter->rate, memory_order_relaxed))
		meter_begin_metered(round, meter, want, now_us);
}

/* Call it at most `want` times in a round. */
static inline bool meter_admit(struct meter_round *round, const struct address *client, bool proven)
{
	if (!round->meter)
		return true;
	if (!round->easy)
		return meter_admit_tightly(round, client, proven);
	round->left--;
	return true;
}

static inline void meter_end(struct meter_round *round)
{
	if (round->meter && round->left > 0)
		meter_give_back(round);
}

bool meter_pass_metered(struct meter *meter, unsigned worker, const struct address *client,
			bool proven, uint64_t now_us);

/* Decides about one outgoing question. While there is plenty, a worker takes tokens in lots of at
 * most a millisecond's use. `meter` may be NULL. */
static inline bool meter_pass(struct meter *meter, unsigned worker, const struct address *client,
			      bool proven, uint64_t now_us)
{
	return !meter || !atomic_load_explicit(&meter->rate, memory_order_relaxed) ||
	       meter_pass_metered(meter, worker, client, proven, now_us);
}

/* All endpoints' meters, by name and direction; they outlive policies. One thread uses it, when
 * policies change, never for a query. */
struct meter_registry;
struct meter_registry *meter_registry_new(const struct hash_key *key);
void meter_registry_free(struct meter_registry *registry);
/* Sets the limit of all endpoints, including later ones. */
void meter_registry_set_rate(struct meter_registry *registry, uint64_t rate);
/* Finds or makes a meter, and takes a reference; names are compared without regard to case. NULL
 * without memory. */
struct meter *meter_acquire(struct meter_registry *registry, const char *name, bool outbound);
void meter_release(struct meter_registry *registry, struct meter *meter);
/* Calls back with each meter. */
void meter_registry_each(struct meter_registry *registry,
			 void (*on_meter)(void *context, struct meter *meter), void *context);

#endif
