/* Whose a reverse name is, with a server that answers what the test says. */
#include "resolver/control/resource/ownership.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "endpoints/message.h"
#include "resolver/control/base/uuid.h"
#include "rules/wire.h"
#include "tests/lib/addresses_fixture.h"

#define OURS "11111111-2222-3333-4444-555555555555"
#define WEB  "web.east.cloudapp.azure.com"
#define WORLD                                                                                      \
	"addresses = (\n"                                                                          \
	"  { name = \"web\"; address = \"198.51.100.10\"; allocation = \"static\";\n"              \
	"    domain_name_label = \"web\"; },\n"                                                    \
	"  { name = \"moving\"; address = \"198.51.100.11\"; domain_name_label = \"moving\"; },\n" \
	"  { name = \"six\"; address = \"2001:db8::6\"; allocation = \"static\"; });\n"            \
	"cloud_services = ({ name = \"app\"; address = \"198.51.100.20\"; });\n"

enum { QUESTIONS_MAX = 4, WIRE_MAX = 4096 };

struct asked {
	uint16_t type;
	char name[NAME_TEXT_MAX], network[64];
	uint64_t patience_us;
	void (*on_answer)(void *context, const struct ask_answer *answer);
	void *context;
};

static struct script {
	struct asked asked[QUESTIONS_MAX];
	unsigned count;
	int refusal; /* what server_ask gives; 0: it takes the question */
} script;

struct known {
	unsigned times;
	enum ownership ownership;
	char reason[OWNERSHIP_REASON_MAX];
};

static struct server server = {.key = {3, 4}};

int server_ask(struct server *asked_server, const struct ask_question *question,
	       void (*on_answer)(void *context, const struct ask_answer *answer), void *context)
{
	assert_ptr_equal(asked_server, &server);
	if (script.refusal != 0)
		return script.refusal;
	assert_in_range(script.count, 0, QUESTIONS_MAX - 1);
	struct asked *asked = &script.asked[script.count++];
	*asked = (struct asked){.type = question->type,
				.patience_us = question->patience_us,
				.on_answer = on_answer,
				.context = context};
	name_to_text(question->name, asked->name);
	snprintf(asked->network, sizeof asked->network, "%s",
		 question->network ? question->network : "");
	return 0;
}

static void on_known(void *context, enum ownership ownership, const char *reason)
{
	struct known *known = context;

	known->times++;
	known->ownership = ownership;
	snprintf(known->reason, sizeof known->reason, "%s", reason ? reason : "");
	assert_int_equal(reason != NULL, ownership == OWNERSHIP_UNRESOLVED);
}

/* ---- what the server says ---- */

struct wire {
	uint8_t bytes[WIRE_MAX];
	size_t length;
};

static void put16(struct wire *wire, unsigned value)
{
	wire_put16(wire->bytes + wire->length, (uint16_t)value);
	wire->length += 2;
}

static void put_name(struct wire *wire, const char *text)
{
	struct name name;

	assert_int_equal(name_from_text(&name, &server.key, text), 0);
	memcpy(wire->bytes + wire->length, name.wire, name.length);
	wire->length += name.length;
}

/* "OWNER CNAME TARGET" or "OWNER A ADDRESS". */
static void put_record(struct wire *wire, const char *line)
{
	char resource[300], type[16], data[300];
	struct address address;

	assert_int_equal(sscanf(line, "%299s %15s %299s", resource, type, data), 3);
	bool cname = strcmp(type, "CNAME") == 0;
	put_name(wire, resource);
	put16(wire, cname ? TYPE_CNAME : strcmp(type, "AAAA") == 0 ? TYPE_AAAA : TYPE_A);
	put16(wire, 1);
	put16(wire, 0);
	put16(wire, 60);
	size_t at = wire->length;
	put16(wire, 0);
	if (cname) {
		put_name(wire, data);
	} else {
		assert_int_equal(address_parse(&address, data), 0);
		memcpy(wire->bytes + wire->length, address.bytes, address_bits(&address) / 8);
		wire->length += address_bits(&address) / 8;
	}
	wire_put16(wire->bytes + at, (uint16_t)(wire->length - at - 2));
}

