/* An address or service as a row of the state, and back: the values, what it is found by, and its
 * path; and as the API shows it. */
#include "resolver/control/resource/owned_resource.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "resolver/control/base/json.h"
#include "resolver/control/resource/kind.h"
#include "rules/base.h"
#include "rules/text.h"
#include "tests/lib/owned_given.h"

#define ID "6f8b4ce6-1111-4d2e-9c55-0242ac120001"

static const struct model model = {
	.reverse = {.ttl = 3600, .suffix = "cloud.test", .service_suffix = "app.test"}};

struct world {
	struct arena arena;
	struct owned_resource resource; /* of a row */
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

static const struct owned_given all[] = {
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
		 .action = PTR_ACTION_UPDATE,
		 .revision = 6}},
	{.id = ID,
	 .name = "its-ttl-is-the-files",
	 .address = {4, {198, 51, 100, 2}},
	 .revision = 2,
	 .ptr = {.fqdn = "b.test.", .ttl = 3600, .action = PTR_ACTION_CREATE, .revision = 2}},
	{.id = ID,
	 .name = "its-ptr-is-gone",
	 .address = {4, {198, 51, 100, 3}},
	 .revision = 3,
	 .ptr = {.action = PTR_ACTION_DELETE, .revision = 3}},
	{.kind = KIND_SERVICE,
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
		 .action = PTR_ACTION_CREATE,
		 .revision = 4}},
};

static bool has_tags(const struct owned_item *a, const struct owned_item *b)
{
	bool has = a->tags.count == b->tags.count;

	for (size_t i = 0; has && i < a->tags.count; i++)
		has = strcmp(a->tags.items[i].name, b->tags.items[i].name) == 0 &&
		      strcmp(a->tags.items[i].value, b->tags.items[i].value) == 0;
	return has;
}

static void check_same(const struct owned_resource *resource, const struct owned_resource *other)
{
	const struct owned_item *a = &resource->item, *b = &other->item;
	char left[ETAG_MAX], right[ETAG_MAX];

	assert_string_equal(a->id, b->id);
	assert_string_equal(a->name, b->name);
	assert_true(text_equal(a->resource_group, b->resource_group));
	assert_true(text_equal(a->region, b->region));
	assert_true(address_equal(&a->address, &b->address));
	assert_int_equal(a->allocation, b->allocation);
	assert_true(text_equal(a->domain_name_label, b->domain_name_label));
	assert_true(text_equal(a->description, b->description));
	assert_true(text_equal(a->reverse_fqdn, b->reverse_fqdn));
	assert_true(text_equal(a->ptr_description, b->ptr_description));
	assert_int_equal(a->ttl, b->ttl);
	assert_true(has_tags(a, b));
	assert_true(text_equal(resource->subscription, other->subscription));
	assert_true(text_equal(resource->fqdn, other->fqdn));
	assert_int_equal(resource->status, other->status);
	assert_int_equal(resource->action, other->action);
	assert_int_equal(resource->ptr_revision, other->ptr_revision);
	assert_string_equal(owned_version_etag(resource, left), owned_version_etag(other, right));
}

static void what_a_row_says_is_what_was_written(void **state)
{
	struct world *world = *state;

	for (size_t i = 0; i < COUNT(all); i++) {
		struct owned_resource expected = owned_given(&all[i], &world->arena);
		struct owned_scratch scratch;
		char path[PATH_MAX_BYTES], *json = owned_row_json(&expected);
		const struct source_keys keys = owned_keys(&expected, &scratch);
		const struct source_resource row = {expected.kind->id, path, json,
						    .revision = all[i].revision, .keys = &keys};

		assert_int_equal(owned_key(&expected, path), 0);
		assert_int_equal(owned_of_row(&world->resource, &row, &model, &world->arena), 0);
		assert_int_equal(world->resource.ttl_served,
				 all[i].ptr.ttl_given ? all[i].ptr.ttl : model.reverse.ttl);
		check_same(&world->resource, &expected);
		assert_false(owned_is_declared(&world->resource));
		free(json);
	}
}

static void what_the_file_says_of_a_ptr_is_not_written(void **state)
{
	struct world *world = *state;
	struct owned_resource resource = owned_given(&all[1], &world->arena);
	struct owned_scratch scratch;
	struct source_keys keys;
	char *json;

	resource.ptr_is_declared = true;
	json = owned_row_json(&resource);
	assert_null(strstr(json, "reverse_fqdn"));
	assert_null(strstr(json, "ttl"));
	keys = owned_keys(&resource, &scratch);
	assert_null(keys.ptr);
	free(json);
}

