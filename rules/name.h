/* A domain name in wire form (RFC 1035 section 3.1), in lower case, with the offset of every label
 * and the keyed hash of every suffix. So longest-suffix matching is at most one probe for each
 * suffix, and compares the name's bytes only if two hashes are equal.
 *
 *     wire     3 w w w 4 c o r p 4 t e s t 0
 *     offset   0       4         9         14        offset[labels] is the root's
 *     hash     [0]     [1]       [2]       [3]       hash[i]: the suffix that starts at label i */
#ifndef SLUICE_NAME_H
#define SLUICE_NAME_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "rules/err.h"
#include "rules/hash.h"

enum {
	NAME_WIRE_MAX = 255,   /* bytes, including the root's */
	NAME_LABELS_MAX = 127, /* without the root */
	NAME_TEXT_MAX = 1025,  /* every byte as \DDD, dots, a final NUL */
};

struct name {           /* this order keeps a usual name in few cache lines */
	uint8_t length; /* of wire, 1 to 255 */
	uint8_t labels; /* 0 for the root */
	uint8_t offset[NAME_LABELS_MAX + 1];
	uint8_t wire[NAME_WIRE_MAX + 1];
	uint64_t hash[NAME_LABELS_MAX + 1];
};

/* Reads the name at packet[at], following compression pointers (rules/wire.h has their rules). *end
 * (end may be NULL) is the end of the name in the packet, after its first pointer if it has one.
 * ERR_INVALID: RFC 1035 does not allow the name, or it has too many pointers. */
MUST_CHECK int name_from_wire(struct name *name, const struct hash_key *key, const uint8_t *packet,
			      size_t length, size_t at, size_t *end);

/* Reads presentation form, with \X and \DDD, with or without the final dot; "." is the root.
 * Unescaped blanks and control characters are invalid. ERR_INVALID or ERR_TOO_LONG. key NULL:
 * computes no hashes, so the name can be compared and printed, but not looked up. */
MUST_CHECK int name_from_text(struct name *name, const struct hash_key *key, const char *text);

/* The length of the text without its final dot. An escaped dot ("a\.") and the root (".") count as
 * a part of the name. */
size_t name_text_length(const char *text);

/* Reads "\X" or "\DDD" (RFC 1035 section 5.1) at the backslash *text, and moves *text after it;
 * false: it is neither. */
bool name_parse_escape(const char **text, uint8_t *byte);

/* Print an uncompressed wire name, or a struct name, in presentation form with the final dot.
 * Return text. */
char *name_wire_to_text(const uint8_t *wire, char text[NAME_TEXT_MAX]);
char *name_to_text(const struct name *name, char text[NAME_TEXT_MAX]);

/* Copies only the used bytes; an assignment would copy all 1400. */
void name_copy(struct name *to, const struct name *from);
bool name_equal(const struct name *a, const struct name *b);
/* Whether name is suffix itself or below it. */
bool name_is_under(const struct name *name, const struct name *suffix);

/* The bytes of the suffix that starts at label i, including the root's, and how many. */
static inline const uint8_t *name_suffix_wire(const struct name *name, unsigned i)
{
	return name->wire + name->offset[i];
}
static inline size_t name_suffix_length(const struct name *name, unsigned i)
{
	return name->length - name->offset[i];
}

/* The hash of "label.suffix" from the suffix's hash, as struct name computes it label by label,
 * beginning with the root's, which is the same for every key. `label` has no length byte and must
 * be in lower case. */
uint64_t name_hash_label(const struct hash_key *key, uint64_t suffix_hash, const uint8_t *label,
			 size_t length);

/* Length of an uncompressed, valid wire name, including the root's byte. */
size_t name_wire_length(const uint8_t *wire);
/* Compares two uncompressed wire names without regard to ASCII case. */
bool name_wire_equal(const uint8_t *a, const uint8_t *b);
/* The offset of the suffix in the name, at the start of a label (the same bytes may also occur
 * within one). SIZE_MAX: the name does not end with it. */
size_t name_wire_find_suffix(const uint8_t *name, const uint8_t *suffix);

static inline uint8_t name_lower(uint8_t c)
{
	return c >= 'A' && c <= 'Z' ? (uint8_t)(c | 0x20) : c;
}

#endif