/* The answer to question n: lines of records. */
static void answer(unsigned n, enum rcode rcode, const char *lines)
{
	struct asked *asked = &script.asked[n];
	struct wire wire = {.length = MESSAGE_HEADER};
	unsigned count = 0;
	char copy[2048], *rest;

	assert_in_range(n, 0, script.count - 1);
	put_name(&wire, asked->name);
	put16(&wire, asked->type);
	put16(&wire, 1);
	snprintf(copy, sizeof copy, "%s", lines);
	for (char *line = strtok_r(copy, "\n", &rest); line; line = strtok_r(NULL, "\n", &rest)) {
		put_record(&wire, line);
		count++;
	}
	wire_put16(wire.bytes + 4, 1);
	wire_put16(wire.bytes + 6, (uint16_t)count);
	const struct ask_answer said = {
		.end = ASK_END_ANSWERED, .rcode = rcode, .wire = wire.bytes, .length = wire.length};
	asked->on_answer(asked->context, &said);
}

static void end(unsigned n, enum ask_end why)
{
	const struct ask_answer said = {.end = why};

	script.asked[n].on_answer(script.asked[n].context, &said);
}

/* ---- asking ---- */

static int set_up(void **state)
{
	script = (struct script){.count = 0};
	*state = addresses_fixture_new(FIXTURE_WORLD WORLD);
	return 0;
}

static struct known check(struct addresses_fixture *fixture, struct known *known,
			  struct ownership_question question)
{
	*known = (struct known){.times = 0};
	script.count = 0;
	if (!question.subscription)
		question.subscription = OURS;
	assert_int_equal(ownership_check(fixture->resources, &server, &question, on_known, known),
			 0);
	return *known;
}

static void assert_known(const struct known *known, enum ownership ownership)
{
	assert_int_equal(known->times, 1);
	assert_int_equal(known->ownership, ownership);
}

/* One question, one answer. */
static enum ownership judged(struct addresses_fixture *fixture, const char *name, enum rcode rcode,
			     const char *lines)
{
	struct known known;

	check(fixture, &known, (struct ownership_question){.name = name});
	assert_int_equal(known.times, 0);
	assert_int_equal(script.count, 1);
	answer(0, rcode, lines);
	assert_int_equal(known.times, 1);
	return known.ownership;
}

static void a_forward_name_of_ours_is_owned_without_asking(void **state)
{
	static const char *const names[] = {WEB, WEB ".", "WEB.East.cloudapp.azure.com.",
					    "moving.east.cloudapp.azure.com", "app.cloudapp.net."};
	struct known known;

	for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
		check(*state, &known, (struct ownership_question){.name = names[i]});
		assert_known(&known, OWNERSHIP_OWNED);
		assert_int_equal(script.count, 0);
	}
}

static void another_subscription_owns_none_of_it(void **state)
{
	const struct ownership_question question = {
		.name = WEB, .subscription = "22222222-2222-3333-4444-555555555555"};
	struct known known;

	check(*state, &known, question);
	answer(0, RCODE_NOERROR, WEB " A 198.51.100.10");
	assert_known(&known, OWNERSHIP_FOREIGN);
}

static void the_question_is_for_the_default_resolver_and_has_three_seconds(void **state)
{
	struct known known;

	check(*state, &known, (struct ownership_question){.name = "Mail.Test"});
	assert_int_equal(script.count, 1);
	assert_int_equal(script.asked[0].type, TYPE_A);
	assert_string_equal(script.asked[0].name, "mail.test.");
	assert_string_equal(script.asked[0].network, "");
	assert_int_equal(script.asked[0].patience_us, 3000000);
	answer(0, RCODE_NOERROR, "");
	assert_known(&known, OWNERSHIP_FOREIGN);
}

