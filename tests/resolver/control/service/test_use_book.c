/* Since when rules and targets are known, and when they were used last: what a new process finds,
 * and what is written of it. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "resolver/control/service/use_book.h"
#include "resolver/control/store/pairs.h"
#include "resolver/resolve/resolve.h"
#include "tests/lib/addresses_fixture.h"
#include "tests/lib/model_builder.h"

enum { HOUR = 3600, MANY = 600, START = 1800000000 };

struct world {
	struct addresses_fixture *fixture;
	uv_loop_t loop;
	struct work work;
	struct server server; /* nothing but what is looked at */
	struct model *model;
	struct use_book book;
	unsigned written;
	int64_t now_s;
};

static void on_written(void *context)
{
	struct world *world = context;

	world->written++;
}

static void serve(struct world *world)
{
	struct server *server = &world->server;
	struct snapshot *before = server->current;
	struct policy *policy = model_compile(world->model, before ? before->policy : NULL);

	server->current = snapshot_new(policy, server->registry, server->meters, &server->series,
				       world->model);
	assert_non_null(server->current);
	server->current->generation = before ? before->generation + 1 : 1;
	snapshot_free(before);
}

static struct forwarding_ruleset *add_pair(struct world *world)
{
	struct forwarding_ruleset *ruleset =
		model_add_ruleset(world->model, "onprem", "hub/out", "hub");

	model_add_rule(world->model, ruleset, "one", "one.", "192.0.2.1");
	model_add_rule(world->model, ruleset, "two", "two.", "192.0.2.2");
	return ruleset;
}

static void build_model(struct world *world, unsigned rules)
{
	struct forwarding_ruleset *ruleset;
	char name[16], domain[24];

	world->model = model_start();
	model_add_network(world->model, "hub", "10.10.0.0/16");
	model_add_resolver(world->model, "hub", "hub", NULL);
	ruleset = add_pair(world);
	for (unsigned i = 0; i < rules; i++) {
		snprintf(name, sizeof name, "r%u", i);
		snprintf(domain, sizeof domain, "r%u.test.", i);
		model_add_rule(world->model, ruleset, name, domain, "192.0.2.3");
	}
}

/* As a process does. */
static void open_world(struct world *world)
{
	struct server *server = &world->server;

	*server = (struct server){.registry = target_registry_new(),
				  .meters = meter_registry_new(&test_key),
				  .series = {.rules = series_set_new(1, RULE_COUNTERS, 2000),
					     .outcomes = outcomes_registry_new()}};
	serve(world);
	assert_int_equal(uv_loop_init(&world->loop), 0);
	work_init(&world->work, &world->loop, resources_store(world->fixture->resources), NULL,
		  NULL);
	memset(&world->book, 0, sizeof world->book);
	assert_int_equal(use_book_open(&world->book, &world->loop,
				       resources_store(world->fixture->resources), server,
				       &world->work, on_written, world),
			 0);
}

static void close_world(struct world *world)
{
	struct server *server = &world->server;

	uv_close((uv_handle_t *)&world->book.timer, NULL);
	uv_close((uv_handle_t *)&world->work.turns.idle, NULL);
	uv_run(&world->loop, UV_RUN_DEFAULT);
	assert_int_equal(uv_loop_close(&world->loop), 0);
	use_book_release(&world->book);
	snapshot_free(server->current);
	series_set_free(server->series.rules);
	outcomes_registry_free(server->series.outcomes);
	target_registry_free(server->registry);
	meter_registry_free(server->meters);
}

static void begin(struct world *world, unsigned rules)
{
	world->fixture = addresses_fixture_new(FIXTURE_WORLD);
	world->now_s = START;
	build_model(world, rules);
	open_world(world);
}

static int set_up(void **state)
{
	struct world *world = calloc(1, sizeof *world);

	begin(world, 0);
	*state = world;
	return 0;
}

static int set_up_many(void **state)
{
	struct world *world = calloc(1, sizeof *world);

	begin(world, MANY);
	*state = world;
	return 0;
}

