/* What /v1/export has of the inventory, behind what resource.c has written of the model: groups,
 * addresses, services, and the PTRs that the state gives to what the file declares.
 *
 * There may be a million, so a thread writes them, page by page, of an inventory_aside, while
 * changes wait (work.h). What it has made is in memory as text, and nothing else of it is. PTRs
 * that wait for the return of their owner are not among them: /v1/state has them. */
#include "resolver/control/api/reverse.h"
#include "resolver/control/api/v1/resource.h"
#include "resolver/control/base/json.h"
#include "resolver/control/base/percent.h"
#include "resolver/control/config/write.h"
#include "resolver/control/service/service.h"
#include "rules/schema/schema.h"

struct resource_export {
	struct api_request *request;
	struct inventory *inventory;
	bool as_file;
	char *text;
	size_t length;
	FILE *out;
	char *tail;
	bool any; /* behind which a comma is due */
	bool failed;
};

/* ---- as edits ---- */

/* Takes the values over. `group` NULL: the kind has none in its path. */
static void write_edit(struct resource_export *export, unsigned kind, const char *group,
		       const char *name, json_t *values, const struct origin *origin)
{
	char path[PATH_URL_MAX], first[PATH_MAX_BYTES], second[PATH_MAX_BYTES], place[600];
	json_t *edit;

	snprintf(path, sizeof path, "%s/%s%s%s", kind_of_id(kind)->collection,
		 group ? percent_encode(first, sizeof first, group) : "", group ? "/" : "",
		 percent_encode(second, sizeof second, name));
	snprintf(place, sizeof place, "%s:%u", origin->file ? origin->file : "", origin->line);
	edit = json_whole(json_make("{s:o, s:o, s:o}", "path", json_text(path), "values", values,
				    "origin", json_text(origin->file ? place : NULL)));
	fputs(export->any ? ",\n" : "", export->out);
	export->any = true;
	if (!edit || json_dumpf(edit, export->out, JSON_COMPACT) != 0)
		export->failed = true;
	json_decref(edit);
}

static int write_owner_edit(void *context, const struct owner *owner)
{
	static const struct origin state;
	struct resource_export *export = context;
	const char *group = owner->resource_group ? owner->resource_group : GROUP_NONE;
	json_t *ptr;

	write_edit(export, owner_kind_id(owner->kind),
		   owner->kind == OWNER_SERVICE ? GROUP_NONE : group, owner->name,
		   owner_whole_object(owner), &owner->origin);
	if (!owner_has_ptr_of_state(owner))
		return 0;
	ptr = owner_ptr_object(owner);
	json_object_del(ptr, "owner"); /* is its path */
	write_edit(export, KIND_PTR, NULL, owner->id, ptr, &state);
	return 0;
}

static int write_edits(struct resource_export *export)
{
	size_t count;
	struct resource_group *groups = inventory_groups(export->inventory, &count);
	int err = groups ? 0 : ERR_NOMEM;

	for (size_t i = 0; groups && i < count; i++)
		write_edit(export, KIND_GROUP, GROUP_NONE, groups[i].name, group_object(&groups[i]),
			   &groups[i].origin);
	free(groups);
	if (!err)
		err = inventory_each(export->inventory, OWNER_ADDRESS, write_owner_edit, export);
	return err ? err
		   : inventory_each(export->inventory, OWNER_SERVICE, write_owner_edit, export);
}

/* ---- as a file ---- */

static int write_owner_item(void *context, const struct owner *owner)
{
	struct resource_export *export = context;
	const char *list = owner->kind == OWNER_SERVICE ? "cloud_services" : "addresses";
	const struct group *group = schema_field(&schema_model, list)->group;
	struct owned_address address;
	struct cloud_service service;
	struct arena arena;
	bool is_service = owner->kind == OWNER_SERVICE;
	int err;

	arena_init(&arena);
	err = is_service ? owner_to_service(owner, &service, &arena)
			 : owner_to_address(owner, &address, &arena);
	if (!err && export->any)
		fputs(",\n", export->out);
	else if (!err)
		fprintf(export->out, "%s = (\n", list);
	export->any = true;
	if (!err)
		config_item_write(group, is_service ? (void *)&service : (void *)&address,
				  export->out);
	arena_release(&arena);
	return err;
}

static int write_list(struct resource_export *export, enum owner_kind kind)
{
	int err;

	export->any = false;
	err = inventory_each(export->inventory, kind, write_owner_item, export);
	if (export->any)
		fputs("\n);\n", export->out);
	return err;
}

/* ---- all of it ---- */

static void write_all(void *context) /* in a thread of its own */
{
	struct resource_export *export = context;
	int err;

	if (!export->as_file)
		err = write_edits(export);
	else if (!(err = write_list(export, OWNER_ADDRESS)))
		err = write_list(export, OWNER_SERVICE);
	fputs(export->tail, export->out);
	export->failed = export->failed || err || inventory_trouble(export->inventory);
}

/* Ends the work, too. */
static void answer(void *context)
{
	struct resource_export *export = context;
	struct api_request *request = export->request;
	struct work *work = &request->service->work;
	const char *trouble = export->inventory ? inventory_trouble(export->inventory) : NULL;
	bool fine = export->out && !ferror(export->out) && !export->failed;

	if (export->out && fclose(export->out) != 0)
		fine = false;
	if (fine) {
		api_reply_text(request, export->as_file ? "text/plain; charset=utf-8" : NULL,
			       export->text, export->length);
		export->text = NULL;
	} else if (trouble) {
		api_fail(request, 503, "store_failed", "%s", trouble);
	} else {
		api_fail_memory(request);
	}
	inventory_aside_free(export->inventory);
	free(export->text);
	free(export->tail);
	free(export);
	work_end(work);
}

void resource_export_inventory(struct api_request *request, bool as_file, bool any, char *head,
			       char *tail)
{
	struct resource_export *export = calloc(1, sizeof *export);

	if (!export || !head || !tail || !api_work_begin(request, export)) {
		if (!export || !head || !tail)
			api_fail_memory(request);
		free(export);
		free(head);
		free(tail);
		return;
	}
	*export = (struct resource_export){
		.request = request, .as_file = as_file, .any = any, .tail = tail, .failed = true};
	export->out = open_memstream(&export->text, &export->length);
	export->inventory = inventory_aside(api_inventory(request));
	if (export->out)
		fputs(head, export->out);
	free(head);
	export->failed = !export->out || !export->inventory;
	if (export->failed || work_in_thread(&request->service->work, write_all, answer) != 0) {
		export->failed = true;
		answer(export);
	}
}
