/* Exports a group as a template that can be deployed elsewhere. The name of each top-level resource
 * becomes a parameter, ids of resources in the template become resourceId(...), and computed
 * members are left out.
 *
 * A zone may have 25,000 record sets, and a group a million addresses. So the template is written
 * in portions, between which the control thread does its other work; a resource that is added or
 * removed meanwhile may be in the template or not. */
#include <ctype.h>
#include <stdlib.h>
#include <strings.h>

#include "resolver/control/api/azure/api_arm.h"
#include "resolver/control/api/azure/asked.h"
#include "resolver/control/api/azure/body.h"
#include "resolver/control/api/azure/found.h"
#include "resolver/control/api/azure/shown.h"
#include "resolver/control/api/reverse.h"
#include "resolver/control/base/json.h"
#include "resolver/control/resource/item.h"
#include "resolver/control/resource/part.h"
#include "resolver/control/service/service.h"
#include "rules/schema/model.h"
#include "rules/text.h"

enum { PORTION = 64 }; /* record sets, or addresses: takes some milliseconds */

struct group_export {
	struct work_job job; /* first */
	struct api_request *request;
	/* The requested resources of the model, and zones with requested resources inside, as they
	 * were at the beginning. Only their paths stay valid. */
	struct arm_found_list list;
	size_t at;                  /* the next resource to write; addresses follow the last one */
	bool in_zone;               /* the record sets of the zone at `at` are being written */
	char behind[NAME_TEXT_MAX]; /* the last record set, or address, that was written */
	json_t *asked;              /* the requested ids; NULL: all */
	json_t *outer;              /* the ids of the requested resources' parents */
	json_t *parameters;
	struct json_writer json; /* of the resources */
	struct change_error error;
};

static bool is_exported(const struct arm_type *type)
{
	/* A network's body has its subnets. Peerings are written apart, because the bodies of two
	 * peered networks would depend on each other. */
	return type->kind != KIND_SUBNET && type->kind != KIND_GROUP;
}

/* Is the resource made by another one? A private endpoint makes its interface. */
static bool is_made_along(const struct arm_found *found)
{
	return found->type->kind == KIND_INTERFACE &&
	       ((const struct network_interface *)found->item)->private_endpoint;
}

/* The parameter for the name of the path's top-level resource, such as "virtualNetworks_hub_name",
 * which is added if it is new. Names that differ only in punctuation get parameters with numbers.
 */
static char *parameter_of(struct group_export *export, const struct path *path,
			  char text[ARM_ID_MAX])
{
	const struct path root = part_root(path);
	const struct arm_type *type = arm_type_of_kind(root.kind->id);
	char name[NAME_TEXT_MAX];
	json_t *found;

	arm_name(&root, name);
	for (unsigned number = 1;; number++) {
		snprintf(text, ARM_ID_MAX, "%s_%s_name", type->path, root.names[0]);
		for (char *c = text; *c; c++)
			if (!isalnum((unsigned char)*c))
				*c = '_';
		if (number > 1)
			text_append(text, ARM_ID_MAX, "%u", number);
		found = json_object_get(export->parameters, text);
		if (!found)
			break;
		if (strcmp(json_text_of(found, "defaultValue"), name) == 0)
			return text;
	}
	json_put(export->parameters, text,
		 json_make("{s:s, s:s}", "defaultValue", name, "type", "string"));
	return text;
}

/* Does the request have the resource, or its parent? */
static bool is_asked(const struct group_export *export, const struct path *path)
{
	const struct path root = part_root(path);
	char id[ARM_ID_MAX];

	return !export->asked ||
	       json_object_get(export->asked, text_lower(arm_id(export->request, path, id))) ||
	       json_object_get(export->asked, text_lower(arm_id(export->request, &root, id)));
}

/* Gives the path of an address the address's own spelling; false: the template does not have it. */
static bool spell_address(struct group_export *export, struct path *path)
{
	struct arena *arena = &export->request->arena;
	struct arm_shown shown;
	bool found =
		strcasecmp(path->group, export->list.group) == 0 && is_asked(export, path) &&
		arm_find_plain(export->request, arm_type_of(path), path, &shown, &export->error);

	if (found) {
		found = path_copy(&shown.path, arena, path);
		arm_shown_release(&shown);
		if (!found)
			json_writer_fail(&export->json);
	} else if (export->error.outcome != CHANGE_FINE) {
		json_writer_fail(&export->json);
	}
	return found;
}

