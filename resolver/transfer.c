/* One transfer, from the question to its last message. What it says is transfer_stream's; here it
 * is put into messages, signed, and sent as fast as the client reads and others let it. */
#include "resolver/transfer.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "resolver/log.h"
#include "resolver/transfer_stream.h"
#include "rules/serial.h"

enum { REFUSAL_LOG_US = 1000 * 1000 };

struct transfer {
	struct transfer *next, **link;
	struct transfers *transfers;
	struct query *query;
	struct policy_hold *hold;
	const struct transfer_zone *zone;
	struct tsig_seal seal;
	bool is_sealed;
	enum stream_kind kind;
	struct transfer_stream stream;
	struct stream_record record; /* the next one */
	bool has_record;
	struct timer timer; /* the next loop round */
	uint64_t began_us;
	size_t messages, records, bytes;
};

/* ---- refusing ---- */

static size_t room_of(const struct tsig_seal *seal)
{
	return seal ? tsig_room(seal) : 0;
}

static struct message_end end_of(const struct query *query, const struct policy_hold *hold,
				 const struct tsig_seal *seal)
{
	return (struct message_end){
		.rcode = RCODE_NOERROR,
		.ede = EDE_NONE,
		.payload = (uint16_t)hold->policy->udp_payload_max,
		.limit = query->limit - room_of(seal),
	};
}

static void tell_refusal(struct transfers *transfers, const struct query *query, const char *why)
{
	char zone[NAME_TEXT_MAX], client[ADDRESS_TEXT_MAX], more[32] = "";
	uint64_t now_us = transfers->now_us(transfers->context);

	if (now_us < transfers->refusals_from_us) {
		transfers->refusals++;
		return;
	}
	transfers->refusals_from_us = now_us + REFUSAL_LOG_US;
	if (transfers->refusals)
		snprintf(more, sizeof more, " (%u more not logged)", transfers->refusals);
	log_event(LOG_INFO, "transfer", "%s refused to %s: %s%s", name_to_text(&query->name, zone),
		  address_print(&query->client, client), why, more);
	transfers->refusals = 0;
}

struct refusal { /* text NULL: none */
	enum rcode rcode;
	const char *text; /* for the client */
	const char *why;  /* for us; NULL: the same */
};

static void refuse(struct transfers *transfers, struct query *query, struct policy_hold *hold,
		   const struct tsig_seal *seal, const struct refusal *refusal)
{
	struct message_end end = end_of(query, hold, seal);
	struct message message;
	struct tsig_seal copy;

	tell_refusal(transfers, query, refusal->why ? refusal->why : refusal->text);
	STATS_ADD(transfers->stats, transfers_refused, 1);
	if (refusal->rcode == RCODE_REFUSED)
		STATS_ADD(transfers->stats, refused, 1);
	if (refusal->rcode == RCODE_SERVFAIL)
		STATS_ADD(transfers->stats, servfail, 1);
	end.rcode = refusal->rcode;
	end.ede = refusal->rcode == RCODE_REFUSED ? EDE_PROHIBITED : EDE_OTHER;
	end.ede_text = refusal->text;
	message_begin(&message, transfers->buffer, MESSAGE_MAX, query->question,
		      query->request.question_length);
	size_t length = message_finish(&message, &query->request, &end);
	if (seal) {
		copy = *seal;
		length = tsig_sign(&copy, transfers->buffer, length, MESSAGE_MAX,
				   transfers->time_of_day_s());
	}
	query_finish(query, transfers->buffer, length);
}

/* What a zone that is not there and one that is not to be had say is the same. */
static struct refusal judge(const struct transfers *transfers, const struct query *query,
			    const struct policy_hold *hold, const struct transfer_zone *zone,
			    const struct tsig_seal *seal)
{
	static const char not_allowed[] = "zone transfers are not allowed";
	const struct request *request = &query->request;

	if (request->type == TYPE_AXFR && !query->tcp)
		return (struct refusal){RCODE_REFUSED, "AXFR goes by TCP", NULL};
	if (!zone)
		return (struct refusal){RCODE_REFUSED, not_allowed, "no such zone goes out"};
	if (!transfer_terms_allow(hold->transfers->terms, zone, &query->client,
				  seal ? seal->key : NULL))
		return (struct refusal){RCODE_REFUSED, not_allowed,
					seal ? "no entry of transfers allows this client and key"
					     : "no entry of transfers allows this client unsigned"};
	if (request->type == TYPE_IXFR && !request->has_serial)
		return (struct refusal){RCODE_FORMERR, "IXFR without the SOA that it begins from",
					NULL};
	if (transfers->count == TRANSFERS_MAX)
		return (struct refusal){RCODE_SERVFAIL, "too many zone transfers are under way",
					NULL};
	return (struct refusal){0};
}

