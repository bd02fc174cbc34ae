/* Zones go out: AXFR (RFC 5936), IXFR (RFC 1995), and the SOA that secondaries look at first.
 *
 * **Where serials live.** A snapshot has one transfer_table: every zone that an entry of
 * `transfers` names, each at one serial. It is made by the control thread before the snapshot is
 * published, from the one before it, and never changes:
 *
 *     snapshot ─┬─ policy ── owned          what the workers answer from
 *               │     └───── stamps ─┐      with which SOA
 *               └─ transfer_table ───┴─ transfer_zone  serial, digest, apex with that serial
 *                                          └ past:     (serial, owned) (serial, owned) ...
 *
 * So what is answered, what is transferred and the serial are one thing. A reverse zone's digest is
 * the sum over its PTRs; a change that moves it moves the serial, by the time of day or by one (RFC
 * 1982). What has to outlive the process is (zone, serial, digest), and a serial that none given
 * out is beyond: written ahead, so that a burst of changes costs one write and a kill -9 at most a
 * jump. A private zone has the serial of its file.
 *
 * **The journal** is the tables themselves. They are persistent (owned.h), so the old one costs the
 * pages that were changed since, and what is different between two is found without looking at what
 * they share. IXFR from any of the last TRANSFER_PAST serials is that difference, condensed (RFC
 * 1995 section 5). Of a private zone, whose versions share nothing, the records that were changed
 * are copied when its file is read again (transfer_delta.h). From an older serial, or one that is
 * not known, IXFR is the whole zone (section 4).
 *
 * **Who holds what a transfer reads.** The snapshot that the question came to, by the worker's
 * policy_hold, as any question does. Everything is in there: the policy with its table, the zones,
 * and by `past` the tables of the serials before. Changes go on meanwhile; the control thread frees
 * the snapshot when the last transfer of the last worker is through with it.
 *
 *     transfer_start ─► message ─► send ──┬─ sent: the next by the wheel, in a later loop round
 *                                         ├─ full: the next by on_room
 *                                         └─ gone: the end
 *
 * **A message a loop round.** Messages are of 16 KiB, where compression pointers still reach, and
 * between two of them the worker does everything else; so a transfer never delays an answer by more
 * than making one takes. Nothing is gathered but that message: it goes out when the client has read
 * enough of those before, and a client that reads nothing is closed as any is (inbound_tcp.c).
 *
 * **Who may.** transfer_terms_allow: an entry with the client's address and, where it asks for
 * one, its key. The same clients get the zone's SOA by a plain question, wherever they ask it;
 * whatever else they ask is answered as to anybody.
 *
 * Not here: what a TSIG is (tsig.h), zones that come in, NOTIFY (control/zone_notify.h). */
#ifndef SLUICE_TRANSFER_H
#define SLUICE_TRANSFER_H

#include "endpoints/query.h"
#include "endpoints/wheel.h"
#include "resolver/resolve.h"
#include "resolver/transfer_table.h"

enum {
	TRANSFERS_MAX = 32, /* under way, per worker */
	TRANSFER_MESSAGE_MAX = 16 * 1024,
};

struct transfer;

struct transfers { /* of one worker */
	struct wheel *wheel;
	struct stats *stats;
	struct transfer *running;
	unsigned count;
	uint64_t (*now_us)(void *context);
	void *context;
	uint64_t (*time_of_day_s)(void);
	uint64_t refusals_from_us; /* refusals are logged once a second */
	unsigned refusals;         /* not logged since */
	uint8_t *buffer;           /* MESSAGE_MAX bytes, the worker's */
};

/* Answers AXFR or IXFR: takes the query over, and holds the policy as long as it needs it. The seal
 * is copied; NULL: the question was not signed. */
void transfer_start(struct transfers *transfers, struct query *query, struct policy_hold *hold,
		    const struct tsig_seal *seal);
/* The SOA for a client that may have the zone; NULL: it is a question as any other. */
const struct rrset *transfer_soa(const struct transfer_table *table, const struct query *query,
				 const struct tsig_seal *seal);
/* Ends all of them: the worker ends. */
void transfers_abandon(struct transfers *transfers);

#endif
