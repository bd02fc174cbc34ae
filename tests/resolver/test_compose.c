/* How an answer is put together from our own data, the cache and what upstreams say. The upstreams
 * are a table of sayings; whoever is asked what is not in it fails. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "resolver/compose.h"
#include "resolver/reply.h"
#include "tests/message_text.h"
#include "tests/model_builder.h"

enum { S = 1000 * 1000, BEGIN = 1000 * S, SAYINGS = 48, TARGETS = 64, TEXT = 8192 };

struct saying {
	const char *server, *name; /* "192.0.2.1", "www.example." */
	unsigned rcode;
	const char *records;
	bool truncated; /* it is the best there is, and has TC */
};

struct fixture {
	struct model *model;
	struct policy *policy;
	struct cache *cache;
	struct cache_settings settings;
	uint64_t now_us;
	struct target targets[TARGETS];
	unsigned target_count;
	struct saying sayings[SAYINGS];
	unsigned saying_count;
	struct cache_entry *told[COMPOSE_TOLD_MAX];
	unsigned told_count;
	bool caches;       /* what upstreams say is put into the cache */
	bool expired;      /* the deadline has passed */
	char asked[TEXT];  /* "192.0.2.1 www.example.; " */
	char answer[TEXT]; /* status, a line, and records */
	struct composition c;
	uint8_t buffer[MESSAGE_MAX];
};

static int setup(void **state)
{
	struct fixture *f = calloc(1, sizeof *f);

	f->model = model_start();
	f->settings = f->model->cache;
	f->cache = cache_new(1 << 20, &test_key);
	f->now_us = BEGIN;
	model_add_network(f->model, "hub", "10.10.0.0/16");
	model_add_network(f->model, "spoke", "10.20.0.0/16");
	model_add_resolver(f->model, "hub", "hub", NULL);
	model_add_resolver(f->model, "spoke", "spoke", NULL);
	*state = f;
	return 0;
}

static void forget_told(struct fixture *f)
{
	while (f->told_count)
		cache_entry_unref(f->told[--f->told_count]);
}

static int teardown(void **state)
{
	struct fixture *f = *state;

	forget_told(f);
	policy_free(f->policy);
	cache_free(f->cache);
	model_free(f->model);
	free(f);
	return 0;
}

static void attach(void *context, struct upstream *upstream)
{
	struct fixture *f = context;

	assert_true(f->target_count < TARGETS);
	upstream->target = &f->targets[f->target_count++];
	target_init(upstream->target, &upstream->source, &upstream->host, upstream->protocol);
}

static void compile(struct fixture *f)
{
	f->policy = model_compile(f->model, NULL);
	policy_each_upstream(f->policy, attach, f);
}

static void make_dark(struct fixture *f)
{
	for (unsigned i = 0; i < f->target_count; i++)
		target_on_unreachable(&f->targets[i], TARGET_ERROR_SILENCE, f->now_us);
}

static void says(struct fixture *f, const char *server, const char *name, unsigned rcode,
		 const char *records)
{
	assert_true(f->saying_count < SAYINGS);
	f->sayings[f->saying_count++] = (struct saying){server, name, rcode, records, false};
}

static void says_truncated(struct fixture *f, const char *server, const char *name,
			   const char *records)
{
	says(f, server, name, RCODE_NOERROR, records);
	f->sayings[f->saying_count - 1].truncated = true;
}

/* ---- being told ---- */

static const struct saying *find_saying(const struct fixture *f, const char *server,
					const char *name)
{
	for (unsigned i = 0; i < f->saying_count; i++)
		if (strcmp(f->sayings[i].server, server) == 0 &&
		    strcmp(f->sayings[i].name, name) == 0)
			return &f->sayings[i];
	fail_msg("%s was asked %s, and the test does not say what it says", server, name);
	return NULL;
}

/* The first upstream of the leg says it; SERVFAIL and REFUSED are its failure. */
static void tell(struct fixture *f)
{
	const struct upstream *upstream = &f->c.ask.leg->upstreams[0];
	char server[ADDRESS_TEXT_MAX], name[NAME_TEXT_MAX];
	const struct saying *saying = find_saying(f, address_print(&upstream->host.address, server),
						  name_to_text(&f->c.ask.name, name));
	const struct pending_key key = {f->c.ask.leg, &f->c.ask.name, f->c.request->type,
					f->c.request->dnssec_ok,
					(f->c.request->flags & FLAG_CD) != 0};
	struct ask_result result = {.outcome = ASK_ANSWERED, .upstream = upstream};
	uint8_t query[MESSAGE_UDP_MIN], wire[MESSAGE_MAX];
	size_t used = strlen(f->asked);

	snprintf(f->asked + used, sizeof f->asked - used, "%s%s %s", used ? "; " : "", server,
		 name);
	if (saying->rcode == RCODE_SERVFAIL || saying->rcode == RCODE_REFUSED) {
		result.outcome = ASK_FAILED;
		result.error = TARGET_ERROR_REFUSED;
	}
	if (saying->truncated)
		result.outcome = ASK_TRUNCATED;
	size_t length =
		request_write(query, 1, FLAG_RD, name, f->c.request->type, CLASS_IN, 0, false);
	result.length = reply_write(wire, query, length, saying->rcode, 0, saying->records);
	result.wire = wire;
	struct cache_entry *entry = reply_entry(&key, &result, &f->settings, &test_key, f->now_us);
	assert_non_null(entry);
	if (f->caches && reply_may_be_cached(entry))
		cache_put(f->cache, entry, f->now_us, f->settings.stale_max);
	assert_true(f->told_count < COMPOSE_TOLD_MAX);
	f->told[f->told_count++] = entry;
}

