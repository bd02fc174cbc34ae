/* What a zone is made of: the SOA, sets, limits, memory. What a zone file can say and must not is
 * in test_zonefile.c. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "rules/zone/zone.h"
#include "tests/lib/zone_text.h"

static struct zone_answer ask(const struct zone *zone, const char *text, uint16_t type)
{
	struct name name = zone_text_name(text);
	struct zone_answer answer;

	zone_find(zone, &name, type, &answer);
	return answer;
}

static uint32_t wire_ttl(const struct rrset *set)
{
	return (uint32_t)set->wire[6] << 24 | (uint32_t)set->wire[7] << 16 |
	       (uint32_t)set->wire[8] << 8 | set->wire[9];
}

static const struct rrset *soa_of(const struct zone *zone)
{
	return zone_find_exact(zone, zone_apex(zone), TYPE_SOA);
}

static void a_negative_soa_lives_as_long_as_the_lesser_of_ttl_and_minimum(void **state)
{
	static const struct {
		const char *text;
		uint32_t ttl, negative;
	} cases[] = {
		{"@ 3600 SOA a b 1 2 3 4 60\n", 3600, 60},
		{"@ 60 SOA a b 1 2 3 4 3600\n", 60, 60},
		{"@ 60 SOA a b 1 2 3 4 0\n", 60, 0},
		{"@ 60 SOA a b 1 2 3 4 4294967295\n", 60, 60},
	};

	(void)state;
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		struct zone *zone = zone_text_read("corp.test", cases[i].text);
		const struct rrset *soa = soa_of(zone), *negative = zone_negative_soa(zone);

		assert_int_equal(soa->ttl, cases[i].ttl);
		assert_int_equal(wire_ttl(soa), cases[i].ttl);
		assert_int_equal(negative->ttl, cases[i].negative);
		assert_int_equal(wire_ttl(negative), cases[i].negative);
		assert_int_equal(negative->length, soa->length);
		assert_memory_equal(negative->wire + 10, soa->wire + 10, soa->length - 10);
		zone_unref(zone);
	}
}

static void a_zone_without_a_soa_gets_one_and_no_ns(void **state)
{
	struct zone *zone = zone_text_read("corp.test", "");
	char *text = zone_text_write(zone);

	(void)state;
	assert_string_equal(text, "corp.test. 3600 IN SOA corp.test. hostmaster.corp.test. "
				  "1 3600 300 2419200 300\n");
	assert_int_equal(zone_negative_soa(zone)->ttl, 300);
	assert_int_equal(zone_records(zone), 1);
	assert_int_equal(zone_record_sets(zone), 1);
	free(text);
	zone_unref(zone);
}

static void a_soa_is_made_up_for_the_longest_of_names_too(void **state)
{
	char apex[260];
	size_t at = 0;
	struct zone *zone;
	size_t length;

	(void)state;
	for (int i = 0; i < 127; i++, at += 2)
		snprintf(apex + at, sizeof apex - at, "a.");
	zone = zone_text_read(apex, "@ A 10.0.0.1\n");
	rrset_rdata(soa_of(zone), &length);
	assert_int_equal(length, 255 + 255 + 20);
	assert_int_equal(ask(zone, apex, TYPE_A).outcome, ZONE_HIT);
	zone_unref(zone);
}

static void duplicates_go_order_stays_and_the_lowest_ttl_counts(void **state)
{
	struct zone *zone = zone_text_read("corp.test", "www 300 A 10.0.0.9\n"
							"www 200 A 10.0.0.1\n"
							"WWW 100 A 10.0.0.9\n"
							"www 400 A 10.0.0.5\n");
	const struct rrset *set = ask(zone, "www.corp.test", TYPE_A).rrset;

	(void)state;
	assert_int_equal(set->count, 3);
	assert_int_equal(set->ttl, 100);
	for (size_t i = 0; i < 3; i++) {
		assert_int_equal(set->wire[i * 16 + 9], 100);
		assert_int_equal(set->wire[i * 16 + 15], "\x9\x1\x5"[i]);
	}
	assert_int_equal(zone_records(zone), 4);
	assert_int_equal(zone_record_sets(zone), 2);
	zone_unref(zone);
}

/* 65 and 97 are letters of both cases, and two preferences. */
static void letters_make_another_record_of_no_name(void **state)
{
	struct zone *zone = zone_text_read("corp.test", "@ MX 65 mail\n@ MX 97 mail\n"
							"@ MX 65 MAIL\n@ MX 65 mail2\n"
							"t TXT \"a\"\nt TXT \"A\"\n");

	(void)state;
	assert_int_equal(ask(zone, "corp.test", TYPE_MX).rrset->count, 3);
	assert_int_equal(ask(zone, "t.corp.test", TYPE_TXT).rrset->count, 2);
	zone_unref(zone);
}

