#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "rules/suffix.h"
#include "tests/lib/arena_case.h"
#include "tests/lib/random.h"

static const struct hash_key key = {0x1234, 0x5678};

static struct name parse(const char *text)
{
	struct name name;

	assert_int_equal(name_from_text(&name, &key, text), 0);
	return name;
}

/* The value is the text itself. */
static int add(struct suffix_table *table, struct arena *arena, const char *text)
{
	struct name name = parse(text);

	return suffix_table_add(table, arena, &name, (void *)(uintptr_t)text);
}

static const char *find(const struct suffix_table *table, const char *text, unsigned first)
{
	struct name name = parse(text);
	unsigned label = 999;
	const char *value = suffix_table_find(table, &name, first, &label);

	if (value) { /* the label is where that suffix starts */
		struct name expected = parse(value);

		assert_true(label >= first && label <= name.labels);
		assert_int_equal(name_suffix_length(&name, label), expected.length);
		assert_memory_equal(name_suffix_wire(&name, label), expected.wire, expected.length);
	}
	return !value ? "nothing" : value;
}

static void the_longest_suffix_wins_on_label_boundaries(void **state)
{
	struct suffix_table table;

	assert_int_equal(suffix_table_init(&table, *state, 4), 0);
	assert_int_equal(add(&table, *state, "test."), 0);
	assert_int_equal(add(&table, *state, "corp.test."), 0);
	assert_int_equal(add(&table, *state, "a.b.corp.test."), 0);
	assert_string_equal(find(&table, "corp.test", 0), "corp.test.");
	assert_string_equal(find(&table, "www.CORP.test", 0), "corp.test.");
	assert_string_equal(find(&table, "b.corp.test", 0), "corp.test.");
	assert_string_equal(find(&table, "x.a.b.corp.test", 0), "a.b.corp.test.");
	assert_string_equal(find(&table, "xcorp.test", 0), "test.");
	assert_string_equal(find(&table, "corp.example", 0), "nothing");
	assert_string_equal(find(&table, ".", 0), "nothing");
}

static void the_root_catches_all_and_itself(void **state)
{
	struct suffix_table table;

	assert_int_equal(suffix_table_init(&table, *state, 2), 0);
	assert_int_equal(add(&table, *state, "."), 0);
	assert_int_equal(add(&table, *state, "test."), 0);
	assert_string_equal(find(&table, "corp.example", 0), ".");
	assert_string_equal(find(&table, ".", 0), ".");
	assert_string_equal(find(&table, "a.test", 0), "test.");
}

static void shorter_suffixes_are_found_by_asking_on(void **state)
{
	struct suffix_table table;

	assert_int_equal(suffix_table_init(&table, *state, 3), 0);
	assert_int_equal(add(&table, *state, "."), 0);
	assert_int_equal(add(&table, *state, "corp.test."), 0);
	assert_int_equal(add(&table, *state, "www.corp.test."), 0);
	assert_string_equal(find(&table, "www.corp.test", 0), "www.corp.test.");
	assert_string_equal(find(&table, "www.corp.test", 1), "corp.test.");
	assert_string_equal(find(&table, "www.corp.test", 2), ".");
	assert_string_equal(find(&table, "www.corp.test", 3), ".");
}

static void get_wants_exactly_that_suffix(void **state)
{
	struct name www = parse("www.corp.test");
	struct suffix_table table;

	assert_int_equal(suffix_table_init(&table, *state, 2), 0);
	assert_int_equal(add(&table, *state, "corp.test."), 0);
	assert_int_equal(add(&table, *state, "mail.corp.test."), 0);
	assert_null(suffix_table_get(&table, &www, 0));
	assert_string_equal(suffix_table_get(&table, &www, 1), "corp.test.");
	assert_null(suffix_table_get(&table, &www, 2));
	assert_null(suffix_table_get(&table, &www, 3));
}

static void a_table_of_zeros_and_one_without_room_are_empty(void **state)
{
	struct suffix_table zero = {0}, none;
	struct name name = parse("corp.test");
	unsigned label;

	assert_null(suffix_table_find(&zero, &name, 0, &label));
	assert_null(suffix_table_get(&zero, &name, 0));
	assert_int_equal(add(&zero, *state, "test."), ERR_NO_SPACE);
	assert_int_equal(suffix_table_init(&none, *state, 0), 0);
	assert_null(suffix_table_find(&none, &name, 0, &label));
	assert_null(suffix_table_get(&none, &name, 0));
}

