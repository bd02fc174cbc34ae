/* A query that is answered by many messages: a real loop and real connections, and a resolver that
 * sends as long as it is told that there is room. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <sys/socket.h>
#include <unistd.h>

#include "endpoints/inbound/inbound.h"
#include "endpoints/socket.h"

enum { MESSAGE = 16 * 1024, QUERIES = 40, IDLE_MS = 10000 };

struct stream { /* a query that has been asked */
	struct world *world;
	struct query *query;
	unsigned left; /* messages, finish's with them */
	unsigned sent, rooms;
	enum query_room last;
	bool over;
};

struct world {
	uv_loop_t loop;
	struct wheel wheel;
	struct query_pool pool;
	uint64_t now_us;
	struct host host;
	struct listener *listener;
	struct inbound_worker worker;
	struct inbound *inbound;
	struct stream streams[QUERIES];
	unsigned asked, messages;
	uint8_t bytes[MESSAGE];
};

static const struct hash_key key = {3, 4};

static uint64_t now_us(void *context)
{
	return ((struct world *)context)->now_us;
}

static void on_arrival(void *context, struct query *query, unsigned pass)
{
	(void)context;
	(void)query;
	(void)pass;
}

static void end(struct stream *stream, bool well)
{
	stream->over = true;
	if (well)
		query_finish(stream->query, stream->world->bytes, MESSAGE);
	else
		query_finish(stream->query, NULL, 0);
}

/* Sends until there is no room, nothing left, or nobody. `room` is what there is for the first. */
static void go_on(struct stream *stream, enum query_room room)
{
	struct world *world = stream->world;

	for (;; room = stream->query->room(stream->query)) {
		stream->last = room;
		if (room == QUERY_WAIT)
			return;
		if (room == QUERY_GONE || --stream->left == 0) {
			end(stream, room == QUERY_ROOM);
			return;
		}
		stream->query->send(stream->query, world->bytes, MESSAGE);
		stream->sent++;
	}
}

static void on_room(struct query *query, enum query_room room)
{
	struct stream *stream;

	memcpy(&stream, query->scratch, sizeof stream);
	stream->rooms++;
	go_on(stream, room);
}

static void on_query(void *context, struct query *query)
{
	struct world *world = context;
	struct stream *stream = &world->streams[world->asked++];

	*stream = (struct stream){.world = world, .query = query, .left = world->messages};
	memcpy(query->scratch, &stream, sizeof stream);
	query->on_room = on_room;
	if (query->tcp)
		go_on(stream, query->room(query));
	else
		assert_null(query->send);
}

static void listen_somewhere(struct world *world)
{
	char error[LISTENER_ERROR_MAX] = "";

	assert_int_equal(host_parse(&world->host, "127.0.0.1", 0), 0);
	for (unsigned i = 0; i < 200 && !world->listener; i++) {
		world->host.port = (uint16_t)(20000 + ((unsigned)getpid() * 31 + i * 97) % 12000);
		world->listener = listener_open(&world->host, 1, false, error);
	}
	if (!world->listener)
		fail_msg("%s", error);
}

static int setup(void **state)
{
	struct world *world = calloc(1, sizeof *world);

	world->now_us = 1000000;
	world->messages = 100;
	world->bytes[2] = 0x80; /* QR */
	assert_int_equal(uv_loop_init(&world->loop), 0);
	wheel_init(&world->wheel, world->now_us);
	query_pool_init(&world->pool, QUERIES);
	listen_somewhere(world);
	world->worker = (struct inbound_worker){
		.loop = &world->loop,
		.wheel = &world->wheel,
		.pool = &world->pool,
		.key = &key,
		.tcp = {.connections_max = 10,
			.connections_per_client_max = 10,
			.idle_timeout_ms = IDLE_MS,
			.pipeline_max = 100},
		.payload_max = 1232,
		.now_us = now_us,
		.on_arrival = on_arrival,
		.on_query = on_query,
		.context = world,
	};
	assert_int_equal(inbound_worker_init(&world->worker), 0);
	assert_int_equal(inbound_start(&world->worker, world->listener, 0, NULL, &world->inbound),
			 0);
	*state = world;
	return 0;
}

static void spin(struct world *world)
{
	uv_run(&world->loop, UV_RUN_NOWAIT);
	wheel_advance(&world->wheel, world->now_us);
	inbound_flush(&world->worker);
}

