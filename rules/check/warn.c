/* Warns of legal settings that are surely not intended. In doubt there is no warning: a target
 * counts as out of reach only if no endpoint reaches it. check/loop.c warns of forwarding loops. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "rules/check/internal.h"
#include "rules/owned/owned.h"
#include "rules/policy/registered.h"
#include "rules/schema/rule_targets.h"
#include "rules/text.h"

/* The full name of the network in the ruleset's link; "": none. */
static const char *linked_network(const struct check *check,
				  const struct forwarding_ruleset *ruleset, size_t link)
{
	const struct virtual_network *network = model_network(
		check->model, ruleset->resource_group, ruleset->links.items[link].virtual_network);

	return network ? full_name(&network->named) : "";
}

/* The first network of the ruleset where a zone of this name decides all names below it; "": none.
 * `shadows` keeps the result, so that a thousand rules below one zone cost one search of the
 * links. */
static const char *shadowing_network(struct check *check, const struct forwarding_ruleset *ruleset,
				     const char *zone, struct seen *shadows)
{
	const char *network = seen_get(shadows, zone);

	if (network)
		return network;
	network = "";
	for (size_t i = 0; i < ruleset->links.count && network[0] == '\0'; i++) {
		const char *linked = linked_network(check, ruleset, i);

		if (*linked && check_zone_decides(check, zone, linked))
			network = linked;
	}
	seen_put(check, shadows, zone, network);
	return network;
}

static void warn_shadowed(struct check *check, const struct forwarding_ruleset *ruleset,
			  const struct forwarding_rule *rule, struct seen *shadows)
{
	char text[NAME_TEXT_MAX];
	struct name name;

	if (rule->state != RULE_ENABLED || ruleset->links.count == 0 ||
	    !check_name(&name, rule->domain))
		return;
	for (const char *suffix = name_to_text(&name, text); suffix;
	     suffix = check_parent(suffix)) {
		const char *network;
		if (!seen_get(&check->zone_names, suffix))
			continue;
		network = shadowing_network(check, ruleset, suffix, shadows);
		if (network[0] == '\0')
			continue;
		WARN(check, &rule->origin, "domain",
		     "never reached in virtual network \"%s\": private zone %s is linked there and "
		     "answers first; remove the rule or that link",
		     network, suffix);
		return;
	}
}

/* Why a packet from source cannot reach the target; NULL: it can. */
static const char *obstacle(const struct address *source, const struct address *target)
{
	if (source->family != target->family)
		return "is of the other IP version";
	if (address_is_unspecified(source))
		return NULL;
	if (address_is_loopback(source) && !address_is_loopback(target))
		return "is a loopback address";
	if (!address_is_loopback(source) && address_is_loopback(target))
		return "is not a loopback address";
	return NULL;
}

static void warn_unreachable(struct check *check, const struct forwarding_ruleset *ruleset,
			     const struct target_server *target)
{
	const struct outbound_endpoint *endpoint = NULL, *last = NULL;
	char source[ADDRESS_TEXT_MAX], text[ADDRESS_TEXT_MAX];
	const char *why = NULL;

	if (!target->address.family || check_self(check, target))
		return;
	for (size_t i = 0; i < ruleset->outbound_endpoints.count; i++) {
		endpoint = model_outbound(check->model, ruleset->resource_group,
					  ruleset->outbound_endpoints.items[i], NULL);
		if (endpoint && endpoint->is_anywhere)
			return;
		if (!endpoint || !endpoint->source.family)
			continue;
		why = obstacle(&endpoint->source, &target->address);
		if (!why)
			return;
		last = endpoint;
	}
	if (last)
		WARN(check, &target->origin, "address",
		     "%s cannot be reached: the source of \"%s\", %s, %s; give that endpoint "
		     "another "
		     "source",
		     address_print(&target->address, text), last->name ? last->name : "?",
		     address_print(&last->source, source), why);
}

/* Azure advises never to link a ruleset to the network of an inbound endpoint that it targets.
 * Gives one warning for each such network, at the first target that leads there. */
