/* A transfer as its client sees it: messages, pauses, the end of either side, and who is told no.
 * The client is a query whose `send` writes down what comes; time stands still until it is moved.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "resolver/transfer.h"
#include "rules/serial.h"
#include "tests/message_text.h"
#include "tests/model_builder.h"

enum { NOW = 1700000000, PTRS = 2000, MESSAGES_MAX = 64, CLIENTS = TRANSFERS_MAX + 1 };

#define ZONE "100.51.in-addr.arpa."

struct client {
	struct fixture *f;
	struct query query;
	bool finished, gone;
	unsigned full_after; /* messages; then there is no room */
	unsigned messages;
	size_t lengths[MESSAGES_MAX];
	uint8_t *bytes[MESSAGES_MAX];
};

struct fixture {
	struct model *model;
	const char *zones[1];
	struct prefix allow[1];
	struct transfer_settings entry;
	struct tsig_settings key;
	struct policy *policy;
	struct transfer_table *table;
	struct policy_hold hold;
	struct wheel wheel;
	uint64_t now_us;
	struct stats stats;
	struct transfers transfers;
	uint8_t buffer[MESSAGE_MAX];
	struct client *clients[CLIENTS];
	unsigned client_count;
};

static uint64_t now_us(void *context)
{
	return ((struct fixture *)context)->now_us;
}

static uint64_t time_of_day_s(void)
{
	return NOW;
}

static void on_idle(struct policy_hold *hold)
{
	(void)hold;
	assert_true(false); /* the fixture's own share is not given back */
}

static void fill(struct fixture *f)
{
	struct owned_draft *draft = owned_edit(NULL);

	for (unsigned i = 0; i < PTRS; i++) {
		struct address address = {4, {51, 100, (uint8_t)(i >> 8), (uint8_t)i}};
		char text[64];
		snprintf(text, sizeof text, "host-number-%u.example.", i);
		struct name name = test_name(text);
		assert_int_equal(owned_set_ptr(draft, &address, &name, 60), 0);
	}
	f->model->owned = owned_commit(draft);
}

static int setup(void **state)
{
	struct fixture *f = calloc(1, sizeof *f);

	f->model = model_start();
	model_add_network(f->model, "hub", "10.10.0.0/16");
	model_add_pool(f->model, "public", "51.100.0.0/16");
	fill(f);
	f->zones[0] = "*";
	assert_int_equal(prefix_parse(&f->allow[0], "192.0.2.0/24"), 0);
	f->key = (struct tsig_settings){.name = "k.test", .secret = "Zm9vYmFy"};
	f->entry.zones.items = f->zones;
	f->entry.zones.count = 1;
	f->entry.allow.items = f->allow;
	f->entry.allow.count = 1;
	f->model->transfers.items = &f->entry;
	f->model->transfers.count = 1;
	f->model->keys.items = &f->key;
	f->model->keys.count = 1;
	f->policy = model_compile(f->model, NULL);
	assert_int_equal(transfer_table_compile(&f->table, f->model, f->policy, NULL, NULL, NOW),
			 0);
	f->hold = (struct policy_hold){
		.policy = f->policy, .transfers = f->table, .users = 1, .on_idle = on_idle};
	f->now_us = 1000000;
	wheel_init(&f->wheel, f->now_us);
	f->transfers = (struct transfers){.wheel = &f->wheel,
					  .stats = &f->stats,
					  .now_us = now_us,
					  .context = f,
					  .time_of_day_s = time_of_day_s,
					  .buffer = f->buffer};
	*state = f;
	return 0;
}

static int teardown(void **state)
{
	struct fixture *f = *state;

	transfers_abandon(&f->transfers);
	assert_int_equal(f->hold.users, 1);
	for (unsigned i = 0; i < f->client_count; i++) {
		for (unsigned m = 0; m < f->clients[i]->messages; m++)
			free(f->clients[i]->bytes[m]);
		free(f->clients[i]);
	}
	policy_free(f->policy);
	transfer_table_free(f->table);
	f->model->transfers.count = f->model->keys.count = 0;
	model_free(f->model);
	free(f);
	return 0;
}