static void the_first_value_of_a_suffix_stays(void **state)
{
	struct name again = parse("CORP.test");
	struct suffix_table table;

	assert_int_equal(suffix_table_init(&table, *state, 2), 0);
	assert_int_equal(add(&table, *state, "corp.test."), 0);
	assert_int_equal(suffix_table_add(&table, *state, &again, &table), ERR_EXISTS);
	assert_int_equal(table.count, 1);
	assert_string_equal(find(&table, "corp.test", 0), "corp.test.");
}

static void a_full_table_says_so_and_still_finds(void **state)
{
	struct suffix_table table;

	assert_int_equal(suffix_table_init(&table, *state, 4), 0);
	assert_int_equal(add(&table, *state, "a."), 0);
	assert_int_equal(add(&table, *state, "b."), 0);
	assert_int_equal(add(&table, *state, "c."), 0);
	assert_int_equal(add(&table, *state, "d."), 0);
	assert_int_equal(add(&table, *state, "e."), ERR_NO_SPACE);
	assert_int_equal(add(&table, *state, "d."), ERR_EXISTS);
	assert_int_equal(table.count, 4);
	assert_string_equal(find(&table, "d", 0), "d.");
	assert_string_equal(find(&table, "e", 0), "nothing");
}

static void more_than_memory_can_hold_is_refused(void **state)
{
	struct suffix_table table;

	assert_int_equal(suffix_table_init(&table, *state, SIZE_MAX), ERR_NOMEM);
	assert_int_equal(suffix_table_init(&table, *state, SIZE_MAX / 4), ERR_NOMEM);
}

static void the_name_is_copied(void **state)
{
	struct suffix_table table;
	struct name name = parse("corp.test");

	assert_int_equal(suffix_table_init(&table, *state, 1), 0);
	assert_int_equal(suffix_table_add(&table, *state, &name, &table), 0);
	memset(&name, 0xff, sizeof name);
	name = parse("corp.test");
	assert_ptr_equal(suffix_table_get(&table, &name, 0), &table);
}

/* Names whose hashes are made equal by hand: the bytes must decide. */
static void equal_hashes_do_not_make_names_equal(void **state)
{
	struct name a = parse("a.test"), b = parse("b.test"), long_a = parse("aaaaaaaa.test");
	struct name c = parse("c.test");
	struct suffix_table table;
	unsigned label;

	b.hash[0] = long_a.hash[0] = c.hash[0] = a.hash[0];
	assert_int_equal(suffix_table_init(&table, *state, 3), 0);
	assert_int_equal(suffix_table_add(&table, *state, &a, &a), 0);
	assert_int_equal(suffix_table_add(&table, *state, &b, &b), 0);
	assert_int_equal(suffix_table_add(&table, *state, &long_a, &long_a), 0);
	assert_ptr_equal(suffix_table_get(&table, &a, 0), &a);
	assert_ptr_equal(suffix_table_find(&table, &b, 0, &label), &b);
	assert_ptr_equal(suffix_table_get(&table, &long_a, 0), &long_a);
	assert_null(suffix_table_get(&table, &c, 0));
	assert_null(suffix_table_find(&table, &c, 0, &label));
}

