/* apply.c sends the requests to the server. */
#include "resolver/control/command/apply_plan.h"

#include <strings.h>

#include "resolver/control/base/json.h"
#include "resolver/control/base/report.h"
#include "resolver/control/command/client.h"
#include "resolver/control/command/settings.h"
#include "resolver/control/resource/owned_resource.h"
#include "resolver/control/resource/part.h"
#include "resolver/control/resource/values.h"
#include "rules/base.h"
#include "rules/schema/record_set.h"
#include "rules/schema/reference.h"
#include "rules/schema/schema.h"
#include "rules/text.h"

enum { KEPT_SHOWN = 3 };

/* ---- the file's resources ---- */

/* A path's key in `served`, to be freed; NULL: no path, or out of memory. */
static char *key_of(const char *path)
{
	char *key = path ? strdup(path) : NULL;

	return key ? text_lower(key) : NULL;
}

static char *print_value(const json_t *value)
{
	return value ? json_dumps(value, JSON_COMPACT | JSON_ENCODE_ANY) : strdup("-");
}

/* Prints a line for each member that differs. */
static void print_members(const json_t *before, const json_t *after)
{
	const char *key;
	json_t *value;
	char *old, *new;

	json_object_foreach((json_t *)after, key, value)
	{
		if (json_equal(value, json_object_get(before, key)))
			continue;
		old = print_value(json_object_get(before, key));
		new = print_value(value);
		printf("    %s: %s -> %s\n", key, old ? old : "", new ? new : "");
		free(old);
		free(new);
	}
	json_object_foreach((json_t *)before, key, value)
	{
		if (json_object_get(after, key))
			continue;
		old = print_value(value);
		printf("    %s: %s -> -\n", key, old ? old : "");
		free(old);
	}
}

/* Takes over `values`; NULL: a removal. */
static void add_edit(json_t *edits, const char *path, json_t *values)
{
	json_add(edits, json_make("{s:o, s:o}", "path", json_text(path), "values",
				  values ? values : json_null()));
}

/* The served resource, if not taken out yet; NULL: none. */
static json_t *find_served(const struct apply_plan *plan, const char *path)
{
	char *key = key_of(path);
	json_t *served = key ? json_object_get(plan->served, key) : NULL;

	free(key);
	return served;
}

/* Finds the served resource and takes it out. */
static json_t *take_served(struct apply_plan *plan, const char *path)
{
	json_t *served = json_incref(find_served(plan, path));
	char *key = served ? key_of(path) : NULL;

	if (key)
		json_object_del(plan->served, key);
	free(key);
	return served;
}

/* Keeps the group of these values: the file has a resource in it. */
static void want_group(struct apply_plan *plan, const json_t *values)
{
	const char *group = json_string_value(json_object_get(values, "resource_group"));
	char *path = group ? client_path("groups/-/%", group) : NULL;

	if (path)
		json_decref(take_served(plan, path));
	free(path);
}

/* Finds a second resource of the same path, which would replace the first. */
static bool is_twice(struct apply_plan *plan, const char *path)
{
	char *key = key_of(path);
	bool found = key && json_object_get(plan->wanted, key);

	if (key)
		json_put(plan->wanted, key, json_true());
	free(key);
	return found;
}

/* Refuses, and prints the reason. */
static void refuse(struct apply_plan *plan, const char *path, const char *why)
{
	plan->refused = true;
	command_fail_at(plan->line, "%s %s", path, why);
}

/* ---- unchanged resources ---- */

static bool is_name(const struct kind *kind, const char *key)
{
	return strcmp(key, kind_name_key(kind)) == 0 || strcmp(key, "resource_group") == 0;
}

/* Whether the values have only the resource's name, and perhaps its present region. */
static bool is_bare(const struct kind *kind, const json_t *before, const json_t *values)
{
	const char *key;
	json_t *value;

	json_object_foreach((json_t *)values, key, value)
	{
		bool is_place = strcmp(key, "region") == 0 &&
				json_equal(value, json_object_get(before, key));

		if (!is_name(kind, key) && !is_place && !values_is_default(kind, key, value))
			return false;
	}
	return true;
}

