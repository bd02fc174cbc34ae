/* A token by password as OpenStack's clients ask for it: what they are told, what the token opens,
 * what ends it, and how a refusal looks. Over real HTTP, with the server's own routes. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <sys/stat.h>
#include <unistd.h>

#include "resolver/control/api_routes.h"
#include "resolver/control/control.h"
#include "resolver/log.h"
#include "tests/http_world.h"

#define ADMIN  "admin-secret-of-32-characters-000"
#define READER "reader-secret-of-32-characters-00"

enum { LOGIN_MAX = 16 * 1024 };

struct world {
	struct http_world http; /* first */
	struct control control; /* its inventory, auth and API are used */
	struct faults faults;
	char admin_file[64], reader_file[64];
};

/* ---- the server ---- */

/* The first `count` of an admin and a reader are known, by what their files have now. */
static void serve_clients(struct world *world, size_t count)
{
	struct management_client clients[] = {
		{.id = "ops", .secret_file = world->admin_file, .role = ROLE_ADMIN},
		{.id = "eye", .secret_file = world->reader_file, .role = ROLE_READER}};
	struct management management = {.clients = {.items = clients, .count = count}};
	http_auth_serve(world->control.auth, http_secrets_load(&management, &world->faults));
	assert_int_equal(world->faults.count, 0);
}

static int set_up(void **state)
{
	static const struct hash_key key = {1, 2};
	static const struct inventory_publisher publisher;
	struct world *world = calloc(1, sizeof *world);
	struct control *control = &world->control;
	char url[64];
	http_world_init(&world->http);
	faults_init(&world->faults);
	log_configure(LOG_ERROR, LOG_TEXT);
	snprintf(world->admin_file, sizeof world->admin_file, "%s/admin", world->http.directory);
	snprintf(world->reader_file, sizeof world->reader_file, "%s/reader", world->http.directory);
	http_world_put_secret(world->admin_file, ADMIN);
	http_world_put_secret(world->reader_file, READER);
	control->inventory = inventory_new(&key, &publisher);
	control->auth = http_auth_new();
	control->api = (struct api){control, control->auth, api_routes};
	serve_clients(world, 2);
	struct http_handler handler = api_handler(&control->api);
	http_world_open(&world->http, &handler);
	world->http.port = http_world_free_port();
	snprintf(url, sizeof url, "http://127.0.0.1:%u", world->http.port);
	assert_int_equal(http_listen_url(world->http.http, url, world->http.error), 0);
	*state = world;
	return 0;
}

static int tear_down(void **state)
{
	struct world *world = *state;
	unlink(world->admin_file);
	unlink(world->reader_file);
	http_world_release(&world->http);
	http_auth_free(world->control.auth);
	inventory_free(world->control.inventory);
	faults_release(&world->faults);
	free(world);
	return 0;
}

/* ---- asking ---- */

static unsigned ask(struct world *world, const char *what, const char *headers, const char *body)
{
	return http_world_call(&world->http, what, headers, body);
}

static unsigned ask_for_token(struct world *world, const char *user, const char *secret)
{
	char body[1024];
	snprintf(body, sizeof body,
		 "{\"auth\": {\"identity\": {\"methods\": [\"password\"], \"password\": {\"user\": "
		 "{\"name\": \"%s\", \"domain\": {\"name\": \"Domain\"}, \"password\": \"%s\"}}}, "
		 "\"scope\": {\"project\": {\"name\": \"mail\", \"domain\": {\"id\": \"d1\"}}}}}",
		 user, secret);
	return ask(world, "POST /v3/auth/tokens", "", body);
}

static const char *get_token(struct world *world, const char *user, const char *secret)
{
	static char token[TOKEN_TEXT_MAX];
	assert_int_equal(ask_for_token(world, user, secret), 201);
	const char *sent = http_world_header(&world->http, "X-Subject-Token");
	assert_non_null(sent);
	snprintf(token, sizeof token, "%s", sent);
	return token;
}

static unsigned ask_with(struct world *world, const char *what, const char *header,
			 const char *token)
{
	char headers[TOKEN_TEXT_MAX + 64];
	snprintf(headers, sizeof headers, "%s%s\r\n", header, token);
	return ask(world, what, headers, NULL);
}

/* What stands at "a.b.0.c" of the last answer, as text. */
static const char *said(struct world *world, const char *path)
{
	static char text[1024];
	json_t *body = http_world_json(&world->http);
	const json_t *at = body;
	while (*path) {
		char key[32];
		size_t length = strcspn(path, ".");
		snprintf(key, sizeof key, "%.*s", (int)length, path);
		at = json_is_array(at) ? json_array_get(at, strtoul(key, NULL, 10))
				       : json_object_get(at, key);
		path += length + (path[length] == '.');
	}
	char *dumped = json_is_string(at) ? strdup(json_string_value(at))
					  : json_dumps(at, JSON_ENCODE_ANY | JSON_COMPACT);
	snprintf(text, sizeof text, "%s", dumped ? dumped : "nothing");
	free(dumped);
	json_decref(body);
	return text;
}

/* ---- what is told ---- */

