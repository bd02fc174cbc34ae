/* Makes and judges answers. Understands only the bench's own questions: one question without
 * compression. A positive answer in another form than a pointer to the question's name and one A or
 * PTR record counts as wrong on purpose: then somebody looks at it, and allows the form here if it
 * is right. */
#include "bench/answer.h"

#include <arpa/inet.h>
#include <string.h>

enum { TYPE_A = 1, TYPE_SOA = 6, TYPE_PTR = 12, RCODE_NXDOMAIN = 3, OPT_BYTES = 11 };
enum { HEAD_BYTES = 12, TARGET_BYTES = 24 }; /* a record up to its data; a PTR's data */

/* RFC 1035 section 3.3.13, with the root as MNAME and RNAME; the minimum is the negative TTL. */
static const uint8_t soa_data[] = {0, 22, 0, 0,  0, 0, 0,  1,   0, 0, 14, 16,
				   0, 0,  2, 88, 0, 1, 81, 128, 0, 0, 1,  44};
static const uint8_t opt[OPT_BYTES] = {0, 0, 41, 0x04, 0xd0};

/* The number in a label, from its n-th character on. */
static uint32_t number_of(const uint8_t *label, unsigned from)
{
	uint32_t number = 0;
	for (unsigned i = from; i <= label[0] && label[i] >= '0' && label[i] <= '9'; i++)
		number = number * 10 + (label[i] - '0');
	return number;
}

/* The host of d.c.b.a.in-addr.arpa. */
static uint32_t reverse_number_of(const uint8_t *label)
{
	uint32_t address = 0;
	for (unsigned i = 0; i < 4; i++, label += *label + 1u)
		address |= (number_of(label, 1) & 255) << 8 * i;
	return address - REVERSE_BASE;
}

uint8_t *answer_put_label(uint8_t *at, char letter, uint32_t number)
{
	char digits[10];
	unsigned count = 0;
	do {
		digits[count++] = (char)('0' + number % 10);
		number /= 10;
	} while (number);
	*at++ = (uint8_t)(count + (letter != 0));
	if (letter)
		*at++ = (uint8_t)letter;
	while (count)
		*at++ = (uint8_t)digits[--count];
	return at;
}

/* Writes a PTR's data with its length. */
static uint8_t *target_put(uint8_t *at, uint32_t number)
{
	static const uint8_t zone[] = "\4priv\4test";
	uint8_t *end = answer_put_label(at + 2, 'h', number & ANSWER_MASK);
	memcpy(end, zone, sizeof zone); /* the root is the literal's final NUL */
	end += sizeof zone;
	at[0] = 0;
	at[1] = (uint8_t)(end - at - 2);
	return end;
}

/* The offset of the question's end; 0: it has none. */
static size_t question_end(const uint8_t *packet, size_t length)
{
	size_t at = DNS_HEADER_BYTES;
	while (at < length && packet[at] && packet[at] < 64)
		at += packet[at] + 1u;
	return at + 5 <= length && !packet[at] ? at + 5 : 0;
}

/* owner: the offset of the record's name in the message. */
static uint8_t *record_put(uint8_t *at, size_t owner, uint8_t type)
{
	const uint8_t head[] = {(uint8_t)(0xc0 | owner >> 8),
				(uint8_t)owner,
				0,
				type,
				0,
				1,
				0,
				0,
				ANSWER_TTL >> 8,
				ANSWER_TTL & 255};
	memcpy(at, head, sizeof head);
	return at + sizeof head;
}

size_t answer_make(uint8_t *packet, size_t length, size_t room)
{
	size_t end = length > DNS_HEADER_BYTES ? question_end(packet, length) : 0;
	if (!end || packet[2] & 0x80 || packet[5] != 1 || !packet[DNS_HEADER_BYTES] ||
	    end + 12 + sizeof soa_data + OPT_BYTES > room)
		return 0;
	const uint8_t *label = packet + DNS_HEADER_BYTES;
	bool missing = (label[1] | 0x20) == 'x', with_opt = packet[11] != 0;
	bool reverse = packet[end - 3] == TYPE_PTR && !packet[end - 4];
	bool positive = !missing && (reverse || (packet[end - 3] == TYPE_A && !packet[end - 4]));
	uint8_t *at = packet + end;
	packet[2] = (uint8_t)(0x84 | (packet[2] & 1));
	packet[3] = (uint8_t)(0x80 | (missing ? RCODE_NXDOMAIN : 0));
	memset(packet + 6, 0, 6);
	packet[positive ? 7 : 9] = 1;
	packet[11] = with_opt;
	if (positive && reverse) {
		at = record_put(at, DNS_HEADER_BYTES, TYPE_PTR);
		at = target_put(at, reverse_number_of(label));
	} else if (positive) {
		uint32_t address = htonl(ANSWER_BASE | (number_of(label, 2) & ANSWER_MASK));
		at = record_put(at, DNS_HEADER_BYTES, TYPE_A);
		*at++ = 0;
		*at++ = 4;
		memcpy(at, &address, 4);
		at += 4;
	} else { /* the zone's apex is taken to be the name's parent */
		at = record_put(at, DNS_HEADER_BYTES + label[0] + 1u, TYPE_SOA);
		memcpy(at, soa_data, sizeof soa_data);
		at += sizeof soa_data;
	}
	if (with_opt) {
		memcpy(at, opt, OPT_BYTES);
		at += OPT_BYTES;
	}
	return (size_t)(at - packet);
}

const char *answer_check_text(enum answer_check check)
{
	static const char *const texts[] = {
#define X(name, text) [ANSWER_##name] = (text),
		ANSWER_MAP(X)
#undef X
	};
	return texts[check];
}

/* Compares the record's head, data length and data, but not its TTL. */
static bool is_the_record(const uint8_t *record, size_t length,
			  const struct bench_question *question)
{
	uint8_t head[] = {0xc0, DNS_HEADER_BYTES, 0, question->reverse ? TYPE_PTR : TYPE_A, 0, 1};
	uint8_t data[TARGET_BYTES] = {0, 4};
	uint32_t address = htonl(question->address);
	size_t data_bytes = 6;
	if (question->reverse)
		data_bytes = (size_t)(target_put(data, question->address) - data);
	else
		memcpy(data + 2, &address, 4);
	return length >= HEAD_BYTES - 2 + data_bytes && memcmp(record, head, sizeof head) == 0 &&
	       memcmp(record + HEAD_BYTES - 2, data, data_bytes) == 0;
}

enum answer_check answer_check(const uint8_t *packet, size_t length,
			       const struct bench_question *question)
{
	size_t end = DNS_HEADER_BYTES + question->length;
	if (length < end || !(packet[2] & 0x80))
		return ANSWER_SHORT;
	if (packet[4] || packet[5] != 1 ||
	    memcmp(packet + DNS_HEADER_BYTES, question->wire, question->length) != 0)
		return ANSWER_QUESTION;
	if (packet[2] & 2)
		return ANSWER_TRUNCATED;
	if ((packet[3] & 15) != question->rcode)
		return ANSWER_RCODE;
	bool positive = question->rcode == 0;
	if (packet[6] || packet[7] != positive)
		return ANSWER_RECORD;
	if (positive && !is_the_record(packet + end, length - end, question))
		return ANSWER_RECORD;
	return ANSWER_RIGHT;
}
