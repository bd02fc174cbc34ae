/* The part of OpenStack's identity service (Keystone, v3) that clients need before /v2: versions,
 * and a token for a password, with a catalog.
 *
 *     GET /, GET /v3         the URL of v3                  (keystoneauth asks for it first)
 *     POST /v3/auth/tokens   a client's id and secret  ─►  X-Subject-Token, and the URL of dns
 *     DELETE                 ends the token in X-Subject-Token
 *     GET /v2                the version, that of Designate
 *
 * The user is a management client. Its project and domains are taken as sent: there is one tenant,
 * and all its users see the same. Links lead to the Host of the request, so they work under every
 * name of the server. Not here: users, projects and roles as resources, and a token for another
 * token. */
#include "resolver/control/api/openstack/openstack.h"
#include "resolver/control/api/reverse.h"
#include "resolver/control/base/json.h"
#include "resolver/control/base/uuid.h"
#include "resolver/control/http/token.h"
#include "resolver/control/service/logouts.h"
#include "resolver/control/service/service.h"
#include "rules/base.h"

enum { TIME_TEXT_MAX = 40 };

static const char updated[] = "2026-01-01T00:00:00Z";
static const char media_type[] = "application/vnd.openstack.identity-v3+json";

/* ---- versions ---- */

static json_t *links_to(const char *base, const char *path)
{
	char url[API_BASE_MAX + 16];
	snprintf(url, sizeof url, "%s%s", base, path);
	return json_make("[{s:s, s:o}]", "rel", "self", "href", json_text(url));
}

static json_t *version_json(const char *base)
{
	json_t *types = json_make("[{s:s, s:s}]", "base", "application/json", "type", media_type);
	return json_make("{s:s, s:s, s:s, s:o, s:o}", "id", "v3.14", "status", "stable", "updated",
			 updated, "links", links_to(base, "/v3/"), "media-types", types);
}

/* GET /: 300, because the client has to choose a version; a browser is sent to the dashboard. */
static void list_versions(struct api_request *request)
{
	const char *base = api_base_needed(request);
	if (base && api_accepts(request, "text/html")) {
		api_answer_header(request, "Location", "/ui/");
		api_reply_empty(request, 303);
		return;
	}
	if (base)
		api_reply_json(request, 300,
			       json_make("{s:{s:[o]}}", "versions", "values", version_json(base)),
			       NULL);
}

/* GET /v3 */
static void show_version(struct api_request *request)
{
	const char *base = api_base_needed(request);
	if (base)
		api_reply_json(request, 200, json_make("{s:o}", "version", version_json(base)),
			       NULL);
}

/* ---- the login ---- */

struct login {
	const char *user, *secret;
	const json_t *user_domain, *project; /* as sent; NULL: missing */
};

static bool fail_body(struct api_request *request, const char *field, const char *text)
{
	api_fail(request, 400, NULL, "%s: %s", field, text);
	return false;
}

static bool fail_credentials(struct api_request *request, const char *text)
{
	const char *base = api_base(request);
	char challenge[API_BASE_MAX + 32];
	if (base) {
		snprintf(challenge, sizeof challenge, "Keystone uri=\"%s/v3\"", base);
		api_answer_header(request, "WWW-Authenticate", challenge);
	}
	api_fail(request, 401, NULL, "%s", text);
	return false;
}

static bool check_methods(struct api_request *request, const json_t *methods)
{
	if (!json_is_array(methods) || json_array_size(methods) == 0)
		return fail_body(request, "auth.identity.methods",
				 "must be a list of methods: [\"password\"]");
	for (size_t i = 0; i < json_array_size(methods); i++) {
		const char *method = json_string_value(json_array_get(methods, i));
		if (!method)
			return fail_body(request, "auth.identity.methods",
					 "every method must be a string");
		if (strcmp(method, "password") != 0)
			return fail_credentials(request,
						"Attempted to authenticate with an unsupported "
						"method; there is only \"password\"");
	}
	return true;
}

