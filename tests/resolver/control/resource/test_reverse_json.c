/* Addresses and PTRs as JSON: what is shown. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "resolver/control/base/json.h"
#include "resolver/control/resource/reverse_json.h"

static struct owner mail_owner(void)
{
	struct owner owner = {
		.kind = OWNER_ADDRESS,
		.id = "6f8b4ce6-1111-4d2e-9c55-0242ac120002",
		.name = "mail",
		.resource_group = "office",
		.region = "westeurope",
		.allocation = ALLOCATION_STATIC,
		.label = "mail",
		.fqdn = "mail.westeurope.cloudapp.azure.com.",
		.tags = "{\"team\":\"a\"}",
		.ptr = {.fqdn = "mail.test.", .ttl = 3600, .status = PTR_ACTIVE},
	};
	assert_int_equal(address_parse(&owner.address, "192.0.2.1"), 0);
	return owner;
}

static const char *text_of(const json_t *object, const char *key)
{
	const json_t *value = json_object_get(object, key);
	assert_non_null(value);
	return json_string_value(value);
}

static void an_address_is_shown_by_the_configurations_keys(void **state)
{
	(void)state;
	struct owner owner = mail_owner();
	json_t *shown = json_whole(owner_json(&owner));
	assert_non_null(shown);
	assert_string_equal(text_of(shown, "address"), "192.0.2.1");
	assert_string_equal(text_of(shown, "resource_group"), "office");
	assert_string_equal(text_of(shown, "allocation"), "static");
	assert_string_equal(text_of(shown, "domain_name_label"), "mail");
	assert_string_equal(text_of(json_object_get(shown, "tags"), "team"), "a");
	assert_string_equal(text_of(shown, "reverse_fqdn"), "mail.test.");
	assert_string_equal(text_of(shown, "status"), "ACTIVE");
	assert_null(text_of(shown, "origin"));
	json_decref(shown);
}

static void a_ttl_that_is_the_default_is_shown_as_null_and_as_it_is_served(void **state)
{
	(void)state;
	struct owner owner = mail_owner();
	json_t *shown = json_whole(owner_ptr_json(&owner));
	assert_true(json_is_null(json_object_get(shown, "ttl")));
	assert_int_equal(json_integer_value(json_object_get(shown, "ttl_served")), 3600);
	json_decref(shown);
	owner.ptr.ttl_given = true;
	shown = json_whole(owner_ptr_json(&owner));
	assert_int_equal(json_integer_value(json_object_get(shown, "ttl")), 3600);
	json_decref(shown);
	owner.ptr = (struct owner_ptr){.fqdn = NULL};
	shown = json_whole(owner_ptr_json(&owner));
	assert_true(json_is_null(json_object_get(shown, "ttl_served")));
	json_decref(shown);
}

static void an_id_has_the_region_where_there_is_one(void **state)
{
	(void)state;
	struct owner owner = mail_owner();
	json_t *shown = json_whole(owner_ptr_json(&owner));
	assert_string_equal(text_of(shown, "id"),
			    "westeurope:6f8b4ce6-1111-4d2e-9c55-0242ac120002");
	json_decref(shown);
	owner.region = NULL;
	shown = json_whole(owner_ptr_json(&owner));
	assert_string_equal(text_of(shown, "id"), "6f8b4ce6-1111-4d2e-9c55-0242ac120002");
	json_decref(shown);
}

static void only_what_is_read_only_has_an_origin(void **state)
{
	(void)state;
	struct owner owner = mail_owner();
	owner.origin = (struct origin){.file = "sluice.conf", .line = 7};
	json_t *shown = owner_json(&owner);
	assert_string_equal(text_of(shown, "origin"), "sluice.conf:7");
	json_decref(shown);
	shown = owner_ptr_json(&owner);
	assert_null(text_of(shown, "origin"));
	json_decref(shown);
	owner.ptr.read_only = true;
	shown = owner_ptr_json(&owner);
	assert_string_equal(text_of(shown, "origin"), "sluice.conf:7");
	json_decref(shown);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(an_address_is_shown_by_the_configurations_keys),
		cmocka_unit_test(a_ttl_that_is_the_default_is_shown_as_null_and_as_it_is_served),
		cmocka_unit_test(an_id_has_the_region_where_there_is_one),
		cmocka_unit_test(only_what_is_read_only_has_an_origin),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
