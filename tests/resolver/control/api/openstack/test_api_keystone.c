/* A token by password as OpenStack's clients ask for it: what they are told, what the token opens,
 * what ends it, and how a refusal looks. Over real HTTP, with the server's own routes. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "tests/lib/api_world.h"

enum { LOGIN_MAX = 16 * 1024 };

static int set_up(void **state)
{
	*state = api_world_new(process_dialects);
	return 0;
}

static int tear_down(void **state)
{
	api_world_free(*state);
	return 0;
}

/* ---- asking ---- */

static unsigned ask_for_token(struct api_world *world, const char *user, const char *secret)
{
	char body[1024];
	snprintf(body, sizeof body,
		 "{\"auth\": {\"identity\": {\"methods\": [\"password\"], \"password\": {\"user\": "
		 "{\"name\": \"%s\", \"domain\": {\"name\": \"Domain\"}, \"password\": \"%s\"}}}, "
		 "\"scope\": {\"project\": {\"name\": \"mail\", \"domain\": {\"id\": \"d1\"}}}}}",
		 user, secret);
	return api_world_ask(world, "POST /v3/auth/tokens", "", body);
}

static const char *get_token(struct api_world *world, const char *user, const char *secret)
{
	static char token[TOKEN_TEXT_MAX];
	assert_int_equal(ask_for_token(world, user, secret), 201);
	const char *sent = http_world_header(&world->http, "X-Subject-Token");
	assert_non_null(sent);
	snprintf(token, sizeof token, "%s", sent);
	return token;
}

static unsigned ask_as(struct api_world *world, const char *what, const char *token)
{
	return api_world_ask_with(world, what, "X-Auth-Token", token);
}

/* ---- what is told ---- */

static void versions_are_for_everybody_and_lead_where_the_client_came(void **state)
{
	struct api_world *world = *state;
	assert_int_equal(api_world_ask(world, "GET /v3", "", NULL), 200);
	assert_string_equal(api_world_said(world, "version.id"), "v3.14");
	assert_string_equal(api_world_said(world, "version.status"), "stable");
	assert_string_equal(api_world_said(world, "version.links.0.href"), "http://localhost/v3/");
	assert_int_equal(api_world_ask(world, "GET /v3/", "", NULL), 200);
	assert_int_equal(api_world_ask(world, "GET /", "", NULL), 300);
	assert_string_equal(api_world_said(world, "versions.values.0.id"), "v3.14");
	assert_string_equal(api_world_said(world, "versions.values.0.links.0.href"),
			    "http://localhost/v3/");
	assert_int_equal(api_world_ask(world, "GET /v2", "", NULL), 200);
	assert_string_equal(api_world_said(world, "version.links.0.href"), "http://localhost/v2");
}

static void a_token_comes_with_a_catalog_that_leads_to_v2(void **state)
{
	struct api_world *world = *state;
	get_token(world, "ops", API_ADMIN);
	assert_string_equal(api_world_said(world, "token.catalog.0.type"), "dns");
	assert_string_equal(api_world_said(world, "token.catalog.0.endpoints.0.interface"),
			    "public");
	assert_string_equal(api_world_said(world, "token.catalog.0.endpoints.0.url"),
			    "http://localhost/v2");
	assert_string_equal(api_world_said(world, "token.user.name"), "ops");
	assert_string_equal(api_world_said(world, "token.user.domain.name"), "Domain");
	assert_string_equal(api_world_said(world, "token.project.name"), "mail");
	assert_string_equal(api_world_said(world, "token.project.domain.id"), "d1");
	assert_string_equal(api_world_said(world, "token.methods"), "[\"password\"]");
	assert_string_equal(api_world_said(world, "token.roles.2.name"), "admin");
	assert_null(strstr(http_world_body(&world->http), API_ADMIN));
	get_token(world, "eye", API_READER);
	assert_string_equal(api_world_said(world, "token.roles"),
			    "[{\"id\":\"reader\",\"name\":\"reader\"}]");
}

static void a_user_may_be_named_by_id_and_without_a_scope(void **state)
{
	struct api_world *world = *state;
	assert_int_equal(
		api_world_ask(world, "POST /v3/auth/tokens", "",
			      "{\"auth\":{\"identity\":{\"methods\":[\"password\"],\"password\":{"
			      "\"user\":{\"id\":\"ops\",\"password\":\"" API_ADMIN "\"}}}}}"),
		201);
	assert_string_equal(api_world_said(world, "token.project.name"), "default");
	assert_string_equal(api_world_said(world, "token.user.domain.id"), "default");
}

/* ---- what it opens ---- */

