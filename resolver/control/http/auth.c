/* The SHA-256 of a secret that is sent is compared with the digests of all clients, or of the one
 * that a login names. Each comparison is of the whole digest, so the time of an answer tells
 * nothing about a secret. */
#include "resolver/control/http/auth.h"

#include <assert.h>
#include <ctype.h>
#include <errno.h>
#include <gnutls/crypto.h>
#include <pthread.h>
#include <strings.h>
#include <unistd.h>
#include <uthash.h>

#include "endpoints/entropy.h"
#include "resolver/control/http/client_secret.h"
#include "rules/base.h"

enum { DIGEST_BYTES = TOKEN_PROOF_BYTES };
_Static_assert((int)DIGEST_BYTES == (int)CLIENT_DIGEST_BYTES, "a proof is a client's digest");

struct http_client {
	char id[HTTP_CLIENT_MAX];
	enum client_role role;
	uint8_t digest[DIGEST_BYTES];
};

struct http_secrets {
	size_t count;
	struct http_client clients[];
};

struct ended_key {
	uint64_t client, token; /* hashes */
};

struct ended { /* a token that was logged out */
	UT_hash_handle hh;
	struct ended_key key;
	int64_t expires_s;
};

struct http_auth {
	pthread_mutex_t lock;
	struct http_secrets *secrets; /* NULL: none */
	struct hash_key hash_key;
	struct ended *ended; /* for each client at most HTTP_LOGOUTS_MAX of unexpired tokens */
	struct token_key key;
	struct login_throttle throttle;
	struct login_codes codes;
	struct http_client peer; /* the peer whose token was looked up last */
};

/* A peer of the unix socket is named by this and its user id. No client's id can begin with it.
 */
static const char peer_prefix[] = "uid ";

static bool load_client(struct management_client from, struct http_client *client,
			struct faults *faults)
{
	if (!from.loaded)
		http_secret_load(&from, faults);
	snprintf(client->id, sizeof client->id, "%s", from.id);
	client->role = from.role;
	memcpy(client->digest, from.digest, sizeof client->digest);
	return from.loaded;
}

struct http_secrets *http_secrets_load(const struct management *management, struct faults *faults)
{
	size_t count = management->clients.count;
	struct http_secrets *secrets =
		calloc(1, sizeof *secrets + count * sizeof *secrets->clients);
	if (!secrets) {
		fault_add(faults, FAULT_ERROR, &management->origin, "clients", "%s",
			  err_text(ERR_NOMEM));
		return NULL;
	}
	bool fine = true;
	for (size_t i = 0; i < count; i++) {
		const struct management_client *from = &management->clients.items[i];
		struct http_client *client = &secrets->clients[i];
		if (!load_client(*from, client, faults)) {
			fine = false;
			continue;
		}
		for (size_t other = 0; other < i; other++)
			if (memcmp(secrets->clients[other].digest, client->digest, DIGEST_BYTES) ==
			    0) {
				fault_add(faults, FAULT_ERROR, &from->origin, "secret_file",
					  "client \"%s\" has the same secret; give each its own",
					  secrets->clients[other].id);
				fine = false;
				break;
			}
	}
	secrets->count = count;
	if (fine)
		return secrets;
	http_secrets_free(secrets);
	return NULL;
}

void http_secrets_free(struct http_secrets *secrets)
{
	free(secrets);
}

/* ---- the present clients ---- */

struct http_auth *http_auth_new(void)
{
	struct http_auth *auth = calloc(1, sizeof *auth);
	if (!auth)
		return NULL;
	struct hash_key key;
	entropy_read(auth->key.bytes, sizeof auth->key.bytes);
	entropy_read(&key, sizeof key);
	int err = pthread_mutex_init(&auth->lock, NULL);
	assert(err == 0);
	(void)err;
	login_throttle_init(&auth->throttle, &key);
	auth->hash_key = key;
	return auth;
}

static void forget_all_ended(struct http_auth *auth)
{
	struct ended *ended, *next;

	HASH_ITER (hh, auth->ended, ended, next) {
		HASH_DEL(auth->ended, ended);
		free(ended);
	}
}

void http_auth_free(struct http_auth *auth)
{
	if (!auth)
		return;
	http_secrets_free(auth->secrets);
	pthread_mutex_destroy(&auth->lock);
	login_throttle_release(&auth->throttle);
	forget_all_ended(auth);
	explicit_bzero(&auth->key, sizeof auth->key);
	free(auth);
}

void http_auth_serve(struct http_auth *auth, struct http_secrets *secrets)
{
	pthread_mutex_lock(&auth->lock);
	struct http_secrets *before = auth->secrets;
	auth->secrets = secrets;
	pthread_mutex_unlock(&auth->lock);
	http_secrets_free(before);
}

