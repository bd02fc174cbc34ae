/* A network in memory, for tests of lookups: servers that behave as the test sets, packets with a
 * delay, and a clock that jumps from one event to the next.
 *
 *     world_init(&w, n);                        n servers, all well, 1 ms away
 *     w.servers[0].does = SILENT;               from now on
 *     struct world_asked *q = world_ask(&w, "a.test");
 *     world_run(&w, 25 * MS);
 *     assert_true(q->done); */
#ifndef SLUICE_TESTS_WORLD_H
#define SLUICE_TESTS_WORLD_H

#include <assert.h>

#include "endpoints/upstream/lookup.h"
#include "tests/lib/random.h"

enum { MS = 1000, SECOND = 1000 * MS, START = 100 * SECOND, DEADLINE = 4 * SECOND };
enum { WORLD_SERVERS = 4, WORLD_ASKED = 20000, WORLD_PACKETS = 16384 };

enum deed {
	ANSWERS,
	SILENT,
	SERVFAILS,
	REFUSES,
	NOTIMPS,
	YXDOMAINS,
	LAME, /* points to other servers */
	NODATA,
	MANGLED,
	TRUNCATES,     /* TC by UDP */
	FORMERRS,      /* when there is an OPT */
	FORMERRS_BARE, /* the same, in twelve bytes */
	NOTIMPS_OPT,   /* when there is an OPT */
	SERVFAILS_BARE,
	REFUSES_BARE,
	NOTIMPS_BARE,
	FORMERRS_ALWAYS,
	BADVERS,
	UNREACHABLE, /* the transport is told */
	UNSENDABLE,  /* send fails */
	HOLDS,       /* the transport keeps it: no connection yet, or gathered */
};

struct world;

struct world_server {
	bool (*ignores)(struct world *w, const char *name); /* names that it never answers */
	enum deed does, by_tcp; /* by_tcp: if it TRUNCATES, or behaves differently by TCP */
	uint64_t delay_us;
	unsigned slow_percent; /* names that take slow_us by UDP */
	uint64_t slow_us;
	bool slow_by_tcp; /* and by TCP */
	unsigned lose;    /* how many of the next packets are lost */
	bool lowers;      /* all letters in its replies become lower case */
	bool opts;        /* ANSWERS has an OPT if the query has one */
	unsigned got, got_tcp, got_plain;
	uint64_t last_us; /* when it got the last packet */
};

struct world_packet { /* a reply on its way back */
	uint64_t due_us;
	void *socket;
	unsigned server, length;
	bool error; /* not a reply: an error for the flight with the id */
	uint16_t id;
	uint8_t wire[512];
};

struct world_value { /* made by on_result */
	enum ask_outcome outcome;
	enum target_error error;
	struct ask_said said;
	const struct upstream *upstream;
	size_t length;
	uint8_t wire[512];
	bool hasty, sourceless;
	enum ask_edns edns;
};

struct world_asked {
	struct waiter waiter;
	struct world *world;
	bool done;
	uint64_t asked_us, done_us;
	struct world_value value;
};

struct world {
	struct wheel wheel;
	struct entropy entropy;
	uint64_t seed, now;
	struct hash_key key;
	struct lookups table;
	struct target targets[WORLD_SERVERS];
	struct upstream upstreams[WORLD_SERVERS];
	struct leg leg;
	struct world_server servers[WORLD_SERVERS];
	struct world_packet *packets;
	unsigned packet_count, sent, results;
	int held, held_of[2]; /* all, and of each policy; &held_of[i] is the holder of policy i */
	unsigned policy;      /* of the next question */
	bool dnssec_ok, checking_disabled, impatient;
	struct world_asked *asked;
	unsigned asked_count;
	struct address client; /* of the next question */
	void (*on_send)(struct world *w, unsigned server, const uint8_t *wire);
	bool proven; /* whether the client's address is proven */
	uint8_t last_query[MESSAGE_QUERY_MAX];
	size_t last_length;
	struct lookup_socket udp, tcp;
};

static inline uint16_t world_random(struct world *w)
{
	return entropy_u16(&w->entropy);
}

