/* Inbound on loopback: real sockets and a real loop, but the test owns the resolver and the clock.
 * Queries are held until the test answers them, in the order it likes. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include <errno.h>
#include <netinet/in.h>
#include <signal.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "endpoints/inbound/connection.h"
#include "endpoints/socket.h"
#include "tests/lib/tcp_segments.h"

enum { WORKERS_MAX = 3, HELD_MAX = 4096, BIG = 65535 };

struct world;

struct lane { /* a worker's share of the world */
	struct world *world;
	struct inbound_worker worker;
	struct inbound *inbound;
	int start; /* what inbound_start said */
	unsigned seen;
	bool misdirected;
	char steps[64]; /* passes and queries as they came */
};

struct world {
	uv_loop_t loop;
	struct wheel wheel;
	struct query_pool pool;
	uint64_t now_us;
	struct host host;
	struct listener *listener;
	unsigned workers;
	struct lane lanes[WORKERS_MAX];
	bool hold;
	size_t answer_bytes; /* of TXT data in an answer */
	struct query *held[HELD_MAX];
	unsigned held_count;
	void *last_binding;
	struct address last_client;
	unsigned send_at; /* a question is sent by UDP from within that query... */
	int send_by;
	unsigned came_at; /* ...and came as that one */
};

static const struct hash_key key = {3, 4};

static uint64_t world_now(void *context)
{
	return ((struct lane *)context)->world->now_us;
}

/* An answer whose size the test chooses: opaque records of up to 60,000 bytes. */
static void answer(struct world *world, struct query *query)
{
	static uint8_t buffer[BIG], rdata[60000];
	struct message message;
	size_t capacity = query->limit < 512 ? 512 : query->limit;
	message_begin(&message, buffer, capacity, query->question, query->request.question_length);
	if (world->answer_bytes > 0)
		message_add_record(&message, SECTION_ANSWER, 65280, CLASS_IN, 60, 12, NULL, rdata,
				   world->answer_bytes);
	struct message_end end = {.ede = EDE_NONE, .payload = 1232, .limit = query->limit};
	query_finish(query, buffer, message_finish(&message, &query->request, &end));
}

static void note_step(struct lane *lane, char step)
{
	size_t length = strlen(lane->steps);

	if (length + 1 < sizeof lane->steps)
		lane->steps[length] = step;
}

static void on_arrival(void *context, struct query *query, unsigned pass)
{
	if (pass > 0) /* before that nothing is in it */
		assert_int_equal(query->scratch[0], pass - 1);
	query->scratch[0] = (uint8_t)pass;
	note_step(context, (char)('0' + pass));
}

static void send_from_within(int fd)
{
	static const uint8_t question[] = {0, 99, 1, 0,   0, 1, 0, 0, 0, 0,
					   0, 0,  1, 'a', 0, 0, 1, 0, 1};
	assert_int_equal(send(fd, question, sizeof question, 0), sizeof question);
}

static void on_query(void *context, struct query *query)
{
	struct lane *lane = context;
	struct world *world = lane->world;
	lane->seen++;
	note_step(lane, 'q');
	assert_int_equal(query->scratch[0], INBOUND_PASSES - 1);
	if (!query->tcp && query->request.id % world->workers != (unsigned)(lane - world->lanes))
		lane->misdirected = true;
	world->last_binding = query->binding;
	world->last_client = query->client;
	if (lane->seen == world->send_at)
		send_from_within(world->send_by);
	if (!query->tcp)
		world->came_at = lane->seen;
	if (!world->hold) {
		answer(world, query);
		return;
	}
	assert_true(world->held_count < HELD_MAX);
	world->held[world->held_count++] = query;
}

static void listen_somewhere(struct world *world, const char *address)
{
	char error[LISTENER_ERROR_MAX] = "";
	assert_int_equal(host_parse(&world->host, address, 0), 0);
	for (unsigned i = 0; i < 200 && !world->listener; i++) {
		world->host.port = (uint16_t)(20000 + ((unsigned)getpid() * 31 + i * 97) % 12000);
		world->listener = listener_open(&world->host, world->workers, false, error);
	}
	if (!world->listener)
		fail_msg("%s", error);
}

static void world_serve(struct world *world)
{
	for (unsigned i = 0; i < world->workers; i++) {
		struct lane *lane = &world->lanes[i];
		lane->start =
			inbound_start(&lane->worker, world->listener, i, world, &lane->inbound);
	}
}

/* Everything but that it is served. */
static struct world *world_prepare(const char *address, unsigned workers, unsigned pool_max)
{
	struct world *world = calloc(1, sizeof *world);
	world->now_us = 1000000;
	world->workers = workers;
	assert_int_equal(uv_loop_init(&world->loop), 0);
	wheel_init(&world->wheel, world->now_us);
	query_pool_init(&world->pool, pool_max);
	listen_somewhere(world, address);
	for (unsigned i = 0; i < workers; i++) {
		struct lane *lane = &world->lanes[i];
		lane->world = world;
		lane->worker = (struct inbound_worker){
			.loop = &world->loop,
			.wheel = &world->wheel,
			.pool = &world->pool,
			.key = &key,
			.tcp = {.connections_max = 50,
				.connections_per_client_max = 40,
				.idle_timeout_ms = 10000,
				.pipeline_max = 100},
			.payload_max = 1232,
			.now_us = world_now,
			.on_arrival = on_arrival,
			.on_query = on_query,
			.context = lane,
		};
		assert_int_equal(inbound_worker_init(&lane->worker), 0);
	}
	return world;
}

static struct world *world_new(const char *address, unsigned workers, unsigned pool_max)
{
	struct world *world = world_prepare(address, workers, pool_max);
	world_serve(world);
	for (unsigned i = 0; i < workers; i++)
		assert_int_equal(world->lanes[i].start, 0);
	return world;
}

static void spin(struct world *world)
{
	for (unsigned i = 0; i < 3; i++) {
		uv_run(&world->loop, UV_RUN_NOWAIT);
		wheel_advance(&world->wheel, world->now_us);
		for (unsigned k = 0; k < world->workers; k++)
			inbound_flush(&world->lanes[k].worker);
	}
}

static void pass(struct world *world, uint64_t us)
{
	world->now_us += us;
	spin(world);
}

static void world_stop(struct world *world)
{
	for (unsigned i = 0; i < world->workers; i++) {
		if (world->lanes[i].inbound)
			inbound_stop(world->lanes[i].inbound);
		world->lanes[i].inbound = NULL;
	}
}

static void world_free(struct world *world)
{
	world_stop(world);
	spin(world);
	for (unsigned i = 0; i < world->workers; i++) {
		assert_int_equal(world->lanes[i].worker.tcp_connections, 0);
		assert_null(world->lanes[i].worker.listeners);
		assert_false(world->lanes[i].misdirected);
	}
	assert_int_equal(world->wheel.armed, 0);
	assert_int_equal(world->pool.in_use, 0);
	assert_int_equal(uv_loop_close(&world->loop), 0);
	for (unsigned i = 0; i < world->workers; i++)
		inbound_worker_release(&world->lanes[i].worker);
	assert_false(listener_is_open(world->listener));
	listener_close(world->listener);
	query_pool_release(&world->pool);
	free(world);
}

static struct inbound_counters *counters(struct world *world)
{
	return &world->lanes[0].worker.counters;
}

/* ---- clients ---- */

static size_t ask_wire(uint8_t *buffer, unsigned id)
{
	return message_write_query(buffer, (uint16_t)id, (const uint8_t *)"\4NaMe\4test", 11,
				   TYPE_TXT, false, false, false);
}

/* `room`, unless 0, is what the client's kernel takes before the client reads: its window. */
static int client_with(struct world *world, bool tcp, const char *address, int room)
{
	struct host host;
	assert_int_equal(host_parse(&host, address, 0), 0);
	host.port = world->host.port;
	struct sockaddr_storage storage;
	socklen_t length = socket_address(&host, &storage);
	int fd = tcp ? socket_tcp(host.address.family) : socket_udp(host.address.family);
	assert_true(fd >= 0);
	if (room > 0)
		assert_int_equal(setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &room, sizeof room), 0);
	int connected = connect(fd, (struct sockaddr *)&storage, length);
	assert_true(connected == 0 || errno == EINPROGRESS);
	spin(world);
	return fd;
}

static int client_to(struct world *world, bool tcp, const char *address)
{
	return client_with(world, tcp, address, 0);
}

static int client(struct world *world, bool tcp)
{
	return client_to(world, tcp, "127.0.0.1");
}

/* Goes round until the condition holds; gives up after several seconds. */
#define spin_until(world, condition)                                                               \
	for (unsigned rounds_ = 0; !(condition) && rounds_ < 25000; rounds_++) {                   \
		usleep(200);                                                                       \
		spin(world);                                                                       \
	}

/* Reads until it has `want` bytes (UDP: one packet); -1 when nothing comes for several seconds,
 * what there is at EOF. */
static ssize_t receive(struct world *world, int fd, uint8_t *buffer, size_t want, bool tcp)
{
	size_t have = 0;
	for (unsigned i = 0; i < 25000; i++) {
		spin(world);
		ssize_t got = recv(fd, buffer + have, want - have, MSG_DONTWAIT);
		if (got == 0)
			return (ssize_t)have;
		if (got > 0) {
			have += (size_t)got;
			if (!tcp || have == want)
				return (ssize_t)have;
			i = 0;
			continue;
		}
		if (errno != EAGAIN)
			return -errno;
		usleep(200);
	}
	return -1;
}

static void assert_silence(struct world *world, int fd)
{
	uint8_t byte;
	for (unsigned i = 0; i < 100; i++) {
		usleep(200);
		spin(world);
		assert_int_equal(recv(fd, &byte, 1, MSG_DONTWAIT), -1);
	}
}

static void ask_udp(int fd, unsigned id)
{
	uint8_t wire[MESSAGE_QUERY_MAX];
	size_t length = ask_wire(wire, id);
	assert_int_equal(send(fd, wire, length, 0), length);
}

static size_t framed(uint8_t *buffer, unsigned id)
{
	size_t length = ask_wire(buffer + 2, id);
	wire_put16(buffer, (uint16_t)length);
	return length + 2;
}

static void ask_tcp(int fd, unsigned id)
{
	uint8_t wire[MESSAGE_QUERY_MAX + 2];
	size_t length = framed(wire, id);
	assert_int_equal(send(fd, wire, length, MSG_NOSIGNAL), length);
}

/* The id of the next reply, -1 for the end of the stream or nothing. */
static int answer_tcp(struct world *world, int fd)
{
	static uint8_t buffer[BIG];
	if (receive(world, fd, buffer, 2, true) != 2)
		return -1;
	size_t length = wire_u16(buffer);
	assert_int_equal(receive(world, fd, buffer, length, true), length);
	assert_true(message_flags(buffer) & FLAG_QR);
	return wire_u16(buffer);
}

/* True when the server has closed the connection and nothing is left to read. */
static bool closed(struct world *world, int fd)
{
	uint8_t byte;
	ssize_t got = receive(world, fd, &byte, 1, true);
	return got == 0 || got == -ECONNRESET;
}

/* The same, and not by a reset, which might have destroyed what was there to read. */
static bool ended(struct world *world, int fd)
{
	uint8_t byte;
	return receive(world, fd, &byte, 1, true) == 0;
}

static int error_of(int fd)
{
	int error = 0;
	socklen_t length = sizeof error;
	assert_int_equal(getsockopt(fd, SOL_SOCKET, SO_ERROR, &error, &length), 0);
	return error;
}

static void answer_held(struct world *world, unsigned index)
{
	struct query *query = world->held[index];
	assert_non_null(query);
	world->held[index] = NULL;
	answer(world, query);
}

/* Waits for the resolver to hold so many queries. */
static void wait_held(struct world *world, unsigned count)
{
	spin(world);
	spin_until(world, world->held_count >= count);
	assert_int_equal(world->held_count, count);
}

/* Waits for so many queries to have arrived, ever. */
static void wait_seen(struct world *world, unsigned count)
{
	spin(world);
	spin_until(world, world->lanes[0].seen >= count);
	assert_int_equal(world->lanes[0].seen, count);
}

/* ---- UDP ---- */

static void udp_question_is_answered_with_its_id_and_case(void **state)
{
	(void)state;
	struct world *world = world_new("127.0.0.1", 1, 100);
	int fd = client(world, false);
	uint8_t wire[512];
	ask_udp(fd, 0x1234);
	assert_int_equal(receive(world, fd, wire, sizeof wire, false), 12 + 15);
	assert_int_equal(wire_u16(wire), 0x1234);
	assert_memory_equal(wire + 12, "\4NaMe\4test", 11);
	assert_ptr_equal(world->last_binding, world);
	assert_int_equal(world->last_client.family, 4);
	assert_memory_equal(world->last_client.bytes, "\x7f\0\0\1", 4);
	inbound_rebind(world->lanes[0].inbound, &world->pool);
	ask_udp(fd, 1);
	assert_true(receive(world, fd, wire, sizeof wire, false) > 0);
	assert_ptr_equal(world->last_binding, &world->pool);
	close(fd);
	world_free(world);
}

static void udp_malformed_gets_formerr_or_silence(void **state)
{
	(void)state;
	struct world *world = world_new("127.0.0.1", 1, 100);
	int fd = client(world, false);
	uint8_t wire[5000] = {0xab, 0xcd};
	send(fd, wire, 12, 0);
	uint8_t reply[512];
	assert_int_equal(receive(world, fd, reply, sizeof reply, false), 12);
	assert_memory_equal(reply, "\xab\xcd\x80\x81\0\0\0\0\0\0\0\0", 12);
	send(fd, wire, 11, 0);
	send(fd, wire, 1, 0);
	send(fd, wire, 0, 0);
	wire[2] = 0x80;
	send(fd, wire, 12, 0);
	assert_silence(world, fd);
	assert_int_equal(counters(world)->silent, 4);
	/* A good question, and after it more than a packet may have. */
	ask_wire(wire, 7);
	send(fd, wire, sizeof wire, 0);
	assert_int_equal(receive(world, fd, reply, sizeof reply, false), 12 + 15);
	assert_int_equal(message_flags(reply) & FLAG_RCODE, RCODE_FORMERR);
	assert_int_equal(counters(world)->malformed, 2);
	/* The same where all that fits into our buffer would be well formed by itself. */
	memset(wire, 0, sizeof wire);
	size_t length = message_write_query(wire, 8, (const uint8_t *)"\4NaMe\4test", 11, TYPE_TXT,
					    false, false, true);
	size_t option = 4096 + 64 - length;
	wire_put16(wire + length - 2, (uint16_t)option);
	wire_put16(wire + length + 2, (uint16_t)(option - 4));
	send(fd, wire, 4096 + 65, 0);
	assert_int_equal(receive(world, fd, reply, sizeof reply, false), 12 + 15 + 11);
	assert_int_equal(message_flags(reply) & FLAG_RCODE, RCODE_FORMERR);
	assert_int_equal(world->lanes[0].seen, 0);
	send(fd, wire, 4096 + 64, 0);
	assert_int_equal(receive(world, fd, reply, sizeof reply, false), 12 + 15 + 11);
	assert_int_equal(message_flags(reply) & FLAG_RCODE, RCODE_NOERROR);
	close(fd);
	world_free(world);
}

