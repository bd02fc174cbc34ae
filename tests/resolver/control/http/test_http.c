/* HTTP's bytes: what a request becomes, limits at and one over, slow and hostile clients, answers
 * that come later, and who is on which thread. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <curl/curl.h>
#include <fcntl.h>
#include <gnutls/abstract.h>
#include <gnutls/x509.h>
#include <poll.h>
#include <pthread.h>
#include <stdatomic.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#include "resolver/control/http/tls.h"
#include "tests/lib/http_world.h"

enum {
	IDLE_MS = 1000, /* where it is to be seen; elsewhere nobody is too slow */
	EXCHANGE_MS = 3000,
	PATIENCE_MS = 120 * 1000,
	AWAIT_MS = 30 * 1000, /* what a test waits for comes at once, or is missing */
	RAISED = 4 * 1024 * 1024,
	HUGE_ANSWER = 8 * 1024 * 1024,
	HELD = 64,
	ROUNDS_MAX = 1200 /* of 50 ms */
};

struct hangups { /* of some idle connections */
	bool quietest;
	int sum;
};

struct world {
	struct http_world http; /* first */
	pthread_t control;
	atomic_uint heads, handled, elsewhere; /* elsewhere: not on the control thread */
	struct http_request *kept, *held[HELD];
	unsigned held_count;
	uv_timer_t later;
	unsigned told, status_before;
	struct hangups hangups;
	atomic_bool ended;
	bool gave_up; /* on answers that the listener's thread was too slow to send */
	size_t body_length;
};

/* ---- the server: paths say what it does ---- */

static void on_head(void *context, struct http_request *request)
{
	struct world *world = context;
	world->heads++;
	if (strcmp(request->path, "/refused") == 0)
		http_reply(request, 403, "text/plain", strdup("no"), 2);
	if (strcmp(request->path, "/raised") == 0)
		request->body_max = RAISED;
	if (strcmp(request->path, "/stranger") != 0)
		snprintf(request->client, sizeof request->client, "%s",
			 http_request_header(request, "X-Client")
				 ? http_request_header(request, "X-Client")
				 : "known");
}

static void echo(struct http_request *request)
{
	char *text = NULL;
	int length = asprintf(&text, "%s %s?%s [%.64s] %zu %s", request->method, request->path,
			      request->query, request->body, request->body_length, request->client);
	http_header(request, "X-Said", "hello");
	http_reply(request, 200, "text/plain", text, (size_t)length);
}

static void on_later(uv_timer_t *timer)
{
	struct world *world = timer->data;
	echo(world->kept);
	world->kept = NULL;
}

static void on_end(uv_timer_t *timer)
{
	struct world *world = timer->data;
	for (unsigned i = 0; i < world->held_count; i++)
		http_reply(world->held[i], 204, NULL, NULL, 0);
	usleep(1); /* the listener's thread is in the middle of them */
	uint64_t begin_ms = uv_hrtime() / 1000000;
	http_close(world->http.http);
	world->gave_up = uv_hrtime() / 1000000 - begin_ms >= HTTP_LINGER_MS;
	world->http.http = NULL;
	world->ended = true;
}

static void on_request(void *context, struct http_request *request)
{
	struct world *world = context;
	world->handled++;
	if (!pthread_equal(pthread_self(), world->control))
		world->elsewhere++;
	world->body_length = request->body_length;
	if (strcmp(request->path, "/later") == 0) {
		world->kept = request;
		uv_timer_start(&world->later, on_later, 100, 0);
	} else if (strcmp(request->path, "/held") == 0) {
		world->held[world->held_count++] = request;
		if (world->held_count == HELD)
			uv_timer_start(&world->later, on_end, 0, 0);
	} else if (strcmp(request->path, "/end") == 0) {
		world->held[world->held_count++] = request;
		uv_timer_start(&world->later, on_end, 0, 0);
	} else if (strcmp(request->path, "/huge") == 0) {
		char *text = malloc(HUGE_ANSWER);
		memset(text, 'x', HUGE_ANSWER);
		http_reply(request, 200, "text/plain", text, HUGE_ANSWER);
	} else if (strcmp(request->path, "/empty") == 0) {
		http_reply(request, 204, NULL, NULL, 0);
	} else {
		echo(request);
	}
}

static char *on_error(void *context, const struct http_request *request, unsigned status,
		      const char *text)
{
	(void)context;
	char *body = NULL;
	int length = asprintf(&body, "error %u of %s: %s", status, request->path, text);
	return length < 0 ? NULL : body;
}

static int set_up_with(void **state, unsigned idle_ms, unsigned exchange_ms)
{
	struct world *world = calloc(1, sizeof *world);
	struct http_handler handler = {.on_head = on_head,
				       .on_request = on_request,
				       .on_error = on_error,
				       .context = world,
				       .idle_ms = idle_ms,
				       .exchange_ms = exchange_ms};
	http_world_init(&world->http);
	world->control = pthread_self();
	uv_timer_init(&world->http.loop, &world->later);
	world->later.data = world;
	http_world_open(&world->http, &handler);
	*state = world;
	return 0;
}

static int set_up(void **state)
{
	return set_up_with(state, PATIENCE_MS, PATIENCE_MS);
}

static int set_up_impatient(void **state)
{
	return set_up_with(state, IDLE_MS, EXCHANGE_MS);
}

static int tear_down(void **state)
{
	struct world *world = *state;
	assert_int_equal(world->elsewhere, 0);
	uv_close((uv_handle_t *)&world->later, NULL);
	http_world_release(&world->http);
	free(world);
	return 0;
}