static inline size_t world_reply(enum deed does, const uint8_t *query, uint8_t *reply)
{
	size_t name = name_wire_length(query + MESSAGE_HEADER);
	size_t at = MESSAGE_HEADER + name + 4;
	static const uint8_t address[] = {0xc0, 12, 0, 1, 0, 1, 0, 0, 1, 44, 0, 4, 192, 0, 2, 1};
	static const uint8_t ns[] = {0xc0, 12, 0, 2, 0, 1, 0, 0, 1, 44, 0, 2, 0xc0, 12};
	static const uint8_t badvers[] = {0, 0, 41, 4, 208, 1, 0, 0, 0, 0, 0};
	unsigned rcode = 0, flags = FLAG_QR | FLAG_RA;

	memcpy(reply, query, at);
	memset(reply + 6, 0, 6);
	switch (does) {
	case SERVFAILS:
	case SERVFAILS_BARE: rcode = RCODE_SERVFAIL; break;
	case REFUSES:
	case REFUSES_BARE: rcode = RCODE_REFUSED; break;
	case NOTIMPS:
	case NOTIMPS_OPT:
	case NOTIMPS_BARE: rcode = RCODE_NOTIMP; break;
	case YXDOMAINS: rcode = RCODE_YXDOMAIN; break;
	case FORMERRS:
	case FORMERRS_BARE:
	case FORMERRS_ALWAYS: rcode = RCODE_FORMERR; break;
	case TRUNCATES: flags |= FLAG_TC; break;
	case NODATA: break;
	case LAME:
		wire_put16(reply + 8, 1);
		memcpy(reply + at, ns, sizeof ns);
		at += sizeof ns;
		break;
	case BADVERS:
		wire_put16(reply + 10, 1);
		memcpy(reply + at, badvers, sizeof badvers);
		at += sizeof badvers;
		break;
	case MANGLED: wire_put16(reply + 6, 7); /* fall through */
	default:
		wire_put16(reply + 6, does == MANGLED ? 7 : 1);
		memcpy(reply + at, address, sizeof address);
		at += sizeof address;
	}
	wire_put16(reply + 2, (uint16_t)(flags | rcode | (message_flags(query) & FLAG_RD)));
	if (does == FORMERRS_BARE || does == SERVFAILS_BARE || does == REFUSES_BARE ||
	    does == NOTIMPS_BARE) {
		wire_put16(reply + 4, 0);
		at = MESSAGE_HEADER;
	}
	return at;
}

static inline struct world_packet *world_packet(struct world *w, unsigned server, void *socket,
						uint64_t due_us)
{
	assert(w->packet_count < WORLD_PACKETS);
	struct world_packet *packet = &w->packets[w->packet_count++];
	memset(packet, 0, offsetof(struct world_packet, wire));
	packet->due_us = due_us;
	packet->server = server;
	packet->socket = socket;
	return packet;
}

static inline bool world_name_is_slow(const struct world_server *server, const uint8_t *wire)
{
	unsigned hash = 0;

	for (size_t i = 0; i < name_wire_length(wire); i++)
		hash = hash * 31 + wire[i];
	return (hash * 2654435761u >> 8) % 100 < server->slow_percent;
}

static inline bool world_ignored(struct world *w, const struct world_server *server,
				 const uint8_t *wire)
{
	char text[NAME_TEXT_MAX];

	return server->ignores &&
	       server->ignores(w, name_wire_to_text(wire + MESSAGE_HEADER, text));
}

static inline int world_send(void *context, struct flight *flight, const uint8_t *wire,
			     size_t length, uint64_t now_us)
{
	struct world *w = context;
	unsigned i = flight->upstream->host.port - 1000u;
	struct world_server *server = &w->servers[i];
	bool apart = server->does == TRUNCATES || server->by_tcp != ANSWERS;
	enum deed does = flight->tcp && apart ? server->by_tcp : server->does;

	assert(now_us == w->now);
	flight->socket = flight->tcp ? &w->tcp : &w->udp;
	if (does == UNSENDABLE)
		return ERR_SYSTEM;
	memcpy(w->last_query, wire, length);
	w->last_length = length;
	w->sent++;
	server->got++;
	server->got_tcp += flight->tcp;
	server->got_plain += wire_u16(wire + 10) == 0;
	server->last_us = now_us;
	if (w->on_send)
		w->on_send(w, i, wire);
	if (server->lose > 0) {
		server->lose--;
		return 0;
	}
	flight->gathered = does == HOLDS;
	flight->departures = does != HOLDS;
	if (does == SILENT || does == HOLDS || world_ignored(w, server, wire))
		return 0;
	if ((does == FORMERRS || does == FORMERRS_BARE || does == NOTIMPS_OPT || does == BADVERS) &&
	    wire_u16(wire + 10) == 0)
		does = ANSWERS;
	bool slow = (!flight->tcp || server->slow_by_tcp) &&
		    world_name_is_slow(server, wire + MESSAGE_HEADER);
	struct world_packet *packet = world_packet(
		w, i, flight->socket, now_us + (slow ? server->slow_us : server->delay_us));
	packet->error = does == UNREACHABLE;
	packet->id = flight->id;
	packet->length = (unsigned)world_reply(does, wire, packet->wire);
	if (server->opts && does == ANSWERS && wire_u16(wire + 10) == 1) {
		static const uint8_t opt[MESSAGE_OPT] = {0, 0, TYPE_OPT, 4, 208};
		memcpy(packet->wire + packet->length, opt, sizeof opt);
		packet->length += sizeof opt;
		wire_put16(packet->wire + 10, 1);
	}
	for (size_t at = MESSAGE_HEADER; server->lowers && at < packet->length; at++)
		packet->wire[at] = name_lower(packet->wire[at]);
	return 0;
}

