/* For tests whose whole state is an arena. */
#ifndef SLUICE_TESTS_ARENA_CASE_H
#define SLUICE_TESTS_ARENA_CASE_H

#include "rules/arena.h"

static int arena_set_up(void **state)
{
	static struct arena arena;

	arena_init(&arena);
	*state = &arena;
	return 0;
}

static int arena_tear_down(void **state)
{
	arena_release(*state);
	return 0;
}

#endif