static void warn_link_back(struct check *check, const struct forwarding_ruleset *ruleset,
			   const struct rule_targets *groups)
{
	struct seen linked = {0}, told = {0};

	for (size_t i = 0; i < ruleset->links.count; i++)
		seen_put(check, &linked, linked_network(check, ruleset, i),
			 &ruleset->links.items[i]);
	for (size_t i = 0; i < ruleset->rules.count; i++) {
		const struct forwarding_rule *rule = &ruleset->rules.items[i];
		const struct target_list targets = rule_targets_of(groups, rule);

		for (size_t k = 0; k < targets.count && rule->state == RULE_ENABLED; k++) {
			const struct target_server *target = &targets.items[k];
			const struct self *self = check_self(check, target);
			const struct ruleset_link *link =
				self ? seen_get(&linked, self->network) : NULL;

			if (link && !seen_put(check, &told, self->network, target))
				WARN(check, &target->origin, "address",
				     "is the inbound endpoint %s in virtual network \"%s\", which "
				     "this ruleset is linked to: rule \"%s\" is a loop; remove "
				     "this target or the link \"%s\"",
				     self->path, self->network, rule->name ? rule->name : "?",
				     link->name ? link->name : "?");
		}
	}
}

static void warn_ruleset(struct check *check, const struct forwarding_ruleset *ruleset)
{
	struct seen shadows = {0};
	struct rule_targets groups;

	check->out_of_memory |= rule_targets_init(&groups, ruleset) != 0;
	for (size_t i = 0; i < groups.count; i++)
		for (size_t t = 0; t < groups.groups[i]->targets.count; t++)
			warn_unreachable(check, ruleset, &groups.groups[i]->targets.items[t]);
	for (size_t k = 0; k < ruleset->rules.count; k++) {
		const struct forwarding_rule *rule = &ruleset->rules.items[k];

		warn_shadowed(check, ruleset, rule, &shadows);
		for (size_t t = 0; t < rule->targets.count; t++)
			warn_unreachable(check, ruleset, &rule->targets.items[t]);
	}
	warn_link_back(check, ruleset, &groups);
	rule_targets_release(&groups);
}

static void warn_rulesets(struct check *check)
{
	const struct model *model = check->model;

	for (size_t i = 0; i < model->rulesets.count; i++)
		if (!check_is_known(check, &model->rulesets.items[i]))
			warn_ruleset(check, &model->rulesets.items[i]);
}

static void count_link(struct check *check, struct seen *linked, const struct named *of,
		       const char *text)
{
	const struct virtual_network *network =
		model_network(check->model, of->resource_group, text);
	uint32_t *count = network ? seen_counter(check, linked, full_name(&network->named)) : NULL;

	if (count)
		++*count;
}

static void count_links(struct check *check, struct seen *linked)
{
	const struct model *model = check->model;

	for (size_t i = 0; i < model->private_zones.count; i++) {
		const struct private_zone *zone = &model->private_zones.items[i];

		for (size_t k = 0; k < zone->links.count; k++)
			count_link(check, linked, &zone->named,
				   zone->links.items[k].virtual_network);
	}
	for (size_t i = 0; i < model->rulesets.count; i++) {
		const struct forwarding_ruleset *ruleset = &model->rulesets.items[i];

		for (size_t k = 0; k < ruleset->links.count; k++)
			count_link(check, linked, &ruleset->named,
				   ruleset->links.items[k].virtual_network);
	}
}

/* Lists the private zones in `transfers` by their full names. "*" adds no private zone, because it
 * stands for reverse zones. */
static void list_transferred(struct check *check, struct seen *transferred)
{
	const struct model *model = check->model;

	for (size_t i = 0; i < model->transfers.count; i++) {
		const struct transfer_settings *entry = &model->transfers.items[i];

		for (size_t k = 0; k < entry->zones.count; k++) {
			const char *text = entry->zones.items[k];
			const struct private_zone *zone =
				text ? model_zone(model, entry->resource_group, text) : NULL;

			if (zone)
				seen_put(check, transferred, full_name(&zone->named), entry);
		}
	}
}

