/* Longer work of one request: in a thread with the loop going on meanwhile, and to its end when the
 * program is about to end. And what is done beside it, in portions too. */
#include "resolver/control/service/work.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "rules/text.h"
#include "tests/lib/addresses_fixture.h"

struct world {
	uv_loop_t loop;
	struct addresses_fixture *fixture;
	struct work work;
	uv_prepare_t rounds; /* of the loop */
	uv_idle_t idle;
	unsigned round, ended, threads, done;
	unsigned rounds_to_wait; /* of the loop, for the thread */
	uv_sem_t waited;
	uv_thread_t thread;
};

static struct world *world;

static void on_round(uv_prepare_t *rounds)
{
	(void)rounds;
	world->round++;
}

/* Keeps the loop going round, until the thread has waited for as many rounds as it wants to. */
static void on_idle(uv_idle_t *idle)
{
	if (--world->rounds_to_wait > 0)
		return;
	uv_idle_stop(idle);
	uv_sem_post(&world->waited);
}

static void on_end(void *context)
{
	struct world *of = context;

	of->ended++;
}

static int set_up(void **state)
{
	(void)state;
	world = calloc(1, sizeof *world);
	world->fixture = addresses_fixture_new(FIXTURE_WORLD FIXTURE_FILED);
	assert_int_equal(uv_loop_init(&world->loop), 0);
	work_init(&world->work, &world->loop, resources_store(world->fixture->resources), on_end,
		  world);
	uv_prepare_init(&world->loop, &world->rounds);
	uv_prepare_start(&world->rounds, on_round);
	uv_unref((uv_handle_t *)&world->rounds);
	uv_idle_init(&world->loop, &world->idle);
	uv_sem_init(&world->waited, 0);
	return 0;
}

static int tear_down(void **state)
{
	(void)state;
	uv_close((uv_handle_t *)&world->rounds, NULL);
	uv_close((uv_handle_t *)&world->idle, NULL);
	uv_close((uv_handle_t *)&world->work.turns.idle, NULL);
	uv_run(&world->loop, UV_RUN_DEFAULT);
	assert_int_equal(uv_loop_close(&world->loop), 0);
	uv_sem_destroy(&world->waited);
	addresses_fixture_free(world->fixture);
	free(world);
	return 0;
}

static void on_done(void *request)
{
	struct world *of = request;

	of->done++;
	work_end(&of->work);
}

static bool is_held(void)
{
	const struct owned_item ptr = {.reverse_fqdn = "x.test.", .ttl = NOT_GIVEN};
	struct address_draft *draft = edit_begin(world->fixture->resources, "test");
	int err = edit_point(draft, addresses_fixture_named(world->fixture, "bare"), &ptr);
	bool busy = draft_error(draft)->outcome == CHANGE_BUSY;

	assert_int_equal(err != 0, busy);
	edit_free(draft);
	return busy;
}

static void in_thread(void *request)
{
	struct world *of = request;

	of->threads++;
	of->thread = uv_thread_self();
}

/* Does not come to its end before the loop has gone round. */
static void in_thread_for_long(void *request)
{
	struct world *of = request;

	uv_sem_wait(&of->waited);
	in_thread(request);
}

static void begin_in_thread(void)
{
	work_block(&world->work);
	assert_int_equal(work_in_thread(&world->work, world, in_thread, on_done), 0);
}

static void the_loop_goes_round_while_a_thread_works(void **state)
{
	(void)state;
	assert_false(is_held());
	work_block(&world->work);
	assert_false(is_held());
	world->rounds_to_wait = 5;
	uv_idle_start(&world->idle, on_idle);
	assert_int_equal(work_in_thread(&world->work, world, in_thread_for_long, on_done), 0);
	while (world->rounds_to_wait > 0) {
		assert_true(is_held());
		assert_int_equal(world->done, 0);
		uv_run(&world->loop, UV_RUN_ONCE);
	}
	uv_run(&world->loop, UV_RUN_DEFAULT);
	assert_int_equal(world->threads, 1);
	assert_true(world->round >= 4);
	assert_int_equal(world->done, 1);
	assert_int_equal(world->ended, 1);
	assert_false(is_held());
}

