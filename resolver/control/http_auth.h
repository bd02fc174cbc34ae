/* Who a request comes from, and what he may do.
 *
 *     unix socket     the kernel says who the peer is (SO_PEERCRED): root and the server's own user
 *                     are admins, anybody else is refused
 *     http, https     "Authorization: Bearer SECRET" or "X-Auth-Token: SECRET", with the secret of
 *                     one of management.clients: that client, in its role
 *
 * Secrets are read from their files when the configuration is, kept as digests, compared without
 * regard to where they differ, and never logged. The listeners' threads ask, the control thread
 * replaces the clients: a mutex is between them. */
#ifndef SLUICE_HTTP_AUTH_H
#define SLUICE_HTTP_AUTH_H

#include "resolver/control/http.h"
#include "rules/fault.h"
#include "rules/model.h"

enum {
	HTTP_SECRET_MIN = 16, /* characters: what can be guessed is no secret */
	HTTP_SECRET_MAX = 1024,
};

struct http_auth;    /* who is known now */
struct http_secrets; /* who is known by one configuration */

/* Reads the clients' secrets; a file that cannot be used, or whose secret another client has, is a
 * fault and makes it NULL. */
struct http_secrets *http_secrets_load(const struct management *management, struct faults *faults);
void http_secrets_free(struct http_secrets *secrets);

/* Nobody is known by secret yet. NULL without memory. */
struct http_auth *http_auth_new(void);
void http_auth_free(struct http_auth *auth);
/* From now on these are known; takes them over. */
void http_auth_serve(struct http_auth *auth, struct http_secrets *secrets);

enum http_identity { HTTP_KNOWN, HTTP_NO_CREDENTIALS, HTTP_WRONG_CREDENTIALS, HTTP_WRONG_USER };

/* Any thread. When known, the request's client and role say who. */
enum http_identity http_auth_identify(struct http_auth *auth, struct http_request *request);

#endif
