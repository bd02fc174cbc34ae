/* Resource groups: how they come to be, what of them may change, and what goes with them. */
#include "resolver/control/resource/address_edits.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "resolver/control/resource/group.h"
#include "resolver/control/resource/values.h"
#include "tests/lib/addresses_fixture.h"

#define SUBSCRIPTION "11111111-2222-3333-4444-555555555555"
#define FILED                                                                                      \
	"addresses = ({ name = \"far\"; resource_group = \"Office\"; region = \"west\";\n"         \
	"  address = \"203.0.113.9\"; },\n"                                                        \
	"  { name = \"near\"; resource_group = \"office\"; address = \"198.51.100.11\"; },\n"      \
	"  { name = \"none\"; address = \"198.51.100.12\"; });\n"

static int set_up(void **state)
{
	*state = addresses_fixture_new(FIXTURE_WORLD FILED);
	return 0;
}

/* ---- asking ---- */

/* "name region tags", with - for what is not given and a ! after what is read-only; "" for a group
 * that is not there. */
static const char *shown(const struct addresses_fixture *fixture, const char *name)
{
	static char text[512];
	struct resource_group group;

	if (!group_find(fixture->resources, name, &group))
		return "";
	json_t *tags = values_print_tags(group.tags.items, group.tags.count);
	char *dumped = json_dumps(tags, JSON_COMPACT | JSON_SORT_KEYS);

	snprintf(text, sizeof text, "%s %s %s%s", group.name, group.region ? group.region : "-",
		 group.tags.count ? dumped : "-", group_is_read_only(&group) ? " !" : "");
	free(dumped);
	json_decref(tags);
	return text;
}

static size_t count_of(const struct addresses_fixture *fixture)
{
	size_t count;

	free(groups_list(fixture->resources, &count));
	return count;
}

static int put(struct address_draft *draft, const char *name, const char *region, const char *tags)
{
	const struct path path = {kind_of_id(KIND_GROUP), GROUP_NONE, {name, NULL}};
	json_t *object = json_pack("{s:s*, s:o*}", "region", region, "tags",
				   tags ? json_loads(tags, 0, NULL) : NULL);
	int err = addresses_put(draft, &(struct resource_edit){.path = path, .values = object},
				ADDRESSES_ANY);

	json_decref(object);
	return err;
}

static void must_put(struct addresses_fixture *fixture, const char *name, const char *region,
		     const char *tags)
{
	struct address_draft *draft = edit_begin(fixture->resources, "test");

	assert_int_equal(put(draft, name, region, tags), 0);
	assert_int_equal(edit_commit(draft), 0);
	edit_free(draft);
}

static int add(struct address_draft *draft, const char *group, const char *name, const char *region)
{
	const struct edit_value values[] = {
		{"name", name}, {"resource_group", group}, {"region", region}};

	return edit_add(draft, KIND_ADDRESS, values, 3, NULL);
}

static void must_add(struct addresses_fixture *fixture, const char *group, const char *name,
		     const char *region)
{
	struct address_draft *draft = edit_begin(fixture->resources, "test");

	assert_int_equal(add(draft, group, name, region), 0);
	assert_int_equal(edit_commit(draft), 0);
	edit_free(draft);
}

static void must_remove(struct addresses_fixture *fixture, const char *group)
{
	struct address_draft *draft = edit_begin(fixture->resources, "test");

	assert_int_equal(edit_remove_group(draft, group, SUBSCRIPTION), 0);
	assert_int_equal(edit_commit(draft), 0);
	edit_free(draft);
}

/* ---- coming and going ---- */

static void an_empty_group_is_there_and_outlives_a_restart(void **state)
{
	struct addresses_fixture *fixture = *state;

	assert_string_equal(shown(fixture, "new"), "");
	must_put(fixture, "New", "west", "{\"b\":\"2\", \"a\":\"1\"}");
	for (unsigned i = 0; i < 2; i++) {
		assert_string_equal(shown(fixture, "nEW"), "New west {\"a\":\"1\",\"b\":\"2\"}");
		assert_int_equal(count_of(fixture), 2);
		assert_false(addresses_fixture_has_moved(fixture)); /* workers do not know it */
		addresses_fixture_restart(fixture);
	}
	must_remove(fixture, "new");
	for (unsigned i = 0; i < 2; i++) {
		assert_string_equal(shown(fixture, "new"), "");
		addresses_fixture_restart(fixture);
	}
}

