/* Zones that go out, from one policy to the next: serials, what is remembered, and the records of a
 * transfer between any two of them. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "resolver/transfer_stream.h"
#include "rules/reverse.h"
#include "rules/serial.h"
#include "rules/wire.h"
#include "rules/zonefile.h"
#include "tests/model_builder.h"

enum { NOW = 1700000000 };

#define REVERSE "100.51.198.in-addr.arpa."

struct fixture {
	struct model *model;
	const char *zones[4];
	struct transfer_settings entry;
	struct policy *policy;
	struct transfer_table *table;
	/* What the next table replaces, and lets go of. */
	struct policy *policy_before;
	struct transfer_table *before;
	struct serial_keeper keeper;
	struct kept_serial kept; /* what it recalls */
	bool has_kept;
	size_t keeps; /* it was called so often */
};

static bool recall(void *context, const char *zone, struct kept_serial *kept)
{
	struct fixture *f = context;

	(void)zone;
	*kept = f->kept;
	return f->has_kept;
}

static void keep(void *context, const struct transfer_zone *const *zones, size_t count)
{
	struct fixture *f = context;

	(void)zones;
	f->keeps += count;
}

static int setup(void **state)
{
	struct fixture *f = calloc(1, sizeof *f);

	f->model = model_start();
	model_add_network(f->model, "hub", "10.10.0.0/16");
	model_add_pool(f->model, "public", "198.51.100.0/24");
	model_add_pool(f->model, "other", "203.0.113.0/24");
	model_add_pool(f->model, "inside", "10.10.0.0/16");
	model_add_pool(f->model, "six", "2001:db8::/32");
	model_add_zone(f->model, "a.test", "@ SOA ns host 7 3600 300 86400 300\nwww A 192.0.2.1\n",
		       "hub");
	f->zones[0] = "*";
	f->entry.zones.items = f->zones;
	f->entry.zones.count = 1;
	f->model->transfers.items = &f->entry;
	f->model->transfers.count = 1;
	f->keeper = (struct serial_keeper){f, recall, keep};
	*state = f;
	return 0;
}

static void let_go_of_before(struct fixture *f)
{
	policy_free(f->policy_before);
	transfer_table_free(f->before);
	f->policy_before = NULL;
	f->before = NULL;
}

static int teardown(void **state)
{
	struct fixture *f = *state;

	let_go_of_before(f);
	policy_free(f->policy);
	transfer_table_free(f->table);
	f->model->transfers.count = 0;
	model_free(f->model);
	free(f);
	return 0;
}

static void rest_before(struct fixture *f)
{
	let_go_of_before(f);
	f->policy_before = f->policy;
	f->before = f->table;
}

static void compile(struct fixture *f, uint64_t now_s)
{
	rest_before(f);
	f->policy = model_compile(f->model, f->policy_before);
	assert_int_equal(transfer_table_compile(&f->table, f->model, f->policy, f->before,
						&f->keeper, now_s),
			 0);
}

static void set_ptr(struct owned_draft *draft, const char *address, const char *target)
{
	struct address at;
	struct name name = test_name(target ? target : ".");

	assert_int_equal(address_parse(&at, address), 0);
	assert_int_equal(owned_set_ptr(draft, &at, target ? &name : NULL, 60), 0);
}

static void advance(struct fixture *f, const char *address, const char *target, uint64_t now_s)
{
	struct owned_draft *draft = owned_edit(f->policy->owned);

	set_ptr(draft, address, target);
	struct owned *owned = owned_commit(draft);
	rest_before(f);
	f->policy = policy_with_owned(f->policy_before, owned);
	owned_unref(owned);
	assert_non_null(f->policy);
	assert_int_equal(transfer_table_advance(&f->table, f->policy, f->before, &f->keeper, now_s),
			 0);
}

static const struct transfer_zone *zone(const struct fixture *f, const char *text)
{
	struct name name = test_name(text);

	return transfer_table_find(f->table, &name);
}

/* What is answered to a question for the SOA. */
static uint32_t answered_serial(const struct fixture *f, const char *text)
{
	struct name name = test_name(text);
	struct verdict verdict;

	policy_decide(f->policy, (struct place){0, false}, &name, TYPE_SOA, &verdict, NULL);
	assert_int_equal(verdict.kind, VERDICT_ANSWER);
	assert_int_equal(verdict.answer.outcome, ZONE_HIT);
	assert_int_equal(zone_serial(verdict.answer.zone), zone_serial(verdict.answer.zone));
	return zone_serial(verdict.answer.zone);
}

