/* The last renewal of each set that clients have registered (registrar.h), and who signed it. The
 * registrar shows the times, removes sets that have expired, and refuses a message that is older
 * than the set it would change.
 *
 * **What counts.** Each zone has a clock that counts the seconds in which its clients could
 * register. It follows CLOCK_MONOTONIC while a process serves the zone with `registration`, and
 * continues where the process before left it. So nothing expires because the server was down,
 * because the zone had no `registration` for some days, or because the time of day was set. The
 * time of day of a renewal is for display, and shows whether a stored row is older than the
 * registration (renewals_recall).
 *
 * **Writing.** A renewal is noted in memory. The registrar writes the rows in portions, every
 * RENEWALS_WRITE_S and when it rests:
 *
 *     renewal ZONE OWNER TYPE    "TIME CLOCK": seconds since 1970, and of the zone's clock
 *     renewal-clock ZONE         "CLOCK open" while a process counts; "CLOCK closed" by a process
 *                                that has written all renewals and ends
 *
 * **After a kill** an unknown number of renewals is missing. The clock's row is open then, or there
 * is none yet, so all sets of the zone count as renewed at the start, and no machine loses its name
 * early. The times on display may be too old, by up to RENEWALS_WRITE_S.
 *
 * **Signatures.** A set comes from the message that last changed it. If a later message of the same
 * key renews the set, that message's signing time counts. Times of two keys are not compared: their
 * clients' clocks may differ by TSIG_FUDGE_S. The registrar stores the signing time of the change
 * in the set's row; that of a renewal is lost with the process, but messages signed long before
 * their arrival are refused anyway (update/replay.h).
 *
 * A signing time more than TSIG_FUDGE_S ahead of the server's clock does not count. It is from a
 * time when the clocks of server and client were ahead, and if it counted, the key could not change
 * the set until the right time reached it. An eavesdropper gains nothing while the server's clock
 * is right, because TSIG refuses messages that were signed at another time. While the clock is
 * behind, an eavesdropper can repeat messages of the time that the clock shows if an earlier
 * process took them, as is always possible for sets that do not exist. Messages that this process
 * took are known (update/replay.h).
 *
 * **Memory.** 24 bytes per set, in tables that are 3/8 to 3/4 full: 32 to 64 bytes. A keyed hash of
 * 64 bits identifies a set; two sets with the same hash would be renewed together. A hash of 32
 * bits identifies a key.
 *
 * For the control thread alone. `now_s` is always CLOCK_MONOTONIC. */
#ifndef SLUICE_RENEWALS_H
#define SLUICE_RENEWALS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "rules/hash.h"

enum {
	RENEWALS_WRITE_S = 5 * 60,
	RENEWALS_TABLES = 256, /* they grow one by one, so that no turn of the loop is long */
};

struct renewal_signature { /* of the message that a set comes from */
	uint32_t key;      /* renewals_key_print; 0: not signed, or unknown */
	uint32_t signed_s; /* since 1970 */
};

struct renewal {        /* of a set */
	uint64_t print; /* the set's hash; 0: a free place */
	uint32_t at_s;  /* since 1970 */
	unsigned clock_s : 31, unwritten : 1;
	struct renewal_signature signature;
};

struct renewal_table {
	struct renewal *items; /* open addressing by print: a taken place leads to the next */
	uint32_t count, room;
};

struct renewal_clock { /* the clock of a zone */
	struct renewal_clock *next;
	char *zone; /* full name in lower case */
	uint64_t seed;
	uint32_t base_s; /* its value at since_s */
	uint64_t since_s;
	bool runs, closed; /* closed: the row in the state is closed */
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

/* The zone's clock; a new one stands still at 0. NULL without memory. */
struct renewal_clock *renewals_clock(struct renewals *renewals, const char *zone);
uint32_t renewal_clock_read(const struct renewal_clock *clock, uint64_t now_s);
/* Starts or stops the clock. */
void renewal_clock_run(struct renewal_clock *clock, bool runs, uint64_t now_s);

/* ---- sets ---- */

/* The hash of a set; the owner is in wire format, in lower case. */
uint64_t renewals_print(const struct renewals *renewals, const struct renewal_clock *clock,
			const uint8_t *owner, uint16_t type);
/* NULL: unknown. The pointer is valid until the next renewals_note or renewals_forget. */
const struct renewal *renewals_find(struct renewals *renewals, uint64_t print);
/* Notes a registration or renewal, with the time of day and the clock's time. Without memory the
 * set stays unknown. */
void renewals_note(struct renewals *renewals, uint64_t print, int64_t at_s, uint32_t clock_s);
void renewals_forget(struct renewals *renewals, uint64_t print);
/* Restores the set's renewal from `before`, a copy of what renewals_find gave. NULL: removes it. */
void renewals_put_back(struct renewals *renewals, uint64_t print, const struct renewal *before);
/* The set's renewal has been written to the state. */
void renewals_written(struct renewals *renewals, uint64_t print);

/* ---- signatures ---- */

/* A hash of a key's name (as text, with the final dot). Never 0. */
uint32_t renewals_key_print(const struct renewals *renewals, const char *name);
/* Notes that the set comes from this message. The set must have a renewal. */
void renewals_sign(struct renewals *renewals, uint64_t print,
		   const struct renewal_signature *signature);
/* Notes that this message renewed the set. Its signing time counts if the same key signed the
 * message, and if the time is later than the noted one, or the noted one is too far ahead of
 * `at_s`, the time of day. */
void renewals_sign_again(struct renewals *renewals, uint64_t print,
			 const struct renewal_signature *signature, int64_t at_s);
/* Whether the same key signed this message earlier than the message that the set comes from. False
 * if the time of the set's message is too far ahead of `at_s`, the time of day. */
bool renewals_are_newer(struct renewals *renewals, uint64_t print,
			const struct renewal_signature *signature, int64_t at_s);

/* ---- rows ---- */

enum { RENEWAL_VALUE_MAX = 40 };
/* The prefixes of the rows' keys. */
#define RENEWAL_ROW       "renewal "
#define RENEWAL_CLOCK_ROW "renewal-clock "
char *renewal_print_value(const struct renewal *renewal, char value[RENEWAL_VALUE_MAX]);
char *renewal_clock_print_value(const struct renewal_clock *clock, bool closed, uint64_t now_s,
				char value[RENEWAL_VALUE_MAX]);
/* Sets the clock from its row. A row that sluice did not write is ignored. */
void renewal_clock_recall(struct renewal_clock *clock, const char *value);
/* Reads the row of a known set. A row older than the registration is ignored; if the clock was left
 * open, only the time of day counts. */
void renewals_recall(struct renewals *renewals, const struct renewal_clock *clock, uint64_t print,
		     const char *value);

#endif
