/* Counters by name, for endpoints, rules and zones. A name has a number, which the compiled object
 * carries. Each worker has a cell of counters for each number, which only that worker writes:
 *
 *     rule ─ number ─► cells of worker 0:  [..][..][queries, failures][..]
 *                      cells of worker 1:  [..][..][queries, failures][..]
 *
 * The caller that shows counters decides how many names are shown (series_show). A shown name stays
 * shown, even without an object: a rule that one reload removes and another brings back keeps its
 * number. A name that is not shown loses its number with its last object. All names that are not
 * shown are together `other`, which never falls: when a name is shown later, its earlier counts
 * stay in `other` and it starts at zero.
 *
 * Only the control thread calls, except for series_cells. Workers write the cells. */
#ifndef SLUICE_SERIES_H
#define SLUICE_SERIES_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "endpoints/counter.h"

struct series_set;

/* A set with `width` counters in a cell. Address space is reserved for numbers_max numbers, and
 * memory is used only for those that count. NULL without memory. */
struct series_set *series_set_new(unsigned workers, unsigned width, uint32_t numbers_max);
void series_set_free(struct series_set *set); /* NULL is fine; stop the workers first */
/* Makes the set read its counters by `read` and not from cells, which a set without workers does
 * not have. They must not fall while a number is in use or shown. */
void series_set_read(struct series_set *set,
		     void (*read)(void *context, uint32_t number, uint64_t *counters),
		     void *context);

/* The name's number, its old one or a new one, with a reference. `outer`: the name of the object
 * that contains it; "" for none. 0, the number of `other`, without memory, when all numbers are
 * taken, and for SERIES_OTHER without an outer name. */
#define SERIES_OTHER "other"
uint32_t series_acquire(struct series_set *set, const char *outer, const char *name);
/* The name's number without a reference; 0: none. */
uint32_t series_find(const struct series_set *set, const char *outer, const char *name);
/* Reads the counters of a number; zeros for 0. If earlier counts of a shown name are in `other`,
 * only its later counts are read. */
void series_read(struct series_set *set, uint32_t number, uint64_t *counters);
/* True: the number is not in use any more, and not shown. */
bool series_release(struct series_set *set, uint32_t number);
/* A worker's array of cells, one for each number. It never moves. */
_Atomic uint64_t *series_cells(const struct series_set *set, unsigned worker);

/* Shows all names if there are at most `max`; else names that have counted something, in descending
 * order of their first counter, until `max` are shown. */
void series_show(struct series_set *set, uint32_t max);
bool series_is_shown(const struct series_set *set, uint32_t number);
/* Whether the name is in use now; name NULL: any name in `outer`. */
bool series_is_had(const struct series_set *set, const char *outer, const char *name);
/* Calls back with each shown name, the oldest first, and its counters, summed over the workers; and
 * last with `other` (name NULL), if there is or was one. */
void series_each(struct series_set *set,
		 void (*on_series)(void *context, const char *outer, const char *name,
				   const uint64_t *counters),
		 void *context);
/* Calls back with each outer name, the oldest first, and the sum of all its names, shown or not,
 * including names that are gone. Beyond SERIES_OUTERS_MAX the rest is SERIES_OTHER. The cost grows
 * with the number of names. */
enum { SERIES_OUTERS_MAX = 4096 };
void series_each_outer(struct series_set *set,
		       void (*on_outer)(void *context, const char *outer, const uint64_t *counters),
		       void *context);
/* Adds the counters of all names, including names that are gone. */
void series_total(const struct series_set *set, _Atomic uint64_t *counters);
/* How many names in use are not shown. */
size_t series_unshown(const struct series_set *set);

#endif
