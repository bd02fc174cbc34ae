/* Changes: what each edit refuses and with which reason, all or nothing, and preconditions. */
#include "resolver/control/resource/address_edits.h"

#include <setjmp.h>
#include <sqlite3.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "rules/base.h"
#include "tests/lib/addresses_fixture.h"

/* A value of an owner, in tables of what is refused. */
enum { VALUES_MAX = 6 };
struct wanted {
	unsigned kind;
	struct edit_value values[VALUES_MAX];
	enum change_outcome outcome;
	const char *field, *says;
};

static size_t count_of(const struct wanted *wanted)
{
	size_t count = 0;

	while (count < VALUES_MAX && wanted->values[count].key)
		count++;
	return count;
}

static void check_refused(struct addresses_fixture *fixture, const struct wanted *wanted)
{
	struct address_draft *draft = edit_begin(fixture->resources, "test");

	assert_int_not_equal(edit_add(draft, wanted->kind, wanted->values, count_of(wanted), NULL),
			     0);
	addresses_fixture_check_error(draft, wanted->outcome, wanted->field, wanted->says);
}

/* ---- adding ---- */

static void a_new_address_is_found_and_served_and_kept(void **state)
{
	static const struct edit_value values[] = {{"name", "Web"},
						   {"resource_group", "g"},
						   {"address", "198.51.100.40"},
						   {"allocation", "static"},
						   {"tags", "{\"b\": \"2\", \"a\": \"1\"}"},
						   {"domain_name_label", "web1"}};
	struct addresses_fixture *fixture = *state;
	struct address_draft *draft = edit_begin(fixture->resources, "test");
	const struct owned_resource *resource;

	assert_int_equal(edit_add(draft, KIND_ADDRESS, values, 6, &resource), 0);
	assert_int_equal(
		edit_point(draft, resource,
			   &(struct owned_item){.reverse_fqdn = "Web.Test", .ttl = NOT_GIVEN}),
		0);
	assert_true(addresses_fixture_serves(fixture, "198.51.100.40", NULL, 0));
	assert_int_equal(edit_commit(draft), 0);
	edit_free(draft);
	for (unsigned i = 0; i < 2; i++) {
		resource = addresses_by_name(fixture->resources, "G", "web");
		assert_non_null(resource);
		assert_string_equal(resource->item.name, "Web");
		assert_int_equal(resource->item.id[14], '4');
		assert_string_equal(resource->item.region, "east");
		assert_int_equal(resource->item.allocation, ALLOCATION_STATIC);
		assert_int_equal(resource->item.tags.count, 2);
		assert_string_equal(resource->fqdn, "web1.east.cloudapp.azure.com.");
		assert_string_equal(resource->item.reverse_fqdn, "Web.Test.");
		assert_true(addresses_fixture_serves(fixture, "198.51.100.40", "web.test.", 3600));
		assert_true(addresses_fixture_resolves(fixture, "web1.east.cloudapp.azure.com",
						       "198.51.100.40"));
		addresses_fixture_restart(fixture);
	}
}

