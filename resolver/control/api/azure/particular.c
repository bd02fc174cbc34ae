#include "resolver/control/api/azure/particular.h"

#include <strings.h>

#include "resolver/control/api/azure/faults.h"
#include "resolver/control/api/azure/put.h"
#include "resolver/control/api/edit.h"
#include "resolver/control/api/reverse.h"
#include "resolver/control/base/json.h"
#include "resolver/control/base/report.h"
#include "resolver/control/base/uuid.h"
#include "resolver/control/resource/item.h"
#include "resolver/control/resource/part.h"
#include "resolver/control/resource/resources.h"
#include "resolver/control/resource/values.h"
#include "resolver/control/service/service.h"
#include "rules/check/limits.h"
#include "rules/schema/reference.h"
#include "rules/schema/rule_targets.h"
#include "rules/schema/schema.h"
#include "rules/text.h"
#include "rules/zone/serial.h"

/* ---- computed members ---- */

json_t *arm_resource_guid(const struct arm_shown *shown)
{
	char id[ARM_ID_MAX], uuid[UUID_TEXT_MAX];

	return json_text(uuid_of_name(text_lower(arm_id(shown->request, &shown->path, id)), uuid));
}

json_t *arm_endpoint_location(const struct arm_shown *shown)
{
	const struct path root = part_root(&shown->path);
	const struct dns_resolver *resolver = part_find(api_model(shown->request), &root);
	const char *region =
		model_region(api_model(shown->request), resolver ? resolver->region : NULL);

	return json_text(region ? region : "global");
}

json_t *arm_set_fqdn(const struct arm_shown *shown)
{
	const char *zone = shown->path.names[0];
	char name[NAME_TEXT_MAX];

	arm_name(&shown->path, name);
	return strcmp(name, "@") == 0 ? json_sprintf("%s.", zone)
				      : json_sprintf("%s.%s.", name, zone);
}

json_t *arm_set_is_registered(const struct arm_shown *shown)
{
	const struct record_set *set = shown->item;

	return json_boolean(set && set->is_registered);
}

json_t *arm_zone_set_count(const struct arm_shown *shown)
{
	const struct private_zone *zone = shown->item;

	return json_integer(zone->zone ? (json_int_t)zone_record_sets(zone->zone) : 0);
}

json_t *arm_zone_set_limit(const struct arm_shown *shown)
{
	return json_integer(api_model(shown->request)->limits.record_sets_per_zone);
}

json_t *arm_zone_link_count(const struct arm_shown *shown)
{
	const struct private_zone *zone = shown->item;

	return json_integer((json_int_t)zone->links.count);
}

json_t *arm_zone_link_limit(const struct arm_shown *shown)
{
	return json_integer(api_model(shown->request)->limits.links_per_zone);
}

json_t *arm_zone_registration_count(const struct arm_shown *shown)
{
	const struct private_zone *zone = shown->item;
	json_int_t count = 0;

	for (size_t i = 0; i < zone->links.count; i++)
		count += zone->links.items[i].registration;
	return json_integer(count);
}

json_t *arm_zone_registration_limit(const struct arm_shown *shown)
{
	return json_integer(api_model(shown->request)->limits.registration_links_per_zone);
}

/* ---- SOA ---- */

/* The SOA that is answered; NULL: there is none yet. */
static const struct rrset *soa_of(struct api_request *request, const struct private_zone *private)
{
	const struct policy *policy = request->service->server.current->policy;
	const struct registered_zone *registered =
		registered_find(policy->registered, full_name(&private->named));
	const struct zone *zone =
		registered && registered->base.served ? registered->base.served : private->zone;

	return zone ? zone_soa(zone) : NULL;
}

bool arm_zone_find_soa(struct api_request *request, const struct arm_type *type,
		       const struct path *path, struct arm_shown *shown)
{
	const struct path root = part_root(path);
	const struct private_zone *zone = part_find(api_model(request), &root);
	const struct rrset *soa = NULL;

	if (zone && strcasecmp(path->names[1], "@:SOA") == 0)
		soa = soa_of(request, zone);
	if (!soa)
		return false;
	*shown = (struct arm_shown){.request = request, .type = type, .path = *path};
	shown->path.names[1] = "@:SOA";
	shown->values = json_make("{s:s, s:I, s:o}", "name", "@:SOA", "ttl", (json_int_t)soa->ttl,
				  "records", report_records(soa));
	return true;
}

