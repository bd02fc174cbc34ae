/* The owners that come from one place, the file or the state, in four hash tables by what each must
 * be alone in having:
 *
 *     id ────────────┐
 *     kind, group, name ─┼─► node      no two owners share any of them
 *     address ───────┤
 *     forward name ──┘              (those that have one)
 *
 * and the addresses in a list for each resource group. That no two shelves share any of the four
 * either is the book's to see to. */
#include "resolver/control/resource/inventory_shelf.h"

#include <assert.h>
#include <utlist.h>

#include "resolver/control/resource/inventory_group_internal.h"

struct members { /* the addresses of a group */
	struct node *first;
	size_t count;
	UT_hash_handle hh;
	char key[]; /* its name in lower case; "": of none */
};

struct shelf *shelf_new(void)
{
	return calloc(1, sizeof(struct shelf));
}

static void members_free(struct shelf *shelf)
{
	struct members *members, *next;

	HASH_ITER (hh, shelf->members, members, next) {
		HASH_DEL(shelf->members, members);
		free(members);
	}
}

void shelf_free(struct shelf *shelf)
{
	struct node *node, *next;

	if (!shelf)
		return;
	owned_tree_release(&shelf->order4);
	owned_tree_release(&shelf->order6);
	HASH_CLEAR(by_name, shelf->by_name);
	HASH_CLEAR(by_address, shelf->by_address);
	HASH_CLEAR(by_fqdn, shelf->by_fqdn);
	node = shelf->by_id;
	HASH_CLEAR(by_id, shelf->by_id); /* leaves the nodes' own chain as it is */
	for (; node; node = next) {
		next = node->by_id.next;
		node_free(node);
	}
	groups_free(&shelf->groups);
	members_free(shelf);
	free(shelf);
}

struct node *shelf_find(const struct shelf *shelf, enum shelf_table table, const void *key,
			size_t length)
{
	struct node *node = NULL;

	switch (table) {
	case SHELF_BY_ID: HASH_FIND(by_id, shelf->by_id, key, length, node); break;
	case SHELF_BY_NAME: HASH_FIND(by_name, shelf->by_name, key, length, node); break;
	case SHELF_BY_ADDRESS: HASH_FIND(by_address, shelf->by_address, key, length, node); break;
	case SHELF_BY_FQDN: HASH_FIND(by_fqdn, shelf->by_fqdn, key, length, node); break;
	}
	return node;
}

/* ---- of a group ---- */

static struct members *find_members(const struct shelf *shelf, const char *group)
{
	struct members *members = NULL;
	char key[GROUP_KEY_MAX] = "";

	if (group_key(group ? group : "", key))
		HASH_FIND_STR(shelf->members, key, members);
	return members;
}

const struct node *shelf_members(const struct shelf *shelf, const char *group, size_t *number)
{
	const struct members *members = find_members(shelf, group);

	*number = members ? members->count : 0;
	return members ? members->first : NULL;
}

static struct members *add_members(struct shelf *shelf, const char *group)
{
	const char *name = group ? group : "";
	struct members *members = calloc(1, sizeof *members + strlen(name) + 1);

	if (!members || !group_key(name, members->key)) {
		free(members);
		return NULL;
	}
	HASH_ADD_STR(shelf->members, key, members);
	if (members->hh.tbl)
		return members;
	free(members);
	return NULL;
}

static int join(struct shelf *shelf, struct node *node)
{
	const char *group = node->owner.resource_group;
	struct members *members;

	if (node->owner.kind != OWNER_ADDRESS)
		return 0;
	if (group && strlen(group) >= GROUP_KEY_MAX) /* not written by sluice: in no table */
		return 0;
	members = find_members(shelf, group);
	members = members ? members : add_members(shelf, group);
	if (!members)
		return ERR_NOMEM;
	DL_APPEND2(members->first, node, group_before, group_behind);
	members->count++;
	return 0;
}

static void leave(struct shelf *shelf, struct node *node)
{
	struct members *members;

	if (node->owner.kind != OWNER_ADDRESS)
		return;
	members = find_members(shelf, node->owner.resource_group);
	if (!members)
		return;
	DL_DELETE2(members->first, node, group_before, group_behind);
	if (--members->count > 0)
		return;
	HASH_DEL(shelf->members, members);
	free(members);
}