static int tear_down(void **state)
{
	struct world *world = *state;

	close_world(world);
	model_free(world->model);
	addresses_fixture_free(world->fixture);
	free(world);
	return 0;
}

/* Ends without a word, and begins again. */
static void kill_it(struct world *world)
{
	close_world(world);
	addresses_fixture_restart(world->fixture);
	open_world(world);
}

static void look(struct world *world)
{
	use_book_rest(&world->book, world->now_s);
}

static const struct rule *rule_in(const struct world *world, size_t number, const char *name)
{
	struct ruleset *ruleset = world->server.current->policy->rulesets[number];

	for (size_t i = 0; i < ruleset_rule_count(ruleset); i++)
		if (strcmp(ruleset_rule(ruleset, i)->name, name) == 0)
			return ruleset_rule(ruleset, i);
	return NULL;
}

static const struct rule *rule_of(const struct world *world, const char *name)
{
	return rule_in(world, 0, name);
}

static void hit_rule(const struct world *world, const struct rule *rule)
{
	COUNTER_ADD(series_cells(world->server.series.rules,
				 0)[(size_t)rule->series * RULE_COUNTERS + RULE_QUERIES],
		    1);
}

static void hit(const struct world *world, const char *name)
{
	hit_rule(world, rule_of(world, name));
}

static void check_rule(struct world *world, const struct rule *rule, int64_t since_s,
		       int64_t used_s)
{
	struct use_times times;

	assert_true(use_book_rule(&world->book, rule, world->now_s, &times));
	assert_int_equal(times.since_s, since_s);
	assert_int_equal(times.used_s, used_s);
}

static void check(struct world *world, const char *name, int64_t since_s, int64_t used_s)
{
	check_rule(world, rule_of(world, name), since_s, used_s);
}

static int64_t written_use(struct world *world, const char *what)
{
	struct pairs_use row = {.what = what};
	char error[SOURCE_ERROR_MAX];

	assert_int_equal(
		pairs_read_uses(resources_store(world->fixture->resources)->source, &row, 1, error),
		0);
	return row.found ? row.used_s : -1;
}

static int on_use(void *context, const struct pairs_use *use)
{
	unsigned *count = context;

	(void)use;
	++*count;
	return 0;
}

static unsigned rows(struct world *world)
{
	unsigned count = 0;
	char error[SOURCE_ERROR_MAX];

	assert_int_equal(pairs_uses_after(resources_store(world->fixture->resources)->source, "",
					  10000, on_use, &count, error),
			 0);
	return count;
}

static void a_use_is_as_old_as_the_look_that_saw_it_and_outlives_a_kill(void **state)
{
	struct world *world = *state;

	look(world);
	check(world, "one", START, 0);
	world->now_s += 100;
	hit(world, "one");
	look(world);
	check(world, "one", START, START + 100);
	check(world, "two", START, 0);
	kill_it(world);
	world->now_s += 1000;
	check(world, "one", START, START + 100);
	check(world, "two", START, 0);
	hit(world, "two");
	check(world, "two", START, world->now_s);
}

static void a_row_is_written_when_it_is_new_and_then_once_an_hour(void **state)
{
	struct world *world = *state;

	look(world);
	assert_int_equal(world->written, 1);
	assert_int_equal(rows(world), 4); /* two rules, two targets */
	look(world);
	assert_int_equal(world->written, 1);
	for (unsigned i = 0; i < 12; i++) {
		world->now_s += 600;
		hit(world, "one");
		look(world);
	}
	/* The first use, and those an hour and two later. */
	assert_int_equal(world->written, 3);
	assert_int_equal(written_use(world, "rule onprem\tone"), START + 600 + HOUR);
	assert_int_equal(written_use(world, "rule onprem\ttwo"), 0);
	assert_int_equal(written_use(world, "rule onprem\tthree"), -1);
}

