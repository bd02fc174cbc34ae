/* Items of models and homes. An item of a model is found in the served model. A list of such items
 * collects all of them and sorts them:
 *
 *     inside one item       by name                                  mark: NAME
 *     of one group          by name                                  NAME
 *     of all groups         by name and group                        NAME/GROUP
 *     inside all items      by the outer item's name and group,
 *                           then by name                             PATH, as in URLs
 *
 * A home has too many items to collect and sort. The model has those of the file, the store has
 * those of the state as rows; a list merges both by key, and its mark is the NAME. */
#include "resolver/control/resource/item.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "resolver/control/base/json.h"
#include "resolver/control/base/percent.h"
#include "resolver/control/resource/etag.h"
#include "resolver/control/resource/home.h"
#include "resolver/control/resource/part.h"
#include "resolver/control/resource/values.h"
#include "rules/array.h"
#include "rules/schema/schema.h"

static int refuse_long_mark(struct change_error *error)
{
	return change_say(error, CHANGE_INVALID, "marker",
			  "it is longer than any name; follow the `next` link of the previous "
			  "page");
}

/* The path, with its group and first name (if any) in the item's own spelling. */
static struct path spelled(const struct model *model, const struct path *path)
{
	struct path own = *path, root = part_root(path);
	const void *item = root.names[0] ? part_find(model, &root) : NULL;

	if (item) {
		own.group = part_group(root.kind, item);
		own.names[0] = part_name(root.kind, item);
	}
	return own;
}

struct item item_served(const struct kind *kind, const void *fields, const struct path *around)
{
	return (struct item){.path = part_path(kind, fields, around),
			     .fields = fields,
			     .origin = part_origin(fields)};
}

/* ---- rows of the state ---- */

/* Calls back with the rows of this range; a server without a state has none. A callback that wants
 * no more rows returns ERR_LIMIT, which is no error. */
static int each_in(struct resources *resources, const struct kind *kind,
		   const struct key_range *range,
		   int (*on_row)(void *context, const struct source_resource *row), void *context,
		   struct change_error *error)
{
	struct source *source = change_reader(resources_store(resources), error);
	char text[SOURCE_ERROR_MAX] = "";
	int err;

	if (!source && error->outcome == CHANGE_NO_STATE)
		error->outcome = CHANGE_FINE;
	if (!source)
		return error->outcome == CHANGE_FINE ? 0 : ERR_INVALID;
	err = source->calls->resources(source, kind->id, range->from, range->to, on_row, context,
				       text);
	if (!err || err == ERR_LIMIT)
		return 0;
	return change_say(error, err == ERR_NOMEM ? CHANGE_NO_MEMORY : CHANGE_STORE, NULL, "%s",
			  *text ? text : err_text(err));
}

/* Calls back with the row of the path's item, or, for a path without a last name, with all rows of
 * that list. */
static int each_row(struct resources *resources, const struct path *path,
		    int (*on_row)(void *context, const struct source_resource *row), void *context,
		    struct change_error *error)
{
	const struct path outer = part_root(path);
	struct key_range range = {.from = "", .to = "\x7f"};
	bool is_one = path_name(path), is_all = !path->names[0];
	char key[PATH_MAX_BYTES];

	if (!is_all && path_key(is_one ? path : &outer, key) != 0)
		return 0; /* no resource has a path this long */
	if (is_one)
		key_range_alone(&range, key);
	else if (!is_all)
		key_range_inside(&range, key);
	return each_in(resources, path->kind, &range, on_row, context, error);
}

/* Calls back with the rows of the path's list, sorted by key: those that follow the row of the
 * path's last name, or, without a last name, all. */
static int each_behind(struct resources *resources, const struct path *path,
		       int (*on_row)(void *context, const struct source_resource *row),
		       void *context, struct change_error *error)
{
	const struct path outer = part_root(path);
	struct key_range range;
	char key[PATH_MAX_BYTES];

	if (path_key(&outer, key) != 0)
		return 0;
	key_range_inside(&range, key);
	if (path->names[1]) {
		if (path_key(path, key) != 0)
			return 0;
		snprintf(range.from, sizeof range.from, "%s\x01", key);
	}
	return each_in(resources, path->kind, &range, on_row, context, error);
}

