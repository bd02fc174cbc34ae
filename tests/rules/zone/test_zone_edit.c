/* Zones that are changed set by set: whatever is edited, in whatever order, a version is what a
 * zone file of the same records gives, and the versions before it stay what they were. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "rules/base.h"
#include "rules/wire.h"
#include "rules/zone/layout.h"
#include "tests/lib/random.h"
#include "tests/lib/zone_text.h"

enum { NOW = 1700000000 };

static struct zone *new_zone(const char *apex)
{
	struct name name = zone_text_name(apex);
	struct zone *zone = zone_new(&zone_text_key, &name, 7);

	assert_non_null(zone);
	return zone;
}

/* "www 300 A 10.0.0.1", names relative to the apex; without data the set goes. */
static void put(struct zone_draft *draft, const struct zone *zone, const char *owner,
		const char *type_text, uint32_t ttl, const char *data, struct faults *faults)
{
	static uint8_t rdata[RDATA_MAX];
	struct origin origin = {.path = "sets"};
	uint8_t wire[NAME_WIRE_MAX];
	const char *why;
	uint16_t type;
	size_t length;

	assert_int_equal(record_type_parse(&type, type_text), 0);
	assert_int_equal(rdata_parse_name(owner, zone_apex(zone)->wire, wire, &length, &why), 0);
	assert_int_equal(zone_draft_put(draft, &origin, wire, type, faults), 0);
	if (!data)
		return;
	assert_int_equal(rdata_parse(type, data, zone_apex(zone)->wire, rdata, &length, &why), 0);
	assert_int_equal(zone_draft_add(draft, ttl, rdata, length), 0);
}

/* Takes the zone over and gives its next version. */
static struct zone *change(struct zone *zone, const char *owner, const char *type, const char *data)
{
	struct zone_draft *draft = zone_edit(zone);
	struct faults faults;
	struct zone *next;

	faults_init(&faults);
	put(draft, zone, owner, type, 300, data, &faults);
	next = zone_commit(draft, NOW, &faults);
	if (!next)
		faults_print(&faults, stderr);
	assert_non_null(next);
	faults_release(&faults);
	zone_unref(zone);
	return next;
}

static void assert_refused(struct zone *zone, const char *owner, const char *type, const char *data,
			   const char *text)
{
	struct zone_draft *draft = zone_edit(zone);
	struct faults faults;

	faults_init(&faults);
	put(draft, zone, owner, type, 300, data, &faults);
	assert_null(zone_commit(draft, NOW, &faults));
	assert_int_equal(faults.errors, 1);
	assert_string_equal(faults.items[0].text, text);
	assert_string_equal(faults.items[0].origin.path, "sets");
	faults_release(&faults);
}

static enum zone_outcome ask(const struct zone *zone, const char *text, uint16_t type)
{
	struct name name = zone_text_name(text);
	struct zone_answer answer;

	zone_find(zone, &name, type, &answer);
	return answer.outcome;
}

static void a_new_zone_has_a_soa_and_nothing_else(void **state)
{
	struct zone *zone = new_zone("corp.test");

	(void)state;
	assert_true(zone_is_editable(zone));
	assert_true(zone_is_empty(zone));
	assert_int_equal(zone_serial(zone), 7);
	assert_int_equal(zone_record_sets(zone), 1);
	assert_int_equal(ask(zone, "corp.test", TYPE_SOA), ZONE_HIT);
	assert_int_equal(ask(zone, "corp.test", TYPE_A), ZONE_NODATA);
	assert_int_equal(ask(zone, "www.corp.test", TYPE_A), ZONE_NXDOMAIN);
	assert_non_null(zone_negative_soa(zone));
	zone_unref(zone);
}

static void a_set_is_put_and_goes_and_the_version_before_stays(void **state)
{
	struct zone *first = new_zone("corp.test"), *second, *third;

	(void)state;
	second = change(zone_ref(first), "www", "A", "10.0.0.1");
	third = change(zone_ref(second), "www", "A", NULL);
	assert_int_equal(ask(first, "www.corp.test", TYPE_A), ZONE_NXDOMAIN);
	assert_int_equal(ask(second, "www.corp.test", TYPE_A), ZONE_HIT);
	assert_int_equal(ask(second, "www.corp.test", TYPE_AAAA), ZONE_NODATA);
	assert_int_equal(ask(third, "www.corp.test", TYPE_A), ZONE_NXDOMAIN);
	assert_int_equal(zone_record_sets(second), 2);
	assert_int_equal(zone_record_sets(third), 1);
	assert_false(zone_is_empty(second));
	zone_unref(first);
	zone_unref(second);
	zone_unref(third);
}

