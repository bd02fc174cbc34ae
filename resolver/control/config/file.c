/* Reads libconfig's tree into a model, by the reader for all such trees (rules/schema/read.h),
 * which reports all faults at once. A syntax error is reported alone, because libconfig stops at
 * the first; so are faults of the text that are found before libconfig gets it (source.h). */
#include "resolver/control/config/file.h"

#include <libconfig.h>

#include "resolver/control/base/regular_file.h"
#include "resolver/control/config/secret_files.h"
#include "resolver/control/config/source.h"
#include "resolver/control/config/zone_files.h"
#include "rules/base.h"
#include "rules/check/limits.h"
#include "rules/name.h"
#include "rules/schema/read.h"
#include "rules/schema/reference.h"

struct tree_reader {
	config_t config;
	const char *path; /* the main file */
	struct model *model;
	struct faults *faults;
	struct config_source source;
};

static struct arena *arena_of(struct tree_reader *reader)
{
	return &reader->model->arena;
}

static void out_of_memory(struct tree_reader *reader, const struct origin *origin, const char *key)
{
	fault_add(reader->faults, FAULT_ERROR, origin, key, "%s", err_text(ERR_NOMEM));
}

/* ---- libconfig's settings as a syntax of the field table ---- */

static enum value_kind setting_kind(const void *value)
{
	const config_setting_t *setting = value;

	switch (config_setting_type(setting)) {
	case CONFIG_TYPE_GROUP: return VALUE_GROUP;
	case CONFIG_TYPE_LIST: return VALUE_LIST;
	case CONFIG_TYPE_ARRAY: return VALUE_ARRAY;
	case CONFIG_TYPE_INT:
	case CONFIG_TYPE_INT64: return VALUE_INTEGER;
	case CONFIG_TYPE_BOOL: return VALUE_BOOL;
	case CONFIG_TYPE_STRING: return VALUE_STRING;
	default: return VALUE_OTHER;
	}
}

