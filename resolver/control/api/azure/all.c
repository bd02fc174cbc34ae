/* /resources lists resources of all types that have a location and tags (arm_type.tracked), without
 * their properties.
 *
 * Types come in the order of the table, each by group and name. Addresses come last, because there
 * may be a million. The marker of a page is TYPE:GROUP/NAME, or addresses:ADDRESS. */
#include <stdlib.h>
#include <strings.h>

#include "resolver/control/api/azure/api_arm.h"
#include "resolver/control/api/azure/asked.h"
#include "resolver/control/api/azure/found.h"
#include "resolver/control/api/azure/page.h"
#include "resolver/control/api/azure/shown.h"
#include "resolver/control/api/reverse.h"
#include "resolver/control/base/json.h"

/* Resources and addresses that one request reads, including those that the filter refuses; this
 * takes some milliseconds. */
enum { SCANNED_MAX = 2000 };

struct resources { /* a page */
	struct api_request *request;
	const struct arm_page *page;
	json_t *array;
	char last[ARM_ID_MAX];     /* the marker of the last resource read */
	struct change_error error; /* CHANGE_FINE: all resources could be read */
};

/* False: the page is full. */
static bool add_row(struct resources *resources, const struct arm_shown *shown)
{
	json_t *row;

	if (json_array_size(resources->array) == resources->page->room)
		return false;
	row = arm_print_short(shown);
	if (arm_filter_takes(&resources->page->filter, row, shown->path.group))
		json_add(resources->array, row);
	else
		json_decref(row);
	return true;
}

static void mark(const struct arm_found *found, char text[ARM_ID_MAX])
{
	char name[NAME_TEXT_MAX];

	snprintf(text, ARM_ID_MAX, "%zu:%s/%s%s%s", (size_t)(found->type - arm_types),
		 found->path.group, found->path.names[0], found->path.kind->parent ? "/" : "",
		 found->path.kind->parent ? arm_name(&found->path, name) : "");
}

static int compare_marks(const char *left, const char *right)
{
	size_t a = strtoul(left, NULL, 10), b = strtoul(right, NULL, 10);

	return a != b ? (a > b) - (a < b) : arm_compare_keys(left, right);
}

static const char addresses_mark[] = "addresses:";

static bool is_address_mark(const char *mark)
{
	return mark && strncmp(mark, addresses_mark, strlen(addresses_mark)) == 0;
}

static bool is_tracked(const struct arm_type *type)
{
	return type->tracked;
}

/* False: there are more, or an error. */
static bool add_of_model(struct resources *resources)
{
	const char *group = api_parameter(resources->request, "group"),
		   *behind = resources->page->behind;
	struct arm_found_list list = {.request = resources->request,
				      .group = *group ? group : NULL};
	size_t scanned = 0;
	bool all = true;

	if (is_address_mark(behind))
		return true;
	arm_found_add_all(&list, is_tracked);
	arm_found_sort(&list);
	if (list.no_memory)
		change_say(&resources->error, CHANGE_NO_MEMORY, NULL, "%s", err_text(ERR_NOMEM));
	for (size_t i = 0; i < list.count && all; i++) {
		const struct arm_found *found = &list.items[i];
		struct arm_shown shown;
		char text[ARM_ID_MAX];

		mark(found, text);
		if (behind && compare_marks(text, behind) <= 0)
			continue;
		if (scanned++ == SCANNED_MAX) {
			all = false;
			break;
		}
		arm_show_plain(resources->request, found->type, &found->path, found->item, &shown);
		all = add_row(resources, &shown);
		arm_shown_release(&shown);
		if (all)
			snprintf(resources->last, sizeof resources->last, "%s", text);
	}
	free(list.items);
	return all && resources->error.outcome == CHANGE_FINE;
}

/* False: the page is full. */
static bool add_address(struct resources *resources, const struct owned_resource *address)
{
	struct api_request *request = resources->request;
	char text[ADDRESS_TEXT_MAX];
	struct arm_shown shown;
	bool added;

	arm_show_address(request, address, &shown);
	added = add_row(resources, &shown);
	arm_shown_release(&shown);
	if (added)
		snprintf(resources->last, sizeof resources->last, "%s%s", addresses_mark,
			 address_print(&address->item.address, text));
	return added;
}

/* False: there are more, or an error. */
static bool add_addresses(struct resources *resources)
{
	struct item_list list = arm_addresses(resources->request);
	const char *behind = resources->page->behind;

	if (is_address_mark(behind))
		snprintf(list.behind, sizeof list.behind, "%s", behind + strlen(addresses_mark));
	for (size_t fitting = 0; fitting + list.passed < SCANNED_MAX; fitting += list.count) {
		if (items_of(list.path.kind)->next(&list, ARM_PORTION, &resources->error) != 0)
			return false;
		for (size_t i = 0; i < list.count; i++)
			if (!add_address(resources, list.items[i].owned))
				return false;
		if (!list.more)
			return true;
		snprintf(resources->last, sizeof resources->last, "%s%s", addresses_mark,
			 list.behind);
		inventory_forget(list.inventory);
	}
	return false;
}

void arm_resources_list(struct api_request *request)
{
	static const char *const names[] = {"resourceType", "name",     "location", "resourceGroup",
					    "tagName",      "tagValue", NULL};
	struct arm_page page;
	struct resources resources = {.request = request, .page = &page};
	bool all;

	if (!api_arm_begin(request) ||
	    (*api_parameter(request, "group") && !arm_check_group(request)) ||
	    !arm_page_begin(&page, request, names))
		return;
	resources.array = json_array();
	all = add_of_model(&resources) && add_addresses(&resources);
	if (resources.error.outcome != CHANGE_FINE) {
		json_decref(resources.array);
		api_fail_change(request, &resources.error);
		return;
	}
	arm_page_answer(&page, resources.array, all ? NULL : resources.last);
}
