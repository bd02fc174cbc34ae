/* Tokens that ended early (http/auth.h), kept in the state for HTTP_LOGOUT_KEPT_S after they would
 * have expired: a restart must not make them valid again. */
#ifndef SLUICE_LOGOUTS_H
#define SLUICE_LOGOUTS_H

#include "resolver/control/http/auth.h"
#include "resolver/control/store/pairs.h"
#include "resolver/control/store/store.h"

/* Stores the logout, and removes some expired rows. Without a state it lasts only for this process.
 * An error: the state cannot store it, which is logged. */
MUST_CHECK int logouts_note(struct store *store, const struct http_logout *logout, int64_t now_s);
/* Loads the logouts of earlier processes. */
void logouts_load(struct store *store, struct http_auth *auth, int64_t now_s);
/* Whether a row of the state's uses is a logout that is still kept. */
bool logouts_counts(const struct pairs_use *use, int64_t now_s);

#endif
