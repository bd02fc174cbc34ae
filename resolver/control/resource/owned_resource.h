/* An address or a cloud service with all that is known of it: its values, by the table of fields
 * (struct owned_item), and what they come to. The inventory finds it, and change.h changes it.
 *
 *     the file's model ──► owned_declared ──┐
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

/* INACTIVE: there is no PTR. PENDING: the change is durable and published, and some worker has not
 * taken it up yet; `action` says which change. ERROR: it is not served, `reason` says why. */
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
	const struct kind *kind; /* of addresses, or of services */
	/* With the defaults filled in: its region, an id in lower case (the file's default is
	 * derived from the name), names with their final dot. The PTR may be from elsewhere than
	 * the rest: from the state, where the file declares an address without one. */
	struct owned_item item;
	const char *subscription; /* NULL: none */
	const char *fqdn;         /* its forward name with the final dot; NULL: none */
	uint32_t ttl_served;      /* of its PTR: its own, or reverse.ttl */
	enum ptr_status status;
	enum ptr_action action; /* of a row: the last one; as it is shown: only while PENDING */
	const char *reason;     /* with PTR_ERROR */
	bool ptr_is_declared;   /* by the file; item.origin has the place */
	uint64_t ptr_revision;  /* at which it was changed in the state; 0: never */
	uint64_t read_at;       /* so many edits there had been then (inventory.h) */
};

static inline bool owned_is_service(const struct owned_resource *resource)
{
	return resource->kind->id == KIND_SERVICE;
}

/* Whether the file declares it: it is read-only here. */
static inline bool owned_is_declared(const struct owned_resource *resource)
{
	return resource->item.origin.file != NULL;
}

/* Whether its PTR is a resource of its own: the state's, of what the file declares. */
static inline bool owned_has_ptr_of_state(const struct owned_resource *resource)
{
	return owned_is_declared(resource) && resource->item.reverse_fqdn &&
	       !resource->ptr_is_declared;
}

/* Whether its PTR gives this name, as DNS compares names; `fqdn` may lack its final dot. False
 * where resource or fqdn is NULL. */
bool owned_has_ptr(const struct owned_resource *resource, const char *fqdn);

/* A strong entity tag, quoted, the same after a restart. Returns text. */
char *owned_etag(const struct owned_resource *resource, char text[ETAG_MAX]);
/* The same without its PTR's status and its origin, for an API that shows neither. */
char *owned_version_etag(const struct owned_resource *resource, char text[ETAG_MAX]);

/* "address \"a\" of resource group \"g\" (FILE:LINE)", or with its id where it is from the state:
 * for people; returns text. */
enum { OWNED_TITLE_MAX = 512 };
const char *owned_title(const struct owned_resource *resource, char text[OWNED_TITLE_MAX]);

/* ---- where it comes from; texts are the model's or go into the arena ---- */

/* Of an item as a file has it, of KIND_ADDRESS or KIND_SERVICE. ERR_NOMEM. */
MUST_CHECK int owned_declared(struct owned_resource *resource, unsigned kind,
			      const struct owned_item *item, const struct model *model,
			      struct arena *arena);
/* As the state has it. ERR_INVALID: that was not written by sluice. */
MUST_CHECK int owned_of_row(struct owned_resource *resource, const struct source_resource *row,
			    const struct model *model, struct arena *arena);
/* The PTR of what the file declares without one, as the state has it. */
MUST_CHECK int owned_take_ptr_row(struct owned_resource *resource,
				  const struct source_resource *row, const struct model *model,
				  struct arena *arena);
/* The PTR of this item in the place of its own; texts stay the item's. */
void owned_take_ptr(struct owned_resource *resource, const struct owned_item *ptr,
		    const struct model *model);

static inline void owned_clear_ptr(struct owned_item *item)
{
	item->reverse_fqdn = item->ptr_description = NULL;
	item->ttl = NOT_GIVEN;
}
/* Whether both have the same PTR, or none. */
bool owned_is_same_ptr(const struct owned_item *a, const struct owned_item *b);

/* Its forward name, by all else; NULL: it has none. ERR_INVALID when it would be too long: it has
 * none then, and the text has what it would be. */
MUST_CHECK int owned_derive_fqdn(struct owned_resource *resource, const struct model *model,
				 char text[NAME_TEXT_MAX]);
/* The member that its forward name comes of. */
static inline const char *owned_fqdn_field(const struct owned_resource *resource)
{
	return owned_is_service(resource) ? "name" : "domain_name_label";
}
/* With its final dot. */
const char *owned_dotted(const char *name, char text[NAME_TEXT_MAX]);

/* ---- and where it goes to ---- */

/* Its values, with those of its PTR unless that is a resource of its own; and without; and those of
 * its PTR alone, which it has. */
json_t *owned_values(const struct owned_resource *resource);
json_t *owned_values_alone(const struct owned_resource *resource);
json_t *owned_ptr_values(const struct owned_resource *resource);
/* What the API shows of it, or, of KIND_PTR, of its PTR: each member, and what is known besides.
 * What is not there is null. NULL without memory. */
json_t *owned_show(const struct owned_resource *resource, unsigned kind);

/* What the state keeps of it, and of its PTR alone, as JSON to be freed; NULL without memory. */
char *owned_row_json(const struct owned_resource *resource);
char *owned_ptr_row_json(const struct owned_resource *resource);
/* What the state finds it by; texts are the resource's, or in the scratch. */
struct owned_scratch {
	char host[NAME_TEXT_MAX], group[NAME_TEXT_MAX];
};
struct source_keys owned_keys(const struct owned_resource *resource, struct owned_scratch *scratch);
struct source_keys owned_ptr_keys(const struct owned_resource *resource);
/* Its key in the state (resource/kind.h), by its kind, group and name. ERR_LIMIT. */
MUST_CHECK int owned_key(const struct owned_resource *resource, char key[PATH_MAX_BYTES]);

/* What the draft is to hold of it, and is not to hold any more. ERR_INVALID: its PTR is no name. */
MUST_CHECK int owned_serve(const struct owned_resource *resource, struct owned_draft *draft,
			   const struct hash_key *key, const struct model *model);
MUST_CHECK int owned_unserve(const struct owned_resource *resource, struct owned_draft *draft,
			     const struct hash_key *key);

#endif
