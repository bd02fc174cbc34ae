/* What an explainer writes down of a question that is really asked: the real resolver on a stage,
 * where time stands still and targets say what they are told. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "resolver/control/observe/explainer.h"
#include "rules/base.h"
#include "tests/lib/explained.h"
#include "tests/lib/message_text.h"
#include "tests/lib/model_builder.h"
#include "tests/lib/stage.h"

enum { MS = 1000, S = 1000 * 1000 };

struct world {
	struct model *model;
	struct stage *stage;
	struct query_pool pool;
	struct ask_caller caller;
	struct ask_answerer answerer;
	struct explainer *explainer;
	struct ask_question question;
	struct name name;
	enum ask_end end;
	json_t *explained;
};

static void on_wake(void *context)
{
	struct world *w = context;

	ask_caller_collect(&w->caller);
}

static int set_up(void **state)
{
	struct world *w = calloc(1, sizeof *w);

	w->model = model_start();
	model_add_network(w->model, "hub", "10.10.0.0/16");
	model_add_network(w->model, "spoke", "10.20.0.0/16");
	model_add_resolver(w->model, "hub", "hub", NULL);
	w->stage = stage_new();
	query_pool_init(&w->pool, 4);
	w->answerer = (struct ask_answerer){.resolver = &w->stage->resolver,
					    .pool = &w->pool,
					    .caller = &w->caller,
					    .wake = on_wake,
					    .context = w};
	*state = w;
	return 0;
}

static int tear_down(void **state)
{
	struct world *w = *state;

	stage_free(w->stage);
	query_pool_release(&w->pool);
	model_free(w->model);
	json_decref(w->explained);
	free(w);
	return 0;
}

static void load(struct world *w)
{
	model_place_endpoints(w->model);
	assert_true(stage_load(w->stage, w->model));
}

static struct forwarding_ruleset *add_rules(struct world *w, const char *network)
{
	return model_add_ruleset(w->model, network, "hub/out", network);
}

static void on_answer(void *context, const struct ask_answer *answer)
{
	struct world *w = context;

	w->end = answer->end;
	if (answer->end == ASK_END_ANSWERED)
		w->explained =
			explainer_end(w->explainer, &w->name, w->question.type, answer, 1500);
	else
		explainer_free(w->explainer);
	w->explainer = NULL;
}

static void ask_as(struct world *w, const char *text, struct ask_question question)
{
	struct ask_call *call;

	json_decref(w->explained);
	w->explained = NULL;
	w->name = test_name(text);
	w->explainer = explainer_new(true);
	w->question = question;
	w->question.name = &w->name;
	w->question.patience_us = 8ULL * S;
	w->question.watch = explainer_watch(w->explainer);
	assert_int_equal(ask_caller_begin(&w->caller, &w->question, on_answer, w, &call), 0);
	ask_answerer_post(&w->answerer, call);
	ask_answerer_work(&w->answerer, &w->stage->hold->hold, w->stage->now_us);
}

static void ask_in(struct world *w, const char *text, uint16_t type, const char *network,
		   bool vnet_resolver)
{
	ask_as(w, text,
	       (struct ask_question){
		       .type = type, .network = network, .vnet_resolver = vnet_resolver});
}

static void ask(struct world *w, const char *text)
{
	ask_in(w, text, TYPE_A, "hub", true);
}

/* The newest packet is answered so, after 5 ms. */
static void says(struct world *w, unsigned rcode, unsigned flags, const char *records)
{
	struct stage_packet *last = w->stage->packets;
	uint8_t wire[MESSAGE_MAX];

	assert_non_null(last);
	while (last->next)
		last = last->next;
	stage_pass(w->stage, 5 * MS);
	size_t length =
		reply_write(wire, last->wire, last->length, rcode, (uint16_t)flags, records);
	assert_true(lookup_on_reply(&w->stage->lookups, last, &last->peer, wire, length,
				    w->stage->now_us));
}

static void assert_at(const struct world *w, const char *path, const char *expected)
{
	assert_explained(w->explained, path, expected);
}

