/* The number of a name that is neither in use nor shown is given to the next name. Its counts go to
 * `other`, and become the base of the next name's counters: only workers write cells, so these are
 * never reset.
 *
 *     value of a name = the sum of its cells minus its base
 *     other           = counts given to it, plus the values of all names that are not shown */
#include "resolver/series.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <uthash.h>

#include "rules/array.h"

enum { PAGE = 4096 };

struct series_outer {
	UT_hash_handle hh; /* by name, in order */
	size_t references; /* by all its names */
	uint64_t *counted; /* stored after the name: counts of names that began anew or are gone;
			      `width` counters */
	uint64_t *sum;     /* temporary; `width` counters */
	char name[];
};

struct series {
	UT_hash_handle hh;          /* by key */
	struct series_outer *outer; /* NULL: none */
	uint32_t number;
	unsigned references;
	bool shown;
	bool in_other; /* its counts have been shown as part of `other` */
	struct series *next_shown;
	size_t outer_length;
	uint64_t *base; /* stored after the key */
	char key[];     /* outer, NUL, name, NUL */
};

struct series_set {
	unsigned workers, width;
	uint32_t numbers_max;
	size_t bytes;            /* of a worker's cells */
	_Atomic uint64_t *cells; /* all workers' cells; MAP_FAILED: none */
	struct series *by_key;
	struct series_outer *outers;
	struct series **by_number; /* with `room` items; NULL: free */
	size_t room;
	struct series *shown, **last_shown;
	size_t shown_count, count; /* count: names shown or in use */
	uint32_t next;             /* the first number that was never used */
	uint32_t *free;            /* numbers that were given back */
	size_t free_count, free_room;
	bool has_other;
	void (*read)(void *context, uint32_t number, uint64_t *counters); /* NULL: from cells */
	void *context;
	uint64_t *other, *sum; /* `width` counters each; sum is temporary */
};

/* ---- numbers ---- */

/* 0: no number is left. */
static uint32_t take_number(struct series_set *set)
{
	if (set->free_count > 0)
		return set->free[--set->free_count];
	if (set->next == set->numbers_max)
		return 0;
	struct series **grown = array_grow(set->by_number, set->next, &set->room, sizeof(*grown));

	if (!grown)
		return 0;
	set->by_number = grown;
	set->by_number[set->next] = NULL;
	return set->next++;
}

/* Without memory for the list the number is not used again. */
static void give_number(struct series_set *set, uint32_t number)
{
	uint32_t *grown = array_grow(set->free, set->free_count, &set->free_room, sizeof *grown);

	if (!grown)
		return;
	set->free = grown;
	set->free[set->free_count++] = number;
}

/* ---- counters ---- */

static const _Atomic uint64_t *cell_of(const struct series_set *set, unsigned worker,
				       uint32_t number)
{
	return series_cells(set, worker) + (size_t)number * set->width;
}

static void sum_cells(const struct series_set *set, uint32_t number, uint64_t *sum)
{
	memset(sum, 0, set->width * sizeof *sum);
	if (set->read) {
		if (number)
			set->read(set->context, number, sum);
		return;
	}
	for (unsigned w = 0; w < set->workers; w++) {
		const _Atomic uint64_t *cell = cell_of(set, w, number);

		for (unsigned i = 0; i < set->width; i++)
			sum[i] += COUNTER_GET(cell[i]);
	}
}

static void read_values(const struct series_set *set, const struct series *series, uint64_t *values)
{
	sum_cells(set, series->number, values);
	for (unsigned i = 0; i < set->width; i++)
		values[i] -= series->base[i];
}

/* Adds its counts to `other`; the name starts at zero. */
static void give_to_other(struct series_set *set, struct series *series)
{
	sum_cells(set, series->number, set->sum);
	for (unsigned i = 0; i < set->width; i++) {
		uint64_t counted = set->sum[i] - series->base[i];

		if (series->outer)
			series->outer->counted[i] += counted;
		set->other[i] += counted;
		set->has_other = set->has_other || set->sum[i] != series->base[i];
		series->base[i] = set->sum[i];
	}
}

/* ---- names ---- */

