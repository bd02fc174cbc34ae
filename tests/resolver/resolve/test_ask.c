/* Questions of our own: they are answered as clients' are, outside all networks or inside one, and
 * end exactly once. The resolver is the real one, on a stage where time stands still. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "resolver/resolve/ask.h"
#include "tests/lib/message_text.h"
#include "tests/lib/model_builder.h"
#include "tests/lib/stage.h"

enum { MS = 1000, S = 1000 * 1000, POOL = 8, PATIENCE = 3 * S };

struct asked {
	unsigned ends;
	struct ask_answer answer;
	char text[4096]; /* status, a line, and records */
};

struct fixture {
	struct model *model;
	struct stage *stage;
	struct query_pool pool;
	struct ask_caller caller;
	struct ask_answerer
		answerer; /* on the same thread: what it sends back is collected at once */
};

static void on_wake(void *context)
{
	struct fixture *f = context;

	ask_caller_collect(&f->caller);
}

static int setup(void **state)
{
	struct fixture *f = calloc(1, sizeof *f);

	f->model = model_start();
	model_add_network(f->model, "hub", "10.10.0.0/16");
	model_add_resolver(f->model, "hub", "hub", NULL);
	f->stage = stage_new();
	query_pool_init(&f->pool, POOL);
	f->answerer = (struct ask_answerer){.resolver = &f->stage->resolver,
					    .pool = &f->pool,
					    .caller = &f->caller,
					    .wake = on_wake,
					    .context = f};
	*state = f;
	return f->stage ? 0 : -1;
}

static int teardown(void **state)
{
	struct fixture *f = *state;

	stage_free(f->stage);
	query_pool_release(&f->pool); /* asserts that every query came back */
	model_free(f->model);
	free(f);
	return 0;
}

static void load(struct fixture *f)
{
	model_place_endpoints(f->model);
	assert_true(stage_load(f->stage, f->model));
}

static void on_answer(void *context, const struct ask_answer *answer)
{
	struct asked *asked = context;
	struct message_text text;

	asked->ends++;
	asked->answer = *answer;
	if (!answer->length)
		return;
	assert_true(message_read_text(&text, answer->wire, answer->length));
	snprintf(asked->text, sizeof asked->text, "%s\n%s", text.status, text.records);
	message_text_release(&text);
}

static void ask_for(struct fixture *f, struct asked *asked, const char *text, const char *network,
		    uint64_t patience_us)
{
	struct name name = test_name(text);
	const struct ask_question question = {
		.name = &name, .type = TYPE_A, .network = network, .patience_us = patience_us};
	struct ask_call *call;

	memset(asked, 0, sizeof *asked);
	assert_int_equal(ask_caller_begin(&f->caller, &question, on_answer, asked, &call), 0);
	ask_answerer_post(&f->answerer, call);
	ask_answerer_work(&f->answerer, &f->stage->hold->hold, f->stage->now_us);
}

static void ask(struct fixture *f, struct asked *asked, const char *text, const char *network)
{
	ask_for(f, asked, text, network, PATIENCE);
}

/* The newest question that went out must be this one, and is answered so. */
static void says(struct fixture *f, const char *question, unsigned rcode, const char *records)
{
	struct stage_packet *last = f->stage->packets;
	struct message_text asked;
	uint8_t wire[MESSAGE_MAX];

	assert_non_null(last);
	while (last->next)
		last = last->next;
	assert_true(message_read_text(&asked, last->wire, last->length));
	assert_string_equal(asked.question, question);
	message_text_release(&asked);
	size_t length = reply_write(wire, last->wire, last->length, rcode, 0, records);
	assert_true(lookup_on_reply(&f->stage->lookups, last, &last->peer, wire, length,
				    f->stage->now_us));
}

static void assert_answered(const struct asked *asked, const char *text)
{
	assert_int_equal(asked->ends, 1);
	assert_int_equal(asked->answer.end, ASK_END_ANSWERED);
	assert_string_equal(asked->text, text);
}

/* ---- who answers ---- */