static void udp_answer_over_the_clients_size_is_truncated(void **state)
{
	(void)state;
	struct world *world = world_new("127.0.0.1", 1, 100);
	int fd = client(world, false);
	uint8_t reply[4096], wire[MESSAGE_QUERY_MAX];
	const size_t around = 12 + 15 + 12; /* header, question, record */
	for (unsigned over = 0; over < 2; over++) {
		world->answer_bytes = 512 - around + over;
		ask_udp(fd, 5);
		ssize_t length = receive(world, fd, reply, sizeof reply, false);
		assert_int_equal(length, over ? 12 + 15 : 512);
		assert_int_equal((message_flags(reply) & FLAG_TC) != 0, over);
	}
	/* With EDNS: what it advertises, but not over our own maximum. */
	for (unsigned over = 0; over < 2; over++) {
		world->answer_bytes = 1232 - around - 11 + over;
		size_t bytes = message_write_query(wire, 6, (const uint8_t *)"\4NaMe\4test", 11,
						   TYPE_TXT, false, false, true);
		wire_put16(wire + bytes - 8, 4096);
		send(fd, wire, bytes, 0);
		ssize_t length = receive(world, fd, reply, sizeof reply, false);
		assert_int_equal(length, over ? 12 + 15 + 11 : 1232);
	}
	close(fd);
	world_free(world);
}

static void queries_of_a_batch_arrive_before_the_first_is_handed_over(void **state)
{
	(void)state;
	struct world *world = world_new("127.0.0.1", 1, 100);
	int fd = client(world, false);
	uint8_t wire[512];
	for (unsigned i = 0; i < 3; i++)
		ask_udp(fd, i);
	for (unsigned i = 0; i < 3; i++)
		assert_true(receive(world, fd, wire, sizeof wire, false) > 0);
	assert_string_equal(world->lanes[0].steps, "000111222333qqq");
	close(fd);
	world_free(world);
}

/* Each is read by what the one before has given back. */
static void a_pool_of_one_answers_a_whole_batch(void **state)
{
	(void)state;
	struct world *world = world_new("127.0.0.1", 1, 1);
	int fd = client(world, false);
	uint8_t wire[512];
	for (unsigned i = 0; i < 3; i++)
		ask_udp(fd, i);
	for (unsigned i = 0; i < 3; i++)
		assert_int_equal(receive(world, fd, wire, sizeof wire, false), 12 + 15);
	assert_string_equal(world->lanes[0].steps, "0123q0123q0123q");
	assert_int_equal(counters(world)->overload, 0);
	close(fd);
	world_free(world);
}

static void udp_bursts_beyond_a_batch_are_all_answered(void **state)
{
	(void)state;
	struct world *world = world_new("127.0.0.1", 1, 1000);
	world->answer_bytes = 400; /* so that the outbox is full by bytes now and then */
	int fd = client(world, false);
	int room = 1 << 22;
	setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &room, sizeof room);
	static const unsigned bursts[] = {1, 63, 64, 65, 128, 150};
	for (unsigned b = 0; b < 6; b++) {
		bool seen[150] = {false};
		uint8_t reply[1500];
		for (unsigned i = 0; i < bursts[b]; i++)
			ask_udp(fd, i);
		for (unsigned i = 0; i < bursts[b]; i++) {
			assert_true(receive(world, fd, reply, sizeof reply, false) > 400);
			unsigned id = wire_u16(reply);
			assert_true(id < bursts[b] && !seen[id]);
			seen[id] = true;
		}
	}
	assert_int_equal(counters(world)->replies_lost, 0);
	close(fd);
	world_free(world);
}

static void full_pool_answers_servfail_and_recovers(void **state)
{
	(void)state;
	struct world *world = world_new("127.0.0.1", 1, 2);
	world->hold = true;
	int fd = client(world, false), stream = client(world, true);
	uint8_t reply[512];
	ask_udp(fd, 1);
	ask_udp(fd, 2);
	wait_held(world, 2);
	ask_udp(fd, 3);
	assert_int_equal(receive(world, fd, reply, sizeof reply, false), 12 + 15);
	assert_int_equal(wire_u16(reply), 3);
	assert_int_equal(message_flags(reply) & FLAG_RCODE, RCODE_SERVFAIL);
	ask_tcp(stream, 4);
	assert_int_equal(answer_tcp(world, stream), 4);
	assert_int_equal(counters(world)->overload, 2);
	answer_held(world, 0);
	assert_int_equal(receive(world, fd, reply, sizeof reply, false), 12 + 15);
	assert_int_equal(wire_u16(reply), 1);
	assert_int_equal(message_flags(reply) & FLAG_RCODE, RCODE_NOERROR);
	ask_udp(fd, 5);
	wait_held(world, 3);
	answer_held(world, 1);
	answer_held(world, 2);
	close(fd);
	close(stream);
	world_free(world);
}

static void every_id_reaches_its_receiver_and_none_a_twin(void **state)
{
	(void)state;
	for (unsigned workers = 1; workers <= WORKERS_MAX; workers++) {
		struct world *world = world_new("127.0.0.1", workers, 1000);
		int fd = client(world, false);
		unsigned sent = 0;
		for (unsigned id = 0; id < 65536; id += id < 64 || id > 65500 ? 1 : 211) {
			uint8_t reply[512];
			ask_udp(fd, id);
			assert_true(receive(world, fd, reply, sizeof reply, false) > 0);
			assert_int_equal(wire_u16(reply), id);
			sent++;
		}
		unsigned seen = 0;
		for (unsigned i = 0; i < workers; i++) {
			assert_true(world->lanes[i].seen > sent / workers / 2);
			seen += world->lanes[i].seen;
		}
		assert_int_equal(seen, sent);
		close(fd);
		world_free(world);
	}
}

static void reply_leaves_from_the_address_that_was_asked(void **state)
{
	(void)state;
	struct world *world = world_new("0.0.0.0", 1, 100);
	uint8_t reply[512];
	static const char *const asked[] = {"127.0.0.1", "127.0.0.77", "127.3.2.1"};
	for (unsigned i = 0; i < 3; i++) {
		int fd = client_to(world, false, asked[i]); /* takes packets from there alone */
		ask_udp(fd, i);
		assert_true(receive(world, fd, reply, sizeof reply, false) > 0);
		close(fd);
	}
	world_free(world);
	world = world_new("::", 1, 100);
	int fd = client_to(world, false, "::1");
	ask_udp(fd, 9);
	assert_true(receive(world, fd, reply, sizeof reply, false) > 0);
	assert_int_equal(world->last_client.family, 6);
	close(fd);
	world_free(world);
}

static void ipv6_address_serves_both_transports(void **state)
{
	(void)state;
	struct world *world = world_new("::1", 2, 100);
	int fd = client_to(world, false, "::1"), stream = client_to(world, true, "::1");
	uint8_t reply[512];
	ask_udp(fd, 9);
	assert_true(receive(world, fd, reply, sizeof reply, false) > 0);
	ask_tcp(stream, 10);
	assert_int_equal(answer_tcp(world, stream), 10);
	close(fd);
	close(stream);
	world_free(world);
}

static void udp_query_without_a_reply_is_only_taken_back(void **state)
{
	(void)state;
	struct world *world = world_new("127.0.0.1", 1, 100);
	world->hold = true;
	int fd = client(world, false);
	ask_udp(fd, 1);
	wait_held(world, 1);
	query_finish(world->held[0], NULL, 0);
	assert_int_equal(world->pool.in_use, 0);
	assert_silence(world, fd);
	close(fd);
	world_free(world);
}

/* ---- TCP ---- */

static void pipelined_questions_are_answered_in_any_order(void **state)
{
	(void)state;
	struct world *world = world_new("127.0.0.1", 1, 100);
	world->hold = true;
	int fd = client(world, true);
	uint8_t wire[5 * (MESSAGE_QUERY_MAX + 2)];
	size_t length = 0;
	for (unsigned id = 0; id < 5; id++)
		length += framed(wire + length, id);
	assert_int_equal(send(fd, wire, length, 0), length);
	wait_held(world, 5);
	static const unsigned order[] = {3, 0, 4, 2, 1};
	for (unsigned i = 0; i < 5; i++) {
		answer_held(world, order[i]);
		assert_int_equal(answer_tcp(world, fd), order[i]);
	}
	assert_int_equal(world->lanes[0].seen, 5);
	close(fd);
	world_free(world);
}

/* Or each part would be copied with all that came before it. */
static void a_large_message_is_read_into_one_place(void **state)
{
	(void)state;
	struct world *world = world_new("127.0.0.1", 1, 100);
	int fd = client(world, true);
	static uint8_t message[2 + 9000];
	wire_put16(message, 9000);
	message[2] = 0x12;
	const struct connection *connection = world->lanes[0].inbound->connections;
	assert_int_equal(send(fd, message, 100, 0), 100);
	spin_until(world, connection->kept);
	const uint8_t *kept = connection->kept;
	assert_non_null(kept);
	for (size_t at = 100; at < sizeof message; at += 890) {
		assert_int_equal(send(fd, message + at, at + 890 < sizeof message ? 890 : 2, 0),
				 at + 890 < sizeof message ? 890 : 2);
		usleep(500);
		spin(world);
		if (at + 890 < sizeof message)
			assert_ptr_equal(connection->kept, kept);
	}
	assert_int_equal(answer_tcp(world, fd), 0x1200); /* FORMERR */
	assert_null(connection->kept);
	ask_tcp(fd, 7);
	assert_int_equal(answer_tcp(world, fd), 7);
	close(fd);
	world_free(world);
}

static void message_may_arrive_byte_by_byte(void **state)
{
	(void)state;
	struct world *world = world_new("127.0.0.1", 1, 100);
	int fd = client(world, true);
	uint8_t wire[MESSAGE_QUERY_MAX + 2];
	for (unsigned id = 1; id < 3; id++) {
		size_t length = framed(wire, id);
		for (size_t i = 0; i < length; i++) {
			assert_int_equal(world->lanes[0].seen, id - 1);
			assert_int_equal(send(fd, wire + i, 1, 0), 1);
			usleep(100);
			spin(world);
		}
		assert_int_equal(answer_tcp(world, fd), id);
	}
	close(fd);
	world_free(world);
}

static void longest_message_is_taken_and_answered(void **state)
{
	(void)state;
	struct world *world = world_new("127.0.0.1", 1, 100);
	int fd = client(world, true);
	static uint8_t wire[2 + BIG];
	/* A question and an OPT whose one option fills the message to its end. */
	size_t length = message_write_query(wire + 2, 77, (const uint8_t *)"\4NaMe\4test", 11,
					    TYPE_TXT, false, false, true);
	size_t option = BIG - length;
	wire_put16(wire + 2 + length - 2, (uint16_t)option);
	wire_put16(wire + 2 + length, 65001);
	wire_put16(wire + 2 + length + 2, (uint16_t)(option - 4));
	wire_put16(wire, BIG);
	size_t sent = 0;
	while (sent < sizeof wire) {
		ssize_t now = send(fd, wire + sent, sizeof wire - sent, MSG_DONTWAIT);
		assert_true(now > 0 || errno == EAGAIN);
		sent += now > 0 ? (size_t)now : 0;
		spin(world);
	}
	world->answer_bytes = 60000;
	assert_int_equal(answer_tcp(world, fd), 77);
	ask_tcp(fd, 78);
	assert_int_equal(answer_tcp(world, fd), 78);
	close(fd);
	world_free(world);
}

static void tcp_malformed_gets_formerr_and_the_connection_goes_on(void **state)
{
	(void)state;
	struct world *world = world_new("127.0.0.1", 1, 100);
	int fd = client(world, true);
	send(fd, "\0\14\xab\xcd\0\0\0\0\0\0\0\0\0\0", 14, 0);
	uint8_t reply[14];
	assert_int_equal(receive(world, fd, reply, 14, true), 14);
	assert_memory_equal(reply, "\0\14\xab\xcd\x80\x81\0\0\0\0\0\0\0\0", 14);
	ask_tcp(fd, 3);
	assert_int_equal(answer_tcp(world, fd), 3);
	close(fd);
	world_free(world);
}

static void length_under_a_header_ends_the_connection_after_its_answers(void **state)
{
	(void)state;
	struct world *world = world_new("127.0.0.1", 1, 100);
	world->hold = true;
	static const uint8_t lengths[] = {0, 11};
	for (unsigned i = 0; i < 2; i++) {
		int fd = client(world, true);
		ask_tcp(fd, 20 + i);
		wait_held(world, i + 1);
		uint8_t bad[2] = {0, lengths[i]};
		send(fd, bad, 2, 0);
		spin(world);
		assert_int_equal(world->lanes[0].worker.tcp_connections, 1);
		answer_held(world, i);
		assert_int_equal(answer_tcp(world, fd), 20 + i);
		assert_true(closed(world, fd));
		close(fd);
	}
	world_free(world);
}

static void client_that_has_closed_its_side_still_gets_its_answers(void **state)
{
	(void)state;
	struct world *world = world_new("127.0.0.1", 1, 100);
	world->hold = true;
	int fd = client(world, true);
	ask_tcp(fd, 1);
	ask_tcp(fd, 2);
	shutdown(fd, SHUT_WR);
	wait_held(world, 2);
	answer_held(world, 1);
	answer_held(world, 0);
	assert_int_equal(answer_tcp(world, fd), 2);
	assert_int_equal(answer_tcp(world, fd), 1);
	assert_true(closed(world, fd));
	close(fd);
	world_free(world);
}

static void more_than_the_pipeline_waits_and_is_answered_after_eof_too(void **state)
{
	(void)state;
	struct world *world = world_new("127.0.0.1", 1, 100);
	world->hold = true;
	world->lanes[0].worker.tcp.pipeline_max = 3;
	int fd = client(world, true);
	for (unsigned id = 0; id < 8; id++)
		ask_tcp(fd, id);
	shutdown(fd, SHUT_WR);
	wait_held(world, 3);
	assert_silence(world, fd);
	assert_int_equal(world->held_count, 3);
	answer_held(world, 0);
	wait_held(world, 4);
	for (unsigned i = 1; i < 8; i++) {
		wait_held(world, i + 3 < 8 ? i + 3 : 8);
		answer_held(world, i);
	}
	for (unsigned id = 0; id < 8; id++)
		assert_int_equal(answer_tcp(world, fd), id);
	assert_true(closed(world, fd));
	close(fd);
	world_free(world);
}

