/* The transferred zones of one snapshot: their serials, their past, and their access. transfer.h
 * describes the whole design. The control thread makes and frees tables; workers read. */
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
	const struct zone **stamps; /* the zones that the policy takes SOAs from */
	uint64_t version;           /* one more than the former table's */
	/* Zones that are new or have changed since the former table. */
	const struct transfer_zone **fresh;
	size_t fresh_count;
	size_t count;
	struct transfer_zone *zones[]; /* sorted by the hash of their name */
};

/* A zone's data that the next process needs. */
struct kept_serial {
	uint32_t serial, reserved; /* reserved: no later serial was given out */
	uint64_t digest;           /* at `serial` */
};

/* A store for serials; all NULL: none. */
struct serial_keeper {
	void *context;
	bool (*recall)(void *context, const char *zone, struct kept_serial *kept);
	/* The store logs its failures; serials then follow the time. */
	void (*keep)(void *context, const struct transfer_zone *const *zones, size_t count);
};

/* Makes the table of a model and its policy. A reverse zone keeps its serial if it is unchanged
 * since `before` (may be NULL), and otherwise gets the next one. A private zone has the serial of
 * its file or version. Puts its stamps into the policy, which must not outlive the table.
 * ERR_NOMEM. */
MUST_CHECK int transfer_table_compile(struct transfer_table **table, const struct model *model,
				      struct policy *policy, const struct transfer_table *before,
				      const struct serial_keeper *keeper, uint64_t now_s);
/* Makes a table with the same zones when only our addresses or registered records differ between
 * before->policy and `policy`. The cost grows with the number of zones and the difference. */
MUST_CHECK int transfer_table_advance(struct transfer_table **table, struct policy *policy,
				      const struct transfer_table *before, uint64_t now_s);
/* Stores the serials of zones that are new or have changed. Called just before the table is served,
 * when nothing can prevent that any more: a serial of a table that is not served was never given
 * out, and must not be stored. There is one exception: when the server starts, a worker may still
 * fail to start after this call. */
void transfer_table_keep(const struct transfer_table *table, const struct serial_keeper *keeper);
void transfer_table_free(struct transfer_table *table); /* NULL is fine */

/* The next zone of this name; NULL: no more. *at is 0 at first. Zones of one name are in different
 * groups. Any thread. */
const struct transfer_zone *transfer_table_next(const struct transfer_table *table,
						const struct name *name, size_t *at);
/* The zone of this name whose transfer_zone.text is `text`; NULL: none. */
const struct transfer_zone *transfer_table_find(const struct transfer_table *table,
						const struct name *name, const char *text);

#endif