/* What the world says of a name of ours, and not what we do. */
static void outside_only_the_default_resolver_is_asked(void **state)
{
	struct fixture *f = *state;
	struct name name = test_name("10.100.51.198.in-addr.arpa.");
	struct ask_question question = {
		.name = &name, .type = TYPE_A, .outside = true, .patience_us = PATIENCE};
	struct asked asked = {0};
	struct ask_call *call;

	model_add_pool(f->model, "public", "198.51.100.0/24");
	model_add_default(f->model, "192.0.2.53");
	load(f);
	assert_int_equal(ask_caller_begin(&f->caller, &question, on_answer, &asked, &call), 0);
	ask_answerer_post(&f->answerer, call);
	ask_answerer_work(&f->answerer, &f->stage->hold->hold, f->stage->now_us);
	assert_int_equal(asked.ends, 0);
	says(f, "10.100.51.198.in-addr.arpa. A", RCODE_NXDOMAIN, "");
	assert_int_equal(asked.ends, 1);
	assert_int_equal(asked.answer.rcode, RCODE_NXDOMAIN);
	/* We say so ourselves, of a name that nothing has. */
	ask(f, &asked, "10.100.51.198.in-addr.arpa.", NULL);
	assert_int_equal(asked.ends, 1);
}

static void a_forwarded_answer_comes_as_a_client_would_get_it(void **state)
{
	struct fixture *f = *state;
	struct asked asked;

	model_add_default(f->model, "192.0.2.53");
	load(f);
	ask(f, &asked, "www.example.", NULL);
	assert_int_equal(asked.ends, 0);
	says(f, "www.example. A", RCODE_NOERROR, "answer www.example. 60 IN A 192.0.2.9");
	assert_answered(&asked, "NOERROR\nanswer www.example. 60 IN A 192.0.2.9\n");
	assert_int_equal(asked.answer.rcode, RCODE_NOERROR);
	assert_int_equal(asked.answer.ede, EDE_NONE);
	ask(f, &asked, "www.example.", NULL); /* the cache has it */
	assert_answered(&asked, "NOERROR\nanswer www.example. 60 IN A 192.0.2.9\n");
	assert_int_equal(stage_stats(f->stage)->queries, 0);
	assert_int_equal(stage_stats(f->stage)->answered_cache, 0);
	assert_int_equal(f->stage->stats.queries_own, 2);
}

static void outside_all_networks_zones_and_rules_have_no_say(void **state)
{
	struct fixture *f = *state;
	struct forwarding_ruleset *ruleset;
	struct asked outside, inside;

	model_add_zone(f->model, "claimed.example", "www 300 A 10.10.1.1\n", "hub");
	ruleset = model_add_ruleset(f->model, "rules", "hub/out", "hub");
	model_add_rule(f->model, ruleset, "all", ".", "192.0.2.1");
	model_add_default(f->model, "192.0.2.53");
	load(f);
	ask(f, &inside, "www.claimed.example.", "hub");
	assert_answered(&inside, "NOERROR aa\nanswer www.claimed.example. 300 IN A 10.10.1.1\n");
	ask(f, &outside, "www.claimed.example.", NULL);
	says(f, "www.claimed.example. A", RCODE_NXDOMAIN,
	     "authority example. 60 IN SOA ns. admin. 1 2 3 4 60");
	assert_answered(&outside, "NXDOMAIN\nauthority example. 60 IN SOA ns. admin. 1 2 3 4 60\n");
	assert_int_equal(outside.answer.rcode, RCODE_NXDOMAIN);
	ask(f, &inside, "other.example.", "hub");
	says(f, "other.example. A", RCODE_NOERROR, "answer other.example. 60 IN A 192.0.2.7");
	ask(f, &outside, "other.example.", NULL); /* another route's answer is not for it */
	assert_int_equal(outside.ends, 0);
	says(f, "other.example. A", RCODE_NOERROR, "answer other.example. 60 IN A 192.0.2.8");
	assert_answered(&outside, "NOERROR\nanswer other.example. 60 IN A 192.0.2.8\n");
}

/* What step (4) has before the default resolver. */
static void our_own_names_and_special_ones_answer_outside_all_networks(void **state)
{
	struct fixture *f = *state;
	struct asked asked;

	model_add_default(f->model, "192.0.2.53");
	model_add_pool(f->model, "public", "198.51.100.0/24");
	model_add_address(f->model, "PublicIp", "198.51.100.10", "contosoapp1", NULL);
	load(f);
	ask(f, &asked, "contosoapp1.westeurope.cloudapp.azure.com.", NULL);
	assert_answered(&asked,
			"NOERROR aa\nanswer contosoapp1.westeurope.cloudapp.azure.com. 3600 "
			"IN A 198.51.100.10\n");
	ask(f, &asked, "gone.invalid.", NULL);
	assert_int_equal(asked.answer.rcode, RCODE_NXDOMAIN);
	assert_null(f->stage->packets);
}

