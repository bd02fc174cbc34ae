#include "resolver/control/resource/part.h"

#include <assert.h>
#include <stdlib.h>
#include <strings.h>

#include "resolver/control/base/percent.h"
#include "resolver/control/resource/home.h"
#include "resolver/control/resource/values.h"
#include "rules/array.h"
#include "rules/schema/reference.h"
#include "rules/text.h"

_Static_assert((int)PART_WHY_MAX == (int)REFERENCE_TEXT_MAX, "candidates fit");

/* ---- lookups ---- */

const char *part_name(const struct kind *kind, const void *item)
{
	const struct field *name = schema_field(kind_field(kind)->group, kind_name_key(kind));

	return schema_get_text(name, item, NULL, 0);
}

const char *part_group(const struct kind *root, const void *item)
{
	const struct field *field = schema_field(kind_field(root)->group, "resource_group");
	const char *group = schema_get_text(field, item, NULL, 0);

	return group ? group : GROUP_NONE;
}

/* group NULL: any group. */
static bool is_in_group(const struct kind *root, const void *item, const char *group)
{
	return !group || strcasecmp(part_group(root, item), group) == 0;
}

struct path part_path(const struct kind *kind, const void *item, const struct path *parent)
{
	const char *name = part_name(kind, item);

	if (parent)
		return (struct path){kind, parent->group, {parent->names[0], name}};
	return (struct path){kind, part_group(kind, item), {name, NULL}};
}

struct path part_root(const struct path *path)
{
	const struct kind *root = path->kind->parent ? path->kind->parent : path->kind;

	return (struct path){root, path->group, {path->names[0], NULL}};
}

struct origin part_origin(const void *item)
{
	struct origin origin;

	memcpy(&origin, item, sizeof origin);
	return origin;
}

/* Finds an item by name and group (NULL: any) among `count` items from `first` on; NULL: not
 * found. */
static const void *find_among(const struct kind *kind, struct schema_list items, size_t first,
			      size_t count, const char *group, const char *wanted)
{
	size_t size = kind_field(kind)->group->size;

	assert(wanted);
	for (size_t i = first; i < first + count; i++) {
		const char *item = (const char *)items.items + i * size;
		const char *name = part_name(kind, item);

		if (name && strcasecmp(name, wanted) == 0 && is_in_group(kind, item, group))
			return item;
	}
	return NULL;
}

static const void *find_item(const void *in, const struct kind *kind, const char *wanted)
{
	struct schema_list items = kind_list(kind, in);

	return find_among(kind, items, 0, items.count, NULL, wanted);
}

/* A model's list has the file's items first, then new items of parts, sorted, and last items that
 * sluice made; only the sorted ones allow a binary search. */
static const void *find_in_model(const struct model *model, const struct kind *kind,
				 const char *group, const char *wanted)
{
	struct schema_list items = kind_list(kind, model);
	size_t low = model->declared ? kind_list(kind, model->declared).count : items.count;
	const void *item = find_among(kind, items, 0, low, group, wanted);
	size_t high = items.count, size = kind_field(kind)->group->size;
	struct origin origin;

	for (; high > low; high--) {
		origin = part_origin((const char *)items.items + (high - 1) * size);
		if (!model_is_made(&origin))
			break;
	}
	if (!item)
		item = find_among(kind, items, high, items.count - high, group, wanted);
	while (!item && low < high) {
		size_t middle = low + (high - low) / 2;
		const char *at = (const char *)items.items + middle * size;
		int order = strcasecmp(wanted, part_name(kind, at));

		if (order == 0 && group)
			order = strcasecmp(group, part_group(kind, at));
		if (order == 0)
			item = at;
		else if (order < 0)
			high = middle;
		else
			low = middle + 1;
	}
	return item;
}

const void *part_named(const struct model *model, const struct kind *root, const char *name)
{
	struct named_list list;

	if (kind_scope(root) != SCOPE_GROUP)
		return find_in_model(model, root, NULL, name);
	list = reference_list_of(model, kind_field(root));
	return reference_find(&list, NULL, name);
}

size_t part_namesakes(const struct model *model, const struct kind *root, const char *name,
		      char text[PART_WHY_MAX])
{
	const void *item;
	struct named_list list;

	if (kind_scope(root) == SCOPE_GROUP) {
		list = reference_list_of(model, kind_field(root));
		return reference_candidates(&list, name, text);
	}
	item = find_in_model(model, root, NULL, name);
	snprintf(text, PART_WHY_MAX, "%s/%s", item ? part_group(root, item) : "", name);
	return item != NULL;
}

/* The stored form of a domain name, so that a name finds its item with or without the final dot.
 * With DOT_NONE, no item has the dot. Otherwise items keep it as it was written: then this is the
 * form of the item that has the name, or `name` if there is none. NULL without memory. */
static const char *normal_name(const struct model *model, const struct kind *root, const char *name,
			       struct arena *arena)
{
	const struct field *field = schema_field(kind_field(root)->group, kind_name_key(root));
	size_t length = name_text_length(name);
	const char *other;

