/* Keeps the serials of published zones in the state, from one process to the next, for
 * transfer_table. A row is written before its serials are given out. A zone's first serial needs a
 * row only if it is ahead of the clock:
 *
 *     first change after a rest   (serial, digest, reserved = serial + 256)     one write
 *     the changes after it        nothing, up to reserved
 *     a rest, or the end          (serial, digest, reserved = serial)           one write
 *
 * So a row that is not at rest says only that no serial beyond `reserved` was given out; its digest
 * is useless. A zone whose serial comes from its file reserves none, so each of its changes is a
 * write. Without a state no rows are kept, and serials that no file gives come from the time of
 * day.
 *
 * A book that was handed over writes nothing, because the rows are another process's. A book that
 * takes the rows forgets the serials that it has given out meanwhile, and reads those of the other
 * process. */
#ifndef SLUICE_SERIAL_BOOK_H
#define SLUICE_SERIAL_BOOK_H

#include <uv.h>

#include "resolver/control/store/store.h"
#include "resolver/transfer/table.h"

struct serial_row;

struct serial_book {
	struct store *store;
	struct serial_row *rows; /* by zone */
	uv_timer_t rest;
	bool failed; /* the last write failed, which was logged */
	bool handed_over;
};

enum { SERIAL_RESERVE = 256, SERIAL_REST_MS = 2000 };

/* The book becomes the keeper's context and must not move. ERR_SYSTEM. */
MUST_CHECK int serial_book_open(struct serial_book *book, uv_loop_t *loop, struct store *store,
				struct serial_keeper *keeper);
/* Writes all rows that are not at rest. */
void serial_book_rest(struct serial_book *book);
/* Writes the rows and leaves them to another process; or takes them from it. */
void serial_book_hand_over(struct serial_book *book);
void serial_book_take(struct serial_book *book);
/* Called after the loop has closed the handles. Fine on a zeroed book. */
void serial_book_release(struct serial_book *book);

#endif
