/* The file with a fleet's cookie secret: 32 hexadecimal digits, and on a second line perhaps those
 * of the secret before, while not every server has the new one yet. */
#ifndef SLUICE_COOKIE_FILE_H
#define SLUICE_COOKIE_FILE_H

#include "rules/fault.h"
#include "rules/schema/model.h"

/* Reads settings->cookie_secret_file, where there is one, into its keys. */
void cookie_file_read(struct udp_settings *settings, struct faults *faults);

#endif
