/* A change that others agree to after two seconds, asked for over HTTP: reads of the API, DNS and
 * health checks are answered meanwhile. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdatomic.h>

#include "resolver/control/process/process.h"
#include "resolver/log.h"
#include "tests/lib/config_text.h"
#include "tests/lib/free_port.h"
#include "tests/lib/http_world.h"

enum { TAKES_MS = 2000, LOOK_MS = 50, WAIT_S = 60 };

struct world {
	struct http_world http; /* first */
	struct http_world putter;
	struct config_text files;
	struct service service;
	struct api api;
	unsigned dns_port;
	struct committer committer;
	commit_on_answer *on_answer;
	void *context;
	uv_timer_t answers;
	uint64_t asked_at_ms;
	atomic_bool is_asked, is_put;
	atomic_uint rounds; /* of everything else, while the change was open */
};

static void on_adopted(void *context)
{
	api_let_go(&((struct world *)context)->api);
}

static void on_work_end(void *context)
{
	(void)context;
}

/* Agrees after two seconds, and once everything else was answered. */
static void on_look(uv_timer_t *timer)
{
	struct world *world = timer->data;

	if (uv_now(timer->loop) - world->asked_at_ms < TAKES_MS || atomic_load(&world->rounds) == 0)
		return;
	uv_timer_stop(timer);
	world->on_answer(world->context, COMMIT_YES, NULL);
}

static void ask(struct committer *committer, const json_t *record, commit_on_answer *on_answer,
		void *context)
{
	struct world *world =
		(struct world *)((char *)committer - offsetof(struct world, committer));

	(void)record;
	world->on_answer = on_answer;
	world->context = context;
	world->asked_at_ms = uv_now(&world->http.loop);
	uv_timer_start(&world->answers, on_look, LOOK_MS, LOOK_MS);
	atomic_store(&world->is_asked, true);
}

static void forget(struct committer *committer)
{
	(void)committer;
}

static void serve(struct world *world)
{
	char text[SERVICE_TEXT_MAX], config[1024];
	struct faults faults;
	struct model *model;

	snprintf(config, sizeof config,
		 "management = { state = \"state.db\"; };\n"
		 "default_resolver = { targets = ( { address = \"127.0.0.1\"; } ); };\n"
		 "vnet_resolver = { listen = [ \"127.0.0.1:%u\" ]; };\n"
		 "virtual_networks = ( { name = \"hub\"; address_space = [ \"10.10.0.0/16\" ];\n"
		 "  client_prefixes = [ \"127.0.0.1/32\" ]; } );\n"
		 "private_zones = ( { name = \"corp.test\"; file = \"zone\";\n"
		 "  links = ( { name = \"hub\"; virtual_network = \"hub\"; } ); } );\n",
		 world->dns_port);
	config_text_put(&world->files, "sluice.conf", config);
	config_text_put(&world->files, "zone", "www 300 IN A 10.10.1.10\n");
	faults_init(&faults);
	model = load_model(&world->service.load, NULL, &faults);
	if (!model || service_serve(&world->service, model, &faults, text) != 0) {
		faults_print(&faults, stderr);
		fail();
	}
	faults_release(&faults);
}

static int set_up(void **state)
{
	struct world *world = calloc(1, sizeof *world);
	struct http_handler handler;

	log_configure(LOG_ERROR, LOG_TEXT);
	http_world_init(&world->http);
	config_text_init(&world->files);
	world->dns_port = free_port("127.0.0.1", SOCK_DGRAM);
	world->committer = (struct committer){ask, forget};
	assert_int_equal(
		service_init(&world->service, world->files.main_file, "/etc/resolv.conf", false),
		0);
	assert_int_equal(
		service_open(&world->service, &world->http.loop, 1, on_adopted, on_work_end, world),
		0);
	world->service.commit.committer = &world->committer;
	uv_timer_init(&world->http.loop, &world->answers);
	world->answers.data = world;
	serve(world);
	world->api = (struct api){
		.service = &world->service, .auth = http_auth_new(), .dialects = process_dialects};
	handler = api_handler(&world->api);
	handler.idle_ms = handler.exchange_ms = 120 * 1000; /* nobody is too slow */
	http_world_open(&world->http, &handler);
	memcpy(world->putter.path, world->http.path, sizeof world->putter.path);
	*state = world;
	return 0;
}

