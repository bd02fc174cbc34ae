/* What has changed of targets and source addresses since it was last looked: one place that finds
 * it out, for whoever wants to know (the log, by health_log.h). The data path keeps its atomics as
 * it does anyway and is asked nothing; the control thread looks now and then, time is a parameter.
 *
 * What is told of one target or source has a pace, HEALTH_PACE_US: what comes sooner is told when
 * that is over, if it still is so, and else as a count with the next change. A suspicion that
 * begins and ends between two looks is no change, only counted; HEALTH_FLAPS of them are one. */
#ifndef SLUICE_HEALTH_H
#define SLUICE_HEALTH_H

#include <stdbool.h>
#include <stdint.h>

#include "resolver/server/snapshot.h"

enum {
	HEALTH_PACE_US = 10 * 1000000,
	HEALTH_FLAPS = 10,
	HEALTH_ROUTES = 5, /* named in a reach */
};

enum health_kind {
	HEALTH_SUSPECT,  /* a target became suspect */
	HEALTH_BACK,     /* it answers again */
	HEALTH_FLAPS_BY, /* it was suspect for moments, HEALTH_FLAPS times or more */
	HEALTH_SOURCE_GONE,
	HEALTH_SOURCE_BACK,
	HEALTH_KINDS
};

struct health_change {
	enum health_kind kind;
	const struct target *target;  /* NULL: it is of a source */
	const struct address *source; /* the target's, or itself; family 0: the system's choice */
	uint64_t for_us; /* that it is suspect or gone by now, or was; FLAPS_BY: since last told */
	unsigned times;  /* that it was so beside this, too short to be told */
};

/* What a change means for the routes in which its target or source is. A route is dark when none of
 * its targets is live: suspects, and those that are asked from an address that is gone, are not. */
struct health_reach {
	const char *endpoint; /* that it is asked by; NULL: none */
	unsigned dark;        /* routes that are dark now; of BACK: that were, and are no more */
	unsigned others;      /* that have another target, or have this one again */
	char names[HEALTH_ROUTES][POLICY_ROUTE_NAME]; /* of the first that are dark */
};

struct health;
/* has_lost tells whether no interface has an address (socket.h). NULL without memory. */
struct health *health_new(struct target_registry *registry,
			  bool (*has_lost)(const struct address *address));
void health_free(struct health *health); /* before the registry; NULL is fine */

/* Calls back for every change that is to be told now. Each target of the snapshot is looked at, so
 * it costs as much as there are; each source costs three system calls. */
void health_look(struct health *health, const struct snapshot *snapshot, uint64_t now_us,
		 void (*on_change)(void *context, const struct health_change *change),
		 void *context);
/* From on_change, or before the snapshot changes: costs as much as there are routes. change NULL:
 * of all routes that are dark. */
void health_reach(const struct health *health, const struct health_change *change,
		  struct health_reach *reach);

/* Whether a route has targets, and none of them is live. We ourselves are, as a target. */
bool health_route_is_dark(const struct route *route,
			  bool (*is_live)(void *context, const struct upstream *upstream),
			  void *context);

#endif
