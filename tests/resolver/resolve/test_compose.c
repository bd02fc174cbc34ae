/* How an answer is put together from our own data, the cache, our own endpoints and upstreams. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "resolver/resolve/reply.h"
#include "rules/schema/reference.h"
#include "tests/lib/compose_case.h"

/* ---- our own data ---- */

static void own_data_are_authoritative_and_nobody_is_asked(void **state)
{
	struct compose_case *f = *state;

	model_add_zone(f->model, "corp.internal",
		       "@ 300 SOA ns admin 1 2 3 4 300\nwww 300 A 10.10.1.1\nwww 300 A 10.10.1.2\n",
		       "hub");
	case_ask(f, "www.corp.internal.", TYPE_A);
	ANSWER(f, "NOERROR aa\nanswer www.corp.internal. 300 IN A 10.10.1.1\n"
		  "answer www.corp.internal. 300 IN A 10.10.1.2\n");
	assert_true(f->c.used.own && !f->c.used.cache && !f->c.used.told);
	case_ask(f, "www.corp.internal.", TYPE_AAAA);
	ANSWER(f, "NOERROR aa\nauthority corp.internal. 300 IN SOA ns.corp.internal. "
		  "admin.corp.internal. 1 2 3 4 300\n");
	case_ask(f, "gone.corp.internal.", TYPE_A);
	ANSWER(f, "NXDOMAIN aa\nauthority corp.internal. 300 IN SOA ns.corp.internal. "
		  "admin.corp.internal. 1 2 3 4 300\n");
	ASKED(f, "");
}

static void a_chain_within_our_own_data_is_followed(void **state)
{
	struct compose_case *f = *state;

	model_add_zone(f->model, "corp.internal", "www 300 CNAME app.other.internal.\n", "hub");
	model_add_zone(f->model, "other.internal",
		       "@ 60 SOA ns admin 1 2 3 4 60\napp 60 CNAME gone\n", "hub");
	case_ask(f, "www.corp.internal.", TYPE_A);
	ANSWER(f, "NXDOMAIN aa\nanswer www.corp.internal. 300 IN CNAME app.other.internal.\n"
		  "answer app.other.internal. 60 IN CNAME gone.other.internal.\n"
		  "authority other.internal. 60 IN SOA ns.other.internal. admin.other.internal. "
		  "1 2 3 4 60\n");
	case_ask(f, "www.corp.internal.", TYPE_CNAME);
	ANSWER(f, "NOERROR aa\nanswer www.corp.internal. 300 IN CNAME app.other.internal.\n");
}

static void a_dname_brings_its_cname(void **state)
{
	struct compose_case *f = *state;

	model_add_zone(f->model, "corp.internal",
		       "old 300 DNAME new.corp.internal.\na.new 300 A 10.10.1.1\n", "hub");
	case_ask(f, "a.old.corp.internal.", TYPE_A);
	ANSWER(f, "NOERROR aa\nanswer old.corp.internal. 300 IN DNAME new.corp.internal.\n"
		  "answer a.old.corp.internal. 300 IN CNAME a.new.corp.internal.\n"
		  "answer a.new.corp.internal. 300 IN A 10.10.1.1\n");
	case_ask(f, "old.corp.internal.", TYPE_DNAME);
	ANSWER(f, "NOERROR aa\nanswer old.corp.internal. 300 IN DNAME new.corp.internal.\n");
}

static void a_dname_behind_a_cname_is_written_out(void **state)
{
	struct compose_case *f = *state;

	model_add_zone(f->model, "corp.internal",
		       "www 300 CNAME a.old.corp.internal.\nold 300 DNAME new.corp.internal.\n"
		       "a.new 300 A 10.10.1.1\n",
		       "hub");
	case_ask(f, "www.corp.internal.", TYPE_A);
	ANSWER(f, "NOERROR aa\nanswer www.corp.internal. 300 IN CNAME a.old.corp.internal.\n"
		  "answer old.corp.internal. 300 IN DNAME new.corp.internal.\n"
		  "answer a.old.corp.internal. 300 IN CNAME a.new.corp.internal.\n"
		  "answer a.new.corp.internal. 300 IN A 10.10.1.1\n");
}

#define L50 "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa."

static void a_dname_whose_target_gets_too_long_is_yxdomain(void **state)
{
	struct compose_case *f = *state;

	/* old.internal. has 14 bytes of wire, the target 51 * 3 + 1 = 154. */
	model_add_zone(f->model, "old.internal", "@ 300 DNAME " L50 L50 L50 "\n", "hub");
	model_add_default(f->model, "192.0.2.53");
	case_says(f, "192.0.2.53",
		  L50 "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa." L50 L50 L50,
		  RCODE_NXDOMAIN, "");
	/* 51 + 50 + 154 is the most that there can be, one byte more is too much. */
	case_ask(f, L50 "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa.old.internal.", TYPE_A);
	assert_int_equal(f->c.rcode, RCODE_NXDOMAIN);
	case_ask(f, L50 L50 "old.internal.", TYPE_A);
	ANSWER(f, "YXDOMAIN aa\nanswer old.internal. 300 IN DNAME " L50 L50 L50 "\n");
	ASKED(f, "");
}

