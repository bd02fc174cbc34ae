/* A ring. Each writer to the log pays for a copy of its line; when memory has run out a line is
 * only in the log. */
#include "resolver/control/observe/events.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "resolver/control/base/json.h"
#include "rules/text.h"

static struct {
	pthread_mutex_t lock;
	struct event ring[EVENTS_MAX];
	size_t first, count;
	uint64_t last;
	pthread_cond_t more;
	unsigned interrupts;
	uv_async_t *wake; /* NULL: no listener */
	void (*on_event)(void *context);
	void *context;
} events = {.lock = PTHREAD_MUTEX_INITIALIZER, .more = PTHREAD_COND_INITIALIZER};

const char *const event_level_names[LOG_DEBUG] = {
	[LOG_ERROR] = "error", [LOG_WARNING] = "warning", [LOG_INFO] = "info"};

static int64_t now_ms(void)
{
	struct timespec now;

	clock_gettime(CLOCK_REALTIME, &now);
	return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

/* Ids follow the order of arrival, whatever the clock does. */
static uint64_t next_id(int64_t at_ms)
{
	uint64_t id = (uint64_t)at_ms * 1000;

	return id > events.last ? id : events.last + 1;
}

/* Copies the text, with bytes that a terminal cannot show escaped. NULL: out of memory. */
static char *copy_shown(const char *text)
{
	enum { SHOWN_BYTES = 4 }; /* at most, for each byte: \xff */
	size_t room = SHOWN_BYTES * strlen(text) + 1;
	char *shown = malloc(room < EVENT_TEXT_MAX ? room : EVENT_TEXT_MAX), *copy;

	if (!shown)
		return NULL;
	text_show(text, shown, room < EVENT_TEXT_MAX ? room : EVENT_TEXT_MAX);
	copy = strdup(shown);
	free(shown);
	return copy;
}

static void event_release(struct event *event)
{
	if (event->for_readers != event->text)
		free(event->for_readers);
	free(event->text);
}

/* False: out of memory. */
static bool copy_texts(struct event *event, const char *text, const char *shown)
{
	event->text = copy_shown(text);
	if (shown)
		event->for_readers = shown == text ? event->text : copy_shown(shown);
	if (event->text && (!shown || event->for_readers))
		return true;
	event_release(event);
	return false;
}

static void on_line(enum log_level level, const char *name, const char *text, const char *shown)
{
	struct event fresh = {.at_ms = now_ms(), .level = level}, *event;

	if (!copy_texts(&fresh, text, shown))
		return;
	snprintf(fresh.name, sizeof fresh.name, "%s", name);
	pthread_mutex_lock(&events.lock);
	event = &events.ring[(events.first + events.count) % EVENTS_MAX];
	if (events.count == EVENTS_MAX) {
		event_release(event);
		events.first = (events.first + 1) % EVENTS_MAX;
	} else {
		events.count++;
	}
	events.last = fresh.id = next_id(fresh.at_ms);
	*event = fresh;
	if (events.wake)
		uv_async_send(events.wake);
	pthread_cond_broadcast(&events.more);
	pthread_mutex_unlock(&events.lock);
}

void events_begin(void)
{
	log_listen(on_line);
}

static void on_wake(uv_async_t *wake)
{
	(void)wake;
	events.on_event(events.context);
}

int events_open(uv_loop_t *loop, void (*on_event)(void *context), void *context)
{
	static uv_async_t wake; /* static: there is one log */

	events.on_event = on_event;
	events.context = context;
	if (uv_async_init(loop, &wake, on_wake) != 0)
		return ERR_SYSTEM;
	pthread_mutex_lock(&events.lock);
	events.wake = &wake;
	pthread_mutex_unlock(&events.lock);
	return 0;
}

void events_close(void)
{
	pthread_mutex_lock(&events.lock);
	events.wake = NULL;
	pthread_mutex_unlock(&events.lock);
}

void events_each(uint64_t after, bool (*on_one)(void *context, const struct event *event),
		 void *context)
{
	pthread_mutex_lock(&events.lock);
	for (size_t i = 0; i < events.count; i++) {
		const struct event *event = &events.ring[(events.first + i) % EVENTS_MAX];

		if (event->id > after && !on_one(context, event))
			break;
	}
	pthread_mutex_unlock(&events.lock);
}

uint64_t events_last(void)
{
	uint64_t last;

	pthread_mutex_lock(&events.lock);
	last = events.last;
	pthread_mutex_unlock(&events.lock);
	return last;
}

void events_wait(uint64_t after, unsigned wait_ms)
{
	struct timespec until;
	unsigned interrupts;
	int err = 0;

	clock_gettime(CLOCK_MONOTONIC, &until);
	until.tv_sec += wait_ms / 1000;
	until.tv_nsec += (long)(wait_ms % 1000) * 1000000;
	until.tv_sec += until.tv_nsec / 1000000000;
	until.tv_nsec %= 1000000000;
	pthread_mutex_lock(&events.lock);
	interrupts = events.interrupts;
	while (!err && events.last <= after && events.interrupts == interrupts)
		err = pthread_cond_clockwait(&events.more, &events.lock, CLOCK_MONOTONIC, &until);
	pthread_mutex_unlock(&events.lock);
}

void events_interrupt(void)
{
	pthread_mutex_lock(&events.lock);
	events.interrupts++;
	pthread_cond_broadcast(&events.more);
	pthread_mutex_unlock(&events.lock);
}

json_t *event_json(const struct event *event, bool guarded)
{
	return json_make("{s:I, s:o, s:s, s:s, s:s}", "id", (json_int_t)event->id, "time",
			 json_time(event->at_ms / 1000), "level", event_level_names[event->level],
			 "event", event->name, "text", guarded ? event->for_readers : event->text);
}
