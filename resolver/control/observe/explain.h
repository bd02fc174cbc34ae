/* Why a name is answered the way it is, as JSON, hop by hop with decide's trace. It shows either
 * what compose, the code that answers clients, does with the question if no target answers and
 * nothing is cached; or what happened when the question was really asked. The printed form is made
 * from the JSON, so both say the same.
 *
 *     {"name": NAME, "type": TYPE, BLOCK}                        the result of explain()
 *     "source" beside it, added by callers: a server has {"from": "server", "config": PATH,
 *             "changed": [PATH...] of its files that have changed since they were read,
 *             "went_back": why it no longer serves the file, or null}; an explanation of
 *             files {"from": "file", "config": PATH, "state": PATH or null, "why": why no
 *             server was asked, "unread": why the state could not be read, or null}
 *     BLOCK   "network": NAME or null, "role": "vnet_resolver" or "inbound",
 *             "hops": [HOP...],
 *             "rcode": how it ends ("NOERROR", ...), null if that is up to a target,
 *             "loop": null, or which loop there is, for people
 *     HOP     "name", "kind": "answer", "forward" or "refuse",
 *             "decided_by": "zone", "rule", "custom", "address", "pool", "name", "special",
 *                           "default" or "nobody",
 *             "object": the zone's, rule's or network's name or null, "ruleset": name or null,
 *             "target_group": the one that the rule names, or null,
 *             "redirected": true if NxDomainRedirect sends it on,
 *             "follow_cname": what the rule says, false without one,
 *             "outcome": "hit", "cname", "dname", "nodata", "nxdomain" or null,
 *             "wildcard": bool, "rcode": as above, for this hop,
 *             "records": [TEXT...] of the answer section, "authority": [TEXT...],
 *             "negative_ttl": seconds or null, "next": the name that a CNAME or DNAME leads to or
 *             null, "route": [ROUTE...], "trace": [STEP...], "trace_dropped": number
 *     ROUTE   {"kind": "ask", "source": ADDRESS or null, "host": HOST, "protocol": "udp" or "tcp",
 *              "endpoint": NAME or null}        and "health", from a server, and "made": true if
 *             the endpoint was made because nobody named one
 *             {"kind": "enter", "endpoint": NAME, "decision": {BLOCK}}; if entering would go in
 *             circles, "loop" instead of "decision"; neither if the leg is not reached
 *     STEP    {"by": as decided_by, "outcome": "matched", "shorter", "later", "passed",
 *              "shadowed", "disabled", "reserved", "not_found", "elsewhere" or "none", "object",
 *              "ruleset", "suffix": NAME or null}
 *
 * A hop with registered records has "registered_by": [TEXT...], their registrants ("network
 * interface hub/vm1", "key dhcp. at 2026-01-31T23:59:59Z").
 *
 * If the question was really asked, a hop also has
 *
 *     "asked": [ASKED...], one for each leg of the route (a leg is the servers asked in turn
 *              through one endpoint) that contributed
 *     ASKED   "leg": its number from 0,
 *             "from": "target" (asked for this), "cache", "stale" (an old answer, because no
 *                     target gave one) or "nobody" (no answer was at hand, and none waited for),
 *             "host": HOST that answered, or failed last, or null,
 *             "rcode": of its answer, or null, "failed": why the answer is useless, or null,
 *             "age_s" and "ttl_s": of the cache entry, seconds, or null,
 *             "at_ms" and "ms": when targets were asked, from the question's arrival, and how long
 *                     that took, or null,
 *             "joined": whether the question was already under way for another client,
 *             "tries": [TRY...], "tries_dropped": number
 *     TRY     a packet: "host", "protocol", "endpoint", "source" as in ROUTE, "at_ms", "ms",
 *             "end": "answered", "truncated" (asked again by TCP), "plain" (again without EDNS),
 *                    "lower" (again in lower case), "failed", "unsent" or "silent" (no reply),
 *             "text": the same for people ("SERVFAIL", "no answer"),
 *             "packets": how often it was sent, by TCP again if a connection ended; 0 for "unsent"
 *
 * and at most a hundred items in each of "records" and "authority", with "records_left" for the
 * rest. Beside BLOCK there is
 *
 *     "answer": {"rcode", "flags": ["qr", "aa", ...], "ede": {"code", "text"} or null, "ms",
 *                "records": [TEXT...], "authority": [TEXT...]}
 */
#ifndef SLUICE_EXPLAIN_H
#define SLUICE_EXPLAIN_H

#include <jansson.h>
#include <stdio.h>

#include "resolver/control/observe/explain_question.h"
#include "rules/schema/model.h"

struct server;
struct source;

/* The caller releases the result. NULL: out of memory. */
json_t *explain(const struct policy *policy, struct place place, const struct name *name,
		uint16_t type);
/* Explains a question, with "endpoint" and "from" if it gives them; the caller passes the result
 * through json_whole. With both, "from" has "allowed"; a client that is not allowed has no hops.
 * NULL: *err is an error of explain_question_place, or 0 without memory. */
json_t *explain_decide(const struct policy *policy, const struct explain_question *question,
		       int *err, char error[EXPLAIN_ERROR_MAX]);
/* Asks the question and explains the answer. A worker resolves it as for a client by TCP, with
 * cache and targets, but neither counts nor logs it as a client's query. on_end is called once,
 * perhaps before this returns, at the latest by server_collect or server_release: with the
 * explanation, which it releases (NULL: out of memory), or with what is wrong. ERR_LIMIT, ERR_NOMEM
 * and errors of explain_decide: on_end is not called. */
MUST_CHECK int explain_resolve(struct server *server, const struct explain_question *question,
			       void (*on_end)(void *context, json_t *explained,
					      const char *trouble),
			       void *context, char error[EXPLAIN_ERROR_MAX]);

/* Adds "health" to each server that would be asked, from the targets of a status report. */
void explain_add_health(json_t *explained, const json_t *targets);
/* Adds "made" where the model's outbound endpoint was made because nobody named one. */
void explain_add_made(json_t *explained, const struct model *model);
/* Adds "registered_by" to hops with records that the model's machines or clients have registered:
 * the machine's network interface, or the client's key or address and the time. */
struct explain_registry {
	const struct model *model;
	const struct policy *policy;
	struct source *source; /* of the state; NULL: clients' registrations are unknown */
};
void explain_add_registered(json_t *explained, const struct explain_registry *registry);

#endif
