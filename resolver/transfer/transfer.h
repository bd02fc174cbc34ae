/* Outgoing zone transfers: AXFR (RFC 5936), IXFR (RFC 1995), and the SOA that secondaries ask for
 * first.
 *
 * **Serials** are in the snapshot's transfer_table, which has every zone that an entry of
 * `transfers` names, at one serial. The control thread makes the table from the former one before
 * the snapshot is published. It never changes:
 *
 *     snapshot ─┬─ policy ── owned          our data that workers answer from
 *               │     └───── stamps ─┐      the SOAs of answers
 *               └─ transfer_table ───┴─ transfer_zone  serial, content, apex with that serial
 *                                          └ past:     (serial, delta) (serial, delta) ...
 *
 * So answers, transfers and serials always agree. A reverse zone's digest is the sum over its PTRs;
 * when it changes, the serial increases, to the time of day or by one (RFC 1982). The store keeps
 * (zone, serial, digest) for the next process, and a reserved serial that no serial given out
 * exceeds. The reserved one is written in advance: a burst of changes costs one write, and a kill
 * -9 at most a jump of the serial. A private zone has the serial of its file or, if its records are
 * in the state, that of its latest version.
 *
 * **The journal** has copies of the changed records from each serial to the next, within bounds
 * (transfer/zone.h has the cost). Differences between two tables of our addresses are found without
 * visiting their shared parts (owned.h). Those of a private zone are found when its file is read
 * again, or when a set changes. IXFR from a remembered serial sends each version since then; from
 * any other serial it sends the whole zone (RFC 1995 section 4).
 *
 * **Lifetime.** Like any question, a transfer holds the snapshot that it began with, by the
 * worker's policy_hold. The snapshot has everything: the policy with its table, the zones, and
 * their past. Changes go on meanwhile; the control thread frees the snapshot after the last
 * worker's last transfer.
 *
 *                  ┌─ wait ◄─┐ for a slot: another one ends; for room: the client reads
 *     transfer_start ─► is there a slot, and room? ─► message ─► by the wheel, in a later round
 *                            ▲      └─ gone: the end                        │
 *                            └──────────────────────────────────────────────┘
 *
 * **One message in a loop round.** A message has up to 16 KiB, which compression pointers can
 * reach. Between two messages the worker does all other work, so a transfer delays an answer by one
 * message at most. A message is made only when there is room for it.
 *
 * **Slots.** A worker sends TRANSFERS_MAX transfers at a time, TRANSFERS_SHARE of them to one
 * client (an address, or an IPv6 /64). The others wait in order of arrival: for transfers of their
 * own client as long as these last, for other clients TRANSFER_WAIT_US. A transfer that has waited
 * that long, or finds too many waiting, gets SERVFAIL with an extended error that says why, and the
 * client retries after the SOA's RETRY. A sending one must send TRANSFER_PACE_BYTES in every
 * TRANSFER_PACE_US, or its connection is closed; the idle timeout (inbound/connection.c) finds a
 * client that reads nothing sooner. IXFR by UDP, and the SOA to a client that is up to date, are
 * one message and take no slot.
 *
 * **Access** is transfer_acl_allows: an entry must have the client's address and, if it names a
 * key, the client must have signed with it. The same clients get the zone's SOA by a plain question
 * at any endpoint; their other questions are answered as usual.
 *
 * Not here: TSIG (tsig.h), incoming zones, NOTIFY (control/service/zone_notice.h). */
#ifndef SLUICE_TRANSFER_H
#define SLUICE_TRANSFER_H

#include "endpoints/query.h"
#include "endpoints/wheel.h"
#include "resolver/hold.h"
#include "resolver/log.h"
#include "resolver/transfer/table.h"

enum {
	TRANSFERS_MAX = 32,            /* sending, per worker */
	TRANSFERS_SHARE = 8,           /* sending, to one client of a worker */
	TRANSFERS_WAITING_MAX = 512,   /* waiting for a slot, per worker */
	TRANSFERS_WAITING_SHARE = 128, /* waiting, of one client */
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
	bool ends; /* the worker ends: no slot is given to another one */
	uint64_t (*now_us)(void *context);
	void *context;
	uint64_t (*time_of_day_s)(void);
	struct log_pace refused, whole, changes, broken, failed; /* one for each kind of log line */
	uint8_t *buffer; /* the worker's, of MESSAGE_MAX bytes */
};

/* Call it after setting wheel, stats, the clocks and buffer. */
void transfers_init(struct transfers *transfers);

/* Answers AXFR or IXFR: takes over the query, and holds the policy until the query ends. Copies the
 * tsig; NULL: the question was not signed. */
void transfer_start(struct transfers *transfers, struct query *query, struct policy_hold *hold,
		    const struct tsig_context *tsig);
/* The SOA for a client that may transfer the zone; NULL: answer as usual. */
const struct rrset *transfer_soa(const struct transfer_table *table, const struct query *query,
				 const struct tsig_context *tsig);
/* The worker ends: ends all transfers. */
void transfers_abandon(struct transfers *transfers);

#endif
