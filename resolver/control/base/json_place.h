/* Finds the line of a value in the text of JSON, which may be relaxed (relaxed_json.h). Nothing is
 * allocated: the text is only scanned. */
#ifndef SLUICE_JSON_PLACE_H
#define SLUICE_JSON_PLACE_H

#include <stddef.h>

/* The line, from 1, of a path such as "resources[2].properties.name": the line of the member's
 * name, or of the item's first byte. Names are compared without regard to case. If the path leads
 * nowhere, the line of the innermost value on it that exists. */
unsigned json_place_line(const char *text, size_t length, const char *path);

#endif
