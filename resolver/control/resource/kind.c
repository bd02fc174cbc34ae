#include "resolver/control/resource/kind.h"

#include <strings.h>

#include "resolver/control/base/percent.h"
#include "rules/schema/schema.h"
#include "rules/text.h"

enum {
	NETWORK,
	SUBNET,
	RESOLVER,
	INBOUND,
	OUTBOUND,
	ZONE,
	ZONE_LINK,
	RECORD_SET,
	RULESET,
	RULESET_LINK,
	RULE,
	POOL
};

const struct kind kinds[KIND_COUNT] = {
	[NETWORK] = {1, "network", "virtual_networks", NULL},
	[SUBNET] = {2, "subnet", "subnets", &kinds[NETWORK]},
	[RESOLVER] = {3, "resolver", "resolvers", NULL},
	[INBOUND] = {4, "inbound-endpoint", "inbound_endpoints", &kinds[RESOLVER], .placed = true},
	[OUTBOUND] = {5, "outbound-endpoint", "outbound_endpoints", &kinds[RESOLVER],
		      .placed = true},
	[ZONE] = {6, "zone", "private_zones", NULL},
	[ZONE_LINK] = {7, "zone-link", "links", &kinds[ZONE]},
	[RECORD_SET] = {12, "record-set", "record_sets", &kinds[ZONE], .bulk = true},
	[RULESET] = {8, "ruleset", "rulesets", NULL},
	[RULESET_LINK] = {9, "ruleset-link", "links", &kinds[RULESET]},
	[RULE] = {10, "rule", "rules", &kinds[RULESET]},
	[POOL] = {11, "address-pool", "address_pools", NULL},
};

const struct kind *kind_named(const char *name)
{
	for (size_t i = 0; i < KIND_COUNT; i++)
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
	for (size_t i = 0; i < KIND_COUNT; i++)
		if (kinds[i].id == id)
			return &kinds[i];
	return NULL;
}

const struct field *kind_field(const struct kind *kind)
{
	const struct group *group = kind->parent ? kind_field(kind->parent)->group : &schema_model;

	return schema_field(group, kind->collection);
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
		if (3 * strlen(parts[i]) + 5 > sizeof encoded)
			return ERR_LIMIT;
		used += (size_t)snprintf(key + used, PATH_MAX_BYTES - used, "%s%s",
					 i > 0 ? "/" : "",
					 percent_encode(encoded, sizeof encoded, parts[i]));
		if (used >= PATH_MAX_BYTES)
			return ERR_LIMIT;
	}
	text_lower(key);
	return 0;
}

const char *path_text(const struct path *path, struct arena *arena)
{
	const struct kind *kind = path->kind;

	if (!kind->parent)
		return arena_printf(arena, "%s[%s]", kind->collection, path->names[0]);
	return arena_printf(arena, "%s[%s].%s[%s]", kind->parent->collection, path->names[0],
			    kind->collection, path->names[1]);
}

const char *path_name(const struct path *path)
{
	return path->names[path->kind->parent != NULL];
}
