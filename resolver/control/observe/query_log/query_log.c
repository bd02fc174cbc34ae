/* One lock covers everything but the rings. The log's thread holds it for a batch of records from
 * each ring, the control thread for as long as a change of settings takes. Neither waits for
 * anything meanwhile. */
#include "resolver/control/observe/query_log/query_log.h"

#include <assert.h>
#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/queue.h>
#include <sys/resource.h>
#include <time.h>

#include "resolver/control/base/json.h"
#include "resolver/control/base/signals.h"
#include "resolver/control/base/threads.h"
#include "resolver/control/http/stream.h"
#include "resolver/control/observe/query_log/dnstap.h"
#include "resolver/control/observe/query_log/query_output.h"
#include "resolver/log.h"
#include "rules/base.h"
#include "rules/text.h"

enum {
	OUTPUTS = QUERY_LOG_OUTPUTS, /* enum query_output_kind */
	BATCH = 256,                 /* records of a ring, between two releases of the lock */
	IDLE_MS = 500,
	NEWS_MS = 100, /* the shortest time between two calls of on_news */
	NETWORK_MAX = 256,
};

static const char *const kinds[OUTPUTS] = {"file", "dnstap_file", "dnstap_socket"};

struct gone { /* counts of former outputs */
	uint64_t written, lost;
};

struct query_follower {
	TAILQ_ENTRY(query_follower) all;
	struct query_log *log;
	struct query_filter filter;
	char *bytes;
	size_t length, room;
	uint64_t lost; /* since it was last told */
};

struct kept { /* an entry in memory: the members that filters read, and its text */
	struct query_entry entry;
	char network[NETWORK_MAX];
	char *text; /* NULL: no entry yet */
};

struct query_log {
	struct query_rings *rings;
	struct query_log_listener listener;
	pthread_t thread;
	int niceness;        /* of this and the outputs' threads: workers come first */
	bool runs, stopped;  /* the control thread's */
	atomic_uint waiting; /* callers that wait for the lock: the log's thread gives way */
	pthread_mutex_t lock;
	pthread_cond_t wake;
	/* Under the lock: */
	bool ending, on;
	struct query_filter filter; /* of the settings */
	uint32_t sample;
	bool privacy, slow; /* slow: matching entries are lines of the log */
	char *identity;
	struct query_output *outputs[OUTPUTS];
	struct gone gone[OUTPUTS];
	TAILQ_HEAD(, query_follower) followers;
	unsigned follower_count;
	struct kept *latest; /* NULL: nothing kept yet */
	size_t latest_at, latest_count;
	uint64_t logged;
	/* The log thread's: */
	int64_t clock_ns; /* how far the time of day is ahead of CLOCK_MONOTONIC */
	uint64_t chance;
	uint64_t lost_told; /* entries lost in the rings, as told to followers */
	uint64_t news_us;
	bool news;
	bool busy; /* the rings fill quickly */
	struct log_pace pace;
	char text[QUERY_ENTRY_TEXT_MAX + 16];
	uint8_t frame[DNSTAP_MAX];
};

static int64_t clock_ns(clockid_t clock)
{
	struct timespec now;

	clock_gettime(clock, &now);
	return (int64_t)now.tv_sec * 1000000000 + now.tv_nsec;
}

static void lock(struct query_log *log)
{
	atomic_fetch_add(&log->waiting, 1);
	pthread_mutex_lock(&log->lock);
	atomic_fetch_sub(&log->waiting, 1);
}

static void unlock(struct query_log *log)
{
	pthread_mutex_unlock(&log->lock);
}

/* Lets waiting threads have the lock first: else this thread would lock it again before they
 * wake. */
static void let_others(struct query_log *log)
{
	pthread_mutex_unlock(&log->lock);
	while (atomic_load(&log->waiting) > 0)
		sched_yield();
	pthread_mutex_lock(&log->lock);
}

/* ---- where an entry goes ---- */

