#include "resolver/control/api/azure/private_link.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "resolver/control/api/azure/put.h"
#include "resolver/control/api/earlier.h"
#include "resolver/control/api/edit.h"
#include "resolver/control/api/reverse.h"
#include "resolver/control/base/json.h"
#include "resolver/control/base/uuid.h"
#include "resolver/control/resource/item.h"
#include "resolver/control/resource/part.h"
#include "resolver/control/service/service.h"
#include "rules/prefix.h"
#include "rules/reverse.h"
#include "rules/schema/reference.h"
#include "rules/text.h"

enum {
	RECORD_TTL = 10, /* seconds; as in Azure */
	ZONES_MAX = 5    /* in a zone group; Azure's limit */
};

/* ---- interfaces ---- */

json_t *arm_ip_configuration_id(const struct arm_shown *shown)
{
	char id[ARM_ID_MAX];

	return json_sprintf("%s/ipConfigurations/%s", arm_id(shown->request, &shown->path, id),
			    json_text_of(shown->values, "name"));
}

/* Derived from the id, so that the address never changes. 00-0D-3A is a prefix of Microsoft's. */
json_t *arm_interface_mac_address(const struct arm_shown *shown)
{
	char id[ARM_ID_MAX], uuid[UUID_TEXT_MAX];

	uuid_of_name(text_lower(arm_id(shown->request, &shown->path, id)), uuid);
	for (char *c = uuid; *c; c++)
		*c = (char)toupper((unsigned char)*c);
	return json_sprintf("00-0D-3A-%.2s-%.2s-%.2s", uuid, uuid + 2, uuid + 4);
}

json_t *arm_interface_private_endpoint(const struct arm_shown *shown)
{
	const char *name = json_string_value(json_object_get(shown->values, "private_endpoint"));
	const struct path path = {
		kind_of_id(KIND_PRIVATE_ENDPOINT), shown->path.group, {name, NULL}};

	return name ? arm_id_json(shown->request, &path) : NULL;
}

/* The used addresses of a subnet. The place of an address is its distance from the first one. */
struct subnet_places {
	const struct virtual_network *network;
	struct prefix prefix;
	const char *subnet;                /* "GROUP/NETWORK/SUBNET" */
	const struct api_earlier *earlier; /* its addresses are used, too; may be NULL */
	uint32_t count, next;              /* no place before `next` is free */
	uint8_t *used;                     /* one bit for each place */
	bool no_memory;
};

enum { PLACES_MAX = 1 << 16, PLACE_FIRST = 4 };

static size_t address_bytes(const struct address *address)
{
	return address->family == 6 ? 16 : 4;
}

static uint32_t place_of(const struct subnet_places *places, const struct address *address)
{
	const uint8_t *at = address->bytes, *base = places->prefix.address.bytes;
	uint32_t place = 0;

	if (address->family != places->prefix.address.family ||
	    !prefix_contains(&places->prefix, address))
		return PLACES_MAX;
	for (size_t i = 0; i < address_bytes(address) && place < PLACES_MAX; i++)
		place = place << 8 | (uint32_t)(at[i] ^ base[i]);
	return place;
}

static void mark_used(struct subnet_places *places, const struct address *address)
{
	uint32_t place = place_of(places, address);

	if (place < places->count)
		places->used[place / 8] |= (uint8_t)(1 << place % 8);
}

/* The network of "[GROUP/]NETWORK/SUBNET". The subnet itself is not looked up, because a network
 * may have thousands. */
static const struct virtual_network *network_of(const struct model *model, const char *group,
						const char *subnet)
{
	const char *slash = strrchr(subnet, '/');
	char network[NAME_TEXT_MAX];

	snprintf(network, sizeof network, "%.*s", slash ? (int)(slash - subnet) : 0, subnet);
	return model_network(model, group, network);
}

/* Marks the addresses of interfaces and inbound endpoints. */
static void mark_served(struct subnet_places *places, const struct model *model)
{
	for (size_t i = 0; i < model->network_interfaces.count; i++) {
		const struct network_interface *interface = &model->network_interfaces.items[i];

		for (size_t k = 0; k < interface->ip_configurations.count; k++) {
			const struct ip_configuration *own = &interface->ip_configurations.items[k];

			if (place_of(places, &own->address) <
				    places->count && /* the cheapest test */
			    network_of(model, interface->resource_group, own->subnet) ==
				    places->network)
				mark_used(places, &own->address);
		}
	}
	for (size_t i = 0; i < model->resolvers.count; i++) {
		const struct dns_resolver *resolver = &model->resolvers.items[i];

		if (model_network(model, resolver->resource_group, resolver->virtual_network) !=
		    places->network)
			continue;
		for (size_t k = 0; k < resolver->inbound_endpoints.count; k++)
			mark_used(places, &resolver->inbound_endpoints.items[k].address);
	}
}

