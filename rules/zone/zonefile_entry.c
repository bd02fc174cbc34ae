/* Splitting a master file into entries. ldns can do this too, but what it does with a mistake is
 * not what an operator needs: its line numbers are those where an entry ends, past the blank lines
 * behind it, and a parenthesis that is never closed takes the rest of the file along.
 *
 *     www  IN  TXT ( "a;b"  ; comment       one entry, on line 1:
 *                    second )               |www  IN  TXT   "a;b"                 second  |
 *
 * When an entry is broken, reading goes on with the line behind its first one, so the records that
 * an open parenthesis has swallowed are still seen. That is done a few times only: a file of
 * nothing but open parentheses would otherwise be read once for each of them. */
#include "rules/zone/zonefile_entry.h"

#include <stdlib.h>
#include <string.h>

enum { REWINDS_MAX = 16 };

struct scan {
	size_t used; /* bytes of the entry */
	unsigned depth;
	bool quoted, comment, something; /* something: not only blanks */
	const char *second_line;         /* of the entry; NULL: still on the first */
	const char *problem;
};

int zonefile_text_init(struct zonefile_text *text, const char *bytes, size_t length)
{
	static const char byte_order_mark[] = "\xef\xbb\xbf";
	size_t mark = sizeof byte_order_mark - 1;

	*text = (struct zonefile_text){.at = bytes, .end = bytes + length, .line = 1};
	if (length >= mark && memcmp(bytes, byte_order_mark, mark) == 0)
		text->at += mark; /* some editors put it there */
	text->entry = malloc(ZONEFILE_ENTRY_MAX + 1);
	return text->entry ? 0 : ERR_NOMEM;
}

void zonefile_text_release(struct zonefile_text *text)
{
	free(text->entry);
	text->entry = NULL;
}

static void put(struct zonefile_text *text, struct scan *scan, char c)
{
	if (c == '\0')
		scan->problem = "a NUL byte; a zone file is text";
	else if (scan->used == ZONEFILE_ENTRY_MAX)
		scan->problem = "an entry of more than 512 KB; is there a ) missing?";
	else
		text->entry[scan->used++] = c;
	scan->something |= c != ' ';
}

/* At a line's end: true when it ends the entry. */
static bool end_line(struct zonefile_text *text, struct scan *scan)
{
	text->line++;
	if (!scan->second_line)
		scan->second_line = text->at;
	if (scan->quoted)
		scan->problem = "a \" without its partner on the same line";
	if (scan->depth == 0 || scan->problem)
		return true;
	scan->comment = false;
	put(text, scan, ' ');
	return scan->problem != NULL;
}

static void parenthesis(struct zonefile_text *text, struct scan *scan, char c)
{
	if (c == '(')
		scan->depth++;
	else if (scan->depth > 0)
		scan->depth--;
	else
		scan->problem = "a ) without a ( ahead of it";
	if (scan->used > 0) /* a blank ahead of an entry would mean that it has no owner */
		put(text, scan, ' ');
}

/* Takes one character outside comments. */
static void take(struct zonefile_text *text, struct scan *scan, char c)
{
	if (c == '\\' && text->at < text->end && *text->at != '\n') {
		put(text, scan, c);
		put(text, scan, *text->at++);
		return;
	}
	if (c == '"')
		scan->quoted = !scan->quoted;
	if (scan->quoted || c == '"')
		put(text, scan, c);
	else if (c == ';')
		scan->comment = true;
	else if (c == '(' || c == ')')
		parenthesis(text, scan, c);
	else
		put(text, scan, strchr("\t\r\f\v", c) && c != '\0' ? ' ' : c);
}

/* Reads up to the end of the entry that begins here. */
static void read_entry(struct zonefile_text *text, struct scan *scan)
{
	while (text->at < text->end) {
		char c = *text->at++;

		if (c == '\n') {
			if (end_line(text, scan))
				return;
		} else if (!scan->comment && !scan->problem) {
			take(text, scan, c);
		}
	}
	if (scan->quoted && !scan->problem)
		scan->problem = "a \" without its partner on the same line";
	if (scan->depth > 0 && !scan->problem)
		scan->problem = "a ( that is never closed";
}

/* After a broken entry: back to its second line. */
static void resume(struct zonefile_text *text, const struct scan *scan, unsigned first_line)
{
	if (!scan->second_line || text->line <= first_line + 1 || text->rewinds++ >= REWINDS_MAX)
		return;
	text->at = scan->second_line;
	text->line = first_line + 1;
}

bool zonefile_next_entry(struct zonefile_text *text, struct zonefile_entry *entry)
{
	while (text->at < text->end) {
		struct scan scan = {0};

		*entry = (struct zonefile_entry){.line = text->line, .text = text->entry};
		read_entry(text, &scan);
		entry->problem = scan.problem;
		if (scan.problem)
			resume(text, &scan, entry->line);
		while (scan.used > 0 && text->entry[scan.used - 1] == ' ' &&
		       (scan.used == 1 || text->entry[scan.used - 2] != '\\'))
			scan.used--;
		text->entry[scan.used] = '\0';
		if (scan.something || scan.problem)
			return true;
	}
	return false;
}

char *zonefile_token(char **rest)
{
	char *start = *rest + strspn(*rest, " "), *at = start;
	bool quoted = false;

	for (; *at != '\0' && (quoted || *at != ' '); at++) {
		if (*at == '\\' && at[1] != '\0')
			at++;
		else if (*at == '"')
			quoted = !quoted;
	}
	*rest = at;
	if (*at != '\0') {
		*at = '\0';
		*rest = at + 1;
	}
	return start;
}
