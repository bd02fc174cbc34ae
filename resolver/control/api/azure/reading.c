/* Each form of a member (type.h) has a function that reads it. What else a type needs is in its
 * hooks (azure/hooks.h). */
#include "resolver/control/api/azure/reading.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "resolver/control/api/azure/record_data.h"
#include "resolver/control/base/json.h"
#include "resolver/control/resource/values.h"
#include "rules/name.h"
#include "rules/schema/model.h"
#include "rules/schema/schema.h"
#include "rules/text.h"

static const struct group *fields_of(const struct arm_type *type)
{
	return kind_field(kind_of_id(type->kind))->group;
}

char *arm_target(const struct arm_reading *reading, const char *path, char text[ARM_TARGET_MAX])
{
	snprintf(text, ARM_TARGET_MAX, "%s%s", reading->place, path);
	return text;
}

static void misfit(const struct arm_reading *reading, const char *path, const char *expected)
{
	char target[ARM_TARGET_MAX];

	arm_misfit(reading->errors, arm_target(reading, path, target), "must be %s", expected);
}

void arm_misfit_id(struct arm_reading *reading, const struct arm_type *of, const char *target,
		   const char *id)
{
	const char *inner = strchr(of->path, '/');

	arm_misfit(reading->errors, target,
		   "\"%.300s\" is not the id of one; give /subscriptions/SUBSCRIPTION/"
		   "resourceGroups/GROUP/providers/" ARM_PROVIDER "/%.*s/NAME%s%s",
		   id, (int)strcspn(of->path, "/"), of->path, inner ? inner : "",
		   inner ? "/NAME" : "");
}

static void fail_lacking(struct arm_reading *reading, const struct arm_member *member,
			 const char *path)
{
	char target[ARM_TARGET_MAX];

	arm_target(reading, path, target);
	if (member->form == ARM_LOCATION)
		arm_error(reading->errors, 400, "LocationRequired", target,
			  "the body has no location; give the name of a region");
	else
		arm_misfit(reading->errors, target, "is missing; it is required");
}

/* May the body lack a required member? GET's answer can be put back, even for a resource that /v1
 * or a file made without the member. */
static bool may_lack(const struct arm_reading *reading, const char *path)
{
	return reading->merges || (reading->shown && !arm_get(reading->shown, path));
}

/* The member of the body; NULL: it is missing, or a member around it has a wrong type, for which an
 * error was added. */
static json_t *get_checked(struct arm_reading *reading, const char *path)
{
	json_t *at = reading->body;
	const char *rest = path;
	struct arm_step step;

	while (arm_next_step(&rest, &step)) {
		char place[ARM_TARGET_MAX];
		size_t length = (size_t)(step.name - path) + step.length;

		at = json_own_membern(at, step.name, step.length);
		if (!at)
			return NULL;
		snprintf(place, sizeof place, "%.*s", (int)length, path);
		if (step.in_array && (!json_is_array(at) || json_array_size(at) > 1)) {
			misfit(reading, place, "an array of one object");
			return NULL;
		}
		if (step.in_array)
			at = json_array_get(at, 0);
		if (*rest != '\0' && at && !json_is_object(at)) {
			misfit(reading, place,
			       step.in_array ? "an array of one object" : "an object");
			return NULL;
		}
	}
	return json_is_null(at) ? NULL : at;
}

static bool has_word(const struct arm_member *member, const char *text)
{
	for (size_t i = 0; member->words[i]; i++)
		if (strcasecmp(member->words[i], text) == 0)
			return true;
	return false;
}

static json_t *read_word(struct arm_reading *reading, const struct field *field,
			 const struct arm_member *member, const char *path, const json_t *value)
{
	const char *text = json_string_value(value);
	char expected[ARM_TARGET_MAX] = "";

	for (size_t i = 0; text && has_word(member, text) && field->names[i]; i++)
		if (strcasecmp(field->names[i], text) == 0)
			return json_text(field->names[i]);
	for (size_t i = 0; member->words[i]; i++)
		text_append(expected, sizeof expected, "%s\"%s\"", i > 0 ? " or " : "",
			    member->words[i]);
	misfit(reading, path, expected);
	return NULL;
}

