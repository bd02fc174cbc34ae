#include "resolver/control/resource/values.h"

#include <inttypes.h>

#include "resolver/control/base/json.h"
#include "resolver/control/base/regular_file.h"
#include "rules/policy/reverse_zones.h"
#include "rules/schema/read.h"
#include "rules/schema/reference.h"

/* ---- reading: JSON as a syntax of the field table ---- */

static enum value_kind json_kind(const void *value)
{
	switch (json_typeof((const json_t *)value)) {
	case JSON_OBJECT: return VALUE_GROUP;
	case JSON_ARRAY: return VALUE_LIST;
	case JSON_INTEGER: return VALUE_INTEGER;
	case JSON_TRUE:
	case JSON_FALSE: return VALUE_BOOL;
	case JSON_STRING: return VALUE_STRING;
	case JSON_NULL: return VALUE_NULL;
	default: return VALUE_OTHER;
	}
}

static const char *json_kind_text(const void *value)
{
	switch (json_typeof((const json_t *)value)) {
	case JSON_OBJECT: return "an object";
	case JSON_ARRAY: return "an array";
	case JSON_INTEGER: return "an integer";
	case JSON_REAL: return "a number with a fraction";
	case JSON_STRING: return "a string";
	case JSON_NULL: return "null";
	default: return "a truth value";
	}
}

static size_t json_count(const void *value)
{
	return json_is_object((const json_t *)value) ? json_object_size(value)
						     : json_array_size(value);
}

static void json_each(const void *value,
		      void (*on_item)(void *context, const char *key, const void *value),
		      void *context)
{
	const char *key;
	json_t *item;
	size_t i;

	if (json_is_object((const json_t *)value)) {
		json_object_foreach((json_t *)value, key, item) on_item(context, key, item);
		return;
	}
	json_array_foreach((const json_t *)value, i, item) on_item(context, NULL, item);
}

static long long json_number(const void *value)
{
	return json_is_boolean((const json_t *)value) ? json_is_true((const json_t *)value)
						      : json_integer_value(value);
}

static const char *json_string_of(const void *value)
{
	return json_string_value(value);
}

static const char *const json_expected[FIELD_GONE + 1] = {
	[FIELD_STRINGS] = "an array of strings: [\"...\", \"...\"]",
	[FIELD_DOMAINS] = "an array of domain names: [\"corp.example\", \"test\"]",
	[FIELD_HOSTS] = "an array of addresses: [\"192.0.2.1\", \"192.0.2.1:53\"]",
	[FIELD_PREFIXES] = "an array of prefixes: [\"10.10.0.0/16\"]",
	[FIELD_TAGS] = "an object of strings: {\"NAME\": \"VALUE\"}",
	[FIELD_LIST] = "an array of objects: [{...}, {...}]",
	[FIELD_GROUP] = "an object: {...}",
};

static const struct value_syntax json_syntax = {.kind = json_kind,
						.kind_text = json_kind_text,
						.count = json_count,
						.each = json_each,
						.integer = json_number,
						.string = json_string_of,
						.tags = VALUE_GROUP,
						.expected = json_expected};

/* ---- refusing lists that are kinds of their own ---- */

static bool has_children(const struct kind *kind, const json_t *values, const struct origin *origin,
			 struct faults *faults)
{
	bool found = false;

	for (size_t i = 0; i < KIND_COUNT; i++) {
		const struct kind *child = &kinds[i];

		if (child->parent != kind || !json_object_get(values, child->collection))
			continue;
		fault_add(faults, FAULT_ERROR, origin, child->collection,
			  "are resources of their own; leave them out here, and put each at .../%s/"
			  "NAME",
			  child->collection);
		found = true;
	}
	return found;
}

/* ---- refusing values that only a file may have ---- */

/* A secret in the state would also be in the history and in exports. */
static bool has_secret(const struct group *group, const json_t *values, const struct origin *origin,
		       struct faults *faults)
{
	bool found = false;

