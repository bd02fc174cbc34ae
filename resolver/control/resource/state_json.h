/* The state as JSON, for backups and for moving it to another server: what the API has made, and
 * nothing of what the file says.
 *
 *     {"version": 1,
 *      "groups":    [{"name", "region", "tags": {}}],
 *      "addresses": [{"id", "name", "resource_group", "region", "address", "allocation",
 *                     "domain_name_label", "tags": {}, "azure": {}}],
 *      "services":  [{"id", "name", "address", "description", "tags": {}}],
 *      "ptrs":      [{"owner", "reverse_fqdn", "description", "ttl"}],
 *      "waiting":   [the same, of addresses and services that are not there now]}
 *
 * What is not given is left out. */
#ifndef SLUICE_STATE_JSON_H
#define SLUICE_STATE_JSON_H

#include <jansson.h>

#include "resolver/control/resource/change.h"

enum { STATE_JSON_VERSION = 1 };

/* All of it as text, to be freed, and how long that is; NULL: without memory, or it could not be
 * read (inventory_trouble). Of an inventory aside in any thread. */
char *state_export(struct inventory *inventory, size_t *length);

/* Makes the state what the document says: what the document does not have is removed, what both
 * have stays as it is. A PTR that waits in the document is set where its address is here. The
 * change is the caller's, of an inventory aside. On ERR_INVALID change_error names the place as
 * "addresses[3].region". */
MUST_CHECK int state_json_read(struct change *change, struct inventory *inventory,
			       const json_t *document);

/* What the document has of its PTR; NULL: it has none, or the file gives it. */
json_t *state_ptr_values(const struct owned_resource *resource);

#endif
