/* ARM's resource groups (inventory.h):
 *
 *     GET      all, in pages (azure/page.h); one; HEAD: 204, or 404
 *     PUT      {"location", "tags"}: made, or its tags replaced; the location cannot change
 *     PATCH    {"tags"}
 *     DELETE   with all that is in it, all or nothing, in a thread; 200, which Azure's clients want
 *              to see. 409 where a file declares something of it, or what is elsewhere needs it
 *
 * Addresses that the file declares in no group are shown in the group "-", which can only be
 * emptied. There are no locks and no managedBy. */
#include <strings.h>

#include "resolver/control/api/azure/api_arm.h"
#include "resolver/control/api/azure/page.h"
#include "resolver/control/api/edit.h"
#include "resolver/control/api/item.h"
#include "resolver/control/api/precondition.h"
#include "resolver/control/api/reverse.h"
#include "resolver/control/base/json.h"
#include "resolver/control/resource/change.h"
#include "resolver/control/resource/ownership.h"
#include "resolver/control/resource/part.h"
#include "resolver/control/resource/values.h"
#include "resolver/control/service/service.h"
#include "rules/array.h"
#include "rules/check/limits.h"

/* ---- showing ---- */

static const char *location_of(const struct resource_group *group)
{
	return group->region ? group->region : "global";
}

static json_t *group_json(const struct api_request *request, const struct resource_group *group)
{
	char path[1024];
	snprintf(path, sizeof path, "/subscriptions/%s/resourceGroups/%s",
		 ownership_subscription(api_inventory(request), NULL), group->name);
	return json_make("{s:o, s:o, s:s, s:o, s:o, s:{s:s}}", "id", json_text(path), "name",
			 json_text(group->name), "type", "Microsoft.Resources/resourceGroups",
			 "location", json_text(location_of(group)), "tags",
			 values_print_tags(group->tags.items, group->tags.count), "properties",
			 "provisioningState", "Succeeded");
}

static void answer(struct api_request *request, unsigned status, const struct resource_group *group)
{
	char etag[ETAG_MAX];
	api_reply_json(request, status, group_json(request, group), group_etag(group, etag));
}

/* The group "-", of the addresses without one; false: there are none. */
static bool find_ungrouped(struct inventory *inventory, struct resource_group *group)
{
	const struct owned_resource *any;
	*group = (struct resource_group){
		.name = GROUP_NONE,
		.region = inventory_model(inventory)->region,
	};
	return inventory_group_after(inventory, NULL, NULL, &any, 1) > 0;
}

static bool find_in(const struct api_request *request, struct inventory *inventory,
		    struct resource_group *group)
{
	const char *name = api_group(request);
	return name ? inventory_group(inventory, name, group) : find_ungrouped(inventory, group);
}

static bool find(const struct api_request *request, struct resource_group *group)
{
	return find_in(request, api_inventory(request), group);
}

/* By name; the one that stands for no group comes first. */
static json_t *page_json(const struct arm_page *page, const struct resource_group *groups,
			 size_t count, const char **last)
{
	const struct api_request *request = page->request;
	struct resource_group ungrouped;
	json_t *array = json_array();
	const char *shown = NULL;
	*last = NULL;
	if (!page->behind && find_ungrouped(api_inventory(request), &ungrouped) &&
	    arm_page_takes(page, NULL, 0)) {
		json_add(array, group_json(request, &ungrouped));
		shown = GROUP_NONE;
	}
	for (size_t i = 0; i < count; i++) {
		if (page->behind && strcmp(page->behind, GROUP_NONE) != 0 &&
		    strcasecmp(groups[i].name, page->behind) <= 0)
			continue;
		if (!arm_page_takes(page, groups[i].tags.items, groups[i].tags.count))
			continue;
		if (json_array_size(array) == page->room) {
			*last = shown;
			break;
		}
		json_add(array, group_json(request, &groups[i]));
		shown = groups[i].name;
	}
	return array;
}

