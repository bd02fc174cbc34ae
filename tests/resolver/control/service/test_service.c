/* A model that was prepared and is not served leaves the service as it was. What could not be read
 * fails a rehearsal. */
#include "resolver/control/service/service.h"

#include <setjmp.h>
#include <sqlite3.h>
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
			"management = { state = \"state.db\"; };\n"
			"address_pools = ( { name = \"pool\"; prefix = \"192.0.2.0/24\"; } );\n");
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

static void serve(struct world *world)
{
	struct service_prepared prepared;
	char text[SERVICE_TEXT_MAX];

	prepare(world, &prepared);
	service_publish(&prepared, text);
	service_prepared_release(&prepared);
}

/* The state, which could not be opened at the start, was opened and read for that model. */
static void names_can_be_registered_after_a_model_that_is_not_served(void **state)
{
	struct world *world = *state;
	struct service *service = &world->service;
	struct service_prepared prepared;
	struct model *model;

	assert_int_equal(mkdir(world->path, 0700), 0);
	serve(world);
	assert_false(service->registrar.is_read);
	assert_int_equal(rmdir(world->path), 0);

	prepare(world, &prepared);
	assert_true(service->registrar.is_read);
	model = prepared.model;
	service_prepared_release(&prepared);
	model_free(model);
	assert_true(registrar_is_ready(&service->registrar));
}

static void look_for_mail(void *context, struct resources *draft, const struct policy *none)
{
	bool *is_there = context;

	(void)none;
	*is_there = addresses_by_name(draft, NULL, "mail");
}

/* Makes a change that has no faults. Returns how it ended. */
static enum change_outcome make(struct world *world, struct service_change *change)
{
	struct faults faults;
	int err;

	faults_init(&faults);
	err = service_change(&world->service, change, &faults);
	assert_int_equal(err, change->error.outcome == CHANGE_FINE ? 0 : ERR_INVALID);
	faults_release(&faults);
	return change->error.outcome;
}

/* An address that could not be read looks like one that is not there. */
static void a_read_that_fails_while_a_rehearsal_is_looked_at_fails_it(void **state)
{
	struct world *world = *state;
	json_t *values = json_object();
	const struct resource_edit edit = {
		.path = {kind_of_id(KIND_ADDRESS), GROUP_NONE, {"mail", NULL}}, .values = values};
	struct service_change made = {.edits = &edit, .count = 1, .who = "ops"};
	struct addresses_about about;
	bool is_there = false;
	struct service_change rehearsed = {
		.who = "ops", .rehearsal = true, .look = look_for_mail, .context = &is_there};
	sqlite3 *other;

	serve(world);
	assert_int_equal(make(world, &made), CHANGE_FINE);
	json_decref(values);
	assert_int_equal(make(world, &rehearsed), CHANGE_FINE);
	assert_true(is_there);

	assert_int_equal(sqlite3_open(world->path, &other), SQLITE_OK);
	assert_int_equal(sqlite3_exec(other, "UPDATE resources SET json = 'x' WHERE kind = 101",
				      NULL, NULL, NULL),
			 SQLITE_OK);
	sqlite3_close(other);
	assert_int_equal(make(world, &rehearsed), CHANGE_STORE);
	assert_non_null(strstr(rehearsed.error.text, "was not written by sluice"));
	assert_false(is_there);
	service_try_state(&world->service);
	addresses_about(world->service.resources, &about);
	assert_non_null(strstr(about.error, "was not written by sluice"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(
			a_read_that_fails_while_a_rehearsal_is_looked_at_fails_it, set_up,
			tear_down),
		cmocka_unit_test_setup_teardown(
			names_can_be_registered_after_a_model_that_is_not_served, set_up,
			tear_down),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
