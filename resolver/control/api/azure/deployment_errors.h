/* What is wrong with the resources of a deployment: each error has the place in the template. */
#ifndef SLUICE_ARM_DEPLOYMENT_ERRORS_H
#define SLUICE_ARM_DEPLOYMENT_ERRORS_H

#include "resolver/control/api/azure/deployment.h"

/* Takes the errors of a resource over. */
void deployment_add_errors(struct deployment *deployment, const struct deployed *deployed,
			   struct arm_errors *errors);
/* Adds what a draft, or the change itself, would have of faults. */
void deployment_tell_faults(struct deployment *deployment, const struct faults *faults);
/* Adds why a draft could not be made; `failed`: the edit that it is about, as service_change has
 * it.
 */
void deployment_tell_error(struct deployment *deployment, const struct change_error *error,
			   size_t failed);
/* Takes the template's secrets out of the errors of resources; its own has none. */
void deployment_clear_errors(struct deployment *deployment);

#endif
