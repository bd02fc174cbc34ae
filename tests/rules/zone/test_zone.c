/* Lookups, as tables of questions and what must come of them. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "rules/zone/zone.h"
#include "tests/lib/random.h"
#include "tests/lib/zone_text.h"

struct zone_question {
	const char *name;
	uint16_t type;
	enum zone_outcome outcome;
	uint16_t found; /* the type of the RRset given; 0: none */
	bool wildcard;
};

static struct zone_answer ask(const struct zone *zone, const char *text, uint16_t type)
{
	struct name name = zone_text_name(text);
	struct zone_answer answer;

	zone_find(zone, &name, type, &answer);
	return answer;
}

static void assert_answers(const struct zone *zone, const struct zone_question *questions,
			   size_t count)
{
	for (size_t i = 0; i < count; i++) {
		const struct zone_question *q = &questions[i];
		struct zone_answer answer = ask(zone, q->name, q->type);
		uint16_t found = answer.rrset ? answer.rrset->type : 0;

		if (answer.outcome != q->outcome || found != q->found ||
		    answer.wildcard != q->wildcard || answer.zone != zone)
			fail_msg("%s %u: outcome %d, type %u, wildcard %d", q->name, q->type,
				 (int)answer.outcome, found, answer.wildcard);
	}
}

#define ASSERT_ANSWERS(zone, questions)                                                            \
	assert_answers(zone, questions, sizeof(questions) / sizeof(*(questions)))

/* RFC 4592 section 2.2.1, without the delegation subdel.example, which a private zone cannot have.
 */
static const char rfc4592[] = "$ORIGIN example.\n"
			      "@                 3600 IN SOA ns.example.com. host. 1 2 3 4 5\n"
			      "@                 3600    NS  ns.example.com.\n"
			      "@                 3600    NS  ns.example.net.\n"
			      "*                 3600    TXT \"this is a wildcard\"\n"
			      "*                 3600    MX  10 host1.example.\n"
			      "sub.*             3600    TXT \"this is not a wildcard\"\n"
			      "host1             3600    A   192.0.2.1\n"
			      "_ssh._tcp.host1   3600    SRV 0 0 22 host1\n"
			      "_ssh._tcp.host2   3600    SRV 0 0 22 host2\n";

static void wildcards_do_what_rfc_4592_says(void **state)
{
	static const struct zone_question questions[] = {
		/* Synthesised, in the words of the RFC. */
		{"host3.example", TYPE_MX, ZONE_HIT, TYPE_MX, true},
		{"host3.example", TYPE_A, ZONE_NODATA, 0, true},
		{"foo.bar.example", TYPE_TXT, ZONE_HIT, TYPE_TXT, true},
		/* Not synthesised. */
		{"host1.example", TYPE_MX, ZONE_NODATA, 0, false},
		{"sub.*.example", TYPE_MX, ZONE_NODATA, 0, false},
		{"_telnet._tcp.host1.example", TYPE_SRV, ZONE_NXDOMAIN, 0, false},
		{"ghost.*.example", TYPE_MX, ZONE_NXDOMAIN, 0, false},
		/* And what follows from it. */
		{"*.example", TYPE_TXT, ZONE_HIT, TYPE_TXT, false},
		{"*.example", TYPE_A, ZONE_NODATA, 0, false},
		{"sub.*.example", TYPE_TXT, ZONE_HIT, TYPE_TXT, false},
		{"_tcp.host1.example", TYPE_SRV, ZONE_NODATA, 0, false},
		{"host2.example", TYPE_MX, ZONE_NODATA, 0, false},
		{"_tcp.host2.example", TYPE_TXT, ZONE_NODATA, 0, false},
		{"x.host2.example", TYPE_MX, ZONE_NXDOMAIN, 0, false},
		{"a.b.c.d.e.example", TYPE_MX, ZONE_HIT, TYPE_MX, true},
		{"ghost.sub.*.example", TYPE_TXT, ZONE_NXDOMAIN, 0, false},
		{"*.*.example", TYPE_TXT, ZONE_NXDOMAIN, 0, false},
		{"example", TYPE_TXT, ZONE_NODATA, 0, false},
		{"example", TYPE_NS, ZONE_HIT, TYPE_NS, false},
	};
	struct zone *zone = zone_text_read("example", rfc4592);

	(void)state;
	ASSERT_ANSWERS(zone, questions);
	zone_unref(zone);
}

