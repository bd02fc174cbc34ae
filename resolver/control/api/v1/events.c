/* GET /v1/events?after=ID&limit=N&event=NAME&level=LEVEL: events out of the last EVENTS_MAX lines
 * of the log, the oldest first:
 *
 *     {"events": [{"id", "time", "level", "event", "text"}], "next": ID or null}
 *
 * `level` is the least severe level that is shown. Readers see neither names of clients nor events
 * about clients. With "Accept: text/event-stream" the answer is a stream: the events since the id,
 * or only new ones if there is no id, and further ones as they happen; it ends after ?limit events.
 * An id stays valid after a restart. */
#include "resolver/control/observe/events.h"
#include "resolver/control/api/v1/api_v1.h"
#include "resolver/control/base/json.h"
#include "resolver/control/http/stream.h"

struct wanted {
	uint64_t after;
	enum log_level level;
	char name[EVENT_NAME_MAX]; /* "": any */
	bool guarded;              /* for a reader */
};

/* False: the parameter is invalid, and the request has been answered. */
static bool read_level(struct api_request *request, enum log_level *level)
{
	const char *text = api_query(request, "level");

	for (unsigned i = 0; i < LOG_DEBUG; i++)
		if (!text || strcmp(text, event_level_names[i]) == 0) {
			*level = text ? (enum log_level)i : LOG_INFO;
			return true;
		}
	api_fail_at(request, 400, "invalid", "level",
		    "\"%.32s\" does not fit; give error, warning or info", text);
	return false;
}

static bool read_wanted(struct api_request *request, const char *after, struct wanted *wanted)
{
	const char *name = api_query(request, "event");

	*wanted = (struct wanted){.guarded = request->role != ROLE_ADMIN};
	snprintf(wanted->name, sizeof wanted->name, "%s", name ? name : "");
	if (!api_v1_after(request, after, &wanted->after) || !read_level(request, &wanted->level))
		return false;
	/* An id above that of the last event comes from an earlier process whose clock was ahead.
	 * The client has seen no event of this process, so it gets all of them. */
	if (wanted->after > events_last())
		wanted->after = 0;
	return true;
}

static bool is_wanted(const struct wanted *wanted, const struct event *event)
{
	return event->level <= wanted->level && (!wanted->guarded || event->for_readers) &&
	       (!*wanted->name || strcmp(wanted->name, event->name) == 0);
}

/* ---- a page ---- */

struct page {
	struct wanted wanted;
	json_t *array;
	size_t limit;
	uint64_t last;
	bool more;
};

static bool add_to_page(void *context, const struct event *event)
{
	struct page *page = context;

	if (!is_wanted(&page->wanted, event))
		return true;
	page->more = json_array_size(page->array) >= page->limit;
	if (page->more)
		return false;
	page->last = event->id;
	json_add(page->array, event_json(event, page->wanted.guarded));
	return true;
}

static void answer_page(struct api_request *request)
{
	struct page page = {.last = 0};

	if (!read_wanted(request, api_query(request, "after"), &page.wanted) ||
	    !api_v1_limit(request, &page.limit))
		return;
	page.array = json_array();
	events_each(page.wanted.after, add_to_page, &page);
	api_reply_json(request, 200,
		       json_make("{s:o, s:o}", "events", page.array, "next",
				 page.more ? json_integer((json_int_t)page.last) : json_null()),
		       NULL);
}

/* ---- a stream ---- */

struct event_batch {
	struct wanted *wanted;
	FILE *out;
};

static bool add_to_stream(void *context, const struct event *event)
{
	struct event_batch *batch = context;

	if (ftell(batch->out) > HTTP_STREAM_BUFFER)
		return false;
	batch->wanted->after = event->id;
	if (is_wanted(batch->wanted, event))
		http_stream_event(batch->out, event->id, event_json(event, batch->wanted->guarded));
	return true;
}

static char *stream_next(void *context, size_t *length)
{
	struct wanted *wanted = context;
	struct wanted before = *wanted;
	char *text = NULL;
	struct event_batch batch = {wanted, open_memstream(&text, length)};

	if (!batch.out)
		return NULL;
	events_each(wanted->after, add_to_stream, &batch);
	if (fclose(batch.out) != 0)
		*wanted = before;
	else if (*length > 0)
		return text;
	free(text);
	return NULL;
}

static void answer_stream(struct api_request *request)
{
	const char *last = api_header(request, "Last-Event-ID");
	const char *after = last && *last ? last : api_query(request, "after");
	struct wanted wanted, *kept;
	struct http_stream_source stream = {.next = stream_next, .release = free};

	if (!read_wanted(request, after, &wanted) || !api_v1_stream_limit(request, &stream.limit))
		return;
	if (!after)
		wanted.after = events_last();
	kept = malloc(sizeof *kept);
	if (!kept) {
		api_fail_memory(request);
		return;
	}
	*kept = wanted;
	stream.context = kept;
	api_reply_stream(request, &stream);
}

void api_events(struct api_request *request)
{
	if (api_accepts(request, "text/event-stream"))
		answer_stream(request);
	else
		answer_page(request);
}
