/* An edit's values are read into the struct that the configuration file fills, too, by the same
 * table of fields. What goes together with what is change.c's matter. */
#include "resolver/control/resource/addresses.h"

#include <string.h>
#include <strings.h>

#include "resolver/control/base/json.h"
#include "resolver/control/base/uuid.h"
#include "resolver/control/resource/ownership.h"
#include "resolver/control/resource/values.h"
#include "rules/base.h"
#include "rules/schema/schema.h"
#include "rules/text.h"

/* ---- what is there ---- */

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

const struct owner *addresses_find(struct inventory *inventory, const struct path *path)
{
	return path->kind->id == KIND_GROUP ? NULL : find(inventory, path);
}

json_t *addresses_values(struct inventory *inventory, const struct path *path)
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
	if (!owner->ptr.fqdn || owner->ptr.read_only)
		return json_make("{s:n}", "reverse_fqdn");
	values = owner_ptr_object(owner);
	json_object_del(values, "owner"); /* is the path's */
	return values;
}

bool addresses_etag(struct inventory *inventory, const struct path *path, char etag[ETAG_MAX])
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

/* Whether the values have another id: those of an earlier address or service with this name. */
static bool is_another(const struct owner *owner, const json_t *values)
{
	const char *id = json_string_value(json_object_get(values, "id"));

	return owner && id && strcasecmp(owner->id, id) != 0;
}

static bool is_text(const json_t *values, const char *key, const char *text)
{
	const char *value = json_string_value(json_object_get(values, key));

	return strcasecmp(value ? value : "", text ? text : "") == 0;
}

bool addresses_give_way(struct inventory *inventory, const struct path *path, const json_t *values)
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

/* ---- names of services ---- */

/* Whether it is the forward name of the service that is to be. */
static bool is_its_own(const struct change *change, const char *service, const char *fqdn)
{
	char bare[NAME_TEXT_MAX];
	const struct owner owner = {
		.ptr.fqdn = owned_service_name(change_model(change), service, bare)};

	return owner_has_ptr(&owner, fqdn);
}

/* Whether the name may be that of the service (owner NULL: it is not there yet). Nobody can be
 * asked here whose it is. */
static int check_service_name(struct change *change, const char *service, const struct owner *owner,
			      const char *fqdn)
{
	struct inventory *inventory = change_inventory(change);

	if (!fqdn || !*fqdn || owner_has_ptr(owner, fqdn) || is_its_own(change, service, fqdn) ||
	    ownership_is_forward(inventory, ownership_subscription(inventory, owner), fqdn))
		return 0;
	return change_fail(
		change, CHANGE_INVALID, "reverse_fqdn",
		"the name of a cloud service must belong to its subscription; \"%.260s\" "
		"is no address's or service's own, and others are not checked in bulk; "
		"set it on its own: PUT /v1/services/NAME",
		fqdn);
}

static bool asks_whose(enum addresses_why why)
{
	return why != ADDRESSES_CLAIMED && why != ADDRESSES_BACK;
}

/* ---- an address or service: what its values say ---- */

struct address_reading {
	struct change *change;
	const struct path *path;
	const struct owner *before; /* as it is; NULL: it is not there */
	bool is_of_history;         /* the values are what there was */
	json_t *values;             /* being completed */
	uint8_t family;             /* of an address that is to be chosen */
	const char *tags;           /* as the state keeps them; NULL: none */
	struct arena arena;
};

static bool is_service(const struct address_reading *reading)
{
	return reading->path->kind->id == KIND_SERVICE;
}

/* What stands in the path, or cannot change, may be repeated and not contradicted. */
static int check_repeated(struct address_reading *reading, const char *key, const char *expected)
{
	const json_t *value = json_object_get(reading->values, key);
	const char *text = json_is_null(value) ? "" : json_string_value(value);

	if (value && !text)
		return change_fail(reading->change, CHANGE_INVALID, key,
				   "must be a string or null");
	if (!value || strcasecmp(text, expected ? expected : "") == 0)
		return 0;
	return change_fail(reading->change, CHANGE_INVALID, key, "it is %s%s%s, and cannot change",
			   expected ? "\"" : "", expected ? expected : "none",
			   expected ? "\"" : "");
}

