/* Reading and writing master files (RFC 1035 section 5). The whole file is read however many faults
 * it has, and each names its line. One fault ends the reading: an $INCLUDE that would never end. */
#ifndef SLUICE_ZONEFILE_H
#define SLUICE_ZONEFILE_H

#include <stdbool.h>
#include <stdio.h>

#include "rules/fault.h"
#include "rules/zone/zone.h"

/* All of a file below a folder, to be freed, as is *path: its path without symbolic links. NULL:
 * *why says the reason, for "cannot be read: %s"; *length is over max if the file has more. */
typedef char *zonefile_open(const char *folder, const char *name, size_t max, char **path,
			    size_t *length, const char **why);

struct zonefile_folder { /* what $INCLUDE may read: files below it */
	char *path;
	char *file; /* the zone's own, without symbolic links; NULL: it is not there */
	zonefile_open *open;
	bool used; /* set: the zone is of more than one file */
};

/* The folder of a zone's file. ERR_NOMEM leaves nothing to release. */
MUST_CHECK int zonefile_folder_init(struct zonefile_folder *folder, const char *file,
				    zonefile_open *open);
void zonefile_folder_release(struct zonefile_folder *folder);

/* Reads a zone whose apex is given from `in`; `file` names it in faults. $ORIGIN starts as the
 * apex. A record without a TTL has that of $TTL; without $TTL the last one that a record before it
 * has had; failing that the minimum of the SOA, if that is the first record, else 3600. Without a
 * folder (NULL) an $INCLUDE is an error. NULL when there was an error; warnings may be added all
 * the same. */
struct zone *zonefile_read(FILE *in, const char *file, struct zonefile_folder *folder,
			   const struct hash_key *key, const struct name *apex,
			   struct faults *faults);

/* Writes what zonefile_read reads back to the same zone, whichever way that was made: the SOA
 * first, then owner by owner. ERR_SYSTEM when `out` refuses. */
MUST_CHECK int zonefile_write(const struct zone *zone, FILE *out);

/* The name relative to the apex, without a final dot: "www", or "@" for the apex itself. `name`
 * (uncompressed wire) is at the apex or below it. Returns text. */
char *zonefile_name(const struct name *apex, const uint8_t *name, char text[NAME_TEXT_MAX]);

#endif
