/* An import: what another program's configuration says, as a tree of values of ours, each with the
 * file and line that it is from. When it is complete it is read and checked as a configuration file
 * is; what is refused is taken out and told, so that the rest passes `sluice check`.
 *
 * Texts that are handed in are copied. Without memory the process ends: it has nothing to lose but
 * the command. */
#ifndef SLUICE_IMPORT_H
#define SLUICE_IMPORT_H

#include <stdbool.h>
#include <stdio.h>
#include <sys/types.h>

#include "rules/fault.h"
#include "rules/schema/model.h"

struct arena;
struct import;
struct node; /* a group of the tree; good until import_finish */

/* for_server: it is for one that runs and has settings, such as where it listens; of an original
 * that says nothing of them there are none. */
struct import *import_new(bool for_server);
bool import_is_for_server(const struct import *import);
void import_free(struct import *import);

/* ---- places ---- */

/* Of that line of the file, for what is called so there ("forward-zone"); both are copied, `what`
 * may be NULL. */
struct origin import_place(struct import *import, const char *file, unsigned line,
			   const char *what);
/* Not in what is written: why not, as the end of "not carried over: ...". */
void import_lost(struct import *import, const struct origin *at, const char *format, ...)
	__attribute__((format(printf, 3, 4)));
/* Carried over with a difference. */
void import_changed(struct import *import, const struct origin *at, const char *format, ...)
	__attribute__((format(printf, 3, 4)));
/* Who may ask, or what they may, can only be said more openly than it was: so it is written closed.
 * Writes `open`, a line of the group `in`, as a comment at its end; `in` is an item of a list at
 * the top, with its name, or a group there. It is told ahead of all else, and nothing is applied.
 */
void import_closed(struct import *import, const struct origin *at, const struct node *in,
		   const char *open, const char *format, ...) __attribute__((format(printf, 5, 6)));
bool import_is_closed(const struct import *import);
/* The file cannot be read as what it is meant to be; nothing will be written. */
void import_fault(struct import *import, const struct origin *at, const char *format, ...)
	__attribute__((format(printf, 3, 4)));
bool import_is_refused(const struct import *import);
/* A comment, without what marks it as one, for what is at that line: it stands above it in what is
 * written, and else at the end. Further ones for the same line are further lines. */
void import_comment(struct import *import, const char *file, unsigned line, const char *text);
/* The same for what comes next, which is given when it is there. */
void import_comment_ahead(struct import *import, const char *text);
void import_comments_to(struct import *import, const char *file, unsigned line);

/* Those on what is at one place are for what is at another: a setting's, for what the setting is
 * of. */
void import_comments_move(struct import *import, const struct origin *from,
			  const struct origin *to);

/* All of a file, with a NUL behind; NULL: the faults say why. The import's. `at` is where it is
 * named (NULL or no line: by the command, to which "-" is standard input). */
char *import_read(struct import *import, const char *path, const struct origin *at, size_t *length);
/* The import's memory, for texts that other rooms make. */
struct arena *import_arena(struct import *import);
/* In the import's memory. */
char *import_printf(struct import *import, const char *format, ...)
	__attribute__((format(printf, 2, 3)));
void *import_alloc(struct import *import, size_t size);
/* A text that is put together of many: begin, put, end, which returns it. */
struct text_maker;
struct text_maker *import_begin(struct import *import);
void import_put(struct text_maker *maker, const char *format, ...)
	__attribute__((format(printf, 2, 3)));
char *import_end(struct text_maker *maker);

/* ---- the tree, by the keys of sluice.conf(5) ---- */

struct node *import_root(struct import *import);
/* The group of that key, which is made where there is none: "cache". */
struct node *import_group(struct import *import, struct node *in, const char *key,
			  const struct origin *at);
/* One more group at the end of a list: "rules". */
struct node *import_item(struct import *import, struct node *in, const char *key,
			 const struct origin *at);
void import_text(struct import *import, struct node *in, const char *key, const struct origin *at,
		 const char *text);
void import_number(struct import *import, struct node *in, const char *key, const struct origin *at,
		   long long number);
void import_flag(struct import *import, struct node *in, const char *key, const struct origin *at,
		 bool flag);
/* One more text in an array, unless it is there. */
void import_add(struct import *import, struct node *in, const char *key, const struct origin *at,
		const char *text);
/* What was set; NULL: nothing. */
const char *import_get(const struct node *in, const char *key);
/* Items of a list or elements of an array. */
size_t import_count(const struct node *in, const char *key);

/* A name that Azure takes, made of a text, and another one each time in the same scope; `first` is
 * what it begins with where it would not begin with a letter. */
const char *import_name(struct import *import, const char *scope, const char *wanted,
			const char *first);
/* What a network is called in the original, for remarks where there are several. */
void import_view(struct import *import, const struct node *network, const char *view);
/* This private zone is nothing that people read: of many of its kind, each one of a name alone. */
void import_aside(struct import *import, const struct node *zone);
/* What is remembered by a text; NULL: nothing is. */
void *import_find(struct import *import, const char *key);
void import_keep(struct import *import, const char *key, void *what);

/* ---- the end ---- */

/* False: it could not be made to fit, or a file could not be read; the faults say why. */
bool import_finish(struct import *import);
/* Further files, of which the first one includes those that something is in: zones of
 * import_aside and long ones, and addresses where there are many. */
enum { IMPORT_ASIDE_NAMES, IMPORT_ASIDE_ADDRESSES, IMPORT_ASIDES };
struct import_aside {
	const char *name; /* as it is included */
	FILE *out;
};
/* "names", "addresses"; NULL: nothing is in it. */
const char *import_aside_word(struct import *import, unsigned aside);
/* As a configuration file, after it was finished. `from` says what it is made of. asides NULL: it
 * is all in one file, with those at the end of their lists. ERR_SYSTEM: a file refuses. */
MUST_CHECK int import_write(struct import *import, const char *from, FILE *out,
			    const struct import_aside asides[IMPORT_ASIDES]);
/* A file that it is written to: for its owner alone where it has a secret, else for whoever may
 * read all that was read. */
mode_t import_mode(const struct import *import);
/* What was lost and changed, a line each, by file and line; and faults. Returns how many lines. */
size_t import_print(struct import *import, FILE *out);

#endif