/* Turns "West Europe" into westeurope. */
static json_t *read_location(struct arm_reading *reading, const char *path, const json_t *value)
{
	const char *text = json_string_value(value);
	char location[ARM_TARGET_MAX];
	size_t used = 0;

	if (!text || !*text || strlen(text) >= sizeof location) {
		misfit(reading, path, "the name of a region: \"westeurope\"");
		return NULL;
	}
	for (; *text; text++)
		if (*text != ' ')
			location[used++] = (char)name_lower((uint8_t)*text);
	location[used] = '\0';
	return json_text(location);
}

static json_t *read_metadata(struct arm_reading *reading, const char *path, json_t *value)
{
	json_t *array = json_array(), *text;
	const char *key;

	json_object_foreach(value, key, text)
	{
		if (json_is_string(text) && !strchr(key, '=')) {
			json_add(array, json_sprintf("%s=%s", key, json_string_value(text)));
			continue;
		}
		misfit(reading, path, "an object of strings, without \"=\" in their names");
		break;
	}
	if (!json_is_object(value))
		misfit(reading, path, "an object of strings: {\"NAME\": \"VALUE\"}");
	return array;
}

/* Reads an id: the value of an ARM_ID_TEXT, or the object's member "id". */
static json_t *read_reference(struct arm_reading *reading, const struct arm_member *member,
			      const char *path, json_t *value)
{
	bool is_text = member->form == ARM_ID_TEXT;
	const char *id = json_string_value(is_text                 ? value
					   : json_is_object(value) ? arm_get(value, "id")
								   : NULL);
	char target[ARM_TARGET_MAX];

	if (!id) {
		misfit(reading, path,
		       is_text ? "an id: \"/subscriptions/...\""
			       : "an object with an id: {\"id\": \"/subscriptions/...\"}");
		return NULL;
	}
	snprintf(target, sizeof target, "%s%s%s", reading->place, path, is_text ? "" : ".id");
	return reading->reader->refer(reading, member, target, id);
}

static void misfit_references(struct arm_reading *reading, const char *path)
{
	/* An import has no limit: it raises those that its files need. */
	unsigned most = reading->limits ? reading->limits->outbound_endpoints_per_ruleset : 0;
	char expected[ARM_TARGET_MAX], objects[32] = "objects";

	if (most == 1)
		snprintf(objects, sizeof objects, "one object");
	else if (most == 2)
		snprintf(objects, sizeof objects, "one or two objects");
	else if (most > 2)
		snprintf(objects, sizeof objects, "one to %u objects", most);
	snprintf(expected, sizeof expected, "an array of %s with an id: [{\"id\": \"...\"}]",
		 objects);
	misfit(reading, path, expected);
}

static json_t *read_references(struct arm_reading *reading, const struct arm_member *member,
			       const char *path, json_t *value)
{
	json_t *array = json_array(), *item, *text;
	char place[ARM_TARGET_MAX];
	size_t i;

	if (!json_is_array(value) || (member->required && json_array_size(value) == 0))
		misfit_references(reading, path);
	json_array_foreach(value, i, item)
	{
		snprintf(place, sizeof place, "%s[%zu]", path, i);
		text = read_reference(reading, member, place, item);
		if (text)
			json_add(array, text);
	}
	return array;
}

static json_t *read_form(struct arm_reading *reading, const struct field *field,
			 const struct arm_member *member, const char *path, json_t *value);

/* Reads one object of an array; `path` is its place in the body. */
static json_t *read_object(struct arm_reading *reading, const struct group *fields,
			   const struct arm_member *member, const char *path, json_t *said)
{
	json_t *object = json_object();
	char place[ARM_TARGET_MAX];

	for (const struct arm_member *inner = member->inner; inner->path; inner++) {
		json_t *value = inner->key ? arm_get(said, inner->path) : NULL, *read;
		bool is_empty = json_is_string(value) && json_string_length(value) == 0;

		snprintf(place, sizeof place, "%s.%s", path, inner->path);
		if (inner->required && (!value || is_empty))
			fail_lacking(reading, inner, place);
		if (!value || is_empty)
			continue;
		read = read_form(reading, schema_field(fields, inner->key), inner, place, value);
		if (read)
			json_put(object, inner->key, read);
	}
	return object;
}

/* Are the members that Azure has equal in both objects? A missing one has its default. */
static bool is_same_object(const struct group *fields, const struct arm_member *member,
			   const json_t *left, const json_t *right)
{
	for (const struct arm_member *inner = member->inner; inner->path; inner++) {
		const struct field *field = inner->key ? schema_field(fields, inner->key) : NULL;
		json_t *a = field ? json_object_get(left, inner->key) : NULL,
		       *b = field ? json_object_get(right, inner->key) : NULL;

		if (!a && !b)
			continue;
		if (a && b ? json_equal(a, b) : values_is_fallback(field, a ? a : b))
			continue;
		return false;
	}
	return true;
}

