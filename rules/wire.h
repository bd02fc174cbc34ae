/* The basic parts of DNS messages: numbers in network order, and names as runs of labels with
 * compression pointers (RFC 1035 section 4.1.4).
 *
 *     packet  | header | 4 c o r p 4 t e s t 0 | .. | 3 w w w c0 0c |
 *                        └────── run 2 ──────┘        └─ run 1 ─┘
 *
 * A pointer must lead to before the start of the run that it ends, so every walk goes backward and
 * ends. It must not lead into the header, which has no names. Runs may be empty, so thousands of
 * pointers in a row could be the end of every name. Therefore a name may have at most
 * WIRE_JUMPS_MAX pointers, and a walk over records has a bound for all its names
 * (endpoints/message.h). */
#ifndef SLUICE_WIRE_H
#define SLUICE_WIRE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "rules/name.h"

enum { WIRE_LABEL_MAX = 63, WIRE_POINTER = 0xc0, WIRE_POINTER_MAX = 0x3fff };
/* The lowest offset that a pointer may lead to. */
enum {
	WIRE_HEADER = 12,    /* in a message: after its header */
	WIRE_PLAIN = 0x4000, /* for an uncompressed name: above every pointer */
};
enum { WIRE_JUMPS_MAX = 64 }; /* pointers followed in one name */

static inline uint16_t wire_u16(const uint8_t *at)
{
	return (uint16_t)(at[0] << 8 | at[1]);
}
static inline uint32_t wire_u32(const uint8_t *at)
{
	return (uint32_t)at[0] << 24 | (uint32_t)at[1] << 16 | (uint32_t)at[2] << 8 | at[3];
}
static inline void wire_put16(uint8_t *at, uint16_t value)
{
	at[0] = (uint8_t)(value >> 8);
	at[1] = (uint8_t)value;
}
static inline void wire_put32(uint8_t *at, uint32_t value)
{
	wire_put16(at, (uint16_t)(value >> 16));
	wire_put16(at + 2, (uint16_t)value);
}

/* Checks the name at packet[at] and returns its uncompressed length; 0: RFC 1035 does not allow it,
 * or it has too many pointers. *end: the name's end in the packet, after its first pointer if it
 * has one. *jumps: how many pointers may be followed, reduced by those that were. end and jumps may
 * be NULL. */
size_t wire_skip_name(const uint8_t *packet, size_t length, size_t at, size_t lowest, size_t *end,
		      unsigned *jumps);
/* The same, and writes the name to `wire`, uncompressed and in its own case. */
size_t wire_read_name(const uint8_t *packet, size_t length, size_t at, size_t lowest,
		      uint8_t wire[NAME_WIRE_MAX], size_t *end);

/* The walk for the two functions above and name_from_wire. It is inlined into each, so unused
 * results cost nothing. */
struct wire_walk {
	size_t length;   /* of the name, including the root's byte */
	unsigned labels; /* without the root */
	unsigned jumps;  /* pointers followed */
	size_t end;
};

/* jumps_max: how many pointers may be followed. copy gets every run except the root's byte, and its
 * place in `wire`. offset gets the start of every label in `wire`. Both may be NULL. */
static inline __attribute__((always_inline)) bool wire_walk_name(
	struct wire_walk *walk, const uint8_t *packet, size_t length, size_t at, size_t lowest,
	unsigned jumps_max, uint8_t *wire, uint8_t *offset,
	void (*copy)(uint8_t *to, const uint8_t *from, size_t bytes))
{
	size_t run = at, run_used = 0, used = 0, after = 0;
	unsigned labels = 0, jumps = 0;

	while (at < length) {
		size_t c = packet[at];

		if (c != 0 && c <= WIRE_LABEL_MAX) {
			if (used + 1 + c >= NAME_WIRE_MAX) /* with the root's byte */
				return false;
			if (offset)
				offset[labels] = (uint8_t)used;
			labels++;
			used += 1 + c;
			at += 1 + c;
			continue;
		}
		/* The loop's condition stops a label that runs over the packet's end. */
		if (copy)
			copy(wire + run_used, packet + run, at - run);
		run_used = used;
		if (c == 0) {
			*walk = (struct wire_walk){used + 1, labels, jumps,
						   after != 0 ? after : at + 1};
			return true;
		}
		if (c < WIRE_POINTER || at + 1 >= length || jumps++ == jumps_max)
			return false;
		if (after == 0)
			after = at + 2;
		at = (c & WIRE_LABEL_MAX) << 8 | packet[at + 1];
		if (at >= run || at < lowest)
			return false;
		run = at;
	}
	return false;
}

#endif