/* The faults of a zone as they are printed; to be freed. */
static char *warnings_of(const char *apex, const char *text)
{
	char *printed = NULL;
	size_t size = 0;
	FILE *out = open_memstream(&printed, &size);
	struct faults faults;
	struct zone *zone;

	faults_init(&faults);
	zone = zone_text_read_bytes(apex, text, strlen(text), &faults);
	assert_non_null(zone); /* warnings do not refuse */
	zone_unref(zone);
	faults_sort(&faults);
	faults_print(&faults, out);
	fclose(out);
	faults_release(&faults);
	return printed;
}

static void assert_warnings(const char *apex, const char *text, const char *expected)
{
	char *printed = warnings_of(apex, text);

	assert_string_equal(printed, expected);
	free(printed);
}

#define W(line) "test.zone:" #line ": warning: "
#define TWICE   " ends with the zone's name twice; a final dot is missing\n"

static void a_missing_final_dot_is_warned_of(void **state)
{
	(void)state;
	assert_warnings("corp.test", "ok A 10.0.0.1\nMail.corp.test A 10.0.0.1\n  TXT x\n",
			W(2) "Mail.corp.test.corp.test." TWICE);
	assert_warnings("corp.test", "corp.test A 10.0.0.1\n", W(1) "corp.test.corp.test." TWICE);
	assert_warnings(
		"corp.test",
		"a CNAME w.corp.test\nb MX 1 w.CORP.test\nc SRV 1 2 3 w.corp.test\n"
		"d PTR w.corp.test\ne DNAME w.corp.test\n@ NS w.corp.test\n",
#define POINTS(type, owner, name) "the " type " of " owner " points to " name ", which" TWICE
		W(1) POINTS("CNAME", "a.corp.test.", "w.corp.test.corp.test.") W(2)
			POINTS("MX", "b.corp.test.", "w.CORP.test.corp.test.") W(3) POINTS(
				"SRV", "c.corp.test.", "w.corp.test.corp.test.") W(4)
				POINTS("PTR", "d.corp.test.", "w.corp.test.corp.test.") W(5) POINTS(
					"DNAME", "e.corp.test.", "w.corp.test.corp.test.") W(6)
					POINTS("NS", "corp.test.", "w.corp.test.corp.test."));
	assert_warnings("corp.test",
			"xcorp.test A 10.0.0.1\na.corp A 10.0.0.1\nb CNAME corp.test.\n"
			"c CNAME w.corp.test.\nd TXT w.corp.test\n",
			"");
	assert_warnings("test", "test A 10.0.0.1\n", "");
}

static void an_address_in_place_of_a_host_is_warned_of(void **state)
{
#define NO_HOST(type, owner, name)                                                                 \
	"the " type " of " owner " points to " name                                                \
	", which is an address; give the name of a host that has it\n"
	(void)state;
	assert_warnings("corp.test", "@ MX 10 10.10.1.5\na SRV 1 2 3 10.10.1.5.\n",
			W(1) NO_HOST("MX", "corp.test.", "10.10.1.5.corp.test.") W(2)
				NO_HOST("SRV", "a.corp.test.", "10.10.1.5."));
	assert_warnings("corp.test", "b CNAME fd00::5\nc HTTPS 1 10.0.0.1.\n",
			W(1) NO_HOST("CNAME", "b.corp.test.", "fd00::5.corp.test.") W(2)
				NO_HOST("HTTPS", "c.corp.test.", "10.0.0.1."));
	assert_warnings("corp.test", "@ NS 10.0.0.1\nd PTR 10.0.0.1\ne DNAME 10.0.0.1\n",
			W(1) NO_HOST("NS", "corp.test.", "10.0.0.1.corp.test.") W(2)
				NO_HOST("PTR", "d.corp.test.", "10.0.0.1.corp.test.") W(3)
					NO_HOST("DNAME", "e.corp.test.", "10.0.0.1.corp.test."));
	assert_warnings("corp.test", "f KX 1 10.0.0.1\ng AFSDB 1 10.0.0.1\n",
			W(1) NO_HOST("KX", "f.corp.test.", "10.0.0.1.corp.test.") W(2)
				NO_HOST("AFSDB", "g.corp.test.", "10.0.0.1.corp.test."));
	assert_warnings("corp.test", "@ SOA 10.0.0.1. h 1 1 1 1 1\n",
			W(1) NO_HOST("SOA", "corp.test.", "10.0.0.1."));
	assert_warnings("corp.test",
			"@ MX 0 .\na CNAME 10.0.0.1.example.\nb CNAME 1.0.0.256\nc CNAME cafe\n"
			"d TXT 10.0.0.1\n",
			"");
	/* The last bytes are the zone's name, but within a label. */
	assert_warnings("corp.test",
			"a MX 1 \\200\\200\\200\\200.\na MX 2 a\\004corp.test.\n"
			"b CNAME a\\004corp.test.\n",
			"");
	assert_warnings("in-addr.arpa",
			"5.2.0.10 CNAME 5.0-25.2.0.10\n1.2.0.10 PTR a.test.\n"
			"x CNAME 5.2.0.10\n",
			"");
}

