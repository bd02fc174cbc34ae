/* From libconfig's tree to the model. The tree and the field table are walked together:
 *
 *     { name = "hub"; ... }   a group     read_group   rows of its members; unknown, missing ones
 *     ( { }, { } )            a list      read_list    a struct of the row's group for each item
 *     [ "10.0.0.0/8" ]        an array    read_array   bare values
 *     53, true, "text"        a scalar    read_scalar
 *
 * Whatever is wrong is added to the faults and the walk goes on, so that all of it is reported at
 * once. libconfig itself stops at the first syntax error, which is reported alone; so is what is
 * wrong with the text before libconfig has it (source.h). */
#include "resolver/control/config/file.h"

#include <assert.h>
#include <libconfig.h>

#include "resolver/control/config/secret_files.h"
#include "resolver/control/config/source.h"
#include "resolver/control/config/zone_files.h"
#include "rules/base.h"
#include "rules/check/limits.h"
#include "rules/name.h"
#include "rules/schema/schema.h"

struct tree_reader {
	config_t config;
	const char *path; /* of the main file */
	struct model *model;
	struct faults *faults;
	struct config_source source;
};

static void read_group(struct tree_reader *reader, const struct group *group,
		       const config_setting_t *setting, void *item);

static struct arena *arena_of(struct tree_reader *reader)
{
	return &reader->model->arena;
}

/* The directory part of path, in the arena: "." where there is none, "" for the root. */
static const char *directory_of(struct arena *arena, const char *path)
{
	const char *slash = strrchr(path, '/');

	return slash ? arena_printf(arena, "%.*s", (int)(slash - path), path) : ".";
}

static struct origin origin_of(struct tree_reader *reader, const config_setting_t *setting,
			       const char *path)
{
	struct origin origin =
		config_source_at(&reader->source, config_setting_source_line(setting));

	origin.path = path;
	return origin;
}

static const char *kind_of(const config_setting_t *setting)
{
	switch (config_setting_type(setting)) {
	case CONFIG_TYPE_GROUP: return "a group";
	case CONFIG_TYPE_INT:
	case CONFIG_TYPE_INT64: return "an integer";
	case CONFIG_TYPE_FLOAT: return "a number with a fraction";
	case CONFIG_TYPE_STRING: return "a string";
	case CONFIG_TYPE_BOOL: return "a truth value";
	case CONFIG_TYPE_ARRAY: return "an array";
	case CONFIG_TYPE_LIST: return "a list";
	default: return "nothing";
	}
}

static void wrong_kind(struct tree_reader *reader, const struct field *field,
		       const config_setting_t *setting, const struct origin *origin)
{
	bool quoted = config_setting_type(setting) == CONFIG_TYPE_STRING &&
		      (field->type == FIELD_UINT || field->type == FIELD_UINT64 ||
		       field->type == FIELD_BOOL);
	char expected[256];

	fault_add(reader->faults, FAULT_ERROR, origin, field->key, "is %s; give %s%s",
		  kind_of(setting), schema_expected(field, expected, sizeof expected),
		  quoted ? ", without quotes" : "");
}

static void out_of_memory(struct tree_reader *reader, const struct origin *origin, const char *key)
{
	fault_add(reader->faults, FAULT_ERROR, origin, key, "%s", err_text(ERR_NOMEM));
}

/* A path is relative to the file that names it. */
static void rebase_path(struct tree_reader *reader, const struct field *field, void *item,
			const struct origin *origin)
{
	char *at = (char *)item + field->offset;
	const char *path;

	memcpy(&path, at, sizeof path);
	if (origin->file)
		path = config_source_path(arena_of(reader),
					  directory_of(arena_of(reader), origin->file), path);
	memcpy(at, &path, sizeof path);
	if (!path)
		out_of_memory(reader, origin, field->key);
}

static void read_scalar(struct tree_reader *reader, const struct field *field,
			const config_setting_t *setting, void *item, const struct origin *origin)
{
	bool number = field->type == FIELD_UINT || field->type == FIELD_UINT64;
	bool fits = false;
	int err = ERR_FAULTS;

	switch (config_setting_type(setting)) {
	case CONFIG_TYPE_INT:
	case CONFIG_TYPE_INT64:
		fits = number;
		if (fits)
			err = schema_set_number(field, item, config_setting_get_int64(setting),
						origin, reader->faults);
		break;
	case CONFIG_TYPE_BOOL:
		fits = field->type == FIELD_BOOL;
		if (fits)
			err = schema_set_number(field, item, config_setting_get_bool(setting) != 0,
						origin, reader->faults);
		break;
	case CONFIG_TYPE_STRING:
		fits = !number && field->type != FIELD_BOOL;
		if (fits)
			err = schema_set_text(field, item, config_setting_get_string(setting),
					      origin, arena_of(reader), reader->faults);
		break;
	default: break;
	}
	if (!fits)
		wrong_kind(reader, field, setting, origin);
	else if (err == 0 && field->type == FIELD_PATH)
		rebase_path(reader, field, item, origin);
}

