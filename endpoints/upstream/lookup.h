/* Questions under way to targets: identical questions share one, and a question that fails at one
 * target of a leg goes on to the next.
 *
 *     waiter ─┐                                  ┌─ flight (socket, id, target 1; sent, silent)
 *     waiter ─┼─► lookup (one upstream question) ┼─ flight (copy)
 *     waiter ─┘                                  └─ flight (target 2)
 *
 * A lookup is one question to one leg. Identical questions join it if they agree on whether to wait
 * for a sign of life. A flight is one packet on its way. It stays in the table until it is answered
 * or fails, or until its target's patience is over and its question has ended, so that a late
 * answer still counts as a sign of life. (A repeat by TCP after a reply with TC ends as soon as
 * patience is over.) If more flights wait at a target than its maximum, one of them leaves
 * (upstream/inflight.c) and its question goes on to the next target: so in the end a question of
 * the greediest client gets SERVFAIL.
 *
 * There are no sockets and no clock in here: `send` is the transport (outbound.h, or a test's), and
 * time comes from the wheel and parameters. */
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
	struct address client; /* that asked; not compared. Family 0: ourselves */
	bool proven;           /* the client's address is proven (query.h); not compared */
};

enum { ASK_EDE_TEXT_MAX = 80 }; /* longer explanations of targets are cut */

struct ask_ede { /* an extended error from a target (RFC 8914) */
	const struct upstream *by;
	uint16_t code;
	char text[ASK_EDE_TEXT_MAX + 1]; /* printable ASCII; '?' for other bytes */
};

enum ask_outcome {
	ASK_ANSWERED,  /* NOERROR, NXDOMAIN or (a DNAME's) YXDOMAIN; every record can be read */
	ASK_TRUNCATED, /* the best reply has TC set; only that is passed on */
	ASK_FAILED,    /* only errors came, or no target could be asked (no source, no room, over a
			  limit); or no target is left to ask now and `may_wait` was false */
	ASK_SILENT,    /* nobody answered before the deadline */
};

enum ask_edns { /* for clients that want DNSSEC */
		ASK_EDNS_FINE,
		ASK_EDNS_NONE,    /* the target has no EDNS: the answer is unsigned */
		ASK_EDNS_REFUSED, /* the target has EDNS, but answered this question only without it
				   */
};

struct ask_said {                /* an error reply of a target */
	enum target_error error; /* NONE: there was no error reply */
	const struct upstream *by;
};

struct ask_result {
	enum ask_outcome outcome;
	const uint8_t *wire; /* ANSWERED: the reply; its question (offset 12) may have capitals */
	size_t length;
	const struct upstream
		*upstream; /* ANSWERED, TRUNCATED: it answered; else the last one tried, or NULL */
	enum target_error error; /* the other outcomes: how the last target failed */
	struct ask_said said; /* the latest error reply, even if other targets were silent later */
	const struct ask_ede *ede; /* of that reply or an earlier error; may be NULL */
	bool hasty;                /* FAILED: nobody answered, and with `may_wait` it would wait */
	bool unretried;            /* TRUNCATED: a limit of ours kept it from being asked by TCP */
	bool sourceless;           /* FAILED: there is no source address to ask any target from */
	enum ask_edns edns;        /* ANSWERED, with DO */
};

#define LOOKUP_TRY_MAP(X)                                                                          \
	X(SILENT, "silent")       /* nothing has come yet */                                       \
	X(ANSWERED, "answered")   /* with `rcode` */                                               \
	X(TRUNCATED, "truncated") /* asked again by TCP, unless this was TCP */                    \
	X(PLAIN, "plain")         /* an error because of our OPT: asked again without */           \
	X(LOWER, "lower")         /* asked again in lower case */                                  \
	X(FAILED, "failed")       /* with `error` */                                               \
	X(UNSENT, "unsent")       /* because of `error`; NONE: no connection, or refused (UDP) */
enum lookup_try_end {
#define X(name, text) LOOKUP_TRY_##name,
	LOOKUP_TRY_MAP(X)
#undef X
};

struct lookup_try {                  /* a packet and its result */
	const struct flight *flight; /* for the table, while it is under way */
	uint64_t sent_us, ended_us;  /* ended_us 0: SILENT, or not sent before its waiter left */
	enum lookup_try_end end;
	enum target_error error;
	uint8_t upstream; /* its index in the leg; the leg may be in other memory than the waiter's
			   */
	uint8_t packets;  /* how often it was sent: TCP repeats it when a connection ends */
	uint8_t rcode;
	bool tcp;
};

enum { LOOKUP_TRIES_MAX = 32 };

/* The history of a question, for a waiter that wants it. All zero at first; the table writes to it
 * until on_done or lookup_leave. */
struct lookup_watch {
	bool joined; /* an older lookup, whose ended packets are not listed */
	unsigned count, dropped;
	struct lookup_try tries[LOOKUP_TRIES_MAX];
};