static void what_does_not_fit_is_refused_with_its_field(void **state)
{
#define NEW(...)                                                                                   \
	{                                                                                          \
		{"name", "n"}, __VA_ARGS__                                                         \
	}
#define FREE                                                                                       \
	{                                                                                          \
		"address", "198.51.100.50"                                                         \
	}
#define A KIND_ADDRESS
#define S KIND_SERVICE
	static const struct wanted cases[] = {
		{A, {FREE}, CHANGE_INVALID, "name", "missing"},
		{A, {FREE, {"name", "-n"}}, CHANGE_INVALID, "name", "\"-n\" does not fit"},
		{A, {FREE, {"name", NULL}}, CHANGE_INVALID, "name", "missing"},
		{A, NEW(FREE, {"adress", "x"}), CHANGE_INVALID, "adress", "mean \"address\"?"},
		{A, NEW({"address", "1.2.3"}), CHANGE_INVALID, "address", "does not fit"},
		{A, NEW({"address", "192.0.2.1"}), CHANGE_INVALID, "address",
		 "no address pool of its region, east"},
		{A, NEW({"address", "203.0.113.9"}), CHANGE_INVALID, "address",
		 "no address pool of its region, east"},
		{A, NEW(FREE, {"allocation", "often"}), CHANGE_INVALID, "allocation",
		 "\"dynamic\" or \"static\""},
		{A, NEW(FREE, {"id", "x"}), CHANGE_INVALID, "id", "a UUID"},
		{A, NEW(FREE, {"domain_name_label", "ab"}), CHANGE_INVALID, "domain_name_label",
		 "3 to 63"},
		{A, NEW(FREE, {"domain_name_label", "UPPER"}), CHANGE_INVALID, "domain_name_label",
		 "a-z"},
		{A, NEW(FREE, {"tags", "[]"}), CHANGE_INVALID, "tags", "an object"},
		{A, NEW(FREE, {"tags", "{\"a\": 1}"}), CHANGE_INVALID, "tags",
		 "\"a\" is an integer; give a string"},
		{A, NEW(FREE, {"tags", "{\"a\": \"b\u200d\"}"}), CHANGE_INVALID, "tags",
		 "in what \"a\" is, character 2 is U+200D"},
		{A, NEW(FREE, {"tags", "{\"\\u202ea\": \"b\"}"}), CHANGE_INVALID, "tags",
		 "in a name, character 1 is U+202E"},
		{A, NEW(FREE, {"resource_group", "g\u2066"}), CHANGE_INVALID, "resource_group",
		 "character 2 is U+2066"},
		{A, NEW(FREE, {"family", "5"}), CHANGE_INVALID, "family", "\"4\" or \"6\""},
		{A, NEW(FREE, {"reverse_fqdn", "*.test"}), CHANGE_INVALID, "reverse_fqdn",
		 "not a host's name"},
		{A, NEW(FREE, {"description", "a"}), CHANGE_INVALID, "description",
		 "belongs to the PTR"},
		{S, {FREE, {"name", "a.b"}}, CHANGE_INVALID, "name", "1 to 63"},
		{S, {{"name", "new"}}, CHANGE_INVALID, "address", "missing"},
		{S, NEW(FREE, {"region", "east"}), CHANGE_INVALID, "region", "no such key"},
	};
	struct addresses_fixture *fixture = *state;

	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
		check_refused(fixture, &cases[i]);
	assert_false(addresses_fixture_has_moved(fixture));
}

static void what_is_taken_is_refused_with_whose_it_is(void **state)
{
	static const struct wanted cases[] = {
		{A, {FREE, {"name", "FILED"}}, CHANGE_TAKEN, "name", "sluice.conf:6"},
		{A, NEW({"address", "198.51.100.10"}), CHANGE_TAKEN, "address", "\"filed\""},
		{A, NEW({"address", "198.51.100.20"}), CHANGE_TAKEN, "address",
		 "cloud service \"app\""},
		{A, NEW(FREE, {"domain_name_label", "filed"}), CHANGE_TAKEN, "domain_name_label",
		 "filed.east.cloudapp.azure.com. is taken, by address \"filed\""},
		{S, {FREE, {"name", "APP"}}, CHANGE_TAKEN, "name", "cloud service \"app\""},
	};
	struct addresses_fixture *fixture = *state;

	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
		check_refused(fixture, &cases[i]);
	struct address_draft *draft = edit_begin(fixture->resources, "test");
	const struct edit_value same_id[] = {
		{"name", "n"}, FREE, {"id", addresses_fixture_named(fixture, "filed")->item.id}};
	assert_int_not_equal(edit_add(draft, KIND_ADDRESS, same_id, 3, NULL), 0);
	addresses_fixture_check_error(draft, CHANGE_TAKEN, "id", "\"filed\"");
	/* An address may have a service's name, and a name may be used once in each group. */
	addresses_fixture_add(fixture, "app", "198.51.100.51");
	draft = edit_begin(fixture->resources, "test");
	const struct edit_value other_group[] = {{"name", "filed"}, FREE, {"resource_group", "g"}};
	assert_int_equal(edit_add(draft, KIND_ADDRESS, other_group, 3, NULL), 0);
	edit_free(draft);
}