	for (size_t i = 0; i < group->count; i++) {
		const struct field *field = &group->fields[i];

		if (!field->secret || !json_object_get(values, field->key))
			continue;
		fault_add(
			faults, FAULT_ERROR, origin, field->key,
			"is not kept in the state; write it to a file that only sluice's user may "
			"read, and give that as secret_file");
		found = true;
	}
	return found;
}

/* A relative path in a file begins at the file's folder. A value of the API has no folder, so its
 * path must be absolute. */
static void check_paths(const struct group *group, const void *item, const struct origin *origin,
			struct faults *faults)
{
	for (size_t i = 0; i < group->count; i++) {
		const struct field *field = &group->fields[i];
		const char *path =
			field->type == FIELD_PATH ? schema_get_text(field, item, NULL, 0) : NULL;

		if (path && *path != '/')
			fault_add(
				faults, FAULT_ERROR, origin, field->key,
				"\"%s\" is relative; give an absolute path on the server's machine",
				path);
	}
}

static int begin_item(const struct group *group, void *item, const struct origin *origin,
		      struct arena *arena)
{
	int err;

	memset(item, 0, group->size);
	err = schema_defaults(group, item, arena);
	memcpy(item, origin, sizeof *origin);
	return err;
}

static void read_object(struct schema_reader *reader, const struct group *group,
			const json_t *values, void *item, const struct origin *origin)
{
	if (json_is_object(values))
		schema_read_group(reader, group, values, item);
	else
		fault_add(reader->faults, FAULT_ERROR, origin, NULL, "is %s; give an object: {...}",
			  values ? json_kind_text(values) : "nothing");
}

static struct schema_reader reader_of(const struct kind *kind, const struct origin *origin,
				      struct arena *arena, struct faults *faults)
{
	return (struct schema_reader){.syntax = &json_syntax,
				      .arena = arena,
				      .faults = faults,
				      .revision = origin->revision,
				      .chosen = kind->chosen};
}

void values_read(const struct kind *kind, const json_t *values, void *item,
		 const struct origin *origin, struct arena *arena, struct faults *faults)
{
	const struct group *group = kind_field(kind)->group;
	struct schema_reader reader = reader_of(kind, origin, arena, faults);
	size_t errors = faults->errors;

	if (begin_item(group, item, origin, arena) != 0)
		fault_add(faults, FAULT_ERROR, origin, NULL, "%s", err_text(ERR_NOMEM));
	if (!has_children(kind, values, origin, faults) &&
	    !has_secret(group, values, origin, faults))
		read_object(&reader, group, values, item, origin);
	if (faults->errors == errors)
		check_paths(group, item, origin, faults);
	if (faults->errors == errors && kind->complete)
		kind->complete(item, arena, faults);
}

int values_read_stored(const struct kind *kind, const json_t *values, void *item, uint64_t revision,
		       struct arena *arena)
{
	const struct group *group = kind_field(kind)->group;
	const struct origin origin = {.revision = revision};
	struct faults faults;
	struct schema_reader reader = reader_of(kind, &origin, arena, &faults);
	int err;

	faults_init(&faults);
	reader.is_stored = true;
	err = begin_item(group, item, &origin, arena);
	read_object(&reader, group, values, item, &origin);
	if (!err && faults.errors > 0)
		err = faults_first(&faults) ? ERR_INVALID : ERR_NOMEM;
	faults_release(&faults);
	return err;
}

/* ---- printing ---- */

struct printed { /* kind NULL: settings of no kind */
	const struct kind *kind;
	const char *in; /* the group that references leave out; NULL: none */
};

static json_t *print_group(const struct printed *printed, const struct group *group,
			   const void *item);

static const char *group_of(const char *group)
{
	return group && strcmp(group, GROUP_NONE) != 0 ? group : NULL;
}

/* Prints absolute paths, because the reader may be in another folder, and reading accepts no others
 * (check_paths). */
