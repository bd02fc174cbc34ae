/* Edits of addresses, cloud services and their PTRs; addresses_put passes those of groups to
 * group.h. The field table reads their values, as those of every kind, and the open draft gets
 * them:
 *
 *     addresses_put ─► values ─► struct owned_item ─► completed, checked ─► row, served table
 *
 * Calls with a draft return 0 or ERR_INVALID, and draft_error has the reason. */
#ifndef SLUICE_ADDRESS_EDITS_H
#define SLUICE_ADDRESS_EDITS_H

#include <jansson.h>

#include "resolver/control/resource/address_draft.h"

/* Makes an edit of these kinds; to remove a missing resource is fine. Values are a request body's,
 * or from the history. A resource of KIND_ADDRESS gets a free address if it is new and its values
 * have no "address", or if that is null; a new service must give its own. A group gets a row with
 * its first address, and keeps it when the last one goes. */
MUST_CHECK int addresses_put(struct address_draft *draft, const struct resource_edit *edit,
			     enum addresses_why why);

/* Whether the resource already has this PTR; a PTR without a name: whether it has none. */
bool addresses_points(const struct resources *resources, const struct owned_resource *resource,
		      const struct owned_item *ptr);

/* Prepares the new address that a PTR needs: gives its path, in no group and named after its text,
 * and puts the address and its pool's region into `values`. Texts go into the arena. ERR_NOT_FOUND:
 * not an address, or in none of our pools; ERR_EXISTS: the name is taken; ERR_NOMEM. `why` has the
 * reason. */
enum { ADDRESSES_WHY_MAX = 256 };
MUST_CHECK int addresses_make(struct resources *resources, const struct model *model,
			      const char *text, struct path *path, json_t *values,
			      struct arena *arena, char why[ADDRESSES_WHY_MAX]);

#endif
