#include "rules/schema/read.h"

#include <assert.h>
#include <inttypes.h>

#include "rules/schema/reference.h"
#include "rules/text.h"

/* Every item's struct begins with its origin. */
static void set_origin(void *item, const struct origin *origin)
{
	memcpy(item, origin, sizeof *origin);
}

static struct origin origin_of(const struct schema_reader *reader, const void *value,
			       const char *path)
{
	struct origin origin = {.revision = reader->revision};

	if (reader->origin)
		origin = reader->origin(reader->context, value);
	origin.path = path;
	return origin;
}

static void out_of_memory(struct schema_reader *reader, const struct origin *origin,
			  const char *key)
{
	fault_add(reader->faults, FAULT_ERROR, origin, key, "%s", err_text(ERR_NOMEM));
}

static const char *expected(const struct schema_reader *reader, const struct field *field,
			    char *text, size_t size)
{
	const char *own = reader->syntax->expected ? reader->syntax->expected[field->type] : NULL;

	return own ? own : schema_expected(field, text, size);
}

static void wrong_kind(struct schema_reader *reader, const struct field *field, const void *value,
		       const struct origin *origin)
{
	bool quoted = reader->syntax->kind(value) == VALUE_STRING &&
		      (field->type == FIELD_UINT || field->type == FIELD_UINT64 ||
		       field->type == FIELD_BOOL);
	char text[256];

	fault_add(reader->faults, FAULT_ERROR, origin, field->key, "is %s; give %s%s",
		  reader->syntax->kind_text(value), expected(reader, field, text, sizeof text),
		  quoted ? ", without quotes" : "");
}

/* ---- scalars ---- */

static void rebase_path(struct schema_reader *reader, const struct field *field, void *item,
			const struct origin *origin)
{
	char *at = (char *)item + field->offset;
	const char *path;

	memcpy(&path, at, sizeof path);
	path = reader->path(reader->context, path, origin);
	memcpy(at, &path, sizeof path);
	if (!path)
		out_of_memory(reader, origin, field->key);
	else if (field->max > 0 && strlen(path) > field->max)
		fault_add(reader->faults, FAULT_ERROR, origin, field->key,
			  "is \"%s\" with the file's folder; give a path of at most %" PRIu64
			  " bytes",
			  path, field->max);
}

static void note_origin(struct schema_reader *reader, const struct field *field, void *item,
			const struct origin *origin)
{
	struct origin own = *origin;

	own.path =
		own.path ? arena_printf(reader->arena, "%s.%s", own.path, field->key) : field->key;
	memcpy((char *)item + field->origin_offset, &own, sizeof own);
}

static void read_scalar(struct schema_reader *reader, const struct field *field, const void *value,
			void *item, const struct origin *origin)
{
	const struct value_syntax *syntax = reader->syntax;
	bool number = field->type == FIELD_UINT || field->type == FIELD_UINT64;
	enum value_kind kind = syntax->kind(value);
	int err;

	if (field->origin_offset != 0)
		note_origin(reader, field, item, origin);
	if (kind == VALUE_INTEGER ? number : kind == VALUE_BOOL && field->type == FIELD_BOOL) {
		err = schema_set_number(field, item, syntax->integer(value), origin,
					reader->faults);
	} else if (kind == VALUE_STRING && !number && field->type != FIELD_BOOL) {
		err = reader->is_stored ? schema_set_stored_text(field, item, syntax->string(value),
								 reader->arena)
					: ERR_INVALID;
		if (err)
			err = schema_set_text(field, item, syntax->string(value), origin,
					      reader->arena, reader->faults);
	} else {
		wrong_kind(reader, field, value, origin);
		return;
	}
	if (!err && field->type == FIELD_PATH && reader->path &&
	    !(field->url && text_url_scheme(syntax->string(value))))
		rebase_path(reader, field, item, origin);
}

/* ---- arrays and lists ---- */

struct items { /* a list or array being read */
	struct schema_reader *reader;
	const struct field *field; /* of the list or array */
	const char *path;          /* of the item with the list; NULL: the whole model */
	char *values;
	size_t size, index;
};

