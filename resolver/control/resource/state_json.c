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
#include "resolver/control/resource/address_edits.h"
#include "resolver/control/resource/group.h"
#include "resolver/control/resource/item.h"
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

/* ---- import: the edits ---- */

enum { PAGE_OBJECTS = 100 };

struct state_import {
	json_t *document;
	json_t *objects, *ptrs, *groups; /* of the document, by id and name; null: a duplicate */
	json_t *done;                    /* resources that are as in the document (note) */
	struct resources *resources;
	size_t step;           /* number in `steps` */
	size_t page_step;      /* that of the present page */
	struct item_list list; /* of a step that compares items */
	size_t at;             /* of a step's list in the document: the next object */
	/* The present page. Texts are those of `resources` or of the document. */
	struct resource_edit *edits;
	size_t *places; /* of each edit: its object in the document's list */
	size_t count, room, places_room;
	json_t *values;     /* an array: values of edits that are not the document's */
	struct arena arena; /* of the list's items */
	bool failed;        /* no memory for an edit */
};

/* The key of an object in an index; "": none. */
static const char *key_of(const json_t *object, const char *member, char key[NAME_TEXT_MAX])
{
	const char *text = json_string_value(json_object_get(object, member));

	snprintf(key, NAME_TEXT_MAX, "%s", text ? text : "");
	return text_lower(key);
}

