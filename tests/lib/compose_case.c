#include "tests/lib/compose_case.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include "resolver/resolve/reply.h"
#include "rules/text.h"
#include "tests/lib/each_upstream.h"
#include "tests/lib/message_text.h"

int case_setup(void **state)
{
	struct compose_case *f = calloc(1, sizeof *f);

	f->model = model_start();
	f->settings = f->model->cache;
	f->cache = cache_new(1 << 20);
	f->outcomes = outcomes_registry_new();
	f->now_us = BEGIN;
	model_add_network(f->model, "hub", "10.10.0.0/16");
	model_add_network(f->model, "spoke", "10.20.0.0/16");
	model_add_resolver(f->model, "hub", "hub", NULL);
	model_add_resolver(f->model, "spoke", "spoke", NULL);
	*state = f;
	return 0;
}

static void forget_told(struct compose_case *f)
{
	while (f->told_count)
		cache_entry_unref(f->told[--f->told_count]);
}

int case_teardown(void **state)
{
	struct compose_case *f = *state;

	forget_told(f);
	policy_free(f->policy);
	outcomes_registry_free(f->outcomes);
	cache_free(f->cache);
	model_free(f->model);
	free(f);
	return 0;
}

static void attach(void *context, struct upstream *upstream)
{
	struct compose_case *f = context;

	assert_true(f->target_count < TARGETS);
	upstream->target = &f->targets[f->target_count++];
	target_init(upstream->target, &upstream->source, &upstream->host, upstream->protocol);
}

static void attach_outcomes(void *context, const char *name, struct route *route)
{
	struct compose_case *f = context;

	route->outcomes = outcomes_acquire(f->outcomes, name);
}

void case_compile(struct compose_case *f)
{
	char name[POLICY_ROUTE_NAME];

	f->policy = model_compile(f->model, NULL);
	each_upstream(f->policy, attach, f);
	policy_each_own_route(f->policy, attach_outcomes, f);
	for (uint32_t i = 0; i < f->policy->ruleset_count; i++) {
		for (size_t r = 0; r < ruleset_rule_count(f->policy->rulesets[i]); r++) {
			struct rule *rule = ruleset_rule(f->policy->rulesets[i], r);

			attach_outcomes(f, policy_rule_name(rule, name), &rule->route);
		}
	}
}

void case_make_dark(struct compose_case *f)
{
	for (unsigned i = 0; i < f->target_count; i++)
		target_on_unreachable(&f->targets[i], TARGET_ERROR_SILENCE, f->now_us);
}

void case_says(struct compose_case *f, const char *server, const char *name, unsigned rcode,
	       const char *records)
{
	assert_true(f->saying_count < SAYINGS);
	f->sayings[f->saying_count++] = (struct saying){server, name, rcode, records, false};
}

void case_says_truncated(struct compose_case *f, const char *server, const char *name)
{
	case_says(f, server, name, RCODE_NOERROR, "");
	f->sayings[f->saying_count - 1].truncated = true;
}

/* ---- being told ---- */

static const struct saying *find_saying(const struct compose_case *f, const char *server,
					const char *name)
{
	for (unsigned i = 0; i < f->saying_count; i++)
		if (strcmp(f->sayings[i].server, server) == 0 &&
		    strcmp(f->sayings[i].name, name) == 0)
			return &f->sayings[i];
	fail_msg("%s was asked %s, and the test does not say what it says", server, name);
	return NULL;
}

/* The leg's first upstream answers; SERVFAIL and REFUSED are failures. */
static void tell(struct compose_case *f)
{
	const struct upstream *upstream = &f->c.ask.leg->upstreams[0];
	char server[ADDRESS_TEXT_MAX], name[NAME_TEXT_MAX];
	const struct saying *saying = find_saying(f, address_print(&upstream->host.address, server),
						  name_to_text(&f->c.ask.name, name));
	const struct lookup_key key = {f->c.ask.leg,
				       &f->c.ask.name,
				       f->c.request->type,
				       f->c.request->dnssec_ok,
				       (f->c.request->flags & FLAG_CD) != 0,
				       {0},
				       false};
	struct ask_result result = {.outcome = ASK_ANSWERED, .upstream = upstream};
	uint8_t query[MESSAGE_UDP_MIN], wire[MESSAGE_MAX], buffer[MESSAGE_MAX];

	text_append(f->asked, sizeof f->asked, "%s%s %s", *f->asked ? "; " : "", server, name);
	if (saying->rcode == RCODE_SERVFAIL || saying->rcode == RCODE_REFUSED) {
		result.outcome = ASK_FAILED;
		result.error = TARGET_ERROR_REFUSED;
		result.said = (struct ask_said){TARGET_ERROR_REFUSED, upstream};
	}
	if (saying->truncated) {
		result.outcome = ASK_TRUNCATED;
		result.said = (struct ask_said){TARGET_ERROR_TRUNCATED, upstream};
	}
	size_t length =
		request_write(query, 1, FLAG_RD, name, f->c.request->type, CLASS_IN, 0, false);
	result.length = reply_write(wire, query, length, saying->rcode, 0, saying->records);
	result.wire = wire;
	struct cache_entry *entry =
		reply_entry(&key, &result, &f->settings, &test_key, buffer, f->now_us);
	const struct cache_key cache_key = cache_key_of(&key);
	assert_non_null(entry);
	if (entry->failed)
		entry->error_by = 0;
	if (f->caches && reply_may_be_cached(entry))
		cache_put(f->cache, &cache_key, entry, f->now_us, f->settings.stale_max);
	assert_true(f->told_count < COMPOSE_TOLD_MAX);
	f->told[f->told_count++] = entry;
}

/* ---- asking ---- */

static void finish(struct compose_case *f, const struct request *request)
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

void case_ask_with(struct compose_case *f, uint32_t network, const char *qname, uint16_t type,
		   struct case_question how)
{
	uint8_t wire[MESSAGE_UDP_MIN];
	struct request request;
	struct name name;
	enum rcode rcode;
	size_t length =
		request_write(wire, 1, how.flags, qname, type, CLASS_IN, 1232, how.dnssec_ok);

	if (!f->policy)
		case_compile(f);
	assert_int_equal(message_read_request(&request, &name, &test_key, wire, length, &rcode),
			 REQUEST_FINE);
	forget_told(f);
	f->asked[0] = '\0';
	memset(&f->c, 0x5a, sizeof f->c); /* compose must set all members that it is not given */
	f->c.policy = f->policy;
	f->c.cache = f->cache;
	f->c.stale_max_s = f->settings.stale_max;
	f->c.now_us = f->now_us;
	f->c.limit = MESSAGE_MAX;
	f->c.request = &request;
	f->c.qname = &name;
	f->c.client = NULL;
	f->c.query = &f->query;
	f->c.first = NULL;
	f->c.watch = NULL;
	f->c.told = f->told;
	f->c.expired = f->expired;
	f->c.impatient = false;
	f->c.may_prefetch = f->settings.prefetch;
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

void case_ask(struct compose_case *f, const char *qname, uint16_t type)
{
	case_ask_with(f, 0, qname, type, (struct case_question){.flags = FLAG_RD});
}

void case_add_rule(struct compose_case *f, const char *network, const char *domain,
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
