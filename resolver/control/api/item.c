/* Of the items of a home, those of the file are in the model, and those of the state are rows. A
 * list merges both by key. */
#include "resolver/control/api/item.h"

#include <stdlib.h>
#include <string.h>

#include "resolver/control/api/reverse.h"
#include "resolver/control/resource/home.h"
#include "resolver/control/resource/part.h"
#include "resolver/control/resource/values.h"
#include "resolver/control/service/service.h"
#include "rules/array.h"
#include "rules/schema/schema.h"

const struct model *api_model(const struct api_request *request)
{
	return inventory_model(api_inventory(request));
}

struct item_source item_source_of(const struct api_request *request, const struct path *path)
{
	const struct path parent = part_root(path);

	return (struct item_source){.inventory = api_inventory(request),
				    .item = part_find(api_model(request), &parent)};
}

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

struct item_search {
	const void *parent;
	const struct path *path;
	struct arena *arena;
	const void *item;
};

static int on_found(void *context, const struct source_resource *row)
{
	struct item_search *search = context;

	search->item = read_item(search->parent, search->path, row, search->arena);
	return 0;
}

const void *item_find(const struct api_request *request, const struct path *path,
		      struct arena *arena, struct change_error *error)
{
	const void *item = part_find(api_model(request), path);
	struct item_search search = {NULL, path, arena, NULL};

	error->outcome = CHANGE_FINE;
	if (item || !path->kind->home)
		return item;
	search.parent = item_source_of(request, path).item;
	if (!has_rows(path->kind, search.parent))
		return NULL;
	if (service_each_row(api_inventory(request), path, on_found, &search, error) != 0 &&
	    error->outcome == CHANGE_NO_STATE)
		error->outcome = CHANGE_FINE; /* a server without a state has no such item */
	return search.item;
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
	const void *parent = path->kind->home && !removes ? part_find(served, &root) : NULL;
	const char *refusal = parent ? path->kind->home->refusal(parent) : NULL;
	struct origin origin = item ? part_origin(item) : (struct origin){0};

	if (origin.file)
		change_say(error, CHANGE_READ_ONLY, NULL,
			   "it is declared at %s:%u; change it there, and reload", origin.file,
			   origin.line);
	else if (refusal)
		change_say(error, CHANGE_READ_ONLY, NULL, "%s", refusal);
	else
		return true;
	return false;
}

/* ---- lists ---- */

struct item_item {
	const void *item;
	const char *key;
};

struct item_listing {
	const struct item_source *in;
	const struct path *path;
	struct item_page *page;
	struct arena *arena;
	struct item_item *items;
	size_t count, room;
	size_t rows;              /* read so far */
	char end[PATH_MAX_BYTES]; /* the key of the last one that may be read; "": none yet */
	bool is_ended;            /* another row follows that one */
};

static int add_item(struct item_listing *listing, const void *item)
{
	const struct kind *kind = listing->path->kind;
	const struct path path = part_path(kind, item, listing->path);
	char key[PATH_MAX_BYTES];
	struct item_item *items =
		array_grow(listing->items, listing->count, &listing->room, sizeof *items);

	if (!items)
		return ERR_NOMEM;
	listing->items = items;
	if (path_key(&path, key) != 0)
		return 0;
	listing->items[listing->count].item = item;
	listing->items[listing->count].key = arena_strdup(listing->arena, key);
	return listing->items[listing->count++].key ? 0 : ERR_NOMEM;
}

static bool is_wanted(const struct item_listing *listing, const void *item)
{
	const struct item_page *page = listing->page;

	return !page->fits || page->fits(page->request, listing->path->kind, item);
}

static int on_row(void *context, const struct source_resource *row)
{
	struct item_listing *listing = context;
	const void *item;

	listing->is_ended = *listing->end;
	if (listing->is_ended)
		return ERR_LIMIT;
	if (++listing->rows == listing->page->rows_max)
		snprintf(listing->end, sizeof listing->end, "%s", row->path);
	item = read_item(listing->in->item, listing->path, row, listing->arena);
	if (!item || !is_wanted(listing, item))
		return 0;
	if (listing->count == listing->page->limit)
		return ERR_LIMIT;
	return add_item(listing, item);
}

/* Adds the model's items that follow the path's item. */
static int add_declared(struct item_listing *listing)
{
	const struct path *path = listing->path;
	const void *in = listing->in->item;
	const struct field *list = kind_field(path->kind);
	struct schema_list items = in ? schema_list_get(list, in) : (struct schema_list){0};
	char after[PATH_MAX_BYTES] = "";
	int err = path->names[1] ? path_key(path, after) : 0;

	for (size_t i = 0; !err && i < items.count; i++) {
		const char *item = (const char *)items.items + i * list->group->size;

		if (!is_wanted(listing, item))
			continue;
		err = add_item(listing, item);
		if (!err && strcmp(listing->items[listing->count - 1].key, after) <= 0)
			listing->count--;
	}
	return err;
}

static int compare_items(const void *a, const void *b)
{
	return strcmp(((const struct item_item *)a)->key, ((const struct item_item *)b)->key);
}

/* Ends a page that has read its rows: items behind the last row are those of the next page.
 * ERR_NOMEM.
 */
static int end_page(struct item_listing *listing)
{
	while (listing->count > 0 &&
	       strcmp(listing->items[listing->count - 1].key, listing->end) > 0)
		listing->count--;
	listing->page->end = part_key_name(listing->end, listing->arena);
	return listing->page->end ? 0 : ERR_NOMEM;
}

/* Sorts the items and gives them to the page. ERR_NOMEM. */
static int fill_page(struct item_listing *listing)
{
	struct item_page *page = listing->page;

	if (listing->count > 0)
		qsort(listing->items, listing->count, sizeof *listing->items, compare_items);
	if (listing->is_ended && end_page(listing) != 0)
		return ERR_NOMEM;
	page->count = listing->count < page->limit ? listing->count : page->limit;
	page->items = reallocarray(NULL, page->count + 1, sizeof *page->items);
	for (size_t i = 0; page->items && i < page->count; i++)
		page->items[i] = listing->items[i].item;
	return page->items ? 0 : ERR_NOMEM;
}

int item_list(const struct item_source *in, const struct path *path, struct item_page *page,
	      struct arena *arena, struct change_error *error)
{
	struct item_listing listing = {.in = in, .path = path, .page = page, .arena = arena};
	char behind[PATH_MAX_BYTES];
	int err = 0;

	error->outcome = CHANGE_FINE;
	page->items = NULL;
	page->count = 0;
	page->end = NULL;
	if (path->names[1] && path_key(path, behind) != 0)
		return change_say(error, CHANGE_INVALID, "marker",
				  "it is longer than any name; follow the `next` link of the "
				  "previous page");
	if (has_rows(path->kind, in->item))
		err = service_each_behind(in->inventory, path, on_row, &listing, error);
	if (err && error->outcome == CHANGE_NO_STATE)
		err = 0;
	if (!err && (add_declared(&listing) != 0 || fill_page(&listing) != 0))
		err = change_say(error, CHANGE_NO_MEMORY, NULL, "%s", err_text(ERR_NOMEM));
	free(listing.items);
	return err;
}
