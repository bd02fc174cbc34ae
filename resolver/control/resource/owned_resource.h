/* An address or a cloud service: its values, by the field table (struct owned_item), and the values
 * computed from them. addresses.h finds such resources, address_edits.h edits them.
 *
 *     the file's model ───► owned_of_file ──┐
 *     a row of the state ──► owned_of_row ──┴──► struct owned_resource ─┬─► owned_serve: the table
 *                  ▲                                                    ├─► owned_show: the API
 *                  └────────── owned_row_json, owned_keys ◄─────────────┘ */
#ifndef SLUICE_OWNED_RESOURCE_H
#define SLUICE_OWNED_RESOURCE_H

#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>

#include "resolver/control/base/uuid.h"
#include "resolver/control/resource/etag.h"
#include "resolver/control/resource/kind.h"
#include "resolver/control/store/source.h"
#include "rules/fault.h"
#include "rules/name.h"
#include "rules/owned/owned.h"
#include "rules/schema/model.h"

/* INACTIVE: no PTR. PENDING: the change is durable and published, but some worker does not serve it
 * yet; `action` says which change. ERROR: not served, `reason` says why. */
#define PTR_STATUS_MAP(X) X(INACTIVE) X(PENDING) X(ACTIVE) X(ERROR)
#define PTR_ACTION_MAP(X) X(NONE) X(CREATE) X(UPDATE) X(DELETE)
enum ptr_status {
#define X(name) PTR_##name,
	PTR_STATUS_MAP(X)
#undef X
};
enum ptr_action {
#define X(name) PTR_ACTION_##name,
	PTR_ACTION_MAP(X)
#undef X
};
const char *ptr_status_text(enum ptr_status status); /* "ACTIVE" */
const char *ptr_action_text(enum ptr_action action); /* "CREATE" */

struct owned_resource {
	const struct kind *kind; /* KIND_ADDRESS or KIND_SERVICE */
	/* Defaults are filled in: the region, an id in lower case (the file's default is derived
	 * from kind, group and name), the final dot of the PTR's name. The PTR may have another
	 * source than the rest: the state, for an item that the file declares without a PTR. */
	struct owned_item item;
	const char *subscription; /* NULL: none */
	const char *fqdn;         /* the forward name with the final dot; NULL: none */
	uint32_t ttl_served;      /* of the PTR: its own, or reverse.ttl */
	enum ptr_status status;
	enum ptr_action action; /* in a row: the last one; when shown: only while PENDING */
	const char *reason;     /* with PTR_ERROR */
	bool ptr_is_declared;   /* the file gives the PTR; item.origin has the place */
	uint64_t ptr_revision;  /* of the PTR's last change in the state; 0: never */
};

static inline bool owned_is_service(const struct owned_resource *resource)
{
	return resource->kind->id == KIND_SERVICE;
}

/* Whether the file declares the resource, so that it is read-only. */
static inline bool owned_is_declared(const struct owned_resource *resource)
{
	return resource->item.origin.file != NULL;
}

/* Whether the PTR is a resource of its own: from the state, for an item that the file declares. */
static inline bool owned_has_ptr_of_state(const struct owned_resource *resource)
{
	return owned_is_declared(resource) && resource->item.reverse_fqdn &&
	       !resource->ptr_is_declared;
}

/* Whether putting these values (NULL: removal) frees an address, a label or an id of this resource
 * of the state. Such edits come first where resources may have exchanged these. */
bool owned_gives_way(const struct owned_resource *resource, const json_t *values);

/* Whether the resource's PTR is this name, as DNS compares names; `fqdn` may lack its final dot.
 * False if resource or fqdn is NULL. */
bool owned_has_ptr(const struct owned_resource *resource, const char *fqdn);

/* Prints a strong entity tag, quoted, which survives a restart. Returns text. */
char *owned_etag(const struct owned_resource *resource, char text[ETAG_MAX]);
/* owned_etag without the PTR's status and the origin, for APIs that show neither. */
char *owned_version_etag(const struct owned_resource *resource, char text[ETAG_MAX]);
/* A hash of everything that owned_show shows, for etags. */
uint64_t owned_hash(const struct owned_resource *resource);

/* Describes the resource for people: "address \"a\" of resource group \"g\" (FILE:LINE)", or with
 * the id if it is from the state. Returns text. */
