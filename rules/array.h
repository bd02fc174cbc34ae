/* Growing arrays, which double when they are full. */
#ifndef SLUICE_ARRAY_H
#define SLUICE_ARRAY_H

#include <stddef.h>

#include "rules/err.h"

/* Returns the array with room for at least count + 1 items. The caller keeps *room, its size in
 * items. items: NULL with *room 0, or the result of the last call; free it in the end. NULL without
 * memory: the old array is unchanged. */
MUST_CHECK void *array_grow(void *items, size_t count, size_t *room, size_t item_bytes);

#endif