/* ---- asking ---- */

struct question {
	uint16_t flags;
	bool dnssec_ok, vnet;
};

static void finish(struct fixture *f, const struct request *request)
{
	struct composition *c = &f->c;
	const struct message_end end = {.rcode = c->rcode,
					.authoritative = c->authoritative,
					.truncated = c->truncated,
					.ede = EDE_NONE,
					.payload = 1232,
					.limit = MESSAGE_MAX};
	struct message_text text;
	size_t length = message_finish(&c->message, request, &end);

	assert_true(message_read_text(&text, c->message.wire, length));
	snprintf(f->answer, sizeof f->answer, "%s\n%s", text.status, text.records);
	message_text_release(&text);
}

/* Asks at the network (0: hub, 1: spoke); the answer is in f->answer, who was asked in f->asked. */
static void ask_with(struct fixture *f, uint32_t network, const char *qname, uint16_t type,
		     struct question how)
{
	uint8_t wire[MESSAGE_UDP_MIN];
	struct request request;
	struct name name;
	enum rcode rcode;
	size_t length =
		request_write(wire, 1, how.flags, qname, type, CLASS_IN, 1232, how.dnssec_ok);

	if (!f->policy)
		compile(f);
	assert_int_equal(message_read_request(&request, &name, &test_key, wire, length, &rcode),
			 REQUEST_FINE);
	forget_told(f);
	f->asked[0] = '\0';
	memset(&f->c, 0x5a, sizeof f->c); /* what compose is not given it must set */
	f->c.policy = f->policy;
	f->c.cache = f->cache;
	f->c.stale_max_s = f->settings.stale_max;
	f->c.now_us = f->now_us;
	f->c.request = &request;
	f->c.qname = &name;
	f->c.watch = NULL;
	f->c.told = f->told;
	f->c.expired = f->expired;
	do {
		f->c.told_count = f->told_count;
		if (compose(&f->c, (struct place){network, how.vnet}, f->buffer,
			    wire + MESSAGE_HEADER) == COMPOSED) {
			finish(f, &request);
			return;
		}
		tell(f);
	} while (true);
}

static void ask(struct fixture *f, const char *qname, uint16_t type)
{
	ask_with(f, 0, qname, type, (struct question){.flags = FLAG_RD});
}

#define ANSWER(f, text) assert_string_equal((f)->answer, text)
#define ASKED(f, text)  assert_string_equal((f)->asked, text)
#define EDE(f, code, part)                                                                         \
	do {                                                                                       \
		assert_int_equal((f)->c.ede, code);                                                \
		if (!strstr((f)->c.ede_text, part))                                                \
			fail_msg("EDE text \"%s\" has no \"%s\"", (f)->c.ede_text, part);          \
	} while (0)

static void add_rule(struct fixture *f, const char *network, const char *domain,
		     const char *targets, bool follow)
{
	struct forwarding_ruleset *ruleset = NULL;

	for (size_t i = 0; i < f->model->rulesets.count; i++)
		if (strcmp(f->model->rulesets.items[i].name, network) == 0)
			ruleset = &f->model->rulesets.items[i];
	if (!ruleset)
		ruleset = model_add_ruleset(f->model, network,
					    strcmp(network, "hub") == 0 ? "hub/out" : "spoke/out",
					    network);
	model_add_rule(f->model, ruleset, domain, domain, targets)->follow_cname = follow;
}

/* ---- our own data ---- */

static void own_data_are_authoritative_and_nobody_is_asked(void **state)
{
	struct fixture *f = *state;

	model_add_zone(f->model, "corp.internal",
		       "@ 300 SOA ns admin 1 2 3 4 300\nwww 300 A 10.10.1.1\nwww 300 A 10.10.1.2\n",
		       "hub");
	ask(f, "www.corp.internal.", TYPE_A);
	ANSWER(f, "NOERROR aa\nanswer www.corp.internal. 300 IN A 10.10.1.1\n"
		  "answer www.corp.internal. 300 IN A 10.10.1.2\n");
	assert_true(f->c.used_own && !f->c.used_cache && !f->c.used_told);
	ask(f, "www.corp.internal.", TYPE_AAAA);
	ANSWER(f, "NOERROR aa\nauthority corp.internal. 300 IN SOA ns.corp.internal. "
		  "admin.corp.internal. 1 2 3 4 300\n");
	ask(f, "gone.corp.internal.", TYPE_A);
	ANSWER(f, "NXDOMAIN aa\nauthority corp.internal. 300 IN SOA ns.corp.internal. "
		  "admin.corp.internal. 1 2 3 4 300\n");
	ASKED(f, "");
}

static void a_chain_within_our_own_data_is_followed(void **state)
{
	struct fixture *f = *state;

	model_add_zone(f->model, "corp.internal", "www 300 CNAME app.other.internal.\n", "hub");
	model_add_zone(f->model, "other.internal",
		       "@ 60 SOA ns admin 1 2 3 4 60\napp 60 CNAME gone\n", "hub");
	ask(f, "www.corp.internal.", TYPE_A);
	ANSWER(f, "NXDOMAIN aa\nanswer www.corp.internal. 300 IN CNAME app.other.internal.\n"
		  "answer app.other.internal. 60 IN CNAME gone.other.internal.\n"
		  "authority other.internal. 60 IN SOA ns.other.internal. admin.other.internal. "
		  "1 2 3 4 60\n");
	ask(f, "www.corp.internal.", TYPE_CNAME);
	ANSWER(f, "NOERROR aa\nanswer www.corp.internal. 300 IN CNAME app.other.internal.\n");
}

