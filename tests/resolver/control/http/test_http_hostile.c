/* HTTP's bytes from clients that mean harm: bodies with two ends or none, answers that nobody
 * takes, more requests than can be seen to, and who is served first then. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <dirent.h>
#include <stdatomic.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#include "tests/lib/http_world.h"

enum {
	HUGE_ANSWER = 8 * 1024 * 1024,
	HELD_MAX = 3 * 1024 * 1024,
	ENDLESS = 256 * 1024 * 1024,
	MANY = 24, /* more than one turn takes */
};

struct world {
	struct http_world http; /* first */
	atomic_uint handled;
	atomic_bool open; /* what a request for /gate waits for, and the control thread with it */
	char order[MANY + 8]; /* the first letter of each path, as they were handled */
	uv_prepare_t round;
	unsigned in_round, most_in_round;
	unsigned told;
	bool hung_up, begun, said;
};

/* ---- the server: paths say what it does ---- */

static void on_head(void *context, struct http_request *request)
{
	(void)context;
	if (strcmp(request->path, "/refused") == 0)
		http_reply(request, 403, "text/plain", strdup("no"), 2);
}

static void wait_for_the_gate(struct world *world)
{
	while (!world->open)
		usleep(1000);
}

static void on_request(void *context, struct http_request *request)
{
	struct world *world = context;
	size_t length = strcmp(request->path, "/huge") == 0 ? HUGE_ANSWER : 4;
	char *text = malloc(length);
	memset(text, 'x', length);
	unsigned number = world->handled++;
	if (number < sizeof world->order - 1)
		world->order[number] = request->path[1];
	if (++world->in_round > world->most_in_round)
		world->most_in_round = world->in_round;
	if (strcmp(request->path, "/gate") == 0)
		wait_for_the_gate(world);
	http_reply(request, 200, "text/plain", text, length);
}

static char *on_error(void *context, const struct http_request *request, unsigned status,
		      const char *text)
{
	(void)context;
	char *body = NULL;
	int length = asprintf(&body, "error %u of %s: %s", status, request->path, text);
	return length < 0 ? NULL : body;
}

static void on_round(uv_prepare_t *round)
{
	((struct world *)round->data)->in_round = 0;
}

static int set_up(void **state)
{
	char url[64];
	struct world *world = calloc(1, sizeof *world);
	struct http_handler handler = {.on_head = on_head,
				       .on_request = on_request,
				       .on_error = on_error,
				       .context = world,
				       .held_max = HELD_MAX};
	http_world_init(&world->http);
	uv_prepare_init(&world->http.loop, &world->round);
	uv_prepare_start(&world->round, on_round);
	world->round.data = world;
	http_world_open(&world->http, &handler);
	world->http.port = http_world_free_port();
	snprintf(url, sizeof url, "http://127.0.0.1:%u", world->http.port);
	assert_int_equal(http_world_listen(&world->http, url), 0);
	*state = world;
	return 0;
}

static int tear_down(void **state)
{
	struct world *world = *state;
	uv_close((uv_handle_t *)&world->round, NULL);
	http_world_release(&world->http);
	free(world);
	return 0;
}

/* ---- bodies ---- */

#define POST      "POST /a HTTP/1.1\r\nHost: localhost\r\n"
#define SMUGGLED  "GET /smuggled HTTP/1.1\r\nHost: localhost\r\n\r\n"
#define LENGTH(n) "Content-Length: " #n "\r\n"
#define CHUNKED   "Transfer-Encoding: chunked\r\n"

static const char *const two_ends[] = {
	POST LENGTH(0) LENGTH(36) "\r\n" SMUGGLED,
	POST LENGTH(36) LENGTH(0) "\r\n" SMUGGLED,
	POST LENGTH(4) CHUNKED "\r\n0\r\n\r\n" SMUGGLED,
	POST CHUNKED LENGTH(4) "\r\n0\r\n\r\n" SMUGGLED,
	POST CHUNKED CHUNKED "\r\n0\r\n\r\n" SMUGGLED,
	POST "Transfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n" SMUGGLED,
	POST "Transfer-Encoding: identity\r\n\r\n" SMUGGLED,
};
enum { TWO_ENDS = sizeof two_ends / sizeof *two_ends };