/* ---- clients ---- */

static void receive(struct client *client, const uint8_t *message, size_t length)
{
	assert_true(client->messages < MESSAGES_MAX);
	client->bytes[client->messages] = malloc(length);
	memcpy(client->bytes[client->messages], message, length);
	client->lengths[client->messages++] = length;
}

static void on_finish(struct query *query, const uint8_t *reply, size_t length)
{
	struct client *client = query->origin;

	assert_false(client->finished);
	client->finished = true;
	if (reply)
		receive(client, reply, length);
}

static enum query_sent on_send(struct query *query, const uint8_t *message, size_t length)
{
	struct client *client = query->origin;

	assert_false(client->finished);
	if (client->gone)
		return QUERY_GONE;
	receive(client, message, length);
	return client->full_after && client->messages >= client->full_after ? QUERY_FULL
									    : QUERY_SENT;
}

static struct client *client_new(struct fixture *f, const char *zone, uint16_t type, bool tcp)
{
	struct client *client = calloc(1, sizeof *client);
	uint8_t wire[MESSAGE_UDP_MIN];
	enum rcode rcode;
	struct query *query = &client->query;
	size_t length = request_write(wire, 7, 0, zone, type, CLASS_IN, 1232, false);

	f->clients[f->client_count++] = client;
	client->f = f;
	assert_int_equal(message_read_request(&query->request, &query->name, &test_key, wire,
					      length, &rcode),
			 REQUEST_FINE);
	memcpy(query->question, wire + MESSAGE_HEADER, query->request.question_length);
	query->origin = client;
	query->finish = on_finish;
	query->send = tcp ? on_send : NULL;
	query->tcp = tcp;
	query->limit = tcp ? MESSAGE_MAX : 1232;
	assert_int_equal(address_parse(&query->client, "192.0.2.1"), 0);
	return client;
}

static void start(struct client *client)
{
	transfer_start(&client->f->transfers, &client->query, &client->f->hold, NULL);
}

static void pass(struct fixture *f, unsigned rounds)
{
	while (rounds-- > 0) {
		f->now_us += 2000;
		wheel_advance(&f->wheel, f->now_us);
	}
}

static unsigned rcode_of(const struct client *client)
{
	assert_true(client->finished);
	assert_int_equal(client->messages, 1);
	return message_flags(client->bytes[0]) & FLAG_RCODE;
}

/* Records of this type in all messages. */
static unsigned count_records(const struct client *client, uint16_t type)
{
	unsigned count = 0;

	for (unsigned m = 0; m < client->messages; m++) {
		const uint8_t *packet = client->bytes[m];
		unsigned records = wire_u16(packet + 6);
		size_t at = MESSAGE_HEADER + client->query.request.question_length;

		assert_int_equal(wire_u16(packet), 7);
		assert_true(message_flags(packet) & FLAG_AA);
		assert_false(message_flags(packet) & FLAG_TC);
		while (records-- > 0) {
			struct record_view record;
			assert_int_equal(
				message_read_record(packet, client->lengths[m], &at, &record), 0);
			count += record.type == type;
		}
	}
	return count;
}

/* ---- tests ---- */

static void a_zone_goes_out_in_messages_one_a_round(void **state)
{
	struct fixture *f = *state;
	struct client *client = client_new(f, ZONE, TYPE_AXFR, true);

	start(client);
	assert_int_equal(client->messages, 1);
	assert_false(client->finished);
	pass(f, 1);
	assert_int_equal(client->messages, 2);
	pass(f, 100);
	assert_true(client->finished);
	assert_int_equal(count_records(client, TYPE_PTR), PTRS);
	assert_int_equal(count_records(client, TYPE_SOA), 2);
	for (unsigned m = 0; m < client->messages; m++)
		assert_true(client->lengths[m] <= TRANSFER_MESSAGE_MAX);
	for (unsigned m = 0; m + 1 < client->messages; m++) /* and well filled */
		assert_true(client->lengths[m] > TRANSFER_MESSAGE_MAX - 100);
	assert_int_equal(f->stats.transfers, 1);
	assert_int_equal(f->table->zones[0]->meter->axfr, 1);
}