static void a_dname_brings_its_cname(void **state)
{
	struct fixture *f = *state;

	model_add_zone(f->model, "corp.internal",
		       "old 300 DNAME new.corp.internal.\na.new 300 A 10.10.1.1\n", "hub");
	ask(f, "a.old.corp.internal.", TYPE_A);
	ANSWER(f, "NOERROR aa\nanswer old.corp.internal. 300 IN DNAME new.corp.internal.\n"
		  "answer a.old.corp.internal. 300 IN CNAME a.new.corp.internal.\n"
		  "answer a.new.corp.internal. 300 IN A 10.10.1.1\n");
	ask(f, "old.corp.internal.", TYPE_DNAME);
	ANSWER(f, "NOERROR aa\nanswer old.corp.internal. 300 IN DNAME new.corp.internal.\n");
}

static void a_dname_behind_a_cname_is_written_out(void **state)
{
	struct fixture *f = *state;

	model_add_zone(f->model, "corp.internal",
		       "www 300 CNAME a.old.corp.internal.\nold 300 DNAME new.corp.internal.\n"
		       "a.new 300 A 10.10.1.1\n",
		       "hub");
	ask(f, "www.corp.internal.", TYPE_A);
	ANSWER(f, "NOERROR aa\nanswer www.corp.internal. 300 IN CNAME a.old.corp.internal.\n"
		  "answer old.corp.internal. 300 IN DNAME new.corp.internal.\n"
		  "answer a.old.corp.internal. 300 IN CNAME a.new.corp.internal.\n"
		  "answer a.new.corp.internal. 300 IN A 10.10.1.1\n");
}

#define L50 "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa."

static void a_dname_whose_target_gets_too_long_is_yxdomain(void **state)
{
	struct fixture *f = *state;

	/* old.internal. has 14 bytes of wire, the target 51 * 3 + 1 = 154. */
	model_add_zone(f->model, "old.internal", "@ 300 DNAME " L50 L50 L50 "\n", "hub");
	model_add_default(f->model, "192.0.2.53");
	says(f, "192.0.2.53", L50 "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa." L50 L50 L50,
	     RCODE_NXDOMAIN, "");
	/* 51 + 50 + 154 is the most that there can be, one byte more is too much. */
	ask(f, L50 "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa.old.internal.", TYPE_A);
	assert_int_equal(f->c.rcode, RCODE_NXDOMAIN);
	ask(f, L50 L50 "old.internal.", TYPE_A);
	ANSWER(f, "YXDOMAIN aa\nanswer old.internal. 300 IN DNAME " L50 L50 L50 "\n");
	ASKED(f, "");
}

static void loops_in_our_own_data_are_cut(void **state)
{
	struct fixture *f = *state;

	model_add_zone(f->model, "corp.internal", "a 300 CNAME b\nb 300 CNAME A\nc 300 CNAME c\n",
		       "hub");
	ask(f, "a.corp.internal.", TYPE_A);
	ANSWER(f, "NOERROR aa\nanswer a.corp.internal. 300 IN CNAME b.corp.internal.\n"
		  "answer b.corp.internal. 300 IN CNAME A.corp.internal.\n");
	ask(f, "c.corp.internal.", TYPE_A);
	ANSWER(f, "NOERROR aa\nanswer c.corp.internal. 300 IN CNAME c.corp.internal.\n");
}

/* ---- chains across ---- */

static void a_chain_goes_from_own_data_to_a_rule_to_the_default(void **state)
{
	struct fixture *f = *state;

	model_add_zone(f->model, "corp.internal", "www 300 CNAME a.rule.example.\n", "hub");
	add_rule(f, "hub", "rule.example.", "192.0.2.1", false);
	model_add_default(f->model, "192.0.2.53");
	says(f, "192.0.2.1", "a.rule.example.", RCODE_NOERROR,
	     "answer a.rule.example. 60 IN CNAME b.public.example.");
	says(f, "192.0.2.53", "b.public.example.", RCODE_NOERROR,
	     "answer b.public.example. 50 IN A 192.0.2.99");
	ask(f, "www.corp.internal.", TYPE_A);
	ANSWER(f, "NOERROR aa\nanswer www.corp.internal. 300 IN CNAME a.rule.example.\n"
		  "answer a.rule.example. 60 IN CNAME b.public.example.\n"
		  "answer b.public.example. 50 IN A 192.0.2.99\n");
	ASKED(f, "192.0.2.1 a.rule.example.; 192.0.2.53 b.public.example.");
	assert_true(f->c.used_own && f->c.used_told);
}

static void the_default_resolvers_answer_is_cut_at_every_kind_of_decision(void **state)
{
	struct fixture *f = *state;
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
	add_rule(f, "hub", "rule.example.", "192.0.2.1", false);
	model_add_default(f->model, "192.0.2.53");
	model_add_address(f->model, "own", "198.51.100.10", "own", NULL);
	says(f, "192.0.2.1", "x.rule.example.", RCODE_NOERROR,
	     "answer x.rule.example. 60 IN A 192.0.2.77");
	for (size_t i = 0; i < 5; i++) {
		snprintf(records[i], sizeof records[i],
			 "answer %s 60 IN CNAME %s\nanswer %s 60 IN A 203.0.113.66\n", rows[i].name,
			 rows[i].target, rows[i].target);
		says(f, "192.0.2.53", rows[i].name, RCODE_NOERROR, records[i]);
		ask(f, rows[i].name, TYPE_A);
		snprintf(answer, sizeof answer, "NOERROR\nanswer %s 60 IN CNAME %s\n%s",
			 rows[i].name, rows[i].target, rows[i].rest);
		ANSWER(f, answer);
	}
}

