/* The bucket is one number, `due`: each token taken moves it forward by a token's time, and the
 * time from `due` to now is what the bucket holds.
 *
 *     ──────────┬────────────────────────────┬──────────► time
 *              due   <── the bucket holds ──> now        never further back than a full bucket
 *
 * There are two buckets: one for all clients, and one of half the rate for proven ones. A token of
 * the second is also taken from the first. The first always has it: others leave as many tokens in
 * the first as the second can hold (`kept`), and the first fills twice as fast.
 *
 * A unit is a sixteenth of a nanosecond: a token of 10,000 a second is 1,600,000 of them exactly,
 * and 2^64 are 36 years.
 *
 * The use of clients is counted in cells of (count, tick). A count halves with every tick of a
 * quarter of a second, when it is next read. All cells halve at the same moments, so counts can be
 * compared at any time. Two workers that write a cell at the same time may only lose a count.
 *
 * Not here: the answer to a query over the limit (inbound/admission.c), and where a question goes
 * that may not leave (upstream/failover.c). */
#include "endpoints/meter.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

enum {
	UNITS_PER_US = 16000,
	BURST_US = 100 * 1000,   /* the tokens for all, which may pass at once */
	RESERVE_US = 25 * 1000,  /* the reserve for modest clients... */
	RESERVE_TOKENS_MIN = 4,  /* ...which is useless below so many tokens */
	TICK_SHIFT = 18,         /* of microseconds: about a quarter of a second */
	COUNT_SHIFT = 24,        /* a cell's lower bits are its tick */
	COUNT_ONE = 256,         /* so that a halved count is not 0 at once */
	COUNT_HALVINGS_MAX = 40, /* then a count is 0 */
	LOT_MAX = 32,            /* tokens */
	LOT_SHIFT = 48,          /* the lower bits are its millisecond */
	LOT_TICK_SHIFT = 10,     /* of microseconds */
	LOTS_PER_SECOND = 2000,  /* a lot is the tokens of half of its time */
	SKEW = 64, /* ticks: another worker's clock may be so far ahead of this one's */
};
static const uint64_t units_per_second = (uint64_t)UNITS_PER_US * 1000 * 1000;

void meter_init(struct meter *meter, uint64_t rate, const struct hash_key *key)
{
	memset(meter, 0, sizeof *meter);
	meter->key = *key;
	meter_set_rate(meter, rate);
}

/* Fills the bucket: it holds a time, which is a wrong number of tokens at another rate. */
void meter_set_rate(struct meter *meter, uint64_t rate)
{
	if (atomic_load_explicit(&meter->rate, memory_order_relaxed) == rate)
		return;
	atomic_store_explicit(&meter->due, 0, memory_order_relaxed);
	atomic_store_explicit(&meter->proven_due, 0, memory_order_relaxed);
	atomic_store_explicit(&meter->rate, rate, memory_order_relaxed);
}

/* ---- the bucket ---- */

static uint64_t most(uint64_t a, uint64_t b)
{
	return a > b ? a : b;
}

struct token_bucket { /* in units */
	uint64_t token, reserve, size;
};

static struct token_bucket bucket_of(uint64_t token)
{
	uint64_t reserve = most((uint64_t)RESERVE_US * UNITS_PER_US, RESERVE_TOKENS_MIN * token);

	return (struct token_bucket){.token = token,
				     .reserve = reserve,
				     .size = most((uint64_t)BURST_US * UNITS_PER_US, token) +
					     reserve};
}

struct token_buckets {
	struct token_bucket all, proven;
	uint64_t kept; /* units that `all` keeps for `proven` */
};

static struct token_buckets buckets_of(uint64_t token)
{
	struct token_buckets buckets = {.all = bucket_of(token), .proven = bucket_of(2 * token)};

	buckets.kept = buckets.proven.size / 2;
	buckets.all.size += buckets.kept;
	return buckets;
}

/* Takes tokens if the bucket still holds `beside` more. */
static bool take(_Atomic uint64_t *due, const struct token_bucket *bucket, unsigned tokens,
		 uint64_t beside, uint64_t now_us)
{
	uint64_t now = now_us * UNITS_PER_US, wanted = tokens * bucket->token;
	uint64_t seen = atomic_load_explicit(due, memory_order_relaxed), first;

	do {
		first = most(seen, now > bucket->size ? now - bucket->size : 0);
		if (now < first + beside + wanted)
			return false;
	} while (!atomic_compare_exchange_weak_explicit(
		due, &seen, first + wanted, memory_order_relaxed, memory_order_relaxed));
	return true;
}

