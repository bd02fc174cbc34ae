/* Transfers as their clients see them: who has a place, pauses, the end of either side, who is told
 * no, and what is logged of them. */
#include "resolver/transfer/transfer.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "rules/zone/serial.h"
#include "tests/lib/transfer_world.h"

static void who_does_not_read_is_waited_for(void **state)
{
	struct transfer_world *world = *state;
	struct transfer_client *client = transfer_client_new(world, TRANSFER_ZONE, TYPE_AXFR, true);

	client->full_after = 2;
	transfer_client_start(client);
	transfer_world_pass(world, 100);
	assert_int_equal(client->messages, 2);
	assert_int_equal(world->hold.users, 2);
	transfer_client_offer_room(client);
	assert_int_equal(client->messages, 3);
	transfer_world_pass(world, 100);
	assert_int_equal(client->messages, 3);
	client->full_after = 0;
	transfer_client_offer_room(client);
	transfer_world_pass(world, 100);
	assert_true(client->finished);
	assert_int_equal(transfer_client_records(client, TYPE_PTR), TRANSFER_PTRS);
	assert_int_equal(world->wheel.armed, 0);
}

static void who_has_gone_is_let_go(void **state)
{
	struct transfer_world *world = *state;
	struct transfer_client *at_once =
		transfer_client_new(world, TRANSFER_ZONE, TYPE_AXFR, true);
	struct transfer_client *later = transfer_client_new(world, TRANSFER_ZONE, TYPE_AXFR, true);

	at_once->gone = true;
	transfer_client_start(at_once);
	assert_true(at_once->finished);
	later->full_after = 1;
	transfer_client_start(later);
	transfer_world_pass(world, 2);
	later->gone = true;
	transfer_client_offer_room(later);
	assert_true(later->finished);
	assert_int_equal(world->hold.users, 1);
	assert_int_equal(world->stats.transfers, 0);
	assert_int_equal(world->stats.transfers_broken, 2);
	assert_int_equal(served_zone(&world->served, TRANSFER_ZONE)->meter->broken, 2);
}

static void the_workers_end_ends_them(void **state)
{
	struct transfer_world *world = *state;

	for (unsigned i = 0; i < TRANSFERS_SHARE + 3; i++) {
		struct transfer_client *client =
			transfer_client_new(world, TRANSFER_ZONE, TYPE_AXFR, true);
		client->full_after = i % 2;
		transfer_client_start(client);
	}
	transfers_abandon(&world->transfers);
	for (unsigned i = 0; i < world->client_count; i++)
		assert_true(world->clients[i]->finished);
	assert_int_equal(world->wheel.armed, 0);
}

/* ---- places ---- */

/* Each client has its share; those after it wait, and get a place as one becomes free. */
static void a_client_has_a_share_and_the_rest_of_what_it_asks_waits(void **state)
{
	struct transfer_world *world = *state;
	struct transfer_client *clients[TRANSFERS_SHARE + 3];

	for (unsigned i = 0; i < TRANSFERS_SHARE + 3; i++) {
		clients[i] = transfer_client_new(world, TRANSFER_ZONE, TYPE_AXFR, true);
		transfer_client_start(clients[i]);
		assert_int_equal(clients[i]->messages, i < TRANSFERS_SHARE);
	}
	struct transfer_client *other =
		transfer_client_at(world, "192.0.2.2", TRANSFER_ZONE, TYPE_AXFR, true);
	transfer_client_start(other);
	assert_int_equal(other->messages, 1);
	transfer_world_pass(world, 200);
	for (unsigned i = 0; i < world->client_count; i++) {
		assert_true(world->clients[i]->finished);
		assert_int_equal(transfer_client_records(world->clients[i], TYPE_PTR),
				 TRANSFER_PTRS);
	}
	assert_int_equal(world->stats.transfers, TRANSFERS_SHARE + 4);
	assert_int_equal(world->stats.transfers_refused, 0);
	assert_int_equal(world->wheel.armed, 0);
}

