/* /v1/export: all resources but those that the model made by itself, as edits or as a configuration
 * file.
 *
 *     prepare (control thread)   collects items of the model: as edits, or as a model to be written
 *     write   (thread)           items of homes, groups, addresses, services, and the state's PTRs
 *                                of addresses of the file, page by page from a view
 *
 * The thread may write a million items. PTRs that wait for their address to return are left out,
 * because /v1/state has them. An address that is not served, because no pool has it any more, is
 * written to the file as a comment: the file would not be valid with the address itself. */
#include "resolver/control/api/long_answer.h"
#include "resolver/control/api/reverse.h"
#include "resolver/control/api/v1/api_v1.h"
#include "resolver/control/base/json.h"
#include "resolver/control/base/report.h"
#include "resolver/control/config/write.h"
#include "resolver/control/resource/home.h"
#include "resolver/control/resource/item.h"
#include "resolver/control/resource/part.h"
#include "resolver/control/resource/values.h"
#include "resolver/control/service/service.h"
#include "rules/base.h"
#include "rules/schema/schema.h"

enum { ROWS_AT_ONCE = 1000 }; /* of a home, in memory */

struct resource_export {
	struct api_long_answer answer;
	struct model *given; /* a model of its own: the files with the parts of the state */
	json_t *edits;       /* of items of the model */
	char *tail;
	/* For the thread: */
	struct resources *resources;
	struct json_writer writer; /* of edits */
	FILE *file;                /* of a configuration file, instead of the writer */
	bool any;                  /* the present list of `file` has an item */
};

static struct resource_export *export_of(struct api_long_answer *answer)
{
	return container_of(answer, struct resource_export, answer);
}

/* Calls back for all items of the list: of a kind, or, for a kind with a home, inside one item.
 * False: they cannot be read. */
static bool each_item(struct resource_export *export, const struct path *list,
		      int (*on_item)(void *context, const struct item *item))
{
	struct item_list items = {
		.resources = export->resources, .path = *list, .rows_max = ROWS_AT_ONCE};
	struct change_error error;
	int err = item_each(&items, on_item, export, &error);

	if (err == ERR_INVALID && error.outcome != CHANGE_NO_MEMORY)
		snprintf(export->answer.why, sizeof export->answer.why, "%s", error.text);
	return !err;
}

static bool each_of_kind(struct resource_export *export, unsigned kind,
			 int (*on_item)(void *context, const struct item *item))
{
	const struct path all = {.kind = kind_of_id(kind)};

	return each_item(export, &all, on_item);
}

/* ---- as edits ---- */

static json_t *item_edit(const struct resources *resources, const struct item *item)
{
	char url[PATH_URL_MAX];

	return json_make("{s:s, s:o, s:o}", "path", path_url(&item->path, url), "values",
			 items_of(item->path.kind)->values(resources, item), "origin",
			 values_print_origin(&item->origin));
}

static int write_edit(void *context, const struct item *item)
{
	struct resource_export *export = context;

	json_writer_row(&export->writer, item_edit(export->resources, item));
	return json_writer_has_failed(&export->writer) ? ERR_NOMEM : 0;
}

static int write_owned_edit(void *context, const struct item *item)
{
	struct resource_export *export = context;
	const struct owned_resource *owned = item->owned;
	const struct item ptr = {.path = {kind_of_id(KIND_PTR), GROUP_NONE, {owned->item.id, NULL}},
				 .fields = item->fields,
				 .owned = owned};
	char refusal[POOLS_TEXT_MAX];
	int err;

	if (addresses_refusal(export->resources, owned, refusal))
		return 0;
	err = write_edit(export, item);
	return !err && owned_has_ptr_of_state(owned) ? write_edit(export, &ptr) : err;
}

/* Writes the items of homes, except inside parents that the model made by itself. */
static bool write_home_edits(struct resource_export *export)
{
	const struct model *model = resources_model(export->resources);
	bool good = true;

	for (size_t i = 0; i < KIND_COUNT; i++) {
		const struct kind *parent = kinds[i].home ? kinds[i].parent : NULL;
		struct schema_list items =
			parent ? kind_list(parent, model) : (struct schema_list){0};

		for (size_t k = 0; good && k < items.count; k++) {
			const void *in =
				(const char *)items.items + k * kind_field(parent)->group->size;
			struct path list = part_path(parent, in, NULL);

			if (item_made_because(model, &list))
				continue;
			list.kind = &kinds[i];
			good = each_item(export, &list, write_edit);
		}
	}
	return good;
}