/* Waits for a lookup; embedded in whatever asks. */
struct waiter {
	struct waiter *next, **link; /* link NULL: not waiting */
	struct lookup *lookup;
	struct lookup_watch *watch; /* NULL, nearly always */
	/* The lookup has ended. `value` is what on_result made of its result; it lives until
	 * on_done returns, unless the callee takes its own reference. */
	void (*on_done)(struct waiter *waiter, void *value, uint64_t now_us);
};

/* A socket that sends questions and receives replies. The transport's own struct begins with it. */
struct lookup_socket {
	struct flight *flights;
};

struct flight { /* one packet on its way */
	struct flight *next_in_bucket;
	struct flight *next_at_socket, **socket_link; /* link NULL: at no socket */
	struct flight *next, **link;                  /* of its lookup */
	struct target_queue *queue;   /* its target's queue, which moves it on when the target is
					 suspect; NULL: none */
	struct fair_queue_item place; /* its place in the queue, by age */
	struct address client;        /* that asked */
	struct lookup *lookup;        /* NULL: a probe, or the question has ended */
	struct lookups *table;
	void *holder; /* keeps the upstream's memory */
	const struct upstream *upstream;
	struct target *target;
	struct target *paid_by; /* for a copy: the target whose token paid for it; the question
				   waits there */
	void *socket;           /* a struct lookup_socket: where the reply must arrive */
	void *parcel;           /* for the transport: what it keeps of this flight */
	uint64_t sent_us;
	uint64_t judge_us;  /* when its silence is judged next; 0: never again */
	struct timer timer; /* for judge_us, the allowance and patience */
	uint64_t missed_us; /* the first near miss counted in `misses` */
	uint16_t id;
	uint8_t index; /* the upstream's, in its leg */
	bool tcp, edns;
	bool cased;          /* has capitals, which a reply by UDP must repeat */
	bool kept;           /* the latest reply repeated the question, letters as sent */
	bool recased;        /* a reply was ignored because of other letters */
	uint8_t misses;      /* near misses within a second of missed_us */
	bool copy;           /* an extra packet, which does not lead its question (failover.c) */
	bool probe;          /* belongs to no question (probe.c) */
	bool counted;        /* in its target's `unanswered` */
	bool past_allowance; /* its question may have been sent elsewhere, too */
	bool overdue;        /* patience is over, but its question has not ended */
	bool replied;        /* it ends with a reply */
	bool gathered;       /* the transport has not sent it yet */
	uint8_t departures;  /* how often it was sent; TCP repeats it when a connection ends */
	uint16_t question_length;
	uint8_t question[MESSAGE_QUESTION_MAX]; /* what the reply must repeat */
};

/* The targets of the served policy: each once, with one upstream that leads to it. Targets of only
 * disabled rules come last. */
struct served_target {
	const struct upstream *upstream;
	const struct rule *rule; /* the first that leads to it; NULL: a route without a rule */
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
	LOOKUP_MAX = 16384,        /* questions in a table, unless lookup_max is set */
	LOOKUP_TARGET_MAX = 16384, /* questions at a target, unless target_max is set */
	LOOKUP_FLIGHTS = 4,        /* flights for each question, on average */
	LOOKUP_SENDS = 3,   /* packets of a question to one upstream (RFC 9520 section 3.1) */
	LOOKUP_PACKETS = 5, /* of a question; after so many, it is not repeated for silence */
	LOOKUP_SPENT_US = 1000 * 1000,  /* an error counts so long for joiners (section 3.2) */
	LOOKUP_SHARED_US = 4000 * 1000, /* others may join a question that is younger */
	LOOKUP_STALLED_US = 10 * 1000,  /* between two looks for a sign of life */
	LOOKUP_STALLED_LISTS = 64,
	LOOKUP_STALLED_REVIVED = 128,    /* questions that go on per look once a target is back */
	LOOKUP_RECHECK_US = 1000 * 1000, /* between two looks for suspects without questions */
};

/* An intrusive free list, which calls malloc only when it is empty. */
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
	X(guarded, "questions asked by TCP as well: a near miss, changed letters, or silence")     \
	X(late, "replies to questions that had ended already")                                     \
	X(crowded_out, "questions that left a target because too many waited there")               \
	X(over_limit_outbound, "packets not sent: the outbound endpoint was over its limit")

struct lookups {
	struct wheel *wheel;
	struct entropy *entropy;
	void *transport; /* the first argument of send and forget */
	/* Sets flight->socket, then calls flight_choose_id, and sends with that id in the first two
	 * bytes. ERR_SYSTEM: the source cannot be used now; ERR_NOMEM. Must not call back into this
	 * table otherwise. */
	int (*send)(void *transport, struct flight *flight, const uint8_t *wire, size_t length,
		    uint64_t now_us);
	/* The flight is over; the transport may drop what it keeps for it. */
	void (*forget)(void *transport, struct flight *flight);

