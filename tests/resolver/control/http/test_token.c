/* Tokens and their JWTs: what holds, and everything that does not. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>
#include <jansson.h>

#include "resolver/control/http/token.h"

static const struct token_key key = {{1, 2, 3}}, other_key = {{1, 2, 4}};
static const uint8_t proof[TOKEN_PROOF_BYTES] = {7}, other_proof[TOKEN_PROOF_BYTES] = {8};
static const int64_t end_s = 1800000000;
static const char login_id[] = "00112233445566778899aabbccddeeff";

static const char *sign_with(const char *client, int64_t expires_s, const char *id)
{
	static char text[TOKEN_TEXT_MAX];
	struct token_claim claim = {.expires_s = expires_s};
	snprintf(claim.id, sizeof claim.id, "%s", id);
	snprintf(claim.client, sizeof claim.client, "%s", client);
	assert_int_equal(token_sign(&claim, &key, proof, text), 0);
	return text;
}

static const char *sign(const char *client, int64_t expires_s)
{
	return sign_with(client, expires_s, login_id);
}

static bool holds_with(const char *text, const struct token_key *with,
		       const uint8_t with_proof[TOKEN_PROOF_BYTES], int64_t now_s)
{
	struct token_claim claim;
	return token_read(text, &claim) && token_holds(text, &claim, with, with_proof, now_s);
}

static bool holds(const char *text)
{
	return holds_with(text, &key, proof, end_s - 1);
}

static void a_token_says_whose_it_is_until_when(void **state)
{
	(void)state;
	struct token_claim claim;
	assert_true(token_read(sign("ops", end_s), &claim));
	assert_string_equal(claim.client, "ops");
	assert_int_equal(claim.expires_s, end_s);
	assert_string_equal(claim.id, login_id);
	assert_true(holds(sign("ops", end_s)));
}

static void tokens_of_one_second_differ_by_their_ids(void **state)
{
	static const uint8_t random[TOKEN_ID_BYTES] = {0xfe, 0, 1};
	struct token_claim claim;
	char text[TOKEN_TEXT_MAX];

	(void)state;
	token_id_set(&claim, random);
	assert_string_equal(claim.id, "fe000100000000000000000000000000");
	snprintf(text, sizeof text, "%s", sign("ops", end_s));
	assert_string_not_equal(text, sign_with("ops", end_s, claim.id));
	assert_true(holds(sign_with("ops", end_s, claim.id)));
}

static void a_token_of_the_version_before_holds_to_its_end(void **state)
{
	static const char before[] = "sluice1.000000006b49d200.6f7073.";
	struct token_claim claim;
	const char *text = sign_with("ops", end_s, "");

	(void)state;
	assert_memory_equal(text, before, sizeof before - 1);
	assert_true(token_read(text, &claim));
	assert_string_equal(claim.id, "");
	assert_true(holds(text));
	assert_false(holds_with(text, &key, proof, end_s));
}

static void it_holds_to_the_second_before_its_end(void **state)
{
	(void)state;
	assert_true(holds_with(sign("ops", end_s), &key, proof, end_s - 1));
	assert_false(holds_with(sign("ops", end_s), &key, proof, end_s));
	assert_false(holds_with(sign("ops", end_s), &key, proof, INT64_MAX));
	assert_true(holds_with(sign("ops", INT64_MAX), &key, proof, INT64_MAX - 1));
}

static void one_that_was_made_by_a_clock_ahead_does_not_hold_before_its_time(void **state)
{
	const int64_t made_s = end_s - TOKEN_LIFE_S;

	(void)state;
	assert_true(holds_with(sign("ops", end_s), &key, proof, made_s));
	assert_true(holds_with(sign("ops", end_s), &key, proof, made_s - TOKEN_AHEAD_S));
	assert_false(holds_with(sign("ops", end_s), &key, proof, made_s - TOKEN_AHEAD_S - 1));
	assert_false(holds_with(sign("ops", INT64_MAX), &key, proof, 0));
}

static void another_key_or_another_secret_ends_it(void **state)
{
	(void)state;
	assert_false(holds_with(sign("ops", end_s), &other_key, proof, 0));
	assert_false(holds_with(sign("ops", end_s), &key, other_proof, 0));
}

static void no_character_of_it_can_be_another(void **state)
{
	(void)state;
	char text[TOKEN_TEXT_MAX];
	snprintf(text, sizeof text, "%s", sign("ops", end_s));
	for (size_t i = 0; text[i]; i++) {
		char right = text[i];
		for (const char *wrong = "0123456789abcdefABCDEF.x"; *wrong; wrong++) {
			text[i] = *wrong;
			assert_int_equal(holds(text), *wrong == right);
		}
		text[i] = right;
	}
	assert_true(holds(text));
}

static void a_part_of_it_is_nothing_and_so_is_more(void **state)
{
	(void)state;
	char text[TOKEN_TEXT_MAX + 1], part[TOKEN_TEXT_MAX + 1];
	snprintf(text, sizeof text, "%s", sign("ops", end_s));
	for (size_t length = 0; length < strlen(text); length++) {
		snprintf(part, sizeof part, "%.*s", (int)length, text);
		assert_false(holds(part));
	}
	snprintf(part, sizeof part, "%s0", text);
	assert_false(holds(part));
}

static void a_claim_of_another_client_has_another_mac(void **state)
{
	(void)state;
	char forged[TOKEN_TEXT_MAX], own[TOKEN_TEXT_MAX];
	snprintf(own, sizeof own, "%s", sign("eye", end_s));
	snprintf(forged, sizeof forged, "%s", sign("ops", end_s));
	const char *mac = strrchr(own, '.');
	memcpy(strrchr(forged, '.'), mac, strlen(mac));
	assert_true(holds(own));
	assert_false(holds(forged));
}

static void the_longest_id_fits_and_a_longer_one_is_not_read(void **state)
{
	(void)state;
	char client[HTTP_CLIENT_MAX], text[TOKEN_TEXT_MAX + 8];
	struct token_claim claim;
	memset(client, 'x', sizeof client - 1);
	client[sizeof client - 1] = '\0';
	const char *longest = sign(client, end_s);
	assert_int_equal(strlen(longest), TOKEN_TEXT_MAX - 1);
	assert_true(holds(longest));
	int length = snprintf(text, sizeof text, "sluice1.%016x.", 1);
	for (int i = 0; i < HTTP_CLIENT_MAX; i++)
		length += snprintf(text + length, sizeof text - (size_t)length, "78");
	snprintf(text + length, sizeof text - (size_t)length, ".");
	assert_true(strlen(text) < TOKEN_TEXT_MAX);
	assert_false(token_read(text, &claim));
	assert_true(holds(sign("", end_s)));
}

static void what_is_no_token_is_not_read(void **state)
{
	(void)state;
	struct token_claim claim;
	static const char *const none[] = {
		"",
		"sluice1",
		"sluice1.",
		"sluice3.0000000000000001.6f.00",
		"sluice2.0000000000000001.6f.00",
		"sluice2.0000000000000001.00112233445566778899aabbccddeef.6f.00",
		"sluice2.0000000000000001.00112233445566778899aabbccddeeff0.6f.00",
		"sluice2.0000000000000001.00112233445566778899AABBCCDDEEFF.6f.00",
		"sluice2.0000000000000001.00112233445566778899aabbccddeeff",
		"sluice2.0000000000000001.00112233445566778899aabbccddeeff.",
		"sluice1.000000000000001.6f.00",
		"sluice1.00000000000000001.6f.00",
		"sluice1.8000000000000000.6f.00",
		"sluice1.000000000000000A.6f.00",
		"sluice1.0000000000000001.6F.00",
		"sluice1.0000000000000001.6",
		"sluice1.0000000000000001.6.",
		"sluice1.0000000000000001.00.",
		"sluice1.0000000000000001.6f",
	};
	for (size_t i = 0; i < sizeof none / sizeof *none; i++)
		assert_false(token_read(none[i], &claim));
	assert_true(token_read("sluice1.0000000000000001.6f.00", &claim));
	assert_true(token_read("sluice2.0000000000000001.00112233445566778899aabbccddeeff.6f.00",
			       &claim));
}

/* ---- JWTs ---- */