static void a_chain_is_followed_to_its_end(void **state)
{
	struct fixture *f = *state;
	struct asked asked;

	model_add_default(f->model, "192.0.2.53");
	model_add_zone(f->model, "own.test", "www 300 CNAME a.example.\n", "hub");
	model_add_pool(f->model, "public", "198.51.100.0/24");
	model_add_address(f->model, "PublicIp", "198.51.100.10", "app", NULL);
	load(f);
	ask(f, &asked, "www.own.test.", "hub");
	says(f, "a.example. A", RCODE_NOERROR,
	     "answer a.example. 60 IN CNAME b.example.\nanswer b.example. 60 IN A 192.0.2.9");
	assert_answered(&asked, "NOERROR aa\nanswer www.own.test. 300 IN CNAME a.example.\n"
				"answer a.example. 60 IN CNAME b.example.\n"
				"answer b.example. 60 IN A 192.0.2.9\n");
	ask(f, &asked, "c.example.", NULL); /* what others say of our own names does not count */
	says(f, "c.example. A", RCODE_NOERROR,
	     "answer c.example. 60 IN CNAME app.westeurope.cloudapp.azure.com.\n"
	     "answer app.westeurope.cloudapp.azure.com. 60 IN A 192.0.2.66");
	assert_answered(
		&asked,
		"NOERROR\nanswer c.example. 60 IN CNAME app.westeurope.cloudapp.azure.com.\n"
		"answer app.westeurope.cloudapp.azure.com. 3600 IN A 198.51.100.10\n");
}

static void an_endpoint_of_ours_is_not_entered_from_outside_all_networks(void **state)
{
	struct fixture *f = *state;
	struct asked asked;

	model_add_zone(f->model, "claimed.example", "www 300 A 10.10.1.1\n", "hub");
	model_add_default(f->model, "10.10.0.4");
	load(f);
	ask(f, &asked, "www.claimed.example.", NULL);
	assert_answered(&asked, "SERVFAIL\n");
	assert_int_equal(asked.answer.ede, EDE_OTHER);
	assert_non_null(strstr(asked.answer.ede_text, "our own endpoint hub/in"));
}

/* ---- ends ---- */

static void an_error_brings_its_reason(void **state)
{
	struct fixture *f = *state;
	struct asked asked;

	load(f);
	ask(f, &asked, "www.example.", NULL);
	assert_answered(&asked, "REFUSED\n");
	assert_int_equal(asked.answer.ede, EDE_NOT_READY);
	assert_string_equal(asked.answer.ede_text, "there is no default resolver");
	model_add_default(f->model, "192.0.2.53");
	load(f);
	ask(f, &asked, "www.example.", NULL);
	says(f, "www.example. A", RCODE_REFUSED, "");
	assert_answered(&asked, "SERVFAIL\n");
	assert_int_equal(asked.answer.rcode, RCODE_SERVFAIL);
	assert_int_equal(asked.answer.ede, EDE_NO_REACHABLE_AUTHORITY);
	assert_non_null(strstr(asked.answer.ede_text, "192.0.2.53"));
}

static void a_deadline_ends_it_and_frees_what_it_held(void **state)
{
	struct fixture *f = *state;
	struct asked asked;

	model_add_default(f->model, "192.0.2.53");
	load(f);
	ask(f, &asked, "www.example.", NULL);
	stage_pass(f->stage, PATIENCE - MS);
	assert_int_equal(asked.ends, 0);
	stage_pass(f->stage, 3 * MS);
	assert_int_equal(asked.ends, 1);
	assert_int_equal(asked.answer.end, ASK_END_LATE);
	assert_int_equal(asked.answer.length, 0);
	assert_int_equal(f->pool.in_use, 0);
	assert_int_equal(f->stage->lookups.lookup_count, 0);
	ask_for(f, &asked, "www.example.", NULL, 10ULL * S); /* no query waits for longer */
	stage_pass(f->stage, RESOLVE_DEADLINE_US + 2 * MS);
	assert_answered(&asked, "SERVFAIL\n");
	stage_pass(f->stage, 10ULL * S);
	assert_int_equal(asked.ends, 1);
}