void api_groups_list(struct api_request *request)
{
	size_t count;
	struct arm_page page;
	const char *last = NULL;
	if (!api_arm_begin(request) || !arm_page_begin(&page, request, true))
		return;
	struct resource_group *groups = inventory_groups(api_inventory(request), &count);
	json_t *array = groups ? page_json(&page, groups, count, &last) : NULL;
	if (api_could_not_read(request))
		json_decref(array);
	else
		arm_page_answer(&page, array, last);
	free(groups);
}

/* False: there is no such group, or the request does not fit, and that has been answered. */
static bool find_asked(struct api_request *request, struct resource_group *group)
{
	if (!api_arm_begin(request))
		return false;
	if (find(request, group))
		return true;
	if (api_could_not_read(request))
		return false;
	api_fail(request, 404, "ResourceGroupNotFound", "Resource group '%s' could not be found.",
		 api_parameter(request, "group"));
	return false;
}

void api_group_show(struct api_request *request)
{
	struct resource_group group;
	if (find_asked(request, &group))
		answer(request, 200, &group);
}

/* HEAD: clients take only 204 for yes. */
void api_group_exists(struct api_request *request)
{
	struct resource_group group;
	if (find_asked(request, &group))
		api_reply_empty(request, 204);
}

/* ---- changing ---- */

struct group_put {
	struct api_edit edit; /* first */
	bool whole;           /* with a location */
	bool created;
	char location[API_LOCATION_MAX];
};

/* False: no group can have this name, and that has been answered. */
static bool check_name(struct api_request *request)
{
	const char *name = api_group(request);
	if (!name) {
		api_fail(request, 409, "ResourceReadOnly",
			 "'%s' stands for the addresses without a group, and cannot be changed",
			 GROUP_NONE);
		return false;
	}
	if (!group_name_refusal(name))
		return true;
	api_fail(request, 400, "InvalidResourceGroup",
		 "The resource group name '%s' does not fit; give 1 to 90 letters, digits and any "
		 "of _().-, not ending in a dot",
		 name);
	return false;
}

static void log_done(const struct api_request *request, const char *done, const char *more)
{
	char text[API_OWNED_TEXT_MAX];

	snprintf(text, sizeof text, "resource group %s%s", api_parameter(request, "group"), more);
	api_log_change(request, done, text);
}

static bool require(struct api_request *request, const struct resource_group *group)
{
	char etag[ETAG_MAX];

	return api_require(request, group ? group_etag(group, etag) : NULL);
}

/* What the body wants, which has been checked. A group keeps its location. */
static bool read_put(struct api_edit *edit, struct path *path, json_t **values)
{
	struct api_request *request = edit->request;
	struct group_put *put = (struct group_put *)edit;
	struct resource_group group;
	const json_t *tags = json_object_get(request->body, "tags");
	bool there = find(request, &group);

	if (!there && api_could_not_read(request))
		return false;
	if (there && put->whole && strcasecmp(location_of(&group), put->location) != 0) {
		api_fail_at(request, 409, "InvalidResourceGroupLocation", "location",
			    "Invalid resource group location '%s'. The Resource group already "
			    "exists in location '%s'.",
			    put->location, location_of(&group));
		return false;
	}
	if (!require(request, there ? &group : NULL))
		return false;
	put->created = !there;
	*path = (struct path){
		kind_of_id(KIND_GROUP), GROUP_NONE, {api_parameter(request, "group"), NULL}};
	*values =
		json_make("{s:o, s:o}", "region", json_text(there ? group.region : put->location),
			  "tags", json_object_size(tags) > 0 ? json_deep_copy(tags) : json_null());
	return true;
}

static void answer_put(struct api_edit *edit, const struct api_made *made)
{
	struct api_request *request = edit->request;
	bool created = ((struct group_put *)edit)->created;
	struct resource_group group;

	(void)made;
	log_done(request, created ? "made" : "changed", "");
	if (find(request, &group))
		answer(request, created ? 201 : 200, &group);
	else if (!api_could_not_read(request))
		api_fail_memory(request);
}

static void put_free(struct api_edit *edit)
{
	free((struct group_put *)edit);
}

