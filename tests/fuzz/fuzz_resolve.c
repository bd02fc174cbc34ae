/* The resolver against a script. An input is steps of two bytes, what and with what:
 *
 *     ask       a question by number, in a place by number, in some manner
 *     answer    a packet that went out, by number, gets a reply by number: good ones, errors, lies
 *     refuse    it gets a network error
 *     wait      milliseconds, or twenty times as many
 *     cut       an upstream cannot be reached any more, or can again
 *     reload    another configuration; questions under way keep theirs
 *     forget    the cache is emptied, or few may wait at a target from now on
 *     cancel    a client's question is given up
 *
 * Every client is answered once, within the deadline, with what world.c checks; a reply that does
 * not belong to what waits is not taken; and when it is over nothing is left of it. */
#include "tests/fuzz/world.h"
#include "tests/lib/message_text.h"

enum { STEPS_MAX = 64, RELOADS_MAX = 1, MS = 1000, WAITED_MAX_US = 8 * 1000 * MS };

struct play {
	struct fuzz_world *world;
	unsigned how, reloads;
	uint64_t waited_us;
};

static const struct {
	unsigned rcode;
	const char *records;
} sayings[] = {
	{RCODE_NOERROR, "answer www.rule.test. 30 IN A 192.0.2.200\n"},
	{RCODE_NOERROR, "answer www.rule.test. 5 IN CNAME www.corp.test.\n"},
	{RCODE_NOERROR, "answer www.rule.test. 300 IN CNAME deep.sub.rule.test.\n"
			"answer deep.sub.rule.test. 1 IN A 192.0.2.201\n"},
	{RCODE_NOERROR, "answer a.b.follow.test. 60 IN CNAME www.elsewhere.example.\n"},
	{RCODE_NOERROR, "answer www.elsewhere.example. 60 IN CNAME vm.privatelink.test.\n"
			"answer vm.privatelink.test. 60 IN A 203.0.113.1\n"},
	{RCODE_NOERROR, "answer www.elsewhere.example. 60 IN CNAME a.b.follow.test.\n"},
	{RCODE_NOERROR, "answer rule.test. 60 IN DNAME elsewhere.example.\n"
			"answer www.rule.test. 60 IN CNAME www.elsewhere.example.\n"},
	{RCODE_NOERROR, "answer www.elsewhere.example. 0 IN A 203.0.113.2\n"
			"additional www.corp.test. 300 IN A 203.0.113.66\n"},
	{RCODE_NOERROR, "answer loop.test. 60 IN CNAME loop.test.\n"},
	{RCODE_NOERROR, "answer tcp.test. 60 IN TXT \"by tcp\"\n"},
	{RCODE_NOERROR, "authority . 60 IN SOA . . 1 2 3 4 60\n"},
	{RCODE_NOERROR, "authority example. 60 IN NS ns.example.\n"},
	{RCODE_NOERROR, ""},
	{RCODE_NXDOMAIN, "authority . 60 IN SOA . . 1 2 3 4 60\n"},
	{RCODE_NXDOMAIN, "answer www.elsewhere.example. 20 IN CNAME none.corp.test.\n"
			 "authority . 60 IN SOA . . 1 2 3 4 60\n"},
	{RCODE_SERVFAIL, ""},
	{RCODE_REFUSED, ""},
	{RCODE_NOTIMP, ""},
	{RCODE_FORMERR, ""},
	{RCODE_YXDOMAIN, "answer rule.test. 60 IN DNAME elsewhere.example.\n"},
	{RCODE_NOERROR, "answer rule.test. 60 IN DNAME elsewhere.example.\n"},
	{RCODE_NOERROR, "answer example. 60 IN DNAME x.example.\n"},
};
enum { SAYINGS = COUNT(sayings) };

enum { WIRE_ROOM = 512 };
struct wire { /* what is said, to a question about the root */
	size_t length;
	uint8_t bytes[WIRE_ROOM];
};

static const struct wire *wire_of(unsigned number)
{
	static struct wire wires[SAYINGS];
	struct wire *wire = &wires[number];
	uint8_t query[MESSAGE_UDP_MIN], whole[MESSAGE_MAX];

	if (wire->length > 0)
		return wire;
	size_t length = request_write(query, 0, FLAG_RD, ".", 1, CLASS_IN, 0, false);
	wire->length = reply_write(whole, query, length, sayings[number].rcode, FLAG_RA,
				   sayings[number].records);
	FUZZ_CHECK(wire->length > 0 && wire->length <= sizeof wire->bytes);
	memcpy(wire->bytes, whole, wire->length);
	return wire;
}

/* The saying as a reply to this packet; with `own` its first record is of the name asked for. */
static size_t write_reply(const struct fuzz_packet *packet, unsigned number, bool own,
			  uint8_t reply[MESSAGE_UDP_MIN])
{
	const struct wire *wire = wire_of(number);
	struct message_walk walk = message_walk_from(wire->bytes, wire->length, MESSAGE_HEADER + 5);
	size_t question = name_wire_length(packet->wire + MESSAGE_HEADER) + 4;
	struct message message;

	message_begin(&message, reply, MESSAGE_UDP_MIN, packet->wire + MESSAGE_HEADER,
		      (uint16_t)question);
	for (enum section section = SECTION_ANSWER; section < SECTION_COUNT; section++) {
		for (unsigned n = wire_u16(wire->bytes + 6 + 2 * section); n > 0; n--) {
			struct record_view record;

			FUZZ_CHECK(message_read_record(&walk, &record) == 0);
			message_copy_record(&message, section, wire->bytes, wire->length, &record,
					    own ? MESSAGE_HEADER : 0, NULL, record.ttl);
			own = false;
		}
	}
	memcpy(reply, packet->wire, 2);
	memcpy(reply + 2, wire->bytes + 2, 2);
	wire_put16(reply + 4, 1);
	for (enum section section = SECTION_ANSWER; section < SECTION_COUNT; section++)
		wire_put16(reply + 6 + 2 * section, message.counts[section]);
	return message.length;
}

