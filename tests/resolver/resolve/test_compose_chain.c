/* How the names of a chain are followed, cut and left. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "tests/lib/compose_case.h"

/* ---- chains across ---- */

static void a_chain_goes_from_own_data_to_a_rule_to_the_default(void **state)
{
	struct compose_case *f = *state;

	model_add_zone(f->model, "corp.internal", "www 300 CNAME a.rule.example.\n", "hub");
	case_add_rule(f, "hub", "rule.example.", "192.0.2.1", false);
	model_add_default(f->model, "192.0.2.53");
	case_says(f, "192.0.2.1", "a.rule.example.", RCODE_NOERROR,
		  "answer a.rule.example. 60 IN CNAME b.public.example.");
	case_says(f, "192.0.2.53", "b.public.example.", RCODE_NOERROR,
		  "answer b.public.example. 50 IN A 192.0.2.99");
	case_ask(f, "www.corp.internal.", TYPE_A);
	ANSWER(f, "NOERROR aa\nanswer www.corp.internal. 300 IN CNAME a.rule.example.\n"
		  "answer a.rule.example. 60 IN CNAME b.public.example.\n"
		  "answer b.public.example. 50 IN A 192.0.2.99\n");
	ASKED(f, "192.0.2.1 a.rule.example.; 192.0.2.53 b.public.example.");
	assert_true(f->c.used.own && f->c.used.told);
}

static void the_default_resolvers_answer_is_cut_at_every_kind_of_decision(void **state)
{
	struct compose_case *f = *state;
	static const struct {
		const char *name, *target, *rest;
	} rows[] = {
		{"a.example.", "zone.internal.", "answer zone.internal. 300 IN A 10.10.1.1\n"},
		{"b.example.", "x.rule.example.", "answer x.rule.example. 60 IN A 192.0.2.77\n"},
		{"c.example.", "own.westeurope.cloudapp.azure.com.",
		 "answer own.westeurope.cloudapp.azure.com. 3600 IN A 198.51.100.10\n"},
		{"d.example.", "a.localhost.", "answer a.localhost. 10800 IN A 127.0.0.1\n"},
		{"e.example.", "free.example.", "answer free.example. 60 IN A 203.0.113.66\n"},
	};
	char records[5][200], answer[300];

	model_add_zone(f->model, "zone.internal", "@ 300 A 10.10.1.1\n", "hub");
	case_add_rule(f, "hub", "rule.example.", "192.0.2.1", false);
	model_add_default(f->model, "192.0.2.53");
	model_add_address(f->model, "own", "198.51.100.10", "own", NULL);
	case_says(f, "192.0.2.1", "x.rule.example.", RCODE_NOERROR,
		  "answer x.rule.example. 60 IN A 192.0.2.77");
	for (size_t i = 0; i < 5; i++) {
		snprintf(records[i], sizeof records[i],
			 "answer %s 60 IN CNAME %s\nanswer %s 60 IN A 203.0.113.66\n", rows[i].name,
			 rows[i].target, rows[i].target);
		case_says(f, "192.0.2.53", rows[i].name, RCODE_NOERROR, records[i]);
		case_ask(f, rows[i].name, TYPE_A);
		snprintf(answer, sizeof answer, "NOERROR\nanswer %s 60 IN CNAME %s\n%s",
			 rows[i].name, rows[i].target, rows[i].rest);
		ANSWER(f, answer);
	}
}

static void the_questions_own_name_is_not_cut(void **state)
{
	struct compose_case *f = *state;

	/* By redirection the default resolver answers a name that the zone decides. */
	model_add_zone(f->model, "privatelink.example", "here 300 A 10.10.1.1\n", "hub?");
	model_add_default(f->model, "192.0.2.53");
	case_says(f, "192.0.2.53", "x.privatelink.example.", RCODE_NOERROR,
		  "answer x.privatelink.example. 60 IN CNAME here.privatelink.example.\n"
		  "answer here.privatelink.example. 60 IN A 203.0.113.66\n");
	case_ask(f, "x.privatelink.example.", TYPE_A);
	ANSWER(f, "NOERROR\nanswer x.privatelink.example. 60 IN CNAME here.privatelink.example.\n"
		  "answer here.privatelink.example. 300 IN A 10.10.1.1\n");
}

