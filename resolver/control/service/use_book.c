/* An entry in memory for each rule and target, beside its row in the state:
 *
 *     see ─► unknown: make it, and read its row ─► has its counter moved? used now
 *         └► is its row due? written with the others of this step, in one transaction
 *
 * A row that cannot be read now, because another thread has the store or the disk fails, is read by
 * a later look, and merged with the entry. */
#include "resolver/control/service/use_book.h"

#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <uthash.h>

#include "resolver/control/service/asked.h"
#include "resolver/control/service/logouts.h"
#include "resolver/control/store/pairs.h"
#include "resolver/log.h"
#include "resolver/resolve/resolve.h"
#include "rules/array.h"

enum { KEY_MAX = 600, AGAIN_MS = 10 * 1000, SWEEP_ROWS = 256 };

struct use_entry {
	UT_hash_handle hh;
	int64_t since_s, used_s;
	int64_t written_since_s, written_used_s; /* in the state; since 0: no row */
	uint64_t counted;
	uint64_t look; /* the last look that saw it */
	bool read;     /* the row in the state was read */
	char key[];
};

/* ---- the walk ---- */

bool use_walk_step(struct use_walk *walk, const struct snapshot *snapshot,
		   const struct use_walker *walker)
{
	const struct served_targets *served = &snapshot->targets->served;
	const struct policy *policy = snapshot->policy;
	unsigned left = USE_WALK_STEP;

	if (!walk->began)
		walk->generation = snapshot->generation;
	walk->began = true;
	walk->moved = walk->moved || walk->generation != snapshot->generation;
	for (; walk->target < served->count; walk->target++) {
		const struct served_target *target = &served->items[walk->target];

		if (left-- == 0)
			return true;
		if (!target->rule || target->rule->enabled)
			walker->on_target(walker->context, target);
	}
	while (walk->ruleset < policy->ruleset_count) {
		struct ruleset *ruleset = policy->rulesets[walk->ruleset];

		for (; walk->rule < ruleset_rule_count(ruleset); walk->rule++) {
			const struct rule *rule = ruleset_rule(ruleset, walk->rule);

			if (left-- == 0)
				return true;
			if (rule->name && rule->enabled)
				walker->on_rule(walker->context, rule);
		}
		walk->ruleset++;
		walk->rule = 0;
	}
	return false;
}

/* ---- entries ---- */

static struct use_entry *find_entry(const struct use_book *book, const char *key)
{
	struct use_entry *entry;

	HASH_FIND_STR(book->entries, key, entry);
	return entry;
}

static struct use_entry *add_entry(struct use_book *book, const char *key, int64_t now_s)
{
	size_t length = strlen(key) + 1;
	struct use_entry *entry = calloc(1, sizeof *entry + length);

	if (!entry)
		return NULL;
	memcpy(entry->key, key, length);
	entry->since_s = now_s;
	HASH_ADD_STR(book->entries, key, entry);
	if (entry->hh.tbl)
		return entry;
	free(entry);
	return NULL;
}

static void forget_entry(struct use_book *book, struct use_entry *entry)
{
	HASH_DEL(book->entries, entry);
	free(entry);
}

static void read_row(struct use_book *book, struct use_entry *entry)
{
	struct pairs_use row = {.what = entry->key};
	char error[SOURCE_ERROR_MAX];

	if (book->store->held || pairs_read_uses(book->store->source, &row, 1, error) != 0)
		return;
	entry->read = true;
	if (!row.found)
		return;
	entry->written_since_s = row.since_s;
	entry->written_used_s = row.used_s;
	if (row.since_s > 0 && row.since_s < entry->since_s)
		entry->since_s = row.since_s;
	if (row.used_s > entry->used_s)
		entry->used_s = row.used_s;
}

/* If the clock was set back, times in the future become now. */
static void keep_past(struct use_entry *entry, int64_t now_s)
{
	if (entry->since_s > now_s)
		entry->since_s = now_s;
	if (entry->used_s > now_s)
		entry->used_s = now_s;
}

/* Updates the entry of a rule or target. A counter that has fallen has started anew, so any
 * value but 0 is a use. */
static struct use_entry *see(struct use_book *book, const char *key, uint64_t counted,
			     int64_t now_s)
{
	struct use_entry *entry = find_entry(book, key);

	if (!entry)
		entry = add_entry(book, key, now_s);
	if (!entry)
		return NULL;
	if (!entry->read)
		read_row(book, entry);
	keep_past(entry, now_s);
	if (counted != entry->counted && counted > 0)
		entry->used_s = now_s;
	entry->counted = counted;
	return entry;
}

static struct use_entry *see_rule(struct use_book *book, const struct rule *rule, int64_t now_s)
{
	uint64_t counters[RULE_COUNTERS];
	char key[KEY_MAX];

