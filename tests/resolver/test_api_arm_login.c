/* Where Azure's clients are told to go, and the token that they get for a form with a client's id
 * and secret: what opens, and how a refusal looks. Over real HTTP, with the server's own routes. */
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

#define ADMIN  "admin+secret&of=32%characters-000"
#define CODED  "admin%2Bsecret%26of%3D32%25characters-000"
#define READER "reader-secret-of-32-characters-00"
#define FORM   "Content-Type: application/x-www-form-urlencoded; charset=utf-8\r\n"
#define TOKEN  "POST /adfs/oauth2/token"

enum { FORM_MAX = 16 * 1024 };

struct world {
	struct http_world http; /* first */
	struct control control; /* its inventory, auth and API are used */
	struct faults faults;
	char admin_file[64], reader_file[64];
};

/* ---- the server ---- */

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
	struct management_client clients[] = {
		{.id = "ops", .secret_file = world->admin_file, .role = ROLE_ADMIN},
		{.id = "eye", .secret_file = world->reader_file, .role = ROLE_READER}};
	struct management management = {.clients = {.items = clients, .count = 2}};
	http_auth_serve(control->auth, http_secrets_load(&management, &world->faults));
	assert_int_equal(world->faults.count, 0);
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

/* The text of the last answer at "a.b.0". */
static const char *said(struct world *world, const char *path)
{
	static char text[2048];
	json_t *all = http_world_json(&world->http);
	const json_t *at = all;
	char key[64];
	assert_non_null(all);
	for (; *path; path += strcspn(path, ".") + (path[strcspn(path, ".")] == '.')) {
		snprintf(key, sizeof key, "%.*s", (int)strcspn(path, "."), path);
		at = json_is_array(at) ? json_array_get(at, strtoul(key, NULL, 10))
				       : json_object_get(at, key);
	}
	if (json_is_integer(at))
		snprintf(text, sizeof text, "%lld", (long long)json_integer_value(at));
	else
		snprintf(text, sizeof text, "%s", json_is_string(at) ? json_string_value(at) : "?");
	json_decref(all);
	return text;
}

static unsigned log_in(struct world *world, const char *id, const char *secret)
{
	char body[512];
	snprintf(body, sizeof body,
		 "client_id=%s&scope=https%%3A%%2F%%2Fsluice%%2F%%2F.default&grant_type="
		 "client_credentials&client_info=1&client_secret=%s",
		 id, secret);
	return ask(world, TOKEN, FORM, body);
}

static unsigned ask_with_token(struct world *world, const char *what)
{
	char headers[TOKEN_TEXT_MAX + 64];
	snprintf(headers, sizeof headers, "Authorization: Bearer %s\r\n",
		 said(world, "access_token"));
	return ask(world, what, headers, NULL);
}

static void check_refusal(struct world *world, unsigned status, unsigned wanted, const char *error,
			  const char *says)
{
	json_t *body = http_world_json(&world->http);
	if (status != wanted || strcmp(said(world, "error"), error) != 0)
		fprintf(stderr, "%s\n", world->http.answer);
	assert_int_equal(status, wanted);
	assert_int_equal(json_object_size(body), 2);
	json_decref(body);
	assert_string_equal(said(world, "error"), error);
	assert_non_null(strstr(said(world, "error_description"), says));
}

/* ---- where things are ---- */

static void everybody_is_told_where_to_log_in_by_the_name_that_was_used(void **state)
{
	struct world *world = *state;
	assert_int_equal(ask(world, "GET /metadata/endpoints?api-version=2015-01-01", "", NULL),
			 200);
	assert_string_equal(said(world, "authentication.loginEndpoint"), "http://sluice/adfs");
	assert_string_equal(said(world, "authentication.audiences.0"), "http://sluice/");
	assert_string_equal(said(world, "graphEndpoint"), "http://sluice/");
	assert_string_equal(said(world, "galleryEndpoint"), "http://sluice/");
	assert_int_equal(ask(world, "GET /metadata/clouds", "", NULL), 200);
	assert_string_equal(said(world, "0.name"), "sluice");
	assert_string_equal(said(world, "0.resourceManager"), "http://sluice");
	assert_string_equal(said(world, "0.graphAudience"), "http://sluice/");
	assert_string_equal(said(world, "0.authentication.loginEndpoint"), "http://sluice/adfs");
}

static void discovery_leads_to_the_token_endpoint(void **state)
{
	static const char *const paths[] = {"GET /adfs/.well-known/openid-configuration",
					    "GET /adfs/adfs/.well-known/openid-configuration"};
	struct world *world = *state;
	for (size_t i = 0; i < 2; i++) {
		assert_int_equal(ask(world, paths[i], "", NULL), 200);
		assert_string_equal(said(world, "issuer"), "http://sluice/adfs");
		assert_string_equal(said(world, "token_endpoint"),
				    "http://sluice/adfs/oauth2/token");
		assert_string_equal(said(world, "jwks_uri"), "http://sluice/adfs/discovery/keys");
	}
	assert_int_equal(ask(world, "GET /adfs/discovery/keys", "", NULL), 200);
}

