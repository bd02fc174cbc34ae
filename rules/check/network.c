/* Checks virtual networks: names, address spaces that Azure allows, their subnets, custom
 * servers. */
#include "rules/base.h"
#include "rules/check/internal.h"
#include "rules/policy/ruleset.h"

enum { SUBNET_LENGTH_MIN = 2, SUBNET_LENGTH_MAX = 29 };

/* Prefixes that an address space must not overlap: Azure's list, and similar ones of IPv6. */
static const char *const forbidden_spaces[] = {
	"224.0.0.0/4",    "255.255.255.255/32", "127.0.0.0/8",
	"169.254.0.0/16", "168.63.129.16/32",   "::/128",
	"::1/128",        "fe80::/10",          "ff00::/8",
};

static void check_space(struct check *check, const struct prefix *prefix,
			const struct origin *origin, const char *field)
{
	char text[PREFIX_TEXT_MAX];
	struct prefix forbidden;

	for (size_t i = 0; i < COUNT(forbidden_spaces); i++)
		if (prefix_parse(&forbidden, forbidden_spaces[i]) == 0 &&
		    prefix_overlaps(&forbidden, prefix))
			ERROR(check, origin, field,
			      "%s overlaps %s, which no virtual network may have; choose another",
			      prefix_print(prefix, text), forbidden_spaces[i]);
}

static const char *indexed(struct check *check, const char *key, size_t index)
{
	const char *text = arena_printf(&check->arena, "%s[%zu]", key, index);

	return text ? text : key;
}

static void check_spaces(struct check *check, const struct virtual_network *network)
{
	size_t count = network->address_space.count, placed = 0;
	struct placed_prefix *items = arena_alloc_array(&check->arena, count, sizeof *items);

	if (count == 0 && network->subnets.count > 0)
		ERROR(check, &network->origin, "address_space",
		      "is missing; give the prefixes that the subnets are within");
	check->out_of_memory |= !items;
	for (size_t i = 0; i < count; i++) {
		const struct prefix *prefix = &network->address_space.items[i];
		const char *field = indexed(check, "address_space", i);
		if (!prefix->address.family)
			continue;
		check_space(check, prefix, &network->origin, field);
		if (items)
			items[placed++] = (struct placed_prefix){*prefix, &network->origin, field,
								 "of this network too"};
	}
	check_overlaps(check, items, placed);
}

/* True also with a malformed space, which may have covered it. */
static bool is_inside(const struct virtual_network *network, const struct prefix *prefix)
{
	for (size_t i = 0; i < network->address_space.count; i++) {
		const struct prefix *space = &network->address_space.items[i];
		if (!space->address.family || prefix_covers(space, prefix))
			return true;
	}
	return false;
}

static void check_subnet(struct check *check, const struct virtual_network *network,
			 const struct subnet *subnet)
{
	const struct prefix *prefix = &subnet->prefix;
	char text[PREFIX_TEXT_MAX];

	if (!prefix->address.family)
		return;
	prefix_print(prefix, text);
	if (network->address_space.count > 0 && !is_inside(network, prefix))
		ERROR(check, &subnet->origin, "prefix",
		      "%s is outside the network's address space; use a prefix within it", text);
	if (prefix->address.family == 4 &&
	    (prefix->length < SUBNET_LENGTH_MIN || prefix->length > SUBNET_LENGTH_MAX))
		ERROR(check, &subnet->origin, "prefix",
		      "%s is not a possible size of a subnet; use a prefix from /%d to /%d", text,
		      SUBNET_LENGTH_MIN, SUBNET_LENGTH_MAX);
}

static void check_subnets(struct check *check, const struct virtual_network *network)
{
	size_t count = network->subnets.count, placed = 0;
	struct placed_prefix *items = arena_alloc_array(&check->arena, count, sizeof *items);
	uint32_t limit = check->model->limits.subnets_per_virtual_network;
	struct seen names = {0};

	check->out_of_memory |= !items;
	for (size_t i = 0; i < count; i++) {
		const struct subnet *subnet = &network->subnets.items[i];
		const char *what = arena_printf(&check->arena, "subnet \"%s\"",
						subnet->name ? subnet->name : "?");

		check->out_of_memory |= !what;
		check_unique(check, &names, subnet->name, &subnet->origin, "subnet");
		check_subnet(check, network, subnet);
		if (i == limit)
			check_count(check, count, limit, &subnet->origin, NULL,
				    "subnets_per_virtual_network");
		if (items && what && subnet->prefix.address.family)
			items[placed++] = (struct placed_prefix){subnet->prefix, &subnet->origin,
								 "prefix", what};
	}
	check_overlaps(check, items, placed);
}

static void check_peerings(struct check *check, const struct virtual_network *network)
{
	uint32_t limit = check->model->limits.peerings_per_virtual_network;
	size_t count = network->peerings.count;
	struct seen names = {0};

	for (size_t i = 0; i < count; i++) {
		const struct peering *peering = &network->peerings.items[i];

		check_unique(check, &names, peering->name, &peering->origin, "peering");
		if (i == limit)
			check_count(check, count, limit, &peering->origin, NULL,
				    "peerings_per_virtual_network");
	}
}

static void check_dns_servers(struct check *check, const struct virtual_network *network)
{
	char text[HOST_TEXT_MAX];
	struct seen servers = {0};

	if (network->dns_servers.count > LEG_UPSTREAMS_MAX)
		ERROR(check, &network->origin, "dns_servers",
		      "%zu servers, and at most %d are possible; remove some",
		      network->dns_servers.count, LEG_UPSTREAMS_MAX);
	for (size_t i = 0; i < network->dns_servers.count; i++) {
		const struct host *host = &network->dns_servers.items[i];
		const char *field = indexed(check, "dns_servers", i);
		if (!host->address.family)
			continue;
		check_server(check, host, &network->origin, field);
		if (seen_put(check, &servers, host_print(host, text), host))
			ERROR(check, &network->origin, field,
			      "%s is listed twice; keep one of them", text);
	}
}

void limits_check_networks(struct check *check)
{
	const struct model *model = check->model;
	struct seen names = {0};

	for (size_t i = 0; i < model->virtual_networks.count; i++) {
		const struct virtual_network *network = &model->virtual_networks.items[i];
		check_top(check, &names, &network->named, "virtual network");
		check_spaces(check, network);
		check_subnets(check, network);
		check_peerings(check, network);
		check_dns_servers(check, network);
	}
}