static void the_network_of_resolve_in_is_asked(void **state)
{
	struct known known;

	assert_int_equal(addresses_fixture_load(
				 *state, FIXTURE_WORLD WORLD
				 "virtual_networks = ({ name = \"hub\"; address_space = [ "
				 "\"10.0.0.0/16\" ]; });\nreverse = { resolve_in = \"hub\"; };\n"),
			 0);
	check(*state, &known, (struct ownership_question){.name = "mail.test"});
	assert_string_equal(script.asked[0].network, "hub");
	answer(0, RCODE_NOERROR, "mail.test A 198.51.100.10");
	assert_known(&known, OWNERSHIP_OWNED);
}

static void an_address_counts_when_it_is_static(void **state)
{
	assert_int_equal(judged(*state, "m.test", RCODE_NOERROR, "m.test A 198.51.100.10"),
			 OWNERSHIP_OWNED);
	assert_int_equal(judged(*state, "m.test", RCODE_NOERROR, "m.test A 198.51.100.20"),
			 OWNERSHIP_OWNED);
	assert_int_equal(judged(*state, "m.test", RCODE_NOERROR,
				"m.test A 192.0.2.1\nm.test A 198.51.100.10"),
			 OWNERSHIP_OWNED);
	assert_int_equal(judged(*state, "m.test", RCODE_NOERROR, "m.test A 198.51.100.11"),
			 OWNERSHIP_FOREIGN);
	assert_int_equal(judged(*state, "m.test", RCODE_NOERROR, "m.test A 192.0.2.1"),
			 OWNERSHIP_FOREIGN);
}

static void cnames_are_followed_whatever_their_order(void **state)
{
	assert_int_equal(judged(*state, "m.test", RCODE_NOERROR, "m.test CNAME " WEB),
			 OWNERSHIP_OWNED);
	assert_int_equal(judged(*state, "m.test", RCODE_NXDOMAIN,
				"b.test CNAME moving.east.cloudapp.azure.com\n"
				"M.Test CNAME b.test"),
			 OWNERSHIP_OWNED);
	assert_int_equal(judged(*state, "m.test", RCODE_NOERROR,
				"m.test CNAME b.test\nb.test A 198.51.100.10"),
			 OWNERSHIP_OWNED);
	assert_int_equal(
		judged(*state, "m.test", RCODE_NOERROR, "m.test CNAME b.test\nb.test CNAME m.test"),
		OWNERSHIP_FOREIGN);
}

static void records_off_the_chain_prove_nothing(void **state)
{
	assert_int_equal(judged(*state, "m.test", RCODE_NOERROR,
				"m.test A 192.0.2.1\nother.test A 198.51.100.10\n"
				"other.test CNAME " WEB),
			 OWNERSHIP_FOREIGN);
}

static void a_chain_of_sixteen_is_followed_and_one_of_seventeen_is_not(void **state)
{
	char lines[2048];

	for (int hops = 16; hops <= 17; hops++) {
		int used = 0;
		for (int i = 0; i < hops; i++)
			used += snprintf(lines + used, sizeof lines - (size_t)used,
					 "n%d.test CNAME n%d.test\n", i, i + 1);
		snprintf(lines + used, sizeof lines - (size_t)used, "n%d.test A 198.51.100.10",
			 hops);
		assert_int_equal(judged(*state, "n0.test", RCODE_NOERROR, lines),
				 hops == 16 ? OWNERSHIP_OWNED : OWNERSHIP_FOREIGN);
	}
}

