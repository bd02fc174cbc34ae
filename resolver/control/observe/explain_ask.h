/* The question of an explanation as it is asked in texts, by the command line and by the API: read,
 * given its place in a policy, explained. */
#ifndef SLUICE_EXPLAIN_ASK_H
#define SLUICE_EXPLAIN_ASK_H

#include "resolver/control/observe/explain.h"
#include "rules/err.h"

enum { EXPLAIN_ERROR_MAX = 1024 };

struct explain_texts {
	const char *dash; /* ahead of an option's name in an error: "--", or "" */
	const char *name, *type, *vnet, *endpoint, *from; /* NULL: not given */
};

struct explain_question {
	struct explain_texts texts;
	struct name name;
	uint16_t type;
	struct address source; /* family 0: no `from` */
};

/* ERR_INVALID, and `error` says what would be right. The texts must outlive the question. */
MUST_CHECK int explain_read(struct explain_question *question, const struct explain_texts *texts,
			    const struct hash_key *key, char error[EXPLAIN_ERROR_MAX]);
/* The explanation (explain.h), with "from" or "endpoint" when that was asked; the caller passes it
 * through json_whole. NULL with ERR_NOT_FOUND: there is no such network or endpoint; with
 * ERR_INVALID: it does not say where it is asked; `error` tells. */
json_t *explain_ask(const struct policy *policy, const struct explain_question *question, int *err,
		    char error[EXPLAIN_ERROR_MAX]);
/* Puts to each server that would be asked how it is, by the targets of a status report. */
void explain_add_health(json_t *explained, const json_t *targets);

#endif