static void its_tags_and_region_are_replaced_and_its_spelling_stays(void **state)
{
	struct addresses_fixture *fixture = *state;

	must_put(fixture, "Group", "west", "{\"a\":\"1\"}");
	must_put(fixture, "GROUP", "west", NULL);
	assert_string_equal(shown(fixture, "group"), "Group west -");
	must_put(fixture, "group", NULL, "{}");
	addresses_fixture_restart(fixture);
	assert_string_equal(shown(fixture, "group"), "Group - -");
}

static void what_is_put_as_it_is_stays_the_same_revision(void **state)
{
	struct addresses_fixture *fixture = *state;
	char before[ETAG_MAX], after[ETAG_MAX];
	struct resource_group group;

	must_put(fixture, "group", "west", "{\"a\":\"1\"}");
	assert_true(group_find(fixture->resources, "group", &group));
	group_etag(&group, before);
	must_put(fixture, "group", "west", "{ \"a\": \"1\" }");
	addresses_fixture_restart(fixture);
	assert_true(group_find(fixture->resources, "group", &group));
	assert_string_equal(group_etag(&group, after), before);
	must_put(fixture, "group", "west", "{\"a\":\"2\"}");
	assert_true(group_find(fixture->resources, "group", &group));
	assert_string_not_equal(group_etag(&group, after), before);
}

static void an_address_makes_its_group_and_leaves_it_behind(void **state)
{
	struct addresses_fixture *fixture = *state;

	must_add(fixture, "Web", "one", "west");
	must_add(fixture, "wEB", "two", "east");
	for (unsigned i = 0; i < 2; i++) {
		assert_string_equal(shown(fixture, "web"), "Web west -");
		addresses_fixture_restart(fixture);
	}
	struct address_draft *draft = edit_begin(fixture->resources, "test");
	for (unsigned i = 0; i < 2; i++)
		assert_int_equal(edit_remove(draft, addresses_by_name(fixture->resources, "web",
								      i ? "one" : "two")),
				 0);
	assert_int_equal(edit_commit(draft), 0);
	edit_free(draft);
	addresses_fixture_restart(fixture);
	assert_string_equal(shown(fixture, "web"), "Web west -");
}

static void a_group_goes_with_its_addresses_and_no_others(void **state)
{
	struct addresses_fixture *fixture = *state;

	must_add(fixture, "web", "one", "east");
	must_add(fixture, "web", "two", "east");
	must_add(fixture, "other", "one", "east");
	addresses_fixture_point(fixture, addresses_by_name(fixture->resources, "web", "one"),
				"one.test.");
	char address[ADDRESS_TEXT_MAX];
	address_print(&addresses_by_name(fixture->resources, "web", "one")->item.address, address);
	assert_true(addresses_fixture_serves(fixture, address, "one.test.", 3600));
	must_remove(fixture, "WEB");
	assert_true(addresses_fixture_serves(fixture, address, NULL, 0));
	for (unsigned i = 0; i < 2; i++) {
		assert_string_equal(shown(fixture, "web"), "");
		assert_null(addresses_by_name(fixture->resources, "web", "one"));
		assert_null(addresses_by_name(fixture->resources, "web", "two"));
		assert_non_null(addresses_by_name(fixture->resources, "other", "one"));
		addresses_fixture_restart(fixture);
	}
}

static void addresses_of_another_subscription_stay(void **state)
{
	struct addresses_fixture *fixture = *state;
	struct address_draft *draft;

	must_add(fixture, "web", "one", "east");
	draft = edit_begin(fixture->resources, "test");
	assert_int_equal(edit_remove_group(draft, "web", "another"), 0);
	assert_non_null(addresses_by_name(fixture->resources, "web", "one"));
	edit_free(draft);
}

/* The configuration's subscription is another one by now: a group of the same name is another
 * group, whose end is not theirs, and which they do not bring back. */
static void addresses_of_the_subscription_that_was_are_in_no_group_of_the_new_one(void **state)
{
	static const char world[] =
		"region = \"east\"; subscription = \"99999999-2222-3333-4444-555555555555\";\n"
		"management = { state = \"state.db\"; };\n" FIXTURE_POOLS;
	struct addresses_fixture *fixture = *state;

	must_add(fixture, "web", "old", "east");
	assert_int_equal(addresses_fixture_load(fixture, world), 0);
	must_add(fixture, "web", "new", "east");
	struct address_draft *draft = edit_begin(fixture->resources, "test");
	assert_int_equal(edit_remove_group(draft, "web", "99999999-2222-3333-4444-555555555555"),
			 0);
	assert_int_equal(edit_commit(draft), 0);
	edit_free(draft);
	for (unsigned i = 0; i < 2; i++) {
		assert_string_equal(shown(fixture, "web"), "");
		assert_non_null(addresses_by_name(fixture->resources, "web", "old"));
		assert_null(addresses_by_name(fixture->resources, "web", "new"));
		addresses_fixture_restart(fixture);
	}
	must_add(fixture, "web", "new", "east");
	assert_string_equal(shown(fixture, "web"), "web east -");
}

