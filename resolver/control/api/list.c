/* The body is put together as text: a tree of JSON of the whole would have to be made, printed and
 * freed at once. What fails on the way shows in the end. */
#include "resolver/control/api/list.h"

#include <stdlib.h>
#include <string.h>

#include "resolver/control/api/reverse.h"
#include "resolver/control/base/json.h"
#include "resolver/control/service/service.h"

enum { PORTION = 50, PASSED_OVER_MAX = 10000, ROW_BYTES = 400 };

struct api_page {
	struct work_job job; /* first */
	struct api_request *request;
	const struct api_list *list;
	size_t room, count; /* count: rows that are written */
	size_t passed_over;
	bool more, failed;
	struct change_error error; /* why the state could not be read; FINE: it could */
	char *behind; /* what was looked at last; at first what was asked for; NULL: nothing */
	char *text;   /* NULL: not begun */
	size_t length, size;
};

/* ---- the text ---- */

static int append(const char *bytes, size_t length, void *context)
{
	struct api_page *page = context;
	size_t size = page->size;
	if (page->failed)
		return -1;
	while (size - page->length < length)
		size *= 2;
	char *grown = size > page->size ? realloc(page->text, size) : page->text;
	if (!grown) {
		page->failed = true;
		return -1;
	}
	memcpy(grown + page->length, bytes, length);
	page->text = grown;
	page->size = size;
	page->length += length;
	return 0;
}

static void put(struct api_page *page, const char *text)
{
	(void)append(text, strlen(text), page); /* is noted in the page */
}

/* Takes the value over. */
static void put_json(struct api_page *page, json_t *value)
{
	value = json_whole(value);
	if (!value || json_dump_callback(value, append, page, JSON_COMPACT | JSON_ENCODE_ANY) != 0)
		page->failed = true;
	json_decref(value);
}

/* ---- in portions ---- */

/* With room for all rows, about, so that they are not copied as the text grows. */
static void begin(struct api_page *page)
{
	struct inventory_about about;
	inventory_about(api_inventory(page->request), &about);
	size_t rows = about.addresses + about.services;
	page->size = ((rows < page->room ? rows : page->room) + 2) * ROW_BYTES;
	page->text = malloc(page->size);
	page->failed = page->failed || !page->text;
	put(page, "{\"");
	put(page, page->list->key);
	put(page, "\":[");
}

static void mark(struct api_page *page, const struct owner *owner)
{
	char address[ADDRESS_TEXT_MAX];
	free(page->behind);
	page->behind =
		strdup(owner->kind == OWNER_SERVICE ? owner->name
						    : address_print(&owner->address, address));
	page->failed = page->failed || !page->behind;
}

/* Writes as many as there is room for. False: there is one more. */
static bool write_rows(struct api_page *page, const struct owner *const *owners, size_t count)
{
	const struct api_list *list = page->list;
	size_t i;
	for (i = 0; i < count; i++) {
		if (list->takes && !list->takes(page->request, owners[i])) {
			page->passed_over++;
			continue;
		}
		if (page->count == page->room)
			break;
		put(page, page->count++ > 0 ? "," : "");
		put_json(page, list->row(page->request, owners[i]));
	}
	if (i > 0)
		mark(page, owners[i - 1]);
	return i == count;
}

static bool write_portion(void *context)
{
	struct api_page *page = context;
	const struct owner *owners[PORTION];
	const char *trouble;
	size_t count = 0;
	inventory_forget(api_inventory(page->request));
	if (!page->text)
		begin(page);
	if (!page->failed)
		page->failed =
			page->list->next(page->request, page->behind, owners, PORTION, &count) != 0;
	trouble = inventory_trouble(api_inventory(page->request));
	if (trouble) {
		change_say(&page->error, CHANGE_STORE, NULL, "%s", trouble);
		page->failed = true;
		return false;
	}
	bool all = write_rows(page, owners, count);
	page->more = !all || count == PORTION;
	return all && page->more && page->passed_over < PASSED_OVER_MAX && !page->failed;
}

static void page_free(struct api_page *page)
{
	free(page->text);
	free(page->behind);
	free(page);
}

static void put_tail(struct api_page *page)
{
	const struct api_list *list = page->list;
	const char *last = page->more ? page->behind : NULL;
	json_t *tail = list->tail_json(page->request, last);
	page->failed = page->failed || (last && !tail);
	if (tail) {
		put(page, "],\"");
		put(page, list->tail);
		put(page, "\":");
		put_json(page, tail);
	}
	put(page, tail ? "}" : "]}");
}

static void answer(void *context)
{
	struct api_page *page = context;
	struct api_request *request = page->request;
	if (!api_still_may(request)) {
		page_free(page);
		return;
	}
	page->failed = page->failed || page->job.given_up;
	if (!page->failed)
		put_tail(page);
	if (!page->failed) {
		api_reply_text(request, NULL, page->text, page->length);
		page->text = NULL;
	} else if (request->service->work.ending) {
		api_fail_ending(request);
	} else if (page->error.outcome != CHANGE_FINE) {
		api_fail_change(request, &page->error);
	} else {
		api_fail_memory(request);
	}
	page_free(page);
}

void api_list_answer(struct api_request *request, const struct api_list *list, size_t room,
		     const char *behind)
{
	if (api_all_not_modified(request))
		return;
	struct api_page *page = calloc(1, sizeof *page);
	if (!page) {
		api_fail_memory(request);
		return;
	}
	page->request = request;
	page->list = list;
	page->room = room;
	page->behind = behind ? strdup(behind) : NULL;
	page->failed = behind && !page->behind;
	page->job.large = room == API_LIST_ALL;
	if (work_beside_in_portions(&request->service->work, &page->job, write_portion, answer))
		return;
	api_fail_ending(request);
	page_free(page);
}

int api_list_addresses(const struct api_request *request, const char *behind,
		       const struct owner **owners, size_t room, size_t *count)
{
	struct address address;
	bool after = behind && address_parse(&address, behind) == 0;
	*count = inventory_addresses_after(api_inventory(request), after ? &address : NULL, owners,
					   room);
	return 0;
}