/* ---- requests ---- */

static void ask_plainly(struct http_world *world)
{
	http_world_ask(world, "POST /a%2Fb/c?x=%20&y", "", "{}");
}

static void a_request_reaches_the_control_thread_as_it_was_sent(void **state)
{
	struct world *world = *state;
	http_world_serve(&world->http, ask_plainly);
	assert_int_equal(http_world_status(&world->http), 200);
	assert_string_equal(http_world_body(&world->http), "POST /a%2Fb/c?x=%20&y [{}] 2 known");
	assert_string_equal(http_world_header(&world->http, "x-said"), "hello");
	assert_string_equal(http_world_header(&world->http, "content-type"), "text/plain");
	assert_string_equal(http_world_header(&world->http, "cache-control"), "no-store");
	assert_int_equal(world->heads, 1);
}

static void ask_for_a_url(struct http_world *world)
{
	http_world_ask(world, "GET http://sluice/v1/status?a", "", NULL);
}

static void a_whole_url_is_taken_too(void **state)
{
	struct world *world = *state;
	http_world_serve(&world->http, ask_for_a_url);
	assert_string_equal(http_world_body(&world->http), "GET /v1/status?a [] 0 known");
}

static void ask_for_a_star(struct http_world *world)
{
	http_world_ask(world, "OPTIONS *", "", NULL);
}

static void a_target_that_is_no_path_is_refused(void **state)
{
	struct world *world = *state;
	http_world_serve(&world->http, ask_for_a_star);
	assert_int_equal(http_world_status(&world->http), 400);
	assert_non_null(strstr(http_world_body(&world->http), "error 400"));
	assert_int_equal(world->handled, 0);
}

static void ask_for_the_head(struct http_world *world)
{
	http_world_ask(world, "HEAD /x", "", NULL);
}

static void head_is_answered_with_a_length_and_no_body(void **state)
{
	struct world *world = *state;
	http_world_serve(&world->http, ask_for_the_head);
	assert_int_equal(http_world_status(&world->http), 200);
	assert_string_equal(http_world_header(&world->http, "content-length"), "19");
	assert_string_equal(http_world_body(&world->http), "");
}

static void ask_for_nothing(struct http_world *world)
{
	http_world_ask(world, "DELETE /empty", "", NULL);
}

static void an_answer_may_have_no_body(void **state)
{
	struct world *world = *state;
	http_world_serve(&world->http, ask_for_nothing);
	assert_int_equal(http_world_status(&world->http), 204);
	assert_string_equal(http_world_body(&world->http), "");
	assert_null(http_world_header(&world->http, "content-type"));
}

static void ask_three_times_at_once(struct http_world *world)
{
	static const char three[] = "GET /1 HTTP/1.1\r\nHost: s\r\n\r\n"
				    "GET /2 HTTP/1.1\r\nHost: s\r\n\r\n"
				    "GET /3 HTTP/1.1\r\nHost: s\r\nConnection: close\r\n\r\n";
	int fd = http_world_connect(world);
	http_world_send(fd, three, sizeof three - 1);
	http_world_receive(world, fd);
}

static void requests_of_one_connection_are_answered_in_their_order(void **state)
{
	struct world *world = *state;
	http_world_serve(&world->http, ask_three_times_at_once);
	const char *one = strstr(world->http.answer, "GET /1?");
	const char *two = strstr(world->http.answer, "GET /2?");
	const char *three = strstr(world->http.answer, "GET /3?");
	assert_true(one && two && three && one < two && two < three);
}

static void ask_for_later(struct http_world *world)
{
	int fd = http_world_connect(world);
	static const char text[] = "GET /later HTTP/1.1\r\nHost: s\r\nConnection: close\r\n\r\n";
	http_world_send(fd, text, sizeof text - 1);
	((struct world *)world)->status_before = http_world_ask(world, "GET /now", "", NULL);
	http_world_receive(world, fd);
}

static void an_answer_may_come_later_and_others_need_not_wait_for_it(void **state)
{
	struct world *world = *state;
	http_world_serve(&world->http, ask_for_later);
	assert_int_equal(world->status_before, 200);
	assert_string_equal(http_world_body(&world->http), "GET /later? [] 0 known");
}

static void ask_and_leave(struct http_world *world)
{
	int fd = http_world_connect(world);
	static const char text[] = "GET /later HTTP/1.1\r\nHost: s\r\n\r\n";
	http_world_send(fd, text, sizeof text - 1);
	while (((struct world *)world)->handled == 0)
		usleep(1000);
	close(fd);
	usleep(300 * 1000);
	http_world_ask(world, "GET /now", "", NULL);
}

static void a_client_that_leaves_before_its_answer_harms_nobody(void **state)
{
	struct world *world = *state;
	http_world_serve(&world->http, ask_and_leave);
	assert_int_equal(http_world_status(&world->http), 200);
	assert_null(world->kept);
}

static void ask_for_much(struct http_world *world)
{
	int fd = http_world_connect(world);
	static const char text[] = "GET /huge HTTP/1.1\r\nHost: s\r\nConnection: close\r\n\r\n";
	static char buffer[1024 * 1024];
	size_t total = 0;
	http_world_send(fd, text, sizeof text - 1);
	for (ssize_t got; (got = recv(fd, buffer, sizeof buffer, 0)) > 0;)
		total += (size_t)got;
	close(fd);
	((struct world *)world)->body_length = total;
}

