/* Where Azure's clients are told to go, and the token that they get for a form with a client's id
 * and secret: what opens, and how a refusal looks. Over real HTTP, with the server's own routes. */
#include <poll.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <unistd.h>

#include <cmocka.h>

#include "tests/lib/api_world.h"

#define ODD   "admin+secret&of=32%characters-000" /* the admin's */
#define CODED "admin%2Bsecret%26of%3D32%25characters-000"
#define FORM  "Content-Type: application/x-www-form-urlencoded; charset=utf-8\r\n"
#define TOKEN "POST /adfs/oauth2/token"
#define JWT   "POST /adfs/11111111-2222-3333-4444-555555555555/oauth2/v2.0/token"

enum { FORM_MAX = 16 * 1024 };

static int set_up(void **state)
{
	struct api_world *world = *state = api_world_new(process_dialects);
	http_world_put_secret(world->admin_file, ODD);
	api_world_serve_clients(world, 2);
	return 0;
}

static int tear_down(void **state)
{
	api_world_free(*state);
	return 0;
}

/* ---- asking ---- */

static unsigned log_in_at(struct api_world *world, const char *where, const char *id,
			  const char *secret)
{
	char body[512];
	snprintf(body, sizeof body,
		 "client_id=%s&scope=https%%3A%%2F%%2Fsluice%%2F%%2F.default&grant_type="
		 "client_credentials&client_info=1&client_secret=%s",
		 id, secret);
	return api_world_ask(world, where, FORM, body);
}

static unsigned log_in(struct api_world *world, const char *id, const char *secret)
{
	return log_in_at(world, TOKEN, id, secret);
}

static unsigned ask_with_token(struct api_world *world, const char *what)
{
	char bearer[TOKEN_JWT_MAX + 64];
	snprintf(bearer, sizeof bearer, "Bearer %s", api_world_said(world, "access_token"));
	return api_world_ask_with(world, what, "Authorization", bearer);
}

static void check_refusal(struct api_world *world, unsigned status, unsigned wanted,
			  const char *error, const char *says)
{
	json_t *body = http_world_json(&world->http);
	if (status != wanted || strcmp(api_world_said(world, "error"), error) != 0)
		fprintf(stderr, "%s\n", world->http.answer);
	assert_int_equal(status, wanted);
	assert_int_equal(json_object_size(body), 2);
	json_decref(body);
	assert_string_equal(api_world_said(world, "error"), error);
	assert_non_null(strstr(api_world_said(world, "error_description"), says));
}

/* ---- where things are ---- */

static void everybody_is_told_where_to_log_in_by_the_name_that_was_used(void **state)
{
	struct api_world *world = *state;
	assert_int_equal(
		api_world_ask(world, "GET /metadata/endpoints?api-version=2015-01-01", "", NULL),
		200);
	assert_string_equal(api_world_said(world, "authentication.loginEndpoint"),
			    "http://localhost/adfs");
	assert_string_equal(api_world_said(world, "authentication.audiences.0"),
			    "http://localhost/");
	assert_string_equal(api_world_said(world, "graphEndpoint"), "http://localhost/");
	assert_string_equal(api_world_said(world, "galleryEndpoint"), "http://localhost/");
	assert_int_equal(api_world_ask(world, "GET /metadata/clouds", "", NULL), 200);
	assert_string_equal(api_world_said(world, "0.name"), "sluice");
	assert_string_equal(api_world_said(world, "0.resourceManager"), "http://localhost");
	assert_string_equal(api_world_said(world, "0.graphAudience"), "http://localhost/");
	assert_string_equal(api_world_said(world, "0.authentication.loginEndpoint"),
			    "http://localhost/adfs");
}

