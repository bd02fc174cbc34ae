/* Many PTRs as one change: a hundred thousand of them, set and removed all together or not at all,
 * without the control thread standing still for it.
 *
 *     ptr_batch_new ─► ptr_batch_add, for each row, a portion at a time     the control thread
 *                      │   checked against what is ours, put into a draft; nobody sees it yet
 *                      └─► says what is wrong with a row, and goes on, so that all of it is told
 *     ptr_batch_store      one transaction                                  any thread
 *     ptr_batch_settle     the book, a portion at a time                    the control thread
 *     ptr_batch_finish     the workers, in one step                         the control thread
 *     ptr_batch_clear      a portion at a time, and ptr_batch_free          the control thread
 *
 * From the first row to the end the inventory is held (inventory_hold), which is the caller's to
 * do. Addresses' names are set as Designate sets them: any legal one, whoever it belongs to; a
 * cloud service's new name is refused, because it would have to be asked for. */
#ifndef SLUICE_PTR_BATCH_H
#define SLUICE_PTR_BATCH_H

#include "resolver/control/resource/change.h"

struct ptr_batch;

/* NULL without memory. */
struct ptr_batch *ptr_batch_new(struct inventory *inventory);
/* Undoes what was not finished. NULL is fine. */
void ptr_batch_free(struct ptr_batch *batch);
/* Frees as many of its rows, so that ptr_batch_free takes no longer than a moment; true: there are
 * more. The batch is only to be freed then. */
bool ptr_batch_clear(struct ptr_batch *batch, size_t most);

/* 0, or what change_fail would say: there is no state, or it failed. */
MUST_CHECK int ptr_batch_is_open(const struct ptr_batch *batch, struct change_error *error);

/* The whole PTR that the owner is to have; fqdn NULL or "": none, also where it has none now. What
 * it has already is left alone, and may be what the file says. ERR_INVALID: the row does not fit,
 * `error` says why, and the batch must not be stored. */
MUST_CHECK int ptr_batch_add(struct ptr_batch *batch, const struct owner *owner,
			     const struct change_ptr *ptr, struct change_error *error);

struct ptr_batch_counts {
	size_t set, removed, unchanged;
};
struct ptr_batch_counts ptr_batch_count(const struct ptr_batch *batch);

/* One transaction of the state. Nobody else uses the inventory's source meanwhile. */
void ptr_batch_store(struct ptr_batch *batch);
/* Gives the book as many of the rows that were stored, none when that failed; true: there are more.
 * What it shows of them is PENDING. */
bool ptr_batch_settle(struct ptr_batch *batch, size_t most);
/* Publishes what was stored, once all of it is in the book. ERR_INVALID: it was not stored, and
 * nothing has changed, or it could not be published for lack of memory; `error` says which. */
MUST_CHECK int ptr_batch_finish(struct ptr_batch *batch, struct change_error *error);

#endif
