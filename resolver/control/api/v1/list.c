/* Lists of resources of every kind, in pages: of all groups, of one group, inside one item, or,
 * with "*" in place of an item's group and name, inside all items.
 *
 *     ?limit=N       at most N rows on a page (default 1000; N is at most 5000)
 *     ?marker=MARK   the rows after the row with this mark (resource/item.h)
 *     ?q=TEXT        rows with this text in the name; of addresses, services and PTRs also in the
 *                    address, forward or reverse name
 *     ?MEMBER=VALUE  rows with this value (filter.h); of addresses, services and PTRs also by fqdn
 *                    or status
 *
 * Addresses, services and PTRs are found through an index by id, address or resource group. Any
 * other filter reads all rows. Rows of record sets, and rows beside the model (addresses, services,
 * PTRs and groups), are read in portions, one in each round of the loop. If very many rows beside
 * the model do not match, a page ends early, perhaps empty, but with a next page.
 *
 *     {"ptrs": [...], "next": the path and query of the next page, null: this is the last}
 */
#include <strings.h>

#include "resolver/control/api/list.h"
#include "resolver/control/api/reverse.h"
#include "resolver/control/api/v1/api_v1.h"
#include "resolver/control/api/v1/filter.h"
#include "resolver/control/api/v1/resource.h"
#include "resolver/control/resource/group.h"
#include "resolver/control/resource/part.h"
#include "resolver/control/service/service.h"

enum {
	LIMIT_USUAL = 1000,
	LIMIT_MAX = 5000,
	ROWS_AT_ONCE = 1000, /* of record sets: takes some milliseconds */
};

/* ---- parameters ---- */

bool api_v1_after(struct api_request *request, const char *text, uint64_t *after)
{
	char *end = NULL;

	*after = text ? strtoull(text, &end, 10) : 0;
	if (!text || (*text >= '0' && *text <= '9' && *end == '\0' && *after <= INT64_MAX))
		return true;
	api_fail_at(request, 400, "invalid", "after",
		    "\"%.32s\" does not fit; give a number that an answer had, or 0 for all", text);
	return false;
}

bool api_v1_limit(struct api_request *request, size_t *limit)
{
	const char *text = api_query(request, "limit");
	char *end = NULL;
	unsigned long number = text ? strtoul(text, &end, 10) : LIMIT_USUAL;
	*limit = number;
	if (!text ||
	    (*text >= '0' && *text <= '9' && *end == '\0' && number >= 1 && number <= LIMIT_MAX))
		return true;
	api_fail_at(request, 400, "invalid", "limit",
		    "\"%.32s\" does not fit; give a number from 1 to %d", text, LIMIT_MAX);
	return false;
}

bool api_v1_stream_limit(struct api_request *request, size_t *limit)
{
	*limit = 0;
	return !api_query(request, "limit") || api_v1_limit(request, limit);
}

/* ---- selecting rows ---- */

static const char *const paging[] = {"limit", "marker", "q", NULL};

static bool is_owned(const struct kind *kind)
{
	return kind_is_beside(kind) && kind->id != KIND_GROUP;
}

/* PTRs are those of addresses and services, so they are selected by members of both. */
static struct filter filter_of(const struct kind *kind)
{
	static const char *const searched[] = {"address", "fqdn", "reverse_fqdn", NULL};
	static const struct filter_shown shown[] = {
		{"fqdn", true}, {"status", false}, {.key = NULL}};

	if (!is_owned(kind))
		return (struct filter){.kinds = {kind}};
	return (struct filter){
		{kind_of_id(KIND_ADDRESS), kind_of_id(KIND_SERVICE), NULL}, searched, shown};
}

/* Values of a row that is not served are not checked, so a filter by a member leaves it out. */
static bool fits_unserved(const struct api_request *request, const struct item *item)
{
	const char *part = api_query(request, "q");

	return !api_query_other(request, paging) &&
	       (!part || strcasestr(path_name(&item->path), part));
}

