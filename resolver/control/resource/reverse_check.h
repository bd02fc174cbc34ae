/* Checks whether the name of an address leads back to the address. Mail servers check that before
 * they accept mail (RFC 1912 section 2.1; "iprev" in RFC 8601 section 2.7.3). Questions go through
 * the server's own resolver (ask.h), never further than a client's question would.
 *
 *     subject        there                  and back
 *     192.0.2.1      PTR  ─► mail.test.     A, AAAA ─► 192.0.2.1     one path back is enough
 *     mail.test.     A, AAAA ─► 192.0.2.1   PTR     ─► mail.test.    every path must lead back */
#ifndef SLUICE_REVERSE_CHECK_H
#define SLUICE_REVERSE_CHECK_H

#include <jansson.h>

#include "resolver/server/server.h"

enum { REVERSE_CHECK_MS = 3000, REVERSE_CHECK_PATHS_MAX = 10 };

#define REVERSE_RESULT_MAP(X)                                                                      \
	X(CONFIRMED, "confirmed")                                                                  \
	X(MISMATCH, "mismatch") /* address: no path leads back; name: a path ends elsewhere */     \
	X(MISSING, "missing")   /* the subject leads nowhere, or a name's address has no PTR */    \
	X(FAILED, "failed")     /* a needed answer is missing */
enum reverse_result {
#define X(name, text) REVERSE_##name,
	REVERSE_RESULT_MAP(X)
#undef X
};
const char *reverse_result_text(enum reverse_result result);

struct reverse_question {
	struct address address; /* family 0: the subject is the name */
	/* NULL: the subject is the address. With both, the subject is the address, which is taken
	 * to have this name and no other. */
	const char *name;
	const char *network; /* whose view is used; NULL: the default resolver's */
};

/* Asks, and calls on_end once, within REVERSE_CHECK_MS and perhaps before the return, with
 *
 *     {"subject", "result", "text": the result for people,
 *      "paths": [{"leads_to", "back_to": [...], "confirmed", "error"}]}
 *
 * which on_end releases (NULL: out of memory). A server that stops ends it as FAILED
 * (server_release). ERR_INVALID: no domain name; ERR_NOMEM. After an error on_end is not called. */
MUST_CHECK int reverse_check(struct server *server, const struct reverse_question *question,
			     void (*on_end)(void *context, enum reverse_result result,
					    json_t *report),
			     void *context);

#endif
