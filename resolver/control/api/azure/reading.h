/* Reads a client's body by the table of types:
 *
 *     body of a PUT or PATCH, and what GET shows now ─► new values, and edits of what is inside
 *
 * A member that has in the body what GET shows leaves its value alone. So that value keeps what
 * Azure cannot express: the protocol of a target, a target group, a name relative to its zone. */
#ifndef SLUICE_ARM_READING_H
#define SLUICE_ARM_READING_H

#include "resolver/control/api/azure/body.h"
#include "resolver/control/api/azure/errors.h"
#include "resolver/control/api/azure/shown.h"

struct api_edit;

struct arm_reading {
	struct api_request *request;
	struct api_edit *edit; /* further edits are added to it */
	const struct arm_type *type;
	const struct path *path;
	const char *place; /* where the request's body has this one: "", "properties.subnets[2]." */
	json_t *body;
	json_t *shown; /* what GET shows now; NULL: it is not there */
	json_t *base;  /* its values now; NULL: it is not there */
	bool merges;   /* a PATCH: what the body does not have stays */
	json_t *users; /* of the subnets of a network (arm_network_users); NULL: not looked up */
	/* Whether something inside it stays that the body leaves out, because the same change puts
	 * it by itself. NULL: nothing does. */
	bool (*stays)(void *context, const struct arm_shown *inside);
	void *context;
	struct arm_errors *errors;
	json_t *kept;    /* out: the member "azure" of `values` */
	json_t *values;  /* out */
	struct path *to; /* out: the resource that is changed, which may be only the PTR */
};

/* Makes reading->values: what stays, changed by what the body says. */
void arm_read_body(struct arm_reading *reading);
/* api_edit_also, which takes the values over; without memory (a name that is NULL is that, too) it
 * is an error. */
void arm_add_edit(struct api_edit *edit, const struct path *path, json_t *values,
		  struct arm_errors *errors);
/* The path of a member of this body in the request's, for errors; returns text. */
char *arm_target(const struct arm_reading *reading, const char *path, char text[ARM_TARGET_MAX]);
/* The member of a body of that type for a key of the field table: "targets[2].port" is
 * properties.targetDnsServers[2].port. "" where Azure has no such member. Returns text. */
char *arm_target_of_key(const struct arm_type *type, const char *key, char text[ARM_TARGET_MAX]);

#endif