enum { OWNED_TITLE_MAX = 512 };
const char *owned_title(const struct owned_resource *resource, char text[OWNED_TITLE_MAX]);

/* ---- from the file or the state; texts are the model's or go into the arena ---- */

/* Builds the resource from an item that a file declares, of KIND_ADDRESS or KIND_SERVICE.
 * ERR_NOMEM. */
MUST_CHECK int owned_declared(struct owned_resource *resource, unsigned kind,
			      const struct owned_item *item, const struct model *model,
			      struct arena *arena);
/* Builds the resource from the item with this number in the model's file. The first address has 1;
 * services follow the last address. ERR_NOT_FOUND: there are fewer items; ERR_NOMEM. */
MUST_CHECK int owned_of_file(struct owned_resource *resource, size_t number,
			     const struct model *model, struct arena *arena);
/* Whether the row is of an address or a service, and has an id and an address. Another program may
 * have written such a row without these keys, or a row of another kind with them. */
bool owned_is_row(const struct source_resource *row);
/* Builds the resource from a row of the state. ERR_INVALID: sluice did not write that row. */
MUST_CHECK int owned_of_row(struct owned_resource *resource, const struct source_resource *row,
			    const struct model *model, struct arena *arena);
/* Takes the PTR from a row of the state, for an item that the file declares without one. */
MUST_CHECK int owned_take_ptr_row(struct owned_resource *resource,
				  const struct source_resource *row, const struct model *model,
				  struct arena *arena);
/* Replaces the resource's PTR by that of `ptr`; its texts stay those of `ptr`. */
void owned_take_ptr(struct owned_resource *resource, const struct owned_item *ptr,
		    const struct model *model);

static inline void owned_clear_ptr(struct owned_item *item)
{
	item->reverse_fqdn = item->ptr_description = NULL;
	item->ttl = NOT_GIVEN;
}
/* Whether both have the same PTR, or both none. */
bool owned_is_same_ptr(const struct owned_item *a, const struct owned_item *b);

/* Derives the forward name from the other values into `text`, and makes resource->fqdn point there;
 * NULL: none. ERR_INVALID: the name would be too long. Then the resource gets none, and `text` has
 * the long name. */
MUST_CHECK int owned_derive_fqdn(struct owned_resource *resource, const struct model *model,
				 char text[NAME_TEXT_MAX]);
/* The member that the forward name is derived from. */
static inline const char *owned_fqdn_field(const struct owned_resource *resource)
{
	return owned_is_service(resource) ? "name" : "domain_name_label";
}
/* Copies the name, with its final dot. */
const char *owned_dotted(const char *name, char text[NAME_TEXT_MAX]);

/* ---- to values, rows and the served table ---- */

/* owned_values: the resource's values with its PTR's. owned_values_alone: without the PTR's.
 * owned_ptr_values: the PTR's alone; it must exist. */
json_t *owned_values(const struct owned_resource *resource);
json_t *owned_values_alone(const struct owned_resource *resource);
json_t *owned_ptr_values(const struct owned_resource *resource);
/* The resource, or (KIND_PTR) its PTR, as the API shows it: all members and the computed values.
 * Missing tags are {}, other missing values are null. NULL without memory. */
json_t *owned_show(const struct owned_resource *resource, unsigned kind);

/* The state's row for the resource, or only for its PTR, as JSON to be freed; NULL without
 * memory. */
char *owned_row_json(const struct owned_resource *resource);
char *owned_ptr_row_json(const struct owned_resource *resource);
/* The keys by which the state finds the resource; texts are the resource's or in the scratch. */
struct owned_scratch {
	char host[NAME_TEXT_MAX], group[NAME_TEXT_MAX];
};
struct source_keys owned_keys(const struct owned_resource *resource, struct owned_scratch *scratch);
struct source_keys owned_ptr_keys(const struct owned_resource *resource);
/* The path's key in the state (resource/kind.h), from group and name. ERR_LIMIT. */
MUST_CHECK int owned_key(const struct owned_resource *resource, char key[PATH_MAX_BYTES]);

/* Add the resource to the draft of the served table, or remove it from there. ERR_INVALID: the PTR
 * is no name. */
MUST_CHECK int owned_serve(const struct owned_resource *resource, struct owned_draft *draft,
			   const struct hash_key *key, const struct model *model);
MUST_CHECK int owned_unserve(const struct owned_resource *resource, struct owned_draft *draft,
			     const struct hash_key *key);

#endif
