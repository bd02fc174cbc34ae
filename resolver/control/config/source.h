/* The text of a configuration: the main file with those it includes in their places, read once and
 * looked over (config/scan.h). libconfig is given the text and opens nothing; a line of the text is
 * led back to its file here. */
#ifndef SLUICE_CONFIG_SOURCE_H
#define SLUICE_CONFIG_SOURCE_H

#include <stddef.h>

#include "rules/arena.h"
#include "rules/err.h"
#include "rules/fault.h"
#include "rules/schema/model.h"

enum {
	CONFIG_INCLUDE_DEPTH_MAX = 10, /* as libconfig's own */
	CONFIG_INCLUDES_MAX = 10000,
};

struct config_piece;

struct config_source {
	char *text; /* ends with NUL, and has no other */
	size_t length, room;
	unsigned lines; /* line ends in the text */
	struct config_piece *pieces;
	size_t piece_count, piece_room;
	const char **files; /* that the text is of; one that is included twice, twice */
	size_t file_count, file_room;
};

/* Reads the file at path; @include is relative to `directory`, which has no slash at its end (""
 * is the root). The names of files go into the arena. ERR_FAULTS when something is wrong with them,
 * which are faults then, ERR_NOMEM; the source is to be released in any case. */
MUST_CHECK int config_source_read(struct config_source *source, const char *path,
				  const char *directory, struct arena *arena,
				  struct faults *faults);
void config_source_release(struct config_source *source);

/* The file and its line that this line of the text came from; lines begin at 1. */
struct origin config_source_at(const struct config_source *source, unsigned line);

/* A path as a file in `directory` means it; NULL without memory. */
const char *config_source_path(struct arena *arena, const char *directory, const char *path);

#endif
