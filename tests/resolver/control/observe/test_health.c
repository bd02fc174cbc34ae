/* What changes of targets and source addresses, what it means, and how it is told. Time is a
 * parameter, and which addresses are gone is, too. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "resolver/control/observe/health.h"
#include "resolver/control/observe/judgement.h"
#include "tests/lib/model_builder.h"

enum { SECOND = 1000000, LINES_MAX = 64 };

struct health_world {
	struct model *model;
	struct target_registry *registry;
	struct meter_registry *meters;
	struct snapshot_series series;
	struct policy *policy; /* the snapshot's */
	struct snapshot *snapshot;
	struct health *health;
	uint64_t now_us;
	unsigned count;       /* of lines that the last look told */
	enum log_level level; /* of the last one, and its event */
	char event[16];
	char texts[LINES_MAX][HEALTH_TEXT_MAX];
};

static struct address lost; /* family 0: none */

static bool has_lost(const struct address *address)
{
	return lost.family && address_equal(&lost, address);
}

static void serve(struct health_world *world)
{
	struct policy *policy = model_compile(world->model, world->policy);
	struct snapshot *snapshot =
		snapshot_new(policy, world->registry, world->meters, &world->series, world->model);
	assert_non_null(snapshot);
	snapshot->generation = world->snapshot ? world->snapshot->generation + 1 : 1;
	snapshot_free(world->snapshot);
	world->snapshot = snapshot;
	world->policy = policy;
}

static int set_up(void **state)
{
	struct health_world *world = calloc(1, sizeof *world);
	struct forwarding_ruleset *ruleset;
	lost = (struct address){0};
	world->model = model_start();
	world->registry = target_registry_new();
	world->meters = meter_registry_new(&test_key);
	world->series.rules = series_set_new(1, RULE_COUNTERS, 1000);
	world->series.zones = series_set_new(1, ZONE_COUNTERS, 1000);
	world->series.outcomes = outcomes_registry_new();
	model_add_network(world->model, "hub", "10.10.0.0/16");
	model_add_resolver(world->model, "hub", "hub", NULL);
	model_add_ruleset(world->model, "onprem", "hub/out", "hub");
	ruleset = &world->model->rulesets.items[0];
	model_add_rule(world->model, ruleset, "pair", "pair.", "192.0.2.1 192.0.2.2");
	model_add_rule(world->model, ruleset, "lone", "lone.", "192.0.2.1");
	model_add_rule(world->model, ruleset, "other", "other.", "192.0.2.3");
	model_add_rule(world->model, ruleset, "off", "off.", "192.0.2.1")->state = RULE_DISABLED;
	serve(world);
	world->health = health_new(world->registry, has_lost);
	world->now_us = 1000 * (uint64_t)SECOND;
	*state = world;
	return 0;
}

static int tear_down(void **state)
{
	struct health_world *world = *state;
	snapshot_free(world->snapshot);
	health_free(world->health);
	target_registry_free(world->registry);
	meter_registry_free(world->meters);
	series_set_free(world->series.rules);
	series_set_free(world->series.zones);
	outcomes_registry_free(world->series.outcomes);
	model_free(world->model);
	free(world);
	return 0;
}

static struct target *target_of(const struct health_world *world, const char *host)
{
	const struct served_targets *served = &world->snapshot->targets->served;
	struct target *found = NULL;
	char text[HOST_TEXT_MAX];

	for (size_t i = 0; i < served->count; i++)
		if (strncmp(host_print(&served->items[i].upstream->host, text), host,
			    strlen(host)) == 0)
			found = served->items[i].upstream->target;
	assert_non_null(found);
	return found;
}

static void on_line(void *context, enum log_level level, const char *event, const char *text)
{
	struct health_world *world = context;

	assert_true(world->count < LINES_MAX);
	world->level = level;
	snprintf(world->event, sizeof world->event, "%s", event);
	snprintf(world->texts[world->count++], HEALTH_TEXT_MAX, "%s", text);
}

static unsigned look(struct health_world *world)
{
	world->count = 0;
	health_look(world->health, world->snapshot, world->now_us, on_line, world);
	return world->count;
}

static void lose(struct health_world *world, const char *host)
{
	target_on_unreachable(target_of(world, host), TARGET_ERROR_NETWORK, world->now_us);
}

static void answer(struct health_world *world, const char *host)
{
	target_on_answer(target_of(world, host), 1000, world->now_us);
}

