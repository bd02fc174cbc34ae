/* Who a request comes from, and what it may do.
 *
 *     unix socket     the kernel says who the peer is (SO_PEERCRED): root and the server's own user
 *                     are admins, anybody else is refused
 *     http, https     "Authorization: Bearer SECRET" or "X-Auth-Token: SECRET", with the secret of
 *                     one of management.clients: that client, in its role; or with a token that
 *                     the client got for it (token.h), as long as that holds; or with a token
 *                     that a peer of the unix socket got for a code (login_code.h): that peer
 *
 * Secrets are read from their files when the configuration is, kept as digests, compared without
 * regard to where they differ, and never logged. A token ends by itself, when its client is gone or
 * has another secret, and when the client logs out. The listeners' threads ask, the control thread
 * replaces the clients: a mutex is between them.
 *
 * Nothing else lets anybody in: no cookie, no address, no Origin. So a page in a browser on this
 * machine has no rights: it can send requests to 127.0.0.1, but not with such a header, which
 * nothing here allows it to add. */
#ifndef SLUICE_HTTP_AUTH_H
#define SLUICE_HTTP_AUTH_H

#include "resolver/control/http/http.h"
#include "resolver/control/http/login_code.h"
#include "resolver/control/http/login_throttle.h"
#include "resolver/control/http/token.h"
#include "rules/fault.h"
#include "rules/schema/model.h"

struct http_auth;    /* who is known now */
struct http_secrets; /* who is known by one configuration */

/* Reads the clients' secrets where they are not loaded; a file that cannot be used, or whose secret
 * another client has, is a fault and makes it NULL. */
struct http_secrets *http_secrets_load(const struct management *management, struct faults *faults);
void http_secrets_free(struct http_secrets *secrets);

/* Nobody is known by secret yet, and tokens are signed with a key that nobody knows. NULL without
 * memory. */
struct http_auth *http_auth_new(void);
void http_auth_free(struct http_auth *auth);
/* From now on these are known; takes them over. */
void http_auth_serve(struct http_auth *auth, struct http_secrets *secrets);

/* From now on tokens are signed with this key, and others hold no more. */
void http_auth_use_key(struct http_auth *auth, const struct token_key *key);

enum http_identity {
	HTTP_KNOWN,
	HTTP_NO_CREDENTIALS,
	HTTP_WRONG_CREDENTIALS,
	HTTP_WRONG_USER,
	HTTP_TOO_MANY, /* The credentials are wrong, and too many from this address were wrong
			* lately: the answer is late. */
};
#define HTTP_TOO_MANY_TEXT                                                                         \
	"too many logins from this address have failed; wait as long as Retry-After says"

/* Any thread; now_s is the wall clock's. When known, the request's client and role say who, and
 * until_s how long. */
enum http_identity http_auth_identify(struct http_auth *auth, struct http_request *request,
				      int64_t now_s);
/* The same of what was sent, a secret or a token. */
bool http_auth_knows(struct http_auth *auth, const char *sent, int64_t now_s,
		     char client[HTTP_CLIENT_MAX], enum client_role *role, int64_t *until_s);

/* Whether the request's client would be let in again now. Since its head came, clients may have
 * changed, or its token may have ended. *role is the client's role now. */
bool http_auth_still_knows(struct http_auth *auth, const struct http_request *request,
			   int64_t now_s, enum client_role *role);

/* A token that ends ahead of its time. Those of the version before have no id: of them all end that
 * the client got in that second. */
struct http_logout {
	char client[HTTP_CLIENT_MAX];
	int64_t expires_s;
	char id[TOKEN_ID_MAX];
};
enum { HTTP_LOGOUTS_MAX = 4096 }; /* of one client, whose tokens would still be good */

/* The token is good no more. It may have been ended before, for whoever has to try again to keep
 * that. A client that is no admin may end only its own: ERR_INVALID. ERR_NOT_FOUND: it is no token,
 * or one at its end; ERR_LIMIT: it is one more than HTTP_LOGOUTS_MAX, and stays good; ERR_NOMEM. */
MUST_CHECK int http_auth_log_out(struct http_auth *auth, const char *token, const char *by,
				 enum client_role role, int64_t now_s, struct http_logout *logout);
/* The same of one that an earlier process has ended. ERR_NOMEM. */
MUST_CHECK int http_auth_note_logout(struct http_auth *auth, const struct http_logout *logout);

struct http_login {
	const char *client, *secret;
	int64_t expires_s;
};
/* Gives a client a token for its id and secret. ERR_NOT_FOUND: there is no client with both;
 * ERR_LIMIT: not either, and this address has sent too many wrong secrets (login_throttle.h):
 * http_auth_wait_s says when it may try again; ERR_NOMEM. */
MUST_CHECK int http_auth_login(struct http_auth *auth, const struct http_request *request,
			       const struct http_login *login, int64_t now_s,
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
	int64_t now_s, expires_s;
};
MUST_CHECK int http_auth_login_by_code(struct http_auth *auth, const struct http_request *request,
				       const struct http_code_login *login,
				       char token[TOKEN_TEXT_MAX], char client[HTTP_CLIENT_MAX]);

/* Seconds until HTTP_TOO_MANY is over for where it comes from. */
unsigned http_auth_wait_s(struct http_auth *auth, const struct http_request *request,
			  int64_t now_s);
struct login_counts http_auth_counts(struct http_auth *auth);

#endif
