/* From a request to its route and back: who may, what fits, and errors in the shape of the API.
 * Over real HTTP, with a table of routes of the test's own. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <grp.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "resolver/control/api/azure/api_arm.h"
#include "resolver/control/api/openstack/openstack.h"
#include "resolver/control/api/v1/api_v1.h"
#include "resolver/control/base/json.h"
#include "resolver/control/http/client_secret.h"
#include "tests/lib/api_world.h"

/* ---- routes ---- */

static char seen[1024]; /* what a handler has seen */

static void see(struct api_request *request)
{
	char *body =
		request->body ? json_dumps(request->body, JSON_COMPACT | JSON_ENCODE_ANY) : NULL;
	const char *q = api_query(request, "q");
	snprintf(seen, sizeof seen, "%s %s q=%s body=%s by %s%s", request->method, request->path,
		 q ? q : "-", body ? body : "-", request->client,
		 request->role == ROLE_ADMIN ? "" : ", a reader");
	free(body);
	api_reply_json(request, 200, json_make("{s:s}", "fine", "yes"), "\"e1\"");
}

static void see_parameters(struct api_request *request)
{
	snprintf(seen, sizeof seen, "%s in %s, match %s, none %s", api_parameter(request, "name"),
		 api_parameter(request, "group"), request->if_match ? request->if_match : "-",
		 request->if_none_match ? request->if_none_match : "-");
	api_reply_json(request, 201, json_null(), "\"bare\"");
}

static void see_word(struct api_request *request)
{
	snprintf(seen, sizeof seen, "the word");
	api_reply_empty(request, 204);
}

static void fail_at(struct api_request *request)
{
	api_fail_at(request, 400, "invalid_object", "ptr.ttl", "%d is more than %d", 7, 5);
}

static void fail_without_memory(struct api_request *request)
{
	api_reply_json(request, 200, NULL, NULL);
}

static void tell_numbers(struct api_request *request)
{
	api_reply_json(
		request, 200,
		json_make("[f, f, f, f]", 100.0 / 1000, 1.0 / 1000, 315360000123456.0 / 1e6, 3.0),
		NULL);
}

static struct api_world *world_of_demoted;

/* While the request waits, its client becomes a reader. */
static void become_reader(struct api_request *request)
{
	struct management_client ops = {
		.id = "ops", .secret_file = world_of_demoted->admin_file, .role = ROLE_READER};
	struct management management = {.clients = {.items = &ops, .count = 1}};

	http_auth_serve(world_of_demoted->api.auth,
			http_secrets_load(&management, &world_of_demoted->faults));
	if (api_still_may(request))
		see(request);
}

static const struct api_route routes[] = {
	{"GET", "/v1/demoted", API_READ, become_reader, 0, NULL},
	{"GET", "/open", API_NOTHING, see, 0, NULL},
	{"GET", "/v1/thing", API_READ, see, 0, NULL},
	{"PUT", "/v1/thing", API_CHANGE, see, 0, NULL},
	{"POST", "/v1/long", API_CHANGE, see, 2 * HTTP_BODY_MAX, NULL},
	{"GET", "/v1/things/the/word", API_READ, see_word, 0, NULL},
	{"GET", "/v1/things/{group}/{name}", API_READ, see_parameters, 0, NULL},
	{"GET", "/v1/fail", API_READ, fail_at, 0, NULL},
	{"GET", "/v2/fail", API_READ, fail_at, 0, NULL},
	{"GET", "/subscriptions/fail", API_READ, fail_at, 0, NULL},
	{"PUT", "/subscriptions/thing", API_CHANGE, see, 0, NULL},
	{"PUT", "/v2/thing", API_CHANGE, see, 0, NULL},
	{"GET", "/v1/numbers", API_READ, tell_numbers, 0, NULL},
	{"GET", "/v1/memory", API_READ, fail_without_memory, 0, NULL},
	{.method = NULL},
};

