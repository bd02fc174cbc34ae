/* Each family has a function that writes it, except plain counters: those are rows of two tables,
 * with the names that they have in stats.h. Counters of targets, outbound endpoints and transfers
 * come from the tally, which the history shares. */
#include "resolver/control/observe/metrics.h"

#include <dirent.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>
#include <uv.h>

#include "endpoints/meter.h"
#include "resolver/control/observe/health.h"
#include "resolver/control/observe/judgement.h"
#include "resolver/control/observe/query_log/query_log.h"
#include "resolver/control/service/replica.h"
#include "resolver/control/service/zone_notice.h"
#include "resolver/resolve/resolve.h"
#include "rules/base.h"
#include "rules/rcode.h"
#include "rules/schema/reference.h"

/* The first bucket of targets' histograms: half a millisecond. */
enum { TARGET_BOUNDS_FROM = 5 };

struct metrics {
	struct service *service;
	struct tally *tally;
	double started_s; /* since 1970; never changes, so a new value means a restart */
	struct metrics_pace pace;
	struct latest_text { /* for readers while there is no time for a new one; NULL: none */
		char *bytes;
		size_t length;
	} latest[METRICS_OPENMETRICS + 1]; /* by format */
	/* While writing: */
	struct metrics_text text;
	unsigned counter; /* of the current family */
};

/* A sample whose name is unique only in its group; group NULL or "": no group. */
static void sample_in(struct metrics *metrics, const char *group, const char *name,
		      const char *value, const char *name2, const char *value2, uint64_t count)
{
	const struct metrics_labels labels = {{{"group", group}, {name, value}, {name2, value2}}};

	metrics_sample(&metrics->text, &labels, count);
}

/* Splits a full name into the group ("": none) and the rest, which it returns. `slashes`: those of
 * a name without a group. */
static const char *split_name(const char *full, unsigned slashes, char group[GROUP_TEXT_MAX])
{
	const char *name = full_name_behind_group(full, slashes);

	snprintf(group, GROUP_TEXT_MAX, "%.*s", name > full ? (int)(name - full - 1) : 0, full);
	return name;
}

static void sample(struct metrics *metrics, const char *name, const char *value, const char *name2,
		   const char *value2, uint64_t count)
{
	sample_in(metrics, NULL, name, value, name2, value2, count);
}

/* ---- targets ---- */

struct target_family { /* tells a counter of each shown target */
	struct metrics *metrics;
	void (*tell)(struct metrics *metrics, const struct metrics_labels *labels,
		     const struct target_values *values);
};

static void on_target(void *context, const struct tally_target *target)
{
	const struct target_family *family = context;
	struct metrics_labels labels = {{{"target", target->host ? target->host : SERIES_OTHER},
					 {"protocol", target->protocol},
					 {"source", target->source}}};

	if (!target->host)
		labels.items[1].name = NULL;
	family->tell(family->metrics, &labels, &target->values);
}

static void tell_target_counter(struct metrics *metrics, const struct metrics_labels *labels,
				const struct target_values *values)
{
	const uint64_t counters[] = {values->queries, values->answers, values->probes,
				     values->suspicions, values->mismatched};

	metrics_sample(&metrics->text, labels, counters[metrics->counter]);
}

static void tell_target_failures(struct metrics *metrics, const struct metrics_labels *labels,
				 const struct target_values *values)
{
	const struct metrics_label reasons[] = {{"reason", "timeout"}, {"reason", "error"}};
	const uint64_t counters[] = {values->timeouts, values->errors};
	struct metrics_labels with = *labels;
	unsigned last = 0;

	while (with.items[last].name)
		last++;
	for (unsigned i = 0; i < COUNT(reasons); i++) {
		with.items[last] = reasons[i];
		metrics_sample(&metrics->text, &with, counters[i]);
	}
}

static void tell_target_duration(struct metrics *metrics, const struct metrics_labels *labels,
				 const struct target_values *values)
{
	metrics_sample_histogram(&metrics->text, labels, values->buckets, values->sum_us,
				 TARGET_BOUNDS_FROM);
}

struct targets_now { /* gauges of existing targets */
	struct metrics *metrics;
	uint64_t now_us;
	uint64_t states[TARGET_STATES];
};

static void put_target_up(struct metrics *metrics, const struct target *target, bool is_up)
{
	char host[HOST_TEXT_MAX], source[ADDRESS_TEXT_MAX];
	const struct metrics_labels labels = {
		{{"target", host_print(&target->host, host)},
		 {"protocol", tally_protocol(target->protocol)},
		 {"source",
		  target->source.family ? address_print(&target->source, source) : NULL}}};

	metrics_sample(&metrics->text, &labels, is_up);
}

static void on_target_now(void *context, void *thing, bool is_shown)
{
	struct targets_now *now = context;
	struct target *target = thing;

	struct judgement judgement = judge_target(target, now->now_us);

	if (is_shown)
		put_target_up(now->metrics, target, judgement_is_good(judgement));
	now->states[judgement.state]++;
}

