/* Resources come in any order and from several files, so they are collected first and put into the
 * tree kind by kind: what refers to another finds it there. A network that something is linked to
 * and that no file has is made by its name alone; other parents that are missing are told. */
#include "resolver/control/import/azure.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "resolver/control/import/json_file.h"
#include "rules/base.h"
#include "rules/prefix.h"
#include "rules/text.h"

enum { NAMES_MAX = 3 };

struct resource {
	const struct azure_kind *kind;
	const char *id, *type, *subscription, *group, *names[NAMES_MAX];
	size_t name_count;
	const json_t *json;
	struct origin at;
	struct node *node;        /* NULL: it was not put there */
	const char *ours;         /* what it is called there */
	struct resource *network; /* of a resolver */
	bool has_endpoint;        /* of a network: an inbound one */
	struct resource *next;
};

struct azure {
	struct resource *first, **last;
	bool same_space;     /* two networks have one prefix */
	bool places_unknown; /* of some the group is not known */
};

struct azure_kind {
	const char *type; /* below Microsoft.Network */
	void (*put)(struct import *import, struct resource *resource);
	const char *const *members; /* those that `put` reads; NULL ends them */
};

/* ---- what a resource says ---- */

static const json_t *get(const json_t *value, const char *key)
{
	const json_t *member = json_member(json_member(value, "properties"), key);

	member = member ? member : json_member(value, key);
	return json_is_null(member) ? NULL : member;
}

static const char *get_text(const json_t *value, const char *key)
{
	const char *text = json_string_value(get(value, key));

	return text && *text != '\0' ? text : NULL;
}

/* The member's member: get_inner(x, "subnet", "id"). */
static const char *get_inner(const json_t *value, const char *key, const char *inner)
{
	return get_text(get(value, key), inner);
}

static bool is_known(const char *const *names, const char *name)
{
	for (; *names; names++)
		if (strcasecmp(*names, name) == 0)
			return true;
	return false;
}

static bool is_empty(const json_t *value)
{
	return json_is_null(value) || json_is_false(value) ||
	       (json_is_array(value) && json_array_size(value) == 0) ||
	       (json_is_object(value) && json_object_size(value) == 0) ||
	       (json_is_string(value) && json_string_length(value) == 0);
}

/* What every resource has, what Azure computes, and what has no part in DNS. */
static const char *const passed_over[] = {
	/* the envelope */
	"etag", "extendedLocation", "id", "identity", "location", "managedBy", "name", "properties",
	"provisioningState", "resourceGroup", "resourceGuid", "systemData", "type",
	/* of networks and their subnets */
	"applicationGateways", "applicationGatewayIPConfigurations", "bgpCommunities",
	"ddosProtectionPlan", "defaultOutboundAccess", "enableDdosProtection", "enableVmProtection",
	"flowLogs", "flowTimeoutInMinutes", "ipConfigurationProfiles", "ipConfigurations",
	"natGateway", "networkSecurityGroup", "privateEndpointNetworkPolicies",
	"privateEndpointVNetPolicies", "privateEndpoints", "privateLinkServiceNetworkPolicies",
	"purpose", "resourceNavigationLinks", "routeTable", "serviceAssociationLinks",
	"serviceEndpointPolicies", "serviceEndpoints", "sharingScope", "virtualNetworkPeerings",
	/* of resolvers, zones and addresses */
	"ddosSettings", "deleteOption", "dnsResolverState", "fqdn", "idleTimeoutInMinutes",
	"internalId", "ipConfiguration", "ipTags", "linkedPublicIPAddress", "maxNumberOfRecordSets",
	"maxNumberOfVirtualNetworkLinks", "maxNumberOfVirtualNetworkLinksWithRegistration",
	"migrationPhase", "numberOfRecordSets", "numberOfVirtualNetworkLinks",
	"numberOfVirtualNetworkLinksWithRegistration", "publicIPAddressVersion", "publicIPPrefix",
	"servicePublicIPAddress", "sku", "virtualNetworkLinkState", "zones", NULL};

static void tell_members_of(struct import *import, const json_t *object, const char *const *members,
			    const struct origin *at)
{
	const char *key;
	json_t *value;

	json_object_foreach((json_t *)object, key, value)
	{
		const char *what = at->path ? import_printf(import, "%s.%s", at->path, key) : key;
		struct origin there;

		if (is_known(members, key) || is_known(passed_over, key) || is_empty(value))
			continue;
		there = json_file_at(import, value, what);
		there = there.line > 0 ? there : import_place(import, at->file, at->line, what);
		import_lost(import, &there, "%s",
			    strcasecmp(key, "tags") == 0
				    ? "resources of this type have no tags here"
				    : "sluice has nothing that corresponds to it");
	}
}

