/* Types, layouts, and rdata in its two forms. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "rules/wire.h"
#include "rules/zone/rdata.h"
#include "rules/zone/record.h"
#include "tests/lib/random.h"

static const uint8_t corp_test[] = "\4corp\4test";

static uint8_t rdata[RDATA_MAX];
static size_t rdata_length;

/* 0, or the error; the reason is in *why. */
static int parse(uint16_t type, const char *text, const char **why)
{
	return rdata_parse(type, text, corp_test, rdata, &rdata_length, why);
}

static void assert_parses(uint16_t type, const char *text, const void *expected, size_t length)
{
	const char *why = NULL;

	if (parse(type, text, &why) != 0)
		fail_msg("%u %s: %s", type, text, why);
	assert_int_equal(rdata_length, length);
	assert_memory_equal(rdata, expected, length);
}

static void assert_refused(uint16_t type, const char *text)
{
	const char *why = NULL;

	if (parse(type, text, &why) == 0)
		fail_msg("%u %s was taken", type, text);
	assert_non_null(why);
	assert_true(*why != '\0');
}

static void assert_prints(uint16_t type, const void *bytes, size_t length, const char *expected)
{
	char *text = NULL;
	size_t size = 0;
	FILE *out = open_memstream(&text, &size);

	assert_non_null(out);
	assert_int_equal(rdata_print(type, bytes, length, out), 0);
	fclose(out);
	assert_string_equal(text, expected);
	free(text);
}

static void types_have_names_and_numbers(void **state)
{
	static const struct {
		uint16_t type;
		const char *name;
	} cases[] = {
		{1, "A"},      {28, "AAAA"},         {5, "CNAME"},
		{39, "DNAME"}, {33, "SRV"},          {43, "DS"},
		{46, "RRSIG"}, {64, "SVCB"},         {65, "HTTPS"},
		{257, "CAA"},  {41, "OPT"},          {249, "TKEY"},
		{250, "TSIG"}, {251, "IXFR"},        {252, "AXFR"},
		{255, "ANY"},  {253, "MAILB"},       {254, "MAILA"},
		{0, "TYPE0"},  {65280, "TYPE65280"}, {65535, "TYPE65535"},
	};
	char text[16];
	uint16_t type;

	(void)state;
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		assert_string_equal(record_type_print(cases[i].type, text, sizeof text),
				    cases[i].name);
		assert_int_equal(record_type_parse(&type, cases[i].name), 0);
		assert_int_equal(type, cases[i].type);
	}
}

static void every_type_is_read_as_it_is_printed(void **state)
{
	char text[16];

	(void)state;
	for (unsigned type = 0; type <= UINT16_MAX; type++) {
		uint16_t again = (uint16_t)~type;

		record_type_print((uint16_t)type, text, sizeof text);
		assert_int_equal(record_type_parse(&again, text), 0);
		assert_int_equal(again, type);
	}
}

static void types_are_read_in_any_case_and_by_number(void **state)
{
	uint16_t type;

	(void)state;
	assert_int_equal(record_type_parse(&type, "aaaa"), 0);
	assert_int_equal(type, TYPE_AAAA);
	assert_int_equal(record_type_parse(&type, "type1"), 0);
	assert_int_equal(type, TYPE_A);
	assert_int_equal(record_type_parse(&type, "TYPE65535"), 0);
	assert_int_equal(type, 65535);
}

static void what_is_no_type_is_refused(void **state)
{
	static const char *const texts[] = {"",
					    "FOO",
					    "TYPE",
					    "TYPE65536",
					    "TYPE-1",
					    "TYPE1x",
					    "TYPE 1",
					    "A ",
					    "AAAAA",
					    "1",
					    "TYPE99999999999999999999"};
	uint16_t type;

	(void)state;
	for (size_t i = 0; i < sizeof texts / sizeof *texts; i++)
		assert_int_equal(record_type_parse(&type, texts[i]), ERR_INVALID);
}

