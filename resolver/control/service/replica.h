/* Checks a secondary's copy of a zone. The secondary is asked for the zone's SOA some time after
 * each change, and again until its copy has the change. An answered NOTIFY proves nothing: the
 * transfer may still fail, for lack of a key, a right, or room on a disk.
 *
 *     change ──5 s──► asked ──10, 20, 40 ... s──► asked ─► it has the serial: asked again
 *                                                  after the next change, and once an hour
 *
 * The hourly question finds copies that are lost without a change: a copy expires when the
 * secondary cannot reach us, or its server comes back with an old disk.
 *
 * A copy is **behind** if it lacks a serial published at least behind_after_s ago. To lack only the
 * newest serial is normal: in a zone that changes all the time, every copy does. One missing serial
 * is remembered, with the time of its publication; when the copy has that one, the newest takes its
 * place. So every report is true, no history of the zone is needed, and a copy that stands still is
 * found by the first question after behind_after_s.
 *
 *     pending    it lacks only a younger serial, has not been ahead so long, or was not asked yet
 *     current    it has the serial; a minute of silence makes it unknown
 *     behind     it lacks a serial that old, or has had no copy to answer with for so long
 *     ahead      its serial has been higher for behind_after_s: it does not transfer (RFC 1982)
 *     unknown    it refuses the question, does not answer, or is not asked
 *
 * A copy that was behind or ahead stays so while its server is silent.
 *
 * **Signatures.** If NOTIFY is signed, so is the question, with the same key: BIND chooses a view
 * by the key, and nobody without the key can forge the answer. NSD, BIND and Knot answer a signed
 * question if they have the key; without it, or with another secret, they send an unsigned error
 * (NSD's without the question). So after each question without a good answer, signed and unsigned
 * ones alternate: a secondary with a wrong key cannot transfer, which must be reported. A forged
 * unsigned error gains only a line in the log.
 *
 * Serials are compared as RFC 1982 says; where that does not define an order, the copy is ahead. */
#ifndef SLUICE_REPLICA_H
#define SLUICE_REPLICA_H

#include <jansson.h>

#include "resolver/control/service/exchange.h"

enum {
	REPLICA_FIRST_MS = 5000,         /* after a change; a transfer takes a moment */
	REPLICA_MOST_MS = 5 * 60 * 1000, /* the longest wait between two questions */
	REPLICA_RARELY_MS = 3600 * 1000, /* the same, for a current or unknown copy */
	REPLICA_SILENT_MS = 60 * 1000,   /* a current copy, silent for so long, is unknown */
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

/* The result of the last question. */
enum replica_finding {
	REPLICA_NOTHING, /* no question has ended yet */
	REPLICA_SERIAL,
	REPLICA_SERVFAIL,  /* the copy has expired, or never came */
	REPLICA_LAME,      /* the server is not authoritative for the zone */
	REPLICA_NO_SOA,    /* authoritative, but without the zone's SOA */
	REPLICA_REFUSED,   /* another rcode, or not signed with the key */
	REPLICA_TRUNCATED, /* the answer lacks the SOA */
	REPLICA_SILENT,
	REPLICA_FINDINGS
};

struct replica {
	enum replica_state state;
	enum replica_finding finding;
	unsigned rcode;  /* with REPLICA_REFUSED */
	bool has_serial; /* `serial` is known */
	uint32_t serial;
	bool lacks, is_ahead;
	uint32_t lacked;                    /* the missing serial, if `lacks` */
	struct instant lacked_at, ahead_at; /* publication of `lacked`; since when ahead */
	bool doubted;                       /* it was current, and has not answered since */
	uint64_t doubted_ms;                /* since when */
	bool told;                          /* the log has said that it is behind or ahead */
	enum replica_state told_state;
	uint64_t behind_after_ms; /* 0: not asked */
	uint64_t due_ms;          /* of the next question; UINT64_MAX: none */
	uint64_t wait_ms, asked_ms;
	bool bare;    /* questions are unsigned in spite of a key */
	bool refused; /* an answer to the open question had a bad signature */
	struct exchange exchange;
};

/* The zone as it is served now. */
struct replica_zone {
	uint32_t serial;
	struct instant since; /* when that serial was published */
};

/* A change of state for the log. */
enum replica_news { REPLICA_NO_NEWS, REPLICA_FELL_BEHIND, REPLICA_GOT_AHEAD, REPLICA_FOLLOWS };

void replica_init(struct replica *replica);
/* Applies the settings served now, which may have removed the obstacle: a copy that lacks the
 * serial is asked soon. behind_after_s 0: never asked. */
void replica_follow(struct replica *replica, uint32_t behind_after_s, uint32_t serial,
		    struct instant now);
/* The zone has a new serial. */
void replica_expect(struct replica *replica, uint32_t serial, struct instant now);
/* When the question is due: writes it, signed if there is a key. */
void replica_ask(struct replica *replica, const struct name *zone, const struct tsig_key *key,
		 struct instant now, struct exchange_message *out);
/* Reads an answer of this peer about this zone. False: it answers no open question. */
bool replica_receive(struct replica *replica, const struct replica_zone *zone,
		     const struct exchange_answer *answer, struct instant now,
		     enum replica_news *news);
/* Prints the log line after the peer's name: "is behind for ..." */
void replica_print_news(const struct replica *replica, enum replica_news news, const char *zone,
			uint32_t serial, struct instant now,
			char text[REPLICA_TEXT_MAX + NAME_TEXT_MAX]);
/* Adds copy (the state), has (its serial or null), since (of the missing serial, or when it was
 * first seen ahead; null: neither), reason (why the last question gave no serial; null: it did). */
void replica_put(const struct replica *replica, json_t *object);

#endif
