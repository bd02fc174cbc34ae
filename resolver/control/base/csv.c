/* One pass over the bytes. A malformed row is refused with the reason, and reading goes on at the
 * line after the mistake, so that faults of later rows are found, too. A wrongly opened quote takes
 * in later rows, which are lost: at most what fits into a row (CSV_ROW_MAX), and the rest of the
 * line at which reading stops. */
#include "resolver/control/base/csv.h"

#include <string.h>

char csv_separator(const char *text, size_t length)
{
	static const char separators[] = ",;\t";
	size_t counts[sizeof separators] = {0}, best = 0;
	bool quoted = false;

	for (size_t i = 0; i < length && (quoted || text[i] != '\n'); i++) {
		const char *found = quoted ? NULL : memchr(separators, text[i], 3);

		quoted ^= text[i] == '"';
		if (found && ++counts[found - separators] > counts[best])
			best = (size_t)(found - separators);
	}
	return separators[best];
}

void csv_init(struct csv *csv, const char *text, size_t length)
{
	static const char mark[] = "\xef\xbb\xbf";

	*csv = (struct csv){.at = text, .end = text + length, .line = 1};
	if (length >= 3 && memcmp(text, mark, 3) == 0)
		csv->at += 3;
	csv->separator = csv_separator(csv->at, (size_t)(csv->end - csv->at));
}

static bool is_at(const struct csv *csv, char c)
{
	return csv->at < csv->end && *csv->at == c;
}

/* Consumes the line end at the present position; false: there is none. */
static bool take_line_end(struct csv *csv)
{
	const char *at = csv->at;

	if (at < csv->end && *at == '\r')
		at++;
	if (at < csv->end && *at != '\n')
		return false;
	if (at == csv->end && at != csv->at) /* a lone CR at the end of the text */
		return false;
	csv->at = at < csv->end ? at + 1 : at;
	csv->line++;
	return true;
}

static void skip_line(struct csv *csv)
{
	const char *newline = memchr(csv->at, '\n', (size_t)(csv->end - csv->at));

	csv->at = newline ? newline + 1 : csv->end;
	csv->line++;
}

static const char too_long[] = "it is longer than 4095 bytes; shorten it, or look for a quote that "
			       "is not closed";

static int add(struct csv_row *row, size_t *used, char c, const char **why)
{
	if (c == '\0') {
		*why = "it has a NUL byte; leave it out";
		return ERR_INVALID;
	}
	if (*used >= sizeof row->text - 1) {
		*why = too_long;
		return ERR_INVALID;
	}
	row->text[(*used)++] = c;
	return 0;
}

/* Reads the rest of a quoted field, whose opening quote has been consumed. */
static int read_quoted(struct csv *csv, struct csv_row *row, size_t *used, const char **why)
{
	int err = 0;

	while (!err && csv->at < csv->end) {
		char c = *csv->at++;

		if (c == '"' && !is_at(csv, '"')) {
			if (csv->at == csv->end || *csv->at == csv->separator || *csv->at == '\r' ||
			    *csv->at == '\n')
				return 0;
			*why = "something follows a closing quote; a quote within a field is "
			       "written twice";
			return ERR_INVALID;
		}
		if (c == '"')
			csv->at++;
		csv->line += c == '\n';
		err = add(row, used, c, why);
	}
	if (!err)
		*why = "a quote is opened here and never closed; a quote within a field is "
		       "written twice";
	return ERR_INVALID;
}

static bool is_field_end(const struct csv *csv)
{
	if (csv->at == csv->end || *csv->at == csv->separator || *csv->at == '\n')
		return true;
	return *csv->at == '\r' && csv->at + 1 < csv->end && csv->at[1] == '\n';
}

static int read_plain(struct csv *csv, struct csv_row *row, size_t *used, const char **why)
{
	int err = 0;

	while (!err && !is_field_end(csv)) {
		if (*csv->at == '"') {
			*why = "a quote stands within a field; quote the whole field, and write "
			       "the quote twice";
			return ERR_INVALID;
		}
		err = add(row, used, *csv->at++, why);
	}
	return err;
}

/* Would a spreadsheet run the field without its leading apostrophes? */
static bool is_formula(const char *field)
{
	field += strspn(field, "'");
	return *field && strchr("=+-@\t\r", *field);
}

static int read_field(struct csv *csv, struct csv_row *row, size_t *used, const char **why)
{
	int err;

	if (row->count == CSV_FIELDS_MAX) {
		*why = "it has more than 64 fields; quote a field that has commas in it";
		return ERR_INVALID;
	}
	if (*used == sizeof row->text) {
		*why = too_long;
		return ERR_INVALID;
	}
	const char *field = row->text + *used;
	if (is_at(csv, '"')) {
		csv->at++;
		err = read_quoted(csv, row, used, why);
	} else {
		err = read_plain(csv, row, used, why);
	}
	if (err)
		return err;
	row->text[(*used)++] = '\0'; /* fits: the text is one byte larger than add() fills */
	row->fields[row->count++] = field + (*field == '\'' && is_formula(field));
	return 0;
}

int csv_next(struct csv *csv, struct csv_row *row, const char **why)
{
	size_t used = 0;
	int err;

	while (csv->at < csv->end && take_line_end(csv))
		;
	if (csv->at == csv->end)
		return ERR_NOT_FOUND;
	row->line = csv->line;
	row->count = 0;
	for (;;) {
		err = read_field(csv, row, &used, why);
		if (err || !is_at(csv, csv->separator))
			break;
		csv->at++;
	}
	if (!err && take_line_end(csv))
		return 0;
	if (!err)
		*why = "a CR follows the closing quote; end the line with LF or CR LF";
	skip_line(csv);
	return ERR_INVALID;
}

void csv_write(FILE *out, const char *field)
{
	const char *text = field ? field : "";
	bool guarded = is_formula(text);
	bool quoted = guarded || text[strcspn(text, ",\"\r\n")] != '\0';

	if (!quoted) {
		fputs(text, out);
		return;
	}
	putc('"', out);
	if (guarded)
		putc('\'', out);
	for (; *text; text++) {
		if (*text == '"')
			putc('"', out);
		putc(*text, out);
	}
	putc('"', out);
}