	if (field->type != FIELD_DOMAIN || (field->dot == DOT_NONE && name[length] == '\0'))
		return name;
	other = arena_printf(arena, "%.*s%s", (int)length, name, name[length] ? "" : ".");
	if (field->dot == DOT_NONE || !other)
		return other;
	return !find_in_model(model, root, NULL, name) && find_in_model(model, root, NULL, other)
		       ? other
		       : name;
}

int part_normalize(const struct model *model, struct path *path, struct arena *arena)
{
	const struct path root = part_root(path);

	path->names[0] = normal_name(model, root.kind, root.names[0], arena);
	if (!path->names[0])
		return ERR_NOMEM;
	if (!path->names[1] || !path->kind->home)
		return 0;
	path->names[1] = path->kind->home->name(path, arena);
	return path->names[1] ? 0 : ERR_NOMEM;
}

bool part_is_elsewhere(const struct model *model, const struct path *path)
{
	const struct path root = part_root(path);
	char unused[PART_WHY_MAX];

	return !part_find(model, &root) &&
	       part_namesakes(model, root.kind, root.names[0], unused) > 0;
}

/* ---- the order of parts ---- */

/* Orders parts by list, name and group, never by edits: if two rulesets have a rule for the same
 * domain, the first ruleset decides, so an edit must not change their order. */
static int compare_names(const struct field *list, const char *group, const char *name,
			 const struct model_part *part)
{
	const struct kind *kind;
	int order;

	if (list != part->list)
		return list < part->list ? -1 : 1;
	kind = kind_of_field(NULL, part->list);
	order = strcasecmp(name, part_name(kind, part->item));
	return order != 0 || !group ? order : strcasecmp(group, part_group(kind, part->item));
}

static int compare_parts(const void *a, const void *b)
{
	const struct model_part *left = *(struct model_part *const *)a;
	const struct kind *kind = kind_of_field(NULL, left->list);

	return compare_names(left->list, part_group(kind, left->item), part_name(kind, left->item),
			     *(struct model_part *const *)b);
}

/* Finds the place of the path's part among sorted parts, or the place where it would go. */
static size_t find_place(struct model_part *const *parts, size_t count, const struct path *path,
			 bool *found)
{
	struct path root = part_root(path);
	size_t low = 0, high = count;

	*found = false;
	while (!*found && low < high) {
		size_t middle = low + (high - low) / 2;
		int order = compare_names(kind_field(root.kind), root.group, root.names[0],
					  parts[middle]);

		if (order > 0)
			low = middle + 1;
		else
			high = middle;
		*found = order == 0;
	}
	return *found ? high : low;
}

/* The part that is the path's top-level item; NULL: the state has no row of it. */
static const struct model_part *find_part(const struct model *model, const struct path *path)
{
	bool found;
	size_t at = find_place(model->parts.items, model->parts.count, path, &found);

	return found ? model->parts.items[at] : NULL;
}

static int compare_keys(unsigned one_kind, const char *one, unsigned other_kind, const char *other)
{
	if (one_kind != other_kind)
		return one_kind < other_kind ? -1 : 1;
	return strcmp(one, other);
}

