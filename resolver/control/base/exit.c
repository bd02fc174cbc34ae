#include "resolver/control/base/exit.h"

#include <stdio.h>

#include "rules/err.h"
#include "rules/text.h"

void exit_complain(const char *command, const char *format, va_list arguments)
{
	char *text = NULL;

	fprintf(stderr, "sluice%s%s: ", command ? " " : "", command ? command : "");
	if (vasprintf(&text, format, arguments) >= 0)
		text_print(stderr, text);
	else
		fputs(err_text(ERR_NOMEM), stderr);
	fputc('\n', stderr);
	free(text);
}

int exit_fail(const char *format, ...)
{
	va_list arguments;

	va_start(arguments, format);
	exit_complain(NULL, format, arguments);
	va_end(arguments);
	return EXIT_FAILURE;
}
