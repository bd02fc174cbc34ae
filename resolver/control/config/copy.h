/* What a configuration said, as files of its own that need none of those that it was read from: for
 * a reload that may have to be taken back after a crash, when the operator's files have long been
 * edited.
 *
 *     DIRECTORY/sluice.conf       the model, printed (write.h): without comments and includes
 *               zone-N            a zone as it is served, a record a line
 *               key-N, cookies    secrets as they were read
 *               client-N, certificate, key
 *                                 of the management API: the bytes that their files have now
 *
 * The last row is the one thing that is not kept as it was served: the server has the secrets of
 * clients as digests. Credentials of systemd (/run/credentials) are not copied; they stay where
 * they are. */
#ifndef SLUICE_CONFIG_COPY_H
#define SLUICE_CONFIG_COPY_H

#include "rules/err.h"
#include "rules/schema/model.h"

#define CONFIG_COPY_FILE "sluice.conf"

enum { CONFIG_COPY_ERROR_MAX = 512 };

/* Writes what a file said (without the resources of a state) into the directory, which is made
 * where it is missing, and has nothing else then: for nobody else to read, and on the disk when it
 * returns 0. ERR_SYSTEM, ERR_NOMEM: `error` says what could not be written or read; what is in the
 * directory then is of no use. */
MUST_CHECK int config_copy_write(const struct model *declared, const char *directory,
				 char error[CONFIG_COPY_ERROR_MAX]);
/* With the directory; what cannot be removed stays. */
void config_copy_remove(const char *directory);

#endif
