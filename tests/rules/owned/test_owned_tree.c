/* The pages below an owned table: against a plain list, by chance and at the edges, and what trees
 * that share pages see of each other. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "rules/owned/tree.h"
#include "tests/lib/random.h"

static const __uint128_t highest = ~(__uint128_t)0;

static int put(struct owned_tree *tree, __uint128_t key, uint32_t value)
{
	return owned_tree_put(tree, key, &value, sizeof value);
}

static int take_out(struct owned_tree *tree, __uint128_t key)
{
	return owned_tree_put(tree, key, NULL, 0);
}

/* The value of the key, 0 when there is none. */
static uint32_t get(const struct owned_tree *tree, __uint128_t key)
{
	size_t bytes;
	const uint32_t *value = owned_tree_find(tree, key, &bytes);

	if (value)
		assert_int_equal(bytes % sizeof *value, 0);
	return value ? *value : 0;
}

/* The value, one to five times. */
static size_t repeat(uint32_t words[5], uint32_t value)
{
	size_t count = 1 + value % 5;

	for (size_t i = 0; i < count; i++)
		words[i] = value;
	return count * sizeof words[0];
}

static int put_repeated(struct owned_tree *tree, __uint128_t key, uint32_t value)
{
	uint32_t words[5];

	return owned_tree_put(tree, key, words, repeat(words, value));
}

static void check_repeated(const void *found, size_t bytes, uint32_t value)
{
	uint32_t words[5];

	assert_non_null(found);
	assert_int_equal(bytes, repeat(words, value));
	assert_memory_equal(found, words, bytes);
}

static void an_empty_tree_has_nothing(void **state)
{
	struct owned_tree tree = {0};
	__uint128_t key = 0;
	size_t bytes;

	(void)state;
	assert_null(owned_tree_find(&tree, 0, &bytes));
	assert_null(owned_tree_next(&tree, &key, &bytes));
	assert_int_equal(take_out(&tree, 7), 0);
	assert_null(tree.root);
	owned_tree_release(&tree);
}

static void the_lowest_and_the_highest_key_are_keys_like_others(void **state)
{
	struct owned_tree tree = {0};
	__uint128_t key = 1;
	size_t bytes;

	(void)state;
	assert_int_equal(put(&tree, 0, 1), 0);
	assert_int_equal(put(&tree, highest, 2), 0);
	assert_int_equal(put(&tree, highest - 1, 3), 0);
	assert_int_equal(get(&tree, 0), 1);
	assert_int_equal(get(&tree, highest), 2);
	assert_int_equal(get(&tree, highest - 1), 3);
	assert_int_equal(get(&tree, 1), 0);
	assert_int_equal(get(&tree, (__uint128_t)1 << 127), 0);
	assert_non_null(owned_tree_next(&tree, &key, &bytes));
	assert_true(key == highest - 1);
	key = highest;
	assert_non_null(owned_tree_next(&tree, &key, &bytes));
	assert_true(key == highest);
	assert_int_equal(take_out(&tree, highest), 0);
	assert_null(owned_tree_next(&tree, &key, &bytes));
	owned_tree_release(&tree);
}

/* Keys that differ in one bit only, each bit once: every level has its turn. */
static void keys_that_differ_in_any_one_bit_are_apart(void **state)
{
	const __uint128_t base = (__uint128_t)0x0123456789abcdef << 64 | 0xfedcba9876543210;
	struct owned_tree tree = {0};

	(void)state;
	for (unsigned bit = 0; bit < 128; bit++) {
		assert_int_equal(get(&tree, base ^ (__uint128_t)1 << bit), 0);
		assert_int_equal(put(&tree, base ^ (__uint128_t)1 << bit, bit + 1), 0);
	}
	assert_int_equal(get(&tree, base), 0);
	for (unsigned bit = 0; bit < 128; bit++)
		assert_int_equal(get(&tree, base ^ (__uint128_t)1 << bit), bit + 1);
	assert_int_equal(tree.values, 128);
	for (unsigned bit = 0; bit < 128; bit++)
		assert_int_equal(take_out(&tree, base ^ (__uint128_t)1 << bit), 0);
	assert_null(tree.root);
	assert_int_equal(tree.values, 0);
	assert_int_equal(tree.bytes, 0);
}

