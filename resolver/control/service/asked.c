/* Questions are collected with copies of the names, sorted so that equal questions of several
 * workers and half days are adjacent, added up, and sorted by count.
 *
 * Half days begin at noon and midnight UTC, whenever the server was started, so that the state
 * has at most three rows of a question. A row of an earlier process is dropped a day after its
 * half day began; a row of this process, when no worker keeps its count any more (popular.h). */
#include "resolver/control/service/asked.h"

#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <uthash.h>

#include "resolver/control/store/pairs.h"
#include "resolver/log.h"
#include "rules/array.h"

enum {
	DAY_S = 2 * ASKED_HALF_S,
	FIRST_MS = 10,
	AGAIN_MS = 10 * 1000,
	GRAIN = 8, /* a row is written if at least 1/GRAIN of its count is new */
	KEY_MAX = NAME_TEXT_MAX + 400,
};

struct asked_row {
	UT_hash_handle hh;
	int64_t half_s;
	uint64_t count; /* in the state */
	bool wanted;    /* by the look under way */
	char key[];
};

/* ---- the list ---- */

static void add(struct asked_list *all, const struct popular_question *question,
		const uint8_t *name, size_t length, int64_t half_s)
{
	uint8_t *wire = arena_alloc_bytes(&all->arena, length);
	struct asked *items = array_grow(all->items, all->count, &all->room, sizeof *items);

	if (items)
		all->items = items;
	if (!items || !wire) {
		all->failed = true;
		return;
	}
	memcpy(wire, name, length);
	items[all->count++] = (struct asked){*question, wire, length, half_s};
}

struct asked_walk {
	struct asked_list *all;
	uint64_t now_us;
	int64_t now_s;
};

static void gather(void *context, const struct popular_question *question)
{
	const struct asked_walk *walk = context;
	int64_t began_s = walk->now_s - (int64_t)((walk->now_us - question->began_us) / 1000000);

	add(walk->all, question, question->key.name->wire, question->key.name->length,
	    began_s - began_s % ASKED_HALF_S);
}

static int by_question(const void *left, const void *right)
{
	const struct asked *a = left, *b = right;
	const struct popular_key *x = &a->question.key, *y = &b->question.key;
	int order = memcmp(a->wire, b->wire, a->length < b->length ? a->length : b->length);

	if (order == 0)
		order = (a->length > b->length) - (a->length < b->length);
	if (order == 0)
		order = (x->type > y->type) - (x->type < y->type);
	if (order == 0)
		order = (x->network > y->network) - (x->network < y->network);
	if (order == 0)
		order = (int)x->vnet_resolver - (int)y->vnet_resolver;
	return order ? order : (a->half_s > b->half_s) - (a->half_s < b->half_s);
}

/* Equal counts are ordered by the question, so that every call gives the same order. */
static int by_count(const void *left, const void *right)
{
	const struct asked *a = left, *b = right;

	if (a->question.count != b->question.count)
		return a->question.count > b->question.count ? -1 : 1;
	return by_question(left, right);
}

static void add_up(struct asked_list *all)
{
	size_t count = 0;

	if (all->count > 0)
		qsort(all->items, all->count, sizeof *all->items, by_question);
	for (size_t i = 0; i < all->count; i++) {
		struct asked *last = count > 0 ? &all->items[count - 1] : NULL;

		if (last && by_question(last, &all->items[i]) == 0) {
			last->question.count += all->items[i].question.count;
			last->question.over += all->items[i].question.over;
		} else {
			all->items[count++] = all->items[i];
		}
	}
	all->count = count;
	if (count > 0)
		qsort(all->items, count, sizeof *all->items, by_count);
}

static void begin(struct asked_list *list)
{
	*list = (struct asked_list){.room = 0};
	arena_init(&list->arena);
}

/* Collects the questions of all workers and of earlier processes, by half day. */
static void gather_all(struct asked_list *list, struct asked_book *book)
{
	struct asked_walk walk = {list, uv_hrtime() / 1000, time(NULL)};

	begin(list);
	server_each_popular(book->server, gather, &walk);
	pthread_mutex_lock(&book->lock);
	for (size_t i = 0; i < book->earlier.count; i++) {
		const struct asked *item = &book->earlier.items[i];

		if (walk.now_s - item->half_s < DAY_S &&
		    item->half_s <= walk.now_s) /* later ones: the clock was set back */
			add(list, &item->question, item->wire, item->length, item->half_s);
	}
	pthread_mutex_unlock(&book->lock);
}

int asked_read(struct asked_list *list, struct asked_book *book)
{
	gather_all(list, book);
	for (size_t i = 0; i < list->count; i++)
		list->items[i].half_s = 0;
	add_up(list);
	return list->failed ? ERR_NOMEM : 0;
}

void asked_release(struct asked_list *list)
{
	free(list->items);
	arena_release(&list->arena);
}

/* The index of the network with this id; NETWORK_NONE: it is no longer served. */
static uint32_t network_of(const struct policy *policy, uint16_t id)
{
	if (id == 0)
		return NETWORK_NONE;
	for (uint32_t i = 0; i < policy->network_count; i++)
		if (policy->networks[i].id == id)
			return i;
	return NETWORK_NONE;
}