/* False: there is no such subnet, or it has no prefix with free places, or no memory. */
static bool places_init(struct subnet_places *places, const struct arm_reading *reading,
			const char *group, const char *subnet)
{
	const struct model *model = api_model(reading->request);
	struct virtual_network *network = NULL;
	const struct subnet *found = model_subnet_of(model, group, subnet, &network);
	unsigned bits =
		found && found->prefix.address.family
			? 8 * (unsigned)address_bytes(&found->prefix.address) - found->prefix.length
			: 0;

	*places = (struct subnet_places){.network = network,
					 .subnet = subnet,
					 .earlier = reading->edit->earlier,
					 .next = PLACE_FIRST};
	if (bits == 0)
		return false;
	places->prefix = found->prefix;
	places->count = bits < 16 ? 1u << bits : (uint32_t)PLACES_MAX;
	places->used = calloc(places->count / 8 + 1, 1);
	places->no_memory = !places->used;
	if (places->used)
		mark_served(places, model);
	return places->used;
}

/* Takes the first free address; NULL: none is free. */
static const char *take_place(struct subnet_places *places, char text[ADDRESS_TEXT_MAX])
{
	size_t last = address_bytes(&places->prefix.address) - 1;

	while (places->next + 1 < places->count) {
		uint32_t place = places->next++;
		struct address address = places->prefix.address;

		if (places->used[place / 8] & 1 << place % 8)
			continue;
		address.bytes[last - 1] |= (uint8_t)(place >> 8);
		address.bytes[last] |= (uint8_t)place;
		if (!api_earlier_has_address(places->earlier, places->subnet,
					     address_print(&address, text)))
			return text;
	}
	return NULL;
}

/* Adds the error that no address could be taken. */
static void fail_place(struct arm_reading *reading, const struct subnet_places *places,
		       const char *target)
{
	if (places->no_memory)
		arm_error(reading->errors, 503, "OutOfMemory", NULL, "%s", err_text(ERR_NOMEM));
	else
		arm_error(reading->errors, 400, "SubnetIsFull", target,
			  "%s: no address of the subnet is free; give another subnet", target);
}

/* The object of the array whose text for the key is that of `like`; NULL: none. */
static const json_t *find_object(const json_t *array, const char *key, const json_t *like)
{
	for (size_t i = 0; i < json_array_size(array); i++) {
		const json_t *item = json_array_get(array, i);

		if (strcasecmp(json_text_of(item, key), json_text_of(like, key)) == 0)
			return item;
	}
	return NULL;
}

enum { CONFIGURATIONS_MAX = 256 }; /* of an interface; Azure's limit */

/* Refuses to change the addresses of a private endpoint's interface, because records have them. */
static void check_addresses_stay(struct arm_reading *reading, const json_t *array)
{
	const json_t *base = json_object_get(reading->base, "ip_configurations");
	const char *name = json_string_value(json_object_get(reading->base, "private_endpoint"));
	const struct path path = {
		kind_of_id(KIND_PRIVATE_ENDPOINT), reading->path->group, {name, NULL}};
	bool same = json_array_size(array) == json_array_size(base);
	char id[ARM_ID_MAX];

	for (size_t i = 0; same && i < json_array_size(base); i++) {
		const json_t *left = json_array_get(array, i), *right = json_array_get(base, i);

		same = strcasecmp(json_text_of(left, "subnet"), json_text_of(right, "subnet")) ==
			       0 &&
		       strcmp(json_text_of(left, "address"), json_text_of(right, "address")) == 0;
	}
	if (!same && name && part_find(api_model(reading->request), &path))
		arm_error(reading->errors, 409, "NetworkInterfaceInUse",
			  "properties.ipConfigurations",
			  "properties.ipConfigurations: they are those of %s, and cannot change",
			  arm_id(reading->request, &path, id));
}

