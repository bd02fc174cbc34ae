/* A question of our own is a query whose way out is on_finish, here. All that is special about it:
 * it is made, not read from a packet; its deadline is its maker's; and its answer is looked into
 * for the extended error, so that nobody else has to.
 *
 * What it does not do: look past the cache, or ask without the policy's targets. */
#include "resolver/resolve/ask.h"

#include <assert.h>
#include <stdio.h>
#include <string.h>

#include "rules/base.h"

static const char *end_text(enum ask_end end)
{
	static const char *const texts[] = {
#define X(name, text) [ASK_END_##name] = text,
		ASK_END_MAP(X)
#undef X
	};
	return texts[end];
}

/* ---- what an answer says ---- */

const char *ask_answer_trouble(const struct ask_answer *answer, char text[ASK_TROUBLE_MAX])
{
	if (answer->end != ASK_END_ANSWERED) {
		snprintf(text, ASK_TROUBLE_MAX, "%s", end_text(answer->end));
		return text;
	}
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

/* ---- the answer's making ---- */

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

/* The message is one that we have written. */
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

/* ---- the way ---- */

static void on_finish(struct query *query, const uint8_t *reply, size_t length)
{
	struct ask *ask = query->origin;
	struct ask_answer answer = {
		.end = length      ? ASK_END_ANSWERED
		       : ask->late ? ASK_END_LATE
				   : ASK_END_ABANDONED,
		.ede = EDE_NONE,
		.wire = reply,
		.length = length,
	};

	if (length)
		read_answer(&answer, query->request.question_length);
	wheel_cancel(ask->resolver->wheel, &ask->deadline);
	ask->query = NULL;
	query_give(ask->pool, query);
	ask->on_end(ask, &answer);
}

static void on_deadline(struct timer *timer, uint64_t now_us)
{
	struct ask *ask = container_of(timer, struct ask, deadline);

	(void)now_us;
	ask->late = true;
	resolve_cancel(ask->query);
}

static void end_unasked(struct ask *ask, enum ask_end end)
{
	ask->on_end(ask, &(struct ask_answer){.end = end, .ede = EDE_NONE});
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
	query->tcp = true; /* as for its size */
}

void ask_start(struct ask *ask, struct resolver *resolver, struct query_pool *pool,
	       const struct ask_question *question, struct policy_hold *hold, uint64_t now_us)
{
	struct place place = {NETWORK_DEFAULT, false};

	ask->query = NULL;
	if (question->network)
		place.network = policy_find_network(hold->policy, question->network);
	if (place.network == NETWORK_NONE) {
		end_unasked(ask, ASK_END_NO_NETWORK);
		return;
	}
	struct query *query = query_take(pool);
	if (!query) {
		end_unasked(ask, ASK_END_OVERLOAD);
		return;
	}
	ask->pool = pool;
	ask->resolver = resolver;
	ask->query = query;
	ask->late = false;
	query->finish = on_finish;
	query->origin = ask;
	query->arrived_us = now_us;
	write_question(query, question);
	timer_init(&ask->deadline, on_deadline);
	wheel_arm(resolver->wheel, &ask->deadline, now_us + question->patience_us);
	resolve_own(resolver, query, hold, place, now_us);
}
