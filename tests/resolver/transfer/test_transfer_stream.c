/* The records of a transfer, of a whole zone and between any two of its versions. */
#include "resolver/transfer/stream.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "rules/text.h"
#include "rules/wire.h"
#include "rules/zone/serial.h"
#include "rules/zone/zonefile.h"
#include "tests/lib/served_zones.h"

/* "SOA 7|A www...|" : types with serials, and owners with PTR targets. */
static const char *records_of(struct served_zones *f, const struct transfer_zone *of,
			      enum stream_kind kind, size_t version)
{
	static char text[4096];
	struct transfer_stream stream;
	struct stream_record record;

	text[0] = '\0';
	transfer_stream_begin(&stream, f->table, of, kind, version);
	while (transfer_stream_next(&stream, &record)) {
		char owner[NAME_TEXT_MAX], target[NAME_TEXT_MAX] = "", type[16];
		uint16_t number = wire_u16(record.rest);
		const uint8_t *rdata = record.rest + RECORD_FIXED;

		name_wire_to_text(record.owner, owner);
		if (number == TYPE_SOA)
			snprintf(target, sizeof target, "%u",
				 wire_u32(record.rest + record.rest_length - 20) -
					 (of->reverse ? (uint32_t)SERVED_NOW : 0));
		if (number == TYPE_PTR)
			name_wire_to_text(rdata, target);
		text_append(text, sizeof text, "%s%s%s%s|", number == TYPE_SOA ? "" : owner,
			    number == TYPE_SOA ? "" : " ",
			    record_type_print(number, type, sizeof type), target);
	}
	return text;
}

/* ---- whole ---- */

static void a_whole_zone_is_between_two_soas(void **state)
{
	struct served_zones *f = *state;

	served_compile(f, SERVED_NOW);
	served_point(f, "198.51.100.9", "b.test.", SERVED_NOW + 1);
	served_point(f, "198.51.100.7", "a.test.", SERVED_NOW + 2);
	served_point(f, "203.0.113.1", "c.test.", SERVED_NOW + 3);
	served_point(f, "10.10.3.4", "d.test.", SERVED_NOW + 3);
	assert_string_equal(records_of(f, served_zone(f, SERVED_REVERSE), STREAM_WHOLE, 0),
			    "SOA2|7." SERVED_REVERSE " PTRa.test.|9." SERVED_REVERSE
			    " PTRb.test.|SOA2|");
	assert_string_equal(records_of(f, served_zone(f, SERVED_REVERSE), STREAM_CURRENT, 0),
			    "SOA2|");
}

/* RFC 2317: the names in the zone are the addresses' last octets. */
static void a_pool_within_an_octet_has_a_zone_of_its_own(void **state)
{
	struct served_zones *f = *state;

	model_add_pool(f->model, "half", "192.0.2.0/25");
	served_compile(f, SERVED_NOW);
	assert_int_equal(f->table->count, 4);
	served_point(f, "192.0.2.127", "in.test.", SERVED_NOW + 1);
	served_point(f, "192.0.2.128", "out.test.", SERVED_NOW + 2);
	const struct transfer_zone *half = served_zone(f, "0-127.2.0.192.in-addr.arpa.");
	assert_int_equal(half->serial, SERVED_NOW + 1);
	assert_string_equal(records_of(f, half, STREAM_WHOLE, 0),
			    "SOA1|127.0-127.2.0.192.in-addr.arpa. PTRin.test.|SOA1|");
	assert_int_equal(served_answered(f, "0-127.2.0.192.in-addr.arpa."), SERVED_NOW + 1);
	assert_null(served_zone(f, "0-25.2.0.192.in-addr.arpa."));
}

static void its_other_spelling_goes_out_by_name(void **state)
{
	struct served_zones *f = *state;

	model_add_pool(f->model, "half", "192.0.2.0/25");
	f->zones[0] = "0-25.2.0.192.in-addr.arpa";
	served_compile(f, SERVED_NOW);
	assert_int_equal(f->table->count, 1);
	served_point(f, "192.0.2.9", "in.test.", SERVED_NOW + 1);
	assert_string_equal(
		records_of(f, served_zone(f, "0-25.2.0.192.in-addr.arpa."), STREAM_WHOLE, 0),
		"SOA1|9.0-25.2.0.192.in-addr.arpa. PTRin.test.|SOA1|");
}

