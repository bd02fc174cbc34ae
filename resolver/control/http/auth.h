/* Identifies the client of a request, and its role.
 *
 *     unix socket     the kernel says who the peer is (SO_PEERCRED): root and the server's own user
 *                     are admins, anybody else is refused
 *     http, https     "Authorization: Bearer SECRET" or "X-Auth-Token: SECRET". The secret of one
 *                     of management.clients identifies this client, in its role. So does a valid
 *                     token that the client got for its secret (token.h). A token that a browser
 *                     got for a code (login_code.h) identifies the peer of the unix socket for
 *                     which the code was made, as an admin
 *
 * Secrets are read from their files with the configuration, kept as digests, compared in constant
 * time, and never logged. A token ends when it expires, when its client is removed or gets another
 * secret, and when the client logs out. Listeners' threads identify clients while the control
 * thread may replace them, so a mutex protects them.
 *
 * Nothing else counts as credentials: no cookie, no address, no Origin. So a web page in a browser
 * on this machine has no rights: it can send requests to 127.0.0.1, but the browser does not let it
 * add one of these headers. */
#ifndef SLUICE_HTTP_AUTH_H
#define SLUICE_HTTP_AUTH_H

#include "resolver/control/http/http.h"
#include "resolver/control/http/login_code.h"
#include "resolver/control/http/login_throttle.h"
#include "resolver/control/http/token.h"
#include "rules/fault.h"
#include "rules/schema/model.h"

struct http_auth;    /* the present clients, key and logouts */
struct http_secrets; /* the clients of one configuration */

/* Reads the clients' secrets that are not loaded yet. NULL: a file cannot be used, or two clients
 * have the same secret; the faults tell which. */
struct http_secrets *http_secrets_load(const struct management *management, struct faults *faults);
void http_secrets_free(struct http_secrets *secrets);

/* Begins without clients, and with a random key for tokens. NULL without memory. */
struct http_auth *http_auth_new(void);
void http_auth_free(struct http_auth *auth);
/* Replaces the clients; takes ownership of `secrets`. */
void http_auth_serve(struct http_auth *auth, struct http_secrets *secrets);

/* Signs tokens with this key from now on; tokens of another key are no longer valid. */
void http_auth_use_key(struct http_auth *auth, const struct token_key *key);

enum http_identity {
	HTTP_KNOWN,
	HTTP_NO_CREDENTIALS,
	HTTP_WRONG_CREDENTIALS,
	HTTP_WRONG_USER,
	HTTP_TOO_MANY, /* wrong, like too many others from this address: answer late */
};
#define HTTP_TOO_MANY_TEXT                                                                         \
	"too many logins from this address have failed; wait as long as Retry-After says"

/* Identifies the request's client. Any thread. In all functions now_s is the time of the wall
 * clock, and now_us that of CLOCK_MONOTONIC. HTTP_KNOWN: sets the request's client and role, and
 * until_s, the end of its credentials. */
enum http_identity http_auth_identify(struct http_auth *auth, struct http_request *request,
				      int64_t now_s, uint64_t now_us);
/* Identifies the client of credentials alone, a secret or a token. False: they are wrong. */
bool http_auth_knows(struct http_auth *auth, const char *sent, int64_t now_s,
		     char client[HTTP_CLIENT_MAX], enum client_role *role, int64_t *until_s);

/* Would the request's credentials be accepted again now? Since its head was read, clients may have
 * changed, or its token may have ended. *role is the client's role now. */
bool http_auth_still_knows(struct http_auth *auth, const struct http_request *request,
			   int64_t now_s, enum client_role *role);

/* A logout: a token that is invalid before it expires. Tokens of the previous version have no id;
 * of these, a logout covers all that the client got in the same second. */
struct http_logout {
	char client[HTTP_CLIENT_MAX];
	int64_t expires_s;
	char id[TOKEN_ID_MAX];
};
enum {
	HTTP_LOGOUTS_MAX = 4096, /* of one client; those of expired tokens give way */
	/* How long a logout is kept, at most, after its token has expired: if the clock was ahead,
	 * setting it back would make the token valid again. */
	HTTP_LOGOUT_KEPT_S = 24 * 60 * 60,
};

/* Makes the token invalid. It may be logged out already, because a caller that could not store the
 * logout tries again. ERR_INVALID: a client that is no admin may log out only itself.
 * ERR_NOT_FOUND: it is no valid token. ERR_LIMIT: the client has HTTP_LOGOUTS_MAX logouts of
 * tokens that have not expired, and the token stays valid. ERR_NOMEM. */
MUST_CHECK int http_auth_log_out(struct http_auth *auth, const char *token, const char *by,
				 enum client_role role, int64_t now_s, struct http_logout *logout);
/* Notes a logout of an earlier process. ERR_NOMEM. */
MUST_CHECK int http_auth_note_logout(struct http_auth *auth, const struct http_logout *logout);

struct http_login {
	const char *client, *secret;
	int64_t expires_s;
};
/* Gives a client a token for its id and secret. ERR_NOT_FOUND: no client has both. ERR_LIMIT: the
 * same, and this address has sent too many wrong secrets (login_throttle.h); http_auth_wait_s tells
 * when it may try again. ERR_NOMEM. */
MUST_CHECK int http_auth_login(struct http_auth *auth, const struct http_request *request,
			       const struct http_login *login, uint64_t now_us,
			       char token[TOKEN_TEXT_MAX], enum client_role *role);

/* Makes a code with which the peer `who` of the unix socket logs in over HTTP. The history shows
 * its changes under that name. ERR_NOMEM. */
MUST_CHECK int http_auth_make_code(struct http_auth *auth, const char *who, uint64_t now_us,
				   char code[LOGIN_CODE_MAX]);
/* Exchanges a code for a token with an admin's rights, and writes the client's name. Each code
 * works once. Errors are those of http_auth_login; a wrong code counts as a failed login. */
struct http_code_login {
	const char *code;
	uint64_t now_us;
	int64_t expires_s;
};
MUST_CHECK int http_auth_login_by_code(struct http_auth *auth, const struct http_request *request,
				       const struct http_code_login *login,
				       char token[TOKEN_TEXT_MAX], char client[HTTP_CLIENT_MAX]);

/* Seconds until the request's address is below the limit of HTTP_TOO_MANY. */
unsigned http_auth_wait_s(struct http_auth *auth, const struct http_request *request,
			  uint64_t now_us);
struct login_counts http_auth_counts(struct http_auth *auth);

#endif