static void put_targets(struct metrics *metrics)
{
	static const struct {
		const char *name, *help;
	} counters[] = {
		{"sluice_target_queries",
		 "Questions sent to the target; copies and probes are not counted."},
		{"sluice_target_answers", "Answers of the target, whatever they say."},
		{"sluice_target_probes", "Questions that found out whether the target answers."},
		{"sluice_target_suspicions", "Times that the target became suspect."},
		{"sluice_target_mismatched_replies",
		 "Packets that came to the target's open questions and match none."},
	};
	struct target_family family = {metrics, tell_target_counter};
	struct targets_now now = {.metrics = metrics, .now_us = uv_hrtime() / 1000};

	metrics_family(
		&metrics->text, METRICS_GAUGE, "sluice_target_up",
		"Whether the target is not suspect, and answers more than errors. One that was "
		"never asked is up.");
	followed_each(metrics->tally->targets, on_target_now, &now);
	for (metrics->counter = 0; metrics->counter < COUNT(counters); metrics->counter++) {
		metrics_family(&metrics->text, METRICS_COUNTER, counters[metrics->counter].name,
			       counters[metrics->counter].help);
		tally_each_target(metrics->tally, on_target, &family);
	}
	family.tell = tell_target_failures;
	metrics_family(
		&metrics->text, METRICS_COUNTER, "sluice_target_failures",
		"Times that a question or a copy of one had no answer of the target in time, "
		"or an error that sent the question elsewhere.");
	tally_each_target(metrics->tally, on_target, &family);
	family.tell = tell_target_duration;
	metrics_family(&metrics->text, METRICS_HISTOGRAM, "sluice_target_duration_seconds",
		       "How long the target took for an answer; sampled.");
	tally_each_target(metrics->tally, on_target, &family);
	metrics_family(&metrics->text, METRICS_GAUGE, "sluice_targets",
		       "Targets by state, all of them: unknown is one that has not answered yet, "
		       "errors one that answers errors alone.");
	for (unsigned i = 0; i < TARGET_STATES; i++)
		sample(metrics, "state", target_state_words[i], NULL, NULL, now.states[i]);
}

/* ---- endpoints ---- */

/* A family in which `tell` makes each endpoint's samples from its counters. */
struct endpoint_family {
	struct metrics *metrics;
	void (*tell)(struct metrics *metrics, const char *group, const char *endpoint,
		     const struct endpoint_stats *stats);
	size_t offset, more; /* tell NULL: offsets of two counters to add; more 0: only the first */
};

static uint64_t counter_at(const struct endpoint_stats *stats, size_t offset)
{
	const char *base = (const char *)stats;

	return COUNTER_GET(*(const _Atomic uint64_t *)(const void *)(base + offset));
}

static void on_endpoint(void *context, const char *outer, const char *name,
			const uint64_t *counters)
{
	const struct endpoint_family *family = context;
	char group[GROUP_TEXT_MAX] = "";
	struct endpoint_stats stats;

	(void)outer;
	memcpy(&stats, counters, sizeof stats);
	name = name ? split_name(name, 1, group) : SERIES_OTHER;
	if (family->tell)
		family->tell(family->metrics, group, name, &stats);
	else
		sample_in(family->metrics, group, "endpoint", name, NULL, NULL,
			  counter_at(&stats, family->offset) +
				  (family->more ? counter_at(&stats, family->more) : 0));
}

static void tell_queries(struct metrics *metrics, const char *group, const char *endpoint,
			 const struct endpoint_stats *stats)
{
	const struct inbound_counters *inbound = &stats->inbound;

	sample_in(metrics, group, "endpoint", endpoint, "transport", "udp",
		  stats->queries_udp + inbound->turned_away_udp);
	sample_in(metrics, group, "endpoint", endpoint, "transport", "tcp",
		  stats->queries_tcp + inbound->turned_away_tcp);
}

/* Only pairs that have occurred, because most never do. A counter once shown stays. */
static void tell_responses(struct metrics *metrics, const char *group, const char *endpoint,
			   const struct endpoint_stats *stats)
{
	char text[RCODE_TEXT_MAX];

	for (unsigned rcode = 0; rcode < STATS_RCODES; rcode++) {
		for (unsigned source = 0; source < RESPONSE_SOURCES; source++) {
			uint64_t count = stats->responses[rcode][source];
			const struct metrics_labels labels = {
				{{"group", group},
				 {"endpoint", endpoint},
				 {"rcode", rcode_print(rcode, text)},
				 {"source", response_source_text(source)}}};

			if (source == RESPONSE_NONE)
				count += stats->inbound.replies[rcode];
			if (count > 0)
				metrics_sample(&metrics->text, &labels, count);
		}
	}
}

/* Only codes that have occurred. */
static void tell_update_responses(struct metrics *metrics, const char *group, const char *endpoint,
				  const struct endpoint_stats *stats)
{
	char text[RCODE_TEXT_MAX];

	for (unsigned rcode = 0; rcode < STATS_RCODES; rcode++)
		if (stats->updates_answered[rcode] > 0)
			sample_in(metrics, group, "endpoint", endpoint, "rcode",
				  rcode_print(rcode, text), stats->updates_answered[rcode]);
}

static void tell_updates_unanswered(struct metrics *metrics, const char *group,
				    const char *endpoint, const struct endpoint_stats *stats)
{
	const struct {
		const char *reason;
		uint64_t count;
	} rows[] = {{"overflow", stats->updates_overflowed + stats->inbound.updates_ignored},
		    {"dropped", stats->updates_dropped},
		    {"repeated", stats->updates_repeated},
		    {"replayed", stats->updates_replayed}};

	for (size_t i = 0; i < COUNT(rows); i++)
		sample_in(metrics, group, "endpoint", endpoint, "reason", rows[i].reason,
			  rows[i].count);
}

static void tell_decided(struct metrics *metrics, const char *group, const char *endpoint,
			 const struct endpoint_stats *stats)
{
	for (unsigned by = 0; by < STATS_DECIDERS; by++)
		if (by != DECIDED_ZONE && by != DECIDED_RULE)
			sample_in(metrics, group, "endpoint", endpoint, "by", decided_word(by),
				  stats->decided[by]);
}