	if (!rule->series)
		return NULL;
	snprintf(key, sizeof key, "rule %s\t%s", rule->ruleset, rule->name);
	series_read(book->server->series.rules, rule->series, counters);
	return see(book, key, counters[RULE_QUERIES], now_s);
}

static struct use_entry *see_target(struct use_book *book, const struct target *target,
				    int64_t now_s)
{
	char key[KEY_MAX], source[ADDRESS_TEXT_MAX], host[HOST_TEXT_MAX];

	snprintf(key, sizeof key, "target %s %s\t%s",
		 target->protocol == PROTOCOL_TCP ? "tcp" : "udp",
		 target->source.family ? address_print(&target->source, source) : "",
		 host_print(&target->host, host));
	return see(book, key, COUNTER_GET(target->asked), now_s);
}

static bool give_times(const struct use_entry *entry, struct use_times *times)
{
	if (entry)
		*times = (struct use_times){entry->since_s, entry->used_s};
	return entry;
}

bool use_book_rule(struct use_book *book, const struct rule *rule, int64_t now_s,
		   struct use_times *times)
{
	return give_times(see_rule(book, rule, now_s), times);
}

bool use_book_target(struct use_book *book, const struct target *target, int64_t now_s,
		     struct use_times *times)
{
	return give_times(see_target(book, target, now_s), times);
}

/* ---- writing ---- */

static bool is_due(const struct use_entry *entry)
{
	return entry->read &&
	       (entry->written_since_s == 0 || entry->written_since_s > entry->since_s ||
		entry->written_used_s > entry->used_s ||
		(entry->used_s > 0 && entry->written_used_s == 0) ||
		entry->used_s - entry->written_used_s >= USE_GRAIN_S);
}

static void note_write(struct use_book *book, int err, const char *error)
{
	if (err && err != ERR_NOT_FOUND && !book->failed)
		log_event(LOG_WARNING, "report",
			  "when rules and targets were used last cannot be saved in the state; "
			  "after a restart it is not known: %s",
			  error);
	book->failed = err && err != ERR_NOT_FOUND;
	if (!err && book->on_written)
		book->on_written(book->context);
}

static int write_rows(struct use_book *book, struct pairs_use *rows, size_t count)
{
	char error[SOURCE_ERROR_MAX];
	int err;

	if (count == 0)
		return 0;
	err = pairs_write_uses(book->store->source, rows, count, error);
	note_write(book, err, error);
	return err;
}

static void write_due(struct use_book *book)
{
	struct pairs_use *rows = calloc(book->due_count + 1, sizeof *rows);

	for (size_t i = 0; rows && i < book->due_count; i++)
		rows[i] = (struct pairs_use){.what = book->due[i]->key,
					     .since_s = book->due[i]->since_s,
					     .used_s = book->due[i]->used_s};
	if (rows && write_rows(book, rows, book->due_count) == 0)
		for (size_t i = 0; i < book->due_count; i++) {
			book->due[i]->written_since_s = book->due[i]->since_s;
			book->due[i]->written_used_s = book->due[i]->used_s;
		}
	book->due_count = 0;
	free(rows);
}

/* Without memory the entry waits for a later look. */
static void note_due(struct use_book *book, struct use_entry *entry)
{
	struct use_entry **grown =
		array_grow(book->due, book->due_count, &book->due_room, sizeof(*grown));

	if (!grown)
		return;
	book->due = grown;
	book->due[book->due_count++] = entry;
}

/* ---- looks ---- */

static void look_at(struct use_book *book, struct use_entry *entry)
{
	if (!entry || entry->look == book->look)
		return;
	entry->look = book->look;
	book->seen++;
	if (is_due(entry))
		note_due(book, entry);
}

static void look_at_rule(void *context, const struct rule *rule)
{
	struct use_book *book = context;

	look_at(book, see_rule(book, rule, book->now_s));
}

static void look_at_target(void *context, const struct served_target *target)
{
	struct use_book *book = context;

	look_at(book, see_target(book, target->upstream->target, book->now_s));
}

/* Forgets some entries that the look has not seen. True: there are more. If the state cannot be
 * written, they stay for a later look. */
static bool forget_some(struct use_book *book)
{
	struct use_entry *gone[SWEEP_ROWS], *entry, *next;
	struct pairs_use rows[SWEEP_ROWS];
	size_t count = 0, written = 0;

	if (book->seen == HASH_COUNT(book->entries))
		return false;
	HASH_ITER (hh, book->entries, entry, next) {
		if (entry->look == book->look)
			continue;
		gone[count++] = entry;
		if (entry->written_since_s != 0)
			rows[written++] = (struct pairs_use){.what = entry->key};
		if (count == SWEEP_ROWS)
			break;
	}
	if (write_rows(book, rows, written) != 0)
		return false;
	for (size_t i = 0; i < count; i++)
		forget_entry(book, gone[i]);
	return count == SWEEP_ROWS;
}

