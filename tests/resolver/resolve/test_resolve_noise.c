/* Upstreams that send nonsense: replies with bytes changed, cut, and pieced together. Whatever they
 * say, every client gets exactly one answer, to its own question, within its limit, and well
 * formed.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "tests/lib/message_text.h"
#include "tests/lib/model_builder.h"
#include "tests/lib/random.h"
#include "tests/lib/stage.h"

enum { S = 1000 * 1000, ROUNDS = 4000, REPLIES = 12 };

static const char *const names[] = {"www.example.",
				    "acct.blob.example.",
				    "a.corp.",
				    "a.old.example.",
				    "follow.corp.",
				    "alias.internal.",
				    "x.privatelink.blob.example."};
static const uint16_t types[] = {TYPE_A, TYPE_AAAA, TYPE_CNAME, TYPE_MX, TYPE_TXT, TYPE_DNAME};

static const char *const replies[] = {
	"answer www.example. 60 IN A 192.0.2.1\n"
	"answer www.example. 60 IN RRSIG A 8 2 60 20300101000000 20200101000000 1 example. AAAA\n",
	"answer acct.blob.example. 60 IN CNAME acct.privatelink.blob.example.\n"
	"answer acct.privatelink.blob.example. 60 IN CNAME b.example.\n"
	"answer b.example. 60 IN A 192.0.2.1\n",
	"answer a.corp. 60 IN CNAME www.example.\nauthority corp. 60 IN SOA ns. admin. 1 2 3 4 5\n",
	"answer old.example. 60 IN DNAME new.example.\n"
	"answer a.old.example. 60 IN CNAME a.new.example.\n"
	"answer a.new.example. 60 IN A 192.0.2.1\n",
	"answer example. 60 IN DNAME a.corp.\nanswer corp. 60 IN DNAME x.corp.\n",
	"answer follow.corp. 60 IN CNAME a.corp.\nanswer a.corp. 60 IN MX 10 mail.corp.\n"
	"additional mail.corp. 60 IN A 192.0.2.1\n",
	"authority example. 60 IN SOA ns. admin. 1 2 3 4 5\n"
	"authority a.example. 60 IN NSEC b.example. A RRSIG NSEC\n",
	"authority example. 60 IN NS ns.example.\n",
	"",
};
#define ONE_OF(list, random) (list)[random_below(random, sizeof(list) / sizeof *(list))]

static int setup(void **state)
{
	struct model *model = model_start();
	struct stage *stage = stage_new();
	struct forwarding_ruleset *ruleset;

	model_add_network(model, "hub", "10.10.0.0/16");
	model_add_resolver(model, "hub", "hub", NULL);
	model_add_zone(model, "privatelink.blob.example", "acct A 10.10.1.1\n", "hub?");
	model_add_zone(model, "internal", "alias CNAME a.corp.\n", "hub");
	ruleset = model_add_ruleset(model, "onprem", "hub/out", "hub");
	model_add_rule(model, ruleset, "corp", "corp.", "192.0.2.1 192.0.2.2");
	model_add_rule(model, ruleset, "follow", "follow.corp.", "192.0.2.1")->follow_cname = true;
	model_add_default(model, "192.0.2.53");
	model->cache.stale_max = 60;
	model_place_endpoints(model);
	assert_non_null(stage);
	assert_true(stage_load(stage, model));
	model_free(model);
	*state = stage;
	return 0;
}

static int teardown(void **state)
{
	stage_free(*state);
	return 0;
}

static struct stage_packet *next_open(struct stage *stage)
{
	struct stage_packet *packet = stage->packets;

	while (packet && packet->answered)
		packet = packet->next;
	return packet;
}

/* A reply, with a few of its bytes changed most of the time. */
static void reply(struct stage *stage, struct stage_packet *packet, uint64_t *random)
{
	static const unsigned rcodes[] = {0, 0, 0, 0, 3, 3, 2, 5, 6, 1};
	uint8_t wire[MESSAGE_MAX];
	size_t fixed = packet->length - 11; /* without the OPT: header and question */
	uint16_t flags = random_below(random, 20) ? FLAG_RA : FLAG_TC;
	size_t length = reply_write(wire, packet->wire, packet->length, ONE_OF(rcodes, random),
				    flags, ONE_OF(replies, random));

	assert_true(length > 0);
	for (unsigned n = random_below(random, 4); n > 0 && length > fixed; n--) {
		size_t at = fixed + random_below(random, (unsigned)(length - fixed));

		wire[at] = random_below(random, 3) ? (uint8_t)random_u64(random) : 0xc0;
	}
	if (random_below(random, 20) == 0)
		length -= random_below(random, (unsigned)(length - MESSAGE_HEADER));
	packet->answered = true;
	lookup_on_reply(&stage->lookups, packet, &packet->peer, wire, length, stage->now_us);
}

/* To the last byte; what opaque rdata hold is between the target and the client. */
static bool well_formed(const uint8_t *wire, size_t length)
{
	struct message_walk walk = message_walk_from(
		wire, length, MESSAGE_HEADER + name_wire_length(wire + MESSAGE_HEADER) + 4);
	unsigned records = (unsigned)wire_u16(wire + 6) + wire_u16(wire + 8) + wire_u16(wire + 10);
	struct record_view record;

	for (; records > 0; records--)
		if (message_read_record(&walk, &record) != 0)
			return false;
	return walk.at == length;
}

static void check(const struct stage_client *client)
{
	assert_int_equal(client->answers, 1);
	assert_true(client->reply_length <= client->query.limit);
	assert_int_equal(wire_u16(client->reply), client->query.request.id);
	assert_memory_equal(client->reply + MESSAGE_HEADER, client->query.question,
			    client->query.request.question_length);
	assert_true(well_formed(client->reply, client->reply_length));
}

static void whatever_a_target_sends_every_client_gets_one_well_formed_answer(void **state)
{
	struct stage *stage = *state;
	uint64_t random = 4711;
	unsigned good = 0;

	for (unsigned i = 0; i < ROUNDS; i++) {
		const char *name = ONE_OF(names, &random);
		uint8_t wire[MESSAGE_UDP_MIN];
		uint16_t flags = random_below(&random, 10) ? FLAG_RD : FLAG_RD | FLAG_CD;
		size_t length =
			request_write(wire, (uint16_t)i, flags, name, ONE_OF(types, &random),
				      CLASS_IN, 1232, random_below(&random, 2));
		struct stage_client *client = stage_ask(stage, name, (struct place){0, false}, wire,
							length, random_below(&random, 2));
		assert_non_null(client);
		for (unsigned n = 0; n < REPLIES && !client->answers; n++) {
			struct stage_packet *packet = next_open(stage);

			if (packet)
				reply(stage, packet, &random);
			stage_pass(stage, S / 100);
		}
		stage_pass(stage, random_below(&random, 4) ? S / 100 : 5ULL * S);
		if (!client->answers)
			stage_pass(stage, 5ULL * S);
		check(client);
		good += (client->reply[3] & FLAG_RCODE) == RCODE_NOERROR;
		stage_tidy(stage);
	}
	assert_in_range(good, ROUNDS / 10, ROUNDS - ROUNDS / 20); /* sense and nonsense */
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(
			whatever_a_target_sends_every_client_gets_one_well_formed_answer, setup,
			teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
