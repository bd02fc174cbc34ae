/* Reads a PUT or PATCH of a resource: of a request, or one of many in a deployment. Ids refer to
 * items of the server's model, and resources inside the body become further edits. */
#ifndef SLUICE_ARM_PUT_H
#define SLUICE_ARM_PUT_H

#include "resolver/control/api/azure/reading.h"
#include "resolver/control/api/azure/shown.h"

struct arm_putting {
	struct api_edit *edit; /* its first edit is the resource's; others are added */
	const struct arm_type *type;
	struct path *path; /* the resource; out: kind NULL if nothing changes */
	json_t *body;
	bool merges;                   /* a PATCH: members that the body lacks stay */
	const struct arm_shown *there; /* its present state; NULL: it does not exist */
	/* Does this inner resource stay although the body lacks it (arm_reading)? May be NULL. */
	bool (*stays)(void *context, const struct arm_shown *inside);
	void *context;
	json_t *values; /* out: of the edit, to be released */
	struct arm_errors *errors;
};

/* Reads the body. False: it is wrong, or the resource is read-only; errors were added. */
bool arm_read_put(struct arm_putting *putting);
/* Adds the name and the group to the values of a new resource, because only the path has them. The
 * group is spelled as when it was made. */
void arm_put_names(struct api_request *request, const struct path *path, json_t *values);
/* Like arm_base; NULL: an error was added. */
json_t *arm_read_base(const struct arm_shown *shown, struct arm_errors *errors);
/* Adds an edit (api_edit_also) and takes ownership of the values. Without memory it adds an error;
 * a NULL name in the path means that the caller had no memory for the name. */
void arm_add_edit(struct api_edit *edit, const struct path *path, json_t *values,
		  struct arm_errors *errors);

#endif
