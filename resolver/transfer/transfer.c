/* A transfer from the question to its end: access, its slot, and its pace. stream.c makes its
 * messages. */
#include "resolver/transfer/transfer.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "resolver/stats.h"
#include "resolver/transfer/stream.h"
#include "rules/base.h"
#include "rules/text.h"
#include "rules/zone/serial.h"

struct transfer {
	struct transfer *next, **link;
	struct transfers *transfers;
	struct transfer_line *line; /* the line that it is in */
	struct query *query;
	struct policy_hold *hold;
	struct address client; /* address_client */
	struct transfer_writer writer;
	struct timer timer;    /* the next loop round */
	struct timer patience; /* while waiting: until it gives up; while sending: until the next
				  check of the pace */
	size_t paced;          /* bytes sent at the last check */
	uint64_t began_us;
};

static uint64_t now_us(const struct transfers *transfers)
{
	return transfers->now_us(transfers->context);
}

static const struct tsig_context *tsig_of(const struct transfer_writer *writer)
{
	return writer->is_signed ? &writer->tsig : NULL;
}

/* ---- refusing ---- */

struct refusal { /* text NULL: none */
	enum rcode rcode;
	const char *text; /* for the client */
	const char *why;  /* for the log; NULL: the same */
};

static void log_refusal(struct transfers *transfers, const struct query *query, const char *why)
{
	char zone[NAME_TEXT_MAX], client[ADDRESS_TEXT_MAX], more[LOG_MORE_MAX];

	if (log_pace(&transfers->refused, now_us(transfers), more))
		log_event(LOG_INFO, "transfer", "%s refused to %s: %s%s",
			  name_to_text(&query->name, zone), address_print(&query->client, client),
			  why, more);
}

/* Counts and logs the refusal, and writes it into the buffer; returns its length. */
static size_t write_refusal(struct transfers *transfers, const struct query *query,
			    const struct policy_hold *hold, const struct tsig_context *tsig,
			    const struct refusal *refusal)
{
	struct message_end end = transfer_message_end(query, hold, tsig);
	struct message message;
	struct tsig_context copy;

	log_refusal(transfers, query, refusal->why ? refusal->why : refusal->text);
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
	if (!tsig)
		return length;
	copy = *tsig;
	return tsig_sign(&copy, transfers->buffer, length, query->limit,
			 transfers->time_of_day_s());
}

/* The refusal does not show whether the zone exists. */
static struct refusal judge(const struct query *query, const struct transfer_zone *zone,
			    bool allowed, const struct tsig_context *tsig)
{
	static const char not_allowed[] = "zone transfers are not allowed";
	const struct request *request = &query->request;

	if (request->type == TYPE_AXFR && !query->tcp)
		return (struct refusal){RCODE_REFUSED, "AXFR is answered by TCP only", NULL};
	if (!zone)
		return (struct refusal){RCODE_REFUSED, not_allowed,
					"no zone of that name goes out"};
	if (!allowed)
		return (struct refusal){RCODE_REFUSED, not_allowed,
					tsig ? "no entry of transfers allows this client and key"
					     : "no entry of transfers allows this client unsigned"};
	if (request->type == TYPE_IXFR && !request->has_serial)
		return (struct refusal){RCODE_FORMERR, "IXFR needs the SOA that the client has",
					NULL};
	return (struct refusal){0};
}

static void refuse(struct transfers *transfers, struct query *query, const struct policy_hold *hold,
		   const struct transfer_zone *zone, const struct tsig_context *tsig,
		   const struct refusal *refusal)
{
	if (zone)
		atomic_fetch_add_explicit(&zone->meter->refused, 1, memory_order_relaxed);
	size_t length = write_refusal(transfers, query, hold, tsig, refusal);
	query_finish(query, transfers->buffer, length);
}

static const struct refusal too_many = {RCODE_SERVFAIL, "too many zone transfers are under way",
					NULL};
static const struct refusal no_memory = {RCODE_SERVFAIL, "out of memory", NULL};

/* ---- counting and logging ---- */

static void count_sent(const struct transfers *transfers, const struct transfer_writer *writer)
{
	struct transfer_meter *meter = writer->zone->meter;
	atomic_uint_fast64_t *counts[] = {[STREAM_WHOLE] = &meter->axfr,
					  [STREAM_CHANGES] = &meter->ixfr,
					  [STREAM_CURRENT] = &meter->current};

	atomic_fetch_add_explicit(counts[writer->kind], 1, memory_order_relaxed);
	if (writer->kind != STREAM_CURRENT)
		STATS_ADD(transfers->stats, transfers, 1);
}

