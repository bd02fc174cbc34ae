/* A resource as Azure's clients see it, by the table of types:
 *
 *     item or row ─► arm_find ─► struct arm_shown ─► arm_print ─► GET
 */
#ifndef SLUICE_ARM_SHOWN_H
#define SLUICE_ARM_SHOWN_H

#include "resolver/control/api/azure/type.h"
#include "resolver/control/resource/change_error.h"

struct owned_resource;
struct resource_group;

enum { ARM_ETAG_MAX = ETAG_MAX + 2 /* W/ */ };

struct arm_shown {
	struct api_request *request;
	const struct arm_type *type;
	struct path path; /* in the item's own spelling */
	json_t *values;   /* by the field table, with full references */
	/* Of the kind's struct; of an address: struct owned_resource. NULL: a group, or the SOA
	 * that the server made for a zone. */
	const void *item;
	uint64_t revision; /* of the item's row in the state; 0: it has none, or is an address */
	const struct arm_shown *outer; /* the resource around an object of an array; else NULL */
	json_t *users;                 /* of subnets (arm_users_find); NULL: not known yet */
	bool is_implied;               /* a group that exists only because something is in it */
	bool is_bare; /* print the body that would make the resource, without computed members */
	char etag[ARM_ETAG_MAX]; /* in the body's form */
};

/* Find the resource of the path. False: there is none, or, with an outcome in the error, it cannot
 * be read. arm_find_plain omits the etag, which for a network takes a walk over all its subnets. */
bool arm_find(struct api_request *request, const struct arm_type *type, const struct path *path,
	      struct arm_shown *shown, struct change_error *error);
bool arm_find_plain(struct api_request *request, const struct arm_type *type,
		    const struct path *path, struct arm_shown *shown, struct change_error *error);
/* Like arm_find, but also finds a record set that a machine or a client has registered; only for
 * showing. */
bool arm_find_shown(struct api_request *request, const struct arm_type *type,
		    const struct path *path, struct arm_shown *shown, struct change_error *error);
/* Fill the struct in for an item that was found already; arm_show_plain omits the etag. */
void arm_show_item(struct api_request *request, const struct arm_type *type,
		   const struct path *path, const void *item, struct arm_shown *shown);
void arm_show_plain(struct api_request *request, const struct arm_type *type,
		    const struct path *path, const void *item, struct arm_shown *shown);
void arm_show_address(struct api_request *request, const struct owned_resource *resource,
		      struct arm_shown *shown);
void arm_show_group(struct api_request *request, const struct resource_group *group,
		    struct arm_shown *shown);
/* Makes the group "-", which stands for the addresses without a group; false: there are none. */
bool arm_find_ungrouped(struct resources *resources, struct resource_group *group);
void arm_shown_release(struct arm_shown *shown);
/* The resource's values in the state or the file, without defaults and without chosen values. NULL:
 * they cannot be read; `error` has the reason. */
json_t *arm_base(const struct arm_shown *shown, struct change_error *error);

json_t *arm_print(const struct arm_shown *shown);
/* Prints the members that /resources shows: id, name, type, location and tags. */
json_t *arm_print_short(const struct arm_shown *shown);
/* Are resources of the type printed in their parent, whose etag they share? */
bool arm_is_inside(const struct arm_type *type);
/* Calls back for each resource of the type inside this one. */
void arm_each_child(const struct arm_shown *shown, const struct arm_type *type,
		    void (*on_child)(void *context, struct arm_shown *child), void *context);

/* Prints "/subscriptions/S/resourceGroups/G/providers/Microsoft.Network/T/N[/T/N]"; returns text.
 */
char *arm_id(const struct api_request *request, const struct path *path, char text[ARM_ID_MAX]);
/* {"id": ID} */
json_t *arm_id_json(const struct api_request *request, const struct path *path);

/* The path in the spelling of the items that exist; `item`: the resource, or NULL. */
struct path arm_spelled(const struct api_request *request, const struct path *path,
			const void *item);
/* Finds the network of an endpoint's resolver. False: there is none. */
bool arm_network_of(const struct api_request *request, const struct path *endpoint,
		    struct path *network);

#endif
