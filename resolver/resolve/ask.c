/* A call's query is made here, not read from a packet, and ends in on_finish. Its deadline comes
 * from the asker. This file finds the extended error in the answer, for all callers. */
#include "resolver/resolve/ask.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "rules/base.h"

/* ---- reading an answer ---- */

const char *ask_answer_trouble(const struct ask_answer *answer, char text[ASK_TROUBLE_MAX])
{
	static const char *const ends[] = {
#define X(name, text) [ASK_END_##name] = text,
		ASK_END_MAP(X)
#undef X
	};

	if (answer->end != ASK_END_ANSWERED)
		return ends[answer->end];
	if (answer->rcode == RCODE_NOERROR || answer->rcode == RCODE_NXDOMAIN)
		return NULL;
	snprintf(text, ASK_TROUBLE_MAX, "the answer was %s%s%s",
		 answer->rcode == RCODE_SERVFAIL  ? "SERVFAIL"
		 : answer->rcode == RCODE_REFUSED ? "REFUSED"
						  : "an error",
		 *answer->ede_text ? ": " : "", answer->ede_text);
	return text;
}

struct ask_records ask_answer_records(const struct ask_answer *answer)
{
	size_t at = MESSAGE_HEADER;

	if (wire_u16(answer->wire + 4) == 1 &&
	    wire_skip_name(answer->wire, answer->length, at, WIRE_HEADER, &at, NULL) > 0)
		at += 4; /* type and class */
	return (struct ask_records){message_walk_from(answer->wire, answer->length, at),
				    wire_u16(answer->wire + 6)};
}

bool ask_records_next(struct ask_records *records, struct record_view *record)
{
	if (records->left == 0)
		return false;
	records->left--;
	return message_read_record(&records->walk, record) == 0;
}

bool ask_record_address(const struct ask_answer *answer, const struct record_view *record,
			struct address *address)
{
	*address = (struct address){.family = record->type == TYPE_A ? 4 : 6};
	if ((record->type != TYPE_A && record->type != TYPE_AAAA) ||
	    record->rdata_length != address_bits(address) / 8)
		return false;
	memcpy(address->bytes, answer->wire + record->rdata, record->rdata_length);
	return true;
}

/* ---- the answer from its message ---- */

static void read_options(struct ask_answer *answer, const struct record_view *opt)
{
	enum { OPTION_FIXED = 4, EDE_FIXED = 2 };
	size_t at = opt->rdata, end = opt->rdata + opt->rdata_length;

	while (end - at >= OPTION_FIXED) {
		const uint8_t *option = answer->wire + at;
		size_t length = wire_u16(option + 2);

		at += OPTION_FIXED;
		if (length > end - at)
			return;
		if (wire_u16(option) == OPTION_EDE && length >= EDE_FIXED) {
			size_t text = length - EDE_FIXED;

			answer->ede = wire_u16(answer->wire + at);
			text = text < MESSAGE_EDE_TEXT_MAX ? text : MESSAGE_EDE_TEXT_MAX;
			memcpy(answer->ede_text, answer->wire + at + EDE_FIXED, text);
		}
		at += length;
	}
}

/* We wrote the message ourselves, so it is well formed. */
static void read_answer(struct ask_answer *answer, size_t question_length)
{
	const uint8_t *wire = answer->wire;
	struct message_walk walk =
		message_walk_from(wire, answer->length, MESSAGE_HEADER + question_length);
	unsigned records = (unsigned)wire_u16(wire + 6) + wire_u16(wire + 8) + wire_u16(wire + 10);
	struct record_view record;

	answer->rcode = message_flags(wire) & FLAG_RCODE;
	for (; records > 0; records--) {
		if (message_read_record(&walk, &record) != 0)
			return;
		if (record.type == TYPE_OPT)
			read_options(answer, &record);
	}
}

struct ask_call {
	struct stack_item item;
	struct ask_answerer *answerer;
	struct ask_question question; /* points to the copies below */
	struct name name;
	char *network;
	struct ask_answer answer;
	uint8_t *wire; /* of the answer */
	struct timer deadline;
	struct query *query;
	bool late;
	/* Only for the caller. From the post on, all other members belong to the worker, until it
	 * sends the call back. */
	void (*on_answer)(void *context, const struct ask_answer *answer);
	void *context;
};

static struct ask_call *of_item(struct stack_item *item)
{
	return container_of(item, struct ask_call, item);
}

/* ---- the caller ---- */

