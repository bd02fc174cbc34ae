/* Serials of zones that go out, from one process to the next: the keeper that transfer_table asks,
 * with the state behind it. A row is written ahead of what it stands for:
 *
 *     first change after a rest   (serial, digest, reserved = serial + 256)     one write
 *     the changes after it        nothing, up to reserved
 *     a rest, or the end          (serial, digest, reserved = serial)           one write
 *
 * So a row that is not at rest says: what was given out is not beyond `reserved`, and the digest is
 * of no use. Without a state nothing is kept, and serials come from the time of day.
 *
 * A book that is handed over is at rest and writes nothing, whatever is given out: the rows are
 * another process's. One that is taken forgets what it has given out meanwhile, and reads what the
 * other one has left. */
#ifndef SLUICE_SERIAL_BOOK_H
#define SLUICE_SERIAL_BOOK_H

#include <uv.h>

#include "resolver/control/resource/inventory.h"
#include "resolver/transfer/table.h"

struct serial_row;

struct serial_book {
	struct inventory *inventory;
	struct serial_row *rows; /* by zone */
	uv_timer_t rest;
	bool failed; /* at the last write, and logged */
	bool handed_over;
};

enum { SERIAL_RESERVE = 256, SERIAL_REST_MS = 2000 };

/* The book is its context, and must stay where it is. ERR_SYSTEM. */
MUST_CHECK int serial_book_open(struct serial_book *book, uv_loop_t *loop,
				struct inventory *inventory, struct serial_keeper *keeper);
/* Writes what is not at rest. */
void serial_book_rest(struct serial_book *book);
/* Rests, and leaves the rows to another process; or takes them. */
void serial_book_hand_over(struct serial_book *book);
void serial_book_take(struct serial_book *book);
/* When the loop has closed its handles. Fine on one that is zero. */
void serial_book_release(struct serial_book *book);

#endif
