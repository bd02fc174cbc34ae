/* An export builds, writes and frees one row after the other, because a million objects at once
 * would take a gigabyte. Addresses are read twice, page by page, because PTRs have a list of their
 * own.
 *
 * An import consists of ordinary edits, so it is checked like any change. First it removes each
 * present resource that differs from the document; equal ones stay and are not written again. */
#include "resolver/control/resource/state_json.h"

#include <stdio.h>
#include <stdlib.h>

#include "resolver/control/base/json.h"
#include "resolver/control/resource/addresses.h"
#include "resolver/control/resource/group.h"
#include "resolver/control/resource/item.h"
#include "rules/text.h"

/* The PTR's values for the document; NULL: no PTR, or the file gives it. */
static json_t *ptr_values(const struct owned_resource *resource)
{
	json_t *values;

	if (!resource->item.reverse_fqdn || resource->ptr_is_declared)
		return NULL;
	values = owned_ptr_values(resource);
	json_put(values, "owner", json_text(resource->item.id));
	return values;
}

/* ---- export ---- */

struct export
{
	struct inventory *inventory;
	struct json_writer writer;
};

static int write_resource(void *context, const struct item *item)
{
	struct export *export = context;

	if (!item->origin.file)
		json_writer_row(&export->writer, owned_values_alone(item->owned));
	return 0;
}

/* `item`: an address or a service. */
static int write_ptr(void *context, const struct item *item)
{
	struct export *export = context;
	json_t *values = ptr_values(item->owned);

	if (values)
		json_writer_row(&export->writer, values);
	return 0;
}

static void write_waiting(struct export *export)
{
	size_t count;
	const struct owned_resource **list = inventory_waiting(export->inventory, &count);

	for (size_t i = 0; i < count; i++)
		json_writer_row(&export->writer, ptr_values(list[i]));
	free(list);
}

/* Writes a group that has a row in the state. */
static int write_group(void *context, const struct item *item)
{
	struct export *export = context;

	if (item->origin.revision)
		json_writer_row(&export->writer, group_values(item->fields));
	return 0;
}

/* Calls back for all items of a kind. */
static int each(struct inventory *inventory, unsigned kind,
		int (*on_item)(void *context, const struct item *item), void *context)
{
	struct item_list list = {.inventory = inventory, .path.kind = kind_of_id(kind)};
	struct change_error unused; /* the inventory has the reason, too (inventory_trouble) */

	return item_each(&list, on_item, context, &unused);
}

static int write_lists(struct export *export)
{
	struct inventory *inventory = export->inventory;
	struct json_writer *writer = &export->writer;

	json_writer_list(writer, ",\n\"groups\": [\n");
	int err = each(inventory, KIND_GROUP, write_group, export);
	json_writer_list(writer, "],\n\"addresses\": [\n");
	if (!err)
		err = each(inventory, KIND_ADDRESS, write_resource, export);
	json_writer_list(writer, "],\n\"services\": [\n");
	if (!err)
		err = each(inventory, KIND_SERVICE, write_resource, export);
	json_writer_list(writer, "],\n\"ptrs\": [\n");
	if (!err)
		err = each(inventory, KIND_ADDRESS, write_ptr, export);
	if (!err)
		err = each(inventory, KIND_SERVICE, write_ptr, export);
	json_writer_list(writer, "],\n\"waiting\": [\n");
	write_waiting(export);
	fputs("]}\n", writer->out);
	return inventory_trouble(inventory) ? ERR_SYSTEM : err;
}

char *state_export(struct inventory *inventory, size_t *length)
{
	struct export export = {.inventory = inventory};
	char *text;
	int err;

	if (!json_writer_begin(&export.writer, ",\n", JSON_ENSURE_ASCII))
		return NULL;
	fprintf(export.writer.out, "{\"version\": %d", STATE_JSON_VERSION);
	err = write_lists(&export);
	text = json_writer_end(&export.writer, length);
	if (!err)
		return text;
	free(text);
	return NULL;
}

/* ---- import: comparing present resources with the document ---- */

