/* For tests of models composed of a file and the rows of a state. */
#ifndef SLUICE_TESTS_PART_CASE_H
#define SLUICE_TESTS_PART_CASE_H

#include "resolver/control/resource/part.h"
#include "tests/lib/state_case.h"

struct part_case {
	struct state_case *state;
	struct model *declared, *model; /* model: the composed one, without records of zones */
	struct parts parts;
	struct faults faults;
};

/* For cmocka; *state is the case, with an empty state. */
int part_case_set_up(void **state);
int part_case_tear_down(void **state);

/* Writes the rows, and loads them with a file with the text `config`. */
void part_case_load(struct part_case *world, const char *config, const struct state_put *rows,
		    size_t count);
/* Composes the model again from changed parts. */
void part_case_compose(struct part_case *world);
/* How many of the faults have the text. */
size_t part_case_says(const struct part_case *world, const char *text);

#endif
