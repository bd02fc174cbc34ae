/* Writes a model as a libconfig file: the field table walked once more. Defaults are written, so
 * the file is complete; only settings without a value are left out. A file for people leaves out
 * defaults and has short groups on one line. */
#include "resolver/control/config/write.h"

#include <errno.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "rules/schema/reference.h"
#include "rules/text.h"

enum { LINE_MAX_BYTES = 100, FLAT_ITEMS_MAX = 4 }; /* in a file for people */

struct writer {
	FILE *out;
	const char *directory; /* put before relative paths: the working directory, or "" */
	unsigned depth;
	const struct config_style *style; /* NULL: the file is not for people */
	const char *group;                /* the resource group of the item that is being written */
	bool flat;                        /* write everything on one line */
	bool has_comment;                 /* there is a comment, so one line is not possible */
};

static void write_group(struct writer *writer, const struct group *group, const void *item);
static void write_list(struct writer *writer, const struct field *field, const void *item);

static void indent(const struct writer *writer)
{
	if (!writer->flat)
		fprintf(writer->out, "%*s", (int)(2 * writer->depth), "");
}

static void end_line(const struct writer *writer)
{
	fputc(writer->flat ? ' ' : '\n', writer->out);
}

/* Writes the comment above the item, or at its end. */
static void write_comment(struct writer *writer, const void *item, bool at_end)
{
	struct origin origin;
	const char *text;

	if (!writer->style)
		return;
	memcpy(&origin, item, sizeof origin);
	text = (at_end ? writer->style->end : writer->style->comment)(writer->style->context,
								      &origin, !writer->flat);
	writer->has_comment |= text != NULL;
	if (!text || writer->flat)
		return;
	for (const char *end; *text != '\0'; text = end + (*end != '\0')) {
		end = strchrnul(text, '\n');
		indent(writer);
		fprintf(writer->out, "#%s%.*s\n", end > text ? " " : "", (int)(end - text), text);
	}
}

/* Escapes as libconfig reads them; bytes of UTF-8 are written as they are. */
static void write_escaped(FILE *out, const char *text)
{
	for (; *text; text++) {
		unsigned char c = (unsigned char)*text;
		if (c == '"' || c == '\\')
			fprintf(out, "\\%c", c);
		else if (c < 0x20 || c == 0x7f)
			fprintf(out, "\\x%02x", c);
		else
			fputc(c, out);
	}
}

static void write_string(FILE *out, const char *prefix, const char *text)
{
	fputc('"', out);
	write_escaped(out, prefix);
	write_escaped(out, text);
	fputc('"', out);
}

static bool is_bare(enum field_type type)
{
	return type == FIELD_UINT || type == FIELD_UINT64 || type == FIELD_BOOL;
}

/* libconfig reads an integer above 2147483647 only with an L. */
static bool needs_long(const struct field *field, const char *text)
{
	return field->type == FIELD_UINT64 && strtoull(text, NULL, 10) > INT32_MAX;
}

static void write_value(const struct writer *writer, const struct field *field, const char *text)
{
	bool relative = field->type == FIELD_PATH && text[0] != '/' &&
			!(field->url && text_url_scheme(text));

	if (is_bare(field->type))
		fprintf(writer->out, "%s%s", text, needs_long(field, text) ? "L" : "");
	else
		write_string(writer->out, relative ? writer->directory : "", text);
}

static void write_array(const struct writer *writer, const struct field *field, const void *item)
{
	struct schema_list list = schema_list_get(field, item);
	char buffer[128];
	size_t size;
	struct field element = schema_element(field, field->key, &size);

	if (list.count == 0 && !field->required)
		return;
	indent(writer);
	fprintf(writer->out, "%s = [ ", field->key);
	for (size_t i = 0; i < list.count; i++) {
		const char *text = schema_get_text(&element, (const char *)list.items + i * size,
						   buffer, sizeof buffer);
		if (text && element.refers)
			text = reference_short(text, field->refers, writer->group);
		fputs(i == 0 ? "" : ", ", writer->out);
		write_value(writer, &element, text ? text : "");
	}
	fputs(" ];", writer->out);
	end_line(writer);
}

/* Writes NAME=VALUE, with a backslash before each '=' and backslash of the name (schema/read.c). */
static void write_tag(FILE *out, const struct tag *tag)
{
	char *text = NULL;
	size_t length = 0;
	FILE *whole = open_memstream(&text, &length);

	if (whole) {
		for (const char *at = tag->name; *at; at++)
			fprintf(whole, "%s%c", *at == '=' || *at == '\\' ? "\\" : "", *at);
		fprintf(whole, "=%s", tag->value);
		fclose(whole);
	}
	write_string(out, "", text ? text : "");
	free(text);
}