static void nothing_is_told_of_what_is_well(void **state)
{
	struct health_world *world = *state;
	assert_int_equal(look(world), 0);
	answer(world, "192.0.2.1");
	world->now_us += SECOND;
	assert_int_equal(look(world), 0);
}

static void a_suspect_is_told_once_with_the_rules_that_have_no_other(void **state)
{
	struct health_world *world = *state;
	look(world);
	lose(world, "192.0.2.1");
	world->now_us += SECOND / 2;
	assert_int_equal(look(world), 1);
	assert_string_equal(
		world->texts[0],
		"192.0.2.1:53 (udp, from 10.10.0.20) is suspect, for 0.5 s now: it cannot be "
		"reached; cannot be answered: onprem/lone; 1 other goes on");
	world->now_us += 60 * (uint64_t)SECOND;
	assert_int_equal(look(world), 0);
}

static void one_that_is_back_is_told_with_how_long_it_was_away_and_what_it_brings(void **state)
{
	struct health_world *world = *state;
	lose(world, "192.0.2.1");
	look(world);
	world->now_us += 25 * (uint64_t)SECOND;
	answer(world, "192.0.2.1");
	assert_int_equal(look(world), 1);
	assert_string_equal(world->texts[0], "192.0.2.1:53 (udp, from 10.10.0.20) is back after 25 "
					     "s; answered again: onprem/lone");
}

static void two_that_come_back_in_one_look_both_say_what_they_bring(void **state)
{
	struct health_world *world = *state;
	lose(world, "192.0.2.1");
	lose(world, "192.0.2.2");
	assert_int_equal(look(world), 2);
	for (unsigned i = 0; i < 2; i++)
		assert_non_null(strstr(world->texts[i], "onprem/pair"));
	world->now_us += 12 * (uint64_t)SECOND;
	answer(world, "192.0.2.1");
	answer(world, "192.0.2.2");
	assert_int_equal(look(world), 2);
	for (unsigned i = 0; i < 2; i++)
		assert_non_null(strstr(world->texts[i], "onprem/pair"));
}

static void one_that_comes_and_goes_has_a_line_in_ten_seconds_and_a_count(void **state)
{
	struct health_world *world = *state;
	unsigned lines = 0;
	for (unsigned second = 0; second < 60; second++) {
		lose(world, "192.0.2.1");
		if (second % 2)
			answer(world, "192.0.2.1");
		lines += look(world);
		if (world->count > 0 && second > 0)
			assert_non_null(strstr(world->texts[0], " times in between)"));
		world->now_us += SECOND;
	}
	assert_in_range(lines, 4, 6);
}

static void a_suspicion_between_two_looks_is_no_line_and_ten_are_one(void **state)
{
	struct health_world *world = *state;
	look(world);
	world->now_us += 20 * (uint64_t)SECOND;
	for (unsigned i = 0; i < HEALTH_FLAPS; i++) {
		assert_int_equal(look(world), 0);
		lose(world, "192.0.2.1");
		answer(world, "192.0.2.1");
		world->now_us += SECOND;
	}
	assert_int_equal(look(world), 1);
	assert_string_equal(world->texts[0],
			    "192.0.2.1:53 (udp, from 10.10.0.20) was suspect 10 times for moments "
			    "within 30 s: it cannot be reached");
	assert_int_equal(look(world), 0);
}

static void a_source_that_goes_and_comes_is_told_with_its_rules(void **state)
{
	struct health_world *world = *state;
	model_add_ruleset(world->model, "nobodys", "hub/out", "");
	model_add_rule(world->model, &world->model->rulesets.items[1], "x", "x.", "192.0.2.1");
	serve(world);
	look(world);
	assert_int_equal(address_parse(&lost, "10.10.0.20"), 0);
	assert_int_equal(look(world), 1);
	assert_non_null(strstr(world->texts[0], "10.10.0.20, the source of hub/out, is gone"));
	for (const char *const *name = (const char *const[]){"pair", "lone", "other", NULL}; *name;
	     name++)
		assert_non_null(strstr(world->texts[0], *name));
	assert_null(strstr(world->texts[0], "off"));
	assert_null(strstr(world->texts[0], "nobodys"));
	world->now_us += SECOND;
	assert_int_equal(look(world), 0);
	lost = (struct address){0};
	assert_int_equal(look(world), 0); /* at a pace */
	world->now_us += HEALTH_PACE_US;
	assert_int_equal(look(world), 1);
	assert_string_equal(world->texts[0],
			    "10.10.0.20, the source of hub/out, is back after 1.0 s; "
			    "answered again: onprem/pair, onprem/lone, onprem/other");
}

