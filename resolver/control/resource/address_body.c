#include "resolver/control/resource/address_body.h"

#include "resolver/control/resource/values.h"
#include "rules/check/tags.h"
#include "rules/schema/schema.h"

/* Members that the API shows and no body sets; ends with NULL. */
static const char *const shown[] = {"fqdn",   "ttl_served", "status", "action",   "reason",
				    "origin", "etag",       "kind",   "warnings", NULL};
static const char *const ptr_around[] = {"id",      "name",  "region", "resource_group",
					 "address", "owner", NULL};
static const char *const group_shown[] = {"origin", "etag", "warnings", NULL};

void address_body_strip(const struct kind *kind, json_t *body)
{
	const char *const *members = kind->id == KIND_GROUP ? group_shown : shown;

	for (size_t i = 0; members[i]; i++)
		json_object_del(body, members[i]);
	for (size_t i = 0; kind->id == KIND_PTR && ptr_around[i]; i++)
		json_object_del(body, ptr_around[i]);
}

/* Removes empty texts of optional members, so that an empty text clears the member. */
static void drop_empty(const struct kind *kind, json_t *values)
{
	const struct group *group = kind_field(kind)->group;

	for (size_t i = 0; i < group->count; i++) {
		const struct field *field = &group->fields[i];
		const json_t *value = json_object_get(values, field->key);
		bool may_go = field->type == FIELD_STRING || field->type == FIELD_DOMAIN ||
			      (kind->id == KIND_GROUP && field->type == FIELD_NAME);

		if (may_go && !field->required && json_is_string(value) &&
		    json_string_length(value) == 0)
			json_object_del(values, field->key);
	}
}

static int check_tags(const struct kind *kind, const void *item, struct change_error *error)
{
	const struct group *group = kind_field(kind)->group;
	const char *refusal = NULL;
	char text[TAGS_TEXT_MAX];

	for (size_t i = 0; !refusal && i < group->count; i++) {
		const struct field *field = &group->fields[i];

		refusal = field->type == FIELD_TAGS ? tags_refusal(field, item, text) : NULL;
		if (refusal)
			(void)!change_say(error, CHANGE_INVALID, field->key, "%s", refusal);
	}
	return refusal ? ERR_INVALID : 0;
}

int address_body_read(const struct kind *kind, const json_t *body, void *item, struct arena *arena,
		      struct change_error *error)
{
	static const struct origin nowhere;
	json_t *given = json_copy((json_t *)(uintptr_t)body);
	const struct fault *first;
	struct faults faults;
	int err = 0;

	*error = (struct change_error){.outcome = CHANGE_FINE};
	address_body_strip(kind, given);
	drop_empty(kind, given);
	faults_init(&faults);
	values_read(kind, given, item, &nowhere, arena, &faults);
	first = faults_first(&faults);
	if (first && faults.errors > 0)
		err = change_say(error, CHANGE_INVALID, first->origin.path, "%s", first->text);
	else if (faults.errors > 0)
		err = change_no_memory(error);
	else if (kind->id == KIND_PTR && !json_object_get(body, "reverse_fqdn"))
		err = change_say(error, CHANGE_INVALID, "reverse_fqdn",
				 "it is missing; give the name, or null for none");
	else
		err = check_tags(kind, item, error);
	faults_release(&faults);
	json_decref(given);
	return err;
}
