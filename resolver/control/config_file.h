/* The configuration file (libconfig) and the model. Which keys there are, of which types, is the
 * field table's (rules/schema.h): the reader and the writer walk it and know no key by name, so a
 * new setting needs nothing here.
 *
 * Reading checks syntax, types and ranges, reads the zone files and places the endpoints. Whether
 * the whole is allowed is limits_check's to say, when the model is complete (load.h). */
#ifndef SLUICE_CONFIG_FILE_H
#define SLUICE_CONFIG_FILE_H

#include <stdio.h>

#include "resolver/control/zone_store.h"
#include "rules/err.h"
#include "rules/fault.h"
#include "rules/hash.h"
#include "rules/model.h"

/* Reads the file at path. NULL when it could not be parsed; a model with errors in `faults` is good
 * for nothing but to look for more of them with limits_check. Faults come back sorted. Relative
 * paths in the file, and of @include, are relative to the main file's directory; a path in an
 * included file to that file's.
 *
 * zones, when not NULL, shares the zones of unchanged files with the reads before (which all used
 * the same key), and a file that has lost all that it had by then is a fault. The model holds
 * references of its own. */
struct model *config_file_read(const char *path, const struct hash_key *key,
			       struct zone_store *zones, struct faults *faults);

/* Writes a file that reads back to an equal model, wherever it is put: paths come out absolute.
 * Addresses that placing chose are written like given ones. ERR_SYSTEM when writing fails. */
MUST_CHECK int config_file_write(const struct model *model, FILE *out);

#endif