/* ---- items of homes ---- */

/* Whether rows of the state can be items of this parent (NULL: it does not exist). */
static bool has_rows(const struct kind *kind, const void *parent)
{
	return parent && !kind->home->refusal(parent);
}

/* The row's item, in the arena; NULL: it is not served, or there is no memory. */
static const void *read_item(const void *parent, const struct path *path,
			     const struct source_resource *row, struct arena *arena)
{
	json_t *values = json_loads(row->json, 0, NULL);
	const char *name = json_string_value(json_object_get(values, "name"));
	const struct path own = {path->kind, path->group, {path->names[0], name}};
	struct origin origin = {.path = name ? path_text(&own, arena) : NULL,
				.revision = row->revision};
	void *item = arena_alloc(arena, kind_field(path->kind)->group->size);
	char key[PATH_MAX_BYTES];
	struct faults faults;
	bool good = false;

	faults_init(&faults);
	if (item && origin.path && path_key(&own, key) == 0 && strcmp(key, row->path) == 0 &&
	    path->kind->home->serves(parent, name, values)) {
		values_read(path->kind, values, item, &origin, arena, &faults);
		good = faults.errors == 0;
	}
	faults_release(&faults);
	json_decref(values);
	return good ? item : NULL;
}

struct home_search {
	const void *parent;
	const struct path *path;
	struct arena *arena;
	const void *found;
};

static int on_found(void *context, const struct source_resource *row)
{
	struct home_search *search = context;

	search->found = read_item(search->parent, search->path, row, search->arena);
	return 0;
}

/* Finds an item of the state in its home. NULL: there is none, or, with an outcome in the error, it
 * cannot be read. */
static const void *find_in_home(struct resources *resources, const struct path *path,
				struct arena *arena, struct change_error *error)
{
	const struct path root = part_root(path);
	struct home_search search = {part_find(resources_model(resources), &root), path, arena,
				     NULL};

	if (has_rows(path->kind, search.parent) &&
	    each_row(resources, path, on_found, &search, error) != 0)
		return NULL;
	return search.found;
}

struct keyed_item {
	const void *fields;
	const char *key;
};

struct home_listing {
	const struct item_list *list;
	struct path path;   /* of the list, spelled */
	struct path behind; /* of the item that the next ones follow */
	const void *parent;
	struct keyed_item *items;
	size_t count, room, limit;
	size_t rows;              /* rows read so far */
	char end[PATH_MAX_BYTES]; /* the key of the last row that may be read; "": not reached */
	bool is_ended;            /* another row follows `end` */
};

static int add_keyed(struct home_listing *listing, const void *fields)
{
	const struct path path = part_path(listing->path.kind, fields, &listing->path);
	char key[PATH_MAX_BYTES];
	struct keyed_item *items =
		array_grow(listing->items, listing->count, &listing->room, sizeof *items);

	if (!items)
		return ERR_NOMEM;
	listing->items = items;
	if (path_key(&path, key) != 0)
		return 0;
	listing->items[listing->count].fields = fields;
	listing->items[listing->count].key = arena_strdup(listing->list->arena, key);
	return listing->items[listing->count++].key ? 0 : ERR_NOMEM;
}

static bool is_wanted_of_home(const struct home_listing *listing, const void *fields)
{
	const struct item item = item_served(listing->path.kind, fields, &listing->path);

	return item_fits(listing->list, &item);
}

static int on_home_row(void *context, const struct source_resource *row)
{
	struct home_listing *listing = context;
	const void *fields;

	listing->is_ended = *listing->end;
	if (listing->is_ended)
		return ERR_LIMIT;
	if (++listing->rows == listing->list->rows_max)
		snprintf(listing->end, sizeof listing->end, "%s", row->path);
	fields = read_item(listing->parent, &listing->path, row, listing->list->arena);
	if (!fields || !is_wanted_of_home(listing, fields))
		return 0;
	if (listing->count == listing->limit)
		return ERR_LIMIT;
	return add_keyed(listing, fields);
}

