/* Where a command looks for the server: the option, the file, the default, and that a file which
 * cannot be read does not lead elsewhere. What it sends there, and what it says when nothing comes
 * of it. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "resolver/control/command/client.h"
#include "tests/lib/config_text.h"
#include "tests/lib/http_world.h"

struct world {
	struct config_text files;
	struct command_line line;
	char path[CLIENT_PATH_MAX];
	struct http_world http;
	char seen[512];
	/* what is called, and what came of it */
	struct client_call call;
	unsigned status;
	json_t *answer;
	char error[CLIENT_ERROR_MAX];
};

static int set_up(void **state)
{
	struct world *world = calloc(1, sizeof *world);
	config_text_init(&world->files);
	world->line.config = world->files.main_file;
	http_world_init(&world->http);
	*state = world;
	return 0;
}

static int tear_down(void **state)
{
	struct world *world = *state;
	json_decref(world->answer);
	http_world_release(&world->http);
	config_text_release(&world->files);
	free(world);
	return 0;
}

static void assert_path(struct world *world, const char *config, const char *expected)
{
	char full[CLIENT_PATH_MAX];
	config_text_put(&world->files, "sluice.conf", config);
	snprintf(full, sizeof full, "%s%s%s", *expected == '/' ? "" : world->files.directory,
		 *expected == '/' ? "" : "/", expected);
	assert_true(client_socket_path(&world->line, world->path));
	assert_string_equal(world->path, full);
}

/* What stderr gets meanwhile, to `said`. */
struct listening {
	FILE *caught;
	int before;
};

static struct listening listen_begin(void)
{
	struct listening listening = {tmpfile(), dup(STDERR_FILENO)};
	dup2(fileno(listening.caught), STDERR_FILENO);
	return listening;
}

static void listen_end(struct listening *listening, char said[512])
{
	fflush(stderr);
	dup2(listening->before, STDERR_FILENO);
	close(listening->before);
	ssize_t length = pread(fileno(listening->caught), said, 511, 0);
	said[length > 0 ? length : 0] = '\0';
	fclose(listening->caught);
}

/* It leads nowhere, and both lines of why are said. */
static void assert_no_path(struct world *world, const char *why)
{
	char said[512];
	struct listening listening = listen_begin();
	bool found = client_socket_path(&world->line, world->path);
	listen_end(&listening, said);
	assert_false(found);
	if (!strstr(said, why))
		assert_string_equal(said, why);
	assert_non_null(strstr(said, world->line.config));
	assert_non_null(strstr(said, "give --socket PATH\n"));
}

static void the_option_comes_first(void **state)
{
	struct world *world = *state;
	world->line.socket = "/run/other.sock";
	assert_path(world, "management = { socket = \"/run/x.sock\"; };\n", "/run/other.sock");
}

static void the_file_s_path_is_relative_to_the_file(void **state)
{
	struct world *world = *state;
	assert_path(world, "management = { socket = \"/run/x.sock\"; };\n", "/run/x.sock");
	assert_path(world, "management = { socket = \"x.sock\"; };\n", "x.sock");
	config_text_put(&world->files, "more.conf", "management = { socket = \"y.sock\"; };\n");
	assert_path(world, "@include \"more.conf\"\n", "y.sock");
}

/* As the server means it. */
static void an_included_file_s_path_is_relative_to_that_file(void **state)
{
	struct world *world = *state;
	char path[CLIENT_PATH_MAX];
	snprintf(path, sizeof path, "%s/more", world->files.directory);
	assert_int_equal(mkdir(path, 0700), 0);
	config_text_put(&world->files, "more/more.conf",
			"management = { socket = \"z.sock\"; };\n");
	assert_path(world, "@include \"more/more.conf\"\n", "more/z.sock");
	snprintf(path, sizeof path, "%s/more/more.conf", world->files.directory);
	unlink(path);
	snprintf(path, sizeof path, "%s/more", world->files.directory);
	rmdir(path);
}

static void a_file_full_of_faults_still_says_where(void **state)
{
	struct world *world = *state;
	assert_path(world,
		    "workers = \"many\"; nonsense = 1;\nmanagement = { socket = \"x.sock\"; };\n",
		    "x.sock");
}

static void a_file_that_does_not_say_means_the_default(void **state)
{
	struct world *world = *state;
	assert_path(world, "region = \"r\";\n", "/run/sluice/control.sock");
}

static void a_file_that_cannot_be_read_does_not_mean_the_default(void **state)
{
	struct world *world = *state;
	config_text_put(&world->files, "sluice.conf",
			"management = { socket = \"x.sock\"; };\nregion = ;\n");
	assert_no_path(world, "sluice.conf:2: syntax error; ");
	config_text_put(&world->files, "sluice.conf", "management = { socket = 5; };\n");
	assert_no_path(world, "sluice.conf:1: management.socket: is an integer; ");
	config_text_put(&world->files, "sluice.conf", "@include \"none.conf\"\n");
	assert_no_path(world, "none.conf cannot be read: No such file");
	world->line.config = "/nonexistent/sluice.conf";
	assert_no_path(world, "cannot be read: No such file");
}

