/* Reads the data of private zones: from files, and from record sets where there is no file. A zone
 * of a single file that has not changed since the served model was read is shared with that model
 * and not read again.
 *
 * A file is unchanged if its device, inode, size and both times are. The time of modification can
 * be set back (touch -r, cp -p), the time of status change cannot. A stamp is not trusted if the
 * file had changed within the second before it was read, because the file system's clock may give
 * another change the same time. */
#ifndef SLUICE_ZONE_FILES_H
#define SLUICE_ZONE_FILES_H

#include <stdbool.h>
#include <stddef.h>

#include "rules/fault.h"
#include "rules/hash.h"
#include "rules/schema/model.h"

/* Gives each private zone of the model its records. `before` is the served model, whose zones
 * were read here with the same `key`; NULL: there is none. Mistakes are faults. Warnings about
 * a file are given when it is read, not again when its zone is shared. */
void zone_files_read(struct model *model, const struct model *before, const struct hash_key *key,
		     struct faults *faults);

#endif
