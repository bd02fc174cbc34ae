/* Addresses, cloud services, their PTRs and resource groups as resources: the home of the kinds
 * that are too many to be items of a model. Their values are read by the table of fields, like
 * those of every other kind, and put into the open change:
 *
 *     addresses_put ─► values ─► struct of the table ─► struct owner ─► change_put: checked, row */
#ifndef SLUICE_ADDRESSES_H
#define SLUICE_ADDRESSES_H

#include <jansson.h>

#include "resolver/control/resource/change.h"

enum addresses_why {
	ADDRESSES_ANY,
	ADDRESSES_CLAIMED, /* the name of a service has been found to be ours */
	ADDRESSES_UNDO,    /* takes back another change: a group that the change made stays, as long
			    * as something else is in it */
	ADDRESSES_BACK,    /* makes a row of the state what it was, or what was agreed to: nobody is
			    * asked whose a name is, a PTR whose address is not there waits for it,
			    * and a group goes whatever is in it */
};
/* Makes one of the inventory's kinds (resource/kind.h) what the values say, or (values NULL)
 * removes it, also where it is not there. Values are those that a body has, and those of the
 * history. ERR_INVALID: change_error says why. */
MUST_CHECK int addresses_put(struct change *change, const struct path *path, const json_t *values,
			     enum addresses_why why);
/* Whether putting these values (NULL: it goes) takes an address, a label or an id from what is
 * there now. When many are put back, they may have exchanged these, so what gives way goes first.
 */
bool addresses_give_way(struct inventory *inventory, const struct path *path, const json_t *values);
/* The address or service that it is, or whose PTR it is; NULL: there is none, or it is a group. */
const struct owner *addresses_find(struct inventory *inventory, const struct path *path);
/* The present values of the resource; putting them again changes nothing. NULL: there is no such
 * resource, or no memory. */
json_t *addresses_values(struct inventory *inventory, const struct path *path);
/* Its etag now; false: it is not there. Of an address or service without a PTR, whose PTR is asked
 * for, the etag is that of the address or service all the same. */
bool addresses_etag(struct inventory *inventory, const struct path *path, char etag[ETAG_MAX]);

/* Adds a new one. An existing one with the same name is a conflict (TAKEN). */
MUST_CHECK int addresses_add(struct change *change, const struct path *path, const json_t *values);

/* What a body says of a PTR: "reverse_fqdn", which it must have, "description" and "ttl"; what is
 * shown beside them is passed over. Texts are the body's. ERR_INVALID: `error` has the member. */
MUST_CHECK int ptr_of_json(struct change_ptr *ptr, const json_t *body, struct change_error *error);
/* Members that only tell something, wherever they are shown, and those of a PTR that tell what it
 * is of; up to a NULL. */
extern const char *const addresses_shown[], *const ptr_around[];

#endif
