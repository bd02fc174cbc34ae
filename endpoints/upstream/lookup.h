/* Questions under way to targets: who joins which, what is in flight, and failover from one of a
 * leg's targets to the next.
 *
 *     waiter ─┐                                  ┌─ flight (socket, id, target 1; sent, silent)
 *     waiter ─┼─► lookup (one upstream question) ┼─ flight (copy)
 *     waiter ─┘                                  └─ flight (target 2)
 *
 * A lookup is one question to one leg; identical ones join it, where they agree on whether to wait
 * for a sign of life. A flight is one packet on its way. It stays in the table until it is answered
 * or fails, else until its target's patience is over and its question has ended (one by TCP because
 * of a TC only the former), so that a late answer still counts as a sign of life. Where more wait
 * at a target than may, one of them goes (upstream/inflight.c), and its question on to the next
 * target: SERVFAIL, in the end, for the oldest or the greediest.
 *
 * No sockets and no clock in here: `send` is the transport (outbound.h, or a test's), time is the
 * wheel's and a parameter. */
#ifndef SLUICE_LOOKUP_H
#define SLUICE_LOOKUP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "endpoints/entropy.h"
#include "endpoints/fair_queue.h"
#include "endpoints/message.h"
#include "endpoints/meter.h"
#include "endpoints/upstream/target.h"
#include "endpoints/wheel.h"
#include "rules/name.h"
#include "rules/policy/ruleset.h"

struct lookup_key {
	const struct leg *leg; /* its id is compared */
	const struct name *name;
	uint16_t type;
	bool dnssec_ok, checking_disabled;
	struct address client; /* on whose behalf; not compared. Family 0: our own */
	bool proven;           /* and whether it is from there (query.h); not compared, either */
};

enum { ASK_EDE_TEXT_MAX = 80 }; /* the rest of a target's explanation is left out */

struct ask_ede { /* an extended error of a target's (RFC 8914) */
	const struct upstream *by;
	uint16_t code;
	char text[ASK_EDE_TEXT_MAX + 1]; /* printable ASCII: what else came is '?' */
};

enum ask_outcome {
	ASK_ANSWERED,  /* NOERROR, NXDOMAIN or (a DNAME's) YXDOMAIN; every record can be read */
	ASK_TRUNCATED, /* the best there is has TC set; nothing else of it is passed on */
	ASK_FAILED,    /* every target answered with an error or has no source to be asked from; or
			* none can be asked now and `may_wait` was false */
	ASK_SILENT,    /* nobody answered before the deadline */
};

enum ask_edns { /* for who wants DNSSEC */
		ASK_EDNS_FINE,
		ASK_EDNS_NONE,    /* the target is one without: the answer is unsigned */
		ASK_EDNS_REFUSED, /* it is not, but answered this question without only */
};

struct ask_said {                /* an error that a target answered with */
	enum target_error error; /* NONE: nobody has */
	const struct upstream *by;
};

struct ask_result {
	enum ask_outcome outcome;
	const uint8_t *wire; /* ANSWERED: the reply, with its question (lower case) at offset 12 */
	size_t length;
	const struct upstream
		*upstream; /* ANSWERED, TRUNCATED: who said it; else the last one tried, or NULL */
	enum target_error error;   /* the others: what the last one did */
	struct ask_said said;      /* the latest of them, whoever was silent after it */
	const struct ask_ede *ede; /* with it, or somebody with an earlier error; may be NULL */
	bool hasty;         /* FAILED: nobody has answered, and `may_wait` would have waited */
	bool sourceless;    /* FAILED: there is no source address to ask any target from */
	enum ask_edns edns; /* ANSWERED, with DO */
};

#define LOOKUP_TRY_MAP(X)                                                                          \
	X(SILENT, "silent")       /* nothing has come, yet */                                      \
	X(ANSWERED, "answered")   /* by `rcode` */                                                 \
	X(TRUNCATED, "truncated") /* it is asked again by TCP, unless it was */                    \
	X(PLAIN, "plain")         /* an error to our OPT: it is asked again without */             \
	X(LOWER, "lower")         /* it is asked again in lower case */                            \
	X(FAILED, "failed")       /* by `error` */                                                 \
	X(UNSENT, "unsent")       /* because of `error`; NONE: there was no connection in time */
enum lookup_try_end {
#define X(name, text) LOOKUP_TRY_##name,
	LOOKUP_TRY_MAP(X)
#undef X
};

struct lookup_try {                  /* a packet, and what came of it */
	const struct flight *flight; /* the table's, while it is under way */
	uint64_t sent_us, ended_us;  /* ended_us 0: it is SILENT */
	enum lookup_try_end end;
	enum target_error error;
	uint8_t upstream; /* its place in the leg, whose memory need not be the waiter's */
	uint8_t packets;  /* how often it has left: TCP sends it again where a connection ended */
	uint8_t rcode;
	bool tcp;
};

enum { LOOKUP_TRIES_MAX = 32 };

/* What became of a question, for a waiter that wants to know. All zero at first; the table writes
 * it until on_done. */
