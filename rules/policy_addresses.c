/* The zones that follow from addresses and services, none of which anybody writes as a file:
 *
 *     networks' own addresses     one PTR zone per family and network, exact names only
 *     address pools               reverse zones at octet or nibble cuts, authoritative within the
 *                                 pool's prefix, for all but private addresses
 *     labels and service names    forward zones, exact names only
 *
 * PTRs are derived from the addresses here, and stored nowhere else. The addresses are sorted once;
 * what lies in a network's prefix or at a cut is then a range, found by halving, and networks that
 * overlap each get theirs:
 *
 *     addresses    10.1.0.4   10.1.0.9   10.2.0.4   10.2.7.1   198.18.0.3   2001:db8::1
 *     10.1.0.0/16  [────────────────]
 *     10.0.0.0/8   [──────────────────────────────────────]
 *
 * So all of it costs one sort, and then what is in the zones. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "rules/policy_internal.h"
#include "rules/reverse.h"

struct owned { /* an address with a PTR, of either kind of owner */
	struct address address;
	uint32_t ttl;
	const char *name;
};

struct addresses { /* what is needed while the zones are made */
	struct policy *policy;
	const struct policy *before;
	const struct model *model;
	struct owned *owned; /* by family and address */
	size_t owned_count;
	struct prefix *cuts; /* where the pools' zones are, in order, each once */
	size_t cut_count;
};

/* ---- sorted addresses, and ranges of them ---- */

static int compare_addresses(const struct address *a, const struct address *b)
{
	return a->family != b->family ? (a->family < b->family ? -1 : 1)
				      : memcmp(a->bytes, b->bytes, sizeof a->bytes);
}

static int compare_owned(const void *a, const void *b)
{
	return compare_addresses(&((const struct owned *)a)->address,
				 &((const struct owned *)b)->address);
}

static void add_owned(struct addresses *a, const struct address *address, uint32_t ttl,
		      const char *name)
{
	if (name && *name && address->family)
		a->owned[a->owned_count++] =
			(struct owned){*address, ttl ? ttl : a->model->reverse.ttl, name};
}

static int collect_owned(struct addresses *a)
{
	const struct model *model = a->model;
	size_t count = model->addresses.count + model->cloud_services.count;

	a->owned = calloc(count + 1, sizeof *a->owned);
	if (!a->owned)
		return ERR_NOMEM;
	for (size_t i = 0; i < model->addresses.count; i++) {
		const struct owned_address *address = &model->addresses.items[i];

		add_owned(a, &address->address, address->ttl, address->reverse_fqdn);
	}
	for (size_t i = 0; i < model->cloud_services.count; i++) {
		const struct cloud_service *service = &model->cloud_services.items[i];

		add_owned(a, &service->address, 0, service->reverse_fqdn);
	}
	qsort(a->owned, a->owned_count, sizeof *a->owned, compare_owned);
	return 0;
}

