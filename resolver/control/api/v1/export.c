/* /v1/export: all resources but those that the model made by itself, as edits or as a configuration
 * file.
 *
 *     prepare (control thread)   collects items of the model: as edits, or as a model to be written
 *     write   (thread)           items of homes, groups, addresses, services, and the state's PTRs
 *                                of addresses of the file, page by page from a view
 *
 * The thread may write a million of them. PTRs that wait for their address to return are left out:
 * /v1/state has them. An address that is not served, because no pool has it any more, is a comment
 * in the file, which would not be valid with it. */
#include "resolver/control/api/item.h"
#include "resolver/control/api/long_answer.h"
#include "resolver/control/api/reverse.h"
#include "resolver/control/api/v1/api_v1.h"
#include "resolver/control/api/v1/resource.h"
#include "resolver/control/base/json.h"
#include "resolver/control/base/percent.h"
#include "resolver/control/base/report.h"
#include "resolver/control/config/write.h"
#include "resolver/control/resource/group.h"
#include "resolver/control/resource/home.h"
#include "resolver/control/resource/values.h"
#include "resolver/control/service/service.h"
#include "rules/base.h"
#include "rules/schema/schema.h"

struct resource_export {
	struct api_long_answer answer;
	struct model *given; /* a model of its own: the files with the parts of the state */
	json_t *edits;       /* of items of the model */
	char *tail;
	/* For the thread: */
	struct inventory *inventory;
	struct json_writer writer; /* of edits */
	FILE *file;                /* of a configuration file, instead of the writer */
	bool any;                  /* the present list of `file` has an item */
};

static struct resource_export *export_of(struct api_long_answer *answer)
{
	return container_of(answer, struct resource_export, answer);
}

/* ---- items of homes, groups and addresses ---- */

/* Calls back for each item of a model that has items of a home. ERR_NOMEM, or what `on_parent`
 * returns. */
static int each_parent(struct resource_export *export,
		       int (*on_parent)(struct resource_export *export, const struct kind *kind,
					void *parent))
{
	int err = 0;

	for (size_t i = 0; i < KIND_COUNT; i++) {
		const struct kind *kind = &kinds[i];
		struct schema_list parents;

		if (!kind->home)
			continue;
		parents = kind_list(kind->parent, export->given);
		for (size_t k = 0; !err && k < parents.count; k++)
			err = on_parent(export, kind,
					(char *)parents.items +
						k * kind_field(kind->parent)->group->size);
	}
	return err;
}

/* Finds the parent's items, in the arena; the caller frees page->items. False: they cannot be read.
 */
static bool list_items(struct resource_export *export, const struct kind *kind, const void *parent,
		       struct arena *arena, struct item_page *page)
{
	const struct path in = part_path(kind->parent, parent, NULL);
	const struct path path = {kind, in.group, {in.names[0], NULL}};
	const struct item_source source = {.inventory = export->inventory, .item = parent};
	struct change_error error;

	*page = (struct item_page){.limit = SIZE_MAX - 1};
	if (item_list(&source, &path, page, arena, &error) == 0)
		return true;
	if (error.outcome != CHANGE_NO_MEMORY)
		snprintf(export->answer.why, sizeof export->answer.why, "%s", error.text);
	return false;
}

/* ---- as edits ---- */

static json_t *edit_object(const char *url, json_t *values, json_t *origin)
{
	return json_make("{s:s, s:o, s:o}", "path", url, "values", values, "origin", origin);
}

static json_t *item_edit(const struct model *model, const struct path *path, const void *item)
{
	char text[PATH_URL_MAX];

	return edit_object(path_url(path, text), resource_given(model, path, item),
			   resource_origin(item));
}

/* Takes ownership of the values. `group` NULL: the kind's path has no group. */
static void write_owned_edit(struct resource_export *export, unsigned kind, const char *group,
			     const char *name, json_t *values, const struct origin *origin)
{
	char url[PATH_URL_MAX], first[PATH_MAX_BYTES], second[PATH_MAX_BYTES];

	snprintf(url, sizeof url, "%s/%s%s%s", kind_of_id(kind)->collection,
		 group ? percent_encode(first, sizeof first, group) : "", group ? "/" : "",
		 percent_encode(second, sizeof second, name));
	json_writer_row(&export->writer, edit_object(url, values, values_print_origin(origin)));
}

static int write_resource_edit(void *context, const struct owned_resource *resource)
{
	static const struct origin state;
	struct resource_export *export = context;
	const char *group =
		resource->item.resource_group ? resource->item.resource_group : GROUP_NONE;
	char refusal[POOLS_TEXT_MAX];

	if (inventory_refusal(export->inventory, resource, refusal))
		return 0;
	write_owned_edit(export, resource->kind->id,
			 owned_is_service(resource) ? GROUP_NONE : group, resource->item.name,
			 owned_values(resource), &resource->item.origin);
	if (owned_has_ptr_of_state(resource))
		write_owned_edit(export, KIND_PTR, NULL, resource->item.id,
				 owned_ptr_values(resource), &state);
	return 0;
}