static void write_tags(const struct writer *writer, const struct field *field, const void *item)
{
	struct schema_list list = schema_list_get(field, item);
	const struct tag *tags = list.items;

	if (list.count == 0)
		return;
	indent(writer);
	fprintf(writer->out, "%s = [ ", field->key);
	for (size_t i = 0; i < list.count; i++) {
		fputs(i == 0 ? "" : ", ", writer->out);
		write_tag(writer->out, &tags[i]);
	}
	fputs(" ];", writer->out);
	end_line(writer);
}

/* Puts the output of `write` on one line, between `before` and `behind`; false: it does not fit,
 * and nothing was written. */
static bool write_flat(struct writer *writer,
		       void (*write)(struct writer *, const void *, const void *), const void *what,
		       const void *item, const char *before, const char *behind)
{
	char *text = NULL;
	size_t length = 0;
	struct writer flat = *writer;
	bool fits;

	flat.out = open_memstream(&text, &length);
	if (!flat.out)
		return false;
	flat.flat = true;
	flat.has_comment = false;
	write(&flat, what, item);
	fits = fclose(flat.out) == 0 && !flat.has_comment &&
	       2 * writer->depth + length + strlen(before) + strlen(behind) <= LINE_MAX_BYTES;
	if (fits) { /* the output ends with a blank in place of a line end */
		indent(writer);
		fprintf(writer->out, "%s%.*s%s", before, length > 0 ? (int)length - 1 : 0, text,
			behind);
	}
	free(text);
	return fits;
}

static void write_any_group(struct writer *writer, const void *group, const void *item)
{
	write_group(writer, group, item);
	write_comment(writer, item, true);
}

static void write_any_list(struct writer *writer, const void *field, const void *item)
{
	write_list(writer, field, item);
}

/* Writes the group in braces; the caller writes what is before and behind them on their lines. */
static void write_braced(struct writer *writer, const struct group *group, const void *item)
{
	fputc('{', writer->out);
	end_line(writer);
	writer->depth++;
	write_any_group(writer, group, item);
	writer->depth--;
	indent(writer);
	fputc('}', writer->out);
}

static void write_item(struct writer *writer, const struct group *group, const void *item)
{
	const char *outer = writer->group;

	if (group->named)
		writer->group = ((const struct named *)item)->resource_group;
	write_comment(writer, item, false);
	if (!writer->style || writer->flat ||
	    !write_flat(writer, write_any_group, group, item, "{ ", " }")) {
		indent(writer);
		write_braced(writer, group, item);
	}
	writer->group = outer; /* a reference outside the item may be to another group */
}

static const void *item_of(const struct field *field, const struct schema_list *list, size_t i)
{
	return (const char *)list->items + i * field->group->size;
}

/* The aside that takes items of this list, and how many; NULL: none does. */
static const struct config_aside *aside_of(const struct writer *writer, const struct field *field,
					   const struct schema_list *list, size_t *count)
{
	const struct config_style *style = writer->style;

	*count = 0;
	for (size_t i = 0; style && writer->depth == 0 && i < style->aside_count; i++) {
		const struct config_aside *aside = &style->asides[i];

		if (strcmp(field->key, aside->list) != 0)
			continue;
		for (size_t k = 0; k < list->count; k++)
			*count += aside->holds(style->context, item_of(field, list, k));
		if (*count > 0)
			return aside;
	}
	return NULL;
}

/* Writes the items that are in the aside, or those that are not. `left` is their number; `more`:
 * others follow. */
static void write_items(struct writer *writer, const struct field *field,
			const struct schema_list *list, const struct config_aside *aside,
			bool is_aside, size_t left, bool more)
{
	for (size_t i = 0; i < list->count; i++) {
		const void *item = item_of(field, list, i);

		if (aside && aside->holds(writer->style->context, item) != is_aside)
			continue;
		write_item(writer, field->group, item);
		fputs(--left > 0 || more ? "," : "", writer->out);
		end_line(writer);
	}
}

/* The @include stands for items, so write_items has ended the item before it with a comma. */
static void write_aside(struct writer *writer, const struct field *field,
			const struct schema_list *list, const struct config_aside *aside,
			size_t count)
{
	struct writer other = *writer;

	if (aside->out) {
		fprintf(writer->out, "@include \"%s\"\n", aside->name);
		other.out = aside->out;
	}
	write_items(&other, field, list, aside, true, count, false);
}