static void the_questions_own_name_is_not_cut(void **state)
{
	struct fixture *f = *state;

	/* By redirection the default resolver answers a name that the zone decides. */
	model_add_zone(f->model, "privatelink.example", "here 300 A 10.10.1.1\n", "hub?");
	model_add_default(f->model, "192.0.2.53");
	says(f, "192.0.2.53", "x.privatelink.example.", RCODE_NOERROR,
	     "answer x.privatelink.example. 60 IN CNAME here.privatelink.example.\n"
	     "answer here.privatelink.example. 60 IN A 203.0.113.66\n");
	ask(f, "x.privatelink.example.", TYPE_A);
	ANSWER(f, "NOERROR\nanswer x.privatelink.example. 60 IN CNAME here.privatelink.example.\n"
		  "answer here.privatelink.example. 300 IN A 10.10.1.1\n");
}

static void of_two_aliases_of_one_name_the_first_is_followed(void **state)
{
	struct fixture *f = *state;

	model_add_zone(f->model, "zone.internal", "a 300 A 10.10.1.1\nb 300 A 10.10.1.2\n", "hub");
	model_add_default(f->model, "192.0.2.53");
	says(f, "192.0.2.53", "www.example.", RCODE_NOERROR,
	     "answer www.example. 60 IN CNAME a.zone.internal.\n"
	     "answer www.example. 60 IN CNAME b.zone.internal.\n");
	ask(f, "www.example.", TYPE_A);
	ANSWER(f, "NOERROR\nanswer www.example. 60 IN CNAME a.zone.internal.\n"
		  "answer www.example. 60 IN CNAME b.zone.internal.\n"
		  "answer a.zone.internal. 300 IN A 10.10.1.1\n");
}

/* Every owner points: to the question, or to the name in the rdata of the record before. */
static void owners_along_a_chain_are_compressed(void **state)
{
	struct fixture *f = *state;
	const size_t question = MESSAGE_HEADER + sizeof "\3www\7example" + 4;

	model_add_zone(f->model, "zone.internal", "a 300 CNAME b\nb 300 A 10.10.1.1\n", "hub");
	model_add_default(f->model, "192.0.2.53");
	says(f, "192.0.2.53", "www.example.", RCODE_NOERROR,
	     "answer www.example. 60 IN CNAME a.zone.internal.");
	ask(f, "www.example.", TYPE_A);
	assert_int_equal(f->c.message.counts[SECTION_ANSWER], 3);
	/* Three headers, two names of zone.internal and an address; then the OPT. */
	assert_int_equal(f->c.message.length,
			 question + 3 * 12 + 2 * sizeof "\1a\4zone\10internal" + 4 + 11);
}

static void a_rules_answer_with_data_is_final_and_follow_cname_cuts_it(void **state)
{
	static const char records[] = "answer %s 60 IN CNAME zone.internal.\n"
				      "answer zone.internal. 60 IN A 203.0.113.66\n";
	struct fixture *f = *state;
	char final[200], follow[200];

	model_add_zone(f->model, "zone.internal", "@ 300 A 10.10.1.1\n", "hub");
	add_rule(f, "hub", "final.example.", "192.0.2.1", false);
	add_rule(f, "hub", "follow.example.", "192.0.2.1", true);
	snprintf(final, sizeof final, records, "final.example.");
	snprintf(follow, sizeof follow, records, "follow.example.");
	says(f, "192.0.2.1", "final.example.", RCODE_NOERROR, final);
	says(f, "192.0.2.1", "follow.example.", RCODE_NOERROR, follow);
	ask(f, "final.example.", TYPE_A);
	ANSWER(f, "NOERROR\nanswer final.example. 60 IN CNAME zone.internal.\n"
		  "answer zone.internal. 60 IN A 203.0.113.66\n");
	ask(f, "follow.example.", TYPE_A);
	ANSWER(f, "NOERROR\nanswer follow.example. 60 IN CNAME zone.internal.\n"
		  "answer zone.internal. 300 IN A 10.10.1.1\n");
}

static void a_rules_chain_without_data_goes_on_where_a_zone_decides(void **state)
{
	struct fixture *f = *state;

	model_add_zone(f->model, "zone.internal", "@ 300 A 10.10.1.1\n", "hub");
	add_rule(f, "hub", "rule.example.", "192.0.2.1", false);
	says(f, "192.0.2.1", "rule.example.", RCODE_NXDOMAIN,
	     "answer rule.example. 60 IN CNAME b.rule.example.\n"
	     "answer b.rule.example. 60 IN CNAME zone.internal.\n"
	     "authority internal. 60 IN SOA ns. admin. 1 2 3 4 5\n");
	ask(f, "rule.example.", TYPE_A);
	ANSWER(f, "NOERROR\nanswer rule.example. 60 IN CNAME b.rule.example.\n"
		  "answer b.rule.example. 60 IN CNAME zone.internal.\n"
		  "answer zone.internal. 300 IN A 10.10.1.1\n");
	ASKED(f, "192.0.2.1 rule.example.");
}

