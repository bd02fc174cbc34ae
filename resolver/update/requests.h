/* Requests to update (RFC 2136) on their way from a worker to the control thread, which alone
 * changes data, and back. This mirrors our own questions (resolve/ask.h):
 *
 *     worker                                                 control thread
 *     updates_start ─► TSIG ─► request ─► the queue ──wake─► update_requests_take ─► replays
 *                       │ bad                                                          │ new
 *         reply ◄───────┴── updates_work ◄─wake── the worker's stack ◄── ..._answer ◄── judged,
 *                                                                                      stored
 *
 * The control thread takes all waiting requests at once, in the order of arrival, and must end
 * each. Between two workers the order of pushes counts; requests that a client sends by UDP without
 * waiting may come to both. Only the client of an update waits for it.
 *
 * **Silence.** Clients retry after silence, but may give up after an error. So a request gets no
 * answer if the queue is full (UPDATE_REQUESTS_MAX of all workers together; half of that for
 * unsigned requests) or closed, if there is no answer after UPDATE_PATIENCE_US, and if its worker
 * ends first. By TCP its connection is closed.
 *
 * **Lifetime.** A query belongs to its worker and ends there, with an answer or in silence. A
 * request is a copy of everything that the control thread needs. It refers only to the worker's
 * stack for its return, and not even to that once the worker has ended, which the control thread
 * waits for (worker_stop). So clients, listeners, policies and workers may go while the control
 * thread has the request. */
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
	UPDATE_REQUESTS_MAX = 4096, /* of all workers, not ended yet */
	UPDATE_MESSAGE_MAX = 8192,  /* bytes; a longer one is REFUSED */
	UPDATE_PATIENCE_US = 30 * 1000 * 1000,
};

struct update_request {
	struct update_request *next; /* among those taken together; then for the control thread */
	const uint8_t *packet;       /* as received, with its TSIG */
	size_t packet_length;
	struct host client; /* by TCP without a port */
	bool tcp;
	/* Where it arrived, with the policy's names: the inbound endpoint (NULL: the VNet
	 * resolver), the network (NULL: none), and the destination address. */
	const char *endpoint, *network;
	struct address local;
	uint64_t arrived_us;
	/* The name of the verified key, wire, in lower case, and its signature. key_length 0: the
	 * request is not signed, and the members below are not set. */
	size_t key_length;
	uint8_t key[NAME_WIRE_MAX];
	uint64_t signed_s;
	size_t mac_length;
	uint8_t mac[TSIG_MAC_MAX];
};

/* ---- the control thread's side ---- */

struct update_requests {
	struct stack arrived;
	atomic_uint open;   /* requests not back at their workers */
	atomic_bool closed; /* new requests get no answer */
	/* For the control thread: */
	struct replays replays;
	unsigned taken; /* requests taken and not ended */
};

void update_requests_init(struct update_requests *requests, const struct hash_key *hash,
			  uint64_t now_s);
/* Call it when the workers have ended and every taken request has its end. */
void update_requests_release(struct update_requests *requests);
/* Takes all new requests except replays, linked by `next`, the oldest first; NULL: none. End each
 * with one of the two functions below, in any order, at any time. */
struct update_request *update_requests_take(struct update_requests *requests, uint64_t now_s);
/* Answers a request and frees it. RCODE_BADTIME: only for a signed request. */
void update_request_answer(struct update_requests *requests, struct update_request *request,
			   enum rcode rcode);
/* Frees a request without an answer: the same bytes are new the next time. */
void update_request_drop(struct update_requests *requests, struct update_request *request);
/* Takes nothing from now on, because another process has the data. Drops waiting requests; their
 * clients retry at that process. Taken requests must still be ended. */
void update_requests_close(struct update_requests *requests);
/* Drops requests that were not taken. */
void update_requests_drop_all(struct update_requests *requests);

/* ---- a worker's side ---- */

struct update_wait;

struct updates { /* one worker's; the caller sets the members up to `worker` */
	struct update_requests *requests;
	struct wheel *wheel;
	uint8_t *buffer; /* MESSAGE_MAX bytes */
	uint64_t (*time_of_day_s)(void);
	void (*wake)(void *context); /* wakes the control thread */
	void *context;
	void (*wake_worker)(void *worker); /* makes the worker call updates_work; any thread */
	void *worker;
	struct stack answers;
	struct update_wait *waits; /* requests that are not back yet */
};

/* Takes over a query that is a request to update, holds the policy until it ends, and counts it at
 * `stats`. Its binding must be a struct query_binding. */
void updates_start(struct updates *updates, struct query *query, struct policy_hold *hold,
		   struct place place, struct endpoint_stats *stats);
/* Sends the returned answers. */
void updates_work(struct updates *updates);
/* Ends all requests under way, because the worker ends; the control thread waits meanwhile. */
void updates_abandon(struct updates *updates);

#endif