static inline void world_forget(void *context, struct flight *flight)
{
	(void)context;
	assert(flight->socket);
}

/* The count of the policy that is the holder. */
static inline int *world_held_of(struct world *w, void *holder)
{
	assert(holder == &w->held_of[0] || holder == &w->held_of[1]);
	return holder;
}

static inline void *world_on_result(void *context, void *holder, const struct lookup_key *key,
				    const struct ask_result *result, uint64_t now_us)
{
	struct world *w = context;
	struct world_value *value = calloc(1, sizeof *value);

	assert(value && key->leg == &w->leg && now_us == w->now && *world_held_of(w, holder) > 0);
	w->results++;
	value->outcome = result->outcome;
	value->error = result->error;
	value->said = result->said;
	value->upstream = result->upstream;
	value->length = result->length;
	value->hasty = result->hasty;
	value->edns = result->edns;
	value->sourceless = result->sourceless;
	if (result->length > 0)
		memcpy(value->wire, result->wire, result->length);
	return value;
}

static inline void world_release_value(void *context, void *value)
{
	(void)context;
	free(value);
}

static inline void world_hold(void *context, void *holder)
{
	struct world *w = context;
	(*world_held_of(w, holder))++;
	w->held++;
}

static inline void world_unhold(void *context, void *holder)
{
	struct world *w = context;
	assert(*world_held_of(w, holder) > 0);
	(*world_held_of(w, holder))--;
	w->held--;
}

static inline void world_init(struct world *w, unsigned servers)
{
	memset(w, 0, sizeof *w);
	w->seed = 0x5eed5eed5eed;
	w->now = START;
	w->key = (struct hash_key){1, 2};
	wheel_init(&w->wheel, w->now);
	entropy_init_seeded(&w->entropy, &w->seed);
	w->packets = calloc(WORLD_PACKETS, sizeof *w->packets);
	w->asked = calloc(WORLD_ASKED, sizeof *w->asked);
	int err = lookups_init(&w->table, &w->wheel, &w->entropy, &w->key);
	assert(err == 0 && w->packets && w->asked);
	(void)err;
	w->table.transport = w->table.context = w;
	w->table.send = world_send;
	w->table.forget = world_forget;
	w->table.on_result = world_on_result;
	w->table.release_value = world_release_value;
	w->table.hold = world_hold;
	w->table.unhold = world_unhold;
	w->leg = (struct leg){
		.kind = LEG_ASK, .id = 77, .upstreams = w->upstreams, .upstream_count = servers};
	for (unsigned i = 0; i < servers; i++) {
		w->servers[i].delay_us = 1 * MS;
		w->upstreams[i].host.address = (struct address){4, {192, 0, 2, (uint8_t)(i + 1)}};
		w->upstreams[i].host.port = (uint16_t)(1000 + i);
		w->upstreams[i].target = &w->targets[i];
		target_init(&w->targets[i], &w->upstreams[i].source, &w->upstreams[i].host,
			    PROTOCOL_UDP);
	}
}

/* Releases everything, and checks that nothing is left. */
static inline void world_release(struct world *w)
{
	lookups_release(&w->table);
	assert(w->held == 0 && w->table.lookup_count == 0 && w->table.flight_count == 0);
	for (unsigned i = 0; i < WORLD_SERVERS; i++)
		assert(w->targets[i].waiting == 0);
	free(w->packets);
	free(w->asked);
}

static inline void world_on_done(struct waiter *waiter, void *value, uint64_t now_us)
{
	struct world_asked *asked = (struct world_asked *)waiter;

	assert(!asked->done && value && now_us == asked->world->now);
	asked->done = true;
	asked->done_us = now_us;
	asked->value = *(struct world_value *)value;
}

