/* A compiled configuration and what it decides. compile() turns a checked model into an immutable
 * policy; policy_decide() says who answers a name in a virtual network. Pure: no sockets, no clock,
 * no allocation while deciding. `explain` prints the trace of this same function.
 *
 *     policy (root, one arena)
 *       networks ──► linked zones (suffix table) ──► zone      shared part, counted
 *                ──► linked rulesets            ──► ruleset    shared part, counted
 *                ──► custom DNS servers (route)
 *       default route, where our own names are, special-use zones
 *       what we own: PTRs and own names ───────► owned      shared part, counted
 *       what machines have registered ─────────► registered shared part, counted
 *
 * Networks, zones, rulesets, pools and resolvers are here by their full names: "hub", "dev/hub".
 * Parts that a change does not touch are taken over from the policy before. What we own changes
 * more often than all else: then there is another root that shares everything but that table. */
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
	NETWORK_OUTSIDE = UINT32_MAX - 2, /* likewise, and without what is ours */
};

enum { POLICY_ZONE_WAYS = 3 }; /* in which networks see a zone: by resolution_policy */

struct policy_zone_link { /* a zone as networks see it */
	const struct zone *zone;
	uint32_t registered; /* its place among the policy's registered zones, and 1; 0: in none */
	const char *name, *group; /* the full name; its group, or NULL */
	enum resolution_policy resolution_policy;
	uint32_t series; /* what whoever counts its questions knows the zone by */
};

struct policy_network {
	const char *name;
	uint16_t id;               /* the same over reloads, nobody else's ever; 0: none was left */
	struct suffix_table zones; /* struct policy_zone_link */
	/* Names above a linked zone or a registered prefix that something else of ours could deny
	 * (count_above); they are empty non-terminals. Values mean nothing. Those above rules are
	 * with the rulesets. */
	struct suffix_table above;
	const struct ruleset **rulesets;
	uint32_t ruleset_count;
	bool large;            /* some of that does not fit the processor's caches */
	bool no_default;       /* what nothing decides is refused */
	struct route *custom;  /* NULL: no custom DNS servers */
	struct prefix *spaces; /* its own addresses: in order, none within another */
	uint32_t space_count;
	/* Registered zones, by their places: those in which its machines register, for their PTRs;
	 * and those in which clients do, for reverse records. */
	const uint32_t *machines, *registrations;
	uint32_t machine_count, registration_count;
};

struct policy_inbound {   /* an inbound endpoint */
	const char *name; /* "hub-resolver/inbound", "dev/hub-resolver/inbound" */
	struct address address;
	struct host listen;
	uint32_t network;
	const struct access *access; /* who may ask */
};

struct policy_pool_zone {     /* a reverse zone of a pool; policy/pools.c */
	struct zone *zone;    /* its apex; what is below it is in `owned` */
	const char *pool;     /* the pool's name */
	struct prefix prefix; /* the addresses it holds */
	bool classless;       /* their names in it are their last octets (RFC 2317) */
};

struct policy {
	struct arena arena;
	struct hash_key key;
	struct policy_network *networks;
	uint32_t network_count;
	uint16_t last_network_id; /* that was given out, here or by a policy before */
	struct policy_inbound *inbounds;
	uint32_t inbound_count;
	struct host *vnet_listens;
	uint32_t vnet_listen_count;
	const struct access *vnet_access; /* who may ask there: whoever is in any network */
	struct prefix_table clients;      /* VNet resolver: source -> network */
	struct route *default_route;
	struct suffix_table
		special; /* special-use zones (struct zone); empty when they are forwarded */
	struct zone **special_zones;      /* references held, also when they are not in use */
	const struct zone *resolver_arpa; /* one of them: all names in it exist (RFC 9462) */
	uint32_t special_zone_count;
	/* Zones that have an apex and nothing below it, which is what `owned` has: those of the
	 * reverse trees, at the cuts around the pools, and of the suffixes of our own names. */
	struct zone *trees[2];     /* in-addr.arpa, ip6.arpa */
	struct suffix_table pools; /* struct policy_pool_zone, in pool_zones */
	struct policy_pool_zone *pool_zones;
	uint32_t pool_zone_count;
	/* By pool_zones: the zone with its current serial, NULL where it is as it was made. Set and
	 * owned by whoever keeps serials; NULL: nobody does. */
	const struct zone *const *stamps;
	/* Pools that have only a part of an octet, whose name is thus nobody's: each address's own
	 * name in there is a zone. Value: the one in pool_zones that serves for all of them. */
	struct prefix_table pool_parts;
	struct suffix_table names;
	uint64_t apex_print; /* what the pools' zones are made of */
	struct owned *owned;
	uint64_t owned_print; /* what it is made of; 0: it was handed in */
	struct registered *registered;
	struct ruleset **rulesets; /* every ruleset of the model, linked or not */
	uint32_t ruleset_count;
	struct policy_zone_link *zone_links; /* of each private zone POLICY_ZONE_WAYS */
	uint32_t private_zone_count;
	struct zone **zones; /* references held: private zones, and apexes */
	uint32_t zone_count;
	uint32_t *roots;              /* how many policies share all of this but `owned` */
	const char *version, *server; /* CH TXT, NSID; NULL: nothing */
	bool details;                 /* see policy_explains_to */
	uint32_t udp_payload_max;
	struct hash_key cookie_key[2]; /* of clients' cookies; cookie_keys 0: the process's own */
	unsigned cookie_keys;
	bool random_case; /* model.h, struct outbound_settings */
};