static void newer_versions_are_told_of_a_cloud_that_terraform_takes(void **state)
{
	static const char *const versions[] = {"2022-09-01", "2025-01-01"};
	static const char *const urls[] = {"gallery", "graph", "graphAudience", "portal",
					   "microsoftGraphResourceId"};
	struct api_world *world = *state;

	for (size_t i = 0; i < 2; i++) {
		char what[128];
		snprintf(what, sizeof what, "GET /metadata/endpoints?api-version=%s", versions[i]);
		assert_int_equal(api_world_ask(world, what, "", NULL), 200);
		assert_string_equal(api_world_said(world, "name"), "sluice");
		assert_string_equal(api_world_said(world, "resourceManager"), "http://localhost");
		assert_string_equal(api_world_said(world, "authentication.loginEndpoint"),
				    "http://localhost/adfs");
		assert_string_equal(api_world_said(world, "authentication.audiences.0"),
				    "http://localhost/");
		assert_string_equal(api_world_said(world, "authentication.tenant"), "common");
		assert_string_equal(api_world_said(world, "authentication.identityProvider"),
				    "AAD");
		assert_string_equal(api_world_said(world, "suffixes.storage"), "core.windows.net");
		assert_string_equal(api_world_said(world, "suffixes.keyVaultDns"),
				    "vault.azure.net");
		for (size_t u = 0; u < 5; u++)
			assert_string_equal(api_world_said(world, urls[u]), "http://localhost/");
	}
	assert_int_equal(
		api_world_ask(world, "GET /metadata/endpoints?api-version=2022-08-31", "", NULL),
		200);
	assert_string_equal(api_world_said(world, "authentication.identityProvider"), "ADFS");
	assert_int_equal(api_world_ask(world, "GET /metadata/endpoints", "", NULL), 200);
	assert_string_equal(api_world_said(world, "authentication.identityProvider"), "ADFS");
}

static void discovery_leads_to_the_token_endpoint(void **state)
{
	static const char *const paths[] = {"GET /adfs/.well-known/openid-configuration",
					    "GET /adfs/adfs/.well-known/openid-configuration"};
	struct api_world *world = *state;
	for (size_t i = 0; i < 2; i++) {
		assert_int_equal(api_world_ask(world, paths[i], "", NULL), 200);
		assert_string_equal(api_world_said(world, "issuer"), "http://localhost/adfs");
		assert_string_equal(api_world_said(world, "token_endpoint"),
				    "http://localhost/adfs/oauth2/token");
		assert_string_equal(api_world_said(world, "jwks_uri"),
				    "http://localhost/adfs/discovery/keys");
	}
	assert_int_equal(api_world_ask(world, "GET /adfs/discovery/keys", "", NULL), 200);
}

static void without_a_host_there_is_nowhere_to_lead(void **state)
{
	static const char *const bad[] = {
		"GET /metadata/endpoints HTTP/1.0\r\n\r\n",
		"GET /metadata/clouds HTTP/1.0\r\nHost: a/b\r\n\r\n",
		"GET /adfs/.well-known/openid-configuration HTTP/1.0\r\nHost: a\"b\r\n\r\n"};
	struct api_world *world = *state;
	world->http.port = 0; /* at the socket, which any Host reaches */
	for (size_t i = 0; i < 3; i++) {
		assert_int_equal(http_world_call_raw(&world->http, bad[i]), 400);
	}
}

/* ---- tokens ---- */

static void a_client_gets_a_token_that_opens_what_its_role_may(void **state)
{
	struct api_world *world = *state;
	assert_int_equal(log_in(world, "ops", CODED), 200);
	assert_string_equal(api_world_said(world, "token_type"), "Bearer");
	assert_string_equal(api_world_said(world, "expires_in"), "3600");
	assert_string_equal(http_world_header(&world->http, "Cache-Control"), "no-store");
	assert_int_equal(ask_with_token(world, "GET /subscriptions?api-version=1"), 200);
	assert_int_equal(log_in(world, "eye", API_READER), 200);
	assert_int_equal(ask_with_token(world, "POST /v1/flush"), 403);
	assert_int_equal(api_world_ask(world, "GET /subscriptions?api-version=1", "", NULL), 401);
}

static void a_jwt_opens_what_the_role_of_its_client_may(void **state)
{
	struct api_world *world = *state;

	assert_int_equal(log_in_at(world, JWT, "ops", CODED), 200);
	assert_memory_equal(api_world_said(world, "access_token"), "eyJ", 3);
	assert_string_equal(api_world_said(world, "token_type"), "Bearer");
	assert_string_equal(api_world_said(world, "expires_in"), "3600");
	assert_string_equal(http_world_header(&world->http, "Cache-Control"), "no-store");
	assert_int_equal(ask_with_token(world, "GET /subscriptions?api-version=1"), 200);
	assert_int_equal(log_in_at(world, JWT, "eye", API_READER), 200);
	assert_int_equal(ask_with_token(world, "POST /v1/flush"), 403);
	check_refusal(world, log_in_at(world, JWT, "eye", CODED), 401, "invalid_client",
		      "no client of management.clients has this id and secret");
}

