/* A row has, for each span, the counters at the beginning of the current step, and a ring of values
 * for each shown column:
 *
 *     now   [counters]                   as of the latest sample
 *     base  [span][counters]             as of the step's beginning
 *     values[span][column][slot]         of complete steps; UINT32_MAX: not known
 *
 * All rows of a span end their steps together, so a slot is the same step in each. A late sample
 * ends several steps, which share the counts equally. */
#include "resolver/control/observe/history.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <uthash.h>

#include "resolver/control/base/json.h"
#include "rules/base.h"

enum {
	COLUMNS_MAX = 4,
	SLOTS = 60 + 360 + 1008, /* of all spans */
	SOURCES_MAX = 8,
	ENDPOINT_NUMBERS = 4,
	TARGET_NUMBERS = 6,
	NUMBER_TEXT_MAX = 12, /* of a value, and a comma */
	KEY_MAX = 1024,
	PORTION_VALUES = 20000, /* written at once: a millisecond or two */
};
static const uint32_t unknown = UINT32_MAX;

const struct history_span_about history_spans[HISTORY_SPANS] = {
	[HISTORY_MINUTE] = {"minute", 1, 60},
	[HISTORY_HOUR] = {"hour", 10, 360},
	[HISTORY_WEEK] = {"week", 600, 1008},
};

/* How a step's numbers are shown. */
enum history_form {
	FORM_COUNT, /* divided among steps that end together */
	FORM_US,
	FORM_SHARE, /* in thousandths */
};

struct row_kind {
	const char *list;
	const char *texts[HISTORY_TEXTS_MAX];
	unsigned numbers; /* passed in each sample */
	unsigned levels;  /* the last `levels` numbers are no counters: samples are added up */
	unsigned rows_max;
	unsigned columns;
	struct {
		const char *name;
		enum history_form form;
	} column[COLUMNS_MAX];
	void (*make)(const uint64_t *counted, uint32_t *values);
};

struct history_row {
	UT_hash_handle hh; /* found by key, walked in the order of insertion */
	const struct row_kind *kind;
	const char *texts[HISTORY_TEXTS_MAX]; /* in key */
	bool is_there;                        /* now */
	bool was_there[HISTORY_SPANS];        /* in the current step */
	uint64_t *now;                        /* allocated after the key */
	uint64_t *base;
	uint32_t *values;
	char key[]; /* for each text a flag (NULL or not) and the text with its NUL */
};

struct history {
	struct history_row *rows[HISTORY_KINDS];
	struct history_row *other[HISTORY_KINDS]; /* NULL: not needed so far */
	struct {
		uint64_t begin_us; /* of the current step */
		uint32_t slot;     /* its place in the rings */
	} rings[HISTORY_SPANS];
	size_t bytes;
};

/* ---- values from counters ---- */

static uint32_t capped(uint64_t value)
{
	return value < unknown ? (uint32_t)value : unknown - 1;
}

static void make_counts(const uint64_t *counted, uint32_t *values, unsigned count)
{
	for (unsigned i = 0; i < count; i++)
		values[i] = capped(counted[i]);
}

/* The total is the sum of SERVFAIL and other responses, so SERVFAIL never exceeds it, even if the
 * endpoint was removed and made again within a step. */
static void make_endpoint(const uint64_t *counted, uint32_t *values)
{
	uint64_t queries = counted[0], servfail = counted[1], others = counted[2];

	values[0] = capped(queries);
	values[1] = capped(servfail + others);
	values[2] = capped(servfail);
	values[3] = capped(counted[3]);
}

static void make_class(const uint64_t *counted, uint32_t *values)
{
	make_counts(counted, values, 1);
}

static uint32_t quantile(const uint64_t *buckets, double share)
{
	uint64_t us;

	return histogram_quantile_us(buckets, share, &us) ? capped(us) : unknown;
}

static void make_source(const uint64_t *counted, uint32_t *values)
{
	values[0] = capped(counted[0]);
	values[1] = quantile(counted + 1, 0.5);
	values[2] = quantile(counted + 1, 0.99);
}