static void an_address_that_is_listened_at_is_told_beside_the_source_that_it_is_too(void **state)
{
	struct health_world *world = *state;
	struct snapshot_binding *bindings = calloc(2, sizeof *bindings);
	assert_int_equal(host_parse(&bindings[0].host, "10.10.0.20", 53), 0);
	bindings[0].endpoint = "hub/in";
	assert_int_equal(host_parse(&bindings[1].host, "10.10.0.5:5353", 53), 0);
	bindings[1].vnet_resolver = true;
	free(world->snapshot->bindings);
	world->snapshot->bindings = bindings;
	world->snapshot->binding_count = 2;
	assert_int_equal(look(world), 0);
	assert_int_equal(address_parse(&lost, "10.10.0.5"), 0);
	assert_int_equal(look(world), 1);
	assert_string_equal(world->texts[0],
			    "10.10.0.5:5353, where the VNet resolver listens, is gone: "
			    "no interface has it, so nobody can ask there");
	assert_int_equal(address_parse(&lost, "10.10.0.20"), 0);
	assert_int_equal(look(world), 2); /* the other one is back, and told at a pace */
	assert_non_null(strstr(world->texts[0], "10.10.0.20, the source of hub/out, is gone"));
	assert_non_null(strstr(world->texts[1], "10.10.0.20:53, where hub/in listens, is gone"));
	world->now_us += HEALTH_PACE_US;
	assert_int_equal(look(world), 1);
	assert_string_equal(world->texts[0],
			    "10.10.0.5:5353, where the VNet resolver listens, is back after 0.0 s");
	world->snapshot->binding_count = 0; /* the listeners are nobody's */
}

static void a_rule_goes_on_by_its_other_endpoint_while_that_has_a_live_target(void **state)
{
	struct health_world *world = *state;
	model_add_network(world->model, "spoke", "10.20.0.0/16");
	model_add_ruleset(world->model, "both", "hub/out hub/out2", "spoke");
	model_add_rule(world->model, &world->model->rulesets.items[1], "y", "y.", "192.0.2.4");
	serve(world);
	assert_int_equal(address_parse(&lost, "10.10.0.20"), 0);
	assert_int_equal(look(world), 1);
	assert_null(strstr(world->texts[0], "both/y"));
	assert_non_null(strstr(world->texts[0], "; 1 other goes on"));
	lose(world, "192.0.2.4"); /* from the second one: the last that is found */
	assert_int_equal(look(world), 1);
	assert_non_null(strstr(world->texts[0], "cannot be answered: both/y"));
	world->now_us += HEALTH_PACE_US;
	answer(world, "192.0.2.4");
	lost = (struct address){0};
	assert_int_equal(look(world), 2);
	for (unsigned i = 0; i < 2; i++)
		assert_non_null(strstr(world->texts[i], "both/y"));
}

static void what_was_told_outlives_a_reload_and_what_is_gone_is_forgotten(void **state)
{
	struct health_world *world = *state;
	lose(world, "192.0.2.1");
	lose(world, "192.0.2.3");
	assert_int_equal(look(world), 2);
	world->model->rulesets.items[0].rules.count = 2; /* 192.0.2.3 is nobody's */
	serve(world);
	world->now_us += 20 * (uint64_t)SECOND;
	assert_int_equal(look(world), 0);
	answer(world, "192.0.2.1");
	assert_int_equal(look(world), 1);
}

static void many_rules_are_named_up_to_five(void **state)
{
	struct health_world *world = *state;
	for (unsigned i = 0; i < 20; i++) {
		char name[16], domain[16];
		snprintf(name, sizeof name, "r%u", i);
		snprintf(domain, sizeof domain, "r%u.", i);
		model_add_rule(world->model, &world->model->rulesets.items[0], name, domain,
			       "192.0.2.3");
	}
	serve(world);
	lose(world, "192.0.2.3");
	assert_int_equal(look(world), 1);
	assert_non_null(strstr(world->texts[0], " and 16 more"));
}