/* location NULL: of a PATCH, which has none. */
static void put(struct api_request *request, const char *location)
{
	static const struct api_editor editor = {
		.read = read_put, .answer = answer_put, .free = put_free};
	struct group_put *put = calloc(1, sizeof *put);

	if (!put) {
		api_fail_memory(request);
		return;
	}
	put->edit = (struct api_edit){.editor = &editor, .request = request};
	put->whole = location;
	snprintf(put->location, sizeof put->location, "%s", location ? location : "");
	api_edit(&put->edit);
}

void api_group_put(struct api_request *request)
{
	char location[API_LOCATION_MAX];
	if (!api_arm_begin(request) || !check_name(request))
		return;
	if (!json_is_object(request->body)) {
		api_arm_fail(request, "", "must be a JSON object");
		return;
	}
	if (api_arm_read_location(request, location) && api_arm_check_tags(request))
		put(request, location);
}

void api_group_patch(struct api_request *request)
{
	struct resource_group group;
	if (find_asked(request, &group) && check_name(request) && api_arm_check_patch(request))
		put(request, NULL);
}

/* ---- and the end ---- */

/* A group that goes, with all that is in it. */
struct removal {
	struct api_request *request;
	struct service_edit *edits; /* of what is part of a model; addresses are found later */
	size_t count, room;
	bool no_memory;
	struct change_error refused; /* CHANGE_FINE: nothing in it is read-only */
};

static void removal_free(struct removal *removal)
{
	free(removal->edits);
	free(removal);
}

static void add_removal(void *context, const struct kind *kind, const void *item)
{
	struct removal *removal = context;
	const struct model *served = removal->request->service->server.model;
	const struct path path = part_path(kind, item, NULL);
	struct service_edit *edits;

	if (strcasecmp(path.group, api_parameter(removal->request, "group")) != 0 ||
	    removal->refused.outcome != CHANGE_FINE || kind->inventory)
		return;
	if (!item_may_change(served, &path, item, true, &removal->refused))
		return;
	edits = array_grow(removal->edits, removal->count, &removal->room, sizeof *edits);
	if (!edits) {
		removal->no_memory = true;
		return;
	}
	removal->edits = edits;
	edits[removal->count++] = (struct service_edit){
		.path = {kind,
			 arena_strdup(&removal->request->arena, path.group),
			 {arena_strdup(&removal->request->arena, path.names[0]), NULL}}};
}

static int put_removal(void *context, struct change *change, struct inventory *inventory)
{
	const struct removal *removal = context;
	const struct api_request *request = removal->request;
	char etag[ETAG_MAX], text[PRECONDITION_TEXT_MAX];
	struct resource_group group;
	bool there = find_in(request, inventory, &group);

	if (precondition_check(there ? group_etag(&group, etag) : NULL, request->if_match,
			       request->if_none_match, text) != 0)
		return change_stale(change, text);
	return change_group_remove(change, api_group(request),
				   api_parameter(request, "subscription"));
}

static void on_removed(void *context, int err, const struct service_change *change,
		       const struct faults *faults)
{
	struct removal *removal = context;
	struct api_request *request = removal->request;

	if (err == ERR_INVALID) {
		api_fail_change(request, &change->error);
	} else if (err) {
		api_fail_faults(request, 409, "ResourceGroupDeletionBlocked", faults);
	} else {
		log_done(request, "removed", ", with all that was in it");
		api_reply_empty(request, 200);
	}
	removal_free(removal);
}

void api_group_delete(struct api_request *request)
{
	struct resource_group group;
	struct removal *removal;

	if (!find_asked(request, &group))
		return;
	removal = calloc(1, sizeof *removal);
	if (!removal) {
		api_fail_memory(request);
		return;
	}
	removal->request = request;
	if (api_group(request))
		group_each_item(request->service->server.model, add_removal, removal);
	struct service_change change = {.edits = removal->edits,
					.count = removal->count,
					.put = put_removal,
					.large = true,
					.who = request->client,
					.context = removal};

	if (removal->no_memory || removal->refused.outcome != CHANGE_FINE) {
		if (removal->no_memory)
			api_fail_memory(request);
		else
			api_fail_change(request, &removal->refused);
		removal_free(removal);
		return;
	}
	service_commit(request->service, &change, on_removed, removal);
}
