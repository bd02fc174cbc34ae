/* The cost of a sample grows with the targets and, times workers, with endpoints, rules and zone
 * names. A hundred thousand rules at two workers take 1.5 ms of the control thread. */
#include "resolver/control/observe/recorder.h"

#include <string.h>

#include "resolver/control/observe/judgement.h"
#include "rules/base.h"

struct look {
	struct history *history;
	const struct tally *tally;
	uint64_t responses[RESPONSE_SOURCES];
	uint64_t decided[STATS_DECIDERS];
};

static void put_class(const struct look *look, const char *name, const char *kind, bool is_there,
		      uint64_t queries)
{
	const char *const texts[] = {name, kind};

	history_put(look->history, HISTORY_CLASSES, name ? texts : NULL, is_there, &queries);
}

/* ---- endpoints, and their sums ---- */

static uint64_t other_responses(const struct endpoint_stats *stats)
{
	uint64_t count = 0;

	for (unsigned rcode = 0; rcode < STATS_RCODES; rcode++)
		if (rcode != RCODE_SERVFAIL)
			count += endpoint_stats_rcode(stats, (enum rcode)rcode);
	return count;
}

static void on_endpoint(void *context, const char *outer, const char *name,
			const uint64_t *counters)
{
	struct look *look = context;
	struct endpoint_stats stats;
	const char *const texts[] = {name};
	bool is_there =
		name && series_is_had(look->tally->service->server.series.endpoints, outer, name);

	memcpy(&stats, counters, sizeof stats);
	const uint64_t numbers[] = {stats.queries_udp + stats.queries_tcp +
					    stats.inbound.turned_away_udp +
					    stats.inbound.turned_away_tcp,
				    endpoint_stats_rcode(&stats, RCODE_SERVFAIL),
				    other_responses(&stats), stats.inbound.over_limit};

	history_put(look->history, HISTORY_ENDPOINTS, name ? texts : NULL, is_there, numbers);
	for (unsigned rcode = 0; rcode < STATS_RCODES; rcode++)
		for (unsigned source = 0; source < RESPONSE_SOURCES; source++)
			look->responses[source] += stats.responses[rcode][source];
	for (unsigned by = 0; by < STATS_DECIDERS; by++)
		look->decided[by] += stats.decided[by];
}

/* ---- sources of answers ---- */

static void put_sources(const struct look *look)
{
	struct histogram sums[LATENCY_SOURCES];

	server_read_latency(&look->tally->service->server, sums);
	for (unsigned source = 0; source < RESPONSE_NONE; source++) {
		const char *const texts[] = {response_source_text(source)};
		uint64_t numbers[HISTORY_NUMBERS_MAX] = {look->responses[source]};

		for (unsigned k = 0; source < LATENCY_SOURCES && k <= HISTOGRAM_BOUNDS; k++)
			numbers[1 + k] = COUNTER_GET(sums[source].buckets[k]);
		history_put(look->history, HISTORY_SOURCES, texts, true, numbers);
	}
}

/* ---- deciders ---- */

static void on_ruleset(void *context, const char *outer, const uint64_t *counters)
{
	const struct look *look = context;
	const struct series_set *rules = look->tally->service->server.series.rules;

	put_class(look, outer, "ruleset", series_is_had(rules, outer, NULL),
		  counters[RULE_QUERIES] - counters[RULE_REPEATS]);
}

/* Only deciders that have decided something: few servers have them all. */
static void put_deciders(const struct look *look)
{
	for (unsigned by = 0; by < STATS_DECIDERS; by++)
		if (by != DECIDED_DEFAULT && look->decided[by] > 0)
			put_class(look, decided_word(by), decided_word(by), true,
				  look->decided[by]);
}

static void put_classes(struct look *look)
{
	const struct snapshot_series *series = &look->tally->service->server.series;
	_Atomic uint64_t zones[ZONE_COUNTERS] = {0};

	series_total(series->zones, zones);
	put_class(look, "zone", "zone", true, COUNTER_GET(zones[ZONE_QUERIES]));
	put_class(look, "default", "default", true, look->decided[DECIDED_DEFAULT]);
	put_deciders(look);
	series_each_outer(series->rules, on_ruleset, look);
}

/* ---- targets ---- */

static void on_target(void *context, const struct tally_target *target)
{
	const struct look *look = context;
	const struct target_values *values = &target->values;
	const char *const texts[] = {target->host, target->protocol,
				     target->source && *target->source ? target->source : NULL};
	uint64_t numbers[] = {
		values->queries,
		values->timeouts + values->errors,
		values->sum_us,
		0,
		target->now && judgement_is_good(judge_target(target->now, uv_hrtime() / 1000)),
		target->now != NULL};

	for (unsigned i = 0; i <= HISTOGRAM_BOUNDS; i++)
		numbers[3] += values->buckets[i];
	history_put(look->history, HISTORY_TARGETS, target->host ? texts : NULL,
		    target->now != NULL, numbers);
}

/* ---- once a second ---- */

static void look_at(struct history *history, struct tally *tally, uint64_t now_us)
{
	struct look look = {.history = history, .tally = tally};

	tally_show(tally);
	history_begin(history);
	series_each(tally->service->server.series.endpoints, on_endpoint, &look);
	put_sources(&look);
	put_classes(&look);
	tally_each_target(tally, on_target, &look);
	history_end(history, now_us);
}

/* The next timer is set to the end of the next second, so that samples do not drift. */
static void on_timer(uv_timer_t *timer)
{
	const struct recorder *recorder = timer->data;
	uint64_t now_us = uv_hrtime() / 1000, next_us;

	look_at(recorder->history, recorder->tally, now_us);
	next_us = history_next_us(recorder->history);
	uv_update_time(timer->loop);
	uv_timer_start(timer, on_timer, next_us > now_us ? (next_us - now_us) / 1000 + 1 : 1, 0);
}

void recorder_start(struct recorder *recorder, uv_loop_t *loop, struct tally *tally)
{
	recorder->tally = tally;
	recorder->history = history_new(uv_hrtime() / 1000);
	if (!recorder->history)
		return;
	uv_timer_init(loop, &recorder->timer);
	recorder->timer.data = recorder;
	on_timer(&recorder->timer);
}

void recorder_stop(struct recorder *recorder)
{
	if (recorder->history)
		uv_timer_stop(&recorder->timer);
	history_free(recorder->history);
	recorder->history = NULL;
}