static void versions_are_for_everybody_and_lead_where_the_client_came(void **state)
{
	struct world *world = *state;
	assert_int_equal(ask(world, "GET /v3", "", NULL), 200);
	assert_string_equal(said(world, "version.id"), "v3.14");
	assert_string_equal(said(world, "version.status"), "stable");
	assert_string_equal(said(world, "version.links.0.href"), "http://sluice/v3/");
	assert_int_equal(ask(world, "GET /v3/", "", NULL), 200);
	assert_int_equal(ask(world, "GET /", "", NULL), 300);
	assert_string_equal(said(world, "versions.values.0.id"), "v3.14");
	assert_string_equal(said(world, "versions.values.0.links.0.href"), "http://sluice/v3/");
	assert_int_equal(ask(world, "GET /v2", "", NULL), 200);
	assert_string_equal(said(world, "version.links.0.href"), "http://sluice/v2");
}

static void a_token_comes_with_a_catalog_that_leads_to_v2(void **state)
{
	struct world *world = *state;
	get_token(world, "ops", ADMIN);
	assert_string_equal(said(world, "token.catalog.0.type"), "dns");
	assert_string_equal(said(world, "token.catalog.0.endpoints.0.interface"), "public");
	assert_string_equal(said(world, "token.catalog.0.endpoints.0.url"), "http://sluice/v2");
	assert_string_equal(said(world, "token.user.name"), "ops");
	assert_string_equal(said(world, "token.user.domain.name"), "Domain");
	assert_string_equal(said(world, "token.project.name"), "mail");
	assert_string_equal(said(world, "token.project.domain.id"), "d1");
	assert_string_equal(said(world, "token.methods"), "[\"password\"]");
	assert_string_equal(said(world, "token.roles.2.name"), "admin");
	assert_null(strstr(http_world_body(&world->http), ADMIN));
	get_token(world, "eye", READER);
	assert_string_equal(said(world, "token.roles"),
			    "[{\"id\":\"reader\",\"name\":\"reader\"}]");
}

static void a_user_may_be_named_by_id_and_without_a_scope(void **state)
{
	struct world *world = *state;
	assert_int_equal(ask(world, "POST /v3/auth/tokens", "",
			     "{\"auth\":{\"identity\":{\"methods\":[\"password\"],\"password\":{"
			     "\"user\":{\"id\":\"ops\",\"password\":\"" ADMIN "\"}}}}}"),
			 201);
	assert_string_equal(said(world, "token.project.name"), "default");
	assert_string_equal(said(world, "token.user.domain.id"), "default");
}

/* ---- what it opens ---- */

static void a_token_is_its_client_in_either_header(void **state)
{
	struct world *world = *state;
	const char *token = get_token(world, "ops", ADMIN);
	assert_int_equal(ask_with(world, "GET /v2/reverse/floatingips", "X-Auth-Token: ", token),
			 200);
	assert_int_equal(ask_with(world, "GET /v1/ptrs", "Authorization: Bearer ", token), 200);
	assert_int_equal(ask_with(world, "DELETE /v1/ptrs/192.0.2.1", "X-Auth-Token: ", token),
			 404);
	token = get_token(world, "eye", READER);
	assert_int_equal(ask_with(world, "GET /v1/ptrs", "X-Auth-Token: ", token), 200);
	assert_int_equal(ask_with(world, "DELETE /v1/ptrs/192.0.2.1", "X-Auth-Token: ", token),
			 403);
}

static void another_secret_and_a_client_that_is_gone_end_tokens(void **state)
{
	struct world *world = *state;
	char token[TOKEN_TEXT_MAX];
	snprintf(token, sizeof token, "%s", get_token(world, "eye", READER));
	serve_clients(world, 2);
	assert_int_equal(ask_with(world, "GET /v1/ptrs", "X-Auth-Token: ", token), 200);
	http_world_put_secret(world->reader_file, "another-secret-of-the-reader");
	serve_clients(world, 2);
	assert_int_equal(ask_with(world, "GET /v1/ptrs", "X-Auth-Token: ", token), 401);
	http_world_put_secret(world->reader_file, READER);
	serve_clients(world, 1);
	assert_int_equal(ask_with(world, "GET /v1/ptrs", "X-Auth-Token: ", token), 401);
	serve_clients(world, 2);
	assert_int_equal(ask_with(world, "GET /v1/ptrs", "X-Auth-Token: ", token), 200);
}

static void tokens_live_as_long_as_the_key(void **state)
{
	struct world *world = *state;
	static const struct token_key key = {{1}}, other = {{2}};
	char before[TOKEN_TEXT_MAX], token[TOKEN_TEXT_MAX];
	snprintf(before, sizeof before, "%s", get_token(world, "ops", ADMIN));
	http_auth_use_key(world->control.auth, &key);
	assert_int_equal(ask_with(world, "GET /v1/ptrs", "X-Auth-Token: ", before), 401);
	snprintf(token, sizeof token, "%s", get_token(world, "ops", ADMIN));
	http_auth_use_key(world->control.auth, &other);
	assert_int_equal(ask_with(world, "GET /v1/ptrs", "X-Auth-Token: ", token), 401);
	http_auth_use_key(world->control.auth, &key);
	assert_int_equal(ask_with(world, "GET /v1/ptrs", "X-Auth-Token: ", token), 200);
}

