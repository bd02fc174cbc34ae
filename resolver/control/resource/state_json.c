/* An export builds, writes and frees one row after the other, because a million objects at once
 * would take a gigabyte. Addresses are read twice, page by page, because PTRs have a list of their
 * own.
 *
 * An import consists of ordinary edits, so it is checked like any change:
 *
 *     the document's form     checked and indexed; the first fault ends the import
 *     present resources       removed if they cannot become an object of the document in place
 *     objects of the lists    put; an edit that changes nothing writes nothing */
#include "resolver/control/resource/state_json.h"

#include <stdio.h>
#include <stdlib.h>

#include "resolver/control/base/json.h"
#include "resolver/control/resource/address_body.h"
#include "resolver/control/resource/group.h"
#include "resolver/control/resource/item.h"
#include "resolver/control/resource/resources.h"
#include "rules/array.h"
#include "rules/base.h"
#include "rules/schema/schema.h"
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
	struct resources *resources;
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
	const struct owned_resource **list = ptrs_waiting(export->resources, &count);

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
static int each(struct resources *resources, unsigned kind,
		int (*on_item)(void *context, const struct item *item), void *context)
{
	struct item_list list = {.resources = resources, .path.kind = kind_of_id(kind)};
	struct change_error unused; /* resources_trouble has the reason, too */

	return item_each(&list, on_item, context, &unused);
}

static int write_lists(struct export *export)
{
	struct resources *resources = export->resources;
	struct json_writer *writer = &export->writer;

	json_writer_list(writer, ",\n\"groups\": [\n");
	int err = each(resources, KIND_GROUP, write_group, export);
	json_writer_list(writer, "],\n\"addresses\": [\n");
	if (!err)
		err = each(resources, KIND_ADDRESS, write_resource, export);
	json_writer_list(writer, "],\n\"services\": [\n");
	if (!err)
		err = each(resources, KIND_SERVICE, write_resource, export);
	json_writer_list(writer, "],\n\"ptrs\": [\n");
	if (!err)
		err = each(resources, KIND_ADDRESS, write_ptr, export);
	if (!err)
		err = each(resources, KIND_SERVICE, write_ptr, export);
	json_writer_list(writer, "],\n\"waiting\": [\n");
	write_waiting(export);
	fputs("]}\n", writer->out);
	return resources_trouble(resources) ? ERR_SYSTEM : err;
}

