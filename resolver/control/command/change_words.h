/* Changes in words for a command's output: GET /v1/changes has the words for each resource
 * (resource/change_words.h), and the values before and after. */
#ifndef SLUICE_COMMAND_CHANGE_WORDS_H
#define SLUICE_COMMAND_CHANGE_WORDS_H

#include <jansson.h>
#include <stdio.h>

enum { CHANGE_WORDS_MAX = 400 };

/* "created", "changed" or "deleted". */
const char *change_verb(const json_t *change);
/* Prints the author, such as "uid 0 (says anna)", where the login name is the author's own claim.
 * Returns text. */
char *change_who(const json_t *change, char text[CHANGE_WORDS_MAX]);
/* "rule contoso of ruleset office" */
const char *change_subject(const json_t *change);
/* All changes of one revision in one line: "changed rule contoso of ruleset office: state". Returns
 * text. */
char *change_line(const json_t *changes, char text[CHANGE_WORDS_MAX]);
/* Prints one change with each changed member: "  state: was Enabled, is Disabled". */
void change_print(const json_t *change, FILE *out);

#endif
