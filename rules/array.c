#include "rules/array.h"

#include <stdlib.h>

enum { ROOM_FIRST = 16 };

void *array_grow(void *items, size_t count, size_t *room, size_t item_bytes)
{
	size_t more = *room ? 2 * *room : ROOM_FIRST;
	void *larger;

	if (count < *room)
		return items;
	larger = reallocarray(items, more, item_bytes);
	if (larger)
		*room = more;
	return larger;
}