struct counter_row {     /* of an endpoint */
	const char *row; /* of stats.h */
	size_t offset, more;
	const char *name, *help;
};

#define OF_RESOLVER(field, name, help)                                                             \
	{                                                                                          \
#field, offsetof(struct endpoint_stats, field), 0, name, help                      \
	}
#define OF_INBOUND(field, name, help)                                                              \
	{                                                                                          \
#field, offsetof(struct endpoint_stats, inbound.field), 0, name, help              \
	}
static const struct counter_row endpoint_rows[] = {
	OF_RESOLVER(truncated, "sluice_truncated_responses", "Answers with TC."),
	OF_RESOLVER(deadline, "sluice_deadline_queries",
		    "Queries that no target answered within the deadline."),
	OF_RESOLVER(tsig_bad, "sluice_bad_tsig_queries",
		    "Queries and requests to update with a bad TSIG."),
	OF_RESOLVER(updates, "sluice_update_requests",
		    "Requests to update that the server took up; they do not count "
		    "as queries."),
	{"overload", offsetof(struct endpoint_stats, overload),
	 offsetof(struct endpoint_stats, inbound.overload), "sluice_overload_queries",
	 "Queries turned away with SERVFAIL because a maximum was reached."},
	OF_INBOUND(malformed, "sluice_malformed_packets",
		   "Packets answered with FORMERR, NOTIMP or BADVERS."),
	OF_INBOUND(silent, "sluice_ignored_packets",
		   "Packets too short for a header, and replies."),
	OF_INBOUND(prohibited, "sluice_prohibited_queries",
		   "Queries REFUSED because their source is not allowed."),
	OF_INBOUND(over_limit, "sluice_limited_queries",
		   "Queries over the endpoint's queries per second."),
	OF_INBOUND(over_limit_refused, "sluice_limited_queries_refused",
		   "Queries over the endpoint's limit that were answered REFUSED."),
	OF_INBOUND(over_limit_proven, "sluice_limited_queries_proven",
		   "Queries over the endpoint's limit by TCP or with a good server cookie."),
	OF_INBOUND(responses_limited, "sluice_limited_responses",
		   "Answers by UDP over the limit of their client's prefix."),
	OF_INBOUND(responses_slipped, "sluice_limited_responses_truncated",
		   "Answers over their client's limit that were sent empty, with TC."),
	OF_INBOUND(listener_gone, "sluice_listener_gone_queries",
		   "Queries answered SERVFAIL because their listener was being removed."),
	OF_INBOUND(udp_unread, "sluice_udp_dropped_packets",
		   "Packets of clients that the kernel dropped because its buffer was full."),
	OF_INBOUND(replies_lost, "sluice_udp_lost_responses",
		   "Answers by UDP that the kernel refused to send."),
	OF_INBOUND(tcp_accepted, "sluice_tcp_connections_accepted",
		   "Connections of clients that were accepted."),
	OF_INBOUND(tcp_refused, "sluice_tcp_connections_refused",
		   "Connections of clients closed at once because a maximum was reached."),
	OF_INBOUND(tcp_displaced, "sluice_tcp_connections_displaced",
		   "Connections closed to make room: their client had the most."),
	OF_INBOUND(tcp_timeouts, "sluice_tcp_connections_timed_out",
		   "Connections of clients closed after the idle timeout."),
	OF_INBOUND(tcp_unread, "sluice_tcp_unread_responses",
		   "Answers by TCP replaced by SERVFAIL because the client does not read them."),
	OF_INBOUND(tcp_lost, "sluice_tcp_lost_queries",
		   "Queries by TCP not answered because their connection had been closed."),
	OF_INBOUND(watch_failed, "sluice_socket_watch_failures",
		   "Times that sockets of clients could not be watched or accepted from."),
};

/* Counters of the whole server. */
static const struct {
	const char *row, *name, *help;
} server_rows[] = {
	{"queries_own", "sluice_own_queries",
	 "Questions of the server's own, which are not counted as queries."},
	{"prefetched", "sluice_prefetched_questions",
	 "Questions asked anew because a popular answer was about to expire."},
	{"unlogged", "sluice_query_log_lost_entries",
	 "Answers that the query log had no room for."},
	{"transfers", "sluice_transfers", "Zones sent out, as a whole or their changes only."},
	{"transfers_refused", "sluice_transfers_refused", "Zones asked for, and not sent."},
	{"transfers_broken", "sluice_transfers_broken",
	 "Transfers that were begun and broken off before their end."},
	{"asked", "sluice_upstream_questions",
	 "Questions to targets, for clients, ahead of expiry, or of the server's own."},
	{"coalesced", "sluice_upstream_coalesced_questions",
	 "Questions that joined one already under way."},
	{"retried", "sluice_upstream_retried_packets",
	 "Packets that asked a question again, of the same target or another."},
	{"mismatched", "sluice_upstream_mismatched_replies",
	 "Replies ignored because they matched no question under way."},
	{"near_missed", "sluice_upstream_near_missed_replies",
	 "Replies ignored although they came from the right server to the right port."},
	{"guarded", "sluice_upstream_guarded_questions",
	 "Questions asked by TCP as well after a near miss, changed letters or silence."},
	{"late", "sluice_upstream_late_replies", "Replies to questions that had ended already."},
	{"crowded_out", "sluice_upstream_crowded_out_questions",
	 "Questions that left a target because too many waited there."},
	{"udp_sent", "sluice_upstream_udp_sent_packets", "Packets sent to targets by UDP."},
	{"udp_received", "sluice_upstream_udp_received_packets",
	 "Packets received from targets by UDP."},
	{"tcp_sent", "sluice_upstream_tcp_sent_messages",
	 "Questions given to connections to targets."},
	{"tcp_received", "sluice_upstream_tcp_received_messages",
	 "Messages received from targets by TCP."},
	{"tcp_connects", "sluice_upstream_tcp_connections", "Connections to targets begun."},
	{"send_failed", "sluice_upstream_send_failures",
	 "Packets to targets that the kernel refused to send."},
	{"unreachable", "sluice_upstream_unreachable_packets",
	 "Packets to targets that brought back an ICMP error."},
	{"ports_opened", "sluice_source_ports_opened", "Source ports opened."},
	{"ports_renewed", "sluice_source_ports_renewed", "Source ports replaced by fresh ones."},
	{"ports_refused", "sluice_source_ports_refused", "Source ports that could not be opened."},
	{"lanes_opened", "sluice_source_lanes_opened",
	 "Times that a worker gave a target ports of its own."},
};

