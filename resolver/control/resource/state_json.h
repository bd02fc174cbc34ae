/* The state as JSON, for backups and for moving it to another server: what the API has made, and
 * nothing of what the file says.
 *
 *     {"version": 1,
 *      "groups":    [{"name", "region", "tags": {}}],
 *      "addresses": [{"id", "name", "resource_group", "region", "address", "allocation",
 *                     "domain_name_label", "tags": {}}],
 *      "services":  [{"id", "name", "address", "description", "tags": {}}],
 *      "ptrs":      [{"owner", "reverse_fqdn", "description", "ttl"}],
 *      "waiting":   [the same, of owners that are not there now]}
 *
 * What is not given is left out. */
#ifndef SLUICE_STATE_JSON_H
#define SLUICE_STATE_JSON_H

#include <jansson.h>

#include "resolver/control/resource/change.h"

enum { STATE_JSON_VERSION = 1 };

/* All of it as text, to be freed, and how long that is; NULL without memory. In any thread, while
 * the inventory is held. */
char *state_export(const struct inventory *inventory, size_t *length);

/* Adds all that the document has to a state that has nothing yet (remake.h). A PTR that waits there
 * is set where its owner is here. The change is the caller's. On ERR_INVALID change_error names the
 * place as "addresses[3].region". */
MUST_CHECK int state_json_read(struct change *change, const json_t *document);

#endif