static void on_element(void *context, const char *no_key, const void *value)
{
	struct items *items = context;
	struct field element = schema_element(items->field, NULL, &items->size);
	struct origin origin = origin_of(items->reader, value, items->path);
	char key[128];

	(void)no_key;
	snprintf(key, sizeof key, "%s[%zu]", items->field->key, items->index);
	element.key = key;
	read_scalar(items->reader, &element, value, items->values + items->index++ * items->size,
		    &origin);
}

struct called { /* the name in a group; NULL: none */
	const void *name, *id, *resource_group;
};

static void find_name(void *context, const char *key, const void *value)
{
	struct called *called = context;

	if (strcmp(key, "name") == 0)
		called->name = value;
	else if (strcmp(key, "id") == 0)
		called->id = value;
	else if (strcmp(key, "resource_group") == 0)
		called->resource_group = value;
}

/* The value as a usable text; NULL: it is none. */
static const char *text_of(const struct value_syntax *syntax, const void *value)
{
	const char *text =
		value && syntax->kind(value) == VALUE_STRING ? syntax->string(value) : NULL;

	return text && *text != '\0' ? text : NULL;
}

/* "rulesets[onprem].rules[contoso]", "rulesets[dev/onprem]": by its full name if it has a usable
 * one, else by its index. */
static const char *item_path(const struct items *items, const void *value)
{
	const struct value_syntax *syntax = items->reader->syntax;
	const char *dot = items->path ? "." : "", *parent = items->path ? items->path : "";
	const char *key = items->field->key, *name, *group;
	struct arena *arena = items->reader->arena;
	struct called called = {NULL, NULL, NULL};

	if (syntax->kind(value) == VALUE_GROUP)
		syntax->each(value, find_name, &called);
	name = text_of(syntax, called.name ? called.name : called.id);
	group = items->field->group->named ? text_of(syntax, called.resource_group) : NULL;
	if (name)
		return arena_printf(arena, "%s%s%s[%s%s%s]", parent, dot, key, group ? group : "",
				    group ? "/" : "", name);
	return arena_printf(arena, "%s%s%s[%zu]", parent, dot, key, items->index);
}

static void on_group(void *context, const char *no_key, const void *value)
{
	struct items *items = context;
	struct schema_reader *reader = items->reader;
	static const struct field any_group = {.type = FIELD_GROUP};
	const struct group *group = items->field->group;
	struct origin origin = origin_of(reader, value, item_path(items, value));
	char *item = items->values + items->index++ * items->size, text[256];

	(void)no_key;
	if (schema_defaults(group, item, reader->arena) != 0)
		fault_add(reader->faults, FAULT_ERROR, &origin, NULL, "%s", err_text(ERR_NOMEM));
	set_origin(item, &origin);
	if (reader->syntax->kind(value) == VALUE_GROUP)
		schema_read_group(reader, group, value, item);
	else
		fault_add(reader->faults, FAULT_ERROR, &origin, NULL, "is %s; give %s",
			  reader->syntax->kind_text(value),
			  expected(reader, &any_group, text, sizeof text));
}

static void read_items(struct schema_reader *reader, const struct field *field, const void *value,
		       void *item, const struct origin *origin)
{
	struct items items = {.reader = reader, .field = field, .path = origin->path};
	bool groups = field->type == FIELD_LIST;
	size_t count = reader->syntax->count(value);

	if (groups)
		items.size = field->group->size;
	else
		schema_element(field, NULL, &items.size);
	items.values = arena_alloc_array(reader->arena, count, items.size);
	if (!items.values) {
		out_of_memory(reader, origin, field->key);
		return;
	}
	reader->syntax->each(value, groups ? on_group : on_element, &items);
	schema_list_set(field, item, (struct schema_list){items.values, count});
}

/* ---- tags ---- */

struct tags { /* tags being read */
	struct schema_reader *reader;
	const struct field *field;
	const char *path;
	struct tag *items;
	size_t count, index;
};

/* Adds a tag with this name, which is in the arena, and a copy of the value. name NULL: there was
 * no memory for it. */
static void add_tag(struct tags *tags, char *name, const char *value, const struct origin *origin)
{
	struct tag *tag = &tags->items[tags->count];

	tag->name = name;
	tag->value = arena_strdup(tags->reader->arena, value);
	if (tag->name && tag->value)
		tags->count++;
	else
		out_of_memory(tags->reader, origin, tags->field->key);
}