static void stop(struct world *world)
{
	if (world->inbound)
		inbound_stop(world->inbound);
	world->inbound = NULL;
	for (int i = 0; i < 5; i++)
		spin(world);
}

static int teardown(void **state)
{
	struct world *world = *state;

	stop(world);
	for (unsigned i = 0; i < world->asked; i++)
		assert_true(world->streams[i].over);
	assert_int_equal(uv_loop_close(&world->loop), 0);
	assert_int_equal(world->pool.in_use, 0);
	inbound_worker_release(&world->worker);
	query_pool_release(&world->pool);
	listener_close(world->listener);
	free(world);
	return 0;
}

/* ---- the client ---- */

static int client_connect(struct world *world)
{
	int small = 4096, fd = socket_tcp(4);
	struct sockaddr_storage to;
	socklen_t length = socket_address(&world->host, &to);

	assert_true(fd >= 0);
	setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &small, sizeof small);
	if (connect(fd, (struct sockaddr *)&to, length) != 0)
		assert_int_equal(errno, EINPROGRESS);
	for (int i = 0; i < 10; i++)
		spin(world);
	return fd;
}

static size_t question_write(uint8_t *to)
{
	static const uint8_t question[] = {0, 24, 0,   7, 0,   0,   0,   1,   0, 0, 0,   0, 0,
					   0, 1,  'z', 4, 't', 'e', 's', 't', 0, 0, 252, 0, 1};

	_Static_assert(sizeof question == 2 + 24, "the length ahead");
	memcpy(to, question, sizeof question);
	return sizeof question;
}

static void client_ask(struct world *world, int fd)
{
	uint8_t question[28];
	size_t length = question_write(question);

	assert_int_equal(send(fd, question, length, MSG_NOSIGNAL), (ssize_t)length);
	for (int i = 0; i < 10; i++)
		spin(world);
}

/* Reads what there is, until there has been nothing for a while: for several seconds, while it has
 * not the `wanted` bytes. Returns how many. */
static size_t client_drain(struct world *world, int fd, size_t wanted)
{
	static uint8_t bytes[65536];
	size_t total = 0;

	for (int idle = 0; idle < (total < wanted ? 5000 : 200);) {
		ssize_t count = recv(fd, bytes, sizeof bytes, MSG_DONTWAIT);

		if (count == 0)
			break;
		if (count > 0)
			total += (size_t)count;
		idle = count > 0 ? 0 : idle + 1;
		spin(world);
		if (idle > 100)
			usleep(1000);
	}
	return total;
}

enum { FRAMED = MESSAGE + 2 };

/* ---- tests ---- */

static void many_messages_reach_one_who_reads(void **state)
{
	struct world *world = *state;
	int fd = client_connect(world);

	client_ask(world, fd);
	assert_int_equal(client_drain(world, fd, 100 * FRAMED), 100 * FRAMED);
	assert_true(world->streams[0].over);
	close(fd);
}

static void who_does_not_read_stops_the_stream_and_reading_moves_it_on(void **state)
{
	struct world *world = *state;
	int fd;

	world->messages = 1000; /* more than the kernel keeps */
	fd = client_connect(world);
	client_ask(world, fd);
	struct stream *stream = &world->streams[0];
	assert_int_equal(stream->last, QUERY_WAIT);
	assert_false(stream->over);
	unsigned sent = stream->sent;
	for (int i = 0; i < 100; i++)
		spin(world);
	assert_int_equal(stream->sent, sent); /* nobody asked for more */
	assert_int_equal(client_drain(world, fd, 1000 * FRAMED), 1000 * FRAMED);
	assert_true(stream->over);
	assert_true(stream->rooms > 0);
	close(fd);
}

static void two_streams_of_one_connection_both_arrive(void **state)
{
	struct world *world = *state;
	int fd;

	world->messages = 400;
	fd = client_connect(world);
	client_ask(world, fd);
	client_ask(world, fd);
	assert_int_equal(client_drain(world, fd, 2 * 400 * FRAMED), 2 * 400 * FRAMED);
	close(fd);
}

/* Each waits for its turn before it makes a message, so together they are not more on their way
 * out than one; nothing is read meanwhile, and no answer becomes an error for want of room. */
