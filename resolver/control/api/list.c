#include "resolver/control/api/list.h"

#include <stdlib.h>
#include <string.h>

#include "resolver/control/api/reverse.h"
#include "resolver/control/base/json.h"
#include "resolver/control/service/service.h"

enum { PORTION = 50, PASSED_OVER_MAX = 10000 };

struct api_page {
	struct work_job job; /* first */
	struct api_request *request;
	const struct api_list *list;
	size_t room, count; /* `count`: rows written */
	size_t passed_over;
	bool more;
	struct change_error error; /* CHANGE_FINE: the state could be read */
	char *behind; /* the last resource, which the next portion or page follows; NULL: begin */
	struct json_writer json;
};

static void mark(struct api_page *page, const struct owned_resource *resource)
{
	char address[ADDRESS_TEXT_MAX];
	free(page->behind);
	page->behind = strdup(owned_is_service(resource)
				      ? resource->item.name
				      : address_print(&resource->item.address, address));
	if (!page->behind)
		json_writer_fail(&page->json);
}

/* Writes rows while there is room. False: there is one more. */
static bool write_rows(struct api_page *page, const struct owned_resource *const *resources,
		       size_t count)
{
	const struct api_list *list = page->list;
	size_t i;
	for (i = 0; i < count; i++) {
		if (list->takes && !list->takes(page->request, resources[i])) {
			page->passed_over++;
			continue;
		}
		if (page->count == page->room)
			break;
		page->count++;
		json_writer_row(&page->json, list->row(page->request, resources[i]));
	}
	if (i > 0)
		mark(page, resources[i - 1]);
	return i == count;
}

static bool write_portion(void *context)
{
	struct api_page *page = context;
	const struct owned_resource *resources[PORTION];
	const char *trouble;
	size_t count = 0;
	inventory_forget(api_inventory(page->request));
	if (page->list->next(page->request, page->behind, resources, PORTION, &count) != 0)
		json_writer_fail(&page->json);
	trouble = inventory_trouble(api_inventory(page->request));
	if (trouble) {
		change_say(&page->error, CHANGE_STORE, NULL, "%s", trouble);
		json_writer_fail(&page->json);
		return false;
	}
	bool all = write_rows(page, resources, count);
	page->more = !all || count == PORTION;
	return all && page->more && page->passed_over < PASSED_OVER_MAX &&
	       !json_writer_has_failed(&page->json);
}

static void page_free(struct api_page *page)
{
	free(page->behind);
	free(page);
}

static void put_tail(struct api_page *page)
{
	const struct api_list *list = page->list;
	const char *last = page->more ? page->behind : NULL;
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
	if (!api_still_may(request))
		free(text);
	else if (text)
		api_reply_text(request, 200, NULL, text, length);
	else if (request->service->work.ending)
		api_fail_ending(request);
	else if (page->error.outcome != CHANGE_FINE)
		api_fail_change(request, &page->error);
	else
		api_fail_memory(request);
	page_free(page);
}

static struct api_page *page_new(struct api_request *request, const struct api_list *list,
				 size_t room, const char *behind)
{
	struct api_page *page = calloc(1, sizeof *page);

	if (!page)
		return NULL;
	page->request = request;
	page->list = list;
	page->room = room;
	page->behind = behind ? strdup(behind) : NULL;
	page->job.large = room == API_LIST_ALL;
	if ((!behind || page->behind) && json_writer_begin(&page->json, ",", JSON_COMPACT)) {
		fprintf(page->json.out, "{\"%s\":[", list->key);
		return page;
	}
	page_free(page);
	return NULL;
}

void api_list_answer(struct api_request *request, const struct api_list *list, size_t room,
		     const char *behind)
{
	struct api_page *page;

	if (api_all_not_modified(request))
		return;
	page = page_new(request, list, room, behind);
	if (!page) {
		api_fail_memory(request);
		return;
	}
	if (work_beside_in_portions(&request->service->work, &page->job, write_portion, answer))
		return;
	api_fail_ending(request);
	json_writer_cancel(&page->json);
	page_free(page);
}

int api_list_addresses(const struct api_request *request, const char *behind,
		       const struct owned_resource **resources, size_t room, size_t *count)
{
	struct address address;
	bool after = behind && address_parse(&address, behind) == 0;
	*count = inventory_addresses_after(api_inventory(request), after ? &address : NULL,
					   resources, room);
	return 0;
}
