/* The text of a configuration: the main file with those that it includes in their places, read once
 * and looked over. libconfig is given the text and opens nothing; a line of the text is led back to
 * its file here.
 *
 * Includes are read here because libconfig 1.5 fails on absolute paths when an include directory is
 * set, calls exit() when an @include names a directory, and refuses a byte order mark.
 *
 * It also takes four things in silence that change what a file means. They are faults here:
 *
 *     4294967297       more than 32 bits without an L behind it: cut to 1
 *     "a<NUL>b"        a NUL byte ends the string
 *     "a\x00b"         so does its escape
 *     "a               without its other quote it goes on to the next one, lines later */
#ifndef SLUICE_CONFIG_SOURCE_H
#define SLUICE_CONFIG_SOURCE_H

#include <stdbool.h>
#include <stddef.h>

#include "rules/arena.h"
#include "rules/err.h"
#include "rules/fault.h"
#include "rules/schema/model.h"

enum {
	CONFIG_INCLUDE_DEPTH_MAX = 10, /* as libconfig's own */
	CONFIG_INCLUDES_MAX = 10000,
};

struct config_piece {  /* of one file, without what it includes */
	unsigned from; /* line of the text */
	const char *file;
	unsigned line;  /* of the file, where the piece begins */
	bool first;     /* of its file; one that is included twice has two of them */
	uint64_t stamp; /* of a first one: the file's, as it was read (file_stamp_number) */
};

struct config_source {
	char *text; /* ends with NUL, and has no other */
	size_t length;
	struct config_piece *pieces;
	size_t piece_count, piece_room;
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

/* The fault of a syntax error that libconfig has found on this line of the text. libconfig says no
 * more than that; what is wrong is guessed from the looks of the line and of the brackets before
 * it. */
void config_source_syntax_fault(const struct config_source *source, unsigned line,
				struct faults *faults);

/* The fault of a key that stands twice in one group, the second time on this line of the text. */
void config_source_duplicate_fault(const struct config_source *source, unsigned line,
				   struct faults *faults);

/* A path as a file in `directory` means it; NULL without memory. */
const char *config_source_path(struct arena *arena, const char *directory, const char *path);

#endif
