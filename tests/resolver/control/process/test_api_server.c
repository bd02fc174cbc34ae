/* What the running program is asked and told over HTTP: health, status, explain, flush, reload. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <jansson.h>
#include <unistd.h>

#include "resolver/control/command/client.h"
#include "resolver/control/process/process.h"
#include "resolver/log.h"
#include "tests/lib/config_text.h"
#include "tests/lib/http_world.h"

static const char config[] =
	"region = \"r\"; workers = 1;\n"
	"default_resolver = { targets = ( { address = \"127.0.0.9\"; } ); };\n"
	"virtual_networks = ( { name = \"hub\"; address_space = [ \"10.10.0.0/16\" ]; },\n"
	"  { name = \"spoke\"; address_space = [ \"10.20.0.0/16\" ]; } );\n";

struct world {
	struct http_world http; /* first */
	struct config_text files;
	struct process process; /* its service and API are used */
	struct faults faults;
	/* a call, and what came of it */
	struct client_call call;
	unsigned status;
	json_t *answer;
	bool was_held;
};

static void on_release(void *context)
{
	(void)context;
}

static int set_up(void **state)
{
	static const struct hash_key key = {1, 2};
	struct world *world = calloc(1, sizeof *world);
	struct service *service = &world->process.service;
	struct api *api = &world->process.management.api;
	http_world_init(&world->http);
	config_text_init(&world->files);
	faults_init(&world->faults);
	log_configure(LOG_ERROR, LOG_TEXT);
	service->config_path = world->files.main_file;
	assert_int_equal(server_init(&service->server, 1, &key, on_release, world), 0);
	*api = (struct api){
		.service = service, .auth = http_auth_new(), .dialects = process_dialects};
	struct http_handler handler = api_handler(api);
	handler.idle_ms = handler.exchange_ms = 120 * 1000; /* nobody is too slow */
	http_world_open(&world->http, &handler);
	*state = world;
	return 0;
}

static int tear_down(void **state)
{
	struct world *world = *state;
	json_decref(world->answer);
	server_release(&world->process.service.server);
	http_world_release(&world->http);
	http_auth_free(world->process.management.api.auth);
	faults_release(&world->faults);
	config_text_release(&world->files);
	free(world);
	return 0;
}

static void serve_config(struct world *world)
{
	struct model *model = config_text_load(&world->files, config);
	assert_non_null(model);
	assert_int_equal(server_apply(&world->process.service.server, model, &world->faults), 0);
	for (unsigned i = 0; i < 60000 && !server_all_adopted(&world->process.service.server); i++)
		usleep(1000); /* else answers wait for that */
}

static void call_it(struct http_world *http)
{
	struct world *world = (struct world *)http;
	char error[CLIENT_ERROR_MAX];
	world->answer = client_call(http->path, world->call, &world->status, error);
}

static unsigned call(struct world *world, const char *method, const char *path, const char *body)
{
	json_decref(world->answer);
	world->call = (struct client_call){.method = method, .path = path};
	world->call.body = body ? json_loads(body, 0, NULL) : NULL;
	http_world_serve(&world->http, call_it);
	assert_non_null(world->answer);
	return world->status;
}

static const char *text(struct world *world, const char *key)
{
	return json_string_value(json_object_get(world->answer, key));
}

static const char *message(struct world *world)
{
	const char *found = client_error_text(world->answer);
	return found ? found : "";
}

static void it_is_healthy_at_once_and_ready_when_it_serves(void **state)
{
	struct world *world = *state;
	assert_int_equal(call(world, "GET", "/healthz", NULL), 200);
	assert_int_equal(call(world, "GET", "/readyz", NULL), 503);
	assert_int_equal(call(world, "GET", "/v1/explain?name=a.test", NULL), 503);
	serve_config(world);
	assert_int_equal(call(world, "GET", "/readyz", NULL), 200);
	assert_string_equal(text(world, "status"), "ready");
}

static void never(uv_timer_t *timer)
{
	(void)timer;
	fail_msg("the answer waited for a minute");
}

static void settle(uv_timer_t *timer)
{
	struct world *world = timer->data;

	if (!world->process.management.api.held)
		return;                                                  /* not asked yet */
	assert_true(server_all_adopted(&world->process.service.server)); /* which is not enough */
	world->was_held = true;
	uv_close((uv_handle_t *)&world->process.service.adoption, NULL);
	api_let_go(&world->process.management.api);
	uv_close((uv_handle_t *)timer, NULL);
}

static void an_answer_waits_until_all_workers_answer_by_what_is_served(void **state)
{
	struct world *world = *state;
	uv_timer_t timer = {.data = world};

	serve_config(world);
	uv_timer_init(&world->http.loop, &world->process.service.adoption);
	uv_timer_start(&world->process.service.adoption, never, 60000, 0);
	uv_timer_init(&world->http.loop, &timer);
	uv_timer_start(&timer, settle, 200, 10);
	assert_int_equal(call(world, "GET", "/readyz", NULL), 200);
	assert_true(world->was_held);
}

static void status_is_told(void **state)
{
	struct world *world = *state;
	serve_config(world);
	assert_int_equal(call(world, "GET", "/v1/status", NULL), 200);
	assert_true(json_is_true(json_object_get(world->answer, "ok")));
	assert_string_equal(text(world, "config"), world->files.main_file);
	assert_int_equal(json_array_size(json_object_get(world->answer, "networks")), 2);
}

