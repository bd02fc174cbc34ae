/* Each zone has a row in memory, beside its row in the state. Rows to be written are picked
 * first, then written in one transaction. */
#include "resolver/control/service/serial_book.h"

#include <string.h>
#include <time.h>
#include <uthash.h>

#include "resolver/control/store/pairs.h"
#include "resolver/log.h"
#include "rules/zone/serial.h"

struct serial_row {
	struct pairs_serial kept; /* the row in the state, if one was written */
	bool written;
	bool given;      /* this process has given out `serial` */
	uint32_t serial; /* the present serial */
	uint64_t digest;
	bool numbered;
	bool picked; /* to be written now */
	UT_hash_handle hh;
	char zone[];
};

static struct serial_row *find_row(const struct serial_book *book, const char *zone)
{
	struct serial_row *row;

	HASH_FIND_STR(book->rows, zone, row);
	return row;
}

static struct serial_row *add_row(struct serial_book *book, const char *zone)
{
	size_t length = strlen(zone) + 1;
	struct serial_row *row = calloc(1, sizeof *row + length);

	if (!row)
		return NULL;
	memcpy(row->zone, zone, length);
	HASH_ADD_STR(book->rows, zone, row);
	if (row->hh.tbl)
		return row;
	free(row);
	return NULL;
}

static bool recall(void *context, const char *zone, struct kept_serial *kept)
{
	struct serial_book *book = context;
	struct pairs_serial read = {.zone = zone};
	struct serial_row *row = find_row(book, zone);
	char error[SOURCE_ERROR_MAX];

	if (row && row->given) {
		*kept = (struct kept_serial){row->serial, row->serial, row->digest};
		return true;
	}
	if (pairs_read_serials(book->store->source, &read, 1, error) != 0 || !read.found)
		return false;
	if (!row)
		row = add_row(book, zone);
	if (row) {
		row->kept = read;
		row->written = true;
	}
	*kept = (struct kept_serial){read.serial, read.reserved, read.digest};
	return true;
}

/* ---- writing ---- */

/* Writes all picked rows in one transaction. */
static void write_picked(struct serial_book *book, uint32_t ahead)
{
	size_t count = 0;
	char error[SOURCE_ERROR_MAX];
	struct pairs_serial *rows = calloc(HASH_COUNT(book->rows) + 1, sizeof *rows);

	for (struct serial_row *row = book->rows; rows && row; row = row->hh.next)
		if (row->picked)
			rows[count++] = (struct pairs_serial){
				.zone = row->zone,
				.serial = row->serial,
				.digest = row->digest,
				.reserved = row->serial + (row->numbered ? ahead : 0),
			};
	int err = !rows   ? ERR_NOMEM
		  : count ? pairs_write_serials(book->store->source, rows, count, error)
			  : 0;
	count = 0;
	for (struct serial_row *row = book->rows; row; row = row->hh.next) {
		if (row->picked && !err) {
			row->kept = rows[count++];
			row->kept.zone = row->zone;
			row->written = true;
		}
		row->picked = false;
	}
	if (err && err != ERR_NOT_FOUND && !book->failed)
		log_event(
			LOG_ERROR, "transfer",
			"serials cannot be saved in the state; after a restart they continue from "
			"the time of day: %s",
			rows ? error : err_text(err));
	book->failed = err && err != ERR_NOT_FOUND;
	free(rows);
}

static bool is_at_rest(const struct serial_row *row)
{
	return row->written && row->kept.serial == row->serial &&
	       row->kept.reserved == row->serial && row->kept.digest == row->digest;
}

void serial_book_rest(struct serial_book *book)
{
	bool any = false;

	if (book->handed_over)
		return;
	for (struct serial_row *row = book->rows; row; row = row->hh.next)
		any = (row->picked = row->given && !is_at_rest(row)) || any;
	if (any)
		write_picked(book, 0);
}

/* Waits while the store is held, because a thread may be using it. */
static void on_rest(uv_timer_t *timer)
{
	struct serial_book *book = timer->data;

	if (book->store->held)
		uv_timer_start(&book->rest, on_rest, SERIAL_REST_MS, 0);
	else
		serial_book_rest(book);
}

void serial_book_hand_over(struct serial_book *book)
{
	serial_book_rest(book);
	uv_timer_stop(&book->rest);
	book->handed_over = true;
}

static void forget_rows(struct serial_book *book)
{
	struct serial_row *row, *next;

	HASH_ITER (hh, book->rows, row, next) {
		HASH_DEL(book->rows, row);
		free(row);
	}
}

void serial_book_take(struct serial_book *book)
{
	forget_rows(book);
	book->handed_over = false;
}

/* Whether the state already says that this serial may have been given out. The next process numbers
 * a zone without a row by the clock, so a zone's first serial needs a row only if it is ahead of
 * that. */
static bool is_covered(const struct serial_row *row, bool first)
{
	if (!row->written)
		return first && !serial_is_newer(row->serial, (uint32_t)time(NULL));
	return is_at_rest(row) || (row->kept.reserved != row->kept.serial && row->numbered &&
				   !serial_is_newer(row->serial, row->kept.reserved));
}

static void keep(void *context, const struct transfer_zone *const *zones, size_t count)
{
	struct serial_book *book = context;
	bool any = false;

	for (size_t i = 0; i < count; i++) {
		struct serial_row *row = find_row(book, zones[i]->text);

		if (!row)
			row = add_row(book, zones[i]->text);
		if (!row)
			continue;
		bool first = !row->given;
		row->given = true;
		row->serial = zones[i]->serial;
		row->digest = zones[i]->content.digest;
		row->numbered = transfer_zone_is_numbered(zones[i]);
		row->picked = !book->handed_over && !is_covered(row, first);
		any = any || row->picked;
	}
	if (book->handed_over)
		return;
	if (any)
		write_picked(book, SERIAL_RESERVE);
	uv_timer_start(&book->rest, on_rest, SERIAL_REST_MS, 0);
}

/* ---- interface ---- */

int serial_book_open(struct serial_book *book, uv_loop_t *loop, struct store *store,
		     struct serial_keeper *keeper)
{
	if (uv_timer_init(loop, &book->rest) != 0)
		return ERR_SYSTEM;
	book->rest.data = book;
	book->store = store;
	*keeper = (struct serial_keeper){book, recall, keep};
	return 0;
}

void serial_book_release(struct serial_book *book)
{
	forget_rows(book);
}