struct state_import {
	struct address_draft *draft;
	const json_t *document;
	json_t *resources, *ptrs, *groups; /* of the document, by id and name; null: a duplicate */
	json_t *done;                      /* resources that are as in the document (note) */
};

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

/* The object of this id or name in an index of the document; NULL: none. */
static const json_t *find_in(const json_t *by, const char *id)
{
	char key[NAME_TEXT_MAX];

	snprintf(key, sizeof key, "%s", id);
	return json_object_get(by, text_lower(key));
}

/* Whether the document has the same object, or both have none; frees the object. */
static bool is_same(const json_t *by, const char *id, json_t *object)
{
	const json_t *wanted = find_in(by, id);
	bool same = wanted ? object && json_equal(wanted, object) : !object;
	json_decref(object);
	return same;
}

/* Notes that the resource is as in the document: since before the import, or made by it. */
static void note(struct state_import *import, const char *list, const char *id, json_t *kept)
{
	char key[NAME_TEXT_MAX + 16];

	snprintf(key, sizeof key, "%s/%s", list, id);
	json_put(import->done, text_lower(key), kept);
}

static void keep(struct state_import *import, const char *list, const char *id)
{
	note(import, list, id, json_true());
}

/* json_true: kept; json_false: made; NULL: neither. */
static const json_t *noted(const struct state_import *import, const char *list, const char *id)
{
	char key[NAME_TEXT_MAX + 16];

	snprintf(key, sizeof key, "%s/%s", list, id);
	return json_object_get(import->done, text_lower(key));
}

/* values NULL: removes it. */
static int put(struct state_import *import, unsigned kind, const char *group, const char *name,
	       const json_t *values)
{
	const struct path path = {kind_of_id(kind), group ? group : GROUP_NONE, {name, NULL}};

	return addresses_put(import->draft, &path, values, ADDRESSES_BACK);
}

/* Keeps or removes a resource of the state with its PTR, or the PTR of a declared one. */
static int compare_resource(void *context, const struct item *compared)
{
	struct state_import *import = context;
	const struct owned_resource *resource = compared->owned;
	const struct owned_item *item = &resource->item;
	bool is_declared = owned_is_declared(resource);
	bool has_ptr = item->reverse_fqdn && !resource->ptr_is_declared;
	bool same =
		is_declared || is_same(import->resources, item->id, owned_values_alone(resource));

	if (same && is_same(import->ptrs, item->id, ptr_values(resource))) {
		if (!is_declared)
			keep(import, "owner", item->id);
		if (!is_declared && item->resource_group)
			keep(import, "used", item->resource_group);
		if (has_ptr)
			keep(import, "ptr", item->id);
		return 0;
	}
	if (!is_declared)
		return put(import, resource->kind->id, item->resource_group, item->name, NULL);
	return has_ptr ? put(import, KIND_PTR, NULL, item->id, NULL) : 0;
}

/* Removes a group that the document lacks, or has with other values. A group that the document
 * lacks, but with an address that stays, gets the values that adding this address would give it. */
static int compare_group(void *context, const struct item *compared)
{
	struct state_import *import = context;
	const struct resource_group *group = compared->fields;
	const struct resource_group bare = {.name = group->name, .region = group->region};
	bool named, used = noted(import, "used", group->name);
	char key[NAME_TEXT_MAX];
	json_t *values;
	int err;

	if (!group->origin.revision)
		return 0; /* has no row: only a file or other resources name it */
	snprintf(key, sizeof key, "%s", group->name);
	named = json_object_get(import->groups, text_lower(key));
	if (named ? is_same(import->groups, group->name, group_values(group))
		  : used && group->tags.count == 0) {
		keep(import, "group", group->name);
		return 0;
	}
	err = put(import, KIND_GROUP, NULL, group->name, NULL);
	if (err || named || !used)
		return err;
	values = group_values(&bare);
	err = values ? put(import, KIND_GROUP, NULL, group->name, values)
		     : draft_fail_memory(import->draft); /* without values, put removes */
	json_decref(values);
	return err;
}

