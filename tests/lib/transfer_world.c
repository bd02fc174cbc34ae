#include "tests/lib/transfer_world.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "tests/lib/message_text.h"

enum { RDATA_LARGE = 65200 };

static uint64_t now_us(void *context)
{
	return ((struct transfer_world *)context)->now_us;
}

static uint64_t time_of_day_s(void)
{
	return SERVED_NOW;
}

static void on_idle(struct policy_hold *hold)
{
	(void)hold;
	assert_true(false); /* the world's own share is not given back */
}

static void set_ptr(struct owned_draft *draft, uint8_t first, unsigned number, const char *target)
{
	struct address address = {4, {first, 100, (uint8_t)(number >> 8), (uint8_t)number}};
	char text[64];

	snprintf(text, sizeof text, "%s-number-%u.example.", target, number);
	struct name name = test_name(text);
	assert_int_equal(owned_set_ptr(draft, &address, &name, 60), 0);
}

static void fill(struct model *model)
{
	struct owned_draft *draft = owned_edit(NULL);

	for (unsigned i = 0; i < TRANSFER_PTRS; i++)
		set_ptr(draft, 51, i, "host");
	for (unsigned i = 0; i < TRANSFER_WIDE_PTRS; i++)
		set_ptr(draft, 61, i, "host");
	model->owned = owned_commit(draft);
}

/* A zone with one record that is nearly as large as any can be. */
static void add_large_zone(struct model *model)
{
	static const struct origin origin;
	static uint8_t rdata[RDATA_LARGE];
	struct name apex = test_name("large.test.");
	struct zone_builder *builder = zone_builder_new(&test_key, &apex);
	struct faults faults;

	faults_init(&faults);
	assert_int_equal(zone_builder_add(builder, &origin, apex.wire, TRANSFER_LARGE, 60, rdata,
					  sizeof rdata, &faults),
			 0);
	model_add_zone(model, "large.test", "a A 192.0.2.1\n", "hub");
	struct private_zone *zone = &model->private_zones.items[model->private_zones.count - 1];
	zone_unref(zone->zone);
	zone->zone = zone_builder_finish(builder, &origin, &faults);
	assert_non_null(zone->zone);
	faults_release(&faults);
}

static void init_acl(struct transfer_world *world)
{
	struct served_zones *served = &world->served;

	served->zones[1] = "large.test";
	served->zones[2] = TRANSFER_LONG;
	served->entry.zones.count = 3;
	assert_int_equal(prefix_parse(&world->allow[0], "192.0.2.0/24"), 0);
	assert_int_equal(prefix_parse(&world->allow[1], "2001:db8::/32"), 0);
	served->entry.allow.items = world->allow;
	served->entry.allow.count = 2;
	world->keys[0] = (struct tsig_settings){.name = "k.test", .secret = "Zm9vYmFy"};
	world->keys[1] = (struct tsig_settings){
		.name = TRANSFER_LONG, .secret = "Zm9v", .algorithm = TSIG_HMAC_SHA512};
	served->model->keys.items = world->keys;
	served->model->keys.count = 2;
}

int transfer_world_set_up(void **state)
{
	struct transfer_world *world = calloc(1, sizeof *world);

	served_init(&world->served);
	model_add_pool(world->served.model, "public", "51.100.0.0/16");
	model_add_pool(world->served.model, "wide", "61.0.0.0/8");
	add_large_zone(world->served.model);
	model_add_zone(world->served.model, TRANSFER_LONG, "a A 192.0.2.1\n", "hub");
	fill(world->served.model);
	init_acl(world);
	served_compile(&world->served, SERVED_NOW);
	world->hold = (struct policy_hold){.policy = world->served.policy,
					   .transfers = world->served.table,
					   .users = 1,
					   .on_idle = on_idle};
	world->now_us = 1000000;
	wheel_init(&world->wheel, world->now_us);
	world->transfers = (struct transfers){.wheel = &world->wheel,
					      .stats = &world->stats,
					      .now_us = now_us,
					      .context = world,
					      .time_of_day_s = time_of_day_s,
					      .buffer = world->buffer};
	transfers_init(&world->transfers);
	*state = world;
	return 0;
}

void transfer_world_capture(struct transfer_world *world)
{
	world->log = tmpfile();
	world->real_stderr = dup(STDERR_FILENO);
	assert_true(world->log && dup2(fileno(world->log), STDERR_FILENO) >= 0);
}

const char *transfer_world_logged(struct transfer_world *world)
{
	ssize_t length = pread(fileno(world->log), world->logged, sizeof world->logged - 1, 0);

	world->logged[length > 0 ? length : 0] = '\0';
	return world->logged;
}

