/* What the files that play a scenario share: scenario.c reads and walks, scenario_client.c is who
 * asks, scenario_upstream.c who is asked. */
#ifndef SLUICE_TESTS_SCENARIO_INTERNAL_H
#define SLUICE_TESTS_SCENARIO_INTERNAL_H

#include "tests/lib/config_text.h"
#include "tests/lib/scenario.h"

enum { SCENARIO_WORDS = 32, SCENARIO_LINE = 1024, SCENARIO_TROUBLE = 8192 };

struct scenario {
	const char *path;
	char *text, *at; /* the file, and what has not been read of it */
	unsigned line;   /* of the step at hand */
	unsigned next_line;
	char words_text[SCENARIO_LINE];
	char *words[SCENARIO_WORDS];
	unsigned word_count, used; /* used: words the step has looked at */
	struct stage *stage;
	struct config_text config;
	char *base; /* what every configuration of this story begins with */
	char trouble[SCENARIO_TROUBLE];
};

/* False, with the trouble told; the first one stays. */
bool scenario_fail(struct scenario *s, const char *format, ...)
	__attribute__((format(printf, 2, 3)));

/* The next word of the step's line, or NULL; whether the next words are these, which then are
 * taken; whether all words were taken (else it fails). */
const char *scenario_word(struct scenario *s);
bool scenario_take(struct scenario *s, const char *words);
bool scenario_end_of_words(struct scenario *s);

/* The lines "SECTION RECORD" below the step, normalised, in order; to be freed. NULL: one of them
 * is none, and the trouble is told. */
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

/* What happened and was not told. */
bool clients_are_told(struct scenario *s);
bool upstreams_are_told(struct scenario *s);

#endif