static void a_long_answer_comes_whole(void **state)
{
	struct world *world = *state;
	http_world_serve(&world->http, ask_for_much);
	assert_in_range(world->body_length, HUGE_ANSWER + 50, HUGE_ANSWER + 1000);
}

/* ---- limits ---- */

static size_t body_length;
static const char *body_path;
static bool chunked;

static void send_body(struct http_world *world)
{
	char head[256];
	char *body = malloc(body_length);
	int fd = http_world_connect(world);
	memset(body, ' ', body_length);
	int length = snprintf(head, sizeof head,
			      "POST %s HTTP/1.1\r\nHost: s\r\nConnection: close\r\n", body_path);
	if (chunked)
		length += snprintf(head + length, sizeof head - (size_t)length,
				   "Transfer-Encoding: chunked\r\n\r\n%zx\r\n", body_length);
	else
		length += snprintf(head + length, sizeof head - (size_t)length,
				   "Content-Length: %zu\r\n\r\n", body_length);
	http_world_send(fd, head, (size_t)length);
	http_world_send(fd, body, body_length);
	if (chunked)
		http_world_send(fd, "\r\n0\r\n\r\n", 7);
	http_world_receive(world, fd);
	free(body);
}

static unsigned status_of_body(struct world *world, const char *path, size_t length, bool chunks)
{
	body_path = path;
	body_length = length;
	chunked = chunks;
	http_world_serve(&world->http, send_body);
	return http_world_status(&world->http);
}

static void a_body_at_the_maximum_is_read_and_one_over_it_refused(void **state)
{
	struct world *world = *state;
	for (int chunks = 0; chunks < 2; chunks++) {
		assert_int_equal(status_of_body(world, "/", HTTP_BODY_MAX, chunks), 200);
		assert_int_equal(world->body_length, HTTP_BODY_MAX);
		world->handled = 0;
		assert_int_equal(status_of_body(world, "/", HTTP_BODY_MAX + 1, chunks), 413);
		assert_non_null(strstr(http_world_body(&world->http), "error 413 of /: the body"));
		assert_int_equal(world->handled, 0);
	}
}

static void a_route_may_take_a_longer_body(void **state)
{
	struct world *world = *state;
	assert_int_equal(status_of_body(world, "/raised", RAISED, false), 200);
	assert_int_equal(world->body_length, RAISED);
	assert_int_equal(status_of_body(world, "/raised", RAISED + 1, false), 413);
}

static void send_what_is_too_long_to_be_read(struct http_world *world)
{
	http_world_ask(world, "POST /", "Content-Length: 1099511627776\r\n", NULL);
}

static void a_body_that_is_far_too_long_is_not_even_read(void **state)
{
	struct world *world = *state;
	http_world_serve(&world->http, send_what_is_too_long_to_be_read);
	assert_int_equal(http_world_status(&world->http), 413);
	assert_int_equal(world->handled, 0);
}

static void send_where_it_is_refused(struct http_world *world)
{
	http_world_ask(world, "POST /refused", "", "a body that nobody wants");
}

static void who_is_refused_at_the_head_does_not_reach_the_control_thread(void **state)
{
	struct world *world = *state;
	http_world_serve(&world->http, send_where_it_is_refused);
	assert_int_equal(http_world_status(&world->http), 403);
	assert_string_equal(http_world_body(&world->http), "no");
	assert_int_equal(world->handled, 0);
}

static void wait_for_the_permission_to_send(struct http_world *world)
{
	http_world_ask(world, "POST /refused", "Expect: 100-continue\r\nContent-Length: 1000\r\n",
		       NULL);
}

static void who_waits_for_100_continue_is_refused_without_sending(void **state)
{
	struct world *world = *state;
	http_world_serve(&world->http, wait_for_the_permission_to_send);
	assert_int_equal(http_world_status(&world->http), 403);
}

static void send_a_long_head(struct http_world *world)
{
	char *head = malloc(2 * HTTP_HEAD_MAX);
	int fd = http_world_connect(world);
	memset(head, 'a', 2 * HTTP_HEAD_MAX);
	http_world_send(fd, "GET / HTTP/1.1\r\nHost: s\r\nX-Long: ", 34);
	http_world_send(fd, head, 2 * HTTP_HEAD_MAX);
	http_world_receive(world, fd);
	free(head);
}

static void a_head_that_is_too_long_is_refused(void **state)
{
	struct world *world = *state;
	http_world_serve(&world->http, send_a_long_head);
	assert_in_range(http_world_status(&world->http), 400, 431);
	assert_int_equal(world->handled, 0);
}

static void send_nonsense(struct http_world *world)
{
	static const char *const nonsense[] = {
		"\x16\x03\x01\x02",
		"GET\r\n\r\n",
		"GET / HTTP/9.9\r\n\r\n",
		"{\"a\":1}\n",
		"GET / HTTP/1.1\r\nContent-Length: -1\r\n\r\n",
		"POST / HTTP/1.1\r\nHost: s\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n"};
	for (size_t i = 0; i < sizeof nonsense / sizeof *nonsense; i++) {
		int fd = http_world_connect(world);
		http_world_send(fd, nonsense[i], strlen(nonsense[i]));
		shutdown(fd, SHUT_WR);
		http_world_receive(world, fd);
		((struct world *)world)->told += http_world_status(world) == 200;
	}
	((struct world *)world)->told += ((struct world *)world)->handled;
	uint64_t begin_ms;
	int tries = 10;
	do /* again only where a busy machine may have taken too long for it */
		begin_ms = uv_hrtime() / 1000000;
	while (http_world_ask(world, "GET /", "", NULL) != 200 && --tries > 0 &&
	       uv_hrtime() / 1000000 - begin_ms >= IDLE_MS / 2);
}

