/* NOTIFY for one secondary of one zone (RFC 1996): sent when the zone's serial differs from the
 * last one notified, and repeated until the secondary answers.
 *
 *     notice_tell ──50 ms──► due ─► sent ─► answered
 *                             ▲       │
 *      1, 2, 4, 8, 16 s ──────┴───────┘ sent five times, then given up until the next one
 *
 * Many quick changes become one notice, and a peer gets at most one per second for a zone. Any
 * answer ends the notice; whether the secondary has the zone is checked in replica.h. */
#ifndef SLUICE_ZONE_NOTICE_H
#define SLUICE_ZONE_NOTICE_H

#include <jansson.h>

#include "resolver/control/service/exchange.h"

enum {
	NOTICE_LOOK_MS = 50,    /* after a change */
	NOTICE_APART_MS = 1000, /* between two notices to a peer for a zone */
	NOTICE_FIRST_MS = 1000, /* the wait for the first answer, doubled with each try */
	NOTICE_TRIES = 5,       /* RFC 1996 section 3.6 */
};

enum notice_state { NOTICE_WAITING, NOTICE_ANSWERED, NOTICE_GIVEN_UP, NOTICE_STATES };
extern const char *const notice_state_texts[NOTICE_STATES];

struct notice {
	enum notice_state state;
	uint64_t at_s;        /* since when it is in this state */
	uint32_t serial;      /* to notify of */
	uint32_t told_serial; /* of the last answered notice */
	unsigned rcode;       /* the rcode of that answer */
	bool told;
	unsigned tries;
	uint64_t due_ms;  /* UINT64_MAX: none */
	uint64_t sent_ms; /* 0: never */
	struct exchange exchange;
};

void notice_init(struct notice *notice);
/* Notifies the peer of this serial, whether or not it has answered the last notice. */
void notice_tell(struct notice *notice, uint32_t serial, struct instant now);
/* When the notice is due: writes the message. False: all tries are used, so it is given up. */
bool notice_send(struct notice *notice, const struct name *zone, const struct rrset *soa,
		 const struct tsig_key *key, struct instant now, struct exchange_message *out);
/* Whether the answer belongs to this notice, which then ends. The caller has checked that it comes
 * from this peer and answers a NOTIFY for this zone. */
bool notice_receive(struct notice *notice, const struct exchange_answer *answer,
		    struct instant now);
/* Adds serial (the last one answered), state, answer (its rcode), at. */
void notice_put(const struct notice *notice, json_t *object);

#endif