void http_auth_use_key(struct http_auth *auth, const struct token_key *key)
{
	pthread_mutex_lock(&auth->lock);
	auth->key = *key;
	pthread_mutex_unlock(&auth->lock);
}

static bool may_peer(uid_t uid)
{
	return uid == 0 || uid == geteuid();
}

static enum http_identity identify_peer(struct http_request *request)
{
	if (!may_peer(request->uid))
		return HTTP_WRONG_USER;
	snprintf(request->client, sizeof request->client, "%s%u", peer_prefix,
		 (unsigned)request->uid);
	request->role = ROLE_ADMIN;
	return HTTP_KNOWN;
}

/* The scheme is compared without regard to case (RFC 9110 section 11.1). */
static const char *sent_secret(const struct http_request *request)
{
	static const char bearer[] = "Bearer ";
	const char *value = http_request_header(request, "Authorization");
	if (value && strncasecmp(value, bearer, sizeof bearer - 1) == 0)
		return value + sizeof bearer - 1 + strspn(value + sizeof bearer - 1, " ");
	return http_request_header(request, "X-Auth-Token");
}

static bool is_secret_of(const struct http_client *client, const uint8_t digest[DIGEST_BYTES])
{
	return gnutls_memcmp(client->digest, digest, DIGEST_BYTES) == 0;
}

/* NULL: no client has this secret. All are compared, for constant time. The caller holds the lock.
 */
static const struct http_client *find_by_secret(const struct http_secrets *secrets,
						const uint8_t digest[DIGEST_BYTES])
{
	const struct http_client *found = NULL;
	for (size_t i = 0; secrets && i < secrets->count; i++)
		if (is_secret_of(&secrets->clients[i], digest))
			found = &secrets->clients[i];
	return found;
}

static const struct http_client *find_by_id(const struct http_secrets *secrets, const char *id)
{
	for (size_t i = 0; secrets && i < secrets->count; i++)
		if (strcmp(secrets->clients[i].id, id) == 0)
			return &secrets->clients[i];
	return NULL;
}

/* Reads the peer of the unix socket from its name. False: this is no peer's name, or its user may
 * no longer use the socket. A peer has no secret: its digest is all zero. */
static bool read_peer(const char *id, struct http_client *peer)
{
	size_t length = strlen(peer_prefix);
	char *end;

	if (strncmp(id, peer_prefix, length) != 0 || !isdigit((unsigned char)id[length]))
		return false;
	unsigned long uid = strtoul(id + length, &end, 10);
	if ((*end != '\0' && *end != ' ') || uid > UINT32_MAX || !may_peer((uid_t)uid))
		return false;
	*peer = (struct http_client){.role = ROLE_ADMIN};
	snprintf(peer->id, sizeof peer->id, "%s", id);
	return true;
}

/* ---- logouts ---- */

static struct ended_key ended_key(const struct http_auth *auth, const char *client,
				  int64_t expires_s, const char *id)
{
	const struct hash_key *key = &auth->hash_key;

	return (struct ended_key){hash_bytes(key, 0, client, strlen(client)),
				  hash_bytes(key, (uint64_t)expires_s, id, strlen(id))};
}

/* From here to note_ended, each function's caller holds the lock. */
static struct ended *find_ended(const struct http_auth *auth, const struct ended_key *key)
{
	struct ended *ended;

	/* NOLINTNEXTLINE(*UndefinedBinaryOperatorResult): every byte of a key is set */
	HASH_FIND(hh, auth->ended, key, sizeof *key, ended);
	return ended;
}

static bool is_ended(const struct http_auth *auth, const struct token_claim *claim)
{
	const struct ended_key key = ended_key(auth, claim->client, claim->expires_s, claim->id);

	return find_ended(auth, &key) != NULL;
}

static void remove_ended(struct http_auth *auth, struct ended *ended)
{
	HASH_DEL(auth->ended, ended);
	free(ended);
}

/* Removes the logouts of tokens that expired long ago. If the client still has HTTP_LOGOUTS_MAX
 * logouts, also removes its first one of an expired token. Returns the number of its logouts of
 * tokens that have not expired. */
static unsigned look_at_ended(struct http_auth *auth, uint64_t client, int64_t now_s)
{
	struct ended *ended, *next, *first = NULL;
	unsigned kept = 0, count = 0;

	HASH_ITER (hh, auth->ended, ended, next) {
		if (ended->expires_s <= now_s - HTTP_LOGOUT_KEPT_S) {
			remove_ended(auth, ended);
			continue;
		}
		if (ended->key.client != client)
			continue;
		kept++;
		count += ended->expires_s > now_s;
		if (!first && ended->expires_s <= now_s)
			first = ended;
	}
	if (first && kept >= HTTP_LOGOUTS_MAX)
		remove_ended(auth, first);
	return count;
}

