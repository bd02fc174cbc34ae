/* What keeps forgers out beyond ids and ports: upstream/guard.c has the idea. Only pending's files
 * include this. */
#ifndef SLUICE_PENDING_GUARD_H
#define SLUICE_PENDING_GUARD_H

#include "endpoints/upstream/internal.h"

/* Puts letters in random case into a question as message_write_query wrote it, where the target is
 * one for that. */
void guard_question(struct pending *pending, struct flight *flight, uint8_t wire[MESSAGE_QUERY_MAX],
		    uint64_t now_us);

/* A packet came to this socket from this peer, and matches nothing there: counted against what is
 * open there, which is asked by TCP as well after GUARD_MISSES within a second. */
void guard_on_near_miss(struct pending_table *table, struct pending_socket *socket,
			const struct host *peer, uint64_t now_us);
/* One matched this flight by everything but its letters. */
void guard_on_letters(struct flight *flight, uint64_t now_us);
/* TCP beside the question has failed. After guard_on_letters UDP is asked in lower case. */
void guard_on_no_tcp(struct pending *pending, const struct flight *flight, uint64_t now_us);

bool guard_look(const struct flight *flight, const uint8_t *wire, uint64_t now_us);
/* What a reply that matches shows of what its target does with letters. True: they may be the
 * reason for what it says, and the question is to be asked in lower case. */
static inline bool guard_on_reply(const struct flight *flight, const uint8_t *wire, size_t length,
				  uint64_t now_us)
{
	return flight->cased && length > MESSAGE_HEADER && guard_look(flight, wire, now_us);
}

#endif
