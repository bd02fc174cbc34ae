/* Members of a resource in JSON, by the paths of the table of types. Names are found in any case,
 * as Azure finds them, and are written as in the table. */
#ifndef SLUICE_ARM_BODY_H
#define SLUICE_ARM_BODY_H

#include <jansson.h>
#include <stdbool.h>

#include "resolver/control/api/azure/type.h"

enum { ARM_TARGET_MAX = 256 }; /* of a path in a body, as errors name it */

/* One step of a path: "addressSpace", or "ipConfigurations[0]". In the table of types "[0]" is the
 * only item of an array, and elsewhere "[2]" is one of several. */
struct arm_step {
	const char *name;
	size_t length, index;
	bool in_array;
};
/* Takes the next step off *path; false: there is none. */
bool arm_next_step(const char **path, struct arm_step *step);
/* The member at that path of a body; NULL: it is missing, or null. */
json_t *arm_get(json_t *body, const char *path);
/* Takes the value over, and makes the objects on the way to it; NULL puts nothing. */
void arm_put(json_t *body, const char *path, json_t *value);
/* Where a resource has the member: "properties.addressSpace", "location". Returns path. */
const char *arm_member_path(const struct arm_member *member, char path[ARM_TARGET_MAX]);

/* The value, to be released; in the place of a text that is a whole number that number, as Azure
 * takes it. */
json_t *arm_number(json_t *value);

/* The JSON of a text, to be released; text NULL: NULL. */
json_t *arm_json_of(const char *text);
/* A member that is only kept (ARM_KEPT), out of the values, to be released; NULL: it is not there.
 */
json_t *arm_kept(const json_t *values, const char *path);

#endif
