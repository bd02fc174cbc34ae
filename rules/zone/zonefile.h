/* Reads and writes master files (RFC 1035 section 5). The whole file is read even if it has faults,
 * and each fault names its line. Only an $INCLUDE that could be endless ends the reading: of a file
 * that includes itself, or of too many files or too long ones. */
#ifndef SLUICE_ZONEFILE_H
#define SLUICE_ZONEFILE_H

#include <stdbool.h>
#include <stdio.h>

#include "rules/fault.h"
#include "rules/zone/zone.h"

/* Reads a whole file below a folder; free the result and *path, its path without symbolic links.
 * NULL: *why is the reason, for "cannot be read: %s"; *length is above max if the file is
 * longer. */
typedef char *zonefile_open(const char *folder, const char *name, size_t max, char **path,
			    size_t *length, const char **why);

struct zonefile_folder { /* the folder that $INCLUDE may read below */
	char *path;
	char *file; /* the zone's file, without symbolic links; NULL: it does not exist */
	zonefile_open *open;
	bool used; /* set if the zone has more than one file */
};

/* The folder of a zone's file. ERR_NOMEM leaves nothing to release. */
MUST_CHECK int zonefile_folder_init(struct zonefile_folder *folder, const char *file,
				    zonefile_open *open);
void zonefile_folder_release(struct zonefile_folder *folder);

/* Reads the zone with this apex from `in`; `file` is the name of `in` in faults. $ORIGIN starts as
 * the apex. A record without a TTL has that of $TTL; before a $TTL, the last TTL that a record
 * gave. If no record up to the SOA gives one, it is the SOA's minimum from the SOA on, and 3600
 * before it. Without a folder (NULL) an $INCLUDE is an error. NULL when there was an error;
 * warnings may be added all the same. */
struct zone *zonefile_read(FILE *in, const char *file, struct zonefile_folder *folder,
			   const struct hash_key *key, const struct name *apex,
			   struct faults *faults);

/* Writes a file that zonefile_read reads back to the same zone, for any kind of zone: the SOA
 * first, then owner by owner. ERR_SYSTEM: `out` fails. */
MUST_CHECK int zonefile_write(const struct zone *zone, FILE *out);

/* Prints a name (uncompressed wire, at or below the apex) relative to the apex, without a final
 * dot: "www", or "@" for the apex itself. Returns text. */
char *zonefile_name(const struct name *apex, const uint8_t *name, char text[NAME_TEXT_MAX]);

#endif