/* The served member; if it is an empty array, the items that the server made in place of missing
 * ones. To be released. */
static json_t *served_member(const struct apply_plan *plan, const struct kind *kind,
			     const json_t *before, const char *key)
{
	const char *name = json_string_value(json_object_get(before, kind_name_key(kind))), *made;
	json_t *value = json_object_get(before, key), *array;
	char *path = NULL;

	if (!json_is_array(value) || json_array_size(value) > 0 || kind->parent || !name ||
	    asprintf(&path, "%s[%s].%s", kind->collection, name, key) < 0)
		return json_incref(value);
	made = json_string_value(json_object_get(plan->made, path));
	free(path);
	array = json_array();
	for (size_t length; made && *made != '\0'; made += length + strspn(made + length, ", ")) {
		length = strcspn(made, ", ");
		json_add(array, json_stringn(made, length));
	}
	return array;
}

static bool has_item(const json_t *array, const json_t *wanted)
{
	const json_t *item;
	size_t i;

	json_array_foreach(array, i, item) if (json_equal(item, wanted)) return true;
	return false;
}

/* Compares two values of a member; only prefixes may be in another order. */
static bool is_same(const struct kind *kind, const char *key, const json_t *a, const json_t *b)
{
	const struct field *field = schema_field(kind_field(kind)->group, key);
	const json_t *item;
	size_t i;

	if (json_equal(a, b))
		return true;
	if (!field || field->type != FIELD_PREFIXES || json_array_size(a) != json_array_size(b))
		return false;
	json_array_foreach(a, i, item) if (!has_item(b, item)) return false;
	return true;
}

/* The values that differ from the served ones; an empty array does not count. */
static json_t *otherwise(const struct apply_plan *plan, const struct kind *kind,
			 const json_t *before, const json_t *values)
{
	json_t *members = json_object(), *value, *there;
	const char *key;

	json_object_foreach((json_t *)values, key, value)
	{
		bool empty = json_is_array(value) && json_array_size(value) == 0;

		if (empty || is_name(kind, key))
			continue;
		there = served_member(plan, kind, before, key);
		if (!is_same(kind, key, value, there))
			json_put(members, key, json_incref(value));
		json_decref(there);
	}
	return members;
}

/* Whether nothing of the resource has to change. That is so if the server's file declares it with
 * all these values, or if FILE gives only its name; but --prune resets the values of such a
 * resource if the server's file does not declare it. */
static bool stays(const struct apply_plan *plan, const struct kind *kind, const json_t *served,
		  const json_t *values)
{
	const json_t *before = json_object_get(served, "values");
	json_t *members;
	bool declared = json_string_value(json_object_get(served, "origin")), same;

	if (!served || kind_is_beside(kind))
		return false;
	if (is_bare(kind, before, values))
		return declared || !plan->line->prune;
	members = otherwise(plan, kind, before, values);
	same = declared && json_object_size(members) == 0;
	json_decref(members);
	return same;
}

static void refuse_declared(struct apply_plan *plan, const struct kind *kind, const char *path,
			    const json_t *served, const json_t *values)
{
	json_t *members = otherwise(plan, kind, json_object_get(served, "values"), values), *value;
	char *text = NULL;
	size_t length = 0;
	FILE *out = open_memstream(&text, &length);
	const char *key, *how = "";
	bool first = true;

	json_object_foreach(members, key, value)
	{
		if (!out)
			break;
		fprintf(out, "%s%s = ", first ? ": " : " ", key);
		settings_print(out, value);
		fputc(';', out);
		first = false;
	}
	if (out)
		fclose(out);
	plan->refused = true;
	/* Offers --vnet, so that nobody changes an access list only for this. */
	if (json_object_size(members) == 1 && json_object_get(members, "client_prefixes"))
		how = " or give --vnet with its name: who may ask stays as it is";
	command_fail_at(plan->line, "%s is declared at %s; change it there, and reload%s%s", path,
			json_string_value(json_object_get(served, "origin")), text ? text : "",
			how);
	free(text);
	json_decref(members);
}

/* Plans a resource with these values, which are taken over; served: its present ones (NULL: none).
 * False: the file has it twice, so its parts have been planned already. */
