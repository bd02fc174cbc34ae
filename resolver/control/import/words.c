#include "resolver/control/import/words.h"

#include <ctype.h>
#include <errno.h>
#include <glob.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

struct lexer {
	struct import *import;
	const struct words_syntax *syntax;
	struct words *words;
	const char *at;
	unsigned line;
};

static void push(struct lexer *lexer, const char *text, unsigned line, char mark, bool quoted)
{
	struct words *words = lexer->words;
	size_t room = words->count;

	/* There is room for one more word, the end mark. */
	if ((room & (room - 1)) == 0 || room == 1) {
		struct word *more = import_alloc(lexer->import, (2 * room + 2) * sizeof *more);

		if (room > 0)
			memcpy(more, words->items, room * sizeof *more);
		words->items = more;
	}
	words->items[words->count++] = (struct word){text, line, mark, quoted};
	words->items[words->count] = (struct word){.line = line};
	if (mark != '\n')
		import_comments_to(lexer->import, words->file, line);
}

static bool is_blank(char c)
{
	return c == '\0' || isspace((unsigned char)c);
}

static bool begins_comment(const struct lexer *lexer)
{
	const char *at = lexer->at;

	return *at == '#' ||
	       (lexer->syntax->has_slashes && at[0] == '/' && (at[1] == '/' || at[1] == '*'));
}

static void take_comment(struct lexer *lexer)
{
	const struct words *words = lexer->words;
	bool is_block = lexer->at[0] == '/' && lexer->at[1] == '*', more = true;
	const char *at = lexer->at + (*lexer->at == '/' ? 2 : 1), *end, *stop;
	bool behind = words->count > 0 && words->items[words->count - 1].line == lexer->line &&
		      words->items[words->count - 1].mark != '\n';
	unsigned line = lexer->line;

	at += strspn(at, "#");
	stop = is_block ? strstr(at, "*/") : strchrnul(at, '\n');
	if (!stop)
		stop = at + strlen(at);
	while (more) {
		const char *text;
		size_t length;

		end = memchr(at, '\n', (size_t)(stop - at));
		more = end;
		end = end ? end : stop;
		while (at < end && (*at == ' ' || *at == '\t' || (is_block && *at == '*')))
			at++;
		length = (size_t)(end - at);
		while (length > 0 && isspace((unsigned char)at[length - 1]))
			length--;
		text = import_printf(lexer->import, "%.*s", (int)length, at);
		if (*text != '\0' && behind)
			import_comment(lexer->import, words->file, line, text);
		else if (*text != '\0')
			import_comment_ahead(lexer->import, text);
		lexer->line += more;
		at = end + 1;
	}
	lexer->at = stop + (is_block && *stop != '\0' ? 2 : 0);
}

/* The length up to the closing quote, or the end. */
static size_t quoted_length(const char *text, char quote)
{
	size_t length = 0;

	while (text[length] != '\0' && text[length] != quote)
		length += 1 + (text[length] == '\\' && text[length + 1] == quote);
	return length;
}

static void take_quoted(struct lexer *lexer)
{
	char quote = *lexer->at++;
	char *text = import_alloc(lexer->import, quoted_length(lexer->at, quote) + 1), *to = text;
	unsigned line = lexer->line;

	for (; *lexer->at != '\0' && *lexer->at != quote; lexer->at++) {
		lexer->line += *lexer->at == '\n';
		if (*lexer->at == '\\' && lexer->at[1] == quote)
			lexer->at++;
		*to++ = *lexer->at;
	}
	lexer->at += *lexer->at != '\0';
	push(lexer, text, line, 0, true);
}

static bool is_mark(const struct lexer *lexer, const char *at)
{
	if (*at == '\0' || !strchr(lexer->syntax->marks, *at))
		return false;
	return !lexer->syntax->marks_alone || is_blank(at[1]);
}

static void take_word(struct lexer *lexer)
{
	const char *from = lexer->at, *at = from;

	while (!is_blank(*at) && !(at > from && strchr(lexer->syntax->quotes, *at)) &&
	       !(is_mark(lexer, at) && !lexer->syntax->marks_alone))
		at++;
	lexer->at = at;
	push(lexer, import_printf(lexer->import, "%.*s", (int)(at - from), from), lexer->line, 0,
	     false);
}

