#include "resolver/control/command/follow.h"

#include <stdio.h>
#include <unistd.h>

#include "resolver/control/command/client.h"

enum { LINE_MAX_BYTES = 16 * 1024 * 1024, TRIES_MAX = 5 };

struct event_stream { /* an answer that is being received */
	const struct command_line *line;
	const struct follower *follower;
	bool heard;       /* something has come on this connection */
	long long number; /* of the data line that comes next; -1: it has none */
	long long last;   /* number of the latest complete data line; -1: no numbers */
	char *text;       /* an incomplete line */
	size_t length, room;
};

/* "id" comes before its data. It counts once the data is complete, because the connection may end
 * within the data. */
static void take_line(struct event_stream *stream)
{
	if (strncmp(stream->text, "id: ", 4) == 0)
		stream->number = strtoll(stream->text + 4, NULL, 10);
	if (strncmp(stream->text, "data: ", 6) == 0) {
		stream->follower->on_data(stream->follower->context, stream->text + 6,
					  stream->number >= 0);
		if (stream->number >= 0)
			stream->last = stream->number;
		stream->number = -1;
	}
	fflush(stdout);
	stream->length = 0;
}

static bool keep(struct event_stream *stream, char c)
{
	if (stream->length + 1 >= stream->room) {
		size_t room = stream->room ? 2 * stream->room : 1024;
		char *text = room <= LINE_MAX_BYTES ? realloc(stream->text, room) : NULL;

		if (!text)
			return false;
		stream->text = text;
		stream->room = room;
	}
	stream->text[stream->length++] = c;
	stream->text[stream->length] = '\0';
	return true;
}

static ssize_t on_text(void *context, const char *text, size_t length)
{
	struct event_stream *stream = context;

	stream->heard = true;
	for (size_t i = 0; i < length; i++) {
		if (text[i] == '\n' && stream->length > 0)
			take_line(stream);
		else if (text[i] != '\n' && !keep(stream, text[i]))
			return 0;
	}
	return (ssize_t)length;
}

/* Follows one connection to its end; false: it failed; prints why. */
static bool follow_once(struct event_stream *stream, const char *path)
{
	static const cookie_io_functions_t functions = {.write = on_text};
	FILE *out = fopencookie(stream, "w", functions);
	char number[24] = "", *whole;
	json_t *answer;

	if (stream->last >= 0)
		snprintf(number, sizeof number, "%lld", stream->last);
	if (!out || asprintf(&whole, "%s%s", path, number) < 0) {
		if (out)
			fclose(out);
		command_fail_at(stream->line, "%s", err_text(ERR_NOMEM));
		return false;
	}
	setvbuf(out, NULL, _IONBF, 0);
	stream->heard = false;
	stream->number = -1;
	if (stream->follower->on_begin)
		stream->follower->on_begin(stream->follower->context);
	stream->length = 0;
	answer = client_ask(stream->line,
			    (struct client_call){.method = "GET",
						 .accept = "text/event-stream",
						 .out = out,
						 .timeout_ms = -1},
			    whole);
	fclose(out);
	json_decref(answer);
	return answer != NULL;
}

int command_follow(const struct command_line *line, const char *path, long long after,
		   const struct follower *follower)
{
	struct event_stream stream = {.line = line, .follower = follower, .last = after};
	bool ever = false;

	for (int tries = 0; tries < TRIES_MAX; tries++) {
		bool fine = follow_once(&stream, path);

		ever = ever || stream.heard;
		if (stream.heard)
			tries = 0;
		if (!fine && !ever)
			break;
		sleep(1);
	}
	free(stream.text);
	return EXIT_FAILURE;
}
