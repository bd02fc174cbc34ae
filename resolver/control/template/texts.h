/* Strings as characters: code points of UTF-8. */
#ifndef SLUICE_TEMPLATE_TEXTS_H
#define SLUICE_TEMPLATE_TEXTS_H

#include <stddef.h>

size_t texts_length(const char *text);
/* The position after `count` characters, or the end. */
const char *texts_skip(const char *text, size_t count);

/* Finds the mark like memmem, but searches the text in pieces. Sanitizers check all bytes that a
 * call of memmem may read: without pieces, the whole rest of the text again for each mark found.
 * The mark must not be empty. */
const char *texts_find(const char *at, const char *end, const char *mark, size_t length);

#endif
