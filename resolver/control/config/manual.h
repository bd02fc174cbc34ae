/* The manual page sluice.conf(5), made from the field table, so it describes what the reader
 * accepts. */
#ifndef SLUICE_MANUAL_H
#define SLUICE_MANUAL_H

#include <stdio.h>

/* Writes the page in roff's man macros. */
void manual_sluice_conf(FILE *out);

#endif
