/* Reloads: when the store is read, what of the state is looked at again, that an abandoned reload
 * leaves everything as it was, and that many reloads come to the same as a start. */
#include "resolver/control/resource/resources.h"

#include <setjmp.h>
#include <sqlite3.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "rules/schema/schema.h"
#include "tests/lib/addresses_fixture.h"
#include "tests/lib/random.h"

static void load(struct addresses_fixture *fixture, const char *text)
{
	if (addresses_fixture_load(fixture, text) == 0)
		return;
	faults_print(&fixture->config.faults, stderr);
	fail();
}

static void exec(const struct addresses_fixture *fixture, const char *sql)
{
	sqlite3 *db;

	assert_int_equal(sqlite3_open(fixture->state, &db), SQLITE_OK);
	assert_int_equal(sqlite3_exec(db, sql, NULL, NULL, NULL), SQLITE_OK);
	sqlite3_close(db);
}

static int set_value(struct addresses_fixture *fixture, const struct owned_resource *resource,
		     const char *key, const char *text)
{
	const struct edit_value value = {key, text};
	struct address_draft *draft = edit_begin(fixture->resources, "test");
	int err = edit_set(draft, resource, &value, 1, NULL);

	if (!err)
		err = edit_commit(draft);
	edit_free(draft);
	return err;
}

/* ---- when the store is read ---- */

/* How often all of it was read; the real calls but for that one. */
static unsigned loads;
static int (*real_owned)(struct source *source, source_on_resource *on_resource, void *context,
			 char error[SOURCE_ERROR_MAX]);

static int count_owned(struct source *source, source_on_resource *on_resource, void *context,
		       char error[SOURCE_ERROR_MAX])
{
	loads++;
	return real_owned(source, on_resource, context, error);
}

static void the_store_is_read_again_only_after_somebody_else_has_written(void **state)
{
	struct addresses_fixture *fixture = *state;
	const struct source_calls *real = fixture->resources->store.source->calls;
	struct source_calls counting = *real;

	loads = 0;
	real_owned = real->owned;
	counting.owned = count_owned;
	fixture->resources->store.source->calls = &counting;
	addresses_fixture_point(fixture, addresses_fixture_add(fixture, "new", "198.51.100.30"),
				"new.test.");
	addresses_fixture_point(fixture, addresses_fixture_at(fixture, "198.51.100.11"),
				"bare.test.");
	load(fixture, NULL);
	load(fixture, FIXTURE_WORLD);
	load(fixture, FIXTURE_WORLD FIXTURE_FILED);
	assert_true(addresses_fixture_serves(fixture, "198.51.100.30", "new.test.", 3600));
	assert_true(addresses_fixture_serves(fixture, "198.51.100.11", "bare.test.", 3600));
	assert_int_equal(loads, 0);
	exec(fixture, "UPDATE resources SET ptr = 'its.test.' WHERE ptr NOT NULL");
	load(fixture, NULL);
	assert_int_equal(loads, 1);
	assert_true(addresses_fixture_serves(fixture, "198.51.100.30", "its.test.", 3600));
	load(fixture, NULL);
	assert_int_equal(loads, 1);
	fixture->resources->store.source->calls = real;
}

static void what_was_read_and_not_served_is_read_again(void **state)
{
	struct addresses_fixture *fixture = *state;
	struct addresses_about about;

	addresses_fixture_add(fixture, "new", "198.51.100.30");
	exec(fixture,
	     "UPDATE resources SET addr = x'04c633640a', json = json_set(json, '$.address',"
	     " '198.51.100.10') WHERE addr NOT NULL"); /* the file's */
	assert_int_equal(addresses_fixture_load(fixture, NULL), ERR_FAULTS);
	assert_non_null(strstr(fixture->config.faults.items[0].text, "cannot both have"));
	assert_int_not_equal(set_value(fixture, addresses_fixture_named(fixture, "new"), "address",
				       "198.51.100.31"),
			     0);
	addresses_about(fixture->resources, &about);
	assert_non_null(strstr(about.error, "reload"));
	exec(fixture,
	     "UPDATE resources SET addr = x'04c6336420', json = json_set(json, '$.address',"
	     " '198.51.100.32') WHERE addr NOT NULL");
	load(fixture, NULL);
	assert_null(addresses_fixture_at(fixture, "198.51.100.30"));
	assert_int_equal(set_value(fixture, addresses_fixture_at(fixture, "198.51.100.32"),
				   "address", "198.51.100.31"),
			 0);
	addresses_about(fixture->resources, &about);
	assert_null(about.error);
}