/* False: the body is wrong, and the request has been answered. */
static bool read_login(struct api_request *request, struct login *login)
{
	const json_t *auth = json_object_get(request->body, "auth");
	const json_t *identity = json_object_get(auth, "identity");
	const json_t *password = json_object_get(identity, "password");
	const json_t *user = json_object_get(password, "user");
	const json_t *name = json_object_get(user, "name");
	if (!json_is_object(auth))
		return fail_body(request, "auth", "it is missing, or not an object");
	if (!json_is_object(identity))
		return fail_body(request, "auth.identity", "it is missing, or not an object");
	if (!check_methods(request, json_object_get(identity, "methods")))
		return false;
	if (!json_is_object(user))
		return fail_body(request, "auth.identity.password.user",
				 "it is missing, or not an object");
	*login = (struct login){
		.user = json_string_value(name ? name : json_object_get(user, "id")),
		.secret = json_string_value(json_object_get(user, "password")),
		.user_domain = json_object_get(user, "domain"),
		.project = json_object_get(json_object_get(auth, "scope"), "project"),
	};
	if (!login->user)
		return fail_body(
			request, "auth.identity.password.user.name",
			"it is missing, or not a string; give the id of a management client");
	if (!login->secret)
		return fail_body(request, "auth.identity.password.user.password",
				 "it is missing, or not a string");
	return true;
}

/* ---- the token ---- */

/* The id and name in `sent`; `id` and `name` are the defaults. */
static json_t *named(const json_t *sent, const char *id, const char *name)
{
	const char *sent_id = json_string_value(json_object_get(sent, "id"));
	const char *sent_name = json_string_value(json_object_get(sent, "name"));
	return json_make("{s:o, s:o}", "id", json_text(sent_id ? sent_id : id), "name",
			 json_text(sent_name ? sent_name : name));
}

static json_t *time_json(int64_t at_s)
{
	char text[TIME_TEXT_MAX] = "";
	time_t at = (time_t)at_s;
	struct tm parts;
	if (gmtime_r(&at, &parts))
		strftime(text, sizeof text, "%Y-%m-%dT%H:%M:%S.000000Z", &parts);
	return json_text(text);
}

static json_t *role_json(const char *name)
{
	return json_make("{s:s, s:s}", "id", name, "name", name);
}

static json_t *roles_json(enum client_role role)
{
	json_t *roles = json_make("[o]", role_json("reader"));
	if (role == ROLE_ADMIN) {
		json_add(roles, role_json("member"));
		json_add(roles, role_json("admin"));
	}
	return roles;
}

static json_t *endpoint_json(const char *interface, const char *region, const char *url)
{
	char name[API_BASE_MAX + 32], id[UUID_TEXT_MAX];
	snprintf(name, sizeof name, "%s %s", interface, url);
	return json_make("{s:s, s:s, s:o, s:o, s:o}", "id", uuid_of_name(name, id), "interface",
			 interface, "region", json_text(region), "region_id", json_text(region),
			 "url", json_text(url));
}

static json_t *catalog_entry(const char *type, const char *name, const char *region,
			     const char *base, const char *path)
{
	static const char *const interfaces[] = {"public", "internal", "admin"};
	char url[API_BASE_MAX + 16], id[UUID_TEXT_MAX];
	json_t *endpoints = json_array();
	snprintf(url, sizeof url, "%s%s", base, path);
	for (size_t i = 0; i < COUNT(interfaces); i++)
		json_add(endpoints, endpoint_json(interfaces[i], region, url));
	return json_make("{s:s, s:s, s:s, s:o}", "id", uuid_of_name(type, id), "type", type, "name",
			 name, "endpoints", endpoints);
}

static json_t *token_json(const struct login *login, const struct model *model,
			  enum client_role role, const char *base, int64_t now_s)
{
	const char *region = model->region ? model->region : "RegionOne";
	const char *project_id = model->subscription ? model->subscription : "default";
	json_t *user =
		json_make("{s:o, s:o, s:o, s:n}", "id", json_text(login->user), "name",
			  json_text(login->user), "domain",
			  named(login->user_domain, "default", "Default"), "password_expires_at");
	json_t *project = named(login->project, project_id, project_id);
	json_put(project, "domain",
		 named(json_object_get(login->project, "domain"), "default", "Default"));
	json_t *token = json_make("{s:[s], s:[], s:o, s:o, s:b}", "methods", "password",
				  "audit_ids", "user", user, "project", project, "is_domain", 0);
	json_put(token, "roles", roles_json(role));
	json_put(token, "issued_at", time_json(now_s));
	json_put(token, "expires_at", time_json(now_s + TOKEN_LIFE_S));
	json_t *catalog = json_array();
	json_add(catalog, catalog_entry("dns", "designate", region, base, "/v2"));
	json_add(catalog, catalog_entry("identity", "keystone", region, base, "/v3"));
	json_put(token, "catalog", catalog);
	return json_make("{s:o}", "token", token);
}