/* ---- rules ---- */

void arm_rule_show(const struct arm_shown *shown, json_t *values)
{
	const struct path root = part_root(&shown->path);
	const struct forwarding_ruleset *ruleset = part_find(api_model(shown->request), &root);
	const struct forwarding_rule *rule = shown->item;
	const struct kind *kind = kind_of_id(KIND_TARGET_GROUP);

	for (size_t i = 0; ruleset && rule->target_group && i < ruleset->target_groups.count; i++) {
		const struct target_group *group = &ruleset->target_groups.items[i];
		json_t *printed;

		if (strcasecmp(group->name, rule->target_group) != 0)
			continue;
		printed = values_print(kind, NULL, group);
		json_put(values, "targets", json_incref(json_object_get(printed, "targets")));
		json_decref(printed);
	}
}

void arm_rule_read(struct arm_reading *reading)
{
	if (json_object_get(reading->values, "targets") &&
	    !json_object_get(reading->base, "targets"))
		json_object_del(reading->values, "target_group");
}

/* ---- endpoints ---- */

#define INBOUND_ADDRESS "properties.ipConfigurations[0].privateIpAddress"

void arm_endpoint_read(struct arm_reading *reading)
{
	struct api_request *request = reading->request;
	const struct path root = part_root(reading->path);
	const struct dns_resolver *resolver = part_find(api_model(request), &root);
	const struct virtual_network *network =
		resolver ? model_network(api_model(request), resolver->resource_group,
					 resolver->virtual_network)
			 : NULL;
	const char *name = json_text_of(reading->values, "subnet"),
		   *allocation = json_text_of(reading->values, "allocation");
	struct path path;
	struct subnet *subnet = NULL;
	struct arm_shown shown;
	struct change_error error;
	json_t *values;
	bool is_static = strcmp(allocation, "static") == 0;
	json_t *said = arm_get(reading->body, INBOUND_ADDRESS);

	if (!is_static && !json_object_get(reading->base, "address"))
		json_object_del(reading->values, "address"); /* a new one is chosen */
	else if (is_static && !json_object_get(reading->values, "address") &&
		 json_string_length(said) > 0) /* keeps the chosen address, which GET shows */
		json_put(reading->values, "address", json_incref(said));
	if (network)
		subnet = model_subnet(network, name);
	if (!subnet || subnet->delegation || subnet->origin.file)
		return;
	path = part_path(kind_of_id(KIND_NETWORK), network, NULL);
	path.kind = kind_of_id(KIND_SUBNET);
	path.names[1] = subnet->name;
	if (!arm_find_plain(request, arm_type_of(&path), &path, &shown, &error))
		return;
	values = arm_read_base(&shown, reading->errors);
	arm_shown_release(&shown);
	if (!values)
		return;
	json_put(values, "delegation", json_text(ARM_PROVIDER "/dnsResolvers"));
	arm_add_edit(reading->edit, &path, values, reading->errors);
}

/* ---- links of zones ---- */

/* Azure has no policy NxDomainFallthrough: GET shows it as Default. So a body with Default, or
 * without the member, keeps it. */
void arm_zone_link_read(struct arm_reading *reading)
{
	static const char key[] = "resolution_policy";
	const char *was = json_text_of(reading->base, key),
		   *now = json_text_of(reading->values, key);

	if (strcmp(was, "NxDomainFallthrough") == 0 && strcmp(now, "NxDomainRedirect") != 0)
		json_put(reading->values, key, json_text(was));
}

/* ---- record sets ---- */

void arm_set_read(struct arm_reading *reading)
{
	char target[ARM_TARGET_MAX];

	if (!json_object_get(reading->values, "records"))
		json_put(reading->values, "records", json_array());
	if (!reading->merges && !arm_get(reading->body, "properties.ttl"))
		arm_misfit(reading->errors, arm_target(reading, "properties.ttl", target),
			   "is missing; give seconds, such as 3600");
}

/* ---- groups ---- */

