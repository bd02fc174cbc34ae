/* Stories about the wire, told in files that a person reads (tests/scenarios, whose README has the
 * words), and played on a stage (stage.h) where nothing happens that the story does not say: a
 * question to an upstream or an answer to a client that no line mentions fails it. */
#ifndef SLUICE_TESTS_SCENARIO_H
#define SLUICE_TESTS_SCENARIO_H

#include "tests/lib/stage.h"

struct scenario;

/* The file's first line without the '#': what the story shows. False when it has none. */
bool scenario_title(const char *path, char *title, size_t size);

struct scenario *scenario_new(const char *path);
void scenario_free(struct scenario *scenario); /* NULL is fine */
/* Plays it to its end. False with "file:line: what" in scenario_trouble. */
bool scenario_play(struct scenario *scenario);
const char *scenario_trouble(const struct scenario *scenario);

#endif
