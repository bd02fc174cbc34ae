/* Packets from targets while a question is under way. An input is
 *
 *     question, how it is asked, then replies, each: control byte, length (2), bytes
 *
 * where the control byte says which packet that went out is answered, from where, and whether the
 * reply gets the right id and question, without which a fuzzer would seldom get past the first
 * comparison. What is taken for an answer is compared with what may be: the same socket, peer, id
 * and question (RFC 5452 section 9), nothing else. The client's answer is checked as it leaves; the
 * same question a second later is answered from the cache, and without room. */
#include "tests/fuzz/world.h"

enum {
	PATCHED = 0x80,   /* the reply gets its packet's id and question, and QR */
	ELSEWHERE = 0x40, /* from another port */
	MISQUOTED = 0x20, /* and then a byte of its question is another: place, difference */
	SILENCE = 0x40,   /* in how it is asked: what has no reply waits for its deadline */
	LETTERS = 0x80,   /* there, too: in random capitals */
	REPLIES = 16,
	REPLY_ROOM = MESSAGE_MAX,
};

/* Bytes of a packet's question. */
static size_t question_length(const struct fuzz_packet *packet)
{
	return name_wire_length(packet->wire + MESSAGE_HEADER) + 4;
}

/* Whether the reply may be taken for one to this packet; written down here once more, slowly. */
static bool may_answer(const struct fuzz_packet *packet, const uint8_t *reply, size_t length)
{
	size_t question = question_length(packet);
	size_t end = MESSAGE_HEADER + question - 4;
	bool cased = false, same = true;

	if (length < MESSAGE_HEADER || memcmp(reply, packet->wire, 2) != 0 || !(reply[2] & 0x80))
		return false;
	if (length == MESSAGE_HEADER)
		return strchr("\1\2\4\5", reply[3] & 0x0f) && (reply[3] & 0x0f) != 0;
	if (wire_u16(reply + 4) != 1 || length < MESSAGE_HEADER + question)
		return false;
	for (size_t i = MESSAGE_HEADER; i < end; i++) {
		if (name_lower(reply[i]) != name_lower(packet->wire[i]))
			return false;
		cased |= packet->wire[i] != name_lower(packet->wire[i]);
		same &= reply[i] == packet->wire[i];
	}
	if (cased && !same && !packet->tcp)
		return false;
	return memcmp(reply + end, packet->wire + end, 4) == 0;
}

static size_t make_reply(struct fuzz_input *input, uint8_t control,
			 const struct fuzz_packet *packet, uint8_t reply[REPLY_ROOM])
{
	size_t size = (size_t)fuzz_u8(input) << 8;
	size += fuzz_u8(input);
	if (size > fuzz_left(input))
		size = fuzz_left(input);
	if (size > REPLY_ROOM - MESSAGE_QUERY_MAX)
		size = REPLY_ROOM - MESSAGE_QUERY_MAX;
	const uint8_t *bytes = input->at;
	input->at += size;
	if (!(control & PATCHED) || size < MESSAGE_HEADER) {
		memcpy(reply, bytes, size);
		return size;
	}
	size_t question = question_length(packet);
	memcpy(reply, bytes, MESSAGE_HEADER);
	memcpy(reply, packet->wire, 2);
	reply[2] |= 0x80;
	wire_put16(reply + 4, 1);
	memcpy(reply + MESSAGE_HEADER, packet->wire + MESSAGE_HEADER, question);
	memcpy(reply + MESSAGE_HEADER + question, bytes + MESSAGE_HEADER, size - MESSAGE_HEADER);
	if (control & MISQUOTED) {
		size_t place = fuzz_u8(input) % question;
		reply[MESSAGE_HEADER + place] ^= fuzz_u8(input);
	}
	return size + question;
}

static void deliver(struct fuzz_world *world, struct fuzz_input *input)
{
	uint8_t control = fuzz_u8(input), reply[REPLY_ROOM];
	struct fuzz_packet *packet = &world->packets[(control & 0x1f) % world->packet_count];
	size_t length = make_reply(input, control, packet, reply);
	struct host peer = packet->peer;

	if (control & ELSEWHERE)
		peer.port++;
	bool waits = packet->flight != NULL;
	bool taken = fuzz_deliver(world, packet, &peer, reply, length);
	FUZZ_CHECK(taken == (waits && !(control & ELSEWHERE) && may_answer(packet, reply, length)));
}

static void ask(struct fuzz_world *world, struct place place, unsigned number, unsigned how)
{
	uint8_t wire[MESSAGE_UDP_MIN];
	size_t length = fuzz_question(number, how, wire);

	fuzz_ask(world, place, wire, length, how & 32);
}

const double fuzz_byte_us = 0.25;

int fuzz_one(const uint8_t *data, size_t size)
{
	struct fuzz_world *world = fuzz_world();
	struct fuzz_input input = {data, data + size};
	unsigned number = fuzz_u8(&input), how = fuzz_u8(&input);
	struct place place = fuzz_place(number / FUZZ_QUESTIONS);

	world->stage->lookups.random_case = how & LETTERS;
	ask(world, place, number, how);
	for (unsigned i = 0; i < REPLIES && fuzz_left(&input) > 0 && world->packet_count > 0; i++)
		deliver(world, &input);
	if (!(how & SILENCE))
		fuzz_refuse_all(world);
	stage_pass(world->stage, 1000 * 1000);
	ask(world, place, number, how);
	ask(world, place, number, how | 1); /* 512 bytes */
	if (!(how & SILENCE))
		fuzz_refuse_all(world);
	fuzz_end(world);
	world->stage->lookups.random_case = false;
	return 0;
}