void arm_group_read(struct arm_reading *reading)
{
	const char *name = reading->path->names[0];

	if (strcmp(name, GROUP_NONE) == 0)
		arm_error(reading->errors, 409, "ResourceReadOnly", NULL,
			  "'%s' stands for the addresses without a group, and cannot be changed",
			  name);
	else if (group_name_refusal(name))
		arm_error(reading->errors, 400, "InvalidResourceGroup", NULL,
			  "The resource group name '%s' does not fit; give 1 to 90 letters, digits "
			  "and any of _().-, not ending in a dot",
			  name);
}

/* ---- public addresses ---- */

json_t *arm_address_text(const struct arm_shown *shown)
{
	const struct owned_resource *resource = shown->item;
	char text[ADDRESS_TEXT_MAX];

	return json_text(address_print(&resource->item.address, text));
}

static const char *version_of(const struct owned_resource *resource)
{
	return resource->item.address.family == 6 ? "IPv6" : "IPv4";
}

json_t *arm_address_version(const struct arm_shown *shown)
{
	return json_text(version_of(shown->item));
}

/* The name without the final dot, as Azure shows it. */
json_t *arm_address_fqdn(const struct arm_shown *shown)
{
	const struct owned_resource *resource = shown->item;

	return resource->fqdn ? json_stringn(resource->fqdn, strlen(resource->fqdn) - 1) : NULL;
}

json_t *arm_address_guid(const struct arm_shown *shown)
{
	return json_text(((const struct owned_resource *)shown->item)->item.id);
}

#define DNS_SETTINGS "properties.dnsSettings"
#define VERSION      "properties.publicIPAddressVersion"

static const char *text_at(json_t *body, const char *path)
{
	const char *text = json_string_value(arm_get(body, path));

	return text && *text ? text : NULL;
}

/* Whether a body may leave out the label of this address: clients of Designate make addresses with
 * a PTR and no label, and Azure's clients send back what they read, with the PTR or without. */
static bool may_lack_label(const struct owned_resource *resource, const char *reverse)
{
	return resource && !resource->item.domain_name_label && resource->item.reverse_fqdn &&
	       (!reverse || owned_has_ptr(resource, reverse));
}

static void check_address(struct arm_reading *reading, const struct owned_resource *resource,
			  const char *reverse, uint8_t family)
{
	enum { IDLE_MIN = 4, IDLE_MAX = 30 };
	const char *idle_path = "properties.idleTimeoutInMinutes", *name = path_name(reading->path);
	json_t *idle = arm_number(arm_get(reading->body, idle_path));
	json_int_t minutes = json_integer_value(idle);

	if (idle && (!json_is_integer(idle) || minutes < IDLE_MIN || minutes > IDLE_MAX))
		arm_misfit(reading->errors, idle_path, "must be a whole number from %d to %d",
			   IDLE_MIN, IDLE_MAX);
	json_decref(idle);
	if (json_is_object(arm_get(reading->body, DNS_SETTINGS)) &&
	    !json_object_get(reading->values, "domain_name_label") &&
	    !may_lack_label(resource, reverse))
		arm_error(reading->errors, 400, "DomainNameLabelMissing",
			  DNS_SETTINGS ".domainNameLabel",
			  "The domain name label in the dnsSettings section of the public IP "
			  "address %s is null or empty. If a dnsSettings section exists, its "
			  "domain name label must not be null or empty.",
			  name);
	if (resource && resource->item.address.family != family)
		arm_error(reading->errors, 409, "PropertyChangeNotAllowed", VERSION,
			  "the address %s is %s, which cannot change", name, version_of(resource));
	if (!api_edit_allows(reading->edit, resource, family, reverse))
		arm_error(reading->errors, 400, API_NOT_FOR_IPV6, DNS_SETTINGS ".reverseFqdn",
			  API_NOT_FOR_IPV6_TEXT, name);
}

static uint8_t read_version(struct arm_reading *reading, const struct owned_resource *resource)
{
	const json_t *value = arm_get(reading->body, VERSION);
	const char *text = json_string_value(value);

	if (!value)
		return resource ? resource->item.address.family : 4;
	if (text && strcasecmp(text, "IPv6") == 0)
		return 6;
	if (!text || strcasecmp(text, "IPv4") != 0)
		arm_misfit(reading->errors, VERSION, "must be \"IPv4\" or \"IPv6\"");
	return 4;
}

