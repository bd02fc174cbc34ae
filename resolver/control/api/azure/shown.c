/* Each form of a member (type.h) has a function that prints it. What else a type needs is in its
 * hooks (azure/hooks.h). */
#include "resolver/control/api/azure/shown.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "resolver/control/api/azure/body.h"
#include "resolver/control/api/azure/hooks.h"
#include "resolver/control/api/azure/particular.h"
#include "resolver/control/api/azure/record_data.h"
#include "resolver/control/api/registrations.h"
#include "resolver/control/api/reverse.h"
#include "resolver/control/base/json.h"
#include "resolver/control/resource/group.h"
#include "resolver/control/resource/item.h"
#include "resolver/control/resource/ownership.h"
#include "resolver/control/resource/part.h"
#include "resolver/control/resource/values.h"
#include "resolver/control/service/service.h"
#include "rules/name.h"
#include "rules/schema/reference.h"
#include "rules/schema/schema.h"

static const struct group *fields_of(const struct arm_type *type)
{
	return kind_field(kind_of_id(type->kind))->group;
}

/* ---- references and ids ---- */

char *arm_id(const struct api_request *request, const struct path *path, char text[ARM_ID_MAX])
{
	const struct arm_type *type = arm_type_of(path);
	const char *asked = api_parameter(request, "subscription"),
		   *subscription =
			   *asked ? asked : ownership_subscription(api_resources(request), NULL);
	char name[NAME_TEXT_MAX];
	int length = type ? (int)strcspn(type->path, "/") : 0;

	if (path->kind->id == KIND_GROUP) {
		snprintf(text, ARM_ID_MAX, "/subscriptions/%s/resourceGroups/%s", subscription,
			 path->names[0]);
		return text;
	}
	snprintf(text, ARM_ID_MAX,
		 "/subscriptions/%s/resourceGroups/%s/providers/%s/%.*s/%s%s%s%s%s", subscription,
		 path->group, ARM_PROVIDER, length, type ? type->path : "", path->names[0],
		 path->kind->parent ? "/" : "",
		 path->kind->parent && type ? arm_type_last(type) : "",
		 path->kind->parent ? "/" : "", path->kind->parent ? arm_name(path, name) : "");
	return text;
}

json_t *arm_id_json(const struct api_request *request, const struct path *path)
{
	char id[ARM_ID_MAX];

	return json_make("{s:o}", "id", json_text(arm_id(request, path, id)));
}

/* Finds the target of a reference in the resource. False: the reference is broken. */
static bool read_reference(const struct arm_shown *shown, const struct field *field,
			   const char *text, const struct arm_type *of, struct path *path)
{
	struct arena *arena = &shown->request->arena;
	const char *full = reference_full(api_model(shown->request), field->refers,
					  shown->path.group, text, arena);
	char *copy = full ? arena_strdup(arena, full) : NULL,
	     *slash = copy ? strchr(copy, '/') : NULL;

	if (!slash)
		return false;
	*slash = '\0';
	*path = (struct path){kind_of_id(of->kind), copy, {slash + 1, NULL}};
	if (path->kind->parent) {
		slash = strrchr(slash + 1, '/');
		if (!slash)
			return false;
		*slash = '\0';
		path->names[1] = slash + 1;
	}
	return true;
}

static json_t *print_reference(const struct arm_shown *shown, const struct field *field,
			       const struct arm_member *member, const json_t *value)
{
	const struct arm_type *of = arm_type_named(member->of);
	const char *text = json_string_value(value);
	char id[ARM_ID_MAX];
	struct path path;

	if (text && read_reference(shown, field, text, of, &path))
		text = arm_id(shown->request, &path, id);
	return member->form == ARM_ID_TEXT ? json_text(text)
					   : json_make("{s:o}", "id", json_text(text));
}

bool arm_network_of(const struct api_request *request, const struct path *endpoint,
		    struct path *network)
{
	const struct path root = part_root(endpoint);
	const struct dns_resolver *resolver = part_find(api_model(request), &root);
	const struct virtual_network *found =
		resolver ? model_network(api_model(request), resolver->resource_group,
					 resolver->virtual_network)
			 : NULL;

	if (!found)
		return false;
	*network = part_path(kind_of_id(KIND_NETWORK), found, NULL);
	return true;
}

static json_t *print_subnet(const struct arm_shown *shown, const json_t *value)
{
	struct path path;

	if (!json_is_string(value) || !arm_network_of(shown->request, &shown->path, &path))
		return NULL;
	path.kind = kind_of_id(KIND_SUBNET);
	path.names[1] = json_string_value(value);
	return arm_id_json(shown->request, &path);
}