static void nonsense_is_not_served_and_harms_nobody(void **state)
{
	struct world *world = *state;
	http_world_serve(&world->http, send_nonsense);
	assert_int_equal(world->told, 0);
	assert_true(world->handled > 0);
	assert_int_equal(http_world_status(&world->http), 200);
}

/* ---- slow clients ---- */

static void wait_to_be_hung_up_on(struct http_world *world)
{
	int fd = http_world_connect(world);
	http_world_send(fd, "GET / HT", 8);
	http_world_receive(world, fd); /* gives up after a minute without a byte */
	int again = http_world_connect(world);
	char byte;
	ssize_t got = recv(again, &byte, 1, 0);
	((struct world *)world)->told = got == 0;
	close(again);
}

static void a_client_without_progress_is_hung_up_on(void **state)
{
	struct world *world = *state;
	http_world_serve(&world->http, wait_to_be_hung_up_on);
	assert_int_equal(world->told, 1); /* and not a minute of waiting in vain */
	assert_int_equal(world->handled, 0);
}

static const char *dripped;

static void drip(struct http_world *world)
{
	enum { STEP_MS = IDLE_MS / 4 };
	int fd = http_world_connect(world);
	char byte;
	http_world_send(fd, dripped, strlen(dripped));
	for (int i = 0; i < 5 * EXCHANGE_MS / STEP_MS; i++) {
		http_world_send(fd, "a", 1);
		usleep(STEP_MS * 1000);
		if (recv(fd, &byte, 1, MSG_DONTWAIT) == 0) {
			((struct world *)world)->told = (unsigned)i * STEP_MS;
			break;
		}
	}
	close(fd);
}

/* A byte now and then is progress; after EXCHANGE_MS it is over all the same... */
static void a_client_that_drips_is_hung_up_on(void **state)
{
	struct world *world = *state;
	dripped = "POST / HTTP/1.1\r\nHost: s\r\nContent-Length: 1000\r\n\r\n";
	for (int i = 0; i < 10 && world->told <= IDLE_MS;
	     i++) /* a busy machine's may rest for long */
		http_world_serve(&world->http, drip);
	assert_true(world->told > IDLE_MS); /* it was not taken for one without progress */
}

/* ...and a head after IDLE_MS. */
static void a_client_that_drips_its_head_is_hung_up_on_sooner(void **state)
{
	struct world *world = *state;
	dripped = "GET / HTTP/1.1\r\nHost: s\r\nX-Long: ";
	/* The first step may have been long, or the listener late. */
	for (int i = 0; i < 10 && (world->told == 0 || world->told >= EXCHANGE_MS); i++)
		http_world_serve(&world->http, drip);
	assert_in_range(world->told, 1, EXCHANGE_MS - 1);
	assert_int_equal(world->heads, 0);
}

static bool is_hung_up_on(int fd)
{
	char byte;
	return recv(fd, &byte, 1, MSG_DONTWAIT) == 0;
}

/* All that there may be: the first asks nothing, the second was answered as a stranger just now. */
static void ask_beside_idle_ones(struct http_world *world)
{
	static const char text[] = "GET /stranger HTTP/1.1\r\nHost: s\r\n\r\n";
	struct world *whole = (struct world *)world;
	int idle[HTTP_CONNECTIONS_MAX];
	char byte;
	idle[0] = http_world_connect(world);
	http_world_send(idle[0], "G", 1);
	http_world_ask(world, "GET /0", "", NULL); /* by then it has come */
	usleep(2000);                              /* and is the first by the millisecond */
	for (int i = 1; i < HTTP_CONNECTIONS_MAX; i++) {
		idle[i] = http_world_connect(world);
		http_world_send(idle[i], "G", 1);
	}
	http_world_send(idle[1], text + 1, sizeof text - 2);
	while (recv(idle[1], &byte, 1, 0) == 1 && byte != ']')
		;
	whole->status_before = http_world_ask(world, "GET /1", "", NULL);
	while (!is_hung_up_on(idle[0]))
		usleep(1000);
	for (int i = 1; i < HTTP_CONNECTIONS_MAX; i++)
		whole->told += is_hung_up_on(idle[i]);
	http_world_ask(world, "GET /2", "", NULL);
	for (int i = 0; i < HTTP_CONNECTIONS_MAX; i++)
		close(idle[i]);
}

static void who_has_been_quiet_for_longest_makes_room(void **state)
{
	struct world *world = *state;
	http_world_serve(&world->http, ask_beside_idle_ones);
	assert_int_equal(world->status_before, 200);
	assert_int_equal(world->told, 0);
	assert_int_equal(http_world_status(&world->http), 200);
}

/* Until the requests of so many connections have begun; the test fails by what comes of them if
 * they never do. */
static void await_heads(const struct world *world, unsigned count)
{
	for (unsigned ms = 0; world->heads < count && ms < AWAIT_MS; ms++)
		usleep(1000);
}