/* ---- messages ---- */

static void count_end(const struct transfer *transfer)
{
	struct transfer_meter *meter = transfer->zone->meter;

	if (transfer->kind == STREAM_CURRENT)
		atomic_fetch_add_explicit(&meter->current, 1, memory_order_relaxed);
	else if (transfer->kind == STREAM_CHANGES)
		atomic_fetch_add_explicit(&meter->ixfr, 1, memory_order_relaxed);
	else
		atomic_fetch_add_explicit(&meter->axfr, 1, memory_order_relaxed);
	if (transfer->kind != STREAM_CURRENT)
		STATS_ADD(transfer->transfers->stats, transfers, 1);
}

static void tell_end(const struct transfer *transfer, const char *how)
{
	char client[ADDRESS_TEXT_MAX];
	uint64_t now_us = transfer->transfers->now_us(transfer->transfers->context);

	if (transfer->kind == STREAM_CURRENT)
		return;
	log_event(LOG_INFO, "transfer",
		  "%s serial %u %s to %s: %s%s, %zu records in %zu messages, %zu bytes, %llu ms",
		  transfer->zone->text, transfer->zone->serial, how,
		  address_print(&transfer->query->client, client),
		  transfer->kind == STREAM_CHANGES ? "what has changed" : "whole",
		  transfer->is_sealed ? ", signed" : "", transfer->records, transfer->messages,
		  transfer->bytes, (unsigned long long)((now_us - transfer->began_us) / 1000));
}

/* reply NULL: the client has gone, or we go. */
static void end_transfer(struct transfer *transfer, const uint8_t *reply, size_t length)
{
	struct transfers *transfers = transfer->transfers;
	struct query *query = transfer->query;
	struct policy_hold *hold = transfer->hold;

	if (reply)
		count_end(transfer);
	tell_end(transfer, reply ? "sent" : "broken off");
	wheel_cancel(transfers->wheel, &transfer->timer);
	*transfer->link = transfer->next;
	if (transfer->next)
		transfer->next->link = transfer->link;
	transfers->count--;
	explicit_bzero(&transfer->seal, sizeof transfer->seal);
	free(transfer);
	query_finish(query, reply, length);
	policy_hold_give(hold);
}

/* Puts what fits below `limit` into the message, at least one record. */
static void fill(struct transfer *transfer, struct message *message, size_t limit)
{
	size_t apex_length = transfer->zone->name.length;

	while (transfer->has_record) {
		const struct stream_record *record = &transfer->record;
		size_t lead = name_wire_length(record->owner) - apex_length;
		bool first = message->counts[SECTION_ANSWER] == 0;

		if (!first && message->length + lead + 2 + record->rest_length > limit)
			return;
		if (message_add_below(message, SECTION_ANSWER, record->owner, lead, MESSAGE_HEADER,
				      record->rest, record->rest_length) == 0)
			return;
		transfer->records++;
		transfer->has_record = transfer_stream_next(&transfer->stream, &transfer->record);
	}
}

/* The next message, complete and signed; returns its length, 0 when a record fits into none. */
static size_t make_message(struct transfer *transfer, size_t limit)
{
	struct transfers *transfers = transfer->transfers;
	struct query *query = transfer->query;
	const struct tsig_seal *seal = transfer->is_sealed ? &transfer->seal : NULL;
	struct message_end end = end_of(query, transfer->hold, seal);
	size_t rest = MESSAGE_OPT + room_of(seal);
	struct message message;

	end.authoritative = true;
	message_begin(&message, transfers->buffer, MESSAGE_MAX - rest, query->question,
		      query->request.question_length);
	fill(transfer, &message, limit - rest);
	if (message.counts[SECTION_ANSWER] == 0)
		return 0;
	message.capacity = MESSAGE_MAX;
	message.overflow = false; /* the record that did not fit comes next */
	size_t length = message_finish(&message, &query->request, &end);
	if (seal)
		length = tsig_sign(&transfer->seal, transfers->buffer, length, MESSAGE_MAX,
				   transfers->time_of_day_s());
	transfer->messages++;
	transfer->bytes += length;
	return length;
}

