/* The pool: its maximum is exact, nothing is handed out twice, and a query taken again carries
 * nothing of its last owner that could be taken for its own. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "endpoints/query.h"

static void pool_gives_its_maximum_and_then_nothing(void **state)
{
	(void)state;
	static const unsigned sizes[] = {0, 1, 63, 64, 65, 200};
	for (unsigned s = 0; s < 6; s++) {
		struct query_pool pool;
		struct query *taken[200];
		query_pool_init(&pool, sizes[s]);
		for (unsigned i = 0; i < sizes[s]; i++) {
			taken[i] = query_take(&pool);
			assert_non_null(taken[i]);
			for (unsigned k = 0; k < i; k++)
				assert_ptr_not_equal(taken[k], taken[i]);
		}
		assert_null(query_take(&pool));
		assert_int_equal(pool.in_use, sizes[s]);
		assert_int_equal(pool.allocated, sizes[s]);
		for (unsigned i = 0; i < sizes[s]; i++)
			query_give(&pool, taken[i]);
		assert_int_equal(pool.in_use, 0);
		query_pool_release(&pool);
	}
}

static void query_given_back_is_used_again_and_comes_clean(void **state)
{
	(void)state;
	struct query_pool pool;
	query_pool_init(&pool, 1);
	struct query *query = query_take(&pool);
	query->origin = &pool;
	query->binding = &pool;
	query->finish = (void (*)(struct query *, const uint8_t *, size_t))(uintptr_t)1;
	query_give(&pool, query);
	struct query *again = query_take(&pool);
	assert_ptr_equal(again, query);
	assert_null(again->origin);
	assert_null(again->binding);
	assert_true(again->finish == NULL);
	assert_null(again->next);
	query_give(&pool, again);
	query_pool_release(&pool);
}

static struct query *met[100];
static unsigned met_count;

static void meet(struct query *query)
{
	for (unsigned i = 0; i < met_count; i++)
		assert_ptr_not_equal(met[i], query);
	met[met_count++] = query;
}

static void finish(struct query *query, const uint8_t *reply, size_t length)
{
	(void)query;
	(void)reply;
	(void)length;
}

/* In slabs that are full, half full, and cut short by the maximum. */
static void queries_of_an_origin_are_met_once_and_no_others(void **state)
{
	(void)state;
	struct query_pool pool;
	struct query *taken[90];
	query_pool_init(&pool, 100);
	met_count = 0;
	query_each(&pool, &pool, meet);
	for (unsigned i = 0; i < 90; i++) {
		taken[i] = query_take(&pool);
		taken[i]->finish = finish;
		taken[i]->origin = i % 3 == 0 ? (void *)&pool : (void *)taken;
	}
	for (unsigned i = 0; i < 90; i += 2)
		query_give(&pool, taken[i]);
	query_each(&pool, &pool, meet);
	assert_int_equal(met_count, 15);
	for (unsigned i = 0; i < met_count; i++)
		assert_ptr_equal(met[i]->origin, &pool);
	met_count = 0;
	query_each(&pool, NULL, meet);
	assert_int_equal(met_count, 45);
	for (unsigned i = 1; i < 90; i += 2)
		query_give(&pool, taken[i]);
	query_each(&pool, NULL, meet);
	assert_int_equal(met_count, 45);
	query_pool_release(&pool);
}

static void scratch_is_aligned_for_anything(void **state)
{
	(void)state;
	struct query_pool pool;
	query_pool_init(&pool, 100);
	struct query *taken[100];
	for (unsigned i = 0; i < 100; i++) {
		taken[i] = query_take(&pool);
		assert_int_equal((uintptr_t)taken[i]->scratch % 16, 0);
		memset(taken[i]->scratch, 0xff, QUERY_SCRATCH);
	}
	for (unsigned i = 0; i < 100; i++)
		query_give(&pool, taken[i]);
	query_pool_release(&pool);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(pool_gives_its_maximum_and_then_nothing),
		cmocka_unit_test(query_given_back_is_used_again_and_comes_clean),
		cmocka_unit_test(queries_of_an_origin_are_met_once_and_no_others),
		cmocka_unit_test(scratch_is_aligned_for_anything),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
