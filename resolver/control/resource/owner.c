/* Owners from and to the three places that have them: the file's model, the rows of the state, the
 * table that is served. And what an owner is called, and its entity tag: a hash of all that it is
 * and of the revisions it was last written at. */
#include "resolver/control/resource/owner.h"

#include "resolver/control/base/json.h"
#include "rules/base.h"
#include "rules/schema/schema.h"
#include "rules/text.h"

const char *owner_title(const struct owner *owner, char text[OWNER_TITLE_MAX])
{
	char place[OWNER_TITLE_MAX / 2];

	if (owner->origin.file)
		snprintf(place, sizeof place, "%s:%u", owner->origin.file, owner->origin.line);
	else
		snprintf(place, sizeof place, "id %s, in the state", owner->id);
	snprintf(text, OWNER_TITLE_MAX, "%s \"%s\"%s%s%s (%s)",
		 owner->kind == OWNER_SERVICE ? "cloud service" : "address", owner->name,
		 owner->resource_group ? " of resource group \"" : "",
		 owner->resource_group ? owner->resource_group : "",
		 owner->resource_group ? "\"" : "", place);
	return text;
}

bool owner_has_ptr(const struct owner *owner, const char *fqdn)
{
	static const struct hash_key any_key = {1, 2};
	struct name mine, other;

	return owner && owner->ptr.fqdn && fqdn &&
	       name_from_text(&mine, &any_key, owner->ptr.fqdn) == 0 &&
	       name_from_text(&other, &any_key, fqdn) == 0 && name_equal(&mine, &other);
}

static const struct hash_key etag_key = {UINT64_C(0x736c75696365), UINT64_C(0x65746167)};

static uint64_t version_of(const struct owner *owner)
{
	const char *const texts[] = {owner->id,       owner->name,           owner->resource_group,
				     owner->region,   owner->subscription,   owner->label,
				     owner->fqdn,     owner->description,    owner->tags,
				     owner->ptr.fqdn, owner->ptr.description};
	const uint64_t numbers[] = {owner->kind,          owner->allocation,    owner->revision,
				    owner->ptr.ttl,       owner->ptr.ttl_given, owner->ptr.revision,
				    owner->address.family};
	uint64_t hash = hash_bytes(&etag_key, 0, owner->address.bytes, sizeof owner->address.bytes);

	for (size_t i = 0; i < COUNT(numbers); i++)
		hash = etag_add_number(&etag_key, hash, numbers[i]);
	for (size_t i = 0; i < COUNT(texts); i++)
		hash = etag_add_text(&etag_key, hash, texts[i]);
	return hash;
}

static uint32_t standing_of(const struct owner *owner)
{
	uint64_t hash = etag_add_text(&etag_key, owner->origin.line, owner->origin.file);

	hash = etag_add_text(&etag_key, hash, owner->ptr.reason);
	hash = etag_add_number(&etag_key, hash, owner->ptr.status);
	return (uint32_t)etag_add_number(&etag_key, hash, owner->ptr.action);
}

char *owner_etag(const struct owner *owner, char text[ETAG_MAX])
{
	return etag_print(version_of(owner), standing_of(owner), text);
}

