/* A resource as Azure's clients see it, by the table of types:
 *
 *     item or row ─► arm_find ─► struct arm_shown ─► arm_print ─► GET */
#ifndef SLUICE_ARM_SHOWN_H
#define SLUICE_ARM_SHOWN_H

#include "resolver/control/api/azure/type.h"
#include "resolver/control/resource/change.h"

struct owned_resource;
struct resource_group;

enum { ARM_ETAG_MAX = ETAG_MAX + 2 /* W/ */ };

struct arm_shown {
	struct api_request *request;
	const struct arm_type *type;
	struct path path;  /* as it was first written */
	json_t *values;    /* by the field table, with references in full */
	const void *item;  /* of the kind's struct; of an address: struct owned_resource */
	uint64_t revision; /* of its row; 0: it is from a file */
	const struct arm_shown *outer; /* of an object in an array: the resource; else NULL */
	json_t *users;   /* of the subnets of a network (arm_network_users); NULL: not looked up */
	bool is_implied; /* a group that nobody made: there because something is in it */
	bool is_bare;    /* printed as the body that would make it, without computed members */
	char etag[ARM_ETAG_MAX]; /* as the body has it */
};

/* Finds the resource of the path. False: there is none, or, with an outcome in the error, it cannot
 * be read. The plain one does without the etag, for which a network's subnets are all looked at. */
bool arm_find(struct api_request *request, const struct arm_type *type, const struct path *path,
	      struct arm_shown *shown, struct change_error *error);
bool arm_find_plain(struct api_request *request, const struct arm_type *type,
		    const struct path *path, struct arm_shown *shown, struct change_error *error);
/* arm_find, or a record set that a machine has registered: no more than to be shown. */
bool arm_find_shown(struct api_request *request, const struct arm_type *type,
		    const struct path *path, struct arm_shown *shown, struct change_error *error);
/* The same of an item that was found already; the plain one without the etag. */
void arm_show_item(struct api_request *request, const struct arm_type *type,
		   const struct path *path, const void *item, struct arm_shown *shown);
void arm_show_plain(struct api_request *request, const struct arm_type *type,
		    const struct path *path, const void *item, struct arm_shown *shown);
void arm_show_address(struct api_request *request, const struct owned_resource *resource,
		      struct arm_shown *shown);
void arm_show_group(struct api_request *request, const struct resource_group *group,
		    struct arm_shown *shown);
/* The group "-", which stands for the addresses without a group; false: there are none. */
bool arm_find_ungrouped(struct inventory *inventory, struct resource_group *group);
void arm_shown_release(struct arm_shown *shown);
/* Its values as the state or the file has them, without defaults and without what was chosen for
 * it. NULL: `error` says why they cannot be read. */
json_t *arm_base(const struct arm_shown *shown, struct change_error *error);

json_t *arm_print(const struct arm_shown *shown);
/* What /resources has of it: its id, name, type, location and tags. */
json_t *arm_print_short(const struct arm_shown *shown);
/* Whether resources of the type are printed in their parent, whose etag they share. */
bool arm_is_inside(const struct arm_type *type);
/* Calls back for each resource of the type that is inside this one. */
void arm_each_child(const struct arm_shown *shown, const struct arm_type *type,
		    void (*on_child)(void *context, struct arm_shown *child), void *context);

/* "/subscriptions/S/resourceGroups/G/providers/Microsoft.Network/T/N[/T/N]"; returns text. */
char *arm_id(const struct api_request *request, const struct path *path, char text[ARM_ID_MAX]);
/* {"id": ID} */
json_t *arm_id_json(const struct api_request *request, const struct path *path);

/* The path with names in the case in which they were first written; item: what is there, or NULL.
 */
struct path arm_spelled(const struct api_request *request, const struct path *path,
			const void *item);
/* The network of an endpoint's resolver. False: it is not there. */
bool arm_network_of(const struct api_request *request, const struct path *endpoint,
		    struct path *network);

#endif
