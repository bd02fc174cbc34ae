/* A compiled configuration and its decisions. policy_compile turns a checked model into an
 * immutable policy; policy_decide decides how a name is answered in a virtual network. Pure: no
 * sockets, no clock, no allocation while deciding. `explain` prints the trace of the same function.
 *
 *     policy (root, one arena)
 *       networks ──► linked zones (suffix table) ──► zone      shared part, counted
 *                ──► linked rulesets            ──► ruleset    shared part, counted
 *                ──► custom DNS servers (route)
 *       default route, zones of our own names, special-use zones
 *       our addresses: PTRs and own names ─────► owned      shared part, counted
 *       registered records ────────────────────► registered shared part, counted
 *
 * Networks, zones, rulesets, pools and resolvers have their full names: "hub", "dev/hub". A new
 * policy takes over the parts that a change does not touch. Our addresses change most often: then a
 * new root shares everything except that table. */
#ifndef SLUICE_POLICY_H
#define SLUICE_POLICY_H

#include <stdbool.h>
#include <stdint.h>

#include "rules/fault.h"
#include "rules/name.h"
#include "rules/owned/owned.h"
#include "rules/policy/access.h"
#include "rules/policy/registered.h"
#include "rules/policy/ruleset.h"
#include "rules/prefix.h"
#include "rules/schema/model.h"
#include "rules/suffix.h"
#include "rules/zone/zone.h"

enum {
	NETWORK_NONE = UINT32_MAX,
	NETWORK_DEFAULT = UINT32_MAX - 1, /* outside all networks: see struct place */
	NETWORK_OUTSIDE = UINT32_MAX - 2, /* the same, and without our own names */
};

enum { POLICY_ZONE_WAYS = 3 }; /* forms of a zone's link, by resolution_policy */

struct policy_zone_link { /* a zone with one resolution_policy */
	const struct zone *zone;
	uint32_t registered;      /* its index in the policy's registered zones plus 1; 0: none */
	const char *name, *group; /* the full name; its group, or NULL */
	enum resolution_policy resolution_policy;
	uint32_t series; /* the zone's number for counting queries */
};

struct policy_network {
	const char *name;
	uint16_t id;               /* unique, and the same after reloads; 0: none was left */
	struct suffix_table zones; /* struct policy_zone_link */
	/* Names above a linked zone or a registered prefix that other data of ours could deny
	 * (count_above): they are empty non-terminals. The values are not used. Names above rules
	 * are in the rulesets. */
	struct suffix_table above;
	const struct ruleset **rulesets;
	uint32_t ruleset_count;
	bool large;            /* its tables do not fit the processor's caches */
	bool no_default;       /* refuses names that nothing decides */
	struct route *custom;  /* NULL: no custom DNS servers */
	struct prefix *spaces; /* its own addresses: sorted, none within another */
	uint32_t space_count;
	uint32_t machines; /* the index of its machines' PTRs in `registered` plus 1; 0: none */
	/* Indexes of registered zones in which clients register, for reverse records. */
	const uint32_t *registrations;
	uint32_t registration_count;
};

struct policy_inbound {   /* an inbound endpoint */
	const char *name; /* "hub-resolver/inbound", "dev/hub-resolver/inbound" */
	struct address address;
	struct host listen;
	uint32_t network;
	const struct access *access; /* which clients may ask */
};

struct policy_pool_zone {     /* a reverse zone of a pool; policy/pools.c */
	struct zone *zone;    /* its apex; the PTRs are in `owned` */
	const char *pool;     /* the pool's name */
	struct prefix prefix; /* the addresses in it */
	bool classless;       /* the names in it are last octets (RFC 2317) */
};

