/* One table of keys says what each is worth in a body; showing is plain. Values are checked by
 * change.h, in the schema's own words; only that they are texts and numbers is seen to here. */
#include "resolver/control/resource/reverse_json.h"

#include <string.h>
#include <strings.h>

#include "resolver/control/base/json.h"
#include "resolver/control/resource/ownership.h"
#include "rules/schema/schema.h"
#include "rules/text.h"

/* ---- showing ---- */

static json_t *origin_json(const struct origin *origin)
{
	char text[600];
	if (!origin->file)
		return json_null();
	snprintf(text, sizeof text, "%s:%u", origin->file, origin->line);
	return json_text(text);
}

static json_t *address_json(const struct address *address)
{
	char text[ADDRESS_TEXT_MAX];
	return json_text(address_print(address, text));
}

static json_t *tags_json(const char *tags)
{
	json_t *object = tags ? json_loads(tags, 0, NULL) : NULL;
	return object ? object : json_object();
}

enum { PTR_ID_MAX = 300 };

static char *ptr_id(const struct owner *owner, char text[PTR_ID_MAX])
{
	snprintf(text, PTR_ID_MAX, "%s%s%s", owner->region ? owner->region : "",
		 owner->region ? ":" : "", owner->id);
	return text;
}

/* reverse_fqdn, ttl, ttl_served, status, action, reason, and the etag. */
static void put_ptr(json_t *object, const struct owner *owner)
{
	char etag[ETAG_MAX];
	const struct owner_ptr *ptr = &owner->ptr;
	json_put(object, "reverse_fqdn", json_text(ptr->fqdn));
	json_put(object, "ttl", ptr->fqdn && ptr->ttl_given ? json_integer(ptr->ttl) : json_null());
	json_put(object, "ttl_served", ptr->fqdn ? json_integer(ptr->ttl) : json_null());
	json_put(object, "status", json_text(ptr_status_text(ptr->status)));
	json_put(object, "action", json_text(ptr_action_text(ptr->action)));
	json_put(object, "reason", json_text(ptr->reason));
	json_put(object, "etag", json_text(owner_etag(owner, etag)));
}

json_t *owner_json(const struct owner *owner)
{
	bool service = owner->kind == OWNER_SERVICE;
	json_t *object =
		json_make("{s:o, s:o, s:o}", "id", json_text(owner->id), "name",
			  json_text(owner->name), "address", address_json(&owner->address));
	if (!service) {
		json_put(object, "resource_group", json_text(owner->resource_group));
		json_put(object, "region", json_text(owner->region));
		json_put(object, "subscription", json_text(owner->subscription));
		json_put(object, "allocation",
			 json_text(schema_allocation_names[owner->allocation]));
		json_put(object, "domain_name_label", json_text(owner->label));
	}
	json_put(object, "fqdn", json_text(owner->fqdn));
	json_put(object, "tags", tags_json(owner->tags));
	json_put(object, "description",
		 json_text(service ? owner->description : owner->ptr.description));
	if (service)
		json_put(object, "ptr_description", json_text(owner->ptr.description));
	put_ptr(object, owner);
	json_put(object, "origin", origin_json(&owner->origin));
	return object;
}

json_t *owner_ptr_json(const struct owner *owner)
{
	char id[PTR_ID_MAX];
	json_t *object = json_make(
		"{s:o, s:s, s:o, s:o, s:o, s:o, s:o}", "id", json_text(ptr_id(owner, id)), "kind",
		owner->kind == OWNER_SERVICE ? "service" : "address", "name",
		json_text(owner->name), "resource_group", json_text(owner->resource_group),
		"region", json_text(owner->region), "address", address_json(&owner->address),
		"description", json_text(owner->ptr.description));
	put_ptr(object, owner);
	json_put(object, "origin",
		 owner->ptr.read_only ? origin_json(&owner->origin) : json_null());
	return object;
}