/* ---- which zones, and their serials ---- */

static void a_star_is_every_reverse_zone_that_anybody_may_see(void **state)
{
	struct fixture *f = *state;

	compile(f, NOW);
	assert_int_equal(f->table->count, 3);
	assert_non_null(zone(f, REVERSE));
	assert_non_null(zone(f, "113.0.203.in-addr.arpa."));
	assert_non_null(zone(f, "8.b.d.0.1.0.0.2.ip6.arpa."));
	assert_null(zone(f, "10.10.in-addr.arpa."));
	assert_null(zone(f, "a.test."));
}

static void private_zones_and_addresses_go_out_by_name(void **state)
{
	struct fixture *f = *state;

	f->zones[0] = "A.test";
	f->zones[1] = "10.10.in-addr.arpa";
	f->entry.zones.count = 2;
	compile(f, NOW);
	assert_int_equal(f->table->count, 2);
	assert_int_equal(zone(f, "a.test.")->serial, 7);
	assert_int_equal(zone(f, "10.10.in-addr.arpa.")->serial, NOW);
}

static void a_change_moves_the_serial_of_its_zone_and_of_no_other(void **state)
{
	struct fixture *f = *state;

	compile(f, NOW);
	const struct transfer_zone *other = zone(f, "113.0.203.in-addr.arpa.");
	advance(f, "198.51.100.7", "a.test.", NOW + 10);
	assert_int_equal(zone(f, REVERSE)->serial, NOW + 10);
	assert_ptr_equal(zone(f, "113.0.203.in-addr.arpa."), other);
	assert_int_equal(other->serial, NOW);
	advance(f, "198.51.100.7", "b.test.", NOW + 10);
	assert_int_equal(zone(f, REVERSE)->serial, NOW + 11);
	advance(f, "198.51.100.7", "b.test.", NOW + 20); /* what it was */
	assert_int_equal(zone(f, REVERSE)->serial, NOW + 11);
	advance(f, "10.10.3.4", "b.test.", NOW + 20); /* of nobody's zone here */
	assert_int_equal(zone(f, REVERSE)->serial, NOW + 11);
}

static void the_soa_that_is_answered_has_the_serial(void **state)
{
	struct fixture *f = *state;

	compile(f, NOW);
	assert_int_equal(answered_serial(f, REVERSE), NOW);
	advance(f, "198.51.100.7", "a.test.", NOW + 10);
	assert_int_equal(answered_serial(f, REVERSE), NOW + 10);
	assert_int_equal(answered_serial(f, "113.0.203.in-addr.arpa."), NOW);
	/* In a negative answer, too. */
	struct name name = test_name("8." REVERSE);
	struct verdict verdict;
	policy_decide(f->policy, (struct place){0, false}, &name, TYPE_PTR, &verdict, NULL);
	assert_int_equal(verdict.answer.outcome, ZONE_NXDOMAIN);
	assert_int_equal(zone_serial(verdict.answer.zone), NOW + 10);
}

static void a_reload_without_a_change_keeps_serials_and_the_past(void **state)
{
	struct fixture *f = *state;

	compile(f, NOW);
	advance(f, "198.51.100.7", "a.test.", NOW + 10);
	f->model->owned = owned_ref(f->policy->owned);
	compile(f, NOW + 20);
	assert_int_equal(zone(f, REVERSE)->serial, NOW + 10);
	assert_int_equal(zone(f, REVERSE)->past_count, 1);
	assert_int_equal(answered_serial(f, REVERSE), NOW + 10);
}

static void a_reload_that_changes_an_address_moves_the_serial(void **state)
{
	struct fixture *f = *state;

	compile(f, NOW);
	model_add_address(f->model, "vm", "198.51.100.7", NULL, "vm.test.");
	compile(f, NOW + 20);
	assert_int_equal(zone(f, REVERSE)->serial, NOW + 20);
	assert_int_equal(zone(f, "113.0.203.in-addr.arpa.")->serial, NOW);
}