/* ---- printing ---- */

/* A value that Azure does not have is shown as the first of Azure's words. */
static json_t *print_words(const struct arm_member *member, const json_t *value)
{
	const char *text = json_string_value(value);

	for (size_t i = 0; text && member->words[i]; i++)
		if (strcasecmp(member->words[i], text) == 0)
			return json_text(member->words[i]);
	return text ? json_text(member->words[0]) : NULL;
}

static json_t *print_metadata(const json_t *array)
{
	json_t *object = json_object(), *item;
	char *name;
	size_t i;

	json_array_foreach(array, i, item)
	{
		const char *text = json_string_value(item), *equals = strchr(text ? text : "", '=');

		if (!text || !equals)
			continue;
		name = strndup(text, (size_t)(equals - text));
		json_put(object, name, json_text(equals + 1));
		free(name);
	}
	return object;
}

static json_t *print_member(const struct arm_shown *shown, const struct group *fields,
			    const struct arm_member *member);

static json_t *print_objects(const struct arm_shown *shown, const struct group *fields,
			     const struct arm_member *member, const json_t *array)
{
	json_t *printed = json_array(), *item;
	size_t i;

	json_array_foreach(array, i, item)
	{
		struct arm_shown inside = *shown;
		json_t *object = json_object();

		inside.values = item;
		inside.outer = shown;
		for (const struct arm_member *inner = member->inner; inner->path; inner++)
			arm_put(object, inner->path, print_member(&inside, fields, inner));
		json_add(printed, object);
	}
	return printed;
}

/* Prints "10.0.0.4:53" as 10.0.0.4 and "[2001:db8::4]:53" as 2001:db8::4; another port stays. */
static json_t *print_hosts(const json_t *array)
{
	json_t *printed = json_array(), *item;
	size_t i;

	json_array_foreach(array, i, item)
	{
		const char *text = json_string_value(item),
			   *port = text ? strrchr(text, ':') : NULL;
		bool is_v6 = text && *text == '[';

		if (!port || strcmp(port, ":53") != 0 || (!is_v6 && strchr(text, ':') != port))
			json_add(printed, json_incref(item));
		else
			json_add(printed,
				 json_stringn(text + is_v6, (size_t)(port - text) - 2 * is_v6));
	}
	return printed;
}

static json_t *print_records(const struct arm_shown *shown, const struct arm_member *member,
			     const json_t *array)
{
	const char *zone = shown->path.names[0];
	json_t *written = arm_kept(shown->values, member->path), *printed = json_array(), *item,
	       *record;
	size_t i;

	json_array_foreach(array, i, item)
	{
		record = record_data_print(shown->type, member->inner, json_string_value(item),
					   zone);
		json_add(printed,
			 record_data_as_written(member->inner,
						json_is_array(written) ? json_array_get(written, i)
								       : written,
						record));
	}
	json_decref(written);
	if (member->form != ARM_RECORD)
		return printed;
	record = json_incref(json_array_get(printed, 0));
	json_decref(printed);
	return record;
}

static void add_child(void *context, struct arm_shown *child)
{
	json_add(context, arm_print(child));
}

static json_t *print_children(const struct arm_shown *shown, const struct arm_member *member)
{
	const struct arm_type *type = arm_type_named(member->of);
	struct arm_shown outer = *shown;
	json_t *array = json_array();

	json_incref(outer.users);
	if (!outer.users && !outer.is_bare && type->kind == KIND_SUBNET)
		outer.users = arm_network_users(shown->request, &shown->path);
	arm_each_child(&outer, type, add_child, array);
	json_decref(outer.users);
	return array;
}

static json_t *print_kept(const struct arm_shown *shown, const struct arm_member *member)
{
	json_t *value = arm_kept(shown->values, member->path);

	return value ? value : arm_json_of(member->fallback);
}

static json_t *print_location(const struct arm_shown *shown, const json_t *value)
{
	const struct model *model = resources_model(api_resources(shown->request));
	const char *region = model_region(model, json_string_value(value));

	return json_text(region ? region : "global");
}

/* Prints a member without a key. */
static json_t *print_keyless(const struct arm_shown *shown, const struct arm_member *member)
{
	switch (member->form) {
	case ARM_GLOBAL: return json_text("global");
	case ARM_CHILDREN: return print_children(shown, member);
	case ARM_KEPT: return print_kept(shown, member);
	default:
		return member->computed ? arm_compute(shown, member->computed)
					: arm_json_of(member->fallback);
	}
}

/* Is another member of the same object kept, such as "encryption.enforcement" beside
 * "encryption.enabled"? Then the object is shown whole. */
