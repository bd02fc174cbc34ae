/* What a text file is encoded in. PowerShell 5.1 writes UTF-16 where output goes into a file by
 * `>`, Registry exports are UTF-16, and much of what comes from Windows begins with a byte order
 * mark. */
#ifndef SLUICE_IMPORT_ENCODING_H
#define SLUICE_IMPORT_ENCODING_H

#include <stdbool.h>
#include <stddef.h>

/* Whether the text is encoding_to_utf8's result already: it has no byte order mark, and is not
 * UTF-16. Other bytes are not looked at. */
bool encoding_is_plain(const char *text, size_t length);
/* Takes a text from malloc() with a NUL behind it, and returns one such in UTF-8, without a byte
 * order mark; NULL: no memory. *why is NULL, or says why the text could not be converted, from
 * *line on; it is as it was then. */
char *encoding_to_utf8(char *text, size_t *length, unsigned *line, const char **why);

#endif