/* What is said and not read. */
static void tell_members(struct import *import, const json_t *value, const char *const *members,
			 const struct origin *at)
{
	tell_members_of(import, value, members, at);
	tell_members_of(import, json_member(value, "properties"), members, at);
}

static struct origin place_of(struct import *import, const json_t *value,
			      const struct origin *otherwise)
{
	struct origin at = json_file_at(import, value, NULL);

	return at.line > 0 ? at : *otherwise;
}

/* ---- ids ---- */

const char *azure_id(struct import *import, const char *subscription, const char *group,
		     const char *type, const char *name)
{
	char *types = import_printf(import, "%s", type), *names = import_printf(import, "%s", name);
	char *provider = strsep(&types, "/"), *id;

	id = import_printf(import, "/subscriptions/%s/resourceGroups/%s/providers/%s", subscription,
			   group, provider);
	while (types && names)
		id = import_printf(import, "%s/%s/%s", id, strsep(&types, "/"),
				   strsep(&names, "/"));
	return id;
}

/* False: it is no id of a resource. */
static bool parse_id(struct import *import, const char *id, struct resource *resource)
{
	char *at = import_printf(import, "%s", id), *word, *type = NULL;

	*resource = (struct resource){.id = import_printf(import, "%s", id),
				      .subscription = AZURE_UNKNOWN,
				      .group = AZURE_UNKNOWN};
	while (at && *at != '\0') {
		word = strsep(&at, "/");
		if (*word == '\0' || !at)
			continue;
		if (type) {
			if (resource->name_count == NAMES_MAX)
				return false;
			type = import_printf(import, "%s/%s", type, word);
			resource->names[resource->name_count++] = strsep(&at, "/");
		} else if (strcasecmp(word, "subscriptions") == 0) {
			resource->subscription = strsep(&at, "/");
		} else if (strcasecmp(word, "resourceGroups") == 0) {
			resource->group = strsep(&at, "/");
		} else if (strcasecmp(word, "providers") == 0) {
			type = strsep(&at, "/");
		}
	}
	resource->type = type;
	return resource->name_count > 0;
}

static bool alike(const char *a, const char *b)
{
	return strcasecmp(a, b) == 0 || strcmp(a, AZURE_UNKNOWN) == 0 ||
	       strcmp(b, AZURE_UNKNOWN) == 0;
}

static const char *id_key(struct import *import, const char *id)
{
	return text_lower(import_printf(import, "azure id %s", id));
}

static struct azure *azure_of(struct import *import)
{
	struct azure *azure = import_find(import, "azure");

	if (!azure) {
		azure = import_alloc(import, sizeof *azure);
		*azure = (struct azure){.last = &azure->first};
		import_keep(import, "azure", azure);
	}
	return azure;
}

/* Not all is known of where it is. */
static bool is_somewhere(const struct resource *resource)
{
	return strcmp(resource->group, AZURE_UNKNOWN) == 0 ||
	       strcmp(resource->subscription, AZURE_UNKNOWN) == 0;
}

static void add(struct import *import, struct resource *resource)
{
	struct azure *azure = azure_of(import);

	*azure->last = resource;
	azure->last = &resource->next;
	azure->places_unknown |= is_somewhere(resource);
	import_keep(import, id_key(import, resource->id), resource);
}

/* That of the same id, or else as far as both know where it is. */
static struct resource *find(struct import *import, const struct resource *like)
{
	struct azure *azure = azure_of(import);
	struct resource *found = import_find(import, id_key(import, like->id));

	if (found || !(azure->places_unknown || is_somewhere(like)))
		return found;
	for (struct resource *at = azure->first; at && !found; at = at->next) {
		bool same = strcasecmp(at->type, like->type) == 0 &&
			    at->name_count == like->name_count && alike(at->group, like->group) &&
			    alike(at->subscription, like->subscription);

		for (size_t i = 0; same && i < at->name_count; i++)
			same = strcasecmp(at->names[i], like->names[i]) == 0;
		found = same ? at : NULL;
	}
	return found;
}

/* What it is in; NULL: it is in none of the files. */
static struct resource *parent_of(struct import *import, const struct resource *resource)
{
	struct resource like = *resource, *found;
	char *type = import_printf(import, "%s", resource->type),
	     *id = import_printf(import, "%s", resource->id);

	*strrchr(type, '/') = '\0';
	*strrchr(id, '/') = '\0';
	*strrchr(id, '/') = '\0';
	like.type = type;
	like.name_count--;
	like.id = id;
	found = find(import, &like);
	return found && found->node ? found : NULL;
}

/* ---- names ---- */

