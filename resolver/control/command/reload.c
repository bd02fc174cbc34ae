/* `sluice status`, `reload`, `flush` and `upgrade`: one request each, and its result. */
#include <errno.h>
#include <limits.h>
#include <string.h>
#include <unistd.h>

#include "resolver/control/base/exit.h"
#include "resolver/control/base/json.h"
#include "resolver/control/base/report.h"
#include "resolver/control/command/client.h"
#include "resolver/control/command/print.h"
#include "rules/name.h"
#include "rules/text.h"

int command_status(const struct command_line *line)
{
	json_t *status =
		client_ask(line, (struct client_call){.method = "GET"}, client_path("/v1/status"));
	if (!status)
		return EXIT_FAILURE;
	int exit_status = EXIT_SUCCESS;
	if (line->json)
		exit_status = command_print_json(status);
	else
		status_print(status, line->all, stdout);
	json_decref(status);
	return exit_status;
}

static void print_reload(const json_t *answer, bool fine)
{
	char text[REPORT_TEXT_MAX];
	struct faults faults;
	faults_init(&faults);
	report_read_faults(json_object_get(answer, "faults"), &faults);
	faults_print(&faults, stdout);
	if (fine) {
		printf("reloaded: %s\n", json_string_value(json_object_get(answer, "text")));
		command_print_unconfirmed(answer);
	} else {
		printf("not reloaded, still serving generation %" JSON_INTEGER_FORMAT ": %s\n",
		       json_integer_value(json_object_get(answer, "generation")),
		       report_faults_text(&faults, text));
	}
	faults_release(&faults);
}

/* Uses client_call, because an answer with faults is expected here, and client_ask would print it
 * as an error. */
int command_reload(const struct command_line *line)
{
	char path[CLIENT_PATH_MAX], error[CLIENT_ERROR_MAX], confirm[COMMAND_CONFIRM_MAX];
	char reload[COMMAND_CONFIRM_MAX + 16];
	unsigned http_status;
	struct client_call call = {
		.method = "POST", .path = reload, .timeout_ms = CLIENT_RELOAD_MS};
	if (!command_confirm_query(line, confirm))
		return COMMAND_USAGE;
	snprintf(reload, sizeof reload, "/v1/reload%s", confirm);
	if (!client_socket_path(line, path))
		return EXIT_FAILURE;
	json_t *answer = client_call(path, call, &http_status, error);
	if (!answer)
		return exit_fail("%s", error);
	if (!json_object_get(answer, "faults")) {
		const char *text = client_error_text(answer);
		exit_fail("%s", text ? text : "the server did not reload");
		json_decref(answer);
		return EXIT_FAILURE;
	}
	bool fine = json_is_true(json_object_get(answer, "ok"));
	int status = fine ? EXIT_SUCCESS : EXIT_FAILURE;
	if (!line->json)
		print_reload(answer, fine);
	else if (command_print_json(answer) != EXIT_SUCCESS)
		status = EXIT_FAILURE;
	json_decref(answer);
	return status;
}

int command_flush(const struct command_line *line)
{
	const char *argument = line->argument_count > 0 ? line->arguments[0] : NULL;
	char text[NAME_TEXT_MAX];
	struct name name;
	if (line->suffix && !argument)
		return command_misuse(line, "--suffix takes a name");
	if (argument && name_from_text(&name, NULL, argument) != 0)
		return command_misuse(line, "\"%s\" is not a domain name", argument);
	json_t *body = json_make("{s:b}", "suffix", line->suffix);
	if (argument) /* JSON cannot carry all bytes of a name */
		json_put(body, "name", json_text(name_to_text(&name, text)));
	if (!body) /* without a body everything would be flushed */
		return exit_fail("%s", err_text(ERR_NOMEM));
	json_t *answer = client_ask(line, (struct client_call){.method = "POST", .body = body},
				    client_path("/v1/flush"));
	if (!answer)
		return EXIT_FAILURE;
	json_int_t entries = json_integer_value(json_object_get(answer, "entries"));
	int status = EXIT_SUCCESS;
	if (line->json)
		status = command_print_json(answer);
	else
		printf("%" JSON_INTEGER_FORMAT " %s dropped from the cache\n", entries,
		       text_plural(entries, "entry", "entries"));
	json_decref(answer);
	return status;
}

/* Prints lines of the failed program, without invisible characters. */
static void print_lines(const char *text)
{
	char line[1024];
	for (size_t length; *text; text += length + (text[length] == '\n')) {
		length = strcspn(text, "\n");
		snprintf(line, sizeof line, "%.*s", (int)length, text);
		text_print(stderr, line);
		fputc('\n', stderr);
	}
}

/* The absolute path of the given program, or of this one. */
static const char *program_path(const struct command_line *line, char path[PATH_MAX])
{
	if (line->binary)
		return realpath(line->binary, path) && access(path, X_OK) == 0 ? path : NULL;
	ssize_t length = readlink("/proc/self/exe", path, PATH_MAX - 1);
	path[length > 0 ? length : 0] = '\0';
	return access(path, X_OK) == 0 ? path : NULL;
}

int command_upgrade(const struct command_line *line)
{
	char socket[CLIENT_PATH_MAX], path[PATH_MAX], error[CLIENT_ERROR_MAX];
	unsigned status = 0;
	if (!client_socket_path(line, socket))
		return EXIT_FAILURE;
	const char *program = program_path(line, path);
	if (!program)
		return command_fail_at(line, "%s: %s", line->binary ? line->binary : path,
				       strerror(errno));
	struct client_call call = {.method = "POST",
				   .path = "/v1/upgrade",
				   .timeout_ms = CLIENT_RELOAD_MS,
				   .body = json_make("{s:o}", "binary", json_text(program))};
	json_t *answer = client_call(socket, call, &status, error);
	bool fine = answer && status < 400;
	const char *text = client_error_text(answer);
	if (!answer)
		command_fail_at(line, "the outcome is unknown: %s", error);
	else if (fine)
		printf("process %" JSON_INTEGER_FORMAT " has taken over\n",
		       json_integer_value(json_object_get(answer, "pid")));
	else
		print_lines(text ? text : "the server cannot be upgraded; restart it instead");
	if (answer && !fine)
		command_fail_at(line, "the running server has not changed");
	json_decref(answer);
	return fine ? EXIT_SUCCESS : EXIT_FAILURE;
}
