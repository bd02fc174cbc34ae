/* What a change makes of the state, row by row, as a JSON array:
 *
 *     [{"kind": its id, "path": its key in the state, "values": as it is to be; null: it goes}]
 *
 * A change that goes back is told so (confirmation.h), and one that others have to agree to
 * (commit.h). */
#ifndef SLUICE_ROWS_H
#define SLUICE_ROWS_H

#include <jansson.h>

#include "resolver/control/service/service.h"

/* What the open transaction of this revision has written, in its order, a row perhaps several
 * times. NULL: `error` says why. */
json_t *rows_written(struct source *source, uint64_t revision, char error[SOURCE_ERROR_MAX]);

/* The edits that make rows so, beside what an inventory has. */
struct row_edits {
	const struct service_edit *edits;
	size_t count;
	/* inside */
	struct service_edit *made;
	struct arena arena; /* of their paths */
};
/* All zero but the arena. */
void row_edits_init(struct row_edits *edits);
/* backwards: the last row comes first. Values are borrowed from the rows. ERR_INVALID: they are no
 * rows of sluice's, or of a later version; ERR_NOMEM. */
MUST_CHECK int row_edits_read(struct row_edits *edits, const json_t *rows, bool backwards,
			      struct inventory *inventory);
void row_edits_release(struct row_edits *edits);

#endif
