/* A stream of a running server (server-sent events), from what it has on to what comes, until it is
 * interrupted. Where the server ends and another takes its place, it goes on there. */
#ifndef SLUICE_FOLLOW_H
#define SLUICE_FOLLOW_H

#include "resolver/control/command/command.h"

struct follower {
	/* Called with one line of JSON. A numbered line ends a change: after a break the stream
	 * resumes behind it, so the lines without a number that came since come again. */
	void (*on_data)(void *context, const char *data, bool numbered);
	void (*on_begin)(void *context); /* of each connection; may be NULL */
	void *context;
};

/* The path up to `after`, the number behind which the stream begins: "/v1/changes?after="; all of
 * it where `after` is -1: the stream has no numbers, and is what comes from now on. EXIT_FAILURE,
 * when there is no stream any more; why has been said. */
int command_follow(const struct command_line *line, const char *path, long long after,
		   const struct follower *follower);

#endif
