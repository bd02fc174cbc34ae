/* What is ours, from the file and from the state: how it is found, what of both does not go
 * together, and what happens without one of them. */
#include "resolver/control/resource/resources.h"

#include <setjmp.h>
#include <sqlite3.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "tests/lib/addresses_fixture.h"

#define ID "6F8B4CE6-1111-4D2E-9C55-0242AC120002"

/* An address with all that the file can say, one without a PTR, and a service. */
#define FILE_PART                                                                                  \
	"addresses = ({ name = \"Full\"; resource_group = \"Group\"; id = \"" ID "\";\n"           \
	"  address = \"198.51.100.10\"; allocation = \"static\"; domain_name_label = \"web\";\n"   \
	"  reverse_fqdn = \"mail.test\"; description = \"mail\"; ttl = 60;\n"                      \
	"  tags = [ \"env=a=b\", \"Team=\" ]; },\n"                                                \
	"  { name = \"bare\"; address = \"198.51.100.11\"; });\n"                                  \
	"cloud_services = ({ name = \"App\"; address = \"198.51.100.20\"; ttl = 0;\n"              \
	"  reverse_fqdn = \"app.test\"; tags = [ \"of=App\" ]; });\n" FIXTURE_SUFFIXES

static int set_up(void **state)
{
	*state = addresses_fixture_new(FIXTURE_WORLD FILE_PART);
	return 0;
}

/* ---- finding ---- */

static void check_same(const struct owned_resource *found, const struct owned_resource *expected)
{
	assert_non_null(found);
	assert_ptr_equal(found->kind, expected->kind);
	assert_string_equal(found->item.id, expected->item.id);
}

static void an_owner_is_found_by_each_of_its_names_in_any_case(void **state)
{
	struct addresses_fixture *fixture = *state;
	struct resources *resources = fixture->resources;
	const struct owned_resource *full = addresses_by_name(resources, "gROUP", "fULL");

	assert_non_null(full);
	check_same(addresses_by_id(resources, ID), full);
	check_same(addresses_by_id(resources, "6f8b4ce6-1111-4d2e-9c55-0242ac120002"), full);
	check_same(addresses_fixture_at(fixture, "198.51.100.10"), full);
	check_same(addresses_by_fqdn(resources, "WEB.east.cloudapp.azure.com"), full);
	check_same(addresses_by_fqdn(resources, "web.east.cloudapp.azure.com."), full);
	assert_null(addresses_by_name(resources, NULL, "Full"));
	assert_null(addresses_by_name(resources, "Group", "App"));
	assert_non_null(services_by_name(resources, "aPP"));
	check_same(addresses_by_fqdn(resources, "app.cloudapp.net"),
		   services_by_name(resources, "app"));
	assert_null(services_by_name(resources, "bare"));
	assert_null(addresses_fixture_at(fixture, "198.51.100.12"));
	assert_null(addresses_by_id(resources, "6f8b4ce6"));
	assert_null(addresses_by_fqdn(resources, ""));
}

static void check_tag(const struct owned_resource *resource, size_t at, const char *name,
		      const char *value)
{
	assert_true(at < resource->item.tags.count);
	assert_string_equal(resource->item.tags.items[at].name, name);
	assert_string_equal(resource->item.tags.items[at].value, value);
}

static void what_the_file_says_is_all_there(void **state)
{
	struct addresses_fixture *fixture = *state;
	const struct owned_resource *full = addresses_fixture_at(fixture, "198.51.100.10");

	assert_true(owned_is_declared(full));
	assert_int_equal(full->item.origin.line, 6);
	assert_string_equal(full->item.id, "6f8b4ce6-1111-4d2e-9c55-0242ac120002");
	assert_string_equal(full->item.region, "east");
	assert_string_equal(full->subscription, "11111111-2222-3333-4444-555555555555");
	assert_int_equal(full->item.allocation, ALLOCATION_STATIC);
	assert_string_equal(full->fqdn, "web.east.cloudapp.azure.com.");
	assert_string_equal(full->item.reverse_fqdn, "mail.test.");
	assert_string_equal(full->item.ptr_description, "mail");
	assert_true(full->item.ttl == 60 && full->ttl_served == 60);
	assert_true(full->ptr_is_declared && full->status == PTR_ACTIVE);
	assert_true(addresses_fixture_serves(fixture, "198.51.100.10", "mail.test.", 60));
	assert_true(addresses_fixture_serves(fixture, "198.51.100.11", NULL, 0));
	assert_true(addresses_fixture_resolves(fixture, "web.east.cloudapp.azure.com",
					       "198.51.100.10"));
	assert_true(addresses_fixture_resolves(fixture, "app.cloudapp.net", "198.51.100.20"));
	assert_int_equal(addresses_fixture_at(fixture, "198.51.100.11")->status, PTR_INACTIVE);
	assert_int_equal(full->item.tags.count, 2);
	check_tag(full, 0, "env", "a=b");
	check_tag(full, 1, "Team", "");
	assert_int_equal(addresses_fixture_at(fixture, "198.51.100.11")->item.tags.count, 0);
	check_tag(addresses_fixture_at(fixture, "198.51.100.20"), 0, "of", "App");
	assert_int_equal(addresses_fixture_at(fixture, "198.51.100.20")->item.ttl, 0);
	assert_true(addresses_fixture_serves(fixture, "198.51.100.20", "app.test.", 0));
}