/* POST /v3/auth/tokens */
static void issue_token(struct api_request *request)
{
	char token[TOKEN_TEXT_MAX];
	enum client_role role;
	struct login login = {0};
	int64_t now_s = time(NULL);
	const char *base = api_base_needed(request);
	if (!base || !read_login(request, &login))
		return;
	const struct http_login wanted = {login.user, login.secret, now_s + TOKEN_LIFE_S};
	int err = api_login(request, &wanted, token, &role);
	if (err == ERR_LIMIT) {
		api_fail(request, 429, NULL, HTTP_TOO_MANY_TEXT);
		return;
	}
	if (err == ERR_NOT_FOUND) {
		fail_credentials(request, "The request you have made requires authentication: no "
					  "client of management.clients has this id and secret");
		return;
	}
	if (err != 0) {
		api_fail(request, 503, NULL, "%s", err_text(err));
		return;
	}
	const struct model *model = resources_model(api_resources(request));
	api_answer_header(request, "X-Subject-Token", token);
	api_reply_json(request, 201, token_json(&login, model, role, base, now_s), NULL);
}

static void keep_logout(struct work_waiter *waiter)
{
	struct api_request *request = api_request_of(waiter);

	if (logouts_note(resources_store(request->service->resources), request->state,
			 time(NULL)) == 0)
		api_reply_empty(request, 204);
	else
		api_fail(request, 503, NULL,
			 "the token is no longer valid, but the state cannot keep that, and a "
			 "restart makes it valid again; log in again, and send this DELETE with "
			 "the new token in X-Auth-Token");
}

/* DELETE /v3/auth/tokens. The token is invalid at once; storing the logout waits while a
 * large change holds the state. */
static void end_token(struct api_request *request)
{
	const char *token = api_header(request, "X-Subject-Token");
	struct http_logout *logout = arena_alloc(&request->arena, sizeof *logout);
	int err = !logout ? ERR_NOMEM : token ? api_log_out(request, token, logout) : ERR_NOT_FOUND;

	request->state = logout;
	if (err == ERR_INVALID)
		api_fail(request, 403, NULL, "this token is another client's");
	else if (err == ERR_NOT_FOUND)
		api_fail(request, 404, NULL,
			 "the header X-Subject-Token has no token that is good");
	else if (err == ERR_LIMIT)
		api_fail(
			request, 429, NULL,
			"%d tokens of this client have been ended in this hour, as many as may be; "
			"this one ends by itself",
			HTTP_LOGOUTS_MAX);
	else if (err != 0)
		api_fail_memory(request);
	else if (!work_wait(&request->service->work, &request->waiter, keep_logout))
		keep_logout(&request->waiter);
}

/* GET /v2 */
static void show_designate_version(struct api_request *request)
{
	const char *base = api_base_needed(request);
	if (base)
		api_reply_json(request, 200,
			       json_make("{s:{s:s, s:s, s:s, s:o}}", "version", "id", "v2.0",
					 "status", "CURRENT", "updated", updated, "links",
					 links_to(base, "/v2")),
			       NULL);
}

/* ---- the API ---- */

static json_t *error_json(const struct api_error *error)
{
	return json_make("{s:{s:i, s:s, s:o}}", "error", "code", (int)error->status, "title",
			 http_status_text(error->status), "message", json_text(error->text));
}

static const struct api_route routes[] = {
	{"GET", "/v2", API_NOTHING, show_designate_version, 0, NULL},
	{"GET", "/", API_NOTHING, list_versions, 0, NULL},
	{"GET", "/v3", API_NOTHING, show_version, 0, NULL},
	{"POST", "/v3/auth/tokens", API_NOTHING, issue_token, API_LOGIN_BODY_MAX, NULL},
	{"DELETE", "/v3/auth/tokens", API_READ, end_token, 0, NULL},
	{.method = NULL},
};
const struct api_dialect api_keystone = {.roots = (const char *const[]){"v3", NULL},
					 .routes = routes,
					 .codes = api_codes,
					 .error = error_json};