static void types_of_questions_and_messages_are_not_data(void **state)
{
	static const uint16_t not_data[] = {0, 41, 128, 249, 250, 251, 252, 253, 254, 255, 65535};
	static const uint16_t data[] = {1, 2, 6, 40, 42, 46, 127, 256, 257, 32768, 65280, 65534};

	(void)state;
	for (size_t i = 0; i < sizeof not_data / sizeof *not_data; i++)
		assert_false(record_type_is_data(not_data[i]));
	for (size_t i = 0; i < sizeof data / sizeof *data; i++)
		assert_true(record_type_is_data(data[i]));
}

static void layouts_are_those_of_rfc_3597_section_4(void **state)
{
	static const struct {
		uint16_t type;
		const char *layout;
	} cases[] = {
		{2, "n"},          {3, "n"},   {4, "n"},     {5, "n"},       {6, "nn44444"},
		{7, "n"},          {8, "n"},   {9, "n"},     {12, "n"},      {14, "nn"},
		{15, "2n"},        {17, "nn"}, {18, "2n"},   {21, "2n"},     {26, "2nn"},
		{24, "2114442n*"}, {30, "n*"}, {33, "222n"}, {35, "22sssn"},
	};
	static const uint16_t nameless[] = {1,  13, 104, 105, 106, 108, 109, 16,    28,   43,
					    46, 47, 64,  65,  107, 110, 257, 65280, 65535};

	(void)state;
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		assert_non_null(record_layout(cases[i].type));
		assert_string_equal(record_layout(cases[i].type), cases[i].layout);
		assert_true(record_has_names(cases[i].type));
	}
	for (size_t i = 0; i < sizeof nameless / sizeof *nameless; i++)
		assert_false(record_has_names(nameless[i]));
}

static void what_has_neither_names_nor_a_fixed_shape_is_opaque(void **state)
{
	static const uint16_t opaque[] = {16, 43, 46, 47, 64, 65, 103, 107, 110, 257, 65280, 65535};

	(void)state;
	for (size_t i = 0; i < sizeof opaque / sizeof *opaque; i++)
		assert_null(record_layout(opaque[i]));
}

static void rdata_of_a_fixed_shape_has_no_other_length(void **state)
{
	static const struct {
		uint16_t type;
		unsigned length;
	} cases[] = {{TYPE_A, 4}, {TYPE_AAAA, 16}, {104, 10}, {105, 6},
		     {106, 10},   {108, 6},        {109, 8}};
	static const uint8_t packet[40];
	static const uint8_t hinfo[] = "\2PC\2MS";

	(void)state;
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
		for (unsigned length = 0; length < 20; length++)
			assert_int_equal(record_rdata_fits(cases[i].type, packet, 12, 12 + length,
							   WIRE_HEADER, NULL),
					 length == cases[i].length);
	for (unsigned length = 0; length <= 7; length++)
		assert_int_equal(rdata_is_valid(TYPE_HINFO, hinfo, length), length == 6);
}

static void rdata_must_fill_its_layout_exactly(void **state)
{
	static const uint8_t mx[] = "\0\12\4mail\4corp\0x";
	static const uint8_t pointer[] = "\0\12\300\14";
	static const uint8_t naptr[] = "\0\1\0\2\1s\2ab\0\1r";
	uint8_t soa[22] = {0};
	uint8_t address[17] = {0};

	(void)state;
	assert_true(rdata_is_valid(TYPE_MX, mx, 13));
	assert_false(rdata_is_valid(TYPE_MX, mx, 12));
	assert_false(rdata_is_valid(TYPE_MX, mx, 14));
	assert_false(rdata_is_valid(TYPE_MX, mx, 1));
	assert_false(rdata_is_valid(TYPE_MX, pointer, 4));
	assert_true(rdata_is_valid(35, naptr, 13));
	assert_false(rdata_is_valid(35, naptr, 7));
	assert_true(rdata_is_valid(TYPE_SOA, soa, 22));
	assert_false(rdata_is_valid(TYPE_SOA, soa, 21));
	assert_true(rdata_is_valid(TYPE_A, address, 4));
	assert_false(rdata_is_valid(TYPE_A, address, 5));
	assert_true(rdata_is_valid(TYPE_AAAA, address, 16));
	assert_false(rdata_is_valid(TYPE_AAAA, address, 17));
	assert_true(rdata_is_valid(65280, address, 0));
	assert_false(rdata_is_valid(TYPE_CNAME, address, 0));
}

