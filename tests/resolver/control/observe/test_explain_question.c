/* What explain is asked in texts: what is refused and with which advice, where a question arrives,
 * and who is said to ask it. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "resolver/control/observe/explain_question.h"
#include "rules/base.h"
#include "rules/zone/record.h"
#include "tests/lib/json_at.h"
#include "tests/lib/model_builder.h"

struct world {
	struct model *model;
	struct policy *policy;
	struct explain_question question;
	char error[EXPLAIN_ERROR_MAX];
};

static int set_up(void **state)
{
	struct world *w = calloc(1, sizeof *w);

	w->model = model_start();
	model_add_network(w->model, "hub", "10.10.0.0/16");
	model_add_network(w->model, "spoke", "10.20.0.0/16");
	model_add_client_prefix(model_add_network(w->model, "part", "10.30.0.0/16"), w->model,
				"10.10.128.0/17");
	model_add_resolver(w->model, "r", "hub", NULL);
	w->policy = model_compile(w->model, NULL);
	*state = w;
	return 0;
}

static int tear_down(void **state)
{
	struct world *w = *state;

	policy_free(w->policy);
	model_free(w->model);
	free(w);
	return 0;
}

static int read_question(struct world *w, struct explain_texts texts)
{
	texts.dash = "--";
	if (!texts.name)
		texts.name = "www.example";
	return explain_question_read(&w->question, &texts, &test_key, w->error);
}

/* It can be read; what comes of its place. */
static int place(struct world *w, struct explain_texts texts, struct place *at)
{
	assert_int_equal(read_question(w, texts), 0);
	return explain_question_place(&w->question, w->policy, at, w->error);
}

static void what_does_not_fit_is_refused_with_what_is_wrong(void **state)
{
	static const struct {
		struct explain_texts texts;
		const char *says;
	} rows[] = {
		{{.vnet = "hub", .endpoint = "r/in"}, "--vnet and --endpoint exclude each other"},
		{{.vnet = "hub", .from = "10.0.0.1"}, "--vnet and --from exclude each other"},
		{{.from = "10.0.0"}, "\"10.0.0\" is not an address"},
		{{.type = "WWW"}, "\"WWW\" is not a record type"},
		{{.type = "AXFR"}, "AXFR is not resolved: it is not data"},
		{{.name = "a..b"}, "\"a..b\" is not a domain name"},
	};
	struct world *w = *state;

	for (size_t i = 0; i < COUNT(rows); i++) {
		assert_int_equal(read_question(w, rows[i].texts), ERR_INVALID);
		assert_string_equal(w->error, rows[i].says);
	}
	assert_int_equal(read_question(w, (struct explain_texts){.type = "mx"}), 0);
	assert_int_equal(w->question.type, TYPE_MX);
}

static void it_arrives_where_it_says(void **state)
{
	static const struct {
		struct explain_texts texts;
		const char *network;
		bool vnet_resolver;
	} rows[] = {
		{{.vnet = "spoke"}, "spoke", true},
		{{.endpoint = "r/in"}, "hub", false},
		{{.endpoint = "r/in", .from = "10.20.0.9"}, "hub", false},
		{{.from = "10.20.0.9"}, "spoke", true},
		{{.from = "10.10.200.9"}, "part", true},
		{{.from = "192.0.2.9"}, NULL, true},
	};
	struct world *w = *state;
	struct place at;

	for (size_t i = 0; i < COUNT(rows); i++) {
		assert_int_equal(place(w, rows[i].texts, &at), 0);
		assert_int_equal(at.vnet_resolver, rows[i].vnet_resolver);
		if (rows[i].network)
			assert_string_equal(w->policy->networks[at.network].name, rows[i].network);
		else
			assert_int_equal(at.network, NETWORK_NONE);
	}
}

static void what_there_is_not_is_refused_with_what_there_is(void **state)
{
	struct world *w = *state;
	struct place at;

	assert_int_equal(place(w, (struct explain_texts){.vnet = "hup"}, &at), ERR_NOT_FOUND);
	assert_string_equal(w->error,
			    "there is no virtual network \"hup\"; there is: hub, spoke, part");
	assert_int_equal(place(w, (struct explain_texts){.endpoint = "in"}, &at), ERR_NOT_FOUND);
	assert_string_equal(w->error,
			    "there is no inbound endpoint \"in\"; give RESOLVER/ENDPOINT: r/in");
	assert_int_equal(place(w, (struct explain_texts){.vnet = NULL}, &at), ERR_INVALID);
	assert_string_equal(w->error, "say where it is asked: --vnet, --endpoint or --from; "
				      "the networks are hub, spoke, part");
}

static void the_only_network_need_not_be_named(void **state)
{
	struct world *w = *state;
	struct model *model = model_start();
	struct policy *policy;
	struct place at;

	model_add_network(model, "home", "10.0.0.0/24");
	policy = model_compile(model, NULL);
	assert_int_equal(read_question(w, (struct explain_texts){.vnet = NULL}), 0);
	assert_int_equal(explain_question_place(&w->question, policy, &at, w->error), 0);
	assert_int_equal(at.network, 0);
	policy_free(policy);
	model_free(model);
}

/* Of an endpoint without `allow`: private addresses and all networks. */
static void an_endpoint_turns_away_who_is_not_allowed(void **state)
{
	struct world *w = *state;
	struct place at;

	assert_int_equal(
		place(w, (struct explain_texts){.endpoint = "r/in", .from = "192.0.2.9"}, &at), 0);
	assert_true(explain_question_is_denied(&w->question, w->policy));
	assert_int_equal(
		place(w, (struct explain_texts){.endpoint = "r/in", .from = "10.20.0.9"}, &at), 0);
	assert_false(explain_question_is_denied(&w->question, w->policy));
	assert_int_equal(place(w, (struct explain_texts){.from = "192.0.2.9"}, &at), 0);
	assert_false(explain_question_is_denied(&w->question, w->policy));
}

static void who_asks_is_told(void **state)
{
	static const struct {
		struct explain_texts texts;
		const char *says;
	} rows[] = {
		{{.vnet = "hub"}, "{}"},
		{{.endpoint = "r/in"}, "{\"endpoint\":\"r/in\"}"},
		{{.endpoint = "r/in", .from = "192.0.2.9"},
		 "{\"endpoint\":\"r/in\",\"from\":{\"address\":\"192.0.2.9\",\"allowed\":false}}"},
		{{.from = "10.10.200.9"},
		 "{\"from\":{\"address\":\"10.10.200.9\",\"prefix\":\"10.10.128.0/17\","
		 "\"shorter\":[{\"prefix\":\"10.10.0.0/16\",\"network\":\"hub\"}]}}"},
		{{.from = "192.0.2.9"},
		 "{\"from\":{\"address\":\"192.0.2.9\",\"prefix\":null,\"shorter\":[]}}"},
	};
	struct world *w = *state;

	for (size_t i = 0; i < COUNT(rows); i++) {
		json_t *explained = json_object();

		assert_int_equal(read_question(w, rows[i].texts), 0);
		explain_question_add_asker(&w->question, w->policy, explained);
		assert_string_equal(json_at(explained, ""), rows[i].says);
		json_decref(explained);
	}
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
	const struct CMUnitTest tests[] = {
		TEST(what_does_not_fit_is_refused_with_what_is_wrong),
		TEST(it_arrives_where_it_says),
		TEST(what_there_is_not_is_refused_with_what_there_is),
		TEST(the_only_network_need_not_be_named),
		TEST(an_endpoint_turns_away_who_is_not_allowed),
		TEST(who_asks_is_told),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
