/* A zone with registered records beside its own: after whatever change of either, what is served is
 * what a zone file of both would give, without what the own records hide. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "rules/base.h"
#include "rules/zone/overlay.h"
#include "rules/zone/serial.h"
#include "tests/lib/random.h"
#include "tests/lib/zone_text.h"

enum { NOW = 1700000000 };

#define APEX "corp.test"
#define SOA  "@ 3600 SOA ns1 host 41 3600 600 86400 60\n"

/* Registered records, one a line: "www A 10.0.0.1". */
static struct zone *register_lines(const char *lines)
{
	const struct name apex = zone_text_name(APEX);
	struct zone *empty = zone_new(&zone_text_key, &apex, 0), *zone;
	struct zone_draft *draft = zone_edit(empty);
	const struct origin origin = {.path = "registered"};
	char text[4096], *at = text, *line;
	struct faults faults;

	faults_init(&faults);
	snprintf(text, sizeof text, "%s", lines);
	while ((line = strsep(&at, "\n")) && *line) {
		const char *owner = strsep(&line, " "), *type_text = strsep(&line, " "), *why;
		uint8_t wire[NAME_WIRE_MAX], rdata[RDATA_MAX];
		size_t length;
		uint16_t type;

		assert_int_equal(record_type_parse(&type, type_text), 0);
		assert_int_equal(rdata_parse_name(owner, apex.wire, wire, &length, &why), 0);
		assert_int_equal(zone_draft_put(draft, &origin, wire, type, &faults), 0);
		assert_int_equal(rdata_parse(type, line, apex.wire, rdata, &length, &why), 0);
		assert_int_equal(zone_draft_add(draft, 10, rdata, length), 0);
	}
	zone = zone_commit(draft, NOW, &faults);
	assert_non_null(zone);
	faults_release(&faults);
	zone_unref(empty);
	return zone;
}

/* Takes both over; the layers go on from what they were. */
static void lay(struct zone_layers *layers, struct zone *own, struct zone *registered)
{
	struct zone *served = zone_overlay(layers, own, registered);

	assert_non_null(served);
	assert_int_equal(zone_serial(served), zone_serial(own));
	zone_layers_unref(layers);
	*layers = (struct zone_layers){own, registered, served};
}

static void assert_serves(const struct zone_layers *layers, const char *owner, uint16_t type,
			  enum zone_outcome outcome, uint32_t ttl)
{
	char text[128];
	struct zone_answer answer;

	snprintf(text, sizeof text, "%s." APEX, owner);
	const struct name name = zone_text_name(text);
	zone_find(layers->served, &name, type, &answer);
	if (answer.outcome != outcome)
		fail_msg("%s: %d instead of %d", text, (int)answer.outcome, (int)outcome);
	if (answer.rrset && answer.rrset->ttl != ttl)
		fail_msg("%s: TTL %u instead of %u", text, answer.rrset->ttl, ttl);
}

static void own_records_take_precedence_by_name_and_type(void **state)
{
	struct zone_layers layers = {0};

	(void)state;
	lay(&layers,
	    zone_text_read(APEX, SOA "www 300 A 10.9.9.9\nalias 300 CNAME www\n* 300 A 10.8.8.8\n"
				     "*.all 300 CNAME www\n"),
	    register_lines("www A 10.0.0.1\nwww AAAA fd00::1\nalias A 10.0.0.2\nvm A 10.0.0.3\n"
			   "vm.all A 10.0.0.5\na.b A 10.0.0.4\n"));
	assert_serves(&layers, "www", TYPE_A, ZONE_HIT, 300);
	assert_serves(&layers, "www", TYPE_AAAA, ZONE_HIT, 10);
	assert_serves(&layers, "alias", TYPE_A, ZONE_CNAME, 300);
	assert_serves(&layers, "vm", TYPE_A, ZONE_HIT, 10);
	assert_serves(&layers, "vm", TYPE_AAAA, ZONE_NODATA, 0); /* and no wildcard */
	assert_serves(&layers, "b", TYPE_A, ZONE_NODATA, 0);     /* an empty non-terminal */
	assert_serves(&layers, "vm.all", TYPE_A, ZONE_HIT, 10);
	assert_serves(&layers, "other", TYPE_A, ZONE_HIT, 300); /* the wildcard */
	zone_layers_unref(&layers);
}

