/* A model that was prepared and is not served leaves the service as it was. */
#include "resolver/control/service/service.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "resolver/control/service/registrar_batch.h"
#include "resolver/log.h"
#include "tests/lib/config_text.h"

struct world {
	struct config_text files;
	char path[96]; /* of the state */
	struct service service;
	uv_loop_t loop;
};

static void on_event(void *context)
{
	(void)context;
}

static int set_up(void **state)
{
	struct world *world = calloc(1, sizeof *world);

	log_configure(LOG_ERROR, LOG_TEXT);
	config_text_init(&world->files);
	config_text_put(&world->files, "sluice.conf",
			"default_resolver = { targets = ( { address = \"127.0.0.1\"; } ); };\n"
			"management = { state = \"state.db\"; };\n");
	snprintf(world->path, sizeof world->path, "%s/state.db", world->files.directory);
	assert_int_equal(uv_loop_init(&world->loop), 0);
	assert_int_equal(
		service_init(&world->service, world->files.main_file, "/etc/resolv.conf", false),
		0);
	assert_int_equal(service_open(&world->service, &world->loop, 1, on_event, on_event, world),
			 0);
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

	service_finish(&world->service);
	service_close(&world->service);
	uv_walk(&world->loop, close_handle, NULL);
	uv_run(&world->loop, UV_RUN_DEFAULT);
	service_release(&world->service);
	assert_int_equal(uv_loop_close(&world->loop), 0);
	config_text_release(&world->files);
	free(world);
	return 0;
}

static void prepare(struct world *world, struct service_prepared *prepared)
{
	struct service *service = &world->service;
	struct faults faults;
	struct model *model;

	faults_init(&faults);
	model = load_model(&service->load, service->server.model, &faults);
	if (!model || service_prepare(service, model, NULL, prepared, &faults) != 0) {
		faults_print(&faults, stderr);
		fail();
	}
	faults_release(&faults);
}

/* The state, which could not be opened at the start, was opened and read for that model. */
static void names_can_be_registered_after_a_model_that_is_not_served(void **state)
{
	struct world *world = *state;
	struct service *service = &world->service;
	struct service_prepared prepared;
	char text[SERVICE_TEXT_MAX];
	struct model *model;

	assert_int_equal(mkdir(world->path, 0700), 0);
	prepare(world, &prepared);
	service_publish(&prepared, text);
	service_prepared_release(&prepared);
	assert_false(service->registrar.is_read);
	assert_int_equal(rmdir(world->path), 0);

	prepare(world, &prepared);
	assert_true(service->registrar.is_read);
	model = prepared.model;
	service_prepared_release(&prepared);
	model_free(model);
	assert_true(registrar_is_ready(&service->registrar));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(
			names_can_be_registered_after_a_model_that_is_not_served, set_up,
			tear_down),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