bool asked_place(const struct asked *asked, const struct policy *policy, struct place *place)
{
	*place = (struct place){network_of(policy, asked->question.key.network),
				asked->question.key.vnet_resolver};
	return place->network != NETWORK_NONE;
}

bool asked_name(const struct asked *asked, const struct policy *policy, struct name *name)
{
	return name_from_wire(name, &policy->key, asked->wire, asked->length, 0, NULL) == 0;
}

/* ---- keys of rows: "name", half day, resolver, type, network and name, with tabs between ---- */

#define PREFIX "name\t"

bool asked_is_row(const char *key)
{
	return strncmp(key, PREFIX, sizeof PREFIX - 1) == 0;
}

/* False: the question's network is no longer served, or the key would be too long. */
static bool print_key(const struct asked *asked, const struct policy *policy, char key[KEY_MAX])
{
	char text[NAME_TEXT_MAX];
	struct place place;

	if (!asked_place(asked, policy, &place))
		return false;
	int length = snprintf(key, KEY_MAX, PREFIX "%lld\t%c\t%u\t%s\t%s", (long long)asked->half_s,
			      place.vnet_resolver ? 'v' : 'i', asked->question.key.type,
			      policy->networks[place.network].name,
			      name_wire_to_text(asked->wire, text));
	return length > 0 && length < KEY_MAX;
}

static uint16_t id_of(const struct policy *policy, const char *network, size_t length)
{
	for (uint32_t i = 0; i < policy->network_count; i++)
		if (strncmp(policy->networks[i].name, network, length) == 0 &&
		    policy->networks[i].name[length] == '\0')
			return policy->networks[i].id;
	return 0;
}

/* Adds the question of a row's key, if its network is still served. */
static void read_key(struct asked_list *list, const struct policy *policy, const char *key,
		     int64_t half_s, uint64_t count)
{
	struct popular_question question = {.count = count};
	struct name name;
	unsigned type;
	char place;
	int at = 0;

	if (sscanf(key, PREFIX "%*d\t%c\t%u\t%n", &place, &type, &at) != 2 || at == 0)
		return;
	const char *network = key + at, *text = strchr(network, '\t');
	if (!text || type > UINT16_MAX || name_from_text(&name, &policy->key, text + 1) != 0)
		return;
	question.key =
		(struct popular_key){.type = (uint16_t)type,
				     .network = id_of(policy, network, (size_t)(text - network)),
				     .vnet_resolver = place == 'v'};
	if (question.key.network != 0)
		add(list, &question, name.wire, name.length, half_s);
}

/* ---- rows ---- */

static struct asked_row *note_row(struct asked_book *book, const char *key, int64_t half_s,
				  uint64_t count)
{
	size_t length = strlen(key) + 1;
	struct asked_row *row;

	HASH_FIND_STR(book->rows, key, row);
	if (row)
		return row;
	row = calloc(1, sizeof *row + length);
	if (!row)
		return NULL;
	memcpy(row->key, key, length);
	row->half_s = half_s;
	row->count = count;
	HASH_ADD_STR(book->rows, key, row);
	if (row->hh.tbl)
		return row;
	free(row);
	return NULL;
}

static void forget_row(struct asked_book *book, struct asked_row *row)
{
	HASH_DEL(book->rows, row);
	free(row);
}

static void forget_all(struct asked_book *book)
{
	struct asked_row *row, *next;

	HASH_ITER (hh, book->rows, row, next)
		forget_row(book, row);
	pthread_mutex_lock(&book->lock);
	asked_release(&book->earlier);
	begin(&book->earlier);
	pthread_mutex_unlock(&book->lock);
}

static int on_row(void *context, const struct pairs_use *use)
{
	struct asked_book *book = context;

	if (!asked_is_row(use->what))
		return ERR_LIMIT; /* after the last row */
	if (!note_row(book, use->what, use->since_s, (uint64_t)use->used_s))
		return ERR_NOMEM;
	read_key(&book->earlier, book->server->current->policy, use->what, use->since_s,
		 (uint64_t)use->used_s);
	return 0;
}

/* False: the rows cannot be read now. */
static bool load(struct asked_book *book)
{
	char error[SOURCE_ERROR_MAX];

	if (book->loaded)
		return true;
	pthread_mutex_lock(&book->lock);
	int err =
		pairs_uses_after(book->store->source, PREFIX, 2 * ASKED_ROWS, on_row, book, error);
	pthread_mutex_unlock(&book->lock);
	book->loaded = err == 0 || err == ERR_LIMIT || err == ERR_NOT_FOUND;
	if (!book->loaded)
		forget_all(book);
	return book->loaded;
}

