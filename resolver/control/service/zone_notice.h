/* What one secondary is told of one zone (RFC 1996): sent when the zone's serial is not the one
 * that it was told last, and again until it answers.
 *
 *     notice_tell ──50 ms──► due ─► sent ─► answered
 *                             ▲       │
 *      1, 2, 4, 8, 16 s ──────┴───────┘ sent five times, then given up until the next one
 *
 * Many changes in a row are one notice, and a peer gets at most one a second for a zone. Whatever
 * it answers ends it; what it makes of it is replica.h. */
#ifndef SLUICE_ZONE_NOTICE_H
#define SLUICE_ZONE_NOTICE_H

#include <jansson.h>

#include "resolver/control/service/exchange.h"

enum {
	NOTICE_LOOK_MS = 50,    /* after a change */
	NOTICE_APART_MS = 1000, /* between two for one zone to one peer */
	NOTICE_FIRST_MS = 1000, /* for the first answer, doubled for each that follows */
	NOTICE_TRIES = 5,       /* RFC 1996 section 3.6 */
};

enum notice_state { NOTICE_WAITING, NOTICE_ANSWERED, NOTICE_GIVEN_UP, NOTICE_STATES };
extern const char *const notice_state_texts[NOTICE_STATES];

struct notice {
	enum notice_state state;
	uint64_t at_s;        /* of the state */
	uint32_t serial;      /* to notify of */
	uint32_t told_serial; /* the last one that was answered */
	unsigned rcode;       /* that it was answered with */
	bool told;
	unsigned tries;
	uint64_t due_ms;  /* UINT64_MAX: nothing is */
	uint64_t sent_ms; /* 0: never */
	struct exchange exchange;
};

void notice_init(struct notice *notice);
/* The zone has this serial: the peer is notified of it, whatever became of the notice before. */
void notice_tell(struct notice *notice, uint32_t serial, struct instant now);
/* When it is due: writes the message. False: it was sent often enough, and is given up. */
bool notice_send(struct notice *notice, const struct name *zone, const struct rrset *soa,
		 const struct tsig_key *key, struct instant now, struct exchange_message *out);
/* Whether an answer to a NOTIFY, of this peer for this zone, answers this one, which is over then.
 */
bool notice_receive(struct notice *notice, const struct exchange_answer *answer,
		    struct instant now);
/* Adds serial (the last one answered), state, answer (its rcode), at. */
void notice_put(const struct notice *notice, json_t *object);

#endif
