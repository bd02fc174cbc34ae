/* The zones that follow from addresses and services, none of which anybody writes as a file:
 *
 *     networks' own private addresses   one PTR zone per family and network, exact names only
 *     address pools                     reverse zones at octet or nibble cuts, authoritative within
 *                                       the pool's prefix
 *     labels and service names          forward zones, exact names only
 *
 * PTRs are derived from the addresses here, and stored nowhere else. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "rules/policy_internal.h"
#include "rules/reverse.h"

enum { DERIVED_TTL = 3600, RDATA_SOA_MAX = 2 * NAME_WIRE_MAX + 20 };

/* ---- building a zone from parts ---- */

struct derived { /* a zone in the making */
	struct zone_builder *builder;
	struct faults
		faults; /* of what limits_check let pass: there is nobody to tell, it is left out */
	const struct hash_key *key;
	const struct reverse_settings *reverse;
	size_t records;
};

static int derived_init(struct derived *derived, const struct policy *policy,
			const struct model *model, const char *apex)
{
	struct name name;

	*derived = (struct derived){.key = &policy->key, .reverse = &model->reverse};
	faults_init(&derived->faults);
	if (name_from_text(&name, &policy->key, apex) == 0)
		derived->builder = zone_builder_new(&policy->key, &name);
	return derived->builder ? 0 : ERR_NOMEM;
}

static int derived_add(struct derived *derived, const char *owner, uint16_t type, uint32_t ttl,
		       const uint8_t *rdata, size_t length)
{
	static const struct origin origin;
	struct name name;

	if (name_from_text(&name, derived->key, owner) != 0)
		return 0;
	derived->records++;
	return zone_builder_add(derived->builder, &origin, name.wire, type, ttl, rdata, length,
				&derived->faults);
}

static int derived_add_name(struct derived *derived, const char *owner, uint16_t type, uint32_t ttl,
			    const char *target)
{
	struct name name;

	if (name_from_text(&name, derived->key, target) != 0)
		return 0;
	return derived_add(derived, owner, type, ttl, name.wire, name.length);
}

static int derived_add_address(struct derived *derived, const char *owner,
			       const struct address *address)
{
	return derived_add(derived, owner, address->family == 4 ? TYPE_A : TYPE_AAAA,
			   derived->reverse->ttl, address->bytes, address->family == 4 ? 4 : 16);
}

/* SOA and NS of a reverse zone, by reverse.name_servers and reverse.hostmaster. */
static int derived_add_apex(struct derived *derived, const char *apex)
{
	static const uint8_t times[20] = {0, 0,    0, 1,    0,    0, 0x0e, 0x10, 0, 0,
					  1, 0x2c, 0, 0x24, 0xea, 0, 0,    0,    1, 0x2c};
	const struct reverse_settings *reverse = derived->reverse;
	struct name server, hostmaster;
	uint8_t rdata[RDATA_SOA_MAX];

	if (!reverse->name_servers.count ||
	    name_from_text(&server, derived->key, reverse->name_servers.items[0]) != 0)
		return 0;
	if (!reverse->hostmaster ||
	    name_from_text(&hostmaster, derived->key, reverse->hostmaster) != 0)
		hostmaster = server;
	memcpy(rdata, server.wire, server.length);
	memcpy(rdata + server.length, hostmaster.wire, hostmaster.length);
	memcpy(rdata + server.length + hostmaster.length, times, sizeof times);
	int err = derived_add(derived, apex, TYPE_SOA, DERIVED_TTL, rdata,
			      (size_t)server.length + hostmaster.length + sizeof times);
	for (size_t i = 0; !err && i < reverse->name_servers.count; i++)
		err = derived_add_name(derived, apex, TYPE_NS, DERIVED_TTL,
				       reverse->name_servers.items[i]);
	return err;
}

/* The finished zone, held by the policy; NULL without memory, or when it is empty and `needed` is
 * not said. */
static struct zone *derived_finish(struct derived *derived, struct policy *policy, bool needed,
				   int *err)
{
	static const struct origin origin;
	struct zone *zone = NULL;

	if (*err || !derived->builder || (!needed && !derived->records)) {
		zone_builder_free(derived->builder);
	} else {
		zone = zone_builder_finish(derived->builder, &origin, &derived->faults);
		*err = policy_keep_zone(policy, zone);
		if (*err)
			zone = NULL;
	}
	faults_release(&derived->faults);
	return zone;
}