static bool fits(void *context, const struct item *item)
{
	const struct api_request *request = context;
	const struct filter filter = filter_of(item->path.kind);
	const struct owned_resource *owned = item->owned;
	const char *const shown[] = {owned ? owned->fqdn : NULL,
				     owned ? ptr_status_text(owned->status) : NULL};

	if (!item->fields)
		return fits_unserved(request, item);
	return filter_takes(request, &filter, owned ? owned->kind : item->path.kind, item->fields,
			    shown);
}

/* Does the query select rows? */
static bool is_filtered(const struct api_request *request)
{
	static const char *const others[] = {"limit", "marker", NULL};

	return api_query_other(request, others);
}

/* Lets item_calls.next (resource/item.h) use the index of ids, addresses or resource groups. */
static void use_indexes(const struct api_request *request, struct item_list *list)
{
	const char *id = api_query(request, "id");
	const char *group = api_query(request, "resource_group");

	if (!is_owned(list->path.kind))
		return;
	list->only = id ? id : api_query(request, "address");
	if (group)
		list->path.group = *group ? group : GROUP_NONE;
}

/* ---- the answer ---- */

static json_t *row(struct api_request *request, const struct item *item)
{
	char etag[ETAG_MAX];

	return items_of(item->path.kind)->show(api_resources(request), item, etag);
}

static json_t *next_json(const struct api_request *request, const char *last)
{
	return last ? api_next_page(request, "marker", last) : json_null();
}

/* An empty list would hide that its parent or its group does not exist. */
static bool fail_missing(struct api_request *request, const struct path *list)
{
	const struct path parent = part_root(list);
	struct resource_group group;

	if (list->names[0]) {
		if (part_find(api_model(request), &parent))
			return false;
		resource_fail_missing(request, &parent);
		return true;
	}
	if (kind_is_beside(list->kind) || !list->group || strcmp(list->group, GROUP_NONE) == 0 ||
	    group_find(api_resources(request), list->group, &group))
		return false;
	if (!api_could_not_read(request))
		api_fail(request, 404, "not_found", "there is no resource group \"%.90s\"",
			 list->group);
	return true;
}

/* Reads the list's path. False: there is no such list, and the request has been answered. */
static bool read_list(struct api_request *request, struct path *path)
{
	const char *group = api_parameter(request, "group");

	if (kind_beside(api_segment(request, 1)) && *group != '\0') {
		resource_fail_kind(request);
		return false;
	}
	if (!resource_read_path(request, path))
		return false;
	if (kind_is_beside(path->kind))
		path->group = NULL;
	path->names[path->kind->parent != NULL] = NULL;
	if (path->kind->parent && !path->kind->home && strcmp(path->names[0], GROUP_ANY) == 0) {
		path->names[0] = NULL;
		path->group = strcmp(group, GROUP_ANY) == 0 ? NULL : group;
	}
	return true;
}

static bool check_marker(struct api_request *request, const char *marker)
{
	if (strlen(marker) < ITEM_MARK_MAX)
		return true;
	api_fail_at(request, 400, "invalid", "marker",
		    "it is longer than any name; follow the `next` link of the previous page");
	return false;
}

void api_resource_list(struct api_request *request)
{
	static const struct api_list list = {
		.row = row, .tail = "next", .tail_json = next_json, .fail_missing = fail_missing};
	const char *marker = api_query(request, "marker");
	struct item_list items = {.unserved = request->service->load.passed_over,
				  .rows_max = ROWS_AT_ONCE};
	struct filter filter;
	size_t limit;

	if (!read_list(request, &items.path))
		return;
	/* An unknown filter is refused: if it were ignored, the client would take all rows for
	 * matches. */
	filter = filter_of(items.path.kind);
	if (!filter_check(request, &filter) || !api_v1_limit(request, &limit) ||
	    !check_marker(request, marker ? marker : ""))
		return;
	use_indexes(request, &items);
	if (is_filtered(request))
		items.fits = fits;
	snprintf(items.behind, sizeof items.behind, "%s", marker ? marker : "");
	api_list_answer(request, &list, &items, limit);
}
