#include "tests/lib/served_zones.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "rules/zone/serial.h"

void served_init(struct served_zones *served)
{
	memset(served, 0, sizeof *served);
	served->model = model_start();
	model_add_network(served->model, "hub", "10.10.0.0/16");
	served->zones[0] = "*";
	served->entry.zones.items = served->zones;
	served->entry.zones.count = 1;
	served->model->transfers.items = &served->entry;
	served->model->transfers.count = 1;
}

void served_add_zones(struct served_zones *served)
{
	model_add_pool(served->model, "public", "198.51.100.0/24");
	model_add_pool(served->model, "other", "203.0.113.0/24");
	model_add_pool(served->model, "inside", "10.10.0.0/16");
	model_add_pool(served->model, "six", "2001:db8::/32");
	model_add_zone(served->model, "a.test",
		       "@ SOA ns host 7 3600 300 86400 300\nwww A 192.0.2.1\n", "hub");
}

void served_forget(struct served_zones *served)
{
	policy_free(served->policy_before);
	transfer_table_free(served->before);
	served->policy_before = NULL;
	served->before = NULL;
}

void served_release(struct served_zones *served)
{
	served_forget(served);
	policy_free(served->policy);
	transfer_table_free(served->table);
	served->model->transfers.count = served->model->keys.count = 0;
	model_free(served->model);
}

static void rest_before(struct served_zones *served)
{
	served_forget(served);
	served->policy_before = served->policy;
	served->before = served->table;
}

/* As the server does before its workers get the table. */
static void keep(const struct served_zones *served)
{
	if (served->keeper)
		transfer_table_keep(served->table, served->keeper);
}

void served_compile(struct served_zones *served, uint64_t now_s)
{
	rest_before(served);
	served->policy = model_compile(served->model, served->policy_before);
	assert_int_equal(transfer_table_compile(&served->table, served->model, served->policy,
						served->before, served->keeper, now_s),
			 0);
	keep(served);
}

void served_advance(struct served_zones *served, struct owned_draft *draft, uint64_t now_s)
{
	struct owned *owned = owned_commit(draft);

	rest_before(served);
	served->policy =
		policy_with_owned(served->policy_before, owned, served->policy_before->registered);
	owned_unref(owned);
	assert_non_null(served->policy);
	assert_int_equal(
		transfer_table_advance(&served->table, served->policy, served->before, now_s), 0);
	keep(served);
}

void served_set_ptr(struct owned_draft *draft, const char *address, const char *target)
{
	struct address at;
	struct name name = test_name(target ? target : ".");

	assert_int_equal(address_parse(&at, address), 0);
	assert_int_equal(owned_set_ptr(draft, &at, target ? &name : NULL, 60), 0);
}

void served_point(struct served_zones *served, const char *address, const char *target,
		  uint64_t now_s)
{
	struct owned_draft *draft = owned_edit(served->policy->owned);

	served_set_ptr(draft, address, target);
	served_advance(served, draft, now_s);
}

const struct transfer_zone *served_zone(const struct served_zones *served, const char *text)
{
	struct name name = test_name(text);
	size_t at = 0;

	return transfer_table_next(served->table, &name, &at);
}

int served_set_up(void **state)
{
	struct served_zones *served = malloc(sizeof *served);

	assert_non_null(served);
	served_init(served);
	served_add_zones(served);
	*state = served;
	return 0;
}

int served_tear_down(void **state)
{
	served_release(*state);
	free(*state);
	return 0;
}

uint32_t served_answered(const struct served_zones *served, const char *text)
{
	struct name name = test_name(text);
	struct verdict verdict;

	policy_decide(served->policy, (struct place){0, false}, &name, TYPE_SOA, &verdict, NULL);
	assert_int_equal(verdict.kind, VERDICT_ANSWER);
	assert_int_equal(verdict.answer.outcome, ZONE_HIT);
	return zone_serial(verdict.answer.zone);
}
