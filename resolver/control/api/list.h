/* Lists of items of every kind, for every API. Each round of the control thread's loop writes what
 * one call of `next` finds (resource/item.h), so a list of a million addresses holds up no other
 * request.
 *
 *     {KEY: [row, ...], TAIL: from tail_json}
 *
 * A resource that is added or removed between two rounds or pages may be on the later one or not. A
 * resource that stays is on exactly one page. */
#ifndef SLUICE_API_LIST_H
#define SLUICE_API_LIST_H

#include "resolver/control/api/api.h"
#include "resolver/control/resource/item.h"

struct api_list {
	const char *key; /* NULL: the kind's collection */
	json_t *(*row)(struct api_request *request, const struct item *item);
	const char *tail;
	/* Makes the member TAIL, for a next page that begins after the mark `last`; `last` NULL:
	 * there is no next page. Returns NULL if the member is to be left out (only without a next
	 * page), or if there is no memory. */
	json_t *(*tail_json)(const struct api_request *request, const char *last);
	/* For a list that is empty: true if its parent or its group does not exist, and the request
	 * has been answered. May be NULL. */
	bool (*fail_missing)(struct api_request *request, const struct path *list);
};

#define API_LIST_ALL SIZE_MAX

/* Answers with at most `room` of the items, or 304 if the client has this version. `list` must
 * outlive the answer. `items` is copied; its path must live as long as the request, and this
 * function sets its resources, arena and context (the request). If items->fits refuses very many
 * items, a page ends early, perhaps empty, but with a next one. Lists of API_LIST_ALL are made one
 * after the other. */
void api_list_answer(struct api_request *request, const struct api_list *list,
		     const struct item_list *items, size_t room);

#endif
