#include "resolver/control/api/azure/body.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "resolver/control/base/json.h"

bool arm_next_step(const char **path, struct arm_step *step)
{
	const char *at = *path;
	size_t length = strcspn(at, ".");

	if (*at == '\0')
		return false;
	step->name = at;
	step->length = strcspn(at, ".[");
	step->in_array = at[step->length] == '[';
	step->index = step->in_array ? strtoul(at + step->length + 1, NULL, 10) : 0;
	*path = at[length] == '.' ? at + length + 1 : at + length;
	return true;
}

const char *arm_member_path(const struct arm_member *member, char path[ARM_TARGET_MAX])
{
	bool is_outer = *member->path == '/';

	snprintf(path, ARM_TARGET_MAX, "%s%s", is_outer ? "" : "properties.",
		 member->path + is_outer);
	return path;
}

json_t *arm_get(json_t *body, const char *path)
{
	json_t *at = body;
	struct arm_step step;

	while (at && arm_next_step(&path, &step)) {
		at = json_own_membern(at, step.name, step.length);
		if (step.in_array)
			at = json_array_get(at, step.index);
	}
	return json_is_null(at) ? NULL : at;
}

void arm_put(json_t *body, const char *path, json_t *value)
{
	json_t *at = body, *inner;
	char name[ARM_TARGET_MAX];
	struct arm_step step;

	if (!value)
		return;
	while (json_is_object(at) && arm_next_step(&path, &step)) {
		bool is_last = *path == '\0';

		snprintf(name, sizeof name, "%.*s", (int)step.length, step.name);
		inner = json_object_get(at, name);
		if (is_last && !step.in_array) {
			json_put(at, name, value);
			return;
		}
		if (!inner) {
			inner = step.in_array ? json_array() : json_object();
			json_put(at, name, inner);
		}
		if (step.in_array && json_is_array(inner) && json_array_size(inner) == 0)
			json_add(inner, is_last ? json_incref(value) : json_object());
		at = step.in_array ? json_array_get(inner, 0) : inner;
	}
	json_decref(value);
}

json_t *arm_number(json_t *value)
{
	enum { DIGITS_MAX = 18 };
	const char *text = json_string_value(value);
	size_t digits = text ? strspn(text, "0123456789") : 0;

	if (digits == 0 || digits > DIGITS_MAX || text[digits] != '\0')
		return json_incref(value);
	return json_integer(strtoll(text, NULL, 10));
}

json_t *arm_json_of(const char *text)
{
	return text ? json_loads(text, JSON_DECODE_ANY, NULL) : NULL;
}

json_t *arm_kept(const json_t *values, const char *path)
{
	const json_t *kept = json_object_get(values, "azure");

	return arm_json_of(json_string_value(json_object_get(kept, path)));
}
