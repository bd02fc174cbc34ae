/* Exports a group as a template that can be deployed elsewhere. The name of each resource that is
 * in no other one is a parameter, ids of resources in the template are resourceId(...), and
 * computed members are left out. */
#include <ctype.h>
#include <stdlib.h>
#include <strings.h>

#include "resolver/control/api/azure/api_arm.h"
#include "resolver/control/api/azure/asked.h"
#include "resolver/control/api/azure/body.h"
#include "resolver/control/api/azure/found.h"
#include "resolver/control/api/azure/shown.h"
#include "resolver/control/api/item.h"
#include "resolver/control/api/reverse.h"
#include "resolver/control/base/json.h"
#include "resolver/control/resource/part.h"
#include "rules/schema/model.h"
#include "rules/text.h"

struct template
{
	struct api_request *request;
	struct arm_found_list list;
	json_t *parameters, *resources;
	json_t *asked; /* the ids of what is to be in it; NULL: all */
};

static bool is_exported(const struct arm_type *type)
{
	/* Subnets and peerings are in the body of their network. */
	return type->kind != KIND_SUBNET && type->kind != KIND_PEERING && type->kind != KIND_GROUP;
}

/* Whether it comes with another resource: an interface with its private endpoint. */
static bool is_made_along(const struct arm_found *found)
{
	return found->type->kind == KIND_INTERFACE &&
	       ((const struct network_interface *)found->item)->private_endpoint;
}

/* "virtualNetworks_hub_name" */
static char *parameter_name(const struct path *path, char text[ARM_ID_MAX])
{
	const struct path root = part_root(path);
	const struct arm_type *type = arm_type_of_kind(root.kind->id);

	snprintf(text, ARM_ID_MAX, "%s_%s_name", type->path, path->names[0]);
	for (char *c = text; *c; c++)
		if (!isalnum((unsigned char)*c))
			*c = '_';
	return text;
}

static bool is_among(const struct template *template, const struct path *path)
{
	const struct path root = part_root(path);

	for (size_t i = 0; i < template->list.count; i++) {
		const struct path *own = &template->list.items[i].path;

		if (own->kind == root.kind && strcasecmp(own->group, root.group) == 0 &&
		    strcasecmp(own->names[0], root.names[0]) == 0)
			return true;
	}
	return false;
}

/* "[resourceId('Microsoft.Network/virtualNetworks/subnets', parameters('...'), 'in')]" */
static json_t *resource_id(const struct path *path)
{
	const struct arm_type *type = arm_type_of(path);
	char parameter[ARM_ID_MAX], name[NAME_TEXT_MAX];

	parameter_name(path, parameter);
	return path->kind->parent ? json_sprintf("[resourceId('%s/%s', parameters('%s'), '%s')]",
						 type->family->provider, type->path, parameter,
						 arm_name(path, name))
				  : json_sprintf("[resourceId('%s/%s', parameters('%s'))]",
						 type->family->provider, type->path, parameter);
}

static void add_dependency(json_t *depends, json_t *id)
{
	json_t *item;
	size_t i;

	json_array_foreach(depends, i, item)
	{
		if (!json_equal(item, id))
			continue;
		json_decref(id);
		return;
	}
	json_add(depends, id);
}

/* A copy with expressions for ids. Texts that would be read as expressions are escaped. */
static json_t *with_expressions(const struct template *template, json_t *value, json_t *depends)
{
	json_t *copy, *item;
	const char *key, *text = json_string_value(value);
	const struct arm_type *type;
	struct path path;
	size_t i;

	if (json_is_object(value)) {
		copy = json_object();
		json_object_foreach(value, key, item)
			json_put(copy, key, with_expressions(template, item, depends));
		return copy;
	}
	if (json_is_array(value)) {
		copy = json_array();
		json_array_foreach(value, i, item)
			json_add(copy, with_expressions(template, item, depends));
		return copy;
	}
	if (!text)
		return json_incref(value);
	if (strncasecmp(text, "/subscriptions/", 15) == 0 &&
	    arm_id_read(template->request, text, &type, &path) == 0 && is_among(template, &path)) {
		add_dependency(depends, resource_id(&path));
		return resource_id(&path);
	}
	return *text == '[' ? json_sprintf("[%s", text) : json_text(text);
}

static void add_resource(struct template *template, struct arm_shown *shown)
{
	const struct path root = part_root(&shown->path);
	json_t *body, *depends = json_array(), *resource, *parameter;
	char name[ARM_ID_MAX], own[NAME_TEXT_MAX], original[NAME_TEXT_MAX];
	const char *key;
	json_t *value;

	shown->is_bare = true;
	body = arm_print(shown);
	parameter_name(&shown->path, name);
	if (!json_object_get(template->parameters, name)) {
		parameter = json_make("{s:o, s:s}", "defaultValue",
				      json_text(arm_name(&root, original)), "type", "string");
		json_put(template->parameters, name, parameter);
	}
	resource = json_make(
		"{s:o, s:s, s:o}", "type",
		json_sprintf("%s/%s", shown->type->family->provider, shown->type->path),
		"apiVersion", shown->type->family->versions[0], "name",
		shown->path.kind->parent ? json_sprintf("[concat(parameters('%s'), '/%s')]", name,
							arm_name(&shown->path, own))
					 : json_sprintf("[parameters('%s')]", name));
	json_object_foreach(body, key, value)
	{
		static const char *const around[] = {"id", "name", "type", "etag", NULL};

		if (!text_is_among(key, around))
			json_put(resource, key, with_expressions(template, value, depends));
	}
	if (shown->path.kind->parent)
		add_dependency(depends, resource_id(&root));
	if (json_array_size(depends) > 0)
		json_put(resource, "dependsOn", depends);
	else
		json_decref(depends);
	json_add(template->resources, resource);
	json_decref(body);
}

