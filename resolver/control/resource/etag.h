/* Entity tags (RFC 9110 section 8.8.3). A tag is two hashes, "VERSION-STANDING" with the quotes.
 * The version hash changes with every change that a client makes; the second hash covers values
 * that change without one: a PTR's status, the line in the file. If-None-Match compares the whole
 * tag; If-Match compares only the version, because a PTR that became ACTIVE meanwhile is no change
 * that the writer overlooked.
 *
 * The hash key of a resource's tag is constant, so that a client's tag survives a restart (a list's
 * tag does not); nothing relies on these hashes being hard to forge. */
#ifndef SLUICE_ETAG_H
#define SLUICE_ETAG_H

#include <stdbool.h>
#include <stdint.h>

#include "rules/hash.h"

enum { ETAG_MAX = 28 }; /* quotes and the final NUL included */

/* Adds a value to the hash; the order of values matters. text NULL: none, which differs from "". */
uint64_t etag_add_text(const struct hash_key *key, uint64_t hash, const char *text);
uint64_t etag_add_number(const struct hash_key *key, uint64_t hash, uint64_t number);
/* Prints the tag, quoted; returns text. */
char *etag_print(uint64_t version, uint32_t computed, char text[ETAG_MAX]);

/* Whether both tags have the same version. */
bool etag_same_version(const char *etag, const char *other);

#endif