/* Names are unique in their scope: of one kind in one group, of one kind where that has none. */
static const char *unique(struct import *import, const char *scope, const char *name,
			  const struct origin *at)
{
	const char *made = name;

	for (unsigned number = 2;; number++) {
		char *key = text_lower(import_printf(import, "azure %s %s", scope, made));

		if (!import_find(import, key)) {
			import_keep(import, key, import);
			break;
		}
		made = import_printf(import, "%s-%u", name, number);
	}
	if (made != name)
		import_changed(import, at, "it is called %s here: another one is %s already", made,
			       name);
	return made;
}

/* "West Europe" is westeurope. Nothing where there is none. */
static void put_region(struct import *import, struct resource *resource, const char *location)
{
	char *region;

	if (!location || import_get(resource->node, "region"))
		return;
	region = text_lower(import_printf(import, "%s", location));
	for (char *from = region, *to = region;; from++) {
		if (*from != ' ')
			*to++ = *from;
		if (*from == '\0')
			break;
	}
	import_text(import, resource->node, "region", &resource->at, region);
}

static void put_place(struct import *import, struct resource *resource, bool has_region)
{
	if (strcmp(resource->group, AZURE_UNKNOWN) != 0)
		import_text(import, resource->node, "resource_group", &resource->at,
			    resource->group);
	if (has_region)
		put_region(import, resource, json_member_text(resource->json, "location"));
}

static void put_new(struct import *import, struct resource *resource, struct node *in,
		    const char *list, const char *name)
{
	resource->node = import_item(import, in, list, &resource->at);
	resource->ours = name;
	import_text(import, resource->node, "name", &resource->at, name);
}

/* One of a list's own, such as a network. */
static void put_top(struct import *import, struct resource *resource, const char *list,
		    bool has_region)
{
	put_new(import, resource, import_root(import), list,
		unique(import, import_printf(import, "%s of %s", list, resource->group),
		       resource->names[0], &resource->at));
	put_place(import, resource, has_region);
}

/* What a resource of that group calls the other one: with its group where there are several of the
 * name, and none of them in its own. */
static const char *reference(struct import *import, const struct resource *from,
			     const struct resource *to)
{
	const char *group = strcmp(to->group, AZURE_UNKNOWN) == 0 ? GROUP_NONE : to->group;
	bool several = false;

	if (strcasecmp(from->group, to->group) == 0)
		return to->ours;
	for (const struct resource *at = azure_of(import)->first; at && !several; at = at->next)
		several = at != to && strcasecmp(at->type, to->type) == 0 &&
			  strcasecmp(at->names[0], to->names[0]) == 0;
	return several ? import_printf(import, "%s/%s", group, to->ours) : to->ours;
}

static void tell_no_parent(struct import *import, const struct resource *resource,
			   const char *command)
{
	import_lost(import, &resource->at, "%s is in none of the files; give `az %s -o json`, too",
		    resource->names[resource->name_count - 2], command);
}

/* ---- networks ---- */

static const char *const subnet_members[] = {"addressPrefix", "addressPrefixes", "delegations",
					     NULL};

static void put_subnet(struct import *import, struct resource *network, const char *name,
		       const json_t *json, const struct origin *at)
{
	const json_t *prefixes = get(json, "addressPrefixes"),
		     *delegations = get(json, "delegations");
	const char *prefix = get_text(json, "addressPrefix"), *service;
	char *key = text_lower(import_printf(import, "azure subnet %s %s", network->id, name));
	struct node *subnet;

	if (import_find(import, key))
		return;
	import_keep(import, key, network);
	prefix = prefix ? prefix : json_string_value(json_array_get(prefixes, 0));
	if (!prefix) {
		import_lost(import, at, "the subnet %s has no prefix", name);
		return;
	}
	subnet = import_item(import, network->node, "subnets", at);
	import_text(import, subnet, "name", at, name);
	import_text(import, subnet, "prefix", at, prefix);
	for (size_t i = 1; i < json_array_size(prefixes); i++)
		import_lost(import, at, "the subnet's prefix %s: a subnet has one here",
			    json_string_value(json_array_get(prefixes, i)));
	service = get_text(json_array_get(delegations, 0), "serviceName");
	if (service)
		import_text(import, subnet, "delegation", at, service);
	tell_members(import, json, subnet_members, at);
}

static void put_space(struct import *import, struct resource *network)
{
	const json_t *prefixes = get(get(network->json, "addressSpace"), "addressPrefixes"),
		     *prefix;
	size_t i;

	json_array_foreach((json_t *)prefixes, i, prefix)
	{
		const char *text = json_string_value(prefix);
		char *key = import_printf(import, "azure space %s", text ? text : "");

		if (!text)
			continue;
		import_add(import, network->node, "address_space", &network->at, text);
		azure_of(import)->same_space |= import_find(import, key) != NULL;
		import_keep(import, key, network);
	}
}

