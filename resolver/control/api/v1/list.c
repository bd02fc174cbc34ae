/* GET /v1/addresses, /v1/services, /v1/ptrs: what is ours, a page at a time.
 *
 *     ?limit=N       so many, at most (1000; never more than 5000)
 *     ?marker=KEY    those behind this one: the last page's last address, or service's name
 *
 * Nothing else is known: a filter is refused.
 *
 *     {"ptrs": [...], "next": the path and query of the next page, null: this is the last}
 *
 * A page is put together in portions, one in each round of the control thread's loop, and nobody
 * waits for it. What comes or goes between two portions or pages is on the later one or not; what
 * stays is on exactly one of them. */
#include "resolver/control/api/reverse.h"
#include "resolver/control/api/text.h"
#include "resolver/control/api/v1/api_v1.h"
#include "resolver/control/base/json.h"
#include "resolver/control/resource/inventory_page.h"
#include "resolver/control/resource/reverse_json.h"
#include "resolver/control/service/service.h"

enum { LIMIT_USUAL = 1000, LIMIT_MAX = 5000, PORTION = 50, ROW_BYTES = 400, LINK_MAX = 400 };

struct list {
	const char *key;
	bool addresses, services;
	json_t *(*show)(const struct owner *owner);
};

struct page {
	struct work_job job; /* first */
	struct api_request *request;
	const struct list *list;
	size_t limit, count; /* count: what is written */
	bool more;           /* behind it */
	char *marker;        /* what was shown last; at first what was asked for; NULL: nothing */
	struct api_text text;
};

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

static void page_free(struct page *page)
{
	api_text_release(&page->text);
	free(page->marker);
	free(page);
}

/* ---- in portions ---- */

/* Those behind the marker, addresses first, where there are both. */
static int find(const struct page *page, const struct owner **owners, size_t room, size_t *count)
{
	const struct inventory *inventory = api_inventory(page->request);
	const struct list *list = page->list;
	const char *marker = page->marker;
	struct address address;
	size_t more = 0;
	bool at_address = marker && address_parse(&address, marker) == 0;
	*count = 0;
	if (list->addresses && (!marker || at_address))
		*count = inventory_addresses_after(inventory, at_address ? &address : NULL, owners,
						   room);
	if (!list->services || *count == room)
		return 0;
	int err = inventory_services_after(inventory, at_address ? NULL : marker, owners + *count,
					   room - *count, &more);
	*count += more;
	return err;
}

static void mark(struct page *page, const struct owner *owner)
{
	char address[ADDRESS_TEXT_MAX];
	free(page->marker);
	page->marker =
		strdup(owner->kind == OWNER_SERVICE ? owner->name
						    : address_print(&owner->address, address));
	page->text.failed = page->text.failed || !page->marker;
}

/* One more than fits says whether there is another page. */
static bool write_portion(void *context)
{
	struct page *page = context;
	const struct owner *owners[PORTION];
	size_t left = page->limit - page->count, count = 0;
	size_t room = left < PORTION ? left + 1 : PORTION;
	page->text.failed = page->text.failed || find(page, owners, room, &count) != 0;
	if (page->text.failed)
		return false;
	page->more = count > left;
	for (size_t i = 0; i < count && i < left; i++) {
		api_text_put(&page->text, page->count++ > 0 ? "," : "");
		api_text_put_json(&page->text, page->list->show(owners[i]));
	}
	if (count > 0 && left > 0)
		mark(page, owners[(count < left ? count : left) - 1]);
	return count == room && !page->more && !page->text.failed;
}

static json_t *next_json(const struct page *page)
{
	char link[LINK_MAX];
	if (!page->more || !page->marker)
		return json_null();
	snprintf(link, sizeof link, "/v1/%s?limit=%zu&marker=%s", page->list->key, page->limit,
		 page->marker);
	return json_text(link);
}

static void answer(void *context)
{
	struct page *page = context;
	page->text.failed = page->text.failed || page->job.given_up;
	api_text_put(&page->text, "],\"next\":");
	api_text_put_json(&page->text, next_json(page));
	api_text_put(&page->text, "}");
	api_text_reply(&page->text, page->request);
	page_free(page);
}

/* ---- what is asked for ---- */

/* A filter that is not known would give everything as if it were what was asked for. */
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

static void begin(struct page *page, const char *marker)
{
	page->marker = marker ? strdup(marker) : NULL;
	api_text_init(&page->text, (page->limit + 1) * ROW_BYTES);
	page->text.failed = page->text.failed || (marker && !page->marker);
	api_text_put(&page->text, "{\"");
	api_text_put(&page->text, page->list->key);
	api_text_put(&page->text, "\":[");
	if (work_beside_in_portions(&page->request->service->work, &page->job, write_portion,
				    answer))
		return;
	api_fail_ending(page->request);
	page_free(page);
}

static void answer_list(struct api_request *request, const struct list *list)
{
	size_t limit;
	const char *marker = api_query(request, "marker");
	struct address address;
	if (!check_query(request) || !api_v1_limit(request, &limit))
		return;
	if (marker && !list->services && address_parse(&address, marker) != 0) {
		api_fail_at(
			request, 400, "invalid", "marker",
			"\"%.64s\" is not an address; follow the `next` link of the previous page",
			marker);
		return;
	}
	if (api_all_not_modified(request))
		return;
	struct page *page = calloc(1, sizeof *page);
	if (!page) {
		api_fail_memory(request);
		return;
	}
	*page = (struct page){.request = request, .list = list, .limit = limit};
	begin(page, marker);
}

void api_addresses_list(struct api_request *request)
{
	static const struct list list = {"addresses", true, false, owner_json};
	answer_list(request, &list);
}

void api_services_list(struct api_request *request)
{
	static const struct list list = {"services", false, true, owner_json};
	answer_list(request, &list);
}

void api_ptrs_list(struct api_request *request)
{
	static const struct list list = {"ptrs", true, true, owner_ptr_json};
	answer_list(request, &list);
}
