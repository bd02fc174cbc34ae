#include "resolver/control/resource/group.h"

#include <stdlib.h>
#include <strings.h>

#include "resolver/control/base/json.h"
#include "resolver/control/resource/address_draft.h"
#include "resolver/control/resource/ownership.h"
#include "resolver/control/resource/part.h"
#include "resolver/control/resource/resources.h"
#include "resolver/control/resource/values.h"
#include "rules/array.h"
#include "rules/check/limits.h"
#include "rules/schema/schema.h"
#include "rules/text.h"

void group_each_item(const struct model *model,
		     void (*on_item)(void *context, const struct kind *kind, const void *item),
		     void *context)
{
	for (size_t i = 0; i < KIND_COUNT; i++) {
		const struct kind *kind = &kinds[i];
		const struct field *member;
		struct schema_list items;

		if (kind->parent)
			continue;
		items = kind_list(kind, model);
		/* Looked up once, because every group_find walks over all these items. */
		member = schema_field(kind_field(kind)->group, "resource_group");
		for (size_t k = 0; k < items.count; k++) {
			const char *item =
				(const char *)items.items + k * kind_field(kind)->group->size;

			if (schema_get_text(member, item, NULL, 0))
				on_item(context, kind, item);
		}
	}
}

struct naming { /* of the items of one group */
	const char *group;
	char *text;
	size_t count;
};

static void name_item(void *context, const struct kind *kind, const void *item)
{
	enum { NAMED_MAX = 3 };
	struct naming *naming = context;
	const struct path path = part_path(kind, item, NULL);
	char url[PATH_URL_MAX];

	if (strcasecmp(path.group, naming->group) != 0)
		return;
	if (naming->count++ < NAMED_MAX)
		text_append(naming->text, GROUP_ITEMS_MAX, "%s%s", naming->count > 1 ? ", " : "",
			    path_url(&path, url));
	else if (naming->count == NAMED_MAX + 1)
		text_append(naming->text, GROUP_ITEMS_MAX, ", ...");
}

size_t group_items(const struct model *model, const char *name, char text[GROUP_ITEMS_MAX])
{
	struct naming naming = {name, text, 0};

	*text = '\0';
	group_each_item(model, name_item, &naming);
	return naming.count;
}

/* Reads a group from a row of the state, into the arena. ERR_INVALID: sluice did not write it. */
static int of_row(struct resource_group *group, const struct source_resource *row,
		  struct arena *arena)
{
	json_t *values = json_loads(row->json, 0, NULL);
	int err = values_read_stored(kind_of_id(KIND_GROUP), values, group, row->revision, arena);

	json_decref(values);
	return err;
}

json_t *group_values(const struct resource_group *group)
{
	return values_print(kind_of_id(KIND_GROUP), NULL, group);
}

char *group_etag(const struct resource_group *group, char text[ETAG_MAX])
{
	return etag_print(group->origin.revision, values_hash(kind_of_id(KIND_GROUP), group), 0,
			  text);
}

/* ---- finding groups ---- */

struct groups {
	struct resources *resources;
	struct resource_group *items;
	size_t count, room;
};

static int add_group(struct groups *groups, const struct resource_group *group)
{
	struct resource_group *items =
		array_grow(groups->items, groups->count, &groups->room, sizeof *items);

	if (!items)
		return ERR_NOMEM;
	groups->items = items;
	items[groups->count++] = *group;
	return 0;
}

static int on_group(void *context, const struct source_resource *row)
{
	struct groups *groups = context;
	struct resource_group group;
	int err = of_row(&group, row, &groups->resources->shown);

	if (!err)
		err = add_group(groups, &group);
	return err ? resources_complain(groups->resources, row, err) : 0;
}

/* Marks the group as used by an item of the model or an address of the file. A group without a row
 * gets its name and region from the first such item. The group's file and line are those of its
 * first item in the file. An item that sluice made gives none: it has those of the item that it was
 * made for, which may be in another group. */
