/* What cannot be read is not taken for what is not there: not by who looks, not by an edit, not by
 * a reload, and not by an export. */
#include <setjmp.h>
#include <sqlite3.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <unistd.h>

#include <cmocka.h>

#include "resolver/control/base/uuid.h"
#include "resolver/control/resource/address_edits.h"
#include "resolver/control/resource/group.h"
#include "resolver/control/resource/state_json.h"
#include "tests/lib/addresses_fixture.h"

#define BARE     "198.51.100.11"
#define NEW      "198.51.100.30"
#define SPOIL    "UPDATE resources SET json = 'x' || json"
#define MEND     "UPDATE resources SET json = substr(json, 2)"
#define NOT_OURS "was not written by sluice"

static void exec(const struct addresses_fixture *fixture, const char *sql)
{
	sqlite3 *db;

	assert_int_equal(sqlite3_open(fixture->state, &db), SQLITE_OK);
	assert_int_equal(sqlite3_exec(db, sql, NULL, NULL, NULL), SQLITE_OK);
	sqlite3_close(db);
	resources_forget(fixture->resources);
}

static void check_trouble(const struct addresses_fixture *fixture, const char *says)
{
	const char *trouble = resources_trouble(fixture->resources);

	assert_non_null(trouble);
	assert_non_null(strstr(trouble, says));
	resources_forget(fixture->resources);
	assert_null(resources_trouble(fixture->resources));
}

static const char *error_of(const struct addresses_fixture *fixture)
{
	struct addresses_about about;

	addresses_about(fixture->resources, &about);
	return about.error;
}

/* Frees the change, which has not come to anything for what could not be read. */
static void check_unread(struct addresses_fixture *fixture, struct address_draft *draft, int err)
{
	assert_int_not_equal(err ? err : edit_commit(draft), 0);
	assert_int_equal(draft_error(draft)->outcome, CHANGE_STORE);
	assert_non_null(strstr(draft_error(draft)->text, NOT_OURS));
	edit_free(draft);
	assert_non_null(strstr(error_of(fixture), NOT_OURS));
	resources_forget(fixture->resources);
}

static struct address_draft *begin(struct addresses_fixture *fixture)
{
	return edit_begin(fixture->resources, "test");
}

/* ---- looking ---- */

static void what_the_file_declares_whose_ptr_cannot_be_read_is_not_shown_without_one(void **state)
{
	struct addresses_fixture *fixture = *state;
	const struct owned_resource *page[8];

	addresses_fixture_point(fixture, addresses_fixture_at(fixture, BARE), "bare.test.");
	addresses_fixture_add(fixture, "new", NEW);
	exec(fixture, SPOIL " WHERE kind = 103");
	assert_null(addresses_fixture_at(fixture, BARE));
	check_trouble(fixture, NOT_OURS);
	const size_t count = addresses_after(fixture->resources, NULL, page, 8);
	for (size_t i = 0; i < count; i++)
		assert_non_null(page[i]);
	check_trouble(fixture, NOT_OURS);
}

static void with_a_state_that_is_not_open_nobody_knows_who_is_not_there(void **state)
{
	struct addresses_fixture *fixture = *state;
	struct resources *aside;
	size_t length;

	addresses_fixture_add(fixture, "new", NEW);
	config_text_put(&fixture->config, "state.db", "what a disk may give back some day\n");
	addresses_fixture_restart(fixture);
	assert_null(addresses_fixture_named(fixture, "new"));
	check_trouble(fixture, "state.db");
	assert_non_null(addresses_fixture_at(fixture, "198.51.100.10"));
	assert_null(resources_trouble(fixture->resources));
	store_hold(resources_store(fixture->resources), true);
	aside = resources_copy(fixture->resources, STORE_ASIDE);
	assert_null(state_export(aside, &length));
	assert_non_null(strstr(resources_trouble(aside), "state.db"));
	resources_copy_free(aside);
	store_hold(resources_store(fixture->resources), false);
}

/* ---- edits ---- */

static void a_group_whose_record_cannot_be_read_does_not_stay_behind_its_addresses(void **state)
{
	struct addresses_fixture *fixture = *state;
	const struct edit_value values[] = {
		{"name", "new"}, {"resource_group", "web"}, {"address", NEW}};
	struct address_draft *draft = begin(fixture);

	assert_int_equal(edit_add(draft, KIND_ADDRESS, values, 3, NULL), 0);
	assert_int_equal(edit_commit(draft), 0);
	edit_free(draft);
	exec(fixture, SPOIL " WHERE kind = 104");
	draft = begin(fixture);
	check_unread(fixture, draft,
		     edit_remove_group(draft, "web", "11111111-2222-3333-4444-555555555555"));
	assert_non_null(addresses_by_name(fixture->resources, "web", "new"));
}

static void what_cannot_be_read_cannot_be_removed(void **state)
{
	struct addresses_fixture *fixture = *state;
	const struct path path = {kind_of_id(KIND_ADDRESS), GROUP_NONE, {"new", NULL}};
	struct address_draft *draft;

	addresses_fixture_add(fixture, "new", NEW);
	exec(fixture, SPOIL " WHERE kind = 101");
	draft = begin(fixture);
	assert_int_not_equal(
		addresses_put(draft, &(struct resource_edit){.path = path}, ADDRESSES_ANY), 0);
	check_unread(fixture, draft, ERR_INVALID);
}

