/* A policy as one worker uses it. Queries, questions and transfers under way are counted as users,
 * so their policy stays until the last of them has ended. */
#ifndef SLUICE_HOLD_H
#define SLUICE_HOLD_H

#include <assert.h>

#include "rules/policy/policy.h"
#include "rules/schema/model.h"

struct popular;
struct transfer_table;

struct policy_hold {
	const struct policy *policy;
	const struct transfer_table *transfers; /* NULL: there are no transfers and no keys */
	struct cache_settings cache;
	struct popular *popular; /* counts the asked names; NULL: they are not counted */
	unsigned users;
	void (*on_idle)(struct policy_hold *hold); /* users is 0 again */
};

static inline void policy_hold_take(struct policy_hold *hold)
{
	hold->users++;
}

static inline void policy_hold_give(struct policy_hold *hold)
{
	assert(hold->users > 0);
	if (--hold->users == 0)
		hold->on_idle(hold);
}

#endif