static void loops_in_our_own_data_are_cut(void **state)
{
	struct compose_case *f = *state;

	model_add_zone(f->model, "corp.internal", "a 300 CNAME b\nb 300 CNAME A\nc 300 CNAME c\n",
		       "hub");
	case_ask(f, "a.corp.internal.", TYPE_A);
	ANSWER(f, "NOERROR aa\nanswer a.corp.internal. 300 IN CNAME b.corp.internal.\n"
		  "answer b.corp.internal. 300 IN CNAME A.corp.internal.\n");
	case_ask(f, "c.corp.internal.", TYPE_A);
	ANSWER(f, "NOERROR aa\nanswer c.corp.internal. 300 IN CNAME c.corp.internal.\n");
}

/* ---- the name server of a zone that clients register in ---- */

#define TIMES   "1 3600 300 2419200 300\n"
#define SERVERS "ns.corp.internal. hostmaster.corp.internal. " TIMES
#define CUT     "10.10.in-addr.arpa."

static void ask_at(struct compose_case *f, const char *local, const char *qname, uint16_t type)
{
	assert_int_equal(address_parse(&f->query.local, local), 0);
	case_ask(f, qname, type);
}

static void clients_find_whom_to_send_updates_to(void **state)
{
	struct compose_case *f = *state;

	model_add_zone(f->model, "corp.internal", "www 300 A 10.10.1.1\n* 300 A 10.10.1.2\n",
		       "hub?");
	model_add_registration(f->model, "corp.internal", "10.10.0.0/16");
	model_add_default(f->model, "192.0.2.53");
	case_ask(f, "corp.internal.", TYPE_SOA);
	ANSWER(f, "NOERROR aa\nanswer corp.internal. 3600 IN SOA " SERVERS);
	case_ask(f, "www.corp.internal.", TYPE_SOA);
	ANSWER(f, "NOERROR aa\nauthority corp.internal. 300 IN SOA " SERVERS);
	case_ask(f, "corp.internal.", TYPE_NS);
	ANSWER(f, "NOERROR aa\nanswer corp.internal. 3600 IN NS ns.corp.internal.\n");
	ask_at(f, "10.10.0.4", "NS.corp.internal.", TYPE_A);
	ANSWER(f, "NOERROR aa\nanswer NS.corp.internal. 10 IN A 10.10.0.4\n");
	ask_at(f, "10.10.0.5", "ns.corp.internal.", TYPE_A); /* it is not cached */
	ANSWER(f, "NOERROR aa\nanswer ns.corp.internal. 10 IN A 10.10.0.5\n");
	ask_at(f, "10.10.0.5", "ns.corp.internal.", TYPE_AAAA);
	ANSWER(f, "NOERROR aa\nauthority corp.internal. 300 IN SOA " SERVERS);
	ask_at(f, "fd00::4", "ns.corp.internal.", TYPE_AAAA);
	ANSWER(f, "NOERROR aa\nanswer ns.corp.internal. 10 IN AAAA fd00::4\n");
	ask_at(f, "fd00::4", "ns.corp.internal.", TYPE_ANY);
	ANSWER(f, "NOERROR aa\nanswer ns.corp.internal. 10 IN AAAA fd00::4\n");
	ask_at(f, "fd00::4", "ns.corp.internal.", TYPE_A);
	ANSWER(f, "NOERROR aa\nauthority corp.internal. 300 IN SOA " SERVERS);
	ask_at(f, "10.10.0.4", "ns.other.corp.internal.", TYPE_A); /* the wildcard */
	ANSWER(f, "NOERROR aa\nanswer ns.other.corp.internal. 300 IN A 10.10.1.2\n");
	f->query.local.family = 0; /* as `explain` does: the network's endpoint */
	case_ask(f, "ns.corp.internal.", TYPE_A);
	ANSWER(f, "NOERROR aa\nanswer ns.corp.internal. 10 IN A 10.10.0.4\n");
	ASKED(f, "");
}

static void clients_find_whom_to_send_reverse_updates_to(void **state)
{
	struct compose_case *f = *state;

	model_add_zone(f->model, "corp.internal", "", "hub");
	model_add_registration(f->model, "corp.internal", "10.10.0.0/16");
	model_add_default(f->model, "192.0.2.53");
	case_ask(f, "5.0." CUT, TYPE_SOA);
	ANSWER(f, "NXDOMAIN aa\nauthority " CUT " 300 IN SOA ns." CUT " hostmaster." CUT " " TIMES);
	case_ask(f, CUT, TYPE_SOA);
	ANSWER(f, "NOERROR aa\nanswer " CUT " 3600 IN SOA ns." CUT " hostmaster." CUT " " TIMES);
	case_ask(f, CUT, TYPE_NS);
	ANSWER(f, "NOERROR aa\nanswer " CUT " 3600 IN NS ns." CUT "\n");
	ask_at(f, "10.10.0.4", "ns." CUT, TYPE_A);
	ANSWER(f, "NOERROR aa\nanswer ns." CUT " 10 IN A 10.10.0.4\n");
	ask_at(f, "10.10.0.4", "ns." CUT, TYPE_AAAA);
	ANSWER(f, "NOERROR aa\nauthority " CUT " 300 IN SOA ns." CUT " hostmaster." CUT " " TIMES);
	ASKED(f, "");
}