static int set_up(void **state)
{
	static const struct api_dialect own = {.routes = routes};
	static const struct api_dialect *const dialects[] = {&own, &api_designate, &api_arm,
							     &api_v1, NULL};
	*state = api_world_new(dialects);
	*seen = '\0';
	return 0;
}

static int tear_down(void **state)
{
	api_world_free(*state);
	return 0;
}

/* ---- asking ---- */

#define AS_ADMIN  "Authorization: Bearer " API_ADMIN "\r\n"
#define AS_READER "X-Auth-Token: " API_READER "\r\n"

/* The status; "seen" begins anew. */
static unsigned ask(struct api_world *world, const char *what, const char *headers,
		    const char *body)
{
	*seen = '\0';
	return http_world_call(&world->http, what, headers, body);
}

/* The error's word, of either shape. */
static const char *error_code(struct api_world *world)
{
	static char code[64];
	json_t *body = http_world_json(&world->http);
	const json_t *error = json_object_get(body, "error");
	const char *word =
		json_string_value(json_object_get(error ? error : body, error ? "code" : "type"));
	snprintf(code, sizeof code, "%s", word ? word : "");
	json_decref(body);
	return code;
}

static void secrets_and_roles_decide(void **state)
{
	struct api_world *world = *state;
	assert_int_equal(ask(world, "GET /v1/thing", "", NULL), 401);
	assert_string_equal(error_code(world), "unauthorized");
	assert_non_null(strstr(http_world_header(&world->http, "WWW-Authenticate"), "Bearer"));
	assert_string_equal(seen, "");
	assert_int_equal(ask(world, "GET /v1/thing", "Authorization: Bearer wrong\r\n", NULL), 401);
	assert_int_equal(
		ask(world, "GET /v1/thing", "Authorization: Basic " API_ADMIN "\r\n", NULL), 401);
	assert_int_equal(ask(world, "GET /v1/thing", "X-Auth-Token: " API_ADMIN "0\r\n", NULL),
			 401);
	assert_int_equal(ask(world, "GET /v1/thing", AS_READER, NULL), 200);
	assert_string_equal(seen, "GET /v1/thing q=- body=- by eye, a reader");
	assert_int_equal(ask(world, "PUT /v1/thing", AS_READER, "{}"), 403);
	assert_string_equal(error_code(world), "forbidden");
	assert_string_equal(seen, "");
	assert_int_equal(ask(world, "PUT /v1/thing", AS_ADMIN, "{}"), 200);
	assert_string_equal(seen, "PUT /v1/thing q=- body={} by ops");
	assert_int_equal(
		ask(world, "PUT /v1/thing", "authorization:  bearer  " API_ADMIN "\r\n", NULL),
		200);
}

static void without_credentials_nobody_learns_which_paths_there_are(void **state)
{
	struct api_world *world = *state;
	assert_int_equal(ask(world, "GET /nothing", "", NULL), 401);
	assert_int_equal(ask(world, "DELETE /v1/thing", "", NULL), 401);
	assert_int_equal(ask(world, "GET /%zz", "", NULL), 401);
	assert_int_equal(ask(world, "GET /open", "", NULL), 200);
}

static void clients_that_are_gone_are_not_known_any_more(void **state)
{
	struct api_world *world = *state;
	struct management none = {.socket = NULL};
	assert_int_equal(ask(world, "GET /v1/thing", AS_ADMIN, NULL), 200);
	http_auth_serve(world->api.auth, http_secrets_load(&none, &world->faults));
	assert_int_equal(ask(world, "GET /v1/thing", AS_ADMIN, NULL), 401);
}

static void whoever_became_a_reader_gets_no_answer_of_an_admin(void **state)
{
	struct api_world *world = world_of_demoted = *state;

	assert_int_equal(ask(world, "GET /v1/demoted", AS_ADMIN, NULL), 403);
	assert_string_equal(seen, "");
	assert_int_equal(ask(world, "GET /v1/demoted", AS_ADMIN, NULL), 200);
	assert_non_null(strstr(seen, "by ops, a reader"));
}

