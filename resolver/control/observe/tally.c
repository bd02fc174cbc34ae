/* Targets, outbound endpoints' meters and transfers keep their own counters, which are followed
 * from policy to policy (followed.h). For endpoints, rules and zones the workers count, by numbers
 * of series.h. */
#include "resolver/control/observe/tally.h"

#include <stdlib.h>
#include <string.h>

#include "endpoints/meter.h"

enum {
	ENDPOINTS_SHOWN_MAX = 1024,
	NAMES_MAX = 1 << 20, /* targets, zones and endpoints known at a time */
	TARGET_COUNTERS = sizeof(struct target_values) / sizeof(uint64_t),
	TRANSFER_COUNTERS = sizeof(struct transfer_values) / sizeof(uint64_t),
};

/* ---- followed things ---- */

static struct target_registry *targets_of(void *context)
{
	const struct tally *tally = context;

	return tally->service->server.registry;
}

static bool keep_target(void *context, void *thing)
{
	const struct target *target = thing;

	return target_acquire(targets_of(context), &target->source, &target->host,
			      target->protocol);
}

static void release_target(void *context, void *thing)
{
	target_release(targets_of(context), thing);
}

static void read_target(const void *thing, uint64_t *counters)
{
	const struct target *target = thing;
	struct target_values values = {.queries = COUNTER_GET(target->asked),
				       .answers = COUNTER_GET(target->answered),
				       .timeouts = COUNTER_GET(target->timeouts),
				       .errors = COUNTER_GET(target->errors),
				       .probes = COUNTER_GET(target->probes),
				       .suspicions = COUNTER_GET(target->suspicions),
				       .mismatched = COUNTER_GET(target->mismatched),
				       .sum_us = COUNTER_GET(target->durations.sum_us)};

	for (unsigned i = 0; i <= HISTOGRAM_BOUNDS; i++)
		values.buckets[i] = COUNTER_GET(target->durations.buckets[i]);
	memcpy(counters, &values, sizeof values);
}

static struct meter_registry *meters_of(void *context)
{
	const struct tally *tally = context;

	return tally->service->server.meters;
}

static bool keep_meter(void *context, void *thing)
{
	const struct meter *meter = thing;

	return meter_acquire(meters_of(context), meter->name, meter->outbound);
}

static void release_meter(void *context, void *thing)
{
	meter_release(meters_of(context), thing);
}

static void read_meter(const void *thing, uint64_t *counters)
{
	const struct meter *meter = thing;

	*counters = COUNTER_GET(meter->refused);
}

static bool keep_transfers(void *context, void *thing)
{
	(void)context;
	transfer_meter_ref(thing);
	return true;
}

static void release_transfers(void *context, void *thing)
{
	(void)context;
	transfer_meter_unref(thing);
}

static void read_transfers(const void *thing, uint64_t *counters)
{
	const struct transfer_meter *meter = thing;
	const struct transfer_values values = {.axfr = COUNTER_GET(meter->axfr),
					       .ixfr = COUNTER_GET(meter->ixfr),
					       .current = COUNTER_GET(meter->current),
					       .refused = COUNTER_GET(meter->refused),
					       .broken = COUNTER_GET(meter->broken)};

	memcpy(counters, &values, sizeof values);
}

const char *tally_protocol(enum protocol protocol)
{
	return protocol == PROTOCOL_TCP ? "tcp" : "udp";
}

/* The target's name in series.h, which on_target parses again: "udp source", "host". */
static void follow_target(struct tally *tally, struct target *target)
{
	char outer[8 + ADDRESS_TEXT_MAX], source[ADDRESS_TEXT_MAX], host[HOST_TEXT_MAX];

	if (followed_see_again(tally->targets, target))
		return;
	snprintf(outer, sizeof outer, "%s %s", tally_protocol(target->protocol),
		 target->source.family ? address_print(&target->source, source) : "");
	followed_see(tally->targets, target, outer, host_print(&target->host, host));
}

static void follow_outbound(struct tally *tally, struct meter *meter)
{
	if (!followed_see_again(tally->outbounds, meter))
		followed_see(tally->outbounds, meter, "", meter->name);
}

