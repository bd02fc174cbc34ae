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

#include "resolver/control/resource/change_error.h"
#include "resolver/control/resource/resources.h"

enum { STATE_JSON_VERSION = 1 };

/* Returns the document as text, to be freed, and its length. NULL: out of memory, or the state
 * could not be read (resources_trouble). Another thread needs a copy (STORE_ASIDE, STORE_VIEW). */
char *state_export(struct resources *resources, size_t *length);

/* An import: edits (ADDRESSES_IMPORT) that make the resources of these kinds as in the document.
 * Resources that the document lacks are removed. A waiting PTR of the document is given to its
 * address, if that exists here. */
struct state_import;
/* Takes the document over. NULL without memory. */
struct state_import *state_import_new(json_t *document);
/* Sets the next page, which must be put before the next call; the page's texts may be those of
 * `resources`. Not to be called after the last page. ERR_INVALID: `error` says why, with the place
 * in the document, "addresses[3].region". */
MUST_CHECK int state_import_next(struct state_import *import, struct resources *resources,
				 struct edit_page *page, struct change_error *error);
/* Adds the place in the document to an edit's error; `index`: the edit's number in the page. */
void state_import_place(const struct state_import *import, size_t index,
			struct change_error *error);
void state_import_free(struct state_import *import); /* NULL is fine */

#endif
