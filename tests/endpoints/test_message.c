/* DNS messages: what is refused and how, what a reply looks like to the last byte of its header,
 * truncation at the limit and one over, and that no bytes whatsoever lead astray. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <cmocka.h>

#include "endpoints/entropy.h"
#include "endpoints/message.h"
#include "tests/lib/random.h"

static const struct hash_key key = {1, 2};

/* ---- packets, built up ---- */

struct packet {
	uint8_t bytes[MESSAGE_MAX + 100];
	size_t length;
};

static void add(struct packet *packet, const void *bytes, size_t length)
{
	if (length > 0)
		memcpy(packet->bytes + packet->length, bytes, length);
	packet->length += length;
}

static void add16(struct packet *packet, unsigned value)
{
	wire_put16(packet->bytes + packet->length, (uint16_t)value);
	packet->length += 2;
}

static void header(struct packet *packet, unsigned flags, unsigned qd, unsigned an, unsigned ns,
		   unsigned ar)
{
	packet->length = 0;
	add16(packet, 0xabcd);
	add16(packet, flags);
	add16(packet, qd);
	add16(packet, an);
	add16(packet, ns);
	add16(packet, ar);
}

static const uint8_t qname[] = "\3wWw\4Corp\4test"; /* its NUL is the root */

static void question(struct packet *packet, unsigned type)
{
	add(packet, qname, sizeof qname);
	add16(packet, type);
	add16(packet, CLASS_IN);
}

static void record(struct packet *packet, const void *owner, size_t owner_length, unsigned type,
		   unsigned class, uint32_t ttl, const void *rdata, size_t rdata_length)
{
	add(packet, owner, owner_length);
	add16(packet, type);
	add16(packet, class);
	add16(packet, ttl >> 16);
	add16(packet, ttl & 0xffff);
	add16(packet, (unsigned)rdata_length);
	add(packet, rdata, rdata_length);
}

static void opt(struct packet *packet, unsigned payload, uint32_t ttl, const void *options,
		size_t length)
{
	record(packet, "", 1, TYPE_OPT, payload, ttl, options, length);
}

enum { QUESTION_BYTES = sizeof qname + 4 };

struct reading {
	enum request_state state;
	enum rcode rcode;
	struct request request;
	struct name name;
};

/* From a heap copy of exactly its length, so that a read too far is found out. */
static struct reading read_bytes(const uint8_t *bytes, size_t length)
{
	struct reading reading = {.rcode = 99};
	uint8_t *copy = malloc(length > 0 ? length : 1);
	memcpy(copy, bytes, length);
	reading.state = message_read_request(&reading.request, &reading.name, &key, copy, length,
					     &reading.rcode);
	free(copy);
	return reading;
}

static struct reading read_packet(const struct packet *packet)
{
	return read_bytes(packet->bytes, packet->length);
}

static void expect_error(const struct packet *packet, enum rcode rcode)
{
	struct reading reading = read_packet(packet);
	assert_int_equal(reading.state, REQUEST_ERROR);
	assert_int_equal(reading.rcode, rcode);
}

/* ---- requests ---- */

static void plain_question_is_read(void **state)
{
	(void)state;
	struct packet packet;
	header(&packet, FLAG_RD | FLAG_CD, 1, 0, 0, 0);
	question(&packet, TYPE_AAAA);
	struct reading reading = read_packet(&packet);
	assert_int_equal(reading.state, REQUEST_FINE);
	assert_int_equal(reading.request.id, 0xabcd);
	assert_int_equal(reading.request.flags, FLAG_RD | FLAG_CD);
	assert_int_equal(reading.request.type, TYPE_AAAA);
	assert_int_equal(reading.request.class, CLASS_IN);
	assert_int_equal(reading.request.question_length, QUESTION_BYTES);
	assert_int_equal(reading.request.payload, 512);
	assert_false(reading.request.edns);
	assert_int_equal(reading.name.labels, 3);
	assert_memory_equal(reading.name.wire, "\3www\4corp\4test", sizeof qname);
}

static void too_short_for_a_header_is_silent(void **state)
{
	(void)state;
	struct packet packet;
	header(&packet, 0, 0, 0, 0, 0);
	assert_int_equal(read_packet(&packet).state, REQUEST_ERROR);
	packet.length = 11;
	assert_int_equal(read_packet(&packet).state, REQUEST_SILENT);
	packet.length = 0;
	assert_int_equal(read_packet(&packet).state, REQUEST_SILENT);
}

static void reply_is_silent_even_when_malformed(void **state)
{
	(void)state;
	struct packet packet;
	header(&packet, FLAG_QR, 1, 0, 0, 0);
	question(&packet, TYPE_A);
	assert_int_equal(read_packet(&packet).state, REQUEST_SILENT);
	packet.length = 12;
	assert_int_equal(read_packet(&packet).state, REQUEST_SILENT);
}

static void other_opcodes_are_not_implemented(void **state)
{
	(void)state;
	struct packet packet;
	for (unsigned opcode = 1; opcode < 16; opcode++) {
		if (opcode == OPCODE_UPDATE)
			continue;
		header(&packet, opcode << 11, 1, 0, 0, 1);
		question(&packet, TYPE_SOA);
		opt(&packet, 1232, 0, "", 0);
		expect_error(&packet, RCODE_NOTIMP);
		struct reading reading = read_packet(&packet);
		assert_int_equal(reading.request.question_length, QUESTION_BYTES);
		assert_true(reading.request.edns);
	}
	header(&packet, OPCODE_NOTIFY << 11, 1, 0, 7, 0);
	add(&packet, "\77garbage", 8);
	expect_error(&packet, RCODE_NOTIMP);
	assert_int_equal(read_packet(&packet).request.question_length, 0);
}

/* Zone, two prerequisites and two changes without data of their type, an OPT, a TSIG. */
static void write_update(struct packet *packet, unsigned zones, unsigned additional)
{
	header(packet, OPCODE_UPDATE << 11, zones, 2, 2, additional);
	question(packet, TYPE_SOA);
	record(packet, "\1a\300\014", 4, TYPE_A, CLASS_NONE, 0, "", 0);
	record(packet, "\1b\300\014", 4, TYPE_ANY, CLASS_ANY, 0, "", 0);
	record(packet, "\1a\300\014", 4, TYPE_A, CLASS_ANY, 0, "", 0);
	record(packet, "\1a\300\014", 4, TYPE_A, CLASS_IN, 60, "\12\0\0\1", 4);
}

static void a_request_to_update_is_read_but_for_its_records(void **state)
{
	(void)state;
	struct packet packet;

	write_update(&packet, 1, 0);
	struct reading reading = read_packet(&packet);
	assert_int_equal(reading.state, REQUEST_UPDATE);
	assert_int_equal(reading.request.type, TYPE_SOA);
	assert_int_equal(reading.request.question_length, QUESTION_BYTES);
	assert_int_equal(reading.name.labels, 3);
	assert_int_equal(reading.request.tsig_at, 0);
	write_update(&packet, 1, 2);
	opt(&packet, 1232, 0, "", 0);
	size_t tsig_at = packet.length;
	record(&packet, "\1k", 3, TYPE_TSIG, CLASS_ANY, 0, "any", 3);
	reading = read_packet(&packet);
	assert_int_equal(reading.state, REQUEST_UPDATE);
	assert_true(reading.request.edns);
	assert_int_equal(reading.request.tsig_at, tsig_at);
}

