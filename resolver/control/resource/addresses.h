/* Addresses, cloud services, their PTRs and resource groups as resources: the home of the kinds
 * that are too many to be items of a model. Their values are read by the table of fields, like
 * those of every other kind, and put into the open change:
 *
 *     addresses_put ─► values ─► struct owned_item ─► change_put: completed, checked, row */
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
const struct owned_resource *addresses_find(struct inventory *inventory, const struct path *path);
/* The present values of the resource; putting them again changes nothing. NULL: there is no such
 * resource, or no memory. */
json_t *addresses_values(struct inventory *inventory, const struct path *path);
/* The resource as the API shows it, and its etag; of a PTR also where there is none, as long as its
 * address is there. NULL: it is not there, or, with an outcome in the error, it cannot be read. */
json_t *addresses_show(struct inventory *inventory, const struct path *path, char etag[ETAG_MAX],
		       struct change_error *error);
/* Its etag now; false: it is not there. Of an address or service without a PTR, whose PTR is asked
 * for, the etag is that of the address or service all the same. */
bool addresses_etag(struct inventory *inventory, const struct path *path, char etag[ETAG_MAX]);

/* A PTR needs its address. Where the address does not exist yet, this gives the path of a new one,
 * in no group and with its own text as its name, and puts the address and its pool's region into
 * `values`. Texts go into the arena. ERR_NOT_FOUND: it is no address, or none of our pools has it;
 * ERR_EXISTS: something else has that name; ERR_NOMEM. `why` says so. */
enum { ADDRESSES_WHY_MAX = 256 };
MUST_CHECK int addresses_make(struct inventory *inventory, const struct model *model,
			      const char *text, struct path *path, json_t *values,
			      struct arena *arena, char why[ADDRESSES_WHY_MAX]);

/* Adds a new one. An existing one with the same name is a conflict (TAKEN). */
MUST_CHECK int addresses_add(struct change *change, const struct path *path, const json_t *values);

/* Removes read-only members from a body, so that what GET gave can be sent back; of a PTR also
 * those of its address. */
void addresses_strip(const struct kind *kind, json_t *body);
/* Reads a body for one of the inventory's kinds into the struct of its table; texts go into the
 * arena. An empty text counts as not given, where it can be taken away; a PTR's name must be there,
 * if only as null. ERR_INVALID: `error` has the member. */
MUST_CHECK int addresses_read(const struct kind *kind, const json_t *body, void *item,
			      struct arena *arena, struct change_error *error);

#endif
