/* What the files of api.h share: a request with all that it hangs on. */
#ifndef SLUICE_API_INTERNAL_H
#define SLUICE_API_INTERNAL_H

#include "resolver/control/api/api.h"
#include "resolver/control/api/path.h"
#include "resolver/control/service/work.h"
#include "rules/base.h"

struct api_reading {         /* long JSON, which is read, and freed, in a thread */
	struct work_job job; /* first */
	struct api_call *call;
	char error[API_TEXT_MAX];
};

struct api_call {
	struct api_request request; /* first: the one is the other's address */
	struct api *api;
	struct http_request *http;
	const struct api_route *route;
	struct api_path path;
	struct api_fields fields, form;
	char *decoded;               /* request.path */
	struct api_reading *reading; /* NULL: the body is not long */
	struct work_waiter waiter;
};

/* Whose waiter it is. */
static inline struct api_request *api_request_of(struct work_waiter *waiter)
{
	return &container_of(waiter, struct api_call, waiter)->request;
}

const struct api_dialect *api_dialect_of(const struct api *api, const char *path);
/* The body of an error, to be freed; NULL without memory. Without a code, its dialect's. */
char *api_error_body(const struct api_dialect *dialect, struct api_error error);
void api_draw_id(char id[API_ID_MAX]);
/* Answers, and releases the call; body is taken over, NULL: none. */
void api_finish(struct api_call *call, unsigned status, char *body);
void api_finish_text(struct api_call *call, unsigned status, char *body, size_t length);

/* Gives the answer this etag, with its quotes. True: the request is a GET whose If-None-Match has
 * it, and has been answered: 304 (RFC 9110 section 13.1.2). */
bool api_not_modified(struct api_request *request, const char *etag);

#endif