static void use_group(struct resource_group *group, const struct model *model,
		      const struct kind *kind, const void *item)
{
	const struct field *region = schema_field(kind_field(kind)->group, "region");
	const struct origin origin = part_origin(item);

	if (!group->origin.revision && !group->origin.file && !group->used) {
		group->name = part_group(kind, item);
		group->region =
			model_region(model, region ? schema_get_text(region, item, NULL, 0) : NULL);
	}
	group->used = true;
	if (group->origin.file || model_is_made(&origin))
		return;
	group->origin.file = origin.file;
	group->origin.line = origin.line;
}

struct group_use {
	const struct model *model;
	struct resource_group *groups; /* sorted by name */
	size_t count;
};

static int compare_group_names(const void *left, const void *right)
{
	const struct resource_group *a = left, *b = right;

	return strcasecmp(a->name, b->name);
}

static void use_item(void *context, const struct kind *kind, const void *item)
{
	const struct group_use *use = context;
	const struct resource_group wanted = {.name = part_group(kind, item)};
	struct resource_group *group = use->count
					       ? bsearch(&wanted, use->groups, use->count,
							 sizeof *use->groups, compare_group_names)
					       : NULL;

	if (group)
		use_group(group, use->model, kind, item);
}

static int on_first(void *number, const struct source_resource *row)
{
	*(size_t *)number = row->number;
	return 0;
}

/* Marks the group as used by the file's first address that is in it. The index finds this address,
 * because an edit of a group must not read the whole file. */
static void use_filed(struct resources *resources, struct resource_group *group)
{
	const struct model *model = resources->model;
	struct source *source = resources_reader(resources);
	char key[NAME_TEXT_MAX], error[SOURCE_ERROR_MAX] = "";
	size_t number = 0;

	snprintf(key, sizeof key, "%s", group->name);
	text_lower(key);
	if (source && source->calls->find(source, SOURCE_BY_GROUP, 0, key, NULL, on_first, &number,
					  error) != 0)
		resources_say_trouble(resources, error);
	if (number > 0) /* addresses have the first numbers (owned_of_file) */
		use_group(group, model, kind_of_id(KIND_ADDRESS),
			  &model_declared(model)->addresses.items[number - 1]);
}

/* Finds the row. Without one the group has only its name. False: no group can have this name. */
static bool read_row(struct resources *resources, const char *name, struct resource_group *group)
{
	struct source *source = resources_reader(resources);
	struct groups groups = {.resources = resources};
	char path[PATH_MAX_BYTES], error[SOURCE_ERROR_MAX] = "";

	*group = (struct resource_group){.name = name};
	if (!*name || path_key_of(KIND_GROUP, NULL, name, path) != 0)
		return false;
	if (source && source->calls->find(source, SOURCE_BY_ROW, KIND_GROUP, path, NULL, on_group,
					  &groups, error) != 0)
		resources_say_trouble(resources, error);
	if (groups.count > 0)
		*group = groups.items[0];
	free(groups.items);
	return true;
}

bool group_find_row(struct resources *resources, const char *name, struct resource_group *group)
{
	return read_row(resources, name, group) && group->origin.revision;
}

bool group_find(struct resources *resources, const char *name, struct resource_group *group)
{
	struct group_use use;

	if (!read_row(resources, name, group))
		return false;
	use_filed(resources, group);
	use = (struct group_use){resources->model, group, 1};
	group_each_item(use.model, use_item, &use);
	return group->origin.revision || group->origin.file || group->used;
}

/* Sorts by name. A group's row comes before the entries that add_used_group makes for the group. */
static int compare_groups(const void *left, const void *right)
{
	const struct resource_group *a = left, *b = right;
	int order = compare_group_names(a, b);

	return order ? order
		     : (a->origin.revision < b->origin.revision) -
			       (a->origin.revision > b->origin.revision);
}

struct used_groups {
	struct groups *groups;
	int err;
};

static void add_used_group(void *context, const struct kind *kind, const void *item)
{
	struct used_groups *used = context;
	const struct resource_group group = {.name = part_group(kind, item)};
	size_t at = used->groups->count;

	/* Items of a group mostly follow each other. */
	if (!used->err &&
	    (at == 0 || strcasecmp(used->groups->items[at - 1].name, group.name) != 0))
		used->err = add_group(used->groups, &group);
}

