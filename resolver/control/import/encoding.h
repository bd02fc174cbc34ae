/* Detects the encoding of text files. PowerShell 5.1 writes UTF-16 when output is redirected with
 * `>`, Registry exports are UTF-16, and many files from Windows begin with a byte order mark. */
#ifndef SLUICE_IMPORT_ENCODING_H
#define SLUICE_IMPORT_ENCODING_H

#include <stdbool.h>
#include <stddef.h>

/* Whether encoding_to_utf8 would change nothing: the text has no byte order mark and is not UTF-16.
 * Other bytes are not checked. */
bool encoding_is_plain(const char *text, size_t length);
/* Converts a NUL-terminated text from malloc(), in place or into a new one, to UTF-8 without a byte
 * order mark; NULL: out of memory, and the text is freed. *why is NULL, or says why the text could
 * not be converted from *line on; then it is unchanged. */
char *encoding_to_utf8(char *text, size_t *length, unsigned *line, const char **why);

#endif