/* ---- secrets' files ---- */

static unsigned load_errors(struct api_world *world, const char *secret, const char *expected)
{
	struct management_client clients[] = {
		{.id = "ops", .secret_file = world->admin_file, .role = ROLE_ADMIN},
		{.id = "new", .secret_file = world->reader_file, .role = ROLE_ADMIN}};
	struct management management = {.clients = {.items = clients, .count = 2}};
	struct faults faults;
	faults_init(&faults);
	http_world_put_secret(world->reader_file, secret);
	struct http_secrets *secrets = http_secrets_load(&management, &faults);
	unsigned errors = (unsigned)faults.errors;
	assert_int_equal(errors > 0, secrets == NULL);
	if (errors > 0)
		assert_non_null(strstr(faults.items[0].text, expected));
	http_secrets_free(secrets);
	faults_release(&faults);
	return errors;
}

static void a_secret_at_a_limit_is_taken_and_one_beyond_it_told(void **state)
{
	struct api_world *world = *state;
	char text[HTTP_SECRET_MAX + 4];
	memset(text, 'x', sizeof text);
	/* The file ends with "\r\n", which does not count for the length. */
	memcpy(text + HTTP_SECRET_MAX, "\r", sizeof "\r");
	assert_int_equal(load_errors(world, text, ""), 0);
	memset(text, 'x', sizeof text);
	text[HTTP_SECRET_MIN] = '\0';
	assert_int_equal(load_errors(world, text, ""), 0);
	assert_int_equal(load_errors(world, text + 1, "shorter than 16"), 1);
	text[HTTP_SECRET_MIN] = 'x';
	text[HTTP_SECRET_MAX + 1] = '\0';
	assert_int_equal(load_errors(world, text, "longer than 1024"), 1);
	assert_int_equal(load_errors(world, text + 1, ""), 0);
	assert_int_equal(load_errors(world, "two words, which are no one", "one word"), 1);
	assert_int_equal(load_errors(world, API_ADMIN, "client \"ops\" has the same"), 1);
	unlink(world->reader_file);
	assert_int_equal(mkdir(world->reader_file, 0700), 0);
	struct management_client client = {.id = "d", .secret_file = world->reader_file};
	struct management management = {.clients = {.items = &client, .count = 1}};
	assert_null(http_secrets_load(&management, &world->faults));
	assert_non_null(strstr(world->faults.items[0].text, world->reader_file));
	rmdir(world->reader_file);
}

static void a_secret_that_can_be_guessed_is_a_warning(void **state)
{
	static const char *const weak[] = {"1234567890123456",  "correcthorsebatterystaple",
					   "PASSWORDPASSWORDX", "secret1-secret1-secret1",
					   "aA1-aA1-aA1-aA1-",  "................"};
	static const char *const strong[] = {"9f86d081884c7d65", "correct-horse-battery-9",
					     "aaaaaaaaaaaaaaaB",
					     "abcdefghijklmnoPabcdefghijklmnoQ"};
	struct api_world *world = *state;
	struct management_client client = {.id = "ops", .secret_file = world->admin_file};
	struct management management = {.clients = {.items = &client, .count = 1}};

	for (size_t i = 0; i < COUNT(weak) + COUNT(strong); i++) {
		const char *secret = i < COUNT(weak) ? weak[i] : strong[i - COUNT(weak)];
		struct faults faults;

		faults_init(&faults);
		http_world_put_secret(world->admin_file, secret);
		http_secrets_free(http_secrets_load(&management, &faults));
		if (faults.warnings != (i < COUNT(weak)))
			fail_msg("%s: %zu warnings", secret, faults.warnings);
		for (size_t f = 0; f < faults.count; f++)
			assert_null(strstr(faults.items[f].text, secret));
		faults_release(&faults);
	}
}