static void those_that_wait_go_in_their_order(void **state)
{
	struct transfer_world *world = *state;
	struct transfer_client *clients[TRANSFERS_SHARE + 2];

	for (unsigned i = 0; i < TRANSFERS_SHARE + 2; i++) {
		clients[i] = transfer_client_new(world, TRANSFER_ZONE, TYPE_AXFR, true);
		clients[i]->full_after = i < TRANSFERS_SHARE;
		transfer_client_start(clients[i]);
	}
	transfer_world_pass(world, 10);
	assert_int_equal(clients[TRANSFERS_SHARE]->messages, 0);
	clients[3]->gone = true;
	transfer_client_offer_room(clients[3]);
	transfer_world_pass(world, 1);
	assert_int_equal(clients[TRANSFERS_SHARE]->messages, 1);
	assert_int_equal(clients[TRANSFERS_SHARE + 1]->messages, 0);
	transfer_world_pass(world, 100);
	assert_true(clients[TRANSFERS_SHARE]->finished);
	assert_true(clients[TRANSFERS_SHARE + 1]->finished);
}

static void the_addresses_of_a_64_are_one_client(void **state)
{
	struct transfer_world *world = *state;

	for (unsigned i = 0; i < TRANSFERS_SHARE + 1; i++) {
		char address[40];
		snprintf(address, sizeof address, "2001:db8::%u", i + 1);
		transfer_client_start(
			transfer_client_at(world, address, TRANSFER_ZONE, TYPE_AXFR, true));
	}
	assert_int_equal(world->clients[TRANSFERS_SHARE - 1]->messages, 1);
	assert_int_equal(world->clients[TRANSFERS_SHARE]->messages, 0);
	struct transfer_client *next_door =
		transfer_client_at(world, "2001:db8:0:1::1", TRANSFER_ZONE, TYPE_AXFR, true);
	transfer_client_start(next_door);
	assert_int_equal(next_door->messages, 1);
}

static void there_are_32_at_once_and_the_33rd_waits(void **state)
{
	struct transfer_world *world = *state;

	for (unsigned i = 0; i < TRANSFERS_MAX + 1; i++) {
		char address[32];
		snprintf(address, sizeof address, "192.0.2.%u", i + 1);
		transfer_client_start(
			transfer_client_at(world, address, TRANSFER_ZONE, TYPE_AXFR, true));
		assert_int_equal(world->clients[i]->messages, i < TRANSFERS_MAX);
	}
	transfer_world_pass(world, 200);
	assert_true(world->clients[TRANSFERS_MAX]->finished);
	assert_int_equal(transfer_client_records(world->clients[TRANSFERS_MAX], TYPE_PTR),
			 TRANSFER_PTRS);
}

/* SERVFAIL says that it is not for ever; its connection lives. */
static void who_waits_for_others_is_told_in_the_end(void **state)
{
	struct transfer_world *world = *state;

	for (unsigned i = 0; i < TRANSFERS_MAX; i++) {
		char address[32];
		snprintf(address, sizeof address, "192.0.2.%u", i + 1);
		struct transfer_client *slow =
			transfer_client_at(world, address, TRANSFER_ZONE, TYPE_AXFR, true);
		slow->full_after = 1;
		transfer_client_start(slow);
	}
	struct transfer_client *last =
		transfer_client_at(world, "192.0.2.100", TRANSFER_ZONE, TYPE_AXFR, true);
	transfer_client_start(last);
	transfer_world_pass(world, TRANSFER_WAIT_US / TRANSFER_ROUND_US - 2);
	assert_false(last->finished);
	transfer_world_pass(world, 4);
	assert_int_equal(transfer_client_rcode(last), RCODE_SERVFAIL);
	assert_int_equal(world->stats.transfers_refused, 1);
}

