/* Reads a body by the table of types:
 *
 *     body of a PUT or PATCH, and what GET shows now ─► new values
 *     resource of az or Terraform, and nothing       ─► new values
 *
 * A member that has in the body what GET shows leaves its value alone. So that value keeps what
 * Azure cannot express: the protocol of a target, a target group, a name relative to its zone. */
#ifndef SLUICE_ARM_READING_H
#define SLUICE_ARM_READING_H

#include "resolver/control/api/azure/body.h"
#include "resolver/control/api/azure/errors.h"

struct api_edit;
struct arm_reading;
struct arm_shown;
struct limit_values;

/* What differs between a server, which has a model (azure/put.h), and an import, which has files
 * (control/import). */
struct arm_reader {
	/* What the id refers to: "GROUP/NAME[/NAME]", or, of ARM_SUBNET, its name. `target` is
	 * where the request's body has it. NULL: it refers to nothing, which is an error. */
	json_t *(*refer)(struct arm_reading *reading, const struct arm_member *member,
			 const char *target, const char *id);
	/* Reads the resources in an array of the body (ARM_CHILDREN). */
	void (*read_children)(struct arm_reading *reading, const struct arm_member *member,
			      const char *path, json_t *array);
};

struct arm_reading {
	const struct arm_reader *reader;
	void *context; /* the reader's, and that of `stays` */
	const struct arm_type *type;
	const struct path *path;
	const char *place; /* where the request's body has this one: "", "properties.subnets[2]." */
	json_t *body;
	json_t *shown; /* what GET shows now; NULL: it is not there */
	json_t *base;  /* its values now; NULL: it is not there */
	bool merges;   /* a PATCH: what the body does not have stays, and nothing is required */
	struct arm_errors *errors;
	json_t *kept;   /* out: the member "azure" of `values` */
	json_t *values; /* out */
	/* Of a server's reader, and of azure/hooks.h: */
	struct api_request *request;
	struct api_edit *edit; /* further edits are added to it */
	const struct limit_values *limits;
	json_t *users; /* of the subnets of a network (arm_network_users); NULL: not looked up */
	/* Whether something inside it stays that the body leaves out, because the same change puts
	 * it by itself. NULL: nothing does. */
	bool (*stays)(void *context, const struct arm_shown *inside);
	struct path *to; /* out: the resource that is changed, which may be only the PTR */
};

/* Makes reading->values: what stays, changed by what the body says. What no row says
 * (azure/hooks.h) is not read. */
void arm_read_body(struct arm_reading *reading);
/* For `refer`: the id is not that of a resource of the type. */
void arm_misfit_id(struct arm_reading *reading, const struct arm_type *of, const char *target,
		   const char *id);
/* The path of a member of this body in the request's, for errors; returns text. */
char *arm_target(const struct arm_reading *reading, const char *path, char text[ARM_TARGET_MAX]);
/* The member of a body of that type for a key of the field table: "targets[2].port" is
 * properties.targetDnsServers[2].port. "" where Azure has no such member. Returns text. */
char *arm_target_of_key(const struct arm_type *type, const char *key, char text[ARM_TARGET_MAX]);

#endif
