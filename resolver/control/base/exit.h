/* Prints the error with which the program ends. */
#ifndef SLUICE_EXIT_H
#define SLUICE_EXIT_H

#include <stdarg.h>
#include <stdlib.h>

/* Prints one line on stderr, with "sluice: " ahead; returns EXIT_FAILURE, so `return
 * exit_fail(...)` works. */
int exit_fail(const char *format, ...) __attribute__((format(printf, 1, 2)));
/* Only prints such a line, with "sluice COMMAND: " ahead; NULL: "sluice: ". */
void exit_complain(const char *command, const char *format, va_list arguments)
	__attribute__((format(printf, 2, 0)));

#endif
