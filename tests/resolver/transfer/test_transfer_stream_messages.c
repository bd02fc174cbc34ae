/* The messages of a transfer: what is in them, how large they are, and when there is only one. */
#include "resolver/transfer/stream.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "rules/zone/serial.h"
#include "tests/lib/transfer_world.h"

static void a_zone_goes_out_in_messages_one_a_round(void **state)
{
	struct transfer_world *world = *state;
	struct transfer_client *client = transfer_client_new(world, TRANSFER_ZONE, TYPE_AXFR, true);

	transfer_client_start(client);
	assert_int_equal(client->messages, 1);
	assert_false(client->finished);
	transfer_world_pass(world, 1);
	assert_int_equal(client->messages, 2);
	transfer_world_pass(world, 100);
	assert_true(client->finished);
	assert_int_equal(transfer_client_records(client, TYPE_PTR), TRANSFER_PTRS);
	assert_int_equal(transfer_client_records(client, TYPE_SOA), 2);
	for (unsigned m = 0; m < client->messages; m++)
		assert_true(client->lengths[m] <= TRANSFER_MESSAGE_MAX);
	for (unsigned m = 0; m + 1 < client->messages; m++) /* and well filled */
		assert_true(client->lengths[m] > TRANSFER_MESSAGE_MAX - 100);
	assert_int_equal(world->stats.transfers, 1);
	assert_int_equal(served_zone(&world->served, TRANSFER_ZONE)->meter->axfr, 1);
}

/* There is room for it in a message, but not for a long key's signature beside it. */
static void a_record_that_is_too_large_for_any_message_cuts_it_off(void **state)
{
	struct transfer_world *world = *state;
	struct transfer_client *client = transfer_client_new(world, "large.test.", TYPE_AXFR, true);
	struct tsig_context tsig;

	transfer_client_start(client);
	transfer_world_pass(world, 10);
	assert_true(client->finished && !client->cut);
	assert_int_equal(transfer_client_records(client, TRANSFER_LARGE), 1);
	assert_int_equal(transfer_client_records(client, TYPE_SOA), 2);
	client = transfer_client_new(world, "large.test.", TYPE_AXFR, true);
	transfer_world_capture(world);
	tsig_begin(&tsig, &world->served.table->acl->keys[1], 7);
	transfer_start(&world->transfers, &client->query, &world->hold, &tsig);
	transfer_world_pass(world, 10);
	assert_true(client->finished && client->cut);
	assert_int_equal(world->stats.transfers, 1);
	assert_int_equal(world->stats.transfers_broken, 1);
	assert_non_null(strstr(transfer_world_logged(world), "error transfer: large.test. "));
}

static void every_message_of_a_signed_transfer_is_signed(void **state)
{
	struct transfer_world *world = *state;
	struct transfer_client *client = transfer_client_new(world, TRANSFER_ZONE, TYPE_AXFR, true);
	struct tsig_context tsig;

	tsig_begin(&tsig, &world->served.table->acl->keys[0], 7);
	transfer_start(&world->transfers, &client->query, &world->hold, &tsig);
	transfer_world_pass(world, 100);
	assert_true(client->finished);
	assert_true(client->messages > 2);
	for (unsigned m = 0; m < client->messages; m++) {
		assert_int_equal(wire_u16(client->bytes[m] + 10), 2); /* OPT, TSIG */
		assert_true(client->lengths[m] <= TRANSFER_MESSAGE_MAX);
	}
}

static void who_has_it_already_gets_the_soa(void **state)
{
	struct transfer_client *client =
		transfer_client_ixfr(*state, TRANSFER_ZONE, SERVED_NOW, true);

	assert_true(client->finished);
	assert_int_equal(transfer_client_records(client, TYPE_SOA), 1);
	assert_int_equal(transfer_client_records(client, TYPE_PTR), 0);
}