/* Only for the file, because with the API a zone or a ruleset exists before its links. */
static void warn_linked_to_nothing(struct check *check)
{
	static const char why[] = "is linked to no virtual network, so it answers nobody; add a "
				  "link to the network whose machines should have it";
	const struct model *model = check->model;
	struct seen transferred = {0};

	list_transferred(check, &transferred);
	for (size_t i = 0; i < model->private_zones.count; i++) {
		const struct private_zone *zone = &model->private_zones.items[i];

		if (zone->origin.file && zone->links.count == 0 &&
		    !seen_get(&transferred, full_name(&zone->named)))
			WARN(check, &zone->origin, NULL, "%s", why);
	}
	for (size_t i = 0; i < model->rulesets.count; i++) {
		const struct forwarding_ruleset *ruleset = &model->rulesets.items[i];

		if (ruleset->origin.file && ruleset->links.count == 0)
			WARN(check, &ruleset->origin, NULL, "%s", why);
	}
}

static int by_placed_prefix(const void *left, const void *right)
{
	const struct placed_prefix *a = left, *b = right;

	return prefix_compare(&a->prefix, &b->prefix);
}

/* The address spaces of all networks, and their *count. Without memory there are none. */
static struct placed_prefix *list_spaces(struct check *check, size_t *count)
{
	const struct model *model = check->model;
	struct placed_prefix *spaces;
	size_t room = 0;

	*count = 0;
	for (size_t i = 0; i < model->virtual_networks.count; i++)
		room += model->virtual_networks.items[i].address_space.count;
	spaces = arena_alloc_array(&check->arena, room, sizeof *spaces);
	check->out_of_memory |= !spaces;
	for (size_t i = 0; spaces && i < model->virtual_networks.count; i++) {
		const struct virtual_network *network = &model->virtual_networks.items[i];

		for (size_t k = 0; k < network->address_space.count; k++)
			spaces[(*count)++] = (struct placed_prefix){
				network->address_space.items[k], &network->origin, "address_space",
				network->name ? full_name(&network->named) : "?"};
	}
	if (*count > 0)
		qsort(spaces, *count, sizeof *spaces, by_placed_prefix);
	return spaces;
}

/* Ignores equal spaces, which are refused where they matter, at the VNet resolver. */
static void warn_spaces_inside(struct check *check)
{
	char text[PREFIX_TEXT_MAX], around[PREFIX_TEXT_MAX];
	size_t count;
	const struct placed_prefix *spaces = list_spaces(check, &count), *outer = spaces;

	for (size_t i = 1; i < count; i++) {
		const struct placed_prefix *space = &spaces[i];

		if (!prefix_covers(&outer->prefix, &space->prefix))
			outer = space;
		else if (outer->origin != space->origin &&
			 outer->prefix.length < space->prefix.length)
			WARN(check, space->origin, space->field,
			     "%s lies inside %s of virtual network \"%s\": whoever asks from there "
			     "is in this network and not in that one; choose spaces that do not "
			     "overlap",
			     prefix_print(&space->prefix, text),
			     prefix_print(&outer->prefix, around), outer->what);
	}
}

/* Without a VNet resolver there is no warning, because custom servers are never asked. */
static void warn_custom_servers(struct check *check)
{
	const struct model *model = check->model;
	struct seen linked = {0};

	if (!model->vnet_resolver.given)
		return;
	count_links(check, &linked);
	for (size_t i = 0; i < model->virtual_networks.count; i++) {
		const struct virtual_network *network = &model->virtual_networks.items[i];
		const uint32_t *links = seen_get(&linked, full_name(&network->named));
		if (links && network->dns_servers.count > 0)
			WARN(check, &network->origin, "dns_servers",
			     "with custom servers the VNet resolver does not consult the zones and "
			     "rulesets linked to this network (%u link%s)",
			     *links, text_plural(*links, "", "s"));
	}
}

