/* UUIDs (RFC 4122). An address or service that the API makes gets a random one. One that the
 * configuration file declares without an id gets one derived from its kind, group and name, which
 * is the same after a restart and on every machine that has the same file. Azure's ids of other
 * resources are derived from their ARM ids. */
#ifndef SLUICE_UUID_H
#define SLUICE_UUID_H

#include <stdint.h>

enum { UUID_BYTES = 16, UUID_TEXT_MAX = 37 };

/* Version 4; returns text, in lower case. */
char *uuid_random(char text[UUID_TEXT_MAX]);
/* Version 5, in a namespace of sluice's own; returns text, in lower case. */
char *uuid_of_name(const char *name, char text[UUID_TEXT_MAX]);
/* Version 5, in any namespace. */
char *uuid_in_namespace(const uint8_t space[UUID_BYTES], const char *name,
			char text[UUID_TEXT_MAX]);

#endif
