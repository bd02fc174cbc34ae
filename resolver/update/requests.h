/* Requests to update (RFC 2136) on their way from a worker to the control thread, which alone
 * changes data, and back. The mirror of questions of our own (resolve/ask.h):
 *
 *     worker                                                 control thread
 *     updates_start ─► TSIG ─► request ─► the queue ──wake─► update_requests_take ─► replays
 *                       │ bad                                                          │ new
 *         reply ◄───────┴── updates_work ◄─wake── the worker's stack ◄── ..._answer ◄── judged,
 *                                                                                      stored
 *
 * The control thread gets all that wait in one go, in the order of their arrival, and gives each
 * its end. Between two workers the order is that of their pushes; what a client sends by UDP
 * without waiting for an answer may come to both. Nothing but the client of an
 * update waits for it.
 *
 * **Silence.** Clients come again after silence, and take every error for the last word. So what
 * finds the queue full (UPDATE_REQUESTS_MAX, of all workers together; for a request without a
 * signature, half of that) or closed, has no answer after UPDATE_PATIENCE_US, or is under way when
 * its worker ends gets none; by TCP its connection is closed.
 *
 * **Life.** A query is its worker's and ends there, by the answer or by one of those. A request is
 * a copy of all that the control thread has to know, and leads to nothing of the worker's but the
 * stack that it goes back by, and not even there once the worker has ended, which the control
 * thread waits for (worker_stop). So clients, listeners, policies and workers may go while it is
 * with the control thread. */
#ifndef SLUICE_UPDATE_REQUESTS_H
#define SLUICE_UPDATE_REQUESTS_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "endpoints/query.h"
#include "endpoints/wheel.h"
#include "resolver/hold.h"
#include "resolver/stack.h"
#include "resolver/stats.h"
#include "resolver/transfer/tsig.h"
#include "resolver/update/replay.h"
#include "rules/policy/policy.h"

enum {
	UPDATE_REQUESTS_MAX = 4096, /* from all workers, not answered yet */
	UPDATE_MESSAGE_MAX = 8192,  /* bytes; of more it is REFUSED */
	UPDATE_PATIENCE_US = 30 * 1000 * 1000,
};

struct update_request {
	struct update_request *next; /* of those taken together; then the control thread's */
	const uint8_t *packet;       /* as it came, with its TSIG */
	size_t packet_length;
	struct host client; /* by TCP without its port */
	bool tcp;
	/* Where it arrived, by the names that policies have: the inbound endpoint, NULL: the VNet
	 * resolver; the network, NULL: none; and the address that it was sent to. */
	const char *endpoint, *network;
	struct address local;
	uint64_t arrived_us;
	/* Of the key that it was signed with, which was verified: the name, wire, in lower case.
	 * key_length 0: it is not signed, and the rest is nothing. */
	size_t key_length;
	uint8_t key[NAME_WIRE_MAX];
	uint64_t signed_s;
	size_t mac_length;
	uint8_t mac[TSIG_MAC_MAX];
};

/* ---- the control thread's side ---- */

struct update_requests {
	struct stack arrived;
	atomic_uint open;   /* not back at their workers */
	atomic_bool closed; /* all that comes is left without an answer */
	/* The control thread's: */
	struct replays replays;
	unsigned taken; /* and not ended yet */
};

void update_requests_init(struct update_requests *requests, const struct hash_key *hash,
			  uint64_t now_s);
/* Workers have ended, and what was taken has its end. */
void update_requests_release(struct update_requests *requests);
/* All that have come, by `next`, the oldest first; NULL: none. Replays are not among them. Each is
 * ended by one of the two below, in any order, at any time. */
struct update_request *update_requests_take(struct update_requests *requests, uint64_t now_s);
/* Answers it, and frees the request. RCODE_BADTIME: only to a request that is signed. */
void update_request_answer(struct update_requests *requests, struct update_request *request,
			   enum rcode rcode);
/* Leaves it without an answer: the next of the same bytes is a new one. */
void update_request_drop(struct update_requests *requests, struct update_request *request);
/* From now on nothing is taken: another process has the data. Those that wait are dropped, and
 * their clients come to that process. Those that were taken are their owner's to end. */
void update_requests_close(struct update_requests *requests);
/* Drops what nobody has taken. */
void update_requests_drop_all(struct update_requests *requests);

/* ---- a worker's side ---- */

struct update_wait;

struct updates { /* of one worker; the caller sets the first part */
	struct update_requests *requests;
	struct wheel *wheel;
	uint8_t *buffer; /* MESSAGE_MAX bytes */
	uint64_t (*time_of_day_s)(void);
	void (*wake)(void *context); /* the control thread */
	void *context;
	void (*wake_worker)(void *worker); /* which then calls updates_work; any thread */
	void *worker;
	struct stack answers;
	struct update_wait *waits; /* requests that are not back */
};

/* Takes the query over, which is a request to update, and holds the policy until it ends; it counts
 * at `stats`. Its binding is a struct query_binding. */
void updates_start(struct updates *updates, struct query *query, struct policy_hold *hold,
		   struct place place, struct endpoint_stats *stats);
/* Sends the answers that have come back. */
void updates_work(struct updates *updates);
/* The worker ends, while the control thread waits for it: ends all that are under way. */
void updates_abandon(struct updates *updates);

#endif