static void what_the_zone_says_of_its_name_servers_stays(void **state)
{
	struct compose_case *f = *state;

	model_add_zone(f->model, "corp.internal",
		       "@ 60 SOA dns1 admin 1 2 3 4 60\n@ 60 NS dns1\nns 60 TXT own\n", "hub");
	model_add_registration(f->model, "corp.internal", "10.10.0.0/16");
	case_ask(f, "corp.internal.", TYPE_SOA);
	ANSWER(f, "NOERROR aa\nanswer corp.internal. 60 IN SOA dns1.corp.internal. "
		  "admin.corp.internal. 1 2 3 4 60\n");
	case_ask(f, "corp.internal.", TYPE_NS);
	ANSWER(f, "NOERROR aa\nanswer corp.internal. 60 IN NS dns1.corp.internal.\n");
	ask_at(f, "10.10.0.4", "ns.corp.internal.", TYPE_A);
	ANSWER(f, "NOERROR aa\nauthority corp.internal. 60 IN SOA dns1.corp.internal. "
		  "admin.corp.internal. 1 2 3 4 60\n");
}

static void a_zone_that_nobody_registers_in_has_no_name_server(void **state)
{
	struct compose_case *f = *state;

	model_add_zone(f->model, "corp.internal", "www 300 A 10.10.1.1\n", "hub");
	f->model->private_zones.items[0].links.items[0].registration = true;
	ask_at(f, "10.10.0.4", "ns.corp.internal.", TYPE_A);
	ANSWER(f, "NXDOMAIN aa\nauthority corp.internal. 300 IN SOA corp.internal. "
		  "hostmaster.corp.internal. " TIMES);
}

static void an_entered_endpoint_is_the_one_that_was_asked(void **state)
{
	struct compose_case *f = *state;

	model_add_zone(f->model, "spoke.internal", "", "spoke");
	model_add_registration(f->model, "spoke.internal", "10.20.0.0/16");
	case_add_rule(f, "hub", "spoke.internal.", "10.20.0.4", false);
	ask_at(f, "10.10.0.4", "ns.spoke.internal.", TYPE_A);
	ANSWER(f, "NOERROR aa\nanswer ns.spoke.internal. 10 IN A 10.20.0.4\n");
}

/* ---- the cache ---- */

static void what_is_cached_is_aged_and_composed_anew_for_each_network(void **state)
{
	struct compose_case *f = *state;

	f->caches = true;
	model_add_zone(f->model, "zone.internal", "@ 300 A 10.20.1.1\n", "spoke");
	model_add_default(f->model, "192.0.2.53");
	case_says(f, "192.0.2.53", "a.example.", RCODE_NOERROR,
		  "answer a.example. 60 IN CNAME zone.internal.\n"
		  "answer zone.internal. 60 IN A 203.0.113.66\n");
	case_ask(f, "a.example.", TYPE_A);
	ASKED(f, "192.0.2.53 a.example.");
	f->now_us += 10 * S + S / 2;
	case_ask(f, "a.example.", TYPE_A);
	ANSWER(f, "NOERROR\nanswer a.example. 50 IN CNAME zone.internal.\n"
		  "answer zone.internal. 50 IN A 203.0.113.66\n");
	ASKED(f, "");
	assert_true(f->c.used.cache && !f->c.used.told);
	case_ask_with(f, 1, "a.example.", TYPE_A, (struct case_question){.flags = FLAG_RD});
	ANSWER(f, "NOERROR\nanswer a.example. 50 IN CNAME zone.internal.\n"
		  "answer zone.internal. 300 IN A 10.20.1.1\n");
	ASKED(f, "");
}

/* Workers share the cache, and a worker reads the clock before it takes a batch of queries. */
static void what_was_cached_after_the_query_arrived_has_its_whole_ttl(void **state)
{
	struct compose_case *f = *state;

	f->caches = true;
	model_add_default(f->model, "192.0.2.53");
	case_says(f, "192.0.2.53", "a.example.", RCODE_NOERROR,
		  "answer a.example. 60 IN A 203.0.113.66");
	case_ask(f, "a.example.", TYPE_A);
	f->now_us -= 50;
	case_ask(f, "a.example.", TYPE_A);
	ASKED(f, "");
	ANSWER(f, "NOERROR\nanswer a.example. 60 IN A 203.0.113.66\n");
}

static void a_cached_failure_is_told_as_such(void **state)
{
	struct compose_case *f = *state;

	f->caches = true;
	case_add_rule(f, "hub", "rule.example.", "192.0.2.1", false);
	case_says(f, "192.0.2.1", "a.rule.example.", RCODE_REFUSED, "");
	case_ask(f, "a.rule.example.", TYPE_A);
	ANSWER(f, "SERVFAIL\n");
	EDE(f, EDE_NO_REACHABLE_AUTHORITY, "ruleset hub, rule rule.example.: no usable answer");
	case_ask(f, "a.rule.example.", TYPE_A);
	ASKED(f, "");
	ANSWER(f, "SERVFAIL\n");
	EDE(f, EDE_CACHED_ERROR, "192.0.2.1:53: REFUSED");
	f->now_us += FAILURE_TTL_US;
	case_ask(f, "a.rule.example.", TYPE_A);
	ASKED(f, "192.0.2.1 a.rule.example.");
}

