/* See cookie_file.h. The bytes are the key's as they stand (RFC 9018 appendix A), so that a file of
 * BIND's `cookie-secret` or Knot's `cookie-secret` does here too. */
#include "resolver/control/config/cookie_file.h"

#include <ctype.h>
#include <endian.h>
#include <stdio.h>
#include <string.h>

#include "resolver/control/base/regular_file.h"

enum { SECRET_BYTES = 16, FILE_MAX = 256 };

/* One secret from *at on, which is moved behind it. */
static bool read_secret(const char **at, struct hash_key *key)
{
	uint8_t bytes[SECRET_BYTES];

	for (unsigned i = 0; i < SECRET_BYTES; i++) {
		char digits[3] = {(*at)[0], (*at)[0] ? (*at)[1] : 0, 0};
		if (!isxdigit((unsigned char)digits[0]) || !isxdigit((unsigned char)digits[1]))
			return false;
		bytes[i] = (uint8_t)strtoul(digits, NULL, 16);
		*at += 2;
	}
	memcpy(&key->k0, bytes, 8);
	memcpy(&key->k1, bytes + 8, 8);
	*key = (struct hash_key){le64toh(key->k0), le64toh(key->k1)};
	return **at == 0 || isspace((unsigned char)**at);
}

static bool read_secrets(const char *text, struct udp_settings *settings)
{
	settings->cookie_keys = 0;
	for (unsigned i = 0; i < 2; i++) {
		while (isspace((unsigned char)*text))
			text++;
		if (*text == 0)
			break;
		if (!read_secret(&text, &settings->cookie_key[i]))
			return false;
		settings->cookie_keys++;
	}
	while (isspace((unsigned char)*text))
		text++;
	return settings->cookie_keys > 0 && *text == 0;
}

void cookie_file_read(struct udp_settings *settings, struct faults *faults)
{
	const char *path = settings->cookie_secret_file, *why;
	char text[FILE_MAX + 1] = "";

	if (!path)
		return;
	FILE *file = regular_file_open(path, &why);
	if (!file) {
		fault_add(faults, FAULT_ERROR, &settings->origin, "cookie_secret_file",
			  "%s cannot be used: %s", path, why);
		return;
	}
	size_t length = fread(text, 1, FILE_MAX, file);
	fclose(file);
	if (length == FILE_MAX || !read_secrets(text, settings))
		fault_add(faults, FAULT_ERROR, &settings->origin, "cookie_secret_file",
			  "%s cannot be used: it must have 32 hexadecimal digits, and perhaps 32 "
			  "more on a second line",
			  path);
	else
		regular_file_warn(path, SECRET_OF_USER, &settings->origin, "cookie_secret_file",
				  faults);
	explicit_bzero(text, sizeof text);
}
