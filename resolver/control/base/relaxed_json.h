/* JSON as people and Azure's clients write it. Beside strict JSON (RFC 8259) it takes:
 *
 *     a UTF-8 byte order mark, ahead of everything
 *     comments, in the ways of C and C++
 *     names of members without quotes: letters, digits, '_', '$' and '-', and no digit or '-' first
 *     a comma behind the last member or item
 *     control characters within strings, as they are. A line break is \n, also where it is CR LF
 *
 * Everything else is an error, as it is in strict JSON: strings in single quotes, say, or two
 * commas. What a comment says is not looked at, but a NUL byte is refused there as well. */
#ifndef SLUICE_RELAXED_JSON_H
#define SLUICE_RELAXED_JSON_H

#include <jansson.h>
#include <stddef.h>

/* As json_loadb, which takes the flags and has the last word. An error's line, column and position
 * are those of `text`. It takes time in proportion to the length and, for as long as it reads, up
 * to six times the memory: what a text of nothing but control characters needs. */
json_t *relaxed_json_load(const char *text, size_t length, size_t flags, json_error_t *error);

#endif
