/* https://prometheus.io/docs/instrumenting/exposition_formats/ and the OpenMetrics specification,
 * 1.0.0. */
#include "resolver/control/observe/metrics_text.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "rules/base.h"

/* ---- the format ---- */

static const char *skip_blanks(const char *at)
{
	return at + strspn(at, " \t");
}

/* Reads a range of Accept (RFC 9110 section 12.5.1), and of its parameters q and version. `type`
 * becomes "" if the version is neither 1.0.0 nor 0.0.x, because no other is supported. Returns the
 * text after the range. */
static const char *read_range(const char *at, char *type, size_t size, double *q)
{
	size_t length = strcspn(at, ",;"), kept = length < size ? length : size - 1;

	memcpy(type, at, kept);
	while (kept > 0 && strchr(" \t", type[kept - 1]))
		kept--;
	type[kept] = '\0';
	*q = 1;
	for (at += length; *at == ';'; at += strcspn(at, ",;")) {
		at = skip_blanks(at + 1);
		if (strncasecmp(at, "q=", 2) == 0)
			*q = strtod(at + 2, NULL);
		else if (strncasecmp(at, "version=", 8) == 0 && strncmp(at + 8, "1.0.0", 5) != 0 &&
			 strncmp(at + 8, "0.0.", 4) != 0)
			type[0] = '\0';
	}
	return *at == ',' ? at + 1 : at;
}

enum metrics_format metrics_negotiate(const char *accept)
{
	double open = 0, plain = 0, q;
	char type[64];

	while (accept && *(accept = skip_blanks(accept))) {
		accept = read_range(accept, type, sizeof type, &q);
		if (strcasecmp(type, "application/openmetrics-text") == 0)
			open = q > open ? q : open;
		else if (strcasecmp(type, "text/plain") == 0)
			plain = q > plain ? q : plain;
	}
	return open > 0 && open >= plain ? METRICS_OPENMETRICS : METRICS_PROMETHEUS;
}

const char *metrics_content_type(enum metrics_format format)
{
	return format == METRICS_OPENMETRICS
		       ? "application/openmetrics-text; version=1.0.0; charset=utf-8"
		       : "text/plain; version=0.0.4; charset=utf-8";
}

/* ---- families ---- */

static const char *const types[] = {[METRICS_COUNTER] = "counter",
				    [METRICS_GAUGE] = "gauge",
				    [METRICS_HISTOGRAM] = "histogram"};

static bool ends_with(const char *text, const char *end)
{
	size_t length = strlen(text), of_end = strlen(end);

	return length > of_end && strcmp(text + length - of_end, end) == 0;
}

void metrics_family(struct metrics_text *text, enum metrics_type type, const char *name,
		    const char *help)
{
	static const char *const units[] = {"seconds", "bytes"};
	bool open = text->format == METRICS_OPENMETRICS;
	const char *suffix = !open && type == METRICS_COUNTER ? "_total" : "";

	text->family = name;
	text->type = type;
	fprintf(text->out, "# HELP %s%s %s\n# TYPE %s%s %s\n", name, suffix, help, name, suffix,
		types[type]);
	for (size_t i = 0; open && i < COUNT(units); i++)
		if (ends_with(name, units[i]))
			fprintf(text->out, "# UNIT %s %s\n", name, units[i]);
}

/* ---- samples ---- */

/* The number of bytes of the UTF-8 character here; 0: not UTF-8 (RFC 3629). */
static unsigned character(const unsigned char *at)
{
	static const struct {
		unsigned char mask, lead;
		unsigned length;
		uint32_t least;
	} forms[] = {{0x80, 0, 1, 0},
		     {0xe0, 0xc0, 2, 0x80},
		     {0xf0, 0xe0, 3, 0x800},
		     {0xf8, 0xf0, 4, 0x10000}};

	for (size_t i = 0; i < COUNT(forms); i++) {
		uint32_t value = at[0] & (unsigned char)~forms[i].mask;

		if ((at[0] & forms[i].mask) != forms[i].lead)
			continue;
		for (unsigned k = 1; k < forms[i].length; k++) {
			if ((at[k] & 0xc0) != 0x80)
				return 0;
			value = value << 6 | (at[k] & 0x3f);
		}
		bool surrogate = value >= 0xd800 && value <= 0xdfff;
		return value < forms[i].least || surrogate || value > 0x10ffff ? 0
									       : forms[i].length;
	}
	return 0;
}

