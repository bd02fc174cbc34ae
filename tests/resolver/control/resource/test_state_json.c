/* The state as JSON: there and back, and what is no export. */
#include "resolver/control/resource/state_json.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "resolver/control/resource/group.h"
#include "tests/lib/addresses_fixture.h"

#define UNKNOWN "00000000-1111-4222-8333-444444444444"

static json_t *exported_by(struct resources *resources)
{
	size_t length;
	char *text = state_export(resources, &length);
	json_t *document = text ? json_loads(text, JSON_REJECT_DUPLICATES, NULL) : NULL;

	free(text);
	assert_non_null(document);
	return document;
}

/* *error says why not. */
static int try_import(struct addresses_fixture *fixture, const json_t *document,
		      struct change_error *error)
{
	store_hold(resources_store(fixture->resources), true);
	struct resources *aside = resources_copy(fixture->resources, STORE_ASIDE);
	struct address_draft *draft = edit_begin(aside, "test");
	int err = edit_import(draft, document);

	if (!err)
		err = edit_commit(draft);
	*error = *draft_error(draft);
	edit_free(draft);
	resources_copy_free(aside);
	store_hold(resources_store(fixture->resources), false);
	return err;
}

static void import(struct addresses_fixture *fixture, json_t *document)
{
	struct change_error error;

	if (try_import(fixture, document, &error) != 0)
		fprintf(stderr, "%s: %s\n", error.field, error.text);
	assert_int_equal(error.outcome, CHANGE_FINE);
}

