/* libconfig 1.5 cuts an integer of more than 32 bits that has no L behind it, and says nothing:
 * 4294967297 becomes 1. This finds them in a file's text. */
#ifndef SLUICE_CONFIG_SCAN_H
#define SLUICE_CONFIG_SCAN_H

#include <stdio.h>

#include "rules/fault.h"

/* Adds a fault for every such integer; `name` names the file in it. The text has passed libconfig's
 * own parser, so strings and comments are closed. */
void config_scan_integers(FILE *file, const char *name, struct faults *faults);

#endif
