/* Comma-separated values as RFC 4180 has them, read from memory row by row, and written. A row may
 * go over several lines, within quotes; lines may end with CR LF or LF, and the text may begin with
 * a UTF-8 byte order mark. Empty lines are skipped. Where commas are for decimals, spreadsheets put
 * semicolons between fields; so csv_separator finds what the first line has.
 *
 * A spreadsheet runs a field that begins with =, +, -, @, a tab or a CR. Such a field is written
 * with a ' before it, which a spreadsheet takes for "this is text"; so is one that begins so behind
 * one ' or more. Reading takes one ' away from just these, so what was written is what is read. */
#ifndef SLUICE_CSV_H
#define SLUICE_CSV_H

#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>

#include "rules/err.h"

enum { CSV_FIELDS_MAX = 64, CSV_ROW_MAX = 4096 };

struct csv {
	const char *at, *end;
	unsigned line;  /* that `at` is on, from 1 */
	char separator; /* of fields: what the first line has; may be set */
};

struct csv_row {
	unsigned line; /* that it begins on */
	size_t count;
	const char *fields[CSV_FIELDS_MAX]; /* in `text`, without quotes and what guards them */
	char text[CSV_ROW_MAX];
};

/* What stands most often in the first line, outside of quotes: a comma, semicolon or tab; a comma
 * where none does. */
char csv_separator(const char *text, size_t length);

/* The text must outlive the reading. */
void csv_init(struct csv *csv, const char *text, size_t length);
/* Reads the next row. ERR_NOT_FOUND: there are no more. ERR_INVALID: it is not well formed or too
 * long, *why says how, and the next call goes on at the next line. */
MUST_CHECK int csv_next(struct csv *csv, struct csv_row *row, const char **why);

/* Writes a field, with quotes where it needs them; NULL is "". */
void csv_write(FILE *out, const char *field);

#endif
