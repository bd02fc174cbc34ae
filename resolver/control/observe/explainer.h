/* Watches the resolution of a question and writes it down as JSON (explain.h): the decision at each
 * hop, the legs of its route and, if targets are asked, their answers.
 *
 * One explainer serves one question. One thread at a time runs it, perhaps a worker. Another thread
 * may end it with the answer, even after the policy is freed: explainer_end then reads only the
 * JSON made so far. */
#ifndef SLUICE_EXPLAINER_H
#define SLUICE_EXPLAINER_H

#include <jansson.h>

#include "resolver/resolve/ask.h"

struct explainer;

/* asks: targets are asked, so hops have "asked"; else compose goes on as if none answered. NULL:
 * out of memory. */
struct explainer *explainer_new(bool asks);
/* The watch to give to the resolver; lives as long as the explainer. */
struct resolution_watch *explainer_watch(struct explainer *explainer);
/* Returns the explanation (NULL: out of memory) and frees the explainer. `answer` is the reply that
 * a client would get, took_us after its question. Without one (NULL) the explanation reads the
 * composition of the last pass, which must still exist. */
json_t *explainer_end(struct explainer *explainer, const struct name *name, uint16_t type,
		      const struct ask_answer *answer, uint64_t took_us);
void explainer_free(struct explainer *explainer); /* NULL is fine */

#endif
