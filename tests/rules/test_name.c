#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "rules/wire.h"
#include "tests/lib/random.h"

static const struct hash_key key = {0x1234, 0x5678};

/* Reads from a copy of exactly that size, so that the sanitizer sees a byte too many. */
static int read_wire(struct name *name, const void *bytes, size_t length, size_t at, size_t *end)
{
	uint8_t *exact = malloc(length == 0 ? 1 : length);
	int err;

	assert_non_null(exact);
	memcpy(exact, bytes, length);
	err = name_from_wire(name, &key, exact, length, at, end);
	free(exact);
	return err;
}

#define READ(name, literal, at, end) read_wire(name, literal, sizeof(literal) - 1, at, end)

static void assert_text(const struct name *name, const char *expected)
{
	char text[NAME_TEXT_MAX];

	assert_string_equal(name_to_text(name, text), expected);
}

static struct name parse(const char *text)
{
	struct name name;

	assert_int_equal(name_from_text(&name, &key, text), 0);
	return name;
}

static void assert_same(const struct name *a, const struct name *b)
{
	unsigned i;

	assert_int_equal(a->length, b->length);
	assert_int_equal(a->labels, b->labels);
	assert_memory_equal(a->wire, b->wire, a->length);
	for (i = 0; i <= a->labels; i++) {
		assert_int_equal(a->offset[i], b->offset[i]);
		assert_true(a->hash[i] == b->hash[i]);
	}
}

/* A name of `total` bytes in labels of `size`, but for the last two. Returns total. */
static size_t make_wire(uint8_t *wire, size_t total, size_t size)
{
	size_t used = 0;

	while (used + 1 < total) {
		size_t left = total - 1 - used - 1, label = left < size ? left : size;

		if (left - label == 1) /* one byte is no label */
			label = label > 1 ? label - 1 : 2;
		wire[used] = (uint8_t)label;
		memset(wire + used + 1, 'a', label);
		used += 1 + label;
	}
	wire[used] = 0;
	return used + 1;
}

/* ---- from wire ---- */

static void a_name_is_lower_cased_with_its_labels_found(void **state)
{
	struct name name;
	size_t end;

	(void)state;
	assert_int_equal(READ(&name, "\3wWw\4CORP\4test\0rest", 0, &end), 0);
	assert_int_equal(end, 15);
	assert_int_equal(name.length, 15);
	assert_int_equal(name.labels, 3);
	assert_memory_equal(name.wire, "\3www\4corp\4test", 15);
	assert_int_equal(name.offset[0], 0);
	assert_int_equal(name.offset[1], 4);
	assert_int_equal(name.offset[2], 9);
	assert_int_equal(name.offset[3], 14);
}

static void only_ascii_letters_are_lower_cased(void **state)
{
	uint8_t wire[66];
	struct name name;
	unsigned base, i;

	(void)state;
	for (base = 0; base < 256; base += 32) {
		wire[0] = 32;
		for (i = 0; i < 32; i++)
			wire[1 + i] = (uint8_t)(base + i);
		wire[33] = 0;
		assert_int_equal(read_wire(&name, wire, 34, 0, NULL), 0);
		for (i = 0; i < 32; i++) {
			unsigned c = base + i;

			assert_int_equal(name.wire[1 + i], c >= 65 && c <= 90 ? c + 32 : c);
		}
	}
}

/* Every length of run, around the eight bytes that are lower-cased at a time. */
static void names_of_every_length_are_lower_cased_to_the_last_byte(void **state)
{
	uint8_t wire[65];
	struct name name;
	size_t length, i;

	(void)state;
	for (length = 1; length <= 63; length++) {
		wire[0] = (uint8_t)length;
		memset(wire + 1, 'Q', length);
		wire[1 + length] = 0;
		assert_int_equal(read_wire(&name, wire, length + 2, 0, NULL), 0);
		for (i = 1; i <= length; i++)
			assert_int_equal(name.wire[i], 'q');
		assert_int_equal(name.wire[length + 1], 0);
	}
}

static void the_root_is_one_byte(void **state)
{
	struct name name;
	size_t end;

	(void)state;
	assert_int_equal(READ(&name, "\0", 0, &end), 0);
	assert_int_equal(end, 1);
	assert_int_equal(name.length, 1);
	assert_int_equal(name.labels, 0);
	assert_int_equal(name.offset[0], 0);
	assert_true(name.hash[0] == parse(".").hash[0]);
	assert_text(&name, ".");
}

