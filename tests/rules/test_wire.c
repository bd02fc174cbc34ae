/* Numbers and names as a message has them. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "rules/wire.h"

/* With and without a place to write to. */
static size_t read_both(const uint8_t *packet, size_t length, size_t at, size_t lowest,
			uint8_t *wire, size_t *end)
{
	size_t skip_end = 99999;
	size_t skipped = wire_skip_name(packet, length, at, lowest, &skip_end, NULL);

	*end = 99999;
	assert_int_equal(wire_read_name(packet, length, at, lowest, wire, end), skipped);
	assert_int_equal(*end, skip_end);
	return skipped;
}

static void numbers_are_in_network_order(void **state)
{
	uint8_t bytes[7] = {0};

	(void)state;
	wire_put16(bytes + 1, 0x8182);
	wire_put32(bytes + 3, 0xf3848586);
	assert_memory_equal(bytes, "\0\x81\x82\xf3\x84\x85\x86", 7);
	assert_int_equal(wire_u16(bytes + 1), 0x8182);
	assert_int_equal(wire_u32(bytes + 3), 0xf3848586);
}

static void names_keep_their_case_and_pointers_are_resolved(void **state)
{
	/*                                   12   14 15   17     19 */
	static const uint8_t packet[] = "hhhhhhhhhhhh\1A\0\1b\xc0\x0c\1C\xc0\x0f";
	uint8_t wire[NAME_WIRE_MAX];
	size_t end;

	(void)state;
	assert_int_equal(read_both(packet, 23, 19, WIRE_HEADER, wire, &end), 7);
	assert_memory_equal(wire, "\1C\1b\1A\0", 7);
	assert_int_equal(end, 23);
	assert_int_equal(read_both(packet, 22, 19, WIRE_HEADER, wire, &end), 0);
	assert_int_equal(read_both(packet, 23, 14, WIRE_HEADER, wire, &end), 1);
	assert_int_equal(end, 15);
	assert_int_equal(wire_skip_name(packet, 23, 14, WIRE_HEADER, NULL, NULL), 1);
	assert_int_equal(read_both(packet, 23, 23, WIRE_HEADER, wire, &end), 0);
}

static void pointers_only_lead_backward(void **state)
{
	static const uint8_t ring[] = "hhhhhhhhhhhh\1a\xc0\x10\1b\xc0\x0c";
	static const uint8_t own[] = "hhhhhhhhhhhh\0\1a\xc0\x0d"; /* to the "\1a" it ends */
	uint8_t wire[NAME_WIRE_MAX];
	size_t end;

	(void)state;
	assert_int_equal(read_both(ring, 20, 12, WIRE_HEADER, wire, &end), 0);
	assert_int_equal(read_both(ring, 20, 16, WIRE_HEADER, wire, &end), 0);
	assert_int_equal(read_both(own, 17, 13, WIRE_HEADER, wire, &end), 0);
}

/* A root at 12, and after it pointers, each to the one before: the last is a name of so
 * many. Returns the length. */
static size_t write_chain(uint8_t *packet, unsigned pointers)
{
	memset(packet, 0, 13);
	for (unsigned i = 0; i < pointers; i++)
		wire_put16(packet + 13 + 2 * i, (uint16_t)(0xc000 | (i ? 11 + 2 * i : 12)));
	return 13 + 2 * (size_t)pointers;
}

static void sixty_four_pointers_are_followed_and_no_more(void **state)
{
	uint8_t packet[300], wire[NAME_WIRE_MAX];
	size_t length = write_chain(packet, 65), end;

	(void)state;
	assert_int_equal(read_both(packet, length, length - 4, WIRE_HEADER, wire, &end), 1);
	assert_int_equal(end, length - 2);
	assert_int_equal(read_both(packet, length, length - 2, WIRE_HEADER, wire, &end), 0);
}

static void pointers_that_are_followed_are_taken_off_those_that_may_be(void **state)
{
	uint8_t packet[300];
	size_t length = write_chain(packet, 40);
	unsigned jumps = 100;

	(void)state;
	assert_int_equal(wire_skip_name(packet, length, 12, WIRE_HEADER, NULL, &jumps), 1);
	assert_int_equal(jumps, 100);
	assert_int_equal(wire_skip_name(packet, length, length - 2, WIRE_HEADER, NULL, &jumps), 1);
	assert_int_equal(jumps, 60);
	jumps = 40;
	assert_int_equal(wire_skip_name(packet, length, length - 2, WIRE_HEADER, NULL, &jumps), 1);
	assert_int_equal(jumps, 0);
	assert_int_equal(wire_skip_name(packet, length, 13, WIRE_HEADER, NULL, &jumps), 0);
	jumps = 39;
	assert_int_equal(wire_skip_name(packet, length, length - 2, WIRE_HEADER, NULL, &jumps), 0);
}

static void pointers_lead_no_lower_than_is_said(void **state)
{
	uint8_t packet[] = "\0\0\0\0\0\0\0\0\0\0\0\0\0\1a\xc0"; /* its NUL is the pointer's end */
	uint8_t wire[NAME_WIRE_MAX];
	size_t end;

	(void)state;
	for (unsigned to = 0; to < 13; to++) {
		packet[16] = (uint8_t)to;
		assert_int_equal(read_both(packet, 17, 13, WIRE_HEADER, wire, &end),
				 to < WIRE_HEADER ? 0 : 3);
		assert_int_equal(read_both(packet, 17, 13, 5, wire, &end), to < 5 ? 0 : 3);
		assert_int_equal(read_both(packet, 17, 13, WIRE_PLAIN, wire, &end), 0);
	}
}

static void no_pointer_reaches_far_enough_for_a_plain_name(void **state)
{
	static uint8_t packet[0x4000 + 2];
	uint8_t wire[NAME_WIRE_MAX];
	size_t end;

	(void)state;
	memset(packet + 0x4000, 0xff, 2); /* to 0x3fff, the farthest there is */
	assert_int_equal(read_both(packet, sizeof packet, 0x4000, WIRE_HEADER, wire, &end), 1);
	assert_int_equal(read_both(packet, sizeof packet, 0x4000, WIRE_PLAIN, wire, &end), 0);
}

static void a_name_of_255_bytes_is_read_and_one_of_256_is_not(void **state)
{
	(void)state;
	for (unsigned over = 0; over < 2; over++) {
		/* 193 bytes of labels and a root, and a label and a pointer there */
		uint8_t bytes[300] = {0}, wire[NAME_WIRE_MAX];
		size_t start = 12 + 193, pointer = start + 1 + 61 + over, end;

		for (unsigned i = 0; i < 3; i++)
			bytes[12 + 64 * i] = 63;
		bytes[start] = (uint8_t)(61 + over);
		wire_put16(bytes + pointer, 0xc00c);
		assert_int_equal(read_both(bytes, pointer + 2, start, WIRE_HEADER, wire, &end),
				 over ? 0 : 255);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(numbers_are_in_network_order),
		cmocka_unit_test(names_keep_their_case_and_pointers_are_resolved),
		cmocka_unit_test(pointers_only_lead_backward),
		cmocka_unit_test(sixty_four_pointers_are_followed_and_no_more),
		cmocka_unit_test(pointers_that_are_followed_are_taken_off_those_that_may_be),
		cmocka_unit_test(pointers_lead_no_lower_than_is_said),
		cmocka_unit_test(no_pointer_reaches_far_enough_for_a_plain_name),
		cmocka_unit_test(a_name_of_255_bytes_is_read_and_one_of_256_is_not),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
