/* As much of libconfig's lexical grammar as it takes to tell an integer from what only looks like
 * one: comments, strings and names are skipped, floats and integers with an L are let go. */
#include "resolver/control/config_scan.h"

#include <ctype.h>
#include <errno.h>
#include <stdint.h>

enum { TOKEN_MAX = 256 };

struct scan {
	FILE *file;
	unsigned line;
};

static int next(struct scan *scan)
{
	int c = fgetc(scan->file);

	if (c == '\n')
		scan->line++;
	return c;
}

static void back(struct scan *scan, int c)
{
	if (c == '\n')
		scan->line--;
	ungetc(c, scan->file); /* EOF is fine */
}

static void skip_line(struct scan *scan)
{
	int c;

	do
		c = next(scan);
	while (c != '\n' && c != EOF);
}

static void skip_block(struct scan *scan)
{
	int before = 0, c = next(scan);

	while (c != EOF && !(before == '*' && c == '/')) {
		before = c;
		c = next(scan);
	}
}

static void skip_string(struct scan *scan)
{
	int c = next(scan);

	while (c != EOF && c != '"') {
		if (c == '\\')
			next(scan);
		c = next(scan);
	}
}

/* The rest of a run of letters, digits and signs that began with `first`. */
static void read_token(struct scan *scan, int first, char token[TOKEN_MAX])
{
	size_t length = 0;
	int c = first;

	do {
		if (length < TOKEN_MAX - 1)
			token[length++] = (char)c;
		c = next(scan);
	} while (isalnum(c) || c == '.' || c == '_' || c == '-' || c == '+' || c == '*');
	back(scan, c);
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

static void check_token(const struct scan *scan, const char *name, const char *token,
			struct faults *faults)
{
	struct origin origin = {.file = name, .line = scan->line};

	if (is_cut(token))
		fault_add(faults, FAULT_ERROR, &origin, NULL,
			  "%s has more than 32 bits, which a plain integer has not; write %sL",
			  token, token);
}

void config_scan_integers(FILE *file, const char *name, struct faults *faults)
{
	struct scan scan = {file, 1};
	char token[TOKEN_MAX];
	int c;

	while ((c = next(&scan)) != EOF) {
		if (c == '#') {
			skip_line(&scan);
		} else if (c == '"') {
			skip_string(&scan);
		} else if (c == '/') {
			c = next(&scan);
			if (c == '/')
				skip_line(&scan);
			else if (c == '*')
				skip_block(&scan);
		} else if (isalnum(c) || c == '-' || c == '+' || c == '*') {
			read_token(&scan, c, token);
			check_token(&scan, name, token, faults);
		}
	}
}