static void set_ptr(struct arm_reading *reading, const char *reverse)
{
	json_object_del(reading->values, "description"); /* of the previous PTR */
	json_object_del(reading->values, "ttl");
	json_put(reading->values, "reverse_fqdn", json_text(reverse));
}

static void keep_ptr(struct arm_reading *reading)
{
	json_t *was = json_object_get(reading->base, "reverse_fqdn");

	json_object_del(reading->values, "reverse_fqdn");
	if (was)
		json_put(reading->values, "reverse_fqdn", json_incref(was));
}

/* Refuses a name that is taken by an address of another subscription, which is not shown. */
static void check_name(struct arm_reading *reading)
{
	if (addresses_find(api_resources(reading->request), reading->path))
		arm_error(reading->errors, 409, "Conflict", "name",
			  "name: %s is taken, by an address of another subscription; give another",
			  path_name(reading->path));
}

void arm_address_read(struct arm_reading *reading)
{
	const struct owned_resource *resource =
		reading->shown ? addresses_find(api_resources(reading->request), reading->path)
			       : NULL;
	const char *reverse = text_at(reading->body, DNS_SETTINGS ".reverseFqdn");
	bool is_said = !reading->merges || arm_get(reading->body, DNS_SETTINGS ".reverseFqdn");
	uint8_t family = read_version(reading, resource);

	if (!is_said && resource)
		reverse = resource->item.reverse_fqdn;
	check_address(reading, resource, reverse, family);
	if (!resource) {
		char id[UUID_TEXT_MAX];

		check_name(reading);
		/* A deployment's outputs show the id before the change is made. */
		json_put(reading->values, "id", json_text(uuid_random(id)));
		json_put(reading->values, "family", json_text(family == 6 ? "6" : "4"));
	} else if (reverse ? owned_has_ptr(resource, reverse) : !resource->item.reverse_fqdn) {
		keep_ptr(reading);
		return;
	} else {
		set_ptr(reading, reverse);
	}
	reading->edit->claimed =
		json_string_value(json_object_get(reading->values, "reverse_fqdn"));
}

/* ---- users of a resource ---- */

struct users { /* a search for users of a resource */
	struct api_request *request;
	const char *full; /* the resource as a reference */
	enum refers refers;
	json_t *ids; /* an array of {"id"} */
};

static void add_user(struct users *users, const struct path *path)
{
	if (arm_type_of(path))
		json_add(users->ids, arm_id_json(users->request, path));
}

/* Did the model choose the reference of this path? A ruleset without endpoints uses a resolver's.
 */
static bool is_chosen(const struct api_request *request, const struct path *path)
{
	const struct forwarding_ruleset *given =
		path->kind->id == KIND_RULESET ? part_given(api_model(request), path) : NULL;

	return given && given->outbound_endpoints.count == 0;
}

static int on_reference(void *context, const struct reference *reference)
{
	struct users *users = context;
	struct arena *arena = &users->request->arena;
	const char *full;
	struct path path;

	if (reference->refers != users->refers || model_is_made(reference->origin))
		return 0;
	full = reference_full(api_model(users->request), reference->refers, reference->group,
			      reference->text, arena);
	if (full && strcasecmp(full, users->full) == 0 && reference->origin->path &&
	    arm_read_place(arena, reference->origin->path, &path) > 0 &&
	    !is_chosen(users->request, &path))
		add_user(users, &path);
	return 0;
}

struct subnet_users { /* a search for users of subnets */
	const struct api_request *request;
	const json_t *wanted; /* the networks (arm_users_want) */
	json_t *names;        /* the wanted networks' names in lower case, without groups */
};

enum { NETWORK_KEY_MAX = GROUP_TEXT_MAX + NAME_TEXT_MAX };

/* Prints "GROUP/NETWORK" in lower case for the path of a network or of a subnet; returns key. */
static char *network_key(const struct path *path, char key[NETWORK_KEY_MAX])
{
	snprintf(key, NETWORK_KEY_MAX, "%s/%s", path->group, path->names[0]);
	return text_lower(key);
}

/* The JSON object in which users of the network are collected; `text` refers to the network. NULL:
 * the network is not wanted. */
static json_t *users_in(const struct subnet_users *users, const char *group, const char *text)
{
	const struct virtual_network *network =
		model_network(api_model(users->request), group, text);
	char key[NETWORK_KEY_MAX];
	struct path path;

	if (!network)
		return NULL;
	path = part_path(kind_of_id(KIND_NETWORK), network, NULL);
	return json_object_get(users->wanted, network_key(&path, key));
}