static void when_very_many_change_at_once_the_rest_is_a_number(void **state)
{
	struct health_world *world = *state;
	for (unsigned i = 0; i < 20; i++) {
		char name[16], domain[16], target[16];
		snprintf(name, sizeof name, "r%u", i);
		snprintf(domain, sizeof domain, "r%u.", i);
		snprintf(target, sizeof target, "198.51.100.%u", 100 + i);
		model_add_rule(world->model, &world->model->rulesets.items[0], name, domain,
			       target);
	}
	serve(world);
	for (unsigned i = 0; i < 20; i++) {
		char target[16];
		snprintf(target, sizeof target, "198.51.100.%u", 100 + i);
		lose(world, target);
	}
	assert_int_equal(look(world), HEALTH_LINES + 1);
	assert_string_equal(world->texts[HEALTH_LINES],
			    "and more at once: 12 targets are suspect; cannot be answered: "
			    "onprem/r0, "
			    "onprem/r1, onprem/r2, onprem/r3, onprem/r4 and 15 more; sluice status "
			    "names them");
	assert_int_equal(world->level, LOG_WARNING);
	world->now_us += SECOND;
	assert_int_equal(look(world), 0);
	world->now_us += HEALTH_PACE_US;
	for (unsigned i = 0; i < HEALTH_LINES + 1; i++) {
		char target[16];
		snprintf(target, sizeof target, "198.51.100.%u", 100 + i);
		answer(world, target);
	}
	assert_int_equal(look(world), HEALTH_LINES + 1);
	assert_string_equal(world->texts[HEALTH_LINES], "and more at once: 1 target is back");
	assert_int_equal(world->level, LOG_INFO);
	assert_string_equal(world->event, "target");
}

/* ---- what clients get ---- */

struct wanted_route {
	const char *name;
	const struct route *found;
};

static void match_route(void *context, const char *name, const struct route *route)
{
	struct wanted_route *wanted = context;

	if (strcmp(name, wanted->name) == 0)
		wanted->found = route;
}

static const struct route *route_of(const struct health_world *world, const char *name)
{
	struct wanted_route wanted = {.name = name};

	policy_each_route(world->snapshot->policy, match_route, &wanted);
	assert_non_null(wanted.found);
	return wanted.found;
}

/* So many queries for names of their own fail, by an error of the route's first target. */
static void fail_now(struct health_world *world, const char *name, unsigned times,
		     enum target_error error)
{
	static uint64_t names;
	const struct route *route = route_of(world, name);

	for (unsigned i = 0; i < times; i++)
		outcomes_fail(route->outcomes, ++names, 1, error, &route->legs->upstreams[0].host,
			      world->now_us, world->now_us);
}

/* And nothing is answered for so long that it is judged. */
static void fail_clients(struct health_world *world, const char *name, unsigned times,
			 enum target_error error)
{
	fail_now(world, name, times, error);
	world->now_us += FAILURES_AGE_S * (uint64_t)SECOND;
}

static void answer_client(struct health_world *world, const char *name)
{
	outcomes_answer(route_of(world, name)->outcomes, world->now_us);
}

static void assert_judged(const struct health_world *world, const char *name,
			  enum health_state state, const char *reason)
{
	struct health_route judged;
	struct health_now now;

	memset(&judged, 0xff, sizeof judged); /* all is written */
	health_now_init(&now, world->snapshot, world->now_us);
	for (size_t i = 0; i < world->snapshot->source_count; i++)
		now.lost[i] = has_lost(&world->snapshot->sources[i]);
	health_now_judge(&now, route_of(world, name), &judged);
	assert_int_equal(judged.state, state);
	assert_string_equal(judged.reason, reason);
	assert_int_equal(judged.count != 0, state == HEALTH_FAILING || state == HEALTH_UNHEARD);
	assert_int_equal(health_now_is_unanswered(&now, route_of(world, name)),
			 state == HEALTH_DARK || state == HEALTH_FAILING);
	health_now_release(&now);
}

/* Two endpoints ask one server, which makes it two targets. */
static void a_server_counts_once_however_often_it_is_a_target(void **state)
{
	struct health_world *world = *state;
	const struct served_targets *served;
	char text[HOST_TEXT_MAX];
	unsigned lost_targets = 0;

	model_add_network(world->model, "spoke", "10.20.0.0/16");
	model_add_ruleset(world->model, "both", "hub/out hub/out2", "spoke");
	model_add_rule(world->model, &world->model->rulesets.items[1], "y", "y.", "192.0.2.4");
	serve(world);
	served = &world->snapshot->targets->served;
	for (size_t i = 0; i < served->count; i++) {
		const struct upstream *upstream = served->items[i].upstream;

		if (strcmp(host_print(&upstream->host, text), "192.0.2.4:53") != 0)
			continue;
		target_on_unreachable(upstream->target, TARGET_ERROR_NETWORK, world->now_us);
		lost_targets++;
	}
	assert_int_equal(lost_targets, 2);
	assert_judged(world, "both/y", HEALTH_DARK, "192.0.2.4:53 cannot be reached");
}