static void make_stale(struct compose_case *f)
{
	f->caches = true;
	f->settings.stale_max = 3600;
	model_add_default(f->model, "192.0.2.53");
	case_says(f, "192.0.2.53", "a.example.", RCODE_NOERROR,
		  "answer a.example. 60 IN A 192.0.2.9");
	case_ask(f, "a.example.", TYPE_A);
	f->now_us += 100 * S;
	f->saying_count = 0;
}

static const char stale_answer[] = "NOERROR\nanswer a.example. 30 IN A 192.0.2.9\n";

static void stale_data_are_given_when_all_targets_have_failed(void **state)
{
	struct compose_case *f = *state;

	make_stale(f);
	case_says(f, "192.0.2.53", "a.example.", RCODE_REFUSED, "");
	case_ask(f, "a.example.", TYPE_A);
	ASKED(f, "192.0.2.53 a.example.");
	ANSWER(f, stale_answer);
	EDE(f, EDE_STALE, "");
	assert_true(f->c.used.stale);
	/* The failure holds back the next question. */
	case_ask(f, "a.example.", TYPE_A);
	ASKED(f, "");
	ANSWER(f, stale_answer);
	assert_int_equal(f->c.refresh_count, 0);
}

static void stale_data_are_given_at_once_in_the_dark_and_refreshed(void **state)
{
	struct compose_case *f = *state;

	make_stale(f);
	case_make_dark(f);
	case_ask(f, "a.example.", TYPE_A);
	ASKED(f, "");
	ANSWER(f, stale_answer);
	assert_int_equal(f->c.refresh_count, 1);
	assert_ptr_equal(f->c.refresh[0].leg, &f->policy->default_route->legs[0]);
	assert_true(f->c.refresh[0].may_wait);
}

static void stale_data_are_given_at_the_deadline_and_not_without_rd(void **state)
{
	struct compose_case *f = *state;

	make_stale(f);
	f->expired = true;
	case_ask(f, "a.example.", TYPE_A);
	ANSWER(f, stale_answer);
	case_ask(f, "b.example.", TYPE_A);
	ANSWER(f, "SERVFAIL\n");
	EDE(f, EDE_NO_REACHABLE_AUTHORITY, "in time");
	f->expired = false;
	case_ask_with(f, 0, "a.example.", TYPE_A, (struct case_question){0});
	ANSWER(f, "REFUSED rd0\n");
	EDE(f, EDE_NOT_AUTHORITATIVE, "");
}

static void a_question_with_stale_data_does_not_wait_in_the_dark(void **state)
{
	struct compose_case *f = *state;

	make_stale(f);
	case_says(f, "192.0.2.53", "a.example.", RCODE_NOERROR,
		  "answer a.example. 60 IN A 192.0.2.8");
	case_ask(f, "a.example.", TYPE_A);
	assert_false(f->c.ask.may_wait);
	ANSWER(f, "NOERROR\nanswer a.example. 60 IN A 192.0.2.8\n");
	case_says(f, "192.0.2.53", "new.example.", RCODE_NOERROR,
		  "answer new.example. 60 IN A 192.0.2.7");
	case_ask(f, "new.example.", TYPE_A);
	assert_true(f->c.ask.may_wait);
}

/* ---- own endpoints ---- */

static void an_entered_endpoint_answers_as_its_network_and_with_its_aa(void **state)
{
	struct compose_case *f = *state;

	model_add_zone(f->model, "spoke.internal", "www 300 A 10.20.1.1\n", "spoke");
	case_add_rule(f, "hub", "spoke.internal.", "10.20.0.4", false);
	case_add_rule(f, "hub", "pub.example.", "10.20.0.4", false);
	model_add_default(f->model, "192.0.2.53");
	case_ask(f, "www.spoke.internal.", TYPE_A);
	ANSWER(f, "NOERROR aa\nanswer www.spoke.internal. 300 IN A 10.20.1.1\n");
	case_says(f, "192.0.2.53", "a.pub.example.", RCODE_NXDOMAIN,
		  "authority example. 60 IN SOA ns. admin. 1 2 3 4 60");
	case_ask(f, "a.pub.example.", TYPE_A);
	ANSWER(f, "NXDOMAIN\nauthority example. 60 IN SOA ns. admin. 1 2 3 4 60\n");
}

static void an_entered_endpoints_custom_servers_are_not_consulted(void **state)
{
	struct compose_case *f = *state;

	model_add_dns_server(model_network(f->model, NULL, "hub"), f->model, "10.20.0.4");
	model_add_dns_server(model_network(f->model, NULL, "spoke"), f->model, "192.0.2.7");
	model_add_zone(f->model, "spoke.internal", "www 300 A 10.20.1.1\n", "spoke");
	case_ask_with(f, 0, "www.spoke.internal.", TYPE_A,
		      (struct case_question){.flags = FLAG_RD, .vnet = true});
	ANSWER(f, "NOERROR aa\nanswer www.spoke.internal. 300 IN A 10.20.1.1\n");
	ASKED(f, "");
}