/* The first address in the prefix, or where it would be. */
static size_t range_start(const struct addresses *a, const struct prefix *prefix)
{
	size_t low = 0, high = a->owned_count;

	while (low < high) {
		size_t middle = low + (high - low) / 2;

		if (compare_addresses(&a->owned[middle].address, &prefix->address) < 0)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

/* The PTRs of a prefix's addresses; belongs, when not NULL, says which. */
static int describe_range(struct derived *derived, const struct addresses *a,
			  const struct prefix *prefix,
			  bool (*belongs)(const struct addresses *a, const struct address *address))
{
	int err = 0;

	for (size_t i = range_start(a, prefix); !err && i < a->owned_count; i++) {
		const struct owned *owned = &a->owned[i];

		if (!prefix_contains(prefix, &owned->address))
			break;
		if (!belongs || belongs(a, &owned->address))
			err = derived_ptr(derived, &owned->address, owned->ttl, owned->name);
	}
	return err;
}

/* ---- networks ---- */

struct network_zone {
	const struct addresses *addresses;
	const struct virtual_network *network;
	uint8_t family;
};

static int describe_network(struct derived *derived, const void *of)
{
	const struct network_zone *zone = of;
	int err = 0;

	for (size_t i = 0; !err && i < zone->network->address_space.count; i++) {
		const struct prefix *prefix = &zone->network->address_space.items[i];

		if (prefix->address.family == zone->family)
			err = describe_range(derived, zone->addresses, prefix, NULL);
	}
	return err;
}

static int compile_network(struct addresses *a, const struct virtual_network *network,
			   uint8_t family, const struct zone **zone)
{
	const struct network_zone of = {a, network, family};
	struct zone *made;
	int err = policy_derive(a->policy, a->before, &a->model->reverse,
				family == 4 ? "in-addr.arpa." : "ip6.arpa.", describe_network, &of,
				&made);

	*zone = made;
	return err;
}

static int compile_networks(struct addresses *a)
{
	int err = 0;

	for (uint32_t i = 0; !err && i < a->policy->network_count; i++) {
		const struct virtual_network *network = &a->model->virtual_networks.items[i];
		struct policy_network *compiled = &a->policy->networks[i];

		err = compile_network(a, network, 4, &compiled->addresses4);
		if (!err)
			err = compile_network(a, network, 6, &compiled->addresses6);
	}
	return err;
}

/* ---- pools ---- */

/* Where the tree has a cut for this prefix: the next octet or nibble, and not the last one, so that
 * the addresses are below the zone's apex. */
static unsigned pool_cut(const struct prefix *prefix)
{
	unsigned step = prefix->address.family == 4 ? 8 : 4;
	unsigned last = address_bits(&prefix->address) - step;
	unsigned cut = (prefix->length + step - 1) / step * step;

	return cut < step ? step : cut > last ? last : cut;
}

/* How many cuts the pool reaches over: it may be shorter than the octet or nibble. */
static unsigned pool_cuts(const struct prefix *pool)
{
	unsigned cut = pool_cut(pool);

	return cut > pool->length ? 1U << (cut - pool->length) : 1;
}

static void add_cuts(struct addresses *a, const struct prefix *pool)
{
	unsigned cut = pool_cut(pool), byte = (cut - 1) / 8, shift = 7 - (cut - 1) % 8;
	/* A pool longer than the last cut shares its zone's name with its neighbours. */
	struct prefix zone = {address_mask(&pool->address, cut), (uint8_t)cut};
	uint8_t base = zone.address.bytes[byte];

	for (unsigned i = 0; i < pool_cuts(pool); i++) {
		zone.address.bytes[byte] = (uint8_t)(base | i << shift);
		a->cuts[a->cut_count++] = zone;
	}
}

static int compare_cuts(const void *left, const void *right)
{
	const struct prefix *a = left, *b = right;
	int order = compare_addresses(&a->address, &b->address);

	return order ? order : a->length - b->length;
}

static int collect_cuts(struct addresses *a)
{
	size_t count = 0, kept = 0;

	for (size_t i = 0; i < a->model->address_pools.count; i++)
		count += pool_cuts(&a->model->address_pools.items[i].prefix);
	a->cuts = calloc(count + 1, sizeof *a->cuts);
	if (!a->cuts)
		return ERR_NOMEM;
	for (size_t i = 0; i < a->model->address_pools.count; i++)
		add_cuts(a, &a->model->address_pools.items[i].prefix);
	qsort(a->cuts, a->cut_count, sizeof *a->cuts, compare_cuts);
	for (size_t i = 0; i < a->cut_count; i++)
		if (!kept || !prefix_equal(&a->cuts[kept - 1], &a->cuts[i]))
			a->cuts[kept++] = a->cuts[i];
	a->cut_count = kept;
	return 0;
}

struct cut_zone {
	const struct addresses *addresses;
	const struct prefix *cut;
};

static bool belongs_to_pool(const struct addresses *a, const struct address *address)
{
	return !address_is_private(address) && prefix_table_find(&a->policy->pool_space, address);
}

/* With the addresses of every pool that reaches into it. */
static int describe_cut(struct derived *derived, const void *of)
{
	const struct cut_zone *zone = of;
	int err = derived_apex(derived);

	return err ? err : describe_range(derived, zone->addresses, zone->cut, belongs_to_pool);
}

static int index_pools(struct addresses *a)
{
	struct policy *policy = a->policy;
	size_t count = a->model->address_pools.count;

	policy->pool_names = arena_alloc_array(&policy->arena, count, sizeof *policy->pool_names);
	if (!policy->pool_names)
		return ERR_NOMEM;
	for (size_t i = 0; i < count; i++) {
		const struct address_pool *pool = &a->model->address_pools.items[i];

		policy->pool_names[i] = arena_strdup(&policy->arena, pool->name);
		if (!policy->pool_names[i] || prefix_table_add(&policy->pool_space, &policy->arena,
							       &pool->prefix, (uint32_t)i) != 0)
			return ERR_NOMEM;
	}
	prefix_table_build(&policy->pool_space);
	return suffix_table_init(&policy->pools, &policy->arena, a->cut_count);
}

static int compile_pools(struct addresses *a)
{
	struct policy *policy = a->policy;
	char apex[NAME_TEXT_MAX];
	int err = index_pools(a);

	for (size_t i = 0; !err && i < a->cut_count; i++) {
		const struct cut_zone of = {a, &a->cuts[i]};
		struct zone *zone;

		err = policy_derive(policy, a->before, &a->model->reverse,
				    reverse_zone_text(&a->cuts[i], apex), describe_cut, &of, &zone);
		if (!err)
			err = suffix_table_add(&policy->pools, &policy->arena, zone_apex(zone),
					       zone);
	}
	return err;
}

/* ---- forward names ---- */

static int describe_labels(struct derived *derived, const void *of)
{
	const struct model *model = of;
	char text[NAME_TEXT_MAX];
	int err = 0;

	for (size_t i = 0; !err && i < model->addresses.count; i++) {
		const struct owned_address *address = &model->addresses.items[i];
		const char *region = model_region(model, address->region);

		if (!address->domain_name_label || !*address->domain_name_label || !region)
			continue;
		snprintf(text, sizeof text, "%s.%s.%s", address->domain_name_label, region,
			 model->reverse.suffix);
		err = derived_address(derived, text, &address->address);
	}
	return err;
}

static int describe_services(struct derived *derived, const void *of)
{
	const struct model *model = of;
	char text[NAME_TEXT_MAX];
	int err = 0;

	for (size_t i = 0; !err && i < model->cloud_services.count; i++) {
		const struct cloud_service *service = &model->cloud_services.items[i];

		snprintf(text, sizeof text, "%s.%s", service->name, model->reverse.service_suffix);
		err = derived_address(derived, text, &service->address);
	}
	return err;
}

enum { FORWARD_ZONES = 2 };

static int compile_names(struct addresses *a)
{
	static int (*const describe[FORWARD_ZONES])(struct derived *, const void *) = {
		describe_labels, describe_services};
	const struct reverse_settings *reverse = &a->model->reverse;
	const char *apexes[FORWARD_ZONES] = {reverse->suffix, reverse->service_suffix};
	struct policy *policy = a->policy;

	if (suffix_table_init(&policy->names, &policy->arena, FORWARD_ZONES) != 0)
		return ERR_NOMEM;
	for (unsigned i = 0; i < FORWARD_ZONES; i++) {
		struct zone *zone = NULL;
		int err = apexes[i] ? policy_derive(policy, a->before, reverse, apexes[i],
						    describe[i], a->model, &zone)
				    : 0;

		if (zone)
			err = suffix_table_add(&policy->names, &policy->arena, zone_apex(zone),
					       zone);
		if (err && err != ERR_EXISTS)
			return err;
	}
	return 0;
}

/* ---- the whole ---- */

static int make_room(struct addresses *a)
{
	struct policy *policy = a->policy;
	size_t most = 2 * (size_t)policy->network_count + a->cut_count + FORWARD_ZONES;

	policy->derived = arena_alloc_array(&policy->arena, most, sizeof *policy->derived);
	return policy->derived ? 0 : ERR_NOMEM;
}

int policy_compile_addresses(struct policy *policy, const struct policy *before,
			     const struct model *model)
{
	static int (*const steps[])(struct addresses *) = {
		collect_owned,    collect_cuts,  make_room,
		compile_networks, compile_pools, compile_names,
	};
	struct addresses a = {.policy = policy, .before = before, .model = model};
	int err = 0;

	for (size_t i = 0; !err && i < sizeof steps / sizeof steps[0]; i++)
		err = steps[i](&a);
	policy_derived_sort(policy);
	free(a.owned);
	free(a.cuts);
	return err;
}