struct lookup_watch {
	bool joined; /* it was under way already; what had ended by then is not known */
	unsigned count, dropped;
	struct lookup_try tries[LOOKUP_TRIES_MAX];
};

/* Somebody who waits; embedded in whatever waits. */
struct waiter {
	struct waiter *next, **link; /* link NULL: not waiting */
	struct lookup *lookup;
	struct lookup_watch *watch; /* NULL, nearly always */
	/* The answer is there. `value` is what on_result made of it; it lives until this returns
	 * unless the callee takes a reference of its own. */
	void (*on_done)(struct waiter *waiter, void *value, uint64_t now_us);
};

/* Where questions leave and replies arrive. The transport's own struct for it begins with this. */
struct lookup_socket {
	struct flight *flights;
};

struct flight { /* one packet on its way */
	struct flight *next_in_bucket;
	struct flight *next_at_socket, **socket_link; /* link NULL: not sent yet */
	struct flight *next, **link;                  /* of its lookup */
	struct target_queue *queue;                   /* where it waits: to be moved on when its
						       * target is suspect; NULL: nowhere */
	struct fair_queue_item place;                 /* there, by age */
	struct address client;                        /* on whose behalf */
	struct lookup *lookup; /* NULL: it has its answer, this one only still counts */
	struct lookups *table;
	void *holder; /* of the upstream's memory */
	const struct upstream *upstream;
	struct target *target;
	struct target *paid_by; /* a copy, for a token of this target, where the question waits */
	void *socket;           /* a struct lookup_socket: where the reply must arrive */
	void *parcel;           /* the transport's, too: what it keeps of this one */
	uint64_t sent_us;
	uint64_t judge_us;  /* when its silence is looked at next; 0: it says nothing more */
	struct timer timer; /* for that, the allowance, and patience */
	uint64_t missed_us; /* the first near miss of those counted in `misses` */
	uint16_t id;
	uint8_t index; /* of the upstream in its leg */
	bool tcp, edns;
	bool cased;          /* has capitals: by UDP the reply must repeat them */
	bool kept;           /* and did */
	bool recased;        /* one came that did not */
	uint8_t misses;      /* near misses within a second of missed_us */
	bool copy;           /* beside the question's way: to a suspect, or for a token */
	bool probe;          /* of no question: asks what the target answered a moment ago */
	bool counted;        /* among its target's unanswered questions */
	bool past_allowance; /* it may have been sent elsewhere, too */
	bool overdue;        /* patience is over, and its question is not */
	bool replied;        /* that is how it ends */
	bool gathered;       /* the transport has not sent it yet */
	uint8_t departures;  /* how often it has; by TCP again where a connection ended */
	uint16_t question_length;
	uint8_t question[MESSAGE_QUESTION_MAX]; /* what the reply must repeat */
};

/* What is served now: each target once, by one of the upstreams that lead there. */
struct served_target {
	const struct upstream *upstream;
	const char *domain; /* of the rule, "." of other routes: its SOA is asked for if need be */
};
struct served_targets {
	size_t count;
	struct served_target *items;
};

struct lookup; /* opaque */
struct stalled;
struct target_queue;
struct spare_slab;
struct spare_item;

enum {
	LOOKUP_BUCKETS = 8192,
	LOOKUP_QUEUE_LISTS = 256,
	LOOKUP_MAX = 16384, /* questions of a table, unless its owner sets another lookup_max */
	LOOKUP_TARGET_MAX = 16384,     /* of them at a target, likewise target_max */
	LOOKUP_FLIGHTS = 4,            /* flights for each of them, on average */
	LOOKUP_SENDS = 3,              /* of a question to one upstream (RFC 9520 section 3.1) */
	LOOKUP_PACKETS = 5,            /* of a question, but for one to each upstream */
	LOOKUP_SPENT_US = 1000 * 1000, /* an error holds so long for who joins (section 3.2) */
	LOOKUP_STALLED_US = 10 * 1000, /* how often a sign of life is looked for */
	LOOKUP_STALLED_LISTS = 64,
	LOOKUP_STALLED_REVIVED = 128,    /* that go on at one look to a target that is back */
	LOOKUP_RECHECK_US = 1000 * 1000, /* how often suspects that nobody asks are looked for */
};

/* Intrusive free lists: what a question needs is taken and given back without malloc. */
struct spare_list {
	struct spare_item *first;
	struct spare_slab *slabs;
};

#define LOOKUP_COUNTER_MAP(X)                                                                      \
	X(asked, "questions to targets, for clients, ahead of expiry, or of our own")              \
	X(coalesced, "of them that joined one already under way")                                  \
	X(retried, "packets that asked a question again, of the same target or another")           \
	X(mismatched, "replies ignored: they matched no question, or one that was given up")       \
	X(near_missed, "of them that came from the right server to the right port")                \
	X(guarded, "questions asked by TCP as well because of that")                               \
	X(late, "replies to questions that had been answered already")                             \
	X(crowded_out, "questions that left a target because too many waited there")               \
	X(over_limit_outbound, "packets not sent: the outbound endpoint was over its limit")