static void a_request_to_update_that_does_not_add_up_is_formerr(void **state)
{
	(void)state;
	struct packet packet;

	for (unsigned zones = 0; zones < 3; zones += 2) {
		write_update(&packet, zones, 0);
		expect_error(&packet, RCODE_FORMERR);
	}
	write_update(&packet, 1, 0);
	for (size_t whole = packet.length; packet.length > MESSAGE_HEADER; packet.length--)
		assert_int_equal(read_packet(&packet).state,
				 packet.length == whole ? REQUEST_UPDATE : REQUEST_ERROR);
	write_update(&packet, 1, 0);
	add(&packet, "", 1);
	expect_error(&packet, RCODE_FORMERR);
	write_update(&packet, 1, 2); /* a TSIG that is not the last record */
	record(&packet, "\1k", 3, TYPE_TSIG, CLASS_ANY, 0, "any", 3);
	opt(&packet, 1232, 0, "", 0);
	expect_error(&packet, RCODE_FORMERR);
	write_update(&packet, 1, 2);
	opt(&packet, 1232, 0, "", 0);
	opt(&packet, 1232, 0, "", 0);
	expect_error(&packet, RCODE_FORMERR);
	header(&packet, OPCODE_UPDATE << 11, 1, 1, 0, 0); /* an OPT among prerequisites */
	question(&packet, TYPE_SOA);
	opt(&packet, 1232, 0, "", 0);
	expect_error(&packet, RCODE_FORMERR);
	write_update(&packet, 1, 1);
	opt(&packet, 1232, 0x00010000, "", 0);
	expect_error(&packet, RCODE_BADVERS);
	packet.bytes[2] |= FLAG_QR >> 8;
	assert_int_equal(read_packet(&packet).state, REQUEST_SILENT);
}

static void any_number_of_questions_but_one_is_formerr(void **state)
{
	(void)state;
	struct packet packet;
	header(&packet, 0, 0, 0, 0, 0);
	expect_error(&packet, RCODE_FORMERR);
	header(&packet, 0, 0, 0, 0, 1);
	opt(&packet, 1232, 0, "", 0);
	expect_error(&packet, RCODE_FORMERR);
	assert_true(read_packet(&packet).request.edns);
	header(&packet, 0, 2, 0, 0, 0);
	question(&packet, TYPE_A);
	question(&packet, TYPE_AAAA);
	expect_error(&packet, RCODE_FORMERR);
	assert_int_equal(read_packet(&packet).request.question_length, 0);
}

static void question_cut_anywhere_is_formerr(void **state)
{
	(void)state;
	struct packet packet;
	header(&packet, 0, 1, 0, 0, 0);
	question(&packet, TYPE_A);
	size_t whole = packet.length;
	for (packet.length = 12; packet.length < whole; packet.length++)
		expect_error(&packet, RCODE_FORMERR);
	assert_int_equal(read_packet(&packet).state, REQUEST_FINE);
}

static void longest_name_is_fine_and_one_byte_more_is_not(void **state)
{
	(void)state;
	for (unsigned over = 0; over < 2; over++) {
		struct packet packet;
		header(&packet, 0, 1, 0, 0, 0);
		for (unsigned i = 0; i < 3; i++) {
			add(&packet, "\77", 1);
			memset(packet.bytes + packet.length, 'a', 63);
			packet.length += 63;
		}
		uint8_t last = (uint8_t)(61 + over);
		add(&packet, &last, 1);
		memset(packet.bytes + packet.length, 'b', last);
		packet.length += last;
		add(&packet, "", 1);
		add16(&packet, TYPE_A);
		add16(&packet, CLASS_IN);
		if (over)
			expect_error(&packet, RCODE_FORMERR);
		else
			assert_int_equal(read_packet(&packet).state, REQUEST_FINE);
	}
}

static void compressed_qname_is_formerr(void **state)
{
	(void)state;
	struct packet packet;
	header(&packet, 0, 1, 0, 0, 0);
	packet.bytes[0] = 0; /* the id's first byte is a root to point to */
	add(&packet, "\3www\xc0\x00", 6);
	add16(&packet, TYPE_A);
	add16(&packet, CLASS_IN);
	expect_error(&packet, RCODE_FORMERR);
	packet.bytes[0] = 1; /* "\1x" and a root further on in the header */
	packet.bytes[1] = 'x';
	packet.bytes[2] = 0;
	expect_error(&packet, RCODE_FORMERR);
	header(&packet, 0, 1, 0, 0, 0);
	add(&packet, "\3www\xc0\x0c", 6); /* to itself */
	add16(&packet, TYPE_A);
	add16(&packet, CLASS_IN);
	expect_error(&packet, RCODE_FORMERR);
}

static void bytes_behind_the_end_are_formerr(void **state)
{
	(void)state;
	struct packet packet;
	header(&packet, 0, 1, 0, 0, 0);
	question(&packet, TYPE_A);
	add(&packet, "", 1);
	expect_error(&packet, RCODE_FORMERR);
	header(&packet, 0, 1, 0, 0, 1);
	question(&packet, TYPE_A);
	opt(&packet, 1232, 0, "", 0);
	assert_int_equal(read_packet(&packet).state, REQUEST_FINE);
	add(&packet, "", 1);
	expect_error(&packet, RCODE_FORMERR);
	assert_int_equal(read_packet(&packet).request.question_length, QUESTION_BYTES);
}

static void opt_gives_payload_and_do(void **state)
{
	(void)state;
	struct packet packet;
	static const unsigned sent[] = {0, 511, 512, 513, 1232, 65535};
	static const unsigned meant[] = {512, 512, 512, 513, 1232, 65535};
	for (unsigned i = 0; i < 6; i++) {
		header(&packet, 0, 1, 0, 0, 1);
		question(&packet, TYPE_A);
		opt(&packet, sent[i], i % 2 ? 0x8000 : 0, "", 0);
		struct reading reading = read_packet(&packet);
		assert_int_equal(reading.state, REQUEST_FINE);
		assert_true(reading.request.edns);
		assert_int_equal(reading.request.payload, meant[i]);
		assert_int_equal(reading.request.dnssec_ok, i % 2);
		assert_false(reading.request.nsid);
	}
}

static void options_are_walked_and_nsid_is_noted(void **state)
{
	(void)state;
	struct packet packet;
	static const uint8_t options[] = {0,    10, 0, 8, 1, 2, 3, 4, 5, 6, 7, 8, /* cookie */
					  0,    3,  0, 0,                         /* NSID */
					  0xff, 0,  0, 1, 9};                     /* unknown */
	header(&packet, 0, 1, 0, 0, 1);
	question(&packet, TYPE_A);
	opt(&packet, 1232, 0, options, sizeof options);
	struct reading reading = read_packet(&packet);
	assert_int_equal(reading.state, REQUEST_FINE);
	assert_true(reading.request.nsid);
	header(&packet, 0, 1, 0, 0, 1);
	question(&packet, TYPE_A);
	opt(&packet, 1232, 0, options, 12);
	assert_false(read_packet(&packet).request.nsid);
	for (unsigned cut = 1; cut < sizeof options; cut++) {
		if (cut == 12 || cut == 16)
			continue; /* between two options */
		header(&packet, 0, 1, 0, 0, 1);
		question(&packet, TYPE_A);
		opt(&packet, 1232, 0, options, cut);
		expect_error(&packet, RCODE_FORMERR);
		assert_true(read_packet(&packet).request.edns);
	}
}

static void cookies_have_8_or_16_to_40_bytes(void **state)
{
	(void)state;
	uint8_t option[4 + 64] = {0, OPTION_COOKIE, 0, 0};

	for (size_t i = 4; i < sizeof option; i++)
		option[i] = (uint8_t)i;
	for (unsigned bytes = 0; bytes <= 64; bytes++) {
		struct packet packet;
		option[3] = (uint8_t)bytes;
		header(&packet, 0, 1, 0, 0, 1);
		question(&packet, TYPE_A);
		opt(&packet, 1232, 0, option, 4 + bytes);
		if (bytes != 8 && (bytes < 16 || bytes > 40)) {
			expect_error(&packet, RCODE_FORMERR);
			continue;
		}
		struct reading reading = read_packet(&packet);
		assert_int_equal(reading.state, REQUEST_FINE);
		assert_int_equal(reading.request.cookie_length, bytes);
		assert_false(reading.request.cookie_answered);
		assert_memory_equal(reading.request.cookie, option + 4, bytes < 24 ? bytes : 24);
	}
}