static void other_name_servers_move_the_serial_and_end_the_past(void **state)
{
	struct fixture *f = *state;
	static const char *servers[] = {"ns.test."};

	compile(f, NOW);
	advance(f, "198.51.100.7", "a.test.", NOW + 10);
	f->model->owned = owned_ref(f->policy->owned);
	f->model->reverse.name_servers.items = servers;
	f->model->reverse.name_servers.count = 1;
	compile(f, NOW + 20);
	assert_int_equal(zone(f, REVERSE)->serial, NOW + 20);
	assert_int_equal(zone(f, REVERSE)->past_count, 0);
}

/* ---- what is remembered ---- */

static uint64_t empty_digest(struct fixture *f)
{
	compile(f, NOW);
	return zone(f, REVERSE)->content.digest;
}

static void remember(struct fixture *f, uint32_t serial, uint32_t reserved, uint64_t digest)
{
	f->kept = (struct kept_serial){serial, reserved, digest};
	f->has_kept = true;
	f->zones[0] = "100.51.198.in-addr.arpa";
	let_go_of_before(f);
	policy_free(f->policy);
	transfer_table_free(f->table);
	f->policy = NULL;
	f->table = NULL;
}

static void what_has_not_changed_since_it_was_remembered_keeps_its_serial(void **state)
{
	struct fixture *f = *state;

	remember(f, 41, 41, empty_digest(f));
	compile(f, NOW);
	assert_int_equal(zone(f, REVERSE)->serial, 41);
}

static void what_has_changed_gets_a_later_one(void **state)
{
	struct fixture *f = *state;

	remember(f, NOW + 500, NOW + 500, empty_digest(f) + 1);
	compile(f, NOW);
	assert_int_equal(zone(f, REVERSE)->serial, NOW + 501);
}

static void what_may_have_been_given_out_is_not_given_out_again(void **state)
{
	struct fixture *f = *state;

	remember(f, NOW + 500, NOW + 756, empty_digest(f));
	compile(f, NOW);
	assert_int_equal(zone(f, REVERSE)->serial, NOW + 757);
}

static void only_what_is_new_is_written_down(void **state)
{
	struct fixture *f = *state;

	compile(f, NOW);
	assert_int_equal(f->keeps, 3);
	advance(f, "198.51.100.7", "a.test.", NOW + 10);
	assert_int_equal(f->keeps, 4);
	advance(f, "10.10.3.4", "b.test.", NOW + 20);
	assert_int_equal(f->keeps, 4);
}

/* ---- streams ---- */

/* "SOA 7|A www...|" : types with serials, and owners with PTR targets. */
static const char *records_of(struct fixture *f, const struct transfer_zone *of,
			      enum stream_kind kind, size_t version)
{
	static char text[4096];
	struct transfer_stream stream;
	struct stream_record record;
	size_t used = 0;

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
					 (of->reverse ? (uint32_t)NOW : 0));
		if (number == TYPE_PTR)
			name_wire_to_text(rdata, target);
		used += (size_t)snprintf(text + used, sizeof text - used, "%s%s%s%s|",
					 number == TYPE_SOA ? "" : owner,
					 number == TYPE_SOA ? "" : " ",
					 record_type_print(number, type, sizeof type), target);
	}
	return text;
}

static void a_whole_zone_is_between_two_soas(void **state)
{
	struct fixture *f = *state;

	compile(f, NOW);
	advance(f, "198.51.100.9", "b.test.", NOW + 1);
	advance(f, "198.51.100.7", "a.test.", NOW + 2);
	advance(f, "203.0.113.1", "c.test.", NOW + 3);
	advance(f, "10.10.3.4", "d.test.", NOW + 3);
	assert_string_equal(records_of(f, zone(f, REVERSE), STREAM_WHOLE, 0),
			    "SOA2|7." REVERSE " PTRa.test.|9." REVERSE " PTRb.test.|SOA2|");
	assert_string_equal(records_of(f, zone(f, REVERSE), STREAM_CURRENT, 0), "SOA2|");
}