static int write_item_edits(struct resource_export *export, const struct kind *kind, void *parent)
{
	const struct path in = part_path(kind->parent, parent, NULL);
	const struct model *model = inventory_model(export->inventory);
	struct item_page page;
	struct arena arena;

	if (item_made_because(model, &in))
		return 0;
	arena_init(&arena);
	if (!list_items(export, kind, parent, &arena, &page))
		json_writer_fail(&export->writer);
	for (size_t i = 0; !json_writer_has_failed(&export->writer) && i < page.count; i++) {
		const struct path path = part_path(kind, page.items[i], &in);

		json_writer_row(&export->writer, item_edit(model, &path, page.items[i]));
	}
	free(page.items);
	arena_release(&arena);
	return 0;
}

static int write_group_edits(struct resource_export *export)
{
	size_t count;
	struct resource_group *groups = groups_list(export->inventory, &count);

	for (size_t i = 0; groups && i < count; i++)
		write_owned_edit(export, KIND_GROUP, GROUP_NONE, groups[i].name,
				 group_values(&groups[i]), &groups[i].origin);
	free(groups);
	return groups ? 0 : ERR_NOMEM;
}

static int write_edits(struct resource_export *export)
{
	int err;

	json_writer_list(&export->writer, "{\"edits\":[");
	for (size_t i = 0; i < json_array_size(export->edits); i++)
		json_writer_row(&export->writer, json_incref(json_array_get(export->edits, i)));
	err = each_parent(export, write_item_edits);
	if (!err)
		err = write_group_edits(export);
	if (!err)
		err = inventory_each(export->inventory, KIND_ADDRESS, write_resource_edit, export);
	return err ? err
		   : inventory_each(export->inventory, KIND_SERVICE, write_resource_edit, export);
}

static void add_edits(const struct model *served, const struct kind *kind, const void *in,
		      const struct path *parent, json_t *edits)
{
	size_t size = kind_field(kind)->group->size;
	struct schema_list items = kind_list(kind, in);

	for (size_t i = 0; !kind->home && i < items.count; i++) {
		const char *item = (const char *)items.items + i * size;
		const struct path path = part_path(kind, item, parent);

		if (item_made_because(served, &path))
			continue;
		json_add(edits, item_edit(served, &path, item));
		for (size_t k = 0; k < KIND_COUNT; k++)
			if (kinds[k].parent == kind)
				add_edits(served, &kinds[k], item, &path, edits);
	}
}

/* The members behind the edits: `made`, the settings of the file, and, if there is a state, its
 * revision. */
static char *edits_tail(const struct model *served, struct inventory *view)
{
	struct source *source = inventory_store(view)->source;
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
	struct item_page page;
	char *copies;

	if (kind->home->refusal(parent))
		return 0;
	if (!list_items(export, kind, parent, &given->arena, &page))
		return ERR_NOMEM;
	copies = arena_alloc_array(&given->arena, page.count, list->group->size);
	for (size_t i = 0; copies && i < page.count; i++)
		memcpy(copies + i * list->group->size, page.items[i], list->group->size);
	free(page.items);
	if (!copies)
		return ERR_NOMEM;
	schema_list_set(list, parent, (struct schema_list){copies, page.count});
	return 0;
}

static int write_resource_item(void *context, const struct owned_resource *resource)
{
	struct resource_export *export = context;
	const struct field *list = kind_field(resource->kind);
	char refusal[POOLS_TEXT_MAX];

	if (inventory_refusal(export->inventory, resource, refusal)) {
		fprintf(export->file, "# %s \"%s\" is not served: %s\n", resource->kind->name,
			resource->item.name, refusal);
		return 0;
	}
	if (export->any)
		fputs(",\n", export->file);
	else
		fprintf(export->file, "%s = (\n", list->key);
	export->any = true;
	config_item_write(list->group, &resource->item, export->file);
	return 0;
}

static int write_list(struct resource_export *export, unsigned kind)
{
	int err;

	export->any = false;
	err = inventory_each(export->inventory, kind, write_resource_item, export);
	if (export->any)
		fputs("\n);\n", export->file);
	return err;
}

static int write_file(struct resource_export *export)
{
	struct model *given = export->given;
	int err = each_parent(export, add_items);

	given->addresses.count = given->cloud_services.count = 0; /* write_list writes these */
	if (!err)
		err = config_file_write(given, export->file);
	if (!err)
		err = write_list(export, KIND_ADDRESS);
	return err ? err : write_list(export, KIND_SERVICE);
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
	const struct model *served = answer->request->service->server.model;

	export->inventory = answer->inventory;
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
				add_edits(served, &kinds[i], served, NULL, export->edits);
		export->edits = json_whole(export->edits);
		export->tail = edits_tail(served, answer->inventory);
	}
	if (export->given && export->tail && (answer->type || export->edits))
		return true;
	api_fail_memory(answer->request);
	return false;
}

static char *write_json(struct resource_export *export, size_t *length)
{
	char *text;
	int err;

	if (!json_writer_begin(&export->writer, ",\n", JSON_COMPACT))
		return NULL;
	err = write_edits(export);
	fputs(export->tail, export->writer.out);
	text = json_writer_end(&export->writer, length);
	if (!err)
		return text;
	free(text);
	return NULL;
}

static char *write_configuration(struct resource_export *export, size_t *length)
{
	char *text = NULL;
	int err;

	export->file = open_memstream(&text, length);
	if (!export->file)
		return NULL;
	err = write_file(export);
	fputs(export->tail, export->file);
	if (ferror(export->file))
		err = ERR_NOMEM;
	if (fclose(export->file) != 0)
		err = ERR_NOMEM;
	if (!err)
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