/* Logs at most once a second for each kind of line. */
static void log_transfer(const struct transfer *transfer, struct log_pace *pace,
			 enum log_level level, const char *how)
{
	const struct transfer_writer *writer = &transfer->writer;
	uint64_t now = now_us(transfer->transfers);
	char client[ADDRESS_TEXT_MAX], more[LOG_MORE_MAX];

	if (!log_pace(pace, now, more))
		return;
	log_event(level, "transfer",
		  "%s serial %u %s to %s: %s%s, %zu record%s in %zu message%s, %zu bytes, %llu "
		  "ms%s",
		  writer->zone->text, writer->zone->serial, how,
		  address_print(&transfer->query->client, client),
		  writer->kind == STREAM_CHANGES ? "what has changed" : "whole",
		  writer->is_signed ? ", signed" : "", writer->records,
		  text_plural(writer->records, "", "s"), writer->messages,
		  text_plural(writer->messages, "", "s"), writer->bytes,
		  (unsigned long long)((now - transfer->began_us) / 1000), more);
}

/* ---- lines ---- */

static void line_init(struct transfer_line *line)
{
	*line = (struct transfer_line){.end = &line->first};
}

static void line_enter(struct transfer_line *line, struct transfer *transfer)
{
	transfer->line = line;
	transfer->next = NULL;
	transfer->link = line->end;
	*line->end = transfer;
	line->end = &transfer->next;
	line->count++;
}

static void line_leave(struct transfer *transfer)
{
	struct transfer_line *line = transfer->line;

	*transfer->link = transfer->next;
	if (transfer->next)
		transfer->next->link = transfer->link;
	else
		line->end = transfer->link;
	line->count--;
}

static unsigned count_client(const struct transfer_line *line, const struct address *client)
{
	unsigned count = 0;

	for (const struct transfer *at = line->first; at; at = at->next)
		count += address_equal(&at->client, client);
	return count;
}

static bool has_slot(const struct transfers *transfers, const struct address *client)
{
	return transfers->sending.count < TRANSFERS_MAX &&
	       count_client(&transfers->sending, client) < TRANSFERS_SHARE;
}

static bool may_wait(const struct transfers *transfers, const struct address *client)
{
	return transfers->waiting.count < TRANSFERS_WAITING_MAX &&
	       count_client(&transfers->waiting, client) < TRANSFERS_WAITING_SHARE;
}

static void take_slot(struct transfer *transfer)
{
	struct transfers *transfers = transfer->transfers;

	line_enter(&transfers->sending, transfer);
	wheel_arm(transfers->wheel, &transfer->patience, now_us(transfers) + TRANSFER_PACE_US);
}

/* Gives free slots to waiting transfers that may have one, in the order of arrival; they begin in
 * the next loop round. */
static void fill_slots(struct transfers *transfers)
{
	struct transfer *next;

	for (struct transfer *at = transfers->waiting.first; at && !transfers->ends; at = next) {
		next = at->next;
		if (transfers->sending.count == TRANSFERS_MAX)
			return;
		if (!has_slot(transfers, &at->client))
			continue;
		line_leave(at);
		take_slot(at);
		wheel_arm(transfers->wheel, &at->timer, now_us(transfers));
	}
}

/* ---- the end ---- */

/* reply NULL: sends nothing more. */
static void end_transfer(struct transfer *transfer, const uint8_t *reply, size_t length)
{
	struct transfers *transfers = transfer->transfers;
	struct query *query = transfer->query;
	struct policy_hold *hold = transfer->hold;

	wheel_cancel(transfers->wheel, &transfer->timer);
	wheel_cancel(transfers->wheel, &transfer->patience);
	line_leave(transfer);
	explicit_bzero(&transfer->writer.tsig, sizeof transfer->writer.tsig);
	free(transfer);
	fill_slots(transfers);
	query_finish(query, reply, length);
	policy_hold_give(hold);
}

/* Closes its connection, so that the client notices the incomplete zone (RFC 5936 section 2.2). */
static void break_off(struct transfer *transfer, struct log_pace *pace, enum log_level level,
		      const char *how)
{
	atomic_fetch_add_explicit(&transfer->writer.zone->meter->broken, 1, memory_order_relaxed);
	STATS_ADD(transfer->transfers->stats, transfers_broken, 1);
	log_transfer(transfer, pace, level, how);
	end_transfer(transfer, NULL, 0);
}

