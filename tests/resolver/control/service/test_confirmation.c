/* What goes back unless it is confirmed: its record, what of the state goes back, and what is said
 * of it. */
#include "resolver/control/service/confirmation.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>

#include "resolver/control/config/copy.h"
#include "resolver/control/store/state.h"

struct fixture {
	char directory[32], state[64];
	struct confirmation confirmation;
};

static int set_up(void **state)
{
	struct fixture *fixture = calloc(1, sizeof *fixture);

	snprintf(fixture->directory, sizeof fixture->directory, "/tmp/sluice-XXXXXX");
	assert_non_null(mkdtemp(fixture->directory));
	snprintf(fixture->state, sizeof fixture->state, "%s/state.db", fixture->directory);
	assert_int_equal(confirmation_place(&fixture->confirmation, fixture->state), 0);
	*state = fixture;
	return 0;
}

static int tear_down(void **state)
{
	struct fixture *fixture = *state;

	config_copy_remove(fixture->confirmation.directory);
	config_copy_remove(fixture->directory);
	confirmation_release(&fixture->confirmation);
	free(fixture);
	return 0;
}

static struct unconfirmed change_of(uint64_t revision, const char *who)
{
	struct unconfirmed unconfirmed = unconfirmed_now(UNCONFIRMED_CHANGE, who, 600);

	unconfirmed.revision = revision;
	return unconfirmed;
}

/* ---- records ---- */

static void a_record_is_read_back_until_it_is_removed(void **state)
{
	const struct fixture *fixture = *state;
	const struct confirmation *confirmation = &fixture->confirmation;
	struct unconfirmed change = change_of(7, "some \"body\""), found;
	struct unconfirmed reload = unconfirmed_now(UNCONFIRMED_RELOAD, "ops", 1);
	char error[CONFIRMATION_TEXT_MAX], path[128];
	struct stat stat_of;

	assert_false(confirmation_find(confirmation, UNCONFIRMED_CHANGE, &found));
	assert_int_equal(confirmation_write(confirmation, &change, error), 0);
	assert_false(confirmation_find(confirmation, UNCONFIRMED_RELOAD, &found));
	assert_int_equal(confirmation_write(confirmation, &reload, error), 0);
	assert_true(confirmation_find(confirmation, UNCONFIRMED_RELOAD, &found));
	assert_string_equal(found.who, "ops");
	assert_int_equal(found.until_s - found.at_s, 1);
	assert_true(confirmation_find(confirmation, UNCONFIRMED_CHANGE, &found));
	assert_int_equal(found.kind, UNCONFIRMED_CHANGE);
	assert_string_equal(found.who, "some \"body\"");
	assert_int_equal(found.at_s, change.at_s);
	assert_int_equal(found.until_s, change.until_s);
	assert_int_equal(found.revision, 7);
	snprintf(path, sizeof path, "%s/change", confirmation->directory);
	assert_int_equal(stat(path, &stat_of), 0);
	assert_int_equal(stat_of.st_mode & 07777, 0600);

	assert_int_equal(confirmation_remove(confirmation, UNCONFIRMED_CHANGE, error), 0);
	assert_int_equal(confirmation_remove(confirmation, UNCONFIRMED_CHANGE, error), 0);
	assert_false(confirmation_find(confirmation, UNCONFIRMED_CHANGE, &found));
	assert_true(confirmation_find(confirmation, UNCONFIRMED_RELOAD, &found));
	assert_int_equal(confirmation_remove(confirmation, UNCONFIRMED_RELOAD, error), 0);
	assert_int_not_equal(access(confirmation->directory, F_OK), 0);
}

static void a_record_that_is_not_removed_is_there(void **state)
{
	const struct fixture *fixture = *state;
	const struct confirmation *confirmation = &fixture->confirmation;
	struct unconfirmed change = change_of(7, "ops"), found;
	char error[CONFIRMATION_TEXT_MAX];
	struct rlimit files;

	assert_int_equal(confirmation_write(confirmation, &change, error), 0);
	assert_int_equal(getrlimit(RLIMIT_NOFILE, &files), 0);
	assert_int_equal(setrlimit(RLIMIT_NOFILE, &(struct rlimit){0, files.rlim_max}), 0);
	assert_int_equal(confirmation_remove(confirmation, UNCONFIRMED_CHANGE, error), ERR_SYSTEM);
	assert_int_equal(setrlimit(RLIMIT_NOFILE, &files), 0);
	assert_non_null(strstr(error, "cannot be opened"));
	assert_true(confirmation_find(confirmation, UNCONFIRMED_CHANGE, &found));
	assert_int_equal(confirmation_remove(confirmation, UNCONFIRMED_CHANGE, error), 0);
}