static void each_change_raises_the_serial_and_no_change_does_not(void **state)
{
	struct zone *zone = change(new_zone("corp.test"), "www", "A", "10.0.0.1"), *again;

	(void)state;
	assert_int_equal(zone_serial(zone), NOW);
	again = change(zone_ref(zone), "www", "A", "10.0.0.1");
	assert_ptr_equal(again, zone);
	again = change(again, "old", "A", NULL);
	assert_ptr_equal(again, zone);
	zone_unref(again);
	zone = change(zone, "www", "A", "10.0.0.2");
	assert_int_equal(zone_serial(zone), NOW + 1);
	zone_unref(zone);
}

static void a_soa_that_is_put_has_a_serial_of_ours_unless_its_own_is_later(void **state)
{
	struct zone *zone =
		change(new_zone("corp.test"), "@", "SOA", "ns host 5 3600 300 2419200 30");

	(void)state;
	assert_int_equal(zone_serial(zone), NOW);
	assert_int_equal(zone_negative_soa(zone)->ttl, 30);
	zone = change(zone, "@", "SOA", "ns host 2000000000 3600 300 2419200 30");
	assert_int_equal(zone_serial(zone), 2000000000);
	zone = change(zone, "www", "A", "10.0.0.1");
	assert_int_equal(zone_serial(zone), 2000000001);
	zone = change(zone, "@", "SOA", NULL); /* one is made again */
	assert_int_equal(zone_serial(zone), 2000000002);
	assert_int_equal(zone_negative_soa(zone)->ttl, 300);
	zone_unref(zone);
}

static void a_soa_that_equals_the_made_up_one_is_the_zones_own(void **state)
{
	struct zone *zone = new_zone("corp.test"), *next;
	const struct rrset *soa = zone_find_exact(zone, zone_apex(zone), TYPE_SOA);
	struct zone_draft *draft = zone_edit(zone);
	const struct origin origin = {.path = "sets"};
	struct faults faults;
	const uint8_t *rdata;
	size_t length;

	(void)state;
	assert_false(zone_has_own_soa(zone));
	faults_init(&faults);
	rdata = rrset_rdata(soa, &length);
	assert_int_equal(zone_draft_put(draft, &origin, zone_apex(zone)->wire, TYPE_SOA, &faults),
			 0);
	assert_int_equal(zone_draft_add(draft, soa->ttl, rdata, length), 0);
	next = zone_commit(draft, NOW, &faults);
	zone_unref(zone);
	assert_non_null(next);
	assert_true(zone_has_own_soa(next));
	next = change(next, "@", "SOA", NULL);
	assert_false(zone_has_own_soa(next));
	zone_unref(next);
	faults_release(&faults);
}

static void another_serial_makes_a_version_that_says_the_same(void **state)
{
	struct zone *zone = change(new_zone("corp.test"), "www", "A", "10.0.0.1");
	struct zone *again = zone_with_serial(zone, 99);

	(void)state;
	assert_int_equal(zone_serial(again), 99);
	assert_int_equal(zone_serial(zone), NOW);
	assert_true(zone_content(zone).digest == zone_content(again).digest);
	assert_int_equal(ask(again, "www.corp.test", TYPE_A), ZONE_HIT);
	zone_unref(zone);
	zone_unref(again);
}

static void what_a_zone_file_may_not_say_is_refused_in_the_same_words(void **state)
{
	struct zone *zone = new_zone("corp.test");

	(void)state;
	zone = change(zone, "www", "A", "10.0.0.1");
	zone = change(zone, "alias", "CNAME", "www");
	zone = change(zone, "tree", "DNAME", "other.test.");
	zone = change(zone, "x.y", "A", "10.0.0.1");
	assert_refused(zone, "www", "CNAME", "alias",
		       "www.corp.test. has a CNAME beside A data; a CNAME stands alone");
	assert_refused(zone, "alias", "A", "10.0.0.1",
		       "alias.corp.test. has A data beside a CNAME; a CNAME stands alone");
	assert_refused(zone, "a.b.tree", "A", "10.0.0.1",
		       "a.b.tree.corp.test. is below a DNAME, which covers everything below it");
	assert_refused(zone, "y", "DNAME", "other.test.",
		       "x.y.corp.test. is below a DNAME, which covers everything below it");
	assert_refused(zone, "sub", "NS", "ns.other.test.",
		       "NS at sub.corp.test., below the apex: a private zone has no delegations, "
		       "and comes before every rule; make it a zone of its own, or forward the "
		       "whole zone with a rule, to a server that has it");
	assert_refused(zone, "@", "CNAME", "www",
		       "a CNAME at the apex corp.test., beside the SOA; use A and AAAA there");
	zone_unref(zone);
}

