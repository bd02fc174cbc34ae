#include "resolver/control/resource/part.h"

#include <stdlib.h>
#include <strings.h>

#include "resolver/control/base/percent.h"
#include "resolver/control/resource/values.h"
#include "rules/schema/schema.h"

/* ---- finding ---- */

const char *part_name(const struct kind *kind, const void *item)
{
	const struct field *name = schema_field(kind_field(kind)->group, "name");

	return schema_get_text(name, item, NULL, 0);
}

struct origin part_origin(const void *item)
{
	struct origin origin;

	memcpy(&origin, item, sizeof origin);
	return origin;
}

/* `in`: the parent's item, or the model. */
static const void *find_item(const void *in, const struct kind *kind, const char *wanted)
{
	const struct field *list = kind_field(kind);
	struct schema_list items = schema_list_get(list, in);

	for (size_t i = 0; i < items.count; i++) {
		const char *item = (const char *)items.items + i * list->group->size;
		const char *name = part_name(kind, item);

		if (name && strcasecmp(name, wanted) == 0)
			return item;
	}
	return NULL;
}

const void *part_find(const struct model *model, const struct path *path)
{
	const struct kind *parent = path->kind->parent;
	const void *in = parent ? find_item(model, parent, path->names[0]) : model;

	return in ? find_item(in, path->kind, path_name(path)) : NULL;
}

struct model_part *parts_at(const struct parts *parts, const struct kind *root, const char *name,
			    size_t *at)
{
	const struct field *list = kind_field(root);

	for (size_t i = 0; i < parts->count; i++) {
		const char *own = NULL;

		if (parts->items[i]->list == list)
			own = part_name(root, parts->items[i]->item);
		if (!own || strcasecmp(own, name) != 0)
			continue;
		if (at)
			*at = i;
		return parts->items[i];
	}
	return NULL;
}

/* Of parts; NULL: none has it. */
static const void *find_in_parts(const struct parts *parts, const struct path *path)
{
	const struct kind *root = path->kind->parent ? path->kind->parent : path->kind;
	const struct model_part *part = parts_at(parts, root, path->names[0], NULL);

	if (!part)
		return NULL;
	return path->kind == root ? part->item : find_item(part->item, path->kind, path->names[1]);
}

bool parts_have(const struct parts *parts, const struct model *declared, const struct path *path)
{
	return find_in_parts(parts, path) || part_find(declared, path);
}

const void *part_given(const struct model *model, const struct path *path)
{
	const struct parts parts = {model->parts.items, model->parts.count, 0};
	const void *item = find_in_parts(&parts, path);

	return item ? item : part_find(model->declared ? model->declared : model, path);
}

/* ---- rows ---- */

struct row {
	const struct kind *kind;
	const char *path;
	const char *root; /* the part of it that names what is at the top */
	json_t *values;
	size_t order; /* by its path */
};

struct rows { /* of one kind at the top and those inside it */
	struct arena arena;
	struct faults *faults;
	struct row *items;
	size_t count, room;
};

/* The last name of a path, decoded, in the arena; NULL: it is none, or there is no memory. */
static const char *last_name(const char *path, struct arena *arena)
{
	const char *slash = strrchr(path, '/');
	char *name = arena_strdup(arena, slash ? slash + 1 : path), *to = name;

	return name && percent_decode(name, strlen(name), false, &to) == 0 ? name : NULL;
}

/* "-/office" of "-/office/contoso". */
static const char *root_of(struct arena *arena, const char *path)
{
	const char *slash = strchr(path, '/');
	const char *end = slash ? strchr(slash + 1, '/') : NULL;

	return arena_printf(arena, "%.*s", end ? (int)(end - path) : (int)strlen(path), path);
}

/* Whether the row is as sluice writes it: a kind that can be there, JSON, and in it the name that
 * its path ends in. */
static bool is_ours(const struct row *row, struct arena *arena)
{
	const char *name = json_string_value(json_object_get(row->values, "name"));
	struct path path = {row->kind, "-", {name, NULL}};
	char key[PATH_MAX_BYTES];

	if (!row->kind || !name)
		return false;
	if (row->kind->parent) {
		path.names[0] = last_name(row->root, arena);
		path.names[1] = name;
	}
	return path.names[0] && path_key(&path, key) == 0 && strcmp(key, row->path) == 0;
}

void part_warn_of_row(struct faults *faults, const struct kind *kind, const char *path)
{
	struct origin origin = {.path = kind ? kind->collection : "resources"};

	fault_add(
		faults, FAULT_WARNING, &origin, NULL,
		"the state has a row at \"%s\" which was not written by sluice; not served; remove "
		"it, or put the resource anew",
		path);
}

