/* A look over one configuration file before libconfig has it. libconfig 1.5 says nothing about
 * four things that change what a file means, and they are faults here:
 *
 *     4294967297       more than 32 bits without an L behind it: cut to 1
 *     "a<NUL>b"        a NUL byte ends the string
 *     "a\x00b"         so does its escape
 *     "a               without its other quote it goes on to the next one, lines later
 *
 * And it opens @include'd files itself, whatever they are; so they are found here. */
#ifndef SLUICE_CONFIG_SCAN_H
#define SLUICE_CONFIG_SCAN_H

#include <stdbool.h>
#include <stddef.h>

#include "rules/fault.h"

struct config_scan {
	const char *start, *at, *end;
	struct origin here; /* the file, and the line of `at` */
	struct faults *faults;
	bool nul_told; /* one is enough */
};

struct config_include {
	const char *start, *end; /* the directive, from its @ to behind its closing quote */
	const char *path;        /* as written, with its escapes */
	size_t path_length;
};

/* `file` must outlive the scan. `start` is behind a byte order mark. */
void config_scan_init(struct config_scan *scan, const char *text, size_t length, const char *file,
		      struct faults *faults);

/* Goes on to the next @include, adding faults on the way; scan->here then has its line. False at
 * the end of the text. An @ that is neither in a string, nor in a comment, nor such a directive is
 * a fault: with none of those, libconfig will find nothing to include. */
bool config_scan_next(struct config_scan *scan, struct config_include *include);

#endif
