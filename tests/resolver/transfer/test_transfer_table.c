/* Which zones go out, from one policy to the next: their serials, and what is remembered of them.
 */
#include "resolver/transfer/table.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include "rules/zone/serial.h"
#include "tests/lib/served_zones.h"

struct fixture {
	struct served_zones served;
	struct serial_keeper keeper;
	struct kept_serial kept; /* what it recalls */
	bool has_kept;
	size_t keeps; /* it was called so often */
};

static bool recall(void *context, const char *zone, struct kept_serial *kept)
{
	struct fixture *f = context;

	(void)zone;
	*kept = f->kept;
	return f->has_kept;
}

static void keep(void *context, const struct transfer_zone *const *zones, size_t count)
{
	struct fixture *f = context;

	(void)zones;
	f->keeps += count;
}

static int setup(void **state)
{
	struct fixture *f = calloc(1, sizeof *f);

	served_init(&f->served);
	served_add_zones(&f->served);
	f->keeper = (struct serial_keeper){f, recall, keep};
	f->served.keeper = &f->keeper;
	*state = f;
	return 0;
}

static int teardown(void **state)
{
	struct fixture *f = *state;

	served_release(&f->served);
	free(f);
	return 0;
}

static void a_star_is_every_reverse_zone_that_anybody_may_see(void **state)
{
	struct fixture *f = *state;

	served_compile(&f->served, SERVED_NOW);
	assert_int_equal(f->served.table->count, 3);
	assert_non_null(served_zone(&f->served, SERVED_REVERSE));
	assert_non_null(served_zone(&f->served, "113.0.203.in-addr.arpa."));
	assert_non_null(served_zone(&f->served, "8.b.d.0.1.0.0.2.ip6.arpa."));
	assert_null(served_zone(&f->served, "10.10.in-addr.arpa."));
	assert_null(served_zone(&f->served, "a.test."));
}

/* The pool 172.0.0.0/8 has private addresses, but is one zone, which can only be left out whole. */
static void a_star_leaves_out_a_zone_that_has_private_addresses_among_others(void **state)
{
	struct fixture *f = *state;

	model_add_pool(f->served.model, "wide", "172.0.0.0/8");
	served_compile(&f->served, SERVED_NOW);
	assert_null(served_zone(&f->served, "172.in-addr.arpa."));
	f->served.zones[1] = "172.in-addr.arpa";
	f->served.entry.zones.count = 2;
	served_compile(&f->served, SERVED_NOW);
	assert_non_null(served_zone(&f->served, "172.in-addr.arpa."));
}

static void private_zones_and_addresses_go_out_by_name(void **state)
{
	struct fixture *f = *state;

	f->served.zones[0] = "A.test";
	f->served.zones[1] = "10.10.in-addr.arpa";
	f->served.entry.zones.count = 2;
	served_compile(&f->served, SERVED_NOW);
	assert_int_equal(f->served.table->count, 2);
	assert_int_equal(served_zone(&f->served, "a.test.")->serial, 7);
	assert_int_equal(served_zone(&f->served, "10.10.in-addr.arpa.")->serial, SERVED_NOW);
}

static void a_change_moves_the_serial_of_its_zone_and_of_no_other(void **state)
{
	struct fixture *f = *state;

	served_compile(&f->served, SERVED_NOW);
	const struct transfer_zone *other = served_zone(&f->served, "113.0.203.in-addr.arpa.");
	served_point(&f->served, "198.51.100.7", "a.test.", SERVED_NOW + 10);
	assert_int_equal(served_zone(&f->served, SERVED_REVERSE)->serial, SERVED_NOW + 10);
	assert_ptr_equal(served_zone(&f->served, "113.0.203.in-addr.arpa."), other);
	assert_int_equal(other->serial, SERVED_NOW);
	served_point(&f->served, "198.51.100.7", "b.test.", SERVED_NOW + 10);
	assert_int_equal(served_zone(&f->served, SERVED_REVERSE)->serial, SERVED_NOW + 11);
	served_point(&f->served, "198.51.100.7", "b.test.", SERVED_NOW + 20); /* what it was */
	assert_int_equal(served_zone(&f->served, SERVED_REVERSE)->serial, SERVED_NOW + 11);
	served_point(&f->served, "10.10.3.4", "b.test.",
		     SERVED_NOW + 20); /* of nobody's zone here */
	assert_int_equal(served_zone(&f->served, SERVED_REVERSE)->serial, SERVED_NOW + 11);
}

