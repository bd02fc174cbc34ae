#include <setjmp.h>
#include <stdalign.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "rules/arena.h"
#include "tests/lib/arena_case.h"
#include "tests/lib/no_memory.h"
#include "tests/lib/random.h"

static void memory_is_zero_and_aligned_for_any_type(void **state)
{
	uint64_t seed = 11;
	unsigned i;

	for (i = 0; i < 2000; i++) {
		size_t size = random_below(&seed, 300), at;
		uint8_t *memory = arena_alloc(*state, size);

		assert_non_null(memory);
		assert_int_equal((uintptr_t)memory % alignof(max_align_t), 0);
		for (at = 0; at < size; at++)
			assert_int_equal(memory[at], 0);
		memset(memory, 0xff, size);
		assert_non_null(arena_alloc_bytes(*state, random_below(&seed, 9)));
	}
}

static void pieces_never_overlap(void **state)
{
	enum { PIECES = 3000 };
	static uint8_t *pieces[PIECES];
	static size_t sizes[PIECES];
	uint64_t seed = 12;
	unsigned i;
	size_t at;

	for (i = 0; i < PIECES; i++) {
		/* Now and then one that needs a block of its own. */
		sizes[i] = random_below(&seed, i % 100 == 7 ? 300000 : 200);
		pieces[i] = i % 2 == 0 ? arena_alloc(*state, sizes[i])
				       : arena_alloc_bytes(*state, sizes[i]);
		assert_non_null(pieces[i]);
		memset(pieces[i], (int)(i % 251), sizes[i]);
	}
	for (i = 0; i < PIECES; i++)
		for (at = 0; at < sizes[i]; at++)
			if (pieces[i][at] != i % 251)
				fail_msg("piece %u was written over at %zu", i, at);
}

static void size_zero_gives_pointers_that_differ(void **state)
{
	void *one = arena_alloc(*state, 0), *two = arena_alloc(*state, 0);
	void *three = arena_alloc_bytes(*state, 0), *four = arena_alloc_array(*state, 0, 8);

	assert_non_null(one);
	assert_non_null(two);
	assert_non_null(three);
	assert_non_null(four);
	assert_ptr_not_equal(one, two);
	assert_ptr_not_equal(two, three);
}

static void sizes_that_overflow_are_refused(void **state)
{
	struct arena *arena = *state;

	assert_null(arena_alloc_array(arena, SIZE_MAX / 8 + 1, 8));
	assert_null(arena_alloc_array(arena, SIZE_MAX, SIZE_MAX));
	assert_null(arena_alloc(arena, SIZE_MAX));
	assert_null(arena_alloc_bytes(arena, SIZE_MAX - 8));
	assert_null(arena_alloc(arena, (size_t)PTRDIFF_MAX + 1));
	assert_int_equal(arena->used_bytes, 0);
	assert_int_equal(arena->held_bytes, 0);
}

static void running_out_of_memory_harms_nothing_that_is_there(void **state)
{
	struct arena *arena = *state;
	char *text = arena_strdup(arena, "still here");
	size_t held = arena->held_bytes, used = arena->used_bytes;

	assert_null(arena_alloc(arena, (size_t)1 << 50));
	assert_null(arena_alloc_bytes(arena, (size_t)1 << 50));
	assert_null(arena_alloc_array(arena, (size_t)1 << 25, (size_t)1 << 25));
	assert_int_equal(arena->held_bytes, held);
	assert_int_equal(arena->used_bytes, used);
	assert_string_equal(text, "still here");
	assert_non_null(arena_alloc(arena, 100000));
}

static void bytes_are_packed_without_padding(void **state)
{
	struct arena *arena = *state;
	unsigned i;

	for (i = 0; i < 100; i++)
		assert_non_null(arena_alloc_bytes(arena, 3));
#ifdef __SANITIZE_ADDRESS__
	assert_true(arena->used_bytes <= (size_t)100 * (3 + 8));
#else
	assert_int_equal(arena->used_bytes, 300);
#endif
}

static void a_large_piece_leaves_the_newest_block_in_use(void **state)
{
	struct arena *arena = *state;
	size_t held;

	assert_non_null(arena_alloc(arena, 16));
	assert_non_null(arena_alloc(arena, (size_t)3 << 20));
	held = arena->held_bytes;
	assert_true(held > (size_t)3 << 20);
	assert_non_null(arena_alloc(arena, 16));
	assert_int_equal(arena->held_bytes, held);
}

static void what_is_held_stays_near_what_is_used(void **state)
{
	struct arena *arena = *state;
	unsigned i;

	assert_non_null(arena_alloc(arena, 1));
	assert_true(arena->held_bytes < 2048);
	for (i = 0; i < 10000; i++)
		assert_non_null(arena_alloc(arena, 64));
	assert_true(arena->used_bytes >= 640000);
	assert_true(arena->held_bytes >= arena->used_bytes);
	assert_true(arena->held_bytes < 3 * arena->used_bytes);
}

static void release_leaves_an_arena_that_can_be_used_again(void **state)
{
	struct arena *arena = *state;

	assert_non_null(arena_alloc(arena, 5000));
	arena_release(arena);
	assert_null(arena->blocks);
	assert_int_equal(arena->used_bytes, 0);
	assert_int_equal(arena->held_bytes, 0);
	arena_release(arena);
	assert_non_null(arena_alloc(arena, 5000));
}

static void text_is_copied_and_formatted(void **state)
{
	char source[] = "hub";
	char *copy = arena_strdup(*state, source);
	char *empty = arena_strdup(*state, "");
	char *formatted = arena_printf(*state, "%s/%d", "resolver", 42);
	char *wide = arena_printf(*state, "%5000s|", "x");

	source[0] = 'X';
	assert_string_equal(copy, "hub");
	assert_string_equal(empty, "");
	assert_string_equal(formatted, "resolver/42");
	assert_int_equal(strlen(wide), 5001);
	assert_string_equal(wide + 4999, "x|");
}

static void running_over_a_piece_is_seen_by_the_sanitizer(void **state)
{
#ifdef __SANITIZE_ADDRESS__
	uint8_t *first = arena_alloc_bytes(*state, 13);
	uint8_t *second = arena_alloc_bytes(*state, 13);

	assert_false(__asan_address_is_poisoned(first + 12));
	assert_false(__asan_address_is_poisoned(second));
	assert_true(__asan_address_is_poisoned(second + 13));
	assert_true(second - first > 13);
#else
	(void)state;
	skip();
#endif
}

int main(void)
{
	const struct CMUnitTest tests[] = {
#define ARENA_TEST(name) cmocka_unit_test_setup_teardown(name, arena_set_up, arena_tear_down)
		ARENA_TEST(memory_is_zero_and_aligned_for_any_type),
		ARENA_TEST(pieces_never_overlap),
		ARENA_TEST(size_zero_gives_pointers_that_differ),
		ARENA_TEST(sizes_that_overflow_are_refused),
		ARENA_TEST(running_out_of_memory_harms_nothing_that_is_there),
		ARENA_TEST(bytes_are_packed_without_padding),
		ARENA_TEST(a_large_piece_leaves_the_newest_block_in_use),
		ARENA_TEST(what_is_held_stays_near_what_is_used),
		ARENA_TEST(release_leaves_an_arena_that_can_be_used_again),
		ARENA_TEST(text_is_copied_and_formatted),
		ARENA_TEST(running_over_a_piece_is_seen_by_the_sanitizer),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
