/* Lists of what is ours, for every API: a few rows in each round of the control thread's loop
 * (work.h), so that nobody waits for one.
 *
 *     {KEY: [row, ...], TAIL: what the API says behind the rows}
 *
 * What comes or goes between two rounds or pages is on the later one or not; what stays is on
 * exactly one of them. */
#ifndef SLUICE_API_LIST_H
#define SLUICE_API_LIST_H

#include "resolver/control/api/api.h"
#include "resolver/control/resource/inventory.h"

struct api_list {
	const char *key;
	/* Gives at most `room` addresses or services that follow `behind`, which is an address or a
	 * service's name (NULL: from the first on). ERR_NOMEM. */
	int (*next)(const struct api_request *request, const char *behind,
		    const struct owned_resource **resources, size_t room, size_t *count);
	/* Whether an address or service is on the list; NULL: all are. */
	bool (*takes)(const struct api_request *request, const struct owned_resource *resource);
	json_t *(*row)(const struct api_request *request, const struct owned_resource *resource);
	const char *tail;
	/* The next page begins behind `last`; NULL: there is none. Gives NULL for no such member,
	 * or, with a `last`, without memory. */
	json_t *(*tail_json)(const struct api_request *request, const char *last);
};

#define API_LIST_ALL SIZE_MAX

/* Answers with the addresses or services that follow `behind` (NULL: from the first on), at most
 * `room`; 304 where the client has them. Where very many are passed over, a page may have fewer,
 * even none, and there is a next one all the same. Lists of API_LIST_ALL are made one after the
 * other. */
void api_list_answer(struct api_request *request, const struct api_list *list, size_t room,
		     const char *behind);

/* `next` of all addresses. */
int api_list_addresses(const struct api_request *request, const char *behind,
		       const struct owned_resource **resources, size_t room, size_t *count);

#endif
