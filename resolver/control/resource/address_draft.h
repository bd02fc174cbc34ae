/* A draft of addresses, cloud services, their PTRs and groups, within the state's open transaction:
 *
 *     BEGIN ─► addresses_edit ─► addresses_put, ... ─┬─► COMMIT ─► addresses_commit ─┐
 *                                                    └─► an edit fails: ROLLBACK ────┴─► discard
 *
 * Each edit checks, writes a row, and changes the draft of the served table, which addresses_commit
 * puts in place of the present one; the service then publishes it. An edit that fails gives the
 * reason and voids the draft, unless draft_take_error takes the reason.
 *
 * The caller runs the transaction (service/change.c). An edit sees the edits before it. There is
 * one draft of the same resources at a time. Another thread may make it with a copy (STORE_ASIDE);
 * only the control thread calls addresses_commit. */
#ifndef SLUICE_ADDRESS_DRAFT_H
#define SLUICE_ADDRESS_DRAFT_H

#include <jansson.h>

#include "resolver/control/resource/change_error.h"
#include "resolver/control/resource/resources.h"

struct address_draft {
	struct resources *resources; /* the edited ones, perhaps a copy */
	struct source *source;       /* of the transaction */
	uint64_t revision;           /* of the transaction */
	struct pool_cursors cursors; /* as they were before */
	bool restores;
	bool noted;                /* the state knows this revision as the latest change */
	struct owned_draft *table; /* NULL: the served table does not change */
	struct addresses_counts counts;
	struct change_error error;
	bool over;
};

/* Begins a draft in the source's open transaction. `restores`: earlier resources that no longer fit
 * are allowed: an address outside all pools is put, but not served. NULL without memory. */
struct address_draft *addresses_edit(struct resources *resources, struct source *source,
				     uint64_t revision, bool restores);
/* Puts the edits into `resources`, or the original of a copy, after the COMMIT; addresses_table is
 * then the table to be published. Afterwards only draft_error and addresses_discard may be called.
 */
void addresses_commit(struct address_draft *draft);
/* Frees the draft, and the table if it was not published. NULL is fine. */
void addresses_discard(struct address_draft *draft);

/* The error of the edit that failed. */
const struct change_error *draft_error(const struct address_draft *draft);
/* Moves the draft's error to `error`, so that further edits can be checked. The draft must not be
 * committed. */
void draft_take_error(struct address_draft *draft, struct change_error *error);
/* Voids the draft for this reason. An earlier reason stays; if a read has failed, that is the
 * reason (STORE). Returns ERR_INVALID. */
int draft_fail(struct address_draft *draft, enum change_outcome outcome, const char *field,
	       const char *format, ...) __attribute__((format(printf, 4, 5)));
int draft_fail_memory(struct address_draft *draft);
/* Fails with READ_ONLY: the file declares the item, at this place. */
int draft_fail_declared(struct address_draft *draft, const struct origin *origin);
/* Fails if an edit or a read has failed. */
MUST_CHECK int draft_is_open(struct address_draft *draft);
const struct model *draft_model(const struct address_draft *draft);

/* ---- for the files that make edits; the draft must be open. Errors are the draft's ---- */

/* address_body_read for the draft; values that do not fit fail it. */
MUST_CHECK int draft_read(struct address_draft *draft, const struct kind *kind,
			  const json_t *values, void *item, struct arena *arena);

/* Fails with STORE. */
int draft_fail_store(struct address_draft *draft, const char *error);
/* Fails with STORE if a read has failed: "not found" may be wrong then. */
MUST_CHECK int draft_check_trouble(struct address_draft *draft);
/* Writes a row, and frees its JSON (NULL: out of memory). ERR_EXISTS: another row has one of the
 * keys. */
MUST_CHECK int draft_put_row(struct address_draft *draft, unsigned kind, const char *path,
			     char *json, const struct source_keys *keys);
MUST_CHECK int draft_delete_row(struct address_draft *draft, unsigned kind, const char *path);
/* Replaces `before` by `now` in the served table; either may be NULL. */
MUST_CHECK int draft_serve(struct address_draft *draft, const struct owned_resource *before,
			   const struct owned_resource *now);

#endif
