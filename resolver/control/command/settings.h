/* Settings that are no resources, of a file that is applied (apply.c). They belong to the server's
 * own file and stay as they are there, so they are only told: as they would stand in that file, on
 * standard error. What the file does not say is left out.
 *
 * served: what the server has, by the keys of sluice.conf(5), as GET /v1/export gives it; NULL, of
 * an older server: nothing is told. */
#ifndef SLUICE_SETTINGS_H
#define SLUICE_SETTINGS_H

#include <jansson.h>

#include "resolver/control/command/command.h"
#include "rules/schema/model.h"

/* A value, as a configuration file has it. */
void settings_print(FILE *out, const json_t *value);
/* The file's that the server has otherwise. */
void settings_tell(const struct command_line *line, const json_t *served,
		   const struct model *model);
/* The limits that were in the way of a change. refusal: the body of the server's answer; NULL:
 * there was none. */
void settings_tell_limits(const struct command_line *line, const json_t *served,
			  const struct model *model, const json_t *refusal);

#endif
