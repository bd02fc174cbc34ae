/* Shared by the files of check: the state of a check, an index by name, and checks that several
 * kinds of items need. */
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

struct seen_entry {
	const char *key;
	const void *value;
};
struct seen_slot { /* small, because a probe usually misses the processor's caches */
	uint32_t hash;
	uint32_t number; /* the entry's, from 1; 0: empty */
};
/* An index of the names seen so far, without regard to ASCII case (check/seen.c). */
struct seen {
	struct seen_slot *slots;
	struct seen_entry *entries; /* in the order of seen_put; room for half as many as slots */
	size_t mask, count;
};

/* A host of one of our inbound endpoints, which a target may name. */
struct self {
	struct host host;
	const char *path;    /* "hub-resolver/inbound", "dev/hub-resolver/inbound" */
	const char *network; /* the network's full name */
	size_t order;        /* its number, as found; the first of equal hosts counts */
};

struct check {
	const struct model *model;
	struct faults *faults;
	struct arena arena; /* lives as long as the check */
	uint64_t *known;    /* versions of rulesets with good rules; sorted */
	size_t known_count;
	const struct model *before; /* a good model of the same file; NULL: none */
	bool out_of_memory;         /* something was not checked; reported at the end */

	/* Keys have the full names of networks and rulesets. */
	struct seen endpoint_subnets; /* "NETWORK SUBNET" -> struct origin of its endpoint */
	struct seen zone_names;       /* "corp.test." -> a struct private_zone of this name */
	struct seen zone_networks;    /* "ZONE NETWORK" -> struct private_zone linked there */
	struct seen zone_passes;      /* the same for links that pass on missing names */
	struct seen ruleset_networks; /* "RULESET NETWORK" -> struct ruleset_link */
	struct self *selves;          /* by host */
	size_t self_count;
	struct prefix_table subnets; /* endpoints' subnets; value: index into subnet_origins */
	const struct origin **subnet_origins;
	struct prefix_table pools;  /* value: index of the address pool */
	struct prefix_table spaces; /* address spaces; value: index of the network */
};

/* Puts the value under a copy of the key, unless the key has one already. Returns the existing
 * value, or NULL. Values must not be NULL. */
const void *seen_put(struct check *check, struct seen *seen, const char *key, const void *value);
const void *seen_get(const struct seen *seen, const char *key);
/* Makes room for `count` keys in an empty index, which otherwise grows with its keys. */
void seen_reserve(struct check *check, struct seen *seen, size_t count);
/* The counter under key, 0 at first; NULL without memory. */
uint32_t *seen_counter(struct check *check, struct seen *seen, const char *key);
/* Makes the key "a b". Never NULL: without memory it is "", and out_of_memory is set. */
const char *seen_pair(struct check *check, const char *a, const char *b);

#define ERROR(check, origin, field, ...)                                                           \
	fault_add((check)->faults, FAULT_ERROR, origin, field, __VA_ARGS__)
/* An error because of a limit, by its key in `limits`, which would have to be `needed`. */
#define LIMIT_ERROR(check, key, needed, origin, field, ...)                                        \
	do {                                                                                       \
		ERROR(check, origin, field, __VA_ARGS__);                                          \
		fault_needs((check)->faults, key, needed);                                         \
	} while (0)
#define WARN(check, origin, field, ...)                                                            \
	fault_add((check)->faults, FAULT_WARNING, origin, field, __VA_ARGS__)

/* Whether a list was given and is empty. For a missing list that is required, the reader adds the
 * fault. */
#define IS_EMPTY(list) ((list).items && (list).count == 0)

/* Checks metadata: "NAME=VALUE" each, no name twice, at most 50 (check/tags.c). */
void check_metadata(struct check *check, const char *const *metadata, size_t count,
		    const struct origin *origin, const char *field);
/* Whether the ruleset's rules were found good earlier. */
bool check_is_known(const struct check *check, const struct forwarding_ruleset *ruleset);
/* The place of another item: "FILE:12", or its path if it is from no file. The place is "elsewhere"
 * if there is neither, or no memory. */
const char *check_place(struct check *check, const struct origin *origin);
/* Adds a fault if an item of this name was seen before. NULL names have a fault already. */
void check_unique(struct check *check, struct seen *seen, const char *name,
		  const struct origin *origin, const char *what);