/* Draws one in `sample`, by xorshift64: nobody gains by predicting it. */
static bool is_drawn(struct query_log *log)
{
	log->chance ^= log->chance << 13;
	log->chance ^= log->chance >> 7;
	log->chance ^= log->chance << 17;
	return log->sample <= 1 || log->chance % log->sample == 0;
}

static void keep(struct query_log *log, const struct query_entry *entry, size_t length)
{
	struct kept *kept = &log->latest[log->latest_at];
	char *text = malloc(length + 1);

	if (!text)
		return;
	memcpy(text, log->text, length);
	text[length] = '\0';
	free(kept->text);
	kept->text = text;
	kept->entry = *entry;
	kept->entry.record = NULL;
	if (entry->network) {
		size_t network = strnlen(entry->network, NETWORK_MAX - 1);

		memcpy(kept->network, entry->network, network);
		kept->network[network] = '\0';
		kept->entry.network = kept->network;
	}
	log->latest_at = (log->latest_at + 1) % QUERY_LOG_LATEST;
	log->latest_count += log->latest_count < QUERY_LOG_LATEST;
}

static void forget_latest(struct query_log *log)
{
	for (size_t i = 0; i < log->latest_count; i++) {
		free(log->latest[i].text);
		log->latest[i].text = NULL;
	}
	log->latest_at = log->latest_count = 0;
}

static bool has_outputs(const struct query_log *log)
{
	for (size_t i = 0; i < OUTPUTS; i++)
		if (log->outputs[i])
			return true;
	return false;
}

static void put_frame(struct query_log *log, struct query_output *output,
		      const struct query_entry *entry, size_t length)
{
	size_t frame = dnstap_write(entry, log->text, length, log->identity, log->frame);

	query_output_put(output, log->frame, frame);
}

/* log->text has the entry's JSON, `length` bytes. */
static void put_out(struct query_log *log, const struct query_entry *entry, size_t length)
{
	char text[2048], more[LOG_MORE_MAX];

	log->logged++;
	if (log->outputs[QUERY_OUTPUT_FILE]) {
		log->text[length] = '\n';
		query_output_put(log->outputs[QUERY_OUTPUT_FILE], log->text, length + 1);
		log->text[length] = '\0';
	}
	if (log->outputs[QUERY_OUTPUT_DNSTAP_FILE])
		put_frame(log, log->outputs[QUERY_OUTPUT_DNSTAP_FILE], entry, length);
	if (log->outputs[QUERY_OUTPUT_DNSTAP_SOCKET])
		put_frame(log, log->outputs[QUERY_OUTPUT_DNSTAP_SOCKET], entry, length);
	if (log->latest)
		keep(log, entry, length);
	if (log->slow && log_pace(&log->pace, (uint64_t)clock_ns(CLOCK_MONOTONIC) / 1000, more))
		log_event(LOG_WARNING, "slow", "%s%s", query_entry_tell(entry, text, sizeof text),
			  more);
}

static bool make_room(struct query_follower *follower, size_t more)
{
	size_t room = follower->room ? follower->room : 16 * 1024;
	char *bytes;

	if (more > QUERY_LOG_FOLLOWER_BYTES - follower->length)
		return false;
	while (room < follower->length + more)
		room *= 2;
	if (room == follower->room)
		return true;
	bytes = realloc(follower->bytes, room);
	if (!bytes)
		return false;
	follower->bytes = bytes;
	follower->room = room;
	return true;
}

static void tell_follower(struct query_follower *follower, const char *text, size_t length)
{
	if (!make_room(follower, length + HTTP_STREAM_FRAME)) {
		follower->lost++;
		return;
	}
	follower->length +=
		http_stream_frame(follower->bytes + follower->length, 0, NULL, text, length);
}