static void close_handle(uv_handle_t *handle, void *done)
{
	if (handle != done && !uv_is_closing(handle))
		uv_close(handle, NULL);
}

static int tear_down(void **state)
{
	struct world *world = *state;

	service_finish(&world->service);
	service_close(&world->service);
	api_let_go(&world->api);
	http_close(world->http.http);
	world->http.http = NULL;
	uv_walk(&world->http.loop, close_handle, &world->http.done);
	http_world_release(&world->http);
	service_release(&world->service);
	http_auth_free(world->api.auth);
	config_text_release(&world->files);
	free(world);
	return 0;
}

/* ---- in threads beside the server's ---- */

static void put(void *context)
{
	struct world *world = context;

	http_world_ask(&world->putter, "PUT /v1/virtual_networks/-/later", "",
		       "{\"address_space\": [\"10.60.0.0/16\"]}");
	atomic_store(&world->is_put, true);
}

/* The rcode of www.corp.test, or -1 without an answer. */
static int resolve(const struct world *world)
{
	static const char question[] = "\x12\x34\x01\x00\x00\x01\x00\x00\x00\x00\x00\x00"
				       "\x03www\x04"
				       "corp\x04test\x00\x00\x01\x00\x01";
	const ssize_t length = sizeof question - 1;
	struct sockaddr_in to = {.sin_family = AF_INET,
				 .sin_port = htons((uint16_t)world->dns_port),
				 .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	struct timeval patience = {.tv_sec = WAIT_S};
	int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	uint8_t answer[512] = {0};
	ssize_t got = -1;

	setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
	if (connect(fd, (struct sockaddr *)&to, sizeof to) == 0 &&
	    send(fd, question, (size_t)length, 0) == length)
		got = recv(fd, answer, sizeof answer, 0);
	close(fd);
	return got >= 12 && (answer[2] & 0x80) && answer[7] > 0 ? answer[3] & 0x0f : -1;
}

static bool reads_are_answered(struct http_world *http)
{
	return http_world_ask(http, "GET /v1/virtual_networks/-/hub", "", NULL) == 200 &&
	       http_world_ask(http, "GET /v1/virtual_networks/-/later", "", NULL) == 404 &&
	       http_world_ask(http, "GET /healthz", "", NULL) == 200 &&
	       http_world_ask(http, "GET /readyz", "", NULL) == 200;
}

static void go_on_meanwhile(struct http_world *http)
{
	struct world *world = (struct world *)http;
	uv_thread_t thread;
	bool fine;

	if (uv_thread_create(&thread, put, world) != 0)
		return;
	while (!atomic_load(&world->is_asked) && !atomic_load(&world->is_put))
		usleep(1000);
	do {
		fine = reads_are_answered(http) && resolve(world) == 0;
		if (fine && !atomic_load(&world->is_put))
			atomic_fetch_add(&world->rounds, 1);
		usleep(LOOK_MS * 1000);
	} while (fine && atomic_load(&world->rounds) == 0);
	/* If something was not answered, the change goes on, and the test fails. */
	if (!fine)
		atomic_store(&world->rounds, UINT32_MAX);
	uv_thread_join(&thread);
	http_world_ask(http, "GET /v1/virtual_networks/-/later", "", NULL);
}

static void everything_else_is_answered_while_a_change_is_open(void **state)
{
	struct world *world = *state;

	http_world_serve(&world->http, go_on_meanwhile);
	assert_int_equal(atomic_load(&world->rounds), 1);
	assert_int_equal(http_world_status(&world->putter), 201);
	assert_int_equal(http_world_status(&world->http), 200);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(everything_else_is_answered_while_a_change_is_open,
						set_up, tear_down),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