static void of_two_cookies_the_first_counts(void **state)
{
	(void)state;
	static const uint8_t options[] = {0, 10, 0, 8, 1, 1, 1, 1, 1, 1,  1, 1, 0, 10, 0, 8,
					  2, 2,  2, 2, 2, 2, 2, 2, 0, 10, 0, 3, 3, 3,  3};
	struct packet packet;

	header(&packet, 0, 1, 0, 0, 1);
	question(&packet, TYPE_A);
	opt(&packet, 1232, 0, options, sizeof options);
	struct reading reading = read_packet(&packet);
	assert_int_equal(reading.state, REQUEST_FINE);
	assert_int_equal(reading.request.cookie[0], 1);
}

static void without_a_question_a_cookie_is_all_that_is_wanted(void **state)
{
	(void)state;
	static const uint8_t option[] = {0, 10, 0, 8, 1, 1, 1, 1, 1, 1, 1, 1};
	struct packet packet;

	header(&packet, 0, 0, 0, 0, 1);
	opt(&packet, 1232, 0, option, sizeof option);
	expect_error(&packet, RCODE_NOERROR);
	packet.bytes[2] = 2 << 3;
	expect_error(&packet, RCODE_NOTIMP);
	header(&packet, 0, 0, 0, 0, 1);
	opt(&packet, 1232, 0x00010000, option, sizeof option);
	expect_error(&packet, RCODE_FORMERR);
	header(&packet, 0, 0, 0, 0, 1);
	opt(&packet, 1232, 0, "", 0);
	expect_error(&packet, RCODE_FORMERR);
}

static void second_or_misplaced_opt_is_formerr(void **state)
{
	(void)state;
	struct packet packet;
	header(&packet, 0, 1, 0, 0, 2);
	question(&packet, TYPE_A);
	opt(&packet, 1232, 0, "", 0);
	opt(&packet, 1232, 0, "", 0);
	expect_error(&packet, RCODE_FORMERR);
	header(&packet, 0, 1, 1, 0, 0);
	question(&packet, TYPE_A);
	opt(&packet, 1232, 0, "", 0);
	expect_error(&packet, RCODE_FORMERR);
	header(&packet, 0, 1, 0, 1, 0);
	question(&packet, TYPE_IXFR);
	opt(&packet, 1232, 0, "", 0);
	expect_error(&packet, RCODE_FORMERR);
	header(&packet, 0, 1, 0, 0, 1);
	question(&packet, TYPE_A);
	record(&packet, "\1x", 3, TYPE_OPT, 1232, 0, "", 0);
	expect_error(&packet, RCODE_FORMERR);
	header(&packet, 0, 1, 0, 0, 1);
	question(&packet, TYPE_A);
	record(&packet, "\xc0\x04", 2, TYPE_A, CLASS_IN, 0, "", 0); /* into the header */
	expect_error(&packet, RCODE_FORMERR);
	header(&packet, 0, 1, 0, 0, 1);
	question(&packet, TYPE_A); /* a pointer to the qname's root is not a root */
	record(&packet, "\xc0\x1a", 2, TYPE_OPT, 1232, 0, "", 0);
	expect_error(&packet, RCODE_FORMERR);
}

static void other_version_is_badvers(void **state)
{
	(void)state;
	struct packet packet;
	header(&packet, 0, 1, 0, 0, 1);
	question(&packet, TYPE_A);
	opt(&packet, 1232, 0x00010000, "", 0);
	expect_error(&packet, RCODE_BADVERS);
	header(&packet, 0, 1, 0, 0, 1);
	question(&packet, TYPE_A);
	opt(&packet, 1232, 0x00ff8000, "\1", 1); /* not for us to say what its options are */
	expect_error(&packet, RCODE_BADVERS);
	assert_true(read_packet(&packet).request.dnssec_ok);
}

static void records_ahead_of_the_additional_section_are_formerr_but_for_ixfr(void **state)
{
	(void)state;
	static const uint8_t soa[] = "\0\0\0\0\0\1\0\0\0\2\0\0\0\3\0\0\0\4\0\0\0\5";
	struct packet packet;
	header(&packet, 0, 1, 1, 0, 0);
	question(&packet, TYPE_A);
	record(&packet, "\xc0\x0c", 2, TYPE_A, CLASS_IN, 5, "\1\2\3\4", 4);
	expect_error(&packet, RCODE_FORMERR);
	for (unsigned type = TYPE_TKEY; type <= TYPE_ANY; type++) {
		header(&packet, 0, 1, 0, 1, 0);
		question(&packet, type);
		record(&packet, "\xc0\x0c", 2, TYPE_SOA, CLASS_IN, 5, soa, 22);
		if (type == TYPE_IXFR)
			assert_int_equal(read_packet(&packet).state, REQUEST_FINE);
		else
			expect_error(&packet, RCODE_FORMERR);
	}
	header(&packet, 0, 1, 0, 2, 0);
	question(&packet, TYPE_IXFR);
	record(&packet, "\xc0\x0c", 2, TYPE_SOA, CLASS_IN, 5, soa, 22);
	record(&packet, "\xc0\x0c", 2, TYPE_SOA, CLASS_IN, 5, soa, 22);
	expect_error(&packet, RCODE_FORMERR);
}

/* RFC 1995 section 3: the SOA of the zone that is asked for, alone. */
static void ixfr_brings_the_soa_of_its_zone_and_nothing_else(void **state)
{
	(void)state;
	static const uint8_t soa[] = "\0\0\xff\xff\xff\xfe\0\0\0\2\0\0\0\3\0\0\0\4\0\0\0\5";
	struct packet packet;

	header(&packet, 0, 1, 0, 1, 0);
	question(&packet, TYPE_IXFR);
	record(&packet, "\xc0\x0c", 2, TYPE_SOA, CLASS_IN, 5, soa, 22);
	struct reading reading = read_packet(&packet);
	assert_int_equal(reading.state, REQUEST_FINE);
	assert_true(reading.request.has_serial);
	assert_int_equal(reading.request.serial, UINT32_MAX - 1);
	header(&packet, 0, 1, 0, 0, 0);
	question(&packet, TYPE_IXFR); /* for transfer.c to refuse, where it would be answered */
	assert_int_equal(read_packet(&packet).state, REQUEST_FINE);
	assert_false(read_packet(&packet).request.has_serial);
	header(&packet, 0, 1, 0, 1, 0);
	question(&packet, TYPE_IXFR); /* another zone's */
	record(&packet, "\1z", 3, TYPE_SOA, CLASS_IN, 5, soa, 22);
	expect_error(&packet, RCODE_FORMERR);
	header(&packet, 0, 1, 0, 1, 0);
	question(&packet, TYPE_IXFR); /* its parent's */
	record(&packet, "\0", 1, TYPE_SOA, CLASS_IN, 5, soa, 22);
	expect_error(&packet, RCODE_FORMERR);
	header(&packet, 0, 1, 0, 1, 0);
	question(&packet, TYPE_IXFR); /* another class's */
	record(&packet, "\xc0\x0c", 2, TYPE_SOA, CLASS_CH, 5, soa, 22);
	expect_error(&packet, RCODE_FORMERR);
	header(&packet, 0, 1, 0, 1, 0);
	question(&packet, TYPE_IXFR); /* something else */
	record(&packet, "\xc0\x0c", 2, TYPE_A, CLASS_IN, 5, "\1\2\3\4", 4);
	expect_error(&packet, RCODE_FORMERR);
	header(&packet, 0, 1, 0, 1, 0);
	question(&packet, TYPE_IXFR); /* numbers that are cut */
	record(&packet, "\xc0\x0c", 2, TYPE_SOA, CLASS_IN, 5, soa, 21);
	expect_error(&packet, RCODE_FORMERR);
	header(&packet, 0, 0, 0, 1, 0); /* without a question */
	record(&packet, "\0", 1, TYPE_SOA, CLASS_IN, 5, soa, 22);
	expect_error(&packet, RCODE_FORMERR);
}