static void take(struct query_log *log, struct query_record *record, uint64_t left_us)
{
	struct query_follower *follower;
	struct query_entry entry;
	size_t length = 0;
	bool fits;

	query_entry_init(&entry, record, left_us, log->clock_ns);
	fits = log->on && query_filter_fits(&log->filter, &entry) && is_drawn(log);
	if (log->privacy)
		query_entry_hide_client(&entry);
	if (fits) {
		length = query_entry_print(&entry, log->text);
		put_out(log, &entry, length);
	}
	TAILQ_FOREACH (follower, &log->followers, all) {
		if (!query_filter_fits(&follower->filter, &entry))
			continue;
		length = length ? length : query_entry_print(&entry, log->text);
		tell_follower(follower, log->text, length);
		log->news = true;
	}
}

/* ---- the thread ---- */

static void tell_loss(struct query_log *log)
{
	uint64_t lost = query_rings_lost(log->rings);
	struct query_follower *follower;

	TAILQ_FOREACH (follower, &log->followers, all)
		follower->lost += lost - log->lost_told;
	log->news = log->news || lost > log->lost_told;
	log->lost_told = lost;
}

/* Reads at most a batch from the ring; returns the number of records. */
static unsigned read_ring(struct query_log *log, struct query_ring *ring)
{
	uint64_t at = atomic_load_explicit(&ring->read, memory_order_relaxed), left_us = 0;
	struct query_record *record;
	unsigned count = 0;

	log->busy = log->busy || atomic_load(&ring->committed) - at > QUERY_RING_BYTES / 8;
	while (count < BATCH && (record = query_ring_read(ring, &at, &left_us))) {
		take(log, record, left_us);
		count++;
	}
	query_ring_give_back(ring, at);
	return count;
}

/* Under the lock, which is released between two batches. */
static void read_rings(struct query_log *log)
{
	unsigned most = BATCH;

	log->busy = false;
	log->clock_ns = clock_ns(CLOCK_REALTIME) - clock_ns(CLOCK_MONOTONIC);
	while (most == BATCH) {
		most = 0;
		for (unsigned i = 0; i < log->rings->count; i++) {
			unsigned count = read_ring(log, &log->rings->rings[i]);

			most = count > most ? count : most;
		}
		for (size_t i = 0; i < OUTPUTS; i++)
			if (log->outputs[i])
				query_output_wake(log->outputs[i]);
		if (atomic_exchange(&log->rings->awaited, false))
			log->listener.on_read(log->listener.context);
		let_others(log);
	}
	tell_loss(log);
}

static void tell_news(struct query_log *log)
{
	uint64_t now_us = (uint64_t)clock_ns(CLOCK_MONOTONIC) / 1000;

	if (!log->news || now_us < log->news_us)
		return;
	log->news = false;
	log->news_us = now_us + NEWS_MS * 1000;
	log->listener.on_news(log->listener.context);
}

static void wait_ms(struct query_log *log, unsigned ms)
{
	struct timespec until;
	int64_t ns = clock_ns(CLOCK_MONOTONIC) + (int64_t)ms * 1000000;

	until = (struct timespec){.tv_sec = ns / 1000000000, .tv_nsec = ns % 1000000000};
	pthread_cond_timedwait(&log->wake, &log->lock, &until);
}

static unsigned pause_ms(const struct query_log *log)
{
	if (!log->on && log->follower_count == 0)
		return IDLE_MS;
	return log->busy ? QUERY_LOG_BUSY_MS : QUERY_LOG_LOOK_MS;
}

static void *run(void *context)
{
	struct query_log *log = context;
	int err = setpriority(PRIO_PROCESS, 0, log->niceness); /* this thread's */

	(void)err; /* on failure the thread stays as nice as its creator */
	pthread_setname_np(pthread_self(), "query-log");
	threads_join();
	if (log->listener.on_start)
		log->listener.on_start(log->listener.context);
	pthread_mutex_lock(&log->lock);
	while (!log->ending) {
		read_rings(log);
		tell_news(log);
		if (!log->ending)
			wait_ms(log, pause_ms(log));
	}
	read_rings(log); /* the workers have ended */
	pthread_mutex_unlock(&log->lock);
	return NULL;
}

