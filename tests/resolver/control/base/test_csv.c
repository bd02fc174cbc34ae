/* Rows out of text as spreadsheets write it, and back. */
#include "resolver/control/base/csv.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "rules/text.h"

/* The rows as "line:a|b" lines, with "line!why" where one does not fit. */
static const char *read_all(const char *text, size_t length)
{
	static char told[2048];
	struct csv csv;
	struct csv_row *row = malloc(sizeof *row);
	char *copy = malloc(length + 1); /* of that length, so that one byte too far is noticed */
	const char *why;
	int err;

	memcpy(copy, text, length);
	*told = '\0';
	csv_init(&csv, copy, length);
	while ((err = csv_next(&csv, row, &why)) != ERR_NOT_FOUND) {
		text_append(told, sizeof told, "%u%s", row->line, err ? "!" : ":");
		if (err)
			text_append(told, sizeof told, "%.7s", why);
		for (size_t i = 0; !err && i < row->count; i++)
			text_append(told, sizeof told, "%s%s", i ? "|" : "", row->fields[i]);
		text_append(told, sizeof told, "\n");
	}
	free(copy);
	free(row);
	return told;
}

#define reads_as(text, wanted) assert_string_equal(read_all(text, sizeof(text) - 1), wanted)

static void rows_are_cut_at_commas_and_line_ends(void **state)
{
	(void)state;
	reads_as("a,b\nc,d\n", "1:a|b\n2:c|d\n");
	reads_as("a,b\r\nc,d\r\n", "1:a|b\n2:c|d\n");
	reads_as("a,,\n,", "1:a||\n2:|\n");
	reads_as("a", "1:a\n");
	reads_as("", "");
}

static void empty_lines_and_a_byte_order_mark_are_passed_over(void **state)
{
	(void)state;
	reads_as("\xef\xbb\xbf"
		 "a,b\n\n\r\nc\n\n",
		 "1:a|b\n4:c\n");
}

static void quotes_hold_commas_line_ends_and_quotes(void **state)
{
	(void)state;
	reads_as("\"a,b\",\"c\"\"d\"\n\"\",e\n", "1:a,b|c\"d\n2:|e\n");
	reads_as("\"two\nlines\",x\ny\n", "1:two\nlines|x\n3:y\n");
	reads_as("\"a\r\nb\"\r\nc", "1:a\r\nb\n3:c\n");
}

static void what_is_not_well_formed_is_told_and_the_rest_is_read(void **state)
{
	(void)state;
	reads_as("a\"b\nc\n", "1!a quote\n2:c\n");
	reads_as("\"a\"b\nc\n", "1!somethi\n2:c\n");
	reads_as("a\n\"open\n", "1:a\n2!a quote\n");
	reads_as("a\0b\nc\n", "1!it has \n2:c\n");
	reads_as("a\rb\nc\n", "1:a\rb\n2:c\n");
	reads_as("\"a\"\rb\nc\n", "1!a CR fo\n2:c\n");
	reads_as("\"a\"\0\nc\n", "1!somethi\n2:c\n");
}

static void a_row_at_the_maximum_is_read_and_one_over_it_refused(void **state)
{
	static char text[CSV_ROW_MAX + 8];
	struct csv csv;
	struct csv_row row;
	const char *why;

	(void)state;
	memset(text, 'x', sizeof text);
	csv_init(&csv, text, CSV_ROW_MAX - 1);
	assert_int_equal(csv_next(&csv, &row, &why), 0);
	assert_int_equal(strlen(row.fields[0]), CSV_ROW_MAX - 1);
	csv_init(&csv, text, CSV_ROW_MAX);
	assert_int_equal(csv_next(&csv, &row, &why), ERR_INVALID);
	text[CSV_ROW_MAX - 1] = ','; /* the second field has no room for its end */
	csv_init(&csv, text, CSV_ROW_MAX);
	assert_int_equal(csv_next(&csv, &row, &why), ERR_INVALID);
	memset(text, ',', CSV_FIELDS_MAX);
	csv_init(&csv, text, CSV_FIELDS_MAX - 1);
	assert_int_equal(csv_next(&csv, &row, &why), 0);
	assert_int_equal(row.count, CSV_FIELDS_MAX);
	csv_init(&csv, text, CSV_FIELDS_MAX);
	assert_int_equal(csv_next(&csv, &row, &why), ERR_INVALID);
	assert_non_null(strstr(why, "more than 64 fields"));
}

