/* Settings of an applied file (apply.c) that are not resources. They belong to the server's own
 * file and stay as they are there, so they are only printed on standard error, in the form for that
 * file. Settings that the applied file lacks, or sets to their defaults, are left out.
 *
 * served: the server's settings, by the keys of sluice.conf(5), from GET /v1/export; NULL (an older
 * server): nothing is printed. */
#ifndef SLUICE_SETTINGS_H
#define SLUICE_SETTINGS_H

#include <jansson.h>

#include "resolver/control/command/command.h"
#include "rules/schema/model.h"

/* Prints a value in the form of a configuration file. */
void settings_print(FILE *out, const json_t *value);
/* Prints the file's settings that differ from the server's. */
void settings_tell(const struct command_line *line, const json_t *served,
		   const struct model *model);
/* Prints the limits, with their values, that the server's file needs to allow a refused change.
 * refusal: the body of the server's answer; NULL: none. */
void settings_tell_limits(const struct command_line *line, const json_t *served,
			  const struct model *model, const json_t *refusal);

#endif
