/* Addresses that are owned: pools, addresses, cloud services, and the names they ask for. A reverse
 * name in the configuration is the operator's word: its form is checked, its ownership is not.
 * There may be a million addresses, so pools and networks are looked up in prefix tables. */
#include <ctype.h>
#include <strings.h>

#include "rules/limits_internal.h"

struct owned {
	struct prefix_table pools;    /* value: index of the pool */
	struct prefix_table networks; /* address spaces */
	struct seen addresses;        /* "192.0.2.1" -> struct origin */
	struct seen names, ids, labels, services;
};

static void add_prefix(struct check *check, struct prefix_table *table, const struct prefix *prefix,
		       uint32_t value)
{
	if (prefix->address.family && prefix_table_add(table, &check->arena, prefix, value) != 0)
		check->out_of_memory = true;
}

static void check_pools(struct check *check, struct owned *owned)
{
	const struct model *model = check->model;
	size_t count = model->address_pools.count, placed = 0;
	struct placed_prefix *items = arena_alloc_array(&check->arena, count, sizeof *items);
	struct seen names = {0};

	check->out_of_memory |= !items;
	for (size_t i = 0; i < count; i++) {
		const struct address_pool *pool = &model->address_pools.items[i];
		const char *what = arena_printf(&check->arena, "address pool \"%s\"",
						pool->name ? pool->name : "?");
		check_unique(check, &names, pool->name, &pool->origin, "address pool");
		add_prefix(check, &owned->pools, &pool->prefix, (uint32_t)i);
		if (items && what && pool->prefix.address.family)
			items[placed++] =
				(struct placed_prefix){pool->prefix, &pool->origin, "prefix", what};
	}
	check_overlaps(check, items, placed);
	prefix_table_build(&owned->pools);
}

static void index_networks(struct check *check, struct owned *owned)
{
	const struct model *model = check->model;

	for (size_t i = 0; i < model->virtual_networks.count; i++)
		for (size_t k = 0; k < model->virtual_networks.items[i].address_space.count; k++)
			add_prefix(check, &owned->networks,
				   &model->virtual_networks.items[i].address_space.items[k],
				   (uint32_t)i);
	prefix_table_build(&owned->networks);
}

/* In a pool of its region, or private and in a network. `region` NULL: of any region. */
static bool is_ours(const struct check *check, const struct owned *owned,
		    const struct address *address, const char *region)
{
	const struct prefix_entry *entry = prefix_table_find(&owned->pools, address);
	const struct address_pool *pool =
		entry ? &check->model->address_pools.items[entry->value] : NULL;

	if (pool && (!pool->region || !region || strcasecmp(pool->region, region) == 0))
		return true;
	return address_is_private(address) && prefix_table_find(&owned->networks, address);
}

static void check_address(struct check *check, struct owned *owned, const struct address *address,
			  const char *region, const struct origin *origin)
{
	const struct prefix_entry *subnet;
	const struct origin *before;
	char text[ADDRESS_TEXT_MAX];

	if (!address->family)
		return;
	address_print(address, text);
	if (!is_ours(check, owned, address, region))
		ERROR(check, origin, "address",
		      "%s is in no address pool of its region%s%s, nor private and in a virtual "
		      "network; add the pool it is from",
		      text, region ? ", " : "", region ? region : "");
	before = seen_put(check, &owned->addresses, text, origin);
	if (before)
		ERROR(check, origin, "address", "%s is given at %s already; give each address once",
		      text, check_place(check, before));
	subnet = prefix_table_find(&check->subnets, address);
	if (subnet)
		ERROR(check, origin, "address",
		      "%s is in the subnet of the endpoint at %s, which holds nothing else; use "
		      "another subnet's",
		      text, check_place(check, check->subnet_origins[subnet->value]));
}

