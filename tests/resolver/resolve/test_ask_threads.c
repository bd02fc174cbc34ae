/* Questions of our own from the control thread, with real workers: what is asked comes back to the
 * thread that has asked, once, whatever happens to the server meanwhile. Built by hand with
 * -fsanitize=thread it also says that nobody touches what is another's. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <arpa/inet.h>
#include <pthread.h>
#include <sys/socket.h>
#include <unistd.h>
#include <uv.h>

#include "resolver/log.h"
#include "resolver/server/server.h"
#include "tests/lib/config_text.h"
#include "tests/lib/message_text.h"

enum { MANY = 400, LONG_US = 30 * 1000 * 1000 };

static const struct hash_key key = {1, 2};
/* Who is asked is asked from an address of its own: the ports of other tests are not touched. */
static const char format[] =
	"region = \"r\"; workers = 2;\n"
	"default_resolver = { targets = ( { address = \"127.0.0.8\"; } ); };\n"
	"virtual_networks = ( { name = \"hub\"; address_space = [ \"10.10.0.0/16\" ]; subnets = (\n"
	"  { name = \"out\"; prefix = \"10.10.0.0/28\"; delegation = "
	"\"Microsoft.Network/dnsResolvers\"; } ); } );\n"
	"resolvers = ( { name = \"r\"; virtual_network = \"hub\";\n"
	"  outbound_endpoints = ( { name = \"out\"; subnet = \"out\"; source = \"127.0.0.7\"; } ); "
	"} );\n"
	"rulesets = ( { name = \"rules\"; outbound_endpoints = [ \"r/out\" ];\n"
	"  links = ( { name = \"l\"; virtual_network = \"hub\"; } );\n"
	"  rules = ( { name = \"x\"; domain = \"example.\";\n"
	"              targets = ( { address = \"127.0.0.9\"; port = %u; } ); } ); } );\n"
	"private_zones = ( { name = \"corp.internal\"; file = \"zone\";\n"
	"  links = ( { name = \"l\"; virtual_network = \"hub\"; } ); } );\n";

struct world {
	struct config_text files;
	struct server server;
	struct faults faults;
	uv_loop_t loop; /* the control thread's */
	uv_async_t wake;
	uv_timer_t patience;
	int upstream; /* asked by the hub for example.; says what the test has it say */
	unsigned port;
	unsigned posted, ended; /* calls; ended: those that on_answer told of */
};

struct told { /* what a question has come to */
	struct world *world;
	unsigned ends;
	enum ask_end end;
	enum rcode rcode;
	char text[512];
	bool asks_again; /* when it ends */
	int err;
	pthread_t thread;
};

static void on_release(void *context) /* on a worker's thread */
{
	struct world *world = context;

	uv_async_send(&world->wake);
}

static void on_wake(uv_async_t *wake)
{
	struct world *world = wake->data;

	server_collect(&world->server);
}

static void on_patience(uv_timer_t *timer)
{
	(void)timer;
	fail_msg("nothing has come back for two minutes");
}

static void apply(struct world *world)
{
	char text[sizeof format + 16];

	snprintf(text, sizeof text, format, world->port);
	struct model *model = config_text_load(&world->files, text);
	assert_non_null(model);
	assert_int_equal(server_apply(&world->server, model, &world->faults), 0);
}

static int set_up(void **state)
{
	struct world *world = calloc(1, sizeof *world);
	struct sockaddr_in in = {.sin_family = AF_INET};
	socklen_t length = sizeof in;

	log_configure(LOG_ERROR, LOG_TEXT);
	config_text_init(&world->files);
	config_text_put(&world->files, "zone", "web 300 IN A 10.10.1.10\n");
	faults_init(&world->faults);
	inet_pton(AF_INET, "127.0.0.9", &in.sin_addr);
	world->upstream = socket(AF_INET, SOCK_DGRAM, 0);
	assert_int_equal(bind(world->upstream, (struct sockaddr *)&in, sizeof in), 0);
	assert_int_equal(getsockname(world->upstream, (struct sockaddr *)&in, &length), 0);
	world->port = ntohs(in.sin_port);
	uv_loop_init(&world->loop);
	uv_async_init(&world->loop, &world->wake, on_wake);
	uv_timer_init(&world->loop, &world->patience);
	world->wake.data = world;
	assert_int_equal(server_init(&world->server, 2, &key, on_release, world), 0);
	apply(world);
	*state = world;
	return 0;
}

