/* A stream of the running server (http/stream.h), as a command reads it: server-sent events, one
 * after the other, until the server ends for good. */
#ifndef SLUICE_EVENTS_H
#define SLUICE_EVENTS_H

#include "resolver/control/command/command.h"

struct event {            /* texts live until on_event returns */
	const char *name; /* "": it has none */
	const char *id;   /* "": it has none */
	const char *data; /* a line */
};

struct event_reader {
	/* Where the stream is; asked for each connection. To be freed; NULL without memory. */
	char *(*path)(void *context);
	void (*on_event)(void *context, const struct event *event);
	void *context;
};

/* A stream ends when the server does; where another takes its place, it goes on there. The exit
 * status; why it ended has been said. */
int events_follow(const struct command_line *line, const struct event_reader *reader);

#endif
