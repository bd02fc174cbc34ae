/* Splits a configuration into words, each with its line, for formats made of words. The import
 * gets each comment with a line: the comment's own if a word precedes it there, else that of the
 * next word. */
#ifndef SLUICE_IMPORT_WORDS_H
#define SLUICE_IMPORT_WORDS_H

#include "resolver/control/import/import.h"

struct words_syntax {
	const char *quotes; /* characters that quote a word: "\"'" */
	const char *marks;  /* characters that are words of their own: "{};" */
	bool marks_alone;   /* only between blanks */
	bool has_lines;     /* the end of a line is a mark as well, '\n' */
	bool has_slashes;   /* C's comments are taken like those that begin with '#' */
};

struct word {
	const char *text; /* without quotes; for a mark, the mark */
	unsigned line;
	char mark; /* 0: a word */
	bool quoted;
};

struct words {
	struct word *items; /* ended by one with text NULL */
	size_t count;       /* without that end */
	const char *file;
};

/* Reads a file, into the import's memory. False: unreadable, which is a fault; there are no words
 * then. */
bool words_read(struct import *import, const char *path, const struct origin *at,
		const struct words_syntax *syntax, struct words *words);

/* Why a setting has no counterpart. A name may end in '*'; a NULL name ends a table. */
struct reason {
	const char *name, *why;
};
/* Reports that this setting was not carried over, for the table's reason. */
void words_lost(struct import *import, const struct origin *at, const struct reason *reasons,
		const char *name);

/* Reads "yes" or "no", "on" ...; -1: neither. */
int words_flag(const char *text);
/* Reads "4m", "512k", "1G" or "86400" as bytes; -1: no size. */
long long words_size(const char *text);
/* Reads "1h30m", "2w" or "3600" as seconds; -1: no period. */
long words_period(const char *text);
/* Reads a number from 0 on; -1: no number. */
long words_number(const char *text);
/* The files that match a pattern, which may be relative to the folder of `file`; ended with NULL.
 * At the place `at`, a pattern that matches nothing is reported, and a folder that cannot be read
 * is a fault. A pattern without *, ? and [ is one file, which may be missing: its reader reports
 * that. */
char **words_files(struct import *import, const char *file, const char *pattern,
		   const struct origin *at);

#endif
