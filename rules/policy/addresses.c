/* What follows from addresses and services, in two halves:
 *
 *     what they are called     the owned table: handed in with the model, taken over from the
 *                              policy before, or made here (owned_model.c)
 *     where that is answered   networks' own spaces, exact names only
 *                              pools: reverse zones, each with nothing but an apex (policy/pools.c)
 *                              the suffixes of labels and services, exact names only
 *
 * So the table can change by itself, and which of it is seen from where stays as it is: a PTR that
 * appears needs no zone to be made. */
#include <stdlib.h>
#include <string.h>

#include "rules/base.h"
#include "rules/policy/internal.h"

/* ---- the table ---- */

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

/* Of everything that owned_set_model looks at; never 0. */
static uint64_t print_model(const struct policy *policy, const struct model *model)
{
	const char *const texts[] = {model->region, model->reverse.suffix,
				     model->reverse.service_suffix};
	uint64_t print = model->addresses.count;

	print = print_bytes(policy, print, &model->reverse.ttl, sizeof model->reverse.ttl);
	for (size_t i = 0; i < COUNT(texts); i++)
		print = policy_print_text(policy, print, texts[i]);
	for (size_t i = 0; i < model->addresses.count; i++) {
		const struct owned_address *address = &model->addresses.items[i];

		print = print_address(policy, print, &address->address, address->ttl);
		print = policy_print_text(policy, print, address->reverse_fqdn);
		print = policy_print_text(policy, print, address->domain_name_label);
		print = policy_print_text(policy, print, address->region);
	}
	for (size_t i = 0; i < model->cloud_services.count; i++) {
		const struct cloud_service *service = &model->cloud_services.items[i];

		print = print_address(policy, print, &service->address, service->ttl);
		print = policy_print_text(policy, print, service->reverse_fqdn);
		print = policy_print_text(policy, print, service->name);
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
	return prefix_compare(left, right);
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
	enum { SUFFIXES = COUNT(suffixes) };
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
		err = policy_compile_pools(policy, before, model);
	if (!err)
		err = compile_trees(policy, before);
	if (!err)
		err = compile_names(policy, before, model);
	return err;
}