static void read_array(struct tree_reader *reader, const struct field *field,
		       const config_setting_t *setting, void *item, const struct origin *origin)
{
	size_t size, count = (size_t)config_setting_length(setting);
	struct field element = schema_element(field, NULL, &size);
	char *values = arena_alloc_array(arena_of(reader), count, size);
	char key[128];

	if (!values) {
		out_of_memory(reader, origin, field->key);
		return;
	}
	for (size_t i = 0; i < count; i++) {
		const config_setting_t *value = config_setting_get_elem(setting, (unsigned)i);
		struct origin at = origin_of(reader, value, origin->path);

		snprintf(key, sizeof key, "%s[%zu]", field->key, i);
		element.key = key;
		read_scalar(reader, &element, value, values + i * size, &at);
	}
	schema_list_set(field, item, (struct schema_list){values, count});
}

/* "rulesets[onprem].rules[contoso]": by its name where it has a usable one, else by its index. */
static const char *item_path(struct tree_reader *reader, const char *parent, const char *key,
			     const config_setting_t *setting, size_t index)
{
	const char *dot = parent ? "." : "", *name = NULL;

	if (config_setting_is_group(setting) &&
	    !config_setting_lookup_string(setting, "name", &name))
		config_setting_lookup_string(setting, "id", &name);
	parent = parent ? parent : "";
	if (name && name[0] != '\0')
		return arena_printf(arena_of(reader), "%s%s%s[%s]", parent, dot, key, name);
	return arena_printf(arena_of(reader), "%s%s%s[%zu]", parent, dot, key, index);
}

/* Every item's struct begins with its origin. */
static void set_origin(void *item, const struct origin *origin)
{
	memcpy(item, origin, sizeof *origin);
}

static void read_list(struct tree_reader *reader, const struct field *field,
		      const config_setting_t *setting, void *item, const struct origin *origin)
{
	const struct group *group = field->group;
	size_t count = (size_t)config_setting_length(setting);
	char *items = arena_alloc_array(arena_of(reader), count, group->size);

	if (!items) {
		out_of_memory(reader, origin, field->key);
		return;
	}
	for (size_t i = 0; i < count; i++) {
		const config_setting_t *member = config_setting_get_elem(setting, (unsigned)i);
		struct origin at = origin_of(
			reader, member, item_path(reader, origin->path, field->key, member, i));

		schema_defaults(group, items + i * group->size, arena_of(reader));
		set_origin(items + i * group->size, &at);
		if (config_setting_is_group(member))
			read_group(reader, group, member, items + i * group->size);
		else
			fault_add(reader->faults, FAULT_ERROR, &at, NULL,
				  "is %s; give a group: { ... }", kind_of(member));
	}
	schema_list_set(field, item, (struct schema_list){items, count});
}

static void read_in_place(struct tree_reader *reader, const struct field *field,
			  const config_setting_t *setting, void *item, const struct origin *origin)
{
	const struct group *group = field->group;
	char *in_place = (char *)item + field->offset;
	struct origin at = *origin;
	bool given = true;

	at.path = origin->path ? arena_printf(arena_of(reader), "%s.%s", origin->path, field->key)
			       : field->key;
	set_origin(in_place, &at);
	if (group->given_offset != 0)
		memcpy(in_place + group->given_offset, &given, sizeof given);
	read_group(reader, group, setting, in_place);
}

static void read_field(struct tree_reader *reader, const struct field *field,
		       const config_setting_t *setting, void *item, const char *path)
{
	struct origin origin = origin_of(reader, setting, path);
	bool empty_array = config_setting_is_array(setting) && config_setting_length(setting) == 0;

	switch (field->type) {
	case FIELD_GROUP:
		if (config_setting_is_group(setting))
			read_in_place(reader, field, setting, item, &origin);
		else
			wrong_kind(reader, field, setting, &origin);
		return;
	case FIELD_LIST:
		if (config_setting_is_list(setting) || empty_array)
			read_list(reader, field, setting, item, &origin);
		else
			wrong_kind(reader, field, setting, &origin);
		return;
	case FIELD_STRINGS:
	case FIELD_DOMAINS:
	case FIELD_HOSTS:
	case FIELD_PREFIXES:
		if (config_setting_is_array(setting) || config_setting_is_list(setting))
			read_array(reader, field, setting, item, &origin);
		else
			wrong_kind(reader, field, setting, &origin);
		return;
	case FIELD_GONE:
		fault_add(reader->faults, FAULT_WARNING, &origin, field->key,
			  "is obsolete and has no effect; remove it");
		return;
	default: read_scalar(reader, field, setting, item, &origin);
	}
}

