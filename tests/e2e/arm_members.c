/* The table of Azure's types (api/azure/type.h) as JSON, for a test of every member that it maps:
 * an array of objects,
 *
 *     type     "dnsForwardingRulesets/forwardingRules"
 *     keys     what a body's members are among the values: "domain", "targets.address"
 *     kept     the paths of what is kept as it is: "flowTimeoutInMinutes"
 *     fields   all members that the values may have: "name", "domain", "description" */
#include "resolver/control/api/azure/type.h"
#include "resolver/control/base/json.h"
#include "rules/schema/schema.h"

static void add_key(json_t *keys, const char *outer, const char *key)
{
	json_add(keys, json_sprintf("%s%s%s", outer, *outer ? "." : "", key));
}

static void add_members(const struct arm_member *members, const char *outer, json_t *keys,
			json_t *kept)
{
	for (const struct arm_member *member = members; member->path; member++) {
		if (member->form == ARM_KEPT)
			json_add(kept, json_text(member->path));
		else if (member->form == ARM_OBJECTS)
			add_members(member->inner, member->key, keys, kept);
		else if (member->key && !member->alias)
			add_key(keys, outer, member->key);
	}
}

static void add_fields(const struct kind *kind, json_t *fields)
{
	const struct group *group = kind_field(kind)->group;

	for (size_t i = 0; i < group->count; i++) {
		const struct field *field = &group->fields[i];

		if (!kind_has(kind, field))
			continue;
		if (field->type != FIELD_LIST) {
			add_key(fields, "", field->key);
			continue;
		}
		for (size_t k = 0; k < field->group->count; k++)
			add_key(fields, field->key, field->group->fields[k].key);
	}
}

int main(void)
{
	json_t *types = json_array();

	for (const struct arm_type *type = arm_types; type->path; type++) {
		json_t *keys = json_array(), *kept = json_array(), *fields = json_array();

		add_members(type->members, "", keys, kept);
		add_fields(kind_of_id(type->kind), fields);
		json_add(types, json_make("{s:s, s:o, s:o, s:o}", "type", type->path, "keys", keys,
					  "kept", kept, "fields", fields));
	}
	json_dumpf(types, stdout, JSON_COMPACT);
	json_decref(types);
	return 0;
}