static int add_ended(struct http_auth *auth, const struct ended_key *key, int64_t expires_s)
{
	struct ended *ended = calloc(1, sizeof *ended);

	if (!ended)
		return ERR_NOMEM;
	ended->key = *key;
	ended->expires_s = expires_s;
	HASH_ADD(hh, auth->ended, key, sizeof ended->key, ended);
	if (ended->hh.tbl)
		return 0;
	free(ended);
	return ERR_NOMEM;
}

static int note_ended(struct http_auth *auth, const struct http_logout *logout, int64_t now_s)
{
	const struct ended_key key = ended_key(auth, logout->client, logout->expires_s, logout->id);

	if (find_ended(auth, &key))
		return 0;
	if (look_at_ended(auth, key.client, now_s) >= HTTP_LOGOUTS_MAX)
		return ERR_LIMIT;
	return add_ended(auth, &key, logout->expires_s);
}

int http_auth_note_logout(struct http_auth *auth, const struct http_logout *logout)
{
	const struct ended_key key = ended_key(auth, logout->client, logout->expires_s, logout->id);

	pthread_mutex_lock(&auth->lock);
	int err = find_ended(auth, &key) ? 0 : add_ended(auth, &key, logout->expires_s);
	pthread_mutex_unlock(&auth->lock);
	return err;
}

/* ---- tokens ---- */

/* The token's client; NULL: the token is not valid. `ended`: tokens that were logged out count as
 * valid. The caller holds the lock until it is done with the result, which is auth->peer or in
 * auth->secrets. */
static const struct http_client *find_by_token(struct http_auth *auth, const char *text,
					       int64_t now_s, bool ended, struct token_claim *claim)
{
	if (!token_read(text, claim))
		return NULL;
	const struct http_client *client = read_peer(claim->client, &auth->peer)
						   ? &auth->peer
						   : find_by_id(auth->secrets, claim->client);
	return client && token_holds(text, claim, &auth->key, client->digest, now_s) &&
			       (ended || !is_ended(auth, claim))
		       ? client
		       : NULL;
}

int http_auth_log_out(struct http_auth *auth, const char *token, const char *by,
		      enum client_role role, int64_t now_s, struct http_logout *logout)
{
	struct token_claim claim;
	int err;

	pthread_mutex_lock(&auth->lock);
	const struct http_client *client = find_by_token(auth, token, now_s, true, &claim);
	if (!client) {
		err = ERR_NOT_FOUND;
	} else if (role != ROLE_ADMIN && strcmp(client->id, by) != 0) {
		err = ERR_INVALID;
	} else {
		*logout = (struct http_logout){.expires_s = claim.expires_s};
		memcpy(logout->client, claim.client, sizeof logout->client);
		memcpy(logout->id, claim.id, sizeof logout->id);
		err = note_ended(auth, logout, now_s);
	}
	pthread_mutex_unlock(&auth->lock);
	return err;
}

bool http_auth_knows(struct http_auth *auth, const char *sent, int64_t now_s,
		     char client[HTTP_CLIENT_MAX], enum client_role *role, int64_t *until_s)
{
	uint8_t digest[DIGEST_BYTES];
	struct token_claim claim;
	size_t length = strlen(sent);
	bool may_be_secret = length <= HTTP_SECRET_MAX;
	*until_s = 0;
	if (may_be_secret && !http_secret_digest(sent, length, digest))
		return false;
	pthread_mutex_lock(&auth->lock);
	const struct http_client *found =
		may_be_secret ? find_by_secret(auth->secrets, digest) : NULL;
	if (!found && (found = find_by_token(auth, sent, now_s, false, &claim)))
		*until_s = claim.expires_s;
	if (found) {
		snprintf(client, HTTP_CLIENT_MAX, "%s", found->id);
		*role = found->role;
	}
	pthread_mutex_unlock(&auth->lock);
	return found != NULL;
}

/* Was this a valid token once? A client that sends an expired or logged-out token is not guessing.
 */
static bool was_token(struct http_auth *auth, const char *sent)
{
	struct token_claim claim;
	if (!token_read(sent, &claim))
		return false;
	pthread_mutex_lock(&auth->lock);
	bool ours = find_by_token(auth, sent, claim.expires_s - 1, true, &claim) != NULL;
	pthread_mutex_unlock(&auth->lock);
	return ours;
}

/* Counts a login with a wrong secret. False: its address has sent too many (login_throttle.h). */
static bool count_failure(struct http_auth *auth, const struct http_request *request,
			  const char *client, uint64_t now_us)
{
	return login_throttle_failed(&auth->throttle, &request->from, client,
				     (int64_t)(now_us / 1000000));
}

