#include "resolver/hold.h"

#include <assert.h>

void policy_hold_take(struct policy_hold *hold)
{
	hold->users++;
}

void policy_hold_give(struct policy_hold *hold)
{
	assert(hold->users > 0);
	if (--hold->users == 0)
		hold->on_idle(hold);
}
