/* What was counted when: rings of the last minute, hour and week, of endpoints, where answers are
 * from, who decides, and targets. It is told now and then what has been counted so far, and keeps
 * for each step what came to it. Time is a parameter, of CLOCK_MONOTONIC.
 *
 * Its memory has a bound, HISTORY_BYTES_MAX, whatever there is: each kind has so many rows, in the
 * order in which they come, and the rest is one row, `other`. A row stays while the process runs;
 * one of something that is gone says nothing of the steps since, and one that comes back goes on.
 *
 * All of it is the control thread's. */
#ifndef SLUICE_HISTORY_H
#define SLUICE_HISTORY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "endpoints/histogram.h"

enum { HISTORY_BYTES_MAX = 16 * 1000 * 1000 };

enum history_span { HISTORY_MINUTE, HISTORY_HOUR, HISTORY_WEEK, HISTORY_SPANS };
struct history_span_about {
	const char *name; /* "minute" */
	uint32_t step_s, count;
};
extern const struct history_span_about history_spans[HISTORY_SPANS];

/* What there are rows of, what each is called by, and what is told of it: numbers that only grow,
 * but for those of `up`, which is 1 where the target is neither suspect nor answers errors alone,
 * beside a 1. */
enum history_kind {
	HISTORY_ENDPOINTS, /* name: queries, responses SERVFAIL, other responses, over limit */
	HISTORY_SOURCES,   /* name: responses, and a histogram's buckets of how long they took */
	HISTORY_CLASSES,   /* name, kind: queries */
	HISTORY_TARGETS,   /* target, protocol, source: queries, failures, sum_us, timed, up, 1 */
	HISTORY_KINDS
};
enum {
	HISTORY_TEXTS_MAX = 3,
	HISTORY_NUMBERS_MAX = 1 + HISTOGRAM_BOUNDS + 1,
	HISTORY_ENDPOINTS_MAX = 128,
	HISTORY_CLASSES_MAX = 256,
	HISTORY_TARGETS_MAX = 400,
};

struct history;

/* All that is told from now on has been counted since now. NULL without memory. */
struct history *history_new(uint64_t now_us);
void history_free(struct history *history); /* NULL is fine */

/* A look: begin, each row, end. `is_there`: whether it is there, or is only counted because it was.
 * texts: as many as the kind has, of which NULL is shown as null; NULL itself: what has no row of
 * its own. Without memory for a row it is `other`'s until there is. */
void history_begin(struct history *history);
void history_put(struct history *history, enum history_kind kind, const char *const *texts,
		 bool is_there, const uint64_t *numbers);
void history_end(struct history *history, uint64_t now_us);
/* When a step of the shortest span ends: a look then is exact. */
uint64_t history_next_us(const struct history *history);

/* When the first step of a span began; before CLOCK_MONOTONIC did, it is negative. */
int64_t history_from_us(const struct history *history, enum history_span span);
/* As JSON:
 *
 *     {"span", "step_s", "from" (as given), "count",
 *      "endpoints": [{"name", "queries", "responses", "servfail", "over_limit"}],
 *      "sources": [{"name", "responses", "p50_us", "p99_us"}],
 *      "classes": [{"name", "kind", "queries"}],
 *      "targets": [{"target", "protocol", "source", "queries", "failures", "up", "mean_us"}]}
 *
 * `count` values in each list, the oldest first, of what happened in that step. A query is counted
 * when it comes and its response when that goes, so a share is of responses: of them `servfail`, which
 * is a part of them in every step, and of the sources' sum one source's. up is the share of
 * the looks at which it was (0 to 1), null what is not known. Rows of which nothing is known, and
 * which are not there, are left out.
 *
 * A week of all rows is two million values, and a tenth of a second: so it is written in portions,
 * between which others may be served. When history_from_us changes meanwhile, what has been
 * written is of other steps, and the writer begins anew. The history outlives its writer. */
struct history_writer;

/* NULL without memory. */
struct history_writer *history_writer_new(const struct history *history, enum history_span span,
					  const char *from);
/* Writes a portion; true: there is more. */
bool history_write_on(struct history_writer *writer);
/* Ends the writer, which may be NULL. The text, to be freed; NULL: it is not whole. */
char *history_writer_end(struct history_writer *writer, size_t *length);

/* For tests: what it takes now. */
size_t history_bytes(const struct history *history);

#endif
