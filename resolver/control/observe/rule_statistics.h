/* How rules fare, one by one: what each has decided since the process started, and whether it can
 * decide anything at all. The counters are those of the metrics (resolver/series.h), of all rules
 * and not only of those that have series of their own there.
 *
 *     since    the process's start, from which is counted
 *     rules    by ruleset and name:
 *         ruleset, rule, domain, enabled
 *         queries, failures   names that it decided, and those of them that were SERVFAIL
 *         last_used           when it decided last, as use_book.h knows it; null: never
 *         linked              networks that its ruleset is linked to
 *         deciding            of them those where it decides its domain
 *         shadowed            where something else does: network, decided_by ("zone", "rule"; as
 *                             explain has it), object, ruleset or null; RULE_SHADOWS of them
 *     next     "ruleset<TAB>rule", behind which the next page begins; null: there is none
 *
 * A rule's domain is decided for each network, so a page also ends after RULE_DECISIONS. */
#ifndef SLUICE_RULE_STATISTICS_H
#define SLUICE_RULE_STATISTICS_H

#include <jansson.h>

#include "resolver/control/service/service.h"

enum { RULE_SHADOWS = 8, RULE_DECISIONS = 100000 };

/* Of at most `limit` rules behind that one; "": from the first on. NULL without memory. */
json_t *rule_statistics(struct service *service, const char *after, size_t limit);

#endif