/* Calls back for each use of a group; addresses of the file come first. */
static void each_use(const struct model *model,
		     void (*on_item)(void *context, const struct kind *kind, const void *item),
		     void *context)
{
	const struct model *file = model_declared(model);

	for (size_t i = 0; i < file->addresses.count; i++)
		if (file->addresses.items[i].resource_group)
			on_item(context, kind_of_id(KIND_ADDRESS), &file->addresses.items[i]);
	group_each_item(model, on_item, context);
}

struct resource_group *groups_list(struct resources *resources, size_t *count)
{
	struct used_groups used;
	struct group_use use;
	struct source *source = resources_reader(resources);
	struct groups groups = {.resources = resources};
	const struct source_page all = {.kind = KIND_GROUP, .limit = INT64_MAX};
	char error[SOURCE_ERROR_MAX] = "";

	*count = 0;
	if (source && source->calls->page(source, &all, on_group, &groups, error) != 0)
		resources_say_trouble(resources, error);
	used = (struct used_groups){.groups = &groups};
	each_use(resources->model, add_used_group, &used);
	if (used.err) {
		free(groups.items);
		return NULL;
	}
	if (groups.count)
		qsort(groups.items, groups.count, sizeof *groups.items, compare_groups);
	for (size_t i = 0; i < groups.count; i++) {
		struct resource_group *last = &groups.items[*count];

		if (*count && strcasecmp(last[-1].name, groups.items[i].name) == 0)
			continue;
		*last = groups.items[i];
		++*count;
	}
	use = (struct group_use){resources->model, groups.items, *count};
	each_use(use.model, use_item, &use);
	return groups.items ? groups.items : calloc(1, sizeof *groups.items);
}

size_t group_size(struct resources *resources, const char *name)
{
	struct source *source = resources_reader(resources);
	char key[NAME_TEXT_MAX], error[SOURCE_ERROR_MAX] = "";
	size_t count = 0;

	snprintf(key, sizeof key, "%s", name ? name : "");
	text_lower(key);
	if (source && source->calls->count(source, KIND_ADDRESS, key, &count, error) != 0)
		resources_say_trouble(resources, error);
	return count;
}

/* ---- edits ---- */

static int put_row(struct address_draft *draft, const struct resource_group *group)
{
	char path[PATH_MAX_BYTES];

	if (path_key_of(KIND_GROUP, NULL, group->name, path) != 0)
		return draft_fail(draft, CHANGE_INVALID, "name", "is too long; give a shorter one");
	return draft_put_row(draft, KIND_GROUP, path, json_whole_text(group_values(group)), NULL);
}

/* Checks the name of a new group; an existing group keeps its name. `field` is for the error. */
static int check_name(struct address_draft *draft, const char *name, const char *field)
{
	const char *advice = group_name_refusal(name);
	struct resource_group group;

	if (!advice || group_find(draft->resources, name, &group))
		return 0;
	return draft_fail(draft, CHANGE_INVALID, field, "\"%s\" does not fit; %s", name, advice);
}

int group_ensure(struct address_draft *draft, const char *name, const char *region)
{
	struct resource_group group;
	bool there;

	if (group_find_row(draft->resources, name, &group))
		return 0;
	there = group_find(draft->resources, name, &group);
	if (check_name(draft, name, "resource_group") != 0)
		return ERR_INVALID;
	return put_row(draft,
		       &(const struct resource_group){.name = there ? group.name : name,
						      .region = there ? group.region : region});
}

/* Ignores the case of the names. */
static bool is_same(const struct resource_group *a, struct resource_group b)
{
	json_t *left, *right;
	bool same;

	b.name = a->name;
	left = group_values(a);
	right = group_values(&b);
	same = left && json_equal(left, right);
	json_decref(left);
	json_decref(right);
	return same;
}

/* Makes or changes a group, unless it is equal already. With `restores`, a group of the file gets a
 * row as well, and the name gets the spelling of `wanted`. */
static int put_wanted(struct address_draft *draft, const struct resource_group *wanted,
		      bool restores)
{
	struct resource_group group, put = *wanted;
	bool is_there, is_spelled;

	if (check_name(draft, wanted->name, "name") != 0)
		return ERR_INVALID;
	is_there = group_find(draft->resources, wanted->name, &group);
	is_spelled = is_there && strcmp(group.name, wanted->name) == 0;
	if (is_there && ((group.origin.revision && is_spelled) || !restores) &&
	    is_same(&group, *wanted))
		return 0;
	if (is_there && !restores && group_is_read_only(&group))
		return draft_fail_declared(draft, &group.origin);
	if (is_there && !restores)
		put.name = group.name;
	return put_row(draft, &put);
}

