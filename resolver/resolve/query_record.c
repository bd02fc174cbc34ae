#include "resolver/resolve/query_record.h"

#include <netinet/in.h>
#include <stddef.h>
#include <string.h>

/* Fills in the members of every query, for an answer without a text. */
static inline __attribute__((always_inline)) void fill_query(struct query_record *record,
							     const struct query *query,
							     const struct message_end *end,
							     size_t length, size_t message_length)
{
	const struct request *request = &query->request;

	record->arrived_us = query->arrived_us;
	record->binding = query->binding;
	memcpy(&record->id, request, sizeof record->id + sizeof record->flags);
	memcpy(&record->family, &query->peer, sizeof record->family + sizeof record->port);
	record->rcode = (uint16_t)end->rcode;
	record->ede = EDE_NONE;
	record->length = (uint16_t)length;
	record->question_length = request->question_length;
	record->text_length = 0;
	record->message_length = (uint16_t)message_length;
	record->client = query->client;
	record->tcp = query->tcp;
}
_Static_assert(offsetof(struct sockaddr_in, sin_port) == 2 &&
		       offsetof(struct sockaddr_in6, sin6_port) == 2 &&
		       offsetof(struct query_record, port) ==
			       offsetof(struct query_record, family) + 2 &&
		       offsetof(struct request, id) == 0 && offsetof(struct request, flags) == 2 &&
		       offsetof(struct query_record, flags) ==
			       offsetof(struct query_record, id) + 2,
	       "members that are copied together are neighbours on both sides");

/* Not inline: finding an upstream is a call, which most answers do not need. */
static __attribute__((noinline)) void fill_upstream(struct query_record *record,
						    const struct composition *composition)
{
	record->upstream = composition_upstream(composition);
}

static inline __attribute__((always_inline)) void fill_decision(struct query_record *record,
								const struct query_answer *answer)
{
	const struct composition *c = answer->composition;

	record->turned_away = false;
	record->decided = (uint8_t)answer->verdict->by;
	record->object = answer->verdict->object;
	record->rule = answer->verdict->rule;
	record->network = answer->network;
	record->hops = c ? (uint8_t)c->hops : 0;
	record->source = (uint8_t)answer->source;
	record->upstream = NULL;
	if (c && c->source.route)
		fill_upstream(record, c);
}

/* Appends a record at any time, with the text that explains an error. NULL: the ring is full. */
static struct query_record *append_whole(struct query_ring *ring, const struct query *query,
					 const struct message_end *end, const uint8_t *reply,
					 size_t length)
{
	size_t message_length = query_ring_message_length(ring, length);
	const uint8_t *body = message_length ? reply : query->question;
	size_t body_length = message_length ? message_length : query->request.question_length;
	const char *text = end->ede == EDE_NONE ? NULL : end->ede_text;
	size_t text_length = text ? strnlen(text, MESSAGE_EDE_TEXT_MAX) : 0;
	struct query_record *record = query_ring_append(ring, body_length + text_length);

	if (!record)
		return NULL;
	fill_query(record, query, end, length, message_length);
	record->ede = (int16_t)end->ede;
	record->text_length = (uint16_t)text_length;
	memcpy(record->data, body, body_length);
	if (text_length > 0)
		memcpy(record->data + body_length, text, text_length);
	return record;
}

static __attribute__((noinline)) void record_whole(struct query_ring *ring,
						   const struct query_answer *answer)
{
	struct query_record *record =
		append_whole(ring, answer->query, answer->end, answer->reply, answer->length);

	if (record)
		fill_decision(record, answer);
}

/* Both sides have room for a multiple of QUERY_RING_ALIGN. Questions are short, so a loop over
 * blocks is cheaper than a call of memcpy. */
static inline void copy_by_blocks(uint8_t *to, const uint8_t *from, size_t length)
{
	for (const uint8_t *end = to + length; to < end;
	     to += QUERY_RING_ALIGN, from += QUERY_RING_ALIGN) {
		memcpy(to, from, QUERY_RING_ALIGN);
		__asm__("" : "+r"(to), "+r"(from)); /* keeps the compiler from calling memcpy */
	}
}
_Static_assert(offsetof(struct query, scratch) - offsetof(struct query, question) >=
		       MESSAGE_QUESTION_MAX + QUERY_RING_ALIGN,
	       "the last block of a question ends within the query");
_Static_assert(MESSAGE_MAX >= QUERY_RING_MESSAGE_MAX + QUERY_RING_ALIGN,
	       "the last block of a reply ends within a buffer of MESSAGE_MAX");

void query_record_answer(struct query_ring *ring, const struct query_answer *answer)
{
	const struct query *query = answer->query;
	size_t message_length = query_ring_message_length(ring, answer->length);
	const uint8_t *body = message_length ? answer->reply : query->question;
	size_t body_length = message_length ? message_length : query->request.question_length;
	struct query_record *record;

	if (answer->end->ede != EDE_NONE || !query_ring_has_room(ring, body_length)) {
		record_whole(ring, answer);
		return;
	}
	record = query_ring_append_at_once(ring, body_length);
	fill_query(record, query, answer->end, answer->length, message_length);
	copy_by_blocks(record->data, body, body_length);
	fill_decision(record, answer);
}

void query_record_turned_away(struct query_ring *ring, const struct query *query,
			      const struct message_end *end, const uint8_t *reply, size_t length)
{
	static const struct message_end silence = {.rcode = RCODE_NOERROR, .ede = EDE_NONE};
	const struct query_binding *binding = query->binding;
	struct query_record *record =
		append_whole(ring, query, end ? end : &silence, reply, length);

	if (!record)
		return;
	record->turned_away = true;
	record->decided = DECIDED_NOBODY;
	record->object = NULL;
	record->rule = NULL;
	record->network = binding->network;
	record->hops = 0;
	record->source = RESPONSE_NONE;
	record->upstream = NULL;
}
