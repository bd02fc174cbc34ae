#include "resolver/control/api/azure/put.h"

#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "resolver/control/api/azure/asked.h"
#include "resolver/control/api/azure/faults.h"
#include "resolver/control/api/azure/hooks.h"
#include "resolver/control/api/azure/particular.h"
#include "resolver/control/api/edit.h"
#include "resolver/control/api/reverse.h"
#include "resolver/control/base/json.h"
#include "resolver/control/resource/group.h"
#include "resolver/control/resource/item.h"
#include "resolver/control/resource/part.h"
#include "resolver/control/resource/values.h"
#include "rules/schema/schema.h"
#include "rules/text.h"

/* ---- ids ---- */

/* False: the id is of another type, or of no resource; an error was added. */
static bool find_referred(struct arm_reading *reading, const struct arm_type *of,
			  const char *target, const char *id, struct path *to)
{
	struct api_request *request = reading->request;
	const struct arm_type *type;
	char own[ARM_ID_MAX];
	const void *item;

	if (arm_id_read(request, id, &type, to) != 0 || type != of || *path_name(to) == '\0') {
		arm_misfit_id(reading, of, target, id);
		return false;
	}
	item = part_find(api_model(request), to);
	if (item) {
		*to = arm_spelled(request, to, item);
		return true;
	}
	arm_error(reading->errors, 400, "InvalidResourceReference", target,
		  "Resource %s referenced by resource %s was not found. Please make sure that the "
		  "referenced resource exists, and that both resources are in the same region.",
		  id, arm_id(request, reading->path, own));
	return false;
}

/* An endpoint refers to a subnet by its name alone; the subnet is in the network of its resolver.
 */
static json_t *refer_to_subnet(struct arm_reading *reading, const char *target, const char *id)
{
	struct path to, network;
	char own[ARM_ID_MAX];

	if (!arm_network_of(reading->request, reading->path, &network) ||
	    !find_referred(reading, arm_type_of_kind(KIND_SUBNET), target, id, &to))
		return NULL;
	if (strcasecmp(network.group, to.group) == 0 &&
	    strcasecmp(network.names[0], to.names[0]) == 0)
		return json_text(path_name(&to));
	arm_misfit(reading->errors, target,
		   "the subnet is not in the resolver's network; give one of %s",
		   arm_id(reading->request, &network, own));
	return NULL;
}

static json_t *refer(struct arm_reading *reading, const struct arm_member *member,
		     const char *target, const char *id)
{
	struct path to;

	if (member->form == ARM_SUBNET)
		return refer_to_subnet(reading, target, id);
	if (!find_referred(reading, arm_type_named(member->of), target, id, &to))
		return NULL;
	return to.kind->parent ? json_sprintf("%s/%s/%s", to.group, to.names[0], to.names[1])
			       : json_sprintf("%s/%s", to.group, to.names[0]);
}

json_t *arm_read_base(const struct arm_shown *shown, struct arm_errors *errors)
{
	struct change_error error = {.outcome = CHANGE_FINE};
	json_t *base = arm_base(shown, &error);
	char name[NAME_TEXT_MAX];

	if (!base)
		arm_error(errors, 503, "StoreFailed", NULL, "%s: %s", arm_name(&shown->path, name),
			  error.text);
	return base;
}

/* ---- resources inside the body ---- */

struct children { /* the resources in an array of a body */
	struct arm_reading *reading;
	json_t *by_name; /* by names in lower case; the first of each name */
};

static json_t *child_named(const struct children *children, const char *name)
{
	char *key = arena_strdup(&children->reading->request->arena, name);

	return key ? json_object_get(children->by_name, text_lower(key)) : NULL;
}

static json_t *children_by_name(struct arm_reading *reading, const json_t *array)
{
	json_t *by_name = json_object(), *item;
	size_t i;

	json_array_foreach(array, i, item)
	{
		const char *name = json_string_value(arm_get(item, "name"));
		char *key = name ? arena_strdup(&reading->request->arena, name) : NULL;

		if (key && !json_object_get(by_name, text_lower(key)))
			json_put(by_name, key, json_incref(item));
	}
	return by_name;
}

void arm_add_edit(struct api_edit *edit, const struct path *path, json_t *values,
		  struct arm_errors *errors)
{
	if (path_name(path) && api_edit_also(edit, path, values) == 0)
		return;
	if (!path_name(path))
		json_decref(values);
	arm_error(errors, 503, "OutOfMemory", NULL, "%s", err_text(ERR_NOMEM));
}

static void change_child(struct arm_reading *reading, const struct path *path, const void *item,
			 json_t *values)
{
	struct change_error error;

	if (!item_may_change(api_model(reading->request), path, item, !values, &error)) {
		arm_error(reading->errors, 409, "ResourceReadOnly", reading->place, "%s: %s",
			  path_name(path), error.text);
		json_decref(values);
	} else {
		arm_add_edit(reading->edit, path, values, reading->errors);
	}
}

static void read_body(struct arm_reading *reading)
{
	arm_read_body(reading);
	if (arm_hooks_of(reading->type)->read)
		arm_hooks_of(reading->type)->read(reading);
}

