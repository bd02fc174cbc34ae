/* A token is a signed text with a client's id and the time at which it ends. A client gets a token
 * for its secret, and sends the token instead of the secret until that time.
 *
 *     "sluice2" . END . ID . CLIENT . MAC   END: seconds since 1970, in hexadecimal; ID: random
 *                                           bytes; CLIENT: the client's id; MAC: HMAC-SHA256 of all
 *                                           before it and of the proof; all in hexadecimal
 *
 * The id makes the token of each login different, so that a logout ends no other. Tokens of the
 * previous version, "sluice1" and without an id, are valid until they expire.
 *
 * Tokens are not stored: any server that has the key can check one. The proof is the digest of the
 * client's secret; it is signed but not sent, so that a new secret ends the client's tokens. A peer
 * of the unix socket has no secret, and its proof is all zero.
 *
 * Some clients read their identity out of the token, and need a JSON Web Token (RFC 7519):
 *
 *     HEAD . CLAIMS . base64url of a token as above
 *
 * Head and claims are made from the token alone. So each token has exactly one JWT, and any other
 * text is refused. The JWT is valid as long as its token: a logout ends both.
 */
#ifndef SLUICE_TOKEN_H
#define SLUICE_TOKEN_H

#include <stdbool.h>
#include <stdint.h>

#include "resolver/control/http/http.h"
#include "rules/err.h"

enum {
	TOKEN_KEY_BYTES = 32,
	TOKEN_PROOF_BYTES = 32,
	TOKEN_MAC_BYTES = 32,
	TOKEN_ID_BYTES = 16,
	TOKEN_ID_MAX = 2 * TOKEN_ID_BYTES + 1,
	TOKEN_LIFE_S = 3600, /* of a new token */
	TOKEN_AHEAD_S = 300, /* how far a clock may be set back without ending new tokens */
	/* The mark, a dot, 16 digits, a dot, the id, a dot, the client, a dot, the MAC, a NUL. */
	TOKEN_TEXT_MAX = 7 + 1 + 16 + 1 + TOKEN_ID_MAX - 1 + 1 + 2 * (HTTP_CLIENT_MAX - 1) + 1 +
			 2 * TOKEN_MAC_BYTES + 1,
	/* In JSON a character of the client's id takes up to six bytes. */
	TOKEN_CLAIMS_MAX = 256 + 6 * (HTTP_CLIENT_MAX - 1),
	TOKEN_JWT_MAX = 64 + (TOKEN_CLAIMS_MAX + 2) / 3 * 4 + 1 + (TOKEN_TEXT_MAX + 2) / 3 * 4 + 1,
};
#define TOKEN_TENANT "adfs" /* the one tenant, for Azure's clients */

struct token_key {
	uint8_t bytes[TOKEN_KEY_BYTES];
};

/* The content of a token, whether it is valid or not. */
struct token_claim {
	char client[HTTP_CLIENT_MAX];
	int64_t expires_s;     /* since 1970; from then on it is invalid */
	char id[TOKEN_ID_MAX]; /* "": a token of the previous version */
};

void token_id_set(struct token_claim *claim, const uint8_t random[TOKEN_ID_BYTES]);

/* Writes the claim's token. ERR_NOMEM: GnuTLS has no memory. */
MUST_CHECK int token_sign(const struct token_claim *claim, const struct token_key *key,
			  const uint8_t proof[TOKEN_PROOF_BYTES], char text[TOKEN_TEXT_MAX]);
/* Makes the JWT of a token that token_sign wrote. ERR_NOMEM. */
MUST_CHECK int token_as_jwt(const char *token, char jwt[TOKEN_JWT_MAX]);

/* token_read and token_holds accept a JWT as well. */

/* Reads the claim, to find the proof of its client; false: the text is no token. */
bool token_read(const char *text, struct token_claim *claim);
/* Is now_s within the life of a token that ends at expires_s? A token that was made while the clock
 * was far ahead is not valid yet once the clock is right: otherwise a token made a year ahead would
 * be valid for a year. */
bool token_is_timely(int64_t expires_s, int64_t now_s);
/* Is the text the token that token_sign makes of the claim, or that token's JWT, and timely at
 * now_s? MACs are compared in constant time. */
bool token_holds(const char *text, const struct token_claim *claim, const struct token_key *key,
		 const uint8_t proof[TOKEN_PROOF_BYTES], int64_t now_s);

#endif
