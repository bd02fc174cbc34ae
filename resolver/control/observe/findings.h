/* Findings for an operator: `sluice report`, GET /v1/report. The sections, in this order:
 *
 *     rules        enabled rules without a hit for "days" days (service/use_book.h)
 *     targets      targets without a question for "days" days (service/use_book.h)
 *     leaving      names of the last day (resolver/popular.h) that went to the default resolver
 *                  although they look internal, and PTRs of private addresses that went there
 *     ptrs         PTRs whose names do not lead back        ┐ asked in the background
 *     delegations  reverse zones that are not delegated to us ┘ (service/rounds.h)
 *     names        the names asked for most
 *     slow         rules whose targets take long
 *
 * Portions on the control thread look at rules and names; a thread gathers the names. Results of
 * background questions are shown as far as they are known.
 *
 *     REPORT   {"time", "days", "sections": [SECTION...]}
 *     SECTION  {"section", "summary": one line for people, "advice": what to do about it,
 *               "count": number of findings, "looked_at": number of items, "findings": the first
 *               `limit` of [FINDING...]} and, in rules and targets, "since": when the first item
 *               was known, "young": number of items that were never used, but are known for less
 *               than "days"
 *     FINDING  {"text": for people} and, depending on the section,
 *
 *     rules        "ruleset", "rule", "domain", "linked", "since", "used": times; used may be null
 *     targets      "target", "protocol", "source", "rule": RULESET/RULE or null, "since", "used"
 *     leaving      "name", "type", "network", "count", "why": private_address, zone, suffix,
 *                  single_label or rule, "object": its name, "ruleset", "reason": for people
 *     names        as plan_question has it, without "decided"; "by": the decision for people
 *     slow         "rule": RULESET/RULE, "domain", "answers", "average_ms", "half_ms", "most_ms":
 *                  the bounds that 50 and 95 of 100 answers met; null: above the longest bound
 *     ptrs, delegations   as service/rounds.h has them */
#ifndef SLUICE_FINDINGS_H
#define SLUICE_FINDINGS_H

#include <jansson.h>

#include "resolver/control/service/service.h"

#define FINDINGS_MAP(X)                                                                            \
	X(RULES, "rules")                                                                          \
	X(TARGETS, "targets")                                                                      \
	X(LEAVING, "leaving")                                                                      \
	X(PTRS, "ptrs")                                                                            \
	X(DELEGATIONS, "delegations")                                                              \
	X(NAMES, "names")                                                                          \
	X(SLOW, "slow")
enum findings_section {
#define X(name, text) FINDINGS_##name,
	FINDINGS_MAP(X)
#undef X
		FINDINGS_SECTIONS
};
extern const char *const findings_names[FINDINGS_SECTIONS];

enum { FINDINGS_DAYS = 30, FINDINGS_DAYS_MAX = 3650 };

struct findings_wanted {
	bool sections[FINDINGS_SECTIONS];
	unsigned days; /* 0: everything never used, however new it is */
	size_t limit;  /* of a section's findings */
};

/* Calls back with the REPORT, which on_done releases (NULL: out of memory, or the program ends). A
 * policy must be served. ERR_NOMEM, ERR_SYSTEM (the program is about to end): on_done is not
 * called. */
MUST_CHECK int findings_begin(struct service *service, const struct findings_wanted *wanted,
			      void (*on_done)(void *context, json_t *report), void *context);

#endif
