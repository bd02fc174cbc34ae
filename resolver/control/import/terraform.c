/* Terraform's plans and states as JSON (`terraform show -json`), and state files: resources of
 * azurerm are converted to the form of Azure's interfaces.
 *
 * A plan lacks ids that come from the deployment. The configuration in the plan says what an
 * expression refers to: another resource, an output of a module, or a variable of its own module.
 * These references are followed to a resource, whose id is then made from its names. */
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "resolver/control/base/exit.h"
#include "resolver/control/import/azure.h"
#include "resolver/control/import/dialect.h"
#include "resolver/control/import/json_file.h"
#include "rules/base.h"
#include "rules/err.h"

enum { MODULES_MAX = 32, HOPS_MAX = 32, TXT_PART_MAX = 254 };

#define UNKNOWN "it is known when it is applied; give the state (`terraform show -json`) then"

/* ---- azurerm's members in Azure's form ---- */

enum attribute_form {
	AS_IT_IS,
	EACH,    /* every block, by `inner` */
	FIRST,   /* only the first block, by `inner` */
	WRAPPED, /* each text of an array: { inner->to: text } */
	STATE,   /* true means Enabled */
	TEXTS    /* a text, split into parts that a TXT record can hold */
};

struct map {
	const char *from, *to; /* `to` is a path: "dhcpOptions.dnsServers" */
	enum attribute_form how;
	const struct map *inner;
};

static const struct map service[] = {{"name", "serviceName", AS_IT_IS, NULL}, {.from = NULL}};
static const struct map delegations[] = {{"name", "name", AS_IT_IS, NULL},
					 {"service_delegation", "", FIRST, service},
					 {.from = NULL}};
static const struct map subnet[] = {{"name", "name", AS_IT_IS, NULL},
				    {"address_prefix", "addressPrefix", AS_IT_IS, NULL},
				    {"address_prefixes", "addressPrefixes", AS_IT_IS, NULL},
				    {"delegation", "delegations", EACH, delegations},
				    {.from = NULL}};
static const struct map network[] = {
	{"address_space", "addressSpace.addressPrefixes", AS_IT_IS, NULL},
	{"dns_servers", "dhcpOptions.dnsServers", AS_IT_IS, NULL},
	{"subnet", "subnets", EACH, subnet},
	{.from = NULL}};
/* azurerm_virtual_network_dns_servers has the DNS servers of a network; put_servers puts them into
 * the network, where Azure has them. */
static const struct map network_servers[] = {
	{"dns_servers", "dhcpOptions.dnsServers", AS_IT_IS, NULL}, {.from = NULL}};
static const struct map link[] = {{"virtual_network_id", "virtualNetwork.id", AS_IT_IS, NULL},
				  {"registration_enabled", "registrationEnabled", AS_IT_IS, NULL},
				  {"resolution_policy", "resolutionPolicy", AS_IT_IS, NULL},
				  {"metadata", "metadata", AS_IT_IS, NULL},
				  {.from = NULL}};
static const struct map nothing[] = {{.from = NULL}};

#define RECORDS(name, ...)                                                                         \
	static const struct map name[] = {                                                         \
		{"ttl", "ttl", AS_IT_IS, NULL}, __VA_ARGS__, {.from = NULL}}
static const struct map ipv4[] = {{"", "ipv4Address", AS_IT_IS, NULL}};
static const struct map ipv6[] = {{"", "ipv6Address", AS_IT_IS, NULL}};
static const struct map pointer[] = {{"", "ptrdname", AS_IT_IS, NULL}};
static const struct map exchange[] = {{"preference", "preference", AS_IT_IS, NULL},
				      {"exchange", "exchange", AS_IT_IS, NULL},
				      {.from = NULL}};
static const struct map server[] = {{"priority", "priority", AS_IT_IS, NULL},
				    {"weight", "weight", AS_IT_IS, NULL},
				    {"port", "port", AS_IT_IS, NULL},
				    {"target", "target", AS_IT_IS, NULL},
				    {.from = NULL}};