static void send_two_ends(struct http_world *world)
{
	for (size_t i = 0; i < TWO_ENDS; i++) {
		int fd = http_world_connect(world);
		http_world_send(fd, two_ends[i], strlen(two_ends[i]));
		http_world_receive(world, fd);
		((struct world *)world)->told += http_world_status(world) == 400;
	}
	http_world_ask(world, "POST /a", "Transfer-Encoding: chunked\r\n\r\n0\r\n", NULL);
}

static void a_body_whose_end_is_told_twice_is_refused_with_all_behind_it(void **state)
{
	struct world *world = *state;
	http_world_serve(&world->http, send_two_ends);
	assert_int_equal(world->told, TWO_ENDS);
	assert_int_equal(http_world_status(&world->http), 200); /* with one end */
	assert_string_equal(world->order, "a");
}

/* RFC 9112 section 5.1; and what is no name at all. */
static const char *const odd_names[] = {
	POST "Content-Length : 36\r\n\r\n" SMUGGLED,
	POST "Content-Length\t: 36\r\n\r\n" SMUGGLED,
	POST LENGTH(4) "Transfer-Encoding : chunked\r\n\r\n0\r\n\r\n" SMUGGLED,
	POST "X-Any : a\r\n\r\n" SMUGGLED,
	POST "X(y): a\r\n\r\n" SMUGGLED,
	"POST /a HTTP/1.1\r\n Host: localhost\r\n\r\n" SMUGGLED,
	"POST /a HTTP/1.1\r\nHost : s\r\n\r\n" SMUGGLED,
	POST "Host: t\r\n\r\n" SMUGGLED,
	"POST /a HTTP/1.1\r\n\r\n" SMUGGLED,
};
enum { ODD_NAMES = sizeof odd_names / sizeof *odd_names };

static void send_odd_names(struct http_world *world)
{
	for (size_t i = 0; i < ODD_NAMES; i++) {
		int fd = http_world_connect(world);
		http_world_send(fd, odd_names[i], strlen(odd_names[i]));
		http_world_receive(world, fd);
		((struct world *)world)->told += http_world_status(world) == 400;
	}
}

static void a_header_that_a_proxy_may_read_in_another_way_is_refused(void **state)
{
	struct world *world = *state;
	http_world_serve(&world->http, send_odd_names);
	assert_int_equal(world->told, ODD_NAMES);
	assert_int_equal(world->handled, 0);
}

/* ---- who is meant ---- */

static const char *host_line;

static void ask_for_host(struct http_world *world)
{
	char text[512];
	int fd = http_world_connect(world);
	int length = snprintf(text, sizeof text, "%s\r\nConnection: close\r\n\r\n", host_line);
	http_world_send(fd, text, (size_t)length);
	http_world_receive(world, fd);
}

static unsigned status_of_host(struct world *world, const char *line)
{
	host_line = line;
	http_world_serve(&world->http, ask_for_host);
	return http_world_status(&world->http);
}