/* RFC 2317: the names in the zone are the addresses' last octets. */
static void a_pool_within_an_octet_has_a_zone_of_its_own(void **state)
{
	struct fixture *f = *state;

	model_add_pool(f->model, "half", "192.0.2.0/25");
	compile(f, NOW);
	assert_int_equal(f->table->count, 4);
	advance(f, "192.0.2.127", "in.test.", NOW + 1);
	advance(f, "192.0.2.128", "out.test.", NOW + 2);
	const struct transfer_zone *half = zone(f, "0-127.2.0.192.in-addr.arpa.");
	assert_int_equal(half->serial, NOW + 1);
	assert_string_equal(records_of(f, half, STREAM_WHOLE, 0),
			    "SOA1|127.0-127.2.0.192.in-addr.arpa. PTRin.test.|SOA1|");
	assert_int_equal(answered_serial(f, "0-127.2.0.192.in-addr.arpa."), NOW + 1);
	assert_null(zone(f, "0-25.2.0.192.in-addr.arpa."));
}

static void its_other_spelling_goes_out_by_name(void **state)
{
	struct fixture *f = *state;

	model_add_pool(f->model, "half", "192.0.2.0/25");
	f->zones[0] = "0-25.2.0.192.in-addr.arpa";
	compile(f, NOW);
	assert_int_equal(f->table->count, 1);
	advance(f, "192.0.2.9", "in.test.", NOW + 1);
	assert_string_equal(records_of(f, zone(f, "0-25.2.0.192.in-addr.arpa."), STREAM_WHOLE, 0),
			    "SOA1|9.0-25.2.0.192.in-addr.arpa. PTRin.test.|SOA1|");
}

/* "*" is the one that the pool's delegation goes by, whatever that was before. */
static void its_two_spellings_may_change_places(void **state)
{
	struct fixture *f = *state;

	model_add_pool(f->model, "half", "192.0.2.0/25");
	f->zones[1] = "0-25.2.0.192.in-addr.arpa";
	f->entry.zones.count = 2;
	compile(f, NOW);
	advance(f, "192.0.2.9", "in.test.", NOW + 1);
	assert_false(zone(f, "0-127.2.0.192.in-addr.arpa.")->alias);
	assert_true(zone(f, "0-25.2.0.192.in-addr.arpa.")->alias);
	struct address_pool *pool =
		&f->model->address_pools.items[f->model->address_pools.count - 1];
	pool->zone = "0-25.2.0.192.in-addr.arpa";
	f->entry.zones.count = 1;
	f->model->owned = owned_ref(f->policy->owned);
	compile(f, NOW + 2);
	const struct transfer_zone *half = zone(f, "0-25.2.0.192.in-addr.arpa.");
	assert_non_null(half);
	assert_false(half->alias);
	assert_int_equal(half->serial, NOW + 1); /* it says what it said */
	assert_true(transfer_terms_cover(f->table->terms, half));
}

static void a_pool_of_one_address_is_a_zone_of_one_name(void **state)
{
	struct fixture *f = *state;

	model_add_pool(f->model, "one", "192.0.2.7/32");
	compile(f, NOW);
	advance(f, "192.0.2.7", "in.test.", NOW + 1);
	assert_string_equal(records_of(f, zone(f, "7.2.0.192.in-addr.arpa."), STREAM_WHOLE, 0),
			    "SOA1|7.2.0.192.in-addr.arpa. PTRin.test.|SOA1|");
	assert_int_equal(answered_serial(f, "7.2.0.192.in-addr.arpa."), NOW + 1);
}

static void a_private_zone_goes_out_as_its_file_has_it(void **state)
{
	struct fixture *f = *state;

	f->zones[0] = "a.test";
	compile(f, NOW);
	assert_string_equal(records_of(f, zone(f, "a.test."), STREAM_WHOLE, 0),
			    "SOA7|www.a.test. A|SOA7|");
}

static void reread(struct fixture *f, const char *text)
{
	struct hash_key key = test_key;
	struct name apex = test_name("a.test.");
	FILE *in = fmemopen((void *)(uintptr_t)text, strlen(text), "r");
	struct faults faults;

	faults_init(&faults);
	zone_unref(f->model->private_zones.items[0].zone);
	f->model->private_zones.items[0].zone = zonefile_read(in, "a.test", &key, &apex, &faults);
	fclose(in);
	assert_int_equal(faults.count, 0);
	faults_release(&faults);
	compile(f, NOW);
}

static const char *private_changes_since(struct fixture *f, uint32_t serial)
{
	const struct transfer_zone *of = zone(f, "a.test.");
	size_t version;
	enum stream_kind kind = transfer_stream_kind(of, serial, &version);

	return records_of(f, of, kind, version);
}