static void signature_in_the_additional_section_is_passed_over(void **state)
{
	(void)state;
	struct packet packet;
	header(&packet, 0, 1, 0, 0, 2);
	question(&packet, TYPE_A);
	opt(&packet, 1232, 0, "", 0);
	record(&packet, "\3key", 5, TYPE_TSIG, CLASS_ANY, 0, "\1\2\3\4", 4);
	assert_int_equal(read_packet(&packet).state, REQUEST_FINE);
}

static void of_a_strangers_packet_the_question_is_read_and_an_opt_right_behind_it(void **state)
{
	(void)state;
	static const struct {
		unsigned answers, additional, type;
		bool question, edns;
	} cases[] = {{0, 1, TYPE_OPT, true, true},
		     {0, 9, TYPE_OPT, true, true}, /* nobody looks whether they are there */
		     {0, 0, TYPE_OPT, true, false},
		     {1, 1, TYPE_OPT, true, false},
		     {0, 1, TYPE_A, true, false},
		     {0, 1, TYPE_OPT, false, false}};
	for (unsigned i = 0; i < sizeof cases / sizeof cases[0]; i++) {
		struct packet packet;
		struct request request;
		struct name name;
		header(&packet, FLAG_RD, cases[i].question, cases[i].answers, 0,
		       cases[i].additional);
		question(&packet, TYPE_AAAA);
		record(&packet, "", 1, cases[i].type, 1400, 0x8000, "junk", 4);
		assert_true(
			message_read_question(&request, &name, &key, packet.bytes, packet.length));
		assert_int_equal(request.question_length, cases[i].question ? QUESTION_BYTES : 0);
		assert_int_equal(request.edns, cases[i].edns);
		assert_int_equal(request.payload, cases[i].edns ? 1400 : 512);
		if (cases[i].question)
			assert_int_equal(request.type, TYPE_AAAA);
		packet.bytes[2] |= FLAG_QR >> 8;
		assert_false(
			message_read_question(&request, &name, &key, packet.bytes, packet.length));
	}
}

/* ---- compression pointers ---- */

/* A question for a name of so many labels, and additional records of 12 bytes each up to `size`;
 * every owner takes so many pointers to that name. Over 1 they are in the first record's data. */
static void write_pointers(struct packet *packet, size_t size, unsigned labels, unsigned pointers)
{
	static const uint8_t label[] = {1, 'a'};
	size_t owner = MESSAGE_HEADER;
	unsigned count = 0;
	header(packet, FLAG_RD, 1, 0, 0, 0);
	while (labels-- > 0)
		add(packet, label, sizeof label);
	add(packet, "", 1);
	add16(packet, TYPE_A);
	add16(packet, CLASS_IN);
	if (pointers > 1) {
		record(packet, "", 1, 65280, CLASS_IN, 1, NULL, 0);
		wire_put16(packet->bytes + packet->length - 2, (uint16_t)(2 * (pointers - 1)));
		count++;
	}
	for (; pointers > 1; pointers--) {
		add16(packet, (unsigned)(0xc000 | owner));
		owner = packet->length - 2;
	}
	for (; packet->length + 12 <= size; count++) {
		add16(packet, (unsigned)(0xc000 | owner));
		record(packet, NULL, 0, 65280, CLASS_IN, 1, NULL, 0);
	}
	wire_put16(packet->bytes + 10, (uint16_t)count);
}

/* Of the processor's time for reading it, the least of several. */
static uint64_t cost_ns(const struct packet *packet)
{
	uint64_t least = UINT64_MAX;
	for (unsigned i = 0; i < 20; i++) {
		struct timespec before, after;
		struct request request;
		struct name name;
		enum rcode rcode;
		clock_gettime(CLOCK_THREAD_CPUTIME_ID, &before);
		(void)message_read_request(&request, &name, &key, packet->bytes, packet->length,
					   &rcode);
		clock_gettime(CLOCK_THREAD_CPUTIME_ID, &after);
		uint64_t ns = (uint64_t)(after.tv_sec - before.tv_sec) * 1000000000 +
			      (uint64_t)after.tv_nsec - (uint64_t)before.tv_nsec;
		least = ns < least ? ns : least;
	}
	return least;
}

/* A pointer costs what a label costs, and a record has no more than 16. Four times as much is far
 * from either side, also where a sanitizer watches every access: 7900 in each owner were a thousand
 * times as much. */
static void chains_of_pointers_cost_no_more_than_names_of_sixteen_labels(void **state)
{
	(void)state;
	static const size_t sizes[] = {4096, MESSAGE_MAX};
	static const unsigned chains[] = {15, 16, 17, 63, 64, 65, 1000, 7900};
	struct packet *packet = calloc(1, sizeof *packet);
	for (unsigned s = 0; s < 2; s++) {
		write_pointers(packet, sizes[s], 16, 1);
		assert_int_equal(read_packet(packet).state, REQUEST_FINE);
		uint64_t plain = cost_ns(packet);
		for (unsigned i = 0; i < sizeof chains / sizeof chains[0]; i++) {
			if (2 * chains[i] > sizes[s] / 2)
				continue;
			write_pointers(packet, sizes[s], 2, chains[i]);
			uint64_t chain = cost_ns(packet);
			if (chain > 4 * plain)
				fail_msg("%zu bytes, %u pointers: %llu ns, plain ones %llu",
					 sizes[s], chains[i], (unsigned long long)chain,
					 (unsigned long long)plain);
		}
	}
	free(packet);
}

/* The first record has the chain, and none itself. */
static void pointers_of_a_message_have_a_bound_that_grows_with_its_records(void **state)
{
	(void)state;
	static const struct {
		unsigned pointers[6];
		bool fine;
	} cases[] = {
		{{64, 48, 16, 16, 16, 16}, true}, {{64, 48, 16, 16, 16, 17}, false},
		{{64, 49, 1, 1, 1, 1}, false},    {{1, 1, 1, 1, 64, 64}, true},
		{{64, 1, 1, 1, 64, 45}, true},    {{64, 1, 1, 1, 64, 46}, false},
		{{64, 64, 0, 0, 0, 0}, false},    {{64, 0, 64, 0, 0, 0}, true},
	};
	for (unsigned i = 0; i < sizeof cases / sizeof cases[0]; i++) {
		struct packet packet;
		write_pointers(&packet, 0, 2, WIRE_JUMPS_MAX);
		size_t last = packet.length - 2;
		for (unsigned k = 0; k < 6; k++) {
			unsigned pointers = cases[i].pointers[k];
			if (pointers == 0)
				add(&packet, "", 1);
			else if (pointers == 1)
				add16(&packet, 0xc000 | MESSAGE_HEADER);
			else
				add16(&packet,
				      (unsigned)(0xc000 | (last - 2 * (size_t)(64 - pointers))));
			record(&packet, NULL, 0, 65280, CLASS_IN, 1, NULL, 0);
		}
		wire_put16(packet.bytes + 10, 1 + 6);
		if (cases[i].fine)
			assert_int_equal(read_packet(&packet).state, REQUEST_FINE);
		else
			expect_error(&packet, RCODE_FORMERR);
	}
}

/* ---- records of a reply ---- */