static void an_export_imported_elsewhere_is_the_same_export(void **state)
{
	static const struct edit_value values[] = {{"name", "Web"},
						   {"resource_group", "g"},
						   {"address", "198.51.100.40"},
						   {"allocation", "static"},
						   {"tags", "{\"a\": \"1\"}"},
						   {"domain_name_label", "web1"}};
	static const struct edit_value service[] = {
		{"name", "svc"}, {"address", "198.51.100.41"}, {"description", "words"}};
	static const struct owned_item ptr = {
		.reverse_fqdn = "w.test.", .ptr_description = "mail", .ttl = 7};
	json_t *tags = json_pack("{s:s}", "a", "1");
	struct tag tag = {"a", "1"};
	const struct resource_group empty = {.name = "Empty", .region = "west", .tags = {&tag, 1}};
	struct addresses_fixture *fixture = *state, other;
	struct address_draft *draft = edit_begin(fixture->resources, "test");
	const struct owned_resource *resource;

	assert_int_equal(edit_add(draft, KIND_ADDRESS, values, 6, &resource), 0);
	assert_int_equal(edit_point(draft, resource, &ptr), 0);
	assert_int_equal(edit_add(draft, KIND_SERVICE, service, 3, NULL), 0);
	assert_int_equal(edit_commit(draft), 0);
	edit_free(draft);
	draft = edit_begin(fixture->resources, "test");
	assert_int_equal(edit_group(draft, &empty), 0);
	json_decref(tags);
	assert_int_equal(edit_commit(draft), 0);
	edit_free(draft);
	addresses_fixture_point(fixture, addresses_fixture_named(fixture, "bare"), "bare.test.");
	json_t *exported = exported_by(fixture->resources);

	addresses_fixture_init(&other, FIXTURE_WORLD FIXTURE_FILED);
	addresses_fixture_add(&other, "not-in-the-export", "198.51.100.90");
	for (unsigned i = 0; i < 2; i++) {
		import(&other, exported);
		addresses_fixture_restart(&other);
		json_t *again = exported_by(other.resources);
		assert_true(json_equal(exported, again));
		json_decref(again);
	}
	assert_int_equal(json_array_size(json_object_get(exported, "ptrs")), 2);
	assert_int_equal(json_array_size(json_object_get(exported, "groups")), 2);
	assert_true(addresses_fixture_serves(&other, "198.51.100.40", "w.test.", 7));
	assert_null(addresses_fixture_named(&other, "not-in-the-export"));
	addresses_fixture_release(&other);
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
		{"{\"version\": 1, \"waiting\": {}}", "waiting", "not a list"},
		{"{\"version\": 1, \"waiting\": [{\"owner\": \"" UNKNOWN
		 "\", \"reverse_fqdn\": \"a.test.\", \"description\": 7, \"ttl\": 60}]}",
		 "waiting[0].description", "give a string"},
		{"{\"version\": 1, \"waiting\": [{\"owner\": \"" UNKNOWN
		 "\", \"reverse_fqdn\": \"a.test.\", \"description\": \"d\", \"ttl\": \"60\"}]}",
		 "waiting[0].ttl", "give an integer"},
		{"{\"version\": 1, \"waiting\": [{\"owner\": \"198.51.100.11\", \"reverse_fqdn\": "
		 "\"a.test.\"}]}",
		 "waiting[0].owner", "give a UUID"},
		{"{\"version\": 1, \"waiting\": [{\"owner\": \"x\", \"reverse_fqdn\": "
		 "\"a.test.\"}]}",
		 "waiting[0].owner", ""},
		{"{\"version\": 1, \"waiting\": [{\"owner\": \"" UNKNOWN "\"}]}",
		 "waiting[0].reverse_fqdn", "missing"},
		{"{\"version\": 1, \"waiting\": [{\"owner\": \"" UNKNOWN
		 "\", \"reverse_fqdn\": \"\"}]}",
		 "waiting[0].reverse_fqdn", ""},
		{"{\"version\": 1, \"waiting\": [{\"owner\": \"" UNKNOWN
		 "\", \"reverse_fqdn\": \"*.test.\"}]}",
		 "waiting[0].reverse_fqdn", ""},
		{"{\"version\": 1, \"groups\": [{\"name\": \"g\"}, {\"name\": \"G\"}]}",
		 "groups[1].name", "twice"},
		{"{\"version\": 1, \"groups\": [{\"name\": \"g\", \"tags\": 7}]}", "groups[0].tags",
		 "object of strings"},
		{"{\"version\": 1, \"groups\": [{}]}", "groups[0].name", "is missing"},
		{"{\"version\": 1, \"groups\": [7]}", "groups[0]", "not what an export"},
		{"{\"version\": 1, \"waiting\": [{\"owner\": \"" UNKNOWN
		 "\", \"reverse_fqdn\": \"a.test.\"}, {\"owner\": \"" UNKNOWN
		 "\", \"reverse_fqdn\": \"b.test.\"}]}",
		 "waiting[1].owner", "twice"},
		{"{\"version\": 1, \"addresses\": [{\"name\": \"a\", \"address\": "
		 "\"198.51.100.90\", \"reverse_fqdn\": \"a.test.\"}]}",
		 "addresses[0].reverse_fqdn", "not what an export"},
		{"{\"version\": 1, \"addresses\": [{\"name\": \"a\", \"address\": null}]}",
		 "addresses[0].address", "not what an export"},
		{"{\"version\": 1, \"addresses\": [{\"id\": \"" UNKNOWN "\", \"name\": \"a\"}], "
		 "\"ptrs\": [{\"owner\": \"" UNKNOWN "\", \"reverse_fqdn\": \"*.test.\"}]}",
		 "ptrs[0].reverse_fqdn", "*.test."},
		{"{\"version\": 1, \"addresses\": [{\"id\": \"" UNKNOWN "\", \"name\": \"a\"}], "
		 "\"ptrs\": [{\"owner\": \"" UNKNOWN "\", \"reverse_fqdn\": \"a.test.\", "
		 "\"ttl_\": 5}]}",
		 "ptrs[0].ttl_", "did you mean \"ttl\""},
		{"{\"version\": 1, \"addresses\": [{\"id\": 7, \"name\": \"a\"}]}",
		 "addresses[0].id", "not a string"},
		{"{\"version\": 1, \"addresses\": [{\"id\": \"7\", \"name\": \"a\"}], "
		 "\"ptrs\": [{\"owner\": \"7\", \"reverse_fqdn\": \"a.test.\"}]}",
		 "addresses[0].id", "give a UUID"},
		{"{\"version\": 1, \"addresses\": [{\"id\": \"" UNKNOWN "\", \"name\": \"a\"}], "
		 "\"services\": [{\"id\": \"" UNKNOWN "\", \"name\": \"b\"}]}",
		 "services[0].id", "twice"},
		{"{\"version\": 1, \"services\": [{\"id\": \"" UNKNOWN "\", \"name\": \"a\"}], "
		 "\"waiting\": [{\"owner\": \"" UNKNOWN
		 "\", \"reverse_fqdn\": \"a.test.\", \"description\": 7}]}",
		 "waiting[0].description", "string"},
	};
	struct addresses_fixture *fixture = *state;

	addresses_fixture_add(fixture, "there", "198.51.100.60");
	for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
		struct change_error error;
		json_t *document = json_loads(wrong[i].text, 0, NULL);

		assert_non_null(document);
		assert_int_not_equal(try_import(fixture, document, &error), 0);
		assert_int_equal(error.outcome, CHANGE_INVALID);
		assert_string_equal(error.field, wrong[i].field);
		assert_non_null(strstr(error.text, wrong[i].says));
		json_decref(document);
		assert_non_null(addresses_fixture_named(fixture, "there"));
		assert_null(addresses_fixture_named(fixture, "a"));
	}
}