static void by_udp_what_does_not_fit_is_the_soa_alone(void **state)
{
	struct transfer_client *client =
		transfer_client_ixfr(*state, TRANSFER_ZONE, SERVED_NOW - 1, false);

	assert_true(client->finished);
	assert_int_equal(client->messages, 1);
	assert_true(client->lengths[0] <= 1232);
	assert_int_equal(transfer_client_records(client, TYPE_SOA), 1);
	assert_int_equal(transfer_client_records(client, TYPE_PTR), 0);
}

static void by_udp_what_fits_is_there(void **state)
{
	struct transfer_world *world = *state;

	transfer_world_change(world, 51, 1);
	struct transfer_client *client =
		transfer_client_ixfr(world, TRANSFER_ZONE, SERVED_NOW, false);
	assert_int_equal(transfer_client_records(client, TYPE_SOA), 4);
	assert_int_equal(transfer_client_records(client, TYPE_PTR), 2);
}

/* With long names of zone and key, the signature does not fit into 512 bytes beside the question.
 * The reply has TC, so the client asks again by TCP. */
static void by_udp_a_signature_that_does_not_fit_is_left_out(void **state)
{
	struct transfer_world *world = *state;
	struct transfer_client *client =
		transfer_client_new(world, TRANSFER_LONG, TYPE_IXFR, false);
	struct tsig_context tsig;

	client->query.limit = MESSAGE_UDP_MIN;
	client->query.request.has_serial = true;
	client->query.request.serial = SERVED_NOW;
	tsig_begin(&tsig, &world->served.table->acl->keys[1], 7);
	transfer_start(&world->transfers, &client->query, &world->hold, &tsig);
	assert_true(client->finished);
	assert_true(client->lengths[0] <= MESSAGE_UDP_MIN);
	assert_true(message_flags(client->bytes[0]) & FLAG_TC);
	assert_int_equal(wire_u16(client->bytes[0] + 10), 1); /* OPT */
}

/* However much was changed, each round sends one message. By UDP the answer is the SOA alone, and
 * is not counted as an answer to a client that is current. */
static void many_changes_go_out_in_many_messages(void **state)
{
	struct transfer_world *world = *state;

	transfer_world_change(world, 61, TRANSFER_WIDE_PTRS / 4);
	struct transfer_client *client =
		transfer_client_ixfr(world, TRANSFER_WIDE, SERVED_NOW, true);
	for (unsigned messages = 1; messages < 5; messages++) {
		assert_int_equal(client->messages, messages);
		transfer_world_pass(world, 1);
	}
	transfer_world_pass(world, 100);
	assert_true(client->finished && !client->cut);
	assert_int_equal(transfer_client_records(client, TYPE_PTR), 2 * (TRANSFER_WIDE_PTRS / 4));
	assert_int_equal(transfer_client_records(client, TYPE_SOA), 4);
	assert_int_equal(served_zone(&world->served, TRANSFER_WIDE)->meter->ixfr, 1);
	client = transfer_client_ixfr(world, TRANSFER_WIDE, SERVED_NOW, false);
	assert_int_equal(client->messages, 1);
	assert_true(client->lengths[0] <= 1232);
	assert_int_equal(transfer_client_records(client, TYPE_SOA), 1);
	assert_int_equal(transfer_client_records(client, TYPE_PTR), 0);
	assert_int_equal(served_zone(&world->served, TRANSFER_WIDE)->meter->current, 0);
}

#define TEST(name)                                                                                 \
	cmocka_unit_test_setup_teardown(name, transfer_world_set_up, transfer_world_tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(a_zone_goes_out_in_messages_one_a_round),
		TEST(a_record_that_is_too_large_for_any_message_cuts_it_off),
		TEST(every_message_of_a_signed_transfer_is_signed),
		TEST(who_has_it_already_gets_the_soa),
		TEST(by_udp_what_does_not_fit_is_the_soa_alone),
		TEST(by_udp_what_fits_is_there),
		TEST(by_udp_a_signature_that_does_not_fit_is_left_out),
		TEST(many_changes_go_out_in_many_messages),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
