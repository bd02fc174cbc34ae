/* Makes items that a configuration needs but does not name, so that forwarding a domain takes only
 * a network, a ruleset and a rule:
 *
 *     a ruleset without outbound endpoints   those of the first resolver in its networks that has
 *                                            any
 *       no such network has a resolver       one in the first of them, named like it
 *       no such resolver has any             one in the first of them
 *       questions have no other way in       an inbound endpoint in the same resolver
 *     an endpoint without a subnet           one with addresses that no machine has; an
 *                                            inbound endpoint listens on loopback, and the
 *                                            system chooses the source of an outbound one
 *     a network without any prefix           loopback and private networks, if the VNet
 *                                            resolver tells networks apart by prefixes
 *
 * Only the current model counts, and named items always come first: made items are made again for
 * every model, are stored nowhere, and give way to named ones. So the result must be deterministic:
 * it depends only on the order of networks, links and resolvers.
 *
 * This file does not look at the machine: whether the server may listen on an address shows when
 * the model is served. */
#include <stdarg.h>
#include <stdlib.h>
#include <strings.h>

#include "rules/schema/reference.h"

#define DELEGATION "Microsoft.Network/dnsResolvers"
#define DEFAULT    "default"
#define MADE       "made " /* the start of a made item's path */

enum {
	SUBNET_LENGTH = 28, /* Azure's smallest for an endpoint */
	SPARE_LENGTH = 24,  /* a made address space, with room for 16 endpoints */
	FIRST_LISTEN = 127 << 24 | 1
};

/* Nobody uses 240.0.0.0/4 (RFC 1112 section 4), except its last address, which is broadcast. */
static const uint64_t SPARE_FIRST = UINT64_C(240) << 24, SPARE_END = UINT64_C(255) << 24;

struct resolver_place { /* a resolver and its network, by their indexes in the model */
	size_t network, resolver;
};

struct taken_name {
	const char *group, *name;
};

struct maker {
	struct model *model;
	size_t room, resolver_room;   /* of model->made, model->resolvers */
	struct prefix *named;         /* networks' prefixes in the spare addresses; sorted */
	size_t named_count, named_at; /* all before named_at are below `spare` */
	uint64_t spare;               /* the next address to try; 0: not searched yet */
	struct resolver_place *homes; /* of the resolvers, by network, in the model's order */
	size_t home_count;
	uint32_t *listens;              /* IPv4 addresses with a listener at port 53; sorted */
	size_t listen_count, listen_at; /* all before listen_at are below next_listen */
	uint32_t next_listen;           /* 0: not searched yet */
	struct taken_name *taken;       /* the resolvers' names; sorted */
	size_t taken_count;
	bool owns_networks, owns_rulesets;
	bool failed; /* there was no memory */
};

struct room {                            /* room for subnets in a network */
	struct virtual_network *network; /* NULL: none */
	uint64_t next, end;              /* in the last space made for it */
};

/* ---- lists ---- */

#define LIST(list) &(list), sizeof *(list).items

struct any_list {
	void *items;
	size_t count;
};

/* Copies the list into this model's memory, with room for `more` items; false without memory. */
static bool own(struct maker *maker, void *list, size_t size, size_t more)
{
	struct any_list any;
	void *items;

	memcpy(&any, list, sizeof any);
	items = arena_alloc_array(&maker->model->arena, any.count + more, size);
	maker->failed |= !items;
	if (!items)
		return false;
	if (any.count > 0)
		memcpy(items, any.items, any.count * size);
	any.items = items;
	memcpy(list, &any, sizeof any);
	return true;
}

/* Appends an item, all zero; NULL without memory. */
static void *append(struct maker *maker, void *list, size_t size)
{
	struct any_list any;

	if (!own(maker, list, size, 1))
		return NULL;
	memcpy(&any, list, sizeof any);
	any.count++;
	memcpy(list, &any, sizeof any);
	return (char *)any.items + (any.count - 1) * size;
}

/* Makes room for another item of the list, which has room for *room. False without memory. */
static bool reserve(struct maker *maker, void *list, size_t size, size_t *room)
{
	struct any_list any;

	memcpy(&any, list, sizeof any);
	if (any.count < *room)
		return true;
	if (!own(maker, list, size, any.count + 16))
		return false;
	*room = 2 * any.count + 16;
	return true;
}

/* Copies the networks before a change, because the items of the file and of parts are shared with
 * other models. False without memory. */
