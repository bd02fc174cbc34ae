/* What is counted by name: endpoints, rules, zones. A name has a number, which whatever is compiled
 * of it carries, and each worker has a cell of counters for each number, which it alone writes:
 *
 *     rule ─ number ─► cells of worker 0:  [..][..][queries, failures][..]
 *                      cells of worker 1:  [..][..][queries, failures][..]
 *
 * Names outlive what they are names of: a rule that a reload leaves out and another brings back
 * goes on with its number. Whoever shows the counters decides how many names are shown
 * (series_show); a name that has been shown stays, also when nothing has it any more. All others
 * together are `other`, which only grows: what it has counted of a name that comes to be shown
 * stays in it, and the name begins at nothing.
 *
 * All of it is the control thread's, but for the cells. */
#ifndef SLUICE_SERIES_H
#define SLUICE_SERIES_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "endpoints/counter.h"

struct series_set;

/* For so many workers, with so many counters in a cell, and at most so many numbers: address space
 * is taken for all of these, and memory for those that count. NULL without. */
struct series_set *series_set_new(unsigned workers, unsigned width, uint32_t numbers_max);
void series_set_free(struct series_set *set); /* NULL is fine; the workers have stopped */
/* Its counters are read there, by number, and not from cells, which a set of no workers lacks. They
 * never fall while the number is somebody's, or shown. */
void series_set_read(struct series_set *set,
		     void (*read)(void *context, uint32_t number, uint64_t *counters),
		     void *context);

/* The number of a name, with a reference: the one that it has, or a new one. 0, which is `other`'s
 * own, where there is no memory or all numbers are taken, or the name is SERIES_OTHER without an
 * outer one. `outer`: of what the name is one; "" for none. */
#define SERIES_OTHER "other"
uint32_t series_acquire(struct series_set *set, const char *outer, const char *name);
/* The one that a name has, without a reference; 0: none. */
uint32_t series_find(const struct series_set *set, const char *outer, const char *name);
/* What the name of a number has counted; nothing, where that is `other`'s own. Of a name that comes
 * to be shown after `other` was told with it, from then on. */
void series_read(struct series_set *set, uint32_t number, uint64_t *counters);
/* True: nothing has the number any more, and it is not shown. */
bool series_release(struct series_set *set, uint32_t number);
/* One worker's, to count in: a cell for each number, one behind the other. They stay where they
 * are. */
_Atomic uint64_t *series_cells(const struct series_set *set, unsigned worker);

/* Shows every name, if that is not more than `max`; else those that have counted something, the
 * greatest by their first counter ahead, until there are `max`. */
void series_show(struct series_set *set, uint32_t max);
bool series_is_shown(const struct series_set *set, uint32_t number);
/* Whether something has the name now; of name NULL: any name in `outer`. */
bool series_is_had(const struct series_set *set, const char *outer, const char *name);
/* Calls back with each name that is shown, in the order in which they came to be, and its counters,
 * summed over the workers; at last with `other` (name NULL), where there is one or was. */
void series_each(struct series_set *set,
		 void (*on_series)(void *context, const char *outer, const char *name,
				   const uint64_t *counters),
		 void *context);
/* Calls back with each outer name, in the order in which they came to be, and what all names in it
 * have counted, shown or not, and of those that are gone. Of more than SERIES_OUTERS_MAX the rest
 * is SERIES_OTHER. Costs as much as there are names. */
enum { SERIES_OUTERS_MAX = 4096 };
void series_each_outer(struct series_set *set,
		       void (*on_outer)(void *context, const char *outer, const uint64_t *counters),
		       void *context);
/* Adds what every cell has counted, of names that are there and of those that are gone. */
void series_total(const struct series_set *set, _Atomic uint64_t *counters);
/* How many names that something has are not shown now. */
size_t series_unshown(const struct series_set *set);

#endif
