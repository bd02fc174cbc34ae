/* The two text formats of metrics: Prometheus' (0.0.4) and OpenMetrics (1.0.0). They differ in the
 * names of counters' families, in units and in how they end; whoever writes a family need not know.
 * Whatever stands in a label comes out as one, in UTF-8. */
#ifndef SLUICE_METRICS_TEXT_H
#define SLUICE_METRICS_TEXT_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

#include "endpoints/histogram.h"

enum metrics_format { METRICS_PROMETHEUS, METRICS_OPENMETRICS };

/* The better one of what a header Accept takes, as Prometheus' client libraries choose: OpenMetrics
 * where it is asked for by name. NULL: there is no header. */
enum metrics_format metrics_negotiate(const char *accept);
const char *metrics_content_type(enum metrics_format format);

enum metrics_type { METRICS_COUNTER, METRICS_GAUGE, METRICS_HISTOGRAM };

struct metrics_label {
	const char *name, *value; /* value NULL or "": the label is left out */
};
enum { METRICS_LABELS_MAX = 4 };
struct metrics_labels { /* to the first without a name */
	struct metrics_label items[METRICS_LABELS_MAX];
};

struct metrics_text { /* all zero, but for these two */
	FILE *out;
	enum metrics_format format;
	/* inside */
	const char *family;
	enum metrics_type type;
};

/* Begins a family: `name` is without _total; a unit is what its name ends with ("seconds",
 * "bytes"). The samples that follow are its. */
void metrics_family(struct metrics_text *text, enum metrics_type type, const char *name,
		    const char *help);
/* `labels` may be NULL. */
void metrics_sample(struct metrics_text *text, const struct metrics_labels *labels, uint64_t value);
void metrics_sample_real(struct metrics_text *text, const struct metrics_labels *labels,
			 double value);
/* Microseconds, as seconds; buckets below `from` are added to it. */
void metrics_sample_us(struct metrics_text *text, const struct metrics_labels *labels, uint64_t us);
void metrics_sample_histogram(struct metrics_text *text, const struct metrics_labels *labels,
			      const uint64_t buckets[HISTOGRAM_BOUNDS + 1], uint64_t sum_us,
			      unsigned from);
/* A family of one sample without labels. */
void metrics_one(struct metrics_text *text, enum metrics_type type, const char *name,
		 const char *help, uint64_t value);
void metrics_end(struct metrics_text *text);

#endif
