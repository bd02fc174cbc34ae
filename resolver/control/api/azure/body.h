/* Members of a resource in JSON, by the paths of the table of types. As in Azure, names are read
 * without regard to case, and are written as in the table. */
#ifndef SLUICE_ARM_BODY_H
#define SLUICE_ARM_BODY_H

#include <jansson.h>
#include <stdbool.h>

#include "resolver/control/api/azure/type.h"

enum { ARM_TARGET_MAX = 256 }; /* bytes of a path in a body, as errors show it */

/* One step of a path: "addressSpace", or "ipConfigurations[0]". In the table of types "[0]" is the
 * only item of an array; in other paths "[2]" is one of several. */
struct arm_step {
	const char *name;
	size_t length, index;
	bool in_array;
};
/* Removes the next step from *path; false: there is none. */
bool arm_next_step(const char **path, struct arm_step *step);
/* The member of a body at that path; NULL: it is missing, or null. */
json_t *arm_get(json_t *body, const char *path);
/* Puts the value at that path, and makes the objects and arrays on the way. Takes ownership of the
 * value; with value NULL it does nothing. */
void arm_put(json_t *body, const char *path, json_t *value);
/* The path of a member in its resource: "properties.addressSpace", "location". Returns path. */
const char *arm_member_path(const struct arm_member *member, char path[ARM_TARGET_MAX]);

/* The value, to be released. Like Azure, it turns a text that is a whole number into that number.
 */
json_t *arm_number(json_t *value);

/* Parses a text of JSON; the caller releases the result. Text NULL: NULL. */
json_t *arm_json_of(const char *text);
/* The value that the values' field "azure" keeps for the member with this path, to be released: of
 * an ARM_KEPT, or the client's spelling of records. NULL: there is none. */
json_t *arm_kept(const json_t *values, const char *path);

#endif
