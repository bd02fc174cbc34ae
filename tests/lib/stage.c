#include "tests/lib/stage.h"
#include "tests/lib/random.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { STAGE_BEGIN_US = 1000 * 1000 * 1000, STAGE_CACHE_BYTES = 8 << 20 };

/* ---- the transport ---- */

static bool is_unreachable(const struct stage *stage, const struct upstream *upstream)
{
	for (unsigned i = 0; i < stage->unreachable_count; i++)
		if (host_equal(&stage->unreachable[i], &upstream->host) ||
		    address_equal(&stage->unreachable[i].address, &upstream->source))
			return true;
	return false;
}

/* Every packet has a socket of its own: the packet is the socket. */
static int on_send(void *transport, struct flight *flight, const uint8_t *wire, size_t length,
		   uint64_t now_us)
{
	struct stage *stage = transport;

	if (is_unreachable(stage, flight->upstream))
		return ERR_SYSTEM;
	struct stage_packet *packet = calloc(1, sizeof *packet);
	if (!packet)
		return ERR_SYSTEM;
	assert(length <= sizeof packet->wire);
	packet->flight = flight;
	packet->source = flight->upstream->source;
	packet->peer = flight->upstream->host;
	packet->tcp = flight->tcp;
	packet->sent_us = now_us;
	packet->length = length;
	memcpy(packet->wire, wire, length);
	*stage->last_packet = packet;
	stage->last_packet = &packet->next;
	flight->socket = packet;
	flight->departures = 1;
	return 0;
}

static void on_forget(void *transport, struct flight *flight)
{
	struct stage_packet *packet = flight->socket;

	(void)transport;
	packet->flight = NULL;
}

/* ---- policies ---- */

static void on_idle(struct policy_hold *hold)
{
	struct stage_hold *stage_hold = (struct stage_hold *)hold;

	snapshot_free(stage_hold->snapshot);
	free(stage_hold);
}

bool stage_load(struct stage *stage, const struct model *model)
{
	struct stage_hold *before = stage->hold, *hold = calloc(1, sizeof *hold);
	struct policy *policy =
		policy_compile(model, &stage->key, before ? before->hold.policy : NULL);

	if (hold && policy)
		hold->snapshot = snapshot_new(policy, stage->registry, stage->meters, NULL, model);
	if (!hold || !hold->snapshot) {
		free(hold);
		return false;
	}
	hold->hold = (struct policy_hold){
		.policy = hold->snapshot->policy,
		.cache = model->cache,
		.users = 1,
		.on_idle = on_idle,
	};
	stage->hold = hold;
	if (before)
		policy_hold_give(&before->hold);
	return true;
}

const struct policy *stage_policy(const struct stage *stage)
{
	return stage->hold->hold.policy;
}

/* ---- clients ---- */

static void on_finish(struct query *query, const uint8_t *reply, size_t length)
{
	struct stage_client *client = query->origin;

	client->answers++;
	client->reply_length = length;
	if (length)
		memcpy(client->reply, reply, length);
}

/* As in inbound. */
static size_t limit_of(const struct stage *stage, const struct query *query)
{
	uint32_t most = stage_policy(stage)->udp_payload_max;

	if (query->tcp)
		return MESSAGE_MAX;
	return query->request.payload < most ? query->request.payload : most;
}

struct stage_client *stage_ask(struct stage *stage, const char *name, struct place place,
			       const uint8_t *request, size_t length, bool tcp)
{
	struct stage_client *client = calloc(1, sizeof *client);
	enum rcode rcode;

	if (!client)
		return NULL;
	struct query *query = &client->query;
	snprintf(client->name, sizeof client->name, "%s", name);
	query->finish = on_finish;
	query->origin = client;
	query->client = stage->asker;
	query->arrived_us = stage->now_us;
	query->tcp = query->proven = tcp;
	if (message_read_request(&query->request, &query->name, &stage->key, request, length,
				 &rcode) != REQUEST_FINE) {
		free(client);
		return NULL;
	}
	memcpy(query->question, request + MESSAGE_HEADER, query->request.question_length);
	query->limit = limit_of(stage, query);
	client->next = stage->clients;
	stage->clients = client;
	resolve_arrive(&stage->resolver, query, &stage->hold->hold, place, &stage->endpoint);
	for (unsigned pass = 1; pass < RESOLVE_PASSES; pass++)
		resolve_expect(query, pass);
	resolve_start(query, stage->now_us);
	return client;
}

