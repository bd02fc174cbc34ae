/* Addresses, cloud services and their PTRs as the /v1 API shows them: by the keys that the
 * configuration has (rules/schema/table.c), so that what was read may be sent back, and with what
 * is known besides. */
#ifndef SLUICE_REVERSE_JSON_H
#define SLUICE_REVERSE_JSON_H

#include <jansson.h>

#include "resolver/control/resource/owner.h"

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

#endif
