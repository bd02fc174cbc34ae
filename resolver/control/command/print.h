/* Prints a running server's JSON for people. */
#ifndef SLUICE_PRINT_H
#define SLUICE_PRINT_H

#include <jansson.h>
#include <stdbool.h>
#include <stdio.h>

/* Prints the status (observe/status.h). all: every table and every counter, without the judgement.
 * Otherwise on one screen the faults and the important numbers, the worst first. */
void status_print(const json_t *report, bool all, FILE *out);
/* Prints an explanation (observe/explain.h), as an indented story. */
void explain_print(const json_t *explained, FILE *out);

#endif
