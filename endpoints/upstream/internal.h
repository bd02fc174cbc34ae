/* What the files of upstream share; nobody else includes this.
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
 * Only lookup_finish calls back to those who ask. It is the last thing its callers do with a
 * lookup: by the time it returns, anything may have been asked or left. */
#ifndef SLUICE_LOOKUP_INTERNAL_H
#define SLUICE_LOOKUP_INTERNAL_H

#include "endpoints/upstream/lookup.h"

/* What has come of a question at one of its upstreams:
 *
 *     UNTRIED ─────────► ASKED, `sends` times ─────────► SPENT
 *        └──────────────────────────────────────────────►─┘
 *
 *     UNTRIED ► ASKED    lookup_send
 *     ASKED   ► ASKED    silence, a network error: others first, then here again, where it may be
 *                        TC: by TCP
 *                        once each, and then in that way:
 *                          plain     without an OPT: FORMERR or NOTIMP to one with it
 *                          lower     in lower case: what capitals brought was worth nothing, or
 *                                    had other letters
 *                          by_tcp    by TCP, beside: near misses came, or other letters, or
 *                                    nothing until patience was over
 *             ► SPENT    an error that somebody answered; no source, no room, over a limit
 *     SPENT   ► ASKED    a second later, when somebody joins
 *
 * An answer ends the question wherever it is. */
struct attempt {
	uint8_t sends;       /* packets, copies and all; 0: UNTRIED */
	bool spent : 1;      /* SPENT: not to be asked this again */
	bool sourceless : 1; /* because there is no source address to ask it from */
	bool plain : 1;
	bool told_plain : 1; /* and it repeated the question, so that it was no forger's guess */
	bool lower : 1;
	bool by_tcp : 1;
};

struct lookup {
	struct lookup *next_in_bucket;
	struct lookups *table;
	void *holder;
	struct lookup_key key; /* its name is the one below */
	uint64_t hash;
	struct waiter *waiters, **last_waiter;
	unsigned watchers; /* waiters that watch */
	struct flight *flights;
	struct flight *leading;  /* the flight it is waiting for; NULL: it has to go on */
	struct stalled *stalled; /* NULL: not stalled */
	struct lookup *next_stalled, **stalled_link;
	struct timer timer; /* the deadline, or (given_up) at once */
	uint64_t deadline_us;
	uint64_t spent_us; /* when the last upstream was */
	bool may_wait;
	bool revived;  /* a target is back: what was sent before that is not waited for */
	bool answered; /* somebody said something, if only SERVFAIL */
	bool asking;   /* lookup_ask has not returned yet */
	bool given_up, finishing;
	enum target_error error;
	struct ask_said said;    /* an error that somebody answered with */
	enum target_error limit; /* what turned it away, OVER or ROOM: no sign of life mends that */
	const struct upstream *last;
	const struct upstream *truncated_by; /* gave a reply with TC; NULL: nobody */
	uint8_t packets;                     /* that it has been so far, copies and all */
	struct attempt attempts[LEG_UPSTREAMS_MAX];
	struct name name;
	struct ask_ede ede; /* of the last error that had one; by NULL: none */
};

/* ---- upstream/inflight.c ---- */

/* NULL without memory. */
void *spare_take(struct spare_list *list, size_t size);
void spare_give(struct spare_list *list, void *item);
void spare_release(struct spare_list *list);

/* A flight in the table's books but not sent yet; NULL at the limit. */
struct flight *flight_new(struct lookups *table, void *holder, const struct upstream *upstream,
			  const struct address *client);
/* It asks this question of its leg's upstream `index`. */
void flight_join(struct flight *flight, struct lookup *lookup, unsigned index);
/* Into the hash, once its socket is known. */
void flight_insert(struct flight *flight);
/* Parts it from its lookup; the flight keeps counting. */
void flight_orphan(struct flight *flight);
/* Out of every list and timer; it no longer leads its lookup. */
void flight_detach(struct flight *flight);
/* After flight_detach. */
void flight_free(struct flight *flight);

/* Counts it at its target; without memory it is not counted. */
void flight_wait(struct flight *flight);
void flight_unwait(struct flight *flight); /* fine when it is not counted */
unsigned flights_waiting(struct lookups *table, const struct target *target);
/* NULL: none waits. */
struct flight *flights_oldest(struct lookups *table, const struct target *target);
/* Which one has to go, now that one more waits: the oldest of a greedy client's (fair_queue.h), or
 * the newcomer where that one is about to be answered and the newcomer's client is as greedy. NULL:
 * none. */
struct flight *flights_victim(struct flight *newcomer, uint64_t now_us);

/* ---- lookup.c ---- */

/* Not to be asked this again: it has answered with an error, or cannot be asked. */
static inline void lookup_spend(struct lookup *lookup, unsigned index, uint64_t now_us)
{
	lookup->attempts[index].spent = true;
	lookup->spent_us = now_us;
}
/* Tells every waiter, and frees it. */
void lookup_finish(struct lookup *lookup, const struct ask_result *result, uint64_t now_us);
/* Nothing better will come: TRUNCATED, FAILED or SILENT, now or (while asking) soon. */
void lookup_give_up(struct lookup *lookup, bool deadline, uint64_t now_us);