/* The same for an item at the top, whose name is unique in its resource group. Also adds a fault if
 * the group's name is invalid. */
void check_top(struct check *check, struct seen *seen, const struct named *item, const char *what);
/* The same for an item whose name, in this field, is unique over all groups. */
void check_overall(struct check *check, struct seen *seen, const char *name, const char *group,
		   const struct origin *origin, const char *field, const char *what);
/* Adds a fault if the group's name is invalid. NULL: no group is given. */
void check_group(struct check *check, const char *group, const struct origin *origin);
/* Adds a fault at the first item over the limit. `key` is the limit's. */
void check_count(struct check *check, size_t count, uint32_t limit, const struct origin *over,
		 const char *field, const char *key);
/* The network that an item of this group refers to. NULL: text is NULL, or it does not refer to
 * exactly one, which adds a fault. */
const struct virtual_network *check_network(struct check *check, const char *group,
					    const char *text, const struct origin *origin,
					    const char *field);
bool check_same_region(const struct check *check, const char *a, const char *b);
const char *check_region_text(const struct check *check, const char *own);
/* The delegation of endpoints' subnets, and only of these. */
#define ENDPOINT_DELEGATION "Microsoft.Network/dnsResolvers"
bool check_is_delegated(const struct subnet *subnet);
/* Whether an address of an IPv4 prefix is reserved: the first four and the last are. */
bool check_is_reserved(const struct prefix *prefix, const struct address *address);
/* Whether a zone of this name, in normal form, is linked to the network and decides all names below
 * it there. */
bool check_zone_decides(struct check *check, const char *zone, const char *network);
/* The inbound endpoint that this target is, or NULL; only after check_index_selves. */
const struct self *check_self(const struct check *check, const struct target_server *target);
void check_index_selves(struct check *check);
/* The suffix of a name in normal text form after its first label; NULL after the root. */
const char *check_parent(const char *suffix);
/* Reads a domain name in normal form, without hashes; false: it is none. */
bool check_name(struct name *name, const char *text);
/* The name in normal form, so that "key." and "KEY" are equal; the text itself if it is no name. */
const char *check_normal_name(struct check *check, const char *text);
/* An item for check_overlaps, which sorts the items and adds a fault for each prefix that lies
 * inside another one or repeats it. */
struct placed_prefix {
	struct prefix prefix;
	const struct origin *origin;
	const char *field; /* may be NULL */
	const char *what;  /* the item with the prefix: "subnet dns-in" */
};
void check_overlaps(struct check *check, struct placed_prefix *items, size_t count);

/* Adds a fault for a host that cannot be asked: unspecified, multicast, broadcast or the VNet
 * resolver itself. */
void check_server(struct check *check, const struct host *host, const struct origin *origin,
		  const char *field);
/* Checks targets: at least one, no duplicates, and each of them can be asked. */
void check_targets(struct check *check, const struct target_server *targets, size_t count,
		   const struct origin *owner, const char *field);

/* Fills check->pools and check->spaces. */
void check_index_pools(struct check *check);
/* Like pools_refusal, with the indexes of this check; only after limits_check_endpoints and
 * check_index_pools. */
const char *check_own_address(const struct check *check, const struct address *address,
			      const char *region, char text[POOLS_TEXT_MAX]);

/* One check for each kind of item. The order matters: later checks use indexes of earlier ones. */
void limits_check_networks(struct check *check);     /* check/network.c */
void limits_check_endpoints(struct check *check);    /* check/endpoint.c */
void limits_check_listens(struct check *check);      /* check/listen.c */
void limits_check_zones(struct check *check);        /* check/zone.c */
void limits_check_rulesets(struct check *check);     /* check/ruleset.c */
void limits_check_interfaces(struct check *check);   /* check/interface.c */
void limits_check_addresses(struct check *check);    /* check/address.c */
void limits_check_transfers(struct check *check);    /* check/transfer.c */
void limits_check_registration(struct check *check); /* check/registration.c */
void limits_check_tags(struct check *check);         /* check/tags.c: of all items */
void limits_check_settings(struct check *check);     /* check/settings.c */
void limits_warn(struct check *check);               /* check/warn.c */
void limits_warn_loops(struct check *check);         /* check/loop.c */

#endif
