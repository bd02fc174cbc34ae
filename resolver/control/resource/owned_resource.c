/* Converts between the file's model, the rows of the state, the served table and the API's JSON.
 * The field table reads and prints values; the rest is computed here. */
#include "resolver/control/resource/owned_resource.h"

#include "resolver/control/base/json.h"
#include "resolver/control/resource/values.h"
#include "rules/base.h"
#include "rules/schema/schema.h"
#include "rules/text.h"

const char *owned_title(const struct owned_resource *resource, char text[OWNED_TITLE_MAX])
{
	const struct owned_item *item = &resource->item;
	char place[OWNED_TITLE_MAX / 2];

	if (item->origin.file)
		snprintf(place, sizeof place, "%s:%u", item->origin.file, item->origin.line);
	else
		snprintf(place, sizeof place, "id %s, in the state", item->id);
	snprintf(text, OWNED_TITLE_MAX, "%s \"%s\"%s%s%s (%s)",
		 kind_field(resource->kind)->group->name, item->name,
		 item->resource_group ? " of resource group \"" : "",
		 item->resource_group ? item->resource_group : "", item->resource_group ? "\"" : "",
		 place);
	return text;
}

static bool is_text(const json_t *values, const char *key, const char *text)
{
	const char *value = json_string_value(json_object_get(values, key));

	return strcasecmp(value ? value : "", text ? text : "") == 0;
}

bool owned_gives_way(const struct owned_resource *resource, const json_t *values)
{
	const struct owned_item *item = &resource->item;
	char address[ADDRESS_TEXT_MAX];

	return !values || (json_object_get(values, "id") && !is_text(values, "id", item->id)) ||
	       !is_text(values, "address", address_print(&item->address, address)) ||
	       !is_text(values, "domain_name_label", item->domain_name_label) ||
	       !is_text(values, "region", item->region);
}

bool owned_has_ptr(const struct owned_resource *resource, const char *fqdn)
{
	struct name mine, other;

	return resource && resource->item.reverse_fqdn && fqdn &&
	       name_from_text(&mine, NULL, resource->item.reverse_fqdn) == 0 &&
	       name_from_text(&other, NULL, fqdn) == 0 && name_equal(&mine, &other);
}

const char *ptr_status_text(enum ptr_status status)
{
	static const char *const texts[] = {
#define X(name) [PTR_##name] = #name,
		PTR_STATUS_MAP(X)
#undef X
	};

	return texts[status];
}

const char *ptr_action_text(enum ptr_action action)
{
	static const char *const texts[] = {
#define X(name) [PTR_ACTION_##name] = #name,
		PTR_ACTION_MAP(X)
#undef X
	};

	return texts[action];
}

/* ---- entity tags ---- */

/* The revision of the resource's row, or of its PTR's row if that is a later one. */
static uint64_t revision_of(const struct owned_resource *resource)
{
	uint64_t revision = resource->item.origin.revision;

	return resource->ptr_revision > revision ? resource->ptr_revision : revision;
}

/* Includes values that no client sets: those of items in the file, and those that the file's
 * settings give to rows of the state, such as the forward name. */
static uint64_t hash_values(const struct owned_resource *resource)
{
	uint64_t hash = values_hash(resource->kind, &resource->item);

	hash = etag_add_text(hash, resource->fqdn);
	return etag_add_text(hash, resource->subscription);
}

uint64_t owned_hash(const struct owned_resource *resource)
{
	const struct origin *origin = &resource->item.origin;
	uint64_t hash = hash_values(resource);

	hash = etag_add_text(hash, origin->file);
	hash = etag_add_number(hash, origin->line);
	hash = etag_add_text(hash, resource->reason);
	hash = etag_add_number(hash, resource->ttl_served);
	hash = etag_add_number(hash, resource->status);
	return etag_add_number(hash, resource->action);
}

char *owned_etag(const struct owned_resource *resource, char text[ETAG_MAX])
{
	return etag_print(revision_of(resource), hash_values(resource), owned_hash(resource), text);
}

char *owned_version_etag(const struct owned_resource *resource, char text[ETAG_MAX])
{
	uint64_t values = hash_values(resource);

	return etag_print(revision_of(resource), values, values, text);
}

/* ---- from the file or the state ---- */