static void an_import_does_not_pass_over_what_it_cannot_read(void **state)
{
	static const char *const spoilt[] = {"101", "103", "104"};
	struct addresses_fixture *fixture = *state;
	const struct resource_group group = {.name = "web", .region = NULL};
	struct address_draft *draft = begin(fixture);
	const struct owned_item ptr = {.reverse_fqdn = "waiting.test.", .ttl = NOT_GIVEN};
	json_t *document = json_pack("{s:i}", "version", 1);

	assert_int_equal(edit_group(draft, &group), 0);
	assert_int_equal(edit_wait(draft, "00000000-0000-4000-8000-000000000001", &ptr), 0);
	assert_int_equal(edit_commit(draft), 0);
	edit_free(draft);
	addresses_fixture_add(fixture, "new", NEW);
	for (size_t i = 0; i < 3; i++) {
		char sql[128];

		snprintf(sql, sizeof sql, SPOIL " WHERE kind = %s", spoilt[i]);
		exec(fixture, sql);
		draft = begin(fixture);
		check_unread(fixture, draft, edit_import(draft, document));
		snprintf(sql, sizeof sql, MEND " WHERE kind = %s", spoilt[i]);
		exec(fixture, sql);
	}
	draft = begin(fixture);
	assert_int_equal(edit_import(draft, document), 0);
	assert_int_equal(edit_commit(draft), 0);
	edit_free(draft);
	assert_null(error_of(fixture));
	json_decref(document);
}

/* ---- the store's error ---- */

static void look_at_all(struct addresses_fixture *fixture)
{
	struct resource_group group;

	(void)addresses_fixture_at(fixture, NEW);
	(void)addresses_fixture_at(fixture, BARE);
	(void)group_find_row(fixture->resources, "web", &group);
}

static void what_could_not_be_read_is_told_until_it_can_be_read(void **state)
{
	static const char *const spoilt[] = {"101", "103", "104"};
	struct addresses_fixture *fixture = *state;
	struct resources *resources = fixture->resources;
	const struct resource_group web = {.name = "web"};
	struct address_draft *draft = begin(fixture);

	assert_int_equal(edit_group(draft, &web), 0);
	assert_int_equal(edit_commit(draft), 0);
	edit_free(draft);
	addresses_fixture_point(fixture, addresses_fixture_at(fixture, BARE), "bare.test.");
	addresses_fixture_add(fixture, "new", NEW);
	for (size_t i = 0; i < 3; i++) {
		char sql[128];

		snprintf(sql, sizeof sql, SPOIL " WHERE kind = %s", spoilt[i]);
		exec(fixture, sql);
		look_at_all(fixture);
		store_note_error(resources_store(resources), resources_trouble(resources), true);
		resources_note_unread(resources, resources);
		resources_forget(resources);
		resources_try_unread(resources);
		assert_true(resources_has_unread(resources));
		assert_non_null(strstr(error_of(fixture), NOT_OURS));
		snprintf(sql, sizeof sql, MEND " WHERE kind = %s", spoilt[i]);
		exec(fixture, sql);
		resources_try_unread(resources);
		assert_false(resources_has_unread(resources));
		assert_null(error_of(fixture));
	}
}

/* ---- reloads ---- */

static void what_a_request_could_not_read_is_no_matter_of_the_next_reload(void **state)
{
	struct addresses_fixture *fixture = *state;

	addresses_fixture_add(fixture, "new", NEW);
	exec(fixture, SPOIL " WHERE kind = 101"); /* keys are all that a load reads */
	assert_int_equal(addresses_fixture_load(fixture, NULL), 0);
	assert_int_equal(fixture->config.faults.warnings, 0);
	assert_null(addresses_fixture_at(fixture, NEW));
	assert_non_null(resources_trouble(fixture->resources));
	assert_int_equal(addresses_fixture_load(fixture, NULL), 0);
	assert_int_equal(fixture->config.faults.warnings, 0);
	assert_null(error_of(fixture));
}

/* The file can still be found, and the PTRs that the state gave its addresses stay. */
static void a_state_that_is_no_state_any_more_takes_nothing_from_the_file(void **state)
{
	struct addresses_fixture *fixture = *state;
	struct resources *resources = fixture->resources;
	struct addresses_about about;

	addresses_fixture_point(fixture, addresses_fixture_at(fixture, BARE), "bare.test.");
	unlink(fixture->state);
	config_text_put(&fixture->config, "state.db", "what a disk may give back some day\n");
	assert_int_equal(addresses_fixture_load(fixture, FIXTURE_WORLD FIXTURE_FILED "# 2\n"), 0);
	assert_int_equal(fixture->config.faults.warnings, 1);
	assert_true(addresses_fixture_serves(fixture, BARE, "bare.test.", 3600));
	addresses_about(resources, &about);
	assert_int_equal(about.waiting, 0);
	assert_non_null(addresses_fixture_at(fixture, "198.51.100.10"));
	assert_null(resources_trouble(resources));
	assert_null(addresses_fixture_at(fixture, NEW));
	check_trouble(fixture, "state.db");
	assert_int_equal(addresses_fixture_load(fixture, FIXTURE_WORLD), 0); /* without BARE */
	assert_true(addresses_fixture_serves(fixture, BARE, NULL, 0));
}

