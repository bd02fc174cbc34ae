/* Who may have a zone. */
#include "resolver/transfer/acl.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "rules/schema/reference.h"
#include "tests/lib/served_zones.h"

static void an_entry_wants_its_clients_and_its_key(void **state)
{
	struct served_zones *f = *state;
	struct prefix allow[1];
	struct tsig_settings keys[] = {{.name = "other.test", .secret = "Zm9v"},
				       {.name = "k.test", .secret = "Zm9v"}};
	struct address in, out;

	assert_int_equal(prefix_parse(&allow[0], "192.0.2.0/24"), 0);
	assert_int_equal(address_parse(&in, "192.0.2.255"), 0);
	assert_int_equal(address_parse(&out, "192.0.3.0"), 0);
	f->entry.allow.items = allow;
	f->entry.allow.count = 1;
	f->model->keys.items = keys;
	f->model->keys.count = 2;
	served_compile(f, SERVED_NOW);
	const struct tsig_key *known = f->table->acl->keys; /* sorted */
	assert_true(transfer_acl_allows(f->table->acl, served_zone(f, SERVED_REVERSE), &in, NULL));
	assert_true(
		transfer_acl_allows(f->table->acl, served_zone(f, SERVED_REVERSE), &in, &known[1]));
	assert_false(
		transfer_acl_allows(f->table->acl, served_zone(f, SERVED_REVERSE), &out, NULL));
	f->entry.key = "K.test.";
	served_compile(f, SERVED_NOW);
	known = f->table->acl->keys;
	assert_true(
		transfer_acl_allows(f->table->acl, served_zone(f, SERVED_REVERSE), &in, &known[0]));
	assert_false(
		transfer_acl_allows(f->table->acl, served_zone(f, SERVED_REVERSE), &in, &known[1]));
	assert_false(transfer_acl_allows(f->table->acl, served_zone(f, SERVED_REVERSE), &in, NULL));
	assert_false(transfer_acl_allows(f->table->acl, served_zone(f, SERVED_REVERSE), &out,
					 &known[0]));
}

static void an_entry_names_its_zones_in_any_spelling(void **state)
{
	struct served_zones *f = *state;
	static struct private_zone *grouped;

	model_add_zone(f->model, "b.test", "", "hub");
	model_add_zone(f->model, "dev.test", "", "hub");
	grouped = &f->model->private_zones.items[f->model->private_zones.count - 1];
	grouped->resource_group = "Dev";
	assert_int_equal(reference_name(&grouped->named, &f->model->arena), 0);
	f->zones[0] = "B.test.";
	f->zones[1] = "dev/DEV.test";
	f->zones[2] = "113.0.203.IN-ADDR.arpa";
	f->entry.zones.count = 3;
	served_compile(f, SERVED_NOW);
	assert_non_null(served_zone(f, "b.test."));
	assert_non_null(served_zone(f, "dev.test."));
	assert_non_null(served_zone(f, "113.0.203.in-addr.arpa."));
	assert_null(served_zone(f, "a.test."));
	assert_null(served_zone(f, SERVED_REVERSE));
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, served_set_up, served_tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(an_entry_wants_its_clients_and_its_key),
		TEST(an_entry_names_its_zones_in_any_spelling),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
