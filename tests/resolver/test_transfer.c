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
#include <unistd.h>

#include <cmocka.h>

#include "resolver/transfer.h"
#include "rules/serial.h"
#include "tests/message_text.h"
#include "tests/model_builder.h"

enum {
	NOW = 1700000000,
	PTRS = 2000,
	MESSAGES_MAX = 64,
	CLIENTS = 1024,
	ROUND_US = 2000,
	WIDE_PTRS = 6000,
	LARGE = 65200
};

#define ZONE  "100.51.in-addr.arpa."
#define WIDE  "61.in-addr.arpa."
#define LABEL "abcdefghijklmnopqrstuvwxyzabcdefghijklmnopqrstuvwxyzabcdefghijk"

struct client {
	struct fixture *f;
	struct query query;
	bool finished, gone;
	bool cut;            /* finished without a message */
	unsigned full_after; /* messages; then there is no room, until some is offered */
	bool waits;
	unsigned messages;
	size_t lengths[MESSAGES_MAX];
	uint8_t *bytes[MESSAGES_MAX];
};

struct fixture {
	struct model *model;
	const char *zones[2];
	struct prefix allow[2];
	struct transfer_settings entry;
	struct tsig_settings keys[2];
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
	struct policy *policy_before; /* that `change` has left behind */
	struct transfer_table *before;
	FILE *log;
	char logged[16384];
	int real_stderr;
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

static void set_ptr(struct owned_draft *draft, uint8_t first, unsigned number, const char *target)
{
	struct address address = {4, {first, 100, (uint8_t)(number >> 8), (uint8_t)number}};
	char text[64];

	snprintf(text, sizeof text, "%s-number-%u.example.", target, number);
	struct name name = test_name(text);
	assert_int_equal(owned_set_ptr(draft, &address, &name, 60), 0);
}

static void fill(struct fixture *f)
{
	struct owned_draft *draft = owned_edit(NULL);

	for (unsigned i = 0; i < PTRS; i++)
		set_ptr(draft, 51, i, "host");
	for (unsigned i = 0; i < WIDE_PTRS; i++)
		set_ptr(draft, 61, i, "host");
	f->model->owned = owned_commit(draft);
}

/* A zone with one record that is as large as any can be. */
static void add_large_zone(struct model *model)
{
	static const struct origin origin;
	static uint8_t rdata[LARGE];
	struct name apex = test_name("large.test.");
	struct zone_builder *builder = zone_builder_new(&test_key, &apex);
	struct faults faults;

	faults_init(&faults);
	assert_int_equal(zone_builder_add(builder, &origin, apex.wire, 65280, 60, rdata,
					  sizeof rdata, &faults),
			 0);
	model_add_zone(model, "large.test", "a A 192.0.2.1\n", "hub");
	struct private_zone *zone = &model->private_zones.items[model->private_zones.count - 1];
	zone_unref(zone->zone);
	zone->zone = zone_builder_finish(builder, &origin, &faults);
	assert_non_null(zone->zone);
	faults_release(&faults);
}

static int setup(void **state)
{
	struct fixture *f = calloc(1, sizeof *f);

	f->model = model_start();
	model_add_network(f->model, "hub", "10.10.0.0/16");
	model_add_pool(f->model, "public", "51.100.0.0/16");
	model_add_pool(f->model, "wide", "61.0.0.0/8");
	add_large_zone(f->model);
	fill(f);
	f->zones[0] = "*";
	f->zones[1] = "large.test";
	assert_int_equal(prefix_parse(&f->allow[0], "192.0.2.0/24"), 0);
	assert_int_equal(prefix_parse(&f->allow[1], "2001:db8::/32"), 0);
	f->keys[0] = (struct tsig_settings){.name = "k.test", .secret = "Zm9vYmFy"};
	f->keys[1] = (struct tsig_settings){
		.name = LABEL "." LABEL "." LABEL, .secret = "Zm9v", .algorithm = TSIG_HMAC_SHA512};
	f->entry.zones.items = f->zones;
	f->entry.zones.count = 2;
	f->entry.allow.items = f->allow;
	f->entry.allow.count = 2;
	f->model->transfers.items = &f->entry;
	f->model->transfers.count = 1;
	f->model->keys.items = f->keys;
	f->model->keys.count = 2;
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
	transfers_init(&f->transfers);
	*state = f;
	return 0;
}

/* From here on the log is read by the test. */
static void begin_capture(struct fixture *f)
{
	f->log = tmpfile();
	f->real_stderr = dup(STDERR_FILENO);
	assert_true(f->log && dup2(fileno(f->log), STDERR_FILENO) >= 0);
}

static const char *logged_by(struct fixture *f)
{
	ssize_t length = pread(fileno(f->log), f->logged, sizeof f->logged - 1, 0);

	f->logged[length > 0 ? length : 0] = '\0';
	return f->logged;
}

static const struct transfer_zone *zone_at(const struct fixture *f, const char *text)
{
	struct name name = test_name(text);

	return transfer_table_find(f->table, &name);
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
	policy_free(f->policy_before);
	transfer_table_free(f->before);
	if (f->log) {
		dup2(f->real_stderr, STDERR_FILENO);
		close(f->real_stderr);
		fclose(f->log);
	}
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
	client->cut = !reply;
	if (reply)
		receive(client, reply, length);
}

static enum query_room on_ask_room(struct query *query)
{
	struct client *client = query->origin;

