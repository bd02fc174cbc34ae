/* The outbound side over real sockets, on loopback: where questions leave from, by which ports, and
 * what becomes of connections. The server is part of the test: each step lets the loop run once and
 * then serves what has arrived. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/sockios.h>
#include <netinet/in.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#include "endpoints/outbound/peer.h"
#include "endpoints/outbound/udp.h"
#include "endpoints/socket.h"
#include "rules/zone/record.h"
#include "tests/lib/tcp_segments.h"

enum {
	MS = 1000,
	SECOND = 1000 * MS,
	STEP_US = 50,
	CONNECTIONS = 64,
	HELD = 512,
	LATE = 256,
	ASKED = 12000
};

struct late { /* a reply by TCP that is not due yet */
	int fd;
	uint64_t due_us;
	size_t length;
	uint8_t reply[128];
};

struct server {
	struct host host;
	int udp, tcp, connections[CONNECTIONS];
	unsigned connection_count;
	/* what it does */
	bool silent, truncates, from_elsewhere, closes_after_answer, closes_unanswered, drips,
		backwards, deaf;
	bool halves;          /* length and message in two writes, Nagle's algorithm left on */
	unsigned padding;     /* bytes of a second record */
	unsigned most;        /* connections; it hangs up on others. 0: any number */
	bool full_is_deaf;    /* those others wait in its queue instead */
	unsigned hangs_up;    /* on so many more connections, at the first question */
	unsigned pace_us;     /* between two answers of a connection */
	unsigned ignores;     /* one name of so many; 0: none */
	bool jams;            /* and nothing more by that connection */
	const char *kills;    /* the name at which it hangs up */
	unsigned kills_to;    /* or the names from n1 to this number */
	unsigned kills_every; /* or one of so many; 0: none */
	bool stingy;          /* gives two, three or four answers to a connection, in turns */
	uint64_t life_us;     /* of a connection; 0: no end */
	uint64_t delay_us;    /* before it answers by TCP */
	uint64_t next_us[CONNECTIONS], born_us[CONNECTIONS];
	unsigned left[CONNECTIONS]; /* answers, of a stingy one */
	struct late late[LATE];     /* the earliest first */
	unsigned late_count;
	/* what it saw */
	unsigned unread; /* bytes that had come when it closed a connection */
	unsigned got, got_tcp, accepted, batch_ports;
	struct host last;
	int last_served; /* the connection of the last question */
	bool port_seen[65536];
	unsigned ports;
};

struct asked {
	struct waiter waiter;
	bool done;
	enum ask_outcome outcome;
	enum target_error error;
	size_t length;
	unsigned turn; /* so many were done before */
	uint64_t asked_us, done_us;
};

static uv_loop_t loop;
static struct wheel wheel;
static struct entropy entropy;
static struct lookups table;
static struct outbound outbound;
static struct hash_key key = {3, 4};
static bool long_names;   /* of 200 bytes, where otherwise there are 10 */
static uint64_t clock_us; /* the tests' own: it goes on with each look at it and each step */
static struct server server, second;
static struct target targets[2];
static struct upstream upstreams[2];
static struct leg leg;
static struct asked asked[ASKED];
static unsigned asked_count, done_count;

static uint64_t now_us(void *context)
{
	(void)context;
	return clock_us++;
}

/* ---- what the table calls ---- */

static void *on_result(void *context, void *holder, const struct lookup_key *asked_key,
		       const struct ask_result *result, uint64_t now)
{
	static struct ask_result kept;

	(void)context;
	(void)holder;
	(void)asked_key;
	(void)now;
	kept = *result;
	return &kept;
}

static void release_value(void *context, void *value)
{
	(void)context;
	(void)value;
}

static void hold(void *context, void *holder)
{
	(void)context;
	(void)holder;
}

static void on_done(struct waiter *waiter, void *value, uint64_t now)
{
	struct asked *a = (struct asked *)waiter;
	const struct ask_result *result = value;

	a->done = true;
	a->done_us = now;
	a->turn = done_count++;
	a->outcome = result->outcome;
	a->error = result->error;
	a->length = result->length;
}

/* ---- the server ---- */

static void nonblocking(int fd)
{
	assert_int_equal(fcntl(fd, F_SETFL, O_NONBLOCK), 0);
}

static void server_start(struct server *s, const char *address)
{
	struct sockaddr_storage storage;
	socklen_t length = sizeof storage;
	int big = 4 << 20;

	memset(s, 0, sizeof *s);
	assert_int_equal(address_parse(&s->host.address, address), 0);
	int family = s->host.address.family == 4 ? AF_INET : AF_INET6;
	s->udp = socket(family, SOCK_DGRAM, 0);
	setsockopt(s->udp, SOL_SOCKET, SO_RCVBUF, &big, sizeof big);
	socklen_t given = socket_address(&s->host, &storage);
	assert_int_equal(bind(s->udp, (struct sockaddr *)&storage, given), 0);
	assert_int_equal(getsockname(s->udp, (struct sockaddr *)&storage, &length), 0);
	socket_host(&storage, &s->host);
	s->tcp = socket(family, SOCK_STREAM, 0);
	setsockopt(s->tcp, SOL_SOCKET, SO_REUSEADDR, &big, sizeof big);
	if (bind(s->tcp, (struct sockaddr *)&storage, length) != 0) { /* somebody has the port */
		close(s->udp);
		close(s->tcp);
		server_start(s, address);
		return;
	}
	assert_int_equal(listen(s->tcp, 16), 0);
	nonblocking(s->udp);
	nonblocking(s->tcp);
}

static void server_stop(struct server *s)
{
	for (unsigned i = 0; i < s->connection_count; i++)
		close(s->connections[i]);
	if (s->udp >= 0)
		close(s->udp);
	if (s->tcp >= 0)
		close(s->tcp);
	s->connection_count = 0;
	s->udp = s->tcp = -1;
}

static size_t answer(const struct server *s, const uint8_t *query, uint8_t *reply, bool tcp)
{
	static const uint8_t record[] = {0xc0, 12, 0xff, 0, 0, 1, 0, 0, 0, 60};
	size_t at = MESSAGE_HEADER + name_wire_length(query + MESSAGE_HEADER) + 4;

	memcpy(reply, query, at);
	memset(reply + 6, 0, 6);
	wire_put16(reply + 2, (uint16_t)(FLAG_QR | (s->truncates && !tcp ? FLAG_TC : 0)));
	if (s->truncates && !tcp)
		return at;
	wire_put16(reply + 6, 1);
	memcpy(reply + at, record, sizeof record);
	wire_put16(reply + at + sizeof record, (uint16_t)s->padding);
	memset(reply + at + sizeof record + 2, 0x5a, s->padding);
	return at + sizeof record + 2 + s->padding;
}

static void serve_udp(struct server *s)
{
	uint8_t query[1024];
	static uint8_t reply[65536];
	struct sockaddr_storage peer;
	socklen_t length = sizeof peer;

	while (recvfrom(s->udp, query, sizeof query, 0, (struct sockaddr *)&peer, &length) > 0) {
		socket_host(&peer, &s->last);
		s->got++;
		s->ports += !s->port_seen[s->last.port];
		s->port_seen[s->last.port] = true;
		size_t size = answer(s, query, reply, false);
		int from = s->from_elsewhere ? socket(AF_INET, SOCK_DGRAM, 0) : s->udp;
		if (!s->silent)
			sendto(from, reply, size, 0, (struct sockaddr *)&peer, length);
		if (s->from_elsewhere)
			close(from);
		length = sizeof peer;
	}
}

static void drip(int fd, const uint8_t *bytes, size_t length)
{
	int on = 1;

	setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
	for (size_t i = 0; i < length; i++) {
		assert_int_equal(send(fd, bytes + i, 1, MSG_NOSIGNAL), 1);
		uv_run(&loop, UV_RUN_NOWAIT);
	}
}

static void send_halves(int fd, const uint8_t *bytes, size_t length)
{
	assert_int_equal(send(fd, bytes, 2, MSG_NOSIGNAL), 2);
	assert_int_equal(send(fd, bytes + 2, length - 2, MSG_NOSIGNAL), length - 2);
}

static void forget_late(struct server *s, int fd)
{
	unsigned kept = 0;

	for (unsigned i = 0; i < s->late_count; i++) {
		if (s->late[i].fd != fd)
			s->late[kept++] = s->late[i];
	}
	s->late_count = kept;
}

static void send_late(struct server *s)
{
	unsigned due = 0;

	for (; due < s->late_count && s->late[due].due_us <= clock_us; due++) {
		const struct late *late = &s->late[due];
		assert_int_equal(send(late->fd, late->reply, late->length, MSG_NOSIGNAL),
				 late->length);
	}
	s->late_count -= due;
	memmove(s->late, s->late + due, s->late_count * sizeof *s->late);
}

static void put_off(struct server *s, int fd, const uint8_t *reply, size_t length)
{
	struct late *late = &s->late[s->late_count++];

	assert_true(s->late_count <= LATE && length <= sizeof late->reply);
	*late = (struct late){.fd = fd, .due_us = clock_us + s->delay_us, .length = length};
	memcpy(late->reply, reply, length);
}

static void forget_connection(struct server *s, unsigned i)
{
	int unread = 0;

	forget_late(s, s->connections[i]);

	assert_int_equal(ioctl(s->connections[i], SIOCINQ, &unread), 0);
	s->unread += (unsigned)unread;
	close(s->connections[i]);
	s->connections[i] = s->connections[--s->connection_count];
	s->next_us[i] = s->next_us[s->connection_count];
	s->born_us[i] = s->born_us[s->connection_count];
	s->left[i] = s->left[s->connection_count];
}

static unsigned number_of(const uint8_t *query)
{
	return (unsigned)strtoul((const char *)query + MESSAGE_HEADER + 2, NULL, 10); /* n7 */
}

static bool is_ignored(const struct server *s, const uint8_t *query)
{
	return s->ignores > 0 && number_of(query) % s->ignores == 0;
}

/* Whether this question ends the connection. */
static bool hangs_up_at(struct server *s, const uint8_t *query)
{
	size_t length = s->kills ? strlen(s->kills) : 0;
	unsigned number = number_of(query + 2);

	if (s->hangs_up > 0) {
		s->hangs_up--;
		return true;
	}
	return s->closes_unanswered || (number > 0 && number <= s->kills_to) ||
	       (s->kills_every > 0 && number % s->kills_every == 0) ||
	       (length > 0 && query[2 + MESSAGE_HEADER] == length &&
		memcmp(query + 2 + MESSAGE_HEADER + 1, s->kills, length) == 0);
}

/* Without a reset, which would take answers with it. */
static bool end_quietly(int fd)
{
	uint8_t unread[4096];

	while (recv(fd, unread, sizeof unread, 0) > 0)
		continue;
	return false;
}

/* Everything that can be read of one connection; false when it is over. */
static bool serve_connection(struct server *s, unsigned connection)
{
	static uint8_t queries[HELD][1024], reply[65538];
	int fd = s->connections[connection];
	unsigned held = 0;
	ssize_t n;

	if (s->life_us > 0 && clock_us > s->born_us[connection] + s->life_us)
		return end_quietly(fd);
	while (held < HELD && (n = recv(fd, queries[held], sizeof queries[0], MSG_PEEK)) >= 2) {
		ssize_t framed = 2 + wire_u16(queries[held]);
		if (n < framed)
			break;
		assert_int_equal(recv(fd, queries[held], (size_t)framed, 0), framed);
		s->got_tcp++;
		s->last_served = fd;
		if (hangs_up_at(s, queries[held]))
			return false;
		held++;
		if (s->jams && is_ignored(s, queries[held - 1] + 2)) {
			s->next_us[connection] = UINT64_MAX;
			break;
		}
		if (s->closes_after_answer || s->pace_us > 0 ||
		    (s->stingy && held == s->left[connection]))
			break;
	}
	if (held == 0)
		return n > 0 || (n < 0 && errno == EAGAIN);
	for (unsigned i = 0; i < held && !s->silent; i++) {
		const uint8_t *query = queries[s->backwards ? held - 1 - i : i] + 2;
		if (is_ignored(s, query))
			continue;
		size_t length = answer(s, query, reply + 2, true);
		wire_put16(reply, (uint16_t)length);
		if (s->delay_us > 0)
			put_off(s, fd, reply, length + 2);
		else if (s->drips)
			drip(fd, reply, length + 2);
		else if (s->halves)
			send_halves(fd, reply, length + 2);
		else
			assert_int_equal(send(fd, reply, length + 2, MSG_NOSIGNAL), length + 2);
	}
	s->left[connection] -= s->stingy ? held : 0;
	if (s->stingy && s->left[connection] == 0)
		return end_quietly(fd);
	return !s->closes_after_answer;
}