/* ---- taking ---- */

static int read_text(const char *key, const json_t *value, const char **text,
		     struct change_error *error)
{
	*text = json_string_value(value);
	return *text || json_is_null(value) ? 0
					    : change_refuse(error, key, "must be a string or null");
}

static int read_fqdn(struct owner_input *input, const char *key, const json_t *value,
		     struct change_error *error)
{
	input->has_fqdn = true;
	return read_text(key, value, &input->ptr.fqdn, error);
}

static int read_description(struct owner_input *input, const char *key, const json_t *value,
			    struct change_error *error)
{
	return read_text(key, value, &input->ptr.description, error);
}

static int read_ttl(struct owner_input *input, const char *key, const json_t *value,
		    struct change_error *error)
{
	input->ptr.ttl_given = json_is_integer(value);
	input->ptr.ttl = json_integer_value(value);
	if (json_is_integer(value) || json_is_null(value))
		return 0;
	return change_refuse(error, key, "must be a whole number of seconds or null");
}

static int read_nothing(struct owner_input *input, const char *key, const json_t *value,
			struct change_error *error)
{
	(void)input, (void)key, (void)value, (void)error;
	return 0;
}

static int read_value(struct owner_input *input, const char *key, const json_t *value,
		      struct change_error *error)
{
	const char *text;
	if (input->count == OWNER_VALUES_MAX / 2)
		return change_refuse(error, key, "too many members; the object has at most %d",
				     OWNER_VALUES_MAX / 2);
	int err = read_text(key, value, &text, error);
	if (err == 0)
		input->values[input->count++] = (struct change_value){key, text};
	return err;
}

static int read_tags(struct owner_input *input, const char *key, const json_t *value,
		     struct change_error *error)
{
	if (!json_is_object(value) && !json_is_null(value))
		return change_refuse(error, key, "must be an object of strings, or null");
	if (json_object_size(value) == 0)
		return read_value(input, key, json_null(), error);
	input->tags = json_dumps(value, JSON_COMPACT | JSON_SORT_KEYS);
	if (!input->tags) {
		error->outcome = CHANGE_NO_MEMORY;
		return ERR_INVALID;
	}
	input->values[input->count++] = (struct change_value){key, input->tags};
	return 0;
}

struct key_reader {
	const char *key;
	int (*read)(struct owner_input *input, const char *key, const json_t *value,
		    struct change_error *error);
};

/* Keys that only tell something. */
static const char *const told[] = {"fqdn",   "ttl_served", "status", "action",   "reason",
				   "origin", "etag",       "kind",   "warnings", NULL};

/* Any other key is a value of the owner. */
static const struct key_reader address_keys[] = {
	{"reverse_fqdn", read_fqdn},
	{"description", read_description},
	{"ttl", read_ttl},
	{"tags", read_tags},
	{NULL, NULL},
};
static const struct key_reader service_keys[] = {
	{"reverse_fqdn", read_fqdn},
	{"ptr_description", read_description},
	{"ttl", read_ttl},
	{"tags", read_tags},
	{NULL, NULL},
};
/* There is no other key. */
static const struct key_reader ptr_keys[] = {
	{"reverse_fqdn", read_fqdn},
	{"description", read_description},
	{"ttl", read_ttl},
	{"id", read_nothing},
	{"name", read_nothing},
	{"region", read_nothing},
	{"resource_group", read_nothing},
	{"address", read_nothing},
	{"owner", read_nothing},
	{NULL, NULL},
};

/* The row of the key; of any other key the one that ends the table. */
static const struct key_reader *find_key(const struct key_reader *keys, const char *key)
{
	while (keys->key && strcmp(keys->key, key) != 0)
		keys++;
	return keys;
}