static void a_wildcard_within_a_wildcard_is_one_of_its_own(void **state)
{
	static const struct zone_question questions[] = {
		{"x.test", TYPE_A, ZONE_HIT, TYPE_A, true},
		{"x.y.test", TYPE_A, ZONE_HIT, TYPE_A, true},
		{"x.*.test", TYPE_A, ZONE_NODATA, 0, true},
		{"x.*.test", TYPE_TXT, ZONE_HIT, TYPE_TXT, true},
		{"y.x.*.test", TYPE_TXT, ZONE_HIT, TYPE_TXT, true},
		{"*.*.test", TYPE_TXT, ZONE_HIT, TYPE_TXT, false},
	};
	struct zone *zone = zone_text_read("test", "* A 10.0.0.1\n*.* TXT \"deep\"\n");

	(void)state;
	ASSERT_ANSWERS(zone, questions);
	zone_unref(zone);
}

static void a_wildcard_that_is_an_empty_non_terminal_gives_nodata(void **state)
{
	static const struct zone_question questions[] = {
		{"*.corp.test", TYPE_A, ZONE_NODATA, 0, false},
		{"x.corp.test", TYPE_A, ZONE_NODATA, 0, true},
		{"x.y.corp.test", TYPE_ANY, ZONE_NODATA, 0, true},
		{"y.*.corp.test", TYPE_A, ZONE_NXDOMAIN, 0, false},
	};
	struct zone *zone = zone_text_read("corp.test", "a.* A 10.0.0.1\n");

	(void)state;
	ASSERT_ANSWERS(zone, questions);
	zone_unref(zone);
}

static void wildcards_may_be_at_the_end_of_a_cname_or_be_one(void **state)
{
	static const struct zone_question questions[] = {
		{"x.corp.test", TYPE_A, ZONE_CNAME, TYPE_CNAME, true},
		{"x.corp.test", TYPE_CNAME, ZONE_HIT, TYPE_CNAME, true},
		{"x.corp.test", TYPE_ANY, ZONE_HIT, TYPE_CNAME, true},
		{"*.corp.test", TYPE_A, ZONE_CNAME, TYPE_CNAME, false},
		{"a.b.corp.test", TYPE_AAAA, ZONE_CNAME, TYPE_CNAME, true},
		{"www.corp.test", TYPE_AAAA, ZONE_NODATA, 0, false},
	};
	struct zone *zone = zone_text_read("corp.test", "* CNAME www\nwww A 10.0.0.1\n");

	(void)state;
	ASSERT_ANSWERS(zone, questions);
	zone_unref(zone);
}

static const char corp[] = "@        SOA  ns host 1 2 3 4 60\n"
			   "         A    10.0.0.9\n"
			   "www      A    10.0.0.1\n"
			   "www      A    10.0.0.2\n"
			   "www      TXT  \"hello\"\n"
			   "alias    CNAME www\n"
			   "alias    RRSIG CNAME 8 3 3600 20300101000000 20200101000000 1 @ AAAA\n"
			   "signed   RRSIG A 8 3 3600 20300101000000 20200101000000 1 @ AAAA\n"
			   "late     RRSIG A 8 3 3600 20300101000000 20200101000000 1 @ AAAA\n"
			   "late     TYPE65280 \\# 0\n"
			   "a.b.c    A    10.0.0.3\n"
			   "Mixed    A    10.0.0.4\n"
			   "new      TYPE65280 \\# 4 0a000001\n";

