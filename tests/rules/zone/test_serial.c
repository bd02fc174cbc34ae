/* Serials on a circle, the same zone with another one, and digests that do not see it. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "rules/wire.h"
#include "rules/zone/serial.h"
#include "tests/lib/model_builder.h"

static void a_serial_is_newer_up_to_half_way_round(void **state)
{
	(void)state;
	assert_true(serial_is_newer(2, 1));
	assert_false(serial_is_newer(1, 2));
	assert_false(serial_is_newer(7, 7));
	assert_true(serial_is_newer(0, UINT32_MAX));
	assert_true(serial_is_newer(0x7fffffff, 0));
	assert_false(serial_is_newer(0x80000000, 0)); /* RFC 1982: undefined, so neither */
	assert_false(serial_is_newer(0, 0x80000000));
	assert_false(serial_is_newer(0x80000001, 0));
	assert_true(serial_is_newer(0, 0x80000001));
}

static void the_next_serial_is_the_time_where_that_is_ahead(void **state)
{
	(void)state;
	assert_int_equal(serial_next(1000, 2000), 2000);
	assert_int_equal(serial_next(2000, 2000), 2001);
	assert_int_equal(serial_next(5000, 2000), 5001);
	assert_int_equal(serial_next(UINT32_MAX, 5), 5);
	assert_int_equal(serial_next(UINT32_MAX, UINT32_MAX), 1); /* 0 is passed over */
}

static struct zone *zone_in(struct model *model, const char *text)
{
	model_add_zone(model, "z.test", text, "");
	return model->private_zones.items[0].zone;
}

#define SOA(serial) "@ SOA ns.z.test. host.z.test. " serial " 3600 300 2419200 300\n"

static int count_set(void *context, const uint8_t *owner, const struct rrset *set)
{
	(void)owner;
	*(unsigned *)context += set->count;
	return 0;
}

static int add_digest(void *context, const uint8_t *owner, const struct rrset *set)
{
	*(uint64_t *)context += digest_of_set(owner, set);
	return 0;
}

static uint64_t digest_of_zone(const struct zone *zone)
{
	uint64_t digest = 0;

	zone_walk(zone, add_digest, &digest);
	return digest;
}

static void a_zone_with_another_serial_is_the_same_zone_otherwise(void **state)
{
	struct model *model = model_start();
	struct zone *zone = zone_in(model, SOA("41") "@ NS ns\nns 60 A 192.0.2.1\n");
	struct zone *copy = zone_with_serial(zone, 4000000000);
	unsigned before = 0, after = 0;
	struct name ns = test_name("ns.z.test.");

	(void)state;
	assert_non_null(copy);
	assert_int_equal(zone_serial(zone), 41);
	assert_int_equal(zone_serial(copy), 4000000000);
	assert_int_equal(zone_soa(copy)->ttl, zone_soa(zone)->ttl);
	assert_int_equal(zone_soa(copy)->length, zone_soa(zone)->length);
	zone_walk(zone, count_set, &before);
	zone_walk(copy, count_set, &after);
	assert_int_equal(before, after);
	assert_int_equal(zone_find_exact(copy, &ns, TYPE_A)->ttl, 60);
	/* Negative answers carry the same serial. */
	size_t length;
	const uint8_t *rdata = rrset_rdata(zone_negative_soa(copy), &length);
	assert_int_equal(wire_u32(rdata + length - 20), 4000000000);
	assert_int_equal(digest_of_zone(copy), digest_of_zone(zone));
	zone_unref(copy);
	model_free(model);
}

static uint64_t digest_of_text(const char *text)
{
	struct model *model = model_start();
	uint64_t digest = digest_of_zone(zone_in(model, text));

	model_free(model);
	return digest;
}

static void a_digest_sees_everything_but_the_serial(void **state)
{
	uint64_t digest = digest_of_text(SOA("1") "www A 192.0.2.1\n");

	(void)state;
	assert_int_equal(digest_of_text(SOA("2") "www A 192.0.2.1\n"), digest);
	assert_int_equal(digest_of_text(SOA("1") "www A 192.0.2.1\nwww A 192.0.2.2\n"),
			 digest_of_text(SOA("1") "www A 192.0.2.2\nwww A 192.0.2.1\n"));
	assert_int_not_equal(digest_of_text(SOA("1") "www A 192.0.2.2\n"), digest);
	assert_int_not_equal(digest_of_text(SOA("1") "web A 192.0.2.1\n"), digest);
	assert_int_not_equal(digest_of_text(SOA("1") "www 60 A 192.0.2.1\n"), digest);
	assert_int_not_equal(digest_of_text(SOA("1") "www A 192.0.2.1\nwww TXT x\n"), digest);
	assert_int_not_equal(digest_of_text("@ SOA ns.z.test. host.z.test. 1 3601 300 2419200 300\n"
					    "www A 192.0.2.1\n"),
			     digest);
}

static uint64_t digest_of_text_ptr(const char *owner, const char *target, uint32_t ttl)
{
	struct owned_draft *draft = owned_edit(NULL);
	struct name name = test_name(target);
	struct address address;

	assert_int_equal(address_parse(&address, owner), 0);
	assert_int_equal(owned_set_ptr(draft, &address, &name, ttl), 0);
	struct owned *owned = owned_commit(draft);
	uint64_t digest = digest_of_ptr(&address, owned_ptr(owned, &address));
	owned_unref(owned);
	return digest;
}

static void a_ptrs_digest_sees_address_name_and_ttl(void **state)
{
	uint64_t digest = digest_of_text_ptr("192.0.2.1", "a.test.", 60);

	(void)state;
	assert_int_equal(digest_of_text_ptr("192.0.2.1", "a.test.", 60), digest);
	assert_int_not_equal(digest_of_text_ptr("192.0.2.2", "a.test.", 60), digest);
	assert_int_not_equal(digest_of_text_ptr("192.0.2.1", "a.test.", 61), digest);
	assert_int_not_equal(digest_of_text_ptr("192.0.2.1", "b.test.", 60), digest);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_serial_is_newer_up_to_half_way_round),
		cmocka_unit_test(the_next_serial_is_the_time_where_that_is_ahead),
		cmocka_unit_test(a_zone_with_another_serial_is_the_same_zone_otherwise),
		cmocka_unit_test(a_digest_sees_everything_but_the_serial),
		cmocka_unit_test(a_ptrs_digest_sees_address_name_and_ttl),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
