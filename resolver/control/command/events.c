/* Of the format (the HTML standard, "Interpreting an event stream") what the server sends: "event",
 * "id" and one "data" in an event, and comments. */
#include "resolver/control/command/events.h"

#include <string.h>
#include <unistd.h>

#include "resolver/control/command/client.h"

enum { LINE_MAX_BYTES = 16 * 1024 * 1024, TRIES_MAX = 5, FIELD_MAX = 64 };

struct events { /* an answer as it comes */
	const struct event_reader *reader;
	bool heard; /* something has come since the connection was made */
	char name[FIELD_MAX], id[FIELD_MAX];
	char *line; /* that is not whole yet */
	size_t length, room;
};

static void take_line(struct events *events)
{
	const char *line = events->length > 0 ? events->line : "";
	const struct event event = {events->name, events->id, line + 6};

	if (strncmp(line, "event: ", 7) == 0)
		snprintf(events->name, sizeof events->name, "%s", line + 7);
	else if (strncmp(line, "id: ", 4) == 0)
		snprintf(events->id, sizeof events->id, "%s", line + 4);
	else if (strncmp(line, "data: ", 6) == 0)
		events->reader->on_event(events->reader->context, &event);
	else if (!*line)
		events->name[0] = events->id[0] = '\0';
	events->length = 0;
}

static bool keep(struct events *events, char c)
{
	if (events->length + 1 >= events->room) {
		size_t room = events->room ? 2 * events->room : 1024;
		char *line = room <= LINE_MAX_BYTES ? realloc(events->line, room) : NULL;

		if (!line)
			return false;
		events->line = line;
		events->room = room;
	}
	events->line[events->length++] = c;
	events->line[events->length] = '\0';
	return true;
}

static ssize_t on_text(void *context, const char *text, size_t length)
{
	struct events *events = context;

	events->heard = true;
	for (size_t i = 0; i < length; i++) {
		if (text[i] == '\n')
			take_line(events);
		else if (!keep(events, text[i]))
			return 0;
	}
	return (ssize_t)length;
}

/* Until the stream ends; false: there was none, which has been said. */
static bool follow_once(const struct command_line *line, struct events *events)
{
	static const cookie_io_functions_t functions = {.write = on_text};
	char *path = events->reader->path(events->reader->context);
	FILE *out = path ? fopencookie(events, "w", functions) : NULL;
	json_t *answer;

	if (!out) {
		free(path);
		command_fail_at(line, "%s", err_text(ERR_NOMEM));
		return false;
	}
	setvbuf(out, NULL, _IONBF, 0);
	events->heard = false;
	events->length = 0;
	events->name[0] = events->id[0] = '\0';
	answer = client_ask(line,
			    (struct client_call){.method = "GET",
						 .accept = "text/event-stream",
						 .out = out,
						 .timeout_ms = -1},
			    path);
	fclose(out);
	json_decref(answer);
	return answer != NULL;
}

int events_follow(const struct command_line *line, const struct event_reader *reader)
{
	struct events events = {.reader = reader};
	bool ever = false;

	for (int tries = 0; tries < TRIES_MAX; tries++) {
		bool fine = follow_once(line, &events);

		ever = ever || events.heard;
		if (events.heard)
			tries = 0;
		if (!fine && !ever)
			break;
		sleep(1);
	}
	free(events.line);
	return EXIT_FAILURE;
}