static void a_pool_of_one_address_is_a_zone_of_one_name(void **state)
{
	struct served_zones *f = *state;

	model_add_pool(f->model, "one", "192.0.2.7/32");
	served_compile(f, SERVED_NOW);
	served_point(f, "192.0.2.7", "in.test.", SERVED_NOW + 1);
	assert_string_equal(
		records_of(f, served_zone(f, "7.2.0.192.in-addr.arpa."), STREAM_WHOLE, 0),
		"SOA1|7.2.0.192.in-addr.arpa. PTRin.test.|SOA1|");
	assert_int_equal(served_answered(f, "7.2.0.192.in-addr.arpa."), SERVED_NOW + 1);
}

static void a_private_zone_goes_out_as_its_file_has_it(void **state)
{
	struct served_zones *f = *state;

	f->zones[0] = "a.test";
	served_compile(f, SERVED_NOW);
	assert_string_equal(records_of(f, served_zone(f, "a.test."), STREAM_WHOLE, 0),
			    "SOA7|www.a.test. A|SOA7|");
}

/* A version outlives the tables that it was in, and reads as it did. */
static void an_old_table_is_a_snapshot_while_changes_go_on(void **state)
{
	struct served_zones *f = *state;

	served_compile(f, SERVED_NOW);
	served_point(f, "198.51.100.7", "a.test.", SERVED_NOW + 1);
	struct policy *policy = f->policy;
	struct transfer_table *table = f->table;
	struct transfer_stream stream;
	struct stream_record record;
	transfer_stream_begin(&stream, table, served_zone(f, SERVED_REVERSE), STREAM_WHOLE, 0);
	assert_true(transfer_stream_next(&stream, &record));

	struct served_zones later = *f;
	later.policy_before = NULL;
	later.before = NULL;
	struct owned_draft *draft = owned_edit(policy->owned);
	served_set_ptr(draft, "198.51.100.7", NULL);
	for (unsigned i = 8; i < 250; i++) {
		char address[32];
		snprintf(address, sizeof address, "198.51.100.%u", i);
		served_set_ptr(draft, address, "x.test.");
	}
	struct owned *owned = owned_commit(draft);
	later.policy = policy_with_owned(policy, owned, policy->registered);
	owned_unref(owned);
	assert_int_equal(transfer_table_advance(&later.table, later.policy, table, SERVED_NOW + 2),
			 0);

	unsigned ptrs = 0;
	while (transfer_stream_next(&stream, &record))
		ptrs += wire_u16(record.rest) == TYPE_PTR;
	assert_int_equal(ptrs, 1);
	policy_free(later.policy);
	transfer_table_free(later.table);
}

/* ---- changes ---- */

static const char *changes_since(struct served_zones *f, uint32_t serial)
{
	const struct transfer_zone *of = served_zone(f, SERVED_REVERSE);
	size_t version;
	enum stream_kind kind = transfer_stream_kind(of, serial, &version);

	return records_of(f, of, kind, version);
}