#define FILE_OF(serial, rest) "@ SOA ns host " serial " 3600 300 86400 300\n" rest

static void a_private_zones_changes_go_through_its_versions(void **state)
{
	struct fixture *f = *state;

	f->zones[0] = "a.test";
	compile(f, NOW);
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
	assert_int_equal(zone(f, "a.test.")->past_count, 2);
	/* Something else with the same serial: what came before cannot be told from it. */
	reread(f, FILE_OF("10", "mail A 192.0.2.5\n"));
	assert_int_equal(zone(f, "a.test.")->past_count, 0);
	assert_string_equal(private_changes_since(f, 8), "SOA10|mail.a.test. A|SOA10|");
}

static const char *changes_since(struct fixture *f, uint32_t serial)
{
	const struct transfer_zone *of = zone(f, REVERSE);
	size_t version;
	enum stream_kind kind = transfer_stream_kind(of, serial, &version);

	return records_of(f, of, kind, version);
}

static void changes_go_through_the_versions_since(void **state)
{
	struct fixture *f = *state;

	compile(f, NOW);
	advance(f, "198.51.100.7", "a.test.", NOW + 1);
	advance(f, "198.51.100.8", "b.test.", NOW + 2);
	advance(f, "198.51.100.7", "c.test.", NOW + 3);
	advance(f, "198.51.100.8", NULL, NOW + 4);
	assert_string_equal(changes_since(f, NOW + 3),
			    "SOA4|SOA3|8." REVERSE " PTRb.test.|SOA4|SOA4|");
	assert_string_equal(changes_since(f, NOW + 2),
			    "SOA4|SOA2|7." REVERSE " PTRa.test.|SOA3|7." REVERSE " PTRc.test.|"
			    "SOA3|8." REVERSE " PTRb.test.|SOA4|SOA4|");
	assert_string_equal(changes_since(f, NOW),
			    "SOA4|SOA0|SOA1|7." REVERSE " PTRa.test.|SOA1|SOA2|8." REVERSE
			    " PTRb.test.|SOA2|7." REVERSE " PTRa.test.|SOA3|7." REVERSE
			    " PTRc.test.|SOA3|8." REVERSE " PTRb.test.|SOA4|SOA4|");
	assert_string_equal(changes_since(f, NOW + 4), "SOA4|");
	assert_string_equal(changes_since(f, NOW + 5), "SOA4|"); /* it has more than we have */
	assert_string_equal(changes_since(f, NOW - 1),           /* which never was */
			    "SOA4|7." REVERSE " PTRc.test.|SOA4|");
}

/* RFC 1982: what is ahead by less than half of all numbers, across 0 too, has all there is; what is
 * behind, or exactly half of them apart, gets the zone. */
static void a_serial_is_compared_around_the_end_of_numbers(void **state)
{
	struct fixture *f = *state;
	const uint32_t half = UINT32_C(1) << 31;
	size_t version;

	compile(f, NOW);
	const struct transfer_zone *of = zone(f, REVERSE);
	assert_int_equal(transfer_stream_kind(of, NOW, &version), STREAM_CURRENT);
	assert_int_equal(transfer_stream_kind(of, NOW + half - 1, &version), STREAM_CURRENT);
	assert_int_equal(transfer_stream_kind(of, NOW + half, &version), STREAM_WHOLE);
	assert_int_equal(transfer_stream_kind(of, NOW + half + 1, &version), STREAM_WHOLE);
	assert_int_equal(transfer_stream_kind(of, 0, &version), STREAM_WHOLE);
	f->zones[0] = "a.test";
	compile(f, NOW);
	reread(f, FILE_OF("4294967290", "www A 192.0.2.1\n"));
	reread(f, FILE_OF("3", "www A 192.0.2.2\n"));
	of = zone(f, "a.test.");
	assert_int_equal(transfer_stream_kind(of, UINT32_C(4294967290), &version), STREAM_CHANGES);
	assert_int_equal(transfer_stream_kind(of, UINT32_C(4294967291), &version), STREAM_WHOLE);
	assert_int_equal(transfer_stream_kind(of, 4, &version), STREAM_CURRENT);
}

