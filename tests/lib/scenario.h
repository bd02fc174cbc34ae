/* Stories about the wire in readable files (tests/scenarios, whose README has the words), played on
 * a stage (stage.h). A question to an upstream or an answer to a client that no line mentions fails
 * the story. */
#ifndef SLUICE_TESTS_SCENARIO_H
#define SLUICE_TESTS_SCENARIO_H

#include "tests/lib/stage.h"

struct scenario;

/* The file's first line without the '#', which is the story's title. False: it has none. */
bool scenario_title(const char *path, char *title, size_t size);

struct scenario *scenario_new(const char *path);
void scenario_free(struct scenario *scenario); /* NULL is fine */
/* Plays the story to its end. False: scenario_trouble has "file:line: what". */
bool scenario_play(struct scenario *scenario);
const char *scenario_trouble(const struct scenario *scenario);

#endif
