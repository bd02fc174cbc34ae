/* Secrets in files of their own: those of TSIG keys, and a fleet's cookie secret. A TSIG secret's
 * file holds its base64 text and nothing else, as `tsig-keygen` prints it between its quotes. The
 * cookie secret's has 32 hexadecimal digits, and on a second line perhaps those of the secret
 * before, while not every server has the new one yet. */
#ifndef SLUICE_SECRET_FILES_H
#define SLUICE_SECRET_FILES_H

#include "rules/fault.h"
#include "rules/schema/model.h"

/* Reads the files that the model names into it. One that cannot be used is a fault, one that others
 * may read a warning; so is a configuration file with a secret in it that everybody may read. */
void secret_files_read(struct model *model, struct faults *faults);
/* The same of one key, whose secret goes into the arena; nothing where it names no file. */
void secret_files_read_key(struct tsig_settings *key, struct arena *arena, struct faults *faults);

#endif
