/* Remembers signed requests to update, so that each changes data once. A client without an answer
 * sends the same bytes again, from the same port, and gets the first one's answer. An eavesdropper
 * that sends the bytes again gets nothing.
 *
 * A request is known by its MAC until TSIG itself refuses its time (TSIG_FUDGE_S). At most
 * REPLAYS_MAX are kept: above that, the key with the most of them loses the one with the oldest
 * time. So a key that floods harms only itself. Once a request is not known any more, those that
 * its key signed up to that time count as too old, even if the clock is set back, because they
 * cannot be told from replays. Requests signed REPLAY_START_S or more before the start are too old
 * as well, because an earlier process may have taken them.
 *
 * If the clock was ahead at the start and is set back later, every request would be too old until
 * the clock reaches the start again. So when the clock is more than TSIG_FUDGE_S behind
 * replays.floor_s, the present counts as the start. Then no more requests of an earlier process can
 * be replayed than after a restart at this moment. Keys keep their own floors, because this process
 * has taken their requests.
 *
 * No clock and no lock: only the control thread uses it, and gets all requests in order. */
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
	REPLAY_START_S = 15, /* requests signed less than this before the start are accepted */
	REPLAY_KEYS = 1024,  /* places for keys, by the hash of the name */
	REPLAY_MAC = 32,     /* the compared bytes of a MAC: too many to guess */
};

enum replay {
	REPLAY_NEW,      /* it is remembered from now on */
	REPLAY_OLD,      /* it may be a replay: BADTIME */
	REPLAY_WAITING,  /* a replay; the first request has no answer yet */
	REPLAY_ANSWERED, /* a replay; the first got *rcode */
	REPLAY_FOREIGN,  /* a replay from another source */
	REPLAY_NO_MEMORY,
};

struct replay_request {
	const uint8_t *mac;
	size_t mac_length;
	uint64_t signed_s;
	const uint8_t *key; /* the name, wire, in lower case */
	size_t key_length;
	struct host source; /* by TCP port 0, because a retry has another port */
	bool tcp;
};

struct replay_entry;

struct replay_key {       /* for one key, or several whose names have the same place */
	uint64_t floor_s; /* requests signed up to this time are too old */
	uint32_t oldest;  /* the first entry, plus 1; 0: none */
	uint32_t count;   /* the number of entries */
};

struct replays {
	struct hash_key hash;
	unsigned max;
	struct replay_entry *entries;
	uint32_t count, room;
	uint32_t *buckets; /* indexes of entries plus 1, by the hash of the MAC; `room` buckets */
	uint32_t unused;   /* the first entry of the free list, plus 1 */
	uint64_t floor_s;  /* like a key's floor_s, but for all keys; set at the start */
	struct replay_key keys[REPLAY_KEYS];
};

/* `max`: a power of two, usually REPLAYS_MAX. Allocates nothing yet. */
void replays_init(struct replays *replays, const struct hash_key *hash, unsigned max,
		  uint64_t now_s);
void replays_release(struct replays *replays);
/* Makes now_s the start. Called again when this process takes over from another one, which may have
 * taken requests until then. */
void replays_begin(struct replays *replays, uint64_t now_s);

enum replay replays_judge(struct replays *replays, const struct replay_request *request,
			  uint64_t now_s, enum rcode *rcode);
/* replays_answer notes the answer to a new request. replays_forget notes that it gets none, so that
 * the same bytes are new the next time. Both do nothing if the request was forgotten meanwhile. */
void replays_answer(struct replays *replays, const uint8_t *mac, size_t mac_length,
		    enum rcode rcode);
void replays_forget(struct replays *replays, const uint8_t *mac, size_t mac_length);

#endif
