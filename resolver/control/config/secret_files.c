/* limits_check checks that a TSIG secret is base64. The digits of a cookie secret are the bytes of
 * the SipHash key from the first to the last (RFC 9018 appendix A), so a file with the digits of
 * BIND's or Knot's `cookie-secret` works here too. */
#include "resolver/control/config/secret_files.h"

#include <ctype.h>
#include <endian.h>
#include <stdio.h>
#include <string.h>

#include "resolver/control/base/regular_file.h"
#include "rules/base.h"
#include "rules/schema/tsig_secret.h"

enum { SECRET_MAX = 2 * TSIG_SECRET_MAX, COOKIE_BYTES = 16 };

struct secret {
	const char *path, *field; /* the field that has the path */
	const struct origin *origin;
	char text[SECRET_MAX + 2];
};

static void refuse(const struct secret *secret, const char *why, struct faults *faults)
{
	fault_add(faults, FAULT_ERROR, secret->origin, secret->field, "%s cannot be used: %s",
		  secret->path, why);
}

static void warn(const struct secret *secret, struct faults *faults)
{
	regular_file_warn(secret->path, SECRET_OF_USER, secret->origin, secret->field, faults);
}

/* Reads the file's text without trailing blanks. False: a fault was added. */
static bool read_text(struct secret *secret, struct faults *faults)
{
	const char *why;
	FILE *file = regular_file_open(secret->path, &why);
	size_t length = file ? fread(secret->text, 1, SECRET_MAX + 1, file) : 0;
	bool fine = file && !ferror(file) && length <= SECRET_MAX &&
		    !memchr(secret->text, '\0', length);

	if (!fine) {
		refuse(secret, file ? "it holds more than a secret" : why, faults);
		explicit_bzero(secret->text, sizeof secret->text);
		length = 0;
	}
	if (file)
		fclose(file);
	while (length > 0 && isspace((unsigned char)secret->text[length - 1]))
		length--;
	secret->text[length] = '\0';
	return fine;
}

void secret_files_read_key(struct tsig_settings *key, struct arena *arena, struct faults *faults)
{
	struct secret secret = {key->secret_file, "secret_file", &key->origin, ""};

	if (key->secret_file && read_text(&secret, faults)) {
		warn(&secret, faults);
		key->loaded = arena_strdup(arena, secret.text);
		if (!key->loaded)
			refuse(&secret, err_text(ERR_NOMEM), faults);
	}
	explicit_bzero(secret.text, sizeof secret.text);
}

/* ---- cookies ---- */

/* Reads one secret and moves *at past it. */
static bool read_digits(const char **at, struct hash_key *key)
{
	uint8_t bytes[COOKIE_BYTES];

	for (unsigned i = 0; i < COOKIE_BYTES; i++) {
		char digits[3] = {(*at)[0], (*at)[0] ? (*at)[1] : 0, 0};

		if (!isxdigit((unsigned char)digits[0]) || !isxdigit((unsigned char)digits[1]))
			return false;
		bytes[i] = (uint8_t)strtoul(digits, NULL, 16);
		*at += 2;
	}
	memcpy(&key->k0, bytes, 8);
	memcpy(&key->k1, bytes + 8, 8);
	*key = (struct hash_key){le64toh(key->k0), le64toh(key->k1)};
	return !**at || isspace((unsigned char)**at);
}

static void read_cookie_secret(struct udp_settings *settings, struct faults *faults)
{
	struct secret secret = {settings->cookie_secret_file, "cookie_secret_file",
				&settings->origin, ""};
	const char *at = secret.text;
	bool fine = true;

	if (!read_text(&secret, faults))
		return;
	settings->cookie_keys = 0;
	do {
		while (isspace((unsigned char)*at))
			at++;
		fine = settings->cookie_keys < COUNT(settings->cookie_key) &&
		       read_digits(&at, &settings->cookie_key[settings->cookie_keys++]);
	} while (fine && *at);
	if (fine)
		warn(&secret, faults);
	else
		refuse(&secret,
		       "it must have 32 hexadecimal digits, and perhaps 32 more on a second line",
		       faults);
	explicit_bzero(secret.text, sizeof secret.text);
}

void secret_files_read(struct model *model, struct faults *faults)
{
	const char *told = NULL; /* the file checked last; its further keys add no warning */

	for (size_t i = 0; i < model->keys.count; i++) {
		struct tsig_settings *key = &model->keys.items[i];
		const char *file = key->secret ? key->origin.file : NULL;

		secret_files_read_key(key, &model->arena, faults);
		if (file && !(told && strcmp(told, file) == 0))
			regular_file_warn(file, SECRET_OF_GROUP, &key->origin, "secret", faults);
		told = file ? file : told;
	}
	if (model->udp.cookie_secret_file)
		read_cookie_secret(&model->udp, faults);
}