/* Ends a transfer that has sent nothing yet. */
static void give_up(struct transfer *transfer, const struct refusal *refusal)
{
	struct transfers *transfers = transfer->transfers;
	const struct transfer_writer *writer = &transfer->writer;

	atomic_fetch_add_explicit(&writer->zone->meter->refused, 1, memory_order_relaxed);
	size_t length =
		write_refusal(transfers, transfer->query, transfer->hold, tsig_of(writer), refusal);
	end_transfer(transfer, transfers->buffer, length);
}

/* ---- sending ---- */

static void send_next(struct transfer *transfer)
{
	struct transfers *transfers = transfer->transfers;
	struct transfer_writer *writer = &transfer->writer;
	struct query *query = transfer->query;
	size_t length = transfer_writer_next(writer, transfers->buffer, TRANSFER_MESSAGE_MAX,
					     transfers->time_of_day_s());

	if (length == 0) {
		break_off(transfer, &transfers->failed, LOG_ERROR,
			  "broken off, because one of its records is too large for any message,");
		return;
	}
	if (!writer->has_record) {
		count_sent(transfers, writer);
		log_transfer(transfer,
			     writer->kind == STREAM_WHOLE ? &transfers->whole : &transfers->changes,
			     LOG_INFO, "sent");
		end_transfer(transfer, transfers->buffer, length);
		return;
	}
	wheel_arm(transfers->wheel, &transfer->timer, now_us(transfers));
	query->send(query, transfers->buffer, length);
}

static void step(struct transfer *transfer, enum query_room room)
{
	switch (room) {
	case QUERY_WAIT: return;
	case QUERY_GONE:
		break_off(transfer, &transfer->transfers->broken, LOG_INFO, "broken off");
		return;
	case QUERY_ROOM: send_next(transfer); return;
	}
}

static void on_timer(struct timer *timer, uint64_t now)
{
	struct transfer *transfer = container_of(timer, struct transfer, timer);

	(void)now;
	step(transfer, transfer->query->room(transfer->query));
}

static void on_room(struct query *query, enum query_room room)
{
	struct transfer *transfer;

	memcpy(&transfer, query->scratch, sizeof transfer);
	step(transfer, room);
}

static void on_patience(struct timer *timer, uint64_t now)
{
	struct transfer *transfer = container_of(timer, struct transfer, patience);
	struct transfers *transfers = transfer->transfers;

	if (transfer->line == &transfers->waiting) {
		if (count_client(&transfers->sending, &transfer->client) == 0)
			give_up(transfer, &too_many);
		else
			wheel_arm(transfers->wheel, timer, now + TRANSFER_WAIT_US);
		return;
	}
	if (transfer->writer.bytes - transfer->paced < TRANSFER_PACE_BYTES) {
		break_off(transfer, &transfers->broken, LOG_INFO,
			  "broken off, because the client read too slowly,");
		return;
	}
	transfer->paced = transfer->writer.bytes;
	wheel_arm(transfers->wheel, timer, now + TRANSFER_PACE_US);
}

/* ---- beginning ---- */

/* Answers with one message. By TCP it has the SOA, because the client is up to date. By UDP it has
 * what the client needs, changes or the whole zone, if that fits; else the SOA, so that the client
 * comes by TCP (RFC 1995 section 2). Reads at most one record more than fits. */
static void answer_in_one(struct transfers *transfers, struct query *query,
			  struct transfer_writer *writer, enum stream_kind kind, size_t version)
{
	struct tsig_context tsig = writer->tsig;
	uint64_t time_s = transfers->time_of_day_s();
	size_t limit = query->tcp ? (size_t)TRANSFER_MESSAGE_MAX : query->limit;

	transfer_writer_begin(writer, kind, version);
	size_t length = transfer_writer_next(writer, transfers->buffer, limit, time_s);
	if (length == 0 || writer->has_record) {
		writer->tsig = tsig;
		transfer_writer_begin(writer, STREAM_CURRENT, 0);
		length = transfer_writer_next(writer, transfers->buffer, limit, time_s);
	}
	if (writer->kind == kind) /* otherwise the client comes again by TCP */
		count_sent(transfers, writer);
	query_finish(query, transfers->buffer, length);
}