static bool is_full(const struct server *s)
{
	return s->connection_count == (s->full_is_deaf ? s->most : CONNECTIONS);
}

static void serve_tcp(struct server *s)
{
	int fd;

	send_late(s);
	while (!is_full(s) && (fd = accept(s->tcp, NULL, NULL)) >= 0) {
		struct sockaddr_storage peer;
		socklen_t length = sizeof peer;
		getpeername(fd, (struct sockaddr *)&peer, &length);
		socket_host(&peer, &s->last);
		s->accepted++;
		if (s->most > 0 && s->connection_count == s->most) {
			close(fd);
			continue;
		}
		nonblocking(fd);
		s->next_us[s->connection_count] = s->born_us[s->connection_count] = clock_us;
		s->left[s->connection_count] = 2 + s->accepted % 3;
		s->connections[s->connection_count++] = fd;
	}
	for (unsigned i = s->connection_count; i-- > 0 && !s->deaf;) {
		if (clock_us < s->next_us[i])
			continue;
		s->next_us[i] += s->pace_us;
		if (!serve_connection(s, i))
			forget_connection(s, i);
	}
}

/* ---- the rig ---- */

static void step(void)
{
	clock_us += STEP_US;
	uv_run(&loop, UV_RUN_NOWAIT);
	wheel_advance(&wheel, now_us(NULL));
	outbound_flush(&outbound);
	serve_udp(&server);
	serve_udp(&second);
	serve_tcp(&server);
	serve_tcp(&second);
	usleep(10); /* the system's turn: what was sent arrives */
}

#define until(condition)                                                                           \
	do {                                                                                       \
		uint64_t give_up_us = clock_us + 3 * SECOND;                                       \
		while (!(condition) && clock_us < give_up_us)                                      \
			step();                                                                    \
		assert_true(condition);                                                            \
	} while (0)

static void run_for(uint64_t us)
{
	uint64_t end_us = clock_us + us;

	while (clock_us < end_us)
		step();
}

/* The same in longer steps, where little happens. */
static void wait_for(uint64_t us)
{
	for (uint64_t end_us = clock_us + us; clock_us < end_us; clock_us += 2 * MS)
		step();
}

static void start(const char *address, const char *source, enum protocol protocol,
		  unsigned ports_max)
{
	clock_us = SECOND;
	asked_count = done_count = 0;
	long_names = false;
	memset(asked, 0, sizeof asked);
	memset(upstreams, 0, sizeof upstreams);
	server_start(&server, address);
	server_start(&second, "127.0.0.1");
	assert_int_equal(uv_loop_init(&loop), 0);
	wheel_init(&wheel, now_us(NULL));
	entropy_init(&entropy);
	assert_int_equal(lookups_init(&table, &wheel, &entropy, &key), 0);
	assert_int_equal(
		outbound_init(&outbound, &loop, &wheel, &entropy, &table, ports_max, now_us, NULL),
		0);
	table.transport = &outbound;
	table.send = outbound_send;
	table.forget = outbound_forget;
	table.on_result = on_result;
	table.release_value = release_value;
	table.hold = table.unhold = hold;
	if (source)
		assert_int_equal(address_parse(&upstreams[0].source, source), 0);
	upstreams[0].host = server.host;
	upstreams[1].host = second.host;
	upstreams[0].protocol = protocol;
	for (unsigned i = 0; i < 2; i++) {
		upstreams[i].target = &targets[i];
		target_init(&targets[i], &upstreams[i].source, &upstreams[i].host,
			    upstreams[i].protocol);
		/* Of one that never answered three are asked at a time. Its allowance stays. */
		target_on_answer(&targets[i], TARGET_ALLOWANCE_FIRST_US / 3, clock_us);
	}
	leg = (struct leg){.kind = LEG_ASK, .id = 5, .upstreams = upstreams, .upstream_count = 2};
}

static int stop(void **state)
{
	(void)state;
	lookups_release(&table);
	outbound_release(&outbound);
	uv_run(&loop, UV_RUN_DEFAULT);
	assert_int_equal(uv_loop_close(&loop), 0);
	server_stop(&server);
	server_stop(&second);
	return 0;
}

static struct asked *ask(void)
{
	struct asked *a = &asked[asked_count];
	struct name name;
	char text[256];
	struct lookup_key asked_key = {.leg = &leg, .name = &name, .type = TYPE_A};

	assert_true(asked_count < ASKED);
	snprintf(text, sizeof text, long_names ? "n%u.%060u.%060u.%060u.test" : "n%u.test",
		 asked_count++, 0, 0, 0);
	assert_int_equal(name_from_text(&name, &key, text), 0);
	a->waiter.on_done = on_done;
	a->asked_us = clock_us;
	assert_int_equal(lookup_ask(&table, &asked_key, NULL, &a->waiter, now_us(NULL) + 4 * SECOND,
				    true, now_us(NULL)),
			 0);
	return a;
}

static unsigned answered(void)
{
	unsigned count = 0;

	for (unsigned i = 0; i < asked_count; i++)
		count += asked[i].done && asked[i].outcome == ASK_ANSWERED;
	return count;
}

/* ---- UDP ---- */

static void a_question_leaves_from_its_source(void **state)
{
	struct address source;

	(void)state;
	start("127.0.0.1", "127.0.0.77", PROTOCOL_UDP, 16);
	ask();
	assert_int_equal(server.got, 0); /* gathered until the flush */
	until(answered() == 1);
	assert_int_equal(address_parse(&source, "127.0.0.77"), 0);
	assert_true(address_equal(&server.last.address, &source));
	assert_int_equal(second.got, 0);
}

static void without_a_source_the_system_chooses(void **state)
{
	(void)state;
	start("127.0.0.1", NULL, PROTOCOL_UDP, 16);
	ask();
	until(answered() == 1);
}

static void ipv6_is_spoken(void **state)
{
	(void)state;
	start("::1", "::1", PROTOCOL_UDP, 16);
	ask();
	until(answered() == 1);
	assert_int_equal(server.got, 1);
}

static void a_source_of_the_other_family_is_unusable(void **state)
{
	(void)state;
	start("::1", "127.0.0.1", PROTOCOL_UDP, 16);
	ask();
	until(answered() == 1);
	assert_int_equal(second.got, 1);
	assert_int_equal(targets[0].last_error, TARGET_ERROR_SOURCE);
}

static void a_batch_leaves_by_a_few_ports_and_batches_by_others(void **state)
{
	(void)state;
	start("127.0.0.1", "127.0.0.1", PROTOCOL_UDP, 512);
	for (unsigned i = 0; i < 200; i++)
		ask();
	until(answered() == 200);
	/* They are drawn with a chance to be the same one twice, but not all of them. */
	assert_in_range(server.ports, 2, OUTBOUND_PORTS_BATCH);
	for (unsigned i = 0; i < 300; i++) {
		ask();
		until(answered() == asked_count);
	}
	assert_true(server.ports > 150);
}

static void the_pool_starts_small_and_grows_to_its_maximum(void **state)
{
	(void)state;
	start("127.0.0.1", "127.0.0.1", PROTOCOL_UDP, 100);
	ask();
	assert_int_equal(outbound.counters.ports_opened, 64);
	until(answered() == 1);
	assert_true(outbound.counters.ports_opened > 64);
	for (unsigned i = 0; i < 20; i++) {
		ask();
		until(answered() == asked_count);
	}
	assert_int_equal(outbound.counters.ports_opened, 100);
}

static void open_ports(void) /* asks until the pool is as large as it may be */
{
	for (unsigned i = 0; i < 40; i++) {
		ask();
		until(answered() == asked_count);
	}
}

static unsigned ports_of_all_pools(void)
{
	unsigned count = 0;
	for (const struct outbound_pool *pool = outbound.pools; pool; pool = pool->next)
		count += pool->count;
	return count;
}

/* How likely two questions of different batches are to leave by the same port: one in so many. */
static unsigned alike_one_in(unsigned questions)
{
	static unsigned got[65536];
	uint64_t alike = 0;

	memset(got, 0, sizeof got);
	for (unsigned i = 0; i < questions; i++) {
		ask();
		until(asked[asked_count - 1].done);
		alike += got[server.last.port]++;
	}
	return (unsigned)((uint64_t)questions * (questions - 1) / 2 / (alike > 0 ? alike : 1));
}

/* Ten bits, for somebody who has found out about all the ports that are open; who has not has to
 * guess one of the system's whole range. */
static void who_knows_every_open_port_has_one_chance_in_a_thousand(void **state)
{
	struct rlimit was, wide;

	(void)state;
	assert_int_equal(getrlimit(RLIMIT_NOFILE, &was), 0);
	wide = (struct rlimit){was.rlim_max, was.rlim_max};
	assert_int_equal(setrlimit(RLIMIT_NOFILE, &wide), 0);
	start("127.0.0.1", "127.0.0.1", PROTOCOL_UDP, OUTBOUND_PORTS);
	outbound.lane_questions = UINT32_MAX;
	alike_one_in(OUTBOUND_PORTS / 4);
	assert_int_equal(ports_of_all_pools(), OUTBOUND_PORTS);
	assert_in_range(alike_one_in(4000), 960, 1100);
	assert_int_equal(setrlimit(RLIMIT_NOFILE, &was), 0);
}

/* One more target of the first's source, which is asked by a leg of its own. */
static void ask_second(void)
{
	struct leg before = leg;

	upstreams[1].source = upstreams[0].source;
	leg.id++;
	leg.upstreams = &upstreams[1];
	leg.upstream_count = 1;
	ask();
	leg = before;
}

/* A hostile target has itself asked many times, and takes its neighbour's question to leave by one
 * of the ports that it has just seen: 4 of 256. */
static void what_a_target_sees_does_not_tell_its_neighbours_ports(void **state)
{
	unsigned guessed = 0;

	(void)state;
	start("127.0.0.1", "127.0.0.1", PROTOCOL_UDP, 256);
	outbound.lane_questions = UINT32_MAX;
	for (unsigned i = 0; i < 2; i++)
		open_ports();
	for (unsigned round = 0; round < 200; round++) {
		memset(second.port_seen, 0, sizeof second.port_seen);
		for (unsigned i = 0; i < 5; i++)
			ask_second();
		ask();
		for (unsigned i = 0; i < 5; i++)
			ask_second();
		until(answered() == asked_count);
		guessed += second.port_seen[server.last.port];
	}
	assert_int_equal(outbound.counters.lanes_opened, 0);
	assert_in_range(guessed, 0, 12); /* 3 are to be expected */
}

