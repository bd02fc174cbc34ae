/* The text of a configuration: the main file with each included file in its place, read once and
 * checked. libconfig gets the text and opens no file; config_source_at finds the file of a line.
 *
 * Includes are read here because libconfig 1.5 fails on absolute paths when an include directory is
 * set, calls exit() when an @include names a directory, and refuses a byte order mark.
 *
 * libconfig also accepts four mistakes in silence that change the meaning of a file. They are
 * faults here:
 *
 *     4294967297       above 2147483647, without an L after it: cut to 1
 *     "a<NUL>b"        a NUL byte ends the string
 *     "a\x00b"         so does its escape
 *     "a               without a closing quote the string ends at the next quote, lines later */
#ifndef SLUICE_CONFIG_SOURCE_H
#define SLUICE_CONFIG_SOURCE_H

#include <stdbool.h>
#include <stddef.h>

#include "rules/arena.h"
#include "rules/err.h"
#include "rules/fault.h"
#include "rules/schema/model.h"

enum {
	CONFIG_INCLUDE_DEPTH_MAX = 10, /* like libconfig's own limit */
	CONFIG_INCLUDES_MAX = 10000,
};

struct config_piece {  /* of one file, without the files it includes */
	unsigned from; /* first line in the text */
	const char *file;
	unsigned line;  /* its line in the file */
	bool first;     /* of its file; a file that is included twice has two first pieces */
	uint64_t stamp; /* in a first piece: the file's file_stamp_number when it was read */
};

struct config_source {
	char *text; /* ends with NUL, and has no other */
	size_t length;
	struct config_piece *pieces;
	size_t piece_count, piece_room;
};

/* Reads the file at path; @include is relative to `directory`, which has no slash at its end ("" is
 * the root). The names of files go into the arena. ERR_FAULTS: the files have faults, which were
 * added. ERR_NOMEM. Call config_source_release in any case. */
MUST_CHECK int config_source_read(struct config_source *source, const char *path,
				  const char *directory, struct arena *arena,
				  struct faults *faults);
void config_source_release(struct config_source *source);

/* The file of this line of the text, and the line there; lines begin at 1. */
struct origin config_source_at(const struct config_source *source, unsigned line);

/* Adds the fault of a syntax error that libconfig has found on this line of the text. libconfig
 * reports only the line; the reason is guessed from that line and the brackets before it. */
void config_source_syntax_fault(const struct config_source *source, unsigned line,
				struct faults *faults);

/* Adds the fault of a key that a group has twice; the second one is on this line of the text. */
void config_source_duplicate_fault(const struct config_source *source, unsigned line,
				   struct faults *faults);

/* Puts `directory` before a relative path; NULL without memory. */
const char *config_source_path(struct arena *arena, const char *directory, const char *path);

#endif