static void what_is_no_record_is_none(void **state)
{
	static const char *const texts[] = {
		"", "{\"who\": \"ops\", \"at\": 1", "[]",
		"{\"who\": 1, \"at\": 1, \"until\": 1, \"revision\": 1}"};
	const struct fixture *fixture = *state;
	const struct confirmation *confirmation = &fixture->confirmation;
	struct unconfirmed found;
	char path[128];

	snprintf(path, sizeof path, "%s/change", confirmation->directory);
	assert_int_equal(mkdir(confirmation->directory, 0700), 0);
	for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
		FILE *file = fopen(path, "w");

		fputs(texts[i], file);
		fclose(file);
		assert_false(confirmation_find(confirmation, UNCONFIRMED_CHANGE, &found));
	}
}

/* ---- the state ---- */

/* Pairs of paths and values up to a NULL, as one change; its revision. */
static uint64_t put(const struct fixture *fixture, const char *who, const char *const *pairs)
{
	char error[SOURCE_ERROR_MAX];
	struct source *source = state_open(fixture->state, error);
	uint64_t revision;

	assert_non_null(source);
	assert_int_equal(source->calls->sync(source, error), 0);
	assert_int_equal(source->calls->begin(source, who, &revision, error), 0);
	for (; *pairs; pairs += 2)
		assert_int_equal(source->calls->put(source, 10, pairs[0], pairs[1], NULL, error),
				 0);
	assert_int_equal(source->calls->commit(source, error), COMMIT_YES);
	source_close(source);
	return revision;
}

static int print(void *context, const struct source_resource *resource)
{
	fprintf(context, "%s=%s ", resource->path, resource->json);
	return 0;
}

static void assert_state(const struct fixture *fixture, const char *expected)
{
	char error[SOURCE_ERROR_MAX], text[512] = "";
	struct source *source = state_open(fixture->state, error);
	FILE *out = fmemopen(text, sizeof text, "w");

	assert_int_equal(source->calls->resources(source, 10, "", "~", print, out, error), 0);
	fclose(out);
	source_close(source);
	assert_string_equal(text, expected);
}

static void restore(const struct fixture *fixture, uint64_t revision, const char *who)
{
	const struct unconfirmed change = change_of(revision, who);
	char error[CONFIRMATION_TEXT_MAX];

	assert_int_equal(confirmation_write(&fixture->confirmation, &change, error), 0);
	assert_int_equal(
		confirmation_restore(&fixture->confirmation, fixture->state, &change, error), 0);
	assert_int_not_equal(access(fixture->confirmation.directory, F_OK), 0);
}

static const char *const first[] = {"-/a", "{}", "-/b", "{\"x\":1}", NULL};
static const char *const second[] = {"-/a", NULL,  "-/b",       "{\"x\":2}", "-/c",
				     "{}",  "-/b", "{\"x\":3}", NULL};

static void a_change_goes_back_whole_and_once(void **state)
{
	const struct fixture *fixture = *state;
	uint64_t revision;

	put(fixture, "ops", first);
	revision = put(fixture, "eve", second);
	assert_state(fixture, "-/b={\"x\":3} -/c={} ");
	restore(fixture, revision, "eve");
	assert_state(fixture, "-/a={} -/b={\"x\":1} ");
	restore(fixture, revision, "eve"); /* what took it back came after it */
	assert_state(fixture, "-/a={} -/b={\"x\":1} ");
	restore(fixture, revision + 9, "eve"); /* it never came to be */
	assert_state(fixture, "-/a={} -/b={\"x\":1} ");
}

static void what_somebody_else_has_changed_stays(void **state)
{
	static const char *const third[] = {"-/a", "{\"x\":4}", "-/d", "{}", NULL};
	const struct fixture *fixture = *state;
	uint64_t revision = put(fixture, "ops", first);

	restore(fixture, revision, "eve"); /* who has not made it */
	assert_state(fixture, "-/a={} -/b={\"x\":1} ");
	put(fixture, "eve", third);
	restore(fixture, revision, "ops");
	assert_state(fixture, "-/a={\"x\":4} -/d={} ");
}

/* ---- in memory ---- */

static void on_due(void *context)
{
	++*(int *)context;
}