char *owner_version_etag(const struct owner *owner, char text[ETAG_MAX])
{
	return etag_print(version_of(owner), 0, text);
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

/* ---- where its values come from ---- */

const char *owner_dotted(const char *name, char text[NAME_TEXT_MAX])
{
	size_t length = strlen(name);

	/* A final "\." is an escaped dot, and not the end of the name. */
	bool ends = length > 0 && name[length - 1] == '.';
	size_t slashes = 0;

	while (ends && slashes < length - 1 && name[length - 2 - slashes] == '\\')
		slashes++;
	snprintf(text, NAME_TEXT_MAX, "%s%s", name, ends && slashes % 2 == 0 ? "" : ".");
	return text;
}

int owner_derive_fqdn(struct owner *owner, const struct model *model, char text[NAME_TEXT_MAX])
{
	static const struct hash_key any_key;
	char bare[NAME_TEXT_MAX];
	struct name name;
	const char *derived = owner->kind == OWNER_SERVICE
				      ? owned_service_name(model, owner->name, bare)
				      : owned_label_name(model, owner->label, owner->region, bare);

	owner->fqdn = NULL;
	if (!derived)
		return 0;
	if (name_from_text(&name, &any_key, owner_dotted(derived, text)) != 0)
		return ERR_INVALID;
	owner->fqdn = text;
	return 0;
}

/* A forward name that is too long is passed over, as the owned table does. */
static int keep_fqdn(struct owner *owner, const struct model *model, struct arena *arena)
{
	char text[NAME_TEXT_MAX];

	if (owner_derive_fqdn(owner, model, text) != 0 || !owner->fqdn)
		return 0;
	owner->fqdn = arena_strdup(arena, text);
	return owner->fqdn ? 0 : ERR_NOMEM;
}

/* Without an id in the file: by what the file calls it, so that another spelling of the same is the
 * same. */
static int keep_id(struct owner *owner, const char *id, struct arena *arena)
{
	char name[NAME_TEXT_MAX], derived[UUID_TEXT_MAX];

	snprintf(name, sizeof name, "%s/%s/%s",
		 owner->kind == OWNER_SERVICE ? "service" : "address",
		 owner->resource_group ? owner->resource_group : "", owner->name);
	owner->id =
		text_lower(arena_strdup(arena, id ? id : uuid_of_name(text_lower(name), derived)));
	return owner->id ? 0 : ERR_NOMEM;
}

/* The file's "NAME=VALUE" as a JSON object. */
static int keep_tags(struct owner *owner, const char *const *tags, size_t count,
		     struct arena *arena)
{
	json_t *object = count > 0 ? json_object() : NULL;
	char *text;

	if (count == 0)
		return 0;
	for (size_t i = 0; i < count; i++) {
		char *name = strndup(tags[i], strcspn(tags[i], "="));
		json_t *key = json_text(name);

		json_put(object, json_string_value(key),
			 name ? json_text(tags[i] + strlen(name) + 1) : NULL);
		json_decref(key);
		free(name);
	}
	object = json_whole(object);
	text = object ? json_dumps(object, JSON_COMPACT | JSON_SORT_KEYS) : NULL;
	owner->tags = text ? arena_strdup(arena, text) : NULL;
	free(text);
	json_decref(object);
	return owner->tags ? 0 : ERR_NOMEM;
}

static int give_ptr(struct owner *owner, const char *fqdn, const char *description, uint32_t ttl,
		    const struct model *model, struct arena *arena)
{
	char text[NAME_TEXT_MAX];

	if (!fqdn || !*fqdn)
		return 0;
	owner->ptr = (struct owner_ptr){
		.fqdn = arena_strdup(arena, owner_dotted(fqdn, text)),
		.description = description,
		.ttl_given = ttl != NOT_GIVEN,
		.ttl = ttl != NOT_GIVEN ? ttl : model->reverse.ttl,
		.status = PTR_ACTIVE,
		.read_only = true,
	};
	return owner->ptr.fqdn ? 0 : ERR_NOMEM;
}

int owner_of_address(struct owner *owner, const struct owned_address *address,
		     const struct model *model, struct arena *arena)
{
	*owner = (struct owner){
		.kind = OWNER_ADDRESS,
		.origin = address->origin,
		.name = address->name,
		.resource_group = address->resource_group,
		.region = model_region(model, address->region),
		.subscription = model->subscription,
		.address = address->address,
		.allocation = address->allocation,
		.label = address->domain_name_label,
		.description = address->description,
	};
	if (keep_id(owner, address->id, arena) != 0 || keep_fqdn(owner, model, arena) != 0 ||
	    keep_tags(owner, address->tags.items, address->tags.count, arena) != 0)
		return ERR_NOMEM;
	return give_ptr(owner, address->reverse_fqdn, address->description, address->ttl, model,
			arena);
}

int owner_of_service(struct owner *owner, const struct cloud_service *service,
		     const struct model *model, struct arena *arena)
{
	*owner = (struct owner){
		.kind = OWNER_SERVICE,
		.origin = service->origin,
		.name = service->name,
		.subscription = model->subscription,
		.address = service->address,
		.allocation = ALLOCATION_STATIC,
		.description = service->description,
	};
	if (keep_id(owner, service->id, arena) != 0 || keep_fqdn(owner, model, arena) != 0 ||
	    keep_tags(owner, service->tags.items, service->tags.count, arena) != 0)
		return ERR_NOMEM;
	return give_ptr(owner, service->reverse_fqdn, service->ptr_description, service->ttl, model,
			arena);
}

/* ---- rows ---- */

const char *row_text(const json_t *values, const char *key, struct arena *arena, int *err)
{
	const char *text = json_string_value(json_object_get(values, key));
	const char *kept = text ? arena_strdup(arena, text) : NULL;

	if (text && !kept)
		*err = ERR_NOMEM;
	return kept;
}

const char *row_tags(const json_t *values, struct arena *arena, int *err)
{
	const json_t *tags = json_object_get(values, "tags");
	char *text =
		json_object_size(tags) > 0 ? json_dumps(tags, JSON_COMPACT | JSON_SORT_KEYS) : NULL;
	const char *kept = text ? arena_strdup(arena, text) : NULL;

	if (json_object_size(tags) > 0 && !kept)
		*err = ERR_NOMEM;
	free(text);
	return kept;
}

static int ptr_of(struct owner_ptr *ptr, const struct source_keys *keys, const json_t *values,
		  const char *description, const struct model *model, struct arena *arena)
{
	int err = 0;

	if (keys->ptr_action > PTR_ACTION_DELETE)
		return ERR_INVALID;
	*ptr = (struct owner_ptr){
		.fqdn = keys->ptr ? arena_strdup(arena, keys->ptr) : NULL,
		.description = keys->ptr ? row_text(values, description, arena, &err) : NULL,
		.ttl_given = keys->ttl_given,
		.ttl = keys->ttl_given ? keys->ttl : model->reverse.ttl,
		.revision = keys->ptr_revision,
		.action = (enum ptr_action)keys->ptr_action,
	};
	ptr->status = ptr->fqdn ? PTR_ACTIVE : PTR_INACTIVE;
	return keys->ptr && !ptr->fqdn ? ERR_NOMEM : err;
}

static int fill_owner(struct owner *owner, const struct source_resource *row, const json_t *values,
		      const struct model *model, struct arena *arena)
{
	bool service = row->kind == KIND_SERVICE;
	const struct source_keys *keys = row->keys;
	const char *allocation = json_string_value(json_object_get(values, "allocation"));
	int err = 0;

	*owner = (struct owner){
		.kind = service ? OWNER_SERVICE : OWNER_ADDRESS,
		.id = keys->id ? arena_strdup(arena, keys->id) : NULL,
		.name = row_text(values, "name", arena, &err),
		.resource_group = row_text(values, "resource_group", arena, &err),
		.region = keys->region ? arena_strdup(arena, keys->region) : NULL,
		.subscription = row_text(values, "subscription", arena, &err),
		.address = keys->address,
		.allocation = service || (allocation && strcmp(allocation, "static") == 0)
				      ? ALLOCATION_STATIC
				      : ALLOCATION_DYNAMIC,
		.label = row_text(values, "domain_name_label", arena, &err),
		.description = service ? row_text(values, "description", arena, &err) : NULL,
		.tags = row_tags(values, arena, &err),
		.revision = row->revision,
	};
	if (err)
		return err;
	if (!owner->name || !owner->id || !owner->address.family)
		return ERR_INVALID;
	err = ptr_of(&owner->ptr, keys, values, service ? "ptr_description" : "description", model,
		     arena);
	return err ? err : keep_fqdn(owner, model, arena);
}

int owner_of_row(struct owner *owner, const struct source_resource *row, const struct model *model,
		 struct arena *arena)
{
	json_t *values = json_loads(row->json, 0, NULL);
	int err = values ? fill_owner(owner, row, values, model, arena) : ERR_INVALID;

	json_decref(values);
	return err;
}

int owner_take_ptr_row(struct owner_ptr *ptr, const struct source_resource *row,
		       const struct model *model, struct arena *arena)
{
	json_t *values = json_loads(row->json, 0, NULL);
	int err = values && row->keys->ptr
			  ? ptr_of(ptr, row->keys, values, "description", model, arena)
			  : ERR_INVALID;

	json_decref(values);
	return err;
}

/* ---- and where they go to ---- */

static void put_ptr(json_t *values, const struct owner_ptr *ptr, const char *description)
{
	if (!ptr->fqdn || ptr->read_only)
		return;
	json_put_text(values, "reverse_fqdn", ptr->fqdn);
	json_put_text(values, description, ptr->description);
	if (ptr->ttl_given)
		json_put(values, "ttl", json_integer(ptr->ttl));
}

/* Without its PTR. */
static json_t *values_of(const struct owner *owner, const char *subscription)
{
	char address[ADDRESS_TEXT_MAX];
	json_t *values = json_make("{s:o}", "name", json_text(owner->name));

	json_put_text(values, "resource_group", owner->resource_group);
	json_put_text(values, "id", owner->id);
	json_put_text(values, "region", owner->region);
	json_put_text(values, "subscription", subscription);
	json_put_text(values, "address", address_print(&owner->address, address));
	if (owner->kind == OWNER_ADDRESS)
		json_put_text(values, "allocation", schema_allocation_names[owner->allocation]);
	json_put_text(values, "domain_name_label", owner->label);
	json_put_text(values, "description", owner->description);
	if (owner->tags)
		json_put(values, "tags", json_loads(owner->tags, 0, NULL));
	return values;
}

json_t *owner_object(const struct owner *owner)
{
	return values_of(owner, NULL);
}

bool owner_has_ptr_of_state(const struct owner *owner)
{
	return owner_is_read_only(owner) && owner->ptr.fqdn && !owner->ptr.read_only;
}

json_t *owner_whole_object(const struct owner *owner)
{
	json_t *values = values_of(owner, NULL);
	struct owner_ptr ptr = owner->ptr;

	ptr.read_only = false; /* whoever says it */
	if (!owner_has_ptr_of_state(owner))
		put_ptr(values, &ptr,
			owner->kind == OWNER_SERVICE ? "ptr_description" : "description");
	return values;
}

json_t *owner_ptr_object(const struct owner *owner)
{
	json_t *object;

	if (!owner->ptr.fqdn || owner->ptr.read_only)
		return NULL;
	object = json_make("{s:o}", "owner", json_text(owner->id));
	put_ptr(object, &owner->ptr, "description");
	return object;
}

char *owner_values(const struct owner *owner)
{
	json_t *values = values_of(owner, owner->subscription);

	put_ptr(values, &owner->ptr,
		owner->kind == OWNER_SERVICE ? "ptr_description" : "description");
	return json_whole_text(values);
}

char *owner_ptr_values(const struct owner_ptr *ptr)
{
	json_t *values = json_object();

	put_ptr(values, ptr, "description");
	return json_whole_text(values);
}

/* The JSON object as the file's "NAME=VALUE". */
static int list_tags(const char *text, const char ***items, size_t *count, struct arena *arena)
{
	json_t *tags = text ? json_loads(text, 0, NULL) : NULL, *value;
	const char **list = arena_alloc_array(arena, json_object_size(tags), sizeof *list);
	const char *name;
	int err = list ? 0 : ERR_NOMEM;

	*count = 0;
	json_object_foreach(tags, name, value)
	{
		if (err)
			break;
		list[*count] = arena_printf(arena, "%s=%s", name, json_string_value(value));
		err = list[(*count)++] ? 0 : ERR_NOMEM;
	}
	json_decref(tags);
	*items = list;
	return err;
}

int owner_to_address(const struct owner *owner, struct owned_address *address, struct arena *arena)
{
	const struct owner_ptr *ptr = &owner->ptr;

	*address = (struct owned_address){
		.origin = owner->origin,
		.name = owner->name,
		.resource_group = owner->resource_group,
		.id = owner->id,
		.region = owner->region,
		.address = owner->address,
		.allocation = owner->allocation,
		.domain_name_label = owner->label,
		.reverse_fqdn = ptr->fqdn,
		.description = ptr->fqdn ? ptr->description : owner->description,
		.ttl = ptr->fqdn && ptr->ttl_given ? ptr->ttl : NOT_GIVEN,
	};
	return list_tags(owner->tags, &address->tags.items, &address->tags.count, arena);
}

int owner_to_service(const struct owner *owner, struct cloud_service *service, struct arena *arena)
{
	const struct owner_ptr *ptr = &owner->ptr;

	*service = (struct cloud_service){
		.origin = owner->origin,
		.name = owner->name,
		.id = owner->id,
		.description = owner->description,
		.address = owner->address,
		.reverse_fqdn = ptr->fqdn,
		.ptr_description = ptr->fqdn ? ptr->description : NULL,
		.ttl = ptr->fqdn && ptr->ttl_given ? ptr->ttl : NOT_GIVEN,
	};
	return list_tags(owner->tags, &service->tags.items, &service->tags.count, arena);
}

struct source_keys owner_ptr_keys(const struct owner_ptr *ptr)
{
	return (struct source_keys){
		.ptr = ptr->read_only ? NULL : ptr->fqdn,
		.ttl_given = ptr->fqdn && ptr->ttl_given,
		.ttl = ptr->ttl,
		.ptr_revision = ptr->revision,
		.ptr_action = ptr->action,
	};
}

struct source_keys owner_keys(const struct owner *owner, struct owner_scratch *scratch)
{
	struct source_keys keys = owner_ptr_keys(&owner->ptr);

	keys.id = owner->id;
	keys.address = owner->address;
	if (owner->kind == OWNER_SERVICE)
		return keys;
	keys.region = owner->region;
	snprintf(scratch->group, sizeof scratch->group, "%s",
		 owner->resource_group ? owner->resource_group : "");
	keys.group = text_lower(scratch->group);
	if (owner->label && owner->region) {
		snprintf(scratch->host, sizeof scratch->host, "%s.%s", owner->label, owner->region);
		keys.host = text_lower(scratch->host);
	}
	return keys;
}

unsigned owner_kind_id(enum owner_kind kind)
{
	return kind == OWNER_SERVICE ? KIND_SERVICE : KIND_ADDRESS;
}

int owner_key(const struct owner *owner, char key[PATH_MAX_BYTES])
{
	return path_key_of(owner_kind_id(owner->kind),
			   owner->kind == OWNER_SERVICE ? NULL : owner->resource_group, owner->name,
			   key);
}

int owner_serve(const struct owner *owner, struct owned_draft *draft, const struct hash_key *key,
		const struct model *model)
{
	struct name name;
	int err = 0;

	if (owner->ptr.fqdn) {
		err = name_from_text(&name, key, owner->ptr.fqdn);
		if (!err)
			err = owned_set_ptr(draft, &owner->address, &name, owner->ptr.ttl);
	}
	if (!err && owner->fqdn && name_from_text(&name, key, owner->fqdn) == 0)
		err = owned_set_host(draft, &name, &owner->address, model->reverse.ttl);
	return err;
}

int owner_unserve(const struct owner *owner, struct owned_draft *draft, const struct hash_key *key)
{
	struct name name;
	int err = 0;

	if (owner->ptr.fqdn)
		err = owned_set_ptr(draft, &owner->address, NULL, 0);
	if (!err && owner->fqdn && name_from_text(&name, key, owner->fqdn) == 0)
		err = owned_set_host(draft, &name, NULL, 0);
	return err;
}