static void make_target(const uint64_t *counted, uint32_t *values)
{
	uint64_t sum_us = counted[2], timed = counted[3], up = counted[4], looks = counted[5];

	make_counts(counted, values, 2);
	values[2] = looks > 0 ? capped(up * 1000 / looks) : unknown;
	values[3] = timed > 0 ? capped(sum_us / timed) : unknown;
}

static const struct row_kind kinds[HISTORY_KINDS] = {
	[HISTORY_ENDPOINTS] = {"endpoints",
			       {"name"},
			       ENDPOINT_NUMBERS,
			       0,
			       HISTORY_ENDPOINTS_MAX,
			       4,
			       {{"queries", FORM_COUNT},
				{"responses", FORM_COUNT},
				{"servfail", FORM_COUNT},
				{"over_limit", FORM_COUNT}},
			       make_endpoint},
	[HISTORY_SOURCES] = {"sources",
			     {"name"},
			     HISTORY_NUMBERS_MAX,
			     0,
			     SOURCES_MAX,
			     3,
			     {{"responses", FORM_COUNT}, {"p50_us", FORM_US}, {"p99_us", FORM_US}},
			     make_source},
	[HISTORY_CLASSES] = {"classes",
			     {"name", "kind"},
			     1,
			     0,
			     HISTORY_CLASSES_MAX,
			     1,
			     {{"queries", FORM_COUNT}},
			     make_class},
	[HISTORY_TARGETS] = {"targets",
			     {"target", "protocol", "source"},
			     TARGET_NUMBERS,
			     2,
			     HISTORY_TARGETS_MAX,
			     4,
			     {{"queries", FORM_COUNT},
			      {"failures", FORM_COUNT},
			      {"up", FORM_SHARE},
			      {"mean_us", FORM_US}},
			     make_target},
};

/* The bytes of a kind's rows, with `other` and the longest possible names. */
#define ROWS_BYTES(rows, columns, numbers)                                                         \
	((size_t)((rows) + 1) * (sizeof(struct history_row) + KEY_MAX +                            \
				 (1 + HISTORY_SPANS) * (numbers) * sizeof(uint64_t) +              \
				 SLOTS * (columns) * sizeof(uint32_t)))
_Static_assert(ROWS_BYTES(HISTORY_ENDPOINTS_MAX, 4, ENDPOINT_NUMBERS) +
			       ROWS_BYTES(SOURCES_MAX, 3, HISTORY_NUMBERS_MAX) +
			       ROWS_BYTES(HISTORY_CLASSES_MAX, 1, 1) +
			       ROWS_BYTES(HISTORY_TARGETS_MAX, 4, TARGET_NUMBERS) <
		       HISTORY_BYTES_MAX,
	       "the rows keep the bound");

/* ---- rows ---- */

static uint32_t *values_of(const struct history_row *row, enum history_span span, unsigned column)
{
	size_t before = 0;

	for (unsigned i = 0; i < span; i++)
		before += history_spans[i].count;
	return row->values + before * row->kind->columns +
	       (size_t)column * history_spans[span].count;
}

static size_t text_count(const struct row_kind *kind)
{
	size_t count = 0;

	while (count < HISTORY_TEXTS_MAX && kind->texts[count])
		count++;
	return count;
}

/* 0: the key is too long. */
static size_t make_key(char key[KEY_MAX], const struct row_kind *kind, const char *const *texts)
{
	size_t length = 0;

	for (size_t i = 0; i < text_count(kind); i++) {
		const char *text = texts[i] ? texts[i] : "";
		size_t more = strlen(text) + 1;

		if (length + 1 + more > KEY_MAX)
			return 0;
		key[length] = texts[i] ? '=' : '-';
		memcpy(key + length + 1, text, more);
		length += 1 + more;
	}
	return length;
}