static inline struct world_asked *world_ask_until(struct world *w, const char *text,
						  uint64_t deadline_us)
{
	assert(w->asked_count < WORLD_ASKED);
	struct world_asked *asked = &w->asked[w->asked_count++];
	struct name name;
	struct lookup_key key = {.leg = &w->leg,
				 .name = &name,
				 .type = TYPE_A,
				 .dnssec_ok = w->dnssec_ok,
				 .checking_disabled = w->checking_disabled,
				 .client = w->client,
				 .proven = w->proven};

	if (name_from_text(&name, &w->key, text) != 0)
		abort();
	asked->waiter.on_done = world_on_done;
	asked->world = w;
	asked->asked_us = w->now;
	int err = lookup_ask(&w->table, &key, &w->held_of[w->policy], &asked->waiter, deadline_us,
			     !w->impatient, w->now);
	assert(!asked->done); /* never before lookup_ask returns */
	return err == 0 ? asked : NULL;
}

static inline struct world_asked *world_ask(struct world *w, const char *text)
{
	return world_ask_until(w, text, w->now + DEADLINE);
}

/* Asks for a new name. */
static inline struct world_asked *world_ask_new(struct world *w)
{
	char text[32];

	snprintf(text, sizeof text, "n%u.test", w->asked_count);
	return world_ask(w, text);
}

static inline void world_deliver(struct world *w, struct world_packet packet)
{
	const struct host *peer = &w->upstreams[packet.server].host;

	if (!packet.error) {
		lookup_on_reply(&w->table, packet.socket, peer, packet.wire, packet.length, w->now);
		return;
	}
	struct flight *flight = lookup_find_flight(&w->table, packet.socket, packet.id);
	if (flight)
		lookup_on_error(flight, TARGET_ERROR_NETWORK, w->now);
}

static inline unsigned world_earliest(const struct world *w)
{
	unsigned best = 0;

	for (unsigned i = 1; i < w->packet_count; i++) {
		if (w->packets[i].due_us < w->packets[best].due_us)
			best = i;
	}
	return best;
}

/* Lets `us` microseconds pass, one event after the other. */
static inline void world_run(struct world *w, uint64_t us)
{
	uint64_t end = w->now + us;

	for (;;) {
		uint64_t timer_us = wheel_next_us(&w->wheel);
		unsigned i = world_earliest(w);
		uint64_t packet_us = w->packet_count > 0 ? w->packets[i].due_us : UINT64_MAX;

		if (packet_us > end && timer_us > end)
			break;
		if (packet_us <= timer_us) {
			struct world_packet packet = w->packets[i];
			w->packets[i] = w->packets[--w->packet_count];
			w->now = packet_us > w->now ? packet_us : w->now;
			world_deliver(w, packet);
		} else {
			w->now = timer_us > w->now ? timer_us : w->now;
			wheel_advance(&w->wheel, w->now);
		}
	}
	w->now = end;
	wheel_advance(&w->wheel, w->now);
}

/* Asks and waits for the answer, one after the other, so that targets have a history. */
static inline void world_warm_up(struct world *w, unsigned questions)
{
	for (unsigned i = 0; i < questions; i++) {
		world_ask_new(w);
		world_run(w, 10 * MS);
	}
	world_run(w, SECOND);
	w->sent = 0;
	for (unsigned i = 0; i < WORLD_SERVERS; i++)
		w->servers[i].got = w->servers[i].got_tcp = w->servers[i].got_plain = 0;
}

/* ---- a test's world ---- */

/* The world of every test: it has one, two or three servers, and is released after the test. */
static struct world w;

static inline int one_server(void **state)
{
	(void)state;
	world_init(&w, 1);
	return 0;
}

static inline int two_servers(void **state)
{
	(void)state;
	world_init(&w, 2);
	return 0;
}

static inline int three_servers(void **state)
{
	(void)state;
	world_init(&w, 3);
	return 0;
}

static inline int release(void **state)
{
	(void)state;
	world_release(&w);
	return 0;
}

#define ONE(name)   cmocka_unit_test_setup_teardown(name, one_server, release)
#define TWO(name)   cmocka_unit_test_setup_teardown(name, two_servers, release)
#define THREE(name) cmocka_unit_test_setup_teardown(name, three_servers, release)

#define assert_answered_by(asked, i)                                                               \
	do {                                                                                       \
		assert_true((asked)->done);                                                        \
		assert_int_equal((asked)->value.outcome, ASK_ANSWERED);                            \
		assert_ptr_equal((asked)->value.upstream, &w.upstreams[i]);                        \
	} while (0)

#endif
