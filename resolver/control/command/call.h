/* Shared by the commands for resources: calls, and printing their answers. */
#ifndef SLUICE_COMMAND_CALL_H
#define SLUICE_COMMAND_CALL_H

#include "resolver/control/base/table.h"
#include "resolver/control/command/client.h"

struct command_columns {
	const struct table_column *items;
	size_t count;
	void (*prepare)(json_t *row); /* makes a row readable; NULL: it is already */
};

/* Functions that return int return the exit status; path and body are as in client_ask. */

/* GETs a list up to --limit: {KEY: [...]}; NULL as in client_ask. A page of the server may be empty
 * although others follow. */
json_t *command_ask_list(const struct command_line *line, char *path, const char *key);
/* Prints the list of command_ask_list, and frees it. NULL: the error has been printed already. */
int command_print_list(const struct command_line *line, json_t *answer, const char *key,
		       struct command_columns columns);
/* GETs all items of a kind as one list: those in the named parent or, if parent_name is NULL, in
 * all parents. Each row has one more member, the parent's name, under the parent's kind
 * ("ruleset"). Applies --filter and --limit of the command line. NULL: the error has been printed,
 * and *status is the exit status. */
struct kind;
json_t *command_ask_inside(const struct command_line *line, const struct kind *kind,
			   const char *parent_name, int *status);
/* --limit of the command line; LONG_MAX: none, or no number from 1 (command_add_filters says so).
 */
long command_limit(const struct command_line *line);
/* Adds --filter and --limit of the command line to the path, which it takes over. NULL: the error
 * has been printed, and *status is the exit status. */
char *command_add_filters(const struct command_line *line, char *path, int *status);
/* Prints the list of command_ask_list. */
int command_show_list(const struct command_line *line, char *path, const char *key,
		      struct command_columns columns);
/* Calls, and prints the object answered. Its `warnings` go to stderr, but with --json they stay in
 * the object. */
int command_show_one(const struct command_line *line, const char *method, char *path, json_t *body,
		     const char *if_none_match, struct command_columns columns);
/* DELETEs, and prints `done`. */
int command_delete(const struct command_line *line, char *path, const char *done);

/* Reads a whole file, or standard input if the path is "-". False: the error has been printed. Free
 * the text in either case. */
struct command_file {
	char *text;
	size_t length;
};
MUST_CHECK bool command_read_file(const struct command_line *line, const char *path,
				  struct command_file *file);

/* A member's value as people write it: servers as "10.0.0.6:5353/tcp". Returns a new reference. */
json_t *command_shown(const json_t *value);
/* The member's value for a text of the command line or of a file; NULL: the text has the wrong
 * form. */
struct field;
json_t *command_value(const struct field *field, const char *text);

/* Puts members given as options into the body. False: the TTL is not a number, or a tag has the
 * wrong form; command_misuse has printed that. */
bool command_put_given(const struct command_line *line, json_t *body);

#endif
