/* All resources of the configuration file and of the state (which the management API writes), as
 * one thread reads and edits them: the model, the homes beside it, and the store.
 *
 *     file and state ─► model (service/load) ─► networks, zones, rules ...: workers
 *                         └─► file_rows ─┐
 *              state ─► rows ────────────┴─► addresses ─► owned table: workers
 *                                                ▲
 *                                 address_draft.h: one draft at a time
 *
 * Only the control thread uses the served ones; other threads get a copy (resources_copy). */
#ifndef SLUICE_RESOURCES_H
#define SLUICE_RESOURCES_H

#include <stdbool.h>

#include "resolver/control/resource/addresses.h"
#include "resolver/control/resource/change_error.h"
#include "resolver/control/store/store.h"
#include "rules/fault.h"
#include "rules/hash.h"

/* NULL without memory. */
struct resources *resources_new(const struct hash_key *key);
void resources_free(struct resources *resources); /* NULL is fine; closes the source */
const struct model *resources_model(const struct resources *resources);
/* The store that resources_prepare opens; a copy has its own (store_copy). */
struct store *resources_store(struct resources *resources);

/* Why something could not be read since resources_forget; NULL: no read has failed. */
const char *resources_trouble(const struct resources *resources);
/* resources_trouble as an error. ERR_INVALID: there is one, and "not found" may be wrong. */
MUST_CHECK int resources_check_reads(const struct resources *resources, struct change_error *error);
/* Frees the results of lookups and pages. Clears resources_trouble, except in a copy or while a
 * draft is open, because these report it at their end. */
void resources_forget(struct resources *resources);
/* Notes the trouble of a copy as the original's, unless it has one. */
void resources_take_trouble(struct resources *resources, const struct resources *from);
/* Notes which row a change could not read, after store_note_error. `seen_by`: these resources or
 * the copy that the change has read. */
void resources_note_unread(struct resources *resources, const struct resources *seen_by);
/* Whether the store's error is about the noted row: only reading that row again can clear it. */
bool resources_has_unread(const struct resources *resources);
/* Reads that row again, and sets or clears the store's error. Calls resources_forget. */
void resources_try_unread(struct resources *resources);

/* ---- for the service ---- */

/* Combines the model, which limits_check has accepted, with the state that model->management.state
 * names (opened by the first call). Returns its resources, to be read and edited beside the served
 * ones, over the same connection; addresses_load says what it reads. The served resources change
 * only with resources_adopt, once the model is served; resources_prepared_free comes last, either
 * way. NULL: the faults say why. The model must live until the next one is adopted; the current
 * model again is fine. */
struct resources *resources_prepare(struct resources *resources, struct model *model,
				    struct faults *faults);
/* Makes the prepared resources the served ones. */
void resources_adopt(struct resources *next);
void resources_prepared_free(struct resources *next); /* NULL is fine */

/* A copy to be used beside the original. NULL without memory.
 *
 *     ASIDE   for a large change in a thread, over a connection of its own
 *     VIEW    for a thread that only reads, over a snapshot of its own
 *     SAME    for the same thread, over the same connection; the caller may replace its model
 *
 * The control thread makes and frees ASIDE and VIEW. If their connection could not be opened, all
 * reads and changes of the copy fail. */
struct resources *resources_copy(struct resources *resources, enum store_copy how);
void resources_copy_free(struct resources *copy); /* NULL is fine */

/* For `sluice check`: reports what a reload would find in the model's state, which is only read,
 * beside a running server. A missing state is fine; one that cannot be opened is a warning, as at
 * the start. */
void resources_check(struct model *model, struct faults *faults);

/* ---- internals, for the files of homes beside the model ---- */

struct resources_row {
	unsigned kind; /* 0: none */
	char path[PATH_MAX_BYTES];
};

struct resources {
	struct hash_key key;
	struct model *model;
	struct addresses addresses; /* of that model */
	struct store store;
	struct resources *of;           /* the original of a copy */
	bool changing;                  /* between addresses_edit and addresses_discard */
	char trouble[SOURCE_ERROR_MAX]; /* resources_trouble; "": none */
	struct resources_row troubled;  /* the row that the trouble is about, if it is about one */
	struct resources_row unread;    /* the row that the store's error is about */
	struct arena shown;             /* what lookups returned */
};

/* The source to read, with the file's rows attached. If the state cannot be opened, the source has
 * the file's rows alone, and `missing` says why; "": it has the state's rows, or no state is
 * configured. NULL: there is no memory, which is noted as trouble. */
struct source *resources_source(struct resources *resources, char missing[SOURCE_ERROR_MAX]);
/* resources_source that notes a missing state as trouble. */
struct source *resources_reader(struct resources *resources);
/* Attaches the file's rows of these resources before a transaction begins, because that is not
 * possible within one. The attached rows are those of the served resources, or, while others are
 * being prepared, those of the prepared ones. */
void resources_attach(struct resources *resources);
/* Notes that a read has failed, and keeps the first reason. */
void resources_say_trouble(struct resources *resources, const char *why);
/* Notes that the row was not written by sluice (ERR_INVALID), or that memory is out (ERR_NOMEM).
 * Returns err. */
int resources_complain(struct resources *resources, const struct source_resource *row, int err);

#endif
