/* A policy as one worker uses it, counted by the queries, questions and transfers under way that
 * look at it: what they were decided by stays until the last of them has ended. */
#ifndef SLUICE_HOLD_H
#define SLUICE_HOLD_H

#include "rules/policy/policy.h"
#include "rules/schema/model.h"

struct transfer_table;

struct policy_hold {
	const struct policy *policy;
	const struct transfer_table *transfers; /* NULL: no zone goes out, and no key is known */
	struct cache_settings cache;
	unsigned users;
	void (*on_idle)(struct policy_hold *hold); /* users has come to 0 again */
};

void policy_hold_take(struct policy_hold *hold);
void policy_hold_give(struct policy_hold *hold);

#endif
