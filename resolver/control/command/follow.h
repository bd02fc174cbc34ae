/* A stream of a running server (server-sent events), from what it has on to what comes, until it is
 * interrupted. Where the server ends and another takes its place, it goes on there. */
#ifndef SLUICE_FOLLOW_H
#define SLUICE_FOLLOW_H

#include "resolver/control/command/command.h"

/* The path up to `after`, the number behind which the stream begins: "/v1/changes?after="; all of
 * it where `after` is -1: the stream has no numbers, and is what comes from now on. Each event's
 * data is one line of JSON. EXIT_FAILURE, when there is no stream any more; why has been said. */
int command_follow(const struct command_line *line, const char *path, long long after,
		   void (*on_data)(const struct command_line *line, const char *data));

#endif
