/* Objects that keep their own counters (targets, meters of outbound endpoints, zones for
 * secondaries), exported as named series like the counters of workers (resolver/series.h). With
 * each policy the caller says which objects exist. An object whose name is shown is kept by a
 * reference after it is gone, so that it goes on counting if it comes back. Objects of one name are
 * summed.
 *
 * Control thread only. */
#ifndef SLUICE_FOLLOWED_H
#define SLUICE_FOLLOWED_H

#include <stdbool.h>
#include <stdint.h>

#include "resolver/series.h"

struct followed_kind {
	unsigned width; /* counters */
	uint32_t names_max;
	bool (*keep)(void *context, void *thing); /* takes a reference; false: no memory */
	void (*release)(void *context, void *thing);
	void (*read)(const void *thing, uint64_t *counters); /* `width` of them, which never fall */
};

struct followed;

/* NULL: out of memory. `context` is passed to the kind's functions. */
struct followed *followed_new(const struct followed_kind *kind, void *context);
void followed_free(struct followed *followed); /* NULL is fine */

/* Updates which things exist: begin, each thing, end. followed_see_again returns true for a thing
 * that existed at the last update, and saves making its name, which may be long; else call
 * followed_see. Names are those of series_acquire. */
void followed_begin(struct followed *followed);
bool followed_see_again(struct followed *followed, void *thing);
void followed_see(struct followed *followed, void *thing, const char *outer, const char *name);
void followed_end(struct followed *followed);

/* The series: to show names, and to count those not shown. */
struct series_set *followed_series(const struct followed *followed);
/* Calls back with each thing that exists; is_shown is followed_shows. */
void followed_each(const struct followed *followed,
		   void (*on_thing)(void *context, void *thing, bool is_shown), void *context);
/* The first existing thing with that number of the series; NULL: none. */
void *followed_thing(const struct followed *followed, uint32_t number);
/* Whether the thing exists, its name is shown, and it is the first of that name. */
bool followed_shows(const struct followed *followed, void *thing);

#endif
