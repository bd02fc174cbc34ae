/* The names that are asked for most: counted in bounded room, by half days. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "endpoints/message.h"
#include "resolver/popular.h"

static const struct hash_key key = {3, 4};
static const uint64_t hour_us = UINT64_C(3600) * 1000 * 1000;

static int set_up(void **state)
{
	*state = popular_new();
	return *state ? 0 : -1;
}

static int tear_down(void **state)
{
	popular_free(*state);
	return 0;
}

static void count(struct popular *popular, const char *text, uint16_t type, unsigned weight,
		  uint64_t now_us)
{
	struct name name;

	assert_int_equal(0, name_from_text(&name, &key, text));
	popular_count(popular, &(struct popular_key){&name, type, 1, false}, weight, now_us);
}

struct wanted {
	const char *name;
	uint16_t type, network;
	bool vnet_resolver;
	uint64_t count, over;
	unsigned seen, all;
};

static void on_question(void *context, const struct popular_question *question)
{
	struct wanted *wanted = context;
	char text[NAME_TEXT_MAX];

	wanted->all++;
	if (strcmp(name_to_text(question->key.name, text), wanted->name) != 0 ||
	    question->key.type != wanted->type || question->key.network != wanted->network ||
	    question->key.vnet_resolver != wanted->vnet_resolver)
		return;
	wanted->seen++;
	wanted->count += question->count;
	wanted->over += question->over;
}

static struct wanted look(struct popular *popular, const char *name, uint16_t type, uint64_t now_us)
{
	struct wanted wanted = {.name = name, .type = type, .network = 1};

	popular_each(popular, &key, now_us, on_question, &wanted);
	return wanted;
}

static void test_a_question_is_its_name_type_network_and_role(void **state)
{
	struct popular *popular = *state;
	struct name name;
	struct wanted wanted = {.name = "a.test.", .type = TYPE_A, .network = 2};

	count(popular, "a.test", TYPE_A, 1, 1);
	count(popular, "A.test", TYPE_A, 16, 1);
	count(popular, "a.test", TYPE_AAAA, 1, 1);
	count(popular, "b.test", TYPE_A, 1, 1);
	assert_int_equal(0, name_from_text(&name, &key, "a.test"));
	popular_count(popular, &(struct popular_key){&name, TYPE_A, 2, false}, 5, 1);
	popular_count(popular, &(struct popular_key){&name, TYPE_A, 1, true}, 7, 1);
	assert_int_equal(17, look(popular, "a.test.", TYPE_A, 2).count);
	assert_int_equal(0, look(popular, "a.test.", TYPE_A, 2).over);
	assert_int_equal(1, look(popular, "a.test.", TYPE_AAAA, 2).count);
	assert_int_equal(5, look(popular, "a.test.", TYPE_A, 2).all);
	popular_each(popular, &key, 2, on_question, &wanted);
	assert_int_equal(5, wanted.count);
	wanted = (struct wanted){
		.name = "a.test.", .type = TYPE_A, .network = 1, .vnet_resolver = true};
	popular_each(popular, &key, 2, on_question, &wanted);
	assert_int_equal(7, wanted.count);
}

static void test_what_is_popular_stays_among_a_flood_of_names(void **state)
{
	struct popular *popular = *state;
	struct wanted found;
	char text[64];

	for (unsigned i = 0; i < 200 * 1000; i++) {
		snprintf(text, sizeof text, "x%u.flood.test", i);
		count(popular, text, TYPE_A, 1, 1);
		if (i % 100 == 0)
			count(popular, "popular.test", TYPE_A, 1, 1);
	}
	found = look(popular, "popular.test.", TYPE_A, 2);
	assert_int_equal(1, found.seen);
	/* Never too few, and by `over` never too many. */
	assert_true(found.count >= 2000);
	assert_true(found.count - found.over <= 2000);
	assert_true(found.all <= POPULAR_BYTES / 280);
}

static void test_two_half_days_are_kept(void **state)
{
	struct popular *popular = *state;

	count(popular, "a.test", TYPE_A, 1, hour_us);
	count(popular, "a.test", TYPE_A, 1, 12 * hour_us);
	count(popular, "a.test", TYPE_A, 1, 14 * hour_us); /* the second half */
	/* Times may be a little out of order. */
	count(popular, "a.test", TYPE_A, 1, 14 * hour_us - 1);
	assert_int_equal(2, look(popular, "a.test.", TYPE_A, 15 * hour_us).seen);
	assert_int_equal(4, look(popular, "a.test.", TYPE_A, 15 * hour_us).count);
	/* A quiet day later the first is too old, and then both are. */
	assert_int_equal(2, look(popular, "a.test.", TYPE_A, 30 * hour_us).count);
	assert_int_equal(0, look(popular, "a.test.", TYPE_A, 40 * hour_us).seen);
	count(popular, "b.test", TYPE_A, 1, 41 * hour_us); /* in the place of the first */
	assert_int_equal(0, look(popular, "a.test.", TYPE_A, 41 * hour_us).seen);
	assert_int_equal(1, look(popular, "b.test.", TYPE_A, 41 * hour_us).count);
}

static void test_the_longest_name_and_the_largest_count(void **state)
{
	struct popular *popular = *state;
	char text[2 * NAME_LABELS_MAX + 1] = "";

	for (unsigned i = 0; i < NAME_LABELS_MAX; i++)
		memcpy(text + 2 * i, "a.", 3);
	count(popular, text, 0xffff, UINT32_MAX - 1, 1);
	count(popular, text, 0xffff, 16, 1);
	assert_int_equal(UINT32_MAX, look(popular, text, 0xffff, 2).count);
	count(popular, ".", TYPE_A, 1, 1);
	assert_int_equal(1, look(popular, ".", TYPE_A, 2).count);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
		TEST(test_a_question_is_its_name_type_network_and_role),
		TEST(test_what_is_popular_stays_among_a_flood_of_names),
		TEST(test_two_half_days_are_kept),
		TEST(test_the_longest_name_and_the_largest_count),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
