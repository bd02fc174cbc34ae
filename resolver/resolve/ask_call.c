/* A stack is taken as a whole and turned round, so calls come out in the order in
 * which they went in, and pushing needs no more than a compare-and-swap.
 *
 * What is whose: on_answer and context are the caller's all the time; the other fields are set
 * before the post, and then the worker's. */
#include "resolver/resolve/ask_call.h"

#include <stdlib.h>
#include <string.h>

struct ask_call {
	struct ask ask;        /* first: see on_end */
	struct ask_call *next; /* in a stack, or at the caller */
	struct ask_answerer *answerer;
	struct ask_question question; /* of copies: */
	struct name name;
	char *network;
	struct ask_answer answer;
	uint8_t *wire; /* the answer's */
	void (*on_answer)(void *context, const struct ask_answer *answer);
	void *context;
};

/* ---- stacks ---- */

static void stack_push(struct ask_stack *stack, struct ask_call *call)
{
	call->next = atomic_load_explicit(&stack->newest, memory_order_relaxed);
	while (!atomic_compare_exchange_weak_explicit(&stack->newest, &call->next, call,
						      memory_order_release, memory_order_relaxed))
		;
}

/* All of it, the oldest first. */
static struct ask_call *stack_take(struct ask_stack *stack)
{
	struct ask_call *from =
		atomic_exchange_explicit(&stack->newest, NULL, memory_order_acquire);
	struct ask_call *first = NULL;

	while (from) {
		struct ask_call *next = from->next;

		from->next = first;
		first = from;
		from = next;
	}
	return first;
}

/* ---- the caller ---- */

static void call_free(struct ask_call *call)
{
	free(call->network);
	free(call->wire);
	free(call);
}

void ask_caller_init(struct ask_caller *caller)
{
	memset(caller, 0, sizeof *caller);
	caller->last = &caller->ready;
}

int ask_caller_begin(struct ask_caller *caller, const struct ask_question *question,
		     void (*on_answer)(void *context, const struct ask_answer *answer),
		     void *context, struct ask_call **begun)
{
	if (caller->open == ASK_CALLS_MAX)
		return ERR_LIMIT;
	struct ask_call *call = calloc(1, sizeof *call);
	if (!call)
		return ERR_NOMEM;
	call->network = question->network ? strdup(question->network) : NULL;
	if (question->network && !call->network) {
		call_free(call);
		return ERR_NOMEM;
	}
	name_copy(&call->name, question->name);
	call->question = *question;
	call->question.name = &call->name;
	call->question.network = call->network;
	call->on_answer = on_answer;
	call->context = context;
	caller->open++;
	*begun = call;
	return 0;
}

static void gather(struct ask_caller *caller)
{
	struct ask_call *taken = stack_take(&caller->answers);

	if (!taken)
		return;
	*caller->last = taken;
	while (*caller->last)
		caller->last = &(*caller->last)->next;
}

void ask_caller_collect(struct ask_caller *caller)
{
	gather(caller);
	while (caller->ready) {
		struct ask_call *call = caller->ready;

		caller->ready = call->next;
		if (!caller->ready)
			caller->last = &caller->ready;
		caller->open--;
		call->on_answer(call->context, &call->answer);
		call_free(call);
	}
}

/* ---- the answerer ---- */

void ask_answerer_init(struct ask_answerer *answerer, struct ask_caller *caller,
		       struct resolver *resolver, struct query_pool *pool,
		       void (*wake)(void *context), void *context)
{
	*answerer = (struct ask_answerer){
		.resolver = resolver,
		.pool = pool,
		.caller = caller,
		.wake = wake,
		.context = context,
	};
}

void ask_answerer_post(struct ask_answerer *answerer, struct ask_call *call)
{
	call->answerer = answerer;
	stack_push(&answerer->calls, call);
}

static void send_back(struct ask_call *call)
{
	struct ask_answerer *answerer = call->answerer;

	stack_push(&answerer->caller->answers, call);
	answerer->wake(answerer->context);
}

static void on_end(struct ask *ask, const struct ask_answer *answer)
{
	struct ask_call *call = (struct ask_call *)ask;

	call->answer = *answer;
	call->answer.wire = NULL;
	if (answer->length) {
		call->wire = malloc(answer->length);
		if (call->wire)
			memcpy(call->wire, answer->wire, answer->length);
		else
			call->answer =
				(struct ask_answer){.end = ASK_END_NO_MEMORY, .ede = EDE_NONE};
		call->answer.wire = call->wire;
	}
	send_back(call);
}

void ask_answerer_work(struct ask_answerer *answerer, struct policy_hold *hold, uint64_t now_us)
{
	struct ask_call *next;

	for (struct ask_call *call = stack_take(&answerer->calls); call; call = next) {
		next = call->next;
		call->ask.on_end = on_end;
		ask_start(&call->ask, answerer->resolver, answerer->pool, &call->question, hold,
			  now_us);
	}
}

void ask_answerer_close(struct ask_answerer *answerer)
{
	struct ask_call *next;

	for (struct ask_call *call = stack_take(&answerer->calls); call; call = next) {
		next = call->next;
		call->answer = (struct ask_answer){.end = ASK_END_ABANDONED, .ede = EDE_NONE};
		send_back(call);
	}
}