static void a_hop_that_is_refused_makes_the_answer_servfail(void **state)
{
	struct fixture *f = *state;

	model_add_zone(f->model, "corp.internal", "www 300 CNAME out.example.\n", "hub");
	ask(f, "out.example.", TYPE_A); /* there is no default resolver */
	ANSWER(f, "REFUSED\n");
	EDE(f, EDE_NOT_READY, "no default resolver");
	ask(f, "www.corp.internal.", TYPE_A);
	ANSWER(f, "SERVFAIL\n");
	EDE(f, EDE_NOT_READY, "no default resolver");
	ask_with(f, 0, "www.corp.internal.", TYPE_A, (struct question){0});
	ANSWER(f, "NOERROR aa rd0\nanswer www.corp.internal. 300 IN CNAME out.example.\n");
}

static void a_chain_of_upstreams_leads_on_sixteen_times(void **state)
{
	struct fixture *f = *state;
	char names[40][40], records[40][100];

	add_rule(f, "hub", "even.example.", "192.0.2.1", false);
	add_rule(f, "hub", "odd.example.", "192.0.2.2", false);
	for (unsigned i = 0; i <= 18; i++)
		snprintf(names[i], sizeof names[i], "n%u.%s.example.", i, i % 2 ? "odd" : "even");
	for (unsigned i = 0; i < 18; i++) {
		snprintf(records[i], sizeof records[i], "answer %s 60 IN CNAME %s", names[i],
			 names[i + 1]);
		says(f, i % 2 ? "192.0.2.2" : "192.0.2.1", names[i], RCODE_NOERROR, records[i]);
	}
	says(f, "192.0.2.1", names[18], RCODE_NOERROR,
	     "answer n18.even.example. 60 IN A 192.0.2.9");
	ask(f, names[2], TYPE_A);
	assert_int_equal(f->c.rcode, RCODE_NOERROR);
	assert_int_equal(f->c.message.counts[SECTION_ANSWER], 17);
	ask(f, names[1], TYPE_A);
	ANSWER(f, "SERVFAIL\n");
	EDE(f, EDE_OTHER, "more than 16 times");
}

/* ---- the cache ---- */

static void what_is_cached_is_aged_and_composed_anew_for_each_network(void **state)
{
	struct fixture *f = *state;

	f->caches = true;
	model_add_zone(f->model, "zone.internal", "@ 300 A 10.20.1.1\n", "spoke");
	model_add_default(f->model, "192.0.2.53");
	says(f, "192.0.2.53", "a.example.", RCODE_NOERROR,
	     "answer a.example. 60 IN CNAME zone.internal.\n"
	     "answer zone.internal. 60 IN A 203.0.113.66\n");
	ask(f, "a.example.", TYPE_A);
	ASKED(f, "192.0.2.53 a.example.");
	f->now_us += 10 * S + S / 2;
	ask(f, "a.example.", TYPE_A);
	ANSWER(f, "NOERROR\nanswer a.example. 50 IN CNAME zone.internal.\n"
		  "answer zone.internal. 50 IN A 203.0.113.66\n");
	ASKED(f, "");
	assert_true(f->c.used_cache && !f->c.used_told);
	ask_with(f, 1, "a.example.", TYPE_A, (struct question){.flags = FLAG_RD});
	ANSWER(f, "NOERROR\nanswer a.example. 50 IN CNAME zone.internal.\n"
		  "answer zone.internal. 300 IN A 10.20.1.1\n");
	ASKED(f, "");
}

static void a_cached_failure_is_told_as_such(void **state)
{
	struct fixture *f = *state;

	f->caches = true;
	add_rule(f, "hub", "rule.example.", "192.0.2.1", false);
	says(f, "192.0.2.1", "a.rule.example.", RCODE_REFUSED, "");
	ask(f, "a.rule.example.", TYPE_A);
	ANSWER(f, "SERVFAIL\n");
	EDE(f, EDE_NO_REACHABLE_AUTHORITY, "ruleset hub, rule rule.example.: no target answered");
	ask(f, "a.rule.example.", TYPE_A);
	ASKED(f, "");
	ANSWER(f, "SERVFAIL\n");
	EDE(f, EDE_CACHED_ERROR, "192.0.2.1:53: REFUSED");
	f->now_us += FAILURE_TTL_US;
	ask(f, "a.rule.example.", TYPE_A);
	ASKED(f, "192.0.2.1 a.rule.example.");
}

static void make_stale(struct fixture *f)
{
	f->caches = true;
	f->settings.stale_max = 3600;
	model_add_default(f->model, "192.0.2.53");
	says(f, "192.0.2.53", "a.example.", RCODE_NOERROR, "answer a.example. 60 IN A 192.0.2.9");
	ask(f, "a.example.", TYPE_A);
	f->now_us += 100 * S;
	f->saying_count = 0;
}

static const char stale_answer[] = "NOERROR\nanswer a.example. 30 IN A 192.0.2.9\n";

static void stale_data_are_given_when_all_targets_have_failed(void **state)
{
	struct fixture *f = *state;

	make_stale(f);
	says(f, "192.0.2.53", "a.example.", RCODE_REFUSED, "");
	ask(f, "a.example.", TYPE_A);
	ASKED(f, "192.0.2.53 a.example.");
	ANSWER(f, stale_answer);
	EDE(f, EDE_STALE, "");
	assert_true(f->c.used_stale);
	/* The failure holds back the next question. */
	ask(f, "a.example.", TYPE_A);
	ASKED(f, "");
	ANSWER(f, stale_answer);
	assert_null(f->c.refresh.leg);
}

static void stale_data_are_given_at_once_in_the_dark_and_refreshed(void **state)
{
	struct fixture *f = *state;

	make_stale(f);
	make_dark(f);
	ask(f, "a.example.", TYPE_A);
	ASKED(f, "");
	ANSWER(f, stale_answer);
	assert_ptr_equal(f->c.refresh.leg, &f->policy->default_route->legs[0]);
	assert_true(f->c.refresh.may_wait);
}