struct policy {
	struct arena arena;
	struct hash_key key;
	struct policy_network *networks;
	uint32_t network_count;
	uint16_t last_network_id; /* the last one given out, here or by an earlier policy */
	struct policy_inbound *inbounds;
	uint32_t inbound_count;
	struct host *vnet_listens;
	uint32_t vnet_listen_count;
	const struct access *vnet_access; /* the VNet resolver's clients: all in any network */
	struct prefix_table clients;      /* VNet resolver: source -> network */
	struct route *default_route;
	struct suffix_table
		special; /* special-use zones (struct zone); empty if they are forwarded */
	struct zone **special_zones;      /* references, held even if they are not in use */
	const struct zone *resolver_arpa; /* one of them, in which all names exist (RFC 9462) */
	uint32_t special_zone_count;
	/* Zones with only an apex, because `owned` has the data: zones of the reverse trees, at the
	 * cuts around the pools, and of the suffixes of our own names. */
	struct zone *trees[2];     /* in-addr.arpa, ip6.arpa */
	struct suffix_table pools; /* struct policy_pool_zone, in pool_zones */
	struct policy_pool_zone *pool_zones;
	uint32_t pool_zone_count;
	/* For each of pool_zones the zone with its current serial; an item NULL: unchanged. The
	 * transfer table sets and owns the array, which is NULL if no serials are kept. */
	const struct zone *const *stamps;
	/* Pools with only a part of an octet, which do not own the octet's name: each address's own
	 * name is a zone. Value: the index in pool_zones of the zone that serves for all of
	 * them. */
	struct prefix_table pool_parts;
	struct suffix_table names;
	/* The zone of reverse.suffix in `names`. Names right below it are regions. NULL: none. */
	const struct zone *regions;
	/* Names without data of their own (empty non-terminals) that a special-use zone or a pool
	 * could deny: the names above a pool's zone, the suffixes in `names`, and the names above
	 * these. The values are not used. */
	struct suffix_table above;
	uint64_t apex_print; /* hash of the pools' zones' settings */
	struct owned *owned;
	uint64_t owned_print; /* hash of its model's addresses; 0: the table came from outside */
	struct registered *registered;
	struct ruleset **rulesets; /* every ruleset of the model, linked or not */
	uint32_t ruleset_count;
	struct policy_zone_link *zone_links; /* POLICY_ZONE_WAYS for each private zone */
	uint32_t private_zone_count;
	struct zone **zones; /* references held: private zones and apexes */
	uint32_t zone_count;
	/* How many policies share everything except `owned`, `registered` and `stamps`. */
	uint32_t *roots;
	const char *version, *server; /* CH TXT, NSID; NULL: nothing */
	bool details;                 /* see policy_explains_to */
	uint32_t udp_payload_max;
	struct hash_key cookie_key[2]; /* for clients' cookies; cookie_keys 0: the process's */
	unsigned cookie_keys;
	bool random_case; /* model.h, struct outbound_settings */
};

/* Compiles a model in which limits_check found no error. `before` may be NULL. Takes references on
 * the model's zones and owned table, but does not keep the model. NULL only without memory. */
struct policy *policy_compile(const struct model *model, const struct hash_key *key,
			      const struct policy *before);
/* The same, but continues from this table of registered records (NULL: from none) and not from that
 * of `before`. */
struct policy *policy_compile_with(const struct model *model, const struct hash_key *key,
				   const struct policy *before, struct registered *registered);
/* The same policy with another owned table, or other registered records of the same zones. Compiles
 * nothing, so the cost does not depend on the size of the tables. Takes references on the tables;
 * each policy is freed separately. NULL only without memory. */
struct policy *policy_with_owned(const struct policy *before, struct owned *owned,
				 struct registered *registered);
void policy_free(struct policy *policy); /* NULL is fine */
/* Whether another policy shares everything except the tables with this one. */
bool policy_is_shared(const struct policy *policy);

enum { POLICY_ROUTE_NAME = 256 }; /* holds "GROUP/RULESET/RULE" */
/* Calls back for every route that belongs to the policy and no ruleset: the default resolver's and
 * custom servers', with names as in policy_each_route. */
void policy_each_own_route(const struct policy *policy,
			   void (*on_route)(void *context, const char *name, struct route *route),
			   void *context);
/* "onprem/contoso" */
const char *policy_rule_name(const struct rule *rule, char name[POLICY_ROUTE_NAME]);
/* Calls back for every upstream of the routes of policy_each_own_route. */
void policy_each_own_upstream(struct policy *policy, void (*on_upstream)(void *, struct upstream *),
			      void *context);
/* Calls back for every route that a question can take: the default resolver's, those of networks'
 * custom DNS servers where there is a VNet resolver, and those of enabled rules of linked rulesets.
 * Its name is the one that users see: "onprem/contoso", "default resolver", "DNS servers of
 * hub". */
void policy_each_route(const struct policy *policy,
		       void (*on_route)(void *context, const char *name, const struct route *route),
		       void *context);

/* Where a query arrived: the network that resolves it, and whether the VNet resolver does. */
struct place {
	/* NETWORK_NONE: a stranger at the VNet resolver. NETWORK_DEFAULT: in no network, for our
	 * own questions: without zones and rulesets, with pools, our own and special-use names and
	 * the default resolver. NETWORK_OUTSIDE: only the default resolver, which shows how others
	 * see our names. */
	uint32_t network;
	bool vnet_resolver; /* the network's custom DNS servers count only there */
};