static json_t *print_path(const char *text)
{
	char *path = regular_file_absolute(text);
	json_t *value = json_text(path ? path : text);

	free(path);
	return value;
}

static json_t *print_scalar(const struct printed *printed, const struct field *field,
			    const void *item)
{
	char buffer[128];
	const char *text = schema_get_text(field, item, buffer, sizeof buffer);

	if (!text)
		return NULL;
	if (field->refers)
		text = reference_short(text, field->refers, printed->in);
	switch (field->type) {
	case FIELD_UINT:
	case FIELD_UINT64: return json_integer((json_int_t)strtoull(text, NULL, 10));
	case FIELD_BOOL: return json_boolean(strcmp(text, "true") == 0);
	case FIELD_PATH: return print_path(text);
	default: return json_text(text);
	}
}

static json_t *print_array(const struct printed *printed, const struct field *field,
			   const void *item)
{
	struct schema_list list = schema_list_get(field, item);
	json_t *array = json_array();
	size_t size;
	struct field element = schema_element(field, field->key, &size);

	for (size_t i = 0; i < list.count; i++)
		json_add(array,
			 print_scalar(printed, &element, (const char *)list.items + i * size));
	return array;
}

static json_t *print_list(const struct printed *printed, const struct field *field,
			  const void *item)
{
	const struct printed inside = {NULL, printed->in};
	struct schema_list list = schema_list_get(field, item);
	json_t *array = json_array();

	for (size_t i = 0; i < list.count; i++)
		json_add(array, print_group(&inside, field->group,
					    (const char *)list.items + i * field->group->size));
	return array;
}

static int compare_tags(const void *a, const void *b)
{
	return strcmp(((const struct tag *)a)->name, ((const struct tag *)b)->name);
}

json_t *values_print_tags(const struct tag *tags, size_t count)
{
	struct tag *sorted = count > 0 ? reallocarray(NULL, count, sizeof *sorted) : NULL;
	json_t *object = json_object();

	if (sorted) {
		memcpy(sorted, tags, count * sizeof *sorted);
		qsort(sorted, count, sizeof *sorted, compare_tags);
	}
	for (size_t i = 0; i < count; i++)
		json_put(object, sorted ? sorted[i].name : NULL,
			 sorted ? json_text(sorted[i].value) : NULL);
	free(sorted);
	return object;
}

static json_t *print_tags(const struct field *field, const void *item)
{
	struct schema_list list = schema_list_get(field, item);

	return list.count > 0 ? values_print_tags(list.items, list.count) : NULL;
}

static bool is_given(const struct group *group, const void *item)
{
	bool given = true;

	if (group->given_offset != 0)
		memcpy(&given, (const char *)item + group->given_offset, sizeof given);
	return given;
}

/* NULL: not given, or a list that is a kind of its own. */
static json_t *print_field(const struct printed *printed, const struct field *field,
			   const void *item)
{
	const struct printed inside = {NULL, printed->in};

	switch (field->type) {
	case FIELD_GROUP:
		item = (const char *)item + field->offset;
		return is_given(field->group, item) ? print_group(&inside, field->group, item)
						    : NULL;
	case FIELD_LIST:
		return printed->kind && kind_of_field(printed->kind, field)
			       ? NULL
			       : print_list(printed, field, item);
	case FIELD_STRINGS:
	case FIELD_DOMAINS:
	case FIELD_HOSTS:
	case FIELD_PREFIXES: return print_array(printed, field, item);
	case FIELD_TAGS: return print_tags(field, item);
	default: return print_scalar(printed, field, item);
	}
}

static json_t *print_group(const struct printed *printed, const struct group *group,
			   const void *item)
{
	json_t *object = json_object();

	for (size_t i = 0; i < group->count; i++) {
		const struct field *field = &group->fields[i];
		json_t *value = field->secret ? NULL : print_field(printed, field, item);

		if (value)
			json_put(object, group->fields[i].key, value);
	}
	return object;
}