static void one_that_waits_is_told_of_and_is_due_in_time(void **state)
{
	struct fixture *fixture = *state;
	struct confirmation *confirmation = &fixture->confirmation;
	struct unconfirmed change = change_of(7, "ops");
	char text[CONFIRMATION_TEXT_MAX];
	uv_loop_t loop;
	int due = 0;

	assert_int_equal(uv_loop_init(&loop), 0);
	confirmation_open(confirmation, &loop, on_due, &due);
	assert_null(confirmation_refusal(confirmation, text));
	change.at_s = 1700000000;
	change.until_s = change.at_s;
	int64_t before_s = time(NULL);
	confirmation_begin(confirmation, &change);
	assert_true(confirmation->waiting.until_s >= before_s);
	confirmation->waiting.until_s = change.until_s;
	assert_string_equal(confirmation_refusal(confirmation, text),
			    "the change of revision 7 by ops goes back at 2023-11-14 22:13:20 UTC "
			    "unless it is confirmed; `sluice confirm` keeps it, `sluice confirm "
			    "--back` takes it back now");
	assert_int_equal(due, 0);
	uv_run(&loop, UV_RUN_DEFAULT);
	assert_int_equal(due, 1);
	snprintf(confirmation->error, sizeof confirmation->error, "the disk is full");
	assert_non_null(strstr(confirmation_waits(confirmation, false, text),
			       "could not go back and is still served, which is tried again: the "
			       "disk is full"));
	assert_string_equal(confirmation_waits(confirmation, true, text),
			    "the change of revision 7 could not go back and is still served, which "
			    "is tried again: the server's log says why");
	confirmation_try_again(confirmation, 1);
	uv_run(&loop, UV_RUN_DEFAULT);
	assert_int_equal(due, 2);
	confirmation_end(confirmation, true);
	assert_null(confirmation_waits(confirmation, false, text));
	assert_null(confirmation_is_back(confirmation, false, text)); /* that is for reloads */

	change.kind = UNCONFIRMED_RELOAD;
	confirmation_begin(confirmation, &change);
	confirmation_end(confirmation, true);
	assert_string_equal(confirmation_is_back(confirmation, false, text),
			    "the reload by ops of 2023-11-14 22:13:20 UTC was not confirmed; what "
			    "was before it is served, not the configuration file, until `sluice "
			    "reload`");
	assert_string_equal(confirmation_is_back(confirmation, true, text),
			    "the reload of 2023-11-14 22:13:20 UTC was not confirmed; what was "
			    "before it is served, not the configuration file, until `sluice "
			    "reload`");
	uv_run(&loop, UV_RUN_DEFAULT);
	assert_int_equal(due, 2);
	/* The time left is not that of the time of day, which was years earlier at the beginning.
	 */
	change.until_s = change.at_s + 600;
	confirmation_begin(confirmation, &change);
	json_t *shown = unconfirmed_json(&confirmation->waiting, NULL, false);
	assert_in_range(json_integer_value(json_object_get(shown, "left_s")), 1, 600);
	json_decref(shown);
	confirmation_end(confirmation, false);
	assert_null(confirmation_is_back(confirmation, false, text));
	uv_close((uv_handle_t *)&confirmation->timer, NULL);
	uv_run(&loop, UV_RUN_DEFAULT);
	assert_int_equal(uv_loop_close(&loop), 0);
}

static void without_a_state_nothing_can_wait(void **state)
{
	struct fixture *fixture = *state;
	struct unconfirmed found;
	char text[CONFIRMATION_TEXT_MAX];

	assert_int_equal(confirmation_place(&fixture->confirmation, ""), 0);
	assert_non_null(strstr(confirmation_refusal(&fixture->confirmation, text),
			       "management = { state ="));
	assert_false(confirmation_find(&fixture->confirmation, UNCONFIRMED_RELOAD, &found));
	assert_int_equal(confirmation_place(&fixture->confirmation, fixture->state), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(a_record_is_read_back_until_it_is_removed, set_up,
						tear_down),
		cmocka_unit_test_setup_teardown(a_record_that_is_not_removed_is_there, set_up,
						tear_down),
		cmocka_unit_test_setup_teardown(what_is_no_record_is_none, set_up, tear_down),
		cmocka_unit_test_setup_teardown(a_change_goes_back_whole_and_once, set_up,
						tear_down),
		cmocka_unit_test_setup_teardown(what_somebody_else_has_changed_stays, set_up,
						tear_down),
		cmocka_unit_test_setup_teardown(one_that_waits_is_told_of_and_is_due_in_time,
						set_up, tear_down),
		cmocka_unit_test_setup_teardown(without_a_state_nothing_can_wait, set_up,
						tear_down),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