/* Rows without a metric of their own: families with labels include their counts. */
static const char *const derived_rows[] = {
	"queries",          "queries_udp",      "queries_tcp",         "answered_zone",
	"answered_cache",   "forwarded",        "answered_stale",      "refused",
	"servfail",         "nxdomain",         "over_limit_outbound", "turned_away_udp",
	"turned_away_tcp",  "updates_answered", "updates_overflowed",  "updates_dropped",
	"updates_repeated", "updates_replayed", "updates_ignored",
};

static bool has_metric(const char *row)
{
	for (size_t i = 0; i < COUNT(endpoint_rows); i++)
		if (strcmp(endpoint_rows[i].row, row) == 0)
			return true;
	for (size_t i = 0; i < COUNT(server_rows); i++)
		if (strcmp(server_rows[i].row, row) == 0)
			return true;
	for (size_t i = 0; i < COUNT(derived_rows); i++)
		if (strcmp(derived_rows[i], row) == 0)
			return true;
	return false;
}

const char *metrics_missing_row(void)
{
	for (unsigned i = 0; i < stats_row_count; i++)
		if (!has_metric(stats_rows[i].name))
			return stats_rows[i].name;
	return NULL;
}

static void on_outbound(void *context, const char *outer, const char *name,
			const uint64_t *counters)
{
	char group[GROUP_TEXT_MAX] = "";

	(void)outer;
	name = name ? split_name(name, 1, group) : SERIES_OTHER;
	sample_in(context, group, "endpoint", name, NULL, NULL, counters[0]);
}

static void put_endpoints(struct metrics *metrics)
{
	static const struct {
		const char *name, *help;
		void (*tell)(struct metrics *metrics, const char *group, const char *endpoint,
			     const struct endpoint_stats *stats);
	} families[] = {
		{"sluice_queries", "Well-formed queries, by endpoint and transport.", tell_queries},
		{"sluice_responses",
		 "Answers, by rcode and source: none is an error, or what the "
		 "server says of itself.",
		 tell_responses},
		{"sluice_decisions",
		 "Queries of which a name was decided by what is neither a private zone nor a "
		 "rule, "
		 "which have metrics "
		 "of their own.",
		 tell_decided},
		{"sluice_update_responses", "Answers to requests to update, by rcode.",
		 tell_update_responses},
		{"sluice_update_unanswered",
		 "Requests to update without an answer: too many were waiting or the server was "
		 "leaving, none came in time or the server stopped, the same bytes were still "
		 "under way, or they had come from somewhere else.",
		 tell_updates_unanswered},
	};
	struct endpoint_family family = {.metrics = metrics};
	struct series_set *set = metrics->service->server.series.endpoints;

	for (size_t i = 0; i < COUNT(families); i++) {
		family.tell = families[i].tell;
		metrics_family(&metrics->text, METRICS_COUNTER, families[i].name, families[i].help);
		series_each(set, on_endpoint, &family);
	}
	family.tell = NULL;
	for (size_t i = 0; i < COUNT(endpoint_rows); i++) {
		family.offset = endpoint_rows[i].offset;
		family.more = endpoint_rows[i].more;
		metrics_family(&metrics->text, METRICS_COUNTER, endpoint_rows[i].name,
			       endpoint_rows[i].help);
		series_each(set, on_endpoint, &family);
	}
	metrics_family(&metrics->text, METRICS_COUNTER, "sluice_outbound_limited_packets",
		       "Packets to targets not sent because the outbound endpoint was over its "
		       "queries per second.");
	series_each(followed_series(metrics->tally->outbounds), on_outbound, metrics);
}

static void put_server(struct metrics *metrics)
{
	struct stats sum;

	server_read_stats(&metrics->service->server, &sum);
	for (size_t i = 0; i < COUNT(server_rows); i++)
		for (unsigned row = 0; row < stats_row_count; row++)
			if (strcmp(stats_rows[row].name, server_rows[i].row) == 0)
				metrics_one(&metrics->text, METRICS_COUNTER, server_rows[i].name,
					    server_rows[i].help, stats_get(&sum, row));
}