/* Without reading its answers a client gets only so many of them into the queue. */
static void client_that_does_not_read_is_not_read_from_either(void **state)
{
	(void)state;
	struct world *world = world_new("127.0.0.1", 1, 1000);
	world->answer_bytes = 60000;
	world->lanes[0].worker.tcp.pipeline_max = 4;
	int fd = client(world, true);
	enum { ASKED = 400 };
	for (unsigned id = 0; id < ASKED; id++)
		ask_tcp(fd, id);
	for (unsigned i = 0; i < 50; i++)
		spin(world);
	unsigned seen = world->lanes[0].seen;
	assert_true(seen < ASKED);
	for (unsigned id = 0; id < ASKED; id++)
		assert_int_equal(answer_tcp(world, fd), id);
	assert_int_equal(world->lanes[0].seen, ASKED);
	/* And one that never reads at all is let go of. */
	for (unsigned id = 0; id < ASKED; id++)
		ask_tcp(fd, id);
	for (unsigned i = 0; i < 50; i++)
		spin(world);
	pass(world, 10001 * 1000);
	spin(world);
	assert_int_equal(world->lanes[0].worker.tcp_connections, 0);
	assert_int_equal(counters(world)->tcp_timeouts, 1);
	close(fd);
	world_free(world);
}

/* Bytes of replies that wait in our memory, on the one connection there is. */
static size_t unsent(struct world *world)
{
	const struct connection *connection = world->lanes[0].inbound->connections;
	return uv_stream_get_write_queue_size((const uv_stream_t *)&connection->stream.tcp);
}

static void client_that_does_not_read_holds_so_many_bytes_and_no_more(void **state)
{
	(void)state;
	struct world *world = world_new("127.0.0.1", 1, 1000);
	world->answer_bytes = 60000;
	world->lanes[0].worker.tcp.pipeline_max = 1000;
	int fd = client(world, true);
	enum { ASKED = 400 };
	for (unsigned id = 0; id < ASKED; id++)
		ask_tcp(fd, id);
	spin_until(world, unsent(world) >= 128 * 1024);
	for (unsigned i = 0; i < 50; i++)
		spin(world);
	assert_in_range(unsent(world), 128 * 1024, 128 * 1024 + 60100);
	assert_true(world->lanes[0].seen < ASKED);
	for (unsigned id = 0; id < ASKED; id++) /* and none is lost once it reads */
		assert_int_equal(answer_tcp(world, fd), id);
	assert_int_equal(counters(world)->tcp_unread, 0);
	close(fd);
	world_free(world);
}

/* All are asked before the first is answered, so that nothing keeps them from being asked. */
static void replies_that_are_not_read_become_servfail_beyond_a_maximum(void **state)
{
	(void)state;
	struct world *world = world_new("127.0.0.1", 1, 1000);
	world->hold = true;
	world->answer_bytes = 60000;
	world->lanes[0].worker.tcp.pipeline_max = 1000;
	int fd = client(world, true);
	enum { ASKED = 400 };
	for (unsigned id = 0; id < ASKED; id++)
		ask_tcp(fd, id);
	wait_held(world, ASKED);
	for (unsigned i = 0; i < ASKED; i++)
		answer_held(world, i);
	assert_in_range(unsent(world), 256 * 1024 - 60100, 256 * 1024 + ASKED * (12 + 15 + 2));
	uint64_t unread = counters(world)->tcp_unread;
	assert_in_range(unread, 1, ASKED - 4);
	for (unsigned id = 0; id < ASKED; id++) {
		static uint8_t buffer[BIG];
		assert_int_equal(receive(world, fd, buffer, 2, true), 2);
		size_t length = wire_u16(buffer);
		assert_int_equal(receive(world, fd, buffer, length, true), length);
		assert_int_equal(wire_u16(buffer), id);
		if (length > 60000)
			continue;
		assert_int_equal(message_flags(buffer) & FLAG_RCODE, RCODE_SERVFAIL);
		assert_int_equal(length, 12 + 15);
		unread--;
	}
	assert_int_equal(unread, 0);
	close(fd);
	world_free(world);
}

/* Reading a byte now and then, asking on, and having something under way do not keep it. */
static void reply_that_does_not_get_out_within_the_timeout_ends_its_connection(void **state)
{
	(void)state;
	for (unsigned under_way = 0; under_way < 2; under_way++) {
		struct world *world = world_new("127.0.0.1", 1, 1000);
		struct inbound_worker *worker = &world->lanes[0].worker;
		world->answer_bytes = 60000;
		int fd = client(world, true);
		unsigned id = 0;
		while (unsent(world) == 0) {
			ask_tcp(fd, id++);
			wait_seen(world, id);
		}
		world->answer_bytes = 0;
		world->hold = under_way;
		for (unsigned i = 0; i < 3; i++) {
			uint8_t byte;
			assert_int_equal(worker->tcp_connections, 1);
			assert_int_equal(recv(fd, &byte, 1, 0), 1);
			ask_tcp(fd, id++);
			wait_seen(world, id);
			pass(world, (i < 2 ? 4000 : 2100) * 1000);
		}
		assert_int_equal(worker->tcp_connections, 0);
		assert_int_equal(counters(world)->tcp_timeouts, 1);
		for (unsigned i = 0; i < world->held_count; i++)
			answer_held(world, i);
		close(fd);
		world_free(world);
	}
}

/* The clock begins anew with each reply that leaves. */
static void client_that_reads_slowly_but_reply_by_reply_is_kept(void **state)
{
	(void)state;
	struct world *world = world_new("127.0.0.1", 1, 1000);
	world->answer_bytes = 60000;
	int fd = client(world, true);
	enum { ASKED = 300 };
	for (unsigned id = 0; id < ASKED; id++)
		ask_tcp(fd, id);
	spin_until(world, unsent(world) > 0);
	assert_true(unsent(world) > 0);
	unsigned read = 0;
	for (unsigned rounds = 0; rounds < 4; rounds++) {
		size_t seen = world->lanes[0].seen;
		while (world->lanes[0].seen < seen + 2) /* so much has left */
			assert_int_equal(answer_tcp(world, fd), read++);
		pass(world, 9000 * 1000);
		assert_int_equal(world->lanes[0].worker.tcp_connections, 1);
	}
	assert_true(read < ASKED);
	close(fd);
	spin_until(world, world->lanes[0].worker.tcp_connections == 0);
	world_free(world);
}

static void idle_connection_is_closed_at_its_timeout(void **state)
{
	(void)state;
	struct world *world = world_new("127.0.0.1", 1, 100);
	int fd = client(world, true);
	assert_int_equal(world->lanes[0].worker.tcp_connections, 1);
	pass(world, 6000 * 1000);
	ask_tcp(fd, 1);
	assert_int_equal(answer_tcp(world, fd), 1);
	pass(world, 9990 * 1000);
	assert_int_equal(world->lanes[0].worker.tcp_connections, 1);
	pass(world, 20 * 1000);
	assert_int_equal(world->lanes[0].worker.tcp_connections, 0);
	assert_true(closed(world, fd));
	assert_int_equal(counters(world)->tcp_timeouts, 1);
	close(fd);
	world_free(world);
}

static void unanswered_question_keeps_its_connection(void **state)
{
	(void)state;
	struct world *world = world_new("127.0.0.1", 1, 100);
	world->hold = true;
	int fd = client(world, true);
	ask_tcp(fd, 1);
	wait_held(world, 1);
	for (unsigned i = 0; i < 5; i++)
		pass(world, 9000 * 1000);
	answer_held(world, 0);
	assert_int_equal(answer_tcp(world, fd), 1);
	pass(world, 10002 * 1000);
	assert_true(closed(world, fd));
	close(fd);
	world_free(world);
}

/* Timers come between what a loop round gathers and its being written. */
static void gathered_answer_keeps_its_connection(void **state)
{
	(void)state;
	struct world *world = world_new("127.0.0.1", 1, 100);
	world->hold = true;
	int fd = client(world, true);
	ask_tcp(fd, 1);
	wait_held(world, 1);
	world->now_us += 10001 * 1000;
	answer_held(world, 0);
	wheel_advance(&world->wheel, world->now_us);
	assert_int_equal(answer_tcp(world, fd), 1);
	pass(world, 9990 * 1000);
	assert_int_equal(world->lanes[0].worker.tcp_connections, 1);
	pass(world, 20 * 1000);
	assert_true(closed(world, fd));
	close(fd);
	world_free(world);
}

/* A byte every now and then does not keep a connection alive. */
static void half_a_message_times_out_however_it_trickles(void **state)
{
	(void)state;
	struct world *world = world_new("127.0.0.1", 1, 100);
	int fd = client(world, true);
	uint8_t wire[MESSAGE_QUERY_MAX + 2];
	framed(wire, 1);
	for (unsigned i = 0; i < 10; i++) {
		assert_int_equal(world->lanes[0].worker.tcp_connections, 1);
		send(fd, wire + i, 1, MSG_NOSIGNAL);
		usleep(100);
		spin(world);
		pass(world, 1000 * 1000);
	}
	pass(world, 10 * 1000);
	assert_true(closed(world, fd));
	assert_int_equal(world->lanes[0].seen, 0);
	close(fd);
	world_free(world);
}

static void reset_with_questions_under_way_is_survived(void **state)
{
	(void)state;
	struct world *world = world_new("127.0.0.1", 1, 100);
	world->hold = true;
	for (unsigned i = 0; i < 2; i++) {
		int fd = client(world, true);
		ask_tcp(fd, 1);
		wait_held(world, i + 1);
		struct linger hard = {.l_onoff = 1};
		setsockopt(fd, SOL_SOCKET, SO_LINGER, &hard, sizeof hard);
		close(fd);
		if (i == 0) { /* noticed before the answer; otherwise while it is written */
			spin_until(world, world->lanes[0].worker.tcp_connections == 0);
			assert_int_equal(world->lanes[0].worker.tcp_connections, 0);
		}
		answer_held(world, i);
		spin_until(world, world->lanes[0].worker.tcp_connections == 0);
		assert_int_equal(world->lanes[0].worker.tcp_connections, 0);
	}
	assert_int_equal(world->pool.in_use, 0);
	world_free(world);
}

static void connection_over_a_maximum_is_closed_at_once(void **state)
{
	(void)state;
	struct world *world = world_new("127.0.0.1", 1, 100);
	struct inbound_worker *worker = &world->lanes[0].worker;
	worker->tcp.connections_max = 3;
	worker->tcp.connections_per_client_max = 2;
	int fds[4];
	for (unsigned i = 0; i < 3; i++)
		fds[i] = client(world, true);
	assert_true(closed(world, fds[2])); /* the third of one client */
	assert_int_equal(worker->tcp_connections, 2);
	assert_int_equal(worker->counters.tcp_refused, 1);
	worker->tcp.connections_per_client_max = 10;
	close(fds[2]);
	fds[2] = client(world, true);
	fds[3] = client(world, true);
	assert_true(closed(world, fds[3])); /* the fourth of all */
	assert_int_equal(worker->counters.tcp_refused, 2);
	ask_tcp(fds[2], 6);
	assert_int_equal(answer_tcp(world, fds[2]), 6);
	close(fds[0]); /* makes room */
	spin_until(world, worker->tcp_connections == 2);
	close(fds[3]);
	fds[3] = client(world, true);
	ask_tcp(fds[3], 7);
	assert_int_equal(answer_tcp(world, fds[3]), 7);
	for (unsigned i = 1; i < 4; i++)
		close(fds[i]);
	world_free(world);
}

/* ---- TCP: what leaves together ---- */

static void ask_many_tcp(int fd, unsigned from, unsigned count)
{
	static uint8_t wire[4000 * (MESSAGE_QUERY_MAX + 2)];
	size_t length = 0;
	for (unsigned id = from; id < from + count; id++)
		length += framed(wire + length, id);
	assert_int_equal(send(fd, wire, length, MSG_NOSIGNAL), length);
}

static bool nothing_to_read(int fd)
{
	uint8_t byte;
	return recv(fd, &byte, 1, MSG_DONTWAIT | MSG_PEEK) == -1 && errno == EAGAIN;
}

static void answers_of_a_loop_round_leave_in_one_write_for_each_connection(void **state)
{
	(void)state;
	struct world *world = world_new("127.0.0.1", 1, 1000);
	int fds[] = {client(world, true), client(world, true)};
	for (unsigned i = 0; i < 2; i++)
		ask_many_tcp(fds[i], 0, 96);
	wait_seen(world, 192);
	for (unsigned i = 0; i < 2; i++) {
		for (unsigned id = 0; id < 96; id++)
			assert_int_equal(answer_tcp(world, fds[i]), id);
		assert_int_equal(tcp_segments(fds[i]), 1);
	}
	/* The same where the answers come later, and in another order. */
	world->hold = true;
	for (unsigned i = 0; i < 2; i++)
		ask_many_tcp(fds[i], 0, 96);
	wait_held(world, 192);
	for (unsigned i = 192; i-- > 0;)
		answer_held(world, i);
	assert_true(nothing_to_read(fds[0]) && nothing_to_read(fds[1]));
	inbound_flush(&world->lanes[0].worker);
	for (unsigned i = 0; i < 2; i++) {
		assert_false(nothing_to_read(fds[i])); /* one flush is enough */
		for (unsigned id = 96; id-- > 0;)
			assert_int_equal(answer_tcp(world, fds[i]), id);
		assert_int_equal(tcp_segments(fds[i]), 2);
		close(fds[i]);
	}
	world_free(world);
}

static void outbox_that_is_full_leaves_at_once_and_one_that_is_not_waits(void **state)
{
	(void)state;
	struct world *world = world_new("127.0.0.1", 1, 1000);
	world->hold = true;
	enum { OUTBOX = 16 * 1024, AROUND = 2 + 12 + 15 + 12 };
	int fd = client(world, true);
	for (unsigned over = 0; over < 2; over++) {
		ask_many_tcp(fd, over * 2, 2);
		wait_held(world, over * 2 + 2);
		world->answer_bytes = 0;
		answer_held(world, over * 2);
		world->answer_bytes = OUTBOX - (2 + 12 + 15) - AROUND + over;
		answer_held(world, over * 2 + 1);
		assert_int_equal(nothing_to_read(fd), !over);
		spin(world);
		assert_int_equal(answer_tcp(world, fd), over * 2);
		assert_int_equal(answer_tcp(world, fd), over * 2 + 1);
		assert_int_equal(tcp_segments(fd), over + 1);
	}
	close(fd);
	world_free(world);
}

static void large_answers_among_small_ones_come_whole_and_in_order(void **state)
{
	(void)state;
	struct world *world = world_new("127.0.0.1", 1, 1000);
	world->hold = true;
	static const size_t sizes[] = {0, 60000, 1, 16384, 16000, 300,
				       0, 16343, 2, 40000, 40000, 7};
	enum { ASKED = sizeof sizes / sizeof *sizes };
	int fd = client(world, true);
	ask_many_tcp(fd, 0, ASKED);
	wait_held(world, ASKED);
	for (unsigned i = 0; i < ASKED; i++) {
		world->answer_bytes = sizes[i];
		answer_held(world, i);
	}
	for (unsigned i = 0; i < ASKED; i++) {
		static uint8_t buffer[BIG];
		assert_int_equal(receive(world, fd, buffer, 2, true), 2);
		size_t length = wire_u16(buffer);
		assert_int_equal(length, 12 + 15 + (sizes[i] > 0 ? 12 + sizes[i] : 0));
		assert_int_equal(receive(world, fd, buffer, length, true), length);
		assert_int_equal(wire_u16(buffer), i);
		assert_memory_equal(buffer + 12, "\4NaMe\4test", 11);
	}
	close(fd);
	world_free(world);
}