char *state_export(struct resources *resources, size_t *length)
{
	struct export export = {.resources = resources};
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

/* ---- import: the document ---- */

enum { GROUPS, ADDRESSES, SERVICES, PTRS, INDEXES };

/* The document's lists, in the order in which they are put: an address is in its group, and a PTR
 * has its address. */
static const struct state_list {
	const char *key;
	unsigned kind, index;
	const char *member; /* the index's key, which two objects cannot share */
	bool waits;         /* PTRs whose address or service may be missing */
} lists[] = {
	{"groups", KIND_GROUP, GROUPS, "name", false},
	{"addresses", KIND_ADDRESS, ADDRESSES, "id", false},
	{"services", KIND_SERVICE, SERVICES, "id", false},
	{"ptrs", KIND_PTR, PTRS, "owner", false},
	{"waiting", KIND_PTR, PTRS, "owner", true},
};

enum { PAGE_OBJECTS = 100 };

struct state_import {
	json_t *document;
	bool is_checked;        /* the indexes are made */
	json_t *index[INDEXES]; /* the document's objects, by id or name */
	json_t *used;           /* the first address of each group, by the group's name */
	struct resources *resources;
	size_t step;           /* first the steps that compare, then one for each list */
	struct item_list list; /* of a step that compares */
	size_t at;             /* of a step's list: the next object */
	/* The present page, whose texts belong to `resources` or to the document. */
	struct resource_edit *edits;
	const json_t **objects; /* of each edit; NULL: it removes what the document lacks */
	size_t count, room, objects_room;
	json_t *values;     /* an array: values of edits that are not the document's */
	struct arena arena; /* of the list's items */
	bool failed;        /* no memory for an index or an edit */
};

static const char *text_in(const json_t *object, const char *key)
{
	return json_string_value(json_object_get(object, key));
}

static const json_t *find_in(const json_t *by, const char *text)
{
	char key[NAME_TEXT_MAX];

	if ((size_t)snprintf(key, sizeof key, "%s", text) >= sizeof key)
		return NULL;
	return json_object_get(by, text_lower(key));
}

/* Leaves out a text that is too long for an id or a name; the edit refuses it. */
static void add_to(struct state_import *import, json_t *by, const char *text, const json_t *object)
{
	char key[NAME_TEXT_MAX];

	if ((size_t)snprintf(key, sizeof key, "%s", text) < sizeof key &&
	    json_object_set(by, text_lower(key), (json_t *)(uintptr_t)object) != 0)
		import->failed = true;
}

/* ---- import: the form of the document ---- */

/* Whether the field table has the member. Members of the PTR do not count: PTRs have a list of
 * their own. */
static bool is_member(const struct kind *kind, const char *key)
{
	const struct field *field = schema_field(kind_field(kind)->group, key);

	return field && field->offset != offsetof(struct owned_item, reverse_fqdn) &&
	       field->offset != offsetof(struct owned_item, ptr_description) &&
	       field->offset != offsetof(struct owned_item, ttl);
}

/* Refuses members that no export has, because read-only ones would be ignored silently. */
static int check_members(const struct kind *kind, const json_t *object, struct change_error *error)
{
	const char *key;
	json_t *value;

	json_object_foreach((json_t *)(uintptr_t)object, key, value)
	{
		if (!is_member(kind, key) || json_is_null(value))
			return change_refuse(error, key, "is not what an export has; leave it out");
	}
	return 0;
}

static int check_text(const json_t *object, const char *key, struct change_error *error)
{
	return !json_object_get(object, key) || text_in(object, key)
		       ? 0
		       : change_refuse(error, key, "is not a string; give one");
}

/* Whether the document has an address or service with this id. */
static bool has_owned(const struct state_import *import, const char *id)
{
	return find_in(import->index[ADDRESSES], id) || find_in(import->index[SERVICES], id);
}

static int check_id(const struct state_import *import, const json_t *object,
		    struct change_error *error)
{
	const char *id = text_in(object, "id");
	int err = check_text(object, "id", error);

	if (!err && id && !text_is_uuid(id))
		err = change_refuse(error, "id", "\"%.64s\" does not fit; give a UUID", id);
	if (!err && id && has_owned(import, id))
		err = change_refuse(error, "id", "%s is there twice; leave one out", id);
	return err;
}

static int check_owned(struct state_import *import, const struct state_list *list,
		       const json_t *object, struct change_error *error)
{
	const char *group;
	int err = check_members(kind_of_id(list->kind), object, error);

	if (!err)
		err = check_id(import, object, error);
	if (!err)
		err = check_text(object, "resource_group", error);
	group = err ? NULL : text_in(object, "resource_group");
	if (group && !find_in(import->used, group))
		add_to(import, import->used, group, object);
	return err;
}

static int check_named(struct state_import *import, const struct state_list *list,
		       const json_t *object, struct change_error *error)
{
	const char *name = text_in(object, "name");
	int err = check_text(object, "name", error);

	if (!err && !name)
		err = change_refuse(error, "name", "is missing; give one");
	if (!err && list->kind != KIND_GROUP)
		return check_owned(import, list, object, error);
	if (!err && find_in(import->index[GROUPS], name))
		err = change_refuse(error, "name", "%s is there twice; leave one out", name);
	return err;
}

static bool is_declared(const struct state_import *import, const char *id)
{
	const struct owned_resource *found = addresses_by_id(import->resources, id);
	bool is_declared = found && owned_is_declared(found);

	resources_forget(import->resources);
	return is_declared;
}

/* Refuses members that a PTR does not have. */
static int check_ptr_members(const json_t *object, struct change_error *error)
{
	static const char *const members[] = {"owner", "reverse_fqdn", "description", "ttl"};
	struct owned_item unused;
	struct arena arena;
	size_t known = 0;
	int err;

	for (size_t i = 0; i < COUNT(members); i++)
		known += json_object_get(object, members[i]) != NULL;
	if (known == json_object_size(object))
		return 0;
	arena_init(&arena);
	err = address_body_read(kind_of_id(KIND_PTR), object, &unused, &arena, error);
	arena_release(&arena);
	return err;
}

static int check_ptr(const struct state_import *import, const struct state_list *list,
		     const json_t *object, struct change_error *error)
{
	const char *id = text_in(object, "owner");

	if (!list->waits && !(id && (has_owned(import, id) || is_declared(import, id))))
		return change_refuse(error, "owner",
				     "there is no address or service with the id \"%s\"; give one "
				     "that is in the document, or in the configuration file",
				     id ? id : "");
	if (!id || !text_is_uuid(id))
		return change_refuse(error, "owner", "\"%.64s\" does not fit; give a UUID",
				     id ? id : "");
	if (find_in(import->index[PTRS], id))
		return change_refuse(error, "owner", "%s is there twice; leave one out", id);
	if (json_string_length(json_object_get(object, "reverse_fqdn")) == 0)
		return change_refuse(error, "reverse_fqdn",
				     "is missing, or not a string; give one");
	return check_ptr_members(object, error);
}

static int check_object(struct state_import *import, const struct state_list *list,
			const json_t *object, struct change_error *error)
{
	const char *key = text_in(object, list->member);
	int err;

	if (!json_is_object(object))
		return change_refuse(error, NULL, "is not what an export has; give an object");
	err = list->kind == KIND_PTR ? check_ptr(import, list, object, error)
				     : check_named(import, list, object, error);
	if (!err && key)
		add_to(import, import->index[list->index], key, object);
	return err;
}

static int check_version(const json_t *document, struct change_error *error)
{
	const json_t *version = json_object_get(document, "version");

	if (json_is_integer(version) && json_integer_value(version) >= 1 &&
	    json_integer_value(version) <= STATE_JSON_VERSION)
		return 0;
	return change_refuse(error, "version",
			     "is not one that this version of sluice reads; give an export of "
			     "version 1");
}

/* Checks the form of the document's objects and indexes them; their values are checked by the
 * edits. */
static int check_document(struct state_import *import, struct change_error *error)
{
	int err = check_version(import->document, error);

	for (size_t i = 0; !err && i < COUNT(lists); i++) {
		const json_t *list = json_object_get(import->document, lists[i].key), *object;
		size_t at;

		if (list && !json_is_array(list))
			return change_refuse(error, lists[i].key,
					     "is not a list; give one, or leave it out");
		json_array_foreach((json_t *)(uintptr_t)list, at, object)
		{
			err = check_object(import, &lists[i], object, error);
			if (!err)
				continue;
			change_error_place(error, lists[i].key, at);
			return err;
		}
	}
	import->is_checked = true;
	return err ? err : resources_check_reads(import->resources, error);
}

/* ---- import: the edits ---- */

/* Adds an edit to the page; `values` NULL: removes the resource. */
static void add_edit(struct state_import *import, unsigned kind, const char *group,
		     const char *name, const json_t *values, const json_t *object)
{
	struct resource_edit *edits =
		array_grow(import->edits, import->count, &import->room, sizeof *edits);
	const json_t **objects =
		array_grow(import->objects, import->count, &import->objects_room, sizeof *objects);

	import->edits = edits ? edits : import->edits;
	import->objects = objects ? objects : import->objects;
	import->failed = import->failed || !edits || !objects;
	if (import->failed)
		return;
	edits[import->count] = (struct resource_edit){
		.path = {kind_of_id(kind), group && *group ? group : GROUP_NONE, {name, NULL}},
		.values = values};
	objects[import->count++] = object;
}

static void remove_it(struct state_import *import, unsigned kind, const char *group,
		      const char *name)
{
	add_edit(import, kind, group, name, NULL, NULL);
}

/* Keeps values until the page has been put. NULL (no memory) ends the import, because an edit
 * without values would remove the resource. */
static const json_t *keep_values(struct state_import *import, json_t *values)
{
	import->failed = import->failed || json_array_append_new(import->values, values) != 0;
	return values;
}

static bool is_text(const json_t *object, const char *key, const char *text)
{
	const char *own = text_in(object, key);

	return strcmp(own ? own : "", text ? text : "") == 0;
}

/* Whether the resource can become this object in place: it gives up nothing that another object may
 * have, and the object has every value that an edit would otherwise keep. */
static bool can_replace(const struct item *present, const json_t *object)
{
	bool is_address = present->path.kind->id == KIND_ADDRESS;

	return object && is_text(object, "name", present->owned->item.name) &&
	       is_text(object, "resource_group", present->owned->item.resource_group) &&
	       (!is_address || json_object_get(object, "allocation")) &&
	       !owned_gives_way(present->owned, object);
}

/* Removes an address or service of the state that cannot become an object of the document in place.
 * For one that the file declares, removes the state's PTR if the document lacks it. */
static void compare_resource(struct state_import *import, const struct item *present)
{
	const struct owned_resource *resource = present->owned;
	const struct owned_item *item = &resource->item;
	unsigned kind = resource->kind->id;
	const json_t *by = import->index[kind == KIND_ADDRESS ? ADDRESSES : SERVICES];

	if (owned_has_ptr_of_state(resource) && !find_in(import->index[PTRS], item->id))
		remove_it(import, KIND_PTR, NULL, item->id);
	if (!owned_is_declared(resource) && !can_replace(present, find_in(by, item->id)))
		remove_it(import, kind, item->resource_group, item->name);
}

/* Removes a group that the document lacks, unless addresses in the document name it. Such a group
 * gets the values of a new group that is made for the first of these addresses. */
static void compare_group(struct state_import *import, const struct item *present)
{
	const struct resource_group *group = present->fields;
	const json_t *first = find_in(import->used, group->name);

	if (!group->origin.revision || find_in(import->index[GROUPS], group->name))
		return; /* without a row, only a file or other resources name it */
	if (first) {
		const struct model *model = resources_model(import->resources);
		const struct resource_group bare = {
			.name = text_in(first, "resource_group"),
			.region = model_region(model, text_in(first, "region"))};

		add_edit(import, KIND_GROUP, NULL, group->name,
			 keep_values(import, group_values(&bare)), NULL);
	} else {
		remove_it(import, KIND_GROUP, NULL, group->name);
	}
}

/* Removes waiting PTRs that the document lacks, and those of addresses and services in it: these
 * cannot be added while a PTR waits for their ids. */
static void compare_waiting(struct state_import *import)
{
	size_t count;
	const struct owned_resource **list = ptrs_waiting(import->resources, &count);

	for (size_t i = 0; i < count; i++) {
		const char *id = list[i]->item.id;

		if (!find_in(import->index[PTRS], id) || has_owned(import, id))
			remove_it(import, KIND_PTR, NULL, id);
	}
	free(list);
}

/* The values of an address or service, with those of its PTR. */
static const json_t *with_ptr(struct state_import *import, const struct state_list *list,
			      const json_t *object)
{
	const char *id = text_in(object, "id");
	const json_t *ptr = id ? find_in(import->index[PTRS], id) : NULL;
	const char *description = list->kind == KIND_SERVICE ? "ptr_description" : "description";
	json_t *values;

	if (!ptr)
		return object;
	values = json_copy((json_t *)(uintptr_t)object);
	json_put(values, "reverse_fqdn", json_incref(json_object_get(ptr, "reverse_fqdn")));
	if (json_object_get(ptr, "description"))
		json_put(values, description, json_incref(json_object_get(ptr, "description")));
	if (json_object_get(ptr, "ttl"))
		json_put(values, "ttl", json_incref(json_object_get(ptr, "ttl")));
	return keep_values(import, json_whole(values));
}

static void put_object(struct state_import *import, const struct state_list *list,
		       const json_t *object)
{
	const char *id = text_in(object, list->member);

	if (list->kind != KIND_PTR)
		add_edit(import, list->kind, text_in(object, "resource_group"),
			 text_in(object, "name"), with_ptr(import, list, object), object);
	else if (!has_owned(import, id))
		add_edit(import, KIND_PTR, NULL, id, object, object);
}

/* ---- import: step by step ---- */

/* The kinds whose present resources are compared with the document, in this order, before its
 * lists are put; KIND_PTR: waiting PTRs. */
static const struct comparison {
	unsigned kind;
	void (*compare)(struct state_import *import, const struct item *present);
} comparisons[] = {{KIND_ADDRESS, compare_resource},
		   {KIND_SERVICE, compare_resource},
		   {KIND_GROUP, compare_group},
		   {KIND_PTR, NULL}};

/* Compares the next items of a kind; *more: others follow. */
static int compare_items(struct state_import *import, const struct comparison *comparison,
			 bool *more, struct change_error *error)
{
	struct item_list *list = &import->list;
	int err;

	list->resources = import->resources;
	list->path.kind = kind_of_id(comparison->kind);
	list->arena = &import->arena;
	/* No limit: a call reads all groups anyway, and gives only a few items of other kinds. */
	err = items_of(list->path.kind)->next(list, SIZE_MAX, error);
	for (size_t i = 0; !err && i < list->count; i++)
		comparison->compare(import, &list->items[i]);
	*more = list->more;
	return err;
}

/* Puts the next objects of a list; *more: others follow. */
static void put_objects(struct state_import *import, const struct state_list *list, bool *more)
{
	const json_t *objects = json_object_get(import->document, list->key);
	size_t count = json_array_size(objects);

	for (size_t i = 0; i < PAGE_OBJECTS && import->at < count; i++)
		put_object(import, list, json_array_get(objects, import->at++));
	*more = import->at < count;
}

static void page_release(struct state_import *import)
{
	import->count = 0;
	json_array_clear(import->values);
	arena_release(&import->arena);
	arena_init(&import->arena);
}

int state_import_next(struct state_import *import, struct resources *resources,
		      struct edit_page *page, struct change_error *error)
{
	size_t step = import->step;
	bool more = false;
	int err;

	page_release(import);
	import->resources = resources;
	err = import->is_checked ? 0 : check_document(import, error);
	if (!err && step >= COUNT(comparisons))
		put_objects(import, &lists[step - COUNT(comparisons)], &more);
	else if (!err && comparisons[step].compare)
		err = compare_items(import, &comparisons[step], &more, error);
	else if (!err)
		compare_waiting(import);
	if (import->failed)
		err = change_no_memory(error);
	if (!more) {
		import->step++;
		import->at = 0;
		import->list = (struct item_list){.count = 0};
	}
	*page = (struct edit_page){import->edits, import->count,
				   import->step < COUNT(comparisons) + COUNT(lists)};
	return err;
}

/* Whether the member of an address or service is its PTR's. */
static bool is_of_ptr(const struct kind *kind, const char *member)
{
	const char *description = kind->id == KIND_SERVICE ? "ptr_description" : "description";

	return strcmp(member, "reverse_fqdn") == 0 || strcmp(member, "ttl") == 0 ||
	       strcmp(member, description) == 0;
}

void state_import_place(const struct state_import *import, size_t index, struct change_error *error)
{
	const json_t *object = index < import->count ? import->objects[index] : NULL, *one;
	const char *id = text_in(object, "id");
	const json_t *ptr = id ? find_in(import->index[PTRS], id) : NULL;
	size_t at;

	if (ptr && is_of_ptr(import->edits[index].path.kind, error->field)) {
		object = ptr;
		if (strcmp(error->field, "ptr_description") == 0)
			snprintf(error->field, sizeof error->field, "description");
	}
	for (size_t i = 0; object && i < COUNT(lists); i++)
		json_array_foreach(json_object_get(import->document, lists[i].key), at, one)
		{
			if (one == object)
				change_error_place(error, lists[i].key, at);
		}
}

struct state_import *state_import_new(json_t *document)
{
	struct state_import *import = calloc(1, sizeof *import);
	bool good = import;

	if (!import) {
		json_decref(document);
		return NULL;
	}
	*import = (struct state_import){
		.document = document, .used = json_object(), .values = json_array()};
	arena_init(&import->arena);
	for (size_t i = 0; i < INDEXES; i++) {
		import->index[i] = json_object();
		good = good && import->index[i];
	}
	if (good && import->used && import->values)
		return import;
	state_import_free(import);
	return NULL;
}

void state_import_free(struct state_import *import)
{
	if (!import)
		return;
	arena_release(&import->arena);
	for (size_t i = 0; i < INDEXES; i++)
		json_decref(import->index[i]);
	json_decref(import->document);
	json_decref(import->used);
	json_decref(import->values);
	free(import->edits);
	free(import->objects);
	free(import);
}