static bool is_beside_kept(const struct arm_shown *shown, const struct arm_member *member)
{
	const char *dot = strrchr(member->path, '.'), *key;
	size_t length = dot ? (size_t)(dot - member->path) + 1 : 0;
	json_t *value;

	json_object_foreach(json_object_get(shown->values, "azure"), key, value)
	{
		if (length > 0 && strncmp(key, member->path, length) == 0)
			return true;
	}
	return false;
}

/* NULL: the member is not shown. `fields`: those of the values. */
static json_t *print_member(const struct arm_shown *shown, const struct group *fields,
			    const struct arm_member *member)
{
	json_t *value = member->key ? json_object_get(shown->values, member->key) : NULL;
	const struct field *field = member->key ? schema_field(fields, member->key) : NULL;
	json_t *array, *item;
	size_t i;

	if (member->beside && !json_object_get(shown->values, member->beside))
		return NULL;
	if (shown->is_bare && member->form == ARM_SHOWN)
		return NULL;
	if (!member->key)
		return print_keyless(shown, member);
	if (member->form == ARM_LOCATION)
		return print_location(shown, value);
	if (member->form == ARM_TAGS)
		return value ? json_incref(value) : json_object();
	if (!value || json_is_null(value) || member->alias ||
	    (member->quiet && values_is_default(shown->path.kind, member->key, value) &&
	     !is_beside_kept(shown, member)))
		return NULL;
	switch (member->form) {
	case ARM_WORD: return print_words(member, value);
	case ARM_METADATA: return json_array_size(value) > 0 ? print_metadata(value) : NULL;
	case ARM_ID:
	case ARM_ID_TEXT: return print_reference(shown, field, member, value);
	case ARM_SUBNET: return print_subnet(shown, value);
	case ARM_OBJECTS: return print_objects(shown, field->group, member, value);
	case ARM_HOSTS: return print_hosts(value);
	case ARM_RECORD:
	case ARM_RECORDS: return print_records(shown, member, value);
	case ARM_IDS:
		array = json_array();
		json_array_foreach(value, i, item)
			json_add(array, print_reference(shown, field, member, item));
		return array;
	default: return json_incref(value);
	}
}

static json_t *print_envelope(const struct arm_shown *shown)
{
	char id[ARM_ID_MAX], name[NAME_TEXT_MAX];

	return json_make("{s:o, s:o, s:o}", "id",
			 json_text(arm_id(shown->request, &shown->path, id)), "name",
			 json_text(arm_name(&shown->path, name)), "type",
			 json_sprintf("%s/%s", shown->type->family->provider, shown->type->path));
}

json_t *arm_print(const struct arm_shown *shown)
{
	json_t *body = shown->is_bare ? json_object() : print_envelope(shown);
	char path[ARM_TARGET_MAX], name[NAME_TEXT_MAX];

	if (shown->is_bare)
		json_put(body, "name", json_text(arm_name(&shown->path, name)));
	else
		json_put(body, "etag", json_text(shown->etag));
	json_put(body, "properties", json_object());
	for (const struct arm_member *member = shown->type->members; member->path; member++)
		arm_put(body, arm_member_path(member, path),
			print_member(shown, fields_of(shown->type), member));
	return body;
}

json_t *arm_print_short(const struct arm_shown *shown)
{
	json_t *body = print_envelope(shown);
	char name[NAME_TEXT_MAX];

	if (shown->path.kind->parent)
		json_put(body, "name",
			 json_sprintf("%s/%s", shown->path.names[0], arm_name(&shown->path, name)));

	for (const struct arm_member *member = shown->type->members; member->path; member++)
		if (strcmp(member->path, "/location") == 0 || strcmp(member->path, "/tags") == 0)
			arm_put(body, member->path + 1,
				print_member(shown, fields_of(shown->type), member));
	return body;
}

/* ---- finding ---- */

/* The version of a resource and of all resources printed in it. The hash is the etag's second half,
 * because the removal of a child does not change the highest revision. */
struct version {
	uint64_t revision; /* the highest revision of their rows; 0: all are in a file */
	uint64_t hash;     /* of the revisions, and of the values of resources in a file */
};

static void add_version(struct version *version, const struct arm_shown *shown);

static void add_child_version(void *context, struct arm_shown *child)
{
	add_version(context, child);
}