static const struct map txt_parts[] = {{"value", "value", TEXTS, NULL}, {.from = NULL}};
RECORDS(a_records, {"records", "aRecords", WRAPPED, ipv4});
RECORDS(aaaa_records, {"records", "aaaaRecords", WRAPPED, ipv6});
RECORDS(cname_record, {"record", "cnameRecord.cname", AS_IT_IS, NULL});
RECORDS(mx_records, {"record", "mxRecords", EACH, exchange});
RECORDS(ptr_records, {"records", "ptrRecords", WRAPPED, pointer});
RECORDS(srv_records, {"record", "srvRecords", EACH, server});
RECORDS(txt_records, {"record", "txtRecords", EACH, txt_parts});

static const struct map place[] = {
	{"private_ip_allocation_method", "privateIpAllocationMethod", AS_IT_IS, NULL},
	{"private_ip_address", "privateIpAddress", AS_IT_IS, NULL},
	{"subnet_id", "subnet.id", AS_IT_IS, NULL},
	{.from = NULL}};
static const struct map inbound[] = {{"ip_configurations", "ipConfigurations", EACH, place},
				     {.from = NULL}};
static const struct map outbound[] = {{"subnet_id", "subnet.id", AS_IT_IS, NULL}, {.from = NULL}};
static const struct map endpoint_id[] = {{"", "id", AS_IT_IS, NULL}};
static const struct map ruleset[] = {{"private_dns_resolver_outbound_endpoint_ids",
				      "dnsResolverOutboundEndpoints", WRAPPED, endpoint_id},
				     {.from = NULL}};
static const struct map target[] = {{"ip_address", "ipAddress", AS_IT_IS, NULL},
				    {"port", "port", AS_IT_IS, NULL},
				    {.from = NULL}};
static const struct map rule[] = {{"domain_name", "domainName", AS_IT_IS, NULL},
				  {"enabled", "forwardingRuleState", STATE, NULL},
				  {"target_dns_servers", "targetDnsServers", EACH, target},
				  {"metadata", "metadata", AS_IT_IS, NULL},
				  {.from = NULL}};
static const struct map public_ip[] = {
	{"allocation_method", "publicIPAllocationMethod", AS_IT_IS, NULL},
	{"ip_address", "ipAddress", AS_IT_IS, NULL},
	{"domain_name_label", "dnsSettings.domainNameLabel", AS_IT_IS, NULL},
	{"reverse_fqdn", "dnsSettings.reverseFqdn", AS_IT_IS, NULL},
	{.from = NULL}};

static const struct terraform_kind {
	const char *type;
	/* The member with the parent's name or id; NULL: none. */
	const char *parent;
	const char *azure; /* type below Microsoft.Network, or below the parent's id */
	const struct map *members;
} kinds[] = {
	{"azurerm_virtual_network", NULL, "virtualNetworks", network},
	{"azurerm_virtual_network_dns_servers", "virtual_network_id", "dnsServers",
	 network_servers},
	{"azurerm_subnet", "virtual_network_name", "virtualNetworks/subnets", subnet},
	{"azurerm_private_dns_resolver", NULL, "dnsResolvers", link},
	{"azurerm_private_dns_resolver_inbound_endpoint", "private_dns_resolver_id",
	 "inboundEndpoints", inbound},
	{"azurerm_private_dns_resolver_outbound_endpoint", "private_dns_resolver_id",
	 "outboundEndpoints", outbound},
	{"azurerm_private_dns_resolver_dns_forwarding_ruleset", NULL, "dnsForwardingRulesets",
	 ruleset},
	{"azurerm_private_dns_resolver_forwarding_rule", "dns_forwarding_ruleset_id",
	 "forwardingRules", rule},
	{"azurerm_private_dns_resolver_virtual_network_link", "dns_forwarding_ruleset_id",
	 "virtualNetworkLinks", link},
	{"azurerm_private_dns_zone", NULL, "privateDnsZones", nothing},
	{"azurerm_private_dns_zone_virtual_network_link", "private_dns_zone_name",
	 "privateDnsZones/virtualNetworkLinks", link},
	{"azurerm_private_dns_a_record", "zone_name", "privateDnsZones/A", a_records},
	{"azurerm_private_dns_aaaa_record", "zone_name", "privateDnsZones/AAAA", aaaa_records},
	{"azurerm_private_dns_cname_record", "zone_name", "privateDnsZones/CNAME", cname_record},
	{"azurerm_private_dns_mx_record", "zone_name", "privateDnsZones/MX", mx_records},
	{"azurerm_private_dns_ptr_record", "zone_name", "privateDnsZones/PTR", ptr_records},
	{"azurerm_private_dns_srv_record", "zone_name", "privateDnsZones/SRV", srv_records},
	{"azurerm_private_dns_txt_record", "zone_name", "privateDnsZones/TXT", txt_records},
	{"azurerm_public_ip", NULL, "publicIPAddresses", public_ip},
};