/* The present objects, in arrays by the text of their first member (a name, or an address), because
 * a body may have very many. */
static json_t *objects_by_text(const struct arm_member *member, const json_t *before)
{
	json_t *by_text = json_object(), *now, *same;
	const char *text;
	size_t i;

	json_array_foreach((json_t *)(uintptr_t)before, i, now)
	{
		text = json_text_of(now, member->inner->key);
		same = json_object_get(by_text, text);
		if (!same) {
			same = json_array();
			json_put(by_text, text, same);
		}
		json_add(same, json_incref(now));
	}
	return by_text;
}

/* Reads an array of objects. An object that exists already keeps its members that Azure does not
 * have. */
static json_t *read_objects(struct arm_reading *reading, const struct field *field,
			    const struct arm_member *member, const char *path, json_t *value)
{
	json_t *array = json_array(), *said, *now;
	json_t *present = objects_by_text(member, json_object_get(reading->base, member->key));
	char place[ARM_TARGET_MAX];
	size_t i, k;

	if (!json_is_array(value))
		misfit(reading, path, "an array of objects");
	json_array_foreach(value, i, said)
	{
		json_t *read;

		snprintf(place, sizeof place, "%s[%zu]", path, i);
		if (!json_is_object(said)) {
			misfit(reading, place, "an object");
			continue;
		}
		read = read_object(reading, field->group, member, place, said);
		json_array_foreach(json_object_get(present, json_text_of(read, member->inner->key)),
				   k, now)
		{
			if (!is_same_object(field->group, member, read, now))
				continue;
			json_decref(read);
			read = json_incref(now);
			break;
		}
		json_add(array, read);
	}
	json_decref(present);
	return array;
}

/* NULL: the record is wrong, and an error was added; or there is no memory. */
static json_t *read_record(struct arm_reading *reading, const struct arm_member *member,
			   const char *path, json_t *value)
{
	const struct arm_member *datum;
	char place[ARM_TARGET_MAX];
	json_t *record;

	if (!json_is_object(value)) {
		misfit(reading, path, "an object");
		return NULL;
	}
	record = record_data_read(member->inner, value, &datum);
	if (record || !datum)
		return record;
	snprintf(place, sizeof place, "%s.%s", path, datum->path);
	misfit(reading, place, record_data_expected(datum));
	return NULL;
}

/* The record as Azure prints it. */
static json_t *print_record(const struct arm_reading *reading, const struct arm_member *member,
			    const json_t *record)
{
	return record_data_print(reading->type, member->inner, json_string_value(record),
				 reading->path->names[0]);
}

/* The printed record as a text to be freed; NULL: no memory. */
static char *printed_record(const struct arm_reading *reading, const struct arm_member *member,
			    const json_t *record)
{
	json_t *printed = print_record(reading, member, record);
	char *text = json_dumps(printed, JSON_COMPACT | JSON_SORT_KEYS | JSON_ENCODE_ANY);

	json_decref(printed);
	return text;
}

/* The present records, indexed by their printed form, because a body may have very many. Each form
 * has an array: texts whose bytes JSON cannot express are printed alike, though they differ. */
static json_t *present_records(const struct arm_reading *reading, const struct arm_member *member)
{
	json_t *present = json_object(), *now;
	size_t i;

	json_array_foreach(json_object_get(reading->base, member->key), i, now)
	{
		char *text = printed_record(reading, member, now);

		if (text && !json_object_get(present, text))
			json_put(present, text, json_array());
		if (text)
			json_add(json_object_get(present, text), json_incref(now));
		free(text);
	}
	return present;
}

/* Adds the record (NULL: it is wrong), in its present spelling if it exists already, and takes
 * ownership of it. A present record is used up: a second record printed alike gets the next one. */
static void add_record(const struct arm_reading *reading, const struct arm_member *member,
		       json_t *present, json_t *record, json_t *array)
{
	char *text = record ? printed_record(reading, member, record) : NULL;
	json_t *alike = text ? json_object_get(present, text) : NULL,
	       *now = json_array_get(alike, 0);

	free(text);
	if (now) {
		json_decref(record);
		record = json_incref(now);
		json_array_remove(alike, 0);
	}
	if (record)
		json_add(array, record);
}