/* Small buffers on both sides cut every write somewhere. */
static int client_with_small_buffers(struct world *world)
{
	int fd = client_with(world, true, "127.0.0.1", 4096), small = 1, inside;
	const struct connection *connection = world->lanes[0].inbound->connections;
	assert_int_equal(uv_fileno((const uv_handle_t *)&connection->stream.tcp, &inside), 0);
	assert_int_equal(setsockopt(inside, SOL_SOCKET, SO_SNDBUF, &small, sizeof small), 0);
	return fd;
}

/* A reply that is not wholly out takes a place in the pipeline, whatever it left with. */
static void cut_write_loses_nothing_and_counts_replies_that_are_not_out(void **state)
{
	(void)state;
	for (unsigned asked = 40; asked <= 100; asked += 60) { /* an outbox, and more */
		struct world *world = world_new("127.0.0.1", 1, 4000);
		enum { FRAMED = 2 + 12 + 15 + 12 + 211 };
		world->hold = true;
		world->answer_bytes = 211;
		int fd = client_with_small_buffers(world);
		const struct connection *connection = world->lanes[0].inbound->connections;
		ask_many_tcp(fd, 0, asked);
		wait_held(world, asked);
		for (unsigned i = 0; i < asked; i++)
			answer_held(world, i);
		inbound_flush(&world->lanes[0].worker);
		size_t left = unsent(world);
		assert_in_range(left, 1, asked * FRAMED - 1);
		assert_in_range(connection->writes, (left + FRAMED - 1) / FRAMED, asked - 1);
		for (unsigned id = 0; id < asked; id++)
			assert_int_equal(answer_tcp(world, fd), id);
		assert_int_equal(connection->writes, 0);
		close(fd);
		world_free(world);
	}
}

static void client_that_has_closed_its_side_gets_all_of_a_round_and_then_the_end(void **state)
{
	(void)state;
	enum { ASKED = 60 };
	for (unsigned way = 0; way < 3; way++) {
		struct world *world = world_new("127.0.0.1", 1, 1000);
		world->hold = way > 0;
		world->answer_bytes = 211;
		int fd = way > 1 ? client_with_small_buffers(world) : client(world, true);
		ask_many_tcp(fd, 0, ASKED);
		shutdown(fd, SHUT_WR);
		wait_seen(world, ASKED);
		spin(world);
		for (unsigned i = 0; i < world->held_count; i++)
			answer_held(world, i);
		for (unsigned id = 0; id < ASKED; id++)
			assert_int_equal(answer_tcp(world, fd), id);
		assert_true(closed(world, fd));
		assert_int_equal(world->lanes[0].worker.tcp_connections, 0);
		close(fd);
		world_free(world);
	}
}

static void stopped_listener_sends_what_it_has_gathered(void **state)
{
	(void)state;
	struct world *world = world_new("127.0.0.1", 1, 100);
	world->hold = true;
	int fd = client(world, true);
	ask_many_tcp(fd, 0, 3);
	wait_held(world, 3);
	for (unsigned i = 0; i < 3; i++)
		answer_held(world, i);
	assert_true(nothing_to_read(fd));
	world_stop(world);
	for (unsigned id = 0; id < 3; id++)
		assert_int_equal(answer_tcp(world, fd), id);
	assert_true(closed(world, fd));
	close(fd);
	world_free(world);
}

/* There are 64. One more takes none away: what is gathered leaves, and all begins anew. */
static void more_connections_than_outboxes_are_answered_too(void **state)
{
	(void)state;
	enum { OUTBOXES = 64, CLIENTS = 2 * OUTBOXES + 1 };
	struct world *world = world_new("127.0.0.1", 1, 1000);
	world->lanes[0].worker.tcp.connections_max = CLIENTS;
	world->lanes[0].worker.tcp.connections_per_client_max = CLIENTS;
	world->hold = true;
	int fds[CLIENTS];
	for (unsigned i = 0; i < CLIENTS; i++) {
		fds[i] = client(world, true);
		ask_tcp(fds[i], i);
		wait_held(world, i + 1);
	}
	for (unsigned i = 0; i < OUTBOXES; i++)
		answer_held(world, i);
	assert_true(nothing_to_read(fds[0]));
	for (unsigned i = OUTBOXES; i < CLIENTS; i++) {
		answer_held(world, i);
		assert_int_equal(nothing_to_read(fds[0]), false);
		assert_int_equal(nothing_to_read(fds[OUTBOXES]), i < CLIENTS - 1);
	}
	for (unsigned i = 0; i < CLIENTS; i++) {
		assert_int_equal(answer_tcp(world, fds[i]), i);
		close(fds[i]);
	}
	world_free(world);
}

/* ---- TCP: what arrives together ---- */

/* A window of questions is one read, but a client that always has more waits for its next turn. */
static void client_with_more_than_an_inbox_lets_others_have_their_turn(void **state)
{
	(void)state;
	enum { ASKED = 4000, FRAMED = 2 + 12 + 15, INBOX = 65537 };
	struct world *world = world_new("127.0.0.1", 1, 100);
	int big = 1 << 20;
	setsockopt(world->listener->shares[0].tcp, SOL_SOCKET, SO_RCVBUF, &big, sizeof big);
	int fd = client(world, true);
	ask_many_tcp(fd, 0, ASKED);
	usleep(1000);
	unsigned seen = 0;
	while (seen < ASKED) {
		uv_run(&world->loop, UV_RUN_NOWAIT);
		inbound_flush(&world->lanes[0].worker);
		assert_true(world->lanes[0].seen - seen <= INBOX / FRAMED + 1);
		if (seen == 0)
			assert_true(world->lanes[0].seen > 100); /* and not one by one */
		seen = world->lanes[0].seen;
	}
	for (unsigned id = 0; id < ASKED; id++)
		assert_int_equal(answer_tcp(world, fd), id);
	close(fd);
	world_free(world);
}

/* Two clients whose messages are cut take turns at the one inbox. */
static void halves_of_messages_of_two_clients_do_not_mix(void **state)
{
	(void)state;
	struct world *world = world_new("127.0.0.1", 1, 100);
	int fds[] = {client(world, true), client(world, true)};
	uint8_t wires[2][4 * (MESSAGE_QUERY_MAX + 2)];
	size_t length = 0;
	for (unsigned i = 0; i < 2; i++) {
		length = 0;
		for (unsigned k = 0; k < 4; k++)
			length += framed(wires[i] + length, 10 * i + k);
	}
	for (size_t at = 0; at < length; at += 7) {
		size_t part = at + 7 < length ? 7 : length - at;
		for (unsigned i = 0; i < 2; i++)
			assert_int_equal(send(fds[i], wires[i] + at, part, 0), part);
		usleep(100);
		spin(world);
	}
	for (unsigned i = 0; i < 2; i++) {
		for (unsigned k = 0; k < 4; k++)
			assert_int_equal(answer_tcp(world, fds[i]), 10 * i + k);
		close(fds[i]);
	}
	assert_int_equal(counters(world)->malformed, 0);
	world_free(world);
}

static void idle_connection_holds_nothing_that_it_has_received(void **state)
{
	(void)state;
	struct world *world = world_new("127.0.0.1", 1, 100);
	world->lanes[0].worker.tcp.pipeline_max = 1;
	world->hold = true;
	int fd = client(world, true);
	ask_many_tcp(fd, 0, 3);
	wait_held(world, 1);
	const struct connection *connection = world->lanes[0].inbound->connections;
	assert_non_null(connection->kept);
	for (unsigned id = 0; id < 3; id++) {
		wait_held(world, id + 1);
		answer_held(world, id);
		assert_int_equal(answer_tcp(world, fd), id);
	}
	assert_null(connection->kept);
	close(fd);
	world_free(world);
}

/* Without descriptors the client waits in the backlog, the loop sleeps, and all goes on later.
 * (valgrind lets accept() have more descriptors than there may be.) */
static void accepting_pauses_without_descriptors_and_resumes(void **state)
{
	(void)state;
	if (getenv("VALGRIND"))
		skip();
	struct world *world = world_new("127.0.0.1", 1, 100);
	int fd = socket_tcp(4);
	struct sockaddr_storage storage;
	socklen_t length = socket_address(&world->host, &storage);
	assert_int_equal(connect(fd, (struct sockaddr *)&storage, length), -1);
	int next = dup(fd);
	close(next);
	struct rlimit limit, low;
	assert_int_equal(getrlimit(RLIMIT_NOFILE, &limit), 0);
	low = (struct rlimit){.rlim_cur = (rlim_t)next, .rlim_max = limit.rlim_max};
	assert_int_equal(setrlimit(RLIMIT_NOFILE, &low), 0);
	spin(world);
	assert_int_equal(world->wheel.armed, 1);
	assert_int_equal(counters(world)->watch_failed, 1);
	assert_int_equal(setrlimit(RLIMIT_NOFILE, &limit), 0);
	pass(world, 98 * 1000);
	assert_int_equal(world->lanes[0].worker.tcp_connections, 0);
	pass(world, 4 * 1000);
	assert_int_equal(world->lanes[0].worker.tcp_connections, 1);
	ask_tcp(fd, 3);
	assert_int_equal(answer_tcp(world, fd), 3);
	close(fd);
	world_free(world);
}

/* ---- sockets with something wrong ---- */

/* An error on the socket (ICMP, asked for by IP_RECVERR) makes libuv stop watching it. */
static void socket_with_an_error(int fd)
{
	struct sockaddr_in nobody = {.sin_family = AF_INET,
				     .sin_addr.s_addr = htonl(INADDR_LOOPBACK),
				     .sin_port = htons(1)};
	int on = 1;
	assert_int_equal(setsockopt(fd, IPPROTO_IP, IP_RECVERR, &on, sizeof on), 0);
	assert_int_equal(sendto(fd, "x", 1, 0, (struct sockaddr *)&nobody, sizeof nobody), 1);
}

/* The sockets that serve get no such errors: one that does stands in until that is noticed. */
static void error_on_a_socket_leaves_it_watched(void **state)
{
	(void)state;
	for (unsigned tcp = 0; tcp < 2; tcp++) {
		struct world *world = world_prepare("127.0.0.1", 1, 100);
		struct listener_share *share = &world->listener->shares[0];
		int place = tcp ? share->tcp : share->udp, real = dup(place),
		    faulty = socket_udp(4);
		assert_int_equal(dup2(faulty, place), place);
		close(faulty);
		world_serve(world);
		socket_with_an_error(place);
		uv_run(&world->loop, UV_RUN_NOWAIT);
		assert_int_equal(dup2(real, place), place);
		close(real);
		int fd = client(world, tcp);
		uint8_t reply[512];
		if (tcp)
			ask_tcp(fd, 3);
		else
			ask_udp(fd, 3);
		assert_true(receive(world, fd, reply, sizeof reply, false) > 0);
		close(fd);
		world_free(world);
	}
}

/* epoll refuses a file: what the loop cannot watch is tried again until it can. */
static void socket_that_cannot_be_watched_is_tried_again(void **state)
{
	(void)state;
	for (unsigned tcp = 0; tcp < 2; tcp++) {
		struct world *world = world_prepare("127.0.0.1", 1, 100);
		struct listener_share *share = &world->listener->shares[0];
		int place = tcp ? share->tcp : share->udp, real = dup(place);
		FILE *file = tmpfile();
		assert_int_equal(dup2(fileno(file), place), place);
		fclose(file);
		world_serve(world);
		assert_int_equal(world->lanes[0].start, ERR_SYSTEM);
		assert_int_equal(counters(world)->watch_failed, 1);
		int other = client(world, !tcp); /* the other half serves meanwhile */
		if (tcp)
			ask_udp(other, 1);
		else
			ask_tcp(other, 1);
		uint8_t reply[512];
		assert_true(receive(world, other, reply, sizeof reply, false) > 0);
		assert_int_equal(dup2(real, place), place);
		close(real);
		int fd = client(world, tcp);
		if (tcp)
			ask_tcp(fd, 2);
		else
			ask_udp(fd, 2);
		pass(world, 90 * 1000);
		assert_int_equal(recv(fd, reply, sizeof reply, MSG_DONTWAIT), -1);
		pass(world, 20 * 1000);
		assert_true(receive(world, fd, reply, sizeof reply, false) > 0);
		close(fd);
		close(other);
		world_free(world);
	}
}

static void share_that_was_withdrawn_is_not_served_and_its_port_free(void **state)
{
	(void)state;
	struct world *world = world_prepare("127.0.0.1", 2, 100);
	struct lane *lanes = world->lanes;
	char error[LISTENER_ERROR_MAX] = "";
	assert_int_equal(
		inbound_start(&lanes[0].worker, world->listener, 0, world, &lanes[0].inbound), 0);
	listener_withdraw(world->listener);
	assert_int_equal(
		inbound_start(&lanes[1].worker, world->listener, 1, world, &lanes[1].inbound),
		ERR_NOT_FOUND);
	assert_null(lanes[1].inbound);
	assert_true(listener_is_open(world->listener)); /* by the first */
	inbound_stop(lanes[0].inbound);
	lanes[0].inbound = NULL;
	assert_false(listener_is_open(world->listener)); /* at once, not when the loop is round */
	struct listener *again = listener_open(&world->host, 1, false, error);
	assert_string_equal(error, "");
	listener_close(again);
	world_free(world);
}

/* ---- life ---- */

static void on_query_stop(void *context, struct query *query)
{
	struct lane *lane = context;
	lane->seen++;
	if (lane->inbound)
		inbound_stop(lane->inbound);
	lane->inbound = NULL;
	answer(lane->world, query);
}

static void listener_may_be_stopped_from_within_a_query(void **state)
{
	(void)state;
	for (unsigned tcp = 0; tcp < 2; tcp++) {
		struct world *world = world_new("127.0.0.1", 1, 100);
		int fd = client(world, tcp);
		world->lanes[0].worker.on_query = on_query_stop;
		for (unsigned id = 0; id < 5; id++) {
			if (tcp)
				ask_tcp(fd, id);
			else
				ask_udp(fd, id);
		}
		spin_until(world, world->lanes[0].seen >= (tcp ? 1 : 5));
		assert_int_equal(world->lanes[0].seen, tcp ? 1 : 5); /* a batch had arrived */
		close(fd);
		world_free(world);
	}
}

