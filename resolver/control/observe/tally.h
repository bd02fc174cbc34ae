/* Counters by name, for the metrics (now) and the history (over time). Endpoints, rules and zones
 * have the server's series (resolver/series.h); targets, outbound endpoints and zones for
 * secondaries are followed (followed.h). No series falls or disappears while the server runs. */
#ifndef SLUICE_TALLY_H
#define SLUICE_TALLY_H

#include <stdint.h>

#include "resolver/control/observe/followed.h"
#include "resolver/control/service/service.h"

/* Counters of the followed series. */
struct target_values {
	uint64_t queries, answers, timeouts, errors, probes, suspicions, mismatched;
	uint64_t buckets[HISTOGRAM_BOUNDS + 1], sum_us;
};
struct transfer_values {
	uint64_t axfr, ixfr, current, refused, broken;
};

struct tally {
	struct service *service;
	struct followed *targets, *outbounds, *transfers; /* outbounds: one counter, refused */
	uint64_t generation; /* of the latest followed policy; 0: none */
};

/* NULL: out of memory. It refers to targets, so call tally_free before the server ends. */
struct tally *tally_new(struct service *service);
void tally_free(struct tally *tally); /* NULL is fine */
/* Finds out which targets, outbound endpoints and zones for secondaries exist; call it for every
 * model that is served. */
void tally_follow(struct tally *tally);
/* Follows as well, and gives endpoints, targets, outbound endpoints and zones for secondaries
 * series of their own, up to a bound: for targets and zones it is configured, for endpoints it is
 * fixed. Call it before reading any of them. */
void tally_show(struct tally *tally);

struct tally_target {
	const char *host;     /* "10.0.0.1:53"; NULL: the sum of all others */
	const char *protocol; /* "udp"; NULL if host is NULL */
	const char *source;   /* the address it is asked from; "": the system's choice; NULL if host
			       * is NULL */
	struct target *now;   /* the target itself; NULL: it is gone */
	struct target_values values;
};
/* Calls back with each shown target, in a stable order, and at last with the sum of the others if
 * there are or were any. */
void tally_each_target(const struct tally *tally,
		       void (*on_one)(void *context, const struct tally_target *target),
		       void *context);
const char *tally_protocol(enum protocol protocol);
/* The zone's names in the form for private zones: without the final dot; group "": none. */
struct tally_transfer_names {
	char group[GROUP_TEXT_MAX], zone[NAME_TEXT_MAX];
};
void tally_transfer_names(const struct transfer_zone *zone, struct tally_transfer_names *names);

#endif