static void call_free(struct ask_call *call)
{
	free(call->network);
	free(call->wire);
	free(call);
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

void ask_caller_collect(struct ask_caller *caller)
{
	struct stack_item *next;

	for (struct stack_item *item = stack_take(&caller->answers); item; item = next) {
		struct ask_call *call = of_item(item);

		next = item->next;
		caller->open--;
		call->on_answer(call->context, &call->answer);
		call_free(call);
	}
}

/* ---- the answerer ---- */

static void send_back(struct ask_call *call)
{
	struct ask_answerer *answerer = call->answerer;

	stack_push(&answerer->caller->answers, &call->item);
	answerer->wake(answerer->context);
}

static void end_without(struct ask_call *call, enum ask_end end)
{
	call->answer = (struct ask_answer){.end = end, .ede = EDE_NONE};
	send_back(call);
}

static void on_finish(struct query *query, const uint8_t *reply, size_t length)
{
	struct ask_call *call = query->origin;
	size_t question_length = query->request.question_length;

	wheel_cancel(call->answerer->resolver->wheel, &call->deadline);
	query_give(call->answerer->pool, query);
	if (length == 0) {
		end_without(call, call->late ? ASK_END_LATE : ASK_END_ABANDONED);
		return;
	}
	call->wire = malloc(length);
	if (!call->wire) {
		end_without(call, ASK_END_NO_MEMORY);
		return;
	}
	memcpy(call->wire, reply, length);
	call->answer = (struct ask_answer){
		.end = ASK_END_ANSWERED, .ede = EDE_NONE, .wire = call->wire, .length = length};
	read_answer(&call->answer, question_length);
	send_back(call);
}

static void on_deadline(struct timer *timer, uint64_t now_us)
{
	struct ask_call *call = container_of(timer, struct ask_call, deadline);

	(void)now_us;
	call->late = true;
	resolve_cancel(call->query);
}

static void write_question(struct query *query, const struct ask_question *question)
{
	const struct name *name = question->name;
	size_t length = name->length;

	name_copy(&query->name, name);
	memcpy(query->question, name->wire, length);
	wire_put16(query->question + length, question->type);
	wire_put16(query->question + length + 2, CLASS_IN);
	query->request = (struct request){
		.flags = FLAG_RD,
		.type = question->type,
		.class = CLASS_IN,
		.question_length = (uint16_t)(length + 4),
		.edns = true,
		.payload = MESSAGE_UDP_MIN,
	};
	query->limit = MESSAGE_MAX;
	query->tcp = true; /* for the size limit */
}

static struct place place_of(const struct policy *policy, const struct ask_question *question)
{
	if (question->from.family)
		return policy_place_of_client(policy, &question->from);
	if (question->network)
		return (struct place){policy_find_network(policy, question->network),
				      question->vnet_resolver};
	return (struct place){question->outside ? NETWORK_OUTSIDE : NETWORK_DEFAULT, false};
}

static void start(struct ask_call *call, struct policy_hold *hold, uint64_t now_us)
{
	struct ask_answerer *answerer = call->answerer;
	struct place place = place_of(hold->policy, &call->question);

	if (call->network && place.network == NETWORK_NONE) {
		end_without(call, ASK_END_NO_NETWORK);
		return;
	}
	struct query *query = query_take(answerer->pool);
	if (!query) {
		end_without(call, ASK_END_OVERLOAD);
		return;
	}
	call->query = query;
	query->finish = on_finish;
	query->origin = call;
	query->arrived_us = now_us;
	write_question(query, &call->question);
	timer_init(&call->deadline, on_deadline);
	wheel_arm(answerer->resolver->wheel, &call->deadline, now_us + call->question.patience_us);
	resolve_own(answerer->resolver, query, hold, place, call->question.watch, now_us);
}

void ask_answerer_post(struct ask_answerer *answerer, struct ask_call *call)
{
	call->answerer = answerer;
	stack_push(&answerer->calls, &call->item);
}

void ask_answerer_work(struct ask_answerer *answerer, struct policy_hold *hold, uint64_t now_us)
{
	struct stack_item *next;

	for (struct stack_item *item = stack_take(&answerer->calls); item; item = next) {
		next = item->next;
		start(of_item(item), hold, now_us);
	}
}

void ask_answerer_close(struct ask_answerer *answerer)
{
	struct stack_item *next;

	for (struct stack_item *item = stack_take(&answerer->calls); item; item = next) {
		next = item->next;
		end_without(of_item(item), ASK_END_ABANDONED);
	}
}
