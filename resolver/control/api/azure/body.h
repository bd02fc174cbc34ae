/* Members of a resource in JSON, by the paths that the table of types has: without regard to the
 * case of a client's names, and canonical where they are written. */
#ifndef SLUICE_ARM_BODY_H
#define SLUICE_ARM_BODY_H

#include <jansson.h>
#include <stdbool.h>

#include "resolver/control/api/azure/type.h"

enum { ARM_TARGET_MAX = 256 }; /* of a path in a body, as errors name it */

/* One step of a path: "addressSpace", or "ipConfigurations[0]". */
struct arm_step {
	const char *name;
	size_t length;
	bool in_array; /* it is the only item of an array */
};
/* Moves *path behind the next step; false: there is none. */
bool arm_next_step(const char **path, struct arm_step *step);
/* The object's member of that name; NULL: it is not there, or null. */
json_t *arm_own_member(json_t *object, const char *name, size_t length);

/* The member of a body; NULL: it is not there, or null. */
json_t *arm_get(json_t *body, const char *path);
/* Takes the value over, and makes what it is in; NULL is nothing. */
void arm_put(json_t *body, const char *path, json_t *value);
/* Where a resource has the member: "properties.addressSpace", "location". Returns path. */
const char *arm_member_path(const struct arm_member *member, char path[ARM_TARGET_MAX]);

/* JSON of any type that is kept as a text; text NULL: NULL. */
json_t *arm_json_of(const char *text);
/* What the values keep of a member of Azure's that nothing here uses, to be released; NULL:
 * nothing. */
json_t *arm_kept(const json_t *values, const char *path);

#endif