static void put_network(struct import *import, struct resource *network)
{
	const json_t *servers = get(get(network->json, "dhcpOptions"), "dnsServers"),
		     *subnets = get(network->json, "subnets"), *item;
	size_t i;

	put_top(import, network, "virtual_networks", true);
	if (json_is_true(get(get(network->json, "encryption"), "enabled")))
		import_flag(import, network->node, "encryption", &network->at, true);
	put_space(import, network);
	json_array_foreach((json_t *)servers, i, item) if (json_is_string(item)) import_add(
		import, network->node, "dns_servers", &network->at, json_string_value(item));
	json_array_foreach((json_t *)subnets, i, item)
	{
		struct origin at = place_of(import, item, &network->at);

		if (get_text(item, "name"))
			put_subnet(import, network, get_text(item, "name"), item, &at);
	}
}

static void put_subnet_alone(struct import *import, struct resource *resource)
{
	struct resource *network = parent_of(import, resource);

	if (network)
		put_subnet(import, network, resource->names[1], resource->json, &resource->at);
	else
		tell_no_parent(import, resource, "network vnet list");
}

/* Of an id, which may be of a network that no file has; that is where `near` is (NULL: anywhere).
 * NULL: it is none, which was told. */
static struct resource *network_of(struct import *import, const char *id, const struct origin *at,
				   const struct resource *near)
{
	struct resource like, *network;

	if (!id || !parse_id(import, id, &like) || like.name_count != 1 ||
	    strcasecmp(like.type, "Microsoft.Network/virtualNetworks") != 0) {
		import_lost(import, at, "its virtual network's id is missing");
		return NULL;
	}
	network = find(import, &like);
	if (network && network->node) {
		if (near && json_is_null(network->json))
			put_region(import, network, json_member_text(near->json, "location"));
		return network;
	}
	network = import_alloc(import, sizeof *network);
	*network = like;
	network->at = (struct origin){.file = at->file, .line = at->line};
	network->json = json_null();
	put_top(import, network, "virtual_networks", false);
	if (near)
		put_region(import, network, json_member_text(near->json, "location"));
	add(import, network);
	import_changed(import, at,
		       "the network %s is in none of the files and has no address_space here; give "
		       "`az network vnet list -o json`, too",
		       network->names[0]);
	return network;
}

/* ---- resolvers ---- */

static void put_resolver(struct import *import, struct resource *resolver)
{
	const char *id = get_inner(resolver->json, "virtualNetwork", "id");
	struct resource *network = network_of(import, id, &resolver->at, resolver);

	if (!network)
		return;
	resolver->network = network;
	put_top(import, resolver, "resolvers", true);
	import_text(import, resolver->node, "virtual_network", &resolver->at,
		    reference(import, resolver, network));
}

/* False: it has no resolver. */
static bool put_endpoint(struct import *import, struct resource *endpoint, const char *list,
			 const char *subnet_id)
{
	struct resource *resolver = parent_of(import, endpoint), like;

	if (!resolver) {
		tell_no_parent(import, endpoint, "dns-resolver list");
		return false;
	}
	put_new(import, endpoint, resolver->node, list, endpoint->names[1]);
	if (subnet_id && parse_id(import, subnet_id, &like) && like.name_count == 2)
		import_text(import, endpoint->node, "subnet", &endpoint->at, like.names[1]);
	return true;
}

static void put_inbound(struct import *import, struct resource *endpoint)
{
	const json_t *places = get(endpoint->json, "ipConfigurations"),
		     *place = json_array_get(places, 0);
	const char *address = get_text(place, "privateIpAddress"),
		   *method = get_text(place, "privateIpAllocationMethod");
	bool is_static = method && strcasecmp(method, "Static") == 0;

	if (!put_endpoint(import, endpoint, "inbound_endpoints", get_inner(place, "subnet", "id")))
		return;
	if (json_array_size(places) > 1)
		import_lost(import, &endpoint->at, "all ipConfigurations but the first");
	if (is_static)
		import_text(import, endpoint->node, "allocation", &endpoint->at, "static");
	if (address)
		import_text(import, endpoint->node, "address", &endpoint->at, address);
	parent_of(import, endpoint)->network->has_endpoint = true;
}

static void put_outbound(struct import *import, struct resource *endpoint)
{
	put_endpoint(import, endpoint, "outbound_endpoints",
		     get_inner(endpoint->json, "subnet", "id"));
}

/* ---- zones ---- */

/* A zone keeps its name: of two subscriptions' in groups of one name, one gets another group. */
static void put_zone(struct import *import, struct resource *zone)
{
	put_new(import, zone, import_root(import), "private_zones", zone->names[0]);
	zone->group = unique(import, import_printf(import, "group of zone %s", zone->names[0]),
			     zone->group, &zone->at);
	put_place(import, zone, false);
}

