/* `sluice ptr import` and `sluice ptr list --csv`: PTRs as a file for a spreadsheet. The columns
 * are the same both ways, so a list can be imported again. The server checks the file; the command
 * sends it as it is, and prints faults with the file's lines. */
#include <errno.h>
#include <unistd.h>

#include "resolver/control/base/csv.h"
#include "resolver/control/command/call.h"
#include "rules/text.h"

enum { IMPORT_MS = 600 * 1000 };

/* ---- list ---- */

static void write_cell(const json_t *row, const char *key, char end)
{
	const json_t *value = json_object_get(row, key);
	const char *text = json_string_value(value);
	char shown[CSV_ROW_MAX];
	if (json_is_integer(value))
		printf("%" JSON_INTEGER_FORMAT, json_integer_value(value));
	else if (text && isatty(STDOUT_FILENO) == 1)
		csv_write(stdout, text_show(text, shown, sizeof shown));
	else
		csv_write(stdout, text);
	putchar(end);
}

int command_ptr_list_csv(const struct command_line *line)
{
	long left = command_limit(line);
	int status = EXIT_FAILURE;
	char *path = command_add_filters(line, strdup("/v1/ptrs"), &status);

	if (!path)
		return status;
	printf("address,reverse_fqdn,description,ttl\n");
	while (path) {
		json_t *page = client_ask(line, (struct client_call){.method = "GET"}, path);
		const json_t *rows = json_object_get(page, "ptrs");
		const char *next = json_string_value(json_object_get(page, "next"));
		for (size_t i = 0; i < json_array_size(rows) && left > 0; i++, left--) {
			const json_t *row = json_array_get(rows, i);
			write_cell(row, "address", ',');
			write_cell(row, "reverse_fqdn", ',');
			write_cell(row, "description", ',');
			write_cell(row, "ttl", '\n');
		}
		path = next && left > 0 ? strdup(next) : NULL;
		bool fine = page && (path || !next || left == 0);
		json_decref(page);
		if (!fine) {
			free(path);
			return EXIT_FAILURE;
		}
	}
	return EXIT_SUCCESS;
}

/* ---- import ---- */

bool command_read_file(const struct command_line *line, const char *path, struct command_file *file)
{
	bool standard = strcmp(path, "-") == 0;
	FILE *in = standard ? stdin : fopen(path, "r");
	int why = errno;
	FILE *out = in ? open_memstream(&file->text, &file->length) : NULL;
	char block[16384];
	size_t length;
	bool fine = in && out;
	while (fine && (length = fread(block, 1, sizeof block, in)) > 0)
		fine = fwrite(block, 1, length, out) == length;
	if (in)
		why = fine && ferror(in) ? errno : ENOMEM;
	fine = fine && !ferror(in);
	if (out && fclose(out) != 0)
		fine = false;
	if (in && !standard)
		fclose(in);
	if (!fine)
		command_fail_at(line, "%s: %s", path, strerror(why));
	return fine;
}

enum { PROGRESS_TEXT_MAX = 40, PROGRESS_MS = 2000 };

struct progress {
	const char *socket;
	char told[PROGRESS_TEXT_MAX];
};

/* Writes over the same line of a terminal. */
static void tell(struct progress *progress, const char *what, int percent)
{
	char text[PROGRESS_TEXT_MAX];
	if (percent >= 0)
		snprintf(text, sizeof text, "%s: %d %%", what, percent);
	else
		snprintf(text, sizeof text, "%s", what);
	if (strcmp(text, progress->told) == 0)
		return;
	memcpy(progress->told, text, sizeof text);
	fprintf(stderr, "\r\033[K%s", text);
	fflush(stderr);
}

/* Asks the server how far the import is, and prints that. The server answers GET /v1/status during
 * the import. */
static void tell_work(struct progress *progress)
{
	char error[CLIENT_ERROR_MAX];
	unsigned status;
	json_t *answer = client_call(progress->socket,
				     (struct client_call){.method = "GET",
							  .path = "/v1/status",
							  .timeout_ms = PROGRESS_MS},
				     &status, error);
	const json_t *percent = json_object_get(json_object_get(answer, "work"), "percent");
	if (!json_is_integer(percent))
		tell(progress, "sent", -1);
	else if (json_integer_value(percent) < 100)
		tell(progress, "sent, being checked", (int)json_integer_value(percent));
	else
		tell(progress, "sent, checked, being stored", -1);
	json_decref(answer);
}

