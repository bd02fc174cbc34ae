#include "resolver/control/api/azure/record_data.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "resolver/control/api/azure/body.h"
#include "resolver/control/base/json.h"
#include "rules/zone/rdata.h"
#include "rules/zone/record.h"

static unsigned char read_escape(const char **at)
{
	const char *digits = *at + 1;

	if (isdigit((unsigned char)digits[0]) && isdigit((unsigned char)digits[1]) &&
	    isdigit((unsigned char)digits[2])) {
		*at += 4;
		return (unsigned char)((digits[0] - '0') * 100 + (digits[1] - '0') * 10 +
				       digits[2] - '0');
	}
	*at += 1 + (*digits != '\0');
	return (unsigned char)*digits;
}

/* Copies the next datum of a master file's text into the buffer; a string loses its quotes and
 * escapes. False: there is none. */
static bool next_datum(const char **at, bool is_string, char *part, size_t size)
{
	bool quoted = false;
	size_t used = 0;

	*at += strspn(*at, " \t");
	if (**at == '\0')
		return false;
	if (is_string && **at == '"') {
		quoted = true;
		(*at)++;
	}
	while (**at != '\0' && used + 1 < size) {
		if (quoted ? **at == '"' : strchr(" \t", **at) != NULL)
			break;
		part[used++] = is_string && **at == '\\' ? (char)read_escape(at) : *(*at)++;
	}
	part[used] = '\0';
	*at += quoted && **at == '"';
	return true;
}

/* Prints a domain name, which may be relative to the zone, in full and without its final dot. */
static json_t *print_name(const char *name, const char *zone)
{
	size_t length = strlen(name);

	if (strcmp(name, "@") == 0)
		return json_text(zone);
	if (length > 1 && name[length - 1] == '.')
		return json_stringn(name, length - 1);
	return length == 1 && *name == '.' ? json_text(name) : json_sprintf("%s.%s", name, zone);
}

/* Prints a number, which in a SOA may be a time with units: "1h". */
static json_t *print_number(const char *text)
{
	uint32_t number;

	return rdata_parse_period(text, UINT32_MAX, &number) ? json_integer(number)
							     : json_text(text);
}

/* Is the text in the form that RFC 3597 section 5 has for data of every type? */
static bool is_generic(const char *text)
{
	text += strspn(text, " \t");
	return strncmp(text, "\\#", 2) == 0 && strcspn(text, " \t") == 2;
}

/* Turns RFC 3597's form ("\# 4 c0000201") into the form of the type ("192.0.2.1"), to be freed.
 * NULL: the data is not of this type, or there is no memory. */
static char *print_specific(const struct arm_type *type, const char *text)
{
	static const uint8_t root[] = {0}; /* the form has no relative names */
	uint8_t rdata[RDATA_MAX];
	char *specific = NULL;
	const char *why;
	size_t length, size;
	uint16_t number;
	FILE *out;
	int err;

	if (record_type_parse(&number, type->record_type) != 0 ||
	    rdata_parse(number, text, root, rdata, &length, &why) != 0)
		return NULL;
	out = open_memstream(&specific, &size);
	if (!out)
		return NULL;
	err = rdata_print(number, rdata, length, out);
	if (fclose(out) == 0 && !err)
		return specific;
	free(specific);
	return NULL;
}

enum { RECORD_TEXT_MAX = 65536 };

json_t *record_data_print(const struct arm_type *type, const struct arm_member *data,
			  const char *text, const char *zone)
{
	char *part = malloc(RECORD_TEXT_MAX),
	     *specific = is_generic(text) ? print_specific(type, text) : NULL;
	json_t *object = json_object(), *strings;

	if (specific)
		text = specific;
	for (; part && data->path; data++) {
		if (data->form == ARM_STRINGS) {
			strings = json_array();
			while (next_datum(&text, true, part, RECORD_TEXT_MAX))
				json_add(strings, json_text(part));
			json_put(object, data->path, strings);
			continue;
		}
		if (!next_datum(&text, false, part, RECORD_TEXT_MAX))
			continue;
		json_put(object, data->path,
			 data->form == ARM_NUMBER ? print_number(part)
			 : data->form == ARM_NAME ? print_name(part, zone)
						  : json_text(part));
	}
	free(specific);
	free(part);
	return object;
}