/* A row's since_s is the beginning of its half day, and used_s is the count. */
static void write_rows(struct asked_book *book, struct pairs_use *uses, size_t count)
{
	char error[SOURCE_ERROR_MAX];
	int err = count > 0 ? pairs_write_uses(book->store->source, uses, count, error) : 0;

	if (err && err != ERR_NOT_FOUND && !book->failed)
		log_event(LOG_WARNING, "report",
			  "the names asked for most cannot be saved in the state; after a restart "
			  "they are not known: %s",
			  error);
	book->failed = err && err != ERR_NOT_FOUND;
	for (size_t i = 0; !err && i < count; i++) {
		struct asked_row *row;

		HASH_FIND_STR(book->rows, uses[i].what, row);
		if (row && uses[i].since_s == 0)
			forget_row(book, row);
		else if (row)
			row->count = (uint64_t)uses[i].used_s;
	}
	if (!err && count > 0 && book->on_written)
		book->on_written(book->context);
}

/* Writes rows for the beginning of the list, and deletes all others. */
static void write_list(struct asked_book *book, const struct asked_list *list)
{
	const struct policy *policy = book->server->current->policy;
	size_t most = list->count < ASKED_ROWS ? list->count : ASKED_ROWS, count = 0;
	struct pairs_use *uses;
	struct asked_row *row;
	char key[KEY_MAX];

	for (row = book->rows; row; row = row->hh.next)
		row->wanted = false;
	uses = calloc(most + HASH_COUNT(book->rows) + 1, sizeof *uses);
	for (size_t i = 0; uses && i < most; i++) {
		const struct asked *item = &list->items[i];
		uint64_t asked = item->question.count;

		row = print_key(item, policy, key) ? note_row(book, key, item->half_s, 0) : NULL;
		if (!row)
			continue;
		row->wanted = true;
		if (asked > row->count && (book->ends || asked - row->count >= asked / GRAIN))
			uses[count++] = (struct pairs_use){.what = row->key,
							   .since_s = item->half_s,
							   .used_s = (int64_t)asked};
	}
	for (row = book->rows; uses && row; row = row->hh.next)
		if (!row->wanted)
			uses[count++] = (struct pairs_use){.what = row->key};
	if (uses)
		write_rows(book, uses, count);
	free(uses);
}

/* ---- looks ---- */

static bool may_look(const struct asked_book *book)
{
	return !book->handed_over && book->server->current && !book->store->held;
}

static void gather_in_thread(void *job)
{
	struct asked_book *book = job;

	gather_all(&book->now, book);
	add_up(&book->now);
}

/* Writes the list; if counting is switched off, deletes all rows instead. Writes nothing if the
 * rows were handed over since the look began, even if they have been taken again. */
static void end_look(struct asked_book *book, const struct asked_list *list)
{
	static const struct asked_list none;
	bool counts = book->server->model->count_names;

	if (!counts) {
		pthread_mutex_lock(&book->lock);
		asked_release(&book->earlier);
		begin(&book->earlier);
		pthread_mutex_unlock(&book->lock);
	}
	if (may_look(book) && book->loaded && !list->failed)
		write_list(book, counts ? list : &none);
}

static void on_timer(uv_timer_t *timer);

static void on_looked(void *job)
{
	struct asked_book *book = job;

	book->looking = false;
	end_look(book, &book->now);
	asked_release(&book->now);
	begin(&book->now);
	if (!book->job.given_up)
		uv_timer_start(&book->timer, on_timer, book->loaded ? ASKED_LOOK_MS : FIRST_MS, 0);
}

static void on_timer(uv_timer_t *timer)
{
	struct asked_book *book = timer->data;

	if (book->handed_over || book->looking)
		return;
	if (may_look(book) && load(book))
		book->looking =
			work_beside_in_thread(book->work, &book->job, gather_in_thread, on_looked);
	if (!book->looking)
		uv_timer_start(&book->timer, on_timer, AGAIN_MS, 0);
}

void asked_book_rest(struct asked_book *book)
{
	struct asked_list last = {.room = 0}; /* `now` may be a thread's */

	if (!book->server || !may_look(book) || !load(book))
		return;
	gather_all(&last, book);
	add_up(&last);
	book->ends = true;
	end_look(book, &last);
	book->ends = false;
	asked_release(&last);
}

void asked_book_hand_over(struct asked_book *book)
{
	asked_book_rest(book);
	uv_timer_stop(&book->timer);
	book->handed_over = true;
}

void asked_book_take(struct asked_book *book)
{
	forget_all(book);
	book->handed_over = book->loaded = false;
	uv_timer_start(&book->timer, on_timer, FIRST_MS, 0);
}

/* ---- opening and closing ---- */

int asked_book_open(struct asked_book *book, uv_loop_t *loop, struct store *store,
		    struct server *server, struct work *work, void (*on_written)(void *context),
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
	pthread_mutex_init(&book->lock, NULL);
	begin(&book->earlier);
	begin(&book->now);
	uv_timer_start(&book->timer, on_timer, FIRST_MS, 0);
	return 0;
}

void asked_book_release(struct asked_book *book)
{
	if (!book->server)
		return;
	forget_all(book);
	asked_release(&book->earlier);
	asked_release(&book->now);
	pthread_mutex_destroy(&book->lock);
}