/* ---- PTRs ---- */

struct owned { /* an address with a PTR, of either kind of owner */
	const struct address *address;
	const char *name;
	uint32_t ttl;
};

static size_t owned_count(const struct model *model)
{
	return model->addresses.count + model->cloud_services.count;
}

static struct owned owned_at(const struct model *model, size_t i)
{
	if (i < model->addresses.count) {
		const struct owned_address *address = &model->addresses.items[i];

		return (struct owned){&address->address, address->reverse_fqdn,
				      address->ttl ? address->ttl : model->reverse.ttl};
	}
	const struct cloud_service *service =
		&model->cloud_services.items[i - model->addresses.count];
	return (struct owned){&service->address, service->reverse_fqdn, model->reverse.ttl};
}

static int add_ptr(struct derived *derived, const struct owned *owned)
{
	char text[NAME_TEXT_MAX];

	return derived_add_name(derived, reverse_text(owned->address, text), TYPE_PTR, owned->ttl,
				owned->name);
}

static bool in_space(const struct virtual_network *network, const struct address *address)
{
	for (size_t i = 0; i < network->address_space.count; i++)
		if (prefix_contains(&network->address_space.items[i], address))
			return true;
	return false;
}

static int compile_network_ptrs(struct policy *policy, const struct model *model,
				const struct virtual_network *network, uint8_t family,
				const struct zone **zone)
{
	struct derived derived;
	int err =
		derived_init(&derived, policy, model, family == 4 ? "in-addr.arpa." : "ip6.arpa.");

	for (size_t i = 0; !err && i < owned_count(model); i++) {
		struct owned owned = owned_at(model, i);

		if (owned.name && *owned.name && owned.address->family == family &&
		    address_is_private(owned.address) && in_space(network, owned.address))
			err = add_ptr(&derived, &owned);
	}
	*zone = derived_finish(&derived, policy, false, &err);
	return err;
}

/* ---- pools ---- */

static bool in_pool(const struct policy *policy, const struct address *address)
{
	return !address_is_private(address) &&
	       prefix_table_find(&policy->pool_space, address) != NULL;
}

/* The zone at one cut, with the addresses of every pool that reaches into it. */
static int compile_pool_zone(struct policy *policy, const struct model *model,
			     const struct prefix *cut)
{
	char text[NAME_TEXT_MAX];
	struct name apex;
	struct derived derived;

	if (name_from_text(&apex, &policy->key, reverse_zone_text(cut, text)) != 0 ||
	    suffix_table_get(&policy->pools, &apex, 0))
		return 0; /* another pool has made it */
	int err = derived_init(&derived, policy, model, text);
	if (!err)
		err = derived_add_apex(&derived, text);
	for (size_t i = 0; !err && i < owned_count(model); i++) {
		struct owned owned = owned_at(model, i);

		if (owned.name && *owned.name && prefix_contains(cut, owned.address) &&
		    in_pool(policy, owned.address))
			err = add_ptr(&derived, &owned);
	}
	struct zone *zone = derived_finish(&derived, policy, true, &err);
	return err ? err : suffix_table_add(&policy->pools, &policy->arena, &apex, zone);
}

/* Where the tree has a cut for this prefix: the next octet or nibble, and not the last one, so that
 * the addresses are below the zone's apex. */
static unsigned pool_cut(const struct prefix *prefix)
{
	unsigned step = prefix->address.family == 4 ? 8 : 4;
	unsigned last = address_bits(&prefix->address) - step;
	unsigned cut = (prefix->length + step - 1) / step * step;

	return cut < step ? step : cut > last ? last : cut;
}

