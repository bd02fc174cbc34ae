/* Compiles a model into a policy. The order of the steps matters: for example, endpoints come
 * before routes and rulesets, whose targets may be our own endpoints. policy.c decides names. */
#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <strings.h>

#include "rules/base.h"
#include "rules/policy/internal.h"
#include "rules/reverse.h"
#include "rules/schema/reference.h"

struct compilation {
	struct policy *policy;
	const struct model *model;
	const struct policy *before;
	struct registered *registered;          /* to continue from; NULL: none */
	struct arena scratch;                   /* released after compiling */
	struct policy_ruleset *before_rulesets; /* sorted by fingerprint */
	struct policy_ruleset *before_stamped;  /* the same, sorted by stamp */
	uint64_t stamp; /* hash of the common input of all rulesets: selves and reserved domains */
	struct route_context context; /* for routes without an outbound endpoint */
	struct access *usual;         /* the default clients */
};

struct network_index { /* a network's index in a policy */
	const char *name;
	uint32_t index;
};

struct policy_ruleset { /* of the former policy */
	uint64_t print;
	struct ruleset *ruleset;
};

int policy_keep_zone(struct policy *policy, struct zone *zone)
{
	uint32_t count = policy->zone_count;

	if (!zone)
		return ERR_NOMEM;
	if ((count & (count - 1)) == 0) { /* the array is full at every power of two, and doubles */
		struct zone **larger = reallocarray(policy->zones, count ? 2 * (size_t)count : 1,
						    sizeof *policy->zones);
		if (!larger) {
			zone_unref(zone);
			return ERR_NOMEM;
		}
		policy->zones = larger;
	}
	policy->zones[policy->zone_count++] = zone;
	return 0;
}

/* ---- networks and endpoints ---- */

static int compare_names(const void *a, const void *b)
{
	return strcasecmp(((const struct network_index *)a)->name,
			  ((const struct network_index *)b)->name);
}

/* The network that an item of this group refers to; limits_check has checked that it exists. */
static struct policy_network *network_of(const struct compilation *c, const char *group,
					 const char *text)
{
	const struct virtual_network *network = model_network(c->model, group, text);

	assert(network);
	return &c->policy->networks[network - c->model->virtual_networks.items];
}

/* An index sorted by name; NULL without memory. */
static struct network_index *index_networks(struct compilation *c, const struct policy *policy)
{
	size_t count = policy->network_count;
	struct network_index *index = arena_alloc_array(&c->scratch, count, sizeof *index);

	for (size_t i = 0; index && i < count; i++)
		index[i] = (struct network_index){policy->networks[i].name, (uint32_t)i};
	if (index)
		qsort(index, count, sizeof *index, compare_names);
	return index;
}

/* A network keeps its id of the former policy. Most changes keep the order, so the network after
 * the last found one is tried first, and then a search by name. */
static int number_networks(struct compilation *c)
{
	struct policy *policy = c->policy;
	const struct policy *before = c->before;
	uint32_t count = before ? before->network_count : 0, at = 0;
	const struct network_index *index = NULL, *found;
	struct network_index wanted;

	policy->last_network_id = before ? before->last_network_id : 0;
	for (uint32_t i = 0; i < policy->network_count; i++) {
		struct policy_network *network = &policy->networks[i];

		if (at >= count || strcasecmp(before->networks[at].name, network->name) != 0) {
			index = index || count == 0 ? index : index_networks(c, before);
			if (count > 0 && !index)
				return ERR_NOMEM;
			wanted = (struct network_index){.name = network->name};
			found = count > 0 ? bsearch(&wanted, index, count, sizeof wanted,
						    compare_names)
					  : NULL;
			at = found ? found->index : count;
		}
		if (at < count)
			network->id = before->networks[at++].id;
		else if (policy->last_network_id < UINT16_MAX)
			network->id = ++policy->last_network_id;
	}
	return 0;
}

static int compile_networks(struct compilation *c)
{
	struct policy *policy = c->policy;
	size_t count = c->model->virtual_networks.count;

	policy->networks = arena_alloc_array(&policy->arena, count, sizeof *policy->networks);
	if (!policy->networks)
		return ERR_NOMEM;
	for (size_t i = 0; i < count; i++) {
		const struct virtual_network *network = &c->model->virtual_networks.items[i];
		const char *name = arena_strdup(&policy->arena, full_name(&network->named));

		if (!name)
			return ERR_NOMEM;
		policy->networks[i].name = name;
		policy->networks[i].no_default = !network->uses_default_resolver;
	}
	policy->network_count = (uint32_t)count;
	return number_networks(c);
}

static int compile_clients(struct compilation *c)
{
	struct policy *policy = c->policy;

	for (uint32_t i = 0; i < policy->network_count; i++) {
		const struct virtual_network *network = &c->model->virtual_networks.items[i];
		int err = 0;

		for (size_t p = 0; !err && p < network->address_space.count; p++)
			err = prefix_table_add(&policy->clients, &policy->arena,
					       &network->address_space.items[p], i);
		for (size_t p = 0; !err && p < network->client_prefixes.count; p++)
			err = prefix_table_add(&policy->clients, &policy->arena,
					       &network->client_prefixes.items[p], i);
		if (err)
			return err;
	}
	prefix_table_build(&policy->clients);
	return 0;
}

