/* Aligned tables for people, printed from the same JSON that --json prints, so both say the same.
 */
#ifndef SLUICE_TABLE_H
#define SLUICE_TABLE_H

#include <jansson.h>
#include <stdio.h>

struct table_column {
	const char *title, *key;
};
/* A row's member of that name is a text below it, on a line of its own. */
#define TABLE_NOTE "note"
enum { TABLE_COLUMNS_MAX = 17, TABLE_CELL_MAX = 160 };

/* Prints an array of objects, a row each, under `heading` (NULL: none) and the columns' titles;
 * nothing when there are no rows. What a terminal does not show is escaped (rules/text.h). Numbers
 * are aligned to the right, what is missing or null is "-", a list is joined by commas, a cell that
 * is too long is cut. */
void table_print(FILE *out, const char *heading, const json_t *rows,
		 const struct table_column *columns, size_t count);

/* Prints one object, a line for each column: its title and its value. */
void table_print_one(FILE *out, const json_t *object, const struct table_column *columns,
		     size_t count);

/* The value of one cell; returns text. */
char *table_cell(const json_t *value, char text[TABLE_CELL_MAX]);

#endif