/* ---- steps ---- */

static void ask(struct play *play, uint8_t with)
{
	uint8_t wire[MESSAGE_UDP_MIN];
	size_t length = fuzz_question(with, play->how, wire);

	fuzz_ask(play->world, fuzz_place(with / FUZZ_QUESTIONS), wire, length, play->how & 32);
}

/* The latest is number 0. */
static struct fuzz_packet *packet_of(struct play *play)
{
	unsigned count = play->world->packet_count;

	return count ? &play->world->packets[count - 1 - play->how % count] : NULL;
}

enum lie { WRONG_ID, WRONG_NAME, WRONG_TYPE, NO_REPLY, WRONG_PORT, WRONG_ADDRESS, LIES };

static void tell_lie(enum lie lie, uint8_t *reply, struct host *peer)
{
	size_t type = MESSAGE_HEADER + name_wire_length(reply + MESSAGE_HEADER);

	switch (lie) {
	case WRONG_ID: reply[1] ^= 1; break;
	case WRONG_NAME: reply[MESSAGE_HEADER + 1] ^= 1; break;
	case WRONG_TYPE: reply[type + 1] ^= 1; break;
	case NO_REPLY: reply[2] &= 0x7f; break;
	case WRONG_PORT: peer->port++; break;
	case WRONG_ADDRESS: peer->address.bytes[3] ^= 1; break;
	case LIES: break;
	}
}

static void answer(struct play *play, uint8_t with)
{
	enum { PLAIN, OWN, TRUNCATED, LIE };
	struct fuzz_packet *packet = packet_of(play);
	unsigned number = with % 32 % SAYINGS, manner = with >> 5 & 3;
	uint8_t reply[MESSAGE_UDP_MIN];

	if (!packet)
		return;
	struct host peer = packet->peer;
	size_t length = write_reply(packet, number, manner != PLAIN, reply);
	if (manner == TRUNCATED)
		reply[2] |= FLAG_TC >> 8;
	if (manner == LIE)
		tell_lie(with % LIES, reply, &peer);
	for (int times = with & 0x80 ? 2 : 1; times > 0; times--) {
		bool waits = packet->flight != NULL;
		bool taken = fuzz_deliver(play->world, packet, &peer, reply, length);
		FUZZ_CHECK(taken == (waits && manner != LIE));
	}
}

static void refuse(struct play *play, uint8_t with)
{
	struct stage *stage = play->world->stage;
	struct fuzz_packet *packet = packet_of(play);

	if (packet && packet->flight)
		lookup_on_error(packet->flight,
				with & 1 ? TARGET_ERROR_NETWORK : TARGET_ERROR_SOURCE,
				stage->now_us);
}

static void wait(struct play *play, uint8_t with)
{
	uint64_t us = (uint64_t)with * (play->how & 1 ? 20 * MS : MS);

	play->waited_us += us;
	if (play->waited_us < WAITED_MAX_US)
		stage_pass(play->world->stage, us);
}

static void cut(struct play *play, uint8_t with)
{
	struct stage *stage = play->world->stage;
	struct host host;

	FUZZ_CHECK(host_parse(&host, "192.0.2.1", 53) == 0);
	host.address.bytes[3] = with % 64;
	for (unsigned i = 0; i < stage->unreachable_count; i++)
		if (host_equal(&stage->unreachable[i], &host)) {
			stage->unreachable[i] = stage->unreachable[--stage->unreachable_count];
			return;
		}
	if (stage->unreachable_count < STAGE_DARK_MAX)
		stage->unreachable[stage->unreachable_count++] = host;
}

static void reload(struct play *play, uint8_t with)
{
	(void)with;
	if (play->reloads++ < RELOADS_MAX)
		fuzz_reload(play->world);
}

static void forget(struct play *play, uint8_t with)
{
	if (with & 1)
		play->world->stage->lookups.target_max = with >> 1 & 7;
	else
		fuzz_forget(play->world);
}

static void cancel(struct play *play, uint8_t with)
{
	struct fuzz_world *world = play->world;

	if (world->client_count == 0)
		return;
	struct fuzz_client *client = &world->clients[with % world->client_count];
	if (client->answers == 0)
		resolve_cancel(&client->query);
}

const double fuzz_byte_us = 0.25;

int fuzz_one(const uint8_t *data, size_t size)
{
	static void (*const steps[8])(struct play * play, uint8_t with) = {
		ask, answer, refuse, wait, cut, reload, forget, cancel};
	struct fuzz_input input = {data, data + size};
	struct play play = {.world = fuzz_world()};

	for (unsigned i = 0; i < STEPS_MAX && fuzz_left(&input) > 0; i++) {
		uint8_t what = fuzz_u8(&input);

		play.how = what >> 3;
		steps[what & 7](&play, fuzz_u8(&input));
	}
	fuzz_refuse_all(play.world);
	fuzz_end(play.world);
	return 0;
}