static int add_all(struct compilation *c, struct access *access, const struct prefix *prefixes,
		   size_t count)
{
	int err = 0;

	for (size_t i = 0; !err && i < count; i++)
		err = access_add(access, &c->policy->arena, &prefixes[i]);
	return err;
}

/* Adds the clients of all networks, and builds the table. */
static int add_networks(struct compilation *c, struct access *access)
{
	int err = 0;

	for (size_t i = 0; !err && i < c->model->virtual_networks.count; i++) {
		const struct virtual_network *network = &c->model->virtual_networks.items[i];

		err = add_all(c, access, network->address_space.items,
			      network->address_space.count);
		if (!err)
			err = add_all(c, access, network->client_prefixes.items,
				      network->client_prefixes.count);
	}
	if (!err)
		access_build(access);
	return err;
}

static int compile_usual(struct compilation *c)
{
	struct arena *arena = &c->policy->arena;
	struct access *usual = c->usual = arena_alloc(arena, sizeof *usual);
	int err = usual ? access_add_private(usual, arena) : ERR_NOMEM;

	return err ? err : add_networks(c, usual);
}

/* The clients that may ask at the endpoint; NULL without memory. */
static const struct access *compile_access(struct compilation *c,
					   const struct inbound_endpoint *endpoint)
{
	struct access *access;

	if (endpoint->allow.count == 0)
		return c->usual;
	access = arena_alloc(&c->policy->arena, sizeof *access);
	if (!access || add_all(c, access, endpoint->allow.items, endpoint->allow.count) != 0)
		return NULL;
	access_build(access);
	return access;
}

static int compile_inbounds(struct compilation *c)
{
	struct policy *policy = c->policy;
	size_t count = 0;

	for (size_t r = 0; r < c->model->resolvers.count; r++)
		count += c->model->resolvers.items[r].inbound_endpoints.count;
	policy->inbounds = arena_alloc_array(&policy->arena, count, sizeof *policy->inbounds);
	if (!policy->inbounds)
		return ERR_NOMEM;
	for (size_t r = 0; r < c->model->resolvers.count; r++) {
		const struct dns_resolver *resolver = &c->model->resolvers.items[r];
		uint32_t network = (uint32_t)(network_of(c, resolver->resource_group,
							 resolver->virtual_network) -
					      policy->networks);

		for (size_t e = 0; e < resolver->inbound_endpoints.count; e++) {
			const struct inbound_endpoint *endpoint =
				&resolver->inbound_endpoints.items[e];
			const struct access *access = compile_access(c, endpoint);
			const char *name =
				arena_printf(&policy->arena, "%s/%s", full_name(&resolver->named),
					     endpoint->name);
			if (!name || !access)
				return ERR_NOMEM;
			policy->inbounds[policy->inbound_count++] = (struct policy_inbound){
				.name = name,
				.address = endpoint->address,
				.listen = endpoint->listen,
				.network = network,
				.access = access,
			};
		}
	}
	return 0;
}

static int compile_vnet_resolver(struct compilation *c)
{
	struct policy *policy = c->policy;
	size_t count = c->model->vnet_resolver.listen.count;

	policy->vnet_listens =
		arena_alloc_array(&policy->arena, count, sizeof *policy->vnet_listens);
	if (!policy->vnet_listens)
		return ERR_NOMEM;
	for (size_t i = 0; i < count; i++)
		policy->vnet_listens[i] = c->model->vnet_resolver.listen.items[i];
	policy->vnet_listen_count = (uint32_t)count;
	struct access *access = arena_alloc(&policy->arena, sizeof *access);
	policy->vnet_access = access;
	return access ? add_networks(c, access) : ERR_NOMEM;
}

/* ---- routes ---- */

struct selves {
	const struct policy_inbound *inbounds;
	struct route_self *items;
	size_t count;
};

static void add_self(void *context, const struct model_self *self)
{
	struct selves *selves = context;
	/* Each inbound endpoint has two hosts. */
	const struct policy_inbound *inbound = &selves->inbounds[selves->count / 2];

	selves->items[selves->count++] = (struct route_self){
		.host = self->host, .endpoint = inbound->name, .network = inbound->network};
}

/* Collects the hosts of our inbound endpoints: the address with port 53, and `listen`. */
static int compile_context(struct compilation *c)
{
	static const struct route_source any_source;
	struct policy *policy = c->policy;
	struct route_self *selves =
		arena_alloc_array(&c->scratch, 2 * (size_t)policy->inbound_count, sizeof *selves);

	if (!selves)
		return ERR_NOMEM;
	struct selves found = {policy->inbounds, selves, 0};
	model_each_self(c->model, add_self, &found);
	c->context = (struct route_context){
		.key = &policy->key,
		.sources = &any_source,
		.source_count = 1,
		.selves = selves,
		.self_count = route_sort_selves(selves, found.count),
		.special = &policy->special,
	};
	return 0;
}