/* The spelling that is kept: the one stored, else that of the values, else the path's. */
static void put_spelled(struct address_reading *reading, const char *key, const char *stored,
			const char *in_path)
{
	const char *given = json_string_value(json_object_get(reading->values, key));

	if (reading->before)
		json_put(reading->values, key, json_text(stored));
	else if (!given || !*given)
		json_put(reading->values, key, json_text(in_path));
}

static int check_repeated_all(struct address_reading *reading)
{
	const struct owner *before = reading->before;
	const struct path *path = reading->path;
	const char *group = strcmp(path->group, GROUP_NONE) == 0 ? NULL : path->group;
	const char *subscription =
		before ? before->subscription : change_model(reading->change)->subscription;

	if (check_repeated(reading, "name", path->names[0]) != 0 ||
	    (before && check_repeated(reading, "id", before->id) != 0) ||
	    (!is_service(reading) && check_repeated(reading, "resource_group", group) != 0) ||
	    (!(is_service(reading) && reading->is_of_history) &&
	     check_repeated(reading, "subscription", subscription) != 0))
		return ERR_INVALID;
	put_spelled(reading, "name", before ? before->name : NULL, path->names[0]);
	if (!is_service(reading))
		put_spelled(reading, "resource_group", before ? before->resource_group : NULL,
			    group);
	return 0;
}

/* What a body may leave out stays as it is. */
static void keep(struct address_reading *reading, const char *key, const char *text)
{
	if (!json_object_get(reading->values, key))
		json_put(reading->values, key, json_text(text));
}

static void keep_all(struct address_reading *reading)
{
	const struct owner *before = reading->before;
	char address[ADDRESS_TEXT_MAX];

	if (!before)
		return;
	keep(reading, "address", address_print(&before->address, address));
	if (is_service(reading))
		return;
	keep(reading, "region", before->region);
	keep(reading, "allocation", schema_allocation_names[before->allocation]);
}

/* An id never changes; a new address or service gets one, where none is given. */
static void give_id(struct address_reading *reading)
{
	const json_t *given = json_object_get(reading->values, "id");
	char id[UUID_TEXT_MAX];

	if (reading->before)
		json_put(reading->values, "id", json_text(reading->before->id));
	else if (!given || json_is_null(given))
		json_put(reading->values, "id", json_text(uuid_random(id)));
}

/* "family" is no member: it says which address is chosen. */
static int take_family(struct address_reading *reading)
{
	const json_t *value = json_object_get(reading->values, "family");
	const char *text = json_string_value(value);
	bool is_good = text && (strcmp(text, "4") == 0 || strcmp(text, "6") == 0);

	if (value && !json_is_null(value) && !is_good)
		return change_fail(reading->change, CHANGE_INVALID, "family",
				   "does not fit; give the string \"4\" or \"6\"");
	reading->family = reading->before ? reading->before->address.family : 4;
	if (is_good)
		reading->family = *text == '6' ? 6 : 4;
	json_object_del(reading->values, "family");
	return 0;
}

/* Tags are an object here, and a list of "NAME=VALUE" in the file. */
static int take_tags(struct address_reading *reading)
{
	int err = change_read_tags(reading->change, json_object_get(reading->values, "tags"),
				   &reading->arena, &reading->tags);

	json_object_del(reading->values, "tags");
	return err;
}

/* An empty text takes away what can be taken away. */
static void drop_empty(struct address_reading *reading)
{
	static const char *const optional[] = {"domain_name_label", "reverse_fqdn", "description",
					       "ptr_description"};

	for (size_t i = 0; i < COUNT(optional); i++) {
		const json_t *value = json_object_get(reading->values, optional[i]);

		if (json_is_string(value) && json_string_length(value) == 0)
			json_object_del(reading->values, optional[i]);
	}
}