/* Pages cost memory only once they are written. NULL for no bytes. */
static _Atomic uint64_t *map_cells(size_t bytes)
{
	if (bytes == 0)
		return NULL;
	return mmap(NULL, bytes, PROT_READ | PROT_WRITE,
		    MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
}

struct series_set *series_set_new(unsigned workers, unsigned width, uint32_t numbers_max)
{
	struct series_set *set = calloc(1, sizeof *set);

	if (!set)
		return NULL;
	set->workers = workers;
	set->width = width;
	set->numbers_max = numbers_max;
	set->last_shown = &set->shown;
	set->bytes = (size_t)numbers_max * width * sizeof *set->cells;
	set->bytes = (set->bytes + PAGE - 1) / PAGE * PAGE;
	set->cells = map_cells(workers * set->bytes);
	set->other = calloc(width, sizeof *set->other);
	set->sum = calloc(width, sizeof *set->sum);
	if (set->cells != MAP_FAILED && set->other && set->sum && take_number(set) == 0)
		return set;
	series_set_free(set);
	return NULL;
}

void series_set_read(struct series_set *set,
		     void (*read)(void *context, uint32_t number, uint64_t *counters),
		     void *context)
{
	set->read = read;
	set->context = context;
}

void series_set_free(struct series_set *set)
{
	struct series_outer *outer, *next_outer;
	struct series *series, *next;

	if (!set)
		return;
	HASH_ITER (hh, set->outers, outer, next_outer) {
		HASH_DEL(set->outers, outer);
		free(outer);
	}
	HASH_ITER (hh, set->by_key, series, next) {
		HASH_DEL(set->by_key, series);
		free(series);
	}
	if (set->cells && set->cells != MAP_FAILED)
		munmap(set->cells, set->workers * set->bytes);
	free(set->by_number);
	free(set->free);
	free(set->other);
	free(set->sum);
	free(set);
}

static size_t aligned(size_t bytes)
{
	return (bytes + sizeof(uint64_t) - 1) / sizeof(uint64_t) * sizeof(uint64_t);
}

static struct series_outer *find_outer(struct series_set *set, const char *name)
{
	struct series_outer *outer;
	size_t values = set->width * sizeof(uint64_t), at;

	HASH_FIND_STR(set->outers, name, outer);
	if (outer)
		return outer;
	if (HASH_COUNT(set->outers) >= SERIES_OUTERS_MAX && strcmp(name, SERIES_OTHER) != 0)
		return find_outer(set, SERIES_OTHER);
	at = aligned(offsetof(struct series_outer, name) + strlen(name) + 1);
	outer = calloc(1, at + 2 * values);
	if (!outer)
		return NULL;
	memcpy(outer->name, name, strlen(name) + 1);
	outer->counted = (uint64_t *)(void *)((char *)outer + at);
	outer->sum = outer->counted + set->width;
	HASH_ADD_STR(set->outers, name, outer);
	if (outer->hh.tbl)
		return outer;
	free(outer);
	return NULL;
}

static struct series *new_series(struct series_set *set, const char *key, size_t key_length,
				 size_t outer_length)
{
	size_t base_at = aligned(offsetof(struct series, key) + key_length);
	struct series *series = calloc(1, base_at + set->width * sizeof *series->base);

	if (!series)
		return NULL;
	memcpy(series->key, key, key_length);
	series->outer_length = outer_length;
	series->outer = outer_length > 0 ? find_outer(set, series->key) : NULL;
	series->base = (uint64_t *)(void *)((char *)series + base_at);
	series->number = take_number(set);
	if (series->number) {
		HASH_ADD_KEYPTR(hh, set->by_key, series->key, key_length, series);
		if (series->hh.tbl) {
			sum_cells(set, series->number, series->base);
			set->by_number[series->number] = series;
			set->count++;
			return series;
		}
		give_number(set, series->number);
	}
	free(series);
	return NULL;
}

/* Names from the schema have at most 255 bytes. */
struct series_key {
	char text[640]; /* outer, NUL, name, NUL */
	size_t outer_length, length;
};

/* False: the key is that of `other`, or too long. */
static bool make_key(struct series_key *key, const char *outer, const char *name)
{
	key->outer_length = strlen(outer);
	key->length = key->outer_length + strlen(name) + 2;
	if (key->length > sizeof key->text || (!*outer && strcmp(name, SERIES_OTHER) == 0))
		return false;
	memcpy(key->text, outer, key->outer_length + 1);
	memcpy(key->text + key->outer_length + 1, name, key->length - key->outer_length - 1);
	return true;
}

uint32_t series_acquire(struct series_set *set, const char *outer, const char *name)
{
	struct series_key key;
	struct series *series;

	if (!make_key(&key, outer, name))
		return 0;
	HASH_FIND(hh, set->by_key, key.text, key.length, series);
	if (!series)
		series = new_series(set, key.text, key.length, key.outer_length);
	if (!series)
		return 0;
	series->references++;
	if (series->outer)
		series->outer->references++;
	return series->number;
}

uint32_t series_find(const struct series_set *set, const char *outer, const char *name)
{
	struct series_key key;
	const struct series *series;

	if (!make_key(&key, outer, name))
		return 0;
	HASH_FIND(hh, set->by_key, key.text, key.length, series);
	return series ? series->number : 0;
}

void series_read(struct series_set *set, uint32_t number, uint64_t *counters)
{
	if (number && set->by_number[number])
		read_values(set, set->by_number[number], counters);
	else
		memset(counters, 0, set->width * sizeof *counters);
}

bool series_release(struct series_set *set, uint32_t number)
{
	struct series *series = number ? set->by_number[number] : NULL;

	if (!series) /* the number of `other` */
		return false;
	assert(series->references > 0);
	if (series->outer)
		series->outer->references--;
	if (--series->references > 0 || series->shown)
		return false;
	give_to_other(set, series);
	set->by_number[number] = NULL;
	give_number(set, number);
	set->count--;
	HASH_DEL(set->by_key, series);
	free(series);
	return true;
}

_Atomic uint64_t *series_cells(const struct series_set *set, unsigned worker)
{
	return set->cells + worker * (set->bytes / sizeof *set->cells);
}

/* ---- shown names ---- */

static void show(struct series_set *set, struct series *series)
{
	if (series->in_other)
		give_to_other(set, series);
	series->shown = true;
	series->next_shown = NULL;
	*set->last_shown = series;
	set->last_shown = &series->next_shown;
	set->shown_count++;
}

struct series_value {
	struct series *series;
	uint64_t value;
};

static int greatest_first(const void *left, const void *right)
{
	const struct series_value *a = left, *b = right;

	if (a->value != b->value)
		return a->value > b->value ? -1 : 1;
	return a->series->number < b->series->number ? -1 : 1;
}

/* Without memory for the candidates, the next look does it. */
static void show_greatest(struct series_set *set, size_t room)
{
	size_t unshown = set->count - set->shown_count, count = 0;
	struct series_value *candidates = calloc(unshown, sizeof *candidates);

	for (uint32_t i = 1; candidates && i < set->next; i++) {
		struct series *series = set->by_number[i];

		if (!series || series->shown)
			continue;
		read_values(set, series, set->sum);
		candidates[count].series = series;
		candidates[count].value = set->sum[0];
		count += set->sum[0] > 0;
	}
	if (count > 0)
		qsort(candidates, count, sizeof *candidates, greatest_first);
	for (size_t i = 0; i < count && i < room; i++)
		show(set, candidates[i].series);
	free(candidates);
}

void series_show(struct series_set *set, uint32_t max)
{
	if (set->count == set->shown_count || set->shown_count >= max)
		return;
	if (set->count > max) {
		show_greatest(set, max - set->shown_count);
		return;
	}
	for (uint32_t i = 1; i < set->next; i++)
		if (set->by_number[i] && !set->by_number[i]->shown)
			show(set, set->by_number[i]);
}

bool series_is_shown(const struct series_set *set, uint32_t number)
{
	return number && set->by_number[number] && set->by_number[number]->shown;
}

bool series_is_had(const struct series_set *set, const char *outer, const char *name)
{
	const struct series_outer *any = NULL;
	uint32_t number;

	if (!name) {
		HASH_FIND_STR(set->outers, outer, any);
		return any && any->references > 0;
	}
	number = series_find(set, outer, name);
	return number && set->by_number[number]->references > 0;
}

/* `other` includes each name that is not shown. */
static void tell_other(struct series_set *set,
		       void (*on_series)(void *context, const char *outer, const char *name,
					 const uint64_t *counters),
		       void *context)
{
	uint64_t *all = calloc(set->width, sizeof *all);

	if (!all)
		return;
	sum_cells(set, 0, all);
	for (unsigned i = 0; i < set->width; i++) {
		set->has_other = set->has_other || all[i] > 0;
		all[i] += set->other[i];
	}
	for (uint32_t n = 1; n < set->next && set->count > set->shown_count; n++) {
		struct series *series = set->by_number[n];

		if (!series || series->shown)
			continue;
		set->has_other = series->in_other = true;
		read_values(set, series, set->sum);
		for (unsigned i = 0; i < set->width; i++)
			all[i] += set->sum[i];
	}
	if (set->has_other)
		on_series(context, NULL, NULL, all);
	free(all);
}

void series_each(struct series_set *set,
		 void (*on_series)(void *context, const char *outer, const char *name,
				   const uint64_t *counters),
		 void *context)
{
	for (const struct series *at = set->shown; at; at = at->next_shown) {
		read_values(set, at, set->sum);
		on_series(context, at->key, at->key + at->outer_length + 1, set->sum);
	}
	tell_other(set, on_series, context);
}

void series_each_outer(struct series_set *set,
		       void (*on_outer)(void *context, const char *outer, const uint64_t *counters),
		       void *context)
{
	for (struct series_outer *at = set->outers; at; at = at->hh.next)
		memcpy(at->sum, at->counted, set->width * sizeof *at->sum);
	for (uint32_t n = 1; n < set->next; n++) {
		const struct series *series = set->by_number[n];

		if (!series || !series->outer)
			continue;
		read_values(set, series, set->sum);
		for (unsigned i = 0; i < set->width; i++)
			series->outer->sum[i] += set->sum[i];
	}
	for (const struct series_outer *at = set->outers; at; at = at->hh.next)
		on_outer(context, at->name, at->sum);
}

void series_total(const struct series_set *set, _Atomic uint64_t *counters)
{
	for (unsigned w = 0; w < set->workers; w++) {
		for (uint32_t n = 0; n < set->next; n++) {
			const _Atomic uint64_t *cell = cell_of(set, w, n);

			for (unsigned i = 0; i < set->width; i++)
				COUNTER_ADD(counters[i], COUNTER_GET(cell[i]));
		}
	}
}

size_t series_unshown(const struct series_set *set)
{
	return set->count - set->shown_count;
}
