/* Tokens: what holds, and everything that does not. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

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

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_token_says_whose_it_is_until_when),
		cmocka_unit_test(tokens_of_one_second_differ_by_their_ids),
		cmocka_unit_test(a_token_of_the_version_before_holds_to_its_end),
		cmocka_unit_test(it_holds_to_the_second_before_its_end),
		cmocka_unit_test(another_key_or_another_secret_ends_it),
		cmocka_unit_test(no_character_of_it_can_be_another),
		cmocka_unit_test(a_part_of_it_is_nothing_and_so_is_more),
		cmocka_unit_test(a_claim_of_another_client_has_another_mac),
		cmocka_unit_test(the_longest_id_fits_and_a_longer_one_is_not_read),
		cmocka_unit_test(what_is_no_token_is_not_read),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