static void put_latency(struct metrics *metrics)
{
	struct histogram sums[LATENCY_SOURCES];

	server_read_latency(&metrics->service->server, sums);
	metrics_family(&metrics->text, METRICS_HISTOGRAM, "sluice_response_duration_seconds",
		       "How long clients waited, from when the query was read until its answer was "
		       "sent; sampled. forwarded: it waited for a target, whatever came of it.");
	for (unsigned i = 0; i < LATENCY_SOURCES; i++) {
		const struct metrics_labels labels = {{{"source", response_source_text(i)}}};
		uint64_t buckets[HISTOGRAM_BOUNDS + 1];

		for (unsigned k = 0; k <= HISTOGRAM_BOUNDS; k++)
			buckets[k] = COUNTER_GET(sums[i].buckets[k]);
		metrics_sample_histogram(&metrics->text, &labels, buckets,
					 COUNTER_GET(sums[i].sum_us), 0);
	}
}

/* ---- rules and zones ---- */

static void on_rule(void *context, const char *outer, const char *name, const uint64_t *counters)
{
	struct metrics *metrics = context;
	char group[GROUP_TEXT_MAX] = "";

	outer = outer ? split_name(outer, 0, group) : NULL; /* NULL: all that are not shown */
	sample_in(metrics, group, "ruleset", outer, "rule", name ? name : SERIES_OTHER,
		  counters[metrics->counter]);
}

static void on_ruleset(void *context, const char *outer, const uint64_t *counters)
{
	struct metrics *metrics = context;
	uint64_t repeats = metrics->counter == RULE_QUERIES ? counters[RULE_REPEATS] : 0;
	char group[GROUP_TEXT_MAX];

	outer = split_name(outer, 0, group);
	sample_in(metrics, group, "ruleset", outer, NULL, NULL,
		  counters[metrics->counter] - repeats);
}

static void on_zone(void *context, const char *outer, const char *name, const uint64_t *counters)
{
	sample_in(context, outer, "zone", name ? name : SERIES_OTHER, NULL, NULL,
		  counters[ZONE_QUERIES]);
}

struct routes {
	struct health_now now;
	uint64_t count, unanswered;
};

static void on_route(void *context, const char *name, const struct route *route)
{
	struct routes *routes = context;

	(void)name;
	routes->count++;
	routes->unanswered += health_now_is_unanswered(&routes->now, route);
}

static void put_sources(struct metrics *metrics, const struct health_now *now)
{
	char text[ADDRESS_TEXT_MAX];

	metrics_family(&metrics->text, METRICS_GAUGE, "sluice_source_address_up",
		       "Whether an interface has the address from which sluice asks "
		       "targets.");
	for (size_t i = 0; now->lost && i < now->snapshot->source_count; i++) {
		const struct address *source = &now->snapshot->sources[i];

		if (source->family)
			sample(metrics, "source", address_print(source, text), NULL, NULL,
			       !now->lost[i]);
	}
}

static void put_rules(struct metrics *metrics)
{
	const struct server *server = &metrics->service->server;

	metrics->counter = RULE_QUERIES;
	metrics_family(&metrics->text, METRICS_COUNTER, "sluice_ruleset_queries",
		       "Queries of which a rule of the ruleset decided a name, each counted once.");
	series_each_outer(server->series.rules, on_ruleset, metrics);
	metrics_family(&metrics->text, METRICS_COUNTER, "sluice_rule_queries",
		       "Queries of which the rule decided a name: the query's own, one that it led "
		       "to, or one asked at an inbound endpoint of ours.");
	series_each(server->series.rules, on_rule, metrics);
	metrics->counter = RULE_FAILURES;
	metrics_family(&metrics->text, METRICS_COUNTER, "sluice_ruleset_failures",
		       "sluice_rule_failures of all rules of the ruleset, added up.");
	series_each_outer(server->series.rules, on_ruleset, metrics);
	metrics_family(
		&metrics->text, METRICS_COUNTER, "sluice_rule_failures",
		"Queries answered SERVFAIL because a name that the rule decided could not be "
		"resolved.");
	series_each(server->series.rules, on_rule, metrics);
}

static void put_routes(struct metrics *metrics)
{
	const struct snapshot *snapshot = metrics->service->server.current;
	struct routes routes = {.count = 0};

	health_now_init(&routes.now, snapshot, uv_hrtime() / 1000);
	policy_each_route(snapshot->policy, on_route, &routes);
	metrics_one(&metrics->text, METRICS_GAUGE, "sluice_routes",
		    "Ways that a question can be forwarded: enabled rules of linked rulesets, "
		    "networks' DNS servers, the default resolver.",
		    routes.count);
	metrics_one(
		&metrics->text, METRICS_GAUGE, "sluice_routes_unanswered",
		"Ways to forward without a live target, or whose last queries all failed by errors "
		"of their targets: what they decide is answered stale or SERVFAIL.",
		routes.unanswered);
	put_sources(metrics, &routes.now);
	health_now_release(&routes.now);
}

static void put_zone_records(struct metrics *metrics, const struct model *model)
{
	const struct series_set *series = metrics->service->server.series.zones;

	for (size_t i = 0; i < model->private_zones.count; i++) {
		const struct private_zone *zone = &model->private_zones.items[i];
		const char *group = zone->resource_group ? zone->resource_group : "";

		if (zone->zone && series_is_shown(series, series_find(series, group, zone->name)))
			sample_in(metrics, group, "zone", zone->name, NULL, NULL,
				  zone_records(zone->zone));
	}
}

static void put_zones(struct metrics *metrics)
{
	const struct server *server = &metrics->service->server;

	metrics_family(&metrics->text, METRICS_COUNTER, "sluice_zone_queries",
		       "Queries of which the private zone decided a name.");
	series_each(server->series.zones, on_zone, metrics);
	metrics_one(&metrics->text, METRICS_GAUGE, "sluice_zones", "Private zones.",
		    server->model->private_zones.count);
	metrics_family(&metrics->text, METRICS_GAUGE, "sluice_zone_records",
		       "Records of the private zone.");
	put_zone_records(metrics, server->model);
}

