/* What is decided for the names asked for most (resolver/popular.h), and what another policy would
 * decide.
 *
 *     workers ─► plan_begin ─► QUESTIONS ─┬─► GET /v1/names
 *                by the current policy    │
 *                                         └─► plan_changes, by another policy ─► CHANGES
 *
 *     QUESTION  "name", "type", "network": name, "role": "inbound" or "vnet_resolver", "count":
 *               questions, "over": so many of them may have been for other names, "decided":
 *               DECISION
 *     DECISION  explain's block (explain.h) without its traces, without details of negative answers
 *               and, for type SOA, without records; null: there is no such network
 *     CHANGE    a QUESTION without "decided", with "before" and "after": DECISIONs */
#ifndef SLUICE_PLAN_H
#define SLUICE_PLAN_H

#include <jansson.h>

#include "resolver/control/service/asked.h"
#include "resolver/control/service/service.h"

/* Called on the control thread. */
struct plan_reader {
	void (*on_question)(void *context, json_t *question); /* on_question releases it */
	/* whole: false if memory is short or the program ends, so questions are missing. */
	void (*on_done)(void *context, bool whole);
	void *context;
};
/* Calls back with the `limit` names asked most often, in descending order, without names of
 * networks that are no longer served. A thread gathers the names; portions on the control thread
 * decide them, each by the policy then served. A policy must be served. On ERR_NOMEM, and on
 * ERR_SYSTEM (the program is about to end), nothing is called. */
MUST_CHECK int plan_begin(struct service *service, size_t limit, const struct plan_reader *reader);
/* The QUESTION of one name. NULL: its network is no longer served, or out of memory. */
json_t *plan_question(const struct policy *policy, const struct asked *asked);
/* The CHANGES by another policy, in the order of the questions; pass the result through
 * json_whole. */
json_t *plan_changes(const json_t *questions, const struct policy *policy);

/* A decision as text: "rule office/contoso -> 10.0.0.5:53, 10.0.0.6:53" */
enum { PLAN_TEXT_MAX = 512 };
char *plan_text(const json_t *decision, char text[PLAN_TEXT_MAX]);

#endif