static void a_host_that_is_not_ours_is_misdirected(void **state)
{
	struct world *world = *state;
	static const char *const names[] = {"dns.example", "192.0.2.7", "2001:db8::7"};
	static const char *const ours[] = {"127.0.0.1",    "127.0.0.1:1", "localhost",
					   "LOCALHOST:80", "[::1]:8053",  "127.9.9.9"};
	static const char *const listed[] = {"dns.example", "DNS.example:443", "192.0.2.7:80",
					     "[2001:db8::7]", "[2001:DB8::7]:80"};
	static const char *const others[] = {"",
					     ":80",
					     "evil.example",
					     "localhost.evil.example",
					     "evil.example:localhost",
					     "10.0.0.1",
					     "dns.example.",
					     "x.dns.example",
					     "[]",
					     "[::2]",
					     "localhost@evil.example",
					     "127.0.0.1:1@evil.example"};
	char line[256];
	for (size_t i = 0; i < sizeof ours / sizeof *ours; i++) {
		snprintf(line, sizeof line, "GET / HTTP/1.1\r\nHost: %s", ours[i]);
		assert_int_equal(status_of_host(world, line), 200);
		snprintf(line, sizeof line, "GET http://%s/ HTTP/1.1\r\nHost: localhost", ours[i]);
		assert_int_equal(status_of_host(world, line), 200);
	}
	for (size_t i = 0; i < sizeof listed / sizeof *listed; i++) {
		snprintf(line, sizeof line, "GET / HTTP/1.1\r\nHost: %s", listed[i]);
		http_use_hosts(world->http.http, NULL);
		assert_int_equal(status_of_host(world, line), 421);
		http_use_hosts(world->http.http, http_hosts_new(names, 3));
		assert_int_equal(status_of_host(world, line), 200);
	}
	world->handled = 0;
	for (size_t i = 0; i < sizeof others / sizeof *others; i++) {
		snprintf(line, sizeof line, "GET / HTTP/1.1\r\nHost: %s", others[i]);
		assert_int_equal(status_of_host(world, line), 421);
		snprintf(line, sizeof line, "GET http://%s/ HTTP/1.1\r\nHost: localhost",
			 others[i]);
		assert_int_equal(status_of_host(world, line), 421);
	}
	assert_non_null(strstr(http_world_body(&world->http), "error 421 of /: the Host header"));
	assert_int_equal(world->handled, 0);
	world->http.port = 0; /* the socket's clients are known by the kernel's word */
	assert_int_equal(status_of_host(world, "GET / HTTP/1.1\r\nHost: evil.example"), 200);
}

/* ---- bodies without end ---- */

static void send_without_end(struct http_world *world)
{
	static const char head[] = "POST /refused HTTP/1.1\r\nHost: localhost\r\n" CHUNKED "\r\n";
	static char chunk[8 + 0x10000 + 2] = "10000\r\n";
	size_t length = strlen(chunk), sent = 0;
	int fd = http_world_connect(world);
	memset(chunk + length, 'x', 0x10000);
	memcpy(chunk + length + 0x10000, "\r\n", 2);
	length += 0x10000 + 2;
	http_world_send(fd, head, sizeof head - 1);
	for (ssize_t more = 0; more >= 0 && sent < ENDLESS; sent += (size_t)more) {
		more = send(fd, chunk + sent % length, length - sent % length, MSG_NOSIGNAL);
		if (more < 0)
			break;
	}
	((struct world *)world)->hung_up = sent < ENDLESS;
	close(fd);
}

static void a_body_without_end_that_nobody_wants_is_hung_up_on(void **state)
{
	struct world *world = *state;
	http_world_serve(&world->http, send_without_end);
	assert_true(world->hung_up);
}

/* ---- answers that are not taken ---- */

static unsigned ask_again(struct http_world *world, const char *what, unsigned wanted)
{
	for (unsigned tries = 0; tries < 1200 && http_world_ask(world, what, "", NULL) != wanted;
	     tries++)
		usleep(50 * 1000);
	return http_world_status(world);
}

static void take_nothing(struct http_world *world)
{
	static const char text[] =
		"GET /huge HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n";
	struct world *whole = (struct world *)world;
	unsigned port = world->port;
	char byte;
	int fd = http_world_connect(world);
	http_world_send(fd, text, sizeof text - 1);
	whole->begun = recv(fd, &byte, 1, 0) == 1;
	whole->told = http_world_ask(world, "GET /huge", "", NULL);
	whole->said = strstr(http_world_body(world), "error 503 of /huge: other clients");
	whole->told += http_world_ask(world, "GET /small", "", NULL);
	world->port = 0;
	whole->told += http_world_ask(world, "GET /huge", "", NULL);
	world->port = port;
	close(fd);
	whole->told += ask_again(world, "GET /huge", 200);
}

static void long_answers_that_nobody_takes_leave_room_for_small_ones_and_the_socket(void **state)
{
	struct world *world = *state;
	http_world_serve(&world->http, take_nothing);
	assert_true(world->begun && world->said);
	assert_int_equal(world->told, 503 + 200 + 200 + 200);
}

/* ---- who is served first ---- */

/* When it returns, the listener has handed over all that it was sent before: refusals are its own
 * to answer, and the second one comes in a later round of its loop. */