static void an_id_that_is_not_given_follows_from_the_name(void **state)
{
	struct addresses_fixture *fixture = *state;
	char before[40];

	snprintf(before, sizeof before, "%s",
		 addresses_fixture_at(fixture, "198.51.100.11")->item.id);
	assert_int_equal(strlen(before), 36);
	assert_int_equal(before[14], '5');
	assert_string_not_equal(before, addresses_fixture_at(fixture, "198.51.100.20")->item.id);
	assert_int_equal(
		addresses_fixture_load(
			fixture, FIXTURE_WORLD
			"addresses = ({ name = \"BARE\"; address = \"198.51.100.77\"; });"),
		0);
	assert_string_equal(addresses_fixture_at(fixture, "198.51.100.77")->item.id, before);
}

static void what_the_file_says_otherwise_is_another_etag(void **state)
{
	static const char form[] = FIXTURE_WORLD "addresses = ({ name = \"bare\"; address = "
						 "\"198.51.100.11\"; reverse_fqdn = \"b.test\"; "
						 "ttl = %u; });";
	struct addresses_fixture *fixture = *state;
	char text[sizeof form + 8], etags[3][ETAG_MAX];

	for (unsigned i = 0; i < 3; i++) {
		snprintf(text, sizeof text, form, 60 + i % 2);
		assert_int_equal(addresses_fixture_load(fixture, text), 0);
		owned_etag(addresses_fixture_at(fixture, "198.51.100.11"), etags[i]);
	}
	assert_string_not_equal(etags[0], etags[1]);
	assert_string_equal(etags[0], etags[2]);
}

static void lists_are_in_order_and_of_one_kind(void **state)
{
	struct addresses_fixture *fixture = *state;
	const struct owned_resource *list[5];

	addresses_fixture_add(fixture, "z", "198.51.100.9");
	addresses_fixture_add(fixture, "y", "2001:db8::1");
	assert_int_equal(addresses_after(fixture->resources, NULL, list, 5), 4);
	assert_string_equal(list[0]->item.name, "z");
	assert_string_equal(list[1]->item.name, "Full");
	assert_string_equal(list[2]->item.name, "bare");
	assert_string_equal(list[3]->item.name, "y");
	assert_int_equal(services_after(fixture->resources, NULL, list, 5), 1);
	assert_string_equal(list[0]->item.name, "App");
}

/* ---- file and state together ---- */

static void what_the_api_made_is_there_after_a_restart_and_a_reload(void **state)
{
	struct addresses_fixture *fixture = *state;
	char etag[ETAG_MAX], again[ETAG_MAX];

	addresses_fixture_point(fixture, addresses_fixture_add(fixture, "new", "198.51.100.30"),
				"new.test");
	addresses_note_served(fixture->resources);
	owned_etag(addresses_fixture_at(fixture, "198.51.100.30"), etag);
	for (unsigned i = 0; i < 2; i++) {
		if (i == 0)
			addresses_fixture_restart(fixture);
		else
			assert_int_equal(addresses_fixture_load(fixture, NULL), 0);
		const struct owned_resource *made =
			addresses_by_name(fixture->resources, NULL, "new");
		assert_non_null(made);
		assert_false(owned_is_declared(made));
		assert_int_equal(made->status, PTR_ACTIVE);
		assert_true(addresses_fixture_serves(fixture, "198.51.100.30", "new.test.", 3600));
		assert_true(addresses_fixture_serves(fixture, "198.51.100.10", "mail.test.", 60));
		assert_string_equal(owned_etag(made, again), etag);
	}
}

