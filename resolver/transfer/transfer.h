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
 * So what is answered, what is transferred and the serial are one thing. A reverse zone's digest is
 * the sum over its PTRs; a change that moves it moves the serial, by the time of day or by one (RFC
 * 1982). What has to outlive the process is (zone, serial, digest), and a serial that none given
 * out is beyond: written ahead, so that a burst of changes costs one write and a kill -9 at most a
 * jump. A private zone has the serial of its file.
 *
 * **The journal** is copies of what was changed from each serial to the next, within bounds
 * (transfer/zone.h says what it costs). What is different between two tables of what we own is
 * found without looking at what they share (owned.h), and of a private zone when its file is read
 * again. IXFR from any serial that is remembered goes through the versions since, one after the
 * other; from an older one, or one that is not known, it is the whole zone (RFC 1995 section 4).
 *
 * **Who holds what a transfer reads.** The snapshot that the question came to, by the worker's
 * policy_hold, as any question does. Everything is in there: the policy with its table, the zones,
 * and their past. Changes go on meanwhile; the control thread frees the snapshot when the last
 * transfer of the last worker is through with it.
 *
 *                  ┌─ wait ◄─┐ a place: when another ends; room: when the client has read
 *     transfer_start ─► is there a place, and room? ─► message ─► by the wheel, in a later round
 *                            ▲      └─ gone: the end                        │
 *                            └──────────────────────────────────────────────┘
 *
 * **A message a loop round.** Messages are of 16 KiB, where compression pointers still reach, and
 * between two of them the worker does everything else; so a transfer never delays an answer by more
 * than making one takes. No message is made before there is room for it.
 *
 * **Places.** TRANSFERS_MAX of a worker send at a time, TRANSFERS_SHARE of them to one client (an
 * address; of IPv6 a /64). Others wait for a place in the order in which they came: behind others
 * of their client as long as those go on, behind other clients for TRANSFER_WAIT_US. Who has waited
 * for so long, or finds too many waiting, is told SERVFAIL, with an extended error that says why,
 * and comes again by the SOA's RETRY. One that is sending has to get TRANSFER_PACE_BYTES on their
 * way in every TRANSFER_PACE_US, or its connection is closed: a client that reads nothing at all is
 * found sooner, by the idle timeout (inbound/connection.c). IXFR by UDP, and the SOA to who has all
 * already, are one message and take no place.
 *
 * **Who may.** transfer_acl_allows: an entry with the client's address and, where it asks for
 * one, its key. The same clients get the zone's SOA by a plain question, wherever they ask it;
 * whatever else they ask is answered as to anybody.
 *
 * Not here: what a TSIG is (tsig.h), zones that come in, NOTIFY
 * (control/service/zone_notify.h). */
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
	TRANSFERS_WAITING_MAX = 512,   /* for a place, per worker; */
	TRANSFERS_WAITING_SHARE = 128, /* of them one client's */
	TRANSFER_WAIT_US = 20 * 1000 * 1000,
	TRANSFER_PACE_US = 60 * 1000 * 1000,
	TRANSFER_PACE_BYTES = 64 * 1024,
	TRANSFER_MESSAGE_MAX = 16 * 1024,
};

struct transfer;

struct transfer_line { /* in the order in which they came into it */
	struct transfer *first, **end;
	unsigned count;
};

struct transfers { /* of one worker */
	struct wheel *wheel;
	struct stats *stats;
	struct transfer_line sending, waiting;
	bool ends; /* the worker does */
	uint64_t (*now_us)(void *context);
	void *context;
	uint64_t (*time_of_day_s)(void);
	struct log_pace refused, whole, changes, broken, failed; /* for what is logged of each */
	uint8_t *buffer; /* MESSAGE_MAX bytes, the worker's */
};

/* With the members that are others' set already. */
void transfers_init(struct transfers *transfers);

/* Answers AXFR or IXFR: takes the query over, and holds the policy as long as it needs it. The tsig
 * is copied; NULL: the question was not signed. */
void transfer_start(struct transfers *transfers, struct query *query, struct policy_hold *hold,
		    const struct tsig_context *tsig);
/* The SOA for a client that may have the zone; NULL: it is a question as any other. */
const struct rrset *transfer_soa(const struct transfer_table *table, const struct query *query,
				 const struct tsig_context *tsig);
/* Ends all of them: the worker ends. */
void transfers_abandon(struct transfers *transfers);

#endif
