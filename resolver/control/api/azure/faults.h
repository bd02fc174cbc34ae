/* Turns faults of the model into errors about members of a body. A fault has a path of the
 * configuration, "rulesets[dev/office].rules[contoso].targets[2].port"; Azure's clients know the
 * member as properties.targetDnsServers[2].port, and other resources by their ids. */
#ifndef SLUICE_ARM_FAULTS_H
#define SLUICE_ARM_FAULTS_H

#include "resolver/control/api/azure/errors.h"
#include "resolver/control/api/edit.h"
#include "resolver/control/resource/kind.h"
#include "rules/fault.h"

struct arm_type;

/* Adds an error for each fault, except warnings. If the request's body is a resource of this type,
 * which must be the first edit, an error about it or a child in it names the member of the body.
 * Any other error begins with the id of its resource, or, if Azure has no such resource, with the
 * fault's path. With type NULL, all errors begin like that. */
void arm_tell_faults(struct api_edit *edit, const struct arm_type *type,
		     const struct faults *faults, struct arm_errors *errors);
/* Reads the path that begins a fault's text or place, "rulesets[dev/office].rules[contoso]".
 * Returns its length; 0: there is none. The path's texts are in the arena. */
size_t arm_read_place(struct arena *arena, const char *text, struct path *path);

#endif