static int complete(struct address_reading *reading)
{
	int err = check_repeated_all(reading);

	if (!err)
		err = take_family(reading);
	if (!err)
		err = take_tags(reading);
	if (err)
		return err;
	for (size_t i = 0; addresses_shown[i]; i++)
		json_object_del(reading->values, addresses_shown[i]);
	json_object_del(reading->values, "subscription");
	drop_empty(reading);
	keep_all(reading);
	give_id(reading);
	reading->values = json_whole(reading->values);
	return reading->values ? 0 : change_fail_memory(reading->change);
}

/* Reads the completed values into the struct of the table. */
static int read_item(struct address_reading *reading, void *item)
{
	static const struct origin nowhere;
	const struct fault *first;
	struct faults faults;
	int err = 0;

	faults_init(&faults);
	values_read(reading->path->kind, reading->values, item, &nowhere, &reading->arena, &faults);
	first = faults_first(&faults);
	if (faults.errors > 0)
		err = first ? change_fail(reading->change, CHANGE_INVALID, first->origin.path, "%s",
					  first->text)
			    : change_fail_memory(reading->change);
	faults_release(&faults);
	return err;
}

/* What the values say, as an owner. */
static int read_owner(struct address_reading *reading, struct owner *owner)
{
	const struct model *model = change_model(reading->change);
	struct owned_address address;
	struct cloud_service service;
	int err = complete(reading);

	if (!err)
		err = read_item(reading, is_service(reading) ? (void *)&service : (void *)&address);
	if (err)
		return err;
	err = is_service(reading) ? owner_of_service(owner, &service, model, &reading->arena)
				  : owner_of_address(owner, &address, model, &reading->arena);
	if (err)
		return change_fail_memory(reading->change);
	if (!is_service(reading))
		owner->description = NULL; /* is its PTR's */
	owner->tags = reading->tags;
	owner->ptr.read_only = false;
	if (reading->before)
		owner->subscription = reading->before->subscription;
	return 0;
}

/* A name of good form, and no description or TTL of a PTR that is not there. */
static int check_ptr(const struct address_reading *reading, const struct owner *owner)
{
	const char *key = is_service(reading) ? "ptr_description" : "description";
	const struct change_ptr ptr = {.fqdn = owner->ptr.fqdn};
	bool described = json_string_value(json_object_get(reading->values, key));

	if (owner->ptr.fqdn)
		return change_ptr_check(reading->change, &ptr);
	if ((!described && !json_is_integer(json_object_get(reading->values, "ttl"))) ||
	    (reading->before && reading->before->ptr.fqdn))
		return 0;
	return change_fail(reading->change, CHANGE_INVALID, described ? key : "ttl",
			   "belongs to the PTR, and there is none; give reverse_fqdn as well");
}

static int put_address(struct change *change, const struct path *path, const struct owner *before,
		       const json_t *values, enum addresses_why why)
{
	struct address_reading reading = {.change = change,
					  .path = path,
					  .before = before,
					  .is_of_history =
						  why == ADDRESSES_UNDO || why == ADDRESSES_BACK,
					  .values = json_copy((json_t *)(uintptr_t)values)};
	struct owner owner;
	int err;

	if (!reading.values)
		return change_fail_memory(change);
	arena_init(&reading.arena);
	err = before ? change_check_writable(change, before) : 0;
	if (!err)
		err = read_owner(&reading, &owner);
	if (!err)
		err = check_ptr(&reading, &owner);
	if (!err && is_service(&reading) && asks_whose(why))
		err = check_service_name(change, path->names[0], before, owner.ptr.fqdn);
	if (!err)
		err = change_put(change, before, &owner, reading.family);
	arena_release(&reading.arena);
	json_decref(reading.values);
	return err;
}