/* Changes that are many times the zone are worth less than the zone. */
static void who_is_far_behind_a_small_zone_gets_it_whole(void **state)
{
	struct fixture *f = *state;
	size_t version;

	compile(f, NOW);
	for (unsigned i = 1; i <= 200; i++)
		advance(f, "198.51.100.7", i % 2 ? "a.test." : "b.test.", NOW + i);
	const struct transfer_zone *of = zone(f, REVERSE);
	assert_int_equal(of->past_count, 200);
	assert_true(of->past_bytes > STREAM_SMALL);
	assert_int_equal(transfer_stream_kind(of, NOW, &version), STREAM_WHOLE);
	assert_int_equal(transfer_stream_kind(of, NOW + 180, &version), STREAM_CHANGES);
	assert_int_equal(version, 180);
}

static void the_past_reaches_256_versions_back_and_no_further(void **state)
{
	struct fixture *f = *state;

	compile(f, NOW);
	for (unsigned i = 1; i <= TRANSFER_PAST + 1; i++)
		advance(f, "198.51.100.7", i % 2 ? "a.test." : "b.test.", NOW + i);
	assert_int_equal(zone(f, REVERSE)->past_count, TRANSFER_PAST);
	assert_int_equal(zone(f, REVERSE)->past[0]->serial, NOW + 1);
}

/* ---- what the past costs ---- */

/* Gives each of the addresses 10.20.0.0 and on a name of that many labels, or none. */
static void advance_many(struct fixture *f, unsigned count, const char *target, uint64_t now_s)
{
	struct owned_draft *draft = owned_edit(f->policy->owned);
	char address[32];

	for (unsigned i = 0; i < count; i++) {
		snprintf(address, sizeof address, "51.%u.%u.%u", i >> 16, i >> 8 & 255, i & 255);
		set_ptr(draft, address, target);
	}
	struct owned *owned = owned_commit(draft);
	rest_before(f);
	f->policy = policy_with_owned(f->policy_before, owned);
	owned_unref(owned);
	assert_int_equal(transfer_table_advance(&f->table, f->policy, f->before, &f->keeper, now_s),
			 0);
}

static size_t held(const struct transfer_zone *of)
{
	size_t bytes = 0;

	for (size_t i = 0; i < of->past_count; i++)
		bytes += transfer_delta_bytes(of->past[i]);
	return bytes;
}

#define WIDE       "51.in-addr.arpa."
#define LONG_LABEL "abcdefghijklmnopqrstuvwxyzabcdefghijklmnopqrstuvwxyzabcdefghijk"
#define LONG_NAME  LONG_LABEL "." LONG_LABEL "." LONG_LABEL "."

/* Six zones share what there is. */
static void what_is_kept_of_the_past_is_bounded_in_bytes(void **state)
{
	enum { MANY = 4000 }; /* PTRs of some 230 bytes, gone and new in each change */
	struct fixture *f = *state;
	size_t most = 0, fewest = SIZE_MAX;

	model_add_pool(f->model, "wide", "51.0.0.0/8");
	compile(f, NOW);
	const size_t share = TRANSFER_PAST_BYTES / f->table->count;
	for (unsigned i = 1; i <= 24; i++) {
		advance_many(f, MANY, i % 2 ? "a." LONG_NAME : "b." LONG_NAME, NOW + i);
		const struct transfer_zone *of = zone(f, WIDE);
		assert_int_equal(of->past_bytes, held(of));
		assert_true(of->past_bytes <= share);
		most = of->past_bytes > most ? of->past_bytes : most;
		fewest = of->past_count < fewest ? of->past_count : fewest;
	}
	const struct transfer_zone *of = zone(f, WIDE);
	assert_true(of->past_count > 0 && of->past_count < 24);
	assert_true(most > share / 2);
	assert_int_equal(of->past[of->past_count - 1]->serial, NOW + 23); /* the latest are there */
	/* A small change beside it costs little, and takes nothing from the others. */
	advance(f, "198.51.100.7", "a.test.", NOW + 30);
	assert_true(zone(f, REVERSE)->past_bytes < 512);
	assert_ptr_equal(zone(f, WIDE), of);
}