static void many_streams_of_one_connection_wait_for_each_other(void **state)
{
	struct world *world = *state;
	uint8_t questions[QUERIES * 28];
	size_t length = 0;

	world->messages = 60;
	int fd = client_connect(world);
	for (unsigned i = 0; i < QUERIES; i++)
		length += question_write(questions + length);
	assert_int_equal(send(fd, questions, length, MSG_NOSIGNAL), (ssize_t)length);
	for (int i = 0; i < 50; i++)
		spin(world);
	assert_true(world->asked < QUERIES); /* the others are not even read */
	unsigned sent = 0;
	for (unsigned i = 0; i < world->asked; i++)
		sent += world->streams[i].sent;
	for (int i = 0; i < 50; i++)
		spin(world);
	unsigned later = 0;
	for (unsigned i = 0; i < world->asked; i++)
		later += world->streams[i].sent;
	assert_int_equal(sent, later);
	size_t all = QUERIES * 60 * (size_t)FRAMED;
	assert_int_equal(client_drain(world, fd, all), all);
	assert_int_equal(world->asked, QUERIES);
	assert_int_equal(world->worker.counters.tcp_unread, 0);
	close(fd);
}

/* Nothing is the end of an answer of which a half was sent, and the client sees that at once. */
static void a_stream_that_is_given_up_closes_its_connection(void **state)
{
	struct world *world = *state;

	world->messages = 1000;
	int fd = client_connect(world);
	client_ask(world, fd);
	struct stream *stream = &world->streams[0];
	assert_int_equal(stream->last, QUERY_WAIT);
	end(stream, false);
	assert_true(client_drain(world, fd, 0) < 1000 * (size_t)FRAMED);
	uint8_t byte; /* the end, or a reset for what was on its way */
	ssize_t count = recv(fd, &byte, 1, MSG_DONTWAIT);
	assert_true(count == 0 || (count < 0 && errno != EAGAIN));
	close(fd);
}

static void a_client_that_leaves_ends_its_stream(void **state)
{
	struct world *world = *state;
	int fd;

	world->messages = 1000;
	fd = client_connect(world);
	client_ask(world, fd);
	assert_false(world->streams[0].over);
	close(fd);
	for (int i = 0; i < 50; i++)
		spin(world);
	assert_true(world->streams[0].over);
	assert_true(world->streams[0].left > 0);
}

static void a_client_that_never_reads_is_closed_after_the_idle_timeout(void **state)
{
	struct world *world = *state;
	int fd;

	world->messages = 1000;
	fd = client_connect(world);
	client_ask(world, fd);
	world->now_us += (IDLE_MS - 100) * UINT64_C(1000);
	spin(world);
	assert_false(world->streams[0].over);
	world->now_us += 200 * 1000;
	for (int i = 0; i < 5; i++)
		spin(world);
	assert_true(world->streams[0].over);
	assert_int_equal(world->worker.counters.tcp_timeouts, 1);
	close(fd);
}

static void a_listener_that_stops_ends_its_streams(void **state)
{
	struct world *world = *state;
	int fd;

	world->messages = 1000;
	fd = client_connect(world);
	client_ask(world, fd);
	stop(world);
	assert_true(world->streams[0].over);
	close(fd);
}

static void a_stream_that_is_ended_while_it_waits_is_offered_no_room(void **state)
{
	struct world *world = *state;
	int fd;

	world->messages = 1000;
	fd = client_connect(world);
	client_ask(world, fd);
	struct stream *stream = &world->streams[0];
	assert_int_equal(stream->last, QUERY_WAIT);
	unsigned rooms = stream->rooms;
	end(stream, true);
	size_t all = (stream->sent + 1) * (size_t)FRAMED;
	assert_int_equal(client_drain(world, fd, all), all);
	stop(world);
	assert_int_equal(stream->rooms, rooms);
	close(fd);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(many_messages_reach_one_who_reads),
		TEST(who_does_not_read_stops_the_stream_and_reading_moves_it_on),
		TEST(two_streams_of_one_connection_both_arrive),
		TEST(many_streams_of_one_connection_wait_for_each_other),
		TEST(a_stream_that_is_given_up_closes_its_connection),
		TEST(a_client_that_leaves_ends_its_stream),
		TEST(a_client_that_never_reads_is_closed_after_the_idle_timeout),
		TEST(a_listener_that_stops_ends_its_streams),
		TEST(a_stream_that_is_ended_while_it_waits_is_offered_no_room),
	};

	signal(SIGPIPE, SIG_IGN);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
