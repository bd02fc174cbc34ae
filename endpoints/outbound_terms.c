/* Servers end connections after an answer, or after some, or when there are too many, and some
 * answer one question after the other:
 *
 *     ends after n answers       pipelines of n, and one connection more for each such end
 *     answers slowly             pipelines of what it answers in the time, several connections
 *     accepts no more than k     k of them; now and then one more is tried
 *
 * What is known grows again by what it gives. */
#include "endpoints/outbound_terms.h"

enum {
	IN_VAIN_MAX = 8,       /* connections: it gives no answers any more */
	IN_VAIN_FIRST_MAX = 2, /* where it never gave one: once more, with one question alone */
};

void outbound_terms_init(struct outbound_terms *terms)
{
	*terms = (struct outbound_terms){.pipeline = OUTBOUND_TERMS_PIPELINE,
					 .parallel = 1,
					 .doubted = OUTBOUND_TERMS_CONNECTIONS,
					 .connections = OUTBOUND_TERMS_CONNECTIONS};
}

static bool is_short(const struct outbound_terms *terms)
{
	return terms->pipeline < OUTBOUND_TERMS_PIPELINE_SLOW;
}

enum outbound_dial outbound_terms_dial(struct outbound_terms *terms, unsigned live, unsigned silent,
				       uint64_t now_us)
{
	if (live - silent >= (is_short(terms) ? terms->parallel : OUTBOUND_TERMS_PIPELINES))
		return OUTBOUND_DIAL_NO;
	if (live < terms->connections)
		return live < terms->doubted ? OUTBOUND_DIAL_MORE : OUTBOUND_DIAL_DOUBTED;
	if (now_us < terms->full_us + OUTBOUND_TERMS_FULL_US)
		return OUTBOUND_DIAL_NO;
	terms->full_us = now_us;
	return OUTBOUND_DIAL_TRIAL;
}

void outbound_terms_on_full(struct outbound_terms *terms, unsigned live, uint64_t now_us)
{
	unsigned before = terms->connections;

	terms->doubted = OUTBOUND_TERMS_CONNECTIONS;
	if (live == 0)
		terms->accepted = 0;
	if (live < terms->accepted)
		live = terms->accepted--;
	terms->connections = live > 0 ? live : OUTBOUND_TERMS_CONNECTIONS;
	if (terms->connections < before)
		terms->full_us = now_us;
}

void outbound_terms_on_answer(struct outbound_terms *terms, uint64_t answered)
{
	if (answered > terms->pipeline && terms->pipeline < OUTBOUND_TERMS_PIPELINE)
		terms->pipeline++;
	terms->in_vain = 0;
	terms->answers = true;
}

void outbound_terms_on_accepted(struct outbound_terms *terms, unsigned proven)
{
	if (terms->accepted < proven)
		terms->accepted = proven;
	if (terms->connections < proven)
		terms->connections = proven;
}

/* Once may be a restart, or a question's doing; after as many again, and more connections have to
 * do what one does not. */
void outbound_terms_on_end(struct outbound_terms *terms, uint64_t answered)
{
	bool again = answered == terms->ended_after;

	terms->ended_after = answered;
	if (!again)
		return;
	if (!is_short(terms))
		terms->parallel = 1;
	else if (terms->parallel < OUTBOUND_TERMS_CONNECTIONS)
		terms->parallel++;
	if (answered < terms->pipeline)
		terms->pipeline = answered > 0 ? (unsigned)answered : 1;
}

/* Where others are live, the server may have been full of them before it could answer. */
void outbound_terms_on_end_in_vain(struct outbound_terms *terms, bool others)
{
	terms->in_vain += terms->answers || !others;
}

void outbound_terms_on_doubt(struct outbound_terms *terms, unsigned live, uint64_t now_us)
{
	if (terms->pipeline == 1 && terms->ended_after == 1)
		outbound_terms_on_full(terms, live, now_us);
	else
		terms->doubted = live;
}

void outbound_terms_on_stay(struct outbound_terms *terms)
{
	terms->doubted = OUTBOUND_TERMS_CONNECTIONS;
}

uint64_t outbound_terms_pause_us(const struct outbound_terms *terms)
{
	return terms->answers && terms->in_vain > 1 ? OUTBOUND_TERMS_PAUSE_US : 0;
}

unsigned outbound_terms_on_slow(struct outbound_terms *terms, uint64_t answered)
{
	unsigned pipeline = OUTBOUND_TERMS_PIPELINE_SLOW;

	if (answered > pipeline)
		pipeline = answered < OUTBOUND_TERMS_PIPELINE ? (unsigned)answered
							      : OUTBOUND_TERMS_PIPELINE;
	if (pipeline < terms->pipeline)
		terms->pipeline = pipeline;
	return pipeline;
}

bool outbound_terms_are_hopeless(const struct outbound_terms *terms)
{
	return terms->in_vain >= (terms->answers ? IN_VAIN_MAX : IN_VAIN_FIRST_MAX);
}
