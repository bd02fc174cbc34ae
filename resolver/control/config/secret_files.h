/* Secrets in files of their own: those of TSIG keys, and a fleet's cookie secret. A TSIG secret's
 * file holds its base64 text alone, as `tsig-keygen` prints it between quotes. The file of the
 * cookie secret has 32 hexadecimal digits; a second line may have the previous secret, until every
 * server has the new one. */
#ifndef SLUICE_SECRET_FILES_H
#define SLUICE_SECRET_FILES_H

#include "rules/fault.h"
#include "rules/schema/model.h"

/* Reads the files that the model names into it. A file that cannot be used is a fault. A file that
 * others may read is a warning, and so is a configuration file that has a secret in it and that
 * everybody may read. */
void secret_files_read(struct model *model, struct faults *faults);
/* Reads the secret of one key into the arena; does nothing if the key names no file. */
void secret_files_read_key(struct tsig_settings *key, struct arena *arena, struct faults *faults);

#endif