static bool is_static(const json_t *item)
{
	return strcmp(json_text_of(item, "allocation"), "static") == 0;
}

/* A dynamic address is chosen once, and stays as long as its configuration. */
static void keep_chosen(const struct arm_reading *reading, json_t *item)
{
	const json_t *before =
		find_object(json_object_get(reading->base, "ip_configurations"), "name", item);

	if (is_static(item))
		return;
	if (before && strcasecmp(json_text_of(before, "subnet"), json_text_of(item, "subnet")) == 0)
		json_put(item, "address", json_text(json_text_of(before, "address")));
	else
		json_object_del(item, "address");
}

#define CONFIGURATION "properties.ipConfigurations[%zu].properties."

static void fail_address(struct arm_reading *reading, const struct subnet_places *places,
			 const json_t *item, size_t index)
{
	char target[ARM_TARGET_MAX], place[ARM_TARGET_MAX];

	snprintf(place, sizeof place, CONFIGURATION "privateIPAddress", index);
	arm_target(reading, place, target);
	if (is_static(item))
		arm_misfit(reading->errors, target,
			   "is missing; give the address, or allocate it dynamically");
	else
		fail_place(reading, places, target);
}

/* Chooses addresses for all configurations without an address that are in one subnet, that of
 * configuration number `first`. */
static void choose_addresses(struct arm_reading *reading, const char *group, json_t *array,
			     size_t first)
{
	const char *subnet = json_text_of(json_array_get(array, first), "subnet");
	struct subnet_places places;
	char text[ADDRESS_TEXT_MAX];
	struct address address;
	json_t *item;
	size_t i;

	if (!places_init(&places, reading, group, subnet))
		places.count = 0; /* no address is free */
	json_array_foreach(array, i, item)
	{
		if (places.used && address_parse(&address, json_text_of(item, "address")) == 0)
			mark_used(&places, &address);
	}
	json_array_foreach(array, i, item)
	{
		const char *chosen;

		if (json_object_get(item, "address") ||
		    strcmp(json_text_of(item, "subnet"), subnet) != 0)
			continue;
		chosen = is_static(item) ? NULL : take_place(&places, text);
		if (!chosen)
			fail_address(reading, &places, item, i);
		json_put(item, "address", json_text(chosen ? chosen : ""));
	}
	free(places.used);
}

/* Compares the version that the body asks for with the address, which is given or chosen. */
static void check_version(struct arm_reading *reading, const json_t *item, size_t index)
{
	const char *address = json_text_of(item, "address"), *text;
	char path[ARM_TARGET_MAX], target[ARM_TARGET_MAX];
	bool is_v6 = strchr(address, ':');
	const json_t *said;

	snprintf(path, sizeof path, CONFIGURATION "privateIPAddressVersion", index);
	said = arm_get(reading->body, path);
	text = json_string_value(said);
	arm_target(reading, path, target);
	if (said && (!text || (strcasecmp(text, "IPv4") != 0 && strcasecmp(text, "IPv6") != 0)))
		arm_misfit(reading->errors, target, "must be \"IPv4\" or \"IPv6\"");
	else if (said && *address && is_v6 != (strcasecmp(text, "IPv6") == 0))
		arm_misfit(reading->errors, target,
			   "is %s, and the address is %s; give a subnet and an address of this "
			   "version, or leave the version out",
			   text, address);
}

void arm_interface_read(struct arm_reading *reading)
{
	const char *group =
		strcmp(reading->path->group, GROUP_NONE) == 0 ? NULL : reading->path->group;
	json_t *array = json_object_get(reading->values, "ip_configurations"), *item;
	size_t i;

	if (!array || reading->errors->status != 0 ||
	    array == json_object_get(reading->base, "ip_configurations"))
		return;
	if (json_array_size(array) > CONFIGURATIONS_MAX) {
		arm_misfit(reading->errors, "properties.ipConfigurations",
			   "there are %zu, and at most %d are allowed", json_array_size(array),
			   CONFIGURATIONS_MAX);
		return;
	}
	array = json_deep_copy(array);
	json_put(reading->values, "ip_configurations", array);
	json_array_foreach(array, i, item)
	{
		keep_chosen(reading, item);
	}
	/* One walk over the served addresses for each subnet, not for each configuration. */
	json_array_foreach(array, i, item)
	{
		if (!json_object_get(item, "address"))
			choose_addresses(reading, group, array, i);
	}
	json_array_foreach(array, i, item)
	{
		check_version(reading, item, i);
	}
	check_addresses_stay(reading, array);
}