static int compile_route(struct compilation *c, const struct target_server *servers, size_t count,
			 struct route **out)
{
	struct arena *arena = &c->policy->arena;
	struct route *route = arena_alloc(arena, sizeof *route);

	if (!route)
		return ERR_NOMEM;
	*out = route;
	return route_build(route, arena, &c->context, servers, count);
}

static int compile_custom(struct compilation *c)
{
	for (uint32_t i = 0; i < c->policy->network_count; i++) {
		const struct virtual_network *network = &c->model->virtual_networks.items[i];
		size_t count = network->dns_servers.count;
		struct target_server *servers =
			arena_alloc_array(&c->scratch, count, sizeof *servers);

		if (!servers)
			return ERR_NOMEM;
		for (size_t s = 0; s < count; s++) {
			servers[s].address = network->dns_servers.items[s].address;
			servers[s].port = network->dns_servers.items[s].port;
		}
		if (count && compile_route(c, servers, count, &c->policy->networks[i].custom) != 0)
			return ERR_NOMEM;
	}
	return 0;
}

static int compile_default(struct compilation *c)
{
	const struct default_resolver *resolver = &c->model->default_resolver;

	if (!resolver->targets.count)
		return 0;
	return compile_route(c, resolver->targets.items, resolver->targets.count,
			     &c->policy->default_route);
}

/* ---- zones ---- */

enum { LARGE_BYTES = 512 * 1024 }; /* at most half of a usual processor's own cache */

/* Makes each network's table large enough for its linked zones. */
static int size_zone_tables(struct compilation *c)
{
	struct policy *policy = c->policy;
	size_t *links = arena_alloc_array(&c->scratch, policy->network_count, sizeof *links);
	int err = links ? 0 : ERR_NOMEM;

	for (size_t i = 0; links && i < c->model->private_zones.count; i++) {
		const struct private_zone *zone = &c->model->private_zones.items[i];

		for (size_t l = 0; l < zone->links.count; l++)
			links[network_of(c, zone->resource_group,
					 zone->links.items[l].virtual_network) -
			      policy->networks]++;
	}
	for (uint32_t n = 0; !err && n < policy->network_count; n++)
		err = suffix_table_init(&policy->networks[n].zones, &policy->arena, links[n]);
	return err;
}

static int compile_registered(struct compilation *c)
{
	struct policy *policy = c->policy;

	policy->registered = registered_make(c->model, &policy->key, c->registered);
	if (!policy->registered)
		return ERR_NOMEM;
	for (uint32_t i = 0; i < policy->network_count; i++)
		policy->networks[i].machines = policy->registered->ptrs[i] ? i + 1 : 0;
	return 0;
}

/* Adds an index to the end of a list, which is usually empty. */
static int add_place(struct arena *arena, const uint32_t **list, uint32_t *count, uint32_t place)
{
	uint32_t *places = arena_alloc_array(arena, *count + 1, sizeof *places);

	if (!places)
		return ERR_NOMEM;
	for (uint32_t i = 0; i < *count; i++)
		places[i] = (*list)[i];
	places[(*count)++] = place;
	*list = places;
	return 0;
}

/* If clients may register reverse records in the zone, adds its index to `registrations` of each
 * linked network, which sees these records beside the zone. */
static int compile_places(struct compilation *c, const struct private_zone *zone, uint32_t place)
{
	struct arena *arena = &c->policy->arena;
	int err = 0;

	if (c->policy->registered->zones[place].cut_count == 0)
		return 0;
	for (size_t i = 0; !err && i < zone->links.count; i++) {
		struct policy_network *network =
			network_of(c, zone->resource_group, zone->links.items[i].virtual_network);

		err = add_place(arena, &network->registrations, &network->registration_count,
				place);
	}
	return err;
}

/* A network sees a zone in one of three ways, so three values are enough for a thousand
 * networks. */
static int link_zone(struct compilation *c, const struct private_zone *zone,
		     const struct policy_zone_link *link, struct policy_zone_link *links)
{
	static const enum resolution_policy ways[] = {
		RESOLUTION_DEFAULT, RESOLUTION_NXDOMAIN_REDIRECT, RESOLUTION_NXDOMAIN_FALLTHROUGH};
	_Static_assert(COUNT(ways) == POLICY_ZONE_WAYS, "a link for each");

	for (unsigned i = 0; i < COUNT(ways); i++) {
		links[ways[i]] = *link;
		links[ways[i]].resolution_policy = ways[i];
	}
	for (size_t i = 0; i < zone->links.count; i++) {
		const struct zone_link *model = &zone->links.items[i];
		struct policy_network *network =
			network_of(c, zone->resource_group, model->virtual_network);
		int err = suffix_table_add(&network->zones, &c->policy->arena,
					   zone_apex(link->zone), &links[model->resolution_policy]);

		if (err)
			return err;
		network->large |= zone_bytes(link->zone) > LARGE_BYTES;
	}
	return 0;
}