/* Whether the text begins with an escape in the NAME of a tag in a file: a backslash before '=' or
 * before another backslash. */
static bool is_escape(const char *text)
{
	return text[0] == '\\' && (text[1] == '\\' || text[1] == '=');
}

/* The length of a NAME as written, up to its '='. */
static size_t written_name(const char *text)
{
	size_t length = 0;

	while (text[length] != '\0' && text[length] != '=')
		length += is_escape(text + length) ? 2 : 1;
	return length;
}

/* The NAME without escapes; NULL without memory. */
static char *plain_name(struct arena *arena, const char *text, size_t length)
{
	char *name = arena_alloc(arena, length + 1), *to = name;

	for (size_t i = 0; name && i < length; i++) {
		i += is_escape(text + i);
		*to++ = text[i];
	}
	return name;
}

/* Reads "NAME=VALUE". */
static void on_tag(void *context, const char *no_key, const void *value)
{
	struct tags *tags = context;
	struct schema_reader *reader = tags->reader;
	const struct value_syntax *syntax = reader->syntax;
	struct origin origin = origin_of(reader, value, tags->path);
	const char *text = syntax->kind(value) == VALUE_STRING ? syntax->string(value) : NULL;
	size_t length = text ? written_name(text) : 0;
	char key[64], why[TEXT_FLAW_MAX];

	(void)no_key;
	snprintf(key, sizeof key, "%s[%zu]", tags->field->key, tags->index);
	tags->index++;
	if (!text)
		fault_add(reader->faults, FAULT_ERROR, &origin, key, "is %s; give a string",
			  syntax->kind_text(value));
	else if (!text_is_plain(text, why))
		fault_add(reader->faults, FAULT_ERROR, &origin, key, "%s", why);
	else if (length == 0 || text[length] == '\0')
		fault_add(reader->faults, FAULT_ERROR, &origin, key,
			  "\"%s\" does not fit; give \"NAME=VALUE\"", text);
	else
		add_tag(tags, plain_name(reader->arena, text, length), text + length + 1, &origin);
}

/* Reads "NAME": "VALUE". */
static void on_tag_member(void *context, const char *name, const void *value)
{
	struct tags *tags = context;
	struct schema_reader *reader = tags->reader;
	const struct value_syntax *syntax = reader->syntax;
	struct origin origin = origin_of(reader, value, tags->path);
	const char *text = syntax->kind(value) == VALUE_STRING ? syntax->string(value) : NULL;
	const char *key = tags->field->key;
	char why[TEXT_FLAW_MAX];

	if (!text)
		fault_add(reader->faults, FAULT_ERROR, &origin, key, "\"%s\" is %s; give a string",
			  name, syntax->kind_text(value));
	else if (!reader->is_stored && !text_is_plain(name, why))
		fault_add(reader->faults, FAULT_ERROR, &origin, key, "in a name, %s", why);
	else if (!reader->is_stored && !text_is_plain(text, why))
		fault_add(reader->faults, FAULT_ERROR, &origin, key, "in what \"%s\" is, %s", name,
			  why);
	else
		add_tag(tags, arena_strdup(reader->arena, name), text, &origin);
}

static void read_tags(struct schema_reader *reader, const struct field *field, const void *value,
		      void *item, const struct origin *origin)
{
	struct tags tags = {.reader = reader, .field = field, .path = origin->path};

	tags.items =
		arena_alloc_array(reader->arena, reader->syntax->count(value), sizeof *tags.items);
	if (!tags.items) {
		out_of_memory(reader, origin, field->key);
		return;
	}
	reader->syntax->each(value, reader->syntax->tags == VALUE_GROUP ? on_tag_member : on_tag,
			     &tags);
	schema_list_set(field, item, (struct schema_list){tags.items, tags.count});
}

/* ---- groups ---- */

static void read_in_place(struct schema_reader *reader, const struct field *field,
			  const void *value, void *item, const struct origin *origin)
{
	const struct group *group = field->group;
	char *in_place = (char *)item + field->offset;
	struct origin at = *origin;
	bool given = true;

	at.path = origin->path ? arena_printf(reader->arena, "%s.%s", origin->path, field->key)
			       : field->key;
	set_origin(in_place, &at);
	if (group->given_offset != 0)
		memcpy(in_place + group->given_offset, &given, sizeof given);
	schema_read_group(reader, group, value, in_place);
}

