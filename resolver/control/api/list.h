/* Lists of addresses and services, for every API. Each round of the control thread's loop writes a
 * few rows (work.h), so a long list holds up no other request.
 *
 *     {KEY: [row, ...], TAIL: from tail_json}
 *
 * A resource that is added or removed between two rounds or pages may be on the later one or not. A
 * resource that stays is on exactly one page. */
#ifndef SLUICE_API_LIST_H
#define SLUICE_API_LIST_H

#include "resolver/control/api/api.h"
#include "resolver/control/resource/inventory.h"

struct api_list {
	const char *key;
	/* Sets at most `room` addresses or services that follow `behind`, an address or a service's
	 * name (NULL: from the first). ERR_NOMEM. */
	int (*next)(const struct api_request *request, const char *behind,
		    const struct owned_resource **resources, size_t room, size_t *count);
	/* Is the address or service on the list? NULL: all are. */
	bool (*takes)(const struct api_request *request, const struct owned_resource *resource);
	json_t *(*row)(const struct api_request *request, const struct owned_resource *resource);
	const char *tail;
	/* Makes the member TAIL, for a next page that begins behind `last`; `last` NULL: there is
	 * no next page. Returns NULL if the member is to be left out (only without a next page), or
	 * if there is no memory. */
	json_t *(*tail_json)(const struct api_request *request, const char *last);
};

#define API_LIST_ALL SIZE_MAX

/* Answers with at most `room` addresses or services that follow `behind` (NULL: from the first), or
 * 304 if the client has this version. If `takes` refuses very many, a page ends early, perhaps
 * empty, but with a next one. Lists of API_LIST_ALL are made one after the other. */
void api_list_answer(struct api_request *request, const struct api_list *list, size_t room,
		     const char *behind);

/* The `next` for a list of all addresses. */
int api_list_addresses(const struct api_request *request, const char *behind,
		       const struct owned_resource **resources, size_t room, size_t *count);

#endif