static void a_way_that_fails_its_clients_is_told_once_and_so_is_its_end(void **state)
{
	struct health_world *world = *state;

	fail_clients(world, "onprem/lone", FAILURES_ROW - 1, TARGET_ERROR_REFUSED);
	uint64_t began_us = world->now_us - FAILURES_AGE_S * (uint64_t)SECOND;
	assert_int_equal(look(world), 0);
	assert_judged(world, "onprem/lone", HEALTH_WELL, "");
	fail_now(world, "onprem/lone", 1, TARGET_ERROR_REFUSED);
	assert_judged(world, "onprem/lone", HEALTH_FAILING, "192.0.2.1:53 answers REFUSED");
	assert_judged(world, "onprem/pair", HEALTH_WELL, "");
	assert_int_equal(look(world), 1);
	assert_string_equal(world->texts[0],
			    "onprem/lone cannot be answered: 192.0.2.1:53 answers REFUSED; the "
			    "last 5 queries failed, for 3 names or more");
	fail_now(world, "onprem/lone", 100, TARGET_ERROR_REFUSED);
	world->now_us = began_us + 60 * (uint64_t)SECOND;
	assert_int_equal(look(world), 0);
	answer_client(world, "onprem/lone");
	assert_judged(world, "onprem/lone", HEALTH_WELL, "");
	assert_int_equal(look(world), 1);
	assert_string_equal(world->texts[0], "onprem/lone is answered again, after 60 s");
	world->now_us += 60 * (uint64_t)SECOND;
	assert_int_equal(look(world), 0);
}

static void its_end_is_when_it_was_answered_and_not_when_that_is_told(void **state)
{
	struct health_world *world = *state;

	fail_clients(world, "onprem/lone", FAILURES_ROW, TARGET_ERROR_REFUSED);
	assert_int_equal(look(world), 1);
	world->now_us += 2 * (uint64_t)SECOND;
	answer_client(world, "onprem/lone");
	assert_int_equal(look(world), 0);
	fail_now(world, "onprem/lone", 1, TARGET_ERROR_REFUSED);
	world->now_us += HEALTH_PACE_US;
	assert_int_equal(look(world), 1);
	assert_string_equal(world->texts[0], "onprem/lone is answered again, after 12 s");
}

static void a_flood_of_broken_names_beside_answered_ones_is_no_judgement(void **state)
{
	struct health_world *world = *state;

	for (unsigned second = 0; second < 60; second++) {
		answer_client(world, "onprem/lone");
		world->now_us += SECOND / 2;
		fail_now(world, "onprem/lone", 200, TARGET_ERROR_SERVFAIL);
		assert_int_equal(look(world), 0);
		assert_judged(world, "onprem/lone", HEALTH_WELL, "");
		world->now_us += SECOND / 2;
	}
	for (unsigned second = 0; second < FAILURES_AGE_S; second++) {
		assert_judged(world, "onprem/lone", HEALTH_WELL, "");
		fail_now(world, "onprem/lone", 200, TARGET_ERROR_SERVFAIL);
		world->now_us += SECOND;
	}
	assert_judged(world, "onprem/lone", HEALTH_FAILING, "192.0.2.1:53 answers SERVFAIL");
	assert_int_equal(look(world), 1);
}

static void one_that_fails_and_is_answered_in_turns_has_a_line_in_ten_seconds(void **state)
{
	struct health_world *world = *state;
	unsigned lines = 0;

	for (unsigned second = 0; second < 60; second++) {
		if (second % 12 == 11)
			answer_client(world, "onprem/lone");
		else
			fail_now(world, "onprem/lone", FAILURES_ROW, TARGET_ERROR_SERVFAIL);
		lines += look(world);
		world->now_us += SECOND;
	}
	assert_in_range(lines, 4, 6);
}

