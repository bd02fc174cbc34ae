/* What compose.c (the pass) and compose_entry.c (what upstreams said) share. */
#ifndef SLUICE_COMPOSE_INTERNAL_H
#define SLUICE_COMPOSE_INTERNAL_H

#include "endpoints/upstream/lookup.h"
#include "resolver/resolve/compose.h"

enum step {
	STEP_NEXT,   /* the frame's name has moved on along the chain */
	STEP_DONE,   /* the composition has its rcode */
	STEP_ASK,    /* something must be asked first */
	STEP_FAILED, /* this leg cannot help; nothing was written */
};

struct frame { /* a name being resolved at a place */
	struct place place;
	const struct name *name; /* the qname, or `moved` */
	struct name moved;
	size_t owner_at; /* where the name stands in the message, uncompressed; 0: nowhere in reach
			  */
	unsigned seen_count;
	uint64_t seen[1 + COMPOSE_HOPS_MAX]; /* hashes of the chain's names */
};

/* STEP_NEXT: moved to the next name of the chain. STEP_DONE: that closes a loop, where the chain is
 * cut, or it is one name too many. target is uncompressed wire, owner_at where it stands in the
 * message. */
enum step compose_move(struct composition *composition, struct frame *frame, const uint8_t *target,
		       size_t owner_at);
/* The chain's first owner decides about AA (RFC 6604). */
void compose_begin_owner(struct composition *composition, bool own);
void compose_explain(struct composition *composition, enum ede ede, const char *format, ...)
	__attribute__((format(printf, 3, 4)));

/* Answers the frame's name from what an upstream said, cutting its chain where somebody else
 * decides. STEP_NEXT or STEP_DONE. */
enum step compose_from_entry(struct composition *composition, struct frame *frame,
			     const struct verdict *verdict, const struct cache_entry *entry,
			     bool stale);

#endif
