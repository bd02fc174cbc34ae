/* Makes and frees models, composes them from a file and parts, and gives endpoints the addresses
 * that the configuration leaves open. */
#include "rules/schema/model.h"

#include <stdatomic.h>
#include <strings.h>

#include "rules/owned/owned.h"
#include "rules/schema/reference.h"
#include "rules/zone/zone.h"

enum {
	FIRST_USABLE = 4, /* Azure reserves a subnet's first four addresses and its last */
};

const char *const model_usual_clients[USUAL_CLIENTS] = {
	"127.0.0.0/8", "::1/128", "10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "fc00::/7"};

struct model *model_new(void)
{
	struct model *model = calloc(1, sizeof *model);

	if (!model)
		return NULL;
	arena_init(&model->arena);
	model->references = 1;
	return model;
}

struct model *model_ref(struct model *model)
{
	model->references++;
	return model;
}

void model_free(struct model *model)
{
	if (!model || --model->references > 0)
		return;
	for (size_t i = 0; model->private_zones.items && i < model->private_zones.count; i++)
		zone_unref(model->private_zones.items[i].zone);
	owned_unref(model->owned);
	for (size_t i = 0; model->parts.items && i < model->parts.count; i++)
		model_part_free(model->parts.items[i]);
	model_free(model->declared); /* these two last: their arenas have items of this model */
	model_free(model->like);
	arena_release(&model->arena);
	free(model);
}

/* ---- composing ---- */

uint64_t model_next_version(void)
{
	static atomic_uint_fast64_t last;

	return atomic_fetch_add(&last, 1) + 1;
}

struct model_row *model_row_new(unsigned kind, const char *key, size_t size)
{
	struct model_row *row = calloc(1, sizeof *row);

	if (!row)
		return NULL;
	arena_init(&row->arena);
	row->references = 1;
	row->kind = kind;
	row->key = arena_strdup(&row->arena, key);
	row->item = arena_alloc(&row->arena, size);
	if (row->key && row->item)
		return row;
	model_row_free(row);
	return NULL;
}

void model_row_free(struct model_row *row)
{
	if (!row || --row->references > 0)
		return;
	arena_release(&row->arena);
	free(row);
}

struct model_part *model_part_new(const struct field *list)
{
	struct model_part *part = calloc(1, sizeof *part);

	if (!part)
		return NULL;
	arena_init(&part->arena);
	part->references = 1;
	part->list = list;
	part->version = model_next_version();
	part->item = arena_alloc(&part->arena, list->group->size);
	if (part->item)
		return part;
	model_part_free(part);
	return NULL;
}

void model_part_free(struct model_part *part)
{
	if (!part || --part->references > 0)
		return;
	for (size_t i = 0; i < part->rows.count; i++)
		model_row_free(part->rows.items[i]);
	arena_release(&part->arena);
	free(part);
}

static const struct field bare_list = {.type = FIELD_LIST};

/* Composes the list: the file's items, each replaced by its part if it has one, and then the items
 * of the parts that replace none. `offset`: of the struct with the list, within the model. */
static bool compose_list(struct model *model, const struct field *list, size_t offset)
{
	struct schema_list declared = schema_list_get(list, (char *)model->declared + offset);
	size_t size = list->group->size, count = declared.count, more = 0;
	char *items;

	for (size_t i = 0; i < model->parts.count; i++)
		more += model->parts.items[i]->list == list;
	if (more == 0)
		return true;
	items = arena_alloc_array(&model->arena, count + more, size);
	if (!items)
		return false;
	if (count > 0)
		memcpy(items, declared.items, count * size);
	for (size_t i = 0; i < model->parts.count; i++) {
		const struct model_part *part = model->parts.items[i];
		size_t at = count * size;

		if (part->list != list)
			continue;
		if (part->declared)
			at = (size_t)((const char *)part->declared - (char *)declared.items);
		memcpy(items + at, part->item, size);
		if (offset + list->offset == offsetof(struct model, rulesets))
			((struct forwarding_ruleset *)(items + at))->version = part->version;
		count += !part->declared;
	}
	schema_list_set(list, (char *)model + offset, (struct schema_list){items, count});
	return true;
}

/* Composes lists at the top and in a group (management.clients). */
static bool compose_lists(struct model *model)
{
	bool whole = true;

	for (size_t i = 0; i < schema_model.count; i++) {
		const struct field *field = &schema_model.fields[i];

		if (field->type == FIELD_LIST)
			whole = whole && compose_list(model, field, 0);
		for (size_t k = 0; field->type == FIELD_GROUP && k < field->group->count; k++)
			if (field->group->fields[k].type == FIELD_LIST)
				whole = whole && compose_list(model, &field->group->fields[k],
							      field->offset);
	}
	return whole;
}

/* False without memory. */
static bool copy_items(struct arena *arena, void *list, size_t size)
{
	struct schema_list items = schema_list_get(&bare_list, list);
	void *copy;

	if (items.count == 0)
		return true;
	copy = arena_alloc_array(arena, items.count, size);
	if (!copy)
		return false;
	memcpy(copy, items.items, items.count * size);
	schema_list_set(&bare_list, list, (struct schema_list){copy, items.count});
	return true;
}

#define COPY(arena, list) copy_items(arena, &(list), sizeof *(list).items)

/* Copies the resolvers and endpoints, because other models share them, and model_place_endpoints
 * changes the endpoints. */
static bool copy_endpoints(struct model *model)
{
	struct arena *arena = &model->arena;
	bool copied = COPY(arena, model->resolvers);

	for (size_t i = 0; copied && i < model->resolvers.count; i++)
		copied = COPY(arena, model->resolvers.items[i].inbound_endpoints) &&
			 COPY(arena, model->resolvers.items[i].outbound_endpoints);
	return copied;
}

/* Copies the values of `of` into an empty model, and takes references to the declared model and the
 * parts. False without memory. ref_zones must follow in either case. */
static bool begin(struct model *model, struct model *of, struct model_part *const *parts,
		  size_t count)
{
	memcpy(model, of, offsetof(struct model, arena));
	model->owned = NULL;
	model->declared = of->declared ? of->declared : of;
	model_ref(model->declared);
	model->parts.items = arena_alloc_array(&model->arena, count, sizeof *parts);
	model->parts.count = 0;
	for (size_t i = 0; model->parts.items && i < count; i++) {
		parts[i]->references++;
		model->parts.items[model->parts.count++] = parts[i];
	}
	if (COPY(&model->arena, model->private_zones))
		return model->parts.items;
	model->private_zones.count = 0;
	return false;
}

/* Each model has its own references to zones. */
static void ref_zones(struct model *model)
{
	for (size_t i = 0; i < model->private_zones.count; i++)
		if (model->private_zones.items[i].zone)
			zone_ref(model->private_zones.items[i].zone);
}

struct name_at {
	const char *name;
	uint32_t place;
};

static int compare_names(const void *a, const void *b)
{
	const struct name_at *left = a, *right = b;
	int order = strcasecmp(left->name, right->name);

	return order ? order : left->place < right->place ? -1 : 1;
}

/* The indexes of a list's items by name; NULL without memory. */
static const uint32_t *sort_names(struct arena *arena, const struct named_list *list)
{
	struct name_at *names = calloc(list->count + 1, sizeof *names);
	uint32_t *places = names ? arena_alloc_array(arena, list->count, sizeof *places) : NULL;

	for (size_t i = 0; places && i < list->count; i++) {
		const struct named *item =
			(const struct named *)((const char *)list->items + i * list->size);

		names[i] = (struct name_at){item->name ? item->name : "", (uint32_t)i};
	}
	if (places && list->count > 0)
		qsort(names, list->count, sizeof *names, compare_names);
	for (size_t i = 0; places && i < list->count; i++)
		places[i] = names[i].place;
	free(names);
	return places;
}

int model_sort_names(struct model *model)
{
	const struct named_list networks = reference_list(model, REFERS_NETWORK);
	const struct named_list resolvers = reference_list(model, REFERS_OUTBOUND);
	const struct named_list zones = reference_list(model, REFERS_ZONE);

	model->networks_by_name = sort_names(&model->arena, &networks);
	model->resolvers_by_name = sort_names(&model->arena, &resolvers);
	model->zones_by_name = sort_names(&model->arena, &zones);
	return model->networks_by_name && model->resolvers_by_name && model->zones_by_name
		       ? 0
		       : ERR_NOMEM;
}

struct model *model_compose(struct model *declared, struct model_part *const *parts, size_t count)
{
	struct model *model = model_new();
	bool whole;

	if (!model)
		return NULL;
	whole = begin(model, declared, parts, count) && compose_lists(model) &&
		model_sort_names(model) == 0;
	ref_zones(model);
	if (whole && copy_endpoints(model))
		return model;
	model_free(model);
	return NULL;
}

struct model *model_same(struct model *of)
{
	struct model *model = model_new();
	bool whole;

	if (!model)
		return NULL;
	whole = begin(model, of, of->parts.items, of->parts.count);
	ref_zones(model);
	model->like = model_ref(of->like ? of->like : of);
	if (whole)
		return model;
	model_free(model);
	return NULL;
}

struct virtual_network *model_network_of(const struct model *model, const struct address *address)
{
	struct virtual_network *found = NULL;
	int longest = -1;

	if (!address_is_private(address))
		return NULL;
	for (size_t i = 0; i < model->virtual_networks.count; i++) {
		struct virtual_network *network = &model->virtual_networks.items[i];

		for (size_t p = 0; p < network->address_space.count; p++) {
			const struct prefix *space = &network->address_space.items[p];

			if (prefix_contains(space, address) && space->length > longest) {
				longest = space->length;
				found = network;
			}
		}
	}
	return found;
}

struct subnet *model_subnet(const struct virtual_network *network, const char *name)
{
	for (size_t i = 0; name && i < network->subnets.count; i++) {
		struct subnet *subnet = &network->subnets.items[i];

		if (subnet->name && strcasecmp(subnet->name, name) == 0)
			return subnet;
	}
	return NULL;
}

const char *model_region(const struct model *model, const char *own)
{
	return own ? own : model->region;
}

void model_each_self(const struct model *model,
		     void (*on_self)(void *context, const struct model_self *self), void *context)
{
	for (size_t i = 0; i < model->resolvers.count; i++) {
		const struct dns_resolver *resolver = &model->resolvers.items[i];

		for (size_t k = 0; k < resolver->inbound_endpoints.count; k++) {
			const struct inbound_endpoint *endpoint =
				&resolver->inbound_endpoints.items[k];
			struct model_self self = {
				resolver, endpoint, {endpoint->address, DNS_PORT}};

			if (!endpoint->address.family)
				continue;
			on_self(context, &self);
			self.host = endpoint->listen;
			on_self(context, &self);
		}
	}
}

/* Whether another endpoint of the resolver has the address. */
static bool is_taken(const struct dns_resolver *resolver, const struct address *address)
{
	for (size_t i = 0; i < resolver->inbound_endpoints.count; i++) {
		const struct inbound_endpoint *endpoint = &resolver->inbound_endpoints.items[i];
		if (endpoint->address.family && address_equal(&endpoint->address, address))
			return true;
	}
	return false;
}

/* Looks only at the same resolver: limits_check refuses a second endpoint in a subnet, whatever its
 * resolver. */
static void place_address(const struct dns_resolver *resolver, const struct prefix *prefix,
			  struct address *address)
{
	uint64_t size = prefix_size(prefix);
	struct address candidate;

	for (uint32_t n = FIRST_USABLE; n + (uint64_t)1 < size; n++)
		if (prefix_nth(prefix, n, &candidate) && !is_taken(resolver, &candidate)) {
			*address = candidate;
			return;
		}
}

static const struct prefix *subnet_prefix(const struct virtual_network *network, const char *name)
{
	const struct subnet *subnet = network ? model_subnet(network, name) : NULL;

	return subnet && subnet->prefix.address.family == 4 ? &subnet->prefix : NULL;
}

static void place_inbound(const struct dns_resolver *resolver,
			  const struct virtual_network *network, struct inbound_endpoint *endpoint)
{
	const struct prefix *prefix = subnet_prefix(network, endpoint->subnet);

	if (!endpoint->address.family && endpoint->allocation == ALLOCATION_DYNAMIC && prefix)
		place_address(resolver, prefix, &endpoint->address);
	if (!endpoint->listen.address.family && endpoint->address.family)
		endpoint->listen = (struct host){endpoint->address, DNS_PORT};
}

static void place_outbound(const struct virtual_network *network,
			   struct outbound_endpoint *endpoint)
{
	const struct prefix *prefix = subnet_prefix(network, endpoint->subnet);

	if (endpoint->is_anywhere)
		return;
	if (!endpoint->source.family && prefix && prefix_size(prefix) > FIRST_USABLE + 1)
		(void)!prefix_nth(prefix, FIRST_USABLE, &endpoint->source);
}

void model_place_endpoints(struct model *model)
{
	for (size_t i = 0; i < model->resolvers.count; i++) {
		struct dns_resolver *resolver = &model->resolvers.items[i];
		const struct virtual_network *network =
			model_network(model, resolver->resource_group, resolver->virtual_network);

		for (size_t k = 0; k < resolver->inbound_endpoints.count; k++)
			place_inbound(resolver, network, &resolver->inbound_endpoints.items[k]);
		for (size_t k = 0; k < resolver->outbound_endpoints.count; k++)
			place_outbound(network, &resolver->outbound_endpoints.items[k]);
	}
}
