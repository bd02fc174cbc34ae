/* Requests to update between a worker and the control thread, which here are one thread that plays
 * both: every order in which clients, workers and answers can end. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include <netinet/in.h>

#include "endpoints/socket.h"
#include "resolver/query_ring.h"
#include "resolver/update/requests.h"
#include "tests/lib/served_zones.h"

enum { NOW_US = 5000000, CLIENTS = UPDATE_REQUESTS_MAX + 8, SAID = 1024 };

#define SECRET "c2VjcmV0LW9mLXR3by1zZXJ2ZXJzLTAxMjM0NTY3ODk="

struct world;

struct client { /* a query, and what became of it */
	struct world *world;
	struct query query;
	struct query_binding binding;
	uint8_t packet[UPDATE_MESSAGE_MAX + 1024];
	bool finished;
	size_t length; /* of its answer; 0: none */
	uint8_t answer[SAID];
};

struct world {
	struct served_zones served;
	struct tsig_settings keys[1];
	struct tsig_key key, other; /* the same and one that is not known */
	struct policy_hold hold;
	bool idle; /* the hold is */
	struct wheel wheel;
	uint64_t now_us;
	struct endpoint_stats stats;
	struct update_requests requests;
	struct updates updates;
	unsigned woken, worker_woken;
	uint8_t buffer[MESSAGE_MAX];
	struct address local;
	unsigned count;
	struct client *clients[CLIENTS];
};

static uint64_t time_of_day_s(void)
{
	return SERVED_NOW;
}

static void on_wake(void *context)
{
	((struct world *)context)->woken++;
}

static void on_wake_worker(void *context)
{
	((struct world *)context)->worker_woken++;
}

static void on_idle(struct policy_hold *hold)
{
	struct world *world = (void *)((char *)hold - offsetof(struct world, hold));

	world->idle = true;
}

static struct updates updates_of(struct world *world)
{
	return (struct updates){
		.requests = &world->requests,
		.wheel = &world->wheel,
		.buffer = world->buffer,
		.time_of_day_s = time_of_day_s,
		.wake = on_wake,
		.context = world,
		.wake_worker = on_wake_worker,
		.worker = world,
	};
}

static int set_up(void **state)
{
	struct world *world = calloc(1, sizeof *world);

	served_init(&world->served);
	served_add_zones(&world->served);
	world->keys[0] = (struct tsig_settings){.name = "k.test", .secret = SECRET};
	world->served.model->keys.items = world->keys;
	world->served.model->keys.count = 1;
	served_compile(&world->served, SERVED_NOW);
	assert_true(tsig_key_init(&world->key, &world->keys[0]));
	world->other = world->key;
	world->other.name[1] = 'x';
	world->hold = (struct policy_hold){.policy = world->served.policy,
					   .transfers = world->served.table,
					   .users = 1,
					   .on_idle = on_idle};
	world->now_us = NOW_US;
	wheel_init(&world->wheel, world->now_us);
	update_requests_init(&world->requests, &(struct hash_key){1, 2}, SERVED_NOW);
	world->updates = updates_of(world);
	assert_int_equal(address_parse(&world->local, "10.10.0.4"), 0);
	*state = world;
	return 0;
}

static int tear_down(void **state)
{
	struct world *world = *state;

	updates_abandon(&world->updates);
	update_requests_release(&world->requests);
	for (unsigned i = 0; i < world->count; i++) {
		assert_true(world->clients[i]->finished);
		free(world->clients[i]);
	}
	assert_int_equal(world->hold.users, 1);
	assert_int_equal(world->wheel.armed, 0);
	served_release(&world->served);
	free(world);
	return 0;
}

static void on_finish(struct query *query, const uint8_t *reply, size_t length)
{
	struct client *client = query->origin;

	assert_false(client->finished);
	client->finished = true;
	client->length = length;
	assert_true(length <= SAID);
	if (length > 0)
		memcpy(client->answer, reply, length);
	/* It is the pool's from here on: whoever touches it does so in vain. */
	memset(query->scratch, 0xee, sizeof query->scratch);
}