static int compile_zones(struct compilation *c)
{
	struct policy *policy = c->policy;
	size_t count = c->model->private_zones.count;
	uint32_t place = 0; /* the next registered zone's index */

	policy->zone_links = arena_alloc_array(&policy->arena, POLICY_ZONE_WAYS * count,
					       sizeof *policy->zone_links);
	if (size_zone_tables(c) != 0 || !policy->zone_links)
		return ERR_NOMEM;
	policy->private_zone_count = (uint32_t)count;
	for (size_t i = 0; i < count; i++) {
		const struct private_zone *zone = &c->model->private_zones.items[i];
		const char *group = zone->resource_group;
		bool registers = registered_in(c->model, zone);
		const struct policy_zone_link link = {
			.zone = zone->zone,
			.registered = registers ? place + 1 : 0,
			.name = arena_strdup(&policy->arena, full_name(&zone->named)),
			.group = group ? arena_strdup(&policy->arena, group) : NULL,
		};

		if (!link.name || (group && !link.group) ||
		    policy_keep_zone(policy, zone_ref(zone->zone)) != 0 ||
		    link_zone(c, zone, &link, &policy->zone_links[POLICY_ZONE_WAYS * i]) != 0 ||
		    (registers && compile_places(c, zone, place) != 0))
			return ERR_NOMEM;
		place += registers;
	}
	return 0;
}

/* ---- rulesets ---- */

static int compare_rulesets(const void *a, const void *b)
{
	uint64_t left = ((const struct policy_ruleset *)a)->print;
	uint64_t right = ((const struct policy_ruleset *)b)->print;

	return left < right ? -1 : left > right;
}

static struct policy_ruleset *index_rulesets(struct compilation *c,
					     uint64_t (*print)(const struct ruleset *ruleset))
{
	size_t count = c->before ? c->before->ruleset_count : 0;
	struct policy_ruleset *index = arena_alloc_array(&c->scratch, count, sizeof *index);

	for (size_t i = 0; index && i < count; i++)
		index[i] = (struct policy_ruleset){print(c->before->rulesets[i]),
						   c->before->rulesets[i]};
	if (index && count > 0)
		qsort(index, count, sizeof *index, compare_rulesets);
	return index;
}

static int index_rulesets_before(struct compilation *c)
{
	c->before_rulesets = index_rulesets(c, ruleset_fingerprint);
	c->before_stamped = index_rulesets(c, ruleset_stamp);
	return c->before_rulesets && c->before_stamped ? 0 : ERR_NOMEM;
}

/* A reference to the former ruleset with this print; NULL: none. */
static struct ruleset *ruleset_before(const struct compilation *c,
				      const struct policy_ruleset *index, uint64_t print)
{
	const struct policy_ruleset key = {.print = print};
	const struct policy_ruleset *found =
		bsearch(&key, index, c->before ? c->before->ruleset_count : 0, sizeof key,
			compare_rulesets);

	return found ? ruleset_ref(found->ruleset) : NULL;
}

static uint64_t add_bytes(const struct compilation *c, uint64_t stamp, const void *bytes,
			  size_t length)
{
	return hash_bytes(&c->policy->key, stamp, bytes, length);
}

static uint64_t add_text(const struct compilation *c, uint64_t stamp, const char *text)
{
	return add_bytes(c, stamp, text, strlen(text) + 1);
}

static uint64_t add_address(const struct compilation *c, uint64_t stamp,
			    const struct address *address)
{
	stamp = add_bytes(c, stamp, &address->family, sizeof address->family);
	return add_bytes(c, stamp, address->bytes, sizeof address->bytes);
}

/* Hashes the input of rulesets besides their own values. */
static void stamp_context(struct compilation *c)
{
	uint64_t stamp = 1 + c->policy->special.count;

	for (size_t i = 0; i < c->context.self_count; i++) {
		const struct route_self *self = &c->context.selves[i];

		stamp = add_address(c, stamp, &self->host.address);
		stamp = add_bytes(c, stamp, &self->host.port, sizeof self->host.port);
		stamp = add_text(c, stamp, self->endpoint);
		stamp = add_bytes(c, stamp, &self->network, sizeof self->network);
	}
	for (size_t i = 0; i < c->model->reserved_domains.count; i++)
		stamp = add_text(c, stamp, c->model->reserved_domains.items[i]);
	c->stamp = stamp;
}

/* The ruleset's stamp; 0: it has no version. */
static uint64_t stamp_of(const struct compilation *c, const struct forwarding_ruleset *model,
			 const struct route_source *sources, size_t count)
{
	uint64_t stamp = add_bytes(c, c->stamp, &model->version, sizeof model->version);

	for (size_t i = 0; i < count; i++)
		stamp = add_address(c, add_text(c, stamp, sources[i].endpoint), &sources[i].source);
	return model->version ? stamp | 1 : 0;
}