static void what_was_hidden_shows_again(void **state)
{
	static const char *const hiding[] = {"vm 300 A 10.9.9.9\n",
					     "vm 300 CNAME elsewhere.test.\n",
					     "net 300 DNAME elsewhere.test.\n"};
	struct zone_layers layers = {0};

	(void)state;
	lay(&layers, zone_text_read(APEX, SOA),
	    register_lines("vm A 10.0.0.1\nvm.net A 10.0.0.2\nx.vm.net A 10.0.0.3\n"));
	for (size_t i = 0; i < COUNT(hiding); i++) {
		char text[256];

		snprintf(text, sizeof text, SOA "%s", hiding[i]);
		lay(&layers, zone_text_read(APEX, text), zone_ref(layers.registered));
		assert_serves(&layers, "vm", TYPE_A, i == 1 ? ZONE_CNAME : ZONE_HIT,
			      i == 2 ? 10 : 300);
		assert_serves(&layers, "x.vm.net", TYPE_A, i == 2 ? ZONE_DNAME : ZONE_HIT,
			      i == 2 ? 300 : 10);
		lay(&layers, zone_text_read(APEX, SOA), zone_ref(layers.registered));
		assert_serves(&layers, "vm", TYPE_A, ZONE_HIT, 10);
		assert_serves(&layers, "vm.net", TYPE_A, ZONE_HIT, 10);
	}
	lay(&layers, zone_ref(layers.own), register_lines(""));
	assert_serves(&layers, "vm", TYPE_A, ZONE_NXDOMAIN, 0);
	zone_layers_unref(&layers);
}

static void assert_mname(const struct zone_layers *layers, const char *expected)
{
	char text[NAME_TEXT_MAX];
	size_t length;

	name_wire_to_text(rrset_rdata(zone_soa(layers->served), &length), text);
	assert_string_equal(text, expected);
	name_wire_to_text(rrset_rdata(zone_negative_soa(layers->served), &length), text);
	assert_string_equal(text, expected);
}

static void the_apex_has_soa_and_ns_that_are_registered_where_the_zone_has_none(void **state)
{
	struct zone_layers layers = {0};

	(void)state;
	lay(&layers, zone_text_read(APEX, "www 300 A 10.9.9.9\n"),
	    register_lines("@ SOA ns host 7 1 1 1 1\n@ NS ns\n@ A 10.0.0.1\n"));
	assert_mname(&layers, "ns." APEX ".");
	assert_true(zone_find_exact(layers.served, zone_apex(layers.served), TYPE_NS));
	assert_null(zone_find_exact(layers.served, zone_apex(layers.served), TYPE_A));
	lay(&layers, zone_text_read(APEX, SOA "@ 300 NS ns1\n"), zone_ref(layers.registered));
	assert_mname(&layers, "ns1." APEX ".");
	assert_int_equal(zone_find_exact(layers.served, zone_apex(layers.served), TYPE_NS)->ttl,
			 300);
	lay(&layers, zone_text_read(APEX, "www 300 A 10.9.9.9\n"), zone_ref(layers.registered));
	assert_mname(&layers, "ns." APEX ".");
	lay(&layers, zone_ref(layers.own), register_lines(""));
	assert_mname(&layers, APEX ".");
	assert_null(zone_find_exact(layers.served, zone_apex(layers.served), TYPE_NS));
	zone_layers_unref(&layers);
}

/* ---- at random ---- */

enum { ROUNDS = 600, LINES = 24 };

static const char *const owners[] = {"@", "www", "a.www", "b.a.www", "x", "a.x", "*.x", "mail"};
static const char *const own_data[] = {"A 10.0.0.1", "AAAA fd00::1",      "TXT \"own\"",
				       "CNAME mail", "DNAME other.test.", "MX 10 mail"};
static const char *const registered_data[] = {"A 10.1.0.1", "AAAA fd00::2", "TXT \"theirs\""};

struct world {
	uint8_t own[COUNT(owners)][COUNT(own_data)];
	uint8_t registered[COUNT(owners)][COUNT(registered_data)];
	bool has_soa;
};

static struct zone *read_own(const struct world *world)
{
	char text[4096];
	size_t at = (size_t)snprintf(text, sizeof text, "%s\n", world->has_soa ? SOA : "");
	struct faults faults;
	struct zone *zone;

	for (size_t o = 0; o < COUNT(owners); o++)
		for (size_t d = 0; d < COUNT(own_data); d++)
			if (world->own[o][d])
				at += (size_t)snprintf(text + at, sizeof text - at, "%s 300 %s\n",
						       owners[o], own_data[d]);
	faults_init(&faults);
	zone = zone_text_read_bytes(APEX, text, at, &faults);
	faults_release(&faults);
	return zone;
}

/* The same as a zone that is changed set by set. */
static struct zone *edit_own(struct zone *before, const struct zone *wanted)
{
	struct zone_draft *draft = zone_edit(before);
	const struct origin origin = {.path = "own"};
	struct zone_cursor cursor = {0};
	struct zone *zone, *numbered;
	struct faults faults;
	const uint8_t *owner;
	const struct rrset *set;

