#include "resolver/control/observe/judgement.h"

#include <string.h>

#include "rules/text.h"

const char *const target_state_words[TARGET_STATES] = {
#define X(name, word) [TARGET_STATE_##name] = word,
	TARGET_STATE_MAP(X)
#undef X
};

_Static_assert(TARGET_STATE_ERRORS + 1 == TARGET_STATES, "the one without a word is the last");

struct judgement judge_target(struct target *target, uint64_t now_us)
{
	enum target_error error;

	if (target_is_suspect(target))
		return (struct judgement){TARGET_STATE_SUSPECT, target_suspicion(target)};
	error = target_answers(target, now_us);
	if (error != TARGET_ERROR_NONE)
		return (struct judgement){TARGET_STATE_ERRORS, error};
	return (struct judgement){target_heard_us(target) ? TARGET_STATE_UP : TARGET_STATE_UNKNOWN,
				  TARGET_ERROR_NONE};
}

bool target_state_is_good(enum target_state state)
{
	return state == TARGET_STATE_UP || state == TARGET_STATE_UNKNOWN;
}

bool judgement_is_good(struct judgement judgement)
{
	return target_state_is_good(judgement.state);
}

const char *judgement_word(struct judgement judgement)
{
	return judgement.state == TARGET_STATE_ERRORS ? target_error_text(judgement.error)
						      : target_state_words[judgement.state];
}

enum target_state judgement_state(const char *word)
{
	enum target_state state = 0;

	while (state < TARGET_STATE_ERRORS && strcmp(word, target_state_words[state]) != 0)
		state++;
	return state;
}

const char *judgement_says(struct judgement judgement)
{
	switch (judgement.state) {
	case TARGET_STATE_UP: return NULL;
	case TARGET_STATE_UNKNOWN: return "has not answered yet";
	default: return target_error_sentence(judgement.error);
	}
}

void harm_say(const struct harm *harm, char *text, size_t size)
{
	if (harm->unanswered > 0)
		text_append(text, size, "cannot be answered: ");
	for (unsigned i = 0; i < harm->named; i++)
		text_append(text, size, "%s%s", i > 0 ? ", " : "", harm->names[i]);
	if (harm->unanswered > harm->named)
		text_append(text, size, " and %u more", harm->unanswered - harm->named);
	if (harm->others > 0)
		text_append(text, size, "%s%u %s%s %s on", harm->unanswered > 0 ? "; " : "",
			    harm->others, harm->unanswered > 0 ? "other" : "rule",
			    text_plural(harm->others, "", "s"),
			    text_plural(harm->others, "goes", "go"));
	if (harm->unanswered + harm->others == 0)
		text_append(text, size, "no rule asks it");
}