static void who_does_not_read_is_waited_for_without_a_timer(void **state)
{
	struct fixture *f = *state;
	struct client *client = client_new(f, ZONE, TYPE_AXFR, true);

	client->full_after = 2;
	start(client);
	pass(f, 100);
	assert_int_equal(client->messages, 2);
	assert_int_equal(f->wheel.armed, 0);
	assert_int_equal(f->hold.users, 2);
	client->query.on_room(&client->query);
	assert_int_equal(client->messages, 3);
	client->full_after = 0;
	client->query.on_room(&client->query);
	pass(f, 100);
	assert_true(client->finished);
	assert_int_equal(count_records(client, TYPE_PTR), PTRS);
}

static void who_has_gone_is_let_go(void **state)
{
	struct fixture *f = *state;
	struct client *at_once = client_new(f, ZONE, TYPE_AXFR, true);
	struct client *later = client_new(f, ZONE, TYPE_AXFR, true);

	at_once->gone = true;
	start(at_once);
	assert_true(at_once->finished);
	later->full_after = 1;
	start(later);
	later->gone = true;
	later->query.on_room(&later->query);
	assert_true(later->finished);
	assert_int_equal(f->hold.users, 1);
	assert_int_equal(f->stats.transfers, 0);
}

static void the_workers_end_ends_them(void **state)
{
	struct fixture *f = *state;
	struct client *one = client_new(f, ZONE, TYPE_AXFR, true);
	struct client *two = client_new(f, ZONE, TYPE_AXFR, true);

	two->full_after = 1;
	start(one);
	start(two);
	transfers_abandon(&f->transfers);
	assert_true(one->finished);
	assert_true(two->finished);
	assert_int_equal(f->wheel.armed, 0);
}

static void there_are_32_at_once_and_not_33(void **state)
{
	struct fixture *f = *state;

	for (unsigned i = 0; i < TRANSFERS_MAX; i++) {
		start(client_new(f, ZONE, TYPE_AXFR, true));
		assert_false(f->clients[i]->finished);
	}
	struct client *last = client_new(f, ZONE, TYPE_AXFR, true);
	start(last);
	assert_int_equal(rcode_of(last), RCODE_SERVFAIL);
}

static void what_is_not_allowed_and_what_is_not_there_look_alike(void **state)
{
	struct fixture *f = *state;
	struct client *stranger = client_new(f, ZONE, TYPE_AXFR, true);
	struct client *nowhere = client_new(f, ZONE, TYPE_AXFR, true);

	assert_int_equal(address_parse(&stranger->query.client, "192.0.3.0"), 0);
	start(stranger);
	nowhere->query.name = test_name("101.51.in-addr.arpa.");
	start(nowhere);
	assert_int_equal(rcode_of(stranger), RCODE_REFUSED);
	assert_int_equal(rcode_of(nowhere), RCODE_REFUSED);
	assert_int_equal(stranger->lengths[0], nowhere->lengths[0]);
	assert_memory_equal(stranger->bytes[0], nowhere->bytes[0], stranger->lengths[0]);
	assert_int_equal(f->stats.transfers_refused, 2);
}

static void axfr_by_udp_is_refused(void **state)
{
	struct client *client = client_new(*state, ZONE, TYPE_AXFR, false);

	start(client);
	assert_int_equal(rcode_of(client), RCODE_REFUSED);
}

static void ixfr_without_a_serial_is_malformed(void **state)
{
	struct client *client = client_new(*state, ZONE, TYPE_IXFR, true);

	start(client);
	assert_int_equal(rcode_of(client), RCODE_FORMERR);
}

