/* Handlers that only resource groups need, beside those for all types (azure/resource.c): the list
 * of groups, in pages, and the removal of a group with all that is in it.
 *
 * A removal is one change, made in a thread. The answer is 200, as Azure's clients expect; it is
 * 409 if a file declares a resource of the group, or if another group needs one. The group "-"
 * stands for the addresses without a group, and can only be emptied. There are no locks and no
 * managedBy. */
#include <strings.h>

#include "resolver/control/api/azure/api_arm.h"
#include "resolver/control/api/azure/deployment_record.h"
#include "resolver/control/api/azure/errors.h"
#include "resolver/control/api/azure/hooks.h"
#include "resolver/control/api/azure/page.h"
#include "resolver/control/api/azure/shown.h"
#include "resolver/control/api/earlier.h"
#include "resolver/control/api/edit.h"
#include "resolver/control/api/precondition.h"
#include "resolver/control/api/reverse.h"
#include "resolver/control/base/json.h"
#include "resolver/control/resource/group.h"
#include "resolver/control/resource/item.h"
#include "resolver/control/resource/ownership.h"
#include "resolver/control/resource/part.h"
#include "resolver/control/resource/resources.h"
#include "resolver/control/resource/values.h"
#include "resolver/control/service/service.h"
#include "resolver/log.h"
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

/* False: the page is full. `shown`: the last group on it. */
static bool add_group(const struct arm_page *page, const struct resource_group *group,
		      json_t *array, const char **shown)
{
	json_t *row = group_json(page->request, group);
	bool takes = arm_filter_takes(&page->filter, row, group->name),
	     is_full = json_array_size(array) == page->room;

	if (takes && !is_full) {
		json_add(array, row);
		*shown = group->name;
	} else {
		json_decref(row);
	}
	return !takes || !is_full;
}

/* Lists groups by name; "-" comes first. */
static json_t *page_json(const struct arm_page *page, const struct resource_group *groups,
			 size_t count, const char **last)
{
	struct resource_group ungrouped;
	json_t *array = json_array();
	const char *shown = NULL;
	bool all = true;

	if (!page->behind && arm_find_ungrouped(api_resources(page->request), &ungrouped))
		(void)add_group(page, &ungrouped, array, &shown);
	for (size_t i = 0; all && i < count; i++)
		if (!page->behind || strcmp(page->behind, GROUP_NONE) == 0 ||
		    strcasecmp(groups[i].name, page->behind) > 0)
			all = add_group(page, &groups[i], array, &shown);
	*last = all ? NULL : shown;
	return array;
}

void api_groups_list(struct api_request *request)
{
	static const char *const names[] = {"tagName", "tagValue", NULL};
	size_t count;
	struct arm_page page;
	const char *last = NULL;

	if (!api_arm_begin(request) || !arm_page_begin(&page, request, names))
		return;
	struct resource_group *groups = groups_list(api_resources(request), &count);
	json_t *array = groups ? page_json(&page, groups, count, &last) : NULL;
	if (api_could_not_read(request))
		json_decref(array);
	else
		arm_page_answer(&page, array, last);
	free(groups);
}

/* ---- removal ---- */

static bool find_in(const struct api_request *request, struct resources *resources,
		    struct resource_group *group)
{
	const char *name = api_group(request);

	return name ? group_find(resources, name, group) : arm_find_ungrouped(resources, group);
}

/* the removal of a group with all that is in it */
struct removal {
	struct api_request *request;
	struct api_earlier edits;      /* of items of the model */
	struct group_removal owned;    /* of addresses, and the group's row */
	struct deployment_pairs pairs; /* remove the group's deployments */
	struct arm_errors errors;
};

static void removal_free(struct removal *removal)
{
	api_earlier_release(&removal->edits);
	group_removal_release(&removal->owned);
	deployment_pairs_release(&removal->pairs);
	arm_errors_release(&removal->errors);
	free(removal);
}

static void fail_removal_memory(struct removal *removal)
{
	arm_error(&removal->errors, 503, "OutOfMemory", NULL, "%s", err_text(ERR_NOMEM));
}

/* Adds the removal of a resource and of others that go with it, such as a private endpoint's
 * records in zones. Records in zones of this group are left out, because they go with their zones.
 */
