/* The reverse zones that address pools make appear by themselves: for every prefix the zones that
 * hold its addresses and nothing else.
 *
 *     198.51.100.0/24     100.51.198.in-addr.arpa              one octet's
 *     198.51.102.0/23     102.51.198.in-addr.arpa, 103....     not at an octet: a zone for each
 *     198.51.100.64/26    64-127.100.51.198.in-addr.arpa       RFC 2317: the octet has other owners
 *     198.51.100.7/32     7.100.51.198.in-addr.arpa            an address's own name
 *     2001:db8::/46       0.0.0.0.8.b.d.0.1.0.0.2.ip6.arpa     nibbles; IPv6 has no RFC 2317
 *                         1..., 2..., 3...
 *
 * No zone holds an address outside of the pool it is made for, so pools that do not overlap never
 * share one. The names that addresses have in the tree itself, 70.100.51.198.in-addr.arpa, are not
 * in a classless zone: its owner's parent has a CNAME there for each, which leads into it. */
#ifndef SLUICE_REVERSE_ZONES_H
#define SLUICE_REVERSE_ZONES_H

#include <stdbool.h>
#include <stdint.h>

#include "rules/name.h"
#include "rules/prefix.h"
#include "rules/schema/model.h"

struct reverse_zone { /* the texts are good until the callback returns */
	const struct address_pool *pool;
	struct prefix prefix; /* the addresses that it holds */
	const char *origin;   /* absolute: with the final dot */
	/* Of a classless zone, where an address's name is its last octet: "70.64-127.100....". */
	bool classless;
	/* A classless zone by the prefix's length, "64-26.100...", as others write it. Questions
	 * may use it like the origin. NULL: not classless, or the pool says its zone's name. */
	const char *alias;
};

/* Calls back for every zone of one pool, by address; at most 256. A return that is not zero stops
 * the walk and is returned. The pool's `zone`, if it has one, is a name that limits_check passed.
 */
int reverse_each_pool_zone(const struct address_pool *pool,
			   int (*on_zone)(void *context, const struct reverse_zone *zone),
			   void *context);
/* Of every pool, in the model's order; each zone once. */
int reverse_each_zone(const struct model *model,
		      int (*on_zone)(void *context, const struct reverse_zone *zone),
		      void *context);

/* Whether one of them has that name, in either spelling. */
bool reverse_has_zone(const struct model *model, const struct name *name);

/* Whether a pool of this prefix can have a classless zone: IPv4, and longer than an octet's. */
bool reverse_is_within_octet(const struct prefix *prefix);
/* The zone of the octet that it is a part of: "100.51.198.in-addr.arpa."; returns text. */
char *reverse_octet_zone_text(const struct prefix *prefix, char text[NAME_TEXT_MAX]);
/* Why the pool's classless zone cannot have this name; NULL when it can: one label below the zone
 * of the pool's octet, and not the name of an address. Returns text, or a constant. */
const char *reverse_zone_refusal(const struct prefix *prefix, const char *zone,
				 char text[NAME_TEXT_MAX]);

#endif
