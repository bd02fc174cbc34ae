#include "tests/lib/soa_answer.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

static size_t question_end(const struct exchange_message *question)
{
	size_t end;

	assert_true(wire_skip_name(question->bytes, question->length, MESSAGE_HEADER, WIRE_HEADER,
				   &end, NULL) > 0);
	return end + 4;
}

size_t soa_answer(const struct exchange_message *question, unsigned flags, uint16_t rtype,
		  uint32_t serial, uint8_t bytes[EXCHANGE_MAX])
{
	/* The zone as primary and as mailbox, then the numbers. */
	uint8_t record[12 + 4 + 20] = {0xc0, 0x0c, 0, 0,  0,    CLASS_IN, 0,    0,
				       0,    60,   0, 24, 0xc0, 0x0c,     0xc0, 0x0c};
	size_t length = question_end(question);

	memcpy(bytes, question->bytes, length);
	wire_put16(bytes + 2, (uint16_t)flags);
	wire_put16(bytes + 6, rtype != 0);
	wire_put16(bytes + 8, 0);
	wire_put16(bytes + 10, 0);
	if (!rtype)
		return length;
	wire_put16(record + 2, rtype);
	wire_put32(record + 16, serial);
	size_t used = rtype == TYPE_CNAME ? 14 : sizeof record;
	wire_put16(record + 10, (uint16_t)(used - 12));
	memcpy(bytes + length, record, used);
	return length + used;
}

size_t soa_answer_sign(const struct exchange_message *question, const struct tsig_key *key,
		       uint64_t asked_s, uint64_t now_s, uint8_t bytes[EXCHANGE_MAX], size_t length)
{
	unsigned records = wire_u16(question->bytes + 6) + wire_u16(question->bytes + 10);
	struct message_walk walk =
		message_walk_from(question->bytes, question->length, question_end(question));
	struct record_view record = {0};
	struct tsig_context tsig;

	assert_true(records > 0);
	while (records-- > 0)
		assert_int_equal(message_read_record(&walk, &record), 0);
	assert_int_equal(record.type, TYPE_TSIG);
	assert_int_equal(
		tsig_check(&tsig, key, 1, question->bytes, question->length, record.owner, asked_s),
		TSIG_FINE);
	return tsig_sign(&tsig, bytes, length, EXCHANGE_MAX, now_s);
}