const char *owned_dotted(const char *name, char text[NAME_TEXT_MAX])
{
	size_t length = strlen(name);

	/* A final "\." is an escaped dot, not the end of the name. */
	bool ends = length > 0 && name[length - 1] == '.';
	size_t slashes = 0;

	while (ends && slashes < length - 1 && name[length - 2 - slashes] == '\\')
		slashes++;
	snprintf(text, NAME_TEXT_MAX, "%s%s", name, ends && slashes % 2 == 0 ? "" : ".");
	return text;
}

int owned_derive_fqdn(struct owned_resource *resource, const struct model *model,
		      char text[NAME_TEXT_MAX])
{
	const struct owned_item *item = &resource->item;
	char bare[NAME_TEXT_MAX];
	struct name name;
	const char *derived =
		owned_is_service(resource)
			? owned_service_name(model, item->name, bare)
			: owned_label_name(model, item->domain_name_label, item->region, bare);

	resource->fqdn = NULL;
	if (!derived)
		return 0;
	if (name_from_text(&name, NULL, owned_dotted(derived, text)) != 0)
		return ERR_INVALID;
	resource->fqdn = text;
	return 0;
}

/* A forward name that is too long is left out, as in the owned table. */
static int keep_fqdn(struct owned_resource *resource, const struct model *model,
		     struct arena *arena)
{
	char text[NAME_TEXT_MAX];

	if (owned_derive_fqdn(resource, model, text) != 0 || !resource->fqdn)
		return 0;
	resource->fqdn = arena_strdup(arena, text);
	return resource->fqdn ? 0 : ERR_NOMEM;
}

/* Derives a missing id from kind, group and name, in lower case, so that a change of letter case in
 * the file keeps the id. */
static int keep_id(struct owned_resource *resource, struct arena *arena)
{
	struct owned_item *item = &resource->item;
	char name[NAME_TEXT_MAX], derived[UUID_TEXT_MAX];

	snprintf(name, sizeof name, "%s/%s/%s", resource->kind->name,
		 item->resource_group ? item->resource_group : "", item->name);
	item->id = text_lower(
		arena_strdup(arena, item->id ? item->id : uuid_of_name(text_lower(name), derived)));
	return item->id ? 0 : ERR_NOMEM;
}

static void note_ttl(struct owned_resource *resource, const struct model *model)
{
	const struct owned_item *item = &resource->item;

	resource->ttl_served = item->ttl != NOT_GIVEN ? item->ttl : model->reverse.ttl;
	resource->status = item->reverse_fqdn ? PTR_ACTIVE : PTR_INACTIVE;
}

/* Fills in the defaults: id, final dots, forward name, TTL. Clears members of the PTR if there is
 * none. */
static int complete(struct owned_resource *resource, const struct model *model, struct arena *arena)
{
	struct owned_item *item = &resource->item;
	char text[NAME_TEXT_MAX];

	if (owned_is_service(resource))
		item->allocation = ALLOCATION_STATIC;
	if (item->reverse_fqdn && *item->reverse_fqdn != '\0') {
		item->reverse_fqdn = arena_strdup(arena, owned_dotted(item->reverse_fqdn, text));
		if (!item->reverse_fqdn)
			return ERR_NOMEM;
	} else {
		owned_clear_ptr(item);
	}
	note_ttl(resource, model);
	return keep_id(resource, arena) != 0 || keep_fqdn(resource, model, arena) != 0 ? ERR_NOMEM
										       : 0;
}

int owned_declared(struct owned_resource *resource, unsigned kind, const struct owned_item *item,
		   const struct model *model, struct arena *arena)
{
	*resource = (struct owned_resource){.kind = kind_of_id(kind),
					    .item = *item,
					    .subscription = model->subscription,
					    .ptr_is_declared =
						    item->reverse_fqdn && *item->reverse_fqdn};
	if (!owned_is_service(resource))
		resource->item.region = model_region(model, item->region);
	return complete(resource, model, arena);
}

int owned_of_file(struct owned_resource *resource, size_t number, const struct model *model,
		  struct arena *arena)
{
	const struct model *file = model_declared(model);
	size_t addresses = file->addresses.count, services = file->cloud_services.count;

	if (number <= addresses)
		return owned_declared(resource, KIND_ADDRESS, &file->addresses.items[number - 1],
				      model, arena);
	if (number <= addresses + services)
		return owned_declared(resource, KIND_SERVICE,
				      &file->cloud_services.items[number - addresses - 1], model,
				      arena);
	return ERR_NOT_FOUND;
}