static bool plan_values(struct apply_plan *plan, const struct kind *kind, const char *path,
			const json_t *served, json_t *values)
{
	const json_t *before = json_object_get(served, "values");
	const char *origin = json_string_value(json_object_get(served, "origin"));
	bool twice = is_twice(plan, path);

	want_group(plan, values);
	if (twice) {
		refuse(plan, path, "is there twice; leave one out");
		json_decref(values);
	} else if (served && json_equal(before, values)) {
		json_decref(values);
	} else if (stays(plan, kind, served, values)) {
		printf("keep %s as it is%s%s\n", path, origin ? " at " : "", origin ? origin : "");
		json_decref(values);
	} else if (origin) {
		refuse_declared(plan, kind, path, served, values);
		json_decref(values);
	} else {
		printf("%s %s\n", served ? "change" : "create", path);
		if (served)
			print_members(before, values);
		plan->changes += served != NULL;
		plan->creates += !served;
		add_edit(kind_is_beside(kind) ? plan->puts : plan->edits, path, values);
	}
	return !twice;
}

/* Whether the item has a secret in plain text, which its printed values lack. */
static bool has_secret(const struct kind *kind, const void *item)
{
	const struct group *group = kind_field(kind)->group;

	for (size_t i = 0; i < group->count; i++)
		if (group->fields[i].secret && group->fields[i].type == FIELD_STRING &&
		    schema_get_text(&group->fields[i], item, NULL, 0))
			return true;
	return false;
}

/* The path of the parent, as "rulesets/-/office", to be freed; NULL: it is at the top. */
static char *parent_of(const char *key)
{
	int slashes = 0;

	for (const char *at = key; *at != '\0'; at++)
		if (*at == '/' && ++slashes == 3)
			return strndup(key, (size_t)(at - key));
	return NULL;
}

/* Whether the path is the network of --vnet: the file was imported for that network's clients, and
 * has only its name. */
static bool is_vnet(const struct apply_plan *plan, const struct path *path)
{
	return plan->line->vnet && strcmp(path->kind->name, "network") == 0 &&
	       strcasecmp(path_name(path), client_top(plan->line->vnet).name) == 0;
}

static bool is_in_group(const json_t *values, const char *wanted)
{
	const char *group = json_string_value(json_object_get(values, "resource_group"));

	return strcmp(wanted, GROUP_ANY) == 0 ||
	       strcasecmp(group ? group : GROUP_NONE, wanted) == 0;
}

/* Takes --vnet's network out. False: there is none, or more than one; prints why. */
static bool take_vnet(struct apply_plan *plan)
{
	const char *vnet = plan->line->vnet, *key, *found = NULL;
	const struct client_top top = client_top(vnet ? vnet : "");
	char paths[512] = "";
	json_t *served;
	size_t count = 0;

	if (!vnet)
		return true;
	json_object_foreach(plan->served, key, served)
	{
		const json_t *values = json_object_get(served, "values");
		const char *name = json_string_value(json_object_get(values, "name"));
		char *parent = parent_of(key);

		if (!parent && strncmp(key, "virtual_networks/", 17) == 0 && name &&
		    strcasecmp(name, top.name) == 0 && is_in_group(values, top.group)) {
			text_append(paths, sizeof paths, "%s%s", count++ > 0 ? ", " : "", key);
			found = key;
		}
		free(parent);
	}
	if (count == 1) {
		plan->vnet = json_incref(json_object_get(plan->served, found));
		json_object_del(plan->served, found);
		return true;
	}
	if (count == 0)
		command_fail_at(plan->line,
				"there is no virtual network \"%s\"; give one that `sluice list "
				"network` shows, or leave --vnet out",
				vnet);
	else
		command_fail_at(plan->line,
				"there is more than one virtual network \"%s\": %s; give --vnet "
				"as GROUP/NAME",
				vnet, paths);
	return false;
}

/* Gives references one form, by their meaning in the file, so that equal ones compare equal. */
static void refer(const struct apply_plan *plan, const struct path *path, json_t *values)
{
	bool changed;

	/* Out of memory: shows a change where there is none. */
	if (values && values_refer(path->kind, path->group, plan->model, values, &changed) == 0)
		values_shorten(path->kind, path->group, values);
}

