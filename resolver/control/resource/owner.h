/* What may have a PTR: an address or a cloud service, as the inventory shows it. It is only read;
 * change.h changes it.
 *
 *     the file's model ──► owner_of_address, owner_of_service ──┐
 *     a row of the state ──► owner_of_row ──────────────────────┴──► struct owner ──► owner_serve
 *                  ▲                                                      │
 *                  └────────────── owner_values, owner_keys ◄─────────────┘ */
#ifndef SLUICE_OWNER_H
#define SLUICE_OWNER_H

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

enum owner_kind { OWNER_ADDRESS, OWNER_SERVICE };

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

struct owner_ptr {
	const char *fqdn; /* with its final dot, in the case it was given; NULL: there is no PTR */
	const char *description; /* may be NULL */
	bool ttl_given;
	uint32_t ttl; /* seconds that are served: its own, or reverse.ttl */
	enum ptr_status status;
	enum ptr_action action; /* of a row: the last one; as the inventory shows it: while PENDING
				 */
	const char *reason;     /* with PTR_ERROR */
	bool read_only;         /* the file gives it: owner.origin has the place */
	uint64_t revision;      /* in the state; 0: not from there */
};

struct owner {
	enum owner_kind kind;
	struct origin origin; /* of a file; origin.file NULL: from the state */
	const char *id;       /* lower-case UUID; the file's default is derived from the name */
	const char *name;
	const char *resource_group; /* NULL: none, and for services */
	const char *region;         /* NULL: none, and for services */
	const char *subscription;   /* NULL: none */
	struct address address;
	enum allocation allocation;
	const char *label;       /* domain_name_label; NULL: none */
	const char *fqdn;        /* its forward name with the final dot; NULL: none */
	const char *description; /* of a service; an address's is its PTR's */
	const char *tags;        /* a JSON object; NULL: none */
	uint64_t revision;       /* in the state; 0: not from there */
	uint64_t read_at;        /* so many edits there had been then (inventory.h) */
	struct owner_ptr ptr;
};

/* Whether its PTR gives this name, as DNS compares names; `fqdn` may lack its final dot. False
 * where owner or fqdn is NULL. */
bool owner_has_ptr(const struct owner *owner, const char *fqdn);

static inline bool owner_is_read_only(const struct owner *owner)
{
	return owner->origin.file != NULL;
}

/* A strong entity tag, quoted, the same after a restart. Returns text. */
char *owner_etag(const struct owner *owner, char text[ETAG_MAX]);
/* The same without its PTR's status and its origin, for an API that shows neither. */
char *owner_version_etag(const struct owner *owner, char text[ETAG_MAX]);

/* "address \"a\" of resource group \"g\" (FILE:LINE)", or with its id where it is from the state:
 * for people; returns text. */
enum { OWNER_TITLE_MAX = 512 };
const char *owner_title(const struct owner *owner, char text[OWNER_TITLE_MAX]);

/* ---- where its values come from; texts are the model's or go into the arena ---- */

/* As the file has it. ERR_NOMEM. */
MUST_CHECK int owner_of_address(struct owner *owner, const struct owned_address *address,
				const struct model *model, struct arena *arena);
MUST_CHECK int owner_of_service(struct owner *owner, const struct cloud_service *service,
				const struct model *model, struct arena *arena);
/* As the state has it. ERR_INVALID: that was not written by sluice. */
MUST_CHECK int owner_of_row(struct owner *owner, const struct source_resource *row,
			    const struct model *model, struct arena *arena);
/* A text of a row's values; its tags as JSON. NULL: it has none, or there is no memory (*err). */
const char *row_text(const json_t *values, const char *key, struct arena *arena, int *err);
const char *row_tags(const json_t *values, struct arena *arena, int *err);
/* The PTR of an owner that the file declares without one, as the state has it. */
MUST_CHECK int owner_take_ptr_row(struct owner_ptr *ptr, const struct source_resource *row,
				  const struct model *model, struct arena *arena);

/* Its forward name, by all else; NULL: it has none. ERR_INVALID when it would be too long: it has
 * none then, and the text has what it would be. */
MUST_CHECK int owner_derive_fqdn(struct owner *owner, const struct model *model,
				 char text[NAME_TEXT_MAX]);
/* With its final dot. */
const char *owner_dotted(const char *name, char text[NAME_TEXT_MAX]);

/* ---- and where they go to ---- */

/* What an export has of it, and of its PTR (NULL: it has none, or the file gives it). */
json_t *owner_object(const struct owner *owner);
json_t *owner_ptr_object(const struct owner *owner);
/* Whether its PTR is a resource of its own: the state's, of an owner of the file. */
bool owner_has_ptr_of_state(const struct owner *owner);
/* Its values with those of its PTR, unless that is one, wherever both are from. */
json_t *owner_whole_object(const struct owner *owner);
/* As the file would have it, with its PTR. Texts are the owner's, or go into the arena. ERR_NOMEM.
 */
MUST_CHECK int owner_to_address(const struct owner *owner, struct owned_address *address,
				struct arena *arena);
MUST_CHECK int owner_to_service(const struct owner *owner, struct cloud_service *service,
				struct arena *arena);
/* What the state keeps of it, and of its PTR alone, as JSON to be freed; NULL without memory. */
char *owner_values(const struct owner *owner);
char *owner_ptr_values(const struct owner_ptr *ptr);
/* What the state finds it by; texts are the owner's, or in the scratch. */
struct owner_scratch {
	char host[NAME_TEXT_MAX], group[NAME_TEXT_MAX];
};
struct source_keys owner_keys(const struct owner *owner, struct owner_scratch *scratch);
struct source_keys owner_ptr_keys(const struct owner_ptr *ptr);
/* Its key in the state (resource/kind.h), by its kind, group and name. ERR_LIMIT. */
MUST_CHECK int owner_key(const struct owner *owner, char key[PATH_MAX_BYTES]);
/* Of which kind (resource/kind.h) it is in the state. */
unsigned owner_kind_id(enum owner_kind kind);

/* What the draft is to hold of an owner, and is not to hold any more. ERR_INVALID: its PTR is no
 * name. */
MUST_CHECK int owner_serve(const struct owner *owner, struct owned_draft *draft,
			   const struct hash_key *key, const struct model *model);
MUST_CHECK int owner_unserve(const struct owner *owner, struct owned_draft *draft,
			     const struct hash_key *key);

#endif
