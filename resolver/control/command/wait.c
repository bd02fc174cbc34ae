/* `sluice wait`: waits until the server answers DNS, by a given generation or revision if one is
 * named. The server itself waits for a while (GET /readyz); a server that is not up yet, or that an
 * upgrade replaces, is asked again. */
#include <time.h>

#include "resolver/control/base/exit.h"
#include "resolver/control/base/json.h"
#include "resolver/control/command/client.h"
#include "rules/text.h"

enum {
	TIMEOUT_S = 30,
	TIMEOUT_MAX_S = 24 * 60 * 60,
	AGAIN_MS = 100,
	ASK_MS = 10000,
	SLACK_MS = 1000
};

static int64_t now_ms(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

static void rest(void)
{
	const struct timespec again = {.tv_nsec = AGAIN_MS * 1000000L};

	nanosleep(&again, NULL);
}

/* False: not a number, or one above `most`. */
static bool read_number(const char *text, uint64_t most, uint64_t *number)
{
	char *end;

	if (!text)
		return true;
	*number = strtoull(text, &end, 10);
	return *text >= '0' && *text <= '9' && *end == '\0' && *number <= most;
}

/* Asks the server, which waits for left_ms or ASK_MS at most. Returns its answer; NULL: the server
 * is not ready, and `why` has the reason. */
static json_t *ask_once(const char *socket, const char *what, int64_t left_ms,
			char why[CLIENT_ERROR_MAX])
{
	unsigned status, wait_s = left_ms <= 0       ? 0
				  : left_ms > ASK_MS ? ASK_MS / 1000
						     : (unsigned)(left_ms + 999) / 1000;
	char path[160];
	struct client_call call = {
		.method = "GET", .path = path, .timeout_ms = (int)wait_s * 1000 + SLACK_MS};
	const char *text;
	json_t *answer;

	snprintf(path, sizeof path, "/readyz?%s&wait=%u", what, wait_s);
	answer = client_call(socket, call, &status, why);
	text = answer ? client_error_text(answer) : NULL;
	if (!answer || status == 200)
		return answer;
	snprintf(why, CLIENT_ERROR_MAX, "%s", text ? text : "it is not ready");
	json_decref(answer);
	return NULL;
}

int command_wait(const struct command_line *line)
{
	char socket[CLIENT_PATH_MAX], why[CLIENT_ERROR_MAX] = "", what[128];
	uint64_t generation = 0, revision = 0, timeout_s = TIMEOUT_S;
	json_t *answer = NULL;
	int64_t end_ms;
	int status = EXIT_SUCCESS;

	if (!read_number(line->generation, INT64_MAX, &generation))
		return command_misuse(line, "--generation takes a number");
	if (!read_number(line->revision, INT64_MAX, &revision))
		return command_misuse(line, "--revision takes a number");
	if (!read_number(line->timeout, TIMEOUT_MAX_S, &timeout_s))
		return command_misuse(line, "--timeout takes seconds, at most %d", TIMEOUT_MAX_S);
	if (!client_socket_path(line, socket))
		return EXIT_FAILURE;
	snprintf(what, sizeof what, "generation=%llu&revision=%llu", (unsigned long long)generation,
		 (unsigned long long)revision);
	end_ms = now_ms() + (int64_t)timeout_s * 1000;
	while (!(answer = ask_once(socket, what, end_ms - now_ms(), why)) && now_ms() < end_ms)
		rest();
	if (!answer)
		return exit_fail("%s", why);
	if (line->json)
		status = command_print_json(answer);
	else
		printf("generation %" JSON_INTEGER_FORMAT ", revision %" JSON_INTEGER_FORMAT "\n",
		       json_integer_value(json_object_get(answer, "generation")),
		       json_integer_value(json_object_get(answer, "revision")));
	json_decref(answer);
	return status;
}
