/* UPDATE messages as bytes: what is read of good ones, and the rcode of each kind of bad one. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "resolver/transfer/tsig.h"
#include "resolver/update/message.h"
#include "rules/base.h"
#include "tests/lib/arena_case.h"
#include "tests/lib/message_text.h"
#include "tests/lib/update_text.h"
#include "tests/lib/zone_text.h"

static uint8_t packet[MESSAGE_MAX];

static enum rcode read_packet(struct arena *arena, struct update *update, size_t length)
{
	/* A copy that ends where its memory ends: a byte too far is seen. */
	uint8_t *copy = arena_alloc_bytes(arena, length);
	enum rcode rcode = RCODE_NOERROR;
	enum request_state state;

	memcpy(copy, packet, length);
	state = update_read(update, arena, &zone_text_key, copy, length, &rcode);
	assert_int_not_equal(state, REQUEST_SILENT);
	assert_int_equal(state == REQUEST_FINE, rcode == RCODE_NOERROR);
	return rcode;
}

/* Appends a record without an owner of its own: the zone's. Counts it at that place of the header.
 */
static size_t append(size_t length, size_t count_at, uint16_t type, uint16_t class, uint32_t ttl,
		     const void *rdata, size_t rdata_length)
{
	wire_put16(packet + length, WIRE_POINTER << 8 | MESSAGE_HEADER);
	wire_put16(packet + length + 2, type);
	wire_put16(packet + length + 4, class);
	wire_put32(packet + length + 6, ttl);
	wire_put16(packet + length + 10, (uint16_t)rdata_length);
	if (rdata_length > 0)
		memcpy(packet + length + 12, rdata, rdata_length);
	wire_put16(packet + count_at, (uint16_t)(wire_u16(packet + count_at) + 1));
	return length + 12 + rdata_length;
}

static void a_message_is_read_into_its_sections(void **state)
{
	struct update update;
	size_t length = update_write(packet, "Corp.test.",
				     "? PC NONE ANY\n"
				     "? pc IN TXT \"x\"\n"
				     "! pc ANY A\n"
				     "! pc NONE A 10.1.0.4\n"
				     "! Pc IN A 10.1.0.5\n");
	char text[NAME_TEXT_MAX];

	assert_int_equal(read_packet(*state, &update, length), RCODE_NOERROR);
	assert_int_equal(update.request.id, 77);
	assert_int_equal(update.request.tsig_at, 0);
	assert_string_equal(name_to_text(&update.zone, text), "corp.test.");
	assert_int_equal(update.prerequisite_count, 2);
	assert_int_equal(update.update_count, 3);
	assert_false(update.outside);
	assert_string_equal(name_to_text(&update.prerequisites[0].owner, text), "pc.corp.test.");
	assert_int_equal(update.prerequisites[0].type, TYPE_ANY);
	assert_int_equal(update.prerequisites[0].class, CLASS_NONE);
	assert_int_equal(update.prerequisites[0].data.length, 0);
	assert_int_equal(update.prerequisites[1].data.length, 2);
	assert_int_equal(update.updates[0].class, CLASS_ANY);
	assert_int_equal(update.updates[1].class, CLASS_NONE);
	assert_int_equal(update.updates[1].data.length, 4);
	assert_string_equal(name_to_text(&update.updates[2].owner, text), "pc.corp.test.");
	assert_memory_equal(update.updates[2].data.bytes, "\x0a\x01\x00\x05", 4);
}

static void names_in_rdata_are_spelled_out_in_lower_case(void **state)
{
	static const uint8_t mx[] = {0, 5, 4, 'M', 'A', 'I', 'L', WIRE_POINTER, MESSAGE_HEADER};
	static const uint8_t spelled[] = "\0\5\4mail\4corp\4test";
	struct update update;
	size_t length = append(update_write(packet, "Corp.Test.", ""), 8, TYPE_MX, CLASS_IN, 1, mx,
			       sizeof mx);

	assert_int_equal(read_packet(*state, &update, length), RCODE_NOERROR);
	assert_int_equal(update.updates[0].data.length, sizeof spelled);
	assert_memory_equal(update.updates[0].data.bytes, spelled, sizeof spelled);
}