static void stale_data_are_given_at_the_deadline_and_not_without_rd(void **state)
{
	struct fixture *f = *state;

	make_stale(f);
	f->expired = true;
	ask(f, "a.example.", TYPE_A);
	ANSWER(f, stale_answer);
	ask(f, "b.example.", TYPE_A);
	ANSWER(f, "SERVFAIL\n");
	EDE(f, EDE_NO_REACHABLE_AUTHORITY, "in time");
	f->expired = false;
	ask_with(f, 0, "a.example.", TYPE_A, (struct question){0});
	ANSWER(f, "REFUSED rd0\n");
	EDE(f, EDE_NOT_AUTHORITATIVE, "");
}

static void a_question_with_stale_data_does_not_wait_in_the_dark(void **state)
{
	struct fixture *f = *state;

	make_stale(f);
	says(f, "192.0.2.53", "a.example.", RCODE_NOERROR, "answer a.example. 60 IN A 192.0.2.8");
	ask(f, "a.example.", TYPE_A);
	assert_false(f->c.ask.may_wait);
	ANSWER(f, "NOERROR\nanswer a.example. 60 IN A 192.0.2.8\n");
	says(f, "192.0.2.53", "new.example.", RCODE_NOERROR,
	     "answer new.example. 60 IN A 192.0.2.7");
	ask(f, "new.example.", TYPE_A);
	assert_true(f->c.ask.may_wait);
}

/* ---- own endpoints ---- */

static void an_entered_endpoint_answers_as_its_network_and_with_its_aa(void **state)
{
	struct fixture *f = *state;

	model_add_zone(f->model, "spoke.internal", "www 300 A 10.20.1.1\n", "spoke");
	add_rule(f, "hub", "spoke.internal.", "10.20.0.4", false);
	add_rule(f, "hub", "pub.example.", "10.20.0.4", false);
	model_add_default(f->model, "192.0.2.53");
	ask(f, "www.spoke.internal.", TYPE_A);
	ANSWER(f, "NOERROR aa\nanswer www.spoke.internal. 300 IN A 10.20.1.1\n");
	says(f, "192.0.2.53", "a.pub.example.", RCODE_NXDOMAIN,
	     "authority example. 60 IN SOA ns. admin. 1 2 3 4 60");
	ask(f, "a.pub.example.", TYPE_A);
	ANSWER(f, "NXDOMAIN\nauthority example. 60 IN SOA ns. admin. 1 2 3 4 60\n");
}

static void an_entered_endpoints_custom_servers_are_not_consulted(void **state)
{
	struct fixture *f = *state;

	model_add_dns_server(model_network(f->model, "hub"), f->model, "10.20.0.4");
	model_add_dns_server(model_network(f->model, "spoke"), f->model, "192.0.2.7");
	model_add_zone(f->model, "spoke.internal", "www 300 A 10.20.1.1\n", "spoke");
	ask_with(f, 0, "www.spoke.internal.", TYPE_A,
		 (struct question){.flags = FLAG_RD, .vnet = true});
	ANSWER(f, "NOERROR aa\nanswer www.spoke.internal. 300 IN A 10.20.1.1\n");
	ASKED(f, "");
}

static void what_a_failed_entry_wrote_is_taken_back(void **state)
{
	struct fixture *f = *state;

	/* The entered network begins a chain of its own data that then fails. */
	model_add_zone(f->model, "spoke.internal", "www 300 CNAME bad.example.\n", "spoke");
	add_rule(f, "hub", "spoke.internal.", "10.20.0.4 192.0.2.1", false);
	model_add_default(f->model, "192.0.2.53");
	says(f, "192.0.2.53", "bad.example.", RCODE_SERVFAIL, "");
	says(f, "192.0.2.1", "www.spoke.internal.", RCODE_NOERROR,
	     "answer www.spoke.internal. 60 IN A 192.0.2.9");
	ask(f, "www.spoke.internal.", TYPE_A);
	ANSWER(f, "NOERROR\nanswer www.spoke.internal. 60 IN A 192.0.2.9\n");
	ASKED(f, "192.0.2.53 bad.example.; 192.0.2.1 www.spoke.internal.");
	assert_int_equal(f->c.ede, EDE_NONE);
}

static void aa_and_tc_are_those_of_the_leg_that_answered(void **state)
{
	struct fixture *f = *state;

	model_add_network(f->model, "third", "10.30.0.0/16");
	model_add_resolver(f->model, "third", "third", NULL);
	add_rule(f, "hub", "a.example.", "10.20.0.4 10.30.0.4", false);
	add_rule(f, "hub", "b.example.", "10.20.0.4 192.0.2.1", false);
	add_rule(f, "spoke", "example.", "192.0.2.2", false);
	model_add_default(f->model, "192.0.2.53");
	model_add_zone(f->model, "a.example", "@ 300 A 10.30.1.1\n", "third");
	/* The first leg's upstream begins a chain, which then fails. */
	says(f, "192.0.2.2", "a.example.", RCODE_NOERROR, "answer a.example. 60 IN CNAME bad.");
	says_truncated(f, "192.0.2.2", "b.example.", "answer b.example. 60 IN CNAME bad.");
	says(f, "192.0.2.53", "bad.", RCODE_SERVFAIL, "");
	says(f, "192.0.2.1", "b.example.", RCODE_NOERROR, "answer b.example. 60 IN A 192.0.2.9");
	ask(f, "a.example.", TYPE_A);
	ANSWER(f, "NOERROR aa\nanswer a.example. 300 IN A 10.30.1.1\n");
	ask(f, "b.example.", TYPE_A);
	ANSWER(f, "NOERROR\nanswer b.example. 60 IN A 192.0.2.9\n");
}

