/* The private zones' data: of files, and of record sets where there is no file. A zone whose file
 * has not changed since the served model was read is shared with it and not read again.
 *
 * A file is unchanged when its device, inode, size and both times are: that of modification can be
 * set back (touch -r, cp -p), that of status change cannot. One that was changed within the last
 * second before it was read is not trusted, because a second change could hide in the same tick of
 * the file system's clock. */
#ifndef SLUICE_ZONE_FILES_H
#define SLUICE_ZONE_FILES_H

#include <stdbool.h>
#include <stddef.h>

#include "rules/fault.h"
#include "rules/hash.h"
#include "rules/schema/model.h"

/* Gives each private zone of the model what its file or its record sets say. `before` is the model
 * that is served, whose zones were read here with the same key; NULL: there is none. What is wrong
 * is a fault; warnings about a file are given when it is read, not again when its zone is shared.
 */
void zone_files_read(struct model *model, const struct model *before, const struct hash_key *key,
		     struct faults *faults);

#endif