static void a_token_ends_after_an_hour(void **state)
{
	struct world *world = *state;
	char client[HTTP_CLIENT_MAX], token[TOKEN_TEXT_MAX];
	enum client_role role = ROLE_READER;
	struct http_auth *auth = world->control.auth;
	int64_t before_s = time(NULL);
	snprintf(token, sizeof token, "%s", get_token(world, "ops", ADMIN));
	int64_t after_s = time(NULL);
	assert_true(http_auth_knows(auth, token, before_s + 3599, client, &role));
	assert_string_equal(client, "ops");
	assert_int_equal(role, ROLE_ADMIN);
	assert_false(http_auth_knows(auth, token, after_s + 3600, client, &role));
}

/* ---- refusals ---- */

static void check_refused(struct world *world, unsigned status, const char *title)
{
	char code[8];
	snprintf(code, sizeof code, "%u", status);
	assert_int_equal(http_world_status(&world->http), status);
	assert_string_equal(said(world, "error.code"), code);
	assert_string_equal(said(world, "error.title"), title);
	assert_null(http_world_header(&world->http, "X-Subject-Token"));
}

static void only_a_clients_own_secret_gets_a_token(void **state)
{
	struct world *world = *state;
	static const char *const wrong[][2] = {{"ops", READER}, {"eye", ADMIN},    {"none", ADMIN},
					       {"", ADMIN},     {"OPS", ADMIN},    {"ops", ""},
					       {"ops", "x"},    {"ops", ADMIN "0"}};
	for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
		ask_for_token(world, wrong[i][0], wrong[i][1]);
		check_refused(world, 401, "Unauthorized");
		assert_string_equal(http_world_header(&world->http, "WWW-Authenticate"),
				    "Keystone uri=\"http://sluice/v3\"");
	}
}

static void a_token_gets_no_other_token(void **state)
{
	struct world *world = *state;
	ask_for_token(world, "ops", get_token(world, "ops", ADMIN));
	check_refused(world, 401, "Unauthorized");
	ask(world, "POST /v3/auth/tokens", "",
	    "{\"auth\":{\"identity\":{\"methods\":[\"token\"],\"token\":{\"id\":\"x\"}}}}");
	check_refused(world, 401, "Unauthorized");
	assert_non_null(strstr(said(world, "error.message"), "unsupported"));
}

static void a_body_that_does_not_fit_is_told_where(void **state)
{
	struct world *world = *state;
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
		ask(world, "POST /v3/auth/tokens", "", bad[i][0]);
		check_refused(world, 400, "Bad Request");
		assert_ptr_equal(strstr(said(world, "error.message"), bad[i][1]),
				 said(world, "error.message"));
	}
}

static void nobody_sends_a_long_body_without_a_secret(void **state)
{
	struct world *world = *state;
	char *body = malloc(LOGIN_MAX + 2);
	memset(body, ' ', LOGIN_MAX + 1);
	body[LOGIN_MAX + 1] = '\0';
	ask(world, "POST /v3/auth/tokens", "", body);
	check_refused(world, 413, "Content Too Large");
	body[0] = '{';
	body[1] = '}';
	body[LOGIN_MAX] = '\0';
	ask(world, "POST /v3/auth/tokens", "", body);
	check_refused(world, 400, "Bad Request");
	free(body);
}

static void other_paths_and_methods_are_refused_in_keystones_shape(void **state)
{
	struct world *world = *state;
	ask(world, "GET /v3/users", "", NULL);
	check_refused(world, 401, "Unauthorized");
	ask(world, "GET /v3/users", "X-Auth-Token: " ADMIN "\r\n", NULL);
	check_refused(world, 404, "Not Found");
	ask(world, "DELETE /v3/auth/tokens", "X-Auth-Token: " ADMIN "\r\n", NULL);
	check_refused(world, 405, "Method Not Allowed");
}

static void ask_as(struct http_world *world)
{
	int fd = http_world_connect(world);
	http_world_send(fd, world->what, strlen(world->what));
	http_world_receive(world, fd);
}

static void links_are_made_of_a_host_that_can_be_one(void **state)
{
	struct world *world = *state;
	static const char *const bad[] = {
		"GET /v3 HTTP/1.0\r\n\r\n", "GET /v3 HTTP/1.0\r\nHost: \r\n\r\n",
		"GET /v3 HTTP/1.0\r\nHost: a/b\r\n\r\n", "GET /v3 HTTP/1.0\r\nHost: a\"b\r\n\r\n"};
	for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
		world->http.what = bad[i];
		http_world_serve(&world->http, ask_as);
		check_refused(world, 400, "Bad Request");
	}
	world->http.what = "GET /v3 HTTP/1.0\r\nHost: [::1]:8053\r\n\r\n";
	http_world_serve(&world->http, ask_as);
	assert_string_equal(said(world, "version.links.0.href"), "http://[::1]:8053/v3/");
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