static void record_is_read_with_its_places(void **state)
{
	(void)state;
	struct packet packet;
	header(&packet, FLAG_QR, 1, 2, 0, 0);
	question(&packet, TYPE_A);
	size_t first = packet.length;
	record(&packet, "\xc0\x0c", 2, TYPE_A, CLASS_IN, 0x80000001, "\1\2\3\4", 4);
	record(&packet, "\1a\xc0\x10", 4, TYPE_CNAME, CLASS_IN, 0x7fffffff, "\1b\xc0\x0c", 4);
	struct message_walk walk = message_walk_from(packet.bytes, packet.length, first);
	struct record_view view;
	assert_int_equal(message_read_record(&walk, &view), 0);
	assert_int_equal(view.owner, first);
	assert_int_equal(view.type, TYPE_A);
	assert_int_equal(view.ttl, 0);
	assert_int_equal(view.ttl_at, first + 6);
	assert_int_equal(view.rdata, first + 12);
	assert_int_equal(view.rdata_length, 4);
	assert_int_equal(message_read_record(&walk, &view), 0);
	assert_int_equal(view.ttl, 0x7fffffff);
	assert_int_equal(walk.at, packet.length);
	for (size_t length = first; length < packet.length; length++) {
		walk = message_walk_from(packet.bytes, length, first);
		int err = message_read_record(&walk, &view);
		if (err == 0)
			err = message_read_record(&walk, &view);
		assert_int_equal(err, ERR_INVALID);
	}
}

static void rdata_must_be_what_its_type_says(void **state)
{
	(void)state;
	static const struct {
		unsigned type;
		const char *rdata;
		size_t length;
		int expected;
	} cases[] = {
		{TYPE_NS, "\1a\0", 3, 0},
		{TYPE_NS, "\1a\0\0", 4, ERR_INVALID}, /* a byte too many */
		{TYPE_NS, "\1a", 2, ERR_INVALID},     /* a byte too few */
		{TYPE_NS, "", 0, ERR_INVALID},
		{TYPE_NS, "\xc0\x0c", 2, 0},
		{TYPE_NS, "\xc0", 1, ERR_INVALID},
		{TYPE_NS, "\xc0\x04", 2, ERR_INVALID}, /* a 0 in the header */
		{TYPE_NS, "\xc0\x0b", 2, ERR_INVALID}, /* another */
		{TYPE_NS, "\xff\xff", 2, ERR_INVALID}, /* forward */
		{TYPE_NS, "\xc0\x2b", 2, ERR_INVALID}, /* to itself */
		{TYPE_NS, "\x40x", 2, ERR_INVALID},    /* a label type of its own */
		{TYPE_MX, "\0\1\xc0\x0c", 4, 0},
		{TYPE_MX, "\0\1", 2, ERR_INVALID},
		{TYPE_MX, "\0", 1, ERR_INVALID},
		{TYPE_SRV, "\0\1\0\1\0\1\0", 7, 0},
		{TYPE_SOA, "\0\0\0\0\0\1\0\0\0\2\0\0\0\3\0\0\0\4\0\0\0\5", 22, 0},
		{TYPE_SOA, "\0\0\0\0\0\1\0\0\0\2\0\0\0\3\0\0\0\4\0\0\0", 21, ERR_INVALID},
		{35, "\0\1\0\2\1x\0\3abc\0", 12, 0}, /* NAPTR */
		{35, "\0\1\0\2\1x\0\4abc\0", 12, ERR_INVALID},
		{TYPE_A, "\1\2\3\4", 4, 0},
		{TYPE_A, "\1\2\3", 3, ERR_INVALID},
		{TYPE_AAAA, "0123456789abcdef", 16, 0},
		{TYPE_AAAA, "0123456789abcde", 15, ERR_INVALID},
		{TYPE_TXT, "\1x", 2, 0},
		{65280, "\xc0\xff", 2, 0},
	};
	for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
		struct packet packet;
		header(&packet, FLAG_QR, 1, 1, 0, 0);
		question(&packet, TYPE_A);
		size_t start = packet.length;
		record(&packet, "\xc0\x0c", 2, cases[i].type, CLASS_IN, 1, cases[i].rdata,
		       cases[i].length);
		struct message_walk walk = message_walk_from(packet.bytes, packet.length, start);
		struct record_view view;
		assert_int_equal(start + 12, 0x2b); /* what the pointers above count on */
		assert_int_equal(message_read_record(&walk, &view), cases[i].expected);
		assert_int_equal(walk.at, cases[i].expected ? start : packet.length);
	}
}

/* ---- writing ---- */

static struct rrset *rrset_a(unsigned count, uint32_t ttl)
{
	struct rrset *rrset = calloc(1, sizeof *rrset + count * 16);
	rrset->type = TYPE_A;
	rrset->count = (uint16_t)count;
	rrset->ttl = ttl;
	rrset->length = count * 16;
	for (unsigned i = 0; i < count; i++) {
		uint8_t *at = rrset->wire + 16 * i;
		wire_put16(at, 0xc00c);
		wire_put16(at + 2, TYPE_A);
		wire_put16(at + 4, CLASS_IN);
		wire_put32(at + 6, ttl);
		wire_put16(at + 10, 4);
		wire_put32(at + 12, i);
	}
	return rrset;
}

struct reply {
	struct request request;
	struct message message;
	struct message_end end;
	uint8_t question[MESSAGE_QUESTION_MAX];
	uint8_t *buffer;
};

static void reply_begin(struct reply *reply, size_t capacity, bool edns)
{
	struct packet packet;
	header(&packet, FLAG_RD, 1, 0, 0, 0);
	question(&packet, TYPE_A);
	*reply = (struct reply){.request = read_packet(&packet).request};
	reply->request.edns = edns;
	memcpy(reply->question, packet.bytes + 12, QUESTION_BYTES);
	reply->buffer = malloc(capacity);
	reply->end = (struct message_end){.ede = EDE_NONE, .payload = 1232, .limit = capacity};
	message_begin(&reply->message, reply->buffer, capacity, reply->question, QUESTION_BYTES);
}

static size_t reply_finish(struct reply *reply)
{
	return message_finish(&reply->message, &reply->request, &reply->end);
}

static unsigned count_at(const struct reply *reply, size_t at)
{
	return wire_u16(reply->buffer + at);
}

static void nothing_of_a_begun_reply_is_left_as_it_was(void **state)
{
	uint8_t buffer[MESSAGE_UDP_MIN], zero[MESSAGE_HEADER] = {0};
	struct message message;
	(void)state;
	memset(buffer, 0xaa, sizeof buffer);
	message_begin(&message, buffer, sizeof buffer, (const uint8_t *)"\0\0\1\0\1", 5);
	assert_memory_equal(buffer, zero, MESSAGE_HEADER);
	assert_int_equal(message.length, MESSAGE_HEADER + 5);
}

static void header_of_a_reply_is_as_designed(void **state)
{
	(void)state;
	for (unsigned in = 0; in < 0x8000; in += 0x10) {
		struct reply reply;
		reply_begin(&reply, 512, false);
		reply.request.flags = (uint16_t)in;
		reply.end.rcode = RCODE_NXDOMAIN;
		reply.end.authoritative = in & 0x40;
		reply.end.truncated = in & 0x20;
		assert_int_equal(reply_finish(&reply), 12 + QUESTION_BYTES);
		unsigned expected = FLAG_QR | RCODE_NXDOMAIN | (in & FLAG_OPCODE);
		if (!(in & FLAG_OPCODE))
			expected |= FLAG_RA | (in & (FLAG_RD | FLAG_CD));
		expected |= in & 0x40 ? FLAG_AA : 0;
		expected |= in & 0x20 ? FLAG_TC : 0;
		assert_int_equal(message_flags(reply.buffer), expected);
		assert_int_equal(wire_u16(reply.buffer), 0xabcd);
		assert_int_equal(count_at(&reply, 4), 1);
		assert_int_equal(count_at(&reply, 10), 0);
		assert_memory_equal(reply.buffer + 12, qname, sizeof qname);
		free(reply.buffer);
	}
}