static int add_to(struct address_draft *draft, const char *group)
{
	const struct edit_value values[] = {{"name", "x"}, {"resource_group", group}};

	return edit_add(draft, KIND_ADDRESS, values, 2, NULL);
}

static void a_group_is_made_by_a_name_that_azure_would_have(void **state)
{
	static const char *const bad[] = {"a/b", "a b", "a.", "a%2f"};
	static const char *const good[] = {"a_(1).-b", "\xc3\xa9", "a..b", "9", "--"};
	struct addresses_fixture *fixture = *state;

	for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
		struct address_draft *draft = edit_begin(fixture->resources, "test");
		assert_int_not_equal(add_to(draft, bad[i]), 0);
		addresses_fixture_check_error(draft, CHANGE_INVALID, "resource_group", "give ");
		draft = edit_begin(fixture->resources, "test");
		assert_int_not_equal(put(draft, bad[i], "east", NULL), 0);
		addresses_fixture_check_error(draft, CHANGE_INVALID, "name", "give ");
	}
	/* In a path it stands for no group. */
	struct address_draft *draft = edit_begin(fixture->resources, "test");
	assert_int_not_equal(put(draft, "-", "east", NULL), 0);
	addresses_fixture_check_error(draft, CHANGE_INVALID, "name", "give ");
	for (size_t i = 0; i < sizeof good / sizeof *good; i++)
		must_add(fixture, good[i], "x", "east");
	assert_int_equal(addresses_fixture_load(
				 fixture, FIXTURE_WORLD
				 "addresses = ({ name = \"f\"; resource_group = \"a b\"; address = "
				 "\"198.51.100.200\"; });\n"),
			 0);
	must_add(fixture, "A B", "x", "east"); /* the file's is there, whatever its name */
}

static void those_in_no_group_can_be_removed_together(void **state)
{
	struct addresses_fixture *fixture = *state;

	addresses_fixture_release(fixture);
	addresses_fixture_init(fixture, FIXTURE_WORLD);
	assert_false(group_size(fixture->resources, NULL) > 0);
	must_add(fixture, "web", "one", "east");
	assert_false(group_size(fixture->resources, NULL) > 0);
	addresses_fixture_add(fixture, "alone", "198.51.100.70");
	assert_true(group_size(fixture->resources, NULL) > 0);
	must_remove(fixture, NULL);
	assert_false(group_size(fixture->resources, NULL) > 0);
	assert_non_null(addresses_by_name(fixture->resources, "web", "one"));
}

/* ---- the file's ---- */

static void a_group_that_the_file_names_is_read_only(void **state)
{
	struct addresses_fixture *fixture = *state;
	struct address_draft *draft;

	assert_string_equal(shown(fixture, "OFFICE"), "Office west - !");
	assert_int_equal(count_of(fixture), 1);
	must_put(fixture, "office", "west", NULL);
	draft = edit_begin(fixture->resources, "test");
	assert_int_not_equal(put(draft, "office", "west", "{\"a\":\"1\"}"), 0);
	addresses_fixture_check_error(draft, CHANGE_READ_ONLY, "", "sluice.conf:");
	must_add(fixture, "office", "mine", "east");
	draft = edit_begin(fixture->resources, "test");
	assert_int_not_equal(edit_remove_group(draft, "office", SUBSCRIPTION), 0);
	addresses_fixture_check_error(draft, CHANGE_READ_ONLY, "", "sluice.conf:");
	assert_non_null(addresses_by_name(fixture->resources, "office", "mine"));
}