/* Members of azurerm's resources that are not reported: names, computed values, and settings that
 * have no use here. */
static const char *const passed_over[] = {"bgp_community",
					  "ddos_protection_mode",
					  "ddos_protection_plan",
					  "ddos_protection_plan_id",
					  "default_outbound_access_enabled",
					  "edge_zone",
					  "encryption",
					  "enforce_private_link_endpoint_network_policies",
					  "enforce_private_link_service_network_policies",
					  "flow_timeout_in_minutes",
					  "fqdn",
					  "guid",
					  "id",
					  "idle_timeout_in_minutes",
					  "ip_tags",
					  "ip_version",
					  "location",
					  "max_number_of_record_sets",
					  "max_number_of_virtual_network_links",
					  "max_number_of_virtual_network_links_with_registration",
					  "name",
					  "number_of_record_sets",
					  "private_endpoint_network_policies",
					  "private_endpoint_network_policies_enabled",
					  "private_endpoint_vnet_policies",
					  "private_link_service_network_policies_enabled",
					  "public_ip_prefix_id",
					  "resource_group_name",
					  "service_endpoint_policy_ids",
					  "service_endpoints",
					  "sharing_scope",
					  "sku",
					  "sku_tier",
					  "timeouts",
					  "zones",
					  NULL};

/* ---- resources of a plan ---- */

struct planned {
	const char *address; /* "module.net.azurerm_subnet.in[0]" */
	const char *module;  /* "module.net", an instance; "": the root */
	const char *plain;   /* "azurerm_subnet.in" */
	const json_t *index; /* of the instance; NULL: the only one */
	const struct terraform_kind *kind;
	const json_t *values, *expressions;
	const char *id;
	bool wanted;    /* its id is being made, so a second request is a circle */
	const char *of; /* for network_servers: the id of the network; NULL: not known */
	bool placed;    /* for network_servers: they were put into the network */
	struct planned *next;
};

struct terraform {
	struct import *import;
	json_t *pool;
	struct planned *first, **last;
};

static struct terraform *terraform_of(struct import *import)
{
	struct terraform *terraform = import_find(import, "terraform");

	if (terraform)
		return terraform;
	terraform = import_alloc(import, sizeof *terraform);
	*terraform = (struct terraform){.import = import, .pool = json_array()};
	terraform->last = &terraform->first;
	import_keep(import, "terraform", terraform);
	return terraform;
}

static json_t *made(struct terraform *terraform, json_t *value, const json_t *like)
{
	if (!value || json_array_append_new(terraform->pool, value) != 0)
		exit(exit_fail("%s", err_text(ERR_NOMEM)));
	return json_file_place(terraform->import, value, like);
}

static const struct terraform_kind *kind_of(const char *type)
{
	for (size_t i = 0; i < COUNT(kinds); i++)
		if (strcmp(kinds[i].type, type) == 0)
			return &kinds[i];
	return NULL;
}

/* Turns `module.net["a.b"].module.in[0]` into "module.net.module.in": a configuration has all
 * instances as one. */
static char *without_indexes(struct import *import, const char *address)
{
	char *plain = import_printf(import, "%s", address), *to = plain;
	bool quoted = false, inside = false;

	for (const char *at = address; *at != '\0'; at++) {
		quoted ^= *at == '"' && at[-(at > address)] != '\\';
		inside |= *at == '[' && !quoted;
		if (!inside)
			*to++ = *at;
		inside &= *at != ']' || quoted;
	}
	*to = '\0';
	return plain;
}

/* The configuration of the module of that address; NULL: none, as in a state. */
static const json_t *configuration_of(struct import *import, const char *module)
{
	const json_t *found = import_find(import, "terraform configuration");
	char *at = without_indexes(import, module), *word;

	while (found && at && *at != '\0') {
		word = strsep(&at, ".");
		if (strcmp(word, "module") != 0)
			found = json_member(json_member(json_member(found, "module_calls"), word),
					    "module");
	}
	return found;
}

