/* ARM's resource groups beyond what every type has (azure/resource.c): their list, in pages
 * (azure/page.h), and
 *
 *     DELETE   with all that is in it, all or nothing, in a thread; 200, which Azure's clients want
 *              to see. 409 where a file declares something of it, or what is elsewhere needs it
 *
 * Addresses that the file declares in no group are shown in the group "-", which can only be
 * emptied. There are no locks and no managedBy. */
#include <strings.h>

#include "resolver/control/api/azure/api_arm.h"
#include "resolver/control/api/azure/page.h"
#include "resolver/control/api/azure/shown.h"
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

/* ---- lists ---- */

static json_t *group_json(struct api_request *request, const struct resource_group *group)
{
	struct arm_shown shown;
	json_t *body;

	arm_show_group(request, group, &shown);
	body = arm_print(&shown);
	arm_shown_release(&shown);
	return body;
}

/* By name; the one that stands for no group comes first. */
static json_t *page_json(const struct arm_page *page, const struct resource_group *groups,
			 size_t count, const char **last)
{
	struct api_request *request = page->request;
	struct resource_group ungrouped;
	json_t *array = json_array();
	const char *shown = NULL;

	*last = NULL;
	if (!page->behind && arm_find_ungrouped(api_inventory(request), &ungrouped) &&
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

/* ---- removal ---- */

static bool find_in(const struct api_request *request, struct inventory *inventory,
		    struct resource_group *group)
{
	const char *name = api_group(request);

	return name ? inventory_group(inventory, name, group)
		    : arm_find_ungrouped(inventory, group);
}

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
	const struct model *served = inventory_model(api_inventory(removal->request));
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
	char text[API_OWNED_TEXT_MAX];

	if (err == ERR_INVALID) {
		api_fail_change(request, &change->error);
	} else if (err) {
		api_fail_faults(request, 409, "ResourceGroupDeletionBlocked", faults);
	} else {
		snprintf(text, sizeof text, "resource group %s, with all that was in it",
			 api_parameter(request, "group"));
		api_log_change(request, "removed", text);
		api_arm_say_revision(request);
		api_reply_empty(request, 200);
	}
	removal_free(removal);
}

void api_group_delete(struct api_request *request)
{
	struct resource_group group;
	struct removal *removal;

	if (!api_arm_begin(request))
		return;
	if (!find_in(request, api_inventory(request), &group)) {
		if (!api_could_not_read(request))
			api_fail(request, 404, "ResourceGroupNotFound",
				 "Resource group '%s' could not be found.",
				 api_parameter(request, "group"));
		return;
	}
	removal = calloc(1, sizeof *removal);
	if (!removal) {
		api_fail_memory(request);
		return;
	}
	removal->request = request;
	if (api_group(request))
		group_each_item(inventory_model(api_inventory(request)), add_removal, removal);
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
