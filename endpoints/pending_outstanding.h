/* The flights that wait at a target, in this worker: they are what a suspicion concerns, and there
 * are no more of them than a maximum, so that a target which is slow for everybody does not take
 * all the places that a worker has. Those that may only be answered late, after their target's
 * patience, are not among them. */
#ifndef SLUICE_PENDING_OUTSTANDING_H
#define SLUICE_PENDING_OUTSTANDING_H

#include "endpoints/pending_internal.h"

/* Counts it at its target; without memory it is not counted. */
void flight_wait(struct flight *flight);
void flight_unwait(struct flight *flight); /* fine when it is not counted */
unsigned flights_waiting(struct pending_table *table, const struct target *target);
/* NULL: none waits. */
struct flight *flights_oldest(struct pending_table *table, const struct target *target);
/* Who has to go, now that one more waits; it may be that one. NULL: nobody. */
struct flight *flights_victim(const struct flight *newcomer);

#endif
