/* Long answers: a thread writes each answer from what is served when its turn comes, while changes
 * go on (work_reading in service/work.h). Rights are looked at before and after. */
#ifndef SLUICE_API_LONG_ANSWER_H
#define SLUICE_API_LONG_ANSWER_H

#include "resolver/control/api/api.h"
#include "resolver/control/service/work.h"

struct api_long_answer { /* embedded in what it needs, which `free` frees at the end */
	struct api_request *request;
	const char *type;   /* NULL: JSON */
	bool needs_no_view; /* what `prepare` finds is enough: there is no view of the inventory */
	/* On the control thread, when its turn comes. False: the request has been answered. NULL:
	 * there is nothing to do. */
	bool (*prepare)(struct api_long_answer *answer);
	/* In the thread: the text, to be freed; NULL: no memory, or it cannot be read, which `why`
	 * or inventory_trouble says. */
	char *(*write)(struct api_long_answer *answer, size_t *length);
	void (*free)(struct api_long_answer *answer);
	struct inventory *inventory; /* the view, taken when its turn comes */
	char why[API_TEXT_MAX];
	/* inside */
	struct work_reading reading;
	char *text;
	size_t length;
};

/* Answers the request, now or later. */
void api_answer_long(struct api_long_answer *answer);

#endif
