/* What a client's body makes of a resource, by the table of types:
 *
 *     PUT, PATCH ─► arm_read_body, beside what is shown now ─► values, and edits of what is inside
 *
 * A member that a body has as it is shown now leaves its value alone, and so keeps what Azure
 * cannot express: the protocol of a target, a target group, a name that is relative to its zone. */
#ifndef SLUICE_ARM_READING_H
#define SLUICE_ARM_READING_H

#include "resolver/control/api/azure/body.h"
#include "resolver/control/api/azure/errors.h"
#include "resolver/control/api/azure/shown.h"

struct api_edit;

struct arm_reading {
	struct api_request *request;
	struct api_edit *edit; /* that further edits are added to */
	const struct arm_type *type;
	const struct path *path;
	const char *place; /* of the body in the request's, for errors; "" */
	json_t *body;
	json_t *shown; /* what GET shows now; NULL: it is not there */
	json_t *base;  /* its values now; NULL: the same */
	bool merges;   /* a PATCH: what the body does not have stays */
	struct arm_errors *errors;
	json_t *kept;    /* out: of `values`, what nothing here uses, and how names were written */
	json_t *values;  /* out */
	struct path *to; /* out: what is changed, where that is another resource than the body's */
};

/* Puts what the body says into reading->values, which starts as what stays. */
void arm_read_body(struct arm_reading *reading);
/* "properties.subnet.id", as a target of errors; returns text. */
char *arm_target(const struct arm_reading *reading, const char *path, char text[ARM_TARGET_MAX]);
/* Where a body of that type has what a fault calls by keys of the field table: "targets[2].port" is
 * properties.targetDnsServers[2].port; "" where Azure has no such member. Returns text. */
char *arm_target_of_key(const struct arm_type *type, const char *key, char text[ARM_TARGET_MAX]);

#endif
