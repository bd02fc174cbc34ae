/* Reading master files (RFC 1035 section 5). The whole file is read however many faults it has, and
 * each names its line. */
#ifndef SLUICE_ZONEFILE_H
#define SLUICE_ZONEFILE_H

#include <stdio.h>

#include "rules/fault.h"
#include "rules/zone/zone.h"

/* Reads a zone whose apex is given from `in`; `file` names it in faults. $ORIGIN starts as the
 * apex, $TTL as 3600. NULL when there was an error; warnings may be added all the same. */
struct zone *zonefile_read(FILE *in, const char *file, const struct hash_key *key,
			   const struct name *apex, struct faults *faults);

#endif