/* A made address space (in `made`) does not count, because no machine has its addresses. */
static bool has_own_space(struct check *check, const struct seen *made,
			  const struct virtual_network *network)
{
	const char *path =
		network->name ? arena_printf(&check->arena, "virtual_networks[%s].address_space",
					     full_name(&network->named))
			      : NULL;

	return network->address_space.count > 1 ||
	       (network->address_space.count == 1 && !(path && seen_get(made, path)));
}

/* Warns of networks without prefixes. rules/schema/made.c gives loopback and private networks to
 * the first such network only. */
static void warn_without_clients(struct check *check)
{
	const struct model *model = check->model;
	struct seen made = {0};

	for (size_t i = 0; model->vnet_resolver.given && i < model->made.count; i++)
		seen_put(check, &made, model->made.items[i].path, &model->made.items[i]);
	for (size_t i = 0; model->vnet_resolver.given && i < model->virtual_networks.count; i++) {
		const struct virtual_network *network = &model->virtual_networks.items[i];

		if (network->client_prefixes.count == 0 && !has_own_space(check, &made, network))
			WARN(check, &network->origin, "client_prefixes",
			     "the VNet resolver takes no machine for one of this network; give "
			     "client_prefixes or an address_space");
	}
}

/* Lists the networks, by their full names, where machines register in a zone. */
static void list_registering(struct check *check, struct seen *registering)
{
	const struct model *model = check->model;

	for (size_t i = 0; i < model->private_zones.count; i++) {
		const struct private_zone *zone = &model->private_zones.items[i];

		for (size_t k = 0; k < zone->links.count; k++) {
			const struct virtual_network *network =
				zone->links.items[k].registration
					? model_network(model, zone->resource_group,
							zone->links.items[k].virtual_network)
					: NULL;

			if (network)
				seen_put(check, registering, full_name(&network->named), network);
		}
	}
}

static void warn_registration(struct check *check)
{
	const struct model *model = check->model;
	struct seen registering = {0};

	list_registering(check, &registering);
	for (size_t i = 0; registering.count > 0 && i < model->network_interfaces.count; i++) {
		const struct network_interface *interface = &model->network_interfaces.items[i];
		const struct virtual_network *network;

		if (interface->label || !interface->primary || interface->private_endpoint ||
		    registered_label(interface))
			continue;
		network = registered_network(model, interface);
		if (network && seen_get(&registering, full_name(&network->named)))
			WARN(check, &interface->origin, "name",
			     "\"%s\" cannot be a host's name, so the machine is not registered in "
			     "DNS; give the interface a label",
			     interface->name);
	}
}

/* A client without a configured zone takes it from the SOA in the answer for its own name. If the
 * zone passes unknown names on, the answer for a name that is not registered yet comes from another
 * server, with another SOA or none. */
static void warn_clients_zone(struct check *check, const struct registration_settings *entry)
{
	const struct private_zone *zone = model_zone(check->model, NULL, entry->zone);

	for (size_t i = 0; zone && i < zone->links.count; i++) {
		const struct zone_link *link = &zone->links.items[i];

		if (link->resolution_policy != RESOLUTION_NXDOMAIN_FALLTHROUGH)
			continue;
		WARN(check, &entry->origin, "zone",
		     "clients in virtual network \"%s\" do not find \"%s\" by a name that it does "
		     "not have yet, because that link has NxDomainFallthrough; tell the clients "
		     "their zone and server, or give the link \"Default\"",
		     link->virtual_network ? link->virtual_network : "?", entry->zone);
		return;
	}
}

static void warn_clients_zones(struct check *check)
{
	for (size_t i = 0; i < check->model->registration.count; i++)
		warn_clients_zone(check, &check->model->registration.items[i]);
}

/* ---- names in Azure's domains ---- */

/* The first item with such a name, and how many there are. */
struct azure_names {
	const struct origin *first;
	char name[NAME_TEXT_MAX];
	size_t count;
};

static void count_name(struct azure_names *names, const struct origin *origin, const char *name)
{
	if (name && names->count++ == 0) {
		names->first = origin;
		snprintf(names->name, sizeof names->name, "%s", name);
	}
}

