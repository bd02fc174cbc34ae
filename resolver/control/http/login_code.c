/* A code that a client sends is compared with every stored digest, each in full, so the time of a
 * refusal tells nothing about a code. */
#include "resolver/control/http/login_code.h"

#include <gnutls/crypto.h>
#include <stdio.h>
#include <string.h>

#include "resolver/control/http/client_secret.h"

_Static_assert(sizeof((struct login_code){0}.digest) == CLIENT_DIGEST_BYTES,
	       "a code is kept as a secret is");

static bool is_good(const struct login_code *code, uint64_t now_us)
{
	return code->until_us > now_us;
}

/* A free place, or the place of the oldest code. */
static struct login_code *find_place(struct login_codes *codes)
{
	struct login_code *oldest = &codes->items[0];

	for (size_t i = 1; i < LOGIN_CODES_MAX; i++)
		if (codes->items[i].until_us < oldest->until_us)
			oldest = &codes->items[i];
	return oldest;
}

static void print_hex(const uint8_t bytes[LOGIN_CODE_BYTES], char text[LOGIN_CODE_MAX])
{
	for (size_t i = 0; i < LOGIN_CODE_BYTES; i++)
		snprintf(text + 2 * i, 3, "%02x", bytes[i]);
}

int login_codes_make(struct login_codes *codes, const char *client,
		     const uint8_t random[LOGIN_CODE_BYTES], uint64_t now_us,
		     char text[LOGIN_CODE_MAX])
{
	struct login_code made = {.until_us = now_us + LOGIN_CODE_LIFE_S * UINT64_C(1000000)};

	print_hex(random, text);
	if (!http_secret_digest(text, strlen(text), made.digest))
		return ERR_NOMEM;
	snprintf(made.client, sizeof made.client, "%s", client);
	*find_place(codes) = made;
	return 0;
}

static struct login_code *find_code(struct login_codes *codes,
				    const uint8_t digest[CLIENT_DIGEST_BYTES], uint64_t now_us)
{
	struct login_code *found = NULL;

	for (size_t i = 0; i < LOGIN_CODES_MAX; i++)
		if (gnutls_memcmp(codes->items[i].digest, digest, CLIENT_DIGEST_BYTES) == 0 &&
		    is_good(&codes->items[i], now_us))
			found = &codes->items[i];
	return found;
}

int login_codes_take(struct login_codes *codes, const char *text, uint64_t now_us,
		     char client[HTTP_CLIENT_MAX])
{
	uint8_t digest[CLIENT_DIGEST_BYTES];
	struct login_code *found;

	if (!http_secret_digest(text, strlen(text), digest))
		return ERR_NOMEM;
	found = find_code(codes, digest, now_us);
	if (!found)
		return ERR_NOT_FOUND;
	memcpy(client, found->client, HTTP_CLIENT_MAX);
	memset(found, 0, sizeof *found);
	return 0;
}