static int read_body(struct owner_input *input, const struct key_reader *keys, bool closed,
		     const json_t *body, struct change_error *error)
{
	const char *key;
	json_t *value;
	int err = 0;
	*input = (struct owner_input){.count = 0};
	*error = (struct change_error){.outcome = CHANGE_FINE};
	if (!json_is_object(body))
		return change_refuse(error, "", "the body must be a JSON object");
	json_object_foreach((json_t *)body, key, value)
	{
		const struct key_reader *row = find_key(keys, key);
		if (text_is_among(key, told))
			continue;
		if (row->read)
			err = row->read(input, key, value, error);
		else if (closed)
			err = change_refuse(error, key,
					    "unknown; a PTR has reverse_fqdn, description and "
					    "ttl");
		else
			err = read_value(input, key, value, error);
		if (err != 0)
			break;
	}
	if (err != 0)
		owner_input_release(input);
	return err;
}

int owner_input_read(struct owner_input *input, enum owner_kind kind, const json_t *body,
		     struct change_error *error)
{
	const struct key_reader *keys = kind == OWNER_SERVICE ? service_keys : address_keys;
	return read_body(input, keys, false, body, error);
}

int owner_input_read_ptr(struct owner_input *input, const json_t *body, struct change_error *error)
{
	return read_body(input, ptr_keys, true, body, error);
}

void owner_input_release(struct owner_input *input)
{
	free(input->tags);
	input->tags = NULL;
}

/* What is there already, or stands in the path, may be repeated but not contradicted. Takes `key`
 * out of the input. */
static int settle_value(struct owner_input *input, const char *key, const char *expected,
			struct change_error *error)
{
	for (size_t i = 0; i < input->count; i++) {
		const char *text = input->values[i].text;
		if (strcmp(input->values[i].key, key) != 0)
			continue;
		if (strcasecmp(text ? text : "", expected ? expected : "") != 0)
			return change_refuse(error, key, "it is %s%s%s, and cannot change",
					     expected ? "\"" : "", expected ? expected : "none",
					     expected ? "\"" : "");
		input->values[i] = input->values[--input->count];
		return 0;
	}
	return 0;
}

static bool has_value(const struct owner_input *input, const char *key)
{
	for (size_t i = 0; i < input->count; i++)
		if (strcmp(input->values[i].key, key) == 0)
			return true;
	return false;
}

static void put_value(struct owner_input *input, const char *key, const char *text)
{
	if (!has_value(input, key))
		input->values[input->count++] = (struct change_value){key, text};
}

/* Brings the input into the form that change_add and change_set want: what a body may leave out
 * because it is removed then is named. */
static int complete(struct owner_input *input, struct change *change, enum owner_kind kind,
		    const char *group, const char *name, const struct owner *owner,
		    struct change_error *error)
{
	const char *subscription = owner ? owner->subscription : change_model(change)->subscription;
	int err = settle_value(input, "name", name, error);
	if (err == 0 && kind == OWNER_ADDRESS)
		err = settle_value(input, "resource_group", group, error);
	if (err == 0 && kind == OWNER_ADDRESS)
		err = settle_value(input, "subscription", subscription, error);
	if (err == 0 && owner)
		err = settle_value(input, "id", owner->id, error);
	if (err != 0)
		return err;
	if (!owner) {
		put_value(input, "name", name);
		if (group)
			put_value(input, "resource_group", group);
	} else {
		put_value(input, kind == OWNER_ADDRESS ? "domain_name_label" : "description", NULL);
		put_value(input, "tags", NULL);
	}
	return 0;
}

/* Makes the PTR what the input says; without a name there is none. */
static int set_ptr(const struct owner_input *input, struct change *change,
		   const struct owner *owner, struct change_error *error)
{
	const struct change_ptr *ptr = &input->ptr;

	if (ptr->fqdn && *ptr->fqdn)
		return change_ptr_set(change, owner, ptr);
	if (!owner->ptr.fqdn && (ptr->description || ptr->ttl_given))
		return change_refuse(
			error, ptr->description ? "description" : "ttl",
			"belongs to the PTR, and there is none; give reverse_fqdn as well");
	return owner->ptr.fqdn ? change_ptr_unset(change, owner) : 0;
}

