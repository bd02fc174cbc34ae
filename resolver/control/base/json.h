/* JSON in which nothing goes missing in silence. jansson gives NULL for a text that is not UTF-8,
 * and adding a NULL is an error that is easily overlooked; so values are made and put together with
 * these, and a failure on the way makes the whole fail. */
#ifndef SLUICE_JSON_H
#define SLUICE_JSON_H

#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

/* For json_dump*: numbers as people write them, 0.1 and not 0.10000000000000001. What is measured
 * here, in micro- and milliseconds, has fewer digits. */
#define JSON_DECIMAL JSON_REAL_PRECISION(15)

/* A string of any bytes, null for NULL. JSON is UTF-8: where the text is not, every byte beyond
 * ASCII becomes '?'. */
json_t *json_text(const char *text);
/* A time of day (since 1970): "2026-01-31T23:59:59Z". */
json_t *json_time(int64_t at_s);
/* json_pack. Texts that come from outside go in as "o", by json_text. */
json_t *json_make(const char *format, ...);
/* Take the value over. */
void json_add(json_t *array, json_t *value);
void json_put(json_t *object, const char *key, json_t *value);
/* A member that is left out where the text is NULL. */
void json_put_text(json_t *object, const char *key, const char *text);

/* The object's own member of that name in any case, if possible in this one; NULL: it is missing,
 * or null. */
json_t *json_own_member(const json_t *object, const char *name);
json_t *json_own_membern(const json_t *object, const char *name, size_t length);

/* A member's text, "" where there is none: for what is printed. */
const char *json_text_of(const json_t *object, const char *key);

/* What was made, if nothing has failed in this thread since the last call; else frees it: NULL. */
json_t *json_whole(json_t *made);
/* The same as compact text, to be freed. */
char *json_whole_text(json_t *made);

/* Writes JSON row by row, without a tree of a million rows in memory. Text around the rows goes to
 * `out`. Errors are reported by json_writer_end. */
struct json_writer {
	FILE *out;
	/* inside */
	bool any; /* rows in the present list, behind which a comma is due */
	bool failed;
	char *text;
	size_t length;
	const char *between;
	size_t flags;
};
/* `between` rows: "," or with a line end; `flags` for json_dumpf. False without memory: there is
 * nothing to end. */
bool json_writer_begin(struct json_writer *writer, const char *between, size_t flags);
/* Opens a list that `head` begins: "\"addresses\":[". */
void json_writer_list(struct json_writer *writer, const char *head);
/* Takes the row over; NULL fails. */
void json_writer_row(struct json_writer *writer, json_t *row);
/* The comma ahead of a row that the caller writes itself. */
void json_writer_comma(struct json_writer *writer);
/* A value that is no row; takes it over. */
void json_writer_value(struct json_writer *writer, json_t *value);
void json_writer_fail(struct json_writer *writer);
bool json_writer_has_failed(const struct json_writer *writer);
/* The text, to be freed; NULL: something has failed. */
char *json_writer_end(struct json_writer *writer, size_t *length);
/* In place of it: the text is not wanted. */
void json_writer_cancel(struct json_writer *writer);

#endif
