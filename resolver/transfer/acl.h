/* Which clients may transfer which zone, with which key, according to a model. References are held
 * by every transfer table and by the list of secondaries (control/service/secondary.c). The control
 * thread makes and frees it; workers read. */
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
	const struct transfer_settings *settings; /* a copy in the ACL's arena */
	const struct tsig_key *key;               /* NULL: no key is needed */
	const char **names; /* the zones, as transfer_zone.text has them; sorted */
	size_t name_count;
	bool every; /* `zones` has "*" */
};

struct transfer_acl {
	unsigned references; /* the control thread's */
	struct arena arena;
	struct tsig_key *keys; /* all keys of the model by name, also for requests to update */
	size_t key_count;
	struct transfer_grant *grants;
	size_t grant_count;
};

/* Keeps nothing of the model. NULL without memory. */
struct transfer_acl *transfer_acl_new(const struct model *model);
struct transfer_acl *transfer_acl_ref(struct transfer_acl *acl);
void transfer_acl_unref(struct transfer_acl *acl); /* NULL is fine */

/* Whether this entry, or any entry, names the zone. Any thread. */
bool transfer_grant_covers(const struct transfer_grant *grant, const struct transfer_zone *zone);
bool transfer_acl_covers(const struct transfer_acl *acl, const struct transfer_zone *zone);
/* Whether an entry allows the zone to this client with the key of its signature (NULL:
 * unsigned). */
bool transfer_acl_allows(const struct transfer_acl *acl, const struct transfer_zone *zone,
			 const struct address *client, const struct tsig_key *key);

#endif