static void an_address_that_is_not_named_comes_from_a_pool_of_its_region(void **state)
{
	struct addresses_fixture *fixture = *state;
	struct address_draft *draft = edit_begin(fixture->resources, "test");
	const struct owned_resource *resource;
	char text[ADDRESS_TEXT_MAX];

	/* The first pool serves every region. */
	for (unsigned i = 0; i < 2; i++) {
		const struct edit_value west[] = {{"name", i ? "b" : "a"}, {"region", "West"}};
		assert_int_equal(edit_add(draft, KIND_ADDRESS, west, 2, &resource), 0);
		assert_string_equal(address_print(&resource->item.address, text),
				    i ? "198.51.100.2" : "198.51.100.1");
		assert_int_equal(resource->item.allocation, ALLOCATION_DYNAMIC);
	}
	const struct edit_value six[] = {{"name", "c"}, {"family", "6"}};
	assert_int_equal(edit_add(draft, KIND_ADDRESS, six, 2, &resource), 0);
	assert_int_equal(resource->item.address.family, 6);
	edit_free(draft);
}

static void each_pool_goes_on_where_it_ended(void **state)
{
	static const struct {
		const char *name, *family, *address;
	} given[] = {{"a", "4", "198.51.100.1"}, {"b", "4", "198.51.100.2"},
		     {"c", "6", "2001:db8::1"},  {"d", "4", "198.51.100.3"},
		     {"e", "6", "2001:db8::2"},  {"f", "4", "198.51.100.4"}};
	struct addresses_fixture *fixture = *state;
	struct address_draft *draft = edit_begin(fixture->resources, "test");
	const struct owned_resource *resource;
	char text[ADDRESS_TEXT_MAX];

	for (size_t i = 0; i < COUNT(given); i++) {
		const struct edit_value values[] = {{"name", given[i].name},
						    {"family", given[i].family}};

		assert_int_equal(edit_add(draft, KIND_ADDRESS, values, 2, &resource), 0);
		assert_string_equal(address_print(&resource->item.address, text), given[i].address);
	}
	edit_free(draft);
}

static void a_pool_without_a_free_address_says_so(void **state)
{
	struct addresses_fixture fixture;
	const struct owned_resource *resource;
	char text[ADDRESS_TEXT_MAX];

	(void)state;
	addresses_fixture_init(&fixture,
			       "region = \"east\"; management = { state = \"state.db\"; };\n"
			       "address_pools = ({ name = \"p\"; prefix = \"203.0.113.8/30\"; });");
	struct address_draft *draft = edit_begin(fixture.resources, "test");
	for (unsigned i = 0; i < 2; i++) {
		const struct edit_value values[] = {{"name", i ? "b" : "a"}};
		assert_int_equal(edit_add(draft, KIND_ADDRESS, values, 1, &resource), 0);
		assert_string_equal(address_print(&resource->item.address, text),
				    i ? "203.0.113.10" : "203.0.113.9");
	}
	const struct edit_value third[] = {{"name", "c"}};
	assert_int_not_equal(edit_add(draft, KIND_ADDRESS, third, 1, NULL), 0);
	addresses_fixture_check_error(draft, CHANGE_EXHAUSTED, "address",
				      "no address pool of region east");
	addresses_fixture_release(&fixture);
}

/* ---- changing and removing ---- */

static void another_address_and_label_take_the_names_along(void **state)
{
	static const struct edit_value values[] = {{"address", "198.51.100.61"},
						   {"domain_name_label", "next"}};
	struct addresses_fixture *fixture = *state;
	const struct owned_resource *resource =
		addresses_fixture_add(fixture, "n", "198.51.100.60");

	addresses_fixture_point(fixture, resource, "n.test.");
	addresses_note_served(fixture->resources);
	struct address_draft *draft = edit_begin(fixture->resources, "test");
	assert_int_equal(
		edit_set(draft, addresses_fixture_named(fixture, "n"), values, 2, &resource), 0);
	assert_int_equal(edit_commit(draft), 0);
	edit_free(draft);
	resource = addresses_fixture_named(fixture, "n");
	assert_int_equal(resource->status, PTR_PENDING); /* at its new address */
	assert_int_equal(resource->action, PTR_ACTION_UPDATE);
	for (unsigned i = 0; i < 2; i++) {
		assert_true(addresses_fixture_serves(fixture, "198.51.100.60", NULL, 0));
		assert_true(addresses_fixture_serves(fixture, "198.51.100.61", "n.test.", 3600));
		assert_true(addresses_fixture_resolves(fixture, "next.east.cloudapp.azure.com",
						       "198.51.100.61"));
		addresses_fixture_restart(fixture);
	}
	const struct edit_value none = {"domain_name_label", NULL};
	draft = edit_begin(fixture->resources, "test");
	assert_int_equal(edit_set(draft, addresses_fixture_named(fixture, "n"), &none, 1, NULL), 0);
	assert_int_equal(edit_commit(draft), 0);
	edit_free(draft);
	assert_true(addresses_fixture_resolves(fixture, "next.east.cloudapp.azure.com", NULL));
	assert_null(addresses_fixture_named(fixture, "n")->item.domain_name_label);
}

