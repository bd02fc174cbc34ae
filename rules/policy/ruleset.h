/* Forwarding rules by suffix, and the routes they lead to. A ruleset is an immutable shared part of
 * a policy with an arena and a reference count of its own.
 *
 * A route is what becomes of a question that is forwarded: an ordered list of legs. A leg is either
 * a run of servers to ask through outbound endpoints, or one of our own inbound endpoints, which is
 * entered directly. The usual route has one leg. */
#ifndef SLUICE_RULESET_H
#define SLUICE_RULESET_H

#include <stdbool.h>
#include <stdint.h>

#include "rules/arena.h"
#include "rules/name.h"
#include "rules/prefix.h"
#include "rules/schema/model.h"
#include "rules/suffix.h"

struct outcomes; /* resolver/outcomes.h: what clients got of a route, shared likewise */
struct meter;    /* endpoints/meter.h: an endpoint's queries a second, shared likewise */
struct target;   /* endpoints/upstream/target.h: health, shared by workers and policies */

struct upstream {              /* a server as one outbound endpoint reaches it */
	struct address source; /* family 0: the system's choice */
	struct host host;
	enum protocol protocol;
	const char *endpoint;  /* "hub-resolver/outbound"; NULL: none, the system's choice */
	struct target *target; /* attached before the policy is published; NULL while explaining */
	struct meter *meter;   /* likewise; NULL also without an endpoint */
};

enum leg_kind { LEG_ASK, LEG_ENTER };

struct leg {
	enum leg_kind kind;
	uint64_t id; /* ASK: keyed hash of sources, servers, protocols; stable over reloads */
	struct upstream *upstreams; /* ASK: in the order in which they are asked */
	uint32_t upstream_count;    /* at most LEG_UPSTREAMS_MAX */
	const char *endpoint;       /* ENTER: "hub-resolver/inbound" */
	uint32_t network;           /* ENTER: index of the endpoint's network in the policy */
};

struct route {
	uint64_t id; /* of all legs: equal ids, equal routes */
	struct leg *legs;
	uint32_t leg_count;
	struct outcomes *outcomes; /* attached as targets are; NULL: nobody counts them */
};

struct rule {
	const char *name;   /* NULL: a reserved domain and no rule */
	const char *domain; /* as configured */
	const char *ruleset;
	const char *target_group; /* whose servers are asked, by a route that its rules share; NULL:
				   * its own */
	bool enabled;
	bool reserved; /* not enabled, it keeps shorter rules from matching */
	bool follow_cname;
	/* What whoever counts its questions knows it by; set before the ruleset is served. */
	uint32_t series;
	struct route route;
};

struct ruleset; /* opaque */

/* Prefetches the memory that ruleset_find needs: pass 0, and a moment later pass 1. */
void ruleset_expect(const struct ruleset *ruleset, const struct name *name, unsigned pass);
size_t ruleset_bytes(const struct ruleset *ruleset); /* that it holds, all of its arena */

/* What a route is built from, besides its servers: sources to ask from, and what is us. */
struct route_source {
	const char *endpoint;
	struct address source;
};
struct route_self {
	struct host host;
	const char *endpoint;
	uint32_t network;
	uint32_t order; /* in which it was given */
};
struct route_context {
	const struct hash_key *key;
	const struct route_source *sources;
	size_t source_count;
	const struct route_self *selves;    /* inbound endpoints by every host that means them */
	size_t self_count;                  /* as route_sort_selves has left them */
	const struct suffix_table *special; /* special-use zones, for names above rules; or NULL */
};
/* Sorts them by host and keeps the first of equal ones; returns how many are left. */
size_t route_sort_selves(struct route_self *selves, size_t count);
/* Every source asks every server in their order before the next source does; servers that are us
 * become LEG_ENTER legs, once. ERR_NOMEM. */
MUST_CHECK int route_build(struct route *route, struct arena *arena,
			   const struct route_context *context, const struct target_server *servers,
			   size_t count);

/* NULL without memory. Rules with a domain that does not parse are left out (limits_check has said
 * so). `reserved` are the suffixes that a shorter rule does not capture. */
struct ruleset *ruleset_compile(const struct forwarding_ruleset *model,
				const struct route_context *context, const char *const *reserved,
				size_t reserved_count);
struct ruleset *ruleset_ref(struct ruleset *ruleset);
void ruleset_unref(struct ruleset *ruleset);
/* NULL has none. */
void route_each_upstream(const struct route *route,
			 void (*on_upstream)(void *context, struct upstream *upstream),
			 void *context);
void ruleset_each_upstream(struct ruleset *ruleset,
			   void (*on_upstream)(void *context, struct upstream *upstream),
			   void *context);
/* Only those of target groups. */
void ruleset_each_group_upstream(struct ruleset *ruleset,
				 void (*on_upstream)(void *context, struct upstream *upstream),
				 void *context);
/* Whoever gives its upstreams their targets and meters, once for all policies that share it, takes
 * them back when it is freed: on_free is called then. */
void ruleset_on_free(struct ruleset *ruleset,
		     void (*on_free)(void *context, struct ruleset *ruleset), void *context);
void *ruleset_context(const struct ruleset *ruleset); /* of ruleset_on_free; NULL: not called */
const char *ruleset_name(const struct ruleset *ruleset);
/* Keyed hash of all it was compiled from: an equal one need not be compiled again. */
uint64_t ruleset_fingerprint(const struct ruleset *ruleset);
/* What whoever had it compiled wants to know it by; 0 at first. */
uint64_t ruleset_stamp(const struct ruleset *ruleset);
void ruleset_set_stamp(struct ruleset *ruleset, uint64_t stamp);

/* The entry with the longest suffix that starts at label `first` or behind it, enabled or not;
 * *label tells where. NULL when there is none. */
const struct rule *ruleset_next(const struct ruleset *ruleset, const struct name *name,
				unsigned first, unsigned *label);
/* The longest enabled rule, unless a longer reserved domain holds the name back. */
const struct rule *ruleset_find(const struct ruleset *ruleset, const struct name *name,
				unsigned *label);
/* Whether an enabled rule is below that name, which only a special-use zone, a pool or a registered
 * prefix could deny. It exists then. */
bool ruleset_has_below(const struct ruleset *ruleset, const struct name *name);
size_t ruleset_rule_count(const struct ruleset *ruleset);
struct rule *ruleset_rule(struct ruleset *ruleset, size_t index);

#endif