static void a_name_that_is_there_already_is_taken(void **state)
{
	static const struct {
		const char *text, *field;
	} wrong[] = {
		{"{\"version\": 1, \"addresses\": [{\"name\": \"a\"}, {\"name\": \"A\"}]}",
		 "addresses[1].name"},
		{"{\"version\": 1, \"addresses\": [{\"name\": \"filed\"}]}", "addresses[0].name"},
	};
	struct addresses_fixture *fixture = *state;

	for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
		json_t *document = json_loads(wrong[i].text, 0, NULL);
		struct change_error error;

		assert_int_not_equal(try_import(fixture, document, &error), 0);
		assert_int_equal(error.outcome, CHANGE_TAKEN);
		assert_string_equal(error.field, wrong[i].field);
		json_decref(document);
	}
}

/* Sets a member of the document's address with that name. */
static void set_text(json_t *document, const char *name, const char *key, const char *text)
{
	json_t *address;
	size_t i;

	json_array_foreach(json_object_get(document, "addresses"), i, address)
	{
		const char *own = json_string_value(json_object_get(address, "name"));

		if (strcmp(own, name) == 0)
			assert_int_equal(json_object_set_new(address, key, json_string(text)), 0);
	}
}

static void only_what_differs_is_written(void **state)
{
	struct addresses_fixture *fixture = *state;
	const struct owned_resource *found;
	json_t *exported;
	uint64_t before;

	addresses_fixture_add(fixture, "one", "198.51.100.60");
	addresses_fixture_add(fixture, "two", "198.51.100.61");
	addresses_fixture_point(fixture, addresses_fixture_named(fixture, "two"), "two.test.");
	addresses_fixture_point(fixture, addresses_fixture_named(fixture, "bare"), "bare.test.");
	before = fixture->resources->addresses.past.changed;
	exported = exported_by(fixture->resources);
	import(fixture, exported);
	assert_int_equal(fixture->resources->addresses.past.changed, before);
	set_text(exported, "one", "domain_name_label", "one");
	import(fixture, exported);
	assert_true(addresses_fixture_named(fixture, "one")->item.origin.revision > before);
	found = addresses_fixture_named(fixture, "two");
	assert_true(found->item.origin.revision <= before);
	assert_true(addresses_fixture_serves(fixture, "198.51.100.61", "two.test.", 3600));
	assert_true(addresses_fixture_serves(fixture, "198.51.100.11", "bare.test.", 3600));
	json_decref(exported);
}

/* Whatever the group was before. */
static void a_group_that_only_addresses_name_is_as_the_first_address_makes_it(void **state)
{
	struct addresses_fixture *fixture = *state;
	struct resource_group group;
	json_t *document = json_pack("{s:i, s:[{s:s, s:s, s:s, s:s}]}", "version", 1, "addresses",
				     "name", "a", "address", "198.51.100.60", "allocation",
				     "static", "resource_group", "g");

	assert_non_null(document);
	import(fixture, document);
	assert_true(group_find(fixture->resources, "g", &group));
	assert_string_equal(group.region, resources_model(fixture->resources)->region);
	set_text(document, "a", "region", "west");
	set_text(document, "a", "resource_group", "G");
	import(fixture, document);
	assert_true(group_find(fixture->resources, "g", &group));
	assert_string_equal(group.region, "west");
	assert_string_equal(group.name, "G");
	json_decref(document);
}

static int on_group_removal(void *count, const struct source_change *change)
{
	*(size_t *)count += change->kind == KIND_GROUP && !change->after;
	return 0;
}

