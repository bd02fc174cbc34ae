/* A policy as one worker uses it. Queries, questions and transfers under way count themselves in
 * it; the policy they began with stays until the last of them has ended. */
#ifndef SLUICE_HOLD_H
#define SLUICE_HOLD_H

#include <assert.h>

#include "rules/policy/policy.h"
#include "rules/schema/model.h"

struct popular;
struct transfer_table;

struct policy_hold {
	const struct policy *policy;
	const struct transfer_table *transfers; /* NULL: no zone goes out, and no key is known */
	struct cache_settings cache;
	struct popular *popular; /* counts the names that are asked for; NULL: nobody does */
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