static void the_default_file_may_be_absent(void **state)
{
	struct world *world = *state;
	if (access(COMMAND_CONFIG_DEFAULT, F_OK) == 0)
		skip();
	world->line.config = COMMAND_CONFIG_DEFAULT;
	assert_true(client_socket_path(&world->line, world->path));
	assert_string_equal(world->path, "/run/sluice/control.sock");
}

/* ---- calls ---- */

static void on_head(void *context, struct http_request *request)
{
	(void)context;
	(void)request;
}

static const char *header(const struct http_request *request, const char *name)
{
	const char *value = http_request_header(request, name);
	return value ? value : "-";
}

/* Notes what comes; the path says what is answered. */
static void on_request(void *context, struct http_request *request)
{
	struct world *world = context;
	const char *text = strcmp(request->path, "/v1") == 0   ? "{\"error\":{\"message\":\"no\"}}"
			   : strcmp(request->path, "/v2") == 0 ? "{\"message\":\"no\"}"
			   : strcmp(request->path, "/mangled") == 0 ? "{"
			   : strcmp(request->path, "/empty") == 0   ? NULL
								    : "[\"fine\"]";
	unsigned status = text && strstr(text, "no\"") ? 409 : text ? 200 : 204;
	snprintf(world->seen, sizeof world->seen, "%s %s?%s %s [%s] %s %s", request->method,
		 request->path, request->query, header(request, "Content-Type"), request->body,
		 header(request, "If-Match"), header(request, "If-None-Match"));
	http_reply(request, status, "application/json", text ? strdup(text) : NULL,
		   text ? strlen(text) : 0);
}

static char *on_error(void *context, const struct http_request *request, unsigned status,
		      const char *text)
{
	(void)context;
	(void)request;
	(void)status;
	(void)text;
	return NULL;
}

static void open_server(struct world *world)
{
	struct http_handler handler = {.on_head = on_head,
				       .on_request = on_request,
				       .on_error = on_error,
				       .context = world};
	http_world_open(&world->http, &handler);
}

static struct world *present;

static void call_it(struct http_world *http)
{
	(void)http;
	json_decref(present->answer);
	present->answer =
		client_call(present->http.path, present->call, &present->status, present->error);
}

/* The answer as text, or the error. */
static const char *call(struct world *world, struct client_call what)
{
	static char said[512];
	present = world;
	world->call = what;
	http_world_serve(&world->http, call_it);
	char *text =
		world->answer ? json_dumps(world->answer, JSON_COMPACT | JSON_ENCODE_ANY) : NULL;
	snprintf(said, sizeof said, "%s", text ? text : world->error);
	free(text);
	return said;
}

static void a_call_sends_all_that_it_is_told(void **state)
{
	struct world *world = *state;
	open_server(world);
	assert_string_equal(call(world, (struct client_call){.method = "GET", .path = "/a?b=c"}),
			    "[\"fine\"]");
	assert_int_equal(world->status, 200);
	assert_string_equal(world->seen, "GET /a?b=c - [] - -");
	call(world, (struct client_call){.method = "PUT",
					 .path = "/a/../b",
					 .body = json_pack("{s:s}", "x", "h\xc3\xa9"),
					 .if_none_match = "*"});
	assert_string_equal(world->seen,
			    "PUT /a/../b? application/json [{\"x\":\"h\xc3\xa9\"}] - *");
	call(world, (struct client_call){.method = "POST", .path = "/a", .body = json_null()});
	assert_string_equal(world->seen, "POST /a? application/json [null] - -");
	call(world, (struct client_call){.method = "POST", .path = "/a"});
	assert_string_equal(world->seen, "POST /a? - [] - -");
	call(world, (struct client_call){.method = "DELETE", .path = "/a"});
	assert_string_equal(world->seen, "DELETE /a? - [] - -");
}

static void an_answer_is_any_json_with_its_status(void **state)
{
	struct world *world = *state;
	open_server(world);
	assert_string_equal(call(world, (struct client_call){.method = "GET", .path = "/empty"}),
			    "null");
	assert_int_equal(world->status, 204);
	call(world, (struct client_call){.method = "GET", .path = "/v1"});
	assert_int_equal(world->status, 409);
	assert_string_equal(client_error_text(world->answer), "no");
	call(world, (struct client_call){.method = "GET", .path = "/v2"});
	assert_string_equal(client_error_text(world->answer), "no");
	assert_non_null(
		strstr(call(world, (struct client_call){.method = "GET", .path = "/mangled"}),
		       "not JSON"));
}