static void stop_with_queries_under_way_is_safe(void **state)
{
	(void)state;
	struct world *world = world_new("127.0.0.1", 2, 100);
	world->hold = true;
	int fd = client(world, false), stream = client(world, true);
	for (unsigned id = 0; id < 4; id++)
		ask_udp(fd, id);
	for (unsigned id = 0; id < 4; id++)
		ask_tcp(stream, id);
	wait_held(world, 8);
	answer_held(world, 0);
	answer_held(world, 7);
	world_stop(world);
	answer_held(world, 1); /* before the handles are closed, and after */
	answer_held(world, 6);
	spin(world);
	for (unsigned i = 2; i < 6; i++)
		answer_held(world, i);
	uint8_t reply[512];
	for (unsigned i = 0; i < 4; i++) /* a good one, and three that say that it is over */
		assert_true(receive(world, fd, reply, sizeof reply, false) > 0);
	assert_silence(world, fd);
	close(fd);
	close(stream);
	world_free(world);
}

/* Nothing is waited for: the address may be opened again at once. */
static void removed_listener_answers_what_is_under_way_with_servfail(void **state)
{
	(void)state;
	struct world *world = world_new("0.0.0.0", 2, 1000);
	enum { ASKED = 150 }; /* more than the outbox takes at once */
	bool seen[ASKED] = {false};
	uint8_t reply[512], wire[MESSAGE_QUERY_MAX];
	world->hold = true;
	int fd = client_to(world, false, "127.0.0.77");
	for (unsigned id = 0; id < ASKED; id++) {
		size_t length =
			message_write_query(wire, (uint16_t)id, (const uint8_t *)"\4NaMe\4test", 11,
					    TYPE_TXT, false, false, true);
		assert_int_equal(send(fd, wire, length, 0), length);
	}
	wait_held(world, ASKED);
	unsigned answered = world->held[70]->request.id;
	answer_held(world, 70); /* its query is in the pool again */
	world_stop(world);
	char error[LISTENER_ERROR_MAX] = "";
	struct listener *again = listener_open(&world->host, 1, false, error);
	assert_string_equal(error, "");
	listener_close(again);
	for (unsigned i = 0; i < ASKED; i++) {
		assert_true(receive(world, fd, reply, sizeof reply, false) >=
			    12 + 15 + MESSAGE_OPT);
		unsigned id = wire_u16(reply);
		assert_true(id < ASKED && !seen[id]);
		seen[id] = true;
		assert_memory_equal(reply + 12, "\4NaMe\4test\0\0\20\0\1", 15);
		assert_int_equal(message_flags(reply) & FLAG_RCODE,
				 id == answered ? RCODE_NOERROR : RCODE_SERVFAIL);
	}
	assert_int_equal(world->lanes[0].worker.counters.listener_gone +
				 world->lanes[1].worker.counters.listener_gone,
			 ASKED - 1);
	for (unsigned i = 0; i < ASKED; i++)
		if (world->held[i])
			answer_held(world, i);
	assert_int_equal(recv(fd, reply, sizeof reply, MSG_DONTWAIT), -1);
	close(fd);
	world_free(world);
}

/* Two connections, one of them with more than the pipeline takes: what nobody has read is not
 * answered, and does not destroy the answers to the others. */
static void removed_listener_answers_by_tcp_too(void **state)
{
	(void)state;
	enum { PIPELINE = 3 };
	struct world *world = world_new("127.0.0.1", 1, 100);
	struct inbound_counters *count = counters(world);
	uint8_t reply[2 + 512];
	world->lanes[0].worker.tcp.pipeline_max = PIPELINE;
	world->hold = true;
	int some = client(world, true), more = client(world, true);
	ask_tcp(some, 0);
	wait_held(world, 1);
	ask_many_tcp(more, 1, PIPELINE);
	wait_held(world, 1 + PIPELINE);
	ask_many_tcp(more, 1 + PIPELINE, 500);
	spin(world);
	answer_held(world, 1); /* one that is answered is not told */
	world_stop(world);
	for (unsigned i = 0; i < 1 + PIPELINE; i++) {
		assert_int_equal(receive(world, i == 0 ? some : more, reply, 2, true), 2);
		assert_int_equal(receive(world, i == 0 ? some : more, reply, wire_u16(reply), true),
				 wire_u16(reply));
		assert_int_equal(message_flags(reply) & FLAG_RCODE,
				 i == 1 ? RCODE_NOERROR : RCODE_SERVFAIL);
	}
	assert_true(ended(world, some));
	assert_true(ended(world, more));
	assert_int_equal(count->listener_gone, PIPELINE);
	assert_int_equal(count->tcp_lost, 0);
	for (unsigned i = 0; i < world->held_count; i++)
		if (world->held[i])
			answer_held(world, i);
	close(some);
	close(more);
	world_free(world);
}

/* Nothing is under way, and what comes just then is not read; no reset follows the answer. */
static void removed_listener_s_last_answer_arrives(void **state)
{
	(void)state;
	struct world *world = world_new("127.0.0.1", 1, 100);
	world->hold = true;
	int fd = client(world, true);
	ask_tcp(fd, 1);
	wait_held(world, 1);
	answer_held(world, 0);
	ask_many_tcp(fd, 2, 20);
	world_stop(world);
	assert_int_equal(answer_tcp(world, fd), 1);
	assert_true(ended(world, fd));
	close(fd);
	world_free(world);
}

/* The kernel deals connections out to two listeners; the pool is one. */
static void listener_that_stays_goes_on_by_tcp(void **state)
{
	(void)state;
	enum { CLIENTS = 32 };
	struct world *world = world_new("127.0.0.1", 2, 100);
	unsigned good = 0, told = 0;
	uint8_t reply[2 + 512];
	int fds[CLIENTS];
	world->hold = true;
	for (unsigned i = 0; i < CLIENTS; i++) {
		fds[i] = client(world, true);
		ask_tcp(fds[i], i);
		wait_held(world, i + 1);
	}
	unsigned stay = world->lanes[1].worker.tcp_connections;
	assert_true(stay > 0 && stay < CLIENTS);
	inbound_stop(world->lanes[0].inbound);
	world->lanes[0].inbound = NULL;
	for (unsigned i = 0; i < CLIENTS; i++)
		answer_held(world, i);
	for (unsigned i = 0; i < CLIENTS; i++) {
		size_t length = 2 + 12 + 15;
		assert_int_equal(receive(world, fds[i], reply, length, true), length);
		good += (message_flags(reply + 2) & FLAG_RCODE) == RCODE_NOERROR;
		told += (message_flags(reply + 2) & FLAG_RCODE) == RCODE_SERVFAIL;
	}
	assert_int_equal(good, stay);
	assert_int_equal(told, CLIENTS - stay);
	assert_int_equal(world->lanes[1].worker.tcp_connections, stay);
	for (unsigned i = 0; i < CLIENTS; i++)
		close(fds[i]);
	world_free(world);
}

static void assert_told_that_it_is_over(struct world *world, int fd, unsigned id)
{
	uint8_t reply[512];
	assert_true(receive(world, fd, reply, sizeof reply, false) >= 12 + 15);
	assert_int_equal(wire_u16(reply), id);
	assert_int_equal(message_flags(reply) & FLAG_RCODE, RCODE_SERVFAIL);
}

static void worker_that_leaves_answers_what_is_under_way_and_tells_who_comes(void **state)
{
	(void)state;
	struct world *world = world_new("127.0.0.1", 1, 100);
	struct inbound_worker *worker = &world->lanes[0].worker;
	const struct inbound_admission anybody = {0};
	uint8_t reply[512];
	world->hold = true;
	int fd = client(world, false), stream = client(world, true), idle = client(world, true);
	ask_udp(fd, 1);
	wait_held(world, 1);
	ask_tcp(stream, 2);
	wait_held(world, 2);
	inbound_leave(worker);
	assert_true(ended(world, idle));
	close(idle);
	inbound_set_admission(world->lanes[0].inbound, &anybody); /* as a reload does */
	ask_udp(fd, 3);
	assert_told_that_it_is_over(world, fd, 3);
	ask_tcp(stream, 4); /* and is not read */
	int late = client(world, true);
	assert_int_equal(error_of(late), ECONNREFUSED);
	close(late);
	answer_held(world, 1);
	answer_held(world, 0);
	assert_int_equal(answer_tcp(world, stream), 2);
	assert_true(ended(world, stream));
	close(stream);
	assert_true(receive(world, fd, reply, sizeof reply, false) > 0);
	assert_int_equal(wire_u16(reply), 1);
	assert_int_equal(message_flags(reply) & FLAG_RCODE, RCODE_NOERROR);
	assert_int_equal(worker->tcp_connections, 0);
	assert_int_equal(world->pool.in_use, 0);
	ask_udp(fd, 6); /* before the loop goes round again */
	world_stop(world);
	assert_told_that_it_is_over(world, fd, 6);
	assert_int_equal(world->held_count, 2);
	assert_int_equal(worker->counters.listener_gone, 2);
	close(fd);
	world_free(world);
}

/* A question every 50 ms, and each is held: such a client is never quiet. Those that were read when
 * the second is over are answered; it asks the others again. */
static void connection_that_is_never_quiet_is_ended_with_what_was_read_answered(void **state)
{
	(void)state;
	enum { READ = 19, ASKED = 40 };
	struct world *world = world_new("127.0.0.1", 1, 100);
	struct inbound_worker *worker = &world->lanes[0].worker;
	world->hold = true;
	int fd = client(world, true);
	inbound_drain(worker);
	for (unsigned id = 0; id < ASKED; id++) {
		pass(world, (id == READ ? 102 : 50) * 1000);
		ask_tcp(fd, id);
		if (id < READ)
			wait_held(world, id + 1);
	}
	assert_silence(world, fd);
	assert_int_equal(world->held_count, READ);
	for (unsigned i = 0; i < READ; i++)
		answer_held(world, i);
	for (unsigned i = 0; i < READ; i++)
		assert_int_equal(answer_tcp(world, fd), i);
	assert_true(ended(world, fd));
	ask_tcp(fd, ASKED); /* it had not heard */
	spin(world);
	assert_int_equal(error_of(fd), 0);
	assert_int_equal(worker->tcp_connections, 1);
	close(fd);
	spin_until(world, worker->tcp_connections == 0);
	assert_int_equal(worker->tcp_connections, 0);
	assert_int_equal(world->held_count, READ);
	assert_int_equal(worker->counters.tcp_lost, 0);
	world_free(world);
}

static void quiet_connections_end_first_when_a_worker_drains(void **state)
{
	(void)state;
	struct world *world = world_new("127.0.0.1", 1, 100);
	struct inbound_worker *worker = &world->lanes[0].worker;
	int quiet = client(world, true), other = client(world, true);
	pass(world, 900 * 1000);
	ask_tcp(other, 1);
	assert_int_equal(answer_tcp(world, other), 1);
	pass(world, 110 * 1000);
	inbound_drain(worker);
	spin(world);
	assert_true(ended(world, quiet));
	close(quiet);
	assert_silence(world, other);
	ask_tcp(other, 2); /* was about to, and is heard */
	assert_int_equal(answer_tcp(world, other), 2);
	pass(world, 1002 * 1000);
	assert_true(ended(world, other));
	close(other);
	assert_int_equal(worker->counters.tcp_timeouts, 0);
	world_free(world);
}

static void worker_that_drains_and_loses_its_successor_tells_who_comes(void **state)
{
	(void)state;
	struct world *world = world_new("127.0.0.1", 1, 100);
	struct inbound_worker *worker = &world->lanes[0].worker;
	world->hold = true;
	int fd = client(world, false), stream = client(world, true);
	inbound_drain(worker);
	ask_udp(fd, 1); /* is the successor's to read, who shares the socket */
	ask_tcp(stream, 2);
	wait_held(world, 1);
	assert_silence(world, fd);
	inbound_leave(worker);
	assert_told_that_it_is_over(world, fd, 1);
	ask_udp(fd, 3);
	assert_told_that_it_is_over(world, fd, 3);
	ask_tcp(stream, 4);
	assert_silence(world, stream);
	answer_held(world, 0);
	assert_int_equal(answer_tcp(world, stream), 2);
	assert_true(ended(world, stream));
	assert_int_equal(world->held_count, 1);
	pass(world, 1002 * 1000); /* nothing is left to end */
	close(fd);
	close(stream);
	world_free(world);
}

/* It has half a second, however much it sends. */
static void client_that_does_not_close_is_waited_for_a_short_while_only(void **state)
{
	(void)state;
	struct world *world = world_new("127.0.0.1", 1, 100);
	struct inbound_worker *worker = &world->lanes[0].worker;
	int fd = client(world, true);
	inbound_leave(worker);
	assert_true(ended(world, fd));
	for (unsigned i = 0; i < 9; i++) {
		ask_many_tcp(fd, 0, 1500); /* more than the inbox holds */
		pass(world, 50 * 1000);
		assert_int_equal(error_of(fd), 0);
		assert_int_equal(worker->tcp_connections, 1);
	}
	pass(world, 60 * 1000);
	assert_int_equal(worker->tcp_connections, 0);
	assert_int_equal(world->lanes[0].seen, 0);
	assert_int_equal(worker->counters.tcp_timeouts, 0);
	close(fd);
	world_free(world);
}

/* What it had received and had no room for is not answered, but told. */
static void connection_that_is_left_has_each_of_its_questions_answered(void **state)
{
	(void)state;
	enum { PIPELINE = 3, ASKED = 10 };
	struct world *world = world_new("127.0.0.1", 1, 100);
	struct inbound_worker *worker = &world->lanes[0].worker;
	static uint8_t buffer[BIG];
	unsigned good = 0, told = 0;
	worker->tcp.pipeline_max = PIPELINE;
	world->hold = true;
	int fd = client(world, true);
	ask_many_tcp(fd, 0, ASKED);
	wait_held(world, PIPELINE);
	inbound_leave(worker);
	for (unsigned i = 0; i < PIPELINE; i++)
		answer_held(world, i);
	for (unsigned i = 0; i < ASKED; i++) {
		assert_int_equal(receive(world, fd, buffer, 2, true), 2);
		size_t length = wire_u16(buffer);
		assert_int_equal(receive(world, fd, buffer, length, true), length);
		good += (message_flags(buffer) & FLAG_RCODE) == RCODE_NOERROR;
		told += (message_flags(buffer) & FLAG_RCODE) == RCODE_SERVFAIL;
	}
	assert_true(closed(world, fd));
	assert_int_equal(good, PIPELINE);
	assert_int_equal(told, ASKED - PIPELINE);
	close(fd);
	world_free(world);
}

static void stopped_listener_leaves_its_port_free(void **state)
{
	(void)state;
	struct world *world = world_new("127.0.0.1", 2, 100);
	int stream = client(world, true);
	world_stop(world);
	char error[LISTENER_ERROR_MAX] = "";
	struct listener *again = listener_open(&world->host, 3, false, error);
	assert_string_equal(error, "");
	assert_non_null(again);
	listener_close(again);
	close(stream);
	world_free(world);
}