static void add_subnet_user(const struct subnet_users *users, json_t *by_subnet, const char *subnet,
			    const struct path *user)
{
	char name[NAME_TEXT_MAX];
	json_t *array;

	snprintf(name, sizeof name, "%s", subnet);
	text_lower(name);
	array = json_object_get(by_subnet, name);
	if (!array) {
		array = json_array();
		json_put(by_subnet, name, array);
	}
	json_add(array, arm_id_json(users->request, user));
}

/* Adds a user that refers to a subnet as "[GROUP/]NETWORK/SUBNET". */
static void add_reference(const struct subnet_users *users, const char *group, const char *subnet,
			  const struct path *user)
{
	const char *slash = subnet ? strrchr(subnet, '/') : NULL, *name;
	char network[NAME_TEXT_MAX];
	json_t *by_subnet;

	if (!slash)
		return;
	/* Most of the very many references are to networks that are not wanted. Looking up each
	 * network would take long, so its name is compared first. */
	name = strchr(subnet, '/') < slash ? strchr(subnet, '/') + 1 : subnet;
	snprintf(network, sizeof network, "%.*s", (int)(slash - name), name);
	if (!json_object_get(users->names, text_lower(network)))
		return;
	snprintf(network, sizeof network, "%.*s", (int)(slash - subnet), subnet);
	by_subnet = users_in(users, group, network);
	if (by_subnet)
		add_subnet_user(users, by_subnet, slash + 1, user);
}

static void add_endpoints(const struct subnet_users *users, const struct dns_resolver *resolver)
{
	const struct path root = part_path(kind_of_id(KIND_RESOLVER), resolver, NULL);
	json_t *by_subnet = users_in(users, resolver->resource_group, resolver->virtual_network);

	for (size_t i = 0; by_subnet && i < resolver->inbound_endpoints.count; i++) {
		const struct inbound_endpoint *endpoint = &resolver->inbound_endpoints.items[i];
		const struct path path = part_path(kind_of_id(KIND_INBOUND), endpoint, &root);

		if (endpoint->subnet && !item_made_because(api_model(users->request), &path))
			add_subnet_user(users, by_subnet, endpoint->subnet, &path);
	}
	for (size_t i = 0; by_subnet && i < resolver->outbound_endpoints.count; i++) {
		const struct outbound_endpoint *endpoint = &resolver->outbound_endpoints.items[i];
		const struct path path = part_path(kind_of_id(KIND_OUTBOUND), endpoint, &root);

		if (endpoint->subnet && !item_made_because(api_model(users->request), &path))
			add_subnet_user(users, by_subnet, endpoint->subnet, &path);
	}
}

void arm_users_want(json_t *users, const struct path *network)
{
	char key[NETWORK_KEY_MAX];

	json_put(users, network_key(network, key), json_object());
}

void arm_users_find(const struct api_request *request, json_t *wanted)
{
	const struct model *model = api_model(request);
	struct subnet_users users = {request, wanted, json_object()};
	const char *key;
	json_t *value;

	json_object_foreach(wanted, key, value)
	{
		json_put(users.names, strchr(key, '/') + 1, json_true());
	}
	for (size_t i = 0; i < model->resolvers.count; i++)
		add_endpoints(&users, &model->resolvers.items[i]);
	for (size_t i = 0; i < model->network_interfaces.count; i++) {
		const struct network_interface *item = &model->network_interfaces.items[i];
		const struct path path = part_path(kind_of_id(KIND_INTERFACE), item, NULL);

		for (size_t k = 0; k < item->ip_configurations.count; k++)
			add_reference(&users, item->resource_group,
				      item->ip_configurations.items[k].subnet, &path);
	}
	for (size_t i = 0; i < model->private_endpoints.count; i++) {
		const struct private_endpoint *item = &model->private_endpoints.items[i];
		const struct path path = part_path(kind_of_id(KIND_PRIVATE_ENDPOINT), item, NULL);

		add_reference(&users, item->resource_group, item->subnet, &path);
	}
	json_decref(users.names);
}

json_t *arm_network_users(const struct api_request *request, const struct path *network)
{
	json_t *users = json_object();

	arm_users_want(users, network);
	arm_users_find(request, users);
	return users;
}

