/* /resources lists resources of all types that have a location and tags (arm_type.tracked), without
 * their properties.
 *
 * Types come in the order of the table, each by group and name. Addresses come last, because there
 * may be a million. The marker of a page is ROW:GROUP/NAME[/NAME], with the number of the type's
 * row in arm_types, or addresses:ADDRESS. */
#include <stdlib.h>
#include <strings.h>

#include "resolver/control/api/azure/api_arm.h"
#include "resolver/control/api/azure/asked.h"
#include "resolver/control/api/azure/found.h"
#include "resolver/control/api/azure/page.h"
#include "resolver/control/api/azure/shown.h"
#include "resolver/control/api/reverse.h"
#include "resolver/control/base/json.h"

/* One request reads at most this many resources of the model, and then about as many addresses,
 * including those that the filter refuses. This takes some milliseconds. */
enum { SCANNED_MAX = 2000 };

struct all_rows { /* a page */
	struct api_request *request;
	const struct arm_page *page;
	json_t *array;
	char last[ARM_ID_MAX];     /* the marker of the last resource read */
	struct change_error error; /* CHANGE_FINE: all rows could be read */
};

/* False: the page is full. */
static bool add_row(struct all_rows *rows, const struct arm_shown *shown)
{
	json_t *row;

	if (json_array_size(rows->array) == rows->page->room)
		return false;
	row = arm_print_short(shown);
	if (arm_filter_takes(&rows->page->filter, row, shown->path.group))
		json_add(rows->array, row);
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
static bool add_of_model(struct all_rows *rows)
{
	const char *group = api_parameter(rows->request, "group"), *behind = rows->page->behind;
	struct arm_found_list list = {.request = rows->request, .group = *group ? group : NULL};
	size_t scanned = 0;
	bool all = true;

	if (is_address_mark(behind))
		return true;
	arm_found_add_all(&list, is_tracked);
	arm_found_sort(&list);
	if (list.no_memory)
		change_no_memory(&rows->error);
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
		arm_show_plain(rows->request, found->type, &found->path, found->item, &shown);
		all = add_row(rows, &shown);
		arm_shown_release(&shown);
		if (all)
			snprintf(rows->last, sizeof rows->last, "%s", text);
	}
	free(list.items);
	return all && rows->error.outcome == CHANGE_FINE;
}

/* False: the page is full. */
static bool add_address(struct all_rows *rows, const struct owned_resource *address)
{
	struct api_request *request = rows->request;
	char text[ADDRESS_TEXT_MAX];
	struct arm_shown shown;
	bool added;

	arm_show_address(request, address, &shown);
	added = add_row(rows, &shown);
	arm_shown_release(&shown);
	if (added)
		snprintf(rows->last, sizeof rows->last, "%s%s", addresses_mark,
			 address_print(&address->item.address, text));
	return added;
}

/* False: there are more, or an error. */
static bool add_addresses(struct all_rows *rows)
{
	struct item_list list = arm_addresses(rows->request);
	const char *behind = rows->page->behind;

	if (is_address_mark(behind))
		snprintf(list.behind, sizeof list.behind, "%s", behind + strlen(addresses_mark));
	for (size_t fitting = 0; fitting + list.passed < SCANNED_MAX; fitting += list.count) {
		if (items_of(list.path.kind)->next(&list, ARM_PORTION, &rows->error) != 0)
			return false;
		for (size_t i = 0; i < list.count; i++)
			if (!add_address(rows, list.items[i].owned))
				return false;
		if (!list.more)
			return true;
		snprintf(rows->last, sizeof rows->last, "%s%s", addresses_mark, list.behind);
		resources_forget(list.resources);
	}
	return false;
}

void arm_resources_list(struct api_request *request)
{
	static const char *const names[] = {"resourceType", "name",     "location", "resourceGroup",
					    "tagName",      "tagValue", NULL};
	struct arm_page page;
	struct all_rows rows = {.request = request, .page = &page};
	bool all;

	if (!api_arm_begin(request) ||
	    (*api_parameter(request, "group") && !arm_check_group(request)) ||
	    !arm_page_begin(&page, request, names))
		return;
	rows.array = json_array();
	all = add_of_model(&rows) && add_addresses(&rows);
	if (rows.error.outcome != CHANGE_FINE) {
		json_decref(rows.array);
		api_fail_change(request, &rows.error);
		return;
	}
	arm_page_answer(&page, rows.array, all ? NULL : rows.last);
}