static void two_addresses_can_change_places_in_one_change(void **state)
{
	static const struct edit_value spare = {"address", "198.51.100.99"};
	static const struct edit_value to_a = {"address", "198.51.100.60"};
	static const struct edit_value to_b = {"address", "198.51.100.61"};
	struct addresses_fixture *fixture = *state;

	addresses_fixture_point(fixture, addresses_fixture_add(fixture, "a", "198.51.100.60"),
				"a.test.");
	addresses_fixture_point(fixture, addresses_fixture_add(fixture, "b", "198.51.100.61"),
				"b.test.");
	for (unsigned i = 0; i < 2; i++) {
		struct address_draft *draft = edit_begin(fixture->resources, "test");

		assert_int_equal(
			edit_set(draft, addresses_fixture_named(fixture, "a"), &spare, 1, NULL), 0);
		assert_int_equal(
			edit_set(draft, addresses_fixture_named(fixture, "b"), &to_a, 1, NULL), 0);
		assert_int_equal(
			edit_set(draft, addresses_fixture_named(fixture, "a"), &to_b, 1, NULL), 0);
		if (i == 1)
			assert_int_equal(edit_commit(draft), 0);
		edit_free(draft);
		assert_true(addresses_fixture_serves(fixture, "198.51.100.60",
						     i ? "b.test." : "a.test.", 3600));
		assert_true(addresses_fixture_serves(fixture, "198.51.100.61",
						     i ? "a.test." : "b.test.", 3600));
		assert_true(addresses_fixture_serves(fixture, "198.51.100.99", NULL, 0));
	}
	addresses_fixture_restart(fixture);
	assert_true(addresses_fixture_serves(fixture, "198.51.100.60", "b.test.", 3600));
}

static void an_identity_stays(void **state)
{
	static const struct edit_value others[] = {
		{"name", "m"},
		{"id", "6f8b4ce6-1111-4d2e-9c55-0242ac120001"},
		{"resource_group", "g"},
	};
	struct addresses_fixture *fixture = *state;

	addresses_fixture_add(fixture, "n", "198.51.100.60");
	for (unsigned i = 0; i < 3; i++) {
		struct address_draft *draft = edit_begin(fixture->resources, "test");

		assert_int_not_equal(
			edit_set(draft, addresses_fixture_named(fixture, "n"), &others[i], 1, NULL),
			0);
		addresses_fixture_check_error(draft, CHANGE_INVALID, others[i].key,
					      "cannot change");
	}
	struct address_draft *draft = edit_begin(fixture->resources, "test");
	const struct edit_value same = {"name", "N"};
	assert_int_equal(edit_set(draft, addresses_fixture_named(fixture, "n"), &same, 1, NULL), 0);
	edit_free(draft);
}

/* The configuration has another subscription meanwhile. Only rows that are put back keep theirs:
 * the values of an undo are what a client says. */
