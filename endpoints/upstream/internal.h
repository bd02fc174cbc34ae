/* What the files of upstream share. One test includes this, too.
 *
 *     upstream/lookup.c      the table: asking, joining, leaving, ending
 *     upstream/inflight.c     flights come and go; those that wait at a target
 *     upstream/failover.c         which target is asked next: sending, silence, suspicion
 *     upstream/probe.c          whether a target in doubt, or a suspect, lives
 *     upstream/stalled.c        those that wait for a sign of life
 *     upstream/forgery.c      what keeps forgers out beyond ids and ports
 *     upstream/reply.c        which flight a packet answers, and what its answer is worth
 *     upstream/watch.c        what became of each packet, for waiters that want to know
 *
 * Only lookup_finish and lookup_expire call waiters back. Their callers must not touch the lookup
 * afterwards: the waiters may ask or leave anything. */
#ifndef SLUICE_LOOKUP_INTERNAL_H
#define SLUICE_LOOKUP_INTERNAL_H

#include "endpoints/upstream/lookup.h"

/* The state of a question at one of its upstreams:
 *
 *     UNTRIED ─────────► ASKED, `sends` times ─────────► SPENT
 *        └──────────────────────────────────────────────►─┘
 *
 *     UNTRIED ► ASKED    lookup_send
 *     ASKED   ► ASKED    silence, a network error: other upstreams first, then this one again,
 *                        if may_repeat allows it
 *                        TC: by TCP
 *                        once each, and then in that way:
 *                          plain     without an OPT, after FORMERR, NOTIMP or BADVERS
 *                          lower     in lower case: capitals brought an error, an answer without
 *                                    data, or a reply in other letters
 *                          by_tcp    by TCP, beside: near misses came, or other letters, or
 *                                    nothing until patience was over
 *             ► SPENT    an error that somebody answered; no source, no room, over a limit
 *     SPENT   ► ASKED    a second later, when somebody joins
 *
 * An answer ends the question wherever it is. */
struct attempt {
	uint8_t sends;       /* packets, including copies; 0: UNTRIED */
	bool spent : 1;      /* SPENT: not asked this question again */
	bool sourceless : 1; /* SPENT because no source address can be used */
	bool plain : 1;
	bool told_plain : 1; /* a reply asked for `plain` and repeated the question: no forger's
				guess */
	bool lower : 1;      /* further packets by UDP are in lower case */
	bool sent_lower : 1; /* such a packet has left */
	bool by_tcp : 1;
};

struct lookup {
	struct lookup *next_in_bucket;
	struct lookups *table;
	void *holder;
	struct lookup_key key; /* its name points to `name` */
	uint64_t hash;
	struct waiter *waiters, **last_waiter;
	unsigned watchers; /* waiters with a watch */
	struct flight *flights;
	struct flight *leading;  /* the flight that it waits for; NULL: it has to go on */
	struct stalled *stalled; /* NULL: not stalled */
	struct lookup *next_stalled, **stalled_link;
	struct timer timer; /* the deadline; at once if given_up, or a flight was crowded out */
	uint64_t began_us, deadline_us;
	uint64_t spent_us; /* when an upstream was last spent */
	bool may_wait;
	bool revived;  /* a target is back: does not wait for earlier packets */
	bool answered; /* some target replied, perhaps with an error */
	bool asking;   /* lookup_ask has not returned yet */
	bool given_up, finishing;
	enum target_error error;
	struct ask_said said;    /* the last error reply */
	enum target_error limit; /* OVER, ROOM: our limit refused it; no sign of life helps */
	const struct upstream *last;
	const struct upstream *truncated_by; /* sent a reply with TC; NULL: none did */
	bool unretried;                      /* a limit of ours kept it from being asked by TCP */
	uint8_t packets;                     /* sent so far, including copies */
	struct attempt attempts[LEG_UPSTREAMS_MAX];
	struct name name;
	struct ask_ede ede; /* from the last error that had one; by NULL: none */
};

/* ---- upstream/inflight.c ---- */