static void ask_as_it_is(struct http_world *http)
{
	int fd = http_world_connect(http);
	http_world_send(fd, http->what, strlen(http->what));
	http_world_receive(http, fd);
}

static void without_a_host_there_is_nowhere_to_lead(void **state)
{
	static const char *const bad[] = {
		"GET /metadata/endpoints HTTP/1.0\r\n\r\n",
		"GET /metadata/clouds HTTP/1.0\r\nHost: a/b\r\n\r\n",
		"GET /adfs/.well-known/openid-configuration HTTP/1.0\r\nHost: a\"b\r\n\r\n"};
	struct world *world = *state;
	for (size_t i = 0; i < 3; i++) {
		world->http.what = bad[i];
		http_world_serve(&world->http, ask_as_it_is);
		assert_int_equal(http_world_status(&world->http), 400);
	}
}

/* ---- tokens ---- */

static void a_client_gets_a_token_that_opens_what_its_role_may(void **state)
{
	struct world *world = *state;
	assert_int_equal(log_in(world, "ops", CODED), 200);
	assert_string_equal(said(world, "token_type"), "Bearer");
	assert_string_equal(said(world, "expires_in"), "3600");
	assert_string_equal(http_world_header(&world->http, "Cache-Control"), "no-store");
	assert_int_equal(ask_with_token(world, "GET /subscriptions?api-version=1"), 200);
	assert_int_equal(log_in(world, "eye", READER), 200);
	assert_int_equal(ask_with_token(world, "POST /v1/flush"), 403);
	assert_int_equal(ask(world, "GET /subscriptions?api-version=1", "", NULL), 401);
}

static void a_form_may_come_without_its_media_type(void **state)
{
	struct world *world = *state;
	assert_int_equal(ask(world, TOKEN, "",
			     "grant_type=client_credentials&client_id=eye&client_secret=" READER),
			 200);
}

static void whoever_does_not_know_the_secret_is_told_so_and_no_more(void **state)
{
	static const char *const tries[][2] = {
		{"ops", READER}, {"nobody", CODED}, {"OPS", CODED}, {"eye", CODED}};
	struct world *world = *state;
	for (size_t i = 0; i < 4; i++)
		check_refusal(world, log_in(world, tries[i][0], tries[i][1]), 401, "invalid_client",
			      "no client of management.clients has this id and secret");
}

static void what_is_no_form_or_lacks_something_is_refused(void **state)
{
#define WHO "client_id=eye&client_secret=" READER
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
		{"Content-Type: application/json\r\n",
		 "grant_type=client_credentials&client_id=eye&client_secret=" READER,
		 "invalid_request", "a form"},
	};
	struct world *world = *state;
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
		check_refusal(world, ask(world, TOKEN, cases[i].headers, cases[i].body), 400,
			      cases[i].error, cases[i].says);
}

static void the_size_of_a_form_is_bounded(void **state)
{
	static char body[FORM_MAX + 2];
	struct world *world = *state;
	int used = snprintf(body, sizeof body, "grant_type=client_credentials&" WHO "&x=");
	memset(body + used, 'a', sizeof body - 1 - (size_t)used);
	check_refusal(world, ask(world, TOKEN, FORM, body), 413, "invalid_request", "");
	body[FORM_MAX] = '\0';
	assert_int_equal(ask(world, TOKEN, FORM, body), 200);
}

static void errors_below_adfs_have_the_shape_of_its_clients(void **state)
{
	struct world *world = *state;
	check_refusal(world, ask(world, "GET /adfs/oauth2/token", "", NULL), 401, "invalid_client",
		      "");
	assert_int_equal(log_in(world, "eye", READER), 200);
	check_refusal(world, ask_with_token(world, "GET /adfs/oauth2/authorize"), 404,
		      "invalid_request", "");
}

#define T(test) cmocka_unit_test_setup_teardown(test, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		T(everybody_is_told_where_to_log_in_by_the_name_that_was_used),
		T(discovery_leads_to_the_token_endpoint),
		T(without_a_host_there_is_nowhere_to_lead),
		T(a_client_gets_a_token_that_opens_what_its_role_may),
		T(a_form_may_come_without_its_media_type),
		T(whoever_does_not_know_the_secret_is_told_so_and_no_more),
		T(what_is_no_form_or_lacks_something_is_refused),
		T(the_size_of_a_form_is_bounded),
		T(errors_below_adfs_have_the_shape_of_its_clients),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