static void add_version(struct version *version, const struct arm_shown *shown)
{
	char *text = NULL;

	if (shown->revision == 0)
		text = json_dumps(shown->values, JSON_COMPACT | JSON_SORT_KEYS);
	version->hash = shown->revision > 0 ? etag_add_number(version->hash, shown->revision)
					    : etag_add_text(version->hash, text);
	if (shown->revision > version->revision)
		version->revision = shown->revision;
	free(text);
	for (const struct arm_member *member = shown->type->members; member->path; member++)
		if (member->form == ARM_CHILDREN)
			arm_each_child(shown, arm_type_named(member->of), add_child_version,
				       version);
}

bool arm_is_inside(const struct arm_type *type)
{
	const struct arm_type *parent = arm_type_parent(type);

	for (const struct arm_member *member = parent ? parent->members : NULL;
	     member && member->path; member++)
		if (member->form == ARM_CHILDREN && arm_type_named(member->of) == type)
			return true;
	return false;
}

/* Turns a quoted etag into the form that bodies of the family have. */
static void put_etag(struct arm_shown *shown, const char *text)
{
	enum arm_etag form = shown->type->family->etag;
	int length = (int)strlen(text);

	if (form == ARM_ETAG_BARE)
		snprintf(shown->etag, sizeof shown->etag, "%.*s", length - 2, text + 1);
	else
		snprintf(shown->etag, sizeof shown->etag, "%s%s", form == ARM_ETAG_WEAK ? "W/" : "",
			 text);
}

/* A resource that is printed in its parent shares the parent's etag. */
static void set_etag(struct arm_shown *shown)
{
	struct version version = {0};
	struct change_error unused;
	struct arm_shown outer = {.values = NULL};
	const struct path root = part_root(&shown->path);
	char text[ETAG_MAX];

	if (arm_is_inside(shown->type) &&
	    arm_find(shown->request, arm_type_parent(shown->type), &root, &outer, &unused)) {
		memcpy(shown->etag, outer.etag, sizeof shown->etag);
		arm_shown_release(&outer);
		return;
	}
	add_version(&version, shown);
	put_etag(shown, etag_print(version.revision, version.hash, version.hash, text));
}

void arm_show_plain(struct api_request *request, const struct arm_type *type,
		    const struct path *path, const void *item, struct arm_shown *shown)
{
	/* part_given may search all items of the file, which takes long. So it is called only if
	 * placing may have set members that are not to be shown. */
	bool is_shown_as_given = path->kind->placed && !type->shows_placed;
	const void *given = is_shown_as_given ? part_given(api_model(request), path) : NULL;

	*shown = (struct arm_shown){.request = request,
				    .type = type,
				    .path = *path,
				    .item = item,
				    .revision = part_origin(item).revision};
	shown->values = values_print(path->kind, path->group, given ? given : item);
	if (arm_hooks_of(type)->show)
		arm_hooks_of(type)->show(shown, shown->values);
}

void arm_show_item(struct api_request *request, const struct arm_type *type,
		   const struct path *path, const void *item, struct arm_shown *shown)
{
	arm_show_plain(request, type, path, item, shown);
	set_etag(shown);
}

struct path arm_spelled(const struct api_request *request, const struct path *path,
			const void *item)
{
	struct path own = *path, root = part_root(path);
	const void *outer = part_find(api_model(request), &root);

	if (outer) {
		own.group = part_group(root.kind, outer);
		own.names[0] = part_name(root.kind, outer);
	}
	if (path->kind->parent && item)
		own.names[1] = part_name(path->kind, item);
	return own;
}

void arm_show_address(struct api_request *request, const struct owned_resource *resource,
		      struct arm_shown *shown)
{
	const char *group = resource->item.resource_group;
	char etag[ETAG_MAX];

	*shown = (struct arm_shown){
		.request = request,
		.type = arm_type_of_kind(KIND_ADDRESS),
		.path = {resource->kind, group ? group : GROUP_NONE, {resource->item.name, NULL}},
		.values = owned_values(resource),
		.item = resource};
	put_etag(shown, owned_version_etag(resource, etag));
}

void arm_show_group(struct api_request *request, const struct resource_group *group,
		    struct arm_shown *shown)
{
	char etag[ETAG_MAX];

	*shown = (struct arm_shown){
		.request = request,
		.type = arm_type_of_kind(KIND_GROUP),
		.path = {kind_of_id(KIND_GROUP), GROUP_NONE, {group->name, NULL}},
		.values = group_values(group),
		.revision = group->origin.revision,
		.is_implied = group->origin.revision == 0 && !group->origin.file};
	put_etag(shown, group_etag(group, etag));
}

bool arm_find_ungrouped(struct resources *resources, struct resource_group *group)
{
	const struct owned_resource *any;

	*group = (struct resource_group){.name = GROUP_NONE,
					 .region = resources_model(resources)->region};
	return addresses_in_group_after(resources, NULL, NULL, &any, 1) > 0;
}