static void ask_beside_known_ones(struct http_world *world)
{
	static const char head[] = "POST / HTTP/1.1\r\nHost: s\r\nConnection: close\r\n"
				   "Content-Length: 4\r\n\r\n12";
	struct world *whole = (struct world *)world;
	int known[HTTP_CONNECTIONS_MAX];
	for (int i = 0; i < HTTP_CONNECTIONS_MAX; i++) {
		known[i] = http_world_connect(world);
		http_world_send(known[i], head, sizeof head - 1);
	}
	await_heads(whole, HTTP_CONNECTIONS_MAX);
	whole->status_before = http_world_ask(world, "GET /stranger", "", NULL);
	for (int i = 0; i < HTTP_CONNECTIONS_MAX; i++) {
		http_world_send(known[i], "34", 2);
		http_world_receive(world, known[i]);
		whole->told += http_world_status(world) == 200;
	}
}

static void who_has_shown_credentials_does_not_make_room_for_strangers(void **state)
{
	struct world *world = *state;
	http_world_serve(&world->http, ask_beside_known_ones);
	assert_int_equal(world->status_before, 0);
	assert_int_equal(world->told, HTTP_CONNECTIONS_MAX);
}

/* Each was answered once, whose answer ends with the client's name. */
static void keep_idle(struct http_world *world, int *fds, int count, const char *client)
{
	char text[128], end[16];
	size_t length = (size_t)snprintf(end, sizeof end, " 0 %s", client), matched;

	for (int i = 0; i < count; i++) {
		fds[i] = http_world_connect(world);
		http_world_send(fds[i], text,
				(size_t)snprintf(text, sizeof text,
						 "GET / HTTP/1.1\r\nHost: localhost\r\nX-Client: "
						 "%s\r\n\r\n",
						 client));
		for (matched = 0; matched < length && recv(fds[i], text, 1, 0) == 1;)
			matched = *text == end[matched] ? matched + 1 : *text == *end;
	}
}

/* Waits until the server hangs up on the quietest one, the first, which has nothing to read but
 * that. */
static struct hangups await_hangup(const int *fds, int count)
{
	struct pollfd quietest = {.fd = fds[0], .events = POLLIN};
	struct hangups hangups = {.quietest = poll(&quietest, 1, AWAIT_MS) == 1};

	for (int i = 0; i < count; i++)
		hangups.sum += is_hung_up_on(fds[i]);
	return hangups;
}

static void close_all(const int *fds, int count)
{
	for (int i = 0; i < count; i++)
		close(fds[i]);
}

/* At the socket, where a client may have as many as there are. */
static void ask_beside_idle_known_ones(struct http_world *world)
{
	enum { MANY = HTTP_CONNECTIONS_MAX - 4 };
	struct world *whole = (struct world *)world;
	int many[MANY], few[4];

	keep_idle(world, few, 4, "few");
	keep_idle(world, many, MANY, "many");
	whole->status_before = http_world_ask(world, "GET /stranger", "", NULL);
	whole->hangups = await_hangup(many, MANY);
	for (int i = 0; i < 4; i++)
		whole->told += is_hung_up_on(few[i]);
	close_all(many, MANY);
	close_all(few, 4);
}

static void idle_ones_of_who_has_most_make_room(void **state)
{
	struct world *world = *state;

	http_world_serve(&world->http, ask_beside_idle_known_ones);
	assert_int_equal(world->status_before, 200);
	assert_true(world->hangups.quietest);
	assert_int_equal(world->hangups.sum, 1);
	assert_int_equal(world->told, 0);
}

static void listen_at_loopback(struct http_world *world)
{
	char url[64];

	world->port = http_world_free_port();
	snprintf(url, sizeof url, "http://127.0.0.1:%u", world->port);
	assert_int_equal(http_world_listen(world, url), 0);
}

/* One more than it may have: its quietest goes. Where all of them are busy, the newcomer is
 * refused. */
static void keep_more_than_allowed(struct http_world *world)
{
	static const char head[] = "POST / HTTP/1.1\r\nHost: localhost\r\nX-Client: one\r\n"
				   "Connection: close\r\nContent-Length: 4\r\n\r\n12";
	struct world *whole = (struct world *)world;
	int idle[HTTP_PER_CLIENT_MAX + 1], busy[HTTP_PER_CLIENT_MAX];

	keep_idle(world, idle, HTTP_PER_CLIENT_MAX + 1, "one");
	whole->hangups = await_hangup(idle, HTTP_PER_CLIENT_MAX + 1);
	whole->heads = 0;
	for (int i = 0; i < HTTP_PER_CLIENT_MAX; i++) {
		busy[i] = http_world_connect(world);
		http_world_send(busy[i], head, sizeof head - 1);
	}
	await_heads(whole, HTTP_PER_CLIENT_MAX);
	whole->status_before = http_world_ask(world, "GET /", "X-Client: one\r\n", NULL);
	for (int i = 0; i < HTTP_PER_CLIENT_MAX; i++) {
		http_world_send(busy[i], "34", 2);
		http_world_receive(world, busy[i]);
		whole->told += http_world_status(world) == 200;
	}
	close_all(idle, HTTP_PER_CLIENT_MAX + 1);
}

static void a_client_has_so_many_and_no_more(void **state)
{
	struct world *world = *state;

	listen_at_loopback(&world->http);
	http_world_serve(&world->http, keep_more_than_allowed);
	assert_true(world->hangups.quietest);
	assert_int_equal(world->hangups.sum, 1);
	assert_int_equal(world->status_before, 429);
	assert_int_equal(world->told, HTTP_PER_CLIENT_MAX);
}

