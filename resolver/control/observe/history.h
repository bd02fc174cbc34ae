/* Counters over time: rings of the last minute, hour and week, for endpoints, sources of answers,
 * deciders and targets. The recorder passes the present counters now and then; the history keeps
 * the difference for each step. Time is a parameter, of CLOCK_MONOTONIC.
 *
 * Its memory is bounded by HISTORY_BYTES_MAX: each kind has a maximum of rows, first come first
 * served, and one row `other` for the rest. A row stays while the process runs: while its object is
 * gone its steps are unknown, and it goes on if the object comes back.
 *
 * Control thread only. */
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

/* The kinds of rows: the texts that name a row, and its numbers. Numbers are counters that only
 * grow, except in targets: `up` is 1 while the target exists, is not suspect, and does not answer
 * only errors. The last number is 1 while the target exists, to count the samples. */
enum history_kind {
	HISTORY_ENDPOINTS, /* name: queries, responses SERVFAIL, other responses, over limit */
	HISTORY_SOURCES,   /* name: responses, and a histogram of their durations */
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

/* Begins the history. The counters must be 0 at this moment. NULL: out of memory. */
struct history *history_new(uint64_t now_us);
void history_free(struct history *history); /* NULL is fine */

/* A sample: begin, each row, end. is_there: false for an object that is gone but still counted.
 * texts: as many as the kind has; one that is NULL is shown as null. `texts` itself NULL: the row
 * `other`. If there is no memory for a row, `other` counts for it until there is. */
void history_begin(struct history *history);
void history_put(struct history *history, enum history_kind kind, const char *const *texts,
		 bool is_there, const uint64_t *numbers);
void history_end(struct history *history, uint64_t now_us);
/* When a step of the shortest span ends: a sample at that time is exact. */
uint64_t history_next_us(const struct history *history);

/* When the first step of a span began; negative if before the start of CLOCK_MONOTONIC. */
int64_t history_from_us(const struct history *history, enum history_span span);
/* As JSON:
 *
 *     {"span", "step_s", "from" (as given), "count",
 *      "endpoints": [{"name", "queries", "responses", "servfail", "over_limit"}],
 *      "sources": [{"name", "responses", "p50_us", "p99_us"}],
 *      "classes": [{"name", "kind", "queries"}],
 *      "targets": [{"target", "protocol", "source", "queries", "failures", "up", "mean_us"}]}
 *
 * Each list has `count` values, one for each step, the oldest first. A query is counted when it
 * comes, its response when it is sent, perhaps in a later step. So compute shares of responses, not
 * of queries: in every step `servfail` is a part of `responses`, and a source's responses are a
 * part of the sources' sum. up is the share of samples (0 to 1) at which the target was up. null:
 * not known. A row without known values whose object is gone is left out.
 *
 * A week of all rows is two million values, and takes a tenth of a second, so it is written in
 * portions. When history_from_us changes between two portions, the values written so far belong to
 * other steps, so the caller has to end the writer and make a new one. The history outlives its
 * writer. */
struct history_writer;

/* NULL: out of memory. */
struct history_writer *history_writer_new(const struct history *history, enum history_span span,
					  const char *from);
/* Writes a portion; true: there is more. */
bool history_write_on(struct history_writer *writer);
/* Ends the writer, which may be NULL, and returns the text, to be freed; NULL: it is not
 * complete. */
char *history_writer_end(struct history_writer *writer, size_t *length);

/* For tests: the bytes allocated now. */
size_t history_bytes(const struct history *history);

#endif
