/* The flights that wait at a target, in this worker: they are what a suspicion concerns, and there
 * are no more of them than a maximum, so that a target which is slow for everybody does not take
 * all the places that a worker has. Those that may only be answered late, after their target's
 * patience, are not among them, nor what waits for a suspect.
 *
 * One that is asked by TCP because of a truncated reply counts here, and not at its target, which
 * that says nothing of. */
#ifndef SLUICE_PENDING_OUTSTANDING_H
#define SLUICE_PENDING_OUTSTANDING_H

#include "endpoints/upstream/internal.h"

/* Counts it at its target; without memory it is not counted. */
void flight_wait(struct flight *flight);
void flight_unwait(struct flight *flight); /* fine when it is not counted */
unsigned flights_waiting(struct pending_table *table, const struct target *target);
/* NULL: none waits. */
struct flight *flights_oldest(struct pending_table *table, const struct target *target);
/* Who has to go, now that one more waits: the oldest of a greedy client's (fair_queue.h), unless it
 * is about to be answered and the newcomer's client is no more modest: then the newcomer. NULL:
 * nobody.
 */
struct flight *flights_victim(struct flight *newcomer, uint64_t now_us);

#endif