static void ttls_that_differ_within_a_set_are_warned_of(void **state)
{
	(void)state;
	assert_warnings("corp.test", "w 300 A 10.0.0.9\nw 60 TXT x\nw 300 A 10.0.0.8\n", "");
	assert_warnings("corp.test",
			"w 300 A 10.0.0.9\nw 300 A 10.0.0.5\nw 60 A 10.0.0.1\nw 90 A 10.0.0.2\n",
			W(3) "the A data of w.corp.test. has TTL 60 here and 300 on line 1; the "
			     "lowest, 60, is used for all of it\n");
	assert_warnings("corp.test", "w 30 A 10.0.0.9\nw 300 A 10.0.0.9\n",
			W(2) "the A data of w.corp.test. has TTL 300 here and 30 on line 1; the "
			     "lowest, 30, is used for all of it\n");
}

static void count_warnings(unsigned found, unsigned lines, bool more)
{
	char text[2048], *printed;
	unsigned printed_lines = 0;
	size_t used = 0;

	for (unsigned i = 0; i < found; i++)
		used += (size_t)snprintf(text + used, sizeof text - used,
					 "h%u.corp.test A 10.0.0.1\n", i);
	printed = warnings_of("corp.test", text);
	for (const char *at = printed; *at != '\0'; at++)
		printed_lines += *at == '\n';
	assert_int_equal(printed_lines, lines);
	assert_int_equal(strstr(printed, "warning: 3 more such") != NULL, more);
	free(printed);
}

static void the_first_20_warnings_of_a_zone_are_told(void **state)
{
	(void)state;
	count_warnings(20, 20, false);
	count_warnings(23, 21, true);
}

/* Adds one record with bytes as they are; the number of errors that finish and add found. */
static size_t errors_of_record(const char *owner, uint16_t type, uint32_t ttl, const void *rdata,
			       size_t length)
{
	struct name apex = zone_text_name("corp.test"), name = zone_text_name(owner);
	struct origin origin = {.file = "f", .line = 7, .path = "zones[x]"};
	struct zone_builder *builder = zone_builder_new(&zone_text_key, &apex);
	struct faults faults;
	struct zone *zone;
	size_t errors;
	int err;

	faults_init(&faults);
	err = zone_builder_add(builder, &origin, name.wire, type, ttl, rdata, length, &faults);
	zone = zone_builder_finish(builder, &origin, &faults);
	errors = faults.errors;
	assert_int_equal(err, errors > 0 ? ERR_FAULTS : 0);
	assert_int_equal(zone == NULL, errors > 0);
	for (size_t i = 0; i < faults.count; i++) {
		assert_string_equal(faults.items[i].origin.file, "f");
		assert_string_equal(faults.items[i].origin.path, "zones[x]");
		assert_int_equal(faults.items[i].origin.line, 7);
	}
	faults_release(&faults);
	zone_unref(zone);
	return errors;
}

static void the_builder_refuses_what_no_zone_file_could_say(void **state)
{
	(void)state;
	assert_int_equal(errors_of_record("www.corp.test", TYPE_A, 1, "\n\0\0\1", 4), 0);
	assert_int_equal(errors_of_record("www.corp.test", TYPE_A, 1, "\n\0\0\1", 3), 1);
	assert_int_equal(errors_of_record("www.corp.test", TYPE_CNAME, 1, "\300\14", 2), 1);
	assert_int_equal(errors_of_record("www.corp.test", TYPE_A, INT32_MAX, "\n\0\0\1", 4), 0);
	assert_int_equal(errors_of_record("www.corp.test", TYPE_A, 1u << 31, "\n\0\0\1", 4), 1);
	assert_int_equal(errors_of_record("www.corp.test", TYPE_OPT, 1, "", 0), 1);
	assert_int_equal(errors_of_record("corp.example", TYPE_A, 1, "\n\0\0\1", 4), 1);
	assert_int_equal(errors_of_record("test", TYPE_A, 1, "\n\0\0\1", 4), 1);
	assert_int_equal(errors_of_record("xcorp.test", TYPE_A, 1, "\n\0\0\1", 4), 1);
}