static bool write_edits(struct resource_export *export)
{
	json_writer_list(&export->writer, "{\"edits\":[");
	for (size_t i = 0; i < json_array_size(export->edits); i++)
		json_writer_row(&export->writer, json_incref(json_array_get(export->edits, i)));
	return write_home_edits(export) && each_of_kind(export, KIND_GROUP, write_edit) &&
	       each_of_kind(export, KIND_ADDRESS, write_owned_edit) &&
	       each_of_kind(export, KIND_SERVICE, write_owned_edit);
}

/* Adds edits of the items of this kind inside `in`, and of all items inside those. Items of homes
 * are not in the model's lists; write_home_edits writes them. */
static void add_edits(const struct resources *resources, const struct kind *kind, const void *in,
		      const struct path *parent, json_t *edits)
{
	size_t size = kind_field(kind)->group->size;
	struct schema_list items = kind_list(kind, in);

	for (size_t i = 0; !kind->home && i < items.count; i++) {
		const void *fields = (const char *)items.items + i * size;
		const struct item item = item_served(kind, fields, parent);

		if (item_made_because(resources_model(resources), &item.path))
			continue;
		json_add(edits, item_edit(resources, &item));
		for (size_t k = 0; k < KIND_COUNT; k++)
			if (kinds[k].parent == kind)
				add_edits(resources, &kinds[k], fields, &item.path, edits);
	}
}

/* The members after the edits: `made`, the settings of the file, and, if there is a state, its
 * revision. */
static char *edits_tail(const struct model *served, struct resources *view)
{
	struct source *source = resources_store(view)->source;
	char *made = json_whole_text(report_made(served)), *tail = NULL;
	char *settings = json_whole_text(values_print_settings(served->declared));
	char revision[48] = "";
	struct source_about about;

	if (source) {
		source_about(source, &about);
		snprintf(revision, sizeof revision, ",\"revision\":%llu",
			 (unsigned long long)about.revision);
	}
	if (made && settings &&
	    asprintf(&tail, "],\"made\":%s,\"settings\":%s%s}", made, settings, revision) < 0)
		tail = NULL;
	free(made);
	free(settings);
	return tail;
}

/* ---- as a file ---- */

/* Adds the state's items of a home, which the model lacks. */
static int add_items(struct resource_export *export, const struct kind *kind, void *parent)
{
	const struct field *list = kind_field(kind);
	struct model *given = export->given;
	struct item_list items = {.resources = export->resources,
				  .arena = &given->arena,
				  .path = part_path(kind->parent, parent, NULL)};
	struct change_error error;
	char *copies;

	if (kind->home->refusal(parent))
		return 0;
	items.path.kind = kind;
	if (items_of(kind)->next(&items, SIZE_MAX, &error) != 0) {
		if (error.outcome != CHANGE_NO_MEMORY)
			snprintf(export->answer.why, sizeof export->answer.why, "%s", error.text);
		return ERR_NOMEM;
	}
	copies = arena_alloc_array(&given->arena, items.count, list->group->size);
	for (size_t i = 0; copies && i < items.count; i++)
		memcpy(copies + i * list->group->size, items.items[i].fields, list->group->size);
	if (!copies)
		return ERR_NOMEM;
	schema_list_set(list, parent, (struct schema_list){copies, items.count});
	return 0;
}

/* add_items for each item of the model that has items of a home. */
static bool add_all_items(struct resource_export *export)
{
	int err = 0;

	for (size_t i = 0; i < KIND_COUNT; i++) {
		const struct kind *parent = kinds[i].home ? kinds[i].parent : NULL;
		struct schema_list items =
			parent ? kind_list(parent, export->given) : (struct schema_list){0};

		for (size_t k = 0; !err && k < items.count; k++)
			err = add_items(export, &kinds[i],
					(char *)items.items + k * kind_field(parent)->group->size);
	}
	return !err;
}