#define NESTED                                                                                     \
	FIXTURE_WORLD                                                                              \
	"reverse = { suffix = \"cloud.test\"; service_suffix = \"east.cloud.test\"; };\n"

static void a_service_and_an_address_of_the_file_never_share_a_name(void **state)
{
	static const char file[] =
		NESTED "addresses = ({ name = \"a\"; address = \"198.51.100.41\";"
		       " domain_name_label = \"web\"; });\n";
	const struct edit_value value = {"address", "198.51.100.40"}, name = {"name", "web"};
	struct addresses_fixture *fixture = *state;
	struct address_draft *draft;

	load(fixture, NESTED);
	draft = edit_begin(fixture->resources, "test");
	assert_int_equal(edit_add(draft, KIND_SERVICE, (struct edit_value[]){name, value}, 2, NULL),
			 0);
	assert_int_equal(edit_commit(draft), 0);
	edit_free(draft);
	for (size_t i = 0; i < 2; i++) { /* the state is as before, and read anew */
		assert_int_equal(addresses_fixture_load(fixture, file), ERR_FAULTS);
		assert_int_equal(fixture->config.faults.errors, 1);
		assert_non_null(strstr(fixture->config.faults.items[0].text,
				       "cannot both have this domain_name_label"));
		exec(fixture, "UPDATE resources SET revision = revision");
	}
}

/* ---- what is looked at again ---- */

#define ELSEWHERE                                                                                  \
	"region = \"east\"; subscription = \"11111111-2222-3333-4444-555555555555\";\n"            \
	"management = { state = \"state.db\"; };\n"                                                \
	"address_pools = ({ name = \"p\"; prefix = \"192.0.2.0/24\"; });\n"

static void a_pool_that_goes_and_comes_takes_names_with_it(void **state)
{
	struct addresses_fixture *fixture = *state;

	load(fixture, FIXTURE_WORLD);
	addresses_fixture_point(fixture, addresses_fixture_add(fixture, "new", "198.51.100.30"),
				"new.test.");
	assert_int_equal(set_value(fixture, addresses_fixture_at(fixture, "198.51.100.30"),
				   "domain_name_label", "web"),
			 0);
	addresses_note_served(fixture->resources);
	for (unsigned i = 0; i < 2; i++) {
		load(fixture, ELSEWHERE);
		assert_int_equal(fixture->config.faults.warnings, 1);
		assert_int_equal(addresses_fixture_at(fixture, "198.51.100.30")->status, PTR_ERROR);
		assert_true(addresses_fixture_serves(fixture, "198.51.100.30", NULL, 0));
		assert_true(
			addresses_fixture_resolves(fixture, "web.east.cloudapp.azure.com", NULL));
		load(fixture, FIXTURE_WORLD);
		assert_int_equal(fixture->config.faults.warnings, 0);
		assert_int_equal(addresses_fixture_at(fixture, "198.51.100.30")->status,
				 PTR_ACTIVE);
		assert_null(addresses_fixture_at(fixture, "198.51.100.30")->reason);
		assert_true(addresses_fixture_serves(fixture, "198.51.100.30", "new.test.", 3600));
		assert_true(addresses_fixture_resolves(fixture, "web.east.cloudapp.azure.com",
						       "198.51.100.30"));
	}
}

static void another_suffix_and_ttl_reach_what_the_state_has(void **state)
{
	struct addresses_fixture *fixture = *state;

	addresses_fixture_point(fixture, addresses_fixture_add(fixture, "new", "198.51.100.30"),
				"new.test.");
	assert_int_equal(set_value(fixture, addresses_fixture_at(fixture, "198.51.100.30"),
				   "domain_name_label", "web"),
			 0);
	load(fixture,
	     FIXTURE_WORLD FIXTURE_ITEMS "reverse = { suffix = \"cloud.test\"; ttl = 77; };\n");
	assert_true(addresses_fixture_serves(fixture, "198.51.100.30", "new.test.", 77));
	assert_string_equal(addresses_fixture_at(fixture, "198.51.100.30")->fqdn,
			    "web.east.cloud.test.");
	assert_true(addresses_fixture_resolves(fixture, "web.east.cloud.test", "198.51.100.30"));
	assert_true(addresses_fixture_resolves(fixture, "web.east.cloudapp.azure.com", NULL));
	assert_non_null(addresses_by_fqdn(fixture->resources, "web.east.cloud.test"));
	load(fixture, FIXTURE_WORLD);
	assert_true(addresses_fixture_serves(fixture, "198.51.100.30", "new.test.", 3600));
	assert_null(addresses_by_fqdn(fixture->resources, "web.east.cloud.test"));
}

