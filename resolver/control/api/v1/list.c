/* GET /v1/addresses, /v1/services, /v1/ptrs: lists of addresses, services and their PTRs, in pages.
 *
 *     ?limit=N       rows of a page, at most (1000; never more than 5000)
 *     ?marker=KEY    the rows behind this one: the last page's last address, or service's name
 *     ?q=TEXT        rows with this text in the name, address, forward or reverse name
 *     ?MEMBER=VALUE  rows with this value (filter.h); MEMBER may also be fqdn or status
 *
 * An address, id or resource group is found by its index. For any other filter all rows are read,
 * some in each round of the loop. If very many do not match, a page ends early, perhaps empty, but
 * with a next one.
 *
 *     {"ptrs": [...], "next": the path and query of the next page, null: this is the last}
 */
#include <strings.h>

#include "resolver/control/api/list.h"
#include "resolver/control/api/reverse.h"
#include "resolver/control/api/v1/api_v1.h"
#include "resolver/control/api/v1/filter.h"
#include "resolver/control/base/json.h"
#include "rules/base.h"
#include "rules/schema/schema.h"

enum { LIMIT_USUAL = 1000, LIMIT_MAX = 5000 };

/* ---- selecting rows ---- */

static const char *const searched[] = {"address", "fqdn", "reverse_fqdn", NULL};
static const struct filter_shown shown[] = {{"fqdn", true}, {"status", false}, {.key = NULL}};

static struct filter filter_of_resources(void)
{
	return (struct filter){
		{kind_of_id(KIND_ADDRESS), kind_of_id(KIND_SERVICE), NULL}, searched, shown};
}

static bool is_listed(const struct api_request *request, const struct owned_resource *resource)
{
	static const char *const paging[] = {"limit", "marker", NULL};
	const struct filter filter = filter_of_resources();
	const char *const texts[] = {resource->fqdn, ptr_status_text(resource->status)};

	return !api_query_other(request, paging) ||
	       filter_takes(request, &filter, resource->kind, &resource->item, texts);
}

/* Finds the resource that the query names by its id or address; false: it has neither. */
static bool find_one(const struct api_request *request, const char *behind,
		     const struct owned_resource **resources, size_t *count)
{
	const char *id = api_query(request, "id"), *text = api_query(request, "address");
	struct inventory *inventory = api_inventory(request);
	struct address address;

	if (!id && !text)
		return false;
	resources[0] = id ? inventory_by_id(inventory, id)
		       : address_parse(&address, text) == 0
			       ? inventory_by_address(inventory, &address)
			       : NULL;
	*count = resources[0] && !behind;
	return true;
}

static int next_addresses(const struct api_request *request, const char *behind,
			  const struct owned_resource **resources, size_t room, size_t *count)
{
	const char *group = api_query(request, "resource_group");
	struct address address;
	bool after = behind && address_parse(&address, behind) == 0;

	if (find_one(request, behind, resources, count)) {
		*count = *count && !owned_is_service(resources[0]);
		return 0;
	}
	if (!group)
		return api_list_addresses(request, behind, resources, room, count);
	*count = inventory_group_after(api_inventory(request), group, after ? &address : NULL,
				       resources, room);
	return 0;
}

static int next_services(const struct api_request *request, const char *behind,
			 const struct owned_resource **resources, size_t room, size_t *count)
{
	if (find_one(request, behind, resources, count)) {
		*count = *count && owned_is_service(resources[0]);
		return 0;
	}
	*count = inventory_services_after(api_inventory(request), behind, resources, room);
	return 0;
}

/* Addresses come first. */
static int next_of_both(const struct api_request *request, const char *behind,
			const struct owned_resource **resources, size_t room, size_t *count)
{
	const char *group = api_query(request, "resource_group");
	struct address address;
	bool at_service = behind && address_parse(&address, behind) != 0;
	size_t services = 0;
	*count = 0;
	if (find_one(request, behind, resources, count))
		return 0;
	if (!at_service)
		(void)next_addresses(request, behind, resources, room, count);
	if (*count == room || (group && *group)) /* services are in no group */
		return 0;
	int err = next_services(request, at_service ? behind : NULL, resources + *count,
				room - *count, &services);
	*count += services;
	return err;
}

/* ---- rows ---- */

static json_t *row(const struct api_request *request, const struct owned_resource *resource)
{
	(void)request;
	return owned_show(resource, resource->kind->id);
}

static json_t *ptr_row(const struct api_request *request, const struct owned_resource *resource)
{
	(void)request;
	return owned_show(resource, KIND_PTR);
}

static json_t *next_json(const struct api_request *request, const char *last)
{
	return last ? api_next_page(request, "marker", last) : json_null();
}

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

static void answer_list(struct api_request *request, const struct api_list *list)
{
	size_t limit;
	const char *marker = api_query(request, "marker");
	const struct filter filter = filter_of_resources();
	struct address address;

	/* An unknown filter is refused: if it were ignored, the client would take all rows for
	 * matches. */
	if (!filter_check(request, &filter) || !api_v1_limit(request, &limit))
		return;
	if (marker && list->next == next_addresses && address_parse(&address, marker) != 0) {
		api_fail_at(
			request, 400, "invalid", "marker",
			"\"%.64s\" is not an address; follow the `next` link of the previous page",
			marker);
		return;
	}
	api_list_answer(request, list, limit, marker);
}

void api_addresses_list(struct api_request *request)
{
	static const struct api_list list = {"addresses", next_addresses, is_listed,
					     row,         "next",         next_json};
	answer_list(request, &list);
}

void api_services_list(struct api_request *request)
{
	static const struct api_list list = {"services", next_services, is_listed,
					     row,        "next",        next_json};
	answer_list(request, &list);
}

void api_ptrs_list(struct api_request *request)
{
	static const struct api_list list = {"ptrs",  next_of_both, is_listed,
					     ptr_row, "next",       next_json};
	answer_list(request, &list);
}
