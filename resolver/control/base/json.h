/* JSON in which nothing is lost in silence. jansson returns NULL for a text that is not UTF-8, and
 * the error of adding a NULL is easily overlooked. So JSON is built with these functions: any
 * failure on the way makes json_whole fail. */
#ifndef SLUICE_JSON_H
#define SLUICE_JSON_H

#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

/* For json_dump*: prints 0.1, not 0.10000000000000001. Measured values, in micro- and milliseconds,
 * have fewer digits than this. */
#define JSON_DECIMAL JSON_REAL_PRECISION(15)

/* A JSON string of any bytes; null for NULL. JSON is UTF-8, so in a text that is not, each byte
 * beyond ASCII becomes '?'. */
json_t *json_text(const char *text);
/* A time of day, given in seconds since 1970: "2026-01-31T23:59:59Z". */
json_t *json_time(int64_t at_s);
/* json_pack that notes a failure. Pass texts from outside as "o", by json_text. */
json_t *json_make(const char *format, ...);
/* json_add and json_put take ownership of the value. */
void json_add(json_t *array, json_t *value);
void json_put(json_t *object, const char *key, json_t *value);
/* Adds no member if the text is NULL. */
void json_put_text(json_t *object, const char *key, const char *text);

/* The object's member of that name, compared without regard to case; an exact match is preferred.
 * NULL: the member is missing or null. */
json_t *json_own_member(const json_t *object, const char *name);
json_t *json_own_membern(const json_t *object, const char *name, size_t length);

/* A member's text, for printing; "" if there is none. */
const char *json_text_of(const json_t *object, const char *key);

/* Returns `made` if nothing has failed in this thread since the last call; otherwise frees it and
 * returns NULL. */
json_t *json_whole(json_t *made);
/* json_whole as compact text, to be freed. */
char *json_whole_text(json_t *made);

/* Writes JSON row by row, without a tree of a million rows in memory. The caller writes the text
 * around the rows to `out`. json_writer_end reports errors. */
struct json_writer {
	FILE *out;
	/* private */
	bool any; /* the present list has a row, so the next one needs a comma */
	bool failed;
	char *text;
	size_t length;
	const char *between;
	size_t flags;
};
/* `between` separates rows: "," or a comma with a line end; `flags` are for json_dumpf. False: no
 * memory, and json_writer_end must not be called. */
bool json_writer_begin(struct json_writer *writer, const char *between, size_t flags);
/* Opens a list; `head` is its first text: "\"addresses\":[". */
void json_writer_list(struct json_writer *writer, const char *head);
/* Takes ownership of the row; NULL makes the writer fail. */
void json_writer_row(struct json_writer *writer, json_t *row);
/* Writes a row that is JSON text already. */
void json_writer_row_text(struct json_writer *writer, const char *text);
/* Writes the comma before a row that the caller then writes itself. */
void json_writer_comma(struct json_writer *writer);
/* Writes a value that is no row; takes ownership of it. */
void json_writer_value(struct json_writer *writer, json_t *value);
void json_writer_fail(struct json_writer *writer);
bool json_writer_has_failed(const struct json_writer *writer);
/* Ends the writer and returns its text, to be freed; NULL: something has failed. */
char *json_writer_end(struct json_writer *writer, size_t *length);
/* Ends the writer without a text; instead of json_writer_end. */
void json_writer_cancel(struct json_writer *writer);

#endif