#define BOTH FIXTURE_WORLD "addresses = ({ name = \"other\"; address = \"" NEW "\"; });\n"

static void what_the_file_has_as_well_is_named_even_if_it_cannot_be_read(void **state)
{
	struct addresses_fixture *fixture = *state;

	addresses_fixture_add(fixture, "new", NEW);
	exec(fixture, SPOIL " WHERE kind = 101");
	assert_int_equal(addresses_fixture_load(fixture, BOTH), ERR_FAULTS);
	assert_non_null(strstr(fixture->config.faults.items[0].text, "cannot both have this"));
	assert_non_null(strstr(fixture->config.faults.items[0].text, "\"new\""));
}

/* Another program has left a row with the id or the address of an item of the file. The row itself
 * is no address that can be read. */
static void what_is_no_address_beside_the_file_is_named_and_not_served(void **state)
{
	static const char *const wrong[] = {"id = NULL", "kind = 77", "kind = 102, addr = NULL",
					    "kind = 103"};
	char sql[64];

	(void)state;
	for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
		struct addresses_fixture *fixture = addresses_fixture_new(FIXTURE_WORLD);
		const struct owned_resource *added = addresses_fixture_add(fixture, "new", NEW);
		char id[UUID_TEXT_MAX], text[1024];

		snprintf(id, sizeof id, "%s", added->item.id);
		snprintf(sql, sizeof sql, "UPDATE resources SET %s WHERE kind = 101", wrong[i]);
		exec(fixture, sql);
		snprintf(text, sizeof text,
			 FIXTURE_WORLD "addresses = ({ name = \"other\"; address = \"" NEW
				       "\"; id = \"%s\"; });\n",
			 id);
		config_text_put(&fixture->config, "sluice.conf", text);
		addresses_fixture_restart(fixture);
		assert_int_equal(fixture->config.faults.warnings, 1);
		assert_non_null(strstr(error_of(fixture), NOT_OURS));
		assert_string_equal(addresses_fixture_at(fixture, NEW)->item.name, "other");
		addresses_fixture_free(fixture);
	}
}

/* The keys of a PTR are damaged, so the reload cannot read the whole state: it keeps the served PTR
 * and refuses changes until another reload has read everything. */
static void a_reload_that_could_not_see_all_is_followed_by_one_that_reads_all(void **state)
{
	struct addresses_fixture *fixture = *state;
	struct address_draft *draft;

	addresses_fixture_add(fixture, "new", NEW);
	addresses_fixture_point(fixture, addresses_fixture_at(fixture, BARE), "bare.test.");
	exec(fixture, "UPDATE resources SET ptr = NULL WHERE kind = 103");
	assert_int_equal(addresses_fixture_load(fixture, FIXTURE_WORLD FIXTURE_FILED "# 2\n"), 0);
	assert_int_equal(fixture->config.faults.warnings, 1);
	assert_non_null(strstr(error_of(fixture), NOT_OURS));
	assert_true(addresses_fixture_serves(fixture, BARE, "bare.test.", 3600));
	draft = begin(fixture);
	assert_int_not_equal(draft_is_open(draft), 0);
	assert_int_equal(draft_error(draft)->outcome, CHANGE_STORE);
	edit_free(draft);
	exec(fixture, "UPDATE resources SET ptr = 'bare.test.' WHERE kind = 103");
	assert_int_equal(addresses_fixture_load(fixture, NULL), 0);
	assert_null(error_of(fixture));
	assert_true(addresses_fixture_serves(fixture, BARE, "bare.test.", 3600));
	addresses_fixture_point(fixture, addresses_fixture_at(fixture, BARE), "later.test.");
}

#define T(test)                                                                                    \
	cmocka_unit_test_setup_teardown(test, addresses_fixture_set_up, addresses_fixture_tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		T(what_the_file_declares_whose_ptr_cannot_be_read_is_not_shown_without_one),
		T(with_a_state_that_is_not_open_nobody_knows_who_is_not_there),
		T(a_group_whose_record_cannot_be_read_does_not_stay_behind_its_addresses),
		T(what_cannot_be_read_cannot_be_removed),
		T(an_import_does_not_pass_over_what_it_cannot_read),
		T(what_could_not_be_read_is_told_until_it_can_be_read),
		T(what_a_request_could_not_read_is_no_matter_of_the_next_reload),
		T(a_state_that_is_no_state_any_more_takes_nothing_from_the_file),
		T(what_the_file_has_as_well_is_named_even_if_it_cannot_be_read),
		cmocka_unit_test(what_is_no_address_beside_the_file_is_named_and_not_served),
		T(a_reload_that_could_not_see_all_is_followed_by_one_that_reads_all),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
