/* The questions that are asked most (resolver/popular.h), of all workers, added up. */
#ifndef SLUICE_ASKED_H
#define SLUICE_ASKED_H

#include "resolver/server/server.h"
#include "rules/arena.h"

struct asked {
	struct popular_question question; /* without key.name, which is gone: */
	uint8_t *wire;
	size_t length;
};

struct asked_list {
	struct arena arena;
	struct asked *items; /* the most first */
	size_t count, room;
	bool failed; /* inside */
};

/* In any thread, while the server's workers run. ERR_NOMEM; asked_release ends it either way. */
MUST_CHECK int asked_read(struct asked_list *list, struct server *server);
void asked_release(struct asked_list *list);

/* Where it was asked; false: that network is not served any more. */
bool asked_place(const struct asked *asked, const struct policy *policy, struct place *place);
/* False: no name, which cannot be. */
bool asked_name(const struct asked *asked, const struct policy *policy, struct name *name);

#endif
