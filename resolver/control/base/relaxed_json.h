/* JSON as people and Azure's clients write it. Beside strict JSON (RFC 8259) it takes:
 *
 *     a UTF-8 byte order mark, before everything
 *     comments, in the ways of C and C++
 *     names of members without quotes: letters, digits, '_', '$' and '-', and no digit or '-' first
 *     a comma after the last member or item
 *     control characters within strings, as they are. A line break is \n, also where it is CR LF
 *
 * Everything else is an error, as in strict JSON: single quotes around a string, say, or two
 * commas. Comments are skipped, but a NUL byte in one is an error. */
#ifndef SLUICE_RELAXED_JSON_H
#define SLUICE_RELAXED_JSON_H

#include <jansson.h>
#include <stddef.h>

/* Reads like json_loadb, which gets the flags and judges the strict JSON. An error's line, column
 * and position are those of `text`. Time grows in proportion to the length. The strict copy takes
 * up to six times the length in memory, if the text is one string of control characters. */
json_t *relaxed_json_load(const char *text, size_t length, size_t flags, json_error_t *error);

#endif
