/* What a model says of zones that go out: its keys, and who may have which zone. Kept as long as a
 * table or a notice goes by it. The control thread makes and frees terms; workers read. */
#ifndef SLUICE_TRANSFER_TERMS_H
#define SLUICE_TRANSFER_TERMS_H

#include <stdbool.h>
#include <stddef.h>

#include "resolver/transfer/tsig.h"
#include "rules/arena.h"
#include "rules/prefix.h"
#include "rules/schema/model.h"

struct transfer_zone;

struct transfer_grant {                           /* an entry of `transfers` */
	const struct transfer_settings *settings; /* in the terms' arena */
	const struct tsig_key *key;               /* NULL: none is asked for */
};

struct transfer_terms {
	unsigned references; /* the control thread's */
	struct arena arena;
	struct tsig_key *keys;
	size_t key_count;
	struct transfer_grant *grants;
	size_t grant_count;
};

/* NULL without memory. The model is not needed afterwards. */
struct transfer_terms *transfer_terms_new(const struct model *model);
struct transfer_terms *transfer_terms_ref(struct transfer_terms *terms);
void transfer_terms_unref(struct transfer_terms *terms); /* NULL is fine */

/* Any thread. Whether an entry is about the zone; whether any is. */
bool transfer_grant_covers(const struct transfer_grant *grant, const struct transfer_zone *zone);
bool transfer_terms_cover(const struct transfer_terms *terms, const struct transfer_zone *zone);
/* Whether an entry lets this client have the zone, with what it signed with (NULL: it did not). */
bool transfer_terms_allow(const struct transfer_terms *terms, const struct transfer_zone *zone,
			  const struct address *client, const struct tsig_key *key);

#endif
