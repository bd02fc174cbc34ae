/* An address is checked by the indexes of limits_check: prefix tables of address pools, address
 * spaces and endpoints' subnets. So checking one address among a million costs a few binary
 * searches. For the management API, pools_new makes these tables once for each model, and struct
 * pools keeps them. */
#include "rules/check/pools.h"

#include <strings.h>

#include "rules/check/internal.h"
#include "rules/text.h"

struct pools {
	unsigned references;
	struct check check;
	struct faults faults; /* stays empty, because the model was checked */
};

/* ---- the tables ---- */

static void add_prefix(struct check *check, struct prefix_table *table, const struct prefix *prefix,
		       size_t value)
{
	if (prefix->address.family &&
	    prefix_table_add(table, &check->arena, prefix, (uint32_t)value) != 0)
		check->out_of_memory = true;
}

void check_index_pools(struct check *check)
{
	const struct model *model = check->model;

	for (size_t i = 0; i < model->address_pools.count; i++)
		add_prefix(check, &check->pools, &model->address_pools.items[i].prefix, i);
	for (size_t i = 0; i < model->virtual_networks.count; i++) {
		const struct virtual_network *network = &model->virtual_networks.items[i];

		for (size_t k = 0; k < network->address_space.count; k++)
			add_prefix(check, &check->spaces, &network->address_space.items[k], i);
	}
	prefix_table_build(&check->pools);
	prefix_table_build(&check->spaces);
}

struct pools *pools_new(const struct model *model)
{
	struct pools *pools = calloc(1, sizeof *pools);

	if (!pools)
		return NULL;
	pools->references = 1;
	faults_init(&pools->faults);
	pools->check.model = model;
	pools->check.faults = &pools->faults;
	arena_init(&pools->check.arena);
	limits_check_networks(&pools->check);
	limits_check_endpoints(&pools->check);
	check_index_pools(&pools->check);
	if (!pools->check.out_of_memory)
		return pools;
	pools_free(pools);
	return NULL;
}

struct pools *pools_ref(struct pools *pools)
{
	pools->references++;
	return pools;
}

void pools_free(struct pools *pools)
{
	if (!pools || --pools->references > 0)
		return;
	arena_release(&pools->check.arena);
	faults_release(&pools->faults);
	free(pools);
}

/* ---- one address ---- */

static bool is_ours(const struct check *check, const struct address *address, const char *region)
{
	const struct prefix_entry *entry = prefix_table_find(&check->pools, address);
	const struct address_pool *pool =
		entry ? &check->model->address_pools.items[entry->value] : NULL;

	if (pool && (!pool->region || !region || strcasecmp(pool->region, region) == 0))
		return true;
	return address_is_private(address) && prefix_table_find(&check->spaces, address);
}

const char *check_own_address(const struct check *check, const struct address *address,
			      const char *region, char text[POOLS_TEXT_MAX])
{
	const struct prefix_entry *subnet = prefix_table_find(&check->subnets, address);
	char print[ADDRESS_TEXT_MAX];

	if (!is_ours(check, address, region)) {
		snprintf(text, POOLS_TEXT_MAX,
			 "%s is in no address pool of its region%s%s, and is not a private address "
			 "in a virtual network; add its pool",
			 address_print(address, print), region ? ", " : "", region ? region : "");
		return text;
	}
	if (subnet) {
		const struct origin *endpoint = check->subnet_origins[subnet->value];

		snprintf(text, POOLS_TEXT_MAX, "%s is in the subnet of ",
			 address_print(address, print));
		if (endpoint->file)
			text_append(text, POOLS_TEXT_MAX, "the endpoint at %s:%u", endpoint->file,
				    endpoint->line);
		else
			text_append(text, POOLS_TEXT_MAX, "an endpoint");
		text_append(text, POOLS_TEXT_MAX,
			    ", which is the endpoint's alone; use an address of another subnet");
		return text;
	}
	return NULL;
}

