/* Streams: what a source has comes at once and then when somebody looks, a comment where there is
 * nothing, and neither a client that leaves nor one that does not read keeps a source. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "resolver/control/http/stream.h"
#include "tests/lib/http_world.h"

enum {
	ALIVE_MS = 100,
	EXCHANGE_MS = 5000, /* where it is to be seen; elsewhere nobody is too slow */
	PATIENCE_MS = 120 * 1000,
	CHUNK = 64 * 1024,
	TAKEN_MAX = 64, /* chunks that a socket takes, and one more */
};

struct stream_world {
	struct http_world http; /* first */
	uv_timer_t ticker;
	unsigned events;  /* to be given by the source that counts, one each tick */
	unsigned refused; /* streams that were one too many */
	unsigned unanswered;
	atomic_uint given, released;
};

struct counting { /* a source */
	struct stream_world *world;
	unsigned next;
	bool endless;
};

static char *count_next(void *context, size_t *length)
{
	struct counting *counting = context;
	char *text = NULL;

	if (counting->endless) {
		text = malloc(CHUNK);
		memset(text, 'x', CHUNK);
		*length = CHUNK;
	} else if (counting->next < counting->world->events) {
		*length = (size_t)asprintf(&text, "event: lost\ndata: 0\n\nid: 7\ndata: %u\n\n",
					   counting->next++);
	}
	counting->world->given += text != NULL;
	return text;
}

static void count_release(void *context)
{
	struct counting *counting = context;

	counting->world->released++;
	free(counting);
}

static void on_head(void *context, struct http_request *request)
{
	(void)context;
	/* "?NAME" is whose it is. */
	snprintf(request->client, sizeof request->client, "%s",
		 *request->query ? request->query : "known");
	if (strcmp(request->path, "/token") == 0)
		request->until_s = time(NULL) + 11; /* in ten seconds at the earliest */
}

static void on_request(void *context, struct http_request *request)
{
	struct stream_world *world = context;
	struct counting *counting;
	struct http_stream_source source = {.next = count_next, .release = count_release};

	if (strcmp(request->path, "/plain") == 0) {
		http_reply(request, 204, NULL, NULL, 0);
		return;
	}
	source.context = counting = calloc(1, sizeof *counting);
	*counting = (struct counting){world, 0, strcmp(request->path, "/endless") == 0};
	source.limit = strcmp(request->path, "/two") == 0 ? 2 : 0;
	if (http_reply_stream(request, "text/event-stream", &source))
		return;
	free(counting);
	world->refused++;
	http_reply(request, 429, NULL, NULL, 0);
}

static char *on_error(void *context, const struct http_request *request, unsigned status,
		      const char *text)
{
	(void)context;
	(void)request;
	(void)status;
	return strdup(text);
}

static void on_tick(uv_timer_t *timer)
{
	struct stream_world *world = timer->data;

	if (!world->http.http)
		return;
	world->events += world->events < 3;
	http_look(world->http.http);
}

static int set_up_with(void **state, unsigned exchange_ms)
{
	struct stream_world *world = calloc(1, sizeof *world);
	const struct http_handler handler = {.on_head = on_head,
					     .on_request = on_request,
					     .on_error = on_error,
					     .context = world,
					     .idle_ms = PATIENCE_MS,
					     .exchange_ms = exchange_ms,
					     .alive_ms = ALIVE_MS};

	http_world_init(&world->http);
	uv_timer_init(&world->http.loop, &world->ticker);
	world->ticker.data = world;
	uv_timer_start(&world->ticker, on_tick, 20, 20);
	http_world_open(&world->http, &handler);
	*state = world;
	return 0;
}

static int set_up(void **state)
{
	return set_up_with(state, PATIENCE_MS);
}

static int set_up_impatient(void **state)
{
	return set_up_with(state, EXCHANGE_MS);
}

static int tear_down(void **state)
{
	struct stream_world *world = *state;

	uv_close((uv_handle_t *)&world->ticker, NULL);
	http_world_release(&world->http);
	free(world);
	return 0;
}

/* ---- clients ---- */

static int open_stream(struct http_world *world, const char *path)
{
	char text[128];
	int fd = http_world_connect(world);

	http_world_send(fd, text,
			(size_t)snprintf(text, sizeof text,
					 "GET %s HTTP/1.1\r\nHost: localhost\r\n\r\n", path));
	return fd;
}