json_t *values_print(const struct kind *kind, const char *group, const void *item)
{
	const struct printed printed = {kind, group_of(group)};

	return print_group(&printed, kind_field(kind)->group, item);
}

uint64_t values_hash(const struct kind *kind, const void *item)
{
	const struct group *group = kind_field(kind)->group;
	uint64_t hash = kind->id;
	char buffer[128];

	for (size_t i = 0; i < group->count; i++) {
		const struct field *field = &group->fields[i];
		bool is_tags = field->type == FIELD_TAGS;
		struct schema_list list =
			is_tags ? schema_list_get(field, item) : (struct schema_list){NULL, 0};
		const struct tag *tags = list.items;

		if (!is_tags)
			hash = etag_add_text(hash,
					     schema_get_text(field, item, buffer, sizeof buffer));
		if (list.count > 0)
			hash = etag_add_text(hash, field->key);
		for (size_t k = 0; k < list.count; k++) {
			hash = etag_add_text(hash, tags[k].name);
			hash = etag_add_text(hash, tags[k].value);
		}
	}
	return hash;
}

json_t *values_print_origin(const struct origin *origin)
{
	char text[600];

	if (!origin->file)
		return json_null();
	snprintf(text, sizeof text, "%s:%u", origin->file, origin->line);
	return json_text(text);
}

void values_put_missing(const struct kind *kind, json_t *object)
{
	const struct group *group = kind_field(kind)->group;

	for (size_t i = 0; i < group->count; i++) {
		const struct field *field = &group->fields[i];

		if (!json_object_get(object, field->key))
			json_put(object, field->key,
				 field->type == FIELD_TAGS ? json_object() : json_null());
	}
}

json_t *values_print_settings(const struct model *model)
{
	const struct printed printed = {NULL, NULL};
	json_t *settings = json_object();

	for (size_t i = 0; i < schema_model.count; i++) {
		const struct field *field = &schema_model.fields[i];
		const void *group = (const char *)model + field->offset;
		json_t *value = NULL;

		if (field->type == FIELD_GROUP && strcmp(field->key, "management") != 0)
			value = print_group(&printed, field->group, group);
		else if (field->type != FIELD_GROUP && field->type != FIELD_LIST)
			value = print_field(&printed, field, model);
		if (value)
			json_put(settings, field->key, value);
	}
	return settings;
}

/* ---- references ---- */

struct rewriting {
	/* The text that replaces a reference; NULL: the reference stays. */
	const char *(*rewrite)(void *context, enum refers refers, const char *text);
	void *context;
	struct arena *domains; /* gets the canonical form of domains; NULL: domains stay */
	bool changed;
};

/* ERR_NOMEM. */
static int rewrite_domain(struct rewriting *rewriting, const struct field *field, json_t *value)
{
	const char *text = json_string_value(value);
	const char *other = text ? schema_domain(field, text, rewriting->domains) : NULL;

	if (!text || other == text)
		return 0;
	if (!other || json_string_set(value, other) != 0)
		return ERR_NOMEM;
	rewriting->changed = true;
	return 0;
}

/* Rewrites a reference, or each of an array. ERR_NOMEM. */
static int rewrite_texts(struct rewriting *rewriting, const struct field *field, json_t *value)
{
	size_t count = json_is_array(value) ? json_array_size(value) : 1;

	for (size_t i = 0; i < count; i++) {
		json_t *element = json_is_array(value) ? json_array_get(value, i) : value;
		const char *text = json_string_value(element);
		const char *other =
			text ? rewriting->rewrite(rewriting->context, field->refers, text) : NULL;

		if (!other || strcmp(other, text) == 0)
			continue;
		if (json_string_set(element, other) != 0)
			return ERR_NOMEM;
		rewriting->changed = true;
	}
	return 0;
}