static void names_types_and_their_absence_are_told_apart(void **state)
{
	static const struct zone_question questions[] = {
		{"www.corp.test", TYPE_A, ZONE_HIT, TYPE_A, false},
		{"WWW.Corp.Test", TYPE_A, ZONE_HIT, TYPE_A, false},
		{"mixed.corp.test", TYPE_A, ZONE_HIT, TYPE_A, false},
		{"www.corp.test", TYPE_AAAA, ZONE_NODATA, 0, false},
		{"x.www.corp.test", TYPE_A, ZONE_NXDOMAIN, 0, false},
		{"corp.test", TYPE_A, ZONE_HIT, TYPE_A, false},
		{"corp.test", TYPE_SOA, ZONE_HIT, TYPE_SOA, false},
		{"corp.test", TYPE_MX, ZONE_NODATA, 0, false},
		{"corp.test", TYPE_NS, ZONE_NODATA, 0, false},
		{"nope.corp.test", TYPE_A, ZONE_NXDOMAIN, 0, false},
		{"ww.corp.test", TYPE_A, ZONE_NXDOMAIN, 0, false},
		{"b.c.corp.test", TYPE_A, ZONE_NODATA, 0, false},
		{"c.corp.test", TYPE_ANY, ZONE_NODATA, 0, false},
		{"x.c.corp.test", TYPE_A, ZONE_NXDOMAIN, 0, false},
		{"x.a.b.c.corp.test", TYPE_A, ZONE_NXDOMAIN, 0, false},
		{"1.2.3.4.5.6.7.8.9.corp.test", TYPE_A, ZONE_NXDOMAIN, 0, false},
		{"new.corp.test", 65280, ZONE_HIT, 65280, false},
		{"new.corp.test", TYPE_DS, ZONE_NODATA, 0, false},
	};
	struct zone *zone = zone_text_read("corp.test", corp);

	(void)state;
	ASSERT_ANSWERS(zone, questions);
	zone_unref(zone);
}

static void a_cname_answers_every_type_but_those_beside_it(void **state)
{
	static const struct zone_question questions[] = {
		{"alias.corp.test", TYPE_A, ZONE_CNAME, TYPE_CNAME, false},
		{"alias.corp.test", TYPE_CNAME, ZONE_HIT, TYPE_CNAME, false},
		{"alias.corp.test", TYPE_RRSIG, ZONE_HIT, TYPE_RRSIG, false},
		{"alias.corp.test", TYPE_NSEC, ZONE_CNAME, TYPE_CNAME, false},
		{"x.alias.corp.test", TYPE_A, ZONE_NXDOMAIN, 0, false},
	};
	struct zone *zone = zone_text_read("corp.test", corp);

	(void)state;
	ASSERT_ANSWERS(zone, questions);
	zone_unref(zone);
}

static void any_gets_one_set_and_a_signature_only_when_there_is_nothing_else(void **state)
{
	static const struct zone_question questions[] = {
		{"www.corp.test", TYPE_ANY, ZONE_HIT, TYPE_A, false},
		{"alias.corp.test", TYPE_ANY, ZONE_HIT, TYPE_CNAME, false},
		{"signed.corp.test", TYPE_ANY, ZONE_HIT, TYPE_RRSIG, false},
		{"late.corp.test", TYPE_ANY, ZONE_HIT, 65280, false},
		{"corp.test", TYPE_ANY, ZONE_HIT, TYPE_SOA, false},
		{"nope.corp.test", TYPE_ANY, ZONE_NXDOMAIN, 0, false},
	};
	struct zone *zone = zone_text_read("corp.test", corp);

	(void)state;
	ASSERT_ANSWERS(zone, questions);
	zone_unref(zone);
}

