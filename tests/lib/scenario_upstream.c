/* The upstreams of a story: packets to an upstream, and replies from it or from somebody in its
 * place. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "rules/rcode.h"
#include "rules/text.h"
#include "tests/lib/message_text.h"
#include "tests/lib/scenario_internal.h"

static bool parse_actor(struct scenario *s, const char *actor, struct host *host)
{
	return host_parse(host, actor, 53) == 0 ||
	       scenario_fail(s, "%s is not an upstream's address", actor);
}

static const char *question_of(const struct stage_packet *packet, char *text, size_t size)
{
	struct message_text read;
	char host[HOST_TEXT_MAX], source[ADDRESS_TEXT_MAX] = "";

	if (packet->source.family)
		address_print(&packet->source, source);
	message_read_text(&read, packet->wire, packet->length);
	snprintf(text, size, "%s is asked %s%s%s%s%s%s%s", host_print(&packet->peer, host),
		 read.question, packet->tcp ? " tcp" : "", read.edns ? "" : " plain",
		 read.dnssec_ok ? " do" : "", message_flags(packet->wire) & FLAG_CD ? " cd" : "",
		 *source ? " from " : "", source);
	message_text_release(&read);
	return text;
}

bool upstreams_are_told(struct scenario *s)
{
	char text[SCENARIO_LINE];

	for (const struct stage_packet *p = s->stage->packets; p; p = p->next)
		if (!p->seen)
			return scenario_fail(s, "before this, and not told: %s",
					     question_of(p, text, sizeof text));
	return true;
}

/* ---- is asked ---- */

/* Whether the words after "is asked" describe this packet. */
static bool packet_is(struct scenario *s, const struct stage_packet *packet)
{
	char text[SCENARIO_LINE], told[SCENARIO_LINE] = "";

	question_of(packet, text, sizeof text);
	for (unsigned i = 3; i < s->word_count; i++)
		text_append(told, sizeof told, "%s%s", i > 3 ? " " : "", s->words[i]);
	s->used = s->word_count;
	const char *asked = strstr(text, " is asked ") + strlen(" is asked ");
	size_t length = strlen(told);
	/* The source may be left out. */
	if (strncmp(asked, told, length) == 0 &&
	    (asked[length] == '\0' || strncmp(asked + length, " from ", 6) == 0))
		return true;
	return scenario_fail(s, "expected \"%s\", but %s", told, text);
}

static bool is_asked_once(struct scenario *s, const char *actor, const struct host *host)
{
	char text[SCENARIO_LINE];

	for (struct stage_packet *p = s->stage->packets; p; p = p->next) {
		if (p->seen || !host_equal(&p->peer, host))
			continue;
		p->seen = true;
		return packet_is(s, p);
	}
	for (const struct stage_packet *p = s->stage->packets; p; p = p->next)
		if (!p->seen)
			return scenario_fail(s, "%s is not asked, but %s", actor,
					     question_of(p, text, sizeof text));
	return scenario_fail(s, "%s is not asked, and nobody else either", actor);
}

/* Takes "38 times" off the line's end; 1 without it. */
static long take_times(struct scenario *s)
{
	if (s->word_count < 5 || strcmp(s->words[s->word_count - 1], "times") != 0)
		return 1;
	s->word_count -= 2;
	return strtol(s->words[s->word_count], NULL, 10);
}

bool upstream_is(struct scenario *s, const char *actor)
{
	struct host host;

	if (!scenario_take(s, "asked"))
		return scenario_fail(s, "is what?");
	if (strcmp(actor, "nobody") == 0)
		return scenario_end_of_words(s) && upstreams_are_told(s);
	if (!parse_actor(s, actor, &host))
		return false;
	for (long times = take_times(s); times > 0; times--)
		if (!is_asked_once(s, actor, &host))
			return false;
	return true;
}

/* ---- says ---- */

/* The question to answer: the oldest unanswered one, or the newest one for a name. */
static struct stage_packet *find_question(struct scenario *s, const struct host *host,
					  const char *name)
{
	struct stage_packet *found = NULL;

	for (struct stage_packet *p = s->stage->packets; p; p = p->next) {
		char text[SCENARIO_LINE];

		if (!p->seen || p->answered || !host_equal(&p->peer, host))
			continue;
		if (!name)
			return p;
		const char *asked = strstr(question_of(p, text, sizeof text), " is asked ") + 10;
		if (strncmp(asked, name, strlen(name)) == 0 && asked[strlen(name)] == ' ')
			found = p;
	}
	return found;
}

struct told_reply {
	uint8_t wire[MESSAGE_MAX];
	size_t length;
	struct host from;
	void *socket;
	struct stage_packet elsewhere; /* a socket nobody waits at */
	bool again;                    /* the question stays open for another reply */
};

static void with_wrong_id(struct told_reply *saying)
{
	saying->wire[1] ^= 1;
}

static void with_wrong_name(struct told_reply *saying)
{
	saying->wire[MESSAGE_HEADER + 1] ^= 1;
}