static void an_address_of_the_file_without_a_ptr_keeps_the_one_of_the_api(void **state)
{
	struct addresses_fixture *fixture = *state;

	addresses_fixture_point(fixture, addresses_fixture_at(fixture, "198.51.100.11"),
				"bare.test.");
	addresses_fixture_restart(fixture);
	assert_true(addresses_fixture_serves(fixture, "198.51.100.11", "bare.test.", 3600));
	assert_true(owned_is_declared(addresses_fixture_at(fixture, "198.51.100.11")));
	assert_false(addresses_fixture_at(fixture, "198.51.100.11")->ptr_is_declared);
}

static void a_ptr_waits_while_its_owner_is_gone_from_the_file(void **state)
{
	struct addresses_fixture *fixture = *state;
	struct addresses_about about;

	addresses_fixture_point(fixture, addresses_fixture_at(fixture, "198.51.100.11"),
				"bare.test.");
	assert_int_equal(addresses_fixture_load(fixture, FIXTURE_WORLD), 0);
	assert_int_equal(fixture->config.faults.warnings, 1);
	assert_non_null(strstr(fixture->config.faults.items[0].text, "1 of the PTRs"));
	addresses_about(fixture->resources, &about);
	assert_int_equal(about.waiting, 1);
	assert_int_equal(about.ptrs, 0);
	assert_true(addresses_fixture_serves(fixture, "198.51.100.11", NULL, 0));
	assert_int_equal(addresses_fixture_load(fixture, FIXTURE_WORLD FILE_PART), 0);
	assert_true(addresses_fixture_serves(fixture, "198.51.100.11", "bare.test.", 3600));
	addresses_about(fixture->resources, &about);
	assert_int_equal(about.waiting, 0);
	assert_int_equal(about.ptrs, 3);
}

#define IN_FILE(rest)                                                                              \
	FIXTURE_WORLD "addresses = ({ name = \"mine\"; " rest " });\n" FIXTURE_SUFFIXES

static void what_is_in_both_is_refused_and_both_are_named(void **state)
{
	static const struct {
		const char *text, *field;
	} both[] = {
		{IN_FILE("address = \"198.51.100.30\";"), "addresses[mine].address"},
		{IN_FILE("address = \"198.51.100.31\"; domain_name_label = \"taken\";"),
		 "addresses[mine].domain_name_label"},
		{FIXTURE_WORLD "addresses = ({ name = \"NEW\"; address = \"198.51.100.31\"; });",
		 "addresses[NEW].name"},
	};
	struct addresses_fixture *fixture = *state;
	const struct owned_resource *made = addresses_fixture_add(fixture, "new", "198.51.100.30");
	const struct edit_value label = {"domain_name_label", "taken"};
	struct address_draft *draft = edit_begin(fixture->resources, "test");

	assert_int_equal(edit_set(draft, made, &label, 1, NULL), 0);
	assert_int_equal(edit_commit(draft), 0);
	edit_free(draft);
	for (size_t i = 0; i < sizeof both / sizeof *both; i++) {
		const struct faults *faults = &fixture->config.faults;

		assert_int_equal(addresses_fixture_load(fixture, both[i].text), ERR_FAULTS);
		assert_int_equal(faults->errors, 1);
		assert_string_equal(faults->items[0].origin.path, both[i].field);
		assert_non_null(strstr(faults->items[0].text, "sluice.conf:6)"));
		assert_non_null(strstr(faults->items[0].text, "address \"new\" (id "));
		assert_true(addresses_fixture_serves(fixture, "198.51.100.10", "mail.test.", 60));
	}
	assert_int_equal(addresses_fixture_load(fixture, IN_FILE("address = \"198.51.100.31\";")),
			 0);
}

static void a_ptr_in_both_is_refused(void **state)
{
	struct addresses_fixture *fixture = *state;

	addresses_fixture_point(fixture, addresses_fixture_at(fixture, "198.51.100.11"),
				"bare.test.");
	assert_int_equal(
		addresses_fixture_load(fixture, FIXTURE_WORLD
				       "addresses = ({ name = \"bare\"; address = "
				       "\"198.51.100.11\"; reverse_fqdn = \"other.test\"; });"),
		ERR_FAULTS);
	assert_string_equal(fixture->config.faults.items[0].origin.path,
			    "addresses[bare].reverse_fqdn");
	assert_non_null(
		strstr(fixture->config.faults.items[0].text, "\"bare.test.\" in the state"));
}

