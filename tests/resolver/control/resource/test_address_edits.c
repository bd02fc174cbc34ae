/* Putting addresses and PTRs: which values are read, kept and refused. What is served of them is
 * the matter of tests/e2e/test_reverse.py and of the random model. */
#include "resolver/control/resource/address_body.h"
#include "resolver/control/resource/address_edits.h"
#include "resolver/control/resource/item.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "resolver/control/base/json.h"
#include "rules/base.h"
#include "tests/lib/addresses_fixture.h"

#define MAIL "\"address\": \"198.51.100.40\""

static const struct path mail = {.group = "g", .names = {"mail", NULL}};

/* Makes "mail" of group "g" what the text says. The error's field, "" for none; NULL: it is made.
 */
static const char *put(struct addresses_fixture *fixture, const char *text, enum addresses_why why)
{
	static char field[CHANGE_FIELD_MAX];
	struct address_draft *draft = edit_begin(fixture->resources, "test");
	json_t *values = json_loads(text, 0, NULL);
	struct path path = mail;
	int err;

	path.kind = kind_of_id(KIND_ADDRESS);
	err = addresses_put(draft, &(struct resource_edit){.path = path, .values = values}, why);
	if (!err)
		err = edit_commit(draft);
	snprintf(field, sizeof field, "%s", draft_error(draft)->field);
	json_decref(values);
	edit_free(draft);
	resources_forget(fixture->resources);
	return err ? field : NULL;
}

static const struct owned_resource *made(const struct addresses_fixture *fixture)
{
	return addresses_by_name(fixture->resources, "g", "mail");
}

static void what_was_shown_is_what_is_there(void **state)
{
	struct addresses_fixture *fixture = *state;
	const struct owned_resource *before;
	char etag[ETAG_MAX];
	json_t *shown;
	char *text;

	assert_null(
		put(fixture,
		    "{" MAIL ", \"allocation\": \"static\", \"tags\": {\"a\": \"b\"}, "
		    "\"domain_name_label\": \"mail1\", \"reverse_fqdn\": \"m.test.\", \"ttl\": 60}",
		    ADDRESSES_ANY));
	before = made(fixture);
	owned_etag(before, etag);
	shown = owned_show(before, KIND_ADDRESS);
	text = json_dumps(shown, 0);
	assert_null(put(fixture, text, ADDRESSES_ANY));
	assert_string_equal(made(fixture)->item.reverse_fqdn, "m.test.");
	assert_string_equal(made(fixture)->item.tags.items[0].value, "b");
	assert_int_equal(made(fixture)->item.ttl, 60);
	free(text);
	json_decref(shown);
}

static void a_tags_name_may_have_an_equals_sign(void **state)
{
	struct addresses_fixture *fixture = *state;

	assert_null(put(fixture, "{" MAIL ", \"tags\": {\"a=b\": \"c\", \"a\": \"d\"}}",
			ADDRESSES_ANY));
	addresses_fixture_restart(fixture);
	assert_int_equal(made(fixture)->item.tags.count, 2);
	assert_string_equal(made(fixture)->item.tags.items[0].name, "a"); /* by name */
	assert_string_equal(made(fixture)->item.tags.items[1].name, "a=b");
	assert_string_equal(made(fixture)->item.tags.items[1].value, "c");
}

static void properties_of_azures_are_kept_beside_tags(void **state)
{
	struct addresses_fixture *fixture = *state;
	char before[ETAG_MAX], after[ETAG_MAX];
	const struct owned_item *item;
	json_t *shown;

	assert_null(put(fixture, "{" MAIL ", \"azure\": {\"sku.name\": \"\\\"Basic\\\"\"}}",
			ADDRESSES_ANY));
	addresses_fixture_restart(fixture);
	item = &made(fixture)->item;
	assert_int_equal(item->tags.count, 0);
	assert_int_equal(item->azure.count, 1);
	assert_string_equal(item->azure.items[0].name, "sku.name");
	assert_string_equal(item->azure.items[0].value, "\"Basic\"");
	shown = owned_show(made(fixture), KIND_ADDRESS);
	assert_int_equal(json_object_size(json_object_get(shown, "azure")), 1);
	assert_int_equal(json_object_size(json_object_get(shown, "tags")), 0);
	json_decref(shown);
	/* The one's are not the other's, with the same texts. */
	struct owned_resource other = *made(fixture);
	owned_version_etag(&other, before);
	other.item.tags.items = other.item.azure.items;
	other.item.tags.count = 1;
	other.item.azure.count = 0;
	assert_string_not_equal(before, owned_version_etag(&other, after));
}

