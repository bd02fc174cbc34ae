/* An import consists of ordinary edits, so it is checked like any change. First it removes each
 * present resource that differs from the document; equal ones stay and are not written again. The
 * export is in state_export.c. */
#include "resolver/control/resource/state_json.h"

#include <stdio.h>

#include "resolver/control/base/json.h"
#include "resolver/control/resource/addresses.h"
#include "rules/text.h"

struct state_import {
	struct change *change;
	struct inventory *inventory;
	const json_t *document;
	json_t *resources, *ptrs, *groups; /* of the document, by id and name; null: a duplicate */
	json_t *kept;                      /* ids and names of present resources that are equal */
};

/* A value that is no text is an error; a missing one gives NULL, which the caller may refuse. */
static int text_of(struct change *change, const json_t *object, const char *key, const char **text)
{
	const json_t *value = json_object_get(object, key);

	*text = json_string_value(value);
	return !value || *text
		       ? 0
		       : change_fail(change, CHANGE_INVALID, key, "is not a string; give one");
}

static int import_group(struct state_import *import, const json_t *object)
{
	struct change *change = import->change;
	struct resource_group group;
	struct change_error error;
	struct arena arena;
	int err;

	if (!json_is_object(object) || !json_object_get(object, "name"))
		return change_fail(change, CHANGE_INVALID, NULL,
				   "is not what an export has; give an object with a \"name\"");
	arena_init(&arena);
	err = addresses_read(kind_of_id(KIND_GROUP), object, &group, &arena, &error);
	err = err ? change_fail(change, error.outcome, error.field, "%s", error.text)
		  : change_group_put(change, &group, true);
	arena_release(&arena);
	return err;
}

/* Refuses other members: the PTR has a list of its own, and read-only members would be ignored
 * silently. */
static int check_members(struct change *change, const json_t *object, const char *const *known)
{
	const char *key;
	json_t *value;

	json_object_foreach((json_t *)(uintptr_t)object, key, value)
	{
		if (!text_is_among(key, known) || json_is_null(value))
			return change_fail(change, CHANGE_INVALID, key,
					   "is not what an export has; leave it out");
	}
	return 0;
}

static int import_resource(struct state_import *import, unsigned kind, const json_t *object)
{
	static const char *const of_address[] = {
		"id",      "name",       "resource_group",    "region",
		"address", "allocation", "domain_name_label", "tags",
		"azure",   NULL};
	static const char *const of_service[] = {"id",          "name", "address",
						 "description", "tags", NULL};
	struct change *change = import->change;
	struct path path = {.kind = kind_of_id(kind)};

	if (!json_is_object(object))
		return change_fail(change, CHANGE_INVALID, NULL,
				   "is not what an export has; give an object");
	if (check_members(change, object, kind == KIND_SERVICE ? of_service : of_address) != 0 ||
	    text_of(change, object, "name", &path.names[0]) != 0 ||
	    text_of(change, object, "resource_group", &path.group) != 0)
		return ERR_INVALID;
	if (!path.names[0])
		return change_fail(change, CHANGE_INVALID, "name", "is missing; give one");
	if (!path.group || !*path.group)
		path.group = GROUP_NONE;
	return addresses_add(change, &path, object);
}

static int import_address(struct state_import *import, const json_t *object)
{
	return import_resource(import, KIND_ADDRESS, object);
}

static int import_service(struct state_import *import, const json_t *object)
{
	return import_resource(import, KIND_SERVICE, object);
}

