/* An array that grows keeps what it has, and without memory it is as it was. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include "rules/array.h"
#include "tests/lib/no_memory.h"

static void it_grows_when_it_is_full_and_keeps_its_items(void **state)
{
	unsigned *items = NULL;
	size_t room = 0, moves = 0;

	(void)state;
	for (unsigned i = 0; i < 1000; i++) {
		size_t before = room;
		unsigned *grown = array_grow(items, i, &room, sizeof *items);

		assert_non_null(grown);
		assert_true(room > i);
		if (room == before)
			assert_ptr_equal(grown, items);
		moves += room != before;
		items = grown;
		items[i] = i;
	}
	for (unsigned i = 0; i < 1000; i++)
		assert_int_equal(items[i], i);
	assert_in_range(moves, 2, 10);
	free(items);
}

static void without_memory_it_is_as_it_was(void **state)
{
	size_t room = 0, before;
	char *items = array_grow(NULL, 0, &room, 1);

	(void)state;
	assert_non_null(items);
	items[0] = 'a';
	before = room;
	assert_null(array_grow(items, room, &room, SIZE_MAX / 16)); /* more than there are bytes */
	assert_int_equal(room, before);
	assert_int_equal(items[0], 'a');
	free(items);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(it_grows_when_it_is_full_and_keeps_its_items),
		cmocka_unit_test(without_memory_it_is_as_it_was),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
