/* The kinds of resources: those lists of the field table (rules/schema/schema.h) whose items have a
 * name and can be made, changed and removed one by one. Members, their types, ranges, defaults and
 * texts come from the field table. So a kind whose items are part of a model is one row here; a
 * kind with a home (home.h) also needs the file of that home.
 *
 *     virtual_networks   subnets, peerings            -/hub/dns-in
 *     resolvers          inbound_endpoints,           -/hub-resolver/inbound
 *                        outbound_endpoints
 *     private_zones      links, record_sets           -/corp.internal/hub, -/corp.internal/www:A
 *     rulesets           links, target_groups, rules  berlin/office/contoso
 *     network_interfaces
 *     private_endpoints  zone_groups                  berlin/store/default
 *     address_pools
 *     keys
 *     transfers
 *     clients (of the group management)
 *
 * A resource's path is GROUP/NAME, or GROUP/NAME/NAME for a resource inside another one. GROUP is
 * the member resource_group of the top-level resource, or "-" without one (GROUP_NONE, model.h).
 * The column `scope` says among which resources a name is unique. References between resources:
 * rules/schema/reference.h. */
#ifndef SLUICE_KIND_H
#define SLUICE_KIND_H

#include <jansson.h>
#include <stdbool.h>

#include "resolver/control/store/source.h"
#include "rules/arena.h"
#include "rules/err.h"
#include "rules/fault.h"
#include "rules/schema/model.h" /* GROUP_NONE */

struct field;
struct owned_resource;
struct home;       /* home.h */
struct item_calls; /* item.h */
struct schema_list;

/* Among which resources of its kind a top-level resource's name is unique. */
enum kind_scope {
	SCOPE_GROUP,    /* those of the same resource group; without one, those in no group */
	SCOPE_ALL,      /* all, because the name is global elsewhere; it may be in a group */
	SCOPE_NO_GROUP, /* all; it is in no group */
};

struct kind {
	unsigned id;               /* in the store; never reused for another kind */
	const char *name;          /* "rule" */
	const char *collection;    /* "rules": the key of its list inside its parent */
	const struct kind *parent; /* NULL: a top-level kind */
	const char *group;         /* the model's group that has the list; NULL: the model itself */
	const char *name_key;      /* the key of the name; NULL: "name" */
	const char *list;          /* the list's key in the model; NULL: the collection */
	enum kind_scope scope;     /* of a top-level kind */
	bool placed;               /* placing sets members that were not given (model_make_unnamed,
				    * model_place_endpoints) */
	/* Keeps the items if they may be too many for a model's lists; NULL: a list has them. */
	const struct home *home;
	/* Finds and lists the items for the APIs; NULL: as those of models. */
	const struct item_calls *items;
	bool guarded;       /* only administrators see it */
	const char *chosen; /* a member that the file must give, and the API may leave out: then
			     * a value is chosen (an address, from a pool); NULL: none */
	/* Completes an item read from the state: reads the file that holds its secret, for example,
	 * or refuses members that only the configuration file may have. NULL: nothing to
	 * complete. */
	void (*complete)(void *item, struct arena *arena, struct faults *faults);
};

extern const struct kind kinds[];
enum { KIND_COUNT = 20 }; /* kinds that are parts of a model; they come first in the array */
enum { KINDS_ALL = 24 };  /* with the kinds beside it (home.h) */

/* Kinds that are parts of a model, then (from 101) those beside it. */
enum {
	KIND_NETWORK = 1,
	KIND_SUBNET = 2,
	KIND_RESOLVER = 3,
	KIND_INBOUND = 4,
	KIND_OUTBOUND = 5,
	KIND_ZONE = 6,
	KIND_ZONE_LINK = 7,
	KIND_RULESET = 8,
	KIND_RULESET_LINK = 9,
	KIND_RULE = 10,
	KIND_POOL = 11,
	KIND_KEY = 12,
	KIND_TRANSFER = 13,
	KIND_CLIENT = 14,
	KIND_TARGET_GROUP = 15,
	KIND_RECORD_SET = 16,
	KIND_PEERING = 17,
	KIND_INTERFACE = 18,
	KIND_PRIVATE_ENDPOINT = 19,
	KIND_ZONE_GROUP = 20,
	KIND_ADDRESS = 101,
	KIND_SERVICE = 102,
	KIND_PTR = 103,
	KIND_GROUP = 104
};

/* Find a kind by its name; a kind of a model by its parent and collection; a kind by its id. NULL:
 * no such kind. */
