/* The resolver's core alone: the real resolve, compose, cache, lookups and target code, a transport
 * that only notes the packets, and a clock that the test moves. No sockets, no threads, no
 * sleeping. */
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

struct stage_packet { /* a packet to an upstream */
	struct lookup_socket socket;
	struct stage_packet *next;
	struct flight *flight; /* NULL: it is over */
	struct address source;
	struct host peer;
	bool tcp;
	uint64_t sent_us;
	size_t length;
	uint8_t wire[MESSAGE_QUERY_MAX];
	bool seen, answered; /* for the story */
};

struct stage_client { /* a client's question, and its answer */
	struct stage_client *next;
	char name[STAGE_CLIENT_NAME];
	struct query query;
	unsigned answers; /* how often query_finish was called */
	bool seen;        /* for the story */
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
	struct host unreachable[STAGE_DARK_MAX]; /* sending to or from these fails */
	unsigned unreachable_count;
	struct address asker; /* the next question's source; family 0: none */
};

struct stage *stage_new(void);
void stage_free(struct stage *stage); /* NULL is fine; abandons waiting queries */

/* Compiles the model after the former policy, like a reload; keeps nothing of the model. False
 * without memory. */
bool stage_load(struct stage *stage, const struct model *model);
const struct policy *stage_policy(const struct stage *stage);
/* The sums of all counters. */
const struct stats *stage_stats(struct stage *stage);

/* Sends a request: reads it like inbound, and resolves it at `place`. NULL: inbound would not hand
 * it over. */
struct stage_client *stage_ask(struct stage *stage, const char *name, struct place place,
			       const uint8_t *request, size_t length, bool tcp);
struct stage_client *stage_find_client(const struct stage *stage, const char *name);

/* Frees answered clients and ended packets. */
void stage_tidy(struct stage *stage);

/* Lets `us` microseconds pass, and fires each due timer at its time. */
void stage_pass(struct stage *stage, uint64_t us);

#endif