/* Whether the PTR is that already: then its row keeps the revision at which it was set. */
static bool has_ptr(const struct owner_input *input, const struct change *change,
		    const struct owner *owner)
{
	return owner->ptr.fqdn && change_ptr_is_same(change, owner, &input->ptr);
}

/* Makes the address or service of that name what the input says. What stands in the path, or cannot
 * change, may be repeated and not contradicted. */
static int put_input(const struct owner_input *input, struct change *change, enum owner_kind kind,
		     const char *group, const char *name, const struct owner *owner,
		     struct change_error *error)
{
	struct owner_input completed = *input; /* for what is there now */
	int err = complete(&completed, change, kind, group, name, owner, error);

	if (!err && !owner)
		err = change_add(change, kind, completed.values, completed.count, &owner);
	else if (!err)
		err = change_set(change, owner, completed.values, completed.count, &owner);
	return err || has_ptr(input, change, owner) ? err : set_ptr(input, change, owner, error);
}

/* ---- as resources ---- */

/* What the path names; NULL: there is none. */
static const struct owner *find(struct inventory *inventory, const struct path *path)
{
	switch (path->kind->id) {
	case KIND_ADDRESS:
		return inventory_address(inventory,
					 strcmp(path->group, GROUP_NONE) == 0 ? NULL : path->group,
					 path->names[0]);
	case KIND_SERVICE: return inventory_service(inventory, path->names[0]);
	default: return inventory_by_ptr(inventory, path->names[0]);
	}
}

const struct owner *owned_find(struct inventory *inventory, const struct path *path)
{
	return path->kind->id == KIND_GROUP ? NULL : find(inventory, path);
}

json_t *owned_values(struct inventory *inventory, const struct path *path)
{
	struct resource_group group;
	const struct owner *owner;
	json_t *values;

	if (path->kind->id == KIND_GROUP)
		return inventory_group(inventory, path->names[0], &group) ? group_object(&group)
									  : NULL;
	owner = find(inventory, path);
	if (!owner || path->kind->id != KIND_PTR)
		return owner ? owner_whole_object(owner) : NULL;
	values = owner_ptr_object(owner);
	if (!values)
		return json_make("{s:n}", "reverse_fqdn");
	json_object_del(values, "owner"); /* is the path's */
	return values;
}

bool owned_etag(struct inventory *inventory, const struct path *path, char etag[ETAG_MAX])
{
	struct resource_group group;
	const struct owner *owner;
	bool there;

	if (path->kind->id == KIND_GROUP) {
		there = inventory_group(inventory, path->names[0], &group);
		if (there)
			group_etag(&group, etag);
		return there;
	}
	owner = find(inventory, path);
	if (owner)
		owner_etag(owner, etag);
	return owner && (path->kind->id != KIND_PTR || owner->ptr.fqdn);
}

/* As the values write it: the history's paths are in lower case. What they say otherwise is refused
 * later. */
static const char *spelled(const json_t *values, const char *key, const char *name)
{
	const char *text = json_string_value(json_object_get(values, key));

	return text && name && strcasecmp(text, name) == 0 ? text : name;
}

/* Whether it is the forward name of the service that is to be. */
static bool is_its_own(const struct change *change, const char *service, const char *fqdn)
{
	char bare[NAME_TEXT_MAX];
	const struct owner owner = {
		.ptr.fqdn = owned_service_name(change_model(change), service, bare)};

	return owner_has_ptr(&owner, fqdn);
}

/* A name for the service, which is not there yet where owner is NULL: nobody can be asked here
 * whose it is. */