struct stage_client *stage_find_client(const struct stage *stage, const char *name)
{
	for (struct stage_client *client = stage->clients; client; client = client->next)
		if (strcmp(client->name, name) == 0)
			return client;
	return NULL;
}

void stage_tidy(struct stage *stage)
{
	struct stage_client **client = &stage->clients;
	struct stage_packet **packet = &stage->packets;

	while (*client) {
		struct stage_client *at = *client;

		if (!at->answers) {
			client = &at->next;
			continue;
		}
		*client = at->next;
		free(at);
	}
	while (*packet) {
		struct stage_packet *at = *packet;

		if (at->flight) {
			packet = &at->next;
			continue;
		}
		*packet = at->next;
		free(at);
	}
	stage->last_packet = packet;
}

/* ---- the stage ---- */

void stage_pass(struct stage *stage, uint64_t us)
{
	uint64_t end = stage->now_us + us;

	while (stage->now_us < end) {
		uint64_t next = wheel_next_us(&stage->wheel);

		if (next <= stage->now_us)
			next = stage->now_us + 1;
		stage->now_us = next < end ? next : end;
		wheel_advance(&stage->wheel, stage->now_us);
	}
}

struct stage *stage_new(void)
{
	struct stage *stage = calloc(1, sizeof *stage);

	if (!stage)
		return NULL;
	stage->now_us = STAGE_BEGIN_US;
	stage->key = (struct hash_key){1, 2}; /* as in config_text.c */
	stage->random = 0x5eed;
	stage->last_packet = &stage->packets;
	wheel_init(&stage->wheel, stage->now_us);
	entropy_init_seeded(&stage->entropy, &stage->random);
	stage->registry = target_registry_new();
	stage->meters = meter_registry_new(&stage->key);
	stage->cache = cache_new(STAGE_CACHE_BYTES);
	if (!stage->registry || !stage->meters || !stage->cache ||
	    lookups_init(&stage->lookups, &stage->wheel, &stage->entropy, &stage->key) != 0) {
		cache_free(stage->cache);
		target_registry_free(stage->registry);
		meter_registry_free(stage->meters);
		free(stage);
		return NULL;
	}
	stage->lookups.transport = stage;
	stage->lookups.send = on_send;
	stage->lookups.forget = on_forget;
	resolver_init(&stage->resolver, &stage->wheel, &stage->lookups, stage->cache, &stage->stats,
		      &stage->key);
	return stage;
}

const struct stats *stage_stats(struct stage *stage)
{
	memset(&stage->summed, 0, sizeof stage->summed);
	stats_sum(&stage->summed, &stage->stats);
	stats_sum_endpoint(&stage->summed, &stage->endpoint);
	return &stage->summed;
}

void stage_free(struct stage *stage)
{
	if (!stage)
		return;
	resolver_abandon(&stage->resolver);
	lookups_release(&stage->lookups);
	if (stage->hold)
		policy_hold_give(&stage->hold->hold);
	cache_free(stage->cache);
	target_registry_free(stage->registry);
	meter_registry_free(stage->meters);
	while (stage->packets) {
		struct stage_packet *packet = stage->packets;

		stage->packets = packet->next;
		free(packet);
	}
	while (stage->clients) {
		struct stage_client *client = stage->clients;

		stage->clients = client->next;
		free(client);
	}
	free(stage);
}