static void an_address_goes_from_the_file_to_the_state_and_back(void **state)
{
	struct addresses_fixture *fixture = *state;
	struct address_draft *draft;

	load(fixture, FIXTURE_WORLD);
	assert_true(addresses_fixture_serves(fixture, "198.51.100.10", NULL, 0));
	addresses_fixture_point(fixture, addresses_fixture_add(fixture, "mine", "198.51.100.10"),
				"mine.test.");
	assert_int_equal(addresses_fixture_load(fixture, FIXTURE_WORLD FIXTURE_FILED), ERR_FAULTS);
	assert_true(addresses_fixture_serves(fixture, "198.51.100.10", "mine.test.", 3600));
	draft = edit_begin(fixture->resources, "test");
	assert_int_equal(edit_remove(draft, addresses_fixture_at(fixture, "198.51.100.10")), 0);
	assert_int_equal(edit_commit(draft), 0);
	edit_free(draft);
	load(fixture, FIXTURE_WORLD FIXTURE_FILED);
	assert_true(addresses_fixture_serves(fixture, "198.51.100.10", "f.test.", 3600));
}

/* ---- a reload that comes to nothing ---- */

static void an_abandoned_reload_leaves_everything_as_it_was(void **state)
{
	struct addresses_fixture *fixture = *state;
	struct resources *next;

	addresses_fixture_point(fixture, addresses_fixture_add(fixture, "new", "198.51.100.30"),
				"new.test.");
	addresses_note_served(fixture->resources);
	for (unsigned i = 0; i < 2; i++) {
		struct model *model = config_text_load(
			&fixture->config, i ? ELSEWHERE : FIXTURE_WORLD "reverse = { ttl = 9; };");

		assert_non_null(model);
		next = resources_prepare(fixture->resources, model, &fixture->config.faults);
		assert_non_null(next);
		resources_prepared_free(next);
		model_free(model);
		assert_int_equal(addresses_fixture_at(fixture, "198.51.100.30")->status,
				 PTR_ACTIVE);
		assert_int_equal(addresses_fixture_at(fixture, "198.51.100.30")->ttl_served, 3600);
		assert_non_null(addresses_fixture_at(fixture, "198.51.100.10"));
	}
	addresses_fixture_point(fixture, addresses_fixture_at(fixture, "198.51.100.11"),
				"bare.test.");
	assert_true(addresses_fixture_serves(fixture, "198.51.100.30", "new.test.", 3600));
	assert_true(addresses_fixture_serves(fixture, "198.51.100.10", "f.test.", 3600));
}

static void a_ptr_that_is_pending_stays_so_over_a_reload(void **state)
{
	struct addresses_fixture *fixture = *state;

	addresses_fixture_point(fixture, addresses_fixture_add(fixture, "new", "198.51.100.30"),
				"new.test.");
	load(fixture, NULL);
	assert_int_equal(addresses_fixture_at(fixture, "198.51.100.30")->status, PTR_PENDING);
	addresses_note_served(fixture->resources);
	assert_int_equal(addresses_fixture_at(fixture, "198.51.100.30")->status, PTR_ACTIVE);
}

/* ---- against one made anew ---- */

static const struct hash_key fixture_key = {1, 2};

static void compare_served(const struct owned *one, const struct owned *other)
{
	static const struct prefix all[] = {{.address.family = 4}, {.address.family = 6}};
	struct owned_cursor cursor;
	struct address address;
	const struct rrset *was, *is;

	for (unsigned i = 0; i < 2; i++) {
		owned_cursor_begin(&cursor, &all[i]);
		assert_false(owned_cursor_change(&cursor, one, other, &address, &was, &is));
	}
	assert_int_equal(owned_ptr_count(one), owned_ptr_count(other));
	assert_int_equal(owned_host_count(one), owned_host_count(other));
	assert_int_equal(owned_bytes(one), owned_bytes(other));
}

static const struct owned_resource **addresses(struct resources *resources, size_t *count)
{
	struct addresses_about about;

	addresses_about(resources, &about);
	const struct owned_resource **list = calloc(about.addresses + 1, sizeof *list);
	*count = addresses_after(resources, NULL, list, about.addresses + 1);
	assert_int_equal(*count, about.addresses);
	return list;
}

static const struct owned_resource **services(struct resources *resources, size_t *count)
{
	struct addresses_about about;

	addresses_about(resources, &about);
	const struct owned_resource **list = calloc(about.services + 1, sizeof *list);
	*count = services_after(resources, NULL, list, about.services + 1);
	assert_int_equal(*count, about.services);
	return list;
}

