/* Forwarding rules by suffix, and their routes. A ruleset is an immutable shared part of a policy,
 * with its own arena and reference count.
 *
 * A route is the way of a forwarded question: an ordered list of legs. A leg is either a sequence
 * of servers to ask through outbound endpoints, or one of our own inbound endpoints, which is
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

struct outcomes; /* resolver/outcomes.h: the clients' results of a route, shared likewise */
struct meter;    /* endpoints/meter.h: an endpoint's queries a second, shared likewise */
struct target;   /* endpoints/upstream/target.h: health, shared by workers and policies */

struct upstream {              /* a server, asked through one outbound endpoint */
	struct address source; /* family 0: the system's choice */
	struct host host;
	enum protocol protocol;
	const char *endpoint;  /* "hub-resolver/outbound"; NULL: none, the system's choice */
	struct target *target; /* attached before the policy is published; NULL while explaining */
	struct meter *meter;   /* attached likewise; also NULL without an endpoint */
};

enum leg_kind { LEG_ASK, LEG_ENTER };

struct leg {
	enum leg_kind kind;
	uint64_t id; /* ASK: keyed hash of sources, servers, protocols; stable over reloads */
	struct upstream *upstreams; /* ASK: in the order of asking */
	uint32_t upstream_count;    /* at most LEG_UPSTREAMS_MAX */
	const char *endpoint;       /* ENTER: "hub-resolver/inbound" */
	uint32_t network;           /* ENTER: index of the endpoint's network in the policy */
};

struct route {
	uint64_t id; /* equal ids mean equal routes */
	struct leg *legs;
	uint32_t leg_count;
	struct outcomes *outcomes; /* attached like targets; NULL: they are not counted */
};

struct rule {
	const char *name;   /* NULL: a reserved domain, not a rule */
	const char *domain; /* as configured */
	const char *ruleset;
	const char *target_group; /* the group whose servers are asked, by a route that its rules
				     share; NULL: the rule's own */
	bool enabled;
	bool reserved; /* even if disabled, it keeps shorter rules from matching */
	bool follow_cname;
	/* The rule's number for counting queries; set before the ruleset is served. */
	uint32_t series;
	struct route route;
};

struct ruleset; /* opaque */

/* Prefetches the memory for ruleset_find: in pass 0, and a moment later in pass 1. */
void ruleset_expect(const struct ruleset *ruleset, const struct name *name, unsigned pass);
/* The memory that decisions read: all of it but the names above rules. */
size_t ruleset_bytes(const struct ruleset *ruleset);

/* The context for building a route: sources to ask from, and our own endpoints. */
struct route_source {
	const char *endpoint;
	struct address source;
};
struct route_self {
	struct host host;
	const char *endpoint;
	uint32_t network;
	uint32_t order; /* its number, as given */
};
struct route_context {
	const struct hash_key *key;
	const struct route_source *sources;
	size_t source_count;
	const struct route_self *selves;    /* inbound endpoints by each of their hosts */
	size_t self_count;                  /* sorted by route_sort_selves */
	const struct suffix_table *special; /* special-use zones, for names above rules; or NULL */
};
/* Sorts by host and keeps the first of equal ones; returns how many are left. */
size_t route_sort_selves(struct route_self *selves, size_t count);
/* Builds a route: each source asks all servers in order before the next source does. A server that
 * is our own endpoint becomes one LEG_ENTER leg. ERR_NOMEM. */
MUST_CHECK int route_build(struct route *route, struct arena *arena,
			   const struct route_context *context, const struct target_server *servers,
			   size_t count);

/* Compiles a ruleset. Leaves out rules with an invalid domain, which limits_check has reported.
 * `reserved`: suffixes that shorter rules do not match. NULL without memory. */
struct ruleset *ruleset_compile(const struct forwarding_ruleset *model,
				const struct route_context *context, const char *const *reserved,
				size_t reserved_count);
struct ruleset *ruleset_ref(struct ruleset *ruleset);
void ruleset_unref(struct ruleset *ruleset);
/* route may be NULL. */
void route_each_upstream(const struct route *route,
			 void (*on_upstream)(void *context, struct upstream *upstream),
			 void *context);
void ruleset_each_upstream(struct ruleset *ruleset,
			   void (*on_upstream)(void *context, struct upstream *upstream),
			   void *context);
/* Calls back only for upstreams of target groups. */
void ruleset_each_group_upstream(struct ruleset *ruleset,
				 void (*on_upstream)(void *context, struct upstream *upstream),
				 void *context);
/* Sets on_free, which is called when the ruleset is freed, so that the caller releases the targets
 * and meters that it attached once for all policies. */
void ruleset_on_free(struct ruleset *ruleset,
		     void (*on_free)(void *context, struct ruleset *ruleset), void *context);
void *ruleset_context(const struct ruleset *ruleset); /* of ruleset_on_free; NULL: none */
const char *ruleset_name(const struct ruleset *ruleset);
/* Keyed hash of everything it was compiled from: a former ruleset with an equal one can be used in
 * its place. */
uint64_t ruleset_fingerprint(const struct ruleset *ruleset);
/* A number that the caller of ruleset_compile may set; 0 at first. */
uint64_t ruleset_stamp(const struct ruleset *ruleset);
void ruleset_set_stamp(struct ruleset *ruleset, uint64_t stamp);

/* The entry, enabled or not, with the longest suffix that starts at label `first` or later; *label
 * is its start. NULL: none. */
const struct rule *ruleset_next(const struct ruleset *ruleset, const struct name *name,
				unsigned first, unsigned *label);
/* The enabled rule with the longest suffix; NULL if there is none or a longer reserved domain
 * matches. */
const struct rule *ruleset_find(const struct ruleset *ruleset, const struct name *name,
				unsigned *label);
/* Whether the name is above the domain of an enabled rule, and a special-use zone, a pool or a
 * registered prefix could deny it. They must not, because the name exists as an empty
 * non-terminal. */
bool ruleset_has_below(const struct ruleset *ruleset, const struct name *name);
size_t ruleset_rule_count(const struct ruleset *ruleset);
struct rule *ruleset_rule(struct ruleset *ruleset, size_t index);

#endif
