/* Zones by the file they were read from, so that a reload reads again only what has changed. A file
 * is unchanged when its device, inode, size and both times are: that of modification can be set
 * back (touch -r, cp -p), that of status change cannot. One that was changed within the last second
 * before it was read is not trusted, because a second change could hide in the same tick of the
 * file system's clock.
 *
 *     zone_store_begin ── zone_store_read, for each zone ── zone_store_end(good?)
 *
 * After a good round, what it did not use is dropped; after a bad one, what it added.
 *
 * It also refuses what a write that is torn leaves of a file that was read before: no record, a
 * last line without its end, of the main file no setting. At a start there is no before. */
#ifndef SLUICE_ZONE_STORE_H
#define SLUICE_ZONE_STORE_H

#include <stdbool.h>
#include <stddef.h>

#include "rules/fault.h"
#include "rules/hash.h"
#include "rules/name.h"
#include "rules/zone.h"

struct zone_store;

struct zone_store *zone_store_new(void); /* NULL without memory */
void zone_store_free(struct zone_store *store);

void zone_store_begin(struct zone_store *store);
void zone_store_end(struct zone_store *store, bool good);

/* The zone `apex` of the master file at path: a reference that the caller drops. NULL when there
 * was an error; a file that cannot be read is a fault at origin, with the system's reason. Warnings
 * about a file are given when it is read, not again when it is shared. */
struct zone *zone_store_read(struct zone_store *store, const char *path, const struct name *apex,
			     const struct hash_key *key, const struct origin *origin,
			     struct faults *faults);
size_t zone_store_count(const struct zone_store *store);

/* Of each round: whether the main file, with what it includes, has any settings. NULL, or why that
 * cannot be. */
const char *zone_store_note_settings(struct zone_store *store, bool any);

/* Whether the main file or one of the zones' was cut since it was read, as far as its size and last
 * byte tell: somebody else may be about to read it, who has no before. `error` then names it and
 * says why, in one line. */
bool zone_store_is_cut(const struct zone_store *store, const char *main_file, char *error,
		       size_t size);

#endif