/* Plans the item. False: the file has it twice, so its parts have been planned already. */
static bool plan_item(struct apply_plan *plan, const struct path *path, const void *item)
{
	char text[PATH_URL_MAX];
	bool first = true;
	json_t *served, *values;

	if (is_vnet(plan, path))
		return true;
	served = take_served(plan, path_url(path, text));
	values = values_print(path->kind, path->group, item);
	refer(plan, path, values);
	refer(plan, path, json_object_get(served, "values"));

	if (!json_string_value(json_object_get(served, "origin")) && has_secret(path->kind, item)) {
		refuse(plan, text,
		       "has its secret in plain text, which is not kept in the state; write it to "
		       "a file that only sluice's user may read, and give that as secret_file");
		json_decref(values);
	} else {
		first = plan_values(plan, path->kind, text, served, values);
	}
	json_decref(served);
	return first;
}

/* `parent`: the list's resource; NULL: the model. */
static void plan_list(struct apply_plan *plan, const struct kind *kind, const void *in,
		      const struct path *parent)
{
	size_t size = kind_field(kind)->group->size;
	struct schema_list items = kind_list(kind, in);

	for (size_t i = 0; i < items.count; i++) {
		const char *item = (const char *)items.items + i * size;
		const struct path path = part_path(kind, item, parent);

		if (!plan_item(plan, &path, item))
			continue;
		for (size_t k = 0; k < KIND_COUNT; k++)
			if (kinds[k].parent == kind)
				plan_list(plan, &kinds[k], item, &path);
	}
}

/* ---- addresses and services ---- */

/* Keeps id and region if the file lacks them, and the served case of names. */
static void keep_given(json_t *values, const json_t *before)
{
	static const char *const kept[] = {"id", "region"}, *const named[] = {"name",
									      "resource_group"};

	for (size_t i = 0; i < COUNT(kept); i++)
		if (!json_object_get(values, kept[i]) && json_object_get(before, kept[i]))
			json_put(values, kept[i], json_incref(json_object_get(before, kept[i])));
	for (size_t i = 0; i < COUNT(named); i++)
		if (json_object_get(before, named[i]))
			json_put(values, named[i], json_incref(json_object_get(before, named[i])));
}

/* The PTR of an address or service that the server's file declares without one is a resource of its
 * own. */
static void plan_ptr(struct apply_plan *plan, const json_t *served, const char *description,
		     json_t *values)
{
	const char *const keys[] = {"reverse_fqdn", description, "ttl"};
	const json_t *before = json_object_get(served, "values");
	char *path = client_path("ptrs/%", json_string_value(json_object_get(before, "id")));
	json_t *ptr = json_object(), *served_ptr = path ? take_served(plan, path) : NULL;

	for (size_t i = 0; i < COUNT(keys); i++) {
		json_t *value = json_object_get(values, keys[i]);

		if (value)
			json_put(ptr, i == 1 ? "description" : keys[i], json_incref(value));
		json_object_del(values, keys[i]);
	}
	plan_values(plan, kind_of_id(KIND_PTR), path ? path : "", served_ptr, ptr);
	json_decref(served_ptr);
	free(path);
}

/* Takes over the values. */
static void plan_resource(struct apply_plan *plan, const struct owned_resource *resource,
			  json_t *values)
{
	bool service = owned_is_service(resource);
	const char *group =
		resource->item.resource_group ? resource->item.resource_group : GROUP_NONE;
	char *path = service ? client_path("services/-/%", resource->item.name)
			     : client_path("addresses/%/%", group, resource->item.name);
	json_t *served = path ? take_served(plan, path) : NULL;
	const json_t *before = json_object_get(served, "values");

	keep_given(values, before);
	if (json_string_value(json_object_get(served, "origin")) && resource->item.reverse_fqdn &&
	    !json_object_get(before, "reverse_fqdn"))
		plan_ptr(plan, served, service ? "ptr_description" : "description", values);
	/* A new resource of that name: the old one is removed first. */
	if (!text_equal(json_string_value(json_object_get(before, "id")),
			json_string_value(json_object_get(values, "id"))) &&
	    served && !json_string_value(json_object_get(served, "origin")))
		add_edit(plan->removals, path, NULL);
	plan_values(plan, resource->kind, path ? path : "", served, values);
	json_decref(served);
	free(path);
}