static void add_planned(struct terraform *terraform, const char *module, const json_t *resource,
			const json_t *values)
{
	struct import *import = terraform->import;
	const char *address = json_member_text(resource, "address"),
		   *type = json_member_text(resource, "type"),
		   *name = json_member_text(resource, "name"),
		   *mode = json_member_text(resource, "mode");
	bool is_data = mode && strcmp(mode, "data") == 0;
	struct planned *planned = import_alloc(import, sizeof *planned);
	struct origin at = json_file_at(import, values, NULL);
	json_t *configured;
	size_t i;

	if (!type || !name || strncmp(type, "azurerm_", 8) != 0)
		return;
	at = import_place(import, at.file, at.line, address ? address : type);
	if (!kind_of(type)) {
		if (!is_data && strcmp(type, "azurerm_resource_group") != 0)
			import_lost(
				import, &at,
				strncmp(type, "azurerm_dns_", 12) == 0
					? "public zones are not served; a private zone may have "
					  "its records"
				: strcmp(type, "azurerm_private_endpoint") == 0
					? "Azure makes the records of a private endpoint; give "
					  "them as azurerm_private_dns_a_record"
					: "nothing that answers DNS is made of it");
		return;
	}
	*planned = (struct planned){
		.address = at.path,
		.module = module,
		.plain = import_printf(import, "%s%s.%s", is_data ? "data." : "", type, name),
		.index = json_member(resource, "index"),
		.kind = kind_of(type),
		.values = values};
	json_array_foreach(json_member(configuration_of(import, module), "resources"), i,
			   configured)
	{
		const char *is = json_member_text(configured, "address");

		if (is && strcmp(is, planned->plain) == 0)
			planned->expressions = json_member(configured, "expressions");
	}
	*terraform->last = planned;
	terraform->last = &planned->next;
}

static void read_module(struct terraform *terraform, const json_t *module, bool data_only,
			unsigned depth)
{
	const char *address = json_member_text(module, "address"), *mode;
	json_t *resource, *child;
	size_t i;

	if (depth > MODULES_MAX)
		return;
	json_array_foreach(json_member(module, "resources"), i, resource)
	{
		mode = json_member_text(resource, "mode");
		if (!data_only || (mode && strcmp(mode, "data") == 0))
			add_planned(terraform, address ? address : "", resource,
				    json_member(resource, "values"));
	}
	json_array_foreach(json_member(module, "child_modules"), i, child)
		read_module(terraform, child, data_only, depth + 1);
}

/* terraform.tfstate: all ids are known. */
static void read_state(struct terraform *terraform, const json_t *resources)
{
	struct import *import = terraform->import;
	json_t *resource, *instance;
	size_t i, j;

	json_array_foreach((json_t *)resources, i, resource)
	{
		const char *type = json_member_text(resource, "type"),
			   *name = json_member_text(resource, "name"),
			   *module = json_member_text(resource, "module"),
			   *mode = json_member_text(resource, "mode");

		json_array_foreach(json_member(resource, "instances"), j, instance)
		{
			json_t *like =
				json_pack("{s:s*, s:s*, s:s*, s:s}", "type", type, "name", name,
					  "mode", mode, "address",
					  import_printf(import, "%s%s%s.%s", module ? module : "",
							module ? "." : "", type ? type : "",
							name ? name : ""));

			add_planned(terraform, module ? module : "",
				    made(terraform, like, instance),
				    json_member(instance, "attributes"));
		}
	}
}

/* ---- ids that a plan lacks ---- */

static const char *id_of(struct terraform *terraform, struct planned *planned);

/* The address of the outer module: "module.a" of "module.a.module.b". */
static const char *outer_module(struct import *import, const char *module)
{
	const char *last = NULL;

	for (const char *at = module; (at = strstr(at, "module.")); at++)
		if (at == module || at[-1] == '.')
			last = at;
	return last && last > module
		       ? import_printf(import, "%.*s", (int)(last - module - 1), module)
		       : "";
}

/* Of several instances, finds the one with the same index, preferably in the same instance of the
 * module. NULL: none, or nothing tells them apart. */