static void with_wrong_type(struct told_reply *saying)
{
	saying->wire[MESSAGE_HEADER + name_wire_length(saying->wire + MESSAGE_HEADER) + 1] ^= 1;
}

static void with_case_changed(struct told_reply *saying)
{
	saying->wire[MESSAGE_HEADER + 1] ^= 0x20;
}

static void without_question(struct told_reply *saying)
{
	wire_put16(saying->wire + 4, 0);
}

static void from_wrong_port(struct told_reply *saying)
{
	saying->from.port++;
}

static void from_wrong_address(struct told_reply *saying)
{
	saying->from.address.bytes[3]++;
}

static void at_wrong_socket(struct told_reply *saying)
{
	saying->socket = &saying->elsewhere;
}

static void as_a_question(struct told_reply *saying)
{
	saying->wire[2] &= 0x7f;
}

static void cut_short(struct told_reply *saying)
{
	saying->length -= 3;
}

static void with_one_record_too_few(struct told_reply *saying)
{
	wire_put16(saying->wire + 6, (uint16_t)(wire_u16(saying->wire + 6) + 1));
}

/* The first record's owner points to itself. */
static void with_pointer_loop(struct told_reply *saying)
{
	size_t at = MESSAGE_HEADER + name_wire_length(saying->wire + MESSAGE_HEADER) + 4;

	wire_put16(saying->wire + at, (uint16_t)(0xc000 | at));
}

/* Adds two well-formed records. The data of the first are pointers: the first one points to the
 * question's name, each other one to the pointer before it. The second record's owner points to the
 * last of these pointers. */
static void with_pointer_chain(struct told_reply *saying)
{
	static const uint8_t opaque[RECORD_FIXED] = {0xff, 0, 0, CLASS_IN};
	size_t to = MESSAGE_HEADER;
	uint8_t *at = saying->wire + saying->length;

	*at++ = 0;
	memcpy(at, opaque, sizeof opaque);
	wire_put16(at + RECORD_FIXED - 2, 2 * WIRE_JUMPS_MAX);
	at += RECORD_FIXED;
	for (unsigned i = 0; i <= WIRE_JUMPS_MAX; i++) { /* the last one is the owner */
		wire_put16(at, (uint16_t)(0xc000 | to));
		to = (size_t)(at - saying->wire);
		at += 2;
	}
	memcpy(at, opaque, sizeof opaque);
	saying->length = (size_t)(at + RECORD_FIXED - saying->wire);
	wire_put16(saying->wire + 10, (uint16_t)(wire_u16(saying->wire + 10) + 2));
}

/* The first record's rdata is a pointer to the header's count of questions, whose upper byte is 0,
 * which would read as the root. It becomes the last thing in the message. */
static void with_header_pointer(struct told_reply *saying)
{
	struct message_walk walk = message_walk_from(
		saying->wire, saying->length,
		MESSAGE_HEADER + name_wire_length(saying->wire + MESSAGE_HEADER) + 4);
	struct record_view record;

	if (message_read_record(&walk, &record) != 0)
		return;
	wire_put16(saying->wire + record.rdata - 2, 2);
	wire_put16(saying->wire + record.rdata, 0xc004);
	saying->length = record.rdata + 2;
}

static void with_opt(struct told_reply *saying)
{
	static const uint8_t opt[MESSAGE_OPT] = {0, 0, TYPE_OPT, 4, 208, 0, 0, 0x80};

	memcpy(saying->wire + saying->length, opt, sizeof opt);
	saying->length += sizeof opt;
	wire_put16(saying->wire + 10, (uint16_t)(wire_u16(saying->wire + 10) + 1));
}

static void with_opcode(struct told_reply *saying)
{
	saying->wire[2] |= 4 << 3;
}

static const struct twist {
	const char *words;
	void (*twist)(struct told_reply *saying);
} twists[] = {
	{"with a wrong id", with_wrong_id},
	{"with a wrong name", with_wrong_name},
	{"with a wrong type", with_wrong_type},
	{"with the case changed", with_case_changed},
	{"without a question", without_question},
	{"from a wrong port", from_wrong_port},
	{"from a wrong address", from_wrong_address},
	{"at a wrong socket", at_wrong_socket},
	{"as a question", as_a_question},
	{"cut short", cut_short},
	{"with one record too few", with_one_record_too_few},
	{"with a pointer loop", with_pointer_loop},
	{"with a chain of pointers", with_pointer_chain},
	{"with a pointer into the header", with_header_pointer},
	{"with another opcode", with_opcode},
	{"with an OPT", with_opt},
};

static bool twist(struct scenario *s, struct told_reply *saying)
{
	for (size_t i = 0; i < sizeof twists / sizeof twists[0]; i++)
		if (scenario_take(s, twists[i].words)) {
			twists[i].twist(saying);
			return true;
		}
	return scenario_fail(s, "but what?");
}

