/* Entity tags (RFC 9110 section 8.8.3). A tag is two hashes, "VERSION-STANDING" with the quotes.
 * The version is another one after every change that somebody makes; the standing is what comes
 * about by itself: how a PTR fares, where the file says it. A reader is told that nothing is new by
 * the whole tag; a writer's precondition is about the version alone, because a PTR that became
 * ACTIVE meanwhile is no change that the writer overlooked.
 *
 * The keys of things are always the same, so that a client's tag is still good after a restart (a
 * list's is not); nothing relies on nobody finding a second thing with the same. */
#ifndef SLUICE_ETAG_H
#define SLUICE_ETAG_H

#include <stdbool.h>
#include <stdint.h>

#include "rules/hash.h"

enum { ETAG_MAX = 28 }; /* quotes and the final NUL included */

/* A value more, in the order in which they are given; text NULL: none, which "" is not. */
uint64_t etag_add_text(const struct hash_key *key, uint64_t hash, const char *text);
uint64_t etag_add_number(const struct hash_key *key, uint64_t hash, uint64_t number);
/* The tag, quoted; returns text. */
char *etag_print(uint64_t version, uint32_t standing, char text[ETAG_MAX]);

/* Whether both are of the same version, whatever has come about by itself between them. */
bool etag_same_version(const char *etag, const char *other);

#endif
