/* Tokens that were ended ahead of their time (http/auth.h), kept in the state until they would have
 * ended by themselves: a restart makes none of them good again. */
#ifndef SLUICE_LOGOUTS_H
#define SLUICE_LOGOUTS_H

#include "resolver/control/http/auth.h"
#include "resolver/control/resource/inventory.h"
#include "resolver/control/store/pairs.h"

/* Keeps it, and removes some rows that are over. Without a state it is for this process only. An
 * error: the state cannot keep it, which is logged. */
MUST_CHECK int logouts_note(struct inventory *inventory, const struct http_logout *logout,
			    int64_t now_s);
/* Those of earlier processes. */
void logouts_load(struct inventory *inventory, struct http_auth *auth, int64_t now_s);
/* Whether a row of the state's uses is a logout that still counts. */
bool logouts_counts(const struct pairs_use *use, int64_t now_s);

#endif
