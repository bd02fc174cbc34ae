/* Long answers: a thread writes each from the data served when its turn comes, while changes go on
 * (work_reading in service/work.h). The client's rights are checked before and after. */
#ifndef SLUICE_API_LONG_ANSWER_H
#define SLUICE_API_LONG_ANSWER_H

#include "resolver/control/api/api.h"
#include "resolver/control/service/work.h"

struct api_long_answer { /* a member of the API's own struct, which `free` frees at the end */
	struct api_request *request;
	const char *type;   /* NULL: JSON */
	bool needs_no_view; /* `prepare` collects all data, so no view of the state is taken */
	/* Called on the control thread when the answer's turn comes. False: the request has been
	 * answered. May be NULL. */
	bool (*prepare)(struct api_long_answer *answer);
	/* Called in the thread: returns the text, to be freed. NULL: no memory, or a failed read,
	 * whose reason is in `why` or resources_trouble. */
	char *(*write)(struct api_long_answer *answer, size_t *length);
	void (*free)(struct api_long_answer *answer);
	struct resources *resources; /* a view, taken when the answer's turn comes */
	char why[API_TEXT_MAX];
	/* private */
	struct work_reading reading;
	char *text;
	size_t length;
};

/* Answers the request, now or later. */
void api_answer_long(struct api_long_answer *answer);

#endif