static void after_an_hour_without_a_query_it_is_told_that_nothing_is_known(void **state)
{
	struct health_world *world = *state;

	fail_clients(world, "onprem/lone", FAILURES_ROW, TARGET_ERROR_LAME);
	assert_int_equal(look(world), 1);
	world->now_us += (FAILURES_KEPT_S - FAILURES_AGE_S - 1) * (uint64_t)SECOND;
	assert_int_equal(look(world), 0);
	world->now_us += SECOND;
	assert_int_equal(look(world), 1);
	assert_string_equal(world->texts[0],
			    "onprem/lone is no longer known to fail, after 3600 s");
	assert_judged(world, "onprem/lone", HEALTH_WELL, "");
}

static void names_that_nobody_answers_are_no_line_and_no_fault_while_targets_live(void **state)
{
	struct health_world *world = *state;

	answer(world, "192.0.2.1");
	fail_clients(world, "onprem/lone", 50, TARGET_ERROR_SILENCE);
	assert_judged(world, "onprem/lone", HEALTH_UNHEARD, "");
	assert_int_equal(look(world), 0);
	lose(world, "192.0.2.1");
	assert_judged(world, "onprem/lone", HEALTH_DARK, "192.0.2.1:53 cannot be reached");
	answer(world, "192.0.2.1"); /* a probe of it: it was the target, and no name */
	assert_judged(world, "onprem/lone", HEALTH_WELL, "");
}

static void what_clients_got_is_kept_over_a_reload_for_the_same_targets_alone(void **state)
{
	struct health_world *world = *state;
	struct forwarding_ruleset *ruleset = &world->model->rulesets.items[0];

	fail_clients(world, "onprem/lone", FAILURES_ROW, TARGET_ERROR_REFUSED);
	assert_int_equal(look(world), 1);
	model_add_rule(world->model, ruleset, "more", "more.", "192.0.2.9");
	serve(world);
	assert_judged(world, "onprem/lone", HEALTH_FAILING, "192.0.2.1:53 answers REFUSED");
	assert_int_equal(look(world), 0);
	assert_int_equal(
		address_parse(&ruleset->rules.items[1].targets.items[0].address, "192.0.2.8"), 0);
	serve(world);
	assert_judged(world, "onprem/lone", HEALTH_WELL, "");
	world->now_us += HEALTH_PACE_US;
	assert_int_equal(look(world), 1);
	assert_non_null(strstr(world->texts[0], "onprem/lone is no longer known to fail"));
}

/* A question that fails at an endpoint of ours has no target to blame. */
static void a_way_into_an_endpoint_of_ours_that_fails_is_told_with_the_endpoint(void **state)
{
	struct health_world *world = *state;
	struct outcomes *outcomes;

	model_add_rule(world->model, &world->model->rulesets.items[0], "round", "round.",
		       "10.10.0.4");
	serve(world);
	outcomes = route_of(world, "onprem/round")->outcomes;
	for (uint64_t name = 1; name <= FAILURES_ROW; name++)
		outcomes_fail(outcomes, name, 1, TARGET_ERROR_LOOP, NULL, world->now_us,
			      world->now_us);
	world->now_us += FAILURES_AGE_S * (uint64_t)SECOND;
	assert_judged(world, "onprem/round", HEALTH_FAILING,
		      "our own endpoint hub/in leads back to itself (loop)");
	assert_int_equal(look(world), 1);
	assert_non_null(strstr(world->texts[0], "onprem/round cannot be answered: our own "
						"endpoint hub/in leads back"));
	for (uint64_t name = 1; name <= FAILURES_ROW; name++)
		outcomes_fail(route_of(world, "onprem/lone")->outcomes, name, 1, TARGET_ERROR_SHUT,
			      NULL, world->now_us, world->now_us);
	world->now_us += FAILURES_AGE_S * (uint64_t)SECOND;
	assert_judged(world, "onprem/lone", HEALTH_WELL, ""); /* it has targets alone by now */
}

static void note_told(const struct health_world *world, bool told[20])
{
	for (unsigned i = 0; i < world->count; i++) {
		unsigned number;

		if (sscanf(world->texts[i], "onprem/r%u ", &number) == 1) {
			assert_false(told[number]);
			told[number] = true;
		}
	}
}