static void a_logout_ends_a_jwt(void **state)
{
	char token[TOKEN_JWT_MAX], headers[2 * TOKEN_JWT_MAX + 64];
	struct api_world *world = *state;

	assert_int_equal(log_in_at(world, JWT, "ops", CODED), 200);
	snprintf(token, sizeof token, "%s", api_world_said(world, "access_token"));
	snprintf(headers, sizeof headers, "X-Auth-Token: %s\r\nX-Subject-Token: %s\r\n", token,
		 token);
	assert_int_equal(api_world_ask(world, "GET /subscriptions?api-version=1", headers, NULL),
			 200);
	assert_int_equal(api_world_ask(world, "DELETE /v3/auth/tokens", headers, NULL), 204);
	assert_int_equal(api_world_ask(world, "GET /subscriptions?api-version=1", headers, NULL),
			 401);
}

static void what_is_longer_than_a_jwt_may_be_is_refused(void **state)
{
	static char bearer[TOKEN_JWT_MAX + 2000] =
		"Bearer eyJhbGciOiJIUzI1NiIsInR5cCI6IkpXVCJ9.e30.";
	struct api_world *world = *state;

	memset(bearer + strlen(bearer), 'A', sizeof bearer - 1 - strlen(bearer));
	assert_int_equal(api_world_ask_with(world, "GET /subscriptions?api-version=1",
					    "Authorization", bearer),
			 401);
}

static void a_form_may_come_without_its_media_type(void **state)
{
	static const char form[] =
		"grant_type=client_credentials&client_id=eye&client_secret=" API_READER;
	char text[512];
	struct api_world *world = *state;
	snprintf(text, sizeof text, TOKEN " HTTP/1.0\r\nContent-Length: %zu\r\n\r\n%s",
		 sizeof form - 1, form);
	assert_int_equal(http_world_call_raw(&world->http, text), 200);
}

static void whoever_does_not_know_the_secret_is_told_so_and_no_more(void **state)
{
	static const char *const tries[][2] = {
		{"ops", API_READER}, {"nobody", CODED}, {"OPS", CODED}, {"eye", CODED}};
	struct api_world *world = *state;
	for (size_t i = 0; i < 4; i++)
		check_refusal(world, log_in(world, tries[i][0], tries[i][1]), 401, "invalid_client",
			      "no client of management.clients has this id and secret");
}

static void what_is_no_form_or_lacks_something_is_refused(void **state)
{
#define WHO "client_id=eye&client_secret=" API_READER
	static const struct {
		const char *headers, *body, *error, *says;
	} cases[] = {
		{FORM, NULL, "invalid_request", "grant_type"},
		{FORM, "", "invalid_request", "grant_type"},
		{FORM, "grant_type=client_credentials", "invalid_request", "client_id"},
		{FORM, "grant_type=client_credentials&client_id=eye", "invalid_request",
		 "client_secret"},
		{FORM, "grant_type=client_credentials&client_id=&client_secret=x",
		 "invalid_request", "client_id"},
		{FORM, "grant_type=password&" WHO, "unsupported_grant_type", "\"password\""},
		{FORM, "grant_type=client_credentials&" WHO "%zz", "invalid_request", "the form"},
		{FORM, "grant_type=client_credentials&" WHO "%00", "invalid_request", "the form"},
		{FORM, "grant_type=client_credentials&" WHO "&client_id=ops", "invalid_request",
		 "\"client_id\" twice"},
		{FORM, "grant_type=client_credentials&" WHO "&x&x", "invalid_request",
		 "\"x\" twice"},
		{"Content-Type: application/x-www-form-urlencodedx\r\n",
		 "grant_type=client_credentials&" WHO, "invalid_request", "a form"},
		{"Content-Type: application/json\r\n",
		 "grant_type=client_credentials&client_id=eye&client_secret=" API_READER,
		 "invalid_request", "a form"},
	};
	struct api_world *world = *state;
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
		check_refusal(world, api_world_ask(world, TOKEN, cases[i].headers, cases[i].body),
			      400, cases[i].error, cases[i].says);
}

