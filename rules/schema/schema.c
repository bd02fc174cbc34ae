/* Searches the field table: finds a key's field, describes the values that it takes, suggests keys
 * for typing errors, and reads lists. The rows are in schema/table.c, values in schema/value.c. */
#include "rules/schema/schema.h"

#include <assert.h>
#include <ctype.h>
#include <inttypes.h>

#include "rules/text.h"

const struct field *schema_field(const struct group *group, const char *key)
{
	for (size_t i = 0; i < group->count; i++)
		if (strcmp(group->fields[i].key, key) == 0)
			return &group->fields[i];
	return NULL;
}

/* LIST_OF has a pointer and a count, for any type of pointer. */

struct schema_list schema_list_get(const struct field *field, const void *item)
{
	struct schema_list list;
	const char *at = (const char *)item + field->offset;

	memcpy(&list.items, at, sizeof list.items);
	memcpy(&list.count, at + sizeof list.items, sizeof list.count);
	return list;
}

void schema_list_set(const struct field *field, void *item, struct schema_list list)
{
	char *at = (char *)item + field->offset;

	memcpy(at, &list.items, sizeof list.items);
	memcpy(at + sizeof list.items, &list.count, sizeof list.count);
}

size_t schema_count(const struct group *group, const void *item)
{
	size_t count = 0;

	for (size_t i = 0; i < group->count; i++) {
		const struct field *field = &group->fields[i];
		struct schema_list list;

		if (field->type == FIELD_GROUP)
			count += schema_count(field->group, (const char *)item + field->offset);
		if (field->type != FIELD_LIST)
			continue;
		list = schema_list_get(field, item);
		count += list.count;
		for (size_t k = 0; k < list.count; k++)
			count += schema_count(field->group,
					      (const char *)list.items + k * field->group->size);
	}
	return count;
}

struct field schema_element(const struct field *field, const char *key, size_t *size)
{
	struct field element = {.key = key, .refers = field->refers, .doc = ""};

	switch (field->type) {
	case FIELD_STRINGS:
		element.type = FIELD_STRING;
		*size = sizeof(char *);
		break;
	case FIELD_DOMAINS:
		element.type = FIELD_DOMAIN;
		*size = sizeof(char *);
		break;
	case FIELD_HOSTS:
		element.type = FIELD_HOST;
		*size = sizeof(struct host);
		break;
	case FIELD_PREFIXES:
		element.type = FIELD_PREFIX;
		*size = sizeof(struct prefix);
		break;
	default: assert(!"a field that has no elements"); *size = 0;
	}
	return element;
}

/* Describes the values of an enum. */

static const char *expected_enum(const struct field *field, char *text, size_t size)
{
	text[0] = '\0';
	for (size_t i = 0; field->names[i]; i++) {
		const char *between = i == 0 ? "" : field->names[i + 1] ? ", " : " or ";

		text_append(text, size, "%s\"%s\"", between, field->names[i]);
	}
	return text;
}

static const char *const expected_texts[] = {
	[FIELD_STRING] = "a string",
	[FIELD_NAME] = "a name of 1 to 80 letters, digits, '_' and '-', with a letter or digit at "
		       "both ends",
	[FIELD_NAME_DOTS] = "a name of 1 to 80 letters, digits, '_', '-' and '.', that begins with "
			    "a letter or digit and does not end in '-' or '.'",
	[FIELD_PATH] = "a file's path",
	[FIELD_UUID] = "a UUID such as \"6f8b4ce6-1111-4d2e-9c55-0242ac120002\"",
	[FIELD_BOOL] = "true or false",
	[FIELD_ADDRESS] = "an address such as \"192.0.2.1\" or \"2001:db8::1\"",
	[FIELD_PREFIX] = "a prefix such as \"10.10.0.0/16\"",
	[FIELD_HOST] = "an address such as \"192.0.2.1\", \"192.0.2.1:53\" or \"[2001:db8::1]:53\"",
	[FIELD_STRINGS] = "an array of strings: [ \"...\", \"...\" ]",
	[FIELD_DOMAINS] = "an array of domain names: [ \"corp.example\", \"test\" ]",
	[FIELD_HOSTS] = "an array of addresses: [ \"192.0.2.1\", \"192.0.2.1:53\" ]",
	[FIELD_PREFIXES] = "an array of prefixes: [ \"10.10.0.0/16\" ]",
	[FIELD_TAGS] = "an array of tags: [ \"NAME=VALUE\", \"NAME=VALUE\" ]",
	[FIELD_GROUP] = "a group: { ... }",
	[FIELD_GONE] = "anything",
};

/* Describes a list of groups with their required members. */
static const char *expected_list(const struct field *field, char *text, size_t size)
{
	snprintf(text, size, "a list of groups: ( {");
	for (size_t i = 0; field->group && i < field->group->count; i++)
		if (field->group->fields[i].required)
			text_append(text, size, " %s = ...;", field->group->fields[i].key);
	text_append(text, size, "%s }, { ... } )", strchr(text, ';') ? "" : " ...");
	return text;
}

const char *schema_expected(const struct field *field, char *text, size_t size)
{
	switch (field->type) {
	case FIELD_UINT:
	case FIELD_UINT64:
		snprintf(text, size, "an integer from %" PRIu64 " to %" PRIu64, field->min,
			 field->max);
		return text;
	case FIELD_ENUM: return expected_enum(field, text, size);
	case FIELD_LIST: return expected_list(field, text, size);
	case FIELD_DOMAIN:
		snprintf(text, size,
			 "a domain name such as \"%s\", of at most 255 bytes, 63 in each label",
			 field->example ? field->example : "corp.example");
		return text;
	case FIELD_STRING:
		if (field->max != 0) {
			snprintf(text, size, "a string of %" PRIu64 " to %" PRIu64 " characters",
				 field->min, field->max);
			return text;
		}
		/* fall through */
	default: snprintf(text, size, "%s", expected_texts[field->type]); return text;
	}
}

const struct field *schema_suggest(const struct group *group, const char *key)
{
	const struct field *nearest = NULL;
	unsigned best = text_typos_max(key);

	for (size_t i = 0; i < group->count; i++) {
		unsigned distance = text_distance(group->fields[i].key, key);
		if (distance < best || (distance == best && !nearest)) {
			best = distance;
			nearest = &group->fields[i];
		}
	}
	return nearest;
}