json_t *arm_ip_configuration_version(const struct arm_shown *shown)
{
	return json_text(strchr(json_text_of(shown->values, "address"), ':') ? "IPv6" : "IPv4");
}

/* ---- private endpoints: computed members ---- */

json_t *arm_private_endpoint_state(const struct arm_shown *shown)
{
	json_t *connections = arm_kept(shown->values, "privateLinkServiceConnections");
	bool any = json_array_size(connections) > 0;

	json_decref(connections);
	return any ? json_make("{s:s, s:s, s:s}", "status", "Approved", "description",
			       "Auto-Approved", "actionsRequired", "None")
		   : NULL;
}

static const struct network_interface *interface_of(const struct api_request *request,
						    const struct path *endpoint)
{
	const struct path root = part_root(endpoint);
	const struct private_endpoint *found = part_find(api_model(request), &root);
	const struct path path = {kind_of_id(KIND_INTERFACE),
				  endpoint->group,
				  {found ? found->network_interface : NULL, NULL}};

	return path.names[0] ? part_find(api_model(request), &path) : NULL;
}

json_t *arm_private_endpoint_interfaces(const struct arm_shown *shown)
{
	const char *name = json_string_value(json_object_get(shown->values, "network_interface"));
	const struct path path = {kind_of_id(KIND_INTERFACE), shown->path.group, {name, NULL}};
	char id[ARM_ID_MAX];

	return name ? json_make("[{s:o}]", "id", json_text(arm_id(shown->request, &path, id)))
		    : json_array();
}

/* The id of the service that the endpoint is for; "": it has none. */
static void service_id(const json_t *values, char text[ARM_ID_MAX])
{
	static const char *const lists[] = {"privateLinkServiceConnections",
					    "manualPrivateLinkServiceConnections"};
	const char *id = NULL;

	*text = '\0';
	for (size_t i = 0; !id && i < 2; i++) {
		json_t *connections = arm_kept(values, lists[i]);

		id = json_string_value(
			arm_get(json_array_get(connections, 0), "properties.privateLinkServiceId"));
		if (id)
			snprintf(text, ARM_ID_MAX, "%s", id);
		json_decref(connections);
	}
}

/* The last part of the service's id. */
static void service_name(const json_t *values, char name[NAME_TEXT_MAX])
{
	char id[ARM_ID_MAX], *slash;

	service_id(values, id);
	slash = strrchr(id, '/');
	snprintf(name, NAME_TEXT_MAX, "%s", slash ? slash + 1 : id);
	text_lower(name);
}

static const char *address_of(const struct api_request *request, const struct path *endpoint,
			      char text[ADDRESS_TEXT_MAX])
{
	const struct network_interface *interface = interface_of(request, endpoint);

	return interface && interface->ip_configurations.count > 0
		       ? address_print(&interface->ip_configurations.items[0].address, text)
		       : NULL;
}

/* Empty if the endpoint has a zone group, as in Azure. */
json_t *arm_private_endpoint_dns_configs(const struct arm_shown *shown)
{
	const struct private_endpoint *endpoint = shown->item;
	char name[NAME_TEXT_MAX], text[ADDRESS_TEXT_MAX];
	const char *address = address_of(shown->request, &shown->path, text);

	service_name(shown->values, name);
	if (endpoint->zone_groups.count > 0 || !address || *name == '\0')
		return json_array();
	return json_make("[{s:o, s:[o]}]", "fqdn", json_text(name), "ipAddresses",
			 json_text(address));
}

/* ---- records ---- */

/* a private endpoint, with all that its zone groups need */
struct endpoint {
	struct api_request *request;
	struct api_edit *edit;
	struct arm_errors *errors;
	const char *group;
	char service[NAME_TEXT_MAX];
	char address[ADDRESS_TEXT_MAX];
	const struct virtual_network *network;
};

