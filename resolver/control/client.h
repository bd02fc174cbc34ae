/* What the commands that talk to a running server have in common. */
#ifndef SLUICE_CLIENT_H
#define SLUICE_CLIENT_H

#include <jansson.h>

#include "resolver/control/command.h"

enum { CLIENT_PATH_MAX = 4096, CLIENT_TIMEOUT_MS = 10 * 1000, CLIENT_RELOAD_MS = 300 * 1000 };

/* Where the server's control socket is: --socket, else management.socket of the configuration,
 * whatever else that file has of faults, else the default. Returns path. */
char *client_socket_path(const struct command_line *line, char path[CLIENT_PATH_MAX]);

/* Asks the running server; takes the request over. NULL when there is no answer, or one that is
 * only an error: that has been printed. */
json_t *client_ask(const struct command_line *line, json_t *request, int timeout_ms);

#endif
