/* A domain name in wire form (RFC 1035 section 3.1), lower-cased once, with the place of every
 * label and the keyed hash of every suffix computed in the same pass. Longest-suffix matching is
 * then one probe per label, without touching the name's bytes again.
 *
 *     wire     3 w w w 4 c o r p 4 t e s t 0
 *     offset   0       4         9         14        offset[labels] is the root's
 *     hash     [0]     [1]       [2]       [3]       hash[i]: the suffix that starts at label i
 */
#ifndef SLUICE_NAME_H
#define SLUICE_NAME_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "rules/err.h"
#include "rules/hash.h"

enum {
	NAME_WIRE_MAX = 255,   /* bytes, with the root's */
	NAME_LABELS_MAX = 127, /* without the root */
	NAME_TEXT_MAX = 1025,  /* every byte as \DDD, dots, a final NUL */
};

struct name {           /* ordered so that an ordinary name uses few cache lines */
	uint8_t length; /* of wire, 1 to 255 */
	uint8_t labels; /* 0 for the root */
	uint8_t offset[NAME_LABELS_MAX + 1];
	uint8_t wire[NAME_WIRE_MAX + 1];
	uint64_t hash[NAME_LABELS_MAX + 1];
};

/* Reads the name at packet[at], following compression pointers (rules/wire.h has their rules).
 * *end, when not NULL, is where the name ends in the packet, behind the first pointer if there was
 * one. ERR_INVALID for anything RFC 1035 does not allow. */
MUST_CHECK int name_from_wire(struct name *name, const struct hash_key *key, const uint8_t *packet,
			      size_t length, size_t at, size_t *end);

/* Reads presentation form, with \X and \DDD, with or without the final dot; "." is the root. Blanks
 * and control characters are refused unless escaped. ERR_INVALID or ERR_TOO_LONG. key NULL: the
 * name has no hashes; it can be compared and printed, but not looked up. */
MUST_CHECK int name_from_text(struct name *name, const struct hash_key *key, const char *text);

/* How long the text is without its final dot: all of it where it has none, where the dot belongs to
 * an escape ("a\."), and where it is the root ("."). */
size_t name_text_length(const char *text);

/* Reads "\X" or "\DDD" (RFC 1035 section 5.1), of which *text is at the backslash, and moves *text
 * behind it; false when it is neither. */
bool name_parse_escape(const char **text, uint8_t *byte);

/* Presentation form with the final dot of an uncompressed wire name, or of a struct name. Returns
 * text, which has room for NAME_TEXT_MAX. */
char *name_wire_to_text(const uint8_t *wire, char text[NAME_TEXT_MAX]);
char *name_to_text(const struct name *name, char text[NAME_TEXT_MAX]);

/* Copies what is in use: a plain assignment would move all 1400 bytes. */
void name_copy(struct name *to, const struct name *from);
bool name_equal(const struct name *a, const struct name *b);
/* Whether name is suffix itself or below it. */
bool name_is_under(const struct name *name, const struct name *suffix);

/* The bytes of the suffix that starts at label i, up to and with the root's, and how many. */
static inline const uint8_t *name_suffix_wire(const struct name *name, unsigned i)
{
	return name->wire + name->offset[i];
}
static inline size_t name_suffix_length(const struct name *name, unsigned i)
{
	return name->length - name->offset[i];
}

/* The hash that "label.suffix" has when suffix has the hash given: what struct name computes label
 * by label, from the root's, which is the same for every key. `label` is without its length byte
 * and in lower case. */
uint64_t name_hash_label(const struct hash_key *key, uint64_t suffix_hash, const uint8_t *label,
			 size_t length);

/* Length of an uncompressed, valid wire name, with the root's byte. */
size_t name_wire_length(const uint8_t *wire);
/* Compares two uncompressed wire names without regard to ASCII case. */
bool name_wire_equal(const uint8_t *a, const uint8_t *b);
/* Where the suffix begins in the name, which is at a label: the same bytes may also be within one.
 * SIZE_MAX: the name does not end with it. */
size_t name_wire_find_suffix(const uint8_t *name, const uint8_t *suffix);

static inline uint8_t name_lower(uint8_t c)
{
	return c >= 'A' && c <= 'Z' ? (uint8_t)(c | 0x20) : c;
}

#endif