static void of_two_aliases_of_one_name_the_first_is_followed_and_kept(void **state)
{
	struct compose_case *f = *state;

	model_add_zone(f->model, "zone.internal", "a 300 A 10.10.1.1\nb 300 A 10.10.1.2\n", "hub");
	model_add_default(f->model, "192.0.2.53");
	case_says(f, "192.0.2.53", "www.example.", RCODE_NOERROR,
		  "answer www.example. 60 IN CNAME a.zone.internal.\n"
		  "answer www.example. 60 IN CNAME b.zone.internal.\n");
	case_ask(f, "www.example.", TYPE_A);
	ANSWER(f, "NOERROR\nanswer www.example. 60 IN CNAME a.zone.internal.\n"
		  "answer a.zone.internal. 300 IN A 10.10.1.1\n");
}

/* Every owner points: to the question, or to the name in the rdata of the record before. */
static void owners_along_a_chain_are_compressed(void **state)
{
	struct compose_case *f = *state;
	const size_t question = MESSAGE_HEADER + sizeof "\3www\7example" + 4;

	model_add_zone(f->model, "zone.internal", "a 300 CNAME b\nb 300 A 10.10.1.1\n", "hub");
	model_add_default(f->model, "192.0.2.53");
	case_says(f, "192.0.2.53", "www.example.", RCODE_NOERROR,
		  "answer www.example. 60 IN CNAME a.zone.internal.");
	case_ask(f, "www.example.", TYPE_A);
	assert_int_equal(f->c.message.counts[SECTION_ANSWER], 3);
	/* Three headers, two names of zone.internal and an address; then the OPT. */
	assert_int_equal(f->c.message.length,
			 question + 3 * 12 + 2 * sizeof "\1a\4zone\10internal" + 4 + 11);
}

static void a_rules_answer_with_data_is_final_and_follow_cname_cuts_it(void **state)
{
	static const char records[] = "answer %s 60 IN CNAME zone.internal.\n"
				      "answer zone.internal. 60 IN A 203.0.113.66\n";
	struct compose_case *f = *state;
	char final[200], follow[200];

	model_add_zone(f->model, "zone.internal", "@ 300 A 10.10.1.1\n", "hub");
	case_add_rule(f, "hub", "final.example.", "192.0.2.1", false);
	case_add_rule(f, "hub", "follow.example.", "192.0.2.1", true);
	snprintf(final, sizeof final, records, "final.example.");
	snprintf(follow, sizeof follow, records, "follow.example.");
	case_says(f, "192.0.2.1", "final.example.", RCODE_NOERROR, final);
	case_says(f, "192.0.2.1", "follow.example.", RCODE_NOERROR, follow);
	case_ask(f, "final.example.", TYPE_A);
	ANSWER(f, "NOERROR\nanswer final.example. 60 IN CNAME zone.internal.\n"
		  "answer zone.internal. 60 IN A 203.0.113.66\n");
	case_ask(f, "follow.example.", TYPE_A);
	ANSWER(f, "NOERROR\nanswer follow.example. 60 IN CNAME zone.internal.\n"
		  "answer zone.internal. 300 IN A 10.10.1.1\n");
}

static void a_rules_chain_without_data_goes_on_where_a_zone_decides(void **state)
{
	struct compose_case *f = *state;

	model_add_zone(f->model, "zone.internal", "@ 300 A 10.10.1.1\n", "hub");
	case_add_rule(f, "hub", "rule.example.", "192.0.2.1", false);
	case_says(f, "192.0.2.1", "rule.example.", RCODE_NXDOMAIN,
		  "answer rule.example. 60 IN CNAME b.rule.example.\n"
		  "answer b.rule.example. 60 IN CNAME zone.internal.\n"
		  "authority internal. 60 IN SOA ns. admin. 1 2 3 4 5\n");
	case_ask(f, "rule.example.", TYPE_A);
	ANSWER(f, "NOERROR\nanswer rule.example. 60 IN CNAME b.rule.example.\n"
		  "answer b.rule.example. 60 IN CNAME zone.internal.\n"
		  "answer zone.internal. 300 IN A 10.10.1.1\n");
	ASKED(f, "192.0.2.1 rule.example.");
}