/* Writes a string of a TXT record as in a master file. */
static void add_string(FILE *out, const char *string)
{
	fputc('"', out);
	for (const char *at = string; *at; at++) {
		if ((unsigned char)*at < ' ' || *at == 0x7f) {
			fprintf(out, "\\%03u", (unsigned char)*at);
			continue;
		}
		if (*at == '"' || *at == '\\')
			fputc('\\', out);
		fputc(*at, out);
	}
	fputc('"', out);
}

/* Is the text one datum: not empty, not two, and no comment? */
static bool is_word(const char *text)
{
	return text && *text && text[strcspn(text, " \t\r\n;()\"")] == '\0';
}

static bool read_datum(const struct arm_member *data, json_t *value, FILE *out)
{
	const char *text = json_string_value(value);
	json_t *string, *number;
	size_t i;
	bool good;

	switch (data->form) {
	case ARM_NUMBER:
		number = arm_number(value);
		good = json_is_integer(number) && json_integer_value(number) >= 0;
		fprintf(out, "%" JSON_INTEGER_FORMAT, json_integer_value(number));
		json_decref(number);
		return good;
	case ARM_NAME:
		fprintf(out, "%s%s", text ? text : "",
			text && *text && text[strlen(text) - 1] == '.' ? "" : ".");
		return is_word(text);
	case ARM_STRINGS:
		json_array_foreach(value, i, string)
		{
			if (!json_is_string(string))
				return false;
			fputs(i > 0 ? " " : "", out);
			add_string(out, json_string_value(string));
		}
		return json_array_size(value) > 0;
	default: fputs(text ? text : "", out); return is_word(text);
	}
}

const char *record_data_expected(const struct arm_member *data)
{
	switch (data->form) {
	case ARM_NUMBER: return "a whole number";
	case ARM_NAME: return "a domain name";
	case ARM_STRINGS: return "an array of strings";
	default: return "an address";
	}
}

json_t *record_data_read(const struct arm_member *data, json_t *object,
			 const struct arm_member **misfit)
{
	const struct arm_member *first = data;
	char *text = NULL;
	size_t length;
	FILE *out = open_memstream(&text, &length);
	json_t *record = NULL;
	bool good = out;

	*misfit = NULL;
	for (; good && data->path; data++) {
		if (data > first)
			fputc(' ', out);
		good = read_datum(data, arm_get(object, data->path), out);
		if (!good)
			*misfit = data;
	}
	if (out && fclose(out) == 0 && good)
		record = json_text(text);
	free(text);
	return record;
}

bool record_data_is_same_name(const char *left, const char *right)
{
	size_t length = strlen(left), other = strlen(right);

	length -= length > 1 && left[length - 1] == '.';
	other -= other > 1 && right[other - 1] == '.';
	return length == other && strncasecmp(left, right, length) == 0;
}

/* Does the client's spelling mean the same as the printed record? */
static bool says_record(const struct arm_member *data, json_t *written, const json_t *printed)
{
	for (; data->path; data++) {
		json_t *said = arm_get(written, data->path),
		       *is = json_object_get(printed, data->path);
		const char *text = json_string_value(said), *own = json_string_value(is);
		bool same = data->form == ARM_NAME && text && own
				    ? record_data_is_same_name(text, own)
				    : said && json_equal(said, is);

		if (!same)
			return false;
	}
	return true;
}

json_t *record_data_as_written(const struct arm_member *data, json_t *written, json_t *printed)
{
	if (!says_record(data, written, printed))
		return printed;
	json_decref(printed);
	return json_incref(written);
}

json_t *record_data_written(const struct arm_member *data, json_t *value)
{
	json_t *object = json_object();

	for (; data->path; data++) {
		json_t *datum = arm_get(value, data->path);

		if (datum)
			json_put(object, data->path,
				 data->form == ARM_NUMBER ? arm_number(datum) : json_incref(datum));
	}
	return object;
}
