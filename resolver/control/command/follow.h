/* Follows a stream of a running server (server-sent events) until it is interrupted. If another
 * server takes over, it goes on there. */
#ifndef SLUICE_FOLLOW_H
#define SLUICE_FOLLOW_H

#include "resolver/control/command/command.h"

struct follower {
	/* Called with one line of JSON. A numbered line is a whole event, or the last line of a
	 * change. After a lost connection the stream resumes behind the last numbered line, so
	 * unnumbered lines that came after that line come again. */
	void (*on_data)(void *context, const char *data, bool numbered);
	void (*on_begin)(void *context); /* at each connection; may be NULL */
	void *context;
};

/* `path` ends before the number `after`, after which the stream begins: "/v1/changes?after=";
 * `after` -1: the path is complete, the stream has no numbers and begins now. Returns EXIT_FAILURE
 * once there is no stream; the reason has been printed. */
int command_follow(const struct command_line *line, const char *path, long long after,
		   const struct follower *follower);

#endif