/* More of them than have hands: the questions of those left over draw a port each. */
static void every_target_of_a_large_batch_has_ports_of_its_own(void **state)
{
	enum { MANY = 2 * OUTBOUND_HANDS };
	static struct target many[MANY];
	struct upstream each[MANY];

	(void)state;
	start("127.0.0.1", "127.0.0.1", PROTOCOL_UDP, 512);
	outbound.lane_questions = UINT32_MAX;
	open_ports();
	leg.upstream_count = 1;
	for (unsigned i = 0; i < MANY; i++) {
		each[i] = upstreams[0];
		each[i].target = &many[i];
		target_init(&many[i], &each[i].source, &each[i].host, PROTOCOL_UDP);
	}
	memset(server.port_seen, 0, sizeof server.port_seen);
	server.ports = 0;
	for (unsigned i = 0; i < 8 * MANY; i++) {
		leg.id = 100 + i % MANY;
		leg.upstreams = &each[i % MANY];
		ask();
	}
	assert_int_equal(outbound.pools->hand_count, OUTBOUND_HANDS);
	until(answered() == asked_count);
	/* Of 16 hands about 3.6 ports each and 128 besides; some are the same by chance. */
	assert_in_range(server.ports, 100, OUTBOUND_HANDS * (OUTBOUND_PORTS_BATCH + 8));
	assert_int_equal(outbound.pools->hand_count, 0);
}

/* In the middle of a batch, too. */
static void a_port_that_goes_is_dealt_to_nobody_any_more(void **state)
{
	(void)state;
	start("127.0.0.1", "127.0.0.1", PROTOCOL_UDP, 64);
	outbound.lane_questions = UINT32_MAX;
	for (unsigned i = 0; i < 100; i++) {
		ask();
		ask_second();
	}
	outbound_limit_ports(&outbound, 1, 0);
	for (unsigned i = 0; i < 100; i++) {
		ask();
		ask_second();
	}
	assert_int_equal(outbound.pools->hand_count, 2);
	for (unsigned i = 0; i < 2 * OUTBOUND_PORTS_BATCH; i++)
		assert_ptr_equal(outbound.pools->hands[i / OUTBOUND_PORTS_BATCH]
					 .ports[i % OUTBOUND_PORTS_BATCH],
				 outbound.pools->open[0]);
	until(answered() == asked_count);
}

static void another_maximum_of_ports_is_reached_from_either_side(void **state)
{
	(void)state;
	start("127.0.0.1", "127.0.0.1", PROTOCOL_UDP, 100);
	open_ports();
	assert_int_equal(ports_of_all_pools(), 100);
	ask(); /* leaves by a port that may be one of those that go */
	outbound_flush(&outbound);
	outbound_limit_ports(&outbound, 7, 0);
	assert_int_equal(ports_of_all_pools(), 7);
	until(answered() == asked_count);
	open_ports();
	assert_int_equal(ports_of_all_pools(), 7);
	outbound_limit_ports(&outbound, 120, 0);
	open_ports();
	assert_int_equal(ports_of_all_pools(), 120);
	assert_int_equal(server.got, asked_count);
}

static void a_port_is_renewed_after_its_share_and_nothing_is_lost(void **state)
{
	(void)state;
	start("127.0.0.1", "127.0.0.1", PROTOCOL_UDP, 1);
	outbound.lane_questions = UINT32_MAX;
	while (asked_count < 9000) {
		for (unsigned i = 0; i < 50; i++)
			ask();
		until(answered() == asked_count);
	}
	/* The last port may be so new that the server has not seen it: ask until it has. The server
	 * counts one port less if the kernel has given a number twice, so the loop has an end. */
	do {
		ask();
		until(answered() == asked_count);
	} while (server.ports <= outbound.counters.ports_renewed && asked_count < 9010);
	assert_in_range(outbound.counters.ports_renewed, 2, 4);
	assert_in_range(server.ports, outbound.counters.ports_renewed,
			outbound.counters.ports_renewed + 1);
	assert_int_equal(server.got, asked_count);
}

static void descriptors_are_left_for_others(void **state)
{
	(void)state;
	start("127.0.0.1", "127.0.0.1", PROTOCOL_UDP, 512);
	outbound.descriptor_max = 30;
	ask();
	until(answered() == 1);
	assert_in_range(outbound.counters.ports_opened, 1, 30);
	assert_true(outbound.counters.ports_refused > 0);
	outbound.descriptor_max = 0;
	clock_us += 2 * SECOND;
	upstreams[0].source.bytes[3] = 2; /* a first port is always had */
	ask();
	until(answered() == 2);
}

static void a_closed_port_is_heard_of_at_once(void **state)
{
	(void)state;
	start("127.0.0.1", "127.0.0.1", PROTOCOL_UDP, 1);
	for (unsigned i = 0; i < 20; i++) {
		ask();
		until(answered() == asked_count);
	}
	close(server.udp);
	server.udp = -1;
	uint64_t before = now_us(NULL);
	struct asked *q = ask();
	until(q->done);
	assert_true(now_us(NULL) - before < 19 * MS); /* sooner than silence would tell */
	assert_int_equal(q->outcome, ASK_ANSWERED);
	assert_int_equal(second.got, 1);
	assert_true(target_is_suspect(&targets[0]));
	assert_int_equal(targets[0].last_error, TARGET_ERROR_NETWORK);
	assert_true(outbound.counters.unreachable > 0);
}

/* Both upstreams leave by the same socket: the one's refusals must not cost the other's packets. */
static void refusals_of_one_target_lose_no_packet_of_another(void **state)
{
	(void)state;
	start("127.0.0.1", "127.0.0.1", PROTOCOL_UDP, 1);
	upstreams[1].source = upstreams[0].source;
	close(server.udp);
	server.udp = -1;
	for (unsigned i = 0; i < 300; i++) {
		target_on_answer(&targets[0], TARGET_NO_SAMPLE, clock_us); /* asked all the same */
		ask();
		outbound_flush(&outbound);
		if (i % 5 == 0)
			step();
	}
	until(answered() == 300);
	assert_int_equal(outbound.counters.send_failed, 0);
	assert_true(outbound.counters.unreachable > 100);
	assert_int_equal(table.flight_count, 0); /* every refusal found its flight */
	uint64_t unreachable = outbound.counters.unreachable;
	clock_us += 2 * SECOND; /* one copy in 500 ms now */
	ask();
	outbound_flush(&outbound);
	ask(); /* sending this one clears the socket's error, its queue remains */
	outbound_flush(&outbound);
	until(answered() == 302);
	run_for(2 * MS);
	assert_int_equal(outbound.counters.unreachable, unreachable + 1);
	ask(); /* the socket is still watched */
	until(answered() == 303);
}

static void a_source_that_is_not_there_is_passed_over(void **state)
{
	(void)state;
	start("127.0.0.1", "192.0.2.1", PROTOCOL_UDP, 16);
	ask();
	until(answered() == 1);
	assert_int_equal(targets[0].last_error, TARGET_ERROR_SOURCE);
	assert_int_equal(second.got, 1);
	assert_false(target_is_suspect(&targets[0]));
	upstreams[1].source = upstreams[0].source;
	struct asked *q = ask();
	until(q->done);
	assert_int_equal(q->outcome, ASK_FAILED);
	assert_int_equal(q->error, TARGET_ERROR_SOURCE);
}

/* A socket may not broadcast, and TCP cannot: nothing leaves. */
static void a_target_without_a_way_is_told_as_that_by_either_transport(void **state)
{
	const enum protocol protocols[] = {PROTOCOL_UDP, PROTOCOL_TCP};

	for (unsigned i = 0; i < 2; i++) {
		if (i > 0)
			stop(state);
		start("127.0.0.1", "127.0.0.1", protocols[i], 4);
		upstreams[0].host.address = (struct address){4, {127, 255, 255, 255}};
		ask();
		until(answered() == 1);
		assert_int_equal(targets[0].last_error, TARGET_ERROR_NETWORK);
		assert_true(target_is_suspect(&targets[0]));
		assert_int_equal(second.got, 1);
	}
}

static void what_could_not_be_opened_is_tried_again_a_second_later(void **state)
{
	struct rlimit few, was;

	(void)state;
	start("127.0.0.1", "127.0.0.1", PROTOCOL_UDP, 16);
	upstreams[1].source = upstreams[0].source;
	step();
	assert_int_equal(getrlimit(RLIMIT_NOFILE, &was), 0);
	few = (struct rlimit){3, was.rlim_max};
	assert_int_equal(setrlimit(RLIMIT_NOFILE, &few), 0);
	struct asked *a = ask();
	assert_int_equal(setrlimit(RLIMIT_NOFILE, &was), 0);
	struct asked *b = ask();
	clock_us += SECOND;
	struct asked *c = ask();
	until(a->done && b->done && c->done);
	assert_int_equal(a->outcome, ASK_FAILED);
	assert_int_equal(a->error, TARGET_ERROR_ROOM); /* the source is there */
	assert_int_equal(b->outcome, ASK_FAILED);
	assert_int_equal(b->error, TARGET_ERROR_ROOM);
	assert_int_equal(c->outcome, ASK_ANSWERED);
}

static void replies_of_64_kib_are_taken(void **state)
{
	(void)state;
	start("127.0.0.1", "127.0.0.1", PROTOCOL_UDP, 4);
	server.padding = 65000;
	struct asked *q = ask();
	until(q->done);
	assert_int_equal(q->outcome, ASK_ANSWERED);
	assert_true(q->length > 65000);
	assert_int_equal(second.got, 0);
}

static void a_reply_from_another_port_is_ignored(void **state)
{
	(void)state;
	start("127.0.0.1", "127.0.0.1", PROTOCOL_UDP, 4);
	server.from_elsewhere = true;
	ask();
	run_for(30 * MS);
	assert_int_equal(answered(), 0);
	assert_int_equal(table.mismatched, 1);
	until(answered() == 1);
	assert_int_equal(second.got, 1);
}

static void a_question_forgotten_before_the_flush_is_not_sent(void **state)
{
	(void)state;
	start("127.0.0.1", "127.0.0.1", PROTOCOL_UDP, 4);
	struct asked *q = ask();
	lookup_leave(&q->waiter);
	clock_us += SECOND;
	wheel_advance(&wheel, now_us(NULL)); /* its patience is over */
	assert_int_equal(table.flight_count, 0);
	run_for(5 * MS);
	assert_int_equal(server.got, 0);
}

/* As by a busy worker, whose timers repeat a question and end it in the same round. */
static void a_question_that_ends_before_the_flush_is_sent_and_told_as_sent(void **state)
{
	struct lookup_watch watch = {0};

	(void)state;
	start("127.0.0.1", "127.0.0.1", PROTOCOL_UDP, 4);
	asked[asked_count].waiter.watch = &watch;
	struct asked *q = ask();
	lookup_expire(&q->waiter, now_us(NULL));
	assert_true(q->done);
	until(server.got == 1);
	assert_int_equal(watch.count, 1);
	assert_int_equal(watch.tries[0].end, LOOKUP_TRY_SILENT);
	assert_int_equal(watch.tries[0].packets, 1);
}

static void a_source_that_no_policy_names_is_drained_and_closed(void **state)
{
	(void)state;
	start("127.0.0.1", "127.0.0.5", PROTOCOL_UDP, 8);
	struct address none = {0}, other = {.family = 4, .bytes = {127, 0, 0, 6}};
	struct asked *q = ask();
	outbound_retain(&outbound, &other, 1);
	assert_non_null(outbound.pools); /* the question is still under way */
	until(q->done);
	run_for(2 * MS);
	assert_null(outbound.pools);
	q = ask(); /* named again */
	until(q->done && q->outcome == ASK_ANSWERED);
	outbound_retain(&outbound, &upstreams[0].source, 1);
	assert_non_null(outbound.pools);
	outbound_retain(&outbound, &none, 1);
	run_for(2 * MS);
	assert_null(outbound.pools);
}

/* ---- lanes: pools of busy targets ---- */

static struct outbound_pool *lane(void)
{
	struct outbound_pool *pool = outbound.pools;

	while (pool && (!pool_is_lane(pool) || pool->retired))
		pool = pool->next;
	return pool;
}

static void ask_until(unsigned count)
{
	while (asked_count < count) {
		ask();
		if (asked_count % 16 == 0 || asked_count == count)
			until(answered() == asked_count);
	}
}