/* libcurl calls this often while it sends, and about once a second while it waits for an answer. */
static void on_sent(void *context, uint64_t sent, uint64_t all)
{
	if (all > 0 && sent < all)
		tell(context, "sending", (int)(sent * 100 / all));
	else if (all > 0)
		tell_work(context);
}

static void print_row_error(const char *path, const json_t *error)
{
	const char *field = json_string_value(json_object_get(error, "field"));
	const char *text = json_string_value(json_object_get(error, "message"));
	fprintf(stderr, "%s:%" JSON_INTEGER_FORMAT ": %s%s", path,
		json_integer_value(json_object_get(error, "line")), field ? field : "",
		field ? ": " : "");
	text_print(stderr, text ? text : "");
	fputc('\n', stderr);
}

/* Prints no more errors than this: the rest of a bad list usually has the same fault. */
enum { ERRORS_SHOWN = 20 };

static int print_failure(const struct command_line *line, const char *path, const json_t *answer,
			 unsigned status)
{
	const json_t *errors = json_object_get(answer, "errors");
	json_int_t count = json_integer_value(json_object_get(answer, "count"));
	size_t told = json_array_size(errors);

	told = told < ERRORS_SHOWN ? told : ERRORS_SHOWN;
	const char *text = client_error_text(answer);
	for (size_t i = 0; i < told; i++)
		print_row_error(path, json_array_get(errors, i));
	if (told == 0 && status == 413)
		return command_fail_at(
			line,
			"%s is longer than management.upload_max allows; raise that, "
			"or import it in parts",
			path);
	if (told == 0)
		return command_fail_at(line, "%s: %s", path, text ? text : "the server refuses it");
	return command_fail_at(line,
			       "%" JSON_INTEGER_FORMAT " row%s of %s %s not fit%s; nothing has "
			       "changed",
			       count, text_plural(count, "", "s"), path,
			       text_plural(count, "does", "do"),
			       (json_int_t)told < count ? ", the first 20 of them above" : "");
}

static int print_success(const struct command_line *line, const json_t *answer)
{
	const char *be = line->dry_run ? "would be " : "";
	json_int_t made = json_integer_value(json_object_get(answer, "made"));

	if (line->json)
		return command_print_json(answer);
	printf("%" JSON_INTEGER_FORMAT " PTRs %sset, %" JSON_INTEGER_FORMAT
	       " %sremoved, %" JSON_INTEGER_FORMAT " %s already%s\n",
	       json_integer_value(json_object_get(answer, "set")), be,
	       json_integer_value(json_object_get(answer, "removed")), be,
	       json_integer_value(json_object_get(answer, "unchanged")),
	       line->dry_run ? "are so" : "were so", line->dry_run ? COMMAND_NOT_DONE : "");
	if (made > 0)
		printf("%" JSON_INTEGER_FORMAT " address%s %smade\n", made,
		       text_plural((uint64_t)made, "", "es"), be);
	return EXIT_SUCCESS;
}

int command_ptr_import(const struct command_line *line)
{
	const char *path = line->arguments[0];
	char socket[CLIENT_PATH_MAX], error[CLIENT_ERROR_MAX];
	char query[64];
	struct command_file file = {0};
	struct progress progress = {.socket = socket};
	bool terminal = isatty(STDERR_FILENO) == 1;
	unsigned status = 0;
	json_t *answer = NULL;
	int exit_status = EXIT_FAILURE;
	if (!client_socket_path(line, socket) || !command_read_file(line, path, &file))
		goto out;
	snprintf(query, sizeof query, "/v1/ptrs?dry_run=%s&make=%s",
		 line->dry_run ? "true" : "false", line->make ? "true" : "false");
	const struct client_call call = {
		.method = "POST",
		.path = query,
		.text = file.text,
		.text_type = "text/csv",
		.text_length = file.length,
		.timeout_ms = IMPORT_MS,
		.on_sent = terminal ? on_sent : NULL,
		.context = &progress,
	};
	answer = client_call(socket, call, &status, error);
	if (terminal)
		fprintf(stderr, "\r\033[K");
	if (!answer)
		command_fail_at(line, "%s", error);
	else if (status >= 400 && line->json)
		command_print_json(answer);
	else if (status >= 400)
		print_failure(line, path, answer, status);
	else
		exit_status = print_success(line, answer);
	json_decref(answer);
out:
	free(file.text);
	return exit_status;
}