static void a_dname_takes_what_is_below_it_and_leaves_its_owner(void **state)
{
	static const struct zone_question questions[] = {
		{"x.old.corp.test", TYPE_A, ZONE_DNAME, TYPE_DNAME, false},
		{"x.y.z.old.corp.test", TYPE_MX, ZONE_DNAME, TYPE_DNAME, false},
		{"x.old.corp.test", TYPE_DNAME, ZONE_DNAME, TYPE_DNAME, false},
		{"*.old.corp.test", TYPE_ANY, ZONE_DNAME, TYPE_DNAME, false},
		{"old.corp.test", TYPE_DNAME, ZONE_HIT, TYPE_DNAME, false},
		{"old.corp.test", TYPE_TXT, ZONE_HIT, TYPE_TXT, false},
		{"old.corp.test", TYPE_A, ZONE_NODATA, 0, false},
		{"older.corp.test", TYPE_A, ZONE_HIT, TYPE_A, true},
	};
	struct zone *zone = zone_text_read("corp.test", "old DNAME new.test.\nold TXT \"x\"\n"
							"* A 10.0.0.1\n");

	(void)state;
	ASSERT_ANSWERS(zone, questions);
	assert_int_equal(ask(zone, "x.old.corp.test", TYPE_A).owner_label, 1);
	assert_int_equal(ask(zone, "x.y.z.old.corp.test", TYPE_A).owner_label, 3);
	zone_unref(zone);
}

static void a_dname_at_the_apex_stands_beside_the_apex_data(void **state)
{
	static const struct zone_question questions[] = {
		{"corp.test", TYPE_SOA, ZONE_HIT, TYPE_SOA, false},
		{"corp.test", TYPE_A, ZONE_HIT, TYPE_A, false},
		{"corp.test", TYPE_MX, ZONE_NODATA, 0, false},
		{"x.corp.test", TYPE_MX, ZONE_DNAME, TYPE_DNAME, false},
	};
	struct zone *zone = zone_text_read("corp.test", "@ DNAME new.test.\n@ A 10.0.0.1\n");

	(void)state;
	ASSERT_ANSWERS(zone, questions);
	assert_int_equal(ask(zone, "a.b.corp.test", TYPE_A).owner_label, 2);
	zone_unref(zone);
}

static void the_root_can_be_a_zone(void **state)
{
	static const struct zone_question questions[] = {
		{".", TYPE_SOA, ZONE_HIT, TYPE_SOA, false},
		{"com", TYPE_A, ZONE_NODATA, 0, false},
		{"example.com", TYPE_A, ZONE_HIT, TYPE_A, false},
		{"x.example.com", TYPE_A, ZONE_NXDOMAIN, 0, false},
		{"x.org", TYPE_TXT, ZONE_HIT, TYPE_TXT, true},
	};
	struct zone *zone = zone_text_read(".", "example.com A 10.0.0.1\n* TXT x\n");

	(void)state;
	ASSERT_ANSWERS(zone, questions);
	zone_unref(zone);
}

static void a_set_is_wire_that_answers_the_question_at_offset_12(void **state)
{
	static const uint8_t expected[] = "\300\14\0\1\0\1\0\0\0\74\0\4\n\0\0\1"
					  "\300\14\0\1\0\1\0\0\0\74\0\4\n\0\0\2";
	struct zone *zone = zone_text_read("corp.test", corp);
	const struct rrset *set = ask(zone, "www.corp.test", TYPE_A).rrset;

	(void)state;
	assert_int_equal(set->count, 2);
	assert_int_equal(set->ttl, 60); /* the SOA's minimum: no record has a TTL */
	assert_int_equal(set->length, 32);
	assert_memory_equal(set->wire, expected, 32);
	zone_unref(zone);
}

static void exact_lookups_know_no_wildcards(void **state)
{
	struct zone *zone = zone_text_read("corp.test", "* A 10.0.0.1\na.b A 10.0.0.2\n");
	struct name wildcard = zone_text_name("*.corp.test"), x = zone_text_name("x.corp.test");
	struct name empty = zone_text_name("b.corp.test");

	(void)state;
	assert_non_null(zone_find_exact(zone, &wildcard, TYPE_A));
	assert_null(zone_find_exact(zone, &wildcard, TYPE_MX));
	assert_null(zone_find_exact(zone, &x, TYPE_A));
	assert_null(zone_find_exact(zone, &empty, TYPE_A));
	zone_unref(zone);
}