/* Opened when a question of the last hundred has come, and grown within some rounds more. */
static void start_with_lanes(const char *address, const char *source)
{
	start(address, source, PROTOCOL_UDP, 64);
	outbound.lane_questions = 100;
	outbound.lanes = LANES_WORK; /* without the trial, whose 5 ms a busy machine may miss */
}

static void ask_until_there_is_a_lane(void)
{
	ask_until(100);
	until(lane() && lane()->count == 64);
}

static void a_target_asked_often_gets_a_lane_and_nothing_is_lost(void **state)
{
	(void)state;
	start_with_lanes("127.0.0.1", "127.0.0.1");
	ask_until(99);
	assert_null(lane());
	ask_until_there_is_a_lane();
	assert_true(host_equal(&lane()->peer, &server.host));
	unsigned before = server.ports;
	ask_until(600);
	assert_true(server.ports > before); /* it has ports of its own */
	assert_int_equal(server.got, 600);
	assert_int_equal(second.got, 0);
	assert_int_equal(outbound.counters.send_failed, 0);
}

static void a_lane_is_had_without_a_source_and_by_ipv6(void **state)
{
	(void)state;
	start_with_lanes("127.0.0.1", NULL);
	ask_until(300);
	assert_non_null(lane());
	assert_int_equal(server.got, 300);
	stop(NULL);
	start_with_lanes("::1", "::1");
	ask_until(300);
	assert_non_null(lane());
	assert_int_equal(server.got, 300);
}

static void what_is_asked_often_is_counted_by_the_second(void **state)
{
	(void)state;
	start_with_lanes("127.0.0.1", "127.0.0.1");
	ask_until(90);
	clock_us += SECOND;
	ask_until(180);
	assert_null(lane());
}

/* Nine targets are more than there are places to count in. */
static void many_targets_asked_alike_have_no_lane(void **state)
{
	struct upstream upstream = {0};

	(void)state;
	start_with_lanes("127.0.0.1", "127.0.0.1");
	upstream.host = server.host;
	for (unsigned i = 0; i < 9 * 500; i++) {
		upstream.host.port = (uint16_t)(1000 + i % 9);
		assert_false(lane_earned(&outbound, &upstream, 1));
	}
	for (unsigned i = 0; i < 99; i++)
		assert_false(lane_earned(&outbound, &upstream, 2 * SECOND));
	assert_true(lane_earned(&outbound, &upstream, 2 * SECOND));
}

/* Without descriptors the trial has no result. */
static void a_trial_without_a_result_is_repeated_in_the_next_second(void **state)
{
	struct upstream upstream = {0};
	struct rlimit few, was;
	bool earned = false;

	(void)state;
	start_with_lanes("127.0.0.1", "127.0.0.1");
	outbound.lanes = LANES_UNTRIED;
	upstream.host = server.host;
	assert_int_equal(getrlimit(RLIMIT_NOFILE, &was), 0);
	few = (struct rlimit){3, was.rlim_max};
	assert_int_equal(setrlimit(RLIMIT_NOFILE, &few), 0);
	for (unsigned i = 0; i < 100; i++)
		earned |= lane_earned(&outbound, &upstream, 1);
	assert_int_equal(setrlimit(RLIMIT_NOFILE, &was), 0);
	assert_false(earned);
	assert_false(lane_earned(&outbound, &upstream, 1));
	assert_int_equal(outbound.lanes, LANES_UNTRIED);
	for (uint64_t at_us = 2 * SECOND; !earned && at_us < 200 * SECOND; at_us += SECOND) {
		for (unsigned i = 0; i < 99; i++)
			assert_false(lane_earned(&outbound, &upstream, at_us));
		earned = lane_earned(&outbound, &upstream, at_us);
	}
	assert_true(earned);
	assert_int_equal(outbound.lanes, LANES_WORK);
}

static void there_are_at_most_two_lanes(void **state)
{
	struct outbound_pool *pool;
	unsigned lanes = 0;

	(void)state;
	start_with_lanes("127.0.0.1", "127.0.0.1");
	outbound.lane_questions = 1;
	for (uint8_t i = 1; i < 8; i++) {
		struct upstream upstream = upstreams[0];

		upstream.host.port = (uint16_t)(server.host.port ^ i);
		for (unsigned questions = 0; questions < 2; questions++)
			assert_int_equal(pool_for(&outbound, &upstream, now_us(NULL), &pool), 0);
	}
	for (pool = outbound.pools; pool; pool = pool->next)
		lanes += pool_is_lane(pool);
	assert_int_equal(lanes, 2);
}

static void a_kernel_that_gives_packets_to_the_other_socket_has_no_lanes(void **state)
{
	(void)state;
	start_with_lanes("127.0.0.1", "127.0.0.1");
	outbound.lanes = LANES_FAIL;
	ask_until(300);
	assert_null(lane());
}

static void nobody_may_share_the_port_of_a_lane(void **state)
{
	struct sockaddr_storage at;
	socklen_t length = sizeof at;
	int on = 1, fd = socket_udp(4);

	(void)state;
	start_with_lanes("127.0.0.1", "127.0.0.1");
	ask_until_there_is_a_lane();
	assert_int_equal(getsockname(lane()->open[0]->fd, (struct sockaddr *)&at, &length), 0);
	assert_int_equal(setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on), 0);
	assert_int_equal(bind(fd, (struct sockaddr *)&at, length), -1);
	assert_int_equal(errno, EADDRINUSE);
	close(fd);
}

static void a_closed_port_is_heard_of_at_once_in_a_lane_too(void **state)
{
	(void)state;
	start_with_lanes("127.0.0.1", "127.0.0.1");
	ask_until_there_is_a_lane();
	ask_until(120);
	close(server.udp);
	server.udp = -1;
	uint64_t before = now_us(NULL);
	struct asked *q = ask();
	until(q->done);
	assert_true(now_us(NULL) - before < 19 * MS);
	assert_int_equal(q->outcome, ASK_ANSWERED);
	assert_int_equal(second.got, 1);
	assert_int_equal(targets[0].last_error, TARGET_ERROR_NETWORK);
}

static void an_unused_lane_is_given_up_after_ten_seconds(void **state)
{
	(void)state;
	start_with_lanes("127.0.0.1", "127.0.0.1");
	ask_until_there_is_a_lane();
	ask_until(120);
	clock_us += 9 * SECOND;
	step();
	assert_non_null(lane());
	clock_us += 2 * SECOND;
	step();
	assert_null(lane());
	ask_until(130);
	assert_int_equal(server.got, 130);
}

/* What could not be sent is lost like any packet; the common pool carries on. */
static void a_lane_that_cannot_send_is_given_up(void **state)
{
	struct lookup_watch watch = {0};

	(void)state;
	start_with_lanes("127.0.0.1", "127.0.0.1");
	ask_until_there_is_a_lane();
	ask_until(120);
	outbound.lane_questions = UINT32_MAX; /* no other one soon */
	int broken = socket_udp(4);           /* connected to nobody */
	for (unsigned i = 0; i < lane()->count; i++)
		dup2(broken, lane()->open[i]->twin);
	close(broken);
	asked[asked_count].waiter.watch = &watch;
	ask_until(140);
	assert_int_equal(watch.tries[0].end, LOOKUP_TRY_UNSENT);
	assert_int_equal(watch.tries[0].packets, 0);
	assert_true(outbound.counters.send_failed > 0);
	assert_null(lane());
	assert_true(server.got > 120);
	assert_true(targets[0].last_error != TARGET_ERROR_SOURCE);
}

/* The way there may be another by now, or the kernel give packets to the other socket. */
static void a_lane_that_hears_nothing_for_a_second_is_given_up(void **state)
{
	(void)state;
	start_with_lanes("127.0.0.1", "127.0.0.1");
	ask_until_there_is_a_lane();
	ask_until(120);
	server.silent = true;
	ask();
	outbound_flush(&outbound);
	clock_us += 900 * MS;
	outbound_flush(&outbound);
	assert_non_null(lane());
	clock_us += 200 * MS;
	outbound_flush(&outbound);
	assert_null(lane());
	server.silent = false;
	ask_until(140);
	assert_true(server.got > 121);
}

static void a_lane_that_rests_and_is_used_again_stays(void **state)
{
	(void)state;
	start_with_lanes("127.0.0.1", "127.0.0.1");
	ask_until_there_is_a_lane();
	ask_until(120);
	clock_us += 5 * SECOND;
	step();
	ask_until(121);
	step();
	assert_non_null(lane());
}

/* Few ports are easier to guess than the common pool's, and so many at once would be felt. */
static void a_lane_is_used_when_it_has_as_many_ports_as_the_common_pool(void **state)
{
	(void)state;
	start_with_lanes("127.0.0.1", "127.0.0.1");
	ask_until(99);
	ask();
	assert_non_null(lane());
	assert_int_equal(lane()->count, 0);
	until(answered() == 100);
	for (unsigned round = 0; lane()->count < 64; round++) {
		unsigned before = lane()->count;

		assert_true(round < 16);
		ask();
		assert_false(lane()->used);
		outbound_flush(&outbound);
		assert_in_range(lane()->count, before, before + 4);
	}
	ask();
	assert_true(lane()->used);
	until(answered() == asked_count);
}

static void where_ports_are_few_there_are_no_lanes(void **state)
{
	(void)state;
	start_with_lanes("127.0.0.1", "127.0.0.1");
	outbound_limit_ports(&outbound, 64, 0);
	ask_until(300);
	assert_null(lane());
	assert_int_equal(server.got, 300);
}

static void a_lane_goes_when_ports_become_few(void **state)
{
	(void)state;
	start_with_lanes("127.0.0.1", "127.0.0.1");
	ask_until_there_is_a_lane();
	outbound_limit_ports(&outbound, 64, 1);
	assert_int_equal(lane()->count, 64);
	ask(); /* under way when it goes */
	outbound_flush(&outbound);
	outbound_limit_ports(&outbound, 64, 0);
	until(answered() == asked_count);
	step();
	assert_null(lane());
	ask_until(500);
	assert_null(lane());
	assert_int_equal(server.got, 500);
}

static void a_lane_that_cannot_have_its_ports_is_not_used_and_given_up(void **state)
{
	(void)state;
	start_with_lanes("127.0.0.1", "127.0.0.1");
	ask_until(90); /* the common pool is as large as it may be */
	outbound.descriptor_max = (unsigned)dup(0) + 10;
	close((int)outbound.descriptor_max - 10);
	ask_until(300);
	assert_non_null(lane());
	assert_in_range(lane()->count, 1, 15);
	assert_false(lane()->used);
	assert_int_equal(server.got, 300);
	clock_us += 11 * SECOND;
	step();
	assert_null(lane());
}

static void a_lane_goes_with_its_source(void **state)
{
	(void)state;
	start_with_lanes("127.0.0.1", "127.0.0.1");
	ask_until_there_is_a_lane();
	ask_until(120);
	outbound_retain(&outbound, NULL, 0);
	assert_null(lane());
}

/* ---- TCP ---- */

static void tcp_is_asked_from_the_source_and_the_connection_reused(void **state)
{
	struct address source;

	(void)state;
	start("127.0.0.1", "127.0.0.88", PROTOCOL_TCP, 4);
	for (unsigned i = 0; i < 5; i++) {
		ask();
		until(answered() == asked_count);
	}
	assert_int_equal(address_parse(&source, "127.0.0.88"), 0);
	assert_true(address_equal(&server.last.address, &source));
	assert_int_equal(server.accepted, 1);
	assert_int_equal(server.got_tcp, 5);
	assert_int_equal(server.got, 0);
}

static void questions_are_pipelined_and_answered_in_any_order(void **state)
{
	(void)state;
	start("127.0.0.1", "127.0.0.1", PROTOCOL_TCP, 4);
	server.backwards = true;
	for (unsigned i = 0; i < OUTBOUND_CAPACITY_PIPELINE; i++)
		ask();
	until(answered() == asked_count);
	assert_int_equal(server.accepted, 1);
}

