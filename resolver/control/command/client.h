/* What the commands that talk to a running server have in common: HTTP on its unix socket. */
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

/* Where the server's control socket is: --socket, else management.socket of the configuration or
 * its default, whatever else that file has of faults. False: the file cannot be read so far, which
 * has been said, and EXIT_FAILURE is what is left to return. The default does not stand in for it,
 * where another server may be listening; but COMMAND_CONFIG_DEFAULT may be absent. */
MUST_CHECK bool client_socket_path(const struct command_line *line, char path[CLIENT_PATH_MAX]);
/* The same, but a file with a fault in it, as while it is edited, does not hide the server: it is
 * looked for where the file seems to say, or at the usual path, and stderr has the fault. */
bool client_socket_find(const struct command_line *line, char path[CLIENT_PATH_MAX]);

struct client_call {
	const char *method;           /* "GET" */
	const char *path;             /* percent-encoded, with its query; not for client_ask */
	json_t *body;                 /* NULL: none; taken over */
	const char *text, *text_type; /* in its place: "text/csv"; NULL: none */
	size_t text_length;
	const char *accept; /* NULL: any type */
	FILE *out; /* where an answer that is no error goes as it comes; null is returned then */
	void (*on_sent)(void *context, uint64_t sent,
			uint64_t all); /* now and then until the answer comes; NULL: nobody */
	void *context;
	/* client_ask: gives the line of `file` to print with an error. The error is about the edit
	 * number `index`, or, where that is SIZE_MAX, about the server's `path`. 0: no line has it,
	 * so the path is printed. NULL: the request was not made from a file. */
	unsigned (*line_of)(void *context, size_t index, const char *path);
	const char *file;
	json_t **refusal;          /* client_ask: where the body of an error goes, which has been
				    * printed, to be released; NULL: nowhere */
	int timeout_ms;            /* for the whole of it; 0: CLIENT_TIMEOUT_MS, -1: for ever */
	const char *if_none_match; /* NULL: not sent */
	bool *absent;              /* client_call: whether nothing listens there; NULL: not told */
};

/* A path with its parts percent-encoded, to be freed: each '%' in the format stands for the next
 * text. client_path("/v1/addresses/%/%", group, name). NULL without memory. */
char *client_path(const char *format, ...);
/* The path with ?KEY=VALUE, or &KEY=VALUE behind another, percent-encoded; it is taken over, and
 * NULL stays NULL. NULL without memory. */
char *client_add_query(char *path, const char *key, const char *value);

/* What a person writes for something at the top: NAME, in no group or else the only one,
 * GROUP/NAME, or -/NAME in none; for "/v1/KIND/%/%" (group, name). */
struct client_top {
	char group[256]; /* cut, where no group is called like that */
	const char *name;
};
struct client_top client_top(const char *text);

/* Asks the server at that socket. What it answers, any JSON, which the caller releases (null for an
 * empty body), with HTTP's status; NULL: nothing came of it, and `error` says in one line why. */
json_t *client_call(const char *socket, struct client_call call, unsigned *status,
		    char error[CLIENT_ERROR_MAX]);

/* The same of the server that the command line means. The path is taken over and freed (NULL: there
 * was no memory for it), and so is the body (json_whole). NULL also when the server answers with an
 * error (status 400 and up); either way that has been printed, with the member that it is about,
 * and EXIT_FAILURE is what is left. */
json_t *client_ask(const struct command_line *line, struct client_call call, char *path);

/* The message of an error's body in any API's shape; NULL: it has none. Lives as long as the body.
 */
const char *client_error_text(const json_t *body);

#endif