static struct source_keys keys_of(struct world *world, size_t at, struct owned_scratch *scratch)
{
	const struct owned_resource resource = owned_given(&all[at], &world->arena);

	return owned_keys(&resource, scratch);
}

static void it_is_found_without_regard_to_case(void **state)
{
	struct world *world = *state;
	struct owned_scratch scratch;
	struct source_keys keys = keys_of(world, 1, &scratch);

	assert_string_equal(keys.host, "web-01.east");
	assert_string_equal(keys.group, "gr\xc3\xb6\xc3\x9f"
					"e (1)");
	assert_string_equal(keys.region, "East");
	keys = keys_of(world, 0, &scratch);
	assert_string_equal(keys.group, ""); /* a group, too: those in none */
	assert_null(keys.host);
	keys = keys_of(world, 4, &scratch);
	assert_null(keys.group);
	assert_null(keys.host);
}

static void a_path_is_its_group_and_its_name_in_lower_case(void **state)
{
	static const struct {
		unsigned kind;
		const char *group, *name, *path;
	} paths[] = {
		{KIND_ADDRESS, NULL, "A.b_c-1", "-/a.b_c-1"},
		{KIND_ADDRESS, "", "a", "-/a"},
		{KIND_ADDRESS, "Web", "a", "web/a"},
		{KIND_ADDRESS, "a/b", "c", "a%2fb/c"},
		{KIND_ADDRESS, "a", "b/c", "a/b%2fc"},
		{KIND_ADDRESS, "%2F", "c", "%252f/c"},
		{KIND_ADDRESS, "\xc3\xb6 (1)", "c", "%c3%b6%20%281%29/c"},
		{KIND_SERVICE, NULL, "App", "-/app"},
	};
	char path[PATH_MAX_BYTES], longest[681], longer[1366];

	(void)state;
	for (size_t i = 0; i < COUNT(paths); i++) {
		const struct owned_resource resource = {
			.kind = kind_of_id(paths[i].kind),
			.item = {.resource_group = paths[i].group, .name = paths[i].name}};

		assert_int_equal(owned_key(&resource, path), 0);
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

static void a_row_that_sluice_did_not_write_is_refused(void **state)
{
#define GOOD "\"name\":\"a\",\"id\":\"" ID "\",\"address\":\"198.51.100.1\""
	static const struct address address = {4, {198, 51, 100, 1}},
				    other = {4, {198, 51, 100, 2}};
	static const struct source_keys fine = {.id = ID, .address = {4, {198, 51, 100, 1}}};
	const struct source_keys
		no_id = {.address = address},
		no_address = {.id = ID}, moved = {.id = ID, .address = other},
		action = {.id = ID, .address = address, .ptr_action = PTR_ACTION_DELETE + 1},
		ptr = {.id = ID, .address = address, .ptr = "a.test."},
		ttl = {.id = ID, .address = address, .ptr = "a.test.", .ttl_given = true, .ttl = 7};
	const struct {
		const char *json;
		const struct source_keys *keys;
	} wrong[] = {
		{"", &fine},
		{"{", &fine},
		{"[]", &fine},
		{"{}", &fine},
		{"null", &fine},
		{"{\"name\":5}", &fine},
		{"{\"name\":\"a\"}", &fine},
		{"{" GOOD ",\"reverse_fqdn\":\"a.test.\"}", &fine},
		{"{" GOOD "}", &no_id},
		{"{" GOOD "}", &no_address},
		{"{" GOOD "}", &moved},
		{"{" GOOD "}", &action},
		{"{" GOOD "}", &ptr},
		{"{" GOOD ",\"reverse_fqdn\":\"b.test.\"}", &ptr},
		{"{" GOOD ",\"reverse_fqdn\":\"a.test.\",\"ttl\":8}", &ttl},
	};
	struct world *world = *state;
	struct source_resource row = {KIND_ADDRESS, "-/a", "{" GOOD "}", .revision = 1,
				      .keys = &fine};

	assert_int_equal(owned_of_row(&world->resource, &row, &model, &world->arena), 0);
	for (size_t i = 0; i < COUNT(wrong); i++) {
		row.json = wrong[i].json;
		row.keys = wrong[i].keys;
		if (owned_of_row(&world->resource, &row, &model, &world->arena) != ERR_INVALID)
			fail_msg("%s is taken", wrong[i].json);
	}
	row = (struct source_resource){KIND_PTR, ID, "{}", .revision = 1,
				       .keys = &fine}; /* a PTR of no name */
	assert_int_equal(owned_take_ptr_row(&world->resource, &row, &model, &world->arena),
			 ERR_INVALID);
}

/* Earlier versions took texts that none takes any more. */
static void the_form_of_texts_in_a_row_is_not_judged_again(void **state)
{
	static const struct source_keys keys = {
		.id = ID, .address = {4, {198, 51, 100, 1}}, .ptr = "a.test."};
	static const struct source_resource row = {
		KIND_ADDRESS, "-/a",
		"{" GOOD ",\"reverse_fqdn\":\"a.test.\",\"description\":\"a\\u202eb\","
		"\"region\":\"a b\",\"of_another_version\":1,\"tags\":{\"\\u200b\":\"\\u001b\"}}",
		.revision = 1, .keys = &keys};
	struct world *world = *state;

	assert_int_equal(owned_of_row(&world->resource, &row, &model, &world->arena), 0);
	assert_string_equal(world->resource.item.ptr_description, "a\u202eb");
	assert_string_equal(world->resource.item.region, "a b");
	assert_string_equal(world->resource.item.tags.items[0].value, "\x1b");
}

static void a_ptr_of_a_row_of_its_own_is_the_one_that_was_written(void **state)
{
	struct world *world = *state;

	for (size_t i = 1; i < 3; i++) {
		const struct owned_resource given = owned_given(&all[i], &world->arena);
		const struct source_keys keys = owned_ptr_keys(&given);
		const struct owned_item *item = &world->resource.item;
		char *json = owned_ptr_row_json(&given);
		const struct source_resource row = {KIND_PTR, ID, json,
						    .revision = given.ptr_revision, .keys = &keys};

		assert_null(strstr(json, "address"));
		assert_int_equal(owned_take_ptr_row(&world->resource, &row, &model, &world->arena),
				 0);
		assert_string_equal(item->reverse_fqdn, given.item.reverse_fqdn);
		assert_true(text_equal(item->ptr_description, given.item.ptr_description));
		assert_int_equal(item->ttl, given.item.ttl);
		assert_int_equal(world->resource.ttl_served, all[i].ptr.ttl);
		assert_int_equal(world->resource.ptr_revision, given.ptr_revision);
		assert_int_equal(world->resource.action, given.action);
		free(json);
	}
}

/* ---- its etag ---- */

static const struct tag tags[] = {{"a", "1"}, {"b", "2"}};

/* Each changes one thing. */
static void change_something(struct owned_resource *resource, size_t which)
{
	static struct tag other[] = {{"a", "1"}, {"b", "3"}};
	struct owned_item *item = &resource->item;

	switch (which) {
	case 0: item->name = "other"; return;
	case 1: item->resource_group = "other"; return;
	case 2: item->region = "other"; return;
	case 3: item->id = "6f8b4ce6-1111-4d2e-9c55-0242ac120009"; return;
	case 4: item->address.bytes[3]++; return;
	case 5: item->allocation = ALLOCATION_DYNAMIC; return;
	case 6: item->domain_name_label = NULL; return;
	case 7: item->reverse_fqdn = "other."; return;
	case 8: item->ptr_description = "other"; return;
	case 9: item->ttl = 5; return;
	case 10: item->tags.items = other; return;
	case 11: item->tags.count = 1; return;
	case 12: item->origin.revision++; return;
	case 13: resource->ptr_revision = item->origin.revision + 1; return;
	case 14: resource->fqdn = "other."; return;
	case 15: resource->subscription = "other"; return;
	}
}

static void an_etag_is_another_after_each_change(void **state)
{
	struct world *world = *state;
	char etag[ETAG_MAX], other[ETAG_MAX];

	for (size_t i = 0; i < 16; i++) {
		struct owned_resource resource = owned_given(&all[1], &world->arena);

		resource.item.tags.items = (struct tag *)(uintptr_t)tags;
		resource.item.tags.count = COUNT(tags);
		owned_version_etag(&resource, etag);
		change_something(&resource, i);
		if (strcmp(etag, owned_version_etag(&resource, other)) == 0)
			fail_msg("change %zu", i);
	}
}

/* ---- as it is shown ---- */

static const struct owned_given mail = {
	.id = "6f8b4ce6-1111-4d2e-9c55-0242ac120002",
	.name = "mail",
	.resource_group = "office",
	.region = "westeurope",
	.address = {4, {192, 0, 2, 1}},
	.allocation = ALLOCATION_STATIC,
	.label = "mail",
	.fqdn = "mail.westeurope.cloudapp.azure.com.",
	.tags = "{\"team\":\"a\"}",
	.ptr = {.fqdn = "mail.test.", .ttl = 3600},
};

static const char *text_of(const json_t *object, const char *key)
{
	const json_t *value = json_object_get(object, key);

	assert_non_null(value);
	return json_string_value(value);
}

static void an_address_is_shown_by_the_configurations_keys(void **state)
{
	struct world *world = *state;
	const struct owned_resource resource = owned_given(&mail, &world->arena);
	json_t *shown = owned_show(&resource, KIND_ADDRESS);

	assert_non_null(shown);
	assert_string_equal(text_of(shown, "address"), "192.0.2.1");
	assert_string_equal(text_of(shown, "resource_group"), "office");
	assert_string_equal(text_of(shown, "allocation"), "static");
	assert_string_equal(text_of(shown, "domain_name_label"), "mail");
	assert_string_equal(text_of(json_object_get(shown, "tags"), "team"), "a");
	assert_string_equal(text_of(shown, "reverse_fqdn"), "mail.test.");
	assert_string_equal(text_of(shown, "status"), "ACTIVE");
	assert_null(text_of(shown, "description")); /* is there, as null */
	assert_null(text_of(shown, "subscription"));
	assert_null(text_of(shown, "origin"));
	json_decref(shown);
}

static void a_ttl_that_is_the_default_is_shown_as_null_and_as_it_is_served(void **state)
{
	struct world *world = *state;
	struct owned_resource resource = owned_given(&mail, &world->arena);
	json_t *shown = owned_show(&resource, KIND_PTR);

	assert_true(json_is_null(json_object_get(shown, "ttl")));
	assert_int_equal(json_integer_value(json_object_get(shown, "ttl_served")), 3600);
	json_decref(shown);
	resource.item.ttl = 3600;
	shown = owned_show(&resource, KIND_PTR);
	assert_int_equal(json_integer_value(json_object_get(shown, "ttl")), 3600);
	json_decref(shown);
	resource.item.reverse_fqdn = NULL;
	shown = owned_show(&resource, KIND_PTR);
	assert_true(json_is_null(json_object_get(shown, "ttl_served")));
	json_decref(shown);
}

static void an_id_has_the_region_where_there_is_one(void **state)
{
	struct world *world = *state;
	struct owned_resource resource = owned_given(&mail, &world->arena);
	json_t *shown = owned_show(&resource, KIND_PTR);

	assert_string_equal(text_of(shown, "id"),
			    "westeurope:6f8b4ce6-1111-4d2e-9c55-0242ac120002");
	json_decref(shown);
	resource.item.region = NULL;
	shown = owned_show(&resource, KIND_PTR);
	assert_string_equal(text_of(shown, "id"), "6f8b4ce6-1111-4d2e-9c55-0242ac120002");
	json_decref(shown);
}

static void only_what_is_read_only_has_an_origin(void **state)
{
	struct world *world = *state;
	struct owned_resource resource = owned_given(&mail, &world->arena);
	json_t *shown;

	resource.item.origin = (struct origin){.file = "sluice.conf", .line = 7};
	shown = owned_show(&resource, KIND_ADDRESS);
	assert_string_equal(text_of(shown, "origin"), "sluice.conf:7");
	json_decref(shown);
	shown = owned_show(&resource, KIND_PTR);
	assert_null(text_of(shown, "origin"));
	json_decref(shown);
	resource.ptr_is_declared = true;
	shown = owned_show(&resource, KIND_PTR);
	assert_string_equal(text_of(shown, "origin"), "sluice.conf:7");
	json_decref(shown);
}

#define T(test) cmocka_unit_test_setup_teardown(test, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		T(what_a_row_says_is_what_was_written),
		T(what_the_file_says_of_a_ptr_is_not_written),
		T(it_is_found_without_regard_to_case),
		T(a_path_is_its_group_and_its_name_in_lower_case),
		T(a_row_that_sluice_did_not_write_is_refused),
		T(the_form_of_texts_in_a_row_is_not_judged_again),
		T(a_ptr_of_a_row_of_its_own_is_the_one_that_was_written),
		T(an_etag_is_another_after_each_change),
		T(an_address_is_shown_by_the_configurations_keys),
		T(a_ttl_that_is_the_default_is_shown_as_null_and_as_it_is_served),
		T(an_id_has_the_region_where_there_is_one),
		T(only_what_is_read_only_has_an_origin),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