static struct ruleset *compile_ruleset(struct compilation *c,
				       const struct forwarding_ruleset *model)
{
	struct route_context context = c->context;
	size_t count = model->outbound_endpoints.count;
	struct route_source *sources = arena_alloc_array(&c->scratch, count, sizeof *sources);

	if (!sources)
		return NULL;
	for (size_t i = 0; i < count; i++) {
		struct dns_resolver *resolver;
		const struct outbound_endpoint *endpoint =
			model_outbound(c->model, model->resource_group,
				       model->outbound_endpoints.items[i], &resolver);

		assert(endpoint); /* limits_check has checked that it exists */
		sources[i].endpoint = arena_printf(&c->scratch, "%s/%s",
						   full_name(&resolver->named), endpoint->name);
		sources[i].source = endpoint->source;
		if (!sources[i].endpoint)
			return NULL;
	}
	context.sources = sources;
	context.source_count = count;
	uint64_t stamp = stamp_of(c, model, sources, count);
	struct ruleset *kept = stamp ? ruleset_before(c, c->before_stamped, stamp) : NULL;
	if (kept)
		return kept;
	struct ruleset *ruleset = ruleset_compile(model, &context, c->model->reserved_domains.items,
						  c->model->reserved_domains.count);
	if (!ruleset)
		return NULL;
	kept = ruleset_before(c, c->before_rulesets, ruleset_fingerprint(ruleset));
	if (kept) {
		ruleset_unref(ruleset);
		ruleset = kept;
	}
	ruleset_set_stamp(ruleset, stamp);
	return ruleset;
}

/* Makes each network's list large enough for its linked rulesets. */
static int size_ruleset_lists(struct compilation *c)
{
	struct policy *policy = c->policy;

	for (size_t i = 0; i < c->model->rulesets.count; i++) {
		const struct forwarding_ruleset *model = &c->model->rulesets.items[i];

		for (size_t l = 0; l < model->links.count; l++)
			network_of(c, model->resource_group, model->links.items[l].virtual_network)
				->ruleset_count++;
	}
	for (uint32_t n = 0; n < policy->network_count; n++) {
		struct policy_network *network = &policy->networks[n];

		network->rulesets = arena_alloc_array(&policy->arena, network->ruleset_count,
						      sizeof *network->rulesets);
		if (!network->rulesets)
			return ERR_NOMEM;
		network->ruleset_count = 0;
	}
	return 0;
}

static void link_ruleset(struct compilation *c, const struct forwarding_ruleset *model,
			 const struct ruleset *ruleset)
{
	for (size_t i = 0; i < model->links.count; i++) {
		struct policy_network *network =
			network_of(c, model->resource_group, model->links.items[i].virtual_network);

		network->rulesets[network->ruleset_count++] = ruleset;
		network->large |= ruleset_bytes(ruleset) > LARGE_BYTES;
	}
}

static int compile_rulesets(struct compilation *c)
{
	struct policy *policy = c->policy;
	size_t count = c->model->rulesets.count;

	policy->rulesets = arena_alloc_array(&policy->arena, count, sizeof *policy->rulesets);
	if (!policy->rulesets || index_rulesets_before(c) != 0 || size_ruleset_lists(c) != 0)
		return ERR_NOMEM;
	stamp_context(c);
	for (size_t i = 0; i < count; i++) {
		const struct forwarding_ruleset *model = &c->model->rulesets.items[i];
		struct ruleset *ruleset = compile_ruleset(c, model);

		if (!ruleset)
			return ERR_NOMEM;
		policy->rulesets[policy->ruleset_count++] = ruleset;
		link_ruleset(c, model, ruleset);
	}
	return 0;
}

/* ---- our addresses ----
 *
 *     names of addresses       the owned table: from the model, from the former
 *                              policy, or made here (owned_model.c)
 *     places that answer them  networks' own spaces, exact names only;
 *                              pools: reverse zones, each with only an apex (pools.c);
 *                              the suffixes of labels and services, exact names only
 *
 * So the table can change alone, and a new PTR needs no new zone. */

static uint64_t print_bytes(const struct policy *policy, uint64_t print, const void *bytes,
			    size_t length)
{
	return hash_bytes(&policy->key, print, bytes, length);
}

uint64_t policy_print_text(const struct policy *policy, uint64_t print, const char *text)
{
	return print_bytes(policy, print, text ? text : "", text ? strlen(text) + 1 : 0);
}

static uint64_t print_address(const struct policy *policy, uint64_t print,
			      const struct address *address, uint32_t ttl)
{
	uint8_t bytes[1 + sizeof address->bytes + sizeof ttl];

	bytes[0] = address->family;
	memcpy(bytes + 1, address->bytes, sizeof address->bytes);
	memcpy(bytes + 1 + sizeof address->bytes, &ttl, sizeof ttl);
	return print_bytes(policy, print, bytes, sizeof bytes);
}

