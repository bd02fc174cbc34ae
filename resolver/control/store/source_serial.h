/* What a source keeps of a zone that goes out; serial_book.h says what it means. */
#ifndef SLUICE_SOURCE_SERIAL_H
#define SLUICE_SOURCE_SERIAL_H

#include <stdbool.h>
#include <stdint.h>

struct source_serial {
	const char *zone; /* its name: the key */
	bool found;       /* when read */
	uint32_t serial, reserved;
	uint64_t digest;
};

#endif