/* Whether the network is so large that policy_decide would wait for memory. Then, to decide several
 * names, call policy_expect for all of them before, with pass 0 and then pass 1. */
bool policy_is_large(const struct policy *policy, struct place place);
void policy_expect(const struct policy *policy, struct place place, const struct name *name,
		   unsigned pass);

/* Whether a client with this address may see the names of rules, targets and endpoints: with
 * identity.details, if it is in a network or on this machine. Family 0 (ourselves): always. */
bool policy_explains_to(const struct policy *policy, const struct address *client);
/* The place of a client at the VNet resolver: longest source prefix. */
struct place policy_place_of_client(const struct policy *policy, const struct address *source);
/* Find the item of a reference from no group (schema/reference.h): "hub", "dev/hub". NETWORK_NONE,
 * NULL: there is none, or more than one. */
uint32_t policy_find_network(const struct policy *policy, const char *text);
const struct policy_inbound *policy_find_inbound(const struct policy *policy, const char *text);
/* The id of the place's network; 0: none. */
static inline uint16_t policy_network_id(const struct policy *policy, struct place place)
{
	return place.network < policy->network_count ? policy->networks[place.network].id : 0;
}

enum verdict_kind { VERDICT_ANSWER, VERDICT_FORWARD, VERDICT_REFUSE };

/* The deciders, in the order in which they are asked. */
#define DECIDED_MAP(X)                                                                             \
	X(NOBODY, "nobody", "nobody")                                                              \
	X(CUSTOM, "custom", "custom DNS servers")                                                  \
	X(ZONE, "zone", "private zone")                                                            \
	X(ADDRESS, "address", "address of the network")                                            \
	X(RULE, "rule", "rule")                                                                    \
	X(POOL, "pool", "address pool")                                                            \
	X(NAME, "name", "own name")                                                                \
	X(SPECIAL, "special", "special-use name")                                                  \
	X(DEFAULT, "default", "default resolver")
enum decided_by {
#define X(name, word, text) DECIDED_##name,
	DECIDED_MAP(X)
#undef X
};
const char *decided_word(enum decided_by by); /* for programs */
const char *decided_text(enum decided_by by); /* for people */

enum answered_as {
	AS_ZONE,   /* with the zone's SOA */
	AS_NAME,   /* only the name is ours: the SOA of a negative answer has this name */
	AS_SERVER, /* NODATA, but it is a name server's name (registered.h), with the address of the
		      asked endpoint */
};

struct verdict {
	enum verdict_kind kind;
	enum decided_by by;
	const char *object;        /* the zone's, rule's, network's or pool's name; may be NULL */
	struct zone_answer answer; /* ANSWER */
	enum answered_as as;       /* ANSWER */
	const struct route *route; /* FORWARD */
	const struct rule *rule;   /* FORWARD by a rule, else NULL */
	bool redirected;           /* FORWARD by NxDomainRedirect */
	uint32_t zone;             /* by a private zone: its link's series */
};

/* The steps of a decision, for people. Its size is fixed; further steps are only counted. */
#define TRACE_MAP(X)                                                                               \
	X(MATCHED, "matches, and decides")                                                         \
	X(SHORTER, "matches, but a longer suffix does too")                                        \
	X(LATER, "matches, but an earlier ruleset has a rule for the same domain")                 \
	X(PASSED, "does not have the name, and passes it on")                                      \
	X(SHADOWED, "would match, but something earlier decides")                                  \
	X(DISABLED, "matches, but is disabled")                                                    \
	X(RESERVED, "is reserved: shorter rules do not match")                                     \
	X(NOT_FOUND, "has nothing for this name")                                                  \
	X(ELSEWHERE, "is that of a private address, and answered in its network only")             \
	X(NONE, "there is none")
enum trace_outcome {
#define X(name, text) TRACE_##name,
	TRACE_MAP(X)
#undef X
};
struct trace_step {
	enum decided_by by;
	enum trace_outcome outcome;
	const char *object; /* zone, rule, network, pool; may be NULL */
	const char *ruleset;
	unsigned label; /* the label of the name where the suffix starts */
};
enum { TRACE_STEPS = 160 };
struct trace {
	struct trace_step steps[TRACE_STEPS];
	unsigned count, dropped;
};

/* Decides in this order: custom DNS servers (VNet resolver only), linked zone, address of the
 * network, ruleset, pools, own names, special-use names, default resolver. trace may be NULL. */
void policy_decide(const struct policy *policy, struct place place, const struct name *name,
		   uint16_t type, struct verdict *verdict, struct trace *trace);

#endif