static void rrset_goes_out_as_stored_with_its_ttl_capped(void **state)
{
	(void)state;
	struct rrset *rrset = rrset_a(3, 300);
	struct reply reply;
	reply_begin(&reply, 512, false);
	size_t at = reply.message.length;
	assert_int_equal(message_add_rrset(&reply.message, SECTION_ANSWER, rrset, 12, NULL, 300),
			 at + 12);
	assert_memory_equal(reply.buffer + at, rrset->wire, rrset->length);
	at = reply.message.length;
	message_add_rrset(&reply.message, SECTION_AUTHORITY, rrset, 16, NULL, 299);
	for (unsigned i = 0; i < 3; i++) {
		const uint8_t *wire = reply.buffer + at + (size_t)16 * i;
		assert_int_equal(wire_u16(wire), 0xc010);
		assert_int_equal(wire_u32(wire + 6), 299);
		assert_int_equal(wire_u32(wire + 12), i);
	}
	reply_finish(&reply);
	assert_int_equal(count_at(&reply, 6), 3);
	assert_int_equal(count_at(&reply, 8), 3);
	assert_int_equal(count_at(&reply, 10), 0);
	free(reply.buffer);
	free(rrset);
}

static void owner_written_out_is_pointed_to_by_the_rest_of_its_set(void **state)
{
	(void)state;
	struct rrset *rrset = rrset_a(2, 300);
	struct reply reply;
	reply_begin(&reply, 512, false);
	size_t at = reply.message.length;
	const uint8_t *owner = (const uint8_t *)"\5oTher\4name";
	size_t rdata = message_add_rrset(&reply.message, SECTION_ANSWER, rrset, 0, owner, 100);
	assert_int_equal(rdata, at + 12 + 10);
	assert_memory_equal(reply.buffer + at, owner, 12);
	assert_int_equal(reply.message.length, at + 12 + 14 + 16);
	assert_int_equal(wire_u16(reply.buffer + at + 26), 0xc000 | at);
	struct message_walk walk = message_walk_from(reply.buffer, reply.message.length, at);
	struct record_view view;
	for (unsigned i = 0; i < 2; i++) {
		assert_int_equal(message_read_record(&walk, &view), 0);
		assert_int_equal(view.ttl, 100);
		assert_int_equal(wire_u32(reply.buffer + view.rdata), i);
	}
	free(reply.buffer);
	free(rrset);
}

static void place_too_far_to_point_to_is_written_out(void **state)
{
	(void)state;
	struct rrset *rrset = rrset_a(1, 300);
	struct reply reply;
	reply_begin(&reply, MESSAGE_MAX, false);
	const uint8_t *owner = (const uint8_t *)"\3far";
	size_t at = 0;
	while (reply.message.length < 0x4000)
		message_add_rrset(&reply.message, SECTION_ANSWER, rrset, 12, NULL, 300);
	at = reply.message.length;
	assert_true(message_add_rrset(&reply.message, SECTION_ANSWER, rrset, 0, owner, 300) > 0);
	size_t second = reply.message.length;
	assert_true(message_add_rrset(&reply.message, SECTION_ANSWER, rrset, at, NULL, 300) > 0);
	assert_memory_equal(reply.buffer + second, owner, 5);
	free(reply.buffer);
	free(rrset);
}

static void copied_record_has_its_names_decompressed(void **state)
{
	(void)state;
	struct packet packet;
	header(&packet, FLAG_QR, 1, 3, 0, 0);
	question(&packet, TYPE_A);
	size_t first = packet.length;
	record(&packet, "\xc0\x0c", 2, TYPE_CNAME, CLASS_IN, 9, "\1X\xc0\x10", 4);
	record(&packet, "\1y\xc0\x10", 4, TYPE_SOA, CLASS_IN, 9,
	       "\xc0\x10\1r\xc0\x10\0\0\0\1\0\0\0\2\0\0\0\3\0\0\0\4\0\0\0\5", 26);
	record(&packet, "\xc0\x10", 2, 65280, CLASS_IN, 9, "\xc0\x0c", 2);
	struct reply reply;
	reply_begin(&reply, 512, false);
	struct message_walk walk = message_walk_from(packet.bytes, packet.length, first);
	struct record_view view;
	assert_int_equal(message_read_record(&walk, &view), 0);
	size_t rdata = message_copy_record(&reply.message, SECTION_ANSWER, packet.bytes,
					   packet.length, &view, 12, NULL, 7);
	assert_int_equal(rdata, 12 + QUESTION_BYTES + 12);
	assert_memory_equal(reply.buffer + rdata, "\1X\4Corp\4test", 13);
	assert_int_equal(wire_u16(reply.buffer + rdata - 2), 13);
	assert_int_equal(wire_u32(reply.buffer + rdata - 6), 7);
	assert_int_equal(message_read_record(&walk, &view), 0);
	size_t start = reply.message.length;
	rdata = message_copy_record(&reply.message, SECTION_AUTHORITY, packet.bytes, packet.length,
				    &view, 0, NULL, 7);
	assert_memory_equal(reply.buffer + start, "\1y\4Corp\4test", 13);
	assert_int_equal(wire_u16(reply.buffer + rdata - 2), 11 + 13 + 20);
	assert_memory_equal(reply.buffer + rdata + 11, "\1r\4Corp\4test\0\0\0\0\1", 17);
	assert_int_equal(message_read_record(&walk, &view), 0);
	rdata = message_copy_record(&reply.message, SECTION_ADDITIONAL, packet.bytes, packet.length,
				    &view, 0, (const uint8_t *)"\1z", 7);
	assert_memory_equal(reply.buffer + rdata, "\xc0\x0c", 2);
	assert_int_equal(wire_u16(reply.buffer + rdata - 2), 2);
	reply_finish(&reply);
	assert_int_equal(count_at(&reply, 6), 1);
	assert_int_equal(count_at(&reply, 8), 1);
	assert_int_equal(count_at(&reply, 10), 1);
	free(reply.buffer);
}

static void record_that_does_not_fit_leaves_no_trace(void **state)
{
	(void)state;
	enum { RECORD = 2 + 10 + 4 };
	for (unsigned over = 0; over < 2; over++) {
		struct reply reply;
		reply_begin(&reply, 12 + QUESTION_BYTES + RECORD - over, false);
		size_t before = reply.message.length;
		size_t rdata = message_add_record(&reply.message, SECTION_ANSWER, TYPE_A, CLASS_IN,
						  5, 12, NULL, (const uint8_t *)"\1\2\3\4", 4);
		assert_int_equal(rdata, over ? 0 : before + 12);
		assert_int_equal(reply.message.overflow, over);
		assert_int_equal(reply.message.counts[SECTION_ANSWER], 1 - over);
		assert_int_equal(reply.message.length, before + (over ? 0 : RECORD));
		free(reply.buffer);
	}
}

static void mark_and_rewind_undo_everything(void **state)
{
	(void)state;
	struct rrset *rrset = rrset_a(40, 300);
	struct reply reply;
	reply_begin(&reply, 512, false);
	message_add_record(&reply.message, SECTION_ANSWER, TYPE_A, CLASS_IN, 5, 12, NULL,
			   (const uint8_t *)"\1\2\3\4", 4);
	struct message_mark mark = message_mark(&reply.message);
	assert_int_equal(message_add_rrset(&reply.message, SECTION_ANSWER, rrset, 12, NULL, 300),
			 0);
	message_add_record(&reply.message, SECTION_AUTHORITY, TYPE_A, CLASS_IN, 5, 12, NULL,
			   (const uint8_t *)"\1\2\3\4", 4);
	message_rewind(&reply.message, &mark);
	reply_finish(&reply);
	assert_false(message_flags(reply.buffer) & FLAG_TC);
	assert_int_equal(count_at(&reply, 6), 1);
	assert_int_equal(count_at(&reply, 8), 0);
	free(reply.buffer);
	free(rrset);
}