/* Removes the group's row, whatever is in the group. */
static int forget(struct address_draft *draft, const char *name)
{
	char path[PATH_MAX_BYTES];
	int err = path_key_of(KIND_GROUP, NULL, name, path);

	return err ? err : draft_delete_row(draft, KIND_GROUP, path);
}

int group_put(struct address_draft *draft, const struct path *path, const json_t *body,
	      enum addresses_why why)
{
	json_t *values = json_copy((json_t *)(uintptr_t)body);
	const json_t *name = json_object_get(values, "name");
	const char *text = json_string_value(name);
	struct resource_group group;
	struct arena arena;
	int err = 0;

	if (!name || json_is_null(name))
		json_put(values, "name", json_text(path->names[0]));
	else if (!text || strcasecmp(text, path->names[0]) != 0)
		err = draft_fail(draft, CHANGE_INVALID, "name", "it is \"%s\", and cannot change",
				 path->names[0]);
	arena_init(&arena);
	if (!err)
		err = draft_read(draft, path->kind, values, &group, &arena);
	if (!err)
		err = put_wanted(draft, &group, addresses_restore(why));
	arena_release(&arena);
	json_decref(values);
	return err;
}

int group_remove(struct address_draft *draft, const struct path *path, enum addresses_why why)
{
	struct resources *resources = draft->resources;
	struct resource_group group;
	char items[GROUP_ITEMS_MAX];

	if (!group_find(resources, path->names[0], &group))
		return 0;
	if (addresses_restore(why))
		return forget(draft, path->names[0]);
	if (group_size(resources, path->names[0]) > 0 && why != ADDRESSES_ANY &&
	    group.tags.count == 0)
		return 0; /* undoing the address that made the group; other addresses keep it */
	if (group_size(resources, path->names[0]) > 0)
		return draft_fail(draft, CHANGE_INVALID, "",
				  "resource group \"%s\" has addresses; remove them first",
				  group.name);
	if (why == ADDRESSES_ANY && group_items(resources_model(resources), group.name, items) > 0)
		return draft_fail(draft, CHANGE_INVALID, "",
				  "resource group \"%s\" has other resources (%s); remove them "
				  "first",
				  group.name, items);
	return forget(draft, path->names[0]);
}

/* ---- groups for the APIs; the mark of one is its name ---- */

static struct item item_of(const struct resource_group *group)
{
	return (struct item){.path = {kind_of_id(KIND_GROUP), GROUP_NONE, {group->name, NULL}},
			     .fields = group,
			     .origin = group->origin};
}

static int find_item(struct resources *resources, const struct path *path, struct arena *arena,
		     struct item *item, struct change_error *error)
{
	struct resource_group *group = arena_alloc(arena, sizeof *group);
	bool found;

	error->outcome = CHANGE_FINE;
	if (!group)
		return change_no_memory(error);
	found = group_find(resources, path->names[0], group);
	if (resources_check_reads(resources, error) != 0)
		return ERR_INVALID;
	*item = item_of(group);
	return found ? 0 : ERR_NOT_FOUND;
}

static char *mark_item(const struct item_list *list, const struct item *item,
		       char text[ITEM_MARK_MAX])
{
	(void)list;
	snprintf(text, ITEM_MARK_MAX, "%s", path_name(&item->path));
	return text;
}

static int take_groups(struct item_list *list, const struct resource_group *groups, size_t count,
		       size_t room)
{
	struct resource_group *copies = arena_alloc_array(list->arena, count, sizeof *copies);

	list->items = arena_alloc_array(list->arena, count, sizeof *list->items);
	if (!copies || !list->items)
		return ERR_NOMEM;
	for (size_t i = 0; !list->more && i < count; i++) {
		struct item item;

		copies[i] = groups[i];
		item = item_of(&copies[i]);
		if ((*list->behind && strcasecmp(groups[i].name, list->behind) <= 0) ||
		    !item_fits(list, &item))
			continue;
		list->more = list->count == room;
		if (!list->more)
			list->items[list->count++] = item;
	}
	if (list->count > 0)
		mark_item(list, &list->items[list->count - 1], list->behind);
	return 0;
}