static void a_hop_that_is_refused_makes_the_answer_servfail(void **state)
{
	struct compose_case *f = *state;

	model_add_zone(f->model, "corp.internal", "www 300 CNAME out.example.\n", "hub");
	case_ask(f, "out.example.", TYPE_A); /* there is no default resolver */
	ANSWER(f, "REFUSED\n");
	EDE(f, EDE_NOT_READY, "no default resolver");
	case_ask(f, "www.corp.internal.", TYPE_A);
	ANSWER(f, "SERVFAIL\n");
	EDE(f, EDE_NOT_READY, "no default resolver");
	case_ask_with(f, 0, "www.corp.internal.", TYPE_A, (struct case_question){0});
	ANSWER(f, "NOERROR aa rd0\nanswer www.corp.internal. 300 IN CNAME out.example.\n");
}

static void a_chain_of_upstreams_leads_on_sixteen_times(void **state)
{
	struct compose_case *f = *state;
	char names[40][40], records[40][100];

	case_add_rule(f, "hub", "even.example.", "192.0.2.1", false);
	case_add_rule(f, "hub", "odd.example.", "192.0.2.2", false);
	for (unsigned i = 0; i <= 18; i++)
		snprintf(names[i], sizeof names[i], "n%u.%s.example.", i, i % 2 ? "odd" : "even");
	for (unsigned i = 0; i < 18; i++) {
		snprintf(records[i], sizeof records[i], "answer %s 60 IN CNAME %s", names[i],
			 names[i + 1]);
		case_says(f, i % 2 ? "192.0.2.2" : "192.0.2.1", names[i], RCODE_NOERROR,
			  records[i]);
	}
	case_says(f, "192.0.2.1", names[18], RCODE_NOERROR,
		  "answer n18.even.example. 60 IN A 192.0.2.9");
	case_ask(f, names[2], TYPE_A);
	assert_int_equal(f->c.rcode, RCODE_NOERROR);
	assert_int_equal(f->c.message.counts[SECTION_ANSWER], 17);
	case_ask(f, names[1], TYPE_A);
	ANSWER(f, "SERVFAIL\n");
	EDE(f, EDE_OTHER, "more than 16 times");
}

static void a_chain_without_data_goes_on_in_its_own_route_until_a_soa_says_why(void **state)
{
	struct compose_case *f = *state;

	case_add_rule(f, "hub", "example.", "192.0.2.1", false);
	case_says(f, "192.0.2.1", "nodata.example.", RCODE_NOERROR,
		  "answer nodata.example. 60 IN CNAME far.example.\n"
		  "authority example. 60 IN SOA ns. admin. 1 2 3 4 60\n");
	case_ask(f, "nodata.example.", TYPE_A);
	ANSWER(f, "NOERROR\nanswer nodata.example. 60 IN CNAME far.example.\n"
		  "authority example. 60 IN SOA ns. admin. 1 2 3 4 60\n");
	/* Without a SOA it may only have been left to us: the last name is asked for. */
	case_says(f, "192.0.2.1", "left.example.", RCODE_NOERROR,
		  "answer left.example. 60 IN CNAME far.example.");
	case_says(f, "192.0.2.1", "far.example.", RCODE_NOERROR,
		  "answer far.example. 60 IN CNAME farther.example.");
	case_says(f, "192.0.2.1", "farther.example.", RCODE_NXDOMAIN,
		  "authority example. 60 IN SOA ns. admin. 1 2 3 4 60\n");
	case_ask(f, "left.example.", TYPE_A);
	ANSWER(f, "NXDOMAIN\nanswer left.example. 60 IN CNAME far.example.\n"
		  "answer far.example. 60 IN CNAME farther.example.\n"
		  "authority example. 60 IN SOA ns. admin. 1 2 3 4 60\n");
	ASKED(f, "192.0.2.1 left.example.; 192.0.2.1 far.example.; 192.0.2.1 farther.example.");
}