static json_t *index_lists(const json_t *document, const char *const *lists, const char *member)
{
	json_t *by = json_object(), *object;
	char key[NAME_TEXT_MAX];
	size_t i;

	for (; *lists; lists++)
		json_array_foreach(json_object_get(document, *lists), i, object)
		{
			if (*key_of(object, member, key) != '\0')
				json_put(by, key,
					 json_object_get(by, key) ? json_null()
								  : json_incref(object));
		}
	return by;
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

/* Adds an edit to the page; values NULL: removes the resource. */
static void put(struct state_import *import, unsigned kind, const char *group, const char *name,
		const json_t *values)
{
	struct resource_edit *edits =
		array_grow(import->edits, import->count, &import->room, sizeof *edits);
	size_t *places =
		array_grow(import->places, import->count, &import->places_room, sizeof *places);

	import->edits = edits ? edits : import->edits;
	import->places = places ? places : import->places;
	import->failed = import->failed || !edits || !places;
	if (import->failed)
		return;
	edits[import->count] = (struct resource_edit){
		.path = {kind_of_id(kind), group ? group : GROUP_NONE, {name, NULL}},
		.values = values};
	places[import->count++] = import->at;
}

/* ---- import: comparing present resources with the document ---- */

/* Keeps or removes a resource of the state with its PTR, or the PTR of a declared one. */
static void compare_resource(struct state_import *import, const struct item *compared)
{
	const struct owned_resource *resource = compared->owned;
	const struct owned_item *item = &resource->item;
	bool is_declared = owned_is_declared(resource);
	bool has_ptr = item->reverse_fqdn && !resource->ptr_is_declared;
	bool same = is_declared || is_same(import->objects, item->id, owned_values_alone(resource));

	if (same && is_same(import->ptrs, item->id, ptr_values(resource))) {
		if (!is_declared)
			keep(import, "owner", item->id);
		if (!is_declared && item->resource_group)
			keep(import, "used", item->resource_group);
		if (has_ptr)
			keep(import, "ptr", item->id);
	} else if (!is_declared) {
		put(import, resource->kind->id, item->resource_group, item->name, NULL);
	} else if (has_ptr) {
		put(import, KIND_PTR, NULL, item->id, NULL);
	}
}

/* Removes a group that the document lacks, or has with other values. A group that the document
 * lacks, but with an address that stays, gets the values that adding this address would give it. */
static void compare_group(struct state_import *import, const struct item *compared)
{
	const struct resource_group *group = compared->fields;
	const struct resource_group bare = {.name = group->name, .region = group->region};
	bool named = find_in(import->groups, group->name);
	bool used = noted(import, "used", group->name);
	json_t *values;

	if (!group->origin.revision)
		return; /* has no row: only a file or other resources name it */
	if (named ? is_same(import->groups, group->name, group_values(group))
		  : used && group->tags.count == 0) {
		keep(import, "group", group->name);
		return;
	}
	put(import, KIND_GROUP, NULL, group->name, NULL);
	if (named || !used)
		return;
	values = group_values(&bare);
	/* Without values, put removes. */
	import->failed =
		import->failed || !values || json_array_append(import->values, values) != 0;
	put(import, KIND_GROUP, NULL, group->name, values);
	json_decref(values);
}

static void compare_waiting(struct state_import *import)
{
	size_t count;
	const struct owned_resource **list = ptrs_waiting(import->resources, &count);

	for (size_t i = 0; i < count; i++) {
		const char *id = list[i]->item.id;
		/* An address of the document cannot be added while a PTR waits for its id. */
		bool is_awaited = find_in(import->objects, id);

		if (is_same(import->ptrs, id, ptr_values(list[i])) && !is_awaited)
			keep(import, "ptr", id);
		else
			put(import, KIND_PTR, NULL, id, NULL);
	}
	free(list);
}

/* ---- import: the document ---- */

/* The object's text. A value that is no text is an error; a missing one gives NULL. */
static int text_of(const json_t *object, const char *key, const char **text,
		   struct change_error *error)
{
	const json_t *value = json_object_get(object, key);

	*text = json_string_value(value);
	return !value || *text ? 0 : change_refuse(error, key, "is not a string; give one");
}

/* Whether the field table has the member. Members of the PTR do not count: PTRs have a list of
 * their own. */
static bool is_member(const struct kind *kind, const char *key)
{
	const struct field *field = schema_field(kind_field(kind)->group, key);

	return field && field->offset != offsetof(struct owned_item, reverse_fqdn) &&
	       field->offset != offsetof(struct owned_item, ptr_description) &&
	       field->offset != offsetof(struct owned_item, ttl);
}

/* Refuses other members, because read-only ones would be ignored silently. */
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

static int import_group(struct state_import *import, const json_t *object,
			struct change_error *error)
{
	const char *name;

	if (text_of(object, "name", &name, error) != 0)
		return ERR_INVALID;
	if (!name)
		return change_refuse(error, "name", "is missing; give one");
	put(import, KIND_GROUP, NULL, name, object);
	return 0;
}

static int import_resource(struct state_import *import, unsigned kind, const json_t *object,
			   struct change_error *error)
{
	const char *name, *group;

	if (check_members(kind_of_id(kind), object, error) != 0 ||
	    text_of(object, "name", &name, error) != 0 ||
	    text_of(object, "resource_group", &group, error) != 0)
		return ERR_INVALID;
	if (!name)
		return change_refuse(error, "name", "is missing; give one");
	put(import, kind, group && *group ? group : NULL, name, object);
	return 0;
}

static int import_address(struct state_import *import, const json_t *object,
			  struct change_error *error)
{
	return import_resource(import, KIND_ADDRESS, object, error);
}

static int import_service(struct state_import *import, const json_t *object,
			  struct change_error *error)
{
	return import_resource(import, KIND_SERVICE, object, error);
}

/* `waits`: the PTR's address or service may be missing. */
static int import_ptr_of(struct state_import *import, const json_t *object, bool waits,
			 struct change_error *error)
{
	const char *id = json_string_value(json_object_get(object, "owner"));

	if (!id || (!waits && !addresses_by_id(import->resources, id)))
		return change_refuse(error, "owner",
				     "there is no address or service with the id \"%s\"; give one "
				     "that is in the document, or in the configuration file",
				     id ? id : "");
	if (!text_is_uuid(id))
		return change_refuse(error, "owner", "\"%.64s\" does not fit; give a UUID", id);
	if (json_string_length(json_object_get(object, "reverse_fqdn")) == 0)
		return change_refuse(error, "reverse_fqdn",
				     "is missing, or not a string; give one");
	put(import, KIND_PTR, NULL, id, object);
	return 0;
}

static int import_ptr(struct state_import *import, const json_t *object, struct change_error *error)
{
	return import_ptr_of(import, object, false, error);
}

/* A PTR that waited where it was exported waits here only if its address or service is missing. */
static int import_waiting(struct state_import *import, const json_t *object,
			  struct change_error *error)
{
	return import_ptr_of(import, object, true, error);
}

/* ---- import: step by step ---- */

/* The order matters: an address gives up what another one gets, and is in its group; a PTR has its
 * address. A step compares present items of a kind, or those that wait, or reads a list. */
static const struct import_step {
	unsigned kind;
	void (*compare)(struct state_import *import, const struct item *item);
	void (*compare_all)(struct state_import *import);
	const char *key, *member, *noted; /* of the list */
	int (*import)(struct state_import *import, const json_t *object,
		      struct change_error *error);
} steps[] = {
	{.kind = KIND_ADDRESS, .compare = compare_resource},
	{.kind = KIND_SERVICE, .compare = compare_resource},
	{.kind = KIND_GROUP, .compare = compare_group},
	{.compare_all = compare_waiting},
	{.key = "groups", .member = "name", .noted = "group", .import = import_group},
	{.key = "addresses", .member = "id", .noted = "owner", .import = import_address},
	{.key = "services", .member = "id", .noted = "owner", .import = import_service},
	{.key = "ptrs", .member = "owner", .noted = "ptr", .import = import_ptr},
	{.key = "waiting", .member = "owner", .noted = "ptr", .import = import_waiting},
};

/* Adds the edit of an object of the step's list, unless the state has the same resource already. */
static int import_object(struct state_import *import, const struct import_step *step,
			 const json_t *object, struct change_error *error)
{
	char key[NAME_TEXT_MAX];
	const json_t *found;
	int err;

	if (!json_is_object(object))
		return change_refuse(error, NULL, "is not what an export has; give an object");
	found = *key_of(object, step->member, key) ? noted(import, step->noted, key) : NULL;
	if (json_is_true(found))
		return 0;
	if (found)
		return change_refuse(error, step->member, "%s is there twice; leave one out", key);
	err = step->import(import, object, error);
	if (!err)
		note(import, step->noted, key, json_false());
	return err;
}

/* Imports objects of the step's list, which the document may lack. A page ends before a wrong
 * object, which is read again with the next page, so that the first error in the document is the
 * one that is told. */
static int import_list(struct state_import *import, const struct import_step *step,
		       struct change_error *error)
{
	const json_t *list = json_object_get(import->document, step->key);

	if (list && !json_is_array(list))
		return change_refuse(error, step->key, "is not a list; give one, or leave it out");
	for (; import->at < json_array_size(list) && import->count < PAGE_OBJECTS; import->at++) {
		if (import_object(import, step, json_array_get(list, import->at), error) == 0)
			continue;
		change_error_place(error, step->key, import->at);
		return import->count > 0 ? 0 : ERR_INVALID;
	}
	return 0;
}

/* Compares the next items of the step's kind. */
static int compare_items(struct state_import *import, const struct import_step *step,
			 struct change_error *error)
{
	struct item_list *list = &import->list;
	int err;

	list->resources = import->resources;
	list->path.kind = kind_of_id(step->kind);
	list->arena = &import->arena;
	/* A call reads all groups, so they make one page; of other kinds it gives a few anyway. */
	err = items_of(list->path.kind)->next(list, SIZE_MAX, error);
	for (size_t i = 0; !err && i < list->count; i++)
		step->compare(import, &list->items[i]);
	return err;
}

/* Adds the step's next edits. */
static int take_step(struct state_import *import, const struct import_step *step,
		     struct change_error *error)
{
	if (step->import)
		return import_list(import, step, error);
	if (step->compare)
		return compare_items(import, step, error);
	step->compare_all(import);
	return 0;
}

static bool is_over(const struct state_import *import, const struct import_step *step)
{
	const json_t *list = step->import ? json_object_get(import->document, step->key) : NULL;

	return import->at >= json_array_size(list) && !(step->compare && import->list.more);
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
	const struct import_step *step = &steps[import->step];
	int err = check_version(import->document, error);

	page_release(import);
	import->resources = resources;
	import->page_step = import->step;
	if (!err)
		err = take_step(import, step, error);
	if (import->failed)
		err = change_no_memory(error);
	if (!err && is_over(import, step)) {
		import->step++;
		import->at = 0;
		import->list = (struct item_list){.count = 0};
	}
	*page = (struct edit_page){import->edits, import->count, import->step < COUNT(steps)};
	return err;
}

void state_import_place(const struct state_import *import, size_t index, struct change_error *error)
{
	const struct import_step *step = &steps[import->page_step];

	if (step->import && index < import->count)
		change_error_place(error, step->key, import->places[index]);
}

struct state_import *state_import_new(json_t *document)
{
	static const char *const resources[] = {"addresses", "services", NULL};
	static const char *const ptrs[] = {"ptrs", "waiting", NULL};
	static const char *const groups[] = {"groups", NULL};
	struct state_import *import = calloc(1, sizeof *import);

	if (!import) {
		json_decref(document);
		return NULL;
	}
	*import = (struct state_import){.document = document,
					.objects = index_lists(document, resources, "id"),
					.ptrs = index_lists(document, ptrs, "owner"),
					.groups = index_lists(document, groups, "name"),
					.done = json_object(),
					.values = json_array()};
	arena_init(&import->arena);
	if (import->objects && import->ptrs && import->groups && import->done && import->values)
		return import;
	state_import_free(import);
	return NULL;
}

void state_import_free(struct state_import *import)
{
	if (!import)
		return;
	arena_release(&import->arena);
	json_decref(import->document);
	json_decref(import->objects);
	json_decref(import->ptrs);
	json_decref(import->groups);
	json_decref(import->done);
	json_decref(import->values);
	free(import->edits);
	free(import->places);
	free(import);
}
