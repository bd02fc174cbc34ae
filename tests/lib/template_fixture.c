#include "tests/lib/template_fixture.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "rules/text.h"

static char *exchange(const char *text, char from, char to, char from_other, char to_other)
{
	char *copy = strdup(text);

	for (char *at = copy; at && *at != '\0'; at++) {
		if (*at == from)
			*at = to;
		else if (*at == from_other)
			*at = to_other;
	}
	return copy;
}

json_t *template_json(const char *text)
{
	char *copy = exchange(text, '\'', '"', '`', '\'');
	json_error_t why;
	json_t *value = copy ? json_loads(copy, JSON_DECODE_ANY, &why) : NULL;

	if (!value) {
		fprintf(stderr, "%s: %s\n", why.text, text);
		abort();
	}
	free(copy);
	return value;
}

char *template_json_text(const json_t *value)
{
	char *text = json_dumps(value, JSON_COMPACT | JSON_ENCODE_ANY | JSON_REAL_PRECISION(15)),
	     *copy = text ? exchange(text, '\'', '`', '"', '\'') : NULL;

	free(text);
	return copy;
}

static char *key_of(const char *id)
{
	return text_lower(strdup(id));
}

void template_fixture_put(struct template_fixture *fixture, const char *id, const char *text)
{
	char *key = key_of(id);

	json_object_set_new(fixture->there, key, template_json(text));
	free(key);
}

static json_t *find_resource(void *context, const char *id)
{
	struct template_fixture *fixture = context;
	char *key = key_of(id);
	json_t *found = json_incref(json_object_get(fixture->there, key));

	free(key);
	fixture->finds++;
	return found;
}

static json_t *find_group(void *context, const char *name)
{
	(void)context;
	if (strcmp(name, "gone") == 0)
		return NULL;
	return json_pack("{s:s+, s:s, s:s, s:s, s:{s:s}}", "id",
			 "/subscriptions/" TEMPLATE_SUB "/resourceGroups/", name, "name", name,
			 "type", "Microsoft.Resources/resourceGroups", "location", "westeurope",
			 "tags", "team", "dns");
}

static json_t *find_provider(void *context, const char *namespace)
{
	(void)context;
	if (strcasecmp(namespace, "Microsoft.Network") != 0)
		return NULL;
	return json_pack("{s:s, s:[{s:s, s:[s]}]}", "namespace", "Microsoft.Network",
			 "resourceTypes", "resourceType", "virtualNetworks", "apiVersions",
			 "2022-07-01");
}

void template_fixture_init(struct template_fixture *fixture)
{
	*fixture = (struct template_fixture){
		.scope = {.name = "main",
			  .location = "northeurope",
			  .subscription = TEMPLATE_SUB,
			  .tenant = "00000000-0000-0000-0000-00000000000a",
			  .display_name = "lab",
			  .group = "rg",
			  .now_s = 1700000000, /* 2023-11-14T22:13:20Z, a Tuesday */
			  .context = fixture,
			  .find_group = find_group,
			  .find_provider = find_provider,
			  .find_resource = find_resource},
		.there = json_object(),
	};
	fixture->scope.deployer = json_pack("{s:s}", "userPrincipalName", "ops");
	fixture->scope.environment = json_pack("{s:s, s:{s:s}}", "name", "AzureCloud", "suffixes",
					       "storage", "core.windows.net");
}

static void clear(struct template_fixture *fixture)
{
	template_free(fixture->template);
	fixture->template = NULL;
	json_decref(fixture->source);
	json_decref(fixture->given);
	json_decref(fixture->bodies);
	fixture->source = fixture->given = fixture->bodies = NULL;
}

void template_fixture_release(struct template_fixture *fixture)
{
	clear(fixture);
	json_decref(fixture->there);
	json_decref((json_t *)fixture->scope.environment);
	json_decref((json_t *)fixture->scope.deployer);
}

static void keep(struct template_fixture *fixture, const struct template_resource *resource)
{
	char *key = key_of(resource->id);
	json_t *made = json_copy(resource->body);

	json_object_set_new(made, "id", json_string(resource->id));
	json_object_set_new(made, "name", json_string(resource->name));
	json_object_set_new(made, "type", json_string(resource->type));
	json_object_set_new(fixture->there, key, made);
	fixture->only_if_absent = resource->only_if_absent;
	json_object_set(fixture->bodies, resource->id, resource->body);
	free(key);
	text_append(fixture->places, sizeof fixture->places, "%s %zu; ", resource->name,
		    resource->deployment);
	text_append(fixture->rounds, sizeof fixture->rounds, "%s%s",
		    fixture->rounds[0] != '\0' ? " " : "", resource->name);
}

bool template_fixture_deploy(struct template_fixture *fixture, json_t *source, json_t *given)
{
	const struct template_resource *const *resources;
	size_t count;

	clear(fixture);
	fixture->source = source;
	fixture->given = given;
	fixture->bodies = json_object();
	fixture->rounds[0] = fixture->places[0] = '\0';
	fixture->finds = 0;
	fixture->template = template_new(source, given, &fixture->scope, &fixture->error);
	if (!fixture->template)
		return false;
	for (;;) {
		if (template_round(fixture->template, &resources, &count, &fixture->error) != 0)
			return false;
		if (count == 0)
			break;
		if (fixture->rounds[0] != '\0')
			text_append(fixture->rounds, sizeof fixture->rounds, ";");
		for (size_t i = 0; i < count; i++)
			keep(fixture, resources[i]);
	}
	return template_deployments(fixture->template, &fixture->deployments,
				    &fixture->deployment_count, &fixture->error) == 0;
}
