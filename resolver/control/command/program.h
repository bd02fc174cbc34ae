/* The other programs of sluice: sluice runs sluice-import, which runs sluice. */
#ifndef SLUICE_PROGRAM_H
#define SLUICE_PROGRAM_H

#include "resolver/control/command/command.h"

enum { PROGRAM_WORDS_MAX = 200 };

/* Executes the program of that name: the one beside this program, else one of $PATH. words[0] is
 * replaced by its path, or by `name` if $PATH is searched; words end with NULL. Returns only if the
 * program is missing or cannot be run: prints why, returns EXIT_FAILURE. */
int program_become(const struct command_line *line, const char *name, char **words);

#endif