static void unknown_key(struct tree_reader *reader, const struct group *group,
			const config_setting_t *setting, const char *path)
{
	const char *key = config_setting_name(setting);
	const struct field *near = schema_suggest(group, key);
	struct origin origin = origin_of(reader, setting, path);
	char known[1024];
	size_t used = 0;

	if (near) {
		fault_add(reader->faults, FAULT_ERROR, &origin, key,
			  "there is no such key; did you mean \"%s\"?", near->key);
		return;
	}
	for (size_t i = 0; i < group->count && used < sizeof known; i++) {
		int n = snprintf(known + used, sizeof known - used, "%s%s", i == 0 ? "" : ", ",
				 group->fields[i].key);
		used += n > 0 ? (size_t)n : 0;
	}
	fault_add(reader->faults, FAULT_ERROR, &origin, key,
		  "there is no such key; the keys here are %s", known);
}

static void missing_keys(struct tree_reader *reader, const struct group *group, const void *item,
			 uint64_t seen)
{
	struct origin origin;
	char expected[256];

	memcpy(&origin, item, sizeof origin);
	for (size_t i = 0; i < group->count; i++) {
		const struct field *field = &group->fields[i];
		if (field->required && !(seen >> i & 1))
			fault_add(reader->faults, FAULT_ERROR, &origin, field->key,
				  "is missing; give %s",
				  schema_expected(field, expected, sizeof expected));
	}
}

/* The item's defaults and origin are in place. libconfig refuses a key given twice. */
static void read_group(struct tree_reader *reader, const struct group *group,
		       const config_setting_t *setting, void *item)
{
	struct origin origin;
	uint64_t seen = 0;

	assert(group->count <= 64);
	memcpy(&origin, item, sizeof origin);
	for (int i = 0; i < config_setting_length(setting); i++) {
		const config_setting_t *member = config_setting_get_elem(setting, (unsigned)i);
		const struct field *field = schema_field(group, config_setting_name(member));

		if (!field) {
			unknown_key(reader, group, member, origin.path);
			continue;
		}
		seen |= UINT64_C(1) << (field - group->fields);
		read_field(reader, field, member, item, origin.path);
	}
	missing_keys(reader, group, item, seen);
}

static void parse_fault(struct tree_reader *reader)
{
	static const char *const advice[][2] = {
		{"duplicate setting name", "a key stands twice in one group; keep one of them"},
		{"mismatched element type in array", "all elements of [ ] are of one type"},
	};
	const char *text = config_error_text(&reader->config);
	unsigned line = (unsigned)config_error_line(&reader->config);
	struct origin origin = config_source_at(&reader->source, line);
	size_t i = 0;

	text = text ? text : "unreadable";
	if (strcmp(text, "syntax error") == 0) {
		config_source_syntax_fault(&reader->source, line, reader->faults);
		return;
	}
	while (i < COUNT(advice) && strcmp(text, advice[i][0]) != 0)
		i++;
	fault_add(reader->faults, FAULT_ERROR, &origin, NULL, "%s; %s", text,
		  i < COUNT(advice) ? advice[i][1] : "correct it and try again");
}

/* libconfig does not check what malloc returns: without memory it ends the process, and with it all
 * answers. So what the tree takes at most is allocated first and freed again: every setting and
 * element has one of these characters, and the texts are copied. Other threads may still take the
 * memory in between. */
static bool has_memory(const struct config_source *source)
{
	enum { SETTING_BYTES = 176, PARSER_BYTES = 256 * 1024 };
	size_t settings = 0;

	for (size_t i = 0; i < source->length; i++)
		settings += strchr("=:,{([", source->text[i]) != NULL;
	void *volatile room = malloc(PARSER_BYTES + 2 * source->length + settings * SETTING_BYTES);
	bool had = room != NULL;

	free(room);
	return had;
}

