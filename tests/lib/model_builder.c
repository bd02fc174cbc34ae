#include "tests/lib/model_builder.h"
#include "rules/schema/reference.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "rules/schema/schema.h"
#include "rules/zone/zonefile.h"

const struct hash_key test_key = {1, 2};

static void must(bool good, const char *what)
{
	if (good)
		return;
	fprintf(stderr, "model_builder: %s\n", what);
	abort();
}

/* The list with one more item, all zero, at its end. */
static void *grow(struct model *model, void *items, size_t *count, size_t size)
{
	char *larger = arena_alloc_array(&model->arena, *count + 1, size);

	must(larger != NULL, "no memory");
	if (*count)
		memcpy(larger, items, *count * size);
	++*count;
	return larger;
}

#define ADD(model, list)                                                                           \
	((list).items = grow(model, (list).items, &(list).count, sizeof *(list).items),            \
	 &(list).items[(list).count - 1])

static const char *copy(struct model *model, const char *text)
{
	return text ? arena_strdup(&model->arena, text) : NULL;
}

/* The next word, up to a blank, or NULL. */
static const char *next_word(struct model *model, const char **text)
{
	*text += strspn(*text, " ");
	size_t length = strcspn(*text, " ");

	if (!length)
		return NULL;
	const char *word = arena_printf(&model->arena, "%.*s", (int)length, *text);
	*text += length;
	return word;
}

struct model *model_start(void)
{
	struct model *model = model_new();

	must(model != NULL, "no memory");
	must(schema_defaults(&schema_model, model, &model->arena) == 0, "no memory");
	model->region = "westeurope";
	return model;
}

/* ---- networks and resolvers ---- */

static void add_subnet(struct model *model, struct virtual_network *network, const char *name,
		       uint8_t last)
{
	struct subnet *subnet = ADD(model, network->subnets);

	subnet->name = name;
	subnet->prefix = (struct prefix){network->address_space.items[0].address, 28};
	subnet->prefix.address.bytes[3] = last;
	subnet->delegation = "Microsoft.Network/dnsResolvers";
}

struct virtual_network *model_add_network(struct model *model, const char *name,
					  const char *prefixes)
{
	struct virtual_network *network = ADD(model, model->virtual_networks);
	const char *word;

	model->networks_by_name = NULL;
	network->name = copy(model, name);
	network->uses_default_resolver = true; /* the file's default */
	while ((word = next_word(model, &prefixes)))
		must(prefix_parse(ADD(model, network->address_space), word) == 0, word);
	add_subnet(model, network, "in", 0);
	add_subnet(model, network, "out", 16);
	add_subnet(model, network, "out2", 32);
	return network;
}

void model_add_client_prefix(struct virtual_network *network, struct model *model,
			     const char *prefix)
{
	must(prefix_parse(ADD(model, network->client_prefixes), prefix) == 0, prefix);
}

void model_add_dns_server(struct virtual_network *network, struct model *model, const char *host)
{
	must(host_parse(ADD(model, network->dns_servers), host, 53) == 0, host);
}

void model_add_resolver(struct model *model, const char *name, const char *network_name,
			const char *listen)
{
	const struct virtual_network *network = model_network(model, NULL, network_name);
	struct dns_resolver *resolver = ADD(model, model->resolvers);

	model->resolvers_by_name = NULL;
	must(network != NULL, network_name);
	resolver->name = copy(model, name);
	resolver->virtual_network = copy(model, network_name);
	struct inbound_endpoint *inbound = ADD(model, resolver->inbound_endpoints);
	inbound->name = inbound->subnet = "in";
	inbound->allocation = ALLOCATION_STATIC;
	inbound->address = network->address_space.items[0].address;
	inbound->address.bytes[3] = 4;
	if (listen)
		must(host_parse(&inbound->listen, listen, 53) == 0, listen);
	struct outbound_endpoint *outbound = ADD(model, resolver->outbound_endpoints);
	outbound->name = outbound->subnet = "out";
	outbound = ADD(model, resolver->outbound_endpoints);
	outbound->name = outbound->subnet = "out2";
}

/* ---- zones and rulesets ---- */

static struct zone *read_zone(const char *name, const char *text)
{
	struct faults faults;
	struct name apex = test_name(name);
	FILE *in = fmemopen((void *)(uintptr_t)text, strlen(text), "r");

	must(in != NULL, "no memory");
	faults_init(&faults);
	struct zone *zone = zonefile_read(in, name, NULL, &test_key, &apex, &faults);
	fclose(in);
	faults_print(&faults, stderr);
	faults_release(&faults);
	must(zone != NULL, name);
	return zone;
}

void model_add_zone(struct model *model, const char *name, const char *text, const char *networks)
{
	struct private_zone *zone = ADD(model, model->private_zones);
	const char *word;

	zone->name = copy(model, name);
	zone->zone = read_zone(name, text);
	while ((word = next_word(model, &networks))) {
		struct zone_link *link = ADD(model, zone->links);
		size_t length = strcspn(word, "?>");

		link->name = "link";
		link->resolution_policy = word[length] == '?'   ? RESOLUTION_NXDOMAIN_REDIRECT
					  : word[length] == '>' ? RESOLUTION_NXDOMAIN_FALLTHROUGH
								: RESOLUTION_DEFAULT;
		link->virtual_network = arena_printf(&model->arena, "%.*s", (int)length, word);
	}
}

