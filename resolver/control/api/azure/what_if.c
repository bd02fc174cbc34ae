#include "resolver/control/api/azure/what_if.h"

#include <stdio.h>
#include <stdlib.h>

#include "resolver/control/api/azure/body.h"
#include "resolver/control/api/azure/found.h"
#include "resolver/control/api/azure/shown.h"
#include "resolver/control/base/json.h"
#include "rules/text.h"

static void add_delta(json_t *delta, const char *path, const char *type, json_t *before,
		      json_t *after)
{
	json_add(delta, json_make("{s:s, s:s, s:o, s:o, s:n}", "path", path, "propertyChangeType",
				  type, "before", before ? json_incref(before) : json_null(),
				  "after", after ? json_incref(after) : json_null(), "children"));
}

static void compare(json_t *delta, const char *path, json_t *before, json_t *after)
{
	char inner[ARM_TARGET_MAX];
	json_t *value, *other;
	const char *key;

	json_object_foreach(before, key, value)
	{
		other = json_object_get(after, key);
		snprintf(inner, sizeof inner, "%s%s%s", path, *path ? "." : "", key);
		if (json_equal(value, other))
			continue;
		if (json_is_object(value) && json_is_object(other))
			compare(delta, inner, value, other);
		else
			add_delta(delta, inner, other ? "Modify" : "Delete", value, other);
	}
	json_object_foreach(after, key, value)
	{
		snprintf(inner, sizeof inner, "%s%s%s", path, *path ? "." : "", key);
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

/* What the group has besides. */
static void add_ignored(const struct deployment *deployment, bool ids_only, json_t *changes)
{
	struct arm_found_list list = {.request = deployment->request, .group = deployment->group};
	json_t *told = json_object();
	char id[ARM_ID_MAX];

	for (size_t i = 0; i < deployment->count; i++) {
		snprintf(id, sizeof id, "%s", deployment->resources[i].id);
		json_put(told, text_lower(id), json_true());
	}
	arm_found_add_all(&list, arm_is_top);
	arm_found_sort(&list);
	if (list.no_memory)
		json_add(changes, NULL); /* which fails the answer */
	for (size_t i = 0; i < list.count; i++) {
		const struct arm_found *found = &list.items[i];
		struct arm_shown shown;
		json_t *before;

		arm_id(deployment->request, &found->path, id);
		if (json_object_get(told, text_lower(id)))
			continue;
		arm_show_item(deployment->request, found->type, &found->path, found->item, &shown);
		before = arm_print(&shown);
		json_add(changes, change_json(ids_only, json_text_of(before, "id"), "Ignore",
					      before, before, json_array()));
		json_decref(before);
		arm_shown_release(&shown);
	}
	json_decref(told);
	free(list.items);
}

json_t *what_if_json(const struct deployment *deployment, const char *id, bool ids_only)
{
	json_t *changes = json_array();

	for (size_t i = 0; i < deployment->count; i++)
		json_add(changes, deployed_change(ids_only, &deployment->resources[i]));
	if (deployment->group)
		add_ignored(deployment, ids_only, changes);
	return json_make("{s:s, s:{s:s, s:o}}", "status", "Succeeded", "properties",
			 "correlationId", id, "changes", changes);
}