static void rules_of_one_name_in_two_groups_are_used_each_for_itself(void **state)
{
	struct world *world = *state;

	add_pair(world)->full_name = "prod/onprem";
	serve(world);
	look(world);
	assert_int_equal(rows(world), 6); /* four rules, two targets */
	world->now_s += 100;
	hit_rule(world, rule_in(world, 1, "one"));
	look(world);
	check(world, "one", START, 0);
	check_rule(world, rule_in(world, 1, "one"), START, START + 100);
	assert_int_equal(written_use(world, "rule onprem\tone"), 0);
	assert_int_equal(written_use(world, "rule prod/onprem\tone"), START + 100);
	kill_it(world);
	check(world, "one", START, 0);
	check_rule(world, rule_in(world, 1, "one"), START, START + 100);
	/* One of them goes, and nothing of the other is forgotten. */
	world->model->rulesets.count = 1;
	serve(world);
	look(world);
	assert_int_equal(rows(world), 4);
	check(world, "one", START, 0);
	assert_int_equal(written_use(world, "rule prod/onprem\tone"), -1);
}

static void what_is_gone_is_forgotten_here_and_in_the_state(void **state)
{
	struct world *world = *state;

	look(world);
	world->model->rulesets.items[0].rules.items[1].state = RULE_DISABLED;
	serve(world);
	world->now_s += HOUR;
	look(world);
	assert_int_equal(rows(world), 2);
	world->model->rulesets.items[0].rules.items[1].state = RULE_ENABLED;
	serve(world);
	look(world);
	check(world, "one", START, 0);
	check(world, "two", START + HOUR, 0);
}

/* The control thread has other work: no transaction for each. */
static void very_many_that_are_gone_are_forgotten_some_at_a_time(void **state)
{
	struct world *world = *state;

	look(world);
	const unsigned written = world->written;
	struct model *before = world->model;
	build_model(world, 0);
	serve(world);
	model_free(before);
	look(world);
	assert_int_equal(rows(world), 4);
	assert_in_range(world->written - written, 2, 4);
	look(world);
	assert_in_range(world->written - written, 2, 4);
}

static void a_time_of_day_that_is_set_back_leaves_nothing_in_the_future(void **state)
{
	struct world *world = *state;

	look(world);
	world->now_s += HOUR;
	hit(world, "one");
	look(world);
	world->now_s = START - 10 * HOUR;
	check(world, "one", world->now_s, world->now_s);
	look(world);
	kill_it(world);
	check(world, "one", START - 10 * HOUR, START - 10 * HOUR);
	check(world, "two", START - 10 * HOUR, 0);
	world->now_s += 2 * HOUR;
	hit(world, "one");
	look(world);
	assert_int_equal(written_use(world, "rule onprem\tone"), START - 8 * HOUR);
}

static void what_was_gone_before_the_process_came_is_swept_from_the_state(void **state)
{
	struct world *world = *state;

	look(world);
	assert_int_equal(rows(world), MANY + 2 + 3);
	close_world(world);
	model_free(world->model);
	build_model(world, 0);
	addresses_fixture_restart(world->fixture);
	open_world(world);
	look(world);
	assert_int_equal(rows(world), 4);
}

static void a_book_that_is_handed_over_writes_nothing_and_one_that_is_taken_reads(void **state)
{
	struct world *world = *state;
	struct pairs_use row = {.what = "rule onprem\tone", .since_s = 5, .used_s = 7};
	char error[SOURCE_ERROR_MAX];

	use_book_hand_over(&world->book);
	const unsigned written = world->written;
	assert_int_equal(written, 1);
	hit(world, "one");
	world->now_s += 2 * HOUR;
	look(world);
	assert_int_equal(world->written, written);
	assert_int_equal(pairs_write_uses(resources_store(world->fixture->resources)->source, &row,
					  1, error),
			 0);
	use_book_take(&world->book);
	check(world, "one", 5, world->now_s);
}

/* Another thread has the store: it is read when that is over, and nothing is written meanwhile. */
static void a_state_that_is_held_is_read_and_written_later(void **state)
{
	struct world *world = *state;

	look(world);
	kill_it(world);
	world->now_s += HOUR;
	store_hold(resources_store(world->fixture->resources), true);
	check(world, "one", START + HOUR, 0);
	look(world);
	assert_int_equal(world->written, 1);
	store_hold(resources_store(world->fixture->resources), false);
	check(world, "one", START, 0);
}