/* Until the answer has the text, which is at `needle`, so often. */
static void receive_until(struct http_world *world, int fd, const char *needle, unsigned times)
{
	unsigned found = 0;

	world->answer_length = 0;
	while (found < times) {
		ssize_t got = recv(fd, world->answer + world->answer_length,
				   sizeof world->answer - 1 - world->answer_length, 0);

		if (got <= 0)
			return;
		world->answer_length += (size_t)got;
		world->answer[world->answer_length] = '\0';
		found = 0;
		for (const char *at = world->answer; (at = strstr(at, needle)); at++)
			found++;
	}
}

static void await_release(struct http_world *world, unsigned count)
{
	for (unsigned i = 0; i < 6000 && ((struct stream_world *)world)->released < count; i++)
		usleep(10 * 1000);
}

static void follow(struct http_world *world)
{
	int fd = open_stream(world, "/counting");

	receive_until(world, fd, "7\ndata: 2\n", 1);
	close(fd);
	await_release(world, 1);
}

static void events_come_one_by_one_and_whoever_leaves_is_let_go(void **state)
{
	struct stream_world *world = *state;
	const char *at = world->http.answer;
	char event[32];

	http_world_serve(&world->http, follow);
	assert_int_equal(http_world_status(&world->http), 200);
	assert_string_equal(http_world_header(&world->http, "content-type"), "text/event-stream");
	for (unsigned i = 0; i < 3; i++) {
		snprintf(event, sizeof event, "id: 7\ndata: %u\n\n", i);
		at = strstr(at, event);
		assert_non_null(at);
	}
	assert_int_equal(world->released, 1);
}

/* To its end. */
static void read_two(struct http_world *world)
{
	int fd = open_stream(world, "/two");

	receive_until(world, fd, "\r\n0\r\n\r\n", 1);
	close(fd);
	await_release(world, 1);
}

static void one_that_has_a_limit_ends_behind_so_many_events(void **state)
{
	struct stream_world *world = *state;

	http_world_serve(&world->http, read_two);
	assert_non_null(strstr(world->http.answer, "id: 7\ndata: 1\n\n"));
	assert_null(strstr(world->http.answer, "data: 2\n"));
	assert_non_null(strstr(world->http.answer, "\r\n0\r\n\r\n")); /* the last chunk */
	assert_int_equal(world->released, 1);
}

static void read_until_the_token_ends(struct http_world *world)
{
	int fd = open_stream(world, "/token");

	receive_until(world, fd, "\r\n0\r\n\r\n", 1);
	close(fd);
	await_release(world, 1);
}

static void one_ends_with_what_its_client_has_shown_and_says_so(void **state)
{
	struct stream_world *world = *state;

	world->events = 3;
	http_world_serve(&world->http, read_until_the_token_ends);
	assert_non_null(strstr(world->http.answer, "id: 7\ndata: 2\n\n"));
	assert_non_null(strstr(world->http.answer, "\n: the token has expired; "));
	assert_int_equal(world->released, 1);
}

static void listen_to_nothing(struct http_world *world)
{
	int fd = open_stream(world, "/counting");

	receive_until(world, fd, ":\n\n", 4);
	close(fd);
}

static void where_nothing_happens_a_comment_comes_now_and_then(void **state)
{
	struct stream_world *world = *state;

	world->events = 3;
	uv_timer_stop(&world->ticker);
	http_world_serve(&world->http, listen_to_nothing);
	assert_non_null(strstr(world->http.answer, "data: 0\n"));
	assert_non_null(strstr(world->http.answer, ":\n\n"));
}

static void read_nothing(struct http_world *world)
{
	struct stream_world *own = (struct stream_world *)world;
	int fd = open_stream(world, "/endless");
	unsigned before;

	while (own->given == 0)
		usleep(1000);
	do { /* until others are answered and it is given nothing meanwhile */
		before = own->given;
		for (unsigned i = 0; i < 20; i++)
			own->unanswered += http_world_ask(world, "GET /plain", "", NULL) != 204;
	} while (own->given > before && own->given <= TAKEN_MAX);
	await_release(world, 1);
	close(fd);
}