/* Adds the model's items that follow listing->behind. */
static int add_declared(struct home_listing *listing)
{
	const struct field *list = kind_field(listing->path.kind);
	struct schema_list items = schema_list_get(list, listing->parent);
	char after[PATH_MAX_BYTES] = "";
	int err = listing->behind.names[1] ? path_key(&listing->behind, after) : 0;

	for (size_t i = 0; !err && i < items.count; i++) {
		const char *fields = (const char *)items.items + i * list->group->size;

		if (!is_wanted_of_home(listing, fields))
			continue;
		err = add_keyed(listing, fields);
		if (!err && strcmp(listing->items[listing->count - 1].key, after) <= 0)
			listing->count--;
	}
	return err;
}

static int compare_keyed(const void *a, const void *b)
{
	return strcmp(((const struct keyed_item *)a)->key, ((const struct keyed_item *)b)->key);
}

/* Makes the next call of `next` begin after the list's last item. */
static void move_behind(struct item_list *list)
{
	if (list->count > 0)
		items_of_model.mark(list, &list->items[list->count - 1], list->behind);
}

/* Ends a list that has read rows_max rows: items after the last row belong to the next call.
 * ERR_NOMEM. */
static int end_rows(struct item_list *list, struct home_listing *listing)
{
	const char *name = part_key_name(listing->end, list->arena);

	while (listing->count > 0 &&
	       strcmp(listing->items[listing->count - 1].key, listing->end) > 0)
		listing->count--;
	snprintf(list->behind, sizeof list->behind, "%s", name ? name : "");
	list->more = true;
	return name ? 0 : ERR_NOMEM;
}

/* Sorts the items and sets up to `room` of them as the list's. ERR_NOMEM. */
static int take_keyed(struct item_list *list, struct home_listing *listing, size_t room)
{
	if (listing->count > 0)
		qsort(listing->items, listing->count, sizeof *listing->items, compare_keyed);
	if (listing->is_ended && end_rows(list, listing) != 0)
		return ERR_NOMEM;
	list->count = listing->count < room ? listing->count : room;
	list->items = arena_alloc_array(list->arena, list->count, sizeof *list->items);
	if (!list->items)
		return ERR_NOMEM;
	for (size_t i = 0; i < list->count; i++)
		list->items[i] =
			item_served(listing->path.kind, listing->items[i].fields, &listing->path);
	if (listing->count > room || !listing->is_ended)
		move_behind(list);
	list->more = list->more || listing->count > room;
	return 0;
}

static int next_of_home(struct item_list *list, const void *parent, size_t room,
			struct change_error *error)
{
	struct home_listing listing = {
		.list = list,
		.path = spelled(resources_model(list->resources), &list->path),
		.parent = parent,
		.limit = room < SIZE_MAX ? room + 1 : room};
	char key[PATH_MAX_BYTES];
	int err = 0;

	listing.behind = listing.path;
	listing.behind.names[1] = *list->behind ? list->behind : NULL;
	if (*list->behind && path_key(&listing.behind, key) != 0)
		return refuse_long_mark(error);
	if (has_rows(listing.path.kind, parent))
		err = each_behind(list->resources, &listing.behind, on_home_row, &listing, error);
	if (!err && (add_declared(&listing) != 0 || take_keyed(list, &listing, room) != 0))
		err = change_no_memory(error);
	free(listing.items);
	return err;
}

/* ---- finding ---- */

static int find(struct resources *resources, const struct path *path, struct arena *arena,
		struct item *item, struct change_error *error)
{
	const struct model *model = resources_model(resources);
	const struct path around = spelled(model, path);
	const void *found = part_find(model, path);

	error->outcome = CHANGE_FINE;
	if (!found && path->kind->home)
		found = find_in_home(resources, path, arena, error);
	if (error->outcome != CHANGE_FINE)
		return ERR_INVALID;
	if (!found)
		return ERR_NOT_FOUND;
	*item = item_served(path->kind, found, path->kind->parent ? &around : NULL);
	return 0;
}

