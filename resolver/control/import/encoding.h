/* Detects the encoding of text files. PowerShell 5.1 writes UTF-16 when output is redirected with
 * `>`, Registry exports are UTF-16, and many files from Windows begin with a byte order mark. */
#ifndef SLUICE_IMPORT_ENCODING_H
#define SLUICE_IMPORT_ENCODING_H

#include <stdbool.h>
#include <stddef.h>

/* Whether encoding_to_utf8 would change nothing: the text has no byte order mark and is not UTF-16.
 * Other bytes are not checked. */
bool encoding_is_plain(const char *text, size_t length);
/* Converts a NUL-terminated text from malloc() to UTF-8 without a byte order mark, in place or into
 * a new text. If it cannot be converted, *why says why, *line says where, and the text is
 * unchanged; else *why is NULL. Without memory, frees the text and returns NULL. */
char *encoding_to_utf8(char *text, size_t *length, unsigned *line, const char **why);

#endif
