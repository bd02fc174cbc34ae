/* Pairs of a key and a line of text that a store keeps beside the resources. No export and no
 * history has them, and no revision counts them:
 *
 *     secret NAME     random bytes that the server signs with, as hexadecimal digits
 *     serial ZONE     "SERIAL RESERVED DIGEST" of a zone that goes out (service/serial_book.h)
 *     use WHAT        "SINCE USED", seconds since 1970: since when something is known, and when it
 *                     was used last (service/use_book.h; asked.h and logouts.h have keys of their
 *                     own there)
 *     registered ZONE OWNER TYPE       what clients have registered (service/registrar.h)
 *     renewal ZONE OWNER TYPE          and when they have renewed it (service/renewals.h),
 *     renewal-clock ZONE               as its clock counts
 *
 * An API keeps others, under words of its own: a change can carry them (put_pairs).
 *
 * All functions give ERR_NOT_FOUND where the source is NULL, and those that write also where the
 * store is only read. ERR_SYSTEM: the store failed, or a value is not of the form above; `error`
 * says what would help. */
#ifndef SLUICE_PAIRS_H
#define SLUICE_PAIRS_H

#include "resolver/control/store/source.h"
#include "rules/name.h"

enum { PAIRS_SECRET_BYTES = 32, PAIRS_KEY_MAX = 2 * NAME_TEXT_MAX + 64 };

/* Draws the bytes where there are none yet. */
MUST_CHECK int pairs_secret(struct source *source, const char *name,
			    uint8_t bytes[PAIRS_SECRET_BYTES], char error[SOURCE_ERROR_MAX]);

struct pairs_serial {
	const char *zone; /* the key: its apex, behind GROUP/ where it is in a group */
	bool found;       /* when read */
	uint32_t serial, reserved;
	uint64_t digest;
};
MUST_CHECK int pairs_read_serials(struct source *source, struct pairs_serial *rows, size_t count,
				  char error[SOURCE_ERROR_MAX]);
/* All of them or none; durable. */
MUST_CHECK int pairs_write_serials(struct source *source, const struct pairs_serial *rows,
				   size_t count, char error[SOURCE_ERROR_MAX]);

struct pairs_use {
	const char *what; /* the key */
	bool found;       /* when read */
	int64_t since_s;  /* since 1970: known since; written 0: the row goes */
	int64_t used_s;   /* used last; 0: never */
};
MUST_CHECK int pairs_read_uses(struct source *source, struct pairs_use *rows, size_t count,
			       char error[SOURCE_ERROR_MAX]);
/* All of them or none; not durable at once. */
MUST_CHECK int pairs_write_uses(struct source *source, const struct pairs_use *rows, size_t count,
				char error[SOURCE_ERROR_MAX]);
/* Calls back with at most `limit` of the uses behind this key, in the order of keys. */
MUST_CHECK int pairs_uses_after(struct source *source, const char *what, size_t limit,
				int (*on_use)(void *context, const struct pairs_use *use),
				void *context, char error[SOURCE_ERROR_MAX]);

/* Calls back with all whose keys begin with `prefix`, from the key `prefix` and `from` on, in the
 * order of keys; none is longer than PAIRS_KEY_MAX. A return that is not 0 ends it, and is
 * returned. */
MUST_CHECK int pairs_each(struct source *source, const char *prefix, const char *from,
			  int (*on_row)(void *context, const struct source_pair *pair),
			  void *context, char error[SOURCE_ERROR_MAX]);

#endif