static json_t *read_records(struct arm_reading *reading, const struct arm_member *member,
			    const char *path, json_t *value)
{
	json_t *array = json_array(), *present = present_records(reading, member);
	char place[ARM_TARGET_MAX];

	if (member->form == ARM_RECORD)
		add_record(reading, member, present, read_record(reading, member, path, value),
			   array);
	else if (!json_is_array(value))
		misfit(reading, path, "an array of objects");
	for (size_t i = 0; member->form == ARM_RECORDS && i < json_array_size(value); i++) {
		snprintf(place, sizeof place, "%s[%zu]", path, i);
		add_record(reading, member, present,
			   read_record(reading, member, place, json_array_get(value, i)), array);
	}
	json_decref(present);
	return array;
}

/* Takes the value as it is, except that a text may stand for a number: the model's checks find
 * faults. Only an empty object, or an empty array for a field that is no list, is refused here,
 * because those checks take it for a missing member. */
static json_t *read_plain(struct arm_reading *reading, const struct field *field, const char *path,
			  json_t *value)
{
	bool is_list = field->type == FIELD_STRINGS || field->type == FIELD_DOMAINS ||
		       field->type == FIELD_HOSTS || field->type == FIELD_PREFIXES;
	char expected[ARM_TARGET_MAX];

	if ((json_is_object(value) && json_object_size(value) == 0) ||
	    (json_is_array(value) && json_array_size(value) == 0 && !is_list)) {
		misfit(reading, path, schema_expected(field, expected, sizeof expected));
		return NULL;
	}
	return field->type == FIELD_UINT || field->type == FIELD_UINT64 ? arm_number(value)
									: json_incref(value);
}

/* Keeps the client's spelling of records, if they are printed differently. */
static void keep_written(struct arm_reading *reading, const struct arm_member *member,
			 json_t *value, const json_t *records)
{
	json_t *printed = json_array(), *written = json_array(), *item;
	bool is_one = member->form == ARM_RECORD;
	char *text;
	size_t i;

	json_array_foreach(records, i, item)
	{
		json_add(printed, print_record(reading, member, item));
		json_add(written, record_data_written(member->inner,
						      is_one ? value : json_array_get(value, i)));
	}
	json_object_del(reading->kept, member->path);
	if (!json_equal(written, printed)) {
		text = json_dumps(is_one ? json_array_get(written, 0) : written,
				  JSON_COMPACT | JSON_SORT_KEYS);
		json_put(reading->kept, member->path, json_text(text));
		free(text);
	}
	json_decref(printed);
	json_decref(written);
}

/* The value for a key; NULL: the member is wrong; an error was added. */
static json_t *read_form(struct arm_reading *reading, const struct field *field,
			 const struct arm_member *member, const char *path, json_t *value)
{
	switch (member->form) {
	case ARM_WORD: return read_word(reading, field, member, path, value);
	case ARM_LOCATION: return read_location(reading, path, value);
	case ARM_TAGS:
		if (!json_is_object(value))
			misfit(reading, path, "an object of strings: {\"NAME\": \"VALUE\"}");
		return json_incref(value);
	case ARM_METADATA: return read_metadata(reading, path, value);
	case ARM_ID:
	case ARM_ID_TEXT:
	case ARM_SUBNET: return read_reference(reading, member, path, value);
	case ARM_IDS: return read_references(reading, member, path, value);
	case ARM_OBJECTS: return read_objects(reading, field, member, path, value);
	case ARM_RECORD:
	case ARM_RECORDS: return read_records(reading, member, path, value);
	default: return read_plain(reading, field, path, value);
	}
}

/* ---- members ---- */

/* The member of the body. An empty text counts as missing, unless the member is required. */
static json_t *get_member(struct arm_reading *reading, const struct arm_member *member,
			  const char *path)
{
	json_t *value = get_checked(reading, path);
	bool is_empty = json_is_string(value) && json_string_length(value) == 0;

	return is_empty && !member->required ? NULL : value;
}

/* Does the body have the key under an alias of the member? */
static bool has_alias(struct arm_reading *reading, const struct arm_member *member)
{
	char path[ARM_TARGET_MAX];

	for (const struct arm_member *alias = reading->type->members; alias->path; alias++)
		if (alias->alias && strcmp(alias->key, member->key) == 0 &&
		    get_member(reading, alias, arm_member_path(alias, path)))
			return true;
	return false;
}

