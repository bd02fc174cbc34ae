/* The edits of addresses, services, PTRs and groups that are made together, within one transaction
 * of the state:
 *
 *     BEGIN ─► change_begin ─► edits: each looks, checks, writes a row, and the draft of what is
 *                │               served
 *                ├─► COMMIT ─► change_publish: inventory ─► owned table ─► workers
 *                └─► the first that fails says why, and the change is void: ROLLBACK
 *
 * The transaction is the caller's (service/resources.c). An edit sees what the edits before it did.
 * Form, limits, pools, labels and names that are taken are checked by each edit; who may own a
 * reverse name is asked for before. There is one change of an inventory at a time. It may be made
 * in another thread, of an inventory_aside; change_publish is the control thread's. */
#ifndef SLUICE_CHANGE_H
#define SLUICE_CHANGE_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>

#include "resolver/control/resource/inventory.h"
#include "rules/err.h"

enum change_outcome {
	CHANGE_FINE,
	CHANGE_INVALID,   /* a value does not fit: `field` has it, the text what would be right */
	CHANGE_NOT_FOUND, /* there is no such address or service, or it has no PTR */
	CHANGE_TAKEN,     /* the name, id, address or label (`field`): the text says by whom */
	CHANGE_READ_ONLY, /* the file says it: the text names file and line */
	CHANGE_EXHAUSTED, /* no free address in any pool of the region */
	CHANGE_STALE,     /* change_stale: a precondition does not hold */
	CHANGE_NO_STATE,  /* no state is configured: the text says how to get one */
	CHANGE_BUSY,      /* a large change is under way */
	CHANGE_STORE,     /* the store failed (disk full, locked, corrupt); nothing has changed */
	CHANGE_NO_MEMORY,
};

enum { CHANGE_FIELD_MAX = 64, CHANGE_TEXT_MAX = 1024 };

struct change_error {
	enum change_outcome outcome;
	char field[CHANGE_FIELD_MAX]; /* by the schema's key; "": of none */
	char text[CHANGE_TEXT_MAX];   /* without a final dot */
};

/* For what does not fit before there is a change: INVALID. Returns ERR_INVALID. */
int change_refuse(struct change_error *error, const char *field, const char *format, ...)
	__attribute__((format(printf, 3, 4)));

/* Fills the error in; returns ERR_INVALID. */
int change_say(struct change_error *error, enum change_outcome outcome, const char *field,
	       const char *format, ...) __attribute__((format(printf, 4, 5)));
/* True: the edit is wrong, so a batch goes on to find the faults of others. False: the store or the
 * memory failed, and every edit would fail. */
bool change_error_is_of_edit(const struct change_error *error);
/* It is about an item of a list: its field becomes "list[index].field". */
void change_error_place(struct change_error *error, const char *list, size_t index);
/* The state, where it takes changes now, or where it can be read; NULL: `error` says why not. */
struct source *change_source(struct inventory *inventory, struct change_error *error);
struct source *change_reader(struct inventory *inventory, struct change_error *error);

struct change;

/* NULL without memory. `revision`: the transaction's. `who` is for the history, and must outlive
 * it.
 */
struct change *change_begin(struct inventory *inventory, const char *who, uint64_t revision);
/* All of it was there before: an address that no pool has any more is put, too, and not served. */
void change_restore(struct change *change);
/* Forgets what was not published. NULL is fine. */
void change_free(struct change *change);
/* Of the first call that failed. change NULL (change_begin failed): NO_MEMORY. */
const struct change_error *change_error(const struct change *change);
/* The same, and takes the reason back, so that further edits can be checked, too. The change must
 * not be committed. */
void change_take_error(struct change *change, struct change_error *error);

/* All that follow return 0, or ERR_INVALID with the reason in change_error. `resource` NULL is
 * CHANGE_NOT_FOUND. */

/* Keeps the first reason; where something could not be read, that is the reason (STORE). */
int change_fail(struct change *change, enum change_outcome outcome, const char *field,
		const char *format, ...) __attribute__((format(printf, 4, 5)));
int change_fail_memory(struct change *change);
/* change_error_place of the reason. */
void change_place(struct change *change, const char *list, size_t index);
/* TAKEN: the holder has what `wanted` is to have in that field. */
MUST_CHECK int change_fail_taken(struct change *change, const struct owned_resource *wanted,
				 const char *field, const struct owned_resource *holder);
/* Whether edits can be made at all: none has failed, and there is a state to keep them in. */
MUST_CHECK int change_is_open(struct change *change);
/* The change is void, because a precondition does not hold, as the text says: STALE. Returns
 * ERR_INVALID. */
int change_stale(struct change *change, const char *text);

/* The inventory that the change edits; the model of that inventory. */
struct inventory *change_inventory(const struct change *change);
const struct model *change_model(const struct change *change);

/* ---- addresses and services ---- */

/* READ_ONLY: the file declares it. */
MUST_CHECK int change_check_writable(struct change *change, const struct owned_resource *resource);
/* Makes an address or service, with its PTR, what is wanted. `resource`: as it is, whose id, name
 * and group it has; NULL: it is new. Without an address it takes a free one of this family of a
 * pool of its region. Its forward name is derived, and all that goes together is checked; the form
 * of each value, and whether it may be changed, are the caller's matter. Texts must outlive the
 * call. */
MUST_CHECK int change_put(struct change *change, const struct owned_resource *resource,
			  struct owned_resource *wanted, uint8_t family);
/* With its PTR. */
MUST_CHECK int change_remove(struct change *change, const struct owned_resource *resource);

/* The whole PTR, by those members of the item; reverse_fqdn is any legal name but the root and
 * wildcards, with or without the final dot; "" is change_ptr_unset. Their form has been read. */
MUST_CHECK int change_ptr_set(struct change *change, const struct owned_resource *resource,
			      const struct owned_item *ptr);
/* READ_ONLY: the file gives it its PTR. */
MUST_CHECK int change_ptr_check_writable(struct change *change,
					 const struct owned_resource *resource);
/* NOT_FOUND when it has none. */
MUST_CHECK int change_ptr_unset(struct change *change, const struct owned_resource *resource);
/* Whether the PTR gives a name that a host may have: not the root, no wildcard. */
MUST_CHECK int change_ptr_check(struct change *change, const struct owned_item *ptr);
/* Whether the resource has it already. */
bool change_ptr_is_same(const struct change *change, const struct owned_resource *resource,
			const struct owned_item *ptr);
/* A PTR for an address or service that is not there, by its id; it waits for it. */
MUST_CHECK int change_ptr_wait(struct change *change, const char *id, const struct owned_item *ptr);
/* Removes one that waits. */
MUST_CHECK int change_ptr_forget(struct change *change, const char *id);

/* ---- resource groups. An address that is added to one which the state does not have makes it,
 * too, so that a group stays when its last address goes ---- */

/* Makes or changes it; one that is so already stays as it is. READ_ONLY when the file names it,
 * unless it is imported: then the state gets it, too. */
MUST_CHECK int change_group_put(struct change *change, const struct resource_group *wanted,
				bool import);
/* Removes what the state has of it, whatever is in it. */
MUST_CHECK int change_group_forget(struct change *change, const char *name);
/* With the subscription's addresses that are in it; NULL: those in no group. READ_ONLY when the
 * file says one of them. */
MUST_CHECK int change_group_remove(struct change *change, const char *name,
				   const char *subscription);

/* ---- making it so ---- */

/* What was committed is in the inventory from now on, and published to the workers. A change
 * without edits is fine, and does nothing. Afterwards only change_error and change_free may be
 * called. */
MUST_CHECK int change_publish(struct change *change);

#endif