static void what_is_put_back_keeps_its_subscription(void **state)
{
	static const char *const own[] = {"11111111-2222-3333-4444-555555555555", NULL};
	struct addresses_fixture *fixture = *state;
	const struct owned_resource *resource =
		addresses_fixture_add(fixture, "old", "198.51.100.40");
	const struct path path = {kind_of_id(KIND_ADDRESS), GROUP_NONE, {"old", NULL}};
	char *row = owned_row_json(resource);
	json_t *values = json_loads(row, 0, NULL);

	assert_int_equal(
		addresses_fixture_load(fixture,
				       "region = \"east\"; subscription = "
				       "\"99999999-2222-3333-4444-555555555555\";\n"
				       "management = { state = \"state.db\"; };\n" FIXTURE_POOLS),
		0);
	for (size_t i = 0; i < COUNT(own); i++) {
		struct address_draft *draft = edit_begin(fixture->resources, "test");

		if (!own[i])
			json_object_del(values, "subscription");
		resource = addresses_fixture_named(fixture, "old");
		assert_int_equal(edit_remove(draft, resource), 0);
		if (own[i]) {
			assert_int_equal(addresses_put(draft,
						       &(struct resource_edit){.path = path,
									       .values = values},
						       ADDRESSES_UNDO),
					 ERR_INVALID);
			addresses_fixture_check_error(draft, CHANGE_INVALID, "subscription",
						      "and cannot change");
			draft = edit_begin(fixture->resources, "test");
			assert_int_equal(
				edit_remove(draft, addresses_fixture_named(fixture, "old")), 0);
		}
		draft->restores = true;
		assert_int_equal(
			addresses_put(draft,
				      &(struct resource_edit){.path = path, .values = values},
				      ADDRESSES_BACK),
			0);
		assert_int_equal(edit_commit(draft), 0);
		edit_free(draft);
		resource = addresses_fixture_named(fixture, "old");
		if (own[i])
			assert_string_equal(resource->subscription, own[i]);
		else
			assert_null(resource->subscription);
	}
	json_decref(values);
	free(row);
}

static void what_is_removed_is_gone_with_its_ptr(void **state)
{
	struct addresses_fixture *fixture = *state;

	addresses_fixture_point(fixture, addresses_fixture_add(fixture, "n", "198.51.100.60"),
				"n.test.");
	struct address_draft *draft = edit_begin(fixture->resources, "test");
	assert_int_equal(edit_remove(draft, addresses_fixture_named(fixture, "n")), 0);
	assert_null(addresses_fixture_named(fixture, "n"));
	assert_int_equal(edit_commit(draft), 0);
	edit_free(draft);
	assert_true(addresses_fixture_serves(fixture, "198.51.100.60", NULL, 0));
	addresses_fixture_restart(fixture);
	assert_null(addresses_fixture_named(fixture, "n"));
	struct addresses_about about;
	addresses_about(fixture->resources, &about);
	assert_int_equal(about.waiting, 0);
	/* And its name and address are free. */
	addresses_fixture_add(fixture, "n", "198.51.100.60");
	assert_null(addresses_fixture_named(fixture, "n")->item.reverse_fqdn);
}

static void what_the_file_says_is_read_only(void **state)
{
	static const struct edit_value label = {"domain_name_label", "other"};
	struct addresses_fixture *fixture = *state;
	const struct owned_resource *filed = addresses_fixture_named(fixture, "filed");
	const struct owned_item ptr = {.reverse_fqdn = "x.test.", .ttl = NOT_GIVEN};
	struct address_draft *draft = edit_begin(fixture->resources, "test");

	assert_int_not_equal(edit_remove(draft, filed), 0);
	addresses_fixture_check_error(draft, CHANGE_READ_ONLY, "", "sluice.conf:6");
	draft = edit_begin(fixture->resources, "test");
	assert_int_not_equal(edit_set(draft, filed, &label, 1, NULL), 0);
	addresses_fixture_check_error(draft, CHANGE_READ_ONLY, "", "sluice.conf:6");
	draft = edit_begin(fixture->resources, "test");
	assert_int_not_equal(edit_point(draft, filed, &ptr), 0);
	addresses_fixture_check_error(draft, CHANGE_READ_ONLY, "", "sluice.conf:6");
	draft = edit_begin(fixture->resources, "test");
	assert_int_not_equal(edit_unpoint(draft, filed), 0);
	addresses_fixture_check_error(draft, CHANGE_READ_ONLY, "", "sluice.conf:6");
	assert_true(addresses_fixture_serves(fixture, "198.51.100.10", "f.test.", 3600));
	addresses_fixture_point(fixture, addresses_fixture_named(fixture, "app"), "app.test.");
	assert_true(addresses_fixture_serves(fixture, "198.51.100.20", "app.test.", 3600));
}

/* ---- PTRs ---- */

#define TEXT_10  "0123456789"
#define TEXT_40  TEXT_10 TEXT_10 TEXT_10 TEXT_10
#define TEXT_160 TEXT_40 TEXT_40 TEXT_40 TEXT_40

#define NAME(text) "{\"reverse_fqdn\": \"" text "\""