/* Hash of all input of owned_set_model; never 0. */
static uint64_t print_model(const struct policy *policy, const struct model *model)
{
	const char *const texts[] = {model->region, model->reverse.suffix,
				     model->reverse.service_suffix};
	uint64_t print = model->addresses.count;

	print = print_bytes(policy, print, &model->reverse.ttl, sizeof model->reverse.ttl);
	for (size_t i = 0; i < COUNT(texts); i++)
		print = policy_print_text(policy, print, texts[i]);
	for (size_t i = 0; i < model->addresses.count; i++) {
		const struct owned_item *item = &model->addresses.items[i];

		print = print_address(policy, print, &item->address, item->ttl);
		print = policy_print_text(policy, print, item->reverse_fqdn);
		print = policy_print_text(policy, print, item->domain_name_label);
		print = policy_print_text(policy, print, item->region);
	}
	for (size_t i = 0; i < model->cloud_services.count; i++) {
		const struct owned_item *item = &model->cloud_services.items[i];

		print = print_address(policy, print, &item->address, item->ttl);
		print = policy_print_text(policy, print, item->reverse_fqdn);
		print = policy_print_text(policy, print, item->name);
	}
	return print ? print : 1;
}

static struct owned *make_owned(const struct policy *policy, const struct model *model)
{
	struct owned_draft *draft = owned_edit(NULL);

	if (draft && owned_set_model(draft, model, &policy->key) == 0)
		return owned_commit(draft);
	owned_discard(draft);
	return NULL;
}

/* A reload that changes no address costs one hash of each. */
static int compile_owned(struct compilation *c)
{
	struct policy *policy = c->policy;
	const struct policy *before = c->before;
	const struct model *model = c->model;

	if (model->owned) {
		policy->owned = owned_ref(model->owned);
		return 0;
	}
	policy->owned_print = print_model(policy, model);
	policy->owned = before && before->owned_print == policy->owned_print
				? owned_ref(before->owned)
				: make_owned(policy, model);
	return policy->owned ? 0 : ERR_NOMEM;
}

static int compare_prefixes(const void *left, const void *right)
{
	return prefix_compare(left, right);
}

/* Sorts the prefixes and drops those within another; returns how many are left. */
static size_t merge_prefixes(struct prefix *prefixes, size_t count)
{
	size_t kept = 0;

	qsort(prefixes, count, sizeof *prefixes, compare_prefixes);
	for (size_t i = 0; i < count; i++)
		if (!kept || !prefix_covers(&prefixes[kept - 1], &prefixes[i]))
			prefixes[kept++] = prefixes[i];
	return kept;
}

static int compile_spaces(struct compilation *c)
{
	struct policy *policy = c->policy;

	for (uint32_t i = 0; i < policy->network_count; i++) {
		const struct virtual_network *from = &c->model->virtual_networks.items[i];
		struct policy_network *network = &policy->networks[i];
		size_t count = from->address_space.count;

		network->spaces = arena_alloc_array(&policy->arena, count, sizeof *network->spaces);
		if (!network->spaces)
			return ERR_NOMEM;
		for (size_t p = 0; p < count; p++)
			network->spaces[p] = from->address_space.items[p];
		network->space_count = (uint32_t)merge_prefixes(network->spaces, count);
	}
	return 0;
}

/* Makes the apexes of both reverse trees, for SOAs in answers about our addresses. */
static int compile_trees(struct compilation *c)
{
	struct policy *policy = c->policy;
	const struct policy *before = c->before;
	static const char *const texts[] = {"in-addr.arpa.", "ip6.arpa."};
	int err = 0;

	for (unsigned i = 0; !err && i < 2; i++) {
		policy->trees[i] = before ? zone_ref(before->trees[i])
					  : policy_make_apex(policy, texts[i], NULL);
		err = policy_keep_zone(policy, policy->trees[i]);
	}
	return err;
}

static int compile_names(struct compilation *c)
{
	struct policy *policy = c->policy;
	const struct policy *before = c->before;
	const struct reverse_settings *reverse = &c->model->reverse;
	const char *const suffixes[] = {reverse->suffix, reverse->service_suffix};
	enum { SUFFIXES = COUNT(suffixes) };
	struct name name;
	int err = suffix_table_init(&policy->names, &policy->arena, SUFFIXES);

	for (unsigned i = 0; !err && i < SUFFIXES; i++)
		if (suffixes[i])
			err = policy_add_apex(policy, &policy->names,
					      before ? &before->names : NULL, suffixes[i], NULL);
	if (!err && reverse->suffix && name_from_text(&name, &policy->key, reverse->suffix) == 0)
		policy->regions = suffix_table_get(&policy->names, &name, 0);
	return err;
}

static int compile_pools(struct compilation *c)
{
	return policy_compile_pools(c->policy, c->before, c->model);
}

/* ---- the whole ---- */

static int compile_settings(struct compilation *c)
{
	struct policy *policy = c->policy;
	const struct identity_settings *identity = &c->model->identity;

	policy->udp_payload_max = c->model->udp.payload_max;
	policy->cookie_keys = c->model->udp.cookie_keys;
	memcpy(policy->cookie_key, c->model->udp.cookie_key, sizeof policy->cookie_key);
	policy->random_case = c->model->outbound.random_case;
	policy->details = identity->details;
	if (identity->version &&
	    !(policy->version = arena_strdup(&policy->arena, identity->version)))
		return ERR_NOMEM;
	if (identity->server && !(policy->server = arena_strdup(&policy->arena, identity->server)))
		return ERR_NOMEM;
	return 0;
}