static void what_a_failed_entry_wrote_is_taken_back(void **state)
{
	struct compose_case *f = *state;

	/* The entered network begins a chain of its own data that then fails. */
	model_add_zone(f->model, "spoke.internal", "www 300 CNAME bad.example.\n", "spoke");
	case_add_rule(f, "hub", "spoke.internal.", "10.20.0.4 192.0.2.1", false);
	model_add_default(f->model, "192.0.2.53");
	case_says(f, "192.0.2.53", "bad.example.", RCODE_SERVFAIL, "");
	case_says(f, "192.0.2.1", "www.spoke.internal.", RCODE_NOERROR,
		  "answer www.spoke.internal. 60 IN A 192.0.2.9");
	case_ask(f, "www.spoke.internal.", TYPE_A);
	ANSWER(f, "NOERROR\nanswer www.spoke.internal. 60 IN A 192.0.2.9\n");
	ASKED(f, "192.0.2.53 bad.example.; 192.0.2.1 www.spoke.internal.");
	assert_int_equal(f->c.ede, EDE_NONE);
}

static void aa_and_tc_are_those_of_the_leg_that_answered(void **state)
{
	struct compose_case *f = *state;

	model_add_network(f->model, "third", "10.30.0.0/16");
	model_add_resolver(f->model, "third", "third", NULL);
	case_add_rule(f, "hub", "a.example.", "10.20.0.4 10.30.0.4", false);
	case_add_rule(f, "hub", "b.example.", "10.20.0.4 192.0.2.1", false);
	case_add_rule(f, "spoke", "example.", "192.0.2.2", false);
	model_add_default(f->model, "192.0.2.53");
	model_add_zone(f->model, "a.example", "@ 300 A 10.30.1.1\n", "third");
	/* The first leg's upstream begins a chain, which then fails. */
	case_says(f, "192.0.2.2", "a.example.", RCODE_NOERROR,
		  "answer a.example. 60 IN CNAME bad.");
	case_says_truncated(f, "192.0.2.2", "b.example.");
	case_says(f, "192.0.2.53", "bad.", RCODE_SERVFAIL, "");
	case_says(f, "192.0.2.1", "b.example.", RCODE_NOERROR,
		  "answer b.example. 60 IN A 192.0.2.9");
	case_ask(f, "a.example.", TYPE_A);
	ANSWER(f, "NOERROR aa\nanswer a.example. 300 IN A 10.30.1.1\n");
	case_ask(f, "b.example.", TYPE_A);
	ANSWER(f, "NOERROR\nanswer b.example. 60 IN A 192.0.2.9\n");
}

static void nothing_but_a_truncated_answer_is_a_failure_that_tcp_may_mend(void **state)
{
	struct compose_case *f = *state;

	model_add_zone(f->model, "zone.internal", "www 300 CNAME cut.example.\n", "hub");
	case_add_rule(f, "hub", "example.", "192.0.2.1", false);
	case_says_truncated(f, "192.0.2.1", "cut.example.");
	case_says(f, "192.0.2.1", "bad.example.", RCODE_SERVFAIL, "");
	case_ask(f, "cut.example.", TYPE_A);
	ANSWER(f, "SERVFAIL tc\n");
	EDE(f, EDE_NO_REACHABLE_AUTHORITY, "only a truncated answer, from 192.0.2.1:53");
	case_ask(f, "www.zone.internal.", TYPE_A); /* and nothing of what comes before it */
	ANSWER(f, "SERVFAIL tc\n");
	case_ask(f, "bad.example.", TYPE_A);
	ANSWER(f, "SERVFAIL\n");
}

static void only_what_has_no_leg_behind_it_may_wait_for_a_sign_of_life(void **state)
{
	struct compose_case *f = *state;

	case_add_rule(f, "hub", "last.example.", "192.0.2.9 10.20.0.4", false);
	case_add_rule(f, "hub", "first.example.", "10.20.0.4 192.0.2.9", false);
	case_add_rule(f, "spoke", "example.", "192.0.2.1", false);
	case_says(f, "192.0.2.9", "last.example.", RCODE_SERVFAIL, "");
	case_says(f, "192.0.2.1", "last.example.", RCODE_NOERROR,
		  "answer last.example. 60 IN A 192.0.2.5");
	case_says(f, "192.0.2.1", "first.example.", RCODE_NOERROR,
		  "answer first.example. 60 IN A 192.0.2.5");
	case_ask(f, "last.example.", TYPE_A);
	assert_true(f->c.ask.may_wait);
	case_ask(f, "first.example.", TYPE_A);
	ASKED(f, "192.0.2.1 first.example.");
	assert_false(f->c.ask.may_wait);
}

