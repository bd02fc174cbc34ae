/* A model as a configuration file, to be read again. */
#ifndef SLUICE_CONFIG_WRITE_H
#define SLUICE_CONFIG_WRITE_H

#include <stdbool.h>
#include <stdio.h>

#include "rules/schema/model.h"

/* Writes a file that reads back to an equal model, wherever it is put: paths come out absolute.
 * Addresses that placing chose are written like given ones. ERR_SYSTEM when writing fails. */
MUST_CHECK int config_file_write(const struct model *model, FILE *out);

/* For people, who go on with it: what is at its default is left out, what fits into a line stands
 * in one, and the lines that `comment` gives stand above the item that has this origin, those of
 * `end` within its braces, at the end. They are asked with `take` when they are written; without,
 * only whether there are any. */
struct config_aside { /* items of a list at the top, which stand behind all others of it */
	const char *list;
	bool (*holds)(void *context, const void *item);
	const char *name; /* by which the list includes the file that has them */
	FILE *out;        /* NULL: the list has them itself */
};
struct config_style {
	const char *(*comment)(void *context, const struct origin *origin, bool take);
	const char *(*end)(void *context, const struct origin *origin, bool take);
	void *context;
	const struct config_aside *asides; /* NULL: there are none */
	size_t aside_count;
};
MUST_CHECK int config_file_write_for_people(const struct model *model,
					    const struct config_style *style, FILE *out);

struct group;

/* An item of a list of the model, which the caller puts between "KEY = (", commas and ");". It has
 * no paths. */
void config_item_write(const struct group *group, const void *item, FILE *out);

#endif