	faults_init(&faults);
	while (zone_next(before, &cursor, &owner, &set))
		if (set->type != TYPE_SOA || zone_has_own_soa(before))
			assert_int_equal(zone_draft_put(draft, &origin, owner, set->type, &faults),
					 0);
	cursor = (struct zone_cursor){0};
	while (zone_next(wanted, &cursor, &owner, &set)) {
		const uint8_t *record = set->wire;

		if (set->type == TYPE_SOA && !zone_has_own_soa(wanted))
			continue;
		assert_int_equal(zone_draft_put(draft, &origin, owner, set->type, &faults), 0);
		for (unsigned i = 0; i < set->count; i++) {
			size_t length = wire_u16(record + RECORD_HEADER - 2);

			assert_int_equal(
				zone_draft_add(draft, set->ttl, record + RECORD_HEADER, length), 0);
			record += RECORD_HEADER + length;
		}
	}
	zone = zone_commit(draft, NOW, &faults);
	assert_non_null(zone);
	faults_release(&faults);
	numbered = zone_with_serial(zone, zone_serial(wanted));
	assert_non_null(numbered);
	zone_unref(zone);
	return numbered;
}

static struct zone *read_registered(const struct world *world)
{
	char lines[4096] = "";
	size_t at = 0;

	for (size_t o = 1; o < COUNT(owners); o++) /* none at the apex */
		for (size_t d = 0; d < COUNT(registered_data); d++)
			if (world->registered[o][d])
				at += (size_t)snprintf(lines + at, sizeof lines - at, "%s %s\n",
						       owners[o], registered_data[d]);
	return register_lines(lines);
}

/* What is to be served, of all names: written by the rule and not by the code. */
static struct zone *read_served(const struct world *world)
{
	struct world both = *world;
	char text[4096], registered[4096] = "";
	size_t at = 0;
	struct zone *own = read_own(world), *zone;
	char *own_text = zone_text_write(own);
	struct faults faults;

	for (size_t o = 1; o < COUNT(owners); o++)
		for (size_t d = 0; d < COUNT(registered_data); d++) {
			bool hidden = both.own[o][d] || both.own[o][3];

			for (size_t above = 0; above < COUNT(owners); above++) {
				const char *end = owners[o] + strlen(owners[o]);
				size_t length = strlen(owners[above]);

				if (!both.own[above][4])
					continue;
				hidden |= above == 0 || (strlen(owners[o]) > length + 1 &&
							 strcmp(end - length, owners[above]) == 0 &&
							 end[-(ptrdiff_t)length - 1] == '.');
			}
			if (both.registered[o][d] && !hidden)
				at += (size_t)snprintf(registered + at, sizeof registered - at,
						       "%s 10 %s\n", owners[o], registered_data[d]);
		}
	snprintf(text, sizeof text, "%s%s", own_text, registered);
	free(own_text);
	zone_unref(own);
	faults_init(&faults);
	zone = zone_text_read_bytes(APEX, text, strlen(text), &faults);
	if (!zone)
		faults_print(&faults, stderr);
	assert_non_null(zone);
	faults_release(&faults);
	return zone;
}

static void assert_same(const struct zone *served, const struct zone *wanted)
{
	char *is = zone_text_write(served), *shall = zone_text_write(wanted);

	assert_string_equal(is, shall);
	free(is);
	free(shall);
}

static void change(struct world *world, uint64_t *random)
{
	unsigned o = random_below(random, COUNT(owners));

	if (random_below(random, 2))
		world->own[o][random_below(random, COUNT(own_data))] ^= 1;
	else
		world->registered[o][random_below(random, COUNT(registered_data))] ^= 1;
	if (random_below(random, 20) == 0)
		world->has_soa = !world->has_soa;
}

static void at_random(bool editable)
{
	struct zone_layers layers = {0};
	struct world world = {.has_soa = true};
	uint64_t random = 20261126;
	unsigned laid = 0;

	for (unsigned i = 0; i < ROUNDS; i++) {
		struct world before = world;
		struct zone *own, *edited, *wanted;

		for (unsigned n = random_below(&random, 3) + 1; n > 0; n--)
			change(&world, &random);
		own = read_own(&world);
		if (!own) { /* CNAME beside other data, say */
			world = before;
			continue;
		}
		if (editable) {
			const struct name apex = zone_text_name(APEX);
			struct zone *base = layers.own ? zone_ref(layers.own)
						       : zone_new(&zone_text_key, &apex, 0);

			edited = edit_own(base, own);
			zone_unref(base);
			zone_unref(own);
			own = edited;
		}
		if (random_below(&random, 10) == 0)
			zone_layers_unref(&layers); /* from the beginning */
		lay(&layers, own, read_registered(&world));
		wanted = read_served(&world);
		assert_same(layers.served, wanted);
		zone_unref(wanted);
		laid++;
	}
	assert_in_range(laid, ROUNDS / 4, ROUNDS);
	zone_layers_unref(&layers);
}

static void of_a_zone_file_it_is_what_both_say(void **state)
{
	(void)state;
	at_random(false);
}

static void of_record_sets_it_is_what_both_say(void **state)
{
	(void)state;
	at_random(true);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(own_records_take_precedence_by_name_and_type),
		cmocka_unit_test(what_was_hidden_shows_again),
		cmocka_unit_test(
			the_apex_has_soa_and_ns_that_are_registered_where_the_zone_has_none),
		cmocka_unit_test(of_a_zone_file_it_is_what_both_say),
		cmocka_unit_test(of_record_sets_it_is_what_both_say),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
