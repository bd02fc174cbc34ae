/* What `sluice explain` and GET /v1/explain are asked, in texts: a name, a type, and where it is
 * asked. That is a virtual network as its VNet resolver sees it, an inbound endpoint, or the
 * address of a client; with an endpoint and an address, that client there. */
#ifndef SLUICE_EXPLAIN_QUESTION_H
#define SLUICE_EXPLAIN_QUESTION_H

#include <jansson.h>

#include "rules/err.h"
#include "rules/policy/policy.h"

enum { EXPLAIN_ERROR_MAX = 1024 };

struct explain_texts {
	const char *dash; /* ahead of the names of options in errors: "--", or "" */
	/* NULL: not given. An address as the name, without a type or with PTR, is its reverse name.
	 */
	const char *name, *type, *vnet, *endpoint, *from;
};

struct explain_question {
	struct explain_texts texts;
	struct name name;
	uint16_t type;
	struct address source; /* family 0: no `from` */
};

/* ERR_INVALID, and `error` says what would be right. The texts must outlive the question. */
MUST_CHECK int explain_question_read(struct explain_question *question,
				     const struct explain_texts *texts, const struct hash_key *key,
				     char error[EXPLAIN_ERROR_MAX]);

/* Where it arrives. ERR_NOT_FOUND: there is no such network or endpoint; ERR_INVALID: the question
 * does not say where, and there are several networks; `error` has the text. */
MUST_CHECK int explain_question_place(const struct explain_question *question,
				      const struct policy *policy, struct place *place,
				      char error[EXPLAIN_ERROR_MAX]);
/* Whether the endpoint's `allow` turns the client away. */
bool explain_question_is_denied(const struct explain_question *question,
				const struct policy *policy);
/* Adds "endpoint" and "from" where the question has them: "from" with the prefix that placed the
 * client and the shorter ones that hold it or, at an endpoint, with whether it is "allowed". */
void explain_question_add_asker(const struct explain_question *question,
				const struct policy *policy, json_t *explained);

#endif