	void *context; /* the first argument of the callbacks that follow */
	/* Called before waiters are told: once when a lookup ends, and for each waiter whose own
	 * deadline comes first (lookup_expire). Turns the result into a value that the waiters
	 * share (a cache entry), or NULL. */
	void *(*on_result)(void *context, void *holder, const struct lookup_key *key,
			   const struct ask_result *result, uint64_t now_us);
	void (*release_value)(void *context, void *value);
	/* There were so many near misses that somebody may be guessing. May be NULL. Must not call
	 * back into this table. */
	void (*on_near_misses)(void *context, const struct upstream *upstream, uint64_t now_us);
	/* Each lookup and flight holds its leg's memory once. */
	void (*hold)(void *context, void *holder);
	void (*unhold)(void *context, void *holder);

	struct lookup **buckets;                         /* by key */
	struct flight **flights;                         /* by socket and id */
	struct target_queue *queues[LOOKUP_QUEUE_LISTS]; /* by target: its flights */
	struct stalled *stalled[LOOKUP_STALLED_LISTS];   /* by leg: waiting for a sign of life */
	unsigned stalled_count;
	uint64_t stalled_steps; /* stalled questions that went on: the cost of looking */
	struct timer stalled_timer;
	/* For probes of suspects that no question needs (upstream/probe.c). `served` may change at
	 * any time; its items live as long as served_holder, which the table does not hold.
	 * registry NULL: no such probes. */
	struct target_registry *registry;
	const struct served_targets *served;
	void *served_holder;
	struct timer recheck_timer; /* armed only while the registry counts a suspect */
	struct hash_key key;
	bool random_case; /* except to targets that change the letters */
	struct spare_list spare_lookups, spare_flights, spare_stalled, spare_queues;
	unsigned flight_count, lookup_count, lookup_max, target_max;
	unsigned worker; /* its number, for its lot of an endpoint's tokens (meter.h) */
#define X(name, text) uint64_t name;
	LOOKUP_COUNTER_MAP(X)
#undef X
};

MUST_CHECK int lookups_init(struct lookups *table, struct wheel *wheel, struct entropy *entropy,
			    const struct hash_key *key);
/* Ends everything; calls only forget and unhold. Waiters are released without on_done. */
void lookups_release(struct lookups *table);

/* Asks, or joins the same question under way. on_done tells the waiter of the end, never before
 * lookup_ask returns. `holder` keeps the leg's memory (a policy snapshot). Nobody joins a question
 * that began LOOKUP_SHARED_US ago or earlier: otherwise new clients could keep an unanswered
 * question alive for ever, with one more flight for each packet, and with the policy of its first
 * waiter. The question gives up at the latest deadline of all waiters that it ever had; a waiter
 * with an earlier deadline keeps that itself (lookup_leave, lookup_expire). `may_wait` false: fail
 * when every target is suspect, instead of waiting for a sign of life (another leg follows).
 * ERR_LIMIT: at lookup_max, or without memory. */
MUST_CHECK int lookup_ask(struct lookups *table, const struct lookup_key *key, void *holder,
			  struct waiter *waiter, uint64_t deadline_us, bool may_wait,
			  uint64_t now_us);
/* Leaves before the answer. The question goes on while others wait for it, and its flights keep
 * counting. Fine when not waiting. */
void lookup_leave(struct waiter *waiter);
/* The waiter's own deadline has come: calls on_done now with the best result so far. Others keep
 * waiting. */
void lookup_expire(struct waiter *waiter, uint64_t now_us);

/* A datagram, or a message of a TCP stream, arrived. It counts as an answer only if socket, peer,
 * id, QR and question match a flight (a bare header with an error needs no question, reply.c).
 * Otherwise it may be forged: it is counted and ignored, and after too many such packets the
 * question is asked by TCP as well (upstream/forgery.c). A match that cannot be parsed sends the
 * question to the next target. True: it matched. Writes into the packet: the capitals of our
 * question become lower case again, in an answer's names too. */
bool lookup_on_reply(struct lookups *table, void *socket, const struct host *peer, uint8_t *wire,
		     size_t length, uint64_t now_us);
/* The transport knows that this flight will get no answer (refused, unreachable, reset). */
void lookup_on_error(struct flight *flight, enum target_error error, uint64_t now_us);
/* Finds the flight for a socket and an id, for errors that quote the packet (IP_RECVERR); or NULL.
 */
struct flight *lookup_find_flight(struct lookups *table, void *socket, uint16_t id);

/* Gives the flight another random id if another flight of its socket has the same. */
void flight_choose_id(struct flight *flight);

/* Whether every upstream of the leg is suspect now. */
bool leg_is_dark(const struct leg *leg);

#endif
