/* A box is a stack that is taken as a whole and turned round, so letters come out in the order in
 * which they went in, and pushing needs no more than a compare-and-swap.
 *
 * What is whose: the fields up to `cancelled` are set before the post and then the worker's;
 * on_answer and context are the desk's all the time; `cancelled` is both's. */
#include "resolver/resolve/ask_letter.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

struct ask_letter {
	struct ask ask;           /* first: see on_end */
	struct ask_letter *next;  /* in a box, at the desk, or open */
	struct ask_letter **link; /* open; else NULL */
	struct ask_room *room;
	struct ask_question question; /* of copies: */
	struct name name;
	char *network;
	struct ask_answer answer;
	uint8_t *wire; /* the answer's */
	atomic_bool cancelled;
	void (*on_answer)(void *context, const struct ask_answer *answer); /* NULL: cancelled */
	void *context;
};

/* ---- boxes ---- */

static void box_put(struct ask_box *box, struct ask_letter *letter)
{
	letter->next = atomic_load_explicit(&box->newest, memory_order_relaxed);
	while (!atomic_compare_exchange_weak_explicit(&box->newest, &letter->next, letter,
						      memory_order_release, memory_order_relaxed))
		;
}

/* All of it, the oldest first. */
static struct ask_letter *box_take(struct ask_box *box)
{
	struct ask_letter *from =
		atomic_exchange_explicit(&box->newest, NULL, memory_order_acquire);
	struct ask_letter *first = NULL;

	while (from) {
		struct ask_letter *next = from->next;

		from->next = first;
		first = from;
		from = next;
	}
	return first;
}

/* ---- the desk ---- */

static void letter_free(struct ask_letter *letter)
{
	free(letter->network);
	free(letter->wire);
	free(letter);
}

void ask_desk_init(struct ask_desk *desk)
{
	memset(desk, 0, sizeof *desk);
	desk->last = &desk->ready;
}

int ask_desk_write(struct ask_desk *desk, const struct ask_question *question,
		   void (*on_answer)(void *context, const struct ask_answer *answer), void *context,
		   struct ask_letter **written)
{
	if (desk->open == ASK_LETTERS_MAX)
		return ERR_LIMIT;
	struct ask_letter *letter = calloc(1, sizeof *letter);
	if (!letter)
		return ERR_NOMEM;
	letter->network = question->network ? strdup(question->network) : NULL;
	if (question->network && !letter->network) {
		letter_free(letter);
		return ERR_NOMEM;
	}
	name_copy(&letter->name, question->name);
	letter->question = *question;
	letter->question.name = &letter->name;
	letter->question.network = letter->network;
	letter->on_answer = on_answer;
	letter->context = context;
	desk->open++;
	*written = letter;
	return 0;
}

void ask_letter_cancel(struct ask_letter *letter)
{
	letter->on_answer = NULL;
	atomic_store_explicit(&letter->cancelled, true, memory_order_relaxed);
}

static void gather(struct ask_desk *desk)
{
	struct ask_letter *taken = box_take(&desk->answers);

	if (!taken)
		return;
	*desk->last = taken;
	while (*desk->last)
		desk->last = &(*desk->last)->next;
}

void ask_desk_collect(struct ask_desk *desk)
{
	gather(desk);
	while (desk->ready) {
		struct ask_letter *letter = desk->ready;

		desk->ready = letter->next;
		if (!desk->ready)
			desk->last = &desk->ready;
		desk->open--;
		if (letter->on_answer)
			letter->on_answer(letter->context, &letter->answer);
		letter_free(letter);
	}
}

/* ---- the room ---- */

void ask_room_init(struct ask_room *room, struct ask_desk *desk, struct resolver *resolver,
		   struct query_pool *pool, void (*wake)(void *context), void *context)
{
	*room = (struct ask_room){
		.resolver = resolver,
		.pool = pool,
		.desk = desk,
		.wake = wake,
		.context = context,
	};
}

void ask_room_post(struct ask_room *room, struct ask_letter *letter)
{
	letter->room = room;
	box_put(&room->letters, letter);
}

static void send_back(struct ask_letter *letter)
{
	struct ask_room *room = letter->room;

	if (letter->link) {
		*letter->link = letter->next;
		if (letter->next)
			letter->next->link = letter->link;
		letter->link = NULL;
	}
	box_put(&room->desk->answers, letter);
	room->wake(room->context);
}

static void on_end(struct ask *ask, const struct ask_answer *answer)
{
	struct ask_letter *letter = (struct ask_letter *)ask;

	letter->answer = *answer;
	letter->answer.wire = NULL;
	if (answer->length) {
		letter->wire = malloc(answer->length);
		if (letter->wire)
			memcpy(letter->wire, answer->wire, answer->length);
		else
			letter->answer =
				(struct ask_answer){.end = ASK_END_NO_MEMORY, .ede = EDE_NONE};
		letter->answer.wire = letter->wire;
	}
	send_back(letter);
}

/* Without having been asked, or no longer. */
static void send_back_unanswered(struct ask_letter *letter)
{
	letter->answer = (struct ask_answer){.end = ASK_END_ABANDONED, .ede = EDE_NONE};
	send_back(letter);
}

static bool is_cancelled(struct ask_letter *letter)
{
	return atomic_load_explicit(&letter->cancelled, memory_order_relaxed);
}

static void ask(struct ask_room *room, struct ask_letter *letter, struct policy_hold *hold,
		uint64_t now_us)
{
	letter->next = room->open;
	letter->link = &room->open;
	if (letter->next)
		letter->next->link = &letter->next;
	room->open = letter;
	letter->ask.on_end = on_end;
	ask_start(&letter->ask, room->resolver, room->pool, &letter->question, hold, now_us);
}

void ask_room_work(struct ask_room *room, struct policy_hold *hold, uint64_t now_us)
{
	struct ask_letter *next;

	for (struct ask_letter *letter = room->open; letter; letter = next) {
		next = letter->next;
		if (!is_cancelled(letter))
			continue;
		ask_cancel(&letter->ask);
		send_back_unanswered(letter);
	}
	for (struct ask_letter *letter = box_take(&room->letters); letter; letter = next) {
		next = letter->next;
		if (is_cancelled(letter))
			send_back_unanswered(letter);
		else
			ask(room, letter, hold, now_us);
	}
}

void ask_room_close(struct ask_room *room)
{
	struct ask_letter *next;

	assert(!room->open);
	for (struct ask_letter *letter = box_take(&room->letters); letter; letter = next) {
		next = letter->next;
		send_back_unanswered(letter);
	}
}
