/* Server cookies: the values of RFC 9018 appendix A, for how long they are good, and for whom. */
#include <endian.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "endpoints/inbound/cookie.h"

enum { NOON = 1700000000 - 1700000000 % COOKIE_DAY_S + COOKIE_DAY_S / 2 };

static struct cookie_keeper keeper;

static void read_hex(const char *text, uint8_t *bytes)
{
	for (; *text; text += 2) {
		char digits[3] = {text[0], text[1], 0};
		*bytes++ = (uint8_t)strtoul(digits, NULL, 16);
	}
}

static struct hash_key key_of(const char *text)
{
	struct hash_key key;
	uint8_t bytes[16];

	read_hex(text, bytes);
	memcpy(&key, bytes, sizeof key);
	return (struct hash_key){le64toh(key.k0), le64toh(key.k1)};
}

static const struct address client = {.family = 4, .bytes = {198, 51, 100, 100}};
static const struct address other = {.family = 4, .bytes = {203, 0, 113, 203}};

static int drawn(void **state)
{
	const struct hash_key key = {3, 4};

	(void)state;
	cookie_init(&keeper, &key);
	return 0;
}

/* A fresh one of a client whose own is eight times 7. */
static void give(uint8_t cookie[MESSAGE_COOKIE_REPLY], uint32_t now_s)
{
	memset(cookie, 7, MESSAGE_COOKIE_REPLY);
	assert_false(cookie_check(&keeper, &client, now_s, cookie, MESSAGE_COOKIE_CLIENT));
}

static bool is_good(const uint8_t cookie[MESSAGE_COOKIE_REPLY], const struct address *from,
		    uint32_t now_s)
{
	uint8_t copy[MESSAGE_COOKIE_REPLY];

	memcpy(copy, cookie, sizeof copy);
	return cookie_check(&keeper, from, now_s, copy, sizeof copy);
}

/* ---- the RFC's examples ---- */

static void assert_signed(const char *secret, const struct address *from, uint32_t now_s,
			  const char *text)
{
	struct hash_key key = key_of(secret);
	uint8_t expected[MESSAGE_COOKIE_REPLY], cookie[MESSAGE_COOKIE_REPLY] = {0};

	read_hex(text, expected);
	memcpy(cookie, expected, MESSAGE_COOKIE_CLIENT);
	cookie_init_given(&keeper, &key, &key);
	assert_false(cookie_check(&keeper, from, now_s, cookie, MESSAGE_COOKIE_CLIENT));
	assert_memory_equal(cookie, expected, sizeof expected);
	assert_true(is_good(expected, from, now_s));
}

static void cookies_are_those_of_the_rfc(void **state)
{
	static const char secret[] = "e5e973e5a6b2a43f48e7dc849e37bfcf";
	static const struct address v6 = {.family = 6,
					  .bytes = {0x20, 0x01, 0x0d, 0xb8, 0x02, 0x20, 0, 1, 0x59,
						    0xde, 0xd0, 0xf4, 0x87, 0x69, 0x82, 0xb8}};

	(void)state;
	assert_signed(secret, &client, 1559731985,
		      "2464c4abcf10c957010000005cf79f111f8130c3eee29480");
	assert_signed(secret, &client, 1559734385,
		      "2464c4abcf10c957010000005cf7a871d4a564a1442aca77");
	assert_signed(secret, &other, 1559734700,
		      "fc93fc62807ddb86010000005cf7a9acf73a7810aca2381e");
	assert_signed("dd3bdf9344b678b185a6f5cb60fca715", &v6, 1559741817,
		      "22681ab97d52c298010000005cf7c57926556bd0934c72f8");
	assert_signed("445536bcd2513298075a5d379663c962", &v6, 1559741961,
		      "22681ab97d52c298010000005cf7c609a6bb79d16625507a");
}

/* RFC 9018 appendix A.3 */
static void reserved_bytes_are_signed_and_do_not_come_back(void **state)
{
	struct hash_key key = key_of("e5e973e5a6b2a43f48e7dc849e37bfcf");
	static const uint8_t version[4] = {1, 0, 0, 0};
	const uint32_t now_s = 0x5cf78f71 + 60;
	uint8_t cookie[MESSAGE_COOKIE_REPLY];

	(void)state;
	read_hex("fc93fc62807ddb8601abcdef5cf78f71a314227b6679ebf5", cookie);
	cookie_init_given(&keeper, &key, &key);
	assert_true(cookie_check(&keeper, &other, now_s, cookie, sizeof cookie));
	assert_memory_equal(cookie + 8, version, sizeof version);
	assert_true(is_good(cookie, &other, now_s));
	read_hex("fc93fc62807ddb8601abcdee5cf78f71a314227b6679ebf5", cookie);
	assert_false(cookie_check(&keeper, &other, now_s, cookie, sizeof cookie));
}

