/* A resolver with all that belongs to it, made once for all inputs: networks, zones, rules, owned
 * addresses and a default resolver, on a stage (tests/lib/stage.h) whose clients and packets are
 * fixed arrays here, so that an input costs no allocation of the test's own.
 *
 * Every reply is checked as it leaves: see check_reply in world.c. Between inputs the world is
 * made as it was: nobody waits, nothing is cached, targets are new, randomness and the clock begin
 * again. */
#ifndef SLUICE_TESTS_FUZZ_WORLD_H
#define SLUICE_TESTS_FUZZ_WORLD_H

#include "resolver/update/requests.h"
#include "rules/base.h"
#include "tests/fuzz/fuzz.h"
#include "tests/lib/stage.h"

enum { FUZZ_CLIENTS = 24, FUZZ_PACKETS = 512, FUZZ_SAID = 64 };

struct fuzz_client {
	struct query query; /* its origin is the client */
	unsigned answers;
};

struct fuzz_packet { /* to an upstream; it is the flight's socket */
	struct lookup_socket socket;
	struct flight *flight; /* NULL: it is over */
	struct host peer;
	bool tcp;
	size_t length;
	uint8_t wire[MESSAGE_QUERY_MAX];
};

struct fuzz_world {
	struct stage *stage;
	struct fuzz_client clients[FUZZ_CLIENTS];
	unsigned client_count;
	struct fuzz_packet packets[FUZZ_PACKETS];
	unsigned packet_count;
	struct { /* what upstreams have said and was taken: an answer has nothing else from them */
		size_t length;
		uint8_t *wire;
	} said[FUZZ_SAID];
	unsigned said_count; /* or more, which are not kept */
	struct update_requests requests;
	struct updates updates;
	unsigned policies; /* loaded so far, the first included */
	uint64_t begin_us; /* the time at which every input begins */
};

/* The one world; made at the first call. */
struct fuzz_world *fuzz_world(void);

/* Reads a packet as inbound does and resolves it; what inbound refuses by itself is checked, too. A
 * request to update is refused by the control thread that is played here.
 * Nothing is done without room for one more client. */
void fuzz_ask(struct fuzz_world *world, struct place place, const uint8_t *packet, size_t length,
	      bool tcp);
/* Where a client may be, by number: at an inbound endpoint, or at the VNet resolver in a network or
 * in none. */
struct place fuzz_place(unsigned number);
/* A well-formed question by number, some of them of names that zones, rules and addresses have;
 * returns its length. */
size_t fuzz_question(unsigned number, unsigned how, uint8_t wire[MESSAGE_UDP_MIN]);
enum { FUZZ_QUESTIONS = 24 };

/* Gives a reply to the resolver; whether it was taken for one. */
bool fuzz_deliver(struct fuzz_world *world, struct fuzz_packet *packet, const struct host *peer,
		  const uint8_t *reply, size_t length);
/* An upstream's reply to the packet; records as message_text.h has them. Whether it was taken. */
bool fuzz_reply(struct fuzz_world *world, struct fuzz_packet *packet, unsigned rcode,
		const char *records);
/* Whatever is under way is answered REFUSED, until nobody waits: time is dear. */
void fuzz_refuse_all(struct fuzz_world *world);
/* Another configuration, by turns; questions under way keep the one they began with. */
void fuzz_reload(struct fuzz_world *world);
/* Empties the cache. */
void fuzz_forget(struct fuzz_world *world);
/* Time passes until nobody waits; checks that each was answered once, and that nothing is kept of
 * what is over. Then everything is as it was. */
void fuzz_end(struct fuzz_world *world);

#endif