int transfer_world_tear_down(void **state)
{
	struct transfer_world *world = *state;

	transfers_abandon(&world->transfers);
	assert_int_equal(world->hold.users, 1);
	for (unsigned i = 0; i < world->client_count; i++) {
		for (unsigned m = 0; m < world->clients[i]->messages; m++)
			free(world->clients[i]->bytes[m]);
		free(world->clients[i]);
	}
	served_release(&world->served);
	if (world->log) {
		dup2(world->real_stderr, STDERR_FILENO);
		close(world->real_stderr);
		fclose(world->log);
	}
	free(world);
	return 0;
}

void transfer_world_pass(struct transfer_world *world, unsigned rounds)
{
	while (rounds-- > 0) {
		world->now_us += TRANSFER_ROUND_US;
		wheel_advance(&world->wheel, world->now_us);
	}
}

void transfer_world_change(struct transfer_world *world, uint8_t first, unsigned count)
{
	struct owned_draft *draft = owned_edit(world->served.policy->owned);

	for (unsigned i = 0; i < count; i++)
		set_ptr(draft, first, i, "another");
	served_advance(&world->served, draft, SERVED_NOW + 1);
	world->hold.policy = world->served.policy;
	world->hold.transfers = world->served.table;
}

/* ---- clients ---- */

static void receive(struct transfer_client *client, const uint8_t *message, size_t length)
{
	assert_true(client->messages < TRANSFER_RECEIVED_MAX);
	client->bytes[client->messages] = malloc(length);
	memcpy(client->bytes[client->messages], message, length);
	client->lengths[client->messages++] = length;
}

static void on_finish(struct query *query, const uint8_t *reply, size_t length)
{
	struct transfer_client *client = query->origin;

	assert_false(client->finished);
	client->finished = true;
	client->cut = !reply;
	if (reply)
		receive(client, reply, length);
}

static enum query_room on_ask_room(struct query *query)
{
	struct transfer_client *client = query->origin;

	assert_false(client->finished || client->waits);
	if (client->gone)
		return QUERY_GONE;
	client->waits = client->full_after && client->messages >= client->full_after;
	return client->waits ? QUERY_WAIT : QUERY_ROOM;
}

static void on_send(struct query *query, const uint8_t *message, size_t length)
{
	struct transfer_client *client = query->origin;

	assert_false(client->finished || client->waits);
	receive(client, message, length);
}

void transfer_client_offer_room(struct transfer_client *client)
{
	assert_true(client->waits);
	client->waits = false;
	client->query.on_room(&client->query, client->gone ? QUERY_GONE : QUERY_ROOM);
}

struct transfer_client *transfer_client_at(struct transfer_world *world, const char *address,
					   const char *zone, uint16_t type, bool tcp)
{
	struct transfer_client *client = calloc(1, sizeof *client);
	uint8_t wire[MESSAGE_UDP_MIN];
	enum rcode rcode;
	struct query *query = &client->query;
	size_t length = request_write(wire, 7, 0, zone, type, CLASS_IN, 1232, false);

	assert_true(world->client_count < TRANSFER_CLIENTS);
	world->clients[world->client_count++] = client;
	client->world = world;
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

struct transfer_client *transfer_client_new(struct transfer_world *world, const char *zone,
					    uint16_t type, bool tcp)
{
	return transfer_client_at(world, "192.0.2.1", zone, type, tcp);
}

void transfer_client_start(struct transfer_client *client)
{
	transfer_start(&client->world->transfers, &client->query, &client->world->hold, NULL);
}

unsigned transfer_client_rcode(const struct transfer_client *client)
{
	assert_true(client->finished);
	assert_int_equal(client->messages, 1);
	return message_flags(client->bytes[0]) & FLAG_RCODE;
}

unsigned transfer_client_records(const struct transfer_client *client, uint16_t type)
{
	unsigned count = 0;

	for (unsigned m = 0; m < client->messages; m++) {
		const uint8_t *packet = client->bytes[m];
		unsigned records = wire_u16(packet + 6);
		struct message_walk walk =
			message_walk_from(packet, client->lengths[m],
					  MESSAGE_HEADER + client->query.request.question_length);

		assert_int_equal(wire_u16(packet), 7);
		assert_true(message_flags(packet) & FLAG_AA);
		assert_false(message_flags(packet) & FLAG_TC);
		while (records-- > 0) {
			struct record_view record;
			assert_int_equal(message_read_record(&walk, &record), 0);
			count += record.type == type;
		}
	}
	return count;
}

struct transfer_client *transfer_client_ixfr(struct transfer_world *world, const char *zone,
					     uint32_t serial, bool tcp)
{
	struct transfer_client *client = transfer_client_new(world, zone, TYPE_IXFR, tcp);

	client->query.request.has_serial = true;
	client->query.request.serial = serial;
	transfer_client_start(client);
	return client;
}