static void the_secret_before_is_good_and_gives_way_to_the_new_one(void **state)
{
	struct hash_key before = key_of("445536bcd2513298075a5d379663c962");
	struct hash_key key = key_of("dd3bdf9344b678b185a6f5cb60fca715");
	uint8_t cookie[MESSAGE_COOKIE_REPLY], old[MESSAGE_COOKIE_REPLY];

	(void)state;
	cookie_init_given(&keeper, &before, &before);
	give(cookie, NOON);
	memcpy(old, cookie, sizeof old);
	cookie_init_given(&keeper, &key, &before);
	assert_true(cookie_check(&keeper, &client, NOON, cookie, sizeof cookie));
	assert_memory_not_equal(cookie, old, sizeof old); /* although it is not old */
	cookie_init_given(&keeper, &key, &key);
	assert_false(is_good(old, &client, NOON));
	assert_true(is_good(cookie, &client, NOON));
}

/* ---- who, and when ---- */

static void a_cookie_is_good_for_its_client_only(void **state)
{
	uint8_t cookie[MESSAGE_COOKIE_REPLY];

	(void)state;
	give(cookie, NOON);
	assert_true(is_good(cookie, &client, NOON));
	assert_false(is_good(cookie, &other, NOON));
	for (size_t i = 0; i < sizeof cookie; i++) {
		cookie[i] ^= 1;
		assert_false(is_good(cookie, &client, NOON));
		cookie[i] ^= 1;
	}
	assert_false(cookie_check(&keeper, &client, NOON, cookie, sizeof cookie - 1));
}

static void it_is_good_for_an_hour_and_five_minutes_ahead(void **state)
{
	uint8_t cookie[MESSAGE_COOKIE_REPLY];

	(void)state;
	give(cookie, NOON);
	assert_true(is_good(cookie, &client, NOON + COOKIE_TIME_BEHIND_S));
	assert_false(is_good(cookie, &client, NOON + COOKIE_TIME_BEHIND_S + 1));
	assert_true(is_good(cookie, &client, NOON - COOKIE_TIME_AHEAD_S));
	assert_false(is_good(cookie, &client, NOON - COOKIE_TIME_AHEAD_S - 1));
}

static void it_is_kept_for_half_an_hour_and_then_renewed(void **state)
{
	uint8_t cookie[MESSAGE_COOKIE_REPLY], first[MESSAGE_COOKIE_REPLY];

	(void)state;
	give(cookie, NOON);
	memcpy(first, cookie, sizeof first);
	assert_true(cookie_check(&keeper, &client, NOON + COOKIE_RENEW_S - 1, cookie, 24));
	assert_memory_equal(cookie, first, sizeof first);
	assert_true(cookie_check(&keeper, &client, NOON + COOKIE_RENEW_S, cookie, 24));
	assert_memory_not_equal(cookie, first, sizeof first);
	assert_int_equal(wire_u32(cookie + 12), NOON + COOKIE_RENEW_S);
	assert_true(is_good(cookie, &client, NOON + COOKIE_RENEW_S));
}

static void a_new_days_secret_knows_the_old_days_cookies(void **state)
{
	const uint32_t midnight = NOON + COOKIE_DAY_S / 2;
	uint8_t cookie[MESSAGE_COOKIE_REPLY], again[MESSAGE_COOKIE_REPLY];

	(void)state;
	give(cookie, midnight - 1);
	assert_true(is_good(cookie, &client, midnight));
	assert_true(is_good(cookie, &client, midnight + COOKIE_TIME_BEHIND_S - 1));
	give(again, midnight);
	wire_put32(cookie + 12, midnight);
	assert_false(is_good(cookie, &client, midnight));
	assert_true(is_good(again, &client, midnight));
}

static void every_process_has_its_own_secret(void **state)
{
	const struct hash_key another = {4, 4};
	uint8_t cookie[MESSAGE_COOKIE_REPLY];

	(void)state;
	give(cookie, NOON);
	cookie_init(&keeper, &another);
	assert_false(is_good(cookie, &client, NOON));
}

static void times_go_on_after_2106(void **state)
{
	uint8_t cookie[MESSAGE_COOKIE_REPLY];
	const struct hash_key key = {1, 2};

	(void)state;
	cookie_init_given(&keeper, &key, &key);
	give(cookie, UINT32_MAX - 10);
	assert_true(is_good(cookie, &client, 10));
	assert_true(is_good(cookie, &client, UINT32_MAX - 10 - COOKIE_TIME_AHEAD_S));
	assert_false(is_good(cookie, &client, COOKIE_TIME_BEHIND_S));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(cookies_are_those_of_the_rfc),
		cmocka_unit_test(reserved_bytes_are_signed_and_do_not_come_back),
		cmocka_unit_test(the_secret_before_is_good_and_gives_way_to_the_new_one),
		cmocka_unit_test_setup(a_cookie_is_good_for_its_client_only, drawn),
		cmocka_unit_test_setup(it_is_good_for_an_hour_and_five_minutes_ahead, drawn),
		cmocka_unit_test_setup(it_is_kept_for_half_an_hour_and_then_renewed, drawn),
		cmocka_unit_test_setup(a_new_days_secret_knows_the_old_days_cookies, drawn),
		cmocka_unit_test_setup(every_process_has_its_own_secret, drawn),
		cmocka_unit_test_setup(times_go_on_after_2106, drawn),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