static void a_name_outside_of_the_zone_is_noted(void **state)
{
	static const char *const records[] = {"? www.other.test. NONE ANY",
					      "! test. IN A 10.0.0.1"};
	struct update update;

	for (size_t i = 0; i < COUNT(records); i++) {
		size_t length = update_write(packet, "corp.test.", records[i]);

		assert_int_equal(read_packet(*state, &update, length), RCODE_NOERROR);
		assert_true(update.outside);
	}
}

/* ---- one thing wrong with each ---- */

static const struct {
	const char *records;
	enum rcode rcode;
} written[] = {
	{"", RCODE_NOERROR},
	{"? a ANY ANY", RCODE_NOERROR},
	{"? a ANY A", RCODE_NOERROR},
	{"? a NONE ANY", RCODE_NOERROR},
	{"? a NONE A", RCODE_NOERROR},
	{"? a IN A 10.0.0.1", RCODE_NOERROR},
	{"? a ANY A 10.0.0.1", RCODE_FORMERR},
	{"? a NONE A 10.0.0.1", RCODE_FORMERR},
	{"? a IN A", RCODE_FORMERR},
	{"? a IN ANY", RCODE_FORMERR},
	{"? a CH A 10.0.0.1", RCODE_FORMERR},
	{"? a ANY AXFR", RCODE_FORMERR},
	{"? a NONE TSIG", RCODE_FORMERR},
	{"! a ANY ANY", RCODE_NOERROR},
	{"! a ANY A", RCODE_NOERROR},
	{"! a NONE A 10.0.0.1", RCODE_NOERROR},
	{"! a IN A 10.0.0.1", RCODE_NOERROR},
	{"! a IN TYPE65280 \\# 2 0102", RCODE_NOERROR},
	{"! a ANY A 10.0.0.1", RCODE_FORMERR},
	{"! a NONE A", RCODE_FORMERR},
	{"! a NONE ANY", RCODE_FORMERR},
	{"! a IN A", RCODE_FORMERR},
	{"! a IN ANY", RCODE_FORMERR},
	{"! a IN AXFR", RCODE_FORMERR},
	{"! a ANY MAILA", RCODE_FORMERR},
	{"! a IN OPT", RCODE_FORMERR},
	{"! a CH A 10.0.0.1", RCODE_FORMERR},
};

static void each_class_has_the_types_and_data_of_its_meaning(void **state)
{
	for (size_t i = 0; i < COUNT(written); i++) {
		struct update update;
		size_t length = update_write(packet, "corp.test.", written[i].records);
		enum rcode rcode = read_packet(*state, &update, length);

		if (rcode != written[i].rcode)
			fail_msg("%s: rcode %d", written[i].records, (int)rcode);
	}
}

static const struct {
	const char *what;
	size_t count_at; /* 6: a prerequisite, 8: an update, 10: something additional */
	uint16_t type, class;
	uint32_t ttl;
	const char *rdata;
	size_t rdata_length;
	enum rcode rcode;
} appended[] = {
	{"a prerequisite with a TTL", 6, TYPE_A, CLASS_IN, 1, "\1\2\3\4", 4, RCODE_FORMERR},
	{"a TTL with the top bit", 6, TYPE_A, CLASS_ANY, 0x80000000, "", 0, RCODE_FORMERR},
	{"a name in use, with a TTL", 6, TYPE_ANY, CLASS_NONE, 1, "", 0, RCODE_FORMERR},
	{"a delete of a set with a TTL", 8, TYPE_A, CLASS_ANY, 1, "", 0, RCODE_FORMERR},
	{"a delete of a record with a TTL", 8, TYPE_A, CLASS_NONE, 1, "\1\2\3\4", 4, RCODE_FORMERR},
	{"an A of three bytes", 8, TYPE_A, CLASS_IN, 1, "\1\2\3", 3, RCODE_FORMERR},
	{"an A of five bytes", 8, TYPE_A, CLASS_IN, 1, "\1\2\3\4\5", 5, RCODE_FORMERR},
	{"an AAAA of four bytes", 8, TYPE_AAAA, CLASS_IN, 1, "\1\2\3\4", 4, RCODE_FORMERR},
	{"a short A to be deleted", 8, TYPE_A, CLASS_NONE, 0, "\1\2\3", 3, RCODE_FORMERR},
	{"a PTR with a byte behind it", 8, TYPE_PTR, CLASS_IN, 1, "\1a\0x", 4, RCODE_FORMERR},
	{"a PTR whose label is cut short", 8, TYPE_PTR, CLASS_IN, 1, "\5a", 2, RCODE_FORMERR},
	{"a PTR that points forward", 8, TYPE_PTR, CLASS_IN, 1, "\xc1\xff", 2, RCODE_FORMERR},
	{"a PTR that points into the header", 8, TYPE_PTR, CLASS_IN, 1, "\xc0\2", 2, RCODE_FORMERR},
	{"an SOA without its numbers", 8, TYPE_SOA, CLASS_IN, 1, "\0\0", 2, RCODE_FORMERR},
	{"type 0", 8, 0, CLASS_IN, 1, "", 0, RCODE_FORMERR},
	{"an OPT among the updates", 8, TYPE_OPT, CLASS_IN, 0, "", 0, RCODE_FORMERR},
	{"an OPT that is not the root's", 10, TYPE_OPT, 1232, 0, "", 0, RCODE_FORMERR},
	{"a TSIG of a class other than ANY", 10, TYPE_TSIG, CLASS_IN, 0, "", 0, RCODE_FORMERR},
	{"a record that nobody asked for", 10, TYPE_A, CLASS_IN, 9, "\1\2\3\4", 4, RCODE_NOERROR},
};