static void another_spelling_of_a_group_removes_nothing(void **state)
{
	struct addresses_fixture *fixture = *state;
	json_t *document =
		json_loads("{\"version\": 1, \"groups\": [{\"name\": \"g\"}], "
			   "\"addresses\": [{\"id\": \"" UNKNOWN "\", \"name\": \"a\", "
			   "\"address\": \"198.51.100.60\", \"allocation\": \"static\"}]}",
			   0, NULL);
	struct source *source = resources_store(fixture->resources)->source;
	char error[SOURCE_ERROR_MAX];
	struct resource_group group;
	size_t removals = 0;
	json_t *first;

	assert_non_null(document);
	import(fixture, document);
	first = json_array_get(json_object_get(document, "groups"), 0);
	assert_int_equal(json_object_set_new(first, "name", json_string("G")), 0);
	import(fixture, document);
	assert_true(group_find(fixture->resources, "g", &group));
	assert_string_equal(group.name, "G");
	assert_int_equal(
		source->calls->changes(source, source_after(0), on_group_removal, &removals, error),
		0);
	assert_int_equal(removals, 0);
	json_decref(document);
}

/* A name that is cut within a character would be no text. */
static void a_text_that_no_id_or_name_can_be_is_the_error_of_its_member(void **state)
{
	static const char *const members[] = {"id", "name", "resource_group"};
	struct addresses_fixture *fixture = *state;
	char text[3 * NAME_TEXT_MAX] = "a";

	for (size_t i = 1; i + 2 < sizeof text; i += 2)
		memcpy(text + i, "\xc3\xa9", 3);
	for (size_t i = 0; i < sizeof members / sizeof *members; i++) {
		json_t *document = json_pack("{s:i, s:[{s:s, s:s}]}", "version", 1, "addresses",
					     "name", "a", "address", "198.51.100.60");
		struct change_error error;
		char field[64];

		assert_non_null(document);
		set_text(document, "a", members[i], text);
		assert_int_not_equal(try_import(fixture, document, &error), 0);
		assert_int_equal(error.outcome, CHANGE_INVALID);
		snprintf(field, sizeof field, "addresses[0].%s", members[i]);
		assert_string_equal(error.field, field);
		json_decref(document);
	}
	addresses_fixture_add(fixture, "b", "198.51.100.61");
	json_t *exported = exported_by(fixture->resources);
	import(fixture, exported);
	json_decref(exported);
}

static void two_addresses_exchange_what_they_have(void **state)
{
	struct addresses_fixture *fixture = *state;
	json_t *exported;

	addresses_fixture_add(fixture, "one", "198.51.100.60");
	addresses_fixture_add(fixture, "two", "198.51.100.61");
	addresses_fixture_point(fixture, addresses_fixture_named(fixture, "two"), "two.test.");
	exported = exported_by(fixture->resources);
	set_text(exported, "one", "address", "198.51.100.61");
	set_text(exported, "two", "address", "198.51.100.60");
	import(fixture, exported);
	assert_true(addresses_fixture_serves(fixture, "198.51.100.60", "two.test.", 3600));
	set_text(exported, "two", "name", "three");
	set_text(exported, "one", "name", "two");
	set_text(exported, "three", "name", "one");
	import(fixture, exported);
	assert_true(addresses_fixture_serves(fixture, "198.51.100.60", "two.test.", 3600));
	assert_string_equal(addresses_fixture_named(fixture, "one")->item.reverse_fqdn,
			    "two.test.");
	addresses_fixture_restart(fixture);
	assert_true(addresses_fixture_serves(fixture, "198.51.100.60", "two.test.", 3600));
	json_decref(exported);
}

static size_t waiting_in(const struct addresses_fixture *fixture)
{
	struct addresses_about about;

	addresses_about(fixture->resources, &about);
	return about.waiting;
}

/* A file that has lost its address, and one that has it. */
static void what_waits_is_taken_along_and_waits_there_or_is_set(void **state)
{
	struct addresses_fixture *fixture = *state, other;

	addresses_fixture_point(fixture, addresses_fixture_named(fixture, "bare"), "bare.test.");
	assert_int_equal(addresses_fixture_load(fixture, FIXTURE_WORLD), 0);
	assert_int_equal(waiting_in(fixture), 1);
	json_t *exported = exported_by(fixture->resources);
	assert_int_equal(json_array_size(json_object_get(exported, "waiting")), 1);

	addresses_fixture_init(&other, FIXTURE_WORLD);
	for (unsigned i = 0; i < 2; i++) { /* the second time it replaces itself */
		import(&other, exported);
		assert_int_equal(waiting_in(&other), 1);
		addresses_fixture_restart(&other);
		assert_int_equal(waiting_in(&other), 1);
		json_t *again = exported_by(other.resources);
		assert_true(json_equal(exported, again));
		json_decref(again);
	}
	assert_int_equal(addresses_fixture_load(&other, FIXTURE_WORLD FIXTURE_FILED), 0);
	assert_true(addresses_fixture_serves(&other, "198.51.100.11", "bare.test.", 3600));
	import(&other, exported); /* whose owner is there */
	assert_int_equal(waiting_in(&other), 0);
	addresses_fixture_restart(&other);
	assert_true(addresses_fixture_serves(&other, "198.51.100.11", "bare.test.", 3600));
	addresses_fixture_release(&other);
	json_decref(exported);
}