const struct kind *kind_named(const char *name);
const struct kind *kind_of_collection(const struct kind *parent, const char *collection);
const struct kind *kind_of_id(unsigned id);
/* Finds a kind beside the model by its collection. NULL: no such kind. */
const struct kind *kind_beside(const char *collection);
/* Whether a home beside the model keeps the items: addresses, services, PTRs and groups. */
bool kind_is_beside(const struct kind *kind);

/* The field of the kind's list, in its parent's group or the model's; its ->group has the kind's
 * members. Lists of PTRs and groups are in schema_apart, because no model has them. */
const struct field *kind_field(const struct kind *kind);
/* Whether the API shows this field of the group as a member of the kind's resources. */
bool kind_has(const struct kind *kind, const struct field *field);
/* The scope of the kind, or of its parent. */
enum kind_scope kind_scope(const struct kind *kind);
/* Whether resources of this kind, or their parents, can be in resource groups. */
bool kind_has_groups(const struct kind *kind);
/* The kind's list inside an item of its parent, or inside a model. */
struct schema_list kind_list(const struct kind *kind, const void *in);
/* The key of the member that holds the name. */
const char *kind_name_key(const struct kind *kind);
/* The kind whose list is this field of the parent kind's group (parent NULL: of the model's); NULL:
 * none. */
const struct kind *kind_of_field(const struct kind *parent, const struct field *field);

enum { PATH_MAX_BYTES = SOURCE_PATH_MAX, PATH_URL_MAX = 2 * PATH_MAX_BYTES + 128 };

/* Identifies a resource by one name, or by two if its kind has a parent. */
struct path {
	const struct kind *kind;
	const char *group; /* of the top-level item; "-": in no group; NULL in a search: any
			    * group */
	const char *names[2];
};

/* An edit of one resource. */
struct resource_edit {
	struct path path;
	const json_t *values; /* the whole new values; NULL: removes the resource, if it exists,
			       * with everything inside it */
	/* Of a PTR: its address or service, if the caller has found it and no edit since then has
	 * changed it; this saves a read. NULL: not known. */
	const struct owned_resource *found;
};
struct edit_page { /* a part of a long list of edits */
	const struct resource_edit *edits;
	size_t count;
	bool more; /* other pages may follow, even if this one is empty */
};

/* Why edits of addresses, services, PTRs and groups are made. */
enum addresses_why {
	ADDRESSES_ANY,
	ADDRESSES_CLAIMED, /* the service's name is known to belong to its subscription */
	ADDRESSES_UNDO,    /* undoes another change: a group that the change made stays while it has
			    * other addresses */
	ADDRESSES_BACK, /* restores an earlier or agreed state: name ownership is not checked, a PTR
			 * without its address waits for it, and a group is removed whatever is in
			 * it */
	ADDRESSES_IMPORT, /* like BACK, but an existing address or service is a conflict (TAKEN),
			   * unless it is of the state and the values have its id */
};

/* Whether an edit restores resources that this server or another one had, so that fewer checks
 * apply. */
static inline bool addresses_restore(enum addresses_why why)
{
	return why == ADDRESSES_BACK || why == ADDRESSES_IMPORT;
}

/* The path's key in the store: in lower case, names percent-encoded, equal for equal resources, and
 * sorted after the parent's key. path->group must be a group or "-". ERR_LIMIT: longer than the
 * key of any resource. */
MUST_CHECK int path_key(const struct path *path, char key[PATH_MAX_BYTES]);
/* path_key for a kind beside the model; group NULL or "": none. */
MUST_CHECK int path_key_of(unsigned kind, const char *group, const char *name,
			   char key[PATH_MAX_BYTES]);
/* A range of keys, `from` included and `to` not: the resources inside the one with that key, or
 * only that one. */
struct key_range {
	char from[PATH_MAX_BYTES + 1], to[PATH_MAX_BYTES + 1];
};
void key_range_inside(struct key_range *range, const char *key);
void key_range_alone(struct key_range *range, const char *key);
/* Prints the path as in faults: "rulesets[office].rules[contoso]", or "rulesets[dev/office]" where
 * a name is unique only in its group. NULL without memory. */
const char *path_text(const struct path *path, struct arena *arena);
/* Copies the path with its texts into the arena. False without memory. */
MUST_CHECK bool path_copy(const struct path *path, struct arena *arena, struct path *copy);
/* The last name of the path. */
const char *path_name(const struct path *path);
/* Prints "rulesets/berlin/office/rules/contoso", the path after /v1/ in the API, with names
 * percent-encoded. Returns text. */
char *path_url(const struct path *path, char text[PATH_URL_MAX]);
/* path_url for the resource with this key in the store. */
char *key_url(const struct kind *kind, const char *key, char text[PATH_URL_MAX]);

#endif