static int collect(void *context, const uint8_t *owner, const struct rrset *set)
{
	char text[NAME_TEXT_MAX];

	fprintf(context, "%s %u\n", name_wire_to_text(owner, text), set->type);
	return 0;
}

static void a_walk_goes_in_canonical_order(void **state)
{
	/* The example of RFC 4034 section 6.1. */
	static const char text[] = "zABC.a A 10.0.0.1\n"
				   "\\200 A 10.0.0.1\n"
				   "*.z A 10.0.0.1\n"
				   "Z.a A 10.0.0.1\n"
				   "yljkjljk.a A 10.0.0.1\n"
				   "\\001.z A 10.0.0.1\n"
				   "z MX 1 a\n"
				   "z A 10.0.0.1\n"
				   "a A 10.0.0.1\n"
				   "a\\000 A 10.0.0.1\n"
				   "a\\001 A 10.0.0.1\n"
				   "a\\002 A 10.0.0.1\n";
	struct zone *zone = zone_text_read("example", text);
	char *walked = NULL;
	size_t size = 0;
	FILE *out = open_memstream(&walked, &size);

	(void)state;
	assert_int_equal(zone_walk(zone, collect, out), 0);
	fclose(out);
	assert_string_equal(walked, "example. 6\na.example. 1\nyljkjljk.a.example. 1\n"
				    "Z.a.example. 1\nzABC.a.example. 1\na\\000.example. 1\n"
				    "a\\001.example. 1\na\\002.example. 1\nz.example. 1\n"
				    "z.example. 15\n\\001.z.example. 1\n*.z.example. 1\n"
				    "\\200.example. 1\n");
	free(walked);
	zone_unref(zone);
}

static int stop_at_second(void *context, const uint8_t *owner, const struct rrset *set)
{
	unsigned *calls = context;

	(void)owner;
	(void)set;
	return ++*calls == 2 ? 77 : 0;
}

static void a_walk_stops_when_told(void **state)
{
	struct zone *zone = zone_text_read("corp.test", corp);
	unsigned calls = 0;

	(void)state;
	assert_int_equal(zone_walk(zone, stop_at_second, &calls), 77);
	assert_int_equal(calls, 2);
	zone_unref(zone);
}

static void a_reference_keeps_a_zone(void **state)
{
	struct zone *zone = zone_text_read("corp.test", corp);

	(void)state;
	assert_ptr_equal(zone_ref(zone), zone);
	zone_unref(zone);
	assert_int_equal(ask(zone, "www.corp.test", TYPE_A).outcome, ZONE_HIT);
	assert_true(zone_bytes(zone) > zone_records(zone) * 16);
	zone_unref(zone);
	zone_unref(NULL);
}

/* A zone of random names over few labels, with a slow lookup beside it that knows only the list. */
enum { PLAIN_NAMES = 60 };

static struct name suffix_of(const struct name *name, unsigned first)
{
	char text[NAME_TEXT_MAX];

	return zone_text_name(name_wire_to_text(name_suffix_wire(name, first), text));
}

static bool plain_exists(const struct name *names, const struct name *name, unsigned first)
{
	struct name suffix = suffix_of(name, first);

	for (size_t i = 0; i < PLAIN_NAMES; i++) {
		if (name_is_under(&names[i], &suffix))
			return true;
	}
	return false;
}

static bool plain_has(const struct name *names, const struct name *name)
{
	for (size_t i = 0; i < PLAIN_NAMES; i++) {
		if (name_equal(&names[i], name))
			return true;
	}
	return false;
}

static enum zone_outcome plain_find(const struct name *names, const struct name *name, bool *wild)
{
	char text[NAME_TEXT_MAX], wildcard_text[NAME_TEXT_MAX + 2];
	struct name encloser, wildcard;
	unsigned first = 0;

