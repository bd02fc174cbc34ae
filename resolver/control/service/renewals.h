/* The last renewal of each set that clients have registered (registrar.h), and who signed it. The
 * registrar shows the times, removes sets that have expired, and refuses a message that is older
 * than the set it would change.
 *
 * **What counts.** Each zone has a clock: the seconds in which its clients could register. It goes
 * by CLOCK_MONOTONIC while a process serves the zone with `registration`, and goes on from where
 * the process before has left it. So nothing expires because the server was down, because the zone
 * had no `registration` for some days, or because the time of day was set. The time of day of a
 * renewal is only shown.
 *
 * **Writing.** A renewal is noted in memory. The registrar writes the rows in portions, every
 * RENEWALS_WRITE_S and when it rests:
 *
 *     renewal ZONE OWNER TYPE    "TIME CLOCK": since 1970, and of the zone's clock
 *     renewal-clock ZONE         "CLOCK open" while a process counts; "CLOCK closed" by one that
 *                                has written all and leaves
 *
 * **After a kill** renewals are missing, of which nobody knows. The clock's row is open then, and
 * all sets of the zone count as renewed at the start, so that no machine loses its name early. The
 * times that are shown may be older than they were, by RENEWALS_WRITE_S.
 *
 * **Signatures.** A set is from the message that changed it last. Where a later message of the same
 * key has renewed the set, the time signed is that message's. Times of two keys are not compared:
 * their clients' clocks may differ by TSIG_FUDGE_S. The registrar keeps the time signed in the
 * set's own row; what a renewal was signed at is forgotten with the process, and what was signed
 * long before the next one is refused anyway (update/replay.h).
 *
 * **Memory.** 24 bytes for a set, in tables that are 3/8 to 3/4 full: 32 to 64. Sets are told apart
 * by a keyed hash of 64 bits; two with the same would be renewed together. Keys are told apart by
 * one of 32 bits.
 *
 * For the control thread alone. `now_s` is of CLOCK_MONOTONIC everywhere. */
#ifndef SLUICE_RENEWALS_H
#define SLUICE_RENEWALS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "rules/hash.h"

enum {
	RENEWALS_WRITE_S = 5 * 60,
	RENEWALS_TABLES = 256, /* that grow one by one, so that no turn of the loop is long */
};

struct renewal_signature { /* of the message that a set is from */
	uint32_t key;      /* renewals_key_print; 0: it was not signed, or nothing is known */
	uint32_t signed_s; /* since 1970 */
};

struct renewal {        /* of a set */
	uint64_t print; /* 0: this place is free */
	uint32_t at_s;  /* since 1970 */
	unsigned clock_s : 31, unwritten : 1;
	struct renewal_signature signature;
};

struct renewal_table {
	struct renewal *items; /* by print, the next place where it is taken */
	uint32_t count, room;
};

struct renewal_clock { /* of a zone */
	struct renewal_clock *next;
	char *zone; /* full name in lower case */
	uint64_t seed;
	uint32_t base_s; /* what it had at since_s */
	uint64_t since_s;
	bool runs, closed; /* closed: the state says so, since before it ran */
};

struct renewals {
	struct hash_key key;
	struct renewal_table tables[RENEWALS_TABLES];
	size_t unwritten;
	struct renewal_clock *clocks;
	uint64_t seeds;
};

void renewals_init(struct renewals *renewals, const struct hash_key *key);
void renewals_release(struct renewals *renewals);

/* ---- clocks ---- */

/* That of the zone, which stands still at 0 when it is new. NULL without memory. */
struct renewal_clock *renewals_clock(struct renewals *renewals, const char *zone);
uint32_t renewal_clock_read(const struct renewal_clock *clock, uint64_t now_s);
/* Lets it run, or stand still. */
void renewal_clock_run(struct renewal_clock *clock, bool runs, uint64_t now_s);

/* ---- sets ---- */

/* Stands for a set; the owner is wire in lower case. */
uint64_t renewals_print(const struct renewals *renewals, const struct renewal_clock *clock,
			const uint8_t *owner, uint16_t type);
/* NULL: nothing is known of it. It stays where it is until something is noted or forgotten. */
const struct renewal *renewals_find(struct renewals *renewals, uint64_t print);
/* It was registered or renewed at this time of day, and of the clock. Without memory nothing is
 * known of it. */
void renewals_note(struct renewals *renewals, uint64_t print, int64_t at_s, uint32_t clock_s);
void renewals_forget(struct renewals *renewals, uint64_t print);
/* Restores the set's renewal from a copy of the result of renewals_find. NULL: removes it. */
void renewals_put_back(struct renewals *renewals, uint64_t print, const struct renewal *before);
/* The state has what is known of it. */
void renewals_written(struct renewals *renewals, uint64_t print);

/* ---- signatures ---- */

/* A hash of a key's name (as text, with the last dot). Never 0. */
uint32_t renewals_key_print(const struct renewals *renewals, const char *name);
/* Notes that the set is from this message. The set has a renewal. */
void renewals_sign(struct renewals *renewals, uint64_t print,
		   const struct renewal_signature *signature);
/* The message has renewed the set. */
void renewals_sign_again(struct renewals *renewals, uint64_t print,
			 const struct renewal_signature *signature);
/* Whether the key has signed the message before the one that the set is from. */
bool renewals_are_newer(struct renewals *renewals, uint64_t print,
			const struct renewal_signature *signature);

/* ---- rows ---- */

enum { RENEWAL_VALUE_MAX = 40 };
/* Ahead of what the key is about. */
#define RENEWAL_ROW       "renewal "
#define RENEWAL_CLOCK_ROW "renewal-clock "
char *renewal_print_value(const struct renewal *renewal, char value[RENEWAL_VALUE_MAX]);
char *renewal_clock_print_value(const struct renewal_clock *clock, bool closed, uint64_t now_s,
				char value[RENEWAL_VALUE_MAX]);
/* Sets the clock to what its row says. A row that sluice did not write is ignored. */
void renewal_clock_recall(struct renewal_clock *clock, const char *value);
/* What a row says of a set that has been noted. A row that is older than the registration does not
 * count, and where the clock was left open only the time of day does. */
void renewals_recall(struct renewals *renewals, const struct renewal_clock *clock, uint64_t print,
		     const char *value);

#endif
