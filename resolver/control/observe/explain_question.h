/* The question of `sluice explain` and GET /v1/explain, as texts: a name, a type, and where it is
 * asked. That is a virtual network (its VNet resolver), an inbound endpoint, a client's address, or
 * an endpoint and an address: that client at that endpoint. */
#ifndef SLUICE_EXPLAIN_QUESTION_H
#define SLUICE_EXPLAIN_QUESTION_H

#include <jansson.h>

#include "rules/err.h"
#include "rules/policy/policy.h"

enum { EXPLAIN_ERROR_MAX = 1024 };

struct explain_texts {
	const char *dash; /* before names of options in errors: "--", or "" */
	/* NULL: not given. An address as the name, with type PTR or none, means its reverse name.
	 */
	const char *name, *type, *vnet, *endpoint, *from;
};

struct explain_question {
	struct explain_texts texts;
	struct name name;
	uint16_t type;
	struct address source; /* family 0: no `from` */
};

/* ERR_INVALID: `error` says what is wrong. The texts must outlive the question. */
MUST_CHECK int explain_question_read(struct explain_question *question,
				     const struct explain_texts *texts, const struct hash_key *key,
				     char error[EXPLAIN_ERROR_MAX]);

/* Finds where the question arrives. ERR_NOT_FOUND: there is no such network or endpoint, or more
 * than one. ERR_INVALID: the question does not say where, and there is not exactly one network.
 * `error` has the text. */
MUST_CHECK int explain_question_place(const struct explain_question *question,
				      const struct policy *policy, struct place *place,
				      char error[EXPLAIN_ERROR_MAX]);
/* Whether the endpoint's `allow` refuses the client. */
bool explain_question_is_denied(const struct explain_question *question,
				const struct policy *policy);
/* Adds "endpoint" and "from" if the question has them. "from" has the client's address. Without an
 * endpoint it also has the prefix that placed the client and the shorter prefixes that contain the
 * client; with an endpoint, whether the client is "allowed". */
void explain_question_add_asker(const struct explain_question *question,
				const struct policy *policy, json_t *explained);

#endif