static void a_group_is_there_where_anything_says_that_it_is_in_it(void **state)
{
	struct addresses_fixture *fixture = *state;
	char items[GROUP_ITEMS_MAX];

	assert_int_equal(
		addresses_fixture_load(
			fixture, FIXTURE_WORLD
			"virtual_networks = ({ name = \"n\"; resource_group = \"Net\"; region = "
			"\"north\"; }, { name = \"m\"; resource_group = \"NET\"; });\n"
			"keys = ({ name = \"k\"; resource_group = \"net\"; secret = \"Zm9vYmFy\"; "
			"});\n"
			"transfers = ({ name = \"t\"; resource_group = \"out\"; zones = [\"*\"]; "
			"key = \"k\"; });\nreverse = { name_servers = [\"ns.test\"]; };\n"),
		0);
	assert_string_equal(shown(fixture, "net"), "Net north - !");
	assert_string_equal(shown(fixture, "OUT"), "out east - !"); /* the model's region */
	assert_string_equal(shown(fixture, "n"), "");
	must_put(fixture, "empty", "west", NULL);
	assert_int_equal(count_of(fixture), 3);
	assert_int_equal(group_items(resources_model(fixture->resources), "nET", items), 3);
	assert_string_equal(items, "virtual_networks/Net/n, virtual_networks/NET/m, keys/net/k");
	assert_int_equal(group_items(resources_model(fixture->resources), "empty", items), 0);
	assert_string_equal(items, "");
}

static void what_the_state_knows_of_it_is_shown_and_is_free_when_the_file_lets_go(void **state)
{
	struct addresses_fixture *fixture = *state;

	must_put(fixture, "mine", "east", "{\"a\":\"1\"}");
	assert_int_equal(addresses_fixture_load(fixture, FIXTURE_WORLD
						"addresses = ({ name = \"a\"; resource_group = "
						"\"MINE\"; address = \"198.51.100.11\"; });\n"),
			 0);
	assert_string_equal(shown(fixture, "mine"), "mine east {\"a\":\"1\"} !");
	assert_string_equal(shown(fixture, "office"), "");
	assert_int_equal(count_of(fixture), 1);
	assert_int_equal(addresses_fixture_load(fixture, FIXTURE_WORLD), 0);
	must_put(fixture, "mine", "east", NULL);
	assert_string_equal(shown(fixture, "mine"), "mine east -");
}

static void groups_stay_when_the_states_owners_are_made_again(void **state)
{
	struct addresses_fixture *fixture = *state;

	must_put(fixture, "empty", "west", "{\"a\":\"1\"}");
	must_add(fixture, "web", "one", "east");
	for (unsigned i = 0; i < 2; i++)
		assert_int_equal(addresses_fixture_load(fixture, i ? FIXTURE_WORLD
								   : FIXTURE_WORLD
									 "reverse = { suffix = "
									 "\"other.test\"; };"),
				 0);
	assert_string_equal(shown(fixture, "empty"), "empty west {\"a\":\"1\"}");
	assert_string_equal(shown(fixture, "web"), "web east -");
	must_put(fixture, "empty", "west", NULL);
	must_remove(fixture, "web");
	assert_int_equal(count_of(fixture), 1);
}

static void an_address_of_the_api_keeps_the_files_group_when_the_file_lets_go(void **state)
{
	struct addresses_fixture *fixture = *state;

	must_add(fixture, "office", "mine", "east");
	assert_int_equal(addresses_fixture_load(fixture, FIXTURE_WORLD), 0);
	assert_string_equal(shown(fixture, "office"), "Office west -");
}

/* ---- all or nothing ---- */

static void a_change_that_is_given_up_has_changed_no_group(void **state)
{
	struct addresses_fixture *fixture = *state;
	struct address_draft *draft;

	must_put(fixture, "kept", "west", NULL);
	must_put(fixture, "gone", "west", NULL);
	draft = edit_begin(fixture->resources, "test");
	assert_int_equal(put(draft, "kept", "east", "{\"a\":\"1\"}"), 0);
	assert_int_equal(put(draft, "kept", "west", "{\"a\":\"2\"}"), 0);
	assert_int_equal(put(draft, "new", "west", NULL), 0);
	assert_int_equal(edit_remove_group(draft, "gone", SUBSCRIPTION), 0);
	assert_int_equal(add(draft, "made", "one", "east"), 0);
	assert_string_equal(shown(fixture, "kept"), "kept west {\"a\":\"2\"}");
	assert_string_equal(shown(fixture, "made"), "made east -");
	edit_free(draft);
	for (unsigned i = 0; i < 2; i++) {
		assert_string_equal(shown(fixture, "kept"), "kept west -");
		assert_string_equal(shown(fixture, "gone"), "gone west -");
		assert_string_equal(shown(fixture, "new"), "");
		assert_string_equal(shown(fixture, "made"), "");
		addresses_fixture_restart(fixture);
	}
}