#define BASE64 "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"

/* Of so many bytes; RFC 4648 section 5. */
static char *put_base64(char *to, const char *text, size_t length)
{
	for (size_t bit = 0; bit < 8 * length; bit += 6) {
		unsigned value = 0;
		for (size_t i = bit; i < bit + 6; i++)
			value = value << 1 |
				(i < 8 * length ? (uint8_t)text[i / 8] >> (7 - i % 8) & 1u : 0);
		*to++ = BASE64[value];
	}
	*to = '\0';
	return to;
}

static char *get_base64(const char *text, size_t length)
{
	char *bytes = calloc(1, length + 1);
	for (size_t i = 0; i < length * 6 / 8 * 8; i++) {
		size_t value = (size_t)(strchr(BASE64, text[i / 6]) - BASE64);
		bytes[i / 8] = (char)(bytes[i / 8] << 1 | (value >> (5 - i % 6) & 1));
	}
	return bytes;
}

static const char *jwt_of(const char *token)
{
	static char jwt[TOKEN_JWT_MAX];
	assert_int_equal(token_as_jwt(token, jwt), 0);
	return jwt;
}

/* Three parts, decoded. */
static void split(const char *jwt, char *parts[3])
{
	for (size_t i = 0; i < 3; i++) {
		size_t length = strspn(jwt, BASE64);
		assert_int_equal(jwt[length], i < 2 ? '.' : '\0');
		assert_true(length > 0 && length % 4 != 1);
		parts[i] = get_base64(jwt, length);
		jwt += length + 1;
	}
}

