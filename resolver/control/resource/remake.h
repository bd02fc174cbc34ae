/* A change of so much that the control thread cannot stand still for it. It is made in another
 * thread, to a book beside the present one, which then takes that one's place:
 *
 *     remake_new ─► remake_run      a book of the file's owners and of the state's ─► edits, each
 *                      │            checked as in every change ─► one transaction       any thread
 *                      └─► remake_finish  the book in its place, published   the control thread
 *     remake_free         with the book that was there before                any thread
 *
 * From remake_new to remake_finish the inventory is held (inventory_hold), which is the caller's to
 * do; others are answered out of the present book meanwhile. */
#ifndef SLUICE_REMAKE_H
#define SLUICE_REMAKE_H

#include "resolver/control/resource/change.h"

struct remake;

/* NULL without memory. */
struct remake *remake_new(struct inventory *inventory);
void remake_free(struct remake *remake); /* NULL is fine */

/* `edit` makes its edits of the change, and returns what they do. `afresh`: they begin with nothing
 * of the state. */
void remake_run(struct remake *remake, bool afresh,
		int (*edit)(void *context, struct change *change), void *context);
/* ERR_INVALID: an edit or the store failed, and nothing has changed, or it could not be published
 * for lack of memory; `error` says which. */
MUST_CHECK int remake_finish(struct remake *remake, struct change_error *error);

#endif