struct sweep { /* a portion of the state's rows */
	struct use_book *book;
	char *gone[SWEEP_ROWS], *last;
	size_t count, gone_count;
};

static int on_row(void *context, const struct pairs_use *use)
{
	struct sweep *sweep = context;

	free(sweep->last);
	sweep->last = strdup(use->what);
	sweep->count++;
	if (!asked_is_row(use->what) && !logouts_counts(use, sweep->book->now_s) &&
	    !find_entry(sweep->book, use->what)) {
		sweep->gone[sweep->gone_count] = strdup(use->what);
		sweep->gone_count += sweep->gone[sweep->gone_count] != NULL;
	}
	return sweep->last ? 0 : ERR_NOMEM;
}

/* Deletes rows of items that were gone before this process. False: done, or not possible now. */
static bool sweep_some(struct use_book *book)
{
	struct pairs_use rows[SWEEP_ROWS];
	struct sweep sweep = {.book = book};
	char error[SOURCE_ERROR_MAX];
	int err = pairs_uses_after(book->store->source, book->sweep ? book->sweep : "", SWEEP_ROWS,
				   on_row, &sweep, error);

	for (size_t i = 0; i < sweep.gone_count; i++)
		rows[i] = (struct pairs_use){.what = sweep.gone[i]};
	if (!err)
		err = write_rows(book, rows, sweep.gone_count);
	for (size_t i = 0; i < sweep.gone_count; i++)
		free(sweep.gone[i]);
	free(book->sweep);
	book->sweep = sweep.last;
	book->swept = !err && sweep.count < SWEEP_ROWS;
	return !err && !book->swept;
}

static void begin_look(struct use_book *book, int64_t now_s)
{
	book->walk = (struct use_walk){0};
	book->look++;
	book->seen = 0;
	book->now_s = now_s;
	book->due_count = 0;
	free(book->sweep);
	book->sweep = NULL;
}

/* False: the look is complete, or given up until later. */
static bool look_on(struct use_book *book)
{
	const struct snapshot *snapshot = book->server->current;
	const struct use_walker walker = {look_at_target, look_at_rule, book};
	bool more;

	if (!snapshot || book->handed_over || book->store->held)
		return false;
	if (book->sweep)
		return sweep_some(book);
	more = use_walk_step(&book->walk, snapshot, &walker);
	write_due(book);
	if (more || book->walk.moved)
		return more;
	return forget_some(book) || (!book->swept && sweep_some(book));
}

static bool on_portion(void *job)
{
	return look_on(job);
}

static void on_timer(uv_timer_t *timer);

static void on_looked(void *job)
{
	struct use_book *book = job;

	book->looking = false;
	if (!book->job.given_up)
		uv_timer_start(&book->timer, on_timer, book->store->held ? AGAIN_MS : USE_LOOK_MS,
			       0);
}

static void on_timer(uv_timer_t *timer)
{
	struct use_book *book = timer->data;

	if (book->handed_over || book->looking)
		return;
	begin_look(book, time(NULL));
	book->looking = work_beside_in_portions(book->work, &book->job, on_portion, on_looked);
}

/* A look under way starts over here, and runs to its end. */
void use_book_rest(struct use_book *book, int64_t now_s)
{
	if (!book->server || book->handed_over)
		return;
	begin_look(book, now_s);
	while (look_on(book))
		;
}

void use_book_hand_over(struct use_book *book)
{
	use_book_rest(book, time(NULL));
	uv_timer_stop(&book->timer);
	book->handed_over = true;
}

static void forget_all(struct use_book *book)
{
	struct use_entry *entry, *next;

	HASH_ITER (hh, book->entries, entry, next)
		forget_entry(book, entry);
	book->due_count = 0;
}

void use_book_take(struct use_book *book)
{
	forget_all(book);
	book->handed_over = book->swept = false;
	uv_timer_start(&book->timer, on_timer, USE_FIRST_MS, 0);
}

/* ---- opening and closing ---- */

int use_book_open(struct use_book *book, uv_loop_t *loop, struct store *store,
		  const struct server *server, struct work *work, void (*on_written)(void *context),
		  void *context)
{
	if (uv_timer_init(loop, &book->timer) != 0)
		return ERR_SYSTEM;
	book->timer.data = book;
	book->store = store;
	book->server = server;
	book->work = work;
	book->on_written = on_written;
	book->context = context;
	uv_timer_start(&book->timer, on_timer, USE_FIRST_MS, 0);
	return 0;
}

void use_book_release(struct use_book *book)
{
	forget_all(book);
	free(book->due);
	free(book->sweep);
}
