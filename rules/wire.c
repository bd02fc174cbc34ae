/* Reads names from packets for copying or skipping. name_from_wire reads names for looking up, and
 * lower-cases and hashes them, too. */
#include "rules/wire.h"

#include <string.h>

static void copy_run(uint8_t *to, const uint8_t *from, size_t bytes)
{
	memcpy(to, from, bytes);
}

size_t wire_skip_name(const uint8_t *packet, size_t length, size_t at, size_t lowest, size_t *end,
		      unsigned *jumps)
{
	struct wire_walk walk;
	unsigned jumps_max = jumps && *jumps < WIRE_JUMPS_MAX ? *jumps : WIRE_JUMPS_MAX;

	if (!wire_walk_name(&walk, packet, length, at, lowest, jumps_max, NULL, NULL, NULL))
		return 0;
	if (jumps)
		*jumps -= walk.jumps;
	if (end)
		*end = walk.end;
	return walk.length;
}

size_t wire_read_name(const uint8_t *packet, size_t length, size_t at, size_t lowest,
		      uint8_t wire[NAME_WIRE_MAX], size_t *end)
{
	struct wire_walk walk;

	if (!wire_walk_name(&walk, packet, length, at, lowest, WIRE_JUMPS_MAX, wire, NULL,
			    copy_run))
		return 0;
	wire[walk.length - 1] = 0;
	if (end)
		*end = walk.end;
	return walk.length;
}