static void one_more_than_the_pipeline_holds_opens_a_connection(void **state)
{
	(void)state;
	start("127.0.0.1", "127.0.0.1", PROTOCOL_TCP, 4);
	for (unsigned i = 0; i < OUTBOUND_CAPACITY_PIPELINE + 1; i++)
		ask();
	until(answered() == asked_count);
	assert_int_equal(server.accepted, 2);
}

/* Its place at the connections is free again, whether it has left or not. */
static void the_oldest_makes_room_at_a_tcp_target_too(void **state)
{
	const unsigned most = 4000, more = 500;

	(void)state;
	start("127.0.0.1", "127.0.0.1", PROTOCOL_TCP, 4);
	table.target_max = most;
	for (unsigned i = 0; i < most; i++)
		ask();
	outbound_flush(&outbound);
	assert_int_equal(outbound.connection_count, 8);
	atomic_store(&targets[0].srtt_us, MS); /* it answers others meanwhile, and sooner */
	atomic_store(&targets[0].rttvar_us, MS);
	atomic_store(&targets[0].heard_us, clock_us + SECOND);
	clock_us += 30 * MS;
	for (unsigned i = 0; i < more; i++)
		ask();
	outbound_flush(&outbound);
	assert_int_equal(outbound.connection_count, 8);
	const struct outbound_peer *peer = LIST_FIRST(&outbound.peers);
	assert_int_equal(peer->unanswered, most);
	assert_int_equal(number_of(TAILQ_FIRST(&peer->waiting)->wire + 2), more);
	assert_int_equal(table.crowded_out, more);
	assert_int_equal(targets[0].last_error, TARGET_ERROR_NONE);
	assert_false(target_is_suspect(&targets[0]));
	until(answered() == asked_count);
	assert_true(second.got >= more);
}

static void an_idle_connection_gives_way_where_all_have_as_many_as_they_may(void **state)
{
	(void)state;
	start("127.0.0.1", "127.0.0.1", PROTOCOL_TCP, 4);
	upstreams[1].protocol = PROTOCOL_TCP;
	ask();
	until(answered() == 1);
	outbound.connection_count += 511;
	leg.upstreams = &upstreams[1];
	leg.upstream_count = 1;
	ask();
	until(answered() == 2);
	outbound.connection_count -= 511;
	assert_int_equal(outbound.connection_count, 1);
	assert_int_equal(second.accepted, 1);
}

static void connections_of_all_targets_have_a_maximum_too(void **state)
{
	(void)state;
	start("127.0.0.1", "127.0.0.1", PROTOCOL_TCP, 4);
	outbound.connection_count += 512;
	ask();
	outbound_flush(&outbound);
	outbound.connection_count -= 512;
	assert_int_equal(outbound.connection_count, 0);
	assert_int_equal(targets[0].last_error, TARGET_ERROR_FULL);
	ask();
	outbound_flush(&outbound);
	assert_int_equal(outbound.connection_count, 1);
	until(answered() == 2);
}

static void a_source_that_tcp_cannot_bind_is_told_as_that(void **state)
{
	(void)state;
	start("127.0.0.1", "192.0.2.1", PROTOCOL_TCP, 4);
	ask();
	until(answered() == 1);
	assert_int_equal(targets[0].last_error, TARGET_ERROR_SOURCE);
}

static void answers_may_come_byte_by_byte_and_be_large(void **state)
{
	(void)state;
	start("127.0.0.1", "127.0.0.1", PROTOCOL_TCP, 4);
	server.drips = true;
	server.padding = 300;
	for (unsigned i = 0; i < 3; i++)
		ask();
	until(answered() == 3);
	server.drips = false;
	server.padding = 65000;
	struct asked *q = ask();
	until(q->done);
	assert_true(q->length > 65000);
}

struct reads {
	size_t bytes, round; /* in all, and in this loop round */
};

static void on_tcp_read(void *reader, size_t bytes)
{
	struct reads *reads = reader;

	reads->bytes += bytes;
	reads->round += bytes;
}

/* Nobody asked for it, and it never ends. */
static void a_server_that_sends_on_and_on_is_read_by_a_bufferful_a_round(void **state)
{
	static uint8_t junk[2 + 60000];
	struct reads reads = {0};
	int room = 4 << 20;
	size_t sent = 0;
	ssize_t n;

	(void)state;
	start("127.0.0.1", "127.0.0.1", PROTOCOL_TCP, 4);
	outbound.on_tcp_read = on_tcp_read;
	outbound.reader = &reads;
	ask();
	until(answered() == 1);
	assert_int_equal(reads.bytes, reads.round);
	assert_true(reads.bytes > 0);
	setsockopt(server.connections[0], SOL_SOCKET, SO_SNDBUF, &room, sizeof room);
	wire_put16(junk, sizeof junk - 2);
	reads = (struct reads){0};
	while (sent < 8 * sizeof junk &&
	       (n = send(server.connections[0], junk + sent % sizeof junk,
			 sizeof junk - sent % sizeof junk, MSG_DONTWAIT)) > 0)
		sent += (size_t)n;
	usleep(1000);
	assert_true(sent > 3 * sizeof junk);
	while (reads.bytes < sent) {
		reads.round = 0;
		uv_run(&loop, UV_RUN_NOWAIT);
		assert_in_range(reads.round, 1, sizeof junk + MESSAGE_MAX);
	}
	ask();
	until(answered() == 2);
	assert_int_equal(server.accepted, 1);
}

/* So many rounds of so many questions, on one connection. Each step takes some time by the real
 * clock, too: 40 ms are hundreds of them. */
static void answers_come_within_a_few_steps(unsigned rounds, unsigned questions)
{
	leg.upstream_count = 1;
	ask();
	until(answered() == 1);
	for (unsigned round = 0; round < rounds; round++) {
		uint64_t before_us = clock_us;

		for (unsigned i = 0; i < questions; i++)
			ask();
		until(answered() == asked_count);
		assert_in_range(clock_us - before_us, 0, 30 * STEP_US);
	}
	assert_int_equal(server.accepted, 1);
}

static void a_server_that_leaves_nagle_on_does_not_wait_with_the_rest_of_an_answer(void **state)
{
	(void)state;
	start("127.0.0.1", "127.0.0.1", PROTOCOL_TCP, 4);
	server.halves = true;
	answers_come_within_a_few_steps(20, 1);
}

static void nor_with_the_next_answer(void **state)
{
	(void)state;
	start("127.0.0.1", "127.0.0.1", PROTOCOL_TCP, 4);
	answers_come_within_a_few_steps(20, 8);
}

static void an_idle_connection_that_the_peer_closed_is_no_error(void **state)
{
	(void)state;
	start("127.0.0.1", "127.0.0.1", PROTOCOL_TCP, 4);
	ask();
	until(answered() == 1);
	forget_connection(&server, 0);
	ask(); /* before the loop could see that it is closed */
	until(answered() == 2);
	assert_int_equal(server.accepted, 2);
	assert_int_equal(second.got, 0);
	assert_false(target_is_suspect(&targets[0]));
}

static void a_server_that_closes_after_every_answer_answers_all(void **state)
{
	(void)state;
	start("127.0.0.1", "127.0.0.1", PROTOCOL_TCP, 4);
	server.closes_after_answer = true;
	for (unsigned i = 0; i < 8; i++)
		ask();
	until(answered() == 8);
	assert_int_equal(server.accepted, 8);
	assert_int_equal(second.got, 0);
}

static void one_that_closes_after_every_answer_is_asked_in_the_clients_order(void **state)
{
	(void)state;
	start("127.0.0.1", "127.0.0.1", PROTOCOL_TCP, 4);
	server.closes_after_answer = true;
	for (unsigned i = 0; i < 50; i++) {
		ask();
		clock_us = SECOND + i / 10; /* some came in the same packet's moment */
	}
	until(answered() == 50);
	for (unsigned i = 0; i < 50; i++) /* but for those of connections side by side */
		assert_in_range(asked[i].turn, i < 20 ? 0 : i - 20, i + 20);
}

static void of_one_that_closes_after_every_answer_little_is_asked_twice(void **state)
{
	(void)state;
	start("127.0.0.1", "127.0.0.1", PROTOCOL_TCP, 4);
	server.closes_after_answer = true;
	for (unsigned i = 0; i < 50; i++)
		ask();
	until(answered() == 50);
	assert_in_range(server.accepted, 50, 55);
	assert_int_equal(second.got, 0);
	assert_true(server.unread < 100 * 40); /* bytes of questions; the first one closed on 49 */
}

static void connections_to_one_that_closes_after_every_answer_become_more(void **state)
{
	(void)state;
	start("127.0.0.1", "127.0.0.1", PROTOCOL_TCP, 4);
	server.closes_after_answer = true;
	ask();
	ask();
	until(server.accepted == 2 && answered() == 1);
	for (unsigned i = 0; i < 10; i++)
		ask();
	until(outbound.connection_count >= 3);
	until(answered() == 12);
	assert_int_equal(second.got, 0);
}

/* And no more than three at a time, which is found out at little cost. */
static void one_that_has_few_connections_answers_all(void **state)
{
	(void)state;
	start("127.0.0.1", "127.0.0.1", PROTOCOL_TCP, 4);
	server.closes_after_answer = true;
	server.most = 3;
	for (unsigned i = 0; i < 200; i++)
		ask();
	until(answered() == 200);
	assert_in_range(server.accepted, 200, 230);
	assert_int_equal(second.got, 0);
	assert_false(target_is_suspect(&targets[0]));
}

/* A server that takes one connection, and more to ask than that holds. */
static void start_full(void)
{
	start("127.0.0.1", "127.0.0.1", PROTOCOL_TCP, 4);
	leg.upstream_count = 1;
	server.most = 1;
	server.pace_us = 2 * MS;
	for (unsigned i = 0; i < OUTBOUND_CAPACITY_PIPELINE + 50; i++)
		ask();
	until(server.accepted == 3); /* it hangs up on the second, and on one with no question */
}

/* Now and then one more is tried, with one question, and its end is nobody's fault. */
static void the_connection_too_many_says_nothing_of_the_others(void **state)
{
	(void)state;
	start_full();
	while (server.accepted < 4) {
		ask();
		run_for(2 * MS);
	}
	run_for(2 * MS);
	assert_true(LIST_FIRST(&outbound.peers)->capacity.pipeline >
		    OUTBOUND_CAPACITY_PIPELINE_SLOW);
	until(answered() == asked_count);
}

static void a_trial_that_is_answered_makes_more_of_them(void **state)
{
	(void)state;
	start_full();
	server.most = 0;
	while (server.connection_count < 2) {
		ask();
		run_for(2 * MS);
	}
	until(LIST_FIRST(&outbound.peers)->capacity.connections == 2);
	until(answered() == asked_count);
}

/* As servers do that stop accepting: the system answers the call, and then nothing comes. */
static void a_connection_that_nobody_serves_costs_no_question(void **state)
{
	(void)state;
	start("127.0.0.1", "127.0.0.1", PROTOCOL_TCP, 4);
	leg.upstream_count = 1;
	server.most = 1;
	server.full_is_deaf = true;
	for (unsigned i = 0; i < OUTBOUND_CAPACITY_PIPELINE + 50; i++)
		ask();
	until(answered() == asked_count); /* fifty of them after their patience */
	assert_int_equal(outbound.connection_count, 1);
	assert_int_equal(LIST_FIRST(&outbound.peers)->capacity.connections, 1);
	assert_int_equal(table.retried, 50);
	server.pace_us = 2 * MS;
	server.next_us[0] = clock_us;
	for (unsigned i = 0; i < OUTBOUND_CAPACITY_PIPELINE + 50; i++)
		ask();
	for (uint64_t end_us = clock_us + 2 * SECOND; clock_us < end_us;) {
		ask();
		run_for(2 * MS);
	}
	until(answered() == asked_count);
	assert_in_range(table.retried, 51, 60); /* that of each trial */
	assert_int_equal(LIST_FIRST(&outbound.peers)->capacity.connections, 1);
}

