/* Which entry a message belongs to, by a configuration as an operator writes it. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/stat.h>

#include <cmocka.h>

#include "resolver/update/registration.h"
#include "tests/lib/config_text.h"
#include "tests/lib/update_text.h"
#include "tests/lib/zone_text.h"

static const char text[] =
	"keys = ( { name = \"k\"; secret = \"Zm9vYmFy\"; }, { name = \"Pc.corp.test\"; secret = "
	"\"Zm9vYmFy\"; } );\n"
	"virtual_networks = ( { name = \"one\"; address_space = [\"10.1.0.0/16\"]; },"
	"                     { name = \"two\"; address_space = [\"10.1.0.0/16\"]; } );\n"
	"private_zones = (\n"
	"  { name = \"corp.test\"; resource_group = \"a\"; links = ( { name = \"l\"; "
	"virtual_network = \"one\"; } ); },\n"
	"  { name = \"corp.test\"; resource_group = \"b\"; links = ( { name = \"l\"; "
	"virtual_network = \"two\"; } ); },\n"
	"  { name = \"other.test\"; links = ( { name = \"l\"; virtual_network = \"one\"; } ); } "
	");\n"
	"registration = (\n"
	"  { zone = \"a/corp.test\"; prefixes = [\"10.1.0.0/17\"]; ttl = 30; expire = 172800;\n"
	"    keys = ( { key = \"K.\"; }, { key = \"pc.corp.test\"; names = \"self\"; } ); },\n"
	"  { zone = \"b/Corp.Test.\"; prefixes = [\"10.1.0.0/16\"]; own_address = true; },\n"
	"  { zone = \"other.test\"; prefixes = [\"10.1.128.0/17\", \"2001:db8::/46\"]; "
	"own_address = true; } );\n";

struct world {
	struct config_text config;
	struct registrations *all;
	struct arena arena;
};

static int set_up(void **state)
{
	static struct world world;
	struct model *model;

	umask(S_IRWXG | S_IRWXO); /* there is a secret in the file */
	config_text_init(&world.config);
	arena_init(&world.arena);
	model = config_text_load(&world.config, text);
	faults_print(&world.config.faults, stderr);
	assert_non_null(model);
	world.all = registrations_new(model, &zone_text_key);
	model_free(model); /* it is not needed any longer */
	assert_non_null(world.all);
	*state = &world;
	return 0;
}

static int tear_down(void **state)
{
	struct world *world = *state;

	registrations_free(world->all);
	arena_release(&world->arena);
	config_text_release(&world->config);
	return 0;
}

/* "a/corp.test b/corp.test": the zones of the entries that the message may belong to. */
static void expect(struct world *world, const char *zone, const char *records, const char *zones)
{
	static uint8_t packet[MESSAGE_MAX];
	const struct registration *entry = NULL;
	char found[256] = "";
	struct update update;
	enum rcode rcode;
	size_t used = 0;

	assert_int_equal(update_read(&update, &world->arena, &zone_text_key, packet,
				     update_write(packet, zone, records), &rcode),
			 REQUEST_FINE);
	while ((entry = registrations_next(world->all, &update, entry)))
		used += (size_t)snprintf(found + used, sizeof found - used, "%s%s",
					 used > 0 ? " " : "", entry->zone_name);
	assert_string_equal(found, zones);
}

static void an_entry_has_what_the_configuration_says(void **state)
{
	struct world *world = *state;
	const struct registration *entry = world->all->items;

	assert_int_equal(world->all->count, 3);
	assert_int_equal(entry->ttl, 30);
	assert_int_equal(entry->expire_s, 172800);
	assert_int_equal(entry->names_max, 25000);
	assert_false(entry->own_address);
	assert_int_equal(entry->grant_count, 2);
	assert_int_equal(entry[2].prefix_count, 2);
	assert_int_equal(entry[2].ttl, 10);
	assert_int_equal(entry[2].expire_s, 0);
	assert_true(entry[2].own_address);
}

static void a_key_is_found_by_its_name_and_covers_its_names(void **state)
{
	struct world *world = *state;
	const struct registration *entry = world->all->items;
	struct name pc = zone_text_name("pc.corp.test"), a = zone_text_name("a.pc.corp.test");
	const struct registration_grant *any, *self;

	any = registration_grant_of(entry, (const uint8_t *)"\1k");
	self = registration_grant_of(entry, pc.wire);
	assert_non_null(any);
	assert_non_null(self);
	assert_null(registration_grant_of(entry, a.wire));
	assert_null(registration_grant_of(entry + 1, pc.wire));
	assert_true(registration_grant_covers(any, &a));
	assert_true(registration_grant_covers(self, &pc));
	assert_false(registration_grant_covers(self, &a));
}

static void a_zone_is_found_by_its_name_in_each_network(void **state)
{
	expect(*state, "CORP.test.", "! pc IN A 10.1.0.5", "a/corp.test b/corp.test");
	expect(*state, "other.test.", "", "other.test");
	expect(*state, "pc.corp.test.", "", "");
	expect(*state, "test.", "", "");
}

static void a_reverse_zone_is_found_by_the_address_at_any_cut(void **state)
{
	expect(*state, "0.1.10.in-addr.arpa.", "! 5 ANY PTR", "a/corp.test b/corp.test");
	expect(*state, "1.10.in-addr.arpa.", "! 5.0 ANY PTR", "a/corp.test b/corp.test");
	expect(*state, "10.in-addr.arpa.", "! 5.200.1 ANY PTR", "b/corp.test other.test");
	expect(*state, "in-addr.arpa.", "? 5.200.1.10 ANY ANY", "b/corp.test other.test");
	expect(*state, "5.0.1.10.in-addr.arpa.", "! @ ANY PTR", "a/corp.test b/corp.test");
	expect(*state, "10.in-addr.arpa.", "! 5.0.2 ANY PTR", "");
	expect(*state, "2.10.in-addr.arpa.", "", "");
	expect(*state, "1.10.in-addr.arpa.", "", "a/corp.test b/corp.test other.test");
	expect(*state, "3.0.0.0.8.b.d.0.1.0.0.2.ip6.arpa.", "", "other.test");
	expect(*state, "4.0.0.0.8.b.d.0.1.0.0.2.ip6.arpa.", "", "");
	expect(*state, "0-127.0.1.10.in-addr.arpa.", "", "");
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
		TEST(an_entry_has_what_the_configuration_says),
		TEST(a_key_is_found_by_its_name_and_covers_its_names),
		TEST(a_zone_is_found_by_its_name_in_each_network),
		TEST(a_reverse_zone_is_found_by_the_address_at_any_cut),
	};

	return cmocka_run_group_tests_name("registration", tests, NULL, NULL);
}
