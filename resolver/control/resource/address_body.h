/* Request bodies of addresses, services, PTRs and groups, by the field table. */
#ifndef SLUICE_ADDRESS_BODY_H
#define SLUICE_ADDRESS_BODY_H

#include <jansson.h>

#include "resolver/control/resource/change_error.h"
#include "resolver/control/resource/kind.h"

/* Removes read-only members from a body, so that a client can send back what GET returned; from a
 * PTR's body, members of its address as well. */
void address_body_strip(const struct kind *kind, json_t *body);
/* Reads a body into the struct of the kind's field table; texts go into the arena. An empty text
 * counts as not given if the member is optional; a PTR must have reverse_fqdn, which may be null.
 * ERR_INVALID: `error` names the member. */
MUST_CHECK int address_body_read(const struct kind *kind, const json_t *body, void *item,
				 struct arena *arena, struct change_error *error);

#endif
