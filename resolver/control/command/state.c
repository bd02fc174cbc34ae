/* `sluice state ...`: exports the management API's state from the running server, and imports
 * it. */
#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "resolver/control/command/client.h"
#include "rules/err.h"

enum { STATE_MS = 300 * 1000 };

/* The answer may be very large. */
static int export_into(const struct command_line *line, FILE *out, bool spool)
{
	json_t *done = client_ask(
		line,
		(struct client_call){
			.method = "GET", .timeout_ms = STATE_MS, .out = out, .spool = spool},
		client_path("/v1/state"));
	bool fine = done;
	json_decref(done);
	return fine ? EXIT_SUCCESS : EXIT_FAILURE;
}

/* Writes into what is there: a device, a pipe, or what a link leads to. */
static int export_over(const struct command_line *line, const char *path)
{
	int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600), status;
	FILE *out = fd >= 0 ? fdopen(fd, "w") : NULL;

	if (!out) {
		status = command_fail_at(line, "%s: %s", path, strerror(errno));
		if (fd >= 0)
			close(fd);
		return status;
	}
	status = export_into(line, out, true);
	if (fclose(out) != 0 && status == EXIT_SUCCESS)
		status = command_fail_at(line, "%s: %s", path, strerror(errno));
	return status;
}

/* Only its owner can read a new file; an existing file is replaced once the export is complete. */
static int export_beside(const struct command_line *line, const char *path)
{
	char *new_path = NULL;
	if (asprintf(&new_path, "%s.XXXXXX", path) < 0)
		return command_fail_at(line, "%s", err_text(ERR_NOMEM));
	int fd = mkstemp(new_path), status = EXIT_FAILURE;
	FILE *file = fd >= 0 ? fdopen(fd, "w") : NULL;
	if (!file) {
		command_fail_at(line, "%s: %s", path, strerror(errno));
		goto out;
	}
	status = export_into(line, file, false);
	if (status == EXIT_SUCCESS && (fflush(file) != 0 || fsync(fd) != 0))
		status = command_fail_at(line, "%s: %s", path, strerror(errno));
	if (fclose(file) != 0 && status == EXIT_SUCCESS)
		status = command_fail_at(line, "%s: %s", path, strerror(errno));
	fd = -1;
	if (status == EXIT_SUCCESS && rename(new_path, path) != 0)
		status = command_fail_at(line, "%s: %s", path, strerror(errno));
	if (status != EXIT_SUCCESS)
		unlink(new_path);
out:
	if (fd >= 0) {
		close(fd);
		unlink(new_path);
	}
	free(new_path);
	return status;
}

/* A link stays, and the file that it leads to is replaced, or made. */
static int export_to(const struct command_line *line, const char *path)
{
	char *real = realpath(path, NULL);
	struct stat about;
	int status;

	if (lstat(real ? real : path, &about) == 0 && !S_ISREG(about.st_mode))
		status = export_over(line, path);
	else
		status = export_beside(line, real ? real : path);
	free(real);
	return status;
}

int command_state_export(const struct command_line *line)
{
	return line->argument_count > 0 ? export_to(line, line->arguments[0])
					: export_into(line, stdout, true);
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
	json_t *answer = client_ask(
		line, (struct client_call){.method = "PUT", .body = state, .timeout_ms = STATE_MS},
		client_path("/v1/state"));
	if (!answer)
		return EXIT_FAILURE;
	json_decref(answer);
	printf("the state is imported\n");
	return EXIT_SUCCESS;
}
