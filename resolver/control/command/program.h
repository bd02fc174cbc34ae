/* The other programs of sluice: sluice runs sluice-import, which runs sluice. */
#ifndef SLUICE_PROGRAM_H
#define SLUICE_PROGRAM_H

#include "resolver/control/command/command.h"

enum { PROGRAM_WORDS_MAX = 200 };

/* Becomes the program of that name: the one that lies beside this one, else one of $PATH.
 * words[0] is replaced by its path; NULL ends them. Returns only where there is none or it cannot
 * be run, which has been said: EXIT_FAILURE. */
int program_become(const struct command_line *line, const char *name, char **words);

#endif
