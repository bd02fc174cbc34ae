/* What keeps forgers out beyond ids and ports: pending_guard.c has the idea. Only pending's files
 * include this. */
#ifndef SLUICE_PENDING_GUARD_H
#define SLUICE_PENDING_GUARD_H

#include "endpoints/pending_internal.h"

enum guard {
	GUARD_FINE,
	GUARD_DOUBTFUL, /* ask by TCP */
	GUARD_UNSURE,   /* ask in lower case */
};

/* Puts letters in random case into a question as message_write_query wrote it, where the target is
 * one for that. */
void guard_question(struct pending *pending, struct flight *flight, uint8_t wire[MESSAGE_QUERY_MAX],
		    uint64_t now_us);
/* What they say about a reply that matches otherwise, and what is learnt about its target. */
enum guard guard_look(struct flight *flight, const uint8_t *wire, size_t length, uint64_t now_us);
static inline enum guard guard_reply(struct flight *flight, const uint8_t *wire, size_t length,
				     uint64_t now_us)
{
	if (!flight->cased || (flight->strict && flight->kept))
		return GUARD_FINE;
	return guard_look(flight, wire, length, now_us);
}

#endif
