/* The names that are asked for most, counted in bounded room: the space-saving summary of Metwally,
 * Agrawal and El Abbadi (2005), in sets, so that counting looks at one line of memory. A name that
 * finds its set full takes the place of the one counted least, and its count, of which `over` are
 * not its own: no count is too small.
 *
 *     a worker: popular_count ─► the set of the name's hash ─► its entry, or the least one
 *     control thread: popular_each, set by set, and sums over the workers
 *
 * Counted are questions that a target was asked for, and one in POPULAR_SHARE of those answered
 * from our own data, as so many; none that the cache answers, nor the few that come while a set is
 * read. Two half days are kept: the last 12 to 24 hours. */
#ifndef SLUICE_POPULAR_H
#define SLUICE_POPULAR_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "rules/err.h"
#include "rules/name.h"

enum { POPULAR_SHARE = 16, POPULAR_BYTES = 4 << 20 }; /* at most, of one worker */

struct popular_key { /* of one question */
	const struct name *name;
	uint16_t type;
	uint16_t network;   /* policy_network_id: the same over reloads; 0: none has it */
	bool vnet_resolver; /* as struct place has it */
};

struct popular;

/* NULL: no memory. */
struct popular *popular_new(void);
void popular_free(struct popular *popular); /* NULL is fine */

/* By its own thread alone. `weight`: how many questions it stands for. */
void popular_count(struct popular *popular, const struct popular_key *key, unsigned weight,
		   uint64_t now_us);

/* Any thread. The name is a copy, hashed by `key`; the same question comes once for each half day.
 */
struct popular_question {
	struct popular_key key;
	uint64_t count, over;
	uint64_t began_us; /* the half day */
};
void popular_each(struct popular *popular, const struct hash_key *key, uint64_t now_us,
		  void (*on_question)(void *context, const struct popular_question *question),
		  void *context);

#endif