/* False: the endpoint does not exist, or has no service or address. */
static bool find_endpoint(struct endpoint *endpoint, const struct path *path)
{
	const struct path root = part_root(path);
	const struct private_endpoint *found = part_find(api_model(endpoint->request), &root);
	struct virtual_network *network = NULL;
	struct arm_shown shown;
	struct change_error error;
	char text[ADDRESS_TEXT_MAX];
	const char *address = found ? address_of(endpoint->request, &root, text) : NULL;

	if (!address ||
	    !arm_find_plain(endpoint->request, arm_type_of(&root), &root, &shown, &error))
		return false;
	service_name(shown.values, endpoint->service);
	arm_shown_release(&shown);
	snprintf(endpoint->address, sizeof endpoint->address, "%s", address);
	(void)model_subnet_of(api_model(endpoint->request), found->resource_group, found->subnet,
			      &network);
	endpoint->network = network;
	return *endpoint->service;
}

static bool add_or_remove(json_t *records, const char *data, bool adds)
{
	json_t *item;
	size_t i;

	json_array_foreach(records, i, item)
	{
		if (strcasecmp(json_string_value(item), data) != 0)
			continue;
		if (!adds)
			json_array_remove(records, i);
		return !adds;
	}
	if (adds)
		json_add(records, json_text(data));
	return adds;
}

static bool is_about(const struct resource_edit *edit, const struct path *path)
{
	const struct path *own = &edit->path;

	return own->kind == path->kind && strcasecmp(own->group, path->group) == 0 &&
	       strcasecmp(own->names[0], path->names[0]) == 0 &&
	       strcasecmp(own->names[1], path->names[1]) == 0;
}

/* The edit of this record set in the present request; NULL: none. */
static struct resource_edit *find_edit(const struct api_edit *edit, const struct path *path)
{
	for (size_t i = 0; i < edit->count; i++)
		if (is_about(&edit->edits[i], path))
			return &edit->edits[i];
	return NULL;
}

/* The record set as the change has left it so far. NULL: it does not exist; or it cannot be read,
 * and an error was added. */
static json_t *values_of(struct endpoint *endpoint, const struct path *path,
			 const struct resource_edit *before)
{
	const struct resource_edit *last =
		before ? before : api_earlier_find(endpoint->edit->earlier, path);
	struct arm_shown shown;
	struct change_error error;
	json_t *values = NULL;

	if (last)
		return json_deep_copy(last->values);
	if (arm_find_plain(endpoint->request, arm_type_of(path), path, &shown, &error)) {
		values = arm_base(&shown, &error);
		arm_shown_release(&shown);
	}
	if (!values && error.outcome != CHANGE_FINE)
		arm_error(endpoint->errors, 503, "StoreFailed", NULL, "%s", error.text);
	return values;
}

/* Takes ownership of the values. */
static void put_set(struct endpoint *endpoint, const struct path *path,
		    struct resource_edit *before, json_t *values)
{
	struct change_error error;
	struct api_request *request = endpoint->request;
	struct item item;
	int err = items_of(path->kind)
			  ->find(api_resources(request), path, &request->arena, &item, &error);

	if (!item_may_change(api_model(request), path, err ? NULL : item.fields, !values, &error)) {
		arm_error(endpoint->errors, 409, "ResourceReadOnly", NULL, "%s of %s: %s",
			  path->names[1], path->names[0], error.text);
		json_decref(values);
	} else if (before) {
		json_decref((json_t *)(uintptr_t)before->values);
		before->values = values;
	} else if (api_edit_also(endpoint->edit, path, values) != 0) {
		arm_error(endpoint->errors, 503, "OutOfMemory", NULL, "%s", err_text(ERR_NOMEM));
	}
}

/* Adds the data to the zone's record set of that name, or removes it. The set goes with its last
 * record. */
static void change_record(struct endpoint *endpoint, const struct path *zone, const char *name,
			  const char *data, bool adds)
{
	const struct path path = {kind_of_id(KIND_RECORD_SET), zone->group, {zone->names[0], name}};
	struct resource_edit *before = find_edit(endpoint->edit, &path);
	json_t *values = values_of(endpoint, &path, before);

	if (!values && endpoint->errors->status != 0)
		return;
	if (!values)
		values = json_make("{s:o, s:i, s:[]}", "name", json_text(name), "ttl", RECORD_TTL,
				   "records");
	if (!add_or_remove(json_object_get(values, "records"), data, adds)) {
		json_decref(values);
		return;
	}
	if (json_array_size(json_object_get(values, "records")) == 0) {
		json_decref(values);
		values = NULL;
	}
	put_set(endpoint, &path, before, values);
}

