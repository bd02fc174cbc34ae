/* Checks resolvers and their endpoints: their subnets, and the addresses in them. */
#include <strings.h>

#include "rules/check/internal.h"
#include "rules/text.h"

enum { RESERVED_FIRST = 4 }; /* and the last address; from Azure's virtual-networks FAQ */

static void check_endpoint_prefix(struct check *check, const struct subnet *subnet,
				  const struct origin *origin)
{
	const struct limit_values *limits = &check->model->limits;
	const struct prefix *prefix = &subnet->prefix;
	char text[PREFIX_TEXT_MAX];

	if (!prefix->address.family)
		return;
	prefix_print(prefix, text);
	if (prefix->address.family == 6)
		ERROR(check, origin, "subnet",
		      "subnet \"%s\" is IPv6 (%s); endpoints need an IPv4 subnet", subnet->name,
		      text);
	else if (prefix->length < limits->subnet_prefix_length_min ||
		 prefix->length > limits->subnet_prefix_length_max)
		LIMIT_ERROR(
			check,
			prefix->length < limits->subnet_prefix_length_min
				? "subnet_prefix_length_min"
				: "subnet_prefix_length_max",
			prefix->length, origin, "subnet",
			"subnet \"%s\" is %s, too %s for an endpoint; use a prefix from /%u to /%u "
			"(limits.subnet_prefix_length_min and _max)",
			subnet->name, text,
			prefix->length < limits->subnet_prefix_length_min ? "large" : "small",
			limits->subnet_prefix_length_min, limits->subnet_prefix_length_max);
}

bool check_is_delegated(const struct subnet *subnet)
{
	return subnet->delegation && strcasecmp(subnet->delegation, ENDPOINT_DELEGATION) == 0;
}

/* Allows one endpoint for each subnet, over all resolvers, and notes prefixes for check/pools.c. */
static void claim_subnet(struct check *check, const struct virtual_network *network,
			 const struct subnet *subnet, const struct origin *origin)
{
	const char *key = seen_pair(check, full_name(&network->named), subnet->name);
	const struct origin *before = seen_put(check, &check->endpoint_subnets, key, origin);

	if (before)
		ERROR(check, origin, "subnet",
		      "subnet \"%s\" holds the endpoint at %s already; give each endpoint a subnet "
		      "of its own",
		      subnet->name, check_place(check, before));
	else if (subnet->prefix.address.family && check->subnet_origins) {
		uint32_t index = (uint32_t)check->subnets.count;
		check->subnet_origins[index] = origin;
		if (prefix_table_add(&check->subnets, &check->arena, &subnet->prefix, index) != 0)
			check->out_of_memory = true;
	}
}

/* The endpoint's subnet, or NULL and a fault. */
static const struct subnet *check_endpoint_subnet(struct check *check,
						  const struct virtual_network *network,
						  const char *name, const struct origin *origin)
{
	const struct subnet *subnet;

	if (network && !name)
		ERROR(check, origin, "subnet",
		      "is missing; name one of the network's, which an address that is given is "
		      "in");
	if (!network || !name)
		return NULL;
	subnet = model_subnet(network, name);
	if (!subnet) {
		ERROR(check, origin, "subnet",
		      "there is no subnet \"%s\" in virtual network \"%s\"; name one of its "
		      "subnets",
		      name, full_name(&network->named));
		return NULL;
	}
	check_endpoint_prefix(check, subnet, origin);
	if (!check_is_delegated(subnet))
		ERROR(check, origin, "subnet",
		      "subnet \"%s\" is not delegated to endpoints; set its delegation = \"%s\"",
		      subnet->name, ENDPOINT_DELEGATION);
	claim_subnet(check, network, subnet, origin);
	return subnet;
}

bool check_is_reserved(const struct prefix *prefix, const struct address *address)
{
	uint64_t size = prefix_size(prefix);
	struct address reserved;

	for (uint32_t n = 0; n < RESERVED_FIRST; n++)
		if (prefix_nth(prefix, n, &reserved) && address_equal(&reserved, address))
			return true;
	return prefix_nth(prefix, (uint32_t)(size - 1), &reserved) &&
	       address_equal(&reserved, address);
}

static void check_inbound_address(struct check *check, const struct inbound_endpoint *endpoint,
				  const struct subnet *subnet)
{
	char address[ADDRESS_TEXT_MAX], prefix[PREFIX_TEXT_MAX];

	if (!endpoint->address.family && endpoint->allocation == ALLOCATION_STATIC) {
		ERROR(check, &endpoint->origin, "address",
		      "is missing; give one of the subnet's, or allocation = \"dynamic\"");
		return;
	}
	if (!subnet || subnet->prefix.address.family != 4)
		return;
	prefix_print(&subnet->prefix, prefix);
	address_print(&endpoint->address, address);
	if (!endpoint->address.family)
		ERROR(check, &endpoint->origin, "address",
		      "there is no free address in %s; use a larger subnet", prefix);
	else if (!prefix_contains(&subnet->prefix, &endpoint->address))
		ERROR(check, &endpoint->origin, "address",
		      "%s is outside the endpoint's subnet; use an address in %s", address, prefix);
	else if (check_is_reserved(&subnet->prefix, &endpoint->address))
		ERROR(check, &endpoint->origin, "address",
		      "%s is one of the first four or the last of %s, which are reserved; use "
		      "another",
		      address, prefix);
}