/* What a pointer may lead to stands after a header. */
#define HEADER "hhhhhhhhhhhh"

static void pointers_are_followed_and_the_end_is_behind_the_first(void **state)
{
	/*                                12   17    22 23   27    29   33 */
	static const char packet[] = HEADER "\4CORP\4test\0\3www\xc0\x0c\3foo\xc0\x17X";
	struct name name, plain = parse("foo.www.corp.test");
	size_t end;

	(void)state;
	assert_int_equal(READ(&name, packet, 23, &end), 0);
	assert_int_equal(end, 29);
	assert_text(&name, "www.corp.test.");
	assert_int_equal(READ(&name, packet, 29, &end), 0);
	assert_int_equal(end, 35);
	assert_same(&name, &plain);
	/* A pointer to the middle of a name, and a name that is nothing but a pointer. */
	assert_int_equal(READ(&name, HEADER "\4corp\4test\0\xc0\x11", 23, &end), 0);
	assert_int_equal(end, 25);
	assert_text(&name, "test.");
}

static void pointers_to_themselves_or_forward_are_refused(void **state)
{
	struct name name;

	(void)state;
	assert_int_equal(READ(&name, HEADER "\xc0\x0c", 12, NULL), ERR_INVALID);
	assert_int_equal(READ(&name, HEADER "\1a\xc0\x0c", 12, NULL), ERR_INVALID); /* own run */
	assert_int_equal(READ(&name, HEADER "\1a\xc0\x0e", 12, NULL), ERR_INVALID);
	assert_int_equal(READ(&name, HEADER "\xc0\x0e\1a\0", 12, NULL), ERR_INVALID);
	/* Within its run, to the run's start, and to before it. */
	assert_int_equal(READ(&name, HEADER "\0\1a\1b\xc0\x0f", 13, NULL), ERR_INVALID);
	assert_int_equal(READ(&name, HEADER "\0\1a\1b\xc0\x0d", 13, NULL), ERR_INVALID);
	assert_int_equal(READ(&name, HEADER "\0\1a\1b\xc0\x0c", 13, NULL), 0);
}

static void pointers_into_the_header_are_refused(void **state)
{
	uint8_t packet[] = "\0\0\0\0\0\0\0\0\0\0\0\0\0\1a\xc0";
	struct name name;

	(void)state;
	for (unsigned to = 0; to < 16; to++) {
		packet[16] = (uint8_t)to; /* the NUL that ends the string */
		assert_int_equal(read_wire(&name, packet, sizeof packet, 13, NULL),
				 to == 12 ? 0 : ERR_INVALID);
	}
}

static void pointer_loops_are_refused(void **state)
{
	struct name name;

	(void)state;
	assert_int_equal(READ(&name, HEADER "\xc0\x0e\xc0\x0c", 14, NULL), ERR_INVALID);
	assert_int_equal(READ(&name, HEADER "\1a\xc0\x10\1b\xc0\x0c", 16, NULL), ERR_INVALID);
}

/* Each pointer leads to the one before, so a place has as many after it as stand before it. */
static void sixty_four_pointers_are_followed_and_no_more(void **state)
{
	uint8_t packet[2 * 8000] = {0};
	struct name name;
	size_t at, end;

	(void)state;
	for (at = 14; at < sizeof packet; at += 2) {
		packet[at] = (uint8_t)(0xc0 | (at - 2) >> 8);
		packet[at + 1] = (uint8_t)(at - 2);
	}
	at = 12 + 2 * WIRE_JUMPS_MAX;
	assert_int_equal(read_wire(&name, packet, sizeof packet, at, &end), 0);
	assert_int_equal(end, at + 2);
	assert_int_equal(name.length, 1);
	assert_int_equal(read_wire(&name, packet, sizeof packet, at + 2, &end), ERR_INVALID);
	assert_int_equal(read_wire(&name, packet, sizeof packet, sizeof packet - 2, &end),
			 ERR_INVALID);
}