static void only_what_comes_of_all_edits_is_checked(void **state)
{
	struct zone *zone = change(new_zone("corp.test"), "www", "CNAME", "web"), *next;
	struct zone_draft *draft = zone_edit(zone);
	struct faults faults;

	(void)state;
	faults_init(&faults);
	put(draft, zone, "www", "A", 300, "10.0.0.1", &faults); /* beside the CNAME, */
	put(draft, zone, "www", "TXT", 300, "gone", &faults);
	put(draft, zone, "www", "CNAME", 300, NULL, &faults); /* which goes */
	put(draft, zone, "www", "TXT", 300, NULL, &faults);   /* the last one counts */
	next = zone_commit(draft, NOW, &faults);
	assert_non_null(next);
	assert_int_equal(faults.count, 0);
	assert_int_equal(ask(next, "www.corp.test", TYPE_A), ZONE_HIT);
	assert_int_equal(zone_record_sets(next), 2);
	zone_unref(zone);
	zone_unref(next);
	faults_release(&faults);
}

/* "A TXT": the types of the sets that the owner has. */
static void assert_sets(const struct zone *zone, const char *owner, const char *expected)
{
	struct name name = zone_text_name(owner);
	const struct rrset *set = NULL;
	char text[64] = "", type[16];
	size_t used = 0;

	while ((set = zone_next_exact(zone, &name, set)))
		used += (size_t)snprintf(text + used, sizeof text - used, "%s%s", used ? " " : "",
					 record_type_print(set->type, type, sizeof type));
	assert_string_equal(text, expected);
}

static void the_sets_of_an_owner_are_its_own_alone(void **state)
{
	struct zone *edited = new_zone("corp.test");
	struct zone *built = zone_text_read(
		"corp.test", "www 9 TXT a\nwww 9 A 10.0.0.1\n* 9 A 10.0.0.2\na.b 9 A 10.0.0.3\n");
	const struct zone *both[2] = {NULL, built};

	(void)state;
	edited = change(edited, "www", "TXT", "a");
	edited = change(edited, "www", "A", "10.0.0.1");
	edited = change(edited, "*", "A", "10.0.0.2");
	assert_int_equal(zone_owners(edited), 3);
	edited = change(edited, "a.b", "A", "10.0.0.3");
	assert_int_equal(zone_owners(edited), 4);
	both[0] = edited;
	for (size_t i = 0; i < COUNT(both); i++) {
		assert_sets(both[i], "www.corp.test", "A TXT");
		assert_sets(both[i], "corp.test", "SOA");
		assert_sets(both[i], "other.corp.test", "");
		assert_sets(both[i], "b.corp.test", "");
		assert_sets(both[i], "a.b.corp.test", "A");
	}
	zone_unref(edited);
	zone_unref(built);
}

/* ---- against a zone that is built of the same ---- */

static const char *const labels[] = {"a", "b", "*", "\\001x", "www", "\\000"};
static const char *const types[] = {"A", "TXT", "CNAME", "DNAME", "MX"};
static const char *const datas[][2] = {{"10.0.0.1", "10.0.0.2"},
				       {"one", "two"},
				       {"a", "x.test."},
				       {"x.test.", "y.test."},
				       {"1 a", "2 b"}};
enum { TYPES = COUNT(types), OWNERS = 60, ROUNDS = 400 };

struct plain { /* what the records are; 0: none, else data + 1 */
	char owners[OWNERS][64];
	uint8_t sets[OWNERS][TYPES];
};