/* NULL: out of memory. */
static struct history_row *new_row(struct history *history, const struct row_kind *kind,
				   const char *key, size_t key_length)
{
	size_t numbers_at = (sizeof(struct history_row) + key_length + 7) / 8 * 8;
	size_t values_at = numbers_at + (1 + HISTORY_SPANS) * kind->numbers * sizeof(uint64_t);
	size_t values_bytes = SLOTS * kind->columns * sizeof(uint32_t);
	struct history_row *row = calloc(1, values_at + values_bytes);
	char *at;

	if (!row)
		return NULL;
	row->kind = kind;
	memcpy(row->key, key, key_length);
	at = row->key;
	for (size_t i = 0; i < text_count(kind); i++) {
		row->texts[i] = *at == '=' ? at + 1 : NULL;
		at += strlen(at) + 1;
	}
	row->now = (uint64_t *)(void *)((char *)row + numbers_at);
	row->base = row->now + kind->numbers;
	row->values = (uint32_t *)(void *)((char *)row + values_at);
	memset(row->values, 0xff, values_bytes); /* unknown */
	history->bytes += values_at + values_bytes;
	return row;
}

static struct history_row *other_row(struct history *history, enum history_kind kind)
{
	static const char *const texts[HISTORY_TEXTS_MAX] = {"other"};
	static const char *const of_classes[HISTORY_TEXTS_MAX] = {"other", "other"};
	char key[KEY_MAX];
	size_t length = make_key(key, &kinds[kind], kind == HISTORY_CLASSES ? of_classes : texts);

	if (!history->other[kind])
		history->other[kind] = new_row(history, &kinds[kind], key, length);
	return history->other[kind];
}

/* Its own row, or `other`; NULL: out of memory. */
static struct history_row *find_row(struct history *history, enum history_kind kind,
				    const char *const *texts)
{
	char key[KEY_MAX];
	size_t length = texts ? make_key(key, &kinds[kind], texts) : 0;
	struct history_row *row = NULL;

	if (length > 0)
		HASH_FIND(hh, history->rows[kind], key, length, row);
	if (row)
		return row;
	if (length == 0 || HASH_COUNT(history->rows[kind]) >= kinds[kind].rows_max)
		return other_row(history, kind);
	row = new_row(history, &kinds[kind], key, length);
	if (!row)
		return other_row(history, kind);
	HASH_ADD_KEYPTR(hh, history->rows[kind], row->key, length, row);
	if (row->hh.tbl)
		return row;
	free(row);
	return other_row(history, kind);
}

struct history *history_new(uint64_t now_us)
{
	struct history *history = calloc(1, sizeof *history);

	for (unsigned span = 0; history && span < HISTORY_SPANS; span++)
		history->rings[span].begin_us = now_us;
	return history;
}

void history_free(struct history *history)
{
	struct history_row *row, *next;

	if (!history)
		return;
	for (unsigned kind = 0; kind < HISTORY_KINDS; kind++) {
		HASH_ITER (hh, history->rows[kind], row, next) {
			HASH_DEL(history->rows[kind], row);
			free(row);
		}
		free(history->other[kind]);
	}
	free(history);
}

static void each_row(struct history *history,
		     void (*on_row)(void *context, struct history_row *row), void *context)
{
	for (unsigned kind = 0; kind < HISTORY_KINDS; kind++) {
		for (struct history_row *row = history->rows[kind]; row; row = row->hh.next)
			on_row(context, row);
		if (history->other[kind])
			on_row(context, history->other[kind]);
	}
}

/* ---- a sample ---- */

/* Several objects may share one row, so each sample sums its counters from 0. */
static void begin_row(void *context, struct history_row *row)
{
	(void)context;
	row->is_there = false;
	memset(row->now, 0, (row->kind->numbers - row->kind->levels) * sizeof *row->now);
}

void history_begin(struct history *history)
{
	each_row(history, begin_row, NULL);
}

void history_put(struct history *history, enum history_kind kind, const char *const *texts,
		 bool is_there, const uint64_t *numbers)
{
	struct history_row *row = find_row(history, kind, texts);

	if (!row)
		return;
	row->is_there = row->is_there || is_there;
	for (unsigned span = 0; span < HISTORY_SPANS; span++)
		row->was_there[span] = row->was_there[span] || is_there;
	for (unsigned i = 0; i < kinds[kind].numbers; i++)
		row->now[i] += numbers[i];
}

