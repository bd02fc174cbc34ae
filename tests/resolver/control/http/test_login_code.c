/* Codes that log in: once, in time, whatever others guess. Time is given in. */
#include "resolver/control/http/login_code.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

enum { SECOND = 1000000 };
static const uint64_t now_us = 1000 * (uint64_t)SECOND;

/* Codes differ by the byte. */
static void make(struct login_codes *codes, uint8_t byte, uint64_t at_us, char text[LOGIN_CODE_MAX])
{
	uint8_t random[LOGIN_CODE_BYTES];

	memset(random, byte, sizeof random);
	assert_int_equal(login_codes_make(codes, "uid 0 (says anna)", random, at_us, text), 0);
}

static int take(struct login_codes *codes, const char *text, uint64_t at_us)
{
	char client[HTTP_CLIENT_MAX] = "";
	int err = login_codes_take(codes, text, at_us, client);

	assert_string_equal(client, err == 0 ? "uid 0 (says anna)" : "");
	return err;
}

static void a_code_logs_in_once(void **state)
{
	struct login_codes codes = {0};
	char text[LOGIN_CODE_MAX];

	(void)state;
	make(&codes, 0xa7, now_us, text);
	assert_string_equal(text, "a7a7a7a7a7a7a7a7a7a7a7a7a7a7a7a7");
	assert_int_equal(take(&codes, text, now_us + SECOND), 0);
	assert_int_equal(take(&codes, text, now_us + SECOND), ERR_NOT_FOUND);
}

static void a_code_lasts_a_minute(void **state)
{
	struct login_codes codes = {0};
	char text[LOGIN_CODE_MAX];

	(void)state;
	make(&codes, 1, now_us, text);
	assert_int_equal(take(&codes, text, now_us + 61 * (uint64_t)SECOND), ERR_NOT_FOUND);
	assert_int_equal(take(&codes, text, now_us + 60 * (uint64_t)SECOND), ERR_NOT_FOUND);
	assert_int_equal(take(&codes, text, now_us + 60 * (uint64_t)SECOND - 1), 0);
}

static void guesses_leave_codes_alone(void **state)
{
	struct login_codes codes = {0};
	char text[LOGIN_CODE_MAX];

	(void)state;
	make(&codes, 1, now_us, text);
	for (int i = 0; i < 1000; i++)
		assert_int_equal(take(&codes, i % 2 ? "guess" : "", now_us), ERR_NOT_FOUND);
	assert_int_equal(take(&codes, text, now_us), 0);
}

static void one_more_than_there_may_be_takes_the_place_of_the_oldest(void **state)
{
	struct login_codes codes = {0};
	char texts[LOGIN_CODES_MAX + 1][LOGIN_CODE_MAX];

	(void)state;
	for (uint8_t i = 0; i <= LOGIN_CODES_MAX; i++)
		make(&codes, i, now_us + i, texts[i]);
	assert_int_equal(take(&codes, texts[0], now_us), ERR_NOT_FOUND);
	for (int i = 1; i <= LOGIN_CODES_MAX; i++)
		assert_int_equal(take(&codes, texts[i], now_us), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_code_logs_in_once),
		cmocka_unit_test(a_code_lasts_a_minute),
		cmocka_unit_test(guesses_leave_codes_alone),
		cmocka_unit_test(one_more_than_there_may_be_takes_the_place_of_the_oldest),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
