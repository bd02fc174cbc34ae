/* The questions asked most, when another process takes the state over. */
#include "resolver/control/service/asked.h"

#include <netinet/in.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cmocka.h>

#include "resolver/control/service/service.h"
#include "resolver/control/store/pairs.h"
#include "resolver/log.h"
#include "resolver/resolve/resolve.h"
#include "tests/lib/config_text.h"
#include "tests/lib/free_port.h"

struct world {
	struct config_text files;
	struct service service;
	uv_loop_t loop;
	unsigned dns_port;
	uv_work_t thread; /* keeps libuv's only thread from others */
	uv_sem_t may_end;
};

static void nothing(void *context)
{
	(void)context;
}

static int set_up(void **state)
{
	struct world *world = calloc(1, sizeof *world);
	char config[512], text[SERVICE_TEXT_MAX];
	struct faults faults;
	struct model *model;

	log_configure(LOG_ERROR, LOG_TEXT);
	setenv("UV_THREADPOOL_SIZE", "1", 1);
	config_text_init(&world->files);
	world->dns_port = free_port("127.0.0.1", SOCK_DGRAM);
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
	assert_int_equal(uv_loop_init(&world->loop), 0);
	assert_int_equal(uv_sem_init(&world->may_end, 0), 0);
	assert_int_equal(
		service_init(&world->service, world->files.main_file, "/etc/resolv.conf", false),
		0);
	assert_int_equal(service_open(&world->service, &world->loop, 1, nothing, nothing, world),
			 0);
	faults_init(&faults);
	model = load_model(&world->service.load, NULL, &faults);
	if (!model || service_serve(&world->service, model, &faults, text) != 0) {
		faults_print(&faults, stderr);
		fail();
	}
	faults_release(&faults);
	*state = world;
	return 0;
}

static void close_handle(uv_handle_t *handle, void *unused)
{
	(void)unused;
	if (!uv_is_closing(handle))
		uv_close(handle, NULL);
}

static int tear_down(void **state)
{
	struct world *world = *state;

	uv_sem_post(&world->may_end); /* if the test failed */
	service_finish(&world->service);
	service_close(&world->service);
	uv_walk(&world->loop, close_handle, NULL);
	uv_run(&world->loop, UV_RUN_DEFAULT);
	service_release(&world->service);
	assert_int_equal(uv_loop_close(&world->loop), 0);
	uv_sem_destroy(&world->may_end);
	config_text_release(&world->files);
	free(world);
	return 0;
}

/* Asks for www.corp.test until it has been counted: the worker counts one of its own answers in
 * POPULAR_SHARE, before it reads the next question. */
static void ask(const struct world *world)
{
	static const char question[] = "\x12\x34\x01\x00\x00\x01\x00\x00\x00\x00\x00\x00"
				       "\x03www\x04"
				       "corp\x04test\x00\x00\x01\x00\x01";
	const ssize_t length = sizeof question - 1;
	const struct sockaddr_in to = {.sin_family = AF_INET,
				       .sin_port = htons((uint16_t)world->dns_port),
				       .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	char answer[512];

	assert_int_equal(connect(fd, (const struct sockaddr *)&to, sizeof to), 0);
	for (unsigned i = 0; i < POPULAR_SHARE + 1; i++) {
		assert_int_equal(send(fd, question, (size_t)length, 0), length);
		assert_true(recv(fd, answer, sizeof answer, 0) > length);
	}
	close(fd);
}

static void in_thread(uv_work_t *thread)
{
	uv_sem_wait(&((struct world *)thread->data)->may_end);
}

static void on_end(uv_work_t *thread, int status)
{
	(void)status;
	thread->data = NULL;
}

static int on_row(void *context, const struct pairs_use *use)
{
	uint64_t *count = context;

	if (!asked_is_row(use->what))
		return ERR_LIMIT;
	*count += (uint64_t)use->used_s;
	return 0;
}

/* The state's count of all questions. */
static uint64_t count_rows(struct world *world)
{
	struct store *store = resources_store(world->service.resources);
	char error[SOURCE_ERROR_MAX];
	uint64_t count = 0;
	int err = pairs_uses_after(store->source, "name", ASKED_ROWS, on_row, &count, error);

	assert_true(err == 0 || err == ERR_LIMIT || err == ERR_NOT_FOUND);
	return count;
}

static void a_hand_over_during_a_look_loses_no_question(void **state)
{
	struct world *world = *state;
	struct asked_book *book = &world->service.asked;

	world->thread.data = world;
	assert_int_equal(uv_queue_work(&world->loop, &world->thread, in_thread, on_end), 0);
	while (!book->looking)
		uv_run(&world->loop, UV_RUN_ONCE);
	ask(world);
	assert_int_equal(count_rows(world), 0);
	asked_book_hand_over(book);
	assert_int_equal(count_rows(world), POPULAR_SHARE);
	uv_sem_post(&world->may_end);
	while (world->thread.data || book->looking)
		uv_run(&world->loop, UV_RUN_ONCE);
	assert_int_equal(count_rows(world), POPULAR_SHARE);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(a_hand_over_during_a_look_loses_no_question, set_up,
						tear_down),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