static void a_name_of_255_bytes_is_valid_and_one_of_256_is_not(void **state)
{
	uint8_t name[257] = {0};

	(void)state;
	for (size_t at = 0; at < 256; at += 2) {
		name[at] = 1;
		name[at + 1] = 'a';
	}
	name[254] = 0;
	assert_true(rdata_is_valid(TYPE_PTR, name, 255));
	name[254] = 1;
	name[256] = 0;
	assert_false(rdata_is_valid(TYPE_PTR, name, 257));
}

static void rdata_is_read_relative_to_the_origin(void **state)
{
	(void)state;
	assert_parses(TYPE_A, "10.0.0.1", "\n\0\0\1", 4);
	assert_parses(TYPE_MX, "10 mail", "\0\12\4mail\4corp\4test", 18);
	assert_parses(TYPE_MX, "  10   Mail.Example. ", "\0\12\4Mail\7Example", 16);
	assert_parses(TYPE_CNAME, "@", corp_test, sizeof corp_test);
	assert_parses(TYPE_TXT, "\"a b\" c", "\3a b\1c", 6);
	assert_parses(TYPE_TXT, "\"semi;colon\"", "\12semi;colon", 11);
}

static void strings_are_read_with_quotes_and_escapes(void **state)
{
	char text[300];

	(void)state;
	assert_parses(TYPE_TXT, "\"\" x \"\"", "\0\1x\0", 4);
	assert_parses(TYPE_TXT, "\"a\\\"b\\\\c\" d\\ e \\255\\000", "\5a\"b\\c\3d e\2\377\0", 13);
	assert_parses(TYPE_HINFO, "PC \"BSD 4\"", "\2PC\5BSD 4", 9);
	assert_parses(20, "150862", "\006150862", 7);
	assert_parses(20, "150862 \"004\"", "\006150862\003004", 11);
	assert_refused(TYPE_TXT, "\\256");
	assert_refused(TYPE_TXT, "\\25");
	assert_refused(TYPE_TXT, "");
	assert_refused(TYPE_HINFO, "PC");
	assert_refused(TYPE_HINFO, "PC BSD more");
	memset(text, 'x', sizeof text);
	text[255] = '\0';
	assert_int_equal(parse(TYPE_TXT, text, &(const char *){NULL}), 0);
	assert_int_equal(rdata_length, 256);
	text[255] = 'x';
	text[256] = '\0';
	assert_refused(TYPE_TXT, text);
}

static void any_type_can_be_written_in_the_form_of_rfc_3597(void **state)
{
	(void)state;
	assert_parses(65280, "\\# 4 0a000001", "\n\0\0\1", 4);
	assert_parses(65280, "\\# 4 0A0 000 01", "\n\0\0\1", 4);
	assert_parses(65280, "\\# 0", "", 0);
	assert_parses(TYPE_A, "\\# 4 0a000001", "\n\0\0\1", 4);
	assert_parses(TYPE_CNAME, "\\# 3 016100", "\1a", 3);
}

