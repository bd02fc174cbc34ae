/* What a PUT or PATCH makes of a resource: of a request, or one of many in a deployment. Ids refer
 * to what the server's model has, and what the body has inside becomes further edits. */
#ifndef SLUICE_ARM_PUT_H
#define SLUICE_ARM_PUT_H

#include "resolver/control/api/azure/reading.h"
#include "resolver/control/api/azure/shown.h"

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
/* api_edit_also, which takes the values over; without memory (a name that is NULL is that, too) it
 * is an error. */
void arm_add_edit(struct api_edit *edit, const struct path *path, json_t *values,
		  struct arm_errors *errors);

#endif
