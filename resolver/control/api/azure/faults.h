/* The engine's faults as errors about members of a body. A fault is at a path of the configuration,
 * "rulesets[dev/office].rules[contoso].targets[2].port"; Azure's clients know that as
 * properties.targetDnsServers[2].port, and other resources by their ids. */
#ifndef SLUICE_ARM_FAULTS_H
#define SLUICE_ARM_FAULTS_H

#include "resolver/control/api/azure/errors.h"
#include "resolver/control/api/edit.h"
#include "resolver/control/resource/kind.h"
#include "rules/fault.h"

struct arm_type;

/* Adds an error for each fault, but for warnings. Where the request's body is a resource of this
 * type, which the first edit makes, an error about it names the member of the body. All other
 * errors begin with the id of their resource; with type NULL, all do. */
void arm_tell_faults(struct api_edit *edit, const struct arm_type *type,
		     const struct faults *faults, struct arm_errors *errors);
/* Reads the path that a fault's text or place begins with, "rulesets[dev/office].rules[contoso]".
 * Returns its length; 0: the text begins with none. The path's texts are in the arena. */
size_t arm_read_place(struct arena *arena, const char *text, struct path *path);

#endif