/* Plans an item of the file. An id that the file lacks was derived, so it is left out. */
static void plan_declared(struct apply_plan *plan, unsigned kind, const struct owned_item *item,
			  const struct model *model)
{
	struct owned_resource resource;
	json_t *values = NULL;
	struct arena arena;

	arena_init(&arena);
	if (owned_declared(&resource, kind, item, model, &arena) == 0)
		values = owned_values(&resource);
	if (!item->id)
		json_object_del(values, "id");
	if (values)
		plan_resource(plan, &resource, values);
	arena_release(&arena);
}

/* The key in `holders`, to be freed: the values' address, or with `label` their label and region.
 * NULL: they have none. */
static char *held(const json_t *values, bool label)
{
	const char *address = json_string_value(json_object_get(values, "address"));
	const char *name = json_string_value(json_object_get(values, "domain_name_label"));
	const char *region = json_string_value(json_object_get(values, "region"));
	char *text = NULL;

	if (!label)
		return address ? strdup(address) : NULL;
	if (name && asprintf(&text, "%s.%s", name, region ? region : "") < 0)
		text = NULL;
	return text;
}

static void note_holder(struct apply_plan *plan, const char *key, const json_t *served)
{
	for (int label = 0; label < 2; label++) {
		char *text = held(json_object_get(served, "values"), label);

		if (text)
			json_put(plan->holders, text, json_text(key));
		free(text);
	}
}

/* If resources exchange a unique address or label, the present holder is removed first, and made
 * again by its put, which has all its values. */
static void plan_exchanges(struct apply_plan *plan)
{
	json_t *puts = json_object(), *edit;
	size_t i;

	json_array_foreach(plan->puts, i, edit)
	{
		char *key = key_of(json_string_value(json_object_get(edit, "path")));

		if (key)
			json_put(puts, key, json_incref(edit));
		free(key);
	}
	json_array_foreach(plan->puts, i, edit)
	{
		for (int label = 0; label < 2; label++) {
			char *text = held(json_object_get(edit, "values"), label);
			const char *key =
				text ? json_string_value(json_object_get(plan->holders, text))
				     : NULL;
			json_t *holder = key ? json_object_get(puts, key) : NULL;
			char *keeps =
				holder ? held(json_object_get(holder, "values"), label) : NULL;

			if (holder && holder != edit && !text_equal(keeps, text)) {
				add_edit(plan->removals,
					 json_string_value(json_object_get(holder, "path")), NULL);
				json_object_del(puts, key); /* removed only once */
			}
			free(keeps);
			free(text);
		}
	}
	json_decref(puts);
}

static void plan_owned(struct apply_plan *plan, const struct model *model)
{
	for (size_t i = 0; i < model->addresses.count; i++)
		plan_declared(plan, KIND_ADDRESS, &model->addresses.items[i], model);
	for (size_t i = 0; i < model->cloud_services.count; i++)
		plan_declared(plan, KIND_SERVICE, &model->cloud_services.items[i], model);
	plan_exchanges(plan);
}

/* ---- resources that the file lacks ---- */

static bool is_kept(const struct apply_plan *plan, const char *key, const json_t *served)
{
	char *parent = parent_of(key);
	const json_t *above = parent ? json_object_get(plan->served, parent) : NULL;

	free(parent);
	/* Removing a parent removes its parts. */
	return json_string_value(json_object_get(served, "origin")) ||
	       (above && !json_string_value(json_object_get(above, "origin")));
}

static void plan_removal(struct apply_plan *plan, const char *key, const json_t *served)
{
	const char *path = json_string_value(json_object_get(served, "path"));
	char first[64];

	snprintf(first, sizeof first, "%.*s", (int)strcspn(key, "/"), key);
	printf("delete %s\n", path);
	plan->deletes++;
	add_edit(kind_beside(first) ? plan->removals : plan->edits, path, NULL);
}