/* ---- the end ---- */

static void reply_at_the_limit_is_whole_and_one_over_is_empty_with_tc(void **state)
{
	(void)state;
	struct rrset *rrset = rrset_a(10, 300);
	for (unsigned edns = 0; edns < 2; edns++) {
		for (unsigned over = 0; over < 2; over++) {
			struct reply reply;
			reply_begin(&reply, 4096, edns);
			size_t whole = 12 + QUESTION_BYTES + 160 + (edns ? 11 : 0);
			reply.end.limit = whole - over;
			message_add_rrset(&reply.message, SECTION_ANSWER, rrset, 12, NULL, 300);
			size_t length = reply_finish(&reply);
			bool truncated = message_flags(reply.buffer) & FLAG_TC;
			assert_int_equal(truncated, over);
			assert_int_equal(length, over ? whole - 160 : whole);
			assert_int_equal(count_at(&reply, 6), over ? 0 : 10);
			assert_int_equal(count_at(&reply, 10), edns);
			free(reply.buffer);
		}
	}
	free(rrset);
}

static void overflow_of_the_buffer_truncates_whatever_the_limit(void **state)
{
	(void)state;
	struct rrset *rrset = rrset_a(40, 300);
	struct reply reply;
	reply_begin(&reply, 512, true);
	reply.end.limit = 65535;
	message_add_rrset(&reply.message, SECTION_ANSWER, rrset, 12, NULL, 300);
	assert_int_equal(reply_finish(&reply), 12 + QUESTION_BYTES + 11);
	assert_true(message_flags(reply.buffer) & FLAG_TC);
	free(reply.buffer);
	free(rrset);
}

static void opt_in_gives_opt_out_with_do_and_rcode_bits(void **state)
{
	(void)state;
	struct reply reply;
	reply_begin(&reply, 512, true);
	reply.request.dnssec_ok = true;
	reply.end.rcode = RCODE_BADVERS;
	size_t at = reply.message.length;
	size_t length = reply_finish(&reply);
	assert_int_equal(message_flags(reply.buffer) & FLAG_RCODE, 0);
	static const uint8_t expected[] = {0, 0, 41, 1232 >> 8, 1232 & 255, 1, 0, 0x80, 0, 0, 0};
	assert_int_equal(length, at + sizeof expected);
	assert_memory_equal(reply.buffer + at, expected, sizeof expected);
	free(reply.buffer);
}

static void ede_and_nsid_follow_when_they_fit(void **state)
{
	(void)state;
	static const uint8_t expected[] = {0, 41, 4,  0xd0, 0,   0,   0, 0, 0, 16, 0,   15,  0,
					   5, 0,  22, 'b',  'a', 'd', 0, 3, 0, 3,  'n', 's', '1'};
	for (unsigned less = 0; less < 20; less++) {
		struct reply reply;
		reply_begin(&reply, 512, true);
		reply.request.nsid = true;
		reply.end.ede = EDE_NO_REACHABLE_AUTHORITY;
		reply.end.ede_text = "bad";
		reply.end.nsid = "ns1";
		size_t at = reply.message.length;
		reply.end.limit = at + 1 + sizeof expected - less;
		size_t length = reply_finish(&reply);
		/* header, question and an empty OPT are the least there is */
		assert_true(length <= reply.end.limit || length == at + 11);
		assert_int_equal(count_at(&reply, 10), 1);
		size_t options = length - at - 11;
		assert_int_equal(wire_u16(reply.buffer + at + 9), options);
		if (less == 0)
			assert_memory_equal(reply.buffer + at + 1, expected, sizeof expected);
		else if (less <= 7)
			assert_int_equal(options, 9); /* NSID is the first to go */
		else if (less <= 10)
			assert_int_equal(options, 6); /* then the text */
		else
			assert_int_equal(options, 0);
		free(reply.buffer);
	}
}

static void a_cookie_to_answer_with_comes_first(void **state)
{
	(void)state;
	struct reply reply;

	reply_begin(&reply, 512, true);
	size_t at = reply.message.length + 11;
	reply.request.cookie_length = 8;
	assert_int_equal(reply_finish(&reply), at); /* nobody has looked at it */
	free(reply.buffer);
	reply_begin(&reply, 512, true);
	reply.request.cookie_length = 8;
	reply.request.cookie_answered = true;
	memset(reply.request.cookie, 7, sizeof reply.request.cookie);
	reply.end.ede = EDE_STALE;
	assert_int_equal(reply_finish(&reply), at + 4 + 24 + 6);
	assert_int_equal(wire_u16(reply.buffer + at), OPTION_COOKIE);
	assert_int_equal(wire_u16(reply.buffer + at + 2), 24);
	assert_memory_equal(reply.buffer + at + 4, reply.request.cookie, 24);
	assert_int_equal(wire_u16(reply.buffer + at + 28), OPTION_EDE);
	free(reply.buffer);
}

static void records_make_room_for_the_cookie(void **state)
{
	(void)state;
	for (unsigned less = 0; less < 3; less++) {
		struct reply reply;

		reply_begin(&reply, 512, true);
		reply.request.cookie_length = 8;
		reply.request.cookie_answered = true;
		reply.end.tcp = less == 2; /* by TCP the cookie is left out, not the records */
		size_t question = reply.message.length;
		assert_true(message_add_record(&reply.message, SECTION_ANSWER, TYPE_A, CLASS_IN, 5,
					       12, NULL, (const uint8_t *)"\1\2\3\4", 4) > 0);
		reply.end.limit = reply.message.length + 11 + 28 - less;
		size_t length = reply_finish(&reply);
		assert_int_equal(length, less == 0   ? reply.end.limit
					 : less == 1 ? question + 11 + 28
						     : question + 16 + 11);
		assert_int_equal(wire_u16(reply.buffer + 2) & FLAG_TC, less == 1 ? FLAG_TC : 0);
		free(reply.buffer);
	}
}

static void nothing_of_edns_goes_to_who_did_not_ask_for_it(void **state)
{
	(void)state;
	struct reply reply;
	reply_begin(&reply, 512, false);
	reply.request.nsid = true;
	reply.end.ede = EDE_STALE;
	reply.end.nsid = "ns1";
	assert_int_equal(reply_finish(&reply), 12 + QUESTION_BYTES);
	free(reply.buffer);
	reply_begin(&reply, 512, true);
	reply.end.nsid = "ns1";
	assert_int_equal(reply_finish(&reply), 12 + QUESTION_BYTES + 11);
	free(reply.buffer);
}

static void long_ede_text_is_cut_between_characters(void **state)
{
	(void)state;
	char text[MESSAGE_EDE_TEXT_MAX + 10];
	for (unsigned shift = 0; shift < 2; shift++) {
		memset(text, 'x', sizeof text);
		for (size_t i = shift; i + 1 < sizeof text; i += 2)
			memcpy(text + i, "\xc3\xa4", 2);
		text[sizeof text - 1] = '\0';
		struct reply reply;
		reply_begin(&reply, 4096, true);
		reply.end.ede = EDE_OTHER;
		reply.end.ede_text = text;
		size_t at = reply.message.length + 11;
		reply_finish(&reply);
		assert_int_equal(wire_u16(reply.buffer + at + 2), 2 + MESSAGE_EDE_TEXT_MAX - shift);
		free(reply.buffer);
	}
}

static void reply_without_a_question_has_none(void **state)
{
	(void)state;
	struct packet packet;
	header(&packet, 0, 0, 0, 0, 0);
	struct reading reading = read_packet(&packet);
	struct message message;
	uint8_t buffer[64];
	struct message_end end = {.rcode = reading.rcode, .ede = EDE_NONE, .limit = 512};
	message_begin(&message, buffer, sizeof buffer, NULL, 0);
	assert_int_equal(message_finish(&message, &reading.request, &end), 12);
	assert_memory_equal(buffer + 2, "\x80\x81\0\0\0\0\0\0\0\0", 10);
}