static void a_group_may_go_and_come_in_one_change(void **state)
{
	struct addresses_fixture *fixture = *state;
	struct address_draft *draft;

	must_put(fixture, "Group", "west", "{\"a\":\"1\"}");
	draft = edit_begin(fixture->resources, "test");
	assert_int_equal(edit_remove_group(draft, "group", SUBSCRIPTION), 0);
	assert_int_equal(put(draft, "gROUP", "east", NULL), 0);
	assert_int_equal(put(draft, "fleeting", "east", NULL), 0);
	assert_int_equal(edit_remove_group(draft, "fleeting", SUBSCRIPTION), 0);
	assert_int_equal(edit_commit(draft), 0);
	edit_free(draft);
	for (unsigned i = 0; i < 2; i++) {
		assert_string_equal(shown(fixture, "group"), "gROUP east -");
		assert_string_equal(shown(fixture, "fleeting"), "");
		addresses_fixture_restart(fixture);
	}
}

static void what_does_not_fit_is_refused_with_its_field(void **state)
{
	static char long_name[92];
	const struct {
		const char *name, *region, *tags, *field;
	} cases[] = {
		{long_name, "east", NULL, "name"}, {"", "east", NULL, "name"},
		{"a\nb", "east", NULL, "name"},    {"group", "no/region", NULL, "region"},
		{"group", "east", "[]", "tags"},   {"group", "east", "{\"a\":1}", "tags"},
	};
	struct addresses_fixture *fixture = *state;

	memset(long_name, 'a', sizeof long_name - 1);
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		struct address_draft *draft = edit_begin(fixture->resources, "test");
		assert_int_not_equal(put(draft, cases[i].name, cases[i].region, cases[i].tags), 0);
		addresses_fixture_check_error(draft, CHANGE_INVALID, cases[i].field, "");
	}
	must_put(fixture, long_name + 1, "east", NULL);
}

static void a_name_in_the_body_is_the_paths(void **state)
{
	static const char *const wrong[] = {"{\"name\": 5}", "{\"name\": []}",
					    "{\"name\": \"other\"}", "{\"description\": \"\"}"};
	const struct path path = {kind_of_id(KIND_GROUP), GROUP_NONE, {"group", NULL}};
	struct addresses_fixture *fixture = *state;

	for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
		struct address_draft *draft = edit_begin(fixture->resources, "test");
		json_t *body = json_loads(wrong[i], 0, NULL);

		assert_int_not_equal(
			addresses_put(draft, &(struct resource_edit){.path = path, .values = body},
				      ADDRESSES_ANY),
			0);
		addresses_fixture_check_error(draft, CHANGE_INVALID, i < 3 ? "name" : "description",
					      "");
		json_decref(body);
	}
	assert_string_equal(shown(fixture, "group"), "");
}

static void a_name_that_no_group_can_have_is_that_of_none(void **state)
{
	struct addresses_fixture *fixture = *state;
	struct resource_group group;
	char name[2001];

	memset(name, 'a', sizeof name - 1);
	name[sizeof name - 1] = '\0';
	memset(&group, 0xff, sizeof group);
	assert_false(group_find(fixture->resources, name, &group));
	assert_false(group_find_row(fixture->resources, name, &group));
	memset(&group, 0xff, sizeof group);
	assert_false(group_find(fixture->resources, "", &group));
}

#define T(test) cmocka_unit_test_setup_teardown(test, set_up, addresses_fixture_tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		T(an_empty_group_is_there_and_outlives_a_restart),
		T(its_tags_and_region_are_replaced_and_its_spelling_stays),
		T(what_is_put_as_it_is_stays_the_same_revision),
		T(an_address_makes_its_group_and_leaves_it_behind),
		T(a_group_goes_with_its_addresses_and_no_others),
		T(addresses_of_another_subscription_stay),
		T(addresses_of_the_subscription_that_was_are_in_no_group_of_the_new_one),
		T(a_group_is_made_by_a_name_that_azure_would_have),
		T(those_in_no_group_can_be_removed_together),
		T(a_group_that_the_file_names_is_read_only),
		T(a_group_is_there_where_anything_says_that_it_is_in_it),
		T(what_the_state_knows_of_it_is_shown_and_is_free_when_the_file_lets_go),
		T(groups_stay_when_the_states_owners_are_made_again),
		T(an_address_of_the_api_keeps_the_files_group_when_the_file_lets_go),
		T(a_change_that_is_given_up_has_changed_no_group),
		T(a_group_may_go_and_come_in_one_change),
		T(what_does_not_fit_is_refused_with_its_field),
		T(a_name_in_the_body_is_the_paths),
		T(a_name_that_no_group_can_have_is_that_of_none),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
