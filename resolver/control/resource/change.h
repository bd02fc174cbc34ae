/* A change of addresses, services, PTRs and groups, within one transaction of the state. Its edits
 * are made by addresses.h:
 *
 *     BEGIN ─► change_begin ─► addresses_put, ...: each checks, writes a row and the served table's
 *                │             draft
 *                ├─► COMMIT ─► change_publish: inventory ─► owned table ─► workers
 *                └─► a failed edit gives the reason and voids the change: ROLLBACK
 *
 * The caller runs the transaction (service/resources.c). An edit sees the edits before it. An
 * inventory has one change at a time. Another thread may make the change with a copy (STORE_ASIDE);
 * only the control thread calls change_publish. */
#ifndef SLUICE_CHANGE_H
#define SLUICE_CHANGE_H

#include <stdbool.h>
#include <stddef.h>

#include "resolver/control/resource/inventory.h"
#include "rules/err.h"

/* ---- why a change is not possible, for all kinds of resources ---- */

enum change_outcome {
	CHANGE_FINE,
	CHANGE_INVALID,   /* a value does not fit: `field` names the member, the text says what
			   * fits */
	CHANGE_NOT_FOUND, /* there is no such address or service, or it has no PTR */
	CHANGE_TAKEN,     /* the name, id, address or label (`field`) is in use: the text says by
			   * what */
	CHANGE_READ_ONLY, /* declared in the file: the text names file and line */
	CHANGE_EXHAUSTED, /* no free address in any pool of the region */
	CHANGE_STALE,     /* a precondition does not hold */
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

/* Set the error and return ERR_INVALID. change_refuse: a value does not fit (INVALID). */
int change_say(struct change_error *error, enum change_outcome outcome, const char *field,
	       const char *format, ...) __attribute__((format(printf, 4, 5)));
int change_refuse(struct change_error *error, const char *field, const char *format, ...)
	__attribute__((format(printf, 3, 4)));
/* True: the edit is wrong, so a batch goes on to find the faults of others. False: the store or the
 * memory failed, and every edit would fail. */
bool change_error_is_of_edit(const struct change_error *error);
/* Places the error in an item of a list: its field becomes "list[index].field". */
void change_error_place(struct change_error *error, const char *list, size_t index);
/* The state for changes, and the state for reading; NULL: `error` says why it cannot be used. */
struct source *change_source(const struct store *store, struct change_error *error);
struct source *change_reader(const struct store *store, struct change_error *error);

/* ---- a change ---- */

struct change;

/* Begins a change. `revision`: the transaction's. NULL without memory. */
struct change *change_begin(struct inventory *inventory, uint64_t revision);
/* Allows earlier resources that no longer fit: an address outside all pools is put, but not
 * served. */
void change_restore(struct change *change);
/* Frees the change and discards what was not published. NULL is fine. */
void change_free(struct change *change);
/* The error of the first edit that failed. change NULL (change_begin failed): NO_MEMORY. */
const struct change_error *change_error(const struct change *change);
/* Moves the change's error to `error`, so that further edits can be checked. The change must not be
 * committed. */
void change_take_error(struct change *change, struct change_error *error);
/* Voids the change for this reason, unless it is void already or a read has failed, which is then
 * the reason (STORE). Returns ERR_INVALID. */
int change_fail(struct change *change, enum change_outcome outcome, const char *field,
		const char *format, ...) __attribute__((format(printf, 4, 5)));
int change_fail_memory(struct change *change);
/* Fails unless edits can be made: no edit has failed, and there is a state to write to. */
MUST_CHECK int change_is_open(struct change *change);

/* The edited inventory, and its model. */
struct inventory *change_inventory(const struct change *change);
const struct model *change_model(const struct change *change);

/* Puts the committed edits into the inventory and publishes the table to the workers. A change
 * without edits is fine and does nothing. Afterwards only change_error and change_free may be
 * called. */
MUST_CHECK int change_publish(struct change *change);

/* ---- for the files that make edits; `change` must be open. Errors are the change's ---- */

struct change {
	struct inventory *inventory;
	struct source *source; /* NULL: no edit yet */
	uint64_t revision;
	struct owned_draft *draft;   /* NULL: the served table does not change */
	struct inventory_part after; /* only its numbers are used */
	struct change_error error;
	bool restores, over;
};

/* Fails with STORE, which the status and the log get as well. */
int change_fail_store(struct change *change, const char *error);
/* "Not found" may really be a failed read; fails with that. */
MUST_CHECK int change_check_trouble(struct change *change);
/* Writes a row, and frees its JSON (NULL: out of memory). ERR_EXISTS: another row has one of the
 * keys. */
MUST_CHECK int change_put_row(struct change *change, unsigned kind, const char *path, char *json,
			      const struct source_keys *keys);
MUST_CHECK int change_delete_row(struct change *change, unsigned kind, const char *path);
/* Replaces `before` by `now` in the draft; either may be NULL. */
MUST_CHECK int change_serve(struct change *change, const struct owned_resource *before,
			    const struct owned_resource *now);

#endif