/* Of records and links without their zone. */
static struct resource *zone_of(struct import *import, const struct resource *part)
{
	struct resource *zone = parent_of(import, part), like;
	const char *id;

	if (zone)
		return zone;
	id = azure_id(import, part->subscription, part->group, "Microsoft.Network/privateDnsZones",
		      part->names[0]);
	if (!parse_id(import, id, &like))
		return NULL;
	zone = import_alloc(import, sizeof *zone);
	*zone = like;
	zone->at = (struct origin){.file = part->at.file, .line = part->at.line};
	zone->json = json_null();
	put_zone(import, zone);
	add(import, zone);
	return zone;
}

static void put_zone_link(struct import *import, struct resource *link)
{
	const char *policy = get_text(link->json, "resolutionPolicy");
	struct resource *zone = zone_of(import, link),
			*network = network_of(import, get_inner(link->json, "virtualNetwork", "id"),
					      &link->at, NULL);

	if (!zone || !network)
		return;
	put_new(import, link, zone->node, "links", link->names[1]);
	import_text(import, link->node, "virtual_network", &link->at,
		    reference(import, zone, network));
	if (json_is_true(get(link->json, "registrationEnabled")))
		import_flag(import, link->node, "registration", &link->at, true);
	if (policy)
		import_text(import, link->node, "resolution_policy", &link->at, policy);
}

static const char *absolute(struct import *import, const char *name)
{
	size_t length = strlen(name);

	return length > 0 && name[length - 1] == '.' ? name : import_printf(import, "%s.", name);
}

/* A text as a master file has it: \DDD is a byte. */
static const char *quote(struct import *import, const char *text)
{
	size_t size = 4 * strlen(text) + 3, used = 0;
	char *quoted = import_alloc(import, size);

	quoted[used++] = '"';
	for (const unsigned char *at = (const unsigned char *)text; *at != '\0'; at++) {
		bool visible = *at >= ' ' && *at <= '~', marked = *at == '"' || *at == '\\';

		used += (size_t)snprintf(quoted + used, size - used,
					 !visible ? "\\%03u"
					 : marked ? "\\%c"
						  : "%c",
					 *at);
	}
	snprintf(quoted + used, size - used, "\"");
	return quoted;
}

static const char *number_text(struct import *import, const json_t *value, const char *key)
{
	const json_t *number = get(value, key);

	if (json_is_string(number))
		return json_string_value(number);
	return import_printf(import, "%lld", (long long)json_integer_value(number));
}

static const char *txt_data(struct import *import, const json_t *record)
{
	const char *text = "";
	json_t *part;
	size_t i;

	json_array_foreach((json_t *)get(record, "value"), i, part) text =
		import_printf(import, "%s%s%s", text, i == 0 ? "" : " ",
			      quote(import, json_is_string(part) ? json_string_value(part) : ""));
	return *text != '\0' ? text : NULL;
}

/* The data of one record of the type; NULL: it lacks something. */
static const char *record_data(struct import *import, const char *type, const json_t *record)
{
	static const struct {
		const char *type, *address, *target, *numbers[5];
	} forms[] = {
		{"A", "ipv4Address", NULL, {NULL}},
		{"AAAA", "ipv6Address", NULL, {NULL}},
		{"CNAME", NULL, "cname", {NULL}},
		{"PTR", NULL, "ptrdname", {NULL}},
		{"MX", NULL, "exchange", {"preference", NULL}},
		{"SRV", NULL, "target", {"priority", "weight", "port", NULL}},
	};
	const char *data = "", *target;

	if (strcasecmp(type, "TXT") == 0)
		return txt_data(import, record);
	if (strcasecmp(type, "SOA") == 0) {
		static const char *const numbers[] = {"serialNumber", "refreshTime", "retryTime",
						      "expireTime", "minimumTtl"};

		if (!get_text(record, "host") || !get_text(record, "email"))
			return NULL;
		data = import_printf(import, "%s %s", absolute(import, get_text(record, "host")),
				     absolute(import, get_text(record, "email")));
		for (size_t i = 0; i < COUNT(numbers); i++)
			data = import_printf(import, "%s %s", data,
					     number_text(import, record, numbers[i]));
		return data;
	}
	for (size_t i = 0; i < COUNT(forms); i++) {
		if (strcasecmp(forms[i].type, type) != 0)
			continue;
		if (forms[i].address)
			return get_text(record, forms[i].address);
		target = get_text(record, forms[i].target);
		for (size_t j = 0; forms[i].numbers[j]; j++)
			data = import_printf(import, "%s%s ", data,
					     number_text(import, record, forms[i].numbers[j]));
		return target ? import_printf(import, "%s%s", data, absolute(import, target))
			      : NULL;
	}
	return NULL;
}