struct step_end {
	enum history_span span;
	uint32_t slot; /* of the first step that ends */
	uint64_t steps;
};

/* Counts since the step began. A counter that fell was restarted: all of it is new. */
static bool count_step(const struct history_row *row, enum history_span span, uint64_t *counted)
{
	uint64_t *base = row->base + (size_t)span * row->kind->numbers;
	bool any = false;

	for (unsigned i = 0; i < row->kind->numbers; i++) {
		counted[i] = row->now[i] >= base[i] ? row->now[i] - base[i] : row->now[i];
		any = any || counted[i] > 0;
		base[i] = row->now[i];
	}
	return any;
}

/* The first steps get one more each until the remainder is used up. So `servfail` is at most
 * `responses` in every step, as it is in total. */
static uint32_t part_of(uint32_t value, enum history_form form, uint64_t steps, uint64_t step)
{
	if (form != FORM_COUNT || steps == 1 || value == unknown)
		return value;
	return (uint32_t)(value / steps + (step < value % steps));
}

static void end_step(void *context, struct history_row *row)
{
	const struct step_end *end = context;
	const struct row_kind *kind = row->kind;
	uint32_t count = history_spans[end->span].count, values[COLUMNS_MAX];
	uint64_t counted[HISTORY_NUMBERS_MAX], steps = end->steps < count ? end->steps : count;
	bool any = count_step(row, end->span, counted);

	if (any || row->was_there[end->span])
		kind->make(counted, values);
	else
		memset(values, 0xff, sizeof values);
	for (unsigned column = 0; column < kind->columns; column++) {
		uint32_t *ring = values_of(row, end->span, column);

		for (uint64_t i = 0; i < steps; i++)
			ring[(end->slot + i) % count] =
				part_of(values[column], kind->column[column].form, end->steps, i);
	}
	row->was_there[end->span] = row->is_there;
}

void history_end(struct history *history, uint64_t now_us)
{
	for (unsigned span = 0; span < HISTORY_SPANS; span++) {
		uint64_t step_us = history_spans[span].step_s * UINT64_C(1000000);
		uint64_t begin_us = history->rings[span].begin_us;
		uint64_t steps = now_us > begin_us ? (now_us - begin_us) / step_us : 0;
		struct step_end end = {span, history->rings[span].slot, steps};

		if (steps == 0)
			continue;
		each_row(history, end_step, &end);
		history->rings[span].begin_us += steps * step_us;
		history->rings[span].slot =
			(uint32_t)((end.slot + steps) % history_spans[span].count);
	}
}

uint64_t history_next_us(const struct history *history)
{
	return history->rings[HISTORY_MINUTE].begin_us +
	       history_spans[HISTORY_MINUTE].step_s * UINT64_C(1000000);
}

int64_t history_from_us(const struct history *history, enum history_span span)
{
	return (int64_t)history->rings[span].begin_us -
	       (int64_t)history_spans[span].step_s * 1000000 * history_spans[span].count;
}

/* ---- as JSON ---- */

/* Written as text, without a JSON tree: a week of very many rows is megabytes. */
static char *put_value(char *at, uint32_t value, enum history_form form)
{
	char digits[NUMBER_TEXT_MAX];
	int length = 0;

	if (value == unknown) {
		memcpy(at, "null", 4);
		return at + 4;
	}
	if (form == FORM_SHARE && value > 0 && value < 1000)
		return at + snprintf(at, NUMBER_TEXT_MAX, "0.%03u", value);
	if (form == FORM_SHARE)
		value = value > 0;
	do {
		digits[length++] = (char)('0' + value % 10);
		value /= 10;
	} while (value > 0);
	while (length > 0)
		*at++ = digits[--length];
	return at;
}