static void an_address_whose_pool_is_gone_is_kept_and_not_served(void **state)
{
	static const char without[] =
		"region = \"east\"; management = { state = \"state.db\"; };\n"
		"address_pools = ({ name = \"p\"; prefix = \"203.0.113.0/24\"; });\n";
	struct addresses_fixture *fixture = *state;

	addresses_fixture_point(fixture, addresses_fixture_add(fixture, "new", "198.51.100.30"),
				"new.test.");
	addresses_note_served(fixture->resources);
	assert_int_equal(addresses_fixture_load(fixture, without), 0);
	assert_int_equal(fixture->config.faults.warnings, 1);
	const struct owned_resource *kept = addresses_fixture_at(fixture, "198.51.100.30");
	assert_int_equal(kept->status, PTR_ERROR);
	assert_non_null(strstr(kept->reason, "no address pool of its region, east"));
	assert_true(addresses_fixture_serves(fixture, "198.51.100.30", NULL, 0));
	assert_int_equal(addresses_fixture_load(fixture, FIXTURE_WORLD), 0);
	assert_int_equal(addresses_fixture_at(fixture, "198.51.100.30")->status, PTR_ACTIVE);
	assert_true(addresses_fixture_serves(fixture, "198.51.100.30", "new.test.", 3600));
}

static void an_address_that_moves_into_a_pool_is_served(void **state)
{
	static const struct edit_value value = {"address", "203.0.113.77"};
	struct addresses_fixture *fixture = *state;

	addresses_fixture_point(fixture, addresses_fixture_add(fixture, "new", "198.51.100.30"),
				"new.test.");
	assert_int_equal(
		addresses_fixture_load(
			fixture,
			"region = \"east\"; management = { state = \"state.db\"; };\n"
			"address_pools = ({ name = \"p\"; prefix = \"203.0.113.0/24\"; });"),
		0);
	addresses_fixture_point(fixture, addresses_fixture_at(fixture, "198.51.100.30"),
				"other.test.");
	assert_int_equal(addresses_fixture_at(fixture, "198.51.100.30")->status, PTR_ERROR);
	struct address_draft *draft = edit_begin(fixture->resources, "test");
	assert_int_equal(
		edit_set(draft, addresses_fixture_at(fixture, "198.51.100.30"), &value, 1, NULL),
		0);
	assert_int_equal(edit_commit(draft), 0);
	edit_free(draft);
	assert_int_equal(addresses_fixture_at(fixture, "203.0.113.77")->status, PTR_PENDING);
	assert_true(addresses_fixture_serves(fixture, "203.0.113.77", "other.test.", 3600));
}

/* ---- without a state ---- */

static enum change_outcome try_to_change(struct addresses_fixture *fixture,
					 char text[CHANGE_TEXT_MAX])
{
	const struct owned_item ptr = {.reverse_fqdn = "x.test.", .ttl = NOT_GIVEN};
	struct address_draft *draft = edit_begin(fixture->resources, "test");
	int err = edit_point(draft, addresses_fixture_at(fixture, "198.51.100.11"), &ptr);

	err = err ? err : edit_commit(draft);
	assert_int_equal(err == 0, draft_error(draft)->outcome == CHANGE_FINE);
	const enum change_outcome outcome = draft_error(draft)->outcome;
	snprintf(text, CHANGE_TEXT_MAX, "%s", draft_error(draft)->text);
	edit_free(draft);
	return outcome;
}

static void without_a_state_changes_are_refused_with_the_way_to_one(void **state)
{
	struct addresses_fixture fixture;
	char text[CHANGE_TEXT_MAX];

	(void)state;
	addresses_fixture_init(&fixture, "region = \"east\";\n" FIXTURE_POOLS FILE_PART);
	assert_int_equal(try_to_change(&fixture, text), CHANGE_NO_STATE);
	assert_non_null(strstr(text, "management = { state ="));
	assert_true(addresses_fixture_serves(&fixture, "198.51.100.10", "mail.test.", 60));
	addresses_fixture_release(&fixture);
}

static void spoil(const struct addresses_fixture *fixture)
{
	config_text_put(&fixture->config, "state.db", "what a disk may give back some day\n");
}