static int check_service_name(const struct change *change, struct inventory *inventory,
			      const char *service, const struct owner *owner, const char *fqdn,
			      struct change_error *error)
{
	if (!fqdn || !*fqdn || owner_has_ptr(owner, fqdn) || is_its_own(change, service, fqdn) ||
	    ownership_is_forward(inventory, ownership_subscription(inventory, owner), fqdn))
		return 0;
	return change_refuse(
		error, "reverse_fqdn",
		"the name of a cloud service must belong to its subscription; \"%.260s\" "
		"is no address's or service's own, and others are not checked in bulk; "
		"set it on its own: PUT /v1/services/NAME",
		fqdn);
}

static bool asks_whose(enum owned_edit why)
{
	return why != OWNED_CLAIMED && why != OWNED_BACK;
}

/* Whether the values are of another one, which had the name before. */
static bool is_another(const struct owner *owner, const json_t *values)
{
	const char *id = json_string_value(json_object_get(values, "id"));

	return owner && id && strcasecmp(owner->id, id) != 0;
}

static int put_owner(struct change *change, struct inventory *inventory, const struct path *path,
		     const struct owner *owner, const json_t *values, enum owned_edit why,
		     struct change_error *error)
{
	enum owner_kind kind = path->kind->id == KIND_SERVICE ? OWNER_SERVICE : OWNER_ADDRESS;
	const char *group = strcmp(path->group, GROUP_NONE) == 0 ? NULL : path->group;
	struct owner_input input = {.count = 0};
	json_t *body = json_copy((json_t *)(uintptr_t)values);
	int err;

	if (kind == OWNER_SERVICE)
		json_object_del(body, "subscription"); /* of the history */
	err = owner_input_read(&input, kind, body, error);
	if (err != 0) {
		json_decref(body);
		return err;
	}
	if (why == OWNED_BACK && is_another(owner, values)) {
		err = change_remove(change, owner);
		owner = NULL;
	}
	if (err == 0 && kind == OWNER_SERVICE && asks_whose(why))
		err = check_service_name(change, inventory, path->names[0], owner, input.ptr.fqdn,
					 error);
	if (err == 0)
		err = put_input(&input, change, kind, spelled(values, "resource_group", group),
				spelled(values, "name", path->names[0]), owner, error);
	owner_input_release(&input);
	json_decref(body);
	return err;
}

static bool is_text(const json_t *values, const char *key, const char *text)
{
	const char *value = json_string_value(json_object_get(values, key));

	return strcasecmp(value ? value : "", text ? text : "") == 0;
}

bool owned_gives_way(struct inventory *inventory, const struct path *path, const json_t *values)
{
	bool is_owner = path->kind->id == KIND_ADDRESS || path->kind->id == KIND_SERVICE;
	const struct owner *owner = is_owner ? find(inventory, path) : NULL;
	char address[ADDRESS_TEXT_MAX];

	if (!owner || owner_is_read_only(owner))
		return false;
	return !values || is_another(owner, values) ||
	       !is_text(values, "address", address_print(&owner->address, address)) ||
	       !is_text(values, "domain_name_label", owner->label) ||
	       !is_text(values, "region", owner->region);
}

static int put_ptr_of(struct change *change, struct inventory *inventory, const struct path *path,
		      const struct owner *owner, const json_t *values, enum owned_edit why,
		      struct change_error *error)
{
	struct owner_input input = {.count = 0};
	int err;

	if (!owner)
		return change_say(error, CHANGE_NOT_FOUND, NULL,
				  "\"%.80s\" is not an address or id that we own; add the address "
				  "first",
				  path->names[0]);
	err = owner_input_read_ptr(&input, values, error);
	if (err != 0)
		return err;
	if (!input.has_fqdn)
		return change_refuse(error, "reverse_fqdn",
				     "it is missing; give the name, or null for none");
	if (owner->kind == OWNER_SERVICE && asks_whose(why))
		err = check_service_name(change, inventory, owner->name, owner, input.ptr.fqdn,
					 error);
	if (err == 0)
		err = set_ptr(&input, change, owner, error);
	owner_input_release(&input);
	return err;
}

