/* Pairs of a key and a line of text that a store keeps beside the resources. They are not exported,
 * have no history and do not change the revision:
 *
 *     secret NAME     random bytes that the server signs with, as hexadecimal digits
 *     serial ZONE     "SERIAL RESERVED DIGEST" of a zone for secondaries (service/serial_book.h)
 *     use WHAT        "SINCE USED", seconds since 1970: when the server first knew an item, and
 *                     when it last used it (service/use_book.h); asked.h and logouts.h keep other
 *                     numbers there, under keys of their own
 *     registered ZONE OWNER TYPE       records that clients have registered (service/registrar.h)
 *     renewal ZONE OWNER TYPE          when clients last renewed a record set (service/renewals.h)
 *     renewal-clock ZONE               the clock that times the zone's renewals
 *     changed addresses                revision of the latest change of addresses, services, PTRs
 *                                      or groups
 *
 * APIs keep further pairs under words of their own; a change can carry them (put_pairs).
 *
 * All functions return ERR_NOT_FOUND if the source is NULL; writing functions also if the store was
 * opened to read only. ERR_SYSTEM: the store failed, or a value does not have the form above;
 * `error` says what would help. */
#ifndef SLUICE_PAIRS_H
#define SLUICE_PAIRS_H

#include "resolver/control/store/source.h"
#include "rules/name.h"

enum { PAIRS_SECRET_BYTES = 32, PAIRS_KEY_MAX = 2 * NAME_TEXT_MAX + 64 };

/* Reads the secret; draws it first if there is none yet. */
MUST_CHECK int pairs_secret(struct source *source, const char *name,
			    uint8_t bytes[PAIRS_SECRET_BYTES], char error[SOURCE_ERROR_MAX]);

struct pairs_serial {
	const char *zone; /* the key: its apex, after GROUP/ if it has a group */
	bool found;       /* set by reading */
	uint32_t serial, reserved;
	uint64_t digest;
};
MUST_CHECK int pairs_read_serials(struct source *source, struct pairs_serial *rows, size_t count,
				  char error[SOURCE_ERROR_MAX]);
/* Writes all rows or none; durable. */
MUST_CHECK int pairs_write_serials(struct source *source, const struct pairs_serial *rows,
				   size_t count, char error[SOURCE_ERROR_MAX]);

struct pairs_use {
	const char *what; /* the key */
	bool found;       /* set by reading */
	int64_t since_s;  /* since 1970: first known; 0: pairs_write_uses removes the row */
	int64_t used_s;   /* last used; 0: never */
};
MUST_CHECK int pairs_read_uses(struct source *source, struct pairs_use *rows, size_t count,
			       char error[SOURCE_ERROR_MAX]);
/* Writes all rows or none; not durable at once. */
MUST_CHECK int pairs_write_uses(struct source *source, const struct pairs_use *rows, size_t count,
				char error[SOURCE_ERROR_MAX]);
/* Calls back with at most `limit` uses after the key `what`, in the order of keys. */
MUST_CHECK int pairs_uses_after(struct source *source, const char *what, size_t limit,
				int (*on_use)(void *context, const struct pairs_use *use),
				void *context, char error[SOURCE_ERROR_MAX]);

/* The revision of the latest change of addresses, services, PTRs or groups (0: never). Note it
 * within that change. */
MUST_CHECK int pairs_read_changed(struct source *source, uint64_t *revision,
				  char error[SOURCE_ERROR_MAX]);
MUST_CHECK int pairs_note_changed(struct source *source, uint64_t revision,
				  char error[SOURCE_ERROR_MAX]);

/* Calls back with every pair whose key begins with `prefix`, starting at `prefix` followed by
 * `from`, in the order of keys; no key is longer than PAIRS_KEY_MAX. A callback's return other than
 * 0 ends the call, which returns it. */
MUST_CHECK int pairs_each(struct source *source, const char *prefix, const char *from,
			  int (*on_row)(void *context, const struct source_pair *pair),
			  void *context, char error[SOURCE_ERROR_MAX]);

#endif