/* A host's name as a PTR gives it: no wildcard, not the root. */
static void check_reverse_fqdn(struct check *check, const char *fqdn, const struct origin *origin)
{
	struct name name;

	if (!check_name(&name, fqdn))
		return;
	if (name.labels == 0 || (name.wire[0] == 1 && name.wire[1] == '*'))
		ERROR(check, origin, "reverse_fqdn",
		      "\"%s\" is not a host's name; give one such as \"app1.contoso.com.\"", fqdn);
}

/* Azure's: ^[a-z][a-z0-9-]{1,61}[a-z0-9]$ */
static bool is_domain_label(const char *label)
{
	size_t length = strlen(label);

	if (length < 3 || length > 63 || !islower((unsigned char)label[0]) ||
	    label[length - 1] == '-')
		return false;
	for (size_t i = 0; i < length; i++)
		if (!islower((unsigned char)label[i]) && !isdigit((unsigned char)label[i]) &&
		    label[i] != '-')
			return false;
	return true;
}

static void check_label(struct check *check, struct owned *owned,
			const struct owned_address *address, const char *region)
{
	const struct origin *origin = &address->origin, *before;
	const char *label = address->domain_name_label;

	if (!label)
		return;
	if (!is_domain_label(label)) {
		ERROR(check, origin, "domain_name_label",
		      "\"%s\" does not fit; use 3 to 63 of a-z, 0-9 and '-', beginning with a "
		      "letter "
		      "and not ending in '-'",
		      label);
		return;
	}
	before = seen_put(check, &owned->labels, seen_pair(check, region ? region : "", label),
			  origin);
	if (before)
		ERROR(check, origin, "domain_name_label",
		      "\"%s\" is taken in this region, at %s; choose another", label,
		      check_place(check, before));
}

static void check_owned_address(struct check *check, struct owned *owned,
				const struct owned_address *address)
{
	const char *region = model_region(check->model, address->region);
	const struct origin *origin = &address->origin, *before;
	const char *group = address->resource_group ? address->resource_group : "";

	before = address->name ? seen_put(check, &owned->names,
					  seen_pair(check, group, address->name), origin)
			       : NULL;
	if (before)
		ERROR(check, origin, "name",
		      "there is an address \"%s\" in this resource group already, at %s; choose "
		      "another name",
		      address->name, check_place(check, before));
	before = address->id ? seen_put(check, &owned->ids, address->id, origin) : NULL;
	if (before)
		ERROR(check, origin, "id",
		      "%s is the id of the address at %s already; give another", address->id,
		      check_place(check, before));
	check_address(check, owned, &address->address, region, origin);
	check_label(check, owned, address, region);
	check_reverse_fqdn(check, address->reverse_fqdn, origin);
}

static bool is_service_name(const char *name)
{
	size_t length = strlen(name);

	if (length < 1 || length > 63 || name[0] == '-' || name[length - 1] == '-')
		return false;
	for (size_t i = 0; i < length; i++)
		if (!isalnum((unsigned char)name[i]) && name[i] != '-')
			return false;
	return true;
}

static void check_service(struct check *check, struct owned *owned,
			  const struct cloud_service *service)
{
	const struct origin *origin = &service->origin;

	check_unique(check, &owned->services, service->name, origin, "cloud service");
	if (service->name && !is_service_name(service->name))
		ERROR(check, origin, "name",
		      "\"%s\" does not fit; use 1 to 63 letters, digits and '-', with a letter or "
		      "digit at both ends",
		      service->name);
	check_address(check, owned, &service->address, NULL, origin);
	check_reverse_fqdn(check, service->reverse_fqdn, origin);
}

void limits_check_addresses(struct check *check)
{
	const struct model *model = check->model;
	struct owned owned = {0};

	check_pools(check, &owned);
	index_networks(check, &owned);
	for (size_t i = 0; i < model->addresses.count; i++)
		check_owned_address(check, &owned, &model->addresses.items[i]);
	for (size_t i = 0; i < model->cloud_services.count; i++)
		check_service(check, &owned, &model->cloud_services.items[i]);
	check_network(check, model->reverse.resolve_in, &model->reverse.origin, "resolve_in");
}