static void release(char *parts[3])
{
	for (size_t i = 0; i < 3; i++)
		free(parts[i]);
}

/* The JWT's head, and these as its claims and its token. */
static const char *forge(const char *claims, const char *token, size_t length)
{
	static char jwt[8192];
	size_t head = strcspn(jwt_of(sign("ops", end_s)), ".") + 1;
	memcpy(jwt, jwt_of(sign("ops", end_s)), head);
	char *at = put_base64(jwt + head, claims, strlen(claims));
	*at++ = '.';
	put_base64(at, token, length);
	return jwt;
}

static const char *said(const json_t *claims, const char *name)
{
	return json_string_value(json_object_get(claims, name));
}

static void a_jwt_says_whose_it_is_in_three_parts(void **state)
{
	char *parts[3];
	struct token_claim claim;
	const char *jwt = jwt_of(sign("ops", end_s));

	(void)state;
	split(jwt, parts);
	assert_string_equal(parts[0], "{\"alg\":\"HS256\",\"typ\":\"JWT\"}");
	assert_string_equal(parts[2], sign("ops", end_s));
	json_t *claims = json_loads(parts[1], JSON_REJECT_DUPLICATES, NULL);
	assert_string_equal(said(claims, "appid"), "ops");
	assert_string_equal(said(claims, "tid"), TOKEN_TENANT);
	assert_string_equal(said(claims, "aud"), "sluice");
	assert_int_equal(strlen(said(claims, "oid")), 36);
	assert_int_equal(json_integer_value(json_object_get(claims, "exp")), end_s);
	assert_int_equal(json_integer_value(json_object_get(claims, "iat")), end_s - TOKEN_LIFE_S);
	json_decref(claims);
	release(parts);
	assert_true(token_read(jwt, &claim));
	assert_string_equal(claim.client, "ops");
	assert_int_equal(claim.expires_s, end_s);
	assert_string_equal(claim.id, login_id);
}

static void a_jwt_holds_as_its_token_does(void **state)
{
	char jwt[TOKEN_JWT_MAX];

	(void)state;
	snprintf(jwt, sizeof jwt, "%s", jwt_of(sign("ops", end_s)));
	assert_true(holds_with(jwt, &key, proof, end_s - 1));
	assert_false(holds_with(jwt, &key, proof, end_s));
	assert_false(holds_with(jwt, &other_key, proof, 0));
	assert_false(holds_with(jwt, &key, other_proof, 0));
	assert_true(holds(jwt_of(sign_with("ops", end_s, ""))));
}

static void no_character_of_a_jwt_can_be_another(void **state)
{
	static const char others[] = BASE64 ".=+/ \n";
	char jwt[TOKEN_JWT_MAX + 1];

	(void)state;
	snprintf(jwt, sizeof jwt, "%s", jwt_of(sign("ops", end_s)));
	for (size_t i = 0; jwt[i]; i++) {
		char right = jwt[i];
		for (const char *wrong = others; *wrong; wrong++) {
			jwt[i] = *wrong;
			assert_int_equal(holds(jwt), *wrong == right);
		}
		jwt[i] = '\0'; /* a part of it */
		assert_false(holds(jwt));
		jwt[i] = right;
	}
	assert_true(holds(jwt));
	for (const char *more = others; *more; more++) {
		snprintf(jwt, sizeof jwt, "%s%c", jwt_of(sign("ops", end_s)), *more);
		assert_false(holds(jwt));
	}
}

