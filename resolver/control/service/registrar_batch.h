/* Changes to what is registered (registrar.h) that are made together: by messages that were judged
 * one after the other, or because sets have expired. They are collected in a copy of what is
 * served; the copy is stored with one sync, and then served. The registrar's own files use this. */
#ifndef SLUICE_REGISTRAR_BATCH_H
#define SLUICE_REGISTRAR_BATCH_H

#include "resolver/control/service/registrar.h"

struct registrar_touched { /* a set that the batch has changed */
	uint64_t print;    /* the key of its renewal */
	bool was_known;
	struct renewal before; /* the renewal before the batch */
};

struct registrar_batch {
	struct registrar *registrar;
	struct registered *served; /* when it began */
	struct registered *next;   /* a copy with the changes so far; NULL: there are none */
	struct registrar_rows rows;
	struct registrar_touched *touched; /* in order: a set may be there again */
	size_t touched_count, touched_room;
	int64_t now_s;
};

struct registrar_change { /* of one zone */
	size_t place;     /* in the table */
	int tree;         /* of reverse names, as registrar_tree has it; -1: its own names */
	const struct update_set *sets;
	size_t count;
	const struct registrar_author *author; /* NULL: sets go */
	uint32_t ttl;
};

/* Of CLOCK_MONOTONIC, as renewals are timed. */
static inline uint64_t registrar_now_s(void)
{
	return uv_hrtime() / 1000000000;
}

struct registrar_batch registrar_batch_begin(struct registrar *registrar);
void registrar_batch_release(struct registrar_batch *batch);
/* What is registered, with what the batch has changed. */
const struct registered *registrar_batch_table(const struct registrar_batch *batch);
/* Adds the change to the batch; renewals know of it at once, so that the next message is judged by
 * it. False without memory: the batch is what it was. */
MUST_CHECK bool registrar_batch_take(struct registrar_batch *batch,
				     const struct registrar_change *change);
/* Stores the batch, then serves it. False: the batch is not served, its renewals are restored, and
 * the log says why. If only the memory for serving it was missing, the batch is stored; the
 * client's next attempt serves it. */
MUST_CHECK bool registrar_batch_store(struct registrar_batch *batch);

/* Whether what is served is all that is stored, as far as this process knows. */
bool registrar_is_ready(const struct registrar *registrar);
/* Makes `entries` those of the model that is served. False without memory. */
MUST_CHECK bool registrar_refresh_entries(struct registrar *registrar);
/* NULL: clients may not register in the zone. */
const struct registration *registrar_entry(const struct registrar *registrar, const char *zone);

/* ---- looks (registrar_looks.c) ---- */

/* Opens the clocks that run. False: the state still has one of them as closed, so a kill would lose
 * what is renewed now, and machines would expire that have renewed their names. */
MUST_CHECK bool registrar_looks_open(struct registrar *registrar);
/* Writes all renewals, in one go. What cannot be written leaves the clocks open. */
void registrar_looks_write(struct registrar *registrar);
void registrar_looks_end(struct registrar_look *look);

#endif