void meter_begin_metered(struct meter_round *round, struct meter *meter, unsigned want,
			 uint64_t now_us)
{
	uint64_t rate = atomic_load_explicit(&meter->rate, memory_order_relaxed);

	if (rate == 0)
		return; /* the limit was removed a moment ago */
	round->meter = meter;
	round->now_us = now_us;
	round->token = most(units_per_second / rate, 1);
	const struct token_buckets buckets = buckets_of(round->token);
	uint64_t open = buckets.all.size - buckets.kept;
	round->easy = take(&meter->due, &buckets.all, want,
			   buckets.kept + most(open / 2, buckets.all.reserve), now_us);
	round->left = round->easy ? want : 0;
}

/* A new rate may have filled the bucket meanwhile; then nothing is given back. */
static void give(struct meter *meter, uint64_t units)
{
	uint64_t due = atomic_load_explicit(&meter->due, memory_order_relaxed);

	while (!atomic_compare_exchange_weak_explicit(&meter->due, &due,
						      due > units ? due - units : 0,
						      memory_order_relaxed, memory_order_relaxed))
		;
}

void meter_give_back(struct meter_round *round)
{
	give(round->meter, round->left * round->token);
	round->left = 0;
}

/* ---- the use of clients ---- */

static uint32_t tick_of(uint64_t now_us)
{
	return (uint32_t)(now_us >> TICK_SHIFT) & ((1u << COUNT_SHIFT) - 1);
}

static uint64_t count_of(uint64_t cell, uint32_t tick)
{
	uint32_t age = (tick - (uint32_t)cell) & ((1u << COUNT_SHIFT) - 1);

	if (age >= (1u << COUNT_SHIFT) - SKEW)
		age = 0;
	return age < COUNT_HALVINGS_MAX ? cell >> COUNT_SHIFT >> age : 0;
}

struct client_use { /* a client's cells, and the least of them */
	_Atomic uint64_t *cells[METER_ROWS];
	uint64_t count;
};

static void find_use(struct client_use *use, struct meter *meter, const struct address *address,
		     bool proven, uint32_t tick)
{
	const struct address client = address_client(address);
	uint64_t hash = hash_bytes(&meter->key, (uint64_t)client.family << 1 | proven, client.bytes,
				   sizeof client.bytes);

	use->count = UINT64_MAX;
	for (unsigned row = 0; row < METER_ROWS; row++, hash >>= 8) {
		use->cells[row] = &meter->usage[row][hash % METER_CELLS];
		uint64_t count =
			count_of(atomic_load_explicit(use->cells[row], memory_order_relaxed), tick);
		if (count < use->count)
			use->count = count;
	}
}

static void put_count(_Atomic uint64_t *cell, uint64_t count, uint32_t tick)
{
	if (count_of(atomic_load_explicit(cell, memory_order_relaxed), tick) < count)
		atomic_store_explicit(cell, count << COUNT_SHIFT | tick, memory_order_relaxed);
}

/* Raises only cells below the new count, so that clients with the same cells are not charged. */
static void count_use(struct client_use *use, struct meter *meter, uint32_t tick)
{
	use->count += COUNT_ONE;
	for (unsigned row = 0; row < METER_ROWS; row++)
		put_count(use->cells[row], use->count, tick);
	put_count(&meter->greediest, use->count, tick);
}

/* How much of a bucket's reserve this client may not use: all of it if no client has used more,
 * otherwise less, in proportion to its use. */
static uint64_t threshold_of(const struct token_bucket *bucket, const struct client_use *use,
			     uint64_t greediest)
{
	if (use->count == 0)
		return 0;
	return (uint64_t)((double)bucket->reserve * (double)use->count /
			  (double)most(greediest, use->count));
}

bool meter_admit_tightly(const struct meter_round *round, const struct address *client, bool proven)
{
	struct meter *meter = round->meter;
	const struct token_buckets buckets = buckets_of(round->token);
	const struct token_bucket *all = &buckets.all, *own = &buckets.proven;
	uint64_t now_us = round->now_us;
	uint32_t tick = tick_of(now_us);
	uint64_t greediest =
		count_of(atomic_load_explicit(&meter->greediest, memory_order_relaxed), tick);
	struct client_use use;

	find_use(&use, meter, client, proven, tick);
	bool admitted =
		proven &&
		take(&meter->proven_due, own, 1, threshold_of(own, &use, greediest), now_us) &&
		take(&meter->due, all, 1, 0, now_us);
	if (!admitted &&
	    !take(&meter->due, all, 1, buckets.kept + threshold_of(all, &use, greediest), now_us)) {
		atomic_fetch_add_explicit(&meter->refused, 1, memory_order_relaxed);
		return false;
	}
	count_use(&use, meter, tick);
	return true;
}

