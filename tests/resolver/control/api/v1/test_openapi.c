/* The OpenAPI document: nothing that the API takes is missing from it, and everything that it
 * refers to is there. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <string.h>

#include "resolver/control/api/v1/api_v1.h"
#include "resolver/control/base/json.h"
#include "resolver/control/resource/kind.h"
#include "rules/schema/schema.h"
#include "rules/text.h"

static const struct api_route other_routes[] = {
	{"POST", "/v1/reload", API_CHANGE, NULL, 0, NULL},
	{"GET", "/v2/zones", API_READ, NULL, 0, NULL},
	{.method = NULL},
};
static const struct api_dialect other = {.routes = other_routes};
static const struct api_dialect *const dialects[] = {&other, &api_v1, NULL};

static int set_up(void **state)
{
	*state = json_whole(openapi_document(dialects));
	return *state ? 0 : -1;
}

static int tear_down(void **state)
{
	json_decref(*state);
	return 0;
}

static const json_t *operation(const json_t *document, const char *path, const char *method)
{
	char lower[16];

	snprintf(lower, sizeof lower, "%s", method);
	return json_object_get(json_object_get(json_object_get(document, "paths"), path),
			       text_lower(lower));
}

static void every_route_is_there_with_what_it_does(void **state)
{
	for (const struct api_route *route = api_v1.routes; route->method; route++) {
		const json_t *found = operation(*state, route->pattern, route->method);

		if (strncmp(route->pattern, "/v1/{", 5) == 0)
			continue;
		if (!found || !*json_string_value(json_object_get(found, "summary")))
			fail_msg("%s %s has no row in openapi.c", route->method, route->pattern);
	}
	assert_non_null(operation(*state, "/v1/reload", "POST"));
	assert_null(operation(*state, "/v2/zones", "GET"));
	assert_null(operation(*state, "/v1/{kind}", "GET"));
}

/* A route that passes unknown fields on would make a change of a misspelt dry run. */
static void every_route_knows_the_fields_of_its_query(void **state)
{
	(void)state;
	for (const struct api_route *route = api_v1.routes; route->method; route++) {
		bool passes = route->handle == api_resource_list || route->handle == api_health;

		if (passes != !route->fields)
			fail_msg("%s %s: which fields has its query?", route->method,
				 route->pattern);
	}
}

/* As the routes of all kinds have them. */
static void every_kind_has_its_paths_and_schemas(void **state)
{
	static const char *const changes[] = {"PUT", "PATCH", "DELETE"};
	const json_t *schemas = json_object_get(json_object_get(*state, "components"), "schemas");
	char list[128], one[128];

	for (size_t i = 0; i < KIND_COUNT; i++) {
		const struct kind *kind = &kinds[i];

		if (kind->parent)
			snprintf(list, sizeof list, "/v1/%s/{group}/{name}/%s",
				 kind->parent->collection, kind->collection);
		else
			snprintf(list, sizeof list, "/v1/%s/{group}", kind->collection);
		snprintf(one, sizeof one, kind->parent ? "%s/{child_name}" : "%s/{name}", list);
		assert_non_null(operation(*state, list, "GET"));
		*strstr(list, "/{group}") = '\0';
		assert_non_null(operation(*state, list, "GET"));
		assert_non_null(operation(*state, one, "GET"));
		for (size_t k = 0; k < 3; k++)
			assert_non_null(operation(*state, one, changes[k]));
		assert_non_null(json_object_get(schemas, kind->name));
	}
	assert_non_null(
		operation(*state, "/v1/rulesets/{group}/{name}/rules/{child_name}", "PATCH"));
}

/* ---- references ---- */

static void follow(const json_t *document, const char *path)
{
	const json_t *at = document;
	char copy[256], *rest, *part;

	assert_memory_equal(path, "#/", 2);
	snprintf(copy, sizeof copy, "%s", path + 2);
	for (part = strtok_r(copy, "/", &rest); part; part = strtok_r(NULL, "/", &rest))
		at = json_object_get(at, part);
	if (!at)
		fail_msg("%s leads to nothing", path);
}

static size_t follow_all(const json_t *document, const json_t *value)
{
	const char *key;
	json_t *item;
	size_t i, count = 0;

	json_object_foreach((json_t *)value, key, item)
	{
		if (strcmp(key, "$ref") == 0) {
			follow(document, json_string_value(item));
			count++;
		}
		count += follow_all(document, item);
	}
	json_array_foreach(value, i, item) count += follow_all(document, item);
	return count;
}

static void every_reference_leads_somewhere(void **state)
{
	assert_true(follow_all(*state, *state) > 200);
}

/* ---- operations ---- */

static void check_operation(const char *path, const json_t *of, json_t *seen)
{
	const json_t *parameters = json_object_get(of, "parameters"), *parameter;
	const char *id = json_string_value(json_object_get(of, "operationId"));
	size_t i, named = 0, wanted = 0;

	assert_null(json_object_get(seen, id));
	json_put(seen, id, json_true());
	assert_non_null(json_object_get(json_object_get(of, "responses"), "default"));
	assert_true(json_object_size(json_object_get(of, "responses")) > 1);
	for (const char *at = path; (at = strchr(at, '{')); at++)
		wanted++;
	json_array_foreach(parameters, i, parameter)
	{
		const char *in = json_string_value(json_object_get(parameter, "in"));
		char name[64];

		if (!in || strcmp(in, "path") != 0)
			continue;
		snprintf(name, sizeof name, "{%s}",
			 json_string_value(json_object_get(parameter, "name")));
		assert_non_null(strstr(path, name));
		assert_true(json_is_true(json_object_get(parameter, "required")));
		named++;
	}
	assert_int_equal(named, wanted);
}

static void every_operation_has_an_id_of_its_own_and_what_its_path_asks_for(void **state)
{
	json_t *seen = json_object(), *item, *of;
	const char *path, *method;

	json_object_foreach(json_object_get(*state, "paths"), path, item)
	{
		json_object_foreach(item, method, of) check_operation(path, of, seen);
	}
	assert_true(json_object_size(seen) > 80);
	json_decref(seen);
}

/* ---- what is not told ---- */

static void a_secret_is_in_no_schema(void **state)
{
	const json_t *schemas = json_object_get(json_object_get(*state, "components"), "schemas");
	const json_t *key = json_object_get(json_object_get(schemas, "key"), "properties");
	const json_t *rule = json_object_get(schemas, "rule");

	assert_non_null(json_object_get(key, "secret_file"));
	assert_null(json_object_get(key, "secret"));
	/* The path has the name, so a body need not. */
	assert_non_null(json_object_get(json_object_get(rule, "properties"), "name"));
	assert_string_equal(json_string_value(json_array_get(json_object_get(rule, "required"), 0)),
			    "domain");
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
	const struct CMUnitTest tests[] = {
		TEST(every_route_is_there_with_what_it_does),
		TEST(every_route_knows_the_fields_of_its_query),
		TEST(every_kind_has_its_paths_and_schemas),
		TEST(every_reference_leads_somewhere),
		TEST(every_operation_has_an_id_of_its_own_and_what_its_path_asks_for),
		TEST(a_secret_is_in_no_schema),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
