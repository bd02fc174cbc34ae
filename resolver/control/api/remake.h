/* A change that is made in a thread (remake.h), while others are answered, and other changes wait
 * (work.h):
 *
 *     api_remake ─► edit, in the thread ─► answer ─► the old book is freed, in the thread ─► free
 */
#ifndef SLUICE_API_REMAKE_H
#define SLUICE_API_REMAKE_H

#include "resolver/control/api/api.h"
#include "resolver/control/resource/remake.h"

/* Embedded in the handler's own struct. */
struct api_remake {
	struct api_request *request;
	bool afresh; /* the edits begin with nothing of the state */
	/* All edits, the check of the request's preconditions among them. They only read the
	 * request. */
	int (*edit)(struct api_remake *remake, struct change *change);
	/* Answers; error NULL: the change is made. */
	void (*answer)(struct api_remake *remake, const struct change_error *error);
	/* Called last, always. */
	void (*free)(struct api_remake *remake);
	/* inside */
	struct work *work;
	struct remake *book;
};

/* Takes the remake over. */
void api_remake(struct api_remake *remake);

#endif