static int tear_down(void **state)
{
	struct world *world = *state;

	server_release(&world->server);
	uv_close((uv_handle_t *)&world->wake, NULL);
	uv_close((uv_handle_t *)&world->patience, NULL);
	uv_run(&world->loop, UV_RUN_DEFAULT);
	assert_int_equal(uv_loop_close(&world->loop), 0);
	close(world->upstream);
	faults_release(&world->faults);
	config_text_release(&world->files);
	free(world);
	return 0;
}

static void on_answer(void *context, const struct ask_answer *answer);

static int try_to_ask(struct world *world, struct told *told, const char *text, const char *network,
		      uint64_t patience_us)
{
	struct name name;

	assert_int_equal(name_from_text(&name, &key, text), 0);
	const struct ask_question question = {
		.name = &name, .type = TYPE_A, .network = network, .patience_us = patience_us};
	told->world = world;
	told->err = server_ask(&world->server, &question, on_answer, told);
	world->posted += told->err == 0;
	return told->err;
}

static void on_answer(void *context, const struct ask_answer *answer)
{
	struct told *told = context;
	struct message_text text;

	told->ends++;
	told->world->ended++;
	told->end = answer->end;
	told->rcode = answer->rcode;
	told->thread = pthread_self();
	if (answer->length) {
		assert_true(message_read_text(&text, answer->wire, answer->length));
		snprintf(told->text, sizeof told->text, "%s", text.records);
		message_text_release(&text);
	}
	if (told->asks_again) {
		told->asks_again = false;
		(void)!try_to_ask(told->world, told, "again.invalid.", NULL, LONG_US);
	}
}

static void ask_for(struct world *world, struct told *told, const char *text, const char *network,
		    uint64_t patience_us)
{
	*told = (struct told){0};
	assert_int_equal(try_to_ask(world, told, text, network, patience_us), 0);
}

/* The control thread's loop, until so many have been told of and no call is out. */
static void run(struct world *world, unsigned ended)
{
	uv_timer_start(&world->patience, on_patience, 120000, 0);
	while (world->ended < ended || world->server.caller.open > 0)
		uv_run(&world->loop, UV_RUN_ONCE);
	uv_timer_stop(&world->patience);
	assert_int_equal(world->ended, ended);
}

/* Takes a question from the upstream's socket; answers it with 192.0.2.9. */
static void upstream_answers(struct world *world)
{
	uint8_t query[512], wire[MESSAGE_MAX];
	struct sockaddr_in peer;
	socklen_t answerer = sizeof peer;
	struct message_text asked;
	char record[400];
	ssize_t got = recvfrom(world->upstream, query, sizeof query, 0, (struct sockaddr *)&peer,
			       &answerer);

	assert_true(got > MESSAGE_HEADER);
	assert_true(message_read_text(&asked, query, (size_t)got));
	snprintf(record, sizeof record, "answer %.*s 60 IN A 192.0.2.9",
		 (int)strcspn(asked.question, " "), asked.question);
	message_text_release(&asked);
	size_t length = reply_write(wire, query, (size_t)got, RCODE_NOERROR, 0, record);
	assert_int_equal(
		sendto(world->upstream, wire, length, 0, (struct sockaddr *)&peer, answerer),
		length);
}

static void wait_until_asked(struct world *world)
{
	uint8_t query[512];

	assert_true(recv(world->upstream, query, sizeof query, 0) > 0);
}

/* ---- the stories ---- */

static void an_answer_comes_back_to_the_thread_that_asked(void **state)
{
	struct world *world = *state;
	struct told zone, special, forwarded;

	ask_for(world, &zone, "web.corp.internal.", "hub", LONG_US);
	ask_for(world, &special, "gone.invalid.", NULL, LONG_US);
	ask_for(world, &forwarded, "web.corp.internal.example.", "hub", LONG_US);
	assert_int_equal(zone.ends + special.ends, 0); /* never before it is collected */
	upstream_answers(world);
	run(world, 3);
	assert_int_equal(zone.end, ASK_END_ANSWERED);
	assert_string_equal(zone.text, "answer web.corp.internal. 300 IN A 10.10.1.10\n");
	assert_int_equal(special.rcode, RCODE_NXDOMAIN);
	assert_string_equal(forwarded.text,
			    "answer web.corp.internal.example. 60 IN A 192.0.2.9\n");
	assert_true(pthread_equal(zone.thread, pthread_self()));
	assert_true(pthread_equal(forwarded.thread, pthread_self()));
}