static void a_secret_that_others_can_read_is_a_warning(void **state)
{
	struct api_world *world = *state;
	struct management_client client = {.id = "ops", .secret_file = world->admin_file};
	struct management management = {.clients = {.items = &client, .count = 1}};
	chmod(world->admin_file, 0640);
	struct http_secrets *secrets = http_secrets_load(&management, &world->faults);
	assert_non_null(secrets);
	assert_int_equal(world->faults.warnings, 1);
	assert_non_null(strstr(world->faults.items[0].text, "chmod 600"));
	http_secrets_free(secrets);
}

/* ---- the unix socket ---- */

static void at_the_socket_the_user_decides(void **state)
{
	struct api_world *world = *state;
	char expected[64];
	world->http.port = 0;
	assert_int_equal(ask(world, "PUT /v1/thing", "", NULL), 200);
	snprintf(expected, sizeof expected, "PUT /v1/thing q=- body=- by uid %u", geteuid());
	assert_string_equal(seen, expected);
}

/* In a process that is nobody's: 1 when it may not connect, else HTTP's status without 400. */
static int ask_as_nobody(struct http_world *world)
{
	if (setgroups(0, NULL) != 0 || setgid(65534) != 0 || setuid(65534) != 0)
		return 255;
	int fd = http_world_connect(world);
	if (fd < 0)
		return 1;
	close(fd);
	return (int)http_world_ask(world, "GET /v1/thing", AS_ADMIN, NULL) - 400;
}

static void watch_nobody(struct http_world *world)
{
	int status = -1;
	pid_t pid = fork();
	if (pid == 0)
		_exit(ask_as_nobody(world));
	if (pid > 0)
		waitpid(pid, &status, 0);
	snprintf(world->answer, sizeof world->answer, "%d",
		 WIFEXITED(status) ? WEXITSTATUS(status) : -1);
}

static void other_users_are_refused_by_the_file_and_by_the_server(void **state)
{
	struct api_world *world = *state;
	if (geteuid() != 0)
		skip();
	world->http.port = 0;
	assert_int_equal(chmod(world->http.directory, 0755), 0);
	http_world_serve(&world->http, watch_nobody);
	assert_string_equal(world->http.answer, "1");
	assert_int_equal(chmod(world->http.path, 0666), 0);
	http_world_serve(&world->http, watch_nobody);
	assert_string_equal(world->http.answer, "3"); /* 403 */
	assert_string_equal(seen, "");
}

/* ---- routes ---- */

static void paths_are_found_however_they_are_written(void **state)
{
	struct api_world *world = *state;
	assert_int_equal(ask(world, "GET //V1///Thing/?q=a%20b&r=c", AS_ADMIN, NULL), 200);
	assert_string_equal(seen, "GET /V1/Thing q=a b body=- by ops");
	assert_int_equal(ask(world, "GET /v1/things/My%2FGroup/n?", AS_ADMIN, NULL), 201);
	assert_string_equal(seen, "n in My/Group, match -, none -");
	assert_int_equal(ask(world, "GET /v1/things/the/WORD", AS_ADMIN, NULL), 204);
	assert_string_equal(seen, "the word");
}

static void an_unknown_path_is_404_and_another_method_405(void **state)
{
	struct api_world *world = *state;
	assert_int_equal(ask(world, "GET /v1/nothing", AS_ADMIN, NULL), 404);
	assert_string_equal(error_code(world), "not_found");
	assert_null(http_world_header(&world->http, "Allow"));
	assert_int_equal(ask(world, "GET /v2/nothing", AS_ADMIN, NULL), 404);
	assert_string_equal(error_code(world), "not_found");
	assert_int_equal(ask(world, "DELETE /v1/thing", AS_ADMIN, NULL), 405);
	assert_string_equal(http_world_header(&world->http, "Allow"), "GET, PUT");
	assert_int_equal(ask(world, "get /v1/thing", AS_ADMIN, NULL), 405);
	assert_int_equal(ask(world, "HEAD /v1/thing", AS_ADMIN, NULL), 200);
	assert_int_equal(ask(world, "GET /v1/%zz", AS_ADMIN, NULL), 400);
}

