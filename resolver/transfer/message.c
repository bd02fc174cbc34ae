#include "resolver/transfer/message.h"

#include <string.h>

static size_t room_of(const struct tsig_context *tsig)
{
	return tsig ? tsig_room(tsig) : 0;
}

struct message_end transfer_message_end(const struct query *query, const struct policy_hold *hold,
					const struct tsig_context *tsig)
{
	return (struct message_end){
		.rcode = RCODE_NOERROR,
		.ede = EDE_NONE,
		.payload = (uint16_t)hold->policy->udp_payload_max,
		.limit = query->limit - room_of(tsig),
	};
}

void transfer_writer_init(struct transfer_writer *writer, const struct query *query,
			  const struct policy_hold *hold, const struct tsig_context *tsig,
			  const struct transfer_zone *zone)
{
	memset(writer, 0, sizeof *writer);
	writer->query = query;
	writer->hold = hold;
	writer->zone = zone;
	writer->is_signed = tsig;
	if (tsig)
		writer->tsig = *tsig;
}

void transfer_writer_begin(struct transfer_writer *writer, enum stream_kind kind, size_t version)
{
	writer->kind = kind;
	writer->records = 0;
	transfer_stream_begin(&writer->stream, writer->hold->transfers, writer->zone, kind,
			      version);
	writer->has_record = transfer_stream_next(&writer->stream, &writer->record);
}

/* Puts what fits below `limit` into the message, at least one record. */
static void fill(struct transfer_writer *writer, struct message *message, size_t limit)
{
	size_t apex_length = writer->zone->name.length;

	while (writer->has_record) {
		const struct stream_record *record = &writer->record;
		size_t lead = name_wire_length(record->owner) - apex_length;
		bool first = message->counts[SECTION_ANSWER] == 0;

		if (!first && message->length + lead + 2 + record->rest_length > limit)
			return;
		if (message_add_below(message, SECTION_ANSWER, record->owner, lead, MESSAGE_HEADER,
				      record->rest, record->rest_length) == 0)
			return;
		writer->records++;
		writer->has_record = transfer_stream_next(&writer->stream, &writer->record);
	}
}

size_t transfer_writer_next(struct transfer_writer *writer, uint8_t *buffer, size_t limit,
			    uint64_t time_s)
{
	const struct query *query = writer->query;
	const struct tsig_context *tsig = writer->is_signed ? &writer->tsig : NULL;
	struct message_end end = transfer_message_end(query, writer->hold, tsig);
	size_t rest = MESSAGE_OPT + room_of(tsig);
	struct message message;

	end.authoritative = true;
	message_begin(&message, buffer, MESSAGE_MAX - rest, query->question,
		      query->request.question_length);
	fill(writer, &message, limit - rest);
	if (message.counts[SECTION_ANSWER] == 0)
		return 0;
	message.capacity = MESSAGE_MAX;
	message.overflow = false; /* the record that did not fit comes next */
	size_t length = message_finish(&message, &query->request, &end);
	if (tsig)
		length = tsig_sign(&writer->tsig, buffer, length, MESSAGE_MAX, time_s);
	writer->messages++;
	writer->bytes += length;
	return length;
}