/* The longest zone for the name among those linked to the endpoint's network; NULL: none. */
static const struct private_zone *zone_of(const struct endpoint *endpoint, const char *name)
{
	const struct model *model = api_model(endpoint->request);
	const struct private_zone *best = NULL;
	size_t length = strlen(name);

	for (size_t i = 0; i < model->private_zones.count; i++) {
		const struct private_zone *zone = &model->private_zones.items[i];
		size_t own = strlen(zone->name);
		bool is_linked = false;

		if (own >= length || (best && own <= strlen(best->name)) ||
		    name[length - own - 1] != '.' ||
		    strcasecmp(name + length - own, zone->name) != 0)
			continue;
		for (size_t k = 0; k < zone->links.count; k++)
			is_linked =
				is_linked || model_network(model, zone->resource_group,
							   zone->links.items[k].virtual_network) ==
						     endpoint->network;
		if (is_linked)
			best = zone;
	}
	return best;
}

static void change_ptr(struct endpoint *endpoint, const char *target, bool adds)
{
	struct arena *arena = &endpoint->request->arena;
	struct address address;
	char name[NAME_TEXT_MAX];
	const struct private_zone *zone;
	const char *set;
	size_t length;

	if (address_parse(&address, endpoint->address) != 0)
		return;
	reverse_text(&address, name);
	length = strlen(name);
	if (length > 0 && name[length - 1] == '.')
		name[length - 1] = '\0';
	zone = zone_of(endpoint, name);
	if (!zone)
		return;
	set = arena_printf(arena, "%.*s:PTR", (int)(strlen(name) - strlen(zone->name) - 1), name);
	if (set && !zone->file) {
		const struct path path = part_path(kind_of_id(KIND_ZONE), zone, NULL);

		change_record(endpoint, &path, set, target, adds);
	}
}

/* Finds the zone of a zone group's configuration. False: there is none. */
static bool zone_path(const struct endpoint *endpoint, const json_t *configuration,
		      struct path *path)
{
	const struct private_zone *zone = model_zone(api_model(endpoint->request), endpoint->group,
						     json_text_of(configuration, "zone"));

	if (zone)
		*path = part_path(kind_of_id(KIND_ZONE), zone, NULL);
	return zone;
}

static const char *record_type(const struct endpoint *endpoint)
{
	return strchr(endpoint->address, ':') ? "AAAA" : "A";
}

static void change_records(struct endpoint *endpoint, const json_t *configuration, bool adds)
{
	struct arena *arena = &endpoint->request->arena;
	const char *name = arena_printf(arena, "%s:%s", endpoint->service, record_type(endpoint)),
		   *target;
	struct path zone;

	if (!name || !zone_path(endpoint, configuration, &zone))
		return;
	change_record(endpoint, &zone, name, endpoint->address, adds);
	target = arena_printf(arena, "%s.%s.", endpoint->service, zone.names[0]);
	if (target)
		change_ptr(endpoint, target, adds);
}

json_t *arm_zone_group_records(const struct arm_shown *shown)
{
	struct endpoint endpoint = {.request = shown->request, .group = shown->path.group};
	struct path zone;

	if (!find_endpoint(&endpoint, &shown->path) || !zone_path(&endpoint, shown->values, &zone))
		return json_array();
	return json_make("[{s:s, s:o, s:o, s:i, s:[o], s:s}]", "recordType", record_type(&endpoint),
			 "recordSetName", json_text(endpoint.service), "fqdn",
			 json_sprintf("%s.%s", endpoint.service, zone.names[0]), "ttl", RECORD_TTL,
			 "ipAddresses", json_text(endpoint.address), "provisioningState",
			 "Succeeded");
}

/* Refuses a second zone group, also one of the same change: the two would remove each other's
 * records. */
static void check_only_group(struct arm_reading *reading)
{
	const struct path root = part_root(reading->path);
	const struct private_endpoint *found = part_find(api_model(reading->request), &root);
	struct path any = *reading->path;
	const struct resource_edit *earlier;
	const char *other = NULL;

	any.names[1] = NULL;
	earlier = api_earlier_find(reading->edit->earlier, &any);
	if (earlier)
		other = path_name(&earlier->path);
	else if (found && found->zone_groups.count > 0)
		other = found->zone_groups.items[0].name;
	if (!reading->shown && other && strcasecmp(other, path_name(reading->path)) != 0)
		arm_error(reading->errors, 409, "Conflict", NULL,
			  "%s has the zone group %s already, and an endpoint has one; change that, "
			  "which may have several zones",
			  path_name(&root), other);
}

