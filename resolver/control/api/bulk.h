/* Large changes, made in a thread: other requests are answered meanwhile, other changes wait
 * (work.h):
 *
 *     api_bulk ─► edit and change_store, in the thread ─► published, answer, free
 */
#ifndef SLUICE_API_BULK_H
#define SLUICE_API_BULK_H

#include "resolver/control/api/api.h"
#include "resolver/control/resource/change.h"

/* Embedded in the handler's own struct. */
struct api_bulk {
	struct api_request *request;
	bool rehearsal; /* the edits are made, and rolled back */
	/* All edits, the check of the request's preconditions among them. They only read the
	 * request, and of what is ours only this inventory. */
	int (*edit)(struct api_bulk *bulk, struct change *change, struct inventory *inventory);
	/* Answers; error NULL: the change is made. */
	void (*answer)(struct api_bulk *bulk, const struct change_error *error);
	/* Called last, always. */
	void (*free)(struct api_bulk *bulk);
	/* inside */
	struct inventory *inventory;
	struct change *change;     /* NULL: it has failed, or was a rehearsal */
	struct change_error error; /* then; FINE: it was one */
};

/* Takes it over. */
void api_bulk(struct api_bulk *bulk);

#endif
