/* What is counted by name, for those who show it: metrics at a moment, history over time. Counters
 * of endpoints, rules and zones are the server's series (resolver/series.h); those of targets,
 * outbound endpoints and zones that go out are followed here. No series falls or disappears while
 * the server runs. */
#ifndef SLUICE_TALLY_H
#define SLUICE_TALLY_H

#include <stdint.h>

#include "resolver/control/observe/followed.h"
#include "resolver/control/service/service.h"

/* Of the series of what is followed. */
struct target_values {
	uint64_t queries, answers, timeouts, errors, probes, suspicions, mismatched;
	uint64_t buckets[HISTOGRAM_BOUNDS + 1], sum_us;
};
struct transfer_values {
	uint64_t axfr, ixfr, current, refused, broken;
};

struct tally {
	struct service *service;
	struct followed *targets, *outbounds, *transfers; /* an outbound endpoint counts refusals */
	uint64_t generation; /* of the policy that was followed last; 0: none */
};

/* NULL without memory. It has references to targets: tally_free comes ahead of the server's end. */
struct tally *tally_new(struct service *service);
void tally_free(struct tally *tally); /* NULL is fine */
/* Looks which targets there are now; to be called for every model that is served. */
void tally_follow(struct tally *tally);
/* The same, and gives series of their own to endpoints, targets, outbound endpoints and zones that
 * go out, up to the configured bounds. Ahead of reading any of them. */
void tally_show(struct tally *tally);

struct tally_target {
	const char *host;     /* "10.0.0.1:53"; NULL: all that are not shown, together */
	const char *protocol; /* "udp"; NULL with host */
	const char *source;   /* that it is asked from; "": the system's choice */
	struct target *now;   /* as it is; NULL: it is gone */
	struct target_values values;
};
/* Calls back with each target that is shown, in an order that stays; at last with the rest, where
 * there is or was one. */
void tally_each_target(const struct tally *tally,
		       void (*on_one)(void *context, const struct tally_target *target),
		       void *context);
const char *tally_protocol(enum protocol protocol);
/* As private zones are named elsewhere: without the final dot; group "": in none. */
struct tally_transfer_names {
	char group[GROUP_TEXT_MAX], zone[NAME_TEXT_MAX];
};
void tally_transfer_names(const struct transfer_zone *zone, struct tally_transfer_names *names);

#endif
