/* libyaml's events, one after the other, with a stack of what is open. Aliases are refused: a few
 * lines of them stand for more than a machine's memory, and no configuration here needs them. */
#include "resolver/control/import/yaml_file.h"

#include <string.h>
#include <strings.h>
#include <yaml.h>

#include "resolver/control/import/json_file.h"

enum { DEPTH_MAX = 64 };

struct reading {
	struct import *import;
	const char *path;
	json_t *root;            /* NULL: nothing yet */
	json_t *open[DEPTH_MAX]; /* the innermost last; borrowed */
	char *keys[DEPTH_MAX];   /* that a mapping's next value has; NULL: a key is next */
	size_t depth;
};

static struct origin place(struct reading *reading, const yaml_mark_t *mark)
{
	return import_place(reading->import, reading->path, (unsigned)mark->line + 1, NULL);
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

/* Takes over the value. False: there is no place for it, which was told. */
static bool put(struct reading *reading, json_t *value, const struct origin *at)
{
	json_t *in = reading->depth > 0 ? reading->open[reading->depth - 1] : NULL;
	char **key = reading->depth > 0 ? &reading->keys[reading->depth - 1] : NULL;
	bool fits = value != NULL;

	if (!fits) {
		import_fault(reading->import, at, "it is no text in UTF-8");
		return false;
	}
	json_file_keep(reading->import, value, at);
	if (!in) {
		fits = !reading->root;
		if (fits)
			reading->root = value;
		else
			json_decref(value);
		if (!fits)
			import_fault(reading->import, at, "it has a second document");
		return fits;
	}
	if (json_is_array(in))
		return json_array_append_new(in, value) == 0;
	if (!*key || json_object_get(in, *key)) {
		import_fault(reading->import, at, *key ? "%s is there twice" : "a key is a text%s",
			     *key ? *key : "");
		json_decref(value);
		return false;
	}
	fits = json_object_set_new(in, *key, value) == 0;
	*key = NULL;
	return fits;
}

static bool take_scalar(struct reading *reading, const yaml_event_t *event, const struct origin *at)
{
	json_t *in = reading->depth > 0 ? reading->open[reading->depth - 1] : NULL;
	const char *text = (const char *)event->data.scalar.value;

	if (strlen(text) != event->data.scalar.length) {
		import_fault(reading->import, at, "it has a NUL byte; give a text");
		return false;
	}
	if (json_is_object(in) && !reading->keys[reading->depth - 1]) {
		reading->keys[reading->depth - 1] = import_printf(reading->import, "%s", text);
		return true;
	}
	return put(reading, is_null(event) ? json_null() : json_string(text), at);
}

static bool begin(struct reading *reading, json_t *value, const struct origin *at)
{
	if (reading->depth == DEPTH_MAX) {
		import_fault(reading->import, at, "it is in more than %d others", DEPTH_MAX);
		json_decref(value);
		return false;
	}
	if (!put(reading, value, at))
		return false;
	reading->open[reading->depth] = value;
	reading->keys[reading->depth++] = NULL;
	return true;
}

/* False: that was the end, or what it has is told. */
static bool take_event(struct reading *reading, const yaml_event_t *event)
{
	struct origin at = place(reading, &event->start_mark);

	switch (event->type) {
	case YAML_SCALAR_EVENT: return take_scalar(reading, event, &at);
	case YAML_SEQUENCE_START_EVENT: return begin(reading, json_array(), &at);
	case YAML_MAPPING_START_EVENT: return begin(reading, json_object(), &at);
	case YAML_SEQUENCE_END_EVENT:
	case YAML_MAPPING_END_EVENT: reading->depth--; return true;
	case YAML_ALIAS_EVENT:
		import_fault(reading->import, &at,
			     "aliases (*%s) are not read; write what it stands for",
			     (const char *)event->data.alias.anchor);
		return false;
	case YAML_STREAM_END_EVENT: return false;
	default: return true;
	}
}

/* libyaml leaves them out. */
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
	struct reading reading = {.import = import, .path = path};
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
			at = place(&reading, &parser.problem_mark);
			import_fault(import, &at, "it is no YAML: %s",
				     parser.problem ? parser.problem : "it cannot be read");
			break;
		}
		more = take_event(&reading, &event);
		fine = event.type == YAML_STREAM_END_EVENT;
		yaml_event_delete(&event);
	}
	yaml_parser_delete(&parser);
	if (fine && reading.root)
		return reading.root;
	at = import_place(import, path, 1, NULL);
	if (fine)
		import_fault(import, &at, "it is empty");
	json_decref(reading.root);
	return NULL;
}
