/* What follows from addresses and services, in two halves:
 *
 *     what they are called     the owned table: handed in with the model, taken over from the
 *                              policy before, or made here (owned_model.c)
 *     where that is answered   networks' own spaces, exact names only
 *                              pools: reverse zones at octet or nibble cuts, each with nothing but
 *                              an apex, authoritative within the pool's prefix
 *                              the suffixes of labels and services, exact names only
 *
 * So the table can change by itself, and which of it is seen from where stays as it is: a PTR that
 * appears needs no zone to be made. */
#include <stdlib.h>
#include <string.h>

#include "rules/policy_internal.h"
#include "rules/reverse.h"

/* ---- the table ---- */

static uint64_t print_bytes(const struct policy *policy, uint64_t print, const void *bytes,
			    size_t length)
{
	return hash_bytes(&policy->key, print, bytes, length);
}

/* With its end, so that two texts in a row are not two others. */
static uint64_t print_text(const struct policy *policy, uint64_t print, const char *text)
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

/* Of everything that owned_set_model looks at; never 0. */
static uint64_t print_model(const struct policy *policy, const struct model *model)
{
	const char *const texts[] = {model->region, model->reverse.suffix,
				     model->reverse.service_suffix};
	uint64_t print = model->addresses.count;

	print = print_bytes(policy, print, &model->reverse.ttl, sizeof model->reverse.ttl);
	for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++)
		print = print_text(policy, print, texts[i]);
	for (size_t i = 0; i < model->addresses.count; i++) {
		const struct owned_address *address = &model->addresses.items[i];

		print = print_address(policy, print, &address->address, address->ttl);
		print = print_text(policy, print, address->reverse_fqdn);
		print = print_text(policy, print, address->domain_name_label);
		print = print_text(policy, print, address->region);
	}
	for (size_t i = 0; i < model->cloud_services.count; i++) {
		const struct cloud_service *service = &model->cloud_services.items[i];

		print = print_address(policy, print, &service->address, 0);
		print = print_text(policy, print, service->reverse_fqdn);
		print = print_text(policy, print, service->name);
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

/* A reload that changes none of them costs a hash of each. */
static int compile_owned(struct policy *policy, const struct policy *before,
			 const struct model *model)
{
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

/* ---- networks ---- */

static int compare_prefixes(const void *left, const void *right)
{
	const struct prefix *a = left, *b = right;
	int order = address_compare(&a->address, &b->address);

	return order ? order : a->length - b->length;
}

/* In order, and without those that lie within another; returns how many are left. */
static size_t settle_prefixes(struct prefix *prefixes, size_t count)
{
	size_t kept = 0;

	qsort(prefixes, count, sizeof *prefixes, compare_prefixes);
	for (size_t i = 0; i < count; i++)
		if (!kept || !prefix_covers(&prefixes[kept - 1], &prefixes[i]))
			prefixes[kept++] = prefixes[i];
	return kept;
}

static int compile_spaces(struct policy *policy, const struct model *model)
{
	for (uint32_t i = 0; i < policy->network_count; i++) {
		const struct virtual_network *from = &model->virtual_networks.items[i];
		struct policy_network *network = &policy->networks[i];
		size_t count = from->address_space.count;

		network->spaces = arena_alloc_array(&policy->arena, count, sizeof *network->spaces);
		if (!network->spaces)
			return ERR_NOMEM;
		for (size_t p = 0; p < count; p++)
			network->spaces[p] = from->address_space.items[p];
		network->space_count = (uint32_t)settle_prefixes(network->spaces, count);
	}
	return 0;
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

static void add_cuts(struct prefix *cuts, size_t *count, const struct prefix *pool)
{
	unsigned cut = pool_cut(pool), byte = (cut - 1) / 8, shift = 7 - (cut - 1) % 8;
	/* A pool longer than the last cut shares its zone's name with its neighbours. */
	struct prefix zone = {address_mask(&pool->address, cut), (uint8_t)cut};
	uint8_t base = zone.address.bytes[byte];

	for (unsigned i = 0; i < pool_cuts(pool); i++) {
		zone.address.bytes[byte] = (uint8_t)(base | i << shift);
		cuts[(*count)++] = zone;
	}
}

/* In order, each once. A cut may lie within another: both have a zone. */
static int collect_cuts(const struct model *model, struct prefix **cuts, size_t *cut_count)
{
	size_t room = 0, count = 0, kept = 0;

	for (size_t i = 0; i < model->address_pools.count; i++)
		room += pool_cuts(&model->address_pools.items[i].prefix);
	*cuts = calloc(room + 1, sizeof **cuts);
	if (!*cuts)
		return ERR_NOMEM;
	for (size_t i = 0; i < model->address_pools.count; i++)
		add_cuts(*cuts, &count, &model->address_pools.items[i].prefix);
	qsort(*cuts, count, sizeof **cuts, compare_prefixes);
	for (size_t i = 0; i < count; i++)
		if (!kept || !prefix_equal(&(*cuts)[kept - 1], &(*cuts)[i]))
			(*cuts)[kept++] = (*cuts)[i];
	*cut_count = kept;
	return 0;
}

static int index_pools(struct policy *policy, const struct model *model)
{
	size_t count = model->address_pools.count;

	policy->pool_names = arena_alloc_array(&policy->arena, count, sizeof *policy->pool_names);
	if (!policy->pool_names)
		return ERR_NOMEM;
	for (size_t i = 0; i < count; i++) {
		const struct address_pool *pool = &model->address_pools.items[i];

		policy->pool_names[i] = arena_strdup(&policy->arena, pool->name);
		if (!policy->pool_names[i] || prefix_table_add(&policy->pool_space, &policy->arena,
							       &pool->prefix, (uint32_t)i) != 0)
			return ERR_NOMEM;
	}
	prefix_table_build(&policy->pool_space);
	return 0;
}

static uint64_t print_reverse(const struct policy *policy, const struct reverse_settings *reverse)
{
	uint64_t print = reverse->name_servers.count;

	for (size_t i = 0; i < reverse->name_servers.count; i++)
		print = print_text(policy, print, reverse->name_servers.items[i]);
	return print_text(policy, print, reverse->hostmaster);
}

static int compile_pools(struct policy *policy, const struct policy *before,
			 const struct model *model)
{
	struct prefix *cuts = NULL;
	size_t count = 0;
	char apex[NAME_TEXT_MAX];
	int err = index_pools(policy, model);

	policy->apex_print = print_reverse(policy, &model->reverse);
	const struct suffix_table *zones_before =
		before && before->apex_print == policy->apex_print ? &before->pools : NULL;
	if (!err)
		err = collect_cuts(model, &cuts, &count);
	if (!err)
		err = suffix_table_init(&policy->pools, &policy->arena, count);
	for (size_t i = 0; !err && i < count; i++)
		err = policy_add_apex(policy, &policy->pools, zones_before,
				      reverse_zone_text(&cuts[i], apex), &model->reverse);
	free(cuts);
	return err;
}

/* ---- exact names ---- */

/* The SOA of a name that is ours and has other data is made in the tree's or the suffix's name. */
static int compile_trees(struct policy *policy, const struct policy *before)
{
	static const char *const texts[] = {"in-addr.arpa.", "ip6.arpa."};
	int err = 0;

	for (unsigned i = 0; !err && i < 2; i++) {
		policy->trees[i] = before ? zone_ref(before->trees[i])
					  : policy_make_apex(policy, texts[i], NULL);
		err = policy_keep_zone(policy, policy->trees[i]);
	}
	return err;
}

static int compile_names(struct policy *policy, const struct policy *before,
			 const struct model *model)
{
	const char *const suffixes[] = {model->reverse.suffix, model->reverse.service_suffix};
	enum { SUFFIXES = sizeof suffixes / sizeof suffixes[0] };
	int err = suffix_table_init(&policy->names, &policy->arena, SUFFIXES);

	for (unsigned i = 0; !err && i < SUFFIXES; i++)
		if (suffixes[i])
			err = policy_add_apex(policy, &policy->names,
					      before ? &before->names : NULL, suffixes[i], NULL);
	return err;
}

/* ---- the whole ---- */

int policy_compile_addresses(struct policy *policy, const struct policy *before,
			     const struct model *model)
{
	int err = compile_owned(policy, before, model);

	if (!err)
		err = compile_spaces(policy, model);
	if (!err)
		err = compile_pools(policy, before, model);
	if (!err)
		err = compile_trees(policy, before);
	if (!err)
		err = compile_names(policy, before, model);
	return err;
}