/* Makes an item of a row that is not served. ERR_NOMEM. */
static int take_row(struct item *item, const struct path *path, const struct source_resource *row,
		    struct arena *arena)
{
	*item = (struct item){.path = *path,
			      .origin.revision = row->revision,
			      .row = arena_strdup(arena, row->json)};
	return item->row ? 0 : ERR_NOMEM;
}

struct row_search {
	const struct path *path;
	struct arena *arena;
	struct item *item;
	bool found;
};

static int on_unserved(void *context, const struct source_resource *row)
{
	struct row_search *search = context;

	search->found = true;
	return take_row(search->item, search->path, row, search->arena);
}

int item_find_unserved(struct resources *resources, const struct path *path, struct arena *arena,
		       struct item *item, struct change_error *error)
{
	struct row_search search = {path, arena, item, false};

	error->outcome = CHANGE_FINE;
	if (kind_is_beside(path->kind))
		return ERR_NOT_FOUND;
	if (each_row(resources, path, on_unserved, &search, error) != 0)
		return ERR_INVALID;
	if (!search.found)
		return ERR_NOT_FOUND;
	item->path = spelled(resources_model(resources), path);
	return 0;
}

/* ---- lists ---- */

struct gathering {
	const struct item_list *list;
	struct path around; /* of lists inside one item: its path, spelled */
	struct item *items;
	size_t count, room;
	size_t served; /* the number of served items, which come first until all are sorted */
};

/* NULL equals every text. */
static int compare_texts(const char *left, const char *right)
{
	return left == right || !left || !right ? 0 : strcasecmp(left, right);
}

static int compare_paths(const struct path *left, const struct path *right)
{
	int order = compare_texts(left->names[0], right->names[0]);

	if (order == 0)
		order = compare_texts(left->group, right->group);
	return order == 0 ? compare_texts(left->names[1], right->names[1]) : order;
}

static int compare_items(const void *a, const void *b)
{
	return compare_paths(&((const struct item *)a)->path, &((const struct item *)b)->path);
}

static int add_item(struct gathering *gathering, const struct item *item)
{
	struct item *items =
		array_grow(gathering->items, gathering->count, &gathering->room, sizeof *items);

	if (!items)
		return ERR_NOMEM;
	gathering->items = items;
	items[gathering->count++] = *item;
	return 0;
}

static bool is_listed_group(const struct item_list *list, const char *group)
{
	return !list->path.group || strcasecmp(group, list->path.group) == 0;
}

/* Adds the kind's items inside `in`: the model, or an item whose path is `around`. */
static int gather_inside(struct gathering *gathering, const void *in, const struct path *around)
{
	const struct kind *kind = gathering->list->path.kind;
	size_t size = kind_field(kind)->group->size;
	struct schema_list items = kind_list(kind, in);
	int err = 0;

	for (size_t i = 0; !err && i < items.count; i++) {
		const void *fields = (const char *)items.items + i * size;
		const struct item item = item_served(kind, fields, around);

		if (kind->parent || is_listed_group(gathering->list, item.path.group))
			err = add_item(gathering, &item);
	}
	return err;
}

/* Adds the items inside all parents of the listed group. */
static int gather_in_all(struct gathering *gathering, const struct model *model)
{
	const struct kind *parent = gathering->list->path.kind->parent;
	size_t size = kind_field(parent)->group->size;
	struct schema_list items = kind_list(parent, model);
	int err = 0;

	for (size_t i = 0; !err && i < items.count; i++) {
		const void *in = (const char *)items.items + i * size;
		const struct path around = part_path(parent, in, NULL);

		if (is_listed_group(gathering->list, around.group))
			err = gather_inside(gathering, in, &around);
	}
	return err;
}