/* Two that send as much as they may, from one address, leave places for a third. */
static void ask_beside_greedy_ones(struct http_world *world)
{
	enum { EACH = HTTP_PER_CLIENT_MAX };
	struct world *whole = (struct world *)world;
	int busy[2 * EACH], few[HTTP_FEW];
	char head[160];

	for (unsigned i = 0; i < 2 * EACH; i++) {
		busy[i] = http_world_connect(world);
		http_world_send(busy[i], head,
				(size_t)snprintf(head, sizeof head,
						 "POST / HTTP/1.1\r\nHost: localhost\r\nX-Client: "
						 "%u\r\nConnection: close\r\n"
						 "Content-Length: 4\r\n\r\n12",
						 i % 2));
		while (whole->heads <= i)
			usleep(1000);
	}
	keep_idle(world, few, HTTP_FEW, "few");
	whole->status_before = http_world_ask(world, "GET /", "X-Client: few\r\n", NULL);
	for (int i = 0; i < 2 * EACH; i++) {
		http_world_send(busy[i], "34", 2);
		http_world_receive(world, busy[i]);
		whole->told += http_world_status(world) == 200;
	}
	close_all(few, HTTP_FEW);
}

static void greedy_clients_leave_places_for_one_with_few(void **state)
{
	struct world *world = *state;

	listen_at_loopback(&world->http);
	http_world_serve(&world->http, ask_beside_greedy_ones);
	assert_int_equal(world->status_before, 200);
	assert_int_equal(world->told, HTTP_PER_ADDRESS_MAX - HTTP_PER_ADDRESS_MAX / HTTP_KEPT);
}

/* ---- listeners ---- */

static void ask_by_tcp(struct http_world *world)
{
	((struct world *)world)->status_before = http_world_ask(world, "GET /1", "", NULL);
	world->port = 0;
	http_world_ask(world, "GET /2", "", NULL);
}

static void a_url_is_listened_at_beside_the_socket(void **state)
{
	struct world *world = *state;
	char url[64];
	unsigned port = http_world_free_port();
	snprintf(url, sizeof url, "http://127.0.0.1:%u", port);
	assert_int_equal(http_world_listen(&world->http, url), 0);
	assert_int_not_equal(http_world_listen(&world->http, url), 0);
	/* An address that no interface has may come later. */
	assert_int_equal(http_world_listen(&world->http, "http://192.0.2.55:8053"), 0);
	assert_non_null(strstr(world->http.error, url));
	assert_non_null(strstr(world->http.error, "in use"));
	world->http.port = port;
	http_world_serve(&world->http, ask_by_tcp);
	assert_int_equal(world->status_before, 200);
	assert_int_equal(http_world_status(&world->http), 200);
}

static void write_pem(const char *path, const gnutls_datum_t *pem)
{
	FILE *file = fopen(path, "w");
	assert_int_equal(fwrite(pem->data, 1, pem->size, file), pem->size);
	fclose(file);
}

/* A certificate for 127.0.0.1, signed by itself, and its key. */
static void make_certificate(const char *certificate_path, const char *key_path)
{
	static const unsigned char loopback[] = {127, 0, 0, 1};
	gnutls_x509_privkey_t key;
	gnutls_x509_crt_t certificate;
	gnutls_datum_t pem;
	gnutls_x509_privkey_init(&key);
	gnutls_x509_crt_init(&certificate);
	assert_int_equal(
		gnutls_x509_privkey_generate(key, GNUTLS_PK_ECDSA,
					     GNUTLS_CURVE_TO_BITS(GNUTLS_ECC_CURVE_SECP256R1), 0),
		0);
	gnutls_x509_crt_set_version(certificate, 3);
	gnutls_x509_crt_set_serial(certificate, "\1", 1);
	gnutls_x509_crt_set_activation_time(certificate, time(NULL) - 60);
	gnutls_x509_crt_set_expiration_time(certificate, time(NULL) + 3600);
	gnutls_x509_crt_set_dn(certificate, "CN=sluice", NULL);
	gnutls_x509_crt_set_key(certificate, key);
	gnutls_x509_crt_set_subject_alt_name(certificate, GNUTLS_SAN_IPADDRESS, loopback, 4,
					     GNUTLS_FSAN_SET);
	assert_int_equal(gnutls_x509_crt_sign2(certificate, certificate, key, GNUTLS_DIG_SHA256, 0),
			 0);
	assert_int_equal(gnutls_x509_crt_export2(certificate, GNUTLS_X509_FMT_PEM, &pem), 0);
	write_pem(certificate_path, &pem);
	gnutls_free(pem.data);
	assert_int_equal(gnutls_x509_privkey_export2(key, GNUTLS_X509_FMT_PEM, &pem), 0);
	write_pem(key_path, &pem);
	gnutls_free(pem.data);
	gnutls_x509_crt_deinit(certificate);
	gnutls_x509_privkey_deinit(key);
}

static size_t ignore(char *data, size_t size, size_t count, void *context)
{
	(void)data;
	(void)context;
	return size * count;
}

static char tls_url[64], tls_certificate[64], tls_key[64];

