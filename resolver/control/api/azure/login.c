/* What Azure's clients read before /subscriptions: the endpoints of this cloud, and a token for a
 * management client's id and secret. Most clients assume that any cloud but Microsoft's uses AD
 * FS. Terraform's provider azurerm refuses such a cloud, so it gets the same answers in the form of
 * Entra ID.
 *
 *     GET  /metadata/endpoints                        the URL of the login   az, Terraform
 *     GET  /metadata/clouds                           the same               az
 *     GET  /adfs/.well-known/openid-configuration     the URL of tokens      every client
 *     GET  /adfs/adfs/.well-known/...                 the same for the tenant "adfs"
 *     POST /adfs/oauth2/token                         RFC 6749 section 4.4: client credentials
 *     POST /adfs/{tenant}/oauth2/v2.0/token           the same, for a JWT    Terraform
 *
 * Links lead to the Host of the request, so they work under every name of the server. Tokens are
 * those of token.h. Not here: users, browsers and device codes, refresh tokens, Basic
 * authentication. */
#include "resolver/control/api/azure/api_arm.h"
#include "resolver/control/base/json.h"
#include "resolver/control/http/token.h"
#include "resolver/control/service/service.h"
#include "rules/base.h"

enum { URL_MAX = API_BASE_MAX + 64 };

static json_t *url_json(const char *base, const char *path)
{
	char url[URL_MAX];
	snprintf(url, sizeof url, "%s%s", base, path);
	return json_text(url);
}

/* ---- metadata ---- */

static json_t *authentication_json(const char *base, const char *tenant, const char *provider)
{
	return json_make("{s:o, s:[o], s:s, s:s}", "loginEndpoint", url_json(base, "/adfs"),
			 "audiences", url_json(base, "/"), "tenant", tenant, "identityProvider",
			 provider);
}

static json_t *adfs_json(const char *base)
{
	return authentication_json(base, TOKEN_TENANT, "ADFS");
}

/* Takes ownership of the authentication. The provider azurerm does not start without these two
 * suffixes; they are Azure's, and it uses neither. */
static json_t *cloud_json(const char *base, json_t *authentication)
{
	static const char *const roots[] = {"gallery", "graph", "graphAudience",
					    "microsoftGraphResourceId", "portal"};
	json_t *cloud = json_make("{s:s, s:o, s:o}", "name", "sluice", "resourceManager",
				  json_text(base), "authentication", authentication);

	for (size_t i = 0; i < COUNT(roots); i++)
		json_put(cloud, roots[i], url_json(base, "/"));
	json_put(cloud, "suffixes",
		 json_make("{s:s, s:s}", "storage", "core.windows.net", "keyVaultDns",
			   "vault.azure.net"));
	return cloud;
}

/* GET /metadata/endpoints. Since version 2022-09-01 the answer describes the cloud; older versions
 * (az 2.45), or none, get its endpoints. */
static void show_metadata_endpoints(struct api_request *request)
{
	const char *version = api_query(request, "api-version"), *base = api_base_needed(request);

	if (!base)
		return;
	if (version && strcmp(version, "2022-09-01") >= 0)
		api_reply_json(request, 200,
			       cloud_json(base, authentication_json(base, "common", "AAD")), NULL);
	else
		api_reply_json(request, 200,
			       json_make("{s:o, s:o, s:o, s:o}", "galleryEndpoint",
					 url_json(base, "/"), "graphEndpoint", url_json(base, "/"),
					 "portalEndpoint", url_json(base, "/"), "authentication",
					 adfs_json(base)),
			       NULL);
}

/* GET /metadata/clouds: a document for ARM_CLOUD_METADATA_URL. */
static void show_metadata_clouds(struct api_request *request)
{
	const char *base = api_base_needed(request);

	if (base)
		api_reply_json(request, 200, json_make("[o]", cloud_json(base, adfs_json(base))),
			       NULL);
}

/* ---- OpenID's discovery ---- */

/* GET /adfs/.well-known/openid-configuration. The authorization endpoint does not exist: clients
 * require one, but do not use it to log in by a secret. */
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

/* GET /adfs/discovery/keys: none, because no client can check a token. */
static void show_openid_keys(struct api_request *request)
{
	api_reply_json(request, 200, json_make("{s:[]}", "keys"), NULL);
}

/* ---- the token ---- */

/* A field of the form; NULL: it is missing, and the request has been answered. */
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

/* Makes a token for the client's id and secret in the form. False: they are wrong, and the request
 * has been answered. `scope` and `resource` are ignored: a token is valid for all that its client
 * may do. */
static bool log_in(struct api_request *request, char token[TOKEN_TEXT_MAX])
{
	enum client_role role;
	const char *grant = wanted(request, "grant_type");
	const char *client = grant ? wanted(request, "client_id") : NULL;
	const char *secret = client ? wanted(request, "client_secret") : NULL;
	if (!secret)
		return false;
	if (strcmp(grant, "client_credentials") != 0) {
		api_fail(request, 400, "unsupported_grant_type",
			 "the grant_type \"%.100s\" is not supported; use client_credentials",
			 grant);
		return false;
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
	return err == 0;
}

/* POST /adfs/oauth2/token */
static void issue_token(struct api_request *request)
{
	char token[TOKEN_TEXT_MAX];

	if (log_in(request, token))
		answer_token(request, token);
	explicit_bzero(token, sizeof token);
}

/* POST /adfs/{tenant}/oauth2/v2.0/token. Any tenant is accepted; all mean the one tenant. */
static void issue_jwt(struct api_request *request)
{
	char token[TOKEN_TEXT_MAX], jwt[TOKEN_JWT_MAX];

	if (log_in(request, token)) {
		if (token_as_jwt(token, jwt) == 0)
			answer_token(request, jwt);
		else
			api_fail_memory(request);
	}
	explicit_bzero(token, sizeof token);
	explicit_bzero(jwt, sizeof jwt);
}

/* ---- the API ---- */

/* RFC 6749 section 5.2; the last one is of section 4.1.2.1. */
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
	{"GET", "/metadata/endpoints", API_NOTHING, show_metadata_endpoints, 0, NULL},
	{"GET", "/metadata/clouds", API_NOTHING, show_metadata_clouds, 0, NULL},
	{"GET", "/adfs" OPENID, API_NOTHING, show_openid, 0, NULL},
	{"GET", "/adfs/adfs" OPENID, API_NOTHING, show_openid, 0, NULL},
	{"GET", "/adfs/discovery/keys", API_NOTHING, show_openid_keys, 0, NULL},
	{"POST", "/adfs/oauth2/token", API_FORM, issue_token, API_LOGIN_BODY_MAX, NULL},
	{"POST", "/adfs/{tenant}/oauth2/v2.0/token", API_FORM, issue_jwt, API_LOGIN_BODY_MAX, NULL},
	{.method = NULL},
};
const struct api_dialect api_arm_login = {.roots = (const char *const[]){"adfs", NULL},
					  .routes = routes,
					  .codes = codes,
					  .error = error_json};
