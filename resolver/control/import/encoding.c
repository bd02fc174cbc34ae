/* Decodes UTF-16 without iconv(3), because glibc loads its converters from files that container
 * images lack. */
#include "resolver/control/import/encoding.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

enum encoding { PLAIN, UTF8_MARKED, UTF16_LE, UTF16_BE };

/* UTF-16 without a byte order mark is recognized if its first character is ASCII: then one of its
 * two bytes is NUL, and no text in UTF-8 begins like that. *mark is the byte order mark's
 * length. */
static enum encoding encoding_of(const char *text, size_t length, size_t *mark)
{
	*mark = 0;
	if (length >= 3 && memcmp(text, "\xef\xbb\xbf", 3) == 0) {
		*mark = 3;
		return UTF8_MARKED;
	}
	if (length < 2)
		return PLAIN;
	if (memcmp(text, "\xff\xfe", 2) == 0 || memcmp(text, "\xfe\xff", 2) == 0) {
		*mark = 2;
		return *text == '\xff' ? UTF16_LE : UTF16_BE;
	}
	if ((*text == '\0') == (text[1] == '\0'))
		return PLAIN;
	return text[1] == '\0' ? UTF16_LE : UTF16_BE;
}

bool encoding_is_plain(const char *text, size_t length)
{
	size_t mark;

	return encoding_of(text, length, &mark) == PLAIN;
}

static uint32_t unit_at(const char *text, size_t at, enum encoding encoding)
{
	uint8_t first = (uint8_t)text[at], second = (uint8_t)text[at + 1];

	return encoding == UTF16_LE ? first | second << 8 : first << 8 | second;
}

static bool is_high(uint32_t unit)
{
	return (unit & 0xfc00) == 0xd800;
}

static bool is_low(uint32_t unit)
{
	return (unit & 0xfc00) == 0xdc00;
}

/* Writes a character; returns the position after it. */
static char *put_utf8(char *to, uint32_t character)
{
	static const uint8_t leads[] = {0, 0xc0, 0xe0, 0xf0};
	unsigned more = (character > 0x7f) + (character > 0x7ff) + (character > 0xffff);

	*to++ = (char)(leads[more] | character >> 6 * more);
	while (more-- > 0)
		*to++ = (char)(0x80 | (character >> 6 * more & 0x3f));
	return to;
}

/* Returns the position in `to` after the last character; *why is NULL if all could be decoded. */
static char *decode(const char *text, size_t length, size_t at, enum encoding encoding, char *to,
		    unsigned *line, const char **why)
{
	*line = 1;
	*why = NULL;
	for (; at + 1 < length; at += 2) {
		uint32_t unit = unit_at(text, at, encoding);

		if (is_high(unit) && at + 3 < length && is_low(unit_at(text, at + 2, encoding))) {
			unit = 0x10000 +
			       ((unit & 0x3ff) << 10 | (unit_at(text, at + 2, encoding) & 0x3ff));
			at += 2;
		} else if (is_high(unit) || is_low(unit)) {
			*why = "the file is UTF-16, and half of a character stands alone here "
			       "(a surrogate); save it as UTF-8";
			return to;
		}
		*line += unit == '\n';
		to = put_utf8(to, unit);
	}
	if (at < length)
		*why = "the file is UTF-16, and ends within a character; save it as UTF-8";
	return to;
}

char *encoding_to_utf8(char *text, size_t *length, unsigned *line, const char **why)
{
	size_t mark;
	enum encoding encoding = encoding_of(text, *length, &mark);
	char *made, *end;

	*why = NULL;
	if (encoding == PLAIN || encoding == UTF8_MARKED) {
		*length -= mark;
		memmove(text, text + mark, *length + 1);
		return text;
	}
	made = malloc(*length / 2 * 3 + 1); /* two bytes become three at most */
	if (made) {
		end = decode(text, *length, mark, encoding, made, line, why);
		if (*why) {
			free(made);
			return text;
		}
		*end = '\0';
		*length = (size_t)(end - made);
	}
	free(text);
	return made;
}