static void a_leg_in_the_dark_is_passed_over_and_refreshed_where_another_follows(void **state)
{
	struct compose_case *f = *state;

	case_add_rule(f, "hub", "example.", "10.20.0.4 192.0.2.9", false);
	case_add_rule(f, "spoke", "example.", "192.0.2.1", false);
	case_says(f, "192.0.2.9", "www.example.", RCODE_NOERROR,
		  "answer www.example. 60 IN A 192.0.2.5");
	case_compile(f);
	case_make_dark(f);
	case_ask(f, "www.example.", TYPE_A);
	ASKED(f, "192.0.2.9 www.example."); /* the last one is waited for */
	ANSWER(f, "NOERROR\nanswer www.example. 60 IN A 192.0.2.5\n");
	assert_ptr_equal(f->c.refresh[0].leg,
			 &ruleset_rule(f->policy->rulesets[1], 0)->route.legs[0]);
}

static void a_forwarding_loop_is_named(void **state)
{
	struct compose_case *f = *state;

	case_add_rule(f, "hub", "loop.example.", "10.20.0.4", false);
	case_add_rule(f, "spoke", "loop.example.", "10.10.0.4", false);
	case_add_rule(f, "hub", "self.example.", "10.10.0.4", false);
	case_ask(f, "a.loop.example.", TYPE_A);
	ANSWER(f, "SERVFAIL\n");
	EDE(f, EDE_OTHER, "forwarding loop: spoke/in -> hub/in -> spoke/in");
	case_ask(f, "a.self.example.", TYPE_A);
	ANSWER(f, "SERVFAIL\n");
	EDE(f, EDE_OTHER, "forwarding loop: hub/in -> hub/in");
}

static void a_loop_goes_to_the_next_target_where_there_is_one(void **state)
{
	struct compose_case *f = *state;

	case_add_rule(f, "hub", "loop.example.", "10.10.0.4 192.0.2.1", false);
	case_says(f, "192.0.2.1", "a.loop.example.", RCODE_NOERROR,
		  "answer a.loop.example. 60 IN A 192.0.2.9");
	case_ask(f, "a.loop.example.", TYPE_A);
	ANSWER(f, "NOERROR\nanswer a.loop.example. 60 IN A 192.0.2.9\n");
}

/* ---- and the rest ---- */

static void any_is_never_forwarded(void **state)
{
	struct compose_case *f = *state;

	model_add_default(f->model, "192.0.2.53");
	model_add_zone(f->model, "corp.internal", "www 300 CNAME out.example.\n@ 300 A 10.10.1.1\n",
		       "hub");
	case_ask(f, "www.example.", TYPE_ANY);
	ANSWER(f, "NOERROR\nanswer www.example. 3600 IN HINFO \"RFC8482\" \"\"\n");
	case_ask(f, "corp.internal.", TYPE_ANY);
	assert_true(f->c.authoritative);
	assert_int_equal(f->c.message.counts[SECTION_ANSWER], 1);
	ASKED(f, "");
}

static void a_stranger_is_refused(void **state)
{
	struct compose_case *f = *state;

	model_add_default(f->model, "192.0.2.53");
	case_ask_with(f, NETWORK_NONE, "www.example.", TYPE_A,
		      (struct case_question){.flags = FLAG_RD, .vnet = true});
	ANSWER(f, "REFUSED\n");
	EDE(f, EDE_PROHIBITED, "no network");
}

static void do_and_cd_are_told_apart(void **state)
{
	struct compose_case *f = *state;

	f->caches = true;
	model_add_default(f->model, "192.0.2.53");
	case_says(f, "192.0.2.53", "a.example.", RCODE_NOERROR,
		  "answer a.example. 60 IN A 192.0.2.9");
	case_ask_with(f, 0, "a.example.", TYPE_A, (struct case_question){FLAG_RD, true, false});
	ASKED(f, "192.0.2.53 a.example.");
	case_ask_with(f, 0, "a.example.", TYPE_A, (struct case_question){FLAG_RD, false, false});
	ASKED(f, "192.0.2.53 a.example.");
	case_ask_with(f, 0, "a.example.", TYPE_A,
		      (struct case_question){FLAG_RD | FLAG_CD, false, false});
	ASKED(f, "192.0.2.53 a.example.");
	ANSWER(f, "NOERROR cd\nanswer a.example. 60 IN A 192.0.2.9\n");
	case_ask_with(f, 0, "a.example.", TYPE_A, (struct case_question){FLAG_RD, true, false});
	ASKED(f, "");
}

/* ---- what came of each way ---- */

static void assert_outcome(const struct compose_case *f, unsigned i, const char *way,
			   enum target_error error, uint64_t at_us)
{
	const struct composition_outcome *outcome = &f->c.outcomes[i];

	assert_true(i < f->c.outcome_count);
	assert_string_equal(outcome->route->outcomes->name, way);
	assert_int_equal(outcome->error, error);
	assert_int_equal(outcome->lost, error != TARGET_ERROR_NONE);
	assert_true(outcome->at_us == at_us);
}

/* The way has failed a client before. */
static void let_fail(struct compose_case *f, struct route *route)
{
	outcomes_fail(route->outcomes, 1, 1, TARGET_ERROR_REFUSED, NULL, f->now_us, f->now_us);
}