static void what_may_be_left_out_stays(void **state)
{
	struct addresses_fixture *fixture = *state;
	char id[UUID_TEXT_MAX];

	assert_null(put(fixture, "{" MAIL ", \"allocation\": \"static\", \"region\": \"east\"}",
			ADDRESSES_ANY));
	snprintf(id, sizeof id, "%s", made(fixture)->item.id);
	assert_null(put(fixture, "{\"reverse_fqdn\": \"m.test.\"}", ADDRESSES_ANY));
	assert_string_equal(made(fixture)->item.id, id);
	assert_int_equal(made(fixture)->item.allocation, ALLOCATION_STATIC);
	assert_true(addresses_fixture_serves(fixture, "198.51.100.40", "m.test.", 3600));
	/* A PTR, a label and tags do not. */
	assert_null(put(fixture, "{}", ADDRESSES_ANY));
	assert_true(addresses_fixture_serves(fixture, "198.51.100.40", NULL, 0));
}

static void with_a_ptr_its_description_and_ttl_go(void **state)
{
	struct addresses_fixture *fixture = *state;

	assert_null(put(fixture,
			"{" MAIL
			", \"reverse_fqdn\": \"m.test.\", \"ttl\": 60, \"description\": \"d\"}",
			ADDRESSES_ANY));
	assert_null(put(fixture, "{\"ttl\": 60, \"description\": \"d\"}", ADDRESSES_ANY));
	assert_null(made(fixture)->item.reverse_fqdn);
	assert_null(made(fixture)->item.ptr_description);
	assert_int_equal(made(fixture)->item.ttl, NOT_GIVEN);
}

/* `sluice check` warns that it has no effect. */
static void what_the_file_says_of_a_ptr_that_is_not_there_is_not_shown(void **state)
{
	struct addresses_fixture *fixture = *state;
	const struct path path = {kind_of_id(KIND_ADDRESS), GROUP_NONE, {"quiet", NULL}};
	struct change_error error;
	json_t *shown, *values;

	assert_int_equal(addresses_fixture_load(
				 fixture, FIXTURE_WORLD
				 "addresses = ({ name = \"quiet\"; address = \"198.51.100.40\"; "
				 "ttl = 5; description = \"d\"; });\n"),
			 0);
	shown = owned_show(addresses_find(fixture->resources, &path), KIND_ADDRESS);
	assert_true(json_is_null(json_object_get(shown, "ttl")));
	assert_true(json_is_null(json_object_get(shown, "description")));
	values = items_of(path.kind)->stored(fixture->resources, &path, &error);
	assert_null(json_object_get(values, "ttl"));
	json_decref(values);
	json_decref(shown);
}

static void its_name_is_spelled_as_its_values_have_it(void **state)
{
	struct addresses_fixture *fixture = *state;

	assert_null(put(fixture, "{" MAIL ", \"name\": \"Mail\", \"resource_group\": \"G\"}",
			ADDRESSES_ANY));
	assert_string_equal(made(fixture)->item.name, "Mail");
	assert_string_equal(made(fixture)->item.resource_group, "G");
	assert_null(put(fixture, "{\"name\": \"MAIL\"}", ADDRESSES_ANY));
	assert_string_equal(made(fixture)->item.name, "Mail"); /* for good */
}

