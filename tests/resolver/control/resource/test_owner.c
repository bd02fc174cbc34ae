/* An owner as a row of the state, and back: the values, what it is found by, and its path. */
#include "resolver/control/resource/owner.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "resolver/control/resource/kind.h"
#include "rules/base.h"
#include "rules/text.h"

#define ID "6f8b4ce6-1111-4d2e-9c55-0242ac120001"

static const struct model model = {
	.reverse = {.ttl = 3600, .suffix = "cloud.test", .service_suffix = "app.test"}};

struct world {
	struct arena arena;
	struct owner owner; /* of a row */
};

static int set_up(void **state)
{
	struct world *world = calloc(1, sizeof *world);

	arena_init(&world->arena);
	*state = world;
	return 0;
}

static int tear_down(void **state)
{
	struct world *world = *state;

	arena_release(&world->arena);
	free(world);
	return 0;
}

static const struct owner owners[] = {
	{.id = ID, .name = "Plain", .address = {4, {198, 51, 100, 1}}, .revision = 1},
	{.id = ID,
	 .name = "whole",
	 .resource_group = "Gr\xc3\xb6\xc3\x9f"
			   "e (1)",
	 .region = "East",
	 .subscription = "s",
	 .address = {6, {0x20, 1, 0xd, 0xb8, [15] = 1}},
	 .allocation = ALLOCATION_STATIC,
	 .label = "Web-01",
	 .fqdn = "Web-01.East.cloud.test.",
	 .tags = "{\"a\\\"\":\"\xf0\x9f\x98\x80\",\"b\":\"\"}",
	 .revision = 7,
	 .ptr = {.fqdn = "A\\.b.Test.",
		 .description = "\"quoted\"",
		 .ttl_given = true,
		 .ttl = 0,
		 .status = PTR_ACTIVE,
		 .action = PTR_ACTION_UPDATE,
		 .revision = 6}},
	{.id = ID,
	 .name = "its-ttl-is-the-files",
	 .address = {4, {198, 51, 100, 2}},
	 .revision = 2,
	 .ptr = {.fqdn = "b.test.",
		 .ttl = 3600,
		 .status = PTR_ACTIVE,
		 .action = PTR_ACTION_CREATE,
		 .revision = 2}},
	{.id = ID,
	 .name = "its-ptr-is-gone",
	 .address = {4, {198, 51, 100, 3}},
	 .revision = 3,
	 .ptr = {.action = PTR_ACTION_DELETE, .revision = 3}},
	{.kind = OWNER_SERVICE,
	 .id = ID,
	 .name = "App",
	 .fqdn = "App.app.test.",
	 .subscription = "s",
	 .address = {4, {198, 51, 100, 4}},
	 .allocation = ALLOCATION_STATIC,
	 .description = "the service's",
	 .tags = "{\"k\":\"v\"}",
	 .revision = 4,
	 .ptr = {.fqdn = "app.test.",
		 .description = "the PTR's",
		 .ttl_given = true,
		 .ttl = 2147483647,
		 .status = PTR_ACTIVE,
		 .action = PTR_ACTION_CREATE,
		 .revision = 4}},
};

static void check_same(const struct owner *owner, const struct owner *other)
{
	char left[ETAG_MAX], right[ETAG_MAX];

	assert_string_equal(owner_version_etag(owner, left), owner_version_etag(other, right));
	assert_true(text_equal(owner->fqdn, other->fqdn));
	assert_int_equal(owner->ptr.status, other->ptr.status);
	assert_int_equal(owner->ptr.action, other->ptr.action);
	assert_true(text_equal(owner->ptr.fqdn, other->ptr.fqdn));
	assert_true(text_equal(owner->ptr.description, other->ptr.description));
}

static void an_owner_of_a_row_is_the_one_that_was_written(void **state)
{
	struct world *world = *state;

	for (size_t i = 0; i < COUNT(owners); i++) {
		struct owner expected = owners[i];
		struct owner_scratch scratch;
		char path[PATH_MAX_BYTES], *json = owner_values(&expected);
		const struct source_keys keys = owner_keys(&expected, &scratch);
		const struct source_resource row = {owner_kind_id(expected.kind), path, json,
						    expected.revision, &keys};

		assert_int_equal(owner_key(&expected, path), 0);
		assert_int_equal(owner_of_row(&world->owner, &row, &model, &world->arena), 0);
		if (!expected.ptr.ttl_given) /* as it is served */
			expected.ptr.ttl = model.reverse.ttl;
		check_same(&world->owner, &expected);
		assert_false(owner_is_read_only(&world->owner));
		free(json);
	}
}

static void what_the_file_says_of_a_ptr_is_not_written(void **state)
{
	struct owner owner = owners[1];
	struct owner_scratch scratch;
	struct source_keys keys;

	(void)state;
	owner.ptr.read_only = true;
	char *json = owner_values(&owner);
	assert_null(strstr(json, "reverse_fqdn"));
	assert_null(strstr(json, "ttl"));
	keys = owner_keys(&owner, &scratch);
	assert_null(keys.ptr);
	free(json);
}

