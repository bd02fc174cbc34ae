/* A token is checked by making it again and comparing the whole text: there is one way to write a
 * claim, and what reads leniently cannot let anything in. */
#include "resolver/control/http/token.h"

#include <assert.h>
#include <gnutls/crypto.h>

static const char mark[] = "sluice2.", mark_before[] = "sluice1.";
enum { MARK_LENGTH = sizeof mark - 1, END_DIGITS = 16 };

static void put_hex(char *to, const uint8_t *bytes, size_t count)
{
	for (size_t i = 0; i < count; i++)
		snprintf(to + 2 * i, 3, "%02x", bytes[i]);
}

void token_id_set(struct token_claim *claim, const uint8_t random[TOKEN_ID_BYTES])
{
	put_hex(claim->id, random, TOKEN_ID_BYTES);
}

int token_sign(const struct token_claim *claim, const struct token_key *key,
	       const uint8_t proof[TOKEN_PROOF_BYTES], char text[TOKEN_TEXT_MAX])
{
	uint8_t mac[TOKEN_MAC_BYTES], signed_bytes[TOKEN_TEXT_MAX + TOKEN_PROOF_BYTES];
	size_t id_length = strlen(claim->client);
	assert(claim->expires_s >= 0 && id_length < HTTP_CLIENT_MAX);
	size_t length = (size_t)snprintf(
		text, TOKEN_TEXT_MAX, "%s%016llx.%s%s", *claim->id ? mark : mark_before,
		(unsigned long long)claim->expires_s, claim->id, *claim->id ? "." : "");
	put_hex(text + length, (const uint8_t *)claim->client, id_length);
	length += 2 * id_length;
	text[length++] = '.';
	memcpy(signed_bytes, text, length);
	memcpy(signed_bytes + length, proof, TOKEN_PROOF_BYTES);
	if (gnutls_hmac_fast(GNUTLS_MAC_SHA256, key->bytes, sizeof key->bytes, signed_bytes,
			     length + TOKEN_PROOF_BYTES, mac) != 0)
		return ERR_NOMEM;
	put_hex(text + length, mac, sizeof mac);
	return 0;
}

static int hex_digit(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

/* The number of 16 digits and a dot; negative when it is none, or beyond int64_t. */
static int64_t read_end(const char *text)
{
	int64_t end = 0;
	for (int i = 0; i < END_DIGITS; i++) {
		int digit = hex_digit(text[i]);
		if (digit < 0 || (i == 0 && digit > 7))
			return -1;
		end = end * 16 + digit;
	}
	return text[END_DIGITS] == '.' ? end : -1;
}

/* What stands behind the id and its dot; NULL: it is no id. */
static const char *read_id(const char *text, char id[TOKEN_ID_MAX])
{
	size_t length = strspn(text, "0123456789abcdef");

	if (length != TOKEN_ID_MAX - 1 || text[length] != '.')
		return NULL;
	memcpy(id, text, length);
	id[length] = '\0';
	return text + length + 1;
}

bool token_read(const char *text, struct token_claim *claim)
{
	bool has_id = strncmp(text, mark, MARK_LENGTH) == 0;
	size_t length = 0;
	if (strlen(text) >= TOKEN_TEXT_MAX ||
	    (!has_id && strncmp(text, mark_before, MARK_LENGTH) != 0))
		return false;
	claim->expires_s = read_end(text + MARK_LENGTH);
	if (claim->expires_s < 0)
		return false;
	text += MARK_LENGTH + END_DIGITS + 1;
	*claim->id = '\0';
	if (has_id && !(text = read_id(text, claim->id)))
		return false;
	for (; *text != '.'; text += 2) {
		int high = hex_digit(text[0]), low = high < 0 ? -1 : hex_digit(text[1]);
		int byte = high * 16 + low;
		if (low < 0 || byte == 0 || length == sizeof claim->client - 1)
			return false;
		claim->client[length++] = (char)byte;
	}
	claim->client[length] = '\0';
	return true;
}

bool token_holds(const char *text, const struct token_claim *claim, const struct token_key *key,
		 const uint8_t proof[TOKEN_PROOF_BYTES], int64_t now_s)
{
	char right[TOKEN_TEXT_MAX];
	if (now_s >= claim->expires_s || token_sign(claim, key, proof, right) != 0)
		return false;
	size_t length = strlen(right);
	return strlen(text) == length && gnutls_memcmp(text, right, length) == 0;
}