static void wrong_forms_of_rfc_3597_are_refused(void **state)
{
	(void)state;
	assert_refused(65280, "10.0.0.1");
	assert_refused(65280, "");
	assert_refused(65280, "\\#");
	assert_refused(65280, "\\# x");
	assert_refused(65280, "\\# 4");
	assert_refused(65280, "\\# 4 0a0000");
	assert_refused(65280, "\\# 4 0a00000");
	assert_refused(65280, "\\# 4 0a00000101");
	assert_refused(65280, "\\# 4 0a00000g");
	assert_refused(65280, "\\# 65536 00");
	assert_refused(65280, "\\# 99999999999999999999999 00");
	assert_refused(TYPE_A, "\\# 3 0a0000");
	assert_refused(TYPE_CNAME, "\\# 4 01610000");
	assert_refused(TYPE_CNAME, "\\# 2 c00c");
	assert_refused(TYPE_TXT, "\\# 2 0561");
	assert_refused(TYPE_TXT, "\\# 0");
}

static void wrong_rdata_is_refused_with_a_reason(void **state)
{
	(void)state;
	assert_refused(TYPE_A, "10.0.0");
	assert_refused(TYPE_A, "10.0.0.256");
	assert_refused(TYPE_A, "10.0.0.1 10.0.0.2");
	assert_refused(TYPE_A, "");
	assert_refused(TYPE_AAAA, "10.0.0.1");
	assert_refused(TYPE_MX, "mail");
	assert_refused(TYPE_MX, "70000 mail");
	assert_refused(TYPE_CNAME, "a..b");
	assert_refused(TYPE_SOA, "ns host 1 2 3 4");
	assert_refused(43, "12345 8 2 zz");
}

static void numbers_that_do_not_fit_their_field_are_refused(void **state)
{
	(void)state;
	assert_parses(TYPE_SRV, "65535 0 65535 .", "\377\377\0\0\377\377\0", 7);
	assert_refused(TYPE_SRV, "65536 0 1 .");
	assert_refused(TYPE_SRV, "0 0 65536 .");
	assert_refused(TYPE_SRV, "18446744073709551616 0 1 .");
	assert_refused(52, "256 1 1 00");
	assert_refused(TYPE_SOA, "@ @ 4294967296 1 1 1 1");
	assert_refused(TYPE_SOA, "@ @ 1 1 1 1 4294967296");
	assert_parses(TYPE_SOA, ". . 4294967295 1h 0 0 4294967295",
		      "\0\0\377\377\377\377\0\0\16\20\0\0\0\0\0\0\0\0\377\377\377\377", 22);
}

static void a_name_that_the_origin_makes_too_long_is_refused(void **state)
{
	char text[400];
	size_t at = 0;

	(void)state;
	/* 122 labels of one letter, 244 bytes, and 11 of corp.test. are 255. */
	for (int i = 0; i < 122; i++, at += 2)
		snprintf(text + at, sizeof text - at, "%sa", i > 0 ? "." : " ");
	assert_int_equal(parse(TYPE_CNAME, text, &(const char *){NULL}), 0);
	assert_int_equal(rdata_length, 255);
	snprintf(text + at, sizeof text - at, "a");
	assert_refused(TYPE_CNAME, text);
}

static void text_too_long_for_ldns_is_refused_and_not_cut(void **state)
{
	size_t size = 66000;
	char *text = malloc(size);
	size_t at = 0;

	(void)state;
	assert_non_null(text);
	while (at + 202 < 65700) {
		memset(text + at, 'x', 200);
		text[at + 200] = ' ';
		at += 201;
	}
	text[at] = '\0';
	assert_refused(TYPE_TXT, text);
	text[64000] = '\0';
	assert_int_equal(parse(TYPE_TXT, text, &(const char *){NULL}), 0);
	assert_true(rdata_length > 63000);
	free(text);
}

static void rdata_is_printed_with_absolute_names(void **state)
{
	(void)state;
	assert_prints(TYPE_MX, "\0\12\4Mail\4corp\4test", 18, "10 Mail.corp.test.");
	assert_prints(TYPE_A, "\n\0\0\1", 4, "10.0.0.1");
	assert_prints(TYPE_TXT, "\3a\"b\1c", 6, "\"a\\\"b\" \"c\"");
	assert_prints(TYPE_SRV, "\0\1\0\2\0\65\0", 7, "1 2 53 .");
	assert_prints(65280, "\n\0\0\1", 4, "\\# 4 0a000001");
	assert_prints(65280, "", 0, "\\# 0");
}

