/* Checks tags of all items. The field table says which items have them, so a new kind with tags
 * needs no change here. Metadata are tags in another form: an array of "NAME=VALUE". */
#include "rules/check/tags.h"

#include <stdlib.h>
#include <strings.h>

#include "rules/check/internal.h"

enum { METADATA_MAX = 50, NAMES_FEW = 50 };

/* Orders by name, and equal names by their place. */
static int compare_names(const void *left, const void *right)
{
	const struct tag *a = *(const struct tag *const *)left;
	const struct tag *b = *(const struct tag *const *)right;
	int order = strcasecmp(a->name, b->name);

	return order ? order : a < b ? -1 : a > b;
}

/* Sorts the tags by name, in `few` if they fit. NULL without memory. */
static const struct tag **sort_names(const struct schema_list *list, const struct tag **few)
{
	const struct tag *tags = list->items;
	const struct tag **sorted =
		list->count <= NAMES_FEW ? few : reallocarray(NULL, list->count, sizeof *sorted);

	for (size_t i = 0; sorted && i < list->count; i++)
		sorted[i] = &tags[i];
	if (sorted)
		qsort(sorted, list->count, sizeof *sorted, compare_names);
	return sorted;
}

/* *name: a name that occurs twice, in its second spelling, or NULL. ERR_NOMEM. */
static int find_twice(const struct schema_list *list, const char **name)
{
	const struct tag *few[NAMES_FEW], **sorted = sort_names(list, few);

	*name = NULL;
	for (size_t i = 1; sorted && !*name && i < list->count; i++)
		if (strcasecmp(sorted[i - 1]->name, sorted[i]->name) == 0)
			*name = sorted[i]->name;
	if (sorted != few)
		free(sorted);
	return sorted ? 0 : ERR_NOMEM;
}

static const char *name_refusal(const struct schema_list *list, char text[TAGS_TEXT_MAX])
{
	const struct tag *tags = list->items;
	const char *name;

	for (size_t i = 0; i < list->count; i++)
		if (tags[i].name[0] == '\0')
			return "a name is empty; give each value a name";
	if (find_twice(list, &name) != 0)
		return err_text(ERR_NOMEM);
	if (!name)
		return NULL;
	snprintf(text, TAGS_TEXT_MAX, "\"%.160s\" occurs twice; give each name once", name);
	return text;
}

const char *tags_refusal(const struct field *field, const void *item, char text[TAGS_TEXT_MAX])
{
	const struct schema_list list = schema_list_get(field, item);
	const struct tag *tags = list.items;
	size_t bytes = 0;

	if (field->count_max > 0 && list.count > field->count_max) {
		snprintf(text, TAGS_TEXT_MAX, "there are %zu; give at most %zu", list.count,
			 field->count_max);
		return text;
	}
	for (size_t i = 0; i < list.count; i++)
		bytes += strlen(tags[i].name) + strlen(tags[i].value);
	if (bytes > field->max) {
		snprintf(text, TAGS_TEXT_MAX,
			 "names and values have %zu bytes together; give at most %zu", bytes,
			 (size_t)field->max);
		return text;
	}
	return list.count > 0 ? name_refusal(&list, text) : NULL;
}

/* ---- the tags of a model ---- */

static bool has_tags(const struct group *group)
{
	for (size_t i = 0; i < group->count; i++) {
		const struct field *field = &group->fields[i];

		if (field->type == FIELD_TAGS || (field->group && has_tags(field->group)))
			return true;
	}
	return false;
}

static void check_group_tags(struct check *check, const struct group *group, const void *item);

static void check_list_tags(struct check *check, const struct field *field, const void *item)
{
	struct schema_list list = schema_list_get(field, item);

	if (!has_tags(field->group))
		return;
	for (size_t i = 0; i < list.count; i++)
		check_group_tags(check, field->group,
				 (const char *)list.items + i * field->group->size);
}

static void check_group_tags(struct check *check, const struct group *group, const void *item)
{
	char text[TAGS_TEXT_MAX];

	for (size_t i = 0; i < group->count; i++) {
		const struct field *field = &group->fields[i];
		const char *refusal =
			field->type == FIELD_TAGS ? tags_refusal(field, item, text) : NULL;

		if (refusal)
			ERROR(check, item, field->key, "%s", refusal);
		if (field->type == FIELD_LIST)
			check_list_tags(check, field, item);
		else if (field->type == FIELD_GROUP)
			check_group_tags(check, field->group, (const char *)item + field->offset);
	}
}

void limits_check_tags(struct check *check)
{
	check_group_tags(check, &schema_model, check->model);
}

/* ---- metadata ---- */

/* Whether one of the first `before` items has the text's name, without regard to ASCII case. The
 * name is the text's first `length` bytes, before the '='. */
static bool is_named_before(const char *const *metadata, size_t before, const char *text,
			    size_t length)
{
	for (size_t i = 0; i < before; i++)
		if (metadata[i] && strncasecmp(metadata[i], text, length + 1) == 0)
			return true;
	return false;
}

void check_metadata(struct check *check, const char *const *metadata, size_t count,
		    const struct origin *origin, const char *field)
{
	if (count > METADATA_MAX)
		ERROR(check, origin, field, "there are %zu; give at most %d", count, METADATA_MAX);
	for (size_t i = 0; i < count && i < METADATA_MAX; i++) {
		if (!metadata[i]) /* it has a fault already */
			continue;
		size_t length = strcspn(metadata[i], "=");

		if (length == 0 || !metadata[i][length])
			ERROR(check, origin, field, "\"%s\" does not fit; give \"NAME=VALUE\"",
			      metadata[i]);
		else if (is_named_before(metadata, i, metadata[i], length))
			ERROR(check, origin, field, "\"%.*s\" occurs twice; give each name once",
			      (int)length, metadata[i]);
	}
}