static void changes_go_through_the_versions_since(void **state)
{
	struct served_zones *f = *state;

	served_compile(f, SERVED_NOW);
	served_point(f, "198.51.100.7", "a.test.", SERVED_NOW + 1);
	served_point(f, "198.51.100.8", "b.test.", SERVED_NOW + 2);
	served_point(f, "198.51.100.7", "c.test.", SERVED_NOW + 3);
	served_point(f, "198.51.100.8", NULL, SERVED_NOW + 4);
	assert_string_equal(changes_since(f, SERVED_NOW + 3),
			    "SOA4|SOA3|8." SERVED_REVERSE " PTRb.test.|SOA4|SOA4|");
	assert_string_equal(changes_since(f, SERVED_NOW + 2),
			    "SOA4|SOA2|7." SERVED_REVERSE " PTRa.test.|SOA3|7." SERVED_REVERSE
			    " PTRc.test.|"
			    "SOA3|8." SERVED_REVERSE " PTRb.test.|SOA4|SOA4|");
	assert_string_equal(
		changes_since(f, SERVED_NOW),
		"SOA4|SOA0|SOA1|7." SERVED_REVERSE " PTRa.test.|SOA1|SOA2|8." SERVED_REVERSE
		" PTRb.test.|SOA2|7." SERVED_REVERSE " PTRa.test.|SOA3|7." SERVED_REVERSE
		" PTRc.test.|SOA3|8." SERVED_REVERSE " PTRb.test.|SOA4|SOA4|");
	assert_string_equal(changes_since(f, SERVED_NOW + 4), "SOA4|");
	assert_string_equal(changes_since(f, SERVED_NOW + 5),
			    "SOA4|");                         /* it has more than we have */
	assert_string_equal(changes_since(f, SERVED_NOW - 1), /* which never was */
			    "SOA4|7." SERVED_REVERSE " PTRc.test.|SOA4|");
}

/* Nothing of the tables that were is needed for what was changed since: only the newest one is
 * there. */
static void the_past_holds_no_table_of_what_we_own(void **state)
{
	struct served_zones *f = *state;

	served_compile(f, SERVED_NOW);
	served_point(f, "198.51.100.7", "a.test.", SERVED_NOW + 1);
	served_point(f, "198.51.100.8", "b.test.", SERVED_NOW + 2);
	served_forget(f);
	assert_string_equal(changes_since(f, SERVED_NOW),
			    "SOA2|SOA0|SOA1|7." SERVED_REVERSE
			    " PTRa.test.|SOA1|SOA2|8." SERVED_REVERSE " PTRb.test.|SOA2|");
	assert_true(served_zone(f, SERVED_REVERSE)->past_bytes < 1024);
}

static void reread(struct served_zones *f, const char *text)
{
	struct hash_key key = test_key;
	struct name apex = test_name("a.test.");
	FILE *in = fmemopen((void *)(uintptr_t)text, strlen(text), "r");
	struct faults faults;

	faults_init(&faults);
	zone_unref(f->model->private_zones.items[0].zone);
	f->model->private_zones.items[0].zone =
		zonefile_read(in, "a.test", NULL, &key, &apex, &faults);
	fclose(in);
	assert_int_equal(faults.count, 0);
	faults_release(&faults);
	served_compile(f, SERVED_NOW);
}

static const char *private_changes_since(struct served_zones *f, uint32_t serial)
{
	const struct transfer_zone *of = served_zone(f, "a.test.");
	size_t version;
	enum stream_kind kind = transfer_stream_kind(of, serial, &version);

	return records_of(f, of, kind, version);
}

#define FILE_OF(serial, rest) "@ SOA ns host " serial " 3600 300 86400 300\n" rest

static void a_private_zones_changes_go_through_its_versions(void **state)
{
	struct served_zones *f = *state;

	f->zones[0] = "a.test";
	served_compile(f, SERVED_NOW);
	reread(f, FILE_OF("8", "www A 192.0.2.1\nmail A 192.0.2.2\nmail A 192.0.2.3\n"));
	reread(f, FILE_OF("10", "mail A 192.0.2.3\nmail A 192.0.2.4\nb.mail TXT x\n"));
	assert_string_equal(private_changes_since(f, 8),
			    "SOA10|SOA8|mail.a.test. A|www.a.test. A|SOA10|mail.a.test. A|"
			    "b.mail.a.test. TXT|SOA10|");
	assert_string_equal(private_changes_since(f, 7),
			    "SOA10|SOA7|SOA8|mail.a.test. A|mail.a.test. A|"
			    "SOA8|mail.a.test. A|www.a.test. A|SOA10|mail.a.test. A|"
			    "b.mail.a.test. TXT|SOA10|");
	assert_string_equal(private_changes_since(f, 10), "SOA10|");
	/* Read again as it was: nothing is lost. */
	reread(f, FILE_OF("10", "b.mail TXT x\nmail A 192.0.2.4\nmail A 192.0.2.3\n"));
	assert_int_equal(served_zone(f, "a.test.")->past_count, 2);
	/* Something else with the same serial: what came before cannot be told from it. */
	reread(f, FILE_OF("10", "mail A 192.0.2.5\n"));
	assert_int_equal(served_zone(f, "a.test.")->past_count, 0);
	assert_string_equal(private_changes_since(f, 8), "SOA10|mail.a.test. A|SOA10|");
}