static void let_listener_catch_up(struct http_world *world)
{
	for (unsigned i = 0; i < 2; i++)
		((struct world *)world)->told -=
			http_world_ask(world, "GET /refused", "", NULL) != 403;
}

static int send_get(struct http_world *world, const char *path)
{
	char text[128];
	int fd = http_world_connect(world);
	int length =
		snprintf(text, sizeof text,
			 "GET %s HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n", path);
	http_world_send(fd, text, (size_t)length);
	return fd;
}

/* Many by TCP and then one at the socket, while the control thread is busy with another. */
static void crowd(struct http_world *world)
{
	struct world *whole = (struct world *)world;
	unsigned port = world->port;
	int fds[MANY + 2], count = 0;
	fds[count++] = send_get(world, "/gate");
	while (whole->handled == 0)
		usleep(1000);
	while (count <= MANY)
		fds[count++] = send_get(world, "/tcp");
	let_listener_catch_up(world);
	world->port = 0;
	fds[count++] = send_get(world, "/unix");
	let_listener_catch_up(world);
	world->port = port;
	whole->open = true;
	for (int i = 0; i < count; i++) {
		http_world_receive(world, fds[i]);
		whole->told += http_world_status(world) == 200;
	}
}

static void the_socket_comes_before_urls(void **state)
{
	struct world *world = *state;
	http_world_serve(&world->http, crowd);
	assert_int_equal(world->told, MANY + 2);
	assert_memory_equal(world->order, "gut", 3);
}

static void the_control_thread_does_its_other_work_in_between(void **state)
{
	struct world *world = *state;
	http_world_serve(&world->http, crowd);
	assert_in_range(world->most_in_round, 2, MANY - 1);
}

/* ---- DNS first ---- */

/* The niceness of one of our threads; `found` when it is a listener's. */
static int niceness(const char *thread, bool *found)
{
	char path[300], text[1024] = "";
	snprintf(path, sizeof path, "/proc/self/task/%s/stat", thread);
	FILE *file = fopen(path, "r");
	size_t length = file ? fread(text, 1, sizeof text - 1, file) : 0;
	if (file)
		fclose(file);
	const char *at = length ? strrchr(text, ')') : NULL;
	*found = at && strstr(text, "(MHD");
	for (int field = 2; at && field < 19; field++) { /* proc(5): 2 is the name, 19 is this */
		at = strchr(at, ' ');
		at = at ? at + 1 : NULL;
	}
	return at ? (int)strtol(at, NULL, 10) : 0;
}

/* So that their threads have their names. */
static void ask_both(struct http_world *world)
{
	http_world_ask(world, "GET /small", "", NULL);
	world->port = 0;
	http_world_ask(world, "GET /small", "", NULL);
}

static void listeners_threads_are_nicer_than_others(void **state)
{
	struct world *world = *state;
	http_world_serve(&world->http, ask_both);
	enum { NICEST = 19 };
	int own = getpriority(PRIO_PROCESS, 0);
	int wanted = own + HTTP_NICENESS < NICEST ? own + HTTP_NICENESS : NICEST;
	unsigned listeners = 0;
	DIR *threads = opendir("/proc/self/task");
	for (struct dirent *entry; (entry = readdir(threads));) {
		bool found;
		int nice_of = niceness(entry->d_name, &found);
		if (found)
			assert_int_equal(nice_of, wanted);
		listeners += found;
	}
	closedir(threads);
	assert_int_equal(listeners, 2); /* the socket's and the URL's */
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
	const struct CMUnitTest tests[] = {
		TEST(a_body_whose_end_is_told_twice_is_refused_with_all_behind_it),
		TEST(a_header_that_a_proxy_may_read_in_another_way_is_refused),
		TEST(a_host_that_is_not_ours_is_misdirected),
		TEST(a_body_without_end_that_nobody_wants_is_hung_up_on),
		TEST(long_answers_that_nobody_takes_leave_room_for_small_ones_and_the_socket),
		TEST(the_socket_comes_before_urls),
		TEST(the_control_thread_does_its_other_work_in_between),
		TEST(listeners_threads_are_nicer_than_others),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