static void add_edits(struct removal *removal, const struct path *path, const void *item)
{
	struct api_request *request = removal->request;
	struct api_edit edit = {.request = request, .earlier = &removal->edits};
	const struct arm_type *type = arm_type_of(path);
	struct arm_shown shown;

	if (api_edit_also(&edit, path, NULL) != 0)
		fail_removal_memory(removal);
	if (type && arm_hooks_of(type)->remove) {
		arm_show_plain(request, type, path, item, &shown);
		arm_hooks_of(type)->remove(&shown, &edit, &removal->errors);
		arm_shown_release(&shown);
	}
	for (size_t i = 0; i < edit.count; i++) {
		const struct resource_edit *one = &edit.edits[i];

		if (one->path.kind->id == KIND_RECORD_SET &&
		    strcasecmp(one->path.group, path->group) == 0)
			json_decref((json_t *)(uintptr_t)one->values);
		else if (!api_earlier_add(&removal->edits, one))
			fail_removal_memory(removal);
	}
	edit.count = 0;
	api_edit_release(&edit);
}

static void add_removal(void *context, const struct kind *kind, const void *item)
{
	struct removal *removal = context;
	struct api_request *request = removal->request;
	const struct path path = part_path(kind, item, NULL);
	struct change_error error;

	if (kind_is_beside(kind) || strcasecmp(path.group, api_parameter(request, "group")) != 0)
		return;
	if (!item_may_change(api_model(request), &path, item, true, &error))
		arm_error(&removal->errors, 409, "ResourceReadOnly", NULL, "%s: %s", path.names[0],
			  error.text);
	else
		add_edits(removal, &path, item);
}

/* Gives the edits of addresses, and of the group's row. */
static int more_of_removal(void *context, struct resources *resources, struct edit_page *page,
			   struct change_error *error)
{
	struct removal *removal = context;

	return group_removal_next(&removal->owned, resources, page, error);
}

/* Other changes wait until the removal is made, and the removal is refused if another program
 * writes to the state meanwhile. So the group does not change after this check. */
static int check_precondition(const struct api_request *request, struct resources *resources,
			      struct change_error *error)
{
	char etag[ETAG_MAX], text[PRECONDITION_TEXT_MAX];
	struct resource_group group;
	bool there;

	if (!change_source(resources_store(resources), error))
		return ERR_INVALID;
	there = find_in(request, resources, &group);
	if (resources_check_reads(resources, error) != 0)
		return ERR_INVALID;
	return precondition_check(there ? group_etag(&group, etag) : NULL, request->if_match,
				  request->if_none_match, text) == 0
		       ? 0
		       : change_say(error, CHANGE_STALE, NULL, "%s", text);
}

/* Reads the edits of the group's items, and the pairs of its deployments; in the thread, because
 * there may be very many. */
static int read_removal(void *context, struct resources *resources, struct service_change *change)
{
	struct removal *removal = context;
	struct api_request *request = removal->request;
	const char *group = api_group(request);
	struct change_error error;

	if (check_precondition(request, resources, &change->error) != 0)
		return ERR_INVALID;
	request->aside = resources;
	if (group) {
		group_each_item(resources_model(resources), add_removal, removal);
		if (deployment_pairs_drop(&removal->pairs, resources, group, NULL, &error) != 0)
			arm_error(&removal->errors, 503, "StoreFailed", NULL, "%s", error.text);
	}
	request->aside = NULL;
	change->edits = removal->edits.edits;
	change->count = removal->edits.count;
	change->pairs = removal->pairs.rows;
	change->pair_count = removal->pairs.count;
	return removal->errors.status == 0 ? 0
					   : change_say(&change->error, CHANGE_INVALID, NULL,
							"the group cannot be removed");
}

static void on_removed(void *context, int err, const struct service_change *change,
		       const struct faults *faults)
{
	struct removal *removal = context;
	struct api_request *request = removal->request;
	char text[API_OWNED_TEXT_MAX];

	if (removal->errors.status != 0) {
		arm_fail_all(&removal->errors);
	} else if (err == ERR_INVALID) {
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
	if (!find_in(request, api_resources(request), &group)) {
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
	removal->request = removal->errors.request = request;
	group_removal_init(&removal->owned, api_group(request),
			   api_parameter(request, "subscription"));
	struct service_change change = {.read = read_removal,
					.more = more_of_removal,
					.large = true,
					.why = ADDRESSES_BACK,
					.who = request->who,
					.context = removal};

	service_commit(request->service, &change, on_removed, removal);
}