/* The group "-" stands for the addresses in no group. */
static bool find_ungrouped(struct api_request *request, struct arm_shown *shown,
			   struct change_error *error)
{
	struct resources *resources = api_resources(request);
	struct resource_group group;
	bool found = arm_find_ungrouped(resources, &group);

	error->outcome = CHANGE_FINE;
	if (resources_check_reads(resources, error) != 0 || !found)
		return false;
	arm_show_group(request, &group, shown);
	return true;
}

/* Shows the item. False: this API does not have it. */
static bool show_found(struct api_request *request, const struct arm_type *type,
		       const struct item *item, struct arm_shown *shown)
{
	struct resources *resources = api_resources(request);

	if (item->owned &&
	    !ownership_is_of(resources, item->owned, api_parameter(request, "subscription")))
		return false;
	if (item->owned)
		arm_show_address(request, item->owned, shown);
	else if (item->path.kind->id == KIND_GROUP)
		arm_show_group(request, item->fields, shown);
	else if (item_made_because(api_model(request), &item->path))
		return false;
	else
		arm_show_plain(request, type, &item->path, item->fields, shown);
	return true;
}

bool arm_find_plain(struct api_request *request, const struct arm_type *type,
		    const struct path *path, struct arm_shown *shown, struct change_error *error)
{
	struct item item;
	struct path own;
	int err;

	if (path->kind->id == KIND_GROUP && strcmp(path->names[0], GROUP_NONE) == 0)
		return find_ungrouped(request, shown, error);
	err = items_of(path->kind)
		      ->find(api_resources(request), path, &request->arena, &item, error);
	if (!err && show_found(request, type, &item, shown))
		return true;
	if (error->outcome != CHANGE_FINE || !type->record_type)
		return false;
	own = arm_spelled(request, path, err ? NULL : item.fields);
	return arm_zone_find_soa(request, type, &own, shown);
}

bool arm_find(struct api_request *request, const struct arm_type *type, const struct path *path,
	      struct arm_shown *shown, struct change_error *error)
{
	bool found = arm_find_plain(request, type, path, shown, error);

	if (found && !kind_is_beside(path->kind))
		set_etag(shown);
	return found;
}

bool arm_find_shown(struct api_request *request, const struct arm_type *type,
		    const struct path *path, struct arm_shown *shown, struct change_error *error)
{
	const struct path root = part_root(path);
	const struct private_zone *zone;
	const struct record_set *set;
	struct path own;

	if (arm_find(request, type, path, shown, error))
		return true;
	zone = type->record_type && error->outcome == CHANGE_FINE
		       ? part_find(api_model(request), &root)
		       : NULL;
	set = zone ? registrations_find(request, zone, path_name(path)) : NULL;
	if (!set)
		return false;
	own = arm_spelled(request, path, set);
	arm_show_item(request, type, &own, set, shown);
	return true;
}

void arm_shown_release(struct arm_shown *shown)
{
	json_decref(shown->values);
	json_decref(shown->users);
	shown->values = shown->users = NULL;
}

json_t *arm_base(const struct arm_shown *shown, struct change_error *error)
{
	json_t *values;
	bool changed;

	error->outcome = CHANGE_FINE;
	if (shown->path.kind->id == KIND_GROUP)
		return json_deep_copy(shown->values);
	if (kind_is_beside(shown->path.kind))
		return owned_values(shown->item);
	if (shown->revision > 0)
		return items_of(shown->path.kind)
			->stored(api_resources(shown->request), &shown->path, error);
	values = json_deep_copy(shown->values);
	if (values_refer(shown->path.kind, shown->path.group, api_model(shown->request), values,
			 &changed) == 0)
		return values;
	json_decref(values);
	change_no_memory(error);
	return NULL;
}

void arm_each_child(const struct arm_shown *shown, const struct arm_type *type,
		    void (*on_child)(void *context, struct arm_shown *child), void *context)
{
	const struct kind *kind = kind_of_id(type->kind);
	size_t size = kind_field(kind)->group->size;
	struct schema_list items = kind_list(kind, shown->item);

	for (size_t i = 0; i < items.count; i++) {
		const void *item = (const char *)items.items + i * size;
		const struct path path = part_path(kind, item, &shown->path);
		struct arm_shown child;

		if (item_made_because(api_model(shown->request), &path))
			continue;
		arm_show_plain(shown->request, type, &path, item, &child);
		memcpy(child.etag, shown->etag, sizeof child.etag);
		child.is_bare = shown->is_bare;
		child.users = json_incref(shown->users);
		on_child(context, &child);
		arm_shown_release(&child);
	}
}