static void step(struct transfer *transfer)
{
	struct transfers *transfers = transfer->transfers;
	struct query *query = transfer->query;
	size_t length = make_message(transfer, TRANSFER_MESSAGE_MAX);

	if (length == 0 || !transfer->has_record) {
		end_transfer(transfer, length ? transfers->buffer : NULL, length);
		return;
	}
	switch (query->send(query, transfers->buffer, length)) {
	case QUERY_SENT:
		wheel_arm(transfers->wheel, &transfer->timer,
			  transfers->now_us(transfers->context));
		return;
	case QUERY_FULL: return;
	case QUERY_GONE: end_transfer(transfer, NULL, 0); return;
	}
}

static void on_timer(struct timer *timer, uint64_t now_us)
{
	(void)now_us;
	step((struct transfer *)((char *)timer - offsetof(struct transfer, timer)));
}

static void on_room(struct query *query)
{
	struct transfer *transfer;

	memcpy(&transfer, query->scratch, sizeof transfer);
	step(transfer);
}

static void begin_stream(struct transfer *transfer, enum stream_kind kind,
			 const struct transfer_past *past)
{
	transfer->kind = kind;
	transfer->records = 0;
	transfer_stream_begin(&transfer->stream, transfer->hold->transfers, transfer->zone, kind,
			      past);
	transfer->has_record = transfer_stream_next(&transfer->stream, &transfer->record);
}

/* By UDP there is one message: the changes where they fit, else the SOA, and the client comes by
 * TCP (RFC 1995 section 2). */
static void answer_in_one(struct transfer *transfer)
{
	struct tsig_seal seal = transfer->seal;
	size_t length = make_message(transfer, transfer->query->limit);

	if (length == 0 || transfer->has_record) {
		transfer->seal = seal;
		begin_stream(transfer, STREAM_CURRENT, NULL);
		length = make_message(transfer, transfer->query->limit);
	}
	end_transfer(transfer, length ? transfer->transfers->buffer : NULL, length);
}

/* ---- the interface ---- */

static struct transfer *transfer_new(struct transfers *transfers, struct query *query,
				     struct policy_hold *hold, const struct tsig_seal *seal)
{
	struct transfer *transfer = calloc(1, sizeof *transfer);

	if (!transfer)
		return NULL;
	transfer->transfers = transfers;
	transfer->query = query;
	transfer->hold = hold;
	transfer->is_sealed = seal;
	if (seal)
		transfer->seal = *seal;
	transfer->began_us = transfers->now_us(transfers->context);
	timer_init(&transfer->timer, on_timer);
	transfer->next = transfers->running;
	transfer->link = &transfers->running;
	if (transfer->next)
		transfer->next->link = &transfer->next;
	transfers->running = transfer;
	transfers->count++;
	policy_hold_take(hold);
	memcpy(query->scratch, &transfer, sizeof transfer);
	query->on_room = on_room;
	return transfer;
}

void transfer_start(struct transfers *transfers, struct query *query, struct policy_hold *hold,
		    const struct tsig_seal *seal)
{
	static const struct refusal no_memory = {RCODE_SERVFAIL, "out of memory", NULL};
	const struct transfer_zone *zone =
		hold->transfers ? transfer_table_find(hold->transfers, &query->name) : NULL;
	struct refusal refusal = judge(transfers, query, hold, zone, seal);
	const struct transfer_past *past = NULL;
	struct transfer *transfer;

	if (refusal.text) {
		if (zone)
			atomic_fetch_add_explicit(&zone->meter->refused, 1, memory_order_relaxed);
		refuse(transfers, query, hold, seal, &refusal);
		return;
	}
	transfer = transfer_new(transfers, query, hold, seal);
	if (!transfer) {
		refuse(transfers, query, hold, seal, &no_memory);
		return;
	}
	transfer->zone = zone;
	enum stream_kind kind = query->request.type == TYPE_AXFR
					? STREAM_WHOLE
					: transfer_stream_kind(zone, query->request.serial, &past);
	begin_stream(transfer, kind, past);
	if (query->tcp)
		step(transfer);
	else
		answer_in_one(transfer);
}

const struct rrset *transfer_soa(const struct transfer_table *table, const struct query *query,
				 const struct tsig_seal *seal)
{
	const struct transfer_zone *zone = transfer_table_find(table, &query->name);

	return zone && transfer_terms_allow(table->terms, zone, &query->client,
					    seal ? seal->key : NULL)
		       ? zone_soa(zone->zone)
		       : NULL;
}

void transfers_abandon(struct transfers *transfers)
{
	struct transfer *next; /* none begins any more: inbound_worker's `ends` */

	for (struct transfer *at = transfers->running; at; at = next) {
		next = at->next;
		end_transfer(at, NULL, 0);
	}
}
