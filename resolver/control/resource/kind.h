/* The kinds of resources: what of the field table (rules/schema/schema.h) has a name and can be
 * made, changed and removed one by one. A kind is a list of the table: its members, their types,
 * ranges, defaults and texts are the table's. So a kind whose items are part of a model is one row
 * here; a kind with a home of its own takes more (README.md).
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
 * A resource's path is GROUP/NAME, or GROUP/NAME/NAME of one inside another; the group is the
 * member resource_group of what is at the top, and "-" where that has none (GROUP_NONE, model.h). A
 * name is unique in its group, but for keys and clients: theirs are unique over all groups. How one
 * resource refers to another is in rules/schema/reference.h. */
#ifndef SLUICE_KIND_H
#define SLUICE_KIND_H

#include <stdbool.h>

#include "rules/arena.h"
#include "rules/err.h"
#include "rules/fault.h"
#include "rules/schema/model.h" /* GROUP_NONE */

struct field;
struct schema_list;

struct kind {
	unsigned id;               /* in the store; never another kind's */
	const char *name;          /* "rule" */
	const char *collection;    /* "rules": its list's key, where it stands */
	const struct kind *parent; /* NULL: at the top */
	const char *group;         /* of the model, that has the list; NULL: the model itself */
	const char *name_key;      /* the member that is the name; NULL: "name" */
	const char *list;          /* its list's key in the model; NULL: the collection */
	bool placed;    /* something of it is found where it is not given (model_make_unnamed,
			 * model_place_endpoints) */
	bool inventory; /* too many to be part of a model: the inventory has them (inventory.h) */
	/* There may be very many: what is in the store is no item of a model, but is put into the
	 * zone that it is inside (resource/zones.h). */
	bool bulk;
	bool guarded;       /* shown to administrators alone */
	const char *chosen; /* a member that is required in the file and optional here: without it
			     * one is chosen (an address, from a pool); NULL: none */
	/* Behind an item of the state that was read: reads the file that holds its secret, say, or
	 * refuses what only the configuration file can have. NULL: there is nothing to do. */
	void (*complete)(void *item, struct arena *arena, struct faults *faults);
};

extern const struct kind kinds[];
enum { KIND_COUNT = 20 }; /* of those that are parts of a model, which come first */
enum { KINDS_ALL = 24 };  /* with those of the inventory */

/* The ids: of those that are parts of a model, and of those of the inventory. */
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

/* By name; by collection, with that parent; by id. NULL: there is none. */
const struct kind *kind_named(const char *name);
const struct kind *kind_of_collection(const struct kind *parent, const char *collection);
const struct kind *kind_of_id(unsigned id);
/* The inventory's kind of that collection. NULL: there is none. */
const struct kind *kind_of_inventory(const char *collection);

/* Its list, in the group of its parent or of the model; its members are kind_field(kind)->group.
 * That of PTRs and of groups is in schema_apart: no model has it. */
const struct field *kind_field(const struct kind *kind);
/* Whether that field of the group is a member of its resources, as the API shows them. */
bool kind_has(const struct kind *kind, const struct field *field);
/* Whether names of it, or of what it is in, are unique in their resource group alone. */
bool kind_is_named(const struct kind *kind);
/* Whether resource groups are for it, or for what it is in. */
bool kind_has_groups(const struct kind *kind);
/* The items of its list in that item of its parent, or in that model. */
struct schema_list kind_list(const struct kind *kind, const void *in);
/* The key of the member that is the name. */
const char *kind_name_key(const struct kind *kind);
/* The kind whose list the field of that kind's (NULL: of the model's) group is; NULL: none. */
const struct kind *kind_of_field(const struct kind *parent, const struct field *field);

enum { PATH_MAX_BYTES = 4096, PATH_URL_MAX = 2 * PATH_MAX_BYTES + 128 };

/* Which resource: of two names, or of one, where the kind has no parent. */
struct path {
	const struct kind *kind;
	const char *group; /* of the item at the top; "-": none; NULL in a search: any group */
	const char *names[2];
};

/* Its key in the store (the group is one, or "-"), in lower case, with names percent-encoded: the
 * same for what is the same resource, and sorted behind its parent's. ERR_LIMIT: longer than any
 * resource's.
 */
MUST_CHECK int path_key(const struct path *path, char key[PATH_MAX_BYTES]);
/* The same of a kind of the inventory's; group NULL or "": none. */
MUST_CHECK int path_key_of(unsigned kind, const char *group, const char *name,
			   char key[PATH_MAX_BYTES]);
/* Keys from one on and ahead of another: of what is inside what has this key, or of that alone. */
struct key_range {
	char from[PATH_MAX_BYTES + 1], to[PATH_MAX_BYTES + 1];
};
void key_range_inside(struct key_range *range, const char *key);
void key_range_alone(struct key_range *range, const char *key);
/* "rulesets[office].rules[contoso]", "rulesets[dev/office]", as faults have it: by full names where
 * names are unique in their group alone. NULL without memory. */
const char *path_text(const struct path *path, struct arena *arena);
/* With texts of its own, in the arena. False: there is no memory. */
MUST_CHECK bool path_copy(const struct path *path, struct arena *arena, struct path *copy);
/* The last of its names. */
const char *path_name(const struct path *path);
/* "rulesets/berlin/office/rules/contoso": the same behind /v1/ in the API, with names
 * percent-encoded. Returns text. */
char *path_url(const struct path *path, char text[PATH_URL_MAX]);
/* That of what has this key in the store. */
char *key_url(const struct kind *kind, const char *key, char text[PATH_URL_MAX]);

#endif
