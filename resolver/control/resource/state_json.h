/* The state's addresses, services, PTRs and groups as JSON, for backups and for moving them to
 * another server: those that the API has made, none that the file declares.
 *
 *     {"version": 1,
 *      "groups":    [{"name", "region", "tags": {}}],
 *      "addresses": [{"id", "name", "resource_group", "region", "address", "allocation",
 *                     "domain_name_label", "tags": {}, "azure": {}}],
 *      "services":  [{"id", "name", "address", "description", "tags": {}}],
 *      "ptrs":      [{"owner", "reverse_fqdn", "description", "ttl"}],
 *      "waiting":   [like "ptrs", for missing addresses and services]}
 *
 * Values that are not given are left out. */
#ifndef SLUICE_STATE_JSON_H
#define SLUICE_STATE_JSON_H

#include <jansson.h>

#include "resolver/control/resource/address_draft.h"

enum { STATE_JSON_VERSION = 1 };

/* Returns the document as text, to be freed, and its length. NULL: out of memory, or the state
 * could not be read (inventory_trouble). Another thread needs a copy (STORE_ASIDE, STORE_VIEW). */
char *state_export(struct inventory *inventory, size_t *length);

/* Makes the resources of these kinds as in the document: removes others, and leaves equal ones as
 * they are. A waiting PTR of the document is set if its address exists here. The caller begins and
 * ends the draft, on a copy of the inventory. On ERR_INVALID draft_error names the place,
 * "addresses[3].region". */
MUST_CHECK int state_json_read(struct address_draft *draft, const json_t *document);

#endif