/* False when there is no tree to walk. */
static bool parse(struct tree_reader *reader)
{
	const char *directory = directory_of(arena_of(reader), reader->path);
	struct origin origin = {.file = reader->path};
	int err = ERR_NOMEM;

	if (directory)
		err = config_source_read(&reader->source, reader->path, directory, arena_of(reader),
					 reader->faults);
	if (err == 0 && !has_memory(&reader->source))
		err = ERR_NOMEM;
	if (err == ERR_NOMEM)
		out_of_memory(reader, &origin, NULL);
	if (err != 0)
		return false;
	if (config_read_string(&reader->config, reader->source.text) != CONFIG_TRUE) {
		parse_fault(reader);
		return false;
	}
	/* A write that only just began leaves such a file. */
	if (config_setting_length(config_root_setting(&reader->config)) > 0)
		return true;
	fault_add(reader->faults, FAULT_ERROR, &origin, NULL,
		  "there is no setting in it; write at least one, such as region = \"...\";");
	return false;
}

static void list_files(struct tree_reader *reader)
{
	struct model *model = reader->model;
	const struct config_source *source = &reader->source;
	const char **files = arena_alloc_array(&model->arena, source->piece_count, sizeof *files);
	struct origin origin = {.file = reader->path};

	if (!files) {
		out_of_memory(reader, &origin, NULL);
		return;
	}
	model->files.items = files;
	for (size_t i = 0; i < source->piece_count; i++)
		if (source->pieces[i].first)
			files[model->files.count++] = source->pieces[i].file;
}

static void read_model(struct tree_reader *reader, const struct hash_key *key,
		       const struct model *before)
{
	struct model *model = reader->model;
	const char *file = arena_strdup(&model->arena, reader->path);

	schema_defaults(&schema_model, model, &model->arena);
	model->origin = (struct origin){.file = file};
	model->workers_origin = (struct origin){.file = file, .path = "workers"};
	model->user_origin = (struct origin){.file = file, .path = "user"};
	for (size_t i = 0; i < schema_model.count; i++) {
		const struct field *field = &schema_model.fields[i];
		struct origin in_place = {.file = file, .path = field->key};
		if (field->type == FIELD_GROUP)
			set_origin((char *)model + field->offset, &in_place);
	}
	read_group(reader, &schema_model, config_root_setting(&reader->config), model);
	const config_setting_t *workers = config_lookup(&reader->config, "workers");
	if (workers)
		model->workers_origin = origin_of(reader, workers, "workers");
	const config_setting_t *user = config_lookup(&reader->config, "user");
	if (user)
		model->user_origin = origin_of(reader, user, "user");
	list_files(reader);
	zone_files_read(model, before, key, reader->faults);
	secret_files_read(model, reader->faults);
	model_place_endpoints(model);
}

/* False when there is no tree to walk, or no model; reader_release is to be called all the same. */
static bool reader_init(struct tree_reader *reader, const char *path, struct faults *faults)
{
	struct origin origin = {.file = path};

	*reader = (struct tree_reader){.path = path, .model = model_new(), .faults = faults};
	config_init(&reader->config);
	if (!reader->model)
		out_of_memory(reader, &origin, NULL);
	return reader->model && parse(reader);
}

/* All but the model. */
static void reader_release(struct tree_reader *reader)
{
	config_destroy(&reader->config);
	config_source_release(&reader->source);
	faults_sort(reader->faults);
}

struct model *config_file_read(const char *path, const struct hash_key *key,
			       const struct model *before, struct faults *faults)
{
	struct tree_reader reader;

	if (reader_init(&reader, path, faults)) {
		read_model(&reader, key, before);
	} else {
		model_free(reader.model);
		reader.model = NULL;
	}
	reader_release(&reader);
	return reader.model;
}

int config_file_socket(const char *path, char *socket, size_t size, struct faults *faults)
{
	const struct group *group = schema_field(&schema_model, "management")->group;
	const config_setting_t *setting;
	struct management *management;
	size_t before = faults->errors;
	struct tree_reader reader;
	int err = ERR_FAULTS;

	if (reader_init(&reader, path, faults)) {
		management = &reader.model->management;
		schema_defaults(group, management, arena_of(&reader));
		setting = config_lookup(&reader.config, "management.socket");
		if (setting)
			read_field(&reader, schema_field(group, "socket"), setting, management,
				   "management");
		if (faults->errors == before && management->socket)
			err = (size_t)snprintf(socket, size, "%s", management->socket) < size
				      ? 0
				      : ERR_LIMIT;
	}
	model_free(reader.model);
	reader_release(&reader);
	return err;
}