bool owned_is_same_ptr(const struct owned_item *a, const struct owned_item *b)
{
	if (!a->reverse_fqdn || !b->reverse_fqdn)
		return !a->reverse_fqdn && !b->reverse_fqdn;
	return text_equal(a->reverse_fqdn, b->reverse_fqdn) &&
	       text_equal(a->ptr_description, b->ptr_description) && a->ttl == b->ttl;
}

void owned_take_ptr(struct owned_resource *resource, const struct owned_item *ptr,
		    const struct model *model)
{
	resource->item.reverse_fqdn = ptr->reverse_fqdn;
	resource->item.ptr_description = ptr->ptr_description;
	resource->item.ttl = ptr->ttl;
	note_ttl(resource, model);
}

/* ---- rows ---- */

/* Reads the values by the field table, and the subscription, which is no member. */
static int read_values(const struct kind *kind, const struct source_resource *row,
		       struct owned_item *item, const char **subscription, struct arena *arena)
{
	json_t *values = json_loads(row->json, 0, NULL);
	const char *text = json_string_value(json_object_get(values, "subscription"));
	int err;

	*subscription = text ? arena_strdup(arena, text) : NULL;
	err = text && !*subscription ? ERR_NOMEM : 0;
	json_object_del(values, "subscription");
	if (!err)
		err = values_read_stored(kind, values, item, row->revision, arena);
	json_decref(values);
	return err;
}

/* Whether the row's keys, from which the table is served, agree with its values. */
static bool has_keys(const struct owned_item *item, const struct source_keys *keys)
{
	uint32_t ttl = keys->ttl_given ? keys->ttl : NOT_GIVEN;

	return text_equal(keys->ptr, item->reverse_fqdn) && keys->ptr_action <= PTR_ACTION_DELETE &&
	       (!keys->ptr || ttl == item->ttl);
}

static void take_history(struct owned_resource *resource, const struct source_keys *keys)
{
	resource->ptr_revision = keys->ptr_revision;
	resource->action = (enum ptr_action)keys->ptr_action;
}

bool owned_is_row(const struct source_resource *row)
{
	return (row->kind == KIND_ADDRESS || row->kind == KIND_SERVICE) && row->keys->id &&
	       row->keys->address.family;
}

int owned_of_row(struct owned_resource *resource, const struct source_resource *row,
		 const struct model *model, struct arena *arena)
{
	const struct source_keys *keys = row->keys;
	struct owned_item *item = &resource->item;
	int err;

	if (!owned_is_row(row))
		return ERR_INVALID;
	*resource = (struct owned_resource){.kind = kind_of_id(row->kind)};
	err = read_values(resource->kind, row, item, &resource->subscription, arena);
	if (err)
		return err;
	if (!text_equal(keys->id, item->id) || !address_equal(&keys->address, &item->address) ||
	    !has_keys(item, keys))
		return ERR_INVALID;
	take_history(resource, keys);
	return complete(resource, model, arena);
}

int owned_take_ptr_row(struct owned_resource *resource, const struct source_resource *row,
		       const struct model *model, struct arena *arena)
{
	struct owned_item ptr;
	const char *none;
	int err = read_values(kind_of_id(KIND_PTR), row, &ptr, &none, arena);

	if (err)
		return err;
	if (!ptr.reverse_fqdn || !has_keys(&ptr, row->keys))
		return ERR_INVALID;
	take_history(resource, row->keys);
	owned_take_ptr(resource, &ptr, model);
	return 0;
}

/* ---- to values, rows and the served table ---- */

static json_t *print(const struct owned_resource *resource, struct owned_item item, bool with_ptr)
{
	if (!with_ptr)
		owned_clear_ptr(&item);
	return values_print(resource->kind, NULL, &item);
}

json_t *owned_values(const struct owned_resource *resource)
{
	return print(resource, resource->item, true);
}

json_t *owned_values_alone(const struct owned_resource *resource)
{
	return print(resource, resource->item, false);
}

json_t *owned_ptr_values(const struct owned_resource *resource)
{
	struct owned_item item = resource->item;

	item.address.family = 0; /* the PTR's values leave the address out */
	return values_print(kind_of_id(KIND_PTR), NULL, &item);
}

char *owned_row_json(const struct owned_resource *resource)
{
	json_t *values = print(resource, resource->item, !resource->ptr_is_declared);

	json_put_text(values, "subscription", resource->subscription);
	return json_whole_text(values);
}

char *owned_ptr_row_json(const struct owned_resource *resource)
{
	return json_whole_text(owned_ptr_values(resource));
}

