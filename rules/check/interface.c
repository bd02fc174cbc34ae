/* Checks network interfaces and private endpoints: their subnets and addresses. Each may name the
 * other, which need not exist, because Azure's clients make the two in either order.
 *
 * No interface can have the address of an inbound endpoint of its network, because an endpoint has
 * its own subnet, and the subnets of a network do not overlap. */
#include <stdlib.h>
#include <strings.h>

#include "rules/check/internal.h"
#include "rules/policy/registered.h"

struct referred_subnet { /* the result of a reference to a subnet */
	const struct virtual_network *network;
	const struct subnet *subnet; /* NULL: none */
};

struct interfaces {
	struct check *check;
	struct seen places;    /* "GROUP REFERENCE" -> struct referred_subnet, looked up once */
	struct seen addresses; /* "NETWORK ADDRESS" -> struct origin */
	struct seen machines;  /* a machine's label -> how many machines have it */
	bool crowded;          /* more machines have one label than a record set may have records */
};

/* Returns NULL only without memory. */
static const struct referred_subnet *find_place(struct interfaces *interfaces, const char *group,
						const char *text)
{
	struct check *check = interfaces->check;
	const char *key = seen_pair(check, group ? group : "", text);
	const struct referred_subnet *known = seen_get(&interfaces->places, key);
	struct virtual_network *network;
	struct referred_subnet *place;

	if (known)
		return known;
	place = arena_alloc(&check->arena, sizeof *place);
	check->out_of_memory |= !place;
	if (!place)
		return NULL;
	place->subnet = model_subnet_of(check->model, group, text, &network);
	place->network = network;
	seen_put(check, &interfaces->places, key, place);
	return place;
}

/* The place that a reference in an item of this group leads to. NULL and a fault: there is none, or
 * it is an endpoint's subnet. */
static const struct referred_subnet *check_place_of(struct interfaces *interfaces,
						    const char *group, const char *text,
						    const struct origin *origin)
{
	struct check *check = interfaces->check;
	const struct referred_subnet *place = text ? find_place(interfaces, group, text) : NULL;
	char why[REFERENCE_TEXT_MAX];

	if (!place)
		return NULL;
	if (!place->subnet) {
		ERROR(check, origin, "subnet", "%s",
		      reference_refusal(check->model, REFERS_SUBNET, group, text, why));
		return NULL;
	}
	if (check_is_delegated(place->subnet)) {
		ERROR(check, origin, "subnet",
		      "subnet \"%s\" is delegated to " ENDPOINT_DELEGATION
		      ", so an endpoint has it for itself; use another subnet",
		      place->subnet->name);
		return NULL;
	}
	return place;
}

static void check_region(struct check *check, const struct virtual_network *network,
			 const char *region, const struct origin *origin, const char *what)
{
	if (!check_same_region(check, region, network->region))
		ERROR(check, origin, "region",
		      "the %s is in %s and virtual network \"%s\" in %s; both must be in one "
		      "region",
		      what, check_region_text(check, region), full_name(&network->named),
		      check_region_text(check, network->region));
}

/* ---- network interfaces ---- */

static void check_address(struct interfaces *interfaces, const struct referred_subnet *place,
			  const struct ip_configuration *configuration)
{
	const struct prefix *prefix = &place->subnet->prefix;
	const struct address *address = &configuration->address;
	const struct origin *origin = &configuration->origin, *before;
	struct check *check = interfaces->check;
	char text[ADDRESS_TEXT_MAX], in[PREFIX_TEXT_MAX];

	if (!address->family || !prefix->address.family)
		return;
	prefix_print(prefix, in);
	address_print(address, text);
	if (!prefix_contains(prefix, address))
		ERROR(check, origin, "address", "%s is outside its subnet; use an address in %s",
		      text, in);
	else if (check_is_reserved(prefix, address))
		ERROR(check, origin, "address",
		      "%s is one of the first four or the last of %s, which are reserved; use "
		      "another",
		      text, in);
	before = seen_put(check, &interfaces->addresses,
			  seen_pair(check, full_name(&place->network->named), text), origin);
	if (before)
		ERROR(check, origin, "address",
		      "%s is the address of another ip configuration in virtual network \"%s\", at "
		      "%s; use another",
		      text, full_name(&place->network->named), check_place(check, before));
}

/* All addresses of an interface must be in one network, as in Azure. */
static void check_network_of(struct check *check, const struct virtual_network *first,
			     const struct virtual_network *network, const struct origin *origin)
{
	if (first != network)
		ERROR(check, origin, "subnet",
		      "it is in virtual network \"%s\", and the interface's first address in "
		      "\"%s\"; keep an interface in one network",
		      full_name(&network->named), full_name(&first->named));
}

