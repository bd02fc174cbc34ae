/* GET /v1/addresses, /v1/services, /v1/ptrs: what is ours, a page at a time.
 *
 *     ?limit=N       so many, at most (1000; never more than 5000)
 *     ?marker=KEY    those behind this one: the last page's last address, or service's name
 *
 * Nothing else is known: a filter is refused.
 *
 *     {"ptrs": [...], "next": the path and query of the next page, null: this is the last}
 *
 * A page is put together in milliseconds however much there is. What comes or goes between two
 * pages is on the later one or not; what stays is on exactly one of them. */
#include "resolver/control/api_reverse.h"
#include "resolver/control/inventory_page.h"
#include "resolver/control/json.h"
#include "resolver/control/reverse_json.h"

enum { LIMIT_USUAL = 1000, LIMIT_MAX = 5000, LINK_MAX = 400 };

struct list {
	const char *key;
	bool addresses, services;
	json_t *(*show)(const struct owner *owner);
};

struct page {
	size_t limit, count;
	const struct owner **owners; /* one more than the limit, if there is one more */
};

/* False: it has been answered. */
static bool read_limit(struct api_request *request, size_t *limit)
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

/* Addresses first, where there are both. */
static int fill(struct page *page, const struct inventory *inventory, const struct list *list,
		const char *marker)
{
	struct address address;
	size_t room = page->limit + 1, more = 0;
	bool at_address = marker && address_parse(&address, marker) == 0;
	if (list->addresses && (!marker || at_address))
		page->count = inventory_addresses_after(inventory, at_address ? &address : NULL,
							page->owners, room);
	if (!list->services || page->count == room)
		return 0;
	int err = inventory_services_after(inventory, at_address ? NULL : marker,
					   page->owners + page->count, room - page->count, &more);
	page->count += more;
	return err;
}

/* Of the last one that is shown. */
static json_t *next_json(const struct api_request *request, const struct page *page)
{
	char link[LINK_MAX], address[ADDRESS_TEXT_MAX];
	if (page->count <= page->limit)
		return json_null();
	const struct owner *last = page->owners[page->limit - 1];
	snprintf(link, sizeof link, "%s?limit=%zu&marker=%s", request->path, page->limit,
		 last->kind == OWNER_SERVICE ? last->name : address_print(&last->address, address));
	return json_text(link);
}

/* A filter that is not known would give everything as if it were what was asked for. */
static bool check_query(struct api_request *request)
{
	static const char *const known[] = {"limit", "marker", NULL};
	const char *other = api_query_other(request, known);
	if (other)
		api_fail_at(request, 400, "invalid", other,
			    "lists have no \"%.64s\"; there are limit and marker, and what is "
			    "wanted of a list is the client's to choose",
			    other);
	return !other;
}

static void answer_list(struct api_request *request, const struct list *list)
{
	struct page page = {0};
	char etag[OWNER_ETAG_MAX];
	const char *marker = api_query(request, "marker");
	struct address address;
	if (!check_query(request) || !read_limit(request, &page.limit))
		return;
	if (marker && !list->services && address_parse(&address, marker) != 0) {
		api_fail_at(request, 400, "invalid", "marker",
			    "\"%.64s\" is no address; follow the link `next` of the page before",
			    marker);
		return;
	}
	page.owners = calloc(page.limit + 1, sizeof *page.owners);
	int err = page.owners ? fill(&page, api_inventory(request), list, marker) : ERR_NOMEM;
	json_t *array = json_array();
	for (size_t i = 0; err == 0 && i < page.count && i < page.limit; i++)
		json_add(array, list->show(page.owners[i]));
	json_t *body = json_make("{s:o, s:o}", list->key, array, "next",
				 err == 0 ? next_json(request, &page) : json_null());
	free(page.owners);
	if (err != 0) {
		json_decref(body);
		body = NULL;
	}
	api_reply_json(request, 200, body, inventory_etag(api_inventory(request), etag));
}

void api_addresses_list(struct api_request *request)
{
	answer_list(request, &(const struct list){"addresses", true, false, owner_json});
}

void api_services_list(struct api_request *request)
{
	answer_list(request, &(const struct list){"services", false, true, owner_json});
}

void api_ptrs_list(struct api_request *request)
{
	answer_list(request, &(const struct list){"ptrs", true, true, owner_ptr_json});
}