static int gather_served(struct gathering *gathering)
{
	const struct item_list *list = gathering->list;
	const struct model *model = resources_model(list->resources);
	const struct path root = part_root(&list->path);
	const void *in =
		list->path.kind->parent && list->path.names[0] ? part_find(model, &root) : NULL;
	int err = 0;

	if (!list->path.kind->parent)
		err = gather_inside(gathering, model, NULL);
	else if (!list->path.names[0])
		err = gather_in_all(gathering, model);
	else if (in)
		err = gather_inside(gathering, in, &gathering->around);
	gathering->served = gathering->count;
	if (gathering->count > 0)
		qsort(gathering->items, gathering->count, sizeof *gathering->items, compare_items);
	return err;
}

/* Reads the path from the row's key, which is in lower case; a served top-level item keeps its own
 * spelling. False: it is no key, or there is no memory. */
static bool read_key(const struct gathering *gathering, const char *key, struct path *path)
{
	const struct item_list *list = gathering->list;
	struct arena *arena = list->arena;
	const struct kind *kind = list->path.kind;
	const char *slash = strrchr(key, '/');

	*path = gathering->around;
	path->names[kind->parent != NULL] = part_key_name(key, arena);
	if (!kind->parent || !list->path.names[0])
		path->group = part_key_group(key, arena);
	if (kind->parent && !list->path.names[0]) {
		path->names[0] = part_key_name(
			slash ? arena_printf(arena, "%.*s", (int)(slash - key), key) : key, arena);
		if (path->group && path->names[0])
			*path = spelled(resources_model(list->resources), path);
	}
	return path->group && path->names[0] && path_name(path);
}

static int on_listed_row(void *context, const struct source_resource *row)
{
	struct gathering *gathering = context;
	const struct item_list *list = gathering->list;
	struct item item;
	struct path path;
	int err;

	if (!read_key(gathering, row->path, &path) ||
	    (list->path.names[0] == NULL && !is_listed_group(list, path.group)))
		return 0;
	item = (struct item){.path = path};
	if (gathering->served > 0 &&
	    bsearch(&item, gathering->items, gathering->served, sizeof item, compare_items))
		return 0;
	err = take_row(&item, &path, row, list->arena);
	return err ? err : add_item(gathering, &item);
}

/* Adds the state's items that are not served, unless they cannot be read. */
static int gather_unserved(struct gathering *gathering)
{
	struct change_error error = {.outcome = CHANGE_FINE};
	const struct item_list *list = gathering->list;

	if (each_row(list->resources, &list->path, on_listed_row, gathering, &error) != 0 &&
	    error.outcome == CHANGE_NO_MEMORY)
		return ERR_NOMEM;
	if (gathering->count > gathering->served)
		qsort(gathering->items, gathering->count, sizeof *gathering->items, compare_items);
	return 0;
}

struct orphans { /* rows of a home whose parent does not exist */
	struct gathering gathering;
	struct item_list *list;
	size_t rows, room;
};

static int on_orphan(void *context, const struct source_resource *row)
{
	struct orphans *orphans = context;
	struct item_list *list = orphans->list;
	struct item item;
	struct path path;
	int err;

	list->more = orphans->gathering.count == orphans->room ||
		     (list->rows_max > 0 && orphans->rows == list->rows_max);
	if (list->more)
		return ERR_LIMIT;
	if (!read_key(&orphans->gathering, row->path, &path))
		return 0;
	orphans->rows++;
	snprintf(list->behind, sizeof list->behind, "%s", path_name(&path));
	err = take_row(&item, &path, row, list->arena);
	return err || !item_fits(list, &item) ? err : add_item(&orphans->gathering, &item);
}

/* A parent that is gone may have left as many rows as an existing parent has, so they are read in
 * portions, too. */
static int next_of_orphans(struct item_list *list, size_t room, struct change_error *error)
{
	struct orphans orphans = {
		.gathering = {.list = list, .around = list->path}, .list = list, .room = room};
	const struct gathering *gathering = &orphans.gathering;
	struct path behind = list->path;
	int err;

	behind.names[1] = *list->behind ? list->behind : NULL;
	err = each_behind(list->resources, &behind, on_orphan, &orphans, error);
	if (!err)
		list->items = arena_alloc_array(list->arena, gathering->count, sizeof *list->items);
	if (!err && !list->items)
		err = change_no_memory(error);
	for (size_t i = 0; list->items && i < gathering->count; i++)
		list->items[list->count++] = gathering->items[i];
	free(gathering->items);
	return err;
}

