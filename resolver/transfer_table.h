/* The zones that go out, as one snapshot has them: with their serials, what they were before, and
 * who may have them. transfer.h has the whole design. The control thread makes and frees tables;
 * workers read. */
#ifndef SLUICE_TRANSFER_TABLE_H
#define SLUICE_TRANSFER_TABLE_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include "resolver/transfer_delta.h"
#include "resolver/transfer_terms.h"
#include "rules/model.h"
#include "rules/policy.h"
#include "rules/prefix.h"

enum {
	TRANSFER_PAST = 256,            /* versions of a zone that IXFR can begin from, */
	TRANSFER_PAST_BYTES = 16 << 20, /* and what they may hold by themselves, about */
};

struct transfer_meter { /* of a zone, through all its versions */
	atomic_uint_fast64_t axfr, ixfr, current, refused;
	unsigned references; /* the control thread's */
};

struct transfer_past { /* what a zone was at a serial */
	uint32_t serial;
	size_t bytes;                 /* that it holds and no later table does, about */
	struct owned *owned;          /* reverse: the table then */
	struct transfer_delta *delta; /* private: from then to the next version */
};

/* A zone at one serial. Nothing in it changes but its references and its meter. */
struct transfer_zone {
	unsigned references; /* the control thread's */
	bool reverse;        /* PTRs of a pool below an apex; else a private zone */
	bool classless;      /* reverse: an address's name is its last octet (RFC 2317) */
	bool alias;          /* classless: another spelling of a zone */
	struct name name;
	char *text;           /* the name with its final dot */
	struct prefix prefix; /* reverse: the addresses that it holds */
	/* reverse: the apex as it was compiled, and with the serial; private: twice the zone. */
	struct zone *apex, *zone;
	uint32_t serial;
	uint64_t digest; /* of the content, without the serial */
	struct transfer_meter *meter;
	size_t past_count;
	struct transfer_past past[]; /* oldest first */
};

struct transfer_table {
	struct transfer_terms *terms;
	const struct policy *policy;
	const struct zone **stamps; /* what the policy answers with */
	size_t count;
	struct transfer_zone *zones[]; /* by the hash of their name */
};

/* What is remembered of a zone from one process to the next. */
struct kept_serial {
	uint32_t serial, reserved; /* reserved: no later one has been given out */
	uint64_t digest;           /* at `serial` */
};

/* Where serials are kept, by whoever has a store; all NULL: nowhere. */
struct serial_keeper {
	void *context;
	bool (*recall)(void *context, const char *zone, struct kept_serial *kept);
	/* Before they are given out. A store that fails says so itself; serials go on by the time.
	 */
	void (*keep)(void *context, const struct transfer_zone *const *zones, size_t count);
};

/* Terms and zones of a model that is compiled: zones that are as in `before` (may be NULL) keep
 * their serial, others get the next. Puts its stamps into the policy, which must not live longer
 * than the table. ERR_NOMEM. */
MUST_CHECK int transfer_table_compile(struct transfer_table **table, const struct model *model,
				      struct policy *policy, const struct transfer_table *before,
				      const struct serial_keeper *keeper, uint64_t now_s);
/* The same zones where only what we own has changed, from before->policy's to the policy's: costs
 * what has changed. */
MUST_CHECK int transfer_table_advance(struct transfer_table **table, struct policy *policy,
				      const struct transfer_table *before,
				      const struct serial_keeper *keeper, uint64_t now_s);
void transfer_table_free(struct transfer_table *table); /* NULL is fine */

/* Any thread. NULL when there is none of that name. */
const struct transfer_zone *transfer_table_find(const struct transfer_table *table,
						const struct name *name);

#endif
