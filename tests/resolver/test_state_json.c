/* The state as JSON: there and back, and what is no export. */
#include "resolver/control/state_json.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "tests/inventory_fixture.h"

#define FILE_PART                                                                                  \
	"addresses = ({ name = \"filed\"; address = \"198.51.100.10\"; reverse_fqdn = \"f.test\";" \
	" domain_name_label = \"filed\"; },\n"                                                     \
	" { name = \"bare\"; address = \"198.51.100.11\"; });\n"                                   \
	"cloud_services = ({ name = \"app\"; address = \"198.51.100.20\"; });\n"

static int set_up(void **state)
{
	struct inventory_fixture *fixture = calloc(1, sizeof *fixture);

	inventory_fixture_init(fixture, FIXTURE_WORLD FILE_PART);
	*state = fixture;
	return 0;
}

static int tear_down(void **state)
{
	inventory_fixture_release(*state);
	free(*state);
	return 0;
}

static const struct owner *named(const struct inventory_fixture *fixture, const char *name)
{
	const struct owner *address = inventory_address(fixture->inventory, NULL, name);

	return address ? address : inventory_service(fixture->inventory, name);
}

static void check_error(struct change *change, enum change_outcome outcome, const char *field,
			const char *says)
{
	const struct change_error *error = change_error(change);

	if (error->outcome != outcome || !strstr(error->text, says))
		fprintf(stderr, "%d %s: %s\n", error->outcome, error->field, error->text);
	assert_int_equal(error->outcome, outcome);
	assert_string_equal(error->field, field);
	assert_non_null(strstr(error->text, says));
	assert_int_not_equal(change_commit(change), 0);
	change_free(change);
}

static void an_export_imported_elsewhere_is_the_same_export(void **state)
{
	static const struct change_value values[] = {{"name", "Web"},
						     {"resource_group", "g"},
						     {"address", "198.51.100.40"},
						     {"allocation", "static"},
						     {"tags", "{\"a\": \"1\"}"},
						     {"domain_name_label", "web1"}};
	static const struct change_value service[] = {
		{"name", "svc"}, {"address", "198.51.100.41"}, {"description", "words"}};
	static const struct change_ptr ptr = {"w.test.", "mail", true, 7};
	struct inventory_fixture *fixture = *state, other;
	struct change *change = change_begin(fixture->inventory);
	const struct owner *owner;

	assert_int_equal(change_add(change, OWNER_ADDRESS, values, 6, &owner), 0);
	assert_int_equal(change_ptr_set(change, owner, &ptr), 0);
	assert_int_equal(change_add(change, OWNER_SERVICE, service, 3, NULL), 0);
	assert_int_equal(change_commit(change), 0);
	change_free(change);
	inventory_fixture_point(fixture, named(fixture, "bare"), "bare.test.");
	json_t *exported = state_export(fixture->inventory);
	assert_non_null(exported);

	inventory_fixture_init(&other, FIXTURE_WORLD FILE_PART);
	inventory_fixture_add(&other, "not-in-the-export", "198.51.100.90");
	for (unsigned i = 0; i < 2; i++) {
		change = change_begin(other.inventory);
		assert_int_equal(state_import(change, exported), 0);
		assert_int_equal(change_commit(change), 0);
		change_free(change);
		inventory_fixture_restart(&other);
		json_t *again = state_export(other.inventory);
		assert_true(json_equal(exported, again));
		json_decref(again);
	}
	assert_int_equal(json_array_size(json_object_get(exported, "ptrs")), 2);
	assert_true(inventory_fixture_serves(&other, "198.51.100.40", "w.test.", 7));
	assert_null(named(&other, "not-in-the-export"));
	inventory_fixture_release(&other);
	json_decref(exported);
}

static void an_import_with_one_mistake_imports_nothing_and_names_the_place(void **state)
{
	static const struct {
		const char *text, *field, *says;
	} wrong[] = {
		{"{}", "version", "not one that"},
		{"{\"version\": 2}", "version", "not one that"},
		{"{\"version\": 1, \"addresses\": {}}", "addresses", "not a list"},
		{"{\"version\": 1, \"addresses\": [{\"name\": \"a\", \"address\": "
		 "\"198.51.100.90\"}, {\"name\": \"b\", \"address\": \"192.0.2.1\"}]}",
		 "addresses[1].address", "192.0.2.1"},
		{"{\"version\": 1, \"addresses\": [7]}", "addresses[0]", "not what an export"},
		{"{\"version\": 1, \"services\": [{\"name\": 7}]}", "services[0].name",
		 "not a string"},
		{"{\"version\": 1, \"ptrs\": [{\"owner\": \"x\"}]}", "ptrs[0].owner", "\"x\""},
	};
	struct inventory_fixture *fixture = *state;

	inventory_fixture_add(fixture, "there", "198.51.100.60");
	for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
		struct change *change = change_begin(fixture->inventory);
		json_t *document = json_loads(wrong[i].text, 0, NULL);

		assert_non_null(document);
		assert_int_not_equal(state_import(change, document), 0);
		check_error(change, CHANGE_INVALID, wrong[i].field, wrong[i].says);
		json_decref(document);
		assert_non_null(named(fixture, "there"));
		assert_null(named(fixture, "a"));
	}
}

#define T(test) cmocka_unit_test_setup_teardown(test, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		T(an_export_imported_elsewhere_is_the_same_export),
		T(an_import_with_one_mistake_imports_nothing_and_names_the_place),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