static void warn_names(struct check *check, const struct azure_names *names, const char *field,
		       const char *setting, const char *suffix)
{
	char others[64] = "";

	if (names->count > 1)
		snprintf(others, sizeof others, ", as %s %zu other%s",
			 text_plural(names->count - 1, "does", "do"), names->count - 1,
			 text_plural(names->count - 1, "", "s"));
	if (names->count > 0)
		WARN(check, names->first, field,
		     "gives the name %s, in Azure's domain%s; set %s to a domain of yours, or to "
		     "\"%s\" where this is meant",
		     names->name, others, setting, suffix);
}

static void warn_labels(struct check *check)
{
	const struct model *model = check->model;
	struct azure_names names = {.count = 0};
	char text[NAME_TEXT_MAX];

	for (size_t i = 0; i < model->addresses.count; i++) {
		const struct owned_item *item = &model->addresses.items[i];

		count_name(&names, &item->origin,
			   owned_label_name(model, item->domain_name_label,
					    model_region(model, item->region), text));
	}
	warn_names(check, &names, "domain_name_label", "reverse.suffix", model->reverse.suffix);
}

static void warn_services(struct check *check)
{
	const struct model *model = check->model;
	struct azure_names names = {.count = 0};
	char text[NAME_TEXT_MAX];

	for (size_t i = 0; i < model->cloud_services.count; i++) {
		const struct owned_item *item = &model->cloud_services.items[i];

		count_name(&names, &item->origin, owned_service_name(model, item->name, text));
	}
	warn_names(check, &names, "name", "reverse.service_suffix", model->reverse.service_suffix);
}

/* A suffix in the file is intended, even Azure's. */
static void warn_names_in_azure(struct check *check)
{
	if (!check->model->reverse.suffix_origin.file)
		warn_labels(check);
	if (!check->model->reverse.service_suffix_origin.file)
		warn_services(check);
}

/* ---- open resolvers ---- */

/* An endpoint is open if it allows a public prefix wider than this, or prefixes that together are
 * this part of all addresses. In IPv6 only 2000::/3 is public. */
enum {
	WIDE_IPV4 = 8,
	WIDE_IPV6 = 16,
	PART_IPV4 = 2, /* a quarter: 2^-2 */
	PART_IPV6 = 5  /* a quarter of 2000::/3 */
};

struct everybody {
	const struct prefix *prefix; /* the widest; NULL: not open */
	bool with_others;
};

/* The prefix's share, in units of 2^-32 of all addresses of the family. */
static uint64_t share(const struct prefix *prefix)
{
	return prefix->length <= 32 ? (uint64_t)1 << (32 - prefix->length) : 0;
}

static bool is_wide(const struct prefix *prefix)
{
	static const struct prefix not_public = {{.family = 6, .bytes = {0xfc}}, 6};

	return prefix->length < (prefix->address.family == 4 ? WIDE_IPV4 : WIDE_IPV6) &&
	       !prefix_covers(&not_public, prefix);
}

static int by_prefix(const void *a, const void *b)
{
	return prefix_compare(a, b);
}

static struct everybody find_everybody(struct check *check, const struct prefix *prefixes,
				       size_t count)
{
	struct prefix *sorted = arena_alloc_array(&check->arena, count + 1, sizeof *sorted);
	struct everybody found = {.prefix = NULL};
	const struct prefix *around = NULL, *widest[2] = {NULL, NULL};
	uint64_t shares[2] = {0, 0};

	if (!sorted) {
		check->out_of_memory = true;
		return found;
	}
	for (size_t i = 0; i < count; i++)
		if (is_wide(&prefixes[i]) &&
		    (!found.prefix || prefixes[i].length < found.prefix->length))
			found.prefix = &prefixes[i];
	if (found.prefix || count == 0)
		return found;
	memcpy(sorted, prefixes, count * sizeof *sorted);
	qsort(sorted, count, sizeof *sorted, by_prefix);
	for (size_t i = 0; i < count; i++) {
		size_t family = sorted[i].address.family == 6;

		if (around && prefix_covers(around, &sorted[i]))
			continue;
		around = &sorted[i];
		shares[family] += share(around);
		if (!widest[family] || around->length < widest[family]->length)
			widest[family] = around;
	}
	for (size_t family = 0; family < 2 && !found.prefix; family++)
		if (shares[family] >= (uint64_t)1 << (32 - (family ? PART_IPV6 : PART_IPV4)))
			found = (struct everybody){widest[family], true};
	return found;
}