static void a_client_with_the_same_question_goes_on_waiting_when_ours_has_ended(void **state)
{
	static uint8_t wire[MESSAGE_UDP_MIN];
	struct fixture *f = *state;
	struct asked asked, other;

	model_add_default(f->model, "192.0.2.53");
	load(f);
	ask_for(f, &asked, "www.example.", NULL, 10 * MS);
	ask(f, &other, "www.example.", NULL);
	size_t length =
		request_write(wire, 1, FLAG_RD, "www.example.", TYPE_A, CLASS_IN, 1232, false);
	struct stage_client *client =
		stage_ask(f->stage, "client", (struct place){0, false}, wire, length, false);
	assert_null(f->stage->packets->next); /* one question for all three */
	stage_pass(f->stage, 12 * MS);
	assert_int_equal(asked.answer.end, ASK_END_LATE);
	says(f, "www.example. A", RCODE_NOERROR, "answer www.example. 60 IN A 192.0.2.9");
	assert_int_equal(client->answers, 1);
	assert_int_equal(asked.ends, 1);
	assert_int_equal(other.ends, 1);
	assert_int_equal(other.answer.end, ASK_END_ANSWERED);
}

static void those_that_wait_when_the_worker_ends_are_abandoned(void **state)
{
	struct fixture *f = *state;
	struct asked asked[2];

	model_add_default(f->model, "192.0.2.53");
	load(f);
	ask(f, &asked[0], "a.example.", NULL);
	ask(f, &asked[1], "b.example.", "hub");
	resolver_abandon(&f->stage->resolver);
	for (unsigned i = 0; i < 2; i++) {
		assert_int_equal(asked[i].ends, 1);
		assert_int_equal(asked[i].answer.end, ASK_END_ABANDONED);
	}
	assert_int_equal(f->pool.in_use, 0);
}

static void what_cannot_be_asked_ends_at_once(void **state)
{
	struct fixture *f = *state;
	struct asked asked[POOL + 1];
	char name[32];

	model_add_default(f->model, "192.0.2.53");
	load(f);
	ask(f, &asked[0], "www.example.", "spoke");
	assert_int_equal(asked[0].ends, 1);
	assert_int_equal(asked[0].answer.end, ASK_END_NO_NETWORK);
	for (unsigned i = 0; i <= POOL; i++) {
		snprintf(name, sizeof name, "n%u.example.", i);
		ask(f, &asked[i], name, NULL);
		assert_int_equal(asked[i].ends, i == POOL);
	}
	assert_int_equal(asked[POOL].answer.end, ASK_END_OVERLOAD);
	resolver_abandon(&f->stage->resolver);
}

static void an_ask_keeps_the_policy_it_began_with(void **state)
{
	struct fixture *f = *state;
	struct asked asked, other;

	model_add_default(f->model, "192.0.2.53");
	load(f);
	struct policy_hold *before = &f->stage->hold->hold;
	ask(f, &asked, "a.example.", NULL);
	ask(f, &other, "b.example.", NULL);
	policy_hold_take(before); /* so that it can be looked at */
	load(f);
	assert_int_equal(before->users, 7); /* twice query, question, packet; and this test */
	stage_pass(f->stage, PATIENCE + S); /* the packets are given up a little later */
	assert_int_equal(asked.answer.end, ASK_END_LATE);
	assert_int_equal(before->users, 1);
	policy_hold_give(before);
}

static void every_end_has_a_text(void **state)
{
	(void)state;
	char text[ASK_TROUBLE_MAX];

	for (enum ask_end end = ASK_END_ANSWERED + 1; end <= ASK_END_NO_MEMORY; end++) {
		const struct ask_answer answer = {.end = end};

		assert_true(strlen(ask_answer_trouble(&answer, text)) > 5);
	}
}

int main(void)
{
#define TEST(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
	const struct CMUnitTest tests[] = {
		TEST(outside_only_the_default_resolver_is_asked),
		TEST(a_forwarded_answer_comes_as_a_client_would_get_it),
		TEST(outside_all_networks_zones_and_rules_have_no_say),
		TEST(our_own_names_and_special_ones_answer_outside_all_networks),
		TEST(a_chain_is_followed_to_its_end),
		TEST(an_endpoint_of_ours_is_not_entered_from_outside_all_networks),
		TEST(an_error_brings_its_reason),
		TEST(a_deadline_ends_it_and_frees_what_it_held),
		TEST(a_client_with_the_same_question_goes_on_waiting_when_ours_has_ended),
		TEST(those_that_wait_when_the_worker_ends_are_abandoned),
		TEST(what_cannot_be_asked_ends_at_once),
		TEST(an_ask_keeps_the_policy_it_began_with),
		cmocka_unit_test(every_end_has_a_text),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
