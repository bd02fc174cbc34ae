/* Making and judging answers. Only what the bench itself asks is understood: one question, no
 * compression in it. A server that answers in another form than a pointer to the question's name
 * and one A record would be called wrong here, and that is meant: it is looked at, then allowed. */
#include "bench/answer.h"

#include <arpa/inet.h>
#include <stdbool.h>
#include <string.h>

enum { TYPE_A = 1, TYPE_SOA = 6, RCODE_NXDOMAIN = 3, A_BYTES = 16, OPT_BYTES = 11 };

/* RFC 1035 section 3.3.13, with the root as MNAME and RNAME; the minimum is the negative TTL. */
static const uint8_t soa_data[] = {0, 22, 0, 0,  0, 0, 0,  1,   0, 0, 14, 16,
				   0, 0,  2, 88, 0, 1, 81, 128, 0, 0, 1,  44};
static const uint8_t opt[OPT_BYTES] = {0, 0, 41, 0x04, 0xd0};

static uint32_t number_of(const uint8_t *label)
{
	uint32_t number = 0;
	for (unsigned i = 2; i <= label[0] && label[i] >= '0' && label[i] <= '9'; i++)
		number = number * 10 + (label[i] - '0');
	return number;
}

/* Where the question ends, 0 when it does not. */
static size_t question_end(const uint8_t *packet, size_t length)
{
	size_t at = DNS_HEADER_BYTES;
	while (at < length && packet[at] && packet[at] < 64)
		at += packet[at] + 1u;
	return at + 5 <= length && !packet[at] ? at + 5 : 0;
}

/* owner is where in the message the record's name stands. */
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
	bool positive = !missing && packet[end - 3] == TYPE_A && !packet[end - 4];
	uint8_t *at = packet + end;
	packet[2] = (uint8_t)(0x84 | (packet[2] & 1));
	packet[3] = (uint8_t)(0x80 | (missing ? RCODE_NXDOMAIN : 0));
	memset(packet + 6, 0, 6);
	packet[positive ? 7 : 9] = 1;
	packet[11] = with_opt;
	if (positive) {
		uint32_t address = htonl(ANSWER_BASE | (number_of(label) & ANSWER_MASK));
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

static bool is_the_record(const uint8_t *record, const struct question *question)
{
	static const uint8_t head[] = {0xc0, DNS_HEADER_BYTES, 0, TYPE_A, 0, 1};
	static const uint8_t four[] = {0, 4};
	uint32_t address = htonl(question->address);
	return memcmp(record, head, sizeof head) == 0 &&
	       memcmp(record + 10, four, sizeof four) == 0 &&
	       memcmp(record + 12, &address, sizeof address) == 0;
}

enum answer_check answer_check(const uint8_t *packet, size_t length,
			       const struct question *question)
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
	if (positive && (length < end + A_BYTES || !is_the_record(packet + end, question)))
		return ANSWER_RECORD;
	return ANSWER_RIGHT;
}