static void another_separator_cuts_where_it_stands(void **state)
{
	static const char text[] = "a,b;\"c;d\";\r\n;e";
	struct csv csv;
	struct csv_row row;
	const char *why;

	(void)state;
	csv_init(&csv, text, sizeof text - 1);
	csv.separator = ';';
	assert_int_equal(csv_next(&csv, &row, &why), 0);
	assert_int_equal(row.count, 3);
	assert_string_equal(row.fields[0], "a,b");
	assert_string_equal(row.fields[1], "c;d");
	assert_string_equal(row.fields[2], "");
	assert_int_equal(csv_next(&csv, &row, &why), 0);
	assert_int_equal(row.count, 2);
	assert_string_equal(row.fields[1], "e");
	assert_int_equal(csv_next(&csv, &row, &why), ERR_NOT_FOUND);
}

static const char *written(const char *field)
{
	static char told[64];
	FILE *out = fmemopen(told, sizeof told, "w");

	csv_write(out, field);
	fclose(out);
	return told;
}

static void what_a_spreadsheet_would_run_is_written_as_text(void **state)
{
	(void)state;
	assert_string_equal(written("=1+2"), "\"'=1+2\"");
	assert_string_equal(written("=cmd|\"/c calc\"!A0"), "\"'=cmd|\"\"/c calc\"\"!A0\"");
	assert_string_equal(written("+1"), "\"'+1\"");
	assert_string_equal(written("-1"), "\"'-1\"");
	assert_string_equal(written("@SUM(A1)"), "\"'@SUM(A1)\"");
	assert_string_equal(written("\tx"), "\"'\tx\"");
	assert_string_equal(written("\rx"), "\"'\rx\"");
	assert_string_equal(written("''=1"), "\"'''=1\"");
	assert_string_equal(written("a=1"), "a=1");
	assert_string_equal(written("'tis"), "'tis");
	reads_as("'=1,\"'+1\",=1,'tis,'\n", "1:=1|+1|=1|'tis|'\n");
}

static void what_is_written_is_read_again(void **state)
{
	static const char *const fields[] = {
		"plain",    "a,b", "say \"hi\"", "two\r\nlines", "=1", "-", "'@a",
		"''+\"b\"", "'",   "'a",         "\ta",          "",   NULL};
	const size_t count = sizeof fields / sizeof *fields;
	struct csv csv;
	struct csv_row row;
	const char *why;
	char *text = NULL;
	size_t length = 0;
	FILE *out = open_memstream(&text, &length);

	(void)state;
	for (size_t i = 0; i < count; i++) {
		csv_write(out, fields[i]);
		fputs(i + 1 < count ? "," : "\r\n", out);
	}
	fclose(out);
	csv_init(&csv, text, length);
	assert_int_equal(csv_next(&csv, &row, &why), 0);
	assert_int_equal(row.count, count);
	for (size_t i = 0; i < count; i++)
		assert_string_equal(row.fields[i], fields[i] ? fields[i] : "");
	assert_int_equal(csv_next(&csv, &row, &why), ERR_NOT_FOUND);
	free(text);
}

static void what_separates_fields_is_told_by_the_first_line(void **state)
{
	static const struct {
		const char *text, *rows;
	} cases[] = {
		{"a;b\r\n1;\"2;3\"\r\n4,5;6\r\n", "1:a|b\n2:1|2;3\n3:4,5|6\n"},
		{"a\tb\n1\t2\n", "1:a|b\n2:1|2\n"},
		{"\xef\xbb\xbf"
		 "a;b\n",
		 "1:a|b\n"},
		{"a,b\n1;2,3\n", "1:a|b\n2:1;2|3\n"},
		{"a\n1;2\n", "1:a\n2:1;2\n"},
	};

	(void)state;
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
		assert_string_equal(read_all(cases[i].text, strlen(cases[i].text)), cases[i].rows);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(rows_are_cut_at_commas_and_line_ends),
		cmocka_unit_test(empty_lines_and_a_byte_order_mark_are_passed_over),
		cmocka_unit_test(quotes_hold_commas_line_ends_and_quotes),
		cmocka_unit_test(what_is_not_well_formed_is_told_and_the_rest_is_read),
		cmocka_unit_test(what_separates_fields_is_told_by_the_first_line),
		cmocka_unit_test(a_row_at_the_maximum_is_read_and_one_over_it_refused),
		cmocka_unit_test(another_separator_cuts_where_it_stands),
		cmocka_unit_test(what_a_spreadsheet_would_run_is_written_as_text),
		cmocka_unit_test(what_is_written_is_read_again),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
