/* Strings by their characters: code points of UTF-8. */
#ifndef SLUICE_TEMPLATE_TEXTS_H
#define SLUICE_TEMPLATE_TEXTS_H

#include <stddef.h>

size_t texts_length(const char *text);
/* Behind so many characters, or at the end. */
const char *texts_skip(const char *text, size_t count);

/* memmem, piece by piece: a text may have a mark a million times, and sanitizers look at all that a
 * call may read, which would be the whole rest of the text each time. The mark is not empty. */
const char *texts_find(const char *at, const char *end, const char *mark, size_t length);

#endif
