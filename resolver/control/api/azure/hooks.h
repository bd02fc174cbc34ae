/* The parts of a type that no row of the table of types (azure/type.h) can express: functions of
 * azure/particular.c and azure/private_link.c. */
#ifndef SLUICE_ARM_HOOKS_H
#define SLUICE_ARM_HOOKS_H

#include "resolver/control/api/azure/reading.h"
#include "resolver/control/api/azure/shown.h"

struct arm_action { /* POST .../NAME/action */
	const char *name;
	void (*handle)(struct api_request *request, const struct arm_shown *shown);
};

/* Each member may be NULL. */
struct arm_hooks {
	void (*show)(const struct arm_shown *shown, json_t *values); /* before printing */
	void (*read)(struct arm_reading *reading); /* after the members; may add edits */
	/* Adds the edits of other resources that go with the removal of this one. */
	void (*remove)(const struct arm_shown *shown, struct api_edit *edit,
		       struct arm_errors *errors);
	const struct arm_action *actions; /* the last has no name */
};

const struct arm_hooks *arm_hooks_of(const struct arm_type *type);
/* The value of a computed member; NULL: it is not shown. */
json_t *arm_compute(const struct arm_shown *shown, enum arm_computed computed);

#endif