/* ---- one at a time ---- */

/* A lot is half of the tokens of a millisecond, so that few are wasted; the rest of an earlier lot
 * is given back. */
static bool take_lot(struct meter *meter, struct meter_lot *lot, uint64_t held,
		     const struct address *client, bool proven, uint64_t now_us)
{
	uint64_t tick = now_us >> LOT_TICK_SHIFT & (((uint64_t)1 << LOT_SHIFT) - 1);
	uint64_t want = atomic_load_explicit(&meter->rate, memory_order_relaxed) / LOTS_PER_SECOND;
	struct meter_round round;

	want = want > LOT_MAX ? LOT_MAX : most(want, 1);
	meter_begin(&round, meter, (unsigned)want, now_us);
	if (!round.meter)
		return true;
	give(meter, (held >> LOT_SHIFT) * round.token);
	held = round.easy ? (want - 1) << LOT_SHIFT | tick : 0;
	atomic_store_explicit(&lot->held, held, memory_order_relaxed);
	return round.easy || meter_admit_tightly(&round, client, proven);
}

bool meter_pass_metered(struct meter *meter, unsigned worker, const struct address *client,
			bool proven, uint64_t now_us)
{
	struct meter_lot *lot = &meter->lots[worker % METER_LOTS];
	uint64_t tick = now_us >> LOT_TICK_SHIFT & (((uint64_t)1 << LOT_SHIFT) - 1);
	uint64_t held = atomic_load_explicit(&lot->held, memory_order_relaxed);

	if (held >> LOT_SHIFT == 0 || (held & (((uint64_t)1 << LOT_SHIFT) - 1)) != tick)
		return take_lot(meter, lot, held, client, proven, now_us);
	atomic_store_explicit(&lot->held, held - ((uint64_t)1 << LOT_SHIFT), memory_order_relaxed);
	return true;
}

/* ---- all meters ----
 *
 * A snapshot takes a reference to the meter of each of its endpoints when it is prepared, and
 * returns it when it is freed. The next one takes its own before that, so a reload does not refill
 * a bucket. The registry is a list, because there are few endpoints. */

struct meter_registry {
	struct meter *meters;
	struct hash_key key;
	uint64_t rate;
};

struct meter_registry *meter_registry_new(const struct hash_key *key)
{
	struct meter_registry *registry = calloc(1, sizeof *registry);

	if (registry)
		registry->key = *key;
	return registry;
}

static void meter_free(struct meter *meter)
{
	free(meter->name);
	free(meter);
}

void meter_registry_free(struct meter_registry *registry)
{
	if (!registry)
		return;
	while (registry->meters) {
		struct meter *meter = registry->meters;

		registry->meters = meter->next;
		meter_free(meter);
	}
	free(registry);
}

void meter_registry_set_rate(struct meter_registry *registry, uint64_t rate)
{
	registry->rate = rate;
	for (struct meter *meter = registry->meters; meter; meter = meter->next)
		meter_set_rate(meter, rate);
}

void meter_registry_each(struct meter_registry *registry,
			 void (*on_meter)(void *context, struct meter *meter), void *context)
{
	for (struct meter *meter = registry->meters; meter; meter = meter->next)
		on_meter(context, meter);
}

static struct meter *meter_new(const struct meter_registry *registry, const char *name,
			       bool outbound)
{
	struct meter *meter = aligned_alloc(METER_LINE, sizeof *meter);
	char *copy = strdup(name);

	if (!meter || !copy) {
		free(meter);
		free(copy);
		return NULL;
	}
	meter_init(meter, registry->rate, &registry->key);
	meter->name = copy;
	meter->outbound = outbound;
	return meter;
}

struct meter *meter_acquire(struct meter_registry *registry, const char *name, bool outbound)
{
	struct meter *meter = registry->meters;

	while (meter && !(meter->outbound == outbound && strcasecmp(meter->name, name) == 0))
		meter = meter->next;
	if (!meter) {
		meter = meter_new(registry, name, outbound);
		if (!meter)
			return NULL;
		meter->next = registry->meters;
		registry->meters = meter;
	}
	meter->references++;
	return meter;
}

void meter_release(struct meter_registry *registry, struct meter *meter)
{
	struct meter **link = &registry->meters;

	assert(meter->references > 0);
	if (--meter->references > 0)
		return;
	while (*link != meter)
		link = &(*link)->next;
	*link = meter->next;
	meter_free(meter);
}