/* Ten hops inside an entered endpoint come to nothing, ten by the next target lead to data. */
static void a_leg_that_failed_takes_no_hops_from_the_next(void **state)
{
	struct compose_case *f = *state;
	char zone[400] = "", records[800] = "";
	size_t z = 0, r = 0;

	for (char c = 'a'; c < 'j'; c++) {
		z += (size_t)snprintf(zone + z, sizeof zone - z, "%c 300 CNAME %c\n", c, c + 1);
		r += (size_t)snprintf(records + r, sizeof records - r,
				      "answer %c.rule.example. 60 IN CNAME %c.rule.example.\n", c,
				      c + 1);
	}
	snprintf(zone + z, sizeof zone - z, "j 300 CNAME bad.example.\n");
	snprintf(records + r, sizeof records - r,
		 "answer j.rule.example. 60 IN CNAME good.example.\n");
	model_add_zone(f->model, "rule.example", zone, "spoke");
	case_add_rule(f, "spoke", "bad.example.", "192.0.2.2", false);
	case_add_rule(f, "hub", "rule.example.", "10.20.0.4 192.0.2.1", false);
	model_add_default(f->model, "192.0.2.53");
	case_says(f, "192.0.2.2", "bad.example.", RCODE_SERVFAIL, "");
	case_says(f, "192.0.2.1", "a.rule.example.", RCODE_NOERROR, records);
	case_says(f, "192.0.2.53", "good.example.", RCODE_NOERROR,
		  "answer good.example. 60 IN A 192.0.2.9\n");
	case_ask(f, "a.rule.example.", TYPE_A);
	ASKED(f, "192.0.2.2 bad.example.; 192.0.2.1 a.rule.example.; 192.0.2.53 good.example.");
	assert_int_equal(f->c.rcode, RCODE_NOERROR);
	assert_int_equal(f->c.message.counts[SECTION_ANSWER], 11);
}

static void the_signature_of_a_dname_stays_with_it_where_a_chain_is_cut(void **state)
{
	struct compose_case *f = *state;

	model_add_zone(f->model, "zone.internal", "a 300 A 10.10.1.1\n", "hub");
	model_add_default(f->model, "192.0.2.53");
	case_says(f, "192.0.2.53", "a.old.example.", RCODE_NOERROR,
		  "answer old.example. 60 IN DNAME zone.internal.\n"
		  "answer old.example. 60 IN RRSIG DNAME 8 2 60 20300101000000 20200101000000 1 "
		  "example. AAAA\n"
		  "answer a.old.example. 60 IN CNAME a.zone.internal.\n"
		  "answer a.zone.internal. 60 IN A 203.0.113.66\n");
	case_ask_with(f, 0, "a.old.example.", TYPE_A, (struct case_question){FLAG_RD, true, false});
	ANSWER(f, "NOERROR\nanswer old.example. 60 IN DNAME zone.internal.\n"
		  "answer old.example. 60 IN RRSIG DNAME 8 2 60 20300101000000 20200101000000 1 "
		  "example. AAAA\n"
		  "answer a.old.example. 60 IN CNAME a.zone.internal.\n"
		  "answer a.zone.internal. 300 IN A 10.10.1.1\n");
}

int main(void)
{
#define TEST(f) cmocka_unit_test_setup_teardown(f, case_setup, case_teardown)
	const struct CMUnitTest tests[] = {
		TEST(a_chain_goes_from_own_data_to_a_rule_to_the_default),
		TEST(the_default_resolvers_answer_is_cut_at_every_kind_of_decision),
		TEST(the_questions_own_name_is_not_cut),
		TEST(of_two_aliases_of_one_name_the_first_is_followed_and_kept),
		TEST(owners_along_a_chain_are_compressed),
		TEST(a_rules_answer_with_data_is_final_and_follow_cname_cuts_it),
		TEST(a_rules_chain_without_data_goes_on_where_a_zone_decides),
		TEST(a_hop_that_is_refused_makes_the_answer_servfail),
		TEST(a_chain_of_upstreams_leads_on_sixteen_times),
		TEST(a_chain_without_data_goes_on_in_its_own_route_until_a_soa_says_why),
		TEST(a_leg_that_failed_takes_no_hops_from_the_next),
		TEST(the_signature_of_a_dname_stays_with_it_where_a_chain_is_cut),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
