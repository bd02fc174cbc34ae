/* Who may have which zone that goes out, and with which key, as a model has it. A table and the
 * notices each hold a reference. Made and freed by the control thread; workers read. */
#ifndef SLUICE_TRANSFER_ACL_H
#define SLUICE_TRANSFER_ACL_H

#include <stdbool.h>
#include <stddef.h>

#include "resolver/transfer/tsig.h"
#include "rules/arena.h"
#include "rules/prefix.h"
#include "rules/schema/model.h"

struct transfer_zone;

struct transfer_grant {                           /* an entry of `transfers` */
	const struct transfer_settings *settings; /* in the ACL's arena */
	const struct tsig_key *key;               /* NULL: none is asked for */
};

struct transfer_acl {
	unsigned references; /* the control thread's */
	struct arena arena;
	struct tsig_key
		*keys; /* all of the model's: requests to update are signed with them, too */
	size_t key_count;
	struct transfer_grant *grants;
	size_t grant_count;
};

/* NULL without memory. The model is not needed afterwards. */
struct transfer_acl *transfer_acl_new(const struct model *model);
struct transfer_acl *transfer_acl_ref(struct transfer_acl *acl);
void transfer_acl_unref(struct transfer_acl *acl); /* NULL is fine */

/* Any thread. Whether this entry names the zone; whether any does. */
bool transfer_grant_covers(const struct transfer_grant *grant, const struct transfer_zone *zone);
bool transfer_acl_covers(const struct transfer_acl *acl, const struct transfer_zone *zone);
/* Whether an entry allows the zone to this client and the key it signed with (NULL: unsigned). */
bool transfer_acl_allows(const struct transfer_acl *acl, const struct transfer_zone *zone,
			 const struct address *client, const struct tsig_key *key);

#endif
