#include "resolver/control/api/v1/filter.h"

#include <assert.h>
#include <string.h>
#include <strings.h>

#include "resolver/control/resource/part.h"
#include "rules/schema/schema.h"
#include "rules/text.h"

enum { KNOWN_MAX = 128, PAGING = 3 };

static bool is_scalar(const struct field *field)
{
	if (field->secret)
		return false;
	switch (field->type) {
	case FIELD_STRINGS:
	case FIELD_DOMAINS:
	case FIELD_HOSTS:
	case FIELD_PREFIXES:
	case FIELD_TAGS:
	case FIELD_LIST:
	case FIELD_GROUP:
	case FIELD_GONE: return false;
	default: return true;
	}
}

static bool can_be_asked(const struct kind *kind, const struct field *field)
{
	return is_scalar(field) && kind_has(kind, field);
}

bool filter_check(struct api_request *request, const struct filter *filter)
{
	const char *known[KNOWN_MAX] = {"limit", "marker", "q"}, *other;
	char members[API_TEXT_MAX] = "";
	size_t count = PAGING;

	for (size_t k = 0; filter->kinds[k]; k++) {
		const struct group *group = kind_field(filter->kinds[k])->group;

		for (size_t i = 0; i < group->count; i++)
			if (can_be_asked(filter->kinds[k], &group->fields[i]) &&
			    !text_is_among(group->fields[i].key, known))
				known[count++] = group->fields[i].key;
	}
	for (size_t i = 0; filter->shown && filter->shown[i].key; i++)
		known[count++] = filter->shown[i].key;
	assert(count < KNOWN_MAX);
	other = api_query_other(request, known);
	for (size_t i = PAGING; other && i < count; i++)
		text_append(members, sizeof members, "%s%s", i > PAGING ? ", " : "", known[i]);
	if (other)
		api_fail_at(request, 400, "invalid", other,
			    "lists take no \"%.64s\"; they take limit, marker, q, and the members: "
			    "%s",
			    other, members);
	return !other;
}

static bool is_domain(const char *text, const char *wanted)
{
	size_t length = name_text_length(wanted);

	return length > 0 && length == name_text_length(text) &&
	       strncasecmp(text, wanted, length) == 0;
}

static bool is_value(const char *text, const char *wanted, bool of_domain)
{
	if (strcasecmp(text ? text : "", wanted) == 0)
		return true;
	return text && of_domain && is_domain(text, wanted);
}

/* Does the text end with "/WANTED"? A reference is stored with its group, and shown without it
 * inside the same group. */
static bool is_short_form(const char *text, const char *wanted)
{
	size_t length = strlen(text), tail = strlen(wanted);

	return tail > 0 && length > tail && text[length - tail - 1] == '/' &&
	       strcasecmp(text + length - tail, wanted) == 0;
}

/* The wanted value as the item's field has it. Paths write "-" for no group, where the field is
 * empty. A PTR shows its id as REGION:ID, where the field has the ID alone. */
static const char *plain_value(const struct field *field, const char *wanted)
{
	const char *colon = strrchr(wanted, ':');

	if (strcmp(field->key, "resource_group") == 0 && strcmp(wanted, GROUP_NONE) == 0)
		return "";
	return field->type == FIELD_UUID && colon ? colon + 1 : wanted;
}

static bool has_value(const struct field *field, const void *item, const char *wanted)
{
	char buffer[128], printed[ADDRESS_TEXT_MAX];
	struct address address;
	const char *text;

	wanted = plain_value(field, wanted);
	if (field->type == FIELD_ADDRESS && address_parse(&address, wanted) == 0)
		wanted = address_print(&address, printed);
	text = schema_get_text(field, item, buffer, sizeof buffer);
	return is_value(text, wanted, field->type == FIELD_DOMAIN) ||
	       (text && field->refers && is_short_form(text, wanted));
}

static bool has_part(const struct filter *filter, const struct kind *kind, const void *item,
		     const char *const *shown, const char *part)
{
	char buffer[128];
	const char *name = part_name(kind, item);
	bool found = name && strcasestr(name, part);

	if (!filter->searched)
		return found;
	for (size_t i = 0; !found && filter->searched[i]; i++) {
		const struct field *field =
			schema_field(kind_field(kind)->group, filter->searched[i]);
		const char *text =
			field ? schema_get_text(field, item, buffer, sizeof buffer) : NULL;

		found = text && strcasestr(text, part);
	}
	for (size_t i = 0; !found && filter->shown && filter->shown[i].key; i++)
		found = shown[i] && text_is_among(filter->shown[i].key, filter->searched) &&
			strcasestr(shown[i], part);
	return found;
}

/* Does the item have the members of the query? A member that only other kinds of the list have
 * counts as empty. */
static bool has_members(const struct api_request *request, const struct filter *filter,
			const struct kind *kind, const void *item)
{
	const struct group *own = kind_field(kind)->group;

	for (size_t k = 0; filter->kinds[k]; k++) {
		const struct group *group = kind_field(filter->kinds[k])->group;

		for (size_t i = 0; i < group->count; i++) {
			const struct field *field = schema_field(own, group->fields[i].key);
			const char *wanted = can_be_asked(filter->kinds[k], &group->fields[i])
						     ? api_query(request, group->fields[i].key)
						     : NULL;

			if (wanted && !(field ? has_value(field, item, wanted)
					      : !*plain_value(&group->fields[i], wanted)))
				return false;
		}
	}
	return true;
}

bool filter_takes(const struct api_request *request, const struct filter *filter,
		  const struct kind *kind, const void *item, const char *const *shown)
{
	const char *part = api_query(request, "q");

	if (part && !has_part(filter, kind, item, shown, part))
		return false;
	if (!has_members(request, filter, kind, item))
		return false;
	for (size_t i = 0; filter->shown && filter->shown[i].key; i++) {
		const char *wanted = api_query(request, filter->shown[i].key);

		if (wanted && !is_value(shown[i], wanted, filter->shown[i].is_domain))
			return false;
	}
	return true;
}