static void a_state_that_cannot_be_read_at_the_start_keeps_nothing_from_being_served(void **state)
{
	struct addresses_fixture fixture;
	struct addresses_about about;
	char text[CHANGE_TEXT_MAX];

	(void)state;
	addresses_fixture_init(&fixture, "region = \"east\";\n" FIXTURE_POOLS);
	spoil(&fixture);
	config_text_put(&fixture.config, "sluice.conf", FIXTURE_WORLD FILE_PART);
	addresses_fixture_restart(&fixture);
	assert_int_equal(fixture.config.faults.warnings, 1);
	addresses_about(fixture.resources, &about);
	assert_non_null(strstr(about.error, "state.db"));
	assert_true(addresses_fixture_serves(&fixture, "198.51.100.10", "mail.test.", 60));
	assert_int_equal(try_to_change(&fixture, text), CHANGE_STORE);
	assert_string_equal(text, about.error);
	unlink(fixture.state);
	assert_int_equal(addresses_fixture_load(&fixture, NULL), 0);
	addresses_about(fixture.resources, &about);
	assert_null(about.error);
	assert_int_equal(try_to_change(&fixture, text), CHANGE_FINE);
	addresses_fixture_release(&fixture);
}

static void exec(const struct addresses_fixture *fixture, const char *sql)
{
	sqlite3 *db;

	assert_int_equal(sqlite3_open(fixture->state, &db), SQLITE_OK);
	assert_int_equal(sqlite3_exec(db, sql, NULL, NULL, NULL), SQLITE_OK);
	sqlite3_close(db);
}

static void a_state_that_goes_bad_stays_as_it_was_and_is_done_without_at_a_start(void **state)
{
	struct addresses_fixture *fixture = *state;
	char text[CHANGE_TEXT_MAX];

	addresses_fixture_point(fixture, addresses_fixture_add(fixture, "new", "198.51.100.30"),
				"new.test.");
	exec(fixture, "UPDATE resources SET ptr = 'a..b' WHERE ptr NOT NULL");
	assert_int_equal(addresses_fixture_load(fixture, NULL), 0);
	assert_int_equal(fixture->config.faults.warnings, 1);
	assert_non_null(strstr(fixture->config.faults.items[0].text, "the PTR \"a..b\""));
	exec(fixture, "UPDATE resources SET ptr = 'new.test.' WHERE ptr NOT NULL;"
		      "UPDATE resources SET addr = x'00' WHERE addr NOT NULL");
	assert_int_equal(addresses_fixture_load(fixture, NULL), 0);
	assert_non_null(strstr(fixture->config.faults.items[0].text, "not written by sluice"));
	assert_true(addresses_fixture_serves(fixture, "198.51.100.30", "new.test.", 3600));
	assert_int_equal(try_to_change(fixture, text), CHANGE_STORE);
	addresses_fixture_restart(fixture);
	assert_int_equal(fixture->config.faults.warnings, 1);
	assert_true(addresses_fixture_serves(fixture, "198.51.100.30", NULL, 0));
	assert_true(addresses_fixture_serves(fixture, "198.51.100.10", "mail.test.", 60));
	assert_int_equal(try_to_change(fixture, text), CHANGE_STORE);
	exec(fixture, "UPDATE resources SET addr = x'04c633641e' WHERE addr NOT NULL");
	assert_int_equal(addresses_fixture_load(fixture, NULL), 0);
	assert_true(addresses_fixture_serves(fixture, "198.51.100.30", "new.test.", 3600));
	assert_int_equal(try_to_change(fixture, text), CHANGE_FINE);
}

static void what_another_server_wrote_is_taken_in_by_a_reload(void **state)
{
	struct addresses_fixture *fixture = *state;
	char text[CHANGE_TEXT_MAX];

	addresses_fixture_point(fixture, addresses_fixture_add(fixture, "new", "198.51.100.30"),
				"new.test.");
	exec(fixture, "UPDATE meta SET value = 9; UPDATE resources SET ptr = 'its.test.',"
		      " ptr_revision = 9 WHERE ptr NOT NULL");
	for (unsigned i = 0; i < 2; i++) {
		assert_int_equal(try_to_change(fixture, text), CHANGE_STORE);
		assert_non_null(strstr(text, "changed by another program"));
	}
	assert_int_equal(addresses_fixture_load(fixture, NULL), 0);
	assert_true(addresses_fixture_serves(fixture, "198.51.100.30", "its.test.", 3600));
	assert_int_equal(try_to_change(fixture, text), CHANGE_FINE);
}