static bool own_networks(struct maker *maker)
{
	if (!maker->owns_networks)
		maker->owns_networks = own(maker, LIST(maker->model->virtual_networks), 0);
	return maker->owns_networks;
}

static struct forwarding_ruleset *own_ruleset(struct maker *maker, size_t index)
{
	struct model *model = maker->model;

	if (!maker->owns_rulesets)
		maker->owns_rulesets = own(maker, LIST(model->rulesets), 0);
	return maker->owns_rulesets ? &model->rulesets.items[index] : NULL;
}

static const char *text(struct maker *maker, const char *format, ...)
	__attribute__((format(printf, 2, 3)));
static const char *text(struct maker *maker, const char *format, ...)
{
	va_list arguments;
	const char *made;

	va_start(arguments, format);
	made = arena_vprintf(&maker->model->arena, format, arguments);
	va_end(arguments);
	maker->failed |= !made;
	return made ? made : "";
}

static const char *known(const char *name)
{
	return name ? name : "?"; /* a missing name has a fault already */
}

static const char *called(const struct named *item)
{
	return known(full_name(item));
}

/* Notes a made item. Returns its origin, with the place of the item that it was made for, so that
 * faults lead there. */
static struct origin note(struct maker *maker, const struct origin *cause, const char *path,
			  const char *value, const char *because)
{
	struct model *model = maker->model;
	struct origin origin = {
		.file = cause->file, .line = cause->line, .path = text(maker, MADE "%s", path)};

	if (reserve(maker, LIST(model->made), &maker->room))
		model->made.items[model->made.count++] = (struct made){path, value, because};
	return origin;
}

/* ---- subnets ---- */

static uint32_t number(const struct address *address)
{
	const uint8_t *bytes = address->bytes;

	return (uint32_t)bytes[0] << 24 | (uint32_t)bytes[1] << 16 | (uint32_t)bytes[2] << 8 |
	       bytes[3];
}

static struct prefix prefix_at(uint32_t at, uint8_t length)
{
	return (struct prefix){
		{4, {(uint8_t)(at >> 24), (uint8_t)(at >> 16), (uint8_t)(at >> 8), (uint8_t)at}},
		length};
}

static int compare_prefixes(const void *left, const void *right)
{
	return prefix_compare(left, right);
}

/* Indexes the networks' prefixes within the spare addresses. False without memory. */
static bool index_named(struct maker *maker)
{
	const struct model *model = maker->model;
	const struct prefix spare = prefix_at((uint32_t)SPARE_FIRST, 4);
	size_t count = 0;

	for (size_t n = 0; n < model->virtual_networks.count; n++)
		count += model->virtual_networks.items[n].address_space.count;
	maker->named = arena_alloc_array(&maker->model->arena, count, sizeof *maker->named);
	maker->failed |= !maker->named;
	if (!maker->named)
		return false;
	for (size_t n = 0; n < model->virtual_networks.count; n++) {
		const struct virtual_network *network = &model->virtual_networks.items[n];

		for (size_t i = 0; i < network->address_space.count; i++)
			if (prefix_overlaps(&spare, &network->address_space.items[i]))
				maker->named[maker->named_count++] =
					network->address_space.items[i];
	}
	qsort(maker->named, maker->named_count, sizeof *maker->named, compare_prefixes);
	maker->spare = SPARE_FIRST;
	return true;
}

/* Finds the next prefix of this length that no network has; false: none is left, or no memory. */
static bool find_spare(struct maker *maker, uint8_t length, struct prefix *found)
{
	uint64_t size = UINT64_C(1) << (32 - length);

	if (maker->spare == 0 && !index_named(maker))
		return false;
	for (; maker->named_at < maker->named_count; maker->named_at++) {
		const struct prefix *named = &maker->named[maker->named_at];
		uint64_t first = number(&named->address), end = first + prefix_size(named);

		if (first >= maker->spare + size)
			break;
		if (end > maker->spare)
			maker->spare = (end + size - 1) & ~(size - 1);
	}
	if (maker->spare + size > SPARE_END)
		return false;
	*found = prefix_at((uint32_t)maker->spare, length);
	maker->spare += size;
	return true;
}

