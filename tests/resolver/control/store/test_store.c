/* A process's connection to its store: which store it opens, what it says if it cannot, and its
 * copies. */
#include "resolver/control/store/store.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>
#include <sqlite3.h>

#include "resolver/log.h"
#include "tests/lib/config_text.h"

struct world {
	struct config_text config; /* for its directory */
	char path[96], url[128], other[128];
	struct store store;
	struct faults faults;
};

static int set_up(void **state)
{
	struct world *world = calloc(1, sizeof *world);

	assert_non_null(world);
	config_text_init(&world->config);
	snprintf(world->path, sizeof world->path, "%s/state.db", world->config.directory);
	snprintf(world->url, sizeof world->url, "file:%s", world->path);
	snprintf(world->other, sizeof world->other, "%s/other.db", world->config.directory);
	store_init(&world->store, SOURCE_WRITE);
	faults_init(&world->faults);
	*state = world;
	return 0;
}

static int tear_down(void **state)
{
	struct world *world = *state;

	store_close(&world->store);
	faults_release(&world->faults);
	config_text_release(&world->config);
	free(world);
	return 0;
}

static void forget_faults(struct world *world)
{
	faults_release(&world->faults);
	faults_init(&world->faults);
}

static int follow(struct world *world, const char *url)
{
	static const struct origin origin = {.file = "sluice.conf", .line = 7};

	forget_faults(world);
	return store_follow(&world->store, url, &origin, &world->faults);
}

static void check_fault(const struct world *world, unsigned severity, const char *text)
{
	assert_int_equal(world->faults.count, 1);
	assert_int_equal(world->faults.items[0].severity, severity);
	assert_int_equal(world->faults.items[0].origin.line, 7);
	if (!strstr(world->faults.items[0].text, text))
		fail_msg("\"%s\" does not have \"%s\"", world->faults.items[0].text, text);
}

/* A folder stands where the state should be. */
static void spoil(const struct world *world)
{
	assert_int_equal(mkdir(world->path, 0700), 0);
}

static void mend(const struct world *world)
{
	assert_int_equal(rmdir(world->path), 0);
}

/* ---- which one ---- */

static void the_first_model_names_the_store(void **state)
{
	struct world *world = *state;
	struct source *first;

	assert_int_equal(follow(world, world->url), 0);
	first = world->store.source;
	assert_non_null(first);
	assert_true(world->store.stale);
	assert_int_equal(follow(world, world->url), 0);
	assert_int_equal(world->faults.count, 0);
	assert_int_equal(follow(world, world->other), 0);
	check_fault(world, FAULT_WARNING, "another state takes a restart; still file:");
	assert_ptr_equal(world->store.source, first);
	assert_int_equal(follow(world, NULL), 0);
	check_fault(world, FAULT_WARNING, "another state takes a restart");
}

static void a_model_without_a_state_stays_without_one(void **state)
{
	struct world *world = *state;

	assert_int_equal(follow(world, NULL), 0);
	assert_int_equal(world->faults.count, 0);
	assert_false(world->store.stale);
	assert_int_equal(follow(world, world->url), 0);
	check_fault(world, FAULT_WARNING, "another state takes a restart; still none");
	assert_null(world->store.source);
}

/* ---- what stands in its way ---- */

static void a_state_that_cannot_be_opened_is_tried_again(void **state)
{
	struct world *world = *state;

	spoil(world);
	assert_int_equal(follow(world, world->url), 0);
	check_fault(world, FAULT_WARNING,
		    "; then reload the configuration; what the file says is served, and changes "
		    "are refused until then");
	assert_null(world->store.source);
	assert_true(*world->store.error);
	assert_int_equal(follow(world, world->url), 0);
	check_fault(world, FAULT_WARNING, "; then reload the configuration; changes are refused");
	mend(world);
	assert_int_equal(follow(world, world->url), 0);
	assert_int_equal(world->faults.count, 0);
	assert_non_null(world->store.source);
	assert_false(*world->store.error);
}

