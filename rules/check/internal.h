/* What the files of this room share: one check's state, an index by name, and the checks that
 * several nouns need. */
#ifndef SLUICE_CHECK_INTERNAL_H
#define SLUICE_CHECK_INTERNAL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "rules/arena.h"
#include "rules/check/limits.h"
#include "rules/check/pools.h"
#include "rules/fault.h"
#include "rules/name.h"
#include "rules/prefix.h"
#include "rules/schema/model.h"
#include "rules/schema/reference.h"

/* Names seen so far, each with what it stands for; ASCII case does not matter (check/seen.c). */
struct seen_slot {
	char *key; /* NULL: empty */
	uint64_t hash;
	const void *value;
};
struct seen {
	struct seen_slot *slots;
	size_t mask, count;
};

/* An inbound endpoint as a target may mean it. */
struct self {
	struct host host;
	const char *path;    /* "hub-resolver/inbound", "dev/hub-resolver/inbound" */
	const char *network; /* by its full name */
	size_t order;        /* in which it was found; of one host the first counts */
};

struct check {
	const struct model *model;
	struct faults *faults;
	struct arena arena; /* lives as long as the check */
	uint64_t *known;    /* versions of rulesets whose rules are good; sorted */
	size_t known_count;
	const struct model *before; /* of the same file, and found good; NULL: there is none */
	bool out_of_memory;         /* something was not looked at; said at the end */

	/* Networks and rulesets are here by their full names. */
	struct seen endpoint_subnets; /* "NETWORK SUBNET" -> struct origin of its endpoint */
	struct seen zone_names;       /* "corp.test." -> a struct private_zone so named */
	struct seen zone_networks;    /* "ZONE NETWORK" -> struct private_zone linked there */
	struct seen zone_passes;      /* likewise, of those that pass on what they do not have */
	struct seen ruleset_networks; /* "RULESET NETWORK" -> struct ruleset_link */
	struct self *selves;          /* by host */
	size_t self_count;
	struct prefix_table subnets; /* of endpoints; value: index into subnet_origins */
	const struct origin **subnet_origins;
	struct prefix_table pools;  /* value: index of the address pool */
	struct prefix_table spaces; /* address spaces; value: index of the network */
};

/* Remembers value under key, which is copied, unless there is one already: that one comes back,
 * else NULL. Values are never NULL. */
const void *seen_put(struct check *check, struct seen *seen, const char *key, const void *value);
const void *seen_get(const struct seen *seen, const char *key);
/* Makes room for so many keys in an empty index, which otherwise grows as they come. */
void seen_reserve(struct check *check, struct seen *seen, size_t count);
/* A counter under key; NULL without memory. */
uint32_t *seen_counter(struct check *check, struct seen *seen, const char *key);
/* A key of two parts: "a b". Never NULL; without memory it is the empty string, and noted. */
const char *seen_pair(struct check *check, const char *a, const char *b);

#define ERROR(check, origin, field, ...)                                                           \
	fault_add((check)->faults, FAULT_ERROR, origin, field, __VA_ARGS__)
/* Because of a limit, by its key in `limits`, which would have to be `needed`. */
#define LIMIT_ERROR(check, key, needed, origin, field, ...)                                        \
	do {                                                                                       \
		ERROR(check, origin, field, __VA_ARGS__);                                          \
		fault_needs((check)->faults, key, needed);                                         \
	} while (0)
#define WARN(check, origin, field, ...)                                                            \
	fault_add((check)->faults, FAULT_WARNING, origin, field, __VA_ARGS__)

/* A list that was given and has nothing in it. One that was not given has its fault from the reader
 * where it is required. */
#define IS_EMPTY(list) ((list).items && (list).count == 0)

/* "NAME=VALUE" each, no name twice, at most 50 (check/tags.c). */
void check_metadata(struct check *check, const char *const *metadata, size_t count,
		    const struct origin *origin, const char *field);
/* Whether the ruleset's rules were found good before. */
bool check_is_known(const struct check *check, const struct forwarding_ruleset *ruleset);
/* "line 12" or "the one at FILE:12": where the other of two stands. */
const char *check_place(struct check *check, const struct origin *origin);
/* A fault when an item of that name was there before. NULL names have their fault already. */
void check_unique(struct check *check, struct seen *seen, const char *name,
		  const struct origin *origin, const char *what);
