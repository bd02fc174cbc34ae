/* Checks pools, our addresses, cloud services, and their names. A reverse name in the configuration
 * is trusted: its form is checked, its ownership is not. pools.c checks places and names of
 * addresses, for the API, too. */
#include <strings.h>

#include "rules/check/internal.h"
#include "rules/owned/owned.h"
#include "rules/policy/reverse_zones.h"

struct owned_seen {            /* values: struct origin */
	struct seen addresses; /* "192.0.2.1" */
	struct seen names, ids, labels, services;
};

struct pool_zones {
	struct check *check;
	struct seen names; /* "64-127.100.51.198.in-addr.arpa." -> struct address_pool */
};

static void check_zone_name(struct pool_zones *zones, const struct address_pool *pool,
			    const char *name)
{
	const struct address_pool *before = seen_put(zones->check, &zones->names, name, pool);

	if (before && before != pool)
		ERROR(zones->check, &pool->origin, "zone",
		      "%s is the zone of the address pool at %s; choose another name", name,
		      check_place(zones->check, &before->origin));
}

/* Only a zone within an octet can have the name of a neighbour. */
static int on_pool_zone(void *context, const struct reverse_zone *zone)
{
	if (!zone->classless)
		return 0;
	check_zone_name(context, zone->pool, zone->origin);
	if (zone->alias)
		check_zone_name(context, zone->pool, zone->alias);
	return 0;
}

static void check_pool_zone(struct pool_zones *zones, const struct address_pool *pool)
{
	char text[NAME_TEXT_MAX];
	const char *why;

	if (!pool->prefix.address.family)
		return;
	why = pool->zone ? reverse_zone_refusal(&pool->prefix, pool->zone, text) : NULL;
	if (why)
		ERROR(zones->check, &pool->origin, "zone", "\"%s\" does not fit: %s", pool->zone,
		      why);
	else if (reverse_is_within_octet(&pool->prefix))
		reverse_each_pool_zone(pool, on_pool_zone, zones);
}

static void check_pools(struct check *check)
{
	const struct model *model = check->model;
	size_t count = model->address_pools.count, placed = 0;
	struct placed_prefix *items = arena_alloc_array(&check->arena, count, sizeof *items);
	struct seen names = {0};
	struct pool_zones zones = {.check = check};

	check->out_of_memory |= !items;
	for (size_t i = 0; i < count; i++) {
		const struct address_pool *pool = &model->address_pools.items[i];
		const char *what = arena_printf(&check->arena, "address pool \"%s\"",
						pool->name ? pool->name : "?");

		check->out_of_memory |= !what;
		check_top(check, &names, &pool->named, "address pool");
		check_pool_zone(&zones, pool);
		if (items && what && pool->prefix.address.family)
			items[placed++] =
				(struct placed_prefix){pool->prefix, &pool->origin, "prefix", what};
	}
	check_overlaps(check, items, placed);
}

static void check_place_of(struct check *check, const struct address *address, const char *region,
			   const struct origin *origin)
{
	char refusal[POOLS_TEXT_MAX];

	if (address->family && check_own_address(check, address, region, refusal))
		ERROR(check, origin, "address", "%s", refusal);
}

static void check_address(struct check *check, struct owned_seen *seen,
			  const struct address *address, const char *region,
			  const struct origin *origin)
{
	char text[ADDRESS_TEXT_MAX];
	const struct origin *before;

	if (!address->family)
		return;
	address_print(address, text);
	check_place_of(check, address, region, origin);
	before = seen_put(check, &seen->addresses, text, origin);
	if (before)
		ERROR(check, origin, "address",
		      "%s is given already, at %s; give each address once", text,
		      check_place(check, before));
}

static void check_reverse_fqdn(struct check *check, const char *fqdn, const struct origin *origin)
{
	const char *advice = reverse_fqdn_refusal(fqdn);

	if (advice)
		ERROR(check, origin, "reverse_fqdn", "\"%s\" is not a host's name; %s", fqdn,
		      advice);
}

/* `name`: derived from the field; NULL: none. */
static void check_forward_name(struct check *check, const char *name, const char *field,
			       const struct origin *origin)
{
	struct name parsed;

	if (name && name_from_text(&parsed, NULL, name) != 0)
		ERROR(check, origin, field,
		      "gives the name \"%.300s\", which is no domain name; a label has at most 63 "
		      "bytes, and none is empty",
		      name);
}