/* ---- zones for secondaries ---- */

static void on_transfers(void *context, const char *outer, const char *name,
			 const uint64_t *counters)
{
	struct transfer_values values;

	memcpy(&values, counters, sizeof values);
	const struct {
		const char *text;
		uint64_t value;
	} results[] = {{"axfr", values.axfr},
		       {"ixfr", values.ixfr},
		       {"current", values.current},
		       {"refused", values.refused},
		       {"broken", values.broken}};

	for (size_t i = 0; i < COUNT(results); i++)
		sample_in(context, outer, "zone", name ? name : SERIES_OTHER, "result",
			  results[i].text, results[i].value);
}

static void put_transfers(struct metrics *metrics)
{
	const struct transfer_table *table = metrics->service->server.current->transfers;
	struct tally_transfer_names names;

	metrics_family(&metrics->text, METRICS_COUNTER, "sluice_zone_transfers",
		       "Requests for transfers of the zone, by result: current is a "
		       "secondary that had it already.");
	series_each(followed_series(metrics->tally->transfers), on_transfers, metrics);
	metrics_family(&metrics->text, METRICS_GAUGE, "sluice_zone_serial",
		       "Serial of the zone as it goes out.");
	for (size_t i = 0; table && i < table->count; i++) {
		if (!followed_shows(metrics->tally->transfers, table->zones[i]->meter))
			continue;
		tally_transfer_names(table->zones[i], &names);
		sample_in(metrics, names.group, "zone", names.zone, NULL, NULL,
			  table->zones[i]->serial);
	}
}

/* Counts the rows by their word at `key`. */
static void put_words(struct metrics *metrics, const json_t *rows, const char *key,
		      const char *const *words, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		const json_t *row;
		char label[16];
		uint64_t number = 0;
		size_t index;

		json_array_foreach(rows, index, row)
		{
			const char *word = json_string_value(json_object_get(row, key));

			number += word && strcmp(word, words[i]) == 0;
		}
		snprintf(label, sizeof label, "%s", words[i]);
		for (char *at = label; *at; at++)
			*at = *at == ' ' ? '_' : *at;
		sample(metrics, "state", label, NULL, NULL, number);
	}
}

static void put_secondaries(struct metrics *metrics)
{
	json_t *rows = json_array();

	secondary_sockets_report(metrics->service->secondaries, rows);
	metrics_family(&metrics->text, METRICS_GAUGE, "sluice_notices",
		       "Zones' secondaries by the result of the last NOTIFY.");
	put_words(metrics, rows, "state", notice_state_texts, NOTICE_STATES);
	metrics_family(&metrics->text, METRICS_GAUGE, "sluice_secondaries",
		       "Zones' secondaries by what copy they say they have: pending is one that "
		       "lacks what is not old enough to be behind, unknown one that does not say.");
	put_words(metrics, rows, "copy", replica_state_texts, REPLICA_STATES);
	json_decref(rows);
}

/* ---- cache, names of addresses, the server itself ---- */

static void put_cache(struct metrics *metrics)
{
	const struct service *service = metrics->service;
	struct metrics_text *text = &metrics->text;
	struct cache_stats stats;

	cache_read_stats(service->server.cache, &stats);
	metrics_one(text, METRICS_GAUGE, "sluice_cache_entries", "Answers in the cache.",
		    stats.entries);
	metrics_one(text, METRICS_GAUGE, "sluice_cache_size_bytes",
		    "Bytes that the answers in the cache take.", stats.bytes);
	metrics_one(text, METRICS_GAUGE, "sluice_cache_limit_bytes", "Bytes that they may take.",
		    service->server.model->cache.size_bytes);
	metrics_one(text, METRICS_COUNTER, "sluice_cache_hits",
		    "Lookups in the cache that found an answer.", stats.hits);
	metrics_one(text, METRICS_COUNTER, "sluice_cache_misses",
		    "Lookups in the cache that found none.", stats.misses);
	metrics_one(text, METRICS_COUNTER, "sluice_cache_insertions", "Answers put into the cache.",
		    stats.inserted);
	metrics_one(text, METRICS_COUNTER, "sluice_cache_evictions",
		    "Answers in the cache that made room for others.", stats.evicted);
}

static void put_registrations(struct metrics *metrics)
{
	metrics_one(&metrics->text, METRICS_COUNTER, "sluice_registrations_expired",
		    "Record sets that clients had registered and did not renew in time.",
		    metrics->service->registrar.expired);
}

static void put_owned(struct metrics *metrics)
{
	struct service *service = metrics->service;
	const struct owned *owned = service->server.model->owned;
	struct metrics_text *text = &metrics->text;
	struct addresses_about about = {0};

	service_try_state(service);
	if (service->resources)
		addresses_about(service->resources, &about);
	uint64_t items = about.addresses + about.services;
	uint64_t served = owned ? owned_ptr_count(owned) : 0;
	uint64_t pending = service->resources ? ptrs_pending(service->resources) : 0;
	const struct {
		const char *status;
		uint64_t count;
	} statuses[] = {
		{"active", served > pending ? served - pending : 0},
		{"pending", pending},
		{"inactive", items > about.ptrs ? items - about.ptrs : 0},
		{"error", about.ptrs > served ? about.ptrs - served : 0},
		{"waiting", about.waiting},
	};
	metrics_family(text, METRICS_GAUGE, "sluice_ptrs",
		       "PTRs of addresses and services by status: inactive is an address without "
		       "one, error is one that is not served, waiting one whose address is gone.");
	for (size_t i = 0; i < COUNT(statuses); i++)
		sample(metrics, "status", statuses[i].status, NULL, NULL, statuses[i].count);
	metrics_one(text, METRICS_GAUGE, "sluice_state_up",
		    "Whether the state can be written; 1 also where none is configured.",
		    !about.error);
}