static void several_changes_move_the_serials_of_their_zones(void **state)
{
	struct fixture *f = *state;

	served_compile(&f->served, SERVED_NOW);
	const struct transfer_zone *other = served_zone(&f->served, "113.0.203.in-addr.arpa.");
	struct owned_draft *draft = owned_edit(f->served.policy->owned);
	served_set_ptr(draft, "198.51.100.255", "a.test.");
	served_set_ptr(draft, "203.0.112.255", "a.test."); /* of nobody, on either side of it */
	served_set_ptr(draft, "203.0.114.0", "a.test.");
	served_set_ptr(draft, "2001:db8::", "a.test.");
	served_advance(&f->served, draft, SERVED_NOW + 10);
	assert_int_equal(served_zone(&f->served, SERVED_REVERSE)->serial, SERVED_NOW + 10);
	assert_int_equal(served_zone(&f->served, "8.b.d.0.1.0.0.2.ip6.arpa.")->serial,
			 SERVED_NOW + 10);
	assert_ptr_equal(served_zone(&f->served, "113.0.203.in-addr.arpa."), other);
	assert_int_equal(f->served.table->fresh_count, 2);
}

static void very_many_changes_do_so_too(void **state)
{
	struct fixture *f = *state;
	char address[20];

	served_compile(&f->served, SERVED_NOW);
	const struct transfer_zone *other = served_zone(&f->served, SERVED_REVERSE);
	struct owned_draft *draft = owned_edit(f->served.policy->owned);
	for (unsigned i = 0; i < 2000; i++) {
		snprintf(address, sizeof address, "10.10.%u.%u", i / 250, i % 250);
		served_set_ptr(draft, address, "a.test.");
	}
	served_set_ptr(draft, "203.0.113.0", "a.test.");
	served_advance(&f->served, draft, SERVED_NOW + 10);
	assert_int_equal(served_zone(&f->served, "113.0.203.in-addr.arpa.")->serial,
			 SERVED_NOW + 10);
	assert_ptr_equal(served_zone(&f->served, SERVED_REVERSE), other);
}

static void the_soa_that_is_answered_has_the_serial(void **state)
{
	struct fixture *f = *state;

	served_compile(&f->served, SERVED_NOW);
	assert_int_equal(served_answered(&f->served, SERVED_REVERSE), SERVED_NOW);
	served_point(&f->served, "198.51.100.7", "a.test.", SERVED_NOW + 10);
	assert_int_equal(served_answered(&f->served, SERVED_REVERSE), SERVED_NOW + 10);
	assert_int_equal(served_answered(&f->served, "113.0.203.in-addr.arpa."), SERVED_NOW);
	/* In a negative answer, too. */
	struct name name = test_name("8." SERVED_REVERSE);
	struct verdict verdict;
	policy_decide(f->served.policy, (struct place){0, false}, &name, TYPE_PTR, &verdict, NULL);
	assert_int_equal(verdict.answer.outcome, ZONE_NXDOMAIN);
	assert_int_equal(zone_serial(verdict.answer.zone), SERVED_NOW + 10);
}

static void a_reload_without_a_change_keeps_serials_and_the_past(void **state)
{
	struct fixture *f = *state;

	served_compile(&f->served, SERVED_NOW);
	served_point(&f->served, "198.51.100.7", "a.test.", SERVED_NOW + 10);
	f->served.model->owned = owned_ref(f->served.policy->owned);
	served_compile(&f->served, SERVED_NOW + 20);
	assert_int_equal(served_zone(&f->served, SERVED_REVERSE)->serial, SERVED_NOW + 10);
	assert_int_equal(served_zone(&f->served, SERVED_REVERSE)->past_count, 1);
	assert_int_equal(served_answered(&f->served, SERVED_REVERSE), SERVED_NOW + 10);
}

static void a_reload_that_changes_an_address_moves_the_serial(void **state)
{
	struct fixture *f = *state;

	served_compile(&f->served, SERVED_NOW);
	model_add_address(f->served.model, "vm", "198.51.100.7", NULL, "vm.test.");
	served_compile(&f->served, SERVED_NOW + 20);
	assert_int_equal(served_zone(&f->served, SERVED_REVERSE)->serial, SERVED_NOW + 20);
	assert_int_equal(served_zone(&f->served, "113.0.203.in-addr.arpa.")->serial, SERVED_NOW);
}

static void other_name_servers_move_the_serial_and_end_the_past(void **state)
{
	struct fixture *f = *state;
	static const char *servers[] = {"ns.test."};

	served_compile(&f->served, SERVED_NOW);
	served_point(&f->served, "198.51.100.7", "a.test.", SERVED_NOW + 10);
	f->served.model->owned = owned_ref(f->served.policy->owned);
	f->served.model->reverse.name_servers.items = servers;
	f->served.model->reverse.name_servers.count = 1;
	served_compile(&f->served, SERVED_NOW + 20);
	assert_int_equal(served_zone(&f->served, SERVED_REVERSE)->serial, SERVED_NOW + 20);
	assert_int_equal(served_zone(&f->served, SERVED_REVERSE)->past_count, 0);
}

