/* The rows that a change writes, as a JSON array:
 *
 *     [{"kind": its id, "path": its key in the state, "values": the new ones; null: deleted}]
 *
 * Used for a rollback (confirmation.h), and for a change that other servers must agree to
 * (commit.h). */
#ifndef SLUICE_ROWS_H
#define SLUICE_ROWS_H

#include <jansson.h>

#include "resolver/control/service/service.h"

/* The rows that the open transaction of this revision has written, in order; a row may occur
 * several times. NULL: `error` says why. */
json_t *rows_written(struct source *source, uint64_t revision, char error[SOURCE_ERROR_MAX]);

/* Edits that write given rows. */
struct row_edits {
	const struct resource_edit *edits;
	size_t count;
	/* internal */
	struct resource_edit *made;
	struct arena arena; /* for the paths */
};
/* Sets all members to zero, and initializes the arena. */
void row_edits_init(struct row_edits *edits);
/* backwards: the last row comes first. Values are borrowed from the rows. ERR_INVALID: the rows
 * are malformed, or of a later version; ERR_NOMEM. */
MUST_CHECK int row_edits_read(struct row_edits *edits, const json_t *rows, bool backwards,
			      struct resources *resources);
void row_edits_release(struct row_edits *edits);

#endif