static void label_types_of_other_worlds_are_refused(void **state)
{
	struct name name;
	unsigned c;

	(void)state;
	for (c = 64; c < 192; c++) {
		/* Taken for a pointer, 64 and 128 would lead to the root in front. */
		uint8_t wire[200] = {[13] = 1, [14] = 'a', [15] = (uint8_t)c, [16] = 12};

		assert_int_equal(read_wire(&name, wire, sizeof wire, 13, NULL), ERR_INVALID);
	}
}

static void a_name_that_the_packet_cuts_off_is_refused(void **state)
{
	static const char packet[] = HEADER "\3foo\0\3www\4corp\xc0\x0c";
	struct name name;
	size_t length;

	(void)state;
	for (length = 17; length < sizeof packet - 1; length++)
		assert_int_equal(read_wire(&name, packet, length, 17, NULL), ERR_INVALID);
	assert_int_equal(READ(&name, packet, 17, NULL), 0);
	assert_int_equal(READ(&name, packet, sizeof packet - 1, NULL), ERR_INVALID);
	assert_int_equal(READ(&name, packet, 10000, NULL), ERR_INVALID);
	assert_int_equal(read_wire(&name, "", 0, 0, NULL), ERR_INVALID);
}

static void names_of_255_bytes_are_read_and_of_256_refused(void **state)
{
	uint8_t wire[300];
	struct name name;
	size_t size;

	(void)state;
	for (size = 1; size <= 63; size++) {
		assert_int_equal(make_wire(wire, 255, size), 255);
		assert_int_equal(read_wire(&name, wire, 255, 0, NULL), 0);
		assert_int_equal(name.length, 255);
		assert_int_equal(make_wire(wire, 256, size), 256);
		assert_int_equal(read_wire(&name, wire, 256, 0, NULL), ERR_INVALID);
	}
	assert_int_equal(make_wire(wire, 255, 1), 255);
	assert_int_equal(read_wire(&name, wire, 255, 0, NULL), 0);
	assert_int_equal(name.labels, NAME_LABELS_MAX);
}

/* 255 bytes in all, part of it after a pointer; then one more. */
static void the_limit_counts_what_is_behind_pointers(void **state)
{
	uint8_t wire[400] = {0};
	struct name name;
	size_t tail = make_wire(wire + 12, 200, 63), at = 12 + tail;

	(void)state;
	wire[at] = 54; /* 200 + 55 */
	memset(wire + at + 1, 'b', 54);
	wire[at + 55] = 0xc0;
	wire[at + 56] = 12;
	assert_int_equal(read_wire(&name, wire, at + 57, at, NULL), 0);
	assert_int_equal(name.length, 255);
	wire[at] = 55;
	wire[at + 55] = 'b';
	wire[at + 56] = 0xc0;
	wire[at + 57] = 12;
	assert_int_equal(read_wire(&name, wire, at + 58, at, NULL), ERR_INVALID);
}

/* Whatever the bytes are: an error, or a name that reads back to itself. */
static void random_packets_give_an_error_or_a_sound_name(void **state)
{
	uint64_t seed = 99;
	unsigned round, i, good = 0;

	(void)state;
	for (round = 0; round < 50000; round++) {
		uint8_t packet[64];
		size_t length = random_below(&seed, sizeof packet + 1), end = 0;
		struct name name, again;

		for (i = 0; i < length; i++) {
			unsigned kind = random_below(&seed, 10);

			packet[i] = (uint8_t)(kind < 5   ? random_below(&seed, 5)
					      : kind < 7 ? 0xc0
					      : kind < 9 ? 12 + random_below(&seed, 20)
							 : random_u64(&seed));
		}
		if (read_wire(&name, packet, length, length / 2, &end) != 0)
			continue;
		good++;
		assert_true(end > length / 2 && end <= length);
		assert_int_equal(read_wire(&again, name.wire, name.length, 0, &end), 0);
		assert_int_equal(end, name.length);
		assert_same(&name, &again);
	}
	assert_true(good > 1000);
}

/* ---- hashes ---- */

static void a_suffix_has_the_same_hash_in_every_name(void **state)
{
	struct name a = parse("a.b.corp.test"), b = parse("www.Corp.Test."), c = parse("corp.test");

	(void)state;
	assert_true(a.hash[2] == c.hash[0]);
	assert_true(b.hash[1] == c.hash[0]);
	assert_true(a.hash[3] == c.hash[1]);
	assert_true(a.hash[4] == parse(".").hash[0]);
	assert_true(a.hash[0] != c.hash[0]);
}