/* The ids that the request asks for, in lower case; NULL: all. */
static json_t *read_asked(struct api_request *request)
{
	json_t *asked = arm_get(request->body, "resources"), *ids = asked ? json_object() : NULL,
	       *item;
	size_t i;

	json_array_foreach(asked, i, item)
	{
		const char *text = json_string_value(item);
		char *id = text ? arena_strdup(&request->arena, text) : NULL;

		if (id)
			json_put(ids, text_lower(id), json_true());
	}
	if (!json_object_get(ids, "*"))
		return ids;
	json_decref(ids);
	return NULL;
}

/* Whether the resource is asked for, or what it is in. */
static bool is_asked(const struct template *template, const struct path *path)
{
	const struct path root = part_root(path);
	char id[ARM_ID_MAX];

	return !template->asked ||
	       json_object_get(template->asked, text_lower(arm_id(template->request, path, id))) ||
	       json_object_get(template->asked, text_lower(arm_id(template->request, &root, id)));
}

/* ERR_INVALID: the record sets cannot be read, which has been answered. */
static int add_record_sets(struct template *template, const struct arm_found *zone)
{
	struct api_request *request = template->request;
	struct path path = {
		kind_of_id(KIND_RECORD_SET), zone->path.group, {zone->path.names[0], NULL}};
	const struct item_source in = item_source_of(request, &path);
	struct change_error error;
	const void **items;
	size_t count;

	if (item_list(&in, &path, SIZE_MAX, NULL, request, &request->arena, &items, &count,
		      &error) != 0) {
		api_fail_change(request, &error);
		return ERR_INVALID;
	}
	for (size_t i = 0; i < count; i++) {
		struct arm_shown shown;

		path = part_path(path.kind, items[i], &zone->path);
		if (!arm_type_of(&path))
			continue;
		arm_show_plain(request, arm_type_of(&path), &path, items[i], &shown);
		add_resource(template, &shown);
		arm_shown_release(&shown);
	}
	free(items);
	return 0;
}

/* ERR_NOMEM */
static int add_group_addresses(struct template *template)
{
	struct api_request *request = template->request;
	const struct owned_resource *portion[ARM_PORTION];
	char behind[ADDRESS_TEXT_MAX] = "";
	size_t count;

	do {
		if (arm_next_addresses(request, *behind ? behind : NULL, portion, ARM_PORTION,
				       &count) != 0)
			return ERR_NOMEM;
		for (size_t i = 0; i < count; i++) {
			struct arm_shown shown;

			arm_show_address(request, portion[i], &shown);
			if (is_asked(template, &shown.path))
				add_resource(template, &shown);
			arm_shown_release(&shown);
			address_print(&portion[i]->item.address, behind);
		}
	} while (count == ARM_PORTION);
	return 0;
}

/* Adds the resources of the model. An error has been answered. */
static int add_found(struct template *template)
{
	struct api_request *request = template->request;
	int err = 0;

	arm_found_add_all(&template->list, is_exported);
	arm_found_sort(&template->list);
	if (template->list.no_memory) {
		api_fail_memory(request);
		return ERR_NOMEM;
	}
	for (size_t i = 0; !err && i < template->list.count; i++) {
		const struct arm_found *found = &template->list.items[i];
		struct arm_shown shown;

		if (!is_asked(template, &found->path) || is_made_along(found))
			continue;
		arm_show_plain(request, found->type, &found->path, found->item, &shown);
		add_resource(template, &shown);
		arm_shown_release(&shown);
		if (found->type->kind == KIND_ZONE)
			err = add_record_sets(template, found);
	}
	return err;
}

void arm_group_export(struct api_request *request)
{
	struct template template = {
		.request = request,
		.list = {.request = request, .group = api_parameter(request, "group")}};

	if (!api_arm_begin(request) || !arm_check_group(request))
		return;
	template.parameters = json_object();
	template.resources = json_array();
	template.asked = read_asked(request);
	if (add_found(&template) == 0) {
		if (add_group_addresses(&template) != 0)
			api_fail_memory(request);
		else
			api_reply_json(
				request, 200,
				json_make("{s:{s:s, s:s, s:O, s:{}, s:O}}", "template", "$schema",
					  "https://schema.management.azure.com/schemas/2019-04-01/"
					  "deploymentTemplate.json#",
					  "contentVersion", "1.0.0.0", "parameters",
					  template.parameters, "variables", "resources",
					  template.resources),
				NULL);
	}
	json_decref(template.parameters);
	json_decref(template.resources);
	json_decref(template.asked);
	free(template.list.items);
}