static void random_owner(uint64_t *random, char text[64])
{
	unsigned depth = random_below(random, 4);
	size_t used = 0;

	if (depth == 0)
		snprintf(text, 64, "@");
	for (unsigned i = 0; i < depth; i++)
		used += (size_t)snprintf(text + used, 64 - used, "%s%s", i > 0 ? "." : "",
					 labels[random_below(random, COUNT(labels))]);
}

/* NULL: it has faults. */
static struct zone *build(const struct plain *plain)
{
	char *text = NULL;
	size_t length = 0;
	FILE *out = open_memstream(&text, &length);
	struct faults faults;
	struct zone *zone;

	for (size_t o = 0; o < OWNERS; o++)
		for (size_t t = 0; t < TYPES; t++)
			if (plain->sets[o][t])
				fprintf(out, "%s 300 %s %s\n", plain->owners[o], types[t],
					datas[t][plain->sets[o][t] - 1]);
	fputc('\n', out);
	fclose(out);
	faults_init(&faults);
	zone = zone_text_read_bytes("corp.test", text, length, &faults);
	faults_release(&faults);
	free(text);
	return zone;
}

static void assert_same_set(const struct rrset *a, const struct rrset *b)
{
	assert_int_equal(!a, !b);
	if (!a)
		return;
	assert_int_equal(a->type, b->type);
	assert_int_equal(a->ttl, b->ttl);
	assert_int_equal(a->count, b->count);
	assert_int_equal(a->length, b->length);
	if (a->type != TYPE_SOA)
		assert_memory_equal(a->wire, b->wire, a->length);
}

struct walked { /* by a cursor, one step behind the other */
	const struct zone *zone;
	struct zone_cursor cursor;
	unsigned stop; /* at so many steps; 0: never */
};

static int on_walked(void *context, const uint8_t *owner, const struct rrset *set)
{
	struct walked *walked = context;
	const uint8_t *other;
	const struct rrset *expected;

	assert_true(zone_next(walked->zone, &walked->cursor, &other, &expected));
	assert_ptr_equal(owner, other);
	assert_ptr_equal(set, expected);
	return walked->stop > 0 && --walked->stop == 0 ? 7 : 0;
}

static void assert_walk_is_the_cursors(const struct zone *zone)
{
	struct walked walked = {.zone = zone}, stopped = {.zone = zone, .stop = 1};
	const uint8_t *owner;
	const struct rrset *set;

	assert_int_equal(zone_walk(zone, on_walked, &walked), 0);
	assert_false(zone_next(zone, &walked.cursor, &owner, &set));
	assert_int_equal(zone_walk(zone, on_walked, &stopped), 7);
}

static void assert_same_walk(const struct zone *a, const struct zone *b)
{
	struct zone_cursor at = {0}, bt = {0};
	const uint8_t *owner, *other;
	const struct rrset *set, *expected;

	while (zone_next(a, &at, &owner, &set)) {
		assert_true(zone_next(b, &bt, &other, &expected));
		assert_memory_equal(owner, other, name_wire_length(other));
		assert_same_set(set, expected);
	}
	assert_false(zone_next(b, &bt, &other, &expected));
	assert_false(zone_next(a, &at, &owner, &set));
}

static void assert_same_answers(const struct zone *a, const struct zone *b, uint64_t *random)
{
	static const uint16_t asked[] = {TYPE_A,     TYPE_TXT, TYPE_CNAME, TYPE_MX,
					 TYPE_DNAME, TYPE_SOA, TYPE_ANY,   TYPE_AAAA};

	for (unsigned i = 0; i < 60; i++) {
		char owner[64], text[96];
		struct zone_answer one, two;

		random_owner(random, owner);
		snprintf(text, sizeof text, "%s%scorp.test", *owner == '@' ? "" : owner,
			 *owner == '@' ? "" : ".");
		struct name name = zone_text_name(text);
		uint16_t type = asked[random_below(random, COUNT(asked))];

		zone_find(a, &name, type, &one);
		zone_find(b, &name, type, &two);
		if (one.outcome != two.outcome || one.wildcard != two.wildcard ||
		    one.owner_label != two.owner_label)
			fail_msg("%s %u: %d instead of %d", text, type, (int)one.outcome,
				 (int)two.outcome);
		assert_same_set(one.rrset, two.rrset);
		assert_ptr_equal(one.zone, a);
		assert_same_set(zone_find_exact(a, &name, type), zone_find_exact(b, &name, type));
	}
}