static int compare_waiting(struct state_import *import)
{
	size_t count;
	const struct owned_resource **list = inventory_waiting(import->draft->inventory, &count);
	int err = 0;

	for (size_t i = 0; !err && i < count; i++) {
		/* An address of the document cannot be added while a PTR waits for its id. */
		bool is_awaited = find_in(import->resources, list[i]->item.id);

		if (is_same(import->ptrs, list[i]->item.id, ptr_values(list[i])) && !is_awaited)
			keep(import, "ptr", list[i]->item.id);
		else
			err = put(import, KIND_PTR, NULL, list[i]->item.id, NULL);
	}
	free(list);
	return err;
}

/* ---- import: the document ---- */

/* The object's text. A value that is no text is an error; a missing one gives NULL. */
static int text_of(struct address_draft *draft, const json_t *object, const char *key,
		   const char **text)
{
	const json_t *value = json_object_get(object, key);

	*text = json_string_value(value);
	return !value || *text
		       ? 0
		       : draft_fail(draft, CHANGE_INVALID, key, "is not a string; give one");
}

/* Refuses other members: the PTR has a list of its own, and read-only members would be ignored
 * silently. */
static int check_members(struct address_draft *draft, const json_t *object,
			 const char *const *known)
{
	const char *key;
	json_t *value;

	json_object_foreach((json_t *)(uintptr_t)object, key, value)
	{
		if (!text_is_among(key, known) || json_is_null(value))
			return draft_fail(draft, CHANGE_INVALID, key,
					  "is not what an export has; leave it out");
	}
	return 0;
}

static int import_group(struct state_import *import, const json_t *object)
{
	struct address_draft *draft = import->draft;
	const char *name;

	if (text_of(draft, object, "name", &name) != 0)
		return ERR_INVALID;
	return name ? put(import, KIND_GROUP, NULL, name, object)
		    : draft_fail(draft, CHANGE_INVALID, "name", "is missing; give one");
}

static int import_resource(struct state_import *import, unsigned kind, const json_t *object,
			   const char *const *members)
{
	struct address_draft *draft = import->draft;
	struct path path = {.kind = kind_of_id(kind)};

	if (check_members(draft, object, members) != 0 ||
	    text_of(draft, object, "name", &path.names[0]) != 0 ||
	    text_of(draft, object, "resource_group", &path.group) != 0)
		return ERR_INVALID;
	if (!path.names[0])
		return draft_fail(draft, CHANGE_INVALID, "name", "is missing; give one");
	if (!path.group || !*path.group)
		path.group = GROUP_NONE;
	return addresses_add(draft, &path, object);
}

static int import_address(struct state_import *import, const json_t *object)
{
	static const char *const members[] = {
		"id",      "name",       "resource_group",    "region",
		"address", "allocation", "domain_name_label", "tags",
		"azure",   NULL};

	return import_resource(import, KIND_ADDRESS, object, members);
}

static int import_service(struct state_import *import, const json_t *object)
{
	static const char *const members[] = {"id", "name", "address", "description", "tags", NULL};

	return import_resource(import, KIND_SERVICE, object, members);
}

/* `waits`: the PTR's address or service may be missing. */
static int import_ptr_of(struct state_import *import, const json_t *object, bool waits)
{
	struct address_draft *draft = import->draft;
	const char *id = json_string_value(json_object_get(object, "owner"));

	if (!id || (!waits && !inventory_by_id(import->draft->inventory, id)))
		return draft_fail(draft, CHANGE_INVALID, "owner",
				  "there is no address or service with the id \"%s\"; give one "
				  "that is in the document, or in the configuration file",
				  id ? id : "");
	if (!text_is_uuid(id))
		return draft_fail(draft, CHANGE_INVALID, "owner",
				  "\"%.64s\" does not fit; give a UUID", id);
	if (json_string_length(json_object_get(object, "reverse_fqdn")) == 0)
		return draft_fail(draft, CHANGE_INVALID, "reverse_fqdn",
				  "is missing, or not a string; give one");
	return put(import, KIND_PTR, NULL, id, object);
}