/* `waits`: the PTR's address or service may be missing. */
static int import_ptr_of(struct state_import *import, const json_t *object, bool waits)
{
	struct change *change = import->change;
	const char *id = json_string_value(json_object_get(object, "owner"));
	const struct path path = {kind_of_id(KIND_PTR), GROUP_NONE, {id, NULL}};
	const struct owned_resource *resource = inventory_by_id(import->inventory, id);
	struct owned_resource other = {.kind = NULL};

	if (!id || (!resource && !waits))
		return change_fail(change, CHANGE_INVALID, "owner",
				   "there is no address or service with the id \"%s\"; give one "
				   "that is in the document, or in the configuration file",
				   id ? id : "");
	if (!resource && !text_is_uuid(id))
		return change_fail(change, CHANGE_INVALID, "owner",
				   "\"%.64s\" does not fit; give a UUID", id);
	if (json_string_length(json_object_get(object, "reverse_fqdn")) == 0)
		return change_fail(change, CHANGE_INVALID, "reverse_fqdn",
				   "is missing, or not a string; give one");
	if (resource ? resource->item.reverse_fqdn && !resource->ptr_is_declared
		     : inventory_ptr_row(import->inventory, id, &other) == 0)
		return change_fail(change, CHANGE_TAKEN, "owner", "%s has two PTRs; leave one out",
				   id);
	return addresses_put(change, &path, object, ADDRESSES_BACK);
}

static int import_ptr(struct state_import *import, const json_t *object)
{
	return import_ptr_of(import, object, false);
}

/* A PTR waits if its address or service is missing here, whether or not it waited where it was
 * exported. */
static int import_waiting(struct state_import *import, const json_t *object)
{
	return import_ptr_of(import, object, true);
}

json_t *state_ptr_values(const struct owned_resource *resource)
{
	json_t *values;

	if (!resource->item.reverse_fqdn || resource->ptr_is_declared)
		return NULL;
	values = owned_ptr_values(resource);
	json_put(values, "owner", json_text(resource->item.id));
	return values;
}

/* ---- comparing present resources with the document ---- */

/* The key of an object in an index; "": none. */
static const char *key_of(const json_t *object, const char *member, char key[NAME_TEXT_MAX])
{
	const char *text = json_string_value(json_object_get(object, member));

	snprintf(key, NAME_TEXT_MAX, "%s", text ? text : "");
	return text_lower(key);
}

static void index_list(const json_t *document, const char *list, const char *member, json_t *by)
{
	char key[NAME_TEXT_MAX];
	json_t *object;
	size_t i;

	json_array_foreach(json_object_get(document, list), i,
			   object) if (*key_of(object, member, key) != '\0')
		json_put(by, key, json_object_get(by, key) ? json_null() : json_incref(object));
}

/* Whether the document has the same object, or both have none; frees the object. */
static bool is_same(const json_t *by, const char *id, json_t *object)
{
	char key[NAME_TEXT_MAX];
	const json_t *wanted;

	snprintf(key, sizeof key, "%s", id);
	wanted = json_object_get(by, text_lower(key));
	bool same = wanted ? object && json_equal(wanted, object) : !object;
	json_decref(object);
	return same;
}

static void keep(struct state_import *import, const char *list, const char *id)
{
	char key[NAME_TEXT_MAX + 16];

	snprintf(key, sizeof key, "%s/%s", list, id);
	json_put(import->kept, text_lower(key), json_true());
}

static bool is_kept(const struct state_import *import, const char *list, const char *id)
{
	char key[NAME_TEXT_MAX + 16];

	snprintf(key, sizeof key, "%s/%s", list, id);
	return json_object_get(import->kept, text_lower(key));
}

/* Keeps or removes a resource of the state with its PTR, or the PTR of a declared one. */
static int compare_resource(void *context, const struct owned_resource *resource)
{
	struct state_import *import = context;
	bool same = owned_is_declared(resource) ||
		    is_same(import->resources, resource->item.id, owned_values_alone(resource));

	if (same && is_same(import->ptrs, resource->item.id, state_ptr_values(resource))) {
		if (!owned_is_declared(resource))
			keep(import, "owner", resource->item.id);
		if (!owned_is_declared(resource) && resource->item.resource_group)
			keep(import, "used", resource->item.resource_group);
		if (resource->item.reverse_fqdn && !resource->ptr_is_declared)
			keep(import, "ptr", resource->item.id);
		return 0;
	}
	if (!owned_is_declared(resource))
		return change_remove(import->change, resource);
	return resource->item.reverse_fqdn && !resource->ptr_is_declared
		       ? change_ptr_unset(import->change, resource)
		       : 0;
}

/* Removes a group that the document lacks, unless an address that stays is in it: then the group
 * becomes what adding that address would have made. */