static void write_list(struct writer *writer, const struct field *field, const void *item)
{
	struct schema_list list = schema_list_get(field, item);
	size_t count;
	const struct config_aside *aside = aside_of(writer, field, &list, &count);

	if (list.count == 0)
		return;
	if (writer->style && !writer->flat && !(aside && aside->out) &&
	    list.count <= FLAT_ITEMS_MAX &&
	    write_flat(writer, write_any_list, field, item, "", "\n"))
		return;
	indent(writer);
	fprintf(writer->out, "%s = (", field->key);
	end_line(writer);
	writer->depth++;
	write_items(writer, field, &list, aside, false, list.count - count, aside);
	if (aside)
		write_aside(writer, field, &list, aside, count);
	writer->depth--;
	indent(writer);
	fputs(");", writer->out);
	end_line(writer);
}

/* Does the group have a value that is not the default? */
static bool says_something(struct writer *writer, const struct group *group, const void *item)
{
	char *text = NULL;
	size_t length = 0;
	struct writer probe = *writer;

	probe.out = open_memstream(&text, &length);
	if (!probe.out)
		return true;
	probe.flat = true;
	write_group(&probe, group, item);
	fclose(probe.out);
	free(text);
	return length > 0;
}

static void write_in_place(struct writer *writer, const struct field *field, const void *item)
{
	const char *in_place = (const char *)item + field->offset;
	bool given = true;

	if (field->group->given_offset != 0)
		memcpy(&given, in_place + field->group->given_offset, sizeof given);
	if (!given || (writer->style && !says_something(writer, field->group, in_place)))
		return;
	write_comment(writer, in_place, false);
	indent(writer);
	fprintf(writer->out, "%s = ", field->key);
	write_braced(writer, field->group, in_place);
	fputc(';', writer->out);
	end_line(writer);
}

/* A file for people leaves out a default. One that was given explicitly stays only if its field has
 * an origin of its own (origin_offset), because giving such a field can have a meaning. */
static bool is_left_out(const struct writer *writer, const struct field *field, const void *item,
			const char *text)
{
	struct origin origin = {.line = 0};

	if (field->origin_offset != 0)
		memcpy(&origin, (const char *)item + field->origin_offset, sizeof origin);
	return writer->style && text_equal(text, field->fallback) && origin.line == 0;
}

static void write_scalar(const struct writer *writer, const struct field *field, const void *item)
{
	char buffer[128];
	const char *text = schema_get_text(field, item, buffer, sizeof buffer);

	if (!text || is_left_out(writer, field, item, text))
		return;
	if (field->refers)
		text = reference_short(text, field->refers, writer->group);
	indent(writer);
	fprintf(writer->out, "%s = ", field->key);
	write_value(writer, field, text);
	fputc(';', writer->out);
	end_line(writer);
}

static void write_group(struct writer *writer, const struct group *group, const void *item)
{
	for (size_t i = 0; i < group->count; i++) {
		const struct field *field = &group->fields[i];
		switch (field->type) {
		case FIELD_GROUP: write_in_place(writer, field, item); break;
		case FIELD_LIST: write_list(writer, field, item); break;
		case FIELD_STRINGS:
		case FIELD_DOMAINS:
		case FIELD_HOSTS:
		case FIELD_PREFIXES: write_array(writer, field, item); break;
		case FIELD_TAGS: write_tags(writer, field, item); break;
		default: write_scalar(writer, field, item);
		}
	}
}

void config_item_write(const struct group *group, const void *item, FILE *out)
{
	struct writer writer = {.out = out, .directory = "", .depth = 1};

	write_item(&writer, group, item);
}

static int write_model(const struct model *model, const struct config_style *style, FILE *out)
{
	struct writer writer = {.out = out, .style = style};
	char *working = getcwd(NULL, 0), *directory = NULL;
	int err = ERR_SYSTEM;

	if (!working || asprintf(&directory, "%s/", working) < 0) {
		directory = NULL;
		goto out;
	}
	writer.directory = directory;
	write_group(&writer, &schema_model, model);
	err = fflush(out) == 0 && !ferror(out) ? 0 : ERR_SYSTEM;
out:
	free(directory);
	free(working);
	return err;
}

int config_file_write(const struct model *model, FILE *out)
{
	return write_model(model, NULL, out);
}

int config_file_write_for_people(const struct model *model, const struct config_style *style,
				 FILE *out)
{
	return write_model(model, style, out);
}
