/* Whether a subscription may use a reverse name, by Azure's rules: otherwise somebody could give
 * his own address the name of another's host and pass for that host. A name belongs to the
 * subscription in three cases; only the first needs no DNS question:
 *
 *     the name is the forward name of one of its addresses or services
 *     the name leads to such a forward name by CNAMEs
 *     the name leads by CNAMEs and A (reverse.ipv6: or AAAA) to a static address of the
 *       subscription, or to the address of one of its services
 *
 * The default resolver answers the questions. Zones and rules of a network answer them only if
 * reverse.resolve_in names the network, because whoever may link a zone to it could claim any name.
 * A name is checked when it is set, and never again. */
#ifndef SLUICE_OWNERSHIP_H
#define SLUICE_OWNERSHIP_H

#include "resolver/control/resource/resources.h"
#include "resolver/server/server.h"

enum { OWNERSHIP_MS = 3000, OWNERSHIP_REASON_MAX = 320 };

enum ownership {
	OWNERSHIP_OWNED,
	OWNERSHIP_FOREIGN,
	OWNERSHIP_UNRESOLVED, /* it could not be determined; there is a reason */
};

struct ownership_question {
	const char *name;         /* with or without the final dot */
	const char *subscription; /* as ownership_subscription returns it */
	/* The address or service that gets the name, as the change will make it. */
	const char *id;         /* NULL: it does not exist yet */
	const char *fqdn;       /* NULL: none */
	struct address address; /* family 0: not static, or not known yet */
};

/* The resource's subscription; resource NULL: the default for resources without one of their own.
 * Never NULL: all zeros if the configuration has no default. */
const char *ownership_subscription(const struct resources *resources,
				   const struct owned_resource *resource);
bool ownership_is_of(const struct resources *resources, const struct owned_resource *resource,
		     const char *subscription);

/* Whether the name is the forward name of an address or service of that subscription, so that no
 * DNS question is needed. */
bool ownership_is_forward(struct resources *resources, const char *subscription, const char *name);

/* Calls on_known once, within OWNERSHIP_MS and perhaps before the return; `reason` is set only with
 * OWNERSHIP_UNRESOLVED, as when the server stops. Copies the question. Every answer begins with
 * resources_forget, as a request does. ERR_INVALID: no domain name; ERR_NOMEM. After an error
 * on_known is not called. */
MUST_CHECK int ownership_check(struct resources *resources, struct server *server,
			       const struct ownership_question *question,
			       void (*on_known)(void *context, enum ownership ownership,
						const char *reason),
			       void *context);

#endif