static int compile_special(struct compilation *c)
{
	return policy_compile_special(c->policy, c->before,
				      c->model->default_resolver.special_names == SPECIAL_ANSWER);
}

/* Counts the names above this zone that other data of ours could deny: a zone of the network, a
 * special-use zone, a pool or a registered prefix. */
static unsigned count_above(const struct policy *policy, const struct policy_network *network,
			    const struct name *apex)
{
	unsigned label, count = policy_count_above(&policy->special, apex);

	if (apex->labels > 0 && suffix_table_find(&network->zones, apex, 1, &label) &&
	    label - 1 > count)
		count = label - 1;
	return count;
}

/* Counts the names at these labels by network (`room`), or adds them (room NULL). */
static int take_above(struct compilation *c, struct policy_network *network,
		      const struct name *apex, unsigned first, unsigned last, size_t *room)
{
	struct policy *policy = c->policy;

	if (!room)
		return policy_add_above(&network->above, &policy->arena, &policy->key, apex, first,
					last);
	room[network - policy->networks] += last + 1 - first;
	return 0;
}

static int walk_zones_above(struct compilation *c, size_t *room)
{
	int err = 0;

	for (size_t i = 0; !err && i < c->model->private_zones.count; i++) {
		const struct private_zone *zone = &c->model->private_zones.items[i];
		const struct name *apex = zone_apex(zone->zone);

		for (size_t l = 0; !err && l < zone->links.count; l++) {
			struct policy_network *network = network_of(
				c, zone->resource_group, zone->links.items[l].virtual_network);

			err = take_above(c, network, apex, 1, count_above(c->policy, network, apex),
					 room);
		}
	}
	return err;
}

/* Also takes the cut's own name. It matters if the prefix is not one of whole octets or nibbles,
 * because then the cut is above the prefix. */
static int walk_cuts_above(struct compilation *c, struct policy_network *network, size_t *room)
{
	int err = 0;

	for (uint32_t i = 0; !err && i < network->registration_count; i++) {
		const struct registered_zone *zone =
			&c->policy->registered->zones[network->registrations[i]];

		for (size_t k = 0; !err && k < zone->cut_count; k++) {
			const struct name *apex = zone_apex(zone->cuts[k].apex);

			if (apex->labels >= 3)
				err = take_above(c, network, apex, 0, apex->labels - 3U, room);
		}
	}
	return err;
}

static int walk_above(struct compilation *c, size_t *room)
{
	int err = walk_zones_above(c, room);

	for (uint32_t i = 0; !err && i < c->policy->network_count; i++)
		err = walk_cuts_above(c, &c->policy->networks[i], room);
	return err;
}

/* Adds to policy->above the names above this one that policy_count_above counts, and with `first` 0
 * the name itself. With `room`, adds only their number to *room. */
static int take_ours(struct policy *policy, const struct name *name, unsigned first, size_t *room)
{
	unsigned last = policy_count_above(&policy->special, name);

	if (!room)
		return policy_add_above(&policy->above, &policy->arena, &policy->key, name, first,
					last);
	*room += last + 1 - first;
	return 0;
}

static int walk_ours_above(struct compilation *c, size_t *room)
{
	struct policy *policy = c->policy;
	const struct reverse_settings *reverse = &c->model->reverse;
	const char *const suffixes[] = {reverse->suffix, reverse->service_suffix};
	struct name name;
	int err = 0;

	for (uint32_t i = 0; !err && i < policy->pool_zone_count; i++)
		err = take_ours(policy, zone_apex(policy->pool_zones[i].zone), 1, room);
	for (size_t i = 0; !err && i < COUNT(suffixes); i++)
		if (suffixes[i] && name_from_text(&name, &policy->key, suffixes[i]) == 0)
			err = take_ours(policy, &name, 0, room);
	return err;
}

static int compile_ours_above(struct compilation *c)
{
	size_t room = 0;
	int err = walk_ours_above(c, &room);

	if (!err)
		err = suffix_table_init(&c->policy->above, &c->policy->arena, room);
	return err ? err : walk_ours_above(c, NULL);
}

static int compile_above(struct compilation *c)
{
	struct policy *policy = c->policy;
	size_t *room = arena_alloc_array(&c->scratch, policy->network_count, sizeof *room);
	int err = room ? walk_above(c, room) : ERR_NOMEM;

	for (uint32_t i = 0; !err && i < policy->network_count; i++)
		if (room[i] > 0)
			err = suffix_table_init(&policy->networks[i].above, &policy->arena,
						room[i]);
	return err ? err : walk_above(c, NULL);
}