/* The index of the first row that sorts at or after this kind and key. */
static size_t find_row(const struct model_part *part, unsigned kind, const char *key)
{
	size_t low = 0, high = part->rows.count;

	while (low < high) {
		size_t middle = low + (high - low) / 2;
		const struct model_row *row = part->rows.items[middle];

		if (compare_keys(row->kind, row->key, kind, key) < 0)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

/* A list inside an item has the file's items first, then those of rows, sorted by key, and last
 * those that sluice made. */
static const void *find_inside(const struct model_part *part, const void *in,
			       const struct path *path)
{
	const struct kind *kind = path->kind;
	const struct path own = {
		kind, part_group(kind->parent, in), {part_name(kind->parent, in), path->names[1]}};
	const struct field *list = kind_field(kind);
	struct schema_list items = schema_list_get(list, in);
	size_t first, filed = 0, at;
	char key[PATH_MAX_BYTES];
	const void *item;

	if (!part || path_key(&own, key) != 0)
		return find_among(kind, items, 0, items.count, NULL, path->names[1]);
	first = find_row(part, kind->id, "");
	at = find_row(part, kind->id, key);
	if (part->declared)
		filed = schema_list_get(list, part->declared).count;
	if (at < part->rows.count && part->rows.items[at]->kind == kind->id &&
	    strcmp(part->rows.items[at]->key, key) == 0)
		return (const char *)items.items + (filed + at - first) * list->group->size;
	item = find_among(kind, items, 0, filed, NULL, path->names[1]);
	filed += find_row(part, kind->id + 1, "") - first;
	return item ? item
		    : find_among(kind, items, filed, items.count - filed, NULL, path->names[1]);
}

const void *part_find(const struct model *model, const struct path *path)
{
	struct path root = part_root(path);
	const void *in = find_in_model(model, root.kind, path->group, path->names[0]);

	if (!in || !path->kind->parent)
		return in;
	root = part_path(root.kind, in, NULL);
	return find_inside(find_part(model, &root), in, path);
}

/* NULL: no part has the item. */
static const void *find_in_parts(const struct model *model, const struct path *path)
{
	const struct model_part *part = find_part(model, path);

	if (!part || !path->kind->parent)
		return part ? part->item : NULL;
	return find_inside(part, part->item, path);
}

const void *part_given(const struct model *model, const struct path *path)
{
	const void *item = find_in_parts(model, path);

	return item ? item : part_find(model_declared(model), path);
}

/* ---- rows ---- */

struct item_row {
	const struct kind *kind;
	const char *path;
	const char *root; /* the path of the top-level item */
	json_t *values;
	uint64_t revision;
};

struct rows { /* of one top-level kind and the kinds inside it */
	struct arena arena;
	struct faults *faults;
	uint64_t written;             /* revision of the change under way; 0: none */
	const struct model *declared; /* the file's items */
	const struct faults *refused; /* faults whose rows are skipped; NULL: none */
	struct item_row *items;
	size_t count, room;
	bool passed_over, misfit; /* as in struct parts */
};

static const char *decoded(const char *text, size_t length, struct arena *arena)
{
	char *name = arena_printf(arena, "%.*s", (int)length, text), *to = name;

	return name && percent_decode(name, length, false, &to) == 0 ? name : NULL;
}

const char *part_key_name(const char *key, struct arena *arena)
{
	const char *slash = strrchr(key, '/'), *name = slash ? slash + 1 : key;

	return decoded(name, strlen(name), arena);
}

const char *part_key_group(const char *key, struct arena *arena)
{
	return decoded(key, strcspn(key, "/"), arena);
}

/* Turns "-/office/contoso" into "-/office". */
static const char *root_of(struct arena *arena, const char *path)
{
	const char *slash = strchr(path, '/');
	const char *end = slash ? strchr(slash + 1, '/') : NULL;

	return arena_printf(arena, "%.*s", end ? (int)(end - path) : (int)strlen(path), path);
}

/* Whether sluice could have written the row: its kind exists, its values are JSON, and its path
 * matches the name (and, at the top, the group) in the values. */
static bool is_ours(const struct item_row *row, struct arena *arena)
{
	const char *name =
		json_string_value(json_object_get(row->values, kind_name_key(row->kind)));
	const char *group = json_string_value(json_object_get(row->values, "resource_group"));
	struct path path = {row->kind, group ? group : GROUP_NONE, {name, NULL}};
	char key[PATH_MAX_BYTES];

	if (!row->kind || !name)
		return false;
	if (row->kind->parent) {
		path.group = part_key_group(row->root, arena);
		path.names[0] = part_key_name(row->root, arena);
		path.names[1] = name;
	}
	return path.group && path.names[0] && path_key(&path, key) == 0 &&
	       strcmp(key, row->path) == 0;
}

/* Warns that a row is not served because of `why`, and says how to remove it. */
static void warn_of_row(struct faults *faults, const struct kind *kind, const char *path,
			const char *why)
{
	struct origin origin = {.path = kind->collection};
	char url[PATH_URL_MAX];

	fault_add(faults, FAULT_WARNING, &origin, NULL,
		  "the state has a row at \"%s\" %s; not served; put the resource anew, or remove "
		  "it: "
		  "DELETE /v1/%s",
		  path, why, key_url(kind, path, url));
}

static void pass_over(struct rows *rows, const struct kind *kind, const char *path, const char *why)
{
	rows->passed_over = rows->misfit = true;
	warn_of_row(rows->faults, kind, path, why);
}

void part_pass_over(struct parts *parts, struct faults *faults, const struct kind *kind,
		    const char *path, const char *why)
{
	parts->passed_over = parts->misfit = true;
	warn_of_row(faults, kind, path, why);
}

static int on_row(void *context, const struct source_resource *resource)
{
	struct rows *rows = context;
	struct item_row row = {.kind = kind_of_id(resource->kind), .revision = resource->revision};
	struct item_row *items = array_grow(rows->items, rows->count, &rows->room, sizeof *items);

	if (!items)
		return ERR_NOMEM;
	rows->items = items;
	row.path = arena_strdup(&rows->arena, resource->path);
	row.root = root_of(&rows->arena, resource->path);
	if (!row.path || !row.root)
		return ERR_NOMEM;
	row.values = json_loads(resource->json, 0, NULL);
	if (is_ours(&row, &rows->arena)) {
		rows->items[rows->count++] = row;
	} else {
		pass_over(rows, row.kind, resource->path, "which was not written by sluice");
		json_decref(row.values);
	}
	return 0;
}

static int compare_rows(const void *a, const void *b)
{
	const struct item_row *left = a, *right = b;
	int order = strcmp(left->root, right->root);

	return order != 0 ? order
			  : compare_keys(left->kind->id, left->path, right->kind->id, right->path);
}

/* Sorts rows by their top-level item, whose own row comes first. */
static void sort_rows(struct rows *rows)
{
	if (rows->count > 0)
		qsort(rows->items, rows->count, sizeof *rows->items, compare_rows);
}

/* Reads all rows of a top-level kind and the kinds inside it, except kinds with a home (home.h).
 * `key`: only those of one top-level item. */
static int read_rows(struct rows *rows, struct source *source, const struct kind *root,
		     const char *key, char error[SOURCE_ERROR_MAX])
{
	struct key_range range = {.from = "", .to = "\x7f"};
	int err = 0;

	for (size_t i = 0; !err && i < KIND_COUNT; i++) {
		bool inside = kinds[i].parent == root;

		if (kinds[i].home || (!inside && &kinds[i] != root))
			continue;
		if (key && inside)
			key_range_inside(&range, key);
		else if (key)
			key_range_alone(&range, key);
		err = source->calls->resources(source, kinds[i].id, range.from, range.to, on_row,
					       rows, error);
	}
	sort_rows(rows);
	return err;
}

struct key { /* of a row */
	unsigned kind;
	const char *text;
};

/* Reads the rows of these keys, which must differ. */
static int read_these(struct rows *rows, struct source *source, const struct key *keys,
		      size_t count, char error[SOURCE_ERROR_MAX])
{
	struct key_range range;
	int err = 0;

	for (size_t i = 0; !err && i < count; i++) {
		key_range_alone(&range, keys[i].text);
		err = source->calls->resources(source, keys[i].kind, range.from, range.to, on_row,
					       rows, error);
	}
	sort_rows(rows);
	return err;
}

static void rows_release(struct rows *rows)
{
	for (size_t i = 0; i < rows->count; i++)
		json_decref(rows->items[i].values);
	free(rows->items);
	arena_release(&rows->arena);
}

/* ---- building ---- */

static void out_of_memory(struct faults *faults)
{
	static const struct origin nowhere;

	fault_add(faults, FAULT_ERROR, &nowhere, NULL, "%s", err_text(ERR_NOMEM));
}

/* Reads a row into the struct at `item`. `in`: the path of the item around it; NULL: a top-level
 * item. */
static void read_row(const struct item_row *row, const struct path *in, void *item,
		     struct arena *arena, struct faults *faults)
{
	const struct kind *kind = row->kind;
	const char *name = json_string_value(json_object_get(row->values, kind_name_key(kind)));
	const char *group = json_string_value(json_object_get(row->values, "resource_group"));
	struct path path = {kind, group, {name, NULL}};
	struct origin origin = {.revision = row->revision};

	if (in)
		path = (struct path){kind, in->group, {in->names[0], name}};
	origin.path = path_text(&path, arena);
	values_read(kind, row->values, item, &origin, arena, faults);
}

/* The first error, without the resource's own path: "targets[0].port: is a string; ...". All faults
 * must be of this resource. */
static const char *first_error(const struct faults *faults, const struct origin *of,
			       char text[PART_WHY_MAX])
{
	size_t length = of->path ? strlen(of->path) : 0;

	text[0] = '\0';
	for (size_t i = faults->count; i-- > 0;) {
		const struct fault *fault = &faults->items[i];
		const char *path = fault->origin.path ? fault->origin.path : "";
		bool below = length > 0 && strlen(path) > length && path[length] == '.';

		if (fault->severity == FAULT_ERROR)
			snprintf(text, PART_WHY_MAX, "%s%s%s", below ? path + length + 1 : "",
				 below ? ": " : "", fault->text);
	}
	return text;
}

/* Whether a fault's path goes on with an item inside the row's item: `rest` is ".links[hub].name".
 * That item has a row of its own. */
static bool is_of_inside(const struct kind *kind, const char *rest)
{
	char collection[64];
	size_t length = strcspn(rest, "[");

	if (*rest != '.' || rest[length] != '[' || length > sizeof collection)
		return false;
	snprintf(collection, sizeof collection, "%.*s", (int)length - 1, rest + 1);
	return kind_of_collection(kind, collection);
}

/* The text of a refused fault about this row or a member of it; NULL: none. A row inside this one
 * may come from the same change, and then has the same revision. So a fault about the inner row is
 * recognised by its path. */
static const char *find_refusal(const struct rows *rows, const struct kind *kind,
				const struct origin *of)
{
	size_t length = of->path ? strlen(of->path) : 0;

	for (size_t i = 0; rows->refused && length > 0 && i < rows->refused->count; i++) {
		const struct fault *fault = &rows->refused->items[i];
		const char *path = fault->origin.path ? fault->origin.path : "";

		if (fault->origin.revision == of->revision &&
		    strncmp(path, of->path, length) == 0 && strchr(".", path[length]) &&
		    !is_of_inside(kind, path + length))
			return fault->text;
	}
	return NULL;
}

/* Reads the row into a model row. A row that does not fit is an error if the change under way wrote
 * it, and is skipped otherwise. NULL: it does not fit, or out of memory; faults say which. */
static struct model_row *take_row(struct rows *rows, const struct item_row *row,
				  const struct path *in)
{
	size_t size = kind_field(row->kind)->group->size;
	struct model_row *kept = model_row_new(row->kind->id, row->path, size);
	char text[PART_WHY_MAX], why[PART_WHY_MAX + 32];
	const char *refusal;
	struct faults found;
	struct origin origin;
	bool fits;

	if (!kept) {
		out_of_memory(rows->faults);
		return NULL;
	}
	faults_init(&found);
	read_row(row, in, kept->item, &kept->arena, &found);
	fits = found.errors == 0;
	origin = part_origin(kept->item);
	refusal = fits ? find_refusal(rows, row->kind, &origin) : NULL;
	if (refusal) {
		snprintf(why, sizeof why, "which does not go with the rest (%s)", refusal);
		pass_over(rows, row->kind, row->path, why);
		fits = false;
	} else if (fits || row->revision == rows->written) {
		for (size_t i = 0; i < found.count; i++)
			fault_add(rows->faults, found.items[i].severity, &found.items[i].origin,
				  NULL, "%s", found.items[i].text);
	} else {
		snprintf(why, sizeof why, "which does not fit (%s)",
			 first_error(&found, &origin, text));
		pass_over(rows, row->kind, row->path, why);
	}
	faults_release(&found);
	if (fits)
		return kept;
	model_row_free(kept);
	return NULL;
}

/* Whether the row only repeats the file's item; if so, warns. A member that the row leaves open (a
 * placed address) counts as equal. */
static bool is_repeated(const struct item_row *row, const struct path *in, const void *item,
			struct rows *all)
{
	void *copy = arena_alloc(&all->arena, kind_field(row->kind)->group->size);
	struct origin origin = part_origin(item);
	json_t *stored, *filed, *value;
	struct faults unused;
	const char *key, *group;
	bool same = true, changed;

	if (!copy)
		return false;
	faults_init(&unused);
	read_row(row, in, copy, &all->arena, &unused);
	group = part_key_group(row->root, &all->arena);
	stored = values_print(row->kind, group, copy);
	filed = values_print(row->kind, group, item);
	if (values_refer(row->kind, group, all->declared, stored, &changed) ||
	    values_refer(row->kind, group, all->declared, filed, &changed))
		same = false;
	json_object_del(stored, kind_name_key(row->kind)); /* may differ in case */
	json_object_del(stored, "resource_group");
	json_object_foreach(stored, key, value) same =
		same && json_equal(value, json_object_get(filed, key));
	same = same && unused.errors == 0;
	if (same)
		fault_add(all->faults, FAULT_WARNING, &origin, NULL,
			  "is in the state, too, and says the same there; the file's counts");
	json_decref(stored);
	json_decref(filed);
	faults_release(&unused);
	return same;
}

/* Warns of rows whose top-level item is missing or skipped. */
static void warn_of_orphans(struct rows *all, const struct path *root, const struct item_row *rows,
			    size_t count)
{
	const struct path path = {root->kind,
				  root->group ? root->group : GROUP_NONE,
				  {root->names[0] ? root->names[0] : "", NULL}};
	struct origin origin = {.path = path_text(&path, &all->arena)};
	const void *namesake = part_named(all->declared, path.kind, path.names[0]);
	char url[PATH_URL_MAX], why[PART_WHY_MAX] = "is not in the configuration any more";

	all->passed_over = true;
	if (namesake)
		snprintf(why, sizeof why,
			 "is not in the configuration any more (the one of that name is in the "
			 "group "
			 "\"%.80s\")",
			 part_group(root->kind, namesake));
	fault_add(all->faults, FAULT_WARNING, &origin, NULL,
		  "%s, but %zu resource%s inside it %s in the "
		  "state; not served until it is there again; to remove %s: DELETE /v1/%s",
		  why, count, text_plural(count, "", "s"), text_plural(count, "is", "are"),
		  text_plural(count, "it", "the first"), key_url(rows->kind, rows->path, url));
}

/* Adds the row, if there is one; takes the reference over. */
static void add_row(struct model_part *part, struct model_row *row)
{
	if (row)
		part->rows.items[part->rows.count++] = row;
}

static void share_row(struct model_part *part, struct model_row *row)
{
	row->references++;
	add_row(part, row);
}

/* Merges new and kept rows, by kind and key. */
static void add_rows(struct model_part *part, const struct path *in, const struct item_row *rows,
		     size_t count, const struct model_row_list *kept, struct rows *all)
{
	size_t k = 0;

	for (size_t i = 0; i < count; i++) {
		const struct kind *kind = rows[i].kind;
		const char *name = part_key_name(rows[i].path, &all->arena);
		const void *filed = name ? find_item(part->item, kind, name) : NULL;

		while (k < kept->count && compare_keys(kept->items[k]->kind, kept->items[k]->key,
						       kind->id, rows[i].path) < 0)
			share_row(part, kept->items[k++]);
		if (!filed || !is_repeated(&rows[i], in, filed, all))
			add_row(part, take_row(all, &rows[i], in));
	}
	while (k < kept->count)
		share_row(part, kept->items[k++]);
}

/* Appends rows of one kind to that kind's list in the part's item. */
static void append_items(struct model_part *part, const struct kind *kind,
			 struct model_row *const *rows, size_t count, struct faults *faults)
{
	const struct field *list = kind_field(kind);
	struct schema_list filed = schema_list_get(list, part->item);
	size_t size = list->group->size;
	char *items = arena_alloc_array(&part->arena, filed.count + count, size);

	if (!items) {
		out_of_memory(faults);
		return;
	}
	if (filed.count > 0)
		memcpy(items, filed.items, filed.count * size);
	for (size_t i = 0; i < count; i++)
		memcpy(items + (filed.count + i) * size, rows[i]->item, size);
	schema_list_set(list, part->item, (struct schema_list){items, filed.count + count});
}

/* Appends all rows from `first` on; the item's own row is before that. */
static void append_rows(struct model_part *part, size_t first, struct faults *faults)
{
	struct model_row *const *rows = part->rows.items;

	for (size_t i = first, end; i < part->rows.count; i = end) {
		for (end = i + 1; end < part->rows.count && rows[end]->kind == rows[i]->kind;)
			end++;
		append_items(part, kind_of_id(rows[i]->kind), rows + i, end - i, faults);
	}
}

/* Builds the part of this top-level item from rows just read and rows kept from its former part.
 * NULL: no such item, or faults say why. */
static struct model_part *build(const struct kind *root, const char *key,
				const struct item_row *rows, size_t count,
				struct model_row_list kept, struct rows *all)
{
	bool own = count > 0 && rows[0].kind == root;
	bool is_kept = kept.count > 0 && kept.items[0]->kind == root->id;
	const struct path path = {
		root, part_key_group(key, &all->arena), {part_key_name(key, &all->arena), NULL}};
	const void *filed = path.group && path.names[0] ? part_find(all->declared, &path) : NULL;
	struct model_part *part = model_part_new(kind_field(root));
	const void *item = filed;
	struct path in;

	if (part)
		part->rows.items = arena_alloc_array(&part->arena, count + kept.count,
						     sizeof(*part->rows.items));
	if (!part || !part->rows.items) {
		model_part_free(part);
		out_of_memory(all->faults);
		return NULL;
	}
	if (is_kept) {
		share_row(part, kept.items[0]);
		kept.items++;
		kept.count--;
	} else if (own && (!filed || !is_repeated(&rows[0], NULL, filed, all))) {
		/* If the file also declares an item of this name, a later check refuses both. */
		add_row(part, take_row(all, &rows[0], NULL));
	}
	if (part->rows.count > 0)
		item = part->rows.items[0]->item;
	if (!item) {
		if (count > own)
			warn_of_orphans(all, &path, rows + own, count - own);
		model_part_free(part);
		return NULL;
	}
	part->declared = item == filed ? filed : NULL;
	memcpy(part->item, item, kind_field(root)->group->size);
	in = part_path(root, item, NULL);
	add_rows(part, &in, rows + own, count - own, &kept, all);
	append_rows(part, item != filed, all->faults);
	return part;
}

/* Inserts the part at an index; takes it over. */
static int add_part(struct parts *parts, size_t at, struct model_part *part)
{
	struct model_part **items =
		array_grow(parts->items, parts->count, &parts->room, sizeof(*items));

	if (!items) {
		model_part_free(part);
		return ERR_NOMEM;
	}
	parts->items = items;
	memmove(parts->items + at + 1, parts->items + at,
		(parts->count++ - at) * sizeof(*parts->items));
	parts->items[at] = part;
	return 0;
}

static void remove_part(struct parts *parts, size_t at)
{
	model_part_free(parts->items[at]);
	memmove(parts->items + at, parts->items + at + 1,
		(--parts->count - at) * sizeof(*parts->items));
}

/* Copies the rows' results to the parts and frees the rows. */
static int finish_rows(struct parts *parts, struct rows *rows, size_t errors, int err)
{
	parts->passed_over = parts->passed_over || rows->passed_over;
	parts->misfit = parts->misfit || rows->misfit;
	if (!err && rows->faults->errors > errors)
		err = ERR_FAULTS;
	rows_release(rows);
	return err;
}

/* `key`: as in read_rows; `written`: as in struct rows. */
static int load_root(struct parts *parts, struct source *source, const struct kind *root,
		     const char *key, uint64_t written, const struct model *declared,
		     const struct faults *refused, struct faults *faults,
		     char error[SOURCE_ERROR_MAX])
{
	const struct model_row_list none = {0};
	size_t errors = faults->errors;
	struct rows rows = {
		.faults = faults, .written = written, .declared = declared, .refused = refused};
	int err;

	arena_init(&rows.arena);
	err = read_rows(&rows, source, root, key, error);
	for (size_t i = 0, end; !err && i < rows.count; i = end) {
		struct model_part *part;

		for (end = i + 1;
		     end < rows.count && strcmp(rows.items[end].root, rows.items[i].root) == 0;)
			end++;
		part = build(root, rows.items[i].root, rows.items + i, end - i, none, &rows);
		if (part)
			err = add_part(parts, parts->count, part);
	}
	return finish_rows(parts, &rows, errors, err);
}

/* ---- parts of a model ---- */

void parts_release(struct parts *parts)
{
	for (size_t i = 0; i < parts->count; i++)
		model_part_free(parts->items[i]);
	free(parts->items);
	*parts = (struct parts){0};
}

int parts_copy(struct parts *parts, const struct model *model)
{
	int err = 0;

	*parts = (struct parts){0};
	for (size_t i = 0; !err && i < model->parts.count; i++) {
		model->parts.items[i]->references++;
		err = add_part(parts, i, model->parts.items[i]);
	}
	if (err)
		parts_release(parts);
	return err;
}

int parts_load(struct parts *parts, struct source *source, const struct model *declared,
	       const struct faults *refused, struct faults *faults, char error[SOURCE_ERROR_MAX])
{
	int err = 0;

	*parts = (struct parts){0};
	for (size_t i = 0; !err && i < KIND_COUNT; i++)
		if (!kinds[i].parent)
			err = load_root(parts, source, &kinds[i], NULL, 0, declared, refused,
					faults, error);
	if (err) /* an item that does not fit may have no name to sort by */
		parts_release(parts);
	else if (parts->count > 1)
		qsort(parts->items, parts->count, sizeof *parts->items, compare_parts);
	return err;
}

static int compare_two_keys(const void *a, const void *b)
{
	const struct key *left = a, *right = b;

	return compare_keys(left->kind, left->text, right->kind, right->text);
}

/* The sorted keys of the paths, without duplicates; NULL without memory. */
static struct key *keys_of(const struct path *const *paths, size_t *count, struct arena *arena)
{
	struct key *keys = arena_alloc_array(arena, *count, sizeof *keys);
	char key[PATH_MAX_BYTES];
	size_t kept = 0;

	for (size_t i = 0; keys && i < *count; i++) {
		if (path_key(paths[i], key) != 0 || !(keys[i].text = arena_strdup(arena, key)))
			return NULL;
		keys[i].kind = paths[i]->kind->id;
	}
	if (!keys || *count == 0)
		return keys;
	qsort(keys, *count, sizeof *keys, compare_two_keys);
	for (size_t i = 1; i < *count; i++)
		if (compare_two_keys(&keys[kept], &keys[i]) != 0)
			keys[++kept] = keys[i];
	*count = kept + 1;
	return keys;
}

/* Collects the part's rows that have none of the keys; `kept` has room for all. */
static void keep_others(struct model_row_list *kept, const struct model_part *part,
			const struct key *keys, size_t count)
{
	size_t k = 0;

	for (size_t i = 0; i < part->rows.count; i++) {
		struct model_row *row = part->rows.items[i];
		int order = -1;

		while (k < count &&
		       (order = compare_keys(keys[k].kind, keys[k].text, row->kind, row->key)) < 0)
			k++;
		if (k == count || order != 0)
			kept->items[kept->count++] = row;
	}
}

/* Rebuilds a part: rows of these paths are read from the store, others are kept. */
static int rebuild(struct parts *parts, size_t at, struct source *source,
		   const struct path *const *paths, size_t count, struct rows *rows,
		   char error[SOURCE_ERROR_MAX])
{
	const struct path root = part_root(paths[0]);
	struct model_part *before = parts->items[at], *part;
	struct model_row_list kept = {
		arena_alloc_array(&rows->arena, before->rows.count, sizeof(*kept.items)), 0};
	const struct key *keys = keys_of(paths, &count, &rows->arena);
	char key[PATH_MAX_BYTES];
	int err = keys && kept.items ? path_key(&root, key) : ERR_NOMEM;

	if (!err)
		err = read_these(rows, source, keys, count, error);
	if (err)
		return err;
	keep_others(&kept, before, keys, count);
	part = build(root.kind, key, rows->items, rows->count, kept, rows);
	if (part)
		parts->items[at] = part;
	else
		remove_part(parts, at);
	if (part)
		model_part_free(before);
	return 0;
}

/* Builds the part of this key anew from all its rows, in place of the one at the index, if it was
 * found there. */
static int reload(struct parts *parts, size_t at, bool found, struct source *source,
		  const struct kind *root, const char *key, uint64_t revision,
		  const struct model *declared, struct faults *faults, char error[SOURCE_ERROR_MAX])
{
	struct parts loaded = {.count = 0};
	int err;

	if (found)
		remove_part(parts, at);
	err = load_root(&loaded, source, root, key, revision, declared, NULL, faults, error);
	parts->passed_over = parts->passed_over || loaded.passed_over;
	for (size_t i = 0; !err && i < loaded.count; i++) {
		loaded.items[i]->references++;
		err = add_part(parts, at, loaded.items[i]);
	}
	parts_release(&loaded);
	return err;
}

/* Whether an edit changes the case of the top-level item's name or group: these are in the paths of
 * everything inside it. */
static bool spells_otherwise(const struct model_part *part, const struct path *const *paths,
			     size_t count)
{
	for (size_t i = 0; i < count; i++) {
		const struct kind *kind = paths[i]->kind;

		if (!kind->parent &&
		    (strcmp(paths[i]->names[0], part_name(kind, part->item)) != 0 ||
		     strcmp(paths[i]->group, part_group(kind, part->item)) != 0))
			return true;
	}
	return false;
}

int parts_refresh(struct parts *parts, struct source *source, const struct path *const *paths,
		  size_t count, bool whole, uint64_t revision, const struct model *declared,
		  struct faults *faults, char error[SOURCE_ERROR_MAX])
{
	const struct path root = part_root(paths[0]);
	size_t errors = faults->errors;
	struct rows rows = {.faults = faults, .written = revision, .declared = declared};
	char key[PATH_MAX_BYTES];
	size_t at;
	bool found;
	int err = path_key(&root, key);

	if (err)
		return err;
	at = find_place(parts->items, parts->count, &root, &found);
	if (!found || whole || spells_otherwise(parts->items[at], paths, count))
		return reload(parts, at, found, source, root.kind, key, revision, declared, faults,
			      error);
	arena_init(&rows.arena);
	err = rebuild(parts, at, source, paths, count, &rows, error);
	return finish_rows(parts, &rows, errors, err);
}

/* ---- a single row ---- */

static int on_values(void *context, const struct source_resource *resource)
{
	json_t **values = context;

	*values = json_loads(resource->json, 0, NULL);
	return *values ? 0 : ERR_INVALID;
}

int part_row(struct source *source, const struct path *path, json_t **values,
	     char error[SOURCE_ERROR_MAX])
{
	struct key_range range;
	char key[PATH_MAX_BYTES];
	int err = path_key(path, key);

	*values = NULL;
	*error = '\0';
	if (err)
		return err;
	key_range_alone(&range, key);
	err = source->calls->resources(source, path->kind->id, range.from, range.to, on_values,
				       values, error);
	if (err == ERR_INVALID)
		snprintf(error, SOURCE_ERROR_MAX,
			 "its values in the state are no JSON; put it anew");
	return err;
}

/* ---- explaining rows that are not served ---- */

char *part_missing(const struct model *model, const struct path *path, char text[PART_WHY_MAX])
{
	const struct kind *kind = path->kind;
	char url[PATH_URL_MAX], others[PART_WHY_MAX];
	size_t count = part_namesakes(model, kind, path->names[0], others);
	struct path other = *path;
	bool grouped;

	snprintf(text, PART_WHY_MAX, "there is no %s \"%.80s\"", kind_field(kind)->group->name,
		 path->names[0]);
	if (count > 1)
		text_append(text, PART_WHY_MAX, " here; there is %.360s", others);
	if (count != 1)
		return text;
	other.group = part_group(kind, part_named(model, kind, path->names[0]));
	grouped = strcmp(other.group, GROUP_NONE) != 0;
	text_append(text, PART_WHY_MAX, " here; it is in %s%.90s%s: %.200s",
		    grouped ? "the resource group \"" : "no resource group",
		    grouped ? other.group : "", grouped ? "\"" : "", path_url(&other, url));
	return text;
}

void part_refuse_orphan(const struct model *model, const struct path *path, struct faults *faults)
{
	const struct path root = part_root(path);
	struct origin origin = {.path = path_text(path, &faults->arena)};
	char why[PART_WHY_MAX];

	fault_add(faults, FAULT_ERROR, &origin, NULL, "%s%s", part_missing(model, &root, why),
		  part_is_elsewhere(model, &root) ? "" : "; make it first");
}

void part_why(const struct model *model, const struct path *path, const char *json,
	      char why[PART_WHY_MAX])
{
	const struct kind *parent = path->kind->parent;
	struct path outer = part_root(path);
	json_t *values = json_loads(json, 0, NULL);
	static const struct origin nowhere = {.path = "-"};
	struct arena arena;
	struct faults found;
	void *item;

	arena_init(&arena);
	faults_init(&found);
	item = arena_alloc(&arena, kind_field(path->kind)->group->size);
	if (item && values)
		values_read(path->kind, values, item, &nowhere, &arena, &found);
	if (parent && !part_find(model, &outer))
		part_missing(model, &outer, why);
	else if (!values)
		snprintf(why, PART_WHY_MAX, "its values are not JSON");
	else if (found.errors > 0)
		first_error(&found, &nowhere, why);
	else
		snprintf(why, PART_WHY_MAX,
			 "it did not go with the rest when it was read, or was "
			 "not written by sluice; put it anew, or reload");
	json_decref(values);
	faults_release(&found);
	arena_release(&arena);
}