/* The subnet's users, an array of {"id"}; NULL: none. `users`: arm_network_users; NULL: not known
 * yet. */
static json_t *users_of_subnet(const struct api_request *request, const struct path *subnet,
			       json_t *users)
{
	json_t *found = users ? json_incref(users) : arm_network_users(request, subnet), *array;
	char key[NETWORK_KEY_MAX], name[NAME_TEXT_MAX];

	snprintf(name, sizeof name, "%s", path_name(subnet));
	array = json_incref(json_object_get(json_object_get(found, network_key(subnet, key)),
					    text_lower(name)));
	json_decref(found);
	return array;
}

/* The resources that refer to this one, an array of {"id"}; NULL: none. */
static json_t *users_of(const struct arm_shown *shown)
{
	static const enum refers refers[] = {[KIND_NETWORK] = REFERS_NETWORK,
					     [KIND_OUTBOUND] = REFERS_OUTBOUND,
					     [KIND_ZONE] = REFERS_ZONE};
	const struct path *path = &shown->path;
	unsigned kind = path->kind->id;
	struct users users = {.request = shown->request};

	if (kind == KIND_SUBNET)
		return users_of_subnet(shown->request, path, shown->users);
	if (kind >= sizeof refers / sizeof *refers || refers[kind] == REFERS_NOWHERE)
		return NULL;
	users.ids = json_array();
	users.refers = refers[kind];
	users.full = arena_printf(&shown->request->arena, "%s/%s%s%s", path->group, path->names[0],
				  path->kind->parent ? "/" : "",
				  path->kind->parent ? path->names[1] : "");
	if (users.full)
		(void)reference_each(api_model(shown->request), on_reference, &users);
	return users.ids;
}

json_t *arm_subnet_ip_configurations(const struct arm_shown *shown)
{
	return users_of_subnet(shown->request, &shown->path, shown->users);
}

void arm_subnet_read(struct arm_reading *reading)
{
	const json_t *was = json_object_get(reading->base, "delegation");
	json_t *users;

	if (!was || json_object_get(reading->values, "delegation"))
		return;
	users = users_of_subnet(reading->request, reading->path, reading->users);
	if (json_array_size(users) > 0)
		json_put(reading->values, "delegation", json_deep_copy(was));
	json_decref(users);
}

/* ---- removal ---- */

struct nested {
	char ids[2048];
	size_t count;
};

static void add_nested(void *context, struct arm_shown *child)
{
	enum { NESTED_SHOWN = 3 };
	struct nested *nested = context;

	if (nested->count++ < NESTED_SHOWN)
		text_append(nested->ids, sizeof nested->ids, "%s'" ARM_PROVIDER "/%.*s/%s/%s/%s'",
			    nested->count > 1 ? ", " : "", (int)strcspn(child->type->path, "/"),
			    child->type->path, child->path.names[0], arm_type_last(child->type),
			    path_name(&child->path));
}

static bool has_nested(const struct arm_shown *shown, struct arm_errors *errors)
{
	struct nested nested = {.count = 0};

	for (const struct arm_type *type = arm_types; type->path; type++)
		if (type->holds && arm_type_parent(type) == shown->type)
			arm_each_child(shown, type, add_nested, &nested);
	if (nested.count > 0)
		arm_error(errors, 409, "CannotDeleteResource", NULL,
			  "Cannot delete resource while nested resources exist. Some existing "
			  "nested resource IDs include: %s. Please delete all nested resources "
			  "before deleting this resource.",
			  nested.ids);
	return nested.count > 0;
}

static void check_child(void *context, struct arm_shown *child)
{
	(void)arm_is_held(child, context);
}

/* A network is removed with its subnets, so none of them may be in use. */
static void check_subnets(const struct arm_shown *shown, struct arm_errors *errors)
{
	struct arm_shown network = *shown;

	if (shown->type->kind != KIND_NETWORK)
		return;
	network.users = arm_network_users(shown->request, &shown->path);
	arm_each_child(&network, arm_type_of_kind(KIND_SUBNET), check_child, errors);
	json_decref(network.users);
}