static struct planned *find_planned(struct terraform *terraform, const char *module,
				    const char *plain, const json_t *index)
{
	struct import *import = terraform->import;
	struct planned *found = NULL;
	bool is_one = true;

	for (struct planned *at = terraform->first; at; at = at->next) {
		bool near = strcmp(at->module, module) == 0,
		     same = index && at->index && json_equal(index, at->index);

		if (strcmp(at->plain, plain) != 0 || strcmp(without_indexes(import, at->module),
							    without_indexes(import, module)) != 0)
			continue;
		if (near && (same || !at->index))
			return at;
		is_one = !found;
		found = !found || same ? at : found;
	}
	return is_one || (found && index && found->index && json_equal(index, found->index)) ? found
											     : NULL;
}

/* The index after the first `length` characters of the reference: `["in"]` or `[0]`; "": none. */
static const char *index_behind(struct import *import, const char *reference, size_t length)
{
	const char *from = reference + length, *to = from;
	bool quoted = false;

	if (strlen(reference) <= length || *from != '[')
		return "";
	for (; *to != '\0' && (*to != ']' || quoted); to++)
		quoted ^= *to == '"' && to[-1] != '\\';
	return import_printf(import, "%.*s]", (int)(to - from), from);
}

/* The index as JSON; NULL: none. */
static const json_t *index_value(struct terraform *terraform, const char *index)
{
	json_t *value = *index != '\0'
				? json_loadb(index + 1, strlen(index) - 2, JSON_DECODE_ANY, NULL)
				: NULL;

	return value ? made(terraform, value, NULL) : NULL;
}

static const char *index_text(struct import *import, const json_t *index)
{
	char *text = index ? json_dumps(index, JSON_ENCODE_ANY) : NULL;
	const char *copy = text ? import_printf(import, "[%s]", text) : "";

	free(text);
	return copy;
}

struct place_in { /* the place of a reference */
	const char *module;
	const json_t *index; /* of the resource that has the reference */
	unsigned hops;
};

static json_t *resolve(struct terraform *terraform, const json_t *expression,
		       struct place_in where);

/* The ids that the call of the module gives to its variable; NULL: none. */
static json_t *resolve_variable(struct terraform *terraform, const char *name,
				struct place_in where)
{
	struct import *import = terraform->import;
	const char *outer = outer_module(import, where.module),
		   *called = without_indexes(import, where.module), *dot = strrchr(called, '.');
	const json_t *call = json_member(
		json_member(configuration_of(import, outer), "module_calls"), dot ? dot + 1 : "");
	const json_t *expression = json_member(json_member(call, "expressions"), name);

	where.module = outer;
	where.index = NULL;
	return expression ? resolve(terraform, expression, where) : NULL;
}

/* The ids in an output of a module; NULL: none. A reference without an index means the instance of
 * the module that has the index of the referring resource. */
static json_t *resolve_output(struct terraform *terraform, const char *reference, const char *name,
			      const char *output, struct place_in where)
{
	struct import *import = terraform->import;
	const char *index = index_behind(import, reference, strlen("module.") + strlen(name)),
		   *inner;
	const json_t *expression;

	index = *index != '\0' ? index : index_text(import, where.index);
	inner = import_printf(import, "%s%smodule.%s%s", where.module,
			      *where.module != '\0' ? "." : "", name, index);
	expression = json_member(
		json_member(json_member(configuration_of(import, inner), "outputs"), output),
		"expression");
	where.module = inner;
	where.index = NULL;
	return expression ? resolve(terraform, expression, where) : NULL;
}

/* The id of the reference, or an array of ids; NULL: none. */
static json_t *resolve_one(struct terraform *terraform, const char *reference,
			   struct place_in where)
{
	struct import *import = terraform->import;
	char *rest = without_indexes(import, reference), *first = strsep(&rest, "."),
	     *second = strsep(&rest, "."), *third = strsep(&rest, ".");
	const json_t *index;
	const char *plain;
	struct planned *planned;

	if (!second)
		return NULL;
	if (strcmp(first, "var") == 0)
		return resolve_variable(terraform, second, where);
	if (strcmp(first, "module") == 0)
		return third ? resolve_output(terraform, reference, second, third, where) : NULL;
	plain = strcmp(first, "data") == 0 && third
			? import_printf(import, "%s.%s.%s", first, second, third)
			: import_printf(import, "%s.%s", first, second);
	index = index_value(terraform, index_behind(import, reference, strlen(plain)));
	planned = find_planned(terraform, where.module, plain, index ? index : where.index);
	return planned ? made(terraform, json_string(id_of(terraform, planned)), planned->values)
		       : NULL;
}

