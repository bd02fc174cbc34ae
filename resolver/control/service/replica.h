/* The copy of a zone that one secondary has, as far as it says: it is asked for the zone's SOA some
 * time after each change, and again until it has what changed. A NOTIFY that is answered says
 * nothing of that: a transfer may fail for want of a key, of a right, of room on a disk.
 *
 *     change ──5 s──► asked ──10, 20, 40 ... s──► asked ─► it has the serial: asked again
 *                                                  after the next change, and once an hour
 *
 * Once an hour, because a copy is lost without a change, too: it expires where the way to us is
 * closed, or its server comes back with a disk of before.
 *
 * **Behind** is a copy that lacks a serial which has been out for a while (behind_after_s): not
 * merely the newest, which in a zone that changes all the time nobody has. Of all serials that it
 * lacks one is remembered, with the time since when it was out; when the copy has that one, the
 * newest takes its place. So what is said is always true, nothing is kept of a zone's past, and a
 * copy that stands still is found at the latest one question after its time.
 *
 *     pending    it lacks what is not that old, or was not asked yet
 *     current    it has the serial, or had it a minute ago
 *     behind     it lacks what has been out for long, or has no copy to answer with
 *     ahead      its serial is higher, for as long: it will not transfer (RFC 1982)
 *     unknown    it refuses the question, does not answer, or is not asked
 *
 * A copy that was behind or ahead stays so while its server is silent.
 *
 * **Signatures.** Where NOTIFY is signed, so is the question, with the same key: BIND chooses a
 * view by it, and nobody without the key can say anything about the copy. NSD, BIND and Knot answer
 * it where they have the key, and where they do not, or have another secret, with an error that
 * nobody has signed (NSD's has no question either). So after a question without a good answer the
 * next one is not signed, and the other way about: a secondary whose key is wrong cannot transfer,
 * and that is to be told. What a forger of that answer gains is a line in the log.
 *
 * Serials are compared as RFC 1982 says; where that does not define an order, the copy is ahead. */
#ifndef SLUICE_REPLICA_H
#define SLUICE_REPLICA_H

#include <jansson.h>

#include "resolver/control/service/exchange.h"

enum {
	REPLICA_FIRST_MS = 5000,         /* after a change; a transfer takes a moment */
	REPLICA_MOST_MS = 5 * 60 * 1000, /* between two questions */
	REPLICA_RARELY_MS = 3600 * 1000, /* the same, where it has the serial or says nothing */
	REPLICA_SILENT_MS = 60 * 1000,   /* of one that had the serial; then it is unknown */
	REPLICA_TEXT_MAX = 256,
};

enum replica_state {
	REPLICA_PENDING,
	REPLICA_CURRENT,
	REPLICA_BEHIND,
	REPLICA_AHEAD,
	REPLICA_UNKNOWN,
	REPLICA_STATES
};
extern const char *const replica_state_texts[REPLICA_STATES];

/* What the last question came to. */
enum replica_finding {
	REPLICA_NOTHING, /* none has come to its end */
	REPLICA_SERIAL,
	REPLICA_SERVFAIL,  /* a copy that has expired, or never came */
	REPLICA_LAME,      /* the server is not authoritative for the zone */
	REPLICA_NO_SOA,    /* authoritative, but not for the zone: there is no SOA of it */
	REPLICA_REFUSED,   /* by rcode */
	REPLICA_TRUNCATED, /* the SOA is not in what came */
	REPLICA_SILENT,
	REPLICA_FINDINGS
};

struct replica {
	enum replica_state state;
	enum replica_finding finding;
	unsigned rcode;  /* of REPLICA_REFUSED */
	bool has_serial; /* it has said which */
	uint32_t serial;
	bool lacks, is_ahead;
	uint32_t lacked;                    /* lacks: a serial that it has not */
	struct instant lacked_at, ahead_at; /* since when that was out; since when it is ahead */
	bool doubted;                       /* it lacked nothing, and does not say so any more */
	uint64_t doubted_ms;                /* since when */
	bool told;                          /* that it is behind or ahead */
	enum replica_state told_state;
	uint64_t behind_after_ms; /* 0: it is not asked */
	uint64_t due_ms;          /* of the next question; UINT64_MAX: none */
	uint64_t wait_ms, asked_ms;
	bool bare;    /* questions are not signed, though there is a key */
	bool refused; /* the open question has an answer that was not signed well */
	struct exchange exchange;
};

/* A zone as it is served now. */
struct replica_zone {
	uint32_t serial;
	struct instant since; /* when that serial was out */
};

/* What is worth a line in the log. */
enum replica_news { REPLICA_NO_NEWS, REPLICA_FELL_BEHIND, REPLICA_GOT_AHEAD, REPLICA_FOLLOWS };

void replica_init(struct replica *replica);
/* Of the configuration that is served now, which may be what was missing: a copy that does not have
 * the serial is asked for soon. 0: it is not asked. */
void replica_follow(struct replica *replica, uint32_t behind_after_s, uint32_t serial,
		    struct instant now);
/* The zone has another serial. */
void replica_expect(struct replica *replica, uint32_t serial, struct instant now);
/* When it is due: writes the question, signed if there is a key. */
void replica_ask(struct replica *replica, const struct name *zone, const struct tsig_key *key,
		 struct instant now, struct exchange_message *out);
/* An answer of this peer about this zone. False: it answers nothing that was asked. */
bool replica_receive(struct replica *replica, const struct replica_zone *zone,
		     const struct exchange_answer *answer, struct instant now,
		     enum replica_news *news);
/* What is behind the peer's name in the line: "is behind for ..." */
void replica_print_news(const struct replica *replica, enum replica_news news, const char *zone,
			uint32_t serial, struct instant now,
			char text[REPLICA_TEXT_MAX + NAME_TEXT_MAX]);
/* Adds copy (the state), has (its serial or null), since (of what it lacks, or when it was first
 * seen ahead; null: neither), reason (why the last question had no serial; null: it had one). */
void replica_put(const struct replica *replica, json_t *object);

#endif