struct lookups {
	struct wheel *wheel;
	struct entropy *entropy;
	void *transport; /* of send and forget */
	/* Sets flight->socket, then calls flight_choose_id, and sends with that id in the first two
	 * bytes. ERR_SYSTEM: the source cannot be used now; ERR_NOMEM. Must not call back into this
	 * table otherwise. */
	int (*send)(void *transport, struct flight *flight, const uint8_t *wire, size_t length,
		    uint64_t now_us);
	/* The flight is over; the transport may drop what it keeps for it. */
	void (*forget)(void *transport, struct flight *flight);

	void *context; /* of the callbacks that follow */
	/* Called once when a question has come to its end, before its waiters: turns the result
	 * into what they share (a cache entry), or NULL. */
	void *(*on_result)(void *context, void *holder, const struct lookup_key *key,
			   const struct ask_result *result, uint64_t now_us);
	void (*release_value)(void *context, void *value);
	/* So many near misses that somebody may be guessing. May be NULL. Must not call back into
	 * this table. */
	void (*on_near_misses)(void *context, const struct upstream *upstream, uint64_t now_us);
	/* A leg's memory must outlive its lookups and flights: held once for each of them. */
	void (*hold)(void *context, void *holder);
	void (*unhold)(void *context, void *holder);

	struct lookup **buckets;                         /* by key */
	struct flight **flights;                         /* by socket and id */
	struct target_queue *queues[LOOKUP_QUEUE_LISTS]; /* by target: flights there */
	struct stalled *stalled[LOOKUP_STALLED_LISTS];   /* by leg: waiting for a sign of life */
	unsigned stalled_count;
	uint64_t stalled_steps; /* questions that were stalled and go on: what looking costs */
	struct timer stalled_timer;
	/* Suspects that no question brings a probe to are probed from here (upstream/probe.c).
	 * `served` may change at any time; what it has lives as long as its holder, which it does
	 * not hold. registry NULL: nobody does that. */
	struct target_registry *registry;
	const struct served_targets *served;
	void *served_holder;
	struct timer recheck_timer; /* armed only while the registry counts a suspect */
	struct hash_key key;
	bool random_case; /* unless the target is known to change it */
	struct spare_list spare_lookups, spare_flights, spare_stalled, spare_queues;
	unsigned flight_count, lookup_count, lookup_max, target_max;
	unsigned worker; /* its number: whose lots of an endpoint's tokens it uses */
#define X(name, text) uint64_t name;
	LOOKUP_COUNTER_MAP(X)
#undef X
};

MUST_CHECK int lookups_init(struct lookups *table, struct wheel *wheel, struct entropy *entropy,
			    const struct hash_key *key);
/* Ends everything without calling anybody back but forget and unhold; waiters are let go. */
void lookups_release(struct lookups *table);

/* Asks, or joins the same question under way. The waiter hears of the end by on_done, never before
 * this returns. `holder` is what keeps the leg's memory (a policy snapshot). The question gives up
 * at the latest deadline of all waiters it ever had; one with an earlier deadline keeps it itself
 * (lookup_leave, lookup_expire). `may_wait` false: do not wait for a sign of life when every
 * target is suspect, but fail (another leg follows). ERR_LIMIT at lookup_max. */
MUST_CHECK int lookup_ask(struct lookups *table, const struct lookup_key *key, void *holder,
			  struct waiter *waiter, uint64_t deadline_us, bool may_wait,
			  uint64_t now_us);
/* Leaves before the answer; the question itself goes on while others wait for it, and its flights
 * go on counting. Fine when not waiting. */
void lookup_leave(struct waiter *waiter);
/* The waiter's own deadline has come: on_done is called now, with the best result so far. Others
 * go on waiting. */
void lookup_expire(struct waiter *waiter, uint64_t now_us);

/* A datagram or a message of a TCP stream arrived. It is taken for an answer only if socket, peer,
 * id, QR and question match a flight; otherwise it is counted and its question waits on (it may be
 * forged), and is asked by TCP as well after too many (upstream/forgery.c). One that matches and
 * cannot be parsed sends the question to the next target. True when it matched. Writes into the
 * packet: the capitals of our question go back to lower case, in an answer's names too. */
bool lookup_on_reply(struct lookups *table, void *socket, const struct host *peer, uint8_t *wire,
		     size_t length, uint64_t now_us);
/* The transport learned that this flight will get no answer (refused, unreachable, reset). */
void lookup_on_error(struct flight *flight, enum target_error error, uint64_t now_us);
/* Finds the flight for a socket and an id, for errors that quote the packet (IP_RECVERR); or NULL.
 */
struct flight *lookup_find_flight(struct lookups *table, void *socket, uint16_t id);

/* Gives the flight another random id while one of its socket's has the same. */
void flight_choose_id(struct flight *flight);

/* Whether every upstream of the leg is suspect now. */
bool leg_is_dark(const struct leg *leg);

#endif
