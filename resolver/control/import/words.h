/* A configuration's text as words, each with its line, for dialects that are made of such. Comments
 * go to the import, for the line of the next word or, behind one, for that word's line. */
#ifndef SLUICE_IMPORT_WORDS_H
#define SLUICE_IMPORT_WORDS_H

#include "resolver/control/import/import.h"

struct words_syntax {
	const char *quotes; /* `"` and `'` */
	const char *marks;  /* characters that are words of their own: "{};" */
	bool marks_alone;   /* only where blanks stand around them */
	bool has_lines;     /* the end of a line is a mark, too, '\n' */
	bool has_slashes;   /* comments of C beside those that begin with '#' */
};

struct word {
	const char *text; /* without quotes; of a mark, the mark */
	unsigned line;
	char mark; /* 0: it is a word */
	bool quoted;
};

struct words {
	struct word *items; /* the last one has text NULL */
	size_t count;       /* without it */
	const char *file;
};

/* In the import's memory. False: the file cannot be read, which is a fault; there are no words
 * then.
 */
bool words_read(struct import *import, const char *path, const struct origin *at,
		const struct words_syntax *syntax, struct words *words);

/* Why a setting has no counterpart here. A name may end in '*'; NULL ends a table. */
struct reason {
	const char *name, *why;
};
/* Tells that this was not carried over, for the table's reason. */
void words_lost(struct import *import, const struct origin *at, const struct reason *reasons,
		const char *name);

/* "yes" or "no", "on" ...; -1: neither. */
int words_flag(const char *text);
/* "4m", "512k", "1G", "86400" in bytes; -1: it is none. */
long long words_size(const char *text);
/* "1h30m", "2w", "3600" in seconds; -1: it is none. */
long words_period(const char *text);
/* A number from 0 on; -1: it is none. */
long words_number(const char *text);
/* The files that a pattern means, relative to that of `file`'s folder where it is relative; ended
 * with NULL. */
char **words_files(struct import *import, const char *file, const char *pattern);

#endif
