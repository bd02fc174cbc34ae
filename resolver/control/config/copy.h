/* A copy of a configuration that needs no file of the operator's: a reload may have to be undone
 * after a crash, when the operator's files have already changed.
 *
 *     DIRECTORY/sluice.conf       the model, printed (write.h): without comments and includes
 *               zone-N            a zone as it is served, a record a line
 *               key-N, cookies    secrets as they were read
 *               client-N, certificate, key, webhook_ca
 *                                 of `management` and `events`: the bytes that their files have now
 *
 * Zones, keys and cookies are written as they were served. The secret of a client is copied from
 * its file, because the server keeps only the digest. Credentials of systemd (/run/credentials) are
 * not copied: the copy refers to them. */
#ifndef SLUICE_CONFIG_COPY_H
#define SLUICE_CONFIG_COPY_H

#include "rules/err.h"
#include "rules/schema/model.h"

#define CONFIG_COPY_FILE "sluice.conf"

enum { CONFIG_COPY_ERROR_MAX = 512 };

/* Writes the model of the configuration file, without resources of a state. The directory is made
 * if it is missing; other files in it are removed. Only this user may read the files, and they are
 * on the disk when this returns 0. The directory's entry in its parent may not be on the disk yet:
 * confirmation_write syncs the parent (service/confirmation.c). ERR_SYSTEM, ERR_NOMEM: `error`
 * tells what could not be written or read; do not use the directory then. */
MUST_CHECK int config_copy_write(const struct model *declared, const char *directory,
				 char error[CONFIG_COPY_ERROR_MAX]);
/* Removes the files and the directory, as far as that is possible. */
void config_copy_remove(const char *directory);

#endif