/* ---- which of them ---- */

/* RFC 1982: what is ahead by less than half of all numbers, across 0 too, has all there is; what is
 * behind, or exactly half of them apart, gets the zone. */
static void a_serial_is_compared_around_the_end_of_numbers(void **state)
{
	struct served_zones *f = *state;
	const uint32_t half = UINT32_C(1) << 31;
	size_t version;

	served_compile(f, SERVED_NOW);
	const struct transfer_zone *of = served_zone(f, SERVED_REVERSE);
	assert_int_equal(transfer_stream_kind(of, SERVED_NOW, &version), STREAM_CURRENT);
	assert_int_equal(transfer_stream_kind(of, SERVED_NOW + half - 1, &version), STREAM_CURRENT);
	assert_int_equal(transfer_stream_kind(of, SERVED_NOW + half, &version), STREAM_WHOLE);
	assert_int_equal(transfer_stream_kind(of, SERVED_NOW + half + 1, &version), STREAM_WHOLE);
	assert_int_equal(transfer_stream_kind(of, 0, &version), STREAM_WHOLE);
	f->zones[0] = "a.test";
	served_compile(f, SERVED_NOW);
	reread(f, FILE_OF("4294967290", "www A 192.0.2.1\n"));
	reread(f, FILE_OF("3", "www A 192.0.2.2\n"));
	of = served_zone(f, "a.test.");
	assert_int_equal(transfer_stream_kind(of, UINT32_C(4294967290), &version), STREAM_CHANGES);
	assert_int_equal(transfer_stream_kind(of, UINT32_C(4294967291), &version), STREAM_WHOLE);
	assert_int_equal(transfer_stream_kind(of, 4, &version), STREAM_CURRENT);
}

/* Changes that are many times the zone are worth less than the zone. */
static void who_is_far_behind_a_small_zone_gets_it_whole(void **state)
{
	struct served_zones *f = *state;
	size_t version;

	served_compile(f, SERVED_NOW);
	for (unsigned i = 1; i <= 200; i++)
		served_point(f, "198.51.100.7", i % 2 ? "a.test." : "b.test.", SERVED_NOW + i);
	const struct transfer_zone *of = served_zone(f, SERVED_REVERSE);
	assert_int_equal(of->past_count, 200);
	assert_true(of->past_bytes > STREAM_SMALL);
	assert_int_equal(transfer_stream_kind(of, SERVED_NOW, &version), STREAM_WHOLE);
	assert_int_equal(transfer_stream_kind(of, SERVED_NOW + 180, &version), STREAM_CHANGES);
	assert_int_equal(version, 180);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, served_set_up, served_tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(a_whole_zone_is_between_two_soas),
		TEST(a_pool_within_an_octet_has_a_zone_of_its_own),
		TEST(its_other_spelling_goes_out_by_name),
		TEST(a_pool_of_one_address_is_a_zone_of_one_name),
		TEST(a_private_zone_goes_out_as_its_file_has_it),
		TEST(an_old_table_is_a_snapshot_while_changes_go_on),
		TEST(changes_go_through_the_versions_since),
		TEST(the_past_holds_no_table_of_what_we_own),
		TEST(a_private_zones_changes_go_through_its_versions),
		TEST(a_serial_is_compared_around_the_end_of_numbers),
		TEST(who_is_far_behind_a_small_zone_gets_it_whole),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