static void it_is_found_without_regard_to_case(void **state)
{
	struct owner_scratch scratch;
	struct source_keys keys = owner_keys(&owners[1], &scratch);

	(void)state;
	assert_string_equal(keys.host, "web-01.east");
	assert_string_equal(keys.group, "gr\xc3\xb6\xc3\x9f"
					"e (1)");
	assert_string_equal(keys.region, "East");
	keys = owner_keys(&owners[0], &scratch);
	assert_string_equal(keys.group, ""); /* a group, too: those in none */
	assert_null(keys.host);
	keys = owner_keys(&owners[4], &scratch);
	assert_null(keys.group);
	assert_null(keys.host);
}

static void a_path_is_its_group_and_its_name_in_lower_case(void **state)
{
	static const struct {
		enum owner_kind kind;
		const char *group, *name, *path;
	} paths[] = {
		{OWNER_ADDRESS, NULL, "A.b_c-1", "-/a.b_c-1"},
		{OWNER_ADDRESS, "", "a", "-/a"},
		{OWNER_ADDRESS, "Web", "a", "web/a"},
		{OWNER_ADDRESS, "a/b", "c", "a%2fb/c"},
		{OWNER_ADDRESS, "a", "b/c", "a/b%2fc"},
		{OWNER_ADDRESS, "%2F", "c", "%252f/c"},
		{OWNER_ADDRESS, "\xc3\xb6 (1)", "c", "%c3%b6%20%281%29/c"},
		{OWNER_SERVICE, "ignored", "App", "-/app"},
	};
	char path[PATH_MAX_BYTES], longest[681], longer[1366];

	(void)state;
	for (size_t i = 0; i < COUNT(paths); i++) {
		const struct owner owner = {.kind = paths[i].kind,
					    .resource_group = paths[i].group,
					    .name = paths[i].name};

		assert_int_equal(owner_key(&owner, path), 0);
		assert_string_equal(path, paths[i].path);
	}
	memset(longest, '/', sizeof longest - 1);
	longest[sizeof longest - 1] = '\0';
	assert_int_equal(path_key_of(KIND_ADDRESS, longest, longest, path), 0);
	assert_int_equal(strlen(path), 2 * 3 * (sizeof longest - 1) + 1);
	memset(longer, 'a', sizeof longer - 1);
	longer[sizeof longer - 1] = '\0';
	assert_int_equal(path_key_of(KIND_ADDRESS, longer, "a", path), ERR_LIMIT);
	assert_int_equal(path_key_of(KIND_ADDRESS, "a", longer, path), ERR_LIMIT);
}

static void a_row_that_sluice_did_not_write_is_no_owner(void **state)
{
	static const struct source_keys fine = {.id = ID, .address = {4, {198, 51, 100, 1}}},
					no_id = {.address = {4, {198, 51, 100, 1}}},
					no_address = {.id = ID},
					action = {.id = ID,
						  .address = {4, {198, 51, 100, 1}},
						  .ptr_action = PTR_ACTION_DELETE + 1};
	static const struct {
		const char *json;
		const struct source_keys *keys;
	} wrong[] = {
		{"", &fine},
		{"{", &fine},
		{"[]", &fine},
		{"{}", &fine},
		{"null", &fine},
		{"{\"name\":5}", &fine},
		{"{\"name\":\"a\"}", &no_id},
		{"{\"name\":\"a\"}", &no_address},
		{"{\"name\":\"a\"}", &action},
	};
	struct world *world = *state;
	struct source_resource row = {KIND_ADDRESS, "-/a", "{\"name\":\"a\"}", 1, &fine};
	struct owner_ptr ptr;

	assert_int_equal(owner_of_row(&world->owner, &row, &model, &world->arena), 0);
	for (size_t i = 0; i < COUNT(wrong); i++) {
		row.json = wrong[i].json;
		row.keys = wrong[i].keys;
		assert_int_equal(owner_of_row(&world->owner, &row, &model, &world->arena),
				 ERR_INVALID);
	}
	row = (struct source_resource){KIND_PTR, ID, "{}", 1, &fine}; /* a PTR of no name */
	assert_int_equal(owner_take_ptr_row(&ptr, &row, &model, &world->arena), ERR_INVALID);
}

static void a_ptr_of_a_row_of_its_own_is_the_one_that_was_written(void **state)
{
	struct world *world = *state;

	for (size_t i = 1; i < 3; i++) {
		const struct owner_ptr *ptr = &owners[i].ptr;
		const struct source_keys keys = owner_ptr_keys(ptr);
		char *json = owner_ptr_values(ptr);
		const struct source_resource row = {KIND_PTR, ID, json, ptr->revision, &keys};

		assert_int_equal(owner_take_ptr_row(&world->owner.ptr, &row, &model, &world->arena),
				 0);
		assert_string_equal(world->owner.ptr.fqdn, ptr->fqdn);
		assert_true(text_equal(world->owner.ptr.description, ptr->description));
		assert_int_equal(world->owner.ptr.ttl, ptr->ttl);
		assert_int_equal(world->owner.ptr.ttl_given, ptr->ttl_given);
		assert_int_equal(world->owner.ptr.revision, ptr->revision);
		assert_int_equal(world->owner.ptr.action, ptr->action);
		free(json);
	}
}

#define T(test) cmocka_unit_test_setup_teardown(test, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		T(an_owner_of_a_row_is_the_one_that_was_written),
		T(what_the_file_says_of_a_ptr_is_not_written),
		T(it_is_found_without_regard_to_case),
		T(a_path_is_its_group_and_its_name_in_lower_case),
		T(a_row_that_sluice_did_not_write_is_no_owner),
		T(a_ptr_of_a_row_of_its_own_is_the_one_that_was_written),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
