#include "resolver/control/resource/kind.h"

#include <strings.h>

#include "resolver/control/base/percent.h"
#include "resolver/control/config/secret_files.h"
#include "resolver/control/http/client_secret.h"
#include "resolver/control/resource/home.h"
#include "resolver/control/resource/item.h"
#include "rules/schema/schema.h"
#include "rules/text.h"

enum {
	NETWORK,
	SUBNET,
	PEERING,
	RESOLVER,
	INBOUND,
	OUTBOUND,
	ZONE,
	ZONE_LINK,
	RECORD_SET,
	RULESET,
	RULESET_LINK,
	RULE,
	POOL,
	KEY,
	TRANSFER,
	CLIENT,
	TARGET_GROUP,
	INTERFACE,
	PRIVATE_ENDPOINT,
	ZONE_GROUP,
	ADDRESS,
	SERVICE,
	PTR,
	GROUP
};

static void complete_key(void *item, struct arena *arena, struct faults *faults)
{
	secret_files_read_key(item, arena, faults);
}

static void complete_client(void *item, struct arena *arena, struct faults *faults)
{
	(void)arena;
	http_secret_load(item, faults);
}

static void complete_zone(void *item, struct arena *arena, struct faults *faults)
{
	const struct private_zone *zone = item;

	(void)arena;
	if (zone->file)
		fault_add(faults, FAULT_ERROR, &zone->origin, "file",
			  "is for zones of the configuration file; leave it out, and import the "
			  "records (sluice zone import)");
}

const struct kind kinds[] = {
	[NETWORK] = {KIND_NETWORK, "network", "virtual_networks", NULL, .placed = true},
	[SUBNET] = {KIND_SUBNET, "subnet", "subnets", .parent = &kinds[NETWORK]},
	[PEERING] = {KIND_PEERING, "peering", "peerings", .parent = &kinds[NETWORK]},
	[RESOLVER] = {KIND_RESOLVER, "resolver", "resolvers", .parent = NULL},
	[INBOUND] = {KIND_INBOUND, "inbound-endpoint", "inbound_endpoints", &kinds[RESOLVER],
		     .placed = true},
	[OUTBOUND] = {KIND_OUTBOUND, "outbound-endpoint", "outbound_endpoints", &kinds[RESOLVER],
		      .placed = true},
	[ZONE] = {KIND_ZONE, "zone", "private_zones", NULL, .complete = complete_zone},
	[ZONE_LINK] = {KIND_ZONE_LINK, "zone-link", "links", .parent = &kinds[ZONE]},
	[RECORD_SET] = {KIND_RECORD_SET, "record-set", "record_sets", &kinds[ZONE],
			.home = &zones_home},
	[RULESET] = {KIND_RULESET, "ruleset", "rulesets", NULL, .placed = true},
	[RULESET_LINK] = {KIND_RULESET_LINK, "ruleset-link", "links", .parent = &kinds[RULESET]},
	[RULE] = {KIND_RULE, "rule", "rules", .parent = &kinds[RULESET]},
	[POOL] = {KIND_POOL, "address-pool", "address_pools", .parent = NULL},
	[KEY] = {KIND_KEY, "key", "keys", NULL, .scope = SCOPE_ALL, .complete = complete_key},
	[TRANSFER] = {KIND_TRANSFER, "transfer", "transfers", .parent = NULL},
	[CLIENT] = {KIND_CLIENT, "client", "clients", NULL, .group = "management", .name_key = "id",
		    .scope = SCOPE_ALL, .guarded = true, .complete = complete_client},
	[TARGET_GROUP] = {KIND_TARGET_GROUP, "target-group", "target_groups",
			  .parent = &kinds[RULESET]},
	[INTERFACE] = {KIND_INTERFACE, "network-interface", "network_interfaces", .parent = NULL},
	[PRIVATE_ENDPOINT] = {KIND_PRIVATE_ENDPOINT, "private-endpoint", "private_endpoints",
			      .parent = NULL},
	[ZONE_GROUP] = {KIND_ZONE_GROUP, "zone-group", "zone_groups",
			.parent = &kinds[PRIVATE_ENDPOINT]},
	[ADDRESS] = {KIND_ADDRESS, "address", "addresses", NULL, .home = &addresses_home,
		     .items = &items_of_addresses, .chosen = "address"},
	[SERVICE] = {KIND_SERVICE, "service", "services", NULL, .list = "cloud_services",
		     .scope = SCOPE_NO_GROUP, .home = &addresses_home,
		     .items = &items_of_addresses},
	[PTR] = {KIND_PTR, "ptr", "ptrs", NULL, .name_key = "address", .scope = SCOPE_NO_GROUP,
		 .home = &addresses_home, .items = &items_of_addresses},
	[GROUP] = {KIND_GROUP, "group", "groups", NULL, .scope = SCOPE_NO_GROUP,
		   .home = &addresses_home, .items = &items_of_groups},
};
_Static_assert(sizeof kinds / sizeof *kinds == KINDS_ALL, "those beside the model, too");
_Static_assert((int)ADDRESS == (int)KIND_COUNT, "those of a model come first");

