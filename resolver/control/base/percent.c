#include "resolver/control/base/percent.h"

#include <ctype.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include "rules/text.h"

char *percent_encode(char *to, size_t size, const char *text)
{
	static const char digits[] = "0123456789ABCDEF";
	char *out = to;

	for (; *text != '\0' && (size_t)(out - to) + 4 < size; text++) {
		unsigned char byte = (unsigned char)*text;

		if (isalnum(byte) || strchr("-._~:@*", byte)) {
			*out++ = (char)byte;
			continue;
		}
		*out++ = '%';
		*out++ = digits[byte >> 4];
		*out++ = digits[byte & 15];
	}
	*out = '\0';
	return to;
}

static int hex_digit(char c)
{
	static const char digits[] = "0123456789abcdef";
	const char *at = c ? strchr(digits, c >= 'A' && c <= 'F' ? c + ('a' - 'A') : c) : NULL;
	return at ? (int)(at - digits) : -1;
}

static bool is_utf8(const char *text)
{
	uint32_t code;
	size_t length;
	for (; *text; text += length)
		if ((length = text_character(text, &code)) == 0)
			return false;
	return true;
}

int percent_decode(const char *text, size_t length, bool plus_is_space, char **to)
{
	const char *decoded = *to;
	for (size_t i = 0; i < length; i++) {
		char c = text[i];
		if (c == '+' && plus_is_space) {
			c = ' ';
		} else if (c == '%') {
			int high = i + 2 < length ? hex_digit(text[i + 1]) : -1;
			int low = i + 2 < length ? hex_digit(text[i + 2]) : -1;
			if (high < 0 || low < 0 || (high == 0 && low == 0))
				return ERR_INVALID;
			c = (char)(high * 16 + low);
			i += 2;
		}
		*(*to)++ = c;
	}
	*(*to)++ = '\0';
	return is_utf8(decoded) ? 0 : ERR_INVALID;
}