	*wild = false;
	if (plain_exists(names, name, 0))
		return plain_has(names, name) ? ZONE_HIT : ZONE_NODATA;
	while (!plain_exists(names, name, first))
		first++;
	encloser = suffix_of(name, first);
	snprintf(wildcard_text, sizeof wildcard_text, "*.%s", name_to_text(&encloser, text));
	wildcard = zone_text_name(wildcard_text);
	if (!plain_exists(names, &wildcard, 0))
		return ZONE_NXDOMAIN;
	*wild = true;
	return plain_has(names, &wildcard) ? ZONE_HIT : ZONE_NODATA;
}

static struct name random_name(uint64_t *random)
{
	static const char *const labels[] = {"a", "b", "c", "*", "aa"};
	char text[64] = "";
	size_t at = 0;

	for (unsigned depth = 1 + random_below(random, 4); depth > 0; depth--)
		at += (size_t)snprintf(text + at, sizeof text - at, "%s.",
				       labels[random_below(random, 5)]);
	snprintf(text + at, sizeof text - at, "corp.test");
	return zone_text_name(text);
}

static void lookups_agree_with_a_plain_reading_of_the_rfcs(void **state)
{
	struct name names[PLAIN_NAMES];
	uint64_t random = 1;

	(void)state;
	for (unsigned round = 0; round < 60; round++) {
		char *text = NULL, owner[NAME_TEXT_MAX];
		size_t size = 0;
		FILE *out = open_memstream(&text, &size);
		struct zone *zone;

		names[0] = zone_text_name("corp.test");
		fprintf(out, "@ A 10.0.0.1\n");
		for (size_t i = 1; i < PLAIN_NAMES; i++) {
			/* Ever fewer different ones, so that some zones are nearly empty. */
			names[i] = i > 60 - round ? names[1] : random_name(&random);
			fprintf(out, "%s A 10.0.0.1\n", name_to_text(&names[i], owner));
		}
		fclose(out);
		zone = zone_text_read("corp.test", text);
		for (unsigned i = 0; i < 300; i++) {
			struct name name = random_name(&random);
			struct zone_answer answer;
			bool wildcard;
			enum zone_outcome outcome = plain_find(names, &name, &wildcard);

			zone_find(zone, &name, TYPE_A, &answer);
			if (answer.outcome != outcome || answer.wildcard != wildcard)
				fail_msg("%s: %d instead of %d in\n%s", name_to_text(&name, owner),
					 (int)answer.outcome, (int)outcome, text);
		}
		zone_unref(zone);
		free(text);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(wildcards_do_what_rfc_4592_says),
		cmocka_unit_test(a_wildcard_within_a_wildcard_is_one_of_its_own),
		cmocka_unit_test(a_wildcard_that_is_an_empty_non_terminal_gives_nodata),
		cmocka_unit_test(wildcards_may_be_at_the_end_of_a_cname_or_be_one),
		cmocka_unit_test(names_types_and_their_absence_are_told_apart),
		cmocka_unit_test(a_cname_answers_every_type_but_those_beside_it),
		cmocka_unit_test(any_gets_one_set_and_a_signature_only_when_there_is_nothing_else),
		cmocka_unit_test(a_dname_takes_what_is_below_it_and_leaves_its_owner),
		cmocka_unit_test(a_dname_at_the_apex_stands_beside_the_apex_data),
		cmocka_unit_test(the_root_can_be_a_zone),
		cmocka_unit_test(a_set_is_wire_that_answers_the_question_at_offset_12),
		cmocka_unit_test(exact_lookups_know_no_wildcards),
		cmocka_unit_test(a_walk_goes_in_canonical_order),
		cmocka_unit_test(a_walk_stops_when_told),
		cmocka_unit_test(a_reference_keeps_a_zone),
		cmocka_unit_test(lookups_agree_with_a_plain_reading_of_the_rfcs),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
