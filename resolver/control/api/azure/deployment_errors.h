/* Errors about the resources of a deployment, each with its place in the template. */
#ifndef SLUICE_ARM_DEPLOYMENT_ERRORS_H
#define SLUICE_ARM_DEPLOYMENT_ERRORS_H

#include "resolver/control/api/azure/deployment.h"

/* Adds the errors of a resource, and releases them. */
void deployment_add_errors(struct deployment *deployment, const struct deployed *deployed,
			   struct arm_errors *errors);
/* Adds the faults of a draft, or of the change itself. */
void deployment_tell_faults(struct deployment *deployment, const struct faults *faults);
/* Adds the reason why a draft could not be made; `failed` is the edit that it is about, as in
 * service_change. */
void deployment_tell_error(struct deployment *deployment, const struct change_error *error,
			   size_t failed);
/* Removes the template's secrets from the errors of resources. Errors of the template itself have
 * none. */
void deployment_clear_errors(struct deployment *deployment);

#endif