static void beside_another_process_it_must_be_there(void **state)
{
	struct world *world = *state;

	store_init(&world->store, SOURCE_READ);
	assert_int_equal(follow(world, world->url), ERR_FAULTS);
	check_fault(world, FAULT_ERROR, "is not there; restart to begin one");
	assert_null(world->store.source);
}

static void what_another_process_has_written_is_taken_over_to_write(void **state)
{
	struct world *world = *state;
	struct store other;
	char error[SOURCE_ERROR_MAX];
	uint64_t revision;

	assert_int_equal(follow(world, world->url), 0);
	store_hand_over(&world->store);
	assert_null(world->store.source);
	assert_non_null(strstr(world->store.error, "is being handed over to another process"));
	store_init(&other, SOURCE_READ);
	assert_int_equal(
		store_follow(&other, world->url, &(struct origin){.line = 7}, &world->faults), 0);
	other.stale = false;
	store_take(&other);
	assert_null(other.source);
	assert_true(other.stale);
	assert_int_equal(
		store_follow(&other, world->url, &(struct origin){.line = 7}, &world->faults), 0);
	assert_int_equal(other.source->calls->sync(other.source, error), 0);
	assert_int_equal(other.source->calls->begin(other.source, "ops", &revision, error), 0);
	other.source->calls->roll_back(other.source);
	store_close(&other);
}

static void an_error_is_noted_until_the_store_works_again(void **state)
{
	struct world *world = *state;

	store_note_error(&world->store, "the disk is full", false);
	assert_string_equal(world->store.error, "the disk is full");
	store_say_unread(&world->store, "the disk is gone");
	assert_string_equal(world->store.error, "the disk is gone; then reload the configuration");
	store_note_error(&world->store, NULL, false);
	assert_string_equal(world->store.error, "");
}

static void a_store_is_tried_until_it_can_be_written_again(void **state)
{
	struct world *world = *state;
	struct store *store = &world->store;
	sqlite3 *other;

	assert_int_equal(follow(world, world->url), 0);
	store->stale = false;
	store_note_error(store, "a row is not ours", true);
	store_try(store, 0);
	assert_string_equal(store->error, "a row is not ours");

	store_note_error(store, "the disk is full", false);
	assert_int_equal(sqlite3_open(world->path, &other), SQLITE_OK);
	assert_int_equal(sqlite3_exec(other, "BEGIN IMMEDIATE", NULL, NULL, NULL), SQLITE_OK);
	store_try(store, 10000);
	assert_non_null(strstr(store->error, "locked"));
	assert_int_equal(sqlite3_exec(other, "ROLLBACK", NULL, NULL, NULL), SQLITE_OK);
	store_try(store, 11999);
	assert_non_null(strstr(store->error, "locked"));
	store_try(store, 12000);
	assert_string_equal(store->error, "");

	assert_int_equal(sqlite3_exec(other, "UPDATE meta SET value = 7 WHERE key = 'revision'",
				      NULL, NULL, NULL),
			 SQLITE_OK);
	sqlite3_close(other);
	store_note_error(store, "the disk is full", false);
	store_try(store, 20000);
	assert_non_null(strstr(store->error, "was changed by another program; reload"));
}

/* ---- sluice check ---- */

static bool look(struct world *world, const char *url)
{
	static const struct origin origin = {.file = "sluice.conf", .line = 7};
	bool found = store_look(&world->store, url, &origin, &world->faults);

	store_close(&world->store);
	return found;
}

static void a_check_says_what_the_next_start_would_meet(void **state)
{
	struct world *world = *state;
	char nowhere[256];

	assert_false(look(world, NULL));
	assert_false(look(world, world->url)); /* the start makes it */
	assert_int_equal(world->faults.count, 0);
	snprintf(nowhere, sizeof nowhere, "%s/no/state.db", world->config.directory);
	assert_false(look(world, nowhere));
	check_fault(world, FAULT_WARNING, "/no does not exist; create it");
	store_init(&world->store, SOURCE_WRITE);
	assert_int_equal(follow(world, world->url), 0);
	store_close(&world->store);
	assert_true(look(world, world->url));
	assert_int_equal(world->faults.count, 0);
}