/* An update of a.test with `id`; key NULL: unsigned. `more`: bytes of a record that fills it up. */
static size_t write_update(uint8_t *packet, uint16_t id, const struct tsig_key *key, size_t more)
{
	static const uint8_t zone[] = {1, 'a', 4, 't', 'e', 's', 't', 0, 0, TYPE_SOA, 0, CLASS_IN};
	struct tsig_context tsig;
	size_t length = MESSAGE_HEADER + sizeof zone;

	memset(packet, 0, MESSAGE_HEADER);
	wire_put16(packet, id);
	wire_put16(packet + 2, OPCODE_UPDATE << 11);
	wire_put16(packet + 4, 1);
	memcpy(packet + MESSAGE_HEADER, zone, sizeof zone);
	if (more > 0) {
		wire_put16(packet + 8, 1);
		memset(packet + length, 0, 11 + more);
		wire_put16(packet + length + 1, TYPE_TXT);
		wire_put16(packet + length + 3, CLASS_IN);
		wire_put16(packet + length + 9, (uint16_t)more);
		length += 11 + more;
	}
	if (!key)
		return length;
	tsig_begin(&tsig, key, id);
	return tsig_sign(&tsig, packet, length, UPDATE_MESSAGE_MAX + 1024, SERVED_NOW);
}

static struct client *client_new(struct world *world, const uint8_t *packet, size_t length,
				 const char *from, bool tcp)
{
	struct client *client = calloc(1, sizeof *client);
	struct query *query = &client->query;
	struct host host;
	enum rcode rcode;

	assert_true(world->count < CLIENTS);
	world->clients[world->count++] = client;
	memcpy(client->packet, packet, length);
	assert_int_equal(message_read_request(&query->request, &query->name, &test_key,
					      client->packet, length, &rcode),
			 REQUEST_UPDATE);
	assert_int_equal(host_parse(&host, from, 53), 0);
	client->world = world;
	client->binding = (struct query_binding){
		.endpoint = "r/one", .policy = world->hold.policy, .local = &world->local};
	memcpy(query->question, packet + MESSAGE_HEADER, query->request.question_length);
	query->finish = on_finish;
	query->origin = client;
	query->binding = &client->binding;
	query->client = host.address;
	if (!tcp)
		socket_address(&host, &query->peer);
	query->tcp = tcp;
	query->limit = tcp ? MESSAGE_MAX : MESSAGE_UDP_MIN;
	query->arrived_us = world->now_us;
	query->packet = client->packet;
	query->packet_length = length;
	updates_start(&world->updates, query, &world->hold, (struct place){0, false},
		      &world->stats);
	memset(client->packet, 0xee, sizeof client->packet); /* it was only handed over */
	return client;
}

/* Each with other bytes, from another port. */
static struct client *ask(struct world *world, uint16_t id, const struct tsig_key *key, bool tcp)
{
	uint8_t packet[UPDATE_MESSAGE_MAX + 1024];
	char from[HOST_TEXT_MAX];

	snprintf(from, sizeof from, "192.0.2.1:%u", 1000U + id);
	return client_new(world, packet, write_update(packet, id, key, 0), from, tcp);
}

static struct update_request *take(struct world *world)
{
	return update_requests_take(&world->requests, SERVED_NOW);
}

static unsigned rcode_of(const struct client *client)
{
	assert_true(client->finished && client->length >= MESSAGE_HEADER);
	assert_int_equal(wire_u16(client->answer), client->query.request.id);
	assert_int_equal(message_flags(client->answer) & ~FLAG_RCODE,
			 FLAG_QR | OPCODE_UPDATE << 11);
	return message_flags(client->answer) & FLAG_RCODE;
}

static bool is_silent(const struct client *client)
{
	return client->finished && client->length == 0;
}

/* What its TSIG says: the error. */
static unsigned tsig_error_of(const struct client *client)
{
	assert_int_equal(wire_u16(client->answer + 10), 1);
	unsigned other = wire_u16(client->answer + client->length - 2);
	size_t tail = other == 0 ? 4 : 4 + 6;

	return wire_u16(client->answer + client->length - tail);
}