void schema_read_field(struct schema_reader *reader, const struct field *field, const void *value,
		       void *item, const char *path)
{
	const struct value_syntax *syntax = reader->syntax;
	struct origin origin = origin_of(reader, value, path);
	enum value_kind kind = syntax->kind(value);
	bool is_sequence = kind == VALUE_LIST || kind == VALUE_ARRAY;

	switch (field->type) {
	case FIELD_GROUP:
		if (kind == VALUE_GROUP)
			read_in_place(reader, field, value, item, &origin);
		else
			wrong_kind(reader, field, value, &origin);
		return;
	case FIELD_LIST:
		if (kind == VALUE_LIST || (is_sequence && syntax->count(value) == 0))
			read_items(reader, field, value, item, &origin);
		else
			wrong_kind(reader, field, value, &origin);
		return;
	case FIELD_STRINGS:
	case FIELD_DOMAINS:
	case FIELD_HOSTS:
	case FIELD_PREFIXES:
		if (is_sequence)
			read_items(reader, field, value, item, &origin);
		else
			wrong_kind(reader, field, value, &origin);
		return;
	case FIELD_TAGS:
		if (syntax->tags == VALUE_GROUP ? kind == VALUE_GROUP : is_sequence)
			read_tags(reader, field, value, item, &origin);
		else
			wrong_kind(reader, field, value, &origin);
		return;
	case FIELD_GONE:
		fault_add(reader->faults, FAULT_WARNING, &origin, field->key,
			  "is no setting any more and changes nothing; remove it");
		return;
	default: read_scalar(reader, field, value, item, &origin);
	}
}

static void unknown_key(struct schema_reader *reader, const struct group *group, const char *key,
			const struct origin *origin)
{
	const struct field *near = schema_suggest(group, key);
	char known[1024] = "";

	if (near) {
		fault_add(reader->faults, FAULT_ERROR, origin, key,
			  "there is no such key; did you mean \"%s\"?", near->key);
		return;
	}
	for (size_t i = 0; i < group->count; i++)
		text_append(known, sizeof known, "%s%s", i == 0 ? "" : ", ", group->fields[i].key);
	fault_add(reader->faults, FAULT_ERROR, origin, key,
		  "there is no such key; the keys here are %s", known);
}

struct group_members { /* a group being read */
	struct schema_reader *reader;
	const struct group *group;
	void *item;
	const char *path;
	uint64_t seen; /* a bit for each row */
};

static void on_member(void *context, const char *key, const void *value)
{
	struct group_members *members = context;
	const struct field *field = schema_field(members->group, key);
	struct origin origin;

	if (!field && members->reader->is_stored)
		return;
	if (!field) {
		origin = origin_of(members->reader, value, members->path);
		unknown_key(members->reader, members->group, key, &origin);
		return;
	}
	if (members->reader->syntax->kind(value) == VALUE_NULL)
		return;
	members->seen |= UINT64_C(1) << (field - members->group->fields);
	schema_read_field(members->reader, field, value, members->item, members->path);
}

static void missing_keys(const struct group_members *members, const struct origin *origin)
{
	const char *chosen = members->reader->chosen;
	char text[256];

	for (size_t i = 0; i < members->group->count; i++) {
		const struct field *field = &members->group->fields[i];

		if (field->required && !(members->seen >> i & 1) &&
		    !(chosen && strcmp(field->key, chosen) == 0))
			fault_add_first(members->reader->faults, origin, field->key,
					FAULT_MISSING "; give %s",
					expected(members->reader, field, text, sizeof text));
	}
}

/* The syntax refuses duplicate keys. */
void schema_read_group(struct schema_reader *reader, const struct group *group, const void *value,
		       void *item)
{
	struct group_members members = {.reader = reader, .group = group, .item = item};
	struct origin origin;

	assert(group->count <= 64);
	memcpy(&origin, item, sizeof origin);
	members.path = origin.path;
	reader->syntax->each(value, on_member, &members);
	missing_keys(&members, &origin);
	if (group->named && reference_name(item, reader->arena) != 0)
		out_of_memory(reader, &origin, "name");
}