/* The interface of a private endpoint is removed with it, not alone. */
static void check_interface(const struct arm_shown *shown, struct arm_errors *errors)
{
	const char *name = json_string_value(json_object_get(shown->values, "private_endpoint"));
	const struct path path = {
		kind_of_id(KIND_PRIVATE_ENDPOINT), shown->path.group, {name, NULL}};
	char id[ARM_ID_MAX];

	if (name && part_find(api_model(shown->request), &path))
		arm_error(errors, 400, "NetworkInterfaceInUse", NULL,
			  "Network interface %s is used by %s and cannot be deleted; delete that.",
			  path_name(&shown->path), arm_id(shown->request, &path, id));
}

/* An SOA cannot be removed, because every zone has one. */
static bool is_soa(const struct arm_shown *shown)
{
	return shown->type->record_type && strcmp(shown->type->record_type, "SOA") == 0;
}

bool arm_is_held(const struct arm_shown *shown, struct arm_errors *errors)
{
	json_t *users;
	const char *user;
	char name[NAME_TEXT_MAX];
	size_t before = arm_errors_count(errors);

	if (is_soa(shown))
		arm_error(errors, 400, "BadRequest", NULL,
			  "The record set '@' of type 'SOA' cannot be deleted: every zone has one. "
			  "It goes with its zone.");
	if (is_soa(shown) || has_nested(shown, errors))
		return true;
	check_subnets(shown, errors);
	if (shown->path.kind->id == KIND_INTERFACE)
		check_interface(shown, errors);
	users = users_of(shown);
	user = json_string_value(json_object_get(json_array_get(users, 0), "id"));
	arm_name(&shown->path, name);
	if (user && shown->path.kind->id == KIND_SUBNET)
		arm_error(errors, 400, "InUseSubnetCannotBeDeleted", NULL,
			  "Subnet %s is in use by %s and cannot be deleted. In order to delete the "
			  "subnet, delete all the resources within the subnet.",
			  name, user);
	else if (user)
		arm_error(errors, 409, "Conflict", NULL,
			  "%s %s is in use by %s and cannot be deleted; delete that first.",
			  shown->type->title, name, user);
	json_decref(users);
	return arm_errors_count(errors) > before;
}

/* ---- actions ---- */

/* POST .../listDnsResolvers: the resolvers in the network. */
void arm_network_list_resolvers(struct api_request *request, const struct arm_shown *shown)
{
	const struct model *model = api_model(request);
	json_t *value = json_array();

	for (size_t i = 0; i < model->resolvers.count; i++) {
		const struct dns_resolver *resolver = &model->resolvers.items[i];
		const struct path path = part_path(kind_of_id(KIND_RESOLVER), resolver, NULL);

		if (model_network(model, resolver->resource_group, resolver->virtual_network) ==
			    shown->item &&
		    !item_made_because(model, &path))
			json_add(value, arm_id_json(request, &path));
	}
	api_reply_json(request, 200, json_make("{s:o}", "value", value), NULL);
}

/* POST .../listDnsForwardingRulesets: the rulesets that are linked to the network. */
void arm_network_list_rulesets(struct api_request *request, const struct arm_shown *shown)
{
	const struct model *model = api_model(request);
	json_t *value = json_array();
	char id[ARM_ID_MAX];

	for (size_t i = 0; i < model->rulesets.count; i++) {
		const struct forwarding_ruleset *ruleset = &model->rulesets.items[i];
		const struct path path = part_path(kind_of_id(KIND_RULESET), ruleset, NULL);

		for (size_t k = 0; k < ruleset->links.count; k++) {
			const struct ruleset_link *link = &ruleset->links.items[k];
			const struct path at =
				part_path(kind_of_id(KIND_RULESET_LINK), link, &path);

			if (model_network(model, ruleset->resource_group, link->virtual_network) !=
			    shown->item)
				continue;
			json_add(value,
				 json_make("{s:o, s:{s:o}}", "id",
					   json_text(arm_id(request, &path, id)), "properties",
					   "virtualNetworkLink", arm_id_json(request, &at)));
		}
	}
	api_reply_json(request, 200, json_make("{s:o}", "value", value), NULL);
}

/* POST .../listDnsResolverPolicies: sluice has none. */
void arm_network_list_policies(struct api_request *request, const struct arm_shown *shown)
{
	(void)shown;
	api_reply_json(request, 200, json_make("{s:[]}", "value"), NULL);
}