/* "*" is the one that the pool's delegation goes by, whatever that was before. */
static void its_two_spellings_may_change_places(void **state)
{
	struct fixture *f = *state;

	model_add_pool(f->served.model, "half", "192.0.2.0/25");
	f->served.zones[1] = "0-25.2.0.192.in-addr.arpa";
	f->served.entry.zones.count = 2;
	served_compile(&f->served, SERVED_NOW);
	served_point(&f->served, "192.0.2.9", "in.test.", SERVED_NOW + 1);
	assert_false(served_zone(&f->served, "0-127.2.0.192.in-addr.arpa.")->alias);
	assert_true(served_zone(&f->served, "0-25.2.0.192.in-addr.arpa.")->alias);
	struct address_pool *pool =
		&f->served.model->address_pools.items[f->served.model->address_pools.count - 1];
	pool->zone = "0-25.2.0.192.in-addr.arpa";
	f->served.entry.zones.count = 1;
	f->served.model->owned = owned_ref(f->served.policy->owned);
	served_compile(&f->served, SERVED_NOW + 2);
	const struct transfer_zone *half = served_zone(&f->served, "0-25.2.0.192.in-addr.arpa.");
	assert_non_null(half);
	assert_false(half->alias);
	assert_int_equal(half->serial, SERVED_NOW + 1); /* it says what it said */
	assert_true(transfer_acl_covers(f->served.table->acl, half));
}

/* ---- what is remembered ---- */

static uint64_t empty_digest(struct fixture *f)
{
	served_compile(&f->served, SERVED_NOW);
	return served_zone(&f->served, SERVED_REVERSE)->content.digest;
}

static void remember(struct fixture *f, uint32_t serial, uint32_t reserved, uint64_t digest)
{
	f->kept = (struct kept_serial){serial, reserved, digest};
	f->has_kept = true;
	f->served.zones[0] = "100.51.198.in-addr.arpa";
	served_forget(&f->served);
	policy_free(f->served.policy);
	transfer_table_free(f->served.table);
	f->served.policy = NULL;
	f->served.table = NULL;
}

static void what_has_not_changed_since_it_was_remembered_keeps_its_serial(void **state)
{
	struct fixture *f = *state;

	remember(f, 41, 41, empty_digest(f));
	served_compile(&f->served, SERVED_NOW);
	assert_int_equal(served_zone(&f->served, SERVED_REVERSE)->serial, 41);
}

static void what_has_changed_gets_a_later_one(void **state)
{
	struct fixture *f = *state;

	remember(f, SERVED_NOW + 500, SERVED_NOW + 500, empty_digest(f) + 1);
	served_compile(&f->served, SERVED_NOW);
	assert_int_equal(served_zone(&f->served, SERVED_REVERSE)->serial, SERVED_NOW + 501);
}

static void what_may_have_been_given_out_is_not_given_out_again(void **state)
{
	struct fixture *f = *state;

	remember(f, SERVED_NOW + 500, SERVED_NOW + 756, empty_digest(f));
	served_compile(&f->served, SERVED_NOW);
	assert_int_equal(served_zone(&f->served, SERVED_REVERSE)->serial, SERVED_NOW + 757);
}

static void only_what_is_new_is_written_down(void **state)
{
	struct fixture *f = *state;

	served_compile(&f->served, SERVED_NOW);
	assert_int_equal(f->keeps, 3);
	served_point(&f->served, "198.51.100.7", "a.test.", SERVED_NOW + 10);
	assert_int_equal(f->keeps, 4);
	served_point(&f->served, "10.10.3.4", "b.test.", SERVED_NOW + 20);
	assert_int_equal(f->keeps, 4);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(a_star_is_every_reverse_zone_that_anybody_may_see),
		TEST(a_star_leaves_out_a_zone_that_has_private_addresses_among_others),
		TEST(private_zones_and_addresses_go_out_by_name),
		TEST(a_change_moves_the_serial_of_its_zone_and_of_no_other),
		TEST(several_changes_move_the_serials_of_their_zones),
		TEST(very_many_changes_do_so_too),
		TEST(the_soa_that_is_answered_has_the_serial),
		TEST(a_reload_without_a_change_keeps_serials_and_the_past),
		TEST(a_reload_that_changes_an_address_moves_the_serial),
		TEST(other_name_servers_move_the_serial_and_end_the_past),
		TEST(its_two_spellings_may_change_places),
		TEST(what_has_not_changed_since_it_was_remembered_keeps_its_serial),
		TEST(what_has_changed_gets_a_later_one),
		TEST(what_may_have_been_given_out_is_not_given_out_again),
		TEST(only_what_is_new_is_written_down),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
