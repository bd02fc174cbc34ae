/* One of Azure's templates, or an expression after an 'E': it is refused with its place and
 * reason, or its resources come out in rounds, each once, as JSON that is no deeper than it may be.
 * A template may stand in {"template": ..., "given": ...}, with values for its parameters. */
#include <jansson.h>

#include "resolver/control/template/template.h"
#include "tests/fuzz/fuzz.h"

/* What a template takes does not grow with its length: its budget bounds it. */
const double fuzz_byte_us = 20000;

static json_t *find(void *context, const char *id)
{
	(void)context;
	return strlen(id) % 2 == 0
		       ? json_pack("{s:s, s:{s:[s, s]}}", "id", id, "properties", "names", "a", "b")
		       : NULL;
}

static json_t *find_provider(void *context, const char *namespace)
{
	(void)context;
	return strlen(namespace) % 2 == 1
		       ? json_pack("{s:[{s:s}, {}, n]}", "resourceTypes", "resourceType", namespace)
		       : NULL;
}

static void check_depth(const json_t *value, unsigned depth)
{
	const char *key;
	json_t *item;
	size_t i;

	FUZZ_CHECK(depth <= TEMPLATE_DEPTH_MAX);
	json_array_foreach((json_t *)value, i, item) check_depth(item, depth + 1);
	json_object_foreach((json_t *)value, key, item) check_depth(item, depth + 1);
}

static void check_text(const char *text)
{
	json_t *value = json_string(text);

	FUZZ_CHECK(value && *text != '\0');
	json_decref(value);
}

static void check_error(const struct template_error *error)
{
	FUZZ_CHECK(error->trouble != TEMPLATE_FINE && error->trouble != TEMPLATE_NO_MEMORY);
	check_text(error->text);
}

static void check_resource(const struct template_resource *resource)
{
	FUZZ_CHECK(resource->id[0] == '/');
	check_text(resource->type);
	check_text(resource->name);
	check_text(resource->place);
	FUZZ_CHECK(json_is_object(resource->body));
	check_depth(resource->body, 1);
}

static void check_deployments(struct template *template)
{
	const struct template_deployment *deployments;
	struct template_error error = {0};
	size_t count;

	if (template_deployments(template, &deployments, &count, &error) != 0) {
		check_error(&error);
		return;
	}
	FUZZ_CHECK(count > 0);
	for (size_t i = 0; i < count; i++) {
		check_depth(deployments[i].outputs, 0);
		check_depth(deployments[i].parameters, 0);
		FUZZ_CHECK(json_is_object(deployments[i].outputs));
	}
}

static void deploy(const json_t *source, const json_t *given)
{
	const struct template_scope scope = {.name = "main",
					     .location = "west",
					     .subscription = "S",
					     .tenant = "T",
					     .group = "rg",
					     .now_s = 1700000000,
					     .display_name = "lab",
					     .find_group = find,
					     .find_provider = find_provider,
					     .find_resource = find};
	const struct template_resource *const *resources;
	struct template_error error;
	struct template *template = template_new(source, given, &scope, &error);
	size_t count = 0, all = 0;

	if (!template) {
		check_error(&error);
		return;
	}
	for (;;) {
		if (template_round(template, &resources, &count, &error) != 0) {
			check_error(&error);
			break;
		}
		for (size_t i = 0; i < count; i++)
			check_resource(resources[i]);
		all += count;
		FUZZ_CHECK(all <= TEMPLATE_RESOURCES_MAX);
		if (count == 0) {
			check_deployments(template);
			break;
		}
	}
	template_free(template);
}

static void deploy_expression(const uint8_t *data, size_t size)
{
	json_t *value = json_stringn((const char *)data, size);
	json_t *source = value ? json_pack("{s:[{s:s, s:s, s:{s:o}}]}", "resources", "type",
					   "A.B/c", "name", "x", "properties", "value", value)
			       : NULL;

	if (source)
		deploy(source, NULL);
	json_decref(source);
}

int fuzz_one(const uint8_t *data, size_t size)
{
	const json_t *inner;
	json_error_t why;
	json_t *source;

	if (size > 0 && data[0] == 'E') {
		deploy_expression(data + 1, size - 1);
		return 0;
	}
	source = json_loadb((const char *)data, size, 0, &why);
	inner = json_object_get(source, "template");
	if (source)
		deploy(inner ? inner : source, json_object_get(source, "given"));
	json_decref(source);
	return 0;
}