static void a_thread_of_its_own_does_it_and_this_one_ends_it(void **state)
{
	uv_thread_t own = uv_thread_self();

	(void)state;
	begin_in_thread();
	assert_int_equal(world->done, 0);
	uv_run(&world->loop, UV_RUN_DEFAULT);
	assert_int_equal(world->threads, 1);
	assert_int_equal(world->done, 1);
	assert_false(uv_thread_equal(&world->thread, &own));
	assert_false(is_held());
}

static void what_is_under_way_is_finished_and_nothing_more_begun(void **state)
{
	(void)state;
	world->rounds_to_wait = 3;
	uv_idle_start(&world->idle, on_idle);
	work_block(&world->work);
	assert_int_equal(work_in_thread(&world->work, world, in_thread_for_long, on_done), 0);
	work_finish(&world->work);
	assert_int_equal(world->threads, 1);
	assert_int_equal(world->done, 1);
	assert_true(world->work.ending);
	assert_false(is_held());
}

static char order[8]; /* in which those that waited went on */
static struct work_waiter waiters[2];

static void go_on(struct work_waiter *waiter)
{
	assert_false(world->work.busy);
	text_append(order, sizeof order, "%d", (int)(waiter - waiters) + 1);
}

static void what_waits_goes_on_in_turn_when_it_has_ended(void **state)
{
	(void)state;
	*order = '\0';
	assert_false(work_wait(&world->work, &waiters[0], go_on));
	begin_in_thread();
	assert_true(work_wait(&world->work, &waiters[0], go_on));
	assert_true(work_wait(&world->work, &waiters[1], go_on));
	assert_string_equal(order, "");
	uv_run(&world->loop, UV_RUN_DEFAULT);
	assert_string_equal(order, "12");
}

/* ---- beside ---- */

struct reader {
	struct work_job job;
	char name;
	unsigned portions_left;
	uv_thread_t control; /* whose loop it is */
	bool in_thread, done;
};

static void note(char name)
{
	text_append(order, sizeof order, "%c", name);
}

static bool read_portion(void *context)
{
	struct reader *reader = context;

	note(reader->name);
	return --reader->portions_left > 0;
}

static void on_read(void *context)
{
	struct reader *reader = context;

	reader->done = true;
}

static void read_in_thread(void *context)
{
	const uv_thread_t own = uv_thread_self();
	struct reader *reader = context;

	reader->in_thread = !uv_thread_equal(&reader->control, &own);
}

static void what_is_done_beside_goes_by_turns_and_holds_nothing(void **state)
{
	struct reader a = {.name = 'a', .portions_left = 3}, b = {.name = 'b', .portions_left = 1},
		      c = {.name = 'c', .portions_left = 2};

	(void)state;
	*order = '\0';
	assert_true(work_beside_in_portions(&world->work, &a.job, read_portion, on_read));
	assert_true(work_beside_in_portions(&world->work, &b.job, read_portion, on_read));
	assert_true(work_beside_in_portions(&world->work, &c.job, read_portion, on_read));
	assert_false(is_held());
	begin_in_thread();
	uv_run(&world->loop, UV_RUN_DEFAULT);
	assert_string_equal(order, "abcaca");
	assert_true(a.done && b.done && c.done);
	assert_true(world->round >= 5); /* one portion in each */
	assert_int_equal(world->threads, 1);
}

static void what_takes_much_memory_is_done_one_after_the_other(void **state)
{
	struct reader a = {.name = 'a', .portions_left = 2, .job.large = true},
		      b = {.name = 'b', .portions_left = 2, .job.large = true},
		      c = {.name = 'c', .portions_left = 2};

	(void)state;
	*order = '\0';
	assert_true(work_beside_in_portions(&world->work, &a.job, read_portion, on_read));
	assert_true(work_beside_in_portions(&world->work, &b.job, read_portion, on_read));
	assert_true(work_beside_in_portions(&world->work, &c.job, read_portion, on_read));
	uv_run(&world->loop, UV_RUN_DEFAULT);
	assert_string_equal(order, "acabcb");
	assert_true(a.done && b.done && c.done);
}