static void values_may_be_of_any_length_and_change_it(void **state)
{
	struct owned_tree tree = {0};
	uint32_t words[64];
	size_t bytes;

	(void)state;
	for (uint32_t i = 0; i < 64; i++)
		words[i] = i + 1;
	for (unsigned n = 0; n < 64; n++)
		assert_int_equal(owned_tree_put(&tree, n, words, (n + 1) * sizeof words[0]), 0);
	for (unsigned n = 0; n < 64; n++)
		assert_int_equal(owned_tree_put(&tree, n, words, (64 - n) * sizeof words[0]), 0);
	for (unsigned n = 0; n < 64; n++) {
		const void *value = owned_tree_find(&tree, n, &bytes);

		assert_int_equal(bytes, (64 - n) * sizeof words[0]);
		assert_memory_equal(value, words, bytes);
	}
	owned_tree_release(&tree);
}

/* 65535 units for the head of 32 bytes, a start for each value, and the values. */
static void a_page_that_would_be_too_long_is_refused_and_stays_as_it_was(void **state)
{
	enum { MOST = UINT16_MAX * OWNED_TREE_UNIT - 32 - OWNED_TREE_UNIT };
	struct owned_tree tree = {0};
	uint8_t *value = calloc(1, MOST + OWNED_TREE_UNIT);
	size_t bytes;

	(void)state;
	assert_int_equal(owned_tree_put(&tree, 1, value, MOST + OWNED_TREE_UNIT), ERR_NO_SPACE);
	assert_null(tree.root);
	assert_int_equal(owned_tree_put(&tree, 1, value, MOST), 0);
	assert_int_equal(put(&tree, 2, 7), ERR_NO_SPACE);
	assert_int_equal(put(&tree, 64, 7), 0); /* another page's */
	assert_int_equal(get(&tree, 2), 0);
	assert_non_null(owned_tree_find(&tree, 1, &bytes));
	assert_int_equal(bytes, MOST);
	assert_int_equal(owned_tree_put(&tree, 1, value, MOST - OWNED_TREE_UNIT), 0);
	assert_int_equal(put(&tree, 2, 7), 0); /* both starts fit where one had to be rounded up */
	assert_int_equal(get(&tree, 2), 7);
	owned_tree_release(&tree);
	free(value);
}

static void a_page_that_did_not_change_is_shared_and_one_that_did_is_not(void **state)
{
	struct owned_tree before = {0}, after;
	size_t bytes;

	(void)state;
	for (unsigned key = 0; key < 64 * 64 * 2; key++)
		assert_int_equal(put(&before, key, key + 1), 0);
	after = owned_tree_share(&before);
	assert_int_equal(put(&after, 100, 7), 0);
	assert_int_equal(get(&before, 100), 101);
	assert_int_equal(get(&after, 100), 7);
	assert_ptr_not_equal(owned_tree_find(&before, 101, &bytes),
			     owned_tree_find(&after, 101, &bytes));
	assert_ptr_equal(owned_tree_find(&before, 5, &bytes), owned_tree_find(&after, 5, &bytes));
	assert_ptr_equal(owned_tree_find(&before, 5000, &bytes),
			 owned_tree_find(&after, 5000, &bytes));
	owned_tree_release(&before);
	for (unsigned key = 0; key < 64 * 64 * 2; key++)
		assert_int_equal(get(&after, key), key == 100 ? 7 : key + 1);
	owned_tree_release(&after);
}

/* What is as it should be takes the same memory, whichever way it came to be so. */
static void a_tree_depends_on_what_it_holds_and_not_on_how(void **state)
{
	struct owned_tree up = {0}, down = {0};
	uint64_t seed = 5;

	(void)state;
	for (unsigned key = 0; key < 3000; key++)
		assert_int_equal(put(&up, key * 7, key + 1), 0);
	for (unsigned i = 0; i < 500; i++)
		assert_int_equal(put(&down, random_u64(&seed) | 1 << 20, 1), 0);
	for (unsigned key = 3000; key-- > 0;)
		assert_int_equal(put(&down, key * 7, key + 1), 0);
	seed = 5;
	for (unsigned i = 0; i < 500; i++)
		assert_int_equal(take_out(&down, random_u64(&seed) | 1 << 20), 0);
	assert_int_equal(up.values, down.values);
	assert_int_equal(up.bytes, down.bytes);
	owned_tree_release(&up);
	owned_tree_release(&down);
}