/* Networks may overlap, but a target that is one of our endpoints must mean exactly one. If two
 * also listen at the same host, check/listen.c reports that. */
static void check_unshared_address(struct check *check, const struct inbound_endpoint *endpoint,
				   struct seen *addresses)
{
	const struct inbound_endpoint *before;
	char text[ADDRESS_TEXT_MAX];

	if (!endpoint->address.family)
		return;
	before = seen_put(check, addresses, address_print(&endpoint->address, text), endpoint);
	if (before && !host_equal(&before->listen, &endpoint->listen))
		ERROR(check, &endpoint->origin, "address",
		      "%s is the address of the endpoint at %s already; use another", text,
		      check_place(check, &before->origin));
}

static void check_inbounds(struct check *check, const struct dns_resolver *resolver,
			   const struct virtual_network *network, struct seen *addresses)
{
	size_t count = resolver->inbound_endpoints.count;
	uint32_t limit = check->model->limits.inbound_endpoints_per_resolver;
	struct seen names = {0};

	for (size_t i = 0; i < count; i++) {
		const struct inbound_endpoint *endpoint = &resolver->inbound_endpoints.items[i];
		const struct origin *origin = &endpoint->origin;
		const struct subnet *subnet =
			check_endpoint_subnet(check, network, endpoint->subnet, origin);

		check_unique(check, &names, endpoint->name, origin, "inbound endpoint");
		check_inbound_address(check, endpoint, subnet);
		check_unshared_address(check, endpoint, addresses);
		if (i == limit)
			check_count(check, count, limit, origin, NULL,
				    "inbound_endpoints_per_resolver");
	}
}

static void check_outbounds(struct check *check, const struct dns_resolver *resolver,
			    const struct virtual_network *network)
{
	size_t count = resolver->outbound_endpoints.count;
	uint32_t limit = check->model->limits.outbound_endpoints_per_resolver;
	struct seen names = {0};
	char text[ADDRESS_TEXT_MAX];

	for (size_t i = 0; i < count; i++) {
		const struct outbound_endpoint *endpoint = &resolver->outbound_endpoints.items[i];
		const struct origin *origin = &endpoint->origin;

		check_endpoint_subnet(check, network, endpoint->subnet, origin);
		check_unique(check, &names, endpoint->name, origin, "outbound endpoint");
		if (address_is_multicast(&endpoint->source) ||
		    address_is_broadcast(&endpoint->source))
			ERROR(check, origin, "source",
			      "%s cannot be a source; give an address of this machine",
			      address_print(&endpoint->source, text));
		if (i == limit)
			check_count(check, count, limit, origin, NULL,
				    "outbound_endpoints_per_resolver");
	}
}

static void check_resolver_network(struct check *check, const struct dns_resolver *resolver,
				   const struct virtual_network *network, struct seen *per_network)
{
	uint32_t limit = check->model->limits.resolvers_per_virtual_network;
	const char *name = full_name(&network->named);
	uint32_t *count = seen_counter(check, per_network, name);

	if (count && ++*count > limit)
		LIMIT_ERROR(
			check, "resolvers_per_virtual_network", *count, &resolver->origin,
			"virtual_network",
			"virtual network \"%s\" has %u resolver%s, and at most %u %s allowed; use "
			"another network, or raise limits.resolvers_per_virtual_network",
			name, *count, text_plural(*count, "", "s"), limit,
			text_plural(limit, "is", "are"));
	if (network->encryption)
		ERROR(check, &resolver->origin, "virtual_network",
		      "virtual network \"%s\" is encrypted, and a resolver cannot be in such a "
		      "network; set its encryption = false or use another",
		      name);
	if (!check_same_region(check, resolver->region, network->region))
		ERROR(check, &resolver->origin, "region",
		      "the resolver is in %s and virtual network \"%s\" in %s; both must be in one "
		      "region",
		      check_region_text(check, resolver->region), name,
		      check_region_text(check, network->region));
}

static size_t count_endpoints(const struct model *model)
{
	size_t count = 0;

	for (size_t i = 0; i < model->resolvers.count; i++)
		count += model->resolvers.items[i].inbound_endpoints.count +
			 model->resolvers.items[i].outbound_endpoints.count;
	return count;
}

void limits_check_endpoints(struct check *check)
{
	const struct model *model = check->model;
	uint32_t limit = model->limits.resolvers_per_subscription;
	struct seen names = {0}, per_network = {0}, addresses = {0};

	check->subnet_origins = arena_alloc_array(&check->arena, count_endpoints(model),
						  sizeof *check->subnet_origins);
	check->out_of_memory |= !check->subnet_origins;
	for (size_t i = 0; i < model->resolvers.count; i++) {
		const struct dns_resolver *resolver = &model->resolvers.items[i];
		const struct origin *origin = &resolver->origin;
		const struct virtual_network *network =
			check_network(check, resolver->resource_group, resolver->virtual_network,
				      origin, "virtual_network");

		check_top(check, &names, &resolver->named, "resolver");
		if (i == limit)
			check_count(check, model->resolvers.count, limit, origin, NULL,
				    "resolvers_per_subscription");
		if (network)
			check_resolver_network(check, resolver, network, &per_network);
		check_inbounds(check, resolver, network, &addresses);
		check_outbounds(check, resolver, network);
	}
	prefix_table_build(&check->subnets);
}
