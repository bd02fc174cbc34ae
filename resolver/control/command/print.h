/* What a running server says in JSON, for people. */
#ifndef SLUICE_PRINT_H
#define SLUICE_PRINT_H

#include <jansson.h>
#include <stdbool.h>
#include <stdio.h>

/* The status (observe/status.h): what is wrong and what counts, the worst first, on one screen; or
 * all of it. */
void status_print(const json_t *report, bool all, FILE *out);
/* An explanation (observe/explain.h), as an indented story. */
void explain_print(const json_t *explained, FILE *out);

#endif
