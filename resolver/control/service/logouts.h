/* Tokens that were ended ahead of their time (http/auth.h), kept in the state until they would have
 * ended by themselves: a restart makes none of them good again. */
#ifndef SLUICE_LOGOUTS_H
#define SLUICE_LOGOUTS_H

#include "resolver/control/http/auth.h"
#include "resolver/control/resource/inventory.h"

/* Without a state, or with one that fails, which is logged, it is for this process only. */
void logouts_note(struct inventory *inventory, const struct http_logout *logout);
/* Those of earlier processes. */
void logouts_load(struct inventory *inventory, struct http_auth *auth, int64_t now_s);
bool logouts_is_row(const char *key); /* among the state's uses */

#endif
