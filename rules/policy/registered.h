/* What machines have registered: a policy has it beside its private zones, as it has what we own.
 *
 *     network interfaces, links with registration ─► registered_make ─► a zone's layers, its PTRs
 *     updates (resolver/update) ─► registered_put ──────────────────────┘    and reverse records
 *
 * Each private zone that has a link with registration gets, for every machine in the networks that
 * are linked so, the A and AAAA records of its name; and each of the addresses its PTR, which only
 * these networks see. A machine is a network interface that is the first of its machine and of no
 * private endpoint. It is called by its label, else by the interface's name if that can be a label.
 *
 * What clients have registered by DNS UPDATE, in a zone that `registration` names, is below that: a
 * machine's own set takes precedence, as the zone's does over both. Its PTRs, and what stands
 * beside them, are seen in all networks that the zone is linked to, within the prefixes that the
 * setting has: there the reverse tree is ours, with a SOA at each cut.
 *
 * A client that is not told where to send takes the zone from a SOA, and sends to the address of
 * its MNAME. So a zone that clients register in, and each cut, has the name server ns.<apex> in its
 * SOA and NS, unless it has a SOA, or NS, of its own. The name server has no record: its address is
 * that of the endpoint that was asked, and nobody may register under its name.
 *
 *     the zone's own ─┬─► base.served, which goes out by transfer ─┬─► layers.served
 *     the SOA ────────┘     NS, machines, updates ─────────────────┘
 *
 * Where the model has no such zone any more, or no `registration` for it, what clients have
 * registered there rests: nobody sees it, and it is served again with the next model that has both.
 *
 * A table never changes once it is served; the next one shares with it what is the same. Azure
 * registers A records alone. */
#ifndef SLUICE_REGISTERED_H
#define SLUICE_REGISTERED_H

#include <stdatomic.h>
#include <stdbool.h>

#include "rules/owned/owned.h"
#include "rules/schema/model.h"
#include "rules/zone/overlay.h"

enum { REGISTERED_TTL_S = 10 }; /* as in Azure */

struct registered_cut { /* of the reverse tree */
	struct prefix prefix;
	struct zone *apex; /* at or above the prefix; it has nothing but SOA and NS */
};

struct registered_zone {
	const char *name;          /* full: "corp.internal", "dev/corp.internal"; in the table */
	struct zone_layers base;   /* registered: a SOA alone; all NULL: clients may not register */
	struct zone_layers layers; /* registered: `machines` with `updates` below */
	struct zone *machines, *updates;
	struct zone *reverse[2]; /* what clients have registered in in-addr.arpa, ip6.arpa */
	struct owned *ptrs;      /* of the machines' addresses */
	struct registered_cut *cuts;
	size_t cut_count;
};

struct registered {
	atomic_uint references;
	uint64_t print; /* of all machines and links; never 0 */
	/* In the model's order, those in which something registers; behind them those that rest,
	 * which have nothing but their names, `updates` and `reverse`. */
	size_t count, resting;
	struct registered_zone zones[];
};

/* Of a model that was found good, with one reference, the caller's. `before`: what was made of
 * another model with that key, or NULL. NULL without memory. */
struct registered *registered_make(const struct model *model, const struct hash_key *key,
				   struct registered *before);
struct registered *registered_ref(struct registered *registered);
void registered_unref(struct registered *registered); /* NULL is fine */

/* The same once more, to be changed before it is served; NULL without memory. */
struct registered *registered_copy(const struct registered *registered);
/* What clients have registered becomes these versions of `updates` and `reverse` in the zone with
 * that place of such a copy; NULL: as before. ERR_NOMEM: nothing has changed. */
MUST_CHECK int registered_put(struct registered *copy, size_t place, struct zone *updates,
			      struct zone *const reverse[2]);
/* Whether the name is that of the name server of the zone with this apex. */
bool registered_is_server(const struct name *name, const struct name *apex);
/* Whether a query for the name, below the apex of a zone that clients register in, gets the address
 * of the zone's name server: the zone's own records for it take precedence, and so does a DNAME of
 * the apex. `served`: all that the zone answers with. */
bool registered_has_server(const struct zone *served, const struct name *name);
/* Whether something may register in the zone, so that the table has it. */
bool registered_in(const struct model *model, const struct private_zone *zone);
/* The digest (rules/zone/serial.h) of the zone as it goes out: where clients may register, and it
 * has no SOA of its own, with one that has a name server. */
uint64_t registered_digest(const struct model *model, const struct private_zone *zone);
/* NULL: nothing registers in the zone of that full name. */
const struct registered_zone *registered_find(const struct registered *registered,
					      const char *name);
/* An address of a machine in a zone that it registers in. */
struct machine {
	const struct private_zone *zone;
	const char *label; /* what it is called there */
	struct address address;
	const struct network_interface *interface;
};
/* All of a model: by zone, label and address. *machines is to be freed. ERR_NOMEM. */
MUST_CHECK int registered_machines(const struct model *model, struct machine **machines,
				   size_t *count);

/* What the machine of the interface is called; NULL: it has no name, so it is not registered. */
const char *registered_label(const struct network_interface *interface);
/* The network that the interface is in; NULL: in none. */
const struct virtual_network *registered_network(const struct model *model,
						 const struct network_interface *interface);

#endif
