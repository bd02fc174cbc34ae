/* What a model's addresses and services put into the table of what we own. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "rules/owned/owned.h"
#include "tests/lib/model_builder.h"

static int setup(void **state)
{
	*state = model_start();
	return 0;
}

static int teardown(void **state)
{
	model_free(*state);
	return 0;
}

static struct owned *table_of(const struct model *model)
{
	struct owned_draft *draft = owned_edit(NULL);

	assert_non_null(draft);
	assert_int_equal(owned_set_model(draft, model, &test_key), 0);
	return owned_commit(draft);
}

static const struct rrset *ptr(const struct owned *owned, const char *text)
{
	struct address address;

	assert_int_equal(address_parse(&address, text), 0);
	return owned_ptr(owned, &address);
}

static const struct rrset *host(const struct owned *owned, const char *text)
{
	struct name name = test_name(text);

	return owned_host(owned, &name);
}

static void a_ptr_has_a_ttl_of_its_own_or_the_common_one(void **state)
{
	struct model *model = *state;

	model->reverse.ttl = 1800;
	model_add_address(model, "own", "198.18.0.1", NULL, "a.example.com.")->ttl = 60;
	model_add_address(model, "none", "198.18.0.4", NULL, "d.example.com.")->ttl = 0;
	model_add_address(model, "common", "198.18.0.2", NULL, "b.example.com.");
	model_add_service(model, "svc", "198.18.0.3", "c.example.com.");
	struct owned *owned = table_of(model);
	assert_int_equal(ptr(owned, "198.18.0.1")->ttl, 60);
	assert_int_equal(ptr(owned, "198.18.0.4")->ttl, 0);
	assert_int_equal(ptr(owned, "198.18.0.2")->ttl, 1800);
	assert_int_equal(ptr(owned, "198.18.0.3")->ttl, 1800);
	assert_int_equal(host(owned, "svc.cloudapp.net.")->ttl, 1800);
	owned_unref(owned);
}

static void a_label_is_in_its_addresss_region_or_the_models(void **state)
{
	struct model *model = *state;

	model_add_address(model, "a", "198.18.0.1", "one", NULL);
	model_add_address(model, "b", "198.18.0.2", "two", NULL)->region = "eastus";
	model->reverse.suffix = "cloud.example.";
	struct owned *owned = table_of(model);
	assert_non_null(host(owned, "one.westeurope.cloud.example."));
	assert_non_null(host(owned, "two.eastus.cloud.example."));
	assert_null(host(owned, "two.westeurope.cloud.example."));
	assert_int_equal(owned_host_count(owned), 2);
	owned_unref(owned);
	model->region = NULL;
	owned = table_of(model);
	assert_int_equal(owned_host_count(owned), 1);
	owned_unref(owned);
}

static void what_has_no_address_or_no_name_is_passed_over(void **state)
{
	struct model *model = *state;

	model_add_address(model, "a", "198.18.0.1", "one", "a.example.com.")->address =
		(struct address){0};
	model_add_address(model, "b", "198.18.0.2", "", "");
	model_add_address(model, "c", "198.18.0.3", NULL, "bad..example.com.");
	model_add_address(model, "d", "198.18.0.4", NULL, "d.example.com.");
	struct owned *owned = table_of(model);
	assert_int_equal(owned_ptr_count(owned), 1);
	assert_int_equal(owned_host_count(owned), 0);
	assert_non_null(ptr(owned, "198.18.0.4"));
	owned_unref(owned);
}

/* What else is ours may be set first or afterwards. */
static void it_adds_to_what_the_draft_holds(void **state)
{
	struct model *model = *state;
	struct owned_draft *draft = owned_edit(NULL);
	struct address address;
	struct name name = test_name("other.example.com.");

	model_add_address(model, "a", "198.18.0.1", NULL, "a.example.com.");
	assert_int_equal(address_parse(&address, "198.18.0.9"), 0);
	assert_int_equal(owned_set_ptr(draft, &address, &name, 5), 0);
	assert_int_equal(owned_set_model(draft, model, &test_key), 0);
	struct owned *owned = owned_commit(draft);
	assert_non_null(ptr(owned, "198.18.0.1"));
	assert_int_equal(ptr(owned, "198.18.0.9")->ttl, 5);
	owned_unref(owned);
}

int main(void)
{
#define TEST(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
	const struct CMUnitTest tests[] = {
		TEST(a_ptr_has_a_ttl_of_its_own_or_the_common_one),
		TEST(a_label_is_in_its_addresss_region_or_the_models),
		TEST(what_has_no_address_or_no_name_is_passed_over),
		TEST(it_adds_to_what_the_draft_holds),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