static void a_record_that_is_wrong_is_formerr(void **state)
{
	for (size_t i = 0; i < COUNT(appended); i++) {
		struct update update;
		size_t length = append(update_write(packet, "corp.test.", ""), appended[i].count_at,
				       appended[i].type, appended[i].class, appended[i].ttl,
				       appended[i].rdata, appended[i].rdata_length);
		enum rcode rcode = read_packet(*state, &update, length);

		if (rcode != appended[i].rcode)
			fail_msg("%s: rcode %d", appended[i].what, (int)rcode);
	}
}

static enum rcode read_zone(struct arena *arena, uint16_t type, uint16_t class)
{
	struct update update;

	return read_packet(
		arena, &update,
		request_write(packet, 1, OPCODE_UPDATE << 11, "corp.test.", type, class, 0, false));
}

static void there_is_one_zone_of_type_soa_and_class_in(void **state)
{
	struct update update;
	size_t length = update_write(packet, "corp.test.", "");

	assert_int_equal(read_zone(*state, TYPE_SOA, CLASS_IN), RCODE_NOERROR);
	assert_int_equal(read_zone(*state, TYPE_A, CLASS_IN), RCODE_FORMERR);
	assert_int_equal(read_zone(*state, TYPE_ANY, CLASS_IN), RCODE_FORMERR);
	assert_int_equal(read_zone(*state, TYPE_SOA, CLASS_CH), RCODE_NOTAUTH);
	assert_int_equal(read_zone(*state, TYPE_SOA, CLASS_ANY), RCODE_NOTAUTH);
	update_write(packet, "corp.test.", "");
	wire_put16(packet + 4, 0);
	assert_int_equal(read_packet(*state, &update, length), RCODE_FORMERR);
	assert_int_equal(read_packet(*state, &update, MESSAGE_HEADER), RCODE_FORMERR);
	wire_put16(packet + 4, 2);
	assert_int_equal(read_packet(*state, &update, length), RCODE_FORMERR);
}

static void a_message_that_is_cut_anywhere_is_formerr(void **state)
{
	size_t length = update_write(packet, "corp.test.",
				     "? pc NONE ANY\n! pc IN A 10.1.0.5\n! pc IN PTR a.corp.test.");
	struct update update;

	for (size_t i = MESSAGE_HEADER; i < length; i++)
		assert_int_equal(read_packet(*state, &update, i), RCODE_FORMERR);
	packet[length] = 0;
	assert_int_equal(read_packet(*state, &update, length + 1), RCODE_FORMERR);
	assert_int_equal(read_packet(*state, &update, length), RCODE_NOERROR);
}

static void responses_and_stumps_are_met_with_silence(void **state)
{
	struct update update;
	enum rcode rcode;
	size_t length = update_write(packet, "corp.test.", "");

	assert_int_equal(
		update_read(&update, *state, &zone_text_key, packet, MESSAGE_HEADER - 1, &rcode),
		REQUEST_SILENT);
	packet[2] |= FLAG_QR >> 8;
	assert_int_equal(update_read(&update, *state, &zone_text_key, packet, length, &rcode),
			 REQUEST_SILENT);
}

/* ---- bounds ---- */