const struct kind *kind_named(const char *name)
{
	for (size_t i = 0; i < KINDS_ALL; i++)
		if (strcasecmp(kinds[i].name, name) == 0)
			return &kinds[i];
	return NULL;
}

const struct kind *kind_of_collection(const struct kind *parent, const char *collection)
{
	for (size_t i = 0; i < KIND_COUNT; i++)
		if (kinds[i].parent == parent && strcasecmp(kinds[i].collection, collection) == 0)
			return &kinds[i];
	return NULL;
}

const struct kind *kind_of_id(unsigned id)
{
	for (size_t i = 0; i < KINDS_ALL; i++)
		if (kinds[i].id == id)
			return &kinds[i];
	return NULL;
}

bool kind_is_beside(const struct kind *kind)
{
	return kind->home && kind->home->beside;
}

const struct kind *kind_beside(const char *collection)
{
	for (size_t i = KIND_COUNT; i < KINDS_ALL; i++)
		if (strcasecmp(kinds[i].collection, collection) == 0)
			return &kinds[i];
	return NULL;
}

static const struct field *find_field(const struct kind *kind)
{
	const struct group *group = kind->parent ? kind_field(kind->parent)->group : &schema_model;
	const struct field *field;

	if (kind->group)
		group = schema_field(group, kind->group)->group;
	field = schema_field(group, kind->list ? kind->list : kind->collection);
	return field ? field : schema_field(&schema_apart, kind->collection);
}

/* Cached, because every lookup of an item needs this. */
const struct field *kind_field(const struct kind *kind)
{
	static _Atomic(const struct field *) known[KINDS_ALL];
	_Atomic(const struct field *) *own = &known[kind - kinds];

	if (!*own)
		*own = find_field(kind);
	return *own;
}

bool kind_has(const struct kind *kind, const struct field *field)
{
	return !field->secret && field->type != FIELD_GONE && !kind_of_field(kind, field);
}

enum kind_scope kind_scope(const struct kind *kind)
{
	return kind->parent ? kind->parent->scope : kind->scope;
}

bool kind_has_groups(const struct kind *kind)
{
	return kind_scope(kind) != SCOPE_NO_GROUP;
}

struct schema_list kind_list(const struct kind *kind, const void *in)
{
	size_t offset = kind->group ? schema_field(&schema_model, kind->group)->offset : 0;

	return schema_list_get(kind_field(kind), (const char *)in + offset);
}

const char *kind_name_key(const struct kind *kind)
{
	return kind->name_key ? kind->name_key : "name";
}

const struct kind *kind_of_field(const struct kind *parent, const struct field *field)
{
	return field->type == FIELD_LIST ? kind_of_collection(parent, field->key) : NULL;
}

/* ---- paths ---- */