/* Rewrites the references and domains in an object and in those inside it. ERR_NOMEM. */
static int rewrite_group(struct rewriting *rewriting, const struct group *group, json_t *values)
{
	int err = 0;

	for (size_t i = 0; !err && i < group->count; i++) {
		const struct field *field = &group->fields[i];
		json_t *value = json_object_get(values, field->key);

		if (field->refers)
			err = rewrite_texts(rewriting, field, value);
		else if (field->type == FIELD_DOMAIN && rewriting->domains)
			err = rewrite_domain(rewriting, field, value);
		else if (field->type == FIELD_GROUP)
			err = rewrite_group(rewriting, field->group, value);
		for (size_t k = 0; !err && field->type == FIELD_LIST && k < json_array_size(value);
		     k++)
			err = rewrite_group(rewriting, field->group, json_array_get(value, k));
	}
	return err;
}

struct referring {
	const struct model *model;
	const char *group;
	struct arena arena;
};

static const char *in_full(void *context, enum refers refers, const char *text)
{
	struct referring *referring = context;
	struct name name;

	/* The name of a pool's zone means that zone, even if a private zone has the same name. */
	if (refers == REFERS_ZONE && name_from_text(&name, NULL, text) == 0 &&
	    reverse_has_zone(referring->model, &name))
		return NULL;
	return reference_full(referring->model, refers, referring->group, text, &referring->arena);
}

int values_refer(const struct kind *kind, const char *group, const struct model *model,
		 json_t *values, bool *changed)
{
	struct referring referring = {.model = model, .group = group_of(group)};
	struct rewriting rewriting = {
		.rewrite = in_full, .context = &referring, .domains = &referring.arena};
	int err;

	arena_init(&referring.arena);
	err = rewrite_group(&rewriting, kind_field(kind)->group, values);
	arena_release(&referring.arena);
	*changed = rewriting.changed;
	return err;
}

static const char *in_short(void *context, enum refers refers, const char *text)
{
	return reference_short(text, refers, context);
}

void values_shorten(const struct kind *kind, const char *group, json_t *values)
{
	struct rewriting rewriting = {.rewrite = in_short,
				      .context = (void *)(uintptr_t)group_of(group)};

	(void)!rewrite_group(&rewriting, kind_field(kind)->group, values);
}

/* ---- the schema ---- */

static json_t *schema_of_group(const struct kind *kind, const struct group *group);

static json_t *type_text(const char *type)
{
	return json_make("{s:s}", "type", type);
}

static json_t *text_of_form(const char *form)
{
	return json_make("{s:s, s:s}", "type", "string", "format", form);
}

static json_t *names_json(const struct field *field)
{
	json_t *names = json_array();

	for (size_t i = 0; field->names[i]; i++)
		json_add(names, json_text(field->names[i]));
	return names;
}

static json_t *schema_of_type(const struct field *field)
{
	struct field element;
	size_t size;

	switch (field->type) {
	case FIELD_UINT:
	case FIELD_UINT64:
		return json_make("{s:s, s:I, s:I}", "type", "integer", "minimum",
				 (json_int_t)field->min, "maximum", (json_int_t)field->max);
	case FIELD_BOOL: return type_text("boolean");
	case FIELD_ENUM: return json_make("{s:o}", "enum", names_json(field));
	case FIELD_LIST:
		return json_make("{s:s, s:o}", "type", "array", "items",
				 schema_of_group(NULL, field->group));
	case FIELD_GROUP: return schema_of_group(NULL, field->group);
	case FIELD_TAGS:
		return json_make("{s:s, s:o}", "type", "object", "additionalProperties",
				 type_text("string"));
	case FIELD_STRINGS:
	case FIELD_DOMAINS:
	case FIELD_HOSTS:
	case FIELD_PREFIXES:
		element = schema_element(field, field->key, &size);
		return json_make("{s:s, s:o}", "type", "array", "items", schema_of_type(&element));
	case FIELD_ADDRESS: return text_of_form("address");
	case FIELD_PREFIX: return text_of_form("prefix");
	case FIELD_HOST: return text_of_form("host");
	case FIELD_DOMAIN: return text_of_form("domain");
	case FIELD_PATH: return text_of_form("file");
	default: return type_text("string");
	}
}