static void a_token_is_its_client_in_either_header(void **state)
{
	struct api_world *world = *state;
	char bearer[TOKEN_TEXT_MAX + 8];
	const char *token = get_token(world, "ops", API_ADMIN);
	assert_int_equal(ask_as(world, "GET /v2/reverse/floatingips", token), 200);
	snprintf(bearer, sizeof bearer, "Bearer %s", token);
	assert_int_equal(api_world_ask_with(world, "GET /v1/ptrs", "Authorization", bearer), 200);
	assert_int_equal(ask_as(world, "DELETE /v1/ptrs/192.0.2.1", token), 404);
	token = get_token(world, "eye", API_READER);
	assert_int_equal(ask_as(world, "GET /v1/ptrs", token), 200);
	assert_int_equal(ask_as(world, "DELETE /v1/ptrs/192.0.2.1", token), 403);
}

static void another_secret_and_a_client_that_is_gone_end_tokens(void **state)
{
	struct api_world *world = *state;
	char token[TOKEN_TEXT_MAX];
	snprintf(token, sizeof token, "%s", get_token(world, "eye", API_READER));
	api_world_serve_clients(world, 2);
	assert_int_equal(ask_as(world, "GET /v1/ptrs", token), 200);
	http_world_put_secret(world->reader_file, "another-secret-of-the-reader");
	api_world_serve_clients(world, 2);
	assert_int_equal(ask_as(world, "GET /v1/ptrs", token), 401);
	http_world_put_secret(world->reader_file, API_READER);
	api_world_serve_clients(world, 1);
	assert_int_equal(ask_as(world, "GET /v1/ptrs", token), 401);
	api_world_serve_clients(world, 2);
	assert_int_equal(ask_as(world, "GET /v1/ptrs", token), 200);
}

static void tokens_live_as_long_as_the_key(void **state)
{
	struct api_world *world = *state;
	static const struct token_key key = {{1}}, other = {{2}};
	char before[TOKEN_TEXT_MAX], token[TOKEN_TEXT_MAX];
	snprintf(before, sizeof before, "%s", get_token(world, "ops", API_ADMIN));
	http_auth_use_key(world->api.auth, &key);
	assert_int_equal(ask_as(world, "GET /v1/ptrs", before), 401);
	snprintf(token, sizeof token, "%s", get_token(world, "ops", API_ADMIN));
	http_auth_use_key(world->api.auth, &other);
	assert_int_equal(ask_as(world, "GET /v1/ptrs", token), 401);
	http_auth_use_key(world->api.auth, &key);
	assert_int_equal(ask_as(world, "GET /v1/ptrs", token), 200);
}

static void a_token_ends_after_an_hour(void **state)
{
	struct api_world *world = *state;
	char client[HTTP_CLIENT_MAX], token[TOKEN_TEXT_MAX];
	enum client_role role = ROLE_READER;
	struct http_auth *auth = world->api.auth;
	int64_t before_s = time(NULL), until_s;
	snprintf(token, sizeof token, "%s", get_token(world, "ops", API_ADMIN));
	int64_t after_s = time(NULL);
	assert_true(http_auth_knows(auth, token, before_s + 3599, client, &role, &until_s));
	assert_in_range(until_s, before_s + 3600, after_s + 3600);
	assert_string_equal(client, "ops");
	assert_int_equal(role, ROLE_ADMIN);
	assert_false(http_auth_knows(auth, token, after_s + 3600, client, &role, &until_s));
}

/* ---- refusals ---- */

static void check_refused(struct api_world *world, unsigned status, const char *title)
{
	char code[8];
	snprintf(code, sizeof code, "%u", status);
	assert_int_equal(http_world_status(&world->http), status);
	assert_string_equal(api_world_said(world, "error.code"), code);
	assert_string_equal(api_world_said(world, "error.title"), title);
	assert_null(http_world_header(&world->http, "X-Subject-Token"));
}

static void only_a_clients_own_secret_gets_a_token(void **state)
{
	struct api_world *world = *state;
	static const char *const wrong[][2] = {{"ops", API_READER}, {"eye", API_ADMIN},
					       {"none", API_ADMIN}, {"", API_ADMIN},
					       {"OPS", API_ADMIN},  {"ops", ""},
					       {"ops", "x"},        {"ops", API_ADMIN "0"}};
	for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
		ask_for_token(world, wrong[i][0], wrong[i][1]);
		check_refused(world, 401, "Unauthorized");
		assert_string_equal(http_world_header(&world->http, "WWW-Authenticate"),
				    "Keystone uri=\"http://localhost/v3\"");
	}
}

static void a_token_gets_no_other_token(void **state)
{
	struct api_world *world = *state;
	ask_for_token(world, "ops", get_token(world, "ops", API_ADMIN));
	check_refused(world, 401, "Unauthorized");
	api_world_ask(
		world, "POST /v3/auth/tokens", "",
		"{\"auth\":{\"identity\":{\"methods\":[\"token\"],\"token\":{\"id\":\"x\"}}}}");
	check_refused(world, 401, "Unauthorized");
	assert_non_null(strstr(api_world_said(world, "error.message"), "unsupported"));
}