static int import_ptr(struct state_import *import, const json_t *object)
{
	return import_ptr_of(import, object, false);
}

/* A PTR that waited where it was exported waits here only if its address or service is missing. */
static int import_waiting(struct state_import *import, const json_t *object)
{
	return import_ptr_of(import, object, true);
}

/* The order matters: an address names its group, a PTR its address. */
static const struct {
	const char *key, *member, *noted;
	int (*import)(struct state_import *import, const json_t *object);
} lists[] = {
	{"groups", "name", "group", import_group},   {"addresses", "id", "owner", import_address},
	{"services", "id", "owner", import_service}, {"ptrs", "owner", "ptr", import_ptr},
	{"waiting", "owner", "ptr", import_waiting},
};

/* Imports an object of list number `at`, unless the same resource was kept. */
static int import_object(struct state_import *import, size_t at, const json_t *object)
{
	char key[NAME_TEXT_MAX];
	const json_t *found;
	int err;

	if (!json_is_object(object))
		return draft_fail(import->draft, CHANGE_INVALID, NULL,
				  "is not what an export has; give an object");
	found = *key_of(object, lists[at].member, key) ? noted(import, lists[at].noted, key) : NULL;
	if (json_is_true(found))
		return 0;
	if (found)
		return draft_fail(import->draft, CHANGE_INVALID, lists[at].member,
				  "%s is there twice; leave one out", key);
	err = lists[at].import(import, object);
	note(import, lists[at].noted, key, json_false());
	return err;
}

/* The document may lack the list. */
static int import_list(struct state_import *import, size_t at)
{
	struct address_draft *draft = import->draft;
	const char *key = lists[at].key;
	const json_t *list = json_object_get(import->document, key);
	struct change_error error;
	int err = 0;

	if (list && !json_is_array(list))
		return draft_fail(draft, CHANGE_INVALID, key,
				  "is not a list; give one, or leave it out");
	for (size_t i = 0; !err && i < json_array_size(list); i++) {
		err = import_object(import, at, json_array_get(list, i));
		inventory_forget(import->draft->inventory);
		if (!err)
			continue;
		draft_take_error(draft, &error);
		change_error_place(&error, key, i);
		err = draft_fail(draft, error.outcome, error.field, "%s", error.text);
	}
	return err;
}

static int import_all(struct state_import *import)
{
	struct inventory *inventory = import->draft->inventory;
	int err = each(inventory, KIND_ADDRESS, compare_resource, import);

	if (!err)
		err = each(inventory, KIND_SERVICE, compare_resource, import);
	if (!err)
		err = each(inventory, KIND_GROUP, compare_group, import);
	if (!err)
		err = compare_waiting(import);
	for (size_t i = 0; !err && i < sizeof lists / sizeof *lists; i++)
		err = import_list(import, i);
	return err;
}

int state_json_read(struct address_draft *draft, const json_t *document)
{
	const json_t *version = json_object_get(document, "version");
	struct state_import import = {.draft = draft,
				      .document = document,
				      .resources = json_object(),
				      .ptrs = json_object(),
				      .groups = json_object(),
				      .done = json_object()};
	int err = draft_is_open(draft);

	if (!err && (!json_is_integer(version) || json_integer_value(version) < 1 ||
		     json_integer_value(version) > STATE_JSON_VERSION))
		err = draft_fail(draft, CHANGE_INVALID, "version",
				 "is not one that this version of sluice reads; give an export of "
				 "version 1");
	index_list(document, "addresses", "id", import.resources);
	index_list(document, "services", "id", import.resources);
	index_list(document, "ptrs", "owner", import.ptrs);
	index_list(document, "waiting", "owner", import.ptrs);
	index_list(document, "groups", "name", import.groups);
	if (!err && import_all(&import) != 0)
		err = draft_fail_memory(draft); /* the first reason stays, if there is one */
	json_decref(import.resources);
	json_decref(import.ptrs);
	json_decref(import.groups);
	json_decref(import.done);
	return err;
}