/* 127 labels are the most; the bitmap of depths has its word boundary at 64. */
static void suffixes_of_every_depth_are_found(void **state)
{
	static char texts[NAME_LABELS_MAX + 1][NAME_TEXT_MAX];
	struct suffix_table odd, all;
	struct name deepest;
	unsigned depth, label;

	assert_int_equal(suffix_table_init(&odd, *state, NAME_LABELS_MAX + 1), 0);
	assert_int_equal(suffix_table_init(&all, *state, NAME_LABELS_MAX + 1), 0);
	memcpy(texts[0], ".", 2);
	for (depth = 0; depth <= NAME_LABELS_MAX; depth++) {
		if (depth > 0)
			snprintf(texts[depth], NAME_TEXT_MAX, "x.%s",
				 depth == 1 ? "" : texts[depth - 1]);
		assert_int_equal(add(&all, *state, texts[depth]), 0);
		if (depth % 2 == 1)
			assert_int_equal(add(&odd, *state, texts[depth]), 0);
	}
	deepest = parse(texts[NAME_LABELS_MAX]);
	for (depth = 0; depth <= NAME_LABELS_MAX; depth++) {
		unsigned first = NAME_LABELS_MAX - depth;
		unsigned expected = depth % 2 == 1 ? depth : depth - 1;
		const char *found = suffix_table_find(&odd, &deepest, first, &label);

		assert_string_equal(suffix_table_get(&all, &deepest, first), texts[depth]);
		if (depth == 0) {
			assert_null(found);
			continue;
		}
		assert_string_equal(found, texts[expected]);
		assert_int_equal(label, NAME_LABELS_MAX - expected);
	}
}

/* Short labels of few kinds, so that names are often below each other. */
static void random_name(uint64_t *seed, struct name *name)
{
	char text[64];
	unsigned labels = random_below(seed, 30) == 0 ? 0 : 1 + random_below(seed, 6), used = 0;

	if (labels == 0)
		text[used++] = '.';
	for (; labels > 0; labels--) {
		text[used++] = (char)('a' + random_below(seed, 4));
		if (random_below(seed, 3) == 0)
			text[used++] = 'x';
		text[used++] = '.';
	}
	text[used] = '\0';
	assert_int_equal(name_from_text(name, &key, text), 0);
}

static const struct name *longest(const struct name *names, unsigned count, const struct name *name,
				  unsigned first)
{
	const struct name *best = NULL;
	unsigned i;

	for (i = 0; i < count; i++)
		if (names[i].labels + first <= name->labels && name_is_under(name, &names[i]) &&
		    (!best || names[i].labels > best->labels))
			best = &names[i];
	return best;
}

static void the_table_agrees_with_a_search_through_all(void **state)
{
	enum { NAMES = 150 };
	static struct name names[NAMES];
	uint64_t seed = 31;
	unsigned round, i, hits = 0, misses = 0;

	for (round = 0; round < 60; round++) {
		unsigned count = random_below(&seed, round % 2 ? NAMES + 1 : 20);
		struct suffix_table table;

		assert_int_equal(suffix_table_init(&table, *state, count), 0);
		for (i = 0; i < count; i++) {
			bool known = false;
			unsigned j;

			random_name(&seed, &names[i]);
			for (j = 0; j < i; j++)
				known = known || name_equal(&names[j], &names[i]);
			assert_int_equal(suffix_table_add(&table, *state, &names[i], &names[i]),
					 known ? ERR_EXISTS : 0);
		}
		for (i = 0; i < 500; i++) {
			const struct name *expected;
			struct name name;
			unsigned first, label = 0;

			random_name(&seed, &name);
			first = random_below(&seed, name.labels + 1U);
			expected = longest(names, count, &name, first);
			assert_ptr_equal(suffix_table_find(&table, &name, first, &label), expected);
			if (expected)
				assert_int_equal(label, name.labels - expected->labels);
			*(expected ? &hits : &misses) += 1;
		}
	}
	assert_true(hits > 1000 && misses > 1000);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
#define SUFFIX_TEST(name) cmocka_unit_test_setup_teardown(name, arena_set_up, arena_tear_down)
		SUFFIX_TEST(the_longest_suffix_wins_on_label_boundaries),
		SUFFIX_TEST(the_root_catches_all_and_itself),
		SUFFIX_TEST(shorter_suffixes_are_found_by_asking_on),
		SUFFIX_TEST(get_wants_exactly_that_suffix),
		SUFFIX_TEST(a_table_of_zeros_and_one_without_room_are_empty),
		SUFFIX_TEST(the_first_value_of_a_suffix_stays),
		SUFFIX_TEST(a_full_table_says_so_and_still_finds),
		SUFFIX_TEST(more_than_memory_can_hold_is_refused),
		SUFFIX_TEST(the_name_is_copied),
		SUFFIX_TEST(equal_hashes_do_not_make_names_equal),
		SUFFIX_TEST(suffixes_of_every_depth_are_found),
		SUFFIX_TEST(the_table_agrees_with_a_search_through_all),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