/* Also where the document says the same of the PTR. */
static void what_waits_for_an_address_of_the_document_is_its_ptr(void **state)
{
	static const char text[] =
		"{\"version\": 1, \"addresses\": [{\"id\": \"" UNKNOWN
		"\", \"name\": \"back\", \"address\": \"198.51.100.50\"}],"
		" \"ptrs\": [{\"owner\": \"" UNKNOWN "\", \"reverse_fqdn\": \"w.test.\"}]}";
	static const struct owned_item ptr = {.reverse_fqdn = "w.test.", .ttl = NOT_GIVEN};
	struct addresses_fixture *fixture = *state;
	struct address_draft *draft = edit_begin(fixture->resources, "test");
	json_t *document = json_loads(text, 0, NULL);

	assert_non_null(document);
	assert_int_equal(edit_wait(draft, UNKNOWN, &ptr), 0);
	assert_int_equal(edit_commit(draft), 0);
	edit_free(draft);
	assert_int_equal(waiting_in(fixture), 1);
	import(fixture, document);
	assert_int_equal(waiting_in(fixture), 0);
	assert_true(addresses_fixture_serves(fixture, "198.51.100.50", "w.test.", 3600));
	json_decref(document);
}

static void what_waits_and_is_not_in_the_document_is_gone(void **state)
{
	struct addresses_fixture *fixture = *state;
	json_t *nothing = json_loads("{\"version\": 1}", 0, NULL);
	json_t *wrong = json_loads("{\"version\": 1, \"ptrs\": 5}", 0, NULL);
	struct change_error error;

	addresses_fixture_point(fixture, addresses_fixture_named(fixture, "bare"), "bare.test.");
	assert_int_equal(addresses_fixture_load(fixture, FIXTURE_WORLD), 0);
	assert_int_not_equal(try_import(fixture, wrong, &error), 0);
	assert_int_equal(waiting_in(fixture), 1); /* as it was */
	import(fixture, nothing);
	assert_int_equal(waiting_in(fixture), 0);
	addresses_fixture_restart(fixture);
	assert_int_equal(waiting_in(fixture), 0);
	json_decref(nothing);
	json_decref(wrong);
}

static void what_is_odd_in_a_text_comes_out_as_it_went_in(void **state)
{
	static const char odd[] = "a \"quote\", a \\ and \xc3\xa9";
	static const struct owned_item ptr = {
		.reverse_fqdn = "odd.test.", .ptr_description = odd, .ttl = NOT_GIVEN};
	struct addresses_fixture *fixture = *state;
	struct address_draft *draft = edit_begin(fixture->resources, "test");

	assert_int_equal(edit_point(draft, addresses_fixture_named(fixture, "bare"), &ptr), 0);
	assert_int_equal(edit_commit(draft), 0);
	edit_free(draft);
	json_t *exported = exported_by(fixture->resources);
	assert_string_equal(
		json_string_value(json_object_get(
			json_array_get(json_object_get(exported, "ptrs"), 0), "description")),
		odd);
	json_decref(exported);
}

#define T(test)                                                                                    \
	cmocka_unit_test_setup_teardown(test, addresses_fixture_set_up, addresses_fixture_tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		T(an_export_imported_elsewhere_is_the_same_export),
		T(an_import_with_one_mistake_imports_nothing_and_names_the_place),
		T(a_name_that_is_there_already_is_taken),
		T(only_what_differs_is_written),
		T(a_group_that_only_addresses_name_is_as_the_first_address_makes_it),
		T(another_spelling_of_a_group_removes_nothing),
		T(a_text_that_no_id_or_name_can_be_is_the_error_of_its_member),
		T(two_addresses_exchange_what_they_have),
		T(what_waits_is_taken_along_and_waits_there_or_is_set),
		T(what_waits_for_an_address_of_the_document_is_its_ptr),
		T(what_waits_and_is_not_in_the_document_is_gone),
		T(what_is_odd_in_a_text_comes_out_as_it_went_in),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
