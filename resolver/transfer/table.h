/* The zones that go out, as one snapshot has them: their serials, their past, and who may have
 * them. transfer.h has the whole design. The control thread makes and frees tables; workers read.
 */
#ifndef SLUICE_TRANSFER_TABLE_H
#define SLUICE_TRANSFER_TABLE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "resolver/transfer/acl.h"
#include "resolver/transfer/zone.h"
#include "rules/policy/policy.h"
#include "rules/schema/model.h"

struct transfer_table {
	struct transfer_acl *acl;
	const struct policy *policy;
	const struct zone **stamps; /* what the policy answers with */
	uint64_t version;           /* one more than that of the table it was made from */
	/* Zones that have changed since that table. */
	const struct transfer_zone **fresh;
	size_t fresh_count;
	size_t count;
	struct transfer_zone *zones[]; /* by the hash of their name */
};

/* What is remembered of a zone from one process to the next. */
struct kept_serial {
	uint32_t serial, reserved; /* reserved: none beyond it has been given out */
	uint64_t digest;           /* at `serial` */
};

/* Where serials are kept; all NULL: nowhere. */
struct serial_keeper {
	void *context;
	bool (*recall)(void *context, const char *zone, struct kept_serial *kept);
	/* Before they are given out. The store logs its own failures; serials go on by the time. */
	void (*keep)(void *context, const struct transfer_zone *const *zones, size_t count);
};

/* The table of a model and its policy. Zones that are as in `before` (may be NULL) keep their
 * serial, others get the next. Puts its stamps into the policy, which must not outlive the table.
 * ERR_NOMEM. */
MUST_CHECK int transfer_table_compile(struct transfer_table **table, const struct model *model,
				      struct policy *policy, const struct transfer_table *before,
				      const struct serial_keeper *keeper, uint64_t now_s);
/* The same zones where only what we own has changed, from before->policy's to the policy's. Costs
 * what has changed. */
MUST_CHECK int transfer_table_advance(struct transfer_table **table, struct policy *policy,
				      const struct transfer_table *before,
				      const struct serial_keeper *keeper, uint64_t now_s);
void transfer_table_free(struct transfer_table *table); /* NULL is fine */

/* Any thread. The zones of that name, one after the other: *at is 0 at first. Behind the last:
 * NULL. Of one name there are several where they are in different groups. */
const struct transfer_zone *transfer_table_next(const struct transfer_table *table,
						const struct name *name, size_t *at);
/* The one of them with this full name, as transfer_zone.text has it; NULL: there is none. */
const struct transfer_zone *transfer_table_find(const struct transfer_table *table,
						const struct name *name, const char *text);

#endif