static void a_thread_does_something_beside_what_another_does(void **state)
{
	struct reader reader = {.name = 'a', .control = uv_thread_self()};

	(void)state;
	assert_true(work_beside_in_thread(&world->work, &reader.job, read_in_thread, on_read));
	assert_false(is_held());
	begin_in_thread();
	uv_run(&world->loop, UV_RUN_DEFAULT);
	assert_true(reader.in_thread && reader.done);
	assert_int_equal(world->done, 1);
}

static void what_is_done_beside_is_given_up_or_finished(void **state)
{
	struct reader a = {.name = 'a', .portions_left = 3},
		      b = {.name = 'b', .control = uv_thread_self()}, late = {.name = 'l'};

	(void)state;
	*order = '\0';
	assert_true(work_beside_in_portions(&world->work, &a.job, read_portion, on_read));
	assert_true(work_beside_in_thread(&world->work, &b.job, read_in_thread, on_read));
	work_finish(&world->work);
	assert_string_equal(order, "");
	assert_true(a.done && a.job.given_up);
	assert_true(b.done && b.in_thread);
	assert_false(work_beside_in_portions(&world->work, &late.job, read_portion, on_read));
	assert_false(work_beside_in_thread(&world->work, &late.job, read_in_thread, on_read));
}

#define T(test) cmocka_unit_test_setup_teardown(test, set_up, tear_down)

/* ---- long answers ---- */

struct long_reader {
	struct work_reading reading; /* first */
	const char *name;
	bool over; /* before it has begun */
};

static char read_by[1024]; /* names, in the order in which they were read */
static unsigned answers;

static bool on_begin_reading(struct work_reading *reading)
{
	return !((struct long_reader *)reading)->over;
}

/* Changes are made meanwhile. */
static void read_for_long(struct work_reading *reading)
{
	(void)reading;
	uv_sem_wait(&world->waited);
}

static void on_answer(struct work_reading *reading, bool given_up)
{
	text_append(read_by, sizeof read_by, "%s%s ", given_up ? "-" : "",
		    ((struct long_reader *)reading)->name);
	answers++;
	assert_false(is_held());
	uv_sem_post(&world->waited); /* for the next one */
}

static void read_one(struct long_reader *reader)
{
	reader->reading = (struct work_reading){.client = reader->name,
						.on_begin = on_begin_reading,
						.in_thread = read_for_long,
						.on_done = on_answer};
	work_read(&world->work, &reader->reading);
}

static void read_by_turns(struct long_reader *readers, size_t count)
{
	*read_by = '\0';
	answers = 0;
	for (size_t i = 0; i < count; i++)
		read_one(&readers[i]);
	assert_false(is_held());
}

static void clients_take_turns_with_long_answers_and_hold_nothing(void **state)
{
	struct long_reader readers[] = {{.name = "a"},
					{.name = "a"},
					{.name = "a"},
					{.name = "b"},
					{.name = "c", .over = true},
					{.name = "b"}};

	(void)state;
	read_by_turns(readers, 6);
	uv_sem_post(&world->waited);
	uv_run(&world->loop, UV_RUN_DEFAULT);
	assert_string_equal(read_by, "a b a b a ");
}

static void the_client_that_was_served_longest_ago_is_next(void **state)
{
	struct long_reader readers[] = {{.name = "a"},    {.name = "a"}, {.name = "a"},
					{.name = "b"},    {.name = "b"}, {.name = "b"},
					{.name = "admin"}};
	struct long_reader later[] = {{.name = "a"}, {.name = "c"}, {.name = "b"}};

	(void)state;
	read_by_turns(readers, 7);
	uv_sem_post(&world->waited);
	uv_run(&world->loop, UV_RUN_DEFAULT);
	assert_string_equal(read_by, "a b admin a b a b ");
	uv_sem_wait(&world->waited);
	read_by_turns(later, 3);
	uv_sem_post(&world->waited);
	uv_run(&world->loop, UV_RUN_DEFAULT);
	assert_string_equal(read_by, "a c b ");
}