/* ---- marks ---- */

static bool is_inside_all(const struct item_list *list)
{
	return list->path.kind->parent && !list->path.names[0];
}

/* Whether the list has the items of all groups. Then a mark is NAME/GROUP, because items of
 * different groups may have the same name. A name may contain a slash, a group cannot. */
static bool is_of_all_groups(const struct item_list *list)
{
	return !list->path.kind->parent && !list->path.group;
}

static char *mark(const struct item_list *list, const struct item *item, char text[ITEM_MARK_MAX])
{
	if (is_inside_all(list))
		return path_url(&item->path, text);
	snprintf(text, ITEM_MARK_MAX, "%s%s%s", path_name(&item->path),
		 is_of_all_groups(list) ? "/" : "", is_of_all_groups(list) ? item->path.group : "");
	return text;
}

/* Reads "rulesets/GROUP/NAME/rules/NAME". ERR_INVALID, ERR_NOMEM. */
static int read_path_mark(const struct item_list *list, struct path *path)
{
	enum { SEGMENTS = 5 };
	const char *segments[SEGMENTS], *at = list->behind;
	size_t count = 0;

	while (*at != '\0') {
		size_t length = strcspn(at, "/");
		char *segment = arena_alloc(list->arena, length + 1), *end = segment;

		if (!segment)
			return ERR_NOMEM;
		if (length > 0 && (count == SEGMENTS || percent_decode(at, length, false, &end)))
			return ERR_INVALID;
		if (length > 0)
			segments[count++] = segment;
		at += length + (at[length] == '/');
	}
	if (count != SEGMENTS)
		return ERR_INVALID;
	*path = (struct path){list->path.kind, segments[1], {segments[2], segments[4]}};
	return 0;
}

/* Reads list->behind as a path, to be compared with items' paths (compare_paths): a NULL part of it
 * equals every text. */
static int read_mark(const struct item_list *list, struct path *place, struct change_error *error)
{
	const struct kind *kind = list->path.kind;
	const char *slash = is_of_all_groups(list) ? strrchr(list->behind, '/') : NULL;
	int err = is_inside_all(list) ? read_path_mark(list, place) : 0;

	if (err == ERR_INVALID)
		return change_say(error, CHANGE_INVALID, "marker",
				  "\"%.64s\" is no path of one; follow the `next` link of the "
				  "previous page",
				  list->behind);
	if (err)
		return change_no_memory(error);
	if (is_inside_all(list))
		return 0;
	if (strlen(list->behind) >= (size_t)NAME_TEXT_MAX + GROUP_TEXT_MAX)
		return refuse_long_mark(error);
	*place = (struct path){.kind = kind};
	place->names[kind->parent != NULL] = list->behind;
	if (!slash)
		return 0;
	place->group = slash + 1;
	place->names[0] =
		arena_printf(list->arena, "%.*s", (int)(slash - list->behind), list->behind);
	return place->names[0] ? 0 : change_no_memory(error);
}

/* Sets the gathered items that follow the place. */
static int take_gathered(struct item_list *list, const struct gathering *gathering,
			 const struct path *place, size_t room)
{
	size_t most = gathering->count < room ? gathering->count : room;

	list->items = arena_alloc_array(list->arena, most, sizeof *list->items);
	if (!list->items)
		return ERR_NOMEM;
	for (size_t i = 0; !list->more && i < gathering->count; i++) {
		const struct item *item = &gathering->items[i];

		if ((place && compare_paths(&item->path, place) <= 0) || !item_fits(list, item))
			continue;
		list->more = list->count == room;
		if (!list->more)
			list->items[list->count++] = *item;
	}
	return 0;
}