static int read_group_value(struct change_group *group, const char *key, const json_t *value,
			    struct change_error *error)
{
	const char *text;

	if (text_is_among(key, told))
		return 0;
	if (strcmp(key, "region") == 0)
		return read_text(key, value, &group->region, error);
	if (strcmp(key, "tags") == 0)
		return json_is_object(value) || json_is_null(value)
			       ? 0
			       : change_refuse(error, key, "must be an object of strings, or null");
	if (strcmp(key, "name") != 0)
		return change_refuse(error, key, "unknown; a group has name, region and tags");
	if (read_text(key, value, &text, error) != 0)
		return ERR_INVALID;
	if (text && strcasecmp(text, group->name) != 0)
		return change_refuse(error, key, "it is \"%s\", and cannot change", group->name);
	group->name = text ? text : group->name;
	return 0;
}

static int put_group(struct change *change, const struct path *path, const json_t *values,
		     struct change_error *error)
{
	struct change_group group = {.name = path->names[0]};
	const json_t *tags = json_object_get(values, "tags");
	const char *key;
	json_t *value;
	char *text;
	int err = 0;

	json_object_foreach((json_t *)(uintptr_t)values, key, value)
	{
		err = read_group_value(&group, key, value, error);
		if (err != 0)
			return err;
	}
	group.tags = text = json_object_size(tags) > 0 ? json_dumps(tags, JSON_COMPACT) : NULL;
	err = change_group_put(change, &group, false);
	free(text);
	return err;
}

static int remove_group(struct change *change, struct inventory *inventory, const struct path *path,
			enum owned_edit why)
{
	struct resource_group group;
	char items[GROUP_ITEMS_MAX];

	if (!inventory_group(inventory, path->names[0], &group))
		return 0;
	if (inventory_group_size(inventory, path->names[0]) > 0 && why != OWNED_ANY && !group.tags)
		return 0; /* it came with an address, and others came, or were there */
	if (inventory_group_size(inventory, path->names[0]) > 0)
		return change_fail(change, CHANGE_INVALID, "",
				   "resource group \"%s\" has addresses; remove them first",
				   group.name);
	if (why == OWNED_ANY && group_items(inventory_model(inventory), group.name, items) > 0)
		return change_fail(change, CHANGE_INVALID, "",
				   "resource group \"%s\" has other resources (%s); remove them "
				   "first",
				   group.name, items);
	return change_group_forget(change, path->names[0]);
}

static int remove_one(struct change *change, struct inventory *inventory, const struct path *path,
		      const struct owner *owner, enum owned_edit why)
{
	if (path->kind->id == KIND_GROUP)
		return remove_group(change, inventory, path, why);
	if (path->kind->id == KIND_PTR)
		return owner && owner->ptr.fqdn ? change_ptr_unset(change, owner) : 0;
	return owner ? change_remove(change, owner) : 0;
}

int owned_put(struct change *change, struct inventory *inventory, const struct path *path,
	      const json_t *values, enum owned_edit why)
{
	struct change_error error = {.outcome = CHANGE_FINE};
	const struct owner *owner;
	int err = change_is_open(change);

	if (err != 0)
		return err;
	owner = owned_find(inventory, path);
	if (!values)
		err = remove_one(change, inventory, path, owner, why);
	else if (path->kind->id == KIND_GROUP)
		err = put_group(change, path, values, &error);
	else if (path->kind->id == KIND_PTR)
		err = put_ptr_of(change, inventory, path, owner, values, why, &error);
	else
		err = put_owner(change, inventory, path, owner, values, why, &error);
	if (error.outcome != CHANGE_FINE)
		return change_fail(change, error.outcome, error.field, "%s", error.text);
	return err ? err : change_is_open(change); /* "not there" may be "could not be read" */
}