static void hashes_are_computed_label_by_label_from_the_root(void **state)
{
	struct name name = parse("www.test");
	uint64_t test = name_hash_label(&key, parse(".").hash[0], (const uint8_t *)"test", 4);

	(void)state;
	assert_true(name.hash[1] == test);
	assert_true(name.hash[0] == name_hash_label(&key, test, (const uint8_t *)"www", 3));
}

static void hashes_depend_on_the_key_and_on_label_boundaries(void **state)
{
	const struct hash_key other = {key.k0, key.k1 + 1};
	struct name name = parse("www.test"), rekeyed, a = parse("ab.c"), b = parse("a.bc");
	struct name dot = parse("a\\.b"), two = parse("a.b");

	(void)state;
	assert_int_equal(name_from_text(&rekeyed, &other, "www.test"), 0);
	assert_true(name.hash[0] != rekeyed.hash[0]);
	assert_true(a.hash[0] != b.hash[0]);
	assert_true(dot.hash[0] != two.hash[0]);
}

/* ---- text ---- */

static void text_is_read_with_and_without_the_final_dot(void **state)
{
	struct name with = parse("WWW.corp.test."), without = parse("www.Corp.test");

	(void)state;
	assert_same(&with, &without);
	assert_memory_equal(with.wire, "\3www\4corp\4test", 15);
	with = parse(".");
	assert_int_equal(with.labels, 0);
	assert_int_equal(with.length, 1);
}

static void escapes_are_read(void **state)
{
	struct name name = parse("a\\.b.\\000\\255\\065.\\\\\\\"\\ x");

	(void)state;
	assert_int_equal(name.labels, 3);
	assert_int_equal(name.length, 14);
	assert_memory_equal(name.wire,
			    "\3a.b\3\0\xff"
			    "a\4\\\" x",
			    14);
}

static void malformed_text_is_refused(void **state)
{
	static const char *const bad[] = {
		"",     "..",    ".a",    "a..",   "a..b",   "\\",   "a\\", "\\2",
		"\\25", "\\256", "\\999", "\\2x5", "\\25x.", "a b",  " a",  "a ",
		"a\tb", "a\nb",  "\x7f",  "\x01",  ".\\.",   "a. b", "...",
	};
	struct name name;
	size_t i;

	(void)state;
	for (i = 0; i < sizeof bad / sizeof *bad; i++)
		if (name_from_text(&name, &key, bad[i]) != ERR_INVALID)
			fail_msg("\"%s\" was read", bad[i]);
}

static void labels_of_63_bytes_are_read_and_of_64_refused(void **state)
{
	char text[80];
	struct name name;

	(void)state;
	memset(text, 'x', sizeof text);
	text[63] = '\0';
	assert_int_equal(name_from_text(&name, &key, text), 0);
	assert_int_equal(name.wire[0], 63);
	text[63] = 'x';
	text[64] = '\0';
	assert_int_equal(name_from_text(&name, &key, text), ERR_TOO_LONG);
	/* It is bytes that count, not characters. */
	memcpy(text + 60, "\\065.test", 10);
	assert_int_equal(name_from_text(&name, &key, text), 0);
	assert_int_equal(name.wire[0], 61);
}

static void text_of_255_bytes_is_read_and_of_256_refused(void **state)
{
	uint8_t wire[300];
	char text[NAME_TEXT_MAX];
	struct name name;
	size_t size;

	(void)state;
	for (size = 1; size <= 63; size++) {
		assert_int_equal(make_wire(wire, 255, size), 255);
		assert_int_equal(name_from_text(&name, &key, name_wire_to_text(wire, text)), 0);
		assert_int_equal(name.length, 255);
		text[strlen(text) - 1] = '\0'; /* the final dot makes no difference */
		assert_int_equal(name_from_text(&name, &key, text), 0);
		assert_int_equal(make_wire(wire, 256, size), 256);
		assert_int_equal(name_from_text(&name, &key, name_wire_to_text(wire, text)),
				 ERR_TOO_LONG);
	}
	assert_int_equal(make_wire(wire, 255, 1), 255);
	assert_int_equal(name_from_text(&name, &key, name_wire_to_text(wire, text)), 0);
	assert_int_equal(name.labels, NAME_LABELS_MAX);
	memcpy(text + strlen(text), "b", 2);
	assert_int_equal(name_from_text(&name, &key, text), ERR_TOO_LONG);
}

