/* Addresses, cloud services and their PTRs as the /v1 API shows and takes them: by the keys that
 * the configuration has (rules/schema/table.c), so that what is read from one can be written
 * into the other, and with what is known besides. What was read may be sent back as it is: keys
 * that only tell something are passed over. */
#ifndef SLUICE_REVERSE_JSON_H
#define SLUICE_REVERSE_JSON_H

#include <jansson.h>

#include "resolver/control/resource/change.h"

/* {"id", "name", "resource_group", "region", "subscription", "address", "allocation",
 *  "domain_name_label", "fqdn", "tags", "reverse_fqdn", "description", "ttl", "ttl_served",
 *  "status", "action", "reason", "origin", "etag"}; a service is without those that it does not
 * have, and has "ptr_description", because its "description" is its own. `ttl` is the PTR's own,
 * null where it is reverse.ttl; `origin` is "file:line" of what the configuration declares, else
 * null. */
json_t *owner_json(const struct owner *owner);
/* {"id", "kind", "name", "resource_group", "region", "address", "reverse_fqdn", "description",
 * "ttl", "ttl_served", "status", "action", "reason", "origin", "etag"}; `id` is "REGION:UUID", as
 * Designate's clients know a PTR, or the UUID alone where there is no region; `origin` is given
 * where the PTR is read-only. */
json_t *owner_ptr_json(const struct owner *owner);

/* ---- what a body asks for ---- */

enum { OWNER_VALUES_MAX = 24 };

struct owner_input {
	struct change_value values[OWNER_VALUES_MAX]; /* of the owner; room for more is left */
	size_t count;
	char *tags;            /* what a value points to */
	bool has_fqdn;         /* the body has a name for the PTR, or null for none */
	struct change_ptr ptr; /* ttl_given is false for null */
};

/* Texts are the body's, which must live as long. ERR_INVALID: `error` has the field, and then
 * nothing is to be released. Unknown keys of an address or service are left to change.h. */
MUST_CHECK int owner_input_read(struct owner_input *input, enum owner_kind kind, const json_t *body,
				struct change_error *error);
/* The same of a body that has a PTR and nothing else. */
MUST_CHECK int owner_input_read_ptr(struct owner_input *input, const json_t *body,
				    struct change_error *error);
void owner_input_release(struct owner_input *input);

/* ---- as resources, by path and values ---- */

enum owned_edit {
	OWNED_ANY,
	OWNED_CLAIMED, /* the name of a service has been found to be ours */
	OWNED_UNDO,    /* of a change that made what goes: a group that came with it, and that
			* something else is in, stays for that */
	OWNED_BACK,    /* the same of all that came since, so that it is as it was: a service's name
			* need not be asked for */
};
/* Makes one of the inventory's kinds (resource/kind.h) what the values say, or (values NULL)
 * removes it, also where it is not there. Values are those that a body has, and those of the
 * history. ERR_INVALID: change_error says why. */
MUST_CHECK int owned_put(struct change *change, struct inventory *inventory,
			 const struct path *path, const json_t *values, enum owned_edit why);
/* Whether what is there now is gone, or has another address, label or id, once the values (NULL: it
 * goes) are put again: many that are put again may have exchanged those. */
bool owned_gives_way(struct inventory *inventory, const struct path *path, const json_t *values);
/* The address or service that it is, or whose PTR it is; NULL: there is none, or it is a group. */
const struct owner *owned_find(struct inventory *inventory, const struct path *path);
/* The values that leave it as it is; of a PTR that is not there none at all. NULL: it is not there,
 * or there is no memory. */
json_t *owned_values(struct inventory *inventory, const struct path *path);
/* Its etag now; false: it is not there. Of an address or service without a PTR, whose PTR is asked
 * for, the etag is that of the address or service all the same. */
bool owned_etag(struct inventory *inventory, const struct path *path, char etag[ETAG_MAX]);

#endif
