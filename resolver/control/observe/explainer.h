/* Whoever watches a question being resolved, and writes it down as explain.h has it: what was
 * decided at each hop, which legs were reached and, where targets are asked, what came of that.
 *
 * One explainer is for one question. It is watched on one thread at a time, a worker's perhaps, and
 * ended on another: nothing of the policy is kept but in JSON. */
#ifndef SLUICE_EXPLAINER_H
#define SLUICE_EXPLAINER_H

#include <jansson.h>

#include "resolver/resolve/ask.h"

struct explainer;

/* asks: targets are asked, so that hops have "asked"; else compose goes on as if none answered.
 * NULL: no memory. */
struct explainer *explainer_new(bool asks);
/* What whoever resolves is to be given; lives as long as the explainer. */
struct resolution_watch *explainer_watch(struct explainer *explainer);
/* The explanation, and frees the explainer. answer: what a client would have been sent, so long
 * after its question; NULL: none was asked for, and the last pass's composition is still there.
 * NULL: no memory. */
json_t *explainer_end(struct explainer *explainer, const struct name *name, uint16_t type,
		      const struct ask_answer *answer, uint64_t took_us);
void explainer_free(struct explainer *explainer); /* NULL is fine */

#endif
