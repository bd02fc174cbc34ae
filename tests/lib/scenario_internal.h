/* Shared by the files that play a scenario: scenario.c reads and walks, scenario_client.c plays
 * clients, scenario_upstream.c plays upstreams. */
#ifndef SLUICE_TESTS_SCENARIO_INTERNAL_H
#define SLUICE_TESTS_SCENARIO_INTERNAL_H

#include "tests/lib/config_text.h"
#include "tests/lib/scenario.h"

enum { SCENARIO_WORDS = 32, SCENARIO_LINE = 1024, SCENARIO_TROUBLE = 8192 };

struct scenario {
	const char *path;
	char *text, *at; /* the file, and its unread rest */
	unsigned line;   /* of the current step */
	unsigned next_line;
	char words_text[SCENARIO_LINE];
	char *words[SCENARIO_WORDS];
	unsigned word_count, used; /* used: words that the step has taken */
	struct stage *stage;
	struct config_text config;
	char *base; /* the beginning of every configuration of this story */
	char trouble[SCENARIO_TROUBLE];
};

/* Returns false and notes the trouble; the first trouble stays. */
bool scenario_fail(struct scenario *s, const char *format, ...)
	__attribute__((format(printf, 2, 3)));

/* scenario_word takes the step's next word, or NULL. scenario_take takes the next words if they are
 * these. scenario_end_of_words fails if words are left. */
const char *scenario_word(struct scenario *s);
bool scenario_take(struct scenario *s, const char *words);
bool scenario_end_of_words(struct scenario *s);

/* The lines "SECTION RECORD" below the step, normalised, in order; free them. NULL: one is wrong,
 * and the trouble is noted. */
char *scenario_records(struct scenario *s);

/* ---- steps: the actor is the line's first word, the verb is taken ---- */

bool client_asks(struct scenario *s, const char *actor);
bool client_gets(struct scenario *s, const char *actor);
bool upstream_is(struct scenario *s, const char *actor);      /* asked */
bool upstream_says(struct scenario *s, const char *actor);    /* or something like it */
bool upstream_sends(struct scenario *s, const char *actor);   /* bytes */
bool upstream_refuses(struct scenario *s, const char *actor); /* a network error comes back */
bool upstream_closes(struct scenario *s, const char *actor);  /* its connections end */
bool upstream_can(struct scenario *s, const char *actor);     /* (not) be reached, or used */

/* Check that no event is left that the story does not mention. */
bool clients_are_told(struct scenario *s);
bool upstreams_are_told(struct scenario *s);

#endif