static void question_for_upstream_reads_back(void **state)
{
	(void)state;
	uint8_t buffer[MESSAGE_QUERY_MAX];
	struct reading reading;
	for (unsigned bits = 0; bits < 8; bits++) {
		size_t length = message_write_query(buffer, 0x1234, qname, sizeof qname, TYPE_MX,
						    bits & 1, bits & 2, bits & 4);
		reading = read_bytes(buffer, length);
		assert_int_equal(reading.state, REQUEST_FINE);
		assert_int_equal(reading.request.id, 0x1234);
		assert_int_equal(reading.request.flags, FLAG_RD | (bits & 1 ? FLAG_CD : 0));
		assert_int_equal(reading.request.type, TYPE_MX);
		assert_int_equal(reading.request.edns, (bits & 4) != 0);
		assert_int_equal(reading.request.dnssec_ok, (bits & 6) == 6);
		assert_int_equal(reading.request.payload,
				 bits & 4 ? MESSAGE_UPSTREAM_PAYLOAD : 512);
	}
}

static void assert_read_again(struct message_walk *walk, const struct record_view *before)
{
	struct record_view record;

	assert_int_equal(message_reread_record(walk, &record), 0);
	assert_int_equal(record.owner, before->owner);
	assert_int_equal(record.type, before->type);
	assert_int_equal(record.class, before->class);
	assert_int_equal(record.ttl, before->ttl);
	assert_int_equal(record.ttl_at, before->ttl_at);
	assert_int_equal(record.rdata, before->rdata);
	assert_int_equal(record.rdata_length, before->rdata_length);
}

/* Random damage to a rich packet: whatever it is, it is read within its bounds (the sanitizers
 * watch), and what can be read can be copied. */
static void damaged_packets_are_read_within_their_bounds(void **state)
{
	(void)state;
	uint64_t seed = 99;
	struct entropy entropy;
	entropy_init_seeded(&entropy, &seed);
	struct packet good;
	header(&good, 0, 1, 0, 1, 2);
	question(&good, TYPE_IXFR);
	record(&good, "\xc0\x0c", 2, TYPE_SOA, CLASS_IN, 9,
	       "\xc0\x10\1r\xc0\x10\0\0\0\1\0\0\0\2\0\0\0\3\0\0\0\4\0\0\0\5", 26);
	record(&good, "\1y\xc0\x10", 4, TYPE_SRV, CLASS_IN, 9, "\0\1\0\2\0\3\1s\xc0\x0c", 10);
	opt(&good, 1232, 0, "\0\3\0\0\0\12\0\10abcdefgh", 16);
	unsigned fine = 0, copied = 0;
	for (unsigned round = 0; round < 60000; round++) {
		struct packet packet;
		packet.length = good.length;
		memcpy(packet.bytes, good.bytes, good.length);
		for (unsigned i = entropy_below(&entropy, 4); i > 0; i--)
			packet.bytes[entropy_below(&entropy, (uint32_t)good.length)] =
				(uint8_t)entropy_u16(&entropy);
		if (entropy_below(&entropy, 4) == 0)
			packet.length = entropy_below(&entropy, (uint32_t)good.length + 1);
		fine += read_packet(&packet).state == REQUEST_FINE;
		uint8_t *room = malloc(1 + packet.length), *exact = room + 1;
		memcpy(exact, packet.bytes, packet.length);
		uint8_t buffer[600];
		struct message message;
		struct record_view view;
		message_begin(&message, buffer, sizeof buffer, NULL, 0);
		struct message_walk walk =
			message_walk_from(exact, packet.length, 12 + QUESTION_BYTES);
		struct message_walk again = walk;
		while (walk.at < packet.length && message_read_record(&walk, &view) == 0) {
			assert_read_again(&again, &view);
			assert_int_equal(again.at, walk.at);
			copied += message_copy_record(&message, SECTION_ANSWER, exact,
						      packet.length, &view, 0, NULL, 1) > 0;
		}
		while (again.at < packet.length && message_reread_record(&again, &view) == 0)
			continue;
		assert_true(again.at <= packet.length || packet.length < 12 + QUESTION_BYTES);
		free(room);
	}
	assert_true(fine > 10000 && fine < 59000);
	assert_true(copied > 50000);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(plain_question_is_read),
		cmocka_unit_test(too_short_for_a_header_is_silent),
		cmocka_unit_test(reply_is_silent_even_when_malformed),
		cmocka_unit_test(other_opcodes_are_not_implemented),
		cmocka_unit_test(a_request_to_update_is_read_but_for_its_records),
		cmocka_unit_test(a_request_to_update_that_does_not_add_up_is_formerr),
		cmocka_unit_test(any_number_of_questions_but_one_is_formerr),
		cmocka_unit_test(question_cut_anywhere_is_formerr),
		cmocka_unit_test(longest_name_is_fine_and_one_byte_more_is_not),
		cmocka_unit_test(compressed_qname_is_formerr),
		cmocka_unit_test(bytes_behind_the_end_are_formerr),
		cmocka_unit_test(opt_gives_payload_and_do),
		cmocka_unit_test(options_are_walked_and_nsid_is_noted),
		cmocka_unit_test(cookies_have_8_or_16_to_40_bytes),
		cmocka_unit_test(of_two_cookies_the_first_counts),
		cmocka_unit_test(without_a_question_a_cookie_is_all_that_is_wanted),
		cmocka_unit_test(a_cookie_to_answer_with_comes_first),
		cmocka_unit_test(records_make_room_for_the_cookie),
		cmocka_unit_test(second_or_misplaced_opt_is_formerr),
		cmocka_unit_test(other_version_is_badvers),
		cmocka_unit_test(records_ahead_of_the_additional_section_are_formerr_but_for_ixfr),
		cmocka_unit_test(ixfr_brings_the_soa_of_its_zone_and_nothing_else),
		cmocka_unit_test(signature_in_the_additional_section_is_passed_over),
		cmocka_unit_test(
			of_a_strangers_packet_the_question_is_read_and_an_opt_right_behind_it),
		cmocka_unit_test(chains_of_pointers_cost_no_more_than_names_of_sixteen_labels),
		cmocka_unit_test(pointers_of_a_message_have_a_bound_that_grows_with_its_records),
		cmocka_unit_test(record_is_read_with_its_places),
		cmocka_unit_test(rdata_must_be_what_its_type_says),
		cmocka_unit_test(nothing_of_a_begun_reply_is_left_as_it_was),
		cmocka_unit_test(header_of_a_reply_is_as_designed),
		cmocka_unit_test(rrset_goes_out_as_stored_with_its_ttl_capped),
		cmocka_unit_test(owner_written_out_is_pointed_to_by_the_rest_of_its_set),
		cmocka_unit_test(place_too_far_to_point_to_is_written_out),
		cmocka_unit_test(copied_record_has_its_names_decompressed),
		cmocka_unit_test(record_that_does_not_fit_leaves_no_trace),
		cmocka_unit_test(mark_and_rewind_undo_everything),
		cmocka_unit_test(reply_at_the_limit_is_whole_and_one_over_is_empty_with_tc),
		cmocka_unit_test(overflow_of_the_buffer_truncates_whatever_the_limit),
		cmocka_unit_test(opt_in_gives_opt_out_with_do_and_rcode_bits),
		cmocka_unit_test(ede_and_nsid_follow_when_they_fit),
		cmocka_unit_test(nothing_of_edns_goes_to_who_did_not_ask_for_it),
		cmocka_unit_test(long_ede_text_is_cut_between_characters),
		cmocka_unit_test(reply_without_a_question_has_none),
		cmocka_unit_test(question_for_upstream_reads_back),
		cmocka_unit_test(damaged_packets_are_read_within_their_bounds),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