static void assert_same(const struct zone *edited, const struct zone *built, uint64_t *random)
{
	assert_same_walk(edited, built);
	assert_walk_is_the_cursors(edited);
	assert_same_answers(edited, built, random);
	assert_int_equal(zone_record_sets(edited), zone_record_sets(built));
	assert_int_equal(zone_records(edited), zone_records(built));
	assert_true(zone_content(edited).digest == zone_content(built).digest);
	assert_int_equal(zone_content(edited).bytes, zone_content(built).bytes);
	assert_int_equal(zone_is_empty(edited), zone_is_empty(built));
}

struct counted {
	size_t gone, new, other;
};

static int count_change(void *context, const uint8_t *owner, const struct rrset *was,
			const struct rrset *is)
{
	struct counted *counted = context;

	(void)owner;
	if ((was ? was : is)->type == TYPE_SOA)
		return 0;
	counted->gone += !is;
	counted->new += !was;
	counted->other += was && is;
	return 0;
}

static void edit_at_random(struct plain *plain, struct zone_draft *draft, const struct zone *zone,
			   uint64_t *random, struct faults *faults)
{
	for (unsigned n = 1 + random_below(random, 4); n > 0; n--) {
		unsigned o = random_below(random, OWNERS), t = random_below(random, TYPES);
		unsigned data = random_below(random, 3);

		/* The same owner may be in the table twice; both are one set then. */
		for (unsigned i = 0; i < OWNERS; i++)
			if (strcmp(plain->owners[i], plain->owners[o]) == 0)
				plain->sets[i][t] = 0;
		plain->sets[o][t] = (uint8_t)data;
		put(draft, zone, plain->owners[o], types[t], 300, data ? datas[t][data - 1] : NULL,
		    faults);
	}
}

/* Written as a master file and read again. */
static void assert_round_trip(const struct zone *zone)
{
	char *text = NULL;
	size_t length = 0;
	FILE *out = open_memstream(&text, &length);
	struct faults faults;
	struct zone *again;

	faults_init(&faults);
	assert_int_equal(zonefile_write(zone, out), 0);
	fclose(out);
	again = zone_text_read_bytes("corp.test", text, length, &faults);
	faults_print(&faults, stderr);
	assert_non_null(again);
	assert_same_walk(zone, again);
	assert_int_equal(zone_serial(zone), zone_serial(again));
	zone_unref(again);
	faults_release(&faults);
	free(text);
}

static void versions_are_what_zone_files_of_the_same_records_give(void **state)
{
	uint64_t random = 20261122;
	unsigned refused = 0;

	(void)state;
	for (unsigned round = 0; round < 6; round++) {
		struct zone *zone = new_zone("corp.test"), *last_built = NULL;
		struct plain plain = {0};

		for (unsigned o = 0; o < OWNERS; o++)
			random_owner(&random, plain.owners[o]);
		for (unsigned i = 0; i < ROUNDS; i++) {
			struct plain before = plain;
			struct zone_draft *draft = zone_edit(zone);
			struct faults faults;

			faults_init(&faults);
			edit_at_random(&plain, draft, zone, &random, &faults);
			struct zone *next = zone_commit(draft, NOW, &faults),
				    *built = build(&plain);

			assert_int_equal(!next, !built);
			assert_int_equal(!next, faults.errors > 0);
			faults_release(&faults);
			if (!next) {
				plain = before;
				refused++;
				continue;
			}
			assert_same(next, built, &random);
			if (i % 16 == 0)
				assert_round_trip(next);
			struct counted shared = {0}, whole = {0};
			zone_walk_changes(zone, next, count_change, &shared);
			if (last_built) {
				assert_same(zone, last_built, &random);
				zone_walk_changes(last_built, built, count_change, &whole);
				assert_memory_equal(&shared, &whole, sizeof whole);
				memset(&whole, 0, sizeof whole);
				zone_walk_changes(last_built, next, count_change, &whole);
				assert_memory_equal(&shared, &whole, sizeof whole);
			}
			zone_unref(zone);
			zone_unref(last_built);
			zone = next;
			last_built = built;
		}
		zone_unref(zone);
		zone_unref(last_built);
	}
	assert_true(refused > 100); /* both kinds were there */
	assert_true(refused < 6 * ROUNDS - 100);
}

/* ---- trees of several levels ---- */

enum { MANY = 6000 };

