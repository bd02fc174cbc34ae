/* The edits of a change so far, found by their paths. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "resolver/control/api/earlier.h"
#include "resolver/control/resource/kind.h"

static struct path path_to(unsigned kind, const char *group, const char *outer, const char *inner)
{
	return (struct path){kind_of_id(kind), group, {outer, inner}};
}

static void add(struct api_earlier *earlier, struct path path, json_t *values)
{
	assert_true(
		api_earlier_add(earlier, &(struct resource_edit){.path = path, .values = values}));
}

static void the_last_edit_of_a_resource_is_found_in_any_case(void **state)
{
	const struct path set = path_to(KIND_RECORD_SET, "rg", "corp.internal", "www:A"),
			  upper = path_to(KIND_RECORD_SET, "RG", "CORP.internal", "WWW:a"),
			  other = path_to(KIND_RECORD_SET, "rg", "corp.internal", "w:A");
	struct api_earlier earlier = {.edits = NULL};

	(void)state;
	assert_null(api_earlier_find(NULL, &set));
	assert_null(api_earlier_find(&earlier, &set));
	add(&earlier, set, json_object());
	add(&earlier, path_to(KIND_ZONE, "rg", "corp.internal", NULL), json_object());
	add(&earlier, upper, NULL);
	assert_ptr_equal(api_earlier_find(&earlier, &set), &earlier.edits[2]);
	assert_null(api_earlier_find(&earlier, &other));
	assert_true(api_earlier_is_since(&earlier, &set, 2));
	assert_false(api_earlier_is_since(&earlier, &set, 3));
	assert_false(api_earlier_is_since(NULL, &set, 0));
	api_earlier_release(&earlier);
}

static void the_last_edit_inside_a_resource_is_found_without_a_name(void **state)
{
	struct path any = path_to(KIND_ZONE_GROUP, "rg", "pe", NULL);
	struct api_earlier earlier = {.edits = NULL};

	(void)state;
	add(&earlier, path_to(KIND_PRIVATE_ENDPOINT, "rg", "pe", NULL), json_object());
	assert_null(api_earlier_find(&earlier, &any));
	add(&earlier, path_to(KIND_ZONE_GROUP, "rg", "pe", "a"), json_object());
	add(&earlier, path_to(KIND_ZONE_GROUP, "rg", "pe", "b"), json_object());
	add(&earlier, path_to(KIND_ZONE_GROUP, "rg", "other", "c"), json_object());
	assert_string_equal(api_earlier_find(&earlier, &any)->path.names[1], "b");
	api_earlier_release(&earlier);
}

static void addresses_of_interfaces_are_known_in_their_networks(void **state)
{
	struct api_earlier earlier = {.edits = NULL};

	(void)state;
	assert_false(api_earlier_has_address(NULL, "rg/hub/vms", "10.0.0.4"));
	assert_false(api_earlier_has_address(&earlier, "rg/hub/vms", "10.0.0.4"));
	add(&earlier, path_to(KIND_INTERFACE, "rg", "vm", NULL),
	    json_pack("{s:[{s:s, s:s}, {s:s, s:s}]}", "ip_configurations", "subnet", "rg/hub/vms",
		      "address", "10.0.0.4", "subnet", "rg/hub/six", "address", "fd00::4"));
	assert_true(api_earlier_has_address(&earlier, "rg/hub/vms", "10.0.0.4"));
	assert_true(api_earlier_has_address(&earlier, "RG/Hub/other", "10.0.0.4"));
	assert_true(api_earlier_has_address(&earlier, "rg/hub/six", "fd00::4"));
	assert_false(api_earlier_has_address(&earlier, "rg/hub/vms", "10.0.0.5"));
	assert_false(api_earlier_has_address(&earlier, "rg/spoke/vms", "10.0.0.4"));
	assert_false(api_earlier_has_address(&earlier, "dev/hub/vms", "10.0.0.4"));
	api_earlier_release(&earlier);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_last_edit_of_a_resource_is_found_in_any_case),
		cmocka_unit_test(the_last_edit_inside_a_resource_is_found_without_a_name),
		cmocka_unit_test(addresses_of_interfaces_are_known_in_their_networks),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