static void the_control_thread_gets_all_that_was_said_in_its_order(void **state)
{
	struct world *world = *state;
	struct client *signed_one = ask(world, 1, &world->key, false);
	struct client *plain = ask(world, 2, NULL, true);

	ask(world, 3, &world->key, false);
	assert_int_equal(world->woken, 1); /* for all of them */
	struct update_request *first = take(world), *second = first->next, *third = second->next;
	assert_null(third->next);
	assert_null(take(world));
	assert_int_equal(wire_u16(first->packet), 1);
	assert_int_equal(wire_u16(second->packet), 2);
	assert_int_equal(wire_u16(third->packet), 3);
	assert_int_equal(first->packet_length, signed_one->query.packet_length);
	assert_int_equal(first->client.port, 1001);
	assert_int_equal(first->client.address.bytes[3], 1);
	assert_false(first->tcp);
	assert_int_equal(first->key_length, 8);
	assert_memory_equal(first->key, "\1k\4test", 8);
	assert_int_equal(first->signed_s, SERVED_NOW);
	assert_int_equal(first->mac_length, 32);
	assert_string_equal(first->endpoint, "r/one");
	assert_string_equal(first->network, "hub");
	assert_true(address_equal(&first->local, &world->local));
	assert_true(second->tcp);
	assert_int_equal(second->client.port, 0);
	assert_int_equal(second->key_length, 0);
	assert_int_equal(COUNTER_GET(world->stats.updates), 3);
	update_request_answer(&world->requests, third, RCODE_NOTZONE);
	update_request_answer(&world->requests, first, RCODE_NOERROR);
	update_request_answer(&world->requests, second, RCODE_REFUSED);
	assert_int_equal(world->worker_woken, 1);
	assert_false(plain->finished); /* only by the worker */
	updates_work(&world->updates);
	assert_int_equal(rcode_of(signed_one), RCODE_NOERROR);
	assert_int_equal(tsig_error_of(signed_one), 0);
	assert_int_equal(rcode_of(plain), RCODE_REFUSED);
	assert_int_equal(wire_u16(plain->answer + 10), 0); /* unsigned, as it was */
	assert_int_equal(rcode_of(world->clients[2]), RCODE_NOTZONE);
	assert_int_equal(COUNTER_GET(world->stats.updates_answered[RCODE_REFUSED]), 1);
	assert_int_equal(world->requests.open, 0);
}

static void the_answer_is_signed_with_the_key_of_the_request(void **state)
{
	struct world *world = *state;
	uint8_t packet[UPDATE_MESSAGE_MAX + 1024];
	struct tsig_context tsig;
	size_t length = write_update(packet, 9, NULL, 0);

	tsig_begin(&tsig, &world->key, 9);
	length = tsig_sign(&tsig, packet, length, sizeof packet, SERVED_NOW);
	struct client *client = client_new(world, packet, length, "192.0.2.1", false);
	update_request_answer(&world->requests, take(world), RCODE_YXDOMAIN);
	updates_work(&world->updates);
	assert_int_equal(rcode_of(client), RCODE_YXDOMAIN);
	assert_int_equal(tsig_check_answer(&tsig, client->answer, client->length,
					   MESSAGE_HEADER + client->query.request.question_length,
					   SERVED_NOW),
			 TSIG_FINE);
}

static void what_is_signed_wrongly_is_answered_by_the_worker(void **state)
{
	struct world *world = *state;
	uint8_t packet[UPDATE_MESSAGE_MAX + 1024];
	struct client *unknown = ask(world, 1, &world->other, false);
	size_t length = write_update(packet, 2, &world->key, 0);

	assert_int_equal(rcode_of(unknown), RCODE_NOTAUTH);
	assert_int_equal(tsig_error_of(unknown), TSIG_BADKEY);
	packet[MESSAGE_HEADER + 1] = 'b'; /* of another zone */
	struct client *altered = client_new(world, packet, length, "192.0.2.1", true);
	assert_int_equal(rcode_of(altered), RCODE_NOTAUTH);
	assert_int_equal(tsig_error_of(altered), TSIG_BADSIG);
	length = write_update(packet, 3, &world->key, 0);
	wire_put16(packet + length - 40, 4); /* the MAC is longer than that */
	assert_int_equal(rcode_of(client_new(world, packet, length, "192.0.2.1", false)),
			 RCODE_FORMERR);
	assert_int_equal(COUNTER_GET(world->stats.tsig_bad), 3);
	assert_null(take(world));
	assert_int_equal(world->woken, 0);
}

