/* Questions whose answers go only to the cache: no client waits for them. Their number is bounded,
 * and each is asked once at a time, however many clients cause it. Nothing is allocated. */
#ifndef SLUICE_REFRESH_H
#define SLUICE_REFRESH_H

#include <stdbool.h>
#include <stdint.h>

#include "endpoints/upstream/lookup.h"
#include "rules/err.h"

enum { REFRESHES = 256, REFRESH_BUCKETS = 256 };

struct refresh {
	struct waiter waiter;
	struct refresh *next; /* in its bucket, or free */
	struct refreshes *all;
	uint64_t hash; /* its cache_hash */
};

struct refreshes { /* one worker's; must not move */
	struct refresh *buckets[REFRESH_BUCKETS];
	struct refresh *free;
	unsigned count; /* under way */
	struct refresh items[REFRESHES];
};

void refreshes_init(struct refreshes *refreshes);
/* Asks like lookup_ask. ERR_LIMIT: too many are under way; ERR_EXISTS: this question is already. */
MUST_CHECK int refresh_ask(struct refreshes *refreshes, struct lookups *lookups,
			   const struct lookup_key *key, void *holder, uint64_t deadline_us,
			   bool may_wait, uint64_t now_us);
/* Leaves all questions; they may be asked again. */
void refreshes_leave(struct refreshes *refreshes);

#endif
