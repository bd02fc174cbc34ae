/* The state as JSON, for backups and for moving it to another server: what the API has made, and
 * nothing of what the file says.
 *
 *     {"version": 1,
 *      "addresses": [{"id", "name", "resource_group", "region", "address", "allocation",
 *                     "domain_name_label", "tags": {}}],
 *      "services":  [{"id", "name", "address", "description", "tags": {}}],
 *      "ptrs":      [{"owner", "reverse_fqdn", "description", "ttl"}],
 *      "waiting":   [the same, of owners that are not there now]}
 *
 * What is not given is left out. PTRs that wait are told and not taken in: whose they are is not
 * known before their owners are there. */
#ifndef SLUICE_STATE_JSON_H
#define SLUICE_STATE_JSON_H

#include <jansson.h>

#include "resolver/control/change.h"

enum { STATE_JSON_VERSION = 1 };

/* NULL without memory. */
json_t *state_export(const struct inventory *inventory);

/* Makes the state what the document says, all of it: what the document lacks is removed (but for
 * PTRs that wait). The change is the caller's, who commits it. On ERR_INVALID change_error names
 * the place as "addresses[3].region". */
MUST_CHECK int state_import(struct change *change, const json_t *document);

#endif