static void a_ptr_is_checked_at_its_limits(void **state)
{
	static const struct {
		const char *body, *field; /* field NULL: fits */
	} cases[] = {
		{NAME("a") "}", NULL},
		{NAME("_x.a_b.test.") "}", NULL},
		{NAME(".") "}", "reverse_fqdn"},
		{NAME("*.test.") "}", "reverse_fqdn"},
		{NAME("a..test.") "}", "reverse_fqdn"},
		{NAME("m\xc3\xbcller.test.") "}", "reverse_fqdn"},
		{NAME(TEXT_40 TEXT_10 TEXT_10 "012.test.") "}", NULL},
		{NAME(TEXT_40 TEXT_10 TEXT_10 "0123.test.") "}", "reverse_fqdn"},
		{"{}", "reverse_fqdn"},
		{"[]", ""},
		{NAME("a.") ", \"description\": \"" TEXT_160 "\"}", NULL},
		{NAME("a.") ", \"description\": \"" TEXT_160 "1\"}", "description"},
		{NAME("a.") ", \"description\": \"a\\nb\"}", "description"},
		{NAME("a.") ", \"ttl\": 0}", NULL},
		{NAME("a.") ", \"ttl\": -1}", "ttl"},
		{NAME("a.") ", \"ttl\": 2147483647}", NULL},
		{NAME("a.") ", \"ttl\": 2147483648}", "ttl"},
	};
	static const struct path path = {.group = GROUP_NONE, .names = {"198.51.100.11", NULL}};
	struct addresses_fixture *fixture = *state;
	struct path ptr = path;

	ptr.kind = kind_of_id(KIND_PTR);
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		struct address_draft *draft = edit_begin(fixture->resources, "test");
		json_t *body = json_loads(cases[i].body, 0, NULL);
		const int err = addresses_put(
			draft, &(struct resource_edit){.path = ptr, .values = body}, ADDRESSES_ANY);

		json_decref(body);
		if (!cases[i].field != !err)
			fail_msg("%s: %d", cases[i].body, err);
		if (cases[i].field)
			addresses_fixture_check_error(draft, CHANGE_INVALID, cases[i].field, "");
		else
			edit_free(draft);
	}
}

static void a_ptr_is_replaced_as_a_whole(void **state)
{
	static const struct owned_item full = {
		.reverse_fqdn = "a.test.", .ptr_description = "words", .ttl = 0};
	struct addresses_fixture *fixture = *state;
	struct address_draft *draft = edit_begin(fixture->resources, "test");

	assert_int_equal(edit_point(draft, addresses_fixture_named(fixture, "bare"), &full), 0);
	assert_int_equal(edit_commit(draft), 0);
	edit_free(draft);
	assert_true(addresses_fixture_serves(fixture, "198.51.100.11", "a.test.", 0));
	addresses_fixture_restart(fixture);
	assert_string_equal(addresses_fixture_named(fixture, "bare")->item.ptr_description,
			    "words");
	assert_true(addresses_fixture_named(fixture, "bare")->item.ttl != NOT_GIVEN);
	addresses_fixture_point(fixture, addresses_fixture_named(fixture, "bare"), "a.test.");
	assert_null(addresses_fixture_named(fixture, "bare")->item.ptr_description);
	assert_false(addresses_fixture_named(fixture, "bare")->item.ttl != NOT_GIVEN);
	assert_true(addresses_fixture_serves(fixture, "198.51.100.11", "a.test.", 3600));
}

static void removing_a_ptr_that_is_not_there_writes_nothing(void **state)
{
	struct addresses_fixture *fixture = *state;
	(void)addresses_fixture_has_moved(fixture);
	struct address_draft *draft = edit_begin(fixture->resources, "test");

	assert_int_equal(edit_unpoint(draft, addresses_fixture_named(fixture, "bare")), 0);
	assert_int_equal(edit_commit(draft), 0);
	edit_free(draft);
	assert_false(addresses_fixture_has_moved(fixture));
	assert_int_equal(addresses_fixture_named(fixture, "bare")->ptr_revision, 0);
}

static void a_ptr_of_nobody_is_not_found(void **state)
{
	static const struct owned_item ptr = {.reverse_fqdn = "x.test.", .ttl = NOT_GIVEN};
	struct addresses_fixture *fixture = *state;
	struct address_draft *draft = edit_begin(fixture->resources, "test");

	assert_int_not_equal(edit_point(draft, NULL, &ptr), 0);
	addresses_fixture_check_error(draft, CHANGE_NOT_FOUND, "", "is not an address or id");
}

