/* What is decided for the names that are asked for most (resolver/popular.h), and what would be by
 * another policy.
 *
 *     workers ─► plan_begin ─► QUESTIONS ─┬─► GET /v1/names
 *                by the policy of now     │
 *                                         └─► plan_changes, by another policy ─► CHANGES
 *
 *     QUESTION  "name", "type", "network": name or null, "role": "inbound" or "vnet_resolver",
 *               "count": questions, "over": so many of them may have been for other names,
 *               "decided": DECISION
 *     DECISION  explain's block (explain.h) without what it looked at on its way, and without what
 *               a negative answer says besides; null: there is no such network
 *     CHANGE    a QUESTION's but for "decided", with "before" and "after": DECISIONs */
#ifndef SLUICE_PLAN_H
#define SLUICE_PLAN_H

#include <jansson.h>

#include "resolver/control/service/asked.h"
#include "resolver/control/service/service.h"

/* All on the control thread. */
struct plan_reader {
	void (*on_question)(void *context, json_t *question); /* to be released */
	/* false: these were not all, because there is no memory or the program ends. */
	void (*on_done)(void *context, bool whole);
	void *context;
};
/* Calls back with those asked most, at most so many, the most first. Of networks that are not
 * served any more there is none. They are gathered in a thread and decided in portions, each by the
 * policy of its moment. Something must be served. ERR_SYSTEM: the program is about to end;
 * ERR_NOMEM. Nothing is called then. */
MUST_CHECK int plan_begin(struct service *service, size_t limit, const struct plan_reader *reader);
/* The QUESTION of one. NULL: it is of a network that is not served any more, or no memory. */
json_t *plan_question(const struct policy *policy, const struct asked *asked);
/* What another policy would decide otherwise, in the order of the questions; json_whole's. */
json_t *plan_changes(const json_t *questions, const struct policy *policy);

/* "rule office/contoso -> 10.0.0.5, 10.0.0.6" */
enum { PLAN_TEXT_MAX = 512 };
char *plan_text(const json_t *decision, char text[PLAN_TEXT_MAX]);

#endif