static void the_size_of_a_form_is_bounded(void **state)
{
	static char body[FORM_MAX + 2];
	struct api_world *world = *state;
	int used = snprintf(body, sizeof body, "grant_type=client_credentials&" WHO "&x=");
	memset(body + used, 'a', sizeof body - 1 - (size_t)used);
	check_refusal(world, api_world_ask(world, TOKEN, FORM, body), 413, "invalid_request", "");
	body[FORM_MAX] = '\0';
	assert_int_equal(api_world_ask(world, TOKEN, FORM, body), 200);
}

/* Sends a wrong secret over a new connection, and returns that. */
static int guess(const struct http_world *http)
{
	static const char body[] = "grant_type=client_credentials&client_id=eye&"
				   "scope=https%3A%2F%2Fsluice%2F%2F.default&"
				   "client_secret=guess-of-the-secret";
	char request[1024];
	int fd = http_world_connect(http);
	int length = snprintf(request, sizeof request,
			      TOKEN " HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n" FORM
				    "Content-Length: %zu\r\n\r\n%s",
			      sizeof body - 1, body);

	http_world_send(fd, request, (size_t)length);
	return fd;
}

/* One answer to these, whichever comes first; its connection is guessed with again. */
static unsigned receive_one(struct http_world *http, struct pollfd *guesses, size_t count)
{
	size_t at = 0;

	if (poll(guesses, count, 60 * 1000) <= 0)
		return 0;
	while (!guesses[at].revents)
		at++;
	http_world_receive(http, guesses[at].fd);
	guesses[at].fd = guess(http);
	return http_world_status(http);
}

/* One more than may wait. The first ones are free, and the others are late: 401, each. */
static void guess_until_it_is_refused(struct http_world *http)
{
	struct pollfd guesses[HTTP_LATE_MAX + 1];
	unsigned status = 401;

	for (size_t i = 0; i < HTTP_LATE_MAX + 1; i++)
		guesses[i] = (struct pollfd){.fd = guess(http), .events = POLLIN};
	for (unsigned answers = 0; answers < 100 && status == 401; answers++)
		status = receive_one(http, guesses, HTTP_LATE_MAX + 1);
	for (size_t i = 0; i < HTTP_LATE_MAX + 1; i++)
		close(guesses[i].fd);
}

/* Who has the right secret is let in from there all the same. */
static void guesses_are_slowed_and_right_secrets_are_not(void **state)
{
	struct api_world *world = *state;

	http_world_serve(&world->http, guess_until_it_is_refused);
	check_refusal(world, http_world_status(&world->http), 429, "temporarily_unavailable",
		      "Retry-After");
	assert_true(strtoul(http_world_header(&world->http, "Retry-After"), NULL, 10) > 0);
	assert_int_equal(log_in(world, "ops", CODED), 200);
	assert_int_equal(log_in(world, "eye", API_READER), 200);
}

static void errors_below_adfs_have_the_shape_of_its_clients(void **state)
{
	struct api_world *world = *state;
	check_refusal(world, api_world_ask(world, "GET /adfs/oauth2/token", "", NULL), 401,
		      "invalid_client", "");
	assert_int_equal(log_in(world, "eye", API_READER), 200);
	check_refusal(world, ask_with_token(world, "GET /adfs/oauth2/authorize"), 404,
		      "invalid_request", "");
}

#define T(test) cmocka_unit_test_setup_teardown(test, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		T(everybody_is_told_where_to_log_in_by_the_name_that_was_used),
		T(newer_versions_are_told_of_a_cloud_that_terraform_takes),
		T(discovery_leads_to_the_token_endpoint),
		T(without_a_host_there_is_nowhere_to_lead),
		T(a_client_gets_a_token_that_opens_what_its_role_may),
		T(a_jwt_opens_what_the_role_of_its_client_may),
		T(a_logout_ends_a_jwt),
		T(what_is_longer_than_a_jwt_may_be_is_refused),
		T(a_form_may_come_without_its_media_type),
		T(whoever_does_not_know_the_secret_is_told_so_and_no_more),
		T(what_is_no_form_or_lacks_something_is_refused),
		T(the_size_of_a_form_is_bounded),
		T(guesses_are_slowed_and_right_secrets_are_not),
		T(errors_below_adfs_have_the_shape_of_its_clients),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
