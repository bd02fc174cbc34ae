/* Why a name is answered the way it is: what compose, which also serves it, does with the question
 * when no target answers and nothing is cached, hop by hop with decide's trace, as JSON; or, really
 * asked, what came of it. The printed form is made from it, so both say the same.
 *
 *     {"name": NAME, "type": TYPE, BLOCK}                        what explain() gives
 *     "source" beside it, from whoever says so: a server has {"from": "server", "config": PATH,
 *             "changed": [PATH...] of its files that are not as they were read any more,
 *             "went_back": why it serves what was before the file, or null}; what was
 *             read instead is {"from": "file", "config": PATH, "state": PATH or null, "why": why no
 *             server was asked, "unread": why the state could not be read, or null}
 *     BLOCK   "network": NAME or null, "role": "vnet_resolver" or "inbound",
 *             "hops": [HOP...],
 *             "rcode": how it ends ("NOERROR", ...), null when that is up to a target,
 *             "loop": null, or which loop there is, for people
 *     HOP     "name", "kind": "answer", "forward" or "refuse",
 *             "decided_by": "zone", "rule", "custom", "address", "pool", "name", "special",
 *                           "default" or "nobody",
 *             "object": the zone's, rule's or network's name or null, "ruleset": name or null,
 *             "target_group": the one that the rule names, or null,
 *             "redirected": true when NxDomainRedirect sends it on,
 *             "follow_cname": what the rule says, false without one,
 *             "outcome": "hit", "cname", "dname", "nodata", "nxdomain" or null,
 *             "wildcard": bool, "rcode": as above, for this hop,
 *             "records": [TEXT...] of the answer section, "authority": [TEXT...],
 *             "negative_ttl": seconds or null, "next": the name that a CNAME or DNAME leads to or
 *             null, "route": [ROUTE...], "trace": [STEP...], "trace_dropped": number
 *     ROUTE   {"kind": "ask", "source": ADDRESS or null, "host": HOST, "protocol": "udp" or "tcp",
 *              "endpoint": NAME or null}        and "health", when a server was asked for it, and
 *             "made": true, where nobody named the endpoint
 *             {"kind": "enter", "endpoint": NAME, "decision": {BLOCK}}, in place of "decision" a
 *             "loop" when entering would go in circles, and neither where it is not reached
 *     STEP    {"by": as decided_by, "outcome": "matched", "shorter", "later", "passed",
 *              "shadowed", "disabled", "reserved", "not_found", "elsewhere" or "none", "object",
 *              "ruleset", "suffix": NAME or null}
 *
 * A hop whose records are registered has "registered_by": [TEXT...], by whom ("network interface
 * hub/vm1", "key dhcp. at 2026-01-31T23:59:59Z").
 *
 * Really asked, a hop has
 *
 *     "asked": [ASKED...], one for each of the route's legs (the servers that are asked in turn
 *              through one endpoint) that had a say
 *     ASKED   "leg": its number from 0, "from": "target" (asked for this), "cache", "stale" (an old
 *             answer, as nobody gave one) or "nobody" (nothing was at hand, and none waited for),
 *             "host": HOST who said it, or failed last, or null, "rcode": its answer's or null,
 *             "failed": why it is of no use or null, "age_s" and "ttl_s": of what the cache has,
 *             seconds, or null, "at_ms" and "ms": when targets were asked, from the question's
 *             arrival, and how long that took, or null, "joined": whether the question was under
 *             way already, for somebody else, "tries": [TRY...], "tries_dropped": number
 *     TRY     a packet: "host", "protocol", "endpoint", "source" as in ROUTE, "at_ms", "ms",
 *             "end": "answered", "truncated" (asked again by TCP), "plain" (again without EDNS),
 *             "lower" (again in lower case), "failed", "unsent" or "silent" (nothing has come),
 *             "text": the same for people ("SERVFAIL", "no answer"), "packets": how often it was
 *             sent, by TCP again where a connection ended; 0 of what is "unsent"
 *
 * and of many records a hundred, with "records_left" for the rest. Beside BLOCK there is
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

/* The caller releases it. NULL without memory. */
json_t *explain(const struct policy *policy, struct place place, const struct name *name,
		uint16_t type);
/* The same for a question, with "endpoint" and "from" when that was given; the caller passes it
 * through json_whole. With both, "from" has "allowed", and without that there are no hops. NULL
 * with the errors of explain_question_place. */
json_t *explain_decide(const struct policy *policy, const struct explain_question *question,
		       int *err, char error[EXPLAIN_ERROR_MAX]);
/* The same, really asked: by a worker, as a client there asks by TCP, of the cache and of targets.
 * It is no client's query: not counted as one, and not logged. on_end is called once,
 * perhaps before this returns, else by server_collect or at the latest by server_release: with the
 * explanation, which it releases (NULL without memory); or with what is wrong. Errors as of
 * explain_decide, and ERR_LIMIT, ERR_NOMEM: it is not called then. */
MUST_CHECK int explain_resolve(struct server *server, const struct explain_question *question,
			       void (*on_end)(void *context, json_t *explained,
					      const char *trouble),
			       void *context, char error[EXPLAIN_ERROR_MAX]);

/* Adds to each server that would be asked its health, from the targets of a status report. */
void explain_add_health(json_t *explained, const json_t *targets);
/* And "made" where the model's outbound endpoint was made, because nobody named one. */
void explain_add_made(json_t *explained, const struct model *model);
/* And "registered_by" where a hop's records are those of the model's machines, or what a client has
 * registered, by key or address and time. */
struct explain_registry {
	const struct model *model;
	const struct policy *policy;
	struct source *source; /* the state's; NULL: what clients have registered is not known */
};
void explain_add_registered(json_t *explained, const struct explain_registry *registry);

#endif