/* An array of the ids that all references lead to; NULL: there are none. Terraform lists each
 * reference before its prefixes, which are skipped: x.y.id, x.y. */
static json_t *resolve(struct terraform *terraform, const json_t *expression, struct place_in where)
{
	json_t *ids = made(terraform, json_array(), NULL), *reference, *id;
	const char *before = "", *text;
	size_t i, j;

	if (++where.hops > HOPS_MAX)
		return NULL;
	json_array_foreach(json_member(expression, "references"), i, reference)
	{
		text = json_string_value(reference);
		if (!text || strncmp(before, text, strlen(text)) == 0)
			continue;
		before = text;
		id = resolve_one(terraform, text, where);
		if (json_is_string(id))
			json_array_append(ids, id);
		else
			json_array_foreach(id, j, reference) json_array_append(ids, reference);
	}
	return json_array_size(ids) > 0 ? ids : NULL;
}

static bool ends_in(const char *text, const char *end)
{
	size_t length = strlen(text), behind = strlen(end);

	return length >= behind && strcmp(text + length - behind, end) == 0;
}

/* Finds the id or ids that the plan lacks by the references in their expression. NULL: no reference
 * leads to an id, or the key is not that of an id. */
static json_t *resolve_member(struct terraform *terraform, const struct planned *planned,
			      const json_t *expressions, const char *key)
{
	const json_t *expression = json_member(expressions, key);
	size_t length = strlen(key);
	struct place_in where = {.module = planned->module, .index = planned->index};
	json_t *ids;

	if (!expression || !(ends_in(key, "_id") || ends_in(key, "_ids")))
		return NULL;
	ids = resolve(terraform, expression, where);
	return ids && key[length - 1] == 'd' ? json_array_get(ids, 0) : ids;
}

static json_t *member_of(struct terraform *terraform, const struct planned *planned,
			 const json_t *values, const json_t *expressions, const char *key)
{
	json_t *value = json_member(values, key);

	return value && !json_is_null(value) ? value
					     : resolve_member(terraform, planned, expressions, key);
}

static const char *member_text(struct terraform *terraform, const struct planned *planned,
			       const char *key)
{
	const char *text = json_string_value(
		member_of(terraform, planned, planned->values, planned->expressions, key));

	return text && *text != '\0' ? text : NULL;
}

/* The id: the known one, or else the future one, made from names; "": a name is unknown. */
static const char *id_of(struct terraform *terraform, struct planned *planned)
{
	struct import *import = terraform->import;
	const struct terraform_kind *kind = planned->kind;
	const char *id = json_member_text(planned->values, "id"), *name, *group, *parent;
	size_t length = kind->parent ? strlen(kind->parent) : 0;

	if (id && *id == '/')
		return id;
	if (planned->id || planned->wanted)
		return planned->id ? planned->id : "";
	planned->wanted = true;
	name = member_text(terraform, planned, "name");
	group = member_text(terraform, planned, "resource_group_name");
	parent = kind->parent ? member_text(terraform, planned, kind->parent) : NULL;
	if (!name || (kind->parent && (!parent || *parent == '\0')))
		planned->id = "";
	else if (parent && strcmp(kind->parent + length - 3, "_id") == 0)
		planned->id = import_printf(import, "%s/%s/%s", parent, kind->azure, name);
	else
		planned->id =
			azure_id(import, AZURE_UNKNOWN, group ? group : AZURE_UNKNOWN,
				 import_printf(import, "Microsoft.Network/%s", kind->azure),
				 parent ? import_printf(import, "%s/%s", parent, name) : name);
	return planned->id;
}

/* ---- conversion to Azure's form ---- */

static json_t *convert(struct terraform *terraform, const struct planned *planned,
		       const struct map *map, const json_t *values, const json_t *expressions);

static void put(json_t *object, const char *path, json_t *value)
{
	const char *dot = strchr(path, '.');
	char key[64];
	json_t *inner;

	if (!dot) {
		json_object_set(object, path, value);
		return;
	}
	snprintf(key, sizeof key, "%.*s", (int)(dot - path), path);
	inner = json_object_get(object, key);
	if (!inner) {
		inner = json_object();
		json_object_set_new(object, key, inner);
	}
	put(inner, dot + 1, value);
}

