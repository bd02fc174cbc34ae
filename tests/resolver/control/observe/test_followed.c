/* Things that come, go and come back under their names: what they have counted is told once, and
 * never falls. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "resolver/control/observe/followed.h"
#include "rules/text.h"

struct thing {
	const char *name;
	uint64_t count;
	int references;
};

static bool keep(void *context, void *thing)
{
	(void)context;
	((struct thing *)thing)->references++;
	return true;
}

static void release(void *context, void *thing)
{
	(void)context;
	((struct thing *)thing)->references--;
}

static void read_thing(const void *thing, uint64_t *counters)
{
	*counters = ((const struct thing *)thing)->count;
}

static struct followed *begin(void)
{
	static const struct followed_kind kind = {1, 1000, keep, release, read_thing};
	struct followed *followed = followed_new(&kind, NULL);

	assert_non_null(followed);
	return followed;
}

/* A look that finds these; NULL ends them. */
static void look(struct followed *followed, struct thing *const things[])
{
	followed_begin(followed);
	for (; *things; things++)
		if (!followed_see_again(followed, *things))
			followed_see(followed, *things, "", (*things)->name);
	followed_end(followed);
}
#define LOOK(followed, ...) look(followed, (struct thing *const[]){__VA_ARGS__})

static void on_series(void *context, const char *outer, const char *name, const uint64_t *counters)
{
	char *text = context;

	(void)outer;
	text_append(text, 256, "%s%s=%llu", *text ? " " : "", name ? name : "*",
		    (unsigned long long)counters[0]);
}

static const char *told(struct followed *followed, uint32_t max)
{
	static char text[256];

	text[0] = '\0';
	series_show(followed_series(followed), max);
	series_each(followed_series(followed), on_series, text);
	return text;
}

static void one_that_is_shown_is_kept_and_goes_on(void **state)
{
	struct followed *followed = begin();
	struct thing a = {"a", 5, 0}, b = {"b", 0, 0};

	(void)state;
	LOOK(followed, &a, &b, NULL);
	assert_string_equal(told(followed, 10), "a=5 b=0");
	LOOK(followed, &b, NULL);
	assert_int_equal(a.references, 1);
	assert_false(followed_shows(followed, &a));
	assert_null(followed_thing(followed, series_find(followed_series(followed), "", "a")));
	assert_ptr_equal(followed_thing(followed, series_find(followed_series(followed), "", "b")),
			 &b);
	assert_string_equal(told(followed, 10), "a=5 b=0");
	a.count = 7; /* workers had it for a moment longer */
	LOOK(followed, &a, &b, NULL);
	assert_true(followed_shows(followed, &a));
	assert_string_equal(told(followed, 10), "a=7 b=0");
	assert_int_equal(a.references, 1);
	followed_free(followed);
	assert_int_equal(a.references + b.references, 0);
}

static void one_that_nobody_was_shown_is_let_go_and_counts_as_other(void **state)
{
	struct followed *followed = begin();
	struct thing a = {"a", 5, 0}, b = {"b", 3, 0}, c = {"c", 1, 0};

	(void)state;
	LOOK(followed, &a, &b, &c, NULL);
	assert_string_equal(told(followed, 1), "a=5 *=4");
	LOOK(followed, &a, NULL);
	assert_int_equal(b.references, 0);
	assert_int_equal(c.references, 0);
	assert_string_equal(told(followed, 1), "a=5 *=4");
	LOOK(followed, NULL);
	assert_int_equal(a.references, 1);
	assert_string_equal(told(followed, 1), "a=5 *=4");
	followed_free(followed);
	assert_int_equal(a.references + b.references + c.references, 0);
}

static void two_of_one_name_are_one_series(void **state)
{
	struct followed *followed = begin();
	struct thing a = {"same", 5, 0}, b = {"same", 3, 0};

	(void)state;
	LOOK(followed, &a, &b, NULL);
	assert_string_equal(told(followed, 10), "same=8");
	assert_int_equal(followed_shows(followed, &a) + followed_shows(followed, &b), 1);
	LOOK(followed, &b, NULL);
	assert_string_equal(told(followed, 10), "same=8");
	assert_true(followed_shows(followed, &b));
	LOOK(followed, NULL);
	assert_string_equal(told(followed, 10), "same=8");
	LOOK(followed, &a, &b, NULL);
	assert_string_equal(told(followed, 10), "same=8");
	followed_free(followed);
	assert_int_equal(a.references + b.references, 0);
}

static void another_one_in_its_place_goes_on_where_it_was(void **state)
{
	struct followed *followed = begin();
	struct thing a = {"same", 5, 0}, b = {"same", 0, 0}, c = {"same", 0, 0};

	(void)state;
	LOOK(followed, &a, NULL);
	assert_string_equal(told(followed, 10), "same=5");
	LOOK(followed, NULL);
	LOOK(followed, &b, NULL);
	assert_int_equal(a.references, 0); /* as many as come, none is kept beside the latest */
	b.count = 2;
	assert_string_equal(told(followed, 10), "same=7");
	LOOK(followed, &c, NULL);
	c.count = 1;
	assert_string_equal(told(followed, 10), "same=8");
	LOOK(followed, NULL);
	LOOK(followed, &c, NULL);
	assert_int_equal(b.references, 1); /* was there when c came */
	assert_string_equal(told(followed, 10), "same=8");
	followed_free(followed);
	assert_int_equal(a.references + b.references + c.references, 0);
}

static void a_number_is_used_again_without_what_it_counted(void **state)
{
	struct followed *followed = begin();
	struct thing a = {"a", 5, 0}, b = {"b", 9, 0}, c = {"c", 2, 0};

	(void)state;
	LOOK(followed, &a, &b, NULL);
	assert_string_equal(told(followed, 1), "b=9 *=5");
	LOOK(followed, &b, NULL);
	LOOK(followed, &b, &c, NULL);
	assert_string_equal(told(followed, 2), "b=9 c=2 *=5");
	followed_free(followed);
	assert_int_equal(a.references + b.references + c.references, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(one_that_is_shown_is_kept_and_goes_on),
		cmocka_unit_test(one_that_nobody_was_shown_is_let_go_and_counts_as_other),
		cmocka_unit_test(two_of_one_name_are_one_series),
		cmocka_unit_test(another_one_in_its_place_goes_on_where_it_was),
		cmocka_unit_test(a_number_is_used_again_without_what_it_counted),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