int path_key(const struct path *path, char key[PATH_MAX_BYTES])
{
	const char *parts[] = {path->group, path->names[0],
			       path->kind->parent ? path->names[1] : NULL};
	char encoded[PATH_MAX_BYTES];
	size_t used = 0;

	for (size_t i = 0; i < 3 && parts[i]; i++) {
		size_t length;

		if (3 * strlen(parts[i]) + 5 > sizeof encoded)
			return ERR_LIMIT;
		length = strlen(percent_encode(encoded, sizeof encoded, parts[i]));
		if (used + length + 1 >= PATH_MAX_BYTES)
			return ERR_LIMIT;
		if (i > 0)
			key[used++] = '/';
		memcpy(key + used, encoded, length + 1);
		used += length;
	}
	text_lower(key);
	return 0;
}

int path_key_of(unsigned kind, const char *group, const char *name, char key[PATH_MAX_BYTES])
{
	const struct path path = {
		kind_of_id(kind), group && *group ? group : GROUP_NONE, {name, NULL}};

	return path_key(&path, key);
}

void key_range_inside(struct key_range *range, const char *key)
{
	snprintf(range->from, sizeof range->from, "%s/", key);
	snprintf(range->to, sizeof range->to, "%s0", key); /* '0' is the character after '/' */
}

void key_range_alone(struct key_range *range, const char *key)
{
	snprintf(range->from, sizeof range->from, "%s", key);
	snprintf(range->to, sizeof range->to, "%s\x01", key);
}

const char *path_text(const struct path *path, struct arena *arena)
{
	const struct kind *kind = path->kind;
	bool grouped = kind_scope(kind) == SCOPE_GROUP && path->group &&
		       strcmp(path->group, GROUP_NONE) != 0;
	const char *group = grouped ? path->group : "", *slash = grouped ? "/" : "";

	if (!kind->parent)
		return arena_printf(arena, "%s%s%s[%s%s%s]", kind->group ? kind->group : "",
				    kind->group ? "." : "", kind->collection, group, slash,
				    path->names[0]);
	return arena_printf(arena, "%s[%s%s%s].%s[%s]", kind->parent->collection, group, slash,
			    path->names[0], kind->collection, path->names[1]);
}

bool path_copy(const struct path *path, struct arena *arena, struct path *copy)
{
	bool good = true;

	*copy = *path;
	if (path->group)
		good = (copy->group = arena_strdup(arena, path->group));
	for (size_t i = 0; i < 2 && good; i++)
		if (path->names[i])
			good = (copy->names[i] = arena_strdup(arena, path->names[i]));
	return good;
}

const char *path_name(const struct path *path)
{
	return path->names[path->kind->parent != NULL];
}

char *path_url(const struct path *path, char text[PATH_URL_MAX])
{
	const struct kind *kind = path->kind;
	char group[PATH_MAX_BYTES], first[PATH_MAX_BYTES], second[PATH_MAX_BYTES];

	percent_encode(group, sizeof group, path->group);
	percent_encode(first, sizeof first, path->names[0]);
	if (kind->id == KIND_PTR) /* is in no group */
		snprintf(text, PATH_URL_MAX, "%s/%s", kind->collection, first);
	else if (kind->parent)
		snprintf(text, PATH_URL_MAX, "%s/%s/%s/%s/%s", kind->parent->collection, group,
			 first, kind->collection,
			 percent_encode(second, sizeof second, path->names[1]));
	else
		snprintf(text, PATH_URL_MAX, "%s/%s/%s", kind->collection, group, first);
	return text;
}

char *key_url(const struct kind *kind, const char *key, char text[PATH_URL_MAX])
{
	const char *slash = key;

	for (int i = 0; i < 2 && slash; i++)
		slash = strchr(slash + (i > 0), '/');
	if (!kind->parent || !slash)
		snprintf(text, PATH_URL_MAX, "%s/%s", kind->collection, key);
	else
		snprintf(text, PATH_URL_MAX, "%s/%.*s/%s%s", kind->parent->collection,
			 (int)(slash - key), key, kind->collection, slash);
	return text;
}