enum http_identity http_auth_identify(struct http_auth *auth, struct http_request *request,
				      int64_t now_s, uint64_t now_us)
{
	if (request->origin == HTTP_UNIX)
		return identify_peer(request);
	const char *sent = sent_secret(request);
	if (!sent || !*sent)
		return HTTP_NO_CREDENTIALS;
	bool known = http_auth_knows(auth, sent, now_s, request->client, &request->role,
				     &request->until_s);
	if (known)
		return HTTP_KNOWN;
	if (was_token(auth, sent) || count_failure(auth, request, NULL, now_us))
		return HTTP_WRONG_CREDENTIALS;
	return HTTP_TOO_MANY;
}

bool http_auth_still_knows(struct http_auth *auth, const struct http_request *request,
			   int64_t now_s, enum client_role *role)
{
	const char *sent = sent_secret(request);
	char client[HTTP_CLIENT_MAX];
	int64_t until_s;

	*role = request->role;
	if (request->origin == HTTP_UNIX)
		return true;
	return sent && http_auth_knows(auth, sent, now_s, client, role, &until_s) &&
	       strcmp(client, request->client) == 0;
}

unsigned http_auth_wait_s(struct http_auth *auth, const struct http_request *request,
			  uint64_t now_us)
{
	return login_throttle_wait_s(&auth->throttle, &request->from, (int64_t)(now_us / 1000000));
}

struct login_counts http_auth_counts(struct http_auth *auth)
{
	return login_throttle_counts(&auth->throttle);
}

/* The caller holds the lock. */
static int sign(const struct http_auth *auth, const struct http_client *client, int64_t expires_s,
		char token[TOKEN_TEXT_MAX])
{
	struct token_claim claim = {.expires_s = expires_s};
	uint8_t random[TOKEN_ID_BYTES];

	snprintf(claim.client, sizeof claim.client, "%s", client->id);
	entropy_read(random, sizeof random);
	token_id_set(&claim, random);
	return token_sign(&claim, &auth->key, client->digest, token);
}

/* Makes a token for the client with this id and secret. ERR_NOT_FOUND: its secret is another one,
 * or, with *named false, there is no such client. ERR_NOMEM. */
static int issue(struct http_auth *auth, const struct http_login *login, char token[TOKEN_TEXT_MAX],
		 enum client_role *role, bool *named)
{
	uint8_t digest[DIGEST_BYTES];
	int err = ERR_NOT_FOUND;
	*named = false;
	if (!http_secret_digest(login->secret, strlen(login->secret), digest))
		return ERR_NOMEM;
	pthread_mutex_lock(&auth->lock);
	const struct http_client *found = find_by_id(auth->secrets, login->client);
	*named = found != NULL;
	if (found && is_secret_of(found, digest)) {
		*role = found->role;
		err = sign(auth, found, login->expires_s, token);
	}
	pthread_mutex_unlock(&auth->lock);
	return err;
}

int http_auth_login(struct http_auth *auth, const struct http_request *request,
		    const struct http_login *login, uint64_t now_us, char token[TOKEN_TEXT_MAX],
		    enum client_role *role)
{
	bool named;
	int err = issue(auth, login, token, role, &named);
	if (err == ERR_NOT_FOUND && /* an unknown id may be a mistyped secret: not logged */
	    !count_failure(auth, request, named ? login->client : NULL, now_us))
		err = ERR_LIMIT;
	return err;
}

/* ---- codes ---- */

int http_auth_make_code(struct http_auth *auth, const char *who, uint64_t now_us,
			char code[LOGIN_CODE_MAX])
{
	uint8_t random[LOGIN_CODE_BYTES];

	entropy_read(random, sizeof random);
	pthread_mutex_lock(&auth->lock);
	int err = login_codes_make(&auth->codes, who, random, now_us, code);
	pthread_mutex_unlock(&auth->lock);
	return err;
}

int http_auth_login_by_code(struct http_auth *auth, const struct http_request *request,
			    const struct http_code_login *login, char token[TOKEN_TEXT_MAX],
			    char client[HTTP_CLIENT_MAX])
{
	struct http_client peer;

	pthread_mutex_lock(&auth->lock);
	int err = login_codes_take(&auth->codes, login->code, login->now_us, client);
	if (err == 0)
		err = read_peer(client, &peer) ? sign(auth, &peer, login->expires_s, token)
					       : ERR_NOT_FOUND;
	pthread_mutex_unlock(&auth->lock);
	if (err == ERR_NOT_FOUND && !count_failure(auth, request, NULL, login->now_us))
		err = ERR_LIMIT;
	return err;
}
