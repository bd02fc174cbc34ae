/* Whether a reverse name may be had by a subscription, as Azure sees it: who names an address of
 * his own after somebody else's host could pass for him. A name belongs to the subscription when it
 *
 *     is the forward name of one of its addresses or services              owned at once
 *     leads to one by CNAMEs                                               asked
 *     leads by CNAMEs and A to a static address, or a service's            asked
 *
 * It is asked as the default resolver sees it, never through a network's zones or rules, unless
 * reverse.resolve_in names the network whose view counts: whoever may link a zone could claim any
 * name. It is checked when a name is set, and never again. */
#ifndef SLUICE_OWNERSHIP_H
#define SLUICE_OWNERSHIP_H

#include "resolver/control/resource/inventory.h"
#include "resolver/server/server.h"

enum { OWNERSHIP_MS = 3000, OWNERSHIP_REASON_MAX = 320 };

enum ownership {
	OWNERSHIP_OWNED,
	OWNERSHIP_FOREIGN,
	OWNERSHIP_UNRESOLVED, /* it could not be found out; there is a reason */
};

struct ownership_question {
	const char *name;         /* with or without the final dot */
	const char *subscription; /* as ownership_subscription has it */
	/* The address or service that is to have the name, as the change will make it. */
	const char *id;         /* NULL: it is not there yet */
	const char *fqdn;       /* NULL: none */
	struct address address; /* family 0: not static, or not known yet */
};

/* Its subscription; resource NULL: the one that everything without its own belongs to.
 * Never NULL: all zeros where the configuration has none. */
const char *ownership_subscription(const struct inventory *inventory,
				   const struct owned_resource *resource);
bool ownership_is_of(const struct inventory *inventory, const struct owned_resource *resource,
		     const char *subscription);

/* Whether the name is the forward name of an address or service of that subscription, for which
 * nobody has to be asked. */
bool ownership_is_forward(struct inventory *inventory, const char *subscription, const char *name);

/* Calls on_known once, within OWNERSHIP_MS and perhaps before it returns. `reason` is NULL but for
 * OWNERSHIP_UNRESOLVED. The question is copied. ERR_INVALID for what is no domain name, ERR_NOMEM:
 * on_known is not called then. A server that stops ends it as OWNERSHIP_UNRESOLVED. */
MUST_CHECK int ownership_check(struct inventory *inventory, struct server *server,
			       const struct ownership_question *question,
			       void (*on_known)(void *context, enum ownership ownership,
						const char *reason),
			       void *context);

#endif