static void a_chain_that_ends_without_data_in_the_same_route_is_final(void **state)
{
	struct fixture *f = *state;

	add_rule(f, "hub", "example.", "192.0.2.1", false);
	says(f, "192.0.2.1", "nodata.example.", RCODE_NOERROR,
	     "answer nodata.example. 60 IN CNAME far.example.\n"
	     "authority example. 60 IN SOA ns. admin. 1 2 3 4 60\n");
	ask(f, "nodata.example.", TYPE_A);
	ANSWER(f, "NOERROR\nanswer nodata.example. 60 IN CNAME far.example.\n"
		  "authority example. 60 IN SOA ns. admin. 1 2 3 4 60\n");
	says_truncated(f, "192.0.2.1", "cut.example.",
		       "answer cut.example. 60 IN CNAME far.example.");
	ask(f, "cut.example.", TYPE_A);
	ANSWER(f, "NOERROR tc\nanswer cut.example. 60 IN CNAME far.example.\n");
	/* Without a SOA it may only have been left to us: the last name is asked for, once. */
	says(f, "192.0.2.1", "left.example.", RCODE_NOERROR,
	     "answer left.example. 60 IN CNAME far.example.");
	says(f, "192.0.2.1", "far.example.", RCODE_NOERROR,
	     "answer far.example. 60 IN CNAME farther.example.");
	ask(f, "left.example.", TYPE_A);
	ANSWER(f, "NOERROR\nanswer left.example. 60 IN CNAME far.example.\n"
		  "answer far.example. 60 IN CNAME farther.example.\n");
	ASKED(f, "192.0.2.1 left.example.; 192.0.2.1 far.example.");
}

static void only_what_has_no_leg_behind_it_may_wait_for_a_sign_of_life(void **state)
{
	struct fixture *f = *state;

	add_rule(f, "hub", "last.example.", "192.0.2.9 10.20.0.4", false);
	add_rule(f, "hub", "first.example.", "10.20.0.4 192.0.2.9", false);
	add_rule(f, "spoke", "example.", "192.0.2.1", false);
	says(f, "192.0.2.9", "last.example.", RCODE_SERVFAIL, "");
	says(f, "192.0.2.1", "last.example.", RCODE_NOERROR,
	     "answer last.example. 60 IN A 192.0.2.5");
	says(f, "192.0.2.1", "first.example.", RCODE_NOERROR,
	     "answer first.example. 60 IN A 192.0.2.5");
	ask(f, "last.example.", TYPE_A);
	assert_true(f->c.ask.may_wait);
	ask(f, "first.example.", TYPE_A);
	ASKED(f, "192.0.2.1 first.example.");
	assert_false(f->c.ask.may_wait);
}

static void a_leg_in_the_dark_is_passed_over_and_refreshed_where_another_follows(void **state)
{
	struct fixture *f = *state;

	add_rule(f, "hub", "example.", "10.20.0.4 192.0.2.9", false);
	add_rule(f, "spoke", "example.", "192.0.2.1", false);
	says(f, "192.0.2.9", "www.example.", RCODE_NOERROR,
	     "answer www.example. 60 IN A 192.0.2.5");
	compile(f);
	make_dark(f);
	ask(f, "www.example.", TYPE_A);
	ASKED(f, "192.0.2.9 www.example."); /* the last one is waited for */
	ANSWER(f, "NOERROR\nanswer www.example. 60 IN A 192.0.2.5\n");
	assert_ptr_equal(f->c.refresh.leg, &ruleset_rule(f->policy->rulesets[1], 0)->route.legs[0]);
}

static void a_forwarding_loop_is_named(void **state)
{
	struct fixture *f = *state;

	add_rule(f, "hub", "loop.example.", "10.20.0.4", false);
	add_rule(f, "spoke", "loop.example.", "10.10.0.4", false);
	add_rule(f, "hub", "self.example.", "10.10.0.4", false);
	ask(f, "a.loop.example.", TYPE_A);
	ANSWER(f, "SERVFAIL\n");
	EDE(f, EDE_OTHER, "forwarding loop: spoke/in -> hub/in -> spoke/in");
	ask(f, "a.self.example.", TYPE_A);
	ANSWER(f, "SERVFAIL\n");
	EDE(f, EDE_OTHER, "forwarding loop: hub/in -> hub/in");
}

static void a_loop_goes_to_the_next_target_where_there_is_one(void **state)
{
	struct fixture *f = *state;

	add_rule(f, "hub", "loop.example.", "10.10.0.4 192.0.2.1", false);
	says(f, "192.0.2.1", "a.loop.example.", RCODE_NOERROR,
	     "answer a.loop.example. 60 IN A 192.0.2.9");
	ask(f, "a.loop.example.", TYPE_A);
	ANSWER(f, "NOERROR\nanswer a.loop.example. 60 IN A 192.0.2.9\n");
}

/* ---- and the rest ---- */

static void any_is_never_forwarded(void **state)
{
	struct fixture *f = *state;

	model_add_default(f->model, "192.0.2.53");
	model_add_zone(f->model, "corp.internal", "www 300 CNAME out.example.\n@ 300 A 10.10.1.1\n",
		       "hub");
	ask(f, "www.example.", TYPE_ANY);
	ANSWER(f, "NOERROR\nanswer www.example. 3600 IN HINFO \"RFC8482\" \"\"\n");
	ask(f, "corp.internal.", TYPE_ANY);
	assert_true(f->c.authoritative);
	assert_int_equal(f->c.message.counts[SECTION_ANSWER], 1);
	ASKED(f, "");
}

