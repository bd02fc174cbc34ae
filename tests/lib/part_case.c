#include "tests/lib/part_case.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

int part_case_set_up(void **state)
{
	struct part_case *world = calloc(1, sizeof *world);

	world->state = state_case_new();
	state_case_open(world->state);
	faults_init(&world->faults);
	*state = world;
	return 0;
}

int part_case_tear_down(void **state)
{
	struct part_case *world = *state;

	parts_release(&world->parts);
	model_free(world->model);
	model_free(world->declared);
	faults_release(&world->faults);
	state_case_free(world->state);
	free(world);
	return 0;
}

void part_case_compose(struct part_case *world)
{
	model_free(world->model);
	world->model = model_compose(world->declared, world->parts.items, world->parts.count);
	assert_non_null(world->model);
}

void part_case_load(struct part_case *world, const char *config, const struct state_put *rows,
		    size_t count)
{
	char error[SOURCE_ERROR_MAX];

	assert_int_equal(state_try(world->state, rows, count, NULL), 0);
	world->declared = config_text_load(&world->state->config, config);
	assert_non_null(world->declared);
	assert_int_equal(parts_load(&world->parts, world->state->source, world->declared, NULL,
				    &world->faults, error),
			 0);
	part_case_compose(world);
}

size_t part_case_says(const struct part_case *world, const char *text)
{
	size_t count = 0;

	for (size_t i = 0; i < world->faults.count; i++)
		count += strstr(world->faults.items[i].text, text) != NULL;
	return count;
}