int addresses_add(struct change *change, const struct path *path, const json_t *values)
{
	int err = change_is_open(change);

	return err ? err : put_address(change, path, NULL, values, ADDRESSES_BACK);
}

/* ---- PTRs and groups ---- */

const char *const addresses_shown[] = {"fqdn",   "ttl_served", "status", "action",   "reason",
				       "origin", "etag",       "kind",   "warnings", NULL};
const char *const ptr_around[] = {"id",      "name",  "region", "resource_group",
				  "address", "owner", NULL};

static int read_text(const char *key, const json_t *value, const char **text,
		     struct change_error *error)
{
	*text = json_string_value(value);
	return *text || json_is_null(value) ? 0
					    : change_refuse(error, key, "must be a string or null");
}

static int read_ttl(struct change_ptr *ptr, const json_t *value, struct change_error *error)
{
	ptr->ttl_given = json_is_integer(value);
	ptr->ttl = json_integer_value(value);
	if (json_is_integer(value) || json_is_null(value))
		return 0;
	return change_refuse(error, "ttl", "must be a whole number of seconds or null");
}

static int read_member(struct change_ptr *ptr, const char *key, const json_t *value,
		       struct change_error *error)
{
	if (text_is_among(key, addresses_shown) || text_is_among(key, ptr_around))
		return 0;
	if (strcmp(key, "reverse_fqdn") == 0)
		return read_text(key, value, &ptr->fqdn, error);
	if (strcmp(key, "description") == 0)
		return read_text(key, value, &ptr->description, error);
	if (strcmp(key, "ttl") == 0)
		return read_ttl(ptr, value, error);
	return change_refuse(error, key, "unknown; a PTR has reverse_fqdn, description and ttl");
}

int ptr_of_json(struct change_ptr *ptr, const json_t *body, struct change_error *error)
{
	const char *key;
	json_t *value;
	int err = 0;

	*ptr = (struct change_ptr){.fqdn = NULL};
	*error = (struct change_error){.outcome = CHANGE_FINE};
	if (!json_is_object(body))
		return change_refuse(error, "", "the body must be a JSON object");
	json_object_foreach((json_t *)(uintptr_t)body, key, value) err =
		err ? err : read_member(ptr, key, value, error);
	if (!err && !json_object_get(body, "reverse_fqdn"))
		err = change_refuse(error, "reverse_fqdn",
				    "it is missing; give the name, or null for none");
	return err;
}

/* A PTR whose address is not there waits for it. */
static int forget_waiting(struct change *change, const char *id)
{
	struct owner_ptr waiting;
	int err = inventory_ptr_row(change_inventory(change), id, &waiting);

	return err == 0 ? change_ptr_forget(change, id) : 0;
}

static int put_waiting(struct change *change, const char *id, const struct change_ptr *ptr)
{
	int err = forget_waiting(change, id);

	return err ? err : change_ptr_wait(change, id, ptr);
}

static int put_ptr_of(struct change *change, const struct path *path, const struct owner *owner,
		      const json_t *values, enum addresses_why why)
{
	struct change_error error;
	struct change_ptr ptr;
	int err;

	if (!owner && why != ADDRESSES_BACK)
		return change_fail(change, CHANGE_NOT_FOUND, NULL,
				   "\"%.80s\" is not an address or id that we own; add the address "
				   "first",
				   path->names[0]);
	if (ptr_of_json(&ptr, values, &error) != 0)
		return change_fail(change, error.outcome, error.field, "%s", error.text);
	if (!owner)
		return put_waiting(change, path->names[0], &ptr);
	if (owner->kind == OWNER_SERVICE && asks_whose(why)) {
		err = check_service_name(change, owner->name, owner, ptr.fqdn);
		if (err)
			return err;
	}
	if (ptr.fqdn && *ptr.fqdn)
		return change_ptr_set(change, owner, &ptr);
	if (owner->ptr.fqdn)
		return change_ptr_unset(change, owner);
	if (!ptr.description && !ptr.ttl_given)
		return 0;
	return change_fail(change, CHANGE_INVALID, ptr.description ? "description" : "ttl",
			   "belongs to the PTR, and there is none; give reverse_fqdn as well");
}