static void host_name(char text[32], unsigned n)
{
	snprintf(text, 32, "h%05u.r%u", n, n % 7);
}

static struct zone *put_many(struct zone *zone, unsigned from, unsigned step, bool gone)
{
	struct zone_draft *draft = zone_edit(zone);
	struct faults faults;
	struct zone *next;
	char text[32];

	faults_init(&faults);
	for (unsigned i = 0, n = from; i < MANY / step; i++, n += step) {
		host_name(text, n % MANY);
		put(draft, zone, text, "A", 300, gone ? NULL : "10.0.0.1", &faults);
	}
	next = zone_commit(draft, NOW, &faults);
	assert_non_null(next);
	faults_release(&faults);
	zone_unref(zone);
	return next;
}

static size_t walk_length(const struct zone *zone)
{
	struct zone_cursor cursor = {0};
	const uint8_t *owner;
	const struct rrset *set;
	size_t count = 0;

	while (zone_next(zone, &cursor, &owner, &set))
		count++;
	return count;
}

static void a_large_zone_grows_and_shrinks(void **state)
{
	struct zone *zone = new_zone("corp.test"), *full;
	struct counted counted = {0};
	uint64_t random = 5;
	size_t bytes;

	(void)state;
	full = zone_ref(zone = put_many(zone, 0, 1, false));
	bytes = zone_bytes(full);
	assert_int_equal(zone_record_sets(zone), MANY + 1);
	assert_int_equal(walk_length(zone), MANY + 1);
	for (unsigned i = 0; i < 4000; i++) {
		char text[32];

		host_name(text, random_below(&random, MANY));
		zone = change(zone, text, "A", random_below(&random, 3) ? NULL : "10.0.0.2");
		assert_int_equal(zone->tree.entries + 0, zone_record_sets(zone));
	}
	assert_int_equal(walk_length(zone), zone_record_sets(zone));
	zone_walk_changes(full, zone, count_change, &counted);
	assert_int_equal(MANY + 1 - counted.gone, zone_record_sets(zone));
	assert_int_equal(counted.new, 0);
	assert_true(counted.other > 0);
	zone = put_many(zone, 0, 1, true);
	assert_int_equal(walk_length(zone), 1);
	assert_true(zone_is_empty(zone));
	assert_true(zone_bytes(zone) < 8192);
	zone = put_many(zone, 0, 1, false);
	assert_same_walk(zone, full);
	assert_true(zone_bytes(zone) < bytes + bytes / 4);
	zone_unref(zone);
	zone_unref(full);
}

struct stop_early {
	unsigned left;
};

static int stop_at(void *context, const uint8_t *owner, const struct rrset *was,
		   const struct rrset *is)
{
	struct stop_early *stop = context;

	(void)owner, (void)was, (void)is;
	return --stop->left == 0 ? 17 : 0;
}

static void a_walk_of_changes_stops_when_told(void **state)
{
	struct zone *empty = new_zone("corp.test");
	struct zone *full = put_many(zone_ref(empty), 0, 1, false);
	struct stop_early stop = {5};

	(void)state;
	assert_int_equal(zone_walk_changes(empty, full, stop_at, &stop), 17);
	assert_int_equal(stop.left, 0);
	assert_int_equal(zone_walk_changes(full, full, stop_at, &stop), 0);
	zone_unref(empty);
	zone_unref(full);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_new_zone_has_a_soa_and_nothing_else),
		cmocka_unit_test(a_set_is_put_and_goes_and_the_version_before_stays),
		cmocka_unit_test(each_change_raises_the_serial_and_no_change_does_not),
		cmocka_unit_test(a_soa_that_is_put_has_a_serial_of_ours_unless_its_own_is_later),
		cmocka_unit_test(a_soa_that_equals_the_made_up_one_is_the_zones_own),
		cmocka_unit_test(another_serial_makes_a_version_that_says_the_same),
		cmocka_unit_test(what_a_zone_file_may_not_say_is_refused_in_the_same_words),
		cmocka_unit_test(only_what_comes_of_all_edits_is_checked),
		cmocka_unit_test(the_sets_of_an_owner_are_its_own_alone),
		cmocka_unit_test(versions_are_what_zone_files_of_the_same_records_give),
		cmocka_unit_test(a_large_zone_grows_and_shrinks),
		cmocka_unit_test(a_walk_of_changes_stops_when_told),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