/* Starts the thread when it is first needed. ERR_SYSTEM: it cannot be started. */
static int start(struct query_log *log)
{
	sigset_t before;

	if (log->runs || log->stopped)
		return 0;
	signals_block(&before);
	log->runs = pthread_create(&log->thread, NULL, run, log) == 0;
	signals_restore(&before);
	return log->runs ? 0 : ERR_SYSTEM;
}

/* Tells the workers what to record, unless the log has been stopped. Call it under the lock. */
static void want(struct query_log *log)
{
	unsigned wanted = 0;

	if (log->stopped)
		return;
	if (log->on)
		wanted |= log->filter.slower_than_us > 0 ? QUERY_WANTED_SLOW : QUERY_WANTED_ALL;
	if (log->follower_count > 0)
		wanted |= QUERY_WANTED_ALL;
	if (log->outputs[QUERY_OUTPUT_DNSTAP_FILE] || log->outputs[QUERY_OUTPUT_DNSTAP_SOCKET])
		wanted |= QUERY_WANTED_MESSAGES;
	query_rings_want(log->rings, wanted);
	pthread_cond_broadcast(&log->wake);
}

/* ---- settings ---- */

struct outputs {
	struct query_output *items[OUTPUTS];
};

/* Keeps former outputs whose path is the same, and makes the others; ERR_NOMEM: none is made. */
static int make_outputs(const struct query_log *log, const char *const paths[OUTPUTS],
			struct outputs *made)
{
	for (size_t i = 0; i < OUTPUTS; i++) {
		struct query_output *before = log->outputs[i];

		made->items[i] = before && query_output_is(before, paths[i]) ? before : NULL;
		if (!paths[i] || made->items[i])
			continue;
		made->items[i] =
			query_output_new((enum query_output_kind)i, paths[i], log->niceness);
		if (made->items[i])
			continue;
		while (i-- > 0)
			if (made->items[i] != log->outputs[i])
				query_output_end(made->items[i]);
		return ERR_NOMEM;
	}
	return 0;
}

/* Ends the output; entries that it writes or loses after this are not counted. */
static void end_output(struct query_log *log, size_t kind, struct query_output *output)
{
	struct query_output_status status;

	query_output_read_status(output, &status);
	log->gone[kind].written += status.written;
	log->gone[kind].lost += status.lost;
	query_output_end(output);
}

/* Logs all answers so far by the old settings. Call it under the lock, which keeps the log's thread
 * from reading the rings. */
static void drain(struct query_log *log)
{
	log->clock_ns = clock_ns(CLOCK_REALTIME) - clock_ns(CLOCK_MONOTONIC);
	for (unsigned i = 0; i < log->rings->count; i++) {
		struct query_ring *ring = &log->rings->rings[i];
		uint64_t end = atomic_load(&ring->committed);

		while (atomic_load(&ring->read) < end)
			read_ring(log, ring);
	}
}

int query_log_configure(struct query_log *log, const struct model *model)
{
	const struct query_log_settings *settings = &model->query_log;
	const char *identity = model->identity.server; /* for dnstap */
	const char *const paths[OUTPUTS] = {
		[QUERY_OUTPUT_FILE] = settings->file,
		[QUERY_OUTPUT_DNSTAP_FILE] = settings->dnstap_file,
		[QUERY_OUTPUT_DNSTAP_SOCKET] = settings->dnstap_socket,
	};
	struct outputs made, before;
	struct query_filter filter, old;
	char *name = identity ? strdup(identity) : NULL, *old_name;
	struct kept *latest = log->latest;
	int err = settings->given ? start(log) : 0;

	if (!err)
		err = query_filter_of_settings(&filter, settings, model);
	if (err) {
		free(name);
		return err;
	}
	if (settings->given && !latest)
		latest = calloc(QUERY_LOG_LATEST, sizeof *latest);
	if ((identity && !name) || (settings->given && !latest) ||
	    make_outputs(log, paths, &made) != 0) {
		query_filter_release(&filter);
		free(name);
		if (latest != log->latest)
			free(latest);
		return ERR_NOMEM;
	}
	lock(log);
	drain(log);
	memcpy(before.items, log->outputs, sizeof before.items);
	memcpy(log->outputs, made.items, sizeof made.items);
	old = log->filter;
	log->filter = filter;
	old_name = log->identity;
	log->identity = name;
	log->latest = latest;
	if (!settings->given || (settings->privacy && !log->privacy))
		forget_latest(log); /* they show whole addresses, or the log is off now */
	log->on = settings->given;
	log->sample = settings->sample;
	log->privacy = settings->privacy;
	log->slow = settings->given && settings->slower_than_ms > 0 && !has_outputs(log);
	want(log);
	unlock(log);
	for (size_t i = 0; i < OUTPUTS; i++)
		if (before.items[i] && before.items[i] != made.items[i])
			end_output(log, i, before.items[i]);
		else if (before.items[i])
			query_output_look(before.items[i]);
	query_filter_release(&old);
	free(old_name);
	return 0;
}