static void a_target_s_answer_is_told_with_who_when_and_what(void **state)
{
	struct world *w = *state;

	model_add_rule(w->model, add_rules(w, "hub"), "rule", "rule.test.", "192.0.2.1");
	load(w);
	ask(w, "www.rule.test.");
	assert_null(w->explained);
	says(w, RCODE_NOERROR, 0,
	     "answer www.rule.test. 60 IN CNAME x.test.\nanswer x.test. 60 IN MX 10 mx.x.test.");
	assert_at(w, "network", "hub");
	assert_at(w, "role", "vnet_resolver");
	assert_at(w, "hops.0.trace.1.outcome", "matched");
	assert_at(w, "hops.0.asked.0.from", "target");
	assert_at(w, "hops.0.asked.0.host", "192.0.2.1:53");
	assert_at(w, "hops.0.asked.0.at_ms", "0.0");
	assert_at(w, "hops.0.asked.0.ms", "5.0");
	assert_at(w, "hops.0.asked.0.tries",
		  "[{\"host\":\"192.0.2.1:53\",\"protocol\":\"udp\",\"endpoint\":\"hub/"
		  "out\",\"source\":\"10.10.0.20\",\"at_ms\":0.0,\"ms\":5.0,\"end\":\"answered\","
		  "\"text\":\"NOERROR\",\"packets\":1}]");
	assert_at(w, "hops.0.records.0", "www.rule.test. 60 IN CNAME x.test.");
	assert_at(w, "answer.ms", "1.5");
	assert_at(w, "answer.flags", "[\"qr\",\"rd\",\"ra\"]");
	assert_at(w, "answer.ede", "null");
}

/* Of names in data that point to others. */
static void compressed_names_are_spelled_out(void **state)
{
	struct world *w = *state;

	model_add_default(w->model, "192.0.2.53");
	load(w);
	ask_in(w, "x.example.", TYPE_MX, "hub", false);
	says(w, RCODE_NOERROR, 0,
	     "answer x.example. 60 IN MX 10 mx.x.example.\nanswer x.example. 60 IN MX 20 "
	     "mx.x.example.");
	assert_at(w, "answer.records",
		  "[\"x.example. 60 IN MX 10 mx.x.example.\",\"x.example. 60 IN MX 20 "
		  "mx.x.example.\"]");
	assert_at(w, "hops.0.records.1", "x.example. 60 IN MX 20 mx.x.example.");
}

static void the_cache_s_is_told_with_its_age(void **state)
{
	struct world *w = *state;

	model_add_default(w->model, "192.0.2.53");
	load(w);
	ask(w, "x.example.");
	says(w, RCODE_NOERROR, 0, "answer x.example. 60 IN A 192.0.2.9");
	stage_pass(w->stage, 20ULL * S);
	ask(w, "x.example.");
	assert_at(w, "hops.0.asked.0.from", "cache");
	assert_at(w, "hops.0.asked.0.age_s", "20");
	assert_at(w, "hops.0.asked.0.ttl_s", "40");
	assert_at(w, "hops.0.asked.0.ms", "null");
	assert_at(w, "hops.0.records.0", "x.example. 40 IN A 192.0.2.9");
	ask_in(w, "x.example.", TYPE_ANY, "hub", true);
	assert_at(w, "hops.0.kind", "answer");
	assert_at(w, "hops.0.asked", "[]");
}

/* By this query; then by the one before. */
static void a_failure_names_each_target(void **state)
{
	struct world *w = *state;

	model_add_rule(w->model, add_rules(w, "hub"), "rule", "rule.test.", "192.0.2.1 192.0.2.2");
	load(w);
	ask(w, "www.rule.test.");
	says(w, RCODE_REFUSED, 0, "");
	says(w, RCODE_SERVFAIL, 0, "");
	assert_at(w, "rcode", "SERVFAIL");
	assert_at(w, "hops.0.rcode", "SERVFAIL");
	assert_at(w, "hops.0.asked.0.tries.0.text", "REFUSED");
	assert_at(w, "hops.0.asked.0.tries.1.host", "192.0.2.2:53");
	assert_at(w, "hops.0.asked.0.tries.1.at_ms", "5.0");
	assert_at(w, "hops.0.asked.0.failed", "no usable answer; last 192.0.2.2:53: SERVFAIL");
	assert_at(w, "answer.ede.code", "22");
	ask(w, "www.rule.test.");
	assert_at(w, "hops.0.asked.0.from", "cache");
	assert_at(w, "hops.0.asked.0.tries", "[]");
	assert_at(w, "answer.ede.code", "13");
}

