/* The owners that come from one place, the file or the state: found by each of the four things that
 * no two of them share. And the resource groups that this place knows. */
#ifndef SLUICE_INVENTORY_SHELF_H
#define SLUICE_INVENTORY_SHELF_H

#include "resolver/control/resource/inventory_node.h"
#include "rules/err.h"
#include "rules/owned/tree.h"

struct group_entry;

struct shelf {
	struct node *by_id, *by_name, *by_address, *by_fqdn;
	struct owned_tree order4, order6; /* the addresses that there are, by number */
	struct node *pending;
	size_t addresses, services, ptrs;
	size_t refused;             /* of them, not served */
	struct group_entry *groups; /* inventory_group_internal.h */
	struct members *members;    /* of each group, by its name */
};

struct shelf *shelf_new(void);        /* NULL without memory */
void shelf_free(struct shelf *shelf); /* NULL is fine */
/* NULL: there is none. Keys are lower-case, addresses whole structs. */
enum shelf_table { SHELF_BY_ID, SHELF_BY_NAME, SHELF_BY_ADDRESS, SHELF_BY_FQDN };
struct node *shelf_find(const struct shelf *shelf, enum shelf_table table, const void *key,
			size_t length);
/* The first address of a resource group (NULL: of none), then each one's group_behind, in no order;
 * and how many those are. */
const struct node *shelf_members(const struct shelf *shelf, const char *group, size_t *count);
/* Takes the node in, which clashes with none. ERR_NOMEM: it is in no table. */
MUST_CHECK int shelf_put(struct shelf *shelf, struct node *node);
void shelf_take(struct shelf *shelf, struct node *node);
/* A PTR, which is served by now, for a node of the shelf that has none. */
MUST_CHECK int shelf_set_ptr(struct shelf *shelf, struct node *node, const struct owner_ptr *ptr);
/* Serves a node no more, for this reason, which it takes over; NULL: serves it again. */
void shelf_turn(struct shelf *shelf, struct node *node, char *refusal);
/* inventory_page.c: the node is in the order of addresses, or not any more. ERR_NOMEM. */
MUST_CHECK int shelf_order_put(struct shelf *shelf, const struct node *node);
void shelf_order_take(struct shelf *shelf, const struct node *node);
/* Every worker has what was published: PENDING becomes ACTIVE or INACTIVE. */
size_t shelf_settle(struct shelf *shelf, size_t most); /* so many of them; how many those were */

#endif
