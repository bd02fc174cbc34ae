/* The resolver's core with nothing around it: the real resolve, compose, cache, lookups and target
 * code, a transport that only writes down what was sent, and a clock that stands still until it is
 * moved. No sockets, no threads, no sleeping. */
#ifndef SLUICE_TESTS_STAGE_H
#define SLUICE_TESTS_STAGE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "endpoints/entropy.h"
#include "endpoints/query.h"
#include "endpoints/upstream/lookup.h"
#include "endpoints/wheel.h"
#include "resolver/resolve/resolve.h"
#include "resolver/server/snapshot.h"

enum { STAGE_CLIENT_NAME = 24, STAGE_DARK_MAX = 16 };

struct stage_packet { /* that went out to an upstream */
	struct lookup_socket socket;
	struct stage_packet *next;
	struct flight *flight; /* NULL: it is over */
	struct address source;
	struct host peer;
	bool tcp;
	uint64_t sent_us;
	size_t length;
	uint8_t wire[MESSAGE_QUERY_MAX];
	bool seen, answered; /* for whoever tells the story */
};

struct stage_client { /* a question of somebody's, and its answer */
	struct stage_client *next;
	char name[STAGE_CLIENT_NAME];
	struct query query;
	unsigned answers; /* query_finish was called so often */
	bool seen;        /* for whoever tells the story */
	size_t reply_length;
	uint8_t reply[MESSAGE_MAX];
};

struct stage_hold {
	struct policy_hold hold; /* first */
	struct snapshot *snapshot;
};

struct stage {
	uint64_t now_us;
	struct hash_key key;
	uint64_t random;
	struct wheel wheel;
	struct entropy entropy;
	struct lookups lookups;
	struct target_registry *registry;
	struct meter_registry *meters;
	struct cache *cache;
	struct stats stats, summed; /* see stage_stats */
	struct endpoint_stats endpoint;
	struct resolver resolver;
	struct stage_hold *hold; /* the policy that new queries get */
	struct stage_packet *packets, **last_packet;
	struct stage_client *clients;            /* the newest first */
	struct host unreachable[STAGE_DARK_MAX]; /* sending to these fails, or from them */
	unsigned unreachable_count;
	struct address asker; /* where the next question comes from; family 0: from nowhere */
};

struct stage *stage_new(void);
void stage_free(struct stage *stage); /* NULL is fine; whoever still waits is abandoned */

/* Compiles the model, which is not needed afterwards, with the policy before as its predecessor, as
 * a reload does. False without memory. */
bool stage_load(struct stage *stage, const struct model *model);
const struct policy *stage_policy(const struct stage *stage);
/* All that has been counted by now. */
const struct stats *stage_stats(struct stage *stage);

/* Sends a request in: read as inbound reads it, resolved at `place`. NULL when the request is one
 * that inbound would not hand on. */
struct stage_client *stage_ask(struct stage *stage, const char *name, struct place place,
			       const uint8_t *request, size_t length, bool tcp);
struct stage_client *stage_find_client(const struct stage *stage, const char *name);

/* Frees clients that were answered, and packets that are over. */
void stage_tidy(struct stage *stage);

/* Fires every timer that is due until then, each at its time. */
void stage_pass(struct stage *stage, uint64_t us);

#endif