static json_t *parts_of(struct terraform *terraform, const json_t *value)
{
	const char *at = json_string_value(value);
	json_t *parts = made(terraform, json_array(), value);

	for (size_t length; at && *at != '\0'; at += length) {
		length = strnlen(at, TXT_PART_MAX);
		json_array_append_new(parts, json_stringn_nocheck(at, length));
	}
	return parts;
}

static json_t *blocks_of(struct terraform *terraform, const struct planned *planned,
			 const struct map *map, const json_t *value, const json_t *expressions)
{
	json_t *items = made(terraform, json_array(), value), *item;
	size_t i;

	json_array_foreach((json_t *)value, i, item) json_array_append(
		items,
		convert(terraform, planned, map->inner, item,
			json_is_array(expressions) ? json_array_get(expressions, i) : expressions));
	return items;
}

static json_t *wrapped(struct terraform *terraform, const struct map *map, const json_t *value)
{
	json_t *items = made(terraform, json_array(), value), *item;
	size_t i;

	json_array_foreach((json_t *)value, i, item)
		json_array_append_new(items, json_pack("{s:O}", map->inner->to, item));
	return items;
}

static json_t *as_azure_has_it(struct terraform *terraform, const struct planned *planned,
			       const struct map *map, json_t *value, const json_t *expressions)
{
	switch (map->how) {
	case EACH: return blocks_of(terraform, planned, map, value, expressions);
	case WRAPPED: return wrapped(terraform, map, value);
	case TEXTS: return parts_of(terraform, value);
	case STATE:
		return made(terraform, json_string(json_is_false(value) ? "Disabled" : "Enabled"),
			    value);
	default: return value;
	}
}

static void tell(struct terraform *terraform, const struct planned *planned, const char *key,
		 const char *why)
{
	struct import *import = terraform->import;
	struct origin at = json_file_at(import, planned->values, NULL);

	at = import_place(import, at.file, at.line,
			  import_printf(import, "%s.%s", planned->address, key));
	import_lost(import, &at, "%s", why);
}

static json_t *convert(struct terraform *terraform, const struct planned *planned,
		       const struct map *map, const json_t *values, const json_t *expressions)
{
	json_t *object = made(terraform, json_object(), values), *value, *first;

	for (; map->from; map++) {
		const json_t *inner = json_member(expressions, map->from);

		value = member_of(terraform, planned, values, expressions, map->from);
		if (!value && json_array_size(json_member(inner, "references")) > 0)
			tell(terraform, planned, map->from, UNKNOWN);
		if (!value)
			continue;
		first = map->how == FIRST ? json_array_get(value, 0) : NULL;
		if (first)
			json_object_update(object,
					   convert(terraform, planned, map->inner, first, inner));
		else
			put(object, map->to,
			    as_azure_has_it(terraform, planned, map, value, inner));
	}
	return object;
}

static bool is_among(const char *const *names, const char *name)
{
	while (*names && strcmp(*names, name) != 0)
		names++;
	return *names;
}

static bool says_nothing(const json_t *value)
{
	return json_is_null(value) || json_is_false(value) ||
	       (json_is_string(value) && json_string_length(value) == 0) ||
	       (json_is_array(value) && json_array_size(value) == 0) ||
	       (json_is_object(value) && json_object_size(value) == 0);
}

/* Reports members that no row converts. */
static void tell_members(struct terraform *terraform, const struct planned *planned)
{
	const struct terraform_kind *kind = planned->kind;
	const char *key;
	json_t *value;

	json_object_foreach((json_t *)planned->values, key, value)
	{
		const struct map *map = kind->members;

		while (map->from && strcmp(map->from, key) != 0)
			map++;
		if (map->from || is_among(passed_over, key) || says_nothing(value) ||
		    (kind->parent && strcmp(kind->parent, key) == 0) ||
		    strcmp(key, "soa_record") == 0 || strcmp(key, "tags") == 0)
			continue;
		tell(terraform, planned, key, "sluice has nothing that corresponds to it");
	}
}