/* More than are remembered: those that are forgotten come first, and nobody is left out. */
static void many_clients_have_their_turns(void **state)
{
	enum { CLIENTS = WORK_SERVED_MAX + 8 };
	static struct long_reader readers[2 * CLIENTS];
	static char names[CLIENTS][8];

	(void)state;
	for (size_t i = 0; i < CLIENTS; i++) {
		snprintf(names[i], sizeof names[i], "%zu", i);
		readers[2 * i].name = readers[2 * i + 1].name = names[i];
	}
	read_by_turns(readers, 2 * CLIENTS);
	uv_sem_post(&world->waited);
	uv_run(&world->loop, UV_RUN_DEFAULT);
	assert_int_equal(answers, 2 * CLIENTS);
	assert_true(strncmp(read_by, "0 1 2 3 4 5 6 7 8 9 10 ", 23) == 0);
}

static void on_gap(struct work_waiter *waiter)
{
	(void)waiter;
	text_append(read_by, sizeof read_by, "gap ");
}

static void a_gap_comes_behind_the_long_answer_under_way_and_before_the_next(void **state)
{
	struct long_reader readers[] = {{.name = "a"}, {.name = "a"}, {.name = "b"}};
	struct work_waiter gap;

	(void)state;
	read_by_turns(readers, 2);
	work_gap(&world->work, &gap, on_gap);
	assert_string_equal(read_by, "");
	uv_sem_post(&world->waited);
	uv_run(&world->loop, UV_RUN_DEFAULT);
	assert_string_equal(read_by, "a gap ");
	read_one(&readers[2]);
	assert_string_equal(read_by, "a gap ");
	work_gap_end(&world->work);
	uv_run(&world->loop, UV_RUN_DEFAULT);
	assert_string_equal(read_by, "a gap b a ");
	work_gap(&world->work, &gap, on_gap);
	assert_string_equal(read_by, "a gap b a gap ");
	work_gap_end(&world->work);
}

static void long_answers_that_wait_for_a_gap_are_given_up_at_the_end(void **state)
{
	struct long_reader readers[] = {{.name = "a"}, {.name = "b"}};
	struct work_waiter gap;

	(void)state;
	work_gap(&world->work, &gap, on_gap);
	read_by_turns(readers, 2);
	work_finish(&world->work);
	assert_string_equal(read_by, "-a -b ");
	work_gap_end(&world->work);
}

static void long_answers_that_wait_are_given_up_at_the_end(void **state)
{
	struct long_reader readers[] = {{.name = "a"}, {.name = "b"}, {.name = "c"}};

	(void)state;
	read_by_turns(readers, 3);
	uv_sem_post(&world->waited);
	work_finish(&world->work);
	assert_string_equal(read_by, "a -b -c ");
}

static void long_answers_that_wait_can_be_given_up_while_one_is_written(void **state)
{
	struct long_reader readers[] = {{.name = "a"}, {.name = "b"}, {.name = "c"}};

	(void)state;
	read_by_turns(readers, 3);
	work_give_up_readings(&world->work);
	assert_string_equal(read_by, "-b -c ");
	work_finish(&world->work);
	assert_string_equal(read_by, "-b -c a ");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		T(the_loop_goes_round_while_a_thread_works),
		T(a_thread_of_its_own_does_it_and_this_one_ends_it),
		T(what_is_under_way_is_finished_and_nothing_more_begun),
		T(what_waits_goes_on_in_turn_when_it_has_ended),
		T(what_is_done_beside_goes_by_turns_and_holds_nothing),
		T(what_takes_much_memory_is_done_one_after_the_other),
		T(a_thread_does_something_beside_what_another_does),
		T(what_is_done_beside_is_given_up_or_finished),
		T(clients_take_turns_with_long_answers_and_hold_nothing),
		T(the_client_that_was_served_longest_ago_is_next),
		T(many_clients_have_their_turns),
		T(a_gap_comes_behind_the_long_answer_under_way_and_before_the_next),
		T(long_answers_that_wait_for_a_gap_are_given_up_at_the_end),
		T(long_answers_that_wait_are_given_up_at_the_end),
		T(long_answers_that_wait_can_be_given_up_while_one_is_written),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