static int compile_pool(struct policy *policy, const struct model *model,
			const struct address_pool *pool)
{
	unsigned cut = pool_cut(&pool->prefix);
	unsigned spare = cut > pool->prefix.length ? cut - pool->prefix.length : 0;
	struct prefix zone = {pool->prefix.address, (uint8_t)cut};

	/* A pool longer than the last cut shares its zone's name with its neighbours. */
	for (unsigned bit = cut; bit < address_bits(&zone.address); bit++)
		zone.address.bytes[bit / 8] &= (uint8_t) ~(0x80 >> bit % 8);
	unsigned byte = (cut - 1) / 8, shift = 7 - (cut - 1) % 8;
	uint8_t base = zone.address.bytes[byte];
	for (unsigned i = 0; i < 1U << spare; i++) {
		zone.address.bytes[byte] = (uint8_t)(base | i << shift);
		int err = compile_pool_zone(policy, model, &zone);
		if (err)
			return err;
	}
	return 0;
}

static int compile_pools(struct policy *policy, const struct model *model)
{
	enum { ZONES_PER_POOL = 128 };

	size_t count = model->address_pools.count;

	policy->pool_names = arena_alloc_array(&policy->arena, count, sizeof *policy->pool_names);
	if (!policy->pool_names ||
	    suffix_table_init(&policy->pools, &policy->arena, count * ZONES_PER_POOL) != 0)
		return ERR_NOMEM;
	for (size_t i = 0; i < count; i++) {
		const struct address_pool *pool = &model->address_pools.items[i];

		policy->pool_names[i] = arena_strdup(&policy->arena, pool->name);
		if (!policy->pool_names[i] || prefix_table_add(&policy->pool_space, &policy->arena,
							       &pool->prefix, (uint32_t)i) != 0)
			return ERR_NOMEM;
	}
	prefix_table_build(&policy->pool_space);
	for (size_t i = 0; i < count; i++) {
		int err = compile_pool(policy, model, &model->address_pools.items[i]);

		if (err)
			return err;
	}
	return 0;
}

/* ---- forward names ---- */

static int add_labels(struct derived *derived, const struct model *model)
{
	char text[NAME_TEXT_MAX];
	int err = 0;

	for (size_t i = 0; !err && i < model->addresses.count; i++) {
		const struct owned_address *address = &model->addresses.items[i];
		const char *region = model_region(model, address->region);

		if (!address->domain_name_label || !*address->domain_name_label || !region)
			continue;
		snprintf(text, sizeof text, "%s.%s.%s", address->domain_name_label, region,
			 model->reverse.suffix);
		err = derived_add_address(derived, text, &address->address);
	}
	return err;
}

static int add_services(struct derived *derived, const struct model *model)
{
	char text[NAME_TEXT_MAX];
	int err = 0;

	for (size_t i = 0; !err && i < model->cloud_services.count; i++) {
		const struct cloud_service *service = &model->cloud_services.items[i];

		snprintf(text, sizeof text, "%s.%s", service->name, model->reverse.service_suffix);
		err = derived_add_address(derived, text, &service->address);
	}
	return err;
}

static int compile_names(struct policy *policy, const struct model *model)
{
	static int (*const adders[])(struct derived *, const struct model *) = {add_labels,
										add_services};
	const char *apexes[] = {model->reverse.suffix, model->reverse.service_suffix};

	if (suffix_table_init(&policy->names, &policy->arena, 2) != 0)
		return ERR_NOMEM;
	for (unsigned i = 0; i < 2; i++) {
		struct derived derived;

		if (!apexes[i])
			continue;
		int err = derived_init(&derived, policy, model, apexes[i]);
		if (!err)
			err = adders[i](&derived, model);
		struct zone *zone = derived_finish(&derived, policy, false, &err);
		if (zone)
			err = suffix_table_add(&policy->names, &policy->arena, zone_apex(zone),
					       zone);
		if (err && err != ERR_EXISTS)
			return err;
	}
	return 0;
}

int policy_compile_addresses(struct policy *policy, const struct model *model)
{
	for (uint32_t i = 0; i < policy->network_count; i++) {
		const struct virtual_network *network = &model->virtual_networks.items[i];
		struct policy_network *compiled = &policy->networks[i];
		int err = compile_network_ptrs(policy, model, network, 4, &compiled->addresses4);

		if (!err)
			err = compile_network_ptrs(policy, model, network, 6,
						   &compiled->addresses6);
		if (err)
			return err;
	}
	int err = compile_pools(policy, model);
	return err ? err : compile_names(policy, model);
}