static void specials_and_unprintable_bytes_are_escaped(void **state)
{
	static const uint8_t wire[] = "\13\".;\\()@$a_-\6\0 \x1f\x7f\x80\xff\1*";
	char text[NAME_TEXT_MAX];

	(void)state;
	assert_string_equal(name_wire_to_text(wire, text),
			    "\\\"\\.\\;\\\\\\(\\)\\@\\$a_-.\\000\\032\\031\\127\\128\\255.*.");
	assert_string_equal(name_wire_to_text((const uint8_t *)"", text), ".");
	/* Case is kept where the wire has it. */
	assert_string_equal(name_wire_to_text((const uint8_t *)"\2Ab", text), "Ab.");
}

static void the_longest_text_fits(void **state)
{
	uint8_t wire[256];
	char text[NAME_TEXT_MAX];
	size_t at, label;

	(void)state;
	assert_int_equal(make_wire(wire, 255, 63), 255);
	for (at = 0; wire[at] != 0; at += label + 1) {
		label = wire[at];
		memset(wire + at + 1, 0xff, label);
	}
	assert_int_equal(strlen(name_wire_to_text(wire, text)), 250 * 4 + 4);
	assert_true(strlen(text) < NAME_TEXT_MAX);
}

static void random_names_survive_the_way_to_text_and_back(void **state)
{
	uint64_t seed = 5;
	unsigned round;

	(void)state;
	for (round = 0; round < 5000; round++) {
		uint8_t wire[NAME_WIRE_MAX];
		size_t used = 0, budget = random_below(&seed, 255), i;
		char text[NAME_TEXT_MAX];
		struct name from_wire, from_text;

		while (used + 2 <= budget) {
			size_t label = 1 + random_below(&seed, 63);

			if (used + 1 + label > budget)
				label = budget - used - 1;
			wire[used] = (uint8_t)label;
			for (i = 0; i < label; i++)
				wire[used + 1 + i] = (uint8_t)random_u64(&seed);
			used += 1 + label;
		}
		wire[used++] = 0;
		assert_int_equal(read_wire(&from_wire, wire, used, 0, &i), 0);
		assert_int_equal(i, used);
		name_wire_to_text(wire, text);
		assert_int_equal(name_from_text(&from_text, &key, text), 0);
		assert_same(&from_wire, &from_text);
		assert_int_equal(name_wire_length(wire), used);
		assert_true(name_wire_equal(wire, from_text.wire));
	}
}

/* ---- suffixes and comparing ---- */

static void a_suffix_is_the_bytes_up_to_the_root(void **state)
{
	struct name name = parse("www.corp.test");

	(void)state;
	assert_int_equal(name_suffix_length(&name, 0), name.length);
	assert_memory_equal(name_suffix_wire(&name, 0), name.wire, name.length);
	assert_int_equal(name_suffix_length(&name, 1), 11);
	assert_memory_equal(name_suffix_wire(&name, 1), "\4corp\4test", 11);
	assert_int_equal(name_suffix_length(&name, 3), 1);
	assert_int_equal(*name_suffix_wire(&name, 3), 0);
}

static void a_name_without_hashes_is_compared_and_printed(void **state)
{
	struct name name, hashed = parse("www.corp.test"), suffix = parse("corp.test");
	char text[NAME_TEXT_MAX];

	(void)state;
	assert_int_equal(name_from_text(&name, NULL, "WWW.Corp.test."), 0);
	assert_true(name_equal(&name, &hashed));
	assert_true(name_is_under(&name, &suffix));
	assert_string_equal(name_to_text(&name, text), "www.corp.test.");
}