static void fail_fixed(struct arm_reading *reading, const struct arm_member *member,
		       const char *path)
{
	char target[ARM_TARGET_MAX], name[NAME_TEXT_MAX];

	arm_target(reading, path, target);
	arm_name(reading->path, name);
	if (reading->type->kind == KIND_GROUP)
		arm_error(reading->errors, 409, "InvalidResourceGroupLocation", target,
			  "Invalid resource group location '%s'. The Resource group already exists "
			  "in location '%s'.",
			  json_text_of(reading->body, "location"),
			  json_string_value(arm_get(reading->shown, "location")));
	else if (member->form == ARM_LOCATION)
		arm_error(reading->errors, 409, "InvalidResourceLocation", target,
			  "The resource '%s' already exists in location '%s'. A resource with the "
			  "same name cannot be created in another location; delete it first.",
			  name, json_string_value(arm_get(reading->shown, "location")));
	else
		arm_error(reading->errors, 409, "Conflict", target,
			  "%s: it cannot change; delete %s and create it again", target, name);
}

/* Does the key have that value already, perhaps in another spelling? */
static bool is_value(const struct arm_reading *reading, const struct arm_member *member,
		     const json_t *value)
{
	const json_t *now = json_object_get(reading->base, member->key);
	const char *text = json_string_value(value), *own = json_string_value(now);

	if (member->form == ARM_LOCATION && reading->shown)
		own = json_string_value(arm_get(reading->shown, "location"));
	if (!text || !own)
		return json_equal(value, now);
	if (schema_field(fields_of(reading->type), member->key)->type == FIELD_DOMAIN)
		return record_data_is_same_name(text, own);
	return (member->fixed ? strcasecmp(text, own) : strcmp(text, own)) == 0;
}

/* Azure requires the final dot in a rule's domain. It is required here as well, so that templates
 * written for sluice work in Azure. */
static bool lacks_dot(const struct field *field, const json_t *value)
{
	const char *text = json_string_value(value);

	return text && field->dot == DOT_FINAL && strcmp(text, ".") != 0 &&
	       text[name_text_length(text)] == '\0';
}

static void take_value(struct arm_reading *reading, const struct arm_member *member,
		       const char *path, json_t *value)
{
	const struct kind *kind = kind_of_id(reading->type->kind);
	const struct field *field = schema_field(fields_of(reading->type), member->key);
	json_t *read = read_form(reading, field, member, path, value);
	bool was_there = json_object_get(reading->base, member->key);

	if (!read)
		return;
	if (lacks_dot(field, read) && !is_value(reading, member, read)) {
		arm_misfit(reading->errors, path, "\"%s\" does not end with a dot; write \"%s.\"",
			   json_string_value(read), json_string_value(read));
		json_decref(read);
		return;
	}
	if (member->form == ARM_RECORD || member->form == ARM_RECORDS)
		keep_written(reading, member, value, read);
	if (!is_value(reading, member, read) &&
	    (was_there || member->required || !values_is_default(kind, member->key, read))) {
		if (!member->fixed || !reading->shown) {
			json_put(reading->values, member->key, read);
			return;
		}
		fail_fixed(reading, member, path);
	}
	json_decref(read);
}

static void read_member(struct arm_reading *reading, const struct arm_member *member)
{
	char path[ARM_TARGET_MAX];
	json_t *value, *now;

	value = get_member(reading, member, arm_member_path(member, path));
	now = reading->shown ? arm_get(reading->shown, path) : NULL;
	if (value && now && !member->alias && json_equal(value, now))
		return; /* what GET shows changes nothing */
	if (value) {
		take_value(reading, member, path, value);
		return;
	}
	if (reading->merges || member->alias || has_alias(reading, member))
		return;
	value = json_object_get(reading->values, member->key);
	json_object_del(reading->kept, member->path); /* the spelling of its records */
	if (member->required && !may_lack(reading, path))
		fail_lacking(reading, member, path);
	else if (!member->required && value &&
		 !values_is_default(kind_of_id(reading->type->kind), member->key, value))
		json_object_del(reading->values, member->key);
}