/* Adds or removes the endpoint's records in each of `zones` that is not in `others`. */
static void change_zones(struct endpoint *endpoint, const json_t *zones, const json_t *others,
			 bool adds)
{
	json_t *item;
	size_t i;

	json_array_foreach(zones, i, item)
	{
		if (!find_object(others, "zone", item))
			change_records(endpoint, item, adds);
	}
}

void arm_zone_group_read(struct arm_reading *reading)
{
	struct endpoint endpoint = {.request = reading->request,
				    .edit = reading->edit,
				    .errors = reading->errors,
				    .group = reading->path->group};
	const json_t *before = json_object_get(reading->base, "zones"),
		     *after = json_object_get(reading->values, "zones");

	if (json_array_size(after) > ZONES_MAX)
		arm_misfit(reading->errors, "properties.privateDnsZoneConfigs",
			   "there are %zu, and at most %d are allowed", json_array_size(after),
			   ZONES_MAX);
	if (reading->errors->status == 0)
		check_only_group(reading);
	if (reading->errors->status != 0 || !find_endpoint(&endpoint, reading->path))
		return;
	change_zones(&endpoint, before, after, false);
	/* As in Azure, a PUT restores records that somebody has removed. */
	change_zones(&endpoint, after, NULL, true);
}

/* ---- private endpoints: changes ---- */

/* Checks that the body has a connection with the id of the endpoint's service. Connections that
 * need an approval are kept unchecked. */
static void check_connections(struct arm_reading *reading)
{
	const char *path = "properties.privateLinkServiceConnections";
	const json_t *list = arm_get(reading->body, path);
	bool is_manual = arm_get(reading->body, "properties.manualPrivateLinkServiceConnections");
	const json_t *id = arm_get(json_array_get(list, 0), "properties.privateLinkServiceId");

	if (json_string_length(id) > 0 ||
	    (is_manual && (!list || (json_is_array(list) && json_array_size(list) == 0))) ||
	    (!list && (reading->merges || (reading->shown && !arm_get(reading->shown, path)))))
		return;
	arm_misfit(reading->errors, path,
		   "must be an array with what the endpoint leads to: [{\"name\": \"c\", "
		   "\"properties\": {\"privateLinkServiceId\": \"/subscriptions/...\", "
		   "\"groupIds\": [\"blob\"]}}]");
}

/* Refuses another service, because records have the name of the present one. */
static void check_service_stays(struct arm_reading *reading)
{
	const char *target = "properties.privateLinkServiceConnections";
	char before[ARM_ID_MAX], after[ARM_ID_MAX];

	service_id(reading->base, before);
	service_id(reading->values, after);
	if (*before && strcasecmp(before, after) != 0)
		arm_error(reading->errors, 409, "Conflict", target,
			  "%s: what the endpoint leads to, %s, cannot change; delete %s and create "
			  "it again",
			  target, before, path_name(reading->path));
}

/* Does another resource have an interface of this name, perhaps made by the same change? The
 * endpoint's own interface may be left from before. */
static bool is_others_interface(const struct arm_reading *reading, const struct path *path)
{
	const struct resource_edit *earlier = api_earlier_find(reading->edit->earlier, path);
	const struct network_interface *found = part_find(api_model(reading->request), path);
	const char *owner = earlier ? json_text_of(earlier->values, "private_endpoint")
			    : found ? found->private_endpoint
				    : NULL;

	return (earlier || found) && (!owner || strcasecmp(owner, path_name(reading->path)) != 0);
}

#define STATIC_ADDRESS "properties.ipConfigurations[0].properties.privateIPAddress"

static void check_static_address(struct arm_reading *reading, const char *asked)
{
	char text[ADDRESS_TEXT_MAX];
	const char *now = address_of(reading->request, reading->path, text);

	if (now && strcmp(now, asked) != 0)
		arm_error(reading->errors, 409, "Conflict", STATIC_ADDRESS,
			  STATIC_ADDRESS
			  ": it is %s and cannot change; delete %s and create it again",
			  now, path_name(reading->path));
}

