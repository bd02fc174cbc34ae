/* A stream belongs to the control thread, which frees it once its connection has left. A lock
 * protects the members that the listener's thread uses as well. It is held only to copy data, never
 * while a source is asked. A connection is suspended under the lock, so that no resume comes
 * first. */
#include "resolver/control/http/stream.h"

#include <assert.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/queue.h>
#include <time.h>

#include "resolver/control/base/json.h"
#include "resolver/control/http/token.h"
#include "rules/text.h"

struct http_stream {
	TAILQ_ENTRY(http_stream) all;
	struct http_streams *streams;
	struct http_stream_source source;
	char *client; /* NULL: at the control socket */
	const void *route;
	size_t wanted;   /* events until the end; 0: no limit */
	int64_t until_s; /* 0: never */
	/* Under the lock: */
	char *data;
	size_t length, taken;
	struct MHD_Connection *suspended; /* waits for data; NULL: no connection does */
	bool ended;                       /* no more data is added */
	bool left;                        /* its connection is gone */
};

struct http_streams {
	uv_async_t wake; /* a stream is empty, or has left */
	uv_timer_t alive;
	unsigned alive_ms, open_handles;
	pthread_mutex_t lock;
	TAILQ_HEAD(, http_stream) all;
};

static const char alive_text[] = ":\n\n"; /* a comment */

/* The caller holds the lock. */
static void resume(struct http_stream *stream)
{
	if (stream->suspended)
		MHD_resume_connection(stream->suspended);
	stream->suspended = NULL;
}

/* ---- listener's thread ---- */

ssize_t http_stream_take(struct http_stream *stream, struct MHD_Connection *connection, char *to,
			 size_t room, bool *is_first)
{
	struct http_streams *streams = stream->streams;
	size_t length;
	ssize_t result = 0;

	pthread_mutex_lock(&streams->lock);
	length = stream->length - stream->taken;
	*is_first = length > 0 && stream->taken == 0;
	if (length > 0) {
		length = length < room ? length : room;
		memcpy(to, stream->data + stream->taken, length);
		stream->taken += length;
		result = (ssize_t)length;
		if (stream->taken == stream->length)
			uv_async_send(&streams->wake);
	} else if (stream->ended) {
		result = -1;
	} else {
		stream->suspended = connection;
		MHD_suspend_connection(connection);
	}
	pthread_mutex_unlock(&streams->lock);
	return result;
}

void http_stream_leave(struct http_stream *stream)
{
	struct http_streams *streams = stream->streams;

	pthread_mutex_lock(&streams->lock);
	stream->left = true;
	stream->suspended = NULL;
	uv_async_send(&streams->wake); /* after the unlock the stream may be freed */
	pthread_mutex_unlock(&streams->lock);
}

/* ---- control thread ---- */

size_t http_stream_frame(char *to, uint64_t id, const char *name, const char *data, size_t length)
{
	char head[HTTP_STREAM_FRAME - 2] = "";
	size_t used;

	if (name)
		text_append(head, sizeof head, "event: %s\n", name);
	if (id)
		text_append(head, sizeof head, "id: %llu\n", (unsigned long long)id);
	text_append(head, sizeof head, "data: ");
	used = strlen(head);
	memcpy(to, head, used);
	memcpy(to + used, data, length);
	memcpy(to + used + length, "\n\n", 2);
	return used + length + 2;
}

void http_stream_event(FILE *out, uint64_t id, json_t *event)
{
	char *text = json_whole_text(event), *frame;
	size_t length = text ? strlen(text) : 0;

	frame = text ? malloc(length + HTTP_STREAM_FRAME) : NULL;
	if (frame)
		fwrite(frame, 1, http_stream_frame(frame, id, NULL, text, length), out);
	free(frame);
	free(text);
}

static void stream_free(struct http_stream *stream)
{
	stream->source.release(stream->source.context);
	free(stream->client);
	free(stream->data);
	free(stream);
}

/* Cuts the data after the last event that is within the limit; true: the stream ends there. */
static bool cut(struct http_stream *stream, const char *data, size_t *length)
{
	static const char name[] = "event: ";
	const char *at = data, *end = data + *length, *next;

	while (stream->wanted > 0 && (next = memmem(at, (size_t)(end - at), "\n\n", 2))) {
		bool counts = *at != ':' && strncmp(at, name, sizeof name - 1) != 0;

		at = next + 2;
		if (!counts || --stream->wanted > 0)
			continue;
		*length = (size_t)(at - data);
		return true;
	}
	return false;
}

/* Puts the data into the empty buffer; takes ownership of it. */
static void put(struct http_stream *stream, char *data, size_t length)
{
	struct http_streams *streams = stream->streams;
	bool last = cut(stream, data, &length);

	pthread_mutex_lock(&streams->lock);
	stream->ended = stream->ended || last;
	free(stream->data);
	stream->data = data;
	stream->length = length;
	stream->taken = 0;
	resume(stream);
	pthread_mutex_unlock(&streams->lock);
}

/* Asks the source for data if the client has taken all. */
static void feed(struct http_stream *stream, bool alive)
{
	struct http_streams *streams = stream->streams;
	size_t length = 0;
	char *data;
	bool wants;

	pthread_mutex_lock(&streams->lock);
	wants = !stream->ended && !stream->left && stream->taken == stream->length;
	pthread_mutex_unlock(&streams->lock);
	if (!wants)
		return;
	data = stream->source.next(stream->source.context, &length);
	if (!data && alive) {
		data = strdup(alive_text);
		length = sizeof alive_text - 1;
	}
	if (data)
		put(stream, data, length);
}

