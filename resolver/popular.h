/* Counts the most asked names in bounded memory: the space-saving summary of Metwally, Agrawal and
 * El Abbadi (2005), in sets, so that a count touches one line of memory and one entry. A name whose
 * set is full replaces the least counted one and takes over its count: `over` of its count are not
 * its own. So replacing a name never makes a count too small.
 *
 *     a worker: popular_count ─► the set of the name's hash ─► its entry, or the least one
 *     control thread: popular_each, set by set, and sums over the workers
 *
 * Questions to targets are counted, and one in POPULAR_SHARE of the questions answered from our own
 * data, with that weight. Questions that the cache answers are not counted, nor the few that come
 * while a set is read. Two half days are kept: the last 12 to 24 hours. */
#ifndef SLUICE_POPULAR_H
#define SLUICE_POPULAR_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "rules/err.h"
#include "rules/name.h"

enum { POPULAR_SHARE = 16, POPULAR_BYTES = 4 << 20 }; /* most bytes of one worker */

struct popular_key { /* a question */
	const struct name *name;
	uint16_t type;
	uint16_t network;   /* policy_network_id, the same after reloads; 0: no network */
	bool vnet_resolver; /* as in struct place */
};

struct popular;

/* NULL: no memory. */
struct popular *popular_new(void);
void popular_free(struct popular *popular); /* NULL is fine */

/* Only the worker's own thread may call it. `weight`: how many questions this one stands for. */
void popular_count(struct popular *popular, const struct popular_key *key, unsigned weight,
		   uint64_t now_us);

/* Calls back with each question, once for each half day. The name is a copy, hashed with `key`. Any
 * thread. */
struct popular_question {
	struct popular_key key;
	uint64_t count, over;
	uint64_t began_us; /* when the half day began */
};
void popular_each(struct popular *popular, const struct hash_key *key, uint64_t now_us,
		  void (*on_question)(void *context, const struct popular_question *question),
		  void *context);

#endif
