/* Arrays of no fixed size, which double when they are full. */
#ifndef SLUICE_ARRAY_H
#define SLUICE_ARRAY_H

#include <stddef.h>

#include "rules/err.h"

/* The array with room for one item more than `count`; `room`, for how many there is, is the
 * caller's to keep. items: NULL with room 0, or what the last call gave; to be freed. NULL without
 * memory: items are as they were. */
MUST_CHECK void *array_grow(void *items, size_t count, size_t *room, size_t item_bytes);

#endif