/* ---- upstream/watch.c; but for the first, nothing where nobody watches ---- */

void watch_join(struct lookup *lookup, struct lookup_watch *watch);
void watch_note_sent(struct lookup *lookup, const struct flight *flight, uint64_t now_us);
void watch_note_end(struct lookup *lookup, const struct flight *flight, enum lookup_try_end end,
		    unsigned rcode, enum target_error error, uint64_t now_us);
void watch_note_unsent(struct lookup *lookup, unsigned index, enum target_error error,
		       uint64_t now_us);
/* The flight leaves its lookup: how often it was sent is known now. */
void watch_note_gone(struct lookup *lookup, const struct flight *flight);
/* The waiter leaves: the same of all that are under way. What has not left then was not sent. */
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

/* Whether it is TCP only because a UDP reply was truncated: says nothing of its target's health. */
static inline bool flight_is_fallback(const struct flight *flight)
{
	return flight->tcp && flight->upstream->protocol == PROTOCOL_UDP;
}

/* By TCP while UDP's answer would do as well: the question does not depend on it. */
static inline bool flight_is_beside(const struct lookup *lookup, const struct flight *flight)
{
	return flight->copy && flight_is_fallback(flight) && lookup->attempts[flight->index].by_tcp;
}

/* Sends the question to one upstream; when nothing leads, the new flight does. False: it could not
 * be sent, and the upstream is spent. */
bool lookup_send(struct lookup *lookup, unsigned index, bool tcp, bool copy, uint64_t now_us);
/* Unless a flight leads: to the next target, or stalled, or given up. May end the lookup. */
void lookup_go_on(struct lookup *lookup, uint64_t now_us);
void lookup_start(struct lookup *lookup, uint64_t now_us);
bool lookup_is_spent(const struct lookup *lookup);      /* every upstream is */
bool lookup_is_sourceless(const struct lookup *lookup); /* likewise */

/* The packet of a flight leaves, its name being `name` bytes long; where it cannot the flight is
 * over. Its silence says something of its target after silence_us; 0: it never does. */
MUST_CHECK int flight_depart(struct flight *flight, const uint8_t *wire, size_t length, size_t name,
			     uint64_t silence_us, uint64_t now_us);

/* ---- upstream/probe.c ---- */

/* Asks a target's known questions again. Returns how many packets have left. */
unsigned lookup_probe(struct lookups *table, void *holder, const struct upstream *upstream,
		      uint64_t now_us);
/* The question has ended. Targets that have never answered may be probed with it later. */
void lookup_miss(const struct lookup *lookup);
/* There is a suspect: from now on it is probed even if no question brings that about. */
void lookup_recheck(struct lookups *table, uint64_t now_us);
void lookup_on_recheck_timer(struct timer *timer, uint64_t now_us);

/* ---- upstream/stalled.c ---- */

/* Waits for a sign of life, if it does not already; false without memory. */
bool lookup_stall(struct lookup *lookup, uint64_t now_us);
void lookup_unstall(struct lookup *lookup); /* fine when it is not stalled */
/* Looks whether targets came back: what waits for one goes there. May end any lookup. */
void lookup_wake(struct lookups *table, uint64_t now_us);
void lookup_on_stalled_timer(struct timer *timer, uint64_t now_us);

/* ---- upstream/forgery.c ---- */

/* Puts letters in random case into a question as message_write_query wrote it, where the target is
 * one for that. */
void forgery_vary_case(struct lookup *lookup, struct flight *flight,
		       uint8_t wire[MESSAGE_QUERY_MAX], uint64_t now_us);

/* A packet came to this socket from this peer, and matches nothing there: counted against what is
 * open there, which is asked by TCP as well after FORGERY_MISSES within a second. wrong: it has an
 * open question's id and another question, so it is no late answer. */
void forgery_on_near_miss(struct lookups *table, struct lookup_socket *socket,
			  const struct host *peer, bool wrong, uint64_t now_us);
/* One matched this flight by everything but its letters. */
void forgery_on_letters(struct flight *flight, uint64_t now_us);
/* Nothing has come for as long as patience. */
void forgery_on_patience(struct lookup *lookup, const struct flight *flight, uint64_t now_us);
/* The TCP copy has failed, or has been silent for as long as patience. Where forgery_on_letters was
 * called before, UDP is then asked in lower case. An overdue flight has done this already. */
void forgery_on_no_tcp(struct lookup *lookup, const struct flight *flight, uint64_t now_us);

bool forgery_look(const struct flight *flight, const uint8_t *wire, uint64_t now_us);
/* What a reply that matches shows of what its target does with letters. True: they may be the
 * reason for what it says, and the question is to be asked in lower case. */
static inline bool forgery_on_reply(const struct flight *flight, const uint8_t *wire, size_t length,
				    uint64_t now_us)
{
	return flight->cased && length > MESSAGE_HEADER && forgery_look(flight, wire, now_us);
}

#endif