static int next_of_model(struct item_list *list, size_t room, struct change_error *error)
{
	struct gathering gathering = {
		.list = list, .around = spelled(resources_model(list->resources), &list->path)};
	struct path place = {.kind = list->path.kind};
	int err = *list->behind ? read_mark(list, &place, error) : 0;

	if (err)
		return err;
	err = gather_served(&gathering);
	if (!err && list->unserved)
		err = gather_unserved(&gathering);
	if (!err)
		err = take_gathered(list, &gathering, *list->behind ? &place : NULL, room);
	if (!err)
		move_behind(list);
	free(gathering.items);
	return err ? change_no_memory(error) : 0;
}

static int next(struct item_list *list, size_t room, struct change_error *error)
{
	const struct path root = part_root(&list->path);
	bool is_of_home = list->path.kind->home && root.names[0];
	const void *parent = is_of_home ? part_find(resources_model(list->resources), &root) : NULL;

	error->outcome = CHANGE_FINE;
	list->items = NULL;
	list->count = 0;
	list->more = false;
	if (parent)
		return next_of_home(list, parent, room, error);
	return is_of_home && list->unserved ? next_of_orphans(list, room, error)
					    : next_of_model(list, room, error);
}

/* ---- values ---- */

static json_t *values(const struct resources *resources, const struct item *item)
{
	const struct path *path = &item->path;
	const void *given =
		path->kind->placed ? part_given(resources_model(resources), path) : item->fields;

	return values_print(path->kind, path->group, given ? given : item->fields);
}

static json_t *stored(struct resources *resources, const struct path *path,
		      struct change_error *error)
{
	struct source *source = change_reader(resources_store(resources), error);
	char text[SOURCE_ERROR_MAX];
	json_t *found;

	if (!source)
		return NULL;
	if (part_row(source, path, &found, text) == 0) {
		if (!found)
			change_say(error, CHANGE_NOT_FOUND, NULL, CHANGE_GONE);
		return found;
	}
	json_decref(found);
	change_say(error, CHANGE_STORE, NULL, "%s", text);
	return NULL;
}

/* The computed members of the item, which are not among its values: an endpoint's address and
 * subnet, the outbound endpoints that a ruleset uses, a network's client prefixes. NULL: the kind
 * has none. */
static json_t *placed_of(const struct item *item, const json_t *given)
{
	const struct path *path = &item->path;
	json_t *served, *placed, *value;
	const char *key;

	if (!path->kind->placed)
		return NULL;
	served = values_print(path->kind, path->group, item->fields);
	placed = json_object();
	json_object_foreach(served, key, value)
	{
		const json_t *own = json_object_get(given, key);

		if (!own || (json_is_array(own) && !json_equal(own, value)))
			json_put(placed, key, json_incref(value));
	}
	json_decref(served);
	return placed;
}

/* object NULL: 0 */
static uint64_t hash_of(const json_t *object)
{
	char *dumped = json_dumps(object, JSON_COMPACT | JSON_SORT_KEYS);
	uint64_t hash = dumped ? etag_add_text(0, dumped) : 0;

	free(dumped);
	return hash;
}

/* `said`: why the item was made, or is not served; this replaces its origin. NULL: neither. */
static char *print_etag(const struct item *item, const json_t *given, const json_t *placed,
			const char *said, char text[ETAG_MAX])
{
	const struct origin *origin = &item->origin;
	uint64_t computed = hash_of(placed);

	if (said)
		computed = etag_add_text(computed, said);
	else if (origin->file)
		computed = etag_add_number(etag_add_text(computed, origin->file), origin->line);
	return etag_print(origin->revision, origin->revision ? 0 : hash_of(given), computed, text);
}

static char *etag(const struct resources *resources, const struct kind *kind,
		  const struct item *item, char text[ETAG_MAX])
{
	const struct model *model = resources_model(resources);
	json_t *given, *placed;
	char why[PART_WHY_MAX];

	(void)kind;
	if (!item)
		return NULL;
	if (!item->fields) {
		part_why(model, &item->path, item->row, why);
		return print_etag(item, NULL, NULL, why, text);
	}
	given = values(resources, item);
	placed = placed_of(item, given);
	print_etag(item, given, placed, item_made_because(model, &item->path), text);
	json_decref(given);
	json_decref(placed);
	return text;
}