static void sixty_four_records_are_enough(void **state)
{
	size_t length = update_write(packet, "corp.test.", "? a NONE ANY");
	struct update update;

	for (unsigned i = 1; i < UPDATE_RECORDS_MAX; i++)
		length = append(length, 8, TYPE_A, CLASS_IN, 1, "\1\2\3\4", 4);
	assert_int_equal(read_packet(*state, &update, length), RCODE_NOERROR);
	assert_int_equal(update.update_count, UPDATE_RECORDS_MAX - 1);
	length = append(length, 8, TYPE_A, CLASS_IN, 1, "\1\2\3\4", 4);
	assert_int_equal(read_packet(*state, &update, length), RCODE_REFUSED);
}

static void eight_kibibytes_are_enough(void **state)
{
	static const uint8_t zeros[UPDATE_BYTES_MAX];
	size_t start = update_write(packet, "corp.test.", "");
	size_t room = UPDATE_BYTES_MAX - start - 12, length;
	struct update update;

	length = append(start, 8, TYPE_DHCID, CLASS_IN, 1, zeros, room);
	assert_int_equal(length, UPDATE_BYTES_MAX);
	assert_int_equal(read_packet(*state, &update, length), RCODE_NOERROR);
	update_write(packet, "corp.test.", "");
	length = append(start, 8, TYPE_DHCID, CLASS_IN, 1, zeros, room + 1);
	assert_int_equal(read_packet(*state, &update, length), RCODE_REFUSED);
}

/* ---- signatures, and the response ---- */

static void the_tsig_is_found_also_where_something_else_is_wrong(void **state)
{
	const struct tsig_settings settings = {.name = "k.test", .secret = "Zm9vYmFy"};
	static const char *const records[] = {"! a IN A 10.0.0.1", "! a IN A", "? a IN ANY"};
	struct tsig_context context;
	struct tsig_key key;
	struct update update;

	assert_true(tsig_key_init(&key, &settings));
	for (size_t i = 0; i < COUNT(records); i++) {
		size_t length = update_write(packet, "corp.test.", records[i]), whole;

		tsig_begin(&context, &key, 77);
		whole = tsig_sign(&context, packet, length, sizeof packet, 1700000000);
		assert_int_equal(read_packet(*state, &update, whole),
				 i == 0 ? RCODE_NOERROR : RCODE_FORMERR);
		assert_int_equal(update.request.tsig_at, length);
		assert_int_equal(tsig_check(&context, &key, 1, packet, whole,
					    update.request.tsig_at, 1700000000),
				 TSIG_FINE);
	}
}

/* `nsupdate -y hmac-sha256:dhcp:Zm9vYmFy`: zone corp.test, update add pc.corp.test 600 A 10.1.0.5.
 */
static void a_signed_message_of_nsupdate_is_read(void **state)
{
	static const uint8_t sent[] = {
		0x4e, 0x81, 0x28, 0x00, 0x00, 0x01, 0x00, 0x00, 0x00, 0x01, 0x00, 0x01, 0x04, 0x63,
		0x6f, 0x72, 0x70, 0x04, 0x74, 0x65, 0x73, 0x74, 0x00, 0x00, 0x06, 0x00, 0x01, 0x02,
		0x70, 0x63, 0xc0, 0x0c, 0x00, 0x01, 0x00, 0x01, 0x00, 0x00, 0x02, 0x58, 0x00, 0x04,
		0x0a, 0x01, 0x00, 0x05, 0x04, 0x64, 0x68, 0x63, 0x70, 0x00, 0x00, 0xfa, 0x00, 0xff,
		0x00, 0x00, 0x00, 0x00, 0x00, 0x3d, 0x0b, 0x68, 0x6d, 0x61, 0x63, 0x2d, 0x73, 0x68,
		0x61, 0x32, 0x35, 0x36, 0x00, 0x00, 0x00, 0x6b, 0x08, 0x0f, 0x20, 0x01, 0x2c, 0x00,
		0x20, 0xc1, 0xfd, 0x40, 0x1e, 0xb7, 0x17, 0xf9, 0x77, 0xfd, 0x2b, 0x71, 0x42, 0x14,
		0xc2, 0xf5, 0xa1, 0x1b, 0x2b, 0x38, 0x7f, 0x51, 0xda, 0x88, 0x2b, 0x1f, 0x88, 0x0c,
		0xe8, 0x68, 0x77, 0xeb, 0x8e, 0x4e, 0x81, 0x00, 0x00, 0x00, 0x00,
	};
	const struct tsig_settings settings = {.name = "dhcp", .secret = "Zm9vYmFy"};
	const uint64_t sent_s = 0x6b080f20;
	struct tsig_context context;
	struct update update;
	struct tsig_key key;

	memcpy(packet, sent, sizeof sent);
	assert_int_equal(read_packet(*state, &update, sizeof sent), RCODE_NOERROR);
	assert_int_equal(update.prerequisite_count, 0);
	assert_int_equal(update.update_count, 1);
	assert_memory_equal(update.updates[0].data.bytes, "\x0a\x01\x00\x05", 4);
	assert_true(tsig_key_init(&key, &settings));
	assert_int_equal(
		tsig_check(&context, &key, 1, packet, sizeof sent, update.request.tsig_at, sent_s),
		TSIG_FINE);
}

