/* Entropy: where it comes from, and that a choice is uniform and never out of range. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "endpoints/entropy.h"
#include "tests/lib/random.h"

/* Eight bytes, so that two draws are the same only where the bytes are. */
static uint64_t draw(struct entropy *entropy)
{
	uint64_t value = 0;
	for (int i = 0; i < 4; i++)
		value = value << 16 | entropy_u16(entropy);
	return value;
}

static void same_seed_gives_the_same_sequence_across_refills(void **state)
{
	(void)state;
	uint64_t seed_a = 7, seed_b = 7, seed_c = 8;
	struct entropy a, b, c;
	entropy_init_seeded(&a, &seed_a);
	entropy_init_seeded(&b, &seed_b);
	entropy_init_seeded(&c, &seed_c);
	unsigned differing = 0;
	for (int i = 0; i < 3000; i++) {
		uint64_t value = draw(&a);
		assert_int_equal(value, draw(&b));
		differing += value != draw(&c);
	}
	assert_true(differing > 2990);
}

static void a_page_is_handed_out_once(void **state)
{
	(void)state;
	uint64_t seed = 1;
	struct entropy entropy;
	entropy_init_seeded(&entropy, &seed);
	uint64_t first = draw(&entropy);
	for (size_t i = 8; i < sizeof entropy.buffer; i += 8)
		assert_int_not_equal(draw(&entropy), first);
	assert_int_equal(entropy.left, 0);
	assert_int_not_equal(draw(&entropy), first);
	assert_int_equal(entropy.left, sizeof entropy.buffer - 8);
}

static void kernel_bytes_differ_between_two_pages(void **state)
{
	(void)state;
	struct entropy a, b;
	entropy_init(&a);
	entropy_init(&b);
	unsigned same = 0;
	for (int i = 0; i < 1000; i++)
		same += draw(&a) == draw(&b);
	assert_int_equal(same, 0);
}

static void below_stays_in_range_and_is_uniform(void **state)
{
	(void)state;
	uint64_t seed = 42;
	struct entropy entropy;
	entropy_init_seeded(&entropy, &seed);
	enum { N = 6, DRAWS = 60000 };
	unsigned seen[N] = {0};
	for (int i = 0; i < DRAWS; i++) {
		uint32_t draw = entropy_below(&entropy, N);
		assert_in_range(draw, 0, N - 1);
		seen[draw]++;
	}
	for (int i = 0; i < N; i++)
		assert_in_range(seen[i], 9500, 10500);
	for (int i = 0; i < 100; i++)
		assert_int_equal(entropy_below(&entropy, 1), 0);
}

/* 3 * 2^30 values: without rejection the lower half would come up three times out of four. */
static void below_a_large_number_is_not_skewed(void **state)
{
	(void)state;
	uint64_t seed = 43;
	struct entropy entropy;
	entropy_init_seeded(&entropy, &seed);
	const uint32_t n = 3u << 30;
	unsigned third[3] = {0};
	for (int i = 0; i < 30000; i++) {
		uint32_t draw = entropy_below(&entropy, n);
		assert_true(draw < n);
		third[draw % 3]++;
	}
	for (int i = 0; i < 3; i++)
		assert_in_range(third[i], 9500, 10500);
}

static void u16_covers_its_range(void **state)
{
	(void)state;
	uint64_t seed = 44;
	struct entropy entropy;
	entropy_init_seeded(&entropy, &seed);
	uint16_t lowest = UINT16_MAX, highest = 0;
	for (int i = 0; i < 20000; i++) {
		uint16_t value = entropy_u16(&entropy);
		lowest = value < lowest ? value : lowest;
		highest = value > highest ? value : highest;
	}
	assert_in_range(lowest, 0, 100);
	assert_in_range(highest, UINT16_MAX - 100, UINT16_MAX);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(same_seed_gives_the_same_sequence_across_refills),
		cmocka_unit_test(a_page_is_handed_out_once),
		cmocka_unit_test(kernel_bytes_differ_between_two_pages),
		cmocka_unit_test(below_stays_in_range_and_is_uniform),
		cmocka_unit_test(below_a_large_number_is_not_skewed),
		cmocka_unit_test(u16_covers_its_range),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