/* A file has no groups, only their members. So a group goes with its last address, and a group that
 * was empty before stays. */
static void plan_prune(struct apply_plan *plan)
{
	const char *key, *group;
	json_t *served, *groups = json_object(), *gone;
	char *path;

	json_object_foreach(plan->served, key, served)
	{
		group = json_string_value(
			json_object_get(json_object_get(served, "values"), "resource_group"));
		if (strncmp(key, "groups/", 7) == 0 || is_kept(plan, key, served))
			continue;
		plan_removal(plan, key, served);
		path = group ? client_path("groups/-/%", group) : NULL;
		gone = path ? find_served(plan, path) : NULL;
		if (gone)
			json_put(groups, json_string_value(json_object_get(gone, "path")),
				 json_incref(gone));
		free(path);
	}
	json_object_foreach(groups, key, served)
	{
		if (!json_string_value(json_object_get(served, "origin")))
			plan_removal(plan, key, served);
	}
	json_decref(groups);
}

/* Prints kept resources, as far as there is room: those inside others, or those at the top. */
static size_t print_kept(const struct apply_plan *plan, bool inside, size_t count)
{
	const char *key;
	json_t *served;

	json_object_foreach(plan->served, key, served)
	{
		char *parent = parent_of(key);
		bool is_inside = parent;

		free(parent);
		if (is_inside != inside || strncmp(key, "groups/", 7) == 0 ||
		    is_kept(plan, key, served))
			continue;
		if (++count <= KEPT_SHOWN)
			printf("%s%s",
			       count == 1 ? "not in the file, and kept without --prune: " : ", ",
			       json_string_value(json_object_get(served, "path")));
	}
	return count;
}

/* Prints resources that are kept, but perhaps should go: a rule, say, that was deleted from the
 * file. */
static void tell_kept(const struct apply_plan *plan)
{
	size_t count = print_kept(plan, false, print_kept(plan, true, 0));

	if (count > KEPT_SHOWN)
		printf(" and %zu more; --prune --dry-run lists all", count - KEPT_SHOWN);
	if (count > 0)
		putchar('\n');
}

/* ---- the whole plan ---- */

static void serve(struct apply_plan *plan, const json_t *exported)
{
	json_t *item;
	size_t i;

	json_array_foreach(json_object_get(exported, "edits"), i, item)
	{
		const char *path = json_string_value(json_object_get(item, "path"));
		char why[TEXT_FLAW_MAX];
		/* Paths are printed, so unprintable ones are left out. */
		char *key = path && text_is_plain(path, why) ? key_of(path) : NULL;

		if (key && strncmp(key, "addresses/", 10) == 0)
			note_holder(plan, key, item);
		if (key)
			json_put(plan->served, key, json_incref(item));
		free(key);
	}
	json_array_foreach(json_object_get(exported, "made"), i, item)
	{
		const char *path = json_string_value(json_object_get(item, "path"));

		if (path)
			json_put(plan->made, path, json_incref(json_object_get(item, "value")));
	}
}

bool apply_plan_init(struct apply_plan *plan, const struct command_line *line,
		     const json_t *exported)
{
	*plan = (struct apply_plan){
		.line = line,
		.served = json_object(),
		.made = json_object(),
		.wanted = json_object(),
		.holders = json_object(),
		.edits = json_array(),
		.removals = json_array(),
		.puts = json_array(),
	};
	serve(plan, exported);
	return take_vnet(plan);
}

void apply_plan_release(struct apply_plan *plan)
{
	json_decref(plan->puts);
	json_decref(plan->removals);
	json_decref(plan->edits);
	json_decref(plan->holders);
	json_decref(plan->wanted);
	json_decref(plan->made);
	json_decref(plan->served);
	json_decref(plan->vnet);
}