static void headers_that_are_preconditions_reach_the_handler(void **state)
{
	struct api_world *world = *state;
	assert_int_equal(ask(world, "GET /v1/things/g/n",
			     AS_ADMIN "If-Match: \"a\"\r\nIf-None-Match: *\r\n", NULL),
			 201);
	assert_string_equal(seen, "n in g, match \"a\", none *");
	assert_string_equal(http_world_header(&world->http, "ETag"), "\"bare\"");
	assert_string_equal(http_world_body(&world->http), "null");
}

static void what_the_client_has_is_not_sent_again(void **state)
{
	struct api_world *world = *state;
	static const char *const same[] = {"\"e1\"", "W/\"e1\"", "\"x\", \"e1\"", "*"};
	static const char *const other[] = {"\"e11\"", "\"e\"", "e1", "\"x\""};
	char headers[256];
	for (size_t i = 0; i < 4; i++) {
		snprintf(headers, sizeof headers, AS_ADMIN "If-None-Match: %s\r\n", same[i]);
		assert_int_equal(ask(world, "GET /v1/thing", headers, NULL), 304);
		assert_string_equal(http_world_header(&world->http, "ETag"), "\"e1\"");
		assert_string_equal(http_world_body(&world->http), "");
		snprintf(headers, sizeof headers, AS_ADMIN "If-None-Match: %s\r\n", other[i]);
		assert_int_equal(ask(world, "GET /v1/thing", headers, NULL), 200);
	}
	assert_int_equal(ask(world, "PUT /v1/thing", AS_ADMIN "If-None-Match: *\r\n", NULL), 200);
}

static void numbers_are_told_as_people_write_them(void **state)
{
	struct api_world *world = *state;
	assert_int_equal(ask(world, "GET /v1/numbers", AS_READER, NULL), 200);
	assert_string_equal(http_world_body(&world->http), "[0.1,0.001,315360000.123456,3.0]");
}

static void a_body_that_does_not_say_that_it_is_json_is_not_taken(void **state)
{
	struct api_world *world = *state;
	static const char *const fine[] = {"application/json", "Application/JSON;charset=utf-8",
					   "application/json ; a=b", "application/merge-patch+json",
					   "application/x+JSON; charset=utf-8"};
	static const char *const not_json[] = {"",
					       "text/plain",
					       "application/x-www-form-urlencoded",
					       "multipart/form-data",
					       "text/json",
					       "application/jsonx",
					       "application/+json",
					       "application/json, text/plain",
					       "text/plain; application/json",
					       "text/x+json",
					       "application/xjson",
					       "text/csv"};
	char headers[256];
	for (size_t i = 0; i < sizeof fine / sizeof *fine; i++) {
		snprintf(headers, sizeof headers, AS_ADMIN "Content-Type: %s\r\n", fine[i]);
		assert_int_equal(ask(world, "PUT /v1/thing", headers, "{}"), 200);
	}
	for (size_t i = 0; i < sizeof not_json / sizeof *not_json; i++) {
		snprintf(headers, sizeof headers, AS_ADMIN "Content-Type: %s\r\n", not_json[i]);
		assert_int_equal(ask(world, "PUT /v1/thing", headers, "{}"), 415);
		assert_string_equal(error_code(world), "unsupported_media_type");
		assert_string_equal(seen, "");
		assert_int_equal(ask(world, "PUT /v1/thing", headers, NULL),
				 200); /* nothing sent */
	}
	http_world_call_raw(&world->http,
			    "PUT /v1/thing HTTP/1.0\r\n" AS_ADMIN "Content-Length: 2\r\n\r\n{}");
	assert_int_equal(http_world_status(&world->http), 415);
}

