/* An import: another program's configuration as a tree of our values, each with the file and line
 * it comes from. The complete tree is read and checked like a configuration file; refused values
 * are taken out and reported, so that the rest passes `sluice check`.
 *
 * Texts are copied from the caller. Without memory the process ends: only the command is lost. */
#ifndef SLUICE_IMPORT_H
#define SLUICE_IMPORT_H

#include <stdbool.h>
#include <stdio.h>
#include <sys/types.h>

#include "rules/fault.h"
#include "rules/schema/model.h"

struct arena;
struct import;
struct node; /* a group of the tree; valid until import_finish */

/* for_server: the result is for a running server with its own settings, such as addresses to listen
 * at; so settings that the original does not have are left out. */
struct import *import_new(bool for_server);
bool import_is_for_server(const struct import *import);
void import_free(struct import *import);

/* ---- places ---- */

/* The place of a line, for the item called `what` there ("forward-zone"; may be NULL); texts are
 * copied. */
struct origin import_place(struct import *import, const char *file, unsigned line,
			   const char *what);
/* Reports that something was left out; the text, which follows "not carried over: ", says why. */
void import_lost(struct import *import, const struct origin *at, const char *format, ...)
	__attribute__((format(printf, 3, 4)));
/* Reports that something was carried over with a difference. */
void import_changed(struct import *import, const struct origin *at, const char *format, ...)
	__attribute__((format(printf, 3, 4)));
/* Reports access that could only be written more open than it was, so it is written closed. Adds
 * `open`, the line that opens it, as a comment at the end of `in`, a named item or a top-level
 * group. These reports are printed first, and nothing is applied. */
void import_closed(struct import *import, const struct origin *at, const struct node *in,
		   const char *open, const char *format, ...) __attribute__((format(printf, 5, 6)));
bool import_is_closed(const struct import *import);
/* Reports that a file cannot be read as its format requires; nothing will be written. */
void import_fault(struct import *import, const struct origin *at, const char *format, ...)
	__attribute__((format(printf, 3, 4)));
bool import_is_refused(const struct import *import);
/* Adds a comment, without its marks, for the value from that line: it is written above that value,
 * or else at the end. Further comments for the line become further lines. */
void import_comment(struct import *import, const char *file, unsigned line, const char *text);
/* Adds a comment for the next value; import_comments_to gives its line once that is known. */
void import_comment_ahead(struct import *import, const char *text);
void import_comments_to(struct import *import, const char *file, unsigned line);

/* Moves comments from one place to another: from a setting to the item that it belongs to. */
void import_comments_move(struct import *import, const struct origin *from,
			  const struct origin *to);

/* Reads a whole file, with a NUL after it, into the import's memory; NULL: faults say why. `at` is
 * the place that names the file (NULL or without a line: the command, where "-" means standard
 * input). */
char *import_read(struct import *import, const char *path, const struct origin *at, size_t *length);
/* The import's memory, for texts from other rooms. */
struct arena *import_arena(struct import *import);
/* Allocate in the import's memory. */
char *import_printf(struct import *import, const char *format, ...)
	__attribute__((format(printf, 2, 3)));
void *import_alloc(struct import *import, size_t size);
/* Build a text from parts: begin, put, end, which returns it. */
struct text_maker;
struct text_maker *import_begin(struct import *import);
void import_put(struct text_maker *maker, const char *format, ...)
	__attribute__((format(printf, 2, 3)));
char *import_end(struct text_maker *maker);

/* ---- the tree, by the keys of sluice.conf(5) ---- */

struct node *import_root(struct import *import);
/* The group of that key, made if missing: "cache". */
struct node *import_group(struct import *import, struct node *in, const char *key,
			  const struct origin *at);
/* Appends a group to a list: "rules". */
struct node *import_item(struct import *import, struct node *in, const char *key,
			 const struct origin *at);
void import_text(struct import *import, struct node *in, const char *key, const struct origin *at,
		 const char *text);
void import_number(struct import *import, struct node *in, const char *key, const struct origin *at,
		   long long number);
void import_flag(struct import *import, struct node *in, const char *key, const struct origin *at,
		 bool flag);
/* Appends a text to an array, unless it is there already. */
void import_add(struct import *import, struct node *in, const char *key, const struct origin *at,
		const char *text);
/* The text that was set; NULL: none. */
const char *import_get(const struct node *in, const char *key);
/* The number of items in a list or of elements in an array. */
size_t import_count(const struct node *in, const char *key);

/* Turns a text into a name that Azure accepts and that is unique in the scope; `first` goes ahead
 * if the text does not begin with a letter. */
const char *import_name(struct import *import, const char *scope, const char *wanted,
			const char *first);
/* Marks a network as one of the original's views. If there are several views, a report of an item
 * in the view gives the view's name. */
void import_view(struct import *import, const struct node *network);
/* Marks a private zone as uninteresting to readers: one of many that hold a single name. */
void import_aside(struct import *import, const struct node *zone);
/* The object kept for a key; NULL: none. */
void *import_find(struct import *import, const char *key);
void import_keep(struct import *import, const char *key, void *what);

/* ---- finishing ---- */

/* False: a file could not be read, no model could be made, or nothing could be carried over; faults
 * say why. */
bool import_finish(struct import *import);
/* Further files, which the main file includes if they are not empty: NAMES has long zones and those
 * of import_aside, ADDRESSES has the addresses if there are many. */
enum { IMPORT_ASIDE_NAMES, IMPORT_ASIDE_ADDRESSES, IMPORT_ASIDES };
struct import_aside {
	const char *name; /* in the include directive */
	FILE *out;
};
/* "names", "addresses"; NULL: the file would be empty. */
const char *import_aside_word(struct import *import, unsigned aside);
/* Writes the configuration file, after import_finish. `from` names its source. asides NULL:
 * everything in one file, with the asides at the ends of their lists. ERR_SYSTEM: a file cannot be
 * written. */
MUST_CHECK int import_write(struct import *import, const char *from, FILE *out,
			    const struct import_aside asides[IMPORT_ASIDES]);
/* The file mode of the result: only for its owner if it has a secret, otherwise for everybody who
 * may read all input files. */
mode_t import_mode(const struct import *import);
/* Prints the reports of closed access, then losses, changes and faults, a line each; both parts are
 * sorted by file and line. Each part prints at most FAULTS_MAX reports of a severity, then how many
 * more there are. Returns the number of reports printed. */
size_t import_print(struct import *import, FILE *out);

#endif
