/* Edits of resource groups, in a change like all others (change.h). An address that is added to a
 * group which the state does not have makes it, too, so that a group stays when its last address
 * goes. */
#ifndef SLUICE_CHANGE_GROUP_H
#define SLUICE_CHANGE_GROUP_H

#include "resolver/control/resource/change.h"
#include "resolver/control/resource/inventory_group.h"

/* The group as it is to be; tags: a JSON object of strings. */
struct change_group {
	const char *name, *region, *tags;
};

/* By Azure's rule, what a group cannot be called that is made here: what is wrong with it; NULL:
 * nothing. Those of the file are called as they are. Letters beyond ASCII are taken as they come.
 */
const char *group_name_refusal(const char *name);

/* Makes it, or makes it another; one that is so already stays as it is. READ_ONLY when the file
 * names it. */
MUST_CHECK int change_group_put(struct change *change, const struct change_group *wanted);
/* With the subscription's addresses that are in it; NULL: those in no group. READ_ONLY when the
 * file says one of them. */
MUST_CHECK int change_group_remove(struct change *change, const char *name,
				   const char *subscription);

#endif