/* ---- in and out ---- */

static void count(struct shelf *shelf, const struct node *node, size_t one)
{
	*(node->owner.kind == OWNER_SERVICE ? &shelf->services : &shelf->addresses) += one;
	if (node->owner.ptr.fqdn)
		shelf->ptrs += one;
	if (node->refusal)
		shelf->refused += one;
}

static void take_from_tables(struct shelf *shelf, struct node *node)
{
	if (node->by_id.tbl)
		HASH_DELETE(by_id, shelf->by_id, node);
	if (node->by_name.tbl)
		HASH_DELETE(by_name, shelf->by_name, node);
	if (node->by_address.tbl)
		HASH_DELETE(by_address, shelf->by_address, node);
	if (node->by_fqdn.tbl)
		HASH_DELETE(by_fqdn, shelf->by_fqdn, node);
	node->by_id.tbl = node->by_name.tbl = node->by_address.tbl = node->by_fqdn.tbl = NULL;
}

int shelf_put(struct shelf *shelf, struct node *node)
{
	struct owner *owner = &node->owner;
	bool in = false;

	assert(!node->by_id.tbl && owner->address.family);
	HASH_ADD_KEYPTR(by_id, shelf->by_id, owner->id, strlen(owner->id), node);
	if (node->by_id.tbl)
		HASH_ADD_KEYPTR(by_name, shelf->by_name, node->name_key, strlen(node->name_key),
				node);
	if (node->by_name.tbl)
		HASH_ADD_KEYPTR(by_address, shelf->by_address, &owner->address,
				sizeof owner->address, node);
	in = node->by_address.tbl != NULL;
	if (in && node->fqdn_key) {
		HASH_ADD_KEYPTR(by_fqdn, shelf->by_fqdn, node->fqdn_key, strlen(node->fqdn_key),
				node);
		in = node->by_fqdn.tbl != NULL;
	}
	if (in)
		in = shelf_order_put(shelf, node) == 0;
	if (in && join(shelf, node) != 0) {
		shelf_order_take(shelf, node);
		in = false;
	}
	if (!in) {
		take_from_tables(shelf, node);
		return ERR_NOMEM;
	}
	if (owner->ptr.status == PTR_PENDING)
		DL_APPEND2(shelf->pending, node, pending_before, pending_behind);
	count(shelf, node, 1);
	return 0;
}

void shelf_take(struct shelf *shelf, struct node *node)
{
	take_from_tables(shelf, node);
	shelf_order_take(shelf, node);
	leave(shelf, node);
	if (node->owner.ptr.status == PTR_PENDING)
		DL_DELETE2(shelf->pending, node, pending_before, pending_behind);
	count(shelf, node, (size_t)-1);
}

int shelf_set_ptr(struct shelf *shelf, struct node *node, const struct owner_ptr *ptr)
{
	int err;

	assert(!node->owner.ptr.fqdn && node->owner.ptr.status != PTR_PENDING && ptr->fqdn);
	err = node_set_ptr(node, ptr);
	shelf->ptrs += !err;
	return err;
}

size_t shelf_settle(struct shelf *shelf, size_t most)
{
	size_t count = 0;

	for (; shelf->pending && count < most; count++) {
		struct node *node = shelf->pending;

		DL_DELETE2(shelf->pending, node, pending_before, pending_behind);
		node->owner.ptr.status = node->owner.ptr.fqdn ? PTR_ACTIVE : PTR_INACTIVE;
		node->owner.ptr.action = PTR_ACTION_NONE;
	}
	return count;
}

void shelf_turn(struct shelf *shelf, struct node *node, char *refusal)
{
	struct owner_ptr *ptr = &node->owner.ptr;

	count(shelf, node, (size_t)-1);
	free(node->refusal);
	node->refusal = refusal;
	count(shelf, node, 1);
	if (!ptr->fqdn)
		return;
	if (ptr->status == PTR_PENDING)
		DL_DELETE2(shelf->pending, node, pending_before, pending_behind);
	ptr->status = refusal ? PTR_ERROR : PTR_ACTIVE;
	ptr->action = PTR_ACTION_NONE;
	ptr->reason = refusal;
}