static void write_values(FILE *out, const struct history *history, const struct history_row *row,
			 enum history_span span, unsigned column)
{
	const uint32_t *ring = values_of(row, span, column);
	uint32_t count = history_spans[span].count, first = history->rings[span].slot;
	char text[1008 * NUMBER_TEXT_MAX], *at = text;

	*text = '\0';
	for (uint32_t i = 0; i < count; i++) {
		if (i > 0)
			*at++ = ',';
		at = put_value(at, ring[(first + i) % count], row->kind->column[column].form);
	}
	fprintf(out, ",\"%s\":[", row->kind->column[column].name);
	fwrite(text, 1, (size_t)(at - text), out);
	fputc(']', out);
}

static void write_row(struct json_writer *json, const struct history *history,
		      const struct history_row *row, enum history_span span)
{
	json_writer_comma(json);
	for (size_t i = 0; i < text_count(row->kind); i++) {
		fprintf(json->out, "%c\"%s\":", i > 0 ? ',' : '{', row->kind->texts[i]);
		json_writer_value(json, json_text(row->texts[i]));
	}
	for (unsigned column = 0; column < row->kind->columns; column++)
		write_values(json->out, history, row, span, column);
	fputc('}', json->out);
}

static bool is_known(const struct history_row *row, enum history_span span)
{
	const uint32_t *ring = values_of(row, span, 0);

	for (uint32_t i = 0; i < history_spans[span].count; i++)
		if (ring[i] != unknown)
			return true;
	return row->is_there;
}

struct history_writer {
	const struct history *history;
	enum history_span span;
	struct json_writer json; /* for all but the numbers, which put_value writes for speed */
	unsigned kind;
	const struct history_row *row; /* the next row; NULL: `other` */
};

/* Returns the number of values written. */
static size_t write_known(struct history_writer *writer, const struct history_row *row)
{
	if (!row || !is_known(row, writer->span))
		return 0;
	write_row(&writer->json, writer->history, row, writer->span);
	return (size_t)row->kind->columns * history_spans[writer->span].count;
}

static void begin_kind(struct history_writer *writer)
{
	writer->row = writer->history->rows[writer->kind];
	fprintf(writer->json.out, ",\"%s\":", kinds[writer->kind].list);
	json_writer_list(&writer->json, "[");
}

/* Writes a row; after a kind's last row the next kind begins. */
static size_t write_next(struct history_writer *writer)
{
	const struct history_row *row = writer->row;
	size_t values;

	if (row) {
		writer->row = row->hh.next;
		return write_known(writer, row);
	}
	values = write_known(writer, writer->history->other[writer->kind]);
	fputc(']', writer->json.out);
	if (++writer->kind < HISTORY_KINDS)
		begin_kind(writer);
	return values;
}

struct history_writer *history_writer_new(const struct history *history, enum history_span span,
					  const char *from)
{
	const struct history_span_about *about = &history_spans[span];
	struct history_writer *writer = calloc(1, sizeof *writer);

	if (!writer)
		return NULL;
	writer->history = history;
	writer->span = span;
	if (!json_writer_begin(&writer->json, ",", JSON_COMPACT)) {
		free(writer);
		return NULL;
	}
	fprintf(writer->json.out, "{\"span\":\"%s\",\"step_s\":%u,\"from\":\"%s\",\"count\":%u",
		about->name, about->step_s, from, about->count);
	begin_kind(writer);
	return writer;
}

bool history_write_on(struct history_writer *writer)
{
	size_t values = 0;

	while (writer->kind < HISTORY_KINDS && values < PORTION_VALUES)
		values += write_next(writer);
	return writer->kind < HISTORY_KINDS;
}

char *history_writer_end(struct history_writer *writer, size_t *length)
{
	char *text;

	if (!writer)
		return NULL;
	fputs("}\n", writer->json.out);
	if (writer->kind != HISTORY_KINDS)
		json_writer_fail(&writer->json);
	text = json_writer_end(&writer->json, length);
	free(writer);
	return text;
}

size_t history_bytes(const struct history *history)
{
	return history->bytes;
}
