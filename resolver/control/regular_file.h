/* Opening what is to be read. A path in a configuration can lead anywhere; opening a FIFO waits
 * until somebody writes to it, and a control thread that waits answers nobody and cannot be
 * stopped. So everything the control thread reads is opened here, and is a regular file. */
#ifndef SLUICE_REGULAR_FILE_H
#define SLUICE_REGULAR_FILE_H

#include <stdio.h>

/* Opens the file for reading, never waiting. NULL: *why says the reason, for a text such as
 * "cannot be read: %s"; it is good until the next call. */
FILE *regular_file_open(const char *path, const char **why);

#endif
