/* How the program ends when something cannot be done. */
#ifndef SLUICE_EXIT_H
#define SLUICE_EXIT_H

#include <stdarg.h>
#include <stdlib.h>

/* One clear line on stderr, with "sluice: " ahead; returns EXIT_FAILURE, so it can be returned. */
int exit_fail(const char *format, ...) __attribute__((format(printf, 1, 2)));
/* The line alone, with the name of a command behind "sluice"; NULL: none. */
void exit_complain(const char *command, const char *format, va_list arguments)
	__attribute__((format(printf, 2, 0)));

#endif
