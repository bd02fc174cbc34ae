/* Zones go out: AXFR (RFC 5936), IXFR (RFC 1995), and the SOA that secondaries look at first.
 *
 * **Where serials live.** A snapshot has one transfer_table: every zone that an entry of
 * `transfers` names, each at one serial. It is made by the control thread before the snapshot is
 * published, from the one before it, and never changes:
 *
 *     snapshot ─┬─ policy ── owned          what the workers answer from
 *               │     └───── stamps ─┐      with which SOA
 *               └─ transfer_table ───┴─ transfer_zone  serial, content, apex with that serial
 *                                          └ past:     (serial, delta) (serial, delta) ...
 *
 * So what is answered, what is transferred and the serial always agree. A reverse zone's digest is
 * the sum over its PTRs; when it changes the serial goes up, to the time of day or by one (RFC
 * 1982). What outlives the process is (zone, serial, digest) and a reserved serial that none given
 * out exceeds. It is written ahead: a burst of changes costs one write, and a kill -9 costs a jump
 * of the serial at most. A private zone has the serial of its file.
 *
 * **The journal** is copies of what changed from each serial to the next, within bounds
 * (transfer/zone.h says what it costs). Differences between two tables of what we own are found
 * without looking at what they share (owned.h); those of a private zone when its file is read
 * again. IXFR from a remembered serial goes through the versions since, one after the other; from
 * any other serial it is the whole zone (RFC 1995 section 4).
 *
 * **What keeps it alive.** A transfer holds the snapshot that its question came to, by the worker's
 * policy_hold, as any question does. Everything is in there: the policy with its table, the zones,
 * and their past. Changes go on meanwhile; the control thread frees the snapshot after the last
 * transfer of the last worker.
 *
 *                  ┌─ wait ◄─┐ a slot: when another ends; room: when the client has read
 *     transfer_start ─► is there a slot, and room? ─► message ─► by the wheel, in a later round
 *                            ▲      └─ gone: the end                        │
 *                            └──────────────────────────────────────────────┘
 *
 * **A message a loop round.** Messages have 16 KiB, where compression pointers still reach. Between
 * two of them the worker does everything else, so a transfer delays an answer by one message at
 * most. A message is made only when there is room for it.
 *
 * **Slots.** A worker sends TRANSFERS_MAX at a time, TRANSFERS_SHARE of them to one client (an
 * address; of IPv6 a /64). The others wait in order of arrival: behind transfers of their own
 * client as long as those go on, behind other clients for TRANSFER_WAIT_US. One that has waited
 * that long, or finds too many waiting, is answered SERVFAIL with an extended error that says why,
 * and comes again by the SOA's RETRY. One that sends must get TRANSFER_PACE_BYTES out in every
 * TRANSFER_PACE_US, or its connection is closed; a client that reads nothing is found sooner, by
 * the idle timeout (inbound/connection.c). IXFR by UDP, and the SOA to a client that is up to date,
 * are one message and take no slot.
 *
 * **Who may.** transfer_acl_allows: an entry has the client's address and, if it names a key, the
 * client signed with it. The same clients get the zone's SOA by a plain question, wherever they ask
 * it; their other questions are answered as anybody's.
 *
 * Not here: TSIG (tsig.h), zones that come in, NOTIFY (control/service/zone_notice.h). */
#ifndef SLUICE_TRANSFER_H
#define SLUICE_TRANSFER_H

#include "endpoints/query.h"
#include "endpoints/wheel.h"
#include "resolver/hold.h"
#include "resolver/log.h"
#include "resolver/transfer/table.h"

enum {
	TRANSFERS_MAX = 32,            /* that send, per worker; */
	TRANSFERS_SHARE = 8,           /* of them to one client */
	TRANSFERS_WAITING_MAX = 512,   /* for a slot, per worker; */
	TRANSFERS_WAITING_SHARE = 128, /* of them one client's */
	TRANSFER_WAIT_US = 20 * 1000 * 1000,
	TRANSFER_PACE_US = 60 * 1000 * 1000,
	TRANSFER_PACE_BYTES = 64 * 1024,
	TRANSFER_MESSAGE_MAX = 16 * 1024,
};

struct transfer;

struct transfer_line { /* in order of arrival */
	struct transfer *first, **end;
	unsigned count;
};

struct transfers { /* of one worker */
	struct wheel *wheel;
	struct stats *stats;
	struct transfer_line sending, waiting;
	bool ends; /* the worker ends: no slot is given away */
	uint64_t (*now_us)(void *context);
	void *context;
	uint64_t (*time_of_day_s)(void);
	struct log_pace refused, whole, changes, broken,
		failed;  /* a pace for each kind of log line */
	uint8_t *buffer; /* MESSAGE_MAX bytes, the worker's */
};

/* After the caller has set the members that are its own. */
void transfers_init(struct transfers *transfers);

/* Answers AXFR or IXFR: takes the query over and holds the policy until it ends. The tsig is
 * copied; NULL: the question was not signed. */
void transfer_start(struct transfers *transfers, struct query *query, struct policy_hold *hold,
		    const struct tsig_context *tsig);
/* The SOA for a client that may have the zone; NULL: a question like any other. */
const struct rrset *transfer_soa(const struct transfer_table *table, const struct query *query,
				 const struct tsig_context *tsig);
/* The worker ends: ends all of them. */
void transfers_abandon(struct transfers *transfers);

#endif