static void a_set_may_fill_a_message_and_not_more(void **state)
{
	struct name apex = zone_text_name("corp.test");
	/* 12 of header, 259 of question, 11 of OPT, 12 of the record's own. */
	size_t fits = 65535 - 12 - 259 - 11 - 12;
	uint8_t *rdata = calloc(1, fits + 1);

	(void)state;
	for (size_t length = fits; length <= fits + 1; length++) {
		struct zone_builder *builder = zone_builder_new(&zone_text_key, &apex);
		struct origin origin = {.line = 3};
		struct faults faults;
		struct zone *zone;

		faults_init(&faults);
		assert_int_equal(zone_builder_add(builder, &origin, apex.wire, 65280, 1, rdata,
						  length, &faults),
				 0);
		zone = zone_builder_finish(builder, &origin, &faults);
		assert_int_equal(zone != NULL, length == fits);
		assert_int_equal(faults.errors, length == fits ? 0 : 1);
		faults_release(&faults);
		zone_unref(zone);
	}
	free(rdata);
}

static void a_builder_can_be_dropped(void **state)
{
	struct name apex = zone_text_name("corp.test");
	struct origin origin = {.line = 1};
	struct faults faults;
	struct zone_builder *builder = zone_builder_new(&zone_text_key, &apex);

	(void)state;
	faults_init(&faults);
	assert_int_equal(zone_builder_add(builder, &origin, apex.wire, TYPE_A, 1,
					  (const uint8_t *)"\n\0\0\1", 4, &faults),
			 0);
	zone_builder_free(builder);
	zone_builder_free(NULL);
	faults_release(&faults);
}

static void a_record_takes_less_than_200_bytes_beside_its_wire(void **state)
{
	struct name apex = zone_text_name("corp.test");
	struct zone_builder *builder = zone_builder_new(&zone_text_key, &apex);
	struct origin origin = {0};
	struct faults faults;
	struct zone *zone;
	char text[64];

	(void)state;
	faults_init(&faults);
	for (unsigned i = 0; i < 10000; i++) {
		struct name owner;
		uint8_t address[] = {10, 0, (uint8_t)(i >> 8), (uint8_t)i};

		snprintf(text, sizeof text, "host%u.sub%u.corp.test", i, i % 100);
		owner = zone_text_name(text);
		assert_int_equal(zone_builder_add(builder, &origin, owner.wire, TYPE_A, 60, address,
						  sizeof address, &faults),
				 0);
	}
	zone = zone_builder_finish(builder, &origin, &faults);
	assert_non_null(zone);
	assert_int_equal(zone_records(zone), 10001);
	assert_true(zone_bytes(zone) < 10001 * (200 + 28 + 16));
	for (unsigned i = 0; i < 10000; i++) {
		const struct rrset *set;

		snprintf(text, sizeof text, "host%u.sub%u.corp.test", i, i % 100);
		set = ask(zone, text, TYPE_A).rrset;
		assert_non_null(set);
		assert_int_equal(set->wire[14] << 8 | set->wire[15], i);
	}
	zone_unref(zone);
	faults_release(&faults);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_negative_soa_lives_as_long_as_the_lesser_of_ttl_and_minimum),
		cmocka_unit_test(a_zone_without_a_soa_gets_one_and_no_ns),
		cmocka_unit_test(a_soa_is_made_up_for_the_longest_of_names_too),
		cmocka_unit_test(a_missing_final_dot_is_warned_of),
		cmocka_unit_test(an_address_in_place_of_a_host_is_warned_of),
		cmocka_unit_test(ttls_that_differ_within_a_set_are_warned_of),
		cmocka_unit_test(the_first_20_warnings_of_a_zone_are_told),
		cmocka_unit_test(duplicates_go_order_stays_and_the_lowest_ttl_counts),
		cmocka_unit_test(letters_make_another_record_of_no_name),
		cmocka_unit_test(the_builder_refuses_what_no_zone_file_could_say),
		cmocka_unit_test(a_set_may_fill_a_message_and_not_more),
		cmocka_unit_test(a_builder_can_be_dropped),
		cmocka_unit_test(a_record_takes_less_than_200_bytes_beside_its_wire),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