static long ask_by_tls(long version)
{
	long status = 0;
	CURL *curl = curl_easy_init();
	curl_easy_setopt(curl, CURLOPT_URL, tls_url);
	curl_easy_setopt(curl, CURLOPT_CAINFO, tls_certificate);
	curl_easy_setopt(curl, CURLOPT_PROXY, "");
	curl_easy_setopt(curl, CURLOPT_TIMEOUT_MS, 60000L);
	curl_easy_setopt(curl, CURLOPT_NOSIGNAL, 1L);
	curl_easy_setopt(curl, CURLOPT_WRITEFUNCTION, ignore);
	curl_easy_setopt(curl, CURLOPT_SSLVERSION, version);
	if (curl_easy_perform(curl) == CURLE_OK)
		curl_easy_getinfo(curl, CURLINFO_RESPONSE_CODE, &status);
	curl_easy_cleanup(curl);
	return status;
}

static void ask_by_every_tls(struct http_world *world)
{
	struct world *whole = (struct world *)world;
	whole->status_before = (unsigned)ask_by_tls(CURL_SSLVERSION_TLSv1_3) +
			       (unsigned)ask_by_tls((long)CURL_SSLVERSION_TLSv1_2 |
						    (long)CURL_SSLVERSION_MAX_TLSv1_2);
	whole->told = (unsigned)ask_by_tls((long)CURL_SSLVERSION_TLSv1_0 |
					   (long)CURL_SSLVERSION_MAX_TLSv1_1);
	http_world_ask(world, "GET /plain", "", NULL);
}

static void use_new_certificate(struct world *world)
{
	snprintf(tls_certificate, sizeof tls_certificate, "%s/c.pem", world->http.directory);
	snprintf(tls_key, sizeof tls_key, "%s/k.pem", world->http.directory);
	make_certificate(tls_certificate, tls_key);
	struct http_certificate *certificate =
		http_certificate_load(tls_certificate, tls_key, world->http.error);
	assert_non_null(certificate);
	http_use_certificate(world->http.http, certificate);
}

static void listen_by_tls(struct world *world)
{
	use_new_certificate(world);
	world->http.port = http_world_free_port();
	snprintf(tls_url, sizeof tls_url, "https://127.0.0.1:%u", world->http.port);
	assert_int_equal(http_world_listen(&world->http, tls_url), 0);
}

static void forget_certificate(void)
{
	unlink(tls_certificate);
	unlink(tls_key);
}

static void https_speaks_tls_1_2_and_later_and_nothing_else(void **state)
{
	struct world *world = *state;
	listen_by_tls(world);
	http_world_serve(&world->http, ask_by_every_tls);
	assert_int_equal(world->status_before, 200 + 200);
	assert_int_equal(world->told, 0);
	assert_int_not_equal(http_world_status(&world->http), 200);
	assert_int_equal(world->handled, 2);
	forget_certificate();
}

static void ask_once_by_tls(struct http_world *world)
{
	((struct world *)world)->status_before = (unsigned)ask_by_tls(CURL_SSLVERSION_DEFAULT);
}

static void a_new_certificate_is_shown_from_then_on(void **state)
{
	struct world *world = *state;
	char old[80];
	listen_by_tls(world);
	http_world_serve(&world->http, ask_once_by_tls);
	assert_int_equal(world->status_before, 200);
	snprintf(old, sizeof old, "%s.old", tls_certificate);
	assert_int_equal(rename(tls_certificate, old), 0);
	use_new_certificate(world);
	http_world_serve(&world->http, ask_once_by_tls);
	assert_int_equal(world->status_before, 200);
	assert_int_equal(rename(old, tls_certificate), 0);
	http_world_serve(&world->http, ask_once_by_tls);
	assert_int_equal(world->status_before, 0); /* the old one is not shown any more */
	forget_certificate();
}

static void certificates_that_cannot_be_used_are_told(void **state)
{
	struct world *world = *state;
	char path[64], other[64], *error = world->http.error;
	snprintf(path, sizeof path, "%s/x.pem", world->http.directory);
	snprintf(other, sizeof other, "%s/y.pem", world->http.directory);
	assert_null(http_certificate_load(path, path, error));
	assert_non_null(strstr(error, path));
	FILE *file = fopen(path, "w");
	fputs("-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n", file);
	fclose(file);
	assert_null(http_certificate_load(path, path, error));
	assert_non_null(strstr(error, "management.certificate"));
	make_certificate(path, other);
	struct http_certificate *certificate = http_certificate_load(path, other, error);
	assert_non_null(certificate);
	http_certificate_free(certificate);
	make_certificate("/dev/null", other); /* the key of another pair */
	assert_null(http_certificate_load(path, other, error));
	assert_non_null(strstr(error, "cannot be used"));
	unlink(path);
	unlink(other);
}

/* ---- the end ---- */

static void ask_one_that_pauses(struct http_world *world)
{
	static const char text[] = "GET /2 HTTP/1.1\r\nHost: s\r\nConnection: close\r\n\r\n";
	struct world *all = (struct world *)world;
	int known = http_world_connect(world);
	all->status_before = http_world_ask(world, "GET /1", "", NULL);
	http_pause(world->http);
	http_world_send(known, text, sizeof text - 1);
	http_world_receive(world, known);
}

static void one_that_pauses_refuses_what_is_asked_on_connections_that_are_there(void **state)
{
	struct world *world = *state;
	http_world_serve(&world->http, ask_one_that_pauses);
	assert_int_equal(world->status_before, 200);
	assert_int_equal(http_world_status(&world->http), 503);
	assert_string_equal(http_world_header(&world->http, "Retry-After"), "1");
	assert_int_equal(world->handled, 1);
}