static void what_does_not_fit_is_named(void **state)
{
	static const struct {
		const char *text, *field;
	} wrong[] = {
		{"{" MAIL ", \"address\": 5}", "address"},
		{"{" MAIL ", \"region\": \"\"}", "region"},
		{"{" MAIL ", \"frob\": \"\"}", "frob"},
		{"{" MAIL ", \"tags\": \"a\"}", "tags"},
		{"{" MAIL ", \"tags\": {\"\": \"a\"}}", "tags"},
		{"{" MAIL ", \"tags\": {\"team\": \"a\", \"TEAM\": \"b\"}}", "tags"},
		{"{" MAIL ", \"azure\": {\"sku\": \"1\", \"SKU\": \"1\"}}", "azure"},
		{"{" MAIL ", \"ptr_description\": \"\"}", "ptr_description"},
		{"{" MAIL ", \"domain_name_label\": 5}", "domain_name_label"},
		{"{" MAIL ", \"reverse_fqdn\": false}", "reverse_fqdn"},
		{"{" MAIL ", \"description\": [], \"reverse_fqdn\": \"a.\"}", "description"},
		{"{" MAIL ", \"ttl\": \"5\"}", "ttl"},
		{"{" MAIL ", \"ttl\": 5}", "ttl"},
		{"{" MAIL ", \"reverse_fqdn\": \"a.\", \"ttl\": 4294967596}", "ttl"},
		{"{" MAIL ", \"reverse_fqdn\": \"*.test.\"}", "reverse_fqdn"},
		{"{" MAIL ", \"family\": 6}", "family"},
		{"{" MAIL ", \"name\": \"other\"}", "name"},
		{"{" MAIL ", \"subscription\": \"other\"}", "subscription"},
	};
	struct addresses_fixture *fixture = *state;

	for (size_t i = 0; i < COUNT(wrong); i++) {
		const char *field = put(fixture, wrong[i].text, ADDRESSES_ANY);

		if (!field || strcmp(field, wrong[i].field) != 0)
			fail_msg("%s: %s", wrong[i].text, field ? field : "it is made");
		assert_null(made(fixture));
	}
}

static void what_is_no_ptr_is_named(void **state)
{
	(void)state;
	static const struct {
		const char *body, *field;
	} wrong[] = {
		{"[]", ""},
		{"{}", "reverse_fqdn"},
		{"{\"ttl\": \"5\"}", "ttl"},
		{"{\"ttl\": 5.5}", "ttl"},
		{"{\"reverse_fqdn\": false}", "reverse_fqdn"},
		{"{\"reverse_fqdn\": null, \"description\": []}", "description"},
		{"{\"reverse_fqdn\": null, \"frob\": \"x\"}", "frob"},
		{"{\"reverse_fqdn\": null, \"domain_name_label\": \"\"}", "domain_name_label"},
	};
	for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
		struct change_error error;
		struct owned_item ptr;
		json_t *body = json_loads(wrong[i].body, 0, NULL);
		struct arena arena;

		arena_init(&arena);
		assert_int_equal(
			address_body_read(kind_of_id(KIND_PTR), body, &ptr, &arena, &error),
			ERR_INVALID);
		assert_int_equal(error.outcome, CHANGE_INVALID);
		assert_string_equal(error.field, wrong[i].field);
		arena_release(&arena);
		json_decref(body);
	}
}

int main(void)
{
#define T(test)                                                                                    \
	cmocka_unit_test_setup_teardown(test, addresses_fixture_set_up, addresses_fixture_tear_down)
	const struct CMUnitTest tests[] = {
		T(what_was_shown_is_what_is_there),
		T(what_may_be_left_out_stays),
		T(its_name_is_spelled_as_its_values_have_it),
		T(what_does_not_fit_is_named),
		T(a_tags_name_may_have_an_equals_sign),
		T(properties_of_azures_are_kept_beside_tags),
		T(with_a_ptr_its_description_and_ttl_go),
		T(what_the_file_says_of_a_ptr_that_is_not_there_is_not_shown),
		cmocka_unit_test(what_is_no_ptr_is_named),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
