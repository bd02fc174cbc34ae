/* Writes a model as a configuration file. */
#ifndef SLUICE_CONFIG_WRITE_H
#define SLUICE_CONFIG_WRITE_H

#include <stdbool.h>
#include <stdio.h>

#include "rules/schema/model.h"

/* Writes a file that reads back to an equal model from any directory: paths are made absolute.
 * Addresses that placing chose are written like given ones. ERR_SYSTEM: writing failed. */
MUST_CHECK int config_file_write(const struct model *model, FILE *out);

struct config_aside { /* items of a top-level list that are written after its other items */
	const char *list;
	bool (*holds)(void *context, const void *item);
	const char *name; /* the path by which the list includes `out` */
	FILE *out;        /* the file that gets the items; NULL: they stay in the list */
};
/* `comment` returns lines for above the item with this origin; `end` returns lines for its end,
 * within its braces. NULL: there are none. The writer passes `take` if it writes the lines now, and
 * not if it only asks whether there are any. */
struct config_style {
	const char *(*comment)(void *context, const struct origin *origin, bool take);
	const char *(*end)(void *context, const struct origin *origin, bool take);
	void *context;
	const struct config_aside *asides; /* NULL: none */
	size_t aside_count;
};
/* Writes a file for people to edit: defaults are left out. An item of a list, or a list of at most
 * four items, is written on one line if it fits and no comment is inside it. */
MUST_CHECK int config_file_write_for_people(const struct model *model,
					    const struct config_style *style, FILE *out);

struct group;

/* Writes an item of a list of the model; relative paths stay relative. The caller writes "KEY = (",
 * the commas and ");". */
void config_item_write(const struct group *group, const void *item, FILE *out);

#endif