static void compare_one(const struct owned_resource *a, const struct owned_resource *b)
{
	char etags[2][ETAG_MAX];

	assert_non_null(a);
	assert_non_null(b);
	assert_string_equal(owned_etag(a, etags[0]), owned_etag(b, etags[1]));
	assert_int_equal(a->status, b->status);
	assert_string_equal(a->reason ? a->reason : "-", b->reason ? b->reason : "-");
}

static void compare_resources(struct resources *one, struct resources *other,
			      const struct owned_resource **(*list)(struct resources *, size_t *))
{
	size_t counts[2];
	const struct owned_resource **lists[] = {list(one, &counts[0]), list(other, &counts[1])};

	assert_int_equal(counts[0], counts[1]);
	for (size_t i = 0; i < counts[0]; i++) {
		const struct owned_resource *a = lists[0][i];

		compare_one(a, lists[1][i]);
		compare_one(addresses_by_id(one, a->item.id), a);
		compare_one(addresses_by_address(one, &a->item.address), a);
		if (a->fqdn)
			compare_one(addresses_by_fqdn(one, a->fqdn), a);
	}
	free(lists[0]);
	free(lists[1]);
}

static void compare_with_one_made_anew(struct addresses_fixture *fixture)
{
	struct resources *anew = resources_new(&fixture_key);
	struct model *model = config_text_read(&fixture->config, NULL);
	struct addresses_about about, anew_about;
	struct resources *next = resources_prepare(anew, model, &fixture->config.faults);

	assert_non_null(next);
	resources_adopt(next);
	resources_prepared_free(next);
	addresses_note_served(fixture->resources);
	addresses_about(fixture->resources, &about);
	addresses_about(anew, &anew_about);
	assert_int_equal(about.addresses, anew_about.addresses);
	assert_int_equal(about.services, anew_about.services);
	assert_int_equal(about.ptrs, anew_about.ptrs);
	assert_int_equal(about.waiting, anew_about.waiting);
	compare_resources(fixture->resources, anew, addresses);
	compare_resources(fixture->resources, anew, services);
	compare_served(fixture->resources->addresses.owned, anew->addresses.owned);
	resources_free(anew);
	model_free(model);
}

/* Addresses f0 ... f5 of the file, the last three with a PTR there at times. */
static char *random_file(uint64_t *seed)
{
	static const char *const worlds[] = {FIXTURE_WORLD, FIXTURE_WORLD, ELSEWHERE};
	char *text = NULL;
	size_t length;
	FILE *out = open_memstream(&text, &length);

	fputs(worlds[random_below(seed, 3)], out);
	fprintf(out,
		"virtual_networks = ({ name = \"n\"; address_space = [ \"10.9.0.0/16\", "
		"\"10.%u.0.0/16\" ]; });\n",
		random_below(seed, 2));
	if (random_below(seed, 4) == 0)
		fprintf(out, "reverse = { ttl = %u; };\n", 60 + random_below(seed, 2));
	fputs("addresses = (", out);
	for (unsigned i = 0, any = 0; i < 6; i++) {
		if (random_below(seed, 3) == 0)
			continue;
		fprintf(out, "%s{ name = \"f%u\"; address = \"10.9.0.%u\"; ", any++ ? "," : "", i,
			i);
		if (i >= 3 && random_below(seed, 2))
			fprintf(out, "reverse_fqdn = \"f%u.test\"; ", random_below(seed, 9));
		fputs("}", out);
	}
	fputs(");\n", out);
	fclose(out);
	return text;
}

/* Of the file's addresses only those that have no PTR there are given one here. Many a change does
 * not fit: there is no such address or service now, or no pool, or no PTR. */
static void random_change(struct addresses_fixture *fixture, uint64_t *seed)
{
	static const char *const forms[] = {"198.51.100.%u", "192.0.2.%u", "10.0.1.%u",
					    "10.1.1.%u"};
	const unsigned slot = random_below(seed, 12);
	char name[16], address[32], label[32], fqdn[32];

	snprintf(name, sizeof name, "%c%u", slot < 3 ? 'f' : 's', slot);
	snprintf(address, sizeof address, forms[random_below(seed, 4)], 100 + slot);
	snprintf(label, sizeof label, "label%u", slot);
	snprintf(fqdn, sizeof fqdn, "n%u.test.", random_below(seed, 1000));
	const struct edit_value values[] = {
		{"name", name}, {"address", address}, {"domain_name_label", label}};
	const struct owned_item ptr = {.reverse_fqdn = random_below(seed, 4) ? fqdn : "",
				       .ttl = NOT_GIVEN};
	const struct owned_resource *resource = addresses_fixture_named(fixture, name);
	struct address_draft *draft = edit_begin(fixture->resources, "test");
	int err;

	if (!resource && slot >= 3)
		err = edit_add(draft, KIND_ADDRESS, values, 2 + slot % 2, NULL);
	else if (resource && slot >= 3 && random_below(seed, 5) == 0)
		err = edit_remove(draft, resource);
	else
		err = edit_point(draft, resource, &ptr);
	if (!err)
		assert_int_equal(edit_commit(draft), 0);
	edit_free(draft);
}