struct policy *policy_compile_with(const struct model *model, const struct hash_key *key,
				   const struct policy *before, struct registered *registered)
{
	static int (*const steps[])(struct compilation *) = {
		compile_networks,      compile_clients,    compile_usual,   compile_inbounds,
		compile_vnet_resolver, compile_special,    compile_context, compile_custom,
		compile_default,       compile_registered, compile_zones,   compile_rulesets,
		compile_settings,      compile_owned,      compile_spaces,  compile_pools,
		compile_trees,         compile_names,      compile_above,   compile_ours_above,
	};
	struct compilation c = {.policy = calloc(1, sizeof *c.policy),
				.model = model,
				.before = before,
				.registered = registered};

	if (!c.policy)
		return NULL;
	c.policy->key = *key;
	c.policy->roots = malloc(sizeof *c.policy->roots);
	arena_init(&c.policy->arena);
	arena_init(&c.scratch);
	if (c.policy->roots)
		*c.policy->roots = 1;
	int err = c.policy->roots ? 0 : ERR_NOMEM;
	for (size_t i = 0; !err && i < COUNT(steps); i++)
		err = steps[i](&c);
	arena_release(&c.scratch);
	if (!err)
		return c.policy;
	policy_free(c.policy);
	return NULL;
}

struct policy *policy_compile(const struct model *model, const struct hash_key *key,
			      const struct policy *before)
{
	return policy_compile_with(model, key, before, before ? before->registered : NULL);
}

struct policy *policy_with_owned(const struct policy *before, struct owned *owned,
				 struct registered *registered)
{
	struct policy *policy = malloc(sizeof *policy);

	if (!policy)
		return NULL;
	*policy = *before;
	policy->owned = owned_ref(owned);
	if (owned != before->owned)
		policy->owned_print = 0;
	policy->registered = registered_ref(registered);
	policy->stamps = NULL;
	++*policy->roots;
	return policy;
}

bool policy_is_shared(const struct policy *policy)
{
	return *policy->roots > 1;
}

static void free_shared(struct policy *policy)
{
	for (uint32_t i = 0; i < policy->ruleset_count; i++)
		ruleset_unref(policy->rulesets[i]);
	for (uint32_t i = 0; i < policy->zone_count; i++)
		zone_unref(policy->zones[i]);
	for (uint32_t i = 0; i < policy->special_zone_count; i++)
		zone_unref(policy->special_zones[i]);
	free(policy->zones);
	free(policy->roots);
	arena_release(&policy->arena);
}

void policy_free(struct policy *policy)
{
	if (!policy)
		return;
	owned_unref(policy->owned);
	registered_unref(policy->registered);
	if (!policy->roots || --*policy->roots == 0)
		free_shared(policy);
	free(policy);
}

void policy_each_own_upstream(struct policy *policy, void (*on_upstream)(void *, struct upstream *),
			      void *context)
{
	route_each_upstream(policy->default_route, on_upstream, context);
	for (uint32_t i = 0; i < policy->network_count; i++)
		route_each_upstream(policy->networks[i].custom, on_upstream, context);
}

static bool is_linked(const struct policy *policy, const struct ruleset *ruleset)
{
	for (uint32_t n = 0; n < policy->network_count; n++)
		for (uint32_t i = 0; i < policy->networks[n].ruleset_count; i++)
			if (policy->networks[n].rulesets[i] == ruleset)
				return true;
	return false;
}

void policy_each_own_route(const struct policy *policy,
			   void (*on_route)(void *context, const char *name, struct route *route),
			   void *context)
{
	char name[POLICY_ROUTE_NAME];
	if (policy->default_route)
		on_route(context, decided_text(DECIDED_DEFAULT), policy->default_route);
	for (uint32_t i = 0; i < policy->network_count; i++) {
		if (!policy->networks[i].custom)
			continue;
		snprintf(name, sizeof name, "DNS servers of %s", policy->networks[i].name);
		on_route(context, name, policy->networks[i].custom);
	}
}

const char *policy_rule_name(const struct rule *rule, char name[POLICY_ROUTE_NAME])
{
	snprintf(name, POLICY_ROUTE_NAME, "%s/%s", rule->ruleset, rule->name);
	return name;
}

struct route_listing {
	const struct policy *policy;
	void (*on_route)(void *context, const char *name, const struct route *route);
	void *context;
};

/* Custom DNS servers count only if there is a VNet resolver. */
static void on_own_route(void *context, const char *name, struct route *route)
{
	const struct route_listing *listing = context;
	if (route == listing->policy->default_route || listing->policy->vnet_listen_count > 0)
		listing->on_route(listing->context, name, route);
}

void policy_each_route(const struct policy *policy,
		       void (*on_route)(void *context, const char *name, const struct route *route),
		       void *context)
{
	struct route_listing own = {policy, on_route, context};
	char name[POLICY_ROUTE_NAME];
	policy_each_own_route(policy, on_own_route, &own);
	for (uint32_t i = 0; i < policy->ruleset_count; i++) {
		struct ruleset *ruleset = policy->rulesets[i];
		size_t count = is_linked(policy, ruleset) ? ruleset_rule_count(ruleset) : 0;
		for (size_t r = 0; r < count; r++) {
			const struct rule *rule = ruleset_rule(ruleset, r);
			if (!rule->enabled)
				continue;
			on_route(context, policy_rule_name(rule, name), &rule->route);
		}
	}
}
