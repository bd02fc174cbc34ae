/* `sluice reload` and `sluice flush`: a request and what came of it. */
#include "resolver/control/client.h"
#include "resolver/control/report.h"

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

int command_reload(const struct command_line *line)
{
	json_t *answer =
		client_ask(line, json_pack("{s:s}", "command", "reload"), CLIENT_RELOAD_MS);
	if (!answer)
		return COMMAND_NO;
	bool fine = json_is_true(json_object_get(answer, "ok"));
	if (line->json)
		client_print_json(answer);
	else
		print_reload(answer, fine);
	json_decref(answer);
	return fine ? COMMAND_FINE : COMMAND_NO;
}

int command_flush(const struct command_line *line)
{
	json_t *request = json_pack("{s:s, s:b}", "command", "flush", "suffix", line->suffix);
	if (line->suffix && line->argument_count == 0) {
		json_decref(request);
		return command_misuse(line, "--suffix takes a name");
	}
	if (line->argument_count > 0)
		json_object_set_new(request, "name", json_string(line->arguments[0]));
	json_t *answer = client_ask(line, request, CLIENT_TIMEOUT_MS);
	if (!answer)
		return COMMAND_NO;
	json_int_t entries = json_integer_value(json_object_get(answer, "entries"));
	if (line->json)
		client_print_json(answer);
	else
		printf("%" JSON_INTEGER_FORMAT " %s dropped from the cache\n", entries,
		       entries == 1 ? "entry" : "entries");
	json_decref(answer);
	return COMMAND_FINE;
}