/* Kinds of outputs that never existed have no counters. */
static void put_query_log(struct metrics *metrics)
{
	struct query_log_output outputs[QUERY_LOG_OUTPUTS] = {0};

	if (metrics->service->query_log)
		query_log_read_outputs(metrics->service->query_log, outputs);
	metrics_family(&metrics->text, METRICS_GAUGE, "sluice_query_log_output_up",
		       "Whether the query log's file or socket can be opened and written.");
	for (size_t i = 0; i < COUNT(outputs); i++)
		if (outputs[i].is_there)
			sample(metrics, "output", outputs[i].kind, NULL, NULL, outputs[i].is_up);
	metrics_family(&metrics->text, METRICS_COUNTER, "sluice_query_log_output_entries",
		       "Entries written to the query log's file or socket.");
	for (size_t i = 0; i < COUNT(outputs); i++)
		if (outputs[i].is_there || outputs[i].written + outputs[i].lost > 0)
			sample(metrics, "output", outputs[i].kind, NULL, NULL, outputs[i].written);
	metrics_family(&metrics->text, METRICS_COUNTER, "sluice_query_log_output_lost_entries",
		       "Entries lost because the file or the reader at the socket is slow or "
		       "gone.");
	for (size_t i = 0; i < COUNT(outputs); i++)
		if (outputs[i].is_there || outputs[i].written + outputs[i].lost > 0)
			sample(metrics, "output", outputs[i].kind, NULL, NULL, outputs[i].lost);
}

static void put_configuration(struct metrics *metrics)
{
	const struct service *service = metrics->service;
	const struct server *server = &service->server;
	struct metrics_text *text = &metrics->text;
	const struct metrics_labels build = {{{"version", SLUICE_VERSION}}};

	metrics_family(text, METRICS_GAUGE, "sluice_build_info", "The program; always 1.");
	metrics_sample(text, &build, 1);
	metrics_one(text, METRICS_GAUGE, "sluice_workers", "Threads that answer.",
		    server->worker_count);
	metrics_one(text, METRICS_GAUGE, "sluice_config_generation",
		    "A number that rises by one with every change that is served.",
		    server->generation);
	metrics_one(text, METRICS_GAUGE, "sluice_config_loaded_timestamp_seconds",
		    "When the configuration that is served came, since 1970.",
		    (uint64_t)server->loaded_at);
	metrics_one(text, METRICS_GAUGE, "sluice_config_last_reload_successful",
		    "Whether the last reload was served; 1 before the first.",
		    !service->reloads.last_refused);
	metrics_family(text, METRICS_COUNTER, "sluice_config_reloads", "Reloads by result.");
	sample(metrics, "result", "success", NULL, NULL, service->reloads.succeeded);
	sample(metrics, "result", "refused", NULL, NULL, service->reloads.refused);
}

static void put_bounds(struct metrics *metrics)
{
	const struct snapshot_series *series = &metrics->service->server.series;

	metrics_family(&metrics->text, METRICS_GAUGE, "sluice_metrics_unshown",
		       "The number of items without series of their own, which count "
		       "as other.");
	sample(metrics, "kind", "endpoint", NULL, NULL, series_unshown(series->endpoints));
	sample(metrics, "kind", "rule", NULL, NULL, series_unshown(series->rules));
	sample(metrics, "kind", "zone", NULL, NULL, series_unshown(series->zones));
	sample(metrics, "kind", "target", NULL, NULL,
	       series_unshown(followed_series(metrics->tally->targets)));
	sample(metrics, "kind", "outbound_endpoint", NULL, NULL,
	       series_unshown(followed_series(metrics->tally->outbounds)));
	sample(metrics, "kind", "zone_transfer", NULL, NULL,
	       series_unshown(followed_series(metrics->tally->transfers)));
}

/* ---- the process, by the names of Prometheus' client libraries ---- */

/* A process that became another user is not dumpable, so its /proc files belong to root. Linux 6.2
 * and later give the number of descriptors as the directory's size. False: not known. */
static bool count_descriptors(uint64_t *count)
{
	DIR *directory = opendir("/proc/self/fd");
	struct stat about;

	if (!directory) {
		if (stat("/proc/self/fd", &about) != 0 || about.st_size == 0)
			return false;
		*count = (uint64_t)about.st_size;
		return true;
	}
	*count = 0;
	for (const struct dirent *entry; (entry = readdir(directory));)
		*count += entry->d_name[0] != '.';
	*count -= *count > 0; /* the directory itself */
	closedir(directory);
	return true;
}

static void put_memory(struct metrics_text *text)
{
	uint64_t page = (uint64_t)sysconf(_SC_PAGESIZE);
	unsigned long long virtual_pages, resident_pages;
	FILE *statm = fopen("/proc/self/statm", "re");

	if (statm && fscanf(statm, "%llu %llu", &virtual_pages, &resident_pages) == 2) {
		metrics_one(text, METRICS_GAUGE, "process_virtual_memory_bytes",
			    "Virtual memory size in bytes.", virtual_pages * page);
		metrics_one(text, METRICS_GAUGE, "process_resident_memory_bytes",
			    "Resident memory size in bytes.", resident_pages * page);
	}
	if (statm)
		fclose(statm);
}