static void second_listener_on_an_address_is_told_that_the_port_is_in_use(void **state)
{
	(void)state;
	struct world *world = world_new("127.0.0.1", 1, 100);
	char error[LISTENER_ERROR_MAX] = "", start[100], host[HOST_TEXT_MAX];
	assert_null(listener_open(&world->host, 1, false, error));
	snprintf(start, sizeof start, "%s (UDP): the port is in use",
		 host_print(&world->host, host));
	assert_int_equal(strncmp(error, start, strlen(start)), 0);
	assert_null(strchr(error, '\n'));
	/* The same port on another address is another matter. */
	struct host other = world->host;
	other.address.bytes[3] = 9;
	struct listener *beside = listener_open(&other, 1, false, error);
	assert_non_null(beside);
	listener_close(beside);
	/* Nor is 0.0.0.0, which the probe would find in use, where the port is said to be ours. */
	other.address = (struct address){.family = 4};
	assert_null(listener_open(&other, 1, false, error));
	beside = listener_open(&other, 1, true, error);
	assert_non_null(beside);
	listener_close(beside);
	world_free(world);
}

/* Who holds only TCP is found out too, and nothing stays open. */
static void port_held_for_tcp_alone_is_found_out(void **state)
{
	(void)state;
	struct world *world = world_new("127.0.0.1", 1, 100);
	world_stop(world);
	spin(world);
	struct sockaddr_storage storage;
	socklen_t length = socket_address(&world->host, &storage);
	int fd = socket_tcp(4);
	int on = 1;
	setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
	setsockopt(fd, SOL_SOCKET, SO_REUSEPORT, &on, sizeof on);
	assert_int_equal(bind(fd, (struct sockaddr *)&storage, length), 0);
	assert_int_equal(listen(fd, 1), 0);
	char error[LISTENER_ERROR_MAX] = "";
	assert_null(listener_open(&world->host, 2, false, error));
	assert_non_null(strstr(error, "(TCP): the port is in use"));
	int probe = socket_udp(4);
	assert_int_equal(bind(probe, (struct sockaddr *)&storage, length), 0);
	close(probe);
	close(fd);
	world_free(world);
}

static void address_that_no_interface_has_is_bound_for_when_one_has_it(void **state)
{
	(void)state;
	static const char *const texts[] = {"192.0.2.55:5353", "[2001:db8::55]:5353"};
	for (unsigned i = 0; i < 2; i++) {
		struct host host;
		char error[LISTENER_ERROR_MAX] = "";
		assert_int_equal(host_parse(&host, texts[i], 53), 0);
		struct listener *listener = listener_open(&host, 1, false, error);
		assert_string_equal(error, "");
		assert_non_null(listener);
		assert_true(socket_address_is_missing(&host.address));
		listener_close(listener);
	}
	struct host here;
	assert_int_equal(host_parse(&here, "127.0.0.1:5353", 53), 0);
	assert_false(socket_address_is_missing(&here.address));
}

static unsigned first_unprivileged_port(void)
{
	FILE *file = fopen("/proc/sys/net/ipv4/ip_unprivileged_port_start", "r");
	unsigned port = 1024;
	if (file && fscanf(file, "%u", &port) != 1)
		port = 1024;
	if (file)
		fclose(file);
	return port;
}

/* Without privileges, in a child that gives them up. Exit status 0: the text is right. */
static void privileged_port_without_permission_is_one_clear_line(void **state)
{
	(void)state;
	if (first_unprivileged_port() <= 53)
		skip();
	pid_t child = fork();
	assert_true(child >= 0);
	if (child == 0) {
		if (geteuid() == 0 && setuid(65534) < 0)
			_exit(3);
		struct host host;
		char error[LISTENER_ERROR_MAX] = "";
		if (host_parse(&host, "127.0.0.99:53", 53) < 0)
			_exit(4);
		if (listener_open(&host, 1, false, error))
			_exit(5);
		const char *start = "127.0.0.99:53 (UDP): no permission to bind this port; ";
		_exit(strncmp(error, start, strlen(start)) == 0 ? 0 : 6);
	}
	int status;
	assert_int_equal(waitpid(child, &status, 0), child);
	assert_true(WIFEXITED(status));
	assert_int_equal(WEXITSTATUS(status), 0);
}

static void host_and_sockaddr_are_two_forms_of_one_thing(void **state)
{
	(void)state;
	static const char *const texts[] = {"192.0.2.1:53", "[2001:db8::1]:5353", "[::]:1"};
	for (unsigned i = 0; i < 3; i++) {
		struct host host, back;
		struct sockaddr_storage storage;
		assert_int_equal(host_parse(&host, texts[i], 0), 0);
		assert_int_equal(socket_address(&host, &storage),
				 host.address.family == 4 ? sizeof(struct sockaddr_in)
							  : sizeof(struct sockaddr_in6));
		socket_host(&storage, &back);
		assert_true(host_equal(&host, &back));
	}
	struct sockaddr_storage storage = {.ss_family = AF_UNIX};
	struct host host = {.port = 1};
	socket_host(&storage, &host);
	assert_int_equal(host.address.family, 0);
	assert_int_equal(socket_address(&host, &storage), 0);
	struct sockaddr_in6 mapped = {.sin6_family = AF_INET6, .sin6_port = htons(7)};
	memcpy(&mapped.sin6_addr, "\0\0\0\0\0\0\0\0\0\0\xff\xff\xc0\0\2\1", 16);
	memcpy(&storage, &mapped, sizeof mapped);
	socket_host(&storage, &host);
	assert_int_equal(host.address.family, 4);
	assert_memory_equal(host.address.bytes, "\xc0\0\2\1\0\0\0\0\0\0\0\0\0\0\0", 16);
}

/* ---- who gets in, and what leaves ---- */

static uint32_t at_noon(void *context)
{
	(void)context;
	return 1700000000;
}

static struct access access_of(struct arena *arena, const char *text)
{
	struct access access = {0};
	struct prefix prefix;
	arena_init(arena);
	assert_int_equal(prefix_parse(&prefix, text), 0);
	assert_int_equal(access_add(&access, arena, &prefix), 0);
	access_build(&access);
	return access;
}

static void set_terms(struct world *world, const struct access *access, struct meter *meter,
		      enum excess excess)
{
	inbound_set_admission(
		world->lanes[0].inbound,
		&(struct inbound_admission){.access = access, .meter = meter, .excess = excess});
}

/* Into the OPT that the query ends with. */
static size_t put_cookie(uint8_t *query, size_t length, const uint8_t *cookie, size_t cookie_length)
{
	uint8_t *option = query + length;

	wire_put16(option - 2, (uint16_t)(MESSAGE_OPTION + cookie_length));
	wire_put16(option, OPTION_COOKIE);
	wire_put16(option + 2, (uint16_t)cookie_length);
	memcpy(option + MESSAGE_OPTION, cookie, cookie_length);
	return length + MESSAGE_OPTION + cookie_length;
}

enum { STRANGERS_QUESTION = 12 + 15 }; /* its header and question: what it is answered with */

/* Sends a question with all that one may bring after it, or something that is none of that. */
static size_t strangers_packet(unsigned i, uint8_t wire[MESSAGE_QUERY_MAX])
{
	static const uint8_t nsid[] = {0, OPTION_NSID, 0, 0};
	bool edns = i > 0;
	size_t length = message_write_query(wire, (uint16_t)i, (const uint8_t *)"\4NaMe\4test", 11,
					    TYPE_TXT, false, true, edns);

	switch (i) {
	case 2: length = put_cookie(wire, length, (const uint8_t *)"12345678", 8); break;
	case 3:
		memcpy(wire + length, nsid, sizeof nsid);
		wire_put16(wire + length - 2, sizeof nsid);
		length += sizeof nsid;
		break;
	case 4: wire[STRANGERS_QUESTION + 6] = 1; break;     /* another EDNS version */
	case 5: wire[STRANGERS_QUESTION + 10] = 0xff; break; /* its options go beyond the end */
	case 6: wire[2] |= OPCODE_UPDATE << 3; break;
	default: break;
	}
	return length;
}
enum { STRANGERS_PACKETS = 7 };

static void assert_refused_and_no_more(const uint8_t *packet, const uint8_t *reply, ssize_t got)
{
	assert_int_equal(got, STRANGERS_QUESTION);
	assert_int_equal(message_flags(reply) & FLAG_RCODE, RCODE_REFUSED);
	assert_memory_equal(reply, packet, 2);
	assert_memory_equal(reply + 4, "\0\1\0\0\0\0\0\0", 8);
	assert_memory_equal(reply + 12, packet + 12, STRANGERS_QUESTION - 12);
}

static void a_stranger_is_refused_and_told_nothing_else(void **state)
{
	(void)state;
	struct world *world = world_new("127.0.0.1", 1, 100);
	struct arena arena;
	struct access private = access_of(&arena, "10.0.0.0/8");
	int fd = client(world, false), stream = client(world, true);
	uint8_t wire[2 + MESSAGE_QUERY_MAX], reply[600];

	world->lanes[0].worker.unix_s = at_noon; /* there are cookies for others */
	set_terms(world, &private, NULL, EXCESS_DROP);
	for (unsigned i = 0; i < STRANGERS_PACKETS; i++) {
		size_t length = strangers_packet(i, wire + 2);
		assert_int_equal(send(fd, wire + 2, length, 0), length);
		assert_refused_and_no_more(wire + 2, reply,
					   receive(world, fd, reply, sizeof reply, false));
		wire_put16(wire, (uint16_t)length);
		assert_int_equal(send(stream, wire, 2 + length, 0), 2 + length);
		receive(world, stream, reply, 2 + STRANGERS_QUESTION, true);
		assert_refused_and_no_more(wire + 2, reply + 2, wire_u16(reply));
	}
	assert_int_equal(world->lanes[0].seen, 0);
	assert_int_equal(counters(world)->prohibited, 2 * STRANGERS_PACKETS);
	assert_int_equal(counters(world)->malformed, 0);
	assert_int_equal(world->pool.in_use, 0);
	close(fd);
	close(stream);
	world_free(world);
	arena_release(&arena);
}

/* What is sent in place of a reply that is one too many. */
static void a_stranger_over_its_prefixs_limit_is_told_nothing_either(void **state)
{
	(void)state;
	struct world *world = world_new("127.0.0.1", 1, 100);
	struct inbound_worker *worker = &world->lanes[0].worker;
	struct response_limit *limit = response_limit_new(&key);
	struct arena arena;
	struct access private = access_of(&arena, "10.0.0.0/8");
	int fd = client(world, false);
	uint8_t wire[MESSAGE_QUERY_MAX], reply[600];

	worker->unix_s = at_noon;
	worker->responses = limit;
	worker->response_limit = (struct response_limit_settings){
		.errors_per_second = 1, .slip = 1, .ipv4_prefix_length = 24};
	set_terms(world, &private, NULL, EXCESS_DROP);
	for (unsigned i = 0; i < 4; i++) {
		size_t length = strangers_packet(2, wire);
		assert_int_equal(send(fd, wire, length, 0), length);
		assert_int_equal(receive(world, fd, reply, sizeof reply, false),
				 STRANGERS_QUESTION);
	}
	assert_true(counters(world)->responses_slipped > 0);
	close(fd);
	world_free(world);
	response_limit_free(limit);
	arena_release(&arena);
}

/* Whatever is behind the question: nobody looks. */
static void of_a_stranger_nothing_behind_the_question_is_read(void **state)
{
	(void)state;
	struct world *world = world_new("127.0.0.1", 1, 100);
	struct arena arena;
	struct access private = access_of(&arena, "10.0.0.0/8");
	uint8_t wire[MESSAGE_QUERY_MAX + 100] = {0}, reply[512];
	size_t length = message_write_query(wire, 1, (const uint8_t *)"\4NaMe\4test", 11, TYPE_TXT,
					    false, false, false);
	int fd = client(world, false);
	memset(wire + length, 0xff, 100);
	wire_put16(wire + 10, 60000);
	assert_int_equal(send(fd, wire, length + 100, 0), length + 100);
	assert_int_equal(receive(world, fd, reply, sizeof reply, false), length);
	assert_int_equal(message_flags(reply) & FLAG_RCODE, RCODE_FORMERR);
	set_terms(world, &private, NULL, EXCESS_DROP);
	assert_int_equal(send(fd, wire, length + 100, 0), length + 100);
	assert_int_equal(receive(world, fd, reply, sizeof reply, false), length);
	assert_int_equal(message_flags(reply) & FLAG_RCODE, RCODE_REFUSED);
	assert_int_equal(counters(world)->malformed, 1);
	assert_int_equal(counters(world)->prohibited, 1);
	close(fd);
	world_free(world);
	arena_release(&arena);
}

static void who_may_ask_is_what_the_terms_say_now(void **state)
{
	(void)state;
	struct world *world = world_new("127.0.0.1", 1, 100);
	struct arena one, other;
	struct access private = access_of(&one, "10.0.0.0/8"),
		      loop = access_of(&other, "127.0.0.1/32");
	int fd = client(world, false), stream = client(world, true);
	uint8_t reply[64];
	set_terms(world, &private, NULL, EXCESS_DROP);
	ask_udp(fd, 6);
	assert_int_equal(receive(world, fd, reply, sizeof reply, false), STRANGERS_QUESTION);
	set_terms(world, &loop, NULL, EXCESS_DROP);
	ask_udp(fd, 7);
	assert_true(receive(world, fd, reply, sizeof reply, false) > 0);
	assert_int_equal(message_flags(reply) & FLAG_RCODE, RCODE_NOERROR);
	ask_tcp(stream, 8);
	assert_int_equal(answer_tcp(world, stream), 8);
	assert_int_equal(world->lanes[0].seen, 2);
	assert_int_equal(counters(world)->prohibited, 1);
	close(fd);
	close(stream);
	world_free(world);
	arena_release(&one);
	arena_release(&other);
}

enum { EXCESS_QUERIES = 40, BY_TCP = 10 };

/* So many by UDP at once, over a limit of one a second: of the answers, how many were good,
 * refused, empty with TC. */
static void ask_in_excess(struct world *world, int fd, unsigned counts[3])
{
	uint8_t reply[512], asked[MESSAGE_QUERY_MAX];
	ssize_t length = (ssize_t)ask_wire(asked, 0);
	memset(counts, 0, 3 * sizeof counts[0]);
	for (unsigned i = 0; i < EXCESS_QUERIES; i++)
		ask_udp(fd, i);
	for (unsigned i = 0; i < 20; i++) {
		spin(world);
		usleep(200);
	}
	for (ssize_t got; (got = recv(fd, reply, sizeof reply, MSG_DONTWAIT)) > 0;) {
		uint16_t flags = message_flags(reply);
		assert_true(got >= 12 + 15);
		assert_true(!(flags & FLAG_TC) || got <= length); /* nothing to amplify */
		counts[flags & FLAG_TC ? 2 : (flags & FLAG_RCODE) == RCODE_REFUSED ? 1 : 0]++;
	}
}