static void a_body_is_json_or_refused_with_its_place(void **state)
{
	struct api_world *world = *state;
	assert_int_equal(ask(world, "PUT /v1/thing", AS_ADMIN, "{\"a\":[1,null]}"), 200);
	assert_string_equal(seen, "PUT /v1/thing q=- body={\"a\":[1,null]} by ops");
	assert_int_equal(ask(world, "PUT /v1/thing", AS_ADMIN, "null"), 200);
	static const char *const bad[] = {"{\"a\":1", "{\"a\":1,\"a\":2}", "{} {}", "\xff", "a=b"};
	for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
		assert_int_equal(ask(world, "PUT /v1/thing", AS_ADMIN, bad[i]), 400);
		assert_string_equal(error_code(world), "bad_request");
		assert_non_null(strstr(http_world_body(&world->http), "line 1, column"));
		assert_string_equal(seen, "");
	}
	assert_int_equal(ask(world, "GET /v1/thing?a=%", AS_ADMIN, NULL), 400);
}

static void bodies_of_azures_api_alone_are_relaxed_json(void **state)
{
	static const char body[] = "\xef\xbb\xbf{ // all\n a: [1,], \"b\": \"c\nd\",}";
	static const char *const others[] = {"PUT /v1/thing", "PUT /v2/thing"};
	struct api_world *world = *state;
	assert_int_equal(ask(world, "PUT /subscriptions/thing", AS_ADMIN, body), 200);
	assert_string_equal(seen, "PUT /subscriptions/thing q=- "
				  "body={\"a\":[1],\"b\":\"c\\nd\"} by ops");
	assert_int_equal(ask(world, "PUT /subscriptions/thing", AS_ADMIN, "{\n/*\n*/ a: 'b'}"),
			 400);
	assert_non_null(strstr(http_world_body(&world->http),
			       "the body is not JSON: line 3, column 7: invalid token"));
	for (size_t i = 0; i < sizeof others / sizeof *others; i++) {
		assert_int_equal(ask(world, others[i], AS_ADMIN, "{\"a\":1}"), 200);
		assert_int_equal(ask(world, others[i], AS_ADMIN, "{a:1}"), 400);
	}
}

static void a_long_relaxed_body_is_read_as_well(void **state)
{
	struct api_world *world = *state;
	char body[48 * 1024];
	memset(body, ' ', sizeof body);
	memcpy(body, "{a:1,", 5);
	memcpy(body + sizeof body - 2, "}", 2);
	assert_int_equal(ask(world, "PUT /subscriptions/thing", AS_ADMIN, body), 200);
	assert_string_equal(seen, "PUT /subscriptions/thing q=- body={\"a\":1} by ops");
}

static void a_route_says_how_long_a_body_may_be(void **state)
{
	struct api_world *world = *state;
	char *body = malloc(2 * HTTP_BODY_MAX + 2);
	memset(body, ' ', 2 * HTTP_BODY_MAX + 1);
	body[0] = '1';
	body[2 * HTTP_BODY_MAX] = '\0';
	assert_int_equal(ask(world, "POST /v1/long", AS_ADMIN, body), 200);
	assert_int_equal(ask(world, "PUT /v1/thing", AS_ADMIN, body), 413);
	assert_string_equal(error_code(world), "request_entity_too_large");
	body[2 * HTTP_BODY_MAX] = ' ';
	body[2 * HTTP_BODY_MAX + 1] = '\0';
	assert_int_equal(ask(world, "POST /v1/long", AS_ADMIN, body), 413);
	assert_int_equal(ask(world, "POST /v1/long", "", body), 401);
	free(body);
}

static void a_field_that_is_in_the_query_twice_is_refused(void **state)
{
	struct api_world *world = *state;

	assert_int_equal(ask(world, "GET /v1/thing?q=1&r=2", AS_READER, NULL), 200);
	assert_int_equal(ask(world, "GET /v1/thing?q=1&%71=2", AS_READER, NULL), 400);
	assert_string_equal(seen, "");
	assert_non_null(
		strstr(http_world_body(&world->http), "is in the query twice; give it once"));
}