static bool has_left(struct http_stream *stream)
{
	bool left;

	pthread_mutex_lock(&stream->streams->lock);
	left = stream->left;
	pthread_mutex_unlock(&stream->streams->lock);
	return left;
}

/* Appends the reason; the client still gets what the buffer has. */
static void end(struct http_stream *stream, const char *why)
{
	size_t room = strlen(why) + sizeof ": \n\n";
	char *data;

	pthread_mutex_lock(&stream->streams->lock);
	data = stream->ended ? NULL : realloc(stream->data, stream->length + room);
	if (data) {
		stream->data = data;
		stream->length += (size_t)snprintf(data + stream->length, room, ": %s\n\n", why);
	}
	stream->ended = true;
	resume(stream);
	pthread_mutex_unlock(&stream->streams->lock);
}

static void end_if_over(struct http_stream *stream)
{
	if (stream->until_s && !token_is_timely(stream->until_s, time(NULL)))
		end(stream, "the token has expired; come again with a new one");
}

static void ask(struct http_streams *streams, bool alive)
{
	struct http_stream *stream = TAILQ_FIRST(&streams->all), *next;

	for (; stream; stream = next) {
		next = TAILQ_NEXT(stream, all);
		if (has_left(stream)) {
			TAILQ_REMOVE(&streams->all, stream, all);
			stream_free(stream);
		} else {
			end_if_over(stream);
			feed(stream, alive);
		}
	}
	if (TAILQ_EMPTY(&streams->all))
		uv_timer_stop(&streams->alive);
}

void http_streams_ask(struct http_streams *streams)
{
	ask(streams, false);
}

static void on_wake(uv_async_t *wake)
{
	ask(wake->data, false);
}

static void on_alive(uv_timer_t *timer)
{
	ask(timer->data, true);
}

void http_streams_end(struct http_streams *streams, bool all)
{
	struct http_stream *stream;

	TAILQ_FOREACH (stream, &streams->all, all)
		if (all || stream->client)
			end(stream,
			    all ? "the server ends" : "who may read has changed; come again");
}

void http_streams_end_of(struct http_streams *streams, const char *client)
{
	struct http_stream *stream;

	TAILQ_FOREACH (stream, &streams->all, all)
		if (stream->client && strcmp(stream->client, client) == 0)
			end(stream, "a token of this client has ended; come again");
}

/* Ends the client's stream of the same route, if there is one. False: there are too many streams.
 */
static bool make_room(struct http_streams *streams, const char *client, const void *route)
{
	struct http_stream *stream;
	unsigned count = 0;

	TAILQ_FOREACH (stream, &streams->all, all) {
		bool own = client && stream->client && stream->route == route &&
			   strcmp(stream->client, client) == 0;

		if (own)
			end(stream, "this client has opened another one");
		else if (!client == !stream->client)
			count += !stream->ended; /* only this thread sets `ended` */
	}
	return count < HTTP_STREAMS_MAX;
}

struct http_stream *http_stream_new(struct http_streams *streams, const char *client,
				    const void *route, int64_t until_s,
				    const struct http_stream_source *source)
{
	struct http_stream *stream;

	if (!make_room(streams, client, route))
		return NULL;
	stream = calloc(1, sizeof *stream);
	if (stream && client)
		stream->client = strdup(client);
	if (!stream || (client && !stream->client)) {
		free(stream);
		return NULL;
	}
	stream->route = route;
	stream->streams = streams;
	stream->source = *source;
	stream->wanted = source->limit;
	stream->until_s = until_s;
	TAILQ_INSERT_TAIL(&streams->all, stream, all);
	if (!uv_is_active((uv_handle_t *)&streams->alive))
		uv_timer_start(&streams->alive, on_alive, streams->alive_ms, streams->alive_ms);
	feed(stream, true); /* makes the head go out at once */
	return stream;
}

/* ---- beginning and end ---- */

int http_streams_new(struct http_streams **streams, uv_loop_t *loop, unsigned alive_ms)
{
	struct http_streams *made = calloc(1, sizeof *made);
	int err;

	*streams = made;
	if (!made)
		return ERR_NOMEM;
	if (uv_async_init(loop, &made->wake, on_wake) != 0) {
		free(made);
		*streams = NULL;
		return ERR_NOMEM;
	}
	uv_timer_init(loop, &made->alive);
	made->wake.data = made->alive.data = made;
	made->open_handles = 2;
	made->alive_ms = alive_ms;
	TAILQ_INIT(&made->all);
	err = pthread_mutex_init(&made->lock, NULL);
	assert(err == 0);
	(void)err;
	return 0;
}

static void on_closed(uv_handle_t *handle)
{
	struct http_streams *streams = handle->data;

	if (--streams->open_handles > 0)
		return;
	pthread_mutex_destroy(&streams->lock);
	free(streams);
}

void http_streams_free(struct http_streams *streams)
{
	struct http_stream *stream = TAILQ_FIRST(&streams->all), *next;

	for (; stream; stream = next) {
		next = TAILQ_NEXT(stream, all);
		stream_free(stream);
	}
	uv_close((uv_handle_t *)&streams->wake, on_closed);
	uv_close((uv_handle_t *)&streams->alive, on_closed);
}