/* A client with many zones and a slow line gets them all. */
static void who_waits_behind_its_own_waits_as_long_as_they_go_on(void **state)
{
	struct transfer_world *world = *state;

	for (unsigned i = 0; i < TRANSFERS_SHARE + 1; i++) {
		struct transfer_client *slow =
			transfer_client_new(world, TRANSFER_ZONE, TYPE_AXFR, true);
		slow->full_after = 1;
		transfer_client_start(slow);
	}
	struct transfer_client *last = world->clients[TRANSFERS_SHARE];
	transfer_world_pass(world, TRANSFER_WAIT_US / TRANSFER_ROUND_US * 2);
	assert_false(last->finished);
	world->clients[0]->full_after = 0;
	transfer_client_offer_room(world->clients[0]);
	transfer_world_pass(world, 100);
	assert_true(world->clients[0]->finished);
	assert_int_equal(last->messages, 1);
	assert_int_equal(world->stats.transfers_refused, 0);
}

static void not_everybody_can_wait(void **state)
{
	struct transfer_world *world = *state;

	for (unsigned i = 0; i < TRANSFERS_SHARE + TRANSFERS_WAITING_SHARE; i++) {
		struct transfer_client *client =
			transfer_client_new(world, TRANSFER_ZONE, TYPE_AXFR, true);
		transfer_client_start(client);
		assert_false(client->finished);
	}
	struct transfer_client *last = transfer_client_new(world, TRANSFER_ZONE, TYPE_AXFR, true);
	transfer_client_start(last);
	assert_int_equal(transfer_client_rcode(last), RCODE_SERVFAIL);
	/* What is one message needs no place, by either transport. */
	assert_int_equal(
		transfer_client_records(
			transfer_client_ixfr(world, TRANSFER_ZONE, SERVED_NOW, true), TYPE_SOA),
		1);
	assert_int_equal(transfer_client_records(
				 transfer_client_ixfr(world, TRANSFER_ZONE, SERVED_NOW - 1, false),
				 TYPE_SOA),
			 1);
}

/* A message now and then is not progress. */
static void who_reads_too_slowly_is_cut_off(void **state)
{
	struct transfer_world *world = *state;
	struct transfer_client *client = transfer_client_new(world, TRANSFER_ZONE, TYPE_AXFR, true);

	client->full_after = 1;
	transfer_client_start(client);
	transfer_world_pass(world, 1);
	for (unsigned i = 0; i < 3; i++) {
		world->now_us += TRANSFER_PACE_US / 4;
		wheel_advance(&world->wheel, world->now_us);
		assert_false(client->finished);
		if (i < 2)
			transfer_client_offer_room(client);
		transfer_world_pass(world, 1);
	}
	assert_true(client->waits);
	assert_int_equal(client->messages, 3);
	world->now_us += TRANSFER_PACE_US / 4;
	wheel_advance(&world->wheel, world->now_us);
	assert_true(client->finished && client->cut);
	assert_int_equal(world->stats.transfers_broken, 1);
	assert_int_equal(world->hold.users, 1);
}

static void who_reads_fast_enough_is_not(void **state)
{
	struct transfer_world *world = *state;
	struct transfer_client *client = transfer_client_new(world, TRANSFER_WIDE, TYPE_AXFR, true);

	client->full_after = 1;
	transfer_client_start(client);
	transfer_world_pass(world, 1);
	for (unsigned rounds = 0; !client->finished; rounds++) {
		for (unsigned i = 0; i < 5 && client->waits; i++) {
			transfer_client_offer_room(client);
			transfer_world_pass(world, 1);
		}
		world->now_us += TRANSFER_PACE_US - 10 * TRANSFER_ROUND_US;
		wheel_advance(&world->wheel, world->now_us);
		assert_true(rounds < 100);
	}
	assert_false(client->cut);
	assert_true(client->messages > 2 * TRANSFER_PACE_BYTES / TRANSFER_MESSAGE_MAX);
}

/* ---- who ---- */