static void read_global(struct arm_reading *reading)
{
	const json_t *value = get_checked(reading, "location");
	const char *text = json_string_value(value);
	char target[ARM_TARGET_MAX];

	if (value ? text && strcasecmp(text, "global") == 0 : reading->merges || reading->shown)
		return;
	arm_target(reading, "location", target);
	if (!value)
		arm_error(reading->errors, 400, "LocationRequired", target,
			  "the body has no location; give \"global\"");
	else
		arm_error(reading->errors, 400, "LocationNotAvailableForResourceType", target,
			  "The provided location '%s' is not available for resource type "
			  "'" ARM_PROVIDER "/%s'. List of available regions for the resource type "
			  "is 'global'.",
			  text ? text : "", reading->type->path);
}

/* Keeps the member as JSON, by its path. */
static void read_kept(struct arm_reading *reading, const struct arm_member *member)
{
	char path[ARM_TARGET_MAX], *text;
	json_t *usual = arm_json_of(member->fallback);
	json_t *given = arm_get(reading->body, arm_member_path(member, path));
	json_t *value, *read = json_is_integer(usual) ? arm_number(given) : json_incref(given);

	value = read;
	if (member->beside && !json_object_get(reading->values, member->beside))
		value = NULL;
	if (value && json_equal(value, reading->shown ? arm_get(reading->shown, path) : NULL)) {
		json_decref(usual);
		json_decref(read);
		return; /* what GET shows changes nothing */
	}
	if (member->required && !value && !may_lack(reading, path))
		fail_lacking(reading, member, path);
	if (value && !json_equal(value, usual)) {
		text = json_dumps(value, JSON_COMPACT | JSON_ENCODE_ANY | JSON_SORT_KEYS);
		json_put(reading->kept, member->path, json_text(text));
		free(text);
	} else if (value || !reading->merges) {
		json_object_del(reading->kept, member->path);
	}
	json_decref(usual);
	json_decref(read);
}

/* Reads the child resources in this member, if the body has it. */
static void read_children(struct arm_reading *reading, const struct arm_member *member)
{
	char path[ARM_TARGET_MAX];
	json_t *array = get_checked(reading, arm_member_path(member, path));

	if (array && !json_is_array(array))
		misfit(reading, path, "an array of resources");
	else if (array)
		reading->reader->read_children(reading, member, path, array);
}

void arm_read_body(struct arm_reading *reading)
{
	reading->values = reading->base ? json_deep_copy(reading->base) : json_object();
	(void)get_checked(reading, "properties.provisioningState"); /* checks `properties` */
	reading->kept = json_deep_copy(json_object_get(reading->values, "azure"));
	if (!reading->kept)
		reading->kept = json_object();
	for (const struct arm_member *member = reading->type->members; member->path; member++)
		switch (member->form) {
		case ARM_SHOWN: break;
		case ARM_GLOBAL: read_global(reading); break;
		case ARM_KEPT: read_kept(reading, member); break;
		case ARM_CHILDREN: read_children(reading, member); break;
		default: read_member(reading, member);
		}
	if (json_object_size(reading->kept) > 0)
		json_put(reading->values, "azure", json_incref(reading->kept));
	else if (json_object_size(json_object_get(reading->values, "azure")) > 0)
		json_object_del(reading->values, "azure");
	json_decref(reading->kept);
}

/* ---- faults ---- */

char *arm_target_of_key(const struct arm_type *type, const char *key, char text[ARM_TARGET_MAX])
{
	size_t length = strcspn(key, "[.");
	char path[ARM_TARGET_MAX];

	for (const struct arm_member *member = type->members; member->path; member++) {
		const char *rest = key + length, *close = strrchr(rest, ']'),
			   *dot = strchr(close ? close : rest, '.');

		if (!member->key || member->alias || strncmp(member->key, key, length) != 0 ||
		    member->key[length] != '\0')
			continue;
		arm_member_path(member, path);
		for (const struct arm_member *inner = member->inner;
		     dot && member->form == ARM_OBJECTS && inner->path; inner++) {
			if (!inner->key || strcmp(inner->key, dot + 1) != 0)
				continue;
			snprintf(text, ARM_TARGET_MAX, "%s%.*s.%s", path, (int)(dot - rest), rest,
				 inner->path);
			return text;
		}
		snprintf(text, ARM_TARGET_MAX, "%s%s", path, rest);
		return text;
	}
	snprintf(text, ARM_TARGET_MAX, "%s", strcmp(key, "name") == 0 ? key : "");
	return text;
}
