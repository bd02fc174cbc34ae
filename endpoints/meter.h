/* Queries per second of one endpoint, inbound or outbound: a token bucket that all workers share.
 * One per endpoint, in a registry that outlives policies, like targets (target.h); all of it is
 * relaxed atomics, and time is a parameter.
 *
 *     tokens    |<─ 100 ms' worth: anyone's ─>|<─ 25: who took little ─>|<─ 62.5: the proven's ─>|
 *               full                          reserve                   kept                  empty
 *
 * Fair between clients: a query is let through only if what is left exceeds
 *
 *     kept + reserve * (what its client took lately) / (what the greediest took lately)
 *
 * so a client that took the most lately finds the bucket empty a reserve early, and one that took
 * little nearly never does. Clients that want more than there is are driven to the same use (one
 * that is ahead must wait for a fuller bucket than the others), and one that wants less than that
 * share finds tokens whenever it asks: that is max-min fairness.
 *
 * Addresses can be forged by the thousand, and each is a client that took little. So half of the
 * rate belongs to clients whose address is proven (by TCP, or by a server cookie of RFC 7873): they
 * have a second bucket of half the rate, fairly in the same way. What is taken of it is taken of
 * the first one as well, out of what is kept there, so that both together are never more than the
 * limit. What proven clients want beyond their half they take of the first bucket like everybody,
 * and what they do not want is everybody's. An address is one client where it is proven and another
 * where it is not: a forger of it uses up nothing of its owner's.
 *
 * A client is who address_client says. There is no list of them: what they took is a small keyed
 * count-min sketch of decayed counters, written and read only while the first bucket holds less
 * than half of what everybody may take. Above that, and so all the time on an endpoint that is not
 * near its limit, a batch costs one atomic operation and a query a decrement; without a limit,
 * neither. Below it each query takes its token itself: one that waited in a worker's hand would be
 * missing for others. */
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
	METER_LOTS = 16, /* workers that have a lot of their own; more share them */
	METER_LINE = 64, /* bytes */
};

struct meter_lot {                                  /* tokens that a worker has taken ahead */
	_Alignas(METER_LINE) _Atomic uint64_t held; /* how many, and for which millisecond */
};

struct meter {
	struct meter *next; /* in the registry */
	char *name;
	bool outbound;
	unsigned references;
	struct hash_key key;
	_Atomic uint64_t rate; /* queries a second; 0: no limit */
	/* Written by every batch. `due`: when the bucket is full again (GCRA's theoretical arrival
	 * time, less the bucket), in sixteenths of a nanosecond. */
	_Alignas(METER_LINE) _Atomic uint64_t due;
	_Atomic uint64_t proven_due; /* likewise, of the proven's half */
	/* And these by queries while it is nearly empty. */
	_Alignas(METER_LINE) _Atomic uint64_t greediest;
	_Atomic uint64_t refused; /* queries that were not let through, since it was made */
	_Atomic uint64_t usage[METER_ROWS][METER_CELLS];
	struct meter_lot lots[METER_LOTS];
	struct { /* for one who tells of it, who writes and reads it alone */
		uint64_t refused, next_us;
		bool is_over;
	} told;
};

void meter_init(struct meter *meter, uint64_t rate, const struct hash_key *key);
void meter_set_rate(struct meter *meter, uint64_t rate); /* another one fills the bucket */

/* A batch of queries on their way in. Begun with how many they may be; each is then let through or
 * not, and what was taken ahead and not used is given back. */
struct meter_round {
	struct meter *meter; /* NULL: no limit */
	uint64_t now_us;
	uint64_t token; /* sixteenths of a nanosecond of this endpoint's rate */
	bool easy;      /* there was more than enough: so many have been taken, for anybody */
	unsigned left;  /* of them */
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

/* At most `want` times in a round. */
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

/* The same for one question on its way out: tokens are taken in lots, a millisecond's use at most,
 * while there is more than enough of them. `meter` may be NULL. */
static inline bool meter_pass(struct meter *meter, unsigned worker, const struct address *client,
			      bool proven, uint64_t now_us)
{
	return !meter || !atomic_load_explicit(&meter->rate, memory_order_relaxed) ||
	       meter_pass_metered(meter, worker, client, proven, now_us);
}

/* All endpoints' meters, by name and direction: they outlive policies. Used when policies come and
 * go, not per query, and by one thread. */
struct meter_registry;
struct meter_registry *meter_registry_new(const struct hash_key *key);
void meter_registry_free(struct meter_registry *registry);
/* The limit of all endpoints, those that come later too. */
void meter_registry_set_rate(struct meter_registry *registry, uint64_t rate);
/* Finds or makes it, with a reference; names are equal without regard to case. NULL without memory.
 */
struct meter *meter_acquire(struct meter_registry *registry, const char *name, bool outbound);
void meter_release(struct meter_registry *registry, struct meter *meter);
/* Calls back with each. */
void meter_registry_each(struct meter_registry *registry,
			 void (*on_meter)(void *context, struct meter *meter), void *context);

#endif