static void a_get_takes_no_body(void **state)
{
	struct api_world *world = *state;
	assert_int_equal(ask(world, "GET /open", "", "1"), 413);
	assert_int_equal(ask(world, "GET /v1/thing", AS_READER, "1"), 413);
	assert_string_equal(error_code(world), "request_entity_too_large");
	assert_string_equal(seen, "");
	assert_int_equal(ask(world, "GET /open", "", ""), 200);
	assert_string_equal(seen, "GET /open q=- body=- by , a reader");
}

/* ---- errors ---- */

static void errors_have_the_shape_of_their_api(void **state)
{
	struct api_world *world = *state;
	assert_int_equal(ask(world, "GET /v1/fail", AS_ADMIN, NULL), 400);
	assert_string_equal(http_world_body(&world->http),
			    "{\"error\":{\"code\":\"invalid_object\",\"message\":\"7 is more than "
			    "5\",\"path\":\"ptr.ttl\"}}");
	assert_int_equal(ask(world, "GET /V2/fail", AS_ADMIN, NULL), 400);
	json_t *body = http_world_json(&world->http);
	assert_int_equal(json_integer_value(json_object_get(body, "code")), 400);
	assert_string_equal(json_string_value(json_object_get(body, "type")), "invalid_object");
	assert_string_equal(json_string_value(json_object_get(body, "message")),
			    "7 is more than 5");
	const char *id = json_string_value(json_object_get(body, "request_id"));
	assert_int_equal(strlen(id), API_ID_MAX - 1);
	assert_memory_equal(id, "req-", 4);
	json_decref(body);
	assert_int_equal(ask(world, "GET /v2/fail", "", NULL), 401);
	assert_string_equal(error_code(world), "unauthorized");
	assert_int_equal(ask(world, "GET //Subscriptions/fail", AS_ADMIN, NULL), 400);
	assert_string_equal(http_world_body(&world->http),
			    "{\"error\":{\"code\":\"invalid_object\",\"message\":\"7 is more than "
			    "5\",\"target\":\"ptr.ttl\",\"details\":[]}}");
	assert_int_equal(ask(world, "GET /subscriptions/none/none", AS_ADMIN, NULL), 404);
	assert_string_equal(error_code(world), "ResourceNotFound");
	assert_int_equal(ask(world, "GET /v1/memory", AS_ADMIN, NULL), 503);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
	const struct CMUnitTest tests[] = {
		TEST(secrets_and_roles_decide),
		TEST(without_credentials_nobody_learns_which_paths_there_are),
		TEST(clients_that_are_gone_are_not_known_any_more),
		TEST(whoever_became_a_reader_gets_no_answer_of_an_admin),
		TEST(a_secret_at_a_limit_is_taken_and_one_beyond_it_told),
		TEST(a_secret_that_others_can_read_is_a_warning),
		TEST(a_secret_that_can_be_guessed_is_a_warning),
		TEST(at_the_socket_the_user_decides),
		TEST(other_users_are_refused_by_the_file_and_by_the_server),
		TEST(paths_are_found_however_they_are_written),
		TEST(an_unknown_path_is_404_and_another_method_405),
		TEST(headers_that_are_preconditions_reach_the_handler),
		TEST(what_the_client_has_is_not_sent_again),
		TEST(a_body_that_does_not_say_that_it_is_json_is_not_taken),
		TEST(a_body_is_json_or_refused_with_its_place),
		TEST(numbers_are_told_as_people_write_them),
		TEST(bodies_of_azures_api_alone_are_relaxed_json),
		TEST(a_long_relaxed_body_is_read_as_well),
		TEST(a_route_says_how_long_a_body_may_be),
		TEST(a_field_that_is_in_the_query_twice_is_refused),
		TEST(a_get_takes_no_body),
		TEST(errors_have_the_shape_of_their_api),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