static const char *setting_kind_text(const void *value)
{
	const config_setting_t *setting = value;

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

static size_t setting_count(const void *value)
{
	return (size_t)config_setting_length(value);
}

/* A key is passed once: libconfig refuses one that is given twice. */
static void setting_each(const void *value,
			 void (*on_item)(void *context, const char *key, const void *value),
			 void *context)
{
	for (int i = 0; i < config_setting_length(value); i++) {
		const config_setting_t *item = config_setting_get_elem(value, (unsigned)i);

		on_item(context, config_setting_name(item), item);
	}
}

static long long setting_integer(const void *value)
{
	const config_setting_t *setting = value;

	return config_setting_type(setting) == CONFIG_TYPE_BOOL
		       ? config_setting_get_bool(setting) != 0
		       : config_setting_get_int64(setting);
}

static const char *setting_string(const void *value)
{
	return config_setting_get_string(value);
}

static const struct value_syntax syntax = {.kind = setting_kind,
					   .kind_text = setting_kind_text,
					   .count = setting_count,
					   .each = setting_each,
					   .integer = setting_integer,
					   .string = setting_string,
					   .tags = VALUE_ARRAY};

/* The directory part of path, in the arena: "." if there is none, "" for the root. */
static const char *directory_of(struct arena *arena, const char *path)
{
	const char *slash = strrchr(path, '/');

	return slash ? arena_printf(arena, "%.*s", (int)(slash - path), path) : ".";
}

static struct origin origin_of(void *context, const void *value)
{
	const struct tree_reader *reader = context;
	const config_setting_t *setting = value;

	return config_source_at(&reader->source, config_setting_source_line(setting));
}

/* A path is relative to the file that names it. */
static const char *rebase_path(void *context, const char *path, const struct origin *origin)
{
	struct arena *arena = arena_of(context);

	return origin->file ? config_source_path(arena, directory_of(arena, origin->file), path)
			    : path;
}

static struct schema_reader schema_reader_of(struct tree_reader *reader)
{
	return (struct schema_reader){.syntax = &syntax,
				      .arena = arena_of(reader),
				      .faults = reader->faults,
				      .origin = origin_of,
				      .path = rebase_path,
				      .context = reader};
}

/* ---- the text ---- */

static void parse_fault(struct tree_reader *reader)
{
	static const char *const advice[][2] = {
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
	if (strcmp(text, "duplicate setting name") == 0) {
		config_source_duplicate_fault(&reader->source, line, reader->faults);
		return;
	}
	while (i < COUNT(advice) && strcmp(text, advice[i][0]) != 0)
		i++;
	fault_add(reader->faults, FAULT_ERROR, &origin, NULL, "%s; %s", text,
		  i < COUNT(advice) ? advice[i][1] : "correct it and try again");
}

/* libconfig does not check what malloc returns: without memory it crashes the process. So the most
 * that the tree can take is allocated first and freed again. The tree has at most one setting or
 * element for each of the characters counted here, and a copy of each text. Other threads may
 * still take the memory in between. */
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

/* False: there is no tree to walk. */
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
	/* An editor that has just begun to write leaves an empty file. */
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
	struct model_file *files =
		arena_alloc_array(&model->arena, source->piece_count, sizeof *files);
	struct origin origin = {.file = reader->path};

	if (!files) {
		out_of_memory(reader, &origin, NULL);
		return;
	}
	model->files.items = files;
	for (size_t i = 0; i < source->piece_count; i++)
		if (source->pieces[i].first)
			files[model->files.count++] = (struct model_file){source->pieces[i].file,
									  source->pieces[i].stamp};
}

/* A transfer without a name gets its index as its name, because faults call it "transfers[0]". */
static void name_transfers(struct model *model, struct faults *faults)
{
	for (size_t i = 0; i < model->transfers.count; i++) {
		struct transfer_settings *transfer = &model->transfers.items[i];

		if (transfer->name)
			continue;
		transfer->name = arena_printf(&model->arena, "%zu", i);
		if (!transfer->name || reference_name(&transfer->named, &model->arena) != 0)
			fault_add(faults, FAULT_ERROR, &transfer->origin, "name", "%s",
				  err_text(ERR_NOMEM));
	}
}

void config_tree_read(struct schema_reader *walk, const void *root, struct model *model,
		      const struct hash_key *key, const struct model *before)
{
	const char *file = model->origin.file;

	if (schema_defaults(&schema_model, model, &model->arena) != 0)
		fault_add(walk->faults, FAULT_ERROR, &model->origin, NULL, "%s",
			  err_text(ERR_NOMEM));
	model->workers_origin = (struct origin){.file = file, .path = "workers"};
	model->user_origin = (struct origin){.file = file, .path = "user"};
	for (size_t i = 0; i < schema_model.count; i++) {
		const struct field *field = &schema_model.fields[i];
		struct origin in_place = {.file = file, .path = field->key};

		if (field->type == FIELD_GROUP)
			memcpy((char *)model + field->offset, &in_place, sizeof in_place);
	}
	schema_read_group(walk, &schema_model, root, model);
	zone_files_read(model, before, key, walk->faults);
	secret_files_read(model, walk->faults);
	name_transfers(model, walk->faults);
	if (model_sort_names(model) != 0)
		fault_add(walk->faults, FAULT_ERROR, &model->origin, NULL, "%s",
			  err_text(ERR_NOMEM));
}

static void read_model(struct tree_reader *reader, const struct hash_key *key,
		       const struct model *before)
{
	struct model *model = reader->model;
	struct schema_reader walk = schema_reader_of(reader);

	model->origin = (struct origin){.file = arena_strdup(&model->arena, reader->path)};
	list_files(reader);
	config_tree_read(&walk, config_root_setting(&reader->config), model, key, before);
}

/* False: there is no tree to walk, or no model. reader_release must be called in any case. */
static bool reader_init(struct tree_reader *reader, const char *path, struct faults *faults)
{
	struct origin origin = {.file = path};

	*reader = (struct tree_reader){.path = path, .model = model_new(), .faults = faults};
	config_init(&reader->config);
	if (!reader->model)
		out_of_memory(reader, &origin, NULL);
	return reader->model && parse(reader);
}

/* Leaves the model to the caller. */
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

int config_file_setting(const char *path, const char *in, const char *key, char *text, size_t size,
			struct faults *faults)
{
	const struct field *outer = in ? schema_field(&schema_model, in) : NULL;
	const struct group *group = outer ? outer->group : &schema_model;
	const struct field *field = schema_field(group, key);
	const config_setting_t *setting;
	size_t before = faults->errors;
	struct tree_reader reader;
	const char *value = NULL;
	int err = ERR_FAULTS;

	if (reader_init(&reader, path, faults)) {
		char *item = (char *)reader.model + (outer ? outer->offset : 0);

		if (schema_defaults(group, item, arena_of(&reader)) != 0)
			out_of_memory(&reader, &(struct origin){.file = path}, NULL);
		setting = config_root_setting(&reader.config);
		setting = in ? config_setting_get_member(setting, in) : setting;
		setting = setting ? config_setting_get_member(setting, key) : NULL;
		struct schema_reader walk = schema_reader_of(&reader);
		if (setting)
			schema_read_field(&walk, field, setting, item, in);
		memcpy(&value, item + field->offset, sizeof value);
		if (faults->errors == before)
			err = (size_t)snprintf(text, size, "%s", value ? value : "") < size
				      ? 0
				      : ERR_LIMIT;
	}
	model_free(reader.model);
	reader_release(&reader);
	return err;
}