static void whoever_reads_nothing_costs_a_buffer_and_is_ended(void **state)
{
	struct stream_world *world = *state;

	http_world_serve(&world->http, read_nothing);
	assert_int_equal(world->unanswered, 0);
	assert_in_range(world->given, 1, TAKEN_MAX);
	assert_int_equal(world->released, 1);
}

static void open_one_too_many(struct http_world *world)
{
	int fds[HTTP_STREAMS_MAX];

	for (unsigned i = 0; i < HTTP_STREAMS_MAX; i++) {
		fds[i] = open_stream(world, "/counting");
		receive_until(world, fds[i], "data: 0\n", 1);
	}
	assert_int_equal(http_world_ask(world, "GET /counting", "", NULL), 429);
	for (unsigned i = 0; i < HTTP_STREAMS_MAX; i++)
		close(fds[i]);
	await_release(world, HTTP_STREAMS_MAX);
}

static void there_are_so_many_and_no_more(void **state)
{
	struct stream_world *world = *state;

	http_world_serve(&world->http, open_one_too_many);
	assert_int_equal(world->refused, 1);
	assert_int_equal(world->released, HTTP_STREAMS_MAX);
}

/* By as many spellings of one route: each ends the one before. Others may have the other places,
 * and the socket has its own. */
static void open_by_many_spellings(struct http_world *world)
{
	unsigned port = world->port;
	char path[64];
	int fds[HTTP_STREAMS_MAX], more[HTTP_STREAMS_MAX];

	for (unsigned i = 0; i < HTTP_STREAMS_MAX; i++) {
		snprintf(path, sizeof path, "%.*s", (int)i + 1, "//////////////////////////");
		fds[i] = open_stream(world, path);
		receive_until(world, fds[i], "data: 0\n", 1);
	}
	await_release(world, HTTP_STREAMS_MAX - 1);
	for (unsigned i = 1; i < HTTP_STREAMS_MAX; i++) {
		snprintf(path, sizeof path, "/counting?client%u", i);
		more[i] = open_stream(world, path);
		receive_until(world, more[i], "data: 0\n", 1);
	}
	assert_int_equal(http_world_ask(world, "GET /counting?one-more", "", NULL), 429);
	world->port = 0;
	more[0] = open_stream(world, "/counting");
	receive_until(world, more[0], "data: 0\n", 1);
	world->port = port;
	for (unsigned i = 0; i < HTTP_STREAMS_MAX; i++) {
		close(fds[i]);
		close(more[i]);
	}
	await_release(world, 2 * HTTP_STREAMS_MAX);
}

static void a_client_has_one_of_a_route_however_it_is_spelled(void **state)
{
	struct stream_world *world = *state;
	char url[64];

	world->http.port = http_world_free_port();
	snprintf(url, sizeof url, "http://127.0.0.1:%u", world->http.port);
	assert_int_equal(http_world_listen(&world->http, url), 0);
	world->events = 1;
	http_world_serve(&world->http, open_by_many_spellings);
	assert_int_equal(world->refused, 1);
	assert_int_equal(world->released, 2 * HTTP_STREAMS_MAX);
}

static void leave_open(struct http_world *world)
{
	for (unsigned i = 0; i < HTTP_STREAMS_MAX; i++)
		receive_until(world, open_stream(world, i % 2 ? "/counting" : "/endless"), "x", 1);
}

static void what_is_open_ends_with_the_server(void **state)
{
	struct stream_world *world = *state;

	http_world_serve(&world->http, leave_open);
	http_close(world->http.http);
	world->http.http = NULL;
	assert_int_equal(world->released, HTTP_STREAMS_MAX);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
	const struct CMUnitTest tests[] = {
		TEST(events_come_one_by_one_and_whoever_leaves_is_let_go),
		TEST(one_that_has_a_limit_ends_behind_so_many_events),
		TEST(one_ends_with_what_its_client_has_shown_and_says_so),
		TEST(where_nothing_happens_a_comment_comes_now_and_then),
		cmocka_unit_test_setup_teardown(whoever_reads_nothing_costs_a_buffer_and_is_ended,
						set_up_impatient, tear_down),
		TEST(there_are_so_many_and_no_more),
		TEST(a_client_has_one_of_a_route_however_it_is_spelled),
		TEST(what_is_open_ends_with_the_server),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
