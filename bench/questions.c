/* Names are written on the fly from a kind and a number: a list of them in memory would be read
 * through the cache that the load shares with the upstream. Only the draws of Zipf's law are made
 * ahead, because they need pow().
 *
 * Zipf with s = 1 over N names: the rank of a draw is N^u for u drawn evenly from [0, 1), because
 * the share of the first k of N names is then log k / log N. */
#include "bench/questions.h"

#include <assert.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { DRAWS = 1 << 18, PER_MILLE = 1000 };

struct questions {
	struct questions_setup setup;
	uint64_t random;
	uint32_t unique, absent, popular, draw;
	uint16_t upto[ASK_KINDS]; /* of PER_MILLE, added up */
	uint32_t draws[DRAWS];    /* ranks of popular names */
};

/* Shares per mille. The mixed workload resembles a private resolver's: of 100 questions 20 are for
 * hosts of its zone, 5 for names that the zone lacks, 60 for popular names, nearly all of them
 * cached, and 15 for new names, of which a third does not exist: mistyped or probed. */
static const struct mix {
	const char *name;
	uint16_t share[ASK_KINDS];
} mixes[] = {
	{"zone", {[ASK_HOST] = 1000}},
	{"nxdomain", {[ASK_ABSENT] = 1000}},
	{"hit", {[ASK_POPULAR] = 1000}},
	{"miss", {[ASK_UNIQUE] = 1000}},
	{"ptr", {[ASK_PTR] = 1000}},
	{"mixed",
	 {[ASK_HOST] = 200,
	  [ASK_ABSENT] = 50,
	  [ASK_POPULAR] = 600,
	  [ASK_UNIQUE] = 100,
	  [ASK_MISSING] = 50}},
};

const char *questions_mixes(void)
{
	return "zone nxdomain hit miss mixed ptr";
}

static const struct mix *mix_find(const char *name)
{
	for (size_t i = 0; i < sizeof mixes / sizeof *mixes; i++)
		if (!strcmp(mixes[i].name, name))
			return &mixes[i];
	return NULL;
}

struct questions *questions_new(const struct questions_setup *setup)
{
	const struct mix *mix = mix_find(setup->mix);
	struct questions *questions = mix ? calloc(1, sizeof *questions) : NULL;
	if (!questions)
		return NULL;
	unsigned sum = 0;
	questions->setup = *setup;
	questions->random = 0x9e3779b97f4a7c15ULL + setup->first;
	questions->unique = setup->first;
	questions->absent = setup->first;
	for (unsigned kind = 0; kind < ASK_KINDS; kind++) {
		sum += mix->share[kind];
		questions->upto[kind] = (uint16_t)sum;
	}
	for (unsigned i = 0; mix->share[ASK_POPULAR] && i < DRAWS; i++) {
		double even = random_step(&questions->random) / 4294967296.0;
		questions->draws[i] = (uint32_t)pow(setup->popular, even) - 1;
	}
	return questions;
}

void questions_free(struct questions *questions)
{
	free(questions);
}

static void build(struct bench_question *question, enum question_kind kind, uint32_t number,
		  uint32_t rules)
{
	static const char letters[ASK_KINDS] = {[ASK_HOST] = 'h',
						[ASK_ABSENT] = 'x',
						[ASK_POPULAR] = 'p',
						[ASK_UNIQUE] = 'u',
						[ASK_MISSING] = 'x'};
	static const uint8_t zone[] = "\4priv\4test\0\0\1\0", corp[] = "\4corp\4test\0\0\1\0";
	bool forwarded = kind >= ASK_POPULAR;
	uint8_t *at = answer_put_label(question->wire, letters[kind], number);
	if (forwarded) /* a prime step, so that neighbours have distant rules */
		at = answer_put_label(at, 'r', 1 + (uint32_t)((uint64_t)number * 7919 % rules));
	memcpy(at, forwarded ? corp : zone, sizeof zone);
	at += sizeof zone;
	at[-1] = 1; /* class IN: the literal's final NUL */
	question->length = (uint8_t)(at - question->wire);
	question->rcode = letters[kind] == 'x' ? 3 : 0;
	question->reverse = false;
	question->address = ANSWER_BASE | (number & ANSWER_MASK);
}

static void build_reverse(struct bench_question *question, uint32_t number)
{
	static const uint8_t tree[] = "\7in-addr\4arpa\0\0\14\0"; /* root, type, half a class */
	uint8_t *at = question->wire;
	uint32_t address = REVERSE_BASE + number;
	for (unsigned i = 0; i < 4; i++)
		at = answer_put_label(at, 0, address >> 8 * i & 255);
	memcpy(at, tree, sizeof tree);
	at += sizeof tree;
	at[-1] = 1; /* class IN: the literal's final NUL */
	question->length = (uint8_t)(at - question->wire);
	question->rcode = 0;
	question->reverse = true;
	question->address = number;
}

static enum question_kind kind_drawn(struct questions *questions)
{
	if (questions->upto[0] == PER_MILLE)
		return ASK_HOST;
	unsigned drawn = random_step(&questions->random) % PER_MILLE, kind = 0;
	while (drawn >= questions->upto[kind])
		kind++;
	return (enum question_kind)kind;
}

void questions_next(struct questions *questions, struct bench_question *question)
{
	enum question_kind kind = kind_drawn(questions);
	uint32_t number = 0;
	switch (kind) {
	case ASK_HOST: number = random_step(&questions->random) % questions->setup.hosts; break;
	case ASK_POPULAR: number = questions->draws[questions->draw++ % DRAWS]; break;
	case ASK_ABSENT: number = questions->absent++; break;
	case ASK_UNIQUE:
	case ASK_MISSING: number = questions->unique++; break;
	case ASK_PTR:
		number = random_step(&questions->random) % questions->setup.ptrs;
		build_reverse(question, number);
		return;
	case ASK_KINDS: assert(!"no such kind");
	}
	build(question, kind, number, questions->setup.rules);
}

bool questions_next_popular(struct questions *questions, struct bench_question *question)
{
	if (questions->popular == questions->setup.popular) {
		questions->popular = 0; /* for the next call */
		return false;
	}
	build(question, ASK_POPULAR, questions->popular++, questions->setup.rules);
	return true;
}