static void a_target_is_used_when_it_is_asked(void **state)
{
	struct world *world = *state;
	struct upstream *upstream = &rule_of(world, "one")->route.legs[0].upstreams[0];
	struct use_times times;

	assert_true(use_book_target(&world->book, upstream->target, START, &times));
	assert_int_equal(times.used_s, 0);
	target_on_ask(upstream->target);
	assert_true(use_book_target(&world->book, upstream->target, START + 5, &times));
	assert_int_equal(times.since_s, START);
	assert_int_equal(times.used_s, START + 5);
	/* Without another question it is as long ago as it is. */
	assert_true(use_book_target(&world->book, upstream->target, START + 50, &times));
	assert_int_equal(times.used_s, START + 5);
}

struct walked {
	unsigned targets, rules;
};

static void note_target(void *context, const struct served_target *target)
{
	struct walked *walked = context;

	assert_true(target->rule->enabled);
	walked->targets++;
}

static void note_rule(void *context, const struct rule *rule)
{
	struct walked *walked = context;

	(void)rule;
	walked->rules++;
}

static void a_walk_goes_in_steps_and_says_that_the_policy_has_changed(void **state)
{
	struct world *world = *state;
	struct walked walked = {0};
	unsigned steps = 1;
	const struct use_walker walker = {note_target, note_rule, &walked};
	struct use_walk walk = {0};

	while (use_walk_step(&walk, world->server.current, &walker)) {
		steps++;
		assert_true(walked.targets + walked.rules <= steps * USE_WALK_STEP);
	}
	assert_int_equal(walked.targets, 3);
	assert_int_equal(walked.rules, MANY + 2);
	assert_int_equal(steps, (MANY + 2 + 3) / USE_WALK_STEP + 1);
	assert_false(walk.moved);
	walk = (struct use_walk){0};
	assert_true(use_walk_step(&walk, world->server.current, &walker));
	serve(world);
	use_walk_step(&walk, world->server.current, &walker);
	assert_true(walk.moved);
}

/* The first rule of a target names it; a disabled one does not while an enabled one has it. */
static void a_walk_sees_each_target_of_an_enabled_rule_once(void **state)
{
	struct world *world = *state;
	struct walked walked = {0};
	const struct use_walker walker = {note_target, note_rule, &walked};
	struct use_walk walk = {0};
	const struct served_target *last;

	world->model->rulesets.items[0].rules.items[0].state = RULE_DISABLED; /* its own target */
	world->model->rulesets.items[0].rules.items[2].state = RULE_DISABLED; /* one of many */
	serve(world);
	while (use_walk_step(&walk, world->server.current, &walker))
		;
	assert_int_equal(walked.targets, 2);
	assert_int_equal(walked.rules, MANY);
	assert_int_equal(world->server.current->targets->served.count, 3);
	last = &world->server.current->targets->served.items[2];
	assert_string_equal(last->rule->name, "one");
	assert_int_equal(world->server.current->targets->outbound_count, 1);
}

#define T(test)      cmocka_unit_test_setup_teardown(test, set_up, tear_down)
#define MANY_T(test) cmocka_unit_test_setup_teardown(test, set_up_many, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		T(a_use_is_as_old_as_the_look_that_saw_it_and_outlives_a_kill),
		T(a_row_is_written_when_it_is_new_and_then_once_an_hour),
		T(rules_of_one_name_in_two_groups_are_used_each_for_itself),
		T(what_is_gone_is_forgotten_here_and_in_the_state),
		MANY_T(very_many_that_are_gone_are_forgotten_some_at_a_time),
		T(a_time_of_day_that_is_set_back_leaves_nothing_in_the_future),
		MANY_T(what_was_gone_before_the_process_came_is_swept_from_the_state),
		T(a_book_that_is_handed_over_writes_nothing_and_one_that_is_taken_reads),
		T(a_state_that_is_held_is_read_and_written_later),
		T(a_target_is_used_when_it_is_asked),
		MANY_T(a_walk_goes_in_steps_and_says_that_the_policy_has_changed),
		MANY_T(a_walk_sees_each_target_of_an_enabled_rule_once),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