static void silence_is_told_for_as_long_as_it_was_waited_for(void **state)
{
	struct world *w = *state;

	model_add_default(w->model, "192.0.2.53");
	load(w);
	ask(w, "x.example.");
	stage_pass(w->stage, 5ULL * S);
	assert_int_equal(w->end, ASK_END_ANSWERED);
	assert_at(w, "hops.0.asked.0.tries.0.end", "silent");
	assert_at(w, "hops.0.asked.0.tries.0.at_ms", "0.0");
	assert_true(strtod(json_at(w->explained, "hops.0.asked.0.tries.0.ms"), NULL) >= 4000);
}

/* What an endpoint that could not help had written is not taken for the next one's. */
static void a_leg_that_failed_leaves_no_records(void **state)
{
	struct world *w = *state;
	struct forwarding_ruleset *rules = add_rules(w, "spoke");

	model_add_rule(w->model, rules, "both", "corp.test.", "10.10.0.4 192.0.2.7");
	model_add_rule(w->model, add_rules(w, "hub"), "dead", "dead.test.", "192.0.2.1");
	model_add_zone(w->model, "corp.test", "www 300 CNAME x.dead.test.\n", "hub");
	load(w);
	ask_in(w, "www.corp.test.", TYPE_A, "spoke", true);
	says(w, RCODE_SERVFAIL, 0, "");
	says(w, RCODE_NOERROR, 0,
	     "answer www.corp.test. 60 IN A 192.0.2.10\nanswer www.corp.test. 60 IN A 192.0.2.11\n"
	     "answer www.corp.test. 60 IN A 192.0.2.12");
	assert_at(w, "hops.0.route.0.decision.rcode", "SERVFAIL");
	assert_at(w, "hops.0.route.0.decision.hops.0.records.0",
		  "www.corp.test. 300 IN CNAME x.dead.test.");
	assert_at(w, "hops.0.route.0.decision.hops.1.asked.0.tries.0.text", "SERVFAIL");
	assert_at(w, "hops.0.asked.0.leg", "1");
	assert_at(w, "hops.0.asked.0.at_ms", "5.0");
	assert_at(w, "hops.0.records",
		  "[\"www.corp.test. 60 IN A 192.0.2.10\",\"www.corp.test. 60 IN A "
		  "192.0.2.11\",\"www.corp.test. 60 IN A 192.0.2.12\"]");
	assert_at(w, "rcode", "NOERROR");
}

/* Nothing is at hand for it before the target has been silent for a while. */
static void an_old_answer_is_told_with_what_was_asked_first(void **state)
{
	struct world *w = *state;

	model_add_default(w->model, "192.0.2.53");
	w->model->cache.stale_max = 3600;
	load(w);
	ask(w, "x.example.");
	says(w, RCODE_NOERROR, 0, "answer x.example. 60 IN A 192.0.2.9");
	stage_pass(w->stage, 100ULL * S);
	ask(w, "x.example.");
	assert_null(w->explained);
	stage_pass(w->stage, 2ULL * S);
	assert_at(w, "hops.0.asked.1", "nothing");
	assert_at(w, "hops.0.asked.0.from", "stale");
	assert_at(w, "hops.0.asked.0.failed", "null");
	assert_at(w, "hops.0.asked.0.age_s", "100");
	assert_at(w, "hops.0.asked.0.tries.0.end", "silent");
	assert_at(w, "hops.0.records.0", "x.example. 30 IN A 192.0.2.9");
	assert_at(w, "answer.ede.code", "3");
}

/* It is shown as far as it went. */
static void a_question_that_is_turned_away_on_its_way(void **state)
{
	struct world *w = *state;

	model_add_rule(w->model, add_rules(w, "spoke"), "corp", "corp.test.", "10.10.0.4");
	model_add_zone(w->model, "corp.test", "www 300 CNAME x.test.\n", "hub");
	model_add_rule(w->model, add_rules(w, "hub"), "rule", "x.test.", "192.0.2.1");
	load(w);
	w->stage->lookups.lookup_max = 0;
	ask_in(w, "www.corp.test.", TYPE_A, "spoke", true);
	assert_at(w, "rcode", "SERVFAIL");
	assert_at(w, "answer.ede.text", "too many questions are under way");
	assert_at(w, "hops.0.rcode", "null");
	assert_at(w, "hops.0.route.0.decision.rcode", "null");
	assert_at(w, "hops.0.route.0.decision.hops.0.rcode", "NOERROR");
	assert_at(w, "hops.0.route.0.decision.hops.1.object", "rule");
	assert_at(w, "hops.0.route.0.decision.hops.1.asked", "[]");
}

