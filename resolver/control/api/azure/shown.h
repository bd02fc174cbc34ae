/* A resource as Azure's clients see it, by the table of types:
 *
 *     item or row ─► arm_find ─► struct arm_shown ─► arm_print ─► GET */
#ifndef SLUICE_ARM_SHOWN_H
#define SLUICE_ARM_SHOWN_H

#include "resolver/control/api/azure/type.h"
#include "resolver/control/resource/change.h"

enum { ARM_ETAG_MAX = ETAG_MAX + 2 /* W/ */ };

struct arm_shown {
	struct api_request *request;
	const struct arm_type *type;
	struct path path;  /* as it was first written */
	json_t *values;    /* with references in full */
	const void *item;  /* of a model or of the state; of an address: struct owned_resource */
	uint64_t revision; /* of its row; 0: it is from a file */
	const struct arm_shown *outer; /* of an object inside: what it is in; else NULL */
	json_t *users;   /* of the subnets of a network (arm_network_users); NULL: not looked up */
	bool is_implied; /* a group that no row has: what is in it says that it is there */
	bool is_bare;    /* printed without what is computed: as a body that makes it */
	char etag[ARM_ETAG_MAX]; /* as the body has it */
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

/* The path as it was first written; item: what is there, or NULL. */
struct path arm_spelled(const struct api_request *request, const struct path *path,
			const void *item);
/* The network of the resolver that an endpoint is in. False: it is not there. */
bool arm_network_of(const struct api_request *request, const struct path *endpoint,
		    struct path *network);

#endif
