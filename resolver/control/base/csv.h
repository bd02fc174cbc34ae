/* Reads comma-separated values (RFC 4180) from memory row by row, and writes them. A quoted field
 * may span lines; lines may end with CR LF or LF; the text may begin with a UTF-8 byte order mark.
 * Empty lines are skipped. Spreadsheets separate fields with semicolons where a decimal comma is
 * usual, so csv_separator takes the separator from the first line.
 *
 * A spreadsheet runs a field that begins with =, +, -, @, a tab or a CR. Such a field is written
 * with a ' ahead, which makes it plain text to a spreadsheet. A field that already has one ' or
 * more before such a character gets one more. Reading removes exactly one ', so each field is
 * read as it was written. */
#ifndef SLUICE_CSV_H
#define SLUICE_CSV_H

#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>

#include "rules/err.h"

enum { CSV_FIELDS_MAX = 64, CSV_ROW_MAX = 4096 };

struct csv {
	const char *at, *end;
	unsigned line;  /* the line of `at`, from 1 */
	char separator; /* of fields; csv_init takes it from the first line, callers may set it */
};

struct csv_row {
	unsigned line; /* the row's first line */
	size_t count;
	const char *fields[CSV_FIELDS_MAX]; /* in `text`, without quotes and the guarding ' */
	char text[CSV_ROW_MAX];
};

/* The comma, semicolon or tab that occurs most often in the first line outside of quotes; a comma
 * if none occurs. */
char csv_separator(const char *text, size_t length);

/* The text must outlive `csv`. */
void csv_init(struct csv *csv, const char *text, size_t length);
/* Reads the next row. ERR_NOT_FOUND: there are no more rows. ERR_INVALID: the row is malformed or
 * too long; *why is the reason, and the next call goes on at the line after the mistake. */
MUST_CHECK int csv_next(struct csv *csv, struct csv_row *row, const char **why);

/* Writes a field, quoted if it has to be; NULL is "". */
void csv_write(FILE *out, const char *field);

#endif