/* Whether the network forwards names that are in none of its zones. */
static bool forwards(const struct check *check, const struct virtual_network *network)
{
	const struct model *model = check->model;

	if (network->uses_default_resolver)
		return true;
	for (size_t i = 0; i < model->rulesets.count; i++) {
		const struct forwarding_ruleset *ruleset = &model->rulesets.items[i];

		for (size_t k = 0; k < ruleset->links.count; k++) {
			if (model_network(model, ruleset->resource_group,
					  ruleset->links.items[k].virtual_network) == network)
				return true;
		}
	}
	return false;
}

/* Warns that clients from everywhere may have their queries forwarded at this address. */
static void warn_open(struct check *check, const struct origin *at, const char *key,
		      struct everybody everybody, const struct host *listen)
{
	char prefix[PREFIX_TEXT_MAX], host[HOST_TEXT_MAX], clients[PREFIX_TEXT_MAX + 64];

	snprintf(clients, sizeof clients, "%s%s", prefix_print(everybody.prefix, prefix),
		 everybody.with_others ? " and others, a quarter of all addresses or more," : "");
	WARN(check, at, key,
	     "%s may ask at %s, and %s names are forwarded: whoever reaches that address can use "
	     "this "
	     "server against others; name who may ask, or set uses_default_resolver = false and "
	     "link no rules",
	     clients, host_print(listen, host), everybody.with_others ? "their" : "its");
}

static void warn_open_networks(struct check *check)
{
	const struct model *model = check->model;
	const struct vnet_resolver *vnet = &model->vnet_resolver;

	for (size_t i = 0; vnet->given && i < model->virtual_networks.count; i++) {
		const struct virtual_network *network = &model->virtual_networks.items[i];
		const struct everybody everybody = find_everybody(
			check, network->client_prefixes.items, network->client_prefixes.count);
		size_t k = 0;

		while (k < vnet->listen.count &&
		       address_is_loopback(&vnet->listen.items[k].address))
			k++;
		if (everybody.prefix && k < vnet->listen.count &&
		    (network->dns_servers.count > 0 || forwards(check, network)))
			warn_open(check, &network->origin, "client_prefixes", everybody,
				  &vnet->listen.items[k]);
	}
}

static void warn_open_endpoints(struct check *check)
{
	const struct model *model = check->model;

	for (size_t i = 0; i < model->resolvers.count; i++) {
		const struct dns_resolver *resolver = &model->resolvers.items[i];
		const struct virtual_network *network =
			model_network(model, resolver->resource_group, resolver->virtual_network);

		for (size_t k = 0; k < resolver->inbound_endpoints.count; k++) {
			const struct inbound_endpoint *endpoint =
				&resolver->inbound_endpoints.items[k];
			const struct everybody everybody =
				find_everybody(check, endpoint->allow.items, endpoint->allow.count);
			struct host listen = endpoint->listen;

			if (!listen.address.family)
				listen = (struct host){.address = endpoint->address,
						       .port = DNS_PORT};
			if (everybody.prefix && !address_is_loopback(&listen.address) && network &&
			    forwards(check, network))
				warn_open(check, &endpoint->origin, "allow", everybody, &listen);
		}
	}
}

void limits_warn(struct check *check)
{
	check_index_selves(check);
	warn_registration(check);
	warn_clients_zones(check);
	warn_spaces_inside(check);
	warn_rulesets(check);
	warn_custom_servers(check);
	warn_without_clients(check);
	if (!check->before) { /* else the first check of this file gave these warnings */
		warn_linked_to_nothing(check);
		warn_names_in_azure(check);
	}
	warn_open_networks(check);
	warn_open_endpoints(check);
}
