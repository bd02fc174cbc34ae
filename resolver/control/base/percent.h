/* Percent-encoding (RFC 3986 section 2.1) of names in paths and queries, and in the keys of the
 * state. */
#ifndef SLUICE_PERCENT_H
#define SLUICE_PERCENT_H

#include <stdbool.h>
#include <stddef.h>

#include "rules/err.h"

/* Encodes all but unreserved characters and ":@*" as %XX; cuts the text where `size` ends. Returns
 * `to`. */
char *percent_encode(char *to, size_t size, const char *text);
/* Decodes `length` bytes of the text to *to, adds a NUL, and moves *to past it; *to may be the
 * text itself. ERR_INVALID: a '%' without two hexadecimal digits, "%00", or a result that is not
 * UTF-8. */
MUST_CHECK int percent_decode(const char *text, size_t length, bool plus_is_space, char **to);

#endif