static void a_check_warns_of_a_state_that_cannot_be_opened(void **state)
{
	struct world *world = *state;

	spoil(world);
	assert_false(look(world, world->url));
	check_fault(world, FAULT_WARNING,
		    "; what the file says is served, and changes are refused");
	mend(world);
}

/* ---- copies ---- */

static uint64_t changes_of(struct store *store)
{
	struct source_about about;

	source_about(store->source, &about);
	return about.revision;
}

/* Adds a row; `store` is a copy or the store itself. */
static void change(struct store *store, const char *path)
{
	struct source *source = store->source;
	char error[SOURCE_ERROR_MAX];
	uint64_t revision;

	assert_int_equal(source->calls->begin(source, "ops", &revision, error), 0);
	assert_int_equal(source->calls->put(source, 1, path, "{}", NULL, error), 0);
	assert_int_equal(source->calls->commit(source, error), COMMIT_YES);
}

static void a_change_aside_counts_as_the_stores_own(void **state)
{
	struct world *world = *state;
	char error[SOURCE_ERROR_MAX];
	struct store aside;

	assert_int_equal(follow(world, world->url), 0);
	assert_int_equal(world->store.source->calls->sync(world->store.source, error), 0);
	store_hold(&world->store, true);
	store_copy(&aside, &world->store, STORE_ASIDE);
	assert_false(aside.held);
	assert_ptr_not_equal(aside.source, world->store.source);
	change(&aside, "-/a");
	store_close(&aside);
	assert_null(aside.source);
	store_hold(&world->store, false);
	assert_true(world->store.source->calls->is_current(world->store.source));
	assert_int_equal(changes_of(&world->store), 1);
}

static void a_view_stays_as_it_was(void **state)
{
	struct world *world = *state;
	char error[SOURCE_ERROR_MAX];
	struct store view, same;
	size_t seen = 0;

	assert_int_equal(follow(world, world->url), 0);
	assert_int_equal(world->store.source->calls->sync(world->store.source, error), 0);
	change(&world->store, "-/a");
	store_copy(&view, &world->store, STORE_VIEW);
	store_copy(&same, &world->store, STORE_SAME);
	assert_ptr_equal(same.source, world->store.source);
	change(&world->store, "-/b");
	assert_int_equal(view.source->calls->count(view.source, 1, NULL, &seen, error), 0);
	assert_int_equal(seen, 1);
	store_close(&view);
	store_close(&same); /* the connection stays the store's */
	assert_int_equal(
		world->store.source->calls->count(world->store.source, 1, NULL, &seen, error), 0);
	assert_int_equal(seen, 2);
}

static void a_copy_of_a_closed_store_is_closed(void **state)
{
	struct world *world = *state;
	struct store copy;

	spoil(world);
	assert_int_equal(follow(world, world->url), 0);
	store_copy(&copy, &world->store, STORE_ASIDE);
	assert_null(copy.source);
	assert_string_equal(copy.error, world->store.error);
	store_close(&copy);
	mend(world);
}

#define T(test) cmocka_unit_test_setup_teardown(test, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		T(the_first_model_names_the_store),
		T(a_model_without_a_state_stays_without_one),
		T(a_state_that_cannot_be_opened_is_tried_again),
		T(beside_another_process_it_must_be_there),
		T(what_another_process_has_written_is_taken_over_to_write),
		T(an_error_is_noted_until_the_store_works_again),
		T(a_store_is_tried_until_it_can_be_written_again),
		T(a_check_says_what_the_next_start_would_meet),
		T(a_check_warns_of_a_state_that_cannot_be_opened),
		T(a_change_aside_counts_as_the_stores_own),
		T(a_view_stays_as_it_was),
		T(a_copy_of_a_closed_store_is_closed),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