const char *pools_refusal(const struct pools *pools, const struct address *address,
			  const char *region, char text[POOLS_TEXT_MAX])
{
	return check_own_address(&pools->check, address, region, text);
}

/* ---- comparing ---- */

static bool is_same_text(const char *a, const char *b)
{
	return a && b ? strcasecmp(a, b) == 0 : a == b;
}

static bool have_same_prefixes(const struct prefix_table *a, const struct prefix_table *b)
{
	if (a->count != b->count)
		return false;
	for (size_t i = 0; i < a->count; i++)
		if (!prefix_equal(&a->entries[i].prefix, &b->entries[i].prefix))
			return false;
	return true;
}

/* Compares the regions of pools with the same prefixes. */
static bool have_same_regions(const struct check *a, const struct check *b)
{
	for (size_t i = 0; i < a->pools.count; i++)
		if (!is_same_text(a->model->address_pools.items[a->pools.entries[i].value].region,
				  b->model->address_pools.items[b->pools.entries[i].value].region))
			return false;
	return true;
}

/* Compares the places of endpoints' subnets with the same prefixes. */
static bool have_same_places(const struct check *a, const struct check *b)
{
	for (size_t i = 0; i < a->subnets.count; i++) {
		const struct origin *first = a->subnet_origins[a->subnets.entries[i].value];
		const struct origin *second = b->subnet_origins[b->subnets.entries[i].value];

		if (first->line != second->line || !is_same_text(first->file, second->file))
			return false;
	}
	return true;
}

bool pools_equal(const struct pools *left, const struct pools *right, bool places)
{
	const struct check *a = &left->check, *b = &right->check;

	return have_same_prefixes(&a->pools, &b->pools) &&
	       have_same_prefixes(&a->spaces, &b->spaces) &&
	       have_same_prefixes(&a->subnets, &b->subnets) && have_same_regions(a, b) &&
	       (!places || have_same_places(a, b));
}

static const struct hash_key fixed_key; /* two processes hash alike */

static uint64_t hash_text(uint64_t hash, const char *text)
{
	return hash_bytes(&fixed_key, hash, text ? text : "", text ? strlen(text) + 1 : 0);
}

static uint64_t hash_prefixes(uint64_t hash, const struct prefix_table *table)
{
	char text[PREFIX_TEXT_MAX];

	for (size_t i = 0; i < table->count; i++)
		hash = hash_text(hash, prefix_print(&table->entries[i].prefix, text));
	return hash_text(hash, NULL);
}

uint64_t pools_hash(const struct pools *pools)
{
	const struct check *check = &pools->check;
	uint64_t hash = hash_prefixes(0, &check->pools);

	hash = hash_prefixes(hash, &check->spaces);
	hash = hash_prefixes(hash, &check->subnets);
	for (size_t i = 0; i < check->pools.count; i++) {
		const size_t place = check->pools.entries[i].value;

		hash = hash_text(hash, check->model->address_pools.items[place].region);
	}
	for (size_t i = 0; i < check->subnets.count; i++) {
		const struct origin *origin =
			check->subnet_origins[check->subnets.entries[i].value];

		hash = hash_text(hash + origin->line, origin->file);
	}
	return hash;
}

/* ---- names ---- */

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

const char *label_refusal(const char *label)
{
	return is_domain_label(label) ? NULL
				      : "use 3 to 63 of a-z, 0-9 and '-', beginning with a letter "
					"and not ending in '-'";
}

const char *service_name_refusal(const char *name)
{
	return text_is_host_label(name) ? NULL
					: "use 1 to 63 letters, digits and '-', with a letter or "
					  "digit at both ends";
}

const char *reverse_fqdn_refusal(const char *fqdn)
{
	struct name name;

	if (!check_name(&name, fqdn) ||
	    (name.labels > 0 && !(name.wire[0] == 1 && name.wire[1] == '*')))
		return NULL;
	return "give one such as \"app1.contoso.com.\"";
}