static void a_change_that_is_too_large_to_be_kept_ends_the_past(void **state)
{
	enum { MANY = 60000 };
	struct fixture *f = *state;
	size_t version;

	model_add_pool(f->model, "wide", "51.0.0.0/8");
	compile(f, NOW);
	advance_many(f, 1, "a.test.", NOW + 1);
	assert_int_equal(zone(f, WIDE)->past_count, 1);
	advance_many(f, MANY, "a." LONG_NAME, NOW + 2);
	assert_int_equal(zone(f, WIDE)->past_count, 0);
	assert_int_equal(zone(f, WIDE)->past_bytes, 0);
	assert_int_equal(zone(f, WIDE)->serial, NOW + 2);
	assert_int_equal(transfer_stream_kind(zone(f, WIDE), NOW + 1, &version), STREAM_WHOLE);
	advance_many(f, 1, "b.test.", NOW + 3);
	assert_int_equal(transfer_stream_kind(zone(f, WIDE), NOW + 2, &version), STREAM_CHANGES);
}

/* Nor is it made and thrown away: it is given up as soon as it is seen to be too large. */
static void a_delta_ends_where_its_room_does(void **state)
{
	struct fixture *f = *state;

	compile(f, NOW);
	advance(f, "198.51.100.7", "a.test.", NOW + 1);
	const struct transfer_zone *of = zone(f, REVERSE);
	size_t bytes = transfer_delta_bytes(of->past[0]);
	struct transfer_delta *delta =
		transfer_delta_of_ptrs(of, f->before->policy->owned, f->policy->owned, bytes);
	assert_non_null(delta);
	assert_int_equal(transfer_delta_bytes(delta), bytes);
	transfer_delta_unref(delta);
	assert_null(
		transfer_delta_of_ptrs(of, f->before->policy->owned, f->policy->owned, bytes - 1));
	assert_null(transfer_delta_of_zones(of->zone, of->apex, &test_key, 16));
}

/* More zones are less for each, also for those that did not change. */
static void a_share_that_becomes_smaller_is_kept_to(void **state)
{
	enum { MANY = 4000, ZONES = 60 };
	struct fixture *f = *state;

	model_add_pool(f->model, "wide", "51.0.0.0/8");
	compile(f, NOW);
	for (unsigned i = 1; i <= 4; i++)
		advance_many(f, MANY, i % 2 ? "a." LONG_NAME : "b." LONG_NAME, NOW + i);
	assert_int_equal(zone(f, WIDE)->past_count, 4);
	uint32_t serial = zone(f, WIDE)->serial;
	f->model->owned = owned_ref(f->policy->owned);
	for (unsigned i = 0; i < ZONES; i++) {
		char name[16], prefix[32];
		snprintf(name, sizeof name, "p%u", i);
		snprintf(prefix, sizeof prefix, "52.%u.0.0/16", i);
		model_add_pool(f->model, name, prefix);
	}
	compile(f, NOW + 10);
	assert_int_equal(zone(f, WIDE)->serial, serial);
	assert_true(zone(f, WIDE)->past_bytes <= TRANSFER_PAST_BYTES / f->table->count);
	assert_true(zone(f, WIDE)->past_count < 4);
}

/* Nothing of the tables that were is needed for what was changed since: only the newest one is
 * there. */
static void the_past_holds_no_table_of_what_we_own(void **state)
{
	struct fixture *f = *state;

	compile(f, NOW);
	advance(f, "198.51.100.7", "a.test.", NOW + 1);
	advance(f, "198.51.100.8", "b.test.", NOW + 2);
	let_go_of_before(f);
	assert_string_equal(changes_since(f, NOW),
			    "SOA2|SOA0|SOA1|7." REVERSE " PTRa.test.|SOA1|SOA2|8." REVERSE
			    " PTRb.test.|SOA2|");
	assert_true(zone(f, REVERSE)->past_bytes < 1024);
}

/* A version outlives the tables that it was in, and reads as it did. */
static void an_old_table_is_a_snapshot_while_changes_go_on(void **state)
{
	struct fixture *f = *state;

	compile(f, NOW);
	advance(f, "198.51.100.7", "a.test.", NOW + 1);
	struct policy *policy = f->policy;
	struct transfer_table *table = f->table;
	struct transfer_stream stream;
	struct stream_record record;
	transfer_stream_begin(&stream, table, zone(f, REVERSE), STREAM_WHOLE, 0);
	assert_true(transfer_stream_next(&stream, &record));

	struct fixture later = *f;
	later.policy_before = NULL;
	later.before = NULL;
	struct owned_draft *draft = owned_edit(policy->owned);
	set_ptr(draft, "198.51.100.7", NULL);
	for (unsigned i = 8; i < 250; i++) {
		char address[32];
		snprintf(address, sizeof address, "198.51.100.%u", i);
		set_ptr(draft, address, "x.test.");
	}
	struct owned *owned = owned_commit(draft);
	later.policy = policy_with_owned(policy, owned);
	owned_unref(owned);
	assert_int_equal(transfer_table_advance(&later.table, later.policy, table, NULL, NOW + 2),
			 0);

	unsigned ptrs = 0;
	while (transfer_stream_next(&stream, &record))
		ptrs += wire_u16(record.rest) == TYPE_PTR;
	assert_int_equal(ptrs, 1);
	policy_free(later.policy);
	transfer_table_free(later.table);
}

