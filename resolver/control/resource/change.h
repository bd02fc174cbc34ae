/* Edits of addresses, services, PTRs and groups that are made together, within one transaction of
 * the state:
 *
 *     BEGIN ─► change_begin ─► edits: each reads, checks, writes a row and the served table's
 *                │               draft
 *                ├─► COMMIT ─► change_publish: inventory ─► owned table ─► workers
 *                └─► a failed edit gives the reason and voids the change: ROLLBACK
 *
 * The caller runs the transaction (service/resources.c). An edit sees the edits before it. Each
 * edit checks form, limits, pools, labels and taken names; callers check the ownership of reverse
 * names before. An inventory has one change at a time. Another thread may make the change with an
 * inventory_aside; only the control thread calls change_publish. */
#ifndef SLUICE_CHANGE_H
#define SLUICE_CHANGE_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>

#include "resolver/control/resource/inventory.h"
#include "rules/err.h"

enum change_outcome {
	CHANGE_FINE,
	CHANGE_INVALID,   /* a value does not fit: `field` names the member, the text says what
			   * fits */
	CHANGE_NOT_FOUND, /* there is no such address or service, or it has no PTR */
	CHANGE_TAKEN,     /* the name, id, address or label (`field`) is in use: the text says by
			   * what */
	CHANGE_READ_ONLY, /* declared in the file: the text names file and line */
	CHANGE_EXHAUSTED, /* no free address in any pool of the region */
	CHANGE_STALE,     /* a precondition does not hold (change_stale) */
	CHANGE_NO_STATE,  /* no state is configured: the text says how to get one */
	CHANGE_BUSY,      /* a large change is under way */
	CHANGE_STORE,     /* the store failed (disk full, locked, corrupt); nothing has changed */
	CHANGE_NO_MEMORY,
};

enum { CHANGE_FIELD_MAX = 64, CHANGE_TEXT_MAX = 1024 };

struct change_error {
	enum change_outcome outcome;
	char field[CHANGE_FIELD_MAX]; /* the schema's key; "": no member */
	char text[CHANGE_TEXT_MAX];   /* without a final dot */
};

/* For a value that does not fit, before there is a change: INVALID. Returns ERR_INVALID. */
int change_refuse(struct change_error *error, const char *field, const char *format, ...)
	__attribute__((format(printf, 3, 4)));

/* Sets the error; returns ERR_INVALID. */
int change_say(struct change_error *error, enum change_outcome outcome, const char *field,
	       const char *format, ...) __attribute__((format(printf, 4, 5)));
/* True: the edit is wrong, so a batch goes on to find the faults of others. False: the store or the
 * memory failed, and every edit would fail. */
bool change_error_is_of_edit(const struct change_error *error);
/* Places the error in an item of a list: its field becomes "list[index].field". */
void change_error_place(struct change_error *error, const char *list, size_t index);
/* The state for changes, and the state for reading; NULL: `error` says why it cannot be used. */
struct source *change_source(struct inventory *inventory, struct change_error *error);
struct source *change_reader(struct inventory *inventory, struct change_error *error);

struct change;

/* Begins a change. `revision`: the transaction's. `who` goes into the history, and must outlive the
 * change. NULL without memory. */
struct change *change_begin(struct inventory *inventory, const char *who, uint64_t revision);
/* Allows earlier resources that no longer fit: an address outside all pools is put, but not
 * served. */
void change_restore(struct change *change);
/* Frees the change and discards what was not published. NULL is fine. */
void change_free(struct change *change);
/* The error of the first call that failed. change NULL (change_begin failed): NO_MEMORY. */
const struct change_error *change_error(const struct change *change);
/* change_error, and clears it so that further edits can be checked. The change must not be
 * committed. */
void change_take_error(struct change *change, struct change_error *error);

/* ---- Each call below returns 0, or ERR_INVALID with the reason in change_error. `resource` NULL
 * means CHANGE_NOT_FOUND ---- */