static void check_label(struct check *check, struct owned_seen *seen, const struct owned_item *item,
			const char *region)
{
	const struct origin *origin = &item->origin, *before;
	const char *label = item->domain_name_label;
	const char *advice = label ? label_refusal(label) : NULL;
	char text[NAME_TEXT_MAX];

	if (!label)
		return;
	if (advice) {
		ERROR(check, origin, "domain_name_label", "\"%s\" does not fit; %s", label, advice);
		return;
	}
	check_forward_name(check, owned_label_name(check->model, label, region, text),
			   "domain_name_label", origin);
	before = seen_put(check, &seen->labels, seen_pair(check, region ? region : "", label),
			  origin);
	if (before)
		ERROR(check, origin, "domain_name_label",
		      "\"%s\" is taken in this region, at %s; choose another", label,
		      check_place(check, before));
}

/* Warns of a description or a TTL of a PTR, if the item has no PTR. key: the description's
 * field. */
static void check_ptrs_own(struct check *check, const char *fqdn, const char *description,
			   const char *key, uint32_t ttl, const struct origin *origin)
{
	if (fqdn || (!description && ttl == NOT_GIVEN))
		return;
	WARN(check, origin, description ? key : "ttl",
	     "belongs to the PTR, so it has no effect without reverse_fqdn; give reverse_fqdn too, "
	     "or set both through the API");
}

static void check_id(struct check *check, struct owned_seen *seen, const char *id,
		     const struct origin *origin)
{
	const struct origin *before = id ? seen_put(check, &seen->ids, id, origin) : NULL;

	if (before)
		ERROR(check, origin, "id",
		      "%s is already the id of the address or service at %s; give another", id,
		      check_place(check, before));
}

static void check_owned_address(struct check *check, struct owned_seen *seen,
				const struct owned_item *item)
{
	const char *region = model_region(check->model, item->region);
	const struct origin *origin = &item->origin, *before;
	const char *group = item->resource_group ? item->resource_group : "";

	before = item->name ? seen_put(check, &seen->names, seen_pair(check, group, item->name),
				       origin)
			    : NULL;
	if (before)
		ERROR(check, origin, "name",
		      "there is an address \"%s\" in this resource group already, at %s; choose "
		      "another name",
		      item->name, check_place(check, before));
	if (strcmp(group, GROUP_NONE) == 0) /* other names of groups are allowed in a file */
		check_group(check, group, origin);
	check_id(check, seen, item->id, origin);
	check_address(check, seen, &item->address, region, origin);
	check_label(check, seen, item, region);
	check_reverse_fqdn(check, item->reverse_fqdn, origin);
	check_ptrs_own(check, item->reverse_fqdn, item->ptr_description, "description", item->ttl,
		       origin);
}

static void check_service(struct check *check, struct owned_seen *seen,
			  const struct owned_item *item)
{
	const struct origin *origin = &item->origin;
	const char *advice = item->name ? service_name_refusal(item->name) : NULL;
	char text[NAME_TEXT_MAX];

	check_unique(check, &seen->services, item->name, origin, "cloud service");
	if (advice)
		ERROR(check, origin, "name", "\"%s\" does not fit; %s", item->name, advice);
	else
		check_forward_name(check, owned_service_name(check->model, item->name, text),
				   "name", origin);
	check_address(check, seen, &item->address, NULL, origin);
	check_id(check, seen, item->id, origin);
	check_reverse_fqdn(check, item->reverse_fqdn, origin);
	check_ptrs_own(check, item->reverse_fqdn, item->ptr_description, "ptr_description",
		       item->ttl, origin);
}

/* Checks the places of the file's addresses again, because a change of resources may change their
 * pools and networks. */
static void check_places(struct check *check)
{
	const struct model *model = check->model;

	for (size_t i = 0; i < model->addresses.count; i++) {
		const struct owned_item *item = &model->addresses.items[i];

		check_place_of(check, &item->address, model_region(model, item->region),
			       &item->origin);
	}
	for (size_t i = 0; i < model->cloud_services.count; i++) {
		const struct owned_item *item = &model->cloud_services.items[i];

		check_place_of(check, &item->address, NULL, &item->origin);
	}
}

void limits_check_addresses(struct check *check)
{
	const struct model *model = check->model;
	struct owned_seen seen = {0};

	check_pools(check);
	check_index_pools(check);
	if (check->before)
		check_places(check);
	for (size_t i = 0; !check->before && i < model->addresses.count; i++)
		check_owned_address(check, &seen, &model->addresses.items[i]);
	for (size_t i = 0; !check->before && i < model->cloud_services.count; i++)
		check_service(check, &seen, &model->cloud_services.items[i]);
	check_network(check, NULL, model->reverse.resolve_in, &model->reverse.origin, "resolve_in");
}
