/* `sluice state ...`: what the management API keeps, out of the running server and into it. */
#include <errno.h>
#include <unistd.h>

#include "resolver/control/command_reverse.h"

enum { STATE_MS = 300 * 1000 };

/* A new file is for its owner only; one that is there is written over when all of it is known. */
static int write_file(const struct command_line *line, const json_t *state, const char *path)
{
	char *new_path = NULL;
	if (asprintf(&new_path, "%s.XXXXXX", path) < 0)
		return command_fail_at(line, "there is no memory for it");
	int fd = mkstemp(new_path);
	FILE *file = fd >= 0 ? fdopen(fd, "w") : NULL;
	bool fine = file && json_dumpf(state, file, JSON_INDENT(2)) == 0 && fputc('\n', file) >= 0;
	if (file)
		fine = fflush(file) == 0 && fsync(fd) == 0 && fine;
	int failed = errno;
	if (file)
		fine = fclose(file) == 0 && fine;
	else if (fd >= 0)
		close(fd);
	if (fine && rename(new_path, path) != 0) {
		failed = errno;
		fine = false;
	}
	if (!fine && fd >= 0)
		unlink(new_path);
	free(new_path);
	return fine ? COMMAND_FINE : command_fail_at(line, "%s: %s", path, strerror(failed));
}

int command_state_export(const struct command_line *line)
{
	json_t *state =
		command_ask(line, (struct client_call){.method = "GET", .timeout_ms = STATE_MS},
			    client_path("/v1/state"));
	if (!state)
		return COMMAND_NO;
	int status = line->argument_count > 0 ? write_file(line, state, line->arguments[0])
					      : command_print_json(state);
	json_decref(state);
	return status;
}

int command_state_import(const struct command_line *line)
{
	const char *path = line->arguments[0];
	bool standard = strcmp(path, "-") == 0;
	json_error_t error;
	errno = 0;
	json_t *state = standard ? json_loadf(stdin, JSON_REJECT_DUPLICATES, &error)
				 : json_load_file(path, JSON_REJECT_DUPLICATES, &error);
	if (!state && error.line < 0)
		return command_fail_at(line, "%s: %s", path, error.text);
	if (!state)
		return command_fail_at(line, "%s:%d: not JSON: %s", path, error.line, error.text);
	json_t *answer = command_ask(
		line, (struct client_call){.method = "PUT", .body = state, .timeout_ms = STATE_MS},
		client_path("/v1/state"));
	if (!answer)
		return COMMAND_NO;
	json_decref(answer);
	printf("the state is imported\n");
	return COMMAND_FINE;
}