	assert_false(client->finished || client->waits);
	if (client->gone)
		return QUERY_GONE;
	client->waits = client->full_after && client->messages >= client->full_after;
	return client->waits ? QUERY_WAIT : QUERY_ROOM;
}

static void on_send(struct query *query, const uint8_t *message, size_t length)
{
	struct client *client = query->origin;

	assert_false(client->finished || client->waits);
	receive(client, message, length);
}

static void offer_room(struct client *client)
{
	assert_true(client->waits);
	client->waits = false;
	client->query.on_room(&client->query, client->gone ? QUERY_GONE : QUERY_ROOM);
}

static struct client *client_at(struct fixture *f, const char *address, const char *zone,
				uint16_t type, bool tcp)
{
	struct client *client = calloc(1, sizeof *client);
	uint8_t wire[MESSAGE_UDP_MIN];
	enum rcode rcode;
	struct query *query = &client->query;
	size_t length = request_write(wire, 7, 0, zone, type, CLASS_IN, 1232, false);

	assert_true(f->client_count < CLIENTS);
	f->clients[f->client_count++] = client;
	client->f = f;
	assert_int_equal(message_read_request(&query->request, &query->name, &test_key, wire,
					      length, &rcode),
			 REQUEST_FINE);
	memcpy(query->question, wire + MESSAGE_HEADER, query->request.question_length);
	query->origin = client;
	query->finish = on_finish;
	query->room = tcp ? on_ask_room : NULL;
	query->send = tcp ? on_send : NULL;
	query->tcp = tcp;
	query->limit = tcp ? MESSAGE_MAX : 1232;
	assert_int_equal(address_parse(&query->client, address), 0);
	return client;
}

static struct client *client_new(struct fixture *f, const char *zone, uint16_t type, bool tcp)
{
	return client_at(f, "192.0.2.1", zone, type, tcp);
}

static void start(struct client *client)
{
	transfer_start(&client->f->transfers, &client->query, &client->f->hold, NULL);
}

static void pass(struct fixture *f, unsigned rounds)
{
	while (rounds-- > 0) {
		f->now_us += ROUND_US;
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
	assert_int_equal(zone_at(f, ZONE)->meter->axfr, 1);
}

static void who_does_not_read_is_waited_for(void **state)
{
	struct fixture *f = *state;
	struct client *client = client_new(f, ZONE, TYPE_AXFR, true);

	client->full_after = 2;
	start(client);
	pass(f, 100);
	assert_int_equal(client->messages, 2);
	assert_int_equal(f->hold.users, 2);
	offer_room(client);
	assert_int_equal(client->messages, 3);
	pass(f, 100);
	assert_int_equal(client->messages, 3);
	client->full_after = 0;
	offer_room(client);
	pass(f, 100);
	assert_true(client->finished);
	assert_int_equal(count_records(client, TYPE_PTR), PTRS);
	assert_int_equal(f->wheel.armed, 0);
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
	pass(f, 2);
	later->gone = true;
	offer_room(later);
	assert_true(later->finished);
	assert_int_equal(f->hold.users, 1);
	assert_int_equal(f->stats.transfers, 0);
	assert_int_equal(f->stats.transfers_broken, 2);
	assert_int_equal(zone_at(f, ZONE)->meter->broken, 2);
}

static void the_workers_end_ends_them(void **state)
{
	struct fixture *f = *state;

	for (unsigned i = 0; i < TRANSFERS_SHARE + 3; i++) {
		struct client *client = client_new(f, ZONE, TYPE_AXFR, true);
		client->full_after = i % 2;
		start(client);
	}
	transfers_abandon(&f->transfers);
	for (unsigned i = 0; i < f->client_count; i++)
		assert_true(f->clients[i]->finished);
	assert_int_equal(f->wheel.armed, 0);
}

/* ---- places ---- */

static struct client *ixfr(struct fixture *f, const char *zone, uint32_t serial, bool tcp)
{
	struct client *client = client_new(f, zone, TYPE_IXFR, tcp);

	client->query.request.has_serial = true;
	client->query.request.serial = serial;
	start(client);
	return client;
}

/* Each client has its share; those behind it wait, and get a place as one becomes free. */
static void a_client_has_a_share_and_the_rest_of_what_it_asks_waits(void **state)
{
	struct fixture *f = *state;
	struct client *clients[TRANSFERS_SHARE + 3];

	for (unsigned i = 0; i < TRANSFERS_SHARE + 3; i++) {
		clients[i] = client_new(f, ZONE, TYPE_AXFR, true);
		start(clients[i]);
		assert_int_equal(clients[i]->messages, i < TRANSFERS_SHARE);
	}
	struct client *other = client_at(f, "192.0.2.2", ZONE, TYPE_AXFR, true);
	start(other);
	assert_int_equal(other->messages, 1);
	pass(f, 200);
	for (unsigned i = 0; i < f->client_count; i++) {
		assert_true(f->clients[i]->finished);
		assert_int_equal(count_records(f->clients[i], TYPE_PTR), PTRS);
	}
	assert_int_equal(f->stats.transfers, TRANSFERS_SHARE + 4);
	assert_int_equal(f->stats.transfers_refused, 0);
	assert_int_equal(f->wheel.armed, 0);
}

static void those_that_wait_go_in_their_order(void **state)
{
	struct fixture *f = *state;
	struct client *clients[TRANSFERS_SHARE + 2];

	for (unsigned i = 0; i < TRANSFERS_SHARE + 2; i++) {
		clients[i] = client_new(f, ZONE, TYPE_AXFR, true);
		clients[i]->full_after = i < TRANSFERS_SHARE;
		start(clients[i]);
	}
	pass(f, 10);
	assert_int_equal(clients[TRANSFERS_SHARE]->messages, 0);
	clients[3]->gone = true;
	offer_room(clients[3]);
	pass(f, 1);
	assert_int_equal(clients[TRANSFERS_SHARE]->messages, 1);
	assert_int_equal(clients[TRANSFERS_SHARE + 1]->messages, 0);
	pass(f, 100);
	assert_true(clients[TRANSFERS_SHARE]->finished);
	assert_true(clients[TRANSFERS_SHARE + 1]->finished);
}

static void the_addresses_of_a_64_are_one_client(void **state)
{
	struct fixture *f = *state;

	for (unsigned i = 0; i < TRANSFERS_SHARE + 1; i++) {
		char address[40];
		snprintf(address, sizeof address, "2001:db8::%u", i + 1);
		start(client_at(f, address, ZONE, TYPE_AXFR, true));
	}
	assert_int_equal(f->clients[TRANSFERS_SHARE - 1]->messages, 1);
	assert_int_equal(f->clients[TRANSFERS_SHARE]->messages, 0);
	struct client *next_door = client_at(f, "2001:db8:0:1::1", ZONE, TYPE_AXFR, true);
	start(next_door);
	assert_int_equal(next_door->messages, 1);
}

static void there_are_32_at_once_and_the_33rd_waits(void **state)
{
	struct fixture *f = *state;

	for (unsigned i = 0; i < TRANSFERS_MAX + 1; i++) {
		char address[32];
		snprintf(address, sizeof address, "192.0.2.%u", i + 1);
		start(client_at(f, address, ZONE, TYPE_AXFR, true));
		assert_int_equal(f->clients[i]->messages, i < TRANSFERS_MAX);
	}
	pass(f, 200);
	assert_true(f->clients[TRANSFERS_MAX]->finished);
	assert_int_equal(count_records(f->clients[TRANSFERS_MAX], TYPE_PTR), PTRS);
}

/* SERVFAIL says that it is not for ever; its connection lives. */
static void who_waits_for_others_is_told_in_the_end(void **state)
{
	struct fixture *f = *state;

	for (unsigned i = 0; i < TRANSFERS_MAX; i++) {
		char address[32];
		snprintf(address, sizeof address, "192.0.2.%u", i + 1);
		struct client *slow = client_at(f, address, ZONE, TYPE_AXFR, true);
		slow->full_after = 1;
		start(slow);
	}
	struct client *last = client_at(f, "192.0.2.100", ZONE, TYPE_AXFR, true);
	start(last);
	pass(f, TRANSFER_WAIT_US / ROUND_US - 2);
	assert_false(last->finished);
	pass(f, 4);
	assert_int_equal(rcode_of(last), RCODE_SERVFAIL);
	assert_int_equal(f->stats.transfers_refused, 1);
}

/* A client with many zones and a slow line gets them all. */
static void who_waits_behind_its_own_waits_as_long_as_they_go_on(void **state)
{
	struct fixture *f = *state;

	for (unsigned i = 0; i < TRANSFERS_SHARE + 1; i++) {
		struct client *slow = client_new(f, ZONE, TYPE_AXFR, true);
		slow->full_after = 1;
		start(slow);
	}
	struct client *last = f->clients[TRANSFERS_SHARE];
	pass(f, TRANSFER_WAIT_US / ROUND_US * 2);
	assert_false(last->finished);
	f->clients[0]->full_after = 0;
	offer_room(f->clients[0]);
	pass(f, 100);
	assert_true(f->clients[0]->finished);
	assert_int_equal(last->messages, 1);
	assert_int_equal(f->stats.transfers_refused, 0);
}

static void not_everybody_can_wait(void **state)
{
	struct fixture *f = *state;

	for (unsigned i = 0; i < TRANSFERS_SHARE + TRANSFERS_WAITING_SHARE; i++) {
		struct client *client = client_new(f, ZONE, TYPE_AXFR, true);
		start(client);
		assert_false(client->finished);
	}
	struct client *last = client_new(f, ZONE, TYPE_AXFR, true);
	start(last);
	assert_int_equal(rcode_of(last), RCODE_SERVFAIL);
	/* What is one message needs no place, by either transport. */
	assert_int_equal(count_records(ixfr(f, ZONE, NOW, true), TYPE_SOA), 1);
	assert_int_equal(count_records(ixfr(f, ZONE, NOW - 1, false), TYPE_SOA), 1);
}

/* A message now and then is not progress. */
static void who_reads_too_slowly_is_cut_off(void **state)
{
	struct fixture *f = *state;
	struct client *client = client_new(f, ZONE, TYPE_AXFR, true);

	client->full_after = 1;
	start(client);
	pass(f, 1);
	for (unsigned i = 0; i < 3; i++) {
		f->now_us += TRANSFER_PACE_US / 4;
		wheel_advance(&f->wheel, f->now_us);
		assert_false(client->finished);
		if (i < 2)
			offer_room(client);
		pass(f, 1);
	}
	assert_true(client->waits);
	assert_int_equal(client->messages, 3);
	f->now_us += TRANSFER_PACE_US / 4;
	wheel_advance(&f->wheel, f->now_us);
	assert_true(client->finished && client->cut);
	assert_int_equal(f->stats.transfers_broken, 1);
	assert_int_equal(f->hold.users, 1);
}

static void who_reads_fast_enough_is_not(void **state)
{
	struct fixture *f = *state;
	struct client *client = client_new(f, WIDE, TYPE_AXFR, true);

	client->full_after = 1;
	start(client);
	pass(f, 1);
	for (unsigned rounds = 0; !client->finished; rounds++) {
		for (unsigned i = 0; i < 5 && client->waits; i++) {
			offer_room(client);
			pass(f, 1);
		}
		f->now_us += TRANSFER_PACE_US - 10 * ROUND_US;
		wheel_advance(&f->wheel, f->now_us);
		assert_true(rounds < 100);
	}
	assert_false(client->cut);
	assert_true(client->messages > 2 * TRANSFER_PACE_BYTES / TRANSFER_MESSAGE_MAX);
}

/* ---- what fits into no message ---- */

/* There is room for it in a message, but not for a long key's signature beside it. */
static void a_record_that_is_too_large_for_any_message_cuts_it_off(void **state)
{
	struct fixture *f = *state;
	struct client *client = client_new(f, "large.test.", TYPE_AXFR, true);
	struct tsig_seal seal;

	start(client);
	pass(f, 10);
	assert_true(client->finished && !client->cut);
	assert_int_equal(count_records(client, 65280), 1);
	assert_int_equal(count_records(client, TYPE_SOA), 2);
	client = client_new(f, "large.test.", TYPE_AXFR, true);
	begin_capture(f);
	tsig_seal_begin(&seal, &f->table->terms->keys[1], 7);
	transfer_start(&f->transfers, &client->query, &f->hold, &seal);
	pass(f, 10);
	assert_true(client->finished && client->cut);
	assert_int_equal(f->stats.transfers, 1);
	assert_int_equal(f->stats.transfers_broken, 1);
	assert_non_null(strstr(logged_by(f), "error transfer: large.test. "));
}

/* ---- who ---- */

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

static void who_has_it_already_gets_the_soa(void **state)
{
	struct client *client = ixfr(*state, ZONE, NOW, true);

	assert_true(client->finished);
	assert_int_equal(count_records(client, TYPE_SOA), 1);
	assert_int_equal(count_records(client, TYPE_PTR), 0);
}

static void by_udp_what_does_not_fit_is_the_soa_alone(void **state)
{
	struct client *client = ixfr(*state, ZONE, NOW - 1, false);

	assert_true(client->finished);
	assert_int_equal(client->messages, 1);
	assert_true(client->lengths[0] <= 1232);
	assert_int_equal(count_records(client, TYPE_SOA), 1);
	assert_int_equal(count_records(client, TYPE_PTR), 0);
}

/* What is served once so many PTRs from the first on are others. */
static void change(struct fixture *f, uint8_t first, unsigned count)
{
	struct owned_draft *draft = owned_edit(f->policy->owned);

	for (unsigned i = 0; i < count; i++)
		set_ptr(draft, first, i, "another");
	struct owned *owned = owned_commit(draft);
	f->policy_before = f->policy;
	f->before = f->table;
	f->policy = policy_with_owned(f->policy_before, owned);
	owned_unref(owned);
	assert_int_equal(transfer_table_advance(&f->table, f->policy, f->before, NULL, NOW + 1), 0);
	f->hold.policy = f->policy;
	f->hold.transfers = f->table;
}

static void by_udp_what_fits_is_there(void **state)
{
	struct fixture *f = *state;

	change(f, 51, 1);
	struct client *client = ixfr(f, ZONE, NOW, false);
	assert_int_equal(count_records(client, TYPE_SOA), 4);
	assert_int_equal(count_records(client, TYPE_PTR), 2);
}

/* However much was changed: a message a round, and by UDP no more than the SOA. */
static void many_changes_go_out_in_many_messages(void **state)
{
	struct fixture *f = *state;

	change(f, 61, WIDE_PTRS / 4);
	struct client *client = ixfr(f, WIDE, NOW, true);
	for (unsigned messages = 1; messages < 5; messages++) {
		assert_int_equal(client->messages, messages);
		pass(f, 1);
	}
	pass(f, 100);
	assert_true(client->finished && !client->cut);
	assert_int_equal(count_records(client, TYPE_PTR), 2 * (WIDE_PTRS / 4));
	assert_int_equal(count_records(client, TYPE_SOA), 4);
	assert_int_equal(zone_at(f, WIDE)->meter->ixfr, 1);
	client = ixfr(f, WIDE, NOW, false);
	assert_int_equal(client->messages, 1);
	assert_true(client->lengths[0] <= 1232);
	assert_int_equal(count_records(client, TYPE_SOA), 1);
	assert_int_equal(count_records(client, TYPE_PTR), 0);
	assert_int_equal(zone_at(f, WIDE)->meter->current, 1);
}

/* ---- the log ---- */

static unsigned count_lines(const char *text, const char *with)
{
	unsigned count = 0;

	for (; (text = strstr(text, with)); text++)
		count++;
	return count;
}

/* Whoever may have a zone can ask for what has changed as often as any other question. */
static void by_udp_nothing_is_logged(void **state)
{
	struct fixture *f = *state;

	change(f, 51, 1);
	begin_capture(f);
	for (unsigned i = 0; i < 100; i++)
		assert_int_equal(count_records(ixfr(f, ZONE, NOW, false), TYPE_PTR), 2);
	assert_int_equal(zone_at(f, ZONE)->meter->ixfr, 100);
	assert_string_equal(logged_by(f), "");
}

static void by_tcp_one_of_a_kind_is_logged_in_a_second(void **state)
{
	struct fixture *f = *state;

	change(f, 51, 1);
	begin_capture(f);
	for (unsigned i = 0; i < 20; i++)
		assert_true(ixfr(f, ZONE, NOW, true)->finished);
	assert_int_equal(count_lines(logged_by(f), " sent to "), 1);
	start(client_new(f, ZONE, TYPE_AXFR, true));
	pass(f, 100);
	assert_int_equal(count_lines(logged_by(f), "whole, "), 1);
	pass(f, 1000000 / ROUND_US);
	ixfr(f, ZONE, NOW, true);
	assert_int_equal(count_lines(logged_by(f), " sent to "), 3);
	assert_int_equal(count_lines(logged_by(f), "(19 more not logged)"), 1);
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
			 zone_soa(zone_at(f, ZONE)->zone));
	assert_int_equal(address_parse(&client->query.client, "192.0.3.0"), 0);
	assert_null(transfer_soa(f->table, &client->query, NULL));
	client->query.finish(&client->query, NULL, 0);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(a_zone_goes_out_in_messages_one_a_round),
		TEST(who_does_not_read_is_waited_for),
		TEST(who_has_gone_is_let_go),
		TEST(the_workers_end_ends_them),
		TEST(a_client_has_a_share_and_the_rest_of_what_it_asks_waits),
		TEST(those_that_wait_go_in_their_order),
		TEST(the_addresses_of_a_64_are_one_client),
		TEST(there_are_32_at_once_and_the_33rd_waits),
		TEST(who_waits_for_others_is_told_in_the_end),
		TEST(who_waits_behind_its_own_waits_as_long_as_they_go_on),
		TEST(not_everybody_can_wait),
		TEST(who_reads_too_slowly_is_cut_off),
		TEST(who_reads_fast_enough_is_not),
		TEST(a_record_that_is_too_large_for_any_message_cuts_it_off),
		TEST(many_changes_go_out_in_many_messages),
		TEST(by_udp_nothing_is_logged),
		TEST(by_tcp_one_of_a_kind_is_logged_in_a_second),
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
