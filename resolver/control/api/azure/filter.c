#include "resolver/control/api/azure/page.h"

#include <ctype.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "resolver/control/base/json.h"
#include "rules/text.h"

static bool take_word(const char **at, char *word, size_t size)
{
	size_t length;

	*at += strspn(*at, " ");
	for (length = 0; isalpha((unsigned char)(*at)[length]); length++)
		;
	if (length == 0 || length >= size)
		return false;
	snprintf(word, size, "%.*s", (int)length, *at);
	*at += length;
	return true;
}

/* Reads a quoted text: 'it''s' is it's. */
static bool take_text(const char **at, char *text, size_t size)
{
	size_t used = 0;

	*at += strspn(*at, " ");
	if (*(*at)++ != '\'')
		return false;
	for (; **at && used + 1 < size; (*at)++) {
		if (**at == '\'' && (*at)[1] != '\'') {
			text[used] = '\0';
			(*at)++;
			return true;
		}
		*at += **at == '\'';
		text[used++] = **at;
	}
	return false;
}

static bool is_name(const struct arm_clause *clause, const char *name)
{
	return strcasecmp(clause->name, name) == 0;
}

static bool take_clause(const char **at, struct arm_clause *clause, const char *const *names)
{
	char word[8];

	if (!take_word(at, clause->name, sizeof clause->name))
		return false;
	text_lower(clause->name);
	while (*names && !is_name(clause, *names))
		names++;
	if (!*names || !take_word(at, word, sizeof word))
		return false;
	clause->is_not = strcasecmp(word, "ne") == 0;
	return (clause->is_not || strcasecmp(word, "eq") == 0) &&
	       take_text(at, clause->value, sizeof clause->value);
}

bool arm_filter_read(struct arm_filter *filter, const char *text, const char *const *names)
{
	struct arm_clause *clause = filter->clauses;
	char word[8];

	for (filter->count = 0; filter->count < ARM_CLAUSES_MAX; clause++) {
		if (!take_clause(&text, clause, names))
			return false;
		filter->count++;
		text += strspn(text, " ");
		if (*text == '\0')
			return true;
		if (!take_word(&text, word, sizeof word) || strcasecmp(word, "and") != 0)
			return false;
	}
	return false;
}

/* name or value NULL: any */
static bool has_tag(json_t *tags, const char *name, const char *value)
{
	const char *key;
	json_t *own;

	json_object_foreach(tags, key, own)
	{
		bool is_named = !name || strcasecmp(key, name) == 0;

		if (is_named && (!value || strcmp(json_string_value(own), value) == 0))
			return true;
	}
	return false;
}

static bool fits(const struct arm_filter *filter, const struct arm_clause *clause, json_t *resource,
		 const char *group)
{
	json_t *tags = json_object_get(resource, "tags");
	const char *tag = NULL;

	if (is_name(clause, "resourceType"))
		return strcasecmp(json_text_of(resource, "type"), clause->value) == 0;
	if (is_name(clause, "provisioningState"))
		return strcasecmp(json_text_of(json_object_get(resource, "properties"),
					       "provisioningState"),
				  clause->value) == 0;
	if (is_name(clause, "resourceGroup"))
		return strcasecmp(group, clause->value) == 0;
	if (is_name(clause, "name") || is_name(clause, "location"))
		return strcasecmp(json_text_of(resource, clause->name), clause->value) == 0;
	if (is_name(clause, "tagName"))
		return has_tag(tags, clause->value, NULL);
	for (size_t i = 0; i < filter->count; i++)
		if (is_name(&filter->clauses[i], "tagName"))
			tag = filter->clauses[i].value;
	return has_tag(tags, tag, clause->value);
}

bool arm_filter_takes(const struct arm_filter *filter, json_t *resource, const char *group)
{
	for (size_t i = 0; i < filter->count; i++)
		if (fits(filter, &filter->clauses[i], resource, group) == filter->clauses[i].is_not)
			return false;
	return true;
}