static void read_child(struct arm_reading *outer, const struct arm_type *type, json_t *body,
		       const char *place, json_t *users)
{
	struct api_request *request = outer->request;
	const char *name = json_string_value(arm_get(body, "name"));
	const struct path path = {
		kind_of_id(type->kind),
		outer->path->group,
		{outer->path->names[0], arena_strdup(&request->arena, name ? name : "")}};
	struct arm_reading reading = {.reader = outer->reader,
				      .request = request,
				      .edit = outer->edit,
				      .type = type,
				      .path = &path,
				      .place = place,
				      .body = body,
				      .users = users,
				      .limits = outer->limits,
				      .errors = outer->errors};
	struct arm_shown shown = {.values = NULL};
	struct change_error error;
	char target[ARM_TARGET_MAX];
	json_t *base = NULL;

	if (!json_is_object(body) || !name || !*name) {
		arm_misfit(reading.errors, arm_target(&reading, "name", target),
			   "must be the name of a resource");
		return;
	}
	if (!path.names[1]) {
		arm_add_edit(outer->edit, &path, NULL, outer->errors);
		return;
	}
	if (arm_find_plain(request, type, &path, &shown, &error)) {
		reading.base = base = arm_read_base(&shown, outer->errors);
		if (!base) {
			arm_shown_release(&shown);
			return;
		}
		shown.users = json_incref(users);
		reading.shown = arm_print(&shown);
	}
	read_body(&reading);
	if (!json_equal(reading.values, base)) {
		if (!base)
			json_put(reading.values, "name", json_text(name));
		change_child(outer, &path, shown.item, json_incref(reading.values));
	}
	json_decref(reading.values);
	json_decref(reading.shown);
	json_decref(base);
	arm_shown_release(&shown);
}

static void remove_missing(void *context, struct arm_shown *child)
{
	const struct children *children = context;
	struct arm_reading *reading = children->reading;

	if (child_named(children, path_name(&child->path)) ||
	    (reading->stays && reading->stays(reading->context, child)) ||
	    arm_is_held(child, reading->errors))
		return;
	change_child(reading, &child->path, child->item, NULL);
}

/* Reads the array; present children that it leaves out are removed. */
static void read_children(struct arm_reading *reading, const struct arm_member *member,
			  const char *path, json_t *array)
{
	const struct arm_type *type = arm_type_named(member->of);
	char target[ARM_TARGET_MAX];
	struct children children = {reading, children_by_name(reading, array)};
	json_t *users = json_incref(reading->users), *item;
	struct arm_shown shown;
	struct change_error error;
	size_t i;

	if (!users && type->kind == KIND_SUBNET) /* once, because there may be thousands */
		users = arm_network_users(reading->request, reading->path);
	json_array_foreach(array, i, item)
	{
		const char *place = arena_printf(&reading->request->arena, "%s%s[%zu].",
						 reading->place, path, i);
		const char *name = json_string_value(arm_get(item, "name"));

		if (name && child_named(&children, name) != item) {
			snprintf(target, sizeof target, "%sname", place ? place : "");
			arm_misfit(reading->errors, target,
				   "\"%.80s\" occurs twice; give each name once", name);
			continue;
		}
		read_child(reading, type, item, place ? place : "", users);
	}
	if (reading->shown &&
	    arm_find_plain(reading->request, reading->type, reading->path, &shown, &error)) {
		shown.users = json_incref(users);
		arm_each_child(&shown, type, remove_missing, &children);
		arm_shown_release(&shown);
	}
	json_decref(users);
	json_decref(children.by_name);
}

static const struct arm_reader model_reader = {.refer = refer, .read_children = read_children};

/* ---- the resource ---- */

void arm_put_names(struct api_request *request, const struct path *path, json_t *values)
{
	struct resource_group group;

	json_put(values, kind_name_key(path->kind), json_text(path_name(path)));
	if (path->kind->parent || path->kind->id == KIND_GROUP ||
	    strcmp(path->group, GROUP_NONE) == 0)
		return;
	if (!group_find(api_resources(request), path->group, &group))
		group.name = path->group;
	json_put(values, "resource_group", json_text(group.name));
}

static void drop_missing(struct faults *faults)
{
	size_t kept = 0;

	for (size_t i = 0; i < faults->count; i++)
		if (strncmp(faults->items[i].text, FAULT_MISSING, strlen(FAULT_MISSING)) != 0)
			faults->items[kept++] = faults->items[i];
	faults->count = kept;
}

/* Adds the errors of the field table to those of Azure's form, so that the client sees all at once.
 * Missing members are skipped: they have an error already, or the server would choose a value. */
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
	edit->edits[0].path = *path; /* makes arm_tell_faults take the body for this resource */
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

	if (path->kind &&
	    !item_may_change(model, path, putting->there ? putting->there->item : NULL, false,
			     &error))
		arm_error(putting->errors, 409, "ResourceReadOnly", NULL, "%s", error.text);
}

bool arm_read_put(struct arm_putting *putting)
{
	struct arm_errors *errors = putting->errors;
	const struct arm_shown *there = putting->there;
	const struct path path = *putting->path;
	struct arm_reading reading = {.reader = &model_reader,
				      .request = putting->edit->request,
				      .edit = putting->edit,
				      .type = putting->type,
				      .path = &path,
				      .place = "",
				      .body = putting->body,
				      .merges = putting->merges,
				      .stays = putting->stays,
				      .context = putting->context,
				      .users = there ? there->users : NULL,
				      .limits = &api_model(putting->edit->request)->limits,
				      .errors = errors};
	json_t *base = there ? arm_read_base(there, errors) : NULL;

	if (there && !base)
		return false;
	reading.base = base;
	reading.shown = there ? arm_print(there) : NULL;
	if (!json_is_object(reading.body))
		arm_misfit(errors, "", "must be a JSON object");
	else if (errors->status == 0)
		read_body(&reading);
	if (!there && reading.values)
		arm_put_names(reading.request, putting->path, reading.values);
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
