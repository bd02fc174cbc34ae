/* The table of requests. Nobody but root and the server's own user gets here (control_socket.c). */
#include "resolver/control/control_request.h"

#include "resolver/control/control.h"
#include "resolver/control/json.h"
#include "resolver/control/report.h"
#include "resolver/control/status.h"
#include "resolver/log.h"

static json_t *failure(const char *text)
{
	return json_make("{s:b, s:s}", "ok", 0, "error", text);
}

static json_t *on_status(struct control *control, const json_t *request)
{
	(void)request;
	json_t *status = status_report(&control->server, control->config_path, &control->clock);
	json_put(status, "ok", json_true());
	return status;
}

static json_t *on_reload(struct control *control, const json_t *request)
{
	(void)request;
	char text[CONTROL_TEXT_MAX] = "";
	struct faults faults;
	faults_init(&faults);
	int err = control_reload(control, &faults, text);
	json_t *answer = json_make("{s:b, s:o, s:I, s:o}", "ok", err == 0, "text", json_text(text),
				   "generation", (json_int_t)control->server.generation, "faults",
				   report_faults(&faults));
	faults_release(&faults);
	return answer;
}

static json_t *on_flush(struct control *control, const json_t *request)
{
	const json_t *name_value = json_object_get(request, "name");
	const json_t *suffix_value = json_object_get(request, "suffix");
	bool below = json_is_true(suffix_value);
	struct name name;
	if (name_value && !json_is_string(name_value))
		return failure("\"name\" is not a string");
	if (suffix_value && !json_is_boolean(suffix_value))
		return failure("\"suffix\" is neither true nor false");
	if (name_value &&
	    name_from_text(&name, &control->server.key, json_string_value(name_value)) != 0)
		return failure("that is not a domain name");
	if (below && !name_value)
		return failure("\"suffix\" takes a name");
	uint64_t entries = cache_flush(control->server.cache, name_value ? &name : NULL, below);
	char text[NAME_TEXT_MAX];
	log_event(LOG_INFO, "flush", "%llu %s dropped from the cache: %s%s",
		  (unsigned long long)entries, entries == 1 ? "entry" : "entries",
		  !name_value ? "everything" : name_to_text(&name, text),
		  below ? " and what is below it" : "");
	return json_make("{s:b, s:I}", "ok", 1, "entries", (json_int_t)entries);
}

static const struct {
	const char *command;
	json_t *(*answer)(struct control *control, const json_t *request);
} requests[] = {
	{"status", on_status},
	{"reload", on_reload},
	{"flush", on_flush},
};

json_t *control_request(void *context, const json_t *request)
{
	const char *command = json_string_value(json_object_get(request, "command"));
	for (size_t i = 0; command && i < sizeof requests / sizeof *requests; i++)
		if (strcmp(requests[i].command, command) == 0)
			return json_whole(requests[i].answer(context, request));
	return failure(command ? "there is no such command" : "\"command\" is missing");
}