/* ---- who may ---- */

static void an_entry_wants_its_clients_and_its_key(void **state)
{
	struct fixture *f = *state;
	struct prefix allow[1];
	struct tsig_settings keys[] = {{.name = "k.test", .secret = "Zm9v"},
				       {.name = "other.test", .secret = "Zm9v"}};
	struct address in, out;

	assert_int_equal(prefix_parse(&allow[0], "192.0.2.0/24"), 0);
	assert_int_equal(address_parse(&in, "192.0.2.255"), 0);
	assert_int_equal(address_parse(&out, "192.0.3.0"), 0);
	f->entry.allow.items = allow;
	f->entry.allow.count = 1;
	f->model->keys.items = keys;
	f->model->keys.count = 2;
	compile(f, NOW);
	const struct tsig_key *known = f->table->terms->keys;
	assert_true(transfer_terms_allow(f->table->terms, zone(f, REVERSE), &in, NULL));
	assert_true(transfer_terms_allow(f->table->terms, zone(f, REVERSE), &in, &known[1]));
	assert_false(transfer_terms_allow(f->table->terms, zone(f, REVERSE), &out, NULL));
	f->entry.key = "K.test.";
	compile(f, NOW);
	known = f->table->terms->keys;
	assert_true(transfer_terms_allow(f->table->terms, zone(f, REVERSE), &in, &known[0]));
	assert_false(transfer_terms_allow(f->table->terms, zone(f, REVERSE), &in, &known[1]));
	assert_false(transfer_terms_allow(f->table->terms, zone(f, REVERSE), &in, NULL));
	assert_false(transfer_terms_allow(f->table->terms, zone(f, REVERSE), &out, &known[0]));
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(a_star_is_every_reverse_zone_that_anybody_may_see),
		TEST(private_zones_and_addresses_go_out_by_name),
		TEST(a_change_moves_the_serial_of_its_zone_and_of_no_other),
		TEST(the_soa_that_is_answered_has_the_serial),
		TEST(a_reload_without_a_change_keeps_serials_and_the_past),
		TEST(a_reload_that_changes_an_address_moves_the_serial),
		TEST(other_name_servers_move_the_serial_and_end_the_past),
		TEST(what_has_not_changed_since_it_was_remembered_keeps_its_serial),
		TEST(what_has_changed_gets_a_later_one),
		TEST(what_may_have_been_given_out_is_not_given_out_again),
		TEST(only_what_is_new_is_written_down),
		TEST(a_whole_zone_is_between_two_soas),
		TEST(a_pool_within_an_octet_has_a_zone_of_its_own),
		TEST(its_other_spelling_goes_out_by_name),
		TEST(a_pool_of_one_address_is_a_zone_of_one_name),
		TEST(a_private_zone_goes_out_as_its_file_has_it),
		TEST(its_two_spellings_may_change_places),
		TEST(changes_go_through_the_versions_since),
		TEST(a_serial_is_compared_around_the_end_of_numbers),
		TEST(who_is_far_behind_a_small_zone_gets_it_whole),
		TEST(what_is_kept_of_the_past_is_bounded_in_bytes),
		TEST(a_change_that_is_too_large_to_be_kept_ends_the_past),
		TEST(a_delta_ends_where_its_room_does),
		TEST(a_share_that_becomes_smaller_is_kept_to),
		TEST(the_past_holds_no_table_of_what_we_own),
		TEST(a_private_zones_changes_go_through_its_versions),
		TEST(the_past_reaches_256_versions_back_and_no_further),
		TEST(an_old_table_is_a_snapshot_while_changes_go_on),
		TEST(an_entry_wants_its_clients_and_its_key),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