static void many_reloads_come_to_the_same_as_a_start(void **state)
{
	struct addresses_fixture *fixture = *state;
	uint64_t seed = 0x9e3779b97f4a7c15;

	load(fixture, FIXTURE_WORLD);
	for (unsigned round = 0; round < 150; round++) {
		char *text = random_file(&seed);

		for (unsigned n = random_below(&seed, 8); n > 0; n--)
			random_change(fixture, &seed);
		load(fixture, text);
		compare_with_one_made_anew(fixture);
		free(text);
	}
}

/* So that a change of a rule costs nothing for each of the file's addresses. */
static void models_of_one_file_share_its_items(void **state)
{
	struct addresses_fixture *fixture = *state;
	const struct file_rows *rows = fixture->resources->addresses.rows;
	struct model *same = model_compose(fixture->model, NULL, 0);
	struct resources *next;

	next = resources_prepare(fixture->resources, same, &fixture->config.faults);
	assert_non_null(next);
	assert_ptr_equal(next->addresses.rows, rows);
	resources_prepared_free(next);
	model_free(same);
	load(fixture, FIXTURE_WORLD FIXTURE_FILED);
	assert_ptr_not_equal(fixture->resources->addresses.rows, rows);
}

/* As a change of a rule, which does not concern the addresses. */
static void serve_another_model_of_the_file(struct addresses_fixture *fixture)
{
	struct model *same = model_compose(fixture->model, NULL, 0);
	struct resources *next =
		resources_prepare(fixture->resources, same, &fixture->config.faults);

	assert_non_null(next);
	resources_adopt(next);
	resources_prepared_free(next);
	model_free(fixture->model);
	fixture->model = same;
}

static void a_model_of_the_same_file_neither_reads_the_state_nor_changes_lists(void **state)
{
	struct addresses_fixture *fixture = *state;
	const struct owned_resource *resource =
		addresses_fixture_add(fixture, "new", "198.51.100.30");
	const struct source_calls *real = fixture->resources->store.source->calls;
	struct source_calls counting = *real;
	char text[1024], before[ETAG_MAX], after[ETAG_MAX];

	snprintf(text, sizeof text,
		 FIXTURE_WORLD "addresses = ({ name = \"new\"; address = \"198.51.100.30\"; "
			       "id = \"%s\"; allocation = \"%s\"; });\n",
		 resource->item.id, schema_allocation_names[resource->item.allocation]);
	load(fixture, text); /* repeats the state's */
	assert_int_equal(fixture->resources->addresses.counts.repeated, 1);
	loads = 0;
	real_owned = real->owned;
	counting.owned = count_owned;
	fixture->resources->store.source->calls = &counting;
	addresses_etag(fixture->resources, before);
	serve_another_model_of_the_file(fixture);
	assert_int_equal(loads, 0);
	assert_string_equal(addresses_etag(fixture->resources, after), before);
	assert_int_equal(fixture->resources->addresses.counts.repeated, 1);
	load(fixture, FIXTURE_WORLD); /* the state's counts again */
	assert_int_equal(loads, 1);
	assert_string_not_equal(addresses_etag(fixture->resources, after), before);
	assert_int_equal(fixture->resources->addresses.counts.addresses, 1);
	fixture->resources->store.source->calls = real;
}

#define T(test)                                                                                    \
	cmocka_unit_test_setup_teardown(test, addresses_fixture_set_up, addresses_fixture_tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		T(a_service_and_an_address_of_the_file_never_share_a_name),
		T(the_store_is_read_again_only_after_somebody_else_has_written),
		T(what_was_read_and_not_served_is_read_again),
		T(a_pool_that_goes_and_comes_takes_names_with_it),
		T(another_suffix_and_ttl_reach_what_the_state_has),
		T(an_address_goes_from_the_file_to_the_state_and_back),
		T(an_abandoned_reload_leaves_everything_as_it_was),
		T(a_ptr_that_is_pending_stays_so_over_a_reload),
		T(models_of_one_file_share_its_items),
		T(a_model_of_the_same_file_neither_reads_the_state_nor_changes_lists),
		T(many_reloads_come_to_the_same_as_a_start),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
