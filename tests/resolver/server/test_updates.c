/* Requests to update through the whole server: real workers and sockets on loopback, and the
 * control thread is the test's. Whatever can go while a request is with the control thread goes. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <arpa/inet.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include "resolver/log.h"
#include "resolver/server/server.h"
#include "tests/lib/config_text.h"
#include "tests/lib/free_port.h"

#define SECRET "c2VjcmV0LW9mLXR3by1zZXJ2ZXJzLTAxMjM0NTY3ODk="

static const char format[] =
	"region = \"r\"; workers = 2;\n"
	"default_resolver = { targets = ( { address = \"127.0.0.9\"; } ); };\n"
	"keys = ( { name = \"k.test\"; secret = \"" SECRET "\"; } );\n"
	"virtual_networks = ( { name = \"hub\"; address_space = [ \"10.10.0.0/16\" ]; subnets = (\n"
	"  { name = \"a\"; prefix = \"10.10.0.0/28\"; delegation = "
	"\"Microsoft.Network/dnsResolvers\"; } ); } );\n"
	"resolvers = ( { name = \"r\"; virtual_network = \"hub\"; inbound_endpoints = (\n"
	"  { name = \"one\"; subnet = \"a\"; listen = \"%s:%u\"; } ); } );\n"
	"private_zones = ( { name = \"corp.internal\"; file = \"zone\";\n"
	"  links = ( { name = \"l\"; virtual_network = \"hub\"; } ); } );\n";
static const char registration[] =
	"registration = ( { zone = \"corp.internal\"; prefixes = [ \"10.10.0.0/16\" ];\n"
	"  keys = ( { key = \"k.test\"; } ); } );\n";

enum { HELD_MAX = 4096 };

struct world {
	struct config_text files;
	struct server server;
	struct faults faults;
	char home[16]; /* a loopback address of this process */
	unsigned port, other_port;
	struct tsig_key key;
	bool registers; /* the model's zone has `registration` */
	struct update_request *held[HELD_MAX];
	unsigned held_count;
};

static void on_release(void *context)
{
	(void)context; /* the test looks by itself */
}

static void on_requests(void *context, struct update_request *requests)
{
	struct world *world = context;

	for (; requests; requests = requests->next) {
		assert_true(world->held_count < HELD_MAX);
		world->held[world->held_count++] = requests;
	}
}

static void apply(struct world *world, unsigned port)
{
	char text[sizeof format + sizeof registration + 64];
	int length = snprintf(text, sizeof text, format, world->home, port);

	snprintf(text + length, sizeof text - (size_t)length, "%s",
		 world->registers ? registration : "");
	struct model *model = config_text_load(&world->files, text);
	assert_non_null(model);
	assert_int_equal(server_apply(&world->server, model, &world->faults), 0);
}

/* `holds`: requests are the test's to end; else they are refused. */
static void begin(struct world *world, bool registers, bool holds)
{
	world->registers = registers;
	if (holds)
		world->server.registrar = (struct server_registrar){world, on_requests};
	apply(world, world->port);
}

static int set_up(void **state)
{
	struct world *world = calloc(1, sizeof *world);
	const struct tsig_settings settings = {.name = "k.test", .secret = SECRET};
	unsigned pid = (unsigned)getpid();

	snprintf(world->home, sizeof world->home, "127.%u.%u.%u", 64 + (pid >> 16 & 63),
		 pid >> 8 & 255, pid & 255);
	config_text_init(&world->files);
	config_text_put(&world->files, "zone", "web 300 IN A 10.10.1.10\n");
	faults_init(&world->faults);
	world->port = free_port(world->home, SOCK_DGRAM);
	world->other_port = free_port(world->home, SOCK_DGRAM);
	assert_true(tsig_key_init(&world->key, &settings));
	log_configure(LOG_ERROR, LOG_TEXT);
	assert_int_equal(
		server_init(&world->server, 2, &(struct hash_key){1, 2}, on_release, world), 0);
	*state = world;
	return 0;
}