static void queries_over_the_limit_are_answered_as_configured(void **state)
{
	(void)state;
	static const enum excess ways[] = {EXCESS_DROP, EXCESS_REFUSE, EXCESS_TRUNCATE};
	for (unsigned i = 0; i < 3; i++) {
		struct world *world = world_new("127.0.0.1", 1, 100);
		struct meter meter;
		unsigned counts[3];
		meter_init(&meter, 1, &key);
		world->now_us = 1000 * 1000000ull;
		set_terms(world, NULL, &meter, ways[i]);
		int fd = client(world, false), stream = client(world, true);
		ask_in_excess(world, fd, counts);
		unsigned over = EXCESS_QUERIES - counts[0];
		assert_in_range(counts[0], 1, 5);
		assert_int_equal(world->lanes[0].seen, counts[0]);
		assert_int_equal(counters(world)->over_limit, over);
		assert_int_equal(counts[1], ways[i] == EXCESS_REFUSE ? over : 0);
		assert_int_equal(counts[2], ways[i] == EXCESS_TRUNCATE ? over : 0);
		assert_int_equal(counters(world)->over_limit_refused, counts[1]);
		assert_int_equal(counters(world)->over_limit_proven, 0);
		for (unsigned id = 0; id < BY_TCP; id++)
			ask_tcp(stream, id);
		spin_until(world, world->lanes[0].seen + counters(world)->over_limit_proven ==
					  counts[0] + BY_TCP);
		unsigned let_in = world->lanes[0].seen - counts[0], rest = BY_TCP - let_in;
		assert_in_range(let_in, 1, 5);
		for (unsigned id = 0; id < (ways[i] == EXCESS_DROP ? let_in : BY_TCP); id++)
			assert_int_equal(answer_tcp(world, stream), id);
		assert_int_equal(counters(world)->over_limit_proven, rest);
		assert_int_equal(counters(world)->over_limit, over + rest);
		assert_int_equal(counters(world)->over_limit_refused,
				 counts[1] + (ways[i] == EXCESS_DROP ? 0 : rest));
		assert_int_equal(world->pool.in_use, 0);
		close(fd);
		close(stream);
		world_free(world);
	}
}

static void what_is_not_a_query_or_not_allowed_uses_up_no_tokens(void **state)
{
	(void)state;
	struct world *world = world_new("127.0.0.1", 1, 100);
	struct arena arena;
	struct access private = access_of(&arena, "10.0.0.0/8");
	struct meter meter;
	unsigned counts[3];
	int fd = client(world, false);
	world->now_us = 1000 * 1000000ull;
	meter_init(&meter, 1, &key);
	set_terms(world, &private, &meter, EXCESS_DROP);
	for (unsigned round = 0; round < 5; round++) {
		ask_in_excess(world, fd, counts);
		assert_int_equal(counts[1], EXCESS_QUERIES);
	}
	for (unsigned i = 0; i < EXCESS_QUERIES; i++)
		assert_int_equal(send(fd, "no header", 9, 0), 9);
	spin(world);
	assert_int_equal(counters(world)->over_limit, 0);
	set_terms(world, NULL, &meter, EXCESS_DROP);
	ask_in_excess(world, fd, counts);
	assert_in_range(counts[0], 1, 5);
	close(fd);
	world_free(world);
	arena_release(&arena);
}

static void answers_over_a_prefixs_limit_slip_through_or_are_dropped(void **state)
{
	(void)state;
	struct world *world = world_new("127.0.0.1", 1, 100);
	struct inbound_worker *worker = &world->lanes[0].worker;
	struct response_limit *limit = response_limit_new(&key);
	unsigned counts[3];
	world->answer_bytes = 10;
	worker->responses = limit;
	worker->response_limit = (struct response_limit_settings){
		.answers_per_second = 5, .slip = 5, .ipv4_prefix_length = 24};
	int fd = client(world, false), stream = client(world, true);
	ask_in_excess(world, fd, counts);
	assert_int_equal(counts[0], 5);
	assert_int_equal(counts[2], (EXCESS_QUERIES - 5) / 5);
	assert_int_equal(counters(world)->responses_limited, EXCESS_QUERIES - 5);
	assert_int_equal(counters(world)->responses_slipped, counts[2]);
	for (unsigned i = 0; i < 10; i++) { /* TCP comes from where it says */
		ask_tcp(stream, i);
		assert_int_equal(answer_tcp(world, stream), i);
	}
	worker->response_limit.slip = 0;
	ask_in_excess(world, fd, counts);
	assert_int_equal(counts[0] + counts[2], 0);
	worker->response_limit.slip = 1;
	ask_in_excess(world, fd, counts);
	assert_int_equal(counts[2], EXCESS_QUERIES);
	close(fd);
	close(stream);
	world_free(world);
	response_limit_free(limit);
}

/* Asks with a cookie, and puts the one that comes back in its place; false: nothing, or no data. */
static bool ask_with_cookie(struct world *world, int fd, uint8_t *cookie, size_t length)
{
	uint8_t query[MESSAGE_QUERY_MAX + MESSAGE_OPTION + MESSAGE_COOKIE_REPLY], reply[512];
	size_t bytes = message_write_query(query, 7, (const uint8_t *)"\4NaMe\4test", 11, TYPE_TXT,
					   false, false, true);
	bytes = put_cookie(query, bytes, cookie, length);
	assert_int_equal(send(fd, query, bytes, 0), bytes);
	const struct inbound_counters *now = counters(world);
	uint64_t limited = now->responses_limited;
	ssize_t got = -1;
	spin_until(world, (got = recv(fd, reply, sizeof reply, MSG_DONTWAIT)) >= 0 ||
				  now->responses_limited > limited);
	if (got < 0)
		return false;
	assert_true(got > 28);
	assert_int_equal(wire_u16(reply + got - 28), OPTION_COOKIE);
	memcpy(cookie, reply + got - MESSAGE_COOKIE_REPLY, MESSAGE_COOKIE_REPLY);
	return !(message_flags(reply) & FLAG_TC);
}

/* Sends a packet without a question that shows `cookie`, and puts the reply's cookie in its place.
 * Returns the reply's rcode, with the upper bits from its OPT. */
static unsigned ask_for_cookie(struct world *world, int fd, uint8_t *cookie, size_t length)
{
	static const uint8_t opt[] = {0, 0, 41, 4, 208, 0, 0, 0, 0, 0, 0};
	uint8_t query[MESSAGE_HEADER + sizeof opt + MESSAGE_OPTION + MESSAGE_COOKIE_REPLY] = {0};
	uint8_t reply[512];
	size_t bytes = MESSAGE_HEADER + sizeof opt;

	query[11] = 1;
	memcpy(query + MESSAGE_HEADER, opt, sizeof opt);
	bytes = put_cookie(query, bytes, cookie, length);
	assert_int_equal(send(fd, query, bytes, 0), bytes);
	ssize_t got = receive(world, fd, reply, sizeof reply, false);
	assert_int_equal(got, MESSAGE_HEADER + sizeof opt + MESSAGE_OPTION + MESSAGE_COOKIE_REPLY);
	memcpy(cookie, reply + got - MESSAGE_COOKIE_REPLY, MESSAGE_COOKIE_REPLY);
	return (unsigned)reply[MESSAGE_HEADER + 5] << 4 | (message_flags(reply) & FLAG_RCODE);
}

static void who_asks_for_a_cookie_alone_hears_whether_its_own_is_good(void **state)
{
	(void)state;
	struct world *world = world_new("127.0.0.1", 1, 100);
	struct inbound_worker *worker = &world->lanes[0].worker;
	uint8_t cookie[MESSAGE_COOKIE_REPLY] = "12345678", good[MESSAGE_COOKIE_REPLY];
	int fd = client(world, false);

	worker->unix_s = at_noon;
	cookie_init(&worker->cookies, &key);
	assert_int_equal(ask_for_cookie(world, fd, cookie, MESSAGE_COOKIE_CLIENT), RCODE_NOERROR);
	memcpy(good, cookie, sizeof good);
	assert_int_equal(ask_for_cookie(world, fd, cookie, sizeof cookie), RCODE_NOERROR);
	cookie[23] ^= 1;
	assert_int_equal(ask_for_cookie(world, fd, cookie, sizeof cookie), RCODE_BADCOOKIE);
	assert_memory_equal(cookie, good, sizeof good);
	assert_int_equal(counters(world)->replies[RCODE_BADCOOKIE], 1);
	assert_int_equal(counters(world)->malformed, 0);
	close(fd);
	world_free(world);
}

static void who_shows_a_good_cookie_is_not_limited(void **state)
{
	(void)state;
	struct world *world = world_new("127.0.0.1", 1, 100);
	struct inbound_worker *worker = &world->lanes[0].worker;
	struct response_limit *limit = response_limit_new(&key);
	uint8_t cookie[MESSAGE_COOKIE_REPLY] = "12345678";
	world->answer_bytes = 0;
	worker->responses = limit;
	worker->response_limit = (struct response_limit_settings){.answers_per_second = 1,
								  .negatives_per_second = 1,
								  .errors_per_second = 1,
								  .ipv4_prefix_length = 24};
	worker->unix_s = at_noon;
	cookie_init(&worker->cookies, &key);
	int fd = client(world, false);
	assert_true(ask_with_cookie(world, fd, cookie, MESSAGE_COOKIE_CLIENT));
	assert_memory_equal(cookie, "12345678\1\0\0\0", 12);
	for (unsigned i = 0; i < 10; i++)
		assert_true(ask_with_cookie(world, fd, cookie, MESSAGE_COOKIE_REPLY));
	assert_int_equal(counters(world)->responses_limited, 0);
	assert_false(ask_with_cookie(world, fd, cookie, MESSAGE_COOKIE_CLIENT));
	cookie[23] ^= 1;
	assert_false(ask_with_cookie(world, fd, cookie, MESSAGE_COOKIE_REPLY));
	assert_int_equal(counters(world)->responses_limited, 2);
	close(fd);
	world_free(world);
	response_limit_free(limit);
}

static void who_shows_a_good_cookie_is_let_in_where_others_are_over_the_limit(void **state)
{
	(void)state;
	struct world *world = world_new("127.0.0.1", 1, 100);
	struct inbound_worker *worker = &world->lanes[0].worker;
	uint8_t cookie[MESSAGE_COOKIE_REPLY] = "12345678";
	struct meter meter;
	unsigned counts[3];
	meter_init(&meter, 1, &key);
	world->now_us = 1000 * 1000000ull;
	set_terms(world, NULL, &meter, EXCESS_TRUNCATE);
	worker->unix_s = at_noon;
	cookie_init(&worker->cookies, &key);
	int fd = client(world, false);
	ask_in_excess(world, fd, counts);
	assert_int_equal(counts[2], EXCESS_QUERIES - counts[0]);
	/* What says so brings the cookie that helps. */
	assert_false(ask_with_cookie(world, fd, cookie, MESSAGE_COOKIE_CLIENT));
	assert_true(ask_with_cookie(world, fd, cookie, MESSAGE_COOKIE_REPLY));
	assert_int_equal(counters(world)->over_limit_proven, 0);
	close(fd);
	world_free(world);
}

/* Connects from an address of loopback. */
static int client_from(struct world *world, const char *source)
{
	struct host host;
	struct sockaddr_storage storage;
	int fd = socket_tcp(4);
	assert_true(fd >= 0);
	assert_int_equal(host_parse(&host, source, 1), 0);
	host.port = 0;
	socklen_t length = socket_address(&host, &storage);
	assert_int_equal(bind(fd, (struct sockaddr *)&storage, length), 0);
	length = socket_address(&world->host, &storage);
	int connected = connect(fd, (struct sockaddr *)&storage, length);
	assert_true(connected == 0 || errno == EINPROGRESS);
	spin(world);
	return fd;
}

static void who_has_most_connections_gives_one_up_to_who_has_fewer(void **state)
{
	(void)state;
	struct world *world = world_new("127.0.0.1", 1, 100);
	struct inbound_worker *worker = &world->lanes[0].worker;
	int fds[6];
	worker->tcp.connections_max = 3;
	for (unsigned i = 0; i < 3; i++) {
		fds[i] = client_from(world, "127.0.0.1");
		pass(world, 1000);
	}
	ask_tcp(fds[0], 1); /* so that the second is the quietest */
	assert_int_equal(answer_tcp(world, fds[0]), 1);
	fds[3] = client_from(world, "127.0.0.2");
	assert_true(closed(world, fds[1]));
	assert_int_equal(worker->counters.tcp_displaced, 1);
	assert_int_equal(worker->tcp_connections, 3);
	fds[4] = client_from(world, "127.0.0.2"); /* who would have two of three then */
	assert_true(closed(world, fds[4]));
	assert_int_equal(worker->counters.tcp_refused, 1);
	fds[5] = client_from(world, "127.0.0.3");
	for (unsigned i = 2; i < 6; i++)
		if (i == 3 || i == 5) {
			ask_tcp(fds[i], i);
			assert_int_equal(answer_tcp(world, fds[i]), i);
		}
	for (unsigned i = 0; i < 6; i++)
		close(fds[i]);
	world_free(world);
}

static void strangers_have_a_part_of_the_connections_and_no_more(void **state)
{
	(void)state;
	struct world *world = world_new("127.0.0.1", 1, 100);
	struct inbound_worker *worker = &world->lanes[0].worker;
	struct arena arena;
	struct access access = access_of(&arena, "127.0.0.2/32");
	int fds[4];
	worker->tcp.connections_max = 16;
	set_terms(world, &access, NULL, EXCESS_DROP);
	for (unsigned i = 0; i < 3; i++)
		fds[i] = client_from(world, "127.0.0.1");
	assert_true(closed(world, fds[2]));
	assert_int_equal(worker->tcp_strangers, 2);
	fds[3] = client_from(world, "127.0.0.2");
	ask_tcp(fds[3], 5);
	assert_int_equal(answer_tcp(world, fds[3]), 5);
	close(fds[0]);
	spin_until(world, worker->tcp_strangers == 1);
	assert_int_equal(worker->tcp_strangers, 1);
	for (unsigned i = 1; i < 4; i++)
		close(fds[i]);
	world_free(world);
	arena_release(&arena);
}

/* A question by UDP that comes while all of them are being read is not the last to be answered. */
static void however_many_connections_ask_udp_has_its_turn(void **state)
{
	(void)state;
	enum { CLIENTS = 150 };
	struct world *world = world_new("127.0.0.1", 1, 400);
	int fds[CLIENTS];
	world->lanes[0].worker.tcp.connections_max = CLIENTS;
	world->lanes[0].worker.tcp.connections_per_client_max = CLIENTS;
	for (unsigned i = 0; i < CLIENTS; i++)
		fds[i] = client(world, true);
	world->send_by = client(world, false);
	world->send_at = 1;
	for (unsigned i = 0; i < CLIENTS; i++)
		ask_tcp(fds[i], i);
	wait_seen(world, CLIENTS + 1);
	assert_in_range(world->came_at, 2, 40);
	for (unsigned i = 0; i < CLIENTS; i++)
		close(fds[i]);
	close(world->send_by);
	world_free(world);
}

