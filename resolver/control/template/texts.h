/* Strings by their characters: code points of UTF-8. */
#ifndef SLUICE_TEMPLATE_TEXTS_H
#define SLUICE_TEMPLATE_TEXTS_H

#include <stddef.h>

size_t texts_length(const char *text);
/* Behind so many characters, or at the end. */
const char *texts_skip(const char *text, size_t count);

#endif
