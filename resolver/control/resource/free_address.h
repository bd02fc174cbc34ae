/* Chooses a free address for a resource of KIND_ADDRESS: for a new one that gives none, or for any
 * that gives null. A cloud service always gives its own. */
#ifndef SLUICE_FREE_ADDRESS_H
#define SLUICE_FREE_ADDRESS_H

#include "resolver/control/resource/address_draft.h"

/* Finds a free address of this family (4 or 6) in the pools that serve the region (NULL: in all),
 * in the order of the pools. EXHAUSTED: none of them has one. */
MUST_CHECK int free_address_find(struct address_draft *draft, const char *region, uint8_t family,
				 struct address *address);

#endif