static void a_record_behind_the_tsig_is_formerr(void **state)
{
	size_t length = update_write(packet, "corp.test.", "");
	struct update update;

	length = append(length, 10, TYPE_TSIG, CLASS_ANY, 0, "", 0);
	assert_int_equal(read_packet(*state, &update, length), RCODE_NOERROR);
	assert_int_not_equal(update.request.tsig_at, 0);
	length = append(length, 10, TYPE_A, CLASS_IN, 0, "\1\2\3\4", 4);
	assert_int_equal(read_packet(*state, &update, length), RCODE_FORMERR);
}

static void the_response_has_the_zone_as_it_came(void **state)
{
	uint8_t response[UPDATE_RESPONSE_MAX];
	size_t length = update_write(packet, "CORP.test.", "! a IN A 10.0.0.1"), made;
	struct update update;

	assert_int_equal(read_packet(*state, &update, length), RCODE_NOERROR);
	made = update_respond(response, &update.request, packet, RCODE_NOTZONE, 1232);
	assert_int_equal(made, MESSAGE_HEADER + update.request.question_length);
	assert_int_equal(wire_u16(response), 77);
	assert_int_equal(message_flags(response), FLAG_QR | OPCODE_UPDATE << 11 | RCODE_NOTZONE);
	assert_memory_equal(response + 4, "\0\1\0\0\0\0\0\0", 8);
	assert_memory_equal(response + MESSAGE_HEADER, packet + MESSAGE_HEADER,
			    update.request.question_length);
}

static void an_opt_is_answered_with_one_and_its_version_is_0(void **state)
{
	uint8_t response[UPDATE_RESPONSE_MAX];
	size_t made, length = request_write(packet, 1, OPCODE_UPDATE << 11, "corp.test.", TYPE_SOA,
					    CLASS_IN, 1232, false);
	struct update update;

	assert_int_equal(read_packet(*state, &update, length), RCODE_NOERROR);
	assert_true(update.request.edns);
	made = update_respond(response, &update.request, packet, RCODE_NOERROR, 1232);
	assert_int_equal(made, length);
	assert_int_equal(wire_u16(response + 10), 1);
	packet[length - 5] = 1; /* the version */
	assert_int_equal(read_packet(*state, &update, length), RCODE_BADVERS);
	made = update_respond(response, &update.request, packet, RCODE_BADVERS, 1232);
	assert_int_equal(response[made - 6], 1); /* the upper bits of 16 */
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
#define TEST(name) cmocka_unit_test_setup_teardown(name, arena_set_up, arena_tear_down)
		TEST(a_message_is_read_into_its_sections),
		TEST(names_in_rdata_are_spelled_out_in_lower_case),
		TEST(a_name_outside_of_the_zone_is_noted),
		TEST(each_class_has_the_types_and_data_of_its_meaning),
		TEST(a_record_that_is_wrong_is_formerr),
		TEST(there_is_one_zone_of_type_soa_and_class_in),
		TEST(a_message_that_is_cut_anywhere_is_formerr),
		TEST(responses_and_stumps_are_met_with_silence),
		TEST(sixty_four_records_are_enough),
		TEST(eight_kibibytes_are_enough),
		TEST(the_tsig_is_found_also_where_something_else_is_wrong),
		TEST(a_signed_message_of_nsupdate_is_read),
		TEST(a_record_behind_the_tsig_is_formerr),
		TEST(the_response_has_the_zone_as_it_came),
		TEST(an_opt_is_answered_with_one_and_its_version_is_0),
	};

	return cmocka_run_group_tests_name("update_message", tests, NULL, NULL);
}