/* The first free address of the subnet; NULL: none is free, and an error was added. */
static const char *first_address(struct arm_reading *reading, const char *group,
				 char text[ADDRESS_TEXT_MAX])
{
	struct subnet_places places;
	const char *address = NULL;

	if (places_init(&places, reading, group, json_text_of(reading->values, "subnet")))
		address = take_place(&places, text);
	if (!address)
		fail_place(reading, &places, "properties.subnet.id");
	free(places.used);
	return address;
}

/* Makes the interface of a new private endpoint, with the address of the body, or the first free
 * one of the subnet. */
void arm_private_endpoint_read(struct arm_reading *reading)
{
	struct api_request *request = reading->request;
	const char *group = strcmp(reading->path->group, GROUP_NONE) == 0 ? NULL
									  : reading->path->group,
		   *name = path_name(reading->path), *own;
	char uuid[UUID_TEXT_MAX], id[ARM_ID_MAX], text[ADDRESS_TEXT_MAX];
	struct path path = {kind_of_id(KIND_INTERFACE), reading->path->group, {NULL, NULL}};
	const char *asked = json_string_value(arm_get(reading->body, STATIC_ADDRESS)), *address;
	bool is_static = asked && *asked;
	json_t *values;

	check_connections(reading);
	if (reading->shown && reading->errors->status == 0) {
		check_service_stays(reading);
		if (is_static)
			check_static_address(reading, asked);
	}
	if (reading->shown || reading->errors->status != 0)
		return;
	address = is_static ? asked : first_address(reading, group, text);
	if (!address)
		return;
	uuid_of_name(text_lower(arm_id(request, reading->path, id)), uuid);
	own = json_string_value(arm_get(reading->body, "properties.customNetworkInterfaceName"));
	path.names[0] =
		own && *own ? arena_strdup(&reading->request->arena, own)
			    : arena_printf(&reading->request->arena, "%.39s.nic.%s", name, uuid);
	if (path.names[0] && is_others_interface(reading, &path)) {
		arm_error(reading->errors, 409, "Conflict", "properties.customNetworkInterfaceName",
			  "properties.customNetworkInterfaceName: there is a network interface "
			  "%s already; give another name, or delete it",
			  path.names[0]);
		return;
	}
	values = json_make("{s:o, s:[{s:s, s:o, s:o, s:s, s:b}]}", "private_endpoint",
			   json_text(name), "ip_configurations", "name", "privateEndpointIpConfig",
			   "subnet", json_text(json_text_of(reading->values, "subnet")), "address",
			   json_text(address), "allocation", is_static ? "static" : "dynamic",
			   "primary", true);
	arm_put_names(request, &path, values);
	if (json_object_get(reading->values, "region"))
		json_put(values, "region", json_incref(json_object_get(reading->values, "region")));
	json_put(reading->values, "network_interface", json_text(path.names[0]));
	arm_add_edit(reading->edit, &path, values, reading->errors);
}

void arm_zone_group_remove(const struct arm_shown *shown, struct api_edit *edit,
			   struct arm_errors *errors)
{
	struct endpoint endpoint = {.request = shown->request,
				    .edit = edit,
				    .errors = errors,
				    .group = shown->path.group};
	json_t *item;
	size_t i;

	if (!find_endpoint(&endpoint, &shown->path))
		return;
	json_array_foreach(json_object_get(shown->values, "zones"), i, item)
		change_records(&endpoint, item, false);
}

struct removing { /* the removal of a private endpoint */
	struct api_edit *edit;
	struct arm_errors *errors;
};

static void remove_zone_group(void *context, struct arm_shown *child)
{
	const struct removing *removing = context;

	arm_zone_group_remove(child, removing->edit, removing->errors);
}

void arm_private_endpoint_remove(const struct arm_shown *shown, struct api_edit *edit,
				 struct arm_errors *errors)
{
	struct removing removing = {edit, errors};
	const char *name = json_string_value(json_object_get(shown->values, "network_interface"));
	const struct path path = {kind_of_id(KIND_INTERFACE),
				  shown->path.group,
				  {name ? arena_strdup(&shown->request->arena, name) : NULL, NULL}};

	arm_each_child(shown, arm_type_of_kind(KIND_ZONE_GROUP), remove_zone_group, &removing);
	if (path.names[0] && part_find(api_model(shown->request), &path))
		arm_add_edit(edit, &path, NULL, errors);
}
