/* Decodes base64: four characters are three bytes, and "=" fills up the last four. No library is
 * used, because it could leave a decoded copy of the secret in memory that nobody wipes. */
#include "rules/schema/tsig_secret.h"

#include <stdbool.h>
#include <string.h>

static int digit_of(char c)
{
	static const char digits[] =
		"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
	const char *at = c ? strchr(digits, c) : NULL;

	return at ? (int)(at - digits) : -1;
}

static bool is_blank(char c)
{
	return c == ' ' || c == '\t' || c == '\r' || c == '\n';
}

size_t tsig_secret_decode(const char *text, uint8_t secret[TSIG_SECRET_MAX])
{
	size_t length = 0;
	unsigned digits = 0, filled = 0;
	uint32_t bits = 0;

	for (; *text; text++) {
		int digit = digit_of(*text);

		if (is_blank(*text))
			continue;
		if (*text == '=') {
			filled++;
			continue;
		}
		if (digit < 0 || filled > 0)
			return 0;
		bits = bits << 6 | (uint32_t)digit;
		if (++digits % 4 == 1)
			continue;
		if (length == TSIG_SECRET_MAX)
			return 0;
		secret[length++] = (uint8_t)(bits >> (2 * (3 - (digits + 3) % 4)));
	}
	if (filled > 2 || (digits + filled) % 4 != 0)
		return 0;
	return length;
}