static void check_configurations(struct interfaces *interfaces,
				 const struct network_interface *interface)
{
	struct check *check = interfaces->check;
	const struct ip_configuration *primary = NULL;
	const struct virtual_network *network = NULL;
	struct seen names = {0};

	if (IS_EMPTY(interface->ip_configurations))
		ERROR(check, &interface->origin, "ip_configurations",
		      "is empty; give at least one");
	for (size_t i = 0; i < interface->ip_configurations.count; i++) {
		const struct ip_configuration *configuration =
			&interface->ip_configurations.items[i];
		const struct origin *origin = &configuration->origin;
		const struct referred_subnet *place = check_place_of(
			interfaces, interface->resource_group, configuration->subnet, origin);

		check_unique(check, &names, configuration->name, origin, "ip configuration");
		if (configuration->primary && primary)
			ERROR(check, origin, "primary",
			      "the one at %s is primary already; mark one of them",
			      check_place(check, &primary->origin));
		if (configuration->primary)
			primary = configuration;
		if (!place)
			continue;
		check_address(interfaces, place, configuration);
		if (network)
			check_network_of(check, network, place->network, origin);
		else
			check_region(check, place->network, interface->region, &interface->origin,
				     "interface");
		network = network ? network : place->network;
	}
}

/* ---- machines of one name ---- */

/* An answer by TCP has room for so many AAAA records, with some room to spare. */
enum { MACHINES_MAX = 2000 };

static uint32_t machines_max(const struct check *check)
{
	uint32_t limit = check->model->limits.records_per_record_set;

	return limit < MACHINES_MAX ? limit : MACHINES_MAX;
}

static void count_machine(struct interfaces *interfaces, const struct network_interface *interface)
{
	const char *label = registered_label(interface);
	uint32_t *count =
		label ? seen_counter(interfaces->check, &interfaces->machines, label) : NULL;

	if (count && ++*count > machines_max(interfaces->check))
		interfaces->crowded = true;
}

static bool is_of_set(const struct machine *machine, const struct machine *first)
{
	return machine->zone == first->zone && machine->address.family == first->address.family &&
	       strcasecmp(machine->label, first->label) == 0;
}

/* The machines of one label have one record set for each address family in a zone where they
 * register. */
static void check_crowds(struct check *check)
{
	uint32_t limit = machines_max(check);
	struct machine *machines;
	size_t count, end;

	if (registered_machines(check->model, &machines, &count) != 0) {
		check->out_of_memory = true;
		return;
	}
	for (size_t i = 0; i < count; i = end) {
		for (end = i + 1; end < count && is_of_set(&machines[end], &machines[i]);)
			end++;
		if (end - i > limit)
			LIMIT_ERROR(check, "records_per_record_set", end - i,
				    &machines[i + limit].interface->origin, "label",
				    "%zu machines are called %s in %s, and at most %u may be; give "
				    "the others a label of their own, or raise "
				    "limits.records_per_record_set, which counts here up to %d",
				    end - i, machines[i].label, full_name(&machines[i].zone->named),
				    limit, MACHINES_MAX);
	}
	free(machines);
}

static void check_interface(struct interfaces *interfaces,
			    const struct network_interface *interface)
{
	const char *label = interface->label;
	const char *advice = label ? service_name_refusal(label) : NULL;

	count_machine(interfaces, interface);
	if (advice)
		ERROR(interfaces->check, &interface->origin, "label", "\"%s\" does not fit; %s",
		      label, advice);
	check_configurations(interfaces, interface);
}

/* ---- private endpoints ---- */

static void check_zone(struct check *check, const char *group,
		       const struct zone_configuration *configuration)
{
	char why[REFERENCE_TEXT_MAX];

	if (configuration->zone && !model_zone(check->model, group, configuration->zone))
		ERROR(check, &configuration->origin, "zone", "%s",
		      reference_refusal(check->model, REFERS_ZONE, group, configuration->zone,
					why));
}

static void check_zone_groups(struct check *check, const struct private_endpoint *endpoint)
{
	struct seen groups = {0};

	for (size_t i = 0; i < endpoint->zone_groups.count; i++) {
		const struct zone_group *group = &endpoint->zone_groups.items[i];
		struct seen names = {0};

		check_unique(check, &groups, group->name, &group->origin, "zone group");
		if (IS_EMPTY(group->zones))
			ERROR(check, &group->origin, "zones", "is empty; give at least one");
		for (size_t k = 0; k < group->zones.count; k++) {
			const struct zone_configuration *zone = &group->zones.items[k];

			check_unique(check, &names, zone->name, &zone->origin, "zone");
			check_zone(check, endpoint->resource_group, zone);
		}
	}
}

static void check_private_endpoint(struct interfaces *interfaces,
				   const struct private_endpoint *endpoint)
{
	const struct referred_subnet *place = check_place_of(interfaces, endpoint->resource_group,
							     endpoint->subnet, &endpoint->origin);

	if (place)
		check_region(interfaces->check, place->network, endpoint->region, &endpoint->origin,
			     "private endpoint");
	check_zone_groups(interfaces->check, endpoint);
}

void limits_check_interfaces(struct check *check)
{
	const struct model *model = check->model;
	struct interfaces interfaces = {.check = check};
	struct seen names = {0}, endpoints = {0};

	for (size_t i = 0; i < model->network_interfaces.count; i++) {
		const struct network_interface *interface = &model->network_interfaces.items[i];

		check_top(check, &names, &interface->named, "network interface");
		check_interface(&interfaces, interface);
	}
	if (interfaces.crowded)
		check_crowds(check);
	for (size_t i = 0; i < model->private_endpoints.count; i++) {
		const struct private_endpoint *endpoint = &model->private_endpoints.items[i];

		check_top(check, &endpoints, &endpoint->named, "private endpoint");
		check_private_endpoint(&interfaces, endpoint);
	}
}