/* Says what resource the field's texts name: {"kind": "subnet", "by": "path"} for a path like
 * NETWORK/SUBNET, "by": "name" for a bare name. NULL: none. */
static json_t *refers_json(const struct field *field)
{
	static const unsigned kinds_by_path[REFERS_COUNT] = {
		[REFERS_NETWORK] = KIND_NETWORK,
		[REFERS_OUTBOUND] = KIND_OUTBOUND,
		[REFERS_ZONE] = KIND_ZONE,
		[REFERS_SUBNET] = KIND_SUBNET,
	};
	const struct kind *kind = kind_of_id(kinds_by_path[field->refers]);
	const char *by = kind ? "path" : "name";
	char name[64];

	if (!kind && field->type == FIELD_STRING) {
		snprintf(name, sizeof name, "%s", field->key);
		for (char *at = name; *at != '\0'; at++)
			*at = *at == '_' ? '-' : *at;
		/* resource_group is the only key that differs from the name of its kind. */
		kind = kind_named(strcmp(name, "resource-group") == 0 ? "group" : name);
	} else if (!kind && field->type == FIELD_DOMAIN) {
		kind = strcmp(field->key, "key") == 0 ? kind_of_id(KIND_KEY) : NULL;
	}
	return kind ? json_make("{s:s, s:s}", "kind", kind->name, "by", by) : NULL;
}

/* The table has a default as text, as in the file. */
static json_t *default_json(const struct field *field)
{
	switch (field->type) {
	case FIELD_UINT:
	case FIELD_UINT64: return json_integer((json_int_t)strtoull(field->fallback, NULL, 10));
	case FIELD_BOOL: return json_boolean(strcmp(field->fallback, "true") == 0);
	default: return json_text(field->fallback);
	}
}

bool values_is_fallback(const struct field *field, const json_t *value)
{
	json_t *usual = field->fallback ? default_json(field) : NULL;
	bool same = usual && json_equal(usual, value);

	json_decref(usual);
	return same || (json_is_array(value) && json_array_size(value) == 0) ||
	       (json_is_object(value) && json_object_size(value) == 0);
}

bool values_is_default(const struct kind *kind, const char *key, const json_t *value)
{
	const struct field *field = schema_field(kind_field(kind)->group, key);

	return field && values_is_fallback(field, value);
}

static json_t *schema_of_field(const struct field *field)
{
	json_t *schema = schema_of_type(field), *refers = refers_json(field);

	if (refers)
		json_put(schema, "x-refers", refers);
	if (field->unit)
		json_put(schema, "x-unit", json_text(field->unit));
	if (field->doc && *field->doc != '\0')
		json_put(schema, "description", json_text(field->doc));
	if (field->fallback)
		json_put(schema, "default", default_json(field));
	return schema;
}

static json_t *schema_of_group(const struct kind *kind, const struct group *group)
{
	json_t *properties = json_object(), *required = json_array();

	for (size_t i = 0; i < group->count; i++) {
		const struct field *field = &group->fields[i];

		if (field->type == FIELD_GONE || field->secret ||
		    (kind && kind_of_field(kind, field)))
			continue;
		bool chosen = kind && kind->chosen && strcmp(kind->chosen, field->key) == 0;
		json_t *member = schema_of_field(field);

		if (chosen)
			json_put(member, "x-chosen", json_true());
		json_put(properties, field->key, member);
		if (field->required && !chosen)
			json_add(required, json_text(field->key));
	}
	return json_make("{s:o, s:s, s:s, s:o, s:o, s:b}", "title", json_text(group->name),
			 "description", group->doc, "type", "object", "properties", properties,
			 "required", required, "additionalProperties", 0);
}

json_t *values_schema(const struct kind *kind)
{
	return schema_of_group(kind, kind_field(kind)->group);
}