static void what_does_not_fit_its_type_is_printed_as_bytes(void **state)
{
	(void)state;
	assert_prints(TYPE_A, "\n\0\0", 3, "\\# 3 0a0000");
	assert_prints(TYPE_TXT, "", 0, "\\# 0");
	assert_prints(TYPE_TXT, "\5a", 2, "\\# 2 0561");
	assert_prints(257, "\0", 1, "\\# 1 00");
}

static void arbitrary_bytes_of_every_known_type_survive_print_and_parse(void **state)
{
	uint64_t random = 1;

	(void)state;
	for (unsigned round = 0; round < 8000; round++) {
		uint16_t type = (uint16_t)(round % 264);
		uint8_t bytes[64];
		size_t length, size = 0;
		char *text = NULL;
		const char *why = NULL;
		FILE *out = open_memstream(&text, &size);

		for (size_t i = 0; i < sizeof bytes; i++) {
			bytes[i] = (uint8_t)(random_u64(&random) >> (random % 8));
		}
		length = random_below(&random, sizeof bytes);
		assert_int_equal(rdata_print(type, bytes, length, out), 0);
		fclose(out);
		if (rdata_parse(type, text, corp_test, rdata, &rdata_length, &why) == 0) {
			assert_int_equal(rdata_length, length);
			assert_memory_equal(rdata, bytes, length);
		} else {
			assert_memory_equal(text, "\\# ", 3); /* not of this type at all */
		}
		free(text);
	}
}

static void a_full_disk_is_an_error(void **state)
{
	FILE *out = fopen("/dev/full", "w");

	(void)state;
	assert_non_null(out);
	setvbuf(out, NULL, _IONBF, 0);
	assert_int_equal(rdata_print(TYPE_A, (const uint8_t *)"\n\0\0\1", 4, out), ERR_SYSTEM);
	fclose(out);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(types_have_names_and_numbers),
		cmocka_unit_test(every_type_is_read_as_it_is_printed),
		cmocka_unit_test(types_are_read_in_any_case_and_by_number),
		cmocka_unit_test(what_is_no_type_is_refused),
		cmocka_unit_test(types_of_questions_and_messages_are_not_data),
		cmocka_unit_test(layouts_are_those_of_rfc_3597_section_4),
		cmocka_unit_test(what_has_neither_names_nor_a_fixed_shape_is_opaque),
		cmocka_unit_test(rdata_of_a_fixed_shape_has_no_other_length),
		cmocka_unit_test(rdata_must_fill_its_layout_exactly),
		cmocka_unit_test(a_name_of_255_bytes_is_valid_and_one_of_256_is_not),
		cmocka_unit_test(rdata_is_read_relative_to_the_origin),
		cmocka_unit_test(strings_are_read_with_quotes_and_escapes),
		cmocka_unit_test(any_type_can_be_written_in_the_form_of_rfc_3597),
		cmocka_unit_test(wrong_forms_of_rfc_3597_are_refused),
		cmocka_unit_test(wrong_rdata_is_refused_with_a_reason),
		cmocka_unit_test(numbers_that_do_not_fit_their_field_are_refused),
		cmocka_unit_test(a_name_that_the_origin_makes_too_long_is_refused),
		cmocka_unit_test(text_too_long_for_ldns_is_refused_and_not_cut),
		cmocka_unit_test(rdata_is_printed_with_absolute_names),
		cmocka_unit_test(what_does_not_fit_its_type_is_printed_as_bytes),
		cmocka_unit_test(arbitrary_bytes_of_every_known_type_survive_print_and_parse),
		cmocka_unit_test(a_full_disk_is_an_error),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
