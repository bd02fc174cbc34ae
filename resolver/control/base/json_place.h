/* Where a value stands in a text of JSON, which may be relaxed (relaxed_json.h). Nothing is
 * allocated: the text is only looked through. */
#ifndef SLUICE_JSON_PLACE_H
#define SLUICE_JSON_PLACE_H

#include <stddef.h>

/* The line, from 1, of "resources[2].properties.name": that of the member's name, or of the item.
 * Names are found without regard to case. Where it is not there, the line of the innermost value
 * around it that is. */
unsigned json_place_line(const char *text, size_t length, const char *path);

#endif