static void flush_answers_with_a_number_and_refuses_what_is_no_name(void **state)
{
	struct world *world = *state;
	static const char *const fine[] = {NULL, "{}", "{\"name\":\"a.test\"}",
					   "{\"name\":\".\",\"suffix\":true}",
					   "{\"suffix\":false}"};
	static const char *const bad[] = {"{\"name\":\"a..test\"}", "{\"name\":7}", "[]",
					  "{\"name\":\"a.test\",\"suffix\":\"true\"}",
					  "{\"suffix\":true}"};
	serve_config(world);
	for (size_t i = 0; i < 5; i++) {
		assert_int_equal(call(world, "POST", "/v1/flush", fine[i]), 200);
		assert_true(json_is_integer(json_object_get(world->answer, "entries")));
		assert_int_equal(call(world, "POST", "/v1/flush", bad[i]), 400);
		assert_true(*message(world));
	}
	assert_int_equal(call(world, "GET", "/v1/flush", NULL), 405);
}

static void explain_is_that_of_what_is_served(void **state)
{
	struct world *world = *state;
	serve_config(world);
	assert_int_equal(call(world, "GET", "/v1/explain?name=www.test&type=AAAA&vnet=hub", NULL),
			 200);
	assert_string_equal(text(world, "network"), "hub");
	assert_string_equal(text(world, "type"), "AAAA");
	const json_t *hop = json_array_get(json_object_get(world->answer, "hops"), 0);
	assert_non_null(hop);
	assert_int_equal(call(world, "GET", "/v1/explain?name=a.example&from=10.20.0.1", NULL),
			 200);
	assert_string_equal(text(world, "network"), "spoke");
	hop = json_array_get(json_object_get(world->answer, "hops"), 0);
	const json_t *route = json_array_get(json_object_get(hop, "route"), 0);
	assert_non_null(json_object_get(route, "health"));
}

static void explain_says_what_it_has_to_be_asked(void **state)
{
	struct world *world = *state;
	static const struct {
		const char *path, *message;
		unsigned status;
	} cases[] = {
		{"/v1/explain", "?name=", 400},
		{"/v1/explain?name=a",
		 "say where it is asked: vnet, endpoint or from; the networks are hub, spoke", 400},
		{"/v1/explain?name=a&vnet=nobody", "there is: hub, spoke", 404},
		{"/v1/explain?name=a&endpoint=x", "there is none", 404},
		{"/v1/explain?name=a&vnet=hub&from=10.0.0.1", "vnet and from exclude each other",
		 400},
		{"/v1/explain?name=a&vnet=hub&endpoint=x", "vnet and endpoint exclude each other",
		 400},
		{"/v1/explain?name=a&from=x", "not an address", 400},
		{"/v1/explain?name=a&vnet=hub&type=x", "not a record type", 400},
		{"/v1/explain?name=a&vnet=hub&type=AXFR", "not resolved", 400},
		{"/v1/explain?name=a..b&vnet=hub", "not a domain name", 400},
		{"/v1/explain?name=a&vnet=hub&ask=yes", "must be true or false", 400},
		{"/v1/explain?name=a&vnet=nobody&ask=1", "there is: hub, spoke", 404},
		{"/v1/explain?name=a&ask=1", "say where it is asked", 400},
	};
	serve_config(world);
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		assert_int_equal(call(world, "GET", cases[i].path, NULL), cases[i].status);
		assert_non_null(strstr(message(world), cases[i].message));
	}
}

/* ---- a server that is about to end ---- */

static void on_told_to_stop(uv_timer_t *timer)
{
	struct service *service = timer->data;
	if (STAILQ_EMPTY(&service->work.waiting))
		return;
	uv_timer_stop(timer);
	service->ending = true;
	work_end(&service->work);
}

/* What is asked while something else is worked on, whose end comes after the signal to
 * stop. */
static unsigned call_before_the_end(struct world *world, const char *path, const char *body)
{
	static const struct hash_key key = {1, 2};
	struct service *service = &world->process.service;
	uv_timer_t look;
	service->resources = resources_new(&key);
	work_init(&service->work, &world->http.loop, resources_store(service->resources), NULL,
		  NULL);
	work_block(&service->work);
	uv_timer_init(&world->http.loop, &look);
	look.data = service;
	uv_timer_start(&look, on_told_to_stop, 10, 10);
	unsigned status = call(world, "POST", path, body);
	uv_close((uv_handle_t *)&look, NULL);
	uv_close((uv_handle_t *)&service->work.turns.idle, NULL);
	uv_run(&world->http.loop, UV_RUN_NOWAIT);
	resources_free(service->resources);
	return status;
}

static void a_reload_that_waited_until_it_is_to_end_is_refused(void **state)
{
	struct world *world = *state;
	serve_config(world);
	assert_int_equal(call_before_the_end(world, "/v1/reload", NULL), 422);
	const json_t *faults = json_object_get(world->answer, "faults");
	assert_string_equal(json_string_value(json_object_get(json_array_get(faults, 0), "text")),
			    "the server is about to end");
	assert_int_equal(world->process.service.server.generation, 1);
}

static void an_upgrade_that_waited_until_it_is_to_end_is_refused(void **state)
{
	struct world *world = *state;
	serve_config(world);
	assert_int_equal(call_before_the_end(world, "/v1/upgrade", "{\"binary\": \"/nowhere\"}"),
			 409);
	assert_string_equal(message(world), "the server is about to end");
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
	const struct CMUnitTest tests[] = {
		TEST(it_is_healthy_at_once_and_ready_when_it_serves),
		TEST(an_answer_waits_until_all_workers_answer_by_what_is_served),
		TEST(status_is_told),
		TEST(flush_answers_with_a_number_and_refuses_what_is_no_name),
		TEST(explain_is_that_of_what_is_served),
		TEST(explain_says_what_it_has_to_be_asked),
		TEST(a_reload_that_waited_until_it_is_to_end_is_refused),
		TEST(an_upgrade_that_waited_until_it_is_to_end_is_refused),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