static int write_owned_item(void *context, const struct item *item)
{
	struct resource_export *export = context;
	const struct field *list = kind_field(item->path.kind);
	char refusal[POOLS_TEXT_MAX];

	if (addresses_refusal(export->resources, item->owned, refusal)) {
		fprintf(export->file, "# %s \"%s\" is not served: %s\n", item->path.kind->name,
			path_name(&item->path), refusal);
		return 0;
	}
	if (export->any)
		fputs(",\n", export->file);
	else
		fprintf(export->file, "%s = (\n", list->key);
	export->any = true;
	config_item_write(list->group, item->fields, export->file);
	return 0;
}

static bool write_list(struct resource_export *export, unsigned kind)
{
	bool good;

	export->any = false;
	good = each_of_kind(export, kind, write_owned_item);
	if (export->any)
		fputs("\n);\n", export->file);
	return good;
}

static bool write_file(struct resource_export *export)
{
	struct model *given = export->given;
	bool good = add_all_items(export);

	given->addresses.count = given->cloud_services.count = 0; /* write_list writes these */
	return good && config_file_write(given, export->file) == 0 &&
	       write_list(export, KIND_ADDRESS) && write_list(export, KIND_SERVICE);
}

/* The items that the model made by itself, as comments. */
static char *made_text(const struct model *served)
{
	char *text = NULL;
	size_t length = 0;
	FILE *out = open_memstream(&text, &length);

	if (!out)
		return NULL;
	report_print_made(served, "# ", out); /* a model read from this file makes them again */
	if (fclose(out) == 0)
		return text;
	free(text);
	return NULL;
}

/* ---- the export ---- */

static bool prepare(struct api_long_answer *answer)
{
	struct resource_export *export = export_of(answer);
	const struct model *served = resources_model(answer->resources);

	export->resources = answer->resources;
	/* Composed again, because the served model has addresses that no file gives. */
	export->given = model_compose(served->declared, served->parts.items, served->parts.count);
	if (export->given)
		homes_keep(export->given, served);
	if (answer->type) {
		export->tail = made_text(served);
	} else {
		export->edits = json_array();
		for (size_t i = 0; i < KIND_COUNT; i++)
			if (!kinds[i].parent)
				add_edits(answer->resources, &kinds[i], served, NULL,
					  export->edits);
		export->edits = json_whole(export->edits);
		export->tail = edits_tail(served, answer->resources);
	}
	if (export->given && export->tail && (answer->type || export->edits))
		return true;
	api_fail_memory(answer->request);
	return false;
}

static char *write_json(struct resource_export *export, size_t *length)
{
	bool good;
	char *text;

	if (!json_writer_begin(&export->writer, ",\n", JSON_COMPACT))
		return NULL;
	good = write_edits(export);
	fputs(export->tail, export->writer.out);
	text = json_writer_end(&export->writer, length);
	if (good)
		return text;
	free(text);
	return NULL;
}

static char *write_configuration(struct resource_export *export, size_t *length)
{
	char *text = NULL;
	bool good;

	export->file = open_memstream(&text, length);
	if (!export->file)
		return NULL;
	good = write_file(export);
	fputs(export->tail, export->file);
	good = good && !ferror(export->file);
	if (fclose(export->file) == 0 && good)
		return text;
	free(text);
	return NULL;
}

static char *write_all(struct api_long_answer *answer, size_t *length)
{
	struct resource_export *export = export_of(answer);

	return answer->type ? write_configuration(export, length) : write_json(export, length);
}

static void export_free(struct api_long_answer *answer)
{
	struct resource_export *export = export_of(answer);

	model_free(export->given);
	json_decref(export->edits);
	free(export->tail);
	free(export);
}

void api_export(struct api_request *request)
{
	const char *as = api_query(request, "as");
	bool as_file = as && strcmp(as, "libconfig") == 0;
	struct resource_export *export;

	if (as && !as_file && strcmp(as, "json") != 0) {
		api_fail_at(request, 400, "invalid", "as",
			    "\"%.32s\" does not fit; give json or libconfig", as);
		return;
	}
	export = calloc(1, sizeof *export);
	if (!export) {
		api_fail_memory(request);
		return;
	}
	export->answer =
		(struct api_long_answer){.request = request,
					 .type = as_file ? "text/plain; charset=utf-8" : NULL,
					 .prepare = prepare,
					 .write = write_all,
					 .free = export_free};
	api_answer_long(&export->answer);
}