void query_log_leave(struct query_log *log)
{
	lock(log);
	for (size_t i = 0; i < OUTPUTS; i++)
		if (log->outputs[i])
			query_output_leave(log->outputs[i]);
	unlock(log);
}

/* ---- followers ---- */

struct query_follower *query_log_follow(struct query_log *log, struct query_filter *filter)
{
	struct query_follower *follower = start(log) == 0 ? calloc(1, sizeof *follower) : NULL;

	if (!follower)
		return NULL;
	follower->log = log;
	follower->filter = *filter;
	*filter = (struct query_filter){.suffixes = NULL};
	lock(log);
	TAILQ_INSERT_TAIL(&log->followers, follower, all);
	log->follower_count++;
	want(log);
	unlock(log);
	return follower;
}

/* The event "lost" comes last: its entries found the buffer full, or were lost in the rings. */
char *query_follower_take(struct query_follower *follower, size_t *length)
{
	struct query_log *log = follower->log;
	char lost[32], *bytes = NULL;

	lock(log);
	if (follower->lost > 0) {
		int size = snprintf(lost, sizeof lost, "{\"lost\":%llu}",
				    (unsigned long long)follower->lost);

		bytes = realloc(follower->bytes,
				follower->length + (size_t)size + HTTP_STREAM_FRAME);
		if (bytes) {
			follower->length += http_stream_frame(bytes + follower->length, 0, "lost",
							      lost, (size_t)size);
			follower->lost = 0;
		}
	} else if (follower->length > 0) {
		bytes = follower->bytes;
	}
	if (bytes) {
		*length = follower->length;
		follower->bytes = NULL;
		follower->length = follower->room = 0;
	}
	unlock(log);
	return bytes;
}

void query_follower_free(struct query_follower *follower)
{
	struct query_log *log = follower->log;

	lock(log);
	TAILQ_REMOVE(&log->followers, follower, all);
	log->follower_count--;
	want(log);
	unlock(log);
	query_filter_release(&follower->filter);
	free(follower->bytes);
	free(follower);
}

/* ---- for the API ---- */

bool query_log_is_on(const struct query_log *log)
{
	return log->on; /* only this thread sets it */
}

static int by_arrival(const void *a, const void *b)
{
	const struct timespec *left = &(*(const struct kept *const *)a)->entry.arrived;
	const struct timespec *right = &(*(const struct kept *const *)b)->entry.arrived;

	if (left->tv_sec != right->tv_sec)
		return left->tv_sec < right->tv_sec ? -1 : 1;
	return (left->tv_nsec > right->tv_nsec) - (left->tv_nsec < right->tv_nsec);
}

/* Sorts the entries: rings are read one after the other, so those of two workers are out of
 * order. */