bool words_read(struct import *import, const char *path, const struct origin *at,
		const struct words_syntax *syntax, struct words *words)
{
	size_t length;
	struct lexer lexer = {.import = import, .syntax = syntax, .words = words, .line = 1};

	*words = (struct words){.file = import_place(import, path, 0, NULL).file};
	lexer.at = import_read(import, path, at, &length);
	if (!lexer.at)
		return false;
	words->items = import_alloc(import, sizeof *words->items);
	while (*lexer.at != '\0') {
		if (*lexer.at == '\n') {
			if (syntax->has_lines)
				push(&lexer, "\n", lexer.line, '\n', false);
			lexer.line++;
			lexer.at++;
		} else if (is_blank(*lexer.at)) {
			lexer.at++;
		} else if (begins_comment(&lexer)) {
			take_comment(&lexer);
		} else if (strchr(syntax->quotes, *lexer.at)) {
			take_quoted(&lexer);
		} else if (is_mark(&lexer, lexer.at)) {
			push(&lexer, import_printf(import, "%c", *lexer.at), lexer.line, *lexer.at,
			     false);
			lexer.at++;
		} else {
			take_word(&lexer);
		}
	}
	words->items[words->count] = (struct word){.line = lexer.line};
	import_comments_to(import, path, lexer.line);
	return true;
}

void words_lost(struct import *import, const struct origin *at, const struct reason *reasons,
		const char *name)
{
	for (; reasons->name; reasons++) {
		size_t length = strlen(reasons->name);
		bool open = length > 0 && reasons->name[length - 1] == '*';

		if (open ? strncasecmp(reasons->name, name, length - 1) == 0
			 : strcasecmp(reasons->name, name) == 0)
			break;
	}
	import_lost(import, at, "%s",
		    reasons->why ? reasons->why : "sluice has nothing that corresponds to it");
}

int words_flag(const char *text)
{
	static const char *const yes[] = {"yes", "true", "on", "1"}, *const no[] = {"no", "false",
										    "off", "0"};

	for (size_t i = 0; text && i < sizeof yes / sizeof *yes; i++) {
		if (strcasecmp(text, yes[i]) == 0)
			return 1;
		if (strcasecmp(text, no[i]) == 0)
			return 0;
	}
	return -1;
}

long words_number(const char *text)
{
	char *end;
	long number;

	if (!text || !isdigit((unsigned char)*text))
		return -1;
	number = strtol(text, &end, 10);
	return *end == '\0' ? number : -1;
}

long long words_size(const char *text)
{
	static const char units[] = "bkmgt";
	long long number;
	const char *unit;
	char *end;

	if (!text || !isdigit((unsigned char)*text))
		return -1;
	number = strtoll(text, &end, 10);
	unit = *end ? strchr(units, tolower((unsigned char)*end)) : units;
	if (!unit || (*end && end[1] && strcasecmp(end + 1, "b") != 0))
		return -1;
	for (ptrdiff_t i = unit - units; i > 0; i--)
		number = number > (1LL << 50) ? number : number * 1024;
	return number;
}

long words_period(const char *text)
{
	static const struct {
		char letter;
		long seconds;
	} units[] = {{'w', 604800}, {'d', 86400}, {'h', 3600}, {'m', 60}, {'s', 1}};
	long all = 0, number;
	char *end;

	if (!text || !isdigit((unsigned char)*text))
		return -1;
	while (isdigit((unsigned char)*text)) {
		number = strtol(text, &end, 10);
		if (*end == '\0')
			return all + number;
		size_t i = 0;

		while (i < 5 && units[i].letter != tolower((unsigned char)*end))
			i++;
		if (i == 5)
			return -1;
		all += number * units[i].seconds;
		text = end + 1;
	}
	return *text == '\0' ? all : -1;
}

/* A folder that does not exist has no file that matches. */
static int stop_at(const char *path, int error)
{
	(void)path;
	return error != ENOENT;
}

char **words_files(struct import *import, const char *file, const char *pattern,
		   const struct origin *at)
{
	const char *slash = strrchr(file, '/');
	glob_t found = {0};
	char **files;
	int status;

	if (*pattern != '/' && slash)
		pattern = import_printf(import, "%.*s/%s", (int)(slash - file), file, pattern);
	/* A pattern may match nothing. A file that is named must exist: if not, its reader reports
	 * a fault. */
	if (!strpbrk(pattern, "*?[")) {
		files = import_alloc(import, 2 * sizeof *files);
		files[0] = import_printf(import, "%s", pattern);
		return files;
	}
	status = glob(pattern, 0, stop_at, &found);
	if (status == GLOB_NOMATCH)
		import_lost(import, at, "no file matches %s", pattern);
	else if (status != 0)
		import_fault(import, at, "%s cannot be read: its folder could not be read",
			     pattern);
	files = import_alloc(import, (found.gl_pathc + 1) * sizeof *files);
	for (size_t i = 0; i < found.gl_pathc; i++)
		files[i] = import_printf(import, "%s", found.gl_pathv[i]);
	globfree(&found);
	return files;
}