static int next_items(struct item_list *list, size_t room, struct change_error *error)
{
	struct resource_group *groups;
	size_t count;
	int err;

	if (item_list_begin(list, error) != 0)
		return ERR_INVALID;
	groups = groups_list(list->resources, &count);
	err = groups ? take_groups(list, groups, count, room) : ERR_NOMEM;
	free(groups);
	if (resources_check_reads(list->resources, error) != 0)
		return ERR_INVALID;
	return err ? change_no_memory(error) : 0;
}

static char *item_etag(const struct resources *resources, const struct kind *kind,
		       const struct item *item, char text[ETAG_MAX])
{
	(void)resources;
	(void)kind;
	return item ? group_etag(item->fields, text) : NULL;
}

static json_t *item_values(const struct resources *resources, const struct item *item)
{
	(void)resources;
	return group_values(item->fields);
}

static json_t *stored_values(struct resources *resources, const struct path *path,
			     struct change_error *error)
{
	struct resource_group group;
	bool found = group_find(resources, path->names[0], &group);
	json_t *values = found ? group_values(&group) : NULL;

	error->outcome = CHANGE_FINE;
	if (found && !values)
		(void)change_no_memory(error);
	else if (!found && resources_check_reads(resources, error) == 0)
		change_say(error, CHANGE_NOT_FOUND, NULL, CHANGE_GONE);
	return values;
}

static json_t *show_item(const struct resources *resources, const struct item *item,
			 char text[ETAG_MAX])
{
	const struct resource_group *group = item->fields;
	json_t *object = group_values(group);

	(void)resources;
	values_put_missing(item->path.kind, object);
	json_put(object, "origin", values_print_origin(&group->origin));
	json_put(object, "etag", json_text(group_etag(group, text)));
	return json_whole(object);
}

const struct item_calls items_of_groups = {.find = find_item,
					   .next = next_items,
					   .mark = mark_item,
					   .etag = item_etag,
					   .values = item_values,
					   .stored = stored_values,
					   .show = show_item};

/* ---- the removal with all addresses ---- */

static bool is_of_subscription(void *context, const struct item *item)
{
	const struct group_removal *removal = context;

	return ownership_is_of(removal->list.resources, item->owned, removal->subscription);
}

void group_removal_init(struct group_removal *removal, const char *name, const char *subscription)
{
	*removal = (struct group_removal){
		.name = name,
		.subscription = subscription,
		.list = {.path = {kind_of_id(KIND_ADDRESS), name ? name : GROUP_NONE, {NULL}},
			 .fits = is_of_subscription,
			 .more = true}};
	arena_init(&removal->arena);
}

/* Adds the edit of the group's row, if it has one. */
static void add_row(struct group_removal *removal, struct resources *resources,
		    struct edit_page *page)
{
	struct resource_group group;

	if (!removal->name || !group_find(resources, removal->name, &group) ||
	    !group.origin.revision)
		return;
	removal->edits[page->count++] = (struct resource_edit){
		.path = {kind_of_id(KIND_GROUP), GROUP_NONE, {removal->name, NULL}}};
}

int group_removal_next(struct group_removal *removal, struct resources *resources,
		       struct edit_page *page, struct change_error *error)
{
	struct item_list *list = &removal->list;
	bool more = list->more;
	int err = 0;

	group_removal_release(removal);
	*page = (struct edit_page){.edits = removal->edits, .more = more};
	list->resources = resources;
	list->arena = &removal->arena;
	list->context = removal;
	if (!more) {
		add_row(removal, resources, page);
		return 0;
	}
	err = items_of(list->path.kind)->next(list, GROUP_REMOVAL_PAGE, error);
	for (size_t i = 0; !err && i < list->count; i++)
		removal->edits[page->count++].path = list->items[i].path;
	return err;
}

void group_removal_release(struct group_removal *removal)
{
	arena_release(&removal->arena);
	arena_init(&removal->arena);
}