static void what_nobody_answers_comes_back_late(void **state)
{
	struct world *world = *state;
	struct told told;

	ask_for(world, &told, "silent.example.", "hub", 20 * 1000);
	run(world, 1);
	assert_int_equal(told.end, ASK_END_LATE);
	ask_for(world, &told, "www.example.", "spoke", LONG_US);
	run(world, 2);
	assert_int_equal(told.end, ASK_END_NO_NETWORK);
}

static void the_next_one_may_be_asked_when_one_is_told_of(void **state)
{
	struct world *world = *state;
	struct told told;

	ask_for(world, &told, "a.invalid.", NULL, LONG_US);
	told.asks_again = true;
	run(world, 2);
	assert_int_equal(told.ends, 2);
	assert_int_equal(told.end, ASK_END_ANSWERED);
}

static void a_reload_leaves_what_is_under_way_and_its_policy(void **state)
{
	struct world *world = *state;
	struct told told;

	ask_for(world, &told, "www.example.", "hub", LONG_US);
	assert_true(recv(world->upstream, &(char){0}, 1, MSG_PEEK) > 0);
	for (unsigned i = 0; i < 3; i++)
		apply(world);
	upstream_answers(world);
	run(world, 1);
	assert_int_equal(told.end, ASK_END_ANSWERED);
	while (world->server.current->older) /* the last user has let go of it */
		uv_run(&world->loop, UV_RUN_ONCE);
}

static void stopping_tells_all_that_wait_and_takes_no_more(void **state)
{
	struct world *world = *state;
	struct told told[4];

	for (unsigned i = 0; i < 4; i++)
		ask_for(world, &told[i], i < 2 ? "a.example." : "b.example.", "hub", LONG_US);
	told[0].asks_again = true;
	wait_until_asked(world);
	server_release(&world->server);
	for (unsigned i = 0; i < 4; i++) {
		assert_int_equal(told[i].ends, 1);
		assert_int_equal(told[i].end, ASK_END_ABANDONED);
	}
	assert_int_equal(told[0].err, ERR_LIMIT);
}

static void one_call_too_many_is_not_taken(void **state)
{
	static struct told told[ASK_CALLS_MAX + 1];
	struct world *world = *state;

	for (unsigned i = 0; i < ASK_CALLS_MAX; i++)
		ask_for(world, &told[i], "a.invalid.", NULL, LONG_US);
	assert_int_equal(try_to_ask(world, &told[ASK_CALLS_MAX], "a.invalid.", NULL, LONG_US),
			 ERR_LIMIT);
	run(world, ASK_CALLS_MAX);
	ask_for(world, &told[0], "a.invalid.", NULL, LONG_US);
	run(world, ASK_CALLS_MAX + 1);
}

/* Answers, deadlines and reloads in disorder. */
static void of_many_each_is_told_of_once(void **state)
{
	static struct told told[MANY];
	struct world *world = *state;
	unsigned ended = 0;

	for (unsigned i = 0; i < MANY; i++) {
		char name[32];

		snprintf(name, sizeof name, "n%u.%s.", i, i % 2 ? "invalid" : "example");
		ask_for(world, &told[i], name, i % 2 ? NULL : "hub", i % 5 ? 2000 : 50 * 1000);
		if (i % 50 == 0)
			apply(world);
		uv_run(&world->loop, UV_RUN_NOWAIT);
	}
	run(world, MANY);
	for (unsigned i = 0; i < MANY; i++) {
		assert_int_equal(told[i].ends, 1);
		ended += told[i].end == ASK_END_ANSWERED && told[i].ends;
	}
	assert_true(ended > 0 && ended < MANY);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
	const struct CMUnitTest tests[] = {
		TEST(an_answer_comes_back_to_the_thread_that_asked),
		TEST(what_nobody_answers_comes_back_late),
		TEST(the_next_one_may_be_asked_when_one_is_told_of),
		TEST(a_reload_leaves_what_is_under_way_and_its_policy),
		TEST(stopping_tells_all_that_wait_and_takes_no_more),
		TEST(one_call_too_many_is_not_taken),
		TEST(of_many_each_is_told_of_once),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
