#include "resolver/control/api/azure/deployment.h"

#include <stdio.h>
#include <stdlib.h>

#include "resolver/control/api/azure/body.h"
#include "resolver/control/api/azure/found.h"
#include "resolver/control/api/azure/shown.h"
#include "resolver/control/api/reverse.h"
#include "resolver/control/base/json.h"
#include "resolver/control/resource/owned_resource.h"
#include "rules/text.h"

static void add_delta(json_t *delta, const char *path, const char *type, json_t *before,
		      json_t *after)
{
	json_add(delta, json_make("{s:s, s:s, s:o, s:o, s:n}", "path", path, "propertyChangeType",
				  type, "before", before ? json_incref(before) : json_null(),
				  "after", after ? json_incref(after) : json_null(), "children"));
}

/* Prints the path of a member of the object at `path`. */
static void print_inner(const char *path, const char *key, char inner[ARM_TARGET_MAX])
{
	*inner = '\0';
	text_append(inner, ARM_TARGET_MAX, "%s%s%s", path, *path ? "." : "", key);
}

static void compare(json_t *delta, const char *path, json_t *before, json_t *after)
{
	char inner[ARM_TARGET_MAX];
	json_t *value, *other;
	const char *key;

	json_object_foreach(before, key, value)
	{
		other = json_object_get(after, key);
		print_inner(path, key, inner);
		if (json_equal(value, other))
			continue;
		if (json_is_object(value) && json_is_object(other))
			compare(delta, inner, value, other);
		else
			add_delta(delta, inner, other ? "Modify" : "Delete", value, other);
	}
	json_object_foreach(after, key, value)
	{
		print_inner(path, key, inner);
		if (!json_object_get(before, key))
			add_delta(delta, inner, "Create", NULL, value);
	}
}

static json_t *change_json(bool ids_only, const char *id, const char *type, json_t *before,
			   json_t *after, json_t *delta)
{
	json_t *change = json_make("{s:s, s:s}", "resourceId", id, "changeType", type);

	if (!ids_only) {
		json_put(change, "before", before ? json_incref(before) : json_null());
		json_put(change, "after", after ? json_incref(after) : json_null());
		json_put(change, "delta", json_incref(delta));
	}
	json_decref(delta);
	return change;
}

static json_t *deployed_change(bool ids_only, const struct deployed *deployed)
{
	json_t *delta = json_array();
	const char *type;

	if (deployed->before && deployed->after)
		compare(delta, "", deployed->before, deployed->after);
	type = !deployed->after             ? "Delete"
	       : !deployed->before          ? "Create"
	       : json_array_size(delta) > 0 ? "Modify"
					    : "NoChange";
	return change_json(ids_only, deployed->id, type, deployed->before, deployed->after, delta);
}

static json_t *more_addresses_json(void)
{
	return json_make("[{s:s, s:s, s:o}]", "level", "Warning", "code", "AddressesNotListed",
			 "message",
			 json_sprintf("The group has more than %d public IP addresses. Those that "
				      "the template does not have are not all listed.",
				      WHAT_IF_ADDRESSES_MAX));
}

/* the other resources of the group */
struct besides {
	const struct deployment *deployment;
	bool ids_only;
	json_t *told; /* ids that are listed, in lower case */
	json_t *changes;
};

/* Releases `shown`. */
static void add_ignored(struct besides *besides, struct arm_shown *shown)
{
	struct api_request *request = besides->deployment->asked.request;
	char id[ARM_ID_MAX];
	json_t *before;

	arm_id(request, &shown->path, id);
	if (!json_object_get(besides->told, text_lower(id))) {
		before = arm_print(shown);
		json_add(besides->changes,
			 change_json(besides->ids_only, json_text_of(before, "id"), "Ignore",
				     before, before, json_array()));
		json_decref(before);
	}
	arm_shown_release(shown);
}

static void add_ignored_items(struct besides *besides)
{
	struct api_request *request = besides->deployment->asked.request;
	struct arm_found_list list = {.request = request,
				      .group = besides->deployment->asked.group};
	struct arm_shown shown;

	arm_found_add_all(&list, arm_is_top);
	arm_found_sort(&list);
	if (list.no_memory)
		json_add(besides->changes, NULL); /* makes the answer fail */
	for (size_t i = 0; i < list.count; i++) {
		const struct arm_found *found = &list.items[i];

		arm_show_item(request, found->type, &found->path, found->item, &shown);
		add_ignored(besides, &shown);
	}
	free(list.items);
}

/* True: there are more addresses than are listed. */
static bool add_ignored_addresses(struct besides *besides)
{
	struct api_request *request = besides->deployment->asked.request;
	struct item_list list = arm_addresses(request);
	struct change_error error;
	struct arm_shown shown;
	size_t seen = 0;

	do {
		if (items_of(list.path.kind)->next(&list, ARM_PORTION, &error) != 0 &&
		    error.outcome == CHANGE_NO_MEMORY)
			json_add(besides->changes, NULL);
		for (size_t i = 0; i < list.count; i++) {
			if (seen++ == WHAT_IF_ADDRESSES_MAX)
				return true;
			arm_show_address(request, list.items[i].owned, &shown);
			add_ignored(besides, &shown);
		}
	} while (list.more);
	return false;
}

json_t *what_if_json(const struct deployment *deployment, const char *id, bool ids_only)
{
	struct besides besides = {deployment, ids_only, json_object(), json_array()};
	json_t *properties =
		json_make("{s:s, s:o}", "correlationId", id, "changes", besides.changes);
	char key[ARM_ID_MAX];

	for (size_t i = 0; i < deployment->count; i++) {
		const struct deployed *deployed = &deployment->resources[i];

		json_add(besides.changes, deployed_change(ids_only, deployed));
		snprintf(key, sizeof key, "%s", deployed->id);
		json_put(besides.told, text_lower(key), json_true());
	}
	if (deployment->asked.group) {
		add_ignored_items(&besides);
		if (add_ignored_addresses(&besides))
			json_put(properties, "diagnostics", more_addresses_json());
	}
	json_decref(besides.told);
	return json_make("{s:s, s:o}", "status", "Succeeded", "properties", properties);
}