/* NULL without memory. */
void *spare_take(struct spare_list *list, size_t size);
void spare_give(struct spare_list *list, void *item);
void spare_release(struct spare_list *list);

/* A flight that the table counts but that is not sent yet; NULL at the limit, or without memory. */
struct flight *flight_new(struct lookups *table, void *holder, const struct upstream *upstream,
			  const struct address *client);
/* The flight asks upstream `index` of the lookup's leg. */
void flight_join(struct flight *flight, struct lookup *lookup, unsigned index);
/* Puts it into the hash, once its socket is known. */
void flight_insert(struct flight *flight);
/* Separates it from its lookup; the flight keeps counting. */
void flight_orphan(struct flight *flight);
/* Takes it out of every list and timer; it no longer leads its lookup. */
void flight_detach(struct flight *flight);
/* After flight_detach. */
void flight_free(struct flight *flight);

/* Counts it as waiting at its target, unless there is no memory for that. */
void flight_wait(struct flight *flight);
void flight_unwait(struct flight *flight); /* fine when it is not counted */
unsigned flights_waiting(struct lookups *table, const struct target *target);
/* NULL: none waits. */
struct flight *flights_oldest(struct lookups *table, const struct target *target);
/* The flight that has to leave because one more waits: the oldest of the greediest client
 * (fair_queue.h), or the newcomer if that flight is about to be answered and the newcomer's client
 * is as greedy. NULL: none. */
struct flight *flights_victim(struct flight *newcomer, uint64_t now_us);

/* ---- lookup.c ---- */

/* The upstream answered with an error or cannot be asked: it does not get this question again. */
static inline void lookup_spend(struct lookup *lookup, unsigned index, uint64_t now_us)
{
	lookup->attempts[index].spent = true;
	lookup->spent_us = now_us;
}
/* Tells every waiter, and frees it. */
void lookup_finish(struct lookup *lookup, const struct ask_result *result, uint64_t now_us);
/* Nothing better will come: ends with TRUNCATED, FAILED or SILENT, now or (while asking) soon. */
void lookup_give_up(struct lookup *lookup, bool deadline, uint64_t now_us);

/* ---- upstream/watch.c; all but watch_join do nothing without a watcher ---- */

void watch_join(struct lookup *lookup, struct lookup_watch *watch);
void watch_note_sent(struct lookup *lookup, const struct flight *flight, uint64_t now_us);
void watch_note_end(struct lookup *lookup, const struct flight *flight, enum lookup_try_end end,
		    unsigned rcode, enum target_error error, uint64_t now_us);
void watch_note_unsent(struct lookup *lookup, unsigned index, enum target_error error,
		       uint64_t now_us);
/* The flight leaves its lookup: notes how often it was sent. */
void watch_note_gone(struct lookup *lookup, const struct flight *flight);
/* The watch ends: notes how often each flight under way was sent, or that it was not. */
void watch_leave(struct lookup *lookup, struct lookup_watch *watch);

static inline void watch_sent(struct lookup *lookup, const struct flight *flight, uint64_t now_us)
{
	if (lookup->watchers)
		watch_note_sent(lookup, flight, now_us);
}
static inline void watch_end(struct lookup *lookup, const struct flight *flight,
			     enum lookup_try_end end, unsigned rcode, enum target_error error,
			     uint64_t now_us)
{
	if (lookup->watchers)
		watch_note_end(lookup, flight, end, rcode, error, now_us);
}
static inline void watch_unsent(struct lookup *lookup, unsigned index, enum target_error error,
				uint64_t now_us)
{
	if (lookup->watchers)
		watch_note_unsent(lookup, index, error, now_us);
}

/* ---- upstream/failover.c ---- */

/* Whether it uses TCP although its upstream uses UDP, as after TC: it says nothing about its
 * target's health. */
static inline bool flight_is_fallback(const struct flight *flight)
{
	return flight->tcp && flight->upstream->protocol == PROTOCOL_UDP;
}