static void of_very_many_that_change_at_once_all_are_told_in_turns_and_the_rest_counted(
	void **state)
{
	struct health_world *world = *state;
	bool failed[20] = {false}, answered[20] = {false};
	char name[32], more[64];

	for (unsigned i = 0; i < 20; i++) {
		snprintf(name, sizeof name, "r%u", i);
		snprintf(more, sizeof more, "r%u.", i);
		model_add_rule(world->model, &world->model->rulesets.items[0], name, more,
			       "192.0.2.7");
	}
	serve(world);
	for (unsigned i = 0; i < 20; i++) {
		snprintf(name, sizeof name, "onprem/r%u", i);
		fail_now(world, name, FAILURES_ROW, TARGET_ERROR_REFUSED);
	}
	world->now_us += FAILURES_AGE_S * (uint64_t)SECOND;
	for (unsigned second = 0; second < 3; second++) {
		assert_int_equal(look(world), second == 0   ? HEALTH_LINES + 1
					      : second == 1 ? HEALTH_LINES
							    : 4);
		note_told(world, failed);
		if (second == 0)
			assert_string_equal(world->texts[HEALTH_LINES],
					    "and more at once: 12 rules cannot be answered; sluice "
					    "status names them");
		assert_int_equal(world->level, LOG_WARNING);
		assert_string_equal(world->event, "rule");
		world->now_us += SECOND;
	}
	world->now_us += HEALTH_PACE_US;
	for (unsigned i = 0; i < HEALTH_LINES + 1; i++) {
		snprintf(name, sizeof name, "onprem/r%u", i);
		answer_client(world, name);
	}
	assert_int_equal(look(world), HEALTH_LINES + 1);
	assert_string_equal(world->texts[HEALTH_LINES],
			    "and more at once: 1 rule is answered again");
	assert_int_equal(world->level, LOG_INFO);
	note_told(world, answered);
	world->now_us += SECOND;
	assert_int_equal(look(world), 1);
	note_told(world, answered);
	for (unsigned i = 0; i < 20; i++) {
		assert_true(failed[i]);
		assert_int_equal(answered[i], i < HEALTH_LINES + 1);
	}
}

static void ways_are_told_beside_as_many_targets_as_a_look_may_tell(void **state)
{
	struct health_world *world = *state;
	char name[16], domain[16], target[16];

	for (unsigned i = 0; i < HEALTH_LINES; i++) {
		snprintf(name, sizeof name, "r%u", i);
		snprintf(domain, sizeof domain, "r%u.", i);
		snprintf(target, sizeof target, "198.51.100.%u", 100 + i);
		model_add_rule(world->model, &world->model->rulesets.items[0], name, domain,
			       target);
	}
	serve(world);
	fail_clients(world, "onprem/lone", FAILURES_ROW, TARGET_ERROR_REFUSED);
	for (unsigned i = 0; i < HEALTH_LINES; i++) {
		snprintf(target, sizeof target, "198.51.100.%u", 100 + i);
		lose(world, target);
	}
	assert_int_equal(look(world), HEALTH_LINES + 1);
	assert_non_null(strstr(world->texts[HEALTH_LINES], "onprem/lone cannot be answered"));
}

static uint64_t dark_since_us(const struct health_world *world, const char *name, bool lose_source)
{
	struct health_route judged;
	struct health_now now;

	health_now_init(&now, world->snapshot, world->now_us);
	for (size_t i = 0; i < world->snapshot->source_count; i++)
		now.lost[i] = lose_source;
	health_now_judge(&now, route_of(world, name), &judged);
	health_now_release(&now);
	assert_int_equal(judged.state, HEALTH_DARK);
	return judged.since_us;
}

static void a_way_is_dark_since_its_last_target_is(void **state)
{
	struct health_world *world = *state;
	uint64_t first_us = world->now_us;

	lose(world, "192.0.2.1");
	assert_int_equal(dark_since_us(world, "onprem/pair", true), 0); /* not known */
	world->now_us += 600 * (uint64_t)SECOND;
	lose(world, "192.0.2.2");
	assert_int_equal(dark_since_us(world, "onprem/pair", false), world->now_us);
	assert_int_equal(dark_since_us(world, "onprem/lone", false), first_us);
}

static void later_errors_are_not_why_a_target_became_suspect(void **state)
{
	struct health_world *world = *state;

	look(world);
	lose(world, "192.0.2.1");
	target_on_error(target_of(world, "192.0.2.1"), TARGET_ERROR_SERVFAIL);
	target_on_unreachable(target_of(world, "192.0.2.1"), TARGET_ERROR_AWAY, world->now_us);
	world->now_us += SECOND / 2;
	assert_int_equal(look(world), 1);
	assert_non_null(strstr(world->texts[0], ": it cannot be reached;"));
	assert_judged(world, "onprem/lone", HEALTH_DARK, "192.0.2.1:53 cannot be reached");
}