static void under_means_on_label_boundaries(void **state)
{
	struct name corp = parse("corp.test"), www = parse("www.CORP.test"), root = parse(".");
	struct name xcorp = parse("xcorp.test"), other = parse("corp.best");
	struct name fake = parse("a.x\\004corp.test");

	(void)state;
	assert_true(name_is_under(&www, &corp));
	assert_true(name_is_under(&corp, &corp));
	assert_true(name_is_under(&corp, &root));
	assert_true(name_is_under(&root, &root));
	assert_false(name_is_under(&corp, &www));
	assert_false(name_is_under(&xcorp, &corp));
	assert_false(name_is_under(&other, &corp));
	assert_false(name_is_under(&root, &corp));
	assert_false(name_is_under(&fake, &corp));
}

static void equality_is_of_whole_names(void **state)
{
	struct name a = parse("www.corp.test"), b = parse("WWW.corp.test."), c = parse("corp.test");
	struct name d = parse("www.corp.tesx");

	(void)state;
	assert_true(name_equal(&a, &b));
	assert_false(name_equal(&a, &c));
	assert_false(name_equal(&a, &d));
}

static void wire_names_compare_without_regard_to_case(void **state)
{
	static const struct {
		const char *a, *b;
		bool equal;
	} cases[] = {
		{"\3www\4corp", "\3WwW\4cOrP", true},
		{"", "", true},
		{"\3www", "", false},
		{"", "\3www", false},
		{"\3www\4corp", "\3www", false},
		{"\3www\4corp", "\3www\4corq", false},
		{"\1@", "\1`", false},
		{"\1[", "\1{", false},
		{"\2ab", "\1a\1b", false},
	};
	size_t i;

	(void)state;
	for (i = 0; i < sizeof cases / sizeof *cases; i++)
		assert_int_equal(
			name_wire_equal((const uint8_t *)cases[i].a, (const uint8_t *)cases[i].b),
			cases[i].equal);
}

static void the_length_of_a_wire_name_counts_the_root(void **state)
{
	(void)state;
	assert_int_equal(name_wire_length((const uint8_t *)""), 1);
	assert_int_equal(name_wire_length((const uint8_t *)"\3www\4corp"), 10);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_name_is_lower_cased_with_its_labels_found),
		cmocka_unit_test(only_ascii_letters_are_lower_cased),
		cmocka_unit_test(names_of_every_length_are_lower_cased_to_the_last_byte),
		cmocka_unit_test(the_root_is_one_byte),
		cmocka_unit_test(pointers_are_followed_and_the_end_is_behind_the_first),
		cmocka_unit_test(pointers_to_themselves_or_forward_are_refused),
		cmocka_unit_test(pointers_into_the_header_are_refused),
		cmocka_unit_test(pointer_loops_are_refused),
		cmocka_unit_test(sixty_four_pointers_are_followed_and_no_more),
		cmocka_unit_test(label_types_of_other_worlds_are_refused),
		cmocka_unit_test(a_name_that_the_packet_cuts_off_is_refused),
		cmocka_unit_test(names_of_255_bytes_are_read_and_of_256_refused),
		cmocka_unit_test(the_limit_counts_what_is_behind_pointers),
		cmocka_unit_test(random_packets_give_an_error_or_a_sound_name),
		cmocka_unit_test(a_suffix_has_the_same_hash_in_every_name),
		cmocka_unit_test(hashes_are_computed_label_by_label_from_the_root),
		cmocka_unit_test(hashes_depend_on_the_key_and_on_label_boundaries),
		cmocka_unit_test(text_is_read_with_and_without_the_final_dot),
		cmocka_unit_test(escapes_are_read),
		cmocka_unit_test(malformed_text_is_refused),
		cmocka_unit_test(labels_of_63_bytes_are_read_and_of_64_refused),
		cmocka_unit_test(text_of_255_bytes_is_read_and_of_256_refused),
		cmocka_unit_test(specials_and_unprintable_bytes_are_escaped),
		cmocka_unit_test(the_longest_text_fits),
		cmocka_unit_test(random_names_survive_the_way_to_text_and_back),
		cmocka_unit_test(a_suffix_is_the_bytes_up_to_the_root),
		cmocka_unit_test(a_name_without_hashes_is_compared_and_printed),
		cmocka_unit_test(under_means_on_label_boundaries),
		cmocka_unit_test(equality_is_of_whole_names),
		cmocka_unit_test(wire_names_compare_without_regard_to_case),
		cmocka_unit_test(the_length_of_a_wire_name_counts_the_root),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
