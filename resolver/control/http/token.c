/* A token or a JWT is checked by making it again and comparing the whole text. A claim has one
 * spelling only, so lenient reading cannot accept a wrong one, and no JSON of a client is parsed.
 */
#include "resolver/control/http/token.h"

#include <assert.h>
#include <gnutls/crypto.h>

#include "resolver/control/base/json.h"
#include "resolver/control/base/uuid.h"

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

/* Reads 16 digits and a dot; negative: it is no such number, or beyond int64_t. */
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

/* Reads an id; returns the place after its dot, NULL: it is no id. */
static const char *read_id(const char *text, char id[TOKEN_ID_MAX])
{
	size_t length = strspn(text, "0123456789abcdef");

	if (length != TOKEN_ID_MAX - 1 || text[length] != '.')
		return NULL;
	memcpy(id, text, length);
	id[length] = '\0';
	return text + length + 1;
}

static bool read_plain(const char *text, struct token_claim *claim)
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

/* ---- JWTs ---- */

/* {"alg":"HS256","typ":"JWT"}, the MAC's algorithm. No client has the key to check it. */
static const char jwt_head[] = "eyJhbGciOiJIUzI1NiIsInR5cCI6IkpXVCJ9.";
static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
_Static_assert(sizeof jwt_head <= 64, "TOKEN_JWT_MAX has room for it");

/* Writes base64url without padding (RFC 4648 section 5); returns its end. */
static char *put_base64(char *to, const char *text)
{
	unsigned bits = 0, count = 0;

	for (; *text; text++) {
		bits = (bits << 8 | (uint8_t)*text) & 0xffff;
		for (count += 8; count >= 6; *to++ = digits[bits >> count & 63])
			count -= 6;
	}
	if (count > 0)
		*to++ = digits[bits << (6 - count) & 63];
	*to = '\0';
	return to;
}

/* Decodes the whole text. False: it is not base64url, or too long for a token. */
static bool read_base64(const char *text, char to[TOKEN_TEXT_MAX])
{
	unsigned bits = 0, count = 0;
	size_t length = 0;

	for (; *text; text++) {
		const char *digit = strchr(digits, *text);
		if (!digit || length == TOKEN_TEXT_MAX - 1)
			return false;
		bits = (bits << 6 | (unsigned)(digit - digits)) & 0xffff;
		count += 6;
		if (count >= 8) {
			count -= 8;
			to[length++] = (char)(bits >> count & 0xff);
		}
	}
	to[length] = '\0';
	return true;
}

/* The token of a JWT, or the text itself if it is no JWT; NULL: the JWT has no token. */
static const char *plain_token(const char *text, char inner[TOKEN_TEXT_MAX])
{
	const char *last;

	if (strncmp(text, jwt_head, sizeof jwt_head - 1) != 0)
		return text;
	last = strchr(text + sizeof jwt_head - 1, '.');
	return last && read_base64(last + 1, inner) ? inner : NULL;
}

static char *claims_text(const struct token_claim *claim)
{
	char uuid[UUID_TEXT_MAX];

	return json_whole_text(json_make(
		"{s:s, s:s, s:I, s:I, s:s, s:s, s:o, s:s}", "aud", "sluice", "iss", "sluice", "iat",
		(json_int_t)claim->expires_s - TOKEN_LIFE_S, "exp", (json_int_t)claim->expires_s,
		"tid", TOKEN_TENANT, "oid", uuid_of_name(claim->client, uuid), "appid",
		json_text(claim->client), "idtyp", "app"));
}

int token_as_jwt(const char *token, char jwt[TOKEN_JWT_MAX])
{
	struct token_claim claim;
	bool is_token = read_plain(token, &claim);
	char *claims, *at = jwt;

	assert(is_token);
	(void)is_token;
	claims = claims_text(&claim);
	if (!claims)
		return ERR_NOMEM;
	assert(strlen(claims) <= TOKEN_CLAIMS_MAX);
	memcpy(at, jwt_head, sizeof jwt_head - 1);
	at = put_base64(at + sizeof jwt_head - 1, claims);
	*at++ = '.';
	put_base64(at, token);
	free(claims);
	return 0;
}

/* ---- a text from outside ---- */

bool token_read(const char *text, struct token_claim *claim)
{
	char inner[TOKEN_TEXT_MAX];
	const char *plain = plain_token(text, inner);

	return plain && read_plain(plain, claim);
}

static bool is_same(const char *text, const char *right)
{
	size_t length = strlen(right);

	return strlen(text) == length && gnutls_memcmp(text, right, length) == 0;
}

bool token_is_timely(int64_t expires_s, int64_t now_s)
{
	return now_s < expires_s && expires_s - now_s <= TOKEN_LIFE_S + TOKEN_AHEAD_S;
}

/* The JWT is compared only once its token has proved valid. */
bool token_holds(const char *text, const struct token_claim *claim, const struct token_key *key,
		 const uint8_t proof[TOKEN_PROOF_BYTES], int64_t now_s)
{
	char inner[TOKEN_TEXT_MAX], right[TOKEN_TEXT_MAX], jwt[TOKEN_JWT_MAX];
	const char *plain = plain_token(text, inner);

	if (!plain || !token_is_timely(claim->expires_s, now_s) ||
	    token_sign(claim, key, proof, right) != 0 || !is_same(plain, right))
		return false;
	return plain == text || (token_as_jwt(right, jwt) == 0 && is_same(text, jwt));
}