/* Adds unused address space to the network. False: there is none. */
static bool add_space(struct maker *maker, struct room *room, uint8_t subnet_length)
{
	uint8_t length = subnet_length < SPARE_LENGTH ? subnet_length : SPARE_LENGTH;
	struct virtual_network *network = room->network;
	char printed[PREFIX_TEXT_MAX];
	struct prefix spare, *space;

	if (!find_spare(maker, length, &spare))
		return false;
	space = append(maker, LIST(network->address_space));
	if (!space)
		return false;
	*space = spare;
	room->next = number(&spare.address);
	room->end = room->next + prefix_size(&spare);
	note(maker, &network->origin,
	     text(maker, "virtual_networks[%s].address_space", called(&network->named)),
	     text(maker, "%s", prefix_print(&spare, printed)),
	     "endpoints without a subnet are in it, at addresses that no machine has");
	return true;
}

/* A new subnet name in the network: "default-inbound", "default-inbound-2". */
static const char *subnet_name(struct maker *maker, const struct virtual_network *network,
			       const char *endpoint, const char *direction)
{
	const char *name = text(maker, "%s-%s", endpoint, direction);

	for (unsigned n = 2; !maker->failed && model_subnet(network, name); n++)
		name = text(maker, "%s-%s-%u", endpoint, direction, n);
	return name;
}

/* Adds a subnet for the endpoint and returns its name; NULL: there is no network, room or
 * memory. */
static const char *add_subnet(struct maker *maker, struct room *room,
			      const struct dns_resolver *resolver, const struct origin *cause,
			      const char *endpoint, const char *direction)
{
	struct virtual_network *network = room->network;
	const struct limit_values *limits = &maker->model->limits;
	uint32_t longest = limits->subnet_prefix_length_max;
	uint8_t length = longest && longest < SUBNET_LENGTH ? (uint8_t)longest : SUBNET_LENGTH;
	char printed[PREFIX_TEXT_MAX];
	struct prefix prefix;
	struct subnet *subnet;

	if (!network || !endpoint)
		return NULL;
	if (length < limits->subnet_prefix_length_min)
		length = (uint8_t)limits->subnet_prefix_length_min;
	if (room->next == room->end && !add_space(maker, room, length))
		return NULL;
	prefix = prefix_at((uint32_t)room->next, length);
	room->next += prefix_size(&prefix);
	const char *name = subnet_name(maker, network, endpoint, direction);
	subnet = append(maker, LIST(network->subnets));
	if (!subnet)
		return NULL;
	subnet->name = name;
	subnet->prefix = prefix;
	subnet->delegation = DELEGATION;
	subnet->origin =
		note(maker, cause,
		     text(maker, "virtual_networks[%s].subnets[%s]", called(&network->named), name),
		     text(maker, "%s", prefix_print(&prefix, printed)),
		     text(maker, "%s endpoint \"%s/%s\" names no subnet", direction,
			  called(&resolver->named), endpoint));
	return name;
}

/* ---- endpoints ---- */

static int compare_numbers(const void *a, const void *b)
{
	uint32_t left = *(const uint32_t *)a, right = *(const uint32_t *)b;

	return left < right ? -1 : left > right;
}

static void add_listen(struct maker *maker, const struct host *host)
{
	if (host->address.family == 4 && host->port == DNS_PORT)
		maker->listens[maker->listen_count++] = number(&host->address);
}

/* False without memory. */
static bool index_listens(struct maker *maker)
{
	const struct model *model = maker->model;
	size_t count = model->vnet_resolver.listen.count;

	for (size_t r = 0; r < model->resolvers.count; r++)
		count += model->resolvers.items[r].inbound_endpoints.count;
	maker->listens = arena_alloc_array(&maker->model->arena, count, sizeof *maker->listens);
	maker->failed |= !maker->listens;
	if (!maker->listens)
		return false;
	for (size_t i = 0; i < model->vnet_resolver.listen.count; i++)
		add_listen(maker, &model->vnet_resolver.listen.items[i]);
	for (size_t r = 0; r < model->resolvers.count; r++)
		for (size_t i = 0; i < model->resolvers.items[r].inbound_endpoints.count; i++)
			add_listen(maker,
				   &model->resolvers.items[r].inbound_endpoints.items[i].listen);
	qsort(maker->listens, maker->listen_count, sizeof *maker->listens, compare_numbers);
	maker->next_listen = FIRST_LISTEN;
	return true;
}

/* The next free loopback address from 127.0.0.1 on: each one is this machine (RFC 1122 section
 * 3.2.1.3). */