static void another_state_takes_a_restart(void **state)
{
	struct addresses_fixture *fixture = *state;
	struct addresses_about about;

	assert_int_equal(
		addresses_fixture_load(fixture,
				       "management = { state = \"other.db\"; };\n" FIXTURE_POOLS),
		0);
	assert_int_equal(fixture->config.faults.warnings, 1);
	assert_non_null(strstr(fixture->config.faults.items[0].text, "takes a restart"));
	addresses_about(fixture->resources, &about);
	assert_string_equal(about.state, fixture->state);
}

/* ---- the PTR's status ---- */

static void a_ptr_is_pending_until_every_worker_has_it(void **state)
{
	struct addresses_fixture *fixture = *state;

	addresses_fixture_point(fixture, addresses_fixture_at(fixture, "198.51.100.11"),
				"one.test.");
	const struct owned_resource *bare = addresses_fixture_at(fixture, "198.51.100.11");
	assert_int_equal(bare->status, PTR_PENDING);
	assert_int_equal(bare->action, PTR_ACTION_CREATE);
	addresses_fixture_point(fixture, bare, "two.test.");
	bare = addresses_fixture_at(fixture, "198.51.100.11");
	assert_int_equal(bare->action, PTR_ACTION_UPDATE);
	addresses_note_served(fixture->resources);
	bare = addresses_fixture_at(fixture, "198.51.100.11");
	assert_int_equal(bare->status, PTR_ACTIVE);
	assert_int_equal(bare->action, PTR_ACTION_NONE);
	addresses_fixture_point(fixture, bare, "");
	bare = addresses_fixture_at(fixture, "198.51.100.11");
	assert_null(bare->item.reverse_fqdn);
	assert_int_equal(bare->action, PTR_ACTION_DELETE);
	addresses_note_served(fixture->resources);
	bare = addresses_fixture_at(fixture, "198.51.100.11");
	assert_int_equal(bare->status, PTR_INACTIVE);
}

static void very_many_ptrs_are_served_at_once(void **state)
{
	struct addresses_fixture *fixture = *state;
	struct address_draft *draft = edit_begin(fixture->resources, "test");
	const struct owned_item ptr = {.reverse_fqdn = "n.test.", .ttl = NOT_GIVEN};
	char name[16], address[ADDRESS_TEXT_MAX];
	const struct owned_resource *resource;

	for (unsigned i = 0; i < 1500; i++) {
		const struct edit_value values[] = {{"name", name}, {"address", address}};

		snprintf(name, sizeof name, "a%u", i);
		snprintf(address, sizeof address, "2001:db8::%x", i + 1);
		assert_int_equal(edit_add(draft, KIND_ADDRESS, values, 2, &resource), 0);
		assert_int_equal(edit_point(draft, resource, &ptr), 0);
	}
	assert_int_equal(edit_commit(draft), 0);
	edit_free(draft);
	assert_int_equal(addresses_fixture_at(fixture, "2001:db8::5dc")->status, PTR_PENDING);
	addresses_note_served(fixture->resources);
	assert_int_equal(addresses_fixture_at(fixture, "2001:db8::1")->status, PTR_ACTIVE);
	assert_int_equal(addresses_fixture_at(fixture, "2001:db8::5dc")->status, PTR_ACTIVE);
}

#define T(test) cmocka_unit_test_setup_teardown(test, set_up, addresses_fixture_tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		T(an_owner_is_found_by_each_of_its_names_in_any_case),
		T(what_the_file_says_is_all_there),
		T(an_id_that_is_not_given_follows_from_the_name),
		T(what_the_file_says_otherwise_is_another_etag),
		T(lists_are_in_order_and_of_one_kind),
		T(what_the_api_made_is_there_after_a_restart_and_a_reload),
		T(an_address_of_the_file_without_a_ptr_keeps_the_one_of_the_api),
		T(a_ptr_waits_while_its_owner_is_gone_from_the_file),
		T(what_is_in_both_is_refused_and_both_are_named),
		T(a_ptr_in_both_is_refused),
		T(an_address_whose_pool_is_gone_is_kept_and_not_served),
		T(an_address_that_moves_into_a_pool_is_served),
		cmocka_unit_test(without_a_state_changes_are_refused_with_the_way_to_one),
		cmocka_unit_test(
			a_state_that_cannot_be_read_at_the_start_keeps_nothing_from_being_served),
		T(a_state_that_goes_bad_stays_as_it_was_and_is_done_without_at_a_start),
		T(what_another_server_wrote_is_taken_in_by_a_reload),
		T(another_state_takes_a_restart),
		T(a_ptr_is_pending_until_every_worker_has_it),
		T(very_many_ptrs_are_served_at_once),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