/* The longest name, of 255 bytes. */
static void write_longest(uint8_t name[NAME_WIRE_MAX])
{
	for (unsigned at = 0; at < 252; at += 4)
		memcpy(name + at, "\3key", 4);
	memcpy(name + 252, "\1k", 3);
}

/* Anybody may send a TSIG with names of up to 255 bytes, and the answer to an unknown key repeats
 * them. */
static void a_tsig_that_does_not_fit_is_left_out(void **state)
{
	struct world *world = *state;
	uint8_t packet[1024] = {0};
	struct tsig_context tsig;
	size_t length = MESSAGE_HEADER + NAME_WIRE_MAX + 4;

	wire_put16(packet, 9);
	wire_put16(packet + 2, OPCODE_UPDATE << 11);
	wire_put16(packet + 4, 1);
	write_longest(packet + MESSAGE_HEADER);
	wire_put16(packet + length - 4, TYPE_SOA);
	wire_put16(packet + length - 2, CLASS_IN);
	write_longest(world->other.name);
	world->other.name_length = NAME_WIRE_MAX;
	tsig_begin(&tsig, &world->other, 9);
	length = tsig_sign(&tsig, packet, length, sizeof packet, SERVED_NOW);
	struct client *by_udp = client_new(world, packet, length, "192.0.2.1", false);
	assert_in_range(by_udp->length, MESSAGE_HEADER, MESSAGE_UDP_MIN);
	assert_int_equal(message_flags(by_udp->answer),
			 FLAG_QR | OPCODE_UPDATE << 11 | FLAG_TC | RCODE_NOTAUTH);
	assert_int_equal(wire_u16(by_udp->answer + 10), 0);
	struct client *by_tcp = client_new(world, packet, length, "192.0.2.1", true);
	assert_int_equal(rcode_of(by_tcp), RCODE_NOTAUTH);
	assert_int_equal(tsig_error_of(by_tcp), TSIG_BADKEY);
}

static void what_is_too_long_is_refused_and_signed(void **state)
{
	struct world *world = *state;
	uint8_t packet[UPDATE_MESSAGE_MAX + 1024];
	size_t least = write_update(packet, 1, &world->key, 1) - 1;
	size_t length = write_update(packet, 1, &world->key, UPDATE_MESSAGE_MAX - least + 1);

	assert_int_equal(length, UPDATE_MESSAGE_MAX + 1);
	struct client *client = client_new(world, packet, length, "192.0.2.1", true);
	assert_int_equal(rcode_of(client), RCODE_REFUSED);
	assert_int_equal(tsig_error_of(client), 0);
	length = write_update(packet, 1, &world->key, UPDATE_MESSAGE_MAX - least);
	client = client_new(world, packet, length, "192.0.2.1", true);
	assert_false(client->finished);
	struct update_request *request = take(world);
	assert_int_equal(request->packet_length, UPDATE_MESSAGE_MAX);
	update_request_answer(&world->requests, request, RCODE_NOERROR);
}

static void a_retransmission_gets_the_first_answer_and_nobody_else_any(void **state)
{
	struct world *world = *state;
	uint8_t packet[UPDATE_MESSAGE_MAX + 1024];
	size_t length = write_update(packet, 1, &world->key, 0);
	struct client *first = client_new(world, packet, length, "192.0.2.1:1001", false);
	struct update_request *request = take(world);
	struct client *early = client_new(world, packet, length, "192.0.2.1:1001", false);
	struct client *early_other = client_new(world, packet, length, "192.0.2.9:1001", false);

	assert_null(take(world));
	updates_work(&world->updates);
	assert_true(is_silent(early) && is_silent(early_other) && !first->finished);
	update_request_answer(&world->requests, request, RCODE_NXRRSET);
	struct client *again = client_new(world, packet, length, "192.0.2.1:1001", false);
	struct client *other = client_new(world, packet, length, "192.0.2.1:1002", false);
	assert_null(take(world));
	updates_work(&world->updates);
	assert_int_equal(rcode_of(first), RCODE_NXRRSET);
	assert_int_equal(rcode_of(again), RCODE_NXRRSET);
	assert_int_equal(tsig_error_of(again), 0);
	assert_true(is_silent(other));
	assert_int_equal(COUNTER_GET(world->stats.updates_repeated), 1);
	assert_int_equal(COUNTER_GET(world->stats.updates_replayed), 2);
	assert_int_equal(COUNTER_GET(world->stats.updates_answered[RCODE_NXRRSET]), 2);
}