static struct host free_loopback(struct maker *maker)
{
	if (maker->next_listen == 0 && !index_listens(maker))
		return (struct host){.port = 0};
	for (; maker->listen_at < maker->listen_count &&
	       maker->listens[maker->listen_at] <= maker->next_listen;
	     maker->listen_at++)
		maker->next_listen += maker->listens[maker->listen_at] == maker->next_listen;
	return (struct host){prefix_at(maker->next_listen++, 32).address, DNS_PORT};
}

static void complete_inbound(struct maker *maker, struct room *room,
			     const struct dns_resolver *resolver, struct inbound_endpoint *endpoint)
{
	char printed[HOST_TEXT_MAX];

	if (endpoint->subnet || endpoint->allocation == ALLOCATION_STATIC ||
	    endpoint->address.family)
		return;
	endpoint->subnet =
		add_subnet(maker, room, resolver, &endpoint->origin, endpoint->name, "inbound");
	if (!endpoint->subnet || endpoint->listen.address.family)
		return;
	endpoint->listen = free_loopback(maker);
	if (!endpoint->listen.address.family)
		return;
	note(maker, &endpoint->origin,
	     text(maker, "resolvers[%s].inbound_endpoints[%s].listen", called(&resolver->named),
		  endpoint->name),
	     text(maker, "%s", host_print(&endpoint->listen, printed)),
	     "it names no place, and an address of a made subnet is none of this machine's");
}

static void complete_outbound(struct maker *maker, struct room *room,
			      const struct dns_resolver *resolver,
			      struct outbound_endpoint *endpoint)
{
	if (endpoint->subnet)
		return;
	endpoint->subnet =
		add_subnet(maker, room, resolver, &endpoint->origin, endpoint->name, "outbound");
	endpoint->is_anywhere = endpoint->subnet != NULL;
}

static void add_inbound(struct maker *maker, struct dns_resolver *resolver,
			const struct forwarding_ruleset *ruleset)
{
	struct inbound_endpoint *endpoint = append(maker, LIST(resolver->inbound_endpoints));

	if (!endpoint)
		return;
	endpoint->name = DEFAULT;
	endpoint->origin =
		note(maker, &ruleset->origin,
		     text(maker, "resolvers[%s].inbound_endpoints[" DEFAULT "]",
			  called(&resolver->named)),
		     NULL,
		     text(maker,
			  "there is no VNet resolver, and no inbound endpoint in a network of "
			  "ruleset \"%s\"",
			  called(&ruleset->named)));
}

static void add_outbound(struct maker *maker, struct dns_resolver *resolver,
			 const struct forwarding_ruleset *ruleset)
{
	struct outbound_endpoint *endpoint = append(maker, LIST(resolver->outbound_endpoints));

	if (!endpoint)
		return;
	endpoint->name = DEFAULT;
	endpoint->origin = note(maker, &ruleset->origin,
				text(maker, "resolvers[%s].outbound_endpoints[" DEFAULT "]",
				     called(&resolver->named)),
				NULL,
				text(maker, "ruleset \"%s\" names none, and the resolver has none",
				     called(&ruleset->named)));
}

/* ---- resolvers ---- */

static int compare_homes(const void *a, const void *b)
{
	const struct resolver_place *left = a, *right = b;

	if (left->network != right->network)
		return left->network < right->network ? -1 : 1;
	return left->resolver < right->resolver ? -1 : 1;
}

/* The index of the network that the text refers to; the number of networks: none. */
static size_t network_at(const struct model *model, const struct named *of, const char *text)
{
	const struct virtual_network *network = model_network(model, of->resource_group, text);

	return network ? (size_t)(network - model->virtual_networks.items)
		       : model->virtual_networks.count;
}