static void a_long_body_goes_whole(void **state)
{
	struct world *world = *state;
	char *text = malloc(HTTP_BODY_MAX + 1);
	open_server(world);
	memset(text, 'x', HTTP_BODY_MAX);
	text[HTTP_BODY_MAX - 2] = '\0'; /* with its quotes it is at the maximum */
	call(world,
	     (struct client_call){.method = "POST", .path = "/a", .body = json_string(text)});
	assert_int_equal(world->status, 200);
	text[HTTP_BODY_MAX - 2] = 'x';
	text[HTTP_BODY_MAX - 1] = '\0';
	call(world,
	     (struct client_call){.method = "POST", .path = "/a", .body = json_string(text)});
	assert_int_equal(world->status, 413);
	free(text);
}

static void paths_are_encoded_part_by_part(void **state)
{
	(void)state;
	char *path = client_path("/v1/a/%/%?x=%", "My Group", "a/b%c", "h\xc3\xa9&");
	assert_string_equal(path, "/v1/a/My%20Group/a%2Fb%25c?x=h%C3%A9%26");
	free(path);
	path = client_path("/v1/status");
	assert_string_equal(path, "/v1/status");
	free(path);
}

/* ---- when nothing comes of it ---- */

static void nobody_there_is_one_clear_line(void **state)
{
	struct world *world = *state;
	const char *said = call(world, (struct client_call){.method = "GET", .path = "/"});
	assert_non_null(strstr(said, "no server is running"));
	assert_non_null(strstr(said, world->http.path));
	assert_null(strchr(said, '\n'));
}

static void a_path_that_is_too_long_is_told(void **state)
{
	(void)state;
	char path[200], error[CLIENT_ERROR_MAX];
	unsigned status;
	memset(path, 'x', sizeof path - 1);
	path[sizeof path - 1] = '\0';
	struct client_call what = {.method = "GET", .path = "/"};
	assert_null(client_call(path, what, &status, error));
	assert_non_null(strstr(error, "too long"));
}

static void a_server_that_does_not_answer_is_waited_for_only_so_long(void **state)
{
	struct world *world = *state;
	struct sockaddr_un address = {.sun_family = AF_UNIX};
	memcpy(address.sun_path, world->http.path, strlen(world->http.path) + 1);
	int fd = socket(AF_UNIX, SOCK_STREAM, 0);
	assert_int_equal(bind(fd, (struct sockaddr *)&address, sizeof address), 0);
	assert_int_equal(listen(fd, 1), 0);
	const char *said =
		call(world, (struct client_call){.method = "GET", .path = "/", .timeout_ms = 200});
	assert_non_null(strstr(said, "did not answer in time"));
	close(fd);
}

/* What a command's standard error says while `answer` comes to be. */
static json_t *ask_and_listen(struct world *world, const char *path, char said[512])
{
	struct listening listening = listen_begin();
	static const struct command command = {.name = "status"};
	world->line.command = &command;
	json_t *answer =
		client_ask(&world->line, (struct client_call){.method = "GET"}, strdup(path));
	listen_end(&listening, said);
	return answer;
}

static void nobody_there_is_no_answer(void **state)
{
	struct world *world = *state;
	char said[512];
	config_text_put(&world->files, "sluice.conf", "management = { socket = \"x.sock\"; };\n");
	assert_null(ask_and_listen(world, "/", said));
	assert_non_null(strstr(said, "x.sock"));
	assert_ptr_equal(strchr(said, '\n'), said + strlen(said) - 1);
}

static char asked_said[512];

static void ask_for_an_error(struct http_world *http)
{
	(void)http;
	present->answer = ask_and_listen(present, "/v2", asked_said);
}

static void an_error_is_printed_and_no_answer(void **state)
{
	struct world *world = *state;
	present = world;
	open_server(world);
	world->line.socket = world->http.path;
	http_world_serve(&world->http, ask_for_an_error);
	assert_null(world->answer);
	assert_string_equal(asked_said, "sluice status: no\n");
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
	const struct CMUnitTest tests[] = {
		TEST(the_option_comes_first),
		TEST(the_file_s_path_is_relative_to_the_file),
		TEST(a_file_full_of_faults_still_says_where),
		TEST(an_included_file_s_path_is_relative_to_that_file),
		TEST(a_file_that_does_not_say_means_the_default),
		TEST(a_file_that_cannot_be_read_does_not_mean_the_default),
		TEST(the_default_file_may_be_absent),
		TEST(a_call_sends_all_that_it_is_told),
		TEST(an_answer_is_any_json_with_its_status),
		TEST(a_long_body_goes_whole),
		TEST(paths_are_encoded_part_by_part),
		TEST(nobody_there_is_one_clear_line),
		TEST(a_path_that_is_too_long_is_told),
		TEST(a_server_that_does_not_answer_is_waited_for_only_so_long),
		TEST(nobody_there_is_no_answer),
		TEST(an_error_is_printed_and_no_answer),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