static void the_way_of_the_hop_that_failed_is_to_blame(void **state)
{
	struct compose_case *f = *state;
	char host[HOST_TEXT_MAX];

	case_add_rule(f, "hub", "rule.example.", "192.0.2.1", false);
	model_add_default(f->model, "192.0.2.53");
	case_says(f, "192.0.2.53", "www.example.", RCODE_NOERROR,
		  "answer www.example. 60 IN CNAME a.rule.example.");
	case_says(f, "192.0.2.1", "a.rule.example.", RCODE_REFUSED, "");
	case_ask(f, "www.example.", TYPE_A);
	ANSWER(f, "SERVFAIL\n");
	assert_int_equal(f->c.outcome_count, 1);
	assert_outcome(f, 0, "hub/rule.example.", TARGET_ERROR_REFUSED, f->now_us);
	assert_string_equal(host_print(&f->c.outcomes[0].by->host, host), "192.0.2.1:53");
}

static void an_answer_is_noted_where_the_way_has_failed_before(void **state)
{
	struct compose_case *f = *state;

	f->caches = true;
	model_add_default(f->model, "192.0.2.53");
	case_says(f, "192.0.2.53", "www.example.", RCODE_NOERROR,
		  "answer www.example. 60 IN A 192.0.2.9");
	case_ask(f, "www.example.", TYPE_A);
	assert_int_equal(f->c.outcome_count, 0);
	uint64_t stored_us = f->now_us;
	f->now_us += S;
	let_fail(f, f->policy->default_route);
	case_ask(f, "www.example.", TYPE_A); /* from the cache, and older than the failure */
	ASKED(f, "");
	assert_outcome(f, 0, "default resolver", TARGET_ERROR_NONE, stored_us);
	case_says(f, "192.0.2.53", "other.example.", RCODE_NOERROR,
		  "answer other.example. 60 IN A 192.0.2.9");
	case_ask(f, "other.example.", TYPE_A);
	assert_outcome(f, 0, "default resolver", TARGET_ERROR_NONE, f->now_us);
}

static void a_cached_failure_is_noted_with_when_it_was(void **state)
{
	struct compose_case *f = *state;

	f->caches = true;
	model_add_default(f->model, "192.0.2.53");
	case_says(f, "192.0.2.53", "www.example.", RCODE_REFUSED, "");
	case_ask(f, "www.example.", TYPE_A);
	assert_outcome(f, 0, "default resolver", TARGET_ERROR_REFUSED, f->now_us);
	uint64_t failed_us = f->now_us;
	f->now_us += S / 2;
	case_ask(f, "www.example.", TYPE_A);
	ASKED(f, "");
	assert_outcome(f, 0, "default resolver", TARGET_ERROR_REFUSED, failed_us);
}

static void a_failed_leg_is_lost_where_no_other_helps_and_silence_hides_no_error(void **state)
{
	struct compose_case *f = *state;

	case_add_rule(f, "hub", "example.", "192.0.2.1 10.20.0.4 192.0.2.9", false);
	case_says(f, "192.0.2.1", "www.example.", RCODE_REFUSED, "");
	case_says(f, "192.0.2.9", "www.example.", RCODE_NOERROR,
		  "answer www.example. 60 IN A 192.0.2.9");
	case_ask(f, "www.example.", TYPE_A);
	assert_int_equal(f->c.outcome_count, 1);
	assert_false(f->c.outcomes[0].lost);
	f->saying_count = 0;
	case_says(f, "192.0.2.1", "new.example.", RCODE_REFUSED, "");
	case_says(f, "192.0.2.9", "new.example.", RCODE_SERVFAIL, "");
	case_ask(f, "new.example.", TYPE_A);
	ANSWER(f, "SERVFAIL\n");
	assert_int_equal(f->c.outcome_count, 1);
	assert_outcome(f, 0, "hub/example.", TARGET_ERROR_REFUSED, f->now_us);
	f->expired = true;
	case_ask(f, "late.example.", TYPE_A);
	assert_outcome(f, 0, "hub/example.", TARGET_ERROR_SHUT, f->now_us);
}

static void an_entered_way_is_to_blame_and_not_the_one_that_leads_to_it(void **state)
{
	struct compose_case *f = *state;

	case_add_rule(f, "hub", "example.", "10.20.0.4", false);
	case_add_rule(f, "spoke", "example.", "192.0.2.1", false);
	case_says(f, "192.0.2.1", "www.example.", RCODE_REFUSED, "");
	case_ask(f, "www.example.", TYPE_A);
	ANSWER(f, "SERVFAIL\n");
	assert_int_equal(f->c.outcome_count, 1);
	assert_outcome(f, 0, "spoke/example.", TARGET_ERROR_REFUSED, f->now_us);
}

