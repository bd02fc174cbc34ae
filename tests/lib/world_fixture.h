/* The world that every test of lookups begins in: `w`, with one, two or three servers, and released
 * behind it. */
#ifndef SLUICE_TESTS_WORLD_FIXTURE_H
#define SLUICE_TESTS_WORLD_FIXTURE_H

#include "tests/lib/world.h"

static struct world w;

static inline int one_server(void **state)
{
	(void)state;
	world_init(&w, 1);
	return 0;
}

static inline int two_servers(void **state)
{
	(void)state;
	world_init(&w, 2);
	return 0;
}

static inline int three_servers(void **state)
{
	(void)state;
	world_init(&w, 3);
	return 0;
}

static inline int release(void **state)
{
	(void)state;
	world_release(&w);
	return 0;
}

#define ONE(name)   cmocka_unit_test_setup_teardown(name, one_server, release)
#define TWO(name)   cmocka_unit_test_setup_teardown(name, two_servers, release)
#define THREE(name) cmocka_unit_test_setup_teardown(name, three_servers, release)

#define assert_answered_by(asked, i)                                                               \
	do {                                                                                       \
		assert_true((asked)->done);                                                        \
		assert_int_equal((asked)->value.outcome, ASK_ANSWERED);                            \
		assert_ptr_equal((asked)->value.upstream, &w.upstreams[i]);                        \
	} while (0)

#endif
