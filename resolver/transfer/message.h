/* A transfer as the messages that it is sent in: each has the question, as many records as fit, an
 * OPT where the client sent one, and its signature. Owners are compressed against the question,
 * which is the zone's name. */
#ifndef SLUICE_TRANSFER_MESSAGE_H
#define SLUICE_TRANSFER_MESSAGE_H

#include "endpoints/query.h"
#include "resolver/hold.h"
#include "resolver/transfer/stream.h"
#include "resolver/transfer/tsig.h"

struct transfer_writer {
	const struct query *query;
	const struct policy_hold *hold;
	struct tsig_context tsig;
	bool is_signed; /* every message is signed with it */
	const struct transfer_zone *zone;
	enum stream_kind kind;
	struct transfer_stream stream;
	struct stream_record record; /* the next one */
	bool has_record;
	size_t messages, records, bytes; /* so far */
};

/* What all answers of the query have in common. */
struct message_end transfer_message_end(const struct query *query, const struct policy_hold *hold,
					const struct tsig_context *tsig);

/* The tsig is copied; NULL: nothing is signed. */
void transfer_writer_init(struct transfer_writer *writer, const struct query *query,
			  const struct policy_hold *hold, const struct tsig_context *tsig,
			  const struct transfer_zone *zone);
/* Begins, also anew when nothing was sent yet. */
void transfer_writer_begin(struct transfer_writer *writer, enum stream_kind kind, size_t version);
/* Writes the next message into `buffer`, which has MESSAGE_MAX bytes, and up to `limit` of them, or
 * more for one record that is larger by itself. Returns its length; 0: the next record does not fit
 * into any message. has_record says whether there is more. */
size_t transfer_writer_next(struct transfer_writer *writer, uint8_t *buffer, size_t limit,
			    uint64_t time_s);

#endif
