/* What fails now, in sentences: each cause once, with the names and networks that it hurts, since
 * when, and what to do. One dead target that twelve rules need is one failure.
 *
 *     severity    "error": names are not answered; "warning": they are, or no target is at fault
 *     text        "contoso.corp. is not answered for network hub since 2026-11-26T21:11:00Z:
 *                 10.1.2.3:53 does not answer."
 *     advice      "Check that it runs, and that UDP and TCP port 53 are open to it from 10.0.0.4
 *                 (outbound endpoint hub-resolver/outbound)."; null: there is none
 *     since       null: not known
 *     target      "10.1.2.3:53", protocol and source beside it; all null if no target is at fault
 *     rules       the first FAILING_RULES, named as by policy_each_route, of rule_count
 *     networks    those hurt; empty: all of them, or none
 */
#ifndef SLUICE_FAILING_H
#define SLUICE_FAILING_H

#include <jansson.h>

#include "resolver/control/base/wall_clock.h"
#include "resolver/control/observe/health.h"

enum { FAILING_MAX = 100, FAILING_RULES = 8 };

struct failing;

/* Begins a search through all routes. The caller passes each route with its judgement to
 * failing_see, so that nobody judges a route twice. NULL: out of memory. */
struct failing *failing_begin(const struct health_now *now);
void failing_see(struct failing *failing, const char *name, const struct route *route,
		 const struct health_route *judged);
/* Ends the search: {"count", "list": the first FAILING_MAX}, the worst first. NULL: out of memory.
 */
json_t *failing_end(struct failing *failing, const struct wall_clock *clock);
/* Adds a failure of only text and advice, as the first one, to the result of failing_end. */
void failing_add(json_t *failing, const char *text, const char *advice);

#endif