void model_add_registration(struct model *model, const char *zone, const char *prefix)
{
	struct registration_settings *settings = ADD(model, model->registration);

	settings->zone = copy(model, zone);
	must(prefix_parse(ADD(model, settings->prefixes), prefix) == 0, prefix);
}

struct forwarding_ruleset *model_add_ruleset(struct model *model, const char *name,
					     const char *endpoints, const char *networks)
{
	struct forwarding_ruleset *ruleset = ADD(model, model->rulesets);
	const char *word;

	ruleset->name = copy(model, name);
	while ((word = next_word(model, &endpoints)))
		*ADD(model, ruleset->outbound_endpoints) = word;
	while ((word = next_word(model, &networks))) {
		struct ruleset_link *link = ADD(model, ruleset->links);

		link->name = "link";
		link->virtual_network = word;
	}
	return ruleset;
}

static void parse_target(struct target_server *target, const char *word)
{
	struct host host;

	if (strncmp(word, "tcp:", 4) == 0) {
		target->protocol = PROTOCOL_TCP;
		word += 4;
	}
	must(host_parse(&host, word, 53) == 0, word);
	target->address = host.address;
	target->port = host.port;
}

struct forwarding_rule *model_add_rule(struct model *model, struct forwarding_ruleset *ruleset,
				       const char *name, const char *domain, const char *targets)
{
	struct forwarding_rule *rule = ADD(model, ruleset->rules);
	const char *word;

	rule->name = copy(model, name);
	rule->domain = copy(model, domain);
	while ((word = next_word(model, &targets)))
		parse_target(ADD(model, rule->targets), word);
	return rule;
}

void model_add_default(struct model *model, const char *targets)
{
	const char *word;

	model->default_resolver.given = true;
	while ((word = next_word(model, &targets)))
		parse_target(ADD(model, model->default_resolver.targets), word);
}

void model_add_reserved(struct model *model, const char *domain)
{
	*ADD(model, model->reserved_domains) = copy(model, domain);
}

/* ---- addresses ---- */

void model_add_pool(struct model *model, const char *name, const char *prefix)
{
	struct address_pool *pool = ADD(model, model->address_pools);

	pool->name = copy(model, name);
	must(prefix_parse(&pool->prefix, prefix) == 0, prefix);
}

struct owned_item *model_add_address(struct model *model, const char *name, const char *address,
				     const char *label, const char *reverse_fqdn)
{
	struct owned_item *owned = ADD(model, model->addresses);

	owned->name = copy(model, name);
	must(address_parse(&owned->address, address) == 0, address);
	owned->domain_name_label = copy(model, label);
	owned->reverse_fqdn = copy(model, reverse_fqdn);
	owned->ttl = NOT_GIVEN;
	return owned;
}

void model_add_service(struct model *model, const char *name, const char *address,
		       const char *reverse_fqdn)
{
	struct owned_item *service = ADD(model, model->cloud_services);

	service->name = copy(model, name);
	must(address_parse(&service->address, address) == 0, address);
	service->reverse_fqdn = copy(model, reverse_fqdn);
	service->ttl = NOT_GIVEN;
}

/* ---- compiling ---- */

struct policy *model_compile(struct model *model, const struct policy *before)
{
	must(model_sort_names(model) == 0, "no memory");
	model_place_endpoints(model);
	struct policy *policy = policy_compile(model, &test_key, before);

	must(policy != NULL, "no policy came of it");
	return policy;
}

static const char *by_word(enum decided_by by)
{
	static const char *const words[] = {"nobody", "custom", "zone",    "address", "rule",
					    "pool",   "name",   "special", "default"};

	return words[by];
}

static const char *outcome_word(const struct zone_answer *answer)
{
	static const char *const words[] = {"hit", "cname", "dname", "nodata", "nxdomain"};

	return words[answer->outcome];
}

const char *model_decide(const struct policy *policy, const char *network, const char *text,
			 uint16_t type)
{
	static char words[200];
	bool vnet = strncmp(network, "vnet:", 5) == 0;
	struct place place = {policy_find_network(policy, network + (vnet ? 5 : 0)), vnet};
	struct name name = test_name(text);
	struct verdict verdict;

	policy_decide(policy, place, &name, type, &verdict, NULL);
	if (verdict.kind == VERDICT_REFUSE)
		return "refused";
	snprintf(words, sizeof words, "%s%s%s%s%s", by_word(verdict.by), verdict.object ? " " : "",
		 verdict.object ? verdict.object : "", verdict.kind == VERDICT_ANSWER ? " " : "",
		 verdict.kind == VERDICT_ANSWER ? outcome_word(&verdict.answer)
		 : verdict.redirected           ? " redirected"
						: "");
	return words;
}

struct name test_name(const char *text)
{
	struct name name;

	must(name_from_text(&name, &test_key, text) == 0, text);
	return name;
}