static void add_record(struct import *import, struct resource *set, const char *type,
		       const json_t *record)
{
	const char *data = record_data(import, type, record);
	struct origin at = place_of(import, record, &set->at);

	if (data)
		import_add(import, set->node, "records", &set->at, data);
	else
		import_lost(import, &at, "a record without its data");
}

static bool has_data(struct import *import, const char *type, const json_t *records)
{
	json_t *record;
	size_t i;

	if (json_is_object(records))
		return record_data(import, type, records);
	json_array_foreach((json_t *)records, i,
			   record) if (record_data(import, type, record)) return true;
	return false;
}

/* Adds "NAME=VALUE" for each; in a tag's name a backslash comes before each '=' and backslash. */
static void put_pairs(struct import *import, struct resource *resource, const char *key,
		      const json_t *pairs)
{
	bool are_tags = strcmp(key, "tags") == 0;
	const char *name;
	json_t *value;

	json_object_foreach((json_t *)pairs, name, value)
	{
		char *written = import_alloc(import, 2 * strlen(name) + 1), *to = written;

		if (!json_is_string(value))
			continue;
		for (const char *at = name; *at != '\0'; at++) {
			if (are_tags && strchr("=\\", *at))
				*to++ = '\\';
			*to++ = *at;
		}
		import_add(import, resource->node, key, &resource->at,
			   import_printf(import, "%s=%s", written, json_string_value(value)));
	}
}

static void put_records(struct import *import, struct resource *set)
{
	const char *type = strrchr(set->type, '/') + 1;
	struct resource *zone = zone_of(import, set);
	const json_t *ttl = get(set->json, "ttl"), *records;
	json_t *record;
	size_t i;

	if (!zone)
		return;
	records = get(set->json, import_printf(import, "%sRecords", type));
	records = records ? records : get(set->json, import_printf(import, "%sRecord", type));
	if (!has_data(import, type, records)) {
		import_lost(import, &set->at, "the records of %s in %s have no data here",
			    set->names[1], zone->names[0]);
		return;
	}
	put_new(import, set, zone->node, "record_sets",
		import_printf(import, "%s:%s", set->names[1], type));
	if (json_is_integer(ttl))
		import_number(import, set->node, "ttl", &set->at, json_integer_value(ttl));
	if (json_is_object(records))
		add_record(import, set, type, records);
	json_array_foreach((json_t *)records, i, record) add_record(import, set, type, record);
	put_pairs(import, set, "metadata", get(set->json, "metadata"));
	if (json_is_true(get(set->json, "isAutoRegistered")))
		import_changed(import, &set->at,
			       "Azure registered it; here it stays until it is removed");
}

/* ---- rulesets ---- */

static void put_ruleset(struct import *import, struct resource *ruleset)
{
	const json_t *endpoints = get(ruleset->json, "dnsResolverOutboundEndpoints"), *item;
	struct resource like, *endpoint, *resolver;
	size_t i;

	put_top(import, ruleset, "rulesets", true);
	json_array_foreach((json_t *)endpoints, i, item)
	{
		const char *id = get_text(item, "id");
		bool is_id = id && parse_id(import, id, &like);

		endpoint = is_id ? find(import, &like) : NULL;
		resolver = endpoint && endpoint->node ? parent_of(import, endpoint) : NULL;
		if (resolver)
			import_add(import, ruleset->node, "outbound_endpoints", &ruleset->at,
				   import_printf(import, "%s/%s",
						 reference(import, ruleset, resolver),
						 endpoint->ours));
		else
			import_lost(import, &ruleset->at,
				    "the outbound endpoint %s is in none of the files; give `az "
				    "dns-resolver outbound-endpoint list -o json`, too",
				    is_id ? like.names[like.name_count - 1] : "without an id");
	}
}

static struct resource *ruleset_of(struct import *import, const struct resource *part)
{
	struct resource *ruleset = parent_of(import, part);

	if (!ruleset)
		tell_no_parent(import, part, "dns-resolver forwarding-ruleset list");
	return ruleset;
}

static void put_ruleset_link(struct import *import, struct resource *link)
{
	struct resource *ruleset = ruleset_of(import, link), *network;

	if (!ruleset)
		return;
	network = network_of(import, get_inner(link->json, "virtualNetwork", "id"), &link->at,
			     ruleset);
	if (!network)
		return;
	put_new(import, link, ruleset->node, "links", link->names[1]);
	import_text(import, link->node, "virtual_network", &link->at,
		    reference(import, link, network));
	put_pairs(import, link, "metadata", get(link->json, "metadata"));
}