/* Gives the path the template's spelling of its top-level resource; false: the template does not
 * have it. */
static bool spell(struct group_export *export, struct path *path)
{
	const struct path root = part_root(path);

	if (path->kind->id == KIND_ADDRESS)
		return spell_address(export, path);
	for (size_t i = 0; i < export->list.count; i++) {
		const struct path *own = &export->list.items[i].path;

		if (own->kind == root.kind && strcasecmp(own->group, root.group) == 0 &&
		    strcasecmp(own->names[0], root.names[0]) == 0 && is_asked(export, own)) {
			path->group = own->group;
			path->names[0] = own->names[0];
			return true;
		}
	}
	return false;
}

/* Doubles the quotes in a name that goes between quotes in an expression. Returns text. */
static const char *quoted(char text[2 * NAME_TEXT_MAX], const char *name)
{
	size_t used = 0;

	for (; *name && used + 2 < 2 * NAME_TEXT_MAX; name++) {
		if (*name == '\'')
			text[used++] = '\'';
		text[used++] = *name;
	}
	text[used] = '\0';
	return text;
}

/* Makes "[resourceId('Microsoft.Network/virtualNetworks/subnets', parameters('...'), 'in')]". */
static json_t *resource_id(struct group_export *export, const struct path *path)
{
	const struct arm_type *type = arm_type_of(path);
	char parameter[ARM_ID_MAX], name[NAME_TEXT_MAX], text[2 * NAME_TEXT_MAX];

	parameter_of(export, path, parameter);
	return path->kind->parent ? json_sprintf("[resourceId('%s/%s', parameters('%s'), '%s')]",
						 type->family->provider, type->path, parameter,
						 quoted(text, arm_name(path, name)))
				  : json_sprintf("[resourceId('%s/%s', parameters('%s'))]",
						 type->family->provider, type->path, parameter);
}

