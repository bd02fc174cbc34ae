/* A resource as Azure's clients see it, by the table of types: from values to a body, and back.
 *
 *     item or row ─► arm_find ─► struct arm_shown ─► arm_print ─► GET
 *     PUT, PATCH ─► arm_read_body, beside what is shown now ─► values, and edits of what is inside
 *
 * A member that a body has as it is shown now leaves its value alone, and so keeps what Azure
 * cannot express: the protocol of a target, a target group, a name that is relative to its zone. */
#ifndef SLUICE_ARM_VALUES_H
#define SLUICE_ARM_VALUES_H

#include "resolver/control/api/azure/type.h"
#include "resolver/control/resource/change.h"

/* ---- out ---- */

struct arm_shown {
	struct api_request *request;
	const struct arm_type *type;
	struct path path;  /* as it was first written */
	json_t *values;    /* with references in full */
	const void *item;  /* of a model or of the state; of an address: struct owned_resource */
	uint64_t revision; /* of its row; 0: it is from a file */
	const struct arm_shown *outer; /* of an object inside: what it is in; else NULL */
	json_t *users;   /* of the subnets of a network (particular_users); NULL: not looked up */
	bool is_implied; /* a group that no row has: what is in it says that it is there */
	bool is_bare;    /* printed without what is computed: as a body that makes it */
	char etag[ETAG_MAX + 4]; /* as the body has it */
};

/* What is at the path. False: there is nothing, or, with an outcome in the error, it cannot be
 * read. The plain one has no etag: that of a network takes a look at all its subnets. */
bool arm_find(struct api_request *request, const struct arm_type *type, const struct path *path,
	      struct arm_shown *shown, struct change_error *error);
bool arm_find_plain(struct api_request *request, const struct arm_type *type,
		    const struct path *path, struct arm_shown *shown, struct change_error *error);
/* Whether it is shown inside what it is in, whose etag it shares. */
bool arm_is_inside(const struct arm_type *type);
/* The same of an item that was found; the path is its own. */
void arm_show_item(struct api_request *request, const struct arm_type *type,
		   const struct path *path, const void *item, struct arm_shown *shown);
struct owned_resource;
void arm_show_address(struct api_request *request, const struct owned_resource *resource,
		      struct arm_shown *shown);
struct resource_group;
void arm_show_group(struct api_request *request, const struct resource_group *group,
		    struct arm_shown *shown);
/* The group "-", of the addresses without one; false: there are none. */
bool arm_find_ungrouped(struct inventory *inventory, struct resource_group *group);
void arm_show_plain(struct api_request *request, const struct arm_type *type,
		    const struct path *path, const void *item, struct arm_shown *shown);
void arm_shown_release(struct arm_shown *shown);
/* Its values as the state or the file has them: without what is there by default, or was found for
 * it. NULL: `error` says why they cannot be read. */
json_t *arm_base(const struct arm_shown *shown, struct change_error *error);

json_t *arm_print(const struct arm_shown *shown);
/* What /resources has of it: its id, name, type, location and tags. */
json_t *arm_print_short(const struct arm_shown *shown);
/* Calls back for each resource of the type that is inside it. */
void arm_each_child(const struct arm_shown *shown, const struct arm_type *type,
		    void (*on_child)(void *context, struct arm_shown *child), void *context);

/* ---- what is wrong, all at once ---- */

struct arm_errors {
	struct api_request *request;
	unsigned status; /* of the first; 0: there is none */
	json_t *list;    /* {"code", "message", "target"} each */
};
void arm_error(struct arm_errors *errors, unsigned status, const char *code, const char *target,
	       const char *format, ...) __attribute__((format(printf, 5, 6)));
/* The same for what does not fit in a body. */
void arm_misfit(struct arm_errors *errors, const char *target, const char *format, ...)
	__attribute__((format(printf, 3, 4)));
/* Answers with them; there is one at least. */
void arm_fail_all(struct arm_errors *errors);
void arm_errors_release(struct arm_errors *errors);

/* ---- in ---- */

struct api_edit;

struct arm_reading {
	struct api_request *request;
	struct api_edit *edit; /* that further edits are added to */
	const struct arm_type *type;
	const struct path *path;
	const char *place; /* of the body in the request's, for errors; "" */
	const json_t *body;
	const json_t *shown; /* what GET shows now; NULL: it is not there */
	const json_t *base;  /* its values now; NULL: the same */
	bool merges;         /* a PATCH: what the body does not have stays */
	struct arm_errors *errors;
	json_t *kept;    /* out: of `values`, what nothing here uses, and how names were written */
	json_t *values;  /* out */
	struct path *to; /* out: what is changed, where that is another resource than the body's */
};

/* Puts what the body says into reading->values, which starts as what stays. */
void arm_read_body(struct arm_reading *reading);
/* A member of a body, without regard to case; NULL: it is not there, or null. */
json_t *arm_get(const json_t *body, const char *path);
/* "properties.subnet.id", as a target of errors; returns text. */
enum { ARM_TARGET_MAX = 256 };
char *arm_target(const struct arm_reading *reading, const char *path, char text[ARM_TARGET_MAX]);
/* Where a body of that type has what a fault calls by keys of the field table: "targets[2].port" is
 * properties.targetDnsServers[2].port; "" where Azure has no such member. Returns text. */
char *arm_target_of_key(const struct arm_type *type, const char *key, char text[ARM_TARGET_MAX]);

#endif