/* One connection has nothing but names that nobody answers, and the other owes one as well: that is
 * no sign of a server that is full. */
static void names_that_hang_do_not_look_like_a_server_that_is_full(void **state)
{
	(void)state;
	start("127.0.0.1", "127.0.0.1", PROTOCOL_TCP, 4);
	leg.upstream_count = 1;
	server.ignores = OUTBOUND_CAPACITY_PIPELINE; /* the first of either connection */
	for (unsigned i = 0; i < OUTBOUND_CAPACITY_PIPELINE + 1; i++)
		ask();
	until(server.got_tcp == asked_count);
	wait_for(200 * MS);
	server.ignores = 1;
	ask(); /* keeps the first when the others are given up */
	until(server.got_tcp > asked_count - 1);
	while (!asked[0].done || !asked[OUTBOUND_CAPACITY_PIPELINE].done)
		wait_for(10 * MS);
	assert_false(asked[asked_count - 1].done);
	assert_true(LIST_FIRST(&outbound.peers)->connection_count > 0);
	assert_int_equal(LIST_FIRST(&outbound.peers)->capacity.connections,
			 OUTBOUND_CAPACITY_CONNECTIONS);
}

static void connections_too_many_do_not_condemn_one_that_has_not_answered_yet(void **state)
{
	(void)state;
	start("127.0.0.1", "127.0.0.1", PROTOCOL_TCP, 4);
	leg.upstream_count = 1;
	server.most = 1;
	server.deaf = true;
	for (unsigned i = 0; i < 2 * OUTBOUND_CAPACITY_PIPELINE + 1; i++)
		ask();
	until(server.accepted == 3);
	run_for(5 * MS);
	server.deaf = false;
	until(answered() == asked_count);
	assert_false(target_is_suspect(&targets[0]));
	assert_int_equal(targets[0].errors, 0);
}

static void one_that_hangs_up_on_many_questions_answers_them_one_by_one(void **state)
{
	(void)state;
	start("127.0.0.1", "127.0.0.1", PROTOCOL_TCP, 4);
	server.hangs_up = 1;
	for (unsigned i = 0; i < 50; i++)
		ask();
	until(answered() == 50);
	assert_int_equal(second.got, 0);
	assert_false(target_is_suspect(&targets[0]));
}

static void a_restart_loses_no_question_that_was_alone(void **state)
{
	(void)state;
	start("127.0.0.1", "127.0.0.1", PROTOCOL_TCP, 4);
	leg.upstream_count = 1;
	server.closes_after_answer = true;
	ask();
	ask();
	until(answered() == 1);
	server.hangs_up = 1; /* on the second one's connection */
	until(done_count == 2);
	assert_int_equal(answered(), 2);
	assert_int_equal(server.hangs_up, 0);
	assert_false(target_is_suspect(&targets[0]));
}

static void a_question_that_ends_every_connection_fails_alone(void **state)
{
	(void)state;
	start("127.0.0.1", "127.0.0.1", PROTOCOL_TCP, 4);
	server.kills = "n7";
	for (unsigned i = 0; i < 50; i++)
		ask();
	until(answered() == 50);
	assert_int_equal(second.got, 1);
	assert_int_equal(targets[0].last_error, TARGET_ERROR_CLOSED);
	assert_false(target_is_suspect(&targets[0]));
	assert_in_range(server.accepted, 3, 12);
}

static void several_questions_that_end_every_connection_fail_alone(void **state)
{
	(void)state;
	start("127.0.0.1", "127.0.0.1", PROTOCOL_TCP, 4);
	ask();
	until(answered() == 1);
	server.kills_to = 4;
	for (unsigned i = 0; i < 20; i++)
		ask();
	until(answered() == asked_count);
	assert_int_equal(second.got, 4);
	assert_int_equal(targets[0].last_error, TARGET_ERROR_CLOSED);
	assert_int_equal(atomic_load(&targets[0].suspicions), 0);
}

/* Each costs a connection and what is under way there an answer; others have theirs all the same,
 * and the server is not taken for one that accepts no more connections. */
static void names_that_end_connections_leave_the_others_their_answers(void **state)
{
	(void)state;
	start("127.0.0.1", "127.0.0.1", PROTOCOL_TCP, 4);
	leg.upstream_count = 1;
	server.delay_us = 150 * MS;
	for (unsigned i = 0; i < 150; i++) {
		if (i == 20)
			server.kills_every = 20;
		ask();
		run_for(16 * MS);
	}
	run_for(300 * MS); /* a second way there and back */
	unsigned killers = (asked_count - 1) / 20;
	assert_int_equal(answered(), asked_count - killers);
	assert_int_equal(targets[0].last_error, TARGET_ERROR_CLOSED);
}

/* A question each 10 ms, and one of so many ends its connection. Not answered of the others: */
static unsigned lost_beside_killers(unsigned most, unsigned kills_every, unsigned questions)
{
	start("127.0.0.1", "127.0.0.1", PROTOCOL_TCP, 4);
	leg.upstream_count = 1;
	server.most = most;
	server.delay_us = 100 * MS;
	ask();
	until(answered() == 1);
	server.kills_every = kills_every;
	for (unsigned i = 1; i <= questions; i++) {
		ask();
		for (uint64_t end_us = clock_us + 10 * MS; clock_us < end_us;)
			step();
	}
	for (uint64_t end_us = clock_us + 5 * SECOND; clock_us < end_us;)
		step();
	return 1 + questions - questions / kills_every - answered();
}

static void a_connection_that_a_question_ends_is_not_taken_for_one_too_many(void **state)
{
	(void)state;
	assert_int_equal(lost_beside_killers(0, 10, 300), 0);
}

static void nor_where_the_server_has_few(void **state)
{
	(void)state;
	assert_in_range(lost_beside_killers(4, 10, 240), 0, 15); /* of 216 */
}

static void nor_where_it_has_fewer_and_more_questions_end_them(void **state)
{
	(void)state;
	assert_in_range(lost_beside_killers(3, 5, 300), 0, 75); /* of 240 */
}

/* Every 16 ms it ends one more, until the first of the others has its answer. */
static void one_that_ends_connections_while_others_are_slow_is_the_only_one_to_fail(void **state)
{
	(void)state;
	start("127.0.0.1", "127.0.0.1", PROTOCOL_TCP, 4);
	leg.upstream_count = 1;
	ask();
	until(answered() == 1);
	server.delay_us = 300 * MS;
	server.kills = "n1";
	for (unsigned i = 0; i < 200 && !asked[1].done; i++) {
		ask();
		run_for(16 * MS);
	}
	assert_int_equal(asked[1].error, TARGET_ERROR_CLOSED);
	assert_int_equal(targets[0].errors, 1);
	until(answered() == asked_count - 1);
}

/* A connection that only hangs is no reason to wait for a server that ends all others. */
static void one_that_ends_all_connections_but_those_that_hang_is_left(void **state)
{
	(void)state;
	start("127.0.0.1", "127.0.0.1", PROTOCOL_TCP, 4);
	ask();
	until(answered() == 1);
	server.silent = true;
	ask();
	wait_for(410 * MS);
	server.closes_unanswered = true;
	for (unsigned i = 0; i < 5; i++)
		ask();
	wait_for(250 * MS);
	assert_int_equal(answered(), asked_count);
	assert_int_equal(second.got, 6);
}

/* There is time to ask others before anybody is blamed. */
static void a_question_that_ends_connections_is_told_from_a_server_that_does(void **state)
{
	(void)state;
	start("127.0.0.1", "127.0.0.1", PROTOCOL_TCP, 4);
	leg.upstream_count = 1;
	ask();
	until(answered() == 1);
	server.kills = "n1";
	struct asked *q = ask();
	run_for(70 * MS);
	assert_false(q->done);
	while (!q->done && clock_us < 3 * SECOND) {
		ask();
		run_for(30 * MS);
	}
	assert_int_equal(q->error, TARGET_ERROR_CLOSED);
	assert_int_equal(atomic_load(&targets[0].suspicions), 0);
	assert_in_range(server.accepted, 4, 12);
	until(answered() == asked_count - 1);
}

/* As a balancer does while what is behind it restarts. */
static void one_that_ends_all_connections_for_a_while_costs_no_question(void **state)
{
	(void)state;
	start("127.0.0.1", "127.0.0.1", PROTOCOL_TCP, 4);
	leg.upstream_count = 1;
	ask();
	until(answered() == 1);
	server.closes_unanswered = true;
	for (unsigned i = 0; i < 5; i++) {
		ask();
		wait_for(100 * MS);
	}
	assert_int_equal(done_count, 1);
	server.closes_unanswered = false;
	until(answered() == asked_count);
}

static void one_that_never_answers_a_connection_is_left(void **state)
{
	(void)state;
	start("127.0.0.1", "127.0.0.1", PROTOCOL_TCP, 4);
	server.closes_unanswered = true;
	for (unsigned i = 0; i < 50; i++)
		ask();
	until(answered() == 50);
	assert_int_equal(second.got, 50);
	assert_in_range(server.accepted, 2, 4);
	assert_true(target_is_suspect(&targets[0]));
}

/* Servers close idle connections whenever they like: nothing is learned from that. */
static void an_idle_connection_that_ends_beside_a_busy_one_says_nothing(void **state)
{
	(void)state;
	start("127.0.0.1", "127.0.0.1", PROTOCOL_TCP, 4);
	for (unsigned i = 0; i < OUTBOUND_CAPACITY_PIPELINE + 1; i++)
		ask();
	until(answered() == asked_count && server.connection_count == 2);
	server.silent = true;
	ask(); /* by one of the two */
	run_for(2 * MS);
	unsigned pipeline = LIST_FIRST(&outbound.peers)->capacity.pipeline;
	forget_connection(&server, server.connections[0] == server.last_served ? 1 : 0);
	until(outbound.connection_count == 1);
	assert_int_equal(LIST_FIRST(&outbound.peers)->capacity.pipeline, pipeline);
	assert_int_equal(LIST_FIRST(&outbound.peers)->capacity.in_vain, 0);
}

/* Names that it never answers, among others that it does: it is not slow with those. */
static void names_that_hang_leave_the_pipeline_to_the_others(void **state)
{
	(void)state;
	start("127.0.0.1", "127.0.0.1", PROTOCOL_UDP, 4);
	server.truncates = true;
	server.ignores = 2;
	for (unsigned i = 0; i < 500; i++) {
		ask();
		run_for(2 * MS);
	}
	assert_in_range(second.got, 1, 250); /* those that were given up */
	assert_int_equal(LIST_FIRST(&outbound.peers)->capacity.pipeline,
			 OUTBOUND_CAPACITY_PIPELINE);
}

/* Ten milliseconds for each: a hundred on one connection would take longer than patience. */
static void one_that_answers_one_after_the_other_has_more_connections(void **state)
{
	(void)state;
	start("127.0.0.1", "127.0.0.1", PROTOCOL_TCP, 4);
	leg.upstream_count = 1;
	server.pace_us = 10 * MS;
	for (unsigned i = 0; i < 600; i++) {
		ask();
		run_for(4 * MS);
	}
	until(answered() == 600);
	assert_in_range(server.accepted, 3, 9);
}

static void one_that_closes_without_an_answer_is_an_error(void **state)
{
	(void)state;
	start("127.0.0.1", "127.0.0.1", PROTOCOL_TCP, 4);
	server.closes_unanswered = true;
	ask();
	until(answered() == 1);
	assert_int_equal(second.got, 1);
	assert_int_equal(server.accepted, 2);
	assert_true(target_is_suspect(&targets[0]));
	assert_int_equal(targets[0].last_error, TARGET_ERROR_AWAY);
}