static int on_row(void *context, const struct source_resource *resource)
{
	struct rows *rows = context;
	struct row row = {.kind = kind_of_id(resource->kind), .order = rows->count};

	if (rows->count == rows->room) {
		size_t room = rows->room ? 2 * rows->room : 64;
		struct row *items = reallocarray(rows->items, room, sizeof *items);

		if (!items)
			return ERR_NOMEM;
		rows->items = items;
		rows->room = room;
	}
	row.path = arena_strdup(&rows->arena, resource->path);
	row.root = root_of(&rows->arena, resource->path);
	if (!row.path || !row.root)
		return ERR_NOMEM;
	row.values = json_loads(resource->json, 0, NULL);
	if (is_ours(&row, &rows->arena)) {
		rows->items[rows->count++] = row;
	} else {
		part_warn_of_row(rows->faults, row.kind, resource->path);
		json_decref(row.values);
	}
	return 0;
}

static int compare_rows(const void *a, const void *b)
{
	const struct row *left = a, *right = b;
	int order = strcmp(left->root, right->root);

	if (order != 0)
		return order;
	if (left->kind != right->kind)
		return left->kind->id < right->kind->id ? -1 : 1;
	return left->order < right->order ? -1 : left->order > right->order;
}

/* `key` NULL: of all. Sorted by what is at the top, that first, then by kind. */
static int read_rows(struct rows *rows, struct source *source, const struct kind *root,
		     const char *key, char error[SOURCE_ERROR_MAX])
{
	char from[PATH_MAX_BYTES + 2], to[PATH_MAX_BYTES + 2];
	int err = 0;

	for (size_t i = 0; !err && i < KIND_COUNT; i++) {
		bool inside = kinds[i].parent == root;

		if (kinds[i].bulk || (!inside && &kinds[i] != root))
			continue;
		/* '0' is the character behind '/'. */
		snprintf(from, sizeof from, "%s%s", key ? key : "", key && inside ? "/" : "");
		snprintf(to, sizeof to, "%s%s", key ? key : "",
			 !key     ? "\x7f"
			 : inside ? "0"
				  : "\x01");
		err = source->calls->resources(source, kinds[i].id, from, to, on_row, rows, error);
	}
	if (!err && rows->count > 0)
		qsort(rows->items, rows->count, sizeof *rows->items, compare_rows);
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

/* Into the struct at item, whose path begins with `parent` ("rulesets[office]."). */
static void read_row(const struct row *row, const char *parent, void *item, struct arena *arena,
		     struct faults *faults)
{
	const char *name = json_string_value(json_object_get(row->values, "name"));
	struct origin origin = {
		.path = arena_printf(arena, "%s%s[%s]", parent, row->kind->collection, name)};

	values_read(row->kind, row->values, item, &origin, arena, faults);
}

/* Whether the row says nothing that the file's item does not say, too: then it is in the way of
 * nobody, and a warning is enough. What a row leaves open (an address that is placed) counts as the
 * same. */
static bool is_repeated(const struct row *row, const char *parent, const void *item,
			struct model_part *part, struct faults *faults)
{
	void *copy = arena_alloc(&part->arena, kind_field(row->kind)->group->size);
	struct origin origin = part_origin(item);
	json_t *stored, *declared, *value;
	struct faults unused;
	const char *key;
	bool same = true;

	if (!copy)
		return false;
	faults_init(&unused);
	read_row(row, parent, copy, &part->arena, &unused);
	stored = values_print(row->kind, copy);
	declared = values_print(row->kind, item);
	json_object_foreach(stored, key, value) same =
		same &&
		(strcmp(key, "name") == 0 || json_equal(value, json_object_get(declared, key)));
	same = same && unused.errors == 0;
	if (same)
		fault_add(faults, FAULT_WARNING, &origin, NULL,
			  "is in the state, too, and says the same there; the file's counts");
	json_decref(stored);
	json_decref(declared);
	faults_release(&unused);
	return same;
}

/* Appends the rows of a kind to its list in the item. */
static void add_children(struct model_part *part, const struct kind *kind, const struct row *rows,
			 size_t count, struct faults *faults)
{
	const struct field *list = kind_field(kind);
	struct schema_list before = schema_list_get(list, part->item);
	size_t size = list->group->size;
	char *items = arena_alloc_array(&part->arena, before.count + count, size);
	const char *parent = arena_printf(&part->arena, "%s[%s].", kind->parent->collection,
					  part_name(kind->parent, part->item));

	if (!items || !parent) {
		out_of_memory(faults);
		return;
	}
	if (before.count > 0)
		memcpy(items, before.items, before.count * size);
	size_t used = before.count;
	for (size_t i = 0; i < count; i++) {
		const char *name = last_name(rows[i].path, &part->arena);
		const void *there = name ? find_item(part->item, kind, name) : NULL;

		if (!there || !is_repeated(&rows[i], parent, there, part, faults))
			read_row(&rows[i], parent, items + used++ * size, &part->arena, faults);
	}
	schema_list_set(list, part->item, (struct schema_list){items, used});
}

/* Of the rows of one root. NULL: what they are inside is not there, or faults say why. */
static struct model_part *build(const struct kind *root, const struct row *rows, size_t count,
				const struct model *declared, struct rows *all,
				struct faults *faults)
{
	bool own = rows[0].kind == root;
	const char *name = last_name(rows[0].root, &all->arena);
	const void *item = name ? find_item(declared, root, name) : NULL;
	struct model_part *part;

	if (!own && !item) {
		struct origin origin = {.path = arena_printf(&all->arena, "%s[%s]",
							     root->collection, name ? name : "")};
		fault_add(
			faults, FAULT_WARNING, &origin, NULL,
			"is not in the configuration any more, but %zu resource%s inside it %s in "
			"the state; not served until it is there again",
			count, count == 1 ? "" : "s", count == 1 ? "is" : "are");
		return NULL;
	}
	part = model_part_new(kind_field(root));
	if (!part) {
		out_of_memory(faults);
		return NULL;
	}
	if (own && item && !is_repeated(&rows[0], "", item, part, faults))
		item = NULL; /* two of one name, which the check refuses */
	part->declared = item;
	if (item)
		memcpy(part->item, item, kind_field(root)->group->size);
	else
		read_row(&rows[0], "", part->item, &part->arena, faults);
	for (size_t i = own, end; i < count; i = end) {
		for (end = i + 1; end < count && rows[end].kind == rows[i].kind;)
			end++;
		add_children(part, rows[i].kind, rows + i, end - i, faults);
	}
	return part;
}

int parts_add(struct parts *parts, struct model_part *part)
{
	if (parts->count == parts->room) {
		size_t room = parts->room ? 2 * parts->room : 16;
		struct model_part **items = reallocarray(parts->items, room, sizeof(*items));

		if (!items) {
			model_part_free(part);
			return ERR_NOMEM;
		}
		parts->items = items;
		parts->room = room;
	}
	parts->items[parts->count++] = part;
	return 0;
}

static int load_root(struct parts *parts, struct source *source, const struct kind *root,
		     const char *key, const struct model *declared, struct faults *faults,
		     char error[SOURCE_ERROR_MAX])
{
	size_t errors = faults->errors;
	struct rows rows = {.faults = faults};
	int err;

	arena_init(&rows.arena);
	err = read_rows(&rows, source, root, key, error);
	for (size_t i = 0, end; !err && i < rows.count; i = end) {
		struct model_part *part;

		for (end = i + 1;
		     end < rows.count && strcmp(rows.items[end].root, rows.items[i].root) == 0;)
			end++;
		part = build(root, rows.items + i, end - i, declared, &rows, faults);
		if (part)
			err = parts_add(parts, part);
	}
	rows_release(&rows);
	return !err && faults->errors > errors ? ERR_FAULTS : err;
}

/* ---- of a model ---- */

/* Always the same order, whichever was changed last: of two rulesets with one domain the first
 * decides. */
static int compare_parts(const void *a, const void *b)
{
	const struct model_part *left = *(struct model_part *const *)a;
	const struct model_part *right = *(struct model_part *const *)b;
	const struct kind *kind = kind_of_field(NULL, left->list);

	if (left->list != right->list)
		return left->list < right->list ? -1 : 1;
	return strcasecmp(part_name(kind, left->item), part_name(kind, right->item));
}

void parts_sort(struct parts *parts)
{
	if (parts->count > 1)
		qsort(parts->items, parts->count, sizeof(*parts->items), compare_parts);
}

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
		err = parts_add(parts, model->parts.items[i]);
	}
	if (err)
		parts_release(parts);
	return err;
}

