/* Entity tags (RFC 9110 section 8.8.3): "VERSION-COMPUTED" with the quotes.
 *
 * The version is the highest revision among the rows of the state that an answer shows. A list can
 * also lose rows, so its version is the revision of the latest change of the kinds that it shows.
 * If the answer shows no row, because everything in it comes from the configuration file, the
 * version is a hash of the values.
 *
 * The second half is a hash of values that change without a revision: a PTR's status, the line in
 * the file. If-None-Match compares the whole tag. If-Match compares only the version, because a PTR
 * that became ACTIVE meanwhile is no change that the writer overlooked.
 *
 * The hash key is constant, so that a tag survives a restart; nothing relies on these hashes being
 * hard to forge. */
#ifndef SLUICE_ETAG_H
#define SLUICE_ETAG_H

#include <stdbool.h>
#include <stdint.h>

#include "rules/hash.h"

enum { ETAG_MAX = 28 }; /* quotes and the final NUL included */

/* Add a value to the hash; the order of values matters. text NULL: none, which differs from "". */
uint64_t etag_add_text(uint64_t hash, const char *text);
uint64_t etag_add_number(uint64_t hash, uint64_t number);
/* Prints the tag, quoted: `revision`, or `values` if it is 0, and `computed`. Returns text. */
char *etag_print(uint64_t revision, uint64_t values, uint64_t computed, char text[ETAG_MAX]);

/* Whether both tags have the same version. */
bool etag_same_version(const char *etag, const char *other);

#endif