static void leave_requests_behind(struct http_world *world)
{
	static const char text[] = "GET / HTTP/1.1\r\nHost: s\r\n\r\n";
	int fd = http_world_connect(world);
	http_world_send(fd, text, sizeof text - 1);
	while (((struct world *)world)->heads == 0)
		usleep(1000);
	usleep(200 * 1000); /* the loop does not run meanwhile */
	((struct world *)world)->told = (unsigned)fd;
}

static void run_alone(void *context)
{
	leave_requests_behind(context);
}

static void closing_hangs_up_on_requests_that_nobody_has_seen(void **state)
{
	struct world *world = *state;
	uv_thread_t thread;
	char byte;
	assert_int_equal(uv_thread_create(&thread, run_alone, &world->http), 0);
	uv_thread_join(&thread);
	http_close(world->http.http);
	world->http.http = NULL;
	assert_int_equal(recv((int)world->told, &byte, 1, 0), 0);
	close((int)world->told);
	assert_int_equal(world->handled, 0);
}

static void hold_many(struct http_world *world)
{
	static const char text[] = "GET /held HTTP/1.1\r\nHost: s\r\n\r\n";
	int fds[HELD];
	for (unsigned i = 0; i < HELD; i++) {
		fds[i] = http_world_connect(world);
		http_world_send(fds[i], text, sizeof text - 1);
	}
	for (unsigned i = 0; i < HELD; i++) {
		http_world_receive(world, fds[i]);
		((struct world *)world)->told += http_world_status(world) == 204;
	}
}

static void answers_that_were_given_are_sent_before_all_is_closed(void **state)
{
	struct world *world = *state;
	http_world_serve(&world->http, hold_many);
	for (int i = 0; i < 10 && world->gave_up; i++) { /* the machine was busy */
		tear_down(state);
		set_up(state);
		world = *state;
		http_world_serve(&world->http, hold_many);
	}
	assert_false(world->gave_up);
	assert_int_equal(world->handled, HELD);
	assert_int_equal(world->told, HELD);
}

static int ask_by_hand(struct http_world *world, const char *text)
{
	int fd = http_world_connect(world);
	http_world_send(fd, text, strlen(text));
	return fd;
}

/* One takes no answer, and another one's requests are refused all the time. */
static void keep_answers_coming(struct http_world *world)
{
	struct world *all = (struct world *)world;
	int slow = ask_by_hand(world, "GET /huge HTTP/1.1\r\nHost: s\r\n\r\n");
	int end = ask_by_hand(world, "GET /end HTTP/1.1\r\nHost: s\r\n\r\n");
	for (all->told = 0; !all->ended && all->told < ROUNDS_MAX; all->told++) {
		http_world_ask(world, "GET /refused", "", NULL);
		usleep(50 * 1000);
	}
	close(slow);
	close(end);
}

static void closing_waits_no_longer_for_whoever_keeps_asking(void **state)
{
	struct world *world = *state;
	http_world_serve(&world->http, keep_answers_coming);
	assert_true(world->ended);
	assert_true(world->told < ROUNDS_MAX);
}

int main(void)
{
#define TEST(name)      cmocka_unit_test_setup_teardown(name, set_up, tear_down)
#define IMPATIENT(name) cmocka_unit_test_setup_teardown(name, set_up_impatient, tear_down)
	const struct CMUnitTest tests[] = {
		/* first: what runs for the first time is slow enough to be caught in it */
		TEST(answers_that_were_given_are_sent_before_all_is_closed),
		TEST(closing_waits_no_longer_for_whoever_keeps_asking),
		TEST(a_request_reaches_the_control_thread_as_it_was_sent),
		TEST(a_whole_url_is_taken_too),
		TEST(a_target_that_is_no_path_is_refused),
		TEST(head_is_answered_with_a_length_and_no_body),
		TEST(an_answer_may_have_no_body),
		TEST(requests_of_one_connection_are_answered_in_their_order),
		TEST(an_answer_may_come_later_and_others_need_not_wait_for_it),
		TEST(a_client_that_leaves_before_its_answer_harms_nobody),
		TEST(a_long_answer_comes_whole),
		TEST(a_body_at_the_maximum_is_read_and_one_over_it_refused),
		TEST(a_route_may_take_a_longer_body),
		TEST(a_body_that_is_far_too_long_is_not_even_read),
		TEST(who_is_refused_at_the_head_does_not_reach_the_control_thread),
		TEST(who_waits_for_100_continue_is_refused_without_sending),
		TEST(a_head_that_is_too_long_is_refused),
		IMPATIENT(nonsense_is_not_served_and_harms_nobody),
		IMPATIENT(a_client_without_progress_is_hung_up_on),
		IMPATIENT(a_client_that_drips_is_hung_up_on),
		IMPATIENT(a_client_that_drips_its_head_is_hung_up_on_sooner),
		TEST(who_has_been_quiet_for_longest_makes_room),
		TEST(who_has_shown_credentials_does_not_make_room_for_strangers),
		TEST(idle_ones_of_who_has_most_make_room),
		TEST(a_client_has_so_many_and_no_more),
		TEST(greedy_clients_leave_places_for_one_with_few),
		TEST(a_url_is_listened_at_beside_the_socket),
		TEST(https_speaks_tls_1_2_and_later_and_nothing_else),
		TEST(a_new_certificate_is_shown_from_then_on),
		TEST(certificates_that_cannot_be_used_are_told),
		TEST(one_that_pauses_refuses_what_is_asked_on_connections_that_are_there),
		TEST(closing_hangs_up_on_requests_that_nobody_has_seen),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