json_t *query_log_latest(struct query_log *log, const struct query_filter *filter, size_t limit)
{
	json_t *all = json_array();
	const struct kept **fit = calloc(QUERY_LOG_LATEST, sizeof *fit);
	char **texts = calloc(QUERY_LOG_LATEST, sizeof *texts);
	size_t count = 0, first;

	if (!fit || !texts) {
		json_decref(all);
		all = NULL;
		goto out;
	}
	lock(log);
	for (size_t i = 0; i < log->latest_count; i++)
		if (query_filter_fits(filter, &log->latest[i].entry))
			fit[count++] = &log->latest[i];
	qsort(fit, count, sizeof *fit, by_arrival);
	first = count > limit ? count - limit : 0;
	for (size_t i = first; i < count; i++)
		texts[i] = strdup(fit[i]->text);
	unlock(log);
	for (size_t i = first; i < count; i++) {
		json_add(all, texts[i] ? json_loads(texts[i], 0, NULL) : NULL);
		free(texts[i]);
	}
out:
	free(texts);
	free(fit);
	return all;
}

static json_t *output_json(enum query_output_kind kind, struct query_output *output)
{
	struct query_output_status status;

	query_output_read_status(output, &status);
	return json_make("{s:s, s:o, s:b, s:I, s:I, s:o}", "kind", kinds[kind], "path",
			 json_text(query_output_path(output)), "open", status.open, "written",
			 (json_int_t)status.written, "lost", (json_int_t)status.lost, "error",
			 json_text(*status.error ? status.error : NULL));
}

json_t *query_log_status(struct query_log *log)
{
	json_t *outputs = json_array(), *status;

	lock(log);
	for (size_t i = 0; i < OUTPUTS; i++)
		if (log->outputs[i])
			json_add(outputs, output_json((enum query_output_kind)i, log->outputs[i]));
	status = json_make("{s:b, s:I, s:I, s:I, s:o}", "on", log->on, "followers",
			   (json_int_t)log->follower_count, "logged", (json_int_t)log->logged,
			   "lost", (json_int_t)query_rings_lost(log->rings), "outputs", outputs);
	unlock(log);
	return status;
}

void query_log_read_outputs(struct query_log *log,
			    struct query_log_output outputs[QUERY_LOG_OUTPUTS])
{
	for (size_t i = 0; i < OUTPUTS; i++) { /* only this thread sets them */
		struct query_output_status status = {0};

		if (log->outputs[i])
			query_output_read_status(log->outputs[i], &status);
		outputs[i] = (struct query_log_output){
			.kind = kinds[i],
			.is_there = log->outputs[i],
			.is_up = log->outputs[i] && !*status.error,
			.written = log->gone[i].written + status.written,
			.lost = log->gone[i].lost + status.lost,
		};
	}
}

/* ---- creation and end ---- */

struct query_log *query_log_new(struct query_rings *rings,
				const struct query_log_listener *listener)
{
	struct query_log *log = calloc(1, sizeof *log);
	pthread_condattr_t clock;

	if (!log)
		return NULL;
	log->rings = rings;
	log->listener = *listener;
	log->niceness = getpriority(PRIO_PROCESS, 0) + QUERY_LOG_NICENESS; /* of this thread */
	log->chance = (uint64_t)clock_ns(CLOCK_MONOTONIC) | 1;
	TAILQ_INIT(&log->followers);
	pthread_mutex_init(&log->lock, NULL);
	pthread_condattr_init(&clock);
	pthread_condattr_setclock(&clock, CLOCK_MONOTONIC);
	pthread_cond_init(&log->wake, &clock);
	pthread_condattr_destroy(&clock);
	return log;
}

void query_log_stop(struct query_log *log)
{
	if (!log || log->stopped)
		return;
	lock(log);
	log->ending = true;
	pthread_cond_broadcast(&log->wake);
	unlock(log);
	if (log->runs)
		pthread_join(log->thread, NULL);
	log->stopped = true;
	for (size_t i = 0; i < OUTPUTS; i++) {
		query_output_free(log->outputs[i]);
		log->outputs[i] = NULL;
	}
}

void query_log_free(struct query_log *log)
{
	if (!log)
		return;
	assert(TAILQ_EMPTY(&log->followers));
	query_log_stop(log);
	forget_latest(log);
	free(log->latest);
	query_filter_release(&log->filter);
	free(log->identity);
	pthread_cond_destroy(&log->wake);
	pthread_mutex_destroy(&log->lock);
	free(log);
}
