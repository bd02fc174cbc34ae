#include "resolver/control/service/rows.h"

#include "resolver/control/base/json.h"
#include "resolver/control/base/percent.h"
#include "resolver/control/resource/resources.h"

/* ---- written rows ---- */

static int on_row(void *context, const struct source_change *change)
{
	json_t *rows = context;

	json_add(rows, json_make("{s:I, s:o, s:o}", "kind", (json_int_t)change->kind, "path",
				 json_text(change->path), "values",
				 change->after ? json_loads(change->after, 0, NULL) : json_null()));
	return 0;
}

json_t *rows_written(struct source *source, uint64_t revision, char error[SOURCE_ERROR_MAX])
{
	json_t *rows = json_array();
	int err = ERR_NOMEM;

	*error = '\0';
	if (rows)
		err = source->calls->changes(source, source_after(revision - 1), on_row, rows,
					     error);
	rows = json_whole(rows);
	if (!err && rows)
		return rows;
	if (!*error)
		snprintf(error, SOURCE_ERROR_MAX, "%s", err_text(err ? err : ERR_NOMEM));
	json_decref(rows);
	return NULL;
}

/* ---- rows as edits ---- */

/* The path of a key in the store; names go into the arena. ERR_INVALID, ERR_NOMEM. */
static int path_of_key(struct path *path, unsigned kind, const char *key, struct arena *arena)
{
	char *text = arena_strdup(arena, key), *parts[3] = {"", NULL, NULL}, *to;
	int err = text ? 0 : ERR_NOMEM;

	*path = (struct path){kind_of_id(kind), GROUP_NONE, {text, NULL}};
	if (!err && kind == KIND_PTR)
		return 0;
	for (size_t i = 0; !err && text && i < 3; i++) {
		size_t length = strcspn(text, "/");
		char *next = text[length] == '/' ? text + length + 1 : NULL;

		parts[i] = to = text;
		err = percent_decode(text, length, false, &to);
		text = next;
	}
	*path = (struct path){kind_of_id(kind), parts[0], {parts[1], parts[2]}};
	if (!err && (!path->kind || !parts[1] || !path->kind->parent != !parts[2]))
		err = ERR_INVALID;
	return err;
}

void row_edits_init(struct row_edits *edits)
{
	*edits = (struct row_edits){.count = 0};
	arena_init(&edits->arena);
}

void row_edits_release(struct row_edits *edits)
{
	free(edits->made);
	arena_release(&edits->arena);
	row_edits_init(edits);
}

static int read_row(struct resource_edit *edit, const json_t *row, struct arena *arena)
{
	const json_t *values = json_object_get(row, "values");
	const char *path = json_string_value(json_object_get(row, "path"));

	if (!path || (!json_is_object(values) && !json_is_null(values)))
		return ERR_INVALID;
	edit->values = json_is_null(values) ? NULL : values;
	return path_of_key(&edit->path, (unsigned)json_integer_value(json_object_get(row, "kind")),
			   path, arena);
}

static bool gives_way(struct resources *resources, const struct resource_edit *edit)
{
	const struct path *path = &edit->path;
	bool is_owned = path->kind->id == KIND_ADDRESS || path->kind->id == KIND_SERVICE;
	const struct owned_resource *resource = is_owned ? addresses_find(resources, path) : NULL;

	return resource && !owned_is_declared(resource) && owned_gives_way(resource, edit->values);
}

/* The rows of a rollback may exchange an IP address, a label or an id between two addresses. So,
 * if backwards, each resource that gives one up is removed first, and its own edit makes it
 * again. */
int row_edits_read(struct row_edits *edits, const json_t *rows, bool backwards,
		   struct resources *resources)
{
	size_t count = json_array_size(rows), ahead = 0, i;
	struct resource_edit *made = calloc(2 * count + 1, sizeof *made), *edit;
	int err = made ? 0 : ERR_NOMEM;
	const json_t *row;

	edits->made = made;
	json_array_foreach(rows, i, row)
	{
		if (err)
			return err;
		edit = &made[count + (backwards ? count - 1 - i : i)];
		err = read_row(edit, row, &edits->arena);
		if (!err && backwards && gives_way(resources, edit))
			made[ahead++].path = edit->path;
	}
	if (err)
		return err;
	memmove(made + count - ahead, made, ahead * sizeof *made);
	edits->edits = made + count - ahead;
	edits->count = count + ahead;
	return 0;
}
