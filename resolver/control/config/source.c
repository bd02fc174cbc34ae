/* The text is made of pieces. A file is one piece, or several with its included files between them:
 *
 *     text            pieces: from line   file         its line
 *     region = "a";           1           main.conf    1
 *     workers = 2;            2           more.conf    1          @include "more.conf" was on
 *     (an empty line)                                             line 2 of main.conf
 *     ; log = { };            4           main.conf    2
 *
 * The text after a directive begins a new line, so each line is of one file. Each file gets one
 * more line end, because its last line may lack one. The maximum depth stops a file that includes
 * itself.
 *
 * This file knows enough of libconfig's grammar to tell strings, comments, integers and directives
 * apart. libconfig judges the rest. */
#include "resolver/control/config/source.h"

#include <ctype.h>
#include <errno.h>
#include <regex.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "resolver/control/base/regular_file.h"
#include "rules/base.h"

enum {
	TEXT_MAX = 1 << 28, /* bytes: files that each include others twice grow fast */
	NUMBER_SHOWN_MAX = 64,
};

struct text_reader {
	struct config_source *source;
	FILE *text;
	size_t length;
	unsigned lines; /* line ends in the text */
	const char *directory;
	struct arena *arena;
	struct faults *faults;
	unsigned includes, depth;
};

static int add_file(struct text_reader *reader, const char *path, const struct origin *named_at);

const char *config_source_path(struct arena *arena, const char *directory, const char *path)
{
	if (path[0] == '/' || !directory || strcmp(directory, ".") == 0)
		return path;
	return arena_printf(arena, "%s/%s", directory, path);
}

static unsigned count_lines(const char *from, const char *end)
{
	unsigned lines = 0;

	for (; from < end; from++)
		lines += *from == '\n';
	return lines;
}

/* ---- the text and its pieces ---- */

/* An error of the stream is found when it is closed. */
static int append(struct text_reader *reader, const char *bytes, size_t length)
{
	if (length > TEXT_MAX - reader->length)
		return ERR_LIMIT;
	reader->length += length;
	reader->lines += count_lines(bytes, bytes + length);
	return fwrite(bytes, 1, length, reader->text) == length ? 0 : ERR_NOMEM;
}

/* The text that is appended next comes from `here`. */
static int begin_piece(struct text_reader *reader, const struct origin *here, bool first)
{
	struct config_source *source = reader->source;

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
		(struct config_piece){reader->lines + 1, here->file, here->line, first, 0};
	return 0;
}

struct origin config_source_at(const struct config_source *source, unsigned line)
{
	size_t low = 0, high = source->piece_count;