static struct client *ixfr(struct fixture *f, uint32_t serial, bool tcp)
{
	struct client *client = client_new(f, ZONE, TYPE_IXFR, tcp);

	client->query.request.has_serial = true;
	client->query.request.serial = serial;
	start(client);
	return client;
}

static void who_has_it_already_gets_the_soa(void **state)
{
	struct client *client = ixfr(*state, NOW, true);

	assert_true(client->finished);
	assert_int_equal(count_records(client, TYPE_SOA), 1);
	assert_int_equal(count_records(client, TYPE_PTR), 0);
}

static void by_udp_what_does_not_fit_is_the_soa_alone(void **state)
{
	struct client *client = ixfr(*state, NOW - 1, false);

	assert_true(client->finished);
	assert_int_equal(client->messages, 1);
	assert_true(client->lengths[0] <= 1232);
	assert_int_equal(count_records(client, TYPE_SOA), 1);
	assert_int_equal(count_records(client, TYPE_PTR), 0);
}

static void by_udp_what_fits_is_there(void **state)
{
	struct fixture *f = *state;
	struct owned_draft *draft = owned_edit(f->policy->owned);
	struct address address = {4, {51, 100, 0, 7}};
	struct name name = test_name("another.example.");

	assert_int_equal(owned_set_ptr(draft, &address, &name, 60), 0);
	struct owned *owned = owned_commit(draft);
	struct policy *policy = policy_with_owned(f->policy, owned);
	struct transfer_table *table;
	owned_unref(owned);
	assert_int_equal(transfer_table_advance(&table, policy, f->table, NULL, NOW + 1), 0);
	f->hold.policy = policy;
	f->hold.transfers = table;
	struct client *client = ixfr(f, NOW, false);
	assert_int_equal(count_records(client, TYPE_SOA), 4);
	assert_int_equal(count_records(client, TYPE_PTR), 2);
	policy_free(policy);
	transfer_table_free(table);
	f->hold.policy = f->policy;
	f->hold.transfers = f->table;
}

static void every_message_of_a_signed_transfer_is_signed(void **state)
{
	struct fixture *f = *state;
	struct client *client = client_new(f, ZONE, TYPE_AXFR, true);
	struct tsig_seal seal;

	tsig_seal_begin(&seal, &f->table->terms->keys[0], 7);
	transfer_start(&f->transfers, &client->query, &f->hold, &seal);
	pass(f, 100);
	assert_true(client->finished);
	assert_true(client->messages > 2);
	for (unsigned m = 0; m < client->messages; m++) {
		assert_int_equal(wire_u16(client->bytes[m] + 10), 2); /* OPT, TSIG */
		assert_true(client->lengths[m] <= TRANSFER_MESSAGE_MAX);
	}
}

static void the_soa_is_for_who_may_copy_the_zone(void **state)
{
	struct fixture *f = *state;
	struct client *client = client_new(f, ZONE, TYPE_SOA, false);

	assert_ptr_equal(transfer_soa(f->table, &client->query, NULL),
			 zone_soa(f->table->zones[0]->zone));
	assert_int_equal(address_parse(&client->query.client, "192.0.3.0"), 0);
	assert_null(transfer_soa(f->table, &client->query, NULL));
	client->query.finish(&client->query, NULL, 0);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(a_zone_goes_out_in_messages_one_a_round),
		TEST(who_does_not_read_is_waited_for_without_a_timer),
		TEST(who_has_gone_is_let_go),
		TEST(the_workers_end_ends_them),
		TEST(there_are_32_at_once_and_not_33),
		TEST(what_is_not_allowed_and_what_is_not_there_look_alike),
		TEST(axfr_by_udp_is_refused),
		TEST(ixfr_without_a_serial_is_malformed),
		TEST(who_has_it_already_gets_the_soa),
		TEST(by_udp_what_does_not_fit_is_the_soa_alone),
		TEST(by_udp_what_fits_is_there),
		TEST(every_message_of_a_signed_transfer_is_signed),
		TEST(the_soa_is_for_who_may_copy_the_zone),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