/* By which replies are limited or not. */
static void a_signature_proves_where_it_is_from_once(void **state)
{
	struct world *world = *state;
	uint8_t packet[UPDATE_MESSAGE_MAX + 1024];
	size_t length = write_update(packet, 1, &world->key, 0);
	struct client *first = client_new(world, packet, length, "192.0.2.1", false);
	struct client *plain = ask(world, 2, NULL, false),
		      *bad = ask(world, 3, &world->other, false);
	struct update_request *request = take(world), *second = request->next;

	update_request_answer(&world->requests, request, RCODE_NOERROR);
	update_request_answer(&world->requests, second, RCODE_NOERROR);
	struct client *again = client_new(world, packet, length, "192.0.2.1", false);
	assert_null(take(world));
	updates_work(&world->updates);
	assert_true(first->query.proven);
	assert_false(plain->query.proven || bad->query.proven || again->query.proven);
	assert_int_equal(rcode_of(again), RCODE_NOERROR);
}

static void what_was_dropped_is_judged_when_it_comes_again(void **state)
{
	struct world *world = *state;
	uint8_t packet[UPDATE_MESSAGE_MAX + 1024];
	size_t length = write_update(packet, 1, &world->key, 0);
	struct client *first = client_new(world, packet, length, "192.0.2.1", false);

	update_request_drop(&world->requests, take(world));
	updates_work(&world->updates);
	assert_true(is_silent(first));
	assert_int_equal(COUNTER_GET(world->stats.updates_dropped), 1);
	struct client *again = client_new(world, packet, length, "192.0.2.1", false);
	update_request_answer(&world->requests, take(world), RCODE_NOERROR);
	updates_work(&world->updates);
	assert_int_equal(rcode_of(again), RCODE_NOERROR);
}

static void what_was_signed_before_the_start_gets_badtime(void **state)
{
	struct world *world = *state;

	update_requests_release(&world->requests);
	update_requests_init(&world->requests, &(struct hash_key){1, 2},
			     SERVED_NOW + REPLAY_START_S);
	struct client *client = ask(world, 1, &world->key, false);
	assert_null(take(world));
	updates_work(&world->updates);
	assert_int_equal(rcode_of(client), RCODE_NOTAUTH);
	assert_int_equal(tsig_error_of(client), TSIG_BADTIME);
	assert_int_equal(wire_u32(client->answer + client->length - 4), SERVED_NOW);
}

static void one_request_too_many_gets_silence_and_the_next_place_is_free_again(void **state)
{
	struct world *world = *state;

	for (unsigned i = 0; i < UPDATE_REQUESTS_MAX / 2; i++)
		assert_false(ask(world, (uint16_t)i, NULL, i % 2)->finished);
	assert_true(is_silent(ask(world, 5000, NULL, false)));
	for (unsigned i = UPDATE_REQUESTS_MAX / 2; i < UPDATE_REQUESTS_MAX; i++)
		assert_false(ask(world, (uint16_t)i, &world->key, i % 2)->finished);
	assert_true(is_silent(ask(world, 5000, &world->key, false)));
	struct update_request *requests = take(world), *next = requests->next;
	/* Being taken frees no place. */
	assert_true(is_silent(ask(world, 5001, &world->key, true)));
	assert_int_equal(COUNTER_GET(world->stats.updates_overflowed), 3);
	update_request_answer(&world->requests, requests, RCODE_NOERROR);
	updates_work(&world->updates);
	struct client *late = ask(world, 5002, &world->key, false);
	assert_false(late->finished);
	for (unsigned count = 1; next; count++) {
		requests = next;
		next = requests->next;
		assert_int_equal(wire_u16(requests->packet), count);
		update_request_answer(&world->requests, requests, RCODE_NOERROR);
	}
	update_request_answer(&world->requests, take(world), RCODE_NOERROR);
	updates_work(&world->updates);
	assert_int_equal(rcode_of(late), RCODE_NOERROR);
	assert_int_equal(world->requests.open, 0);
}

