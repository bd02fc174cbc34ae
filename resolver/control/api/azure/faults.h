/* What the engine has against a body, told at the members of the body: faults are about paths of
 * the configuration ("rulesets[dev/office].rules[contoso].targets[2].port"), and Azure's clients
 * know ids, and properties.targetDnsServers[2].port. */
#ifndef SLUICE_ARM_FAULTS_H
#define SLUICE_ARM_FAULTS_H

#include "resolver/control/api/azure/errors.h"
#include "resolver/control/api/edit.h"
#include "resolver/control/resource/kind.h"
#include "rules/fault.h"

struct arm_type;

/* Adds an error for each fault that is one. The edit's first is about a resource of the type, whose
 * body the request has. */
void arm_tell_faults(struct api_edit *edit, const struct arm_type *type,
		     const struct faults *faults, struct arm_errors *errors);
/* The path that a text of the engine begins with, "rulesets[dev/office].rules[contoso]": its
 * length; 0: it begins with none. Texts of the path are in the arena. */
size_t arm_read_place(struct arena *arena, const char *text, struct path *path);

#endif
