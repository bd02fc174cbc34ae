/* What counts for itself, and is shown by name like what workers count (resolver/series.h):
 * targets, meters of outbound endpoints, zones that go out. Whoever shows them looks with every
 * policy which of them are there; one whose name is shown is kept by a reference when it is gone,
 * so that it goes on counting where it comes back. Several of one name are counted together.
 *
 * All of it is the control thread's. */
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

/* NULL without memory. Things are released with the same context. */
struct followed *followed_new(const struct followed_kind *kind, void *context);
void followed_free(struct followed *followed); /* NULL is fine */

/* A look at all that are there: begin, each thing, and the end. One that is known is seen without
 * its name, which may be long to make; true: it was. Names are those of series_acquire. */
void followed_begin(struct followed *followed);
bool followed_see_again(struct followed *followed, void *thing);
void followed_see(struct followed *followed, void *thing, const char *outer, const char *name);
void followed_end(struct followed *followed);

/* To show, and to count what is not shown. */
struct series_set *followed_series(const struct followed *followed);
/* Calls back with each that is there; is_shown as followed_shows. */
void followed_each(const struct followed *followed,
		   void (*on_thing)(void *context, void *thing, bool is_shown), void *context);
/* The first that is there of those with that number of the series; NULL: none is. */
void *followed_thing(const struct followed *followed, uint32_t number);
/* Whether it is there, its name is shown, and it is the first of that name. */
bool followed_shows(const struct followed *followed, void *thing);

#endif