int parts_load(struct parts *parts, struct source *source, const struct model *declared,
	       struct faults *faults, char error[SOURCE_ERROR_MAX])
{
	int err = 0;

	*parts = (struct parts){0};
	for (size_t i = 0; !err && i < KIND_COUNT; i++)
		if (!kinds[i].parent)
			err = load_root(parts, source, &kinds[i], NULL, declared, faults, error);
	if (err) /* an item that does not fit has no name, perhaps */
		parts_release(parts);
	else
		parts_sort(parts);
	return err;
}

int parts_refresh(struct parts *parts, struct source *source, const struct path *path,
		  const struct model *declared, struct faults *faults, char error[SOURCE_ERROR_MAX])
{
	const struct kind *root = path->kind->parent ? path->kind->parent : path->kind;
	struct path at_top = {root, path->group, {path->names[0], NULL}};
	char key[PATH_MAX_BYTES];
	size_t kept = 0;
	int err = path_key(&at_top, key);

	if (err)
		return err;
	for (size_t i = 0; i < parts->count; i++) {
		struct model_part *part = parts->items[i];

		if (part->list == kind_field(root) &&
		    strcasecmp(part_name(root, part->item), path->names[0]) == 0)
			model_part_free(part);
		else
			parts->items[kept++] = part;
	}
	parts->count = kept;
	err = load_root(parts, source, root, key, declared, faults, error);
	if (!err)
		parts_sort(parts);
	return err;
}