/* ---- all or nothing ---- */

static void one_bad_edit_undoes_all_of_a_batch(void **state)
{
	static const struct edit_value second[] = {{"name", "b"}, {"address", "192.0.2.1"}};
	static const struct edit_value first[] = {{"name", "a"}, {"address", "198.51.100.60"}};
	struct addresses_fixture *fixture = *state;
	const struct owned_item ptr = {.reverse_fqdn = "x.test.", .ttl = NOT_GIVEN};
	char before[ETAG_MAX], after[ETAG_MAX];

	addresses_fixture_point(fixture, addresses_fixture_add(fixture, "old", "198.51.100.70"),
				"old.test.");
	addresses_note_served(fixture->resources);
	(void)addresses_fixture_has_moved(fixture);
	owned_etag(addresses_fixture_named(fixture, "old"), before);
	struct address_draft *draft = edit_begin(fixture->resources, "test");
	assert_int_equal(edit_add(draft, KIND_ADDRESS, first, 2, NULL), 0);
	assert_int_equal(edit_point(draft, addresses_fixture_named(fixture, "a"), &ptr), 0);
	assert_int_equal(edit_point(draft, addresses_fixture_named(fixture, "bare"), &ptr), 0);
	assert_int_equal(edit_remove(draft, addresses_fixture_named(fixture, "old")), 0);
	assert_int_not_equal(edit_add(draft, KIND_ADDRESS, second, 2, NULL), 0);
	addresses_fixture_check_error(draft, CHANGE_INVALID, "address", "192.0.2.1");
	for (unsigned i = 0; i < 2; i++) {
		assert_null(addresses_fixture_named(fixture, "a"));
		assert_null(addresses_fixture_named(fixture, "bare")->item.reverse_fqdn);
		assert_string_equal(addresses_fixture_named(fixture, "old")->item.reverse_fqdn,
				    "old.test.");
		assert_string_equal(owned_etag(addresses_fixture_named(fixture, "old"), after),
				    before);
		if (i == 0)
			assert_false(addresses_fixture_has_moved(fixture));
		addresses_fixture_restart(fixture);
	}
}

static void edits_of_one_owner_in_one_change_are_one_record(void **state)
{
	static const struct edit_value values[] = {{"name", "a"}, {"address", "198.51.100.60"}};
	struct addresses_fixture *fixture = *state;
	struct address_draft *draft = edit_begin(fixture->resources, "test");
	const struct owned_resource *resource;

	assert_int_equal(edit_add(draft, KIND_ADDRESS, values, 2, &resource), 0);
	assert_int_equal(
		edit_point(draft, resource,
			   &(struct owned_item){.reverse_fqdn = "1.test", .ttl = NOT_GIVEN}),
		0);
	assert_int_equal(
		edit_point(draft, addresses_fixture_named(fixture, "a"),
			   &(struct owned_item){.reverse_fqdn = "2.test", .ttl = NOT_GIVEN}),
		0);
	assert_int_equal(edit_unpoint(draft, addresses_fixture_named(fixture, "a")), 0);
	assert_int_equal(edit_remove(draft, addresses_fixture_named(fixture, "a")), 0);
	assert_int_equal(edit_add(draft, KIND_ADDRESS, values, 2, &resource), 0);
	assert_int_equal(
		edit_point(draft, resource,
			   &(struct owned_item){.reverse_fqdn = "3.test", .ttl = NOT_GIVEN}),
		0);
	assert_int_equal(edit_commit(draft), 0);
	edit_free(draft);
	assert_true(addresses_fixture_has_moved(fixture));
	addresses_fixture_restart(fixture);
	assert_true(addresses_fixture_serves(fixture, "198.51.100.60", "3.test.", 3600));
}

static void a_change_without_edits_publishes_nothing(void **state)
{
	struct addresses_fixture *fixture = *state;
	struct address_draft *draft = edit_begin(fixture->resources, "test");

	assert_int_equal(edit_commit(draft), 0);
	edit_free(draft);
	assert_false(addresses_fixture_has_moved(fixture));
}

