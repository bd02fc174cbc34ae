/* What a PUT or PATCH makes of a resource: of a request, or one of many in a deployment. */
#ifndef SLUICE_ARM_PUT_H
#define SLUICE_ARM_PUT_H

#include "resolver/control/api/azure/reading.h"

struct arm_putting {
	struct api_edit *edit; /* whose first edit is the resource's; others are added behind it */
	const struct arm_type *type;
	struct path *path; /* the resource; afterwards the one that is changed, which may be only
			    * its PTR. Its kind is NULL where there is nothing to be done */
	json_t *body;
	bool merges;                   /* a PATCH: what the body does not have stays */
	const struct arm_shown *there; /* as it is; NULL: it is not there */
	/* Whether something inside it stays that its body leaves out (arm_reading). May be NULL. */
	bool (*stays)(void *context, const struct arm_shown *inside);
	void *context;
	json_t *values; /* out: the edit's, to be released */
	struct arm_errors *errors;
};

/* Reads the body. False: it does not fit, by the errors, or the resource is read-only. */
bool arm_read_put(struct arm_putting *putting);

#endif