/* ---- by chance, beside a plain list ---- */

enum { KEYS = 600, STEPS = 12000, GENERATIONS = 24 };

struct generation {
	struct owned_tree tree;
	uint32_t values[KEYS]; /* 0: none */
};

static int compare_keys(const void *a, const void *b)
{
	__uint128_t left, right;

	memcpy(&left, a, sizeof left);
	memcpy(&right, b, sizeof right);
	return left < right ? -1 : left > right;
}

/* In clusters and apart, in order, each once. */
static unsigned choose_keys(__uint128_t keys[KEYS], uint64_t *seed)
{
	unsigned kept = 0;

	for (unsigned i = 0; i < KEYS; i++) {
		__uint128_t far = (__uint128_t)random_u64(seed) << 64 | random_u64(seed);

		keys[i] = i == 0         ? 0
			  : i == 1       ? highest
			  : i < KEYS / 4 ? random_below(seed, 200)
			  : i < KEYS / 2 ? random_below(seed, 1 << 20)
			  : i < KEYS / 4 * 3
				  ? keys[i - 1] ^ (__uint128_t)1 << random_below(seed, 128)
				  : far;
	}
	qsort(keys, KEYS, sizeof keys[0], compare_keys);
	for (unsigned i = 0; i < KEYS; i++)
		if (!kept || keys[kept - 1] != keys[i])
			keys[kept++] = keys[i];
	return kept;
}

static void check_generation(const struct generation *generation, const __uint128_t *keys,
			     unsigned count)
{
	size_t held = 0, bytes;
	__uint128_t at = 0;

	for (unsigned i = 0; i < count; i++) {
		const void *found = owned_tree_find(&generation->tree, keys[i], &bytes);

		if (!generation->values[i]) {
			assert_null(found);
			continue;
		}
		held++;
		check_repeated(found, bytes, generation->values[i]);
		assert_ptr_equal(owned_tree_next(&generation->tree, &at, &bytes), found);
		assert_true(at == keys[i]);
		check_repeated(found, bytes, generation->values[i]);
		at++;
	}
	if (at) /* else that was the highest */
		assert_null(owned_tree_next(&generation->tree, &at, &bytes));
	assert_int_equal(generation->tree.values, held);
}

static void every_generation_keeps_what_it_held(void **state)
{
	static struct generation generations[GENERATIONS];
	static __uint128_t keys[KEYS];
	uint64_t seed = 20;
	unsigned count = choose_keys(keys, &seed);

	(void)state;
	memset(generations, 0, sizeof generations);
	for (unsigned step = 0; step < STEPS; step++) {
		struct generation *generation = &generations[random_below(&seed, GENERATIONS)];
		unsigned i = random_below(&seed, count);
		uint32_t value = random_below(&seed, 3) ? step + 1 : 0;

		if (random_below(&seed, 40) == 0) { /* it becomes what another one is now */
			const struct generation *from =
				&generations[random_below(&seed, GENERATIONS)];
			struct owned_tree shared = owned_tree_share(&from->tree);

			owned_tree_release(&generation->tree);
			if (generation != from)
				memcpy(generation->values, from->values, sizeof from->values);
			generation->tree = shared;
		}
		assert_int_equal(value ? put_repeated(&generation->tree, keys[i], value)
				       : take_out(&generation->tree, keys[i]),
				 0);
		generation->values[i] = value;
		if (step % 500 == 0)
			check_generation(generation, keys, count);
	}
	for (unsigned g = 0; g < GENERATIONS; g++)
		check_generation(&generations[g], keys, count);
	for (unsigned g = 0; g < GENERATIONS; g++)
		owned_tree_release(&generations[g].tree);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(an_empty_tree_has_nothing),
		cmocka_unit_test(the_lowest_and_the_highest_key_are_keys_like_others),
		cmocka_unit_test(keys_that_differ_in_any_one_bit_are_apart),
		cmocka_unit_test(values_may_be_of_any_length_and_change_it),
		cmocka_unit_test(a_page_that_would_be_too_long_is_refused_and_stays_as_it_was),
		cmocka_unit_test(a_page_that_did_not_change_is_shared_and_one_that_did_is_not),
		cmocka_unit_test(a_tree_depends_on_what_it_holds_and_not_on_how),
		cmocka_unit_test(every_generation_keeps_what_it_held),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