/* The same of an item at the top, whose name is unique in its resource group. And a fault where no
 * group can be called that. */
void check_top(struct check *check, struct seen *seen, const struct named *item, const char *what);
/* The same of an item whose name, in that field, is unique over all groups. */
void check_overall(struct check *check, struct seen *seen, const char *name, const char *group,
		   const struct origin *origin, const char *field, const char *what);
/* A fault where no group can be called that; NULL: none is given. */
void check_group(struct check *check, const char *group, const struct origin *origin);
/* A fault at the first item over the limit. `key` is the limit's. */
void check_count(struct check *check, size_t count, uint32_t limit, const struct origin *over,
		 const char *field, const char *key);
/* What an item of that group refers to; NULL, and a fault, where that is not one network. */
const struct virtual_network *check_network(struct check *check, const char *group,
					    const char *text, const struct origin *origin,
					    const char *field);
bool check_same_region(const struct check *check, const char *a, const char *b);
const char *check_region_text(const struct check *check, const char *own);
/* The delegation of subnets of endpoints, and of no others. */
#define ENDPOINT_DELEGATION "Microsoft.Network/dnsResolvers"
bool check_is_delegated(const struct subnet *subnet);
/* Whether an address of an IPv4 prefix is reserved: the first four are, and the last. */
bool check_is_reserved(const struct prefix *prefix, const struct address *address);
/* Whether a zone of that name, in normal form, is linked to the network and decides all names below
 * its own there. */
bool check_zone_decides(struct check *check, const char *zone, const char *network);
/* The inbound endpoint that this target is, or NULL; behind limits_warn's index of them. */
const struct self *check_self(const struct check *check, const struct target_server *target);
void check_index_selves(struct check *check);
/* The next suffix of a name in normal text form, behind its first label; NULL behind the root. */
const char *check_parent(const char *suffix);
/* Reads a domain name in normal form, without hashes; false when it is not one. */
bool check_name(struct name *name, const char *text);
/* The name in normal form, so that "key." and "KEY" are one; the text itself where it is none. */
const char *check_normal_name(struct check *check, const char *text);
/* Neighbours in a sorted list of prefixes that overlap, one fault each. */
struct placed_prefix {
	struct prefix prefix;
	const struct origin *origin;
	const char *field; /* may be NULL */
	const char *what;  /* what is at the prefix: "subnet dns-in" */
};
void check_overlaps(struct check *check, struct placed_prefix *items, size_t count);

/* Whether one can ask there: not unspecified, multicast, broadcast or the VNet resolver itself.
 */
void check_server(struct check *check, const struct host *host, const struct origin *origin,
		  const char *field);
/* Targets: at least one, each of them once, and one that can be asked. */
void check_targets(struct check *check, const struct target_server *targets, size_t count,
		   const struct origin *owner, const char *field);

/* Fills check->pools and check->spaces; behind limits_check_endpoints. */
void check_index_pools(struct check *check);
/* pools_refusal, of a check that has both. */
const char *check_own_address(const struct check *check, const struct address *address,
			      const char *region, char text[POOLS_TEXT_MAX]);

/* One per noun, in this order: the later ones use what the earlier ones have indexed. */
void limits_check_networks(struct check *check);     /* check/network.c */
void limits_check_endpoints(struct check *check);    /* check/endpoint.c */
void limits_check_listens(struct check *check);      /* check/listen.c */
void limits_check_zones(struct check *check);        /* check/zone.c */
void limits_check_rulesets(struct check *check);     /* check/ruleset.c */
void limits_check_interfaces(struct check *check);   /* check/interface.c */
void limits_check_addresses(struct check *check);    /* check/address.c */
void limits_check_transfers(struct check *check);    /* check/transfer.c */
void limits_check_registration(struct check *check); /* check/registration.c */
void limits_check_tags(struct check *check);         /* check/tags.c: of everything */
void limits_check_settings(struct check *check);     /* check/settings.c */
void limits_warn(struct check *check);               /* check/warn.c */
void limits_warn_loops(struct check *check);         /* check/loop.c */

#endif