/* In Azure a zone's SOA is a record set. */
static void take_soa(struct terraform *terraform, const struct planned *planned, const char *id)
{
	const json_t *soa = json_array_get(json_member(planned->values, "soa_record"), 0);
	const char *host = json_member_text(soa, "host_name"),
		   *email = json_member_text(soa, "email");
	json_t *made_of;

	if (!soa || !email)
		return;
	made_of = json_pack(
		"{s:O*, s:{s:s, s:s, s:I, s:O*, s:O*, s:O*, s:O*}}", "ttl", json_member(soa, "ttl"),
		"soaRecord", "host", host ? host : "azureprivatedns.net", "email", email,
		"serialNumber", (json_int_t)json_integer_value(json_member(soa, "serial_number")),
		"refreshTime", json_member(soa, "refresh_time"), "retryTime",
		json_member(soa, "retry_time"), "expireTime", json_member(soa, "expire_time"),
		"minimumTtl", json_member(soa, "minimum_ttl"));
	azure_take(terraform->import, import_printf(terraform->import, "%s/SOA/@", id),
		   planned->address, made(terraform, made_of, planned->values));
}

/* Adds the network's DNS servers to its properties, from resources of network_servers. */
static void put_servers(struct terraform *terraform, json_t *properties, const char *id)
{
	for (struct planned *at = terraform->first; at; at = at->next) {
		if (at->kind->members != network_servers || !at->of || strcasecmp(at->of, id) != 0)
			continue;
		json_object_update(properties, convert(terraform, at, network_servers, at->values,
						       at->expressions));
		at->placed = true;
	}
}

static void take(struct terraform *terraform, struct planned *planned)
{
	const struct terraform_kind *kind = planned->kind;
	const char *id = id_of(terraform, planned);
	json_t *resource, *properties;

	if (*id == '\0') {
		tell(terraform, planned, kind->parent ? kind->parent : "name", UNKNOWN);
		return;
	}
	tell_members(terraform, planned);
	properties =
		convert(terraform, planned, kind->members, planned->values, planned->expressions);
	if (kind->members == network)
		put_servers(terraform, properties, id);
	resource =
		json_pack("{s:O*, s:O*, s:O}", "location", json_member(planned->values, "location"),
			  "tags", json_member(planned->values, "tags"), "properties", properties);
	azure_take(terraform->import, id, planned->address,
		   made(terraform, resource, planned->values));
	take_soa(terraform, planned, id);
}

void terraform_read(struct import *import, const char *path)
{
	struct terraform *terraform = terraform_of(import);
	json_t *value = json_file_read(import, path);
	const json_t *planned, *configuration, *prior, *state;
	struct origin at = import_place(import, path, 0, NULL);

	if (!value)
		return;
	made(terraform, value, NULL);
	planned = json_member(json_member(value, "planned_values"), "root_module");
	prior = json_member(json_member(json_member(value, "prior_state"), "values"),
			    "root_module");
	state = json_member(json_member(value, "values"), "root_module");
	configuration = json_member(json_member(value, "configuration"), "root_module");
	if (configuration)
		import_keep(import, "terraform configuration", (void *)(uintptr_t)configuration);
	if (planned) {
		read_module(terraform, planned, false, 0);
		read_module(terraform, prior, true, 0);
	} else if (state) {
		read_module(terraform, state, false, 0);
	} else if (json_is_array(json_member(value, "resources"))) {
		read_state(terraform, json_member(value, "resources"));
	} else {
		import_fault(import, &at,
			     "it is no plan and no state: give what `terraform show -json` prints");
	}
}

void terraform_finish(struct import *import)
{
	struct terraform *terraform = terraform_of(import);

	/* Resolving a reference walks through all resources, so `of` is set here once, and not for
	 * each network again. */
	for (struct planned *planned = terraform->first; planned; planned = planned->next)
		if (planned->kind->members == network_servers)
			planned->of = member_text(terraform, planned, planned->kind->parent);
	for (struct planned *planned = terraform->first; planned; planned = planned->next)
		if (planned->kind->members != network_servers)
			take(terraform, planned);
	for (struct planned *planned = terraform->first; planned; planned = planned->next)
		if (planned->kind->members == network_servers && !planned->placed)
			tell(terraform, planned, planned->kind->parent,
			     planned->of ? "no virtual network in it has this id" : UNKNOWN);
	azure_finish(import);
	json_decref(terraform->pool);
}
