/* Asks for the SOA as a secondary asks its primary: without recursion, and with an OPT, because a
 * signed answer may exceed 512 bytes. */
#include "resolver/control/service/exchange.h"

#include <string.h>

#include "endpoints/entropy.h"

/* ---- sending ---- */

static void begin(struct exchange *exchange, const struct tsig_key *key)
{
	*exchange = (struct exchange){.open = true, .key = key};
	entropy_read(&exchange->id, sizeof exchange->id);
}

static void finish(struct exchange *exchange, size_t length, uint64_t now_s,
		   struct exchange_message *out)
{
	struct tsig_context tsig;

	out->length = length;
	if (!exchange->key)
		return;
	tsig_begin(&tsig, exchange->key, exchange->id);
	out->length = tsig_sign(&tsig, out->bytes, length, EXCHANGE_MAX, now_s);
	exchange->mac_length = tsig.mac_length;
	memcpy(exchange->mac, tsig.mac, tsig.mac_length);
}

/* RFC 1996 section 3.7: the question names the zone, the answer section has the SOA. */
void exchange_notify(struct exchange *exchange, const struct name *zone, const struct rrset *soa,
		     const struct tsig_key *key, uint64_t now_s, struct exchange_message *out)
{
	uint8_t question[MESSAGE_QUESTION_MAX], *bytes = out->bytes;
	struct message message;

	begin(exchange, key);
	memcpy(question, zone->wire, zone->length);
	wire_put16(question + zone->length, TYPE_SOA);
	wire_put16(question + zone->length + 2, CLASS_IN);
	message_begin(&message, bytes, EXCHANGE_MAX, question, (uint16_t)(zone->length + 4U));
	message_add_rrset(&message, SECTION_ANSWER, soa, MESSAGE_HEADER, NULL, UINT32_MAX);
	wire_put16(bytes, exchange->id);
	wire_put16(bytes + 2, OPCODE_NOTIFY << 11 | FLAG_AA);
	wire_put16(bytes + 4, 1);
	wire_put16(bytes + 6, message.counts[SECTION_ANSWER]);
	finish(exchange, message.length, now_s, out);
}

void exchange_ask(struct exchange *exchange, const struct name *zone, const struct tsig_key *key,
		  uint64_t now_s, struct exchange_message *out)
{
	begin(exchange, key);
	size_t length = message_write_query(out->bytes, exchange->id, zone->wire, zone->length,
					    TYPE_SOA, false, false, true);
	wire_put16(out->bytes + 2, 0); /* no RD */
	finish(exchange, length, now_s, out);
}

void exchange_close(struct exchange *exchange)
{
	*exchange = (struct exchange){.open = false};
}

void exchange_follow_key(struct exchange *exchange, const struct tsig_key *key)
{
	if (!exchange->key)
		return;
	if (key && tsig_key_equal(exchange->key, key))
		exchange->key = key;
	else
		exchange_close(exchange);
}

/* ---- answers ---- */

bool exchange_read(struct exchange_answer *answer, const uint8_t *packet, size_t length)
{
	static const struct hash_key any;

	if (length < MESSAGE_HEADER)
		return false;
	answer->packet = packet;
	answer->length = length;
	answer->flags = message_flags(packet);
	return (answer->flags & FLAG_QR) &&
	       name_from_wire(&answer->zone, &any, packet, length, MESSAGE_HEADER,
			      &answer->question_at) == 0;
}

/* The start of the TSIG record of a message with one question; 0: none, or malformed. */
static size_t find_tsig(const struct exchange_answer *answer)
{
	const uint8_t *packet = answer->packet;
	unsigned records = wire_u16(packet + 6) + wire_u16(packet + 8) + wire_u16(packet + 10);
	struct record_view record = {0};

	if (wire_u16(packet + 4) != 1 || answer->length - answer->question_at < 4)
		return 0;
	struct message_walk walk =
		message_walk_from(packet, answer->length, answer->question_at + 4);
	for (unsigned i = 0; i < records; i++)
		if (message_read_record(&walk, &record) != 0)
			return 0;
	return records && walk.at == answer->length && record.type == TYPE_TSIG ? record.owner : 0;
}

static bool is_signed_well(const struct exchange *exchange, const struct exchange_answer *answer,
			   uint64_t now_s)
{
	struct tsig_context tsig;

	if (!exchange->key)
		return true;
	size_t tsig_at = find_tsig(answer);
	tsig_begin(&tsig, exchange->key, exchange->id);
	tsig.mac_length = exchange->mac_length;
	memcpy(tsig.mac, exchange->mac, exchange->mac_length);
	return tsig_at && tsig_check_answer(&tsig, answer->packet, answer->length, tsig_at,
					    now_s) == TSIG_FINE;
}

enum exchange_result exchange_receive(struct exchange *exchange,
				      const struct exchange_answer *answer, uint64_t now_s)
{
	if (!exchange->open || exchange->id != wire_u16(answer->packet))
		return EXCHANGE_FOREIGN;
	if (!is_signed_well(exchange, answer, now_s))
		return EXCHANGE_UNSIGNED;
	exchange_close(exchange);
	return EXCHANGE_ANSWERED;
}