/* A copy by TCP while an answer by UDP is as good: the question does not depend on it. */
static inline bool flight_is_beside(const struct lookup *lookup, const struct flight *flight)
{
	return flight->copy && flight_is_fallback(flight) && lookup->attempts[flight->index].by_tcp;
}

/* Sends the question to one upstream. Unless `copy` is set, the new flight leads if none does.
 * False: it was not sent, and the upstream is spent: this question is not sent to it again. After a
 * copy the upstream is not spent in three cases: its endpoint is over its limit, an earlier flight
 * still waits to leave, or the copy would only have gone beside another flight. */
bool lookup_send(struct lookup *lookup, unsigned index, bool tcp, bool copy, uint64_t now_us);
/* If no flight leads: asks the next target, stalls or gives up. May end the lookup. */
void lookup_go_on(struct lookup *lookup, uint64_t now_us);
void lookup_start(struct lookup *lookup, uint64_t now_us);
bool lookup_is_spent(const struct lookup *lookup);      /* every upstream is spent */
bool lookup_is_sourceless(const struct lookup *lookup); /* every upstream is sourceless */

/* Sends a flight's packet, with a name of `name` bytes; if that fails, the flight is over. Its
 * silence is judged after silence_us; 0: never. */
MUST_CHECK int flight_depart(struct flight *flight, const uint8_t *wire, size_t length, size_t name,
			     uint64_t silence_us, uint64_t now_us);

/* ---- upstream/probe.c ---- */

/* Asks a target's known questions again. Returns how many packets have left. */
unsigned lookup_probe(struct lookups *table, void *holder, const struct upstream *upstream,
		      uint64_t now_us);
/* The question has ended. Targets without known questions may be probed with it later. */
void lookup_miss(const struct lookup *lookup);
/* There is a suspect: probes it from now on even if no question needs it. */
void lookup_recheck(struct lookups *table, uint64_t now_us);
void lookup_on_recheck_timer(struct timer *timer, uint64_t now_us);

/* ---- upstream/stalled.c ---- */

/* Makes it wait for a sign of life, if it does not already; false without memory. */
bool lookup_stall(struct lookup *lookup, uint64_t now_us);
void lookup_unstall(struct lookup *lookup); /* fine when it is not stalled */
/* Sends stalled questions to targets that came back. May end any lookup. */
void lookup_wake(struct lookups *table, uint64_t now_us);
void lookup_on_stalled_timer(struct timer *timer, uint64_t now_us);

/* ---- upstream/forgery.c ---- */

/* Gives the letters of a question from message_write_query random case, if the target repeats
 * letters. */
void forgery_vary_case(struct lookup *lookup, struct flight *flight,
		       uint8_t wire[MESSAGE_QUERY_MAX], uint64_t now_us);

/* A packet from this peer matches none of this socket's questions: counts it against the open
 * questions to that peer, which are asked by TCP as well after FORGERY_MISSES within a second.
 * wrong: it has the id of an open question and another question, so it is not a late answer. */
void forgery_on_near_miss(struct lookups *table, struct lookup_socket *socket,
			  const struct host *peer, bool wrong, uint64_t now_us);
/* A packet matched this flight except for its letters. */
void forgery_on_letters(struct flight *flight, uint64_t now_us);
/* Patience is over for this flight. */
void forgery_on_patience(struct lookup *lookup, const struct flight *flight, uint64_t now_us);
/* The TCP copy has failed, or its patience is over. If letters had changed (forgery_on_letters),
 * UDP is then asked in lower case, if it was not yet. Does nothing for an overdue flight, which
 * was handled already. */
void forgery_on_no_tcp(struct lookup *lookup, const struct flight *flight, uint64_t now_us);

bool forgery_look(const struct flight *flight, const uint8_t *wire, uint64_t now_us);
/* Notes what a matching reply shows about its target and letters. True: the capitals may be the
 * reason for the reply, so ask in lower case. */
static inline bool forgery_on_reply(const struct flight *flight, const uint8_t *wire, size_t length,
				    uint64_t now_us)
{
	return flight->cased && length > MESSAGE_HEADER && forgery_look(flight, wire, now_us);
}

#endif