static void one_that_closes_every_connection_is_asked_a_question_a_few_times(void **state)
{
	(void)state;
	start("127.0.0.1", "127.0.0.1", PROTOCOL_TCP, 4);
	leg.upstream_count = 1;
	server.closes_unanswered = true;
	ask();
	run_for(2 * SECOND);
	assert_in_range(server.accepted, 2, 6); /* three times, and each once more */
	assert_string_equal(target_error_sentence(target_suspicion(&targets[0])),
			    "closes every connection");
}

static void a_refused_connection_goes_to_the_next_at_once(void **state)
{
	(void)state;
	start("127.0.0.1", "127.0.0.1", PROTOCOL_TCP, 4);
	close(server.tcp);
	server.tcp = -1;
	uint64_t before = now_us(NULL);
	ask();
	until(answered() == 1);
	assert_true(now_us(NULL) - before < 50 * MS); /* 100 ms is what silence would cost */
	assert_int_equal(second.got, 1);
}

static void nobody_who_answers_the_call_is_given_up_after_800_ms(void **state)
{
	struct sockaddr_storage storage;
	int fillers[4];

	(void)state;
	start("127.0.0.1", "127.0.0.1", PROTOCOL_TCP, 4);
	int deaf = socket(AF_INET, SOCK_STREAM, 0); /* its queue is full: SYNs are dropped */
	struct host any = {.address = {.family = 4, .bytes = {127, 0, 0, 1}}};
	socklen_t length = socket_address(&any, &storage);
	assert_int_equal(bind(deaf, (struct sockaddr *)&storage, length), 0);
	assert_int_equal(listen(deaf, 0), 0);
	assert_int_equal(getsockname(deaf, (struct sockaddr *)&storage, &length), 0);
	socket_host(&storage, &upstreams[0].host);
	for (unsigned i = 0; i < 4; i++) {
		fillers[i] = socket(AF_INET, SOCK_STREAM, 0);
		nonblocking(fillers[i]);
		(void)!connect(fillers[i], (struct sockaddr *)&storage, length);
	}
	usleep(1000);
	atomic_store(&targets[0].srtt_us, 0); /* it never answered */
	ask();
	until(answered() == 1);
	assert_int_equal(second.got, 1);
	assert_int_equal(outbound.connection_count, 1); /* still trying */
	clock_us += SECOND;
	step();
	assert_int_equal(outbound.connection_count, 0);
	for (unsigned i = 0; i < 4; i++)
		close(fillers[i]);
	close(deaf);
}

static void an_idle_connection_is_closed_after_ten_seconds(void **state)
{
	(void)state;
	start("127.0.0.1", "127.0.0.1", PROTOCOL_TCP, 4);
	ask();
	until(answered() == 1);
	clock_us += 9 * SECOND;
	step();
	assert_int_equal(outbound.connection_count, 1);
	ask(); /* counts from the last answer */
	until(answered() == 2);
	clock_us += 9 * SECOND;
	step();
	assert_int_equal(outbound.connection_count, 1);
	clock_us += 2 * SECOND;
	step();
	assert_int_equal(outbound.connection_count, 0);
	assert_int_equal(server.accepted, 1);
}

static void a_connection_that_went_deaf_takes_no_more_questions(void **state)
{
	(void)state;
	start("127.0.0.1", "127.0.0.1", PROTOCOL_TCP, 4);
	ask();
	until(answered() == 1);
	server.silent = true;
	ask();
	until(answered() == 2); /* by the second */
	clock_us += SECOND;
	step();
	server.silent = false;
	target_on_answer(&targets[0], MS, now_us(NULL));
	ask();
	until(answered() == 3);
	assert_int_equal(server.accepted, 2);
}

/* Its peer is gone without a word. */
static void a_question_on_a_dead_connection_is_asked_by_another(void **state)
{
	(void)state;
	start("127.0.0.1", "127.0.0.1", PROTOCOL_TCP, 4);
	leg.upstream_count = 1;
	ask();
	until(answered() == 1);
	int dead = server.connections[0];
	server.connection_count = 0;
	ask();
	until(answered() == 2);
	assert_int_equal(server.accepted, 2);
	close(dead);
}

/* A restart with two names under way that nobody answers: each is asked alone from now on, and
 * others do not wait for them. */
static void names_that_hang_since_a_restart_leave_the_way_to_others(void **state)
{
	(void)state;
	start("127.0.0.1", "127.0.0.1", PROTOCOL_TCP, 4);
	leg.upstream_count = 1;
	ask();
	ask();
	until(answered() == 2);
	server.ignores = 1;
	ask();
	ask();
	until(server.got_tcp == 4);
	forget_connection(&server, 0);
	until(server.got_tcp == 6);
	server.ignores = 0;
	struct asked *q = ask();
	run_for(5 * MS);
	assert_true(q->done);
	assert_in_range(server.accepted, 2, 6);
}

/* Half of the names hang, some with all that is behind them there, and a third end connections.
 * `known` is the number of the first name, which is asked before that begins. */
static void beside_names_that_hang_and_names_that_end_connections(bool jams, unsigned known,
								  uint64_t within_us)
{
	start("127.0.0.1", "127.0.0.1", PROTOCOL_TCP, 4);
	leg.upstream_count = 1;
	asked_count = known;
	ask();
	until(answered() == 1);
	server.jams = jams;
	server.ignores = 2;
	server.kills_every = 3;
	while (asked_count < 39)
		ask();
	wait_for(within_us);
	for (unsigned i = known + 1; i < 39; i++)
		assert_int_equal(asked[i].done && asked[i].outcome == ASK_ANSWERED,
				 i % 2 != 0 && i % 3 != 0);
}

static void names_that_hang_and_that_end_connections_leave_the_others_their_answers(void **state)
{
	(void)state;
	beside_names_that_hang_and_names_that_end_connections(false, 0, 1300 * MS);
	for (unsigned i = 1; i < 39; i++)
		assert_true(!asked[i].done || asked[i].done_us - asked[i].asked_us < SECOND);
}

static void so_they_do_where_those_that_hang_hold_a_connection_up(void **state)
{
	(void)state;
	beside_names_that_hang_and_names_that_end_connections(true, 1, 1300 * MS);
}

/* Its silence makes the target a suspect, until one of the others is answered. */
static void later_where_the_only_known_question_is_one_of_those_that_hang(void **state)
{
	(void)state;
	beside_names_that_hang_and_names_that_end_connections(true, 0, 2500 * MS);
}

static void connections_that_end_in_their_time_are_no_questions_fault(void **state)
{
	(void)state;
	start("127.0.0.1", "127.0.0.1", PROTOCOL_TCP, 4);
	leg.upstream_count = 1;
	server.most = 1;
	server.delay_us = 30 * MS;
	server.life_us = 200 * MS;
	ask();
	until(answered() == 1);
	for (unsigned i = 0; i < 300; i++) {
		ask();
		run_for(4 * MS);
	}
	wait_for(200 * MS);
	assert_int_equal(answered(), 301);
}

static void answers_that_are_few_and_not_always_as_many_are_no_questions_fault(void **state)
{
	(void)state;
	start("127.0.0.1", "127.0.0.1", PROTOCOL_TCP, 4);
	leg.upstream_count = 1;
	server.stingy = true;
	for (unsigned i = 0; i < 200; i++)
		ask();
	wait_for(1000 * MS);
	assert_int_equal(answered(), 200);
}

static void one_that_is_dead_from_its_first_question_on_as_well(void **state)
{
	(void)state;
	start("127.0.0.1", "127.0.0.1", PROTOCOL_TCP, 4);
	leg.upstream_count = 1;
	ask();
	until(server.accepted == 1);
	int dead = server.connections[0];
	server.connection_count = 0;
	until(answered() == 1);
	assert_int_equal(server.accepted, 2);
	close(dead);
}

static void questions_that_wait_when_their_source_goes_are_answered(void **state)
{
	(void)state;
	start("127.0.0.1", "127.0.0.1", PROTOCOL_TCP, 4);
	leg.upstream_count = 1;
	server.pace_us = MS;
	for (unsigned i = 0; i < 2 * OUTBOUND_CAPACITY_PIPELINE + 50; i++)
		ask();
	until(answered() > 10);
	outbound_retain(&outbound, NULL, 0);
	until(answered() == asked_count);
	until(outbound.connection_count == 0);
}

/* As many connections as there may be, and none of them is to stay. */
static void what_comes_while_all_connections_drain_waits_for_one_to_end(void **state)
{
	(void)state;
	start("127.0.0.1", "127.0.0.1", PROTOCOL_TCP, 4);
	leg.upstream_count = 1;
	ask();
	until(answered() == 1);
	server.deaf = true;
	ask();
	step();
	outbound_retain(&outbound, NULL, 0);
	LIST_FIRST(&outbound.peers)->connection_count += OUTBOUND_CAPACITY_CONNECTIONS - 1;
	ask();
	run_for(5 * MS);
	LIST_FIRST(&outbound.peers)->connection_count -= OUTBOUND_CAPACITY_CONNECTIONS - 1;
	assert_int_equal(done_count, 1);
	server.deaf = false;
	until(answered() == 3);
	assert_int_equal(server.accepted, 2);
}

static void tc_leads_to_the_whole_answer_by_tcp(void **state)
{
	(void)state;
	start("127.0.0.1", "127.0.0.1", PROTOCOL_UDP, 4);
	server.truncates = true;
	server.padding = 2000;
	struct asked *q = ask();
	until(q->done);
	assert_int_equal(q->outcome, ASK_ANSWERED);
	assert_true(q->length > 2000);
	assert_int_equal(server.got, 1);
	assert_int_equal(server.got_tcp, 1);
}

static void start_truncating(void)
{
	start("127.0.0.1", "127.0.0.1", PROTOCOL_UDP, 4);
	leg.upstream_count = 1;
	server.truncates = true;
}

static void after_tc_a_connection_that_ends_is_followed_by_one_more(void **state)
{
	(void)state;
	start_truncating();
	server.hangs_up = 1;
	ask();
	until(answered() == 1);
	assert_int_equal(server.accepted, 2);
	assert_int_equal(atomic_load(&targets[0].suspicions), 0);
}

/* And so is the next one, whatever became of those before. */
static void after_tc_it_is_given_up_when_that_one_ends_too(void **state)
{
	(void)state;
	start_truncating();
	server.closes_unanswered = true;
	for (unsigned i = 0; i < 3; i++) {
		struct asked *q = ask();
		until(q->done);
		assert_int_equal(q->outcome, ASK_TRUNCATED);
		assert_int_equal(q->error, TARGET_ERROR_CLOSED);
		assert_int_equal(server.got_tcp, 2 * (i + 1));
	}
	assert_int_equal(atomic_load(&targets[0].suspicions), 0);
}

static void questions_of_a_loop_round_leave_in_one_write(void **state)
{
	(void)state;
	start("127.0.0.1", "127.0.0.1", PROTOCOL_TCP, 4);
	for (unsigned i = 0; i < 50; i++) /* while there is no connection yet */
		ask();
	until(answered() == 50);
	assert_int_equal(tcp_segments(server.connections[0]), 1);
	for (unsigned i = 0; i < OUTBOUND_CAPACITY_PIPELINE; i++)
		ask();
	assert_int_equal(tcp_segments(server.connections[0]), 1); /* not before the flush */
	outbound_flush(&outbound);
	assert_int_equal(tcp_segments(server.connections[0]), 2);
	until(answered() == asked_count);
	assert_int_equal(server.accepted, 1);
}

/* The descriptor of our end of the connection to the server. */
static int connected_to(const struct host *host)
{
	for (int fd = 3; fd < 1024; fd++) {
		struct sockaddr_storage storage;
		socklen_t length = sizeof storage;
		struct host peer;

		if (getpeername(fd, (struct sockaddr *)&storage, &length) != 0)
			continue;
		socket_host(&storage, &peer);
		if (host_equal(&peer, host))
			return fd;
	}
	fail();
	return -1;
}