static void of_many_records_a_hop_shows_the_first_hundred(void **state)
{
	struct world *w = *state;
	char *text = NULL;
	size_t length;
	FILE *out = open_memstream(&text, &length);

	for (unsigned i = 0; i < 120; i++)
		fprintf(out, "answer x.example. 60 IN A 192.0.2.%u\n", i);
	fclose(out);
	model_add_default(w->model, "192.0.2.53");
	load(w);
	ask(w, "x.example.");
	says(w, RCODE_NOERROR, 0, text);
	free(text);
	assert_at(w, "hops.0.records_left", "20");
	assert_int_equal(json_array_size(json_object_get(json_object_get(w->explained, "answer"),
							 "records")),
			 120);
}

static void who_is_in_no_network_is_refused(void **state)
{
	struct world *w = *state;
	struct ask_question stranger = {.type = TYPE_A};

	load(w);
	assert_int_equal(address_parse(&stranger.from, "203.0.113.9"), 0);
	ask_as(w, "x.example.", stranger);
	assert_at(w, "network", "null");
	assert_at(w, "rcode", "REFUSED");
	ask_in(w, "x.example.", TYPE_A, "gone", true);
	assert_int_equal(w->end, ASK_END_NO_NETWORK);
}

static void the_worker_s_end_leaves_nothing(void **state)
{
	struct world *w = *state;

	model_add_default(w->model, "192.0.2.53");
	load(w);
	ask(w, "x.example.");
	resolver_abandon(&w->stage->resolver);
	assert_int_equal(w->end, ASK_END_ABANDONED);
	assert_null(w->explainer);
}

static void a_policy_that_goes_meanwhile_is_not_looked_at(void **state)
{
	struct world *w = *state;

	model_add_rule(w->model, add_rules(w, "hub"), "rule", "rule.test.", "192.0.2.1");
	load(w);
	ask(w, "www.rule.test.");
	load(w);
	says(w, RCODE_NOERROR, 0, "answer www.rule.test. 60 IN A 192.0.2.9");
	assert_at(w, "hops.0.ruleset", "hub");
	assert_at(w, "hops.0.asked.0.host", "192.0.2.1:53");
}

static void the_printed_form_tells_the_same(void **state)
{
	struct world *w = *state;
	static const char *const parts[] = {
		"www.rule.test. A\n",
		"at 0.0 ms asked 192.0.2.1:53 by udp: REFUSED after 5.0 ms\n",
		"at 5.0 ms asked 192.0.2.2:53 by udp: NOERROR after 5.0 ms\n",
		"192.0.2.2:53 said NOERROR, after 10.0 ms\n",
		";; status: NOERROR, flags: qr rd ra; 1.5 ms\n",
		";; ANSWER SECTION:\n",
		"www.rule.test. 60 IN A 192.0.2.9\n",
	};
	char *text;

	model_add_rule(w->model, add_rules(w, "hub"), "rule", "rule.test.", "192.0.2.1 192.0.2.2");
	load(w);
	ask(w, "www.rule.test.");
	says(w, RCODE_REFUSED, 0, "");
	says(w, RCODE_NOERROR, 0,
	     "answer www.rule.test. 60 IN TXT \"a\\027[31mb\"\n"
	     "answer www.rule.test. 60 IN A 192.0.2.9");
	text = assert_printed(w->explained, parts, COUNT(parts));
	assert_null(strchr(text, '\033'));
	free(text);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
	const struct CMUnitTest tests[] = {
		TEST(a_target_s_answer_is_told_with_who_when_and_what),
		TEST(compressed_names_are_spelled_out),
		TEST(the_cache_s_is_told_with_its_age),
		TEST(a_failure_names_each_target),
		TEST(silence_is_told_for_as_long_as_it_was_waited_for),
		TEST(a_leg_that_failed_leaves_no_records),
		TEST(an_old_answer_is_told_with_what_was_asked_first),
		TEST(a_question_that_is_turned_away_on_its_way),
		TEST(of_many_records_a_hop_shows_the_first_hundred),
		TEST(who_is_in_no_network_is_refused),
		TEST(the_worker_s_end_leaves_nothing),
		TEST(a_policy_that_goes_meanwhile_is_not_looked_at),
		TEST(the_printed_form_tells_the_same),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