static void what_is_not_allowed_and_what_is_not_there_look_alike(void **state)
{
	struct transfer_world *world = *state;
	struct transfer_client *stranger =
		transfer_client_new(world, TRANSFER_ZONE, TYPE_AXFR, true);
	struct transfer_client *nowhere =
		transfer_client_new(world, TRANSFER_ZONE, TYPE_AXFR, true);

	assert_int_equal(address_parse(&stranger->query.client, "192.0.3.0"), 0);
	transfer_client_start(stranger);
	nowhere->query.name = test_name("101.51.in-addr.arpa.");
	transfer_client_start(nowhere);
	assert_int_equal(transfer_client_rcode(stranger), RCODE_REFUSED);
	assert_int_equal(transfer_client_rcode(nowhere), RCODE_REFUSED);
	assert_int_equal(stranger->lengths[0], nowhere->lengths[0]);
	assert_memory_equal(stranger->bytes[0], nowhere->bytes[0], stranger->lengths[0]);
	assert_int_equal(world->stats.transfers_refused, 2);
}

static void axfr_by_udp_is_refused(void **state)
{
	struct transfer_client *client =
		transfer_client_new(*state, TRANSFER_ZONE, TYPE_AXFR, false);

	transfer_client_start(client);
	assert_int_equal(transfer_client_rcode(client), RCODE_REFUSED);
}

static void ixfr_without_a_serial_is_malformed(void **state)
{
	struct transfer_client *client =
		transfer_client_new(*state, TRANSFER_ZONE, TYPE_IXFR, true);

	transfer_client_start(client);
	assert_int_equal(transfer_client_rcode(client), RCODE_FORMERR);
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
	struct transfer_world *world = *state;

	transfer_world_change(world, 51, 1);
	transfer_world_capture(world);
	for (unsigned i = 0; i < 100; i++)
		assert_int_equal(transfer_client_records(transfer_client_ixfr(world, TRANSFER_ZONE,
									      SERVED_NOW, false),
							 TYPE_PTR),
				 2);
	assert_int_equal(served_zone(&world->served, TRANSFER_ZONE)->meter->ixfr, 100);
	assert_string_equal(transfer_world_logged(world), "");
}

static void by_tcp_one_of_a_kind_is_logged_in_a_second(void **state)
{
	struct transfer_world *world = *state;

	transfer_world_change(world, 51, 1);
	transfer_world_capture(world);
	for (unsigned i = 0; i < 20; i++)
		assert_true(transfer_client_ixfr(world, TRANSFER_ZONE, SERVED_NOW, true)->finished);
	assert_int_equal(count_lines(transfer_world_logged(world), " sent to "), 1);
	transfer_client_start(transfer_client_new(world, TRANSFER_ZONE, TYPE_AXFR, true));
	transfer_world_pass(world, 100);
	assert_int_equal(count_lines(transfer_world_logged(world), "whole, "), 1);
	transfer_world_pass(world, 1000000 / TRANSFER_ROUND_US);
	transfer_client_ixfr(world, TRANSFER_ZONE, SERVED_NOW, true);
	assert_int_equal(count_lines(transfer_world_logged(world), " sent to "), 3);
	assert_int_equal(count_lines(transfer_world_logged(world), "(19 more not logged)"), 1);
}

static void the_soa_is_for_who_may_copy_the_zone(void **state)
{
	struct transfer_world *world = *state;
	struct transfer_client *client = transfer_client_new(world, TRANSFER_ZONE, TYPE_SOA, false);

	assert_ptr_equal(transfer_soa(world->served.table, &client->query, NULL),
			 zone_soa(served_zone(&world->served, TRANSFER_ZONE)->zone));
	assert_int_equal(address_parse(&client->query.client, "192.0.3.0"), 0);
	assert_null(transfer_soa(world->served.table, &client->query, NULL));
	client->query.finish(&client->query, NULL, 0);
}

#define TEST(name)                                                                                 \
	cmocka_unit_test_setup_teardown(name, transfer_world_set_up, transfer_world_tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
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
		TEST(by_udp_nothing_is_logged),
		TEST(by_tcp_one_of_a_kind_is_logged_in_a_second),
		TEST(what_is_not_allowed_and_what_is_not_there_look_alike),
		TEST(axfr_by_udp_is_refused),
		TEST(ixfr_without_a_serial_is_malformed),
		TEST(the_soa_is_for_who_may_copy_the_zone),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