void tally_transfer_names(const struct transfer_zone *zone, struct tally_transfer_names *names)
{
	size_t length = strlen(name_to_text(&zone->name, names->zone));
	size_t group = strlen(zone->text) - length; /* including its slash */

	snprintf(names->group, sizeof names->group, "%.*s", (int)(group > 0 ? group - 1 : 0),
		 zone->text);
	if (length > 1)
		names->zone[length - 1] = '\0';
}

static void follow_transfers(struct tally *tally, const struct transfer_table *table)
{
	struct tally_transfer_names names;

	for (size_t i = 0; table && i < table->count; i++) {
		if (followed_see_again(tally->transfers, table->zones[i]->meter))
			continue;
		tally_transfer_names(table->zones[i], &names);
		followed_see(tally->transfers, table->zones[i]->meter, names.group, names.zone);
	}
}

void tally_follow(struct tally *tally)
{
	const struct snapshot *snapshot = tally->service->server.current;

	if (!snapshot || tally->generation == snapshot->generation)
		return;
	tally->generation = snapshot->generation;
	followed_begin(tally->targets);
	followed_begin(tally->outbounds);
	followed_begin(tally->transfers);
	for (size_t i = 0; i < snapshot->targets->served.count; i++)
		follow_target(tally, snapshot->targets->served.items[i].upstream->target);
	for (size_t i = 0; i < snapshot->targets->outbound_count; i++)
		follow_outbound(tally, snapshot->targets->outbounds[i]);
	follow_transfers(tally, snapshot->transfers);
	followed_end(tally->targets);
	followed_end(tally->outbounds);
	followed_end(tally->transfers);
}

/* ---- series of their own ---- */

void tally_show(struct tally *tally)
{
	const struct server *server = &tally->service->server;
	const struct metrics_settings *settings = &server->model->metrics;

	tally_follow(tally);
	series_show(server->series.endpoints, ENDPOINTS_SHOWN_MAX);
	series_show(followed_series(tally->targets), settings->targets_max);
	series_show(followed_series(tally->outbounds), ENDPOINTS_SHOWN_MAX);
	series_show(followed_series(tally->transfers), settings->zones_max);
}

struct each_target {
	const struct tally *tally;
	void (*on_one)(void *context, const struct tally_target *target);
	void *context;
};

/* Parses the names of follow_target. */
static void on_target(void *context, const char *outer, const char *name, const uint64_t *counters)
{
	const struct each_target *each = context;
	const struct followed *targets = each->tally->targets;
	struct tally_target target = {.host = name};
	char protocol[4] = "";

	memcpy(&target.values, counters, sizeof target.values);
	if (name) {
		snprintf(protocol, sizeof protocol, "%s", outer);
		target.protocol = protocol;
		target.source = outer + 4;
		target.now =
			followed_thing(targets, series_find(followed_series(targets), outer, name));
	}
	each->on_one(each->context, &target);
}

void tally_each_target(const struct tally *tally,
		       void (*on_one)(void *context, const struct tally_target *target),
		       void *context)
{
	struct each_target each = {tally, on_one, context};

	series_each(followed_series(tally->targets), on_target, &each);
}

/* ---- the whole ---- */

struct tally *tally_new(struct service *service)
{
	static const struct followed_kind targets = {TARGET_COUNTERS, NAMES_MAX, keep_target,
						     release_target, read_target};
	static const struct followed_kind outbounds = {1, NAMES_MAX, keep_meter, release_meter,
						       read_meter};
	static const struct followed_kind transfers = {TRANSFER_COUNTERS, NAMES_MAX, keep_transfers,
						       release_transfers, read_transfers};
	struct tally *tally = calloc(1, sizeof *tally);

	if (!tally)
		return NULL;
	tally->service = service;
	tally->targets = followed_new(&targets, tally);
	tally->outbounds = followed_new(&outbounds, tally);
	tally->transfers = followed_new(&transfers, tally);
	if (tally->targets && tally->outbounds && tally->transfers)
		return tally;
	tally_free(tally);
	return NULL;
}

void tally_free(struct tally *tally)
{
	if (!tally)
		return;
	followed_free(tally->targets);
	followed_free(tally->outbounds);
	followed_free(tally->transfers);
	free(tally);
}
