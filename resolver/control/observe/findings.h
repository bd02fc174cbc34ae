/* What an operator should look at: `sluice report`, GET /v1/report. Sections by name, in this
 * order:
 *
 *     rules        enabled rules without a hit for so many days (service/use_book.h)
 *     targets      targets that were not asked for so many days, or never
 *     leaving      names of the last day (resolver/popular.h) that look internal, and PTRs of
 *                  private addresses, which the default resolver is asked for
 *     ptrs         PTRs whose names do not lead back        ┐ asked in the background
 *     delegations  reverse zones that are not delegated to us ┘ (service/rounds.h)
 *     names        the names that are asked for most
 *     slow         rules whose targets take long
 *
 * Rules and names are looked at in portions on the control thread, the names are gathered in a
 * thread, and what is asked of the network is told as far as it is known by now.
 *
 *     REPORT   {"time", "days", "sections": [SECTION...]}
 *     SECTION  {"section", "summary": one line for people, "advice": what to do about it,
 *               "count": findings, "looked_at": of so many, "findings": [FINDING...] of the first
 *               so many} and more
 *              rules and targets: "since": when the first one was known, "young": how many were
 *              not used so far, and are known for less than the days
 *     FINDING  {"text": for people} and, of
 *
 *     rules        "ruleset", "rule", "domain", "linked", "since", "used": times, the last or null
 *     targets      "target", "protocol", "source", "rule": RULESET/RULE or null, "since", "used"
 *     leaving      "name", "type", "network", "count", "why": private_address, zone, suffix,
 *                  single_label or rule, "object": its name, "ruleset", "reason": for people
 *     names        as plan_question has it, but for "decided"; "by": that for people
 *     slow         "rule": RULESET/RULE, "domain", "answers", "average_ms", "half_ms", "most_ms":
 *                  half and 95 of 100 came within; null: the longest bound was too short
 *     the others   as service/rounds.h has them */
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
	unsigned days; /* 0: what was never used, however short it is known */
	size_t limit;  /* findings of a section */
};

/* Calls back with the REPORT (NULL: no memory, or the program ends), to be released. Something must
 * be served. ERR_SYSTEM: the program is about to end; ERR_NOMEM. on_done is not called then. */
MUST_CHECK int findings_begin(struct service *service, const struct findings_wanted *wanted,
			      void (*on_done)(void *context, json_t *report), void *context);

#endif
