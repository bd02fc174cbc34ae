/* Signed requests to update that have been seen, so that each changes data once. A client that
 * hears nothing sends the same bytes again, from the same port, and gets the answer that the first
 * got; somebody who overheard them gets nothing.
 *
 * A request is known by its MAC until its time signed is so long ago that TSIG itself refuses it
 * (TSIG_FUDGE_S). There are at most REPLAYS_MAX: of more the one that was signed first goes, and
 * whatever else its key has signed by then is too old from there on, because it cannot be told from
 * a replay. The same is true of what was signed before the start.
 *
 * No clock, no lock: the control thread's, where all requests pass in their order. */
#ifndef SLUICE_UPDATE_REPLAY_H
#define SLUICE_UPDATE_REPLAY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "endpoints/message.h"
#include "resolver/transfer/tsig.h"
#include "rules/err.h"
#include "rules/hash.h"
#include "rules/prefix.h"

enum {
	REPLAYS_MAX = 65536,
	REPLAY_START_S = 15, /* what was signed by so long before the start is taken */
	REPLAY_FLOORS = 1024,
	REPLAY_MAC =
		32, /* bytes of a MAC that are compared: it is not guessed with fewer, either */
};

enum replay {
	REPLAY_NEW,      /* from now on it is known */
	REPLAY_OLD,      /* it may have been seen: BADTIME */
	REPLAY_WAITING,  /* the first has no answer yet */
	REPLAY_ANSWERED, /* it has: *rcode */
	REPLAY_FOREIGN,  /* it is from somewhere else than the first */
	REPLAY_NO_MEMORY,
};

struct replay_request {
	const uint8_t *mac;
	size_t mac_length;
	uint64_t signed_s;
	const uint8_t *key; /* its name, wire, in lower case */
	size_t key_length;
	struct host source; /* by TCP port 0: a client that comes again has another one */
	bool tcp;
};

struct replay_entry;

struct replays {
	struct hash_key hash;
	unsigned max;
	struct replay_entry *entries;
	uint32_t count, room;
	uint32_t *heap;    /* entries, by the time signed: the first is the oldest */
	uint32_t *buckets; /* entries plus 1, by the hash of the MAC; as many as there is room */
	uint32_t unused;   /* a list of entries, plus 1 */
	/* By the hash of a key's name: what it has signed up to then is too old. Keys that share a
	 * place may be refused more than they have to. */
	uint64_t floors[REPLAY_FLOORS];
};

/* `max`: a power of two, usually REPLAYS_MAX. Takes no memory yet. */
void replays_init(struct replays *replays, const struct hash_key *hash, unsigned max,
		  uint64_t now_s);
void replays_release(struct replays *replays);

enum replay replays_judge(struct replays *replays, const struct replay_request *request,
			  uint64_t now_s, enum rcode *rcode);
/* What a request that was new is answered with; and that it gets no answer, so that the next of the
 * same bytes is new. Nothing happens where it has gone meanwhile. */
void replays_answer(struct replays *replays, const uint8_t *mac, size_t mac_length,
		    enum rcode rcode);
void replays_forget(struct replays *replays, const uint8_t *mac, size_t mac_length);

#endif
