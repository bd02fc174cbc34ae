/* Two passes over the rows: widths, then lines. The last column is padded only if it has
 * numbers. */
#include "resolver/control/base/table.h"

#include <assert.h>
#include <stdbool.h>
#include <stdint.h>

#include "rules/text.h"

/* Appends "ITEM", or "NAME=ITEM" with a name, to `text`; false: it is full, and ends with "...". */
static bool cell_append(char text[TABLE_CELL_MAX], size_t *length, const char *name,
			const json_t *item)
{
	char cell[TABLE_CELL_MAX];
	size_t room = TABLE_CELL_MAX - *length;
	char shown[TABLE_CELL_MAX];

	table_cell(item, cell);
	int wrote =
		snprintf(text + *length, room, "%s%s%s%s", *length > 0 ? ", " : "",
			 name ? text_show(name, shown, sizeof shown) : "", name ? "=" : "", cell);
	if (wrote < 0 || (size_t)wrote >= room) {
		snprintf(text + TABLE_CELL_MAX - 4, 4, "...");
		return false;
	}
	*length += (size_t)wrote;
	return true;
}

static void cell_list(const json_t *list, char text[TABLE_CELL_MAX])
{
	size_t length = 0;

	for (size_t i = 0; i < json_array_size(list); i++)
		if (!cell_append(text, &length, NULL, json_array_get(list, i)))
			return;
	if (length == 0)
		snprintf(text, TABLE_CELL_MAX, "-");
}

static void cell_object(const json_t *object, char text[TABLE_CELL_MAX])
{
	const char *name;
	json_t *value;
	size_t length = 0;

	json_object_foreach((json_t *)(uintptr_t)object, name, value)
	{
		if (!cell_append(text, &length, name, value))
			return;
	}
	if (length == 0)
		snprintf(text, TABLE_CELL_MAX, "-");
}

char *table_cell(const json_t *value, char text[TABLE_CELL_MAX])
{
	if (json_is_string(value))
		text_show(json_string_value(value), text, TABLE_CELL_MAX);
	else if (json_is_integer(value))
		snprintf(text, TABLE_CELL_MAX, "%" JSON_INTEGER_FORMAT, json_integer_value(value));
	else if (json_is_real(value))
		snprintf(text, TABLE_CELL_MAX, "%.1f", json_real_value(value));
	else if (json_is_boolean(value))
		snprintf(text, TABLE_CELL_MAX, "%s", json_is_true(value) ? "yes" : "no");
	else if (json_is_array(value))
		cell_list(value, text);
	else if (json_is_object(value))
		cell_object(value, text);
	else
		snprintf(text, TABLE_CELL_MAX, "-");
	return text;
}

static int cell_width(const json_t *row, const struct table_column *column)
{
	char text[TABLE_CELL_MAX];

	return (int)strlen(table_cell(json_object_get(row, column->key), text));
}

static void print_cell(FILE *out, const char *text, int width, bool right, bool last)
{
	if (right)
		fprintf(out, "  %*s", width, text);
	else if (last)
		fprintf(out, "  %s", text);
	else
		fprintf(out, "  %-*s", width, text);
}

static void print_note(FILE *out, const char *note)
{
	if (!note)
		return;
	fputs("      ", out);
	text_print(out, note);
	fputc('\n', out);
}

void table_print(FILE *out, const char *heading, const json_t *rows,
		 const struct table_column *columns, size_t count)
{
	int widths[TABLE_COLUMNS_MAX];
	bool numbers[TABLE_COLUMNS_MAX];
	size_t i;
	const json_t *row;

	assert(count <= TABLE_COLUMNS_MAX);
	if (json_array_size(rows) == 0)
		return;
	for (size_t c = 0; c < count; c++) {
		widths[c] = (int)strlen(columns[c].title);
		numbers[c] = false;
		json_array_foreach(rows, i, row)
		{
			int width = cell_width(row, &columns[c]);
			if (width > widths[c])
				widths[c] = width;
			numbers[c] |= json_is_number(json_object_get(row, columns[c].key));
		}
	}
	if (heading)
		fprintf(out, "\n%s\n", heading);
	for (size_t c = 0; c < count; c++)
		print_cell(out, columns[c].title, widths[c], numbers[c], c + 1 == count);
	fputc('\n', out);
	json_array_foreach(rows, i, row)
	{
		for (size_t c = 0; c < count; c++) {
			char text[TABLE_CELL_MAX];
			table_cell(json_object_get(row, columns[c].key), text);
			print_cell(out, text, widths[c], numbers[c], c + 1 == count);
		}
		fputc('\n', out);
		print_note(out, json_string_value(json_object_get(row, TABLE_NOTE)));
	}
}

void table_print_one(FILE *out, const json_t *object, const struct table_column *columns,
		     size_t count)
{
	int width = 0;

	for (size_t c = 0; c < count; c++)
		if ((int)strlen(columns[c].title) > width)
			width = (int)strlen(columns[c].title);
	for (size_t c = 0; c < count; c++) {
		char text[TABLE_CELL_MAX];
		table_cell(json_object_get(object, columns[c].key), text);
		fprintf(out, "%-*s  %s\n", width, columns[c].title, text);
	}
}
