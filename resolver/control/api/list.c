#include "resolver/control/api/list.h"

#include <stdlib.h>

#include "resolver/control/api/reverse.h"
#include "resolver/control/base/json.h"
#include "resolver/control/service/service.h"

enum { PASSED_OVER_MAX = 10000 };

struct api_page {
	struct work_job job; /* first */
	struct api_request *request;
	const struct api_list *list;
	struct item_list items;
	size_t room, count;        /* `count`: rows written */
	bool more;                 /* there is a next page */
	char last[ITEM_MARK_MAX];  /* the mark after which the next page begins */
	struct change_error error; /* CHANGE_FINE: the items could be read */
	struct json_writer json;
};

static const struct item_calls *items_of_page(const struct api_page *page)
{
	return items_of(page->items.path.kind);
}

/* Writes rows while there is room. */
static void write_rows(struct api_page *page)
{
	struct item_list *items = &page->items;

	for (size_t i = 0; i < items->count && !page->more; i++) {
		page->more = page->count == page->room;
		if (page->more)
			break;
		page->count++;
		json_writer_row(&page->json, page->list->row(page->request, &items->items[i]));
		items_of_page(page)->mark(items, &items->items[i], page->last);
	}
	if (page->more || !items->more || items->passed < PASSED_OVER_MAX)
		return;
	page->more = true;
	memcpy(page->last, items->behind, sizeof page->last);
}

/* Asks for one item more than there is room for, which tells whether there is a next page. */
static bool write_portion(void *context)
{
	struct api_page *page = context;
	struct item_list *items = &page->items;
	size_t left = page->room - page->count;
	struct arena arena;

	resources_forget(items->resources);
	arena_init(&arena);
	items->arena = &arena;
	if (items_of_page(page)->next(items, left < SIZE_MAX ? left + 1 : left, &page->error) == 0)
		write_rows(page);
	else
		json_writer_fail(&page->json);
	arena_release(&arena);
	return items->more && !page->more && !json_writer_has_failed(&page->json);
}

static void put_tail(struct api_page *page)
{
	const struct api_list *list = page->list;
	const char *last = page->more ? page->last : NULL;
	json_t *tail = list->tail_json(page->request, last);

	if (last && !tail)
		json_writer_fail(&page->json);
	fputs("]", page->json.out);
	if (tail) {
		fprintf(page->json.out, ",\"%s\":", list->tail);
		json_writer_value(&page->json, tail);
	}
	fputs("}", page->json.out);
}

/* Is the list empty because its parent or group does not exist? Then the request has been answered.
 */
static bool is_missing(struct api_page *page)
{
	const struct api_list *list = page->list;

	return page->count == 0 && !page->more && list->fail_missing &&
	       list->fail_missing(page->request, &page->items.path);
}

static void answer(void *context)
{
	struct api_page *page = context;
	struct api_request *request = page->request;
	size_t length;
	char *text;

	if (page->job.given_up)
		json_writer_fail(&page->json);
	put_tail(page);
	text = json_writer_end(&page->json, &length);
	if (!api_still_may(request) || (text && is_missing(page)))
		free(text);
	else if (text)
		api_reply_text(request, 200, NULL, text, length);
	else if (request->service->work.ending)
		api_fail_ending(request);
	else if (page->error.outcome != CHANGE_FINE)
		api_fail_change(request, &page->error);
	else
		api_fail_memory(request);
	free(page);
}

static struct api_page *page_new(struct api_request *request, const struct api_list *list,
				 const struct item_list *items, size_t room)
{
	struct api_page *page = calloc(1, sizeof *page);

	if (!page)
		return NULL;
	page->request = request;
	page->list = list;
	page->items = *items;
	page->items.resources = api_resources(request);
	page->items.context = request;
	page->room = room;
	page->job.large = room == API_LIST_ALL;
	if (json_writer_begin(&page->json, ",", JSON_COMPACT)) {
		fprintf(page->json.out, "{\"%s\":[",
			list->key ? list->key : items->path.kind->collection);
		return page;
	}
	free(page);
	return NULL;
}

void api_list_answer(struct api_request *request, const struct api_list *list,
		     const struct item_list *items, size_t room)
{
	const struct kind *kind = items->path.kind;
	struct api_page *page;
	char etag[ETAG_MAX];

	if (items_of(kind)->etag(api_resources(request), kind, NULL, etag) &&
	    api_not_modified(request, etag))
		return;
	page = page_new(request, list, items, room);
	if (!page) {
		api_fail_memory(request);
		return;
	}
	if (work_beside_in_portions(&request->service->work, &page->job, write_portion, answer))
		return;
	api_fail_ending(request);
	json_writer_cancel(&page->json);
	free(page);
}