static void put_rule(struct import *import, struct resource *rule)
{
	struct resource *ruleset = ruleset_of(import, rule);
	const char *state = get_text(rule->json, "forwardingRuleState"),
		   *domain = get_text(rule->json, "domainName");
	const json_t *targets = get(rule->json, "targetDnsServers"), *target, *port;
	struct node *node;
	long long number;
	size_t i;

	if (!ruleset)
		return;
	put_new(import, rule, ruleset->node, "rules", rule->names[1]);
	if (domain)
		import_text(import, rule->node, "domain", &rule->at, absolute(import, domain));
	if (state)
		import_text(import, rule->node, "state", &rule->at, state);
	json_array_foreach((json_t *)targets, i, target)
	{
		struct origin at = place_of(import, target, &rule->at);

		if (!get_text(target, "ipAddress")) {
			import_lost(import, &at, "a target without an address");
			continue;
		}
		node = import_item(import, rule->node, "targets", &at);
		import_text(import, node, "address", &at, get_text(target, "ipAddress"));
		port = get(target, "port");
		number = port ? atoll(number_text(import, target, "port")) : DNS_PORT;
		if (number != DNS_PORT)
			import_number(import, node, "port", &at, number);
	}
	put_pairs(import, rule, "metadata", get(rule->json, "metadata"));
}

/* ---- addresses ---- */

/* What it is in is Azure's; a pool of the address alone says that its PTR is answered here. */
static void put_pool(struct import *import, const struct resource *resource, const char *address)
{
	struct node *pool =
		import_item(import, import_root(import), "address_pools", &resource->at);

	import_text(import, pool, "name", &resource->at,
		    unique(import, "address_pools", resource->names[0], &resource->at));
	import_text(import, pool, "prefix", &resource->at,
		    import_printf(import, "%s/%d", address, strchr(address, ':') ? 128 : 32));
}

/* Azure chooses an address when it deploys a static one, and each time when something begins to use
 * a dynamic one. What it has deployed has a provisioningState. */
static void tell_no_address(struct import *import, const struct resource *resource,
			    const char *method)
{
	bool is_dynamic = method && strcasecmp(method, "Dynamic") == 0;

	if (get_text(resource->json, "provisioningState"))
		import_lost(import, &resource->at,
			    "nothing uses it, and so it has no address; import it again when it "
			    "has one");
	else
		import_lost(import, &resource->at,
			    "it has no address until %s; give `az network public-ip list -o json` "
			    "of then",
			    is_dynamic ? "something uses it" : "it is deployed");
}

static void put_public_ip(struct import *import, struct resource *resource)
{
	const json_t *dns = get(resource->json, "dnsSettings");
	const char *address = get_text(resource->json, "ipAddress"),
		   *method = get_text(resource->json, "publicIPAllocationMethod"),
		   *name = get_text(dns, "reverseFqdn"), *label = get_text(dns, "domainNameLabel");

	if (!address) {
		tell_no_address(import, resource, method);
		return;
	}
	put_new(import, resource, import_root(import), "addresses", resource->names[0]);
	put_place(import, resource, true);
	import_text(import, resource->node, "address", &resource->at, address);
	if (method)
		import_text(import, resource->node, "allocation", &resource->at,
			    text_lower(import_printf(import, "%s", method)));
	if (label)
		import_text(import, resource->node, "domain_name_label", &resource->at, label);
	if (name)
		import_text(import, resource->node, "reverse_fqdn", &resource->at, name);
	put_pool(import, resource, address);
	if (name)
		import_changed(import, &resource->at,
			       "its PTR is answered to those who ask here; all others ask Azure");
}

/* ---- the kinds ---- */

/* What is put first may be referred to by what follows. */
static const struct azure_kind kinds[] = {
	{"virtualNetworks", put_network,
	 (const char *const[]){"addressSpace", "dhcpOptions", "subnets", "encryption", "tags",
			       NULL}},
	{"virtualNetworks/subnets", put_subnet_alone, subnet_members},
	{"dnsResolvers", put_resolver, (const char *const[]){"virtualNetwork", "tags", NULL}},
	{"dnsResolvers/inboundEndpoints", put_inbound, (const char *const[]){"tags", NULL}},
	{"dnsResolvers/outboundEndpoints", put_outbound,
	 (const char *const[]){"subnet", "tags", NULL}},
	{"privateDnsZones", put_zone, (const char *const[]){"tags", NULL}},
	{"privateDnsZones/virtualNetworkLinks", put_zone_link,
	 (const char *const[]){"virtualNetwork", "registrationEnabled", "resolutionPolicy", "tags",
			       NULL}},
	{"privateDnsZones/*", put_records,
	 (const char *const[]){"ttl", "metadata", "isAutoRegistered", "aRecords", "aaaaRecords",
			       "cnameRecord", "mxRecords", "ptrRecords", "soaRecord", "srvRecords",
			       "txtRecords", NULL}},
	{"dnsForwardingRulesets", put_ruleset,
	 (const char *const[]){"dnsResolverOutboundEndpoints", "tags", NULL}},
	{"dnsForwardingRulesets/virtualNetworkLinks", put_ruleset_link,
	 (const char *const[]){"virtualNetwork", "metadata", NULL}},
	{"dnsForwardingRulesets/forwardingRules", put_rule,
	 (const char *const[]){"domainName", "targetDnsServers", "metadata", "forwardingRuleState",
			       NULL}},
	{"publicIPAddresses", put_public_ip,
	 (const char *const[]){"ipAddress", "publicIPAllocationMethod", "dnsSettings", "tags",
			       NULL}},
};