static void a_body_that_does_not_fit_is_told_where(void **state)
{
	struct api_world *world = *state;
	static const char *const bad[][2] = {
		{"", "auth:"},
		{"[]", "auth:"},
		{"{\"auth\":7}", "auth:"},
		{"{\"auth\":{}}", "auth.identity:"},
		{"{\"auth\":{\"identity\":{}}}", "auth.identity.methods:"},
		{"{\"auth\":{\"identity\":{\"methods\":[]}}}", "auth.identity.methods:"},
		{"{\"auth\":{\"identity\":{\"methods\":[1]}}}", "auth.identity.methods:"},
		{"{\"auth\":{\"identity\":{\"methods\":[\"password\"]}}}",
		 "auth.identity.password.user:"},
		{"{\"auth\":{\"identity\":{\"methods\":[\"password\"],\"password\":{\"user\":{}}}}"
		 "}",
		 "auth.identity.password.user.name:"},
		{"{\"auth\":{\"identity\":{\"methods\":[\"password\"],\"password\":{\"user\":"
		 "{\"name\":\"ops\",\"password\":5}}}}}",
		 "auth.identity.password.user.password:"},
		{"{", "the body is not JSON"},
	};
	for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
		api_world_ask(world, "POST /v3/auth/tokens", "", bad[i][0]);
		check_refused(world, 400, "Bad Request");
		assert_ptr_equal(strstr(api_world_said(world, "error.message"), bad[i][1]),
				 api_world_said(world, "error.message"));
	}
}

static void nobody_sends_a_long_body_without_a_secret(void **state)
{
	struct api_world *world = *state;
	char *body = malloc(LOGIN_MAX + 2);
	memset(body, ' ', LOGIN_MAX + 1);
	body[LOGIN_MAX + 1] = '\0';
	api_world_ask(world, "POST /v3/auth/tokens", "", body);
	check_refused(world, 413, "Content Too Large");
	body[0] = '{';
	body[1] = '}';
	body[LOGIN_MAX] = '\0';
	api_world_ask(world, "POST /v3/auth/tokens", "", body);
	check_refused(world, 400, "Bad Request");
	free(body);
}

static void other_paths_and_methods_are_refused_in_keystones_shape(void **state)
{
	struct api_world *world = *state;
	api_world_ask(world, "GET /v3/users", "", NULL);
	check_refused(world, 401, "Unauthorized");
	api_world_ask(world, "GET /v3/users", "X-Auth-Token: " API_ADMIN "\r\n", NULL);
	check_refused(world, 404, "Not Found");
	api_world_ask(world, "PUT /v3/auth/tokens", "X-Auth-Token: " API_ADMIN "\r\n", NULL);
	check_refused(world, 405, "Method Not Allowed");
}

static void links_are_made_of_a_host_that_can_be_one(void **state)
{
	struct api_world *world = *state;
	static const char *const bad[] = {
		"GET /v3 HTTP/1.0\r\n\r\n", "GET /v3 HTTP/1.0\r\nHost: \r\n\r\n",
		"GET /v3 HTTP/1.0\r\nHost: a/b\r\n\r\n", "GET /v3 HTTP/1.0\r\nHost: a\"b\r\n\r\n"};
	unsigned port = world->http.port;
	world->http.port = 0; /* at the socket, which any Host reaches */
	for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
		http_world_call_raw(&world->http, bad[i]);
		check_refused(world, 400, "Bad Request");
	}
	world->http.port = port;
	http_world_call_raw(&world->http, "GET /v3 HTTP/1.0\r\nHost: elsewhere\r\n\r\n");
	check_refused(world, 421, "Misdirected Request");
	http_world_call_raw(&world->http, "GET /v3 HTTP/1.0\r\nHost: [::1]:8053\r\n\r\n");
	assert_string_equal(api_world_said(world, "version.links.0.href"), "http://[::1]:8053/v3/");
}

#define T(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		T(versions_are_for_everybody_and_lead_where_the_client_came),
		T(a_token_comes_with_a_catalog_that_leads_to_v2),
		T(a_user_may_be_named_by_id_and_without_a_scope),
		T(a_token_is_its_client_in_either_header),
		T(another_secret_and_a_client_that_is_gone_end_tokens),
		T(tokens_live_as_long_as_the_key),
		T(a_token_ends_after_an_hour),
		T(only_a_clients_own_secret_gets_a_token),
		T(a_token_gets_no_other_token),
		T(a_body_that_does_not_fit_is_told_where),
		T(nobody_sends_a_long_body_without_a_secret),
		T(other_paths_and_methods_are_refused_in_keystones_shape),
		T(links_are_made_of_a_host_that_can_be_one),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