/* Of another client, of another time, with a member twice, or with a good token as a member. */
static void a_good_token_with_other_claims_is_refused(void **state)
{
	char *parts[3], *others[3], claims[4096];
	const char *token = sign("ops", end_s);

	(void)state;
	split(jwt_of(token), parts);
	assert_true(holds(forge(parts[1], parts[2], strlen(parts[2]))));
	split(jwt_of(sign("eye", end_s)), others);
	assert_false(holds(forge(others[1], parts[2], strlen(parts[2]))));
	release(others);
	split(jwt_of(sign("ops", end_s + 1)), others);
	assert_false(holds(forge(others[1], parts[2], strlen(parts[2]))));
	release(others);
	snprintf(claims, sizeof claims, "{\"appid\":\"eye\",%s", parts[1] + 1);
	assert_false(holds(forge(claims, parts[2], strlen(parts[2]))));
	snprintf(claims, sizeof claims, "{\"token\":\"%s\",%s", parts[2], parts[1] + 1);
	assert_false(holds(forge(claims, parts[2], strlen(parts[2]))));
	assert_false(holds(forge(claims, "", 0)));
	assert_false(holds(forge("", parts[2], strlen(parts[2]))));
	release(parts);
}

static void what_is_no_token_inside_is_not_read(void **state)
{
	static const char longest[2 * TOKEN_TEXT_MAX] = "sluice2.";
	char *parts[3], ended[TOKEN_TEXT_MAX + 8], jwt[TOKEN_JWT_MAX];
	struct token_claim claim;

	(void)state;
	snprintf(jwt, sizeof jwt, "%s", jwt_of(sign("ops", end_s)));
	split(jwt, parts);
	assert_false(token_read(forge(parts[1], jwt, strlen(jwt)), &claim)); /* a JWT */
	assert_false(token_read(forge(parts[1], "secret", 6), &claim));
	assert_false(token_read(forge(parts[1], longest, sizeof longest), &claim));
	assert_false(token_read("eyJhbGciOiJIUzI1NiIsInR5cCI6IkpXVCJ9.", &claim));
	assert_false(token_read("eyJhbGciOiJIUzI1NiIsInR5cCI6IkpXVCJ9..", &claim));
	assert_false(token_read("eyJhbGciOiJub25lIn0.e30.", &claim));
	/* A NUL ends what is read, and not what is compared. */
	int length = snprintf(ended, sizeof ended, "%s", parts[2]);
	memcpy(ended + length + 1, "more", 4);
	assert_false(holds(forge(parts[1], ended, (size_t)length + 5)));
	/* A bad token makes a bad JWT. */
	parts[2][length - 1] ^= 1;
	assert_true(token_read(forge(parts[1], parts[2], (size_t)length), &claim));
	assert_false(holds(forge(parts[1], parts[2], (size_t)length)));
	release(parts);
}

static void every_client_has_a_jwt_that_fits(void **state)
{
	static const char *const ids[] = {"\"},{\"a\\", "\xc3\xa4", "\xff\xfe", "\x01"};
	char longest[HTTP_CLIENT_MAX];

	(void)state;
	for (size_t i = 0; i < sizeof ids / sizeof *ids; i++) {
		char *parts[3];
		split(jwt_of(sign(ids[i], end_s)), parts);
		json_t *claims = json_loads(parts[1], 0, NULL);
		assert_non_null(claims);
		assert_string_equal(said(claims, "appid"), i == 2 ? "??" : ids[i]);
		json_decref(claims);
		release(parts);
		assert_true(holds(jwt_of(sign(ids[i], end_s))));
	}
	memset(longest, '\x01', sizeof longest - 1);
	longest[sizeof longest - 1] = '\0';
	assert_true(strlen(jwt_of(sign(longest, 0))) < TOKEN_JWT_MAX);
	assert_true(holds_with(jwt_of(sign(longest, INT64_MAX)), &key, proof, INT64_MAX - 1));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_token_says_whose_it_is_until_when),
		cmocka_unit_test(tokens_of_one_second_differ_by_their_ids),
		cmocka_unit_test(a_token_of_the_version_before_holds_to_its_end),
		cmocka_unit_test(it_holds_to_the_second_before_its_end),
		cmocka_unit_test(one_that_was_made_by_a_clock_ahead_does_not_hold_before_its_time),
		cmocka_unit_test(another_key_or_another_secret_ends_it),
		cmocka_unit_test(no_character_of_it_can_be_another),
		cmocka_unit_test(a_part_of_it_is_nothing_and_so_is_more),
		cmocka_unit_test(a_claim_of_another_client_has_another_mac),
		cmocka_unit_test(the_longest_id_fits_and_a_longer_one_is_not_read),
		cmocka_unit_test(what_is_no_token_is_not_read),
		cmocka_unit_test(a_jwt_says_whose_it_is_in_three_parts),
		cmocka_unit_test(a_jwt_holds_as_its_token_does),
		cmocka_unit_test(no_character_of_a_jwt_can_be_another),
		cmocka_unit_test(a_good_token_with_other_claims_is_refused),
		cmocka_unit_test(what_is_no_token_inside_is_not_read),
		cmocka_unit_test(every_client_has_a_jwt_that_fits),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