static const struct {
	const char *type, *why;
} reasons[] = {
	{"dnsResolverPolicies*", "sluice has no security policies: it blocks no names"},
	{"dnsResolverDomainLists", "sluice has no security policies: it blocks no names"},
	{"dnsZones*", "public zones are not served; a private zone may have its records"},
	{"privateEndpoints/privateDnsZoneGroups",
	 "Azure makes its records; give `az network private-dns record-set list -o json` of the "
	 "zone"},
	{"virtualNetworks/virtualNetworkPeerings", NULL},
	{"networkSecurityGroups*", NULL},
	{"routeTables*", NULL},
};

static bool fits(const char *pattern, const char *type)
{
	size_t length = strlen(pattern);

	return pattern[length - 1] == '*' ? strncasecmp(pattern, type, length - 1) == 0
					  : strcasecmp(pattern, type) == 0;
}

/* Below Microsoft.Network; NULL: it is of another provider. */
static const char *network_type(const char *type)
{
	static const char provider[] = "Microsoft.Network/";

	return strncasecmp(type, provider, sizeof provider - 1) == 0 ? type + sizeof provider - 1
								     : NULL;
}

static const struct azure_kind *kind_of(const char *type)
{
	const char *below = network_type(type);

	for (size_t i = 0; below && i < COUNT(kinds); i++)
		if (fits(kinds[i].type, below))
			return &kinds[i];
	return NULL;
}

bool azure_carries(struct import *import, const char *type, const struct origin *at)
{
	const char *below = network_type(type);
	struct origin there = import_place(import, at->file, at->line, type);

	if (kind_of(type))
		return true;
	for (size_t i = 0; below && i < COUNT(reasons); i++)
		if (fits(reasons[i].type, below)) {
			if (reasons[i].why)
				import_lost(import, &there, "%s", reasons[i].why);
			return false;
		}
	if (strcasecmp(type, "Microsoft.Resources/resourceGroups") != 0)
		import_lost(import, &there, "nothing that answers DNS is made of it");
	return false;
}

void azure_take(struct import *import, const char *id, const char *what, const json_t *value)
{
	struct resource *resource = import_alloc(import, sizeof *resource);
	struct origin at = json_file_at(import, value, what);

	if (!parse_id(import, id, resource)) {
		import_lost(import, &at, "\"%s\" is no id of a resource", id);
		return;
	}
	resource->kind = kind_of(resource->type);
	resource->json = value;
	resource->at = at;
	if (resource->kind && !import_find(import, id_key(import, id)))
		add(import, resource);
}

/* Machines ask Azure's resolver at that address wherever they are. */
static void put_vnet_resolver(struct import *import)
{
	struct azure *azure = azure_of(import);
	struct origin nowhere = {.file = NULL};
	const struct resource *asked = NULL;
	struct node *vnet;

	for (const struct resource *network = azure->first; network; network = network->next) {
		if (!network->node ||
		    strcasecmp(network->type, "Microsoft.Network/virtualNetworks") != 0)
			continue;
		if (!network->has_endpoint && json_is_object(network->json) && !asked)
			asked = network;
	}
	if (!asked)
		return;
	nowhere.file = asked->at.file;
	if (azure->same_space) {
		import_lost(import, &asked->at,
			    "the resolver at 168.63.129.16: two networks have the same address "
			    "space, so a client's address does not tell where it is");
		return;
	}
	vnet = import_group(import, import_root(import), "vnet_resolver", &nowhere);
	import_add(import, vnet, "listen", &nowhere, "168.63.129.16:53");
}

void azure_finish(struct import *import)
{
	struct azure *azure = azure_of(import);

	if (!azure->first)
		import_fault(import, &(struct origin){.file = NULL},
			     "there is nothing in it that answers DNS");
	for (size_t i = 0; i < COUNT(kinds); i++)
		for (struct resource *at = azure->first; at; at = at->next) {
			if (at->kind != &kinds[i])
				continue;
			tell_members(import, at->json, kinds[i].members, &at->at);
			kinds[i].put(import, at);
			if (at->node && is_known(kinds[i].members, "tags"))
				put_pairs(import, at, "tags", json_member(at->json, "tags"));
		}
	put_vnet_resolver(import);
}
