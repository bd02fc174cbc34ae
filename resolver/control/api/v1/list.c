/* GET /v1/addresses, /v1/services, /v1/ptrs: what is ours, a page at a time.
 *
 *     ?limit=N       so many, at most (1000; never more than 5000)
 *     ?marker=KEY    those behind this one: the last page's last address, or service's name
 *
 * Nothing else is known: a filter is refused.
 *
 *     {"ptrs": [...], "next": the path and query of the next page, null: this is the last} */
#include "resolver/control/api/list.h"
#include "resolver/control/api/reverse.h"
#include "resolver/control/api/v1/api_v1.h"
#include "resolver/control/base/json.h"
#include "resolver/control/resource/reverse_json.h"

enum { LIMIT_USUAL = 1000, LIMIT_MAX = 5000, LINK_MAX = 400 };

/* ---- what is on them ---- */

static int next_services(const struct api_request *request, const char *behind,
			 const struct owner **owners, size_t room, size_t *count)
{
	*count = inventory_services_after(api_inventory(request), behind, owners, room);
	return 0;
}

/* Addresses first. */
static int next_of_both(const struct api_request *request, const char *behind,
			const struct owner **owners, size_t room, size_t *count)
{
	struct address address;
	bool at_service = behind && address_parse(&address, behind) != 0;
	size_t services = 0;
	*count = 0;
	if (!at_service)
		(void)api_list_addresses(request, behind, owners, room, count);
	if (*count == room)
		return 0;
	int err = next_services(request, at_service ? behind : NULL, owners + *count, room - *count,
				&services);
	*count += services;
	return err;
}

static json_t *row(const struct api_request *request, const struct owner *owner)
{
	(void)request;
	return owner_json(owner);
}

static json_t *ptr_row(const struct api_request *request, const struct owner *owner)
{
	(void)request;
	return owner_ptr_json(owner);
}

static json_t *next_json(const struct api_request *request, const struct api_list *list,
			 size_t limit, const char *last)
{
	char link[LINK_MAX];
	(void)request;
	if (!last)
		return json_null();
	snprintf(link, sizeof link, "/v1/%s?limit=%zu&marker=%s", list->key, limit, last);
	return json_text(link);
}

/* ---- what is asked for ---- */

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

/* If an unknown filter were passed over, the client would take everything for what it asked for. */
static bool check_query(struct api_request *request)
{
	static const char *const known[] = {"limit", "marker", NULL};
	const char *other = api_query_other(request, known);
	if (other)
		api_fail_at(request, 400, "invalid", other,
			    "lists take no \"%.64s\"; they take limit and marker, and filtering is "
			    "up to the client",
			    other);
	return !other;
}

static void answer_list(struct api_request *request, const struct api_list *list)
{
	size_t limit;
	const char *marker = api_query(request, "marker");
	struct address address;
	if (!check_query(request) || !api_v1_limit(request, &limit))
		return;
	if (marker && list->next == api_list_addresses && address_parse(&address, marker) != 0) {
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
	static const struct api_list list = {"addresses", api_list_addresses, NULL, row,
					     "next",      next_json};
	answer_list(request, &list);
}

void api_services_list(struct api_request *request)
{
	static const struct api_list list = {"services", next_services, NULL,
					     row,        "next",        next_json};
	answer_list(request, &list);
}

void api_ptrs_list(struct api_request *request)
{
	static const struct api_list list = {"ptrs",  next_of_both, NULL,
					     ptr_row, "next",       next_json};
	answer_list(request, &list);
}
