/* `sluice reload` and `sluice flush`: a request and what came of it. */
#include "resolver/control/client.h"
#include "resolver/control/json.h"
#include "resolver/control/report.h"
#include "rules/name.h"

static void print_reload(const json_t *answer, bool fine)
{
	char text[REPORT_TEXT_MAX];
	struct faults faults;
	faults_init(&faults);
	report_read_faults(json_object_get(answer, "faults"), &faults);
	faults_print(&faults, stdout);
	if (fine)
		printf("reloaded: %s\n", json_string_value(json_object_get(answer, "text")));
	else
		printf("not reloaded, still serving generation %" JSON_INTEGER_FORMAT ": %s\n",
		       json_integer_value(json_object_get(answer, "generation")),
		       report_faults_text(&faults, text));
	faults_release(&faults);
}

/* An answer with faults is one that is expected, so it is not client_ask that looks at the status.
 */
int command_reload(const struct command_line *line)
{
	char path[CLIENT_PATH_MAX], error[CLIENT_ERROR_MAX];
	unsigned http_status;
	struct client_call call = {
		.method = "POST", .path = "/v1/reload", .timeout_ms = CLIENT_RELOAD_MS};
	if (!client_socket_path(line, path))
		return COMMAND_NO;
	json_t *answer = client_call(path, call, &http_status, error);
	if (!answer)
		return command_fail("%s", error);
	if (!json_object_get(answer, "faults")) {
		const char *text = client_error_text(answer);
		command_fail("%s", text ? text : "the server did not reload");
		json_decref(answer);
		return COMMAND_NO;
	}
	bool fine = json_is_true(json_object_get(answer, "ok"));
	int status = fine ? COMMAND_FINE : COMMAND_NO;
	if (!line->json)
		print_reload(answer, fine);
	else if (command_print_json(answer) != COMMAND_FINE)
		status = COMMAND_NO;
	json_decref(answer);
	return status;
}

int command_flush(const struct command_line *line)
{
	const char *argument = line->argument_count > 0 ? line->arguments[0] : NULL;
	static const struct hash_key any_key;
	char text[NAME_TEXT_MAX];
	struct name name;
	if (line->suffix && !argument)
		return command_misuse(line, "--suffix takes a name");
	if (argument && name_from_text(&name, &any_key, argument) != 0)
		return command_misuse(line, "\"%s\" is not a domain name", argument);
	json_t *body = json_make("{s:b}", "suffix", line->suffix);
	if (argument) /* JSON could not have its bytes as they are */
		json_put(body, "name", json_text(name_to_text(&name, text)));
	body = json_whole(body);
	if (!body) /* without one, everything would be flushed */
		return command_fail("%s", err_text(ERR_NOMEM));
	json_t *answer = client_ask(
		line, (struct client_call){.method = "POST", .path = "/v1/flush", .body = body});
	if (!answer)
		return COMMAND_NO;
	json_int_t entries = json_integer_value(json_object_get(answer, "entries"));
	int status = COMMAND_FINE;
	if (line->json)
		status = command_print_json(answer);
	else
		printf("%" JSON_INTEGER_FORMAT " %s dropped from the cache\n", entries,
		       entries == 1 ? "entry" : "entries");
	json_decref(answer);
	return status;
}