static int read_group_text(struct change *change, const json_t *values, const char *key,
			   const char **text)
{
	const json_t *value = json_object_get(values, key);

	*text = json_string_value(value);
	if (!value || *text || json_is_null(value))
		return 0;
	return change_fail(change, CHANGE_INVALID, key, "must be a string or null");
}

static int put_resource_group(struct change *change, const struct path *path, const json_t *values)
{
	static const char *const members[] = {"name", "region",   "tags", "origin",
					      "etag", "warnings", NULL};
	struct change_group group = {.tags = json_object_get(values, "tags")};
	const char *key;
	json_t *value;

	json_object_foreach((json_t *)(uintptr_t)values, key, value)
	{
		if (!text_is_among(key, members))
			return change_fail(change, CHANGE_INVALID, key,
					   "unknown; a group has name, region and tags");
	}
	if (read_group_text(change, values, "name", &group.name) != 0 ||
	    read_group_text(change, values, "region", &group.region) != 0)
		return ERR_INVALID;
	if (group.name && strcasecmp(group.name, path->names[0]) != 0)
		return change_fail(change, CHANGE_INVALID, "name",
				   "it is \"%s\", and cannot change", path->names[0]);
	if (!group.name)
		group.name = path->names[0];
	return change_group_put(change, &group, false);
}

/* ---- removing, and the entry point ---- */

static int remove_group(struct change *change, const struct path *path, enum addresses_why why)
{
	struct inventory *inventory = change_inventory(change);
	struct resource_group group;
	char items[GROUP_ITEMS_MAX];

	if (!inventory_group(inventory, path->names[0], &group))
		return 0;
	if (why == ADDRESSES_BACK)
		return change_group_forget(change, path->names[0]);
	if (inventory_group_size(inventory, path->names[0]) > 0 && why != ADDRESSES_ANY &&
	    !group.tags)
		return 0; /* it came with an address, and others came, or were there */
	if (inventory_group_size(inventory, path->names[0]) > 0)
		return change_fail(change, CHANGE_INVALID, "",
				   "resource group \"%s\" has addresses; remove them first",
				   group.name);
	if (why == ADDRESSES_ANY && group_items(inventory_model(inventory), group.name, items) > 0)
		return change_fail(change, CHANGE_INVALID, "",
				   "resource group \"%s\" has other resources (%s); remove them "
				   "first",
				   group.name, items);
	return change_group_forget(change, path->names[0]);
}

static int remove_one(struct change *change, const struct path *path, const struct owner *owner,
		      enum addresses_why why)
{
	if (path->kind->id == KIND_GROUP)
		return remove_group(change, path, why);
	if (path->kind->id == KIND_PTR && !owner && why == ADDRESSES_BACK)
		return forget_waiting(change, path->names[0]);
	if (path->kind->id == KIND_PTR)
		return owner && owner->ptr.fqdn ? change_ptr_unset(change, owner) : 0;
	return owner ? change_remove(change, owner) : 0;
}

int addresses_put(struct change *change, const struct path *path, const json_t *values,
		  enum addresses_why why)
{
	const struct owner *owner;
	int err = change_is_open(change);

	if (err)
		return err;
	owner = addresses_find(change_inventory(change), path);
	if (!values) {
		err = remove_one(change, path, owner, why);
	} else if (path->kind->id == KIND_GROUP) {
		err = put_resource_group(change, path, values);
	} else if (path->kind->id == KIND_PTR) {
		err = put_ptr_of(change, path, owner, values, why);
	} else {
		if (why == ADDRESSES_BACK && is_another(owner, values)) {
			err = change_remove(change, owner);
			owner = NULL;
		}
		if (!err)
			err = put_address(change, path, owner, values, why);
	}
	return err ? err : change_is_open(change); /* "not there" may be "could not be read" */
}
