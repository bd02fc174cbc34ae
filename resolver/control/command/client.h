/* Shared by the commands that talk to a running server: HTTP on its unix socket. */
#ifndef SLUICE_CLIENT_H
#define SLUICE_CLIENT_H

#include <jansson.h>
#include <stdint.h>

#include "resolver/control/command/command.h"
#include "rules/err.h"

enum {
	CLIENT_PATH_MAX = 4096,
	CLIENT_ERROR_MAX = 256,
	CLIENT_TIMEOUT_MS = 10 * 1000,
	CLIENT_RELOAD_MS = 300 * 1000,
};

/* Finds the server's control socket: --socket, else management.socket of the configuration, even if
 * the file has other faults, else the default. False: the file cannot be read that far; prints
 * why, and the command returns EXIT_FAILURE. If COMMAND_CONFIG_DEFAULT is missing, the default
 * socket is taken; a missing other file is a failure, because the default socket may be another
 * server's. */
MUST_CHECK bool client_socket_path(const struct command_line *line, char path[CLIENT_PATH_MAX]);
/* Like client_socket_path, but a faulty file, as during an edit, does not hide the server: guesses
 * the path from the file, or takes the default, and prints the fault to stderr. */
bool client_socket_find(const struct command_line *line, char path[CLIENT_PATH_MAX]);

struct client_call {
	const char *method;           /* "GET" */
	const char *path;             /* percent-encoded, with its query; not used by client_ask */
	json_t *body;                 /* NULL: none; taken over */
	const char *text, *text_type; /* instead of body: "text/csv"; NULL: none */
	size_t text_length;
	const char *accept; /* NULL: any type */
	FILE *out;          /* for a successful answer, as it comes; the call returns null then */
	bool spool; /* `out` gets the answer once all of it is there: `out` may be as slow as a
		     * pager, and the server gives up an answer that is taken too slowly */
	void (*on_sent)(void *context, uint64_t sent, uint64_t all); /* progress; may be NULL */
	void *context;
	/* client_ask: returns the line of `file` to print with an error; 0: there is none, so the
	 * path is printed. The error is about the member `path` ("": the whole) of edit `index` of
	 * the request. If `index` is SIZE_MAX, it is about no edit, and `path` is the server's.
	 * `line_of` NULL: the request was not made from a file. */
	unsigned (*line_of)(void *context, size_t index, const char *path);
	const char *file;
	json_t **refusal; /* client_ask: gets the body of an error, which has been printed, to be
			     released; NULL: unused */
	int timeout_ms;   /* for the whole call; 0: CLIENT_TIMEOUT_MS, -1: for ever */
	const char *if_none_match; /* NULL: not sent */
	bool *absent;              /* client_call: set if nothing listens there; NULL: unused */
};

/* Makes a path with percent-encoded parts, to be freed: each '%' in the format stands for the next
 * text. client_path("/v1/addresses/%/%", group, name). NULL: out of memory. */
char *client_path(const char *format, ...);
/* Appends ?KEY=VALUE, or &KEY=VALUE after an earlier one, percent-encoded. Takes over the path;
 * NULL stays NULL. NULL: out of memory. */
char *client_add_query(char *path, const char *key, const char *value);

/* How people name a top-level resource, split for client_path("/v1/KIND/%/%", group, name):
 *
 *     NAME         the resource in no group, or else the only one of that name
 *     GROUP/NAME   the resource in that group
 *     -/NAME       the resource in no group; /NAME means the same
 */
struct client_top {
	char group[256]; /* cut, if longer than any group's name */
	const char *name;
};
struct client_top client_top(const char *text);

/* Asks the server at that socket. Returns its answer, any JSON, which the caller releases (null for
 * an empty body), with HTTP's status; NULL: no answer, `error` says in one line why. */
json_t *client_call(const char *socket, struct client_call call, unsigned *status,
		    char error[CLIENT_ERROR_MAX]);

/* Asks the server that the command line means. Takes over and frees the path (NULL: out of memory)
 * and the body (json_whole). NULL: no answer, or an error (status 400 and up); it has been printed,
 * with the member it is about, so return EXIT_FAILURE. */
json_t *client_ask(const struct command_line *line, struct client_call call, char *path);

/* The message of an error's body, in any API's shape; NULL: none. Lives as long as the body. */
const char *client_error_text(const json_t *body);

#endif
