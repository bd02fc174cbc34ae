/* Each file is one piece of the text, or several, with what it includes between:
 *
 *     text            pieces: from line   file         its line
 *     region = "a";           1           main.conf    1
 *     workers = 2;            2           more.conf    1          @include "more.conf" was on
 *     ; log = { };            3           main.conf    2          line 2 of main.conf
 *
 * What stands behind a directive begins a new line of the text, so that a line is one file's.
 * A file that includes itself ends at the maximum depth. */
#include "resolver/control/config/source.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "resolver/control/base/regular_file.h"
#include "resolver/control/config/scan.h"

enum {
	TEXT_MAX = 1 << 28, /* bytes: files that include others twice each grow fast */
	READ_STEP = 64 * 1024,
};

struct config_piece {
	unsigned from; /* line of the text */
	const char *file;
	unsigned line; /* of the file, where the piece begins */
};

struct reading {
	struct config_source *source;
	const char *directory;
	struct arena *arena;
	struct faults *faults;
	unsigned includes, depth;
};

static int add_file(struct reading *reading, const char *path, const struct origin *named_at);

const char *config_source_path(struct arena *arena, const char *directory, const char *path)
{
	if (path[0] == '/' || !directory || strcmp(directory, ".") == 0)
		return path;
	return arena_printf(arena, "%s/%s", directory, path);
}

/* ---- the text and its pieces ---- */

static int append(struct config_source *source, const char *bytes, size_t length)
{
	size_t room = source->room ? source->room : READ_STEP;

	if (length > TEXT_MAX - source->length)
		return ERR_LIMIT;
	while (room <= source->length + length)
		room *= 2;
	if (room != source->room) {
		char *text = realloc(source->text, room);

		if (!text)
			return ERR_NOMEM;
		source->text = text;
		source->room = room;
	}
	memcpy(source->text + source->length, bytes, length);
	source->length += length;
	source->text[source->length] = '\0';
	for (size_t i = 0; i < length; i++)
		source->lines += bytes[i] == '\n';
	return 0;
}

/* What is appended next comes from here. */
static int begin_piece(struct config_source *source, const struct origin *here)
{
	if (source->piece_count == source->piece_room) {
		size_t room = source->piece_room ? source->piece_room * 2 : 16;
		struct config_piece *pieces =
			realloc(source->pieces, room * sizeof *source->pieces);

		if (!pieces)
			return ERR_NOMEM;
		source->pieces = pieces;
		source->piece_room = room;
	}
	source->pieces[source->piece_count++] =
		(struct config_piece){source->lines + 1, here->file, here->line};
	return 0;
}

struct origin config_source_at(const struct config_source *source, unsigned line)
{
	size_t low = 0, high = source->piece_count;

	while (high - low > 1) { /* the last piece that begins at or ahead of the line */
		size_t middle = low + (high - low) / 2;

		if (source->pieces[middle].from <= line)
			low = middle;
		else
			high = middle;
	}
	if (source->piece_count == 0 || source->pieces[low].from > line)
		return (struct origin){0};
	return (struct origin){.file = source->pieces[low].file,
			       .line = source->pieces[low].line +
				       (line - source->pieces[low].from)};
}

/* ---- files ---- */

/* libconfig's two escapes in a path. */
static char *include_path(struct arena *arena, const struct config_include *include)
{
	char *path = arena_printf(arena, "%.*s", (int)include->path_length, include->path);
	size_t used = 0;

	for (const char *at = path; at && *at != '\0'; at++) {
		if (*at == '\\' && (at[1] == '\\' || at[1] == '"'))
			at++;
		path[used++] = *at;
	}
	if (path)
		path[used] = '\0';
	return path;
}

static int add_include(struct reading *reading, const struct config_include *include,
		       const struct origin *here)
{
	const char *path = include_path(reading->arena, include);
	int err;

	if (path)
		path = config_source_path(reading->arena, reading->directory, path);
	if (!path)
		return ERR_NOMEM;
	if (reading->depth == CONFIG_INCLUDE_DEPTH_MAX ||
	    reading->includes++ == CONFIG_INCLUDES_MAX) {
		fault_add(reading->faults, FAULT_ERROR, here, NULL,
			  "%s is included too deep, or is one too many; at most %d files include "
			  "one another, and at most %d are included",
			  path, CONFIG_INCLUDE_DEPTH_MAX, CONFIG_INCLUDES_MAX);
		return ERR_FAULTS;
	}
	reading->depth++;
	err = add_file(reading, path, here);
	reading->depth--;
	return err;
}

static int add_to_files(struct config_source *source, const char *path)
{
	if (source->file_count == source->file_room) {
		size_t room = source->file_room ? source->file_room * 2 : 16;
		const char **files = realloc(source->files, room * sizeof *files);

		if (!files)
			return ERR_NOMEM;
		source->files = files;
		source->file_room = room;
	}
	source->files[source->file_count++] = path;
	return 0;
}

/* Appends a file's text, each directive replaced by what it includes. */
static int add_text(struct reading *reading, const char *path, const char *bytes, size_t length)
{
	struct config_source *source = reading->source;
	struct config_include include;
	struct config_scan scan;
	const char *from;
	int err = add_to_files(source, path);

	if (err != 0)
		return err;
	config_scan_init(&scan, bytes, length, path, reading->faults);
	from = scan.start;
	err = begin_piece(source, &scan.here);
	while (err == 0 && config_scan_next(&scan, &include)) {
		err = append(source, from, (size_t)(include.start - from));
		if (err == 0)
			err = add_include(reading, &include, &scan.here);
		if (err == 0)
			err = begin_piece(source, &scan.here);
		from = include.end;
	}
	if (err == 0)
		err = append(source, from, (size_t)(bytes + length - from));
	if (err == 0) /* a comment may lack its line end */
		err = append(source, "\n", 1);
	if (err != ERR_LIMIT)
		return err;
	fault_add(reading->faults, FAULT_ERROR, &scan.here, NULL,
		  "the configuration is larger than 256 MB with all it includes; does a file "
		  "include itself?");
	return ERR_FAULTS;
}

/* named_at: where the file is included; NULL is the main file. */
static int add_file(struct reading *reading, const char *path, const struct origin *named_at)
{
	struct origin itself = {.file = path};
	const char *why;
	size_t length;
	char *bytes = regular_file_read(path, TEXT_MAX, NULL, &length, &why);
	int err;

	if (bytes) {
		err = add_text(reading, path, bytes, length);
		free(bytes);
		return err;
	}
	if (named_at)
		fault_add(
			reading->faults, FAULT_ERROR, named_at, NULL,
			"%s cannot be read: %s; its path is relative to the main file's directory",
			path, why);
	else
		fault_add(reading->faults, FAULT_ERROR, &itself, NULL, "cannot be read: %s", why);
	return ERR_FAULTS;
}

int config_source_read(struct config_source *source, const char *path, const char *directory,
		       struct arena *arena, struct faults *faults)
{
	struct reading reading = {source, directory, arena, faults, 0, 0};
	size_t before = faults->errors;
	const char *name = arena_strdup(arena, path);
	int err;

	*source = (struct config_source){0};
	if (!name)
		return ERR_NOMEM;
	err = add_file(&reading, name, NULL);
	if (err == 0 && faults->errors > before)
		err = ERR_FAULTS;
	return err;
}

void config_source_release(struct config_source *source)
{
	free(source->text);
	free(source->pieces);
	free(source->files);
	*source = (struct config_source){0};
}
