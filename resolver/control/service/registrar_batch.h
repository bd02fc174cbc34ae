/* Changes of registered sets (registrar.h) that are made together: by several messages, by an
 * operator's removal, or because sets have expired. A batch collects them in a copy of the served
 * sets, stores the changed rows with one sync, and then serves the copy. Only the registrar's own
 * files use this. */
#ifndef SLUICE_REGISTRAR_BATCH_H
#define SLUICE_REGISTRAR_BATCH_H

#include "resolver/control/service/registrar.h"

struct registrar_touched { /* a set changed by the batch */
	uint64_t print;    /* the key of its renewal */
	bool was_known;
	struct renewal before; /* the renewal before the batch */
};

struct registrar_batch {
	struct registrar *registrar;
	struct registered *served; /* the table at the beginning */
	struct registered *next;   /* a copy with the changes so far; NULL: none */
	struct registrar_rows rows;
	struct registrar_touched *touched; /* in order; a set may occur again */
	size_t touched_count, touched_room;
	int64_t now_s;
};

struct registrar_change { /* a change of one zone */
	size_t place;     /* index in the table */
	int tree;         /* reverse tree by registrar_tree; -1: the zone's own names */
	const struct update_set *sets;
	size_t count;
	const struct registrar_author *author; /* NULL: the sets are removed */
	uint32_t ttl;
};

/* Seconds of CLOCK_MONOTONIC, the clock of renewals. */
static inline uint64_t registrar_now_s(void)
{
	return uv_hrtime() / 1000000000;
}

struct registrar_batch registrar_batch_begin(struct registrar *registrar);
void registrar_batch_release(struct registrar_batch *batch);
/* The registered sets, with the changes of the batch. */
const struct registered *registrar_batch_table(const struct registrar_batch *batch);
/* Adds the change to the batch, and updates the renewals at once, because the next message is
 * judged by them. False: out of memory; the batch is unchanged. */
MUST_CHECK bool registrar_batch_take(struct registrar_batch *batch,
				     const struct registrar_change *change);
/* Stores the batch, then serves it; takes the memory for serving before both. False: the batch is
 * not served, its renewals are restored, and the log says why. */
MUST_CHECK bool registrar_batch_store(struct registrar_batch *batch);

/* Whether everything stored is served, as far as this process knows. */
bool registrar_is_ready(const struct registrar *registrar);
/* Updates `entries` to the served model. False without memory. */
MUST_CHECK bool registrar_refresh_entries(struct registrar *registrar);
/* The zone's registration settings; NULL: clients may not register there. */
const struct registration *registrar_entry(const struct registrar *registrar, const char *zone);

/* ---- looks (registrar_looks.c) ---- */

/* Marks running clocks as open in the state. False: the state still has one of them as closed;
 * after a kill, renewals from now on would be missing without notice, and their sets would
 * expire. */
MUST_CHECK bool registrar_looks_open(struct registrar *registrar);
/* Writes all renewals at once, then marks the clocks as closed unless a write failed. */
void registrar_looks_write(struct registrar *registrar);
void registrar_looks_end(struct registrar_look *look);

#endif