static void a_stranger_is_refused(void **state)
{
	struct fixture *f = *state;

	model_add_default(f->model, "192.0.2.53");
	ask_with(f, NETWORK_NONE, "www.example.", TYPE_A,
		 (struct question){.flags = FLAG_RD, .vnet = true});
	ANSWER(f, "REFUSED\n");
	EDE(f, EDE_PROHIBITED, "no network");
}

static void do_and_cd_are_told_apart(void **state)
{
	struct fixture *f = *state;

	f->caches = true;
	model_add_default(f->model, "192.0.2.53");
	says(f, "192.0.2.53", "a.example.", RCODE_NOERROR, "answer a.example. 60 IN A 192.0.2.9");
	ask_with(f, 0, "a.example.", TYPE_A, (struct question){FLAG_RD, true, false});
	ASKED(f, "192.0.2.53 a.example.");
	ask_with(f, 0, "a.example.", TYPE_A, (struct question){FLAG_RD, false, false});
	ASKED(f, "192.0.2.53 a.example.");
	ask_with(f, 0, "a.example.", TYPE_A, (struct question){FLAG_RD | FLAG_CD, false, false});
	ASKED(f, "192.0.2.53 a.example.");
	ANSWER(f, "NOERROR cd\nanswer a.example. 60 IN A 192.0.2.9\n");
	ask_with(f, 0, "a.example.", TYPE_A, (struct question){FLAG_RD, true, false});
	ASKED(f, "");
}

static void the_signature_of_a_dname_stays_with_it_where_a_chain_is_cut(void **state)
{
	struct fixture *f = *state;

	model_add_zone(f->model, "zone.internal", "a 300 A 10.10.1.1\n", "hub");
	model_add_default(f->model, "192.0.2.53");
	says(f, "192.0.2.53", "a.old.example.", RCODE_NOERROR,
	     "answer old.example. 60 IN DNAME zone.internal.\n"
	     "answer old.example. 60 IN RRSIG DNAME 8 2 60 20300101000000 20200101000000 1 "
	     "example. AAAA\n"
	     "answer a.old.example. 60 IN CNAME a.zone.internal.\n"
	     "answer a.zone.internal. 60 IN A 203.0.113.66\n");
	ask_with(f, 0, "a.old.example.", TYPE_A, (struct question){FLAG_RD, true, false});
	ANSWER(f, "NOERROR\nanswer old.example. 60 IN DNAME zone.internal.\n"
		  "answer old.example. 60 IN RRSIG DNAME 8 2 60 20300101000000 20200101000000 1 "
		  "example. AAAA\n"
		  "answer a.old.example. 60 IN CNAME a.zone.internal.\n"
		  "answer a.zone.internal. 300 IN A 10.10.1.1\n");
}

int main(void)
{
#define TEST(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
	const struct CMUnitTest tests[] = {
		TEST(own_data_are_authoritative_and_nobody_is_asked),
		TEST(a_chain_within_our_own_data_is_followed),
		TEST(a_dname_brings_its_cname),
		TEST(a_dname_behind_a_cname_is_written_out),
		TEST(a_dname_whose_target_gets_too_long_is_yxdomain),
		TEST(loops_in_our_own_data_are_cut),
		TEST(a_chain_goes_from_own_data_to_a_rule_to_the_default),
		TEST(the_default_resolvers_answer_is_cut_at_every_kind_of_decision),
		TEST(the_questions_own_name_is_not_cut),
		TEST(of_two_aliases_of_one_name_the_first_is_followed),
		TEST(owners_along_a_chain_are_compressed),
		TEST(a_rules_answer_with_data_is_final_and_follow_cname_cuts_it),
		TEST(a_rules_chain_without_data_goes_on_where_a_zone_decides),
		TEST(a_hop_that_is_refused_makes_the_answer_servfail),
		TEST(a_chain_of_upstreams_leads_on_sixteen_times),
		TEST(what_is_cached_is_aged_and_composed_anew_for_each_network),
		TEST(a_cached_failure_is_told_as_such),
		TEST(stale_data_are_given_when_all_targets_have_failed),
		TEST(stale_data_are_given_at_once_in_the_dark_and_refreshed),
		TEST(stale_data_are_given_at_the_deadline_and_not_without_rd),
		TEST(a_question_with_stale_data_does_not_wait_in_the_dark),
		TEST(an_entered_endpoint_answers_as_its_network_and_with_its_aa),
		TEST(an_entered_endpoints_custom_servers_are_not_consulted),
		TEST(what_a_failed_entry_wrote_is_taken_back),
		TEST(aa_and_tc_are_those_of_the_leg_that_answered),
		TEST(a_chain_that_ends_without_data_in_the_same_route_is_final),
		TEST(only_what_has_no_leg_behind_it_may_wait_for_a_sign_of_life),
		TEST(a_leg_in_the_dark_is_passed_over_and_refreshed_where_another_follows),
		TEST(a_forwarding_loop_is_named),
		TEST(a_loop_goes_to_the_next_target_where_there_is_one),
		TEST(any_is_never_forwarded),
		TEST(a_stranger_is_refused),
		TEST(do_and_cd_are_told_apart),
		TEST(the_signature_of_a_dname_stays_with_it_where_a_chain_is_cut),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
