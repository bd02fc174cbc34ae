/* Builds routes: the cross product of sources and servers, in the order of asking, cut into legs at
 * servers that are our own inbound endpoints.
 *
 *     sources  A, B      servers  1, us, 2
 *     legs     [ A1 ] [ enter us ] [ A2 B1 B2 ]
 *
 * Our own endpoint is entered once, at the first source's turn, because the source makes no
 * difference there. */
#include "rules/policy/ruleset.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

static uint64_t hash_address(const struct hash_key *key, uint64_t seed,
			     const struct address *address)
{
	seed = hash_bytes(key, seed, &address->family, 1);
	return hash_bytes(key, seed, address->bytes, sizeof address->bytes);
}

static uint64_t hash_host(const struct hash_key *key, uint64_t seed, const struct host *host)
{
	seed = hash_address(key, seed, &host->address);
	return hash_bytes(key, seed, &host->port, sizeof host->port);
}

static uint64_t hash_upstream(const struct hash_key *key, uint64_t seed,
			      const struct upstream *upstream)
{
	uint8_t protocol = (uint8_t)upstream->protocol;

	seed = hash_address(key, seed, &upstream->source);
	seed = hash_host(key, seed, &upstream->host);
	return hash_bytes(key, seed, &protocol, 1);
}

static int compare_hosts(const void *left, const void *right)
{
	const struct host *a = &((const struct route_self *)left)->host;
	const struct host *b = &((const struct route_self *)right)->host;
	int order = address_compare(&a->address, &b->address);

	return order ? order : a->port - b->port;
}

static int compare_selves(const void *left, const void *right)
{
	const struct route_self *a = left, *b = right;
	int order = compare_hosts(a, b);

	return order ? order : a->order < b->order ? -1 : a->order > b->order;
}

size_t route_sort_selves(struct route_self *selves, size_t count)
{
	size_t kept = 0;

	for (size_t i = 0; i < count; i++)
		selves[i].order = (uint32_t)i;
	qsort(selves, count, sizeof *selves, compare_selves);
	for (size_t i = 0; i < count; i++)
		if (!kept || compare_hosts(&selves[kept - 1], &selves[i]) != 0)
			selves[kept++] = selves[i];
	return kept;
}

static const struct route_self *find_self(const struct route_context *context,
					  const struct host *host)
{
	const struct route_self key = {.host = *host};

	return context->self_count ? bsearch(&key, context->selves, context->self_count, sizeof key,
					     compare_hosts)
				   : NULL;
}

/* The leg for the next upstream: the last one, or a new one after an entry. */
static struct leg *ask_leg(struct route *route, struct arena *arena, size_t room)
{
	struct leg *leg = route->leg_count ? &route->legs[route->leg_count - 1] : NULL;

	if (leg && leg->kind == LEG_ASK)
		return leg;
	leg = &route->legs[route->leg_count];
	leg->upstreams = arena_alloc_array(arena, room, sizeof *leg->upstreams);
	if (!leg->upstreams)
		return NULL;
	leg->kind = LEG_ASK;
	route->leg_count++;
	return leg;
}

static void add_enter(struct route *route, const struct route_self *self)
{
	route->legs[route->leg_count++] = (struct leg){
		.kind = LEG_ENTER,
		.endpoint = self->endpoint,
		.network = self->network,
	};
}

static void set_ids(struct route *route, const struct hash_key *key)
{
	static const char enter[] = "enter";

	route->id = 0;
	for (uint32_t i = 0; i < route->leg_count; i++) {
		struct leg *leg = &route->legs[i];

		for (uint32_t u = 0; u < leg->upstream_count; u++)
			leg->id = hash_upstream(key, leg->id, &leg->upstreams[u]);
		if (leg->kind == LEG_ENTER) {
			leg->id = hash_bytes(key, 0, enter, sizeof enter);
			leg->id = hash_bytes(key, leg->id, &leg->network, sizeof leg->network);
		}
		route->id = hash_bytes(key, route->id, &leg->id, sizeof leg->id);
	}
}

int route_build(struct route *route, struct arena *arena, const struct route_context *context,
		const struct target_server *servers, size_t count)
{
	size_t total = count * context->source_count;

	*route = (struct route){0};
	route->legs = arena_alloc_array(arena, total, sizeof *route->legs);
	if (!route->legs)
		return ERR_NOMEM;
	for (size_t s = 0; s < context->source_count; s++) {
		for (size_t i = 0; i < count; i++) {
			struct host host = {servers[i].address, (uint16_t)servers[i].port};
			const struct route_self *self = find_self(context, &host);

			if (self) {
				if (s == 0)
					add_enter(route, self);
				continue;
			}
			struct leg *leg = ask_leg(route, arena, total);
			if (!leg)
				return ERR_NOMEM;
			if (leg->upstream_count == LEG_UPSTREAMS_MAX)
				continue; /* limits_check refuses this */
			leg->upstreams[leg->upstream_count++] = (struct upstream){
				.source = context->sources[s].source,
				.host = host,
				.protocol = servers[i].protocol,
				.endpoint = context->sources[s].endpoint,
			};
		}
	}
	set_ids(route, context->key);
	return 0;
}