static void a_target_is_what_it_answers_when_that_is_nothing_but_errors(void **state)
{
	struct health_world *world = *state;
	struct target *target = target_of(world, "192.0.2.1");

	assert_string_equal(judgement_word(judge_target(target, world->now_us)), "unknown");
	assert_string_equal(judgement_says(judge_target(target, world->now_us)),
			    "has not answered yet");
	answer(world, "192.0.2.1");
	assert_string_equal(judgement_word(judge_target(target, world->now_us)), "up");
	for (unsigned i = 0; i < 100; i++)
		target_on_worthless(target, 7, 1, TARGET_ERROR_SERVFAIL, world->now_us);
	assert_string_equal(judgement_word(judge_target(target, world->now_us)), "up");
	target_on_worthless(target, 8, 1, TARGET_ERROR_SERVFAIL, world->now_us);
	target_on_worthless(target, 9, 1, TARGET_ERROR_SERVFAIL, world->now_us);
	for (unsigned type = 2; type < 4; type++)
		target_on_worthless(target, 9, (uint16_t)type, TARGET_ERROR_SERVFAIL,
				    world->now_us);
	assert_string_equal(judgement_word(judge_target(target, world->now_us)),
			    "up"); /* for moments */
	world->now_us += FAILURES_AGE_S * (uint64_t)SECOND;
	assert_string_equal(judgement_word(judge_target(target, world->now_us)), "SERVFAIL");
	assert_false(judgement_is_good(judge_target(target, world->now_us)));
	lose(world, "192.0.2.1");
	assert_string_equal(judgement_word(judge_target(target, world->now_us)), "suspect");
	assert_string_equal(judgement_says(judge_target(target, world->now_us)),
			    "cannot be reached");
	answer(world, "192.0.2.1");
	target_on_final(target, world->now_us);
	assert_string_equal(judgement_word(judge_target(target, world->now_us)), "up");
	assert_null(judgement_says(judge_target(target, world->now_us)));
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
	const struct CMUnitTest tests[] = {
		TEST(nothing_is_told_of_what_is_well),
		TEST(a_suspect_is_told_once_with_the_rules_that_have_no_other),
		TEST(one_that_is_back_is_told_with_how_long_it_was_away_and_what_it_brings),
		TEST(two_that_come_back_in_one_look_both_say_what_they_bring),
		TEST(one_that_comes_and_goes_has_a_line_in_ten_seconds_and_a_count),
		TEST(a_suspicion_between_two_looks_is_no_line_and_ten_are_one),
		TEST(a_source_that_goes_and_comes_is_told_with_its_rules),
		TEST(an_address_that_is_listened_at_is_told_beside_the_source_that_it_is_too),
		TEST(a_rule_goes_on_by_its_other_endpoint_while_that_has_a_live_target),
		TEST(what_was_told_outlives_a_reload_and_what_is_gone_is_forgotten),
		TEST(many_rules_are_named_up_to_five),
		TEST(when_very_many_change_at_once_the_rest_is_a_number),
		TEST(a_server_counts_once_however_often_it_is_a_target),
		TEST(a_way_that_fails_its_clients_is_told_once_and_so_is_its_end),
		TEST(its_end_is_when_it_was_answered_and_not_when_that_is_told),
		TEST(a_flood_of_broken_names_beside_answered_ones_is_no_judgement),
		TEST(one_that_fails_and_is_answered_in_turns_has_a_line_in_ten_seconds),
		TEST(after_an_hour_without_a_query_it_is_told_that_nothing_is_known),
		TEST(names_that_nobody_answers_are_no_line_and_no_fault_while_targets_live),
		TEST(what_clients_got_is_kept_over_a_reload_for_the_same_targets_alone),
		TEST(of_very_many_that_change_at_once_all_are_told_in_turns_and_the_rest_counted),
		TEST(a_way_into_an_endpoint_of_ours_that_fails_is_told_with_the_endpoint),
		TEST(ways_are_told_beside_as_many_targets_as_a_look_may_tell),
		TEST(a_way_is_dark_since_its_last_target_is),
		TEST(later_errors_are_not_why_a_target_became_suspect),
		TEST(a_target_is_what_it_answers_when_that_is_nothing_but_errors),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