static int compare_group(struct state_import *import, const struct resource_group *group)
{
	char key[NAME_TEXT_MAX];
	const struct resource_group bare = {.name = group->name, .region = group->region};
	bool named, used = is_kept(import, "used", group->name);

	snprintf(key, sizeof key, "%s", group->name);
	named = json_object_get(import->groups, text_lower(key));
	if (named ? is_same(import->groups, group->name, group_values(group))
		  : used && group->tags.count == 0) {
		keep(import, "group", group->name);
		return 0;
	}
	int err = change_group_forget(import->change, group->name);
	return err || named || !used ? err : change_group_put(import->change, &bare, true);
}

static int compare_rest(struct state_import *import)
{
	size_t count, waiting;
	struct resource_group *groups = inventory_groups(import->inventory, &count);
	const struct owned_resource **list = inventory_waiting(import->inventory, &waiting);
	int err = groups ? 0 : change_fail_memory(import->change);

	for (size_t i = 0; groups && !err && i < count; i++)
		if (groups[i].origin.revision)
			err = compare_group(import, &groups[i]);
	for (size_t i = 0; !err && i < waiting; i++) {
		if (is_same(import->ptrs, list[i]->item.id, state_ptr_values(list[i])))
			keep(import, "ptr", list[i]->item.id);
		else
			err = change_ptr_forget(import->change, list[i]->item.id);
	}
	free(list);
	free(groups);
	return err;
}

/* ---- importing the document ---- */

/* The order matters: an address names its group, a PTR its address. */
static const struct {
	const char *key, *member, *kept;
	int (*import)(struct state_import *import, const json_t *object);
} lists[] = {
	{"groups", "name", "group", import_group},   {"addresses", "id", "owner", import_address},
	{"services", "id", "owner", import_service}, {"ptrs", "owner", "ptr", import_ptr},
	{"waiting", "owner", "ptr", import_waiting},
};

/* Imports list number `at`; the document may lack the list. */
static int import_list(struct state_import *import, size_t at)
{
	const char *key = lists[at].key;
	const json_t *list = json_object_get(import->document, key);
	char id[NAME_TEXT_MAX];
	int err = 0;

	if (list && !json_is_array(list))
		return change_fail(import->change, CHANGE_INVALID, key,
				   "is not a list; give one, or leave it out");
	for (size_t i = 0; !err && i < json_array_size(list); i++) {
		const json_t *object = json_array_get(list, i);

		if (is_kept(import, lists[at].kept, key_of(object, lists[at].member, id)))
			continue;
		err = lists[at].import(import, object);
		if (err)
			change_place(import->change, key, i);
		else
			inventory_forget(import->inventory);
	}
	return err;
}

static int import_all(struct state_import *import)
{
	int err = inventory_each(import->inventory, KIND_ADDRESS, compare_resource, import);

	if (!err)
		err = inventory_each(import->inventory, KIND_SERVICE, compare_resource, import);
	if (!err)
		err = compare_rest(import);
	for (size_t i = 0; !err && i < sizeof lists / sizeof *lists; i++)
		err = import_list(import, i);
	return err;
}

int state_json_read(struct change *change, struct inventory *inventory, const json_t *document)
{
	const json_t *version = json_object_get(document, "version");
	struct state_import import = {change,        inventory,     document,     json_object(),
				      json_object(), json_object(), json_object()};
	int err = change_is_open(change);

	if (!err && (!json_is_integer(version) || json_integer_value(version) < 1 ||
		     json_integer_value(version) > STATE_JSON_VERSION))
		err = change_fail(change, CHANGE_INVALID, "version",
				  "is not one that this version of sluice reads; give an export of "
				  "version 1");
	index_list(document, "addresses", "id", import.resources);
	index_list(document, "services", "id", import.resources);
	index_list(document, "ptrs", "owner", import.ptrs);
	index_list(document, "waiting", "owner", import.ptrs);
	index_list(document, "groups", "name", import.groups);
	if (!err && import_all(&import) != 0)
		err = change_fail_memory(change); /* the first reason stays, if there is one */
	json_decref(import.resources);
	json_decref(import.ptrs);
	json_decref(import.groups);
	json_decref(import.kept);
	return err;
}