static void each_way_of_a_loop_is_to_blame(void **state)
{
	struct compose_case *f = *state;

	case_add_rule(f, "hub", "self.example.", "10.10.0.4", false);
	case_add_rule(f, "hub", "round.example.", "10.20.0.4", false);
	case_add_rule(f, "spoke", "round.example.", "10.10.0.4", false);
	case_ask(f, "www.self.example.", TYPE_A);
	ANSWER(f, "SERVFAIL\n");
	assert_int_equal(f->c.outcome_count, 1);
	assert_outcome(f, 0, "hub/self.example.", TARGET_ERROR_LOOP, f->now_us);
	case_ask(f, "www.round.example.", TYPE_A);
	ANSWER(f, "SERVFAIL\n");
	assert_int_equal(f->c.outcome_count, 2);
	assert_outcome(f, 0, "hub/round.example.", TARGET_ERROR_LOOP, f->now_us);
	assert_outcome(f, 1, "spoke/round.example.", TARGET_ERROR_LOOP, f->now_us);
	case_ask_with(f, 0, "www.self.example.", TYPE_A, (struct case_question){0, false, false});
	assert_int_equal(f->c.outcome_count, 0);
}

static void a_way_into_an_endpoint_that_refuses_or_fails_by_itself_is_to_blame(void **state)
{
	struct compose_case *f = *state;

	/* There is no default resolver for what spoke does not have. */
	model_add_zone(f->model, "own.example", "a 300 CNAME x.else.\nwww 300 A 10.20.1.1\n",
		       "spoke");
	case_add_rule(f, "hub", "shut.example.", "10.20.0.4", false);
	case_add_rule(f, "hub", "own.example.", "10.20.0.4", false);
	case_ask(f, "www.shut.example.", TYPE_A);
	ANSWER(f, "SERVFAIL\n");
	assert_int_equal(f->c.outcome_count, 1);
	assert_outcome(f, 0, "hub/shut.example.", TARGET_ERROR_SHUT, f->now_us);
	case_ask(f, "www.own.example.", TYPE_A);
	assert_int_equal(f->c.outcome_count, 0);
	case_ask(f, "a.own.example.", TYPE_A);
	ANSWER(f, "SERVFAIL\n");
	assert_outcome(f, 0, "hub/own.example.", TARGET_ERROR_INNER, f->now_us);
	let_fail(f, (struct route *)(uintptr_t)f->c.outcomes[0].route);
	case_ask(f, "www.own.example.", TYPE_A); /* and an answer of it is the way's */
	assert_int_equal(f->c.outcome_count, 1);
	assert_outcome(f, 0, "hub/own.example.", TARGET_ERROR_NONE, f->now_us);
}

int main(void)
{
#define TEST(f) cmocka_unit_test_setup_teardown(f, case_setup, case_teardown)
	const struct CMUnitTest tests[] = {
		TEST(own_data_are_authoritative_and_nobody_is_asked),
		TEST(a_chain_within_our_own_data_is_followed),
		TEST(clients_find_whom_to_send_updates_to),
		TEST(clients_find_whom_to_send_reverse_updates_to),
		TEST(what_the_zone_says_of_its_name_servers_stays),
		TEST(a_zone_that_nobody_registers_in_has_no_name_server),
		TEST(an_entered_endpoint_is_the_one_that_was_asked),
		TEST(a_dname_brings_its_cname),
		TEST(a_dname_behind_a_cname_is_written_out),
		TEST(a_dname_whose_target_gets_too_long_is_yxdomain),
		TEST(loops_in_our_own_data_are_cut),
		TEST(what_is_cached_is_aged_and_composed_anew_for_each_network),
		TEST(what_was_cached_after_the_query_arrived_has_its_whole_ttl),
		TEST(a_cached_failure_is_told_as_such),
		TEST(stale_data_are_given_when_all_targets_have_failed),
		TEST(stale_data_are_given_at_once_in_the_dark_and_refreshed),
		TEST(stale_data_are_given_at_the_deadline_and_not_without_rd),
		TEST(a_question_with_stale_data_does_not_wait_in_the_dark),
		TEST(an_entered_endpoint_answers_as_its_network_and_with_its_aa),
		TEST(an_entered_endpoints_custom_servers_are_not_consulted),
		TEST(what_a_failed_entry_wrote_is_taken_back),
		TEST(aa_and_tc_are_those_of_the_leg_that_answered),
		TEST(nothing_but_a_truncated_answer_is_a_failure_that_tcp_may_mend),
		TEST(only_what_has_no_leg_behind_it_may_wait_for_a_sign_of_life),
		TEST(a_leg_in_the_dark_is_passed_over_and_refreshed_where_another_follows),
		TEST(a_forwarding_loop_is_named),
		TEST(a_loop_goes_to_the_next_target_where_there_is_one),
		TEST(any_is_never_forwarded),
		TEST(a_stranger_is_refused),
		TEST(do_and_cd_are_told_apart),
		TEST(the_way_of_the_hop_that_failed_is_to_blame),
		TEST(an_answer_is_noted_where_the_way_has_failed_before),
		TEST(a_cached_failure_is_noted_with_when_it_was),
		TEST(a_failed_leg_is_lost_where_no_other_helps_and_silence_hides_no_error),
		TEST(an_entered_way_is_to_blame_and_not_the_one_that_leads_to_it),
		TEST(each_way_of_a_loop_is_to_blame),
		TEST(a_way_into_an_endpoint_that_refuses_or_fails_by_itself_is_to_blame),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