/* Makes the file's references to the network lead to the served one. */
static void place_vnet(const struct apply_plan *plan, struct model *model)
{
	const json_t *values = json_object_get(plan->vnet, "values");
	const char *group = json_string_value(json_object_get(values, "resource_group"));
	const char *name = json_string_value(json_object_get(values, "name"));
	struct virtual_network *network =
		plan->vnet ? model_network(model, NULL, client_top(plan->line->vnet).name) : NULL;
	struct named placed = {.name = NULL};

	if (!network)
		return;
	placed.origin = network->origin;
	placed.name = arena_strdup(&model->arena, name);
	placed.resource_group = group ? arena_strdup(&model->arena, group) : NULL;
	if (placed.name && reference_name(&placed, &model->arena) == 0)
		network->named = placed; /* may change the group, and the name's case */
}

/* ---- master files ---- */

struct listed_zone { /* a zone whose records become record sets */
	struct private_zone *zone;
	struct arena *arena; /* the model's */
	struct name apex;
	bool no_memory;
};

static bool fill_set(struct listed_zone *listed, struct record_set *set, const uint8_t *owner,
		     const struct rrset *rrset)
{
	char name[RECORD_SET_NAME_MAX];
	json_t *records = json_whole(report_records(rrset)), *record;
	size_t count = json_array_size(records), i;
	const char **items = arena_alloc_array(listed->arena, count, sizeof *items);
	bool whole = records && items;

	json_array_foreach(whole ? records : NULL, i, record)
	{
		items[i] = arena_strdup(listed->arena, json_string_value(record));
		whole = whole && items[i];
	}
	json_decref(records);
	*set = (struct record_set){.origin = listed->zone->origin, .ttl = rrset->ttl};
	set->name = arena_strdup(listed->arena,
				 record_set_name(&listed->apex, owner, rrset->type, name));
	set->records.items = items;
	set->records.count = count;
	return whole && set->name;
}

static int add_set(void *context, const uint8_t *owner, const struct rrset *rrset)
{
	struct listed_zone *listed = context;
	struct private_zone *zone = listed->zone;

	if (rrset->type == TYPE_SOA && !zone_has_own_soa(zone->zone))
		return 0;
	listed->no_memory = !fill_set(listed, &zone->record_sets.items[zone->record_sets.count++],
				      owner, rrset);
	return listed->no_memory;
}

/* Turns the file's records into record sets of the state, because only the server's own file can
 * give a zone a master file. False: out of memory. */
static bool take_records(struct private_zone *zone, struct arena *arena)
{
	struct listed_zone listed = {.zone = zone, .arena = arena};

	if (name_from_text(&listed.apex, NULL, zone->name) != 0)
		return false;
	zone->record_sets.count = 0;
	zone->record_sets.items = arena_alloc_array(arena, zone_record_sets(zone->zone) + 1,
						    sizeof *zone->record_sets.items);
	if (!zone->record_sets.items || zone_walk(zone->zone, add_set, &listed) != 0)
		return false;
	zone->file = NULL;
	return true;
}

/* Makes record sets out of the zones' master files. A zone that the server's own file declares
 * keeps its master file, because it is compared with the declared zone. False: out of memory. */
static bool list_zones(struct apply_plan *plan, struct model *model)
{
	const struct kind *kind = kind_of_id(KIND_ZONE);
	char url[PATH_URL_MAX];

	for (size_t i = 0; i < model->private_zones.count; i++) {
		struct private_zone *zone = &model->private_zones.items[i];
		const struct path path = part_path(kind, zone, NULL);
		const json_t *served = find_served(plan, path_url(&path, url));

		if (!zone->file || !zone->zone ||
		    json_string_value(json_object_get(served, "origin")))
			continue;
		if (zone->record_sets.count > 0)
			refuse(plan, url,
			       "has record_sets beside its file; a zone has the one or the other");
		if (!take_records(zone, &model->arena))
			return false;
	}
	return true;
}

void apply_plan_model(struct apply_plan *plan, struct model *model)
{
	plan->model = model;
	if (!list_zones(plan, model)) {
		refuse(plan, plan->line->arguments[0], err_text(ERR_NOMEM));
		return;
	}
	place_vnet(plan, model);
	for (size_t i = 0; i < KIND_COUNT; i++)
		if (!kinds[i].parent)
			plan_list(plan, &kinds[i], model, NULL);
	plan_owned(plan, model);
	if (plan->line->prune)
		plan_prune(plan);
	else if (!plan->refused)
		tell_kept(plan);
}
