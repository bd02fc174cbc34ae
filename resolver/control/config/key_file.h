/* Secrets of TSIG keys that stand in files of their own, and the warning of those that everybody
 * can read there or in the configuration. */
#ifndef SLUICE_KEY_FILE_H
#define SLUICE_KEY_FILE_H

#include "rules/fault.h"
#include "rules/schema/model.h"

/* Reads the secret_file of every key that has one into the model; what cannot be read is a fault,
 * and one that others may read a warning; so is a configuration file with a secret in it. */
void key_files_read(struct model *model, struct faults *faults);

#endif
