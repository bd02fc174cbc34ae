/* The index of names keeps the value of each name while it grows. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

#include "rules/check/internal.h"

enum { KEYS = 1000, TEXT_MAX = 16 };

static int values[KEYS];

static const char *key_of(unsigned number, bool upper, char text[TEXT_MAX])
{
	snprintf(text, TEXT_MAX, upper ? "NAME-%u" : "name-%u", number);
	return text;
}

/* Every key that was put has its own value, in either case; the next one has none. */
static void check_keys(const struct seen *seen, unsigned count)
{
	char text[TEXT_MAX];

	assert_int_equal(seen->count, count);
	for (unsigned i = 0; i < count; i++) {
		assert_ptr_equal(seen_get(seen, key_of(i, false, text)), &values[i]);
		assert_ptr_equal(seen_get(seen, key_of(i, true, text)), &values[i]);
	}
	assert_null(seen_get(seen, key_of(count, false, text)));
}

static void fill(size_t reserved)
{
	struct check check = {.out_of_memory = false};
	struct seen seen = {.count = 0};
	char text[TEXT_MAX];

	arena_init(&check.arena);
	if (reserved > 0)
		seen_reserve(&check, &seen, reserved);
	for (unsigned i = 0; i < KEYS; i++) {
		assert_null(seen_put(&check, &seen, key_of(i, i % 2, text), &values[i]));
		if ((i & (i + 1)) == 0 || (i & (i - 1)) == 0) /* on both sides of each growth */
			check_keys(&seen, i + 1);
	}
	for (unsigned i = 0; i < KEYS; i++)
		assert_ptr_equal(seen_put(&check, &seen, key_of(i, false, text), &values[0]),
				 &values[i]);
	check_keys(&seen, KEYS);
	assert_false(check.out_of_memory);
	arena_release(&check.arena);
}

static void a_name_keeps_its_first_value_while_the_index_grows(void **state)
{
	(void)state;
	fill(0);
}

static void an_index_with_too_little_room_grows(void **state)
{
	(void)state;
	fill(KEYS / 3);
}

static void an_index_with_enough_room_holds_the_same(void **state)
{
	(void)state;
	fill(KEYS);
}

static void an_empty_index_has_nothing(void **state)
{
	const struct seen seen = {.count = 0};

	(void)state;
	assert_null(seen_get(&seen, "name"));
	assert_null(seen_get(&seen, NULL));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_name_keeps_its_first_value_while_the_index_grows),
		cmocka_unit_test(an_index_with_too_little_room_grows),
		cmocka_unit_test(an_index_with_enough_room_holds_the_same),
		cmocka_unit_test(an_empty_index_has_nothing),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
