#include "resolver/control/http/client_secret.h"

#include <ctype.h>
#include <gnutls/crypto.h>
#include <stdio.h>
#include <string.h>

#include "resolver/control/base/regular_file.h"
#include "rules/base.h"
#include "rules/err.h"

bool http_secret_digest(const char *secret, size_t length, uint8_t digest[CLIENT_DIGEST_BYTES])
{
	return gnutls_hash_fast(GNUTLS_DIG_SHA256, secret, length, digest) == 0;
}

/* Reads the file's one line without white space around it; returns its length, or -1 with *why. */
static ssize_t read_secret(FILE *file, char secret[HTTP_SECRET_MAX + 2], const char **why)
{
	size_t length = fread(secret, 1, HTTP_SECRET_MAX + 2, file), begin = 0;
	bool whole = getc(file) == EOF && !ferror(file), plain = true;
	while (length > 0 && isspace((unsigned char)secret[length - 1]))
		length--;
	while (begin < length && isspace((unsigned char)secret[begin]))
		begin++;
	length -= begin;
	memmove(secret, secret + begin, length);
	for (size_t i = 0; i < length; i++)
		plain = plain && isgraph((unsigned char)secret[i]);
	if (!whole || length > HTTP_SECRET_MAX)
		*why = "its secret is longer than 1024 characters";
	else if (length < HTTP_SECRET_MIN)
		*why = "its secret is shorter than 16 characters; take 32 random ones";
	else if (!plain)
		*why = "a secret is one word of ASCII, because it is sent in a header";
	else
		return (ssize_t)length;
	return -1;
}

/* Are all characters of one kind, or is one piece repeated? */
static bool is_weak(const char *secret, size_t length)
{
	int (*const kinds[])(int) = {isdigit, islower, isupper, ispunct};

	for (size_t i = 0; i < COUNT(kinds); i++) {
		size_t same = 0;

		while (same < length && kinds[i]((unsigned char)secret[same]))
			same++;
		if (same == length)
			return true;
	}
	for (size_t piece = 1; piece <= length / 2; piece++)
		if (memcmp(secret, secret + piece, length - piece) == 0)
			return true;
	return false;
}

static void load_file(struct management_client *client, struct faults *faults)
{
	char secret[HTTP_SECRET_MAX + 2];
	const char *why;
	FILE *file = regular_file_open(client->secret_file, &why);
	ssize_t length = file ? read_secret(file, secret, &why) : -1;
	if (file)
		fclose(file);
	if (length < 0)
		fault_add(faults, FAULT_ERROR, &client->origin, "secret_file",
			  "%s cannot be used: %s", client->secret_file, why);
	else
		regular_file_warn(client->secret_file, SECRET_OF_USER, &client->origin,
				  "secret_file", faults);
	if (length >= 0 && is_weak(secret, (size_t)length))
		fault_add(faults, FAULT_WARNING, &client->origin, "secret_file",
			  "the secret in %s can be guessed: it is of one kind of characters, or "
			  "repeats itself; take 32 random ones",
			  client->secret_file);
	client->loaded = length >= 0 && http_secret_digest(secret, (size_t)length, client->digest);
	if (length >= 0 && !client->loaded)
		fault_add(faults, FAULT_ERROR, &client->origin, "secret_file", "%s",
			  err_text(ERR_NOMEM));
	explicit_bzero(secret, sizeof secret);
}

void http_secret_load(struct management_client *client, struct faults *faults)
{
	gnutls_datum_t hex = {.data = (unsigned char *)(uintptr_t)client->secret_sha256};
	size_t size = sizeof client->digest;
	if (client->secret_file) {
		load_file(client, faults);
		return;
	}
	if (!client->secret_sha256) /* limits_check adds the fault */
		return;
	hex.size = (unsigned)strlen(client->secret_sha256);
	client->loaded = gnutls_hex_decode(&hex, client->digest, &size) == 0 &&
			 size == sizeof client->digest;
	if (!client->loaded)
		fault_add(faults, FAULT_ERROR, &client->origin, "secret_sha256",
			  "is not 64 hexadecimal digits; printf %%s \"$SECRET\" | sha256sum prints "
			  "them");
}
