#include "resolver/control/api/azure/put.h"

#include <string.h>

#include "resolver/control/api/azure/faults.h"
#include "resolver/control/api/edit.h"
#include "resolver/control/api/item.h"
#include "resolver/control/base/json.h"
#include "resolver/control/resource/values.h"
#include "rules/schema/schema.h"

/* Gives the values of a new resource its name and its group, which only the path says. */
static void put_names(const struct path *path, json_t *values)
{
	json_put(values, kind_name_key(path->kind), json_text(path_name(path)));
	if (!path->kind->parent && path->kind->id != KIND_GROUP &&
	    strcmp(path->group, GROUP_NONE) != 0)
		json_put(values, "resource_group", json_text(path->group));
}

static void drop_missing(struct faults *faults)
{
	size_t kept = 0;

	for (size_t i = 0; i < faults->count; i++)
		if (strncmp(faults->items[i].text, FAULT_MISSING, strlen(FAULT_MISSING)) != 0)
			faults->items[kept++] = faults->items[i];
	faults->count = kept;
}

/* Beside the errors of Azure's form adds those of the field table, so that the client sees all of
 * them at once. Missing members have an error already, or would have been chosen. */
static void check_fields(struct arm_putting *putting, const json_t *values)
{
	struct api_edit *edit = putting->edit;
	struct arena *arena = &edit->request->arena;
	const struct path *path = putting->path;
	const struct origin origin = {.path = path_text(path, arena)};
	void *item = arena_alloc(arena, kind_field(path->kind)->group->size);
	struct arm_errors more = {.request = edit->request};
	struct faults faults;

	if (!item || !origin.path)
		return;
	edit->edits[0].path = *path; /* whose body the faults are about */
	faults_init(&faults);
	values_read(path->kind, values, item, &origin, arena, &faults);
	drop_missing(&faults);
	arm_tell_faults(edit, putting->type, &faults, &more);
	arm_errors_add(putting->errors, &more);
	arm_errors_release(&more);
	faults_release(&faults);
}

static void check_may_change(const struct arm_putting *putting)
{
	const struct path *path = putting->path;
	const struct model *model = api_model(putting->edit->request);
	struct change_error error;

	if (path->kind && !path->kind->inventory &&
	    !item_may_change(model, path, putting->there ? putting->there->item : NULL, false,
			     &error))
		arm_error(putting->errors, 409, "ResourceReadOnly", NULL, "%s", error.text);
}

bool arm_read_put(struct arm_putting *putting)
{
	struct arm_errors *errors = putting->errors;
	const struct arm_shown *there = putting->there;
	struct change_error error = {.outcome = CHANGE_FINE};
	const struct path path = *putting->path;
	struct arm_reading reading = {.request = putting->edit->request,
				      .edit = putting->edit,
				      .type = putting->type,
				      .path = &path,
				      .place = "",
				      .body = putting->body,
				      .merges = putting->merges,
				      .to = putting->path,
				      .stays = putting->stays,
				      .context = putting->context,
				      .errors = errors};
	json_t *base = there ? arm_base(there, &error) : NULL;

	if (there && !base) {
		arm_error(errors, 503, "StoreFailed", NULL, "%s", error.text);
		return false;
	}
	reading.base = base;
	reading.shown = there ? arm_print(there) : NULL;
	if (!json_is_object(reading.body))
		arm_misfit(errors, "", "must be a JSON object");
	else if (errors->status == 0)
		arm_read_body(&reading);
	if (!there && reading.values)
		put_names(putting->path, reading.values);
	if (errors->status != 0 && reading.values)
		check_fields(putting, reading.values);
	if (errors->status == 0 && there && !there->is_implied && json_equal(reading.values, base))
		putting->path->kind = NULL;
	if (errors->status == 0)
		check_may_change(putting);
	putting->values = reading.values;
	json_decref(reading.shown);
	json_decref(base);
	if (errors->status == 0)
		return true;
	json_decref(putting->values);
	putting->values = NULL;
	return false;
}
