/* Base64, as RFC 4648 section 10 has it, and what is none. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "rules/schema/tsig_secret.h"

static void check(const char *text, const char *says)
{
	uint8_t secret[TSIG_SECRET_MAX];
	size_t length = tsig_secret_decode(text, secret);

	assert_int_equal(length, strlen(says));
	assert_memory_equal(secret, says, length);
}

static void the_vectors_of_rfc_4648_decode(void **state)
{
	(void)state;
	check("Zg==", "f");
	check("Zm8=", "fo");
	check("Zm9v", "foo");
	check("Zm9vYg==", "foob");
	check("Zm9vYmE=", "fooba");
	check("Zm9vYmFy", "foobar");
	check(" Zm9v\nYmFy ", "foobar");
	check("+/+/", "\xfb\xff\xbf");
}

static void what_is_not_base64_is_none(void **state)
{
	static const char *const texts[] = {"",      "Z",     "Zg",     "Zg=",     "Zg===",
					    "Zm9v=", "====",  "Zg==Zg", "Zm_v",    "Zm-v",
					    "Z=g=",  "Zm9vY", "Zm9v!",  "Zm9v===="};
	uint8_t secret[TSIG_SECRET_MAX];

	(void)state;
	for (size_t i = 0; i < sizeof texts / sizeof *texts; i++)
		assert_int_equal(tsig_secret_decode(texts[i], secret), 0);
}

static void a_secret_has_256_bytes_and_not_257(void **state)
{
	char text[4 * 86 + 1];
	uint8_t secret[TSIG_SECRET_MAX];

	(void)state;
	memset(text, 'A', sizeof text - 1);
	text[sizeof text - 1] = '\0';
	memcpy(text + sizeof text - 3, "==", 2);
	assert_int_equal(tsig_secret_decode(text, secret), 256);
	memcpy(text + sizeof text - 3, "A=", 2);
	assert_int_equal(tsig_secret_decode(text, secret), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_vectors_of_rfc_4648_decode),
		cmocka_unit_test(what_is_not_base64_is_none),
		cmocka_unit_test(a_secret_has_256_bytes_and_not_257),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
