/* The two text formats of metrics: Prometheus (0.0.4) and OpenMetrics (1.0.0). They differ in names
 * of counter families, in units and in the end mark, which callers need not know. Labels are
 * escaped, and repaired if they are not UTF-8. */
#ifndef SLUICE_METRICS_TEXT_H
#define SLUICE_METRICS_TEXT_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

#include "endpoints/histogram.h"

enum metrics_format { METRICS_PROMETHEUS, METRICS_OPENMETRICS };

/* The better of the formats that a header Accept allows; OpenMetrics only if it is named, as in the
 * client libraries of Prometheus. NULL: no header. */
enum metrics_format metrics_negotiate(const char *accept);
const char *metrics_content_type(enum metrics_format format);

enum metrics_type { METRICS_COUNTER, METRICS_GAUGE, METRICS_HISTOGRAM };

struct metrics_label {
	const char *name, *value; /* value NULL or "": the label is left out */
};
enum { METRICS_LABELS_MAX = 4 };
struct metrics_labels { /* ends at the first item without a name */
	struct metrics_label items[METRICS_LABELS_MAX];
};

struct metrics_text { /* zero it, then set out and format */
	FILE *out;
	enum metrics_format format;
	/* private */
	const char *family;
	enum metrics_type type;
};

/* Begins a family, for the samples that follow. `name` is without _total; if it ends with "seconds"
 * or "bytes", that is its unit. */
void metrics_family(struct metrics_text *text, enum metrics_type type, const char *name,
		    const char *help);
/* `labels` may be NULL. */
void metrics_sample(struct metrics_text *text, const struct metrics_labels *labels, uint64_t value);
void metrics_sample_real(struct metrics_text *text, const struct metrics_labels *labels,
			 double value);
/* Microseconds, written as seconds. A histogram's buckets below `from` are added to that one. */
void metrics_sample_us(struct metrics_text *text, const struct metrics_labels *labels, uint64_t us);
void metrics_sample_histogram(struct metrics_text *text, const struct metrics_labels *labels,
			      const uint64_t buckets[HISTOGRAM_BOUNDS + 1], uint64_t sum_us,
			      unsigned from);
/* A family of one sample without labels. */
void metrics_one(struct metrics_text *text, enum metrics_type type, const char *name,
		 const char *help, uint64_t value);
void metrics_end(struct metrics_text *text);

#endif
