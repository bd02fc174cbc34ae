/* The words for a target's state, shared by the status (which the command and the pages print), the
 * log, the metrics and the history:
 *
 *     state      word        says, after "192.0.2.1:53 "
 *     up         up          (nothing)
 *     unknown    unknown     has not answered yet
 *     suspect    suspect     does not answer; cannot be reached; closes every connection
 *     errors     REFUSED     answers REFUSED
 *
 * and of the rules that it harms: "cannot be answered: onprem/a, onprem/b and 3 more; 2 others go
 * on". */
#ifndef SLUICE_JUDGEMENT_H
#define SLUICE_JUDGEMENT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "endpoints/upstream/target.h"

#define TARGET_STATE_MAP(X)                                                                        \
	X(UP, "up")                                                                                \
	X(SUSPECT, "suspect")                                                                      \
	X(UNKNOWN, "unknown") /* never asked, or never answered */                                 \
	X(ERRORS, "errors")   /* it answers only errors */
enum target_state {
#define X(name, word) TARGET_STATE_##name,
	TARGET_STATE_MAP(X)
#undef X
		TARGET_STATES
};
extern const char *const target_state_words[TARGET_STATES];

struct judgement {
	enum target_state state;
	enum target_error error; /* of SUSPECT and ERRORS; else NONE */
};

struct judgement judge_target(struct target *target, uint64_t now_us);
/* Whether a target in this state may answer: UP or UNKNOWN. */
bool target_state_is_good(enum target_state state);
bool judgement_is_good(struct judgement judgement);
/* The state's word; of ERRORS the error (target_error_text). */
const char *judgement_word(struct judgement judgement);
/* The state of a judgement_word; any other word is an error's, so ERRORS. */
enum target_state judgement_state(const char *word);
/* The state as a sentence without its subject; NULL: the target is up. */
const char *judgement_says(struct judgement judgement);

/* The consequence for the rules that ask a target: how many cannot be answered, some of them by
 * name, and how many go on without it. */
struct harm {
	const char *const *names;
	unsigned named; /* at most `unanswered` */
	unsigned unanswered, others;
};
/* Appends the harm in words; `size`: as text_append. */
void harm_say(const struct harm *harm, char *text, size_t size);

#endif
