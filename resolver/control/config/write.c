/* From the model to a libconfig file: the field table walked once more. What is at its default is
 * written all the same, so the file says everything there is; what was not given is left out. */
#include "resolver/control/config/write.h"

#include <errno.h>
#include <stdint.h>
#include <unistd.h>

#include "rules/schema/schema.h"

struct writer {
	FILE *out;
	const char *directory; /* the working directory, which relative paths of the model mean */
	unsigned depth;
};

static void write_group(struct writer *writer, const struct group *group, const void *item);

static void indent(const struct writer *writer)
{
	fprintf(writer->out, "%*s", (int)(2 * writer->depth), "");
}

/* libconfig's escapes; bytes of UTF-8 stand for themselves. */
static void write_string(FILE *out, const char *prefix, const char *text)
{
	fprintf(out, "\"%s", prefix);
	for (; *text; text++) {
		unsigned char c = (unsigned char)*text;
		if (c == '"' || c == '\\')
			fprintf(out, "\\%c", c);
		else if (c < 0x20 || c == 0x7f)
			fprintf(out, "\\x%02x", c);
		else
			fputc(c, out);
	}
	fputc('"', out);
}

static bool is_bare(enum field_type type)
{
	return type == FIELD_UINT || type == FIELD_UINT64 || type == FIELD_BOOL;
}

/* libconfig reads an integer of more than 32 bits only with an L. */
static bool needs_long(const struct field *field, const char *text)
{
	return field->type == FIELD_UINT64 && strtoull(text, NULL, 10) > INT32_MAX;
}

static void write_value(const struct writer *writer, const struct field *field, const char *text)
{
	bool relative = field->type == FIELD_PATH && text[0] != '/';

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

	if (list.count == 0)
		return;
	indent(writer);
	fprintf(writer->out, "%s = [ ", field->key);
	for (size_t i = 0; i < list.count; i++) {
		const char *text = schema_get_text(&element, (const char *)list.items + i * size,
						   buffer, sizeof buffer);
		fputs(i == 0 ? "" : ", ", writer->out);
		write_value(writer, &element, text ? text : "");
	}
	fputs(" ];\n", writer->out);
}

static void write_item(struct writer *writer, const struct group *group, const void *item)
{
	indent(writer);
	fputs("{\n", writer->out);
	writer->depth++;
	write_group(writer, group, item);
	writer->depth--;
	indent(writer);
	fputs("}", writer->out);
}

static void write_list(struct writer *writer, const struct field *field, const void *item)
{
	struct schema_list list = schema_list_get(field, item);

	if (list.count == 0)
		return;
	indent(writer);
	fprintf(writer->out, "%s = (\n", field->key);
	writer->depth++;
	for (size_t i = 0; i < list.count; i++) {
		write_item(writer, field->group, (const char *)list.items + i * field->group->size);
		fputs(i + 1 < list.count ? ",\n" : "\n", writer->out);
	}
	writer->depth--;
	indent(writer);
	fputs(");\n", writer->out);
}

static void write_in_place(struct writer *writer, const struct field *field, const void *item)
{
	const char *in_place = (const char *)item + field->offset;
	bool given = true;

	if (field->group->given_offset != 0)
		memcpy(&given, in_place + field->group->given_offset, sizeof given);
	if (!given)
		return;
	indent(writer);
	fprintf(writer->out, "%s = {\n", field->key);
	writer->depth++;
	write_group(writer, field->group, in_place);
	writer->depth--;
	indent(writer);
	fputs("};\n", writer->out);
}

static void write_scalar(const struct writer *writer, const struct field *field, const void *item)
{
	char buffer[128];
	const char *text = schema_get_text(field, item, buffer, sizeof buffer);

	if (!text)
		return;
	indent(writer);
	fprintf(writer->out, "%s = ", field->key);
	write_value(writer, field, text);
	fputs(";\n", writer->out);
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
		default: write_scalar(writer, field, item);
		}
	}
}

void config_item_write(const struct group *group, const void *item, FILE *out)
{
	struct writer writer = {.out = out, .directory = "", .depth = 1};

	write_item(&writer, group, item);
}

int config_file_write(const struct model *model, FILE *out)
{
	struct writer writer = {.out = out, .depth = 0};
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