/* Adds a dependency on the resource, or, for a subnet, on its network. */
static void add_dependency(struct group_export *export, const struct path *path, json_t *depends)
{
	const struct path root = part_root(path);
	json_t *id = resource_id(export, path->kind->id == KIND_SUBNET ? &root : path), *item;
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

/* Escapes a value or a member's name, such as a tag, that would be read as an expression. Other
 * texts stay. */
static json_t *escaped(const char *text)
{
	return *text == '[' && text[strlen(text) - 1] == ']' ? json_sprintf("[%s", text)
							     : json_text(text);
}

static json_t *with_expressions(struct group_export *export, json_t *value, json_t *depends);

static json_t *object_with_expressions(struct group_export *export, json_t *value, json_t *depends)
{
	json_t *copy = json_object(), *item, *name;
	const char *key;

	json_object_foreach(value, key, item)
	{
		name = escaped(key);
		json_put(copy, json_string_value(name), with_expressions(export, item, depends));
		json_decref(name);
	}
	return copy;
}

/* Copies the value with expressions instead of ids. */
static json_t *with_expressions(struct group_export *export, json_t *value, json_t *depends)
{
	json_t *copy, *item;
	const char *text = json_string_value(value);
	const struct arm_type *type;
	struct path path;
	size_t i;

	if (json_is_object(value))
		return object_with_expressions(export, value, depends);
	if (json_is_array(value)) {
		copy = json_array();
		json_array_foreach(value, i, item)
			json_add(copy, with_expressions(export, item, depends));
		return copy;
	}
	if (!text)
		return json_incref(value);
	if (strncasecmp(text, "/subscriptions/", 15) == 0 &&
	    arm_id_read(export->request, text, &type, &path) == 0 && spell(export, &path)) {
		add_dependency(export, &path, depends);
		return resource_id(export, &path);
	}
	return escaped(text);
}

static void write_resource(struct group_export *export, struct arm_shown *shown)
{
	struct path root = part_root(&shown->path);
	json_t *body, *depends = json_array(), *resource;
	char parameter[ARM_ID_MAX], own[NAME_TEXT_MAX], text[2 * NAME_TEXT_MAX];
	const char *key;
	json_t *value;

	shown->is_bare = true;
	body = arm_print(shown);
	if (shown->type->kind == KIND_NETWORK)
		json_object_del(json_object_get(body, "properties"), "virtualNetworkPeerings");
	parameter_of(export, &shown->path, parameter);
	resource =
		json_make("{s:o, s:s, s:o}", "type",
			  json_sprintf("%s/%s", shown->type->family->provider, shown->type->path),
			  "apiVersion", shown->type->family->versions[0], "name",
			  shown->path.kind->parent
				  ? json_sprintf("[concat(parameters('%s'), '/%s')]", parameter,
						 quoted(text, arm_name(&shown->path, own)))
				  : json_sprintf("[parameters('%s')]", parameter));
	json_object_foreach(body, key, value)
	{
		static const char *const around[] = {"id", "name", "type", "etag", NULL};

		if (!text_is_among(key, around))
			json_put(resource, key, with_expressions(export, value, depends));
	}
	if (shown->path.kind->parent && spell(export, &root))
		add_dependency(export, &root, depends);
	if (json_array_size(depends) > 0)
		json_put(resource, "dependsOn", depends);
	else
		json_decref(depends);
	json_decref(body);
	json_writer_row(&export->json, json_whole(resource));
}

/* Reads the ids in the request, in lower case. Without a list, or with "*" in it, all resources are
 * requested. */
static void read_asked(struct group_export *export)
{
	struct api_request *request = export->request;
	json_t *asked = arm_get(request->body, "resources"), *item;
	size_t i;

	if (!asked)
		return;
	export->asked = json_object();
	json_array_foreach(asked, i, item)
	{
		const char *text = json_string_value(item);
		char *id = text ? arena_strdup(&request->arena, text) : NULL;

		if (!id)
			continue;
		json_put(export->asked, text_lower(id), json_true());
		for (unsigned segments = 2; segments > 0 && strrchr(id, '/'); segments--)
			*strrchr(id, '/') = '\0';
		json_put(export->outer, id, json_true());
	}
	if (json_object_get(export->asked, "*")) {
		json_decref(export->asked);
		export->asked = NULL;
	}
}

/* Does the request name a resource inside this one? */
static bool has_requested_inside(const struct group_export *export, const struct path *path)
{
	char id[ARM_ID_MAX];

	return json_object_get(export->outer, text_lower(arm_id(export->request, path, id)));
}

/* ---- in portions ---- */

/* Reads the list's next items, behind export->behind. */
static void read_portion(struct group_export *export, struct item_list *list, struct arena *arena)
{
	list->resources = api_resources(export->request);
	list->arena = arena;
	snprintf(list->behind, sizeof list->behind, "%s", export->behind);
	if (items_of(list->path.kind)->next(list, PORTION, &export->error) != 0)
		json_writer_fail(&export->json);
	snprintf(export->behind, sizeof export->behind, "%s", list->behind);
}

/* Writes the next record sets of the zone. False: there are no more. */
static bool write_record_sets(struct group_export *export, const struct path *zone)
{
	struct item_list list = {
		.path = {kind_of_id(KIND_RECORD_SET), zone->group, {zone->names[0], NULL}}};
	struct arena arena;

	arena_init(&arena);
	read_portion(export, &list, &arena);
	for (size_t i = 0; i < list.count; i++) {
		const struct item *item = &list.items[i];
		const struct arm_type *type = arm_type_of(&item->path);
		struct arm_shown shown;

		if (!type || !is_asked(export, &item->path))
			continue;
		arm_show_plain(export->request, type, &item->path, item->fields, &shown);
		write_resource(export, &shown);
		arm_shown_release(&shown);
	}
	arena_release(&arena);
	return list.more;
}

/* Writes the next resource of the model, if it still exists, or the next record sets of a zone. */
static void write_found(struct group_export *export)
{
	const struct arm_found *found = &export->list.items[export->at];
	struct arm_shown shown;

	if (export->in_zone) {
		export->in_zone = write_record_sets(export, &found->path);
	} else if (arm_find_plain(export->request, found->type, &found->path, &shown,
				  &export->error)) {
		if (is_asked(export, &found->path))
			write_resource(export, &shown);
		arm_shown_release(&shown);
		export->in_zone = found->type->kind == KIND_ZONE;
	} else if (export->error.outcome != CHANGE_FINE) {
		json_writer_fail(&export->json);
	}
	if (!export->in_zone) {
		export->at++;
		*export->behind = '\0';
	}
}

/* Writes the next addresses. False: there are no more. */
static bool write_addresses(struct group_export *export)
{
	struct item_list list = arm_addresses(export->request);
	struct arena arena;

	arena_init(&arena);
	read_portion(export, &list, &arena);
	for (size_t i = 0; i < list.count; i++) {
		struct arm_shown shown;

		arm_show_address(export->request, list.items[i].owned, &shown);
		if (is_asked(export, &shown.path))
			write_resource(export, &shown);
		arm_shown_release(&shown);
	}
	arena_release(&arena);
	return list.more;
}

static bool write_portion(void *context)
{
	struct group_export *export = context;
	bool more = true;

	/* Other requests ran since the last portion, and left what they read. */
	resources_forget(api_resources(export->request));
	if (export->at < export->list.count)
		write_found(export);
	else
		more = write_addresses(export);
	return more && !json_writer_has_failed(&export->json);
}

static void export_free(struct group_export *export)
{
	json_decref(export->parameters);
	json_decref(export->asked);
	json_decref(export->outer);
	free(export->list.items);
	free(export);
}

static void answer(void *context)
{
	struct group_export *export = context;
	struct api_request *request = export->request;
	size_t length;
	char *text;

	if (export->job.given_up)
		json_writer_fail(&export->json);
	fputs("],\"parameters\":", export->json.out);
	json_writer_value(&export->json, json_incref(export->parameters));
	fputs(",\"variables\":{}}}", export->json.out);
	text = json_writer_end(&export->json, &length);
	if (!api_still_may(request)) {
		free(text);
	} else if (text) {
		api_arm_say_revision(request);
		api_reply_text(request, 200, NULL, text, length);
	} else if (export->job.given_up) {
		api_fail_ending(request);
	} else if (export->error.outcome != CHANGE_FINE) {
		api_fail_change(request, &export->error);
	} else {
		api_fail_memory(request);
	}
	export_free(export);
}

/* Collects the requested resources. False: there is no memory. */
static bool collect(struct group_export *export)
{
	struct arm_found_list *list = &export->list;
	size_t kept = 0;

	arm_found_add_all(list, is_exported);
	arm_found_sort(list);
	for (size_t i = 0; i < list->count; i++) {
		const struct arm_found *found = &list->items[i];

		if (is_made_along(found) || (!is_asked(export, &found->path) &&
					     (found->type->kind != KIND_ZONE ||
					      !has_requested_inside(export, &found->path))))
			continue;
		list->items[kept] = *found;
		if (!path_copy(&found->path, &export->request->arena, &list->items[kept].path))
			return false;
		kept++;
	}
	list->count = kept;
	return !list->no_memory;
}

static struct group_export *export_new(struct api_request *request)
{
	struct group_export *export = calloc(1, sizeof *export);

	if (!export)
		return NULL;
	export->request = request;
	export->list = (struct arm_found_list){.request = request,
					       .group = api_parameter(request, "group")};
	export->outer = json_object();
	export->parameters = json_object();
	read_asked(export);
	export->job.large = true;
	if (collect(export) && export->parameters && export->outer &&
	    json_writer_begin(&export->json, ",", JSON_COMPACT))
		return export;
	export_free(export);
	return NULL;
}

void arm_group_export(struct api_request *request)
{
	struct group_export *export;

	if (!api_arm_begin(request) || !arm_check_group(request))
		return;
	export = export_new(request);
	if (!export) {
		api_fail_memory(request);
		return;
	}
	json_writer_list(&export->json,
			 "{\"template\":{\"$schema\":\"https://schema.management.azure.com/schemas/"
			 "2019-04-01/deploymentTemplate.json#\",\"contentVersion\":\"1.0.0.0\","
			 "\"resources\":[");
	if (work_beside_in_portions(&request->service->work, &export->job, write_portion, answer))
		return;
	api_fail_ending(request);
	json_writer_cancel(&export->json);
	export_free(export);
}
