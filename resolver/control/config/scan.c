/* As much of libconfig's lexical grammar as it takes to tell strings, comments, integers and
 * directives apart. Everything else is let go: it is libconfig's to judge. */
#include "resolver/control/config/scan.h"

#include <ctype.h>
#include <errno.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

enum { TOKEN_MAX = 256, END = -1 };

#define REFUSE(scan, ...) fault_add((scan)->faults, FAULT_ERROR, &(scan)->here, NULL, __VA_ARGS__)

static int peek(const struct config_scan *scan)
{
	return scan->at < scan->end ? (unsigned char)*scan->at : END;
}

static int next(struct config_scan *scan)
{
	int c = peek(scan);

	if (c == END)
		return c;
	if (c == '\0' && !scan->nul_told) {
		REFUSE(scan,
		       "there is a NUL byte; a configuration is text in ASCII or UTF-8: save it "
		       "as that, or take the byte out");
		scan->nul_told = true;
	}
	scan->at++;
	scan->here.line += c == '\n';
	return c;
}

static void skip_line(struct config_scan *scan)
{
	int c;

	do
		c = next(scan);
	while (c != '\n' && c != END);
}

static void skip_block(struct config_scan *scan)
{
	int before = 0, c = next(scan);

	while (c != END && !(before == '*' && c == '/')) {
		before = c;
		c = next(scan);
	}
}

static bool is_nul_escape(const char *at, size_t left)
{
	return left >= 4 && (at[1] == 'x' || at[1] == 'X') && at[2] == '0' && at[3] == '0';
}

/* libconfig would go on in the next line, but no value has a line end, and a quote that is missing
 * would turn all that comes after it inside out. */
static void skip_string(struct config_scan *scan)
{
	int c;

	while ((c = peek(scan)) != END && c != '"' && c != '\n') {
		next(scan);
		if (c != '\\')
			continue;
		if (is_nul_escape(scan->at - 1, (size_t)(scan->end - scan->at) + 1))
			REFUSE(scan, "\\x00 in a string is a NUL byte, which no value has; take "
				     "it out");
		if (peek(scan) != '\n')
			next(scan);
	}
	if (c == '"')
		next(scan);
	else
		REFUSE(scan, "a quote is missing: a string ends on the line that it begins on, "
			     "with a plain \" (not a typographic one)");
}

static bool is_token(int c)
{
	return c != END && (isalnum(c) || (c != '\0' && strchr("._-+*", c)));
}

/* The rest of a run of letters, digits and signs that began with `first`. */
static void read_token(struct config_scan *scan, int first, char token[TOKEN_MAX])
{
	size_t length = 0;

	token[length++] = (char)first;
	while (is_token(peek(scan))) {
		int c = next(scan);

		if (length < TOKEN_MAX - 1)
			token[length++] = (char)c;
	}
	token[length] = '\0';
}

static bool is_cut(const char *token)
{
	const char *digits = token + (*token == '-' || *token == '+');
	bool hex = digits[0] == '0' && (digits[1] == 'x' || digits[1] == 'X');
	unsigned long long most = UINT64_C(0x7fffffff) + (*token == '-'), value;
	char *end;

	errno = 0;
	value = strtoull(digits, &end, hex ? 16 : 10);
	return isdigit((unsigned char)digits[0]) && *end == '\0' && (errno != 0 || value > most);
}

static void scan_token(struct config_scan *scan, int first)
{
	char token[TOKEN_MAX];

	read_token(scan, first, token);
	if (is_cut(token))
		REFUSE(scan, "%s has more than 32 bits, which a plain integer has not; write %sL",
		       token, token);
}

static void scan_slash(struct config_scan *scan)
{
	int c = peek(scan);

	if (c == '/')
		skip_line(scan);
	else if (c == '*' && next(scan) != END)
		skip_block(scan);
}

/* ---- @include ---- */

static bool is_blank(int c)
{
	return c == ' ' || c == '\t';
}

/* libconfig wants it to be the first thing on its line. */
static bool begins_line(const struct config_scan *scan, const char *at)
{
	while (at > scan->start && is_blank(at[-1]))
		at--;
	return at == scan->start || at[-1] == '\n';
}

/* The path up to its closing quote, on the same line. */
static bool read_path(struct config_scan *scan, struct config_include *include)
{
	int c;

	include->path = scan->at;
	while ((c = peek(scan)) != END && c != '"' && c != '\n') {
		next(scan);
		if (c == '\\' && peek(scan) != '\n')
			next(scan);
	}
	if (c != '"')
		return false;
	include->path_length = (size_t)(scan->at - include->path);
	next(scan);
	include->end = scan->at;
	return true;
}

/* Behind an @; false is a fault. */
static bool scan_directive(struct config_scan *scan, struct config_include *include)
{
	static const char keyword[] = "include";
	size_t length = sizeof keyword - 1;

	include->start = scan->at - 1;
	if (begins_line(scan, include->start) && (size_t)(scan->end - scan->at) > length &&
	    memcmp(scan->at, keyword, length) == 0 && is_blank(scan->at[length])) {
		scan->at += length;
		while (is_blank(peek(scan)))
			next(scan);
		if (peek(scan) == '"') {
			next(scan);
			if (read_path(scan, include))
				return true;
		}
	}
	REFUSE(scan, "an @ can only begin a line of its own: @include \"FILE\"");
	return false;
}

/* ---- the whole ---- */

void config_scan_init(struct config_scan *scan, const char *text, size_t length, const char *file,
		      struct faults *faults)
{
	static const char mark[] = "\xef\xbb\xbf"; /* some editors write one */

	if (length >= sizeof mark - 1 && memcmp(text, mark, sizeof mark - 1) == 0) {
		text += sizeof mark - 1;
		length -= sizeof mark - 1;
	}
	*scan = (struct config_scan){
		.start = text,
		.at = text,
		.end = text + length,
		.here = {.file = file, .line = 1},
		.faults = faults,
	};
}

bool config_scan_next(struct config_scan *scan, struct config_include *include)
{
	int c;

	while ((c = next(scan)) != END) {
		switch (c) {
		case '#': skip_line(scan); break;
		case '"': skip_string(scan); break;
		case '/': scan_slash(scan); break;
		case '@':
			if (scan_directive(scan, include))
				return true;
			break;
		default:
			if (isalnum(c) || c == '-' || c == '+' || c == '*')
				scan_token(scan, c);
		}
	}
	return false;
}
