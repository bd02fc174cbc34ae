/* Handles libyaml's events one by one, with a stack of open values. Aliases are refused: a few
 * lines of them can stand for more than a machine's memory, and no configuration needs them. */
#include "resolver/control/import/yaml_file.h"

#include <string.h>
#include <strings.h>
#include <yaml.h>

#include "resolver/control/import/json_file.h"

enum { DEPTH_MAX = 64 };

struct yaml_reader {
	struct import *import;
	const char *path;
	json_t *root;            /* NULL: none yet */
	json_t *open[DEPTH_MAX]; /* the innermost last; borrowed */
	char *keys[DEPTH_MAX];   /* the key of a mapping's next value; NULL: a key comes next */
	size_t depth;
};

static struct origin place(struct yaml_reader *reader, const yaml_mark_t *mark)
{
	return import_place(reader->import, reader->path, (unsigned)mark->line + 1, NULL);
}

static bool is_null(const yaml_event_t *event)
{
	static const char *const texts[] = {"", "~", "null", "Null", "NULL"};
	const char *text = (const char *)event->data.scalar.value;

	for (size_t i = 0; i < sizeof texts / sizeof *texts; i++)
		if (event->data.scalar.plain_implicit && strcmp(texts[i], text) == 0)
			return true;
	return false;
}

/* Adds the value, and takes it over. False: it cannot be added, which is reported. */
static bool put(struct yaml_reader *reader, json_t *value, const struct origin *at)
{
	json_t *in = reader->depth > 0 ? reader->open[reader->depth - 1] : NULL;
	char **key = reader->depth > 0 ? &reader->keys[reader->depth - 1] : NULL;
	bool fits = value != NULL;

	if (!fits) {
		import_fault(reader->import, at, "it is no text in UTF-8");
		return false;
	}
	json_file_keep(reader->import, value, at);
	if (!in) {
		fits = !reader->root;
		if (fits)
			reader->root = value;
		else
			json_decref(value);
		if (!fits)
			import_fault(reader->import, at, "it has a second document");
		return fits;
	}
	if (json_is_array(in))
		return json_array_append_new(in, value) == 0;
	if (!*key || json_object_get(in, *key)) {
		import_fault(reader->import, at, *key ? "%s is there twice" : "a key is a text%s",
			     *key ? *key : "");
		json_decref(value);
		return false;
	}
	fits = json_object_set_new(in, *key, value) == 0;
	*key = NULL;
	return fits;
}

static bool take_scalar(struct yaml_reader *reader, const yaml_event_t *event,
			const struct origin *at)
{
	json_t *in = reader->depth > 0 ? reader->open[reader->depth - 1] : NULL;
	const char *text = (const char *)event->data.scalar.value;

	if (strlen(text) != event->data.scalar.length) {
		import_fault(reader->import, at, "it has a NUL byte; give a text");
		return false;
	}
	if (json_is_object(in) && !reader->keys[reader->depth - 1]) {
		reader->keys[reader->depth - 1] = import_printf(reader->import, "%s", text);
		return true;
	}
	return put(reader, is_null(event) ? json_null() : json_string(text), at);
}

static bool begin(struct yaml_reader *reader, json_t *value, const struct origin *at)
{
	if (reader->depth == DEPTH_MAX) {
		import_fault(reader->import, at, "it is in more than %d others", DEPTH_MAX);
		json_decref(value);
		return false;
	}
	if (!put(reader, value, at))
		return false;
	reader->open[reader->depth] = value;
	reader->keys[reader->depth++] = NULL;
	return true;
}

/* False: the end, or an error, which is reported. */
static bool take_event(struct yaml_reader *reader, const yaml_event_t *event)
{
	struct origin at = place(reader, &event->start_mark);

	switch (event->type) {
	case YAML_SCALAR_EVENT: return take_scalar(reader, event, &at);
	case YAML_SEQUENCE_START_EVENT: return begin(reader, json_array(), &at);
	case YAML_MAPPING_START_EVENT: return begin(reader, json_object(), &at);
	case YAML_SEQUENCE_END_EVENT:
	case YAML_MAPPING_END_EVENT: reader->depth--; return true;
	case YAML_ALIAS_EVENT:
		import_fault(reader->import, &at,
			     "aliases (*%s) are not read; write what it stands for",
			     (const char *)event->data.alias.anchor);
		return false;
	case YAML_STREAM_END_EVENT: return false;
	default: return true;
	}
}

/* Takes the comments from the text, because libyaml leaves them out. */
static void take_comments(struct import *import, const char *path, const char *text)
{
	unsigned line = 1;

	for (size_t length; *text != '\0'; line++) {
		const char *at = text + strspn(text, " \t"), *comment = at + strspn(at, "# ");

		length = strcspn(text, "\n");
		if (*at == '#')
			import_comment_ahead(import,
					     import_printf(import, "%.*s",
							   (int)strcspn(comment, "\r\n"), comment));
		else if (*at != '\r' && *at != '\n' && *at != '\0')
			import_comments_to(import, path, line);
		text += length + (text[length] != '\0');
	}
	import_comments_to(import, path, line);
}

json_t *yaml_file_parse(struct import *import, const char *path, const char *text, size_t length)
{
	struct yaml_reader reader = {.import = import, .path = path};
	struct origin at;
	yaml_parser_t parser;
	yaml_event_t event;
	bool more = true, fine = false;

	if (!yaml_parser_initialize(&parser)) {
		at = import_place(import, path, 0, NULL);
		import_fault(import, &at, "there is not enough memory");
		return NULL;
	}
	take_comments(import, path, text);
	yaml_parser_set_input_string(&parser, (const unsigned char *)text, length);
	yaml_parser_set_encoding(&parser, YAML_UTF8_ENCODING);
	while (more) {
		if (!yaml_parser_parse(&parser, &event)) {
			at = place(&reader, &parser.problem_mark);
			import_fault(import, &at, "it is no YAML: %s",
				     parser.problem ? parser.problem : "it cannot be read");
			break;
		}
		more = take_event(&reader, &event);
		fine = event.type == YAML_STREAM_END_EVENT;
		yaml_event_delete(&event);
	}
	yaml_parser_delete(&parser);
	if (fine && reader.root)
		return reader.root;
	at = import_place(import, path, 1, NULL);
	if (fine)
		import_fault(import, &at, "it is empty");
	json_decref(reader.root);
	return NULL;
}