/* The index of the network's first resolver in `homes`, or where it belongs. */
static size_t place_of(const struct maker *maker, size_t network)
{
	size_t low = 0, high = maker->home_count;

	while (low < high) {
		size_t middle = low + (high - low) / 2;

		if (maker->homes[middle].network < network)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

static bool is_home(const struct maker *maker, size_t at, size_t network)
{
	return at < maker->home_count && maker->homes[at].network == network;
}

static void index_homes(struct maker *maker)
{
	const struct model *model = maker->model;
	size_t room = model->resolvers.count + model->rulesets.count; /* including made ones */

	maker->homes = arena_alloc_array(&maker->model->arena, room, sizeof *maker->homes);
	maker->failed |= !maker->homes;
	for (size_t r = 0; maker->homes && r < model->resolvers.count; r++) {
		const struct dns_resolver *resolver = &model->resolvers.items[r];
		size_t at = network_at(model, &resolver->named, resolver->virtual_network);

		if (resolver->name && at < model->virtual_networks.count)
			maker->homes[maker->home_count++] = (struct resolver_place){at, r};
	}
	if (maker->home_count > 0)
		qsort(maker->homes, maker->home_count, sizeof *maker->homes, compare_homes);
}

/* Adds the model's last resolver, which is the first in its network. */
static void add_home(struct maker *maker, size_t network)
{
	struct resolver_place *at = maker->homes + place_of(maker, network);

	memmove(at + 1, at, (size_t)(maker->homes + maker->home_count - at) * sizeof *at);
	*at = (struct resolver_place){network, maker->model->resolvers.count - 1};
	maker->home_count++;
}

static int compare_taken(const void *a, const void *b)
{
	const struct taken_name *left = a, *right = b;
	int order = strcasecmp(left->name, right->name);

	return order ? order : strcasecmp(left->group, right->group);
}

static struct taken_name taken_name(const char *group, const char *name)
{
	return (struct taken_name){group ? group : GROUP_NONE, name};
}

/* Indexes the resolvers' names, with room for those of made ones. False without memory. */
static bool index_taken(struct maker *maker)
{
	const struct model *model = maker->model;

	maker->taken = arena_alloc_array(&maker->model->arena,
					 model->resolvers.count + model->rulesets.count,
					 sizeof *maker->taken);
	maker->failed |= !maker->taken;
	for (size_t i = 0; maker->taken && i < model->resolvers.count; i++) {
		const struct dns_resolver *resolver = &model->resolvers.items[i];

		if (resolver->name)
			maker->taken[maker->taken_count++] =
				taken_name(resolver->resource_group, resolver->name);
	}
	if (maker->taken_count > 0)
		qsort(maker->taken, maker->taken_count, sizeof *maker->taken, compare_taken);
	return maker->taken;
}

/* The index of the name in `taken`, or where it belongs. */
static size_t taken_at(const struct maker *maker, const struct taken_name *name)
{
	size_t low = 0, high = maker->taken_count;

	while (low < high) {
		size_t middle = low + (high - low) / 2;

		if (compare_taken(&maker->taken[middle], name) < 0)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

/* Adds the name to `taken`; false: a resolver has it already. */
static bool take_name(struct maker *maker, const char *group, const char *text)
{
	const struct taken_name name = taken_name(group, text);
	size_t at = taken_at(maker, &name);
	struct taken_name *place = maker->taken + at;

	if (at < maker->taken_count && compare_taken(place, &name) == 0)
		return false;
	memmove(place + 1, place, (maker->taken_count - at) * sizeof *place);
	*place = name;
	maker->taken_count++;
	return true;
}

/* The network's name without dots, and ending in a letter or digit, as a resolver's name must. */
static const char *resolver_name(struct maker *maker, const struct virtual_network *network)
{
	char *base = arena_strdup(&maker->model->arena, network->name);
	const char *name = base;

	maker->failed |= !base;
	if (!base || (!maker->taken && !index_taken(maker)))
		return "";
	for (char *at = base; *at; at++)
		if (*at == '.')
			*at = '-';
	for (char *end = base + strlen(base); end > base && strchr("_-", end[-1]);)
		*--end = '\0';
	for (unsigned n = 2; !maker->failed && !take_name(maker, network->resource_group, name);
	     n++)
		name = text(maker, "%s-%u", base, n);
	return name;
}

/* The first linked network of the ruleset that may have a resolver, else the first one; NULL: no
 * link leads to a network. */
static const struct virtual_network *home_of(const struct model *model,
					     const struct forwarding_ruleset *ruleset)
{
	const struct virtual_network *first = NULL;

	for (size_t i = 0; i < ruleset->links.count; i++) {
		const struct virtual_network *network = model_network(
			model, ruleset->resource_group, ruleset->links.items[i].virtual_network);

		if (network && !network->encryption)
			return network;
		if (!first)
			first = network; /* the check reports what is wrong with it */
	}
	return first;
}

/* Returns the resolver's index in the model, or the number of resolvers for none. */
static size_t add_resolver(struct maker *maker, const struct forwarding_ruleset *ruleset)
{
	struct model *model = maker->model;
	const struct virtual_network *network = home_of(model, ruleset);
	struct dns_resolver *resolver;

	if (!network)
		return model->resolvers.count;
	const char *name = resolver_name(maker, network);
	if (!reserve(maker, LIST(model->resolvers), &maker->resolver_room))
		return model->resolvers.count;
	resolver = &model->resolvers.items[model->resolvers.count++];
	model->resolvers_by_name = NULL; /* until all are made */
	resolver->name = name;
	resolver->resource_group = network->resource_group;
	maker->failed |= reference_name(&resolver->named, &model->arena) != 0;
	resolver->virtual_network = network->name; /* in the same group */
	resolver->region = network->region;
	resolver->origin = note(
		maker, &ruleset->origin, text(maker, "resolvers[%s]", called(&resolver->named)),
		text(maker, "in virtual network %s", called(&network->named)),
		text(maker,
		     "ruleset \"%s\" names no outbound endpoint, and no network that it is "
		     "linked to has a resolver",
		     called(&ruleset->named)));
	add_home(maker, (size_t)(network - model->virtual_networks.items));
	return model->resolvers.count - 1;
}

struct found_resolvers { /* indexes of resolvers in a ruleset's networks; the number of resolvers:
			    none */
	size_t first, leaving; /* the first one, and the first with outbound endpoints */
	bool has_inbound;
};

static struct found_resolvers find_resolvers(const struct maker *maker,
					     const struct forwarding_ruleset *ruleset)
{
	const struct model *model = maker->model;
	size_t none = model->resolvers.count;
	struct found_resolvers found = {none, none, false};

	for (size_t i = 0; i < ruleset->links.count; i++) {
		size_t network =
			network_at(model, &ruleset->named, ruleset->links.items[i].virtual_network);

		for (size_t at = place_of(maker, network); is_home(maker, at, network); at++) {
			size_t r = maker->homes[at].resolver;
			const struct dns_resolver *resolver = &model->resolvers.items[r];

			if (found.first == none)
				found.first = r;
			if (found.leaving == none && resolver->outbound_endpoints.count > 0)
				found.leaving = r;
			found.has_inbound |= resolver->inbound_endpoints.count > 0;
		}
	}
	return found;
}

/* ---- rulesets ---- */

/* Uses as many of the resolver's endpoints as a ruleset may have, and as fit into a leg for any
 * rule. */
static void use_endpoints(struct maker *maker, struct forwarding_ruleset *ruleset,
			  const struct dns_resolver *resolver)
{
	const struct limit_values *limits = &maker->model->limits;
	uint32_t fitting =
		limits->targets_per_rule ? LEG_UPSTREAMS_MAX / limits->targets_per_rule : 1;
	size_t most = limits->outbound_endpoints_per_ruleset, count = 0;
	const char *value = "";

	if (most > fitting)
		most = fitting;
	if (most < 1)
		most = 1;
	for (; count < resolver->outbound_endpoints.count && count < most; count++) {
		const char *name = resolver->outbound_endpoints.items[count].name;
		const char **path = append(maker, LIST(ruleset->outbound_endpoints));

		if (!path)
			return;
		*path = text(maker, "%s/%s/%s",
			     resolver->resource_group ? resolver->resource_group : GROUP_NONE,
			     resolver->name, known(name));
		*path = reference_short(*path, REFERS_OUTBOUND, ruleset->resource_group);
		value = text(maker, "%s%s%s", value, count > 0 ? ", " : "", *path);
	}
	note(maker, &ruleset->origin,
	     text(maker, "rulesets[%s].outbound_endpoints", called(&ruleset->named)), value,
	     text(maker, "it names none, and is linked to %s, where resolver \"%s\" is",
		  resolver->virtual_network, called(&resolver->named)));
}

static void complete_ruleset(struct maker *maker, size_t index)
{
	struct model *model = maker->model;
	struct forwarding_ruleset *ruleset = &model->rulesets.items[index];

	if (ruleset->outbound_endpoints.count > 0 || ruleset->links.count == 0)
		return;
	if (!maker->homes)
		index_homes(maker);
	if (!maker->homes)
		return;
	struct found_resolvers found = find_resolvers(maker, ruleset);
	size_t at = found.leaving < model->resolvers.count ? found.leaving : found.first;
	if (at == model->resolvers.count)
		at = add_resolver(maker, ruleset);
	ruleset = own_ruleset(maker, index);
	if (at == model->resolvers.count || !ruleset)
		return;
	struct dns_resolver *resolver = &model->resolvers.items[at];
	if (resolver->outbound_endpoints.count == 0)
		add_outbound(maker, resolver, ruleset);
	if (!model->vnet_resolver.given && !found.has_inbound)
		add_inbound(maker, resolver, ruleset);
	use_endpoints(maker, ruleset, resolver);
}

/* ---- networks ---- */

/* Whether a network has exactly this prefix, so that the VNet resolver could not tell two networks
 * apart. */
static bool is_named(const struct model *model, const struct prefix *prefix)
{
	for (size_t n = 0; n < model->virtual_networks.count; n++) {
		const struct virtual_network *network = &model->virtual_networks.items[n];

		for (size_t i = 0; i < network->address_space.count; i++)
			if (prefix_equal(&network->address_space.items[i], prefix))
				return true;
		for (size_t i = 0; i < network->client_prefixes.count; i++)
			if (prefix_equal(&network->client_prefixes.items[i], prefix))
				return true;
	}
	return false;
}

static void add_clients(struct maker *maker, struct virtual_network *network)
{
	const char *value = "";

	for (size_t i = 0; i < USUAL_CLIENTS; i++) {
		const char *usual = model_usual_clients[i];
		struct prefix prefix, *added;

		if (prefix_parse(&prefix, usual) != 0 || is_named(maker->model, &prefix))
			continue;
		added = append(maker, LIST(network->client_prefixes));
		if (!added)
			return;
		*added = prefix;
		value = text(maker, "%s%s%s", value, *value ? ", " : "", usual);
	}
	if (network->client_prefixes.count > 0)
		note(maker, &network->origin,
		     text(maker, "virtual_networks[%s].client_prefixes", called(&network->named)),
		     value,
		     "the VNet resolver tells networks by prefixes, and this one gives none");
}

/* The first network without a prefix gets them; the check warns of the others. */
static void complete_networks(struct maker *maker)
{
	const struct model *model = maker->model;

	for (size_t i = 0; model->vnet_resolver.given && i < model->virtual_networks.count; i++) {
		const struct virtual_network *network = &model->virtual_networks.items[i];

		if (!network->name || network->address_space.count > 0 ||
		    network->client_prefixes.count > 0)
			continue;
		if (own_networks(maker))
			add_clients(maker, &model->virtual_networks.items[i]);
		return;
	}
}

/* ---- the whole ---- */

static bool has_subnets(const struct dns_resolver *resolver)
{
	for (size_t i = 0; i < resolver->inbound_endpoints.count; i++)
		if (!resolver->inbound_endpoints.items[i].subnet)
			return false;
	for (size_t i = 0; i < resolver->outbound_endpoints.count; i++)
		if (!resolver->outbound_endpoints.items[i].subnet)
			return false;
	return true;
}

static void complete_resolver(struct maker *maker, struct dns_resolver *resolver)
{
	struct room room = {.next = 0};

	if (has_subnets(resolver) || !own_networks(maker))
		return;
	room.network =
		model_network(maker->model, resolver->resource_group, resolver->virtual_network);
	for (size_t i = 0; i < resolver->inbound_endpoints.count; i++)
		complete_inbound(maker, &room, resolver, &resolver->inbound_endpoints.items[i]);
	for (size_t i = 0; i < resolver->outbound_endpoints.count; i++)
		complete_outbound(maker, &room, resolver, &resolver->outbound_endpoints.items[i]);
}

int model_make_unnamed(struct model *model)
{
	struct maker maker = {.model = model};

	complete_networks(&maker);
	for (size_t i = 0; i < model->rulesets.count; i++)
		complete_ruleset(&maker, i);
	for (size_t r = 0; r < model->resolvers.count; r++)
		complete_resolver(&maker, &model->resolvers.items[r]);
	return maker.failed ? ERR_NOMEM : model_sort_names(model);
}

const char *model_made(const struct model *model, const char *path)
{
	for (size_t i = 0; i < model->made.count; i++)
		if (strcasecmp(model->made.items[i].path, path) == 0)
			return model->made.items[i].because;
	return NULL;
}

bool model_is_made(const struct origin *origin)
{
	return origin->path && strncmp(origin->path, MADE, sizeof MADE - 1) == 0;
}