/* The buffer in the kernel is as small as it can be, and the server does not read. */
static void a_write_that_is_cut_goes_on_where_it_was_and_then_with_the_rest(void **state)
{
	int small = 1, queued;

	(void)state;
	start("127.0.0.1", "127.0.0.1", PROTOCOL_TCP, 4);
	leg.upstream_count = 1;
	long_names = true;
	ask();
	until(answered() == 1);
	int fd = connected_to(&server.host);
	assert_int_equal(setsockopt(fd, SOL_SOCKET, SO_SNDBUF, &small, sizeof small), 0);
	server.deaf = true;
	for (unsigned i = 0; i < 200; i++)
		ask();
	step();
	assert_int_equal(ioctl(fd, SIOCOUTQ, &queued), 0);
	assert_in_range(queued, 1, 199 * 210);
	for (unsigned i = 0; i < 50; i++) /* after what is under way */
		ask();
	step();
	server.deaf = false;
	until(answered() == asked_count);
	assert_int_equal(server.got_tcp, asked_count + table.retried);
	assert_int_equal(server.accepted, 1);
}

static void a_connection_that_is_lost_while_it_is_written_to_loses_no_question(void **state)
{
	int small = 1;

	(void)state;
	start("127.0.0.1", "127.0.0.1", PROTOCOL_TCP, 4);
	leg.upstream_count = 1;
	long_names = true;
	ask();
	until(answered() == 1);
	int fd = connected_to(&server.host);
	assert_int_equal(setsockopt(fd, SOL_SOCKET, SO_SNDBUF, &small, sizeof small), 0);
	server.deaf = true;
	for (unsigned i = 0; i < 200; i++)
		ask();
	step();
	forget_connection(&server, 0);
	server.deaf = false;
	until(answered() == asked_count);
	assert_int_equal(second.got, 0);
	assert_in_range(server.accepted, 2, 9);
}

static void a_tcp_question_forgotten_before_the_flush_is_not_sent(void **state)
{
	(void)state;
	start("127.0.0.1", "127.0.0.1", PROTOCOL_TCP, 4);
	leg.upstream_count = 1;
	ask();
	until(answered() == 1);
	server.silent = true;
	ask(); /* keeps the connection */
	until(server.got_tcp == 2);
	struct asked *q = ask();
	lookup_leave(&q->waiter);
	clock_us += SECOND;
	wheel_advance(&wheel, now_us(NULL)); /* its patience is over */
	run_for(5 * MS);
	/* The one that is silent is asked once more, and makes for a probe. */
	assert_int_equal(server.got_tcp, 2 + table.retried + targets[0].probes);
}

/* A loop that sleeps until something arrives would leave it there. */
static void what_udp_cannot_send_leaves_by_tcp_with_the_same_flush(void **state)
{
	(void)state;
	start("127.0.0.1", NULL, PROTOCOL_UDP, 4);
	upstreams[1].protocol = PROTOCOL_TCP;
	upstreams[0].host.address.bytes[1] = upstreams[0].host.address.bytes[2] =
		upstreams[0].host.address.bytes[3] = 255; /* a broadcast, which is refused */
	ask();
	until(answered() == 1);
	assert_int_equal(second.got_tcp, 1);
	target_on_answer(&targets[0], MS, now_us(NULL));
	assert_false(target_is_suspect(&targets[0]));
	ask();
	assert_true(TAILQ_EMPTY(&outbound.gathered));
	outbound_flush(&outbound);
	assert_true(TAILQ_EMPTY(&outbound.gathered));
	serve_tcp(&second);
	assert_int_equal(second.got_tcp, 2);
	until(answered() == 2);
}

static void everything_may_be_released_with_questions_under_way(void **state)
{
	(void)state;
	start("127.0.0.1", "127.0.0.1", PROTOCOL_TCP, 4);
	upstreams[1].protocol = PROTOCOL_TCP;
	server.closes_unanswered = true;
	ask();
	until(answered() == 1); /* there is a connection to the second, too */
	server.closes_unanswered = false;
	target_on_answer(&targets[0], MS, now_us(NULL));
	server.silent = true;
	ask();
	run_for(2 * MS);
	ask();
	upstreams[0].protocol = PROTOCOL_UDP;
	ask();
	run_for(2 * MS);
	ask(); /* stop() does the rest, and ASan looks on */
}

#define TEST(name) cmocka_unit_test_teardown(name, stop)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(a_question_leaves_from_its_source),
		TEST(without_a_source_the_system_chooses),
		TEST(ipv6_is_spoken),
		TEST(a_source_of_the_other_family_is_unusable),
		TEST(a_batch_leaves_by_a_few_ports_and_batches_by_others),
		TEST(the_pool_starts_small_and_grows_to_its_maximum),
		TEST(who_knows_every_open_port_has_one_chance_in_a_thousand),
		TEST(what_a_target_sees_does_not_tell_its_neighbours_ports),
		TEST(every_target_of_a_large_batch_has_ports_of_its_own),
		TEST(a_port_that_goes_is_dealt_to_nobody_any_more),
		TEST(another_maximum_of_ports_is_reached_from_either_side),
		TEST(a_port_is_renewed_after_its_share_and_nothing_is_lost),
		TEST(descriptors_are_left_for_others),
		TEST(a_closed_port_is_heard_of_at_once),
		TEST(refusals_of_one_target_lose_no_packet_of_another),
		TEST(a_source_that_is_not_there_is_passed_over),
		TEST(a_target_without_a_way_is_told_as_that_by_either_transport),
		TEST(what_could_not_be_opened_is_tried_again_a_second_later),
		TEST(replies_of_64_kib_are_taken),
		TEST(a_reply_from_another_port_is_ignored),
		TEST(a_question_forgotten_before_the_flush_is_not_sent),
		TEST(a_question_that_ends_before_the_flush_is_sent_and_told_as_sent),
		TEST(a_source_that_no_policy_names_is_drained_and_closed),
		TEST(a_target_asked_often_gets_a_lane_and_nothing_is_lost),
		TEST(a_lane_is_had_without_a_source_and_by_ipv6),
		TEST(what_is_asked_often_is_counted_by_the_second),
		TEST(many_targets_asked_alike_have_no_lane),
		TEST(a_trial_without_a_result_is_repeated_in_the_next_second),
		TEST(there_are_at_most_two_lanes),
		TEST(a_kernel_that_gives_packets_to_the_other_socket_has_no_lanes),
		TEST(nobody_may_share_the_port_of_a_lane),
		TEST(a_closed_port_is_heard_of_at_once_in_a_lane_too),
		TEST(an_unused_lane_is_given_up_after_ten_seconds),
		TEST(a_lane_that_cannot_send_is_given_up),
		TEST(a_lane_that_hears_nothing_for_a_second_is_given_up),
		TEST(a_lane_that_rests_and_is_used_again_stays),
		TEST(a_lane_is_used_when_it_has_as_many_ports_as_the_common_pool),
		TEST(where_ports_are_few_there_are_no_lanes),
		TEST(a_lane_goes_when_ports_become_few),
		TEST(a_lane_that_cannot_have_its_ports_is_not_used_and_given_up),
		TEST(a_lane_goes_with_its_source),
		TEST(tcp_is_asked_from_the_source_and_the_connection_reused),
		TEST(questions_are_pipelined_and_answered_in_any_order),
		TEST(one_more_than_the_pipeline_holds_opens_a_connection),
		TEST(the_oldest_makes_room_at_a_tcp_target_too),
		TEST(an_idle_connection_gives_way_where_all_have_as_many_as_they_may),
		TEST(connections_of_all_targets_have_a_maximum_too),
		TEST(a_source_that_tcp_cannot_bind_is_told_as_that),
		TEST(answers_may_come_byte_by_byte_and_be_large),
		TEST(a_server_that_sends_on_and_on_is_read_by_a_bufferful_a_round),
		TEST(a_server_that_leaves_nagle_on_does_not_wait_with_the_rest_of_an_answer),
		TEST(nor_with_the_next_answer),
		TEST(an_idle_connection_that_the_peer_closed_is_no_error),
		TEST(a_server_that_closes_after_every_answer_answers_all),
		TEST(one_that_closes_after_every_answer_is_asked_in_the_clients_order),
		TEST(of_one_that_closes_after_every_answer_little_is_asked_twice),
		TEST(connections_to_one_that_closes_after_every_answer_become_more),
		TEST(one_that_has_few_connections_answers_all),
		TEST(the_connection_too_many_says_nothing_of_the_others),
		TEST(a_connection_that_nobody_serves_costs_no_question),
		TEST(a_trial_that_is_answered_makes_more_of_them),
		TEST(names_that_hang_do_not_look_like_a_server_that_is_full),
		TEST(connections_too_many_do_not_condemn_one_that_has_not_answered_yet),
		TEST(one_that_hangs_up_on_many_questions_answers_them_one_by_one),
		TEST(a_restart_loses_no_question_that_was_alone),
		TEST(a_question_that_ends_every_connection_fails_alone),
		TEST(several_questions_that_end_every_connection_fail_alone),
		TEST(names_that_end_connections_leave_the_others_their_answers),
		TEST(a_connection_that_a_question_ends_is_not_taken_for_one_too_many),
		TEST(nor_where_the_server_has_few),
		TEST(nor_where_it_has_fewer_and_more_questions_end_them),
		TEST(one_that_ends_connections_while_others_are_slow_is_the_only_one_to_fail),
		TEST(one_that_ends_all_connections_but_those_that_hang_is_left),
		TEST(a_question_that_ends_connections_is_told_from_a_server_that_does),
		TEST(one_that_ends_all_connections_for_a_while_costs_no_question),
		TEST(one_that_never_answers_a_connection_is_left),
		TEST(an_idle_connection_that_ends_beside_a_busy_one_says_nothing),
		TEST(names_that_hang_leave_the_pipeline_to_the_others),
		TEST(one_that_answers_one_after_the_other_has_more_connections),
		TEST(one_that_closes_without_an_answer_is_an_error),
		TEST(one_that_closes_every_connection_is_asked_a_question_a_few_times),
		TEST(a_refused_connection_goes_to_the_next_at_once),
		TEST(nobody_who_answers_the_call_is_given_up_after_800_ms),
		TEST(an_idle_connection_is_closed_after_ten_seconds),
		TEST(a_connection_that_went_deaf_takes_no_more_questions),
		TEST(a_question_on_a_dead_connection_is_asked_by_another),
		TEST(names_that_hang_since_a_restart_leave_the_way_to_others),
		TEST(names_that_hang_and_that_end_connections_leave_the_others_their_answers),
		TEST(so_they_do_where_those_that_hang_hold_a_connection_up),
		TEST(later_where_the_only_known_question_is_one_of_those_that_hang),
		TEST(connections_that_end_in_their_time_are_no_questions_fault),
		TEST(answers_that_are_few_and_not_always_as_many_are_no_questions_fault),
		TEST(one_that_is_dead_from_its_first_question_on_as_well),
		TEST(questions_that_wait_when_their_source_goes_are_answered),
		TEST(what_comes_while_all_connections_drain_waits_for_one_to_end),
		TEST(tc_leads_to_the_whole_answer_by_tcp),
		TEST(after_tc_a_connection_that_ends_is_followed_by_one_more),
		TEST(after_tc_it_is_given_up_when_that_one_ends_too),
		TEST(questions_of_a_loop_round_leave_in_one_write),
		TEST(a_write_that_is_cut_goes_on_where_it_was_and_then_with_the_rest),
		TEST(a_connection_that_is_lost_while_it_is_written_to_loses_no_question),
		TEST(a_tcp_question_forgotten_before_the_flush_is_not_sent),
		TEST(what_udp_cannot_send_leaves_by_tcp_with_the_same_flush),
		TEST(everything_may_be_released_with_questions_under_way),
	};
	/* Each of some 400,000 steps pauses for 10 us, which by itself the system makes 60. */
	prctl(PR_SET_TIMERSLACK, 1);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
