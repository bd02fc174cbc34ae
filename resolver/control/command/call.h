/* What the commands for resources have in common: a call, and what is printed of its answer. */
#ifndef SLUICE_COMMAND_CALL_H
#define SLUICE_COMMAND_CALL_H

#include "resolver/control/base/table.h"
#include "resolver/control/command/client.h"

struct command_columns {
	const struct table_column *items;
	size_t count;
	void (*prepare)(json_t *row); /* makes a row fit for people; NULL: it is */
};

/* These return the exit status; path and body as client_ask has them. */

/* GETs a list that comes in pages, all of it, or with --limit the first page: {KEY: [...]}; NULL as
 * client_ask. */
json_t *command_ask_list(const struct command_line *line, char *path, const char *key);
/* Prints the list that command_ask_list gave, and frees it. With NULL the reason has been printed
 * already. */
int command_print_list(const struct command_line *line, json_t *answer, const char *key,
		       struct command_columns columns);
/* All items of a kind as one list, whatever parent they are in. Each row has one more member, the
 * parent's name, whose key is the parent's kind ("ruleset"). --filter and --limit of the command
 * line apply. NULL: the reason has been printed, and *status is the exit status. */
struct kind;
json_t *command_ask_everywhere(const struct command_line *line, const struct kind *kind,
			       int *status);
/* GETs a list that comes in pages, and prints all of it, or with --limit the first page. */
int command_show_list(const struct command_line *line, char *path, const char *key,
		      struct command_columns columns);
/* Calls, and prints the object that is answered; its `warnings` go to stderr. */
int command_show_one(const struct command_line *line, const char *method, char *path, json_t *body,
		     const char *if_none_match, struct command_columns columns);
/* DELETEs, and prints `done`. */
int command_delete(const struct command_line *line, char *path, const char *done);

/* A whole file, or with "-" standard input; the text is to be freed, also after false: it has been
 * said why. */
struct command_file {
	char *text;
	size_t length;
};
MUST_CHECK bool command_read_file(const struct command_line *line, const char *path,
				  struct command_file *file);

/* A member's value as people write it: servers as "10.0.0.6:5353/tcp". A new reference. */
json_t *command_shown(const json_t *value);
/* The value that a text of the command line, or of a file, gives a member; NULL: it has no such
 * form. */
struct field;
json_t *command_value(const struct field *field, const char *text);

/* Puts what the command line's options have of members into the body. False: the TTL is not a
 * number, or a tag none; command_misuse has said so. */
bool command_put_given(const struct command_line *line, json_t *body);

#endif
