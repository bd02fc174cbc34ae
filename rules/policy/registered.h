/* Registered records: a policy has them beside its private zones, like the table of our addresses.
 *
 *     network interfaces, links with registration ─► registered_make ─► a zone's layers, its PTRs
 *     updates (resolver/update) ─► registered_put ──────────────────────┘    and reverse records
 *
 * Each private zone that has links with registration gets the A and AAAA records of every machine
 * in these linked networks, and each address gets a PTR, which only the machine's network sees. A
 * machine is a primary network interface that belongs to no private endpoint. Its name is its
 * label, else the interface's name if that can be a label.
 *
 * Clients register by DNS UPDATE in a zone that `registration` names. Sets of machines take
 * precedence over these records, and the zone's own sets over both. All networks that the zone is
 * linked to see the clients' PTRs and the records beside them, within the prefixes of the setting:
 * there the reverse tree is ours, with a SOA at each cut.
 *
 * A client without a configured server takes the zone from a SOA, and sends to the address of its
 * MNAME. So a zone in which clients register, and each cut, has the name server ns.<apex> in its
 * SOA and NS, unless it has its own SOA or NS. The name server has no record: its address is that
 * of the asked endpoint, and no client may register under its name.
 *
 *     the zone's own ─┬─► base.served, which is transferred ───────┬─► layers.served
 *     the SOA ────────┘     NS, machines, updates ─────────────────┘
 *
 * If the model loses such a zone, or its `registration`, the records that clients have registered
 * there rest: they are not served, until a model has both again.
 *
 * A table never changes once it is served; the next one shares the equal parts. Azure registers
 * only A records. */
#ifndef SLUICE_REGISTERED_H
#define SLUICE_REGISTERED_H

#include <stdatomic.h>
#include <stdbool.h>

#include "rules/owned/owned.h"
#include "rules/schema/model.h"
#include "rules/zone/overlay.h"

enum { REGISTERED_TTL_S = 10 }; /* as in Azure */

struct registered_cut { /* a cut of the reverse tree */
	struct prefix prefix;
	struct zone *apex; /* at or above the prefix; has only SOA and NS */
};

struct registered_zone {
	const char *name; /* the full name, "corp.internal" or "dev/corp.internal"; in the table */
	struct zone_layers base;   /* registered: only a SOA; all NULL: clients may not register */
	struct zone_layers layers; /* registered: `machines`, with `updates` below */
	struct zone *machines, *updates;
	struct zone *reverse[2]; /* clients' records in in-addr.arpa and ip6.arpa */
	struct registered_cut *cuts;
	size_t cut_count;
};

struct registered {
	atomic_uint references;
	uint64_t print; /* hash of all machines, links and zones of `registration`; never 0 */
	/* Zones with registration, in the model's order; after them resting zones, which have only
	 * their names, `updates` and `reverse`. */
	size_t count, resting;
	/* The PTRs of each network's machines, by the network's index in the model; an item NULL:
	 * none register. */
	struct owned **ptrs;
	size_t network_count;
	struct registered_zone zones[];
};

/* Makes the table of a good model, with one reference for the caller. `before`: the table of
 * another model with the same key, or NULL. NULL without memory. */
struct registered *registered_make(const struct model *model, const struct hash_key *key,
				   struct registered *before);
struct registered *registered_ref(struct registered *registered);
void registered_unref(struct registered *registered); /* NULL is fine */

/* A copy that may be changed before it is served; NULL without memory. */
struct registered *registered_copy(const struct registered *registered);
/* Puts versions of `updates` and `reverse` into the zone at this index of a copy; NULL: unchanged.
 * ERR_NOMEM: nothing has changed. */
MUST_CHECK int registered_put(struct registered *copy, size_t place, struct zone *updates,
			      struct zone *const reverse[2]);
/* Whether the name is the name server's of the zone with this apex. */
bool registered_is_server(const struct name *name, const struct name *apex);
/* Whether a query for the name, below the apex of a zone in which clients register, gets the
 * address of the zone's name server. The zone's own records for the name and a DNAME at the apex
 * take precedence. `served`: the zone as it answers. */
bool registered_has_server(const struct zone *served, const struct name *name);
/* Whether the table has the zone, because machines or clients may register in it. */
bool registered_in(const struct model *model, const struct private_zone *zone);
/* The digest (rules/zone/serial.h) of the zone in transfers. If clients may register in it and it
 * has no SOA of its own, this includes a SOA with the name server. */
uint64_t registered_digest(const struct model *model, const struct private_zone *zone);
/* NULL: there is no registration in the zone with this full name. */
const struct registered_zone *registered_find(const struct registered *registered,
					      const char *name);
/* A machine's address in a zone in which it registers. */
struct machine {
	const struct private_zone *zone;
	const struct virtual_network *network;
	const char *label; /* its name in the zone */
	struct address address;
	const struct network_interface *interface;
};
/* All machines of a model, sorted by zone, label and address. Free *machines. ERR_NOMEM: *machines
 * is NULL, and *count is 0. */
MUST_CHECK int registered_machines(const struct model *model, struct machine **machines,
				   size_t *count);

/* The label of the interface's machine; NULL: it has none, so it is not registered. */
const char *registered_label(const struct network_interface *interface);
/* The interface's network; NULL: none. */
const struct virtual_network *registered_network(const struct model *model,
						 const struct network_interface *interface);

#endif
