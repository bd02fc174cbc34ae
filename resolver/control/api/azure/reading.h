/* Reads a body by the table of types:
 *
 *     body of a PUT or PATCH, and what GET shows now ─► new values
 *     resource of az or Terraform alone              ─► new values
 *
 * A member that equals what GET shows does not change its value. So the value keeps what Azure
 * cannot express: the protocol of a target, a target group, a name relative to its zone. */
#ifndef SLUICE_ARM_READING_H
#define SLUICE_ARM_READING_H

#include "resolver/control/api/azure/body.h"
#include "resolver/control/api/azure/errors.h"

struct api_edit;
struct arm_reading;
struct arm_shown;
struct limit_values;

/* The functions in which a server, which has a model (azure/put.h), differs from an import, which
 * has files (control/import). */
struct arm_reader {
	/* The reference for an id: "GROUP/NAME[/NAME]", or the name for ARM_SUBNET. `target` is the
	 * id's place in the request's body. NULL: there is no such resource; an error was added. */
	json_t *(*refer)(struct arm_reading *reading, const struct arm_member *member,
			 const char *target, const char *id);
	/* Reads the resources in an array of the body (ARM_CHILDREN). */
	void (*read_children)(struct arm_reading *reading, const struct arm_member *member,
			      const char *path, json_t *array);
};

struct arm_reading {
	const struct arm_reader *reader;
	void *context; /* for the reader and for `stays` */
	const struct arm_type *type;
	const struct path *path;
	const char *place; /* of this body in the request's: "", "properties.subnets[2]." */
	json_t *body;
	json_t *shown; /* as GET shows it now; NULL: it does not exist */
	json_t *base;  /* its present values; NULL: it does not exist */
	bool merges;   /* a PATCH: members that the body lacks stay, none is required */
	struct arm_errors *errors;
	json_t *kept;   /* out: the member "azure" of `values` */
	json_t *values; /* out */
	/* For a server's reader, and azure/hooks.h: */
	struct api_request *request;
	struct api_edit *edit; /* gets further edits */
	const struct limit_values *limits;
	json_t *users; /* of a network's subnets (arm_network_users); NULL: not known yet */
	/* Does this inner resource stay although the body lacks it, for example because the same
	 * change sets it by itself? NULL: none stays. */
	bool (*stays)(void *context, const struct arm_shown *inside);
};

/* Makes reading->values: the present values, changed by the body. Hooks (azure/hooks.h) are left to
 * the caller. */
void arm_read_body(struct arm_reading *reading);
/* For `refer`: adds the error that the id is not of this type. */
void arm_misfit_id(struct arm_reading *reading, const struct arm_type *of, const char *target,
		   const char *id);
/* The path of a member of this body in the request's body, for errors; returns text. */
char *arm_target(const struct arm_reading *reading, const char *path, char text[ARM_TARGET_MAX]);
/* The member of a body that has a key of the field table: "targets[2].port" is
 * properties.targetDnsServers[2].port. "": Azure has no such member. Returns text. */
char *arm_target_of_key(const struct arm_type *type, const char *key, char text[ARM_TARGET_MAX]);

#endif