	while (high - low > 1) { /* the last piece that begins at or before the line */
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

/* ---- the tokens of a file ---- */

/* The place after the comment that begins here; `at` itself: no comment begins here. */
static const char *skip_comment(const char *at)
{
	if (at[0] == '#' || (at[0] == '/' && at[1] == '/'))
		return at + strcspn(at, "\n");
	if (at[0] == '/' && at[1] == '*') {
		const char *end = strstr(at + 2, "*/");

		return end ? end + 2 : at + strlen(at);
	}
	return at;
}

/* The closing quote of the string that begins here, or the end of the line if there is none. */
static const char *string_end(const char *at)
{
	for (at++; *at && *at != '"' && *at != '\n'; at++)
		at += *at == '\\' && at[1] && at[1] != '\n';
	return at;
}

struct config_scan {
	const char *start, *at; /* `start` is behind a byte order mark */
	struct origin here;     /* the file, and the line of `at` */
	struct faults *faults;
};

#define REFUSE(scan, ...) fault_add((scan)->faults, FAULT_ERROR, &(scan)->here, NULL, __VA_ARGS__)

/* libconfig would go on in the next line. But no value has a line end, and after a missing quote
 * libconfig would take text for strings and strings for text. */
static void scan_string(struct config_scan *scan)
{
	const char *end = string_end(scan->at);

	for (const char *at = scan->at; at < end; at++)
		if (*at == '\\' && strncasecmp(++at, "x00", 3) == 0)
			REFUSE(scan, "\\x00 in a string is a NUL byte, which no value may have; "
				     "remove it");
	if (*end != '"')
		REFUSE(scan, "a quote is missing: a string ends on the line that it begins on, "
			     "with a plain \" (not a typographic one)");
	scan->at = end + (*end == '"');
}

static bool is_cut(const char *token, size_t length)
{
	const char *digits = token + (*token == '-' || *token == '+');
	bool hex = strncasecmp(digits, "0x", 2) == 0;
	unsigned long long most = UINT64_C(0x7fffffff) + (*token == '-'), value;
	char *end;

	errno = 0;
	value = strtoull(digits, &end, hex ? 16 : 10);
	return isdigit((unsigned char)digits[0]) && end == token + length &&
	       (errno != 0 || value > most);
}

/* A run of letters, digits and signs. */
static void scan_token(struct config_scan *scan)
{
	const char *token = scan->at, *end = token + 1;

	while (isalnum((unsigned char)*end) || (*end && strchr("._-+*", *end)))
		end++;
	scan->at = end;
	if (is_cut(token, (size_t)(end - token))) {
		int shown = end - token < NUMBER_SHOWN_MAX ? (int)(end - token) : NUMBER_SHOWN_MAX;

		REFUSE(scan, "%.*s does not fit in a 32-bit integer; write %.*sL", shown, token,
		       shown, token);
	}
}

struct include {
	const char *begin, *path, *end; /* its @, the byte after the first quote, the last quote */
};

/* libconfig takes a directive only as the first thing on its line. False: a fault was added. All
 * directives are replaced here, so libconfig itself finds none. */
static bool scan_include(struct config_scan *scan, struct include *include)
{
	static const char keyword[] = "@include";
	const char *begin = scan->at, *before = begin, *at = begin + sizeof keyword - 1;

	scan->at++;
	while (before > scan->start && (before[-1] == ' ' || before[-1] == '\t'))
		before--;
	if ((before == scan->start || before[-1] == '\n') &&
	    strncmp(begin, keyword, sizeof keyword - 1) == 0 && (*at == ' ' || *at == '\t') &&
	    *(at += strspn(at, " \t")) == '"') {
		*include = (struct include){begin, at + 1, string_end(at)};
		scan->at = include->end + (*include->end == '"');
		if (*include->end == '"')
			return true;
	}
	REFUSE(scan, "an @ only begins a line of its own: @include \"FILE\"");
	return false;
}

/* Moves past the next @include and adds faults on the way. False: there is none. */
static bool scan_next(struct config_scan *scan, struct include *include)
{
	while (*scan->at) {
		const char *behind = skip_comment(scan->at);

		if (behind > scan->at) {
			if (strncmp(scan->at, "/*", 2) == 0 && !*behind &&
			    (behind - scan->at < 4 || memcmp(behind - 2, "*/", 2) != 0))
				REFUSE(scan, "this comment never ends; close it with */ in the "
					     "same file");
			scan->here.line += count_lines(scan->at, behind);
			scan->at = behind;
		} else if (*scan->at == '"') {
			scan_string(scan);
		} else if (*scan->at == '@') {
			if (scan_include(scan, include))
				return true;
		} else if (isalnum((unsigned char)*scan->at) || strchr("-+*", *scan->at)) {
			scan_token(scan);
		} else {
			scan->here.line += *scan->at++ == '\n';
		}
	}
	return false;
}

/* ---- files ---- */

static int add_include(struct text_reader *reader, const struct include *include,
		       const struct origin *here)
{
	char *written = arena_printf(reader->arena, "%.*s", (int)(include->end - include->path),
				     include->path);
	const char *path = NULL;
	size_t used = 0;
	int err;

	for (const char *at = written; at && *at; at++) { /* libconfig's two escapes in a path */
		at += at[0] == '\\' && (at[1] == '\\' || at[1] == '"');
		written[used++] = *at;
	}
	if (written) {
		written[used] = '\0';
		path = config_source_path(reader->arena, reader->directory, written);
	}
	if (!path)
		return ERR_NOMEM;
	if (reader->depth == CONFIG_INCLUDE_DEPTH_MAX ||
	    reader->includes++ == CONFIG_INCLUDES_MAX) {
		fault_add(reader->faults, FAULT_ERROR, here, NULL,
			  "%s is included too deep, or is one too many; at most %d files include "
			  "one another, and at most %d are included",
			  path, CONFIG_INCLUDE_DEPTH_MAX, CONFIG_INCLUDES_MAX);
		return ERR_FAULTS;
	}
	reader->depth++;
	err = add_file(reader, path, here);
	reader->depth--;
	return err;
}

/* Appends a file's text, with each directive replaced by the file that it includes. */
static int add_text(struct text_reader *reader, const char *path, const char *text)
{
	static const char mark[] = "\xef\xbb\xbf"; /* some editors write one */
	const char *from = text + (strncmp(text, mark, 3) == 0 ? 3 : 0);
	struct config_scan scan = {from, from, {.file = path, .line = 1}, reader->faults};
	struct include include;
	int err = begin_piece(reader, &scan.here, true);

	while (err == 0 && scan_next(&scan, &include)) {
		err = append(reader, from, (size_t)(include.begin - from));
		if (err == 0)
			err = add_include(reader, &include, &scan.here);
		if (err == 0)
			err = begin_piece(reader, &scan.here, false);
		from = scan.at;
	}
	if (err == 0)
		err = append(reader, from, strlen(from));
	if (err == 0) /* the last line may be a comment without a line end */
		err = append(reader, "\n", 1);
	if (err != ERR_LIMIT)
		return err;
	REFUSE(&scan, "the configuration is larger than 256 MB with all it includes; does a file "
		      "include itself?");
	return ERR_FAULTS;
}

/* named_at: the place of the @include; NULL: this is the main file. */
static int add_file(struct text_reader *reader, const char *path, const struct origin *named_at)
{
	struct origin here = {.file = path};
	const char *why, *nul;
	struct file_stamp stamp;
	size_t length, piece = reader->source->piece_count;
	char *bytes = regular_file_read(path, TEXT_MAX, &stamp, &length, &why);
	int err = ERR_FAULTS;

	if (bytes && (nul = memchr(bytes, '\0', length))) {
		here.line = 1 + count_lines(bytes, nul);
		fault_add(reader->faults, FAULT_ERROR, &here, NULL,
			  "there is a NUL byte; save the file as text in ASCII or UTF-8, or remove "
			  "the byte");
	} else if (bytes) {
		err = add_text(reader, path, bytes);
		if (reader->source->piece_count > piece)
			reader->source->pieces[piece].stamp = file_stamp_number(&stamp);
	} else if (named_at) {
		fault_add(
			reader->faults, FAULT_ERROR, named_at, NULL,
			"%s cannot be read: %s; its path is relative to the main file's directory",
			path, why);
	} else {
		fault_add(reader->faults, FAULT_ERROR, &here, NULL, "cannot be read: %s", why);
	}
	free(bytes);
	return err;
}

int config_source_read(struct config_source *source, const char *path, const char *directory,
		       struct arena *arena, struct faults *faults)
{
	struct text_reader reader = {
		.source = source, .directory = directory, .arena = arena, .faults = faults};
	size_t before = faults->errors;
	const char *name = arena_strdup(arena, path);
	int err = ERR_NOMEM;

	*source = (struct config_source){0};
	reader.text = open_memstream(&source->text, &source->length);
	if (name && reader.text)
		err = add_file(&reader, name, NULL);
	if (reader.text && fclose(reader.text) != 0 && err == 0)
		err = ERR_NOMEM;
	return err == 0 && faults->errors > before ? ERR_FAULTS : err;
}

void config_source_release(struct config_source *source)
{
	free(source->text);
	free(source->pieces);
	*source = (struct config_source){0};
}

/* ---- a syntax error, of which libconfig tells only the line ---- */

enum { LINE_MAX_KEPT = 1024, BRACKETS_MAX = 64 };

/* A summary of the text up to the end of a line. `line` is that line without comments and without
 * the contents of strings; before it, the last word or character of earlier lines:
 *
 *     { name = "a"; },  // an earlier line
 *     );                # the line, whose outline is ", );"
 */
struct outline {
	char line[LINE_MAX_KEPT];
	size_t length;
	struct {
		char closing;
		unsigned line;
	} open[BRACKETS_MAX]; /* the brackets that are open; the last one is to be closed first */
	size_t depth;         /* may exceed BRACKETS_MAX */
	bool mismatch;        /* the innermost one has a closing bracket of another kind */
	bool ended;           /* the text ends before that line */
};

static void outline_put(struct outline *outline, char c)
{
	if (outline->length < sizeof outline->line - 1)
		outline->line[outline->length++] = c;
}

static bool is_key(char c)
{
	return isalnum((unsigned char)c) || c == '_' || c == '-' || c == '*';
}

static void outline_next_line(struct outline *outline)
{
	size_t end = outline->length, begin;

	while (end > 0 && isspace((unsigned char)outline->line[end - 1]))
		end--;
	begin = end > 0 ? end - 1 : 0;
	while (begin > 0 && is_key(outline->line[begin]) && is_key(outline->line[begin - 1]))
		begin--;
	memmove(outline->line, outline->line + begin, end - begin);
	outline->length = end - begin;
	outline_put(outline, ' ');
}

static void outline_bracket(struct outline *outline, char c, unsigned line)
{
	static const char opening[] = "([{", closing[] = ")]}";
	const char *found;

	if ((found = strchr(opening, c))) {
		if (outline->depth < BRACKETS_MAX) {
			outline->open[outline->depth].closing = closing[found - opening];
			outline->open[outline->depth].line = line;
		}
		outline->depth++;
	} else if (strchr(closing, c) && outline->depth > 0 && outline->depth <= BRACKETS_MAX) {
		outline->mismatch = outline->open[outline->depth - 1].closing != c;
		outline->depth -= !outline->mismatch;
	}
}

static void outline_init(struct outline *outline, const char *text, unsigned last)
{
	unsigned line = 1;

	memset(outline, 0, sizeof *outline);
	for (const char *at = text, *end; *at && line <= last; at = end) {
		end = skip_comment(at);
		if (end > at) {
			line += count_lines(at, end);
			continue;
		}
		end = at + 1;
		if (*at == '"') {
			end = string_end(at);
			end += *end == '"';
			outline_put(outline, '"');
			outline_put(outline, '"');
		} else if (*at != '\n') {
			outline_put(outline, *at);
			if (!outline->mismatch)
				outline_bracket(outline, *at, line);
		} else if (++line <= last) {
			outline_next_line(outline);
		}
	}
	outline->line[outline->length] = '\0';
	outline->ended = line <= last; /* every line has its end, which the loop counts */
}

#define KEY   "[[:alpha:]*][[:alnum:]_*-]*"
#define BLANK "[[:blank:]]*"

/* Mistakes that libconfig refuses, as patterns of an outline. The first match is reported by its
 * hint; with an `after`, by the hint, the text in the pattern's first brackets, and `after`. */
static const struct mistake {
	const char *pattern, *hint, *after;
} mistakes[] = {
	{"\342\200[\230-\237]|\302[\253\273]", "typographic quotes are no quotes; write \"TEXT\"",
	 NULL},
	{"'", "single quotes are no quotes; write \"TEXT\"", NULL},
	{"[\200-\377]",
	 "a character outside of quotes is not ASCII; it may look like a blank or a dash", NULL},
	{"(^|[^[:alnum:]_*-])include" BLANK "\"",
	 "to include a file, write @include \"FILE\" on a line of its own", NULL},
	{"," BLANK "[])]", "take out the ',' before the closing bracket", NULL},
	{"\"\"" BLANK "[=:]", "a key is written without quotes", NULL},
	{"[]})\"]" BLANK "[[{(]", "put a ',' between one item and the next", NULL},
	{"[(]" BLANK "(" KEY ")" BLANK "[=:]", "the items of a list have braces: ( { ",
	 " = ... }, { ... } )"},
	{"(" KEY ")(" BLANK "[\"[{(]|[[:blank:]]+[0-9])", "put a '=' after \"", "\""},
	{"[=:]" BLANK "([Yy]es|[Oo]n|YES|ON)" BLANK "([;,}]|$)",
	 "a truth value is true or false, and a text has quotes; write true in place of ", ""},
	{"[=:]" BLANK "([Nn]o|[Oo]ff|NO|OFF)" BLANK "([;,}]|$)",
	 "a truth value is true or false, and a text has quotes; write false in place of ", ""},
	{"[=:([,]" BLANK "([[:alpha:]][^][:blank:];,(){}=[]*|"
	 "[[:xdigit:]]*[.:/][[:xdigit:]]*[.:/][[:xdigit:].:/]*)" BLANK "([];,)}]|$)",
	 "a text has quotes: \"", "\""},
};

static bool is_truth_value(const char *text, size_t length)
{
	return (length == 4 && strncasecmp(text, "true", length) == 0) ||
	       (length == 5 && strncasecmp(text, "false", length) == 0);
}

/* Does the line have the mistake? *word is the part of it to quote. */
static bool find_mistake(const struct mistake *mistake, const char *line, const char **word,
			 size_t *length)
{
	regmatch_t at[2];
	regex_t regex;
	bool found = false;

	if (regcomp(&regex, mistake->pattern, REG_EXTENDED) != 0)
		return false;
	while (!found && regexec(&regex, line, 2, at, 0) == 0) {
		*length = mistake->after ? (size_t)(at[1].rm_eo - at[1].rm_so) : 0;
		*word = line + (mistake->after ? at[1].rm_so : 0);
		found = !is_truth_value(*word, *length);
		line += at[0].rm_eo;
	}
	regfree(&regex);
	return found;
}

/* Reports a mistake by the open brackets: no pattern matches, a bracket is of the wrong kind, or
 * the text has ended. */
static void unknown_mistake(const struct config_source *source, const struct outline *outline,
			    const struct origin *origin, struct faults *faults)
{
	struct origin opened;
	char closing;

	if (outline->depth == 0 || outline->depth > BRACKETS_MAX) {
		fault_add(faults, FAULT_ERROR, origin, NULL,
			  "syntax error; look for a missing ';', ',' or bracket here or just "
			  "above");
		return;
	}
	opened = config_source_at(source, outline->open[outline->depth - 1].line);
	closing = outline->open[outline->depth - 1].closing;
	if (outline->ended)
		fault_add(faults, FAULT_ERROR, &opened, NULL,
			  "syntax error; a bracket that is opened here is never closed; put a '%c' "
			  "where it ends",
			  closing);
	else
		fault_add(faults, FAULT_ERROR, origin, NULL,
			  outline->mismatch
				  ? "syntax error; the bracket opened at %s:%u needs its '%c' "
				    "first, or an opening one is missing here"
				  : "syntax error; look for a missing ',' or bracket here or just "
				    "above; maybe the bracket opened at %s:%u needs its '%c' first",
			  opened.file, opened.line, closing);
}

void config_source_syntax_fault(const struct config_source *source, unsigned line,
				struct faults *faults)
{
	struct origin origin = config_source_at(source, line);
	size_t length = 0, count = COUNT(mistakes), i = 0;
	struct outline outline;
	const char *word = "";

	outline_init(&outline, source->text, line);
	while (i < count && !find_mistake(&mistakes[i], outline.line, &word, &length))
		i++;
	if (outline.ended || outline.mismatch || i == count)
		unknown_mistake(source, &outline, &origin, faults);
	else
		fault_add(faults, FAULT_ERROR, &origin, NULL, "syntax error; %s%.*s%s",
			  mistakes[i].hint, (int)length, word,
			  mistakes[i].after ? mistakes[i].after : "");
}

/* ---- a key that is given twice ---- */

struct known_key { /* a key of a group that is still open */
	const char *at;
	size_t length, depth; /* of the brackets around it */
	unsigned line;
};

struct key_search {
	struct arena arena;
	struct known_key *keys;
	size_t count, room, depth;
};

static const struct known_key *find_key(const struct key_search *search,
					const struct known_key *key)
{
	for (size_t i = search->count; i > 0 && search->keys[i - 1].depth == key->depth; i--)
		if (search->keys[i - 1].length == key->length &&
		    memcmp(search->keys[i - 1].at, key->at, key->length) == 0)
			return &search->keys[i - 1];
	return NULL;
}

/* Without memory the key is forgotten, and the fault does not name it. */
static void add_key(struct key_search *search, const struct known_key *key)
{
	size_t room = search->room ? 2 * search->room : 64;
	struct known_key *keys;

	if (search->count == search->room) {
		keys = arena_alloc_array(&search->arena, room, sizeof *keys);
		if (!keys)
			return;
		if (search->count > 0)
			memcpy(keys, search->keys, search->count * sizeof *keys);
		search->keys = keys;
		search->room = room;
	}
	search->keys[search->count++] = *key;
}

static void pass_bracket(struct key_search *search, char c)
{
	if (strchr("([{", c))
		search->depth++;
	else if (strchr(")]}", c) && search->depth > 0)
		search->depth--;
	while (search->count > 0 && search->keys[search->count - 1].depth > search->depth)
		search->count--;
}

/* The place after the string, comment, word or character that begins here. */
static const char *next_word(const char *at)
{
	const char *end = skip_comment(at);

	if (end > at)
		return end;
	if (*at == '"') {
		end = string_end(at);
		return end + (*end == '"');
	}
	for (end = at; is_key(*end); end++)
		;
	return end > at ? end : at + 1;
}

/* Finds the first key that its group has twice: *before is the first of the two, *key the other. */
static bool find_duplicate(struct key_search *search, const char *text, struct known_key *key,
			   struct known_key *before)
{
	const struct known_key *known;
	unsigned line = 1;

	for (const char *at = text, *end; *at; at = end) {
		end = next_word(at);
		*key = (struct known_key){at, (size_t)(end - at), search->depth, line};
		line += count_lines(at, end);
		if (!is_key(*at)) {
			pass_bracket(search, *at);
			continue;
		}
		if (!strchr("=:", end[strspn(end, " \t\r\n")]))
			continue;
		known = find_key(search, key);
		if (known) {
			*before = *known;
			return true;
		}
		add_key(search, key);
	}
	return false;
}

void config_source_duplicate_fault(const struct config_source *source, unsigned line,
				   struct faults *faults)
{
	enum { KEY_SHOWN_MAX = 64 };
	struct origin origin = config_source_at(source, line), first;
	struct key_search search = {.depth = 0};
	struct known_key key, before;

	arena_init(&search.arena);
	if (find_duplicate(&search, source->text, &key, &before)) {
		first = config_source_at(source, before.line);
		fault_add(faults, FAULT_ERROR, &origin, NULL,
			  "the key \"%.*s\" stands twice in one group, first at %s:%u; keep one of "
			  "them",
			  key.length < KEY_SHOWN_MAX ? (int)key.length : KEY_SHOWN_MAX, key.at,
			  first.file, first.line);
	} else {
		fault_add(faults, FAULT_ERROR, &origin, NULL,
			  "a key stands twice in one group; keep one of them");
	}
	arena_release(&search.arena);
}
