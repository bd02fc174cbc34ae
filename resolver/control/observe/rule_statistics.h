/* Statistics of each rule: what it has decided since the process started, and whether it can decide
 * anything at all. The counters are those of the metrics (resolver/series.h), here of all rules,
 * not only of those with series of their own.
 *
 *     since    the process's start, when counting began
 *     rules    by ruleset and name:
 *         ruleset, rule, domain, enabled
 *         queries, failures   names that the rule decided, and how many of these got SERVFAIL
 *         last_used           its latest decision, as use_book.h knows it; null: never
 *         linked              networks that its ruleset is linked to
 *         deciding            how many of these networks use the rule to decide its domain
 *         shadowed            those in which a zone or another rule decides: network,
 *                             decided_by ("zone", "rule"; as explain has it), object, ruleset
 *                             or null; at most RULE_SHADOWS of them
 *     next     "ruleset<TAB>rule", after which the next page begins; null: there is none
 *
 * A rule's domain is decided for each network, so a page ends with the rule that reaches
 * RULE_DECISIONS. */
#ifndef SLUICE_RULE_STATISTICS_H
#define SLUICE_RULE_STATISTICS_H

#include <jansson.h>

#include "resolver/control/service/service.h"

enum { RULE_SHADOWS = 8, RULE_DECISIONS = 100000 };

/* At most `limit` rules after the rule `after`; "": from the first on. NULL: out of memory. */
json_t *rule_statistics(struct service *service, const char *after, size_t limit);

#endif
