/* Aligned tables for people, printed from the same JSON that --json prints, so both say the same.
 */
#ifndef SLUICE_TABLE_H
#define SLUICE_TABLE_H

#include <jansson.h>
#include <stdio.h>

struct table_column {
	const char *title, *key;
};
/* The key of a row's note, a text that is printed on a line of its own below the row. */
#define TABLE_NOTE "note"
enum { TABLE_COLUMNS_MAX = 17, TABLE_CELL_MAX = 160 };

/* Prints an array of objects, one per row, under `heading` (NULL: none) and the columns' titles;
 * prints nothing if there are no rows. Characters that a terminal does not show are escaped
 * (rules/text.h). Numbers are aligned to the right, a missing or null value is "-", a list is
 * joined by commas, a cell that is too long is cut. */
void table_print(FILE *out, const char *heading, const json_t *rows,
		 const struct table_column *columns, size_t count);

/* Prints one object, a line per column: the column's title and the object's value. */
void table_print_one(FILE *out, const json_t *object, const struct table_column *columns,
		     size_t count);

/* Prints one cell to `text` and returns it. */
char *table_cell(const json_t *value, char text[TABLE_CELL_MAX]);

#endif
