/* What Azure's clients need ahead of /subscriptions: where things are in this cloud, and a token
 * for a management client's id and secret, in the shape of AD FS, which the clients expect of a
 * cloud that is not Microsoft's.
 *
 *     GET  /metadata/endpoints, /metadata/clouds      where to log in        az cloud register
 *     GET  /adfs/.well-known/openid-configuration     where tokens are from  every client
 *     GET  /adfs/adfs/.well-known/...                 the same of the tenant "adfs"
 *     POST /adfs/oauth2/token                         RFC 6749 section 4.4: client credentials
 *
 * Links lead to the Host of the request, so they work under every name of the server. Tokens are
 * those of token.h, not JWTs: clients need not understand them. Deliberately not here: users,
 * browsers and device codes, refresh tokens, Basic authentication. */
#include "resolver/control/api/azure/api_arm.h"
#include "resolver/control/base/json.h"
#include "resolver/control/http/token.h"
#include "resolver/control/service/service.h"

enum { URL_MAX = API_BASE_MAX + 64 };

static json_t *url_json(const char *base, const char *path)
{
	char url[URL_MAX];
	snprintf(url, sizeof url, "%s%s", base, path);
	return json_text(url);
}

/* ---- where things are ---- */

static json_t *authentication_json(const char *base)
{
	return json_make("{s:o, s:[o], s:s, s:s}", "loginEndpoint", url_json(base, "/adfs"),
			 "audiences", url_json(base, "/"), "tenant", "adfs", "identityProvider",
			 "ADFS");
}

/* GET /metadata/endpoints */
static void show_metadata_endpoints(struct api_request *request)
{
	const char *base = api_base_needed(request);
	if (base)
		api_reply_json(request, 200,
			       json_make("{s:o, s:o, s:o, s:o}", "galleryEndpoint",
					 url_json(base, "/"), "graphEndpoint", url_json(base, "/"),
					 "portalEndpoint", url_json(base, "/"), "authentication",
					 authentication_json(base)),
			       NULL);
}

/* GET /metadata/clouds: what ARM_CLOUD_METADATA_URL may name */
static void show_metadata_clouds(struct api_request *request)
{
	const char *base = api_base_needed(request);
	if (base)
		api_reply_json(request, 200,
			       json_make("[{s:s, s:o, s:o, s:o, s:o, s:{}}]", "name", "sluice",
					 "resourceManager", json_text(base), "graphAudience",
					 url_json(base, "/"), "graph", url_json(base, "/"),
					 "authentication", authentication_json(base), "suffixes"),
			       NULL);
}

/* ---- OpenID's discovery ---- */

/* GET /adfs/.well-known/openid-configuration. Not all that it names exists: clients want to see an
 * authorization endpoint, but do not ask it when they log in by a secret. */
static void show_openid(struct api_request *request)
{
	const char *base = api_base_needed(request);
	if (!base)
		return;
	json_t *document =
		json_make("{s:o, s:o, s:o, s:o}", "issuer", url_json(base, "/adfs"),
			  "authorization_endpoint", url_json(base, "/adfs/oauth2/authorize"),
			  "token_endpoint", url_json(base, "/adfs/oauth2/token"), "jwks_uri",
			  url_json(base, "/adfs/discovery/keys"));
	json_put(document, "grant_types_supported", json_make("[s]", "client_credentials"));
	json_put(document, "token_endpoint_auth_methods_supported",
		 json_make("[s]", "client_secret_post"));
	json_put(document, "response_types_supported", json_make("[s]", "token"));
	api_reply_json(request, 200, document, NULL);
}

/* GET /adfs/discovery/keys: none, as nobody else can check a token. */
static void show_openid_keys(struct api_request *request)
{
	api_reply_json(request, 200, json_make("{s:[]}", "keys"), NULL);
}

/* ---- the token ---- */

/* One field of the form; NULL: it is missing, and that has been answered. */
static const char *wanted(struct api_request *request, const char *name)
{
	const char *value = api_form(request, name);
	if (value && *value)
		return value;
	api_fail(request, 400, "invalid_request", "the form has no %s", name);
	return NULL;
}

static void answer_token(struct api_request *request, const char *token)
{
	api_answer_header(request, "Cache-Control", "no-store"); /* RFC 6749 section 5.1 */
	api_reply_json(request, 200,
		       json_make("{s:o, s:s, s:i}", "access_token", json_text(token), "token_type",
				 "Bearer", "expires_in", TOKEN_LIFE_S),
		       NULL);
}

/* POST /adfs/oauth2/token. `scope` and `resource` are taken as they come: a token is good for
 * everything that its client may do. */
static void issue_token(struct api_request *request)
{
	char token[TOKEN_TEXT_MAX];
	enum client_role role;
	const char *grant = wanted(request, "grant_type");
	const char *client = grant ? wanted(request, "client_id") : NULL;
	const char *secret = client ? wanted(request, "client_secret") : NULL;
	if (!secret)
		return;
	if (strcmp(grant, "client_credentials") != 0) {
		api_fail(request, 400, "unsupported_grant_type",
			 "the grant_type \"%.100s\" is not supported; use client_credentials",
			 grant);
		return;
	}
	const struct http_login login = {client, secret, time(NULL) + TOKEN_LIFE_S};
	int err = api_login(request, &login, token, &role);
	if (err == ERR_LIMIT)
		api_fail(request, 429, "temporarily_unavailable", HTTP_TOO_MANY_TEXT);
	else if (err == ERR_NOT_FOUND)
		api_fail(request, 401, "invalid_client",
			 "no client of management.clients has this id and secret");
	else if (err != 0)
		api_fail(request, 503, NULL, "%s", err_text(err));
	else
		answer_token(request, token);
	explicit_bzero(token, sizeof token);
}

/* ---- the API ---- */

/* RFC 6749 section 5.2, and 4.1.2.1 for the last. */
static const struct api_code codes[] = {
	{400, "invalid_request"},
	{401, "invalid_client"},
	{500, "temporarily_unavailable"},
	{0, NULL},
};

static json_t *error_json(const struct api_error *error)
{
	return json_make("{s:o, s:o}", "error", json_text(error->code), "error_description",
			 json_text(error->text));
}

#define OPENID "/.well-known/openid-configuration"

static const struct api_route routes[] = {
	{"GET", "/metadata/endpoints", API_NOTHING, show_metadata_endpoints, 0},
	{"GET", "/metadata/clouds", API_NOTHING, show_metadata_clouds, 0},
	{"GET", "/adfs" OPENID, API_NOTHING, show_openid, 0},
	{"GET", "/adfs/adfs" OPENID, API_NOTHING, show_openid, 0},
	{"GET", "/adfs/discovery/keys", API_NOTHING, show_openid_keys, 0},
	{"POST", "/adfs/oauth2/token", API_FORM, issue_token, API_LOGIN_BODY_MAX},
	{.method = NULL},
};
const struct api_dialect api_arm_login = {.roots = (const char *const[]){"adfs", NULL},
					  .routes = routes,
					  .codes = codes,
					  .error = error_json};