static json_t *show_unserved(const struct model *model, const struct item *item,
			     char text[ETAG_MAX])
{
	const struct path *path = &item->path;
	json_t *object = json_loads(item->row, 0, NULL);
	char why[PART_WHY_MAX], url[PATH_URL_MAX];

	if (!json_is_object(object)) {
		json_decref(object);
		object = json_object();
	}
	values_shorten(path->kind, path->group, object);
	part_why(model, path, item->row, why);
	print_etag(item, NULL, NULL, why, text);
	json_put(object, kind_name_key(path->kind), json_text(path_name(path)));
	json_put(object, "path", json_text(path_url(path, url)));
	json_put(object, "origin", json_null());
	json_put(object, "etag", json_text(text));
	json_put(object, "not_served", json_text(why));
	return object;
}

static json_t *show(const struct resources *resources, const struct item *item, char text[ETAG_MAX])
{
	const struct model *model = resources_model(resources);
	json_t *object, *placed;
	const char *because;
	char url[PATH_URL_MAX];

	if (!item->fields)
		return show_unserved(model, item, text);
	object = values(resources, item);
	placed = placed_of(item, object);
	because = item_made_because(model, &item->path);
	print_etag(item, object, placed, because, text);
	json_put(object, "path", json_text(path_url(&item->path, url)));
	if (placed)
		json_put(object, "placed", placed);
	json_put(object, "origin", because ? json_null() : values_print_origin(&item->origin));
	if (because)
		json_put(object, "made", json_text(because));
	json_put(object, "etag", json_text(text));
	return object;
}

const struct item_calls items_of_model = {.find = find,
					  .next = next,
					  .mark = mark,
					  .etag = etag,
					  .values = values,
					  .stored = stored,
					  .show = show};

/* ---- items of every kind ---- */

int item_list_begin(struct item_list *list, struct change_error *error)
{
	error->outcome = CHANGE_FINE;
	list->items = NULL;
	list->count = 0;
	list->more = false;
	return strlen(list->behind) < (size_t)NAME_TEXT_MAX + GROUP_TEXT_MAX
		       ? 0
		       : refuse_long_mark(error);
}

int item_each(struct item_list *list, int (*on_item)(void *context, const struct item *item),
	      void *context, struct change_error *error)
{
	const struct item_calls *items = items_of(list->path.kind);
	struct arena arena;
	int err;

	list->arena = &arena;
	do {
		arena_init(&arena);
		err = items->next(list, SIZE_MAX, error);
		for (size_t i = 0; !err && i < list->count; i++)
			err = on_item(context, &list->items[i]);
		arena_release(&arena);
		resources_forget(list->resources);
	} while (!err && list->more);
	list->arena = NULL;
	return err;
}

const char *item_made_because(const struct model *model, const struct path *path)
{
	const struct path root = part_root(path);
	const char *text, *because = NULL;
	struct arena arena;

	if (model->made.count == 0)
		return NULL;
	arena_init(&arena);
	text = path_text(path, &arena);
	if (text)
		because = model_made(model, text);
	arena_release(&arena);
	return because && part_find(model, &root) ? because : NULL;
}

bool item_may_change(const struct model *served, const struct path *path, const void *item,
		     bool removes, struct change_error *error)
{
	const struct path root = part_root(path);
	bool beside = kind_is_beside(path->kind);
	bool in_home = path->kind->home && !beside && !removes;
	const void *parent = in_home ? part_find(served, &root) : NULL;
	const char *refusal = parent ? path->kind->home->refusal(parent) : NULL;
	struct origin origin = item && !beside ? part_origin(item) : (struct origin){0};

	if (origin.file)
		change_say(error, CHANGE_READ_ONLY, NULL, CHANGE_DECLARED, origin.file,
			   origin.line);
	else if (refusal)
		change_say(error, CHANGE_READ_ONLY, NULL, "%s", refusal);
	else
		return true;
	return false;
}