/* A connection must not wait for ever for a control thread that hangs. */
static void nobody_waits_longer_than_patience_and_the_late_answer_goes_nowhere(void **state)
{
	struct world *world = *state;
	struct client *taken = ask(world, 1, &world->key, true);
	struct update_request *request = take(world);
	struct client *waiting = ask(world, 2, NULL, false);

	wheel_advance(&world->wheel, NOW_US + UPDATE_PATIENCE_US - WHEEL_SLOT_US);
	assert_false(taken->finished || waiting->finished);
	wheel_advance(&world->wheel, NOW_US + UPDATE_PATIENCE_US + 2 * WHEEL_SLOT_US);
	assert_true(is_silent(taken) && is_silent(waiting));
	assert_int_equal(world->hold.users, 1);
	assert_int_equal(COUNTER_GET(world->stats.updates_dropped), 2);
	assert_int_equal(request->packet[1], 1); /* still there to be read */
	update_request_answer(&world->requests, request, RCODE_NOERROR);
	update_request_answer(&world->requests, take(world), RCODE_NOERROR);
	updates_work(&world->updates);
	assert_int_equal(world->requests.open, 0);
	assert_int_equal(COUNTER_GET(world->stats.updates_answered[RCODE_NOERROR]), 0);
}

static void a_worker_may_end_wherever_its_requests_are(void **state)
{
	struct world *world = *state;
	struct client *answered = ask(world, 1, &world->key, false);
	struct update_request *request = take(world);
	struct client *taken = ask(world, 2, &world->key, true);
	struct update_request *kept = take(world);
	struct client *waiting = ask(world, 3, &world->key, true);

	update_request_answer(&world->requests, request, RCODE_NOERROR);
	updates_abandon(&world->updates);
	assert_int_equal(rcode_of(answered), RCODE_NOERROR);
	assert_true(is_silent(taken) && is_silent(waiting));
	assert_int_equal(world->hold.users, 1);
	memset(&world->updates, 0xee, sizeof world->updates); /* freed with its worker */
	assert_string_equal(kept->network, "hub");
	assert_memory_equal(kept->key, "\1k\4test", 8);
	update_request_answer(&world->requests, kept, RCODE_NOERROR);
	struct update_request *left = take(world); /* its worker has gone before it was taken */
	assert_int_equal(left->packet[1], 3);
	update_request_drop(&world->requests, left);
	world->updates = updates_of(world);
}

static void once_closed_nothing_is_taken_but_what_was_is_still_answered(void **state)
{
	struct world *world = *state;
	struct client *taken = ask(world, 1, &world->key, false);
	struct update_request *request = take(world);
	struct client *waiting = ask(world, 2, &world->key, false);

	update_requests_close(&world->requests);
	struct client *late = ask(world, 3, &world->key, true);
	updates_work(&world->updates);
	assert_true(is_silent(waiting) && is_silent(late) && !taken->finished);
	assert_null(take(world));
	update_request_answer(&world->requests, request, RCODE_NOERROR);
	updates_work(&world->updates);
	assert_int_equal(rcode_of(taken), RCODE_NOERROR);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(the_control_thread_gets_all_that_was_said_in_its_order),
		TEST(the_answer_is_signed_with_the_key_of_the_request),
		TEST(what_is_signed_wrongly_is_answered_by_the_worker),
		TEST(a_tsig_that_does_not_fit_is_left_out),
		TEST(what_is_too_long_is_refused_and_signed),
		TEST(a_retransmission_gets_the_first_answer_and_nobody_else_any),
		TEST(a_signature_proves_where_it_is_from_once),
		TEST(what_was_dropped_is_judged_when_it_comes_again),
		TEST(what_was_signed_before_the_start_gets_badtime),
		TEST(one_request_too_many_gets_silence_and_the_next_place_is_free_again),
		TEST(nobody_waits_longer_than_patience_and_the_late_answer_goes_nowhere),
		TEST(a_worker_may_end_wherever_its_requests_are),
		TEST(once_closed_nothing_is_taken_but_what_was_is_still_answered),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