/* Adds the computed values. */
static void put_known(json_t *object, const struct owned_resource *resource)
{
	const struct owned_item *item = &resource->item;
	char etag[ETAG_MAX];

	json_put(object, "ttl_served",
		 item->reverse_fqdn ? json_integer(resource->ttl_served) : json_null());
	json_put(object, "status", json_text(ptr_status_text(resource->status)));
	json_put(object, "action", json_text(ptr_action_text(resource->action)));
	json_put(object, "reason", json_text(resource->reason));
	json_put(object, "etag", json_text(owned_etag(resource, etag)));
}

enum { PTR_ID_MAX = 300 };

/* Adds members that identify the address or service of a shown PTR. */
static void put_around(json_t *object, const struct owned_resource *resource)
{
	const struct owned_item *item = &resource->item;
	char id[PTR_ID_MAX];

	snprintf(id, sizeof id, "%s%s%s", item->region ? item->region : "", item->region ? ":" : "",
		 item->id);
	json_put(object, "id", json_text(id));
	json_put(object, "kind", json_text(resource->kind->name));
	json_put(object, "name", json_text(item->name));
	json_put(object, "resource_group", json_text(item->resource_group));
	json_put(object, "region", json_text(item->region));
}

json_t *owned_show(const struct owned_resource *resource, unsigned kind)
{
	const struct origin *origin = &resource->item.origin;
	json_t *object = values_print(kind_of_id(kind), NULL, &resource->item);

	values_put_missing(kind_of_id(kind), object);
	put_known(object, resource);
	if (kind == KIND_PTR) {
		put_around(object, resource);
		json_put(object, "origin",
			 resource->ptr_is_declared ? values_print_origin(origin) : json_null());
	} else {
		if (kind == KIND_ADDRESS)
			json_put(object, "subscription", json_text(resource->subscription));
		json_put(object, "fqdn", json_text(resource->fqdn));
		json_put(object, "origin", values_print_origin(origin));
	}
	return json_whole(object);
}

struct source_keys owned_ptr_keys(const struct owned_resource *resource)
{
	const struct owned_item *item = &resource->item;

	return (struct source_keys){
		.ptr = resource->ptr_is_declared ? NULL : item->reverse_fqdn,
		.ttl_given = item->reverse_fqdn && item->ttl != NOT_GIVEN,
		.ttl = item->ttl,
		.ptr_revision = resource->ptr_revision,
		.ptr_action = resource->action,
	};
}

struct source_keys owned_keys(const struct owned_resource *resource, struct owned_scratch *scratch)
{
	const struct owned_item *item = &resource->item;
	struct source_keys keys = owned_ptr_keys(resource);

	keys.id = item->id;
	keys.address = item->address;
	if (owned_is_service(resource))
		return keys;
	keys.region = item->region;
	snprintf(scratch->group, sizeof scratch->group, "%s",
		 item->resource_group ? item->resource_group : "");
	keys.group = text_lower(scratch->group);
	if (item->domain_name_label && item->region) {
		snprintf(scratch->host, sizeof scratch->host, "%s.%s", item->domain_name_label,
			 item->region);
		keys.host = text_lower(scratch->host);
	}
	return keys;
}

int owned_key(const struct owned_resource *resource, char key[PATH_MAX_BYTES])
{
	return path_key_of(resource->kind->id, resource->item.resource_group, resource->item.name,
			   key);
}

int owned_serve(const struct owned_resource *resource, struct owned_draft *draft,
		const struct hash_key *key, const struct model *model)
{
	const struct owned_item *item = &resource->item;
	struct name name;
	int err = 0;

	if (item->reverse_fqdn) {
		err = name_from_text(&name, key, item->reverse_fqdn);
		if (!err)
			err = owned_set_ptr(draft, &item->address, &name, resource->ttl_served);
	}
	if (!err && resource->fqdn && name_from_text(&name, key, resource->fqdn) == 0)
		err = owned_set_host(draft, &name, &item->address, model->reverse.ttl);
	return err;
}

int owned_unserve(const struct owned_resource *resource, struct owned_draft *draft,
		  const struct hash_key *key)
{
	struct name name;
	int err = 0;

	if (resource->item.reverse_fqdn)
		err = owned_set_ptr(draft, &resource->item.address, NULL, 0);
	if (!err && resource->fqdn && name_from_text(&name, key, resource->fqdn) == 0)
		err = owned_set_host(draft, &name, NULL, 0);
	return err;
}