/* What is large counts for more: a message of 16,000 bytes for as many as 31 short ones. */
static void after_a_few_large_messages_udp_has_its_turn(void **state)
{
	(void)state;
	enum { CLIENTS = 20, DATA = 16000 };
	struct world *world = world_new("127.0.0.1", 1, 100);
	uint8_t wire[MESSAGE_QUERY_MAX + DATA] = {0};
	static const uint8_t opaque[] = {0, 0xff, 0, 0, 1, 0, 0, 0, 0, DATA >> 8, DATA & 0xff};
	size_t length = framed(wire, 1);
	int fds[CLIENTS];
	memcpy(wire + length, opaque, sizeof opaque);
	length += sizeof opaque + DATA;
	wire_put16(wire, (uint16_t)(length - 2));
	wire_put16(wire + 2 + 10, 1);
	world->lanes[0].worker.tcp.connections_per_client_max = CLIENTS;
	for (unsigned i = 0; i < CLIENTS; i++)
		fds[i] = client(world, true);
	world->send_by = client(world, false);
	world->send_at = 1;
	for (unsigned i = 0; i < CLIENTS; i++)
		assert_int_equal(send(fds[i], wire, length, 0), length);
	wait_seen(world, CLIENTS + 1);
	assert_in_range(world->came_at, 2, 5);
	for (unsigned i = 0; i < CLIENTS; i++)
		close(fds[i]);
	close(world->send_by);
	world_free(world);
}

/* What targets send by TCP counts as well. */
static void after_much_that_others_have_read_udp_has_its_turn(void **state)
{
	(void)state;
	struct world *world = world_new("127.0.0.1", 1, 100);
	struct inbound_worker *worker = &world->lanes[0].worker;
	int fd = client(world, false);
	ask_udp(fd, 7);
	usleep(1000);
	for (unsigned i = 0; i < 3; i++)
		inbound_tcp_worked(worker, 8192);
	assert_int_equal(world->lanes[0].seen, 0);
	inbound_tcp_worked(worker, 8192);
	assert_int_equal(world->lanes[0].seen, 1);
	close(fd);
	world_free(world);
}

/* ---- requests to update ---- */

/* The question as the zone section, an A record as the change. */
static size_t update_wire(uint8_t *buffer, unsigned id)
{
	static const uint8_t change[] = {0xc0, 12, 0, TYPE_A, 0,  CLASS_IN, 0, 0,
					 0,    60, 0, 4,      10, 0,        0, 1};
	size_t length = ask_wire(buffer, id);

	wire_put16(buffer + 2, OPCODE_UPDATE << 11);
	wire_put16(buffer + 8, 1);
	memcpy(buffer + length, change, sizeof change);
	return length + sizeof change;
}

static void update_udp(int fd, unsigned id)
{
	uint8_t wire[MESSAGE_UDP_MIN];
	size_t length = update_wire(wire, id);

	assert_int_equal(send(fd, wire, length, 0), length);
}

static void update_tcp(int fd, unsigned id)
{
	uint8_t wire[2 + MESSAGE_UDP_MIN];
	size_t length = update_wire(wire + 2, id);

	wire_put16(wire, (uint16_t)length);
	assert_int_equal(send(fd, wire, length + 2, MSG_NOSIGNAL), length + 2);
}

static void requests_to_update_are_handed_over_where_they_are_accepted(void **state)
{
	(void)state;
	struct world *world = world_new("0.0.0.0", 1, 100);
	int fd = client_to(world, false, "127.0.0.77"),
	    stream = client_to(world, true, "127.0.0.78");
	uint8_t reply[512];

	update_udp(fd, 1);
	assert_int_equal(receive(world, fd, reply, sizeof reply, false), 12 + 15);
	assert_int_equal(message_flags(reply), FLAG_QR | OPCODE_UPDATE << 11 | RCODE_NOTIMP);
	update_tcp(stream, 2);
	assert_int_equal(answer_tcp(world, stream), 2);
	assert_int_equal(counters(world)->malformed, 2);
	assert_int_equal(world->lanes[0].seen, 0);
	world->lanes[0].worker.accepts_updates = true;
	world->hold = true;
	update_udp(fd, 3);
	wait_held(world, 1);
	update_tcp(stream, 4);
	wait_held(world, 2);
	for (unsigned i = 0; i < 2; i++) {
		assert_true(request_is_update(&world->held[i]->request));
		assert_int_equal(world->held[i]->packet_length, 12 + 15 + 16);
		assert_int_equal(world->held[i]->local.family, 4);
		assert_int_equal(world->held[i]->local.bytes[3], 77 + i);
	}
	answer_held(world, 0);
	answer_held(world, 1);
	assert_int_equal(receive(world, fd, reply, sizeof reply, false), 12 + 15);
	assert_int_equal(message_flags(reply), FLAG_QR | OPCODE_UPDATE << 11);
	assert_int_equal(answer_tcp(world, stream), 4);
	close(fd);
	close(stream);
	world_free(world);
}

/* An error would be the last word to whoever sent it. */
static void requests_to_update_get_silence_for_what_passes(void **state)
{
	(void)state;
	struct world *world = world_new("127.0.0.1", 1, 2);
	int fd = client(world, false), stream = client(world, true);

	world->lanes[0].worker.accepts_updates = true;
	world->hold = true;
	update_udp(fd, 1);
	update_tcp(stream, 2);
	wait_held(world, 2);
	update_udp(fd, 3); /* the pool is empty */
	spin_until(world, counters(world)->updates_ignored == 1);
	assert_int_equal(counters(world)->overload, 0);
	world_stop(world); /* both are under way */
	assert_true(ended(world, stream));
	assert_silence(world, fd);
	assert_int_equal(counters(world)->listener_gone, 0);
	assert_int_equal(counters(world)->updates_ignored, 1);
	answer_held(world, 0); /* into nothing */
	answer_held(world, 1);
	close(fd);
	close(stream);
	world_free(world);
}

static void requests_to_update_get_silence_where_the_server_leaves(void **state)
{
	(void)state;
	struct world *world = world_new("127.0.0.1", 1, 100);
	int fd = client(world, false);
	uint8_t reply[512];

	world->lanes[0].worker.accepts_updates = true;
	inbound_leave(&world->lanes[0].worker);
	update_udp(fd, 1);
	ask_udp(fd, 2);
	assert_true(receive(world, fd, reply, sizeof reply, false) > 0);
	assert_int_equal(wire_u16(reply), 2);
	assert_int_equal(counters(world)->updates_ignored, 1);
	assert_silence(world, fd);
	close(fd);
	world_free(world);
}

static void a_malformed_request_to_update_is_formerr(void **state)
{
	(void)state;
	struct world *world = world_new("127.0.0.1", 1, 100);
	int fd = client(world, false);
	uint8_t wire[MESSAGE_UDP_MIN], reply[512];
	size_t length = update_wire(wire, 1) - 1;

	world->lanes[0].worker.accepts_updates = true;
	assert_int_equal(send(fd, wire, length, 0), length);
	assert_int_equal(receive(world, fd, reply, sizeof reply, false), 12 + 15);
	assert_int_equal(message_flags(reply) & FLAG_RCODE, RCODE_FORMERR);
	assert_int_equal(world->lanes[0].seen, 0);
	close(fd);
	world_free(world);
}

/* What one over the limit hears would be an unsigned NOERROR with TC, or REFUSED. */
static void a_request_to_update_over_the_limit_gets_no_answer(void **state)
{
	(void)state;
	static const enum excess ways[] = {EXCESS_REFUSE, EXCESS_TRUNCATE};

	for (unsigned i = 0; i < 2; i++) {
		struct world *world = world_new("127.0.0.1", 1, 100);
		int fd = client(world, false);
		struct meter meter;
		unsigned counts[3];

		meter_init(&meter, 1, &key);
		world->now_us = 1000 * 1000000ull;
		set_terms(world, NULL, &meter, ways[i]);
		world->lanes[0].worker.accepts_updates = true;
		ask_in_excess(world, fd, counts);
		assert_in_range(counts[0], 1, 5);
		update_udp(fd, 1);
		spin_until(world, counters(world)->over_limit == EXCESS_QUERIES - counts[0] + 1);
		assert_silence(world, fd);
		close(fd);
		world_free(world);
	}
}

int main(void)
{
	signal(SIGPIPE, SIG_IGN);
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(udp_question_is_answered_with_its_id_and_case),
		cmocka_unit_test(udp_malformed_gets_formerr_or_silence),
		cmocka_unit_test(udp_answer_over_the_clients_size_is_truncated),
		cmocka_unit_test(queries_of_a_batch_arrive_before_the_first_is_handed_over),
		cmocka_unit_test(a_pool_of_one_answers_a_whole_batch),
		cmocka_unit_test(udp_bursts_beyond_a_batch_are_all_answered),
		cmocka_unit_test(full_pool_answers_servfail_and_recovers),
		cmocka_unit_test(every_id_reaches_its_receiver_and_none_a_twin),
		cmocka_unit_test(reply_leaves_from_the_address_that_was_asked),
		cmocka_unit_test(ipv6_address_serves_both_transports),
		cmocka_unit_test(udp_query_without_a_reply_is_only_taken_back),
		cmocka_unit_test(pipelined_questions_are_answered_in_any_order),
		cmocka_unit_test(a_large_message_is_read_into_one_place),
		cmocka_unit_test(message_may_arrive_byte_by_byte),
		cmocka_unit_test(longest_message_is_taken_and_answered),
		cmocka_unit_test(tcp_malformed_gets_formerr_and_the_connection_goes_on),
		cmocka_unit_test(length_under_a_header_ends_the_connection_after_its_answers),
		cmocka_unit_test(client_that_has_closed_its_side_still_gets_its_answers),
		cmocka_unit_test(more_than_the_pipeline_waits_and_is_answered_after_eof_too),
		cmocka_unit_test(client_that_does_not_read_is_not_read_from_either),
		cmocka_unit_test(client_that_does_not_read_holds_so_many_bytes_and_no_more),
		cmocka_unit_test(replies_that_are_not_read_become_servfail_beyond_a_maximum),
		cmocka_unit_test(
			reply_that_does_not_get_out_within_the_timeout_ends_its_connection),
		cmocka_unit_test(client_that_reads_slowly_but_reply_by_reply_is_kept),
		cmocka_unit_test(idle_connection_is_closed_at_its_timeout),
		cmocka_unit_test(unanswered_question_keeps_its_connection),
		cmocka_unit_test(gathered_answer_keeps_its_connection),
		cmocka_unit_test(half_a_message_times_out_however_it_trickles),
		cmocka_unit_test(reset_with_questions_under_way_is_survived),
		cmocka_unit_test(connection_over_a_maximum_is_closed_at_once),
		cmocka_unit_test(answers_of_a_loop_round_leave_in_one_write_for_each_connection),
		cmocka_unit_test(outbox_that_is_full_leaves_at_once_and_one_that_is_not_waits),
		cmocka_unit_test(large_answers_among_small_ones_come_whole_and_in_order),
		cmocka_unit_test(cut_write_loses_nothing_and_counts_replies_that_are_not_out),
		cmocka_unit_test(
			client_that_has_closed_its_side_gets_all_of_a_round_and_then_the_end),
		cmocka_unit_test(stopped_listener_sends_what_it_has_gathered),
		cmocka_unit_test(more_connections_than_outboxes_are_answered_too),
		cmocka_unit_test(client_with_more_than_an_inbox_lets_others_have_their_turn),
		cmocka_unit_test(halves_of_messages_of_two_clients_do_not_mix),
		cmocka_unit_test(idle_connection_holds_nothing_that_it_has_received),
		cmocka_unit_test(accepting_pauses_without_descriptors_and_resumes),
		cmocka_unit_test(error_on_a_socket_leaves_it_watched),
		cmocka_unit_test(socket_that_cannot_be_watched_is_tried_again),
		cmocka_unit_test(share_that_was_withdrawn_is_not_served_and_its_port_free),
		cmocka_unit_test(listener_may_be_stopped_from_within_a_query),
		cmocka_unit_test(stop_with_queries_under_way_is_safe),
		cmocka_unit_test(removed_listener_answers_what_is_under_way_with_servfail),
		cmocka_unit_test(removed_listener_answers_by_tcp_too),
		cmocka_unit_test(removed_listener_s_last_answer_arrives),
		cmocka_unit_test(listener_that_stays_goes_on_by_tcp),
		cmocka_unit_test(worker_that_leaves_answers_what_is_under_way_and_tells_who_comes),
		cmocka_unit_test(
			connection_that_is_never_quiet_is_ended_with_what_was_read_answered),
		cmocka_unit_test(quiet_connections_end_first_when_a_worker_drains),
		cmocka_unit_test(worker_that_drains_and_loses_its_successor_tells_who_comes),
		cmocka_unit_test(client_that_does_not_close_is_waited_for_a_short_while_only),
		cmocka_unit_test(connection_that_is_left_has_each_of_its_questions_answered),
		cmocka_unit_test(stopped_listener_leaves_its_port_free),
		cmocka_unit_test(second_listener_on_an_address_is_told_that_the_port_is_in_use),
		cmocka_unit_test(port_held_for_tcp_alone_is_found_out),
		cmocka_unit_test(address_that_no_interface_has_is_bound_for_when_one_has_it),
		cmocka_unit_test(privileged_port_without_permission_is_one_clear_line),
		cmocka_unit_test(a_stranger_is_refused_and_told_nothing_else),
		cmocka_unit_test(a_stranger_over_its_prefixs_limit_is_told_nothing_either),
		cmocka_unit_test(who_may_ask_is_what_the_terms_say_now),
		cmocka_unit_test(of_a_stranger_nothing_behind_the_question_is_read),
		cmocka_unit_test(queries_over_the_limit_are_answered_as_configured),
		cmocka_unit_test(a_request_to_update_over_the_limit_gets_no_answer),
		cmocka_unit_test(what_is_not_a_query_or_not_allowed_uses_up_no_tokens),
		cmocka_unit_test(answers_over_a_prefixs_limit_slip_through_or_are_dropped),
		cmocka_unit_test(who_asks_for_a_cookie_alone_hears_whether_its_own_is_good),
		cmocka_unit_test(who_shows_a_good_cookie_is_not_limited),
		cmocka_unit_test(who_shows_a_good_cookie_is_let_in_where_others_are_over_the_limit),
		cmocka_unit_test(who_has_most_connections_gives_one_up_to_who_has_fewer),
		cmocka_unit_test(strangers_have_a_part_of_the_connections_and_no_more),
		cmocka_unit_test(however_many_connections_ask_udp_has_its_turn),
		cmocka_unit_test(after_a_few_large_messages_udp_has_its_turn),
		cmocka_unit_test(after_much_that_others_have_read_udp_has_its_turn),
		cmocka_unit_test(requests_to_update_are_handed_over_where_they_are_accepted),
		cmocka_unit_test(requests_to_update_get_silence_for_what_passes),
		cmocka_unit_test(requests_to_update_get_silence_where_the_server_leaves),
		cmocka_unit_test(a_malformed_request_to_update_is_formerr),
		cmocka_unit_test(host_and_sockaddr_are_two_forms_of_one_thing),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