static struct transfer *transfer_new(struct transfers *transfers, struct query *query,
				     struct policy_hold *hold, const struct address *client)
{
	struct transfer *transfer = calloc(1, sizeof *transfer);

	if (!transfer)
		return NULL;
	transfer->transfers = transfers;
	transfer->query = query;
	transfer->hold = hold;
	transfer->client = *client;
	transfer->began_us = now_us(transfers);
	timer_init(&transfer->timer, on_timer);
	timer_init(&transfer->patience, on_patience);
	policy_hold_take(hold);
	memcpy(query->scratch, &transfer, sizeof transfer);
	query->on_room = on_room;
	return transfer;
}

static void begin(struct transfers *transfers, struct query *query, struct policy_hold *hold,
		  const struct transfer_writer *writer, enum stream_kind kind, size_t version)
{
	struct address client = address_client(&query->client);
	bool slot = has_slot(transfers, &client);
	struct transfer *transfer = slot || may_wait(transfers, &client)
					    ? transfer_new(transfers, query, hold, &client)
					    : NULL;

	if (!transfer) {
		refuse(transfers, query, hold, writer->zone, tsig_of(writer),
		       may_wait(transfers, &client) ? &no_memory : &too_many);
		return;
	}
	transfer->writer = *writer;
	transfer_writer_begin(&transfer->writer, kind, version);
	if (!slot) {
		line_enter(&transfers->waiting, transfer);
		wheel_arm(transfers->wheel, &transfer->patience,
			  transfer->began_us + TRANSFER_WAIT_US);
		return;
	}
	take_slot(transfer);
	step(transfer, query->room(query));
}

/* ---- the interface ---- */

void transfers_init(struct transfers *transfers)
{
	line_init(&transfers->sending);
	line_init(&transfers->waiting);
}

/* The zone of this name that the client may have with the key (NULL: unsigned), else one that it
 * may not have; NULL: none. limits_check makes sure that no client may have two of one name. */
static const struct transfer_zone *zone_for(const struct transfer_table *table,
					    const struct query *query, const struct tsig_key *key,
					    bool *allowed)
{
	const struct transfer_zone *zone, *other = NULL;
	size_t at = 0;

	*allowed = false;
	while ((zone = transfer_table_next(table, &query->name, &at))) {
		*allowed = transfer_acl_allows(table->acl, zone, &query->client, key);
		if (*allowed)
			return zone;
		other = zone;
	}
	return other;
}

void transfer_start(struct transfers *transfers, struct query *query, struct policy_hold *hold,
		    const struct tsig_context *tsig)
{
	bool allowed = false;
	const struct transfer_zone *zone =
		hold->transfers
			? zone_for(hold->transfers, query, tsig ? tsig->key : NULL, &allowed)
			: NULL;
	struct refusal refusal = judge(query, zone, allowed, tsig);
	struct transfer_writer writer;
	size_t version = 0;

	if (refusal.text) {
		refuse(transfers, query, hold, zone, tsig, &refusal);
		return;
	}
	enum stream_kind kind =
		query->request.type == TYPE_AXFR
			? STREAM_WHOLE
			: transfer_stream_kind(zone, query->request.serial, &version);
	transfer_writer_init(&writer, query, hold, tsig, zone);
	if (query->tcp && kind != STREAM_CURRENT)
		begin(transfers, query, hold, &writer, kind, version);
	else
		answer_in_one(transfers, query, &writer, kind, version);
	explicit_bzero(&writer.tsig, sizeof writer.tsig);
}

const struct rrset *transfer_soa(const struct transfer_table *table, const struct query *query,
				 const struct tsig_context *tsig)
{
	bool allowed;
	const struct transfer_zone *zone =
		zone_for(table, query, tsig ? tsig->key : NULL, &allowed);

	return allowed ? zone_soa(zone->zone) : NULL;
}

void transfers_abandon(struct transfers *transfers)
{
	struct transfer *next; /* none begins any more: inbound_worker.ends is set */

	transfers->ends = true;
	for (struct transfer *at = transfers->waiting.first; at; at = next) {
		next = at->next;
		end_transfer(at, NULL, 0);
	}
	for (struct transfer *at = transfers->sending.first; at; at = next) {
		next = at->next;
		break_off(at, &transfers->broken, LOG_INFO, "broken off");
	}
}