static void a_store_that_fails_changes_nothing_and_goes_by(void **state)
{
	struct addresses_fixture *fixture = *state;
	const struct owned_item ptr = {.reverse_fqdn = "x.test.", .ttl = NOT_GIVEN};
	struct addresses_about about;
	sqlite3 *db;

	assert_int_equal(sqlite3_open(fixture->state, &db), SQLITE_OK);
	assert_int_equal(sqlite3_exec(db, "BEGIN IMMEDIATE", NULL, NULL, NULL), SQLITE_OK);
	struct address_draft *draft = edit_begin(fixture->resources, "test");
	assert_int_not_equal(edit_point(draft, addresses_fixture_named(fixture, "bare"), &ptr), 0);
	addresses_fixture_check_error(draft, CHANGE_STORE, "", "another program holds it");
	assert_null(addresses_fixture_named(fixture, "bare")->item.reverse_fqdn);
	assert_true(addresses_fixture_serves(fixture, "198.51.100.11", NULL, 0));
	addresses_about(fixture->resources, &about);
	assert_non_null(about.error);
	sqlite3_close(db);
	addresses_fixture_point(fixture, addresses_fixture_named(fixture, "bare"), "y.test.");
	addresses_about(fixture->resources, &about);
	assert_null(about.error);
}

/* ---- preconditions ---- */

static void what_is_not_what_it_is_taken_for_is_left_alone(void **state)
{
	struct addresses_fixture *fixture = *state;
	struct address_draft *draft = edit_begin(fixture->resources, "test");

	assert_int_not_equal(draft_fail(draft, CHANGE_STALE, NULL, "it has changed"), 0);
	assert_int_not_equal(edit_remove(draft, addresses_fixture_named(fixture, "bare")), 0);
	addresses_fixture_check_error(draft, CHANGE_STALE, "", "it has changed");
	assert_non_null(addresses_fixture_named(fixture, "bare"));
}

/* Who read it PENDING has to be told of ACTIVE, and can change it all the same. */
static void every_change_gives_another_version_and_serving_it_another_tag(void **state)
{
	struct addresses_fixture *fixture = *state;
	char etags[4][ETAG_MAX];

	owned_etag(addresses_fixture_named(fixture, "bare"), etags[0]);
	for (unsigned i = 1; i < 4; i++) {
		addresses_fixture_point(fixture, addresses_fixture_named(fixture, "bare"),
					i == 2 ? "" : "a.test.");
		const struct owned_resource *bare = addresses_fixture_named(fixture, "bare");
		char settled[ETAG_MAX], now[ETAG_MAX];
		owned_etag(bare, etags[i]);
		addresses_note_served(fixture->resources);
		bare = addresses_fixture_named(fixture, "bare");
		assert_string_not_equal(owned_etag(bare, settled), etags[i]);
		assert_true(etag_same_version(owned_etag(bare, now), etags[i]));
		assert_true(etag_same_version(owned_etag(bare, now), settled));
		assert_false(etag_same_version(owned_etag(bare, now), etags[i - 1]));
	}
	assert_false(etag_same_version(etags[1], etags[3]));
}

#define T(test)                                                                                    \
	cmocka_unit_test_setup_teardown(test, addresses_fixture_set_up, addresses_fixture_tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		T(a_new_address_is_found_and_served_and_kept),
		T(what_does_not_fit_is_refused_with_its_field),
		T(what_is_taken_is_refused_with_whose_it_is),
		T(an_address_that_is_not_named_comes_from_a_pool_of_its_region),
		T(each_pool_goes_on_where_it_ended),
		cmocka_unit_test(a_pool_without_a_free_address_says_so),
		T(another_address_and_label_take_the_names_along),
		T(two_addresses_can_change_places_in_one_change),
		T(an_identity_stays),
		T(what_is_put_back_keeps_its_subscription),
		T(what_is_removed_is_gone_with_its_ptr),
		T(what_the_file_says_is_read_only),
		T(a_ptr_is_checked_at_its_limits),
		T(a_ptr_is_replaced_as_a_whole),
		T(removing_a_ptr_that_is_not_there_writes_nothing),
		T(a_ptr_of_nobody_is_not_found),
		T(one_bad_edit_undoes_all_of_a_batch),
		T(edits_of_one_owner_in_one_change_are_one_record),
		T(a_change_without_edits_publishes_nothing),
		T(a_store_that_fails_changes_nothing_and_goes_by),
		T(what_is_not_what_it_is_taken_for_is_left_alone),
		T(every_change_gives_another_version_and_serving_it_another_tag),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