/* Compiles a model in which limits_check found no error. `before` may be NULL. Takes references on
 * the model's zones and owned table; the model itself is not needed afterwards. NULL only without
 * memory. */
struct policy *policy_compile(const struct model *model, const struct hash_key *key,
			      const struct policy *before);
/* The same, which goes on from this table of what is registered (NULL: from none) and not from
 * that of `before`. */
struct policy *policy_compile_with(const struct model *model, const struct hash_key *key,
				   const struct policy *before, struct registered *registered);
/* The same policy with another owned table, or another of what is registered in the same zones:
 * compiles nothing, and costs the same however large the tables are. Takes references on the
 * tables; each of the two policies is freed by itself. NULL only without memory. */
struct policy *policy_with_owned(const struct policy *before, struct owned *owned,
				 struct registered *registered);
void policy_free(struct policy *policy); /* NULL is fine */
/* Whether another policy shares all but the owned table with this one. */
bool policy_is_shared(const struct policy *policy);

enum { POLICY_ROUTE_NAME = 192 };
/* Calls back for every route that is the policy's alone: the default resolver's and custom
 * servers', by their names as policy_each_route has them. */
void policy_each_own_route(const struct policy *policy,
			   void (*on_route)(void *context, const char *name, struct route *route),
			   void *context);
/* "onprem/contoso" */
const char *policy_rule_name(const struct rule *rule, char name[POLICY_ROUTE_NAME]);
/* Calls back for every upstream of the routes that are the policy's alone: the default resolver's
 * and custom servers'. */
void policy_each_own_upstream(struct policy *policy, void (*on_upstream)(void *, struct upstream *),
			      void *context);
/* Calls back for every route that a question can take: the default resolver's, those of networks'
 * custom DNS servers where there is a VNet resolver, and those of enabled rules of linked rulesets.
 * Its name is what people know it by: "onprem/contoso", "default resolver", "DNS servers of hub".
 */
void policy_each_route(const struct policy *policy,
		       void (*on_route)(void *context, const char *name, const struct route *route),
		       void *context);

/* Where a query arrived: in which network it is resolved, and as whom. */
struct place {
	/* NETWORK_NONE: a stranger at the VNet resolver. NETWORK_DEFAULT: in no network, for
	 * questions of our own: without zones and rulesets, only pools, our own and special-use
	 * names and the default resolver are left. NETWORK_OUTSIDE: the default resolver alone, for
	 * what the rest of the world says of our names. */
	uint32_t network;
	bool vnet_resolver; /* the network's custom DNS servers count only there */
};

/* Whether the network holds so much that policy_decide would wait for memory: then, where several
 * names are decided in a row, policy_expect for all of them, pass 0 and pass 1, shortens that. */
bool policy_is_large(const struct policy *policy, struct place place);
void policy_expect(const struct policy *policy, struct place place, const struct name *name,
		   unsigned pass);

/* Whether a client at that address may see rules, targets and endpoints by name: with
 * identity.details, in a network or on this machine. Family 0, ourselves: always. */
bool policy_explains_to(const struct policy *policy, const struct address *client);
/* The place of a client at the VNet resolver: longest source prefix. */
struct place policy_place_of_client(const struct policy *policy, const struct address *source);
/* What a reference from no group means (schema/reference.h): "hub", "dev/hub". NETWORK_NONE, NULL:
 * there is none, or more than one. */
uint32_t policy_find_network(const struct policy *policy, const char *text);
const struct policy_inbound *policy_find_inbound(const struct policy *policy, const char *text);
/* The id of the place's network; 0: it is in none. */
static inline uint16_t policy_network_id(const struct policy *policy, struct place place)
{
	return place.network < policy->network_count ? policy->networks[place.network].id : 0;
}

enum verdict_kind { VERDICT_ANSWER, VERDICT_FORWARD, VERDICT_REFUSE };

/* Who decided, in the order in which they are asked. */
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
	AS_ZONE,   /* as the zone has it */
	AS_NAME,   /* ours is the name alone: the SOA of a negative answer is made in it */
	AS_SERVER, /* NODATA, but the name is that of a name server (registered.h), which has the
		    * address of the endpoint that was asked */
};

struct verdict {
	enum verdict_kind kind;
	enum decided_by by;
	const char *object;        /* the zone's, rule's or network's name; may be NULL */
	struct zone_answer answer; /* ANSWER */
	enum answered_as as;       /* ANSWER */
	const struct route *route; /* FORWARD */
	const struct rule *rule;   /* FORWARD by a rule, else NULL */
	bool redirected;           /* FORWARD by NxDomainRedirect */
	uint32_t zone;             /* by a private zone: its link's series */
};

/* What decide looked at, for people. Fixed in size: what does not fit is counted. */
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
	const char *object; /* zone, rule, network; may be NULL */
	const char *ruleset;
	unsigned label; /* of the name, where the suffix starts */
};
enum { TRACE_STEPS = 160 };
struct trace {
	struct trace_step steps[TRACE_STEPS];
	unsigned count, dropped;
};

/* In this order: custom DNS servers (VNet resolver only), linked zone, address of the
 * network, ruleset, pools, own names, special-use names, default resolver. trace may be NULL. */
void policy_decide(const struct policy *policy, struct place place, const struct name *name,
		   uint16_t type, struct verdict *verdict, struct trace *trace);

#endif
