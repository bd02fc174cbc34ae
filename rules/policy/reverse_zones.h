/* The reverse zones of address pools, which exist automatically: for every prefix the zones that
 * have exactly its addresses.
 *
 *     198.51.100.0/24     100.51.198.in-addr.arpa              one octet's
 *     198.51.102.0/23     102.51.198.in-addr.arpa, 103....     no octet boundary: a zone for each
 *     198.51.100.64/26    64-127.100.51.198.in-addr.arpa       RFC 2317: others share the octet
 *     198.51.100.7/32     7.100.51.198.in-addr.arpa            an address's own name
 *     2001:db8::/46       0.0.0.0.8.b.d.0.1.0.0.2.ip6.arpa     nibbles; IPv6 has no RFC 2317
 *                         1..., 2..., 3...
 *
 * No zone has an address outside its pool, so pools that do not overlap never share a zone. The
 * usual names of addresses, 70.100.51.198.in-addr.arpa, are not in a classless zone: the parent
 * zone, which is not ours, has a CNAME for each that leads into it. */
#ifndef SLUICE_REVERSE_ZONES_H
#define SLUICE_REVERSE_ZONES_H

#include <stdbool.h>
#include <stdint.h>

#include "rules/name.h"
#include "rules/prefix.h"
#include "rules/schema/model.h"

struct reverse_zone { /* the texts are valid until the callback returns */
	const struct address_pool *pool;
	struct prefix prefix; /* the addresses in it */
	const char *origin;   /* absolute, with the final dot */
	/* In a classless zone an address's name is its last octet: "70.64-127.100....". */
	bool classless;
	/* A classless zone's other usual name, with the prefix's length: "64-26.100...". Questions
	 * may use it like the origin. NULL: not classless, the pool sets its zone's name, or both
	 * names are the same. */
	const char *alias;
};

/* Calls back for every zone of one pool, in the order of addresses; at most 256. A non-zero return
 * stops the walk and is returned. limits_check must have passed the pool's `zone`. */
int reverse_each_pool_zone(const struct address_pool *pool,
			   int (*on_zone)(void *context, const struct reverse_zone *zone),
			   void *context);
/* The same for all pools, in the model's order; each zone once. */
int reverse_each_zone(const struct model *model,
		      int (*on_zone)(void *context, const struct reverse_zone *zone),
		      void *context);

/* Whether one of these zones has the name, in either spelling. */
bool reverse_has_zone(const struct model *model, const struct name *name);

/* Whether a pool with this prefix can have a classless zone: IPv4, with a part of an octet. */
bool reverse_is_within_octet(const struct prefix *prefix);
/* The zone of the prefix's last whole octet: "100.51.198.in-addr.arpa."; returns text. */
char *reverse_octet_zone_text(const struct prefix *prefix, char text[NAME_TEXT_MAX]);
/* Why the pool's classless zone cannot have this name, in text or a constant; NULL: it can. It must
 * be one label below the zone of the pool's octet, and not the name of an address. */
const char *reverse_zone_refusal(const struct prefix *prefix, const char *zone,
				 char text[NAME_TEXT_MAX]);

#endif