static void no_answer_is_neither_yes_nor_no(void **state)
{
	struct known known;

	check(*state, &known, (struct ownership_question){.name = "m.test"});
	end(0, ASK_END_LATE);
	assert_known(&known, OWNERSHIP_UNRESOLVED);
	assert_string_equal(known.reason, "no answer came in time");
	check(*state, &known, (struct ownership_question){.name = "m.test"});
	answer(0, RCODE_SERVFAIL, "");
	assert_known(&known, OWNERSHIP_UNRESOLVED);
	assert_non_null(strstr(known.reason, "SERVFAIL"));
	script.refusal = ERR_LIMIT;
	check(*state, &known, (struct ownership_question){.name = "m.test"});
	script.refusal = 0;
	assert_known(&known, OWNERSHIP_UNRESOLVED);
	assert_non_null(strstr(known.reason, err_text(ERR_LIMIT)));
	assert_int_equal(judged(*state, "m.test", RCODE_NXDOMAIN, ""), OWNERSHIP_FOREIGN);
}

static void an_owner_counts_as_it_will_be(void **state)
{
	struct addresses_fixture *fixture = *state;
	const struct owned_resource *web = addresses_by_name(fixture->resources, NULL, "web");
	const struct address address = web->item.address;
	char id[UUID_TEXT_MAX];
	struct ownership_question question = {.name = "new.east.cloudapp.azure.com",
					      .id = id,
					      .fqdn = "new.east.cloudapp.azure.com."};
	struct known known;

	snprintf(id, sizeof id, "%s", web->item.id);
	check(fixture, &known, question);
	assert_known(&known, OWNERSHIP_OWNED);
	question.name = WEB;
	check(fixture, &known, question);
	answer(0, RCODE_NOERROR, WEB " A 198.51.100.10");
	assert_known(&known, OWNERSHIP_FOREIGN);
	question.address = address;
	check(fixture, &known, question);
	answer(0, RCODE_NOERROR, WEB " A 198.51.100.10");
	assert_known(&known, OWNERSHIP_OWNED);
}

static void aaaa_is_asked_where_ipv6_is_allowed_and_one_proof_is_enough(void **state)
{
	struct known known;

	assert_int_equal(
		addresses_fixture_load(*state, FIXTURE_WORLD WORLD "reverse = { ipv6 = true; };\n"),
		0);
	check(*state, &known, (struct ownership_question){.name = "m.test"});
	assert_int_equal(script.count, 2);
	assert_int_equal(script.asked[1].type, TYPE_AAAA);
	end(0, ASK_END_LATE);
	assert_int_equal(known.times, 0);
	answer(1, RCODE_NOERROR, "m.test AAAA 2001:db8::6");
	assert_known(&known, OWNERSHIP_OWNED);
	check(*state, &known, (struct ownership_question){.name = "m.test"});
	answer(1, RCODE_NOERROR, "m.test AAAA 2001:db8::7");
	answer(0, RCODE_NOERROR, "m.test A 192.0.2.1");
	assert_known(&known, OWNERSHIP_FOREIGN);
}

static void what_is_no_name_is_refused_at_once(void **state)
{
	struct addresses_fixture *fixture = *state;
	const struct ownership_question question = {.name = "a..b", .subscription = OURS};
	struct known known = {.times = 0};

	assert_int_equal(ownership_check(fixture->resources, &server, &question, on_known, &known),
			 ERR_INVALID);
	assert_int_equal(known.times, 0);
}

int main(void)
{
#define TEST(test) cmocka_unit_test_setup_teardown(test, set_up, addresses_fixture_tear_down)
	const struct CMUnitTest tests[] = {
		TEST(a_forward_name_of_ours_is_owned_without_asking),
		TEST(another_subscription_owns_none_of_it),
		TEST(the_question_is_for_the_default_resolver_and_has_three_seconds),
		TEST(the_network_of_resolve_in_is_asked),
		TEST(an_address_counts_when_it_is_static),
		TEST(cnames_are_followed_whatever_their_order),
		TEST(records_off_the_chain_prove_nothing),
		TEST(a_chain_of_sixteen_is_followed_and_one_of_seventeen_is_not),
		TEST(no_answer_is_neither_yes_nor_no),
		TEST(an_owner_counts_as_it_will_be),
		TEST(aaaa_is_asked_where_ipv6_is_allowed_and_one_proof_is_enough),
		TEST(what_is_no_name_is_refused_at_once),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