static uint16_t read_flags(struct scenario *s)
{
	uint16_t flags = FLAG_RA | FLAG_RD;

	for (;;) {
		if (scenario_take(s, "aa"))
			flags |= FLAG_AA;
		else if (scenario_take(s, "tc"))
			flags |= FLAG_TC;
		else if (scenario_take(s, "ad"))
			flags |= FLAG_AD;
		else
			return flags;
	}
}

static bool deliver(struct scenario *s, struct stage_packet *packet, struct told_reply *saying)
{
	packet->answered = !saying->again;
	lookup_on_reply(&s->stage->lookups, saying->socket, &saying->from, saying->wire,
			saying->length, s->stage->now_us);
	return true;
}

/* says RCODE [aa] [tc] [ad] [to NAME] [but ...] [first] */
static bool say(struct scenario *s, struct told_reply *saying)
{
	const char *rcode = scenario_word(s);
	uint16_t flags = read_flags(s);
	const char *name = scenario_take(s, "to") ? scenario_word(s) : NULL;
	struct stage_packet *packet = find_question(s, &saying->from, name);

	if (!rcode || rcode_parse(rcode) < 0)
		return scenario_fail(s, "says what?");
	if (!packet)
		return scenario_fail(s, "it has no question to answer");
	unsigned but_at = s->used;
	char *records = scenario_records(s);
	if (!records)
		return false;
	saying->length = reply_write(saying->wire, packet->wire, packet->length,
				     (unsigned)rcode_parse(rcode), flags, records);
	free(records);
	if (!saying->length)
		return scenario_fail(s, "no reply can be made of this");
	s->used = but_at;
	saying->socket = packet;
	if (scenario_take(s, "but") && !twist(s, saying))
		return false;
	saying->again = scenario_take(s, "first");
	return scenario_end_of_words(s) && deliver(s, packet, saying);
}

bool upstream_says(struct scenario *s, const char *actor)
{
	struct told_reply *saying = calloc(1, sizeof *saying);
	bool good = saying && parse_actor(s, actor, &saying->from) && say(s, saying);

	free(saying);
	return good;
}

/* "ID" stands for the question's id, everything else is hexadecimal. */
static bool read_bytes(struct scenario *s, struct told_reply *saying,
		       const struct stage_packet *packet)
{
	for (const char *word; (word = scenario_word(s));) {
		if (strcmp(word, "ID") == 0) {
			memcpy(saying->wire + saying->length, packet->wire, 2);
			saying->length += 2;
			continue;
		}
		for (; word[0] && word[1]; word += 2) {
			unsigned byte;

			if (sscanf(word, "%2x", &byte) != 1)
				return scenario_fail(s, "%s is not hexadecimal", word);
			saying->wire[saying->length++] = (uint8_t)byte;
		}
	}
	return true;
}

bool upstream_sends(struct scenario *s, const char *actor)
{
	struct told_reply *saying = calloc(1, sizeof *saying);
	bool good = saying && parse_actor(s, actor, &saying->from);
	struct stage_packet *packet = good ? find_question(s, &saying->from, NULL) : NULL;

	if (good && !packet)
		good = scenario_fail(s, "it has no question to answer");
	if (good) {
		saying->socket = packet;
		saying->again = scenario_take(s, "first");
		good = read_bytes(s, saying, packet) && deliver(s, packet, saying);
	}
	free(saying);
	return good;
}

/* ---- the network ---- */

static bool error_comes_back(struct scenario *s, const char *actor, enum target_error error)
{
	struct host host;

	if (!parse_actor(s, actor, &host))
		return false;
	struct stage_packet *packet = find_question(s, &host, NULL);
	if (!packet || !packet->flight)
		return scenario_fail(s, "it has no question that waits");
	packet->answered = true;
	lookup_on_error(packet->flight, error, s->stage->now_us);
	return scenario_end_of_words(s);
}

bool upstream_refuses(struct scenario *s, const char *actor)
{
	return error_comes_back(s, actor, TARGET_ERROR_NETWORK);
}

bool upstream_closes(struct scenario *s, const char *actor)
{
	return error_comes_back(s, actor, TARGET_ERROR_CLOSED);
}

bool upstream_can(struct scenario *s, const char *actor)
{
	struct host host;
	bool reachable = strcmp(s->words[1], "can") == 0;
	struct stage *stage = s->stage;

	if (!parse_actor(s, actor, &host) ||
	    !(scenario_take(s, "be reached") || scenario_take(s, "be used")))
		return scenario_fail(s, "can what?");
	if (!reachable) {
		if (stage->unreachable_count == STAGE_DARK_MAX)
			return scenario_fail(s, "too many that cannot be reached");
		stage->unreachable[stage->unreachable_count++] = host;
		return scenario_end_of_words(s);
	}
	for (unsigned i = 0; i < stage->unreachable_count; i++)
		if (host_equal(&stage->unreachable[i], &host))
			stage->unreachable[i] = stage->unreachable[--stage->unreachable_count];
	return scenario_end_of_words(s);
}