/* Records the reason, unless there is one already; a failed read takes its place (STORE). */
int change_fail(struct change *change, enum change_outcome outcome, const char *field,
		const char *format, ...) __attribute__((format(printf, 4, 5)));
int change_fail_memory(struct change *change);
/* change_error_place for the change's error. */
void change_place(struct change *change, const char *list, size_t index);
/* TAKEN: `holder` already has the value that `wanted` has in that field. */
MUST_CHECK int change_fail_taken(struct change *change, const struct owned_resource *wanted,
				 const char *field, const struct owned_resource *holder);
/* Fails unless edits can be made: no edit has failed, and there is a state to write to. */
MUST_CHECK int change_is_open(struct change *change);
/* Voids the change because a precondition does not hold, as the text says: STALE. Returns
 * ERR_INVALID. */
int change_stale(struct change *change, const char *text);

/* The edited inventory, and its model. */
struct inventory *change_inventory(const struct change *change);
const struct model *change_model(const struct change *change);

/* ---- addresses and services ---- */

/* READ_ONLY: the file declares the resource. */
MUST_CHECK int change_check_writable(struct change *change, const struct owned_resource *resource);
/* Sets an address or service, with its PTR, to `wanted`, which has the id, name and group of
 * `resource`, the present one; NULL: it is new. Without an address it gets a free one of this
 * family from a pool of its region. Derives its forward name and checks all constraints between
 * resources; the caller checks each value's form and whether it may change. Texts must outlive the
 * call. */
MUST_CHECK int change_put(struct change *change, const struct owned_resource *resource,
			  struct owned_resource *wanted, uint8_t family);
/* Removes an address or service with its PTR. */
MUST_CHECK int change_remove(struct change *change, const struct owned_resource *resource);

/* Replaces the whole PTR by these members of the item, whose form was checked. reverse_fqdn is any
 * legal name but the root and wildcards, with or without the final dot; "" is change_ptr_unset. */
MUST_CHECK int change_ptr_set(struct change *change, const struct owned_resource *resource,
			      const struct owned_item *ptr);
/* READ_ONLY: the file gives the resource its PTR. */
MUST_CHECK int change_ptr_check_writable(struct change *change,
					 const struct owned_resource *resource);
/* NOT_FOUND: the resource has no PTR. */
MUST_CHECK int change_ptr_unset(struct change *change, const struct owned_resource *resource);
/* Fails unless the PTR's name is possible for a host: not the root, no wildcard. */
MUST_CHECK int change_ptr_check(struct change *change, const struct owned_item *ptr);
/* Whether the resource already has this PTR. */
bool change_ptr_is_same(const struct change *change, const struct owned_resource *resource,
			const struct owned_item *ptr);
/* Stores a PTR for the id of a missing address or service; the PTR waits for that. */
MUST_CHECK int change_ptr_wait(struct change *change, const char *id, const struct owned_item *ptr);
/* Removes a waiting PTR. */
MUST_CHECK int change_ptr_forget(struct change *change, const char *id);

/* ---- resource groups. Adding an address to a group without a row in the state makes the row, so
 * that the group stays when its last address goes ---- */

/* Makes or changes a group, unless it is equal already. READ_ONLY if the file names the group,
 * except in an import, which gives the state a row as well. */
MUST_CHECK int change_group_put(struct change *change, const struct resource_group *wanted,
				bool import);
/* Removes the group's row from the state, whatever is in the group. */
MUST_CHECK int change_group_forget(struct change *change, const char *name);
/* Removes a group and its addresses of that subscription; name NULL: the addresses in no group.
 * READ_ONLY if the file declares one of them. */
MUST_CHECK int change_group_remove(struct change *change, const char *name,
				   const char *subscription);

/* ---- publishing ---- */

/* Puts the committed edits into the inventory and publishes the table to the workers. A change
 * without edits is fine and does nothing. Afterwards only change_error and change_free may be
 * called. */
MUST_CHECK int change_publish(struct change *change);

#endif