static void end_all(struct world *world, enum rcode rcode)
{
	for (unsigned i = 0; i < world->held_count; i++)
		update_request_answer(&world->server.updates, world->held[i], rcode);
	world->held_count = 0;
}

static int tear_down(void **state)
{
	struct world *world = *state;

	server_stop(&world->server);
	end_all(world, RCODE_NOERROR);
	server_release(&world->server);
	faults_release(&world->faults);
	config_text_release(&world->files);
	free(world);
	return 0;
}

/* ---- clients ---- */

struct client {
	int fd;
	bool tcp;
	struct tsig_context tsig; /* of what it sent last */
	uint8_t packet[1024];
	size_t length;
};

static struct client client_at(struct world *world, unsigned port, bool tcp)
{
	struct sockaddr_in in = {.sin_family = AF_INET,
				 .sin_addr.s_addr = inet_addr(world->home),
				 .sin_port = htons((uint16_t)port)};
	struct timeval patience = {.tv_sec = 60};
	struct client client = {.fd = socket(AF_INET, tcp ? SOCK_STREAM : SOCK_DGRAM, 0),
				.tcp = tcp};

	setsockopt(client.fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
	assert_int_equal(connect(client.fd, (struct sockaddr *)&in, sizeof in), 0);
	return client;
}

static void send_packet(struct client *client)
{
	uint8_t framed[2 + sizeof client->packet];

	wire_put16(framed, (uint16_t)client->length);
	memcpy(framed + 2, client->packet, client->length);
	size_t ahead = client->tcp ? 0 : 2, length = client->length + 2 - ahead;
	assert_int_equal(send(client->fd, framed + ahead, length, MSG_NOSIGNAL), length);
}

/* Of corp.internal; signed, or as anybody sends it. */
static void send_update(struct client *client, uint16_t id, const struct tsig_key *key)
{
	static const uint8_t zone[] = {4,   'c', 'o', 'r', 'p', 8, 'i',      'n', 't',     'e',
				       'r', 'n', 'a', 'l', 0,   0, TYPE_SOA, 0,   CLASS_IN};

	memset(client->packet, 0, MESSAGE_HEADER);
	wire_put16(client->packet, id);
	wire_put16(client->packet + 2, OPCODE_UPDATE << 11);
	wire_put16(client->packet + 4, 1);
	memcpy(client->packet + MESSAGE_HEADER, zone, sizeof zone);
	client->length = MESSAGE_HEADER + sizeof zone;
	if (key) {
		tsig_begin(&client->tsig, key, id);
		client->length = tsig_sign(&client->tsig, client->packet, client->length,
					   sizeof client->packet, (uint64_t)time(NULL));
	}
	send_packet(client);
}

/* What has come by now: the length; 0: the end of the stream; -1: nothing. */
static ssize_t look(struct client *client, uint8_t answer[1024], int flags)
{
	uint8_t length[2];

	if (client->tcp) {
		ssize_t got = recv(client->fd, length, sizeof length, MSG_WAITALL | flags);

		if (got != 2)
			return got == 0 || errno != EAGAIN ? 0 : -1;
		return recv(client->fd, answer, wire_u16(length), MSG_WAITALL);
	}
	return recv(client->fd, answer, 1024, flags);
}

/* Until the condition holds, the control thread's loop goes round. */
#define turn_until(world, condition)                                                               \
	do {                                                                                       \
		bool met_ = false;                                                                 \
		for (int i_ = 0; i_ < 60000 && !met_; i_++) {                                      \
			server_collect(&(world)->server);                                          \
			met_ = (condition);                                                        \
			if (!met_)                                                                 \
				usleep(1000);                                                      \
		}                                                                                  \
		assert_true(met_);                                                                 \
	} while (0)

static ssize_t wait_answer(struct world *world, struct client *client, uint8_t answer[1024])
{
	ssize_t length = -1;

	turn_until(world, (length = look(client, answer, MSG_DONTWAIT)) >= 0);
	return length;
}

/* The rcode of an answer with this id, which is signed where the request was. */
static unsigned expect_answer(struct world *world, struct client *client, uint16_t id)
{
	uint8_t answer[1024];
	ssize_t length = wait_answer(world, client, answer);

	assert_true(length >= MESSAGE_HEADER);
	assert_int_equal(wire_u16(answer), id);
	assert_int_equal(message_flags(answer) & ~FLAG_RCODE, FLAG_QR | OPCODE_UPDATE << 11);
	assert_int_equal(wire_u16(answer + 10), client->tsig.key ? 1 : 0);
	if (client->tsig.key)
		assert_int_equal(tsig_check_answer(&client->tsig, answer, (size_t)length,
						   MESSAGE_HEADER + 19, (uint64_t)time(NULL)),
				 TSIG_FINE);
	return message_flags(answer) & FLAG_RCODE;
}

/* That web.corp.internal is answered as ever. */
static void expect_query_of(struct client *client)
{
	static const uint8_t web[] = {0,   35,  0,   7,   1,   0,   0,   1,   0,   0,   0, 0,   0,
				      0,   3,   'w', 'e', 'b', 4,   'c', 'o', 'r', 'p', 8, 'i', 'n',
				      't', 'e', 'r', 'n', 'a', 'l', 0,   0,   1,   0,   1};
	size_t prefix = client->tcp ? 0 : 2; /* of the length, by TCP alone */
	uint8_t answer[1024];

	assert_int_equal(send(client->fd, web + prefix, sizeof web - prefix, 0),
			 sizeof web - prefix);
	assert_true(look(client, answer, 0) > MESSAGE_HEADER);
	assert_int_equal(wire_u16(answer + 6), 1);
}

static void expect_query(struct world *world)
{
	struct client client = client_at(world, world->port, false);

	expect_query_of(&client);
	close(client.fd);
}

static uint64_t count_now(struct world *world, size_t offset)
{
	struct stats sum;

	server_read_stats(&world->server, &sum);
	return atomic_load((_Atomic uint64_t *)(void *)((char *)&sum + offset));
}
#define counted(world, counter) count_now(world, offsetof(struct stats, counter))

/* ---- the stories ---- */

static void without_registration_nothing_is_implemented(void **state)
{
	struct world *world = *state;

	begin(world, false, true);
	for (unsigned tcp = 0; tcp < 2; tcp++) {
		struct client client = client_at(world, world->port, tcp);
		uint8_t answer[1024];

		send_update(&client, 7, &world->key);
		assert_true(look(&client, answer, 0) >= MESSAGE_HEADER); /* at once */
		assert_int_equal(message_flags(answer) & FLAG_RCODE, RCODE_NOTIMP);
		close(client.fd);
	}
	assert_int_equal(counted(world, updates), 0);
}

static void without_a_registrar_all_are_refused(void **state)
{
	struct world *world = *state;

	begin(world, true, false);
	for (unsigned i = 0; i < 4; i++) {
		struct client client = client_at(world, world->port, i % 2);

		send_update(&client, (uint16_t)i, i < 2 ? &world->key : NULL);
		assert_int_equal(expect_answer(world, &client, (uint16_t)i), RCODE_REFUSED);
		close(client.fd);
	}
	assert_int_equal(counted(world, updates), 4);
	assert_int_equal(counted(world, updates_answered), 4);
	assert_int_equal(counted(world, queries), 0);
	assert_int_equal(counted(world, refused), 0);
}

static void the_same_bytes_again_are_not_handed_out(void **state)
{
	struct world *world = *state;
	struct client client, thief;

	begin(world, true, true);
	client = client_at(world, world->port, false);
	thief = client_at(world, world->port, false);
	send_update(&client, 1, &world->key);
	turn_until(world, world->held_count == 1);
	send_packet(&client);
	turn_until(world, counted(world, updates_repeated) == 1);
	end_all(world, RCODE_YXRRSET);
	assert_int_equal(expect_answer(world, &client, 1), RCODE_YXRRSET);
	thief.length = client.length;
	memcpy(thief.packet, client.packet, client.length);
	send_packet(&thief);
	turn_until(world, counted(world, updates_replayed) == 1);
	/* The check of an answer goes on from the one before: this is another one. */
	tsig_begin(&client.tsig, &world->key, 1);
	client.tsig.mac_length = 32;
	memcpy(client.tsig.mac, client.packet + client.length - 6 - 32, 32);
	send_packet(&client);
	assert_int_equal(expect_answer(world, &client, 1), RCODE_YXRRSET);
	assert_int_equal(world->held_count, 0);
	close(client.fd);
	close(thief.fd);
}

static void queries_do_not_wait_for_updates(void **state)
{
	struct world *world = *state;
	struct client client;

	begin(world, true, true);
	client = client_at(world, world->port, false);
	send_update(&client, 1, NULL);
	for (unsigned i = 0; i < 50; i++)
		expect_query(world); /* the control thread does nothing */
	turn_until(world, world->held_count == 1);
	for (unsigned i = 0; i < 50; i++)
		expect_query(world);
	end_all(world, RCODE_NOERROR);
	assert_int_equal(expect_answer(world, &client, 1), RCODE_NOERROR);
	close(client.fd);
}

static void a_client_may_leave(void **state)
{
	struct world *world = *state;

	begin(world, true, true);
	for (unsigned i = 0; i < 20; i++) {
		struct client client = client_at(world, world->port, true);

		send_update(&client, (uint16_t)i, &world->key);
		turn_until(world, world->held_count == i + 1);
		if (i % 2) { /* by a reset */
			struct linger linger = {1, 0};
			setsockopt(client.fd, SOL_SOCKET, SO_LINGER, &linger, sizeof linger);
		}
		close(client.fd);
	}
	end_all(world, RCODE_NOERROR);
	turn_until(world, counted(world, updates_answered) == 20);
	turn_until(world, atomic_load(&world->server.updates.open) == 0);
	expect_query(world);
}

static void a_listener_may_go(void **state)
{
	struct world *world = *state;
	struct client udp, tcp;
	uint8_t answer[1024];

	begin(world, true, true);
	udp = client_at(world, world->port, false);
	tcp = client_at(world, world->port, true);
	send_update(&udp, 1, &world->key);
	send_update(&tcp, 2, &world->key);
	turn_until(world, world->held_count == 2);
	apply(world, world->other_port);
	assert_int_equal(wait_answer(world, &tcp, answer), 0); /* its end, and no SERVFAIL */
	end_all(world, RCODE_NOERROR);
	turn_until(world, counted(world, updates_answered) == 2);
	turn_until(world, !world->server.current->older);
	assert_int_equal(recv(udp.fd, answer, sizeof answer, MSG_DONTWAIT), -1);
	assert_int_equal(counted(world, listener_gone), 0);
	close(udp.fd);
	close(tcp.fd);
}

static void a_policy_may_go_and_lives_until_the_answer(void **state)
{
	struct world *world = *state;
	struct client client;

	begin(world, true, true);
	client = client_at(world, world->port, false);
	send_update(&client, 1, &world->key);
	turn_until(world, world->held_count == 1);
	apply(world, world->port);
	turn_until(world, server_all_adopted(&world->server));
	server_collect(&world->server);
	assert_non_null(world->server.current->older); /* it has the key */
	assert_string_equal(world->held[0]->endpoint, "r/one");
	end_all(world, RCODE_NXRRSET);
	assert_int_equal(expect_answer(world, &client, 1), RCODE_NXRRSET);
	turn_until(world, !world->server.current->older);
	close(client.fd);
}

static void the_workers_may_end(void **state)
{
	struct world *world = *state;
	struct client clients[8];
	uint8_t answer[1024];

	begin(world, true, true);
	for (unsigned i = 0; i < 8; i++) {
		clients[i] = client_at(world, world->port, i % 2);
		send_update(&clients[i], (uint16_t)i, i < 6 ? &world->key : NULL);
		if (i < 4)
			turn_until(world, world->held_count == i + 1);
	}
	/* The last four have arrived, perhaps, and nobody has taken them. */
	server_stop(&world->server);
	for (unsigned i = 1; i < 8; i += 2)
		assert_true(look(&clients[i], answer, 0) <= 0);
	assert_int_equal(wire_u16(world->held[0]->packet), 0);
	assert_string_equal(world->held[0]->network, "hub");
	end_all(world, RCODE_NOERROR);
	server_collect(&world->server);
	assert_int_equal(world->held_count, 0);
	for (unsigned i = 0; i < 8; i++)
		close(clients[i].fd);
}

/* As in an upgrade: this process no longer has the data. */
static void a_process_that_drains_answers_what_was_taken_and_nothing_else(void **state)
{
	struct world *world = *state;
	struct client taken, waiting, late;
	uint8_t answer[1024];

	begin(world, true, true);
	taken = client_at(world, world->port, true);
	waiting = client_at(world, world->port, true);
	late = client_at(world, world->port, true);
	expect_query_of(&late); /* it is accepted: else it waits for another process to do so */
	send_update(&taken, 1, &world->key);
	turn_until(world, world->held_count == 1);
	send_update(&waiting, 2, &world->key);
	for (unsigned i = 0; i < 30000 && atomic_load(&world->server.updates.open) < 2; i++)
		usleep(1000);
	server_drain(&world->server);
	send_update(&late, 3, &world->key);
	assert_int_equal(wait_answer(world, &waiting, answer), 0);
	assert_int_equal(wait_answer(world, &late, answer), 0);
	assert_false(server_is_drained(&world->server));
	end_all(world, RCODE_NOERROR);
	assert_int_equal(expect_answer(world, &taken, 1), RCODE_NOERROR);
	close(taken.fd);
	turn_until(world, server_is_drained(&world->server));
	assert_int_equal(world->held_count, 0);
	close(waiting.fd);
	close(late.fd);
}

/* Packets by UDP are dealt out by their id: this one leads a client's to the same worker. */
static uint16_t id_of(unsigned client, unsigned round)
{
	return (uint16_t)(client << 8 | round << 1 | (client & 1));
}

static void every_one_of_many_is_answered_once_and_in_order_of_its_client(void **state)
{
	enum { CLIENTS = 16, ROUNDS = 40 };
	struct world *world = *state;
	struct client clients[CLIENTS];
	unsigned seen[CLIENTS] = {0}, answered = 0;

	begin(world, true, true);
	for (unsigned i = 0; i < CLIENTS; i++)
		clients[i] = client_at(world, world->port, i % 4 == 0);
	for (unsigned round = 0; round < ROUNDS; round++)
		for (unsigned i = 0; i < CLIENTS; i++)
			send_update(&clients[i], id_of(i, round), NULL);
	while (answered < CLIENTS * ROUNDS) {
		turn_until(world, world->held_count > 0);
		for (unsigned i = 0; i < world->held_count; i++) {
			const uint8_t *packet = world->held[i]->packet;

			assert_int_equal(packet[1] >> 1, seen[packet[0]]++);
		}
		answered += world->held_count;
		end_all(world, RCODE_NOERROR);
	}
	for (unsigned round = 0; round < ROUNDS; round++)
		for (unsigned i = 0; i < CLIENTS; i++)
			assert_int_equal(expect_answer(world, &clients[i], id_of(i, round)),
					 RCODE_NOERROR);
	for (unsigned i = 0; i < CLIENTS; i++)
		close(clients[i].fd);
	assert_int_equal(counted(world, updates_answered), CLIENTS * ROUNDS);
	assert_int_equal(atomic_load(&world->server.updates.open), 0);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(without_registration_nothing_is_implemented),
		TEST(without_a_registrar_all_are_refused),
		TEST(the_same_bytes_again_are_not_handed_out),
		TEST(queries_do_not_wait_for_updates),
		TEST(a_client_may_leave),
		TEST(a_listener_may_go),
		TEST(a_policy_may_go_and_lives_until_the_answer),
		TEST(the_workers_may_end),
		TEST(a_process_that_drains_answers_what_was_taken_and_nothing_else),
		TEST(every_one_of_many_is_answered_once_and_in_order_of_its_client),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