static void put_value(FILE *out, const char *value)
{
	static const char replacement[] = "\xef\xbf\xbd";
	const unsigned char *at = (const unsigned char *)value;

	while (*at) {
		unsigned length = character(at);

		if (*at == '\\' || *at == '"')
			fprintf(out, "\\%c", *at);
		else if (*at == '\n')
			fputs("\\n", out);
		else if (length > 0)
			fwrite(at, 1, length, out);
		else
			fputs(replacement, out);
		at += length ? length : 1;
	}
}

/* Writes the name with its labels, and `le` after them (NULL: none). */
static void begin_sample(const struct metrics_text *text, const char *suffix,
			 const struct metrics_labels *labels, const char *le)
{
	const char *before = "{";

	fprintf(text->out, "%s%s", text->family, suffix);
	for (size_t i = 0; labels && i < METRICS_LABELS_MAX && labels->items[i].name; i++) {
		if (!labels->items[i].value || !*labels->items[i].value)
			continue;
		fprintf(text->out, "%s%s=\"", before, labels->items[i].name);
		put_value(text->out, labels->items[i].value);
		fputc('"', text->out);
		before = ",";
	}
	if (le)
		fprintf(text->out, "%sle=\"%s\"", before, le);
	if (le || *before == ',')
		fputc('}', text->out);
	fputc(' ', text->out);
}

static const char *suffix_of(const struct metrics_text *text)
{
	return text->type == METRICS_COUNTER ? "_total" : "";
}

void metrics_sample(struct metrics_text *text, const struct metrics_labels *labels, uint64_t value)
{
	begin_sample(text, suffix_of(text), labels, NULL);
	fprintf(text->out, "%llu\n", (unsigned long long)value);
}

void metrics_sample_real(struct metrics_text *text, const struct metrics_labels *labels,
			 double value)
{
	begin_sample(text, suffix_of(text), labels, NULL);
	fprintf(text->out, "%.15g\n", value);
}

static void put_us(FILE *out, uint64_t us)
{
	fprintf(out, "%llu.%06llu\n", (unsigned long long)(us / 1000000),
		(unsigned long long)(us % 1000000));
}

void metrics_sample_us(struct metrics_text *text, const struct metrics_labels *labels, uint64_t us)
{
	begin_sample(text, suffix_of(text), labels, NULL);
	put_us(text->out, us);
}

void metrics_sample_histogram(struct metrics_text *text, const struct metrics_labels *labels,
			      const uint64_t buckets[HISTOGRAM_BOUNDS + 1], uint64_t sum_us,
			      unsigned from)
{
	/* OpenMetrics compares bounds as text, so they have its spelling. */
	static const char *const bounds[HISTOGRAM_BOUNDS] = {
		"1e-05", "2.5e-05", "5e-05", "0.0001", "0.00025", "0.0005",
		"0.001", "0.0025",  "0.005", "0.01",   "0.025",   "0.05",
		"0.1",   "0.25",    "0.5",   "1.0",    "2.5",     "5.0"};
	uint64_t count = 0;

	for (unsigned i = 0; i < HISTOGRAM_BOUNDS; i++) {
		count += buckets[i];
		if (i < from)
			continue;
		begin_sample(text, "_bucket", labels, bounds[i]);
		fprintf(text->out, "%llu\n", (unsigned long long)count);
	}
	count += buckets[HISTOGRAM_BOUNDS];
	begin_sample(text, "_bucket", labels, "+Inf");
	fprintf(text->out, "%llu\n", (unsigned long long)count);
	begin_sample(text, "_count", labels, NULL);
	fprintf(text->out, "%llu\n", (unsigned long long)count);
	begin_sample(text, "_sum", labels, NULL);
	put_us(text->out, sum_us);
}

void metrics_one(struct metrics_text *text, enum metrics_type type, const char *name,
		 const char *help, uint64_t value)
{
	metrics_family(text, type, name, help);
	metrics_sample(text, NULL, value);
}

void metrics_end(struct metrics_text *text)
{
	if (text->format == METRICS_OPENMETRICS)
		fputs("# EOF\n", text->out);
}