static uint64_t to_us(const struct timeval *time)
{
	return (uint64_t)time->tv_sec * 1000000 + (uint64_t)time->tv_usec;
}

static void put_process(struct metrics *metrics)
{
	struct metrics_text *text = &metrics->text;
	uint64_t descriptors;
	struct rusage usage;
	struct rlimit limit;

	if (getrusage(RUSAGE_SELF, &usage) == 0) {
		metrics_family(text, METRICS_COUNTER, "process_cpu_seconds",
			       "Total user and system CPU time spent in seconds.");
		metrics_sample_us(text, NULL, to_us(&usage.ru_utime) + to_us(&usage.ru_stime));
	}
	put_memory(text);
	if (count_descriptors(&descriptors))
		metrics_one(text, METRICS_GAUGE, "process_open_fds",
			    "Number of open file descriptors.", descriptors);
	if (getrlimit(RLIMIT_NOFILE, &limit) == 0) {
		metrics_family(text, METRICS_GAUGE, "process_max_fds",
			       "Maximum number of open file descriptors.");
		metrics_sample(text, NULL, limit.rlim_cur);
	}
	metrics_family(text, METRICS_GAUGE, "process_start_time_seconds",
		       "Start time of the process since unix epoch in seconds.");
	metrics_sample_real(text, NULL, metrics->started_s);
}

/* ---- the whole ---- */

static char *make_text(struct metrics *metrics, enum metrics_format format, size_t *length)
{
	const struct metrics_settings *settings = &metrics->service->server.model->metrics;
	const struct snapshot_series *series = &metrics->service->server.series;
	char *bytes = NULL;
	FILE *out = open_memstream(&bytes, length);

	if (!out)
		return NULL;
	tally_show(metrics->tally);
	series_show(series->rules, settings->rules_max);
	series_show(series->zones, settings->zones_max);
	metrics->text = (struct metrics_text){.out = out, .format = format};
	put_configuration(metrics);
	put_endpoints(metrics);
	put_latency(metrics);
	put_rules(metrics);
	put_routes(metrics);
	put_targets(metrics);
	put_zones(metrics);
	put_transfers(metrics);
	put_secondaries(metrics);
	put_cache(metrics);
	put_registrations(metrics);
	put_owned(metrics);
	put_query_log(metrics);
	put_server(metrics);
	put_bounds(metrics);
	put_process(metrics);
	metrics_end(&metrics->text);
	bool whole = !ferror(out);
	if (fclose(out) == 0 && whole)
		return bytes;
	free(bytes);
	return NULL;
}

/* ---- for many readers ---- */

bool metrics_pace_may(struct metrics_pace *pace, uint64_t now_us)
{
	uint64_t passed_us = now_us > pace->at_us ? now_us - pace->at_us : 0;

	pace->left_us += (int64_t)(passed_us / METRICS_SHARE);
	if (pace->left_us > METRICS_BURST_US)
		pace->left_us = METRICS_BURST_US;
	if (pace->at_us == 0)
		pace->left_us = METRICS_BURST_US;
	pace->at_us = now_us;
	return pace->left_us > 0;
}

void metrics_pace_spend(struct metrics_pace *pace, uint64_t cpu_us)
{
	pace->left_us -= (int64_t)cpu_us;
}

static uint64_t cpu_us(void)
{
	struct timespec used;

	clock_gettime(CLOCK_THREAD_CPUTIME_ID, &used);
	return (uint64_t)used.tv_sec * 1000000 + (uint64_t)used.tv_nsec / 1000;
}

static char *copy_text(const char *bytes, size_t length)
{
	char *copy = bytes ? malloc(length + 1) : NULL;

	if (copy)
		memcpy(copy, bytes, length + 1);
	return copy;
}

static void forget_texts(struct metrics *metrics)
{
	for (size_t i = 0; i < COUNT(metrics->latest); i++) {
		free(metrics->latest[i].bytes);
		metrics->latest[i].bytes = NULL;
	}
}

char *metrics_answer(struct metrics *metrics, enum metrics_format format, uint64_t now_us,
		     size_t *length)
{
	struct latest_text *latest = &metrics->latest[format];
	uint64_t began_us = cpu_us();
	bool may = metrics_pace_may(&metrics->pace, now_us);
	char *text;

	*length = 0;
	if (!may && latest->bytes) {
		*length = latest->length;
		return copy_text(latest->bytes, latest->length);
	}
	/* Forgets the texts of both formats: otherwise readers of one format could use up the time
	 * again and again, and the other format's text would never be renewed. */
	if (may)
		forget_texts(metrics);
	text = make_text(metrics, format, length);
	metrics_pace_spend(&metrics->pace, cpu_us() - began_us);
	latest->bytes = metrics->pace.left_us > 0 ? NULL : copy_text(text, *length);
	latest->length = *length;
	return text;
}

struct metrics *metrics_new(struct service *service, struct tally *tally)
{
	struct metrics *metrics = calloc(1, sizeof *metrics);
	struct timespec now;

	if (!metrics)
		return NULL;
	clock_gettime(CLOCK_REALTIME, &now);
	metrics->service = service;
	metrics->tally = tally;
	metrics->started_s = (double)now.tv_sec + (double)now.tv_nsec / 1e9;
	return metrics;
}

void metrics_free(struct metrics *metrics)
{
	if (metrics)
		forget_texts(metrics);
	free(metrics);
}
