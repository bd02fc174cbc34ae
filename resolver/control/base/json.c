/* A flag per thread notes that something has failed, so code that builds a large object need not
 * check every step. */
#include "resolver/control/base/json.h"

#include <stdarg.h>
#include <stdbool.h>
#include <string.h>
#include <strings.h>
#include <time.h>

static _Thread_local bool failed;

static json_t *noted(json_t *value)
{
	failed = failed || !value;
	return value;
}

static json_t *question_marks(const char *text)
{
	char *copy = strdup(text);

	for (char *at = copy; at && *at; at++)
		if ((unsigned char)*at >= 0x80)
			*at = '?';
	json_t *string = copy ? json_string(copy) : NULL;
	free(copy);
	return string;
}

json_t *json_text(const char *text)
{
	if (!text)
		return json_null();
	json_t *string = json_string(text);
	return noted(string ? string : question_marks(text));
}

json_t *json_time(int64_t at_s)
{
	char text[40] = "";
	time_t at = (time_t)at_s;
	struct tm parts;

	if (gmtime_r(&at, &parts))
		strftime(text, sizeof text, "%Y-%m-%dT%H:%M:%SZ", &parts);
	return json_text(text);
}

json_t *json_make(const char *format, ...)
{
	json_error_t error;
	va_list arguments;

	va_start(arguments, format);
	json_t *value = json_vpack_ex(&error, 0, format, arguments);
	va_end(arguments);
	return noted(value);
}

void json_add(json_t *array, json_t *value)
{
	failed = json_array_append_new(array, value) != 0 || failed;
}

void json_put(json_t *object, const char *key, json_t *value)
{
	failed = json_object_set_new(object, key, value) != 0 || failed;
}

void json_put_text(json_t *object, const char *key, const char *text)
{
	if (text)
		json_put(object, key, json_text(text));
}

json_t *json_own_membern(const json_t *object, const char *name, size_t length)
{
	const char *key;
	json_t *value, *found = NULL;

	json_object_foreach((json_t *)(uintptr_t)object, key, value)
	{
		if (strncasecmp(key, name, length) != 0 || key[length] != '\0')
			continue;
		if (!found || strncmp(key, name, length) == 0)
			found = value;
	}
	return json_is_null(found) ? NULL : found;
}

json_t *json_own_member(const json_t *object, const char *name)
{
	return json_own_membern(object, name, strlen(name));
}

const char *json_text_of(const json_t *object, const char *key)
{
	const char *text = json_string_value(json_object_get(object, key));

	return text ? text : "";
}

json_t *json_whole(json_t *made)
{
	bool whole = made && !failed;

	failed = false;
	if (whole)
		return made;
	json_decref(made);
	return NULL;
}

char *json_whole_text(json_t *made)
{
	char *text;

	made = json_whole(made);
	text = made ? json_dumps(made, JSON_COMPACT) : NULL;
	json_decref(made);
	return text;
}

/* ---- row by row ---- */

bool json_writer_begin(struct json_writer *writer, const char *between, size_t flags)
{
	*writer = (struct json_writer){.between = between, .flags = flags};
	writer->out = open_memstream(&writer->text, &writer->length);
	return writer->out;
}

void json_writer_list(struct json_writer *writer, const char *head)
{
	fputs(head, writer->out);
	writer->any = false;
}

void json_writer_comma(struct json_writer *writer)
{
	if (writer->any)
		fputs(writer->between, writer->out);
	writer->any = true;
}

void json_writer_value(struct json_writer *writer, json_t *value)
{
	value = json_whole(value);
	if (!value || json_dumpf(value, writer->out, writer->flags | JSON_ENCODE_ANY) != 0)
		writer->failed = true;
	json_decref(value);
}

void json_writer_row(struct json_writer *writer, json_t *row)
{
	json_writer_comma(writer);
	json_writer_value(writer, row);
}

void json_writer_row_text(struct json_writer *writer, const char *text)
{
	json_writer_comma(writer);
	fputs(text, writer->out);
}

void json_writer_fail(struct json_writer *writer)
{
	writer->failed = true;
}

bool json_writer_has_failed(const struct json_writer *writer)
{
	return writer->failed;
}

char *json_writer_end(struct json_writer *writer, size_t *length)
{
	bool fine = !writer->failed && !ferror(writer->out);

	fine = fclose(writer->out) == 0 && fine;
	*length = writer->length;
	if (fine)
		return writer->text;
	free(writer->text);
	return NULL;
}

void json_writer_cancel(struct json_writer *writer)
{
	fclose(writer->out);
	free(writer->text);
}
